/* SPDX-License-Identifier: MIT */
/*
 * Private to the wait room: named events, semaphores and mutexes, whose state lies in the file that the
 * processes of one user share (shared_file.h). In each process that has one open it is an object like any
 * other, with a dispatcher in which the threads of that process stand. What differs is the locking:
 * dispatcher_lock takes the slot's lock, too, and fetches the state; dispatcher_unlock stores it and gives
 * back. Between the two nothing can tell a shared object from another, so that waits of all kinds, listeners
 * and OVERLAPPED.hEvent work as ever.
 *
 * A waiter of another process cannot be satisfied from here: it is told to look, by a listener, the bell,
 * that stands in the dispatcher's queue and consumes nothing. When an object becomes signalled for others
 * than those who stand here, the bell is called like any listener.
 */
#ifndef IOCP_WAIT_SHARED_H
#define IOCP_WAIT_SHARED_H

#include "object/object.h"
#include "wait/dispatcher.h"
#include "wait/listener.h"

#include <stdbool.h>
#include <stdint.h>

/* Rules: (1) constant: object, dispatcher, index, serial, max, who. (2) under the dispatcher's lock: the
 * rest. */
struct shared {
    struct object *object;         /* borrowed: embeds the dispatcher, ends with us */
    struct dispatcher *dispatcher;
    int index;                     /* of the slot */
    uint64_t serial;               /* what the slot says while it is ours */
    int32_t max;                   /* of its count */
    uint32_t who;                  /* this process when it was made; a forked child is another */
    bool attended;                 /* this process is among the slot's waiting */
    bool owned;                    /* mutex: a thread of this process owns it, and that is a reference */
    bool lonely;                   /* mutex: nobody can open it any more; to be owned is no reference */
    bool stolen;                   /* the lock's last holder died with it */
    bool turn;                     /* the bell has interrupted the waking of threads here */
    struct listener bell;          /* linked in the dispatcher's queue but between ringing and having rung */
};

/* Behind the dispatcher of what can be shared. */
struct shareable {
    struct dispatcher dispatcher;
    struct shared *shared; /* owned; NULL: it is this process' own */
};
struct shareable_ownership {
    struct ownership ownership;
    struct shared *shared; /* likewise */
};

/* From type->destroy, before anything else. */
void shared_leave(struct shared *s);

/* Has another process it open? */
bool shared_elsewhere(struct dispatcher *d);

/* Names of `kind` are shared from now on, if that is possible. Before the table of names is asked. */
uint32_t shared_prepare(enum object_kind kind);

/* The second half of dispatcher_lock, for a wait-all: the locks of all dispatchers are held, and those of the
 * slots are taken in the order that all processes keep. */
void shared_fetch_all(struct dispatcher *const *objects, unsigned count);

/* A thread or a listener stands in its queue now, which dispatcher_unlock_queued has said is news: sees to it
 * that this process hears of the others, and looks. Not under the lock. 0 or -errno. */
int shared_attend(struct dispatcher *d);
/* The same where locks are held that are the caller's: the home thread does it. */
void shared_attend_soon(struct dispatcher *d);

/* The wait room's own: the bell is about to be called, the dispatcher's lock is held. True: threads of other
 * processes stand at this place of the queue, so to speak, and may take the object now. */
bool shared_bell_called(struct listener *bell);
/* On the home thread: another process has made the object in that slot signalled, or has ended. */
void shared_look(int index);
void shared_look_at_all(void);

#endif
