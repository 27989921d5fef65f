/* SPDX-License-Identifier: MIT */
/*
 * Registered I/O: its table, buffers and queues, streams, limits and closing. By Microsoft's pages; Wine 8
 * has none of it and skips all, here and in the other rio*.c.
 */
#include "rio.h"

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
