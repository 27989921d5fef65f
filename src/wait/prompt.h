/* SPDX-License-Identifier: MIT */
/*
 * Private to the wait room: releases that are put off, because the worker that would make them is back
 * before another could be awake; see prompt.c.
 */
#ifndef IOCP_WAIT_PROMPT_H
#define IOCP_WAIT_PROMPT_H

#include <stdbool.h>
#include <stdint.h>

struct queue;
struct thread;

/* One of a queue, guarded by the queue's lock. */
struct prompt {
    uint64_t slow_ns;  /* no prompt turn takes so long; constant (tests change it) */
    uint64_t turn_ns;  /* processor time of a prompt turn, moving average */
    uint64_t last_ns;  /* when a turn was measured last */
    uint32_t turns;    /* of all kinds, begun */
    uint32_t dense;    /* measured in quick succession */
    uint32_t credit;   /* prompt turns since the last that was not */
    uint32_t need;     /* so many before a release is put off */
    uint32_t put_off;  /* how many were */
    uint32_t seen;     /* the same at the last tick */
    uint32_t idle;     /* ticks since one was */
    bool wants_tick;   /* it could begin, if there were ticks */
    bool ticking;      /* there are: what is put off does not lie for long */
};

/* A turn of a worker that is measured; touched by the thread itself only. */
struct prompt_turn {
    bool measured;
    uint64_t began_ns; /* processor time */
    uint64_t sleeps;   /* how often the thread had gone to sleep of its own accord */
};

void prompt_init(struct prompt *p);

/*
 * There is something to release, and the calling thread, which holds a place, would have to. true: it
 * is left undone. Lock held. *measure: prompt_turn_begins is to follow, without the lock.
 */
bool prompt_put_off_locked(struct queue *q, struct thread *self, bool *measure);

void prompt_turn_begins(struct thread *self);
/* A thread whose turn is measured is back, or gives its place up. No lock held. */
void prompt_turn_ends(struct queue *q, struct thread *self);

/* Every PROMPT_TICK_NS, as long as it leaves `ticking` set. true: what lies there is to be released. */
bool prompt_tick_locked(struct queue *q);

#define PROMPT_TICK_NS (UINT64_C(500) * 1000)

#endif
