/* SPDX-License-Identifier: MIT */
/* What filelock.c shares with filelock_ofd.c and filelock_order.c: single locks and their ranges. */
#ifndef IOCP_IO_FILELOCK_RANGE_H
#define IOCP_IO_FILELOCK_RANGE_H

#include "io/filelock.h"

/* A lock that is held, or waited for; owned by the table from the moment it is granted. */
struct filelock {
    struct list link;  /* in the list of locks held on its inode, guarded by the table */
    struct file *file; /* borrowed: it drops its locks before it goes */
    struct filelock_range range;
    uint32_t passed;   /* while it waits: how many that it conflicts with were granted */
    uint64_t turn_ns;  /* how long the others leave it the way, the last time */
    uint64_t until_ns; /* ... and when that ends */
};

/* The last byte; of a range that has some. */
static inline uint64_t filelock_last(const struct filelock_range *r)
{
    return r->offset + (r->length - 1);
}

bool filelock_overlap(const struct filelock_range *a, const struct filelock_range *b);
/* Does `has`, held, stand in the way of `want`? */
bool filelock_stops(const struct filelock *has, const struct filelock *want);

/* The first turn of a lock that was passed too often: a second; for tests. */
extern _Atomic uint64_t filelock_turn_ns;

/* Both look at those who wait (struct filelock_wait) before `place`: is one of them to go first now, and,
 * of a lock that has been granted, whom has it passed? */
bool filelock_is_held_back(const struct list *waiting, const struct list *place, const struct filelock *want);
void filelock_has_passed(const struct list *waiting, const struct list *place, const struct filelock *lock);

/*
 * Tells other processes what f holds in `range`, by what is in `held` (struct filelock). 0, or -errno:
 * -EAGAIN if another process has what conflicts; then nothing is changed if the caller takes the lock out of
 * `held` and calls again.
 */
int filelock_tell(struct file *f, const struct list *held, const struct filelock_range *range);

/* Before a lock of f, with no lock held: a descriptor on which locks of both kinds can be taken, if it can
 * be had now. */
void filelock_prepare(struct file *f);
/* The table's lock held, before the lock is in `held`: where f holds nothing, what is there now is used. */
void filelock_choose(struct file *f, const struct list *held);

#endif
