/* SPDX-License-Identifier: MIT */
/*
 * Range locks between processes; see filelock_range.h. OFD locks belong to the open descriptor, as ours to
 * the file object, but know one state per byte: so after each change the range is gone through piece by
 * piece, and each gets the strongest that is held on it. Offsets end where the bytes of share.c
 * begin; what lies behind that is this process' affair alone.
 *
 * An exclusive lock needs a descriptor open for writing. One that is not gets a sibling; where that may not
 * be had, the lock is a shared one to the others. All that a file holds at a time is on one of the two: a
 * lock on the other would be in the way of its own, and be taken back there in vain.
 */
#include "io/filelock_range.h"

#include "base/own_fd.h"
#include "io/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define END INT64_C(0x7FFFFFFFFFFFFE00) /* below LOCK_BASE of share.c */

struct piece {
    int64_t from, to; /* to: exclusive */
};

/* Where a range lies in the offsets of fcntl; false: nowhere, it has no bytes there. */
static bool place(const struct filelock_range *r, struct piece *p)
{
    uint64_t last;

    if (r->length == 0 || r->offset >= (uint64_t)END)
        return false;
    last = filelock_last(r);
    p->from = (int64_t)r->offset;
    p->to = last < (uint64_t)END ? (int64_t)last + 1 : END;
    return true;
}

static bool may_write(int fd)
{
    return (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY;
}

void filelock_prepare(struct file *f)
{
    struct disk *d = f->extra;
    char path[48];
    int none = -1;
    int fd;

    if (atomic_load(&d->lock_sibling) >= 0 || may_write(f->fd))
        return;
    snprintf(path, sizeof path, "/proc/self/fd/%d", f->fd);
    fd = own_fd(open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (fd >= 0 && !atomic_compare_exchange_strong(&d->lock_sibling, &none, fd))
        own_fd_close(fd);
}

void filelock_choose(struct file *f, const struct list *held)
{
    struct disk *d = f->extra;

    list_for_each(l, held) {
        if (container_of(l, struct filelock, link)->file == f)
            return;
    }
    d->lock_on_sibling = atomic_load(&d->lock_sibling) >= 0;
}

/* Asked for each time: a file that loses its number may go on under a duplicate's. -1: it has none. */
static int lock_fd(const struct file *f)
{
    const struct disk *d = f->extra;

    if (d->lock_on_sibling)
        return atomic_load(&d->lock_sibling);
    return f->fd_lost ? -1 : f->fd;
}

static int set(int fd, short type, const struct piece *p)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = p->from, .l_len = p->to - p->from};

    if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
        return 0;
    if (errno == EBADF && type == F_WRLCK) { /* not open for writing */
        lock.l_type = F_RDLCK;
        if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
            return 0;
    }
    return errno == EACCES ? -EAGAIN : -errno;
}

/* The strongest lock of f at p->from, and in *p how far that goes. */
static short strongest(const struct file *f, const struct list *held, struct piece *p)
{
    short type = F_UNLCK;

    list_for_each(l, held) {
        const struct filelock *lock = container_of(l, struct filelock, link);
        struct piece other;

        if (lock->file != f || !place(&lock->range, &other) || other.to <= p->from)
            continue;
        if (other.from > p->from) {
            if (other.from < p->to)
                p->to = other.from;
            continue;
        }
        if (other.to < p->to)
            p->to = other.to;
        if (lock->range.exclusive)
            type = F_WRLCK;
        else if (type == F_UNLCK)
            type = F_RDLCK;
    }
    return type;
}

int filelock_tell(struct file *f, const struct list *held, const struct filelock_range *range)
{
    int fd = lock_fd(f);
    struct piece all;

    if (fd < 0 || !place(range, &all))
        return 0;
    while (all.from < all.to) {
        struct piece p = all;
        short type = strongest(f, held, &p);
        int err = set(fd, type, &p);

        if (err)
            return err;
        all.from = p.to;
    }
    return 0;
}
