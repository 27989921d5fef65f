#!/bin/bash
# SPDX-License-Identifier: MIT
# bench/run.sh BUILD: the echo server on the library beside raw epoll, libuv and raw io_uring, and what the
# queue and an unattended completion cost. The servers take turns, round after round, so that a busy
# machine is unfair to all of them alike; medians are shown. Every byte is verified while it is measured.
# ROUNDS, SECONDS_EACH, CONNS ("1 64 1000") and ONLY ("echo queue latency") change what is run.
# The targets are wishes, shown with what was reached; only a wrong byte or a dead server is a failure.
set -u

build=$(cd "${1:-build}" && pwd) || exit 1
rounds=${ROUNDS:-5}
each=${SECONDS_EACH:-2}
conns=${CONNS:-1 64 1000}
only=${ONLY:-queue latency echo}
dir=$(mktemp -d) || exit 1
server=
failed=0

stop_server() {
    [ -n "$server" ] || return 0
    kill -KILL "$server" 2>/dev/null
    wait "$server" 2>/dev/null
    server=
}
trap 'stop_server; rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
ulimit -n "$(ulimit -Hn)" 2>/dev/null

# command_of NAME: how the server of that name is started.
command_of() {
    case $1 in
    iocp-1) echo "$build/examples/echo_server --port 0 --threads 1" ;;
    iocp-2) echo "$build/examples/echo_server --port 0 --threads 2" ;;
    *) echo "$build/bench/echo_$1" ;;
    esac
}

# round NAME CONNS: one measurement; a line "NAME CONNS CPU RATE P50 P99" goes to the results.
round() {
    local port= line
    rm -f "$dir/server" # what the last one said is not this one's
    $(command_of "$1") >"$dir/server" 2>&1 &
    server=$!
    for _ in $(seq 100); do
        port=$(sed -n 's/^listening on port \([0-9]*\).*/\1/p' "$dir/server")
        [ -n "$port" ] && break
        sleep 0.02
    done
    if [ -z "$port" ] || ! line=$("$build/tools/load" --port "$port" --conns "$2" --pipeline 1 --seconds "$each" \
        --pid "$server" --terse 2>"$dir/errors"); then
        echo "bench: $1 with $2 connections failed: ${line-}"
        cat "$dir/server" "$dir/errors" 2>/dev/null | head -n 5
        failed=1
    fi
    [ -n "${line-}" ] && echo "$1 $2 $line" | sed -E 's/[a-z0-9]+=//g' | awk '{ print $1, $2, $11, $6, $7, $9 }' >>"$dir/echo"
    stop_server
}

# median NAME CONNS COLUMN
median() {
    awk -v n="$1" -v c="$2" -v k="$3" '$1 == n && $2 == c { print $k }' "$dir/echo" | sort -n |
        awk '{ v[NR] = $1 } END { if (NR) print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2; else print "-" }'
}

# goal TEXT MEASURED LIMIT UNIT
goal() {
    awk -v t="$1" -v m="$2" -v l="$3" -v u="$4" \
        'BEGIN { printf "  %-58s %9s %-3s wanted <= %s: %s\n", t, m, u, l, m == "-" ? "not measured" : (m + 0 <= l + 0 ? "reached" : "MISSED") }'
}
value() { sed -n "s/.*\b$2=\([0-9.]*\).*/\1/p" <<<"$1"; }

echo "$(nproc) CPUs ($(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)), Linux $(uname -r), engine ${IOCP_ENGINE:-auto}"

if [[ " $only " == *" queue "* ]]; then
    queue=$("$build/bench/queue") || { failed=1; queue=; }
    echo
    echo "the queue, nanoseconds per packet (median of 101 rounds)"
    printf '  post + get, one thread %s; 20000 posted, then taken %s; batches of 64 %s; there and back between two threads %s\n' \
        "$(value "$queue" post_get)" "$(value "$queue" backlog)" "$(value "$queue" batch)" "$(value "$queue" ping_pong)"
fi

if [[ " $only " == *" latency "* ]]; then
    echo
    echo "from the sender's write to a completion that is seen, microseconds"
    timeout 120 "$build/bench/latency" >"$dir/latency" || { echo "bench: latency failed"; failed=1; }
    sed 's/^/  /' "$dir/latency"
fi

if [[ " $only " == *" echo "* ]]; then
    servers="iocp-1 iocp-2 epoll"
    [ -x "$build/bench/echo_uv" ] && servers="$servers uv"
    [ -x "$build/bench/echo_uring" ] && servers="$servers uring"
    : >"$dir/echo"
    for ((i = 0; i < rounds; i++)); do
        for c in $conns; do
            for s in $servers; do round "$s" "$c"; done
            set -- $servers # the next turn begins with another one
            shift
            servers="$* ${servers%% *}"
        done
    done
    echo
    echo "echo of 64 bytes, one message in flight per connection: $rounds rounds of $each s each, medians"
    printf '  %-34s' "server CPU, us per message"
    for c in $conns; do printf ' %10s' "$c conns"; done
    printf '   | messages/s'
    printf '\n'
    for s in iocp-1 iocp-2 epoll uv uring; do
        [[ " $servers " == *" $s "* ]] || continue
        case $s in
        iocp-1) label="this library, 1 worker" ;;
        iocp-2) label="this library, 2 workers" ;;
        epoll) label="raw epoll, 1 thread" ;;
        uv) label="libuv, 1 thread" ;;
        uring) label="raw io_uring, 1 thread" ;;
        esac
        printf '  %-34s' "$label"
        for c in $conns; do printf ' %10s' "$(median $s "$c" 3)"; done
        printf '   |'
        for c in $conns; do printf ' %8s' "$(median $s "$c" 4)"; done
        printf '\n'
    done
fi

echo
echo "wanted"
if [[ " $only " == *" echo "* ]]; then
    for c in $conns; do
        ratio() { awk -v a="$(median iocp-1 "$c" 3)" -v b="$(median "$1" "$c" 3)" 'BEGIN { if (b > 0) printf "%.2f", a / b; else print "-" }'; }
        [ "$c" = 1 ] || goal "one worker : raw epoll, CPU per message, $c connections" "$(ratio epoll)" 1.15 ""
        [ "$c" = 1 ] || goal "one worker : libuv, CPU per message, $c connections" "$(ratio uv)" 1.00 ""
    done
fi
[[ " $only " == *" queue "* ]] && goal "post + get on one thread" "$(value "$queue" post_get)" 60 ns
if [[ " $only " == *" latency "* ]]; then
    line() { sed -n "s/^way=$1 //p" "$dir/latency"; }
    for w in memory port-memory; do
        goal "nobody dequeues, memory polled ($w), median" "$(value "$(line $w)" p50)" 15000 us
        goal "nobody dequeues, memory polled ($w), p99" "$(value "$(line $w)" p99)" 25000 us
    done
    goal "sleeping on an event, median" "$(value "$(line event)" p50)" 100 us
    goal "sleeping on an event, socket of a port, median" "$(value "$(line port-event)" p50)" 100 us
fi
exit "$failed"
