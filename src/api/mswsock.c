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
    status = socket_get_for_use(listener, &f);
    if (status != STATUS_SUCCESS)
        return started(status, &result, bytes);
    status = socket_get_for_use(accepted, &socket);
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
    status = socket_get_for_use(s, &f);
    if (status == STATUS_SUCCESS) {
        status = connect_start(f, address, length, data, data ? size : 0, overlapped, &result);
        file_put(f);
    }
    return started(status, &result, bytes);
}

BOOL PASCAL DisconnectEx(SOCKET s, LPOVERLAPPED overlapped, DWORD flags, DWORD reserved)
{
    struct file *f;
    uint32_t status = socket_get_for_use(s, &f);

    if (status != STATUS_SUCCESS)
        return wsa_result(status) == 0;
    if (reserved != 0 || (flags & ~(DWORD)TF_REUSE_SOCKET))
        status = status_from_wsa(WSAEINVAL);
    else
        status = connect_end(f, flags & TF_REUSE_SOCKET, overlapped);
    file_put(f);
    return wsa_result(status) == 0;
}

/* ---- files and packets ---- */

/* A counted file, or NULL. */
static uint32_t take_source(HANDLE handle, struct file **source)
{
    uint32_t status = filename_handle(handle, FILE_READ_DATA, source);

    if (status != STATUS_SUCCESS)
        *source = NULL;
    /* Not of the socket, which would be WSAENOTSOCK. */
    return status == STATUS_INVALID_HANDLE ? status_from_wsa(WSA_INVALID_HANDLE) : status;
}

/* What ReadFile would take as the place: an overlapped file has none, and begins at 0. */
static uint64_t pointer_of(struct file *source)
{
    off_t at = lseek(source->fd, 0, SEEK_CUR);

    return at > 0 ? (uint64_t)at : 0;
}

/* Uses the transmission up, and the reference to the socket. */
static BOOL transmit_now(struct file *f, struct transmission *t, uint32_t status, LPOVERLAPPED overlapped,
                         DWORD flags)
{
    struct request_result unused;

    if (status != STATUS_SUCCESS) {
        if (t)
            transmission_free(t);
        file_put(f);
        return wsa_result(status) == 0;
    }
    t->disconnect = (flags & TF_DISCONNECT) != 0;
    t->reuse = (flags & TF_REUSE_SOCKET) != 0;
    if (overlapped && (f->flags & FILE_OVERLAPPED))
        status = transmit_start(f, t, overlapped, &unused);
    else
        status = transmit(f, t);
    file_put(f);
    return wsa_result(status) == 0;
}

static uint32_t file_part(struct transmit_part *part, HANDLE file, DWORD count, const OVERLAPPED *ov)
{
    uint32_t status = take_source(file, &part->source);

    if (status != STATUS_SUCCESS)
        return status;
    part->size = count;
    part->offset = ov ? (uint64_t)ov->OffsetHigh << 32 | ov->Offset : pointer_of(part->source);
    return STATUS_SUCCESS;
}

BOOL PASCAL TransmitFile(SOCKET s, HANDLE file, DWORD count, DWORD chunk, LPOVERLAPPED overlapped,
                         LPTRANSMIT_FILE_BUFFERS buffers, DWORD flags)
{
    struct transmission *t;
    struct file *f;
    uint32_t status = socket_get_for_use(s, &f);

    (void)chunk; /* the kernel knows what suits it */
    if (status != STATUS_SUCCESS)
        return wsa_result(status) == 0;
    t = transmission_new(3);
    if (!t)
        return transmit_now(f, NULL, STATUS_INSUFFICIENT_RESOURCES, overlapped, flags);
    if (buffers) {
        t->parts[0].data = buffers->Head;
        t->parts[0].size = buffers->HeadLength;
        t->parts[2].data = buffers->Tail;
        t->parts[2].size = buffers->TailLength;
    }
    if (file)
        status = file_part(&t->parts[1], file, count, overlapped);
    return transmit_now(f, t, status, overlapped, flags);
}

static uint32_t packet_part(struct transmit_part *part, const TRANSMIT_PACKETS_ELEMENT *element)
{
    const ULONG kind = element->dwElFlags & (TP_ELEMENT_MEMORY | TP_ELEMENT_FILE);
    uint32_t status;

    if (kind == (TP_ELEMENT_MEMORY | TP_ELEMENT_FILE))
        return status_from_wsa(WSAEINVAL);
    part->ends = (element->dwElFlags & TP_ELEMENT_EOP) != 0;
    part->size = element->cLength;
    if (kind == TP_ELEMENT_MEMORY) {
        part->data = element->pBuffer;
        return STATUS_SUCCESS;
    }
    if (element->nFileOffset.QuadPart < -1)
        return status_from_wsa(WSAEINVAL);
    status = take_source(element->hFile, &part->source);
    if (status != STATUS_SUCCESS)
        return status;
    if (element->nFileOffset.QuadPart == -1)
        part->offset = pointer_of(part->source);
    else
        part->offset = (uint64_t)element->nFileOffset.QuadPart;
    return STATUS_SUCCESS;
}

BOOL PASCAL TransmitPackets(SOCKET s, LPTRANSMIT_PACKETS_ELEMENT elements, DWORD count, DWORD chunk,
                            LPOVERLAPPED overlapped, DWORD flags)
{
    struct transmission *t;
    struct file *f;
    uint32_t status = socket_get_for_use(s, &f);

    (void)chunk;
    if (status != STATUS_SUCCESS)
        return wsa_result(status) == 0;
    if (!elements && count > 0)
        return transmit_now(f, NULL, status_from_wsa(WSAEFAULT), overlapped, flags);
    t = transmission_new(count);
    if (!t)
        return transmit_now(f, NULL, STATUS_INSUFFICIENT_RESOURCES, overlapped, flags);
    t->datagrams = true;
    for (DWORD i = 0; i < count && status == STATUS_SUCCESS; i++)
        status = packet_part(&t->parts[i], &elements[i]);
    return transmit_now(f, t, status, overlapped, flags);
}
