/* SPDX-License-Identifier: MIT */
/*
 * The operations of registered I/O; see rio.h. A call makes the operation and its request, so that nothing is
 * missing later, and puts it into its direction's list. Deferred ones stay there until a call commits them.
 * Who commits starts them one after the other in the order of the calls, and whatever others commit
 * meanwhile. From then on they are requests in the socket's lane; how they fail, at once or later, is
 * a result.
 */
#include "io/rio_inside.h"

#include "base/status.h"
#include "io/lane.h"
#include "io/sock.h"
#include "ntstatus.h"
#include "winerror.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    CONTROL_HEAD = 8, /* RIO_CMSG_BUFFER, before the first header */
    NO_ISSUER = 0,    /* no thread's end cancels it */
};

/* A SOCKADDR_INET by another name. */
union address {
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    sa_family_t family;
};

static struct rio_op *op_of(const struct request *r)
{
    return container_of(r->ov, struct rio_op, ov);
}

/* ---- attempts: of datagrams, there is more to a send or receive than its buffer ---- */

static struct sock_transfer transfer_of(struct request *r)
{
    return (struct sock_transfer){.iov = request_iov(r), .iov_count = r->iov_count, .size = r->size};
}

/* Room for the one message that tells the local address. */
union pktinfo {
    struct cmsghdr head;
    char room[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(struct in_pktinfo))];
};

static void aim(struct sock_transfer *t, const struct rio_op *op, union pktinfo *own)
{
    t->name = op->remote;
    t->name_len = op->remote ? sizeof(union address) : 0;
    if (op->control_size > CONTROL_HEAD) {
        t->control = (char *)op->control + CONTROL_HEAD;
        t->control_len = op->control_size - CONTROL_HEAD;
    } else if (op->local) {
        t->control = own;
        t->control_len = sizeof *own;
    }
}

/* An address of one link says nothing without the interface. */
static uint32_t scope_of(const struct in6_pktinfo *info)
{
    const struct in6_addr *a = &info->ipi6_addr;
    bool link = IN6_IS_ADDR_LINKLOCAL(a) || IN6_IS_ADDR_MC_LINKLOCAL(a) || IN6_IS_ADDR_MC_NODELOCAL(a);

    return link ? (uint32_t)info->ipi6_ifindex : 0;
}

/* One control message: the address that the datagram was sent to, perhaps. */
static void take_arrival(const struct cmsghdr *head, const char *body, union address *local)
{
    struct in_pktinfo v4;
    struct in6_pktinfo v6;

    if (head->cmsg_level == IPPROTO_IP && head->cmsg_type == IP_PKTINFO &&
        head->cmsg_len >= CMSG_LEN(sizeof v4) && local->family == AF_INET) {
        memcpy(&v4, body, sizeof v4);
        local->v4.sin_addr = v4.ipi_addr;
    } else if (head->cmsg_level == IPPROTO_IPV6 && head->cmsg_type == IPV6_PKTINFO &&
               head->cmsg_len >= CMSG_LEN(sizeof v6) && local->family == AF_INET6) {
        memcpy(&v6, body, sizeof v6);
        local->v6.sin6_addr = v6.ipi6_addr;
        local->v6.sin6_scope_id = scope_of(&v6);
    }
}

/* What the kernel has told. The program's memory need not be aligned. */
static void find_arrival(const struct sock_transfer *t, union address *local)
{
    const char *control = t->control;
    struct cmsghdr head;

    for (size_t at = 0; at + sizeof head <= t->control_len; at += CMSG_ALIGN(head.cmsg_len)) {
        memcpy(&head, control + at, sizeof head);
        if (head.cmsg_len < sizeof head || head.cmsg_len > t->control_len - at)
            break;
        take_arrival(&head, control + at + CMSG_LEN(0), local);
    }
}

static void put_local(struct file *f, const struct sock_transfer *t, void *to)
{
    union address local = {.family = AF_UNSPEC};
    int32_t room = sizeof local;

    if (sock_local_name(f, &local, &room) != STATUS_SUCCESS)
        return;
    if (t->control)
        find_arrival(t, &local);
    memcpy(to, &local, sizeof local);
}

static void give_back(struct file *f, const struct sock_transfer *t, const struct rio_op *op)
{
    if (op->local)
        put_local(f, t, op->local);
    if (op->control) {
        uint32_t total = CONTROL_HEAD;

        if (op->control_size > CONTROL_HEAD)
            total += (uint32_t)t->control_len;
        memcpy(op->control, &total, sizeof total);
    }
    if (op->flags_out)
        memcpy(op->flags_out, &t->out_flags, sizeof t->out_flags);
}

static uint32_t receive_attempt(struct request *r)
{
    struct rio_op *op = op_of(r);
    struct sock_transfer t;
    union pktinfo own;
    uint32_t status;

    if (sock_is_stream(sock_of(r->file)))
        return sock_receive_attempt(r);
    t = transfer_of(r);
    aim(&t, op, &own);
    status = sock_receive_step(r->file, &t);
    r->bytes = t.bytes;
    if (status != STATUS_SUCCESS && status != STATUS_BUFFER_OVERFLOW)
        return status;
    give_back(r->file, &t, op);
    return op->payload ? status : (uint32_t)STATUS_SUCCESS; /* what nobody wants is not cut */
}

