/* SPDX-License-Identifier: MIT */
/*
 * fork(2). The child is a process with one thread and a copy of everything: of locks that other
 * threads held, of lists of threads that are not there, of descriptors that mean the parent's
 * epoll sets and ring. So each room says what its part has to do there, and the library starts
 * empty: handles are forgotten (descriptors stay open and may be used afresh), requests that were
 * pending belong to the parent alone.
 */
#ifndef IOCP_BASE_FORK_H
#define IOCP_BASE_FORK_H

#include "base/lock.h"

struct fork_hook {
    struct fork_hook *next;
    /* Held by the forking thread during the call, so that what it guards is copied whole; free
     * again on both sides. NULL: nothing to hold. */
    struct lock *lock;
    enum lock_rank rank;
    /* In the child, the lock not held. NULL: the copy is good as it is. */
    void (*child)(void);
};

void fork_register(struct fork_hook *hook);

/* At file level: registers before main. */
#define FORK_HOOK(LOCK, RANK, CHILD)                                                               \
    static struct fork_hook fork_hook = {.lock = LOCK, .rank = RANK, .child = CHILD};              \
    __attribute__((constructor)) static void fork_hook_add(void)                                   \
    {                                                                                              \
        fork_register(&fork_hook);                                                                 \
    }                                                                                              \
    _Static_assert(1, "takes the semicolon")

#endif
