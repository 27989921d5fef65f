/* SPDX-License-Identifier: MIT */
/*
 * Pools and their threads; see pool.h. The number of released threads is the port's business; this file
 * only makes threads when the queue says that it starves, and lets go those that find nothing to do.
 *
 * A thread that is more than the maximum, because that was lowered, puts what it dequeued back and leaves.
 */
#include "pool/pool.h"

#include "base/clock.h"
#include "base/fork.h"
#include "base/os.h"
#include "engine/home.h"
#include "ntstatus.h"
#include "pool/task.h"
#include "wait/thread.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum { THREADS_MAX = 512, IDLE_MS = 20000, RETRY_MS = 100 };

static struct {
    struct lock lock; /* pools, exit_known */
    struct pool *pools[OWN_POOLS]; /* one use each, never given up */
    bool exit_known;        /* atexit knows of us */
    _Atomic bool exiting;   /* exit handlers run: nothing new is begun */
    _Atomic uint32_t forks; /* since the program began, up the line of parents */
    _Atomic uint32_t idle_ms; /* 0: not looked up yet */
} own = {.lock = LOCK_INIT(LOCK_GLOBAL)};

static struct pool *from_queue(struct queue *q)
{
    return container_of(q, struct pool, port.queue);
}

/* How long an idle thread stays: 20 s, or IOCP_POOL_IDLE_MS. */
static uint32_t idle_ms(void)
{
    uint32_t ms = atomic_load_explicit(&own.idle_ms, memory_order_relaxed);
    const char *text;

    if (ms != 0)
        return ms;
    text = getenv("IOCP_POOL_IDLE_MS");
    ms = text ? (uint32_t)strtoul(text, NULL, 10) : IDLE_MS;
    if (ms == 0)
        ms = 1;
    atomic_store_explicit(&own.idle_ms, ms, memory_order_relaxed);
    return ms;
}

bool pool_forked(const struct worker *w)
{
    return w->born != atomic_load_explicit(&own.forks, memory_order_relaxed);
}

/* ---- threads ---- */

static void *worker_main(void *arg);

/* A thread that is counted already. false: it cannot be had, and is not counted any more. */
static bool start_thread(struct pool *pool)
{
    struct thread *t = thread_prepare(pool);
    size_t reserve, commit;

    pool_get_stack(pool, &reserve, &commit);
    object_get(&pool->port.object);
    if (t && os_thread_with_stack(worker_main, t, reserve) == 0)
        return true;
    if (t)
        object_put(&t->object);
    lock_acquire(&pool->lock);
    pool->threads--;
    pool->arriving--;
    lock_release(&pool->lock);
    object_put(&pool->port.object);
    return false;
}

/* In a while, again: whoever is there may have left by then without anybody starving. */
static void try_later(struct pool *pool)
{
    bool arm;

    lock_acquire(&pool->lock);
    arm = !pool->retrying;
    pool->retrying = true;
    lock_release(&pool->lock);
    if (!arm)
        return;
    object_get(&pool->port.object);
    if (timer_set(&pool->retry, clock_now_ns() + RETRY_MS * NS_PER_MS) == 0)
        return;
    lock_acquire(&pool->lock);
    pool->retrying = false;
    lock_release(&pool->lock);
    object_put(&pool->port.object);
}

static void retry(struct timer *timer)
{
    struct pool *pool = container_of(timer, struct pool, retry);

    lock_acquire(&pool->lock);
    pool->retrying = false;
    lock_release(&pool->lock);
    queue_poke(&pool->port.queue);
    object_put(&pool->port.object);
}

/* The queue has work for so many threads more than there are. */
static void starved(struct queue *q, uint32_t wanted)
{
    struct pool *pool = from_queue(q);
    uint32_t missing = 0;

    if (atomic_load(&own.exiting))
        return;
    lock_acquire(&pool->lock);
    while (pool->arriving < wanted && pool->threads < pool->max) {
        pool->arriving++;
        pool->threads++;
        missing++;
    }
    lock_release(&pool->lock);
    for (; missing > 0; missing--) {
        if (!start_thread(pool))
            try_later(pool);
    }
}

