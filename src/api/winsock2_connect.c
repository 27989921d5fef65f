/* SPDX-License-Identifier: MIT */
/*
 * winsock2.h: connecting to whichever of several addresses answers, of a list or of a name, and joining
 * groups. The addresses are tried one after another, in the order they come in (the resolver's: RFC 6724).
 */
#include "api/socket.h"
#include "base/clock.h"
#include "base/text.h"
#include "io/connect.h"
#include "io/resolve.h"

#include <ntstatus.h>
#include <windows.h>
#include <winsock2.h>
#include <ws2tcpip.h>

#include <stdlib.h>
#include <string.h>

/* ---- one after another ---- */

/* Where the addresses of both ends go, if anywhere. */
struct ends {
    DWORD *local_size, *remote_size;
    struct sockaddr *local, *remote;
};

static bool has_room(const struct sock *s, const struct sockaddr *to, const DWORD *size)
{
    return !to || (size && *size <= INT32_MAX && *size >= sock_address_size(s->family));
}

static void tell_ends(struct file *f, const struct ends *e)
{
    int32_t size;

    if (e->local) {
        size = (int32_t)*e->local_size;
        if (sock_local_name(f, e->local, &size) == STATUS_SUCCESS)
            *e->local_size = (DWORD)size;
    }
    if (e->remote) {
        size = (int32_t)*e->remote_size;
        if (sock_peer_name(f, e->remote, &size) == STATUS_SUCCESS)
            *e->remote_size = (DWORD)size;
    }
}

static uint64_t deadline_of(const struct iocp_timeval *timeout)
{
    if (!timeout)
        return deadline_from_ms(UINT32_MAX);
    return clock_now_ns() + (uint64_t)timeout->tv_sec * NS_PER_SEC + (uint64_t)timeout->tv_usec * 1000;
}

/* What every call looks at before it tries an address. */
static uint32_t check(const struct file *f, const struct ends *e, const struct iocp_timeval *timeout,
                      const OVERLAPPED *reserved)
{
    const struct sock *s = sock_of(f);

    if (reserved || !sock_is_stream(s) || (timeout && (timeout->tv_sec < 0 || timeout->tv_usec < 0)))
        return status_from_wsa(WSAEINVAL);
    if (!has_room(s, e->local, e->local_size) || !has_room(s, e->remote, e->remote_size))
        return status_from_wsa(WSAEFAULT);
    return STATUS_SUCCESS;
}

/* Should one more be tried? Not if the socket is why it failed, or the time is up. */
static bool goes_on(struct file *f, uint32_t status, uint64_t deadline_ns)
{
    return status != STATUS_SUCCESS && status != STATUS_CANCELLED && clock_now_ns() < deadline_ns &&
           atomic_load(&sock_of(f)->phase) == SOCK_PHASE_OPEN;
}

static BOOL result_of(uint32_t status)
{
    if (status == STATUS_SUCCESS)
        return TRUE;
    wsa_fail(status);
    return FALSE;
}

/* ---- a list ---- */

static uint32_t connect_by_list(struct file *f, const SOCKET_ADDRESS_LIST *list, uint64_t deadline_ns)
{
    uint32_t status = status_from_wsa(WSAEINVAL);

    if (!list || list->iAddressCount <= 0 || atomic_load(&sock_of(f)->bound))
        return status;
    for (INT i = 0; i < list->iAddressCount && (i == 0 || goes_on(f, status, deadline_ns)); i++) {
        const SOCKET_ADDRESS *a = &list->Address[i];

        status = connect_in_time(f, a->lpSockaddr, a->iSockaddrLength, deadline_ns);
    }
    return status;
}

BOOL PASCAL WSAConnectByList(SOCKET s, PSOCKET_ADDRESS_LIST list, LPDWORD local_size, struct sockaddr *local,
                             LPDWORD remote_size, struct sockaddr *remote, const struct iocp_timeval *timeout,
                             LPWSAOVERLAPPED reserved)
{
    struct ends e = {local_size, remote_size, local, remote};
    struct file *f;
    uint32_t status = socket_get(s, &f);

    if (status != STATUS_SUCCESS)
        return result_of(status);
    status = check(f, &e, timeout, reserved);
    if (status == STATUS_SUCCESS)
        status = connect_by_list(f, list, deadline_of(timeout));
    if (status == STATUS_SUCCESS)
        tell_ends(f, &e);
    file_put(f);
    return result_of(status);
}

/* ---- a name ---- */

/* Which of its addresses the socket can reach: with IPV6_V6ONLY off also IPv4's, mapped. */
static struct resolve_hints hints_of(struct file *f)
{
    struct resolve_hints hints = {.family = sock_of(f)->family, .type = SOCK_STREAM, .protocol = IPPROTO_TCP};
    int only = 1;
    int32_t size = sizeof only;

    if (hints.family == AF_INET6 &&
        sock_get_option(f, IPPROTO_IPV6, IPV6_V6ONLY, &only, &size) == STATUS_SUCCESS && !only)
        hints.flags = AI_V4MAPPED | AI_ALL;
    return hints;
}

static uint32_t connect_by_name(struct file *f, const char *node, const char *service,
                                const struct iocp_timeval *timeout)
{
    struct resolve_hints hints = hints_of(f);
    uint64_t deadline_ns = deadline_of(timeout);
    ADDRINFOEXW *list;
    uint32_t status = STATUS_SUCCESS;
    uint32_t code;

    if (atomic_load(&sock_of(f)->phase) == SOCK_PHASE_CONNECTED)
        return status_from_wsa(WSAEISCONN);
    code = socket_look_up(node, service, &hints, timeout, &list);
    if (code)
        return status_from_wsa(code);
    for (const ADDRINFOEXW *a = list; a && (a == list || goes_on(f, status, deadline_ns)); a = a->ai_next)
        status = connect_in_time(f, a->ai_addr, (int32_t)a->ai_addrlen, deadline_ns);
    FreeAddrInfoExW(list);
    return status;
}

