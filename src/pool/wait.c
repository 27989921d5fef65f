/* SPDX-License-Identifier: MIT */
/*
 * Waits of the pool: a listener at the object (wait/listener.h) and a timer in the home thread's heap, no
 * thread. Signal, time-out and the program that sets the wait anew may meet; listener_end says who was first:
 * whom it tells "in time" has the wait, else the object was consumed, and notify counts the callback. Until
 * notify has run, the listener cannot listen again: a new setting is kept in `next`, and notify begins it.
 */
#include "pool/tasks.h"

#include "base/clock.h"
#include "engine/home.h"
#include "ntstatus.h"
#include "wait/listener.h"

#include <assert.h>
#include <stdlib.h>

enum { RESULT_SIGNALLED = 0, RESULT_TIMEOUT = 0x102 }; /* WAIT_OBJECT_0, WAIT_TIMEOUT */

struct setting {
    struct object *object; /* counted; NULL: none */
    uint64_t deadline_ns;
};

/* A reference to the task is held by the listener while it listens, and by the timer while it is armed. */
struct pool_wait {
    struct task task;
    union {
        PTP_WAIT_CALLBACK wait;
        WAITORTIMERCALLBACK fired;
    } fn;                  /* constant, as the next three */
    struct object *object; /* registered waits: counted */
    uint32_t ms;
    bool once;
    struct lock lock;      /* everything below; rank LOCK_FILE: taken before all others here */
    bool listening;        /* from listener_begin to listener_end or notify */
    bool counted;          /* listening, but the object is consumed and the callback counted */
    bool armed;            /* the timer: in the heap, or its firing is on the way */
    uint32_t stale;        /* firings on the way that belong to an earlier setting */
    bool stopped;          /* registered waits: does not wait again */
    struct setting now, next;
    struct listener listener;
    struct timer timer;
};

/* What has to be done once the lock is released. */
struct leftovers {
    struct object *objects[3];
    unsigned count;
    unsigned references;
    bool queue;
};

static struct pool_wait *from_task(struct task *t)
{
    return container_of(t, struct pool_wait, task);
}

static void leave_object(struct leftovers *left, struct setting *s)
{
    if (s->object)
        left->objects[left->count++] = s->object;
    s->object = NULL;
}

static void clear_up(struct pool_wait *w, const struct leftovers *left)
{
    if (left->queue)
        task_queue(&w->task);
    for (unsigned i = 0; i < left->count; i++)
        object_put(left->objects[i]);
    for (unsigned i = 0; i < left->references; i++)
        object_put(&w->task.object);
}

/* One more callback. Lock held. */
static void count(struct pool_wait *w, bool timeout, struct leftovers *left)
{
    lock_assert_held(&w->lock);
    lock_acquire(&w->task.idle.lock);
    w->task.timeouts += timeout && !task_drops_locked(&w->task);
    left->queue |= task_add_locked(&w->task);
    lock_release(&w->task.idle.lock);
}

static void stop_timer(struct pool_wait *w, struct leftovers *left)
{
    lock_assert_held(&w->lock);
    if (!w->armed)
        return;
    if (timer_cancel(&w->timer))
        left->references++;
    else
        w->stale++;
    w->armed = false;
}

/* Takes over the setting's object. Lock held, nothing listens. */
static void begin(struct pool_wait *w, struct setting s, struct leftovers *left)
{
    lock_assert_held(&w->lock);
    assert(!w->listening && !w->armed && !w->now.object);
    w->now = s;
    if (!listener_begin(&w->listener, s.object->type->dispatcher(s.object))) {
        leave_object(left, &w->now);
        count(w, false, left);
        return;
    }
    w->listening = true;
    object_get(&w->task.object);
    if (s.deadline_ns != DEADLINE_NEVER && timer_set(&w->timer, s.deadline_ns) == 0) {
        w->armed = true;
        object_get(&w->task.object);
    }
}

/*
 * Ends what is set; true: in time. If not, and notify is on its way, its callback counts from now on: who
 * waits for callbacks afterwards waits for this one, too. Lock held.
 */
static bool end(struct pool_wait *w, struct leftovers *left)
{
    bool in_time = w->next.object != NULL;

    lock_assert_held(&w->lock);
    stop_timer(w, left);
    leave_object(left, &w->next);
    if (!w->listening)
        return in_time;
    if (listener_end(&w->listener)) {
        w->listening = false;
        left->references++;
        leave_object(left, &w->now);
        return true;
    }
    if (!w->counted)
        count(w, false, left);
    w->counted = true;
    return in_time;
}

static void notify(struct listener *l)
{
    struct pool_wait *w = container_of(l, struct pool_wait, listener);
    struct leftovers left = {.references = 1};
    struct setting next;

    lock_acquire(&w->lock);
    assert(w->listening);
    w->listening = false;
    stop_timer(w, &left);
    leave_object(&left, &w->now);
    if (!w->counted)
        count(w, false, &left);
    w->counted = false;
    next = w->next;
    w->next.object = NULL;
    if (next.object)
        begin(w, next, &left);
    lock_release(&w->lock);
    clear_up(w, &left);
}

