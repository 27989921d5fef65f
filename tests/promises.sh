#!/bin/bash
# SPDX-License-Identifier: MIT
# Counts kept promises from the results of the last test run: tests/promises.sh BUILD_DIR. A promise of
# docs/PROMISES.md is kept on an engine if at least one test names it and every test that names it and was
# not skipped passed there. Prints a table (category, tier, engine) and every promise not kept, and why.
# Results of tests/wine.sh (BUILD_DIR/wine) are counted as one more column when they are there.
cd "$(dirname "$0")/.." || exit 1
build=${1:?usage: tests/promises.sh BUILD_DIR}
if ! ls "$build"/results/*/*.txt >/dev/null 2>&1; then
    tests/run.sh "$build" || true
fi
files=()
for mode in uring epoll; do
    for file in "$build/results/$mode"/*.txt; do
        [ -f "$file" ] && files+=("$file")
    done
done
for file in "$build"/wine/results/wine/*.txt; do
    [ -f "$file" ] && files+=("$file")
done

awk '
FILENAME ~ /PROMISES\.md$/ {
    if ($0 !~ /^- [A-Z]+-[0-9]+ \[[123]\]/) next
    id = $2
    ids[++n] = id
    tier[id] = substr($3, 2, 1)
    room[id] = id
    sub(/-.*/, "", room[id])
    if (!(room[id] in seen)) { seen[room[id]] = 1; rooms[++rn] = room[id] }
    total[room[id], tier[id]]++; total[room[id], "all"]++; total["all", tier[id]]++; total["all", "all"]++
    text = $0
    sub(/^- [A-Z]+-[0-9]+ /, "", text)
    sub(/ \([^()]*\)$/, "", text)
    words[id] = text
    next
}
FNR == 1 {
    split(FILENAME, part, "/")
    for (i in part) if (part[i] == "results") mode = part[i + 1]
    prog = FILENAME
    sub(/^.*\//, "", prog); sub(/\.txt$/, "", prog)
    if (!(mode in has)) { has[mode] = 1; modes[++mn] = mode }
}
/^(ok|FAIL|todo|skip) / {
    for (i = 3; i <= NF && $i != "#"; i++) {
        id = $i
        if (!(id in tier)) { if (id ~ /^[A-Z]+-[0-9]+$/) print "unknown promise " id " in " prog " " $2; continue }
        if ($1 == "ok") good[mode, id]++
        else if ($1 == "skip") idle[mode, id] = idle[mode, id] " " prog ":" $2
        else bad[mode, id] = bad[mode, id] " " prog ":" $2
    }
}
function kept(m, id) { return (m SUBSEP id) in good && !((m SUBSEP id) in bad) }
function cell(r, t, m) { return total[r, t] ? sprintf("%d/%d", have[r, t, m], total[r, t]) : "-" }
function row(r,   i, t) {
    printf "%-8s", r
    for (i = 1; i <= mn; i++) {
        printf " |"
        for (t = 1; t <= 3; t++) printf " %7s", cell(r, t, modes[i])
        printf " %7s", cell(r, "all", modes[i])
    }
    print ""
}
END {
    for (i = 1; i <= n; i++) for (j = 1; j <= mn; j++) if (kept(modes[j], ids[i])) {
        id = ids[i]; m = modes[j]
        have[room[id], tier[id], m]++; have[room[id], "all", m]++
        have["all", tier[id], m]++; have["all", "all", m]++
    }
    printf "%-8s", ""
    for (j = 1; j <= mn; j++) printf " | %-31s", modes[j]
    printf "\n%-8s", "kept/of"
    for (j = 1; j <= mn; j++) printf " | %7s %7s %7s %7s", "[1]", "[2]", "[3]", "all"
    print ""
    for (i = 1; i <= rn; i++) row(rooms[i])
    row("all")
    print "\nnot kept:"
    for (i = 1; i <= n; i++) {
        id = ids[i]; why = ""; tested = 0
        for (j = 1; j <= mn; j++) {
            m = modes[j]
            if (kept(m, id)) { tested = 1; continue }
            if ((m SUBSEP id) in bad) { why = why "; " m ": failed in" bad[m, id]; tested = 1 }
            else if ((m SUBSEP id) in idle) { why = why "; " m ": skipped in" idle[m, id]; tested = 1 }
            else why = why "; " m ": no test"
        }
        if (why == "") continue
        if (!tested) why = "; no test"
        printf "%-10s %s -- %s\n", id, substr(why, 3), substr(words[id], 1, 90)
    }
}' docs/PROMISES.md "${files[@]}"
