/* SPDX-License-Identifier: MIT */
/*
 * Notices; see notice.h. A registration has one entry for its port's queue, which stands there first as a
 * notice ("look at me") and, if something is so when a thread dequeues it, once more as the packet:
 *
 *   IDLE -> QUEUED -> LOOKING -> GIVEN -> IDLE, or QUEUED again: by levels, and for what came meanwhile
 *                        |
 *                        +-----> IDLE: nothing is so
 *
 * Lost edges: the socket is registered with its poller before it is looked at, and an edge that comes during
 * a look makes it look again (`again`).
 */
#include "io/notice.h"

#include "io/afd.h"
#include "io/lane.h"
#include "io/sockevent.h"
#include "ntstatus.h"

#include <assert.h>
#include <stdlib.h>

enum state {
    IDLE,
    QUEUED,  /* a notice in the queue */
    LOOKING, /* taken out by a thread, which looks at the socket */
    GIVEN,   /* a packet, until it has been dequeued */
};

/* Rules: `lock` guards all but the count and what is constant: port, key. The entry belongs to the queue, or
 * to the thread that took it out; unless IDLE it holds a reference, another is its socket's. */
struct notice {
    struct queue_entry entry;
    struct lock lock;
    _Atomic uint32_t refs;
    struct port *port;  /* counted */
    uintptr_t key;
    struct file *file;  /* borrowed until it is closed (notice_end) or the removal has been told: then NULL */
    uint8_t state;      /* enum state */
    uint8_t triggers;   /* enum notice_trigger */
    bool enabled;
    bool removing;      /* a packet has to say so */
    bool again;         /* something came while it was LOOKING or GIVEN */
    uint32_t filter;
    uint32_t held;      /* what was so at the last look: edges are measured by it */
    uint32_t changes;   /* counted: a look at what was asked for before does not count */
    uint32_t events;    /* of the packet, when GIVEN */
};

static void notice_put(struct notice *n)
{
    if (atomic_fetch_sub(&n->refs, 1) != 1)
        return;
    object_put(&n->port->object);
    free(n);
}

static struct notice *of(struct queue_entry *e)
{
    return container_of(e, struct notice, entry);
}

/* ---- the place of a registration ---- */

/* Counted, or NULL. */
static struct notice *find(struct file *f)
{
    struct notice *n = NULL;

    if (!(atomic_load(&sock_of(f)->user_events) & SOCK_NOTIFIED))
        return NULL;
    lock_acquire(&f->lock);
    if (atomic_load(&sock_of(f)->user_events) & SOCK_NOTIFIED) {
        n = *sockevent_notice(f);
        atomic_fetch_add(&n->refs, 1);
    }
    lock_release(&f->lock);
    return n;
}

/* Takes it out of its place, with the reference that stands there: true. */
static bool take_out(struct file *f, const struct notice *n)
{
    bool stood = false;

    lock_acquire(&f->lock);
    if (atomic_load(&sock_of(f)->user_events) & SOCK_NOTIFIED) {
        struct notice **place = sockevent_notice(f);

        stood = *place == n;
        if (stood) {
            *place = NULL;
            atomic_fetch_and(&sock_of(f)->user_events, ~SOCK_NOTIFIED);
        }
    }
    lock_release(&f->lock);
    return stood;
}

static bool stands_still(struct file *f, const struct notice *n)
{
    struct notice *now = find(f);

    if (now)
        notice_put(now);
    return now == n;
}

/* The port whose registration stands serves the file, or none. After every change of the place: who has
 * served it last looks at the place after that, so that what stands in the end is what serves. */
static uint32_t serve(struct file *f)
{
    uint32_t status;
    bool settled;

    do {
        struct notice *n = find(f);

        status = file_serve(f, n ? n->port : NULL);
        settled = stands_still(f, n);
        if (n)
            notice_put(n);
    } while (status == STATUS_SUCCESS && !settled);
    return status;
}

/* It has come to its end (n->file is NULL). */
static void detach(struct file *f, struct notice *n)
{
    if (!take_out(f, n))
        return;
    serve(f);
    notice_put(n);
}

/* ---- the queue ---- */

