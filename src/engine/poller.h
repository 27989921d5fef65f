/* SPDX-License-Identifier: MIT */
/*
 * Readiness: one epoll set and an eventfd that wakes whoever sleeps in it. Each port has one, the
 * home thread serves one for handles without a port. Files are registered once, edge triggered,
 * with a token (fd and generation), never a pointer. What an edge means is decided above, in the
 * function the poller was made with.
 *
 * Rules: all fields are constant after poller_new but the atomics and where said otherwise; the
 * list of all pollers is guarded by a global lock in poller.c.
 */
#ifndef IOCP_ENGINE_POLLER_H
#define IOCP_ENGINE_POLLER_H

#include "base/list.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* What an edge says; same bits as EPOLLIN, EPOLLOUT ... so that nothing is translated. */
enum {
    READY_IN = 0x001,
    READY_PRI = 0x002,
    READY_OUT = 0x004,
    READY_ERR = 0x008,
    READY_HUP = 0x010,
    READY_RDHUP = 0x2000,
};

struct poller {
    int epoll_fd;
    int wake_fd;                 /* eventfd, edge triggered, never read */
    uint64_t id;                 /* from 1, never reused: what the home thread's token carries */
    _Atomic uint32_t registered; /* fds in the set */
    _Atomic uint32_t harvests;   /* how often somebody looked; the watchdog compares */
    _Atomic bool led;            /* somebody sleeps in it */
    _Atomic bool armed;          /* the home thread watches it for its next readiness */
    _Atomic uint32_t attended;   /* `harvests` when it was armed */
    bool nested;                 /* is in home's epoll set; guarded by the list's lock */
    uint32_t watchdog_seen;      /* home thread only: `harvests` at the last tick */
    uint32_t deferred;           /* home thread only: the same, but entries had been taken */
    uint32_t abandoned;          /* home thread only: ticks in a row at which nobody had looked into it */
    struct list link;            /* in the list of all pollers */
    _Atomic(struct aio *) aio;   /* owned; NULL until the first transfer past the page cache */
    void *owner;                 /* struct queue; NULL for home's own */
    const struct poller_ops *ops;
};

/* What the owner of a poller gives it. */
struct poller_ops {
    /* An fd became ready. Called without locks by whoever waits in the poller, with what that brought. */
    void (*edge)(struct poller *p, uint64_t token, uint32_t events, void *harvest);
    /* Harvest and do the work, on a thread that dequeues nothing. NULL for home's own. */
    void (*help)(struct poller *p);
    /* Edges that were harvested have not been worked off, and nobody waits who could. */
    bool (*left)(struct poller *p);
    /* Home thread: entries have been taken since it was asked last, so those at work come to look, too. */
    bool (*worked_on)(struct poller *p);
    /* Nobody is at work who would look into it when done. */
    bool (*idle)(struct poller *p);
    /* Keeps the owner, and so the poller, alive between the two. false: it is dying. */
    bool (*pin)(struct poller *p);
    void (*unpin)(struct poller *p);
};

int poller_new(struct poller **out, void *owner, const struct poller_ops *ops);
void poller_free(struct poller *p); /* unlists, closes; nobody sleeps in it any more */

int poller_add(struct poller *p, int fd, uint64_t token);
void poller_remove(struct poller *p, int fd);
/* Has an edge come for what fd is ready for already. 0 or -errno. */
int poller_again(struct poller *p, int fd, uint64_t token);

enum { POLLER_EVENTS = 256 };

/*
 * Waits until the deadline (0: just looks), calls edge(..., harvest) for each event, POLLER_EVENTS at most.
 * Returns how many edges were reported, not counting wake-ups; EINTR and wake-ups give 0.
 */
int poller_wait(struct poller *p, uint64_t deadline_ns, void *harvest);

void poller_wake(struct poller *p);

/* TOKEN_AIO came: answers what its queue (engine/aio.h) has done. No lock held, the owner pinned. */
void poller_answer(struct poller *p);

/* A thread begins to sleep outside any dequeue: the home thread takes the leaderless ones, until
 * somebody looks into them again. */
void poller_attend_all(void);

/* An observer polls: harvest leaderless pollers once, without sleeping. */
void poller_help_all(void);

/* Home thread: the armed poller `id` became ready. */
void poller_help_id(uint64_t id);
/* Home thread: helps pollers nobody looked into since the last tick; those that stay so are armed. false: all
 * are led or armed. */
bool poller_watchdog(void);

/* Tokens: files use fd | generation << 32 below this bit; the rest is the library's own. */
#define TOKEN_PRIVATE (UINT64_C(1) << 63)
#define TOKEN_WAKE UINT64_MAX
#define TOKEN_AIO (UINT64_MAX - 1) /* handed to edge(), which sees to it that poller_answer is called */

#endif
