/* SPDX-License-Identifier: MIT */
/*
 * The concurrency queue: entries in, places, and who is let go; queue_get.c takes entries out, queue_poller.c
 * is about the poller. One idea carries it: whenever a place is free (active < active_max) and
 * there is something to do - an entry, or a poller that nobody leads - the most recent waiter is
 * let go. A packet is handed over directly, counted on the waiter's behalf, so that nobody can
 * slip between; for readiness and for the lead a waiter is only told to look.
 *
 * Harvested readiness becomes READY entries at the tail; the thread that dequeues one does the
 * I/O, outside the lock, and keeps the first completion it produces for itself: the packet goes
 * from the kernel to the user's thread without touching another.
 */
#include "wait/queue_inside.h"

#include "wait/outside.h"

void queue_init(struct queue *q, uint32_t active_max, struct object *object,
                struct queue_entry *(*edge)(uint64_t, uint32_t),
                void (*run_ready)(struct queue_entry *))
{
    lock_init(&q->lock, LOCK_QUEUE);
    q->closed = false;
    q->active = 0;
    q->active_max = q->active_usual = active_max;
    q->taken_out = q->taken_out_seen = q->stalled = 0;
    q->lookers = 0;
    q->gets = 0;
    q->look_after = GETS_PER_LOOK;
    q->count = 0;
    q->ready = 0;
    q->taken_out_watched = 0;
    list_init(&q->entries);
    list_init(&q->answers.link);
    q->answers.ready = QUEUE_READY;
    list_init(&q->waiters);
    q->leader = NULL;
    atomic_init(&q->poller, NULL);
    q->edge = edge;
    q->run_ready = run_ready;
    q->starved = NULL;
    q->object = object;
    prompt_init(&q->prompt);
    spin_init(&q->spin);
    outside_init(q);
}
/* Takes the most recent waiter that can still be claimed off the list, and claims it. */
static struct waiter *release_waiter(struct queue *q, uint32_t to, struct queue_entry *given,
                                     struct wake_list *wakes)
{
    struct list *n;

    lock_assert_held(&q->lock);
    while ((n = list_pop_front(&q->waiters)) != NULL) {
        struct waiter *w = container_of(n, struct waiter, link);
        uint32_t armed = WAITER_ARMED;

        w->given = given;
        if (!atomic_compare_exchange_strong(&w->state, &armed, to)) {
            w->given = NULL; /* on its way already: its time is up, or an APC came */
            continue;
        }
        if (atomic_load(&w->polls)) /* pairs with the store before its sleep */
            return w;
        if (w->in_poller)
            wakes->poller = atomic_load(&q->poller);
        else
            wake_list_add(wakes, &w->state);
        return w;
    }
    return NULL;
}

/* Lets go as many waiters as there is work and room for. */
static void release_locked(struct queue *q, struct wake_list *wakes)
{
    lock_assert_held(&q->lock);
    if (__builtin_expect(q->taken > 0, 0) && q->active < q->active_max)
        outside_recount_locked(q);
    while (q->active < q->active_max && !list_empty(&q->waiters)) {
        struct queue_entry *e = first_entry(q);

        if (e && !e->ready) {
            if (!release_waiter(q, WAITER_SATISFIED, e, wakes))
                return;
            pop_entry(q);
            q->active++;
            continue;
        }
        if (q->lookers > 0 || (!e && (q->leader || !live_poller(q))))
            return;
        if (release_waiter(q, WAITER_LOOK, NULL, wakes))
            q->lookers++;
        return;
    }
}

/* For how many threads more there is something to do, when all waiters have been let go. */
static uint32_t wanting_locked(struct queue *q)
{
    uint32_t work = q->count > 0 ? q->count : !q->leader && live_poller(q);
    uint32_t busy = q->active + q->lookers;
    uint32_t room = busy < q->active_max ? q->active_max - busy : 0;

    lock_assert_held(&q->lock);
    if (q->closed || !list_empty(&q->waiters))
        return 0;
    return work < room ? work : room;
}

/* After all changes: wakes whom they released, and sees to it that blocked holders are found. */
static inline void unlock_and_wake(struct queue *q, struct wake_list *wakes)
{
    bool look = outside_due_locked(q);
    uint32_t wanting = __builtin_expect(q->starved != NULL, 0) ? wanting_locked(q) : 0;

    lock_release(&q->lock);
    wake_list_run(wakes);
    if (__builtin_expect(look, 0))
        outside_begin(q);
    if (__builtin_expect(wanting > 0, 0))
        q->starved(q, wanting);
}
void queue_release_some_and_unlock(struct queue *q)
{
    struct wake_list wakes;

    wake_list_init(&wakes);
    release_locked(q, &wakes);
    unlock_and_wake(q, &wakes);
}
/* Is there anything to release, and does a prompt worker leave it to itself? */
static bool puts_off(struct queue *q, struct thread *self, bool *measure)
{
    lock_assert_held(&q->lock);
    if (q->active >= q->active_max || list_empty(&q->waiters) || q->taken > 0)
        return false;
    if (self->queue != q || thread_place(self) == PLACE_NONE)
        return false;
    if (q->count == 0 && (q->leader || q->lookers > 0 || !live_poller(q)))
        return false;
    return prompt_put_off_locked(q, self, measure);
}

