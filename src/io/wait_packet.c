/* SPDX-License-Identifier: MIT */
/*
 * Wait packets; see wait_packet.h. One is a listener and a request without an operation, whose second
 * reference tells how far it has got: the queue has it until it is dequeued or dropped, and before the
 * program sees the packet.
 *
 * IDLE -> LISTENING -> QUEUED, and back to IDLE by who cancels, or finds that the packet has been
 * dequeued. One call at a time works on a wait packet (`busy`); the signaller only moves LISTENING to
 * QUEUED. Who meets the other half-way waits for it: neither sleeps there.
 */
#include "io/wait_packet.h"

#include "base/lock.h"
#include "engine/home.h"
#include "ntstatus.h"
#include "object/name.h"
#include "wait/listener.h"
#include "wait/objects.h"

#include <assert.h>
#include <sched.h>
#include <stdlib.h>

enum state { IDLE, LISTENING, QUEUED };

/* Rules: `lock` guards state, busy and putting; the rest belongs to who is busy, or to the signaller while it
 * moves the state on. */
struct wait_packet {
    struct object object;
    struct lock lock;
    uint8_t state;            /* enum state */
    bool busy;                /* a call works on it */
    bool putting;             /* the signaller has not done yet */
    struct listener listener; /* holds a reference to the object while LISTENING */
    struct object *target;    /* counted while LISTENING */
    struct port *port;        /* counted unless IDLE */
    struct request *request;  /* counted unless IDLE */
};

static struct wait_packet *of(struct object *obj)
{
    return container_of(obj, struct wait_packet, object);
}

/* ---- what happens at the signal ---- */

/* A thread that is at its end, and so is the signal, is counted no more. */
static void count_if_alive(enum ledger_count what)
{
    struct thread *self = thread_current_or_null();

    if (self)
        thread_count(self, what, 1);
}

static void put(struct wait_packet *p)
{
    count_if_alive(LEDGER_POSTED);
    count_if_alive(LEDGER_QUEUED);
    if (queue_put(&p->port->queue, &p->request->entry))
        return;
    count_if_alive(LEDGER_DROPPED);
    request_put(p->request); /* the queue's: the port is closed */
}

static void signalled(struct listener *l)
{
    struct wait_packet *p = container_of(l, struct wait_packet, listener);
    struct object *target = p->target;

    lock_acquire(&p->lock);
    assert(p->state == LISTENING);
    p->state = QUEUED;
    p->putting = true;
    lock_release(&p->lock);
    put(p);
    lock_acquire(&p->lock);
    p->putting = false;
    lock_release(&p->lock);
    object_put(target);
    object_put(&p->object);
}

/* ---- one call at a time ---- */

static void begin(struct wait_packet *p)
{
    for (;;) {
        bool mine;

        lock_acquire(&p->lock);
        mine = !p->busy && !p->putting;
        if (mine)
            p->busy = true;
        lock_release(&p->lock);
        if (mine)
            return;
        sched_yield();
    }
}

static void end(struct wait_packet *p, enum state state)
{
    lock_acquire(&p->lock);
    /* A signal that came since has moved it on already. */
    if (state != LISTENING)
        p->state = (uint8_t)state;
    p->busy = false;
    lock_release(&p->lock);
}

static enum state state_of(struct wait_packet *p)
{
    enum state state;

    lock_acquire(&p->lock);
    state = p->putting ? LISTENING : (enum state)p->state; /* half-way is not there yet */
    lock_release(&p->lock);
    return state;
}

static bool was_dequeued(struct wait_packet *p)
{
    return atomic_load(&p->request->refs) == 1;
}

/* Lets go what an association held to its end. */
static void forget(struct wait_packet *p)
{
    request_put(p->request);
    p->request = NULL;
    object_put(&p->port->object);
    p->port = NULL;
}

/* Ends the listening before it has come to anything: true. Else the signal was faster, and its packet has
 * been queued when this returns. */
static bool stop_listening(struct wait_packet *p)
{
    if (listener_end(&p->listener)) {
        object_put(p->target);
        object_put(&p->object); /* the listener's; the caller has one */
        request_put(p->request); /* the queue's, which never got it */
        return true;
    }
    while (state_of(p) == LISTENING)
        sched_yield();
    return false;
}

/* ---- life ---- */

static void cleanup(struct object *obj)
{
    if (object_name_leave(obj))
        wait_packet_cancel(obj, true);
}

