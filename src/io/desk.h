/* SPDX-License-Identifier: MIT */
/*
 * A desk: where the home thread attends to those who come from other processes, to open a pipe or to fetch
 * a socket. It is an epoll set of its owner's, level triggered, behind one entry in the home thread's own;
 * events carry descriptors, and what those mean is the owner's to look up, under its lock: one that comes
 * too late finds nobody.
 */
#ifndef IOCP_IO_DESK_H
#define IOCP_IO_DESK_H

#include "base/lock.h"
#include "engine/home.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * A desk is static; once open it stays, but in a forked child. Rules: (1) `lock`: epoll_fd is written with it
 * held, before the home thread knows of the set, and constant from then on. (2) The home thread's alone:
 * coming_back. (3) Constant: lock, on_event, and once it is open the timer's and the work's functions.
 */
struct desk {
    struct lock *lock;       /* borrowed, static: its owner's */
    /* Something happened on fd. On the home thread, no lock held. 0, or -errno: it could not be dealt with;
     * where that is for want of descriptors or memory, it is tried again a little later. */
    int (*on_event)(int fd);
    int epoll_fd;            /* owned; -1: not open */
    struct timer retry;
    struct home_work again;
    bool coming_back;        /* `again` is submitted */
};
#define DESK_INIT(LOCK, ON_EVENT) {.lock = LOCK, .on_event = ON_EVENT, .epoll_fd = -1}

/* Opens it if need be. Its lock is held, and the home thread has been started. 0 or -errno. */
int desk_open(struct desk *d);

/* What is watched once it is open, by anybody; the descriptor is its owner's, who unwatches it before it is
 * closed. 0 or -errno. */
int desk_watch(struct desk *d, int fd, uint32_t events);
void desk_watch_again(struct desk *d, int fd, uint32_t events); /* for other events; cannot fail */
void desk_unwatch(struct desk *d, int fd);

/*
 * On the home thread: the next connection on a listener, close-on-exec, with `flags` (of accept4) besides,
 * and the process that made it. -errno if there is none to be had now; -EACCES: it was not this user's, or
 * its process cannot be seen from here, and it has been sent away.
 */
int desk_receive(int listener, int flags, uint32_t *process);

/* In a forked child: the set is the parent's. What was watched is not told, for the two share it. */
void desk_afresh(struct desk *d);

#endif
