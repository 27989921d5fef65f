# SPDX-License-Identifier: MIT
# What tests/run.sh and tests/wine.sh share: running one test program to its end whatever it does, and
# counting. A program's raw output lies in DIR/NAME.txt; its verdict lines begin with ok, FAIL, skip, todo.

# run_program OUT LIMIT COMMAND...: runs COMMAND, output to OUT. When a test crashes or hangs, it gets a
# FAIL line of its own (todo, if Wine is known to fail it) and the program is started again behind it.
run_program() {
    local out=$1 limit=$2 rc last verdict attempt after=()
    shift 2
    mkdir -p "${out%/*}"
    : >"$out"
    for attempt in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
        timeout -k 5 "$limit" "$@" "${after[@]}" >"$out.part" 2>&1 </dev/null
        rc=$?
        cat "$out.part" >>"$out"
        last=$(awk '/^# run /{l=$0} END{print l}' "$out.part")
        rm -f "$out.part"
        case $rc in 0 | 1 | 77) break ;; esac
        if [ -z "$last" ]; then
            break
        fi
        set -- "$@"
        verdict=FAIL
        [[ $last == *"# W8" ]] && [[ $1 == *wine* ]] && verdict=todo
        last=${last#"# run "}
        last=${last%" # W8"}
        case $rc in
        3) ;; # its watchdog has said so
        124 | 137) echo "$verdict $last # the program ran longer than $limit s" >>"$out" ;;
        *) echo "$verdict $last # crashed, exit code $rc" >>"$out" ;;
        esac
        [ $rc = 124 ] || [ $rc = 137 ] && break
        after=(--after "${last%% *}")
    done
    settle "$out" $rc
}

# A program that speaks no verdicts (unit tests, stress), or died outside its tests, gets one by exit code.
settle() {
    local out=$1 rc=$2 name
    name=${1##*/}
    name=${name%.txt}
    case $rc in
    0) grep -qE '^(ok|FAIL|skip|todo) ' "$out" || echo "ok $name" >>"$out" ;;
    77) grep -qE '^(ok|FAIL|skip|todo) ' "$out" || echo "skip $name # $(tail -n 1 "$out")" >>"$out" ;;
    *) grep -qE '^(FAIL|todo) ' "$out" || echo "FAIL $name # exit code $rc" >>"$out" ;;
    esac
}

# summary FILE...: what failed, with its check lines; what was skipped; the count as the last line.
summary() {
    awk '
    function where(f) { sub(/^.*results\//, "", f); sub(/\.txt$/, "", f); return f }
    FNR == 1 { lines = "" ; count = 0 }
    /^ok / { passed++; lines = ""; count = 0; next }
    /^todo / { todo++; todos = todos where(FILENAME) ": " $0 "\n"; lines = ""; count = 0; next }
    /^skip / { skipped++; w = where(FILENAME); sub(/^skip /, ""); skips = skips w ": " $0 "\n"; next }
    /^FAIL / { failed++; print where(FILENAME) ": " $0; printf "%s", lines; lines = ""; count = 0; next }
    /^# (run|todo:)/ { next }
    { if (++count <= 25) lines = lines "    " $0 "\n" }
    END {
        if (skips != "") printf "skipped:\n%s", skips
        if (todos != "") printf "known to differ:\n%s", todos
        if (todo) printf "%d todo, ", todo
        printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
        exit failed > 0
    }' "$@" /dev/null
}
