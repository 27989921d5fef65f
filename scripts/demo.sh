#!/bin/bash
# SPDX-License-Identifier: MIT
# demo.sh BUILD: the main job on real input. Starts the echo server, drives it over TCP with every byte
# verified, stops it with Ctrl+C's signal and looks at its ledger; then compares the five models.
# DEMO_CONNS, DEMO_SECONDS and DEMO_THREADS change the load. Fails if a single byte or completion is wrong.
set -u

build=$(cd "${1:-build}" && pwd) || exit 1
conns=${DEMO_CONNS:-500}
seconds=${DEMO_SECONDS:-15}
threads=${DEMO_THREADS:-$((2 * $(nproc)))}
dir=$(mktemp -d) || exit 1
server=
failed=0

cleanup() {
    [ -n "$server" ] && kill -KILL "$server" 2>/dev/null
    rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

fail() { echo "demo: $*" >&2; failed=1; }

# Half a thousand sockets and their files are more than some shells allow by default.
ulimit -n "$(ulimit -Hn)" 2>/dev/null

echo "== the echo server: a Windows AcceptEx server, compiled here as it is"
"$build/examples/echo_server" --port 0 --threads "$threads" >"$dir/server" 2>&1 &
server=$!
port=
for _ in $(seq 100); do
    port=$(sed -n 's/^listening on port \([0-9]*\),.*/\1/p' "$dir/server")
    [ -n "$port" ] && break
    kill -0 "$server" 2>/dev/null || break
    sleep 0.05
done
if [ -z "$port" ]; then
    cat "$dir/server"
    fail "the server did not come up"
    exit 1
fi
cat "$dir/server"
"$build/tools/load" --port "$port" --conns "$conns" --seconds "$seconds" --pid "$server" || fail "the load client found errors"

kill -INT "$server"
for _ in $(seq 200); do
    kill -0 "$server" 2>/dev/null || break
    sleep 0.05
done
if kill -0 "$server" 2>/dev/null; then
    fail "the server does not end after Ctrl+C"
    kill -KILL "$server"
fi
wait "$server" || fail "the server ended with code $?"
server=
sed 1d "$dir/server"
grep -q '^ledger: operations started \([0-9]*\) = completions delivered \1$' "$dir/server" || fail "the ledger is not balanced"

echo
echo "== six ways of doing I/O, each a program of its own"
cd "$dir" || exit 1
for example in 01-synchronous 02-overlapped-handle 03-overlapped-events 04-apc 05-completion-port 06-thread-pool; do
    echo "$example"
    timeout 20 "$build/examples/$example" >out 2>&1 || fail "$example ended with code $?"
    sed 's/^/    /' out
done

echo
echo "== a named pipe"
timeout 20 "$build/examples/pipe_server" || fail "pipe_server ended with code $?"

echo
echo "== the same, compared on one file and the same sockets (engine: ${IOCP_ENGINE:-auto})"
timeout 60 "$build/examples/compare" || fail "compare ended with code $?"

[ "$failed" = 0 ] && echo && echo "demo: all right"
exit "$failed"
