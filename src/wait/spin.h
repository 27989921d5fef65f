/* SPDX-License-Identifier: MIT */
/*
 * Private to the wait room: the poll before a waiter of a queue goes to sleep. Off unless it is asked for;
 * see spin.c.
 */
#ifndef IOCP_WAIT_SPIN_H
#define IOCP_WAIT_SPIN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct poller;
struct queue;
struct waiter;

/* One of a queue, guarded by the queue's lock but for limit_ns. */
struct spin {
    _Atomic uint64_t limit_ns; /* how long; 0: not at all */
    bool busy;                 /* one thread does it already */
    uint32_t misses;           /* in a row: slept after all */
    uint32_t skip;             /* so many sleeps without it are to come */
};

#define SPIN_MAX_US 10000

void spin_init(struct spin *s);
/* 0 to SPIN_MAX_US microseconds. */
void spin_set(struct spin *s, uint32_t us);

/* Does the calling thread, about to sleep, poll first? After true spin_end_locked must follow. Lock held. */
bool spin_begin_locked(struct queue *q);
void spin_end_locked(struct queue *q, bool paid);

/* No lock held. true: w was claimed, or edges were harvested from p (NULL: there is none). */
bool spin_until_found(struct queue *q, struct waiter *w, struct poller *p, uint64_t deadline_ns);

#endif
