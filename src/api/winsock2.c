/* SPDX-License-Identifier: MIT */
/*
 * winsock2.h: start and end of Winsock, the life of sockets, their names and options, byte order.
 * Data is in winsock2_io.c, events, select and WSAPoll in winsock2_event.c, WSAIoctl in winsock2_ioctl.c,
 * protocols and duplicates in winsock2_info.c.
 */
#include "api/socket.h"
#include "io/accept.h"
#include "io/connect.h"
#include "io/sockevent.h"
#include "object/handle.h"

#include <mswsock.h>
#include <ntstatus.h>
#include <windows.h>
#include <winsock2.h>
#include <ws2tcpip.h>

#include <stdio.h>

_Static_assert(SOPT_DONTLINGER == SO_DONTLINGER, "as in the public header");
_Static_assert(SOPT_EXCLUSIVEADDRUSE == SO_EXCLUSIVEADDRUSE, "as in the public header");
_Static_assert(SOPT_MAX_MSG_SIZE == SO_MAX_MSG_SIZE, "as in the public header");
_Static_assert(SOPT_CONDITIONAL_ACCEPT == SO_CONDITIONAL_ACCEPT, "as in the public header");
_Static_assert(SOPT_UPDATE_ACCEPT_CONTEXT == SO_UPDATE_ACCEPT_CONTEXT, "as in the public header");
_Static_assert(SOPT_CONNECT_TIME == SO_CONNECT_TIME, "as in the public header");
_Static_assert(SOPT_UPDATE_CONNECT_CONTEXT == SO_UPDATE_CONNECT_CONTEXT, "as in the public header");
_Static_assert(SOPT_IP_DONTFRAGMENT == IP_DONTFRAGMENT, "as in the public header");

/* ---- start and end ---- */

_Atomic unsigned winsock_starts;

/* What a program gets that asks for `wanted`: the highest version up to 2.2 that is not above it. */
static WORD version_for(WORD wanted)
{
    BYTE major = LOBYTE(wanted);
    BYTE minor = HIBYTE(wanted);

    if (major == 1)
        return MAKEWORD(1, minor > 1 ? 1 : minor);
    return MAKEWORD(2, major > 2 || minor > 2 ? 2 : minor);
}

int WSAAPI WSAStartup(WORD version, LPWSADATA data)
{
    if (LOBYTE(version) == 0)
        return WSAVERNOTSUPPORTED;
    if (!data)
        return WSAEFAULT;
    ZeroMemory(data, sizeof *data);
    data->wVersion = version_for(version);
    data->wHighVersion = WINSOCK_VERSION;
    if (LOBYTE(version) == 1) { /* later versions leave the two at 0: there is no such limit */
        data->iMaxSockets = 32767;
        data->iMaxUdpDg = 65467;
    }
    snprintf(data->szDescription, sizeof data->szDescription, "WinSock 2.0");
    snprintf(data->szSystemStatus, sizeof data->szSystemStatus, "Running");
    atomic_fetch_add(&winsock_starts, 1);
    return 0;
}

int WSAAPI WSACleanup(void)
{
    unsigned starts = atomic_load(&winsock_starts);

    do {
        if (starts == 0)
            return wsa_result(status_from_wsa(WSANOTINITIALISED));
    } while (!atomic_compare_exchange_weak(&winsock_starts, &starts, starts - 1));
    return 0;
}

int WSAAPI WSAGetLastError(void)
{
    return (int)last_error_get();
}

void WSAAPI WSASetLastError(int error)
{
    last_error_set((uint32_t)error);
}

/* ---- arguments ---- */

uint32_t socket_refused(uint32_t status, struct file *f)
{
    if (winsock_started())
        return status;
    if (f && (f->flags & FILE_ADOPTED))
        return STATUS_SUCCESS;
    if (f)
        file_put(f);
    return status_from_wsa(WSANOTINITIALISED);
}

_Static_assert(NO_SOCKET == INVALID_SOCKET, "as in the public header");

uintptr_t socket_publish(uint32_t status, struct file *f)
{
    uintptr_t h = 0;

    if (status == STATUS_SUCCESS) {
        file_get(f);
        status = file_publish(f, 0, &h);
        if (status == STATUS_SUCCESS)
            sockevent_look(f); /* of an accepted socket that inherited a selection */
        file_put(f);
    }
    if (status == STATUS_SUCCESS)
        return h;
    return wsa_fail(status), NO_SOCKET;
}

