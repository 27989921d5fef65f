/* SPDX-License-Identifier: MIT */
/*
 * TransmitFile. It goes through the outward lane like any send, as three parts one behind the other; the
 * file's by sendfile, in slices, so that no copy is made and a page that has to be read from the disk
 * holds the thread for one slice. On a descriptor of the program's own, whose O_NONBLOCK is not ours to
 * set, sendfile could sleep: there the slices are read and sent.
 */
#include "io/transmit.h"

#include "base/clock.h"
#include "base/os.h"
#include "base/status.h"
#include "io/connect.h"
#include "io/lane.h"
#include "ntstatus.h"
#include "winerror.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SLICE = 256 * 1024, COPY = 16 * 1024 };
enum { BYTES_MAX = 2147483646 };

/* What is left of it. */
struct progress {
    struct transmission left;
    uint32_t bytes; /* sent */
};

static int send_part(struct file *f, const char **data, uint32_t *size, int more, uint32_t *bytes)
{
    while (*size > 0) {
        ssize_t n = os_send(f->fd, *data, *size, MSG_DONTWAIT | MSG_NOSIGNAL | more);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        *data += n;
        *size -= (uint32_t)n;
        *bytes += (uint32_t)n;
    }
    return 0;
}

static ssize_t send_copy(struct file *f, const struct transmission *t, size_t size)
{
    char data[COPY];
    ssize_t n = pread(t->source->fd, data, size < COPY ? size : COPY, (off_t)t->offset);

    return n > 0 ? os_send(f->fd, data, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL) : n;
}

static ssize_t send_slice(struct file *f, const struct transmission *t)
{
    off_t at = (off_t)t->offset;
    size_t size = t->size < SLICE ? (size_t)t->size : SLICE;

    if (!(f->flags & FILE_NONBLOCK_FD))
        return send_copy(f, t, size);
    return sendfile(f->fd, t->source->fd, &at, size);
}

static int send_file(struct file *f, struct progress *p)
{
    struct transmission *t = &p->left;

    while (t->size > 0) {
        ssize_t n = send_slice(f, t);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        if (n == 0)
            t->size = 0; /* the file has become shorter meanwhile */
        else
            t->size -= (uint64_t)n;
        t->offset += (uint64_t)n;
        p->bytes += (uint32_t)n;
    }
    return 0;
}

static uint32_t step(struct file *f, struct progress *p)
{
    struct transmission *t = &p->left;
    int err = send_part(f, &t->head, &t->head_size, t->size + t->tail_size > 0 ? MSG_MORE : 0, &p->bytes);

    if (!err)
        err = send_file(f, p);
    if (!err)
        err = send_part(f, &t->tail, &t->tail_size, 0, &p->bytes);
    if (err == EAGAIN)
        return STATUS_PENDING;
    if (err)
        return status_from_errno_socket(err);
    return t->disconnect ? connect_disconnect(f, t->reuse) : (uint32_t)STATUS_SUCCESS;
}

static uint32_t check(struct file *f, struct transmission *t)
{
    struct stat st;
    uint32_t status;

    if (!sock_is_stream(sock_of(f)) || (t->reuse && !t->disconnect))
        return status_from_wsa(WSAEINVAL);
    status = sock_may_send(f, NULL);
    if (status != STATUS_SUCCESS)
        return status;
    if (!t->source)
        t->size = 0;
    else if (fstat(t->source->fd, &st) < 0)
        return status_from_errno(errno);
    else if (!S_ISREG(st.st_mode) || t->offset > (uint64_t)st.st_size)
        return status_from_wsa(WSAEINVAL);
    else if (t->size == 0 || t->size > (uint64_t)st.st_size - t->offset)
        t->size = (uint64_t)st.st_size - t->offset;
    if (t->size + t->head_size + t->tail_size > BYTES_MAX)
        return status_from_wsa(WSAEINVAL);
    return STATUS_SUCCESS;
}

/* ---- overlapped ---- */

static struct progress *progress_of(struct request *r)
{
    return (struct progress *)(uintptr_t)r->u.any[0];
}

static uint32_t attempt(struct request *r)
{
    struct progress *p = progress_of(r);
    uint32_t status = step(r->file, p);

    r->bytes = p->bytes;
    return status;
}

static void queued(struct request *r)
{
    atomic_fetch_add(&sock_of(r->file)->sends, 1);
}

static void release(struct request *r)
{
    struct progress *p = progress_of(r);

    if (r->noted)
        sock_sends_done(r->file);
    if (p->left.source)
        file_put(p->left.source);
    free(p);
}

static const struct request_ops transmit_ops = {
    .name = "transmit", .attempt = attempt, .queued = queued, .release = release};

uint32_t transmit_start(struct file *f, const struct transmission *what, OVERLAPPED *ov,
                        struct request_result *result)
{
    struct progress *p = malloc(sizeof *p);
    struct request *r;
    uint32_t status;

    if (!p)
        return STATUS_INSUFFICIENT_RESOURCES;
    *p = (struct progress){.left = *what};
    status = check(f, &p->left);
    if (status == STATUS_SUCCESS)
        status = request_new(f, ov, true, &r);
    if (status != STATUS_SUCCESS) {
        free(p);
        return status;
    }
    if (p->left.source)
        file_get(p->left.source);
    r->u.any[0] = (uintptr_t)p;
    r->ops = &transmit_ops;
    return sock_start(r, LANE_OUT, result);
}

/* ---- blocking ---- */

static uint32_t attempt_blocking(struct file *f, void *ctx)
{
    return step(f, ctx);
}

uint32_t transmit(struct file *f, const struct transmission *what)
{
    struct progress p = {.left = *what};
    uint32_t status = check(f, &p.left);

    if (status != STATUS_SUCCESS)
        return status;
    return sock_interrupted(f, file_blocking_call(f, POLLOUT, DEADLINE_NEVER, true, attempt_blocking, &p));
}
