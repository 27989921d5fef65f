/* SPDX-License-Identifier: MIT */
/*
 * Sending and receiving. One step of a transfer is the same for a blocking call, a non-blocking
 * one and an attempt of a request: make the kernel call, say what it means, or that it would block.
 */
#include "io/sock.h"

#include "base/clock.h"
#include "base/os_here.h"
#include "base/status.h"
#include "io/gather.h"
#include "io/lane.h"
#include "io/sockevent.h"
#include "io/notice.h"
#include "io/sync_call.h"
#include "ntstatus.h"
#include "winerror.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* What programs may ask for: MSG_NOSIGNAL and MSG_DONTWAIT are always set, and the kernel's own
 * further flags are nobody's business. */
#define RECEIVE_FLAGS (MSG_OOB | MSG_PEEK | MSG_WAITALL)
#define SEND_FLAGS (MSG_OOB | MSG_DONTROUTE)
#define ALWAYS (MSG_DONTWAIT | MSG_NOSIGNAL)
enum { IOV_AT_ONCE = GATHER_ABOVE };

/* ---- small things ---- */

static bool is_inet(const struct sock *s)
{
    return s->family == AF_INET || s->family == AF_INET6;
}

/* The first n bytes of the buffers are done. */
static void eat(struct sock_transfer *t, size_t n)
{
    for (uint32_t i = 0; n > 0 && i < t->iov_count; i++) {
        struct iovec *v = &t->iov[i];
        size_t part = n < v->iov_len ? n : v->iov_len;

        if (part == 0)
            continue; /* its address may be NULL */
        v->iov_base = (char *)v->iov_base + part;
        v->iov_len -= part;
        n -= part;
    }
}

/* Errors of datagrams sent earlier pile up beside the socket; while they do, poll(2) says "error". */
static void drain_error_queue(int fd)
{
    char control[512];
    struct msghdr m;

    do {
        memset(&m, 0, sizeof m);
        m.msg_control = control;
        m.msg_controllen = sizeof control;
    } while (recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) >= 0);
}

/* A connected socket hears of resets from the kernel though SIO_UDP_CONNRESET has turned them off. */
static bool reports_resets(struct file *f)
{
    struct sock *s = sock_of(f);
    bool v6 = s->family == AF_INET6;
    int on = 1;
    socklen_t len = sizeof on;

    if (!is_inet(s) || (f->flags & FILE_ADOPTED))
        return true;
    getsockopt(f->fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_RECVERR : IP_RECVERR, &on, &len);
    return on != 0;
}

/* A datagram's ICMP answer. True: it is one that Windows reports, as a reset. */
static bool is_unreachable_port(struct file *f, int err)
{
    drain_error_queue(f->fd);
    return (err == ECONNREFUSED || err == ECONNRESET) && reports_resets(f);
}

/* The kernel says it once. */
static bool collect_errors(struct file *f)
{
    int err = 0;
    socklen_t len = sizeof err;

    getsockopt(f->fd, SOL_SOCKET, SO_ERROR, &err, &len);
    if (!is_unreachable_port(f, err))
        return false;
    atomic_store(&sock_of(f)->reset_seen, true);
    return true;
}

short sock_datagram_bits(struct file *f, short bits, bool *reset)
{
    *reset = (bits & POLLERR) && collect_errors(f);
    return (short)((bits & (POLLIN | POLLOUT)) | (atomic_load(&sock_of(f)->reset_seen) ? POLLIN : 0));
}

void sock_tell_reset(struct file *f)
{
    lane_kick(f);
    file_call_blockers(f);
}

short sock_datagram_look(struct file *f, short bits)
{
    bool reset;
    short now = sock_datagram_bits(f, bits, &reset);

    if (!reset)
        return now;
    sock_tell_reset(f);
    return sock_datagram_bits(f, bits & ~POLLERR, &reset); /* it may have been told by now */
}

static bool is_delayed_error(int err)
{
    return err == ECONNREFUSED || err == ECONNRESET || err == EHOSTUNREACH || err == ENETUNREACH ||
           err == EPROTO || err == ENOPROTOOPT || err == EHOSTDOWN;
}

/* ---- receiving ---- */

