/* SPDX-License-Identifier: MIT */
/*
 * Registered I/O: its table, buffers and queues; sends and receives on streams and datagram sockets; limits,
 * notifications, deferred requests, closing. By Microsoft's pages; Wine 8 has none of it and skips all.
 */
#include "rio.h"

enum { RECEIVES = 4, SENDS = 4, MEMORY = 4096 };

/* One stream with its queues, and a registered buffer. */
struct stream {
    SOCKET near_end, far_end;
    RIO_CQ results;
    RIO_RQ requests;
    RIO_BUFFERID buffer;
    char memory[MEMORY];
};

static int stream_open_with(struct stream *t, RIO_NOTIFICATION_COMPLETION *how)
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

static int stream_open(struct stream *t) { return stream_open_with(t, NULL); }

static void stream_close(struct stream *t)
{
    closesocket(t->near_end);
    closesocket(t->far_end);
    rio.RIODeregisterBuffer(t->buffer);
    rio.RIOCloseCompletionQueue(t->results);
}

static RIO_BUF slice(const struct stream *t, ULONG offset, ULONG size)
{
    RIO_BUF buf;
    buf.BufferId = t->buffer;
    buf.Offset = offset;
    buf.Length = size;
    return buf;
}

static void *number(uintptr_t n) { return (void *)n; }

static BOOL receive(struct stream *t, ULONG offset, ULONG size, DWORD flags, uintptr_t context)
{
    RIO_BUF buf = slice(t, offset, size);
    return rio.RIOReceive(t->requests, &buf, 1, flags, number(context));
}

static BOOL send_part(struct stream *t, ULONG offset, ULONG size, DWORD flags, uintptr_t context)
{
    RIO_BUF buf = slice(t, offset, size);
    return rio.RIOSend(t->requests, &buf, 1, flags, number(context));
}

static void is_result(const RIORESULT *r, const void *socket_context, uintptr_t context, LONG status,
                      ULONG bytes)
{
    CHECK_EQ(r->SocketContext, (uintptr_t)socket_context);
    CHECK_EQ(r->RequestContext, context);
    CHECK_EQ(r->Status, status);
    CHECK_EQ(r->BytesTransferred, bytes);
}

/* ---- the table, buffers, queues ---- */

TEST(table, "")
{
    GUID id = WSAID_MULTIPLE_RIO, other = {0};
    RIO_EXTENSION_FUNCTION_TABLE table;
    DWORD bytes = 77;
    SOCKET s;
    RIO_OR_SKIP();
    s = socket(AF_INET, SOCK_DGRAM, 0);
    memset(&table, 0, sizeof table);
    CHECK_EQ(WSAIoctl(s, SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER, &id, sizeof id, &table, sizeof table,
                      &bytes, NULL, NULL), 0);
    CHECK_EQ(bytes, sizeof table);
    CHECK_EQ(table.cbSize, sizeof table);
    CHECK(table.RIOReceive && table.RIOReceiveEx && table.RIOSend && table.RIOSendEx);
    CHECK(table.RIOCreateCompletionQueue && table.RIOCloseCompletionQueue && table.RIOResizeCompletionQueue);
    CHECK(table.RIOCreateRequestQueue && table.RIOResizeRequestQueue);
    CHECK(table.RIORegisterBuffer && table.RIODeregisterBuffer);
    CHECK(table.RIODequeueCompletion && table.RIONotify);
    CHECK_WSAERR(WSAIoctl(s, SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER, &other, sizeof other, &table,
                          sizeof table, &bytes, NULL, NULL), WSAEINVAL);
    CHECK_WSAERR(WSAIoctl(s, SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER, &id, sizeof id, &table, 16, &bytes,
                          NULL, NULL), WSAEFAULT);
    closesocket(s);
}

TEST(buffers, "")
{
    static char memory[100];
    RIO_BUFFERID a, b;
    RIO_OR_SKIP();
    a = rio.RIORegisterBuffer(memory, sizeof memory);
    b = rio.RIORegisterBuffer(memory, 1); /* the same once more */
    CHECK(a != RIO_INVALID_BUFFERID);
    CHECK(b != RIO_INVALID_BUFFERID && b != a);
    WSASetLastError(0);
    CHECK(rio.RIORegisterBuffer(memory, 0) == RIO_INVALID_BUFFERID);
    CHECK_EQ(WSAGetLastError(), WSAEINVAL);
    CHECK(rio.RIORegisterBuffer(NULL, 10) == RIO_INVALID_BUFFERID);
    CHECK_EQ(WSAGetLastError(), WSAEFAULT);
    rio.RIODeregisterBuffer(a);
    rio.RIODeregisterBuffer(b);
    rio.RIODeregisterBuffer(b); /* ignored */
    rio.RIODeregisterBuffer(RIO_INVALID_BUFFERID);
}

TEST(completion_queues, "")
{
    RIO_NOTIFICATION_COMPLETION how;
    RIORESULT result;
    RIO_CQ queue;
    RIO_OR_SKIP();
    WSASetLastError(0);
    CHECK(rio.RIOCreateCompletionQueue(0, NULL) == RIO_INVALID_CQ);
    CHECK_EQ(WSAGetLastError(), WSAEINVAL);
    WSASetLastError(0);
    CHECK(rio.RIOCreateCompletionQueue(RIO_MAX_CQ_SIZE + 1, NULL) == RIO_INVALID_CQ);
    CHECK_EQ(WSAGetLastError(), WSAEINVAL);
    memset(&how, 0, sizeof how);
    how.Type = RIO_IOCP_COMPLETION;
    how.Iocp.IocpHandle = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    CHECK(rio.RIOCreateCompletionQueue(1, &how) == RIO_INVALID_CQ); /* no OVERLAPPED */
    CHECK_EQ(WSAGetLastError(), WSAEINVAL);
    CloseHandle(how.Iocp.IocpHandle);
    queue = rio.RIOCreateCompletionQueue(10, NULL);
    CHECK(queue != RIO_INVALID_CQ);
    CHECK_EQ(rio.RIODequeueCompletion(queue, &result, 1), 0);
    CHECK_EQ(rio.RIONotify(queue), WSAEINVAL); /* it has no way to tell */
    CHECK_EQ(rio.RIONotify(RIO_INVALID_CQ), WSAEINVAL);
    CHECK(rio.RIOResizeCompletionQueue(queue, 20));
    CHECK(rio.RIOResizeCompletionQueue(queue, 1));
    CHECK_ERR(rio.RIOResizeCompletionQueue(queue, RIO_MAX_CQ_SIZE + 1), WSAEINVAL);
    CHECK_ERR(rio.RIOResizeCompletionQueue(RIO_INVALID_CQ, 1), WSAEINVAL);
    rio.RIOCloseCompletionQueue(RIO_INVALID_CQ); /* ignored */
    rio.RIOCloseCompletionQueue(queue);
    CHECK_EQ(rio.RIODequeueCompletion(queue, &result, 1), RIO_CORRUPT_CQ);
    CHECK_EQ(rio.RIODequeueCompletion(RIO_INVALID_CQ, &result, 1), RIO_CORRUPT_CQ);
}

