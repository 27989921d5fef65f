/* SPDX-License-Identifier: MIT */
/*
 * Overlapped sends and receives of sockets: when they pend, what they touch and when, in which order they
 * are done, how they end, and how the end is told by event, port, routine and result call. Streams
 * first, then datagrams and messages.
 */
#include "conform.h"
#include "net.h"

THREAD_FN(read_to_end)
{
    read_all(arg);
    return 0;
}

/* ---- when it pends, and what the call touches ---- */

TEST(pends_whatever_the_mode, "SOCK-04 OVL-01 OVL-02")
{
    enum { BIG = 16 << 20 };
    SOCKET pair[2];
    char got[16];
    char *big = malloc(BIG);
    DWORD bytes = 0, flags = 0;
    REQUIRE(big != NULL);
    fill(big, BIG, 0);
    for (int mode = 0; mode < 2; mode++) {
        REQUIRE(tcp_pair(pair));
        set_nonblocking(pair[0], mode);
        OVERLAPPED ov = with_event(), send_ov = with_event();
        CHECK_EQ(start_recv(pair[0], got, sizeof got, &ov), WSA_IO_PENDING);
        CHECK_EQ(ov.Internal, STATUS_PENDING);
        CHECK_EQ(WaitForSingleObject(ov.hEvent, 30), WAIT_TIMEOUT);
        CHECK_EQ(send(pair[1], "data", 4, 0), 4);
        CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
        CHECK(WSAGetOverlappedResult(pair[0], &ov, &bytes, FALSE, &flags));
        CHECK_EQ(bytes, 4);
        CHECK_MEM(got, "data", 4);

        /* More than any buffer takes while nobody reads: still no waiting, and in the end all of it. */
        CHECK_EQ(start_send(pair[0], big, BIG, &send_ov), WSA_IO_PENDING);
        CHECK_EQ(WaitForSingleObject(send_ov.hEvent, 30), WAIT_TIMEOUT);
        struct reader r = {.s = pair[1], .chunk = 1 << 20};
        HANDLE reader = start_thread(read_to_end, &r);
        CHECK_EQ(WaitForSingleObject(send_ov.hEvent, 20000), WAIT_OBJECT_0);
        CHECK(WSAGetOverlappedResult(pair[0], &send_ov, &bytes, FALSE, &flags));
        CHECK_EQ(bytes, BIG);
        CHECK_EQ(shutdown(pair[0], SD_SEND), 0);
        JOIN(reader);
        CHECK_EQ(r.total, BIG);
        CHECK_EQ(r.wrong, 0);
        CloseHandle(ov.hEvent);
        CloseHandle(send_ov.hEvent);
        end_pair(pair);
    }
    free(big);
}

static int routine_calls;
static DWORD routine_error, routine_bytes, routine_flags;
static OVERLAPPED *routine_ov;

static void CALLBACK on_done(DWORD error, DWORD bytes, LPWSAOVERLAPPED ov, DWORD flags)
{
    routine_calls++;
    routine_error = error;
    routine_bytes = bytes;
    routine_ov = ov;
    routine_flags = flags;
}

TEST(done_inside_the_call, "SOCK-05 PORT-13")
{
    SOCKET pair[2];
    char got[16];
    WSABUF buf = {sizeof got, got};
    DWORD bytes = 0xAAAA, flags = 0;
    OVERLAPPED ov = with_event(), bare = {0};

    REQUIRE(tcp_pair(pair)); /* event */
    CHECK_EQ(send(pair[1], "event", 5, 0), 5);
    CHECK(WITHIN(20000, available(pair[0]) == 5));
    REQUIRE(WSARecv(pair[0], &buf, 1, &bytes, &flags, &ov, NULL) == 0);
    CHECK_EQ(bytes, 5);
    CHECK_EQ(flags, 0);
    CHECK_EQ(ov.Internal, 0);
    CHECK_EQ(ov.InternalHigh, 5);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 0), WAIT_OBJECT_0);
    CHECK_MEM(got, "event", 5);
    end_pair(pair);

    REQUIRE(tcp_pair(pair)); /* port */
    HANDLE port = port_of(pair[0], 11);
    CHECK_EQ(send(pair[1], "packet", 6, 0), 6);
    CHECK(WITHIN(20000, available(pair[0]) == 6));
    bytes = 0xAAAA;
    REQUIRE(WSARecv(pair[0], &buf, 1, &bytes, &flags, &bare, NULL) == 0);
    CHECK_EQ(bytes, 6);
    struct packet p = pop(port, 0);
    CHECK_EQ(p.error, 0);
    CHECK_EQ(p.bytes, 6);
    CHECK_EQ(p.key, 11);
    CHECK(p.ov == &bare);
    CHECK(port_is_empty(port));
    bytes = 0xAAAA;
    buf.len = 3;
    REQUIRE(WSASend(pair[0], &buf, 1, &bytes, 0, &bare, NULL) == 0); /* there is room */
    CHECK_EQ(bytes, 3);
    p = pop(port, 0);
    CHECK_EQ(p.error, 0);
    CHECK_EQ(p.bytes, 3);
    CHECK(p.ov == &bare);
    CHECK(port_is_empty(port));
    CloseHandle(port);
    end_pair(pair);

    REQUIRE(tcp_pair(pair)); /* routine: queued by then, but not run before the thread is alertable */
    CHECK_EQ(send(pair[1], "routine", 7, 0), 7);
    CHECK(WITHIN(20000, available(pair[0]) == 7));
    bytes = 0xAAAA;
    buf.len = sizeof got;
    routine_calls = 0;
    REQUIRE(WSARecv(pair[0], &buf, 1, &bytes, &flags, &bare, on_done) == 0);
    CHECK_EQ(bytes, 7);
    CHECK_EQ(routine_calls, 0);
    CHECK_EQ(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ(routine_calls, 1);
    CHECK_EQ(routine_error, 0);
    CHECK_EQ(routine_bytes, 7);
    CHECK_EQ(routine_flags, 0);
    CHECK(routine_ov == &bare);
    CHECK_EQ(SleepEx(0, TRUE), 0);
    end_pair(pair);
    CloseHandle(ov.hEvent);
}

TEST(pending_leaves_variables_alone, "SOCK-06")
{
    SOCKET pair[2];
    char got[16] = "";
    WSABUF buf = {sizeof got, got};
    DWORD bytes = 0xAAAA, flags = MSG_PEEK, sent = 0xBBBB;
    OVERLAPPED ov = with_event();
    REQUIRE(tcp_pair(pair));
    /* MSG_PEEK, which an operation done at once would take out of the flags. */
    CHECK_EQ(WSARecv(pair[0], &buf, 1, &bytes, &flags, &ov, NULL), SOCKET_ERROR);
    CHECK_EQ(WSAGetLastError(), WSA_IO_PENDING);
    CHECK_EQ(bytes, 0xAAAA);
    CHECK_EQ(flags, MSG_PEEK);
    CHECK_EQ(send(pair[1], "later", 5, 0), 5);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
    CHECK_EQ(bytes, 0xAAAA); /* nor afterwards: they are gone with the caller's frame mostly */
    CHECK_EQ(flags, MSG_PEEK);
    CHECK(WSAGetOverlappedResult(pair[0], &ov, &bytes, FALSE, &flags));
    CHECK_EQ(bytes, 5);
    CHECK_EQ(recv(pair[0], got, sizeof got, 0), 5); /* peeked only */

    enum { BIG = 16 << 20 };
    char *data = calloc(1, BIG);
    WSABUF out = {BIG, data};
    REQUIRE(data != NULL);
    CHECK_EQ(WSASend(pair[0], &out, 1, &sent, 0, &ov, NULL), SOCKET_ERROR);
    CHECK_EQ(WSAGetLastError(), WSA_IO_PENDING);
    CHECK_EQ(sent, 0xBBBB);
    reset_socket(pair[1]);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
    CHECK_EQ(sent, 0xBBBB);
    closesocket(pair[0]);
    CloseHandle(ov.hEvent);
    free(data);
}

/* Programs pass NULL for the count of an overlapped call; without OVERLAPPED it is needed. */
TEST(count_may_be_null, "SOCK-05 SOCK-06")
{
    SOCKET pair[2];
    char got[16];
    WSABUF buf = {sizeof got, got}, out = {4, "null"};
    DWORD flags = 0;
    OVERLAPPED ov = with_event(), send_ov = with_event();
    REQUIRE(tcp_pair(pair));
    CHECK_EQ(WSARecv(pair[0], &buf, 1, NULL, &flags, &ov, NULL), SOCKET_ERROR);
    CHECK_EQ(WSAGetLastError(), WSA_IO_PENDING);
    if (WSASend(pair[1], &out, 1, NULL, 0, &send_ov, NULL))
        CHECK_EQ(WSAGetLastError(), WSA_IO_PENDING);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
    CHECK_EQ(WaitForSingleObject(send_ov.hEvent, 20000), WAIT_OBJECT_0);
    CHECK_EQ(ov.InternalHigh, 4);
    CHECK_EQ(send_ov.InternalHigh, 4);
    set_nonblocking(pair[0], 1);
    TODO_WINE("Wine does not mind the missing count")
    {
        CHECK_WSAERR(WSARecv(pair[0], &buf, 1, NULL, &flags, NULL, NULL), WSAEFAULT);
        CHECK_WSAERR(WSASend(pair[1], &out, 1, NULL, 0, NULL, NULL), WSAEFAULT);
        CHECK_WSAERR(recv(pair[0], got, sizeof got, 0), WSAEWOULDBLOCK); /* neither did anything */
    }
    CloseHandle(ov.hEvent);
    CloseHandle(send_ov.hEvent);
    end_pair(pair);
}

TEST(refused_starts_leave_nothing, "SOCK-07 PORT-14 SOCK-20 SOCK-19")
{
    SOCKET pair[2];
    net_start();
    SOCKET fresh = socket(AF_INET, SOCK_STREAM, 0);
    char got[16];
    WSABUF buf = {sizeof got, got};
    DWORD bytes = 0, flags = 0;
    static OVERLAPPED ov;
    memset(&ov, 0, sizeof ov);
    ov.hEvent = manual_event();
    HANDLE port = port_of(fresh, 1);
    CHECK_EQ(start_recv(fresh, got, sizeof got, &ov), WSAENOTCONN);
    TODO_WINE("Wine says WSAECONNRESET of a send that is not connected")
    {
        CHECK_EQ(start_send(fresh, "x", 1, &ov), WSAENOTCONN);
    }
    CHECK(port_is_empty(port));
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 0), WAIT_TIMEOUT);
    closesocket(fresh);
    CloseHandle(port);

    REQUIRE(tcp_pair(pair));
    port = port_of(pair[0], 2);
    CHECK_WSAERR(WSARecv(pair[0], &buf, 1, &bytes, NULL, &ov, NULL), WSAEFAULT);
    TODO_WINE("Wine takes zero buffers for an empty message")
    {
        CHECK_WSAERR(WSARecv(pair[0], &buf, 0, &bytes, &flags, &ov, NULL), WSAEINVAL);
    }
    CHECK_WSAERR(WSARecv(pair[0], &buf, 1, &bytes, &flags, &ov, on_done), WSAEINVAL); /* PORT-31 */
    CHECK_EQ(shutdown(pair[0], SD_BOTH), 0);
    CHECK_EQ(start_send(pair[0], "x", 1, &ov), WSAESHUTDOWN);
    CHECK_EQ(start_recv(pair[0], got, sizeof got, &ov), WSAESHUTDOWN);
    CHECK(port_is_empty(port));
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 0), WAIT_TIMEOUT);
    CloseHandle(port);
    end_pair(pair);

    /* Nor does a routine run. */
    REQUIRE(tcp_pair(pair));
    CHECK_EQ(shutdown(pair[0], SD_SEND), 0);
    routine_calls = 0;
    CHECK_WSAERR(WSASend(pair[0], &buf, 1, &bytes, 0, &ov, on_done), WSAESHUTDOWN);
    CHECK_EQ(SleepEx(0, TRUE), 0);
    CHECK_EQ(routine_calls, 0);
    CloseHandle(ov.hEvent);
    end_pair(pair);
}

