/* SPDX-License-Identifier: MIT */
/*
 * The wait room from inside: objects, waits of every kind, names, timers, threads, user locks.
 * What Win32 makes of it is the conformance tests' business; here are the inner promises and the
 * races, many times over.
 */
#include "unit.h"

#include "base/clock.h"
#include "object/handle.h"
#include "object/name.h"
#include "wait/objects.h"
#include "wait/process.h"
#include "wait/tls.h"
#include "wait/userlock.h"
#include "wait/wait.h"

#include <ntstatus.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static struct dispatcher *of(struct object *obj)
{
    return obj->type->dispatcher(obj);
}

static uint64_t soon(unsigned ms)
{
    return clock_now_ns() + ms * NS_PER_MS;
}

/* ---- objects and names ---- */

TEST(event_consumes)
{
    struct object *e;

    CHECK_EQ(event_new(NULL, false, true, &e), STATUS_SUCCESS);
    CHECK_EQ(wait_for_one(of(e), false, 0), STATUS_WAIT_0);
    CHECK_EQ(wait_for_one(of(e), false, 0), STATUS_TIMEOUT);
    CHECK_EQ(dispatcher_set(of(e), 1), 0);
    CHECK_EQ(dispatcher_set(of(e), 1), 1);
    CHECK_EQ(wait_for_one(of(e), false, soon(10)), STATUS_WAIT_0);
    CHECK_EQ(wait_for_one(of(e), false, soon(10)), STATUS_TIMEOUT);
    object_put(e);
}

TEST(names_are_shared_and_go)
{
    struct object *e, *again = NULL, *other = NULL;
    uintptr_t h;

    CHECK_EQ(event_new("unit name", true, false, &e), STATUS_SUCCESS);
    CHECK_EQ(event_new("Local\\unit name", true, true, &again), STATUS_OBJECT_NAME_EXISTS);
    CHECK(again == e);
    CHECK_EQ(mutex_new("unit name", true, &other), STATUS_OBJECT_TYPE_MISMATCH);
    CHECK_EQ(object_name_find("unit Name", OBJECT_EVENT, &other), STATUS_OBJECT_NAME_NOT_FOUND);
    CHECK_EQ(object_name_find("a\\b", OBJECT_EVENT, &other), STATUS_OBJECT_PATH_NOT_FOUND);
    CHECK_EQ(handle_open(e, 0, 0, &h), STATUS_SUCCESS);
    object_put(again);
    object_put(e);
    CHECK_EQ(handle_close(h), STATUS_SUCCESS);
    CHECK_EQ(object_name_find("unit name", OBJECT_EVENT, &other), STATUS_OBJECT_NAME_NOT_FOUND);
    CHECK_EQ(handle_close(h), STATUS_INVALID_HANDLE);
}

/* ---- the last handle ---- */

static int cleanups, destroys;

static void count_cleanup(struct object *obj)
{
    (void)obj;
    cleanups++;
}

static void count_destroy(struct object *obj)
{
    (void)obj;
    destroys++;
}

static const struct object_type counted_type = {
    .name = "counted", .kind = OBJECT_EVENT, .cleanup = count_cleanup, .destroy = count_destroy};

/* Who has looked a handle up, and is slow, gets no other once it is the last that was closed. */
TEST(no_duplicate_after_the_last)
{
    struct object obj, *found;
    uintptr_t first, second, third;

    object_init(&obj, &counted_type);
    CHECK_EQ(handle_open(&obj, 0, 0, &first), STATUS_SUCCESS);
    CHECK_EQ(handle_get(first, OBJECT_ANY, &found, NULL), STATUS_SUCCESS);
    CHECK_EQ(handle_open_another(found, 0, 0, &second), STATUS_SUCCESS);
    CHECK_EQ(handle_close(first), STATUS_SUCCESS);
    CHECK_EQ(handle_open_another(found, 0, 0, &third), STATUS_SUCCESS);
    CHECK_EQ(handle_close(third), STATUS_SUCCESS);
    CHECK_EQ(cleanups, 0);
    CHECK_EQ(handle_close(second), STATUS_SUCCESS);
    CHECK_EQ(cleanups, 1);
    CHECK_EQ(handle_open_another(found, 0, 0, &third), STATUS_INVALID_HANDLE);
    object_put(found);
    CHECK_EQ(destroys, 0);
    object_put(&obj);
    CHECK_EQ(cleanups, 1);
    CHECK_EQ(destroys, 1);
}

