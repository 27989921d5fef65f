/* SPDX-License-Identifier: MIT */
/*
 * Waitable timers. The home thread's heap fires them; the firing signals the dispatcher and
 * queues the routine to the thread that set the timer.
 *
 * An armed timer holds a reference to itself, dropped by whoever disarms it or by the firing. When
 * a timer is set again while its firing is on the way (taken out of the heap, not yet here), the
 * firing is counted as stale and does nothing.
 *
 * Each firing that has a routine allocates its own APC: one that the thread has taken off its
 * queue already, but not yet run, sees that it is no longer the current one and calls nobody.
 */
#include "base/clock.h"
#include "engine/home.h"
#include "ntstatus.h"
#include "object/name.h"
#include "wait/objects.h"

#include <assert.h>
#include <stdlib.h>

typedef void timer_routine(void *arg, uint32_t low, uint32_t high);

struct waitable_timer {
    struct object object;
    struct dispatcher dispatcher;
    struct lock lock; /* everything below; rank LOCK_FILE: taken before all others here */
    struct timer timer;
    bool armed;      /* in the heap, or its firing is on the way */
    uint32_t stale;  /* firings on the way that belong to an earlier setting */
    uint64_t due_ns;
    uint64_t period_ns;
    timer_routine *routine;
    void *arg;
    struct thread *thread;    /* counted; gets the routine */
    struct timer_apc *queued; /* the current APC, owned by the thread's queue */
};

struct timer_apc {
    struct apc apc;
    struct waitable_timer *timer; /* counted */
    uint64_t time;                /* FILETIME of the firing */
};

static struct waitable_timer *from_object(struct object *obj)
{
    return container_of(obj, struct waitable_timer, object);
}

static void free_apc(struct timer_apc *a)
{
    object_put(&a->timer->object);
    free(a);
}

/* On the thread that set the timer, inside an alertable wait. */
static void run_apc(struct apc *apc)
{
    struct timer_apc *a = container_of(apc, struct timer_apc, apc);
    struct waitable_timer *t = a->timer;
    timer_routine *routine = NULL;
    uint64_t time = a->time;
    void *arg = NULL;

    lock_acquire(&t->lock);
    if (t->queued == a) {
        t->queued = NULL;
        routine = t->routine;
        arg = t->arg;
    }
    lock_release(&t->lock);
    free_apc(a); /* before: the routine may call ExitThread */
    if (routine)
        routine(arg, (uint32_t)time, (uint32_t)(time >> 32));
}

static void drop_apc(struct apc *apc)
{
    struct timer_apc *a = container_of(apc, struct timer_apc, apc);

    lock_acquire(&a->timer->lock);
    if (a->timer->queued == a)
        a->timer->queued = NULL;
    lock_release(&a->timer->lock);
    free_apc(a);
}

/* Queues the routine unless the last one still waits. false: its thread has ended. Lock held. */
static bool queue_routine(struct waitable_timer *t)
{
    struct timer_apc *a;

    lock_assert_held(&t->lock);
    if (!t->routine || t->queued)
        return true;
    a = malloc(sizeof *a);
    if (!a)
        return true; /* this round is lost, as when the thread is late */
    a->apc.run = run_apc;
    a->apc.drop = drop_apc;
    a->timer = t;
    a->time = (uint64_t)clock_filetime();
    object_get(&t->object);
    t->queued = a;
    if (apc_queue(t->thread, &a->apc))
        return true;
    t->queued = NULL;
    free_apc(a); /* not the last reference: the firing holds one */
    return false;
}

/* Lock held. True: the reference of the firing belongs to the heap again. */
static bool next_round(struct waitable_timer *t)
{
    uint64_t now = clock_now_ns();

    if (t->period_ns == 0)
        return false;
    t->due_ns += t->period_ns;
    if (t->due_ns < now) /* late by rounds: they are left out */
        t->due_ns = now + t->period_ns - (now - t->due_ns) % t->period_ns;
    return timer_set(&t->timer, t->due_ns) == 0;
}

