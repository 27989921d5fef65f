#!/bin/bash
# SPDX-License-Identifier: MIT
# tests/structure.sh: who may know whom. Reads the #include lines of src/ and of the programs around it and
# holds them against the floors of docs/ARCHITECTURE.md; then plants one offence of every kind in a
# throw-away tree and sees that each is found. Last line "N passed, N failed, N skipped".
set -u
shopt -s lastpipe # verdict counts in this shell though it ends a pipe
cd "$(dirname "$0")/.." || exit 1

# ROOM: what it may include besides itself. A room, or one header of a room.
rules='
base:
engine: base
object: base
wait: object base
io: wait object base engine
pool: io wait object base engine/home.h
api: pool io wait object base engine
'
# Declared exceptions, FROM-ROOM HEADER, each with its reason.
exceptions='
wait engine/poller.h
wait engine/home.h
'
# - wait engine/poller.h: the leader of a port sleeps in that port'\''s epoll set, and every sleep of a user
#   thread is decided in the wait room; the annex is a floor below, so the direction is downwards all the same.
# - wait engine/home.h: a thread that goes to sleep elsewhere hands the pollers it leads to the home thread.

# Headers of include/iocp that hold types and numbers only; the floors below api/ may see these.
types=' iocp_comm basetsd minwindef windef winnt minwinbase winerror ntstatus guiddef ntdef '

# includes FILE...: "FILE LINE KIND NAME" for each #include, KIND being " or <.
includes() {
    awk '/^[ \t]*#[ \t]*include[ \t]*["<]/ {
        kind = match($0, /"/) ? "\"" : "<"; name = $0
        sub(/^[^"<]*["<]/, "", name); sub(/[">].*$/, "", name)
        print FILENAME, FNR, kind, name }' "$@" /dev/null
}

check_rooms() {
    includes $(find src -name '*.[ch]' | sort) | awk -v rules="$rules" -v exceptions="$exceptions" '
        BEGIN {
            n = split(rules, line, "\n")
            for (i = 1; i <= n; i++) {
                m = split(line[i], word, /[: ]+/)
                if (word[1] != "") room[word[1]] = 1
                for (k = 2; k <= m; k++) if (word[k] != "") may[word[1] " " word[k]] = 1
            }
            n = split(exceptions, line, "\n")
            for (i = 1; i <= n; i++) may[line[i]] = 1
        }
        $3 == "\"" {
            split($1, path, "/"); from = path[2]
            parts = split($4, to, "/"); into = parts > 1 ? to[1] : from
            if (!(from in room)) print $1 ":" $2 ": " from "/ is no room"
            else if (!(into in room)) print $1 ":" $2 ": no such room: " $4
            else if (from != into && !((from " " into) in may) && !((from " " $4) in may))
                print $1 ":" $2 ": " from "/ may not include " $4
        }'
}

# An exception that nobody uses any more goes.
check_exceptions() {
    echo "$exceptions" | while read -r from header; do
        [ -z "$from" ] || grep -qsE "^ *# *include \"$header\"" src/"$from"/*.[ch] || echo "unused exception: $from $header"
    done
}

check_function_headers() {
    includes $(find src -name '*.[ch]' -not -path 'src/api/*') | while read -r file line kind name; do
        [ -f "include/iocp/$name" ] || [ "$name" = iocp.h ] || continue
        case $name in sys/* | netinet/* | arpa/* | netdb.h | string.h | stdio.h | stdlib.h | time.h | wchar.h | malloc.h) [ "$kind" = '<' ] && continue ;; esac
        case "$types" in *" ${name%.h} "*) ;; *) echo "$file:$line: $name" ;; esac
    done
}

check_neutral() {
    includes $(find src -name '*.h') | grep -E ' (sys/socket|netinet/in|windows|winsock2)\.h$'
    includes $(find src/api -name '*.c') | grep -E ' (sys/socket|netinet/in)\.h$'
}

# The engine speaks of descriptors and -errno; last errors are the skin'\''s.
check_language() {
    grep -nE '\b(HANDLE|OVERLAPPED|NTSTATUS|STATUS_[A-Z_]+)\b' $(find src/engine -name '*.[ch]') /dev/null |
        grep -vE ':[0-9]+: *(/?\*|//)'
    grep -nE '\b(SetLastError|WSASetLastError)\(' $(find src -name '*.c' -not -path 'src/api/*') /dev/null
}

# What stands outside the library has what a user has: public headers and its own directory.
check_programs() {
    includes $(find examples tools bench tests/conform tests/stress kit -name '*.[ch]' 2>/dev/null | sort) |
        while read -r file line kind name; do
            [ "$kind" = '<' ] || [ -f "$(dirname "$file")/$name" ] || echo "$file:$line: $name"
        done
}

passed=0
failed=0
verdict() { # NAME < offending lines
    local lines
    lines=$(cat)
    if [ -z "$lines" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL structure: $1"
        printf '%s\n' "$lines" | head -n 40 | sed 's/^/    /'
    fi
}
check_rooms | verdict "a room includes its own headers and those below"
check_exceptions | verdict "every declared exception is in use"
check_function_headers | verdict "function headers of the SDK are for api/ alone"
check_neutral | verdict "internal headers are neutral, api/ does not see POSIX sockets"
check_language | verdict "no Win32 words in engine/, no last error below api/"
check_programs | verdict "programs include public headers only"

# The checks themselves: each must see its offence.
trap 'rm -rf "$fake"' EXIT
fake=$(mktemp -d) && mkdir -p "$fake"/src/{base,engine,object,wait,io,api} "$fake"/{examples,include/iocp} || exit 1
touch "$fake"/include/iocp/{windows,winnt,winsock2}.h
plant() { # CHECK FILE LINE: the offence is reported once the line is there, and not before
    local before after
    before=$(cd "$fake" && "$1" | grep -cF "$2")
    echo "$3" >"$fake/$2"
    after=$(cd "$fake" && "$1" | grep -cF "$2")
    rm "$fake/$2"
    [ "$before $after" = "0 1" ] || echo "$1 does not see $3 in $2 ($before, then $after)"
}
{
    plant check_rooms src/base/a.c '#include "object/handle.h"'
    plant check_rooms src/engine/a.c '#include "wait/wait.h"'
    plant check_rooms src/object/a.h '# include "engine/engine.h"'
    plant check_rooms src/wait/a.c '#include "io/request.h"'
    plant check_rooms src/wait/a.c '#include "engine/engine.h"'
    plant check_rooms src/io/a.c '#include "api/api.h"'
    plant check_rooms src/io/a.c '#include "pool/task.h"'
    plant check_function_headers src/io/a.c '#include <windows.h>'
    plant check_neutral src/io/a.h '#include <sys/socket.h>'
    plant check_neutral src/api/a.c '#include <netinet/in.h>'
    plant check_language src/engine/a.h 'void give(HANDLE handle);'
    plant check_language src/io/a.c 'static void f(void) { SetLastError(5); }'
    plant check_programs examples/a.c '#include "io/port.h"'
    [ "$(cd "$fake" && check_exceptions | wc -l)" = 2 ] || echo "check_exceptions does not see an unused one"
} | verdict "each check sees what it is for"

echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