static ssize_t receive_call(int fd, struct sock_transfer *t, int flags, bool names)
{
    struct msghdr m;
    ssize_t n;

    if (t->iov_count == 1 && !names && !t->control)
        return os_recv(fd, t->iov[0].iov_base, t->iov[0].iov_len, flags);
    memset(&m, 0, sizeof m);
    m.msg_iov = t->iov;
    m.msg_iovlen = t->iov_count < IOV_AT_ONCE ? t->iov_count : IOV_AT_ONCE;
    if (names) {
        m.msg_name = t->name;
        m.msg_namelen = t->name_len;
    }
    m.msg_control = t->control;
    m.msg_controllen = t->control_len;
    if (t->iov_count > IOV_AT_ONCE && (flags & MSG_TRUNC)) /* a datagram */
        n = gather_receive(fd, &m, t->iov, t->iov_count, t->size, flags);
    else
        n = recvmsg(fd, &m, flags);
    if (n < 0)
        return n;
    if (names && t->name)
        t->name_len = m.msg_namelen;
    t->control_len = m.msg_controllen;
    t->out_flags = (uint32_t)m.msg_flags & (MSG_TRUNC | MSG_CTRUNC | MSG_OOB);
    return n;
}

/* A stream failed. The kernel tells it to one call and says "end" or EPIPE to all others. */
static uint32_t stream_failed(struct file *f, int err)
{
    struct sock *s = sock_of(f);

    if (err == EPIPE && !atomic_load(&s->broken) &&
        (atomic_load(&s->shut) & (SOCK_SHUT_SEND | SOCK_SHUT_SEND_LATER)) == SOCK_SHUT_SEND)
        return status_from_wsa(WSAESHUTDOWN); /* another thread did, after this one had been let in */
    if (err == ECONNRESET || err == ETIMEDOUT || err == EHOSTUNREACH || err == ENETUNREACH ||
        (err == EPIPE && is_inet(s) && !(atomic_load(&s->shut) & SOCK_SHUT_SEND)))
        atomic_store(&s->broken, (uint16_t)err);
    return status_from_errno_socket(err);
}

/* The end of the stream, unless it is an error that was told already or that WSAEventSelect's look
 * took from the kernel. */
static uint32_t end_of_stream(struct file *f)
{
    struct sock *s = sock_of(f);
    int err = atomic_load(&s->error) ? atomic_exchange(&s->error, 0) : 0;

    return err ? stream_failed(f, err) : status_from_errno_socket(atomic_load(&s->broken));
}

/* A receive of nothing on a stream: is there anything, or the end, or an error? */
static uint32_t receive_nothing(struct file *f)
{
    char byte;

    for (;;) {
        ssize_t n = recv(f->fd, &byte, 1, MSG_PEEK | ALWAYS);

        if (n >= 0)
            return n > 0 ? (uint32_t)STATUS_SUCCESS : end_of_stream(f);
        if (errno == EAGAIN)
            return STATUS_PENDING;
        if (errno != EINTR)
            return stream_failed(f, errno);
    }
}

/* More buffers than one call takes: empty ones in front would keep it from getting on. */
static void skip_empty(struct sock_transfer *t)
{
    while (t->iov_count > IOV_AT_ONCE && t->iov[0].iov_len == 0) {
        t->iov++;
        t->iov_count--;
    }
}

/* How much of `left`, the size of the buffers, one call takes. */
static size_t at_once(const struct sock_transfer *t, size_t left)
{
    size_t size = 0;

    if (t->iov_count <= IOV_AT_ONCE)
        return left;
    for (int i = 0; i < IOV_AT_ONCE; i++)
        size += t->iov[i].iov_len;
    return size;
}

/* There is no urgent byte, and after the end none will come. */
static uint32_t no_urgent(struct file *f)
{
    struct pollfd p = {.fd = f->fd, .events = POLLRDHUP};
    uint32_t status;

    if (poll(&p, 1, 0) <= 0 || !(p.revents & (POLLRDHUP | POLLHUP | POLLERR)))
        return STATUS_PENDING;
    status = receive_nothing(f);
    return status == STATUS_PENDING ? (uint32_t)STATUS_SUCCESS : status;
}

