/* SPDX-License-Identifier: MIT */
/*
 * mswsock.h: registered I/O. None of these functions has a public name: programs get them in a table, from
 * WSAIoctl with SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER.
 */
#include "api/mswsock_rio.h"
#include "api/socket.h"
#include "io/rio.h"

#include <mswsock.h>
#include <ntstatus.h>
#include <windows.h>
#include <winsock2.h>

#include <stddef.h>

_Static_assert(sizeof(RIO_BUF) == sizeof(struct rio_slice), "one by two names");
_Static_assert(offsetof(RIO_BUF, BufferId) == offsetof(struct rio_slice, buffer), "one by two names");
_Static_assert(offsetof(RIO_BUF, Offset) == offsetof(struct rio_slice, offset), "one by two names");
_Static_assert(offsetof(RIO_BUF, Length) == offsetof(struct rio_slice, size), "one by two names");
_Static_assert(sizeof(RIORESULT) == sizeof(struct rio_result), "one by two names");
_Static_assert(offsetof(RIORESULT, Status) == offsetof(struct rio_result, status), "names");
_Static_assert(offsetof(RIORESULT, BytesTransferred) == offsetof(struct rio_result, bytes), "names");
_Static_assert(offsetof(RIORESULT, SocketContext) == offsetof(struct rio_result, socket_context), "names");
_Static_assert(offsetof(RIORESULT, RequestContext) == offsetof(struct rio_result, request_context), "names");
_Static_assert((int)RIO_QUIET == RIO_MSG_DONT_NOTIFY && (int)RIO_HELD == RIO_MSG_DEFER &&
                   (int)RIO_WHOLE == RIO_MSG_WAITALL && (int)RIO_COMMIT == RIO_MSG_COMMIT_ONLY,
               "as in the public header");
_Static_assert(RIO_QUEUE_MAX == RIO_MAX_CQ_SIZE, "as in the public header");

static BOOL done(uint32_t status)
{
    return wsa_result(status) == 0;
}

/* ---- buffers ---- */

static RIO_BUFFERID PASCAL register_buffer(PCHAR data, DWORD length)
{
    uintptr_t id;
    uint32_t status = rio_buffer_register(data, length, &id);

    return done(status) ? (RIO_BUFFERID)id : RIO_INVALID_BUFFERID;
}

static VOID PASCAL deregister_buffer(RIO_BUFFERID buffer)
{
    rio_buffer_deregister((uintptr_t)buffer);
}

/* ---- completion queues ---- */

static uint32_t read_notification(const RIO_NOTIFICATION_COMPLETION *how, struct rio_notification *by)
{
    *by = (struct rio_notification){0};
    if (!how)
        return STATUS_SUCCESS;
    switch (how->Type) {
    case RIO_EVENT_COMPLETION:
        by->event = (uintptr_t)how->Event.EventHandle;
        by->reset = how->Event.NotifyReset != FALSE;
        return by->event ? (uint32_t)STATUS_SUCCESS : status_from_wsa(WSAEINVAL);
    case RIO_IOCP_COMPLETION:
        by->port = (uintptr_t)how->Iocp.IocpHandle;
        by->key = (uintptr_t)how->Iocp.CompletionKey;
        by->ov = how->Iocp.Overlapped;
        return by->port && by->ov ? (uint32_t)STATUS_SUCCESS : status_from_wsa(WSAEINVAL);
    default:
        return status_from_wsa(WSAEINVAL);
    }
}

static RIO_CQ PASCAL create_completion_queue(DWORD size, PRIO_NOTIFICATION_COMPLETION how)
{
    struct rio_notification by;
    uintptr_t cq;
    uint32_t status = read_notification(how, &by);

    if (status == STATUS_SUCCESS)
        status = rio_cq_create(size, &by, &cq);
    return done(status) ? (RIO_CQ)cq : RIO_INVALID_CQ;
}

static VOID PASCAL close_completion_queue(RIO_CQ cq)
{
    rio_cq_close((uintptr_t)cq);
}

static BOOL PASCAL resize_completion_queue(RIO_CQ cq, DWORD size)
{
    return done(rio_cq_resize((uintptr_t)cq, size));
}

static ULONG PASCAL dequeue_completion(RIO_CQ cq, PRIORESULT results, ULONG size)
{
    uint32_t count = 0;

    if (!results && size > 0)
        return RIO_CORRUPT_CQ;
    if (rio_dequeue((uintptr_t)cq, (struct rio_result *)results, size, &count) != STATUS_SUCCESS)
        return RIO_CORRUPT_CQ;
    return count;
}