TEST(request_queues, "")
{
    struct sockaddr_in address;
    RIO_CQ queue, small_queue;
    RIO_RQ requests;
    SOCKET plain, s, again;
    HANDLE event;
    RIO_OR_SKIP();
    plain = socket(AF_INET, SOCK_DGRAM, 0);
    s = rio_udp(&address);
    queue = rio.RIOCreateCompletionQueue(10, NULL);
    small_queue = rio.RIOCreateCompletionQueue(3, NULL);
    event = manual_event();
    CHECK_ERR(rio.RIOCreateRequestQueue(plain, 1, 1, 1, 1, queue, queue, NULL), WSAEOPNOTSUPP);
    CHECK_ERR(rio.RIOCreateRequestQueue((SOCKET)event, 1, 1, 1, 1, queue, queue, NULL), WSAENOTSOCK);
    CHECK_ERR(rio.RIOCreateRequestQueue(INVALID_SOCKET, 1, 1, 1, 1, queue, queue, NULL), WSAENOTSOCK);
    CHECK_ERR(rio.RIOCreateRequestQueue(s, 0, 1, 0, 1, queue, queue, NULL), WSAEINVAL);
    CHECK_ERR(rio.RIOCreateRequestQueue(s, 1, 2, 1, 1, queue, queue, NULL), WSAEINVAL);
    CHECK_ERR(rio.RIOCreateRequestQueue(s, 1, 1, 1, 1, RIO_INVALID_CQ, queue, NULL), WSAEINVAL);
    CHECK_ERR(rio.RIOCreateRequestQueue(s, 1, 1, 1, 1, queue, RIO_INVALID_CQ, NULL), WSAEINVAL);
    CHECK_ERR(rio.RIOCreateRequestQueue(s, 5, 1, 6, 1, queue, queue, NULL), WSAENOBUFS);
    CHECK_ERR(rio.RIOCreateRequestQueue(s, 5, 1, 4, 1, queue, small_queue, NULL), WSAENOBUFS);
    /* What failed has left nothing behind. */
    requests = rio.RIOCreateRequestQueue(s, 8, 1, 2, 1, queue, queue, NULL);
    CHECK(requests != RIO_INVALID_RQ);
    CHECK_ERR(rio.RIOResizeCompletionQueue(queue, 9), WSAETOOMANYREFS);
    again = rio_udp(&address);
    CHECK_ERR(rio.RIOCreateRequestQueue(again, 1, 1, 0, 1, queue, queue, NULL), WSAENOBUFS);
    CHECK(rio.RIOResizeRequestQueue(requests, 7, 2));
    CHECK_ERR(rio.RIOResizeRequestQueue(requests, 0, 0), WSAEINVAL);
    CHECK_ERR(rio.RIOResizeRequestQueue(requests, 9, 2), WSAENOBUFS);
    CHECK_ERR(rio.RIOResizeRequestQueue(RIO_INVALID_RQ, 1, 1), WSAEINVAL);
    CHECK(rio.RIOCreateRequestQueue(again, 1, 1, 0, 1, queue, queue, NULL) != RIO_INVALID_RQ);
    closesocket(s); /* gives its room back */
    CHECK_ERR(rio.RIOResizeRequestQueue(requests, 1, 1), WSAEINVAL);
    CHECK(rio.RIOResizeCompletionQueue(queue, 1));
    closesocket(again);
    closesocket(plain);
    CloseHandle(event);
    rio.RIOCloseCompletionQueue(queue);
    rio.RIOCloseCompletionQueue(small_queue);
}

/* One completion queue for both directions, all of whose room is promised: it may move between them. */
TEST(room_moves, "")
{
    struct sockaddr_in address;
    RIO_CQ queue, receives, sends;
    RIO_RQ requests;
    SOCKET s;
    RIO_OR_SKIP();
    s = rio_udp(&address);
    queue = rio.RIOCreateCompletionQueue(8, NULL);
    requests = rio.RIOCreateRequestQueue(s, 4, 1, 4, 1, queue, queue, NULL);
    CHECK(requests != RIO_INVALID_RQ);
    CHECK(rio.RIOResizeRequestQueue(requests, 2, 6));
    CHECK(rio.RIOResizeRequestQueue(requests, 7, 1));
    CHECK_ERR(rio.RIOResizeRequestQueue(requests, 6, 3), WSAENOBUFS);
    CHECK_ERR(rio.RIOResizeRequestQueue(requests, 0xFFFFFFFF, 0xFFFFFFFF), WSAENOBUFS);
    CHECK_ERR(rio.RIOResizeCompletionQueue(queue, 7), WSAETOOMANYREFS);
    CHECK(rio.RIOResizeRequestQueue(requests, 1, 2)); /* five come free */
    CHECK_ERR(rio.RIOResizeCompletionQueue(queue, 2), WSAETOOMANYREFS);
    CHECK(rio.RIOResizeCompletionQueue(queue, 3));
    closesocket(s);
    CHECK(rio.RIOResizeCompletionQueue(queue, 1));
    s = rio_udp(&address);
    receives = rio.RIOCreateCompletionQueue(4, NULL);
    sends = rio.RIOCreateCompletionQueue(4, NULL);
    requests = rio.RIOCreateRequestQueue(s, 4, 1, 4, 1, receives, sends, NULL);
    CHECK(requests != RIO_INVALID_RQ);
    CHECK_ERR(rio.RIOResizeRequestQueue(requests, 2, 6), WSAENOBUFS); /* each has its own */
    CHECK_ERR(rio.RIOResizeCompletionQueue(receives, 3), WSAETOOMANYREFS);
    closesocket(s);
    rio.RIOCloseCompletionQueue(queue);
    rio.RIOCloseCompletionQueue(receives);
    rio.RIOCloseCompletionQueue(sends);
}

/* ---- streams ---- */

TEST(stream, "")
{
    static struct stream t;
    RIORESULT r[3];
    char got[16];
    RIO_OR_SKIP();
    REQUIRE(stream_open(&t));
    CHECK(receive(&t, 100, 10, 0, 1)); /* waits */
    CHECK(receive(&t, 200, 10, 0, 2));
    CHECK_EQ(rio.RIODequeueCompletion(t.results, r, 3), 0);
    CHECK(send_all(t.far_end, "0123456789abc", 13));
    REQUIRE(rio_take(t.results, r, 2));
    is_result(&r[0], &t, 1, 0, 10);
    is_result(&r[1], &t, 2, 0, 3);
    CHECK_MEM(t.memory + 100, "0123456789", 10);
    CHECK_MEM(t.memory + 200, "abc", 3);
    memcpy(t.memory + 5, "hello", 5);
    CHECK(send_part(&t, 5, 5, 0, 3));
    REQUIRE(rio_take(t.results, r, 1));
    is_result(&r[0], &t, 3, 0, 5);
    CHECK_EQ(recv(t.far_end, got, sizeof got, 0), 5);
    CHECK_MEM(got, "hello", 5);
    CHECK(send_all(t.far_end, "now", 3));
    CHECK(receive(&t, 0, MEMORY, 0, 4));
    REQUIRE(rio_take(t.results, r, 1));
    is_result(&r[0], &t, 4, 0, 3);
    CHECK(receive(&t, 0, MEMORY, 0, 5));
    shutdown(t.far_end, SD_SEND);
    REQUIRE(rio_take(t.results, r, 1));
    is_result(&r[0], &t, 5, 0, 0);
    stream_close(&t);
}

