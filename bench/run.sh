#!/bin/bash
# SPDX-License-Identifier: MIT
# bench/run.sh BUILD: the library beside its peers. Echo servers of every kind take turns, round after round,
# so that a busy machine is unfair to all of them alike; then the queue, latencies, files and memory. Medians
# are shown, CPU per operation before wall time, and at the end what was wanted and whether it was reached.
# Every byte is verified while it is measured. What is changed by the environment:
#   ONLY           parts: "queue latency blocked echo big scale growth connect idle files" (all of them)
#   ROUNDS         rounds of everything that takes turns (5)
#   SECONDS_EACH   of one measurement (2); or TOTAL: seconds for all echo measurements together
#   CONNS          connections of the echo part ("1 64 1000"); GROWTH: of that part ("64 1000 5000 20000")
#   WINE_CONNS     connections of the same server under Wine ("64"); "" leaves it out
#   IDLE           idle connections (20000); FILE_MIB: size of the file that is read (256)
#   RECORD         a Markdown file: the output also goes between its lines "figures: begin" and "figures: end"
# The targets are wishes; only a wrong byte or a dead server is a failure.
set -u

here=$(cd "$(dirname "$0")/.." && pwd) || exit 1
build=$(cd "${1:-build}" && pwd) || exit 1
rounds=${ROUNDS:-5}
each=${SECONDS_EACH:-2}
conns=${CONNS:-1 64 1000}
growth=${GROWTH:-64 1000 5000 20000}
wine_conns=${WINE_CONNS-64}
only=${ONLY:-queue latency blocked echo big scale growth connect idle files}
spread=200 # client addresses; each has ports for some 28000 connections, those in TIME_WAIT included
dir=$(mktemp -d) || exit 1
server=
wineserver=
failed=0
reached=0
missed=0

stop_server() {
    [ -n "$server" ] || return 0
    kill -KILL "$server" 2>/dev/null
    wait "$server" 2>/dev/null
    server=
}
stop_wine() {
    [ -n "$wineserver" ] || return 0
    kill "$wineserver" 2>/dev/null
    wait "$wineserver" 2>/dev/null
    wineserver=
}
trap 'stop_server; stop_wine; rm -rf "$dir" "$build/bench/reads.tmp"' EXIT
trap 'exit 130' INT TERM

wants() { [[ " $only " == *" $1 "* ]]; }
broken() { # TEXT...: a failure, with what the programs said
    echo "bench: $*"
    cat "$dir/server" "$dir/errors" 2>/dev/null | head -n 5
    failed=1
}

# -- who takes part --

# command_of NAME BUFFER: how the server of that name is started.
command_of() {
    case $1 in
    iocp-*) echo "$build/examples/echo_server --port 0 --threads ${1#iocp-} --buffer $2" ;;
    skip-*) echo "$build/examples/echo_server --port 0 --threads ${1#skip-} --buffer $2 --skip" ;;
    spin-*) echo "env IOCP_SPIN_US=25 $build/examples/echo_server --port 0 --threads ${1#spin-} --buffer $2" ;;
    wine-*) echo "wine $build/bench/echo_server.exe --port 0 --threads ${1#wine-} --buffer $2" ;;
    asio-*) echo "$build/bench/echo_asio --threads ${1#asio-} --buffer $2" ;;
    *) echo "$build/bench/echo_$1 --buffer $2" ;;
    esac
}
label_of() {
    case $1 in
    *-1) plural= ;;
    *) plural=s ;;
    esac
    case $1 in
    iocp-*) echo "this library, ${1#*-} worker$plural" ;;
    skip-*) echo "no packet on success, ${1#*-} worker$plural" ;;
    spin-*) echo "a poll of 25 us first, ${1#*-} worker$plural" ;;
    wine-*) echo "the same source, Wine, ${1#*-} worker$plural" ;;
    asio-*) echo "Boost.Asio, ${1#*-} thread$plural" ;;
    epoll) echo "raw epoll, 1 thread" ;;
    uring) echo "raw io_uring, 1 thread" ;;
    uv) echo "libuv, 1 thread" ;;
    libevent) echo "libevent, 1 thread" ;;
    esac
}

