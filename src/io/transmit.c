/* SPDX-License-Identifier: MIT */
/*
 * TransmitFile and TransmitPackets. They go through the outward lane like any send, as a list of parts one
 * behind the other; those of files by sendfile, in slices, so that no copy is made. Between slices it is
 * looked whether the request was cancelled and what locks there are on the file; an attempt that has
 * sent much gives the thread back, so that a fast reader does not keep it; and what is not in the page
 * cache is read by a thread of the engine first (warm.h), unless the calling thread is to wait anyway. On a
 * descriptor of the program's own, whose O_NONBLOCK is not ours to set, sendfile could sleep: there the
 * slices are read and sent. A datagram is put together in memory, because it leaves in one piece.
 */
#include "io/transmit.h"

#include "base/clock.h"
#include "base/os.h"
#include "base/sigpipe.h"
#include "base/status.h"
#include "io/connect.h"
#include "io/disk.h"
#include "io/filelock.h"
#include "io/lane.h"
#include "io/sync_call.h"
#include "io/warm.h"
#include "ntstatus.h"
#include "wait/wait.h"
#include "winerror.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SLICE = 256 * 1024, COPY = 16 * 1024, TURN = 4 * 1024 * 1024 };
enum { WARM = 1024 * 1024, BYTES_MAX = 2147483646, DATAGRAM_MAX = 65535 };

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
    if (t->warming)
        warm_drop(t->warming);
    free(t);
}

static uint32_t status_of(int err)
{
    return err == EAGAIN ? (uint32_t)STATUS_PENDING : status_from_errno_socket(err);
}

/*
 * Of an overlapped one: is it in memory, or has it been read once, so that it will do? STATUS_PENDING: it is
 * being read; the lane is kicked when it is there.
 */
static uint32_t is_warm(struct file *f, struct transmission *t, const struct transmit_part *part,
                        uint64_t size)
{
    uint32_t at = (uint32_t)(part - t->parts);
    uint64_t ahead;

    if (t->warming) {
        if (!warm_ended(t->warming))
            return STATUS_PENDING; /* kicked for another reason */
        warm_drop(t->warming);
        t->warming = NULL;
    }
    if ((at == t->warm_at && part->offset + size <= t->warm_end) ||
        !warm_needed(part->source, part->offset, size))
        return STATUS_SUCCESS;
    ahead = part->size < WARM ? part->size : WARM;
    t->warm_at = at;
    t->warm_end = part->offset + ahead;
    t->warming = warm_start(part->source, part->offset, ahead, f);
    return t->warming ? (uint32_t)STATUS_PENDING : (uint32_t)STATUS_SUCCESS;
}

/* May so much of the part be sent now? */
static uint32_t may_send(struct file *f, struct transmission *t, const struct transmit_part *part,
                         uint64_t size)
{
    struct file *source = part->source;
    uint32_t status = STATUS_SUCCESS;

    if (t->cancelled ? atomic_load(t->cancelled) : wait_sync_cancelled())
        return STATUS_CANCELLED;
    if (t->left == 0)
        return LANE_YIELD;
    if (!source || size == 0)
        return STATUS_SUCCESS;
    if (source->ops == &disk_ops && filelock_any(source))
        status = filelock_check(source, part->offset, size, false);
    return status == STATUS_SUCCESS && t->cancelled ? is_warm(f, t, part, size) : status;
}

static void sent(struct transmission *t, uint64_t n)
{
    t->bytes += (uint32_t)n;
    if (t->cancelled)
        t->left -= n < t->left ? n : t->left;
}

/* ---- streams ---- */

static ssize_t send_copy(struct file *f, const struct transmit_part *part, size_t size)
{
    char data[COPY];
    ssize_t n = pread(part->source->fd, data, size < COPY ? size : COPY, (off_t)part->offset);

    return n > 0 ? os_send(f->fd, data, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL) : n;
}

/* sendfile(2) has no MSG_NOSIGNAL; what it answers after a part has been sent does not tell the end. */
static ssize_t send_file(int fd, int source, off_t at, size_t size)
{
    struct sigpipe_guard guard;
    ssize_t n;

    sigpipe_hold(&guard);
    n = sendfile(fd, source, &at, size);
    sigpipe_let_go(&guard, n < (ssize_t)size);
    return n;
}

static ssize_t send_slice(struct file *f, const struct transmit_part *part, size_t size, int more)
{
    if (!part->source)
        return os_send(f->fd, part->data, (size_t)part->size, MSG_DONTWAIT | MSG_NOSIGNAL | more);
    if (!(f->flags & FILE_NONBLOCK_FD))
        return send_copy(f, part, size);
    return send_file(f->fd, part->source->fd, (off_t)part->offset, size);
}

static uint32_t send_part(struct file *f, struct transmission *t, struct transmit_part *part, int more)
{
    while (part->size > 0) {
        size_t size = part->size < SLICE ? (size_t)part->size : SLICE;
        uint32_t status = may_send(f, t, part, size);
        ssize_t n;

        if (status != STATUS_SUCCESS)
            return status;
        n = send_slice(f, part, size, more);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return status_of(errno);
        if (n == 0)
            part->size = 0; /* the file has become shorter meanwhile */
        else
            part->size -= (uint64_t)n;
        if (part->source)
            part->offset += (uint64_t)n;
        else
            part->data += n;
        sent(t, (uint64_t)n);
    }
    return STATUS_SUCCESS;
}