TEST(mode_changes_while_pending, "SOCK-04")
{
    SOCKET pair[2];
    char got[16];
    OVERLAPPED ov = with_event();
    REQUIRE(tcp_pair(pair));
    CHECK_EQ(start_recv(pair[0], got, sizeof got, &ov), WSA_IO_PENDING);
    for (int i = 0; i < 3; i++)
        set_nonblocking(pair[0], i % 2 == 0);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 20), WAIT_TIMEOUT);
    CHECK_EQ(ov.Internal, STATUS_PENDING);
    CHECK_EQ(send(pair[1], "still", 5, 0), 5);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
    CHECK_EQ(ov.InternalHigh, 5);
    CloseHandle(ov.hEvent);
    end_pair(pair);
}

/* ---- order ---- */

TEST(receives_fill_in_order, "SOCK-08 OVL-13")
{
    enum { COUNT = 16 };
    SOCKET pair[2];
    unsigned char got[COUNT][8], data[COUNT * 8];
    OVERLAPPED ov[COUNT];
    unsigned total = 0;
    REQUIRE(tcp_pair(pair));
    for (int i = 0; i < COUNT; i++) {
        ov[i] = with_event();
        CHECK_EQ(start_recv(pair[0], got[i], (ULONG)(1 + i % 8), &ov[i]), WSA_IO_PENDING);
        total += 1 + (unsigned)i % 8;
    }
    fill(data, total, 0);
    CHECK_EQ(send(pair[1], (char *)data, (int)total, 0), total);
    unsigned at = 0;
    for (int i = 0; i < COUNT; i++) {
        CHECK_EQ(WaitForSingleObject(ov[i].hEvent, 20000), WAIT_OBJECT_0);
        CHECK_EQ(ov[i].InternalHigh, 1 + i % 8); /* all of them full: everything came at once */
        CHECK_EQ(wrong_bytes(got[i], 1 + (size_t)i % 8, at), 0);
        at += 1 + (unsigned)i % 8;
        CloseHandle(ov[i].hEvent);
    }
    end_pair(pair);
}

struct chunks {
    SOCKET s;
    unsigned total, seed;
};

/* Sends `total` pattern bytes in pieces of all sizes, then the end. */
THREAD_FN(send_chunks)
{
    struct chunks *c = arg;
    static unsigned char data[20000];
    for (unsigned done = 0; done < c->total;) {
        c->seed = c->seed * 1103515245 + 12345;
        unsigned size = 1 + (c->seed >> 16) % ((c->seed >> 8) % 4 ? 300 : sizeof data);
        if (size > c->total - done)
            size = c->total - done;
        fill(data, size, done);
        if (!send_all(c->s, data, (int)size)) {
            FAIL("send: error %d", WSAGetLastError());
            break;
        }
        done += size;
    }
    CHECK_EQ(shutdown(c->s, SD_SEND), 0);
    return 0;
}

/* Under load, through a port: always the oldest receive is filled next, and completes next. */
TEST(receives_in_order_under_load, "SOCK-08 SOCK-12 SOCK-13 PORT-11")
{
    enum { DEPTH = 12, TOTAL = 4 << 20, SIZE = 4096 };
    SOCKET pair[2];
    static unsigned char got[DEPTH][SIZE];
    static OVERLAPPED ov[DEPTH];
    REQUIRE(tcp_pair(pair));
    HANDLE port = port_of(pair[0], 5);
    struct chunks c = {pair[1], TOTAL, 1 + rnd(1 << 30)};
    unsigned long long at = 0;
    unsigned sizes[DEPTH], next = 0, empty = 0;
    int bad = 0;
    memset(ov, 0, sizeof ov);
    for (int i = 0; i < DEPTH; i++) {
        sizes[i] = 1 + rnd(SIZE);
        CHECK_EQ(start_recv(pair[0], got[i], sizes[i], &ov[i]), WSA_IO_PENDING);
    }
    HANDLE sender = start_thread(send_chunks, &c);
    while (empty < DEPTH && !bad) {
        struct packet p = pop(port, 10000);
        bad |= !CHECK_EQ(p.error, 0) || !CHECK(p.ov == &ov[next]) || !CHECK(p.bytes <= sizes[next]);
        if (bad)
            break;
        bad |= !CHECK_EQ(wrong_bytes(got[next], p.bytes, at), 0);
        at += p.bytes;
        if (p.bytes == 0)
            empty++;
        else {
            bad |= !CHECK_EQ(empty, 0); /* after the end there is nothing but the end */
            sizes[next] = 1 + rnd(SIZE);
            memset(&ov[next], 0, sizeof ov[next]);
            int error = start_recv(pair[0], got[next], sizes[next], &ov[next]);
            bad |= !CHECK(error == 0 || error == WSA_IO_PENDING);
        }
        next = (next + 1) % DEPTH;
    }
    CHECK_EQ(at, TOTAL);
    if (bad)
        end_pair(pair);
    JOIN(sender);
    CHECK(bad || port_is_empty(port));
    if (!bad)
        end_pair(pair);
    CloseHandle(port);
}

TEST(sends_in_order_and_whole, "SOCK-09 SOCK-11 SOCK-16 PORT-11")
{
    enum { COUNT = 24, BUFS = 3, MOST = 90000 };
    SOCKET pair[2];
    static OVERLAPPED ov[COUNT];
    static unsigned char *data[COUNT][BUFS];
    DWORD sizes[COUNT];
    unsigned long long at = 0;
    REQUIRE(tcp_pair(pair));
    CHECK_EQ(set_option(pair[0], SOL_SOCKET, SO_SNDBUF, 16384), 0);
    CHECK_EQ(set_option(pair[1], SOL_SOCKET, SO_RCVBUF, 16384), 0);
    HANDLE port = port_of(pair[0], 6);
    memset(ov, 0, sizeof ov);
    for (int i = 0; i < COUNT; i++) {
        WSABUF bufs[BUFS];
        sizes[i] = 0;
        for (int j = 0; j < BUFS; j++) {
            ULONG size = rnd(8) ? 1 + rnd(MOST) : 0; /* an empty one now and then */
            data[i][j] = malloc(size + 1);
            fill(data[i][j], size, at + sizes[i]);
            bufs[j].len = size;
            bufs[j].buf = (char *)data[i][j];
            sizes[i] += size;
        }
        at += sizes[i];
        if (WSASend(pair[0], bufs, BUFS, NULL, 0, &ov[i], NULL))
            CHECK_EQ(WSAGetLastError(), WSA_IO_PENDING);
    }
    struct reader r = {.s = pair[1], .chunk = 30000};
    HANDLE reader = start_thread(read_to_end, &r);
    for (int i = 0; i < COUNT; i++) {
        struct packet p = pop(port, 10000);
        CHECK_EQ(p.error, 0);
        CHECK(p.ov == &ov[i]);
        CHECK_EQ(p.bytes, sizes[i]);
    }
    CHECK_EQ(shutdown(pair[0], SD_SEND), 0);
    JOIN(reader);
    CHECK_EQ(r.total, at);
    CHECK_EQ(r.wrong, 0);
    CHECK_EQ(r.last, 0);
    CHECK(port_is_empty(port));
    for (int i = 0; i < COUNT; i++)
        for (int j = 0; j < BUFS; j++)
            free(data[i][j]);
    CloseHandle(port);
    end_pair(pair);
}

/* ---- buffers ---- */

/* Its WSABUF array is gone, and its place written over, when it returns. */
static int scattered_receive(SOCKET s, char *data, OVERLAPPED *ov)
{
    WSABUF *bufs = malloc(20 * sizeof *bufs); /* more than a library might keep inside a request */
    DWORD flags = 0;
    for (int i = 0; i < 20; i++) {
        bufs[i].len = (ULONG)i;
        bufs[i].buf = data + i * 20;
    }
    int error = WSARecv(s, bufs, 20, NULL, &flags, ov, NULL) ? WSAGetLastError() : 0;
    memset(bufs, 0xFF, 20 * sizeof *bufs);
    free(bufs);
    return error;
}

static int gathered_send(SOCKET s, char *data, int piece, int count, OVERLAPPED *ov)
{
    WSABUF bufs[32];
    for (int i = 0; i < count; i++) {
        bufs[i].len = (ULONG)piece;
        bufs[i].buf = data + i * piece;
    }
    int error = WSASend(s, bufs, (DWORD)count, NULL, 0, ov, NULL) ? WSAGetLastError() : 0;
    memset(bufs, 0xFF, sizeof bufs);
    return error;
}

TEST(arrays_are_captured, "SOCK-10 SOCK-11")
{
    enum { PIECE = 300000, COUNT = 32 };
    SOCKET pair[2];
    char got[400], data[190];
    OVERLAPPED ov = with_event(), send_ov = with_event();
    REQUIRE(tcp_pair(pair));
    memset(got, '-', sizeof got);
    fill(data, sizeof data, 0);
    CHECK_EQ(scattered_receive(pair[0], got, &ov), WSA_IO_PENDING); /* 0 + 1 + ... + 19 = 190 bytes */
    CHECK_EQ(send(pair[1], data, sizeof data, 0), sizeof data);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
    CHECK_EQ(ov.Internal, 0);
    CHECK_EQ(ov.InternalHigh, 190);
    for (int i = 0, at = 0; i < 20; at += i, i++) {
        CHECK_EQ(wrong_bytes(got + i * 20, (size_t)i, (unsigned)at), 0);
        for (int j = i; j < 20; j++)
            CHECK_EQ(got[i * 20 + j], '-');
    }

    char *big = malloc(PIECE * COUNT);
    REQUIRE(big != NULL);
    fill(big, PIECE * COUNT, 0);
    CHECK_EQ(gathered_send(pair[0], big, PIECE, COUNT, &send_ov), WSA_IO_PENDING);
    struct reader r = {.s = pair[1], .chunk = 65536};
    HANDLE reader = start_thread(read_to_end, &r);
    CHECK_EQ(WaitForSingleObject(send_ov.hEvent, 10000), WAIT_OBJECT_0);
    CHECK_EQ(send_ov.InternalHigh, PIECE * COUNT);
    CHECK_EQ(shutdown(pair[0], SD_SEND), 0);
    JOIN(reader);
    CHECK_EQ(r.total, PIECE * COUNT);
    CHECK_EQ(r.wrong, 0);
    CloseHandle(ov.hEvent);
    CloseHandle(send_ov.hEvent);
    end_pair(pair);
    free(big);
}

