/* SPDX-License-Identifier: MIT */
/*
 * TransmitFile and TransmitPackets. They go through the outward lane like any send, as a list of parts one
 * behind the other; those of files by sendfile, in slices, so that no copy is made and a page that has to be
 * read from the disk holds the thread for one slice. On a descriptor of the program's own, whose O_NONBLOCK
 * is not ours to set, sendfile could sleep: there the slices are read and sent. A datagram is put together
 * in memory, because it leaves in one piece.
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
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SLICE = 256 * 1024, COPY = 16 * 1024 };
enum { BYTES_MAX = 2147483646, DATAGRAM_MAX = 65535 };

struct transmission *transmission_new(uint32_t count)
{
    struct transmission *t = calloc(1, sizeof *t + (size_t)count * sizeof t->parts[0]);

    if (t)
        t->count = count;
    return t;
}

void transmission_free(struct transmission *t)
{
    for (uint32_t i = 0; i < t->count; i++)
        if (t->parts[i].source)
            file_put(t->parts[i].source);
    free(t);
}

/* ---- streams ---- */

static ssize_t send_copy(struct file *f, const struct transmit_part *part, size_t size)
{
    char data[COPY];
    ssize_t n = pread(part->source->fd, data, size < COPY ? size : COPY, (off_t)part->offset);

    return n > 0 ? os_send(f->fd, data, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL) : n;
}

static ssize_t send_slice(struct file *f, const struct transmit_part *part, int more)
{
    off_t at = (off_t)part->offset;
    size_t size = part->size < SLICE ? (size_t)part->size : SLICE;

    if (!part->source)
        return os_send(f->fd, part->data, (size_t)part->size, MSG_DONTWAIT | MSG_NOSIGNAL | more);
    if (!(f->flags & FILE_NONBLOCK_FD))
        return send_copy(f, part, size);
    return sendfile(f->fd, part->source->fd, &at, size);
}

static int send_part(struct file *f, struct transmission *t, struct transmit_part *part, int more)
{
    while (part->size > 0) {
        ssize_t n = send_slice(f, part, more);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        if (n == 0)
            part->size = 0; /* the file has become shorter meanwhile */
        else
            part->size -= (uint64_t)n;
        if (part->source)
            part->offset += (uint64_t)n;
        else
            part->data += n;
        t->bytes += (uint32_t)n;
    }
    return 0;
}

/* Will a part follow that has anything to send? A segment that is held back must not wait in vain. */
static bool more_follows(const struct transmission *t, uint32_t at)
{
    for (uint32_t i = at + 1; i < t->count; i++)
        if (t->parts[i].size > 0)
            return true;
    return false;
}

static int send_stream(struct file *f, struct transmission *t)
{
    int err = 0;

    for (; t->at < t->count && !err; t->at += !err) {
        struct transmit_part *part = &t->parts[t->at];

        err = send_part(f, t, part, !part->ends && more_follows(t, t->at) ? MSG_MORE : 0);
    }
    return err;
}

/* ---- datagrams ---- */

/* The index behind the datagram that begins at `at`, and the bytes in it. */
static uint32_t datagram_end(const struct transmission *t, uint32_t at, uint64_t *size)
{
    bool ends = false;

    for (*size = 0; at < t->count && !ends; at++) {
        *size += t->parts[at].size;
        ends = t->parts[at].ends;
    }
    return at;
}

static int read_part(const struct transmit_part *part, char *to, size_t *done)
{
    size_t got = 0;
    ssize_t n = 1;

    if (!part->source) {
        memcpy(to, part->data, (size_t)part->size);
        *done += (size_t)part->size;
        return 0;
    }
    while (got < part->size && n != 0) {
        n = pread(part->source->fd, to + got, (size_t)part->size - got, (off_t)(part->offset + got));
        if (n < 0 && errno != EINTR)
            return errno;
        got += n > 0 ? (size_t)n : 0;
    }
    *done += got;
    return 0;
}

/* Puts the parts from `at` to `end` together in new memory. */
static int gather(const struct transmission *t, uint32_t end, uint64_t planned, char **data, size_t *size)
{
    int err = 0;

    *size = 0;
    *data = malloc(planned > 0 ? (size_t)planned : 1);
    if (!*data)
        return ENOBUFS;
    for (uint32_t i = t->at; i < end && !err; i++)
        if (t->parts[i].size > 0)
            err = read_part(&t->parts[i], *data + *size, size);
    return err;
}

