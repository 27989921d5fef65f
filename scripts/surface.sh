#!/bin/bash
# SPDX-License-Identifier: MIT
# scripts/surface.sh [BUILD_DIR]: how much of the API that programs use is there. Reads scripts/surface.txt, looks
# at what the built library exports, compiles what the headers alone make, asks WSAIoctl for what comes in a table,
# and reads from docs/DEVIATIONS.md which functions fail with ERROR_CALL_NOT_IMPLEMENTED, always or in some cases.
# Names what is missing.
set -u
cd "$(dirname "$0")/.." || exit 1
build=${1:-build}
library=$build/libiocp.so
[ -e "$library" ] || { echo "no $library: build first"; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

nm -D --defined-only "$library" | awk '{ sub(/@.*/, "", $NF); print $NF }' | sort -u >"$work/exported"

# Functions of the table "Not there", by the case they fail in: "all" or something.
awk -F '|' '/^## /{ inside = /ERROR_CALL_NOT_IMPLEMENTED/ } inside && NF > 3 && $2 !~ /^(-| call )/ {
    n = split($2, name, /[, ]+/)
    for (i = 1; i <= n; i++) if (name[i] != "") print name[i], ($3 ~ /^ *all/ ? "all" : "some") }' \
    docs/DEVIATIONS.md | sort -u >"$work/refused"

exported() { grep -qxE "(iocp_)?$1" "$work/exported"; }

# Every use in a function of its own; the compiler names the lines that it does not understand.
compile_uses() {
    {
        echo '#include <winsock2.h>'
        for header in ws2tcpip.h mswsock.h windows.h process.h io.h tchar.h; do echo "#include <$header>"; done
        echo '#include <stdio.h>'
        echo '#include <stdlib.h>'
        [ -e include/iocp/threadpoolapiset.h ] && echo '#define ENVIRONMENT TP_CALLBACK_ENVIRON env; (void)env;'
        echo '#ifndef ENVIRONMENT'
        echo '#define ENVIRONMENT'
        echo '#endif'
        sed -n 's/^[123] \([^ ]*\) = \(.*\)$/\1 \2/p' scripts/surface.txt | while read -r name use; do
            echo "void use_$name(SOCKET s, fd_set set, LONG l, LONG64 q, PVOID p, OVERLAPPED ov, unsigned u);"
            printf 'void use_%s(SOCKET s, fd_set set, LONG l, LONG64 q, PVOID p, OVERLAPPED ov, unsigned u) ' "$name"
            echo "{ char data[8] = {0}; ENVIRONMENT (void)data; (void)s; (void)set; (void)l; (void)q; (void)p; (void)ov; (void)u; $use; } /*USE $name*/"
        done
    } >"$work/uses.c"
    ${CC:-cc} -std=gnu11 -fsyntax-only -fmax-errors=0 -Werror=implicit-function-declaration -D_WIN32 \
        -Iinclude/iocp -Iinclude "$work/uses.c" 2>"$work/uses.log"
    sed -n 's/^[^:]*uses\.c:\([0-9]*\):[0-9]*: error.*/\1/p' "$work/uses.log" | sort -u |
        while read -r line; do sed -n "${line}s/.*\/\*USE \(.*\)\*\//\1/p" "$work/uses.c"; done | sort -u >"$work/unusable"
}

# What only a table has: a program asks for it and says which of the names are in it.
ask_for_table() {
    {
        echo '#include <winsock2.h>'
        echo '#include <mswsock.h>'
        echo '#include <stdio.h>'
        echo 'int main(void) { WSADATA data; GUID id = WSAID_MULTIPLE_RIO; DWORD bytes = 0; SOCKET s;'
        echo 'RIO_EXTENSION_FUNCTION_TABLE table = {0}; WSAStartup(MAKEWORD(2, 2), &data); s = socket(AF_INET, SOCK_DGRAM, 0);'
        echo 'if (WSAIoctl(s, SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER, &id, sizeof id, &table, sizeof table, &bytes, NULL, NULL)) return 1;'
        sed -n 's/^[123] \([^ ]*\) @ RIO$/if (table.\1) puts("\1");/p' scripts/surface.txt
        echo 'return bytes != sizeof table; }'
    } >"$work/table.c"
    : >"$work/in_table"
    ${CC:-cc} -std=gnu11 -D_WIN32 -Iinclude/iocp -Iinclude -o "$work/table" "$work/table.c" "$library" \
        -Wl,-rpath,"$(cd "$build" && pwd)" 2>"$work/table.log" && "$work/table" >"$work/in_table" ||
        { echo "no table of registered I/O:"; head -n 5 "$work/table.log"; }
}

is_there() {
    local name=$1 how=$2 use=$3
    if [ "$how" = @ ]; then
        grep -qx "$name" "$work/in_table"
    elif [ -n "$use" ]; then
        ! grep -qx "$name" "$work/unusable"
    else
        exported "$name" || { exported "${name}A" && exported "${name}W"; }
    fi
}

compile_uses
ask_for_table
for tier in 1 2 3; do
    there=0 total=0 missing=() always=() sometimes=()
    while read -r _ name how use; do
        total=$((total + 1))
        if ! is_there "$name" "$how" "$use"; then
            missing+=("$name")
            continue
        fi
        there=$((there + 1))
        if grep -qx "$name all" "$work/refused"; then
            always+=("$name")
        elif grep -qx "$name some" "$work/refused"; then
            sometimes+=("$name")
        fi
    done < <(grep "^$tier " scripts/surface.txt)
    echo "tier $tier: $there of $total names are there, $((there - ${#always[@]})) work" \
        "($(((there - ${#always[@]}) * 1000 / total / 10)).$(((there - ${#always[@]}) * 1000 / total % 10)) %)"
    [ ${#missing[@]} = 0 ] || echo "  missing: ${missing[*]}"
    [ ${#always[@]} = 0 ] || echo "  ERROR_CALL_NOT_IMPLEMENTED always: ${always[*]}"
    [ ${#sometimes[@]} = 0 ] || echo "  ERROR_CALL_NOT_IMPLEMENTED in some cases: ${sometimes[*]}"
done | fold -s -w 110
