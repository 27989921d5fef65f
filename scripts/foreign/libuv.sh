# SPDX-License-Identifier: MIT
# libuv: its Windows side is one loop on one port: AcceptEx, ConnectEx, WSARecv, WSASend, AFD polls, overlapped named
# pipes, ReadDirectoryChangesW, child processes, and a pool of threads for files. The sources, definitions and tests
# are those of its CMakeLists.txt for Windows. Their test runner starts a test and its helper processes by
# CreateProcess; each test is run by itself in an empty directory.
#
# -fshort-wchar: L"" has 16 bits. The compiler's own names for Linux and Unix are taken away, so that the tests choose
# their Windows code; mingw's are given. What Windows has and this library has not is libuv/absent.h and absent.c.
# shellcheck shell=bash disable=SC2154
fetch libuv1 || return 1
here=$top/scripts/foreign/libuv
sdk=$work/$project/sdk
rm -rf "$sdk"
mkdir -p "$sdk"
# Headers of other parts of Windows, which libuv includes by name.
for header in aclapi accctrl winperf tlhelp32 psapi userenv shellapi; do
    echo '#include "absent.h"' >"$sdk/$header.h"
done
flags=(-fshort-wchar -fno-strict-aliasing -Werror=implicit-function-declaration
    -D_WIN64 -D__MINGW32__ -D__MINGW64_VERSION_MAJOR=10 -DWIN32_LEAN_AND_MEAN -D_WIN32_WINNT=0x0602
    -U__linux__ -U__linux -Ulinux -U__unix__ -U__unix -Uunix
    -I"$sdk" -I"$here" -include absent.h -I"$source/include" -I"$source/src")

# A path that begins with / gets the drive of the current directory, and Linux has none.
change src/win/process.c 's/cwd_len = 2;/cwd_len = 0;/' 'paths without a drive letter'

sources() { sed -n "$1" "$source/CMakeLists.txt" | grep -oE '(src|test)/[a-z0-9_/-]*\.c'; }
{ sources '/^set(uv_sources/,/)/p'; sources '/^if(WIN32)/,/winsock\.c)/p'; } | sort -u | compile library "${flags[@]}"
{ echo src/win/snprintf.c; echo test/runner-win.c; sources '/test\/blackhole-server.c/,/)/p' | grep -v benchmark; } |
    sort -u | compile tests "${flags[@]}"
archive=$work/$project/libuv.a
rm -f "$archive"
ar rcs "$archive" "$work/$project"/library/*.o
program=$work/$project/run-tests.exe # uv_spawn looks for files that are called so
if ! ${CC:-cc} "${cflags[@]}" "${flags[@]}" -o "$program" "$here/absent.c" "$work/$project"/tests/*.o \
    "$archive" "${libs[@]}" -lm 2>"$program.log"; then
    grep -E 'error|undefined' "$program.log" | head -n 20
    echo "foreign: libuv's tests do not link" >&2
    return 1
fi

skipped=7
export SystemDrive=C: # which Windows always has
mkdir -p "$work/$project/run"
cd "$work/$project/run" || return 1
"$program" --list | sed 's/ .*//' >"$work/$project/list"
while read -r test; do
    rm -rf "$work/$project/run/"*
    mkdir test
    cp -r "$source/test/fixtures" test/
    TMPDIR=$work/$project/run run "$test" 40 "$program" "$test"
done <"$work/$project/list"
cd "$top" || return 1
