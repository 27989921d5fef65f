/* SPDX-License-Identifier: MIT */
/*
 * Synchronous transfers among overlapped ones: one direction of a file is one order, whoever waits for the
 * end of a transfer and however. And what comes behind a transfer that has been cancelled.
 */
#include "conform.h"
#include "net.h"

enum { BIG = 8 << 20, SMALL = 3000 };

static char *big_pattern(void)
{
    char *data = malloc(BIG + SMALL);
    CHECK(data != NULL);
    fill(data, BIG + SMALL, 0);
    return data;
}

static struct reader reader_of(SOCKET s)
{
    return (struct reader){.s = s, .chunk = 1 << 18};
}

/* A call on a thread of its own. */
struct sender {
    SOCKET s;
    const char *data;
    int size, result, error;
    volatile DWORD tid;
    HANDLE ready;
};

struct caller {
    SOCKET s;
    char data[2];
    int result;
    volatile DWORD tid;
    HANDLE ready;
};

THREAD_FN(send_once)
{
    struct sender *w = arg;
    w->tid = GetCurrentThreadId();
    SetEvent(w->ready);
    w->result = send(w->s, w->data, w->size, 0);
    w->error = w->result < 0 ? WSAGetLastError() : 0;
    return 0;
}

THREAD_FN(read_to_end)
{
    read_all(arg);
    return 0;
}

/* The pending one ends as it should; the reader has had `total` bytes in order. */
static void expect_order(SOCKET pair[2], OVERLAPPED *ov, HANDLE thread, const struct reader *r,
                         unsigned total)
{
    DWORD bytes = 0, flags = 0;
    CHECK_EQ(WaitForSingleObject(ov->hEvent, 20000), WAIT_OBJECT_0);
    CHECK(WSAGetOverlappedResult(pair[0], ov, &bytes, FALSE, &flags));
    CHECK_EQ(bytes, BIG);
    CHECK_EQ(shutdown(pair[0], SD_SEND), 0);
    JOIN(thread);
    CHECK_EQ(r->total, total);
    CHECK_EQ(r->wrong, 0);
    CloseHandle(ov->hEvent);
    end_pair(pair);
}

TEST(a_blocking_send_goes_behind, "SOCK-09 SOCK-16")
{
    char *data = big_pattern();
    for (int round = 0; round < 6; round++) {
        SOCKET pair[2];
        REQUIRE(tcp_pair(pair));
        OVERLAPPED ov = with_event();
        struct reader r = reader_of(pair[1]);
        CHECK_EQ(start_send(pair[0], data, BIG, &ov), WSA_IO_PENDING);
        HANDLE thread = start_thread(read_to_end, &r);
        if (round % 2) {
            WSABUF bufs[2] = {{SMALL / 2, data + BIG}, {SMALL / 2, data + BIG + SMALL / 2}};
            DWORD bytes = 0;
            CHECK_EQ(WSASend(pair[0], bufs, 2, &bytes, 0, NULL, NULL), 0);
            CHECK_EQ(bytes, SMALL);
        } else {
            CHECK_EQ(send(pair[0], data + BIG, SMALL, 0), SMALL);
        }
        expect_order(pair, &ov, thread, &r, BIG + SMALL);
    }
    free(data);
}

TEST(a_blocking_transmission_goes_behind, "SOCK-09")
{
    char *data = big_pattern();
    const char *path = temp_path();
    HANDLE file = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
    DWORD bytes;
    SOCKET pair[2];
    REQUIRE(file != INVALID_HANDLE_VALUE && tcp_pair(pair));
    CHECK(WriteFile(file, data + BIG, SMALL, &bytes, NULL));
    SetFilePointer(file, 0, NULL, FILE_BEGIN);
    OVERLAPPED ov = with_event();
    struct reader r = reader_of(pair[1]);
    CHECK_EQ(start_send(pair[0], data, BIG, &ov), WSA_IO_PENDING);
    HANDLE thread = start_thread(read_to_end, &r);
    CHECK(TransmitFile(pair[0], file, 0, 0, NULL, NULL, 0));
    expect_order(pair, &ov, thread, &r, BIG + SMALL);
    CloseHandle(file);
    free(data);
}

