/* SPDX-License-Identifier: MIT */
/*
 * The engines by their contract (engine/engine.h), whichever IOCP_ENGINE chooses: every op that was
 * started is answered once, results are bytes or -errno, and a late cancel hits nobody.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "engine/engine.h"

#include "base/clock.h"
#include "base/futex.h"
#include "base/os.h"
#include "engine/backends.h"
#include "engine/home.h"
#include "unit.h"
#include "count.h"
#include "work.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int on_caller; /* answers that came on the starting thread */

static void done(struct op *op, int64_t result)
{
    struct work *w = container_of(op, struct work, op);

    if (gettid() == getpid()) /* the tests start everything on the main thread */
        on_caller++;
    op->result = result;
    atomic_fetch_add(&w->answers, 1);
    futex_wake(&w->answers, 1);
}

static int64_t wait_answer(struct work *w)
{
    uint64_t limit = clock_now_ns() + 10 * NS_PER_SEC;

    while (atomic_load(&w->answers) == 0) {
        if (futex_wait(&w->answers, 0, limit) == -ETIMEDOUT)
            return -ETIMEDOUT;
    }
    return w->op.result;
}

static int temporary(void)
{
    char name[] = "/tmp/iocp-engine-XXXXXX";
    int fd = mkstemp(name);

    unlink(name);
    return fd;
}

TEST(write_sync_read)
{
    int fd = temporary();
    struct work w;

    CHECK_EQ(engine_init(), 0);
    prepare(&w, OP_WRITE, fd, 4096);
    memset(w.data, 'x', sizeof w.data);
    CHECK_EQ(engine_start(&w.op), 0);
    CHECK_EQ(wait_answer(&w), (long long)sizeof w.data);
    prepare(&w, OP_FSYNC, fd, 0);
    CHECK_EQ(engine_start(&w.op), 0);
    CHECK_EQ(wait_answer(&w), 0);
    prepare(&w, OP_READ, fd, 4096 + 60);
    CHECK_EQ(engine_start(&w.op), 0);
    CHECK_EQ(wait_answer(&w), 4); /* short at the end of the file */
    CHECK_EQ(w.data[3], 'x');
    prepare(&w, OP_READ, fd, 1 << 20);
    CHECK_EQ(engine_start(&w.op), 0);
    CHECK_EQ(wait_answer(&w), 0);
    CHECK_EQ(on_caller, 0);
    close(fd);
}

TEST(failure_is_an_errno)
{
    struct work w;

    prepare(&w, OP_READ, -1, 0);
    CHECK_EQ(engine_start(&w.op), 0);
    CHECK_EQ(wait_answer(&w), -EBADF);
}

TEST(more_ops_than_slots)
{
    enum { N = 5000 };
    struct work *all = calloc(N, sizeof *all);
    int fd = temporary();
    int wrong = 0;

    for (int i = 0; i < N; i++) {
        prepare(&all[i], OP_WRITE, fd, (uint64_t)i * sizeof all[i].data);
        memset(all[i].data, i & 0xFF, sizeof all[i].data);
        CHECK_EQ(engine_start(&all[i].op), 0);
    }
    for (int i = 0; i < N; i++)
        wrong += wait_answer(&all[i]) != (long long)sizeof all[i].data;
    CHECK_EQ(wrong, 0);
    for (int i = 0; i < N; i++) {
        char got[sizeof all[i].data];

        wrong += pread(fd, got, sizeof got, (off_t)(i * sizeof got)) != (ssize_t)sizeof got ||
                 memcmp(got, all[i].data, sizeof got) != 0;
    }
    CHECK_EQ(wrong, 0);
    close(fd);
    free(all);
}

static int64_t call_sum(struct op *op)
{
    return (int64_t)op->offset * 2;
}

TEST(calls)
{
    struct work w;

    prepare(&w, OP_CALL, -1, 21);
    w.op.call = call_sum;
    CHECK_EQ(engine_start(&w.op), 0);
    CHECK_EQ(wait_answer(&w), 42);
}

/* ---- the pool ---- */

enum { POOL_MAX = 16, SLOW_CALLS = 40 };

static _Atomic uint32_t gate; /* 0: calls stop at it */
static _Atomic int inside, inside_max;

