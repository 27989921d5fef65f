/* SPDX-License-Identifier: MIT */
/*
 * WSAEventSelect: network events of a socket, recorded and signalled through an event object. A
 * condition is recorded once and must be re-enabled by the call that deals with it; then it is
 * looked at again, so that what is still there is reported again.
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

/* mask 0 ends the selection. `event` is counted by this. */
uint32_t sockevent_select(struct file *f, struct object *event, uint32_t mask);

/* Copies and clears the record; resets `event` (may be NULL) in the same step. */
uint32_t sockevent_take(struct file *f, struct object *event, uint32_t *events, int32_t errors[SE_COUNT]);

/* A call that deals with these conditions was made. Cheap without a selection. */
void sockevent_again(struct file *f, uint32_t events);

/* The descriptor may have become ready. */
void sockevent_look(struct file *f);

/* An accepted socket begins with its listener's selection. */
void sockevent_inherit(struct file *f, struct file *listener);

void sockevent_free(struct sock *s);

#endif
