/* SPDX-License-Identifier: MIT */
/*
 * winsock2.h: ioctlsocket and WSAIoctl. Every control here is done inside the call; one with an
 * OVERLAPPED is answered all the same, by event, packet or routine.
 */
#include "api/mswsock_rio.h"
#include "api/socket.h"
#include "io/route.h"

#define IOCP_EXTENSION_FUNCTIONS 1
#include <mstcpip.h>
#include <mswsock.h>
#include <ntstatus.h>
#include <windows.h>
#include <winsock2.h>

#include <string.h>

/* What a control reads and writes; `done` is how much of `out` was written. */
struct control {
    SOCKET s;
    DWORD code;
    const void *in;
    DWORD in_size;
    void *out;
    DWORD out_size, done;
};

static uint32_t take(const struct control *c, void *value, DWORD size)
{
    if (!c->in || c->in_size < size)
        return status_from_wsa(WSAEFAULT);
    memcpy(value, c->in, size);
    return STATUS_SUCCESS;
}

static uint32_t give(struct control *c, const void *value, DWORD size)
{
    if (!c->out || c->out_size < size)
        return status_from_wsa(WSAEFAULT);
    memcpy(c->out, value, size);
    c->done = size;
    return STATUS_SUCCESS;
}

/* ---- extension functions ---- */

static const struct {
    GUID id;
    void (*function)(void);
} extensions[] = {
    {WSAID_ACCEPTEX, (void (*)(void))AcceptEx},
    {WSAID_GETACCEPTEXSOCKADDRS, (void (*)(void))GetAcceptExSockaddrs},
    {WSAID_CONNECTEX, (void (*)(void))ConnectEx},
    {WSAID_DISCONNECTEX, (void (*)(void))DisconnectEx},
    {WSAID_TRANSMITFILE, (void (*)(void))TransmitFile},
    {WSAID_TRANSMITPACKETS, (void (*)(void))TransmitPackets},
    {WSAID_WSARECVMSG, (void (*)(void))WSARecvMsg},
    {WSAID_WSASENDMSG, (void (*)(void))WSASendMsg},
    {WSAID_WSAPOLL, (void (*)(void))WSAPoll},
};

static uint32_t extension_function(struct control *c)
{
    GUID wanted;
    uint32_t status = take(c, &wanted, sizeof wanted);

    if (status != STATUS_SUCCESS)
        return status;
    for (size_t i = 0; i < sizeof extensions / sizeof *extensions; i++)
        if (memcmp(&extensions[i].id, &wanted, sizeof wanted) == 0)
            return give(c, &extensions[i].function, sizeof extensions[i].function);
    return status_from_wsa(WSAEINVAL);
}

/* The only family there is: of registered I/O. */
static uint32_t extension_table(struct control *c)
{
    static const GUID known = WSAID_MULTIPLE_RIO;
    GUID wanted;
    uint32_t status = take(c, &wanted, sizeof wanted);

    if (status != STATUS_SUCCESS)
        return status;
    if (memcmp(&known, &wanted, sizeof wanted) != 0)
        return status_from_wsa(WSAEINVAL);
    return give(c, &mswsock_rio_table, sizeof mswsock_rio_table);
}

/* ---- single controls ---- */

static uint32_t set_blocking(struct file *f, const struct control *c)
{
    u_long nonblocking = 0;
    uint32_t status = take(c, &nonblocking, sizeof nonblocking);

    return status == STATUS_SUCCESS ? sock_set_blocking(f, nonblocking == 0) : status;
}

static uint32_t bytes_available(struct file *f, struct control *c)
{
    uint32_t bytes = 0;
    uint32_t status = sock_bytes_available(f, &bytes);

    return status == STATUS_SUCCESS ? give(c, &bytes, sizeof bytes) : status;
}

static uint32_t at_mark(struct file *f, struct control *c)
{
    uint32_t yes = 0;
    uint32_t status = sock_at_mark(f, &yes);

    return status == STATUS_SUCCESS ? give(c, &yes, sizeof yes) : status;
}

static uint32_t keepalive(struct file *f, const struct control *c)
{
    struct tcp_keepalive values;
    uint32_t status = take(c, &values, sizeof values);

    if (status != STATUS_SUCCESS)
        return status;
    return sock_keepalive(f, values.onoff != 0, values.keepalivetime, values.keepaliveinterval);
}

static uint32_t report_resets(struct file *f, const struct control *c)
{
    BOOL on = FALSE;
    uint32_t status = take(c, &on, sizeof on);

    return status == STATUS_SUCCESS ? sock_report_resets(f, on != FALSE) : status;
}

