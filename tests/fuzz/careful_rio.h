/* SPDX-License-Identifier: MIT */
/*
 * Registered I/O, whose functions come in a table. Of buffers and queues there are a few at a time, and any
 * handle may be handed in for one.
 */
#ifndef FUZZ_CAREFUL_RIO_H
#define FUZZ_CAREFUL_RIO_H

enum { RIO_BUFFERS = 4, RIO_QUEUES = 4, RIO_REQUESTS = 8 };

static RIO_EXTENSION_FUNCTION_TABLE rio;
static char rio_memory[DATA];
static uintptr_t rio_buffers[RIO_BUFFERS], rio_queues[RIO_QUEUES], rio_requests[RIO_REQUESTS];

static void find_rio(void)
{
    GUID id = WSAID_MULTIPLE_RIO;
    SOCKET s = WSASocketA(AF_INET, SOCK_STREAM, 0, NULL, 0, 0);
    DWORD n;

    if (WSAIoctl(s, SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER, &id, sizeof id, &rio, sizeof rio, &n, NULL,
                 NULL))
        abort();
    closesocket(s);
}

/* Good ones, for the socket if it takes them: of nonsense alone no operation would ever begin. */
static void make_rio(SOCKET s, HANDLE port)
{
    static OVERLAPPED told;
    RIO_NOTIFICATION_COMPLETION how = {.Type = RIO_IOCP_COMPLETION};
    unsigned slot = rnd(RIO_QUEUES);
    RIO_CQ queue;
    RIO_RQ made;

    how.Iocp.IocpHandle = port;
    how.Iocp.Overlapped = &told;
    queue = rio.RIOCreateCompletionQueue(16, rnd(2) ? &how : NULL);
    made = rio.RIOCreateRequestQueue(s, 4, 1, 4, 1, queue, queue, &rio);
    if (made == RIO_INVALID_RQ) {
        rio.RIOCloseCompletionQueue(queue);
        return;
    }
    rio.RIOCloseCompletionQueue((RIO_CQ)rio_queues[slot]);
    rio_queues[slot] = (uintptr_t)queue;
    rio_requests[rnd(RIO_REQUESTS)] = (uintptr_t)made; /* another's goes with its socket */
    slot = rnd(RIO_BUFFERS);
    rio.RIODeregisterBuffer((RIO_BUFFERID)rio_buffers[slot]);
    rio_buffers[slot] = (uintptr_t)rio.RIORegisterBuffer(rio_memory, sizeof rio_memory);
}

static RIO_BUFFERID any_rio_buffer(void)
{
    return (RIO_BUFFERID)(rnd(8) ? rio_buffers[rnd(RIO_BUFFERS)] : any_handle());
}

static RIO_CQ any_rio_queue(void)
{
    return (RIO_CQ)(rnd(8) ? rio_queues[rnd(RIO_QUEUES)] : any_handle());
}

static RIO_RQ any_rio_requests(void)
{
    return (RIO_RQ)(rnd(8) ? rio_requests[rnd(RIO_REQUESTS)] : any_handle());
}

/* One of a call's slices, or none. */
static RIO_BUF *any_rio_slice(RIO_BUF *slice)
{
    slice->BufferId = any_rio_buffer();
    slice->Offset = rnd(8) ? rnd(DATA / 2) : (ULONG)any_number();
    slice->Length = rnd(8) ? rnd(64) : (ULONG)any_number();
    return rnd(8) ? slice : NULL;
}

static DWORD any_rio_flags(void)
{
    return rnd(4) ? rnd(4) : rnd(2) ? rnd(16) : (DWORD)any_number();
}

static uintptr_t careful_RIORegisterBuffer(void)
{
    DWORD offset = rnd(DATA / 2), size = rnd(DATA / 2);
    RIO_BUFFERID made = rio.RIORegisterBuffer(rnd(16) ? rio_memory + offset : NULL, size);
    unsigned slot = rnd(RIO_BUFFERS);

    if (made == RIO_INVALID_BUFFERID)
        return 0;
    rio.RIODeregisterBuffer((RIO_BUFFERID)rio_buffers[slot]);
    rio_buffers[slot] = (uintptr_t)made;
    return 1;
}

static uintptr_t careful_RIODeregisterBuffer(void)
{
    rio.RIODeregisterBuffer(any_rio_buffer());
    return 1;
}