peers=" "
absent=
for peer in uring:liburing-dev uv:libuv1-dev libevent:libevent-dev asio:libboost-dev; do
    if [ -x "$build/bench/echo_${peer%:*}" ]; then peers="$peers${peer%:*} "; else absent="$absent ${peer%:*} (${peer#*:})"; fi
done

# The same source under Wine: its wineserver is ours, so that its CPU time can be counted.
start_wine() {
    local cc=${MINGW_CC:-x86_64-w64-mingw32-gcc} tool
    for tool in "$cc" wine wineserver; do
        command -v "$tool" >/dev/null || { absent="$absent wine ($tool)"; return; }
    done
    "$cc" -std=gnu11 -O2 -D_WIN32_WINNT=0x0A00 "$here/examples/echo_server.c" -o "$build/bench/echo_server.exe" \
        -lws2_32 -lmswsock || { absent="$absent wine (compiling failed)"; return; }
    export WINEDEBUG=-all WINEPREFIX=${WINEPREFIX:-$build/wine/prefix}
    mkdir -p "$WINEPREFIX"
    wineserver -f -p >/dev/null 2>&1 &
    wineserver=$!
    if ! timeout 120 wine cmd /c exit </dev/null >/dev/null 2>&1 || ! kill -0 "$wineserver" 2>/dev/null; then
        absent="$absent wine (it does not start, or a wineserver runs already)"
        stop_wine
        return
    fi
    peers="${peers}wine "
}
has() { [[ "$peers" == *" $1 "* ]]; }

# -- echo measurements --

# Groups of servers that are compared with each other; a key is "SIZE CONNS MODE", and a server takes part in
# a group once, however many parts of the run ask for it. MODE: plain, spread or once.
declare -A group=()
keys=()
join() { # KEY SERVER...
    local key=$1 s
    shift
    [ -n "${group[$key]-}" ] || keys+=("$key")
    for s in "$@"; do
        case $s in
        iocp-* | skip-* | spin-* | epoll) ;;
        *) has "${s%-*}" || continue ;;
        esac
        [[ " ${group[$key]-} " == *" $s "* ]] || group[$key]="${group[$key]-}${group[$key]:+ }$s"
    done
}

# home: what the library's own thread has run so far, in ns, and how often.
home() {
    local task
    for task in "/proc/$server/task"/*; do
        [ "$(cat "$task/comm" 2>/dev/null)" = iocp-home ] && awk '{ print $1, $3 }' "$task/schedstat" && return
    done
    echo 0 0
}

# measure SERVER SIZE CONNS MODE: a line "SERVER SIZE CONNS MODE CPU RATE P50 P99 HOME-CPU HOME-RUNS" goes to the
# results; the last two are what the home thread has of CPU, and how often it ran each second.
measure() {
    local port= line= buffer=4096 patience=100 pids options=
    [ "$2" -gt 4096 ] && buffer=$2
    [[ $1 == wine-* ]] && patience=1000
    case $4 in
    spread) options="--spread $spread" ;;
    once) options="--spread $spread --once" ;;
    esac
    rm -f "$dir/server" "$dir/errors" # what the last one said is not this one's
    $(command_of "$1" "$buffer") >"$dir/server" 2>&1 </dev/null &
    server=$!
    pids="--pid $server"
    [[ $1 == wine-* ]] && pids="$pids --pid $wineserver"
    for _ in $(seq "$patience"); do
        port=$(sed -n 's/^listening on port \([0-9]*\).*/\1/p' "$dir/server" 2>/dev/null)
        [ -n "$port" ] && break
        kill -0 "$server" 2>/dev/null || break
        sleep 0.02
    done
    if [ -z "$port" ] || ! line=$("$build/tools/load" --port "$port" --size "$2" --conns "$3" --pipeline 1 --warm \
        --seconds "$each" $pids $options --terse 2>"$dir/errors"); then
        broken "$1 with $3 connections failed: $line"
    else
        echo "$1 $2 $3 $4 $(value "$line" cpu) $(value "$line" rate) $(value "$line" p50) $(value "$line" p99)" \
            "$(home | awk -v r="$(value "$line" rate)" -v s="$each" '{ printf "%.4f %.0f", $1 / 1e3 / (r * s), $2 / s }')" >>"$dir/echo"
    fi
    stop_server
}

