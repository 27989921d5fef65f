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
