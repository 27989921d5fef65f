/* SPDX-License-Identifier: MIT */
/*
 * The delay until a worker that blocks outside the library is noticed, and another one runs in its place, by
 * what it blocks in: one line of "name=value" pairs each, in milliseconds.
 *
 *   blocked [ROUNDS]
 */
#include "blocked.h"

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 101;
    double *ms = calloc(rounds > 0 ? (size_t)rounds : 1, sizeof *ms);
    const char *why = blocked_prepare_faults();

    blocked_check(rounds > 0 && ms, "blocked [ROUNDS]: a count");
    for (int way = 0; way < BLOCKED_WAYS; way++) {
        if (way == BLOCKED_FAULT && why) {
            printf("way=%s left out: %s\n", blocked_names[way], why);
            continue;
        }
        blocked_measure((enum blocked_way)way, ms, rounds);
        qsort(ms, (size_t)rounds, sizeof *ms, blocked_by_size);
        printf("way=%s count=%d p50=%.2f p99=%.2f max=%.2f\n", blocked_names[way], rounds, ms[rounds / 2],
               ms[rounds * 99 / 100], ms[rounds - 1]);
        fflush(stdout);
    }
    free(ms);
    return 0;
}
