/* SPDX-License-Identifier: MIT */
/*
 * The home thread; see home.h. It sleeps in one epoll set that holds the files without a port,
 * the ring, and - nested, one shot - the pollers of ports that somebody asked it to attend.
 *
 * Waking it costs a system call and perhaps 30 us of an idle processor, so everybody first looks
 * at `awake`: set by the thread whenever it may not be sleeping, cleared before its last look at
 * the work lists (both sides seq_cst, so one of the two sees the other).
 */
#include "engine/home.h"

#include "base/clock.h"
#include "base/fork.h"
#include "base/futex.h"
#include "base/lock.h"
#include "base/os.h"
#include "base/own_fd.h"
#include "engine/aio.h"
#include "engine/timer.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { WATCHDOG_MS = 10, CALM_TICKS = 20, EXTRA_FDS = 8 };
#define TOKEN_POLLER (TOKEN_PRIVATE)                         /* | id */
#define TOKEN_EXTRA (TOKEN_PRIVATE | (UINT64_C(1) << 62))    /* | index */

static struct home {
    struct lock lock;      /* starting, work, writing extra */
    _Atomic bool started;
    struct poller *poller; /* constant once started */
    _Atomic bool awake;
    _Atomic bool watching;   /* the watchdog ticks */
    _Atomic bool parked_dog; /* it would tick, but no poller needed it for a while */
    bool exit_known;         /* atexit knows of us */
    _Atomic uint32_t exiting; /* 1: exit handlers run, stop; 2: the thread has stopped */
    struct list work;      /* struct home_work */
    struct {
        void (*ready)(void *ctx);
        void *ctx;
    } extra[EXTRA_FDS];
    _Atomic unsigned extra_count; /* written with the lock; its store publishes the entry */
    void (*file_edge)(struct poller *, uint64_t, uint32_t);
    void (*start_hook)(void);
} home = {.lock = LOCK_INIT(LOCK_ENGINE), .work = LIST_INIT(home.work), .awake = true};

static _Thread_local bool is_home;

bool home_is_current(void)
{
    return is_home;
}

void home_set_edge(void (*edge)(struct poller *, uint64_t token, uint32_t events))
{
    home.file_edge = edge;
}

void home_set_start_hook(void (*started)(void))
{
    home.start_hook = started;
}

static void on_edge(struct poller *p, uint64_t token, uint32_t events, void *harvest)
{
    (void)harvest; /* the home thread does the work at once */
    if (!(token & TOKEN_PRIVATE)) {
        home.file_edge(p, token, events);
    } else if (token == TOKEN_AIO) {
        poller_answer(p);
    } else if ((token & TOKEN_EXTRA) == TOKEN_EXTRA) {
        unsigned i = (unsigned)(token & 0xFFFF);

        if (i < atomic_load(&home.extra_count))
            home.extra[i].ready(home.extra[i].ctx);
    } else {
        poller_help_id(token & ~TOKEN_EXTRA);
    }
}

static const struct poller_ops poller_ops = {.edge = on_edge};

static void run_work(void)
{
    struct list work;
    struct list *n;

    list_init(&work);
    lock_acquire(&home.lock);
    list_splice_back(&work, &home.work);
    lock_release(&home.lock);
    while ((n = list_pop_front(&work)) != NULL) {
        struct home_work *w = container_of(n, struct home_work, link);

        w->run(w);
    }
}

static bool work_waits(void)
{
    bool waits;

    lock_acquire(&home.lock);
    waits = !list_empty(&home.work);
    lock_release(&home.lock);
    return waits;
}

static bool watchdog_ticks(void)
{
    return atomic_load(&home.watching) && !atomic_load(&home.parked_dog);
}

/* The watchdog's turn. Returns when it wants the next one. */
static uint64_t watchdog(uint64_t now, uint64_t *next, unsigned *calm)
{
    if (!watchdog_ticks())
        return DEADLINE_NEVER;
    if (now < *next)
        return *next;
    *calm = poller_watchdog() ? 0 : *calm + 1;
    *next = now + WATCHDOG_MS * NS_PER_MS;
    if (*calm < CALM_TICKS)
        return *next;
    /* Everything is led, or will wake us: sleep until a leader leaves (home_watch_led). */
    *calm = 0;
    atomic_store(&home.parked_dog, true);
    if (!poller_watchdog())
        return DEADLINE_NEVER;
    atomic_store(&home.parked_dog, false); /* a leader left before it could see that */
    return *next;
}

static void stop_here(void)
{
    atomic_store(&home.exiting, 2);
    futex_wake(&home.exiting, INT_MAX);
    for (;;)
        futex_wait(&home.exiting, 2, DEADLINE_NEVER);
}

