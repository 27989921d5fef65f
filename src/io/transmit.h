/* SPDX-License-Identifier: MIT */
/* TransmitFile and TransmitPackets: memory and parts of files, as one send of a connected socket. */
#ifndef IOCP_IO_TRANSMIT_H
#define IOCP_IO_TRANSMIT_H

#include "io/sock.h"

#include <stdatomic.h>

struct transmit_part {
    struct file *source; /* counted; NULL: memory */
    const char *data;    /* the user's, until completion */
    uint64_t offset;     /* in the file */
    uint64_t size;       /* of a file 0: to its end */
    bool ends;           /* what follows is not sent together with it: of datagrams, the end of one */
};

struct transmission {
    bool datagrams; /* are allowed */
    bool disconnect, reuse;
    const _Atomic bool *cancelled; /* the request's; NULL: a call on its own thread */
    /* Of whoever makes progress with it: */
    uint32_t bytes; /* sent */
    uint64_t left;  /* that this attempt may send, if it can be cancelled */
    uint32_t at;    /* the first part of which anything is left; parts before it are done */
    uint32_t count;
    struct warming *warming; /* owned: what it waits for before it goes on */
    uint32_t warm_at;        /* the part of which everything before warm_end has been read once */
    uint64_t warm_end;       /* 0: of none */
    struct transmit_part parts[];
};

/* `count` empty parts; NULL: no memory. */
struct transmission *transmission_new(uint32_t count);
/* And its references to files. */
void transmission_free(struct transmission *t);

/*
 * Both use `t` up, however they end. STATUS_SUCCESS, STATUS_PENDING, or refused. WSAEINVAL: not a stream, an
 * offset behind the end, too much; WSAEMSGSIZE: a datagram that is too long.
 */
uint32_t transmit_start(struct file *f, struct transmission *t, OVERLAPPED *ov,
                        struct request_result *result);
/* The same on the calling thread, to the end. */
uint32_t transmit(struct file *f, struct transmission *t);

#endif
