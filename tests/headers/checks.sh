# SPDX-License-Identifier: MIT
# The checks of run.sh that link or run something; run.sh reads this file.

verdict() { # NAME STATUS TEXT
    if [ "$2" = 0 ]; then
        echo "ok $1"
    else
        printf '%s\n' "FAIL headers: $1" "$(printf '%s\n' "$3" | head -n 20 | sed 's/^/    /')"
    fi
}

if wanted numbers; then
    out=$(cd "$dir" && gcc -D_GNU_SOURCE -DWINSOCK -I"$include/iocp" -I"$include" -c "$here/numbers.c" -o winsock.o 2>&1 &&
        gcc -D_GNU_SOURCE -c "$here/numbers.c" -o posix.o 2>&1 && gcc winsock.o posix.o -o numbers 2>&1 && ./numbers)
    verdict "numbers: winsock2.h and the C library agree" $? "$out"
fi

# Whatever a source calls goes to a symbol of ours, in C and in C++, so that libc's is never meant.
if wanted symbols; then
    for pair in gcc:c g++:c++ clang:c clang++:c++; do
        compiler=${pair%:*}
        case " $compilers " in *" $compiler "*) ;; *) continue ;; esac
        out=$($compiler -x ${pair#*:} -w -I"$include/iocp" -I"$include" -c "$here/symbols.inc" -o "$dir/symbols.o" 2>&1 &&
            nm -u "$dir/symbols.o" | awk '$2 !~ /^iocp_/ && $2 !~ /^(_GLOBAL_OFFSET_TABLE_|__stack_chk_fail)$/ { print "not ours: " $2 }') ||
            out="$out (did not compile)"
        test -z "$out"
        verdict "symbols: every call goes to iocp_ [$compiler]" $? "$out"
    done
fi

# The same for the wide functions under -fshort-wchar, whose libc namesakes read 32-bit characters; one
# that is not redirected must not compile.
if wanted symbols; then
    for pair in gcc:c g++:c++ clang:c clang++:c++; do
        compiler=${pair%:*}
        case " $compilers " in *" $compiler "*) ;; *) continue ;; esac
        for flags in "" -DLIBC_FIRST "-O2 -D_FORTIFY_SOURCE=2" "-O2 -D_FORTIFY_SOURCE=2 -DLIBC_FIRST"; do
            compile="$compiler -x ${pair#*:} -fshort-wchar $flags -w -I$include/iocp -I$include -c $here/symbols-wide.inc"
            out=$($compile -o "$dir/symbols.o" 2>&1 && nm -u "$dir/symbols.o" |
                awk '$2 !~ /^iocp_/ && $2 !~ /^(_GLOBAL_OFFSET_TABLE_|__stack_chk_fail|stdout)$/ { print "not ours: " $2 }') ||
                out="$out (did not compile)"
            test -z "$out"
            verdict "symbols: wide calls go to iocp_ [$compiler $flags]" $? "$out"
            out=$($compile -DREFUSED -o "$dir/symbols.o" 2>&1)
            case $out in *"reads 32-bit characters"*) true ;; *) false ;; esac
            verdict "symbols: a wide call that nobody redirects is refused [$compiler $flags]" $? "$out"
        done
    done
fi

# Every public function that mingw's headers declare takes and returns things of the same kinds and sizes there. Known:
# what takes a `long`, which is 64 bits here, and wcstok, whose third argument came later.
shape_errors() { grep -oE 'shapes-all\.inc:[0-9]+:[0-9]+: error' | cut -d: -f2; }
shapes() { # LIST COMMAND...: NAME KINDS
    list=$1
    shift
    "$@" -S -o - -DSHAPES_LIST="\"$list\"" "$here/shapes.cpp" 2>/dev/null | grep -oE '^_ZN4mark[A-Za-z0-9_]+' | c++filt |
        sed -E 's/mark<name_([A-Za-z0-9_]+), text<(.*)> >::here\(\)/\1 \2/; s/\(char\)//g; s/, / /g' |
        awk '{ o = ""; for (i = 2; i <= NF; i++) o = o sprintf("%c", $i); print $1, o }' |
        grep -vE '^(_chsize|_filelength|_lseek|_ltoa|_tell|_ultoa|_wtol|ioctlsocket|wcstok|wcstol|wcstoul) ' | sort
}
if wanted shapes; then
    mingw=/usr/x86_64-w64-mingw32/include
    if ! command -v clang++ >/dev/null || ! command -v c++filt >/dev/null || [ ! -d $mingw ]; then
        echo "skip headers: shapes: no clang++, c++filt or mingw headers here"
        skipped=$((skipped + 1))
    else
        theirs="clang++ -std=gnu++17 -w -target x86_64-w64-mingw32 -isystem $mingw -D_WIN32_WINNT=0x0A00 -DNTDDI_VERSION=0x0A000006"
        ours="clang++ -std=gnu++17 -w -fshort-wchar -I$include/iocp -I$include"
        grep -rhoE 'IOCP_SYM\([A-Za-z_][A-Za-z0-9_]*\)' "$include" | sed 's/IOCP_SYM/SHAPE/' | sort -u >"$dir/shapes-all.inc"
        for side in "$theirs" "$ours"; do
            $side -fsyntax-only -ferror-limit=0 -DSHAPES_LIST="\"$dir/shapes-all.inc\"" "$here/shapes.cpp" 2>&1 | shape_errors
        done | sort -nu >"$dir/shapes-absent"
        awk 'NR == FNR { absent[$1] = 1; next } !(FNR in absent)' "$dir/shapes-absent" "$dir/shapes-all.inc" >"$dir/shapes.inc"
        shapes "$dir/shapes.inc" $theirs >"$dir/shapes-theirs"
        shapes "$dir/shapes.inc" $ours >"$dir/shapes-ours"
        out=$(diff "$dir/shapes-theirs" "$dir/shapes-ours" | sed -n 's/^</mingw: /p; s/^>/ours:  /p')
        compared=$(wc -l <"$dir/shapes-ours")
        [ "$compared" -ge 700 ] || out="only $compared functions were compared; $out"
        test -z "$out"
        verdict "shapes: $compared functions are declared as mingw declares them" $? "$out"
    fi
fi
