/* SPDX-License-Identifier: MIT */
/*
 * A small mutex on a futex: 4 bytes in release builds; uncontended, it costs one compare-and-swap to
 * take and a plain store to give back. Who sleeps for a lock says so in a table beside it and makes
 * all threads look (base/asym.h), so that the holder need not ask with a locked instruction. The
 * table, not the lock, is read after the store: the lock may be freed by then. Debug builds
 * (IOCP_DEBUG) remember the owner and a rank and check the one rule of the house: a thread holds one
 * of our locks at a time, except where a second one of a *higher* rank is taken (queue before
 * dispatcher), or several dispatchers in address order.
 */
#ifndef IOCP_BASE_LOCK_H
#define IOCP_BASE_LOCK_H

#include "base/asym.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* The order in which locks may be nested. Equal ranks never nest, save LOCK_DISPATCHER. */
enum lock_rank {
    LOCK_GLOBAL = 1,  /* rare, short: tables of pollers, share modes, start of the library */
    LOCK_FILE,        /* a file: pending requests, lanes */
    LOCK_QUEUE,       /* a port's queue */
    LOCK_DISPATCHER,  /* a waitable object (several in address order for wait-all) */
    LOCK_APC,         /* a thread's APC queue */
    LOCK_TABLE,       /* a handle table's free list */
    LOCK_SLOT,        /* one handle slot */
    LOCK_ENGINE,      /* submission lists, the timer heap */
    LOCK_LEAF,        /* held over a few loads and stores, calls nothing */
};

struct lock {
    _Atomic uint32_t word; /* 0 free, 1 held */
#ifdef IOCP_DEBUG
    uint32_t rank;
    _Atomic(const void *) owner; /* address of a thread-local of the holder */
#endif
};

#ifdef IOCP_DEBUG
#define LOCK_INIT(r) {0, (r), NULL}
void lock_debug_acquired(struct lock *l);
void lock_debug_check(struct lock *l);
void lock_debug_released(struct lock *l);
bool lock_debug_held(const struct lock *l);
#define lock_assert_held(l) assert(lock_debug_held(l))
/* No lock of ours may be held here: completions, wakes, system calls that block. */
void lock_assert_none(void);
#else
#define LOCK_INIT(r) {0}
#define lock_assert_held(l) ((void)(l))
#define lock_assert_none() ((void)0)
#endif

/* How many threads sleep, or are about to, for a lock at an address that falls on the entry. */
enum { LOCK_SLEEPERS = 256 };
extern _Atomic uint32_t lock_sleepers[LOCK_SLEEPERS];

static inline _Atomic uint32_t *lock_sleepers_of(const struct lock *l)
{
    return &lock_sleepers[((uintptr_t)l >> 5) % LOCK_SLEEPERS];
}

void lock_init(struct lock *l, enum lock_rank rank);
void lock_acquire_slow(struct lock *l);
void lock_release_slow(struct lock *l);

static inline void lock_acquire(struct lock *l)
{
    uint32_t expected = 0;

#ifdef IOCP_DEBUG
    lock_debug_check(l);
#endif
    /* acquire pairs with the release in lock_release */
    if (!atomic_compare_exchange_strong_explicit(&l->word, &expected, 1, memory_order_acquire,
                                                 memory_order_relaxed))
        lock_acquire_slow(l);
#ifdef IOCP_DEBUG
    lock_debug_acquired(l);
#endif
}

/* The half that the debug build does not watch. */
static inline void lock_give_back(struct lock *l)
{
    const _Atomic uint32_t *sleepers = lock_sleepers_of(l);

    atomic_store_explicit(&l->word, 0, memory_order_release); /* pairs with the acquire of the taker */
    asym_light(); /* the store before the load: pairs with asym_heavy in lock_acquire_slow */
    if (__builtin_expect(atomic_load_explicit(sleepers, memory_order_relaxed) != 0, 0))
        lock_release_slow(l);
}

static inline void lock_release(struct lock *l)
{
#ifdef IOCP_DEBUG
    lock_debug_released(l);
#endif
    lock_give_back(l);
}

#endif
