/* SPDX-License-Identifier: MIT */
/*
 * A socket's life: made, accepted or adopted; bound, listening; shut down and closed. Where Windows
 * and Linux differ in what a fresh socket is like, Windows wins (v6-only, ports in TIME_WAIT).
 */
#include "io/sock.h"

#include "base/clock.h"
#include "base/slab.h"
#include "base/status.h"
#include "io/accept.h"
#include "io/afd.h"
#include "io/connect.h"
#include "io/lane.h"
#include "io/sockevent.h"
#include "io/notice.h"
#include "io/rio.h"
#include "ntstatus.h"
#include "object/handle.h"
#include "winerror.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

_Static_assert(SOCK_STREAM == 1, "sock_is_stream knows the number");
#ifndef IOCP_DEBUG
_Static_assert(offsetof(struct file, lanes) == CACHE_LINE && offsetof(struct file, ready) == 2 * CACHE_LINE &&
                   offsetof(struct file, pending) == 3 * CACHE_LINE,
               "see the layout in file.h");
_Static_assert(offsetof(struct sock_file, sock.bound) == 4 * CACHE_LINE &&
                   sizeof(struct sock_file) == 5 * CACHE_LINE,
               "see the layout in sock.h");
#endif

uint32_t sock_from_handle(uintptr_t h, bool adopt, struct file **out)
{
    struct object *obj = handle_is_fd(h) ? handle_get_fd(h) : NULL;
    struct file *f = obj ? file_from_object(obj) : NULL; /* what has a descriptor is a file */
    uint32_t status = STATUS_SUCCESS;

    if (__builtin_expect(!f, 0))
        status = file_from_handle(h, adopt, &f, NULL);
    if (status != STATUS_SUCCESS)
        return status;
    if (f->kind != FILE_KIND_SOCKET) {
        file_put(f);
        return STATUS_OBJECT_TYPE_MISMATCH;
    }
    *out = f;
    return STATUS_SUCCESS;
}

/* ---- making ---- */

SLAB(sockets, sizeof(struct sock_file), sizeof(struct object));

static struct file *file_of(struct sock *s)
{
    return &container_of(s, struct sock_file, sock)->file;
}

static struct sock *alloc_sock(int family, int type, int protocol)
{
    struct sock_file *f = slab_take(&sockets);
    struct sock *s;

    if (!f)
        return NULL;
    memset((char *)f + sizeof f->file.object, 0, sizeof *f - sizeof f->file.object);
    s = &f->sock;
    s->family = (uint16_t)family;
    s->type = (uint8_t)type;
    s->protocol = (uint16_t)protocol;
    s->tcp = type == SOCK_STREAM && protocol == IPPROTO_TCP;
    return s;
}

static void free_file(struct file *f)
{
    slab_give(&sockets, f);
}

static void make_file(int fd, struct sock *s, uint32_t flags, struct file **out)
{
    struct file *f = file_of(s);

    file_new_in(f, fd, FILE_KIND_SOCKET, flags, FILE_GENERIC_READ | FILE_GENERIC_WRITE, &sock_ops);
    *out = f;
}

