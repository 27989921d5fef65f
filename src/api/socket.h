/* SPDX-License-Identifier: MIT */
/*
 * SOCKETs as arguments: what every Winsock call does before anything else. A socket the library
 * made needs WSAStartup; a descriptor that the program brought along never asks.
 */
#ifndef IOCP_API_SOCKET_H
#define IOCP_API_SOCKET_H

#include "api/api.h"
#include "base/status.h"
#include "io/sock.h"

#include <stdatomic.h>

extern _Atomic unsigned winsock_starts; /* WSAStartups without their WSACleanup */

static inline bool winsock_started(void)
{
    return atomic_load_explicit(&winsock_starts, memory_order_relaxed) > 0;
}

/* Is it a socket, and may it be used now? The second half of the two below. */
uint32_t socket_refused(uint32_t status, struct file *f);

/* SOCKET to file, counted. Calls that use a socket or prepare that - data, controls, options, the
 * association with an event - adopt what they do not know; those that name, end or look for one do not: a
 * number that is no longer the caller's is not to hit a stranger. */
static inline uint32_t socket_find(uintptr_t s, bool adopt, struct file **out)
{
    uint32_t status = sock_from_handle(s, adopt, out);

    if (__builtin_expect(status == 0 && winsock_started(), 1))
        return status;
    return socket_refused(status, status == 0 ? *out : NULL);
}

static inline uint32_t socket_get(uintptr_t s, struct file **out)
{
    return socket_find(s, false, out);
}

static inline uint32_t socket_get_for_use(uintptr_t s, struct file **out)
{
    return socket_find(s, true, out);
}

#define NO_SOCKET (~(uintptr_t)0) /* INVALID_SOCKET */

/* Publishes a new socket. `status` is what making it gave; a failure sets the last error. */
uintptr_t socket_publish(uint32_t status, struct file *f);

/* Describes a socket: SO_PROTOCOL_INFOA and SO_PROTOCOL_INFOW. *size in: room, out: used. */
uint32_t socket_protocol_info(struct file *f, bool wide, void *info, int32_t *size);

/* The addresses of a name, for FreeAddrInfoExW; 0 or a WSA code. limit: NULL, or how long it may take. */
struct resolve_hints;
struct iocp_timeval;
struct addrinfoexW;
uint32_t socket_look_up(const char *node, const char *service, const struct resolve_hints *asked,
                        const struct iocp_timeval *limit, struct addrinfoexW **result);

/* A socket out of what WSADuplicateSocket wrote, a WSAPROTOCOL_INFOA or W; NO_SOCKET and the last error. */
uintptr_t socket_from_info(const void *info);

#endif