static int send_datagram(struct file *f, struct transmission *t)
{
    const struct transmit_part *part = &t->parts[t->at];
    char *own = NULL;
    uint64_t planned;
    uint32_t end = datagram_end(t, t->at, &planned);
    size_t size = (size_t)planned;
    bool whole = end == t->at + 1 && !part->source;
    ssize_t n = -1;
    int err = whole ? 0 : gather(t, end, planned, &own, &size);

    while (n < 0 && !err) {
        n = os_send(f->fd, whole ? part->data : own, size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR)
            err = errno;
    }
    free(own);
    if (err)
        return err;
    t->bytes += (uint32_t)n;
    t->at = end;
    return 0;
}

static uint32_t step(struct file *f, struct transmission *t)
{
    int err = 0;

    if (sock_is_stream(sock_of(f)))
        err = send_stream(f, t);
    else
        while (t->at < t->count && !err)
            err = send_datagram(f, t);
    if (err == EAGAIN)
        return STATUS_PENDING;
    if (err)
        return status_from_errno_socket(err);
    return t->disconnect ? connect_disconnect(f, t->reuse) : (uint32_t)STATUS_SUCCESS;
}

/* ---- checks ---- */

static uint32_t check_part(struct transmit_part *part)
{
    struct stat st;

    if (!part->source)
        return part->data || part->size == 0 ? (uint32_t)STATUS_SUCCESS : status_from_wsa(WSAEFAULT);
    if (fstat(part->source->fd, &st) < 0)
        return status_from_errno(errno);
    if (!S_ISREG(st.st_mode) || part->offset > (uint64_t)st.st_size)
        return status_from_wsa(WSAEINVAL);
    if (part->size == 0 || part->size > (uint64_t)st.st_size - part->offset)
        part->size = (uint64_t)st.st_size - part->offset;
    return STATUS_SUCCESS;
}

static uint32_t check_datagrams(const struct transmission *t)
{
    uint64_t size;

    for (uint32_t at = 0; at < t->count;) {
        at = datagram_end(t, at, &size);
        if (size > DATAGRAM_MAX)
            return status_from_wsa(WSAEMSGSIZE);
    }
    return STATUS_SUCCESS;
}

static uint32_t check(struct file *f, struct transmission *t)
{
    bool stream = sock_is_stream(sock_of(f));
    uint64_t size = 0;
    uint32_t status;

    if ((!stream && (!t->datagrams || t->disconnect)) || (t->reuse && !t->disconnect))
        return status_from_wsa(WSAEINVAL);
    status = sock_may_send(f, NULL);
    for (uint32_t i = 0; i < t->count && status == STATUS_SUCCESS; i++) {
        status = check_part(&t->parts[i]);
        if (t->parts[i].size > BYTES_MAX - size && status == STATUS_SUCCESS)
            status = status_from_wsa(WSAEINVAL);
        size += t->parts[i].size;
    }
    return status == STATUS_SUCCESS && !stream ? check_datagrams(t) : status;
}

/* ---- overlapped ---- */

static struct transmission *transmission_of(struct request *r)
{
    return (struct transmission *)(uintptr_t)r->u.any[0];
}

static uint32_t attempt(struct request *r)
{
    struct transmission *t = transmission_of(r);
    uint32_t status = step(r->file, t);

    r->bytes = t->bytes;
    return status;
}

static void queued(struct request *r)
{
    atomic_fetch_add(&sock_of(r->file)->sends, 1);
}

static void release(struct request *r)
{
    if (r->noted)
        sock_sends_done(r->file);
    transmission_free(transmission_of(r));
}

static const struct request_ops transmit_ops = {
    .name = "transmit", .attempt = attempt, .queued = queued, .release = release};

uint32_t transmit_start(struct file *f, struct transmission *t, OVERLAPPED *ov,
                        struct request_result *result)
{
    struct request *r;
    uint32_t status = check(f, t);

    if (status == STATUS_SUCCESS)
        status = request_new(f, ov, true, &r);
    if (status != STATUS_SUCCESS) {
        transmission_free(t);
        return status;
    }
    r->u.any[0] = (uintptr_t)t;
    r->ops = &transmit_ops;
    return sock_start(r, LANE_OUT, result);
}

/* ---- blocking ---- */

static uint32_t attempt_blocking(struct file *f, void *ctx)
{
    return step(f, ctx);
}

uint32_t transmit(struct file *f, struct transmission *t)
{
    uint32_t status = check(f, t);

    if (status == STATUS_SUCCESS)
        status = sock_interrupted(
            f, file_blocking_call(f, POLLOUT, DEADLINE_NEVER, true, attempt_blocking, t));
    transmission_free(t);
    return status;
}
