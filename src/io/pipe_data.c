/* SPDX-License-Identifier: MIT */
/*
 * What goes over a pipe's socket. A byte pipe is the stream itself. On a message pipe each message is a
 * row of fragments, each with a head of four bytes: length, FIRST, LAST. A fragment is small enough for
 * the kernel to take it whole or not at all (one socket buffer).
 *
 * A message is never torn. A write that is cancelled in the middle takes its message back: a mark in the
 * place of the next head says so, and the reader forgets what it had of it. The mark goes out at once, or
 * when there is room (pipe_pay), never behind another message. Where the stream ends inside a message there
 * was none. What a reader was given before with ERROR_MORE_DATA it has, and its next read gets the next
 * message: so it is on Windows.
 *
 * A cancelled transfer leaves its lane before it is undone, and the next may come in between. So the stream
 * knows whose message it is in: a read that finds another's bytes missing waits until they are back, a
 * write that finds another's message open gives it up itself.
 *
 * Nothing is read ahead: what the program has not taken is in the socket, where the writer can see
 * whether it has gone (FlushFileBuffers) and where looking takes nothing away (PeekNamedPipe).
 */
#include "base/status.h"
#include "io/lane.h"
#include "io/pipe.h"
#include "ntstatus.h"

#include <assert.h>
#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum { HEAD_SIZE = 4, FRAGMENT_MAX = 32 * 1024, EMPTY_MAX = 64, ROOM_MIN = 128 * 1024, ROOM_MAX = 16 << 20 };
#define HEAD_FIRST 0x40000000u
#define HEAD_LAST 0x80000000u
#define HEAD_GIVEN_UP 0x20000000u /* alone: the mark */
#define HEAD_LENGTH 0x1FFFFFFFu
#define ALWAYS (MSG_DONTWAIT | MSG_NOSIGNAL)

/* ---- the end ---- */

uint32_t pipe_end(struct pipe *p)
{
    lock_assert_held(&p->lock);
    if (!p->server && atomic_load(p->word) != p->generation)
        return STATUS_PIPE_DISCONNECTED;
    return STATUS_PIPE_BROKEN;
}

bool pipe_hung_up(int fd)
{
    struct pollfd pfd = {.fd = fd, .events = POLLRDHUP};

    return poll(&pfd, 1, 0) > 0;
}

/*
 * The size is a wish, on Windows too. Less than several fragments there must not be, or a message
 * would stop in the middle for ever so often; more than the system allows there is not.
 */
void pipe_set_room(int fd, uint32_t size)
{
    int room = size < ROOM_MIN ? ROOM_MIN : size > ROOM_MAX ? ROOM_MAX : (int)size;

    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
}

static uint32_t write_failed(struct pipe *p, int err)
{
    uint32_t end = pipe_end(p);

    if (err != EPIPE && err != ECONNRESET)
        return status_from_errno_write(err);
    return end == STATUS_PIPE_BROKEN ? (uint32_t)STATUS_PIPE_CLOSING : end;
}

/* ---- receiving ---- */

/* Up to size bytes: how many, -EAGAIN, 0 at the end, or another -errno. */
static ssize_t receive(int fd, void *data, size_t size, int flags)
{
    for (;;) {
        ssize_t n = recv(fd, data, size, flags | ALWAYS);

        if (n >= 0)
            return n;
        if (errno == ECONNRESET)
            return 0; /* closed with data of ours unread: an end like any other */
        if (errno != EINTR)
            return -errno;
    }
}

static uint32_t receive_failed(struct pipe *p, ssize_t n)
{
    if (n == 0)
        return pipe_end(p);
    return n == -EAGAIN ? (uint32_t)STATUS_PENDING : status_from_errno((int)-n);
}

/* Is there anything, or the end? Takes nothing. */
static uint32_t wait_for_data(struct pipe *p, int fd)
{
    char byte;
    ssize_t n = receive(fd, &byte, 1, MSG_PEEK);

    return n > 0 ? (uint32_t)STATUS_SUCCESS : receive_failed(p, n);
}

