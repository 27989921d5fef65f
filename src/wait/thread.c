/* SPDX-License-Identifier: MIT */
/*
 * Threads: attaching, starting, ending. The self reference taken at attach is dropped by the
 * pthread key's destructor, which is the one place where a thread ends for the library, however
 * it ends for the program.
 */
#include "wait/thread.h"

#include "base/clock.h"
#include "base/fork.h"
#include "base/futex.h"
#include "base/own_fd.h"
#include "ntstatus.h"
#include "wait/apc.h"
#include "wait/objects.h"
#include "wait/queue.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXIT_STILL_ACTIVE 259

_Thread_local struct thread *thread_self_ptr;
void (*thread_exit_hooks[4])(struct thread *t);
void (*thread_last_hook)(struct thread *t);

static pthread_key_t exit_key;
static pthread_once_t exit_key_once = PTHREAD_ONCE_INIT;
static _Atomic uint64_t next_serial = 1;

static struct {
    struct lock lock; /* list, dead_counts */
    struct list list; /* struct thread.all */
    uint64_t dead_counts[LEDGER_COUNTS];
} threads = {.lock = LOCK_INIT(LOCK_LEAF), .list = LIST_INIT(threads.list)};

/* Records for threads that call in while there is no memory: what they call needs one, also to say that. */
enum { SPARES = 32 };

static struct {
    _Atomic bool taken;
    struct thread thread;
} spares[SPARES];

static struct thread *take_spare(void)
{
    for (int i = 0; i < SPARES; i++) {
        if (!atomic_load(&spares[i].taken) && !atomic_exchange(&spares[i].taken, true)) {
            memset(&spares[i].thread, 0, sizeof spares[i].thread);
            return &spares[i].thread;
        }
    }
    return NULL;
}

static void free_thread(struct thread *t)
{
    for (int i = 0; i < SPARES; i++) {
        if (t == &spares[i].thread) {
            atomic_store(&spares[i].taken, false);
            return;
        }
    }
    free(t);
}

static void destroy(struct object *obj)
{
    struct thread *t = container_of(obj, struct thread, object);

    assert(list_empty(&t->apcs));
    free(t->description);
    free_thread(t);
}

static struct dispatcher *dispatcher_of(struct object *obj)
{
    return &container_of(obj, struct thread, object)->dispatcher;
}

const struct object_type thread_type = {
    .name = "thread",
    .kind = OBJECT_THREAD,
    .destroy = destroy,
    .dispatcher = dispatcher_of,
};

/* `t` is zero; NULL stays NULL. */
static struct thread *make_thread(struct thread *t)
{
    if (!t)
        return NULL;
    object_init(&t->object, &thread_type);
    dispatcher_init(&t->dispatcher, CONSUME_NOTHING, 0);
    t->waiter.thread = t;
    list_init(&t->waiter.link);
    lock_init(&t->apc_lock, LOCK_APC);
    list_init(&t->apcs);
    list_init(&t->owned_mutexes);
    list_init(&t->all);
    list_init(&t->member);
    t->wake_fd = -1;
    t->calls = &t->own_calls;
    t->serial = atomic_fetch_add(&next_serial, 1);
    atomic_init(&t->exit_code, EXIT_STILL_ACTIVE);
    t->created = clock_filetime();
    return t;
}

static struct thread *new_thread(void)
{
    return make_thread(calloc(1, sizeof(struct thread)));
}

static void unlist(struct thread *t)
{
    lock_acquire(&threads.lock);
    list_remove(&t->all);
    for (int i = 0; i < LEDGER_COUNTS; i++)
        threads.dead_counts[i] += atomic_load(&t->counts[i]);
    lock_release(&threads.lock);
}

static uint64_t microseconds(struct timeval t)
{
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_usec;
}

/* What GetThreadTimes tells once the kernel has forgotten the thread. */
static void note_end(struct thread *t)
{
    struct rusage used = {0};

    getrusage(RUSAGE_THREAD, &used);
    t->user_us = microseconds(used.ru_utime);
    t->kernel_us = microseconds(used.ru_stime);
    atomic_store(&t->ended, clock_filetime());
}

void thread_pin(struct thread *t, uintptr_t handle, struct object *obj)
{
    struct object *before = t->pinned;

    t->pinned = obj;
    t->pinned_handle = handle;
    if (before)
        object_put(before);
}

void thread_unpin(struct thread *t)
{
    thread_pin(t, 0, NULL);
}