static void destroy(struct object *obj)
{
    struct wait_packet *p = of(obj);

    object_name_clear(obj);
    if (p->request)
        forget(p);
    free(p);
}

const struct object_type wait_packet_type = {
    .name = "wait packet",
    .kind = OBJECT_WAIT_PACKET,
    .cleanup = cleanup,
    .destroy = destroy,
};

uint32_t wait_packet_new(const char *name, struct object **out)
{
    struct wait_packet *p = calloc(1, sizeof *p);

    if (!p)
        return STATUS_NO_MEMORY;
    object_init(&p->object, &wait_packet_type);
    lock_init(&p->lock, LOCK_LEAF);
    p->listener.notify = signalled;
    return object_publish_name(&p->object, name, out);
}

/* ---- associating ---- */

static struct dispatcher *what_to_wait_for(struct object *target)
{
    struct dispatcher *d = target->type->dispatcher ? target->type->dispatcher(target) : NULL;

    return d && d->consume != CONSUME_OWN ? d : NULL;
}

static uint32_t prepare(struct wait_packet *p, struct port *port, const struct packet *what)
{
    struct request *r = request_new_packet();

    if (!r)
        return STATUS_INSUFFICIENT_RESOURCES;
    request_get(r); /* one is the queue's */
    r->key = what->key;
    r->ov = what->ov;
    r->status = what->status;
    r->bytes = what->bytes;
    p->request = r;
    p->port = port_from_object(object_get(&port->object));
    return STATUS_SUCCESS;
}

/* *already: the object was signalled, and the packet is queued. */
static void listen(struct wait_packet *p, struct object *target, struct dispatcher *d, bool *already)
{
    p->target = object_get(target);
    object_get(&p->object);
    lock_acquire(&p->lock);
    p->state = LISTENING; /* before the signal can come */
    lock_release(&p->lock);
    *already = !listener_begin(&p->listener, d);
    if (!*already) {
        end(p, LISTENING);
        return;
    }
    put(p);
    object_put(target);
    object_put(&p->object);
    end(p, QUEUED);
}

/* Of an object that other processes share one hears by the home thread, which cannot be begun under locks. */
static bool would_hear(struct dispatcher *d)
{
    bool shared;

    lock_acquire(&d->lock);
    shared = d->shared;
    lock_release(&d->lock);
    return !shared || home_start() == 0;
}

uint32_t wait_packet_associate(struct object *packet, struct port *port, struct object *target,
                               const struct packet *what, bool *already)
{
    struct wait_packet *p = of(packet);
    struct dispatcher *d = what_to_wait_for(target);
    enum state state;
    uint32_t status;

    if (!d)
        return STATUS_OBJECT_TYPE_MISMATCH;
    if (!would_hear(d))
        return STATUS_INSUFFICIENT_RESOURCES;
    begin(p);
    state = state_of(p);
    if (state == LISTENING || (state == QUEUED && !was_dequeued(p))) {
        end(p, LISTENING);
        return STATUS_INVALID_PARAMETER_1;
    }
    if (state == QUEUED)
        forget(p);
    status = prepare(p, port, what);
    if (status != STATUS_SUCCESS)
        end(p, IDLE);
    else
        listen(p, target, d, already);
    return status;
}

/* ---- cancelling ---- */

/* What has become of a packet that was queued. */
static uint32_t cancel_queued(struct wait_packet *p, bool remove)
{
    if (was_dequeued(p))
        return STATUS_CANCELLED;
    if (!remove)
        return STATUS_PENDING;
    if (!queue_withdraw(&p->port->queue, &p->request->entry)) /* a thread is just taking it out, or has */
        return was_dequeued(p) ? (uint32_t)STATUS_CANCELLED : (uint32_t)STATUS_PENDING;
    count_if_alive(LEDGER_DROPPED);
    request_put(p->request);
    return STATUS_SUCCESS;
}

uint32_t wait_packet_cancel(struct object *packet, bool remove)
{
    struct wait_packet *p = of(packet);
    enum state state;
    uint32_t status;

    begin(p);
    state = state_of(p);
    if (state == IDLE) {
        end(p, IDLE);
        return STATUS_CANCELLED;
    }
    if (state == LISTENING && stop_listening(p))
        status = STATUS_SUCCESS;
    else
        status = cancel_queued(p, remove);
    if (status == STATUS_PENDING) {
        end(p, QUEUED);
        return status;
    }
    forget(p);
    end(p, IDLE);
    return status;
}
