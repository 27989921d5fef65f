/* SPDX-License-Identifier: MIT */
/*
 * winternl.h: NtReadFile, NtWriteFile, and NtFsControlFile with the controls of pipes. What ReadFile and the
 * pipes' own functions do, with the answer as native calls have it.
 */
#include <windows.h>

#include "api/nt_call.h"
#include "api/nt_pipe.h"
#include "base/status.h"
#include "io/disk.h"
#include "io/pipe.h"
#include "io/stream.h"

#include <ntstatus.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <winternl.h>

/* ---- reading and writing ---- */

struct transfer {
    void *data;
    uint32_t size;
    const LARGE_INTEGER *offset;
    bool write;
};

/* FILE_WRITE_TO_END_OF_FILE and FILE_USE_FILE_POINTER_POSITION, as one number. */
#define AT_END ((int64_t)-1)
#define AT_POSITION ((int64_t)-2)

_Static_assert((uint64_t)AT_END == DISK_APPEND, "the end has one name");

/* Sockets have no rights of this kind. */
static uint32_t file_for(HANDLE handle, bool write, struct file **out)
{
    uint32_t right = write ? FILE_WRITE_DATA | FILE_APPEND_DATA : FILE_READ_DATA;
    uint32_t access;
    uint32_t status = file_from_handle((uintptr_t)handle, true, out, &access);

    if (status != STATUS_SUCCESS || (*out)->kind == FILE_KIND_SOCKET || (access & right))
        return status;
    file_put(*out);
    return STATUS_ACCESS_DENIED;
}

/* *at: what to hand on; NULL stands for the file's position. Streams have neither. */
static uint32_t place_of(const struct file *f, const struct transfer *t, uint64_t *offset,
                         const uint64_t **at)
{
    int64_t given = t->offset ? t->offset->QuadPart : AT_POSITION;

    *at = NULL;
    *offset = 0;
    if (f->kind != FILE_KIND_DISK)
        return STATUS_SUCCESS;
    if (given == AT_POSITION)
        return f->flags & FILE_OVERLAPPED ? (uint32_t)STATUS_INVALID_PARAMETER : (uint32_t)STATUS_SUCCESS;
    if (given < 0 && !(t->write && given == AT_END))
        return STATUS_INVALID_PARAMETER;
    *offset = (uint64_t)given;
    *at = offset;
    return STATUS_SUCCESS;
}

static uint32_t transfer_now(struct file *f, const struct transfer *t, const uint64_t *at, uint32_t *bytes)
{
    uint32_t status = STATUS_INVALID_DEVICE_REQUEST;

    if (t->write && f->ops->write_sync)
        return f->ops->write_sync(f, t->data, t->size, at, bytes);
    if (!t->write && f->ops->read_sync)
        status = f->ops->read_sync(f, t->data, t->size, at, bytes);
    /* What ReadFile calls success without bytes. */
    if (status == STATUS_SUCCESS && *bytes == 0 && t->size > 0 && f->kind == FILE_KIND_DISK)
        status = STATUS_END_OF_FILE;
    return status;
}

static uint32_t transfer(struct file *f, struct nt_call *call, const struct transfer *t)
{
    uint32_t (*begin)(struct request *) = t->write ? f->ops->write : f->ops->read;
    const uint64_t *at;
    struct request *r;
    uint64_t offset;
    uint32_t bytes = 0;
    uint32_t status = place_of(f, t, &offset, &at);

    if (status != STATUS_SUCCESS)
        return status;
    if (!(f->flags & FILE_OVERLAPPED)) {
        status = transfer_now(f, t, at, &bytes);
        return nt_call_report(call, status, bytes);
    }
    if (!begin)
        return STATUS_INVALID_DEVICE_REQUEST;
    status = nt_call_request(call, f, &r);
    if (status != STATUS_SUCCESS)
        return status;
    r->offset = offset;
    request_set_buf(r, t->data, t->size);
    request_begin(r);
    return begin(r);
}

static NTSTATUS transfer_by(HANDLE handle, struct nt_call *call, const struct transfer *t)
{
    struct file *f;
    uint32_t status = file_for(handle, t->write, &f);

    if (status != STATUS_SUCCESS)
        return (NTSTATUS)status;
    status = nt_call_begin(call, f);
    if (status == STATUS_SUCCESS) {
        status = transfer(f, call, t);
        nt_call_end(call);
    }
    file_put(f);
    return (NTSTATUS)status;
}

NTSTATUS NTAPI NtReadFile(HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                          PIO_STATUS_BLOCK IoStatusBlock, PVOID Buffer, ULONG Length,
                          PLARGE_INTEGER ByteOffset, PULONG Key)
{
    struct nt_call call = {.event = Event, .routine = ApcRoutine, .context = ApcContext,
                           .block = IoStatusBlock};
    struct transfer t = {.data = Buffer, .size = Length, .offset = ByteOffset};

    (void)Key; /* of range locks: all are of key 0 */
    return transfer_by(FileHandle, &call, &t);
}

NTSTATUS NTAPI NtWriteFile(HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                           PIO_STATUS_BLOCK IoStatusBlock, PVOID Buffer, ULONG Length,
                           PLARGE_INTEGER ByteOffset, PULONG Key)
{
    struct nt_call call = {.event = Event, .routine = ApcRoutine, .context = ApcContext,
                           .block = IoStatusBlock};
    struct transfer t = {.data = Buffer, .size = Length, .offset = ByteOffset, .write = true};

    (void)Key;
    return transfer_by(FileHandle, &call, &t);
}

/* ---- controls of pipes ---- */

struct control {
    ULONG code;
    void *in;
    ULONG in_size;
    void *out;
    ULONG out_size;
};

