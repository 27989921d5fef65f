/* SPDX-License-Identifier: MIT */
/* Registered I/O for the tests: what mingw's headers lack of it, the table of functions, sockets, and
 * a stream with its queues and a buffer. */
#ifndef CONFORM_RIO_H
#define CONFORM_RIO_H

#include "conform.h"

#ifndef WSAID_MULTIPLE_RIO
#ifndef WSA_FLAG_REGISTERED_IO
#define WSA_FLAG_REGISTERED_IO 0x100
#endif
#ifndef SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER
#define SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER 0xC8000024
#endif
#define WSAID_MULTIPLE_RIO \
    { 0x8509e081, 0x96dd, 0x4005, { 0xb1, 0x65, 0x9e, 0x2e, 0xe8, 0xc7, 0x9e, 0x3f } }
enum { RIO_MSG_DONT_NOTIFY = 1, RIO_MSG_DEFER = 2, RIO_MSG_WAITALL = 4, RIO_MSG_COMMIT_ONLY = 8 };
enum { RIO_EVENT_COMPLETION = 1, RIO_IOCP_COMPLETION = 2, RIO_MAX_CQ_SIZE = 0x8000000 };
#define RIO_CORRUPT_CQ 0xFFFFFFFF
typedef struct rio_buffer_id *RIO_BUFFERID;
typedef struct rio_completion_queue *RIO_CQ;
typedef struct rio_request_queue *RIO_RQ;
#define RIO_INVALID_BUFFERID ((RIO_BUFFERID)(ULONG_PTR)0xFFFFFFFF)
#define RIO_INVALID_CQ ((RIO_CQ)0)
#define RIO_INVALID_RQ ((RIO_RQ)0)
typedef struct {
    RIO_BUFFERID BufferId;
    ULONG Offset, Length;
} RIO_BUF;
typedef struct {
    LONG Status;
    ULONG BytesTransferred;
    ULONGLONG SocketContext, RequestContext;
} RIORESULT;
typedef struct {
    int Type;
    union {
        struct {
            HANDLE EventHandle;
            BOOL NotifyReset;
        } Event;
        struct {
            HANDLE IocpHandle;
            PVOID CompletionKey, Overlapped;
        } Iocp;
    };
} RIO_NOTIFICATION_COMPLETION;
typedef struct {
    DWORD cbSize;
    BOOL(PASCAL *RIOReceive)(RIO_RQ, RIO_BUF *, ULONG, DWORD, PVOID);
    int(PASCAL *RIOReceiveEx)(RIO_RQ, RIO_BUF *, ULONG, RIO_BUF *, RIO_BUF *, RIO_BUF *, RIO_BUF *, DWORD,
                              PVOID);
    BOOL(PASCAL *RIOSend)(RIO_RQ, RIO_BUF *, ULONG, DWORD, PVOID);
    BOOL(PASCAL *RIOSendEx)(RIO_RQ, RIO_BUF *, ULONG, RIO_BUF *, RIO_BUF *, RIO_BUF *, RIO_BUF *, DWORD,
                            PVOID);
    VOID(PASCAL *RIOCloseCompletionQueue)(RIO_CQ);
    RIO_CQ(PASCAL *RIOCreateCompletionQueue)(DWORD, RIO_NOTIFICATION_COMPLETION *);
    RIO_RQ(PASCAL *RIOCreateRequestQueue)(SOCKET, ULONG, ULONG, ULONG, ULONG, RIO_CQ, RIO_CQ, PVOID);
    ULONG(PASCAL *RIODequeueCompletion)(RIO_CQ, RIORESULT *, ULONG);
    VOID(PASCAL *RIODeregisterBuffer)(RIO_BUFFERID);
    INT(PASCAL *RIONotify)(RIO_CQ);
    RIO_BUFFERID(PASCAL *RIORegisterBuffer)(PCHAR, DWORD);
    BOOL(PASCAL *RIOResizeCompletionQueue)(RIO_CQ, DWORD);
    BOOL(PASCAL *RIOResizeRequestQueue)(RIO_RQ, DWORD, DWORD);
} RIO_EXTENSION_FUNCTION_TABLE;
#endif

static RIO_EXTENSION_FUNCTION_TABLE rio;

/* Asks for the table, once. false: there is no registered I/O (Wine 8 has none). */
static int rio_start(void)
{
    GUID id = WSAID_MULTIPLE_RIO;
    DWORD bytes = 0;
    SOCKET s;
    net_start();
    if (rio.cbSize)
        return 1;
    s = socket(AF_INET, SOCK_STREAM, 0);
    WSAIoctl(s, SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER, &id, sizeof id, &rio, sizeof rio, &bytes, NULL,
             NULL);
    closesocket(s);
    return rio.cbSize != 0;
}

#define RIO_OR_SKIP()                                                                                \
    do {                                                                                             \
        if (!rio_start()) {                                                                          \
            if (!conform_wine)                                                                       \
                FAIL("WSAIoctl gives no table of registered I/O");                                   \
            SKIP("no registered I/O here");                                                          \
        }                                                                                            \
    } while (0)

