/* SPDX-License-Identifier: MIT */
/*
 * Controls of devices, native and not, and cancelling by IO_STATUS_BLOCK. AFD's are there: its poll, on its
 * own device and on sockets, and receives on sockets; of files, where a symbolic link points to.
 */
#include <windows.h>

#include "api/api.h"
#include "api/nt_call.h"
#include "base/clock.h"
#include "base/status.h"
#include "base/text.h"
#include "io/afd.h"
#include "io/cancel.h"
#include "io/file.h"
#include "object/handle.h"
#include "wait/objects.h"
#include "wait/thread.h"
#include "wait/wait.h"

#include <errno.h>
#include <iocp_nt.h>
#include <limits.h>
#include <ntstatus.h>
#include <string.h>
#include <unistd.h>
#include <winioctl.h>
#include <winternl.h>

struct control {
    ULONG code;
    const void *in;
    ULONG in_size;
    void *out;
    ULONG out_size;
};

static bool takes(const struct file *f, ULONG code)
{
    switch (code) {
    case AFD_IOCTL_POLL:
        return f->kind == FILE_KIND_DEVICE || f->kind == FILE_KIND_SOCKET;
    case AFD_IOCTL_RECEIVE:
    case AFD_IOCTL_RECEIVE_DATAGRAM:
        return f->kind == FILE_KIND_SOCKET;
    case FSCTL_GET_REPARSE_POINT:
        return f->kind == FILE_KIND_DISK || f->kind == FILE_KIND_DIR;
    default:
        return false;
    }
}

static uint32_t find_file(HANDLE handle, const struct control *c, struct file **out)
{
    uint32_t status = file_from_handle((uintptr_t)handle, true, out, NULL);

    if (status != STATUS_SUCCESS)
        return status;
    if (takes(*out, c->code))
        return STATUS_SUCCESS;
    file_put(*out);
    return STATUS_INVALID_DEVICE_REQUEST;
}

/* What FSCTL_GET_REPARSE_POINT gives of a symbolic link. */
struct link_target {
    ULONG tag;
    USHORT size, reserved; /* of what follows */
    USHORT substitute_offset, substitute_size, print_offset, print_size;
    ULONG flags; /* 1: relative */
    WCHAR text[];
};

/* The target twice, as Windows has it: for the system and to be shown. Here both are what the link holds. */
static uint32_t link_target(struct file *f, void *out, ULONG room, ULONG *size)
{
    char text[PATH_MAX];
    ssize_t length = readlinkat(f->fd, "", text, sizeof text - 1);
    struct link_target *target = out;
    ptrdiff_t units;
    USHORT bytes;

    if (length < 0) /* only the handle of a link has an answer */
        return errno == EINVAL || errno == ENOENT ? STATUS_NOT_A_REPARSE_POINT : status_from_errno(errno);
    units = text_to_utf16(text, (size_t)length, NULL, 0, false);
    bytes = (USHORT)((size_t)units * sizeof(WCHAR));
    *size = (ULONG)(sizeof *target + 2u * bytes);
    if (room < *size || !out)
        return STATUS_BUFFER_TOO_SMALL;
    memset(target, 0, sizeof *target);
    target->tag = IO_REPARSE_TAG_SYMLINK;
    target->size = (USHORT)(*size - offsetof(struct link_target, substitute_offset));
    target->substitute_size = target->print_offset = target->print_size = bytes;
    target->flags = text[0] != '/';
    text_to_utf16(text, (size_t)length, (uint16_t *)target->text, (size_t)units, false);
    memcpy((char *)target->text + bytes, target->text, bytes);
    return STATUS_SUCCESS;
}

static uint32_t start_link_target(struct request *r, void *out, ULONG room)
{
    ULONG size = 0;
    uint32_t status = link_target(r->file, out, room, &size);

    if (status != STATUS_SUCCESS)
        return request_refuse(r, status);
    request_begin(r);
    r->bytes = size;
    return request_finish_inline(r, STATUS_SUCCESS);
}

static uint32_t start(struct request *r, const struct control *c)
{
    if (c->code == FSCTL_GET_REPARSE_POINT)
        return start_link_target(r, c->out, c->out_size);
    if (c->code == AFD_IOCTL_POLL)
        return afd_poll_start(r, c->in, c->in_size, c->out, c->out_size);
    return afd_receive_start(r, c->code == AFD_IOCTL_RECEIVE_DATAGRAM, c->in, c->in_size);
}

/* To the end, which is in `block` then. */
static uint32_t run(struct file *f, const struct control *c, OVERLAPPED *block)
{
    struct object *event;
    struct request *r;
    uint32_t status = event_new(NULL, true, false, &event);

    if (status != STATUS_SUCCESS)
        return status;
    status = request_new(f, block, false, &r);
    if (status == STATUS_SUCCESS) {
        request_set_native(r, &(struct request_native){.event = object_get(event)});
        status = start(r, c);
    }
    if (status == STATUS_PENDING) {
        wait_for_one(event->type->dispatcher(event), false, DEADLINE_NEVER);
        status = (uint32_t)block->Internal;
    }
    object_put(event);
    return status;
}

