/* SPDX-License-Identifier: MIT */
/*
 * Locks on ranges of a file (LockFileEx). Within the process a table by device and inode is exact: who
 * holds what, who waits, and what reads and writes may not touch. To other processes that use the library
 * the same is told by OFD locks on the file, lock against lock. Programs without the library that lock
 * ranges by fcntl are heard, too; their reads and writes are not stopped, and neither are those of
 * other processes.
 */
#ifndef IOCP_IO_FILELOCK_H
#define IOCP_IO_FILELOCK_H

#include "base/list.h"
#include "io/file.h"
#include "io/request.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct filelock_range {
    uint64_t offset, length; /* length 0: a place between two bytes */
    bool exclusive;
};

/*
 * Locks for the file object f. STATUS_LOCK_NOT_GRANTED: somebody holds what conflicts, and `wait` is false.
 * With it the call blocks, until granted, cancelled or closed. STATUS_INVALID_LOCK_RANGE: it wraps around.
 */
uint32_t filelock_lock(struct file *f, const struct filelock_range *range, bool wait);

/* The same for a request that was begun; STATUS_PENDING while it waits. */
uint32_t filelock_start(struct request *r, const struct filelock_range *range, bool wait);

/* Gives back one lock of f with exactly this range, an exclusive one first. STATUS_RANGE_NOT_LOCKED. */
uint32_t filelock_unlock(struct file *f, uint64_t offset, uint64_t length);

/* The last handle of f was closed. */
void filelock_cleanup(struct file *f);

/* STATUS_FILE_LOCK_CONFLICT: f may not read or write there. Ask filelock_any first. */
uint32_t filelock_check(struct file *f, uint64_t offset, uint64_t size, bool write);

/* ---- the question that every transfer asks ---- */

enum { FILELOCK_BUCKETS = 256 };
extern _Atomic uint32_t filelock_counts[FILELOCK_BUCKETS]; /* locks held and waited for */

static inline unsigned filelock_bucket(dev_t dev, ino_t ino)
{
    return (unsigned)((ino ^ ino >> 8 ^ dev * 31) % FILELOCK_BUCKETS);
}

static inline bool filelock_any(const struct file *f)
{
    unsigned bucket = filelock_bucket(f->rare->dev, f->rare->ino);

    /* relaxed: a lock that was granted before this transfer began is seen by what made it "before" */
    return atomic_load_explicit(&filelock_counts[bucket], memory_order_relaxed) != 0;
}

#endif