/* What is found by its name as its last handle is closed goes on as if nothing had been. */
TEST(a_timer_is_opened_as_it_is_closed)
{
    struct object *made, *found = NULL;
    uintptr_t first, second;

    CHECK_EQ(timer_object_new("unit timer", true, &made), STATUS_SUCCESS);
    CHECK_EQ(handle_open(made, 0, 0, &first), STATUS_SUCCESS);
    object_name_settle(made);
    object_put(made);
    CHECK_EQ(object_name_find("unit timer", OBJECT_TIMER, &found), STATUS_SUCCESS);
    CHECK_EQ(timer_object_set(found, -20 * 10000, 0, NULL, NULL), STATUS_SUCCESS);
    CHECK_EQ(handle_close(first), STATUS_SUCCESS);
    CHECK_EQ(handle_open(found, 0, 0, &second), STATUS_SUCCESS);
    object_name_settle(found);
    CHECK_EQ(wait_for_one(of(found), false, soon(5000)), STATUS_WAIT_0);

    /* If it is not opened after all, its end comes then. */
    CHECK_EQ(object_name_find("unit timer", OBJECT_TIMER, &made), STATUS_SUCCESS);
    CHECK_EQ(timer_object_set(found, -3600LL * 10000000, 0, NULL, NULL), STATUS_SUCCESS);
    CHECK_EQ(handle_close(second), STATUS_SUCCESS);
    CHECK(atomic_load(&found->refs) >= 3);
    object_name_settle(made);
    CHECK(WITHIN(20000, atomic_load(&found->refs) == 2)); /* ours: one that is set has another */
    CHECK_EQ(wait_for_one(of(found), false, 0), STATUS_TIMEOUT);
    object_put(made);
    object_put(found);
    CHECK_EQ(object_name_find("unit timer", OBJECT_TIMER, &made), STATUS_OBJECT_NAME_NOT_FOUND);
}

/* The same of a stranger, found by its id: its end is told to the handle that was opened last. */
TEST(a_process_is_opened_as_it_is_closed)
{
    pid_t pid = fork();
    struct process *p = NULL, *again = NULL;
    uintptr_t first, second;

    if (pid == 0)
        for (;;)
            pause();
    CHECK_EQ(process_open(pid, &p), STATUS_SUCCESS);
    CHECK_EQ(handle_open(&p->object, 0, 0, &first), STATUS_SUCCESS);
    handle_drop(&p->object);
    CHECK_EQ(process_open(pid, &again), STATUS_SUCCESS);
    CHECK(again == p);
    CHECK_EQ(handle_close(first), STATUS_SUCCESS);
    CHECK_EQ(handle_open(&again->object, 0, 0, &second), STATUS_SUCCESS);
    handle_drop(&again->object);
    kill(pid, SIGKILL);
    CHECK_EQ(wait_for_one(of(&again->object), false, soon(5000)), STATUS_WAIT_0);
    CHECK_EQ(handle_close(second), STATUS_SUCCESS);
    waitpid(pid, NULL, 0);
}

