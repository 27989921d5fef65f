/* SPDX-License-Identifier: MIT */
/* Connecting and disconnecting: connect, ConnectEx, DisconnectEx. */
#ifndef IOCP_IO_CONNECT_H
#define IOCP_IO_CONNECT_H

#include "io/sock.h"

/* Blocking, or STATUS_DEVICE_NOT_READY (WSAEWOULDBLOCK) on a non-blocking socket. */
uint32_t connect_socket(struct file *f, const void *addr, int32_t len);

/* A stream, blocking whatever its mode, but not longer: WSAETIMEDOUT, and it may connect again. */
uint32_t connect_in_time(struct file *f, const void *addr, int32_t len, uint64_t deadline_ns);

/* ConnectEx: connects, then sends `data`. */
uint32_t connect_start(struct file *f, const void *addr, int32_t len, void *data, uint32_t size,
                       OVERLAPPED *ov, struct request_result *result);

/* DisconnectEx; ov may be NULL. With reuse a fresh socket sits under the number afterwards. */
uint32_t connect_end(struct file *f, bool reuse, OVERLAPPED *ov);

/* What it does when its turn comes: ends the connection, the data first. */
uint32_t connect_disconnect(struct file *f, bool reuse);

/*
 * Has a connect that was under way come to an end? STATUS_PENDING: not yet. Success, or why it
 * failed; both are noted in the socket, so that a later call gives WSAEISCONN or starts afresh.
 */
uint32_t connect_poll(struct file *f);

#endif
