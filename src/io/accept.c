/* SPDX-License-Identifier: MIT */
/*
 * Accepting. accept makes a new socket of a connection; AcceptEx puts the connection behind the
 * number of a socket the program made before, by dup3, and replays the options set on it.
 *
 * An AcceptEx is a request of the listener's inward lane. With a receive length it moves on, once
 * connected, to the accept socket's lane and waits there for the first data; its answer belongs to
 * the listener all the same (ACC-05).
 */
#include "io/accept.h"

#include "base/clock.h"
#include "base/fork.h"
#include "base/own_fd.h"
#include "base/status.h"
#include "io/cancel.h"
#include "io/lane.h"
#include "io/notice.h"
#include "io/sockevent.h"
#include "io/sync_call.h"
#include "ntstatus.h"
#include "winerror.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

enum { RETRY_MS = 20, AREA_HEAD = 16 };
enum stage { STAGE_CONNECTION, STAGE_DATA };

/* Stays once it is there, until the file is destroyed. `armed` is guarded by the file's lock. */
struct sock_listener {
    struct timer retry; /* out of descriptors: try again */
    struct file *file;  /* counted while armed */
    bool armed;
    struct lock tick;   /* held over the call of accept_adopted, which may last some ms */
};

/* ---- the system call ---- */

/* With a time-out of one tick. */
static int accept_in_time_locked(struct file *listener)
{
    int fd = listener->fd;
    struct timeval old, tick = {.tv_usec = 1};
    socklen_t len = sizeof old;
    int got, err;

    lock_assert_held(&sock_of(listener)->listener->tick);
    if (getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &old, &len) < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tick, sizeof tick);
    /* By number: no cancellation point, with a lock held. */
    got = (int)syscall(SYS_accept4, fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    err = errno;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &old, sizeof old);
    return got < 0 ? -err : got;
}

/*
 * Of an adopted listener the open file is the program's, and O_NONBLOCK is not ours to set. It is
 * looked at first; should somebody else take the connection in between, a time-out ends the call. One thread
 * at a time: who came in between would find the tick, take it for the program's own and leave it there.
 */
static int accept_adopted(struct file *listener)
{
    struct pollfd p = {.fd = listener->fd, .events = POLLIN};
    struct lock *tick = &sock_of(listener)->listener->tick;
    int got;

    if (poll(&p, 1, 0) == 0)
        return -EAGAIN;
    lock_acquire(tick);
    got = accept_in_time_locked(listener);
    lock_release(tick);
    return got;
}

/* What Linux reports of a connection that died in the queue says nothing about the listener. EPERM is no such
 * thing: who forbids the call (a filter) forbids the next one too, and nothing has left the queue. */
static bool is_lost_connection(int err)
{
    return err == -EINTR || err == -ECONNABORTED || err == -EPROTO || err == -ENETDOWN ||
           err == -ENOPROTOOPT || err == -EHOSTDOWN || err == -EHOSTUNREACH || err == -ENETUNREACH;
}

/* A descriptor above 2, or -errno; -EAGAIN: nobody there. */
static int take_connection(struct file *listener)
{
    int fd;

    do {
        if (listener->flags & FILE_NONBLOCK_FD) {
            fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (fd < 0)
                fd = -errno;
        } else {
            fd = accept_adopted(listener);
        }
    } while (is_lost_connection(fd));
    return fd < 0 ? fd : fd_above_std(fd);
}

/* ---- accept ---- */

static uint32_t check_listener(struct file *f)
{
    struct sock *s = sock_of(f);

    if (!sock_is_stream(s))
        return status_from_wsa(WSAEOPNOTSUPP);
    if (atomic_load(&s->phase) != SOCK_PHASE_LISTENING)
        return status_from_wsa(WSAEINVAL);
    return STATUS_SUCCESS;
}

static uint32_t accept_attempt(struct file *f, void *ctx)
{
    int fd = take_connection(f);

    if (fd == -EAGAIN)
        return STATUS_PENDING;
    if (fd < 0)
        return status_from_errno_socket(fd);
    *(int *)ctx = fd;
    return STATUS_SUCCESS;
}

