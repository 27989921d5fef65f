/* SPDX-License-Identifier: MIT */
/*
 * The concurrency queue. One idea carries it: whenever a place is free (active < active_max) and
 * there is something to do - an entry, or a poller that nobody leads - the most recent waiter is
 * let go. A packet is handed over directly, counted on the waiter's behalf, so that nobody can
 * slip between; for readiness and for the lead a waiter is only told to look.
 *
 * Harvested readiness becomes READY entries at the tail; the thread that dequeues one does the
 * I/O, outside the lock, and keeps the first completion it produces for itself: the packet goes
 * from the kernel to the user's thread without touching another.
 */
#include "wait/queue.h"

#include "base/clock.h"
#include "base/futex.h"
#include "engine/home.h"
#include "engine/poller.h"
#include "ntstatus.h"
#include "wait/apc.h"
#include "wait/outside.h"

#include <assert.h>
#include <errno.h>

/*
 * A queue that is never empty is looked behind all the same: a program that posts to itself would
 * starve its sockets. What is found goes to the tail, so looking again before all that was queued at
 * the last look has been taken would serve nothing earlier; but for small queues not every time.
 */
enum { GETS_PER_LOOK = 16, HELP_AT_ONCE = 64 };

void queue_init(struct queue *q, uint32_t active_max, struct object *object,
                void (*edge)(struct poller *, uint64_t, uint32_t),
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
    q->answers.ready = true;
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

static struct poller *live_poller(struct queue *q)
{
    struct poller *p = atomic_load_explicit(&q->poller, memory_order_acquire);

    return p && atomic_load_explicit(&p->registered, memory_order_relaxed) > 0 ? p : NULL;
}

static struct queue_entry *first_entry(struct queue *q)
{
    struct list *n = list_first(&q->entries);

    return n ? container_of(n, struct queue_entry, link) : NULL;
}

static inline void add_entry(struct queue *q, struct queue_entry *e)
{
    lock_assert_held(&q->lock);
    list_push_back(&q->entries, &e->link);
    q->count++;
    q->ready += e->ready;
}

static inline void remove_entry(struct queue *q, struct queue_entry *e)
{
    lock_assert_held(&q->lock);
    list_remove(&e->link);
    q->count--;
    q->ready -= e->ready;
}

static struct queue_entry *pop_entry(struct queue *q)
{
    struct queue_entry *e = first_entry(q);

    if (e) {
        remove_entry(q, e);
        q->taken_out++;
    }
    return e;
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

/* The frequent case: nobody could be released, and nobody made who could. */
static inline bool nobody_waits(const struct queue *q)
{
    lock_assert_held(&q->lock);
    return __builtin_expect(list_empty(&q->waiters) && !q->starved, 1);
}

static __attribute__((noinline)) void release_some_and_unlock(struct queue *q)
{
    struct wake_list wakes;

    wake_list_init(&wakes);
    release_locked(q, &wakes);
    unlock_and_wake(q, &wakes);
}

static inline void release_and_unlock(struct queue *q)
{
    if (nobody_waits(q))
        lock_release(&q->lock);
    else
        release_some_and_unlock(q);
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

static __attribute__((noinline)) void release_or_put_off_some_and_unlock(struct queue *q, struct thread *self)
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

/* The calling thread will be back: if soon, it does itself what others would be woken for. */
static inline void release_or_put_off_and_unlock(struct queue *q, struct thread *self)
{
    if (nobody_waits(q))
        lock_release(&q->lock);
    else
        release_or_put_off_some_and_unlock(q, self);
}

/* Whose turn is over: it asks for the next entry, or gives its place up. No lock held. */
static inline void turn_ends(struct thread *self)
{
    if (__builtin_expect(self->turn.measured, 0))
        prompt_turn_ends(self->queue, self);
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

void queue_put_ready(struct queue *q, struct queue_entry *e)
{
    assert(e->ready);
    lock_acquire(&q->lock);
    add_entry(q, e);
    lock_release(&q->lock);
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

/* ---- the poller ---- */

static void put_answers(struct queue *q)
{
    lock_acquire(&q->lock);
    if (!list_linked(&q->answers.link))
        add_entry(q, &q->answers);
    lock_release(&q->lock);
}

static void poller_edge(struct poller *p, uint64_t token, uint32_t events)
{
    struct queue *q = p->owner;

    if (token == TOKEN_AIO)
        put_answers(q);
    else
        q->edge(p, token, events);
}

void queue_run_ready(struct queue *q, struct queue_entry *e)
{
    if (e == &q->answers)
        poller_answer(atomic_load(&q->poller));
    else
        q->run_ready(e);
}

static void poller_help(struct poller *p)
{
    queue_help(p->owner);
}

static bool poller_worked_on(struct poller *p)
{
    struct queue *q = p->owner;
    bool moved;

    lock_acquire(&q->lock);
    moved = q->taken_out != q->taken_out_watched;
    q->taken_out_watched = q->taken_out;
    lock_release(&q->lock);
    return moved;
}

static bool poller_idle(struct poller *p)
{
    struct queue *q = p->owner;
    bool idle;

    lock_acquire(&q->lock);
    idle = q->active == 0 && !q->leader;
    lock_release(&q->lock);
    return idle;
}

static bool poller_left(struct poller *p)
{
    struct queue *q = p->owner;
    bool left;

    lock_acquire(&q->lock);
    left = q->ready > 0 && (list_empty(&q->waiters) || q->active >= q->active_max);
    lock_release(&q->lock);
    return left;
}

static bool poller_pin(struct poller *p)
{
    return object_try_get(((struct queue *)p->owner)->object);
}

static void poller_unpin(struct poller *p)
{
    object_put(((struct queue *)p->owner)->object);
}

static const struct poller_ops poller_ops = {
    .edge = poller_edge,
    .help = poller_help,
    .left = poller_left,
    .worked_on = poller_worked_on,
    .idle = poller_idle,
    .pin = poller_pin,
    .unpin = poller_unpin,
};

int queue_make_poller(struct queue *q)
{
    struct poller *made = NULL;
    struct poller *expected = NULL;
    int err;

    if (atomic_load(&q->poller))
        return 0;
    err = poller_new(&made, q, &poller_ops);
    if (err)
        return err;
    if (!atomic_compare_exchange_strong(&q->poller, &expected, made))
        poller_free(made);
    return 0;
}

void queue_free(struct queue *q)
{
    struct poller *p = atomic_load(&q->poller);

    assert(list_empty(&q->waiters));
    if (list_linked(&q->answers.link))
        remove_entry(q, &q->answers); /* put by a look that met with the end; the answers had been taken */
    assert(list_empty(&q->entries));
    assert(list_empty(&q->members) && !q->looking);
    if (p)
        poller_free(p);
}

/*
 * Looks for readiness without sleeping; what there is becomes READY entries. Lock held, and held
 * again on return. Somebody may have become the leader before the look, and been claimed: then the look
 * may have taken the wake that was meant for the leader, who gets another.
 */
static void look_locked(struct queue *q)
{
    struct poller *p = live_poller(q);

    if (!p || q->leader)
        return;
    lock_release(&q->lock);
    if (poller_wait(p, 0) > 0)
        home_watch_led(); /* an armed poller will not see what was found: the watchdog must */
    lock_acquire(&q->lock);
    if (__builtin_expect(q->leader != NULL, 0) && atomic_load(&q->leader->state) != WAITER_ARMED)
        poller_wake(p);
}

/* The poller has been looked into; when to look again if the queue does not run empty. */
static void looked_locked(struct queue *q)
{
    lock_assert_held(&q->lock);
    q->gets = 0;
    q->look_after = q->count > GETS_PER_LOOK ? q->count : GETS_PER_LOOK;
}

/* Takes READY entries out, in order. Lock held. */
static unsigned take_ready(struct queue *q, struct queue_entry **out, unsigned max)
{
    unsigned n = 0;

    lock_assert_held(&q->lock);
    list_for_each_safe(l, next, &q->entries) {
        struct queue_entry *e = container_of(l, struct queue_entry, link);

        if (!e->ready)
            continue;
        remove_entry(q, e);
        out[n++] = e;
        if (n == max || q->ready == 0)
            break;
    }
    return n;
}

void queue_help(struct queue *q)
{
    struct queue_entry *ready[HELP_AT_ONCE];
    unsigned n;

    lock_acquire(&q->lock);
    look_locked(q);
    do {
        n = take_ready(q, ready, HELP_AT_ONCE);
        lock_release(&q->lock);
        for (unsigned i = 0; i < n; i++)
            queue_run_ready(q, ready[i]);
        lock_acquire(&q->lock);
    } while (n == HELP_AT_ONCE);
    lock_release(&q->lock);
}

/* ---- getting ---- */

/* One call of queue_get. */
struct get {
    struct queue *q;
    struct thread *self;
    struct queue_entry **out;
    unsigned max;
    unsigned count;
    bool alertable;
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

static void count_out(struct queue *q, struct thread *self)
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

/* Does the I/O of one READY entry; the first packet it gives this queue comes back. */
static struct queue_entry *run_ready(struct get *g, struct queue_entry *e)
{
    struct queue_entry *kept;

    g->self->keeping = g->q;
    queue_run_ready(g->q, e);
    g->self->keeping = NULL;
    kept = g->self->kept;
    g->self->kept = NULL;
    return kept;
}

/*
 * Takes entries while there are some and room in out[]. The thread is counted. Lock held on entry
 * and return, but not while I/O is done.
 */
static void fill(struct get *g)
{
    struct queue *q = g->q;
    struct queue_entry *e;

    while (g->count < g->max && !q->closed && (e = pop_entry(q)) != NULL) {
        q->gets++;
        if (e->ready) {
            /* Others may want what is left, or the lead, meanwhile. */
            release_or_put_off_and_unlock(q, g->self);
            e = run_ready(g, e);
            lock_acquire(&q->lock);
        }
        if (e)
            g->out[g->count++] = e;
    }
    if (q->gets >= q->look_after) {
        look_locked(q);
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
        if (poller_wait(p, g->deadline_ns) > 0)
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
    look_locked(q);
    return STATUS_PENDING;
}

/* The frequent case: a worker of this queue wants one entry, and a packet is first. It keeps its place. */
static inline struct queue_entry *next_packet(struct queue *q, struct thread *self)
{
    struct queue_entry *e = first_entry(q);

    lock_assert_held(&q->lock);
    if (!e || e->ready || q->closed || thread_place(self) != PLACE_HELD)
        return NULL;
    if (q->active > q->active_max || q->taken > 0 || q->gets + 1 >= q->look_after)
        return NULL;
    q->gets++;
    return pop_entry(q);
}

uint32_t queue_get(struct queue *q, struct queue_entry **out, unsigned max, unsigned *count,
                   bool alertable, uint64_t deadline_ns)
{
    struct get g = {.q = q,
                    .self = thread_current(),
                    .out = out,
                    .max = max,
                    .alertable = alertable,
                    .deadline_ns = deadline_ns};
    uint32_t status;

    lock_assert_none();
    assert(max > 0);
    for (;;) {
        join(q, g.self);
        turn_ends(g.self);
        lock_acquire(&q->lock);
        if (max == 1 && (out[0] = next_packet(q, g.self)) != NULL) {
            release_or_put_off_and_unlock(q, g.self);
            *count = 1;
            return STATUS_SUCCESS;
        }
        count_out(q, g.self);
        do {
            status = turn(&g);
        } while (status == STATUS_PENDING);
        if (status == STATUS_SUCCESS && g.count < max && q->count > 0)
            fill(&g); /* a packet was handed over: take what lies there with it */
        release_or_put_off_and_unlock(q, g.self);
        if (status != STATUS_USER_APC || apc_run_all(g.self) > 0)
            break; /* an APC that was withdrawn before it ran does not end the call */
    }
    *count = g.count;
    return status;
}

unsigned queue_get_more(struct queue *q, struct queue_entry **out, unsigned max)
{
    struct get g = {.q = q, .self = thread_current(), .out = out, .max = max};

    assert(g.self->queue == q && thread_place(g.self) != PLACE_NONE);
    lock_acquire(&q->lock);
    fill(&g);
    release_or_put_off_and_unlock(q, g.self);
    return g.count;
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