/* ---- making and closing ---- */

static uint32_t check_flags(int type, DWORD flags)
{
    DWORD multipoint = WSA_FLAG_MULTIPOINT_C_ROOT | WSA_FLAG_MULTIPOINT_C_LEAF |
                       WSA_FLAG_MULTIPOINT_D_ROOT | WSA_FLAG_MULTIPOINT_D_LEAF;

    if (flags & WSA_FLAG_ACCESS_SYSTEM_SECURITY)
        return status_from_wsa(WSAEACCES);
    if (flags & ~(multipoint | WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT | WSA_FLAG_REGISTERED_IO))
        return status_from_wsa(WSAEINVAL);
    if ((flags & multipoint) && type == SOCK_STREAM)
        return status_from_wsa(WSAEINVAL);
    return STATUS_SUCCESS;
}

static SOCKET new_socket(int family, int type, int protocol, DWORD flags)
{
    struct file *f = NULL;
    uint32_t status = check_flags(type, flags);

    if (!winsock_started())
        status = status_from_wsa(WSANOTINITIALISED);
    if (status == STATUS_SUCCESS)
        status = sock_new(family, type, protocol, flags & WSA_FLAG_OVERLAPPED, &f);
    if (status == STATUS_SUCCESS && (flags & WSA_FLAG_REGISTERED_IO))
        f->flags |= FILE_REGISTERED;
    if (status == STATUS_SUCCESS && (flags & (WSA_FLAG_MULTIPOINT_C_LEAF | WSA_FLAG_MULTIPOINT_D_LEAF)))
        atomic_store(&sock_of(f)->leaf, SOCK_LEAF_OPEN); /* no stream: see check_flags */
    return socket_publish(status, f);
}

SOCKET WSAAPI socket(int family, int type, int protocol)
{
    return new_socket(family, type, protocol, WSA_FLAG_OVERLAPPED);
}

/* FROM_PROTOCOL_INFO (or 0 for the address family, as many programs write) takes it from the info. */
SOCKET WSAAPI WSASocketA(int family, int type, int protocol, LPWSAPROTOCOL_INFOA info, GROUP group,
                         DWORD flags)
{
    (void)group;
    if (!info)
        return new_socket(family, type, protocol, flags);
    if (!winsock_started())
        return wsa_fail(status_from_wsa(WSANOTINITIALISED)), INVALID_SOCKET;
    if (info->dwProviderReserved != 0)
        return socket_from_info(info);
    return new_socket(family == FROM_PROTOCOL_INFO || family == 0 ? info->iAddressFamily : family,
                      type == FROM_PROTOCOL_INFO || type == 0 ? info->iSocketType : type,
                      protocol == FROM_PROTOCOL_INFO || protocol == 0 ? info->iProtocol : protocol, flags);
}

SOCKET WSAAPI WSASocketW(int family, int type, int protocol, LPWSAPROTOCOL_INFOW info, GROUP group,
                         DWORD flags)
{
    /* The two kinds of info differ behind the fields only, in their last member. */
    _Static_assert(offsetof(WSAPROTOCOL_INFOA, szProtocol) == offsetof(WSAPROTOCOL_INFOW, szProtocol),
                   "the name comes last");
    return WSASocketA(family, type, protocol, (LPWSAPROTOCOL_INFOA)(void *)info, group, flags);
}

/* A linger time would make a non-blocking socket's close block. */
static uint32_t may_close(struct file *f)
{
    struct linger linger = {0, 0};
    int32_t size = sizeof linger;

    if (!sock_is_stream(sock_of(f)) || !atomic_load(&sock_of(f)->nonblocking))
        return STATUS_SUCCESS;
    if (sock_get_option(f, SOL_SOCKET, SO_LINGER, &linger, &size) != STATUS_SUCCESS)
        return STATUS_SUCCESS;
    if (linger.l_onoff && linger.l_linger > 0 &&
        atomic_load(&sock_of(f)->phase) == SOCK_PHASE_CONNECTED)
        return status_from_wsa(WSAEWOULDBLOCK);
    return STATUS_SUCCESS;
}

