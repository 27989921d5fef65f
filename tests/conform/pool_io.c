/* SPDX-License-Identifier: MIT */
/* The thread pool's I/O objects, and BindIoCompletionCallback: files, sockets, pipes. */
#include "conform.h"

#define LONG_TIME 10000

/* What one callback said; the OVERLAPPED is the first member. */
struct operation {
    OVERLAPPED ov;
    ULONG error;
    ULONG_PTR bytes;
    PVOID context;
    PTP_IO io;
    volatile LONG calls;
    char buffer[64];
};

static volatile LONG total;
static HANDLE each; /* semaphore: one per callback */

static void begin(void)
{
    total = 0;
    if (!each)
        each = CreateSemaphoreA(NULL, 0, 1000000, NULL);
    while (WaitForSingleObject(each, 0) == WAIT_OBJECT_0)
        ;
}

static int callbacks(int count)
{
    while (count > 0 && WaitForSingleObject(each, LONG_TIME) == WAIT_OBJECT_0)
        count--;
    return count == 0;
}

static void CALLBACK note(PTP_CALLBACK_INSTANCE instance, PVOID context, PVOID overlapped, ULONG error,
                          ULONG_PTR bytes, PTP_IO io)
{
    struct operation *o = overlapped;
    (void)instance;
    o->error = error;
    o->bytes = bytes;
    o->context = context;
    o->io = io;
    InterlockedIncrement(&o->calls);
    InterlockedIncrement(&total);
    ReleaseSemaphore(each, 1, NULL);
}

/* A receive of up to 64 bytes, announced. 0 or 997. */
static int receive(PTP_IO io, SOCKET s, struct operation *o)
{
    memset(o, 0, sizeof *o);
    StartThreadpoolIo(io);
    int error = start_recv(s, o->buffer, sizeof o->buffer, &o->ov);
    if (error && error != WSA_IO_PENDING)
        CancelThreadpoolIo(io);
    return error;
}

TEST(a_callback_per_receive, "POOL-08 POOL-12")
{
    SOCKET pair[2];
    static struct operation o;
    int mark;
    begin();
    REQUIRE(tcp_pair(pair));
    PTP_IO io = CreateThreadpoolIo((HANDLE)pair[0], note, &mark, NULL);
    REQUIRE(io != NULL);
    for (int i = 1; i <= 20; i++) {
        CHECK_EQ(receive(io, pair[0], &o), WSA_IO_PENDING);
        CHECK(send_all(pair[1], "0123456789abcdefghijklmn", i));
        REQUIRE(callbacks(1));
        CHECK_EQ(LOOK(o.calls), 1);
        CHECK_EQ(o.error, 0);
        CHECK_EQ(o.bytes, i);
        CHECK(o.context == &mark && o.io == io);
        CHECK(memcmp(o.buffer, "0123456789abcdefghijklmn", i) == 0);
    }
    WaitForThreadpoolIoCallbacks(io, FALSE);
    CloseThreadpoolIo(io); /* nothing is outstanding: at once */
    closesocket(pair[0]);
    closesocket(pair[1]);
}

TEST(done_at_once_calls_back_too, "POOL-08")
{
    SOCKET pair[2];
    static struct operation o;
    begin();
    REQUIRE(tcp_pair(pair));
    PTP_IO io = CreateThreadpoolIo((HANDLE)pair[0], note, NULL, NULL);
    REQUIRE(io != NULL);
    memset(&o, 0, sizeof o);
    StartThreadpoolIo(io);
    int error = start_send(pair[0], "hello", 5, &o.ov);
    CHECK(error == 0 || error == WSA_IO_PENDING);
    REQUIRE(callbacks(1));
    CHECK_EQ(o.bytes, 5);
    WaitForThreadpoolIoCallbacks(io, FALSE);
    CHECK_EQ(LOOK(total), 1);
    CloseThreadpoolIo(io);
    closesocket(pair[0]);
    closesocket(pair[1]);
}