value() { sed -n "s/.*\b$2=\([0-9.]*\).*/\1/p" <<<"$1"; }
middle() { sort -n | awk '{ v[NR] = $1 } END { if (NR) print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2; else print "-" }'; }
# median SERVER KEY COLUMN
median() { awk -v s="$1" -v g="$2" -v k="$3" '$1 == s && $2 " " $3 " " $4 == g { print $k }' "$dir/echo" | middle; }
quotient() { awk -v a="$1" -v b="$2" 'BEGIN { if (a + 0 > 0 && b + 0 > 0) printf "%.3f", a / b; else print "-" }'; }
# ratio A B KEY [COLUMN]: A's median over B's; of CPU if nothing else is said.
ratio() { quotient "$(median "$1" "$3" "${4:-5}")" "$(median "$2" "$3" "${4:-5}")"; }

# table TITLE UNIT SERVERS KEY...: one row for each of the servers that took part, CPU first.
everyone="iocp-1 iocp-2 skip-1 spin-1 uring epoll uv libevent asio-1 asio-2 wine-1 wine-2"
table() {
    local title=$1 unit=$2 servers=$3 key s rows= rate count _
    shift 3
    echo
    echo "$title: $rounds rounds of $each s each, medians"
    for key in "$@"; do
        for s in ${group[$key]}; do [[ " $rows " == *" $s "* ]] || rows="$rows $s"; done
    done
    printf '  %-36s' "server CPU, us per $unit"
    for key in "$@"; do read -r _ count _ <<<"$key"; printf ' %9s' "$count conn"; done
    printf '  | %ss/s, p50/p99 in us\n' "$unit"
    for s in $servers; do
        [[ " $rows " == *" $s "* ]] || continue
        printf '  %-36s' "$(label_of $s)"
        for key in "$@"; do printf ' %9s' "$(median $s "$key" 5)"; done
        printf '  |'
        for key in "$@"; do
            rate=$(median $s "$key" 6)
            printf ' %7s (%s/%s)' "${rate%.*}" "$(median $s "$key" 7)" "$(median $s "$key" 8)"
        done
        printf '\n'
    done
}
# keys_of SIZE MODE CONNS...: "SIZE CONNS MODE" for each, one a line
keys_of() {
    local size=$1 mode=$2 c
    shift 2
    for c in "$@"; do echo "$size $c $mode"; done
}

# -- targets --

# goal TEXT MEASURED at-most|at-least LIMIT [UNIT]
goal() {
    local verdict
    verdict=$(awk -v m="$2" -v how="$3" -v l="$4" \
        'BEGIN { print m == "-" || m == "" ? "not measured" : ((how == "at-most" ? m + 0 <= l + 0 : m + 0 >= l + 0) ? "reached" : "MISSED") }')
    case $verdict in
    reached) reached=$((reached + 1)) ;;
    MISSED) missed=$((missed + 1)) ;;
    esac
    printf '  %-66s %9s %-3s %s %s: %s\n' "$1" "${2:--}" "${5-}" "${3/-/ }" "$4" "$verdict"
}

