/* SPDX-License-Identifier: MIT */
/*
 * Serial lines: opening, reading, writing; see serial.h. A read or write that is the head of its lane is
 * looked at when it starts, at every edge, and when its time is up: a timer of its direction, one
 * per line and not one per request, kicks the lane. So the clock of a request behind another
 * begins to run when its turn comes, as on Windows.
 */
#include "io/serial.h"

#include "base/clock.h"
#include "base/os.h"
#include "base/status.h"
#include "io/cancel.h"
#include "io/lane.h"
#include "io/request.h"
#include "ntstatus.h"
#include "wait/wait.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { QUEUE_DEFAULT = 4096 };

/* ---- timers ---- */

void serial_arm_locked(struct file *f, unsigned timer, uint64_t due_ns)
{
    struct serial_timer *t = &serial_of(f)->timers[timer];

    lock_assert_held(&serial_of(f)->lock);
    if (t->due_ns == due_ns)
        return;
    if (!timer_cancel(&t->timer)) /* else its reference is there already */
        file_get(f);
    t->due_ns = due_ns;
    if (timer_set(&t->timer, due_ns) == 0)
        return;
    t->due_ns = 0;
    file_put(f); /* no memory: edges alone move the lane on. Not the last reference: the caller has one */
}

void serial_disarm_locked(struct file *f, unsigned timer)
{
    struct serial_timer *t = &serial_of(f)->timers[timer];

    lock_assert_held(&serial_of(f)->lock);
    t->due_ns = 0;
    if (timer_cancel(&t->timer))
        file_put(f); /* not the last one either */
}

/* On the home thread, with the reference that came with the arming. */
static struct file *fired(struct timer *timer)
{
    struct serial_timer *t = container_of(timer, struct serial_timer, timer);
    struct serial *s = serial_of(t->file);

    lock_acquire(&s->lock);
    t->due_ns = 0; /* or somebody has armed it again meanwhile: then once too often is no harm */
    lock_release(&s->lock);
    return t->file;
}

static void fire_lane(struct timer *timer)
{
    struct file *f = fired(timer);

    lane_kick(f);
    file_put(f);
}

static void fire_event(struct timer *timer)
{
    struct file *f = fired(timer);

    serial_look(f);
    file_put(f);
}

/* ---- bytes ---- */

static int64_t fetch(struct file *f, void *data, size_t size)
{
    struct serial *s = serial_of(f);
    struct iovec v = {data, size};
    int64_t n = os_read(f->fd, &v, 1, OS_CURRENT, 0);

    lock_assert_held(&s->lock);
    if (n > 0)
        s->fetched += (uint64_t)n;
    else if (n == 0 || n == -EIO)
        s->gone = true;
    return n;
}

void serial_fetch_locked(struct file *f)
{
    struct serial *s = serial_of(f);

    while (s->ring && s->ring_count < s->ring_size) {
        uint32_t at = (s->ring_first + s->ring_count) % s->ring_size;
        uint32_t room = (at < s->ring_first ? s->ring_first : s->ring_size) - at;
        int64_t n = fetch(f, s->ring + at, room);

        if (n <= 0)
            return;
        if ((s->mask & EV_RXFLAG) && memchr(s->ring + at, s->dcb.EvtChar, (size_t)n))
            s->events |= EV_RXFLAG;
        s->ring_count += (uint32_t)n;
    }
}

static int64_t take_from_ring(struct serial *s, char *data, size_t size)
{
    size_t n = s->ring_size - s->ring_first;

    if (n > s->ring_count)
        n = s->ring_count;
    if (n > size)
        n = size;
    memcpy(data, s->ring + s->ring_first, n);
    s->ring_first = (uint32_t)((s->ring_first + n) % s->ring_size);
    s->ring_count -= (uint32_t)n;
    return (int64_t)n;
}

/* What is there, up to `size` bytes: how many, or why not even one. */
static int64_t take(struct file *f, char *data, size_t size)
{
    struct serial *s = serial_of(f);
    size_t got = 0;
    int64_t n = 1;

    lock_acquire(&s->lock);
    while (got < size && n > 0) {
        if (s->fetching)
            serial_fetch_locked(f);
        if (s->ring_count)
            n = take_from_ring(s, data + got, size - got);
        else if (s->fetching)
            n = -EAGAIN;
        else
            n = fetch(f, (char *)((uintptr_t)data + got), size - got); /* NULL: the kernel refuses it */
        if (n > 0)
            got += (size_t)n;
    }
    lock_release(&s->lock);
    return got > 0 || size == 0 ? (int64_t)got : n;
}