/* The end of a thread, on its own stack, after the program's code. */
static void detach(void *arg)
{
    struct thread *t = arg;
    int fd;

    thread_self_ptr = t; /* some pthreads run key destructors with TLS already reset */
    for (unsigned i = 0; i < sizeof thread_exit_hooks / sizeof thread_exit_hooks[0]; i++) {
        if (thread_exit_hooks[i])
            thread_exit_hooks[i](t);
    }
    apc_terminate(t);
    mutex_abandon_all(t);
    queue_leave(t);
    thread_unpin(t);
    lock_acquire(&t->apc_lock);
    fd = t->wake_fd;
    t->wake_fd = -1;
    lock_release(&t->apc_lock);
    if (fd >= 0)
        own_fd_close(fd);
    if (thread_last_hook)
        thread_last_hook(t);
    unlist(t);
    if (!t->exit_code_given)
        atomic_store(&t->exit_code, 0);
    note_end(t);
    thread_self_ptr = NULL;
    dispatcher_set(&t->dispatcher, 1);
    object_put(&t->object);
}

static void make_key(void)
{
    if (pthread_key_create(&exit_key, detach) != 0)
        abort();
}

/* Makes t the calling thread. It owns the caller's reference from here to detach. */
static void adopt_self(struct thread *t)
{
    pthread_once(&exit_key_once, make_key);
    t->pthread = pthread_self();
    pthread_getcpuclockid(t->pthread, &t->cpu_clock);
    thread_self_ptr = t;
    pthread_setspecific(exit_key, t);
    lock_acquire(&threads.lock);
    list_push_back(&threads.list, &t->all);
    lock_release(&threads.lock);
    atomic_store(&t->tid, (uint32_t)syscall(SYS_gettid)); /* whoever made the thread waits for it */
    futex_wake(&t->tid, 1);
}

struct thread *thread_attach(void)
{
    struct thread *t = new_thread();

    if (!t)
        t = make_thread(take_spare());
    if (!t) {
        fputs("iocp: out of memory attaching a thread\n", stderr);
        abort();
    }
    adopt_self(t);
    return t;
}

struct thread *thread_prepare(void *start_arg)
{
    struct thread *t = new_thread();

    if (t)
        t->start_arg = start_arg;
    return t;
}

void thread_begin(struct thread *t)
{
    adopt_self(t);
}

static void *trampoline(void *arg)
{
    struct thread *t = arg;
    uint32_t suspended;

    adopt_self(t);
    while ((suspended = atomic_load(&t->suspend_count)) != 0)
        futex_wait(&t->suspend_count, suspended, DEADLINE_NEVER);
    if (t->discarded)
        return NULL;
    apc_run_all(t); /* conform/apc.c: queued before start, run before the thread function */
    atomic_store(&t->exit_code, t->start(t->start_arg));
    t->exit_code_given = true;
    return NULL;
}

uint32_t thread_create(uint32_t (*start)(void *), void *arg, size_t stack_size, bool suspended,
                       struct thread **out)
{
    struct thread *t = new_thread();
    pthread_attr_t attr;
    pthread_t id;
    int err;

    if (!t)
        return STATUS_NO_MEMORY;
    t->start = start;
    t->start_arg = arg;
    atomic_init(&t->suspend_count, suspended ? 1 : 0);
    object_get(&t->object); /* the thread's own; ours goes to the caller */
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    if (stack_size > 0)
        pthread_attr_setstacksize(&attr, stack_size < 65536 ? 65536 : (stack_size + 4095) & ~4095ul);
    err = pthread_create(&id, &attr, trampoline, t);
    pthread_attr_destroy(&attr);
    if (err) {
        object_put(&t->object);
        object_put(&t->object);
        return err == EAGAIN ? STATUS_INSUFFICIENT_RESOURCES : STATUS_INVALID_PARAMETER;
    }
    /* The id is known to callers at once: GetThreadId right after CreateThread. */
    while (atomic_load(&t->tid) == 0)
        futex_wait(&t->tid, 0, DEADLINE_NEVER);
    *out = t;
    return STATUS_SUCCESS;
}

uint32_t thread_suspend(struct thread *t, uint32_t *previous)
{
    uint32_t count = atomic_load(&t->suspend_count);

    while (count > 0 && !atomic_compare_exchange_weak(&t->suspend_count, &count, count + 1))
        ;
    *previous = count;
    return count > 0 ? STATUS_SUCCESS : STATUS_NOT_SUPPORTED;
}

