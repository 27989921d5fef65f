/* SPDX-License-Identifier: MIT */
/* Datagrams in very many buffers; see gather.h. A stream has no use for this: what one call does not take
 * is taken by the next. */
#include "io/gather.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { DATAGRAM_MAX = 1 << 20 }; /* none is as long: of UDP 64 KiB, of AF_UNIX what its send buffer holds */

static void scatter(const struct iovec *iov, uint32_t count, const char *data, size_t n)
{
    for (uint32_t i = 0; n > 0 && i < count; i++) {
        size_t part = n < iov[i].iov_len ? n : iov[i].iov_len;

        if (part > 0)
            memcpy(iov[i].iov_base, data, part);
        data += part;
        n -= part;
    }
}

ssize_t gather_receive(int fd, struct msghdr *m, const struct iovec *iov, uint32_t count, size_t size,
                       int flags)
{
    struct iovec all = {.iov_len = size < DATAGRAM_MAX ? size : DATAGRAM_MAX};
    ssize_t n = -1;
    int err;

    all.iov_base = malloc(all.iov_len + 1);
    if (!all.iov_base)
        return -1;
    m->msg_iov = &all;
    m->msg_iovlen = 1;
    n = recvmsg(fd, m, flags);
    err = errno;
    if (n > 0)
        scatter(iov, count, all.iov_base, (size_t)n < all.iov_len ? (size_t)n : all.iov_len);
    free(all.iov_base);
    errno = err;
    return n;
}

ssize_t gather_send(int fd, struct msghdr *m, const struct iovec *iov, uint32_t count, size_t size, int flags)
{
    struct iovec all = {.iov_len = 0};
    ssize_t n;
    int err;

    if (size > DATAGRAM_MAX) {
        errno = EMSGSIZE;
        return -1;
    }
    all.iov_base = malloc(size + 1);
    if (!all.iov_base)
        return -1;
    for (uint32_t i = 0; i < count; i++) {
        if (iov[i].iov_len > 0)
            memcpy((char *)all.iov_base + all.iov_len, iov[i].iov_base, iov[i].iov_len);
        all.iov_len += iov[i].iov_len;
    }
    m->msg_iov = &all;
    m->msg_iovlen = 1;
    n = sendmsg(fd, m, flags);
    err = errno;
    free(all.iov_base);
    errno = err;
    return n;
}
