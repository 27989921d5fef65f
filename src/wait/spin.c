/* SPDX-License-Identifier: MIT */
/*
 * The poll before the sleep. A thread that has gone to sleep runs some 30 us after it is woken, on a virtual
 * machine; where the next message mostly comes sooner than that, looking for it all the time triples the
 * rate of a connection, at the price of a busy processor. A program asks for it, per port or by
 * IOCP_SPIN_US for all.
 *
 * The one who polls is a waiter like any other: it holds no place, stands in the list, may be claimed by a
 * packet, an APC or the closing of the port, and is the leader if it polls in the poller. Who claims it need
 * not wake it. One thread of a queue polls at a time: more of them would only take processors from
 * those who work. It gives up when it does not pay: after some polls in vain most sleeps go without, more and
 * more of them, and now and then one is tried again.
 */
#include "wait/spin.h"

#include "base/clock.h"
#include "base/relax.h"
#include "engine/poller.h"
#include "wait/queue.h"
#include "wait/thread.h"

#include <stdlib.h>

enum { PATIENT = 4, SKIP_MAX = 512 };

/* What the environment says; 0 if that is no number or too large. */
static uint32_t default_us(void)
{
    const char *text = getenv("IOCP_SPIN_US");
    char *end = NULL;
    unsigned long us;

    if (!text || *text < '0' || *text > '9')
        return 0;
    us = strtoul(text, &end, 10);
    return *end == '\0' && us <= SPIN_MAX_US ? (uint32_t)us : 0;
}

void spin_init(struct spin *s)
{
    s->busy = false;
    s->misses = 0;
    s->skip = 0;
    spin_set(s, default_us());
}

void spin_set(struct spin *s, uint32_t us)
{
    atomic_store_explicit(&s->limit_ns, us * UINT64_C(1000), memory_order_relaxed);
}

bool spin_begin_locked(struct queue *q)
{
    struct spin *s = &q->spin;

    lock_assert_held(&q->lock);
    if (__builtin_expect(atomic_load_explicit(&s->limit_ns, memory_order_relaxed) == 0, 1) || s->busy)
        return false;
    if (s->skip > 0) {
        s->skip--;
        return false;
    }
    s->busy = true;
    return true;
}

void spin_end_locked(struct queue *q, bool paid)
{
    struct spin *s = &q->spin;

    lock_assert_held(&q->lock);
    s->busy = false;
    if (paid) {
        s->misses = 0;
    } else if (++s->misses >= PATIENT) {
        uint32_t more = s->misses - PATIENT;

        s->skip = more < 8 ? 4u << more : SKIP_MAX;
    }
}

bool spin_until_found(struct queue *q, struct waiter *w, struct poller *p, uint64_t deadline_ns)
{
    uint64_t until = clock_now_ns() + atomic_load_explicit(&q->spin.limit_ns, memory_order_relaxed);

    if (until > deadline_ns)
        until = deadline_ns;
    do {
        if (atomic_load(&w->state) != WAITER_ARMED)
            return true;
        if (p) {
            if (queue_harvest(q, p, 0) > 0)
                return true;
        } else {
            cpu_relax();
        }
    } while (clock_now_ns() < until);
    return false;
}