echo_goals() {
    local c limit
    for c in 1 64 1000; do
        case $c in 1) limit=1.05 ;; 64) limit=1.18 ;; *) limit=1.10 ;; esac
        [[ " $conns " == *" $c "* ]] || continue
        goal "CPU, 1 worker : raw io_uring, 64 B, $c conn" "$(ratio iocp-1 uring "64 $c plain")" at-most $limit
        goal "CPU, 1 worker : libuv, 64 B, $c conn" "$(ratio iocp-1 uv "64 $c plain")" at-most 0.92
        goal "CPU, 1 worker : Asio with 1 thread, 64 B, $c conn" "$(ratio iocp-1 asio-1 "64 $c plain")" at-most 1.02
        [ "$c" = 1 ] || goal "CPU, 2 workers : Asio with 2 threads, 64 B, $c conn" \
            "$(ratio iocp-2 asio-2 "64 $c plain")" at-most 0.92
    done
    for c in $wine_conns; do
        goal "CPU, Wine : this library, 1 worker, $c conn" "$(ratio wine-1 iocp-1 "64 $c plain")" at-least 10
        goal "CPU, Wine : this library, 2 workers, $c conn" "$(ratio wine-2 iocp-2 "64 $c plain")" at-least 30
    done
    [[ " $conns " == *" 1 "* ]] && goal "rate, 1 worker, 1 conn, a poll of 25 us : none" "$(ratio spin-1 iocp-1 "64 1 plain" 6)" at-least 1.5
    for c in 64 1000; do
        [[ " $conns " == *" $c "* ]] || continue
        goal "CPU, the home thread : all, 1 worker, $c conn" \
            "$(quotient "$(median iocp-1 "64 $c plain" 9)" "$(median iocp-1 "64 $c plain" 5)")" at-most 0.01
    done
    [[ " $conns " == *" 1000 "* ]] && goal "p99 : p50, 1 worker, 1000 conn" \
        "$(quotient "$(median iocp-1 "64 1000 plain" 8)" "$(median iocp-1 "64 1000 plain" 7)")" at-most 2
}
big_goals() {
    goal "CPU, 1 worker : raw io_uring, 16 KiB, 64 conn" "$(ratio iocp-1 uring "16384 64 plain")" at-most 1.06
    goal "CPU, 1 worker : libuv, 16 KiB, 64 conn" "$(ratio iocp-1 uv "16384 64 plain")" at-most 0.65
}
growth_goals() {
    local first=${growth_conns%% *} last=${growth_conns##* }
    grown() { quotient "$(median "$1" "64 $last spread" 5)" "$(median "$1" "64 $first spread" 5)"; }
    goal "CPU per message, $last connections : $first (raw epoll: $(grown epoll))" "$(grown iocp-1)" at-most 1.5
}

# -- the parts that are no echo --

files_part() {
    local file="$build/bench/reads.tmp" mib=${FILE_MIB:-256} ms out mode way line i
    ms=$(awk -v s="$each" 'BEGIN { printf "%d", s * 1000 }')
    "$build/bench/files" make "$file" "$mib" || { broken "files: making $mib MiB failed"; return; }
    "$build/bench/files" hot "$file" "$ms" "$rounds" >"$dir/files" 2>"$dir/errors" || broken "files hot failed"
    for ((i = 0; i < rounds; i++)); do
        "$build/bench/files" direct "$file" "$ms" 1 >>"$dir/files" 2>"$dir/errors"
        case $? in
        0) ;;
        3) echo "bench: no O_DIRECT below $build, so none is measured"; break ;;
        *) broken "files direct failed" ;;
        esac
        command -v fio >/dev/null || continue
        out=$(fio --name=reads --filename="$file" --rw=randread --bs=4k --iodepth=32 --direct=1 --ioengine=io_uring \
            --time_based --runtime="${ms}ms" --gtod_reduce=1 --norandommap --readonly --minimal --terse-version=3 2>"$dir/errors") ||
            { broken "fio failed"; continue; }
        awk -F';' '$8 > 0 { printf "mode=direct way=fio qd=32 rate=%d cpu=%.3f\n", $8, ($88 + $89) * 1e4 / $8 }' <<<"$out" >>"$dir/files"
    done
    echo
    echo "random reads of 4 KiB, $mib MiB on $(df --output=fstype "$file" | tail -n 1): $rounds rounds of $each s each, medians"
    printf '  %-42s %16s %9s\n' "" "us of CPU/read" "reads/s"
    while read -r mode way line; do
        printf '  %-42s %16s %9s\n' "$line" "$(read_median "$mode" "$way" cpu)" "$(read_median "$mode" "$way" rate)"
    done <<'ROWS'
