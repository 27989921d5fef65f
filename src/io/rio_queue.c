/* SPDX-License-Identifier: MIT */
/*
 * Request queues of registered I/O; see rio.h. One belongs to its socket: it says how many operations of each
 * direction may be outstanding, for which the completion queues have promised room.
 */
#include "io/rio_inside.h"

#include "base/status.h"
#include "io/sock.h"
#include "ntstatus.h"
#include "object/handle.h"
#include "winerror.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/socket.h>

/* ---- what operations take ---- */

uint32_t rio_charge(struct rio_rq *rq, enum lane_direction direction, struct file **f)
{
    struct rio_side *side = &rq->sides[direction];
    uint32_t status = STATUS_SUCCESS;

    if (rio_cq_is_closed(side->cq))
        return status_from_wsa(WSAEINVAL);
    lock_acquire(&rq->lock);
    if (!rq->file) {
        status = status_from_wsa(WSAEINVAL);
    } else if (side->outstanding >= side->max) {
        status = status_from_wsa(WSAENOBUFS);
    } else {
        side->outstanding++;
        file_get(rq->file); /* its cleanup, which is still to come, would have cleared it */
        *f = rq->file;
    }
    lock_release(&rq->lock);
    return status;
}

void rio_discharge(struct rio_rq *rq, enum lane_direction direction)
{
    struct rio_side *side = &rq->sides[direction];
    bool ended;

    lock_acquire(&rq->lock);
    assert(side->outstanding > 0);
    side->outstanding--;
    ended = !rq->file;
    lock_release(&rq->lock);
    if (ended) /* was left promised for this one alone */
        rio_cq_take_back(side->cq, 1);
}

static void destroy_rq(struct object *obj)
{
    struct rio_rq *rq = rio_rq_of(obj);

    for (int i = 0; i < LANE_COUNT; i++)
        if (rq->sides[i].cq)
            object_put(&rq->sides[i].cq->object);
    free(rq);
}

static const struct object_type rq_type = {
    .name = "registered request queue", .kind = OBJECT_RIO_RQ, .destroy = destroy_rq};

struct rio_rq *rio_rq_get(uintptr_t h)
{
    struct object *obj;

    return handle_get(h, OBJECT_RIO_RQ, &obj, NULL) == STATUS_SUCCESS ? rio_rq_of(obj) : NULL;
}

static struct rio_rq *new_rq(uint64_t context)
{
    struct rio_rq *rq = calloc(1, sizeof *rq);

    if (!rq)
        return NULL;
    object_init(&rq->object, &rq_type);
    lock_init(&rq->lock, LOCK_LEAF);
    rq->context = context;
    for (int i = 0; i < LANE_COUNT; i++) {
        list_init(&rq->sides[i].held);
        list_init(&rq->sides[i].ready);
    }
    return rq;
}

/* Both directions get their room, or neither. */
static uint32_t promise_both(struct rio_rq *rq, const uint32_t n[LANE_COUNT])
{
    if (!rio_cq_promise(rq->sides[LANE_IN].cq, n[LANE_IN]))
        return status_from_wsa(WSAENOBUFS);
    if (rio_cq_promise(rq->sides[LANE_OUT].cq, n[LANE_OUT]))
        return STATUS_SUCCESS;
    rio_cq_take_back(rq->sides[LANE_IN].cq, n[LANE_IN]);
    return status_from_wsa(WSAENOBUFS);
}

static void take_back_both(struct rio_rq *rq, const uint32_t n[LANE_COUNT])
{
    for (int i = 0; i < LANE_COUNT; i++)
        rio_cq_take_back(rq->sides[i].cq, n[i]);
}

/* The socket has it from now on, until rio_end. WSAEINVAL: it has one, or is being closed. */
static uint32_t attach(struct file *f, struct rio_rq *rq)
{
    uint32_t status = file_need_rare(f);

    if (status != STATUS_SUCCESS)
        return status;
    rq->file = f; /* nobody else has it yet */
    lock_acquire(&f->lock);
    if (f->closing || f->rare->rio)
        status = status_from_wsa(WSAEINVAL);
    else
        f->rare->rio = object_get(&rq->object);
    lock_release(&f->lock);
    return status;
}

