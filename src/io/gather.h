/* SPDX-License-Identifier: MIT */
/*
 * Datagrams in more buffers than one system call takes: they go through a single one. recvmsg and sendmsg
 * otherwise, with `m` filled but for its buffers; -1 with errno.
 */
#ifndef IOCP_IO_GATHER_H
#define IOCP_IO_GATHER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct iovec;
struct msghdr;

enum { GATHER_ABOVE = 1024 }; /* UIO_MAXIOV: up to so many buffers one call takes */

/* `size`: of all buffers. With MSG_TRUNC in flags the length of the datagram, as recvmsg. */
ssize_t gather_receive(int fd, struct msghdr *m, const struct iovec *iov, uint32_t count, size_t size,
                       int flags);
ssize_t gather_send(int fd, struct msghdr *m, const struct iovec *iov, uint32_t count, size_t size,
                    int flags);

#endif