TEST(buffers_fill_without_gaps, "SOCK-11 SOCK-12")
{
    SOCKET pair[2];
    char a[4], b[4], c[8];
    WSABUF bufs[4] = {{3, a}, {0, NULL}, {4, b}, {8, c}};
    WSABUF out[3] = {{2, "01"}, {0, NULL}, {6, "234567"}};
    DWORD bytes = 0, flags = 0;
    OVERLAPPED ov = with_event();
    REQUIRE(tcp_pair(pair));
    for (int pending = 0; pending < 2; pending++) {
        memset(a, '-', sizeof a);
        memset(b, '-', sizeof b);
        memset(c, '-', sizeof c);
        if (pending) {
            CHECK_EQ(WSARecv(pair[0], bufs, 4, NULL, &flags, &ov, NULL), SOCKET_ERROR);
            CHECK_EQ(WSAGetLastError(), WSA_IO_PENDING);
        }
        CHECK_EQ(WSASend(pair[1], out, 3, &bytes, 0, NULL, NULL), 0);
        CHECK_EQ(bytes, 8);
        if (!pending) {
            CHECK(WITHIN(20000, available(pair[0]) == 8));
            if (WSARecv(pair[0], bufs, 4, NULL, &flags, &ov, NULL))
                CHECK_EQ(WSAGetLastError(), WSA_IO_PENDING);
        }
        CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
        CHECK_EQ(ov.InternalHigh, 8);
        CHECK_MEM(a, "012-", 4);
        CHECK_MEM(b, "3456", 4);
        CHECK_MEM(c, "7-------", 8);
    }
    CloseHandle(ov.hEvent);
    end_pair(pair);
}

TEST(stream_receive_takes_what_is_there, "SOCK-12")
{
    SOCKET pair[2];
    static char got[100000];
    OVERLAPPED ov = with_event();
    REQUIRE(tcp_pair(pair));
    for (int size = 1; size < 4; size++) {
        CHECK_EQ(start_recv(pair[0], got, sizeof got, &ov), WSA_IO_PENDING);
        CHECK_EQ(send(pair[1], "abc", size, 0), size);
        CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
        CHECK_EQ(ov.InternalHigh, size);
        CHECK_MEM(got, "abc", (size_t)size);
    }
    /* A receive smaller than what is there takes its part, the next one the rest. */
    CHECK_EQ(send(pair[1], "0123456789", 10, 0), 10);
    CHECK(WITHIN(20000, available(pair[0]) == 10));
    static const unsigned want[3] = {4, 4, 2};
    for (int i = 0; i < 3; i++) {
        int error = start_recv(pair[0], got, 4, &ov);
        CHECK(error == 0 || error == WSA_IO_PENDING);
        CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
        CHECK_EQ(ov.InternalHigh, want[i]);
        CHECK_MEM(got, &"0123456789"[4 * i], want[i]);
    }
    CloseHandle(ov.hEvent);
    end_pair(pair);
}

/* The OVERLAPPED may be dequeued, and used for something else, before the starting call has returned. */
struct eater {
    HANDLE port;
    int count, wrong;
    struct meeting turn;
};

THREAD_FN(eat_packets)
{
    struct eater *e = arg;
    for (int i = 0; i < e->count; i++) {
        struct packet p = pop(e->port, 10000);
        e->wrong += p.error != 0 || p.bytes != 4;
        if (p.ov)
            memset(p.ov, 0xDD, sizeof *p.ov);
        meet(&e->turn);
    }
    return 0;
}

TEST(overlapped_is_free_after_its_packet, "OVL-18 PORT-12")
{
    enum { COUNT = 3000 };
    SOCKET pair[2];
    char got[8];
    OVERLAPPED ov;
    int touched = 0;
    REQUIRE(tcp_pair(pair));
    struct eater e = {port_of(pair[0], 1), COUNT, 0, {.need = 2}};
    HANDLE eater = start_thread(eat_packets, &e);
    for (int i = 0; i < COUNT; i++) {
        memset(&ov, 0, sizeof ov);
        int error = start_send(pair[0], "ping", 4, &ov);
        if (error && error != WSA_IO_PENDING) {
            FAIL("WSASend: error %d", error);
            break;
        }
        meet(&e.turn);
        for (size_t j = 0; j < sizeof ov; j++)
            touched += ((unsigned char *)&ov)[j] != 0xDD;
        CHECK_EQ(recv(pair[1], got, 4, 0), 4);
    }
    CHECK_EQ(touched, 0);
    JOIN(eater);
    CHECK_EQ(e.wrong, 0);
    CloseHandle(e.port);
    end_pair(pair);
}

/* ---- how it ends ---- */

TEST(graceful_end, "SOCK-13")
{
    SOCKET pair[2];
    char got[16];
    OVERLAPPED ov = with_event();
    DWORD bytes = 9, flags = 9;
    for (int how = 0; how < 2; how++) {
        REQUIRE(tcp_pair(pair));
        CHECK_EQ(start_recv(pair[0], got, sizeof got, &ov), WSA_IO_PENDING);
        if (how == 0)
            CHECK_EQ(shutdown(pair[1], SD_SEND), 0);
        else
            CHECK_EQ(closesocket(pair[1]), 0);
        CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
        CHECK(WSAGetOverlappedResult(pair[0], &ov, &bytes, FALSE, &flags));
        CHECK_EQ(bytes, 0);
        CHECK_EQ(ov.Internal, 0);
        for (int i = 0; i < 3; i++) { /* and again, at once or by and by */
            int error = start_recv(pair[0], got, sizeof got, &ov);
            CHECK(error == 0 || error == WSA_IO_PENDING);
            CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
            CHECK(WSAGetOverlappedResult(pair[0], &ov, &bytes, FALSE, &flags));
            CHECK_EQ(bytes, 0);
        }
        CHECK_EQ(recv(pair[0], got, sizeof got, 0), 0);
        if (how == 0)
            closesocket(pair[1]);
        closesocket(pair[0]);
    }
    CloseHandle(ov.hEvent);

    /* Data and end together: first the data, then the end, each a packet of its own. */
    REQUIRE(tcp_pair(pair));
    HANDLE port = port_of(pair[0], 8);
    OVERLAPPED two[3] = {{0}, {0}, {0}};
    for (int i = 0; i < 3; i++)
        CHECK_EQ(start_recv(pair[0], got + 5 * i, 5, &two[i]), WSA_IO_PENDING);
    CHECK_EQ(send(pair[1], "last", 4, 0), 4);
    closesocket(pair[1]);
    static const DWORD want[3] = {4, 0, 0};
    for (int i = 0; i < 3; i++) {
        struct packet p = pop(port, 20000);
        CHECK_EQ(p.error, 0);
        CHECK(p.ov == &two[i]);
        CHECK_EQ(p.bytes, want[i]);
    }
    CHECK(port_is_empty(port));
    CloseHandle(port);
    closesocket(pair[0]);
}

/* One reset, three spellings: the status, the Win32 code and the Winsock code. */
/* A peer that sends pieces of one size, and ends. */
struct piecemeal {
    SOCKET s;
    int total, piece;
};

static DWORD WINAPI send_piecemeal(LPVOID arg)
{
    struct piecemeal *p = arg;
    char data[512];
    for (int sent = 0; sent < p->total;) {
        int n = p->total - sent < p->piece ? p->total - sent : p->piece;
        for (int i = 0; i < n; i++)
            data[i] = (char)(sent + i);
        if (send(p->s, data, n, 0) != n)
            return 1;
        sent += n;
    }
    closesocket(p->s);
    return 0;
}

/* Buffers that what is there just fills, again and again, and then the end: neither a byte nor the end is
 * missed, whenever they come. */
TEST(full_buffers_and_the_end, "SOCK-12 SOCK-13")
{
    static const int pieces[] = {16, 48, 64, 128, 500};
    OVERLAPPED ov = with_event();
    char got[64];
    for (int round = 0; round < 200; round++) {
        SOCKET pair[2];
        REQUIRE(tcp_pair(pair));
        struct piecemeal p = {pair[1], 64 * (round % 9), pieces[round % 5]};
        HANDLE thread = NULL;
        if (round % 2 == 0) { /* all of it there already, the end as well */
            CHECK_EQ(send_piecemeal(&p), 0);
        } else {
            thread = CreateThread(NULL, 0, send_piecemeal, &p, 0, NULL);
            REQUIRE(thread != NULL);
        }
        int received = 0, ends = 0;
        while (ends < 2) { /* the end stays the end */
            int error = start_recv(pair[0], got, sizeof got, &ov);
            REQUIRE(error == 0 || error == WSA_IO_PENDING);
            REQUIRE(WaitForSingleObject(ov.hEvent, 20000) == WAIT_OBJECT_0);
            REQUIRE(ov.Internal == 0);
            for (int i = 0; i < (int)ov.InternalHigh; i++)
                REQUIRE(got[i] == (char)(received + i));
            received += (int)ov.InternalHigh;
            ends += ov.InternalHigh == 0;
        }
        CHECK_EQ(received, p.total);
        if (thread) {
            CHECK_EQ(WaitForSingleObject(thread, 20000), WAIT_OBJECT_0);
            CloseHandle(thread);
        }
        closesocket(pair[0]);
    }
    CloseHandle(ov.hEvent);
}

TEST(reset_through_events, "SOCK-14 SOCK-28 ERR-06 OVL-08")
{
    SOCKET pair[2];
    char got[16];
    OVERLAPPED ov = with_event();
    DWORD bytes, flags;
    REQUIRE(tcp_pair(pair));
    CHECK_EQ(start_recv(pair[0], got, sizeof got, &ov), WSA_IO_PENDING);
    reset_socket(pair[1]);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
    CHECK_EQ(ov.Internal, 0xC000020D);
    CHECK_EQ(ov.InternalHigh, 0);
    for (int i = 0; i < 2; i++) { /* as often as one asks */
        SetLastError(0);
        CHECK(!WSAGetOverlappedResult(pair[0], &ov, &bytes, FALSE, &flags));
        CHECK_EQ(WSAGetLastError(), WSAECONNRESET);
        CHECK_ERR(GetOverlappedResult((HANDLE)pair[0], &ov, &bytes, FALSE), ERROR_NETNAME_DELETED);
    }
    /* Later calls fail, too: mostly at once, as calls that have not started. */
    ResetEvent(ov.hEvent);
    int error = start_recv(pair[0], got, sizeof got, &ov);
    TODO_WINE("Wine tells a reset once")
    {
        if (error == WSA_IO_PENDING && CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0)) {
            CHECK(!WSAGetOverlappedResult(pair[0], &ov, &bytes, FALSE, &flags));
            error = WSAGetLastError();
        }
        CHECK_MSG(error == WSAECONNRESET || error == WSAECONNABORTED, "error %d", error);
    }
    error = start_send(pair[0], "x", 1, &ov);
    CHECK_MSG(error == WSAECONNRESET || error == WSAECONNABORTED, "error %d", error);
    closesocket(pair[0]);
    CloseHandle(ov.hEvent);
}

