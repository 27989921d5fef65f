/* SPDX-License-Identifier: MIT */
/*
 * The slow halves of lock.h, and the debug build's owner and rank checks. A short spin comes
 * before sleeping: our critical sections are tens of nanoseconds, a futex sleep is microseconds.
 */
#include "base/lock.h"

#include "base/futex.h"
#include "base/relax.h"

#include <stdlib.h>

#define SPIN_ROUNDS 100

_Atomic uint32_t lock_sleepers[LOCK_SLEEPERS];

void lock_init(struct lock *l, enum lock_rank rank)
{
    atomic_init(&l->word, 0);
#ifdef IOCP_DEBUG
    l->rank = rank;
    atomic_init(&l->owner, NULL);
#else
    (void)rank;
#endif
}

static bool try_take(struct lock *l)
{
    uint32_t expected = 0;

    return atomic_load_explicit(&l->word, memory_order_relaxed) == 0 &&
           atomic_compare_exchange_strong_explicit(&l->word, &expected, 1, memory_order_acquire,
                                                   memory_order_relaxed);
}

void lock_acquire_slow(struct lock *l)
{
    _Atomic uint32_t *sleepers = lock_sleepers_of(l);

    for (int i = 0; i < SPIN_ROUNDS; i++) {
        if (try_take(l))
            return;
        cpu_relax();
    }
    /* After the fence every holder that has not given the lock back yet will see the count. */
    atomic_fetch_add(sleepers, 1);
    asym_heavy();
    while (!try_take(l))
        futex_wait(&l->word, 1, DEADLINE_NEVER);
    atomic_fetch_sub(sleepers, 1);
}

void lock_release_slow(struct lock *l)
{
    futex_wake(&l->word, 1);
}

#ifdef IOCP_DEBUG

#define HELD_MAX 80 /* wait-all holds up to 64 dispatchers */

static _Thread_local struct {
    struct lock *held[HELD_MAX];
    int count;
} mine;

void lock_debug_check(struct lock *l)
{
    assert(l->rank != 0);
    assert(!lock_debug_held(l));
    if (mine.count > 0) {
        struct lock *top = mine.held[mine.count - 1];

        if (l->rank == LOCK_DISPATCHER && top->rank == LOCK_DISPATCHER)
            assert(top < l);
        else
            assert(l->rank > top->rank);
    }
}

void lock_debug_acquired(struct lock *l)
{
    assert(mine.count < HELD_MAX);
    mine.held[mine.count++] = l;
    atomic_store_explicit(&l->owner, &mine, memory_order_relaxed);
}

void lock_debug_released(struct lock *l)
{
    assert(lock_debug_held(l));
    atomic_store_explicit(&l->owner, NULL, memory_order_relaxed);
    for (int i = mine.count - 1; i >= 0; i--) {
        if (mine.held[i] == l) {
            mine.held[i] = mine.held[--mine.count];
            return;
        }
    }
    abort();
}

bool lock_debug_held(const struct lock *l)
{
    return atomic_load_explicit(&((struct lock *)l)->owner, memory_order_relaxed) == &mine;
}

void lock_assert_none(void)
{
    assert(mine.count == 0);
}

#endif