/* One thread's bytes, all alike. */
struct writer {
    SOCKET s;
    HANDLE pipe; /* instead of s */
    char byte;
    int times, size;
};

THREAD_FN(write_alike)
{
    struct writer *w = arg;
    char *data = malloc((size_t)w->size);
    DWORD bytes = 0;
    memset(data, w->byte, (size_t)w->size);
    for (int i = 0; i < w->times; i++) {
        if (w->pipe)
            CHECK(WriteFile(w->pipe, data, (DWORD)w->size, &bytes, NULL));
        else
            bytes = (DWORD)send(w->s, data, w->size, 0);
        CHECK_EQ(bytes, w->size);
    }
    free(data);
    return 0;
}

/* Of runs of two writers that are to stay whole: how many are not as long as `size`, or a multiple of it. */
struct runs {
    unsigned size, length, torn;
    char byte;
};

static void add_runs(struct runs *r, const char *data, int size)
{
    for (int i = 0; i < size; i++) {
        if (data[i] != r->byte) {
            r->torn += r->length % r->size != 0;
            r->length = 0;
            r->byte = data[i];
        }
        r->length++;
    }
}

TEST(blocking_sends_of_two_threads_stay_whole, "SOCK-09")
{
    enum { SIZE = 1 << 20, TIMES = 10 };
    SOCKET pair[2];
    REQUIRE(tcp_pair(pair));
    struct writer a = {.s = pair[0], .byte = 'a', .times = TIMES, .size = SIZE}, b = a;
    struct runs runs = {.size = SIZE, .byte = 'a'};
    static char got[1 << 16];
    b.byte = 'b';
    HANDLE threads[2] = {start_thread(write_alike, &a), start_thread(write_alike, &b)};
    for (unsigned total = 0; total < 2u * SIZE * TIMES;) {
        int n = recv(pair[1], got, sizeof got, 0);
        if (!CHECK(n > 0))
            break;
        add_runs(&runs, got, n);
        total += (unsigned)n;
    }
    CHECK_EQ(runs.torn, 0);
    JOIN(threads[0]);
    JOIN(threads[1]);
    end_pair(pair);
}

TEST(writes_of_two_threads_to_a_pipe_stay_whole, "")
{
    enum { SIZE = 100000, TIMES = 50 };
    HANDLE in, out;
    REQUIRE(CreatePipe(&in, &out, NULL, 0));
    struct writer a = {.pipe = out, .byte = 'a', .times = TIMES, .size = SIZE}, b = a;
    struct runs runs = {.size = SIZE, .byte = 'a'};
    static char got[1 << 16];
    b.byte = 'b';
    HANDLE threads[2] = {start_thread(write_alike, &a), start_thread(write_alike, &b)};
    for (unsigned total = 0; total < 2u * SIZE * TIMES;) {
        DWORD n = 0;
        if (!CHECK(ReadFile(in, got, sizeof got, &n, NULL)))
            break;
        add_runs(&runs, got, (int)n);
        total += n;
    }
    CHECK_EQ(runs.torn, 0);
    JOIN(threads[0]);
    JOIN(threads[1]);
    CloseHandle(in);
    CloseHandle(out);
}

/* The receive that pended gets what comes first, also if another call is there before its packet is. */
TEST(a_blocking_receive_goes_behind, "SOCK-08")
{
    for (int round = 0; round < 50; round++) {
        SOCKET pair[2];
        char first[4] = "", then[5] = "";
        OVERLAPPED ov = {0};
        REQUIRE(tcp_pair(pair));
        HANDLE port = port_of(pair[0], 1);
        CHECK_EQ(start_recv(pair[0], first, sizeof first, &ov), WSA_IO_PENDING);
        set_nonblocking(pair[0], round % 2);
        CHECK_EQ(send(pair[1], "AAAABBBB", 8, 0), 8);
        if (round % 2)
            CHECK(WITHIN(20000, recv(pair[0], then, 4, 0) == 4));
        else
            CHECK_EQ(recv(pair[0], then, 4, 0), 4);
        struct packet p = pop(port, 20000);
        CHECK(p.ov == &ov && p.bytes == 4);
        CHECK_MEM(first, "AAAA", 4);
        CHECK_STR(then, "BBBB");
        CloseHandle(port);
        end_pair(pair);
    }
}