/* closesocket, then waiting for the callbacks with FALSE: what programs do at the end of a connection. */
TEST(closing_the_socket_aborts_into_callbacks, "POOL-08 POOL-12")
{
    for (int i = 0; i < 20; i++) {
        SOCKET pair[2];
        static struct operation o;
        begin();
        REQUIRE(tcp_pair(pair));
        PTP_IO io = CreateThreadpoolIo((HANDLE)pair[0], note, NULL, NULL);
        REQUIRE(io != NULL);
        CHECK_EQ(receive(io, pair[0], &o), WSA_IO_PENDING);
        CHECK_EQ(closesocket(pair[0]), 0);
        WaitForThreadpoolIoCallbacks(io, FALSE);
        CHECK_EQ(LOOK(o.calls), 1);
        TODO_WINE("a receive whose socket is closed ends in another code")
            CHECK_EQ(o.error, ERROR_OPERATION_ABORTED);
        CHECK_EQ(o.bytes, 0);
        CloseThreadpoolIo(io);
        closesocket(pair[1]);
    }
}

TEST(errors_are_win32_codes, "POOL-08")
{
    static struct operation o;
    begin();
    HANDLE file = temp_file(10, FILE_FLAG_OVERLAPPED);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    PTP_IO io = CreateThreadpoolIo(file, note, NULL, NULL);
    REQUIRE(io != NULL);
    memset(&o, 0, sizeof o);
    StartThreadpoolIo(io);
    BOOL ok = ReadFile(file, o.buffer, 64, NULL, &o.ov);
    CHECK(ok || GetLastError() == ERROR_IO_PENDING);
    REQUIRE(callbacks(1));
    CHECK_EQ(o.error, 0);
    CHECK_EQ(o.bytes, 10);
    CHECK_EQ((unsigned char)o.buffer[3], pattern(3));
    memset(&o, 0, sizeof o);
    o.ov.Offset = 100; /* behind the end: fails at once, or later */
    StartThreadpoolIo(io);
    ok = ReadFile(file, o.buffer, 64, NULL, &o.ov);
    if (!ok && GetLastError() != ERROR_IO_PENDING) {
        CHECK_EQ(GetLastError(), ERROR_HANDLE_EOF);
        CancelThreadpoolIo(io);
    } else if (callbacks(1)) {
        CHECK_EQ(o.error, ERROR_HANDLE_EOF);
        CHECK_EQ(o.bytes, 0);
    }
    WaitForThreadpoolIoCallbacks(io, FALSE);
    CloseHandle(file);
    CloseThreadpoolIo(io);
}

TEST(many_reads_of_a_file, "POOL-08")
{
    enum { READS = 200 };
    static struct operation o[READS];
    begin();
    HANDLE file = temp_file(READS * 64, FILE_FLAG_OVERLAPPED);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    PTP_IO io = CreateThreadpoolIo(file, note, NULL, NULL);
    REQUIRE(io != NULL);
    memset(o, 0, sizeof o);
    for (int i = 0; i < READS; i++) {
        o[i].ov.Offset = i * 64;
        StartThreadpoolIo(io);
        if (!ReadFile(file, o[i].buffer, 64, NULL, &o[i].ov) && GetLastError() != ERROR_IO_PENDING) {
            FAIL("read %d", i);
            CancelThreadpoolIo(io);
        }
    }
    WaitForThreadpoolIoCallbacks(io, FALSE);
    CHECK_EQ(LOOK(total), READS);
    for (int i = 0; i < READS; i++) {
        CHECK_EQ(LOOK(o[i].calls), 1);
        CHECK_EQ(o[i].bytes, 64);
        CHECK_EQ((unsigned char)o[i].buffer[5], pattern(i * 64 + 5));
    }
    CloseHandle(file);
    CloseThreadpoolIo(io);
}

TEST(cancel_takes_an_announcement_back, "POOL-09")
{
    SOCKET pair[2];
    static struct operation o;
    begin();
    REQUIRE(tcp_pair(pair));
    PTP_IO io = CreateThreadpoolIo((HANDLE)pair[0], note, NULL, NULL);
    REQUIRE(io != NULL);
    memset(&o, 0, sizeof o);
    shutdown(pair[0], SD_SEND);
    for (int i = 0; i < 3; i++) {
        StartThreadpoolIo(io);
        CHECK_EQ(start_send(pair[0], "x", 1, &o.ov), WSAESHUTDOWN);
        CancelThreadpoolIo(io);
    }
    WaitForThreadpoolIoCallbacks(io, FALSE); /* does not hang */
    CHECK_EQ(LOOK(total), 0);
    CHECK_EQ(receive(io, pair[0], &o), WSA_IO_PENDING);
    CHECK(send_all(pair[1], "x", 1));
    CHECK(callbacks(1));
    CloseThreadpoolIo(io);
    closesocket(pair[0]);
    closesocket(pair[1]);
}

