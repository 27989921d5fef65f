/* SPDX-License-Identifier: MIT */
/*
 * A small mutex on a futex: 4 bytes in release builds, free when uncontended but for one
 * compare-and-swap each way. Debug builds (IOCP_DEBUG) remember the owner and a rank and check
 * the one rule of the house: a thread holds one of our locks at a time, except where a second one
 * of a *higher* rank is taken (queue before dispatcher), or several dispatchers in address order.
 */
#ifndef IOCP_BASE_LOCK_H
#define IOCP_BASE_LOCK_H

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
    _Atomic uint32_t word; /* 0 free, 1 held, 2 held and somebody sleeps */
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

static inline void lock_release(struct lock *l)
{
#ifdef IOCP_DEBUG
    lock_debug_released(l);
#endif
    if (atomic_exchange_explicit(&l->word, 0, memory_order_release) == 2)
        lock_release_slow(l);
}

#endif