/* A receive of nothing is in nobody's way: what it waits for lets it go, and is there still. */
TEST(a_receive_behind_one_of_no_bytes, "SOCK-15 SOCK-18")
{
    SOCKET pair[2];
    char got[8] = "";
    DWORD bytes = 9, flags = 0;
    REQUIRE(tcp_pair(pair));
    set_nonblocking(pair[0], 1);
    OVERLAPPED ov = with_event();
    CHECK_EQ(start_recv(pair[0], got, 0, &ov), WSA_IO_PENDING);
    CHECK_WSAERR(recv(pair[0], got, 4, 0), WSAEWOULDBLOCK);
    CHECK_EQ(send(pair[1], "data", 4, 0), 4);
    CHECK(WITHIN(20000, recv(pair[0], got, sizeof got, 0) == 4));
    CHECK_STR(got, "data");
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
    CHECK(WSAGetOverlappedResult(pair[0], &ov, &bytes, FALSE, &flags));
    CHECK_EQ(bytes, 0);
    CloseHandle(ov.hEvent);
    end_pair(pair);
}

TEST(a_receive_in_vain_leaves_the_one_before_it, "SOCK-08")
{
    SOCKET pair[2];
    char first[8] = "", then[8];
    DWORD bytes = 0, flags = 0;
    REQUIRE(tcp_pair(pair));
    OVERLAPPED ov = with_event();
    CHECK_EQ(start_recv(pair[0], first, sizeof first, &ov), WSA_IO_PENDING);
    CHECK_EQ(set_option(pair[0], SOL_SOCKET, SO_RCVTIMEO, 60), 0);
    CHECK_WSAERR(recv(pair[0], then, sizeof then, 0), WSAETIMEDOUT);
    CHECK_EQ(send(pair[1], "data", 4, 0), 4);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
    CHECK(WSAGetOverlappedResult(pair[0], &ov, &bytes, FALSE, &flags));
    CHECK_EQ(bytes, 4);
    CHECK_STR(first, "data");
    CloseHandle(ov.hEvent);
    end_pair(pair);
}

THREAD_FN(receive_two)
{
    struct caller *c = arg;
    c->tid = GetCurrentThreadId();
    SetEvent(c->ready);
    c->result = recv(c->s, c->data, 2, 0);
    return 0;
}

/* One that sleeps in recv() was first. */
TEST(a_receive_goes_behind_a_blocking_one, "SOCK-08")
{
    for (int round = 0; round < 20; round++) {
        SOCKET pair[2];
        char then[2] = "";
        struct caller c = {.ready = auto_event()};
        REQUIRE(tcp_pair(pair));
        OVERLAPPED ov = with_event();
        c.s = pair[0];
        HANDLE thread = start_thread(receive_two, &c);
        CHECK_EQ(WaitForSingleObject(c.ready, 20000), WAIT_OBJECT_0);
        until_asleep(c.tid);
        CHECK_EQ(start_recv(pair[0], then, sizeof then, &ov), WSA_IO_PENDING);
        CHECK_EQ(send(pair[1], "AABB", 4, 0), 4);
        JOIN(thread);
        CHECK_EQ(c.result, 2);
        CHECK_MEM(c.data, "AA", 2);
        CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
        CHECK_MEM(then, "BB", 2);
        CloseHandle(ov.hEvent);
        CloseHandle(c.ready);
        end_pair(pair);
    }
}

