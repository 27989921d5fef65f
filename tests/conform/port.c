/* SPDX-License-Identifier: MIT */
/*
 * Completion ports: making them, associating, what a dequeue returns in each of its outcomes, order, what is
 * queued and what is not, closing. How many threads a port lets run is port_concurrency.c.
 */
#include "conform.h"
#include "packet.h"

/* ---- making and associating ---- */

TEST(new_port_has_no_file, "PORT-01")
{
    HANDLE one = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 77, 1);
    HANDLE two = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 77, 0);
    REQUIRE(one != NULL && two != NULL);
    CHECK(one != INVALID_HANDLE_VALUE && one != two);
    CHECK(((uintptr_t)one & 3) == 0);
    CHECK_NO_PACKET(one, 0);
    /* The key 77 belongs to nothing: a packet has the key it was posted with. */
    CHECK(PostQueuedCompletionStatus(one, 1, 2, NULL));
    CHECK_NO_PACKET(two, 0);
    CHECK_PACKET(one, 1, 2, NULL);
    CHECK_NO_PACKET(one, 0);
    CHECK_ERR(CreateIoCompletionPort(INVALID_HANDLE_VALUE, one, 0, 0), ERROR_INVALID_PARAMETER);
    CHECK(CloseHandle(one));
    CHECK(CloseHandle(two));

    /* As many threads as there are. */
    HANDLE wide = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0xFFFFFFFF);
    REQUIRE(wide != NULL);
    CHECK(PostQueuedCompletionStatus(wide, 3, 4, NULL));
    CHECK_PACKET(wide, 3, 4, NULL);
    CHECK(CloseHandle(wide));
}

TEST(association_returns_the_port, "PORT-02")
{
    SOCKET a[2], b[2];
    OVERLAPPED ov = {0}, unbound = {0};
    char buffer[8];
    HANDLE port = new_port(1);
    REQUIRE(port && tcp_pair(a) && tcp_pair(b));
    CHECK(CreateIoCompletionPort((HANDLE)a[0], port, 11, 0) == port);
    CHECK_NO_PACKET(port, 0);

    HANDLE own = CreateIoCompletionPort((HANDLE)b[0], NULL, 12, 1);
    REQUIRE(own != NULL);
    CHECK(own != INVALID_HANDLE_VALUE && own != port && own != (HANDLE)b[0]);

    CHECK_EQ(start_recv(b[0], buffer, sizeof buffer, &ov), WSA_IO_PENDING);
    CHECK(send_all(b[1], "abc", 3));
    CHECK_PACKET(own, 3, 12, &ov);
    CHECK_NO_PACKET(port, 0);

    /* A handle that was never associated sends packets to nobody. */
    unbound.hEvent = manual_event();
    CHECK_EQ(start_recv(b[1], buffer, sizeof buffer, &unbound), WSA_IO_PENDING);
    CHECK(send_all(b[0], "d", 1));
    CHECK_EQ(WaitForSingleObject(unbound.hEvent, SOON), WAIT_OBJECT_0);
    CHECK_NO_PACKET(own, 0);
    CHECK_NO_PACKET(port, 0);
    CloseHandle(unbound.hEvent);
    close_pair(a);
    close_pair(b);
    CloseHandle(own);
    CloseHandle(port);
}

TEST(pending_operation_follows_association, "PORT-02 PORT-03")
{
    SOCKET pair[2];
    OVERLAPPED ov = {0};
    char buffer[8];
    HANDLE port = new_port(1);
    REQUIRE(port && tcp_pair(pair));
    CHECK_EQ(start_recv(pair[0], buffer, sizeof buffer, &ov), WSA_IO_PENDING);
    CHECK(bind_port(port, pair[0], 5));
    CHECK_NO_PACKET(port, 0);
    CHECK(send_all(pair[1], "abcd", 4));
    CHECK_PACKET(port, 4, 5, &ov);
    CHECK_NO_PACKET(port, 0);
    close_pair(pair);
    CloseHandle(port);
}

TEST(every_handle_has_its_key, "PORT-03")
{
    enum { PAIRS = 12, ROUNDS = 8 };
    static const ULONG_PTR special[4] = {0, 1, (ULONG_PTR)-1, (ULONG_PTR)1 << (sizeof(void *) * 8 - 1)};
    static SOCKET pairs[PAIRS][2];
    static OVERLAPPED ovs[PAIRS];
    static char buffers[PAIRS][64];
    ULONG_PTR keys[PAIRS];
    HANDLE port = new_port(1);
    REQUIRE(port != NULL);
    for (unsigned i = 0; i < PAIRS; i++) {
        keys[i] = i < 4 ? special[i] : (ULONG_PTR)&pairs[i];
        REQUIRE(tcp_pair(pairs[i]) && bind_port(port, pairs[i][0], keys[i]));
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < PAIRS; i++) {
            memset(&ovs[i], 0, sizeof ovs[i]);
            CHECK_EQ(start_recv(pairs[i][0], buffers[i], sizeof buffers[i], &ovs[i]), WSA_IO_PENDING);
        }
        unsigned shift = rnd(PAIRS);
        for (unsigned n = 0; n < PAIRS; n++) {
            unsigned i = (n * 5 + shift) % PAIRS; /* 5 and 12 have no common factor */
            char text[64] = {0};
            CHECK(send_all(pairs[i][1], text, (int)i + 1));
            CHECK_PACKET(port, i + 1, keys[i], &ovs[i]);
        }
        CHECK_NO_PACKET(port, 0);
    }
    for (unsigned i = 0; i < PAIRS; i++)
        close_pair(pairs[i]);
    CloseHandle(port);
}

TEST(one_port_for_life, "PORT-04")
{
    SOCKET pair[2];
    OVERLAPPED ov = {0};
    char buffer[8];
    HANDLE port = new_port(1), other = new_port(1);
    REQUIRE(port && other && tcp_pair(pair) && bind_port(port, pair[0], 21));
    CHECK_ERR(CreateIoCompletionPort((HANDLE)pair[0], port, 21, 0), ERROR_INVALID_PARAMETER);
    CHECK_ERR(CreateIoCompletionPort((HANDLE)pair[0], port, 22, 0), ERROR_INVALID_PARAMETER);
    CHECK_ERR(CreateIoCompletionPort((HANDLE)pair[0], other, 23, 0), ERROR_INVALID_PARAMETER);
    CHECK_ERR(CreateIoCompletionPort((HANDLE)pair[0], NULL, 24, 0), ERROR_INVALID_PARAMETER);

    /* The first association goes on. */
    CHECK_EQ(start_recv(pair[0], buffer, sizeof buffer, &ov), WSA_IO_PENDING);
    CHECK(send_all(pair[1], "ab", 2));
    CHECK_PACKET(port, 2, 21, &ov);
    CHECK_NO_PACKET(port, 0);
    CHECK_NO_PACKET(other, 0);

    /* For life: the port's end does not free the handle. */
    CHECK(CloseHandle(port));
    CHECK_ERR(CreateIoCompletionPort((HANDLE)pair[0], other, 25, 0), ERROR_INVALID_PARAMETER);
    close_pair(pair);
    CloseHandle(other);
}

TEST(file_has_one_port, "PORT-04 PORT-13")
{
    OVERLAPPED ov = {0};
    char buffer[16];
    HANDLE port = new_port(1), file = temp_file(100, FILE_FLAG_OVERLAPPED);
    REQUIRE(port && file != INVALID_HANDLE_VALUE);
    CHECK(CreateIoCompletionPort(file, port, 31, 0) == port);
    CHECK_ERR(CreateIoCompletionPort(file, port, 32, 0), ERROR_INVALID_PARAMETER);
    CHECK(ReadFile(file, buffer, 16, NULL, &ov) || GetLastError() == ERROR_IO_PENDING);
    CHECK_PACKET(port, 16, 31, &ov);
    CHECK_NO_PACKET(port, 0);
    CloseHandle(file);
    CloseHandle(port);
}

TEST(synchronous_file_is_refused, "PORT-05")
{
    char buffer[10];
    DWORD bytes = 0;
    HANDLE port = new_port(1), file = temp_file(100, 0);
    REQUIRE(port && file != INVALID_HANDLE_VALUE);
    CHECK_ERR(CreateIoCompletionPort(file, port, 1, 0), ERROR_INVALID_PARAMETER);
    CHECK_ERR(CreateIoCompletionPort(file, NULL, 1, 0), ERROR_INVALID_PARAMETER);
    /* It stays what it was. */
    CHECK(ReadFile(file, buffer, sizeof buffer, &bytes, NULL));
    CHECK_EQ(bytes, sizeof buffer);
    CHECK_EQ((unsigned char)buffer[9], pattern(9));
    CHECK_NO_PACKET(port, 0);
    CloseHandle(file);

    HANDLE overlapped = temp_file(100, FILE_FLAG_OVERLAPPED);
    CHECK(CreateIoCompletionPort(overlapped, port, 1, 0) == port);
    CloseHandle(overlapped);
    CloseHandle(port);
}