hot pread:1 hot, 1 at a time: pread
hot readfile:1 hot, 1 at a time: ReadFile
hot port:1 hot, 1 at a time: port
hot skip:1 hot, 1 at a time: port, skip on success
hot port:32 hot, 32 at a time: port
hot ring:32 hot, 32 at a time: raw io_uring
direct port:32 O_DIRECT, 32 at a time: port
direct ring:32 O_DIRECT, 32 at a time: raw io_uring
direct fio:32 O_DIRECT, 32 at a time: fio, io_uring
ROWS
}
read_median() { # MODE WAY:QD FIELD
    sed -n "s/^mode=$1 way=${2%:*} qd=${2#*:} .*\b$3=\([0-9.]*\).*/\1/p" "$dir/files" | middle
}
files_goals() {
    goal "CPU, hot, 1 at a time, port : pread" "$(quotient "$(read_median hot port:1 cpu)" "$(read_median hot pread:1 cpu)")" at-most 1.6
    goal "rate, hot, 32 at a time, port : raw io_uring" \
        "$(quotient "$(read_median hot port:32 rate)" "$(read_median hot ring:32 rate)")" at-least 0.85
    goal "rate, O_DIRECT, 32 at a time, port : fio" \
        "$(quotient "$(read_median direct port:32 rate)" "$(read_median direct fio:32 rate)")" at-least 0.95
}

latency_part() {
    local engine
    echo
    echo "from the sender's write to a completion that is seen, microseconds"
    timeout 120 "$build/bench/latency" 200 unattended >"$dir/latency" 2>"$dir/errors" || broken "latency failed"
    sed 's/^/  /' "$dir/latency"
    echo "from the worker's WSASend (bare: write) to the answer at the peer, the worker computing 2 ms, microseconds"
    for engine in uring epoll; do
        if IOCP_ENGINE=$engine timeout 60 "$build/bench/latency" 200 answer >"$dir/answer" 2>"$dir/errors"; then
            sed "s/^way=/engine=$engine way=/" "$dir/answer" >>"$dir/answers"
        elif [ "$engine" = uring ]; then
            echo "  engine uring: $(head -n 1 "$dir/errors"), so not measured"
        else
            broken "latency, answers, with engine $engine failed"
        fi
    done
    sed 's/^/  /' "$dir/answers" 2>/dev/null
}
latency_goals() {
    local w e
    line() { sed -n "s/^way=$1 //p" "$dir/latency"; }
    for w in memory port-memory; do
        goal "nobody dequeues, memory polled ($w), median" "$(value "$(line $w)" p50)" at-most 15000 us
        goal "nobody dequeues, memory polled ($w), p99" "$(value "$(line $w)" p99)" at-most 25000 us
    done
    goal "sleeping on an event, median" "$(value "$(line event)" p50)" at-most 100 us
    goal "sleeping on an event, socket of a port, median" "$(value "$(line port-event)" p50)" at-most 100 us
    for e in uring epoll; do
        goal "answer of a worker that goes on computing, median, engine $e" \
            "$(value "$(sed -n "s/^engine=$e way=answer //p" "$dir/answers" 2>/dev/null)" p50)" at-most 50 us
    done
}