/* It has to be looked at. True: it is to be put into the queue. */
static bool begin_locked(struct notice *n)
{
    lock_assert_held(&n->lock);
    if (n->state == IDLE) {
        n->state = QUEUED;
        n->entry.ready = QUEUE_NOTICE;
        atomic_fetch_add(&n->refs, 1);
        return true;
    }
    if (n->state != QUEUED)
        n->again = true;
    return false;
}

static void put(struct notice *n, bool quiet)
{
    if (queue_put_notice(&n->port->queue, &n->entry, quiet))
        return;
    lock_acquire(&n->lock);
    n->state = IDLE;
    lock_release(&n->lock);
    notice_put(n);
}

static void count(enum ledger_count what)
{
    struct thread *self = thread_current_or_null();

    if (self)
        thread_count(self, what, 1);
}

static void give(struct notice *n)
{
    count(LEDGER_POSTED);
    count(LEDGER_QUEUED);
    if (!queue_put_own(&n->port->queue, &n->entry)) {
        count(LEDGER_DROPPED);
        notice_drop(&n->entry);
    }
}

/* ---- looking ---- */

static uint32_t what_is_so(struct file *f)
{
    uint32_t now = afd_conditions(f);
    uint32_t events = 0;

    if (now & (AFD_RECEIVE | AFD_ACCEPT | AFD_DISCONNECT | AFD_ABORT))
        events |= NOTICE_IN; /* a receive would not block, be it for the end or an error */
    if (now & (AFD_SEND | AFD_ABORT | AFD_CONNECT_FAIL))
        events |= NOTICE_OUT;
    if (now & (AFD_DISCONNECT | AFD_ABORT | AFD_CONNECT_FAIL))
        events |= NOTICE_HANGUP;
    if (now & (AFD_ABORT | AFD_CONNECT_FAIL))
        events |= NOTICE_ERR;
    return events;
}

/* What is to be told. `now` was seen when `changes` was what it says. */
static uint32_t judge_locked(struct notice *n, uint32_t now, uint32_t changes)
{
    uint32_t fresh = now;

    lock_assert_held(&n->lock);
    if (n->removing)
        return NOTICE_REMOVE;
    if (!n->enabled || !n->file || n->changes != changes)
        return 0;
    if (n->triggers & NOTICE_EDGE)
        fresh &= ~n->held;
    n->held = now;
    return fresh & (n->filter | NOTICE_ERR);
}

/* Looks until nothing has come meanwhile. Lock held on entry and return, not between. */
static uint32_t look_locked(struct notice *n)
{
    uint32_t events;

    do {
        uint32_t changes = n->changes, now = 0;
        struct file *f = n->enabled && !n->removing ? n->file : NULL;

        n->again = false;
        if (f)
            file_get(f);
        lock_release(&n->lock);
        if (f) {
            now = what_is_so(f);
            file_put(f);
        }
        lock_acquire(&n->lock);
        events = judge_locked(n, now, changes);
    } while (events == 0 && n->again);
    return events;
}

void notice_run(struct queue_entry *e)
{
    struct notice *n = of(e);
    uint32_t events;

    lock_acquire(&n->lock);
    assert(n->state == QUEUED);
    n->state = LOOKING;
    events = look_locked(n);
    n->events = events;
    n->state = events ? GIVEN : IDLE;
    if (n->triggers & NOTICE_ONESHOT && events)
        n->enabled = false;
    n->entry.ready = QUEUE_PACKET;
    lock_release(&n->lock);
    if (events)
        give(n);
    else
        notice_put(n);
}

/* Its packet has come to its end. True: the registration has, too. */
static bool end_packet_locked(struct notice *n, bool dropped, struct file **f)
{
    bool ends = dropped || (n->events & NOTICE_REMOVE);

    lock_assert_held(&n->lock);
    assert(n->state == GIVEN);
    n->state = IDLE;
    *f = ends ? n->file : NULL;
    if (ends) {
        n->file = NULL;
        n->enabled = n->removing = false;
    }
    if (*f)
        file_get(*f);
    return ends;
}