void queue_release_or_put_off_some_and_unlock(struct queue *q, struct thread *self)
{
    struct wake_list wakes;
    bool measure = false;

    wake_list_init(&wakes);
    if (!puts_off(q, self, &measure))
        release_locked(q, &wakes);
    unlock_and_wake(q, &wakes);
    if (__builtin_expect(measure, 0))
        prompt_turn_begins(self);
}
/* ---- putting ---- */

static bool append_locked(struct queue *q, struct queue_entry *e)
{
    lock_assert_held(&q->lock);
    if (q->closed)
        return false;
    add_entry(q, e);
    return true;
}

bool queue_put(struct queue *q, struct queue_entry *e)
{
    bool open;

    assert(!e->ready);
    lock_acquire(&q->lock);
    open = append_locked(q, e);
    release_and_unlock(q);
    return open;
}

bool queue_put_own(struct queue *q, struct queue_entry *e)
{
    struct thread *self = thread_current_or_null();
    bool open;

    assert(!e->ready);
    if (!self)
        return queue_put(q, e);
    if (self->keeping == q && !self->kept) {
        self->kept = e;
        return true;
    }
    lock_acquire(&q->lock);
    open = append_locked(q, e);
    release_or_put_off_and_unlock(q, self);
    return open;
}

bool queue_put_with_event(struct queue *q, struct queue_entry *e, struct dispatcher *event, uintptr_t *word,
                          uintptr_t value)
{
    struct thread *self = thread_current_or_null();
    struct wake_list wakes;
    bool open;

    if (self && self->keeping == q)
        self->keeping = NULL; /* a later packet must not overtake this one */

    wake_list_init(&wakes);
    lock_acquire(&q->lock);
    open = append_locked(q, e);
    dispatcher_lock(event);
    dispatcher_answer_locked(event, word, value, &wakes);
    dispatcher_unlock(event);
    release_locked(q, &wakes);
    unlock_and_wake(q, &wakes);
    return open;
}

void queue_put_ready(struct queue *q, struct queue_entry *const *entries, unsigned count)
{
    bool open;

    lock_acquire(&q->lock);
    open = !q->closed;
    for (unsigned i = 0; open && i < count; i++) {
        assert(entries[i]->ready == QUEUE_READY);
        add_entry(q, entries[i]);
    }
    lock_release(&q->lock);
    for (unsigned i = 0; !open && i < count; i++)
        queue_run_ready(q, entries[i]); /* nobody would: it has been drained */
}

bool queue_put_notice(struct queue *q, struct queue_entry *e, bool quiet)
{
    struct thread *self = thread_current_or_null();
    bool open;

    assert(e->ready == QUEUE_NOTICE);
    lock_acquire(&q->lock);
    open = append_locked(q, e);
    if (quiet)
        lock_release(&q->lock);
    else if (self)
        release_or_put_off_and_unlock(q, self);
    else
        release_and_unlock(q);
    return open;
}

bool queue_withdraw(struct queue *q, struct queue_entry *e)
{
    bool queued;

    lock_acquire(&q->lock);
    queued = list_linked(&e->link);
    if (queued)
        remove_entry(q, e);
    lock_release(&q->lock);
    return queued;
}

void queue_set_active_max(struct queue *q, uint32_t active_max)
{
    lock_acquire(&q->lock);
    q->active_max = q->active_usual = active_max;
    release_and_unlock(q);
}

bool queue_polls(struct queue *q)
{
    return live_poller(q) != NULL;
}

void queue_poke(struct queue *q)
{
    lock_acquire(&q->lock);
    release_and_unlock(q);
}
/* ---- closing ---- */

void queue_close(struct queue *q)
{
    struct wake_list wakes;

    wake_list_init(&wakes);
    lock_acquire(&q->lock);
    q->closed = true;
    while (release_waiter(q, WAITER_CLOSED, NULL, &wakes))
        ;
    lock_release(&q->lock);
    wake_list_run(&wakes);
    outside_stop(q);
}

struct queue_entry *queue_drain(struct queue *q)
{
    struct queue_entry *e;

    lock_acquire(&q->lock);
    e = pop_entry(q);
    lock_release(&q->lock);
    return e;
}

/* ---- places ---- */

bool queue_block(struct thread *self)
{
    struct queue *q = self->queue;

    if (thread_place(self) == PLACE_NONE)
        return false;
    turn_ends(self);
    lock_acquire(&q->lock);
    count_out(q, self);
    release_and_unlock(q);
    return true;
}

void queue_unblock(struct thread *self, bool held)
{
    struct queue *q = self->queue;

    if (!held)
        return;
    lock_acquire(&q->lock);
    q->active++; /* may exceed active_max for a while: PORT-19 */
    thread_set_place(self, PLACE_HELD);
    lock_release(&q->lock);
}

void queue_leave(struct thread *self)
{
    struct queue *q = self->queue;

    if (!q)
        return;
    turn_ends(self);
    lock_acquire(&q->lock);
    count_out(q, self);
    list_remove(&self->member);
    q->member_count--;
    release_and_unlock(q);
    self->queue = NULL;
    object_put(q->object);
}