/* ---- what a dequeue returns ---- */

TEST(packet_of_success, "PORT-06")
{
    SOCKET pair[2];
    OVERLAPPED ov = {0}, out = {0}, read = {.Offset = 95};
    char buffer[100];
    HANDLE port = new_port(1), file = temp_file(100, FILE_FLAG_OVERLAPPED);
    REQUIRE(port && file != INVALID_HANDLE_VALUE && tcp_pair(pair) && bind_port(port, pair[0], 0xA1));
    CHECK(CreateIoCompletionPort(file, port, 0xA2, 0) == port);

    CHECK_EQ(start_recv(pair[0], buffer, sizeof buffer, &ov), WSA_IO_PENDING);
    CHECK(send_all(pair[1], "seven b", 7));
    CHECK_PACKET(port, 7, 0xA1, &ov);
    CHECK_MEM(buffer, "seven b", 7);
    CHECK_EQ(ov.Internal, 0);

    int started = start_send(pair[0], "12345", 5, &out);
    CHECK(started == 0 || started == WSA_IO_PENDING);
    CHECK_PACKET(port, 5, 0xA1, &out);

    CHECK(ReadFile(file, buffer, 50, NULL, &read) || GetLastError() == ERROR_IO_PENDING);
    CHECK_PACKET(port, 5, 0xA2, &read);
    CHECK_EQ((unsigned char)buffer[4], pattern(99));
    CHECK_NO_PACKET(port, 0);

    /* The end of the stream is a success with no bytes. */
    memset(&ov, 0, sizeof ov);
    CHECK_EQ(start_recv(pair[0], buffer, sizeof buffer, &ov), WSA_IO_PENDING);
    CHECK_EQ(shutdown(pair[1], SD_SEND), 0);
    CHECK_PACKET(port, 0, 0xA1, &ov);
    close_pair(pair);
    CloseHandle(file);
    CloseHandle(port);
}

TEST(packet_of_failure, "PORT-07")
{
    SOCKET pair[2];
    OVERLAPPED ov = {0};
    char buffer[8];
    HANDLE port = new_port(1);
    REQUIRE(port && tcp_pair(pair) && bind_port(port, pair[0], 0xB1));

    CHECK_EQ(start_recv(pair[0], buffer, sizeof buffer, &ov), WSA_IO_PENDING);
    CHECK(CancelIoEx((HANDLE)pair[0], &ov));
    CHECK_FAILED_PACKET(port, ERROR_OPERATION_ABORTED, 0, 0xB1, &ov);

    memset(&ov, 0, sizeof ov);
    CHECK_EQ(start_recv(pair[0], buffer, sizeof buffer, &ov), WSA_IO_PENDING);
    reset_socket(pair[1]);
    CHECK_FAILED_PACKET(port, ERROR_NETNAME_DELETED, 0, 0xB1, &ov);
    CHECK_NO_PACKET(port, 0);
    closesocket(pair[0]);
    CloseHandle(port);
}

/* A failure whose byte count is not 0: a datagram that is too long for the buffer. */
TEST(failed_packet_carries_its_bytes, "PORT-07 PORT-27")
{
    net_start();
    struct sockaddr_in address = loopback(0);
    int size = sizeof address;
    OVERLAPPED ov = {0};
    char buffer[4] = "";
    HANDLE port = new_port(1);
    SOCKET in = WSASocketA(AF_INET, SOCK_DGRAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED);
    SOCKET out = socket(AF_INET, SOCK_DGRAM, 0);
    REQUIRE(port && in != INVALID_SOCKET && out != INVALID_SOCKET);
    REQUIRE(!bind(in, (struct sockaddr *)&address, size));
    REQUIRE(!getsockname(in, (struct sockaddr *)&address, &size) && bind_port(port, in, 0xB2));

    for (int ex = 0; ex < 2; ex++) {
        memset(&ov, 0, sizeof ov);
        CHECK_EQ(start_recv(in, buffer, sizeof buffer, &ov), WSA_IO_PENDING);
        CHECK_EQ(sendto(out, "0123456789", 10, 0, (struct sockaddr *)&address, sizeof address), 10);
        if (!ex) {
            CHECK_FAILED_PACKET(port, ERROR_MORE_DATA, 4, 0xB2, &ov);
        } else {
            OVERLAPPED_ENTRY entry = {0};
            ULONG count = 0;
            CHECK(GetQueuedCompletionStatusEx(port, &entry, 1, &count, SOON, FALSE));
            CHECK_EQ(count, 1);
            CHECK_EQ(entry.lpCompletionKey, 0xB2);
            CHECK(entry.lpOverlapped == &ov);
            CHECK_EQ(entry.dwNumberOfBytesTransferred, 4);
        }
        CHECK_EQ((DWORD)ov.Internal, 0x80000005);
        CHECK_EQ(ov.InternalHigh, 4);
        CHECK_MEM(buffer, "0123", 4);
    }
    closesocket(in);
    closesocket(out);
    CloseHandle(port);
}

TEST(nothing_dequeued, "PORT-08 PORT-09")
{
    HANDLE port = new_port(1);
    REQUIRE(port != NULL);

    CHECK_NO_PACKET(port, 0);

    double start = now_ms();
    CHECK_NO_PACKET(port, 120);
    double took = now_ms() - start;
    CHECK_MSG(took >= 100, "a wait of 120 ms took %.1f ms", took);

    /* A packet of a NULL OVERLAPPED is told from it by TRUE. */
    CHECK(PostQueuedCompletionStatus(port, 0, 0, NULL));
    CHECK_PACKET(port, 0, 0, NULL);

    /* A poll takes what is there, however short. */
    CHECK(PostQueuedCompletionStatus(port, 3, 4, NULL));
    CHECK(check_got(__FILE__, __LINE__, get_packet(port, 0), 0, 3, 4, NULL));
    CHECK(CloseHandle(port));

    /* A wait that fails for another reason. */
    struct got g = get_packet(port, 0);
    CHECK(!g.ok && !g.ov);
    CHECK_EQ(g.error, ERROR_INVALID_HANDLE);
}

struct infinite {
    HANDLE port, done;
    struct got got;
    volatile LONG id;
};

THREAD_FN(wait_for_ever)
{
    struct infinite *w = arg;
    InterlockedExchange(&w->id, (LONG)GetCurrentThreadId());
    w->got = get_packet(w->port, INFINITE);
    SetEvent(w->done);
    return 0;
}

TEST(infinite_does_not_time_out, "PORT-09")
{
    struct infinite w = {.port = new_port(1), .done = manual_event()};
    REQUIRE(w.port && w.done);
    HANDLE thread = start_thread(wait_for_ever, &w);
    REQUIRE(thread != NULL);
    CHECK_EQ(WaitForSingleObject(w.done, 300), WAIT_TIMEOUT);
    CHECK(PostQueuedCompletionStatus(w.port, 8, 9, NULL));
    CHECK_EQ(WaitForSingleObject(w.done, SOON), WAIT_OBJECT_0);
    check_got(__FILE__, __LINE__, w.got, 0, 8, 9, NULL);
    JOIN(thread);
    CloseHandle(w.port);
    CloseHandle(w.done);
}

TEST(posted_values_come_back, "PORT-10")
{
    static const ULONG_PTR keys[] = {0, 1, (ULONG_PTR)-1, (ULONG_PTR)0xFEEDFACECAFEBEEFull};
    static const DWORD bytes[] = {0, 1, 0x7FFFFFFF, 0xFFFFFFFF};
    OVERLAPPED *ovs[5];
    SYSTEM_INFO info;
    GetSystemInfo(&info);
    void *page = VirtualAlloc(NULL, info.dwPageSize, MEM_RESERVE | MEM_COMMIT, PAGE_NOACCESS);
    HANDLE port = new_port(1);
    REQUIRE(port && page);
    ovs[0] = NULL;
    ovs[1] = (OVERLAPPED *)1;
    ovs[2] = (OVERLAPPED *)(uintptr_t)-1;
    ovs[3] = page;                                 /* reading or writing through it would crash */
    ovs[4] = (OVERLAPPED *)(uintptr_t)0xDEADBEEE5; /* not even mapped */
    for (unsigned k = 0; k < ARRAYSIZE(keys); k++)
        for (unsigned b = 0; b < ARRAYSIZE(bytes); b++)
            for (unsigned o = 0; o < ARRAYSIZE(ovs); o++) {
                SetLastError(OLD_ERROR);
                CHECK(PostQueuedCompletionStatus(port, bytes[b], keys[k], ovs[o]));
                CHECK_LASTERR(OLD_ERROR);
                CHECK_PACKET(port, bytes[b], keys[k], ovs[o]);
            }
    CHECK_NO_PACKET(port, 0);
    CloseHandle(port);
    VirtualFree(page, 0, MEM_RELEASE);
}

