/* SPDX-License-Identifier: MIT */
/*
 * What happens around fork(2); see fork.h. The locks are taken in the order of their ranks, as
 * everywhere, and past the debug build's bookkeeping, which knows them by thread.
 */
#include "base/fork.h"

#include <pthread.h>
#include <stddef.h>

static struct fork_hook *hooks; /* by rank, lowest first; changed before main only */

static void prepare(void)
{
    for (struct fork_hook *h = hooks; h; h = h->next) {
        if (h->lock)
            lock_acquire_slow(h->lock);
    }
}

static void release(void)
{
    for (struct fork_hook *h = hooks; h; h = h->next) {
        if (h->lock)
            lock_give_back(h->lock);
    }
}

static void child(void)
{
    for (int i = 0; i < LOCK_SLEEPERS; i++)
        atomic_store(&lock_sleepers[i], 0); /* of threads that are not here */
    release();
    for (struct fork_hook *h = hooks; h; h = h->next) {
        if (h->child)
            h->child();
    }
}

void fork_register(struct fork_hook *hook)
{
    struct fork_hook **at = &hooks;

    if (!hooks)
        pthread_atfork(prepare, release, child);
    while (*at && (*at)->rank <= hook->rank)
        at = &(*at)->next;
    hook->next = *at;
    *at = hook;
}