TEST(semaphore_limit)
{
    struct object *s;
    int32_t previous = -1;

    CHECK_EQ(semaphore_new(NULL, 3, 2, &s), STATUS_INVALID_PARAMETER);
    CHECK_EQ(semaphore_new(NULL, 1, INT32_MAX, &s), STATUS_SUCCESS);
    CHECK_EQ(semaphore_release(s, INT32_MAX, &previous), STATUS_SEMAPHORE_LIMIT_EXCEEDED);
    CHECK_EQ(previous, -1);
    CHECK_EQ(semaphore_release(s, 1, &previous), STATUS_SUCCESS);
    CHECK_EQ(previous, 1);
    CHECK_EQ(semaphore_release(s, 0, &previous), STATUS_INVALID_PARAMETER);
    object_put(s);
}

/* ---- mutexes ---- */

static void *take_and_end(void *mutex)
{
    return (void *)(uintptr_t)wait_for_one(of(mutex), false, DEADLINE_NEVER);
}

TEST(mutex_abandoned)
{
    struct object *m;
    pthread_t t;

    CHECK_EQ(mutex_new(NULL, false, &m), STATUS_SUCCESS);
    CHECK_EQ(mutex_release(m), STATUS_MUTANT_NOT_OWNED);
    pthread_create(&t, NULL, take_and_end, m);
    pthread_join(t, NULL);
    CHECK_EQ(wait_for_one(of(m), false, DEADLINE_NEVER), STATUS_ABANDONED_WAIT_0);
    CHECK_EQ(wait_for_one(of(m), false, 0), STATUS_WAIT_0); /* recursive, and normal again */
    CHECK_EQ(mutex_release(m), STATUS_SUCCESS);
    CHECK_EQ(mutex_release(m), STATUS_SUCCESS);
    CHECK_EQ(mutex_release(m), STATUS_MUTANT_NOT_OWNED);
    object_put(m);
}

static _Atomic int taken_once;

static void *take_and_tell(void *mutex)
{
    wait_for_one(of(mutex), false, DEADLINE_NEVER);
    atomic_fetch_add(&taken_once, 1);
    return NULL;
}

/* A mutex whose last reference goes while its owner exits: the two meet in either order. */
TEST(mutex_dies_with_owner)
{
    for (int i = 0; i < 500; i++) {
        struct object *m;
        pthread_t t;

        mutex_new(NULL, false, &m);
        pthread_create(&t, NULL, take_and_tell, m);
        while (atomic_load(&taken_once) == i)
            sched_yield();
        object_put(m);
        pthread_join(t, NULL);
    }
    CHECK_EQ(taken_once, 500);
}

/* ---- wait-all, contended ---- */

enum { ROUNDS = 3000 };
static struct object *forks[3];
static _Atomic int meals;

static void *philosopher(void *arg)
{
    unsigned left = (unsigned)(uintptr_t)arg;
    struct dispatcher *two[2] = {of(forks[left]), of(forks[(left + 1) % 3])};

    for (int i = 0; i < ROUNDS; i++) {
        if (wait_for(two, 2, true, false, soon(20000)) != STATUS_WAIT_0)
            return NULL;
        atomic_fetch_add(&meals, 1);
        dispatcher_set(two[0], 1);
        dispatcher_set(two[1], 1);
    }
    return NULL;
}

TEST(wait_all_takes_together)
{
    pthread_t t[3];

    atomic_store(&meals, 0);
    for (int i = 0; i < 3; i++)
        event_new(NULL, false, true, &forks[i]);
    for (uintptr_t i = 0; i < 3; i++)
        pthread_create(&t[i], NULL, philosopher, (void *)i);
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
    CHECK_EQ(meals, 3 * ROUNDS);
    for (int i = 0; i < 3; i++) {
        CHECK(dispatcher_signalled(of(forks[i])));
        object_put(forks[i]);
    }
}

/* ---- semaphore: nothing lost, nothing doubled ---- */

static struct object *sem;
static _Atomic int taken;
static _Atomic bool over;

static void *taker(void *arg)
{
    (void)arg;
    while (wait_for_one(of(sem), false, soon(20000)) == STATUS_WAIT_0 && !over)
        atomic_fetch_add(&taken, 1);
    return NULL;
}