static void arrive(struct pool *pool)
{
    lock_acquire(&pool->lock);
    assert(pool->arriving > 0);
    pool->arriving--;
    lock_release(&pool->lock);
}

/* Nothing came for a while: may this thread leave? One has to look into the poller, if there is something. */
static bool may_leave(struct worker *w)
{
    struct pool *pool = w->pool;

    lock_acquire(&pool->lock);
    if (pool->threads > pool->min && (pool->threads > 1 || !queue_polls(&pool->port.queue))) {
        pool->threads--;
        w->gone = true;
    }
    lock_release(&pool->lock);
    return w->gone;
}

static bool is_too_many(struct worker *w)
{
    struct pool *pool = w->pool;

    lock_acquire(&pool->lock);
    if (pool->threads > pool->max) {
        pool->threads--;
        w->gone = true;
    }
    lock_release(&pool->lock);
    return w->gone;
}

static void put_back(struct queue *q, struct queue_entry *e)
{
    struct packet packet;

    if (queue_put(q, e))
        return;
    assert(!e->task); /* a task keeps its pool open */
    port_unpack(e, &packet);
}

/* Exit handlers run: the program's memory is about to go. */
static void stop_at_exit(void)
{
    atomic_store(&own.exiting, true);
}

static void serve(struct worker *w)
{
    struct queue *q = &w->pool->port.queue;
    struct queue_entry *e;
    unsigned count;

    for (;;) {
        uint64_t deadline = w->persistent ? DEADLINE_NEVER : clock_now_ns() + idle_ms() * NS_PER_MS;
        uint32_t status = queue_get(q, &e, 1, &count, w->persistent, deadline);

        while (atomic_load_explicit(&own.exiting, memory_order_relaxed))
            pause();
        if (status == STATUS_TIMEOUT) {
            if (may_leave(w))
                return;
        } else if (status == STATUS_SUCCESS) {
            if (is_too_many(w)) {
                put_back(q, e);
                return;
            }
            task_serve(w, e);
            if (pool_forked(w))
                return;
        } else if (status != STATUS_USER_APC) {
            return; /* closed */
        }
    }
}

/* Also when a callback has ended its thread: the pool has one less, and makes another when it needs to. */
static void worker_end(void *arg)
{
    struct worker *w = arg;
    struct pool *pool = w->pool;

    if (pool_forked(w))
        return;
    if (w->run)
        run_end(w->run);
    if (!w->gone) {
        lock_acquire(&pool->lock);
        pool->threads--;
        lock_release(&pool->lock);
    }
    object_put(&pool->port.object);
}

static void *worker_main(void *arg)
{
    struct thread *self = arg;
    struct run run;
    struct worker w = {.pool = self->start_arg, .room = &run, .born = atomic_load(&own.forks)};

    thread_begin(self);
    pthread_cleanup_push(worker_end, &w);
    arrive(w.pool);
    serve(&w);
    pthread_cleanup_pop(1);
    return NULL;
}

/* ---- pools ---- */

static void destroy(struct object *obj)
{
    struct pool *pool = container_of(obj, struct pool, port.object);

    assert(pool->threads == 0 && !pool->retrying);
    timer_unreserve(&pool->retry);
    queue_free(&pool->port.queue);
    free(pool);
}

static const struct object_type pool_type = {
    .name = "pool",
    .kind = OBJECT_PORT,
    .destroy = destroy,
};

static void know_of_exit(void)
{
    bool tell;

    lock_acquire(&own.lock);
    tell = !own.exit_known;
    own.exit_known = true;
    lock_release(&own.lock);
    if (tell)
        atexit(stop_at_exit);
}

uint32_t pool_new(struct pool **out)
{
    struct pool *pool = calloc(1, sizeof *pool);

    if (!pool)
        return STATUS_NO_MEMORY;
    know_of_exit();
    port_init(&pool->port, &pool_type, 0);
    pool->port.queue.starved = starved;
    lock_init(&pool->lock, LOCK_LEAF);
    atomic_init(&pool->uses, 1);
    pool->max = THREADS_MAX;
    timer_init(&pool->retry, retry);
    if (timer_reserve(&pool->retry) != 0) {
        object_put(&pool->port.object);
        return STATUS_NO_MEMORY;
    }
    *out = pool;
    return STATUS_SUCCESS;
}