static bool is_gone(struct serial *s)
{
    bool gone;

    lock_acquire(&s->lock);
    gone = s->gone;
    lock_release(&s->lock);
    return gone;
}

/* ---- time-outs ---- */

static uint64_t total_due(uint32_t multiplier, uint32_t constant, size_t size)
{
    uint64_t ms = (uint64_t)multiplier * size + constant;

    if (ms == 0)
        return DEADLINE_NEVER;
    return ms < UINT64_C(1) << 40 ? clock_now_ns() + ms * NS_PER_MS : DEADLINE_NEVER;
}

/* The rules of SetCommTimeouts, see commapi.h. */
static void begin_read(struct serial *s, struct serial_clock *c, size_t size)
{
    COMMTIMEOUTS t;

    lock_acquire(&s->lock);
    t = s->timeouts;
    lock_release(&s->lock);
    *c = (struct serial_clock){.begun = true, .due_ns = DEADLINE_NEVER};
    if (t.ReadIntervalTimeout != MAXDWORD) {
        c->gap_ns = t.ReadIntervalTimeout * NS_PER_MS;
        c->due_ns = total_due(t.ReadTotalTimeoutMultiplier, t.ReadTotalTimeoutConstant, size);
    } else if (t.ReadTotalTimeoutMultiplier == 0 && t.ReadTotalTimeoutConstant == 0) {
        c->patience = SERIAL_NO_PATIENCE;
    } else if (t.ReadTotalTimeoutMultiplier == MAXDWORD) {
        c->patience = SERIAL_ANY_BYTE;
        c->due_ns = total_due(0, t.ReadTotalTimeoutConstant, size);
    } else {
        c->patience = SERIAL_WHAT_IS_THERE;
        c->due_ns = total_due(t.ReadTotalTimeoutMultiplier, t.ReadTotalTimeoutConstant, size);
    }
}

/* STATUS_PENDING: not yet, look again at *due_ns or when something comes. */
static uint32_t read_step(struct file *f, struct serial_clock *c, char *data, size_t size,
                          uint32_t *bytes, uint64_t *due_ns)
{
    struct serial *s = serial_of(f);
    int64_t n;

    if (!c->begun)
        begin_read(s, c, size);
    n = take(f, (char *)((uintptr_t)data + *bytes), size - *bytes);
    if (n > 0)
        *bytes += (uint32_t)n;
    serial_look(f);
    if (n < 0 && n != -EAGAIN && n != -EIO)
        return status_from_errno((int)-n);
    if (*bytes == size || (*bytes > 0 && c->patience != SERIAL_FILL))
        return STATUS_SUCCESS;
    if (is_gone(s))
        return *bytes > 0 ? (uint32_t)STATUS_SUCCESS : SERIAL_GONE;
    if (c->patience == SERIAL_NO_PATIENCE)
        return STATUS_SUCCESS;
    if (c->patience == SERIAL_WHAT_IS_THERE)
        c->patience = SERIAL_FILL;
    if (n > 0)
        c->last_ns = clock_now_ns();
    *due_ns = c->due_ns;
    if (*bytes > 0 && c->gap_ns && c->last_ns + c->gap_ns < *due_ns)
        *due_ns = c->last_ns + c->gap_ns;
    return *due_ns <= clock_now_ns() ? (uint32_t)STATUS_SUCCESS : (uint32_t)STATUS_PENDING;
}

