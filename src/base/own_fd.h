/* SPDX-License-Identifier: MIT */
/*
 * The library's own descriptors: epoll sets, eventfds, the ring, reserves. A program that passes a
 * stale number must not get one of them adopted, and then closed. Numbers beyond the table are not
 * noted; nothing can be adopted there either.
 */
#ifndef IOCP_BASE_OWN_FD_H
#define IOCP_BASE_OWN_FD_H

#include <stdbool.h>

/* Notes fd and gives it back; an error (negative) passes through, errno untouched. */
int own_fd(int fd);
bool own_fd_is(int fd);
void own_fd_forget(int fd);
/* Forgets it, then close(2): in this order, because afterwards the number may be anybody's. */
void own_fd_close(int fd);

/* Moves a descriptor numbered 0-2 above them, whoever's it is to be. The new number, or -errno (errno, if fd
 * is negative); fd is closed then. */
int fd_above_std(int fd);

#endif
