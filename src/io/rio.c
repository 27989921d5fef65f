/* SPDX-License-Identifier: MIT */
/*
 * Registered buffers and completion queues; see rio.h. Whoever ends an operation appends it to
 * its completion queue and, if a notification is armed, disarms and sends it: the packet was allocated when
 * it was armed.
 */
#include "io/rio_inside.h"

#include "base/status.h"
#include "engine/poller.h"
#include "io/verify.h"
#include "ntstatus.h"
#include "object/handle.h"
#include "wait/dispatcher.h"
#include "wait/objects.h"
#include "winerror.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- buffers ---- */

/* `base` and `size` are constant, `uses` stands alone. */
struct rio_buffer {
    struct object object;
    char *base; /* the program's */
    uint32_t size;
    _Atomic uint32_t uses; /* operations that are not over, as far as they began under the verifier */
};

static struct rio_buffer *buffer_of(struct object *obj)
{
    return container_of(obj, struct rio_buffer, object);
}

static void destroy_buffer(struct object *obj)
{
    free(buffer_of(obj));
}

static const struct object_type buffer_type = {
    .name = "registered buffer", .kind = OBJECT_RIO_BUFFER, .destroy = destroy_buffer};

/* The page of `at` belongs to nothing. */
static bool is_unmapped(uintptr_t at)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    unsigned char resident;

    return mincore((void *)(at & ~(page - 1)), page, &resident) < 0 && errno == ENOMEM;
}

uint32_t rio_buffer_register(void *base, uint32_t size, uintptr_t *id)
{
    struct rio_buffer *b;
    uint32_t status;

    if (size == 0)
        return status_from_wsa(WSAEINVAL);
    if (!base || is_unmapped((uintptr_t)base) || is_unmapped((uintptr_t)base + size - 1))
        return status_from_wsa(WSAEFAULT);
    b = malloc(sizeof *b);
    if (!b)
        return STATUS_INSUFFICIENT_RESOURCES;
    object_init(&b->object, &buffer_type);
    b->base = base;
    b->size = size;
    atomic_init(&b->uses, 0);
    status = handle_open(&b->object, 0, 0, id);
    object_put(&b->object);
    return status;
}

/* The last handle of a kind that has one handle. */
static void close_handle(uintptr_t h, enum object_kind kind)
{
    struct object *obj;

    if (handle_get(h, kind, &obj, NULL) != STATUS_SUCCESS)
        return;
    handle_close(h);
    object_put(obj);
}

/* What is still in use is a mistake, by Microsoft's page one that a verifier finds. */
static void look_for_uses(uintptr_t id)
{
    struct object *obj;
    uint32_t uses;

    if (handle_get(id, OBJECT_RIO_BUFFER, &obj, NULL) != STATUS_SUCCESS)
        return;
    uses = atomic_load(&buffer_of(obj)->uses);
    object_put(obj);
    if (uses > 0)
        verify_deregistered(id, uses);
}

void rio_buffer_deregister(uintptr_t id)
{
    if (verify_is_on())
        look_for_uses(id);
    close_handle(id, OBJECT_RIO_BUFFER);
}

static void begin_use(struct rio_op *op, struct rio_buffer *b)
{
    assert(op->used_count < RIO_SLICES);
    atomic_fetch_add(&b->uses, 1);
    object_get(&b->object);
    op->used[op->used_count++] = b;
}

static void end_uses(struct rio_op *op)
{
    while (op->used_count > 0) {
        struct rio_buffer *b = op->used[--op->used_count];

        atomic_fetch_sub(&b->uses, 1);
        object_put(&b->object);
    }
}

struct rio_op *rio_op_new(void)
{
    size_t room = verify_is_on() ? RIO_SLICES * sizeof(struct rio_buffer *) : 0;

    return calloc(1, sizeof(struct rio_op) + room);
}

void rio_op_free(struct rio_op *op)
{
    if (op)
        end_uses(op);
    free(op);
}

uint32_t rio_resolve(struct rio_op *op, const struct rio_slice *slice, uint32_t least, void **base)
{
    struct rio_buffer *b;
    struct object *obj;
    uint32_t status = STATUS_SUCCESS;

    if (handle_get(slice->buffer, OBJECT_RIO_BUFFER, &obj, NULL) != STATUS_SUCCESS)
        return status_from_wsa(WSAEFAULT);
    b = buffer_of(obj);
    if (slice->offset > b->size || slice->size > b->size - slice->offset || slice->size < least)
        status = status_from_wsa(WSAEINVAL);
    else
        *base = b->base + slice->offset;
    if (status == STATUS_SUCCESS && verify_is_on())
        begin_use(op, b);
    object_put(obj);
    return status;
}

/* ---- completion queues ---- */

static struct rio_cq *cq_of(struct object *obj)
{
    return container_of(obj, struct rio_cq, object);
}

