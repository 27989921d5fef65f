#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs every test program of a build in every engine mode: tests/run.sh BUILD_DIR [MODE...], where MODE is
# uring, epoll or auto. Conformance, unit, fault and simulation tests run in uring and epoll, a few of the
# first in auto too; stress programs and fuzzers run short. Raw output: BUILD_DIR/results/MODE/PROGRAM.txt. Two
# programs run at a time. The last line is "N passed, N failed, N skipped".
# ONLY=pattern (shell, on the program's name) runs less; LIMIT=seconds is the time one program gets.
cd "$(dirname "$0")/.." || exit 1
. tests/common.sh

build=${1:?usage: tests/run.sh BUILD_DIR [uring] [epoll] [auto]}
shift
modes=("$@")
[ $# = 0 ] && modes=(uring epoll auto)
limit=${LIMIT:-300}
results=$build/results
auto_programs=" port ovl file_read sock_overlapped accept apc "

# The programs of a mode, as "KIND NAME" lines.
programs() {
    local mode=$1 kind path name
    for kind in conform unit fault sim stress fuzz; do
        for path in "$build/tests/$kind"/*; do
            name=${path##*/}
            [ -f "$path" ] && [ -x "$path" ] || continue
            [[ $name == ${ONLY:-*} ]] || continue
            [ "$mode" = auto ] && [[ $auto_programs != *" $name "* ]] && continue
            echo "$mode $kind $name"
        done
    done
}

one() {
    local mode=$1 kind=$2 name=$3 out=$results/$1/$3.txt args=()
    [ "$kind" = conform ] || out=$results/$mode/$kind-$name.txt
    [[ $kind == stress || $kind == fuzz ]] && args=(--short)
    IOCP_ENGINE=$mode run_program "$out" "$limit" "$build/tests/$kind/$name" "${args[@]}"
}

ring=yes
probe=$build/tests/unit/probe_ring
if [ -x "$probe" ] && ! why=$("$probe" 2>&1); then
    ring=no
fi
rm -rf "$results"
mkdir -p "$results"
for mode in "${modes[@]}"; do
    if [ "$mode" = uring ] && [ $ring = no ]; then
        mkdir -p "$results/uring"
        echo "skip uring # ${why:-the ring is refused here}" >"$results/uring/mode.txt"
        continue
    fi
    programs "$mode"
done >"$results/list"
# Some tests have many hundreds of descriptors.
if [ "$(ulimit -n)" != unlimited ] && [ "$(ulimit -n)" -lt 4096 ]; then
    ulimit -n 4096 2>/dev/null || ulimit -S -n "$(ulimit -H -n)"
    [ "$(ulimit -n)" -ge 1024 ] || echo "only $(ulimit -n) descriptors: tests that need more will fail" >&2
fi
# Pipes, shared names and files of this run are its own: another build of the library may be at work on this
# machine, and runs that were killed have left theirs.
XDG_RUNTIME_DIR=$(mktemp -d /tmp/iocp-run-XXXXXX) || exit 1
trap 'rm -rf "$XDG_RUNTIME_DIR"' EXIT
TMPDIR=$XDG_RUNTIME_DIR/tmp
mkdir "$TMPDIR" || exit 1
export XDG_RUNTIME_DIR TMPDIR
export -f one run_program settle
export build results limit
# Under TSan a process with threads would sleep for a second before its end, and some tests have hundreds of them.
export TSAN_OPTIONS=atexit_sleep_ms=0${TSAN_OPTIONS:+:$TSAN_OPTIONS}
xargs -r -P "${JOBS:-2}" -n 3 bash -c 'one "$@"' one <"$results/list"
# Is anything missing in the fuzzer's table?
if [ -z "${ONLY-}" ] && [ -x "$build/tests/fuzz/handles" ]; then
    mkdir -p "$results/fuzz"
    run_program "$results/fuzz/names.txt" "$limit" tests/fuzz/names.sh "$build"
fi
if [ ! -s "$results/list" ]; then
    echo "no test programs in $build"
    exit 1
fi
summary "$results"/*/*.txt
