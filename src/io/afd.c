/* SPDX-License-Identifier: MIT */
/*
 * AFD polls; see afd.h. A poll that waits stands in a list of each socket it names, and the socket is
 * registered with its poller. Whoever finds a condition true - the edge, a call that made it so, the
 * time-out, the canceller, who closes a socket - claims the poll (`ended`), takes it out of all lists
 * and answers it. Those who come second find it claimed and have nothing to do.
 *
 * Lost edges: a poll is in the lists, and the sockets are registered, before it looks for the last time.
 */
#include "io/afd.h"

#include "base/clock.h"
#include "base/status.h"
#include "engine/home.h"
#include "io/connect.h"
#include "io/lane.h"
#include "io/sockevent.h"
#include "ntstatus.h"
#include "object/handle.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

struct poll;

struct entry {
    struct list link;    /* in sockevent_polls, guarded by the socket file's lock */
    struct poll *poll;   /* embeds this */
    struct file *socket; /* counted */
    uintptr_t handle;    /* what the program calls it */
    uint32_t events;     /* asked for */
    uint32_t found;      /* written by who has claimed the poll */
    uint32_t status;
};

/* Rules: all is constant once it is in a list, but for the atomics and what the claimer writes. */
struct poll {
    _Atomic uint32_t refs;
    _Atomic bool ended;      /* claimed: goes to true once */
    bool exclusive;
    uint32_t count;
    struct afd_info *out;    /* the program's, until the request is answered */
    struct request *request; /* owns this; answered by the claimer */
    struct timer timer;      /* holds a reference while armed */
    struct entry entries[];
};

static void poll_get(struct poll *p)
{
    atomic_fetch_add(&p->refs, 1);
}

static void poll_put(struct poll *p)
{
    if (atomic_fetch_sub(&p->refs, 1) != 1)
        return;
    for (uint32_t i = 0; i < p->count; i++)
        file_put(p->entries[i].socket);
    free(p);
}

/* ---- what is so ---- */

/* The peer's end is reported as soon as it has come, data before it or not: so does Windows, where wepoll's
 * own tests ask for it. */
static uint32_t stream_input(struct file *f, short bits)
{
    struct sock *s = sock_of(f);
    uint32_t now = 0;
    char byte;
    ssize_t n;

    if (atomic_load(&s->error) || atomic_load(&s->broken))
        return AFD_ABORT;
    if (!(bits & (POLLIN | POLLRDHUP | POLLHUP | POLLERR)))
        return 0;
    if (s->tcp && !(bits & (POLLRDHUP | POLLHUP | POLLERR)))
        return AFD_RECEIVE; /* the end, or an error, would have said so */
    n = recv(f->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0)
        now = AFD_RECEIVE;
    else if (n < 0 && errno != EAGAIN && errno != EINTR) {
        atomic_store(&s->error, errno); /* the kernel says it once: kept for the next receive */
        return AFD_ABORT;
    }
    if (bits & POLLERR)
        now |= AFD_ABORT;
    else if ((n == 0 || (bits & POLLRDHUP)) && /* shutting down one's own receiving side looks the same */
             (!(atomic_load(&s->shut) & SOCK_SHUT_RECV) || (bits & POLLHUP)))
        now |= AFD_DISCONNECT;
    return now;
}

static uint32_t stream_conditions(struct file *f, short bits)
{
    uint32_t now = AFD_CONNECT | stream_input(f, bits);

    if (bits & (POLLOUT | POLLERR | POLLHUP))
        now |= AFD_SEND;
    if ((bits & POLLPRI) && !sock_urgent_inline(f))
        now |= AFD_RECEIVE_EXPEDITED;
    return now;
}

static uint32_t datagram_conditions(struct file *f, short bits)
{
    bits = sock_datagram_look(f, bits);
    return (bits & POLLIN ? AFD_RECEIVE : 0) | (bits & POLLOUT ? AFD_SEND : 0);
}

/* All that is true now; *status: how connecting failed. */
static uint32_t conditions(struct file *f, uint32_t *status)
{
    struct sock *s = sock_of(f);
    struct pollfd p = {.fd = f->fd, .events = POLLIN | POLLOUT | POLLPRI | POLLRDHUP};
    int failed;

    *status = STATUS_SUCCESS;
    if (atomic_load(&s->phase) == SOCK_PHASE_CONNECTING)
        connect_poll(f);
    if (poll(&p, 1, 0) < 0)
        return 0;
    if (!sock_is_stream(s))
        return datagram_conditions(f, p.revents);
    switch (atomic_load(&s->phase)) {
    case SOCK_PHASE_LISTENING:
        return p.revents & POLLIN ? AFD_ACCEPT : 0;
    case SOCK_PHASE_CONNECTED:
        return stream_conditions(f, p.revents);
    case SOCK_PHASE_OPEN:
        failed = atomic_load(&s->connect_error);
        *status = status_from_errno_socket(failed);
        return failed ? AFD_CONNECT_FAIL : 0;
    default:
        return 0;
    }
}

