/* SPDX-License-Identifier: MIT */
/*
 * Transfers on regular files and block devices. The rules of the end: an overlapped read that
 * begins at or behind it is refused with END_OF_FILE (38), one that crosses it is short; a
 * synchronous read says 38 only if it was given an offset, and 0 bytes otherwise.
 *
 * RWF_NOWAIT serves what is in the page cache on the caller's thread, which is what Windows' cache
 * manager does too; file systems that refuse it (tmpfs) cost one failed system call per transfer,
 * remembered per process after the first.
 */
#include "io/disk.h"

#include "base/futex.h"
#include "base/os_here.h"
#include "base/own_fd.h"
#include "base/status.h"
#include "engine/aio.h"
#include "engine/home.h"
#include "io/disk_list.h"
#include "io/lane.h"
#include "io/port.h"
#include "io/filelock.h"
#include "io/request.h"
#include "io/watch.h"
#include "ntstatus.h"
#include "wait/wait.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SPARED = 64 }; /* less than DIRECT_NEVER */

static struct disk *disk_of(const struct file *f)
{
    return f->extra;
}

struct disk *disk_new(const struct stat *st, int mode)
{
    struct disk *d = calloc(1, sizeof *d);

    if (!d)
        return NULL;
    list_init(&d->share.link);
    atomic_init(&d->lock_sibling, -1);
    d->regular = S_ISREG(st->st_mode);
    d->slow = (mode & (O_DIRECT | O_DSYNC)) != 0;
    d->direct = (mode & (O_DIRECT | O_DSYNC)) == O_DIRECT;
    turn_init(&d->turn);
    return d;
}

struct share_open *disk_share(struct file *f)
{
    if (f->ops != &disk_ops || !disk_of(f)->shared)
        return NULL;
    return &disk_of(f)->share;
}

/* ---- overlapped ---- */

static bool at_end(const struct request *r, uint64_t position)
{
    struct stat st;

    return disk_of(r->file)->regular && fstat(r->file->fd, &st) == 0 &&
           position >= (uint64_t)st.st_size;
}

/* FILE_FLAG_NO_BUFFERING wants offset, length and memory in sectors. */
static bool misaligned(const struct file *f, uint64_t offset, const void *buf, size_t size)
{
    if (!(f->flags & FILE_DIRECT))
        return false;
    if (offset == DISK_APPEND)
        offset = 0;
    return ((offset | size | (uintptr_t)buf) & (DISK_SECTOR - 1)) != 0;
}

/* Does somebody's lock on a range forbid this transfer? At `offset`, or where the descriptor is. */
static uint32_t check_locks(struct file *f, uint64_t offset, uint64_t size, bool write, bool append)
{
    struct stat st;

    if (append)
        offset = fstat(f->fd, &st) == 0 ? (uint64_t)st.st_size : 0;
    else if (offset == OS_CURRENT)
        offset = (uint64_t)lseek(f->fd, 0, SEEK_CUR);
    return filelock_check(f, offset, size, write);
}

/* n bytes of the buffers are done. */
static void advance(struct request *r, size_t n)
{
    uint32_t whole = 0;

    r->bytes += (uint32_t)n;
    while (whole < r->iov_count && n >= r->iov[whole].iov_len)
        n -= r->iov[whole++].iov_len;
    r->iov_count -= whole;
    memmove(r->iov, r->iov + whole, r->iov_count * sizeof *r->iov);
    if (r->iov_count > 0) {
        r->iov[0].iov_base = (char *)r->iov[0].iov_base + n;
        r->iov[0].iov_len -= n;
    }
}

/* As many buffers as the kernel takes at a time. */
static unsigned buffers(const struct request *r)
{
    return r->iov_count < IOV_MAX ? r->iov_count : IOV_MAX;
}

static bool is_complete(const struct request *r)
{
    return r->bytes == r->size;
}

/* What the engine has to do next for r. */
static void fill_op(struct request *r)
{
    r->op.code = r->u.disk.write ? OP_WRITE : OP_READ;
    r->op.fd = r->file->fd;
    r->op.iov = r->iov;
    r->op.iov_count = buffers(r);
    r->op.offset = r->u.disk.append ? 0 : r->offset + r->bytes;
    r->op.rw_flags = r->u.disk.append ? RWF_APPEND : 0;
    r->op.direct = NULL;
}