blocked_part() {
    echo
    echo "until a worker that blocks outside the library is noticed and another one runs, milliseconds"
    timeout 120 "$build/bench/blocked" 101 >"$dir/blocked" 2>"$dir/errors" || broken "blocked failed"
    sed 's/^/  /' "$dir/blocked"
}
blocked_goals() {
    local w
    for w in mutex nanosleep read poll page-fault vfork; do
        grep -q "^way=$w count=" "$dir/blocked" || continue
        goal "a worker blocks outside ($w), median" "$(value "$(sed -n "s/^way=$w //p" "$dir/blocked")" p50)" at-most 5 ms
    done
}

queue_part() {
    queue=$("$build/bench/queue" 2>"$dir/errors") || broken "queue failed"
    echo
    echo "the queue, nanoseconds per packet (median of 101 rounds)"
    printf '  post + get, one thread %s; 20000 posted, then taken %s; batches of 64 %s, the taking alone %s\n' \
        "$(value "$queue" post_get)" "$(value "$queue" backlog)" "$(value "$queue" batch)" "$(value "$queue" batch_get)"
    printf '  there and back between two threads %s, on bare futexes %s\n' \
        "$(value "$queue" ping_pong)" "$(value "$queue" futex_ping_pong)"
    pool=$("$build/bench/pool" 2>"$dir/errors") || broken "pool failed"
    echo "the thread pool, nanoseconds per item of work (median of 31 rounds), beside a plain pool of pthreads"
    printf '  %-44s %8s %8s\n' "many submitted at once" "$(value "$pool" items)" "$(value "$pool" plain_items)" \
        "each submits the next" "$(value "$pool" chain)" "$(value "$pool" plain_chain)" \
        "one, waited for" "$(value "$pool" one)" "$(value "$pool" plain_one)"
}
queue_goals() {
    goal "post + get on one thread" "$(value "$queue" post_get)" at-most 40 ns
    goal "ping-pong of two threads, port : bare futexes" \
        "$(quotient "$(value "$queue" ping_pong)" "$(value "$queue" futex_ping_pong)")" at-most 1.15
}

idle_part() {
    local count
    idle=$("$build/bench/idle" "${IDLE:-20000}" 2>"$dir/errors") || broken "idle failed"
    echo
    count=$(value "$idle" connections)
    [ "$count" = "$(value "$idle" wanted)" ] || count="$count (no descriptors for $(value "$idle" wanted))"
    echo "$count idle connections, a zero-byte WSARecv pending on each"
    echo "  user memory of each: $(value "$idle" private) bytes of private pages, of them $(value "$idle" malloc) from malloc"
}
idle_goals() { goal "user memory of an idle connection" "$(value "$idle" private)" at-most 512 B; }

# -- the run --

