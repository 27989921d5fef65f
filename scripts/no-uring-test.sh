#!/bin/bash
# SPDX-License-Identifier: MIT
# no-uring-test.sh BUILD: a machine that refuses io_uring, with EPERM and with ENOSYS. The library must
# choose its threads by itself there and do everything; asked for the ring, it must say what is wrong.
# Ends with "N passed, N failed, N skipped".
set -u
cd "$(dirname "$0")/.." || exit 1
build=$(cd "${1:-build}" && pwd) || exit 1
passed=0
failed=0
skipped=0
dir=$(mktemp -d) || exit 1
log=$dir/log
trap 'rm -rf "$dir"' EXIT

verdict() { # NAME CODE
    if [ "$2" = 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL no-uring: $1 (code $2)"
        tail -n 15 "$log" | sed 's/^/    /'
    fi
}

for error in EPERM ENOSYS; do
    export IOCP_ENGINE=auto
    DEMO_SECONDS=3 DEMO_CONNS=200 "$build/tools/no_uring" $error scripts/demo.sh "$build" >"$log" 2>&1
    verdict "demo, auto, $error" $?

    # No ring, so no descriptor of one, in any process of the examples.
    (cd "$dir" && timeout 30 strace -f -qq -e trace=io_uring_setup -o "$dir/trace" \
        "$build/tools/no_uring" $error "$build/examples/05-completion-port" >"$log" 2>&1)
    if command -v strace >/dev/null 2>&1; then
        grep -q '= [0-9]' "$dir/trace"
        [ $? = 1 ]
        verdict "auto makes no ring, $error" $?
    else
        skipped=$((skipped + 1))
    fi

    (cd "$dir" && IOCP_ENGINE=uring timeout 30 "$build/tools/no_uring" $error "$build/examples/05-completion-port" >"$log" 2>&1)
    code=$?
    [ $code != 0 ] && [ $code != 124 ] && [ $code -lt 128 ] && grep -qi "$error\|not permitted\|not implemented\|io_uring" "$log"
    verdict "uring asked for: a failure that names its reason, $error" $?
done
# What is chosen, as the library says it; and a shortage is told apart from a refusal.
for error in EPERM ENOSYS ENOMEM; do
    IOCP_ENGINE=auto timeout 30 "$build/tools/no_uring" $error "$build/tests/fuzz/handles" --count 1 >"$log" 2>&1 &&
        grep -q "engine epoll" "$log"
    verdict "auto chooses threads, $error" $?

    IOCP_ENGINE=uring timeout 30 "$build/tools/no_uring" $error "$build/tests/fuzz/handles" --count 1 >"$log" 2>&1
    word=refused
    [ $error = ENOMEM ] && word="short of resources"
    grep -q "engine none" "$log" && grep -q "IOCP_ENGINE=uring, but io_uring_setup is $word.*($error)" "$log"
    verdict "uring fails by name, $error" $?
done
# Where there is a ring: made disabled, restricted, then enabled; no kernel thread that polls.
if command -v strace >/dev/null 2>&1 && "$build/tests/unit/probe_ring" >/dev/null 2>&1; then
    IOCP_ENGINE=uring timeout 30 strace -f -qq -e trace=io_uring_setup,io_uring_register -o "$dir/trace" \
        "$build/tests/fuzz/handles" --count 1 >"$log" 2>&1
    order=$(grep -oE 'SETUP_R_DISABLED|REGISTER_RESTRICTIONS|REGISTER_ENABLE_RINGS|SETUP_SQPOLL' "$dir/trace" | tr '\n' ' ')
    [ "$order" = "SETUP_R_DISABLED REGISTER_RESTRICTIONS REGISTER_ENABLE_RINGS " ]
    verdict "made disabled, restricted, enabled: $order" $?
else
    skipped=$((skipped + 1))
fi
if [ -x tests/run.sh ]; then
    for error in EPERM ENOSYS; do
        IOCP_ENGINE=auto "$build/tools/no_uring" $error tests/run.sh "$build" >"$log" 2>&1
        code=$?
        set -- $(tail -n 1 "$log" | sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p')
        echo "suite under $error: ${1:-no} passed, ${2:-no} failed, ${3:-no} skipped"
        passed=$((passed + ${1:-0}))
        skipped=$((skipped + ${3:-0}))
        if [ "${2:-1}" != 0 ] || [ $code != 0 ]; then
            failed=$((failed + (${2:-0} > 0 ? ${2:-0} : 1)))
            grep -E 'FAIL|not ok' "$log" | head -n 20
        fi
    done
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
