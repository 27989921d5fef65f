/* SPDX-License-Identifier: MIT */
/*
 * A thread pool: a completion port and the threads that serve it. Threads appear when something is
 * queued, a place is free by the port's concurrency count, and no thread is idle: so a thread that blocks
 * (wait/queue.c, wait/outside.c) is stood in for, one that computes only after half a second in which nothing
 * has begun. They leave when they have been idle for a while. What is queued are tasks (task.h) and the
 * packets of I/O.
 *
 * A pool is used by the program, until it closes it, and by its tasks. With the last use the port is
 * closed and the threads leave; the memory stays as long as the port is referred to.
 */
#ifndef IOCP_POOL_POOL_H
#define IOCP_POOL_POOL_H

#include "io/port.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pool {
    struct port port;
    _Atomic uint32_t uses;

    struct lock lock;      /* everything below */
    uint32_t threads;      /* there or being started; not those that are leaving */
    uint32_t arriving;     /* of these, have not come to the queue yet */
    uint32_t lasting;      /* of these, inside a callback that said it may run long */
    uint32_t min, max;     /* threads */
    size_t stack_reserve, stack_commit; /* 0: as the C library has it */
    bool retrying;         /* `retry` is armed, and holds a reference */
    struct timer retry;    /* no thread could be had; the heap's lock guards what is inside */
};

/* A thread of a pool; lives on its stack. */
struct run;
struct worker {
    struct pool *pool; /* counted */
    struct run *room;  /* for a run: not on the part of the stack that ends with pthread_exit */
    struct run *run;   /* the callback that runs, or NULL */
    uint32_t born;     /* how many forks there had been */
    bool persistent;   /* has run something that wants its thread to stay: it does not leave */
    bool gone;         /* is not counted in pool.threads any more */
};

/* One use; closed by pool_unuse. */
uint32_t pool_new(struct pool **out);

/* Pools of the library's own, made when first needed; one use. NULL: no memory. */
enum own_pool {
    POOL_DEFAULT,
    POOL_WAITS,  /* one thread: WT_EXECUTEINWAITTHREAD */
    POOL_TIMERS, /* one thread: WT_EXECUTEINTIMERTHREAD */
    OWN_POOLS
};
struct pool *pool_own(enum own_pool which);

static inline void pool_use(struct pool *pool)
{
    atomic_fetch_add(&pool->uses, 1);
}
void pool_unuse(struct pool *pool);

void pool_set_max(struct pool *pool, uint32_t threads);
/* Starts those that are missing; STATUS_INSUFFICIENT_RESOURCES if it cannot. */
uint32_t pool_set_min(struct pool *pool, uint32_t threads);
/* For threads started from now on. */
void pool_set_stack(struct pool *pool, size_t reserve, size_t commit);
void pool_get_stack(struct pool *pool, size_t *reserve, size_t *commit);

/* Another thread of the pool may do without the calling one for ever: then its place is free. */
bool pool_spare(struct worker *w);
void pool_unspare(struct worker *w);

/* Has there been a fork since the worker was born, so that the pool is the parent's? */
bool pool_forked(const struct worker *w);

#endif