/* The head is whole: what it says. After the mark nothing is inside. */
static uint32_t apply_head(struct pipe_in *in)
{
    uint32_t head, length;
    bool first;

    memcpy(&head, in->head, sizeof head);
    in->head_have = 0;
    length = head & HEAD_LENGTH;
    first = head & HEAD_FIRST;
    if (head == HEAD_GIVEN_UP && in->inside) {
        in->inside = false;
        return STATUS_SUCCESS;
    }
    /* Too much; out of place; nothing, for ever. */
    if (length > FRAGMENT_MAX || (head & HEAD_GIVEN_UP) || first == in->inside ||
        (length == 0 && !(head & HEAD_LAST))) {
        in->dead = true;
        return STATUS_PIPE_BROKEN;
    }
    in->left = length;
    in->last = head & HEAD_LAST;
    in->inside = true;
    return STATUS_SUCCESS;
}

/* The next fragment's head, or the mark. */
static uint32_t next_fragment(struct pipe *p, int fd)
{
    struct pipe_in *in = &p->in;

    assert(in->left == 0);
    assert(!in->back);
    if (in->dead)
        return STATUS_PIPE_BROKEN;
    while (in->head_have < HEAD_SIZE) {
        ssize_t n = receive(fd, in->head + in->head_have, HEAD_SIZE - in->head_have, 0);

        if (n <= 0)
            return receive_failed(p, n);
        in->head_have += (uint8_t)n;
    }
    return apply_head(in);
}

/* Bytes of the current fragment, those given back first. */
static uint32_t take(struct pipe *p, int fd, struct pipe_transfer *t)
{
    struct pipe_in *in = &p->in;
    size_t room = t->size - t->bytes;
    char *to = (char *)((uintptr_t)t->data + t->bytes);
    ssize_t n;

    if (in->back) {
        size_t have = in->back_size - in->back_at;
        size_t size = have < room ? have : room;

        memcpy(to, in->back + in->back_at, size);
        in->back_at += (uint32_t)size;
        t->bytes += (uint32_t)size;
        if (in->back_at == in->back_size) {
            free(in->back);
            in->back = NULL;
        }
        return STATUS_SUCCESS;
    }
    n = receive(fd, to, in->left < room ? in->left : room, 0);
    if (n <= 0)
        return receive_failed(p, n);
    t->bytes += (uint32_t)n;
    in->left -= (uint32_t)n;
    return STATUS_SUCCESS;
}

/* Nothing of the message that was begun is to come any more. */
static bool at_message_end(const struct pipe_in *in)
{
    return in->left == 0 && !in->back && in->last;
}

/* The stream ended, or made no sense: of a message that was begun nothing counts. */
static void drop_message(struct pipe_in *in)
{
    free(in->back);
    in->back = NULL;
    in->left = 0;
    in->inside = false;
}

/* Of the message that is inside as much as fits; false: go on. */
static bool read_inside(struct pipe *p, int fd, struct pipe_transfer *t, uint32_t *status)
{
    struct pipe_in *in = &p->in;

    *status = STATUS_SUCCESS;
    if (at_message_end(in)) {
        in->inside = false;
        return true;
    }
    if (t->bytes == t->size && (in->left > 0 || in->back || t->size > 0)) {
        *status = STATUS_BUFFER_OVERFLOW;
        return true;
    }
    *status = in->left > 0 || in->back ? take(p, fd, t) : next_fragment(p, fd);
    return *status != STATUS_SUCCESS;
}

/* One message, or as much of it as fits. Of those that were given up not too many in one go, for the lock is
 * held, and a thread. */
static uint32_t read_message(struct pipe *p, int fd, struct pipe_transfer *t)
{
    struct pipe_in *in = &p->in;
    uint32_t status = STATUS_SUCCESS;
    unsigned given_up = 0;

    do {
        if (!in->inside) {
            status = next_fragment(p, fd);
        } else if (read_inside(p, fd, t, &status)) {
            break;
        } else if (!in->inside) {
            t->bytes = 0; /* all of it was of the message that has gone */
            given_up++;
        }
    } while (status == STATUS_SUCCESS && given_up < EMPTY_MAX);
    if (status == STATUS_PIPE_BROKEN) {
        drop_message(in);
        t->bytes = 0;
    }
    in->owner = NULL;
    if (t->bytes > 0 && status != STATUS_SUCCESS && status != STATUS_BUFFER_OVERFLOW)
        in->owner = t->owner;
    return given_up == EMPTY_MAX ? LANE_YIELD : status;
}