TEST(semaphore_counts)
{
    enum { ALL = 5000 / 3 * 6 + 1 + 2 };
    pthread_t t[4];

    atomic_store(&taken, 0);
    atomic_store(&over, false);
    semaphore_new(NULL, 0, INT32_MAX, &sem);
    for (int i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, taker, NULL);
    for (int i = 0; i < 5000; i++)
        semaphore_release(sem, 1 + i % 3, NULL);
    CHECK(WITHIN(20000, taken >= ALL));
    CHECK_EQ(wait_for_one(of(sem), false, soon(20)), STATUS_TIMEOUT);
    atomic_store(&over, true);
    semaphore_release(sem, 4, NULL); /* one for each, to see that it is over */
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    CHECK_EQ(taken, ALL);
    object_put(sem);
}

/* ---- APCs ---- */

struct note {
    struct apc apc;
    _Atomic int ran, dropped;
};

static void note_run(struct apc *apc) { atomic_fetch_add(&container_of(apc, struct note, apc)->ran, 1); }
static void note_drop(struct apc *apc) { atomic_fetch_add(&container_of(apc, struct note, apc)->dropped, 1); }

static void note_init(struct note *n)
{
    memset(n, 0, sizeof *n);
    n->apc.run = note_run;
    n->apc.drop = note_drop;
    list_init(&n->apc.link);
}

static void *sleep_alertably(void *arg)
{
    _Atomic(struct thread *) *self = arg;

    atomic_store(self, thread_current());
    return (void *)(uintptr_t)wait_sleep(soon(20000), true);
}

TEST(apc_wakes_sleeper)
{
    _Atomic(struct thread *) t = NULL;
    struct note n;
    pthread_t id;
    void *result;

    note_init(&n);
    pthread_create(&id, NULL, sleep_alertably, &t);
    while (!atomic_load(&t))
        sched_yield();
    CHECK(apc_queue(atomic_load(&t), &n.apc));
    pthread_join(id, &result);
    CHECK_EQ((uintptr_t)result, STATUS_USER_APC);
    CHECK_EQ(n.ran, 1);
}

TEST(apc_withdrawn_or_run)
{
    struct note n;

    note_init(&n);
    CHECK(apc_queue(thread_current(), &n.apc));
    CHECK(apc_withdraw(thread_current(), &n.apc));
    CHECK(!apc_withdraw(thread_current(), &n.apc));
    CHECK_EQ(wait_sleep(0, true), STATUS_TIMEOUT);
    CHECK(apc_queue(thread_current(), &n.apc));
    CHECK_EQ(wait_sleep(0, false), STATUS_TIMEOUT);
    CHECK_EQ(n.ran, 0);
    CHECK_EQ(wait_sleep(0, true), STATUS_USER_APC);
    CHECK_EQ(n.ran, 1);
}

/* ---- timers ---- */

static int timer_calls;
static uint64_t timer_time;

static void timer_called(void *arg, uint32_t low, uint32_t high)
{
    timer_calls += (int)(intptr_t)arg;
    timer_time = (uint64_t)high << 32 | low;
}

TEST(timer_fires_and_calls)
{
    int64_t before = clock_filetime();
    struct object *t;

    timer_calls = 0;
    CHECK_EQ(timer_object_new(NULL, false, &t), STATUS_SUCCESS);
    CHECK_EQ(timer_object_set(t, -1, -1, NULL, NULL), STATUS_INVALID_PARAMETER);
    CHECK_EQ(timer_object_set(t, -100000, 0, timer_called, (void *)1), STATUS_SUCCESS);
    CHECK_EQ(wait_sleep(soon(20000), true), STATUS_USER_APC);
    CHECK_EQ(timer_calls, 1);
    CHECK((int64_t)timer_time - before >= 90000);
    CHECK_EQ(wait_for_one(of(t), false, 0), STATUS_WAIT_0);
    CHECK_EQ(wait_for_one(of(t), false, soon(30)), STATUS_TIMEOUT);
    object_put(t);
}

