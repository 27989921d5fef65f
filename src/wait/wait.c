/* SPDX-License-Identifier: MIT */
/*
 * Waiting. A wait first looks without registering anywhere: most waits end there. Then the thread
 * arms its state word, puts one block into each object's queue, and sleeps on the word until
 * somebody claims it: a signaller (which has consumed the object for it), an APC, or its own
 * timeout. Wait-all sleeps the same way, but is only ever told to look: it locks all its objects
 * in address order, and takes all or nothing.
 */
#include "wait/wait.h"

#include "base/clock.h"
#include "base/futex.h"
#include "base/os.h"
#include "base/own_fd.h"
#include "engine/poller.h"
#include "ntstatus.h"
#include "wait/apc.h"
#include "wait/blocks.h"
#include "wait/queue.h"
#include "wait/shared.h"
#include "wait/thread.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/eventfd.h>

/* How often a blocking call that has no descriptor to be woken by looks whether it has been called back. */
#define DEAF_LOOK_NS (UINT64_C(20) * NS_PER_MS)

/* One call of wait_for. */
struct wait {
    struct thread *self;
    struct dispatcher *const *objects;
    unsigned count;
    bool all;
    bool alertable;
    bool joins; /* an object that processes share has been enqueued, which the others have to be told */
    uint64_t deadline_ns;
    struct wait_block blocks[WAIT_OBJECTS_MAX];
    struct dispatcher *sorted[WAIT_OBJECTS_MAX]; /* wait-all: by address */
};

static bool claim_self(struct waiter *w, uint32_t to)
{
    uint32_t armed = WAITER_ARMED;

    return atomic_compare_exchange_strong(&w->state, &armed, to);
}

static uint32_t status_of(unsigned index, bool abandoned)
{
    return (abandoned ? (uint32_t)STATUS_ABANDONED_WAIT_0 : (uint32_t)STATUS_WAIT_0) + index;
}

static uint32_t try_any(struct wait *w)
{
    for (unsigned i = 0; i < w->count; i++) {
        struct dispatcher *d = w->objects[i];
        uint32_t status = STATUS_PENDING;

        dispatcher_lock(d);
        if (dispatcher_ready_locked(d, w->self))
            status = status_of(i, dispatcher_consume_locked(d, w->self));
        dispatcher_unlock(d);
        if (status != STATUS_PENDING)
            return status;
    }
    return STATUS_PENDING;
}

static int by_address(const void *a, const void *b)
{
    const struct dispatcher *x = *(struct dispatcher *const *)a;
    const struct dispatcher *y = *(struct dispatcher *const *)b;

    return (x > y) - (x < y);
}

static uint32_t try_all(struct wait *w)
{
    bool ready = true;
    bool abandoned = false;
    bool shared = false;
    unsigned which = 0;

    for (unsigned i = 0; i < w->count; i++) {
        lock_acquire(&w->sorted[i]->lock);
        shared = shared || w->sorted[i]->shared;
    }
    if (__builtin_expect(shared, false))
        shared_fetch_all(w->sorted, w->count);
    for (unsigned i = 0; ready && i < w->count; i++)
        ready = dispatcher_ready_locked(w->sorted[i], w->self);
    for (unsigned i = 0; ready && i < w->count; i++) {
        if (dispatcher_consume_locked(w->objects[i], w->self) && !abandoned) {
            abandoned = true;
            which = i;
        }
    }
    for (unsigned i = w->count; i-- > 0;)
        dispatcher_unlock(w->sorted[i]);
    return ready ? status_of(which, abandoned) : (uint32_t)STATUS_PENDING;
}

static uint32_t try_now(struct wait *w)
{
    if (w->count == 0)
        return STATUS_PENDING;
    return w->all ? try_all(w) : try_any(w);
}

/*
 * Puts the blocks into the objects' queues. A wait-any stops at an object that is signalled: it
 * claims its own word and consumes. Returns how many blocks were linked.
 */
static unsigned enqueue(struct wait *w)
{
    struct waiter *waiter = &w->self->waiter;

    for (unsigned i = 0; i < w->count; i++) {
        struct dispatcher *d = w->objects[i];
        struct wait_block *b = &w->blocks[i];
        bool satisfied = false;

        b->waiter = waiter;
        b->index = (uint16_t)i;
        b->all = w->all;
        list_init(&b->link);
        dispatcher_lock(d);
        if (!w->all && dispatcher_ready_locked(d, w->self)) {
            uint32_t to = (d->abandoned ? WAITER_ABANDONED : WAITER_SATISFIED) + i;

            satisfied = true; /* by this object, or by one before it that was faster */
            if (claim_self(waiter, to))
                dispatcher_consume_locked(d, w->self);
        } else {
            list_push_back(&d->waiters, &b->link);
        }
        w->joins |= dispatcher_unlock_queued(d);
        if (satisfied)
            return i;
    }
    return w->count;
}