plan() {
    local c s
    if wants echo; then
        for c in $conns; do join "64 $c plain" iocp-1 iocp-2 uring epoll uv libevent asio-1 asio-2; done
        for c in $conns; do
            if [ "$c" = 1 ]; then join "64 1 plain" spin-1; else join "64 $c plain" skip-1; fi
        done
        for c in $wine_conns; do join "64 $c plain" iocp-1 iocp-2 wine-1 wine-2; done
    fi
    wants big && join "16384 64 plain" iocp-1 iocp-2 uring epoll uv libevent asio-1 asio-2
    wants scale && for c in 64 1000; do join "64 $c plain" iocp-1 iocp-2 iocp-4 iocp-8; done
    wants connect && join "64 64 once" iocp-1 iocp-2 epoll
    growth_conns=
    for c in $growth; do # no more connections than a process may have descriptors
        [ "$c" -le $(($(ulimit -n) - 100)) ] || c=$(($(ulimit -n) - 100))
        [[ " $growth_conns " == *" $c "* ]] || growth_conns="$growth_conns${growth_conns:+ }$c"
    done
    wants growth && for c in $growth_conns; do join "64 $c spread" iocp-1 uring epoll; done
    measurements=0
    for s in "${group[@]}"; do set -- $s; measurements=$((measurements + $# * rounds)); done
    [ -n "${TOTAL-}" ] && [ "$measurements" -gt 0 ] &&
        each=$(awk -v t="$TOTAL" -v n="$measurements" 'BEGIN { s = t / n; printf "%.2f", s < 0.2 ? 0.2 : s }')
    return 0
}

run_echo() {
    local i k s servers
    : >"$dir/echo"
    for ((i = 0; i < rounds; i++)); do
        for k in "${keys[@]}"; do
            servers=(${group[$k]})
            for ((s = 0; s < ${#servers[@]}; s++)); do # each round another one begins
                measure "${servers[(s + i) % ${#servers[@]}]}" $k
            done
        done
    done
}

show_echo() {
    local list c
    if wants echo; then
        mapfile -t list < <(keys_of 64 plain $conns)
        for c in $wine_conns; do [[ " $conns " == *" $c "* ]] || list+=("64 $c plain"); done
        table "echo of 64 bytes, one message in flight per connection" message "$everyone" "${list[@]}"
        echo "  of this, with 1 worker, the thread that looks after what nobody dequeues: CPU, us per message (runs/s)"
        printf '  %-36s' ""
        for c in "${list[@]}"; do printf ' %s (%s)' "$(median iocp-1 "$c" 9)" "$(median iocp-1 "$c" 10)"; done
        printf '\n'
    fi
    wants big && table "echo of 16 KiB, buffers of 16 KiB" message "$everyone" "16384 64 plain"
    wants scale && table "more workers than the $(nproc) CPUs, 64 bytes" message "iocp-1 iocp-2 iocp-4 iocp-8" "64 64 plain" "64 1000 plain"
    if wants growth; then
        mapfile -t list < <(keys_of 64 spread $growth_conns)
        table "growth: 64 bytes, clients from $spread addresses, at most $(ulimit -n) descriptors" message "$everyone" "${list[@]}"
    fi
    wants connect && table "connect, 64 bytes there and back, close; 64 at a time" connection "$everyone" "64 64 once"
    return 0
}

scale_goals() {
    local c
    for c in 64 1000; do
        goal "rate, 8 workers : 2 workers, $c conn" "$(ratio iocp-8 iocp-2 "64 $c plain" 6)" at-least 0.85
    done
}

run_all() {
    local part
    echo "$(nproc) CPUs ($(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)), Linux $(uname -r), engine ${IOCP_ENGINE:-auto}, $(date -u +%Y-%m-%d)"
    [ -n "$absent" ] && echo "not built, so not measured:$absent"
    [ "$measurements" -gt 0 ] && echo "$measurements echo measurements of $each s: about $(awk -v n="$measurements" -v e="$each" 'BEGIN { printf "%d", n * (e + 0.3) / 60 + 1 }') minutes"
    for part in queue latency blocked; do wants $part && ${part}_part; done
    if [ "$measurements" -gt 0 ]; then
        run_echo
        show_echo
    fi
    for part in files idle; do wants $part && ${part}_part; done
    echo
    echo "wanted"
    for part in echo big scale growth queue files latency blocked idle; do wants $part && ${part}_goals; done
    echo "$reached reached, $missed missed"
}

# Puts the output between the marks of the file.
record() {
    grep -q 'figures: begin' "$1" && grep -q 'figures: end' "$1" || { echo "bench: no marks in $1"; return 1; }
    awk -v from="$dir/output" '
        /figures: end/ { while ((getline line < from) > 0) { if (!n++) print "```"; print line } if (n) print "```"; skip = 0 }
        !skip { print }
        /figures: begin/ { skip = 1 }' "$1" >"$dir/record" && cat "$dir/record" >"$1"
}

ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -Hn)" 2>/dev/null # 65536: for those who may raise the hard limit
if wants echo && [ -n "$wine_conns" ]; then start_wine; fi
plan
run_all > >(tee "$dir/output")
wait $! 2>/dev/null # tee
if [ -n "${RECORD-}" ]; then record "$RECORD" || failed=1; fi
exit "$failed"
