/* SPDX-License-Identifier: MIT */
/*
 * Private to the wait room: threads that hold a place of a queue and block outside the library, in
 * a lock of libc, a read(2), a page fault. No call tells us, so they are looked for; see outside.c.
 */
#ifndef IOCP_WAIT_OUTSIDE_H
#define IOCP_WAIT_OUTSIDE_H

#include "wait/queue.h"

void outside_init(struct queue *q);

/* The queue is closed: looks no more. Not under its lock. */
void outside_stop(struct queue *q);

/*
 * Is it time to begin looking? Asked under the queue's lock whenever places or entries have
 * changed; after true outside_begin must follow, without the lock.
 */
bool outside_ask_locked(struct queue *q);

static inline bool outside_due_locked(struct queue *q)
{
    if (__builtin_expect(q->active < q->active_max, 1) && !q->prompt.wants_tick)
        return false;
    if (q->looking || (list_empty(&q->waiters) && !q->starved && !q->prompt.wants_tick))
        return false;
    return outside_ask_locked(q);
}

void outside_begin(struct queue *q);

/* Gives their places back to threads that have run since their places were taken. Lock held. */
void outside_recount_locked(struct queue *q);

#endif
