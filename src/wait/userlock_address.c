/* SPDX-License-Identifier: MIT */
/*
 * Waiting on an address: the value may be 1 to 8 bytes wide, so that the sleepers cannot use it
 * as their futex word. They stand in hashed lists instead, each with a word of its own. The value
 * is compared under the list's lock: whoever changes it and then wakes cannot slip between.
 */
#include "base/fork.h"
#include "base/futex.h"
#include "base/list.h"
#include "base/lock.h"
#include "wait/userlock.h"
#include "wait/wait.h"

#include <errno.h>
#include <string.h>

enum { BUCKETS = 128, WAKE_AT_ONCE = 32 };

struct address_waiter {
    struct list link; /* guarded by the bucket's lock */
    const void *address;
    _Atomic uint32_t woken;
};

static struct bucket {
    struct lock lock;
    struct list waiters; /* struct address_waiter, first come first; next is NULL until first used */
} buckets[BUCKETS] = {[0 ... BUCKETS - 1] = {.lock = LOCK_INIT(LOCK_LEAF)}};

/* The bucket, locked. */
static struct bucket *bucket_lock(const void *address)
{
    uintptr_t a = (uintptr_t)address;
    struct bucket *b = &buckets[(a >> 2 ^ a >> 9) % BUCKETS];

    lock_acquire(&b->lock);
    if (!b->waiters.next)
        list_init(&b->waiters);
    return b;
}

static bool equal(const volatile void *address, const void *compare, size_t size)
{
    uint64_t value = 0;

    switch (size) {
    case 1:
        value = __atomic_load_n((const volatile uint8_t *)address, __ATOMIC_SEQ_CST);
        return value == *(const uint8_t *)compare;
    case 2:
        value = __atomic_load_n((const volatile uint16_t *)address, __ATOMIC_SEQ_CST);
        return value == *(const uint16_t *)compare;
    case 4:
        value = __atomic_load_n((const volatile uint32_t *)address, __ATOMIC_SEQ_CST);
        return value == *(const uint32_t *)compare;
    default:
        value = __atomic_load_n((const volatile uint64_t *)address, __ATOMIC_SEQ_CST);
        return value == *(const uint64_t *)compare;
    }
}

bool address_wait(const volatile void *address, const void *compare, size_t size,
                  uint64_t deadline_ns)
{
    struct address_waiter w = {.address = (const void *)address};
    struct bucket *b = bucket_lock(w.address);

    if (!equal(address, compare, size)) {
        lock_release(&b->lock);
        return true;
    }
    list_push_back(&b->waiters, &w.link);
    lock_release(&b->lock);

    while (!atomic_load(&w.woken) && wait_on_word(&w.woken, 0, deadline_ns) != -ETIMEDOUT)
        ;
    lock_acquire(&b->lock); /* a waker may still be at the list */
    if (!atomic_load(&w.woken))
        list_remove(&w.link);
    lock_release(&b->lock);
    return atomic_load(&w.woken) != 0;
}

void address_wake(const void *address, bool all)
{
    _Atomic uint32_t *words[WAKE_AT_ONCE];
    unsigned n;

    do {
        struct bucket *b = bucket_lock(address);

        n = 0;
        list_for_each_safe(l, next, &b->waiters) {
            struct address_waiter *w = container_of(l, struct address_waiter, link);

            if (w->address != address)
                continue;
            list_remove(l);
            words[n++] = &w->woken;
            atomic_store(&w->woken, 1);
            if (!all || n == WAKE_AT_ONCE)
                break;
        }
        lock_release(&b->lock);
        for (unsigned i = 0; i < n; i++)
            futex_wake(words[i], 1);
    } while (all && n == WAKE_AT_ONCE);
}

static void forget_waiters(void)
{
    for (int i = 0; i < BUCKETS; i++) {
        lock_init(&buckets[i].lock, LOCK_LEAF);
        buckets[i].waiters.next = NULL;
    }
}

FORK_HOOK(NULL, LOCK_LEAF, forget_waiters);
