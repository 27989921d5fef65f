/* SPDX-License-Identifier: MIT */
/*
 * WSAEventSelect. Each condition is armed or not; armed and true, it is recorded, the event is set
 * and the condition disarmed, until the call that deals with it arms it again. Whoever may have
 * made one true looks: the edge of the poller, and the call that arms. Looking asks the kernel anew
 * with the selection's lock held, so that two who look at once cannot report what a third has
 * dealt with in between as if it were new.
 */
#include "io/sockevent.h"

#include "base/status.h"
#include "io/afd.h"
#include "io/connect.h"
#include "io/lane.h"
#include "io/notice.h"
#include "ntstatus.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

/* Rules: everything is guarded by `lock`, which has a queue's rank: the event's dispatcher is locked
 * inside it, so that record and signal change together. sock.user_events repeats `mask`. */
struct sock_events {
    struct lock lock;
    struct object *event; /* counted; NULL: no selection */
    uint32_t mask;        /* what the program wants to know */
    uint32_t armed;       /* what may be recorded */
    uint32_t recorded;
    int32_t errors[SE_COUNT];
    bool ended;           /* the socket is being closed */
    struct list polls;    /* AFD polls that wait for something here: afd.c's, guarded by the file's lock */
    struct notice *notice; /* counted: notice.c's, guarded by the file's lock; NULL: no registration */
};

/* ---- what is so ---- */

/* Is there something to receive? Or an end to the stream: then *error says how it ended. */
static uint32_t stream_input(struct file *f, short bits, int32_t *error)
{
    struct sock *s = sock_of(f);
    char byte;
    ssize_t n;
    int err;

    if (!(bits & (POLLIN | POLLRDHUP | POLLHUP | POLLERR)))
        return 0;
    n = recv(f->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0)
        return SE_READ;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n < 0)
        atomic_store(&s->error, errno); /* the kernel says it once: kept for the next receive */
    else if ((atomic_load(&s->shut) & SOCK_SHUT_RECV) && !(bits & POLLHUP))
        return 0; /* our own doing */
    err = atomic_load(&s->error);
    if (!err)
        err = atomic_load(&s->broken);
    *error = (int32_t)status_to_wsa(status_from_errno_socket(err));
    return SE_CLOSE;
}

static uint32_t stream_conditions(struct file *f, short bits, int32_t *error)
{
    uint32_t now = stream_input(f, bits, error);

    if ((bits & POLLOUT) && !(atomic_load(&sock_of(f)->shut) & SOCK_SHUT_SEND) && *error == 0)
        now |= SE_WRITE;
    if ((bits & POLLPRI) && !sock_urgent_inline(f))
        now |= SE_OOB;
    return now;
}

static uint32_t datagram_conditions(struct file *f, short bits, bool *reset)
{
    bits = sock_datagram_bits(f, bits, reset);
    return (bits & POLLIN ? SE_READ : 0) | (bits & POLLOUT ? SE_WRITE : 0);
}

/* All that is true now, armed or not. *error: why the stream has ended; *reset: see sock_datagram_bits. */
static uint32_t conditions(struct file *f, int32_t *error, bool *reset)
{
    struct sock *s = sock_of(f);
    struct pollfd p = {.fd = f->fd, .events = POLLIN | POLLOUT | POLLPRI | POLLRDHUP};

    *error = 0;
    *reset = false;
    if (poll(&p, 1, 0) < 0)
        return 0;
    if (!sock_is_stream(s))
        return datagram_conditions(f, p.revents, reset);
    switch (atomic_load(&s->phase)) {
    case SOCK_PHASE_LISTENING:
        return p.revents & POLLIN ? SE_ACCEPT : 0;
    case SOCK_PHASE_CONNECTED:
        return stream_conditions(f, p.revents, error);
    default: /* a connect's end comes by sockevent_connected */
        return 0;
    }
}

/* ---- recording ---- */

static void record_locked(struct sock_events *e, uint32_t events, int32_t error, struct wake_list *wakes)
{
    struct dispatcher *d;

    lock_assert_held(&e->lock);
    if (events == 0)
        return;
    e->recorded |= events;
    e->armed &= ~events;
    for (int i = 0; i < SE_COUNT; i++) {
        if (events & 1u << i)
            e->errors[i] = error;
    }
    d = e->event->type->dispatcher(e->event);
    dispatcher_lock(d);
    d->signal = 1;
    dispatcher_wake_locked(d, wakes);
    dispatcher_unlock(d);
}

static void look_locked(struct file *f, struct sock_events *e, struct wake_list *wakes, bool *reset)
{
    int32_t error;
    uint32_t fresh = conditions(f, &error, reset) & e->mask & e->armed;

    record_locked(e, fresh & ~(uint32_t)SE_CLOSE, 0, wakes);
    record_locked(e, fresh & SE_CLOSE, error, wakes);
}

/* Arms and looks. The registration is renewed here, should something have undone it. */
static void look(struct file *f, uint32_t arm)
{
    struct sock *s = sock_of(f);
    struct sock_events *e = atomic_load(&s->events);
    struct wake_list wakes;
    bool reset = false;

    if (!file_is_open(f))
        return;
    lane_register(f); /* fails for want of memory: then the calls that arm still look */
    if (atomic_load(&s->phase) == SOCK_PHASE_CONNECTING)
        connect_poll(f);
    wake_list_init(&wakes);
    lock_acquire(&e->lock);
    e->armed |= arm;
    if (e->mask)
        look_locked(f, e, &wakes, &reset);
    lock_release(&e->lock);
    wake_list_run(&wakes);
    if (reset)
        sock_tell_reset(f);
}