TEST(reset_through_port_and_routine, "SOCK-14 PORT-07")
{
    SOCKET pair[2];
    char got[4][16];
    OVERLAPPED ov[3] = {{0}, {0}, {0}};
    REQUIRE(tcp_pair(pair));
    HANDLE port = port_of(pair[0], 77);
    for (int i = 0; i < 3; i++) /* all that wait are told */
        CHECK_EQ(start_recv(pair[0], got[i], sizeof got[i], &ov[i]), WSA_IO_PENDING);
    reset_socket(pair[1]);
    for (int i = 0; i < 3; i++) {
        struct packet p = pop(port, 20000);
        CHECK_EQ(p.error, ERROR_NETNAME_DELETED);
        CHECK(p.ov == &ov[i]);
        CHECK_EQ(p.bytes, 0);
        CHECK_EQ(p.key, 77);
    }
    CHECK(port_is_empty(port));
    CloseHandle(port);
    closesocket(pair[0]);

    REQUIRE(tcp_pair(pair));
    WSABUF buf = {sizeof got[0], got[0]};
    DWORD flags = 0;
    routine_calls = 0;
    CHECK_EQ(WSARecv(pair[0], &buf, 1, NULL, &flags, &ov[0], on_done), SOCKET_ERROR);
    CHECK_EQ(WSAGetLastError(), WSA_IO_PENDING);
    reset_socket(pair[1]);
    CHECK_EQ(SleepEx(20000, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ(routine_calls, 1);
    CHECK_EQ(routine_error, WSAECONNRESET); /* Winsock's routine gets Winsock's code */
    CHECK_EQ(routine_bytes, 0);
    CHECK(routine_ov == &ov[0]);
    closesocket(pair[0]);
}

/* A send that waits for room ends when the connection is reset. */
TEST(reset_while_sending, "SOCK-14 SOCK-16")
{
    enum { BIG = 16 << 20 };
    SOCKET pair[2];
    char *data = calloc(1, BIG);
    OVERLAPPED ov[2] = {{0}, {0}};
    REQUIRE(data && tcp_pair(pair));
    HANDLE port = port_of(pair[0], 3);
    for (int i = 0; i < 2; i++)
        CHECK_EQ(start_send(pair[0], data, BIG, &ov[i]), WSA_IO_PENDING);
    reset_socket(pair[1]);
    for (int i = 0; i < 2; i++) {
        struct packet p = pop(port, 20000);
        CHECK(p.ov == &ov[i]);
        CHECK_MSG(p.error == ERROR_NETNAME_DELETED || p.error == ERROR_CONNECTION_ABORTED, "error %u",
                  (unsigned)p.error);
    }
    CHECK(port_is_empty(port));
    closesocket(pair[0]);
    CloseHandle(port);
    free(data);
}

TEST(zero_byte_receive, "SOCK-15")
{
    SOCKET pair[2];
    char got[16];
    OVERLAPPED ov = with_event();
    REQUIRE(tcp_pair(pair));
    /* Once without data, once with data there already. */
    for (int there = 0; there < 2; there++) {
        if (!there) {
            CHECK_EQ(start_recv(pair[0], NULL, 0, &ov), WSA_IO_PENDING);
            CHECK_EQ(WaitForSingleObject(ov.hEvent, 30), WAIT_TIMEOUT);
            CHECK_EQ(send(pair[1], "hello", 5, 0), 5);
        } else {
            CHECK_EQ(send(pair[1], "hello", 5, 0), 5);
            CHECK(WITHIN(20000, available(pair[0]) == 5));
            int error = start_recv(pair[0], NULL, 0, &ov);
            CHECK(error == 0 || error == WSA_IO_PENDING);
        }
        CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
        CHECK_EQ(ov.Internal, 0);
        CHECK_EQ(ov.InternalHigh, 0);
        CHECK_EQ(available(pair[0]), 5); /* nothing is consumed */

        /* Then non-blocking reads until there is no more, as libuv does. */
        set_nonblocking(pair[0], 1);
        CHECK_EQ(recv(pair[0], got, 3, 0), 3);
        CHECK_MEM(got, "hel", 3);
        CHECK_EQ(recv(pair[0], got, sizeof got, 0), 2);
        CHECK_MEM(got, "lo", 2);
        CHECK_WSAERR(recv(pair[0], got, sizeof got, 0), WSAEWOULDBLOCK);
    }
    /* The end wakes it as well. */
    CHECK_EQ(start_recv(pair[0], NULL, 0, &ov), WSA_IO_PENDING);
    closesocket(pair[1]);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
    CHECK_EQ(ov.Internal, 0);
    CHECK_EQ(ov.InternalHigh, 0);
    CHECK_EQ(recv(pair[0], got, sizeof got, 0), 0);
    closesocket(pair[0]);

    /* A zero-byte receive in front of a real one: the second gets the data. */
    REQUIRE(tcp_pair(pair));
    OVERLAPPED second = with_event();
    CHECK_EQ(start_recv(pair[0], NULL, 0, &ov), WSA_IO_PENDING);
    CHECK_EQ(start_recv(pair[0], got, sizeof got, &second), WSA_IO_PENDING);
    CHECK_EQ(send(pair[1], "both", 4, 0), 4);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
    CHECK_EQ(WaitForSingleObject(second.hEvent, 20000), WAIT_OBJECT_0);
    CHECK_EQ(ov.InternalHigh, 0);
    CHECK_EQ(second.InternalHigh, 4);
    CHECK_MEM(got, "both", 4);
    CloseHandle(ov.hEvent);
    CloseHandle(second.hEvent);
    end_pair(pair);
}

TEST(send_of_nothing, "SOCK-16")
{
    SOCKET pair[2];
    char got[16];
    OVERLAPPED ov = {0};
    REQUIRE(tcp_pair(pair));
    HANDLE port = port_of(pair[0], 4);
    int error = start_send(pair[0], NULL, 0, &ov);
    CHECK(error == 0 || error == WSA_IO_PENDING);
    struct packet p = pop(port, 20000);
    CHECK_EQ(p.error, 0);
    CHECK(p.ov == &ov);
    CHECK_EQ(p.bytes, 0);
    set_nonblocking(pair[1], 1);
    CHECK_WSAERR(recv(pair[1], got, sizeof got, 0), WSAEWOULDBLOCK); /* nothing went out */
    CloseHandle(port);
    end_pair(pair);
}

TEST_W8(wait_all, "SOCK-17", "Wine ignores MSG_WAITALL")
{
    SOCKET pair[2];
    char got[16] = "";
    static WSABUF bufs[2];
    DWORD flags = MSG_WAITALL;
    OVERLAPPED ov = with_event();
    REQUIRE(tcp_pair(pair));
    bufs[0].len = 4;
    bufs[0].buf = got;
    bufs[1].len = 6;
    bufs[1].buf = got + 4;
    CHECK_EQ(WSARecv(pair[0], bufs, 2, NULL, &flags, &ov, NULL), SOCKET_ERROR);
    CHECK_EQ(WSAGetLastError(), WSA_IO_PENDING);
    CHECK_EQ(send(pair[1], "01234", 5, 0), 5);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 50), WAIT_TIMEOUT);
    CHECK_EQ(send(pair[1], "56789ab", 7, 0), 7);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
    CHECK_EQ(ov.InternalHigh, 10);
    CHECK_MEM(got, "0123456789", 10);

    /* "ab" is left. The end of the connection gives what there is. */
    flags = MSG_WAITALL;
    if (WSARecv(pair[0], bufs, 2, NULL, &flags, &ov, NULL))
        CHECK_EQ(WSAGetLastError(), WSA_IO_PENDING);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 50), WAIT_TIMEOUT);
    closesocket(pair[1]);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
    CHECK_EQ(ov.Internal, 0);
    CHECK_EQ(ov.InternalHigh, 2);
    CHECK_MEM(got, "ab", 2);
    closesocket(pair[0]);

    /* And a cancel ends it. */
    REQUIRE(tcp_pair(pair));
    flags = MSG_WAITALL;
    CHECK_EQ(WSARecv(pair[0], bufs, 2, NULL, &flags, &ov, NULL), SOCKET_ERROR);
    CHECK_EQ(WSAGetLastError(), WSA_IO_PENDING);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 20), WAIT_TIMEOUT);
    CHECK(CancelIoEx((HANDLE)pair[0], &ov));
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
    CHECK_EQ(ov.Internal, 0xC0000120);
    CloseHandle(ov.hEvent);
    end_pair(pair);
}

TEST(overlapped_peek, "SOCK-12")
{
    SOCKET pair[2];
    char got[16];
    WSABUF buf = {3, got};
    DWORD flags = MSG_PEEK;
    OVERLAPPED ov = with_event();
    REQUIRE(tcp_pair(pair));
    CHECK_EQ(WSARecv(pair[0], &buf, 1, NULL, &flags, &ov, NULL), SOCKET_ERROR);
    CHECK_EQ(WSAGetLastError(), WSA_IO_PENDING);
    CHECK_EQ(send(pair[1], "abcdef", 6, 0), 6);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
    CHECK_EQ(ov.InternalHigh, 3);
    CHECK_MEM(got, "abc", 3);
    for (int i = 0; i < 2; i++) { /* again and again: it stays */
        flags = MSG_PEEK;
        memset(got, 0, sizeof got);
        if (WSARecv(pair[0], &buf, 1, NULL, &flags, &ov, NULL))
            CHECK_EQ(WSAGetLastError(), WSA_IO_PENDING);
        CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
        CHECK_EQ(ov.InternalHigh, 3);
        CHECK_MEM(got, "abc", 3);
    }
    CHECK_EQ(start_recv(pair[0], got, sizeof got, &ov) & ~WSA_IO_PENDING, 0);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
    CHECK_EQ(ov.InternalHigh, 6);
    CHECK_MEM(got, "abcdef", 6);
    CloseHandle(ov.hEvent);
    end_pair(pair);
}

/* Four operations wait in `port`'s socket, which is closed: each is answered once, with 995. */
static void close_and_collect(SOCKET s, HANDLE port, OVERLAPPED *ov)
{
    unsigned seen = 0;
    CHECK_EQ(closesocket(s), 0);
    for (int i = 0; i < 4; i++) {
        struct packet p = pop(port, 1500);
        if (!CHECK(p.ov >= ov && p.ov < ov + 4))
            break;
        CHECK_EQ(p.error, ERROR_OPERATION_ABORTED);
        CHECK_EQ(p.key, 21);
        CHECK_EQ(p.ov->Internal, 0xC0000120);
        seen |= 1u << (p.ov - ov);
    }
    CHECK_EQ(seen, 15);
    CHECK(port_is_empty(port));
}