TEST(all_of_it, "")
{
    static struct stream t;
    RIORESULT r[2];
    RIO_OR_SKIP();
    REQUIRE(stream_open(&t));
    CHECK(receive(&t, 0, 6, RIO_MSG_WAITALL, 1));
    CHECK(receive(&t, 10, 6, RIO_MSG_WAITALL, 2));
    CHECK(send_all(t.far_end, "abc", 3));
    CHECK_EQ(rio.RIODequeueCompletion(t.results, r, 2), 0);
    CHECK(send_all(t.far_end, "defgh", 5));
    REQUIRE(rio_take(t.results, r, 1));
    is_result(&r[0], &t, 1, 0, 6);
    CHECK_MEM(t.memory, "abcdef", 6);
    shutdown(t.far_end, SD_SEND);
    REQUIRE(rio_take(t.results, r, 1));
    is_result(&r[0], &t, 2, 0, 2);
    stream_close(&t);
}

TEST(large_send, "")
{
    enum { LARGE = 8 << 20 };
    static struct stream t;
    char *memory, *got;
    RIO_BUF buf;
    RIORESULT r;
    int have = 0, n = 1;
    RIO_OR_SKIP();
    memory = malloc(LARGE);
    got = malloc(LARGE);
    REQUIRE(memory && got && stream_open(&t));
    for (int i = 0; i < LARGE; i++)
        memory[i] = (char)rnd(256);
    buf.BufferId = rio.RIORegisterBuffer(memory, LARGE);
    buf.Offset = 0;
    buf.Length = LARGE;
    CHECK(rio.RIOSend(t.requests, &buf, 1, 0, number(1)));
    CHECK_EQ(rio.RIODequeueCompletion(t.results, &r, 1), 0);
    while (have < LARGE && (n = recv(t.far_end, got + have, LARGE - have, 0)) > 0)
        have += n;
    CHECK_EQ(have, LARGE);
    CHECK_MEM(got, memory, LARGE);
    REQUIRE(rio_take(t.results, &r, 1));
    is_result(&r, &t, 1, 0, LARGE);
    rio.RIODeregisterBuffer(buf.BufferId);
    stream_close(&t);
    free(memory);
    free(got);
}

TEST(failures_are_results, "")
{
    struct stream t;
    RIORESULT r[2];
    RIO_OR_SKIP();
    memset(&t, 0, sizeof t);
    t.near_end = WSASocketA(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_REGISTERED_IO);
    t.far_end = socket(AF_INET, SOCK_STREAM, 0);
    t.results = rio.RIOCreateCompletionQueue(2, NULL);
    t.buffer = rio.RIORegisterBuffer(t.memory, sizeof t.memory);
    t.requests = rio.RIOCreateRequestQueue(t.near_end, 1, 1, 1, 1, t.results, t.results, &t);
    REQUIRE(t.requests != RIO_INVALID_RQ);
    CHECK(receive(&t, 0, 1, 0, 1));
    CHECK(send_part(&t, 0, 1, 0, 2));
    REQUIRE(rio_take(t.results, r, 2));
    is_result(&r[0], &t, 1, WSAENOTCONN, 0);
    is_result(&r[1], &t, 2, WSAENOTCONN, 0);
    stream_close(&t);
}

TEST(reset, "")
{
    static struct stream t;
    struct linger now = {1, 0};
    RIORESULT r;
    RIO_OR_SKIP();
    REQUIRE(stream_open(&t));
    CHECK(receive(&t, 0, 1, 0, 1));
    setsockopt(t.far_end, SOL_SOCKET, SO_LINGER, (char *)&now, sizeof now);
    closesocket(t.far_end);
    t.far_end = INVALID_SOCKET;
    REQUIRE(rio_take(t.results, &r, 1));
    is_result(&r, &t, 1, WSAECONNRESET, 0);
    stream_close(&t);
}

TEST(accepted_sockets, "")
{
    struct sockaddr_in address = loopback(0);
    int size = sizeof address;
    SOCKET listener, client, accepted;
    RIO_CQ queue;
    RIO_OR_SKIP();
    listener = WSASocketA(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_REGISTERED_IO);
    client = socket(AF_INET, SOCK_STREAM, 0);
    REQUIRE(bind(listener, (void *)&address, size) == 0 && listen(listener, 1) == 0);
    getsockname(listener, (void *)&address, &size);
    REQUIRE(connect(client, (void *)&address, size) == 0);
    accepted = accept(listener, NULL, NULL);
    queue = rio.RIOCreateCompletionQueue(2, NULL);
    CHECK(rio.RIOCreateRequestQueue(accepted, 1, 1, 1, 1, queue, queue, NULL) != RIO_INVALID_RQ);
    closesocket(accepted);
    closesocket(client);
    closesocket(listener);
    rio.RIOCloseCompletionQueue(queue);
}

/* ---- what is refused ---- */

TEST(limits, "")
{
    static struct stream t;
    RIORESULT r[RECEIVES];
    RIO_OR_SKIP();
    REQUIRE(stream_open(&t));
    for (int i = 0; i < RECEIVES; i++)
        CHECK(receive(&t, (ULONG)i, 1, 0, (uintptr_t)i));
    CHECK_ERR(receive(&t, 0, 1, 0, 9), WSAENOBUFS);
    CHECK_ERR(rio.RIOResizeRequestQueue(t.requests, RECEIVES - 1, SENDS), WSAETOOMANYREFS);
    CHECK(send_part(&t, 0, 1, 0, 8)); /* the other direction has room of its own */
    REQUIRE(rio_take(t.results, r, 1));
    is_result(&r[0], &t, 8, 0, 1);
    CHECK(send_all(t.far_end, "abcd", 4));
    /* A result counts until it is dequeued. */
    CHECK_ERR(receive(&t, 0, 1, 0, 9), WSAENOBUFS);
    REQUIRE(rio_take(t.results, r, 1));
    CHECK(receive(&t, 0, 1, 0, 10));
    CHECK_ERR(receive(&t, 0, 1, 0, 9), WSAENOBUFS);
    CHECK_ERR(rio.RIOResizeRequestQueue(t.requests, RECEIVES + 1, SENDS), WSAENOBUFS);
    CHECK(rio.RIOResizeCompletionQueue(t.results, RECEIVES + SENDS + 1));
    CHECK(rio.RIOResizeRequestQueue(t.requests, RECEIVES + 1, SENDS));
    CHECK(receive(&t, 0, 1, 0, 11));
    CHECK_ERR(receive(&t, 0, 1, 0, 9), WSAENOBUFS);
    stream_close(&t);
}

