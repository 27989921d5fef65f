# SPDX-License-Identifier: MIT
# nng, nanomsg's successor: on Windows a port served by several threads, AcceptEx, ConnectEx, UDP, overlapped named
# pipes. Built as its CMakeLists.txt builds nng_testing for Windows: everything but TLS, ZeroTier and the tools.
# Its tests are of two kinds: one beside each part (src/**/*_test.c) and older ones in tests/.
# shellcheck shell=bash disable=SC2154
fetch nng || return 1
flags=(-DNNG_PLATFORM_WINDOWS -D_WIN32_WINNT=0x0600 -DNNG_HAVE_CONDVAR=1 -DNNG_HAVE_SNPRINTF=1 -D_CRT_SECURE_NO_WARNINGS
    -DNNG_PRIVATE -DNNG_STATIC_LIB -DNNG_TEST_LIB -DNNG_ENABLE_STATS -DNNG_RESOLV_CONCURRENCY=4 -DNNG_SUPP_HTTP -DNNG_SUPP_WEBSOCKET
    -DNNG_TRANSPORT_{TCP,INPROC,IPC,WS}
    -DNNG_HAVE_{PAIR0,PAIR1,PUB0,SUB0,REQ0,REP0,BUS0,SURVEYOR0,RESPONDENT0,PUSH0,PULL0}
    -fshort-wchar -Werror=implicit-function-declaration -U__linux__ -U__linux -Ulinux -U__unix__ -U__unix -Uunix
    -I"$top/scripts/foreign/nng" -include absent.h
    -I"$source/include" -I"$source/src" -I"$source/tests" -I"$source/src/testing" -I"$source/src/compat")

(cd "$source" && find src -name '*.c' ! -name '*_test.c' | grep -vE '/(posix|mbedtls|wolfssl|zerotier|tools)/|websocket/stub' | sort) |
    compile library "${flags[@]}"
archive=$work/$project/libnng.a
rm -f "$archive"
ar rcs "$archive" "$work/$project"/library/*.o

# Those that are built: the older ones by name from their CMakeLists.txt, less what needs TLS, ZeroTier or C++.
{
    (cd "$source" && find src -name '*_test.c' | grep -vE '/(tls|zerotier)/' | sort)
    sed -n 's/^ *add_nng_\(compat_\)\{0,1\}test[0-9]* *(\([a-z0-9_]*\).*/tests\/\2.c/p' "$source/tests/CMakeLists.txt"
} | grep -vE '/(tls|wss|zt|)\.c' >"$work/$project/list"
{ cat "$work/$project/list"; echo tests/convey.c; echo tests/compat_testutil.c; } | compile tests "${flags[@]}"
helpers=$work/$project/libhelpers.a # the older tests' two ways of checking: a test takes the one it needs
rm -f "$helpers"
ar rcs "$helpers" "$work/$project"/tests/tests.{convey,compat_testutil}.c.o
mkdir -p "$work/$project/run"
cd "$work/$project/run" || return 1
while read -r test; do
    name=${test##*/}
    name=${name%.c}
    object=$work/$project/tests/${test//\//.}.o
    program=$work/$project/test-$name
    if [ -e "$object" ] && ${CC:-cc} -o "$program" "$object" "$helpers" "$archive" -pthread "${libs[@]}" \
        2>"$program.log"; then
        rm -rf "$work/$project/run/"*
        TMPDIR=$PWD run "$name" 60 "$program"
    else
        verdict "$name" unbuilt "$(grep -hm 1 -E 'error|undefined' "$object.log" "$program.log" 2>/dev/null |
            sed 's/.*: //' | head -n 1)"
    fi
done <"$work/$project/list"
cd "$top" || return 1
