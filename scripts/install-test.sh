#!/bin/bash
# SPDX-License-Identifier: MIT
# install-test.sh BUILD: installs into a fresh prefix and uses it as a stranger would: with pkg-config
# (shared and static), with the iocp-win32 flags, and with CMake's find_package. Ends with
# "N passed, N failed, N skipped".
set -u
cd "$(dirname "$0")/.." || exit 1
build=${1:-build}
root=$PWD
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
prefix=$dir/prefix
cc=${CC:-cc}
passed=0
failed=0

# try NAME COMMAND...: one check; shows what the command said if it fails.
try() {
    local name=$1
    shift
    if "$@" >"$dir/log" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL install: $name"
        tail -n 20 "$dir/log" | sed 's/^/    /'
    fi
}

# What is hidden by a slip is found by no program that asks GetProcAddress.
hidden() {
    nm -g --defined-only "$1" | awk '{ print $NF }' | sort -u >"$dir/symbols"
    sed -n 's/^EXPORT(\([A-Za-z0-9_]*\),.*/iocp_\1/p' src/api/exports.h | sort -u | comm -23 - "$dir/symbols" | grep . && return 1
    return 0
}
try "cmake --install" cmake --install "$build" --prefix "$prefix"
try "every name is a symbol of the shared library" hidden "$prefix/lib/libiocp.so"
try "every name is a symbol of the static library" hidden "$prefix/lib/libiocp.a"
# A packager's ways: a staging directory, and the libraries one level further down.
staged() { DESTDIR=$dir/stage cmake --install "$build" --prefix /opt/iocp && diff <(cd "$prefix" && find . | sort) <(cd "$dir/stage/opt/iocp" && find . | sort) && [ "$(ls "$dir/stage")" = opt ]; }
try "DESTDIR" staged
deeper() {
    local libs=$dir/deep/lib/tuple
    cmake -S . -B "$dir/deeper" -DIOCP_PROGRAMS=OFF -DCMAKE_INSTALL_LIBDIR=lib/tuple && mkdir -p "$libs/pkgconfig" "$libs/iocp" "$dir/deep/bin" &&
        cp "$dir/deeper/iocp.pc" "$libs/pkgconfig" && cp "$dir/deeper/iocp-verify" "$dir/deep/bin" && cp "$prefix/lib/iocp/libiocp-verify.so" "$libs/iocp" &&
        [ "$(realpath "$(PKG_CONFIG_PATH=$libs/pkgconfig pkg-config --variable=libdir iocp)")" = "$(realpath "$libs")" ] &&
        [ "$(realpath -m "$(PKG_CONFIG_PATH=$libs/pkgconfig pkg-config --variable=includedir iocp)")" = "$(realpath -m "$dir/deep/include")" ] &&
        "$dir/deep/bin/iocp-verify" true
}
try "CMAKE_INSTALL_LIBDIR=lib/tuple" deeper
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
flags=$(pkg-config --cflags --libs iocp)
static_flags="$(pkg-config --cflags iocp) -Wl,-Bstatic -L$prefix/lib -liocp -Wl,-Bdynamic $(pkg-config --libs-only-l --static iocp | sed 's/-liocp//')"

for file in include/iocp.h include/iocp/windows.h include/iocp/winsock2.h lib/libiocp.a lib/libiocp.so \
    lib/pkgconfig/iocp.pc lib/pkgconfig/iocp-win32.pc lib/cmake/iocp/iocpConfig.cmake; do
    try "$file is there" test -f "$prefix/$file"
done
for page in man3/CreateIoCompletionPort man3/GetQueuedCompletionStatusEx man3/CreateFileW man3/AcceptEx; do
    try "share/man/$page is there" test -e "$prefix/share/man/$page.3iocp"
done
for section in NAME SYNOPSIS DESCRIPTION ERRORS "DIFFERENCES FROM WINDOWS" "SEE ALSO"; do
    try "every manual page has $section" sh -c "! grep -L '^\.SH $section\$' $prefix/share/man/man3/*.3iocp | grep ."