/* What Windows' fresh sockets are like. */
static void set_defaults(int fd, const struct sock *s)
{
    int on = 1;

    if (s->family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (s->type == SOCK_DGRAM && s->family == AF_INET)
        setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
    if (s->type == SOCK_DGRAM && s->family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
}

uint32_t sock_new(int family, int type, int protocol, bool overlapped, struct file **out)
{
    struct sock *s;
    socklen_t len = sizeof type;
    int fd;

    if (family == AF_UNSPEC)
        family = AF_INET;
    if (type & ~0xF) /* SOCK_NONBLOCK and SOCK_CLOEXEC are not for programs */
        return status_from_errno_socket(ESOCKTNOSUPPORT);
    if (type == 0)
        type = protocol == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM;
    fd = fd_above_std(socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol));
    if (fd < 0)
        return status_from_errno_socket(fd);
    if (protocol == 0)
        getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len);
    s = alloc_sock(family, type, protocol);
    if (!s) {
        close(fd);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    set_defaults(fd, s);
    make_file(fd, s, (overlapped ? FILE_OVERLAPPED : 0) | FILE_NONBLOCK_FD, out);
    return STATUS_SUCCESS;
}

uint32_t sock_new_accepted(int fd, struct file *listener, struct file **out)
{
    struct sock *parent = sock_of(listener);
    struct sock *s = alloc_sock(parent->family, parent->type, parent->protocol);

    if (!s) {
        close(fd);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    s->nonblocking = atomic_load(&parent->nonblocking);
    s->recv_ms = atomic_load(&parent->recv_ms);
    s->send_ms = atomic_load(&parent->send_ms);
    make_file(fd, s, (listener->flags & (FILE_OVERLAPPED | FILE_REGISTERED)) | FILE_NONBLOCK_FD, out);
    sock_connected(*out);
    return STATUS_SUCCESS;
}

static int int_option(int fd, int name)
{
    int value = 0;
    socklen_t len = sizeof value;

    getsockopt(fd, SOL_SOCKET, name, &value, &len);
    return value;
}

uint32_t file_adopt_socket(int fd, uint32_t flags, struct file **out)
{
    struct sockaddr_storage addr;
    socklen_t len = sizeof addr;
    struct sock *s = alloc_sock(int_option(fd, SO_DOMAIN), int_option(fd, SO_TYPE),
                                int_option(fd, SO_PROTOCOL));

    if (!s)
        return STATUS_INSUFFICIENT_RESOURCES;
    s->bound = true; /* not to be known for certain: the kernel will answer */
    s->nonblocking = (flags & FILE_NONBLOCK_FD) != 0;
    s->reuse = int_option(fd, SO_REUSEADDR) != 0;
    make_file(fd, s, flags, out);
    if (int_option(fd, SO_ACCEPTCONN)) {
        s->phase = SOCK_PHASE_LISTENING;
        if (accept_listen(*out) != STATUS_SUCCESS) {
            (*out)->keep_fd = true; /* stays the caller's */
            file_put(*out);
            return STATUS_INSUFFICIENT_RESOURCES;
        }
    } else if (getpeername(fd, (struct sockaddr *)&addr, &len) == 0) {
        s->phase = SOCK_PHASE_CONNECTED;
        s->connected_ns = clock_now_ns();
    }
    return STATUS_SUCCESS;
}

/* ---- addresses ---- */

uint32_t sock_address_size(int family)
{
    switch (family) {
    case AF_INET:
        return sizeof(struct sockaddr_in);
    case AF_INET6:
        return sizeof(struct sockaddr_in6);
    case AF_UNIX:
        return sizeof(sa_family_t);
    default:
        return 0;
    }
}

static uint32_t check_address(const struct sock *s, const void *addr, int32_t len)
{
    if (!addr || len < (int32_t)sizeof(sa_family_t) || (uint32_t)len < sock_address_size(s->family))
        return status_from_wsa(WSAEFAULT);
    return STATUS_SUCCESS;
}

/* An address is copied out only if it fits whole. */
static uint32_t copy_name(const void *addr, uint32_t addr_len, void *out, int32_t *len)
{
    if (!out || !len || *len < 0 || (uint32_t)*len < addr_len)
        return status_from_wsa(WSAEFAULT);
    memcpy(out, addr, addr_len);
    *len = (int32_t)addr_len;
    return STATUS_SUCCESS;
}

uint32_t sock_local_name(struct file *f, void *addr, int32_t *len)
{
    struct sock *s = sock_of(f);
    struct sockaddr_storage name;
    socklen_t name_len = sizeof name;

    if (!atomic_load(&s->bound) && atomic_load(&s->phase) == SOCK_PHASE_OPEN)
        return status_from_wsa(WSAEINVAL);
    if (getsockname(f->fd, (struct sockaddr *)&name, &name_len) < 0)
        return status_from_errno_socket(errno);
    return copy_name(&name, name_len, addr, len);
}

uint32_t sock_peer_name(struct file *f, void *addr, int32_t *len)
{
    struct sockaddr_storage name;
    socklen_t name_len = sizeof name;

    if (getpeername(f->fd, (struct sockaddr *)&name, &name_len) < 0) {
        /* A peer that reset the connection is still this socket's peer to Windows; Linux has
         * forgotten it. Both say "not connected" here. */
        return status_from_errno_socket(errno);
    }
    return copy_name(&name, name_len, addr, len);
}

/* ---- binding ---- */

static int bind_with(struct file *f, const void *addr, int32_t len, int reuse)
{
    int err = 0;

    setsockopt(f->fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse);
    if (bind(f->fd, addr, (socklen_t)len) < 0)
        err = errno;
    return err;
}

/*
 * Streams are bound without SO_REUSEADDR first: then two sockets cannot share a port, not even
 * before one of them listens. What is in the way may be just connections in TIME_WAIT, so the
 * second try is made with it. It is set for good when the socket listens or connects: only then
 * will its own TIME_WAIT remains let a successor through.
 */
static int bind_stream(struct file *f, const void *addr, int32_t len)
{
    int off = 0;
    int err = bind_with(f, addr, len, 0);

    if (err != EADDRINUSE)
        return err;
    err = bind_with(f, addr, len, 1);
    setsockopt(f->fd, SOL_SOCKET, SO_REUSEADDR, &off, sizeof off);
    return err;
}

uint32_t sock_bind(struct file *f, const void *addr, int32_t len)
{
    struct sock *s = sock_of(f);
    uint32_t status = check_address(s, addr, len);
    bool inet = s->family == AF_INET || s->family == AF_INET6;
    int err;

    if (status != STATUS_SUCCESS)
        return status;
    if (atomic_load(&s->bound) && !(f->flags & FILE_ADOPTED))
        return status_from_wsa(WSAEINVAL);
    if (sock_is_stream(s) && inet)
        err = bind_stream(f, addr, len);
    else
        err = bind(f->fd, addr, (socklen_t)len) < 0 ? errno : 0;
    if (err == 0)
        atomic_store(&s->bound, true);
    if (err == EADDRINUSE && atomic_load(&s->reuse))
        return status_from_wsa(WSAEACCES); /* it asked to share, and the owner does not */
    return status_from_errno_socket(err);
}

uint32_t sock_listen(struct file *f, int32_t backlog)
{
    struct sock *s = sock_of(f);
    int on = 1;

    if (!atomic_load(&s->bound))
        return status_from_wsa(WSAEINVAL);
    if (atomic_load(&s->phase) == SOCK_PHASE_CONNECTED)
        return status_from_wsa(WSAEISCONN);
    if (backlog < 0) /* SOMAXCONN_HINT */
        backlog = backlog == INT32_MIN ? INT32_MAX : -backlog;
    if (accept_listen(f) != STATUS_SUCCESS)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (s->family == AF_INET || s->family == AF_INET6)
        setsockopt(f->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (listen(f->fd, backlog) < 0)
        return status_from_errno_socket(errno);
    if (atomic_exchange(&s->phase, SOCK_PHASE_LISTENING) == SOCK_PHASE_LISTENING)
        return STATUS_SUCCESS; /* another backlog; what waits for connections keeps its registration */
    lane_unregister(f); /* what epoll said of the unbound socket means nothing now */
    sock_look(f);
    return STATUS_SUCCESS;
}

/* ---- states ---- */

void sock_connected(struct file *f)
{
    struct sock *s = sock_of(f);

    atomic_store(&s->connected_ns, clock_now_ns());
    atomic_store(&s->tells_left, SOCK_TELLS_UNASKED);
    atomic_store(&s->bound, true);
    atomic_store(&s->shut, 0);
    atomic_store(&s->error, 0);
    atomic_store(&s->broken, 0);
    atomic_store(&s->connect_error, 0);
    atomic_store(&s->phase, SOCK_PHASE_CONNECTED);
}

int sock_take_error(struct file *f)
{
    struct sock *s = sock_of(f);
    int err = atomic_exchange(&s->error, 0);

    if (!err)
        err = int_option(f->fd, SO_ERROR);
    if (err && sock_is_stream(s) && atomic_load(&s->phase) == SOCK_PHASE_CONNECTED)
        atomic_store(&s->broken, (uint16_t)err);
    return err;
}

bool sock_urgent_inline(struct file *f)
{
    return int_option(f->fd, SO_OOBINLINE) != 0;
}

uint32_t sock_require_connected(struct file *f)
{
    struct sock *s = sock_of(f);

    if (atomic_load(&s->phase) == SOCK_PHASE_CONNECTING)
        connect_poll(f);
    if (atomic_load(&s->phase) != SOCK_PHASE_CONNECTED)
        return status_from_wsa(WSAENOTCONN);
    return STATUS_SUCCESS;
}

uint32_t sock_set_blocking(struct file *f, bool blocking)
{
    struct sock *s = sock_of(f);

    if (blocking && sock_selected(s))
        return status_from_wsa(WSAEINVAL);
    atomic_store(&s->nonblocking, !blocking);
    return STATUS_SUCCESS;
}

/* ---- ending ---- */

static uint32_t shut_send(struct file *f, struct sock *s)
{
    if (shutdown(f->fd, SHUT_WR) == 0)
        return STATUS_SUCCESS;
    /* The peer has reset it: to Windows the sending side is shut all the same. */
    return errno == ENOTCONN && atomic_load(&s->connected_ns) ? (uint32_t)STATUS_SUCCESS
                                                             : status_from_errno_socket(errno);
}

void sock_sends_begun(struct file *f)
{
    atomic_fetch_add(&sock_of(f)->sends, 1);
}

void sock_sends_done(struct file *f)
{
    struct sock *s = sock_of(f);
    uint8_t later = SOCK_SHUT_SEND_LATER;

    if (atomic_fetch_sub(&s->sends, 1) != 1)
        return;
    if (atomic_fetch_and(&s->shut, (uint8_t)~later) & later)
        shut_send(f, s);
}

/* Now, or by the last of the sends that wait in the lane. */
static uint32_t shut_behind_sends(struct file *f, struct sock *s)
{
    uint8_t later = SOCK_SHUT_SEND_LATER;

    if (atomic_load(&s->sends) > 0)
        return STATUS_SUCCESS;
    if (!(atomic_fetch_and(&s->shut, (uint8_t)~later) & later))
        return STATUS_SUCCESS; /* the last send was answered just now, and did it */
    return shut_send(f, s);
}

/*
 * FIN follows all that was sent, the sends that wait in the lane or in a call included. Another thread may
 * just be making the first attempt of one, which is not counted yet: it will be done, or counted, in a
 * moment, and no more are let in. Under the lock none begins.
 */
static uint32_t shut_send_in_order(struct file *f, struct sock *s, bool in_lane)
{
    const struct lane *lane = &f->lanes[LANE_OUT];
    uint32_t status = STATUS_SUCCESS;
    bool attempt;

    atomic_fetch_or(&s->shut, SOCK_SHUT_SEND | SOCK_SHUT_SEND_LATER);
    if (in_lane) { /* those before it are done, whether or not they have been counted down */
        atomic_fetch_and(&s->shut, (uint8_t)~SOCK_SHUT_SEND_LATER);
        return shut_send(f, s);
    }
    for (;;) {
        lock_acquire(&f->lock);
        attempt = lane->running && !lane->kept && atomic_load(&s->sends) == 0 && !f->closing;
        if (!attempt)
            status = shut_behind_sends(f, s);
        lock_release(&f->lock);
        if (!attempt)
            return status;
        sched_yield();
    }
}

static uint32_t shut(struct file *f, int how, bool in_lane)
{
    struct sock *s = sock_of(f);
    uint32_t status = STATUS_SUCCESS;

    if (how < 0 || how > 2)
        return status_from_wsa(WSAEINVAL);
    if (sock_is_stream(s)) {
        status = sock_require_connected(f);
        if (status != STATUS_SUCCESS)
            return status;
    } else {
        atomic_fetch_or(&s->shut, how == 0 ? SOCK_SHUT_RECV
                                  : how == 1 ? SOCK_SHUT_SEND
                                             : SOCK_SHUT_RECV | SOCK_SHUT_SEND);
        return STATUS_SUCCESS; /* the flag says it all: there is nobody to be told */
    }
    if (how != 0)
        status = shut_send_in_order(f, s, in_lane);
    if (how != 1) {
        atomic_fetch_or(&s->shut, SOCK_SHUT_RECV);
        shutdown(f->fd, SHUT_RD);
    }
    return status;
}

uint32_t sock_shutdown(struct file *f, int how)
{
    return shut(f, how, false);
}

uint32_t sock_shutdown_in_turn(struct file *f, int how)
{
    return shut(f, how, true);
}

static void cleanup(struct file *f)
{
    if (f->flags & FILE_REGISTERED)
        rio_end(f);
    sockevent_end(f);
    afd_end(f);
    notice_end(f);
    accept_abandon(f);
    accept_retry_stop(f);
}

static void destroy(struct file *f)
{
    struct sock *s = sock_of(f);

    sockevent_free(s);
    free(s->options);
    free(s->listener);
}

static void look(struct file *f, bool edge)
{
    if (!atomic_load(&sock_of(f)->user_events))
        return;
    sockevent_look(f);
    afd_look(f);
    notice_look(f, edge);
}

void sock_look(struct file *f)
{
    look(f, false);
}

static void edge(struct file *f, uint32_t events)
{
    (void)events;
    look(f, true);
}

uint32_t sock_interrupted(struct file *f, uint32_t status)
{
    bool closing;

    if (status != STATUS_CANCELLED)
        return status;
    lock_acquire(&f->lock);
    closing = f->closing;
    lock_release(&f->lock);
    return closing ? status_from_wsa(WSAEINTR) : status; /* conform/sock.c, close_while_blocked */
}

/* ---- as a file: ReadFile and WriteFile ---- */

static uint32_t read_sync(struct file *f, void *buf, uint32_t size, const uint64_t *offset,
                          uint32_t *bytes)
{
    struct iovec v = {buf, size};
    struct sock_transfer t = {.iov = &v, .iov_count = 1, .size = size};
    uint32_t status = sock_may_receive(f);

    (void)offset; /* OVL-15 */
    if (status == STATUS_SUCCESS)
        status = sock_receive(f, &t);
    *bytes = t.bytes;
    return status;
}

static uint32_t write_sync(struct file *f, const void *buf, uint32_t size, const uint64_t *offset,
                           uint32_t *bytes)
{
    struct iovec v = {(void *)(uintptr_t)buf, size};
    struct sock_transfer t = {.iov = &v, .iov_count = 1, .size = size};
    uint32_t status = sock_may_send(f, NULL);

    (void)offset;
    if (status == STATUS_SUCCESS)
        status = sock_send(f, &t);
    *bytes = t.bytes;
    return status;
}


const struct file_ops sock_ops = {
    .name = "socket",
    .cleanup = cleanup,
    .destroy = destroy,
    .free = free_file,
    .edge = edge,
    .read = sock_read_request,
    .write = sock_write_request,
    .read_sync = read_sync,
    .write_sync = write_sync,
};