TEST(timer_periodic_then_cancelled)
{
    struct object *t;

    timer_object_new(NULL, false, &t);
    CHECK_EQ(timer_object_set(t, clock_filetime() + 1000, 5, NULL, NULL), STATUS_SUCCESS);
    for (int i = 0; i < 5; i++)
        CHECK_EQ(wait_for_one(of(t), false, soon(20000)), STATUS_WAIT_0);
    timer_object_cancel(t);
    wait_for_one(of(t), false, 0);
    CHECK_EQ(wait_for_one(of(t), false, soon(30)), STATUS_TIMEOUT);
    object_put(t);
}

static void exits(void *arg, uint32_t low, uint32_t high)
{
    (void)low;
    (void)high;
    thread_exit((uint32_t)(intptr_t)arg);
}

static uint32_t sets_and_sleeps(void *arg)
{
    timer_object_set(arg, -1, 1, exits, (void *)7);
    wait_sleep(soon(20000), true);
    return 8;
}

/* The routine ends its thread: it has let go of the timer, which fires for nobody from then on. */
TEST(timer_whose_routine_does_not_return)
{
    for (int i = 0; i < 100; i++) {
        struct object *t;
        struct thread *thread;

        CHECK_EQ(timer_object_new(NULL, false, &t), STATUS_SUCCESS);
        CHECK_EQ(thread_create(sets_and_sleeps, t, 0, false, &thread), STATUS_SUCCESS);
        CHECK_EQ(wait_for_one(&thread->dispatcher, false, soon(20000)), STATUS_WAIT_0);
        CHECK_EQ(atomic_load(&thread->exit_code), 7);
        timer_object_cancel(t);
        for (uint64_t end = soon(10000); atomic_load(&t->refs) > 1 && clock_now_ns() < end;)
            sched_yield(); /* a firing may be on its way */
        if (!CHECK_EQ(atomic_load(&t->refs), 1))
            return;
        object_put(&thread->object);
        object_put(t);
    }
}

/* Setting again and again while it fires: nothing is freed twice or lost, the last setting counts. */
TEST(timer_set_races_firing)
{
    struct object *t;

    timer_calls = 0;
    timer_object_new(NULL, false, &t);
    for (int i = 0; i < 20000; i++) {
        timer_object_set(t, -(i % 300), i % 2, timer_called, (void *)1);
        if (i % 7 == 0)
            wait_sleep(0, true);
        if (i % 50 == 0)
            timer_object_cancel(t);
    }
    timer_calls = 0;
    timer_object_set(t, -10, 0, timer_called, (void *)100);
    CHECK_EQ(wait_sleep(soon(20000), true), STATUS_USER_APC);
    CHECK_EQ(timer_calls, 100);
    CHECK_EQ(wait_for_one(of(t), false, 0), STATUS_WAIT_0);
    CHECK_EQ(wait_for_one(of(t), false, soon(20)), STATUS_TIMEOUT);
    CHECK_EQ(atomic_load(&t->refs), 1);
    object_put(t);
}

/* ---- threads ---- */

static uint32_t give_back(void *arg)
{
    return (uint32_t)(uintptr_t)arg;
}

static _Atomic bool searching;
static _Atomic unsigned found_by_0;

static void *searches(void *arg)
{
    struct thread *t;

    (void)arg;
    while (atomic_load(&searching)) {
        t = thread_find(0);
        if (t) {
            atomic_fetch_add(&found_by_0, 1);
            object_put(&t->object);
        }
    }
    return NULL;
}

static uint32_t returns_0(void *arg)
{
    (void)arg;
    return 0;
}