/* Others' signals reach what has been enqueued from now on. False: for want of memory or descriptors they
 * do not. */
static bool attend(struct wait *w, unsigned linked)
{
    bool hears = true;

    for (unsigned i = 0; i < linked; i++) {
        bool shared;

        lock_acquire(&w->objects[i]->lock);
        shared = w->objects[i]->shared;
        lock_release(&w->objects[i]->lock);
        if (shared && shared_attend(w->objects[i]) != 0)
            hears = false;
    }
    w->joins = false;
    return hears;
}

static void dequeue(struct wait *w, unsigned linked)
{
    for (unsigned i = 0; i < linked; i++) {
        struct dispatcher *d = w->objects[i];

        /* Under the lock even if satisfied from here: the signaller may still be in there. */
        dispatcher_lock(d);
        if (list_linked(&w->blocks[i].link))
            list_remove(&w->blocks[i].link);
        dispatcher_unlock(d);
    }
}

static void sleep_until_claimed(struct waiter *waiter, uint64_t deadline_ns)
{
    while (atomic_load(&waiter->state) == WAITER_ARMED) {
        if (futex_wait(&waiter->state, WAITER_ARMED, deadline_ns) == -ETIMEDOUT)
            claim_self(waiter, WAITER_TIMEOUT);
    }
}

/* One sleep. STATUS_PENDING: look and sleep again. */
static uint32_t sleep_once(struct wait *w)
{
    struct waiter *waiter = &w->self->waiter;
    uint32_t status = STATUS_PENDING;
    uint32_t state;
    unsigned linked;

    atomic_store(&waiter->state, WAITER_ARMED);
    if (w->alertable)
        apc_alertable_begin(w->self, NULL, false);
    linked = enqueue(w);
    if (__builtin_expect(w->joins, false) && !attend(w, linked))
        claim_self(waiter, WAITER_DEAF);
    if (w->all) {
        /* What became signalled before our blocks were in place told nobody. */
        status = try_all(w);
        if (status != STATUS_PENDING)
            claim_self(waiter, WAITER_LOOK);
    }
    sleep_until_claimed(waiter, w->deadline_ns);
    if (w->alertable)
        apc_alertable_end(w->self);
    dequeue(w, linked);
    state = atomic_exchange(&waiter->state, WAITER_IDLE);
    if (status != STATUS_PENDING)
        return status; /* a wait-all that has taken everything: an APC stays queued */
    if (state >= WAITER_ABANDONED)
        return status_of(state - WAITER_ABANDONED, true);
    if (state >= WAITER_SATISFIED)
        return status_of(state - WAITER_SATISFIED, false);
    if (state == WAITER_APC)
        return STATUS_USER_APC;
    if (state == WAITER_TIMEOUT)
        return STATUS_TIMEOUT;
    if (state == WAITER_DEAF)
        return STATUS_INSUFFICIENT_RESOURCES;
    assert(state == WAITER_LOOK);
    return try_now(w);
}

static uint32_t sleep_loop(struct wait *w)
{
    bool held = queue_block(w->self);
    uint32_t status;

    poller_attend_all();
    do {
        status = sleep_once(w);
    } while (status == STATUS_PENDING);
    queue_unblock(w->self, held);
    return status;
}

uint32_t wait_for(struct dispatcher *const *objects, unsigned count, bool all, bool alertable,
                  uint64_t deadline_ns)
{
    struct wait w;
    uint32_t status;

    assert(count <= WAIT_OBJECTS_MAX);
    lock_assert_none();
    w.self = thread_current();
    w.objects = objects;
    w.count = count;
    w.all = all && count > 1;
    w.alertable = alertable;
    w.joins = false;
    w.deadline_ns = deadline_ns;
    for (unsigned i = 0; i < count; i++)
        if (atomic_load_explicit(&objects[i]->lazy, memory_order_acquire) != DILIGENT)
            dispatcher_attend(objects[i]);
    if (w.all) {
        for (unsigned i = 0; i < count; i++)
            w.sorted[i] = objects[i];
        qsort(w.sorted, count, sizeof w.sorted[0], by_address);
    }
    for (;;) {
        status = try_now(&w);
        if (status != STATUS_PENDING)
            return status;
        if (alertable && apc_run_all(w.self) > 0)
            return STATUS_USER_APC;
        if (deadline_ns == 0)
            return STATUS_TIMEOUT;
        status = sleep_loop(&w);
        if (status != STATUS_USER_APC)
            return status;
        if (apc_run_all(w.self) > 0)
            return STATUS_USER_APC;
        /* The APC that woke us was withdrawn before we got to it: wait on. */
    }
}

