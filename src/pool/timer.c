/* SPDX-License-Identifier: MIT */
/*
 * Timers of the pool: set in the home thread's heap, whose firing queues the task. As with waitable timers
 * (wait/timer.c) an armed timer holds a reference, and a firing that is on its way while the timer is set
 * again is counted as stale and does nothing. Rounds that the home thread is late by are left out; those that
 * callbacks are late by are not.
 */
#include "pool/tasks.h"

#include "base/clock.h"
#include "engine/home.h"
#include "ntstatus.h"

#include <assert.h>
#include <stdlib.h>

/* Everything below `fn` is guarded by task.idle.lock. */
struct pool_timer {
    struct task task;
    union {
        PTP_TIMER_CALLBACK timer;
        WAITORTIMERCALLBACK fired;
    } fn; /* constant */
    struct timer timer;
    bool set;       /* by the program, and not to NULL */
    bool stopped;   /* for good */
    bool armed;     /* in the heap, or its firing is on the way */
    bool ended;     /* has fired, and had no period */
    uint32_t stale; /* firings on the way that belong to an earlier setting */
    uint64_t due_ns;
    uint64_t period_ns;
};

static struct pool_timer *from_task(struct task *t)
{
    return container_of(t, struct pool_timer, task);
}

static void destroy(struct object *obj)
{
    struct task *t = task_from_object(obj);

    assert(!from_task(t)->armed);
    timer_unreserve(&from_task(t)->timer);
    task_fini(t);
    free(from_task(t));
}

static const struct object_type timer_task_type = {
    .name = "pool timer",
    .kind = OBJECT_TASK,
    .destroy = destroy,
};

/* Lock held. True: the reference of the firing belongs to the heap again. */
static bool next_round(struct pool_timer *p)
{
    uint64_t now = clock_now_ns();

    if (p->period_ns == 0)
        return false;
    p->due_ns += p->period_ns;
    if (p->due_ns < now)
        p->due_ns = now + p->period_ns - (now - p->due_ns) % p->period_ns;
    return timer_set(&p->timer, p->due_ns) == 0;
}

static void fire(struct timer *timer)
{
    struct pool_timer *p = container_of(timer, struct pool_timer, timer);
    struct task *t = &p->task;
    bool queue = false;
    bool kept = false;

    lock_acquire(&t->idle.lock);
    if (p->stale > 0) {
        p->stale--;
    } else {
        queue = task_add_locked(t);
        kept = next_round(p);
        p->armed = kept;
        p->ended = !kept;
    }
    lock_release(&t->idle.lock);
    if (queue)
        task_queue(t);
    if (!kept)
        object_put(&t->object);
}

/* Lock held. *reference: the heap's is to be dropped. True: it was to fire. */
static bool stop_locked(struct pool_timer *p, bool *reference)
{
    bool was_armed = p->armed;

    lock_assert_held(&p->task.idle.lock);
    *reference = was_armed && timer_cancel(&p->timer);
    if (was_armed && !*reference)
        p->stale++;
    p->armed = false;
    return was_armed;
}

/* Lock held. True: queue the task. */
static bool start_locked(struct pool_timer *p, uint64_t due_ns, uint32_t period_ms)
{
    uint64_t now = clock_now_ns();
    bool at_once = due_ns <= now;

    lock_assert_held(&p->task.idle.lock);
    if (p->stopped)
        return false;
    p->due_ns = at_once ? now : due_ns;
    p->period_ns = period_ms * NS_PER_MS;
    if (!at_once)
        p->armed = timer_set(&p->timer, due_ns) == 0;
    else
        p->armed = next_round(p);
    p->ended = !p->armed;
    if (p->armed)
        object_get(&p->task.object);
    return at_once && task_add_locked(&p->task);
}

bool pool_timer_set(struct task *t, uint64_t due_ns, uint32_t period_ms)
{
    struct pool_timer *p = from_task(t);
    bool reference, was_armed, queue;

    lock_acquire(&t->idle.lock);
    was_armed = stop_locked(p, &reference);
    queue = start_locked(p, due_ns, period_ms);
    p->set = true;
    lock_release(&t->idle.lock);
    if (queue)
        task_queue(t);
    if (reference)
        object_put(&t->object);
    return was_armed;
}

static bool stop_timer(struct task *t, bool for_good)
{
    struct pool_timer *p = from_task(t);
    bool reference, was_armed;

    lock_acquire(&t->idle.lock);
    was_armed = stop_locked(p, &reference);
    p->set = false;
    p->stopped |= for_good;
    lock_release(&t->idle.lock);
    if (reference)
        object_put(&t->object);
    return was_armed;
}

bool pool_timer_stop(struct task *t)
{
    return stop_timer(t, false);
}

static bool stop(struct task *t)
{
    return stop_timer(t, true);
}

bool pool_timer_is_set(struct task *t)
{
    bool set;

    lock_acquire(&t->idle.lock);
    set = from_task(t)->set;
    lock_release(&t->idle.lock);
    return set;
}

void pool_timer_change(struct task *t, uint64_t due_ns, uint32_t period_ms)
{
    bool ended;

    lock_acquire(&t->idle.lock);
    ended = from_task(t)->ended;
    lock_release(&t->idle.lock);
    if (!ended)
        pool_timer_set(t, due_ns, period_ms);
}

/* ---- making ---- */

static void call_timer(struct task *t, struct run *run, const struct packet *packet)
{
    (void)packet;
    from_task(t)->fn.timer((PTP_CALLBACK_INSTANCE)run, t->context, (PTP_TIMER)t);
}

static void call_fired(struct task *t, struct run *run, const struct packet *packet)
{
    (void)run;
    (void)packet;
    from_task(t)->fn.fired(t->context, TRUE);
}

static const struct task_ops timer_ops = {.call = call_timer, .stop = stop};
static const struct task_ops queue_timer_ops = {.call = call_fired, .stop = stop};

static uint32_t make(const struct task_env *env, const struct task_ops *ops, void *context,
                     struct pool_timer **out)
{
    struct pool_timer *p = calloc(1, sizeof *p);
    uint32_t status;

    if (!p)
        return STATUS_NO_MEMORY;
    status = task_init(&p->task, &timer_task_type, ops, env, context);
    if (status != STATUS_SUCCESS) {
        free(p);
        return status;
    }
    timer_init(&p->timer, fire);
    if (timer_reserve(&p->timer) != 0) { /* to set it cannot fail */
        object_put(&p->task.object);
        return STATUS_NO_MEMORY;
    }
    *out = p;
    return STATUS_SUCCESS;
}

uint32_t pool_timer_new(const struct task_env *env, PTP_TIMER_CALLBACK fn, void *context, struct task **out)
{
    struct pool_timer *p;
    uint32_t status = make(env, &timer_ops, context, &p);

    if (status != STATUS_SUCCESS)
        return status;
    p->fn.timer = fn;
    task_join(&p->task);
    *out = &p->task;
    return STATUS_SUCCESS;
}

uint32_t queue_timer_new(const struct task_env *env, WAITORTIMERCALLBACK fn, void *context, struct task **out)
{
    struct pool_timer *p;
    uint32_t status = make(env, &queue_timer_ops, context, &p);

    if (status != STATUS_SUCCESS)
        return status;
    p->fn.fired = fn;
    *out = &p->task;
    return STATUS_SUCCESS;
}

bool task_is_queue_timer(const struct task *t)
{
    return t->ops == &queue_timer_ops;
}
