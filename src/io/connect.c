/* SPDX-License-Identifier: MIT */
/*
 * Connecting and disconnecting. The kernel's connect is always started without blocking; who waits
 * for its end is the caller in a loop of attempts, the outward lane (ConnectEx), or nobody.
 */
#include "io/connect.h"

#include "base/clock.h"
#include "base/os.h"
#include "base/status.h"
#include "io/afd.h"
#include "io/lane.h"
#include "io/notice.h"
#include "io/sockevent.h"
#include "io/sync_call.h"
#include "ntstatus.h"
#include "winerror.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum stage { STAGE_FAILED, STAGE_CONNECTING, STAGE_SENDING };

/* ---- the address ---- */

static bool is_all_zero(const struct sock *s, const void *addr)
{
    const struct sockaddr_in *in4 = addr;
    const struct sockaddr_in6 *in6 = addr;

    if (s->family == AF_INET)
        return in4->sin_addr.s_addr == 0 || in4->sin_port == 0;
    if (s->family == AF_INET6)
        return IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr) || in6->sin6_port == 0;
    return false;
}

/* How a datagram socket is told to send nowhere: an address without family, or without anything else. */
static bool is_nothing(const struct sock *s, const void *addr)
{
    sa_family_t family;
    struct sockaddr_in in4;
    struct sockaddr_in6 in6;

    memcpy(&family, addr, sizeof family);
    if (family == AF_UNSPEC)
        return true;
    if (family != s->family)
        return false;
    if (family == AF_INET) {
        memcpy(&in4, addr, sizeof in4);
        return in4.sin_addr.s_addr == 0 && in4.sin_port == 0;
    }
    memcpy(&in6, addr, family == AF_INET6 ? sizeof in6 : 0);
    return family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&in6.sin6_addr) && in6.sin6_port == 0;
}

static uint32_t check_destination(const struct sock *s, const void *addr, int32_t len)
{
    sa_family_t family;

    if (!addr || len < (int32_t)sizeof family || (uint32_t)len < sock_address_size(s->family))
        return status_from_wsa(WSAEFAULT);
    memcpy(&family, addr, sizeof family);
    if (!sock_is_stream(s) && is_nothing(s, addr))
        return STATUS_SUCCESS;
    if (family != s->family)
        return status_from_wsa(WSAEAFNOSUPPORT);
    if (is_all_zero(s, addr))
        return status_from_wsa(WSAEADDRNOTAVAIL);
    return STATUS_SUCCESS;
}

/* ---- starting ---- */

/* A descriptor whose O_NONBLOCK is not ours to set: a time-out of one tick ends the call instead,
 * and the connect goes on. */
static int connect_adopted(int fd, const void *addr, socklen_t len)
{
    struct timeval old, tick = {.tv_usec = 1};
    socklen_t size = sizeof old;
    int err = 0;

    if (getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &old, &size) < 0)
        return errno;
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tick, sizeof tick);
    if (connect(fd, addr, len) < 0)
        err = errno;
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &old, sizeof old);
    return err;
}

/* A local listener whose queue is full: the kernel has begun nothing and will not tell when there is room, so
 * that this is no connect that is under way. It is refused, as on Windows. */
static int without_room(int err)
{
    return err == EAGAIN ? ECONNREFUSED : err;
}