/* The threads of the port that hears of its results are the ones to look after the socket. */
static uint32_t have_served(struct file *f, const struct rio_rq *rq)
{
    struct port *port = rq->sides[LANE_IN].cq->port;

    if (!port)
        port = rq->sides[LANE_OUT].cq->port;
    return port ? file_serve(f, port) : (uint32_t)STATUS_SUCCESS;
}

/* The socket may be closed already: then the handle is closed here, and else by rio_end. */
static uint32_t publish(struct rio_rq *rq)
{
    uintptr_t h;
    uint32_t status = handle_open(&rq->object, 0, 0, &h);
    bool open;

    if (status != STATUS_SUCCESS)
        return status;
    lock_acquire(&rq->lock);
    open = rq->file != NULL;
    if (open)
        rq->handle = h;
    lock_release(&rq->lock);
    if (open)
        return STATUS_SUCCESS;
    handle_close(h);
    return status_from_wsa(WSAEINVAL);
}

/* The queues are there: room, socket, handle. */
static uint32_t set_up(struct file *f, struct rio_rq *rq)
{
    uint32_t n[LANE_COUNT] = {rq->sides[LANE_IN].max, rq->sides[LANE_OUT].max};
    uint32_t status = promise_both(rq, n);

    if (status != STATUS_SUCCESS)
        return status;
    status = attach(f, rq);
    if (status != STATUS_SUCCESS) {
        take_back_both(rq, n);
        return status;
    }
    status = have_served(f, rq);
    if (status == STATUS_SUCCESS)
        status = publish(rq);
    if (status != STATUS_SUCCESS)
        rio_end(f);
    return status;
}

static bool get_queues(struct rio_rq *rq, uintptr_t receive_cq, uintptr_t send_cq)
{
    rq->sides[LANE_IN].cq = rio_cq_get(receive_cq);
    rq->sides[LANE_OUT].cq = rio_cq_get(send_cq);
    return rq->sides[LANE_IN].cq && rq->sides[LANE_OUT].cq;
}

uint32_t rio_rq_create(struct file *f, const struct rio_limits *limits, uintptr_t receive_cq,
                       uintptr_t send_cq, uint64_t context, uintptr_t *h)
{
    struct rio_rq *rq;
    uint32_t status;

    if (!(f->flags & FILE_REGISTERED) || sock_of(f)->type == SOCK_RAW)
        return status_from_wsa(WSAEOPNOTSUPP);
    if (limits->receives == 0 && limits->sends == 0)
        return status_from_wsa(WSAEINVAL);
    rq = new_rq(context);
    if (!rq)
        return STATUS_INSUFFICIENT_RESOURCES;
    rq->sides[LANE_IN].max = limits->receives;
    rq->sides[LANE_OUT].max = limits->sends;
    if (get_queues(rq, receive_cq, send_cq))
        status = set_up(f, rq);
    else
        status = status_from_wsa(WSAEINVAL);
    if (status == STATUS_SUCCESS)
        *h = rq->handle;
    object_put(&rq->object);
    return status;
}

/* Less or more room than what the limits have now. Of one completion queue for both directions it is what
 * they differ by together: room may move from one to the other of a queue that has no more. */
static void difference(const struct rio_rq *rq, const uint32_t max[LANE_COUNT],
                       const uint32_t old[LANE_COUNT], uint32_t more[LANE_COUNT], uint32_t less[LANE_COUNT])
{
    int64_t by[LANE_COUNT];

    for (int i = 0; i < LANE_COUNT; i++)
        by[i] = (int64_t)max[i] - old[i];
    if (rq->sides[LANE_IN].cq == rq->sides[LANE_OUT].cq) {
        by[LANE_IN] += by[LANE_OUT];
        by[LANE_OUT] = 0;
    }
    for (int i = 0; i < LANE_COUNT; i++) {
        more[i] = by[i] <= 0 ? 0 : by[i] <= UINT32_MAX ? (uint32_t)by[i] : UINT32_MAX; /* no queue has that */
        less[i] = by[i] < 0 ? (uint32_t)-by[i] : 0;
    }
}