/* As many bytes as the device takes now. */
static uint32_t write_step(struct file *f, struct serial_clock *c, const char *data, size_t size,
                           uint32_t *bytes)
{
    struct serial *s = serial_of(f);
    int64_t n = 1;

    if (!c->begun) {
        lock_acquire(&s->lock);
        c->due_ns = total_due(s->timeouts.WriteTotalTimeoutMultiplier,
                              s->timeouts.WriteTotalTimeoutConstant, size);
        lock_release(&s->lock);
        c->begun = true;
    }
    while (*bytes < size && n > 0) {
        /* A number, not a pointer: the program may hand in NULL, which the kernel refuses. */
        struct iovec v = {(void *)((uintptr_t)data + *bytes), size - *bytes};

        n = os_write(f->fd, &v, 1, OS_CURRENT, 0);
        if (n > 0) {
            *bytes += (uint32_t)n;
            atomic_fetch_add(&s->given, (uint64_t)n);
            atomic_fetch_sub(&s->unsent, (uint32_t)n);
            lock_acquire(&s->lock);
            s->sending = true;
            lock_release(&s->lock);
        }
    }
    serial_look(f);
    if (n == -EIO) {
        serial_vanished(f);
        return SERIAL_GONE;
    }
    if (n < 0 && n != -EAGAIN)
        return status_from_errno_write((int)-n);
    if (*bytes == size || c->due_ns <= clock_now_ns())
        return STATUS_SUCCESS;
    return STATUS_PENDING;
}

/* ---- overlapped ---- */

static void arm(struct file *f, struct serial_clock *c, unsigned lane, uint64_t due_ns)
{
    struct serial *s = serial_of(f);

    if (due_ns == DEADLINE_NEVER)
        return;
    c->armed = true;
    lock_acquire(&s->lock);
    serial_arm_locked(f, lane, due_ns);
    lock_release(&s->lock);
}

static uint32_t read_attempt(struct request *r)
{
    struct serial_clock *c = &r->u.serial;
    uint64_t due_ns = DEADLINE_NEVER;
    uint32_t status = read_step(r->file, c, r->iov[0].iov_base, r->size, &r->bytes, &due_ns);

    if (status == STATUS_PENDING)
        arm(r->file, c, LANE_IN, due_ns);
    return status;
}

static uint32_t write_attempt(struct request *r)
{
    struct serial_clock *c = &r->u.serial;
    uint32_t status = write_step(r->file, c, r->iov[0].iov_base, r->size, &r->bytes);

    if (status == STATUS_PENDING)
        arm(r->file, c, LANE_OUT, c->due_ns);
    return status;
}

/* The timer that its clock has armed goes with it. Behind one that was called back it is due at once: who
 * is next has mostly begun its clock by then (lane_withdraw_locked), and is looked at for nothing. */
static void leave(struct request *r, unsigned lane)
{
    struct serial *s = serial_of(r->file);

    if (!atomic_load(&r->cancelled) && !r->u.serial.armed)
        return;
    lock_acquire(&s->lock);
    if (atomic_load(&r->cancelled))
        serial_arm_locked(r->file, lane, clock_now_ns());
    else
        serial_disarm_locked(r->file, lane);
    lock_release(&s->lock);
}

static void read_release(struct request *r)
{
    leave(r, LANE_IN);
}

static void write_release(struct request *r)
{
    atomic_fetch_sub(&serial_of(r->file)->unsent, (uint32_t)r->size - r->bytes);
    leave(r, LANE_OUT);
}

static const struct request_ops read_ops = {
    .name = "serial read", .attempt = read_attempt, .release = read_release};
static const struct request_ops write_ops = {
    .name = "serial write", .attempt = write_attempt, .release = write_release};

/* Nobody waits in the lane: the next request is looked at whatever the last one found, or its clock would
 * not begin. */
static uint32_t start(struct request *r, enum lane_direction dir)
{
    struct file *f = r->file;

    lock_acquire(&f->lock);
    if (list_empty(&f->lanes[dir].requests))
        f->lanes[dir].drained = false;
    lock_release(&f->lock);
    return lane_start(r, dir, NULL);
}

static void accept_bytes(struct serial *s, uint32_t size)
{
    atomic_fetch_add(&s->unsent, size);
    atomic_fetch_add(&s->accepted, size);
}

static uint32_t read_overlapped(struct request *r)
{
    r->ops = &read_ops;
    return start(r, LANE_IN);
}

static uint32_t write_overlapped(struct request *r)
{
    r->ops = &write_ops;
    accept_bytes(serial_of(r->file), r->size);
    return start(r, LANE_OUT);
}

/* ---- synchronous ---- */

struct transfer {
    struct serial_clock clock;
    char *data;
    size_t size;
    uint32_t bytes;
    uint64_t due_ns;  /* when the sleep that comes ends */
    bool again;       /* the time has changed: sleep anew */
};