done
try "include/ holds iocp.h and iocp/ alone" sh -c "[ \"\$(ls $prefix/include | tr '\n' ' ')\" = 'iocp iocp.h ' ]"
foreign() { nm -D --defined-only "$prefix/lib/libiocp.so" | awk '$2 != "A" && $3 !~ /^iocp_/' | grep . && return 1 || return 0; }
try "libiocp.so exports iocp_ names only" foreign
foreign_static() { nm -g --defined-only "$prefix/lib/libiocp.a" | awk 'NF == 3 && $3 !~ /^iocp_/' | grep . && return 1 || return 0; }
try "libiocp.a defines iocp_ names only" foreign_static
stays() { readelf -d "$prefix/lib/libiocp.so" | grep -q NODELETE; }
try "libiocp.so stays loaded (nodelete)" stays

for source in examples/05-completion-port.c examples/04-apc.c; do
    name=$(basename "$source" .c)
    try "$name: cc with pkg-config" $cc -Wall -Wextra -Werror "$source" $flags -o "$dir/$name"
    try "$name: runs, shared" sh -c "cd $dir && timeout 30 ./$name"
    try "$name: cc, static" $cc "$source" $static_flags -o "$dir/$name-static"
    try "$name: runs, static" sh -c "cd $dir && timeout 30 ./$name-static"
    try "$name: iocp-win32 flags" $cc -Wall -Wextra "$source" $(pkg-config --cflags --libs iocp-win32) -o "$dir/$name-win32"
    try "$name: runs, win32 flags" sh -c "cd $dir && timeout 30 ./$name-win32"
    # WCHAR is 16 bits wide either way; these flags make L"" of that kind too.
    try "$name: -fshort-wchar" $cc -fshort-wchar "$source" $flags -o "$dir/$name-short"
done

# As C99 and as strict as compilers are, and as C++: not a word of a warning from the headers.
cat >"$dir/strict.c" <<'END'
#include <winsock2.h>
#include <mswsock.h>
#include <windows.h>
int main(void) { HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0); return port && CloseHandle(port) ? 0 : 1; }
END
for std in c99 gnu99 gnu11 gnu2x; do
    try "headers as -std=$std" sh -c "$cc -std=$std -Wall -Wextra -Wpedantic -Werror $dir/strict.c $flags -o $dir/strict && $dir/strict"
done
try "-O3 -flto, static" sh -c "$cc -O3 -flto $dir/strict.c $static_flags -o $dir/strict && $dir/strict"

# The program that the README shows.
awk '/^```c$/ { on = 1; next } /^```$/ { on = 0 } on' README.md >"$dir/readme.c"
try "README's program: cc with pkg-config" $cc -Wall -Wextra -Werror "$dir/readme.c" $flags -o "$dir/readme"
readme() { [ "$("$dir/readme")" = "key 42: $(wc -c </etc/hostname) bytes: $(cat /etc/hostname)" ]; }
try "README's program: reads a file" readme

# Statically linked, a program may use our inner names for functions of its own.
cat >"$dir/names.c" <<'END'
#include <windows.h>
int request_complete(void);
int request_complete(void) { return 0; }
int event_new(void);
int event_new(void) { return 0; }
int main(void) { HANDLE h = CreateEventA(NULL, TRUE, TRUE, NULL); return WaitForSingleObject(h, 0) || !CloseHandle(h) || request_complete() || event_new(); }
END
try "a program's own request_complete()" sh -c "$cc $dir/names.c $static_flags -o $dir/names && $dir/names"