/* Programs requeue live requests, with an answer of their own in them. */
TEST(posted_overlapped_is_not_touched, "PORT-10 PORT-27")
{
    OVERLAPPED ov, before;
    OVERLAPPED_ENTRY entry;
    ULONG count = 0;
    HANDLE event = manual_event(), port = new_port(1);
    REQUIRE(event && port);
    memset(&ov, 0x5A, sizeof ov);
    ov.Internal = 0xC0000120; /* the answer in it is not the packet's */
    ov.hEvent = event;
    before = ov;
    CHECK(PostQueuedCompletionStatus(port, 17, 18, &ov));
    CHECK_PACKET(port, 17, 18, &ov);
    CHECK_MEM(&ov, &before, sizeof ov);

    memset(&entry, 0x77, sizeof entry);
    CHECK(PostQueuedCompletionStatus(port, 19, 20, &ov));
    CHECK(GetQueuedCompletionStatusEx(port, &entry, 1, &count, SOON, FALSE));
    CHECK_EQ(count, 1);
    CHECK_EQ(entry.lpCompletionKey, 20);
    CHECK(entry.lpOverlapped == &ov);
    CHECK_EQ(entry.dwNumberOfBytesTransferred, 19);
    CHECK_EQ((DWORD)entry.Internal, 0);
    CHECK_MEM(&ov, &before, sizeof ov);
    CHECK(!is_set(event));
    CloseHandle(event);
    CloseHandle(port);
}

/* ---- order and number ---- */

TEST(posted_packets_keep_their_order, "PORT-11")
{
    enum { MANY = 2000 };
    HANDLE port = new_port(1);
    REQUIRE(port != NULL);
    for (ULONG_PTR i = 0; i < MANY; i++)
        CHECK(PostQueuedCompletionStatus(port, (DWORD)i, i * 3, (OVERLAPPED *)(i + 1)));
    for (ULONG_PTR i = 0; i < MANY; i++)
        if (!CHECK_PACKET(port, (DWORD)i, i * 3, (OVERLAPPED *)(i + 1)))
            break;
    CHECK_NO_PACKET(port, 0);
    CloseHandle(port);
}

TEST(posted_and_io_packets_in_one_order, "PORT-11")
{
    enum { ROUNDS = 200 };
    SOCKET a[2], b[2];
    OVERLAPPED first = {0}, second = {0};
    char buffer[8], other[8];
    HANDLE port = new_port(1), one = auto_event(), two = auto_event();
    REQUIRE(port && one && two && tcp_pair(a) && tcp_pair(b));
    REQUIRE(bind_port(port, a[0], 1) && bind_port(port, b[0], 2));
    for (int i = 0; i < ROUNDS; i++) {
        first.hEvent = one;
        second.hEvent = two;
        CHECK_EQ(start_recv(a[0], buffer, sizeof buffer, &first), WSA_IO_PENDING);
        CHECK_EQ(start_recv(b[0], other, sizeof other, &second), WSA_IO_PENDING);
        CHECK(PostQueuedCompletionStatus(port, 10, 3, NULL));
        CHECK(send_all(b[1], "xy", 2));
        CHECK_EQ(WaitForSingleObject(two, SOON), WAIT_OBJECT_0);
        CHECK(PostQueuedCompletionStatus(port, 11, 3, NULL));
        CHECK(send_all(a[1], "x", 1));
        CHECK_EQ(WaitForSingleObject(one, SOON), WAIT_OBJECT_0);
        CHECK(PostQueuedCompletionStatus(port, 12, 3, NULL));
        int good = CHECK_PACKET(port, 10, 3, NULL) + CHECK_PACKET(port, 2, 2, &second) +
                   CHECK_PACKET(port, 11, 3, NULL) + CHECK_PACKET(port, 1, 1, &first) +
                   CHECK_PACKET(port, 12, 3, NULL);
        if (good != 5)
            break;
    }
    CHECK_NO_PACKET(port, 0);
    close_pair(a);
    close_pair(b);
    CloseHandle(port);
    CloseHandle(one);
    CloseHandle(two);
}

/* Operations that succeed inside their start call stand in the queue where they ended. */
TEST(immediate_successes_keep_their_order, "PORT-11 PORT-13")
{
    enum { MANY = 300 };
    static OVERLAPPED ovs[MANY];
    SOCKET pair[2];
    static char sink[MANY];
    HANDLE port = new_port(1);
    REQUIRE(port && tcp_pair(pair) && bind_port(port, pair[0], 1));
    memset(ovs, 0, sizeof ovs);
    for (int i = 0; i < MANY; i++) {
        CHECK_EQ(start_send(pair[0], "z", 1, &ovs[i]), 0); /* there is room: it cannot pend */
        CHECK(PostQueuedCompletionStatus(port, 0, 2, &ovs[i]));
    }
    for (int i = 0; i < MANY; i++)
        if (CHECK_PACKET(port, 1, 1, &ovs[i]) + CHECK_PACKET(port, 0, 2, &ovs[i]) != 2)
            break;
    CHECK_NO_PACKET(port, 0);
    int n = 0;
    for (int got; n < MANY && (got = recv(pair[1], sink, sizeof sink, 0)) > 0;)
        n += got;
    CHECK_EQ(n, MANY);
    close_pair(pair);
    CloseHandle(port);
}

static struct {
    HANDLE port;
    volatile LONG stop, posted;
} posts;

THREAD_FN(post_with_pauses)
{
    unsigned state = 99;
    while (!READ(posts.stop)) {
        PostQueuedCompletionStatus(posts.port, 0, (ULONG_PTR)InterlockedIncrement(&posts.posted), NULL);
        state = state * 1664525 + 1013904223;
        for (unsigned n = (state >> 16) % 20000; n > 0 && !READ(posts.stop); n--)
            YieldProcessor();
    }
    return 0;
}

/* Time runs out and a packet comes at the same moment: it is delivered now or by the next call. */
TEST(timeouts_lose_no_packet, "PORT-09 PORT-12 PORT-11")
{
    ULONG_PTR next = 1;
    int timeouts = 0;
    memset(&posts, 0, sizeof posts);
    posts.port = new_port(1);
    HANDLE thread = start_thread(post_with_pauses, NULL);
    REQUIRE(posts.port && thread);
    for (double until = now_ms() + 1200; now_ms() < until;) {
        struct got g = get_packet(posts.port, rnd(3) ? 1 : 0);
        timeouts += !g.ok;
        if (g.ok ? !CHECK_EQ(g.key, next++) : !CHECK(!g.ov && g.error == WAIT_TIMEOUT))
            break;
    }
    InterlockedExchange(&posts.stop, 1);
    JOIN(thread);
    while (next <= (ULONG_PTR)posts.posted && CHECK_PACKET(posts.port, 0, next, NULL))
        next++;
    CHECK_NO_PACKET(posts.port, 0);
    CHECK(timeouts > 0);
    CloseHandle(posts.port);
}

enum { RECVS = 2000, POSTS = 4000, SERVERS = 4 };
static struct {
    HANDLE port;
    volatile LONG seen[RECVS + POSTS], total, wrong;
    OVERLAPPED ovs[RECVS];
    char bytes[RECVS];
} once;

THREAD_FN(serve_once)
{
    for (;;) {
        struct got g = get_packet(once.port, 10000);
        if (!CHECK_MSG(g.ok, "a packet failed: %u", (unsigned)g.error) || g.key == 3)
            return 0;
        unsigned i = g.key == 1 ? (unsigned)(g.ov - once.ovs) : RECVS + g.bytes;
        if ((g.key == 1 && g.bytes != 1) || i >= RECVS + POSTS)
            InterlockedIncrement(&once.wrong);
        else
            InterlockedIncrement(&once.seen[i]);
        InterlockedIncrement(&once.total);
    }
}