/*
 * Bytes without regard to messages, as many as there are. A message of nothing counts if it stands alone; of
 * very many the rest is left for the next read, for the lock is held.
 */
static uint32_t read_across(struct pipe *p, int fd, struct pipe_transfer *t)
{
    struct pipe_in *in = &p->in;
    uint32_t status = STATUS_SUCCESS;
    unsigned empty = 0, heads = 0;

    while (status == STATUS_SUCCESS && t->bytes < t->size && heads < EMPTY_MAX) {
        if (in->left > 0 || in->back) {
            status = take(p, fd, t);
        } else {
            status = next_fragment(p, fd);
            heads++;
            empty += status == STATUS_SUCCESS && in->inside && in->left == 0;
        }
        if (in->inside && at_message_end(in))
            in->inside = false;
    }
    if (status == STATUS_PIPE_BROKEN)
        drop_message(in);
    if (t->bytes > 0 || (empty > 0 && status != STATUS_PIPE_BROKEN))
        return STATUS_SUCCESS;
    return status == STATUS_SUCCESS ? LANE_YIELD : status;
}

static uint32_t read_bytes(struct pipe *p, int fd, struct pipe_transfer *t)
{
    ssize_t n = receive(fd, t->data, t->size, 0);

    if (n <= 0)
        return receive_failed(p, n);
    t->bytes = (uint32_t)n;
    return STATUS_SUCCESS;
}

uint32_t pipe_read_step(struct pipe *p, int fd, struct pipe_transfer *t)
{
    struct pipe_in *in = &p->in;

    lock_assert_held(&p->lock);
    if (in->owner && in->owner != t->owner) {
        in->turned_away = true;
        return STATUS_PENDING;
    }
    if (p->shape.messages && atomic_load_explicit(&p->read_messages, memory_order_relaxed))
        return read_message(p, fd, t);
    if (t->size == 0)
        return in->left > 0 || in->back || in->head_have > 0 ? (uint32_t)STATUS_SUCCESS
                                                             : wait_for_data(p, fd);
    return p->shape.messages ? read_across(p, fd, t) : read_bytes(p, fd, t);
}

bool pipe_read_undo(struct pipe *p, const struct pipe_transfer *t)
{
    struct pipe_in *in = &p->in;
    bool tell = in->turned_away;

    lock_assert_held(&p->lock);
    if (in->owner != t->owner)
        return false;
    assert(in->inside);
    assert(!in->back); /* it was taken first, and there was room for more */
    in->owner = NULL;
    in->turned_away = false;
    in->back = malloc(t->bytes);
    if (!in->back) {
        in->dead = true; /* better no pipe than one with a hole */
        return tell;
    }
    memcpy(in->back, t->data, t->bytes);
    in->back_size = t->bytes;
    in->back_at = 0;
    return tell;
}

/* ---- sending ---- */