static int64_t call_gate(struct op *op)
{
    int now = atomic_fetch_add(&inside, 1) + 1;

    if (now > atomic_load(&inside_max))
        atomic_store(&inside_max, now); /* it only has to be seen once */
    while (atomic_load(&gate) == 0)
        futex_wait(&gate, 0, DEADLINE_NEVER);
    atomic_fetch_sub(&inside, 1);
    return (int64_t)op->offset;
}

static int calls_inside(void)
{
    return atomic_load(&inside);
}

/* As many threads as calls that block, up to the bound; what is more waits. Idle ones leave. */
TEST(pool_grows_and_shrinks)
{
    static struct work w[SLOW_CALLS];
    int before;

    threads_idle_ns = NS_PER_MS;
    for (int round = 0; round < 3; round++) {
        atomic_store(&gate, 0);
        for (int i = 0; i < SLOW_CALLS; i++) {
            prepare(&w[i], OP_CALL, -1, (uint64_t)i);
            w[i].op.call = call_gate;
            CHECK_EQ(engine_start(&w[i].op), 0);
        }
        CHECK(WITHIN(20000, calls_inside() == POOL_MAX));
        before = count_in("/proc/self/task") - POOL_MAX;
        atomic_store(&gate, 1);
        futex_wake(&gate, INT_MAX);
        for (int i = 0; i < SLOW_CALLS; i++) {
            CHECK_EQ(wait_answer(&w[i]), i);
            CHECK_EQ(w[i].answers, 1);
        }
        CHECK(WITHIN(20000, count_in("/proc/self/task") <= before));
    }
    CHECK_EQ(inside_max, POOL_MAX);
    threads_idle_ns = 3 * NS_PER_SEC;
}

/* ---- no thread to be had ---- */

static struct work refused_one, other_one;
static int tasks_before;

static int64_t call_nothing(struct op *op)
{
    return (int64_t)op->offset;
}

/* Its memory is something else by the time that its answer is known. */
static void done_and_reused(struct op *op, int64_t result)
{
    done(op, result);
    op->state = OP_WAITING;
    list_init(&op->link);
}

/* The first thread cannot be had; but meanwhile another start has got one, which has done all and left. */
static int refuse_the_first(const char *call)
{
    if (strcmp(call, "pthread_create") != 0)
        return 0;
    os_fault = NULL;
    prepare(&other_one, OP_CALL, -1, 2);
    other_one.op.call = call_nothing;
    CHECK_EQ(engine_start(&other_one.op), 0);
    CHECK_EQ(wait_answer(&other_one), 2);
    CHECK(WITHIN(20000, count_in("/proc/self/task") <= tasks_before));
    return -EAGAIN;
}

TEST(refused_or_answered)
{
    int err;

    threads_idle_ns = NS_PER_MS;
    CHECK_EQ(home_start(), 0);
    tasks_before = count_in("/proc/self/task");
    prepare(&refused_one, OP_CALL, -1, 1);
    refused_one.op.call = call_nothing;
    refused_one.op.done = done_and_reused;
    os_fault = refuse_the_first;
    err = engine_start(&refused_one.op);
    CHECK(!os_fault);
    CHECK_EQ(atomic_load(&refused_one.answers), err == 0);

    /* And those that follow find all in order. */
    for (int i = 0; i < 5; i++) {
        struct work w;

        prepare(&w, OP_CALL, -1, 3);
        w.op.call = call_nothing;
        CHECK_EQ(engine_start(&w.op), 0);
        CHECK_EQ(wait_answer(&w), 3);
        CHECK(WITHIN(20000, count_in("/proc/self/task") <= tasks_before));
    }
    threads_idle_ns = 3 * NS_PER_SEC;
}

TEST(cancel_against_answer)
{
    enum { N = 2000 };
    static struct work all[N];
    int fd = temporary();
    int wrong = 0;

    for (int i = 0; i < N; i++) {
        prepare(&all[i], OP_READ, fd, 0);
        CHECK_EQ(engine_start(&all[i].op), 0);
        engine_cancel(&all[i].op, all[i].op.generation);
        engine_cancel(&all[i].op, all[i].op.generation - 1);
    }
    for (int i = 0; i < N; i++) {
        int64_t result = wait_answer(&all[i]);

        wrong += result != 0 && result != -ECANCELED;
    }
    CHECK_EQ(wrong, 0);
    for (int i = 0; i < N; i++)
        wrong += atomic_load(&all[i].answers) != 1;
    CHECK_EQ(wrong, 0);
    close(fd);
}