/* Reads, posts and four servers at once: every packet is seen by one of them, once. */
TEST(exactly_one_packet_to_one_thread, "PORT-12")
{
    SOCKET pair[2];
    HANDLE servers[SERVERS];
    memset(&once, 0, sizeof once);
    once.port = new_port(SERVERS);
    REQUIRE(once.port && tcp_pair(pair) && bind_port(once.port, pair[0], 1));
    for (int i = 0; i < SERVERS; i++)
        servers[i] = start_thread(serve_once, NULL);
    for (int i = 0; i < RECVS; i++) {
        int started = start_recv(pair[0], &once.bytes[i], 1, &once.ovs[i]);
        if (!CHECK_MSG(!started || started == WSA_IO_PENDING, "WSARecv fails with %d", started))
            break;
        if (i % 2 == 0) /* one in two finds its byte, the others wait for it */
            send_all(pair[1], "ab", 2);
        PostQueuedCompletionStatus(once.port, (DWORD)i * 2, 2, NULL);
        PostQueuedCompletionStatus(once.port, (DWORD)i * 2 + 1, 2, NULL);
    }
    CHECK(WITHIN(10000, READ(once.total) >= RECVS + POSTS));
    for (int i = 0; i < SERVERS; i++)
        PostQueuedCompletionStatus(once.port, 0, 3, NULL);
    for (int i = 0; i < SERVERS; i++)
        JOIN(servers[i]);
    for (int i = 0; i < RECVS + POSTS; i++)
        if (once.seen[i] != 1 && !FAIL("packet %d was delivered %d times", i, (int)once.seen[i]))
            break;
    CHECK_EQ(once.wrong, 0);
    CHECK_NO_PACKET(once.port, 0);
    close_pair(pair);
    CloseHandle(once.port);
}

/* ---- what is queued and what is not ---- */

TEST(immediate_success_is_queued, "PORT-13 PORT-12")
{
    SOCKET pair[2];
    OVERLAPPED ov = {0};
    char buffer[4];
    HANDLE port = new_port(1), file = temp_file(64, FILE_FLAG_OVERLAPPED);
    REQUIRE(port && file != INVALID_HANDLE_VALUE && tcp_pair(pair) && bind_port(port, pair[0], 1));
    CHECK(CreateIoCompletionPort(file, port, 2, 0) == port);

    CHECK_EQ(start_send(pair[0], "abcd", 4, &ov), 0);
    CHECK_PACKET(port, 4, 1, &ov);
    CHECK_NO_PACKET(port, 0);

    CHECK(send_all(pair[1], "efg", 3));
    CHECK_EQ(select(0, &(fd_set){.fd_count = 1, .fd_array = {pair[0]}}, NULL, NULL,
                    &(struct timeval){.tv_sec = 5}), 1);
    memset(&ov, 0, sizeof ov);
    int started = start_recv(pair[0], buffer, sizeof buffer, &ov);
    CHECK(started == 0 || started == WSA_IO_PENDING);
    CHECK_PACKET(port, 3, 1, &ov);
    CHECK_NO_PACKET(port, 0);

    memset(&ov, 0, sizeof ov);
    CHECK(WriteFile(file, "hi", 2, NULL, &ov) || GetLastError() == ERROR_IO_PENDING);
    CHECK_PACKET(port, 2, 2, &ov);
    memset(&ov, 0, sizeof ov);
    CHECK(ReadFile(file, buffer, 4, NULL, &ov) || GetLastError() == ERROR_IO_PENDING);
    CHECK_PACKET(port, 4, 2, &ov);
    CHECK_NO_PACKET(port, 0);
    close_pair(pair);
    CloseHandle(file);
    CloseHandle(port);
}

TEST(skip_mode_queues_no_immediate_success, "PORT-13")
{
    SOCKET pair[2];
    OVERLAPPED ov = {0};
    char buffer[4];
    HANDLE port = new_port(1);
    REQUIRE(port && tcp_pair(pair) && bind_port(port, pair[0], 1));
    CHECK(SetFileCompletionNotificationModes((HANDLE)pair[0], FILE_SKIP_COMPLETION_PORT_ON_SUCCESS));

    ov.hEvent = manual_event();
    CHECK_EQ(start_send(pair[0], "abcd", 4, &ov), 0);
    CHECK_NO_PACKET(port, 50);
    CHECK_EQ(ov.Internal, 0);
    CHECK_EQ(ov.InternalHigh, 4);
    CHECK(is_set(ov.hEvent));

    /* What pended is queued all the same, success or not. */
    CloseHandle(ov.hEvent);
    memset(&ov, 0, sizeof ov);
    CHECK_EQ(start_recv(pair[0], buffer, sizeof buffer, &ov), WSA_IO_PENDING);
    CHECK(send_all(pair[1], "x", 1));
    CHECK_PACKET(port, 1, 1, &ov);
    memset(&ov, 0, sizeof ov);
    CHECK_EQ(start_recv(pair[0], buffer, sizeof buffer, &ov), WSA_IO_PENDING);
    CHECK(CancelIoEx((HANDLE)pair[0], &ov));
    CHECK_FAILED_PACKET(port, ERROR_OPERATION_ABORTED, 0, 1, &ov);
    CHECK_NO_PACKET(port, 0);
    close_pair(pair);
    CloseHandle(port);
}

TEST(failure_at_once_is_not_queued, "PORT-14")
{
    SOCKET pair[2];
    OVERLAPPED ov = {0};
    char buffer[8];
    const char *path = temp_content(64);
    HANDLE port = new_port(1), event = manual_event();
    HANDLE reader = CreateFileA(path, GENERIC_READ, 7, NULL, OPEN_EXISTING, FILE_FLAG_OVERLAPPED, NULL);
    HANDLE writer = CreateFileA(path, GENERIC_WRITE, 7, NULL, OPEN_EXISTING, FILE_FLAG_OVERLAPPED, NULL);
    REQUIRE(port && event && reader != INVALID_HANDLE_VALUE && writer != INVALID_HANDLE_VALUE);
    REQUIRE(tcp_pair(pair) && bind_port(port, pair[0], 1));
    SOCKET fresh = WSASocketA(AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED);
    REQUIRE(fresh != INVALID_SOCKET && bind_port(port, fresh, 2));
    CHECK(CreateIoCompletionPort(reader, port, 3, 0) == port);
    CHECK(CreateIoCompletionPort(writer, port, 4, 0) == port);

    ov.hEvent = event;
    CHECK_EQ(start_recv(fresh, buffer, sizeof buffer, &ov), WSAENOTCONN);
    CHECK_EQ(shutdown(pair[0], SD_SEND), 0);
    CHECK_EQ(start_send(pair[0], buffer, sizeof buffer, &ov), WSAESHUTDOWN);
    CHECK_ERR(WriteFile(reader, "x", 1, NULL, &ov), ERROR_ACCESS_DENIED);
    CHECK_ERR(ReadFile(writer, buffer, 1, NULL, &ov), ERROR_ACCESS_DENIED);
    CHECK_EQ(WaitForSingleObject(event, 50), WAIT_TIMEOUT);
    CHECK_NO_PACKET(port, 50);

    /* A read behind the end may fail at once or later; the packet tells which. */
    ov.Offset = 64;
    SetLastError(0);
    CHECK(!ReadFile(reader, buffer, 1, NULL, &ov));
    if (GetLastError() == ERROR_IO_PENDING) {
        CHECK_FAILED_PACKET(port, ERROR_HANDLE_EOF, 0, 3, &ov);
        CHECK(is_set(event));
    } else {
        CHECK_LASTERR(ERROR_HANDLE_EOF);
        CHECK(!is_set(event));
    }
    CHECK_NO_PACKET(port, 50);
    closesocket(fresh);
    close_pair(pair);
    CloseHandle(reader);
    CloseHandle(writer);
    CloseHandle(event);
    CloseHandle(port);
}