/* An answer that is there at once. Of one that never pends on an overlapped handle either. */
static uint32_t answer_now(struct file *f, struct nt_call *call, uint32_t status, uint32_t bytes)
{
    struct request *r;

    if (!(f->flags & FILE_OVERLAPPED))
        return nt_call_report(call, status, bytes);
    if (status_is_error(status))
        return status;
    if (nt_call_request(call, f, &r) != STATUS_SUCCESS)
        return STATUS_INSUFFICIENT_RESOURCES;
    request_begin(r);
    r->bytes = bytes;
    return request_finish_inline(r, status);
}

enum { PEEK_HEAD = offsetof(FILE_PIPE_PEEK_BUFFER, Data) };

static uint32_t peek(struct file *f, const struct control *c, uint32_t *bytes)
{
    FILE_PIPE_PEEK_BUFFER *out = c->out;
    struct pipe_look look = {0};
    ULONG room = c->out_size < PEEK_HEAD ? 0 : c->out_size - PEEK_HEAD;
    uint32_t status;

    if (!out || c->out_size < PEEK_HEAD)
        return STATUS_INFO_LENGTH_MISMATCH;
    if (f->kind == FILE_KIND_NAMED)
        status = pipe_peek(f, room ? out->Data : NULL, room, &look);
    else
        status = stream_peek(f, room ? out->Data : NULL, room, &look.read, &look.total);
    if (status != STATUS_SUCCESS)
        return status;
    out->NamedPipeState = nt_pipe_state(f);
    out->ReadDataAvailable = look.total;
    out->NumberOfMessages = 0; /* as Windows has it, where nobody counts them */
    out->MessageLength = look.read + look.left;
    *bytes = PEEK_HEAD + look.read;
    return look.left > 0 || look.total > look.read ? (uint32_t)STATUS_BUFFER_OVERFLOW
                                                   : (uint32_t)STATUS_SUCCESS;
}

/* Connecting and transacting may pend; then a request has the call's event. */
static uint32_t listen_on(struct file *f, struct nt_call *call)
{
    bool overlapped = f->flags & FILE_OVERLAPPED;
    uint32_t status;

    if (f->kind != FILE_KIND_NAMED)
        return STATUS_ILLEGAL_FUNCTION;
    status = pipe_connect(f, overlapped ? (OVERLAPPED *)call->block : NULL, overlapped ? &call->to : NULL);
    if (status == STATUS_INVALID_DEVICE_REQUEST)
        return STATUS_ILLEGAL_FUNCTION; /* a client's end */
    return overlapped && status != STATUS_SUCCESS ? status : answer_now(f, call, status, 0);
}

static uint32_t transceive(struct file *f, struct nt_call *call, const struct control *c)
{
    bool overlapped = f->flags & FILE_OVERLAPPED;
    uint32_t bytes = 0;
    uint32_t status;

    if (f->kind != FILE_KIND_NAMED)
        return STATUS_INVALID_PIPE_STATE;
    status = pipe_transact(f, c->in, c->in_size, c->out, c->out_size,
                           overlapped ? (OVERLAPPED *)call->block : NULL, overlapped ? &call->to : NULL,
                           &bytes);
    return overlapped ? status : nt_call_report(call, status, bytes);
}

static uint32_t control(struct file *f, struct nt_call *call, const struct control *c)
{
    uint32_t bytes = 0;
    uint32_t status;

    switch (c->code) {
    case FSCTL_PIPE_PEEK:
        status = peek(f, c, &bytes);
        return answer_now(f, call, status, bytes);
    case FSCTL_PIPE_LISTEN:
        return listen_on(f, call);
    case FSCTL_PIPE_DISCONNECT:
        status = f->kind == FILE_KIND_NAMED ? pipe_disconnect(f) : (uint32_t)STATUS_ILLEGAL_FUNCTION;
        if (status == STATUS_INVALID_DEVICE_REQUEST)
            status = STATUS_ILLEGAL_FUNCTION;
        return answer_now(f, call, status, 0);
    case FSCTL_PIPE_TRANSCEIVE:
        return transceive(f, call, c);
    default:
        return STATUS_INVALID_DEVICE_REQUEST;
    }
}

/* The code says which right it takes. */
static uint32_t check_right(ULONG code, uint32_t access)
{
    uint32_t right = code >> 14 & (FILE_READ_DATA | FILE_WRITE_DATA);

    return right & ~access ? (uint32_t)STATUS_ACCESS_DENIED : (uint32_t)STATUS_SUCCESS;
}

NTSTATUS NTAPI NtFsControlFile(HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                               PIO_STATUS_BLOCK IoStatusBlock, ULONG FsControlCode, PVOID InputBuffer,
                               ULONG InputBufferLength, PVOID OutputBuffer, ULONG OutputBufferLength)
{
    const struct control c = {FsControlCode, InputBuffer, InputBufferLength, OutputBuffer,
                              OutputBufferLength};
    struct nt_call call = {.event = Event, .routine = ApcRoutine, .context = ApcContext,
                           .block = IoStatusBlock};
    uint32_t access;
    struct file *f;
    uint32_t status = file_from_handle((uintptr_t)FileHandle, true, &f, &access);

    if (status != STATUS_SUCCESS)
        return (NTSTATUS)status;
    if (f->kind != FILE_KIND_NAMED && f->kind != FILE_KIND_PIPE)
        status = STATUS_INVALID_DEVICE_REQUEST;
    else
        status = check_right(FsControlCode, access);
    if (status == STATUS_SUCCESS)
        status = nt_call_begin(&call, f);
    if (status == STATUS_SUCCESS) {
        status = control(f, &call, &c);
        nt_call_end(&call);
    }
    file_put(f);
    return (NTSTATUS)status;
}