uint32_t accept_one(struct file *listener, void *addr, int32_t *len, struct file **out)
{
    uint32_t status = check_listener(listener);
    struct file *f;
    int fd = -1;
    struct sync_call c = {.dir = LANE_IN,
                          .at_once = true,
                          .alertable = true,
                          .events = POLLIN,
                          .deadline_ns = DEADLINE_NEVER,
                          .attempt = accept_attempt,
                          .ctx = &fd};

    if (status != STATUS_SUCCESS)
        return status;
    if (atomic_load(&sock_of(listener)->nonblocking)) {
        status = sync_try(listener, &c);
        status = status == STATUS_PENDING ? (uint32_t)STATUS_DEVICE_NOT_READY : status;
    } else {
        status = sock_interrupted(listener, sync_call(listener, &c));
    }
    sockevent_again(listener, SE_ACCEPT);
    if (status == STATUS_DEVICE_NOT_READY)
        notice_blocked(listener, NOTICE_IN);
    if (status != STATUS_SUCCESS && fd >= 0) /* closed in the moment when it came */
        close(fd);
    if (status == STATUS_SUCCESS)
        status = sock_new_accepted(fd, listener, &f);
    if (status != STATUS_SUCCESS)
        return status;
    if (addr) {
        status = sock_peer_name(f, addr, len);
        if (status == status_from_wsa(WSAEFAULT)) {
            file_put(f); /* the program's room is too small: the connection is lost, as on Windows */
            return status;
        }
    }
    sockevent_inherit(f, listener);
    *out = f;
    return STATUS_SUCCESS;
}

/* ---- descriptors ---- */

/*
 * AcceptEx needs one descriptor more for a moment although it keeps none. The reserve is given up
 * for that moment when the process has no other left, and taken again.
 */
static struct {
    struct lock lock; /* guards all; held over system calls that do not block */
    pthread_once_t once;
    int fd;
    _Atomic bool lost; /* somebody else got it in that moment */
} reserve = {.lock = LOCK_INIT(LOCK_GLOBAL), .once = PTHREAD_ONCE_INIT, .fd = -1};

FORK_HOOK(&reserve.lock, LOCK_GLOBAL, NULL); /* a child has a reserve of its own in the copy */

static void reserve_fill(void)
{
    if (reserve.fd < 0)
        reserve.fd = own_fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
    atomic_store_explicit(&reserve.lost, reserve.fd < 0, memory_order_relaxed);
}

static void reserve_again(void)
{
    lock_acquire(&reserve.lock);
    reserve_fill();
    lock_release(&reserve.lock);
}

static bool is_shortage(int err)
{
    return err == -EMFILE || err == -ENFILE || err == -ENOMEM || err == -ENOBUFS;
}

/* Puts the next connection behind socket's number: 0, or -errno as take_connection. */
static int accept_behind(struct file *listener, struct file *socket)
{
    int fd = take_connection(listener);

    if (fd == -EMFILE || fd == -ENFILE) {
        lock_acquire(&reserve.lock);
        if (reserve.fd >= 0)
            own_fd_close(reserve.fd);
        reserve.fd = -1;
        fd = take_connection(listener);
        if (fd >= 0 && file_replace_fd(socket, fd) != STATUS_SUCCESS)
            fd = -ECONNABORTED;
        reserve_fill();
        lock_release(&reserve.lock);
        return fd < 0 ? fd : 0;
    }
    if (fd < 0)
        return fd;
    if (file_replace_fd(socket, fd) != STATUS_SUCCESS)
        return -ECONNABORTED;
    if (__builtin_expect(atomic_load_explicit(&reserve.lost, memory_order_relaxed), 0))
        reserve_again();
    return 0;
}

/* ---- the listener without descriptors ---- */

/* An edge-triggered listener says nothing more of a connection it could not be given. */
static void retry_fire(struct timer *t)
{
    struct sock_listener *l = container_of(t, struct sock_listener, retry);
    struct file *f = l->file;

    lock_acquire(&f->lock);
    l->armed = false;
    lock_release(&f->lock);
    lane_kick(f);
    file_put(f);
}

uint32_t accept_listen(struct file *f)
{
    struct sock *s = sock_of(f);
    struct sock_listener *made = malloc(sizeof *made);

    if (!made)
        return STATUS_INSUFFICIENT_RESOURCES;
    timer_init(&made->retry, retry_fire);
    made->file = f;
    made->armed = false;
    lock_init(&made->tick, LOCK_FILE); /* never together with the file's own */
    lock_acquire(&f->lock);
    if (!s->listener) {
        s->listener = made;
        made = NULL;
    }
    lock_release(&f->lock);
    free(made);
    return STATUS_SUCCESS;
}

/* The armed timer's reference comes back. */
static void disarmed(struct file *f, struct sock_listener *l)
{
    lock_acquire(&f->lock);
    l->armed = false;
    lock_release(&f->lock);
    file_put(f);
}

static void retry_later(struct file *f)
{
    struct sock_listener *l = sock_of(f)->listener;
    bool arm;

    lock_acquire(&f->lock);
    arm = !l->armed && !f->closing;
    if (arm) {
        file_get(f);
        l->armed = true;
    }
    lock_release(&f->lock);
    if (arm && timer_set(&l->retry, deadline_from_ms(RETRY_MS)) != 0)
        disarmed(f, l); /* no home thread: the next connection's edge will do */
}