TEST(bad_arguments, "")
{
    static struct stream t;
    RIO_BUF buf;
    RIORESULT r;
    RIO_OR_SKIP();
    REQUIRE(stream_open(&t));
    CHECK_ERR(receive(&t, MEMORY, 1, 0, 0), WSAEINVAL);
    CHECK_ERR(receive(&t, 0, MEMORY + 1, 0, 0), WSAEINVAL);
    CHECK_ERR(receive(&t, MEMORY - 1, 2, 0, 0), WSAEINVAL);
    CHECK_ERR(receive(&t, 1, 0xFFFFFFFF, 0, 0), WSAEINVAL);
    CHECK_ERR(receive(&t, 0, 1, 0x80, 0), WSAEINVAL);
    CHECK_ERR(send_part(&t, 0, 1, RIO_MSG_WAITALL, 0), WSAEINVAL);
    buf = slice(&t, 0, 1);
    CHECK_ERR(rio.RIOReceive(t.requests, &buf, 2, 0, NULL), WSAEINVAL);
    CHECK_ERR(rio.RIOReceive(t.requests, &buf, 0, 0, NULL), WSAEINVAL);
    CHECK_ERR(rio.RIOReceive(t.requests, NULL, 1, 0, NULL), WSAEINVAL);
    CHECK_ERR(rio.RIOReceive(t.requests, NULL, 0, 0, NULL), WSAEINVAL); /* a stream has no empty messages */
    CHECK_ERR(rio.RIOReceive(RIO_INVALID_RQ, &buf, 1, 0, NULL), WSAEINVAL);
    CHECK_ERR(rio.RIOSend(RIO_INVALID_RQ, &buf, 1, 0, NULL), WSAEINVAL);
    CHECK_ERR(rio.RIOSendEx(t.requests, &buf, 1, &buf, NULL, NULL, NULL, 0, NULL), WSAEINVAL);
    CHECK_ERR(rio.RIOReceive(t.requests, &buf, 1, RIO_MSG_COMMIT_ONLY, NULL), WSAEINVAL);
    CHECK_ERR(rio.RIOSend(t.requests, NULL, 0, RIO_MSG_COMMIT_ONLY | RIO_MSG_DEFER, NULL), WSAEINVAL);
    CHECK_ERR(rio.RIOSend(t.requests, NULL, 0, RIO_MSG_COMMIT_ONLY, &buf), WSAEINVAL);
    CHECK_ERR(CloseHandle((HANDLE)t.results), ERROR_INVALID_HANDLE);
    CHECK_ERR(CloseHandle((HANDLE)t.requests), ERROR_INVALID_HANDLE);
    rio.RIODeregisterBuffer(t.buffer);
    CHECK_ERR(receive(&t, 0, 1, 0, 0), WSAEFAULT);
    CHECK_ERR(send_part(&t, 0, 1, 0, 0), WSAEFAULT);
    CHECK_EQ(rio.RIODequeueCompletion(t.results, &r, 1), 0); /* nothing of all that */
    stream_close(&t);
}

/* ---- notifications ---- */

struct notified {
    HANDLE port, event;
    OVERLAPPED ov;
    RIO_NOTIFICATION_COMPLETION how;
};

static void by_port(struct notified *n)
{
    memset(n, 0, sizeof *n);
    n->port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    n->how.Type = RIO_IOCP_COMPLETION;
    n->how.Iocp.IocpHandle = n->port;
    n->how.Iocp.CompletionKey = number(77);
    n->how.Iocp.Overlapped = &n->ov;
}

/* One packet within `ms`, as it has to be. */
static int got_packet(struct notified *n, DWORD ms)
{
    DWORD bytes = 1;
    ULONG_PTR key = 0;
    OVERLAPPED *ov = NULL;
    if (!GetQueuedCompletionStatus(n->port, &bytes, &key, &ov, ms))
        return CHECK(ov == NULL) && 0;
    CHECK_EQ(key, 77);
    CHECK(ov == &n->ov);
    CHECK_EQ(bytes, 0);
    return 1;
}

TEST(notify_port, "")
{
    static struct stream t;
    static struct notified n;
    RIORESULT r[2];
    RIO_OR_SKIP();
    by_port(&n);
    REQUIRE(stream_open_with(&t, &n.how));
    CHECK(receive(&t, 0, 1, 0, 1));
    CHECK(receive(&t, 1, 1, 0, 2));
    CHECK_EQ(rio.RIONotify(t.results), 0);
    CHECK_EQ(rio.RIONotify(t.results), WSAEALREADY);
    CHECK(!got_packet(&n, 0));
    CHECK(send_all(t.far_end, "a", 1));
    CHECK(got_packet(&n, 10000)); /* this thread is all that does the receive */
    REQUIRE(rio_take(t.results, r, 1));
    CHECK(send_all(t.far_end, "b", 1)); /* not asked again: no packet */
    CHECK(!got_packet(&n, 30));
    CHECK_EQ(rio.RIONotify(t.results), 0); /* at once or soon: the result lies there, or is on its way */
    CHECK(got_packet(&n, 10000));
    REQUIRE(rio_take(t.results, r, 1));
    CHECK_EQ(rio.RIONotify(t.results), 0);
    CHECK(send_part(&t, 0, 1, 0, 3));
    CHECK(got_packet(&n, 10000));
    CHECK(!got_packet(&n, 0));
    stream_close(&t);
    CloseHandle(n.port);
}

TEST(notify_event, "")
{
    static struct stream t;
    RIO_NOTIFICATION_COMPLETION how;
    RIORESULT r[2];
    RIO_OR_SKIP();
    for (int reset = 0; reset < 2; reset++) {
        memset(&how, 0, sizeof how);
        how.Type = RIO_EVENT_COMPLETION;
        how.Event.EventHandle = manual_event();
        how.Event.NotifyReset = reset;
        REQUIRE(stream_open_with(&t, &how));
        CHECK(receive(&t, 0, 1, 0, 1));
        CHECK(receive(&t, 0, 1, 0, 2));
        CHECK_EQ(rio.RIONotify(t.results), 0);
        CHECK_EQ(WaitForSingleObject(how.Event.EventHandle, 0), WAIT_TIMEOUT);
        CHECK(send_all(t.far_end, "a", 1));
        CHECK_EQ(WaitForSingleObject(how.Event.EventHandle, 10000), WAIT_OBJECT_0);
        REQUIRE(rio_take(t.results, r, 1));
        CHECK_EQ(rio.RIONotify(t.results), 0);
        CHECK_EQ(WaitForSingleObject(how.Event.EventHandle, 0), reset ? WAIT_TIMEOUT : WAIT_OBJECT_0);
        ResetEvent(how.Event.EventHandle);
        CHECK_EQ(rio.RIONotify(t.results), WSAEALREADY);
        CHECK(send_all(t.far_end, "b", 1));
        CHECK_EQ(WaitForSingleObject(how.Event.EventHandle, 10000), WAIT_OBJECT_0);
        CHECK_EQ(rio.RIONotify(t.results), 0); /* it lies there still */
        CHECK_EQ(WaitForSingleObject(how.Event.EventHandle, 10000), WAIT_OBJECT_0);
        stream_close(&t);
        CloseHandle(how.Event.EventHandle);
    }
}

