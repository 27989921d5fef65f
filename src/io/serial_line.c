/* SPDX-License-Identifier: MIT */
/*
 * A serial line's device: a DCB turned into termios and back, modem lines, queues, counters. Speeds go
 * through BOTHER, so any number will do that the device can make. What Linux cannot do (hand-shaking by
 * DSR and DTR, replaced and dropped bytes) is refused, not forgotten.
 *
 * A DCB says more than the device keeps (limits of flow control, the event character), and some devices
 * keep less than they were told (a pseudo terminal has no parity). So the DCB that was set is what is
 * read back, until somebody else changes the device: then its own words count.
 */
#include "io/serial.h"

#include "base/clock.h"
#include "base/status.h"
#include "io/request.h"
#include "ntstatus.h"
#include "wait/wait.h"
#include "winerror.h"

#include <asm/termbits.h>
#include <errno.h>
#include <linux/serial.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

enum { XON = 0x11, XOFF = 0x13, DEFAULT_BAUD = 9600, FLUSH_TICK_MS = 5 };

static int control(int fd, unsigned long request, void *arg)
{
    int result;

    do
        result = ioctl(fd, request, arg);
    while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : result;
}

/* What the device does not have. */
static uint32_t status_of(int err)
{
    switch (err < 0 ? -err : err) {
    case ENOTTY:
    case EINVAL:
        return STATUS_NOT_SUPPORTED;
    case EIO:
        return SERIAL_GONE;
    default:
        return status_from_errno(err);
    }
}

/* ---- DCB to termios ---- */

static bool is_format(const DCB *d)
{
    if (d->ByteSize < 5 || d->ByteSize > 8 || d->Parity > SPACEPARITY || d->StopBits > TWOSTOPBITS)
        return false;
    if (d->StopBits == ONE5STOPBITS)
        return d->ByteSize == 5;
    return !(d->StopBits == TWOSTOPBITS && d->ByteSize == 5);
}

static uint32_t check(const DCB *d)
{
    if (d->BaudRate == 0 || !is_format(d) || d->XonChar == d->XoffChar ||
        d->fDtrControl > DTR_CONTROL_HANDSHAKE)
        return STATUS_INVALID_PARAMETER;
    if (d->fOutxDsrFlow || d->fDsrSensitivity || d->fDtrControl == DTR_CONTROL_HANDSHAKE ||
        d->fRtsControl == RTS_CONTROL_TOGGLE || (d->fErrorChar && d->fParity) || d->fNull || d->fAbortOnError)
        return status_from_win32(ERROR_CALL_NOT_IMPLEMENTED);
    return STATUS_SUCCESS;
}

static bool hand_shakes(const DCB *d)
{
    return d->fOutxCtsFlow || d->fRtsControl == RTS_CONTROL_HANDSHAKE;
}

/* Speed, format and flow; raw otherwise. */
static void to_termios(const DCB *d, struct termios2 *t)
{
    static const tcflag_t sizes[] = {CS5, CS6, CS7, CS8};

    t->c_iflag = (d->fOutX ? IXON : 0u) | (d->fInX ? IXOFF : 0u) | (d->fParity ? INPCK : 0u);
    t->c_oflag = 0;
    t->c_lflag = 0;
    t->c_cflag &= ~(tcflag_t)(CBAUD | CIBAUD | CSIZE | CSTOPB | PARENB | PARODD | CMSPAR | CRTSCTS);
    t->c_cflag |= CREAD | CLOCAL | BOTHER | ((tcflag_t)BOTHER << IBSHIFT) | sizes[d->ByteSize - 5];
    if (d->StopBits != ONESTOPBIT)
        t->c_cflag |= CSTOPB;
    if (d->Parity != NOPARITY)
        t->c_cflag |= PARENB;
    if (d->Parity == ODDPARITY || d->Parity == MARKPARITY)
        t->c_cflag |= PARODD;
    if (d->Parity == MARKPARITY || d->Parity == SPACEPARITY)
        t->c_cflag |= CMSPAR;
    if (hand_shakes(d))
        t->c_cflag |= CRTSCTS;
    t->c_ispeed = t->c_ospeed = d->BaudRate;
    t->c_cc[VSTART] = (cc_t)d->XonChar;
    t->c_cc[VSTOP] = (cc_t)d->XoffChar;
    t->c_cc[VMIN] = 1;
    t->c_cc[VTIME] = 0;
}

