/* SPDX-License-Identifier: MIT */
/*
 * What happens on a serial line: the mask, WaitCommEvent, errors. Bytes that come and go are noticed at
 * the edges of the descriptor; what has no edge (modem lines, breaks, the last byte sent) is looked at
 * every 10 ms while somebody waits for it. Bytes are told from each other by counting: got from the
 * device so far plus what it holds now, so an edge that only says that there is still something is no
 * event.
 *
 * One wait at a time: a parked request or a sleeping thread. Who takes it out of its place, under the
 * lock, answers it.
 */
#include "io/serial.h"

#include "base/clock.h"
#include "base/os.h"
#include "base/status.h"
#include "io/lane.h"
#include "io/request.h"
#include "ntstatus.h"
#include "wait/wait.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define EV_KNOWN 0x1FFFu
#define EV_LINES (EV_CTS | EV_DSR | EV_RLSD | EV_RING)
#define EV_COUNTED (EV_LINES | EV_BREAK | EV_ERR)
#define LOOK_NS (10 * NS_PER_MS)

/* ---- looking ---- */

static void note_errors_locked(struct serial *s, const struct serial_counts *now)
{
    const struct serial_counts *was = &s->counts;

    if (now->breaks != was->breaks) {
        s->events |= EV_BREAK;
        s->errors |= CE_BREAK;
    }
    if (now->frame != was->frame)
        s->errors |= CE_FRAME;
    if (now->parity != was->parity)
        s->errors |= CE_RXPARITY;
    if (now->overrun != was->overrun)
        s->errors |= CE_OVERRUN;
    if (now->room != was->room)
        s->errors |= CE_RXOVER;
    if (now->frame != was->frame || now->parity != was->parity || now->overrun != was->overrun ||
        now->room != was->room)
        s->events |= EV_ERR;
}

/* Lines and errors since the last look. */
static void look_at_counts_locked(struct file *f, struct serial *s)
{
    struct serial_counts now;

    if (!s->has_lines && !s->has_counts)
        return;
    serial_read_counts(f->fd, s, &now);
    if (now.cts != s->counts.cts)
        s->events |= EV_CTS;
    if (now.dsr != s->counts.dsr)
        s->events |= EV_DSR;
    if (now.carrier != s->counts.carrier)
        s->events |= EV_RLSD;
    if (now.ring != s->counts.ring)
        s->events |= EV_RING;
    note_errors_locked(s, &now);
    s->counts = now;
}

static void look_at_input_locked(struct file *f, struct serial *s)
{
    uint32_t waiting;
    bool full;

    if (s->fetching && s->readers == 0)
        serial_fetch_locked(f);
    waiting = serial_in_count(f->fd, &s->gone);
    if (s->fetched + waiting > s->announced) {
        s->announced = s->fetched + waiting;
        s->events |= EV_RXCHAR;
    }
    full = (uint64_t)(waiting + s->ring_count) * 5 >= (uint64_t)s->in_size * 4;
    if (full && !s->nearly_full)
        s->events |= EV_RX80FULL;
    s->nearly_full = full;
}

static void look_locked(struct file *f, struct serial *s)
{
    lock_assert_held(&s->lock);
    look_at_input_locked(f, s);
    if (s->sending && atomic_load(&s->unsent) == 0 && serial_out_count(f->fd) == 0) {
        s->sending = false;
        s->events |= EV_TXEMPTY;
    }
    if (s->mask & EV_COUNTED)
        look_at_counts_locked(f, s);
    s->events &= s->mask;
}

/* ---- answering ---- */

static void wake_sleeper_locked(struct serial *s, uint32_t events, uint32_t status)
{
    struct serial_sleeper *w = s->sleeper;

    s->sleeper = NULL;
    w->done = true;
    w->events = events;
    w->status = status;
    os_ring(w->wake_fd);
}

/* Takes out who waits. A request comes back, to be completed with no lock held. */
static struct request *answer_locked(struct serial *s, uint32_t events, uint32_t status)
{
    struct request *r = s->waiter;

    lock_assert_held(&s->lock);
    s->waiter = NULL;
    if (s->sleeper)
        wake_sleeper_locked(s, events, status);
    if (r)
        r->u.comm_event.events = events;
    return r;
}

static void write_out(struct request *r)
{
    *r->u.comm_event.out = r->u.comm_event.events;
    r->bytes = sizeof *r->u.comm_event.out;
}

static void complete(struct request *r, uint32_t status)
{
    if (!r)
        return;
    if (status == STATUS_SUCCESS)
        write_out(r);
    request_complete(r, status, false);
}

/* What has no edge is looked at again. */
static void watch_locked(struct file *f, struct serial *s)
{
    bool counted = (s->mask & EV_COUNTED) && (s->has_lines || s->has_counts);
    bool sending = (s->mask & EV_TXEMPTY) && s->sending && atomic_load(&s->unsent) == 0;

    if ((s->waiter || s->sleeper) && (counted || sending))
        serial_arm_locked(f, SERIAL_EVENT_TIMER, clock_now_ns() + LOOK_NS);
}

void serial_look(struct file *f)
{
    struct serial *s = serial_of(f);
    struct request *r = NULL;
    uint32_t status = STATUS_SUCCESS;

    lock_acquire(&s->lock);
    if (s->mask)
        look_locked(f, s);
    if (s->gone)
        status = SERIAL_GONE;
    if (s->events || s->gone) {
        if (s->waiter || s->sleeper) {
            r = answer_locked(s, s->events, s->events ? (uint32_t)STATUS_SUCCESS : status);
            if (s->events)
                status = STATUS_SUCCESS;
            s->events = 0;
        }
    } else {
        watch_locked(f, s);
    }
    lock_release(&s->lock);
    complete(r, status);
}

