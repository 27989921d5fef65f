/* SPDX-License-Identifier: MIT */
/* Tasks: see task.h. Every change of the counts ends in `changed`, which sees when a task is idle. */
#include "pool/task.h"

#include "base/clock.h"
#include "ntstatus.h"
#include "object/handle.h"
#include "pool/group.h"
#include "pool/key.h"
#include "wait/objects.h"
#include "wait/thread.h"
#include "wait/userlock.h"
#include "wait/wait.h"

#include <assert.h>
#include <stdlib.h>

/* The callback that the thread runs, or NULL. */
static _Thread_local struct run *here;

/* ---- counting ---- */

static bool idle_locked(struct task *t)
{
    lock_assert_held(&t->idle.lock);
    return t->pending == 0 && t->running == 0;
}

static void finish(struct task *t)
{
    struct object *done = t->done;

    if (done)
        object_put(done);
    if (t->group)
        group_forget(t->group, t);
    if (t->ops->finished)
        t->ops->finished(t);
}

/* The counts have gone down, or the task was closed. Lock held; not on return. The caller has a reference. */
static void changed(struct task *t)
{
    struct wake_list wakes;
    bool finished = false;

    wake_list_init(&wakes);
    if (idle_locked(t)) {
        finished = t->closed && !t->finished;
        t->finished |= finished;
        if (t->idle.signal == 0) {
            t->idle.signal = 1;
            dispatcher_wake_locked(&t->idle, &wakes);
        }
    }
    lock_release(&t->idle.lock);
    wake_list_run(&wakes);
    if (finished)
        finish(t);
}

static void count_locked(struct task *t)
{
    lock_assert_held(&t->idle.lock);
    t->pending++;
    t->caused++;
    t->idle.signal = 0;
}

static bool add_locked(struct task *t)
{
    bool queue = !t->queued;

    count_locked(t);
    t->queued = true;
    if (queue)
        object_get(&t->object); /* the queue's */
    return queue;
}

bool task_add_locked(struct task *t)
{
    return !task_drops_locked(t) && add_locked(t);
}

void task_queue(struct task *t)
{
    queue_put(&t->pool->port.queue, &t->entry);
}

void task_submit(struct task *t)
{
    bool again = here && here->task == t;
    bool queue;

    lock_acquire(&t->idle.lock);
    if (again)
        queue = !t->ending && task_add_locked(t);
    else
        queue = !t->refusing && add_locked(t);
    lock_release(&t->idle.lock);
    if (queue)
        task_queue(t);
}

void task_expect(struct task *t)
{
    lock_acquire(&t->idle.lock);
    if (!task_drops_locked(t))
        count_locked(t);
    lock_release(&t->idle.lock);
}

void task_expect_less(struct task *t)
{
    lock_acquire(&t->idle.lock);
    if (t->pending > 0) /* else it was cancelled before */
        t->pending--;
    changed(t);
}

uint32_t task_cancel(struct task *t)
{
    uintptr_t since = t->ops->rekey ? t->ops->rekey(t) : 0;
    uint32_t cancelled;

    lock_acquire(&t->idle.lock);
    cancelled = t->pending;
    t->pending = t->timeouts = 0;
    if (since > t->since)
        t->since = since;
    changed(t);
    return cancelled;
}

void task_refuse(struct task *t)
{
    lock_acquire(&t->idle.lock);
    t->refusing = true;
    lock_release(&t->idle.lock);
}

void task_end_chain(struct task *t)
{
    lock_acquire(&t->idle.lock);
    t->ending = true;
    lock_release(&t->idle.lock);
}

bool task_is_busy(struct task *t, uint32_t *caused)
{
    bool busy;

    lock_acquire(&t->idle.lock);
    busy = !idle_locked(t);
    *caused = t->caused;
    lock_release(&t->idle.lock);
    return busy;
}

static void begin_cancelling(struct task *t)
{
    lock_acquire(&t->idle.lock);
    t->cancelling++;
    lock_release(&t->idle.lock);
    task_cancel(t);
}

