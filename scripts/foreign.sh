#!/bin/bash
# SPDX-License-Identifier: MIT
# foreign.sh [PROJECT...]: Windows programs that others wrote, built from Debian's source packages against this library,
# and their own tests, each run by itself. Prints per project: source files that build, tests that pass, fail or do not
# build, and the lines of theirs that had to be changed. docs/FOREIGN.md keeps the figures and says why what fails fails.
#
# A project is a file scripts/foreign/PROJECT.sh that names its package and says how it is built; nothing of theirs is
# kept here. Everything lies in build-foreign/: src/ what was fetched, PROJECT/ the objects, the tests' output in
# PROJECT/out/, the verdicts in PROJECT/results. The network is used to fetch, and for nothing else; what has been
# fetched is not fetched again. BUILD names the library's build directory, ONLY the tests to run (a shell pattern).
set -u
cd "$(dirname "$0")/.." || exit 1
top=$PWD
build=$(cd "${BUILD:-build}" 2>/dev/null && pwd) || { echo "foreign: build the library first (make)" >&2; exit 1; }
work=$top/build-foreign
jobs=${JOBS:-$(nproc)}
only=${ONLY:-*}
engine=${IOCP_ENGINE:-auto}
read -ra cflags <<<"-std=gnu11 -O1 -g -pthread -D_WIN32 -DWIN32 -I$top/include/iocp -I$top/include"
read -ra libs <<<"-L$build -liocp -Wl,-rpath,$build"
mkdir -p "$work/src"

# Debian's source lists are read in a place of our own: the machine's are not touched.
apt_private() {
    local key=/usr/share/keyrings/debian-archive-keyring.gpg release
    release=$(. /etc/os-release && echo "$VERSION_CODENAME")
    mkdir -p "$work/apt/lists/partial"
    echo "deb-src [signed-by=$key] http://deb.debian.org/debian ${release:-bookworm} main" >"$work/apt/sources.list"
    cat >"$work/apt/apt.conf" <<END
Dir::Etc::sourcelist "$work/apt/sources.list";
Dir::Etc::sourceparts "-";
Dir::State::lists "$work/apt/lists";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "$work/apt/sources.bin";
END
    export APT_CONFIG=$work/apt/apt.conf
    [ -n "$(ls "$work"/apt/lists/*Sources* 2>/dev/null)" ] || apt-get update -q
}

# fetch PACKAGE: the package's upstream archive, as Debian has it and without Debian's patches, unpacked into
# $source (afresh: a change of an earlier run is gone).
fetch() {
    local package=$1 archive
    archive=$(ls "$work/src/${package}"_*.orig.tar.* 2>/dev/null | head -n 1)
    if [ -z "$archive" ]; then
        (apt_private && cd "$work/src" && apt-get source -q --download-only --tar-only "$package") \
            >"$work/src/$package.log" 2>&1
        archive=$(ls "$work/src/${package}"_*.orig.tar.* 2>/dev/null | head -n 1)
        [ -n "$archive" ] || { cat "$work/src/$package.log" >&2; echo "foreign: $package cannot be fetched" >&2; return 1; }
    fi
    version=${archive##*/"${package}"_}
    version=${version%.orig.tar.*}
    source=$work/$project/source
    rm -rf "$source"
    mkdir -p "$source"
    tar -xf "$archive" -C "$source" --strip-components=1
}

# change FILE SED REASON: changes lines of theirs, and counts them. An expression that changes nothing is an error.
change() {
    local file=$source/$1 count
    cp "$file" "$work/$project/before"
    sed -i "$2" "$file"
    count=$(diff "$work/$project/before" "$file" | grep -c '^>')
    [ "$count" != 0 ] || { echo "foreign: a change of $1 has no effect" >&2; exit 1; }
    changed=$((changed + count))
    changes+=("$1: $count: $3")
}

# compile NAME FLAG... <LIST: every source file of the list into $work/$project/NAME/; what does not build is named.
compile() {
    local name=$1 dir=$work/$project/$1
    shift
    rm -rf "$dir"
    mkdir -p "$dir"
    export dir source
    # shellcheck disable=SC2016
    xargs -r -P "$jobs" -I{} bash -c 'file=$1; shift; object=$dir/${file//\//.}.o
        ${CC:-cc} "$@" -c "$source/$file" -o "$object" 2>"$object.log"; echo "$? $file"' _ {} "${cflags[@]}" "$@" \
        >"$dir.status"
    sed -n 's/^[1-9][0-9]* /    does not build: /p' "$dir.status"
}
built() { grep -c '^0 ' "$work/$project/$1.status"; }
listed() { grep -c . "$work/$project/$1.status"; }

# verdict TEST WORD [TEXT]
verdict() { printf '%s %s%s\n' "$2" "$1" "${3:+ # $3}" | tee -a "$work/$project/results"; }

# run TEST SECONDS COMMAND...: one test by itself (skipped: the code it ends with if it has nothing to do), in a directory of its own.
run() {
    local test=$1 limit=$2 out=$work/$project/out/$1 code
    shift 2
    # shellcheck disable=SC2053
    [[ $test == $only ]] || return 0
    timeout -k 5 "$limit" "$@" >"$out" 2>&1 </dev/null &
    wait $!
    code=$?
    kill -KILL -- -$! 2>/dev/null # helper processes that are left, and their ports
    case $code in
    0) verdict "$test" ok ;;
    "$skipped") verdict "$test" skip "$(grep -m 1 -i -A 1 '# skip' "$out" | tail -n 1)" ;;
    124 | 137) verdict "$test" FAIL "ran longer than $limit s" ;;
    *) verdict "$test" FAIL "ended with $code: $(tail -n 1 "$out" | tr -d '\0' | cut -c 1-120)" ;;
    esac
}
count() { grep -c "^$1 " "$work/$project/results"; }

row() {
    printf '%-10s %-10s  files %s of %s  tests %s: %s pass, %s fail, %s not built, %s skipped  lines changed %s\n' \
        "$project" "$version" "$(built library)" "$(listed library)" "$(grep -c . "$work/$project/results")" \
        "$(count ok)" "$(count FAIL)" "$(count unbuilt)" "$(count skip)" "$changed"
    for text in "${changes[@]}"; do echo "    changed: $text"; done
}

[ $# != 0 ] || set -- nanomsg wepoll nng libuv
rows=()
failed=0
for project in "$@"; do
    [ -e "$top/scripts/foreign/$project.sh" ] || { echo "foreign: no scripts/foreign/$project.sh" >&2; exit 1; }
    mkdir -p "$work/$project/out"
    : >"$work/$project/results"
    changed=0
    changes=()
    skipped=77
    echo "== $project"
    # shellcheck disable=SC1090
    if . "$top/scripts/foreign/$project.sh"; then rows+=("$(row)"); else failed=1; fi
done
echo "== $(date +%F), engine $engine"
for text in "${rows[@]}"; do echo "$text"; done
exit $failed