/* Will a part follow that has anything to send? A segment that is held back must not wait in vain. */
static bool more_follows(const struct transmission *t, uint32_t at)
{
    for (uint32_t i = at + 1; i < t->count; i++)
        if (t->parts[i].size > 0)
            return true;
    return false;
}

static uint32_t send_stream(struct file *f, struct transmission *t)
{
    uint32_t status = STATUS_SUCCESS;

    while (t->at < t->count && status == STATUS_SUCCESS) {
        struct transmit_part *part = &t->parts[t->at];

        status = send_part(f, t, part, !part->ends && more_follows(t, t->at) ? MSG_MORE : 0);
        t->at += status == STATUS_SUCCESS;
    }
    return status;
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

/* Of all its parts. */
static uint32_t may_send_datagram(struct file *f, struct transmission *t, uint32_t end)
{
    uint32_t status = STATUS_SUCCESS;

    for (uint32_t i = t->at; i < end && status == STATUS_SUCCESS; i++)
        status = may_send(f, t, &t->parts[i], t->parts[i].size);
    return status;
}

static uint32_t send_datagram(struct file *f, struct transmission *t)
{
    const struct transmit_part *part = &t->parts[t->at];
    char *own = NULL;
    uint64_t planned;
    uint32_t end = datagram_end(t, t->at, &planned);
    size_t size = (size_t)planned;
    bool whole = end == t->at + 1 && !part->source;
    uint32_t status = may_send_datagram(f, t, end);
    ssize_t n = -1;
    int err;

    if (status != STATUS_SUCCESS)
        return status;
    err = whole ? 0 : gather(t, end, planned, &own, &size);

    while (n < 0 && !err) {
        n = os_send(f->fd, whole ? part->data : own, size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR)
            err = errno;
    }
    free(own);
    if (err)
        return status_of(err);
    sent(t, (uint64_t)n);
    t->at = end;
    return STATUS_SUCCESS;
}

static uint32_t step(struct file *f, struct transmission *t)
{
    uint32_t status = STATUS_SUCCESS;

    t->left = TURN;
    if (sock_is_stream(sock_of(f)))
        status = send_stream(f, t);
    else
        while (t->at < t->count && status == STATUS_SUCCESS)
            status = send_datagram(f, t);
    if (status != STATUS_SUCCESS)
        return status;
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

static void release(struct request *r)
{
    if (r->noted)
        sock_sends_done(r->file);
    transmission_free(transmission_of(r));
}

static const struct request_ops transmit_ops = {
    .name = "transmit", .attempt = attempt, .queued = sock_send_queued, .release = release};

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
    t->cancelled = &r->cancelled;
    r->u.any[0] = (uintptr_t)t;
    r->ops = &transmit_ops;
    return sock_start(r, LANE_OUT, result);
}

/* ---- blocking ---- */

/* The time-out of a send is one without any progress: how long all of it takes is the peer's business. */
struct blocking_transmission {
    struct transmission *t;
    uint64_t limit_ns; /* 0: none */
    _Atomic uint64_t progress_ns;
};

static uint32_t attempt_blocking(struct file *f, void *ctx)
{
    struct blocking_transmission *b = ctx;
    uint32_t before = b->t->bytes;
    uint32_t status = step(f, b->t);

    if (b->t->bytes != before)
        atomic_store(&b->progress_ns, clock_now_ns());
    return status;
}

static bool extend(void *ctx, uint64_t *deadline_ns)
{
    struct blocking_transmission *b = ctx;

    *deadline_ns = atomic_load(&b->progress_ns) + b->limit_ns;
    return clock_now_ns() < *deadline_ns;
}

static void as_guest(void *ctx, const _Atomic bool *cancelled)
{
    struct blocking_transmission *b = ctx;

    b->t->cancelled = cancelled; /* and it may not hold the thread that it is attempted on */
}

static uint32_t transmit_in_time(struct file *f, struct transmission *t)
{
    struct blocking_transmission b = {t, atomic_load(&sock_of(f)->send_ms) * NS_PER_MS, clock_now_ns()};
    struct sync_call c = {.dir = LANE_OUT,
                          .whole = true,
                          .alertable = true,
                          .events = POLLOUT,
                          .deadline_ns = b.limit_ns > 0 ? b.progress_ns + b.limit_ns : DEADLINE_NEVER,
                          .attempt = attempt_blocking,
                          .begun = sock_sends_begun,
                          .ended = sock_sends_done,
                          .extend = extend,
                          .as_guest = as_guest,
                          .ctx = &b};

    return sock_interrupted(f, sync_call(f, &c));
}

uint32_t transmit(struct file *f, struct transmission *t)
{
    uint32_t status = check(f, t);

    if (status == STATUS_SUCCESS)
        status = transmit_in_time(f, t);
    transmission_free(t);
    return status;
}