/* Calls without an OVERLAPPED concern no port, whatever the handle. */
TEST(blocking_calls_queue_nothing, "PORT-13 PORT-14")
{
    SOCKET pair[2];
    char buffer[8];
    DWORD bytes = 0, flags = 0;
    WSABUF buf = {3, buffer};
    HANDLE port = new_port(1);
    REQUIRE(port && tcp_pair(pair) && bind_port(port, pair[0], 1));
    memcpy(buffer, "abc", 3);
    CHECK_EQ(WSASend(pair[0], &buf, 1, &bytes, 0, NULL, NULL), 0);
    CHECK_EQ(bytes, 3);
    CHECK_EQ(send(pair[0], buffer, 2, 0), 2);
    CHECK(send_all(pair[1], "defgh", 5));
    CHECK_EQ(WSARecv(pair[0], &buf, 1, &bytes, &flags, NULL, NULL), 0);
    CHECK(bytes >= 1 && bytes <= 3);
    CHECK(recv(pair[0], buffer, sizeof buffer, 0) > 0);
    CHECK_EQ(shutdown(pair[0], SD_SEND), 0);
    CHECK_NO_PACKET(port, 50);
    close_pair(pair);

    struct sockaddr_in address;
    SOCKET listener = tcp_listener(&address);
    SOCKET s = WSASocketA(AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED);
    REQUIRE(s != INVALID_SOCKET && bind_port(port, s, 1) && bind_port(port, listener, 2));
    CHECK_EQ(connect(s, (struct sockaddr *)&address, sizeof address), 0);
    SOCKET peer = accept(listener, NULL, NULL);
    CHECK(peer != INVALID_SOCKET);
    CHECK_EQ(WSASendDisconnect(s, NULL), 0);
    CHECK_EQ(recv(peer, buffer, sizeof buffer, 0), 0);
    CHECK_NO_PACKET(port, 50);
    closesocket(peer);
    closesocket(s);
    closesocket(listener);
    CHECK_NO_PACKET(port, 20);
    CloseHandle(port);
}

/* ---- the end of a port ---- */

/* For ever, but Wine's waiters must come to an end. */
#define UNTIL_CLOSED (conform_wine ? 2000 : INFINITE)

struct waiter {
    HANDLE port;
    int ex;
    volatile LONG id;
    BOOL ok;
    DWORD error;
    OVERLAPPED *ov;
};

THREAD_FN(wait_at_port)
{
    struct waiter *w = arg;
    OVERLAPPED_ENTRY entry;
    DWORD bytes;
    ULONG count;
    ULONG_PTR key;
    InterlockedExchange(&w->id, (LONG)GetCurrentThreadId());
    w->ov = w->ex ? NULL : (OVERLAPPED *)1;
    SetLastError(0);
    if (w->ex)
        w->ok = GetQueuedCompletionStatusEx(w->port, &entry, 1, &count, UNTIL_CLOSED, w->ex == 2);
    else
        w->ok = GetQueuedCompletionStatus(w->port, &bytes, &key, &w->ov, UNTIL_CLOSED);
    w->error = GetLastError();
    return 0;
}

static int close_under_waiters(int registered)
{
    int good = 1;
    enum { WAITERS = 6 };
    struct waiter waiters[WAITERS] = {{0}};
    HANDLE threads[WAITERS];
    SOCKET pair[2];
    HANDLE port = new_port(2);
    OVERLAPPED ov = {0};
    char buffer[4];
    if (registered) { /* a port with I/O under way may wait in another manner */
        if (!tcp_pair(pair) || !bind_port(port, pair[0], 1))
            return 0;
        CHECK_EQ(start_recv(pair[0], buffer, sizeof buffer, &ov), WSA_IO_PENDING);
    }
    for (int i = 0; i < WAITERS; i++) {
        waiters[i].port = port;
        waiters[i].ex = i % 3;
        threads[i] = start_thread(wait_at_port, &waiters[i]);
    }
    for (int i = 0; i < WAITERS; i++) {
        CHECK(WITHIN(SOON, READ(waiters[i].id) != 0));
        until_asleep((DWORD)waiters[i].id);
    }
    CHECK(CloseHandle(port));
    for (int i = 0; i < WAITERS; i++) {
        JOIN(threads[i]);
        good &= CHECK_MSG(!waiters[i].ok && !waiters[i].ov && waiters[i].error == ERROR_ABANDONED_WAIT_0,
                          "waiter %d: %d, OV %p, error %u", i, waiters[i].ok, (void *)waiters[i].ov,
                          (unsigned)waiters[i].error);
    }
    if (registered)
        close_pair(pair);
    return good;
}

TEST_W8(closing_wakes_waiters, "PORT-23 PORT-08", "Wine 8 leaves the waiters asleep")
{
    CHECK(close_under_waiters(0) && close_under_waiters(1));
}

static struct {
    struct meeting start, end;
    HANDLE port;
    volatile LONG stop, abandoned, refused, other;
} closing;

THREAD_FN(wait_while_closing)
{
    for (;;) {
        meet(&closing.start);
        if (closing.stop)
            return 0;
        struct got g;
        while ((g = get_packet(closing.port, UNTIL_CLOSED)).ok)
            continue;
        InterlockedIncrement(g.ov                                ? &closing.other
                             : g.error == ERROR_ABANDONED_WAIT_0 ? &closing.abandoned
                             : g.error == ERROR_INVALID_HANDLE   ? &closing.refused
                                                                 : &closing.other);
        meet(&closing.end);
    }
}

/* However close and wait fall together: one of the two errors, and never a thread left behind. */
TEST_W8(closing_races_with_waiting, "PORT-23 PORT-25", "Wine 8 leaves the waiters asleep")
{
    enum { ROUNDS = 2000, THREADS = 2 };
    HANDLE threads[THREADS];
    LONG bad = 0;
    memset(&closing, 0, sizeof closing);
    closing.start.need = closing.end.need = THREADS + 1;
    for (int i = 0; i < THREADS; i++)
        threads[i] = start_thread(wait_while_closing, NULL);
    double until = now_ms() + 2500;
    for (int i = 0; i < ROUNDS && now_ms() < until && !bad; i++) {
        HANDLE port = closing.port = new_port(THREADS);
        meet(&closing.start);
        for (unsigned spin = rnd(300); spin > 0; spin--)
            YieldProcessor();
        PostQueuedCompletionStatus(port, 0, 0, NULL);
        CHECK(CloseHandle(port));
        meet(&closing.end);
        bad = closing.other;
    }
    closing.stop = 1;
    meet(&closing.start);
    for (int i = 0; i < THREADS; i++)
        JOIN(threads[i]);
    CHECK_EQ(closing.other, 0);
}

TEST(port_outlives_its_handle, "PORT-24")
{
    SOCKET pair[2];
    OVERLAPPED ov = {0}, plain = {0};
    char buffer[8], other[8];
    DWORD bytes = 0;
    HANDLE port = new_port(1), event = manual_event(), file = temp_file(64, FILE_FLAG_OVERLAPPED);
    REQUIRE(port && event && file != INVALID_HANDLE_VALUE && tcp_pair(pair) && bind_port(port, pair[0], 1));
    CHECK(CreateIoCompletionPort(file, port, 2, 0) == port);
    ov.hEvent = event;
    CHECK_EQ(start_recv(pair[0], buffer, sizeof buffer, &ov), WSA_IO_PENDING);
    CHECK_EQ(start_recv(pair[0], other, sizeof other, &plain), WSA_IO_PENDING);
    CHECK(PostQueuedCompletionStatus(port, 1, 1, NULL)); /* goes with it */
    CHECK(CloseHandle(port));

    /* What was pending completes... */
    CHECK(!is_set(event));
    CHECK(send_all(pair[1], "abc", 3));
    CHECK_EQ(WaitForSingleObject(event, SOON), WAIT_OBJECT_0);
    CHECK(GetOverlappedResult((HANDLE)pair[0], &ov, &bytes, FALSE));
    CHECK_EQ(bytes, 3);
    CHECK_MEM(buffer, "abc", 3);
    CHECK(send_all(pair[1], "d", 1));
    CHECK(WITHIN(SOON, HasOverlappedIoCompleted(&plain)));
    CHECK_EQ(plain.Internal, 0);
    CHECK_EQ(plain.InternalHigh, 1);

    /* ... and so does what starts now. */
    memset(&ov, 0, sizeof ov);
    ov.hEvent = event;
    CHECK_EQ(start_send(pair[0], "xyz", 3, &ov), 0);
    CHECK_EQ(WaitForSingleObject(event, SOON), WAIT_OBJECT_0);
    CHECK_EQ(ov.InternalHigh, 3);
    memset(&ov, 0, sizeof ov);
    ov.hEvent = event;
    ResetEvent(event);
    CHECK(ReadFile(file, buffer, 8, NULL, &ov) || GetLastError() == ERROR_IO_PENDING);
    CHECK(GetOverlappedResult(file, &ov, &bytes, TRUE));
    CHECK_EQ(bytes, 8);
    CHECK_EQ((unsigned char)buffer[7], pattern(7));
    close_pair(pair);
    CloseHandle(file);
    CloseHandle(event);
}

static struct {
    SOCKET s;
    struct meeting start, end;
    volatile LONG stop;
} sender;

THREAD_FN(send_at_close)
{
    for (;;) {
        meet(&sender.start);
        if (sender.stop)
            return 0;
        send_all(sender.s, "abcd", 4);
        meet(&sender.end);
    }
}

