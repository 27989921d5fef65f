/* SPDX-License-Identifier: MIT */
/*
 * Taking entries out of the queue. The thread that dequeues readiness does its I/O, outside the lock, and
 * keeps the first completion that this produces for itself: the packet goes from the kernel to the user's
 * thread without touching another. Who finds nothing sleeps as the most recent waiter, in the poller if
 * nobody else does.
 */
#include "wait/queue_inside.h"

#include "base/align.h"
#include "base/clock.h"
#include "base/futex.h"
#include "engine/home.h"
#include "ntstatus.h"
#include "wait/apc.h"
#include "wait/outside.h"

#include <errno.h>

/* One call of queue_get. */
struct get {
    struct queue *q;
    struct thread *self;
    struct queue_entry **out;
    unsigned max;
    unsigned count;
    bool alertable;
    bool packets_only; /* and READY entries: what a notice's packet puts back is for the next dequeue */
    bool looked; /* a dequeue that does not sleep has looked into the poller */
    bool late;   /* the deadline has passed */
    bool polls;  /* looks for a while before it sleeps */
    bool paid;   /* and need not sleep then */
    uint64_t deadline_ns;
};

static void count_in(struct get *g)
{
    g->q->active++;
    thread_set_place(g->self, PLACE_HELD);
}
static void join(struct queue *q, struct thread *self)
{
    if (self->queue == q)
        return;
    queue_leave(self);
    object_get(q->object);
    self->queue = q;
    lock_acquire(&q->lock);
    list_push_front(&q->members, &self->member); /* front: see look_at in outside.c */
    q->member_count++;
    lock_release(&q->lock);
}

/*
 * A READY entry has been taken out. While its work is done, the lines of the one behind the next come into
 * the cache: all that a message touches of its file, in whose third line the entry lies (io/file.h). The next
 * one's have come by now. For a packet, or the head, these are some lines for nothing.
 */
static inline void fetch_ahead(struct queue *q)
{
    const char *entry = (const char *)q->entries.next->next;

    lock_assert_held(&q->lock);
    for (int line = -2; line <= 1; line++)
        __builtin_prefetch(entry + line * CACHE_LINE);
}

/* Does the I/O of one READY entry; the first packet it gives this queue comes back. */
static struct queue_entry *run_ready(struct queue *q, struct thread *self, struct queue_entry *e)
{
    struct queue_entry *kept;

    self->keeping = q;
    queue_run_ready(q, e);
    self->keeping = NULL;
    kept = self->kept;
    self->kept = NULL;
    return kept;
}

static bool stops_here(const struct get *g)
{
    const struct queue_entry *e = first_entry(g->q);

    return g->packets_only && e && e->ready == QUEUE_NOTICE;
}

/*
 * Takes entries while there are some and room in out[]. The thread is counted. Lock held on entry
 * and return, but not while I/O is done.
 */
static void fill(struct get *g)
{
    struct queue *q = g->q;
    struct queue_entry *e;

    while (g->count < g->max && !q->closed && !stops_here(g) && (e = pop_entry(q)) != NULL) {
        q->gets++;
        if (e->ready) {
            fetch_ahead(q);
            /* Others may want what is left, or the lead, meanwhile. */
            release_or_put_off_and_unlock(q, g->self);
            e = run_ready(q, g->self, e);
            lock_acquire(&q->lock);
        }
        if (e)
            g->out[g->count++] = e;
    }
    if (q->gets >= q->look_after) {
        queue_look_locked(q);
        looked_locked(q);
    }
}

/* The poll before the sleep; p is NULL for who would sleep on its futex. */
static void poll_first(struct get *g, struct poller *p)
{
    struct waiter *w = &g->self->waiter;

    g->paid = spin_until_found(g->q, w, p, g->deadline_ns);
    atomic_store(&w->polls, false); /* before the last look at `state`: pairs with release_waiter */
}

static void sleep_in_poller(struct get *g, struct poller *p)
{
    struct waiter *w = &g->self->waiter;
    uint32_t armed;

    atomic_store(&p->led, true);
    if (g->polls)
        poll_first(g, p);
    while (!g->paid && atomic_load(&w->state) == WAITER_ARMED) {
        if (queue_harvest(g->q, p, g->deadline_ns) > 0)
            break; /* readiness: nobody claimed us yet, but there is work */
        if (g->deadline_ns != DEADLINE_NEVER && clock_now_ns() >= g->deadline_ns) {
            armed = WAITER_ARMED;
            atomic_compare_exchange_strong(&w->state, &armed, WAITER_TIMEOUT);
        }
    }
    atomic_store(&p->led, false);
    home_watch_led();
}

static void sleep_on_futex(struct get *g)
{
    struct waiter *w = &g->self->waiter;
    uint32_t armed;

    if (g->polls)
        poll_first(g, NULL);
    while (atomic_load(&w->state) == WAITER_ARMED) {
        if (futex_wait(&w->state, WAITER_ARMED, g->deadline_ns) == -ETIMEDOUT) {
            armed = WAITER_ARMED;
            atomic_compare_exchange_strong(&w->state, &armed, WAITER_TIMEOUT);
        }
    }
}

/* Sleeps as the most recent waiter, as the leader if there is none. Lock held on entry and
 * return. Returns the state it was woken with. */