static BYTE parity_of(tcflag_t flags)
{
    if (!(flags & PARENB))
        return NOPARITY;
    if (flags & CMSPAR)
        return flags & PARODD ? MARKPARITY : SPACEPARITY;
    return flags & PARODD ? ODDPARITY : EVENPARITY;
}

static BYTE bits_of(tcflag_t flags)
{
    switch (flags & CSIZE) {
    case CS5:
        return 5;
    case CS6:
        return 6;
    case CS7:
        return 7;
    default:
        return 8;
    }
}

/* What the device has a say in; the rest stays. */
static void from_termios(const struct termios2 *t, DCB *d)
{
    d->BaudRate = t->c_ospeed ? t->c_ospeed : DEFAULT_BAUD;
    d->ByteSize = bits_of(t->c_cflag);
    d->Parity = parity_of(t->c_cflag);
    d->StopBits = ONESTOPBIT;
    if (t->c_cflag & CSTOPB)
        d->StopBits = d->ByteSize == 5 ? ONE5STOPBITS : TWOSTOPBITS;
    d->fOutX = (t->c_iflag & IXON) != 0;
    d->fInX = (t->c_iflag & IXOFF) != 0;
    d->fParity = (t->c_iflag & INPCK) != 0;
    d->fOutxCtsFlow = (t->c_cflag & CRTSCTS) != 0;
    if (t->c_cflag & CRTSCTS)
        d->fRtsControl = RTS_CONTROL_HANDSHAKE;
    else if (d->fRtsControl == RTS_CONTROL_HANDSHAKE)
        d->fRtsControl = RTS_CONTROL_ENABLE;
    if (t->c_cc[VSTART] != t->c_cc[VSTOP]) {
        d->XonChar = (char)t->c_cc[VSTART];
        d->XoffChar = (char)t->c_cc[VSTOP];
    }
}

/* ---- state ---- */

static int apply(int fd, struct serial *s, const DCB *d)
{
    struct termios2 t;
    int err = control(fd, TCGETS2, &t);

    if (err < 0)
        return err;
    to_termios(d, &t);
    err = control(fd, TCSETS2, &t); /* at once: nothing waits, nothing is dropped */
    if (err < 0)
        return err;
    return control(fd, TCGETS2, s->as_set);
}

static void set_line(int fd, int line, bool on)
{
    control(fd, on ? TIOCMBIS : TIOCMBIC, &line);
}

uint32_t serial_set_state(struct file *f, const DCB *dcb)
{
    struct serial *s = serial_of(f);
    uint32_t status = check(dcb);
    int err;

    if (status != STATUS_SUCCESS)
        return status;
    lock_acquire(&s->lock);
    err = apply(f->fd, s, dcb);
    if (err >= 0) {
        s->dcb = *dcb;
        s->dcb.DCBlength = sizeof s->dcb;
        if (s->has_lines) {
            set_line(f->fd, TIOCM_DTR, dcb->fDtrControl == DTR_CONTROL_ENABLE);
            if (!hand_shakes(dcb))
                set_line(f->fd, TIOCM_RTS, dcb->fRtsControl == RTS_CONTROL_ENABLE);
        }
    }
    lock_release(&s->lock);
    if (err == -EINVAL)
        return STATUS_INVALID_PARAMETER; /* a speed that the device cannot make */
    return err < 0 ? status_of(err) : (uint32_t)STATUS_SUCCESS;
}

uint32_t serial_get_state(struct file *f, DCB *out)
{
    struct serial *s = serial_of(f);
    struct termios2 t;
    int err = control(f->fd, TCGETS2, &t);

    if (err < 0)
        return status_of(err);
    lock_acquire(&s->lock);
    *out = s->dcb;
    if (memcmp(&t, s->as_set, sizeof t) != 0)
        from_termios(&t, out);
    lock_release(&s->lock);
    return STATUS_SUCCESS;
}

/* ---- opening ---- */

static const DCB first_dcb = {
    .DCBlength = sizeof(DCB),
    .fBinary = 1,
    .fDtrControl = DTR_CONTROL_ENABLE,
    .fRtsControl = RTS_CONTROL_ENABLE,
    .XonLim = 2048,
    .XoffLim = 512,
    .XonChar = XON,
    .XoffChar = XOFF,
};