/* Operations that were announced meanwhile are cancelled as those before. */
static void end_cancelling(struct task *t)
{
    uintptr_t since = t->ops->rekey ? t->ops->rekey(t) : 0;

    lock_acquire(&t->idle.lock);
    if (since > t->since)
        t->since = since;
    t->cancelling--;
    lock_release(&t->idle.lock);
}

void task_wait(struct task *t, bool cancel)
{
    object_get(&t->object); /* it may be closed meanwhile, by its last callback */
    if (cancel)
        begin_cancelling(t);
    wait_for_one(&t->idle, false, DEADLINE_NEVER);
    if (cancel)
        end_cancelling(t);
    object_put(&t->object);
}

/* ---- life ---- */

uint32_t task_init(struct task *t, const struct object_type *type, const struct task_ops *ops,
                   const struct task_env *env, void *context)
{
    struct pool *pool = env->pool;

    if (pool)
        pool_use(pool);
    else
        pool = pool_own(POOL_DEFAULT);
    if (!pool)
        return STATUS_NO_MEMORY;
    object_init(&t->object, type);
    list_init(&t->entry.link);
    t->entry.ready = QUEUE_PACKET;
    t->entry.task = true;
    t->ops = ops;
    t->pool = pool;
    t->context = context;
    t->runs_long = env->runs_long;
    t->persistent = env->persistent;
    t->cancelled = env->cancelled;
    t->group = env->group;
    if (t->group)
        group_get(t->group);
    list_init(&t->member);
    dispatcher_init(&t->idle, CONSUME_NOTHING, 1);
    return STATUS_SUCCESS;
}

bool task_join(struct task *t)
{
    return !t->group || group_join(t->group, t);
}

void task_fini(struct task *t)
{
    assert(!t->queued);
    assert(t->pending == 0 && t->running == 0);
    assert(!list_linked(&t->member));
    if (t->group)
        group_put(t->group);
    pool_unuse(t->pool);
}

/* Nothing more is caused from here on. */
static void stop(struct task *t)
{
    if (t->ops->stop)
        t->ops->stop(t);
    if (t->group)
        group_leave(t->group, t);
}

void task_close(struct task *t)
{
    bool first;

    object_get(&t->object);
    stop(t); /* before it can finish */
    lock_acquire(&t->idle.lock);
    first = !t->closed;
    t->closed = true;
    changed(t);
    if (first)
        object_put(&t->object); /* the program's */
    object_put(&t->object);
}

uint32_t task_publish(struct task *t, uintptr_t *h)
{
    uintptr_t handle;
    uint32_t status = handle_open(&t->object, 0, 0, &handle);

    if (status != STATUS_SUCCESS)
        return status;
    atomic_store(&t->handle, handle);
    *h = handle;
    return STATUS_SUCCESS;
}

bool task_unpublish(struct task *t)
{
    uintptr_t h = atomic_exchange(&t->handle, 0);

    if (!h)
        return false;
    handle_close(h);
    return true;
}

uint32_t task_retire(struct task *t, struct object *latch)
{
    bool idle;

    if (!task_unpublish(t))
        return STATUS_INVALID_HANDLE;
    stop(t);
    lock_acquire(&t->idle.lock);
    idle = idle_locked(t);
    if (!idle && latch)
        t->done = object_get(latch);
    lock_release(&t->idle.lock);
    task_close(t);
    return idle ? STATUS_SUCCESS : STATUS_PENDING;
}

/* ---- latches ---- */

struct latch {
    struct object object;
    struct object *event; /* counted */
};

static void let_go(struct object *obj)
{
    struct latch *l = container_of(obj, struct latch, object);

    dispatcher_set(event_dispatcher(l->event), 1);
    object_put(l->event);
    free(l);
}

static const struct object_type latch_type = {
    .name = "latch",
    .kind = OBJECT_TASK,
    .destroy = let_go,
};

uint32_t latch_new(struct object *event, struct object **out)
{
    struct latch *l = malloc(sizeof *l);

    if (!l)
        return STATUS_NO_MEMORY;
    object_init(&l->object, &latch_type);
    l->event = object_get(event);
    *out = &l->object;
    return STATUS_SUCCESS;
}