static void end_packet(struct notice *n, bool dropped)
{
    bool goes_on = false;
    struct file *f;

    lock_acquire(&n->lock);
    if (!end_packet_locked(n, dropped, &f))
        goes_on = n->removing || (n->enabled && n->file && (n->triggers & NOTICE_LEVEL || n->again));
    n->again = false;
    if (goes_on)
        begin_locked(n);
    lock_release(&n->lock);
    if (f) {
        detach(f, n);
        file_put(f);
    }
    if (goes_on)
        put(n, false);
    notice_put(n);
}

void notice_unpack(struct queue_entry *e, struct packet *out)
{
    struct notice *n = of(e);

    *out = (struct packet){.key = n->key, .status = STATUS_SUCCESS, .bytes = n->events};
    end_packet(n, false);
}

void notice_drop(struct queue_entry *e)
{
    end_packet(of(e), true);
}

/* ---- sockets that changed ---- */

/* The thread that harvests the port's own poller looks into the queue behind that. */
static bool is_harvester(const struct notice *n)
{
    struct thread *self = thread_current_or_null();

    return self && self->harvested == &n->port->queue;
}

void notice_look(struct file *f, bool edge)
{
    struct notice *n = find(f);
    bool queued;

    if (!n)
        return;
    if (!edge)
        lane_register(f); /* something may have undone it */
    lock_acquire(&n->lock);
    queued = n->enabled && begin_locked(n);
    lock_release(&n->lock);
    if (queued)
        put(n, edge && is_harvester(n));
    notice_put(n);
}

/* Conditions that are measured by their edges have ceased, but for those that are so now. */
static void measure_anew(struct file *f, uint32_t ceased)
{
    struct notice *n = find(f);
    bool queued = false;

    if (!n)
        return;
    lock_acquire(&n->lock);
    ceased = n->enabled && n->triggers & NOTICE_EDGE ? ceased & n->held : 0;
    n->held &= ~ceased;
    lock_release(&n->lock);
    if (ceased && (what_is_so(f) & ceased)) { /* nobody else may have heard of it */
        lock_acquire(&n->lock);
        queued = n->enabled && begin_locked(n);
        lock_release(&n->lock);
    }
    if (queued)
        put(n, false);
    notice_put(n);
}

void notice_blocked_noted(struct file *f, uint32_t events)
{
    measure_anew(f, events);
}

void notice_received(struct file *f)
{
    if (__builtin_expect(atomic_load(&sock_of(f)->user_events) & SOCK_NOTIFIED, 0) &&
        !(what_is_so(f) & NOTICE_IN))
        measure_anew(f, NOTICE_IN);
}

void notice_end(struct file *f)
{
    struct notice *n = find(f);
    bool queued;

    if (!n)
        return;
    lock_acquire(&n->lock);
    n->file = NULL;
    queued = n->state == QUEUED && !n->removing; /* it would come to nothing */
    lock_release(&n->lock);
    if (queued && queue_withdraw(&n->port->queue, &n->entry)) {
        lock_acquire(&n->lock);
        n->state = IDLE;
        lock_release(&n->lock);
        notice_put(n);
    }
    if (take_out(f, n))
        notice_put(n);
    notice_put(n);
}

/* ---- registering ---- */

static bool contradicts(const struct notice_change *c)
{
    bool level = c->triggers & NOTICE_LEVEL, edge = c->triggers & NOTICE_EDGE;

    return level == edge || (c->triggers & (NOTICE_ONESHOT | NOTICE_PERSISTENT)) == 3 ||
           (c->triggers & ~NOTICE_TRIGGERS) || (c->filter & ~(uint32_t)NOTICE_FILTER);
}

