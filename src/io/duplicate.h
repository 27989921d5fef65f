/* SPDX-License-Identifier: MIT */
/*
 * A socket for another process: the one says where it is, the other fetches the descriptor from
 * there. Within one process it is another handle of the same file.
 */
#ifndef IOCP_IO_DUPLICATE_H
#define IOCP_IO_DUPLICATE_H

#include "io/sock.h"

/* Plain numbers, so that a program may send them as bytes. */
struct duplicate_source {
    uint32_t process;
    uint32_t mark; /* of the kernel's socket: another one may sit under the number by then */
    bool overlapped;
    int fd;
};

/* `process` is to get it. WSAEINVAL: there is no such process. */
uint32_t duplicate_offer(struct file *f, uint32_t process, struct duplicate_source *source);

/* Published. WSAEINVAL: it is not there any more; WSAEACCES: this process may not trace that one. */
uint32_t duplicate_take(const struct duplicate_source *source, uintptr_t *h);

#endif