TEST(quiet_results, "")
{
    static struct stream t;
    static struct notified n;
    RIORESULT r[3];
    RIO_OR_SKIP();
    by_port(&n);
    REQUIRE(stream_open_with(&t, &n.how));
    CHECK_EQ(rio.RIONotify(t.results), 0);
    CHECK(send_part(&t, 0, 1, RIO_MSG_DONT_NOTIFY, 1));
    CHECK(send_part(&t, 0, 1, RIO_MSG_DONT_NOTIFY, 2));
    CHECK(!got_packet(&n, 30));
    REQUIRE(rio_take(t.results, r, 1)); /* it lies there all the same */
    is_result(&r[0], &t, 1, 0, 1);
    CHECK(send_part(&t, 0, 1, 0, 3));
    CHECK(got_packet(&n, 10000));
    REQUIRE(rio_take(t.results, r, 2));
    is_result(&r[0], &t, 2, 0, 1);
    is_result(&r[1], &t, 3, 0, 1);
    CHECK(send_part(&t, 0, 1, RIO_MSG_DONT_NOTIFY, 4));
    CHECK(WITHIN(10000, recv(t.far_end, t.memory + 100, 10, 0) > 0));
    CHECK_EQ(rio.RIONotify(t.results), 0); /* as good as empty */
    CHECK(!got_packet(&n, 30));
    stream_close(&t);
    CloseHandle(n.port);
}

TEST(notify_outlives_nothing, "")
{
    static struct stream t;
    static struct notified n;
    RIO_OR_SKIP();
    by_port(&n);
    REQUIRE(stream_open_with(&t, &n.how));
    CHECK(receive(&t, 0, 1, 0, 1));
    CHECK_EQ(rio.RIONotify(t.results), 0);
    rio.RIOCloseCompletionQueue(t.results);
    CHECK_EQ(rio.RIONotify(t.results), WSAEINVAL);
    CHECK_ERR(receive(&t, 0, 1, 0, 2), WSAEINVAL);
    CHECK(send_all(t.far_end, "a", 1)); /* its result is dropped */
    CHECK(!got_packet(&n, 30));
    stream_close(&t);
    CHECK(!got_packet(&n, 0));
    CloseHandle(n.port);
}

/* ---- deferred requests ---- */

TEST(deferred_sends, "")
{
    static struct stream t;
    RIORESULT r[SENDS];
    char got[16];
    RIO_OR_SKIP();
    REQUIRE(stream_open(&t));
    memcpy(t.memory, "abcdef", 6);
    CHECK(send_part(&t, 0, 1, RIO_MSG_DEFER, 1));
    CHECK(send_part(&t, 1, 1, RIO_MSG_DEFER, 2));
    CHECK(send_part(&t, 2, 1, 0, 3)); /* takes the others along, in front */
    REQUIRE(rio_take(t.results, r, 3));
    for (int i = 0; i < 3; i++)
        is_result(&r[i], &t, (uintptr_t)i + 1, 0, 1);
    CHECK(send_part(&t, 3, 1, RIO_MSG_DEFER, 4));
    CHECK(send_part(&t, 4, 2, RIO_MSG_DEFER, 5));
    CHECK(rio.RIOSend(t.requests, NULL, 0, RIO_MSG_COMMIT_ONLY, NULL));
    REQUIRE(rio_take(t.results, r, 2));
    is_result(&r[0], &t, 4, 0, 1);
    is_result(&r[1], &t, 5, 0, 2);
    for (int have = 0, n; have < 6; have += n)
        if ((n = recv(t.far_end, got + have, 6 - have, 0)) <= 0)
            REQUIRE(n > 0);
    CHECK_MEM(got, "abcdef", 6);
    CHECK(rio.RIOSend(t.requests, NULL, 0, RIO_MSG_COMMIT_ONLY, NULL)); /* there is nothing */
    CHECK(rio.RIOReceive(t.requests, NULL, 0, RIO_MSG_COMMIT_ONLY, NULL));
    stream_close(&t);
}

TEST(deferred_receives, "")
{
    static struct stream t;
    RIORESULT r[RECEIVES];
    RIO_OR_SKIP();
    REQUIRE(stream_open(&t));
    CHECK(send_all(t.far_end, "abcd", 4));
    for (int i = 0; i < RECEIVES; i++) /* they count */
        CHECK(receive(&t, (ULONG)i, 1, RIO_MSG_DEFER, (uintptr_t)i));
    CHECK_ERR(receive(&t, 0, 1, RIO_MSG_DEFER, 9), WSAENOBUFS);
    CHECK(rio.RIOReceiveEx(t.requests, NULL, 0, NULL, NULL, NULL, NULL, RIO_MSG_COMMIT_ONLY, NULL));
    REQUIRE(rio_take(t.results, r, RECEIVES));
    for (int i = 0; i < RECEIVES; i++)
        is_result(&r[i], &t, (uintptr_t)i, 0, 1);
    CHECK_MEM(t.memory, "abcd", 4);
    stream_close(&t);
}

static volatile LONG commits_end;

THREAD_FN(commit_all_the_time)
{
    struct stream *t = arg;
    while (!LOOK(commits_end))
        CHECK(rio.RIOSend(t->requests, NULL, 0, RIO_MSG_COMMIT_ONLY, NULL));
    return 0;
}

/* The only calls that need no turns. What is sent keeps its order, whoever commits it. */
TEST(commits_of_another_thread, "")
{
    enum { BYTES = 2000 };
    static struct stream t;
    static char got[BYTES];
    RIORESULT r[SENDS];
    ULONG sent = 0, done = 0;
    HANDLE thread;
    RIO_OR_SKIP();
    REQUIRE(stream_open(&t));
    for (int i = 0; i < BYTES; i++)
        t.memory[i] = (char)(i % 251);
    InterlockedExchange(&commits_end, 0);
    thread = start_thread(commit_all_the_time, &t);
    while (done < BYTES) {
        while (sent < BYTES && sent - done < SENDS) {
            if (!CHECK(send_part(&t, sent, 1, rnd(3) ? RIO_MSG_DEFER : 0, sent)))
                break;
            sent++;
        }
        ULONG n = rio.RIODequeueCompletion(t.results, r, SENDS);
        for (ULONG i = 0; i < n && i < SENDS; i++)
            is_result(&r[i], &t, done + i, 0, 1);
        done += n;
    }
    InterlockedExchange(&commits_end, 1);
    JOIN(thread);
    for (int have = 0, n; have < BYTES; have += n)
        if ((n = recv(t.far_end, got + have, BYTES - have, 0)) <= 0)
            REQUIRE(n > 0);
    CHECK_MEM(got, t.memory, BYTES);
    stream_close(&t);
}

/* ---- ends ---- */

