/* SPDX-License-Identifier: MIT */
/*
 * threadpoollegacyapiset.h and its part of winbase.h: the thread pool of before Vista. Registered waits and
 * timer-queue timers are tasks with a handle, timer queues are groups with one.
 */
#include "api/api.h"
#include "api/handles.h"
#include "api/threadpool.h"
#include "base/clock.h"
#include "io/file.h"
#include "wait/objects.h"
#include "wait/wait.h"

#include <ntstatus.h>
#include <windows.h>

/* A single-threaded pool for what asks for "the" thread; else the default one. *pool: a use. */
static uint32_t env_from_flags(ULONG flags, struct task_env *env)
{
    enum own_pool which = POOL_DEFAULT;

    if (flags & WT_EXECUTEINWAITTHREAD)
        which = POOL_WAITS;
    else if (flags & WT_EXECUTEINTIMERTHREAD)
        which = POOL_TIMERS;
    *env = (struct task_env){
        .pool = pool_own(which),
        .runs_long = (flags & WT_EXECUTELONGFUNCTION) != 0,
        .persistent = (flags & (WT_EXECUTEINIOTHREAD | WT_EXECUTEINPERSISTENTTHREAD |
                                WT_EXECUTEINPERSISTENTIOTHREAD)) != 0,
    };
    if (!env->pool)
        return STATUS_NO_MEMORY;
    if (which == POOL_DEFAULT && flags >> 16) /* WT_SET_MAX_THREADPOOL_THREADS */
        pool_set_max(env->pool, flags >> 16);
    return STATUS_SUCCESS;
}

/* ---- ends ---- */

/* Who is told that the last callback is done. */
struct ending {
    struct object *event; /* counted, or NULL */
    struct object *latch; /* counted, or NULL */
    bool wait;
};

static uint32_t ending_begin(struct ending *e, HANDLE completion)
{
    uint32_t status = STATUS_SUCCESS;

    *e = (struct ending){.wait = completion == INVALID_HANDLE_VALUE};
    if (e->wait)
        status = event_new(NULL, true, false, &e->event);
    else if (completion)
        status = api_object_get(completion, OBJECT_EVENT, &e->event);
    if (status == STATUS_SUCCESS && e->event) {
        status = latch_new(e->event, &e->latch);
        if (status != STATUS_SUCCESS)
            object_put(e->event);
    }
    return status;
}

/* `status` is what the end of the tasks said. */
static uint32_t ending_end(struct ending *e, uint32_t status)
{
    if (e->latch)
        object_put(e->latch); /* sets the event if nobody else holds it */
    if (e->wait && (status == STATUS_SUCCESS || status == STATUS_PENDING)) {
        wait_for_one(event_dispatcher(e->event), false, DEADLINE_NEVER);
        status = STATUS_SUCCESS;
    }
    if (e->event)
        object_put(e->event);
    return status;
}

static uint32_t end_task(struct task *t, HANDLE completion)
{
    struct ending ending;
    uint32_t status = ending_begin(&ending, completion);

    return status == STATUS_SUCCESS ? ending_end(&ending, task_retire(t, ending.latch)) : status;
}

/* ---- work items ---- */

BOOL WINAPI QueueUserWorkItem(LPTHREAD_START_ROUTINE Function, PVOID Context, ULONG Flags)
{
    struct task_env env;
    uint32_t status;

    if (!Function)
        return win32_result(STATUS_INVALID_PARAMETER);
    status = env_from_flags(Flags, &env);
    if (status != STATUS_SUCCESS)
        return win32_result(status);
    status = item_submit(&env, Function, Context);
    pool_unuse(env.pool);
    return win32_result(status);
}

BOOL WINAPI BindIoCompletionCallback(HANDLE FileHandle, LPOVERLAPPED_COMPLETION_ROUTINE Function, ULONG Flags)
{
    struct file *f;
    uint32_t status;

    if (Flags != 0 || !Function)
        return win32_result(STATUS_INVALID_PARAMETER);
    status = file_from_handle_fresh((uintptr_t)FileHandle, &f);
    if (status != STATUS_SUCCESS)
        return win32_result(status);
    status = bind_completions(f, Function);
    file_put(f);
    return win32_result(status);
}