/* The port closes while operations complete: they end as they should, and nobody gets their packets. */
TEST(port_closes_during_io, "PORT-24")
{
    enum { ROUNDS = 400, OPS = 4 };
    HANDLE events[OPS], thread;
    char buffers[OPS];
    int good = 1;
    memset(&sender, 0, sizeof sender);
    sender.start.need = sender.end.need = 2;
    for (int i = 0; i < OPS; i++)
        events[i] = manual_event();
    thread = start_thread(send_at_close, NULL);
    double until = now_ms() + 1500;
    for (int round = 0; round < ROUNDS && good && now_ms() < until; round++) {
        SOCKET pair[2];
        OVERLAPPED ovs[OPS];
        HANDLE port = new_port(1);
        if (!tcp_pair(pair) || !bind_port(port, pair[0], 1))
            break;
        sender.s = pair[1];
        for (int i = 0; i < OPS; i++) {
            ovs[i] = (OVERLAPPED){.hEvent = events[i]};
            good &= CHECK_EQ(start_recv(pair[0], &buffers[i], 1, &ovs[i]), WSA_IO_PENDING);
        }
        meet(&sender.start);
        for (unsigned spin = rnd(400); spin > 0; spin--)
            YieldProcessor();
        good &= CHECK(CloseHandle(port));
        good &= CHECK_EQ(WaitForMultipleObjects(OPS, events, TRUE, SOON), WAIT_OBJECT_0);
        for (int i = 0; i < OPS; i++)
            good &= CHECK(ovs[i].Internal == 0 && ovs[i].InternalHigh == 1 && buffers[i] == "abcd"[i]);
        meet(&sender.end);
        close_pair(pair);
    }
    sender.stop = 1;
    meet(&sender.start);
    JOIN(thread);
    for (int i = 0; i < OPS; i++)
        CloseHandle(events[i]);
}

TEST(no_port, "PORT-25")
{
    OVERLAPPED_ENTRY entry;
    ULONG count = 0;
    SOCKET pair[2];
    HANDLE port = new_port(1), event = manual_event(), file = temp_file(1, FILE_FLAG_OVERLAPPED);
    HANDLE closed = new_port(1);
    REQUIRE(port && closed && event && file != INVALID_HANDLE_VALUE && tcp_pair(pair));
    CHECK(CloseHandle(closed));
    HANDLE wrong[] = {NULL, INVALID_HANDLE_VALUE, event, file, (HANDLE)pair[0], closed};
    for (unsigned i = 0; i < ARRAYSIZE(wrong); i++) {
        struct got g = get_packet(wrong[i], 0);
        CHECK_MSG(!g.ok && !g.ov && g.error == ERROR_INVALID_HANDLE, "handle %u: %d, OV %p, error %u", i,
                  g.ok, (void *)g.ov, (unsigned)g.error);
        CHECK_ERR(GetQueuedCompletionStatusEx(wrong[i], &entry, 1, &count, 0, FALSE), ERROR_INVALID_HANDLE);
        CHECK_ERR(GetQueuedCompletionStatusEx(wrong[i], &entry, 1, &count, 0, TRUE), ERROR_INVALID_HANDLE);
        CHECK_ERR(PostQueuedCompletionStatus(wrong[i], 1, 2, NULL), ERROR_INVALID_HANDLE);
    }
    /* In an association either may be wrong. */
    CHECK_ERR(CreateIoCompletionPort((HANDLE)pair[0], event, 1, 0), ERROR_INVALID_HANDLE);
    CHECK_ERR(CreateIoCompletionPort((HANDLE)pair[0], closed, 1, 0), ERROR_INVALID_HANDLE);
    CHECK_ERR(CreateIoCompletionPort(event, port, 1, 0), ERROR_INVALID_HANDLE);
    CHECK_ERR(CreateIoCompletionPort(closed, port, 1, 0), ERROR_INVALID_HANDLE);
    CHECK_ERR(CreateIoCompletionPort(NULL, port, 1, 0), ERROR_INVALID_HANDLE);
    /* After all that the socket is still free for an association. */
    CHECK(bind_port(port, pair[0], 1));
    close_pair(pair);
    CloseHandle(event);
    CloseHandle(file);
    CloseHandle(port);
}

/* ---- many at a time ---- */

TEST(ex_takes_what_is_there, "PORT-26")
{
    OVERLAPPED_ENTRY entries[16];
    ULONG count = 0;
    ULONG_PTR next = 0;
    static const ULONG expected[3] = {4, 4, 2};
    HANDLE port = new_port(1);
    REQUIRE(port != NULL);
    for (ULONG_PTR i = 0; i < 10; i++)
        CHECK(PostQueuedCompletionStatus(port, (DWORD)i, i + 100, (OVERLAPPED *)(i + 1)));
    for (int call = 0; call < 3; call++) {
        memset(entries, 0x77, sizeof entries);
        SetLastError(OLD_ERROR);
        CHECK(GetQueuedCompletionStatusEx(port, entries, 4, &count, SOON, FALSE));
        CHECK_LASTERR(OLD_ERROR);
        CHECK_EQ(count, expected[call]);
        for (ULONG i = 0; i < count && i < 4; i++, next++) {
            CHECK_EQ(entries[i].lpCompletionKey, next + 100);
            CHECK_EQ(entries[i].dwNumberOfBytesTransferred, next);
            CHECK(entries[i].lpOverlapped == (OVERLAPPED *)(next + 1));
        }
        for (ULONG i = count; i < 16; i++) /* nothing is written behind what was removed */
            CHECK_EQ(entries[i].lpCompletionKey, (ULONG_PTR)0x7777777777777777ull);
    }
    CHECK_EQ(next, 10);
    TODO_WINE("Wine takes an array without room")
    {
        CHECK_ERR(GetQueuedCompletionStatusEx(port, entries, 0, &count, 0, FALSE), ERROR_INVALID_PARAMETER);
    }
    CloseHandle(port);
}

TEST(ex_takes_hundreds, "PORT-26 PORT-11")
{
    enum { MANY = 500 };
    static OVERLAPPED_ENTRY entries[MANY];
    ULONG count = 0;
    ULONG_PTR next = 0;
    HANDLE port = new_port(1);
    REQUIRE(port != NULL);
    for (ULONG_PTR i = 0; i < MANY; i++)
        PostQueuedCompletionStatus(port, 0, i, NULL);
    while (next < MANY && CHECK(GetQueuedCompletionStatusEx(port, entries, MANY, &count, 0, FALSE))) {
        if (!CHECK(count >= 1 && count <= MANY - next))
            break;
        for (ULONG i = 0; i < count; i++)
            CHECK_EQ(entries[i].lpCompletionKey, next++);
    }
    CHECK_NO_PACKET(port, 0);
    CloseHandle(port);
}

TEST(ex_with_nothing_there, "PORT-26 PORT-09 PORT-08")
{
    OVERLAPPED_ENTRY entries[2];
    ULONG count = 7;
    HANDLE port = new_port(1);
    REQUIRE(port != NULL);
    CHECK_ERR(GetQueuedCompletionStatusEx(port, entries, 2, &count, 0, FALSE), WAIT_TIMEOUT);
    CHECK_EQ(count, 1); /* yes: the count of a call that removed nothing */
    double start = now_ms();
    count = 7;
    CHECK_ERR(GetQueuedCompletionStatusEx(port, entries, 2, &count, 120, TRUE), WAIT_TIMEOUT);
    CHECK(now_ms() - start >= 100);
    CHECK_EQ(count, 1);
    CloseHandle(port);
}

struct ex_waiter {
    HANDLE port, done;
    ULONG count;
    BOOL ok;
    OVERLAPPED_ENTRY entries[8];
};

THREAD_FN(ex_wait)
{
    struct ex_waiter *w = arg;
    w->ok = GetQueuedCompletionStatusEx(w->port, w->entries, 8, &w->count, INFINITE, FALSE);
    SetEvent(w->done);
    return 0;
}

/* It waits for the first entry and not for all it has room for. */
TEST(ex_returns_with_one, "PORT-26 PORT-09")
{
    struct ex_waiter w = {.port = new_port(1), .done = manual_event()};
    HANDLE thread = start_thread(ex_wait, &w);
    REQUIRE(w.port && w.done && thread);
    CHECK_EQ(WaitForSingleObject(w.done, A_WHILE), WAIT_TIMEOUT);
    CHECK(PostQueuedCompletionStatus(w.port, 1, 2, (OVERLAPPED *)3));
    CHECK_EQ(WaitForSingleObject(w.done, SOON), WAIT_OBJECT_0);
    CHECK(w.ok);
    CHECK_EQ(w.count, 1);
    CHECK_EQ(w.entries[0].lpCompletionKey, 2);
    CHECK_EQ(w.entries[0].dwNumberOfBytesTransferred, 1);
    CHECK(w.entries[0].lpOverlapped == (OVERLAPPED *)3);
    JOIN(thread);
    CloseHandle(w.port);
    CloseHandle(w.done);
}