static ssize_t transmit(int fd, struct iovec *iov, size_t count)
{
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = count};
    ssize_t n;

    do {
        n = sendmsg(fd, &msg, ALWAYS);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

static uint32_t write_bytes(struct pipe *p, int fd, struct pipe_transfer *t)
{
    while (t->bytes < t->size) {
        struct iovec iov = {(void *)((uintptr_t)t->data + t->bytes), t->size - t->bytes};
        ssize_t n = transmit(fd, &iov, 1);

        if (n == -EAGAIN)
            return STATUS_PENDING;
        if (n < 0)
            return write_failed(p, (int)-n);
        t->bytes += (uint32_t)n;
    }
    if (t->size == 0 && pipe_hung_up(fd))
        return write_failed(p, EPIPE);
    return STATUS_SUCCESS;
}

/* The message that is out in part has come to nothing. */
static void give_up(struct pipe *p)
{
    p->out.owner = NULL;
    p->out.mark_at = 0;
    atomic_store_explicit(&p->owes, true, memory_order_relaxed);
}

/* The rest of the fragment that is out in part, with anything for bytes, or the mark. */
static ssize_t pay_once(struct pipe_out *out, int fd)
{
    static const char anything[4096];
    uint32_t mark = HEAD_GIVEN_UP;
    uint32_t end = HEAD_SIZE + (out->head & HEAD_LENGTH);
    struct iovec iov = {(char *)&mark + out->mark_at, HEAD_SIZE - out->mark_at};
    ssize_t n;

    if (out->at > 0 && out->at < HEAD_SIZE)
        iov = (struct iovec){(char *)&out->head + out->at, HEAD_SIZE - out->at};
    else if (out->at > 0)
        iov = (struct iovec){(void *)(uintptr_t)anything,
                             end - out->at < sizeof anything ? end - out->at : sizeof anything};
    n = transmit(fd, &iov, 1);
    if (n > 0 && out->at > 0)
        out->at = out->at + (uint32_t)n < end ? out->at + (uint32_t)n : 0;
    else if (n > 0)
        out->mark_at += (uint32_t)n;
    return n;
}

uint32_t pipe_pay(struct pipe *p, int fd)
{
    lock_assert_held(&p->lock);
    while (atomic_load_explicit(&p->owes, memory_order_relaxed)) {
        ssize_t n = pay_once(&p->out, fd);

        if (n == -EAGAIN)
            return STATUS_PENDING;
        if (n < 0)
            return write_failed(p, (int)-n);
        if (p->out.mark_at == HEAD_SIZE)
            atomic_store_explicit(&p->owes, false, memory_order_relaxed);
    }
    return STATUS_SUCCESS;
}

/* The fragment that begins at t->bytes: its head, and how long it is. */
static uint32_t fragment_at(const struct pipe_transfer *t, uint32_t *length)
{
    size_t rest = t->size - t->bytes;

    *length = rest < FRAGMENT_MAX ? (uint32_t)rest : FRAGMENT_MAX;
    return *length | (t->bytes == 0 ? HEAD_FIRST : 0) | (*length == rest ? HEAD_LAST : 0);
}

static ssize_t transmit_fragment(int fd, const struct pipe_transfer *t, uint32_t head, uint32_t length,
                                 uint32_t at)
{
    uint32_t body = at < HEAD_SIZE ? 0 : at - HEAD_SIZE;
    struct iovec iov[2] = {
        {(char *)&head + at, at < HEAD_SIZE ? HEAD_SIZE - at : 0},
        {(void *)((uintptr_t)t->data + t->bytes + body), length - body},
    };

    return at < HEAD_SIZE ? transmit(fd, iov, length > body ? 2 : 1) : transmit(fd, iov + 1, 1);
}

static uint32_t write_message(struct pipe *p, int fd, struct pipe_transfer *t)
{
    struct pipe_out *out = &p->out;
    uint32_t head, length, status;

    if (out->owner && out->owner != t->owner)
        give_up(p);
    status = pipe_pay(p, fd);
    if (status != STATUS_SUCCESS)
        return status;
    do {
        head = fragment_at(t, &length);
        while (out->at < HEAD_SIZE + length) {
            ssize_t n = transmit_fragment(fd, t, head, length, out->at);

            if (n == -EAGAIN)
                return STATUS_PENDING;
            if (n < 0)
                return write_failed(p, (int)-n);
            out->at += (uint32_t)n;
            out->head = head;
            out->owner = t->owner;
        }
        out->at = 0;
        t->bytes += length;
    } while (t->bytes < t->size);
    out->owner = NULL;
    return STATUS_SUCCESS;
}

/* No-wait mode: whole messages only. Of one that is more than a fragment it must be known before. */
static bool has_room(int fd, size_t size)
{
    int room = 0, taken = 0;
    socklen_t len = sizeof room;
    size_t fragments = size / FRAGMENT_MAX + 1;

    if (fragments == 1)
        return true;
    if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, &len) < 0 || ioctl(fd, SIOCOUTQ, &taken) < 0)
        return false;
    return fragments * (FRAGMENT_MAX + 8192) <= (size_t)(room > taken ? room - taken : 0);
}