/* ---- registered waits ---- */

static uint32_t register_wait(struct object *obj, WAITORTIMERCALLBACK callback, void *context, ULONG ms,
                              ULONG flags, HANDLE *out)
{
    bool once = (flags & WT_EXECUTEONLYONCE) != 0;
    struct task_env env;
    struct task *t;
    uintptr_t h;
    uint32_t status = env_from_flags(flags, &env);

    if (status != STATUS_SUCCESS)
        return status;
    status = registered_wait_new(&env, obj, callback, context, ms, once, &t);
    pool_unuse(env.pool);
    if (status != STATUS_SUCCESS)
        return status;
    object_get(&t->object);
    status = task_publish(t, &h);
    if (status == STATUS_SUCCESS) {
        /* The callback may come, and end the wait by this handle, before the call returns. */
        *out = (HANDLE)h;
        registered_wait_begin(t);
    } else {
        task_close(t);
    }
    object_put(&t->object);
    return status;
}

BOOL WINAPI RegisterWaitForSingleObject(PHANDLE phNewWaitObject, HANDLE hObject, WAITORTIMERCALLBACK Callback,
                                        PVOID Context, ULONG dwMilliseconds, ULONG dwFlags)
{
    struct object *obj;
    uint32_t status;

    if (!phNewWaitObject || !Callback)
        return win32_result(STATUS_INVALID_PARAMETER);
    status = threadpool_waitable_get(hObject, &obj);
    if (status != STATUS_SUCCESS)
        return win32_result(status);
    status = register_wait(obj, Callback, Context, dwMilliseconds, dwFlags, phNewWaitObject);
    object_put(obj);
    return win32_result(status);
}

BOOL WINAPI UnregisterWaitEx(HANDLE WaitHandle, HANDLE CompletionEvent)
{
    struct object *obj;
    uint32_t status = handle_get((uintptr_t)WaitHandle, OBJECT_TASK, &obj, NULL);

    if (status != STATUS_SUCCESS)
        return win32_result(STATUS_INVALID_HANDLE);
    if (group_from_object(obj) || !task_is_registered_wait(task_from_object(obj)))
        status = STATUS_INVALID_HANDLE;
    else
        status = end_task(task_from_object(obj), CompletionEvent);
    object_put(obj);
    return win32_result(status);
}

BOOL WINAPI UnregisterWait(HANDLE WaitHandle)
{
    return UnregisterWaitEx(WaitHandle, NULL);
}

/* ---- timer queues ---- */

HANDLE WINAPI CreateTimerQueue(VOID)
{
    struct group *g;
    uintptr_t h = 0;
    uint32_t status = group_new(&g);

    if (status == STATUS_SUCCESS) {
        status = handle_open(group_object(g), 0, 0, &h);
        group_put(g);
    }
    if (status != STATUS_SUCCESS)
        win32_fail(status);
    return (HANDLE)h;
}

/* The queue, counted; NULL stands for the default one, which is no object. */
static uint32_t queue_get_group(HANDLE queue, struct group **out)
{
    struct object *obj;

    *out = NULL;
    if (!queue)
        return STATUS_SUCCESS;
    if (handle_get((uintptr_t)queue, OBJECT_TASK, &obj, NULL) != STATUS_SUCCESS)
        return STATUS_INVALID_HANDLE;
    *out = group_from_object(obj);
    if (*out)
        return STATUS_SUCCESS;
    object_put(obj);
    return STATUS_INVALID_HANDLE;
}

static void put_group(struct group *g)
{
    if (g)
        group_put(g);
}