uint32_t wait_sleep(uint64_t deadline_ns, bool alertable)
{
    uint32_t status = wait_for(NULL, 0, false, alertable, deadline_ns);

    if (status == STATUS_TIMEOUT && deadline_ns == 0)
        sched_yield();
    return status;
}

bool wait_block_begin(void)
{
    struct thread *self = thread_current();

    if (thread_place(self) == PLACE_NONE)
        return false;
    poller_attend_all();
    return queue_block(self);
}

void wait_block_end(bool token)
{
    if (token)
        queue_unblock(thread_current(), true);
}

int wait_on_word(_Atomic uint32_t *word, uint32_t expected, uint64_t deadline_ns)
{
    struct thread *self = thread_current();
    bool held = queue_block(self);
    int err;

    poller_attend_all();
    err = futex_wait(word, expected, deadline_ns);
    queue_unblock(self, held);
    return err;
}

/* ---- blocking calls on one descriptor ---- */

void wait_sync_begin(void)
{
    struct thread *self = thread_current();

    lock_acquire(&self->apc_lock);
    if (self->calls->depth++ == 0)
        self->calls->cancel = self->calls->look = false;
    lock_release(&self->apc_lock);
}

bool wait_sync_end(void)
{
    struct thread *self = thread_current();
    bool cancelled;

    lock_acquire(&self->apc_lock);
    self->calls->depth--;
    cancelled = self->calls->cancel;
    lock_release(&self->apc_lock);
    return cancelled;
}

bool wait_sync_cancelled(void)
{
    struct thread *self = thread_current();
    bool cancelled;

    lock_acquire(&self->apc_lock);
    cancelled = self->calls->cancel;
    lock_release(&self->apc_lock);
    return cancelled;
}

static void wake_locked(struct thread *t)
{
    lock_assert_held(&t->apc_lock);
    if (t->wake_fd >= 0)
        os_ring(t->wake_fd);
}

static bool cancel_locked(struct thread *t, struct sync_calls *calls)
{
    bool reached = calls->depth > 0 && !calls->cancel;

    if (reached) {
        calls->cancel = true;
        wake_locked(t);
    }
    return reached;
}

bool wait_sync_cancel(struct thread *t)
{
    struct sync_calls *calls;
    bool reached;

    lock_acquire(&t->apc_lock);
    calls = t->calls;
    while (calls->depth == 0 && calls->outer) /* a routine runs, which is in none itself */
        calls = calls->outer;
    reached = cancel_locked(t, calls);
    lock_release(&t->apc_lock);
    return reached;
}

bool wait_sync_cancel_calls(struct thread *t, struct sync_calls *calls)
{
    bool reached;

    lock_acquire(&t->apc_lock);
    reached = cancel_locked(t, calls);
    lock_release(&t->apc_lock);
    return reached;
}

void wait_sync_look(struct thread *t, struct sync_calls *calls)
{
    lock_acquire(&t->apc_lock);
    calls->look = true;
    wake_locked(t);
    lock_release(&t->apc_lock);
}

/* Under the lock, which wait_sync_end takes: until it is released calls and word are there. */
void wait_sync_tell(struct thread *t, struct sync_calls *calls, _Atomic uint32_t *word)
{
    lock_acquire(&t->apc_lock);
    atomic_store(word, 1);
    calls->look = true;
    wake_locked(t);
    lock_release(&t->apc_lock);
    futex_wake(word, 1);
}

static void enter_calls(struct thread *self, struct sync_calls *calls)
{
    lock_acquire(&self->apc_lock);
    self->calls = calls;
    lock_release(&self->apc_lock);
}

static void leave_calls(void *arg)
{
    const struct sync_calls *inner = arg;

    enter_calls(thread_current(), inner->outer);
}

/* The calling thread's, which is inside a blocking call: their own are no part of that. */
static void run_routines(struct thread *self)
{
    struct sync_calls inner = {.outer = self->calls};

    enter_calls(self, &inner);
    pthread_cleanup_push(leave_calls, &inner); /* one of them may end the thread */
    apc_run_all(self);
    pthread_cleanup_pop(1);
}