/*
 * The poller whose queue may take r past the page cache without another thread (engine/aio.h). A file
 * whose transfers wait all the same - one that grows, say - is spared the attempt for a while.
 */
static struct poller *direct_for(struct request *r)
{
    struct disk *d = disk_of(r->file);
    struct file_target to;
    struct poller *p = NULL;
    uint8_t left;
    bool made;

    if (!d->direct || r->u.disk.append)
        return NULL;
    to = file_target(r->file);
    if (to.counted)
        object_put(&to.port->object);
    if (to.modes & FILE_MODE_REBOUND)
        return NULL; /* only its first port stays as long as the file does, and with it that poller */
    left = atomic_load_explicit(&d->waited, memory_order_relaxed);
    if (left == DIRECT_NEVER)
        return NULL;
    if (left > 0) {
        atomic_store_explicit(&d->waited, left - 1, memory_order_relaxed); /* a lost count does no harm */
        return NULL;
    }
    if (lane_poller(to.port, &p) != 0 || !aio_attach(p, &made))
        return NULL;
    if (made && to.port) {
        queue_poke(&to.port->queue); /* sleeping workers may have had no poller to sleep in */
        home_watch();
    }
    return p;
}

/*
 * A step of r gave `result`. STATUS_PENDING: more is to be done. A transfer that stops in the middle
 * with an error is reported by its bytes if it read, by its error if it wrote.
 */
static uint32_t step(struct request *r, int64_t result)
{
    if (result == -ECANCELED)
        return STATUS_CANCELLED;
    if (result < 0 && r->u.disk.write)
        return status_from_errno_write((int)-result);
    if (result < 0)
        return r->bytes > 0 ? (uint32_t)STATUS_SUCCESS : status_from_errno((int)-result);
    if (result == 0 && !r->u.disk.write)
        return r->bytes > 0 ? (uint32_t)STATUS_SUCCESS : (uint32_t)STATUS_END_OF_FILE;
    if (result == 0)
        return STATUS_DISK_FULL; /* never seen; but to go on would go round for ever */
    advance(r, (size_t)result);
    if (is_complete(r))
        return STATUS_SUCCESS;
    if (atomic_load(&r->cancelled))
        return STATUS_CANCELLED;
    if (!r->u.disk.write && at_end(r, r->offset + r->bytes))
        return STATUS_SUCCESS;
    return STATUS_PENDING;
}

static void op_done(struct op *op, int64_t result)
{
    struct request *r = container_of(op, struct request, op);
    bool waits = op->direct && (result == -EAGAIN || result == -EOPNOTSUPP); /* or a device that cannot say */
    uint32_t status;
    int err;

    if (waits)
        atomic_store_explicit(&disk_of(r->file)->waited, SPARED, memory_order_relaxed);
    if (waits && !atomic_load(&r->cancelled))
        status = STATUS_PENDING;
    else
        status = step(r, waits ? -ECANCELED : result);

    if (status == STATUS_PENDING) {
        fill_op(r);
        err = request_continue_engine(r);
        if (err == 0)
            return;
        status = status_from_errno(err);
    }
    if (status_is_error(status) && status != STATUS_CANCELLED)
        r->bytes = 0;
    request_complete(r, status, false);
}

/*
 * From the page cache, now. -EAGAIN: not to be had without waiting. Never an append: a part of it could
 * be written, and the rest would come behind somebody else's bytes.
 */
static int64_t try_now(const struct request *r)
{
    static _Atomic bool refused[2]; /* this kernel has no RWF_NOWAIT at all for it */
    const struct disk *d = disk_of(r->file);
    int64_t n;

    if (d->slow || !d->regular || (r->u.disk.write && r->u.disk.append) ||
        atomic_load_explicit(&refused[r->u.disk.write], memory_order_relaxed))
        return -EAGAIN;
    if (r->u.disk.write)
        n = os_write(r->file->fd, r->iov, buffers(r), r->offset, RWF_NOWAIT);
    else
        n = os_read_here(r->file->fd, r->iov, buffers(r), r->offset, RWF_NOWAIT);
    if (n == -ENOSYS)
        atomic_store_explicit(&refused[r->u.disk.write], true, memory_order_relaxed);
    return n == -ENOSYS || n == -EOPNOTSUPP ? -EAGAIN : n;
}

