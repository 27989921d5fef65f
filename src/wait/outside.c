/* SPDX-License-Identifier: MIT */
/*
 * Threads that block outside the library. While something waits in a queue, or in a poller that
 * nobody leads, and all places are held though waiters are parked, the home thread looks at the
 * holders every 2 ms: one whose processor time has not moved since the last look has not run in
 * between, and if the kernel says now that it sleeps, it has slept all the time (who waits for a
 * processor is "running" to the kernel, however long). Its place is taken, and the most recent waiter
 * gets it. The processor time costs 0.7 us and keeps /proc, ten times dearer, for those who
 * have not run at all; the dequeues themselves do nothing.
 *
 * That it runs again is seen the same way, by its processor time: at the next look, or by whoever
 * is about to use the free place. Then it counts, perhaps as one too many (PORT-19). It need not
 * call in for that; when it does, it loses its place or what stands for it like any other.
 *
 * Holders that really compute keep their places, however long, but where threads can be made (a thread
 * pool): there one more is released for every half second in which nothing has been taken out, because what
 * they wait for by computing may lie in the queue.
 *
 * The looking ends by itself some ticks after its cause; it holds a reference to the queue's object.
 */
#include "wait/outside.h"

#include "base/clock.h"
#include "base/os.h"
#include "engine/poller.h"

#include <assert.h>

/* A cause that comes and goes is waited for a little: to begin anew wakes the home thread. */
enum { CALM_LOOKS = 4, STALLED_LOOKS = 250 };
#define FIRST_LOOK_NS NS_PER_MS
#define LOOK_NS (2 * NS_PER_MS)

/* At most this part of the time is spent on recounting by those who put and get. */
#define RECOUNT_NS (UINT64_C(250) * 1000)

static bool wanted_locked(struct queue *q)
{
    struct poller *p;

    lock_assert_held(&q->lock);
    if (q->active < q->active_max || q->closed || (list_empty(&q->waiters) && !q->starved))
        return false;
    if (q->count > 0)
        return true;
    p = atomic_load_explicit(&q->poller, memory_order_acquire);
    return !q->leader && p && atomic_load_explicit(&p->registered, memory_order_relaxed) > 0;
}

/* How long the thread has run; 0 if the kernel does not tell. */
static uint64_t time_run(clockid_t clock)
{
    struct timespec ts;

    if (clock_gettime(clock, &ts) != 0)
        return 0;
    return (uint64_t)ts.tv_sec * NS_PER_SEC + (uint64_t)ts.tv_nsec;
}

static void take_place(struct queue *q, struct thread *t)
{
    lock_assert_held(&q->lock);
    assert(q->active > 0);
    thread_set_place(t, PLACE_TAKEN);
    q->active--;
    q->taken++;
}

static void give_back(struct queue *q, struct thread *t)
{
    lock_assert_held(&q->lock);
    assert(q->taken > 0);
    thread_set_place(t, PLACE_HELD);
    q->active++; /* may exceed active_max for a while: PORT-19 */
    q->taken--;
}

/* Moves members to the end until one of the first `left` has something to do with places. */
static struct thread *next_locked(struct queue *q, unsigned *left)
{
    lock_assert_held(&q->lock);
    for (; *left > 0 && !list_empty(&q->members); --*left) {
        struct list *n = list_pop_front(&q->members);
        struct thread *t = container_of(n, struct thread, member);

        list_push_back(&q->members, n);
        if (thread_place(t) != PLACE_NONE) {
            --*left;
            return t;
        }
    }
    return NULL;
}

/*
 * Looks at one member, the last of the list. Lock held on entry and return, but not while the kernel is
 * asked; it is the same member still if it is still the last, because who joins goes to the front.
 */
static void look_at(struct queue *q, struct thread *t)
{
    clockid_t clock = t->cpu_clock;
    uint32_t tid = atomic_load(&t->tid);
    uint64_t before = t->time_run;
    uint64_t now;
    bool sleeps;

    lock_release(&q->lock);
    now = time_run(clock);
    sleeps = now != 0 && now == before && os_thread_sleeps(tid);
    lock_acquire(&q->lock);
    if (q->members.prev != &t->member)
        return;
    t->time_run = now;
    if (now != before && thread_place(t) == PLACE_TAKEN)
        give_back(q, t);
    else if (sleeps && thread_place(t) == PLACE_HELD && time_run(clock) == now)
        take_place(q, t);
}