struct pool *pool_own(enum own_pool which)
{
    struct pool *made = NULL;
    struct pool *pool;

    lock_acquire(&own.lock);
    pool = own.pools[which];
    lock_release(&own.lock);
    if (!pool) {
        if (pool_new(&made) != STATUS_SUCCESS)
            return NULL;
        if (which != POOL_DEFAULT)
            pool_set_max(made, 1);
        lock_acquire(&own.lock);
        if (!own.pools[which])
            own.pools[which] = made;
        pool = own.pools[which];
        lock_release(&own.lock);
        if (pool != made)
            pool_unuse(made);
    }
    pool_use(pool);
    return pool;
}

void pool_unuse(struct pool *pool)
{
    bool retrying;

    if (atomic_fetch_sub(&pool->uses, 1) != 1)
        return;
    lock_acquire(&pool->lock);
    retrying = pool->retrying;
    lock_release(&pool->lock);
    if (retrying && timer_cancel(&pool->retry)) { /* else it fires, and lets go itself */
        lock_acquire(&pool->lock);
        pool->retrying = false;
        lock_release(&pool->lock);
        object_put(&pool->port.object); /* not the last */
    }
    port_close(&pool->port);
    object_put(&pool->port.object);
}

/* At most as many released threads as processors, but the minimum in any case. */
static void set_active_max(struct pool *pool)
{
    uint32_t n = port_processors();

    lock_acquire(&pool->lock);
    if (n < pool->min)
        n = pool->min;
    if (n > pool->max)
        n = pool->max;
    lock_release(&pool->lock);
    queue_set_active_max(&pool->port.queue, n);
}

void pool_set_max(struct pool *pool, uint32_t threads)
{
    lock_acquire(&pool->lock);
    pool->max = threads > 0 ? threads : 1;
    if (pool->min > pool->max)
        pool->min = pool->max;
    lock_release(&pool->lock);
    set_active_max(pool);
}

uint32_t pool_set_min(struct pool *pool, uint32_t threads)
{
    uint32_t missing = 0;
    bool all = true;

    lock_acquire(&pool->lock);
    pool->min = threads;
    if (pool->max < threads)
        pool->max = threads;
    for (; pool->threads < pool->min; missing++) {
        pool->threads++;
        pool->arriving++;
    }
    lock_release(&pool->lock);
    set_active_max(pool);
    for (; missing > 0; missing--)
        all &= start_thread(pool);
    return all ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

void pool_set_stack(struct pool *pool, size_t reserve, size_t commit)
{
    lock_acquire(&pool->lock);
    pool->stack_reserve = reserve;
    pool->stack_commit = commit;
    lock_release(&pool->lock);
}

void pool_get_stack(struct pool *pool, size_t *reserve, size_t *commit)
{
    lock_acquire(&pool->lock);
    *reserve = pool->stack_reserve;
    *commit = pool->stack_commit;
    lock_release(&pool->lock);
}

bool pool_spare(struct worker *w)
{
    struct pool *pool = w->pool;
    bool spared;

    lock_acquire(&pool->lock);
    spared = pool->lasting + 1 < pool->max;
    pool->lasting += spared;
    lock_release(&pool->lock);
    if (spared)
        queue_block(thread_current()); /* its next dequeue gives the place back that it does not have */
    return spared;
}

void pool_unspare(struct worker *w)
{
    lock_acquire(&w->pool->lock);
    assert(w->pool->lasting > 0);
    w->pool->lasting--;
    lock_release(&w->pool->lock);
}

/* A forked child has no pool yet; the tasks are the parent's. */
static void start_afresh(void)
{
    for (int i = 0; i < OWN_POOLS; i++)
        own.pools[i] = NULL;
    atomic_fetch_add(&own.forks, 1);
}

FORK_HOOK(&own.lock, LOCK_GLOBAL, start_afresh);
