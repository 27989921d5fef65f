/* SPDX-License-Identifier: MIT */
/*
 * What can be called on a pipe beside reading and writing: connecting, disconnecting, transactions, modes.
 * ConnectNamedPipe waits in the inward lane for no edge, but for the home thread, which kicks the lane when
 * it has put a connection behind the file.
 *
 * DisconnectNamedPipe ends everything that was started before: the session's number has moved on, and
 * every attempt compares.
 */
#include "io/pipe.h"

#include "base/status.h"
#include "io/cancel.h"
#include "io/lane.h"
#include "io/pipe_board.h"
#include "io/pipe_file.h"
#include "io/pipe_wire.h"
#include "ntstatus.h"
#include "wait/wait.h"

#include <fcntl.h>
#include <sys/socket.h>

/* A request that is begun; with `native` its event is the request's from then on. */
static uint32_t new_request(struct file *f, OVERLAPPED *ov, struct request_native *native,
                            struct request **out)
{
    uint32_t status = request_new(f, ov, !native, out);

    if (status != STATUS_SUCCESS)
        return status;
    if (native) {
        request_set_native(*out, native);
        native->event = NULL;
    }
    return STATUS_SUCCESS;
}

/* ---- connecting ---- */

static uint32_t connect_attempt(struct request *r)
{
    struct pipe *p = pipe_of(r->file);
    uint32_t status = STATUS_PENDING;

    lock_acquire(&p->lock);
    if (p->session != r->u.pipe.session)
        status = STATUS_PIPE_DISCONNECTED;
    else if (p->state == PIPE_CONNECTED) /* inside the call: no packet follows, see conform/pipe_name.c */
        status = r->state != REQUEST_NEW ? (uint32_t)STATUS_SUCCESS : (uint32_t)STATUS_PIPE_CONNECTED;
    lock_release(&p->lock);
    return status;
}

static const struct request_ops connect_ops = {
    .name = "pipe connect", .attempt = connect_attempt, .finish = pipe_finish_other};

/* PENDING: it is listening, since now or before. */
static uint32_t listen_again(struct file *f, uint32_t *session)
{
    struct pipe *p = pipe_of(f);
    uint32_t status = STATUS_PENDING;
    bool offer;

    lock_acquire(&p->lock);
    if (p->state == PIPE_CONNECTED)
        status = pipe_hung_up(f->fd) ? (uint32_t)STATUS_PIPE_CLOSING : (uint32_t)STATUS_PIPE_CONNECTED;
    offer = p->state == PIPE_DISCONNECTED;
    if (offer)
        p->state = PIPE_LISTENING;
    *session = p->session;
    lock_release(&p->lock);
    if (offer)
        pipe_offer(p);
    if (status == STATUS_PENDING && pipe_is_nowait(f))
        return offer ? (uint32_t)STATUS_SUCCESS : (uint32_t)STATUS_PIPE_LISTENING;
    return status;
}

uint32_t pipe_connect(struct file *f, OVERLAPPED *ov, struct request_native *native)
{
    struct request *r;
    struct pipe_call c;
    uint32_t session;
    uint32_t status;

    if (!pipe_of(f)->server)
        return STATUS_INVALID_DEVICE_REQUEST;
    status = listen_again(f, &session);
    if (status != STATUS_PENDING)
        return status;
    if (ov && (f->flags & FILE_OVERLAPPED)) {
        status = new_request(f, ov, native, &r);
        if (status != STATUS_SUCCESS)
            return status;
        r->ops = &connect_ops;
        r->u.pipe.session = session;
        request_begin(r);
        return lane_start(r, LANE_IN, NULL);
    }
    status = pipe_call_begin(&c, f);
    if (status != STATUS_SUCCESS)
        return status;
    c.r->ops = &connect_ops;
    c.r->u.pipe.session = session;
    status = lane_start(c.r, LANE_IN, NULL);
    return pipe_call_end(&c, f, status, NULL);
}

/* What is put behind the number is inherited as the number was. */
static uint32_t replace(struct file *f, int fd)
{
    int flags = fcntl(f->fd, F_GETFD);
    uint32_t status = file_replace_fd(f, fd);

    if (status == STATUS_SUCCESS && flags >= 0 && !(flags & FD_CLOEXEC))
        fcntl(f->fd, F_SETFD, 0);
    return status;
}