#ifdef IOCP_DEBUG
/* Who holds a place is counted; who was handed a packet and has not woken yet is too. */
static bool counts_agree(struct queue *q)
{
    uint32_t held = 0, taken = 0;

    list_for_each(n, &q->members) {
        enum place place = thread_place(container_of(n, struct thread, member));

        held += place == PLACE_HELD;
        taken += place == PLACE_TAKEN;
    }
    return held <= q->active && taken == q->taken;
}
#endif

static void look_locked(struct queue *q)
{
    unsigned left = q->member_count;
    struct thread *t;

    while ((t = next_locked(q, &left)) != NULL)
        look_at(q, t);
#ifdef IOCP_DEBUG
    assert(counts_agree(q));
#endif
}

static void stalled_locked(struct queue *q)
{
    lock_assert_held(&q->lock);
    if (!q->starved)
        return;
    if (q->taken_out != q->taken_out_seen)
        q->stalled = 0;
    q->taken_out_seen = q->taken_out;
    if (++q->stalled < STALLED_LOOKS)
        return;
    q->stalled = 0;
    q->active_max++;
}

/* The next look, which takes over the reference. */
static void set_look(struct queue *q, uint64_t in_ns)
{
    if (timer_set(&q->look, clock_now_ns() + in_ns) == 0)
        return;
    lock_acquire(&q->lock);
    q->looking = false; /* no home thread to be had: the next change tries again */
    q->prompt.ticking = false;
    lock_release(&q->lock);
    queue_poke(q); /* nobody will make good what was put off */
    object_put(q->object);
}

static void tick(struct timer *timer)
{
    struct queue *q = container_of(timer, struct queue, look);
    uint64_t now = clock_now_ns();
    bool release;
    bool often;
    bool go_on;

    lock_acquire(&q->lock);
    release = prompt_tick_locked(q);
    often = q->prompt.ticking;
    if (now >= q->look_ns) {
        q->look_ns = now + LOOK_NS - PROMPT_TICK_NS / 2;
        q->calm = wanted_locked(q) ? 0 : q->calm + 1;
        if (q->calm == 0) {
            look_locked(q);
            stalled_locked(q);
            release = true; /* for a place that was taken */
        }
    }
    go_on = !q->closed && (often || q->calm < CALM_LOOKS);
    q->looking = go_on;
    if (!go_on)
        q->active_max = q->active_usual;
    lock_release(&q->lock);
    if (release)
        queue_poke(q);
    if (go_on)
        set_look(q, often ? PROMPT_TICK_NS : LOOK_NS);
    else
        object_put(q->object);
}

void outside_init(struct queue *q)
{
    list_init(&q->members);
    q->member_count = 0;
    q->taken = 0;
    q->recount_ns = 0;
    q->looking = false;
    q->calm = 0;
    q->look_ns = 0;
    timer_init(&q->look, tick);
}

bool outside_ask_locked(struct queue *q)
{
    lock_assert_held(&q->lock);
    assert(!q->looking);
    if (!q->prompt.wants_tick && !wanted_locked(q))
        return false;
    q->looking = true;
    q->calm = 0;
    object_get(q->object);
    return true;
}

void outside_begin(struct queue *q)
{
    set_look(q, FIRST_LOOK_NS);
}

void outside_stop(struct queue *q)
{
    if (!timer_cancel(&q->look))
        return; /* not armed, or it runs and will see that the queue is closed */
    lock_acquire(&q->lock);
    q->looking = false;
    lock_release(&q->lock);
    object_put(q->object);
}

void outside_recount_locked(struct queue *q)
{
    uint64_t now = clock_now_ns();

    lock_assert_held(&q->lock);
    if (now < q->recount_ns)
        return;
    q->recount_ns = now + q->taken * RECOUNT_NS;
    list_for_each(n, &q->members) {
        struct thread *t = container_of(n, struct thread, member);

        if (thread_place(t) == PLACE_TAKEN && time_run(t->cpu_clock) != t->time_run)
            give_back(q, t);
    }
}