static uint32_t receive_stream(struct file *f, struct sock_transfer *t)
{
    struct sock *s = sock_of(f);
    bool whole = (t->flags & MSG_WAITALL) && !(t->flags & MSG_PEEK);
    int flags = (int)(t->flags & (MSG_OOB | MSG_PEEK)) | ALWAYS;

    if (t->size == 0)
        return receive_nothing(f);
    for (;;) {
        size_t wanted = t->size - t->bytes;
        ssize_t n;

        skip_empty(t);
        n = receive_call(f->fd, t, flags, false);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return STATUS_PENDING;
        if (n < 0) {
            /* Linux says EINVAL where there is no urgent byte to be had. */
            if ((flags & MSG_OOB) && errno == EINVAL)
                return no_urgent(f);
            return stream_failed(f, errno);
        }
        if (n == 0 && t->bytes == 0)
            return end_of_stream(f);
        t->bytes += (uint32_t)n;
        if (whole && n > 0 && (size_t)n < wanted) {
            eat(t, (size_t)n);
            continue;
        }
        t->drained = n > 0 && (size_t)n < at_once(t, wanted) && !(flags & (MSG_PEEK | MSG_OOB)) && s->tcp;
        return STATUS_SUCCESS;
    }
}

static uint32_t receive_datagram(struct file *f, struct sock_transfer *t)
{
    struct sock *s = sock_of(f);
    int flags = (int)(t->flags & (MSG_OOB | MSG_PEEK)) | MSG_TRUNC | ALWAYS;

    if (atomic_load(&s->reset_seen) && atomic_exchange(&s->reset_seen, false))
        return STATUS_PORT_UNREACHABLE;
    for (;;) {
        ssize_t n = receive_call(f->fd, t, flags, t->name != NULL);

        if (n >= 0) { /* MSG_TRUNC: how long it really was */
            bool cut = (size_t)n > t->size;

            t->bytes = (uint32_t)(cut ? t->size : (size_t)n);
            t->out_flags |= cut ? MSG_TRUNC : 0; /* a plain call says no flags */
            return cut ? (uint32_t)STATUS_BUFFER_OVERFLOW : (uint32_t)STATUS_SUCCESS;
        }
        if (errno == EINTR)
            continue;
        if (errno == EAGAIN) {
            return STATUS_PENDING;
        }
        if (!is_delayed_error(errno))
            return status_from_errno_socket(errno);
        if (is_unreachable_port(f, errno))
            return STATUS_PORT_UNREACHABLE;
    }
}

uint32_t sock_receive_step(struct file *f, struct sock_transfer *t)
{
    return sock_is_stream(sock_of(f)) ? receive_stream(f, t) : receive_datagram(f, t);
}

/* ---- sending ---- */

static ssize_t send_call(int fd, const struct sock_transfer *t, int flags, bool whole)
{
    struct msghdr m;

    if (t->iov_count == 1 && !t->name && !t->control)
        return os_send(fd, t->iov[0].iov_base, t->iov[0].iov_len, flags);
    memset(&m, 0, sizeof m);
    m.msg_iov = t->iov;
    m.msg_iovlen = t->iov_count < IOV_AT_ONCE ? t->iov_count : IOV_AT_ONCE;
    m.msg_name = t->name;
    m.msg_namelen = t->name_len;
    m.msg_control = t->control;
    m.msg_controllen = t->control_len;
    if (whole && t->iov_count > IOV_AT_ONCE)
        return gather_send(fd, &m, t->iov, t->iov_count, t->size, flags);
    return sendmsg(fd, &m, flags);
}

static uint32_t send_stream(struct file *f, struct sock_transfer *t)
{
    int flags = (int)(t->flags & SEND_FLAGS) | ALWAYS;

    for (;;) {
        ssize_t n;

        skip_empty(t);
        n = send_call(f->fd, t, flags, false);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return t->partial && t->bytes > 0 ? (uint32_t)STATUS_SUCCESS : (uint32_t)STATUS_PENDING;
        if (n < 0)
            return stream_failed(f, errno);
        t->bytes += (uint32_t)n;
        if (t->bytes >= t->size)
            return STATUS_SUCCESS;
        eat(t, (size_t)n);
    }
}

static uint32_t send_datagram(struct file *f, struct sock_transfer *t)
{
    int flags = (int)(t->flags & SEND_FLAGS) | ALWAYS;
    int tries = 0;

    for (;;) {
        ssize_t n = send_call(f->fd, t, flags, true);

        if (n >= 0) {
            t->bytes = (uint32_t)n;
            return STATUS_SUCCESS;
        }
        if (errno == EINTR)
            continue;
        if (errno == EAGAIN)
            return STATUS_PENDING;
        if (!is_delayed_error(errno) || tries++ > 2)
            return status_from_errno_socket(errno);
        /* It may be an earlier datagram's fate: that is for the next receive, which may be waiting. */
        if (is_unreachable_port(f, errno)) {
            atomic_store(&sock_of(f)->reset_seen, true);
            sock_tell_reset(f);
        }
    }
}

