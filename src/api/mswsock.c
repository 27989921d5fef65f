/* SPDX-License-Identifier: MIT */
/*
 * mswsock.h: AcceptEx and its kin. They answer with BOOL, and say why not with WSA codes. Like the
 * data calls they adopt a descriptor the library has not seen yet.
 */
#include "api/filename.h"
#include "api/socket.h"
#include "io/accept.h"
#include "io/connect.h"
#include "io/transmit.h"

#define IOCP_EXTENSION_FUNCTIONS 1
#include <mswsock.h>
#include <ntstatus.h>
#include <windows.h>
#include <winsock2.h>

#include <unistd.h>

/* The count of an operation that was done at once is the only thing written beside the OVERLAPPED. */
static BOOL started(uint32_t status, const struct request_result *result, DWORD *bytes)
{
    if (status == STATUS_SUCCESS && bytes)
        *bytes = result->bytes;
    return wsa_result(status) == 0;
}

BOOL PASCAL AcceptEx(SOCKET listener, SOCKET accepted, PVOID output, DWORD data_size, DWORD local_size,
                     DWORD remote_size, LPDWORD bytes, LPOVERLAPPED overlapped)
{
    struct request_result result = {0, 0};
    struct file *f, *socket;
    uint32_t status;

    if (!overlapped)
        return win32_result(STATUS_INVALID_PARAMETER);
    status = socket_get_for_data(listener, &f);
    if (status != STATUS_SUCCESS)
        return started(status, &result, bytes);
    status = socket_get_for_data(accepted, &socket);
    if (status == STATUS_SUCCESS) {
        if (output)
            status = accept_start(f, socket, output, data_size, local_size, remote_size, overlapped, &result);
        else
            status = status_from_wsa(WSAEFAULT);
        file_put(socket);
    }
    file_put(f);
    return started(status, &result, bytes);
}

VOID PASCAL GetAcceptExSockaddrs(PVOID output, DWORD data_size, DWORD local_size, DWORD remote_size,
                                 struct sockaddr **local, LPINT local_length, struct sockaddr **remote,
                                 LPINT remote_length)
{
    char *area = (char *)output + data_size;
    int32_t length = 0;

    if (local)
        *local = accept_address(area, local_size, &length);
    if (local && local_length)
        *local_length = length;
    if (remote)
        *remote = accept_address(area + local_size, remote_size, &length);
    if (remote && remote_length)
        *remote_length = length;
}

BOOL PASCAL ConnectEx(SOCKET s, const struct sockaddr *address, int length, PVOID data, DWORD size,
                      LPDWORD bytes, LPOVERLAPPED overlapped)
{
    struct request_result result = {0, 0};
    struct file *f;
    uint32_t status;

    if (!overlapped)
        return win32_result(STATUS_INVALID_PARAMETER);
    status = socket_get_for_data(s, &f);
    if (status == STATUS_SUCCESS) {
        status = connect_start(f, address, length, data, data ? size : 0, overlapped, &result);
        file_put(f);
    }
    return started(status, &result, bytes);
}

BOOL PASCAL DisconnectEx(SOCKET s, LPOVERLAPPED overlapped, DWORD flags, DWORD reserved)
{
    struct file *f;
    uint32_t status = socket_get_for_data(s, &f);

    if (status != STATUS_SUCCESS)
        return wsa_result(status) == 0;
    if (reserved != 0 || (flags & ~(DWORD)TF_REUSE_SOCKET))
        status = status_from_wsa(WSAEINVAL);
    else
        status = connect_end(f, flags & TF_REUSE_SOCKET, overlapped);
    file_put(f);
    return wsa_result(status) == 0;
}

static uint32_t transmission_of(struct transmission *t, HANDLE file, DWORD count, const OVERLAPPED *ov,
                                const TRANSMIT_FILE_BUFFERS *buffers, DWORD flags)
{
    uint32_t status = STATUS_SUCCESS;
    off_t at;

    *t = (struct transmission){.size = count,
                               .disconnect = (flags & TF_DISCONNECT) != 0,
                               .reuse = (flags & TF_REUSE_SOCKET) != 0};
    if (buffers) {
        t->head = buffers->Head;
        t->head_size = buffers->HeadLength;
        t->tail = buffers->Tail;
        t->tail_size = buffers->TailLength;
    }
    if (!file)
        return STATUS_SUCCESS;
    status = filename_handle(file, FILE_READ_DATA, &t->source);
    if (status != STATUS_SUCCESS || ov) {
        t->offset = ov ? (uint64_t)ov->OffsetHigh << 32 | ov->Offset : 0;
        return status;
    }
    at = lseek(t->source->fd, 0, SEEK_CUR);
    t->offset = at > 0 ? (uint64_t)at : 0;
    return STATUS_SUCCESS;
}

BOOL PASCAL TransmitFile(SOCKET s, HANDLE file, DWORD count, DWORD chunk, LPOVERLAPPED overlapped,
                         LPTRANSMIT_FILE_BUFFERS buffers, DWORD flags)
{
    struct transmission t;
    struct request_result unused;
    struct file *f;
    uint32_t status = socket_get_for_data(s, &f);

    (void)chunk; /* the kernel knows what suits it */
    if (status != STATUS_SUCCESS)
        return wsa_result(status) == 0;
    status = transmission_of(&t, file, count, overlapped, buffers, flags);
    if (status == STATUS_SUCCESS && overlapped && (f->flags & FILE_OVERLAPPED))
        status = transmit_start(f, &t, overlapped, &unused);
    else if (status == STATUS_SUCCESS)
        status = transmit(f, &t);
    if (t.source)
        file_put(t.source);
    file_put(f);
    return wsa_result(status) == 0;
}