/* What is being sent when the sending side is shut is sent. */
TEST(a_blocking_send_is_not_cut_by_shutdown, "SOCK-19")
{
    char *data = big_pattern();
    for (int behind = 0; behind < 2; behind++) {
        SOCKET pair[2];
        struct sender w = {.data = behind ? data + BIG : data, .size = behind ? SMALL : BIG};
        REQUIRE(tcp_pair(pair));
        OVERLAPPED ov = with_event();
        struct reader r = reader_of(pair[1]);
        w.s = pair[0];
        w.ready = auto_event();
        if (behind)
            CHECK_EQ(start_send(pair[0], data, BIG, &ov), WSA_IO_PENDING);
        HANDLE thread = start_thread(send_once, &w);
        CHECK_EQ(WaitForSingleObject(w.ready, 20000), WAIT_OBJECT_0);
        until_asleep(w.tid);
        CHECK_EQ(shutdown(pair[0], SD_SEND), 0);
        read_all(&r);
        JOIN(thread);
        CHECK_EQ(w.result, w.size);
        CHECK_EQ(r.total, behind ? BIG + SMALL : BIG);
        CHECK_EQ(r.wrong, 0);
        CHECK_EQ(r.last, 0);
        CHECK_WSAERR(send(pair[0], data, 1, 0), WSAESHUTDOWN);
        CloseHandle(ov.hEvent);
        CloseHandle(w.ready);
        end_pair(pair);
    }
    free(data);
}

THREAD_FN(accept_one)
{
    SOCKET *s = arg;
    *s = accept(*s, NULL, NULL);
    return 0;
}

TEST_W8(an_accept_goes_behind, "ACC-01", "chance decides there which of them gets the connection")
{
    for (int round = 0; round < 20; round++) {
        struct sockaddr_in address;
        char room[2 * AREA];
        SOCKET listener = tcp_listener(&address), accepted = tcp_socket(), second = listener;
        OVERLAPPED ov = with_event();
        CHECK_EQ(start_accept(listener, accepted, room, 0, &ov), WSA_IO_PENDING);
        HANDLE thread = start_thread(accept_one, &second);
        SOCKET a = connected_to(&address);
        CHECK_EQ(send(a, "a", 1, 0), 1);
        CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
        CHECK_EQ(update_accept(accepted, listener), 0);
        expect_text(accepted, "a");
        SOCKET b = connected_to(&address);
        CHECK_EQ(send(b, "b", 1, 0), 1);
        JOIN(thread);
        expect_text(second, "b");
        closesocket(a);
        closesocket(b);
        closesocket(accepted);
        closesocket(second);
        closesocket(listener);
        CloseHandle(ov.hEvent);
    }
}

/* ---- urgent data ---- */

static int start_flagged(SOCKET s, char *byte, DWORD flags, OVERLAPPED *ov)
{
    WSABUF buf = {1, byte};
    return WSARecv(s, &buf, 1, NULL, &flags, ov, NULL) ? WSAGetLastError() : 0;
}

/* It is a stream of its own: neither waits for the other, whichever was first. */
TEST(urgent_data_waits_for_no_other, "SOCK-08")
{
    for (int order = 0; order < 2; order++) {
        SOCKET pair[2];
        char plain = 0, urgent = 0;
        DWORD bytes, flags;
        REQUIRE(tcp_pair(pair));
        OVERLAPPED a = with_event(), b = with_event();
        for (int i = 0; i < 2; i++) {
            if (i == order)
                CHECK_EQ(start_flagged(pair[0], &plain, 0, &a), WSA_IO_PENDING);
            else
                CHECK_EQ(start_flagged(pair[0], &urgent, MSG_OOB, &b), WSA_IO_PENDING);
        }
        OVERLAPPED *first = order ? &a : &b, *second = order ? &b : &a;
        CHECK_EQ(send(pair[1], "x", 1, first == &b ? 0 : MSG_OOB), 1); /* the later call's is first */
        CHECK_EQ(WaitForSingleObject(second->hEvent, 20000), WAIT_OBJECT_0);
        CHECK_EQ(WaitForSingleObject(first->hEvent, 0), WAIT_TIMEOUT);
        CHECK_EQ(send(pair[1], "y", 1, first == &b ? MSG_OOB : 0), 1);
        CHECK_EQ(WaitForSingleObject(first->hEvent, 20000), WAIT_OBJECT_0);
        CHECK(WSAGetOverlappedResult(pair[0], first, &bytes, FALSE, &flags) && bytes == 1);
        CHECK_EQ(first == &b ? plain : urgent, 'x');
        CHECK_EQ(first == &b ? urgent : plain, 'y');
        CloseHandle(a.hEvent);
        CloseHandle(b.hEvent);
        end_pair(pair);
    }
}