TEST(close_ends_all, "")
{
    static struct stream t;
    RIORESULT r[RECEIVES + SENDS];
    int seen[4] = {0};
    RIO_OR_SKIP();
    REQUIRE(stream_open(&t));
    CHECK(receive(&t, 0, 1, 0, 0));
    CHECK(receive(&t, 1, 1, 0, 1));
    CHECK(receive(&t, 2, 1, RIO_MSG_DEFER, 2));
    CHECK(send_part(&t, 2, 1, RIO_MSG_DEFER, 3));
    closesocket(t.near_end);
    t.near_end = INVALID_SOCKET;
    REQUIRE(rio_take(t.results, r, 4));
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(r[i].Status, WSA_OPERATION_ABORTED);
        CHECK_EQ(r[i].SocketContext, (uintptr_t)&t);
        if (CHECK(r[i].RequestContext < 4))
            seen[r[i].RequestContext]++;
    }
    for (int i = 0; i < 4; i++)
        CHECK_EQ(seen[i], 1);
    CHECK_EQ(rio.RIODequeueCompletion(t.results, r, 8), 0);
    CHECK_ERR(receive(&t, 0, 1, 0, 0), WSAEINVAL);
    CHECK_ERR(rio.RIOSend(t.requests, NULL, 0, RIO_MSG_COMMIT_ONLY, NULL), WSAEINVAL);
    CHECK(rio.RIOResizeCompletionQueue(t.results, 1)); /* all its room has been given back */
    stream_close(&t);
}

TEST(results_of_a_closed_socket, "")
{
    static struct stream t;
    RIORESULT r[2];
    RIO_OR_SKIP();
    REQUIRE(stream_open(&t));
    CHECK(send_part(&t, 0, 5, 0, 1));
    CHECK(send_part(&t, 0, 6, 0, 2));
    CHECK(WITHIN(10000, recv(t.far_end, t.memory + 100, 20, MSG_PEEK) == 11));
    closesocket(t.near_end);
    t.near_end = INVALID_SOCKET;
    CHECK_ERR(rio.RIOResizeCompletionQueue(t.results, 1), WSAETOOMANYREFS);
    CHECK(rio.RIOResizeCompletionQueue(t.results, 2));
    REQUIRE(rio_take(t.results, r, 1));
    is_result(&r[0], &t, 1, 0, 5);
    CHECK(rio.RIOResizeCompletionQueue(t.results, 1));
    REQUIRE(rio_take(t.results, r, 1));
    is_result(&r[0], &t, 2, 0, 6);
    stream_close(&t);
}

THREAD_FN(receive_and_end)
{
    CHECK(receive(arg, 0, 1, 0, 1));
    return 0;
}

TEST(threads_end_and_requests_stay, "")
{
    static struct stream t;
    RIORESULT r;
    HANDLE thread;
    RIO_OR_SKIP();
    REQUIRE(stream_open(&t));
    thread = start_thread(receive_and_end, &t);
    JOIN(thread);
    CHECK_EQ(rio.RIODequeueCompletion(t.results, &r, 1), 0);
    CHECK(send_all(t.far_end, "a", 1));
    REQUIRE(rio_take(t.results, &r, 1));
    is_result(&r, &t, 1, 0, 1);
    stream_close(&t);
}

/* Other calls on such a socket go on as usual, in the same order of calls. */
TEST(beside_other_calls, "")
{
    static struct stream t;
    HANDLE port;
    OVERLAPPED ov = {0}, *got = NULL;
    char data[2];
    ULONG_PTR key = 0;
    DWORD bytes = 0;
    RIORESULT r[2];
    RIO_OR_SKIP();
    REQUIRE(stream_open(&t));
    port = CreateIoCompletionPort((HANDLE)t.near_end, NULL, 5, 1);
    CHECK(port != NULL);
    CHECK(receive(&t, 0, 2, 0, 1));
    CHECK_EQ(start_recv(t.near_end, data, 2, &ov), WSA_IO_PENDING);
    CHECK(receive(&t, 2, 2, 0, 2));
    CHECK(send_all(t.far_end, "aabbcc", 6));
    CHECK(GetQueuedCompletionStatus(port, &bytes, &key, &got, 10000));
    CHECK(got == &ov && key == 5 && bytes == 2);
    CHECK_MEM(data, "bb", 2);
    REQUIRE(rio_take(t.results, r, 2));
    CHECK_MEM(t.memory, "aacc", 4);
    CHECK(!GetQueuedCompletionStatus(port, &bytes, &key, &got, 0)); /* results are no packets */
    stream_close(&t);
    CloseHandle(port);
}

/* ---- datagrams ---- */

#ifdef __linux__
#define ADDRESS_OF(PLACE) (*(struct sockaddr_in *)(void *)(PLACE))
#else
#define ADDRESS_OF(PLACE) (*(struct sockaddr_in *)(PLACE))
#endif

enum { LOCAL = 1000, REMOTE = 1100, CONTROL = 1200, FLAGS = 1500, ROOM = 28 };

struct datagrams {
    struct stream t; /* near_end and its queues; far_end is the peer */
    struct sockaddr_in near_address, far_address;
};

static int datagrams_open(struct datagrams *d)
{
    int size = sizeof d->far_address;
    memset(d, 0, sizeof *d);
    d->t.near_end = rio_udp(&d->near_address);
    d->t.far_end = socket(AF_INET, SOCK_DGRAM, 0);
    d->far_address = loopback(0);
    d->t.results = rio.RIOCreateCompletionQueue(RECEIVES + SENDS, NULL);
    d->t.buffer = rio.RIORegisterBuffer(d->t.memory, sizeof d->t.memory);
    d->t.requests =
        rio.RIOCreateRequestQueue(d->t.near_end, RECEIVES, 1, SENDS, 1, d->t.results, d->t.results, &d->t);
    return CHECK_EQ(bind(d->t.far_end, (void *)&d->far_address, size), 0) &&
           CHECK_EQ(getsockname(d->t.far_end, (void *)&d->far_address, &size), 0) &&
           CHECK(d->t.requests != RIO_INVALID_RQ);
}

static int from_far(struct datagrams *d, const char *data, int size)
{
    return sendto(d->t.far_end, data, size, 0, (void *)&d->near_address, sizeof d->near_address) == size;
}

TEST(datagrams, "")
{
    static struct datagrams d;
    RIO_BUF data, local, remote, control, flags;
    RIORESULT r;
    char got[16];
    ULONG out = 7;
    RIO_OR_SKIP();
    REQUIRE(datagrams_open(&d));
    data = slice(&d.t, 0, 10);
    local = slice(&d.t, LOCAL, ROOM);
    remote = slice(&d.t, REMOTE, ROOM);
    control = slice(&d.t, CONTROL, 200);
    flags = slice(&d.t, FLAGS, 4);
    memcpy(d.t.memory + FLAGS, &out, 4);
    CHECK(rio.RIOReceiveEx(d.t.requests, &data, 1, &local, &remote, &control, &flags, 0, number(1)));
    CHECK(from_far(&d, "hello", 5));
    REQUIRE(rio_take(d.t.results, &r, 1));
    is_result(&r, &d.t, 1, 0, 5);
    CHECK_MEM(d.t.memory, "hello", 5);
    CHECK_EQ(ADDRESS_OF(d.t.memory + REMOTE).sin_port, d.far_address.sin_port);
    CHECK_EQ(ADDRESS_OF(d.t.memory + REMOTE).sin_addr.s_addr, d.far_address.sin_addr.s_addr);
    CHECK_EQ(ADDRESS_OF(d.t.memory + LOCAL).sin_port, d.near_address.sin_port);
    CHECK_EQ(ADDRESS_OF(d.t.memory + LOCAL).sin_addr.s_addr, d.near_address.sin_addr.s_addr);
    memcpy(&out, d.t.memory + FLAGS, 4);
    CHECK_EQ(out, 0);
    memcpy(d.t.memory, "back", 4); /* to where it came from */
    data.Length = 4;
    CHECK(rio.RIOSendEx(d.t.requests, &data, 1, NULL, &remote, NULL, NULL, 0, number(2)));
    REQUIRE(rio_take(d.t.results, &r, 1));
    is_result(&r, &d.t, 2, 0, 4);
    CHECK_EQ(recv(d.t.far_end, got, sizeof got, 0), 4);
    CHECK_MEM(got, "back", 4);
    stream_close(&d.t);
}