static bool is_closing(struct file *f)
{
    bool closing;

    lock_acquire(&f->lock);
    closing = f->closing;
    lock_release(&f->lock);
    return closing;
}

uint32_t afd_conditions(struct file *socket)
{
    uint32_t status, now;

    if (is_closing(socket))
        return 0;
    now = conditions(socket, &status);
    return is_closing(socket) ? 0 : now; /* meanwhile */
}

/* Of what the entry asks for; the descriptor of a socket that is being closed says nothing of it. */
static uint32_t look_at(struct entry *e, uint32_t *status)
{
    uint32_t now;

    if (is_closing(e->socket))
        return *status = STATUS_SUCCESS, AFD_LOCAL_CLOSE;
    now = conditions(e->socket, status);
    if (is_closing(e->socket)) /* meanwhile */
        return *status = STATUS_SUCCESS, AFD_LOCAL_CLOSE;
    return now & e->events;
}

/* ---- the lists ---- */

/* false: the poll has been claimed meanwhile, or the socket is being closed. */
static bool link_entry(struct entry *e, struct poll **abandoned)
{
    struct file *f = e->socket;
    struct list *polls = sockevent_polls(f); /* is there: find_socket */
    bool open;

    *abandoned = NULL;
    lock_acquire(&f->lock);
    open = !f->closing && !atomic_load(&e->poll->ended);
    if (open && e->poll->exclusive) {
        list_for_each(n, polls) {
            struct poll *other = container_of(n, struct entry, link)->poll;

            if (other != e->poll && other->exclusive && !atomic_load(&other->ended)) {
                *abandoned = other; /* there is but one at a time */
                poll_get(other);
                break;
            }
        }
    }
    if (open) {
        list_push_back(polls, &e->link);
        atomic_fetch_or(&sock_of(f)->user_events, SOCK_POLLED);
    }
    lock_release(&f->lock);
    return open;
}

static void unlink_entries(struct poll *p)
{
    for (uint32_t i = 0; i < p->count; i++) {
        struct file *f = p->entries[i].socket;

        lock_acquire(&f->lock);
        if (list_linked(&p->entries[i].link)) {
            list_remove(&p->entries[i].link);
            if (list_empty(sockevent_polls(f)))
                atomic_fetch_and(&sock_of(f)->user_events, ~SOCK_POLLED);
        }
        lock_release(&f->lock);
    }
}

/* ---- ending ---- */

/* Those of which something is so, one behind the other. */
static uint32_t write_answer(struct poll *p)
{
    struct afd_info *out = p->out;
    uint32_t n = 0;

    for (uint32_t i = 0; i < p->count; i++) {
        const struct entry *e = &p->entries[i];

        if (!e->found)
            continue;
        out->handles[n].handle = e->handle;
        out->handles[n].events = e->found;
        out->handles[n].status = e->status;
        n++;
    }
    out->count = n;
    return (uint32_t)(sizeof *out + n * sizeof out->handles[0]);
}

static bool claim(struct poll *p)
{
    return !atomic_exchange(&p->ended, true);
}

/* The caller has claimed it. A failure, and a time-out, find nothing. The caller holds a reference. */
static void end(struct poll *p, uint32_t status, bool in_call)
{
    struct request *r = p->request;

    assert(atomic_load(&p->ended));
    unlink_entries(p);
    if (timer_cancel(&p->timer))
        poll_put(p);
    if (!status_is_error(status))
        r->bytes = write_answer(p);
    request_complete(r, status, in_call);
}

/* What is so of the other sockets of a poll that has been claimed for one of them. */
static void find_more(struct poll *p, const struct entry *known)
{
    for (uint32_t i = 0; i < p->count; i++)
        if (&p->entries[i] != known)
            p->entries[i].found = look_at(&p->entries[i], &p->entries[i].status);
}

static void timed_out(struct timer *t)
{
    struct poll *p = container_of(t, struct poll, timer);

    if (claim(p))
        end(p, STATUS_TIMEOUT, false);
    poll_put(p);
}