static uint32_t create_timer(struct group *g, WAITORTIMERCALLBACK callback, void *context, DWORD due,
                             DWORD period, ULONG flags, HANDLE *out)
{
    struct task_env env;
    struct task *t;
    uintptr_t h;
    uint32_t status = env_from_flags(flags, &env);

    if (status != STATUS_SUCCESS)
        return status;
    env.group = g;
    status = queue_timer_new(&env, callback, context, &t);
    pool_unuse(env.pool);
    if (status != STATUS_SUCCESS)
        return status;
    object_get(&t->object);
    status = task_publish(t, &h);
    if (status != STATUS_SUCCESS) {
        task_close(t);
    } else if (task_join(t)) {
        *out = (HANDLE)h; /* now another thread, or the callback, may delete it */
        if (due != INFINITE)
            pool_timer_set(t, deadline_from_ms(due), flags & WT_EXECUTEONLYONCE ? 0 : period);
    } else {
        task_retire(t, NULL); /* the queue was deleted since we looked */
        status = STATUS_INVALID_HANDLE;
    }
    object_put(&t->object);
    return status;
}

BOOL WINAPI CreateTimerQueueTimer(PHANDLE phNewTimer, HANDLE TimerQueue, WAITORTIMERCALLBACK Callback,
                                  PVOID Parameter, DWORD DueTime, DWORD Period, ULONG Flags)
{
    struct group *g;
    uint32_t status;

    if (!phNewTimer || !Callback)
        return win32_result(STATUS_INVALID_PARAMETER);
    status = queue_get_group(TimerQueue, &g);
    if (status != STATUS_SUCCESS)
        return win32_result(status);
    status = create_timer(g, Callback, Parameter, DueTime, Period, Flags, phNewTimer);
    put_group(g);
    return win32_result(status);
}

/* The timer of that queue, counted. */
static uint32_t timer_get(HANDLE queue, HANDLE timer, struct task **out)
{
    struct object *obj;
    struct group *g;
    uint32_t status = timer ? queue_get_group(queue, &g) : (uint32_t)STATUS_INVALID_PARAMETER;

    if (status != STATUS_SUCCESS)
        return status;
    put_group(g); /* for comparing only */
    if (handle_get((uintptr_t)timer, OBJECT_TASK, &obj, NULL) != STATUS_SUCCESS)
        return STATUS_INVALID_HANDLE;
    *out = task_from_object(obj);
    if (!group_from_object(obj) && task_is_queue_timer(*out) && (*out)->group == g)
        return STATUS_SUCCESS;
    object_put(obj);
    return STATUS_INVALID_HANDLE;
}

BOOL WINAPI ChangeTimerQueueTimer(HANDLE TimerQueue, HANDLE Timer, ULONG DueTime, ULONG Period)
{
    struct task *t;
    uint32_t status = timer_get(TimerQueue, Timer, &t);

    if (status != STATUS_SUCCESS)
        return win32_result(status);
    if (DueTime == INFINITE)
        pool_timer_stop(t);
    else
        pool_timer_change(t, deadline_from_ms(DueTime), Period);
    object_put(&t->object);
    return TRUE;
}

BOOL WINAPI DeleteTimerQueueTimer(HANDLE TimerQueue, HANDLE Timer, HANDLE CompletionEvent)
{
    struct task *t;
    uint32_t status = timer_get(TimerQueue, Timer, &t);

    if (status != STATUS_SUCCESS)
        return win32_result(status);
    status = end_task(t, CompletionEvent);
    object_put(&t->object);
    return win32_result(status);
}

static uint32_t end_queue(HANDLE queue, struct group *g, HANDLE completion)
{
    struct ending ending;
    uint32_t status = ending_begin(&ending, completion);

    if (status != STATUS_SUCCESS)
        return status;
    status = handle_close((uintptr_t)queue);
    if (status == STATUS_SUCCESS)
        status = group_retire_members(g, ending.latch);
    return ending_end(&ending, status);
}

BOOL WINAPI DeleteTimerQueueEx(HANDLE TimerQueue, HANDLE CompletionEvent)
{
    struct group *g;
    uint32_t status = queue_get_group(TimerQueue, &g);

    if (status == STATUS_SUCCESS && !g)
        status = STATUS_INVALID_HANDLE;
    if (status != STATUS_SUCCESS)
        return win32_result(status);
    status = end_queue(TimerQueue, g, CompletionEvent);
    group_put(g);
    return win32_result(status);
}

BOOL WINAPI DeleteTimerQueue(HANDLE TimerQueue)
{
    return DeleteTimerQueueEx(TimerQueue, NULL);
}