TEST(datagram_details, "")
{
    static struct datagrams d;
    RIO_BUF data, remote, flags;
    RIORESULT r;
    char got[16];
    RIO_OR_SKIP();
    REQUIRE(datagrams_open(&d));
    data = slice(&d.t, 0, 3);
    CHECK_ERR(rio.RIOReceive(d.t.requests, &data, 1, RIO_MSG_WAITALL, NULL), WSAEINVAL);
    remote = slice(&d.t, REMOTE, ROOM - 1); /* too small */
    CHECK_ERR(rio.RIOReceiveEx(d.t.requests, &data, 1, NULL, &remote, NULL, NULL, 0, NULL), WSAEINVAL);
    CHECK(rio.RIOReceive(d.t.requests, &data, 1, 0, number(1)));
    CHECK(from_far(&d, "hello", 5));
    REQUIRE(rio_take(d.t.results, &r, 1));
    is_result(&r, &d.t, 1, WSAEMSGSIZE, 3); /* cut */
    for (int with = 0; with < 2; with++) { /* whatever else is asked for */
        ULONG out = 0;
        remote.Length = ROOM;
        flags = slice(&d.t, FLAGS, 4);
        CHECK(rio.RIOReceiveEx(d.t.requests, &data, 1, NULL, with ? &remote : NULL, NULL, &flags, 0,
                               number(1)));
        CHECK(from_far(&d, "hello", 5));
        REQUIRE(rio_take(d.t.results, &r, 1));
        is_result(&r, &d.t, 1, WSAEMSGSIZE, 3);
        memcpy(&out, d.t.memory + FLAGS, 4);
        CHECK_EQ(out, MSG_TRUNC);
    }
    CHECK(rio.RIOReceive(d.t.requests, NULL, 0, 0, number(2)));
    CHECK(from_far(&d, "", 0));
    REQUIRE(rio_take(d.t.results, &r, 1));
    is_result(&r, &d.t, 2, 0, 0);
    CHECK(rio.RIOReceiveEx(d.t.requests, NULL, 0, NULL, &remote, NULL, NULL, 0, number(2)));
    CHECK(from_far(&d, "hello", 5)); /* whose data the program "does not need to receive" */
    REQUIRE(rio_take(d.t.results, &r, 1));
    is_result(&r, &d.t, 2, 0, 0);
    CHECK_EQ(ADDRESS_OF(d.t.memory + REMOTE).sin_port, d.far_address.sin_port);
    data.Length = 0; /* room for nothing is another thing */
    CHECK(rio.RIOReceive(d.t.requests, &data, 1, 0, number(2)));
    CHECK(from_far(&d, "hello", 5));
    REQUIRE(rio_take(d.t.results, &r, 1));
    is_result(&r, &d.t, 2, WSAEMSGSIZE, 0);
    data.Length = 3;
    remote.Length = ROOM;
    memcpy(d.t.memory + REMOTE, &d.far_address, sizeof d.far_address);
    CHECK(rio.RIOSendEx(d.t.requests, NULL, 0, NULL, &remote, NULL, NULL, 0, number(3)));
    REQUIRE(rio_take(d.t.results, &r, 1));
    is_result(&r, &d.t, 3, 0, 0);
    CHECK_EQ(recv(d.t.far_end, got, sizeof got, 0), 0);
    connect(d.t.near_end, (void *)&d.far_address, sizeof d.far_address);
    CHECK(rio.RIOSend(d.t.requests, &data, 1, 0, number(4)));
    REQUIRE(rio_take(d.t.results, &r, 1));
    is_result(&r, &d.t, 4, 0, 3);
    CHECK_EQ(recv(d.t.far_end, got, sizeof got, 0), 3);
    stream_close(&d.t);
}

TEST(control_beyond_its_slice, "")
{
    static struct datagrams d;
    ULONG total[] = {41, 0xFFFFFFFF, 40, 8, 0}; /* of the last two there is no control data */
    WSACMSGHDR head;
    char got[8];
    RIO_BUF data, remote, control;
    u_long waiting = 0;
    RIORESULT r;
    RIO_OR_SKIP();
    REQUIRE(datagrams_open(&d));
    data = slice(&d.t, 0, 4);
    remote = slice(&d.t, REMOTE, ROOM);
    control = slice(&d.t, CONTROL, 40);
    memcpy(d.t.memory + REMOTE, &d.far_address, sizeof d.far_address);
    memset(&head, 0, sizeof head); /* shorter than itself */
    memcpy(d.t.memory + CONTROL + 8, &head, sizeof head);
    for (int i = 0; i < 5; i++) {
        memcpy(d.t.memory + CONTROL, &total[i], sizeof total[i]);
        CHECK(rio.RIOSendEx(d.t.requests, &data, 1, NULL, &remote, &control, NULL, 0, number(1)));
        REQUIRE(rio_take(d.t.results, &r, 1));
        is_result(&r, &d.t, 1, i < 3 ? WSAEINVAL : 0, i < 3 ? 0 : 4);
        CHECK_EQ(ioctlsocket(d.t.far_end, FIONREAD, &waiting), 0);
        CHECK_EQ(waiting, i < 3 ? 0 : 4);
        if (waiting > 0)
            CHECK_EQ(recv(d.t.far_end, got, sizeof got, 0), 4);
    }
    stream_close(&d.t);
}