TEST(skipped_successes_call_nobody, "POOL-10")
{
    SOCKET pair[2];
    static struct operation o;
    begin();
    REQUIRE(tcp_pair(pair));
    PTP_IO io = CreateThreadpoolIo((HANDLE)pair[0], note, NULL, NULL);
    REQUIRE(io != NULL);
    CHECK(SetFileCompletionNotificationModes((HANDLE)pair[0], FILE_SKIP_COMPLETION_PORT_ON_SUCCESS));
    memset(&o, 0, sizeof o);
    StartThreadpoolIo(io);
    int error = start_send(pair[0], "hello", 5, &o.ov);
    if (error == 0)
        CancelThreadpoolIo(io);
    else
        CHECK_EQ(error, WSA_IO_PENDING);
    WaitForThreadpoolIoCallbacks(io, FALSE);
    CHECK_EQ(LOOK(o.calls), error == 0 ? 0 : 1);
    begin();
    CHECK_EQ(receive(io, pair[0], &o), WSA_IO_PENDING); /* what pends is answered as ever */
    CHECK(send_all(pair[1], "x", 1));
    CHECK(callbacks(1));
    CHECK_EQ(LOOK(total), 1);
    CloseThreadpoolIo(io);
    closesocket(pair[0]);
    closesocket(pair[1]);
}

static HANDLE held_entered, held_go;

static void CALLBACK held(PTP_CALLBACK_INSTANCE instance, PVOID context, PVOID overlapped, ULONG error,
                          ULONG_PTR bytes, PTP_IO io)
{
    SetEvent(held_entered);
    WaitForSingleObject(held_go, LONG_TIME);
    note(instance, context, overlapped, error, bytes, io);
}

/* Waiting with TRUE drops callbacks, not operations: their answer is in the OVERLAPPED all the same. */
TEST(cancelled_callbacks_leave_the_operation, "POOL-11")
{
    SOCKET pair[2];
    static struct operation o;
    DWORD bytes = 0, flags = 0;
    begin();
    REQUIRE(tcp_pair(pair));
    PTP_IO io = CreateThreadpoolIo((HANDLE)pair[0], note, NULL, NULL);
    REQUIRE(io != NULL);
    memset(&o, 0, sizeof o);
    o.ov.hEvent = manual_event();
    StartThreadpoolIo(io);
    CHECK_EQ(start_recv(pair[0], o.buffer, 64, &o.ov), WSA_IO_PENDING);
    WaitForThreadpoolIoCallbacks(io, TRUE); /* returns, though the receive pends */
    CHECK(!HasOverlappedIoCompleted(&o.ov));
    CHECK(send_all(pair[1], "hello", 5));
    CHECK_EQ(WaitForSingleObject(o.ov.hEvent, LONG_TIME), WAIT_OBJECT_0);
    CHECK(WSAGetOverlappedResult(pair[0], &o.ov, &bytes, FALSE, &flags));
    CHECK_EQ(bytes, 5);
    CHECK_EQ(WaitForSingleObject(each, 50), WAIT_TIMEOUT);
    CHECK_EQ(LOOK(o.calls), 0);
    CloseHandle(o.ov.hEvent);
    CHECK_EQ(receive(io, pair[0], &o), WSA_IO_PENDING); /* the next one is called back */
    CHECK(send_all(pair[1], "x", 1));
    CHECK(callbacks(1));
    CHECK_EQ(LOOK(o.calls), 1);
    CloseThreadpoolIo(io);
    closesocket(pair[0]);
    closesocket(pair[1]);
}

TEST(queued_callbacks_are_dropped, "POOL-11 POOL-14")
{
    SOCKET pair[2];
    static struct operation o[8];
    TP_CALLBACK_ENVIRON environment;
    PTP_POOL pool = CreateThreadpool(NULL);
    begin();
    held_entered = auto_event();
    held_go = manual_event();
    REQUIRE(pool && tcp_pair(pair));
    SetThreadpoolThreadMaximum(pool, 1);
    InitializeThreadpoolEnvironment(&environment);
    SetThreadpoolCallbackPool(&environment, pool);
    PTP_IO io = CreateThreadpoolIo((HANDLE)pair[0], held, NULL, &environment);
    REQUIRE(io != NULL);
    memset(o, 0, sizeof o);
    for (int i = 0; i < 8; i++) {
        StartThreadpoolIo(io);
        int error = start_send(pair[0], "x", 1, &o[i].ov);
        CHECK(error == 0 || error == WSA_IO_PENDING);
    }
    CHECK_EQ(WaitForSingleObject(held_entered, LONG_TIME), WAIT_OBJECT_0); /* one runs, seven are queued */
    SetEvent(held_go);
    WaitForThreadpoolIoCallbacks(io, TRUE);
    LONG ran = LOOK(total);
    CHECK(ran >= 1);
    SwitchToThread();
    CHECK_EQ(LOOK(total), ran);
    closesocket(pair[0]);
    closesocket(pair[1]);
    CloseThreadpoolIo(io);
    CloseThreadpool(pool);
    CloseHandle(held_entered);
    CloseHandle(held_go);
}

