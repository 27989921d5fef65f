/* SPDX-License-Identifier: MIT */
/*
 * The kernel's answer to "which way": a datagram socket of its own is connected, which sends nothing, and
 * asked for its name. The socket of the question stays as it is.
 */
#include "io/route.h"

#include "base/own_fd.h"
#include "base/status.h"
#include "ntstatus.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

uint32_t route_source(const void *destination, uint32_t destination_size, void *source, uint32_t *size)
{
    struct sockaddr_storage to, from;
    socklen_t length = sizeof from;
    uint32_t status = STATUS_SUCCESS;
    int fd;

    if (destination_size > sizeof to)
        destination_size = sizeof to;
    memset(&to, 0, sizeof to);
    memcpy(&to, destination, destination_size);
    if (to.ss_family != AF_INET && to.ss_family != AF_INET6)
        return status_from_errno_socket(EAFNOSUPPORT);
    fd = fd_above_std(socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (fd < 0)
        return status_from_errno_socket(fd);
    if (connect(fd, (struct sockaddr *)&to, destination_size) < 0 ||
        getsockname(fd, (struct sockaddr *)&from, &length) < 0)
        status = status_from_errno_socket(errno);
    close(fd);
    if (status != STATUS_SUCCESS)
        return status;
    ((struct sockaddr_in *)&from)->sin_port = 0; /* both families have it there; it was for the question */
    if (length > *size)
        return status_from_errno_socket(EFAULT);
    memcpy(source, &from, length);
    *size = length;
    return STATUS_SUCCESS;
}