TEST(a_cancelled_receive_of_urgent_data_is_gone, "CANCEL-03 CANCEL-05")
{
    SOCKET pair[2];
    char urgent[2] = "", plain = 0;
    DWORD bytes, flags;
    REQUIRE(tcp_pair(pair));
    OVERLAPPED a = with_event(), b = with_event(), c = with_event();
    CHECK_EQ(start_flagged(pair[0], &urgent[0], MSG_OOB, &a), WSA_IO_PENDING);
    CHECK_EQ(start_flagged(pair[0], &urgent[1], MSG_OOB, &b), WSA_IO_PENDING);
    CHECK_EQ(start_flagged(pair[0], &plain, 0, &c), WSA_IO_PENDING);
    CHECK(CancelIoEx((HANDLE)pair[0], &a));
    CHECK_EQ(WaitForSingleObject(a.hEvent, 20000), WAIT_OBJECT_0);
    CHECK(!WSAGetOverlappedResult(pair[0], &a, &bytes, FALSE, &flags));
    CHECK_EQ(WSAGetLastError(), WSA_OPERATION_ABORTED);
    CHECK_EQ(send(pair[1], "!", 1, MSG_OOB), 1);
    CHECK_EQ(WaitForSingleObject(b.hEvent, 20000), WAIT_OBJECT_0);
    CHECK_EQ(urgent[1], '!');
    CHECK_EQ(WaitForSingleObject(c.hEvent, 0), WAIT_TIMEOUT);
    CHECK_EQ(closesocket(pair[0]), 0);
    CHECK_EQ(WaitForSingleObject(c.hEvent, 20000), WAIT_OBJECT_0);
    closesocket(pair[1]);
    CloseHandle(a.hEvent);
    CloseHandle(b.hEvent);
    CloseHandle(c.hEvent);
}

/* The end of the connection is one of its urgent data, too. */
TEST(urgent_data_ends_with_the_connection, "SOCK-13 SOCK-14")
{
    if (conform_wine)
        SKIP("Wine goes on waiting");
    for (int how = 0; how < 4; how++) {
        SOCKET pair[2];
        char byte = 0;
        DWORD bytes = 7, flags = 0;
        BOOL resets = how & 1;
        REQUIRE(tcp_pair(pair));
        OVERLAPPED ov = with_event();
        if (how < 2)
            CHECK_EQ(start_flagged(pair[0], &byte, MSG_OOB, &ov), WSA_IO_PENDING);
        if (resets)
            reset_socket(pair[1]);
        else
            CHECK_EQ(shutdown(pair[1], SD_SEND), 0);
        if (how < 2) {
            CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
            CHECK_EQ(WSAGetOverlappedResult(pair[0], &ov, &bytes, FALSE, &flags), !resets);
        } else {
            bytes = (DWORD)recv(pair[0], &byte, 1, MSG_OOB);
        }
        if (resets)
            CHECK_EQ(WSAGetLastError(), WSAECONNRESET);
        else
            CHECK_EQ(bytes, 0);
        closesocket(pair[0]);
        if (!resets)
            closesocket(pair[1]);
        CloseHandle(ov.hEvent);
    }
}

/* ---- called back ---- */

enum way { BY_THREAD, BY_HANDLE, BY_CLOSING };