static uint32_t transfer(struct request *r)
{
    uint32_t status;
    int64_t n;

    /* Also what would mean "the descriptor's position" below. */
    if (disk_of(r->file)->regular && !r->u.disk.append && r->offset > INT64_MAX)
        return request_refuse(r, STATUS_INVALID_PARAMETER);
    if (misaligned(r->file, r->offset, r->iov[0].iov_base, r->size))
        return request_refuse(r, STATUS_INVALID_PARAMETER);
    if (r->size == 0)
        return request_finish_inline(r, STATUS_SUCCESS);
    if (filelock_any(r->file)) {
        status = check_locks(r->file, r->offset, r->size, r->u.disk.write, r->u.disk.append);
        if (status != STATUS_SUCCESS)
            return request_refuse(r, status);
    }
    n = try_now(r);
    if (n != -EAGAIN) {
        status = step(r, n);
        if (status != STATUS_PENDING)
            return request_finish_inline(r, status);
    }
    fill_op(r);
    r->op.direct = direct_for(r);
    r->op.direct_left = &disk_of(r->file)->waited;
    r->op.done = op_done;
    return request_start_engine(r);
}

static uint32_t read_overlapped(struct request *r)
{
    return transfer(r);
}

static uint32_t write_overlapped(struct request *r)
{
    r->u.disk.write = true;
    r->u.disk.append = r->offset == DISK_APPEND || (r->file->flags & FILE_APPEND_ONLY);
    return transfer(r);
}

/* ---- synchronous ---- */

/* The kernel serialises who shares the position of an adopted descriptor. */
static uint32_t begin_turn(struct file *f)
{
    return f->flags & FILE_ADOPTED ? (uint32_t)STATUS_SUCCESS : turn_begin(f, &disk_of(f)->turn);
}

static void end_turn(struct file *f)
{
    if (!(f->flags & FILE_ADOPTED))
        turn_end(f, &disk_of(f)->turn);
}

struct transfer {
    char *buf;
    uint32_t size;
    uint64_t offset; /* OS_CURRENT: the descriptor's position */
    int flags;
    bool write;
};

/* All of it, or up to the end, an error, or the first byte that would not come. */
static uint32_t run(struct file *f, const struct transfer *t, uint32_t *bytes)
{
    uint32_t done = 0;
    int64_t n = 0;

    while (done < t->size) {
        /* A number, not a pointer: the program may hand in NULL, which the kernel refuses. */
        struct iovec v = {(void *)((uintptr_t)t->buf + done), t->size - done};
        uint64_t at = t->offset == OS_CURRENT ? OS_CURRENT : t->offset + done;

        n = t->write ? os_write(f->fd, &v, 1, at, t->flags) : os_read(f->fd, &v, 1, at, t->flags);
        if (n == -EAGAIN) {
            os_wait_ready(f->fd, t->write ? POLLOUT : POLLIN);
            continue;
        }
        if (n <= 0)
            break;
        done += (uint32_t)n;
        if (!t->write && disk_of(f)->regular && done < t->size && (f->flags & FILE_DIRECT))
            break; /* short: the end; the rest of the buffer is not aligned any more */
    }
    *bytes = done;
    if (n < 0 && t->write)
        return status_from_errno_write((int)-n);
    return n < 0 && done == 0 ? status_from_errno((int)-n) : (uint32_t)STATUS_SUCCESS;
}

