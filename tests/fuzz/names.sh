#!/bin/bash
# SPDX-License-Identifier: MIT
# tests/fuzz/names.sh BUILD: every function that the library exports is called by tests/fuzz/handles.c, or
# stands in excused.txt with a reason; and no excuse is left that nothing needs. Prints what is wrong, or one line.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${1:?usage: tests/fuzz/names.sh BUILD}
excuses=tests/fuzz/excused.txt
called=$(mktemp) || exit 1
trap 'rm -f "$called"' EXIT
"$build/tests/fuzz/handles" --names | sort -u >"$called" || exit 1

# What the export list and iocp.h declare. iocp_NAME is NAME's other spelling.
exported() {
    sed -n 's/^EXPORT(\([A-Za-z0-9_]*\),.*/\1/p' src/api/exports.h
    grep -hoE '\biocp_[a-z_]+\(' include/iocp.h | tr -d '('
}

excused=()
used=()
while read -r pattern reason; do
    case $pattern in '' | '#'*) continue ;; esac
    [ -n "$reason" ] || { echo "$excuses: $pattern has no reason"; exit 1; }
    excused+=("$pattern")
    used+=(0)
done <"$excuses"

wrong=0
count=0
while read -r name; do
    count=$((count + 1))
    grep -qx -- "$name" "$called" && continue
    grep -qx -- "iocp_$name" "$called" && [[ $name == [a-z]* ]] && continue
    [[ $name == iocp_* ]] && exported | grep -qx -- "${name#iocp_}" && continue
    found=
    for i in "${!excused[@]}"; do
        # shellcheck disable=SC2053 # a pattern
        if [[ $name == ${excused[i]} ]]; then
            used[i]=1
            found=yes
            break
        fi
    done
    [ -n "$found" ] || { echo "$name is neither called by tests/fuzz/handles.c nor in $excuses"; wrong=1; }
done < <(exported | sort -u)

for i in "${!excused[@]}"; do
    [ "${used[i]}" = 1 ] || { echo "$excuses: nothing needs ${excused[i]}"; wrong=1; }
done
[ $wrong = 0 ] || exit 1
echo "$(wc -l <"$called") names are called, $((count - $(wc -l <"$called"))) of $count excused"
