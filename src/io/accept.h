/* SPDX-License-Identifier: MIT */
/*
 * Accepting. A blocking or non-blocking accept makes a socket; AcceptEx puts the connection behind
 * the number of a socket that the program made before.
 */
#ifndef IOCP_IO_ACCEPT_H
#define IOCP_IO_ACCEPT_H

#include "io/sock.h"

/* The next connection as a new socket (one reference, not published). *len as in getpeername. */
uint32_t accept_one(struct file *listener, void *addr, int32_t *len, struct file **out);

/* AcceptEx. local_len and remote_len are the sizes of the areas behind the data. */
uint32_t accept_start(struct file *listener, struct file *socket, void *out, uint32_t data_len,
                      uint32_t local_len, uint32_t remote_len, OVERLAPPED *ov, struct request_result *result);

/* Finds an address that accept_start left in an area. */
void *accept_address(char *area, uint32_t area_len, int32_t *addr_len);

/* SO_UPDATE_ACCEPT_CONTEXT: what the listener's selection and blocking mode are. */
uint32_t accept_update(struct file *f, uintptr_t listener);

/* f is being closed: the AcceptEx that waits with it ends. */
void accept_abandon(struct file *f);

/* What only a listener has: before it listens. STATUS_INSUFFICIENT_RESOURCES. */
uint32_t accept_listen(struct file *f);
/* Its timer is stopped. */
void accept_retry_stop(struct file *f);

#endif
