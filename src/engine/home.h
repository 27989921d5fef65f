/* SPDX-License-Identifier: MIT */
/*
 * The home thread: the one library thread, started when the first thing needs it. It sleeps in
 * the home poller (handles without a port), runs the timer heap, submits to and reaps the ring,
 * takes over pollers that nobody leads while user threads sleep, and every 10 ms, as long as
 * requests are pending, looks after pollers nobody has looked into (the watchdog).
 */
#ifndef IOCP_ENGINE_HOME_H
#define IOCP_ENGINE_HOME_H

#include "base/list.h"
#include "engine/poller.h"

#include <stdbool.h>
#include <stdint.h>

/* What an edge on the home poller means; set once before the first use (io/lane.c). */
void home_set_edge(void (*edge)(struct poller *, uint64_t token, uint32_t events));

/* Starts it if need be. 0 or -errno. */
int home_start(void);

/* The poller of files without a port; NULL when it cannot be started. */
struct poller *home_poller(void);

/* Called by the thread that has just started it, also in a forked child; set once, before main. */
void home_set_start_hook(void (*started)(void));

bool home_is_current(void);
void home_wake(void);

/* Something pends on a port's poller: the watchdog has to run. Cheap when it runs already. */
void home_watch(void);
void home_watch_led(void); /* a poller was left with edges taken: wake a parked watchdog */

/* Home arms p in its own set: the next readiness is served by the home thread. */
void home_attend(struct poller *p);

/* Called by engines: run fn on the home thread soon (each struct queued at most once). */
struct home_work {
    struct list link;
    void (*run)(struct home_work *w);
};
void home_submit(struct home_work *w);

/* A further fd (a ring's) that the home thread watches: ready() runs there. 0 or -errno. */
int home_add_fd(int fd, void (*ready)(void *ctx), void *ctx);

/*
 * Timers: one-shot, run on the home thread with no lock held. timer_cancel returns true when the
 * callback will not run (it was armed and is not now); false when it is idle, running or done.
 */
struct timer {
    uint64_t due_ns;
    size_t heap_index; /* SIZE_MAX: not armed; guarded by the heap's lock */
    bool reserved;     /* likewise: has a place in the heap also while it is not armed */
    void (*fire)(struct timer *t);
};
void timer_init(struct timer *t, void (*fire)(struct timer *));
int timer_set(struct timer *t, uint64_t due_ns); /* 0 or -errno; re-sets an armed timer */
bool timer_cancel(struct timer *t);
/* From here until timer_unreserve, when it must not be armed, timer_set does not fail. 0 or -errno. */
int timer_reserve(struct timer *t);
void timer_unreserve(struct timer *t);

#endif
