/* SPDX-License-Identifier: MIT */
/* TransmitFile: a head, a part of a file, a tail, as one send of a connected stream. */
#ifndef IOCP_IO_TRANSMIT_H
#define IOCP_IO_TRANSMIT_H

#include "io/sock.h"

struct transmission {
    struct file *source;   /* NULL: no file. Borrowed; counted by who starts it */
    const char *head, *tail; /* the user's, until completion */
    uint32_t head_size, tail_size;
    uint64_t offset;
    uint64_t size;         /* of the file's part; 0: to its end */
    bool disconnect, reuse;
};

/* STATUS_SUCCESS, STATUS_PENDING, or refused. WSAEINVAL: not a stream, an offset behind the end, too much. */
uint32_t transmit_start(struct file *f, const struct transmission *what, OVERLAPPED *ov,
                        struct request_result *result);
/* The same on the calling thread, to the end. */
uint32_t transmit(struct file *f, const struct transmission *what);

#endif
