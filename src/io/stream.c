/* SPDX-License-Identifier: MIT */
/*
 * Streams that are not sockets; see stream.h. What the end looks like depends on the kind: a pipe
 * without writer says BROKEN_PIPE (109), anything else answers with 0 bytes. A read of nothing
 * waits for data and takes none; a write of nothing succeeds.
 *
 * Where RWF_NOWAIT is refused (terminals), "poll, then read" may block if somebody else reads the
 * same descriptor in between. A pool thread would have the same trouble and could not be called
 * back; so this is the lesser evil.
 */
#include "io/stream.h"

#include "base/futex.h"
#include "base/os.h"
#include "base/sigpipe.h"
#include "base/status.h"
#include "io/lane.h"
#include "io/request.h"
#include "io/sync_call.h"
#include "ntstatus.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a terminal takes without blocking is not to be known; it is fed in small pieces. */
enum { POLLED_PIECE = 512 };

/* ---- attempts ---- */

static bool is_ready(int fd, short events)
{
    struct pollfd p = {.fd = fd, .events = events};

    return poll(&p, 1, 0) > 0;
}

static int64_t read_now(int fd, const struct iovec *iov, unsigned count)
{
    int64_t n = os_read(fd, iov, count, OS_CURRENT, RWF_NOWAIT);

    if (n != -EOPNOTSUPP && n != -ENOSYS)
        return n;
    if (!is_ready(fd, POLLIN))
        return -EAGAIN;
    return os_read(fd, iov, count, OS_CURRENT, 0);
}

static int64_t write_polled(int fd, const struct iovec *iov)
{
    struct iovec piece = iov[0];

    if (!is_ready(fd, POLLOUT))
        return -EAGAIN;
    if (piece.iov_len > POLLED_PIECE && isatty(fd))
        piece.iov_len = POLLED_PIECE;
    return os_write(fd, &piece, 1, OS_CURRENT, 0);
}

static int64_t write_now(int fd, const struct iovec *iov, unsigned count)
{
    struct sigpipe_guard guard;
    int64_t n;

    sigpipe_hold(&guard);
    n = os_write(fd, iov, count, OS_CURRENT, RWF_NOWAIT);
    if (n == -EOPNOTSUPP || n == -ENOSYS)
        n = write_polled(fd, iov);
    sigpipe_let_go(&guard, n == -EPIPE);
    return n;
}

static uint32_t end_of(const struct file *f)
{
    return f->kind == FILE_KIND_PIPE ? (uint32_t)STATUS_PIPE_BROKEN : (uint32_t)STATUS_SUCCESS;
}

/* A read of no bytes: is there anything, or the end? */
static uint32_t wait_for_data(const struct file *f)
{
    struct pollfd p = {.fd = f->fd, .events = POLLIN};

    if (poll(&p, 1, 0) <= 0)
        return STATUS_PENDING;
    return p.revents & POLLIN ? (uint32_t)STATUS_SUCCESS : end_of(f);
}

static uint32_t read_step(const struct file *f, const struct iovec *iov, unsigned count,
                          size_t size, uint32_t *bytes)
{
    int64_t n;

    if (size == 0)
        return wait_for_data(f);
    n = read_now(f->fd, iov, count);
    if (n == -EAGAIN)
        return STATUS_PENDING;
    if (n < 0)
        return status_from_errno((int)-n);
    *bytes = (uint32_t)n;
    return n == 0 ? end_of(f) : (uint32_t)STATUS_SUCCESS;
}

static uint32_t read_attempt(struct request *r)
{
    return read_step(r->file, request_iov(r), r->iov_count, r->size, &r->bytes);
}

