#!/bin/bash
# SPDX-License-Identifier: MIT
# wine-examples.sh BUILD: the examples are Windows programs: compiled with mingw without a warning, they run
# under Wine too, the echo server with our load client against it. Ends with
# "N passed, N failed, N skipped".
set -u
cd "$(dirname "$0")/.." || exit 1
build=$(cd "${1:-build}" && pwd) || exit 1
cc=${MINGW_CC:-x86_64-w64-mingw32-gcc}
export WINEDEBUG=${WINEDEBUG:--all} WINEPREFIX=${WINEPREFIX:-$build/wine/prefix}
dir=$(mktemp -d) || exit 1
passed=0
failed=0
server=
trap '[ -n "$server" ] && kill -KILL "$server" 2>/dev/null; [ -n "${KEEP_WINESERVER-}" ] || wineserver -k 2>/dev/null; rm -rf "$dir"' EXIT

verdict() { # NAME CODE
    if [ "$2" = 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL wine-examples: $1 (code $2)"
        tail -n 15 "$dir/log" | sed 's/^/    /'
    fi
}

for source in examples/*.c; do
    name=$(basename "$source" .c)
    $cc -std=gnu11 -O1 -Wall -Wextra -Werror -D_WIN32_WINNT=0x0A00 "$source" -o "$dir/$name.exe" -lws2_32 -lmswsock >"$dir/log" 2>&1
    verdict "$name compiles with mingw" $?
done

mkdir -p "$WINEPREFIX"
wineserver -p 2>/dev/null # stays, so that each program need not start it
wine cmd /c exit >/dev/null 2>&1
cd "$dir" || exit 1
for name in 01-synchronous 02-overlapped-handle 03-overlapped-events 04-apc 05-completion-port 06-thread-pool pipe_server; do
    timeout 60 wine "$dir/$name.exe" >"$dir/log" 2>&1
    verdict "$name runs" $?
done

timeout 60 wine "$dir/one_port.exe" --port 0 --watch "Z:$(echo "$dir" | tr / '\\')" --tick 100 --ticks 5 >"$dir/log" 2>&1 &&
    tr -d '\r' <"$dir/log" | grep -q '^ledger: operations started \([0-9]*\) = completions delivered \1$'
verdict "one_port serves a socket, a pipe, a directory and a timer" $?

wine "$dir/echo_server.exe" --port 0 --threads 2 --seconds 12 >"$dir/server" 2>&1 &
server=$!
port=
for _ in $(seq 200); do
    port=$(sed -n 's/^listening on port \([0-9]*\),.*/\1/p' "$dir/server")
    [ -n "$port" ] && break
    sleep 0.05
done
"$build/tools/load" --port "${port:-1}" --conns 20 --seconds 3 >"$dir/log" 2>&1
verdict "echo_server echoes right" $?
timeout 30 tail --pid="$server" -f /dev/null
tr -d '\r' <"$dir/server" >"$dir/log"
grep -q '^ledger: operations started \([0-9]*\) = completions delivered \1$' "$dir/log"
verdict "echo_server balances its ledger" $?
server=

echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