void accept_retry_stop(struct file *f)
{
    struct sock_listener *l = sock_of(f)->listener;

    if (l && timer_cancel(&l->retry))
        disarmed(f, l);
}

/* ---- address areas ---- */

/* Length first, address behind it: only accept_address reads this. */
static void fill_area(char *area, uint32_t area_len, const void *addr, uint32_t addr_len)
{
    assert(addr_len + AREA_HEAD <= area_len);
    memset(area, 0, area_len);
    memcpy(area, &addr_len, sizeof addr_len);
    memcpy(area + AREA_HEAD, addr, addr_len);
}

void *accept_address(char *area, uint32_t area_len, int32_t *addr_len)
{
    uint32_t len = 0;

    if (area_len > AREA_HEAD)
        memcpy(&len, area, sizeof len);
    if (len > area_len - AREA_HEAD)
        len = 0;
    *addr_len = (int32_t)len;
    return area + AREA_HEAD;
}

/* Both areas of a request, of the connection now behind `socket`. */
static uint32_t fill_areas(struct request *r, struct file *socket)
{
    uint32_t local_len = r->u.accept.local_len, remote_len = r->u.accept.remote_len;
    char *area = r->u.accept.out + r->u.accept.data_len;
    struct sockaddr_storage name;
    socklen_t len = sizeof name;

    if (getsockname(socket->fd, (struct sockaddr *)&name, &len) < 0)
        return status_from_errno_socket(errno);
    if (len + AREA_HEAD > local_len)
        return STATUS_BUFFER_TOO_SMALL;
    fill_area(area, local_len, &name, len);
    area += local_len;
    len = sizeof name;
    if (getpeername(socket->fd, (struct sockaddr *)&name, &len) < 0) {
        /* Reset while it waited in the queue: a connection all the same, its end will be told. */
        memset(&name, 0, sizeof name);
        name.ss_family = (sa_family_t)sock_of(socket)->family;
        len = sock_address_size(name.ss_family);
    }
    if (len + AREA_HEAD > remote_len)
        return STATUS_BUFFER_TOO_SMALL;
    fill_area(area, remote_len, &name, len);
    return STATUS_SUCCESS;
}

/* ---- AcceptEx ---- */

static void took_connection(struct file *listener)
{
    sockevent_again(listener, SE_ACCEPT);
    notice_received(listener);
}

static void took_data(struct file *socket)
{
    sockevent_again(socket, SE_READ);
    notice_received(socket);
}

static uint32_t attempt_data(struct request *r)
{
    struct sock_transfer t = {
        .iov = request_iov(r), .iov_count = r->iov_count, .size = r->size};
    uint32_t status = sock_receive_step(r->u.accept.socket, &t);

    r->bytes = t.bytes;
    r->drained_hint = t.drained;
    return status;
}

static uint32_t attempt(struct request *r)
{
    struct file *socket = r->u.accept.socket;
    uint32_t status;
    int err;

    if (r->u.accept.stage == STAGE_DATA)
        return attempt_data(r);
    err = accept_behind(r->file, socket);
    if (is_shortage(err)) {
        retry_later(r->file);
        return STATUS_PENDING;
    }
    if (err == -EAGAIN)
        return STATUS_PENDING;
    if (err)
        return status_from_errno_socket(err);
    sock_replay_options(socket);
    sock_connected(socket);
    sockevent_again(socket, SE_READ | SE_WRITE | SE_OOB | SE_CLOSE); /* it may have been another's before */
    sock_look(socket);
    file_call_blockers(socket); /* a select, which sleeps on what was behind the number */
    status = fill_areas(r, socket);
    if (status != STATUS_SUCCESS || r->u.accept.data_len == 0)
        return status;
    took_connection(r->file);
    r->u.accept.stage = STAGE_DATA;
    lane_move(r, socket, LANE_IN);
    return LANE_MOVED;
}

static void finish(struct request *r, uint32_t status)
{
    (void)status;
    if (r->u.accept.stage == STAGE_CONNECTION)
        took_connection(r->file);
    else
        took_data(r->u.accept.socket);
}

/* The accept socket is free again, before the answer can be seen. */
static void release(struct request *r)
{
    struct file *socket = r->u.accept.socket;
    struct sock *s = sock_of(socket);

    lock_acquire(&socket->lock);
    if (s->accept_request == r)
        s->accept_request = NULL;
    lock_release(&socket->lock);
    file_put(socket);
}

static const struct request_ops accept_ops = {
    .name = "accept", .attempt = attempt, .finish = finish, .release = release};