/* The answer goes first: as soon as the connection is behind the number, data may follow. */
uint32_t pipe_attach(struct pipe *p, int fd, uint32_t peer, struct pipe_answer *answer)
{
    struct file *f = p->file;
    uint32_t status = STATUS_SUCCESS;

    lock_acquire(&p->lock);
    if (p->state != PIPE_LISTENING || !file_is_open(f))
        status = STATUS_PIPE_LISTENING;
    if (status == STATUS_SUCCESS) {
        answer->slot = p->slot;
        answer->generation = board_read(p->slot);
        if (pipe_answer_send(fd, answer, board_fd()) < 0)
            status = STATUS_PIPE_CLOSING;
    }
    if (status == STATUS_SUCCESS) {
        pipe_stream_reset(p);
        pipe_set_room(fd, p->shape.out_size);
        p->peer = peer;
        p->state = PIPE_CONNECTED;
        replace(f, fd); /* should it fail, fd is closed: the client sees the end, and the server a stand-in */
    }
    lock_release(&p->lock);
    if (status == STATUS_SUCCESS)
        lane_kick(f);
    return status;
}

uint32_t pipe_disconnect(struct file *f)
{
    struct pipe *p = pipe_of(f);
    uint8_t before;

    if (!p->server)
        return STATUS_INVALID_DEVICE_REQUEST;
    lock_acquire(&p->lock);
    before = p->state;
    if (before == PIPE_CONNECTED) {
        board_change(p->slot); /* the client looks at this when it sees the end */
        shutdown(f->fd, SHUT_RDWR);
        pipe_stream_reset(p);
    }
    if (before != PIPE_DISCONNECTED) {
        p->state = PIPE_DISCONNECTED;
        p->session++;
        p->peer = 0;
    }
    lock_release(&p->lock);
    if (before == PIPE_DISCONNECTED)
        return STATUS_PIPE_DISCONNECTED;
    pipe_withdraw(p);
    lane_kick(f);
    cancel_blockers(f);
    return STATUS_SUCCESS;
}

/* ---- transacting ---- */

enum { STAGE_WRITE, STAGE_READ };

static uint32_t transact_attempt(struct request *r)
{
    uint32_t status;

    if (r->u.pipe.stage == STAGE_READ)
        return pipe_read_attempt(r);
    status = pipe_write_attempt(r);
    if (status != STATUS_SUCCESS)
        return status;
    r->u.pipe.stage = STAGE_READ;
    r->bytes = 0;
    request_set_buf(r, r->u.pipe.reply, r->u.pipe.reply_size);
    lane_move(r, r->file, LANE_IN);
    return LANE_MOVED;
}

static void finish_transact(struct request *r, uint32_t status)
{
    if (r->u.pipe.stage == STAGE_READ) {
        pipe_finish_read(r, status);
        return;
    }
    pipe_finish_write(r, status);
    if (status_is_error(status))
        r->bytes = 0; /* it counts bytes of the reply */
}

static const struct request_ops transact_ops = {
    .name = "pipe transact", .attempt = transact_attempt, .finish = finish_transact};

/* Message mode, and nothing in the pipe that could pass for the reply. */
static uint32_t may_transact(struct file *f)
{
    struct pipe *p = pipe_of(f);
    struct pipe_look look;
    uint32_t status;

    if (!atomic_load(&p->read_messages))
        return STATUS_INVALID_PIPE_STATE;
    lock_acquire(&p->lock);
    status = pipe_gate(p, p->session);
    if (status == STATUS_SUCCESS)
        status = pipe_look(p, f->fd, NULL, 0, &look);
    lock_release(&p->lock);
    if (status == STATUS_SUCCESS && look.total > 0)
        return STATUS_PIPE_BUSY;
    return status;
}

static uint32_t transact_start(struct request *r, void *data, uint32_t size, void *reply, uint32_t reply_size)
{
    r->u.pipe.reply = reply;
    r->u.pipe.reply_size = reply_size;
    r->u.pipe.stage = STAGE_WRITE;
    request_set_buf(r, data, size);
    return pipe_start(r, LANE_OUT, &transact_ops);
}