/* A receive that pends when its callback is cancelled, and a send that is announced after that: it is the
 * receive's packet that calls nobody, though the send's comes first. */
TEST(the_cancelled_one_is_dropped_not_the_next, "POOL-08 POOL-11")
{
    for (int i = 0; i < 200; i++) {
        SOCKET pair[2];
        static struct operation receiving, sending;
        begin();
        REQUIRE(tcp_pair(pair));
        PTP_IO io = CreateThreadpoolIo((HANDLE)pair[0], note, NULL, NULL);
        REQUIRE(io != NULL);
        CHECK_EQ(receive(io, pair[0], &receiving), WSA_IO_PENDING);
        WaitForThreadpoolIoCallbacks(io, TRUE);
        memset(&sending, 0, sizeof sending);
        StartThreadpoolIo(io);
        int error = start_send(pair[0], "x", 1, &sending.ov);
        CHECK(error == 0 || error == WSA_IO_PENDING);
        REQUIRE(callbacks(1));
        CHECK_EQ(LOOK(sending.calls), 1);
        CHECK(send_all(pair[1], "y", 1));
        while (!HasOverlappedIoCompleted(&receiving.ov))
            SwitchToThread();
        CHECK_EQ(receive(io, pair[0], &sending), WSA_IO_PENDING); /* and the one after that is served */
        CHECK(send_all(pair[1], "z", 1));
        CHECK(callbacks(1));
        TODO_WINE("it is not cancelled") CHECK_EQ(LOOK(receiving.calls), 0);
        WaitForThreadpoolIoCallbacks(io, TRUE);
        CloseThreadpoolIo(io);
        closesocket(pair[0]);
        closesocket(pair[1]);
    }
}

static void CALLBACK hold_the_thread(PTP_CALLBACK_INSTANCE instance, PVOID context)
{
    (void)instance;
    (void)context;
    SetEvent(held_entered);
    WaitForSingleObject(held_go, LONG_TIME);
}

/* closesocket, WaitForThreadpoolIoCallbacks(TRUE) and CloseThreadpoolIo, as the page has it, while the packet
 * lies behind a long callback; and other objects are made and closed before its turn comes. */
TEST(a_packet_of_a_closed_object_finds_nobody, "POOL-11 POOL-12 POOL-14")
{
    TP_CALLBACK_ENVIRON environment;
    PTP_POOL pool = CreateThreadpool(NULL);
    begin();
    held_entered = auto_event();
    held_go = auto_event();
    REQUIRE(pool != NULL);
    SetThreadpoolThreadMaximum(pool, 1);
    InitializeThreadpoolEnvironment(&environment);
    SetThreadpoolCallbackPool(&environment, pool);
    double until = now_ms() + 10000;
    for (int i = 0; i < 20 && now_ms() < until; i++) {
        enum { EACH = 4, QUEUES = 256 };
        static struct operation o[EACH], next;
        SOCKET pairs[EACH][2], pair[2];
        HANDLE queue = NULL;
        CHECK(TrySubmitThreadpoolCallback(hold_the_thread, NULL, &environment));
        REQUIRE(WaitForSingleObject(held_entered, LONG_TIME) == WAIT_OBJECT_0);
        for (int k = 0; k < EACH; k++) {
            REQUIRE(tcp_pair(pairs[k]));
            PTP_IO io = CreateThreadpoolIo((HANDLE)pairs[k][0], note, NULL, &environment);
            REQUIRE(io != NULL);
            CHECK_EQ(receive(io, pairs[k][0], &o[k]), WSA_IO_PENDING);
            closesocket(pairs[k][0]);
            WaitForThreadpoolIoCallbacks(io, TRUE);
            CloseThreadpoolIo(io);
            closesocket(pairs[k][1]);
        }
        for (int k = 0; k < QUEUES; k++) { /* as many as a small counter in a handle has values */
            CHECK(!queue || DeleteTimerQueueEx(queue, INVALID_HANDLE_VALUE));
            queue = CreateTimerQueue();
        }
        REQUIRE(tcp_pair(pair));
        PTP_IO io = CreateThreadpoolIo((HANDLE)pair[0], note, NULL, &environment);
        REQUIRE(io != NULL);
        CHECK_EQ(receive(io, pair[0], &next), WSA_IO_PENDING);
        CHECK(send_all(pair[1], "x", 1));
        SetEvent(held_go);
        REQUIRE(callbacks(1)); /* behind the others: they have all been looked at */
        CHECK_EQ(LOOK(next.calls), 1);
        for (int k = 0; k < EACH; k++)
            CHECK_EQ(LOOK(o[k].calls), 0);
        WaitForThreadpoolIoCallbacks(io, FALSE);
        CloseThreadpoolIo(io);
        closesocket(pair[0]);
        closesocket(pair[1]);
        CHECK(DeleteTimerQueueEx(queue, INVALID_HANDLE_VALUE));
    }
    CloseThreadpool(pool);
    CloseHandle(held_entered);
    CloseHandle(held_go);
}