TEST(ex_entries_tell_their_fate, "PORT-26 PORT-27")
{
    SOCKET a[2], b[2], c[2];
    OVERLAPPED good = {0}, cancelled = {0}, reset = {0};
    OVERLAPPED_ENTRY entries[4];
    ULONG count = 0, total = 0;
    char buffers[3][8];
    HANDLE port = new_port(1);
    REQUIRE(port && tcp_pair(a) && tcp_pair(b) && tcp_pair(c));
    REQUIRE(bind_port(port, a[0], 1) && bind_port(port, b[0], 2) && bind_port(port, c[0], 3));
    CHECK_EQ(start_recv(a[0], buffers[0], 8, &good), WSA_IO_PENDING);
    CHECK_EQ(start_recv(b[0], buffers[1], 8, &cancelled), WSA_IO_PENDING);
    CHECK_EQ(start_recv(c[0], buffers[2], 8, &reset), WSA_IO_PENDING);
    CHECK(send_all(a[1], "abcde", 5));
    CHECK(WITHIN(SOON, HasOverlappedIoCompleted(&good)));
    CHECK(CancelIoEx((HANDLE)b[0], &cancelled));
    CHECK(WITHIN(SOON, HasOverlappedIoCompleted(&cancelled)));
    reset_socket(c[1]);
    CHECK(WITHIN(SOON, HasOverlappedIoCompleted(&reset)));

    memset(entries, 0, sizeof entries);
    while (total < 3) {
        SetLastError(OLD_ERROR);
        if (!CHECK(GetQueuedCompletionStatusEx(port, entries + total, 4 - total, &count, SOON, FALSE)))
            break;
        CHECK_LASTERR(OLD_ERROR);
        total += count;
    }
    CHECK_EQ(total, 3);
    OVERLAPPED *ovs[3] = {&good, &cancelled, &reset};
    DWORD statuses[3] = {0, 0xC0000120, 0xC000020D}, bytes[3] = {5, 0, 0};
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQ(entries[i].lpCompletionKey, i + 1);
        CHECK(entries[i].lpOverlapped == ovs[i]);
        CHECK_EQ(entries[i].dwNumberOfBytesTransferred, bytes[i]);
        CHECK_EQ((DWORD)entries[i].Internal, statuses[i]);
        CHECK_EQ((DWORD)ovs[i]->Internal, statuses[i]);
        CHECK_EQ(ovs[i]->InternalHigh, bytes[i]);
    }
    close_pair(a);
    close_pair(b);
    closesocket(c[0]);
    CloseHandle(port);
}

/* ---- ports and APCs ---- */

static volatile LONG apc_runs;
static volatile ULONG_PTR apc_arg;

static void CALLBACK count_apc(ULONG_PTR value)
{
    InterlockedIncrement(&apc_runs);
    apc_arg = value;
}

