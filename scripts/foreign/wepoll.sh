# SPDX-License-Identifier: MIT
# wepoll: epoll on AFD polls, one file in Debian's ZeroMQ. It comes without tests; wepoll/levels.c is ours.
# shellcheck shell=bash disable=SC2154
fetch zeromq3 || return 1
version=$(grep -oE '[0-9]+\.[0-9.]+' "$source/external/wepoll/version.txt" | head -n 1)
flags=(-D_WIN64 -fshort-wchar -Werror=implicit-function-declaration -I"$source/external/wepoll")
echo external/wepoll/wepoll.c | compile library "${flags[@]}"
program=$work/$project/test-levels
if ${CC:-cc} "${cflags[@]}" "${flags[@]}" "$top/scripts/foreign/wepoll/levels.c" "$work/$project"/library/*.o \
    -o "$program" "${libs[@]}" 2>"$program.log"; then
    run levels 60 "$program"
else
    verdict levels unbuilt "$(grep -m 1 -E 'error|undefined' "$program.log")"
fi
