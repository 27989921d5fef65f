/* SPDX-License-Identifier: MIT */
/*
 * Private to the wait room: how processes tell one another that a shared object has become signalled. Each
 * has a datagram socket beside the file of names; what to look at is noted in the file. Who hears it, the
 * home thread, looks as any waiter would, so that a message too many does no harm. And the ends of other
 * processes, which may leave a mutex abandoned or a change unannounced, are heard by pidfds.
 */
#ifndef IOCP_WAIT_SHARED_BELL_H
#define IOCP_WAIT_SHARED_BELL_H

#include "wait/shared_file.h"

/* The socket and an epoll set around it; the file is open. No thread is needed until somebody waits.
 * 0 or -errno. */
int shared_bell_open(const char *dir);

/* Tells all other processes that have threads waiting for it; and this one too. Never blocks. */
void shared_bell_ring(int index);
void shared_bell_ring_all(int index);

/* Hears from now on; and the end of whoever else uses the slot, in which this process is among the waiting.
 * No lock held. 0 or -errno: nothing would be heard. */
int shared_bell_attend(int index);
/* For all slots in which it is; on the home thread, soon. 0 or -errno. */
int shared_bell_attend_soon(void);
/* The same after a while: it has just failed. On the home thread. */
void shared_bell_attend_later(void);

#endif
