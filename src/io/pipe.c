/* SPDX-License-Identifier: MIT */
/*
 * A named pipe's end as a file; see pipe.h. Overlapped calls are requests of the two lanes, like a
 * socket's; blocking ones attempt and sleep in poll. What else can be called is in pipe_call.c.
 */
#include "io/pipe.h"

#include "base/clock.h"
#include "base/os.h"
#include "base/status.h"
#include "io/cancel.h"
#include "io/lane.h"
#include "io/pipe_board.h"
#include "io/pipe_file.h"
#include "ntstatus.h"
#include "wait/objects.h"
#include "wait/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- state ---- */

/* May data flow that was asked for since the last disconnection? */
uint32_t pipe_gate(const struct pipe *p, uint32_t session)
{
    lock_assert_held(&p->lock);
    if (!p->server)
        return atomic_load(p->word) == p->generation ? (uint32_t)STATUS_SUCCESS
                                                     : (uint32_t)STATUS_PIPE_DISCONNECTED;
    if (p->session != session || p->state == PIPE_DISCONNECTED)
        return STATUS_PIPE_DISCONNECTED;
    return p->state == PIPE_LISTENING ? (uint32_t)STATUS_PIPE_LISTENING : (uint32_t)STATUS_SUCCESS;
}

uint32_t pipe_session(struct pipe *p)
{
    uint32_t session;

    lock_acquire(&p->lock);
    session = p->session;
    lock_release(&p->lock);
    return session;
}

/* A blocking call that was called back because its session ended says so. */
static uint32_t called_back(struct pipe *p, uint32_t session, uint32_t status)
{
    if (status == STATUS_CANCELLED && pipe_session(p) != session)
        return STATUS_PIPE_DISCONNECTED;
    return status;
}

bool pipe_is_nowait(const struct file *f)
{
    return atomic_load_explicit(&f->modes, memory_order_relaxed) & FILE_MODE_NOWAIT;
}

/* ---- attempts ---- */

static uint32_t read_once(struct file *f, uint32_t session, struct pipe_transfer *t)
{
    struct pipe *p = pipe_of(f);
    uint32_t status;

    lock_acquire(&p->lock);
    status = pipe_gate(p, session);
    if (status == STATUS_SUCCESS)
        status = pipe_read_step(p, f->fd, t);
    lock_release(&p->lock);
    if ((status == STATUS_PENDING || status == LANE_YIELD) && pipe_is_nowait(f))
        return STATUS_PIPE_EMPTY;
    return status;
}

static uint32_t write_once(struct file *f, uint32_t session, struct pipe_transfer *t)
{
    struct pipe *p = pipe_of(f);
    uint32_t status;

    lock_acquire(&p->lock);
    status = pipe_gate(p, session);
    if (status == STATUS_SUCCESS)
        status = pipe_write_step(p, f->fd, t, pipe_is_nowait(f));
    lock_release(&p->lock);
    return status;
}

static bool is_closing(struct file *f)
{
    bool closing;

    lock_acquire(&f->lock);
    closing = f->closing;
    lock_release(&f->lock);
    return closing;
}

/* The mark of a message that was given up waits for room: edges will pay it (see `edge`). One that cannot be
 * paid any more ends the stream, and the reader finds that end inside the message. */
static void see_to_debt(struct file *f, uint32_t session)
{
    struct pipe *p = pipe_of(f);

    if (!is_closing(f) && lane_register(f) == STATUS_SUCCESS)
        return;
    lock_acquire(&p->lock);
    if (pipe_gate(p, session) == STATUS_SUCCESS) /* not the next client's */
        shutdown(f->fd, SHUT_WR);
    lock_release(&p->lock);
}

/* After a transfer that did not come to its end: what it took and began is put right. */
static void undo(struct file *f, uint32_t session, const struct pipe_transfer *t, bool write)
{
    struct pipe *p = pipe_of(f);
    bool owes = false, tell = false;

    lock_acquire(&p->lock);
    if (pipe_gate(p, session) == STATUS_SUCCESS) {
        if (write)
            pipe_write_undo(p, f->fd, t);
        else
            tell = pipe_read_undo(p, t);
        owes = write && atomic_load(&p->owes);
    }
    lock_release(&p->lock);
    if (owes)
        see_to_debt(f, session);
    if (tell)
        lane_kick(f);
}

static struct pipe_transfer transfer_of(const struct request *r)
{
    return (struct pipe_transfer){r->iov[0].iov_base, r->size, r->bytes, r};
}