static uint32_t sync_read_attempt(struct file *f, void *ctx)
{
    struct transfer *t = ctx;
    uint64_t due_ns = DEADLINE_NEVER;
    uint32_t status = read_step(f, &t->clock, t->data, t->size, &t->bytes, &due_ns);

    t->again = status == STATUS_PENDING && due_ns != t->due_ns;
    t->due_ns = due_ns;
    return t->again ? (uint32_t)STATUS_SUCCESS : status;
}

static uint32_t sync_write_attempt(struct file *f, void *ctx)
{
    struct transfer *t = ctx;
    uint32_t status = write_step(f, &t->clock, t->data, t->size, &t->bytes);

    t->again = status == STATUS_PENDING && t->clock.due_ns != t->due_ns;
    t->due_ns = t->clock.due_ns;
    return t->again ? (uint32_t)STATUS_SUCCESS : status;
}

/* What was moved before the time was up, or before it was called back, has been moved. */
static uint32_t transfer_sync(struct file *f, struct transfer *t, short events,
                              uint32_t (*attempt)(struct file *, void *))
{
    uint32_t status;

    t->due_ns = DEADLINE_NEVER;
    wait_sync_begin(); /* one region: what calls it back between two waits is not forgotten */
    do {
        t->again = false;
        status = file_blocking_call(f, events, t->due_ns, WAIT_NO_ROUTINES, attempt, t);
    } while (status == STATUS_SUCCESS && t->again);
    wait_sync_end();
    return status == STATUS_IO_TIMEOUT ? (uint32_t)STATUS_SUCCESS : status;
}

static void count_reader(struct serial *s, int n)
{
    lock_acquire(&s->lock);
    s->readers += (unsigned)n;
    lock_release(&s->lock);
}

static uint32_t read_sync(struct file *f, void *buf, uint32_t size, const uint64_t *offset,
                          uint32_t *bytes)
{
    struct transfer t = {.data = buf, .size = size};
    uint32_t status;

    (void)offset;
    count_reader(serial_of(f), 1);
    status = transfer_sync(f, &t, POLLIN, sync_read_attempt);
    count_reader(serial_of(f), -1);
    *bytes = t.bytes;
    return status;
}

static uint32_t write_sync(struct file *f, const void *buf, uint32_t size, const uint64_t *offset,
                           uint32_t *bytes)
{
    struct transfer t = {.data = (char *)(uintptr_t)buf, .size = size};
    struct serial *s = serial_of(f);
    uint32_t status;

    (void)offset;
    *bytes = 0;
    status = turn_begin(f, &s->writing);
    if (status != STATUS_SUCCESS)
        return status;
    accept_bytes(s, size);
    status = transfer_sync(f, &t, POLLOUT, sync_write_attempt);
    atomic_fetch_sub(&s->unsent, size - t.bytes);
    turn_end(f, &s->writing);
    *bytes = t.bytes;
    return status;
}

uint32_t serial_send_byte(struct file *f, char byte)
{
    struct serial *s = serial_of(f);
    struct iovec v = {&byte, 1};
    int64_t n = os_write(f->fd, &v, 1, OS_CURRENT, 0);

    if (n == -EAGAIN)
        return STATUS_INVALID_PARAMETER;
    if (n == -EIO)
        return SERIAL_GONE;
    if (n < 0)
        return status_from_errno((int)-n);
    atomic_fetch_add(&s->given, 1);
    lock_acquire(&s->lock);
    s->sending = true;
    lock_release(&s->lock);
    serial_look(f);
    return STATUS_SUCCESS;
}

/* ---- settings of ours ---- */

void serial_get_timeouts(struct file *f, COMMTIMEOUTS *out)
{
    struct serial *s = serial_of(f);

    lock_acquire(&s->lock);
    *out = s->timeouts;
    lock_release(&s->lock);
}

uint32_t serial_set_timeouts(struct file *f, const COMMTIMEOUTS *t)
{
    struct serial *s = serial_of(f);

    if (t->ReadIntervalTimeout == MAXDWORD && t->ReadTotalTimeoutMultiplier == MAXDWORD &&
        t->ReadTotalTimeoutConstant == MAXDWORD)
        return STATUS_INVALID_PARAMETER;
    lock_acquire(&s->lock);
    s->timeouts = *t;
    lock_release(&s->lock);
    return STATUS_SUCCESS;
}

