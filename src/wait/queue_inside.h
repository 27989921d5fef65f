/* SPDX-License-Identifier: MIT */
/*
 * Private to the queue's three files: what putting (queue.c), getting (queue_get.c) and the poller's side
 * (queue_poller.c) share. All of it under the queue's lock but for what says that it gives the lock back.
 */
#ifndef IOCP_WAIT_QUEUE_INSIDE_H
#define IOCP_WAIT_QUEUE_INSIDE_H

#include "engine/poller.h"
#include "wait/queue.h"

#include <assert.h>

/*
 * A queue that is never empty is looked behind all the same: a program that posts to itself would
 * starve its sockets. What is found goes to the tail, so looking again before all that was queued at
 * the last look has been taken would serve nothing earlier; but for small queues not every time.
 */
enum { GETS_PER_LOOK = 16 };

static inline struct poller *live_poller(struct queue *q)
{
    struct poller *p = atomic_load_explicit(&q->poller, memory_order_acquire);

    return p && atomic_load_explicit(&p->registered, memory_order_relaxed) > 0 ? p : NULL;
}

static inline struct queue_entry *first_entry(struct queue *q)
{
    struct list *n = list_first(&q->entries);

    return n ? container_of(n, struct queue_entry, link) : NULL;
}

static inline void add_entry(struct queue *q, struct queue_entry *e)
{
    lock_assert_held(&q->lock);
    list_push_back(&q->entries, &e->link);
    q->count++;
    q->ready += e->ready == QUEUE_READY;
}

static inline void remove_entry(struct queue *q, struct queue_entry *e)
{
    lock_assert_held(&q->lock);
    list_remove(&e->link);
    q->count--;
    q->ready -= e->ready == QUEUE_READY;
}

static inline struct queue_entry *pop_entry(struct queue *q)
{
    struct queue_entry *e = first_entry(q);

    if (e) {
        remove_entry(q, e);
        q->taken_out++;
    }
    return e;
}
/* Releases whom there is work and room for, gives the lock back and wakes them. */
void queue_release_some_and_unlock(struct queue *q);
/* The same, but the calling thread will be back: if soon, it does itself what others would be woken for. */
void queue_release_or_put_off_some_and_unlock(struct queue *q, struct thread *self);

/* The frequent case: nobody could be released, and nobody made who could. */
static inline bool nobody_waits(const struct queue *q)
{
    lock_assert_held(&q->lock);
    return __builtin_expect(list_empty(&q->waiters) && !q->starved, 1);
}
static inline void release_and_unlock(struct queue *q)
{
    if (nobody_waits(q))
        lock_release(&q->lock);
    else
        queue_release_some_and_unlock(q);
}
static inline void release_or_put_off_and_unlock(struct queue *q, struct thread *self)
{
    if (nobody_waits(q))
        lock_release(&q->lock);
    else
        queue_release_or_put_off_some_and_unlock(q, self);
}

/* Whose turn is over: it asks for the next entry, or gives its place up. No lock held. */
static inline void turn_ends(struct thread *self)
{
    if (__builtin_expect(self->turn.measured, 0))
        prompt_turn_ends(self->queue, self);
}
static inline void count_out(struct queue *q, struct thread *self)
{
    lock_assert_held(&q->lock);
    if (thread_place(self) == PLACE_NONE)
        return;
    if (__builtin_expect(thread_place(self) == PLACE_HELD, 1)) {
        assert(q->active > 0);
        q->active--;
    } else {
        assert(q->taken > 0);
        q->taken--;
    }
    thread_set_place(self, PLACE_NONE);
}
/*
 * Looks for readiness without sleeping; what there is becomes READY entries. Lock held, and held again on
 * return.
 */
void queue_look_locked(struct queue *q);

/* The poller has been looked into; when to look again if the queue does not run empty. */
static inline void looked_locked(struct queue *q)
{
    lock_assert_held(&q->lock);
    q->gets = 0;
    q->look_after = q->count > GETS_PER_LOOK ? q->count : GETS_PER_LOOK;
}

#endif