# The command iocp-verify: memory with an operation in flight is freed.
cat >"$dir/freed.c" <<'END'
#include <iocp.h>
#include <stdlib.h>
int main(void)
{
    int ends[2];
    OVERLAPPED *ov = calloc(1, 4096);
    char *data = malloc(64);
    DWORD flags = 0;
    WSABUF buf = {64, data};
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) || WSARecv((SOCKET)ends[0], &buf, 1, NULL, &flags, ov, NULL) != SOCKET_ERROR)
        return 1;
    free(data);
    return iocp_verify_faults() == 1 ? 0 : 2;
}
END
try "a program that frees a buffer in flight" $cc -Wall -Wextra -Werror -g "$dir/freed.c" $flags -o "$dir/freed"
verified() { IOCP_VERIFY=report "$prefix/bin/iocp-verify" "$dir/freed" 2>&1 | tee "$dir/said" | grep -q "a buffer in flight is freed" || { cat "$dir/said"; return 1; }; }
try "iocp-verify tells of it" verified
from_shell() { "$prefix/bin/iocp-verify" sh -c "'$dir/freed'; [ \$? = 134 ] && git --version"; }
try "iocp-verify, by way of a shell" from_shell
try "a program that frees a buffer in flight, static" $cc "$dir/freed.c" $static_flags -o "$dir/freed-static"
static_too() { "$prefix/bin/iocp-verify" "$dir/freed-static"; [ $? = 134 ]; }
try "iocp-verify watches it" static_too
aborted() { "$prefix/bin/iocp-verify" "$dir/freed"; [ $? = 134 ]; }
try "iocp-verify aborts" aborted
cat >"$dir/closed.c" <<'END'
#include <iocp.h>
int main(void)
{
    int ends[2];
    WSADATA data;
    SOCKET s;
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    if (WSAStartup(0x202, &data) || socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
        return 1;
    if (!CreateIoCompletionPort((HANDLE)(intptr_t)ends[0], port, 0, 0) || iocp_forget(ends[0]) || close(ends[0]) || close(ends[1]))
        return 2;
    s = WSASocketA(AF_INET, SOCK_DGRAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED);
    if (s == INVALID_SOCKET || closesocket(s) || iocp_verify_faults())
        return 3;
    s = WSASocketA(AF_INET, SOCK_DGRAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED);
    if (close((int)s))
        return 4;
    return iocp_verify_faults() == 1 ? 0 : 5;
}
END
try "a program that closes a handle with close(2)" $cc -Wall -Wextra -Werror -g "$dir/closed.c" $flags -o "$dir/closed"
closed() { IOCP_VERIFY=report "$prefix/bin/iocp-verify" "$dir/closed" 2>&1 | tee "$dir/said" | grep -q "is closed with close(2)" || { cat "$dir/said"; return 1; }; }
try "iocp-verify tells of it, once" sh -c "IOCP_VERIFY=report '$prefix/bin/iocp-verify' '$dir/closed'"
try "iocp-verify says so" closed
unverified() { "$dir/freed"; [ $? = 2 ]; }
try "without it nothing is watched" unverified

mkdir -p "$dir/project"
cat >"$dir/project/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.18)
project(user C)
find_package(iocp 0.1 REQUIRED)
add_executable(shared $root/examples/05-completion-port.c)
target_link_libraries(shared iocp::iocp)
add_executable(static $root/examples/05-completion-port.c)
target_link_libraries(static iocp::static)
END
try "find_package(iocp)" cmake -S "$dir/project" -B "$dir/project/b" -DCMAKE_PREFIX_PATH="$prefix"
try "build against iocp::iocp and iocp::static" cmake --build "$dir/project/b"
try "run with iocp::iocp" sh -c "cd $dir && timeout 30 project/b/shared"
try "run with iocp::static" sh -c "cd $dir && timeout 30 project/b/static"
sed -i "s|^find_package.*|add_subdirectory($root iocp)|" "$dir/project/CMakeLists.txt"
# A project with targets and modules of the names one thinks of first.
mkdir -p "$dir/project/cmake"
for module in library programs; do echo 'message(FATAL_ERROR "not this one")' >"$dir/project/cmake/$module.cmake"; done
for target in all_library library objects inside programs verify; do echo "add_custom_target($target)"; done >>"$dir/project/CMakeLists.txt"
sed -i '2a set(CMAKE_MODULE_PATH ${CMAKE_CURRENT_SOURCE_DIR}/cmake)' "$dir/project/CMakeLists.txt"
try "add_subdirectory gives the same names" cmake -S "$dir/project" -B "$dir/project/sub"
alone() { ! grep -q tests/conform "$dir/project/sub/Makefile" "$dir/project/sub/CMakeFiles/Makefile2"; }
try "and the library alone" alone
untouched() { ! grep -E '^CMAKE_BUILD_TYPE:[A-Z]*=.' "$dir/project/sub/CMakeCache.txt"; }
try "and leaves the project's build type alone" untouched

echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