/* What would reach the peer by the kernel, but is no address of the socket's family. */
TEST(destination_of_another_family, "")
{
    static struct datagrams d;
    struct sockaddr_in6 own;
    DWORD off = 0;
    int size = sizeof own;
    RIO_BUF data, remote;
    RIORESULT r;
    RIO_OR_SKIP();
    REQUIRE(datagrams_open(&d));
    closesocket(d.t.near_end);
    d.t.near_end = WSASocketA(AF_INET6, SOCK_DGRAM, IPPROTO_UDP, NULL, 0, WSA_FLAG_REGISTERED_IO);
    CHECK_EQ(setsockopt(d.t.near_end, IPPROTO_IPV6, IPV6_V6ONLY, (char *)&off, sizeof off), 0);
    memset(&own, 0, sizeof own);
    own.sin6_family = AF_INET6;
    CHECK_EQ(bind(d.t.near_end, (void *)&own, size), 0);
    d.t.requests =
        rio.RIOCreateRequestQueue(d.t.near_end, RECEIVES, 1, SENDS, 1, d.t.results, d.t.results, &d.t);
    REQUIRE(d.t.requests != RIO_INVALID_RQ);
    data = slice(&d.t, 0, 4);
    remote = slice(&d.t, REMOTE, ROOM);
    memcpy(d.t.memory + REMOTE, &d.far_address, sizeof d.far_address);
    CHECK(rio.RIOSendEx(d.t.requests, &data, 1, NULL, &remote, NULL, NULL, 0, number(1)));
    REQUIRE(rio_take(d.t.results, &r, 1));
    is_result(&r, &d.t, 1, WSAEFAULT, 0);
    own.sin6_port = d.far_address.sin_port; /* as one of its family */
    own.sin6_addr.s6_addr[10] = own.sin6_addr.s6_addr[11] = 0xFF;
    memcpy(&own.sin6_addr.s6_addr[12], &d.far_address.sin_addr, 4);
    memcpy(d.t.memory + REMOTE, &own, sizeof own);
    CHECK(rio.RIOSendEx(d.t.requests, &data, 1, NULL, &remote, NULL, NULL, 0, number(2)));
    REQUIRE(rio_take(d.t.results, &r, 1));
    is_result(&r, &d.t, 2, 0, 4);
    stream_close(&d.t);
}

/* Of a socket that takes what comes to any address; in memory that is aligned to nothing. */
TEST(arrival_and_control, "")
{
    enum { ODD = 1, HEAD = 8 };
    static struct datagrams d;
    struct sockaddr_in any = loopback(0), where;
    int size = sizeof any;
    DWORD on = 1;
    ULONG total;
    RIO_BUF data, local, remote, control;
    WSACMSGHDR head;
    RIORESULT r;
    char got[8];
    RIO_OR_SKIP();
    REQUIRE(datagrams_open(&d));
    closesocket(d.t.near_end);
    d.t.near_end = WSASocketA(AF_INET, SOCK_DGRAM, IPPROTO_UDP, NULL, 0, WSA_FLAG_REGISTERED_IO);
    any.sin_addr.s_addr = htonl(INADDR_ANY);
    CHECK_EQ(bind(d.t.near_end, (void *)&any, size), 0);
    CHECK_EQ(getsockname(d.t.near_end, (void *)&any, &size), 0);
    d.near_address.sin_port = any.sin_port;
    CHECK_EQ(setsockopt(d.t.near_end, IPPROTO_IP, IP_PKTINFO, (char *)&on, sizeof on), 0);
    d.t.requests =
        rio.RIOCreateRequestQueue(d.t.near_end, RECEIVES, 1, SENDS, 1, d.t.results, d.t.results, &d.t);
    REQUIRE(d.t.requests != RIO_INVALID_RQ);
    data = slice(&d.t, 0, 10);
    local = slice(&d.t, LOCAL + ODD, ROOM);
    remote = slice(&d.t, REMOTE + ODD, ROOM);
    control = slice(&d.t, CONTROL + ODD, 100);
    for (int with = 0; with < 2; with++) {
        memset(d.t.memory + LOCAL, 0, ROOM + ODD);
        CHECK(rio.RIOReceiveEx(d.t.requests, &data, 1, &local, &remote, with ? &control : NULL, NULL, 0,
                               number(1)));
        CHECK(from_far(&d, "hello", 5));
        REQUIRE(rio_take(d.t.results, &r, 1));
        is_result(&r, &d.t, 1, 0, 5);
        memcpy(&where, d.t.memory + LOCAL + ODD, sizeof where);
        CHECK_EQ(where.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
        CHECK_EQ(where.sin_port, any.sin_port);
    }
    memcpy(&total, d.t.memory + CONTROL + ODD, sizeof total);
    memcpy(&head, d.t.memory + CONTROL + ODD + HEAD, sizeof head);
    CHECK(total >= HEAD + sizeof head && total <= 100);
    CHECK_EQ(head.cmsg_level, IPPROTO_IP);
    CHECK_EQ(head.cmsg_type, IP_PKTINFO);
    /* Back by the same way: from the address that it came to. */
    CHECK(rio.RIOSendEx(d.t.requests, &data, 1, NULL, &remote, &control, NULL, 0, number(2)));
    REQUIRE(rio_take(d.t.results, &r, 1));
    is_result(&r, &d.t, 2, 0, 10);
    size = sizeof where;
    CHECK_EQ(recvfrom(d.t.far_end, got, sizeof got, 0, (void *)&where, &size) > 0 ||
             WSAGetLastError() == WSAEMSGSIZE, 1);
    CHECK_EQ(where.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    CHECK_EQ(where.sin_port, any.sin_port);
    stream_close(&d.t);
}

/* The request queue may be there before the connection is. */
TEST(accept_ex, "")
{
    static struct stream t;
    struct sockaddr_in address = loopback(0);
    int size = sizeof address;
    enum { ROOM_EACH = sizeof address + 16 };
    char addresses[2 * ROOM_EACH];
    OVERLAPPED ov = {0};
    DWORD bytes = 0, flags = 0;
    SOCKET listener;
    RIORESULT r[2];
    char got[4];
    RIO_OR_SKIP();
    memset(&t, 0, sizeof t);
    listener = tcp_listener(&address);
    t.near_end =
        WSASocketA(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_REGISTERED_IO | WSA_FLAG_OVERLAPPED);
    t.far_end = socket(AF_INET, SOCK_STREAM, 0);
    t.results = rio.RIOCreateCompletionQueue(RECEIVES + SENDS, NULL);
    t.buffer = rio.RIORegisterBuffer(t.memory, sizeof t.memory);
    t.requests = rio.RIOCreateRequestQueue(t.near_end, RECEIVES, 1, SENDS, 1, t.results, t.results, &t);
    REQUIRE(t.requests != RIO_INVALID_RQ);
    ov.hEvent = manual_event();
    CHECK(!AcceptEx(listener, t.near_end, addresses, 0, ROOM_EACH, ROOM_EACH, &bytes, &ov));
    CHECK_EQ(WSAGetLastError(), WSA_IO_PENDING);
    CHECK_EQ(connect(t.far_end, (void *)&address, size), 0);
    CHECK(WSAGetOverlappedResult(listener, &ov, &bytes, TRUE, &flags));
    setsockopt(t.near_end, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, (char *)&listener, sizeof listener);
    CHECK(receive(&t, 0, 2, 0, 1));
    CHECK(send_all(t.far_end, "ab", 2));
    REQUIRE(rio_take(t.results, r, 1));
    is_result(&r[0], &t, 1, 0, 2);
    CHECK(send_part(&t, 0, 2, 0, 2));
    REQUIRE(rio_take(t.results, r, 1));
    is_result(&r[0], &t, 2, 0, 2);
    CHECK_EQ(recv(t.far_end, got, sizeof got, 0), 2);
    CHECK_MEM(got, "ab", 2);
    closesocket(listener);
    CloseHandle(ov.hEvent);
    stream_close(&t);
}
