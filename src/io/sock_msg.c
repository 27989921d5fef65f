/* SPDX-License-Identifier: MIT */
/*
 * WSASendMsg and WSARecvMsg: datagrams with address and control data. The program's WSAMSG stays
 * where it is until the operation is answered; only its array of buffers is copied.
 */
#include "io/sock.h"

#include "base/status.h"
#include "ntstatus.h"
#include "winerror.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static void fill(struct sock_transfer *t, struct io_msg *m)
{
    t->name = m->name;
    t->name_len = m->name ? (uint32_t)m->name_len : 0;
    if (m->control.base && m->control.len > 0) {
        t->control = m->control.base;
        t->control_len = m->control.len;
    }
}

static void give_back(const struct sock_transfer *t, struct io_msg *m)
{
    if (m->name)
        m->name_len = (int32_t)t->name_len;
    m->control.len = (uint32_t)t->control_len;
    m->flags = t->out_flags;
}

static bool has_answer(uint32_t status)
{
    return status == STATUS_SUCCESS || status == STATUS_BUFFER_OVERFLOW;
}

static struct sock_transfer transfer_of(struct request *r)
{
    struct sock_transfer t = {
        .iov = request_iov(r), .iov_count = r->iov_count, .flags = r->in_flags, .size = r->size};

    fill(&t, r->u.sock.msg);
    return t;
}

static uint32_t receive_attempt(struct request *r)
{
    struct sock_transfer t = transfer_of(r);
    uint32_t status = sock_receive_step(r->file, &t);

    r->bytes = t.bytes;
    if (has_answer(status))
        give_back(&t, r->u.sock.msg);
    return status;
}

static uint32_t send_attempt(struct request *r)
{
    struct sock_transfer t = transfer_of(r);
    uint32_t status = sock_send_step(r->file, &t);

    r->bytes = t.bytes;
    return status;
}

static const struct request_ops receive_ops = {
    .name = "receive message", .attempt = receive_attempt, .finish = sock_receive_finish};
static const struct request_ops send_ops = {.name = "send message",
                                            .attempt = send_attempt,
                                            .queued = sock_send_queued,
                                            .release = sock_send_release};

/* Linux takes them on streams; Windows does not, and a program may depend on the refusal. */
static uint32_t check(struct file *f, const struct io_msg *m)
{
    if (sock_is_stream(sock_of(f)))
        return status_from_wsa(WSAEOPNOTSUPP);
    return m->bufs || m->buf_count == 0 ? (uint32_t)STATUS_SUCCESS : status_from_wsa(WSAEINVAL);
}

static uint32_t start(struct file *f, struct io_msg *msg, uint32_t flags, const struct request_ops *ops,
                      const struct sock_answer *answer, struct request_result *result)
{
    struct request *r;
    uint32_t status;

    if (answer->routine && atomic_load(&f->port))
        return status_from_wsa(WSAEINVAL);
    status = request_new(f, answer->ov, !answer->routine, &r);
    if (status != STATUS_SUCCESS)
        return status_from_wsa(ERROR_INVALID_HANDLE);
    status = request_set_bufs(r, msg->bufs, msg->buf_count);
    if (status != STATUS_SUCCESS)
        return request_refuse(r, status);
    if (answer->routine)
        request_set_routine(r, answer->routine, true);
    r->in_flags = (uint16_t)flags;
    r->ops = ops;
    r->u.sock.msg = msg;
    return sock_start(r, ops == &send_ops ? LANE_OUT : LANE_IN, result);
}

uint32_t sock_start_receive_msg(struct file *f, struct io_msg *msg, const struct sock_answer *answer,
                                struct request_result *result)
{
    uint32_t status = check(f, msg);

    if (status == STATUS_SUCCESS)
        status = sock_may_receive(f);
    if (status != STATUS_SUCCESS)
        return status;
    return start(f, msg, msg->flags & (MSG_PEEK | MSG_OOB), &receive_ops, answer, result);
}

uint32_t sock_start_send_msg(struct file *f, struct io_msg *msg, uint32_t flags,
                             const struct sock_answer *answer, struct request_result *result)
{
    uint32_t status = check(f, msg);

    if (status == STATUS_SUCCESS)
        status = sock_may_send(f, msg->name);
    if (status != STATUS_SUCCESS)
        return status;
    return start(f, msg, flags & MSG_DONTROUTE, &send_ops, answer, result);
}

/* ---- synchronous ---- */

static uint32_t sync_transfer(struct file *f, struct io_msg *msg, struct sock_transfer *t, bool send)
{
    struct iovec *iov = calloc(msg->buf_count + 1, sizeof *iov);
    uint32_t status;

    if (!iov)
        return STATUS_INSUFFICIENT_RESOURCES;
    for (uint32_t i = 0; i < msg->buf_count; i++) {
        iov[i].iov_base = msg->bufs[i].base;
        iov[i].iov_len = msg->bufs[i].len;
        t->size += msg->bufs[i].len;
    }
    t->iov = iov;
    t->iov_count = msg->buf_count;
    fill(t, msg);
    status = sock_interrupted(f, send ? sock_send(f, t) : sock_receive(f, t));
    free(iov);
    return status;
}

uint32_t sock_receive_msg(struct file *f, struct io_msg *msg, uint32_t *bytes)
{
    struct sock_transfer t = {.flags = msg->flags & (MSG_PEEK | MSG_OOB)};
    uint32_t status = check(f, msg);

    if (status == STATUS_SUCCESS)
        status = sock_may_receive(f);
    if (status == STATUS_SUCCESS)
        status = sync_transfer(f, msg, &t, false);
    *bytes = t.bytes;
    if (has_answer(status))
        give_back(&t, msg);
    return status;
}

uint32_t sock_send_msg(struct file *f, struct io_msg *msg, uint32_t flags, uint32_t *bytes)
{
    struct sock_transfer t = {.flags = flags & MSG_DONTROUTE};
    uint32_t status = check(f, msg);

    if (status == STATUS_SUCCESS)
        status = sock_may_send(f, msg->name);
    if (status == STATUS_SUCCESS)
        status = sync_transfer(f, msg, &t, true);
    *bytes = t.bytes;
    return status;
}