TEST(cancel_reaches_a_blocked_read)
{
    int ends[2];
    struct work w;

    if (engine_kind() != ENGINE_URING)
        return; /* a thread inside read(2) cannot be called back; only waiting ops can */
    CHECK_EQ(pipe(ends), 0);
    prepare(&w, OP_READ, ends[0], UINT64_MAX);
    CHECK_EQ(engine_start(&w.op), 0);
    engine_cancel(&w.op, w.op.generation);
    CHECK_EQ(wait_answer(&w), -ECANCELED);
    close(ends[0]);
    close(ends[1]);
}

/* A glance at what the ring's lock guards, which the thread sanitizer need not see. */
__attribute__((noinline, no_sanitize("thread"))) static int handed_on(const volatile struct op *op)
{
    return op->generation == 0;
}

/* More reads of an empty pipe than there are pool threads. The ring hands them on, with -EAGAIN, and has
 * nothing to do with their cancel any more: those that wait for a pool thread are in the pool's list. */
TEST(cancelled_after_the_ring_gave_up)
{
    enum { MANY = 20 };
    static struct work w[MANY];
    char bytes[MANY * sizeof w[0].data] = {0};
    int fd[2];

    if (engine_kind() != ENGINE_URING)
        return;
    CHECK_EQ(pipe(fd), 0);
    for (int i = 0; i < MANY; i++) {
        prepare(&w[i], OP_READ, fd[0], UINT64_MAX);
        w[i].op.rw_flags = RWF_NOWAIT;
        CHECK_EQ(engine_start(&w[i].op), 0);
    }
    for (int i = 0; i < MANY; i++) {
        while (!handed_on(&w[i].op))
            sched_yield();
    }
    for (int i = 0; i < MANY; i++)
        engine_cancel(&w[i].op, 0);
    CHECK_EQ(write(fd[1], bytes, sizeof bytes), (long)sizeof bytes);
    for (int i = 0; i < MANY; i++) {
        CHECK_EQ(wait_answer(&w[i]), sizeof w[i].data);
        CHECK_EQ(w[i].answers, 1);
    }
    close(fd[0]);
    close(fd[1]);
}

/* ---- answers without end ---- */

static _Atomic int go_on, still_started, home_was_free;

static void done_and_again(struct op *op, int64_t result)
{
    CHECK_EQ(result, (long long)sizeof((struct work *)NULL)->data);
    if (!atomic_load(&go_on) || engine_start(op) != 0)
        atomic_fetch_sub(&still_started, 1);
}

static void note_turn(struct home_work *w)
{
    (void)w;
    atomic_store(&home_was_free, 1);
}

/* Reads that are started again by their answers, and done within the call that submits them: the home thread
 * gets to its other work all the same, again and again, and no answer is lost. */
TEST(answers_without_end)
{
    enum { MANY = 8, ROUNDS = 50 };
    static struct work w[MANY];
    static struct home_work turn = {.run = note_turn};
    int fd = temporary();
    int late = 0;

    CHECK_EQ(write(fd, w[0].data, sizeof w[0].data), (int)sizeof w[0].data);
    atomic_store(&go_on, 1);
    atomic_store(&still_started, MANY);
    for (int i = 0; i < MANY; i++) {
        prepare(&w[i], OP_READ, fd, 0);
        w[i].op.done = done_and_again;
        CHECK_EQ(engine_start(&w[i].op), 0);
    }
    for (int i = 0; i < ROUNDS && !late; i++) {
        atomic_store(&home_was_free, 0);
        home_submit(&turn);
        late = !WITHIN(10000, atomic_load(&home_was_free));
    }
    CHECK_EQ(late, 0);
    atomic_store(&go_on, 0);
    CHECK(WITHIN(10000, atomic_load(&still_started) == 0));
    close(fd);
}