/* No thread has the id 0, nor has one that is just starting. */
TEST(thread_without_an_id_is_not_found)
{
    pthread_t searcher;

    atomic_store(&searching, true);
    CHECK_EQ(pthread_create(&searcher, NULL, searches, NULL), 0);
    for (int i = 0; i < 8000; i++) {
        struct thread *thread;

        CHECK_EQ(thread_create(returns_0, NULL, 0, false, &thread), STATUS_SUCCESS);
        CHECK_EQ(wait_for_one(&thread->dispatcher, false, soon(20000)), STATUS_WAIT_0);
        object_put(&thread->object);
    }
    atomic_store(&searching, false);
    pthread_join(searcher, NULL);
    CHECK_EQ(atomic_load(&found_by_0), 0);
}

TEST(thread_suspended_resumed)
{
    struct thread *t;
    uint32_t previous = 9;

    CHECK_EQ(thread_create(give_back, (void *)259, 0, true, &t), STATUS_SUCCESS);
    CHECK(thread_find(atomic_load(&t->tid)) == t);
    object_put(&t->object);
    CHECK_EQ(thread_suspend(t, &previous), STATUS_SUCCESS);
    CHECK_EQ(previous, 1);
    CHECK_EQ(wait_for_one(&t->dispatcher, false, soon(20)), STATUS_TIMEOUT);
    thread_resume(t, &previous);
    CHECK_EQ(previous, 2);
    thread_resume(t, &previous);
    CHECK_EQ(previous, 1);
    CHECK_EQ(wait_for_one(&t->dispatcher, false, soon(20000)), STATUS_WAIT_0);
    CHECK_EQ(atomic_load(&t->exit_code), 259);
    CHECK_EQ(thread_suspend(t, &previous), STATUS_NOT_SUPPORTED);
    object_put(&t->object);
}

/* ---- user locks ---- */

enum { LOCKERS = 4, TURNS = 20000 };
static struct user_section section;
static _Atomic uint32_t srw;
static struct user_condition condition;
static struct user_barrier barrier;
static long counter, reads;
static int queue_length;
static _Atomic int lasts;

static void *lock_section(void *arg)
{
    (void)arg;
    for (int i = 0; i < TURNS; i++) {
        section_enter(&section);
        if (section_try(&section)) {
            counter++;
            section_leave(&section);
        }
        section_leave(&section);
    }
    return NULL;
}

static void *lock_srw(void *arg)
{
    long last = 0;

    for (int i = 0; i < TURNS; i++) {
        if ((uintptr_t)arg % 2) {
            srw_lock(&srw);
            counter++;
            reads++;
            srw_unlock(&srw);
        } else {
            srw_lock_shared(&srw);
            if (counter != reads || counter < last)
                abort();
            last = counter;
            srw_unlock_shared(&srw);
        }
    }
    return NULL;
}

static void leave(void *s) { section_leave(s); }
static void enter(void *s) { section_enter(s); }

static void *produce_and_consume(void *arg)
{
    bool produces = (uintptr_t)arg % 2;

    for (int i = 0; i < TURNS; i++) {
        section_enter(&section);
        while (!produces && queue_length == 0)
            condition_sleep(&condition, DEADLINE_NEVER, leave, enter, &section);
        queue_length += produces ? 1 : -1;
        section_leave(&section);
        if (produces)
            condition_wake(&condition, i % 16 == 0);
    }
    return NULL;
}

static void *meet_at_barrier(void *arg)
{
    (void)arg;
    for (int i = 0; i < 500; i++)
        atomic_fetch_add(&lasts, barrier_enter(&barrier));
    return NULL;
}

static void crowd(void *(*run)(void *))
{
    pthread_t t[LOCKERS];

    for (uintptr_t i = 0; i < LOCKERS; i++)
        pthread_create(&t[i], NULL, run, (void *)i);
    for (int i = 0; i < LOCKERS; i++)
        pthread_join(t[i], NULL);
}

TEST(section_excludes)
{
    section_init(&section, 0);
    counter = 0;
    crowd(lock_section);
    CHECK_EQ(counter, LOCKERS * TURNS);
    CHECK_EQ(atomic_load(&section.word), 0);
}