static int connect_call(struct file *f, const void *addr, int32_t len)
{
    bool local = sock_of(f)->family == AF_UNIX;
    int on = 1;
    int err;

    if (!local) /* its TIME_WAIT remains must let a successor bind */
        setsockopt(f->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    do {
        if (f->flags & FILE_NONBLOCK_FD)
            err = connect(f->fd, addr, (socklen_t)len) < 0 ? errno : 0;
        else
            err = connect_adopted(f->fd, addr, (socklen_t)len);
    } while (err == EINTR);
    if (local)
        return without_room(err);
    return err == EAGAIN ? EINPROGRESS : err; /* the tick is over */
}

/* After a failure the kernel's socket must be told to begin anew, or its next connect says
 * ECONNABORTED. The state is the caller's to set. */
static void begin_anew(struct file *f)
{
    struct sockaddr none = {.sa_family = AF_UNSPEC};

    connect(f->fd, &none, sizeof none);
}

/* One thread connects at a time. */
static uint32_t claim(struct sock *s)
{
    uint8_t open = SOCK_PHASE_OPEN;

    if (atomic_compare_exchange_strong(&s->phase, &open, SOCK_PHASE_CONNECTING))
        return STATUS_SUCCESS;
    switch (open) {
    case SOCK_PHASE_CONNECTED:
        return status_from_wsa(WSAEISCONN);
    case SOCK_PHASE_CONNECTING:
        return status_from_wsa(WSAEALREADY);
    default:
        return status_from_wsa(WSAEINVAL);
    }
}

/* STATUS_PENDING: under way. */
static uint32_t connect_begin(struct file *f, const void *addr, int32_t len)
{
    struct sock *s = sock_of(f);
    uint32_t status;
    int cancel = os_cancel_off(); /* with the lock held no thread ends */
    int err;

    lock_acquire(&f->lock); /* before the kernel knows of it, connect_poll would take it for done */
    status = claim(s);
    if (status != STATUS_SUCCESS) {
        lock_release(&f->lock);
        os_cancel_back(cancel);
        return status;
    }
    lane_unregister_locked(f); /* what epoll said of the unconnected socket means nothing now */
    atomic_store(&s->connect_error, 0);
    err = connect_call(f, addr, len);
    if (err == 0) {
        sock_connected(f);
    } else if (err != EINPROGRESS) {
        begin_anew(f);
        atomic_store(&s->connect_error, err);
        atomic_store(&s->phase, SOCK_PHASE_OPEN);
    }
    lock_release(&f->lock);
    os_cancel_back(cancel);
    if (err != 0) {
        afd_look(f);
        notice_look(f, false);
    }
    if (err == EINPROGRESS)
        return STATUS_PENDING;
    if (err == 0)
        sockevent_connected(f, STATUS_SUCCESS);
    return status_from_errno_socket(err);
}

static uint32_t poll_connecting(struct file *f)
{
    struct sock *s = sock_of(f);
    struct pollfd p = {.fd = f->fd, .events = POLLOUT};
    socklen_t len = sizeof(int);
    int err = 0;

    lock_acquire(&f->lock); /* the error can be read once: one thread reads it and says what follows */
    if (atomic_load(&s->phase) != SOCK_PHASE_CONNECTING) {
        bool connected = atomic_load(&s->phase) == SOCK_PHASE_CONNECTED;

        err = atomic_load(&s->error);
        lock_release(&f->lock);
        return connected ? (uint32_t)STATUS_SUCCESS : status_from_errno_socket(err ? err : ECONNABORTED);
    }
    if (f->closing || poll(&p, 1, 0) <= 0) {
        lock_release(&f->lock);
        return STATUS_PENDING;
    }
    if (getsockopt(f->fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0)
        err = errno;
    if (err) {
        begin_anew(f);
        atomic_store(&s->error, err);
        atomic_store(&s->connect_error, err);
        atomic_store(&s->phase, SOCK_PHASE_OPEN);
    } else {
        sock_connected(f);
    }
    lock_release(&f->lock);
    sockevent_connected(f, status_from_errno_socket(err));
    return status_from_errno_socket(err);
}

uint32_t connect_poll(struct file *f)
{
    int cancel = os_cancel_off();
    uint32_t status = poll_connecting(f);

    os_cancel_back(cancel);
    return status;
}

/* ---- connect ---- */

static uint32_t connect_attempt(struct file *f, void *ctx)
{
    (void)ctx;
    return connect_poll(f);
}

static void let_go(void *f)
{
    file_put(f);
}

/* A routine may end the thread in there: then the caller's reference is put for it. */
static uint32_t wait_connected(struct file *f, uint64_t deadline_ns)
{
    uint32_t status;

    pthread_cleanup_push(let_go, f);
    status = file_blocking_call(f, POLLOUT, deadline_ns, WAIT_RUNS_ROUTINES, connect_attempt, NULL);
    pthread_cleanup_pop(0);
    status = sock_interrupted(f, status);
    atomic_store(&sock_of(f)->error, 0); /* reported here */
    return status;
}

/* A datagram socket only notes where it sends; all zeros ends that. */
static uint32_t connect_datagram(struct file *f, const void *addr, int32_t len)
{
    struct sock *s = sock_of(f);

    if (is_nothing(s, addr)) {
        begin_anew(f);
        atomic_store(&s->phase, SOCK_PHASE_OPEN);
        return STATUS_SUCCESS;
    }
    if (connect(f->fd, addr, (socklen_t)len) < 0)
        return status_from_errno_socket(errno);
    sock_connected(f);
    return STATUS_SUCCESS;
}

uint32_t connect_socket(struct file *f, const void *addr, int32_t len)
{
    struct sock *s = sock_of(f);
    uint32_t status = check_destination(s, addr, len);

    if (status != STATUS_SUCCESS)
        return status;
    if (!sock_is_stream(s))
        return connect_datagram(f, addr, len);
    if (atomic_load(&s->phase) == SOCK_PHASE_CONNECTING)
        connect_poll(f);
    atomic_store(&s->bound, true);
    status = connect_begin(f, addr, len);
    if (status == STATUS_PENDING) {
        sockevent_look(f);
        if (atomic_load(&s->nonblocking))
            return STATUS_DEVICE_NOT_READY; /* WSAEWOULDBLOCK */
        status = wait_connected(f, DEADLINE_NEVER);
    }
    return status;
}

/* A connect that nobody waits for any more: who connects next begins anew. Closing ends it by itself. */
static void abandon(struct file *f)
{
    uint8_t connecting = SOCK_PHASE_CONNECTING;

    lock_acquire(&f->lock);
    if (!f->closing && atomic_compare_exchange_strong(&sock_of(f)->phase, &connecting, SOCK_PHASE_OPEN))
        begin_anew(f);
    lock_release(&f->lock);
}

uint32_t connect_in_time(struct file *f, const void *addr, int32_t len, uint64_t deadline_ns)
{
    struct sock *s = sock_of(f);
    uint32_t status = sock_is_stream(s) ? check_destination(s, addr, len) : status_from_wsa(WSAEINVAL);

    if (status != STATUS_SUCCESS)
        return status;
    status = connect_begin(f, addr, len);
    if (status == STATUS_PENDING) {
        sockevent_look(f);
        status = wait_connected(f, deadline_ns);
        abandon(f); /* unless it has come to its end */
        if (atomic_load(&s->phase) == SOCK_PHASE_CONNECTED)
            status = STATUS_SUCCESS;
    }
    if (status == STATUS_SUCCESS)
        atomic_store(&s->bound, true);
    return status;
}

/* ---- ConnectEx ---- */

static uint32_t attempt_send(struct request *r)
{
    struct sock_transfer t = {
        .iov = request_iov(r), .iov_count = r->iov_count, .size = r->size, .bytes = r->bytes};
    uint32_t status = r->size ? sock_send_step(r->file, &t) : (uint32_t)STATUS_SUCCESS;

    r->bytes = t.bytes;
    return status;
}

static uint32_t attempt(struct request *r)
{
    uint32_t status;

    if (r->u.connect.stage == STAGE_FAILED)
        return r->u.connect.failure;
    if (r->u.connect.stage == STAGE_CONNECTING) {
        status = connect_poll(r->file);
        if (status != STATUS_SUCCESS)
            return status;
        r->u.connect.stage = STAGE_SENDING;
    }
    return attempt_send(r);
}

static void finish(struct request *r, uint32_t status)
{
    atomic_store(&sock_of(r->file)->error, 0); /* told by the completion */
    if (status == STATUS_CANCELLED)
        abandon(r->file);
}

static const struct request_ops connect_ops = {.name = "connect", .attempt = attempt, .finish = finish};

static bool is_network_failure(uint32_t status)
{
    static const int failures[] = {ECONNREFUSED, ETIMEDOUT, ENETUNREACH, EHOSTUNREACH, ECONNRESET};

    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++)
        if (status == status_from_errno_socket(failures[i]))
            return true;
    return false;
}

uint32_t connect_start(struct file *f, const void *addr, int32_t len, void *data, uint32_t size,
                       OVERLAPPED *ov, struct request_result *result)
{
    struct sock *s = sock_of(f);
    struct request *r;
    uint32_t status;

    if (!sock_is_stream(s) || atomic_load(&s->phase) == SOCK_PHASE_LISTENING)
        return status_from_wsa(WSAEINVAL);
    if (atomic_load(&s->phase) == SOCK_PHASE_CONNECTED)
        return status_from_wsa(WSAEISCONN);
    if (!atomic_load(&s->bound) && !atomic_load(&s->reused))
        return status_from_wsa(WSAEINVAL);
    status = check_destination(s, addr, len);
    if (status == STATUS_SUCCESS)
        status = request_new(f, ov, true, &r);
    if (status != STATUS_SUCCESS)
        return status;
    r->ops = &connect_ops;
    r->answers_later = true;
    r->never_refused = true; /* not being able to connect is how the operation ends (ACC-17) */
    request_set_buf(r, data, size);
    status = connect_begin(f, addr, len);
    if (status_is_error(status) && !is_network_failure(status))
        return request_refuse(r, status);
    r->u.connect.failure = status;
    r->u.connect.stage = status == STATUS_SUCCESS   ? STAGE_SENDING
                         : status == STATUS_PENDING ? STAGE_CONNECTING
                                                    : STAGE_FAILED;
    return sock_start(r, LANE_OUT, result);
}

/* ---- DisconnectEx ---- */

/* Unread data at the moment of close would turn the orderly end into a reset. */
static void discard_unread(int fd)
{
    char waste[4096];
    int rounds = 1024;

    while (rounds-- > 0 && recv(fd, waste, sizeof waste, MSG_DONTWAIT) > 0)
        ;
}

/* A fresh socket under the same number. The old one ends in the background whatever its SO_LINGER: the thread
 * may be a starting call's, or the home thread. */
static uint32_t renew(struct file *f)
{
    const struct linger at_once = {0};
    struct linger before = {0};
    socklen_t len = sizeof before;
    struct sock *s = sock_of(f);
    int fd = fd_above_std(socket(s->family, s->type | SOCK_NONBLOCK | SOCK_CLOEXEC, s->protocol));
    uint32_t status;

    if (fd < 0)
        return status_from_errno_socket(fd);
    discard_unread(f->fd);
    getsockopt(f->fd, SOL_SOCKET, SO_LINGER, &before, &len);
    setsockopt(f->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    status = file_replace_fd(f, fd);
    if (status != STATUS_SUCCESS) {
        setsockopt(f->fd, SOL_SOCKET, SO_LINGER, &before, sizeof before);
        lane_kick(f); /* who waits there still goes on waiting: for that it has to be registered again */
        return status;
    }
    sock_replay_options(f);
    atomic_store(&s->connected_ns, 0);
    atomic_store(&s->shut, 0);
    atomic_store(&s->error, 0);
    atomic_store(&s->bound, false);
    atomic_store(&s->reused, true);
    atomic_store(&s->phase, SOCK_PHASE_OPEN);
    lane_kick(f); /* receives that still wait have nothing to wait for */
    file_call_blockers(f);
    afd_look(f);
    notice_look(f, false);
    return STATUS_SUCCESS;
}

uint32_t connect_disconnect(struct file *f, bool reuse)
{
    uint32_t status = sock_shutdown_in_turn(f, 1);

    return status == STATUS_SUCCESS && reuse ? renew(f) : status;
}

/* Its turn in the lane comes when all sends before it are done: the end follows the data. */
static uint32_t attempt_disconnect(struct request *r)
{
    return connect_disconnect(r->file, r->in_flags != 0);
}

static const struct request_ops disconnect_ops = {.name = "disconnect", .attempt = attempt_disconnect};

static uint32_t disconnect_now(struct file *f, void *ctx)
{
    return connect_disconnect(f, *(const bool *)ctx);
}

/* Waits for the same turn. */
static uint32_t disconnect_blocking(struct file *f, bool reuse)
{
    struct sync_call c = {.dir = LANE_OUT,
                          .whole = true,
                          .at_once = true,
                          .alertable = true,
                          .deadline_ns = DEADLINE_NEVER,
                          .attempt = disconnect_now,
                          .ctx = &reuse};

    return sock_interrupted(f, sync_call(f, &c));
}

uint32_t connect_end(struct file *f, bool reuse, OVERLAPPED *ov)
{
    struct sock *s = sock_of(f);
    struct request_result unused;
    struct request *r;
    uint32_t status;

    if (!sock_is_stream(s))
        return status_from_wsa(WSAENOTCONN);
    status = sock_require_connected(f);
    if (status != STATUS_SUCCESS)
        return status;
    if (!ov)
        return disconnect_blocking(f, reuse);
    status = request_new(f, ov, true, &r);
    if (status != STATUS_SUCCESS)
        return status;
    r->ops = &disconnect_ops;
    r->in_flags = reuse;
    return sock_start(r, LANE_OUT, &unused);
}