static void *home_main(void *arg)
{
    uint64_t next_tick = 0;
    unsigned calm = 0;

    (void)arg;
    is_home = true;
    pthread_setname_np(pthread_self(), "iocp-home"); /* bench/run.sh looks for it */
    for (;;) {
        uint64_t now = clock_now_ns();
        uint64_t due;
        uint64_t tick;

        if (atomic_load(&home.exiting))
            stop_here();
        run_work();
        timer_run_due(now);
        tick = watchdog(now, &next_tick, &calm);
        atomic_store(&home.awake, false);
        due = timer_next_due();
        if (tick < due)
            due = tick;
        if (work_waits() || atomic_load(&home.exiting) || (tick == DEADLINE_NEVER && watchdog_ticks()))
            due = 0;
        poller_wait(home.poller, due, NULL);
        atomic_store(&home.awake, true);
    }
    return NULL;
}

/* Exit handlers run: the program's memory is about to go, so nothing more is touched. */
static void park_at_exit(void)
{
    uint64_t limit = clock_now_ns() + NS_PER_SEC;
    uint32_t state;

    if (is_home || !atomic_load(&home.started))
        return;
    atomic_store(&home.exiting, 1);
    poller_wake(home.poller);
    while ((state = atomic_load(&home.exiting)) == 1) {
        if (futex_wait(&home.exiting, 1, limit) == -ETIMEDOUT)
            break;
    }
}

static int start_locked(void)
{
    int err;

    lock_assert_held(&home.lock);
    if (atomic_load(&home.started))
        return 0;
    if (!home.poller) {
        err = poller_new(&home.poller, NULL, &poller_ops);
        if (err)
            return err;
    }
    err = os_thread(home_main, NULL);
    if (err)
        return err == -EAGAIN ? -ENOMEM : err; /* EAGAIN is what a call that would block says */
    if (!home.exit_known)
        atexit(park_at_exit);
    home.exit_known = true;
    atomic_store(&home.started, true);
    return 0;
}

int home_start(void)
{
    bool starts;
    int err;

    if (atomic_load_explicit(&home.started, memory_order_acquire))
        return 0;
    lock_acquire(&home.lock);
    starts = !atomic_load(&home.started);
    err = start_locked();
    lock_release(&home.lock);
    if (!err && starts && home.start_hook)
        home.start_hook();
    return err;
}

struct poller *home_poller(void)
{
    return home_start() == 0 ? home.poller : NULL;
}

void home_wake(void)
{
    if (!is_home && atomic_load(&home.started) && !atomic_load(&home.awake))
        poller_wake(home.poller);
}

void home_watch(void)
{
    if (home_start() != 0)
        return; /* no thread to be had: completions still come to those who dequeue */
    if (!atomic_exchange(&home.watching, true) || atomic_exchange(&home.parked_dog, false))
        home_wake();
}

void home_watch_led(void)
{
    if (atomic_load(&home.parked_dog) && /* after the store to poller.led: pairs with watchdog */
        atomic_exchange(&home.parked_dog, false))
        home_wake();
}

void home_attend(struct poller *p)
{
    struct epoll_event ev = {.events = EPOLLIN | EPOLLONESHOT, .data.u64 = TOKEN_POLLER | p->id};
    int op;

    if (home_start() != 0 || atomic_exchange(&p->armed, true))
        return;
    atomic_store(&p->attended, atomic_load(&p->harvests));
    lock_acquire(&home.lock);
    op = p->nested ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    p->nested = true;
    lock_release(&home.lock);
    if (os_epoll_ctl(home.poller->epoll_fd, op, p->epoll_fd, &ev) == 0)
        return;
    lock_acquire(&home.lock); /* no memory for it: the watchdog goes on looking, and tries again */
    if (op == EPOLL_CTL_ADD)
        p->nested = false;
    lock_release(&home.lock);
    atomic_store(&p->armed, false);
}

void home_submit(struct home_work *w)
{
    lock_acquire(&home.lock);
    list_push_back(&home.work, &w->link);
    lock_release(&home.lock);
    home_wake();
}

int home_add_fd(int fd, void (*ready)(void *ctx), void *ctx)
{
    struct epoll_event ev = {.events = EPOLLIN | EPOLLET};
    int err = home_start();
    unsigned i;

    if (err)
        return err;
    lock_acquire(&home.lock);
    i = atomic_load(&home.extra_count);
    if (i == EXTRA_FDS) {
        err = -ENOSPC;
    } else {
        home.extra[i].ready = ready;
        home.extra[i].ctx = ctx;
        ev.data.u64 = TOKEN_EXTRA | i;
        atomic_store(&home.extra_count, i + 1);
        if (os_epoll_ctl(home.poller->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0) {
            err = -errno;
            atomic_store(&home.extra_count, i);
        }
    }
    lock_release(&home.lock);
    return err;
}

/* A forked child has no home thread until it needs one. */
static void start_afresh(void)
{
    if (home.poller) {
        own_fd_close(home.poller->epoll_fd);
        own_fd_close(home.poller->wake_fd);
        aio_forget(atomic_load(&home.poller->aio));
        home.poller = NULL;
    }
    is_home = false;
    atomic_store(&home.started, false);
    atomic_store(&home.awake, true);
    atomic_store(&home.watching, false);
    atomic_store(&home.parked_dog, false);
    list_init(&home.work);
    home.extra_count = 0;
}

FORK_HOOK(&home.lock, LOCK_ENGINE, start_afresh);
