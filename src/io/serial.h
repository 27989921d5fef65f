/* SPDX-License-Identifier: MIT */
/*
 * Serial lines. serial.c reads and writes through the lanes, with the time-outs of the line;
 * serial_event.c says what happens on it; serial_line.c sets and asks the device (termios, modem lines,
 * queues). The descriptor does not block, the line is raw, and one handle has it alone.
 *
 * While nobody wants EV_RXFLAG bytes stay in the kernel until they are read. Else they are fetched as
 * they come, into a ring of ours, because the kernel cannot be asked which bytes have come.
 */
#ifndef IOCP_IO_SERIAL_H
#define IOCP_IO_SERIAL_H

#include "engine/home.h"
#include "io/file.h"
#include "io/turn.h"
#include "iocp_comm.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SERIAL_EVENT_TIMER = LANE_COUNT, SERIAL_TIMERS };

/* Kicks its file's lane, or looks for events, at a time. Armed, it holds a reference to the file. */
struct serial_timer {
    struct timer timer;
    struct file *file;
    uint64_t due_ns; /* while armed, else 0 */
};

/* What TIOCGICOUNT counts, and the levels of the modem lines (TIOCM_ bits). */
struct serial_counts {
    int cts, dsr, ring, carrier, breaks, frame, parity, overrun, room;
    int levels;
};

/* A thread inside a blocking WaitCommEvent; lives on its stack. */
struct serial_sleeper {
    int wake_fd;
    bool done;
    uint32_t events;
    uint32_t status;
};

/*
 * Rules: `lock` guards everything but what is constant after opening (marked) and the atomic. It has a
 * queue's rank: taken alone, or under the file's lock; the heap of timers is locked inside it.
 */
struct serial {
    struct lock lock;
    struct serial_timer timers[SERIAL_TIMERS];
    COMMTIMEOUTS timeouts;

    DCB dcb;               /* as it was set */
    void *as_set;          /* owned, constant: the device's own view after that (serial_line.c) */
    bool has_lines;        /* constant: it has modem lines */
    bool has_counts;       /* constant */
    bool held;             /* SETXOFF stops the output */
    uint32_t in_size, out_size;

    uint64_t fetched;      /* bytes got from the device in all */
    uint64_t announced;    /* ... that EV_RXCHAR has told of: some of them may be in the device still */
    bool fetching;         /* EV_RXFLAG is wanted: all goes through the ring */
    unsigned readers;      /* threads in blocking reads: nobody fetches behind their backs */
    char *ring;            /* owned; NULL until the first fetching */
    uint32_t ring_size, ring_first, ring_count;

    uint32_t mask;         /* EV_ bits wanted */
    uint32_t events;       /* happened since the last WaitCommEvent */
    uint32_t errors;       /* CE_ bits */
    struct serial_counts counts; /* at the last look */
    bool nearly_full;
    bool sending;          /* something was written since EV_TXEMPTY */
    bool gone;             /* the device has vanished */
    struct turn writing;   /* of synchronous writes; guarded by the file's lock */
    struct request *waiter; /* parked WaitCommEvent; who takes it out completes it */
    struct serial_sleeper *sleeper;

    _Atomic uint32_t unsent; /* bytes of writes in the lane that the device has not taken */
    _Atomic uint64_t accepted; /* bytes of all writes; raised after unsent was */
    _Atomic uint64_t given;    /* bytes that the device has taken; raised before unsent falls */
};

extern const struct file_ops serial_ops;

/* The device has vanished, whoever notices. */
#define SERIAL_GONE ((uint32_t)STATUS_DEVICE_NOT_CONNECTED)

static inline struct serial *serial_of(const struct file *f)
{
    return f->ops == &serial_ops ? f->extra : NULL;
}

/* Is it a terminal, and not this program's own? */
bool serial_is_line(int fd);

/* A file around `fd`, which must not block; it is closed if this fails. STATUS_ACCESS_DENIED: somebody
 * has it. */
uint32_t serial_open(int fd, uint32_t flags, uint32_t access, struct file **out);

void serial_get_timeouts(struct file *f, COMMTIMEOUTS *out);
uint32_t serial_set_timeouts(struct file *f, const COMMTIMEOUTS *timeouts);
/* SetupComm's sizes, in bytes: wishes. 0: stays as it is. */
void serial_get_queues(struct file *f, uint32_t *in, uint32_t *out);
void serial_set_queues(struct file *f, uint32_t in, uint32_t out);
/* TXABORT and the like. */
uint32_t serial_purge(struct file *f, uint32_t flags);
/* One byte, now or not at all. */
uint32_t serial_send_byte(struct file *f, char byte);

/* ---- serial.c, for its neighbours: with the lock ---- */

void serial_arm_locked(struct file *f, unsigned timer, uint64_t due_ns);
void serial_disarm_locked(struct file *f, unsigned timer);
/* Fetches what is there and fits into the ring. */
void serial_fetch_locked(struct file *f);

/* ---- serial_event.c ---- */

uint32_t serial_set_mask(struct file *f, uint32_t mask);
uint32_t serial_get_mask(struct file *f);
/* WaitCommEvent: r was begun, *out is written at completion. */
uint32_t serial_wait(struct request *r, uint32_t *out);
uint32_t serial_wait_sync(struct file *f, uint32_t *out);
/* Something may have happened: looks, and answers who waits. No lock held. */
void serial_look(struct file *f);
void serial_vanished(struct file *f);
/* The bits of the errors since the last call. */
uint32_t serial_take_errors(struct file *f);

/* ---- serial_line.c ---- */

/* Makes it raw and fills in `dcb`, `as_set`, `has_`... */
uint32_t serial_line_open(int fd, struct serial *s);
uint32_t serial_get_state(struct file *f, DCB *out);
uint32_t serial_set_state(struct file *f, const DCB *dcb);
/* SETDTR and the like. */
uint32_t serial_escape(struct file *f, uint32_t function);
uint32_t serial_modem_status(struct file *f, uint32_t *out);
uint32_t serial_status(struct file *f, COMSTAT *out);
/* Bytes in the device. *gone says that there is none any more. */
uint32_t serial_in_count(int fd, bool *gone);
uint32_t serial_out_count(int fd);
void serial_read_counts(int fd, const struct serial *s, struct serial_counts *out);
void serial_flush_queues(int fd, bool in, bool out);
/* Waits until what was written before has left the device. STATUS_CANCELLED: called back. */
uint32_t serial_flush(struct file *f);

#endif
