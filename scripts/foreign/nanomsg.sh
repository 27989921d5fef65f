# SPDX-License-Identifier: MIT
# nanomsg: its Windows side is a completion port per worker, AcceptEx, ConnectEx, named pipes. Built as its own
# CMakeLists.txt builds it for Windows with NN_STATIC_LIB; the tests and their times are read from there.
# shellcheck shell=bash disable=SC2154
fetch nanomsg || return 1
flags=(-DNN_HAVE_WINDOWS -DNN_HAVE_WINSOCK -DNN_USE_WINSOCK -DNN_HAVE_CONDVAR=1 -D_WIN32_WINNT=0x0600
    -D_CRT_SECURE_NO_WARNINGS -DNN_HAVE_GCC_ATOMIC_BUILTINS -DNN_MAX_SOCKETS=512 -DNN_STATIC_LIB)

# The files that are of use on Windows: all but the poller, which the list there adds for Unix.
sed -n '/^set (NN_SOURCES/,/^)/s/^ *\([a-z0-9_\/]*\.c\)$/src\/\1/p' "$source/src/CMakeLists.txt" |
    compile library "${flags[@]}"
rm -f "$work/$project/libnanomsg.a"
ar rcs "$work/$project/libnanomsg.a" "$work/$project"/library/*.o

port=12100
while read -r test limit; do
    program=$work/$project/test-$test
    if ${CC:-cc} "${cflags[@]}" "${flags[@]}" "$source/tests/$test.c" -o "$program" "$work/$project/libnanomsg.a" \
        "${libs[@]}" 2>"$program.log"; then
        run "$test" $((limit * 2)) "$program" $port
    else
        verdict "$test" unbuilt "$(grep -m 1 error "$program.log" | sed 's/.*error: //')"
    fi
    port=$((port + 10))
done < <(sed -n 's/^ *add_libnanomsg_test (\([a-z0-9_]*\) \([0-9]*\)).*/\1 \2/p' "$source/CMakeLists.txt")