uint32_t sock_send_step(struct file *f, struct sock_transfer *t)
{
    return sock_is_stream(sock_of(f)) ? send_stream(f, t) : send_datagram(f, t);
}

/* ---- may it be? ---- */

uint32_t sock_may_send(struct file *f, const void *to)
{
    struct sock *s = sock_of(f);

    if (atomic_load(&s->shut) & SOCK_SHUT_SEND)
        return status_from_wsa(WSAESHUTDOWN);
    if (atomic_load(&s->phase) == SOCK_PHASE_CONNECTED)
        return STATUS_SUCCESS;
    if (sock_is_stream(s))
        return sock_require_connected(f);
    if (!to && !(f->flags & FILE_ADOPTED))
        return status_from_wsa(WSAENOTCONN);
    atomic_store(&s->bound, true); /* sending gives it an address */
    return STATUS_SUCCESS;
}

uint32_t sock_may_receive(struct file *f)
{
    struct sock *s = sock_of(f);

    if (atomic_load(&s->shut) & SOCK_SHUT_RECV)
        return status_from_wsa(WSAESHUTDOWN);
    if (atomic_load(&s->phase) == SOCK_PHASE_CONNECTED)
        return STATUS_SUCCESS;
    if (sock_is_stream(s))
        return sock_require_connected(f);
    return atomic_load(&s->bound) ? (uint32_t)STATUS_SUCCESS : status_from_wsa(WSAEINVAL);
}

/* ---- synchronous ---- */

static uint32_t receive_attempt(struct file *f, void *ctx)
{
    return sock_receive_step(f, ctx);
}

static uint32_t send_attempt(struct file *f, void *ctx)
{
    return sock_send_step(f, ctx);
}

/* As the socket's mode says, behind what waits already. */
static uint32_t transfer(struct file *f, struct sock_transfer *t, struct sync_call *c, uint32_t ms)
{
    uint32_t status;

    c->at_once = c->alertable = true;
    c->ctx = t;
    t->partial = atomic_load(&sock_of(f)->nonblocking);
    if (t->partial) {
        status = sync_try(f, c);
        return status == STATUS_PENDING ? (uint32_t)STATUS_DEVICE_NOT_READY : status; /* WSAEWOULDBLOCK */
    }
    c->deadline_ns = deadline_from_ms(ms ? ms : UINT32_MAX);
    return sync_call(f, c);
}

uint32_t sock_receive(struct file *f, struct sock_transfer *t)
{
    struct sock *s = sock_of(f);
    bool urgent = t->flags & MSG_OOB;
    struct sync_call c = {.dir = urgent ? LANE_URGENT : LANE_IN,
                          .whole = sock_is_stream(s),
                          .events = urgent ? POLLPRI | POLLRDHUP : POLLIN,
                          .attempt = receive_attempt};
    uint32_t status = urgent ? lane_open_urgent(f) : (uint32_t)STATUS_SUCCESS;

    if (status != STATUS_SUCCESS)
        return status;
    status = transfer(f, t, &c, atomic_load(&s->recv_ms));
    sockevent_again(f, t->flags & MSG_OOB ? SE_OOB : SE_READ);
    if (status == STATUS_DEVICE_NOT_READY)
        notice_blocked(f, NOTICE_IN);
    return status;
}

uint32_t sock_send(struct file *f, struct sock_transfer *t)
{
    struct sock *s = sock_of(f);
    struct sync_call c = {.dir = LANE_OUT,
                          .whole = sock_is_stream(s),
                          .events = POLLOUT,
                          .attempt = send_attempt,
                          .begun = sock_sends_begun,
                          .ended = sock_sends_done};
    uint32_t status = transfer(f, t, &c, atomic_load(&s->send_ms));

    if (status == STATUS_DEVICE_NOT_READY || (status == STATUS_SUCCESS && t->bytes < t->size)) {
        sockevent_again(f, SE_WRITE);
        notice_blocked(f, NOTICE_OUT);
    }
    return status;
}

/* ---- overlapped ---- */

static struct sock_transfer transfer_of(struct request *r)
{
    return (struct sock_transfer){
        .iov = request_iov(r),
        .iov_count = r->iov_count,
        .flags = r->in_flags,
        .size = r->size,
        .bytes = r->bytes,
    };
}

