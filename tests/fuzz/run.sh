#!/bin/bash
# SPDX-License-Identifier: MIT
# tests/fuzz/run.sh BUILD: COUNT (10 million) random calls in each engine, from SEED (the clock's, which is
# printed): see handles.c. What each entry point was called and answered lies in BUILD/results/fuzz/ENGINE.txt; shown is the sum.
# ENGINES="uring epoll" runs less.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${1:?usage: tests/fuzz/run.sh BUILD}
count=${COUNT:-10000000}
seed=${SEED:-$(date +%s)}
results=$build/results/fuzz
failed=0
mkdir -p "$results"
tests/fuzz/names.sh "$build" || failed=1
for engine in ${ENGINES:-uring epoll}; do
    out=$results/$engine.txt
    if [ "$engine" = uring ] && ! why=$("$build/tests/unit/probe_ring" 2>&1); then
        echo "uring is left out: $why"
        continue
    fi
    begun=$SECONDS
    IOCP_ENGINE=$engine "$build/tests/fuzz/handles" --count "$count" --seed "$seed" --table >"$out" 2>&1
    rc=$?
    [ $rc = 0 ] || { echo "FAILED with $rc in engine $engine: $out"; failed=1; }
    grep -v ' calls, ' "$out"
    awk -v seconds=$((SECONDS - begun)) '/ calls, / {
            n++; calls += $2; errors += $4
            if (!least || $2 < least) { least = $2; which = $1 }
            for (i = 6; i <= NF; i++) if (!seen[$i]++) codes++
        }
        END {
            printf "%d calls of %d entries (fewest: %s, %d), %d failed, ", calls, n, which, least, errors
            printf "%d error codes, each of them documented; %d s\n", codes, seconds
        }' "$out"
done
exit $failed
