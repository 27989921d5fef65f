/* SPDX-License-Identifier: MIT */
/*
 * winternl.h: the two classes of pipes. They say what GetNamedPipeInfo, GetNamedPipeHandleState and
 * PeekNamedPipe say, in other words.
 */
#include <windows.h>

#include "api/filename.h"
#include "api/nt_pipe.h"
#include "base/status.h"
#include "io/pipe.h"
#include "io/stream.h"

#include <linux/sockios.h>
#include <ntstatus.h>
#include <string.h>
#include <sys/ioctl.h>
#include <winternl.h>

uint32_t nt_pipe_state(struct file *f)
{
    struct pipe *p = pipe_of(f);
    uint32_t state;

    if (f->kind != FILE_KIND_NAMED)
        return FILE_PIPE_CONNECTED_STATE;
    lock_acquire(&p->lock);
    if (p->state == PIPE_CONNECTED)
        state = pipe_hung_up(f->fd) ? FILE_PIPE_CLOSING_STATE : FILE_PIPE_CONNECTED_STATE;
    else
        state = p->state == PIPE_LISTENING ? FILE_PIPE_LISTENING_STATE : FILE_PIPE_DISCONNECTED_STATE;
    lock_release(&p->lock);
    return state;
}

static uint32_t pipe_for(HANDLE handle, uint32_t rights, struct file **out)
{
    uint32_t status = filename_handle(handle, rights, out);

    if (status != STATUS_SUCCESS || (*out)->kind == FILE_KIND_NAMED || (*out)->kind == FILE_KIND_PIPE)
        return status;
    file_put(*out);
    return STATUS_INVALID_PARAMETER;
}

/* ---- modes ---- */

static uint32_t modes(struct file *f, FILE_PIPE_INFORMATION *out)
{
    uint32_t mode = atomic_load(&f->modes) & FILE_MODE_NOWAIT ? PIPE_NOWAIT : 0;
    uint32_t status = f->kind == FILE_KIND_NAMED ? pipe_get_mode(f, &mode) : (uint32_t)STATUS_SUCCESS;

    out->ReadMode = mode & PIPE_READMODE_MESSAGE ? FILE_PIPE_MESSAGE_MODE : FILE_PIPE_BYTE_STREAM_MODE;
    out->CompletionMode = mode & PIPE_NOWAIT ? FILE_PIPE_COMPLETE_OPERATION : FILE_PIPE_QUEUE_OPERATION;
    return status;
}

uint32_t nt_pipe_set(void *handle, const void *in, uint32_t size)
{
    const FILE_PIPE_INFORMATION *to = in;
    struct file *f;
    uint32_t status, mode;

    if (size < sizeof *to)
        return STATUS_INFO_LENGTH_MISMATCH;
    if (to->ReadMode > FILE_PIPE_MESSAGE_MODE || to->CompletionMode > FILE_PIPE_COMPLETE_OPERATION)
        return STATUS_INVALID_PARAMETER;
    mode = (to->ReadMode ? PIPE_READMODE_MESSAGE : 0) | (to->CompletionMode ? PIPE_NOWAIT : 0);
    status = pipe_for(handle, FILE_WRITE_ATTRIBUTES, &f);
    if (status != STATUS_SUCCESS)
        return status;
    status = f->kind == FILE_KIND_NAMED ? pipe_set_mode(f, mode) : stream_set_nowait(f, mode);
    file_put(f);
    return status;
}

/* ---- the rest ---- */

/* What Windows makes an anonymous pipe of: one instance, served by the reader. */
static uint32_t local_of_anonymous(struct file *f, FILE_PIPE_LOCAL_INFORMATION *out)
{
    bool reads = f->access & FILE_READ_DATA;
    uint32_t read;

    out->NamedPipeConfiguration = FILE_PIPE_INBOUND;
    out->MaximumInstances = out->CurrentInstances = 1;
    out->InboundQuota = out->OutboundQuota = stream_pipe_size(f);
    out->NamedPipeEnd = reads ? FILE_PIPE_SERVER_END : FILE_PIPE_CLIENT_END;
    if (reads && stream_peek(f, NULL, 0, &read, &out->ReadDataAvailable) != STATUS_SUCCESS)
        out->NamedPipeState = FILE_PIPE_CLOSING_STATE;
    return STATUS_SUCCESS;
}