static uint32_t receive_any(struct request *r)
{
    struct sock_transfer t = transfer_of(r);
    int cancel = os_cancel_off();
    uint32_t status = sock_receive_step(r->file, &t);

    os_cancel_back(cancel);
    r->bytes = t.bytes;
    r->drained_hint = t.drained;
    return status;
}

/*
 * A receive that fills its buffer does not prove that nothing is left, so that the next one would be tried
 * for nothing. From the first such receive on the kernel is asked to say with the data what lies behind
 * it (TCP_INQ): nothing, and the end has not come either, is the same proof as a short receive. Not on a
 * descriptor of the program's own: a recvmsg of its own would be told, too.
 */
static void ask_what_is_left(struct file *f, struct sock *s)
{
    int on = 1;
    uint8_t tells = SOCK_TELLS_NOT;

    if (atomic_load_explicit(&s->tells_left, memory_order_relaxed) != SOCK_TELLS_UNASKED)
        return;
    if (!(f->flags & FILE_ADOPTED) && s->tcp &&
        setsockopt(f->fd, IPPROTO_TCP, TCP_INQ, &on, sizeof on) == 0)
        tells = SOCK_TELLS;
    atomic_store_explicit(&s->tells_left, tells, memory_order_relaxed);
}

/* *drained: what the kernel said leaves nothing behind. */
static ssize_t receive_telling(int fd, struct iovec *buffer, bool *drained)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr m = {.msg_iov = buffer,
                       .msg_iovlen = 1,
                       .msg_control = control.room,
                       .msg_controllen = sizeof control.room};
    ssize_t n = os_recvmsg(fd, &m, ALWAYS);
    struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;
    int left = 1;

    if (c && c->cmsg_level == IPPROTO_TCP && c->cmsg_type == TCP_CM_INQ)
        memcpy(&left, CMSG_DATA(c), sizeof left);
    *drained = left == 0;
    return n;
}

/* The same as receive_stream for what nearly every receive is: one buffer, no flags. */
uint32_t sock_receive_attempt(struct request *r)
{
    struct file *f = r->file;
    struct sock *s = sock_of(f);
    bool drained = false;
    ssize_t n;

    __builtin_prefetch(r->ov, 1); /* the kernel's way takes longer than the line's */
    if (r->wide || r->size == 0 || r->in_flags || !sock_is_stream(s))
        return receive_any(r);
    do {
        if (atomic_load_explicit(&s->tells_left, memory_order_relaxed) == SOCK_TELLS)
            n = receive_telling(f->fd, &r->buffer, &drained);
        else
            n = os_recv_here(f->fd, r->buffer.iov_base, r->size, ALWAYS);
    } while (n < 0 && errno == EINTR);
    if (n > 0) {
        r->bytes = (uint32_t)n;
        r->drained_hint = drained || ((uint32_t)n < r->size && s->tcp);
        if ((uint32_t)n == r->size)
            ask_what_is_left(f, s); /* the next one is told */
        return STATUS_SUCCESS;
    }
    if (n == 0)
        return end_of_stream(f);
    return errno == EAGAIN ? (uint32_t)STATUS_PENDING : stream_failed(f, errno);
}

static uint32_t request_receive_from_attempt(struct request *r)
{
    struct sock_transfer t = transfer_of(r);
    uint32_t status;

    t.name = r->u.sock.from;
    t.name_len = (uint32_t)*r->u.sock.from_len;
    status = sock_receive_step(r->file, &t);
    r->bytes = t.bytes;
    if (status == STATUS_SUCCESS || status == STATUS_BUFFER_OVERFLOW)
        *r->u.sock.from_len = (int32_t)t.name_len;
    return status;
}

void sock_receive_finish(struct request *r, uint32_t status)
{
    int cancel;

    (void)status;
    if (__builtin_expect(!atomic_load(&sock_of(r->file)->user_events), 1))
        return;
    cancel = os_cancel_off();
    sockevent_again(r->file, r->in_flags & MSG_OOB ? SE_OOB : SE_READ);
    notice_received(r->file);
    os_cancel_back(cancel);
}

static uint32_t send_any(struct request *r)
{
    struct sock_transfer t = transfer_of(r);
    int cancel = os_cancel_off();
    uint32_t status = sock_send_step(r->file, &t);

    os_cancel_back(cancel);
    r->bytes = t.bytes;
    return status;
}

