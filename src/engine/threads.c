/* SPDX-License-Identifier: MIT */
/*
 * Blocking threads: one list of ops, first in first out, and up to POOL_MAX threads that take
 * from it. A thread is added when an op comes and nobody is idle; one that found nothing for
 * threads_idle_ns leaves, so a program that stops doing file I/O gives everything back.
 *
 * Cancelling reaches ops that no thread has taken yet. Their answer is given by the home thread,
 * because all pool threads may be inside calls that block for long.
 */
#include "engine/backends.h"

#include "base/clock.h"
#include "base/fork.h"
#include "base/futex.h"
#include "base/lock.h"
#include "base/os.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

enum { POOL_MAX = 16 };
_Atomic uint64_t threads_idle_ns = 3 * NS_PER_SEC;

static void answer_withdrawn(struct home_work *w);

static struct pool {
    struct lock lock;       /* everything below; op.state, op.link of ops that are here */
    struct list waiting;    /* struct op.link */
    struct list withdrawn;  /* cancelled; the home thread answers them */
    unsigned threads, idle;
    unsigned waiting_count; /* in the list, or about to be */
    bool answering;         /* `answer` is queued to the home thread */
    struct home_work answer;
    _Atomic uint32_t bell;  /* idle threads sleep on it; counts rings */
    bool exit_known;        /* atexit knows of us */
    _Atomic bool exiting;   /* the program's memory is about to go */
} pool = {
    .lock = LOCK_INIT(LOCK_ENGINE),
    .waiting = LIST_INIT(pool.waiting),
    .withdrawn = LIST_INIT(pool.withdrawn),
    .answer = {.run = answer_withdrawn},
};

static int64_t perform_once(struct op *op)
{
    switch (op->code) {
    case OP_READ:
        return os_read(op->fd, op->iov, op->iov_count, op->offset, (int)op->rw_flags);
    case OP_WRITE:
        return os_write(op->fd, op->iov, op->iov_count, op->offset, (int)op->rw_flags);
    case OP_FSYNC:
        return os_sync(op->fd, op->rw_flags == 1);
    default:
        return op->call(op);
    }
}

/* Exit handlers run: whoever comes back from a call answers nobody any more. */
static void stop_at_exit(void)
{
    atomic_store(&pool.exiting, true);
}

static void park_when_exiting(void)
{
    while (atomic_load(&pool.exiting))
        pause();
}

/* A descriptor that the program made non-blocking: wait for it here, this thread may block. */
static void perform(struct op *op)
{
    int64_t result;

    op->rw_flags &= ~(uint32_t)RWF_NOWAIT;
    do {
        result = perform_once(op);
        if (result == -EAGAIN)
            os_wait_ready(op->fd, op->code == OP_READ ? POLLIN : POLLOUT);
    } while (result == -EINTR || result == -EAGAIN);
    park_when_exiting();
    op->done(op, result);
}

/* The next op, or NULL when nothing came for a while: the thread has left the count then. */
static struct op *take(void)
{
    uint64_t deadline = DEADLINE_NEVER;
    struct op *op = NULL;
    struct list *n;
    uint32_t bell;
    int err = 0;

    lock_acquire(&pool.lock);
    while ((n = list_pop_front(&pool.waiting)) == NULL && err != -ETIMEDOUT) {
        pool.idle++;
        bell = atomic_load(&pool.bell);
        lock_release(&pool.lock);
        if (deadline == DEADLINE_NEVER)
            deadline = clock_now_ns() + threads_idle_ns;
        err = futex_wait(&pool.bell, bell, deadline);
        lock_acquire(&pool.lock);
        pool.idle--;
    }
    if (n) {
        op = container_of(n, struct op, link);
        op->state = OP_RUNNING;
        pool.waiting_count--;
    } else {
        pool.threads--;
    }
    lock_release(&pool.lock);
    return op;
}

static void *pool_main(void *arg)
{
    struct op *op;

    (void)arg;
    while ((op = take()) != NULL) {
        park_when_exiting();
        perform(op);
    }
    return NULL;
}

/* One thread more: 0 or -errno. The lock is let go meanwhile. */
static int add_thread_locked(void)
{
    bool tell_exit;
    int err;

    lock_assert_held(&pool.lock);
    pool.threads++;
    tell_exit = !pool.exit_known;
    pool.exit_known = true;
    lock_release(&pool.lock);
    if (tell_exit)
        atexit(stop_at_exit);
    err = os_thread(pool_main, NULL);
    lock_acquire(&pool.lock);
    if (err)
        pool.threads--;
    return err;
}

/* Adds a thread if the ops waiting outnumber the idle ones. false: there is no thread at all and none can be
 * had. One that is there sees the list before it leaves. */
static bool grow_locked(void)
{
    int err = 0;

    lock_assert_held(&pool.lock);
    if (pool.idle < pool.waiting_count && pool.threads < POOL_MAX)
        err = add_thread_locked();
    while (pool.threads == 0 && err == 0) /* it has come and gone */
        err = add_thread_locked();
    return pool.threads > 0;
}

static void withdraw_locked(struct op *op, enum op_state state)
{
    lock_assert_held(&pool.lock);
    list_remove(&op->link);
    pool.waiting_count--;
    op->state = (uint8_t)state;
}

/* It is counted first, and put into the list when there is somebody to take it: whoever does may be done with
 * it, and gone, before the caller looks again. */
int threads_start(struct op *op)
{
    bool grown;

    lock_acquire(&pool.lock);
    pool.waiting_count++;
    grown = grow_locked();
    if (grown) {
        op->state = OP_WAITING;
        list_push_back(&pool.waiting, &op->link);
        atomic_fetch_add(&pool.bell, 1);
    } else {
        pool.waiting_count--;
    }
    lock_release(&pool.lock);
    if (!grown)
        return -EAGAIN;
    futex_wake(&pool.bell, 1);
    return 0;
}

static void answer_withdrawn(struct home_work *w)
{
    struct list ops;
    struct list *n;

    (void)w;
    list_init(&ops);
    lock_acquire(&pool.lock);
    pool.answering = false;
    list_splice_back(&ops, &pool.withdrawn);
    lock_release(&pool.lock);
    while ((n = list_pop_front(&ops)) != NULL) {
        struct op *op = container_of(n, struct op, link);

        op->done(op, -ECANCELED);
    }
}

void threads_cancel(struct op *op, uint32_t generation)
{
    bool submit = false;

    if (home_start() != 0)
        return; /* nobody to give the answer: the op runs to its end */
    lock_acquire(&pool.lock);
    if (op->generation == generation && op->state == OP_WAITING) {
        withdraw_locked(op, OP_WITHDRAWN);
        list_push_back(&pool.withdrawn, &op->link);
        submit = !pool.answering;
        pool.answering = true;
    }
    lock_release(&pool.lock);
    if (submit)
        home_submit(&pool.answer);
}

/* A forked child has no pool threads, and the ops are the parent's. */
static void start_afresh(void)
{
    list_init(&pool.waiting);
    list_init(&pool.withdrawn);
    pool.threads = pool.idle = pool.waiting_count = 0;
    pool.answering = false;
}

FORK_HOOK(&pool.lock, LOCK_ENGINE, start_afresh);