/* Of a socket that the program made, only the kernel knows; a bound one has a port or a path. */
static bool has_address(struct file *f)
{
    struct sockaddr_storage name = {0};
    socklen_t len = sizeof name;

    if (!(f->flags & FILE_ADOPTED) || !atomic_load(&sock_of(f)->bound))
        return atomic_load(&sock_of(f)->bound);
    if (getsockname(f->fd, (struct sockaddr *)&name, &len) < 0)
        return true;
    if (name.ss_family == AF_UNIX)
        return len > sizeof(sa_family_t);
    return ((struct sockaddr_in *)&name)->sin_port != 0; /* at the same place in both families */
}

/* Takes the accept socket for r, if it is a fresh one (ACC-08). */
static uint32_t claim(struct file *socket, struct request *r)
{
    struct sock *s = sock_of(socket);
    bool fresh = !has_address(socket);

    lock_acquire(&socket->lock);
    fresh = fresh && !s->accept_request && !socket->closing &&
            atomic_load(&s->phase) == SOCK_PHASE_OPEN;
    if (fresh)
        s->accept_request = r;
    lock_release(&socket->lock);
    return fresh ? (uint32_t)STATUS_SUCCESS : status_from_wsa(WSAEINVAL);
}

/* Closing the accept socket ends r, but cannot find it before it waits in the listener's lane: so it is
 * looked for closing again then. */
static void stop_if_closed(struct file *listener, struct file *socket, const struct request *r)
{
    struct cancel_match match = {.request = r};
    bool closing;

    lock_acquire(&socket->lock);
    closing = socket->closing;
    lock_release(&socket->lock);
    if (closing)
        cancel_requests(listener, &match);
}

uint32_t accept_start(struct file *listener, struct file *socket, void *out, uint32_t data_len,
                      uint32_t local_len, uint32_t remote_len, OVERLAPPED *ov, struct request_result *result)
{
    struct sock *ls = sock_of(listener), *s = sock_of(socket);
    struct request *r;
    uint32_t status;

    if (!sock_is_stream(ls) || atomic_load(&ls->phase) != SOCK_PHASE_LISTENING ||
        s->family != ls->family || s->type != ls->type || listener == socket)
        return status_from_wsa(WSAEINVAL);
    if (!out || remote_len == 0)
        return status_from_wsa(WSAEFAULT);
    pthread_once(&reserve.once, reserve_again);
    status = request_new(listener, ov, true, &r);
    if (status != STATUS_SUCCESS)
        return status;
    status = claim(socket, r);
    if (status != STATUS_SUCCESS)
        return request_refuse(r, status);
    file_get(socket);
    r->u.accept.socket = socket;
    r->u.accept.out = out;
    r->u.accept.data_len = data_len;
    r->u.accept.local_len = local_len;
    r->u.accept.remote_len = remote_len;
    r->u.accept.stage = STAGE_CONNECTION;
    r->ops = &accept_ops;
    r->answers_later = true; /* there are programs that expect no packet after TRUE: conform/accept.c */
    request_set_buf(r, out, data_len);
    request_get(r);
    status = sock_start(r, LANE_IN, result);
    if (status == STATUS_PENDING)
        stop_if_closed(listener, socket, r);
    request_put(r);
    return status;
}

/* ---- afterwards ---- */

uint32_t accept_update(struct file *f, uintptr_t listener_handle)
{
    struct sock *s = sock_of(f), *ls;
    struct file *listener;

    if (atomic_load(&s->phase) != SOCK_PHASE_CONNECTED)
        return status_from_wsa(WSAENOTCONN);
    if (sock_from_handle(listener_handle, false, &listener) != STATUS_SUCCESS)
        return status_from_wsa(WSAENOTSOCK);
    ls = sock_of(listener);
    if (atomic_load(&ls->phase) != SOCK_PHASE_LISTENING) {
        file_put(listener);
        return status_from_wsa(WSAEINVAL);
    }
    if (atomic_load(&ls->nonblocking))
        atomic_store(&s->nonblocking, true);
    sockevent_inherit(f, listener);
    file_put(listener);
    return STATUS_SUCCESS;
}

void accept_abandon(struct file *f)
{
    struct sock *s = sock_of(f);
    struct cancel_match match = {0};
    struct request *r;
    struct file *listener = NULL;

    lock_acquire(&f->lock);
    r = s->accept_request;
    if (r) { /* not answered yet: its release would have cleared this, and then let the listener go */
        listener = r->file;
        file_get(listener);
        request_get(r);
    }
    lock_release(&f->lock);
    if (!r)
        return;
    match.request = r;
    cancel_requests(listener, &match);
    request_put(r);
    file_put(listener);
}
