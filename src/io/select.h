/* SPDX-License-Identifier: MIT */
/*
 * Waiting for readiness of many sockets: what select and WSAPoll share. The bits are Winsock's view,
 * not the kernel's: a socket that was never connected has nothing to say (Linux calls it hung up and
 * writable), a failed connect is an exception and not writable, urgent data in line is plain data.
 */
#ifndef IOCP_IO_SELECT_H
#define IOCP_IO_SELECT_H

#include "io/sock.h"

#include <poll.h>

/* What `want` and `got` hold beside the bits of poll(2). */
enum {
    SELECT_READ = 0x0400,   /* of readfds */
    SELECT_WRITE = 0x0800,  /* of writefds */
    SELECT_EXCEPT = 0x1000, /* of exceptfds: urgent data, or a connect that failed */
};

/*
 * One socket of a set; the same one may come several times. Only what is wanted is got: WSAPoll
 * always adds POLLERR | POLLHUP, select wants SELECT_* alone. POLLIN and POLLRDNORM mean the same,
 * so do POLLOUT and POLLWRNORM, POLLPRI and POLLRDBAND. A failed connect: POLLHUP | POLLERR | POLLOUT.
 */
struct select_item {
    struct file *file; /* counted by the caller; NULL: skipped */
    uint16_t want;
    uint16_t got;
    struct file_blocker blocker;
};

/*
 * Waits until some item has something to say or the deadline comes (0: just looks). *count: how
 * many items have got something; 0 when the deadline came. Errors: STATUS_OBJECT_TYPE_MISMATCH
 * (WSAENOTSOCK: one of them is being closed), STATUS_CANCELLED (CancelSynchronousIo),
 * STATUS_INSUFFICIENT_RESOURCES. Queued APCs run meanwhile (APC-20).
 */
uint32_t select_wait(struct select_item *items, unsigned n, uint64_t deadline_ns, unsigned *count);

#endif
