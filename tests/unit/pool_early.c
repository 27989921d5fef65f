/* SPDX-License-Identifier: MIT */
/*
 * Timers and registered waits that another thread ends while they are being made, and a timer queue that it
 * deletes then. The handle of the new one is written to a page that cannot be written to: at that very moment
 * the other thread has its turn, and finds the handle in the table, as a program could have guessed it.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "unit.h"

#include "object/handle.h"
#include "pool/task.h"
#include "pool/tasks.h"

#include <iocp.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ROUNDS = 50, DUE_MS = 1 };

static HANDLE queue;
static HANDLE signalled; /* an event */
static HANDLE *page;
static _Atomic int turns, turns_over; /* of the other thread; -1: it ends */
static void (*turn)(void);            /* what it does then */
static _Atomic int calls;

static void on_fault(int signal, siginfo_t *info, void *context)
{
    int mine = atomic_load(&turns) + 1;

    (void)signal, (void)context;
    if (info->si_addr != (void *)page)
        _exit(99); /* none of ours */
    atomic_store(&turns, mine);
    while (atomic_load(&turns_over) != mine)
        sched_yield();
}

static void *other_thread(void *arg)
{
    int done = 0, now;

    while ((now = atomic_load(&turns)) >= 0) {
        if (now == done) {
            sched_yield();
            continue;
        }
        turn();
        CHECK_EQ(mprotect(page, (size_t)sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE), 0);
        done = now;
        atomic_store(&turns_over, done);
    }
    return arg;
}

static void CALLBACK count_call(PVOID context, BOOLEAN fired)
{
    (void)context, (void)fired;
    atomic_fetch_add(&calls, 1);
}

struct search {
    bool (*wanted)(const struct task *t);
    uintptr_t found; /* 0: none */
};

static void look_at(struct object *obj, uintptr_t h, void *ctx)
{
    struct search *search = ctx;

    if (obj->type->kind == OBJECT_TASK && !group_from_object(obj) && search->wanted(task_from_object(obj)))
        search->found = h;
}

static HANDLE in_the_table(bool (*wanted)(const struct task *t))
{
    struct search search = {.wanted = wanted};

    handle_each_value(look_at, &search);
    return (HANDLE)search.found;
}

static void delete_timer(void)
{
    HANDLE timer = in_the_table(task_is_queue_timer);

    CHECK(timer != NULL);
    CHECK(DeleteTimerQueueTimer(queue, timer, NULL));
}

static void end_wait(void)
{
    HANDLE wait = in_the_table(task_is_registered_wait);

    CHECK(wait != NULL);
    CHECK(UnregisterWaitEx(wait, NULL));
}

static void delete_queue(void)
{
    CHECK(DeleteTimerQueueEx(queue, NULL));
}

static void with_turns(void (*what)(void), void (*round)(void))
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO}, before;
    size_t size = (size_t)sysconf(_SC_PAGESIZE);
    pthread_t thread;

    turn = what;
    atomic_store(&turns, 0);
    atomic_store(&turns_over, 0);
    atomic_store(&calls, 0);
    page = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    sigaction(SIGSEGV, &action, &before);
    CHECK_EQ(pthread_create(&thread, NULL, other_thread, NULL), 0);
    for (int i = 0; i < ROUNDS; i++) {
        queue = CreateTimerQueue();
        mprotect(page, size, PROT_READ);
        round();
        CHECK_EQ(atomic_load(&turns), i + 1);
    }
    atomic_store(&turns, -1);
    pthread_join(thread, NULL);
    sigaction(SIGSEGV, &before, NULL);
    munmap(page, size);
}

static void CALLBACK tell(PVOID context, BOOLEAN fired)
{
    (void)fired;
    SetEvent(context);
}

/* A timer that was due later than those that are gone has called: so would they have. */
static void after_the_others(void)
{
    HANDLE timer, event = CreateEventA(NULL, TRUE, FALSE, NULL);

    CHECK(CreateTimerQueueTimer(&timer, NULL, tell, event, 20 * DUE_MS, 0, 0));
    CHECK_EQ(WaitForSingleObject(event, 20000), WAIT_OBJECT_0);
    CHECK(DeleteTimerQueueTimer(NULL, timer, INVALID_HANDLE_VALUE));
    CloseHandle(event);
}

static void make_a_timer(void)
{
    CHECK(CreateTimerQueueTimer(page, queue, count_call, NULL, DUE_MS, DUE_MS, 0));
    CHECK(!ChangeTimerQueueTimer(queue, *page, 1, 1));
    CHECK_EQ(GetLastError(), ERROR_INVALID_HANDLE);
}

static void make_a_timer_and_delete_its_queue(void)
{
    make_a_timer();
    CHECK(DeleteTimerQueueEx(queue, INVALID_HANDLE_VALUE));
}

TEST(a_timer_deleted_as_its_handle_is_written)
{
    with_turns(delete_timer, make_a_timer_and_delete_its_queue);
    after_the_others();
    CHECK_EQ(atomic_load(&calls), 0);
}

TEST(a_queue_deleted_as_the_handle_of_its_timer_is_written)
{
    with_turns(delete_queue, make_a_timer);
    after_the_others();
    CHECK_EQ(atomic_load(&calls), 0);
    CHECK(in_the_table(task_is_queue_timer) == NULL); /* none is left */
}

static void register_a_wait(void)
{
    CHECK(RegisterWaitForSingleObject(page, signalled, count_call, NULL, DUE_MS, WT_EXECUTEDEFAULT));
    CHECK(!UnregisterWaitEx(*page, NULL));
    CHECK_EQ(GetLastError(), ERROR_INVALID_HANDLE);
}

TEST(a_wait_ended_as_its_handle_is_written)
{
    signalled = CreateEventA(NULL, TRUE, TRUE, NULL);
    with_turns(end_wait, register_a_wait);
    after_the_others();
    CHECK_EQ(atomic_load(&calls), 0);
    CHECK(in_the_table(task_is_registered_wait) == NULL);
    CHECK(CloseHandle(signalled));
}