/* The kernel would send from an IPv6 socket to an IPv4 address, which sendto finds too short. */
static uint32_t check_destination(struct file *f, const struct rio_op *op)
{
    sa_family_t family;

    if (!op->remote)
        return STATUS_SUCCESS;
    memcpy(&family, op->remote, sizeof family);
    return sock_address_size(family) < sock_address_size(sock_of(f)->family) ? status_from_wsa(WSAEFAULT)
                                                                             : (uint32_t)STATUS_SUCCESS;
}

/* What a send brings along; its head alone is nothing. */
static uint32_t aim_control(struct sock_transfer *t, const struct rio_op *op)
{
    uint32_t total = 0;

    if (op->control)
        memcpy(&total, op->control, sizeof total);
    if (total > op->control_size)
        return status_from_wsa(WSAEINVAL);
    if (total > CONTROL_HEAD) {
        t->control = (char *)op->control + CONTROL_HEAD;
        t->control_len = total - CONTROL_HEAD;
    }
    return STATUS_SUCCESS;
}

static uint32_t send_attempt(struct request *r)
{
    struct rio_op *op = op_of(r);
    struct sock_transfer t;
    uint32_t status;

    if (sock_is_stream(sock_of(r->file)))
        return sock_send_attempt(r);
    t = transfer_of(r);
    status = check_destination(r->file, op);
    if (status == STATUS_SUCCESS)
        status = aim_control(&t, op);
    if (status != STATUS_SUCCESS)
        return status;
    t.name = op->remote;
    t.name_len = op->remote ? sock_address_size(sock_of(r->file)->family) : 0;
    status = sock_send_step(r->file, &t);
    r->bytes = t.bytes;
    if (status == STATUS_SUCCESS && op->flags_out)
        memcpy(op->flags_out, &t.out_flags, sizeof t.out_flags);
    return status;
}

static void answer(struct request *r)
{
    struct rio_op *op = op_of(r);
    uint32_t status = r->status;
    uint32_t bytes = r->bytes;

    request_put(r);
    rio_finish(op, status, bytes);
}

static const struct request_ops receive_ops = {.name = "registered receive",
                                               .attempt = receive_attempt,
                                               .finish = sock_receive_finish,
                                               .answer = answer};
static const struct request_ops send_ops = {.name = "registered send",
                                            .attempt = send_attempt,
                                            .queued = sock_send_queued,
                                            .release = sock_send_release,
                                            .answer = answer};

/* ---- starting ---- */

/* Into the lane. A socket that is closed takes nothing: then this is its end, too. */
static void start(struct rio_op *op)
{
    struct request *r = op->request;
    enum lane_direction direction = (enum lane_direction)op->direction;
    uint32_t status = direction == LANE_IN ? sock_may_receive(r->file) : sock_may_send(r->file, op->remote);

    op->request = NULL;
    if (status != STATUS_SUCCESS) {
        request_refuse(r, status);
    } else {
        request_begin_apart(r);
        status = lane_start(r, direction, NULL);
    }
    if (status != STATUS_PENDING)
        rio_finish(op, status, 0);
}

/* Starts what is committed, unless somebody is at it, who then does this too. rq's lock is held on entry,
 * not on return. */
static void start_ready(struct rio_rq *rq, struct rio_side *side)
{
    struct list *n;

    lock_assert_held(&rq->lock);
    if (!side->starting) {
        side->starting = true;
        while ((n = list_pop_front(&side->ready)) != NULL) {
            lock_release(&rq->lock);
            start(container_of(n, struct rio_op, link));
            lock_acquire(&rq->lock);
        }
        side->starting = false;
    }
    lock_release(&rq->lock);
}

static void commit(struct rio_rq *rq, enum lane_direction direction)
{
    struct rio_side *side = &rq->sides[direction];

    lock_acquire(&rq->lock);
    list_splice_back(&side->ready, &side->held);
    start_ready(rq, side);
}

/* The socket has been closed since the operation was made: false. */
static bool enlist(struct rio_op *op, bool held)
{
    struct rio_rq *rq = op->rq;
    struct rio_side *side = &rq->sides[op->direction];

    lock_acquire(&rq->lock);
    if (!rq->file) {
        lock_release(&rq->lock);
        return false;
    }
    list_push_back(&side->held, &op->link);
    if (held) {
        lock_release(&rq->lock);
    } else {
        list_splice_back(&side->ready, &side->held);
        start_ready(rq, side);
    }
    return true;
}

/* ---- calls ---- */

static uint32_t check_commit(const struct rio_call *c)
{
    bool bare = c->flags == RIO_COMMIT && !c->data && c->count == 0 && !c->local && !c->remote &&
                !c->control && !c->flags_out && c->context == 0;

    return bare ? (uint32_t)STATUS_SUCCESS : status_from_wsa(WSAEINVAL);
}