void wait_run_routines(void)
{
    struct thread *self = thread_current();

    if (apc_pending(self))
        run_routines(self);
}

static bool take_look(struct thread *self)
{
    bool look;

    lock_acquire(&self->apc_lock);
    look = self->calls->look;
    self->calls->look = false;
    lock_release(&self->apc_lock);
    return look;
}

/* The thread's eventfd, made at its first blocking call; -1: no descriptor is to be had just now. */
static int own_wake_fd(struct thread *self)
{
    int fd = self->wake_fd;

    if (fd >= 0)
        return fd;
    fd = own_fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    lock_acquire(&self->apc_lock);
    self->wake_fd = fd;
    lock_release(&self->apc_lock);
    return fd;
}

static uint32_t poll_once(struct thread *self, struct pollfd *fds, unsigned count, uint64_t deadline_ns)
{
    struct timespec ts;
    struct timespec *limit = NULL;
    uint32_t timeout = STATUS_TIMEOUT;
    eventfd_t drained;
    int n;

    if (fds[0].fd < 0) { /* nobody can wake it: it looks */
        uint64_t look = clock_now_ns() + DEAF_LOOK_NS;

        if (look < deadline_ns) {
            deadline_ns = look;
            timeout = STATUS_PENDING;
        }
    }
    if (deadline_ns != DEADLINE_NEVER) {
        uint64_t now = clock_now_ns();
        uint64_t left = deadline_ns > now ? deadline_ns - now : 0;

        ts.tv_sec = (time_t)(left / NS_PER_SEC);
        ts.tv_nsec = (long)(left % NS_PER_SEC);
        limit = &ts;
    }
    n = ppoll(fds, count, limit, NULL);
    if (n < 0 && errno != EINTR) /* more of them than descriptors the process may have */
        return STATUS_INSUFFICIENT_RESOURCES;
    if (n > 0 && fds[0].revents) {
        eventfd_read(self->wake_fd, &drained);
        n--;
    } else if (n == 0) {
        return timeout;
    }
    return n > 0 ? (uint32_t)STATUS_SUCCESS : (uint32_t)STATUS_PENDING;
}

/* once: it comes back for whatever reason, also when routines have run. */
static uint32_t sleep_on_fds(struct pollfd *fds, unsigned count, uint64_t deadline_ns,
                             enum wait_routines routines, bool once)
{
    bool alertable = routines != WAIT_NO_ROUTINES;
    struct thread *self = thread_current();
    bool held = queue_block(self);
    uint32_t status;

    poller_attend_all();
    do {
        fds[0] = (struct pollfd){.fd = own_wake_fd(self), .events = POLLIN};
        if (wait_sync_cancelled()) {
            status = STATUS_CANCELLED;
            break;
        }
        if (once && take_look(self)) { /* after the eventfd was made: one of the two is seen */
            status = STATUS_SUCCESS;
            break;
        }
        if (alertable) {
            atomic_store(&self->waiter.state, WAITER_ARMED);
            apc_alertable_begin(self, NULL, true);
        }
        if (alertable && atomic_load(&self->waiter.state) == WAITER_APC)
            status = STATUS_PENDING;
        else
            status = poll_once(self, fds, count, deadline_ns);
        if (alertable) {
            apc_alertable_end(self);
            atomic_store(&self->waiter.state, WAITER_IDLE);
        }
        if (routines == WAIT_LEAVES_ROUTINES && apc_pending(self)) {
            status = STATUS_USER_APC;
            break;
        }
        if (alertable && apc_pending(self)) { /* the program's code: it runs, and may dequeue itself */
            queue_unblock(self, held);
            run_routines(self);
            held = queue_block(self);
            poller_attend_all();
        }
    } while (status == STATUS_PENDING && !once);
    queue_unblock(self, held);
    return status == STATUS_PENDING ? (uint32_t)STATUS_SUCCESS : status;
}

uint32_t wait_fds(struct pollfd *fds, unsigned count, uint64_t deadline_ns, bool alertable)
{
    return sleep_on_fds(fds, count, deadline_ns, alertable ? WAIT_RUNS_ROUTINES : WAIT_NO_ROUTINES, false);
}

uint32_t wait_fds_once(struct pollfd *fds, unsigned count, uint64_t deadline_ns, enum wait_routines routines)
{
    return sleep_on_fds(fds, count, deadline_ns, routines, true);
}

uint32_t wait_fd(int fd, short events, uint64_t deadline_ns, bool alertable)
{
    struct pollfd fds[2] = {[1] = {.fd = fd, .events = events}};

    return wait_fds(fds, 2, deadline_ns, alertable);
}