static void fire(struct timer *timer)
{
    struct waitable_timer *t = container_of(timer, struct waitable_timer, timer);
    struct wake_list wakes;
    bool kept = false;

    wake_list_init(&wakes);
    lock_acquire(&t->lock);
    if (t->stale > 0) {
        t->stale--;
    } else {
        lock_acquire(&t->dispatcher.lock);
        t->dispatcher.signal = 1;
        dispatcher_wake_locked(&t->dispatcher, &wakes);
        lock_release(&t->dispatcher.lock);
        kept = queue_routine(t) && next_round(t);
        t->armed = kept;
    }
    lock_release(&t->lock);
    wake_list_run(&wakes);
    if (!kept)
        object_put(&t->object);
}

/*
 * Stops it and withdraws an undelivered routine. Lock held; what has to be freed once it is not
 * is handed out: the thread, the APC, and whether the heap's reference is to be dropped.
 */
struct leftovers {
    struct thread *thread;
    struct timer_apc *apc;
    bool reference;
};

static struct leftovers stop(struct waitable_timer *t)
{
    struct leftovers left = {.thread = t->thread};

    lock_assert_held(&t->lock);
    if (t->queued && apc_withdraw(t->thread, &t->queued->apc))
        left.apc = t->queued;
    t->queued = NULL;
    t->thread = NULL;
    t->routine = NULL;
    if (t->armed) {
        left.reference = timer_cancel(&t->timer);
        if (!left.reference)
            t->stale++;
    }
    t->armed = false;
    return left;
}

static void let_go(struct waitable_timer *t, struct leftovers left)
{
    if (left.thread)
        object_put(&left.thread->object);
    if (left.apc)
        free_apc(left.apc);
    if (left.reference)
        object_put(&t->object);
}

uint32_t timer_object_cancel(struct object *timer)
{
    struct waitable_timer *t = from_object(timer);
    struct leftovers left;

    lock_acquire(&t->lock);
    left = stop(t);
    lock_release(&t->lock);
    let_go(t, left);
    return STATUS_SUCCESS;
}

uint32_t timer_object_set(struct object *timer, int64_t due_100ns, int32_t period_ms,
                          timer_routine *routine, void *arg)
{
    struct waitable_timer *t = from_object(timer);
    struct thread *self = thread_current();
    struct leftovers left;
    int err;

    if (period_ms < 0)
        return STATUS_INVALID_PARAMETER;
    if (home_start() != 0)
        return STATUS_INSUFFICIENT_RESOURCES;
    lock_acquire(&t->lock);
    left = stop(t);
    t->due_ns = deadline_from_due(due_100ns);
    t->period_ns = (uint64_t)period_ms * NS_PER_MS;
    t->routine = routine;
    t->arg = arg;
    if (routine) {
        object_get(&self->object);
        t->thread = self;
    }
    dispatcher_set(&t->dispatcher, 0);
    err = timer_set(&t->timer, t->due_ns);
    t->armed = err == 0;
    if (t->armed)
        object_get(&t->object);
    lock_release(&t->lock);
    let_go(t, left);
    return err ? STATUS_NO_MEMORY : STATUS_SUCCESS;
}

static void cleanup(struct object *obj)
{
    if (object_name_leave(obj))
        timer_object_cancel(obj);
}

static void destroy(struct object *obj)
{
    struct waitable_timer *t = from_object(obj);

    assert(!t->armed && !t->queued);
    object_name_clear(obj);
    if (t->thread)
        object_put(&t->thread->object);
    free(t);
}

static struct dispatcher *dispatcher_of(struct object *obj)
{
    return &from_object(obj)->dispatcher;
}

const struct object_type timer_type = {
    .name = "timer",
    .kind = OBJECT_TIMER,
    .cleanup = cleanup,
    .destroy = destroy,
    .dispatcher = dispatcher_of,
};

uint32_t timer_object_new(const char *name, bool manual, struct object **out)
{
    struct waitable_timer *t = calloc(1, sizeof *t);

    if (!t)
        return STATUS_NO_MEMORY;
    object_init(&t->object, &timer_type);
    dispatcher_init(&t->dispatcher, manual ? CONSUME_NOTHING : CONSUME_ONE, 0);
    lock_init(&t->lock, LOCK_FILE);
    timer_init(&t->timer, fire);
    return object_publish_name(&t->object, name, out);
}