/* ---- DeviceIoControl ---- */

static uint32_t start_overlapped(struct file *f, const struct control *c, OVERLAPPED *ov, DWORD *bytes)
{
    struct request *r;
    uint32_t status = request_new(f, ov, true, &r);

    if (status != STATUS_SUCCESS)
        return status;
    request_get(r); /* it is answered, and gone, perhaps, when the call comes back */
    status = start(r, c);
    if (bytes && status_is_success(status) && status != STATUS_PENDING)
        *bytes = r->bytes;
    request_put(r);
    return status;
}

BOOL WINAPI DeviceIoControl(HANDLE hDevice, DWORD dwIoControlCode, LPVOID lpInBuffer, DWORD nInBufferSize,
                            LPVOID lpOutBuffer, DWORD nOutBufferSize, LPDWORD lpBytesReturned,
                            LPOVERLAPPED lpOverlapped)
{
    const struct control c = {dwIoControlCode, lpInBuffer, nInBufferSize, lpOutBuffer, nOutBufferSize};
    OVERLAPPED block = {0};
    struct file *f;
    uint32_t status;

    if (!lpBytesReturned && !lpOverlapped)
        return win32_result(STATUS_INVALID_PARAMETER);
    status = find_file(hDevice, &c, &f);
    if (status != STATUS_SUCCESS)
        return win32_result(status);
    if (lpOverlapped && (f->flags & FILE_OVERLAPPED)) {
        status = start_overlapped(f, &c, lpOverlapped, lpBytesReturned);
    } else {
        status = run(f, &c, &block);
        if (lpBytesReturned && status_is_success(status))
            *lpBytesReturned = (DWORD)block.InternalHigh;
    }
    file_put(f);
    if (status == STATUS_TIMEOUT) /* how a poll ends well */
        status = STATUS_SUCCESS;
    return win32_result(status);
}

/* ---- NtDeviceIoControlFile ---- */

static uint32_t start_native(struct file *f, const struct control *c, struct nt_call *call)
{
    struct request *r;
    uint32_t status;

    if (!(f->flags & FILE_OVERLAPPED)) {
        OVERLAPPED own = {0};

        status = run(f, c, &own);
        return nt_call_report(call, status, own.InternalHigh);
    }
    status = nt_call_request(call, f, &r);
    return status == STATUS_SUCCESS ? start(r, c) : status;
}

static uint32_t control(HANDLE file, struct nt_call *call, const struct control *c)
{
    struct file *f;
    uint32_t status = find_file(file, c, &f);

    if (status != STATUS_SUCCESS)
        return status;
    status = nt_call_begin(call, f);
    if (status == STATUS_SUCCESS) {
        status = start_native(f, c, call);
        nt_call_end(call);
    }
    file_put(f);
    return status;
}

NTSTATUS NTAPI NtDeviceIoControlFile(HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine,
                                     PVOID ApcContext, PIO_STATUS_BLOCK IoStatusBlock, ULONG IoControlCode,
                                     PVOID InputBuffer, ULONG InputBufferLength, PVOID OutputBuffer,
                                     ULONG OutputBufferLength)
{
    const struct control c = {IoControlCode, InputBuffer, InputBufferLength, OutputBuffer,
                              OutputBufferLength};

    struct nt_call call = {.event = Event, .routine = ApcRoutine, .context = ApcContext,
                           .block = IoStatusBlock};

    return (NTSTATUS)control(FileHandle, &call, &c);
}

/* ---- cancelling ---- */

static NTSTATUS report(PIO_STATUS_BLOCK block, uint32_t status)
{
    block->Status = (NTSTATUS)status;
    block->Information = 0;
    return (NTSTATUS)status;
}

NTSTATUS NTAPI NtCancelIoFileEx(HANDLE FileHandle, PIO_STATUS_BLOCK IoRequestToCancel,
                                PIO_STATUS_BLOCK IoStatusBlock)
{
    struct cancel_match match = {.ov = (const OVERLAPPED *)IoRequestToCancel};
    unsigned asked = 0;
    uint32_t status = cancel_by_handle((uintptr_t)FileHandle, &match, &asked);

    if (status == STATUS_SUCCESS && asked == 0)
        status = STATUS_NOT_FOUND;
    return report(IoStatusBlock, status);
}

NTSTATUS NTAPI NtCancelIoFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock)
{
    struct cancel_match mine = {.issuer = thread_current()->serial};
    unsigned asked;

    return report(IoStatusBlock, cancel_by_handle((uintptr_t)FileHandle, &mine, &asked));
}
