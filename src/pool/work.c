/* SPDX-License-Identifier: MIT */
/* Work: a task, a function, and nothing else. Single callbacks are work that closes itself. */
#include "pool/tasks.h"

#include "ntstatus.h"

#include <stdlib.h>

struct work {
    struct task task;
    union {
        PTP_WORK_CALLBACK work;
        PTP_SIMPLE_CALLBACK simple;
        LPTHREAD_START_ROUTINE item;
    } fn;
};

static struct work *from_task(struct task *t)
{
    return container_of(t, struct work, task);
}

static void destroy(struct object *obj)
{
    struct task *t = task_from_object(obj);

    task_fini(t);
    free(from_task(t));
}

static const struct object_type work_type = {
    .name = "work",
    .kind = OBJECT_TASK,
    .destroy = destroy,
};

static void call_work(struct task *t, struct run *run, const struct packet *packet)
{
    (void)packet;
    from_task(t)->fn.work((PTP_CALLBACK_INSTANCE)run, t->context, (PTP_WORK)t);
}

static void call_simple(struct task *t, struct run *run, const struct packet *packet)
{
    (void)packet;
    from_task(t)->fn.simple((PTP_CALLBACK_INSTANCE)run, t->context);
}

static void call_item(struct task *t, struct run *run, const struct packet *packet)
{
    (void)run;
    (void)packet;
    from_task(t)->fn.item(t->context);
}

/* A callback that submits its own work again would keep who closes it for ever. */
static bool stop(struct task *t)
{
    task_end_chain(t);
    return false;
}

static const struct task_ops work_ops = {.call = call_work, .stop = stop};
static const struct task_ops simple_ops = {.call = call_simple};
static const struct task_ops item_ops = {.call = call_item};

static uint32_t make(const struct task_env *env, const struct task_ops *ops, void *context,
                     struct work **out)
{
    struct work *w = calloc(1, sizeof *w);
    uint32_t status;

    if (!w)
        return STATUS_NO_MEMORY;
    status = task_init(&w->task, &work_type, ops, env, context);
    if (status != STATUS_SUCCESS) {
        free(w);
        return status;
    }
    *out = w;
    return STATUS_SUCCESS;
}

uint32_t work_new(const struct task_env *env, PTP_WORK_CALLBACK fn, void *context, struct task **out)
{
    struct work *w;
    uint32_t status = make(env, &work_ops, context, &w);

    if (status != STATUS_SUCCESS)
        return status;
    w->fn.work = fn;
    task_join(&w->task);
    *out = &w->task;
    return STATUS_SUCCESS;
}

/* Its group may cancel it as soon as it is a member: the callback is counted before, the queue's reference
 * keeps it. */
static uint32_t submit_once(struct work *w)
{
    struct task *t = &w->task;

    t->once = true;
    lock_acquire(&t->idle.lock);
    task_add_locked(t);
    lock_release(&t->idle.lock);
    task_join(t);
    task_queue(t);
    return STATUS_SUCCESS;
}

uint32_t simple_submit(const struct task_env *env, PTP_SIMPLE_CALLBACK fn, void *context)
{
    struct work *w;
    uint32_t status = make(env, &simple_ops, context, &w);

    if (status != STATUS_SUCCESS)
        return status;
    w->fn.simple = fn;
    return submit_once(w);
}

uint32_t item_submit(const struct task_env *env, LPTHREAD_START_ROUTINE fn, void *context)
{
    struct work *w;
    uint32_t status = make(env, &item_ops, context, &w);

    if (status != STATUS_SUCCESS)
        return status;
    w->fn.item = fn;
    return submit_once(w);
}
