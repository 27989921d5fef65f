/* SPDX-License-Identifier: MIT */
/*
 * What the stress programs share: arguments (--short, --count N, --seed N), random numbers, a check
 * that ends the program, and the library's ledger at the end. They are Linux programs: <iocp.h>
 * beside POSIX, threads by pthread, so that attaching and leaving is part of the stress.
 */
#ifndef STRESS_H
#define STRESS_H

#include <iocp.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MUST(COND)                                                                                   \
    do {                                                                                             \
        if (!(COND)) {                                                                               \
            printf("FAIL %s:%d: %s (last error %u)\n", __FILE__, __LINE__, #COND,                    \
                   (unsigned)GetLastError());                                                        \
            fflush(stdout);                                                                          \
            _exit(1);                                                                                \
        }                                                                                            \
    } while (0)

static uint64_t stress_count, stress_seed;

/* How much to do: `full` by default, `brief` with --short. */
static inline void stress_begin(int argc, char **argv, uint64_t full, uint64_t brief)
{
    stress_count = full;
    stress_seed = (uint64_t)time(NULL) * 2654435761u;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--short"))
            stress_count = brief;
        else if (!strcmp(argv[i], "--count") && i + 1 < argc)
            stress_count = strtoull(argv[++i], NULL, 0);
        else if (!strcmp(argv[i], "--seed") && i + 1 < argc)
            stress_seed = strtoull(argv[++i], NULL, 0);
    }
    printf("# seed %llu, count %llu, engine %s\n", (unsigned long long)stress_seed,
           (unsigned long long)stress_count, iocp_engine_name());
    stress_seed |= 1;
}

/* A random number below `limit`, from a state of the caller's own (not 0). */
static inline uint32_t stress_random(uint64_t *state, uint32_t limit)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (uint32_t)((*state >> 11) % limit);
}

static inline pthread_t stress_thread(void *(*run)(void *), void *arg)
{
    pthread_t t;

    MUST(pthread_create(&t, NULL, run, arg) == 0);
    return t;
}

/* A meeting point of `need` threads that spin, so that all leave at the same moment. */
struct stress_meeting {
    int need;
    _Atomic int come, round;
};

static inline void stress_meet(struct stress_meeting *m)
{
    int round = atomic_load(&m->round);

    if (atomic_fetch_add(&m->come, 1) + 1 == m->need) {
        atomic_store(&m->come, 0);
        atomic_fetch_add(&m->round, 1);
        return;
    }
    while (atomic_load(&m->round) == round)
        SwitchToThread();
}

/* Nothing is pending and nothing queued: then the two equations of iocp.h hold exactly. */
static inline void stress_balanced(void)
{
    struct iocp_ledger l;

    iocp_ledger(&l);
    printf("# started %llu = completed %llu + refused %llu\n", (unsigned long long)l.started,
           (unsigned long long)l.completed, (unsigned long long)l.refused);
    printf("# queued %llu (posted %llu) = delivered %llu + dropped %llu\n", (unsigned long long)l.queued,
           (unsigned long long)l.posted, (unsigned long long)l.delivered, (unsigned long long)l.dropped);
    MUST(l.started == l.completed + l.refused);
    MUST(l.queued == l.delivered + l.dropped);
}

#endif