void serial_get_queues(struct file *f, uint32_t *in, uint32_t *out)
{
    struct serial *s = serial_of(f);

    lock_acquire(&s->lock);
    *in = s->in_size;
    *out = s->out_size;
    lock_release(&s->lock);
}

void serial_set_queues(struct file *f, uint32_t in, uint32_t out)
{
    struct serial *s = serial_of(f);

    lock_acquire(&s->lock);
    if (in)
        s->in_size = in;
    if (out)
        s->out_size = out;
    lock_release(&s->lock);
}

uint32_t serial_purge(struct file *f, uint32_t flags)
{
    struct serial *s = serial_of(f);

    if (flags == 0 || (flags & ~(uint32_t)(PURGE_TXABORT | PURGE_RXABORT | PURGE_TXCLEAR | PURGE_RXCLEAR)))
        return STATUS_INVALID_PARAMETER;
    if (is_gone(s))
        return SERIAL_GONE;
    if (flags & PURGE_RXABORT)
        cancel_lane(f, LANE_IN);
    if (flags & PURGE_TXABORT)
        cancel_lane(f, LANE_OUT);
    lock_acquire(&s->lock);
    serial_flush_queues(f->fd, flags & PURGE_RXCLEAR, flags & PURGE_TXCLEAR);
    if (flags & PURGE_RXCLEAR) {
        bool gone = false;

        s->ring_count = 0;
        s->announced = s->fetched + serial_in_count(f->fd, &gone);
    }
    lock_release(&s->lock);
    return STATUS_SUCCESS;
}

/* ---- life ---- */

bool serial_is_line(int fd)
{
    pid_t session;

    if (!isatty(fd))
        return false;
    return ioctl(fd, TIOCGSID, &session) != 0 || session != getsid(0);
}

static void edge(struct file *f, uint32_t events)
{
    if (events & (READY_HUP | READY_ERR))
        serial_vanished(f);
    else
        serial_look(f);
}

static void cleanup(struct file *f)
{
    if (f->keep_fd && !(f->flags & FILE_ADOPTED))
        return; /* closed behind our back: the number may be another line's */
    ioctl(f->fd, TIOCNXCL);
    flock(f->fd, LOCK_UN);
}

static void destroy(struct file *f)
{
    struct serial *s = serial_of(f);

    turn_done(&s->writing);
    free(s->ring);
    free(s->as_set);
    free(s);
}

const struct file_ops serial_ops = {
    .name = "serial line",
    .cleanup = cleanup,
    .destroy = destroy,
    .edge = edge,
    .read = read_overlapped,
    .write = write_overlapped,
    .read_sync = read_sync,
    .write_sync = write_sync,
    .flush = serial_flush,
};

static struct serial *new_serial(int fd, uint32_t *status)
{
    struct serial *s = calloc(1, sizeof *s);

    if (!s) {
        *status = STATUS_NO_MEMORY;
        return NULL;
    }
    lock_init(&s->lock, LOCK_QUEUE);
    turn_init(&s->writing);
    s->in_size = s->out_size = QUEUE_DEFAULT;
    for (unsigned i = 0; i < SERIAL_TIMERS; i++)
        timer_init(&s->timers[i].timer, i == SERIAL_EVENT_TIMER ? fire_event : fire_lane);
    *status = flock(fd, LOCK_EX | LOCK_NB) < 0 ? (uint32_t)STATUS_ACCESS_DENIED : serial_line_open(fd, s);
    if (*status == STATUS_SUCCESS)
        *status = status_from_errno(home_start()); /* timers are set under the lock: no start in there */
    if (*status == STATUS_SUCCESS)
        return s;
    free(s->as_set);
    free(s);
    return NULL;
}

uint32_t serial_open(int fd, uint32_t flags, uint32_t access, struct file **out)
{
    uint32_t status;
    struct serial *s = new_serial(fd, &status);

    if (!s) {
        close(fd);
        return status;
    }
    status = file_new(fd, FILE_KIND_CHAR, flags, access, &serial_ops, s, out);
    if (status != STATUS_SUCCESS) {
        free(s->as_set);
        free(s);
        return status;
    }
    for (unsigned i = 0; i < SERIAL_TIMERS; i++)
        s->timers[i].file = *out;
    ioctl(fd, TIOCEXCL); /* keeps out programs that know nothing of flock */
    return STATUS_SUCCESS;
}