void serial_vanished(struct file *f)
{
    struct serial *s = serial_of(f);

    lock_acquire(&s->lock);
    s->gone = true;
    lock_release(&s->lock);
    serial_look(f);
}

uint32_t serial_take_errors(struct file *f)
{
    struct serial *s = serial_of(f);
    uint32_t errors;

    lock_acquire(&s->lock);
    look_at_counts_locked(f, s);
    s->events &= s->mask;
    errors = s->errors;
    s->errors = 0;
    lock_release(&s->lock);
    return errors;
}

/* ---- the mask ---- */

static bool make_ring(struct serial *s)
{
    if (!s->ring) {
        s->ring = malloc(s->in_size);
        s->ring_size = s->in_size;
    }
    return s->ring != NULL;
}

/* What came before is not told of. */
static uint32_t replace_mask_locked(struct file *f, struct serial *s, uint32_t mask)
{
    if (s->gone)
        return SERIAL_GONE;
    if ((mask & EV_RXFLAG) && !make_ring(s))
        return STATUS_NO_MEMORY;
    s->fetching = (mask & EV_RXFLAG) != 0;
    s->announced = s->fetched + serial_in_count(f->fd, &s->gone);
    if (mask & EV_COUNTED)
        look_at_counts_locked(f, s);
    s->events = 0;
    s->sending = false;
    s->mask = mask;
    return STATUS_SUCCESS;
}

uint32_t serial_set_mask(struct file *f, uint32_t mask)
{
    struct serial *s = serial_of(f);
    struct request *r = NULL;
    uint32_t status = STATUS_INVALID_PARAMETER;

    if (mask & ~EV_KNOWN)
        return status;
    lock_acquire(&s->lock);
    status = replace_mask_locked(f, s, mask);
    if (status == STATUS_SUCCESS)
        r = answer_locked(s, 0, STATUS_SUCCESS);
    lock_release(&s->lock);
    complete(r, STATUS_SUCCESS);
    return status == STATUS_SUCCESS && mask ? lane_register(f) : status;
}

uint32_t serial_get_mask(struct file *f)
{
    struct serial *s = serial_of(f);
    uint32_t mask;

    lock_acquire(&s->lock);
    mask = s->mask;
    lock_release(&s->lock);
    return mask;
}

/* ---- waiting ---- */

static void cancel_wait(struct request *r, struct file *f)
{
    struct serial *s = serial_of(f);
    bool mine;

    lock_acquire(&s->lock);
    mine = s->waiter == r;
    if (mine)
        s->waiter = NULL;
    lock_release(&s->lock);
    if (mine)
        request_complete(r, STATUS_CANCELLED, false);
}

static const struct request_ops wait_ops = {.name = "serial event", .cancel = cancel_wait};

/* STATUS_PENDING: to be put into its place. STATUS_SUCCESS: *events are there already. */
static uint32_t begin_wait_locked(struct file *f, struct serial *s, uint32_t *events)
{
    if (s->gone)
        return SERIAL_GONE;
    if (!s->mask || s->waiter || s->sleeper)
        return STATUS_INVALID_PARAMETER;
    look_locked(f, s);
    *events = s->events;
    s->events = 0;
    if (*events)
        return STATUS_SUCCESS;
    return s->gone ? SERIAL_GONE : (uint32_t)STATUS_PENDING;
}

uint32_t serial_wait(struct request *r, uint32_t *out)
{
    struct file *f = r->file;
    struct serial *s = serial_of(f);
    uint32_t status;

    r->ops = &wait_ops;
    r->u.comm_event.out = out;
    if (!request_park(r))
        return request_refuse(r, STATUS_INVALID_HANDLE);
    request_get(r);
    lock_acquire(&s->lock);
    status = begin_wait_locked(f, s, &r->u.comm_event.events);
    if (status == STATUS_PENDING) {
        s->waiter = r;
        watch_locked(f, s);
    }
    lock_release(&s->lock);
    if (status == STATUS_PENDING) {
        if (atomic_load(&r->cancelled)) /* before it was in its place */
            cancel_wait(r, f);
    } else if (status == STATUS_SUCCESS) {
        write_out(r);
        request_complete(r, status, true);
    } else {
        request_refuse(r, status);
    }
    request_put(r);
    return status;
}

/* Sleeps until it is answered or called back. */
static uint32_t sleep_for(struct file *f, struct serial *s, struct serial_sleeper *w)
{
    struct file_blocker blocker;
    uint32_t status = STATUS_SUCCESS;

    wait_sync_begin();
    if (file_block_enter(f, &blocker)) {
        status = wait_fd(w->wake_fd, POLLIN, DEADLINE_NEVER, false);
        file_block_leave(f, &blocker);
    } else {
        status = STATUS_INVALID_HANDLE;
    }
    wait_sync_end();
    lock_acquire(&s->lock);
    if (!w->done)
        s->sleeper = NULL;
    else
        status = w->status;
    lock_release(&s->lock);
    return status;
}

uint32_t serial_wait_sync(struct file *f, uint32_t *out)
{
    struct serial *s = serial_of(f);
    struct serial_sleeper w = {.wake_fd = fd_above_std(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))};
    uint32_t status;

    if (w.wake_fd < 0)
        return status_from_errno(errno);
    lock_acquire(&s->lock);
    status = begin_wait_locked(f, s, &w.events);
    if (status == STATUS_PENDING) {
        s->sleeper = &w;
        watch_locked(f, s);
    }
    lock_release(&s->lock);
    if (status == STATUS_PENDING)
        status = sleep_for(f, s, &w);
    close(w.wake_fd);
    if (status == STATUS_SUCCESS)
        *out = w.events;
    return status;
}