/* ---- runs ---- */

/* Begins one callback, if one pends: false if not. *more: the task has to go back into the queue. */
static bool begin_queued(struct task *t, struct run *run, bool *more)
{
    bool begun;

    lock_acquire(&t->idle.lock);
    begun = t->pending > 0;
    if (begun) {
        t->pending--;
        t->running++;
        run->timed_out = t->timeouts > t->pending; /* of several, signals come first */
        t->timeouts -= run->timed_out;
    }
    t->queued = *more = t->pending > 0;
    lock_release(&t->idle.lock);
    return begun;
}

static bool begin_packet(struct task *t, uintptr_t key)
{
    bool begun;

    lock_acquire(&t->idle.lock);
    begun = t->unannounced || (t->pending > 0 && key >= t->since);
    if (begun) {
        t->pending -= !t->unannounced;
        t->running++;
    }
    lock_release(&t->idle.lock);
    return begun;
}

/* A callback that has begun. Takes over a reference to the task. */
static void call(struct run *run, const struct packet *packet)
{
    struct task *t = run->task;
    struct worker *w = run->worker;

    run->associated = true;
    w->run = here = run;
    w->persistent |= t->persistent;
    if (t->runs_long)
        run_may_be_long(run);
    t->ops->call(t, run, packet);
    lock_assert_none();
    if (!pool_forked(w))
        run_end(run);
}

static void serve_task(struct worker *w, struct task *t)
{
    struct run *run = w->room;
    bool more;

    *run = (struct run){.task = t, .worker = w};
    if (!begin_queued(t, run, &more)) {
        object_put(&t->object);
        return;
    }
    if (more) { /* the queue's reference stays with it */
        object_get(&t->object);
        task_queue(t);
    }
    call(run, NULL);
}

static void serve_packet(struct worker *w, const struct packet *packet)
{
    struct task *t = key_task(packet->key);

    if (!t)
        return; /* closed, and nobody expects it any more */
    *w->room = (struct run){.task = t, .worker = w};
    if (begin_packet(t, packet->key))
        call(w->room, packet);
    else
        object_put(&t->object);
}

void task_serve(struct worker *w, struct queue_entry *e)
{
    struct packet packet;

    if (e->task) {
        serve_task(w, container_of(e, struct task, entry));
        return;
    }
    port_unpack(e, &packet);
    serve_packet(w, &packet);
}

bool run_may_be_long(struct run *run)
{
    if (!run->spared)
        run->spared = pool_spare(run->worker);
    return run->spared;
}

/* The task's counts go down. Nothing of the task is used afterwards but by the run's reference. */
void run_disassociate(struct run *run)
{
    struct task *t = run->task;

    if (!run->associated)
        return;
    run->associated = false;
    if (t->once)
        task_close(t); /* the run has a reference of its own */
    lock_acquire(&t->idle.lock);
    assert(t->running > 0);
    t->running--;
    changed(t);
}

void run_when_done(struct object **slot, struct object *obj)
{
    if (*slot)
        object_put(*slot);
    *slot = obj;
}

static void do_what_is_to_be_done(struct run *run)
{
    if (run->section)
        section_leave(run->section);
    if (run->mutex) {
        mutex_release(run->mutex);
        object_put(run->mutex);
    }
    if (run->semaphore) {
        semaphore_release(run->semaphore, run->release_count, NULL);
        object_put(run->semaphore);
    }
    if (run->event) {
        dispatcher_set(event_dispatcher(run->event), 1);
        object_put(run->event);
    }
    if (run->module)
        run->free_module(run->module);
}

/* Whoever waits for the task may free what is touched here, so the task is told last. */
void run_end(struct run *run)
{
    struct task *t = run->task;
    struct worker *w = run->worker;

    w->run = here = NULL;
    do_what_is_to_be_done(run);
    if (run->spared)
        pool_unspare(w);
    run_disassociate(run);
    object_put(&t->object);
}