static void cancelled(struct request *r, struct file *f)
{
    struct poll *p = NULL;

    lock_acquire(&f->lock);
    if (r->state != REQUEST_DONE) { /* else its poll may be gone */
        p = (struct poll *)(uintptr_t)r->u.any[0];
        poll_get(p);
    }
    lock_release(&f->lock);
    if (!p)
        return;
    if (claim(p))
        end(p, STATUS_CANCELLED, false);
    poll_put(p);
}

static void release(struct request *r)
{
    poll_put((struct poll *)(uintptr_t)r->u.any[0]);
}

static const struct request_ops poll_ops = {.name = "afd poll", .release = release, .cancel = cancelled};

/* ---- sockets that changed ---- */

/* The first entry that asks for something that is so, its poll counted. */
static struct entry *first_to_tell(struct file *f, uint32_t now)
{
    struct entry *found = NULL;

    lock_acquire(&f->lock);
    list_for_each(n, sockevent_polls(f)) {
        struct entry *e = container_of(n, struct entry, link);

        if ((now & (e->events | AFD_LOCAL_CLOSE)) && !atomic_load(&e->poll->ended)) {
            poll_get(e->poll);
            found = e;
            break;
        }
    }
    lock_release(&f->lock);
    return found;
}

static void tell(struct file *f, uint32_t now, uint32_t status)
{
    struct entry *e;

    while ((e = first_to_tell(f, now)) != NULL) {
        struct poll *p = e->poll;

        if (claim(p)) {
            e->found = now & (e->events | AFD_LOCAL_CLOSE);
            e->status = status;
            find_more(p, e);
            end(p, STATUS_SUCCESS, false);
        }
        poll_put(p);
    }
}

void afd_look(struct file *socket)
{
    uint32_t status;
    uint32_t now;

    if (!(atomic_load(&sock_of(socket)->user_events) & SOCK_POLLED) || is_closing(socket))
        return;
    lane_register(socket); /* fails for want of memory: then the calls that change something still look */
    now = conditions(socket, &status);
    if (now && !is_closing(socket))
        tell(socket, now, status);
}

void afd_end(struct file *socket)
{
    if (atomic_load(&sock_of(socket)->user_events) & SOCK_POLLED)
        tell(socket, AFD_LOCAL_CLOSE, STATUS_SUCCESS);
}

/* ---- starting ---- */

static uint32_t check(const struct afd_info *in, uint32_t in_size, const void *out, uint32_t out_size)
{
    uint64_t size;

    if (!in || !out || in_size < sizeof *in + sizeof in->handles[0] || in->count == 0)
        return STATUS_INVALID_PARAMETER;
    size = sizeof *in + (uint64_t)in->count * sizeof in->handles[0];
    return in_size < size || out_size < size ? (uint32_t)STATUS_INVALID_PARAMETER : (uint32_t)STATUS_SUCCESS;
}

