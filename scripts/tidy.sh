#!/bin/bash
# SPDX-License-Identifier: MIT
# tidy.sh: checks the code itself. Include directions (tests/structure.sh), line and function length,
# licence lines, and that nothing is put off in silence. Ends with
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

# Who may know whom.
structure=$(tests/structure.sh)
read -r passed _ failed _ <<<"$(tail -n 1 <<<"$structure" | tr -d ,)"
sed '$d' <<<"$structure"
case "$passed $failed" in *[!0-9\ ]* | ' '*) passed=0 failed=1; echo "FAIL tidy: tests/structure.sh gave no count" ;; esac

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

for f in $c_files $(files '*.sh' '*.py' '*.cmake' CMakeLists.txt Makefile .ci/run); do
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
if command -v python3 >/dev/null; then
    scripts/man.py --check | verdict "every function has a manual page, and the pages are those of the headers"
fi
for f in $(files '*.sh' .ci/run); do bash -n "$f" 2>&1; done | verdict "scripts parse"

echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