/* The same as send_stream for one buffer without flags. */
uint32_t sock_send_attempt(struct request *r)
{
    struct file *f = r->file;

    if (r->wide || r->in_flags || !sock_is_stream(sock_of(f)))
        return send_any(r);
    for (;;) {
        /* A number, not a pointer: the program may hand in NULL, which the kernel refuses. */
        void *rest = (void *)((uintptr_t)r->buffer.iov_base + r->bytes);
        ssize_t n = os_send_here(f->fd, rest, r->size - r->bytes, ALWAYS);

        if (n >= 0) {
            r->bytes += (uint32_t)n;
            if (r->bytes >= r->size)
                return STATUS_SUCCESS;
        } else if (errno == EAGAIN) {
            return STATUS_PENDING;
        } else if (errno != EINTR) {
            return stream_failed(f, errno);
        }
    }
}

static uint32_t request_send_to_attempt(struct request *r)
{
    struct sock_transfer t = transfer_of(r);
    uint32_t status;

    t.name = r->u.send.owned ? r->u.send.owned : r->u.send.name;
    t.name_len = r->u.send.len;
    status = sock_send_step(r->file, &t);
    r->bytes = t.bytes;
    return status;
}

/* Under the file's lock: a shutdown that comes now comes after it. */
void sock_send_queued(struct request *r)
{
    sock_sends_begun(r->file);
}

void sock_send_release(struct request *r)
{
    if (r->noted)
        sock_sends_done(r->file);
}

static void send_to_release(struct request *r)
{
    free(r->u.send.owned);
    sock_send_release(r);
}

static const struct request_ops receive_ops = {.name = "receive",
                                               .attempt = sock_receive_attempt,
                                               .sheltered = true,
                                               .finish = sock_receive_finish};
static const struct request_ops receive_from_ops = {
    .name = "receive from", .attempt = request_receive_from_attempt, .finish = sock_receive_finish};
static const struct request_ops send_ops = {.name = "send",
                                            .attempt = sock_send_attempt,
                                            .sheltered = true,
                                            .queued = sock_send_queued,
                                            .release = sock_send_release};
static const struct request_ops send_to_ops = {.name = "send to",
                                               .attempt = request_send_to_attempt,
                                               .queued = sock_send_queued,
                                               .release = send_to_release};

uint32_t sock_start(struct request *r, enum lane_direction dir, struct request_result *result)
{
    uint32_t status;

    request_begin(r);
    status = lane_start(r, dir, result);
    if (status_is_warning(status)) /* a datagram was cut: that is an answer, and it is on its way */
        status = STATUS_PENDING;
    return status;
}

static uint32_t bad_event(uint32_t status)
{
    return status == STATUS_OBJECT_TYPE_MISMATCH || status == STATUS_INVALID_HANDLE
               ? status_from_wsa(ERROR_INVALID_HANDLE)
               : status;
}

/* A routine on a socket of a port is refused (PORT-31). A wide request or a lean one, it has its own
 * reference to f. */
static uint32_t new_request(struct file *f, const struct sock_answer *answer, const struct io_buf *bufs,
                            uint32_t count, bool wide, struct request **out)
{
    struct request *r;
    uint32_t status;

    if (answer->routine && atomic_load(&f->port))
        return status_from_wsa(WSAEINVAL);
    if (wide)
        status = request_new(f, answer->ov, !answer->routine, &r);
    else
        status = request_new_lean(f, answer->ov, !answer->routine, &r);
    if (status != STATUS_SUCCESS)
        return bad_event(status);
    if (!wide)
        file_get(f);
    status = request_set_bufs(r, bufs, count);
    if (status != STATUS_SUCCESS)
        return request_refuse(r, status);
    if (answer->routine)
        request_set_routine(r, answer->routine, true);
    *out = r;
    return STATUS_SUCCESS;
}

static uint32_t start_receive(struct request *r, uint32_t flags, void *from, int32_t *from_len,
                              struct request_result *result)
{
    r->in_flags = (uint16_t)(flags & RECEIVE_FLAGS);
    r->ops = &receive_ops;
    if (from) {
        r->ops = &receive_from_ops;
        r->u.sock.from = from;
        r->u.sock.from_len = from_len;
    }
    if (flags & MSG_OOB) {
        uint32_t status = lane_open_urgent(r->file);

        return status == STATUS_SUCCESS ? sock_start(r, LANE_URGENT, result) : request_refuse(r, status);
    }
    return sock_start(r, LANE_IN, result);
}

