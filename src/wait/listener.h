/* SPDX-License-Identifier: MIT */
/*
 * Waiting without a thread: a listener stands in a dispatcher's queue among the waiters, first come
 * first served, and is satisfied as they are: once, with the object consumed on its behalf. Then its
 * function is called. Wait packets and the waits of the thread pool are made of this.
 *
 * The owner embeds the struct, sets `notify` and pins the dispatcher's object as long as it listens.
 *
 *     if (!listener_begin(&l, d))     signalled already, and consumed: notify will not be called
 *         ...
 *     if (listener_end(&l))           taken out in time: notify will not be called
 *         ...                         else it was, is being, or is about to be called, once
 *
 * Between the consuming and the call of notify the memory must stay: who frees it needs to know that
 * notify has run (a reference that notify drops). Afterwards, or in notify, it may begin again.
 */
#ifndef IOCP_WAIT_LISTENER_H
#define IOCP_WAIT_LISTENER_H

#include "wait/blocks.h"
#include "wait/dispatcher.h"

#include <stdbool.h>

struct listener {
    struct wait_block block;       /* its link is guarded by the dispatcher's lock */
    struct dispatcher *dispatcher; /* pinned by the owner; set by listener_begin */
    struct listener *next;         /* in a wake_list, between being satisfied and notify */
    /*
     * Called on the thread that signalled, with no lock held; puts work somewhere, and does not run the
     * program's code. That thread may be at its very end (a thread's own dispatcher): there
     * thread_current_or_null says NULL, and thread_current would begin it anew.
     */
    void (*notify)(struct listener *l);
};

/* Mutexes have no listeners: nobody would own them. `block` is initialised here. */
bool listener_begin(struct listener *l, struct dispatcher *d);
bool listener_end(struct listener *l);

/* The wait room's own: satisfies the listener that b belongs to, lock held (true: it is the turn of other
 * processes); calls those of a wake_list. */
bool listener_fire_locked(struct dispatcher *d, struct wait_block *b, struct wake_list *wakes);
void listener_run(struct listener *fired);

#endif
