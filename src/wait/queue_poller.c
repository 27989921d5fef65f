/* SPDX-License-Identifier: MIT */
/*
 * The queue's side of its poller: what its edges become, and what threads do with it that dequeue nothing -
 * the home thread, and observers that poll.
 */
#include "wait/queue_inside.h"

#include "engine/home.h"

enum { HELP_AT_ONCE = 64 };

static void put_answers(struct queue *q)
{
    lock_acquire(&q->lock);
    if (!list_linked(&q->answers.link))
        add_entry(q, &q->answers);
    lock_release(&q->lock);
}

/* What one look into the poller finds. It is noted first and appended then, all at once. */
struct harvest {
    unsigned count;
    struct queue_entry *ready[POLLER_EVENTS];
};

static void poller_edge(struct poller *p, uint64_t token, uint32_t events, void *harvest)
{
    struct queue *q = p->owner;
    struct harvest *h = harvest;
    struct queue_entry *e;

    if (token == TOKEN_AIO) {
        put_answers(q);
        return;
    }
    e = q->edge(token, events);
    if (e)
        h->ready[h->count++] = e;
}

int queue_harvest(struct queue *q, struct poller *p, uint64_t deadline_ns)
{
    struct thread *self = thread_current_or_null(); /* none: the home thread */
    struct harvest h;
    int edges;

    h.count = 0;
    if (self)
        self->harvested = q;
    edges = poller_wait(p, deadline_ns, &h);
    if (self)
        self->harvested = NULL;
    if (h.count > 0)
        queue_put_ready(q, h.ready, h.count);
    return edges;
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
void queue_look_locked(struct queue *q)
{
    struct poller *p = live_poller(q);

    if (!p || q->leader)
        return;
    lock_release(&q->lock);
    if (queue_harvest(q, p, 0) > 0)
        home_watch_led(); /* an armed poller will not see what was found: the watchdog must */
    lock_acquire(&q->lock);
    if (__builtin_expect(q->leader != NULL, 0) && atomic_load(&q->leader->state) != WAITER_ARMED)
        poller_wake(p);
}
/* Takes READY entries out, in order. Lock held. */
static unsigned take_ready(struct queue *q, struct queue_entry **out, unsigned max)
{
    unsigned n = 0;

    lock_assert_held(&q->lock);
    list_for_each_safe(l, next, &q->entries) {
        struct queue_entry *e = container_of(l, struct queue_entry, link);

        if (e->ready != QUEUE_READY)
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
    queue_look_locked(q);
    do {
        n = take_ready(q, ready, HELP_AT_ONCE);
        lock_release(&q->lock);
        for (unsigned i = 0; i < n; i++)
            queue_run_ready(q, ready[i]);
        lock_acquire(&q->lock);
    } while (n == HELP_AT_ONCE);
    release_and_unlock(q); /* notices that the look has brought are for those who wait */
}