static ULONG configuration_of(const struct pipe_shape *shape)
{
    if (shape->directions == PIPE_INWARD)
        return FILE_PIPE_INBOUND;
    return shape->directions == PIPE_OUTWARD ? FILE_PIPE_OUTBOUND : FILE_PIPE_FULL_DUPLEX;
}

static uint32_t local_of_named(struct file *f, FILE_PIPE_LOCAL_INFORMATION *out)
{
    struct pipe_shape shape = {0};
    struct pipe_look look = {0};
    uint32_t peer;
    uint32_t status = pipe_ask(f, &shape, &peer);

    if (status != STATUS_SUCCESS)
        return status;
    out->NamedPipeType = shape.messages ? FILE_PIPE_MESSAGE_TYPE : FILE_PIPE_BYTE_STREAM_TYPE;
    out->NamedPipeConfiguration = configuration_of(&shape);
    out->MaximumInstances = shape.max == PIPE_UNLIMITED ? UINT32_MAX : shape.max;
    out->CurrentInstances = pipe_count_instances(f);
    out->InboundQuota = shape.in_size;
    out->OutboundQuota = shape.out_size;
    out->NamedPipeEnd = pipe_of(f)->server ? FILE_PIPE_SERVER_END : FILE_PIPE_CLIENT_END;
    if (pipe_peek(f, NULL, 0, &look) == STATUS_SUCCESS) /* else there is nothing */
        out->ReadDataAvailable = look.total;
    return STATUS_SUCCESS;
}

/* Of the quota of this end, what is not taken by bytes that nobody has read yet. */
static ULONG writable(struct file *f, const FILE_PIPE_LOCAL_INFORMATION *is)
{
    ULONG quota = is->NamedPipeEnd == FILE_PIPE_SERVER_END ? is->OutboundQuota : is->InboundQuota;
    int taken = 0;

    if (ioctl(f->fd, f->kind == FILE_KIND_NAMED ? SIOCOUTQ : FIONREAD, &taken) < 0 || taken < 0)
        taken = 0;
    return (ULONG)taken < quota ? quota - (ULONG)taken : 0;
}

static uint32_t local(struct file *f, FILE_PIPE_LOCAL_INFORMATION *out)
{
    uint32_t status;

    out->NamedPipeState = nt_pipe_state(f);
    status = f->kind == FILE_KIND_NAMED ? local_of_named(f, out) : local_of_anonymous(f, out);
    if (status == STATUS_SUCCESS)
        out->WriteQuotaAvailable = writable(f, out);
    return status;
}

uint32_t nt_pipe_query(void *handle, uint32_t class, void *out, uint32_t room, uint32_t *size)
{
    union {
        FILE_PIPE_INFORMATION modes;
        FILE_PIPE_LOCAL_INFORMATION local;
    } is = {0};
    bool asks_modes = class == FilePipeInformation;
    uint32_t needed = asks_modes ? sizeof is.modes : sizeof is.local;
    struct file *f;
    uint32_t status;

    if (room < needed)
        return STATUS_INFO_LENGTH_MISMATCH;
    status = pipe_for(handle, FILE_READ_ATTRIBUTES, &f);
    if (status != STATUS_SUCCESS)
        return status;
    status = asks_modes ? modes(f, &is.modes) : local(f, &is.local);
    file_put(f);
    if (status != STATUS_SUCCESS)
        return status;
    memcpy(out, &is, needed);
    *size = needed;
    return STATUS_SUCCESS;
}