TEST(close_with_callbacks_outstanding, "POOL-12")
{
    SOCKET pair[2];
    static struct operation o;
    begin();
    REQUIRE(tcp_pair(pair));
    PTP_IO io = CreateThreadpoolIo((HANDLE)pair[0], note, NULL, NULL);
    REQUIRE(io != NULL);
    CHECK_EQ(receive(io, pair[0], &o), WSA_IO_PENDING);
    CloseThreadpoolIo(io);
    CHECK(send_all(pair[1], "x", 1));
    CHECK(callbacks(1));
    CHECK_EQ(o.bytes, 1);
    closesocket(pair[0]);
    closesocket(pair[1]);
}

TEST(not_every_handle, "POOL-08")
{
    SOCKET pair[2];
    HANDLE file = temp_file(10, 0);
    REQUIRE(tcp_pair(pair));
    CHECK(CreateThreadpoolIo(file, note, NULL, NULL) == NULL);
    CHECK_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
    HANDLE event = manual_event(), port = CreateIoCompletionPort((HANDLE)pair[0], NULL, 1, 0);
    CHECK(CreateThreadpoolIo(event, note, NULL, NULL) == NULL);
    CHECK(port != NULL);
    CHECK(CreateThreadpoolIo((HANDLE)pair[0], note, NULL, NULL) == NULL); /* it has a port */
    CHECK_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
    CloseHandle(file);
    CloseHandle(event);
    CloseHandle(port);
    closesocket(pair[0]);
    closesocket(pair[1]);
}

/* An echo whose callbacks start the next operation, close the connection and free everything. */
struct connection {
    SOCKET socket;
    PTP_IO io;
    OVERLAPPED receiving, sending;
    char buffer[256];
};

static volatile LONG echoed, ended;

static int next_receive(struct connection *c)
{
    memset(&c->receiving, 0, sizeof c->receiving);
    StartThreadpoolIo(c->io);
    int error = start_recv(c->socket, c->buffer, sizeof c->buffer, &c->receiving);
    if (!error || error == WSA_IO_PENDING)
        return 1;
    CancelThreadpoolIo(c->io);
    return 0;
}

static void CALLBACK echo(PTP_CALLBACK_INSTANCE instance, PVOID context, PVOID overlapped, ULONG error,
                          ULONG_PTR bytes, PTP_IO io)
{
    struct connection *c = context;
    int goes_on = error == 0 && bytes > 0;
    (void)instance;
    if (goes_on && overlapped == &c->receiving) {
        memset(&c->sending, 0, sizeof c->sending);
        StartThreadpoolIo(io);
        int sent = start_send(c->socket, c->buffer, (ULONG)bytes, &c->sending);
        goes_on = !sent || sent == WSA_IO_PENDING;
        if (!goes_on)
            CancelThreadpoolIo(io);
    } else if (goes_on) {
        InterlockedIncrement(&echoed);
        goes_on = next_receive(c);
    }
    if (goes_on)
        return;
    closesocket(c->socket);
    CloseThreadpoolIo(io);
    free(c);
    InterlockedIncrement(&ended);
    ReleaseSemaphore(each, 1, NULL);
}