/* Puts a new one into the place, unless another stands there: NULL. Counted for the caller. */
static uint32_t place_new(struct file *f, struct port *port, uintptr_t key, struct notice **out)
{
    struct notice *n = calloc(1, sizeof *n);
    uint32_t status = STATUS_SUCCESS;

    *out = NULL;
    if (!n || !sockevent_notice(f)) {
        free(n);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    list_init(&n->entry.link);
    n->entry.noticed = true;
    lock_init(&n->lock, LOCK_LEAF);
    atomic_init(&n->refs, 2);
    n->port = port_from_object(object_get(&port->object));
    n->key = key;
    n->file = f;
    lock_acquire(&f->lock);
    if (f->closing) {
        status = STATUS_INVALID_HANDLE;
    } else if (!*sockevent_notice(f)) {
        *sockevent_notice(f) = *out = n;
        atomic_fetch_or(&sock_of(f)->user_events, SOCK_NOTIFIED);
    }
    lock_release(&f->lock);
    if (!*out) {
        atomic_store(&n->refs, 1);
        notice_put(n);
    }
    return status;
}

/* Nobody will hear of it any more: its port is closed. */
static bool is_dead(struct notice *n)
{
    bool closed;

    lock_acquire(&n->port->queue.lock);
    closed = n->port->queue.closed;
    lock_release(&n->port->queue.lock);
    return closed;
}

static void end(struct file *f, struct notice *n)
{
    lock_acquire(&n->lock);
    n->file = NULL;
    n->enabled = n->removing = false;
    lock_release(&n->lock);
    detach(f, n);
}

/* The registration with this port, counted; a new one if `key` says what it is to be known by. */
static uint32_t find_or_make(struct file *f, struct port *port, const uintptr_t *key, struct notice **out,
                             bool *made)
{
    uint32_t status = STATUS_SUCCESS;
    struct notice *n;

    *out = NULL;
    *made = false;
    while (!*out && status == STATUS_SUCCESS) {
        n = find(f);
        if (n && n->port == port) {
            *out = n;
        } else if (n && is_dead(n)) {
            end(f, n);
            notice_put(n);
        } else if (n) {
            notice_put(n);
            status = STATUS_INVALID_PARAMETER;
        } else if (key) {
            status = place_new(f, port, *key, out);
            *made = *out != NULL;
        } else {
            status = STATUS_NOT_FOUND;
        }
    }
    return status;
}

static uint32_t enable(struct file *f, struct notice *n, const struct notice_change *c)
{
    uint32_t status = serve(f);
    uint32_t now = 0;
    bool queued = false;

    if (status == STATUS_SUCCESS)
        status = lane_register(f);
    if (status != STATUS_SUCCESS)
        return status;
    if (c->triggers & NOTICE_EDGE)
        now = what_is_so(f);
    lock_acquire(&n->lock);
    if (n->removing || !n->file) { /* or that is just being told */
        status = STATUS_OBJECT_NAME_COLLISION;
    } else {
        n->filter = c->filter;
        n->triggers = c->triggers;
        n->held = now;
        n->enabled = true;
        n->changes++;
        queued = begin_locked(n);
    }
    lock_release(&n->lock);
    if (queued)
        put(n, false);
    return status;
}

static uint32_t disable(struct notice *n, bool remove)
{
    bool queued = false, stands;

    lock_acquire(&n->lock);
    stands = n->file || n->removing;
    n->enabled = false;
    n->changes++;
    if (remove && stands && !n->removing) {
        n->removing = true;
        queued = begin_locked(n);
    }
    lock_release(&n->lock);
    if (queued)
        put(n, false);
    return stands ? (uint32_t)STATUS_SUCCESS : (uint32_t)STATUS_NOT_FOUND;
}

uint32_t notice_change(struct file *f, struct port *port, const struct notice_change *change)
{
    bool enables = change->operation == NOTICE_OP_ENABLE;
    struct notice *n;
    uint32_t status;
    bool made;

    if (change->operation == NOTICE_OP_NONE)
        return STATUS_SUCCESS;
    if (!enables && change->operation != NOTICE_OP_DISABLE && change->operation != NOTICE_OP_REMOVE)
        return STATUS_INVALID_PARAMETER;
    if (enables && contradicts(change))
        return STATUS_INVALID_PARAMETER;
    status = find_or_make(f, port, enables ? &change->key : NULL, &n, &made);
    if (status != STATUS_SUCCESS)
        return status;
    if (enables)
        status = enable(f, n, change);
    else
        status = disable(n, change->operation == NOTICE_OP_REMOVE);
    if (made && status != STATUS_SUCCESS)
        end(f, n);
    notice_put(n);
    return status;
}