int WSAAPI closesocket(SOCKET s)
{
    struct file *f;
    uint32_t status = sock_from_handle((uintptr_t)s, false, &f);
    bool ours;

    if (status != STATUS_SUCCESS)
        return wsa_result(socket_refused(status, NULL));
    ours = !(f->flags & FILE_ADOPTED);
    status = may_close(f);
    file_put(f);
    if (status == STATUS_SUCCESS)
        status = handle_close((uintptr_t)s);
    /* Windows closed it at the last WSACleanup, and says so. It is closed now. */
    if (status == STATUS_SUCCESS && ours && !winsock_started())
        status = status_from_wsa(WSANOTINITIALISED);
    return wsa_result(status);
}

/* ---- naming, listening, connecting ---- */

int WSAAPI bind(SOCKET s, const struct sockaddr *address, int length)
{
    struct file *f;
    uint32_t status = socket_get(s, &f);

    if (status == STATUS_SUCCESS) {
        status = sock_bind(f, address, length);
        file_put(f);
    }
    return wsa_result(status);
}

int WSAAPI listen(SOCKET s, int backlog)
{
    struct file *f;
    uint32_t status = socket_get(s, &f);

    if (status == STATUS_SUCCESS) {
        status = sock_listen(f, backlog);
        file_put(f);
    }
    return wsa_result(status);
}

static uint32_t accept_from(SOCKET s, struct sockaddr *address, int *length, struct file **out)
{
    struct file *f;
    uint32_t status = socket_get(s, &f);

    if (status != STATUS_SUCCESS)
        return status;
    status = accept_one(f, address, length, out);
    file_put(f);
    return status;
}

SOCKET WSAAPI accept(SOCKET s, struct sockaddr *address, int *length)
{
    struct file *f = NULL;
    uint32_t status = accept_from(s, address, length, &f);

    return socket_publish(status, f);
}

/* What the program is told of a connection; both addresses are there already. */
static int ask_condition(struct file *f, LPCONDITIONPROC condition, DWORD_PTR data)
{
    struct sockaddr_storage peer, local;
    int32_t peer_len = sizeof peer;
    int32_t local_len = sizeof local;
    WSABUF caller = {0, (CHAR *)&peer};
    WSABUF callee = {0, (CHAR *)&local};
    WSABUF nothing = {0, NULL};
    GROUP group = 0;

    if (sock_peer_name(f, &peer, &peer_len) == STATUS_SUCCESS)
        caller.len = (ULONG)peer_len;
    if (sock_local_name(f, &local, &local_len) == STATUS_SUCCESS)
        callee.len = (ULONG)local_len;
    return condition(&caller, &nothing, NULL, NULL, &callee, &nothing, &group, data);
}