/* Writes go out whole: what is left waits for the next edge. */
static uint32_t write_attempt(struct request *r)
{
    while (r->bytes < r->size) {
        /* A number, not a pointer: the program may hand in NULL, which the kernel refuses. */
        struct iovec v = {(void *)((uintptr_t)request_iov(r)->iov_base + r->bytes), r->size - r->bytes};
        int64_t n = write_now(r->file->fd, &v, 1);

        if (n == -EAGAIN)
            return STATUS_PENDING;
        if (n < 0)
            return status_from_errno_write((int)-n);
        r->bytes += (uint32_t)n;
    }
    return STATUS_SUCCESS;
}

static const struct request_ops read_ops = {.name = "stream read", .attempt = read_attempt};
static const struct request_ops write_ops = {.name = "stream write", .attempt = write_attempt};

static uint32_t read_overlapped(struct request *r)
{
    r->ops = &read_ops;
    return lane_start(r, LANE_IN, NULL);
}

static uint32_t write_overlapped(struct request *r)
{
    r->ops = &write_ops;
    return lane_start(r, LANE_OUT, NULL);
}

/* ---- synchronous ---- */

struct transfer {
    struct iovec iov;
    uint32_t bytes;
};

static uint32_t sync_read_attempt(struct file *f, void *ctx)
{
    struct transfer *t = ctx;

    return read_step(f, &t->iov, 1, t->iov.iov_len, &t->bytes);
}

static uint32_t sync_write_attempt(struct file *f, void *ctx)
{
    struct transfer *t = ctx;

    while (t->iov.iov_len > 0) {
        int64_t n = write_now(f->fd, &t->iov, 1);

        if (n == -EAGAIN)
            return STATUS_PENDING;
        if (n < 0)
            return status_from_errno_write((int)-n);
        t->bytes += (uint32_t)n;
        t->iov.iov_base = (char *)t->iov.iov_base + n;
        t->iov.iov_len -= (size_t)n;
    }
    return STATUS_SUCCESS;
}

static bool is_nowait(const struct file *f)
{
    return atomic_load_explicit(&f->modes, memory_order_relaxed) & FILE_MODE_NOWAIT;
}

static uint32_t read_sync(struct file *f, void *buf, uint32_t size, const uint64_t *offset,
                          uint32_t *bytes)
{
    struct transfer t = {{buf, size}, 0};
    struct sync_call c = {.dir = LANE_IN,
                          .events = POLLIN,
                          .deadline_ns = DEADLINE_NEVER,
                          .attempt = sync_read_attempt,
                          .ctx = &t};
    uint32_t status;

    (void)offset; /* streams have no position (OVL-15) */
    if (is_nowait(f)) {
        status = sync_try(f, &c);
        status = status == STATUS_PENDING ? (uint32_t)STATUS_PIPE_EMPTY : status;
    } else {
        status = sync_call(f, &c);
    }
    *bytes = t.bytes;
    return status;
}

static uint32_t write_sync(struct file *f, const void *buf, uint32_t size, const uint64_t *offset,
                           uint32_t *bytes)
{
    struct transfer t = {{(void *)(uintptr_t)buf, size}, 0};
    struct sync_call c = {.dir = LANE_OUT,
                          .whole = true,
                          .events = POLLOUT,
                          .deadline_ns = DEADLINE_NEVER,
                          .attempt = sync_write_attempt,
                          .ctx = &t};
    uint32_t status;

    (void)offset;
    if (is_nowait(f)) { /* as much as there is room for */
        status = sync_try(f, &c);
        status = status == STATUS_PENDING ? (uint32_t)STATUS_SUCCESS : status;
    } else {
        status = sync_call(f, &c);
    }
    *bytes = t.bytes;
    return status;
}

static uint32_t flush(struct file *f)
{
    (void)f; /* the kernel has it: there is no device behind a stream that could be waited for */
    return STATUS_SUCCESS;
}

const struct file_ops stream_ops = {
    .name = "stream",
    .read = read_overlapped,
    .write = write_overlapped,
    .read_sync = read_sync,
    .write_sync = write_sync,
    .flush = flush,
};

/* ---- making ---- */