TEST(an_echo_server_of_callbacks, "POOL-08 POOL-12")
{
    enum { CONNECTIONS = 20, MESSAGES = 50 };
    SOCKET clients[CONNECTIONS];
    char answer[8];
    begin();
    echoed = ended = 0;
    for (int i = 0; i < CONNECTIONS; i++) {
        SOCKET pair[2];
        struct connection *c = calloc(1, sizeof *c);
        REQUIRE(tcp_pair(pair) && c);
        clients[i] = pair[0];
        c->socket = pair[1];
        c->io = CreateThreadpoolIo((HANDLE)c->socket, echo, c, NULL);
        REQUIRE(c->io != NULL);
        CHECK(next_receive(c));
    }
    for (int m = 0; m < MESSAGES; m++) {
        for (int i = 0; i < CONNECTIONS; i++)
            CHECK(send_all(clients[i], "hello", 5));
        for (int i = 0; i < CONNECTIONS; i++)
            CHECK_EQ(recv(clients[i], answer, 5, MSG_WAITALL), 5);
    }
    for (int i = 0; i < CONNECTIONS; i++)
        closesocket(clients[i]);
    CHECK(callbacks(CONNECTIONS));
    CHECK_EQ(LOOK(ended), CONNECTIONS);
    CHECK_EQ(LOOK(echoed), CONNECTIONS * MESSAGES);
}

/* ---- BindIoCompletionCallback ---- */

static void CALLBACK bound(DWORD error, DWORD bytes, LPOVERLAPPED overlapped)
{
    struct operation *o = (struct operation *)overlapped;
    o->error = error;
    o->bytes = bytes;
    InterlockedIncrement(&o->calls);
    InterlockedIncrement(&total);
    ReleaseSemaphore(each, 1, NULL);
}

TEST(bound_completions, "POOL-17")
{
    enum { HANDLES = 30 };
    static struct operation o[HANDLES], file_read;
    SOCKET pairs[HANDLES][2];
    begin();
    HANDLE file = temp_file(10, FILE_FLAG_OVERLAPPED);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    CHECK(BindIoCompletionCallback(file, bound, 0));
    for (int i = 0; i < HANDLES; i++) {
        REQUIRE(tcp_pair(pairs[i]));
        CHECK(BindIoCompletionCallback((HANDLE)pairs[i][0], bound, 0));
        CHECK_ERR(BindIoCompletionCallback((HANDLE)pairs[i][0], bound, 0), ERROR_INVALID_PARAMETER);
        memset(&o[i], 0, sizeof o[i]);
        CHECK_EQ(start_recv(pairs[i][0], o[i].buffer, 64, &o[i].ov), WSA_IO_PENDING);
    }
    memset(&file_read, 0, sizeof file_read);
    CHECK(ReadFile(file, file_read.buffer, 64, NULL, &file_read.ov) || GetLastError() == ERROR_IO_PENDING);
    for (int i = 0; i < HANDLES; i++)
        CHECK(send_all(pairs[i][1], "0123456789012345678901234567890", i + 1));
    CHECK(callbacks(HANDLES + 1));
    CHECK_EQ(LOOK(total), HANDLES + 1);
    CHECK_EQ(LOOK(file_read.calls), 1);
    CHECK_EQ(file_read.bytes, 10);
    for (int i = 0; i < HANDLES; i++) {
        CHECK_EQ(LOOK(o[i].calls), 1);
        CHECK_EQ(o[i].error, 0);
        CHECK_EQ(o[i].bytes, i + 1);
        memset(&o[i], 0, sizeof o[i]);
        CHECK_EQ(start_recv(pairs[i][0], o[i].buffer, 64, &o[i].ov), WSA_IO_PENDING);
        closesocket(pairs[i][0]);
        closesocket(pairs[i][1]);
    }
    CHECK(callbacks(HANDLES));
    for (int i = 0; i < HANDLES; i++)
        CHECK_EQ(LOOK(o[i].calls), 1);
    CloseHandle(file);
}

TEST(binding_takes_no_flags, "POOL-17")
{
    SOCKET pair[2];
    REQUIRE(tcp_pair(pair));
    CHECK_ERR(BindIoCompletionCallback((HANDLE)(uintptr_t)0x7777, bound, 0), ERROR_INVALID_HANDLE);
    TODO_WINE("flags are not looked at")
        CHECK_ERR(BindIoCompletionCallback((HANDLE)pair[0], bound, 1), ERROR_INVALID_PARAMETER);
    closesocket(pair[0]);
    closesocket(pair[1]);
}