uint32_t pipe_write_step(struct pipe *p, int fd, struct pipe_transfer *t, bool nowait)
{
    uint32_t status;

    lock_assert_held(&p->lock);
    if (!p->shape.messages) {
        status = write_bytes(p, fd, t);
        return status == STATUS_PENDING && nowait ? (uint32_t)STATUS_SUCCESS : status;
    }
    if (nowait && p->out.owner != t->owner && !has_room(fd, t->size))
        return STATUS_SUCCESS;
    status = write_message(p, fd, t);
    if (status == STATUS_PENDING && nowait && p->out.owner != t->owner)
        return STATUS_SUCCESS;
    return status;
}

void pipe_write_undo(struct pipe *p, int fd, const struct pipe_transfer *t)
{
    lock_assert_held(&p->lock);
    if (p->out.owner != t->owner)
        return;
    give_up(p);
    pipe_pay(p, fd);
}

void pipe_stream_reset(struct pipe *p)
{
    free(p->in.back);
    p->in = (struct pipe_in){0};
    p->out = (struct pipe_out){0};
    atomic_store(&p->owes, false);
}

/* ---- looking ---- */

/* Copies what there is room for. */
static void see(struct pipe_look *look, char *data, size_t size, const char *bytes, size_t count)
{
    size_t room = size - look->read;
    size_t n = count < room ? count : room;

    if (n > 0)
        memcpy(data + look->read, bytes, n);
    look->read += (uint32_t)n;
    look->left += (uint32_t)(count - n);
}

/* A walk over `queue`, all that lies in the socket: the first message is seen, all are counted but those that
 * were given up. Is there one? */
static bool walk(struct pipe_in in, const char *queue, size_t have, char *data, size_t size,
                 struct pipe_look *look)
{
    uint32_t whole = 0; /* bytes of the messages that have ended */
    bool any = false;   /* there is one of those: the first was seen */
    size_t at = 0;

    if (in.back) {
        look->total = in.back_size - in.back_at;
        see(look, data, size, in.back + in.back_at, in.back_size - in.back_at);
    }
    for (;;) {
        size_t n = in.left < have - at ? in.left : have - at;

        look->total += (uint32_t)n;
        if (!any)
            see(look, data, size, queue + at, n);
        at += n;
        in.left -= (uint32_t)n;
        if (in.left > 0)
            return true;
        if (in.inside && in.last) {
            in.inside = false;
            any = true;
            whole = look->total;
        }
        while (in.head_have < HEAD_SIZE && at < have)
            in.head[in.head_have++] = (unsigned char)queue[at++];
        if (in.head_have < HEAD_SIZE || apply_head(&in) != STATUS_SUCCESS)
            return any || in.inside;
        if (in.inside)
            continue;
        look->total = whole;
        if (!any)
            look->read = look->left = 0;
    }
}

static uint32_t look_at_messages(struct pipe *p, int fd, char *data, size_t size, struct pipe_look *look)
{
    int have = 0;
    char *queue = NULL;
    bool any;

    if (ioctl(fd, FIONREAD, &have) < 0)
        have = 0;
    if (have > 0) {
        queue = malloc((size_t)have);
        if (!queue)
            return STATUS_NO_MEMORY;
        have = (int)receive(fd, queue, (size_t)have, MSG_PEEK);
    }
    any = walk(p->in, queue, have > 0 ? (size_t)have : 0, data, size, look);
    free(queue);
    if (any || have > 0)
        return STATUS_SUCCESS;
    return p->in.dead ? (uint32_t)STATUS_PIPE_BROKEN : wait_for_data(p, fd);
}

uint32_t pipe_look(struct pipe *p, int fd, void *data, size_t size, struct pipe_look *look)
{
    uint32_t status;
    int have = 0;
    ssize_t n;

    lock_assert_held(&p->lock);
    *look = (struct pipe_look){0};
    if (p->shape.messages) {
        status = look_at_messages(p, fd, data, size, look);
    } else {
        n = size > 0 ? receive(fd, data, size, MSG_PEEK) : 0;
        look->read = n > 0 ? (uint32_t)n : 0;
        if (ioctl(fd, FIONREAD, &have) == 0)
            look->total = (uint32_t)have;
        status = have > 0 ? (uint32_t)STATUS_SUCCESS : wait_for_data(p, fd);
    }
    return status == STATUS_PENDING ? (uint32_t)STATUS_SUCCESS : status;
}