TEST(srw_excludes)
{
    counter = reads = 0;
    crowd(lock_srw);
    CHECK_EQ(counter, LOCKERS / 2 * TURNS);
    CHECK_EQ(atomic_load(&srw), 0);
    CHECK(srw_try_shared(&srw));
    CHECK(srw_try_shared(&srw));
    CHECK(!srw_try(&srw));
    srw_unlock_shared(&srw);
    srw_unlock_shared(&srw);
    CHECK(srw_try(&srw));
    CHECK(!srw_try_shared(&srw));
    srw_unlock(&srw);
}

TEST(condition_loses_nothing)
{
    section_init(&section, 0);
    queue_length = 0;
    crowd(produce_and_consume);
    CHECK_EQ(queue_length, 0);
    section_enter(&section);
    CHECK(!condition_sleep(&condition, soon(10), leave, enter, &section));
    CHECK_EQ(section.recursion, 1);
    section_leave(&section);
}

TEST(barrier_lets_all_go)
{
    barrier_init(&barrier, LOCKERS);
    crowd(meet_at_barrier);
    barrier_delete(&barrier);
    CHECK_EQ(lasts, 500);
}

static _Atomic uint16_t turn; /* two bytes: no futex word */

static void *take_turns(void *arg)
{
    uint16_t mine = (uint16_t)(uintptr_t)arg;

    for (uint16_t i = 0; i < 500; i++) {
        uint16_t want = (uint16_t)(i * LOCKERS + mine);
        uint16_t seen;

        while ((seen = atomic_load(&turn)) != want)
            address_wait(&turn, &seen, sizeof seen, DEADLINE_NEVER);
        atomic_store(&turn, (uint16_t)(want + 1));
        address_wake((const void *)&turn, true);
    }
    return NULL;
}

TEST(address_takes_turns)
{
    uint16_t now = 500 * LOCKERS;

    crowd(take_turns);
    CHECK_EQ(atomic_load(&turn), now);
    CHECK(!address_wait(&turn, &now, sizeof now, soon(10)));
    now++;
    CHECK(address_wait(&turn, &now, sizeof now, DEADLINE_NEVER));
}

static _Atomic uintptr_t once;
static _Atomic int inits;

static void *initialise(void *arg)
{
    void *context = NULL;

    if (once_begin(&once, false, &context) == ONCE_YOURS) {
        if (atomic_fetch_add(&inits, 1) < 2) {
            once_fail(&once);
            return initialise(arg);
        }
        once_complete(&once, false, (void *)0x1000);
        return NULL;
    }
    if (context != (void *)0x1000)
        abort();
    return NULL;
}

TEST(once_runs_until_it_succeeds)
{
    void *context = NULL;

    crowd(initialise);
    CHECK_EQ(inits, 3);
    CHECK_EQ(once_check(&once, &context), ONCE_DONE);
    CHECK(context == (void *)0x1000);
    CHECK(!once_complete(&once, true, NULL));
}

/* ---- slots ---- */

static _Atomic int called_back;
static uint32_t fls_index;

static void fls_gone(void *value) { atomic_fetch_add(&called_back, (int)(intptr_t)value); }

static void *set_slot(void *arg)
{
    slot_set(SPACE_FLS, fls_index, (void *)((uintptr_t)arg + 1));
    return NULL;
}

TEST(slots_call_back_at_exit)
{
    fls_index = slot_alloc(SPACE_FLS, fls_gone);
    CHECK(fls_index != SLOT_NONE);
    crowd(set_slot);
    CHECK_EQ(called_back, 1 + 2 + 3 + 4);
    slot_set(SPACE_FLS, fls_index, (void *)100);
    CHECK(slot_free(SPACE_FLS, fls_index));
    CHECK_EQ(called_back, 110);
    CHECK(!slot_free(SPACE_FLS, fls_index));
    CHECK_EQ(slot_alloc(SPACE_FLS, NULL), fls_index);
    CHECK(slot_get(SPACE_FLS, fls_index) == NULL);
    slot_free(SPACE_FLS, fls_index);
}