static uint32_t transact_sync(struct file *f, void *data, uint32_t size, void *reply, uint32_t reply_size,
                              uint32_t *bytes)
{
    struct pipe_sync s = {.t = {data, size, 0, NULL}, .session = pipe_session(pipe_of(f))};
    uint32_t status;

    wait_sync_begin(); /* one region: what calls it back in between is not forgotten */
    status = pipe_transfer_in_turn(f, &s, true);
    if (status == STATUS_SUCCESS) {
        s.t = (struct pipe_transfer){reply, reply_size, 0, NULL};
        status = pipe_transfer_in_turn(f, &s, false);
        *bytes = s.t.bytes;
    }
    wait_sync_end();
    return status;
}

uint32_t pipe_transact(struct file *f, void *data, uint32_t size, void *reply, uint32_t reply_size,
                       OVERLAPPED *ov, struct request_native *native, uint32_t *bytes)
{
    uint32_t status = may_transact(f);
    struct request *r;
    struct pipe_call c;

    if (status != STATUS_SUCCESS)
        return status;
    if (!(f->flags & FILE_OVERLAPPED))
        return transact_sync(f, data, size, reply, reply_size, bytes);
    if (!ov) {
        status = pipe_call_begin(&c, f);
        if (status != STATUS_SUCCESS)
            return status;
        return pipe_call_end(&c, f, transact_start(c.r, data, size, reply, reply_size), bytes);
    }
    status = new_request(f, ov, native, &r);
    if (status != STATUS_SUCCESS)
        return status;
    request_begin(r);
    return transact_start(r, data, size, reply, reply_size);
}

/* ---- asking ---- */

uint32_t pipe_peek(struct file *f, void *data, uint32_t size, struct pipe_look *look)
{
    struct pipe *p = pipe_of(f);
    uint32_t status;

    lock_acquire(&p->lock);
    status = pipe_gate(p, p->session);
    if (status == STATUS_SUCCESS)
        status = pipe_look(p, f->fd, data, size, look);
    else if (p->server)
        status = STATUS_INVALID_PIPE_STATE;
    lock_release(&p->lock);
    return status;
}

static uint32_t check_connection(struct pipe *p)
{
    uint32_t status;

    if (p->server)
        return STATUS_SUCCESS;
    lock_acquire(&p->lock);
    status = pipe_gate(p, 0);
    lock_release(&p->lock);
    return status;
}

uint32_t pipe_set_mode(struct file *f, uint32_t mode)
{
    struct pipe *p = pipe_of(f);
    uint32_t status = check_connection(p);

    if (status != STATUS_SUCCESS)
        return status;
    if ((mode & ~(uint32_t)(PIPE_MODE_NOWAIT | PIPE_MODE_READ_MESSAGES)) ||
        ((mode & PIPE_MODE_READ_MESSAGES) && !p->shape.messages))
        return STATUS_INVALID_PARAMETER;
    atomic_store(&p->read_messages, (mode & PIPE_MODE_READ_MESSAGES) != 0);
    if (mode & PIPE_MODE_NOWAIT)
        atomic_fetch_or(&f->modes, FILE_MODE_NOWAIT);
    else
        atomic_fetch_and(&f->modes, (uint8_t)~FILE_MODE_NOWAIT);
    return STATUS_SUCCESS;
}

uint32_t pipe_get_mode(struct file *f, uint32_t *mode)
{
    struct pipe *p = pipe_of(f);

    *mode = (pipe_is_nowait(f) ? PIPE_MODE_NOWAIT : 0) |
            (atomic_load(&p->read_messages) ? PIPE_MODE_READ_MESSAGES : 0);
    return check_connection(p);
}

uint32_t pipe_ask(struct file *f, struct pipe_shape *shape, uint32_t *peer)
{
    struct pipe *p = pipe_of(f);
    uint32_t status = check_connection(p);

    *shape = p->shape;
    lock_acquire(&p->lock);
    *peer = p->peer;
    lock_release(&p->lock);
    return status;
}

uint32_t pipe_client_user(struct file *f, uint32_t *uid)
{
    struct pipe *p = pipe_of(f);
    struct ucred peer = {0};
    socklen_t len = sizeof peer;
    uint32_t status;

    if (!p->server)
        return STATUS_INVALID_PARAMETER;
    lock_acquire(&p->lock);
    status = pipe_gate(p, p->session);
    if (status == STATUS_SUCCESS && getsockopt(f->fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
        status = STATUS_PIPE_DISCONNECTED;
    lock_release(&p->lock);
    *uid = peer.uid;
    return status;
}