TEST(ex_alertable_runs_apcs, "PORT-28")
{
    OVERLAPPED_ENTRY entry;
    ULONG count = 0;
    HANDLE port = new_port(1);
    REQUIRE(port != NULL);
    apc_runs = 0;
    CHECK(QueueUserAPC(count_apc, GetCurrentThread(), 41));
    CHECK_ERR(GetQueuedCompletionStatusEx(port, &entry, 1, &count, INFINITE, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ(apc_runs, 1);
    CHECK_EQ(apc_arg, 41);
    CHECK_ERR(GetQueuedCompletionStatusEx(port, &entry, 1, &count, 0, TRUE), WAIT_TIMEOUT);

    /* A poll runs them as well. */
    CHECK(QueueUserAPC(count_apc, GetCurrentThread(), 42));
    CHECK(QueueUserAPC(count_apc, GetCurrentThread(), 43));
    CHECK_ERR(GetQueuedCompletionStatusEx(port, &entry, 1, &count, 0, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ(apc_runs, 3);
    CHECK_EQ(apc_arg, 43);

    /* A packet comes first, and the APC waits for the next call. */
    CHECK(QueueUserAPC(count_apc, GetCurrentThread(), 44));
    CHECK(PostQueuedCompletionStatus(port, 1, 2, (OVERLAPPED *)3));
    CHECK(GetQueuedCompletionStatusEx(port, &entry, 1, &count, INFINITE, TRUE));
    CHECK_EQ(count, 1);
    CHECK_EQ(entry.lpCompletionKey, 2);
    CHECK_EQ(apc_runs, 3);
    CHECK_ERR(GetQueuedCompletionStatusEx(port, &entry, 1, &count, INFINITE, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ(apc_runs, 4);
    CHECK_EQ(apc_arg, 44);
    CloseHandle(port);
}

struct alertable {
    HANDLE port, done;
    BOOL ex, alertable, ok;
    DWORD error;
    volatile LONG id;
    LONG runs_at_return;
    struct got got;
};

THREAD_FN(sleep_at_port)
{
    struct alertable *w = arg;
    OVERLAPPED_ENTRY entry = {0};
    ULONG count;
    InterlockedExchange(&w->id, (LONG)GetCurrentThreadId());
    if (w->ex) {
        SetLastError(0);
        w->ok = GetQueuedCompletionStatusEx(w->port, &entry, 1, &count, 10000, w->alertable);
        w->error = GetLastError();
    } else {
        w->got = get_packet(w->port, 10000);
        w->ok = w->got.ok;
    }
    w->runs_at_return = apc_runs;
    SetEvent(w->done);
    SleepEx(0, TRUE);
    return 0;
}

/* A port with I/O under way may sleep in another manner: the tests below see both. */
static void apc_ends_dequeue(HANDLE port)
{
    struct alertable w = {.port = port, .done = manual_event(), .ex = TRUE, .alertable = TRUE};
    HANDLE thread = start_thread(sleep_at_port, &w);
    REQUIRE(w.port && w.done && thread);
    apc_runs = 0;
    CHECK(WITHIN(SOON, READ(w.id) != 0));
    until_asleep((DWORD)w.id);
    CHECK(QueueUserAPC(count_apc, thread, 51));
    CHECK_EQ(WaitForSingleObject(w.done, SOON), WAIT_OBJECT_0);
    CHECK(!w.ok);
    CHECK_EQ(w.error, WAIT_IO_COMPLETION);
    CHECK_EQ(w.runs_at_return, 1);
    CHECK_EQ(apc_arg, 51);
    JOIN(thread);
    CloseHandle(w.done);
}

static void apc_leaves_dequeue(HANDLE port, int ex)
{
    struct alertable w = {.port = port, .done = manual_event(), .ex = ex};
    HANDLE thread = start_thread(sleep_at_port, &w);
    REQUIRE(w.port && w.done && thread);
    apc_runs = 0;
    CHECK(WITHIN(SOON, READ(w.id) != 0));
    until_asleep((DWORD)w.id);
    CHECK(QueueUserAPC(count_apc, thread, 71));
    CHECK_EQ(WaitForSingleObject(w.done, A_WHILE), WAIT_TIMEOUT);
    CHECK_EQ(apc_runs, 0);
    CHECK(PostQueuedCompletionStatus(w.port, 1, 2, NULL));
    CHECK_EQ(WaitForSingleObject(w.done, SOON), WAIT_OBJECT_0);
    CHECK(w.ok);
    CHECK_EQ(w.runs_at_return, 0);
    JOIN(thread);
    CHECK_EQ(apc_runs, 1);
    CloseHandle(w.done);
}

TEST(apc_and_a_sleeping_dequeue, "PORT-28 PORT-29")
{
    SOCKET pair[2];
    OVERLAPPED ov = {0};
    char buffer[4];
    HANDLE port = new_port(1);
    REQUIRE(port && tcp_pair(pair));
    for (int under_way = 0; under_way < 2; under_way++) {
        if (under_way) {
            REQUIRE(bind_port(port, pair[0], 1));
            CHECK_EQ(start_recv(pair[0], buffer, sizeof buffer, &ov), WSA_IO_PENDING);
        }
        apc_ends_dequeue(port);
        apc_leaves_dequeue(port, 0);
        apc_leaves_dequeue(port, 1);
    }
    CHECK(send_all(pair[1], "abc", 3));
    CHECK_PACKET(port, 3, 1, &ov);
    close_pair(pair);
    CloseHandle(port);
}

TEST(plain_dequeue_runs_no_apc, "PORT-29")
{
    OVERLAPPED_ENTRY entry;
    ULONG count = 0;
    HANDLE port = new_port(1);
    REQUIRE(port != NULL);
    apc_runs = 0;
    CHECK(QueueUserAPC(count_apc, GetCurrentThread(), 61));
    CHECK_NO_PACKET(port, 0);
    CHECK_NO_PACKET(port, 50);
    CHECK_ERR(GetQueuedCompletionStatusEx(port, &entry, 1, &count, 0, FALSE), WAIT_TIMEOUT);
    CHECK_ERR(GetQueuedCompletionStatusEx(port, &entry, 1, &count, 50, FALSE), WAIT_TIMEOUT);
    CHECK(PostQueuedCompletionStatus(port, 1, 2, NULL));
    CHECK_PACKET(port, 1, 2, NULL);
    CHECK_EQ(apc_runs, 0);
    CHECK_EQ(SleepEx(0, TRUE), WAIT_IO_COMPLETION); /* it was there all the time */
    CHECK_EQ(apc_runs, 1);
    CloseHandle(port);
}

static struct {
    HANDLE port;
    volatile LONG packets, wakes, stop;
} mixed;

THREAD_FN(serve_both)
{
    OVERLAPPED_ENTRY entries[4];
    ULONG count;
    for (;;) {
        if (GetQueuedCompletionStatusEx(mixed.port, entries, 4, &count, 10000, TRUE)) {
            for (ULONG i = 0; i < count; i++)
                if (entries[i].lpCompletionKey == 9)
                    return 0;
                else
                    InterlockedIncrement(&mixed.packets);
        } else if (CHECK_LASTERR(WAIT_IO_COMPLETION)) {
            InterlockedIncrement(&mixed.wakes);
        } else {
            return 1;
        }
    }
}

/* Packets and APCs meet in one sleeping thread: each is seen, and no sleep goes on over either. */
TEST(apcs_and_packets_race, "PORT-28 PORT-12")
{
    enum { ROUNDS = 4000 };
    LONG posted = 0, queued = 0;
    int good = 1;
    memset(&mixed, 0, sizeof mixed);
    apc_runs = 0;
    mixed.port = new_port(1);
    HANDLE thread = start_thread(serve_both, NULL);
    REQUIRE(mixed.port && thread);
    double until = now_ms() + 1500;
    for (int i = 0; i < ROUNDS && good && now_ms() < until; i++) {
        unsigned what = rnd(3);
        if (what != 0)
            good &= CHECK(QueueUserAPC(count_apc, thread, 1)), queued++;
        if (what != 1)
            good &= CHECK(PostQueuedCompletionStatus(mixed.port, 0, 1, NULL)), posted++;
        if (rnd(4) == 0) /* let it fall asleep */
            good &= CHECK(WITHIN(SOON, READ(mixed.packets) == posted && READ(apc_runs) == queued));
    }
    CHECK(WITHIN(SOON, READ(mixed.packets) == posted && READ(apc_runs) == queued));
    PostQueuedCompletionStatus(mixed.port, 0, 9, NULL);
    JOIN(thread);
    CHECK_EQ(mixed.packets, posted);
    CHECK_EQ(apc_runs, queued);
    CHECK(mixed.wakes <= queued);
    CloseHandle(mixed.port);
}

/* ---- the low bit of hEvent, and routines ---- */

TEST(tagged_event_suppresses_the_packet, "PORT-30")
{
    SOCKET pair[2];
    OVERLAPPED ov = {0};
    char buffer[8];
    DWORD bytes = 0;
    HANDLE port = new_port(1), event = manual_event();
    HANDLE tagged = (HANDLE)((uintptr_t)event | 1);
    REQUIRE(port && event && tcp_pair(pair) && bind_port(port, pair[0], 1));
    CHECK(((uintptr_t)event & 3) == 0);

    ov.hEvent = tagged; /* later */
    CHECK_EQ(start_recv(pair[0], buffer, sizeof buffer, &ov), WSA_IO_PENDING);
    CHECK(!is_set(event));
    CHECK(send_all(pair[1], "abc", 3));
    CHECK_EQ(WaitForSingleObject(event, SOON), WAIT_OBJECT_0);
    CHECK_NO_PACKET(port, 50);
    CHECK(GetOverlappedResult((HANDLE)pair[0], &ov, &bytes, TRUE));
    CHECK_EQ(bytes, 3);
    CHECK(ov.hEvent == tagged);

    memset(&ov, 0, sizeof ov); /* at once: the start call resets the event, completion sets it */
    ov.hEvent = tagged;
    CHECK_EQ(start_send(pair[0], "x", 1, &ov), 0);
    CHECK_EQ(WaitForSingleObject(event, SOON), WAIT_OBJECT_0);
    CHECK_NO_PACKET(port, 50);

    memset(&ov, 0, sizeof ov); /* failed */
    ov.hEvent = tagged;
    CHECK_EQ(start_recv(pair[0], buffer, sizeof buffer, &ov), WSA_IO_PENDING);
    CHECK(!is_set(event));
    CHECK(CancelIoEx((HANDLE)pair[0], &ov));
    CHECK_ERR(GetOverlappedResult((HANDLE)pair[0], &ov, &bytes, TRUE), ERROR_OPERATION_ABORTED);
    CHECK(is_set(event));
    CHECK_NO_PACKET(port, 50);

    memset(&ov, 0, sizeof ov); /* without the tag: both */
    ov.hEvent = event;
    CHECK_EQ(start_send(pair[0], "y", 1, &ov), 0);
    CHECK_PACKET(port, 1, 1, &ov);
    CHECK(is_set(event));
    close_pair(pair);
    CloseHandle(event);
    CloseHandle(port);
}

static volatile LONG routine_runs;

static void CALLBACK file_routine(DWORD error, DWORD bytes, OVERLAPPED *ov)
{
    InterlockedExchangeAdd(&routine_runs, error || bytes || ov ? 1 : 2);
}

static void CALLBACK socket_routine(DWORD error, DWORD bytes, OVERLAPPED *ov, DWORD flags)
{
    InterlockedExchangeAdd(&routine_runs, error || bytes || ov || flags ? 1 : 2);
}

TEST(routines_are_refused_with_a_port, "PORT-31")
{
    SOCKET pair[2];
    OVERLAPPED ov = {0};
    char buffer[8] = "";
    WSABUF buf = {sizeof buffer, buffer};
    DWORD flags = 0;
    HANDLE port = new_port(1), file = temp_file(64, FILE_FLAG_OVERLAPPED);
    REQUIRE(port && file != INVALID_HANDLE_VALUE && tcp_pair(pair) && bind_port(port, pair[0], 1));
    CHECK(CreateIoCompletionPort(file, port, 2, 0) == port);
    routine_runs = 0;
    CHECK_WSAERR(WSARecv(pair[0], &buf, 1, NULL, &flags, &ov, socket_routine), WSAEINVAL);
    CHECK_WSAERR(WSASend(pair[0], &buf, 1, NULL, 0, &ov, socket_routine), WSAEINVAL);
    CHECK_EQ(SleepEx(50, TRUE), 0);
    TODO_WINE("Wine runs the routines of files")
    {
        CHECK_ERR(ReadFileEx(file, buffer, 8, &ov, file_routine), ERROR_INVALID_PARAMETER);
        CHECK_ERR(WriteFileEx(file, buffer, 8, &ov, file_routine), ERROR_INVALID_PARAMETER);
        CHECK_EQ(SleepEx(50, TRUE), 0);
        CHECK_EQ(routine_runs, 0);
    }
    CHECK_NO_PACKET(port, 0);

    /* Nothing was read or sent, and both work as they should afterwards. */
    CHECK_EQ(start_recv(pair[1], buffer, sizeof buffer, &ov), WSA_IO_PENDING);
    CHECK(!HasOverlappedIoCompleted(&ov));
    CHECK(CancelIoEx((HANDLE)pair[1], &ov));
    CHECK_ERR(GetOverlappedResult((HANDLE)pair[1], &ov, &flags, TRUE), ERROR_OPERATION_ABORTED);
    memset(&ov, 0, sizeof ov);
    CHECK(ReadFile(file, buffer, 8, NULL, &ov) || GetLastError() == ERROR_IO_PENDING);
    CHECK_PACKET(port, 8, 2, &ov);
    close_pair(pair);
    CloseHandle(file);
    CloseHandle(port);
}