uint32_t serial_line_open(int fd, struct serial *s)
{
    struct termios2 t;
    int levels;
    struct serial_icounter_struct counts;
    int err = control(fd, TCGETS2, &t);

    if (err < 0) /* a number without a device behind it */
        return err == -EIO ? (uint32_t)STATUS_OBJECT_NAME_NOT_FOUND : status_from_errno(err);
    s->as_set = calloc(1, sizeof t);
    if (!s->as_set)
        return STATUS_NO_MEMORY;
    s->dcb = first_dcb;
    t.c_iflag = 0; /* what a terminal wants of its flow, a line does not */
    from_termios(&t, &s->dcb);
    s->dcb.XonChar = XON;
    s->dcb.XoffChar = XOFF;
    err = apply(fd, s, &s->dcb);
    if (err < 0)
        return status_of(err);
    s->has_lines = control(fd, TIOCMGET, &levels) >= 0;
    s->has_counts = control(fd, TIOCGICOUNT, &counts) >= 0;
    serial_read_counts(fd, s, &s->counts);
    return STATUS_SUCCESS;
}

/* ---- lines ---- */

void serial_read_counts(int fd, const struct serial *s, struct serial_counts *out)
{
    struct serial_icounter_struct c = {0};

    *out = (struct serial_counts){0};
    if (s->has_lines)
        control(fd, TIOCMGET, &out->levels);
    if (s->has_counts && control(fd, TIOCGICOUNT, &c) >= 0) {
        out->cts = c.cts;
        out->dsr = c.dsr;
        out->ring = c.rng;
        out->carrier = c.dcd;
        out->breaks = c.brk;
        out->frame = c.frame;
        out->parity = c.parity;
        out->overrun = c.overrun;
        out->room = c.buf_overrun;
    } else { /* a level that is another one than before counts as one change */
        out->cts = (out->levels & TIOCM_CTS) != 0;
        out->dsr = (out->levels & TIOCM_DSR) != 0;
        out->ring = (out->levels & TIOCM_RNG) != 0;
        out->carrier = (out->levels & TIOCM_CAR) != 0;
    }
}

static uint32_t move_line(int fd, int line, bool on)
{
    int err = control(fd, on ? TIOCMBIS : TIOCMBIC, &line);

    return err < 0 ? status_of(err) : (uint32_t)STATUS_SUCCESS;
}

static uint32_t hold(struct file *f, bool on)
{
    struct serial *s = serial_of(f);
    int err = control(f->fd, TCXONC, (void *)(uintptr_t)(on ? TCOOFF : TCOON));

    if (err < 0)
        return status_of(err);
    lock_acquire(&s->lock);
    s->held = on;
    lock_release(&s->lock);
    return STATUS_SUCCESS;
}

static uint32_t set_break(int fd, bool on)
{
    int err = control(fd, on ? TIOCSBRK : TIOCCBRK, NULL);

    return err < 0 ? status_of(err) : (uint32_t)STATUS_SUCCESS;
}

uint32_t serial_escape(struct file *f, uint32_t function)
{
    switch (function) {
    case SETXOFF:
    case SETXON:
        return hold(f, function == SETXOFF);
    case SETRTS:
    case CLRRTS:
        return move_line(f->fd, TIOCM_RTS, function == SETRTS);
    case SETDTR:
    case CLRDTR:
        return move_line(f->fd, TIOCM_DTR, function == SETDTR);
    case RESETDEV:
        return STATUS_NOT_SUPPORTED;
    case SETBREAK:
    case CLRBREAK:
        return set_break(f->fd, function == SETBREAK);
    default:
        return STATUS_INVALID_PARAMETER;
    }
}

uint32_t serial_modem_status(struct file *f, uint32_t *out)
{
    int levels;
    int err = control(f->fd, TIOCMGET, &levels);

    if (err < 0)
        return status_of(err);
    *out = (levels & TIOCM_CTS ? MS_CTS_ON : 0) | (levels & TIOCM_DSR ? MS_DSR_ON : 0) |
           (levels & TIOCM_RNG ? MS_RING_ON : 0) | (levels & TIOCM_CAR ? MS_RLSD_ON : 0);
    return STATUS_SUCCESS;
}

