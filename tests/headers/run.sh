#!/bin/bash
# SPDX-License-Identifier: MIT
# run.sh [NAME...]: compiles the public headers in every order and company that Windows accepts, with
# gcc and clang, C11 and C++17, and checks that what must not compile does not. Nothing is linked with
# the library. With names: only the cases whose name contains one of them. IOCP_INCLUDE=DIR looks at
# installed headers instead of the tree's. Ends with "N passed, N failed, N skipped".
set -u
shopt -s lastpipe # a case counts in this shell though it ends a pipe
here=$(cd "$(dirname "$0")" && pwd)
include=${IOCP_INCLUDE:-$(cd "$here/../../include" && pwd)}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
want=("$@")
count=0
skipped=0
compilers=
for compiler in gcc clang g++ clang++; do
    if command -v $compiler >/dev/null; then
        compilers="$compilers $compiler"
    else
        echo "skip headers: no $compiler here"
        skipped=$((skipped + 1))
    fi
done

# ---------- writing cases ----------

wanted() {
    [ ${#want[@]} = 0 ] && return 0
    for w in "${want[@]}"; do case $1 in *"$w"*) return 0 ;; esac done
    return 1
}

# Of a source's own habits nothing is said: `#pragma comment(lib, ...)`, and `OVERLAPPED o = {0}` in C++.
warnings="-Wall -Wextra -Werror -Wno-unused-function -Wno-unknown-pragmas -Wno-missing-field-initializers"

# job NAME COMPILER FLAGS SOURCE [WORDS]: one compilation; with WORDS it must fail and say them.
job() {
    count=$((count + 1))
    {
        printf 'name=%q\nwords=%q\n' "$1 [$2 $3]" "${5-}"
        printf 'command=%q\n' "$2 $3 $warnings -fsyntax-only -I$include/iocp -I$include -I$here $4"
    } >"$dir/$(printf '%05d' $count).job"
}

# both NAME FLAGS [WORDS] < text: the text as C and as C++, with every compiler.
both() { local text; text=$(cat); printf '%s\n' "$text" | in_c "$@"; printf '%s\n' "$text" | in_cpp "$@"; }
in_c() { write c gcc clang -std=gnu11 "$@"; }
in_cpp() { write cpp g++ clang++ -std=gnu++17 "$@"; }
write() {
    local suffix=$1 gnu=$2 llvm=$3 std=$4 name=$5 flags=${6-} words=${7-} file compiler
    wanted "$name" || return 0
    file=$dir/source$((++sources)).$suffix
    cat >"$file"
    case $flags in *-std=*) std= ;; esac
    for compiler in $gnu $llvm; do
        case " $compilers " in *" $compiler "*) job "$name" $compiler "$std $flags" "$file" "$words" ;; esac
    done
}
sources=0
includes() { for header in "$@"; do echo "#include <$header>"; done; }

# ---------- the cases ----------

. "$here/cases.sh"

# ---------- running ----------

cat >"$dir/one.sh" <<'END'
. "$1"
out=$(timeout 60 $command 2>&1)
status=$?
if [ -z "$words" ]; then
    [ $status = 0 ] && { echo "ok $name"; exit 0; }
else
    [ $status = 1 ] && case $out in *"$words"*) echo "ok $name"; exit 0 ;; esac
    name="$name: must be refused with the words: $words"
fi
printf '%s\n' "FAIL headers: $name" "$(printf '%s\n' "$out" | grep -E 'error|warning|fatal' | head -n 6 | sed 's/^/    /')"
END
ls "$dir"/*.job 2>/dev/null | xargs -r -n 1 -P "$(nproc)" bash "$dir/one.sh" >"$dir/verdicts"

# The few checks that run something.
. "$here/checks.sh" >>"$dir/verdicts"

grep -v '^ok ' "$dir/verdicts"
passed=$(grep -c '^ok ' "$dir/verdicts")
failed=$(grep -c '^FAIL ' "$dir/verdicts")
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