/* The connection has been made, so that a refusal can only be a reset. */
static void reset(struct file *f)
{
    const struct linger now = {1, 0};

    sock_set_option(f, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    file_put(f);
}

SOCKET WSAAPI WSAAccept(SOCKET s, struct sockaddr *address, LPINT length, LPCONDITIONPROC condition,
                        DWORD_PTR data)
{
    struct file *f = NULL;
    uint32_t status = accept_from(s, address, length, &f);

    if (status != STATUS_SUCCESS || !condition)
        return socket_publish(status, f);
    switch (ask_condition(f, condition, data)) {
    case CF_ACCEPT:
        return socket_publish(STATUS_SUCCESS, f);
    case CF_DEFER: /* it cannot go back to the queue of the kernel */
        status = status_from_win32(ERROR_CALL_NOT_IMPLEMENTED);
        break;
    default:
        status = status_from_wsa(WSAECONNREFUSED);
        break;
    }
    reset(f);
    return socket_publish(status, NULL);
}

int WSAAPI connect(SOCKET s, const struct sockaddr *address, int length)
{
    struct file *f;
    uint32_t status = socket_get(s, &f);

    if (status == STATUS_SUCCESS) {
        status = connect_socket(f, address, length);
        file_put(f);
    }
    return wsa_result(status);
}

int WSAAPI WSAConnect(SOCKET s, const struct sockaddr *address, int length, LPWSABUF caller_data,
                      LPWSABUF callee_data, LPQOS qos, LPQOS group_qos)
{
    (void)qos;
    (void)group_qos;
    if (callee_data)
        callee_data->len = 0; /* TCP brings no data with the answer */
    if (caller_data && caller_data->len > 0)
        return wsa_result(status_from_wsa(WSAEINVAL));
    return connect(s, address, length);
}

int WSAAPI shutdown(SOCKET s, int how)
{
    struct file *f;
    uint32_t status = socket_get(s, &f);

    if (status == STATUS_SUCCESS) {
        status = sock_shutdown(f, how);
        file_put(f);
    }
    return wsa_result(status);
}

/* Data with the end of a connection: no protocol of Linux' has that. */
static int disconnect(SOCKET s, const WSABUF *data, int how)
{
    if (data && data->len > 0)
        return wsa_result(status_from_wsa(WSAENOPROTOOPT));
    return shutdown(s, how);
}

int WSAAPI WSASendDisconnect(SOCKET s, LPWSABUF data)
{
    return disconnect(s, data, SD_SEND);
}

int WSAAPI WSARecvDisconnect(SOCKET s, LPWSABUF data)
{
    return disconnect(s, data, SD_RECEIVE);
}

int WSAAPI getsockname(SOCKET s, struct sockaddr *address, int *length)
{
    struct file *f;
    uint32_t status = socket_get(s, &f);

    if (status == STATUS_SUCCESS) {
        status = sock_local_name(f, address, length);
        file_put(f);
    }
    return wsa_result(status);
}

int WSAAPI getpeername(SOCKET s, struct sockaddr *address, int *length)
{
    struct file *f;
    uint32_t status = socket_get(s, &f);

    if (status == STATUS_SUCCESS) {
        status = sock_peer_name(f, address, length);
        file_put(f);
    }
    return wsa_result(status);
}

/* ---- options ---- */

static uint32_t get_option(struct file *f, int level, int option, char *value, int *length)
{
    if (!value || !length)
        return status_from_wsa(WSAEFAULT);
    if (level == SOL_SOCKET && (option == SO_PROTOCOL_INFOA || option == SO_PROTOCOL_INFOW))
        return socket_protocol_info(f, option == SO_PROTOCOL_INFOW, value, length);
    return sock_get_option(f, level, option, value, length);
}

int WSAAPI getsockopt(SOCKET s, int level, int option, char *value, int *length)
{
    struct file *f;
    uint32_t status = socket_get_for_use(s, &f);

    if (status == STATUS_SUCCESS) {
        status = get_option(f, level, option, value, length);
        file_put(f);
    }
    return wsa_result(status);
}

int WSAAPI setsockopt(SOCKET s, int level, int option, const char *value, int length)
{
    struct file *f;
    uint32_t status = socket_get_for_use(s, &f);

    if (status == STATUS_SUCCESS) {
        status = sock_set_option(f, level, option, value, length);
        file_put(f);
    }
    return wsa_result(status);
}

/* ---- byte order ---- */

u_long WSAAPI htonl(u_long host)
{
    return __builtin_bswap32(host);
}

u_short WSAAPI htons(u_short host)
{
    return __builtin_bswap16(host);
}

u_long WSAAPI ntohl(u_long net)
{
    return __builtin_bswap32(net);
}

u_short WSAAPI ntohs(u_short net)
{
    return __builtin_bswap16(net);
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "swapping is what Windows' machines need");

static uint32_t check_swap(SOCKET s, const void *to)
{
    struct file *f;
    uint32_t status = socket_get(s, &f);

    if (status != STATUS_SUCCESS)
        return status;
    file_put(f);
    return to ? (uint32_t)STATUS_SUCCESS : status_from_wsa(WSAEFAULT);
}

int WSAAPI WSAHtonl(SOCKET s, iocp_u_long host, iocp_u_long *net)
{
    uint32_t status = check_swap(s, net);

    if (status == STATUS_SUCCESS)
        *net = htonl(host);
    return wsa_result(status);
}

int WSAAPI WSAHtons(SOCKET s, USHORT host, USHORT *net)
{
    uint32_t status = check_swap(s, net);

    if (status == STATUS_SUCCESS)
        *net = htons(host);
    return wsa_result(status);
}

int WSAAPI WSANtohl(SOCKET s, iocp_u_long net, iocp_u_long *host)
{
    return WSAHtonl(s, net, host);
}

int WSAAPI WSANtohs(SOCKET s, USHORT net, USHORT *host)
{
    return WSAHtons(s, net, host);
}
