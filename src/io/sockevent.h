/* SPDX-License-Identifier: MIT */
/*
 * WSAEventSelect: network events of a socket, recorded and signalled through an event object. A
 * condition is recorded once and must be re-enabled by the call that deals with it; then it is
 * looked at again, so that what is still there is reported again.
 *
 * All of these are called with no lock held, and cost a load where there is no selection.
 */
#ifndef IOCP_IO_SOCKEVENT_H
#define IOCP_IO_SOCKEVENT_H

#include "io/sock.h"

enum { /* bits and their numbers; Windows' */
    SE_READ = 1,
    SE_WRITE = 2,
    SE_OOB = 4,
    SE_ACCEPT = 8,
    SE_CONNECT = 16,
    SE_CLOSE = 32,
    SE_ALL = 0x3FF,
    SE_COUNT = 10,
};

/*
 * Replaces the selection, forgets what was recorded, and makes the socket non-blocking. mask 0 ends
 * the selection (`event` is ignored). `event` is an event object; this takes a reference of its own.
 * STATUS_INVALID_PARAMETER: no event, or unknown bits.
 */
uint32_t sockevent_select(struct file *f, struct object *event, uint32_t mask);

/*
 * Copies and clears the record (errors[n]: WSA code of bit n, written where the bit is set); resets `event`
 * (may be NULL) in the same step. Without a selection there are no events.
 */
void sockevent_take(struct file *f, struct object *event, uint32_t *events, int32_t errors[SE_COUNT]);

/* A call that deals with these conditions was made: receive, accept, a send that would have blocked,
 * a connect that has begun (SE_CONNECT, once the socket's phase says so). */
void sockevent_again_selected(struct file *f, uint32_t events);

static inline void sockevent_again(struct file *f, uint32_t events)
{
    if (__builtin_expect(atomic_load(&sock_of(f)->user_events) != 0, 0))
        sockevent_again_selected(f, events);
}

/* A connect that was begun came to its end; once for each. Called by whoever notices (connect.c). */
void sockevent_connected(struct file *f, uint32_t status);

/* Where the AFD polls that name the socket stand (afd.c); made at the first call. NULL: no memory. */
struct list *sockevent_polls(struct file *f);

/* Where its registration with a port for readiness stands (notice.c); as above. */
struct notice;
struct notice **sockevent_notice(struct file *f);

/* The descriptor may have become ready. */
void sockevent_look(struct file *f);

/* An accepted socket begins with its listener's selection. Edges of a number that is no handle yet
 * are lost: once it is published sockevent_look must follow. */
void sockevent_inherit(struct file *f, struct file *listener);

/* f is being closed: nothing is signalled after this. */
void sockevent_end(struct file *f);

void sockevent_free(struct sock *s);

#endif
