/* SPDX-License-Identifier: MIT */
/*
 * Which range locks get in each other's way, and who goes first. LockFileEx' page knows one rule: a lock is
 * to be had if nothing that is held conflicts. So a shared lock passes an exclusive one that waits, and a
 * program may count on it: a thread that holds one takes a second one before it gives the first back.
 *
 * But locks that overlap in time could keep somebody waiting for ever. Who has been passed PASSES times
 * gets a turn: for a second, the next time for two, and so on, what would wait anyway waits behind it. If
 * what it waits for is not given back by then, perhaps because its holder is one of those who are kept
 * waiting, things go on as before. Who does not wait (LOCKFILE_FAIL_IMMEDIATELY) is never refused for that.
 */
#include "io/filelock_range.h"

#include "base/clock.h"

enum { PASSES = 16 };

_Atomic uint64_t filelock_turn_ns = NS_PER_SEC;

/* Have they a byte in common? A range without bytes lies inside another, or touches nothing. */
bool filelock_overlap(const struct filelock_range *a, const struct filelock_range *b)
{
    if (a->length == 0 && b->length == 0)
        return false;
    if (a->length == 0)
        return b->offset < a->offset && a->offset <= filelock_last(b);
    if (b->length == 0)
        return filelock_overlap(b, a);
    return a->offset <= filelock_last(b) && b->offset <= filelock_last(a);
}

bool filelock_stops(const struct filelock *has, const struct filelock *want)
{
    if (!has->range.exclusive && !want->range.exclusive)
        return false;
    if (!want->range.exclusive && has->file == want->file)
        return false;
    return filelock_overlap(&has->range, &want->range);
}

bool filelock_is_held_back(const struct list *waiting, const struct list *place, const struct filelock *want)
{
    for (const struct list *l = waiting->next; l != waiting && l != place; l = l->next) {
        const struct filelock *first = container_of(l, const struct filelock_wait, link)->lock;

        if (first->until_ns && filelock_stops(want, first) && clock_now_ns() < first->until_ns)
            return true;
    }
    return false;
}

static void pass(struct filelock *first)
{
    if (clock_now_ns() < first->until_ns || ++first->passed < PASSES)
        return; /* or by one who does not wait: that must not make its turn longer for the others */
    first->passed = 0;
    if (first->turn_ns < 64 * filelock_turn_ns)
        first->turn_ns = first->turn_ns ? first->turn_ns * 2 : filelock_turn_ns;
    first->until_ns = clock_now_ns() + first->turn_ns;
}

void filelock_has_passed(const struct list *waiting, const struct list *place, const struct filelock *lock)
{
    for (const struct list *l = waiting->next; l != waiting && l != place; l = l->next) {
        struct filelock *first = container_of(l, const struct filelock_wait, link)->lock;

        if (filelock_stops(lock, first))
            pass(first);
    }
}
