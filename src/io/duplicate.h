/* SPDX-License-Identifier: MIT */
/*
 * A socket for another process: the one leaves an offer (handover.h) and says where, the other takes the
 * descriptor from there. Within one process it is another handle of the same file.
 */
#ifndef IOCP_IO_DUPLICATE_H
#define IOCP_IO_DUPLICATE_H

#include "io/handover.h"
#include "io/sock.h"

/* Plain numbers, so that a program may send them as bytes. */
struct duplicate_source {
    uint32_t process;
    uint32_t mark; /* of the kernel's socket: another one may sit under the number by then */
    bool overlapped;
    bool offered; /* the token is to be asked with; else there was nothing but the number */
    int fd;
    unsigned char token[HANDOVER_TOKEN];
};

/* `process` is to get it, once. WSAEINVAL: there is no such process. */
uint32_t duplicate_offer(struct file *f, uint32_t process, struct duplicate_source *source);

/* Published. WSAEINVAL: it is not there any more, or was not for this process; WSAETIMEDOUT: the other does
 * not answer; WSAEACCES: it could not offer it, and this process may not trace it. */
uint32_t duplicate_take(const struct duplicate_source *source, uintptr_t *h);

#endif