void sockevent_look(struct file *f)
{
    if (sock_selected(sock_of(f)))
        look(f, 0);
}

void sockevent_again_selected(struct file *f, uint32_t events)
{
    look(f, events);
}

void sockevent_connected(struct file *f, uint32_t status)
{
    struct sock *s = sock_of(f);
    struct sock_events *e = atomic_load(&s->events);
    struct wake_list wakes;

    afd_look(f);
    notice_look(f, false);
    if (!sock_selected(s))
        return;
    wake_list_init(&wakes);
    lock_acquire(&e->lock);
    record_locked(e, e->mask & SE_CONNECT, (int32_t)status_to_wsa(status), &wakes);
    lock_release(&e->lock);
    wake_list_run(&wakes);
    look(f, SE_READ | SE_WRITE | SE_OOB | SE_CLOSE); /* another connection, all begins anew */
}

/* ---- selecting ---- */

static struct sock_events *events_of(struct sock *s)
{
    struct sock_events *e = atomic_load(&s->events);
    struct sock_events *made;

    if (e)
        return e;
    made = calloc(1, sizeof *made);
    if (!made)
        return NULL;
    lock_init(&made->lock, LOCK_QUEUE);
    list_init(&made->polls);
    if (atomic_compare_exchange_strong(&s->events, &e, made))
        return made;
    free(made);
    return e;
}

struct list *sockevent_polls(struct file *f)
{
    struct sock_events *e = events_of(sock_of(f));

    return e ? &e->polls : NULL;
}

struct notice **sockevent_notice(struct file *f)
{
    struct sock_events *e = events_of(sock_of(f));

    return e ? &e->notice : NULL;
}

/* Returns the event that was selected before, to be put with no lock held. */
static struct object *replace(struct sock *s, struct sock_events *e, struct object *event, uint32_t mask)
{
    struct object *old;

    lock_acquire(&e->lock);
    if (e->ended)
        mask = 0;
    old = e->event;
    e->event = mask ? object_get(event) : NULL;
    e->mask = mask;
    e->armed = SE_ALL;
    e->recorded = 0;
    atomic_fetch_and(&s->user_events, SOCK_WATCHED);
    atomic_fetch_or(&s->user_events, mask);
    lock_release(&e->lock);
    return old;
}

uint32_t sockevent_select(struct file *f, struct object *event, uint32_t mask)
{
    struct sock *s = sock_of(f);
    struct sock_events *e;
    struct object *old;
    uint32_t status;

    if ((mask & ~(uint32_t)SE_ALL) || (mask && !event))
        return STATUS_INVALID_PARAMETER;
    if (!mask && !atomic_load(&s->events)) {
        atomic_store(&s->nonblocking, true);
        return STATUS_SUCCESS;
    }
    e = events_of(s);
    if (!e)
        return STATUS_INSUFFICIENT_RESOURCES;
    status = mask ? lane_register(f) : (uint32_t)STATUS_SUCCESS;
    if (status != STATUS_SUCCESS)
        return status;
    old = replace(s, e, event, mask);
    atomic_store(&s->nonblocking, true);
    if (old)
        object_put(old);
    sockevent_look(f);
    return STATUS_SUCCESS;
}

void sockevent_inherit(struct file *f, struct file *listener)
{
    struct sock_events *e = atomic_load(&sock_of(listener)->events);
    struct object *event = NULL;
    uint32_t mask;

    if (!e || !sock_selected(sock_of(listener)))
        return;
    lock_acquire(&e->lock);
    mask = e->mask;
    if (mask)
        event = object_get(e->event);
    lock_release(&e->lock);
    if (!event)
        return;
    sockevent_select(f, event, mask);
    object_put(event);
}

void sockevent_take(struct file *f, struct object *event, uint32_t *events, int32_t errors[SE_COUNT])
{
    struct sock_events *e = atomic_load(&sock_of(f)->events);
    struct dispatcher *d = event ? event->type->dispatcher(event) : NULL;

    *events = 0;
    if (e) {
        lock_acquire(&e->lock);
        *events = e->recorded;
        for (int i = 0; i < SE_COUNT; i++) {
            if (e->recorded & 1u << i)
                errors[i] = e->errors[i];
        }
        e->recorded = 0;
    }
    if (d)
        dispatcher_set(d, 0); /* makes nobody wake: may stand under the lock */
    if (e)
        lock_release(&e->lock);
}

/* ---- ending ---- */

void sockevent_end(struct file *f)
{
    struct sock *s = sock_of(f);
    struct sock_events *e = atomic_load(&s->events);
    struct object *old;

    if (!e)
        return;
    lock_acquire(&e->lock);
    e->ended = true;
    lock_release(&e->lock);
    old = replace(s, e, NULL, 0);
    if (old)
        object_put(old);
}

void sockevent_free(struct sock *s)
{
    struct sock_events *e = atomic_load(&s->events);

    if (!e)
        return;
    if (e->event)
        object_put(e->event);
    free(e);
}
