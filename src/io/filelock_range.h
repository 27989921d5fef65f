/* SPDX-License-Identifier: MIT */
/* What filelock.c and filelock_ofd.c share: locks that are held. */
#ifndef IOCP_IO_FILELOCK_RANGE_H
#define IOCP_IO_FILELOCK_RANGE_H

#include "io/filelock.h"

/* A lock that is held, or waited for; owned by the table from the moment it is granted. */
struct filelock {
    struct list link;  /* in the list of locks held on its inode, guarded by the table */
    struct file *file; /* borrowed: it drops its locks before it goes */
    struct filelock_range range;
};

/* The last byte; of a range that has some. */
static inline uint64_t filelock_last(const struct filelock_range *r)
{
    return r->offset + (r->length - 1);
}

/*
 * Tells other processes what f holds in `range`, by what is in `held` (struct filelock). 0, or -errno:
 * -EAGAIN if another process has what conflicts; then nothing is changed if the caller takes the lock out of
 * `held` and calls again.
 */
int filelock_tell(struct file *f, const struct list *held, const struct filelock_range *range);

/* Before f's first lock, with no lock held: a descriptor on which locks of both kinds can be taken. */
void filelock_prepare(struct file *f);

#endif
