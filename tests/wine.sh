#!/bin/bash
# SPDX-License-Identifier: MIT
# Builds the conformance programs with mingw and runs them under Wine: tests/wine.sh [BUILD_DIR] (default
# build/wine). The same sources as on Linux, against somebody else's Windows. What Wine is known to get
# wrong by Microsoft's page is listed as todo, not counted. Last line "N passed, N failed, N skipped".
# ONLY=pattern runs less; WINEPREFIX is made in the build directory unless set.
cd "$(dirname "$0")/.." || exit 1
. tests/common.sh

build=${1:-build/wine}
cc=${MINGW_CC:-x86_64-w64-mingw32-gcc}
limit=${LIMIT:-300}
mkdir -p "$build/results/wine" || exit 1
build=$(cd "$build" && pwd)
results=$build/results/wine
rm -f "$results"/*

compile() {
    local source=tests/conform/$1.c exe=$build/$1.exe
    [ -z "$(find "$source" tests/conform/*.h -newer "$exe" 2>&1)" ] && return 0
    if ! $cc -std=gnu11 -O1 -Wall -Wextra -Wno-unknown-pragmas -D_WIN32_WINNT=0x0A00 -o "$exe" "$source" \
        -lws2_32 -lmswsock -liphlpapi -lsynchronization -lwinmm >"$build/$1.log" 2>&1; then
        cat "$build/$1.log"
        rm -f "$exe"
        { echo "the compiler says:"; head -n 20 "$build/$1.log"; echo "FAIL $1 # does not compile with mingw"; } >"$results/$1.txt"
        return 0
    fi
    cat "$build/$1.log"
}

one() { [ ! -f "$build/$1.exe" ] || run_program "$results/$1.txt" "$limit" wine "$build/$1.exe"; }

names=()
for source in tests/conform/*.c; do
    name=${source##*/}
    name=${name%.c}
    [[ $name == ${ONLY:-*} ]] && names+=("$name")
done
export -f compile one run_program settle
export build results limit cc
export WINEDEBUG=${WINEDEBUG:--all}
if [ -z "$WINEPREFIX" ]; then
    export WINEPREFIX=$build/prefix
fi
mkdir -p "$WINEPREFIX"

printf '%s\n' "${names[@]}" | xargs -r -P "${JOBS:-2}" -n 1 bash -c 'compile "$@"' compile
wineserver -p 2>/dev/null # stays, so that each program need not start it
wine cmd /c exit >/dev/null 2>&1
printf '%s\n' "${names[@]}" | xargs -r -P "${JOBS:-2}" -n 1 bash -c 'one "$@"' one
[ -n "$KEEP_WINESERVER" ] || wineserver -k
summary "$results"/*.txt