uint32_t thread_resume(struct thread *t, uint32_t *previous)
{
    uint32_t count = atomic_load(&t->suspend_count);

    while (count > 0 && !atomic_compare_exchange_weak(&t->suspend_count, &count, count - 1))
        ;
    *previous = count;
    if (count == 1)
        futex_wake(&t->suspend_count, 1);
    return STATUS_SUCCESS;
}

void thread_discard(struct thread *t)
{
    t->discarded = true; /* made visible by the store below, read after it */
    atomic_store(&t->suspend_count, 0);
    futex_wake(&t->suspend_count, 1);
}

void thread_describe(struct thread *t, uint16_t **description, const char *name)
{
    uint16_t *old;

    lock_acquire(&t->apc_lock);
    old = t->description;
    t->description = *description;
    *description = old;
    /* The kernel shows 15 bytes of it. A thread that still takes APCs has not ended yet. */
    if (!t->terminating) {
        char comm[16];

        snprintf(comm, sizeof comm, "%s", name);
        pthread_setname_np(t->pthread, comm);
    }
    lock_release(&t->apc_lock);
}

void thread_exit(uint32_t code)
{
    struct thread *self = thread_current();

    atomic_store(&self->exit_code, code);
    self->exit_code_given = true;
    pthread_exit(NULL);
}

struct thread *thread_find(uint32_t tid)
{
    struct thread *found = NULL;

    if (tid == 0) /* of one that is just starting */
        return NULL;
    lock_acquire(&threads.lock);
    list_for_each(n, &threads.list) {
        struct thread *t = container_of(n, struct thread, all);

        if (t->tid == tid) {
            found = t;
            object_get(&t->object); /* listed threads hold their self reference */
            break;
        }
    }
    lock_release(&threads.lock);
    return found;
}

uint32_t thread_with_id(struct thread *t, uint32_t (*fn)(uint32_t tid, void *ctx), void *ctx)
{
    uint32_t status = STATUS_THREAD_IS_TERMINATING;

    lock_acquire(&t->apc_lock);
    if (!t->terminating) /* it has to take the lock before it ends */
        status = fn(atomic_load(&t->tid), ctx);
    lock_release(&t->apc_lock);
    return status;
}

void thread_counts(uint64_t sums[LEDGER_COUNTS])
{
    lock_acquire(&threads.lock);
    for (int i = 0; i < LEDGER_COUNTS; i++)
        sums[i] = threads.dead_counts[i];
    list_for_each(n, &threads.list) {
        struct thread *t = container_of(n, struct thread, all);

        for (int i = 0; i < LEDGER_COUNTS; i++)
            sums[i] += atomic_load_explicit(&t->counts[i], memory_order_relaxed);
    }
    lock_release(&threads.lock);
}

/* In a forked child one thread is left. It keeps its values and its name, and nothing else. */
static void keep_self(void)
{
    struct thread *t = thread_self_ptr;

    list_init(&threads.list);
    if (!t)
        return;
    if (t->wake_fd >= 0)
        own_fd_close(t->wake_fd); /* shared with the parent: a wake there would be seen here */
    t->wake_fd = -1;
    lock_init(&t->apc_lock, LOCK_APC);
    list_init(&t->apcs);
    atomic_store(&t->apc_count, 0);
    t->alertable = t->terminating = t->apc_wakes_fd = false;
    t->apc_poller = NULL;
    list_init(&t->owned_mutexes);
    dispatcher_init(&t->dispatcher, CONSUME_NOTHING, 0);
    atomic_store(&t->waiter.state, WAITER_IDLE);
    list_init(&t->waiter.link);
    t->queue = t->keeping = t->harvested = NULL;
    t->turn.measured = false;
    t->pinned = NULL;
    t->pinned_handle = 0;
    t->kept = NULL;
    thread_set_place(t, PLACE_NONE);
    list_init(&t->member);
    pthread_getcpuclockid(t->pthread, &t->cpu_clock);
    t->issued_portless = false;
    atomic_store(&t->object.handles, 0);
    atomic_store(&t->object.refs, 1);
    atomic_store(&t->tid, (uint32_t)syscall(SYS_gettid));
    list_init(&t->all);
    list_push_back(&threads.list, &t->all);
}

FORK_HOOK(&threads.lock, LOCK_LEAF, keep_self);
