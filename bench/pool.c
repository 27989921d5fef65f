/* SPDX-License-Identifier: MIT */
/*
 * The thread pool by itself: what an item of work costs from SubmitThreadpoolWork to the end of its
 * callback, in nanoseconds. `items` is of many submitted by one thread, `chain` of one that submits itself
 * again, `one` of one that is waited for before the next; medians of rounds. Beside it, in turns, the same
 * with a plain pool of pthreads: as many threads as processors, a list, a mutex and a condition variable.
 * One line of "name=value" pairs.
 */
#include <iocp.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 31
#define COUNT  20000
#define WAITED 500

static double now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static void check(int ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "%s failed\n", what);
    exit(1);
}

static int up(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof *values, up);
    return values[ROUNDS / 2];
}

static _Atomic long ran;
static _Atomic long links;

/* ---- the library's ---- */

static PTP_WORK work, link_work;

static void CALLBACK on_work(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WORK w)
{
    (void)instance, (void)context, (void)w;
    atomic_fetch_add_explicit(&ran, 1, memory_order_relaxed);
}

static void CALLBACK on_link(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WORK w)
{
    (void)instance, (void)context;
    if (atomic_fetch_add_explicit(&links, 1, memory_order_relaxed) + 1 < COUNT)
        SubmitThreadpoolWork(w);
}

static void items(void)
{
    for (int i = 0; i < COUNT; i++)
        SubmitThreadpoolWork(work);
    WaitForThreadpoolWorkCallbacks(work, FALSE);
}

static void chain(void)
{
    atomic_store(&links, 0);
    SubmitThreadpoolWork(link_work);
    WaitForThreadpoolWorkCallbacks(link_work, FALSE);
}

static void one(void)
{
    for (int i = 0; i < WAITED; i++) {
        SubmitThreadpoolWork(work);
        WaitForThreadpoolWorkCallbacks(work, FALSE);
    }
}

/* ---- a plain one ---- */

struct item {
    struct item *next;
    void (*run)(void);
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t work, idle;
    struct item *first, **last;
    int busy;
} plain = {.lock = PTHREAD_MUTEX_INITIALIZER,
           .work = PTHREAD_COND_INITIALIZER,
           .idle = PTHREAD_COND_INITIALIZER,
           .last = &plain.first};

static void *plain_main(void *arg)
{
    pthread_mutex_lock(&plain.lock);
    for (;;) {
        struct item *item = plain.first;
        if (!item) {
            pthread_cond_wait(&plain.work, &plain.lock);
            continue;
        }
        plain.first = item->next;
        if (!plain.first)
            plain.last = &plain.first;
        plain.busy++;
        pthread_mutex_unlock(&plain.lock);
        item->run();
        free(item);
        pthread_mutex_lock(&plain.lock);
        if (--plain.busy == 0 && !plain.first)
            pthread_cond_broadcast(&plain.idle);
    }
    return arg;
}

static void plain_submit(void (*run)(void))
{
    struct item *item = malloc(sizeof *item);
    check(item != NULL, "malloc");
    item->next = NULL;
    item->run = run;
    pthread_mutex_lock(&plain.lock);
    *plain.last = item;
    plain.last = &item->next;
    pthread_mutex_unlock(&plain.lock);
    pthread_cond_signal(&plain.work);
}

static void plain_wait(void)
{
    pthread_mutex_lock(&plain.lock);
    while (plain.busy > 0 || plain.first)
        pthread_cond_wait(&plain.idle, &plain.lock);
    pthread_mutex_unlock(&plain.lock);
}

static void plain_run(void)
{
    atomic_fetch_add_explicit(&ran, 1, memory_order_relaxed);
}

static void plain_link(void)
{
    if (atomic_fetch_add_explicit(&links, 1, memory_order_relaxed) + 1 < COUNT)
        plain_submit(plain_link);
}

static void plain_items(void)
{
    for (int i = 0; i < COUNT; i++)
        plain_submit(plain_run);
    plain_wait();
}

static void plain_chain(void)
{
    atomic_store(&links, 0);
    plain_submit(plain_link);
    plain_wait();
}

static void plain_one(void)
{
    for (int i = 0; i < WAITED; i++) {
        plain_submit(plain_run);
        plain_wait();
    }
}

/* ---- both, in turns ---- */

static double per_item(void (*round)(void), int count)
{
    double start = now_ns();
    round();
    return (now_ns() - start) / count;
}

static void compare(const char *name, void (*ours)(void), void (*theirs)(void), int count)
{
    double a[ROUNDS], b[ROUNDS];
    ours();
    theirs();
    for (int i = 0; i < ROUNDS; i++) {
        a[i] = per_item(ours, count);
        b[i] = per_item(theirs, count);
    }
    printf("%s=%.0f plain_%s=%.0f ", name, median(a), name, median(b));
}

int main(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    pthread_t thread;

    work = CreateThreadpoolWork(on_work, NULL, NULL);
    link_work = CreateThreadpoolWork(on_link, NULL, NULL);
    check(work && link_work, "CreateThreadpoolWork");
    for (long i = 0; i < processors; i++)
        check(pthread_create(&thread, NULL, plain_main, NULL) == 0, "pthread_create");
    compare("items", items, plain_items, COUNT);
    compare("chain", chain, plain_chain, COUNT);
    compare("one", one, plain_one, WAITED);
    printf("\n");
    return 0;
}