/* The limits as they are. WSAETOOMANYREFS: max is below what is under way. */
static uint32_t compare(struct rio_rq *rq, const uint32_t max[LANE_COUNT], uint32_t now[LANE_COUNT])
{
    uint32_t status = rq->file ? (uint32_t)STATUS_SUCCESS : status_from_wsa(WSAEINVAL);

    lock_assert_held(&rq->lock);
    for (int i = 0; i < LANE_COUNT && status == STATUS_SUCCESS; i++) {
        now[i] = rq->sides[i].max;
        if (max[i] < rq->sides[i].outstanding)
            status = status_from_wsa(WSAETOOMANYREFS);
    }
    return status;
}

/* The room has been promised for what differs from `old`. STATUS_RETRY: somebody has resized it meanwhile. */
static uint32_t set_limits(struct rio_rq *rq, const uint32_t max[LANE_COUNT], const uint32_t old[LANE_COUNT])
{
    uint32_t now[LANE_COUNT];
    uint32_t status;

    lock_acquire(&rq->lock);
    status = compare(rq, max, now);
    if (status == STATUS_SUCCESS && (now[LANE_IN] != old[LANE_IN] || now[LANE_OUT] != old[LANE_OUT]))
        status = STATUS_RETRY;
    for (int i = 0; i < LANE_COUNT && status == STATUS_SUCCESS; i++)
        rq->sides[i].max = max[i];
    lock_release(&rq->lock);
    return status;
}

static uint32_t try_resize(struct rio_rq *rq, const uint32_t max[LANE_COUNT])
{
    uint32_t old[LANE_COUNT], more[LANE_COUNT], less[LANE_COUNT];
    uint32_t status;

    lock_acquire(&rq->lock);
    status = compare(rq, max, old);
    lock_release(&rq->lock);
    if (status != STATUS_SUCCESS)
        return status;
    difference(rq, max, old, more, less);
    status = promise_both(rq, more);
    if (status != STATUS_SUCCESS)
        return status;
    status = set_limits(rq, max, old);
    take_back_both(rq, status == STATUS_SUCCESS ? less : more);
    return status;
}

/* Whoever makes it try again has resized it: it ends. */
static uint32_t resize(struct rio_rq *rq, const uint32_t max[LANE_COUNT])
{
    uint32_t status;

    do
        status = try_resize(rq, max);
    while (status == STATUS_RETRY);
    return status;
}

uint32_t rio_rq_resize(uintptr_t h, const struct rio_limits *limits)
{
    const uint32_t max[LANE_COUNT] = {[LANE_IN] = limits->receives, [LANE_OUT] = limits->sends};
    struct rio_rq *rq = rio_rq_get(h);
    uint32_t status;

    if (!rq)
        return status_from_wsa(WSAEINVAL);
    if (limits->receives == 0 && limits->sends == 0)
        status = status_from_wsa(WSAEINVAL);
    else
        status = resize(rq, max);
    object_put(&rq->object);
    return status;
}

/* ---- the end ---- */

static struct rio_rq *detach(struct file *f)
{
    struct object *obj = NULL;

    lock_acquire(&f->lock);
    if (f->rare && f->rare->rio) {
        obj = f->rare->rio;
        f->rare->rio = NULL;
    }
    lock_release(&f->lock);
    return obj ? rio_rq_of(obj) : NULL;
}

void rio_end(struct file *f)
{
    struct rio_rq *rq = detach(f);
    uint32_t idle[LANE_COUNT];
    uintptr_t handle;
    struct list held;
    struct list *n;

    if (!rq)
        return;
    list_init(&held);
    lock_acquire(&rq->lock);
    rq->file = NULL;
    handle = rq->handle;
    for (int i = 0; i < LANE_COUNT; i++) {
        idle[i] = rq->sides[i].max - rq->sides[i].outstanding;
        list_splice_back(&held, &rq->sides[i].held);
    }
    lock_release(&rq->lock);
    take_back_both(rq, idle);
    while ((n = list_pop_front(&held)) != NULL) {
        struct rio_op *op = container_of(n, struct rio_op, link);

        request_refuse(op->request, STATUS_CANCELLED);
        rio_finish(op, STATUS_CANCELLED, 0);
    }
    if (handle)
        handle_close(handle);
    object_put(&rq->object);
}