static uint32_t check(struct file *f, const struct rio_call *c)
{
    bool stream = sock_is_stream(sock_of(f));
    uint32_t may = RIO_QUIET | RIO_HELD;

    if (c->direction == LANE_IN && stream)
        may |= RIO_WHOLE;
    if ((c->flags & ~may) || c->count != (c->data ? 1 : 0) || (stream && !c->data) ||
        (c->direction == LANE_OUT && c->local))
        return status_from_wsa(WSAEINVAL);
    return STATUS_SUCCESS;
}

static uint32_t resolve_optional(struct rio_op *op, const struct rio_slice *slice, uint32_t least,
                                 void **base)
{
    return slice ? rio_resolve(op, slice, least, base) : (uint32_t)STATUS_SUCCESS;
}

/* A destination is as long as its family has it; a source may be of either. */
static uint32_t resolve_all(struct rio_op *op, const struct rio_call *c, struct file *f, void **data)
{
    bool in = c->direction == LANE_IN;
    uint32_t remote_least = in ? sizeof(union address) : sock_address_size(sock_of(f)->family);
    uint32_t status = resolve_optional(op, c->data, 0, data);

    if (status == STATUS_SUCCESS)
        status = resolve_optional(op, c->local, sizeof(union address), &op->local);
    if (status == STATUS_SUCCESS)
        status = resolve_optional(op, c->remote, remote_least, &op->remote);
    if (status == STATUS_SUCCESS)
        status = resolve_optional(op, c->control, sizeof(uint32_t), &op->control);
    if (status == STATUS_SUCCESS)
        status = resolve_optional(op, c->flags_out, sizeof(uint32_t), &op->flags_out);
    op->control_size = c->control ? c->control->size : 0;
    return status;
}

/* The kernel is to tell where each datagram was sent to, from the first such call on. */
static void ask_for_arrival(struct rio_rq *rq, struct file *f)
{
    bool v6 = sock_of(f)->family == AF_INET6;
    int on = 1;

    if (atomic_load(&rq->asked))
        return;
    setsockopt(f->fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_RECVPKTINFO : IP_PKTINFO, &on, sizeof on);
    atomic_store(&rq->asked, true); /* by two at a time, perhaps, but by none too late */
}

/* Operation and request; the reference to f is used up, if this succeeds. */
static uint32_t make(struct rio_rq *rq, struct file *f, const struct rio_call *c, struct rio_op **out)
{
    struct rio_op *op = rio_op_new();
    struct request *r = NULL;
    void *data = NULL;
    uint32_t status = op ? resolve_all(op, c, f, &data) : (uint32_t)STATUS_INSUFFICIENT_RESOURCES;

    if (status == STATUS_SUCCESS)
        status = request_new_lean(f, &op->ov, false, &r);
    if (status != STATUS_SUCCESS) {
        rio_op_free(op);
        return status;
    }
    if (op->local && !sock_is_stream(sock_of(f)))
        ask_for_arrival(rq, f);
    request_set_buf(r, data, c->data ? c->data->size : 0);
    r->ops = c->direction == LANE_IN ? &receive_ops : &send_ops;
    r->in_flags = c->flags & RIO_WHOLE ? MSG_WAITALL : 0;
    r->issuer = REQUEST_NO_ISSUER;
    r->never_refused = r->answers_later = true;
    object_get(&rq->object);
    op->rq = rq;
    op->request = r;
    op->context = c->context;
    op->direction = (uint8_t)c->direction;
    op->quiet = (c->flags & RIO_QUIET) != 0;
    op->payload = c->data != NULL;
    *out = op;
    return STATUS_SUCCESS;
}

static void unmake(struct rio_op *op)
{
    request_refuse(op->request, STATUS_CANCELLED);
    object_put(&op->rq->object);
    rio_op_free(op);
}

static uint32_t run(struct rio_rq *rq, const struct rio_call *c)
{
    struct rio_op *op;
    struct file *f;
    uint32_t status = rio_charge(rq, c->direction, &f);

    if (status != STATUS_SUCCESS)
        return status;
    status = check(f, c);
    if (status == STATUS_SUCCESS)
        status = make(rq, f, c, &op);
    if (status != STATUS_SUCCESS) {
        file_put(f);
        rio_discharge(rq, c->direction);
        return status;
    }
    if (enlist(op, c->flags & RIO_HELD))
        return STATUS_SUCCESS;
    unmake(op);
    rio_discharge(rq, c->direction);
    return status_from_wsa(WSAEINVAL);
}

uint32_t rio_start(uintptr_t h, const struct rio_call *c)
{
    struct rio_rq *rq = rio_rq_get(h);
    uint32_t status;

    if (!rq)
        return status_from_wsa(WSAEINVAL);
    if (!(c->flags & RIO_COMMIT)) {
        status = run(rq, c);
    } else {
        status = check_commit(c);
        if (status == STATUS_SUCCESS)
            commit(rq, c->direction);
    }
    object_put(&rq->object);
    return status;
}