/* The only one that returns its error. */
static INT PASCAL notify(RIO_CQ cq)
{
    return (INT)status_to_wsa(rio_notify((uintptr_t)cq));
}

/* ---- request queues ---- */

/* The page allows one; none will do where there is no operation. */
static bool is_buffer_count(ULONG buffers, ULONG operations)
{
    return buffers == 1 || (buffers == 0 && operations == 0);
}

static RIO_RQ PASCAL create_request_queue(SOCKET s, ULONG receives, ULONG receive_buffers, ULONG sends,
                                          ULONG send_buffers, RIO_CQ receive_cq, RIO_CQ send_cq,
                                          PVOID context)
{
    struct rio_limits limits = {receives, sends};
    uintptr_t rq;
    struct file *f;
    uint32_t status = socket_get(s, &f);

    if (status != STATUS_SUCCESS)
        return done(status), RIO_INVALID_RQ;
    if (is_buffer_count(receive_buffers, receives) && is_buffer_count(send_buffers, sends))
        status = rio_rq_create(f, &limits, (uintptr_t)receive_cq, (uintptr_t)send_cq, (uintptr_t)context,
                               &rq);
    else
        status = status_from_wsa(WSAEINVAL);
    file_put(f);
    return done(status) ? (RIO_RQ)rq : RIO_INVALID_RQ;
}

static BOOL PASCAL resize_request_queue(RIO_RQ rq, DWORD receives, DWORD sends)
{
    struct rio_limits limits = {receives, sends};

    return done(rio_rq_resize((uintptr_t)rq, &limits));
}

/* ---- operations ---- */

static const struct rio_slice *slice(const RIO_BUF *buf)
{
    return (const struct rio_slice *)buf;
}

static BOOL start(enum lane_direction direction, RIO_RQ rq, PRIO_BUF data, ULONG count, PRIO_BUF local,
                  PRIO_BUF remote, PRIO_BUF control, PRIO_BUF flags_out, DWORD flags, PVOID context)
{
    struct rio_call call = {.direction = direction,
                            .data = slice(data),
                            .count = count,
                            .local = slice(local),
                            .remote = slice(remote),
                            .control = slice(control),
                            .flags_out = slice(flags_out),
                            .flags = flags,
                            .context = (uintptr_t)context};

    return done(rio_start((uintptr_t)rq, &call));
}

static BOOL PASCAL receive(RIO_RQ rq, PRIO_BUF data, ULONG count, DWORD flags, PVOID context)
{
    return start(LANE_IN, rq, data, count, NULL, NULL, NULL, NULL, flags, context);
}

static int PASCAL receive_ex(RIO_RQ rq, PRIO_BUF data, ULONG count, PRIO_BUF local, PRIO_BUF remote,
                             PRIO_BUF control, PRIO_BUF flags_out, DWORD flags, PVOID context)
{
    return start(LANE_IN, rq, data, count, local, remote, control, flags_out, flags, context);
}

static BOOL PASCAL send_data(RIO_RQ rq, PRIO_BUF data, ULONG count, DWORD flags, PVOID context)
{
    return start(LANE_OUT, rq, data, count, NULL, NULL, NULL, NULL, flags, context);
}

static BOOL PASCAL send_ex(RIO_RQ rq, PRIO_BUF data, ULONG count, PRIO_BUF local, PRIO_BUF remote,
                           PRIO_BUF control, PRIO_BUF flags_out, DWORD flags, PVOID context)
{
    return start(LANE_OUT, rq, data, count, local, remote, control, flags_out, flags, context);
}

const RIO_EXTENSION_FUNCTION_TABLE mswsock_rio_table = {
    .cbSize = sizeof mswsock_rio_table,
    .RIOReceive = receive,
    .RIOReceiveEx = receive_ex,
    .RIOSend = send_data,
    .RIOSendEx = send_ex,
    .RIOCloseCompletionQueue = close_completion_queue,
    .RIOCreateCompletionQueue = create_completion_queue,
    .RIOCreateRequestQueue = create_request_queue,
    .RIODequeueCompletion = dequeue_completion,
    .RIODeregisterBuffer = deregister_buffer,
    .RIONotify = notify,
    .RIORegisterBuffer = register_buffer,
    .RIOResizeCompletionQueue = resize_completion_queue,
    .RIOResizeRequestQueue = resize_request_queue,
};