TEST_W8(closing_while_receiving, "CANCEL-16 CANCEL-17 CANCEL-15", "Wine says ERROR_HANDLES_CLOSED")
{
    SOCKET pair[2];
    static OVERLAPPED ov[4];
    static char got[4][16];
    REQUIRE(tcp_pair(pair));
    memset(ov, 0, sizeof ov);
    HANDLE port = port_of(pair[0], 21);
    for (int i = 0; i < 4; i++)
        CHECK_EQ(start_recv(pair[0], got[i], sizeof got[i], &ov[i]), WSA_IO_PENDING);
    close_and_collect(pair[0], port, ov);
    closesocket(pair[1]);
    CloseHandle(port);

    /* By event and by memory alone, with nobody in a dequeue. */
    REQUIRE(tcp_pair(pair));
    memset(ov, 0, sizeof ov);
    ov[0].hEvent = manual_event();
    CHECK_EQ(start_recv(pair[0], got[0], sizeof got[0], &ov[0]), WSA_IO_PENDING);
    CHECK_EQ(start_recv(pair[0], got[1], sizeof got[1], &ov[1]), WSA_IO_PENDING);
    CHECK_EQ(closesocket(pair[0]), 0);
    CHECK_EQ(WaitForSingleObject(ov[0].hEvent, 20000), WAIT_OBJECT_0);
    CHECK(WITHIN(20000, HasOverlappedIoCompleted(&ov[1])));
    CHECK_EQ(ov[0].Internal, 0xC0000120);
    CHECK_EQ(ov[1].Internal, 0xC0000120);
    CloseHandle(ov[0].hEvent);
    closesocket(pair[1]);

    /* And by routine. */
    REQUIRE(tcp_pair(pair));
    WSABUF buf = {sizeof got[0], got[0]};
    DWORD flags = 0;
    memset(ov, 0, sizeof ov);
    routine_calls = 0;
    CHECK_EQ(WSARecv(pair[0], &buf, 1, NULL, &flags, &ov[0], on_done), SOCKET_ERROR);
    CHECK_EQ(WSAGetLastError(), WSA_IO_PENDING);
    CHECK_EQ(closesocket(pair[0]), 0);
    CHECK_EQ(routine_calls, 0);
    CHECK_EQ(SleepEx(20000, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ(routine_calls, 1);
    CHECK_EQ(routine_error, WSA_OPERATION_ABORTED);
    closesocket(pair[1]);
}

TEST_W8(closing_while_sending, "CANCEL-16 CANCEL-17", "Wine's second send is never answered")
{
    enum { BIG = 16 << 20 };
    SOCKET pair[2];
    static OVERLAPPED ov[4];
    static char got[2][16];
    char *data = calloc(1, BIG);
    REQUIRE(data && tcp_pair(pair));
    memset(ov, 0, sizeof ov);
    HANDLE port = port_of(pair[0], 21);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(start_recv(pair[0], got[i], sizeof got[i], &ov[i]), WSA_IO_PENDING);
        CHECK_EQ(start_send(pair[0], data, BIG, &ov[2 + i]), WSA_IO_PENDING);
    }
    close_and_collect(pair[0], port, ov);
    closesocket(pair[1]);
    CloseHandle(port);
    free(data);
}

/* ---- results ---- */

TEST(results, "SOCK-27 SOCK-28")
{
    SOCKET pair[2];
    char got[16];
    OVERLAPPED ov = with_event();
    DWORD bytes = 0x7777, flags = 0x7777;
    REQUIRE(tcp_pair(pair));
    CHECK_EQ(start_recv(pair[0], got, sizeof got, &ov), WSA_IO_PENDING);
    for (int i = 0; i < 2; i++) {
        WSASetLastError(0);
        CHECK(!WSAGetOverlappedResult(pair[0], &ov, &bytes, FALSE, &flags));
        CHECK_EQ(WSAGetLastError(), WSA_IO_INCOMPLETE);
    }
    CHECK_EQ(send(pair[1], "result", 6, 0), 6);
    CHECK(WSAGetOverlappedResult(pair[0], &ov, &bytes, TRUE, &flags)); /* waits */
    CHECK_EQ(bytes, 6);
    CHECK_EQ(flags, 0);
    bytes = flags = 0x7777;
    CHECK(WSAGetOverlappedResult(pair[0], &ov, &bytes, FALSE, &flags));
    CHECK_EQ(bytes, 6);
    CHECK_EQ(flags, 0);
    bytes = 0;
    CHECK(GetOverlappedResult((HANDLE)pair[0], &ov, &bytes, FALSE)); /* the general one agrees */
    CHECK_EQ(bytes, 6);
    TODO_WINE("Wine 8 does not mind the missing pointers")
    {
        WSASetLastError(0);
        CHECK(!WSAGetOverlappedResult(pair[0], &ov, &bytes, FALSE, NULL));
        CHECK_EQ(WSAGetLastError(), WSAEFAULT);
    }

    /* Cancelled: Winsock's code for it. */
    CHECK_EQ(start_recv(pair[0], got, sizeof got, &ov), WSA_IO_PENDING);
    CHECK(CancelIoEx((HANDLE)pair[0], &ov));
    WSASetLastError(0);
    CHECK(!WSAGetOverlappedResult(pair[0], &ov, &bytes, TRUE, &flags));
    CHECK_EQ(WSAGetLastError(), WSA_OPERATION_ABORTED);
    CloseHandle(ov.hEvent);
    end_pair(pair);
}

TEST_W8(failed_result_leaves_the_count, "SOCK-29", "Wine writes the count of failed operations")
{
    SOCKET pair[2];
    char got[16];
    OVERLAPPED ov = with_event();
    DWORD bytes = 0x7777, flags = 0;
    REQUIRE(tcp_pair(pair));
    CHECK_EQ(start_recv(pair[0], got, sizeof got, &ov), WSA_IO_PENDING);
    CHECK(!WSAGetOverlappedResult(pair[0], &ov, &bytes, FALSE, &flags));
    CHECK_EQ(bytes, 0x7777);
    CHECK(CancelIoEx((HANDLE)pair[0], &ov));
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
    CHECK(!WSAGetOverlappedResult(pair[0], &ov, &bytes, FALSE, &flags));
    CHECK_EQ(WSAGetLastError(), WSA_OPERATION_ABORTED);
    CHECK_EQ(bytes, 0x7777);
    CloseHandle(ov.hEvent);
    end_pair(pair);
}

TEST(read_and_write_file, "SOCK-30 OVL-15 OVL-14")
{
    SOCKET pair[2];
    char got[16];
    OVERLAPPED read_ov = {0}, write_ov = {0};
    DWORD bytes = 0;
    REQUIRE(tcp_pair(pair));
    HANDLE port = port_of(pair[0], 31);
    read_ov.Offset = 12345; /* a socket has no position: not looked at, and not changed */
    read_ov.OffsetHigh = 678;
    CHECK_ERR(ReadFile((HANDLE)pair[0], got, sizeof got, NULL, &read_ov), ERROR_IO_PENDING);
    CHECK_EQ(send(pair[1], "file", 4, 0), 4);
    struct packet p = pop(port, 20000);
    CHECK_EQ(p.error, 0);
    CHECK(p.ov == &read_ov);
    CHECK_EQ(p.bytes, 4);
    CHECK_MEM(got, "file", 4);
    CHECK_EQ(read_ov.Offset, 12345);
    CHECK_EQ(read_ov.OffsetHigh, 678);
    CHECK(GetOverlappedResult((HANDLE)pair[0], &read_ov, &bytes, FALSE));
    CHECK_EQ(bytes, 4);
    if (!WriteFile((HANDLE)pair[0], "written", 7, NULL, &write_ov))
        CHECK_EQ(GetLastError(), ERROR_IO_PENDING);
    p = pop(port, 20000);
    CHECK_EQ(p.error, 0);
    CHECK(p.ov == &write_ov);
    CHECK_EQ(p.bytes, 7);
    CHECK_EQ(recv(pair[1], got, sizeof got, 0), 7);
    CHECK_MEM(got, "written", 7);

    /* The end is 0 bytes and success, a reset is Win32's code. */
    if (!ReadFile((HANDLE)pair[0], got, sizeof got, NULL, &read_ov))
        CHECK_EQ(GetLastError(), ERROR_IO_PENDING);
    CHECK_EQ(shutdown(pair[1], SD_SEND), 0);
    p = pop(port, 20000);
    CHECK_EQ(p.error, 0);
    CHECK_EQ(p.bytes, 0);
    CloseHandle(port);
    end_pair(pair);

    REQUIRE(tcp_pair(pair));
    port = port_of(pair[0], 32);
    CHECK_ERR(ReadFile((HANDLE)pair[0], got, sizeof got, NULL, &read_ov), ERROR_IO_PENDING);
    reset_socket(pair[1]);
    p = pop(port, 20000);
    CHECK_EQ(p.error, ERROR_NETNAME_DELETED);
    CHECK(p.ov == &read_ov);
    closesocket(pair[0]);
    CloseHandle(port);
}

static int order[8], order_count;

static void CALLBACK note_order(DWORD error, DWORD bytes, LPWSAOVERLAPPED ov, DWORD flags)
{
    (void)flags;
    if (error || bytes != 1)
        FAIL("routine: error %u, %u bytes", (unsigned)error, (unsigned)bytes);
    order[order_count++] = (int)(INT_PTR)ov->hEvent; /* with a routine hEvent is the program's */
    if (order_count == 1) { /* start more from inside */
        static WSABUF buf;
        static char byte;
        static OVERLAPPED again;
        DWORD zero = 0;
        buf.len = 1;
        buf.buf = &byte;
        again.hEvent = (HANDLE)(INT_PTR)99;
        if (WSARecv((SOCKET)(UINT_PTR)ov->Offset, &buf, 1, NULL, &zero, &again, note_order))
            CHECK_EQ(WSAGetLastError(), WSA_IO_PENDING);
    }
}

TEST(routines_in_order, "SOCK-05 SOCK-08")
{
    SOCKET pair[2];
    OVERLAPPED ov[4];
    char got[4];
    REQUIRE(tcp_pair(pair));
    order_count = 0;
    for (int i = 0; i < 4; i++) {
        WSABUF buf = {1, &got[i]};
        DWORD flags = 0;
        memset(&ov[i], 0, sizeof ov[i]);
        ov[i].hEvent = (HANDLE)(INT_PTR)(10 + i);
        ov[i].Offset = (DWORD)pair[0];
        CHECK_EQ(WSARecv(pair[0], &buf, 1, NULL, &flags, &ov[i], note_order), SOCKET_ERROR);
        CHECK_EQ(WSAGetLastError(), WSA_IO_PENDING);
    }
    CHECK_EQ(send(pair[1], "abcde", 5, 0), 5);
    for (int i = 0; i < 5 && order_count < 5; i++)
        CHECK_EQ(SleepEx(20000, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ(order_count, 5);
    for (int i = 0; i < 4; i++)
        CHECK_EQ(order[i], 10 + i);
    CHECK_EQ(order[4], 99);
    CHECK_MEM(got, "abcd", 4);
    end_pair(pair);
}

/* ---- datagrams ---- */

static int udp_send(SOCKET s, const struct sockaddr_in *to, const char *data, int size)
{
    return sendto(s, data, size, 0, (const struct sockaddr *)to, sizeof *to);
}

enum { VERY_MANY = 2000 };

/* One byte in each. */
static void spread(WSABUF bufs[VERY_MANY], char *data)
{
    for (int i = 0; i < VERY_MANY; i++) {
        bufs[i].buf = data + i;
        bufs[i].len = 1;
    }
}

static void count_up(char data[VERY_MANY])
{
    for (int i = 0; i < VERY_MANY; i++)
        data[i] = (char)(i * 7 + i / 256);
}

/* More buffers than system calls take at a time: nothing is left lying, nor taken for the end. */
TEST_W8(very_many_buffers, "SOCK-11 SOCK-12 SOCK-17", "Wine ignores MSG_WAITALL")
{
    static WSABUF bufs[VERY_MANY];
    static char data[VERY_MANY], got[VERY_MANY];
    OVERLAPPED ov = with_event();
    DWORD flags = 0, bytes = 0, n;
    SOCKET pair[2];
    REQUIRE(tcp_pair(pair));
    count_up(data);
    spread(bufs, got);
    CHECK_EQ(WSARecv(pair[0], bufs, VERY_MANY, NULL, &flags, &ov, NULL), SOCKET_ERROR);
    CHECK_EQ(WSAGetLastError(), WSA_IO_PENDING);
    CHECK_EQ(send(pair[1], data, VERY_MANY, 0), VERY_MANY);
    while (bytes < VERY_MANY) {
        CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
        n = (DWORD)ov.InternalHigh;
        bytes += n;
        if (!CHECK(n > 0 && bytes <= VERY_MANY))
            break;
        flags = 0;
        if (bytes < VERY_MANY && WSARecv(pair[0], bufs + bytes, VERY_MANY - bytes, NULL, &flags, &ov, NULL))
            CHECK_EQ(WSAGetLastError(), WSA_IO_PENDING);
    }
    CHECK_MEM(got, data, VERY_MANY);

    memset(got, 0, sizeof got);
    flags = MSG_WAITALL;
    CHECK_EQ(WSARecv(pair[0], bufs, VERY_MANY, NULL, &flags, &ov, NULL), SOCKET_ERROR);
    CHECK_EQ(send(pair[1], data, VERY_MANY - 300, 0), VERY_MANY - 300);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 50), WAIT_TIMEOUT);
    CHECK_EQ(send(pair[1], data + VERY_MANY - 300, 300, 0), 300);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
    CHECK_EQ(ov.InternalHigh, VERY_MANY);
    CHECK_MEM(got, data, VERY_MANY);

    for (int i = 0; i < VERY_MANY - 1; i++) /* the last one alone has room */
        bufs[i].len = 0;
    flags = 0;
    CHECK_EQ(WSARecv(pair[0], bufs, VERY_MANY, NULL, &flags, &ov, NULL), SOCKET_ERROR);
    CHECK_EQ(WSAGetLastError(), WSA_IO_PENDING);
    CHECK_EQ(send(pair[1], "x", 1, 0), 1);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
    CHECK_EQ(ov.InternalHigh, 1);
    CloseHandle(ov.hEvent);
    end_pair(pair);
}

TEST_W8(a_datagram_in_very_many_buffers, "SOCK-11 SOCK-22 SOCK-24", "Wine gives up above 1024")
{
    static WSABUF bufs[VERY_MANY];
    static char data[VERY_MANY], got[VERY_MANY + 1];
    struct sockaddr_in a_address, b_address;
    SOCKET a = udp_socket(&a_address), b = udp_socket(&b_address);
    DWORD flags = 0, bytes = 0;
    OVERLAPPED ov = with_event();
    count_up(data);
    spread(bufs, data);
    REQUIRE(WSASendTo(a, bufs, VERY_MANY, &bytes, 0, (struct sockaddr *)&b_address, sizeof b_address, NULL,
                      NULL) == 0);
    CHECK_EQ(bytes, VERY_MANY);
    CHECK_EQ(recv(b, got, sizeof got, 0), VERY_MANY);
    CHECK_MEM(got, data, VERY_MANY);

    memset(got, 0, sizeof got);
    spread(bufs, got);
    CHECK_EQ(WSARecv(b, bufs, VERY_MANY, NULL, &flags, &ov, NULL), SOCKET_ERROR);
    CHECK_EQ(WSAGetLastError(), WSA_IO_PENDING);
    CHECK_EQ(udp_send(a, &b_address, data, VERY_MANY), VERY_MANY);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
    CHECK_EQ(ov.InternalHigh, VERY_MANY);
    CHECK_MEM(got, data, VERY_MANY);

    flags = 0; /* cut all the same */
    CHECK_EQ(udp_send(a, &b_address, data, VERY_MANY), VERY_MANY);
    CHECK_EQ(WSARecv(b, bufs, VERY_MANY - 1, &bytes, &flags, NULL, NULL), SOCKET_ERROR);
    CHECK_EQ(WSAGetLastError(), WSAEMSGSIZE);
    CHECK_EQ(got[VERY_MANY - 2], data[VERY_MANY - 2]);
    CloseHandle(ov.hEvent);
    closesocket(a);
    closesocket(b);
}

/* Starts a WSARecvFrom of one buffer: 0 or the error. */
static int start_from(SOCKET s, void *data, ULONG size, struct sockaddr_in *from, int *from_size,
                      OVERLAPPED *ov)
{
    WSABUF buf = {size, data};
    DWORD flags = 0;
    return WSARecvFrom(s, &buf, 1, NULL, &flags, (struct sockaddr *)from, from_size, ov, NULL)
               ? WSAGetLastError()
               : 0;
}

TEST(address_comes_with_the_completion, "SOCK-21 SOCK-24")
{
    struct sockaddr_in a_address, b_address, from;
    SOCKET a = udp_socket(&a_address), b = udp_socket(&b_address);
    union {
        struct sockaddr_in in;
        unsigned char room[64];
    } wide;
    char got[16];
    int size = sizeof wide;
    OVERLAPPED ov = with_event();
    DWORD bytes, flags;
    memset(&wide, 0x5A, sizeof wide);
    CHECK_EQ(start_from(a, got, sizeof got, &wide.in, &size, &ov), WSA_IO_PENDING);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 20), WAIT_TIMEOUT);
    for (size_t i = 0; i < sizeof wide; i++)
        CHECK_EQ(wide.room[i], 0x5A);
    CHECK_EQ(size, sizeof wide);
    CHECK_EQ(udp_send(b, &a_address, "gram", 4), 4);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
    CHECK(WSAGetOverlappedResult(a, &ov, &bytes, FALSE, &flags));
    CHECK_EQ(bytes, 4);
    CHECK_MEM(got, "gram", 4);
    CHECK_EQ(size, sizeof wide.in);
    CHECK_EQ(wide.in.sin_family, AF_INET);
    CHECK_EQ(wide.in.sin_port, b_address.sin_port);
    CHECK_EQ(wide.in.sin_addr.s_addr, b_address.sin_addr.s_addr);

    /* Done at once it is the same; and WSASendTo answers to that address. */
    CHECK_EQ(udp_send(b, &a_address, "again", 5), 5);
    memset(&from, 0x5A, sizeof from);
    size = sizeof from;
    int error = start_from(a, got, sizeof got, &from, &size, &ov);
    CHECK(error == 0 || error == WSA_IO_PENDING);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
    CHECK_EQ(ov.InternalHigh, 5);
    CHECK_EQ(from.sin_port, b_address.sin_port);
    WSABUF two[2] = {{2, "an"}, {4, "swer"}};
    if (WSASendTo(a, two, 2, NULL, 0, (struct sockaddr *)&from, size, &ov, NULL))
        CHECK_EQ(WSAGetLastError(), WSA_IO_PENDING);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
    CHECK_EQ(ov.InternalHigh, 6);
    CHECK_EQ(recv(b, got, sizeof got, 0), 6);
    CHECK_MEM(got, "answer", 6);
    CloseHandle(ov.hEvent);
    closesocket(a);
    closesocket(b);
}

