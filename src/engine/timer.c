/* SPDX-License-Identifier: MIT */
/* Timers: see home.h. The heap holds borrowed pointers; cancelling finds its element by index. */
#include "engine/timer.h"

#include "base/clock.h"
#include "base/fork.h"
#include "base/lock.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define IDLE SIZE_MAX

static struct {
    struct lock lock; /* everything here, and heap_index and due_ns of every timer */
    struct timer **heap;
    size_t count;
    size_t reserved; /* places for timers that are not armed */
    size_t size;
} timers = {.lock = LOCK_INIT(LOCK_ENGINE)};

static void place(struct timer *t, size_t i)
{
    timers.heap[i] = t;
    t->heap_index = i;
}

static void sift_up(struct timer *t, size_t i)
{
    while (i > 0 && timers.heap[(i - 1) / 2]->due_ns > t->due_ns) {
        place(timers.heap[(i - 1) / 2], i);
        i = (i - 1) / 2;
    }
    place(t, i);
}

static void sift_down(struct timer *t, size_t i)
{
    for (;;) {
        size_t child = 2 * i + 1;

        if (child >= timers.count)
            break;
        if (child + 1 < timers.count && timers.heap[child + 1]->due_ns < timers.heap[child]->due_ns)
            child++;
        if (timers.heap[child]->due_ns >= t->due_ns)
            break;
        place(timers.heap[child], i);
        i = child;
    }
    place(t, i);
}

static void take_out(struct timer *t)
{
    size_t i = t->heap_index;
    struct timer *last = timers.heap[--timers.count];

    assert(timers.heap[i] == t);
    t->heap_index = IDLE;
    timers.reserved += t->reserved;
    if (last == t)
        return;
    if (i > 0 && timers.heap[(i - 1) / 2]->due_ns > last->due_ns)
        sift_up(last, i);
    else
        sift_down(last, i);
}

static int grow(void)
{
    size_t size = timers.size ? timers.size * 2 : 64;
    struct timer **heap = realloc(timers.heap, size * sizeof *heap);

    if (!heap)
        return -ENOMEM;
    timers.heap = heap;
    timers.size = size;
    return 0;
}

void timer_init(struct timer *t, void (*fire)(struct timer *))
{
    t->due_ns = 0;
    t->heap_index = IDLE;
    t->reserved = false;
    t->fire = fire;
}

static int make_room(void)
{
    return timers.count + timers.reserved == timers.size ? grow() : 0;
}

int timer_reserve(struct timer *t)
{
    int err = home_start();

    if (err)
        return err;
    lock_acquire(&timers.lock);
    assert(!t->reserved && t->heap_index == IDLE);
    err = make_room();
    if (!err) {
        t->reserved = true;
        timers.reserved++;
    }
    lock_release(&timers.lock);
    return err;
}

void timer_unreserve(struct timer *t)
{
    lock_acquire(&timers.lock);
    assert(t->heap_index == IDLE);
    if (t->reserved)
        timers.reserved--;
    t->reserved = false;
    lock_release(&timers.lock);
}

int timer_set(struct timer *t, uint64_t due_ns)
{
    int err = home_start();
    bool first = false;

    if (err)
        return err;
    lock_acquire(&timers.lock);
    if (t->heap_index != IDLE)
        take_out(t);
    if (!t->reserved)
        err = make_room();
    if (!err) {
        timers.reserved -= t->reserved;
        t->due_ns = due_ns;
        sift_up(t, timers.count++);
        first = t->heap_index == 0;
    }
    lock_release(&timers.lock);
    if (first)
        home_wake();
    return err;
}

bool timer_cancel(struct timer *t)
{
    bool armed;

    lock_acquire(&timers.lock);
    armed = t->heap_index != IDLE;
    if (armed)
        take_out(t);
    lock_release(&timers.lock);
    return armed;
}

uint64_t timer_next_due(void)
{
    uint64_t due;

    lock_acquire(&timers.lock);
    due = timers.count ? timers.heap[0]->due_ns : DEADLINE_NEVER;
    lock_release(&timers.lock);
    return due;
}

void timer_run_due(uint64_t now_ns)
{
    struct timer *t;

    do {
        lock_acquire(&timers.lock);
        t = timers.count && timers.heap[0]->due_ns <= now_ns ? timers.heap[0] : NULL;
        if (t)
            take_out(t);
        lock_release(&timers.lock);
        if (t)
            t->fire(t);
    } while (t);
}

static void disarm_all(void)
{
    timers.count = timers.reserved = 0; /* the timers themselves are forgotten with their handles */
}

FORK_HOOK(&timers.lock, LOCK_ENGINE, disarm_all);