uint32_t pipe_read_attempt(struct request *r)
{
    struct pipe_transfer t = transfer_of(r);
    uint32_t status = read_once(r->file, r->u.pipe.session, &t);

    r->bytes = t.bytes;
    return status;
}

uint32_t pipe_write_attempt(struct request *r)
{
    struct pipe_transfer t = transfer_of(r);
    uint32_t status = write_once(r->file, r->u.pipe.session, &t);

    r->bytes = t.bytes;
    return status;
}

static void wake_caller(struct request *r)
{
    if (r->u.pipe.wake_fd)
        os_ring(r->u.pipe.wake_fd);
}

void pipe_finish_read(struct request *r, uint32_t status)
{
    struct pipe_transfer t = transfer_of(r);

    if (status_is_error(status) && r->bytes > 0) {
        undo(r->file, r->u.pipe.session, &t, false);
        r->bytes = 0;
    }
    wake_caller(r);
}

void pipe_finish_write(struct request *r, uint32_t status)
{
    struct pipe_transfer t = transfer_of(r);

    if (status_is_error(status)) {
        undo(r->file, r->u.pipe.session, &t, true);
        if (pipe_of(r->file)->shape.messages)
            r->bytes = 0; /* nothing of it is read; bytes that left stay */
    }
    wake_caller(r);
}

void pipe_finish_other(struct request *r, uint32_t status)
{
    (void)status;
    wake_caller(r);
}

static const struct request_ops read_ops = {
    .name = "pipe read", .attempt = pipe_read_attempt, .finish = pipe_finish_read};
static const struct request_ops write_ops = {
    .name = "pipe write", .attempt = pipe_write_attempt, .finish = pipe_finish_write};

/* Only states refuse here; whatever else there is to say is the attempt's. */
uint32_t pipe_start(struct request *r, enum lane_direction dir, const struct request_ops *ops)
{
    struct pipe *p = pipe_of(r->file);
    uint32_t status;

    lock_acquire(&p->lock);
    r->u.pipe.session = p->session;
    status = pipe_gate(p, p->session);
    lock_release(&p->lock);
    if (status != STATUS_SUCCESS)
        return request_refuse(r, status);
    r->ops = ops;
    return lane_start(r, dir, NULL);
}

static uint32_t read_overlapped(struct request *r)
{
    return pipe_start(r, LANE_IN, &read_ops);
}

static uint32_t write_overlapped(struct request *r)
{
    return pipe_start(r, LANE_OUT, &write_ops);
}

/* ---- blocking calls that are requests ---- */

uint32_t pipe_call_begin(struct pipe_call *c, struct file *f)
{
    uint32_t status;

    *c = (struct pipe_call){.fd = fd_above_std(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))};
    if (c->fd < 0)
        return status_from_errno(errno);
    status = event_new(NULL, true, false, &c->event);
    if (status == STATUS_SUCCESS) {
        status = request_new(f, &c->ov, false, &c->r);
        if (status == STATUS_SUCCESS) {
            c->r->no_packet = true;
            c->r->event = object_get(c->event);
            c->r->has_event = true;
            c->r->u.pipe.wake_fd = c->fd;
            request_begin(c->r);
            request_get(c->r);
            return STATUS_SUCCESS;
        }
        object_put(c->event);
    }
    close(c->fd);
    return status;
}

/* `status` is what the start said. The eventfd comes a moment before the answer: that is waited for then. */
uint32_t pipe_call_end(struct pipe_call *c, struct file *f, uint32_t status, uint32_t *bytes)
{
    struct cancel_match match = {.request = c->r};

    if (status == STATUS_PENDING) {
        wait_sync_begin();
        if (wait_fd(c->fd, POLLIN, DEADLINE_NEVER, false) == STATUS_CANCELLED)
            cancel_requests(f, &match);
        wait_sync_end();
        wait_for_one(event_dispatcher(c->event), false, DEADLINE_NEVER);
        status = (uint32_t)__atomic_load_n(&c->ov.Internal, __ATOMIC_ACQUIRE);
    }
    if (bytes)
        *bytes = c->r->bytes;
    request_put(c->r);
    object_put(c->event);
    close(c->fd);
    return status;
}

static uint32_t transfer_as_request(struct file *f, void *data, uint32_t size, bool write, uint32_t *bytes)
{
    struct pipe_call c;
    uint32_t status = pipe_call_begin(&c, f);

    if (status != STATUS_SUCCESS)
        return status;
    request_set_buf(c.r, data, size);
    return pipe_call_end(&c, f, write ? write_overlapped(c.r) : read_overlapped(c.r), bytes);
}

