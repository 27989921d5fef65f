#!/bin/bash
# SPDX-License-Identifier: MIT
# tidy.sh: checks the code itself. Include direction between the rooms, who may see which headers, line
# and function length, licence lines, and that nothing is put off in silence. Ends with
# "N passed, N failed, N skipped".
set -u
shopt -s lastpipe # verdict counts in this shell though it ends a pipe
cd "$(dirname "$0")/.." || exit 1

passed=0
failed=0
files() { git ls-files --cached --others --exclude-standard -- "$@" 2>/dev/null | while read -r f; do [ -f "$f" ] && echo "$f"; done; }

# verdict NAME < offending lines
verdict() {
    local lines
    lines=$(cat)
    if [ -z "$lines" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL tidy: $1"
        printf '%s\n' "$lines" | head -n 40 | sed 's/^/    /'
    fi
}

c_files=$(files '*.c' '*.h')
src_files=$(files 'src/*.c' 'src/*.h')

# Rooms and floors: a room includes its own headers and those below. engine/ is an annex of base: it
# includes base only.
awk '
    BEGIN { floor["base"] = 0; floor["engine"] = 0; floor["object"] = 1; floor["wait"] = 2
            floor["io"] = 3; floor["pool"] = 3; floor["api"] = 4 }
    /^[ \t]*#[ \t]*include[ \t]*"/ {
        split(FILENAME, from, "/"); split($0, quoted, "\""); slash = split(quoted[2], to, "/")
        a = from[2]; b = slash > 1 ? to[1] : a
        if (!(b in floor)) print FILENAME ":" FNR ": no such room: " quoted[2]
        else if (a == b) next
        else if (floor[b] > floor[a] || (a == "base") || (a == "engine" && b != "base"))
            print FILENAME ":" FNR ": " a "/ may not include " quoted[2]
    }' $src_files /dev/null | verdict "include direction of the rooms"

# Below api/ only the SDK's type headers are known; internal headers stay neutral.
types=' basetsd minwindef winnt minwinbase winerror ntstatus guiddef ntdef '
for f in $(printf '%s\n' $src_files | grep -v '^src/api/'); do
    grep -nE '^[ \t]*#[ \t]*include[ \t]*<' "$f" | while IFS= read -r line; do
        name=$(printf '%s' "$line" | sed 's/.*<\(.*\)>.*/\1/')
        [ -f "include/iocp/$name" ] || continue
        case "$types" in *" ${name%.h} "*) ;; *) echo "$f:$line" ;; esac
    done
done | verdict "function headers of the SDK are for api/ alone"
printf '%s\n' $src_files | grep '\.h$' | xargs -r grep -nE 'include *<(sys/socket|windows|winsock2)\.h>' /dev/null |
    verdict "internal headers are neutral"
printf '%s\n' $src_files | grep '^src/api/' | xargs -r grep -nE 'include *<(sys/socket|netinet/in)\.h>' /dev/null |
    verdict "api/ does not see POSIX sockets"

# What stands outside the library uses what a user has: public headers and its own directory.
for f in $(files 'examples/*.[ch]' 'tools/*.[ch]' 'bench/*.[ch]' 'tests/conform/*.[ch]' 'tests/stress/*.[ch]' 'kit/*.[ch]'); do
    grep -nE '^[ \t]*#[ \t]*include[ \t]*"' "$f" | while IFS= read -r line; do
        name=$(printf '%s' "$line" | sed 's/[^"]*"\([^"]*\)".*/\1/')
        [ -f "$(dirname "$f")/$name" ] || echo "$f:$line"
    done
done | verdict "programs include public headers only"
for f in examples/echo_server.c examples/0[1-5]*.c; do
    grep -nE '^[ \t]*#[ \t]*if' "$f" | sed "s|^|$f:|"
done | verdict "examples have no conditional code"
wc -l examples/0[1-5]*.c | awk '$2 != "total" && $1 > 150 { print $2 ": " $1 " lines" }' |
    verdict "the five models have at most 150 lines each"

awk 'length > 110 { print FILENAME ":" FNR ": " length " columns" }' $c_files /dev/null | verdict "lines of at most 110 columns"
awk '/\t/ { print FILENAME ":" FNR }' $c_files /dev/null | verdict "no tabs"

# K&R as we write it: a function opens with ") {" at the end of a line and closes with "}" in column one.
awk '
    FNR == 1 { start = 0 }
    !start && /^[^#].*\) \{$/ { start = FNR; name = $0 }
    /^\}/ { if (start && FNR - start + 1 > 90) print FILENAME ":" start ": " FNR - start + 1 " lines: " name; start = 0 }
    ' $(printf '%s\n' $c_files | grep -E '^(src|kit|tools|examples|bench)/') /dev/null | verdict "functions of at most 90 lines"

for f in $c_files $(files '*.sh' '*.cmake' CMakeLists.txt Makefile .ci/run); do
    head -n 3 "$f" | grep -q 'SPDX-License-Identifier: MIT' || echo "$f"
done | verdict "licence lines"

# A TODO names its entry in DEVIATIONS: TODO(name). Only the code is looked at, not this script.
grep -nE '\b(TODO|FIXME|XXX)\b' $c_files /dev/null | while IFS= read -r line; do
    name=$(printf '%s' "$line" | sed -n 's/.*TODO(\([^)]*\)).*/\1/p')
    [ -n "$name" ] && grep -qF "$name" docs/DEVIATIONS.md 2>/dev/null || echo "$line"
done | verdict "nothing put off without an entry in DEVIATIONS"

for f in $(files 'src/*.c'); do
    case $f in src/*/*.c) ;; *) echo "$f: outside every room, so never built" ;; esac
done | verdict "no dead files"
for f in $(files '*.sh' .ci/run); do bash -n "$f" 2>&1; done | verdict "scripts parse"

echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