static uintptr_t careful_RIOCreateCompletionQueue(void)
{
    static OVERLAPPED told;
    RIO_NOTIFICATION_COMPLETION how = {.Type = RIO_EVENT_COMPLETION};
    unsigned slot = rnd(RIO_QUEUES);
    RIO_CQ made;

    if (rnd(2)) {
        how.Event.EventHandle = (HANDLE)any_handle();
        how.Event.NotifyReset = (BOOL)rnd(2);
    } else {
        how.Type = rnd(16) ? RIO_IOCP_COMPLETION : (RIO_NOTIFICATION_COMPLETION_TYPE)rnd(5);
        how.Iocp.IocpHandle = (HANDLE)any_handle();
        how.Iocp.Overlapped = rnd(16) ? &told : NULL;
    }
    made = rio.RIOCreateCompletionQueue(rnd(8) ? rnd(40) : (DWORD)any_number(), rnd(4) ? &how : NULL);
    if (made == RIO_INVALID_CQ)
        return 0;
    rio.RIOCloseCompletionQueue((RIO_CQ)rio_queues[slot]);
    rio_queues[slot] = (uintptr_t)made;
    return 1;
}

static uintptr_t careful_RIOCloseCompletionQueue(void)
{
    rio.RIOCloseCompletionQueue(any_rio_queue());
    return 1;
}

static uintptr_t careful_RIOResizeCompletionQueue(void)
{
    return (uintptr_t)rio.RIOResizeCompletionQueue(any_rio_queue(), rnd(4) ? rnd(40) : (DWORD)any_number());
}

static uintptr_t careful_RIOCreateRequestQueue(void)
{
    RIO_RQ made = rio.RIOCreateRequestQueue((SOCKET)any_socket(), rnd(16) ? rnd(5) : (ULONG)any_number(),
                                            rnd(16) ? 1 : rnd(3), rnd(16) ? rnd(5) : (ULONG)any_number(),
                                            rnd(16) ? 1 : rnd(3), any_rio_queue(), any_rio_queue(), &rio);

    if (made == RIO_INVALID_RQ)
        return 0;
    rio_requests[rnd(RIO_REQUESTS)] = (uintptr_t)made;
    return 1;
}

static uintptr_t careful_RIOResizeRequestQueue(void)
{
    return (uintptr_t)rio.RIOResizeRequestQueue(any_rio_requests(), rnd(4) ? rnd(9) : (DWORD)any_number(),
                                                rnd(9));
}

static uintptr_t careful_RIOSend(void)
{
    RIO_BUF slice;

    return (uintptr_t)rio.RIOSend(any_rio_requests(), any_rio_slice(&slice), rnd(16) ? 1 : rnd(3),
                                  any_rio_flags(), rnd(4) ? NULL : &rio);
}

static uintptr_t careful_RIOReceive(void)
{
    RIO_BUF slice;

    return (uintptr_t)rio.RIOReceive(any_rio_requests(), any_rio_slice(&slice), rnd(16) ? 1 : rnd(3),
                                     any_rio_flags(), rnd(4) ? NULL : &rio);
}

static uintptr_t careful_RIOSendEx(void)
{
    RIO_BUF s[5];

    for (unsigned i = 0; i < 5; i++)
        any_rio_slice(&s[i]);
    return (uintptr_t)rio.RIOSendEx(any_rio_requests(), rnd(8) ? &s[0] : NULL, rnd(16) ? 1 : rnd(3),
                                    rnd(8) ? NULL : &s[1], rnd(2) ? &s[2] : NULL, rnd(2) ? &s[3] : NULL,
                                    rnd(2) ? &s[4] : NULL, any_rio_flags(), rnd(4) ? NULL : &rio);
}

static uintptr_t careful_RIOReceiveEx(void)
{
    RIO_BUF s[5];

    for (unsigned i = 0; i < 5; i++)
        any_rio_slice(&s[i]);
    return (uintptr_t)rio.RIOReceiveEx(any_rio_requests(), rnd(8) ? &s[0] : NULL, rnd(16) ? 1 : rnd(3),
                                       rnd(2) ? &s[1] : NULL, rnd(2) ? &s[2] : NULL, rnd(2) ? &s[3] : NULL,
                                       rnd(2) ? &s[4] : NULL, any_rio_flags(), rnd(4) ? NULL : &rio);
}

static uintptr_t careful_RIODequeueCompletion(void)
{
    RIORESULT got[8];

    rio.RIODequeueCompletion(any_rio_queue(), got, rnd(9)); /* whose failure leaves no error */
    return 1;
}

static uintptr_t careful_RIONotify(void)
{
    INT error = rio.RIONotify(any_rio_queue());

    SetLastError((DWORD)error);
    return error == 0;
}

#endif