/* ---- synchronous ---- */

static uint32_t sync_read_attempt(struct file *f, void *ctx)
{
    struct pipe_sync *s = ctx;

    uint32_t status = read_once(f, s->session, &s->t);

    return status == LANE_YIELD ? (uint32_t)STATUS_PENDING : status;
}

static uint32_t sync_write_attempt(struct file *f, void *ctx)
{
    struct pipe_sync *s = ctx;

    return write_once(f, s->session, &s->t);
}

uint32_t pipe_transfer_in_turn(struct file *f, struct pipe_sync *s, bool write)
{
    struct pipe *p = pipe_of(f);
    struct turn *turn = &p->turns[write ? LANE_OUT : LANE_IN];
    uint32_t status = turn_begin(f, turn);

    if (status != STATUS_SUCCESS)
        return status;
    s->t.owner = s;
    if (write)
        status = file_blocking_call(f, POLLOUT, DEADLINE_NEVER, WAIT_NO_ROUTINES, sync_write_attempt, s);
    else
        status = file_blocking_call(f, POLLIN, DEADLINE_NEVER, WAIT_NO_ROUTINES, sync_read_attempt, s);
    if (status_is_error(status)) {
        undo(f, s->session, &s->t, write);
        if (!write || p->shape.messages)
            s->t.bytes = 0;
    }
    turn_end(f, turn);
    return called_back(p, s->session, status);
}

static uint32_t transfer_sync(struct file *f, void *data, uint32_t size, bool write, uint32_t *bytes)
{
    struct pipe_sync s = {.t = {data, size, 0, NULL}, .session = pipe_session(pipe_of(f))};
    uint32_t status;

    if (f->flags & FILE_OVERLAPPED)
        return transfer_as_request(f, data, size, write, bytes);
    status = pipe_transfer_in_turn(f, &s, write);
    *bytes = s.t.bytes;
    return status;
}

static uint32_t read_sync(struct file *f, void *buf, uint32_t size, const uint64_t *offset, uint32_t *bytes)
{
    (void)offset; /* a pipe has no position (OVL-15) */
    return transfer_sync(f, buf, size, false, bytes);
}

static uint32_t write_sync(struct file *f, const void *buf, uint32_t size, const uint64_t *offset,
                           uint32_t *bytes)
{
    (void)offset;
    return transfer_sync(f, (void *)(uintptr_t)buf, size, true, bytes);
}

/* ---- flushing ---- */

enum { FLUSH_TICK_MS = 10 };

/* Nobody is at the other end any more; a child of his may have a copy of what was not read. */
static bool is_alone(int fd)
{
    struct pollfd pfd = {.fd = fd};

    return poll(&pfd, 1, 0) > 0 && (pfd.revents & POLLHUP);
}

/* How it was left: the kernel remembers whether something was not read. Asked after the count, which falls to
 * nothing with the end. */
static uint32_t flush_ended(struct pipe *p, int fd, bool all_read)
{
    uint32_t status = STATUS_SUCCESS;
    int err = 0;
    socklen_t len = sizeof err;

    if (!is_alone(fd))
        return STATUS_SUCCESS;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
    if (!all_read || err == ECONNRESET) {
        lock_acquire(&p->lock);
        status = pipe_end(p);
        lock_release(&p->lock);
    }
    return status;
}

/* Has the other end taken everything, pending writes included? */
static bool is_read(struct file *f)
{
    int left = 0;
    bool queued;

    lock_acquire(&f->lock);
    queued = !list_empty(&f->lanes[LANE_OUT].requests);
    lock_release(&f->lock);
    queued = queued || atomic_load(&pipe_of(f)->owes);
    return !queued && (ioctl(f->fd, SIOCOUTQ, &left) < 0 || left == 0);
}