/* A connected stream: `near` is made for registered I/O, `far` is a plain socket. */
CONFORM_USED static int rio_pair(SOCKET *near_end, SOCKET *far_end)
{
    struct sockaddr_in address = loopback(0);
    int size = sizeof address;
    SOCKET listener = socket(AF_INET, SOCK_STREAM, 0);
    int made;
    *near_end = WSASocketA(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0,
                           WSA_FLAG_REGISTERED_IO | WSA_FLAG_OVERLAPPED);
    made = CHECK(*near_end != INVALID_SOCKET) && CHECK_EQ(bind(listener, (void *)&address, size), 0) &&
           CHECK_EQ(listen(listener, 1), 0) && CHECK_EQ(getsockname(listener, (void *)&address, &size), 0) &&
           CHECK_EQ(connect(*near_end, (void *)&address, size), 0);
    *far_end = made ? accept(listener, NULL, NULL) : INVALID_SOCKET;
    closesocket(listener);
    return made && CHECK(*far_end != INVALID_SOCKET);
}

/* A datagram socket for registered I/O, bound to 127.0.0.1. */
CONFORM_USED static SOCKET rio_udp(struct sockaddr_in *address)
{
    int size = sizeof *address;
    SOCKET s = WSASocketA(AF_INET, SOCK_DGRAM, IPPROTO_UDP, NULL, 0, WSA_FLAG_REGISTERED_IO);
    *address = loopback(0);
    CHECK(s != INVALID_SOCKET);
    CHECK_EQ(bind(s, (void *)address, size), 0);
    CHECK_EQ(getsockname(s, (void *)address, &size), 0);
    return s;
}

/* Takes exactly `count` results within 10 s; looks as a program does that polls. */
CONFORM_USED static int rio_take(RIO_CQ queue, RIORESULT *results, ULONG count)
{
    ULONG have = 0;
    int done =
        WITHIN(10000, (have += rio.RIODequeueCompletion(queue, results + have, count - have)) == count);
    return CHECK_MSG(done, "%u of %u results", (unsigned)have, (unsigned)count);
}

enum { RECEIVES = 4, SENDS = 4, MEMORY = 4096 };

/* One stream with its queues, and a registered buffer. */
struct stream {
    SOCKET near_end, far_end;
    RIO_CQ results;
    RIO_RQ requests;
    RIO_BUFFERID buffer;
    char memory[MEMORY];
};

CONFORM_USED static int stream_open_with(struct stream *t, RIO_NOTIFICATION_COMPLETION *how)
{
    memset(t, 0, sizeof *t);
    if (!rio_pair(&t->near_end, &t->far_end))
        return 0;
    t->results = rio.RIOCreateCompletionQueue(RECEIVES + SENDS, how);
    t->buffer = rio.RIORegisterBuffer(t->memory, sizeof t->memory);
    t->requests = rio.RIOCreateRequestQueue(t->near_end, RECEIVES, 1, SENDS, 1, t->results, t->results, t);
    return CHECK(t->results != RIO_INVALID_CQ) && CHECK(t->buffer != RIO_INVALID_BUFFERID) &&
           CHECK(t->requests != RIO_INVALID_RQ);
}

CONFORM_USED static int stream_open(struct stream *t) { return stream_open_with(t, NULL); }

CONFORM_USED static void stream_close(struct stream *t)
{
    closesocket(t->near_end);
    closesocket(t->far_end);
    rio.RIODeregisterBuffer(t->buffer);
    rio.RIOCloseCompletionQueue(t->results);
}

CONFORM_USED static RIO_BUF slice(const struct stream *t, ULONG offset, ULONG size)
{
    RIO_BUF buf;
    buf.BufferId = t->buffer;
    buf.Offset = offset;
    buf.Length = size;
    return buf;
}

CONFORM_USED static void *number(uintptr_t n) { return (void *)n; }

CONFORM_USED static BOOL receive(struct stream *t, ULONG offset, ULONG size, DWORD flags, uintptr_t context)
{
    RIO_BUF buf = slice(t, offset, size);
    return rio.RIOReceive(t->requests, &buf, 1, flags, number(context));
}

CONFORM_USED static BOOL send_part(struct stream *t, ULONG offset, ULONG size, DWORD flags, uintptr_t context)
{
    RIO_BUF buf = slice(t, offset, size);
    return rio.RIOSend(t->requests, &buf, 1, flags, number(context));
}

CONFORM_USED static void is_result(const RIORESULT *r, const void *socket_context, uintptr_t context,
                                   LONG status, ULONG bytes)
{
    CHECK_EQ(r->SocketContext, (uintptr_t)socket_context);
    CHECK_EQ(r->RequestContext, context);
    CHECK_EQ(r->Status, status);
    CHECK_EQ(r->BytesTransferred, bytes);
}

#endif