/* Gives the room and the memory of an operation back that is in no list any more. */
static void let_go(struct rio_op *op)
{
    struct rio_rq *rq = op->rq;

    rio_discharge(rq, (enum lane_direction)op->direction);
    object_put(&rq->object);
    rio_op_free(op);
}

static void cleanup_cq(struct object *obj)
{
    struct rio_cq *cq = cq_of(obj);
    struct list dropped;
    struct request *packet;
    struct list *n;

    list_init(&dropped);
    lock_acquire(&cq->lock);
    cq->closed = true;
    list_splice_back(&dropped, &cq->results);
    cq->count = cq->telling = 0;
    packet = cq->packet;
    cq->packet = NULL;
    lock_release(&cq->lock);
    if (packet)
        request_put(packet);
    while ((n = list_pop_front(&dropped)) != NULL)
        let_go(container_of(n, struct rio_op, link));
}

static void destroy_cq(struct object *obj)
{
    struct rio_cq *cq = cq_of(obj);

    assert(list_empty(&cq->results));
    assert(!cq->packet);
    if (cq->port)
        object_put(&cq->port->object);
    if (cq->event)
        object_put(cq->event);
    free(cq);
}

static const struct object_type cq_type = {.name = "registered completion queue",
                                           .kind = OBJECT_RIO_CQ,
                                           .cleanup = cleanup_cq,
                                           .destroy = destroy_cq};

static uint32_t pin_notification(struct rio_cq *cq, const struct rio_notification *by)
{
    struct object *obj;
    uint32_t status = STATUS_SUCCESS;

    if (by->event)
        status = handle_get(by->event, OBJECT_EVENT, &cq->event, NULL);
    if (status == STATUS_SUCCESS && by->port) {
        status = handle_get(by->port, OBJECT_PORT, &obj, NULL);
        if (status == STATUS_SUCCESS)
            cq->port = port_from_object(obj);
    }
    cq->reset = by->reset;
    cq->key = by->key;
    cq->ov = by->ov;
    return status == STATUS_SUCCESS ? status : status_from_wsa(WSAEINVAL);
}

uint32_t rio_cq_create(uint32_t size, const struct rio_notification *by, uintptr_t *h)
{
    struct rio_cq *cq;
    uint32_t status;

    if (size == 0 || size > RIO_QUEUE_MAX)
        return status_from_wsa(WSAEINVAL);
    cq = calloc(1, sizeof *cq);
    if (!cq)
        return STATUS_INSUFFICIENT_RESOURCES;
    object_init(&cq->object, &cq_type);
    lock_init(&cq->lock, LOCK_QUEUE);
    list_init(&cq->results);
    cq->size = size;
    status = pin_notification(cq, by);
    if (status == STATUS_SUCCESS)
        status = handle_open(&cq->object, 0, 0, h);
    object_put(&cq->object);
    return status;
}

void rio_cq_close(uintptr_t h)
{
    close_handle(h, OBJECT_RIO_CQ);
}

struct rio_cq *rio_cq_get(uintptr_t h)
{
    struct object *obj;

    return handle_get(h, OBJECT_RIO_CQ, &obj, NULL) == STATUS_SUCCESS ? cq_of(obj) : NULL;
}

uint32_t rio_cq_resize(uintptr_t h, uint32_t size)
{
    struct rio_cq *cq = rio_cq_get(h);
    uint32_t status = STATUS_SUCCESS;

    if (!cq)
        return status_from_wsa(WSAEINVAL);
    lock_acquire(&cq->lock);
    if (size == 0 || size > RIO_QUEUE_MAX)
        status = status_from_wsa(WSAEINVAL);
    else if (size < cq->promised)
        status = status_from_wsa(WSAETOOMANYREFS);
    else
        cq->size = size;
    lock_release(&cq->lock);
    object_put(&cq->object);
    return status;
}

bool rio_cq_promise(struct rio_cq *cq, uint32_t n)
{
    bool fits;

    lock_acquire(&cq->lock);
    fits = n <= cq->size - cq->promised;
    if (fits)
        cq->promised += n;
    lock_release(&cq->lock);
    return fits;
}

void rio_cq_take_back(struct rio_cq *cq, uint32_t n)
{
    lock_acquire(&cq->lock);
    assert(n <= cq->promised);
    cq->promised -= n;
    lock_release(&cq->lock);
}

bool rio_cq_is_closed(struct rio_cq *cq)
{
    bool closed;

    lock_acquire(&cq->lock);
    closed = cq->closed;
    lock_release(&cq->lock);
    return closed;
}

/* ---- results ---- */

/* What a notification is sent by, once no lock is held. */
struct message {
    struct request *packet; /* owned; NULL: none */
    struct wake_list wakes;
};