/* Each buffer that the reader frees is an edge; a tick helps where the last edge came before the count. */
static uint32_t wait_until_read(struct file *f, int epoll_fd, uint32_t session)
{
    struct epoll_event ev = {.events = EPOLLOUT | EPOLLRDHUP | EPOLLET};
    struct pipe *p = pipe_of(f);
    uint32_t status = STATUS_SUCCESS;

    if (os_epoll_ctl(epoll_fd, EPOLL_CTL_ADD, f->fd, &ev) < 0)
        return status_from_errno(errno);
    while (status != STATUS_CANCELLED) {
        bool all_read = is_read(f);

        lock_acquire(&p->lock);
        status = pipe_gate(p, session);
        lock_release(&p->lock);
        if (status == STATUS_SUCCESS)
            status = flush_ended(p, f->fd, all_read);
        if (wait_sync_cancelled()) /* asked last: closing takes the socket away after that */
            return STATUS_CANCELLED;
        if (status != STATUS_SUCCESS || all_read || is_alone(f->fd))
            return status;
        status = wait_fd(epoll_fd, POLLIN, deadline_from_ms(FLUSH_TICK_MS), false);
        epoll_wait(epoll_fd, &ev, 1, 0);
    }
    return status;
}

static uint32_t flush(struct file *f)
{
    struct pipe *p = pipe_of(f);
    struct file_blocker blocker;
    uint32_t status, session;
    int fd;

    lock_acquire(&p->lock);
    session = p->session;
    status = pipe_gate(p, session);
    lock_release(&p->lock);
    if (p->server && status != STATUS_SUCCESS)
        return STATUS_SUCCESS; /* nobody has anything to read */
    if (status != STATUS_SUCCESS || is_read(f) || is_alone(f->fd))
        return status;
    fd = os_epoll_create();
    if (fd < 0)
        return status_from_errno(errno);
    status = STATUS_INVALID_HANDLE;
    wait_sync_begin();
    if (file_block_enter(f, &blocker)) {
        status = wait_until_read(f, fd, session);
        file_block_leave(f, &blocker);
    }
    wait_sync_end();
    close(fd);
    return called_back(p, session, status);
}

/* ---- life ---- */

static void edge(struct file *f, uint32_t events)
{
    struct pipe *p = pipe_of(f);

    if (!(events & READY_OUT) || !atomic_load_explicit(&p->owes, memory_order_relaxed))
        return;
    lock_acquire(&p->lock);
    pipe_pay(p, f->fd);
    lock_release(&p->lock);
}

uint32_t pipe_new(int fd, bool server, const struct pipe_shape *shape, const char *text, uint32_t flags,
                  uint32_t access, struct file **out)
{
    struct pipe *p = calloc(1, sizeof *p);
    uint32_t status;

    if (p)
        p->text = strdup(text);
    if (!p || !p->text) {
        free(p);
        close(fd);
        return STATUS_NO_MEMORY;
    }
    lock_init(&p->lock, LOCK_GLOBAL);
    p->server = server;
    p->state = server ? PIPE_LISTENING : PIPE_CONNECTED;
    p->shape = *shape;
    for (int i = 0; i < LANE_COUNT; i++)
        turn_init(&p->turns[i]);
    list_init(&p->instance);
    list_init(&p->available);
    status = file_new(fd, FILE_KIND_NAMED, flags, access, &pipe_ops, p, out);
    if (status != STATUS_SUCCESS) {
        free(p->text);
        free(p);
        return status;
    }
    p->file = *out;
    return STATUS_SUCCESS;
}

static void cleanup(struct file *f)
{
    struct pipe *p = pipe_of(f);

    if (p->server)
        pipe_unlist(p);
}

/*
 * A forked child has a copy of the socket, and the other end would not see the end before that is gone
 * too. But a program that was started with it, or may be, is to go on with it.
 */
static void hang_up(struct file *f)
{
    struct pipe *p = pipe_of(f);

    lock_acquire(&p->lock);
    if (!(atomic_load(&f->modes) & FILE_MODE_SHARED) && (fcntl(f->fd, F_GETFD) & FD_CLOEXEC))
        shutdown(f->fd, SHUT_RDWR);
    lock_release(&p->lock);
}

static void destroy(struct file *f)
{
    struct pipe *p = pipe_of(f);

    cleanup(f); /* a file that was never published comes here first */
    if (p->slotted)
        board_give_back(p->slot);
    if (p->word)
        board_unmap(p->word);
    for (int i = 0; i < LANE_COUNT; i++)
        turn_done(&p->turns[i]);
    pipe_stream_reset(p);
    free(p->text);
    free(p);
}

const struct file_ops pipe_ops = {
    .name = "pipe",
    .cleanup = cleanup,
    .hang_up = hang_up,
    .destroy = destroy,
    .edge = edge,
    .read = read_overlapped,
    .write = write_overlapped,
    .read_sync = read_sync,
    .write_sync = write_sync,
    .flush = flush,
};