uint32_t sock_receive_request(struct request *r, const struct io_buf *bufs, uint32_t count, uint32_t flags,
                              void *from, int32_t *from_len, struct request_result *result)
{
    bool named = from && from_len && !sock_is_stream(sock_of(r->file));
    uint32_t status = sock_may_receive(r->file);

    if (status == STATUS_SUCCESS)
        status = request_set_bufs(r, bufs, count);
    if (status != STATUS_SUCCESS)
        return request_refuse(r, status);
    return start_receive(r, flags, named ? from : NULL, from_len, result);
}

uint32_t sock_start_receive(struct file *f, const struct io_buf *bufs, uint32_t count, uint32_t flags,
                            void *from, int32_t *from_len, const struct sock_answer *answer,
                            struct request_result *result)
{
    bool named = from && from_len && !sock_is_stream(sock_of(f));
    struct request *r;
    uint32_t status = sock_may_receive(f);

    if (status == STATUS_SUCCESS)
        status = new_request(f, answer, bufs, count, named || count > 1, &r);
    if (status != STATUS_SUCCESS)
        return status;
    return start_receive(r, flags, named ? from : NULL, from_len, result);
}

static uint32_t keep_destination(struct request *r, const void *to, uint32_t to_len)
{
    void *room = r->u.send.name;

    if (to_len > sizeof r->u.send.name) {
        room = r->u.send.owned = malloc(to_len);
        if (!room)
            return STATUS_INSUFFICIENT_RESOURCES;
    }
    memcpy(room, to, to_len);
    r->u.send.len = to_len;
    return STATUS_SUCCESS;
}

uint32_t sock_start_send(struct file *f, const struct io_buf *bufs, uint32_t count, uint32_t flags,
                         const void *to, uint32_t to_len, const struct sock_answer *answer,
                         struct request_result *result)
{
    bool named = to && !sock_is_stream(sock_of(f));
    struct request *r;
    uint32_t status = sock_may_send(f, to);

    if (status == STATUS_SUCCESS)
        status = new_request(f, answer, bufs, count, named || count > 1, &r);
    if (status != STATUS_SUCCESS)
        return status;
    r->in_flags = (uint16_t)(flags & SEND_FLAGS);
    r->ops = &send_ops;
    if (named) {
        r->ops = &send_to_ops;
        status = keep_destination(r, to, to_len);
        if (status != STATUS_SUCCESS)
            return request_refuse(r, status);
    }
    return sock_start(r, LANE_OUT, result);
}

/* One buffer, no flags, no name, no routine; the caller's reference to f is used up. */
static inline uint32_t start_plain(struct file *f, uint32_t status, const struct request_ops *ops,
                                   enum lane_direction dir, const struct io_buf *buf, OVERLAPPED *ov,
                                   struct request_result *result)
{
    struct request *r;

    if (__builtin_expect(status == STATUS_SUCCESS, 1))
        status = bad_event(request_new_lean(f, ov, true, &r));
    if (__builtin_expect(status != STATUS_SUCCESS, 0)) {
        file_put(f);
        return status;
    }
    request_set_buf(r, buf->base, buf->len);
    r->ops = ops;
    return sock_start(r, dir, result);
}

uint32_t sock_start_plain_receive(struct file *f, const struct io_buf *buf, OVERLAPPED *ov,
                                  struct request_result *result)
{
    return start_plain(f, sock_may_receive(f), &receive_ops, LANE_IN, buf, ov, result);
}

uint32_t sock_start_plain_send(struct file *f, const struct io_buf *buf, OVERLAPPED *ov,
                               struct request_result *result)
{
    return start_plain(f, sock_may_send(f, NULL), &send_ops, LANE_OUT, buf, ov, result);
}

/* ---- ReadFile and WriteFile ---- */

uint32_t sock_read_request(struct request *r)
{
    uint32_t status = sock_may_receive(r->file);

    if (status != STATUS_SUCCESS)
        return request_refuse(r, status);
    r->ops = &receive_ops;
    return lane_start(r, LANE_IN, NULL);
}

uint32_t sock_write_request(struct request *r)
{
    uint32_t status = sock_may_send(r->file, NULL);

    if (status != STATUS_SUCCESS)
        return request_refuse(r, status);
    r->ops = &send_ops;
    return lane_start(r, LANE_OUT, NULL);
}
