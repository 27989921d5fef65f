/* SPDX-License-Identifier: MIT */
/*
 * Prompt workers. Waking a thread takes some 30 us until it runs, and costs the waker and the woken
 * several each. A worker of a busy server is back in a tenth of that: then it finds what it left lying - the
 * packet of its own send, readiness, a poller without a leader - before anybody else could, and who was
 * woken comes for nothing. With many workers asleep every message would wake two of them.
 *
 * So a worker that holds a place may leave a release undone if its queue's workers have proved prompt:
 * their turns, from such a moment until they are back, take so little on the average that what lies there
 * now is worked off before another would be awake. Turns are measured now and then, by processor time: on a
 * busy machine a worker that waits for a processor is no slower than one that is woken. One turn that
 * computed for long or went to sleep ends it; how many prompt ones it takes to begin again doubles when such
 * turns are frequent, so that a program one of whose requests in a hundred takes long is left alone.
 *
 * A worker that is not back, against expectation, does not keep the others asleep: the looking of
 * outside.c ticks every half millisecond while releases are put off, and makes good what has been left for
 * a whole tick. Nothing is put off unless it ticks, and it ticks only in dense traffic. Posts are
 * exempt: who posts a packet from a worker may want it done by another.
 */
#include "wait/prompt.h"

#include "base/clock.h"
#include "base/os.h"
#include "wait/queue.h"
#include "wait/thread.h"

#include <assert.h>

/* A wake, until the woken runs. */
#define WAKE_NS (UINT64_C(30) * 1000)
#define SLOW_NS (UINT64_C(100) * 1000)

/* Measured turns at most so far apart are dense traffic. */
#define DENSE_NS (UINT64_C(2) * NS_PER_MS)

enum {
    NEED_MIN = 32,
    NEED_MAX = 1024,
    RARE = 8,          /* slow turns are rare if this times `need` prompt ones lie between them */
    DENSE_ENOUGH = 4,
    MEASURE_EVERY = 8, /* which turns are measured; and when they put something off */
    MEASURE_EVERY_OFF = 32,
    IDLE_TICKS = 4,
};

void prompt_init(struct prompt *p)
{
    *p = (struct prompt){.slow_ns = SLOW_NS, .turn_ns = WAKE_NS, .need = NEED_MIN};
}

static bool has_credit(const struct prompt *p)
{
    return p->credit >= p->need;
}

static void turn_was_prompt(struct prompt *p, uint64_t took_ns)
{
    p->turn_ns = p->turn_ns - p->turn_ns / 8 + took_ns / 8;
    if (p->credit < UINT32_MAX / 2)
        p->credit += p->ticking && has_credit(p) ? MEASURE_EVERY_OFF : MEASURE_EVERY;
    p->wants_tick = !p->ticking && has_credit(p) && p->turn_ns <= WAKE_NS && p->dense >= DENSE_ENOUGH;
}

static void turn_was_slow(struct prompt *p)
{
    if (p->credit / RARE >= p->need)
        p->need = NEED_MIN;
    else if (p->need < NEED_MAX)
        p->need *= 2;
    p->credit = 0;
    p->wants_tick = false;
}

void prompt_turn_begins(struct thread *self)
{
    self->turn.measured = true;
    self->turn.began_ns = os_time_run();
    self->turn.sleeps = os_sleeps_counted();
}

void prompt_turn_ends(struct queue *q, struct thread *self)
{
    struct prompt *p = &q->prompt;
    uint64_t now = clock_now_ns();
    uint64_t took = os_time_run() - self->turn.began_ns;
    bool slept = os_sleeps_counted() != self->turn.sleeps;

    assert(self->turn.measured && self->queue == q);
    self->turn.measured = false;
    lock_acquire(&q->lock);
    p->dense = now - p->last_ns <= DENSE_NS ? p->dense + 1 : 0;
    p->last_ns = now;
    if (took < p->slow_ns && !slept)
        turn_was_prompt(p, took);
    else
        turn_was_slow(p);
    lock_release(&q->lock);
}

bool prompt_put_off_locked(struct queue *q, struct thread *self, bool *measure)
{
    struct prompt *p = &q->prompt;
    bool off = p->ticking && has_credit(p) && p->turn_ns * (q->count + 1) <= WAKE_NS;

    lock_assert_held(&q->lock);
    assert(self->queue == q && thread_place(self) != PLACE_NONE);
    if (off)
        p->put_off++;
    *measure = p->turns++ % (off ? MEASURE_EVERY_OFF : MEASURE_EVERY) == 0 && !self->turn.measured;
    return off;
}

bool prompt_tick_locked(struct queue *q)
{
    struct prompt *p = &q->prompt;
    bool left = p->put_off == p->seen;

    lock_assert_held(&q->lock);
    p->idle = left && !p->wants_tick ? p->idle + 1 : 0;
    p->seen = p->put_off;
    p->ticking = p->idle < IDLE_TICKS && (p->ticking || p->wants_tick);
    p->wants_tick = false;
    return left;
}