TEST(one_datagram_each, "SOCK-24 SOCK-08")
{
    struct sockaddr_in a_address, b_address;
    SOCKET a = udp_socket(&a_address), b = udp_socket(&b_address);
    char got[4][16];
    OVERLAPPED ov[4] = {{0}, {0}, {0}, {0}};
    HANDLE port = port_of(a, 41);
    static const DWORD want[4] = {3, 0, 5, 1};
    for (int pending = 0; pending < 2; pending++) {
        if (pending)
            for (int i = 0; i < 4; i++)
                CHECK_EQ(start_recv(a, got[i], sizeof got[i], &ov[i]), WSA_IO_PENDING);
        for (int i = 0; i < 4; i++)
            CHECK_EQ(udp_send(b, &a_address, "12345", (int)want[i]), want[i]);
        if (!pending)
            for (int i = 0; i < 4; i++) {
                int error = start_recv(a, got[i], sizeof got[i], &ov[i]);
                CHECK(error == 0 || error == WSA_IO_PENDING);
            }
        for (int i = 0; i < 4; i++) {
            struct packet p = pop(port, 20000);
            CHECK_EQ(p.error, 0);
            CHECK(p.ov == &ov[i]);
            CHECK_EQ(p.bytes, want[i]);
            CHECK_MEM(got[i], "12345", want[i]);
        }
    }
    CHECK(port_is_empty(port));
    CloseHandle(port);
    closesocket(a);
    closesocket(b);
}

/* Truncation: WSAEMSGSIZE, or 234 with the count, and what did not fit is gone. */
TEST(datagram_too_long, "SOCK-22 SOCK-23 ERR-06")
{
    struct sockaddr_in a_address, b_address;
    SOCKET a = udp_socket(&a_address), b = udp_socket(&b_address);
    char got[16];
    OVERLAPPED ov = with_event();
    DWORD bytes = 0, flags = 0;

    memset(got, '-', sizeof got);
    CHECK_EQ(start_recv(a, got, 4, &ov), WSA_IO_PENDING);
    CHECK_EQ(udp_send(b, &a_address, "too long", 8), 8);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
    WSASetLastError(0);
    CHECK(!WSAGetOverlappedResult(a, &ov, &bytes, FALSE, &flags));
    CHECK_EQ(WSAGetLastError(), WSAEMSGSIZE);
    bytes = 0;
    CHECK_ERR(GetOverlappedResult((HANDLE)a, &ov, &bytes, FALSE), ERROR_MORE_DATA);
    CHECK_EQ(bytes, 4);
    CHECK_EQ(ov.Internal, 0x80000005);
    CHECK_EQ(ov.InternalHigh, 4);
    CHECK_MEM(got, "too ------------", 16);
    CHECK_EQ(udp_send(b, &a_address, "next", 4), 4);
    CHECK_EQ(recv(a, got, sizeof got, 0), 4);
    CHECK_MEM(got, "next", 4);

    /* Through a port, pending and with the datagram there: one packet each. */
    HANDLE port = port_of(a, 51);
    OVERLAPPED bare = {0};
    for (int pending = 0; pending < 2; pending++) {
        memset(got, '-', sizeof got);
        int error = pending ? start_recv(a, got, 5, &bare) : 0;
        CHECK_EQ(error, pending ? WSA_IO_PENDING : 0);
        CHECK_EQ(udp_send(b, &a_address, "0123456789", 10), 10);
        if (!pending) {
            CHECK(WITHIN(20000, available(a) >= 10));
            error = start_recv(a, got, 5, &bare);
            CHECK_MSG(error == WSA_IO_PENDING || error == WSAEMSGSIZE, "error %d", error);
        }
        struct packet p = pop(port, 20000);
        CHECK_EQ(p.error, ERROR_MORE_DATA);
        CHECK_EQ(p.bytes, 5);
        CHECK(p.ov == &bare);
        CHECK_MEM(got, "01234-----------", 16);
        CHECK(port_is_empty(port));
    }
    CloseHandle(port);
    CloseHandle(ov.hEvent);
    closesocket(a);
    closesocket(b);
}

/* A peek with no room says that a datagram is there; the datagram stays. */
TEST(datagram_zero_byte_peek, "SOCK-22 SOCK-23")
{
    struct sockaddr_in a_address, b_address;
    SOCKET a = udp_socket(&a_address), b = udp_socket(&b_address);
    char got[16];
    WSABUF buf = {0, got};
    DWORD flags = MSG_PEEK;
    OVERLAPPED ov = {0};
    HANDLE port = port_of(a, 52);
    CHECK_EQ(WSARecv(a, &buf, 1, NULL, &flags, &ov, NULL), SOCKET_ERROR);
    CHECK_EQ(WSAGetLastError(), WSA_IO_PENDING);
    CHECK_EQ(udp_send(b, &a_address, "here", 4), 4);
    struct packet p = pop(port, 20000);
    CHECK_EQ(p.error, ERROR_MORE_DATA);
    CHECK_EQ(p.bytes, 0);
    CHECK(p.ov == &ov);
    CHECK_EQ(recv(a, got, sizeof got, 0), 4);
    CHECK_MEM(got, "here", 4);
    CloseHandle(port);
    closesocket(a);
    closesocket(b);
}