/* ---- queues ---- */

uint32_t serial_in_count(int fd, bool *gone)
{
    int n = 0;

    if (control(fd, FIONREAD, &n) == -EIO)
        *gone = true;
    return n > 0 ? (uint32_t)n : 0;
}

uint32_t serial_out_count(int fd)
{
    int n = 0;

    return control(fd, TIOCOUTQ, &n) < 0 || n < 0 ? 0 : (uint32_t)n;
}

void serial_flush_queues(int fd, bool in, bool out)
{
    if (in)
        control(fd, TCFLSH, (void *)(uintptr_t)TCIFLUSH);
    if (out)
        control(fd, TCFLSH, (void *)(uintptr_t)TCOFLUSH);
}

uint32_t serial_status(struct file *f, COMSTAT *out)
{
    struct serial *s = serial_of(f);
    int levels = 0;
    uint32_t in, queued;
    bool gone;

    lock_acquire(&s->lock);
    if (s->has_lines)
        control(f->fd, TIOCMGET, &levels);
    in = s->ring_count + serial_in_count(f->fd, &s->gone);
    queued = serial_out_count(f->fd) + atomic_load(&s->unsent);
    *out = (COMSTAT){.cbInQue = in, .cbOutQue = queued, .fXoffHold = s->held};
    out->fCtsHold = queued > 0 && s->dcb.fOutxCtsFlow && s->has_lines && !(levels & TIOCM_CTS);
    gone = s->gone;
    lock_release(&s->lock);
    return gone ? SERIAL_GONE : (uint32_t)STATUS_SUCCESS;
}

/* ---- flushing ---- */

/* Of writes in order, those that had been accepted by then: are they over? */
static bool is_settled(struct serial *s, uint64_t accepted_then)
{
    /* Read first, and raised last: a write that begins meanwhile delays the answer, and never hastens it. */
    int64_t accepted = (int64_t)atomic_load(&s->accepted);

    return accepted - (int64_t)atomic_load(&s->unsent) >= (int64_t)accepted_then;
}

/* Has the device sent the first `given_then` bytes of all it was given? A transmitter with a queue of its own
 * says so too, where its driver can be asked. */
static bool has_sent(int fd, const struct serial *s, uint64_t given_then, bool *gone)
{
    uint64_t given = atomic_load(&s->given);
    int left = 0, transmitter = TIOCSER_TEMT;
    int err = control(fd, TIOCOUTQ, &left);

    *gone = err == -EIO;
    if (err >= 0 && left > 0 && given_then + (uint64_t)left > given)
        return false;
    return left > 0 || control(fd, TIOCSERGETLSR, &transmitter) < 0 || (transmitter & TIOCSER_TEMT);
}

/* A look every few milliseconds: there is no edge for an empty queue, and a line that its far end holds up is
 * not to be waited for in the kernel, where nobody could call the thread back. */
static uint32_t wait_until_sent(struct file *f, uint64_t accepted)
{
    struct serial *s = serial_of(f);
    uint64_t given = 0;
    bool settled = false, gone = false;

    for (;;) {
        if (wait_sync_cancelled()) /* first: closing ends the writes as well, which then are settled */
            return STATUS_CANCELLED;
        if (!settled && is_settled(s, accepted)) {
            settled = true;
            given = atomic_load(&s->given);
        }
        if (settled && has_sent(f->fd, s, given, &gone))
            return STATUS_SUCCESS;
        if (gone)
            serial_vanished(f);
        lock_acquire(&s->lock);
        gone = s->gone;
        lock_release(&s->lock);
        if (gone)
            return SERIAL_GONE;
        wait_sleep(deadline_from_ms(FLUSH_TICK_MS), false);
    }
}

uint32_t serial_flush(struct file *f)
{
    uint64_t accepted = atomic_load(&serial_of(f)->accepted);
    uint32_t status = STATUS_INVALID_HANDLE;
    struct file_blocker blocker;

    wait_sync_begin();
    if (file_block_enter(f, &blocker)) {
        status = wait_until_sent(f, accepted);
        file_block_leave(f, &blocker);
    }
    wait_sync_end();
    return status;
}