static uint32_t run_in_turn(struct file *f, const struct transfer *t, uint32_t *bytes)
{
    uint32_t status;
    bool place;

    if (f->kind == FILE_KIND_DIR)
        return STATUS_INVALID_DEVICE_REQUEST;
    if (misaligned(f, t->offset == OS_CURRENT ? 0 : t->offset, t->buf, t->size))
        return STATUS_INVALID_PARAMETER;
    if (t->size == 0)
        return STATUS_SUCCESS;
    status = begin_turn(f);
    if (status != STATUS_SUCCESS)
        return status;
    if (filelock_any(f))
        status = check_locks(f, t->offset, t->size, t->write, t->flags & RWF_APPEND);
    if (status == STATUS_SUCCESS) {
        place = wait_block_begin();
        status = run(f, t, bytes);
        wait_block_end(place);
    }
    if (status == STATUS_SUCCESS && t->offset != OS_CURRENT)
        lseek(f->fd, (off_t)(t->offset + *bytes), SEEK_SET);
    end_turn(f);
    return status;
}

static uint32_t read_sync(struct file *f, void *buf, uint32_t size, const uint64_t *offset,
                          uint32_t *bytes)
{
    struct transfer t = {.buf = buf, .size = size, .offset = offset ? *offset : OS_CURRENT};
    uint32_t status;

    *bytes = 0;
    if (offset && *offset > INT64_MAX)
        return STATUS_INVALID_PARAMETER;
    status = run_in_turn(f, &t, bytes);
    if (status == STATUS_SUCCESS && offset && size > 0 && *bytes == 0)
        return STATUS_END_OF_FILE;
    return status;
}

static uint32_t write_sync(struct file *f, const void *buf, uint32_t size, const uint64_t *offset,
                           uint32_t *bytes)
{
    struct transfer t = {.buf = (char *)(uintptr_t)buf, .size = size, .write = true,
                         .offset = offset ? *offset : OS_CURRENT};

    *bytes = 0;
    if (offset && *offset > INT64_MAX && *offset != DISK_APPEND)
        return STATUS_INVALID_PARAMETER;
    if ((f->flags & FILE_APPEND_ONLY) || (offset && *offset == DISK_APPEND)) {
        t.offset = OS_CURRENT;
        t.flags = RWF_APPEND; /* and the position follows to the end */
    }
    return run_in_turn(f, &t, bytes);
}

static uint32_t flush(struct file *f)
{
    bool place = wait_block_begin();
    int err = os_sync(f->fd, 0);

    wait_block_end(place);
    return err ? status_from_errno(err) : (uint32_t)STATUS_SUCCESS;
}

/* ---- life ---- */

static void cleanup(struct file *f)
{
    struct disk *d = disk_of(f);

    if (d->shared)
        share_release(&d->share, f->fd_lost ? -1 : f->fd);
    watch_cleanup(f);
    filelock_cleanup(f);
}

static void destroy(struct file *f)
{
    struct disk *d = disk_of(f);

    cleanup(f); /* does nothing the second time; a file that was never published comes here first */
    turn_done(&d->turn);
    watch_destroy(atomic_load(&d->watch));
    disk_list_free(atomic_load(&d->list));
    if (atomic_load(&d->lock_sibling) >= 0)
        own_fd_close(atomic_load(&d->lock_sibling));
    free(d);
}

const struct file_ops disk_ops = {
    .name = "disk",
    .cleanup = cleanup,
    .destroy = destroy,
    .read = read_overlapped,
    .write = write_overlapped,
    .read_sync = read_sync,
    .write_sync = write_sync,
    .flush = flush,
    .edge = watch_edge,
    .poll_fd = watch_poll_fd,
};

uint32_t file_adopt_disk(int fd, uint32_t flags, struct file **out)
{
    struct stat st;
    struct disk *d;
    uint32_t status;
    int mode = fcntl(fd, F_GETFL);

    if (mode < 0 || fstat(fd, &st) < 0)
        return STATUS_INVALID_HANDLE;
    d = disk_new(&st, mode);
    if (!d)
        return STATUS_NO_MEMORY;
    if (mode & O_APPEND)
        flags |= FILE_APPEND_ONLY;
    status = file_new(fd, S_ISDIR(st.st_mode) ? FILE_KIND_DIR : FILE_KIND_DISK, flags,
                      file_access_of_fd(fd), &disk_ops, d, out);
    if (status != STATUS_SUCCESS)
        free(d);
    return status;
}