/* A loopback port where nobody is. */
/* Held for as long as the program runs by a socket that hears only itself: nobody else gets the port. */
static struct sockaddr_in dead_port(void)
{
    static struct sockaddr_in address;
    if (!address.sin_port) {
        SOCKET holder = udp_socket(&address);
        CHECK_EQ(connect(holder, (struct sockaddr *)&address, sizeof address), 0);
    }
    return address;
}

TEST_W8(port_unreachable, "SOCK-25", "Wine does not hear of unreachable ports on unconnected sockets")
{
    struct sockaddr_in a_address, b_address, dead = dead_port();
    SOCKET a = udp_socket(&a_address), b = udp_socket(&b_address);
    char got[16];
    OVERLAPPED ov = with_event(), bare = {0};
    DWORD bytes, flags, ms = 20000;
    CHECK_EQ(setsockopt(a, SOL_SOCKET, SO_RCVTIMEO, (char *)&ms, sizeof ms), 0);

    /* A blocking receive; the one after it is well. */
    CHECK_EQ(udp_send(a, &dead, "lost", 4), 4);
    CHECK_WSAERR(recvfrom(a, got, sizeof got, 0, NULL, NULL), WSAECONNRESET);
    CHECK_EQ(udp_send(b, &a_address, "well", 4), 4);
    CHECK_EQ(recvfrom(a, got, sizeof got, 0, NULL, NULL), 4);

    /* One that waits already, by result call and by port. */
    CHECK_EQ(start_recv(a, got, sizeof got, &ov), WSA_IO_PENDING);
    CHECK_EQ(udp_send(a, &dead, "lost", 4), 4);
    if (CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0)) {
        WSASetLastError(0);
        CHECK(!WSAGetOverlappedResult(a, &ov, &bytes, FALSE, &flags));
        CHECK_EQ(WSAGetLastError(), WSAECONNRESET);
        CHECK_ERR(GetOverlappedResult((HANDLE)a, &ov, &bytes, FALSE), ERROR_PORT_UNREACHABLE);
    }
    HANDLE port = port_of(a, 61);
    CHECK_EQ(start_recv(a, got, sizeof got, &bare), WSA_IO_PENDING);
    CHECK_EQ(udp_send(a, &dead, "lost", 4), 4);
    struct packet p = pop(port, 20000);
    CHECK_EQ(p.error, ERROR_PORT_UNREACHABLE);
    CHECK(p.ov == &bare);

    /* Sends are not disturbed by what happened to an earlier one. */
    CHECK_EQ(udp_send(a, &dead, "lost", 4), 4);
    CHECK_EQ(udp_send(a, &b_address, "fine", 4), 4);
    CHECK_EQ(recv(b, got, sizeof got, 0), 4);
    CHECK_MEM(got, "fine", 4);
    closesocket(a);
    closesocket(b);
    CloseHandle(port);
    CloseHandle(ov.hEvent);
}

/* A further send, which hears of it first, does not keep it from the receive that waits. */
TEST_W8(port_unreachable_between_sends, "SOCK-25",
        "Wine does not hear of unreachable ports on unconnected sockets")
{
    struct sockaddr_in a_address, b_address, dead = dead_port();
    SOCKET a = udp_socket(&a_address), b = udp_socket(&b_address);
    char got[16];
    OVERLAPPED ov = with_event();
    for (int i = 0; i < 100; i++) {
        CHECK_EQ(start_recv(a, got, sizeof got, &ov), WSA_IO_PENDING);
        CHECK_EQ(udp_send(a, &dead, "lost", 4), 4);
        CHECK_EQ(udp_send(a, &b_address, "fine", 4), 4);
        if (!CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0))
            break;
        CHECK_EQ(ov.Internal, 0xC000023F);
        CHECK_EQ(recv(b, got, sizeof got, 0), 4);
    }
    closesocket(a);
    closesocket(b);
    CloseHandle(ov.hEvent);
}

/* Nor does somebody who only looks at the socket, whatever kind of look that is. */
static void look_at_socket(SOCKET s, int way, WSAEVENT event)
{
    fd_set set;
    struct timeval now = {0, 0};
    WSAPOLLFD item = {.fd = s, .events = POLLRDNORM};
    FD_ZERO(&set);
    FD_SET(s, &set);
    if (way == 0)
        select(0, &set, NULL, NULL, &now);
    else if (way == 1)
        WSAPoll(&item, 1, 0);
    else
        CHECK_EQ(WSAEventSelect(s, event, FD_READ), 0);
    if (way == 2)
        CHECK_EQ(WSAEventSelect(s, event, 0), 0);
}

TEST_W8(port_unreachable_and_looks, "SOCK-25",
        "Wine does not hear of unreachable ports on unconnected sockets")
{
    struct sockaddr_in a_address, dead = dead_port();
    SOCKET a = udp_socket(&a_address);
    HANDLE port = port_of(a, 62), event = CreateEventA(NULL, TRUE, FALSE, NULL);
    OVERLAPPED ov;
    char got[16];
    for (int i = 0; i < 300; i++) {
        memset(&ov, 0, sizeof ov);
        CHECK_EQ(start_recv(a, got, sizeof got, &ov), WSA_IO_PENDING);
        CHECK_EQ(udp_send(a, &dead, "lost", 4), 4);
        look_at_socket(a, i % 3, event);
        struct packet p = pop(port, 20000);
        if (!CHECK_EQ(p.error, ERROR_PORT_UNREACHABLE) || !CHECK(p.ov == &ov))
            break;
    }
    closesocket(a);
    CloseHandle(port);
    CloseHandle(event);
}

struct blocked_receiver {
    SOCKET s;
    HANDLE begins;
    int told;
};

static DWORD WINAPI receive_resets(void *ctx)
{
    struct blocked_receiver *r = ctx;
    char got[16];
    for (int i = 0; i < 300; i++) {
        SetEvent(r->begins);
        if (recv(r->s, got, sizeof got, 0) != SOCKET_ERROR || WSAGetLastError() != WSAECONNRESET)
            break;
        r->told++;
    }
    return 0;
}

/* The same for a thread that sleeps in recv, or is just about to. */
TEST_W8(port_unreachable_and_a_blocked_receive, "SOCK-25",
        "Wine does not hear of unreachable ports on unconnected sockets")
{
    struct sockaddr_in a_address, dead = dead_port();
    struct blocked_receiver r = {udp_socket(&a_address), CreateEventA(NULL, FALSE, FALSE, NULL), 0};
    HANDLE thread, ends[2];
    DWORD ms = 10000;
    CHECK_EQ(setsockopt(r.s, SOL_SOCKET, SO_RCVTIMEO, (char *)&ms, sizeof ms), 0);
    thread = CreateThread(NULL, 0, receive_resets, &r, 0, NULL);
    ends[0] = thread;
    ends[1] = r.begins;
    while (WaitForMultipleObjects(2, ends, FALSE, 20000) == WAIT_OBJECT_0 + 1) {
        CHECK_EQ(udp_send(r.s, &dead, "lost", 4), 4);
        look_at_socket(r.s, 0, NULL);
    }
    CHECK_EQ(r.told, 300);
    closesocket(r.s);
    CloseHandle(thread);
    CloseHandle(r.begins);
}

/* SIO_UDP_CONNRESET with FALSE: it is not told. */
TEST(port_unreachable_off, "SOCK-25")
{
    struct sockaddr_in a_address, b_address, dead = dead_port();
    SOCKET a = udp_socket(&a_address), b = udp_socket(&b_address);
    char got[16];
    BOOL off = FALSE;
    DWORD bytes = 0;
    OVERLAPPED ov = with_event();
    CHECK_EQ(WSAIoctl(a, SIO_UDP_CONNRESET, &off, sizeof off, NULL, 0, &bytes, NULL, NULL), 0);
    CHECK_EQ(udp_send(a, &dead, "lost", 4), 4);
    CHECK_EQ(start_recv(a, got, sizeof got, &ov), WSA_IO_PENDING);
    CHECK_EQ(udp_send(a, &dead, "lost", 4), 4);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 100), WAIT_TIMEOUT);
    CHECK_EQ(udp_send(b, &a_address, "live", 4), 4);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
    CHECK_EQ(ov.Internal, 0);
    CHECK_EQ(ov.InternalHigh, 4);
    CloseHandle(ov.hEvent);
    closesocket(a);
    closesocket(b);
}

/* Nor on a connected socket, of which the kernel has an opinion of its own. */
TEST_W8(port_unreachable_off_connected, "SOCK-25", "Wine tells connected sockets all the same")
{
    struct sockaddr_in a_address, dead = dead_port();
    SOCKET a = udp_socket(&a_address);
    char got[16];
    BOOL off = FALSE;
    DWORD bytes = 0;
    OVERLAPPED ov = with_event();
    CHECK_EQ(WSAIoctl(a, SIO_UDP_CONNRESET, &off, sizeof off, NULL, 0, &bytes, NULL, NULL), 0);
    CHECK_EQ(connect(a, (struct sockaddr *)&dead, sizeof dead), 0);
    CHECK_EQ(start_recv(a, got, sizeof got, &ov), WSA_IO_PENDING);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(send(a, "lost", 4, 0), 4);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 100), WAIT_TIMEOUT);
    CHECK(CancelIoEx((HANDLE)a, &ov));
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
    CloseHandle(ov.hEvent);
    closesocket(a);
}

/* ---- the end ---- */

static struct {
    SOCKET s;
    struct meeting start, end;
    volatile LONG stop;
} shutter;

THREAD_FN(shut_it_down)
{
    for (int i = 0;; i++) {
        meet(&shutter.start);
        if (shutter.stop)
            return 0;
        for (volatile int spin = i * 7919 % 60000; spin > 0; spin--)
            ;
        CHECK_EQ(shutdown(shutter.s, SD_SEND), 0);
        meet(&shutter.end);
    }
}

/* A send that begins as another thread shuts its direction down is before that or after it: all or none. */
TEST(shut_down_as_a_send_begins, "SOCK-20")
{
    enum { ROUNDS = 1500, SIZE = 1 << 20 };
    static char data[SIZE], sink[SIZE];
    int good = 1, small = 8192;
    memset(&shutter, 0, sizeof shutter);
    shutter.start.need = shutter.end.need = 2;
    HANDLE thread = start_thread(shut_it_down, NULL);
    double until = now_ms() + 1500;
    for (int i = 0; good && i < ROUNDS && now_ms() < until; i++) {
        SOCKET pair[2];
        OVERLAPPED ov = with_event();
        DWORD sent = 0, flags;
        WSABUF buf = {SIZE, data};
        long got = 0;
        int n;
        if (!CHECK(tcp_pair(pair)))
            break;
        setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, (char *)&small, sizeof small);
        shutter.s = pair[0];
        meet(&shutter.start);
        int error = WSASend(pair[0], &buf, 1, NULL, 0, &ov, NULL) == 0 ? 0 : WSAGetLastError();
        meet(&shutter.end);
        while ((n = recv(pair[1], sink, SIZE, 0)) > 0)
            got += n;
        if (error == 0 || error == WSA_IO_PENDING)
            good = CHECK(WSAGetOverlappedResult(pair[0], &ov, &sent, TRUE, &flags)) & CHECK_EQ(sent, SIZE) &
                   CHECK_EQ(got, SIZE);
        else
            good = CHECK_EQ(error, WSAESHUTDOWN) & CHECK_EQ(got, 0);
        CloseHandle(ov.hEvent);
        closesocket(pair[0]);
        closesocket(pair[1]);
    }
    shutter.stop = 1;
    meet(&shutter.start);
    JOIN(thread);
}