static uint32_t find_socket(struct entry *e, const struct afd_handle *from)
{
    struct file *f;
    uint32_t status = file_from_handle(from->handle, true, &f, NULL);

    if (status != STATUS_SUCCESS)
        return status;
    if (f->kind != FILE_KIND_SOCKET) {
        file_put(f);
        return STATUS_INVALID_HANDLE;
    }
    if (!sockevent_polls(f)) {
        file_put(f);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    e->socket = f;
    e->handle = from->handle;
    e->events = from->events;
    list_init(&e->link);
    return STATUS_SUCCESS;
}

/* One reference, the request's. */
static uint32_t poll_new(const struct afd_info *in, void *out, struct poll **made)
{
    struct poll *p = calloc(1, sizeof *p + in->count * sizeof p->entries[0]);
    uint32_t status = STATUS_SUCCESS;

    if (!p)
        return STATUS_INSUFFICIENT_RESOURCES;
    atomic_init(&p->refs, 1);
    p->exclusive = in->exclusive != 0;
    p->out = out;
    timer_init(&p->timer, timed_out);
    while (p->count < in->count) {
        status = find_socket(&p->entries[p->count], &in->handles[p->count]);
        if (status != STATUS_SUCCESS)
            break;
        p->entries[p->count].poll = p;
        p->count++;
    }
    if (status != STATUS_SUCCESS)
        poll_put(p);
    else
        *made = p;
    return status;
}

static bool look_at_all(struct poll *p)
{
    bool any = false;

    find_more(p, NULL);
    for (uint32_t i = 0; i < p->count; i++)
        any = any || p->entries[i].found;
    return any;
}

static uint32_t arm(struct poll *p, int64_t timeout)
{
    if (timeout == INT64_MAX)
        return STATUS_SUCCESS;
    if (home_start() != 0)
        return STATUS_INSUFFICIENT_RESOURCES;
    poll_get(p);
    if (timer_set(&p->timer, deadline_from_due(timeout)) == 0)
        return STATUS_SUCCESS;
    poll_put(p);
    return STATUS_INSUFFICIENT_RESOURCES;
}

/* Puts it into the lists of its sockets. What ends it is seen by who ends it, or by the look that follows. */
static void link_all(struct poll *p)
{
    for (uint32_t i = 0; i < p->count; i++) {
        struct poll *abandoned;
        bool linked = link_entry(&p->entries[i], &abandoned);

        if (abandoned) {
            if (claim(abandoned))
                end(abandoned, STATUS_SUCCESS, false);
            poll_put(abandoned);
        }
        if (!linked)
            return;
        lane_register(p->entries[i].socket);
    }
}

/* It has to wait. The caller holds a reference to p beside the request's. */
static uint32_t wait_for_change(struct request *r, struct poll *p, int64_t timeout)
{
    uint32_t status;
    uint32_t failure;

    if (!request_park(r))
        return request_refuse(r, STATUS_INVALID_HANDLE);
    failure = arm(p, timeout);
    if (failure != STATUS_SUCCESS) {
        if (!claim(p))
            return STATUS_PENDING; /* cancelled already */
        unlink_entries(p);
        return request_refuse(r, failure);
    }
    link_all(p);
    for (uint32_t i = 0; i < p->count; i++) {
        struct entry *e = &p->entries[i];
        uint32_t found = look_at(e, &status);

        if (!found)
            continue;
        if (!claim(p))
            break;
        e->found = found;
        e->status = status;
        find_more(p, e);
        end(p, STATUS_SUCCESS, true);
        return STATUS_SUCCESS;
    }
    if (atomic_load(&p->ended)) { /* what was done behind the back of who ended it */
        unlink_entries(p);
        if (timer_cancel(&p->timer))
            poll_put(p);
    }
    return STATUS_PENDING;
}

uint32_t afd_poll_start(struct request *r, const void *in, uint32_t in_size, void *out, uint32_t out_size)
{
    const struct afd_info *info = in;
    int64_t timeout;
    struct poll *p;
    uint32_t status = check(info, in_size, out, out_size);

    if (status == STATUS_SUCCESS)
        status = poll_new(info, out, &p);
    if (status != STATUS_SUCCESS)
        return request_refuse(r, status);
    timeout = info->timeout; /* `out` may be the same memory */
    ((struct afd_info *)out)->timeout = timeout;
    ((struct afd_info *)out)->exclusive = p->exclusive;
    p->request = r;
    r->u.any[0] = (uintptr_t)p;
    r->ops = &poll_ops;
    request_begin(r);
    if (look_at_all(p) || timeout == 0) {
        atomic_store(&p->ended, true);
        r->bytes = write_answer(p);
        return request_finish_inline(r, STATUS_SUCCESS);
    }
    poll_get(p);
    request_get(r);
    status = wait_for_change(r, p, timeout);
    request_put(r);
    poll_put(p);
    return status;
}

/* ---- the device ---- */

static const struct file_ops device_ops = {.name = "afd"};

/* Its descriptor stands for nothing but the number. */
uint32_t afd_device_new(uint32_t flags, struct file **out)
{
    int fd = fd_above_std(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));

    if (fd < 0)
        return status_from_errno(fd);
    return file_new(fd, FILE_KIND_DEVICE, flags, FILE_GENERIC_READ | FILE_GENERIC_WRITE, &device_ops, NULL,
                    out);
}

/* ---- receives ---- */

enum { TDI_EXPEDITED = 0x40, TDI_PEEK = 0x80 };

uint32_t afd_receive_start(struct request *r, bool datagram, const void *in, uint32_t in_size)
{
    const struct afd_receive *info = in;
    uint32_t flags = 0, least = datagram ? sizeof *info : offsetof(struct afd_receive, tdi_flags) + 4;
    void *from = NULL;
    int32_t *from_len = NULL;

    if (!info || in_size < least || !info->bufs || info->count == 0)
        return request_refuse(r, STATUS_INVALID_PARAMETER);
    if (datagram && info->address && info->address_len) {
        from = info->address;
        from_len = info->address_len;
        if (*from_len < 0 || (uint32_t)*from_len < sock_address_size(sock_of(r->file)->family))
            return request_refuse(r, STATUS_BUFFER_TOO_SMALL);
    }
    if (info->tdi_flags & TDI_EXPEDITED)
        flags |= MSG_OOB;
    if (info->tdi_flags & TDI_PEEK)
        flags |= MSG_PEEK;
    return sock_receive_request(r, info->bufs, info->count, flags, from, from_len, NULL);
}
