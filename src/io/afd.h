/* SPDX-License-Identifier: MIT */
/*
 * AFD polls: the way to ask about the state of sockets that select, WSAPoll and readiness libraries of
 * Windows stand on. A poll is an overlapped operation of one device (or of a socket) that names sockets and
 * conditions. It goes by levels: what is so at the start answers it at once, else the first
 * that becomes so does, or its time-out; then it is over.
 *
 * Sockets say when to look again: all of these are called with no lock held, and cost a load where no poll
 * waits.
 */
#ifndef IOCP_IO_AFD_H
#define IOCP_IO_AFD_H

#include "io/sock.h"

enum { /* conditions; Windows' numbers */
    AFD_RECEIVE = 0x001,
    AFD_RECEIVE_EXPEDITED = 0x002,
    AFD_SEND = 0x004,
    AFD_DISCONNECT = 0x008,   /* the peer has ended its sending */
    AFD_ABORT = 0x010,
    AFD_LOCAL_CLOSE = 0x020,  /* always reported */
    AFD_CONNECT = 0x040,
    AFD_ACCEPT = 0x080,
    AFD_CONNECT_FAIL = 0x100,
};

enum { AFD_IOCTL_RECEIVE = 0x12017, AFD_IOCTL_RECEIVE_DATAGRAM = 0x1201B, AFD_IOCTL_POLL = 0x12024 };

/* What a receive is given; the second one's last two members are read by AFD_IOCTL_RECEIVE_DATAGRAM alone. */
struct __attribute__((may_alias)) afd_receive {
    const struct io_buf *bufs;
    uint32_t count;
    uint32_t afd_flags; /* how Winsock wants to be served: nothing here */
    uint32_t tdi_flags;
    void *address;
    int32_t *address_len;
};

/* What goes in, and comes out with the sockets of which something is so. */
struct __attribute__((may_alias)) afd_handle {
    uintptr_t handle;
    uint32_t events;
    uint32_t status; /* out: why connecting failed */
};
struct __attribute__((may_alias)) afd_info {
    int64_t timeout; /* 100 ns; negative: relative, INT64_MAX: none */
    uint32_t count;
    uint32_t exclusive;
    struct afd_handle handles[];
};

/* A handle to send polls to; for as many as one likes. */
uint32_t afd_device_new(uint32_t flags, struct file **out);

/*
 * Starts a poll: r is new, on the device or a socket. `in` and `out` may be the same memory; `out` lives
 * until completion. STATUS_SUCCESS, STATUS_PENDING, or refused: STATUS_INVALID_PARAMETER (sizes, count 0),
 * STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH (no socket).
 */
uint32_t afd_poll_start(struct request *r, const void *in, uint32_t in_size, void *out, uint32_t out_size);

/* Starts a receive past Winsock, as libuv does: r is new and wide, on a socket. As afd_poll_start. */
uint32_t afd_receive_start(struct request *r, bool datagram, const void *in, uint32_t in_size);

/* All that is so of the socket now; nothing while it is being closed. */
uint32_t afd_conditions(struct file *socket);

/* The socket may have become ready, or lost its registration. */
void afd_look(struct file *socket);

/* It is being closed: tells all polls that name it. */
void afd_end(struct file *socket);

#endif