BOOL PASCAL WSAConnectByNameA(SOCKET s, LPCSTR node, LPCSTR service, LPDWORD local_size,
                              struct sockaddr *local, LPDWORD remote_size, struct sockaddr *remote,
                              const struct iocp_timeval *timeout, LPWSAOVERLAPPED reserved)
{
    struct ends e = {local_size, remote_size, local, remote};
    struct file *f;
    uint32_t status = socket_get(s, &f);

    if (status != STATUS_SUCCESS)
        return result_of(status);
    status = node && service ? check(f, &e, timeout, reserved) : status_from_wsa(WSAEINVAL);
    if (status == STATUS_SUCCESS)
        status = connect_by_name(f, node, service, timeout);
    if (status == STATUS_SUCCESS)
        tell_ends(f, &e);
    file_put(f);
    return result_of(status);
}

BOOL PASCAL WSAConnectByNameW(SOCKET s, LPWSTR node, LPWSTR service, LPDWORD local_size,
                              struct sockaddr *local, LPDWORD remote_size, struct sockaddr *remote,
                              const struct iocp_timeval *timeout, LPWSAOVERLAPPED reserved)
{
    char *narrow_node = text_utf8_new(node), *narrow_service = text_utf8_new(service);
    BOOL ok = FALSE;

    if ((node && !narrow_node) || (service && !narrow_service))
        wsa_fail(status_from_wsa(WSAENOBUFS));
    else
        ok = WSAConnectByNameA(s, narrow_node, narrow_service, local_size, local, remote_size, remote,
                               timeout, reserved);
    free(narrow_node); /* leaves the last error as it is */
    free(narrow_service);
    return ok;
}

/* ---- groups ---- */

static bool is_group(const struct sockaddr *name)
{
    struct sockaddr_in in4;
    struct sockaddr_in6 in6;

    if (name->sa_family == AF_INET) {
        memcpy(&in4, name, sizeof in4);
        return IN_MULTICAST(ntohl(in4.sin_addr.s_addr));
    }
    memcpy(&in6, name, sizeof in6);
    return in6.sin6_addr.s6_addr[0] == 0xFF;
}

/* On the interface that the socket's own address belongs to; of none, where the system would. */
static uint32_t join(struct file *f, const struct sockaddr *name)
{
    struct sockaddr_in own4 = {0}, in4;
    struct sockaddr_in6 in6;
    int32_t size = sizeof own4;

    if (name->sa_family == AF_INET) {
        struct ip_mreq m = {0};

        memcpy(&in4, name, sizeof in4);
        sock_local_name(f, &own4, &size);
        m.imr_multiaddr = in4.sin_addr;
        m.imr_interface = own4.sin_addr;
        return sock_set_option(f, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof m);
    } else {
        struct ipv6_mreq m = {0};

        memcpy(&in6, name, sizeof in6);
        m.ipv6mr_multiaddr = in6.sin6_addr;
        m.ipv6mr_interface = in6.sin6_scope_id;
        return sock_set_option(f, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &m, sizeof m);
    }
}

static uint32_t bind_anywhere(struct file *f)
{
    struct sockaddr_storage any = {.ss_family = sock_of(f)->family};

    return atomic_load(&sock_of(f)->bound) ? (uint32_t)STATUS_SUCCESS
                                           : sock_bind(f, &any, (int32_t)sock_address_size(any.ss_family));
}

static uint32_t join_leaf(struct file *f, const struct sockaddr *name, int length, DWORD flags)
{
    struct sock *s = sock_of(f);
    uint8_t open = SOCK_LEAF_OPEN;
    uint32_t status;

    if (sock_is_stream(s) || !atomic_load(&s->leaf) || (s->family != AF_INET && s->family != AF_INET6) ||
        (flags != JL_SENDER_ONLY && flags != JL_RECEIVER_ONLY && flags != JL_BOTH))
        return status_from_wsa(WSAEINVAL);
    if (!name || length < (int)sock_address_size(s->family))
        return status_from_wsa(WSAEFAULT);
    if (name->sa_family != s->family)
        return status_from_wsa(WSAEAFNOSUPPORT);
    if (!is_group(name))
        return status_from_wsa(WSAEADDRNOTAVAIL);
    if (!atomic_compare_exchange_strong(&s->leaf, &open, SOCK_LEAF_JOINED))
        return status_from_wsa(WSAEISCONN);
    status = bind_anywhere(f);
    if (status == STATUS_SUCCESS)
        status = flags == JL_SENDER_ONLY ? connect_socket(f, name, length) : join(f, name);
    if (status != STATUS_SUCCESS)
        atomic_store(&s->leaf, SOCK_LEAF_OPEN);
    return status;
}

SOCKET WSAAPI WSAJoinLeaf(SOCKET s, const struct sockaddr *name, int length, LPWSABUF caller_data,
                          LPWSABUF callee_data, LPQOS qos, LPQOS group_qos, DWORD flags)
{
    struct file *f;
    uint32_t status = socket_get(s, &f);

    (void)qos;
    (void)group_qos;
    if (status == STATUS_SUCCESS) {
        status = caller_data && caller_data->len > 0 ? status_from_wsa(WSAEPROTONOSUPPORT)
                                                     : join_leaf(f, name, length, flags);
        file_put(f);
    }
    if (status != STATUS_SUCCESS)
        return wsa_fail(status), INVALID_SOCKET;
    if (callee_data)
        callee_data->len = 0;
    return s;
}