/* If a notification is armed and there is something to tell it is disarmed, and *m has to be sent. */
static bool tell_locked(struct rio_cq *cq, struct message *m)
{
    lock_assert_held(&cq->lock);
    m->packet = NULL;
    if (!cq->armed || cq->telling == 0)
        return false;
    if (cq->event) {
        struct dispatcher *d = event_dispatcher(cq->event);

        wake_list_init(&m->wakes);
        dispatcher_lock(d);
        dispatcher_answer_locked(d, &cq->armed, 0, &m->wakes);
        dispatcher_unlock(d);
    } else {
        cq->armed = 0;
        m->packet = cq->packet;
        cq->packet = NULL;
    }
    return true;
}

static void send_message(struct rio_cq *cq, struct message *m)
{
    if (!m->packet) {
        wake_list_run(&m->wakes);
        return;
    }
    thread_count(thread_current(), LEDGER_POSTED, 1);
    port_put(cq->port, m->packet, NULL, NULL);
}

void rio_finish(struct rio_op *op, uint32_t status, uint32_t bytes)
{
    struct rio_cq *cq = op->rq->sides[op->direction].cq;
    struct message m;
    bool closed, tells = false;

    end_uses(op); /* the program may deregister the buffers as soon as it has the result */
    op->status = (int32_t)status_to_wsa(status);
    op->bytes = bytes;
    lock_acquire(&cq->lock);
    closed = cq->closed;
    if (!closed) {
        list_push_back(&cq->results, &op->link);
        cq->count++;
        assert(cq->count <= cq->promised);
        cq->telling += !op->quiet;
        tells = !op->quiet && tell_locked(cq, &m);
        if (tells) /* op, by which it lives, can be dequeued from now on */
            object_get(&cq->object);
    }
    lock_release(&cq->lock);
    if (closed)
        let_go(op);
    if (tells) {
        send_message(cq, &m);
        object_put(&cq->object);
    }
}

static struct request *new_packet(const struct rio_cq *cq)
{
    struct request *r = request_new_packet();

    if (!r)
        return NULL;
    r->key = cq->key;
    r->ov = cq->ov;
    r->status = STATUS_SUCCESS;
    r->bytes = 0;
    return r;
}

/* The packet is taken over, if this succeeds. */
static uint32_t arm_locked(struct rio_cq *cq, struct request *packet)
{
    lock_assert_held(&cq->lock);
    if (cq->closed || (!cq->port && !cq->event))
        return status_from_wsa(WSAEINVAL);
    if (cq->armed)
        return status_from_wsa(WSAEALREADY);
    if (cq->event && cq->reset) {
        struct dispatcher *d = event_dispatcher(cq->event);

        dispatcher_lock(d);
        __atomic_store_n(&d->signal, 0, __ATOMIC_RELAXED);
        dispatcher_unlock(d);
    }
    cq->armed = 1;
    cq->packet = packet;
    return STATUS_SUCCESS;
}

static uint32_t arm(struct rio_cq *cq)
{
    struct request *packet = cq->port ? new_packet(cq) : NULL;
    struct message m;
    bool tells;
    uint32_t status;

    if (cq->port && !packet)
        return STATUS_INSUFFICIENT_RESOURCES;
    lock_acquire(&cq->lock);
    status = arm_locked(cq, packet);
    tells = status == STATUS_SUCCESS && tell_locked(cq, &m);
    lock_release(&cq->lock);
    if (status != STATUS_SUCCESS && packet)
        request_put(packet);
    if (tells)
        send_message(cq, &m);
    return status;
}

uint32_t rio_notify(uintptr_t h)
{
    struct rio_cq *cq = rio_cq_get(h);
    uint32_t status;

    if (!cq)
        return status_from_wsa(WSAEINVAL);
    status = arm(cq);
    object_put(&cq->object);
    return status;
}

/* Up to max operations, for the caller to let go. */
static uint32_t take_results(struct rio_cq *cq, uint32_t max, struct list *taken)
{
    struct list *n;
    uint32_t count = 0;

    lock_acquire(&cq->lock);
    while (count < max && (n = list_pop_front(&cq->results)) != NULL) {
        if (!container_of(n, struct rio_op, link)->quiet)
            cq->telling--;
        list_push_back(taken, n);
        count++;
    }
    cq->count -= count;
    lock_release(&cq->lock);
    return count;
}

uint32_t rio_dequeue(uintptr_t h, struct rio_result *out, uint32_t max, uint32_t *count)
{
    struct rio_cq *cq = rio_cq_get(h);
    struct list taken;
    struct list *n;

    if (!cq)
        return status_from_wsa(WSAEINVAL);
    list_init(&taken);
    *count = take_results(cq, max, &taken);
    if (*count == 0 && max > 0) { /* a program that polls is served by nobody else, perhaps */
        poller_help_all();
        *count = take_results(cq, max, &taken);
    }
    for (; (n = list_pop_front(&taken)) != NULL; out++) {
        struct rio_op *op = container_of(n, struct rio_op, link);

        *out = (struct rio_result){op->status, op->bytes, op->rq->context, op->context};
        let_go(op);
    }
    object_put(&cq->object);
    return STATUS_SUCCESS;
}