/* What the send() gave. */
static int call_back(enum way how)
{
    char *data = big_pattern();
    SOCKET pair[2];
    if (!tcp_pair(pair))
        return 0;
    OVERLAPPED ov = with_event();
    struct sender w = {.s = pair[0], .data = data, .size = SMALL, .ready = auto_event()};
    CHECK_EQ(start_send(pair[0], data, BIG, &ov), WSA_IO_PENDING);
    HANDLE thread = start_thread(send_once, &w);
    CHECK_EQ(WaitForSingleObject(w.ready, 20000), WAIT_OBJECT_0);
    until_asleep(w.tid);
    if (how == BY_THREAD) {
        CHECK(WITHIN(20000, CancelSynchronousIo(thread)));
    } else if (how == BY_HANDLE) {
        CHECK(CancelIoEx((HANDLE)pair[0], NULL));
    } else {
        CHECK_EQ(closesocket(pair[0]), 0);
    }
    JOIN(thread);
    CHECK_MSG(w.result == SMALL || w.error == WSA_OPERATION_ABORTED || w.error == WSAEINTR, "error %d",
              w.error);
    if (how == BY_THREAD) /* the other goes on */
        CHECK_EQ(WaitForSingleObject(ov.hEvent, 0), WAIT_TIMEOUT);
    if (how != BY_CLOSING)
        closesocket(pair[0]);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
    closesocket(pair[1]);
    CloseHandle(ov.hEvent);
    CloseHandle(w.ready);
    free(data);
    return w.result;
}

TEST(one_that_waits_behind_is_called_back, "CANCEL-12")
{
    if (conform_wine)
        SKIP("Wine does not find the call");
    CHECK_EQ(call_back(BY_THREAD), -1);
}

TEST(one_that_waits_behind_ends_with_the_others, "CANCEL-02")
{
    if (conform_wine)
        SKIP("Wine goes on waiting");
    int sent = 0; /* in the moment after the one before it was cancelled: CANCEL-07 */
    for (int round = 0; round < 5; round++) {
        sent += call_back(BY_HANDLE) == SMALL;
        sent += call_back(BY_CLOSING) == SMALL;
    }
    CHECK(sent < 10);
}

/* ---- behind what was cancelled ---- */

static int start_disconnect(SOCKET s, OVERLAPPED *ov, DWORD flags)
{
    LPFN_DISCONNECTEX disconnect_ex;
    DWORD bytes;
    CHECK_EQ(extension(s, (GUID)WSAID_DISCONNECTEX, &disconnect_ex, &bytes), 0);
    return disconnect_ex(s, ov, flags, 0) ? 0 : WSAGetLastError();
}

/* A client that does not read: the send is given up, and then the connection. */
TEST(a_slow_client_is_got_rid_of, "CANCEL-05")
{
    char *data = big_pattern();
    for (int how = 0; how < 4; how++) {
        SOCKET pair[2];
        DWORD flags = (how & 1) && !conform_wine ? TF_REUSE_SOCKET : 0; /* disconnect.c says why */
        REQUIRE(tcp_pair(pair));
        OVERLAPPED ov = with_event(), end = with_event();
        int error = WSA_IO_PENDING;
        CHECK_EQ(start_send(pair[0], data, BIG, &ov), WSA_IO_PENDING);
        if (how & 2) /* it waits behind the send */
            error = start_disconnect(pair[0], &end, flags);
        CHECK(CancelIoEx((HANDLE)pair[0], &ov));
        CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
        if (!(how & 2))
            error = start_disconnect(pair[0], &end, flags);
        CHECK(error == 0 || error == WSA_IO_PENDING);
        CHECK_MSG(WaitForSingleObject(end.hEvent, 20000) == WAIT_OBJECT_0, "way %d", how);
        end_pair(pair);
        CHECK_EQ(WaitForSingleObject(end.hEvent, 20000), WAIT_OBJECT_0);
        CloseHandle(ov.hEvent);
        CloseHandle(end.hEvent);
    }
    free(data);
}