static void time_out(struct timer *timer)
{
    struct pool_wait *w = container_of(timer, struct pool_wait, timer);
    struct leftovers left = {.references = 1};

    lock_acquire(&w->lock);
    if (w->stale > 0) {
        w->stale--;
    } else {
        w->armed = false;
        if (w->listening && listener_end(&w->listener)) { /* else the signal was faster */
            w->listening = false;
            left.references++;
            leave_object(&left, &w->now);
            count(w, true, &left);
        }
    }
    lock_release(&w->lock);
    clear_up(w, &left);
}

bool pool_wait_set(struct task *t, struct object *obj, uint64_t deadline_ns)
{
    struct pool_wait *w = from_task(t);
    struct setting s = {.object = obj, .deadline_ns = deadline_ns};
    struct leftovers left = {.count = 0};
    bool in_time;

    lock_acquire(&w->lock);
    in_time = end(w, &left);
    if (obj && !w->stopped) {
        object_get(obj);
        if (w->listening)
            w->next = s;
        else
            begin(w, s, &left);
    }
    lock_release(&w->lock);
    clear_up(w, &left);
    return in_time;
}

static bool stop(struct task *t)
{
    struct pool_wait *w = from_task(t);
    struct leftovers left = {.count = 0};
    bool in_time;

    lock_acquire(&w->lock);
    w->stopped = true;
    in_time = end(w, &left);
    lock_release(&w->lock);
    clear_up(w, &left);
    return in_time;
}

/* ---- callbacks ---- */

static void call_wait(struct task *t, struct run *run, const struct packet *packet)
{
    struct pool_wait *w = from_task(t);

    (void)packet;
    w->fn.wait((PTP_CALLBACK_INSTANCE)run, t->context, (PTP_WAIT)t,
               run->timed_out ? RESULT_TIMEOUT : RESULT_SIGNALLED);
}

static void call_registered(struct task *t, struct run *run, const struct packet *packet)
{
    struct pool_wait *w = from_task(t);

    (void)packet;
    w->fn.fired(t->context, run->timed_out);
    if (!w->once)
        registered_wait_begin(t);
}

/* ---- making ---- */

static void destroy(struct object *obj)
{
    struct task *t = task_from_object(obj);
    struct pool_wait *w = from_task(t);

    assert(!w->listening && !w->armed);
    assert(!w->now.object && !w->next.object);
    timer_unreserve(&w->timer);
    task_fini(t);
    if (w->object)
        object_put(w->object);
    free(w);
}

static const struct object_type wait_type = {
    .name = "pool wait",
    .kind = OBJECT_TASK,
    .destroy = destroy,
};

static const struct task_ops wait_ops = {.call = call_wait, .stop = stop};
static const struct task_ops registered_ops = {.call = call_registered, .stop = stop};

static uint32_t make(const struct task_env *env, const struct task_ops *ops, void *context,
                     struct pool_wait **out)
{
    struct pool_wait *w = calloc(1, sizeof *w);
    uint32_t status;

    if (!w)
        return STATUS_NO_MEMORY;
    status = task_init(&w->task, &wait_type, ops, env, context);
    if (status != STATUS_SUCCESS) {
        free(w);
        return status;
    }
    lock_init(&w->lock, LOCK_FILE);
    w->listener.notify = notify;
    timer_init(&w->timer, time_out);
    if (timer_reserve(&w->timer) != 0) { /* to set it cannot fail */
        object_put(&w->task.object);
        return STATUS_NO_MEMORY;
    }
    *out = w;
    return STATUS_SUCCESS;
}

uint32_t pool_wait_new(const struct task_env *env, PTP_WAIT_CALLBACK fn, void *context, struct task **out)
{
    struct pool_wait *w;
    uint32_t status = make(env, &wait_ops, context, &w);

    if (status != STATUS_SUCCESS)
        return status;
    w->fn.wait = fn;
    task_join(&w->task);
    *out = &w->task;
    return STATUS_SUCCESS;
}

uint32_t registered_wait_new(const struct task_env *env, struct object *obj, WAITORTIMERCALLBACK fn,
                             void *context, uint32_t ms, bool once, struct task **out)
{
    struct pool_wait *w;
    uint32_t status = make(env, &registered_ops, context, &w);

    if (status != STATUS_SUCCESS)
        return status;
    w->fn.fired = fn;
    w->object = object_get(obj);
    w->ms = ms;
    w->once = once;
    *out = &w->task;
    return STATUS_SUCCESS;
}

void registered_wait_begin(struct task *t)
{
    struct pool_wait *w = from_task(t);

    pool_wait_set(t, w->object, deadline_from_ms(w->ms));
}

bool task_is_registered_wait(const struct task *t)
{
    return t->ops == &registered_ops;
}
