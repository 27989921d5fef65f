/* SPDX-License-Identifier: MIT */
/*
 * I/O of the pool: a file is associated with the pool's port, and the completion key says whose callback it
 * is (key.h): a packet that comes too late finds nobody. The key goes once the task is closed and expects
 * nothing. It is replaced when callbacks are cancelled: a request brings the key of when it was started.
 */
#include "pool/tasks.h"

#include "base/fork.h"
#include "base/status.h"
#include "io/file.h"
#include "ntstatus.h"
#include "pool/key.h"

#include <stdlib.h>

struct pool_io {
    struct task task;
    union {
        io_fn io;
        LPOVERLAPPED_COMPLETION_ROUTINE bound;
    } fn;                 /* constant */
    struct file_key *key; /* counted; the files have it too */
    struct list bound;    /* in bounds.list */
};

/* One task per function that was ever bound: few, and never closed, since their files may live for ever. */
static struct {
    struct lock lock; /* the list */
    struct list list;
} bounds = {.lock = LOCK_INIT(LOCK_LEAF), .list = LIST_INIT(bounds.list)};

static struct pool_io *from_task(struct task *t)
{
    return container_of(t, struct pool_io, task);
}

static void destroy(struct object *obj)
{
    struct task *t = task_from_object(obj);

    task_fini(t);
    if (from_task(t)->key)
        object_put(&from_task(t)->key->object);
    free(from_task(t));
}

static const struct object_type io_type = {
    .name = "pool I/O",
    .kind = OBJECT_TASK,
    .destroy = destroy,
};

static void call_io(struct task *t, struct run *run, const struct packet *packet)
{
    from_task(t)->fn.io((PTP_CALLBACK_INSTANCE)run, t->context, packet->ov, status_to_win32(packet->status),
                        packet->bytes, (PTP_IO)t);
}

static void call_bound(struct task *t, struct run *run, const struct packet *packet)
{
    (void)run;
    from_task(t)->fn.bound(status_to_win32(packet->status), packet->bytes, packet->ov);
}

static void finished(struct task *t)
{
    key_close(atomic_load(&from_task(t)->key->now));
}

/* Of two at a time the later key stays, lest what starts now has the earlier one and counts as cancelled.
 * 0: its last callback has closed it, and its key stays as it is. */
static uintptr_t rekey(struct task *t)
{
    _Atomic uintptr_t *now = &from_task(t)->key->now;
    uintptr_t old = atomic_load(now);
    uintptr_t key = key_next(old);

    while (old < key && !atomic_compare_exchange_weak(now, &old, key))
        ;
    return key;
}

static const struct task_ops io_ops = {.call = call_io, .rekey = rekey, .finished = finished};
static const struct task_ops bound_ops = {.call = call_bound};

static uint32_t make(const struct task_env *env, const struct task_ops *ops, void *context,
                     struct pool_io **out)
{
    struct pool_io *io = calloc(1, sizeof *io);
    uintptr_t key;
    uint32_t status;

    if (!io)
        return STATUS_NO_MEMORY;
    status = task_init(&io->task, &io_type, ops, env, context);
    if (status != STATUS_SUCCESS) {
        free(io);
        return status;
    }
    list_init(&io->bound);
    status = key_open(&io->task, &key);
    if (status == STATUS_SUCCESS) {
        io->key = file_key_new(key);
        if (io->key) {
            *out = io;
            return STATUS_SUCCESS;
        }
        key_close(key);
        status = STATUS_NO_MEMORY;
    }
    object_put(&io->task.object);
    return status;
}

static void unmake(struct pool_io *io)
{
    finished(&io->task);
    object_put(&io->task.object);
}

uint32_t pool_io_new(const struct task_env *env, struct file *file, io_fn fn, void *context,
                     struct task **out)
{
    struct pool_io *io;
    uint32_t status = make(env, &io_ops, context, &io);

    if (status != STATUS_SUCCESS)
        return status;
    io->fn.io = fn;
    status = file_associate_keyed(file, &io->task.pool->port, io->key);
    if (status != STATUS_SUCCESS) {
        unmake(io);
        return status;
    }
    task_join(&io->task);
    *out = &io->task;
    return STATUS_SUCCESS;
}

/* ---- BindIoCompletionCallback ---- */

static struct pool_io *find_bound(LPOVERLAPPED_COMPLETION_ROUTINE fn)
{
    lock_assert_held(&bounds.lock);
    list_for_each(n, &bounds.list) {
        struct pool_io *io = container_of(n, struct pool_io, bound);

        if (io->fn.bound == fn)
            return io;
    }
    return NULL;
}

/* The task of that function; borrowed, for ever. */
static uint32_t bound_to(LPOVERLAPPED_COMPLETION_ROUTINE fn, struct pool_io **out)
{
    struct task_env env = {.pool = NULL};
    struct pool_io *made = NULL;
    uint32_t status;

    lock_acquire(&bounds.lock);
    *out = find_bound(fn);
    lock_release(&bounds.lock);
    if (*out)
        return STATUS_SUCCESS;
    status = make(&env, &bound_ops, NULL, &made);
    if (status != STATUS_SUCCESS)
        return status;
    made->fn.bound = fn;
    made->task.unannounced = true;
    lock_acquire(&bounds.lock);
    *out = find_bound(fn);
    if (!*out) {
        list_push_back(&bounds.list, &made->bound);
        *out = made;
    }
    lock_release(&bounds.lock);
    if (*out != made) /* another thread was faster */
        unmake(made);
    return STATUS_SUCCESS;
}

uint32_t bind_completions(struct file *file, LPOVERLAPPED_COMPLETION_ROUTINE fn)
{
    struct pool_io *io;
    uint32_t status = bound_to(fn, &io);

    if (status != STATUS_SUCCESS)
        return status;
    return file_associate(file, &io->task.pool->port, atomic_load(&io->key->now));
}

/* In a forked child: its files, its pool and its handles are gone. */
static void forget_all(void)
{
    list_init(&bounds.list);
}

FORK_HOOK(&bounds.lock, LOCK_LEAF, forget_all);