/* A datagram's end by time to live is never reported here: asking for that to stay so is granted. */
static uint32_t report_time_exceeded(struct file *f, const struct control *c)
{
    BOOL on = FALSE;
    uint32_t status = take(c, &on, sizeof on);

    if (status != STATUS_SUCCESS)
        return status;
    if (sock_is_stream(sock_of(f)))
        return status_from_wsa(WSAEINVAL);
    return on ? status_from_wsa(WSAEOPNOTSUPP) : (uint32_t)STATUS_SUCCESS;
}

/* Nothing of the socket but that it is one is looked at: the question has the family in it. */
static uint32_t routing_interface(struct control *c)
{
    uint32_t size = c->out_size;
    uint32_t status;

    if (!c->in || c->in_size < sizeof(struct sockaddr) || !c->out)
        return status_from_wsa(WSAEFAULT);
    status = route_source(c->in, c->in_size, c->out, &size);
    if (status == STATUS_SUCCESS)
        c->done = size;
    return status;
}

static uint32_t run_control(struct file *f, struct control *c)
{
    switch (c->code) {
    case FIONBIO:
        return set_blocking(f, c);
    case FIONREAD:
        return bytes_available(f, c);
    case SIOCATMARK:
        return at_mark(f, c);
    case SIO_GET_EXTENSION_FUNCTION_POINTER:
        return extension_function(c);
    case SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER:
        return extension_table(c);
    case SIO_KEEPALIVE_VALS:
        return keepalive(f, c);
    case SIO_UDP_CONNRESET:
        return report_resets(f, c);
    case SIO_UDP_NETRESET:
        return report_time_exceeded(f, c);
    case SIO_ROUTING_INTERFACE_QUERY:
        return routing_interface(c);
    case SIO_BASE_HANDLE: /* nothing is layered over anything here */
    case SIO_BSP_HANDLE:
    case SIO_BSP_HANDLE_SELECT:
    case SIO_BSP_HANDLE_POLL:
        return give(c, &c->s, sizeof c->s);
    default:
        return status_from_wsa(WSAEOPNOTSUPP);
    }
}

/* ---- the calls ---- */

static uint32_t ioctl_socket(struct file *f, DWORD command, void *argument)
{
    struct control c = {.code = command,
                        .in = argument,
                        .in_size = sizeof(u_long),
                        .out = argument,
                        .out_size = sizeof(u_long)};

    switch (command) {
    case FIONBIO:
    case FIONREAD:
    case SIOCATMARK:
        return run_control(f, &c);
    default:
        return status_from_wsa(WSAEOPNOTSUPP);
    }
}

int WSAAPI ioctlsocket(SOCKET s, long command, void *argument)
{
    struct file *f;
    uint32_t status = socket_get_for_use(s, &f);

    if (status == STATUS_SUCCESS) {
        status = ioctl_socket(f, (DWORD)command, argument);
        file_put(f);
    }
    return wsa_result(status);
}

/* Accepted like any overlapped operation, and finished before the call returns. */
static uint32_t run_overlapped(struct file *f, struct control *c, OVERLAPPED *ov, request_routine routine)
{
    struct request *r;
    uint32_t status;

    if (routine && atomic_load(&f->port))
        return status_from_wsa(WSAEINVAL);
    status = request_new(f, ov, !routine, &r);
    if (status != STATUS_SUCCESS)
        return status_from_wsa(WSA_INVALID_HANDLE);
    if (routine)
        request_set_routine(r, routine, true);
    status = run_control(f, c);
    request_begin(r);
    r->bytes = c->done;
    return request_finish_inline(r, status);
}

int WSAAPI WSAIoctl(SOCKET s, DWORD code, LPVOID in, DWORD in_size, LPVOID out, DWORD out_size, LPDWORD bytes,
                    LPWSAOVERLAPPED overlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
    struct control c = {
        .s = s, .code = code, .in = in, .in_size = in_size, .out = out, .out_size = out_size};
    struct file *f;
    uint32_t status = socket_get_for_use(s, &f);

    if (status != STATUS_SUCCESS)
        return wsa_result(status);
    if (!bytes && !overlapped)
        status = status_from_wsa(WSAEFAULT);
    else if (overlapped && (f->flags & FILE_OVERLAPPED))
        status = run_overlapped(f, &c, overlapped, routine);
    else
        status = run_control(f, &c);
    if (status == STATUS_SUCCESS && bytes)
        *bytes = c.done;
    file_put(f);
    return wsa_result(status);
}