/* ---- messages ---- */

static LPFN_WSARECVMSG recvmsg_pointer(SOCKET s)
{
    LPFN_WSARECVMSG pointer = NULL;
    DWORD bytes = 0;
    CHECK_EQ(extension(s, (GUID)WSAID_WSARECVMSG, &pointer, &bytes), 0);
    return pointer;
}

struct message {
    WSAMSG msg;
    WSABUF bufs[2];
    struct sockaddr_in name;
    char head[4], body[60];
    union {
        char room[256];
        WSACMSGHDR align;
    } control;
};

static void message_init(struct message *m)
{
    memset(m, 0, sizeof *m);
    m->bufs[0].len = sizeof m->head;
    m->bufs[0].buf = m->head;
    m->bufs[1].len = sizeof m->body;
    m->bufs[1].buf = m->body;
    m->msg.lpBuffers = m->bufs;
    m->msg.dwBufferCount = 2;
    m->msg.name = (struct sockaddr *)&m->name;
    m->msg.namelen = sizeof m->name;
    m->msg.Control.buf = m->control.room;
    m->msg.Control.len = sizeof m->control.room;
}

/* The local address that an IP_PKTINFO message tells; 0 if there is none. */
static unsigned packet_address(struct message *m)
{
    for (WSACMSGHDR *c = WSA_CMSG_FIRSTHDR(&m->msg); c; c = WSA_CMSG_NXTHDR(&m->msg, c))
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            IN_PKTINFO info;
            memcpy(&info, WSA_CMSG_DATA(c), sizeof info);
            return ntohl(info.ipi_addr.s_addr);
        }
    return 0;
}

TEST(messages, "SOCK-26 SOCK-11")
{
    struct sockaddr_in a_address = loopback(0), b_address;
    SOCKET a, b = udp_socket(&b_address), pair[2];
    struct message m;
    DWORD bytes = 0, on = 1;
    int size = sizeof a_address;
    OVERLAPPED ov = with_event();
    a_address.sin_addr.s_addr = htonl(INADDR_ANY);
    a = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK_EQ(bind(a, (struct sockaddr *)&a_address, sizeof a_address), 0);
    CHECK_EQ(getsockname(a, (struct sockaddr *)&a_address, &size), 0);
    a_address.sin_addr.s_addr = htonl(0x7F000102); /* 127.0.1.2 is ours as well */
    LPFN_WSARECVMSG receive = recvmsg_pointer(a);
    REQUIRE(receive != NULL);
    CHECK_EQ(setsockopt(a, IPPROTO_IP, IP_PKTINFO, (char *)&on, sizeof on), 0);

    /* Not overlapped. */
    CHECK_EQ(udp_send(b, &a_address, "blocking", 8), 8);
    message_init(&m);
    CHECK_EQ(receive(a, &m.msg, &bytes, NULL, NULL), 0);
    CHECK_EQ(bytes, 8);
    CHECK_MEM(m.head, "bloc", 4);
    CHECK_MEM(m.body, "king", 4);
    CHECK_EQ(m.name.sin_port, b_address.sin_port);
    CHECK_EQ(m.msg.namelen, sizeof m.name);
    CHECK_EQ(packet_address(&m), 0x7F000102);

    /* Overlapped: nothing is written before there is something. */
    message_init(&m);
    CHECK_EQ(receive(a, &m.msg, NULL, &ov, NULL), SOCKET_ERROR);
    CHECK_EQ(WSAGetLastError(), WSA_IO_PENDING);
    CHECK_EQ(m.name.sin_port, 0);
    CHECK_EQ(udp_send(b, &a_address, "pending", 7), 7);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
    CHECK_EQ(ov.Internal, 0);
    CHECK_EQ(ov.InternalHigh, 7);
    CHECK_MEM(m.head, "pend", 4);
    CHECK_MEM(m.body, "ing", 3);
    CHECK_EQ(m.name.sin_port, b_address.sin_port);
    CHECK_EQ(packet_address(&m), 0x7F000102);
    CHECK(m.msg.Control.len > 0 && m.msg.Control.len < sizeof m.control.room);

    /* Truncated: WSAEMSGSIZE, and MSG_TRUNC in the message. */
    message_init(&m);
    m.msg.dwBufferCount = 1;
    CHECK_EQ(udp_send(b, &a_address, "truncated", 9), 9);
    CHECK_WSAERR(receive(a, &m.msg, &bytes, NULL, NULL), WSAEMSGSIZE);
    CHECK_MEM(m.head, "trun", 4);
    TODO_WINE("Wine leaves the flags alone then")
    {
        CHECK_EQ(m.msg.dwFlags & MSG_TRUNC, MSG_TRUNC);
        /* Nothing but the data is asked for. */
        message_init(&m);
        m.msg.dwBufferCount = 1;
        m.msg.name = NULL;
        m.msg.namelen = 0;
        m.msg.Control.buf = NULL;
        m.msg.Control.len = 0;
        CHECK_EQ(udp_send(b, &a_address, "truncated", 9), 9);
        CHECK_WSAERR(receive(a, &m.msg, &bytes, NULL, NULL), WSAEMSGSIZE);
        CHECK_EQ(m.msg.dwFlags & MSG_TRUNC, MSG_TRUNC);
    }

    /* Sending: the name is the destination. */
    message_init(&m);
    memcpy(m.head, "sent", 4);
    memcpy(m.body, "message", 7);
    m.bufs[1].len = 7;
    m.name = b_address;
    m.msg.Control.len = 0;
    m.msg.Control.buf = NULL;
    if (WSASendMsg(a, &m.msg, 0, NULL, &ov, NULL))
        CHECK_EQ(WSAGetLastError(), WSA_IO_PENDING);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
    CHECK_EQ(ov.InternalHigh, 11);
    char got[32];
    CHECK_EQ(recv(b, got, sizeof got, 0), 11);
    CHECK_MEM(got, "sentmessage", 11);
    bytes = 0;
    CHECK_EQ(WSASendMsg(a, &m.msg, 0, &bytes, NULL, NULL), 0);
    CHECK_EQ(bytes, 11);
    CHECK_EQ(recv(b, got, sizeof got, 0), 11);

    /* Streams: no. */
    REQUIRE(tcp_pair(pair));
    CHECK_EQ(send(pair[1], "stream", 6, 0), 6);
    message_init(&m);
    TODO_WINE("Wine does receive messages on streams")
    {
        CHECK_EQ(receive(pair[0], &m.msg, &bytes, NULL, NULL), SOCKET_ERROR);
        m.msg.namelen = 0;
        m.msg.name = NULL;
        m.msg.Control.len = 0;
        m.msg.Control.buf = NULL;
        CHECK_EQ(WSASendMsg(pair[0], &m.msg, 0, &bytes, NULL, NULL), SOCKET_ERROR);
    }
    end_pair(pair);
    CloseHandle(ov.hEvent);
    closesocket(a);
    closesocket(b);
}

/* ---- many at once ---- */

enum { PAIRS = 24, ROUNDS = 60, WORKERS = 3 };

struct lane {
    OVERLAPPED recv_ov, send_ov;
    SOCKET s, other;
    char in[512], out[512];
    int got, rounds, size;
};

static struct lane lanes[PAIRS];
static volatile LONG lanes_left, packets_seen;

/* An echo server over a port: what comes in goes out again. */
static void lane_receive(struct lane *l)
{
    memset(&l->recv_ov, 0, sizeof l->recv_ov);
    int error = start_recv(l->s, l->in, sizeof l->in, &l->recv_ov);
    if (error && error != WSA_IO_PENDING)
        FAIL("WSARecv: error %d", error);
}

THREAD_FN(echo_worker)
{
    HANDLE port = arg;
    for (;;) {
        struct packet p = pop(port, 10000);
        if (!p.ov) /* the end, or far too late */
            return CHECK_EQ(p.error, 0) ? 0 : 1;
        InterlockedIncrement(&packets_seen);
        struct lane *l = (struct lane *)p.key;
        if (!CHECK_EQ(p.error, 0))
            return 1;
        if (p.ov == &l->send_ov)
            lane_receive(l);
        else if (p.bytes == 0) {
            if (InterlockedDecrement(&lanes_left) == 0)
                for (int i = 0; i < WORKERS; i++)
                    PostQueuedCompletionStatus(port, 0, 0, NULL);
        } else {
            memcpy(l->out, l->in, p.bytes);
            memset(&l->send_ov, 0, sizeof l->send_ov);
            int error = start_send(l->s, l->out, p.bytes, &l->send_ov);
            if (error && error != WSA_IO_PENDING)
                FAIL("WSASend: error %d", error);
        }
    }
}

TEST(echo_with_workers, "PORT-12 SOCK-12 SOCK-13 SOCK-16")
{
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0), workers[WORKERS];
    SOCKET pair[2];
    char out[512], back[512];
    int wrong = 0;
    lanes_left = PAIRS;
    packets_seen = 0;
    for (int i = 0; i < PAIRS; i++) {
        REQUIRE(tcp_pair(pair));
        lanes[i].s = pair[0];
        lanes[i].other = pair[1];
        CHECK(CreateIoCompletionPort((HANDLE)pair[0], port, (ULONG_PTR)&lanes[i], 0) == port);
        lane_receive(&lanes[i]);
    }
    for (int i = 0; i < WORKERS; i++)
        workers[i] = start_thread(echo_worker, port);
    for (int round = 0; round < ROUNDS && !wrong; round++) {
        for (int i = 0; i < PAIRS; i++) {
            lanes[i].size = 1 + (int)rnd(sizeof out);
            fill(out, (size_t)lanes[i].size, (unsigned)(round * 7 + i));
            CHECK_EQ(send(lanes[i].other, out, lanes[i].size, 0), lanes[i].size);
        }
        for (int i = 0; i < PAIRS; i++) {
            int n = 0, at = 0;
            while (at < lanes[i].size && (n = recv(lanes[i].other, back + at, lanes[i].size - at, 0)) > 0)
                at += n;
            wrong += at != lanes[i].size || wrong_bytes(back, (size_t)at, (unsigned)(round * 7 + i));
        }
    }
    CHECK_EQ(wrong, 0);
    for (int i = 0; i < PAIRS; i++)
        CHECK_EQ(shutdown(lanes[i].other, SD_SEND), 0);
    for (int i = 0; i < WORKERS; i++)
        JOIN(workers[i]);
    CHECK_EQ(lanes_left, 0);
    CHECK(packets_seen >= PAIRS * (2 * ROUNDS + 1));
    for (int i = 0; i < PAIRS; i++) {
        closesocket(lanes[i].s);
        closesocket(lanes[i].other);
    }
    CloseHandle(port);
}
