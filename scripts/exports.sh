#!/bin/sh
# SPDX-License-Identifier: MIT
# Writes src/api/exports.h: every function that the public headers declare with IOCP_SYM, and the
# Windows modules it belongs to. Run it after a public function was added; `exports.sh --check`
# only says whether that was done.
set -eu
cd "$(dirname "$0")/.."
target=src/api/exports.h
fresh=$(mktemp)
trap 'rm -f "$fresh"' EXIT

# One line per function: NAME MODULES. A header decides the module, but for a few names.
list() {
    for header in include/iocp.h include/iocp/*.h; do
        case $(basename "$header") in
        winsock.h | winsock2.h | ws2tcpip.h | wspiapi.h | iocp_net*.h) module=WINSOCK ;;
        mswsock.h) module=MSWSOCK ;;
        winternl.h) module=NTDLL ;;
        mmsystem.h | timeapi.h | mmiscapi*.h) module=WINMM ;;
        winuser.h) module=USER ;;
        iphlpapi.h | netioapi.h) module=IPHLP ;;
        bcrypt.h) module=BCRYPT ;;
        wincrypt.h) module=ADVAPI ;;
        process.h | io.h | direct.h | conio.h | iocpcrt*.h | wchar*.h | strsafe.h | tchar.h | corecrt*.h) module=CRT ;;
        *) module=KERNEL ;;
        esac
        grep -oE 'IOCP_SYM\([A-Za-z_][A-Za-z0-9_]*\)' "$header" | sed 's/IOCP_SYM(\(.*\))/\1/' |
            while read -r name; do
                case $name in
                n | name | NAME | symbol | f | fn) continue ;;
                WaitOnAddress | WakeByAddress*) echo "$name SYNCH" ;;
                AcceptEx | GetAcceptExSockaddrs | TransmitFile) echo "$name MSWSOCK" ;;
                Nt[A-Z]* | Rtl[A-Z]*) echo "$name NTDLL" ;;
                Char*[AW]) echo "$name USER" ;;
                *) echo "$name $module" ;;
                esac
            done
    done | LC_ALL=C sort -u -k1,1
}

{
    echo '/* SPDX-License-Identifier: MIT */'
    echo '/* What GetProcAddress knows, sorted by name. Written by scripts/exports.sh; do not edit. */'
    list | while read -r name modules; do
        echo "EXPORT($name, $modules)"
    done
} >"$fresh"

if [ "${1-}" = --check ]; then
    cmp -s "$fresh" $target || { echo "$target is out of date: run scripts/exports.sh"; exit 1; }
else
    cp "$fresh" $target
    chmod 644 $target
fi