uint32_t file_adopt_stream(int fd, uint32_t flags, enum file_kind kind, struct file **out)
{
    return file_new(fd, kind, flags, file_access_of_fd(fd), &stream_ops, NULL, out);
}

uint32_t stream_pipe(uint32_t size, struct file **read_end, struct file **write_end)
{
    int fds[2], err;
    uint32_t status;

    err = pipe2(fds, O_CLOEXEC) < 0 ? -errno : fd_pair_above_std(fds);
    if (err)
        return status_from_errno(err);
    if (size > 0)
        fcntl(fds[1], F_SETPIPE_SZ, (int)size); /* a wish, here as on Windows */
    status = file_new(fds[0], FILE_KIND_PIPE, 0, FILE_GENERIC_READ | FILE_WRITE_ATTRIBUTES, &stream_ops, NULL,
                      read_end);
    if (status != STATUS_SUCCESS) {
        close(fds[1]);
        return status;
    }
    status = file_new(fds[1], FILE_KIND_PIPE, 0, FILE_GENERIC_WRITE | FILE_READ_ATTRIBUTES, &stream_ops, NULL,
                      write_end);
    if (status != STATUS_SUCCESS)
        file_put(*read_end);
    return status;
}

uint32_t stream_pipe_size(const struct file *f)
{
    int size = fcntl(f->fd, F_GETPIPE_SZ);

    return size > 0 ? (uint32_t)size : 0;
}

/* ---- looking ---- */

/* tee(2) copies what is in a pipe into another without taking it out. */
static uint32_t copy_of(const struct file *f, void *data, uint32_t size, uint32_t *read)
{
    uint32_t status = STATUS_SUCCESS;
    ssize_t n;
    int fds[2], err;

    n = recv(f->fd, data, size, MSG_PEEK | MSG_DONTWAIT);
    if (n >= 0 || errno != ENOTSOCK) {
        *read = n > 0 ? (uint32_t)n : 0;
        return n >= 0 || errno == EAGAIN ? (uint32_t)STATUS_SUCCESS : status_from_errno(errno);
    }
    err = pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0 ? -errno : fd_pair_above_std(fds);
    if (err)
        return status_from_errno(err);
    fcntl(fds[1], F_SETPIPE_SZ, fcntl(f->fd, F_GETPIPE_SZ));
    n = tee(f->fd, fds[1], size, SPLICE_F_NONBLOCK);
    if (n > 0)
        n = os_read(fds[0], &(struct iovec){data, (size_t)n}, 1, OS_CURRENT, 0);
    else if (n < 0)
        n = errno == EAGAIN ? 0 : -errno;
    if (n < 0)
        status = status_from_errno((int)-n);
    else
        *read = (uint32_t)n;
    close(fds[0]);
    close(fds[1]);
    return status;
}

uint32_t stream_peek(struct file *f, void *data, uint32_t size, uint32_t *read, uint32_t *total)
{
    struct pollfd p = {.fd = f->fd, .events = POLLIN};
    int have = 0;

    *read = *total = 0;
    if (ioctl(f->fd, FIONREAD, &have) < 0)
        return status_from_errno(errno);
    *total = (uint32_t)have;
    if (have == 0)
        return poll(&p, 1, 0) > 0 && (p.revents & POLLHUP) ? (uint32_t)STATUS_PIPE_BROKEN
                                                           : (uint32_t)STATUS_SUCCESS;
    return size > 0 ? copy_of(f, data, size, read) : (uint32_t)STATUS_SUCCESS;
}

uint32_t stream_set_nowait(struct file *f, uint32_t mode)
{
    if (mode & ~(uint32_t)1)
        return STATUS_INVALID_PARAMETER;
    if (mode)
        atomic_fetch_or(&f->modes, FILE_MODE_NOWAIT);
    else
        atomic_fetch_and(&f->modes, (uint8_t)~FILE_MODE_NOWAIT);
    return STATUS_SUCCESS;
}