static uint32_t park(struct get *g)
{
    struct queue *q = g->q;
    struct waiter *w = &g->self->waiter;
    struct poller *p = q->leader || q->active >= q->active_max ? NULL : live_poller(q);
    uint32_t state;
    bool look;

    w->given = NULL;
    w->in_poller = p != NULL;
    g->paid = false;
    g->polls = spin_begin_locked(q);
    if (g->polls)
        atomic_store_explicit(&w->polls, true, memory_order_relaxed); /* the lock publishes it */
    atomic_store(&w->state, WAITER_ARMED);
    list_push_front(&q->waiters, &w->link);
    if (p)
        q->leader = w;
    look = outside_due_locked(q);
    lock_release(&q->lock);

    if (look)
        outside_begin(q);
    turn_ends(g->self); /* a sleep in here is nothing that its worker computes */
    if (g->alertable)
        apc_alertable_begin(g->self, p, false);
    if (p)
        sleep_in_poller(g, p);
    else
        sleep_on_futex(g);
    if (g->alertable)
        apc_alertable_end(g->self);

    lock_acquire(&q->lock);
    if (list_linked(&w->link))
        list_remove(&w->link);
    if (q->leader == w) {
        q->leader = NULL;
        looked_locked(q);
    }
    if (g->polls)
        spin_end_locked(q, g->paid);
    state = atomic_exchange(&w->state, WAITER_IDLE);
    if (state == WAITER_LOOK)
        q->lookers--;
    return state;
}

/* STATUS_PENDING: look again. Lock held. */
static uint32_t sleep_and_look(struct get *g)
{
    switch (park(g)) {
    case WAITER_SATISFIED: /* counted by whoever handed it over */
        thread_set_place(g->self, PLACE_HELD);
        g->out[g->count++] = g->self->waiter.given;
        return STATUS_SUCCESS;
    case WAITER_TIMEOUT:
        g->late = true;
        return STATUS_PENDING;
    default: /* WAITER_ARMED (harvested), _LOOK, _CLOSED, _APC: the loop finds out */
        return STATUS_PENDING;
    }
}

/* One turn of the dequeue. Lock held on entry and return. */
static uint32_t turn(struct get *g)
{
    struct queue *q = g->q;

    if (q->closed)
        return STATUS_ABANDONED_WAIT_0;
    if (__builtin_expect(q->taken > 0, 0))
        outside_recount_locked(q);
    if (q->count > 0 && q->active < q->active_max) {
        count_in(g);
        fill(g);
        if (g->count > 0)
            return STATUS_SUCCESS;
        count_out(q, g->self); /* readiness, but nothing completed */
        return STATUS_PENDING;
    }
    if (g->alertable && apc_pending(g->self))
        return STATUS_USER_APC;
    if (g->late)
        return STATUS_TIMEOUT;
    if (g->deadline_ns != 0)
        return sleep_and_look(g);
    if (g->looked)
        return STATUS_TIMEOUT;
    g->looked = true;
    queue_look_locked(q);
    return STATUS_PENDING;
}

/* The frequent case: a worker of this queue wants one entry, and one lies there. It keeps its place. */
static inline struct queue_entry *next_entry(struct queue *q, struct thread *self)
{
    lock_assert_held(&q->lock);
    if (q->count == 0 || q->closed || thread_place(self) != PLACE_HELD)
        return NULL;
    if (q->active > q->active_max || q->taken > 0 || q->gets + 1 >= q->look_after)
        return NULL;
    q->gets++;
    return pop_entry(q);
}

/* `locked`: the thread has joined, its turn is over, and it holds the lock. */
static uint32_t get_all(struct get *g, bool locked)
{
    struct queue *q = g->q;
    uint32_t status;

    for (;;) {
        if (!locked) {
            join(q, g->self);
            turn_ends(g->self);
            lock_acquire(&q->lock);
        }
        locked = false;
        count_out(q, g->self);
        do {
            status = turn(g);
        } while (status == STATUS_PENDING);
        if (status == STATUS_SUCCESS && g->count < g->max && q->count > 0)
            fill(g); /* a packet was handed over: take what lies there with it */
        release_or_put_off_and_unlock(q, g->self);
        if (status != STATUS_USER_APC || apc_run_all(g->self) > 0)
            return status; /* an APC that was withdrawn before it ran does not end the call */
    }
}

static __attribute__((noinline)) uint32_t get_slowly(struct queue *q, struct queue_entry **out, unsigned max,
                                                     unsigned *count, bool alertable, uint64_t deadline_ns,
                                                     bool locked)
{
    struct get g = {.q = q,
                    .self = thread_current(),
                    .out = out,
                    .max = max,
                    .alertable = alertable,
                    .deadline_ns = deadline_ns};
    uint32_t status = get_all(&g, locked);

    *count = g.count;
    return status;
}

uint32_t queue_get(struct queue *q, struct queue_entry **out, unsigned max, unsigned *count,
                   bool alertable, uint64_t deadline_ns)
{
    struct thread *self = thread_current();
    bool locked = max == 1 && self->queue == q;
    struct queue_entry *e;

    lock_assert_none();
    assert(max > 0);
    if (__builtin_expect(locked, 1)) {
        turn_ends(self);
        lock_acquire(&q->lock);
        e = next_entry(q, self);
        if (e) {
            if (e->ready)
                fetch_ahead(q);
            release_or_put_off_and_unlock(q, self);
            if (e->ready) /* whom it leaves something to, and the lead, has been told */
                e = run_ready(q, self, e);
            if (e) {
                out[0] = e;
                *count = 1;
                return STATUS_SUCCESS;
            }
            locked = false; /* readiness, but nothing completed */
        }
    }
    return get_slowly(q, out, max, count, alertable, deadline_ns, locked);
}

unsigned queue_get_more(struct queue *q, struct queue_entry **out, unsigned max)
{
    struct get g = {.q = q, .self = thread_current(), .out = out, .max = max, .packets_only = true};

    assert(g.self->queue == q && thread_place(g.self) != PLACE_NONE);
    lock_acquire(&q->lock);
    fill(&g);
    release_or_put_off_and_unlock(q, g.self);
    return g.count;
}
