/* SPDX-License-Identifier: MIT */
/*
 * Listeners from inside: told once, in their turn among the waiters, with the object consumed for them;
 * taken out or called, never both, also when it is a race.
 */
#include "unit.h"

#include "base/clock.h"
#include "object/handle.h"
#include "wait/listener.h"
#include "wait/objects.h"
#include "wait/wait.h"

#include <ntstatus.h>

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

struct ear {
    struct listener listener;
    _Atomic int heard;
};

static void hear(struct listener *l)
{
    atomic_fetch_add(&container_of(l, struct ear, listener)->heard, 1);
}

static struct ear *ear_new(void)
{
    struct ear *e = calloc(1, sizeof *e);

    e->listener.notify = hear;
    return e;
}

static struct dispatcher *of(struct object *obj)
{
    return obj->type->dispatcher(obj);
}

TEST(signalled_already)
{
    struct object *automatic, *manual;
    struct ear *e = ear_new();

    event_new(NULL, false, true, &automatic);
    event_new(NULL, true, true, &manual);
    CHECK(!listener_begin(&e->listener, of(automatic)));
    CHECK(!dispatcher_signalled(of(automatic)));
    CHECK(!listener_begin(&e->listener, of(manual)));
    CHECK(dispatcher_signalled(of(manual)));
    CHECK_EQ(e->heard, 0);
    object_put(automatic);
    object_put(manual);
    free(e);
}

TEST(called_once_and_consumed)
{
    struct object *event;
    struct ear *e = ear_new();

    event_new(NULL, false, false, &event);
    CHECK(listener_begin(&e->listener, of(event)));
    dispatcher_set(of(event), 1);
    CHECK_EQ(e->heard, 1);
    CHECK(!dispatcher_signalled(of(event)));
    CHECK(!listener_end(&e->listener));
    dispatcher_set(of(event), 1);
    CHECK_EQ(e->heard, 1);
    CHECK(dispatcher_signalled(of(event)));
    CHECK_EQ(wait_for_one(of(event), false, 0), STATUS_WAIT_0);
    CHECK(listener_begin(&e->listener, of(event)));
    CHECK(listener_end(&e->listener));
    dispatcher_set(of(event), 1);
    CHECK_EQ(e->heard, 1);
    dispatcher_set(of(event), 0);
    CHECK(listener_begin(&e->listener, of(event)));
    dispatcher_pulse(of(event));
    CHECK_EQ(e->heard, 2);
    CHECK(!dispatcher_signalled(of(event)));
    object_put(event);
    free(e);
}

/* First come first served, and no more of them than the count says. */
TEST(in_their_turn)
{
    struct object *sem;
    struct ear *ears[3];
    int32_t previous;

    semaphore_new(NULL, 0, 10, &sem);
    for (int i = 0; i < 3; i++) {
        ears[i] = ear_new();
        CHECK(listener_begin(&ears[i]->listener, of(sem)));
    }
    CHECK_EQ(semaphore_release(sem, 2, &previous), STATUS_SUCCESS);
    CHECK_EQ(ears[0]->heard, 1);
    CHECK_EQ(ears[1]->heard, 1);
    CHECK_EQ(ears[2]->heard, 0);
    CHECK_EQ(semaphore_release(sem, 2, &previous), STATUS_SUCCESS);
    CHECK_EQ(ears[2]->heard, 1);
    CHECK_EQ(wait_for_one(of(sem), false, 0), STATUS_WAIT_0);
    CHECK_EQ(wait_for_one(of(sem), false, 0), STATUS_TIMEOUT);
    for (int i = 0; i < 3; i++)
        free(ears[i]);
    object_put(sem);
}

/* More of them than a wake list has room for threads, and each may begin again at once. */
struct again {
    struct listener listener;
    struct dispatcher *dispatcher;
    _Atomic int heard;
};

static void hear_again(struct listener *l)
{
    struct again *a = container_of(l, struct again, listener);

    atomic_fetch_add(&a->heard, 1);
    listener_begin(l, a->dispatcher);
}

TEST(many_and_again)
{
    enum { MANY = 100 };
    struct again many[MANY];
    struct object *event;

    memset(many, 0, sizeof many);
    event_new(NULL, true, false, &event);
    for (int i = 0; i < MANY; i++) {
        many[i].listener.notify = hear_again;
        many[i].dispatcher = of(event);
        CHECK(listener_begin(&many[i].listener, of(event)));
    }
    for (int round = 0; round < 3; round++)
        dispatcher_pulse(of(event));
    for (int i = 0; i < MANY; i++) {
        CHECK_EQ(many[i].heard, 3);
        CHECK(listener_end(&many[i].listener));
    }
    object_put(event);
}

static uint32_t end_at_once(void *arg)
{
    (void)arg;
    return 0;
}

TEST(end_of_a_thread)
{
    struct ear *e = ear_new();
    struct thread *t;
    uint32_t previous;

    CHECK_EQ(thread_create(end_at_once, NULL, 0, true, &t), STATUS_SUCCESS);
    CHECK(listener_begin(&e->listener, &t->dispatcher));
    thread_resume(t, &previous);
    for (uint64_t late = clock_now_ns() + 20 * NS_PER_SEC; !e->heard && clock_now_ns() < late;)
        sched_yield();
    CHECK_EQ(e->heard, 1);
    object_put(&t->object);
    free(e);
}

/* ---- races ---- */

struct race {
    struct object *event;
    _Atomic bool stop;
};

static void *set_again_and_again(void *arg)
{
    struct race *r = arg;

    while (!atomic_load(&r->stop)) {
        dispatcher_set(of(r->event), 1);
        sched_yield();
    }
    return NULL;
}

static void *wait_again_and_again(void *arg)
{
    struct race *r = arg;

    while (!atomic_load(&r->stop))
        wait_for_one(of(r->event), false, clock_now_ns() + NS_PER_MS);
    return NULL;
}

TEST(taken_out_or_called)
{
    enum { ROUNDS = 200000 };
    struct race r = {0};
    struct ear *e = ear_new();
    pthread_t setter, waiter;
    int called = 0;

    event_new(NULL, false, false, &r.event);
    pthread_create(&setter, NULL, set_again_and_again, &r);
    pthread_create(&waiter, NULL, wait_again_and_again, &r);
    for (int i = 0; i < ROUNDS; i++) {
        if (!listener_begin(&e->listener, of(r.event)))
            continue;
        if (i % 3 == 0)
            sched_yield();
        if (listener_end(&e->listener))
            continue;
        called++;
        while (atomic_load(&e->heard) < called)
            sched_yield();
        CHECK_EQ(e->heard, called);
    }
    atomic_store(&r.stop, true);
    pthread_join(setter, NULL);
    pthread_join(waiter, NULL);
    CHECK_EQ(e->heard, called);
    object_put(r.event);
    free(e);
}
