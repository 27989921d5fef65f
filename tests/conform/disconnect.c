/* SPDX-License-Identifier: MIT */
/*
 * DisconnectEx: the end of a connection as an operation, and the second life of its socket in AcceptEx
 * and ConnectEx.
 */
#include "conform.h"
#include "net.h"

/* Starts a DisconnectEx: 0, or the error. */
static int start_disconnect(SOCKET s, OVERLAPPED *ov, DWORD flags, DWORD reserved)
{
    static LPFN_DISCONNECTEX disconnect_ex;
    DWORD bytes;
    if (!disconnect_ex) {
        SOCKET any = tcp_socket();
        CHECK_EQ(extension(any, (GUID)WSAID_DISCONNECTEX, &disconnect_ex, &bytes), 0);
        closesocket(any);
    }
    WSASetLastError(0);
    return disconnect_ex(s, ov, flags, reserved) ? 0 : WSAGetLastError();
}

static int started(int error)
{
    return error == 0 || error == ERROR_IO_PENDING;
}

TEST(through_event, "ACC-19")
{
    SOCKET pair[2];
    char byte;
    OVERLAPPED ov = with_event();
    DWORD bytes = 9, flags;
    REQUIRE(tcp_pair(pair));
    CHECK_EQ(send(pair[0], "last words", 10, 0), 10);
    CHECK(started(start_disconnect(pair[0], &ov, 0, 0)));
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
    CHECK(WSAGetOverlappedResult(pair[0], &ov, &bytes, FALSE, &flags));
    CHECK_EQ(bytes, 0);
    expect_text(pair[1], "last words"); /* nothing is lost */
    CHECK_EQ(recv(pair[1], &byte, 1, 0), 0);
    CHECK_EQ(recv(pair[1], &byte, 1, 0), 0); /* the end, not a reset */
    WSASetLastError(0);
    CHECK_EQ(send(pair[0], "x", 1, 0), SOCKET_ERROR);
    CHECK_MSG(WSAGetLastError() == WSAESHUTDOWN || WSAGetLastError() == WSAENOTCONN ||
                  WSAGetLastError() == WSAECONNABORTED,
              "error %d", WSAGetLastError());
    CloseHandle(ov.hEvent);
    end_pair(pair);
}

TEST(through_port, "ACC-19")
{
    SOCKET pair[2];
    char byte;
    OVERLAPPED ov = {0};
    REQUIRE(tcp_pair(pair));
    HANDLE port = port_of(pair[0], 91);
    CHECK(started(start_disconnect(pair[0], &ov, 0, 0)));
    struct packet p = pop(port, 20000);
    CHECK_EQ(p.error, 0);
    CHECK_EQ(p.bytes, 0);
    CHECK_EQ(p.key, 91);
    CHECK(p.ov == &ov);
    CHECK(port_is_empty(port));
    CHECK_EQ(recv(pair[1], &byte, 1, 0), 0);
    CloseHandle(port);
    end_pair(pair);

    /* Without OVERLAPPED it is done when it returns; with the flag as well. */
    for (DWORD reuse = 0; reuse < 2; reuse++) {
        REQUIRE(tcp_pair(pair));
        CHECK_EQ(start_disconnect(pair[0], NULL, reuse ? TF_REUSE_SOCKET : 0, 0), 0);
        CHECK_EQ(recv(pair[1], &byte, 1, 0), 0);
        end_pair(pair);
    }
}

TEST(refused, "ACC-20 SOCK-07")
{
    struct sockaddr_in address;
    SOCKET pair[2], fresh = tcp_socket(), listener = tcp_listener(&address), udp = udp_socket(&address);
    static OVERLAPPED ov;
    memset(&ov, 0, sizeof ov);
    ov.hEvent = manual_event();
    REQUIRE(tcp_pair(pair));
    HANDLE port = port_of(pair[0], 92);
    TODO_WINE("Wine does not look at flags and reserved")
    {
        CHECK_EQ(start_disconnect(fresh, &ov, 0, 1), WSAEINVAL);
        CHECK_EQ(start_disconnect(fresh, &ov, 0x40, 0), WSAEINVAL);
        CHECK_EQ(start_disconnect(fresh, &ov, TF_DISCONNECT, 0), WSAEINVAL);
    }
    CHECK_EQ(start_disconnect(fresh, &ov, 0, 0), WSAENOTCONN);
    CHECK_EQ(start_disconnect(fresh, &ov, TF_REUSE_SOCKET, 0), WSAENOTCONN);
    CHECK_EQ(start_disconnect(fresh, NULL, 0, 0), WSAENOTCONN);
    CHECK_EQ(start_disconnect(listener, &ov, 0, 0), WSAENOTCONN);
    CHECK(start_disconnect(udp, &ov, 0, 0) != 0); /* connections only */
    CHECK_EQ(start_disconnect(INVALID_SOCKET, &ov, 0, 0), WSAENOTSOCK);
    TODO_WINE("Wine sets the event of some refused calls")
    {
        CHECK_EQ(WaitForSingleObject(ov.hEvent, 0), WAIT_TIMEOUT);
    }

    /* And a connection lives on after refused calls. */
    TODO_WINE("Wine does not look at flags and reserved")
    {
        CHECK_EQ(start_disconnect(pair[0], &ov, 0, 1), WSAEINVAL);
        CHECK_EQ(start_disconnect(pair[0], &ov, 0x40, 0), WSAEINVAL);
        CHECK(port_is_empty(port));
        CHECK_EQ(send(pair[0], "alive", 5, 0), 5);
        expect_text(pair[1], "alive");
    }
    CloseHandle(ov.hEvent);
    CloseHandle(port);
    closesocket(fresh);
    closesocket(listener);
    closesocket(udp);
    end_pair(pair);
}

/* The other side closes first, as a server's client mostly does. */
TEST(after_the_peer, "ACC-19")
{
    SOCKET pair[2];
    char byte;
    OVERLAPPED ov = with_event();
    REQUIRE(tcp_pair(pair));
    CHECK_EQ(shutdown(pair[1], SD_SEND), 0);
    CHECK_EQ(recv(pair[0], &byte, 1, 0), 0);
    CHECK_EQ(send(pair[0], "bye", 3, 0), 3);
    CHECK(started(start_disconnect(pair[0], &ov, 0, 0)));
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
    CHECK_EQ(ov.Internal, 0);
    expect_text(pair[1], "bye");
    CHECK_EQ(recv(pair[1], &byte, 1, 0), 0);
    CloseHandle(ov.hEvent);
    end_pair(pair);
}

/* One accept socket serves one client after the other, always the same handle, port and key. */
TEST_W8(reuse_in_accept_ex, "ACC-21 ACC-19", "Wine 8 has no TF_REUSE_SOCKET")
{
    enum { ROUNDS = 12 };
    struct sockaddr_in address, peer, mine;
    SOCKET listener = tcp_listener(&address), s = tcp_socket();
    HANDLE port = port_of(listener, 1);
    char buffer[2 * AREA], got[16], byte;
    OVERLAPPED ov = {0};
    CHECK(CreateIoCompletionPort((HANDLE)s, port, 2, 0) == port);
    for (int round = 0; round < ROUNDS; round++) {
        memset(&ov, 0, sizeof ov);
        REQUIRE(started(start_accept(listener, s, buffer, 0, &ov)));
        SOCKET client = connected_to(&address);
        struct packet p = pop(port, 20000);
        REQUIRE(p.error == 0 && p.key == 1 && p.ov == &ov);
        CHECK_EQ(update_accept(s, listener), 0);
        int size = sizeof peer;
        CHECK_EQ(getpeername(s, (struct sockaddr *)&peer, &size), 0);
        size = sizeof mine;
        CHECK_EQ(getsockname(client, (struct sockaddr *)&mine, &size), 0);
        CHECK_EQ(peer.sin_port, mine.sin_port); /* nothing of the former life */

        CHECK(started(start_recv(s, got, sizeof got, &ov)));
        CHECK_EQ(send(client, "ask", 3, 0), 3);
        p = pop(port, 20000);
        CHECK_EQ(p.error, 0);
        CHECK_EQ(p.key, 2);
        CHECK_EQ(p.bytes, 3);
        CHECK_EQ(send(s, "answer", 6, 0), 6);
        memset(&ov, 0, sizeof ov);
        CHECK(started(start_disconnect(s, &ov, TF_REUSE_SOCKET, 0)));
        expect_text(client, "answer");
        CHECK_EQ(recv(client, &byte, 1, 0), 0);
        closesocket(client);
        p = pop(port, 20000);
        CHECK_EQ(p.error, 0);
        CHECK_EQ(p.key, 2);
        CHECK(p.ov == &ov);
        CHECK_EQ(p.bytes, 0);
        REQUIRE(option(s, SOL_SOCKET, SO_CONNECT_TIME) == 0xFFFFFFFF);
        CHECK_WSAERR(send(s, "x", 1, 0), WSAENOTCONN);
    }
    CHECK(port_is_empty(port));
    closesocket(s);
    closesocket(listener);
    CloseHandle(port);
}

TEST(reuse_in_connect_ex, "ACC-21")
{
    if (conform_wine)
        SKIP("Wine 8 has no TF_REUSE_SOCKET, and its server may die of it");
    struct sockaddr_in address[2], any = loopback(0);
    SOCKET listeners[2] = {tcp_listener(&address[0]), tcp_listener(&address[1])}, s = bound_socket();
    OVERLAPPED ov = with_event();
    char byte;
    for (int round = 0; round < 4; round++) { /* to one server and the other in turn */
        CHECK(started(start_connect(s, &address[round % 2], "hello", 5, &ov)));
        REQUIRE(WaitForSingleObject(ov.hEvent, 20000) == WAIT_OBJECT_0);
        REQUIRE(ov.Internal == 0);
        CHECK_EQ(ov.InternalHigh, 5);
        CHECK_EQ(update_connect(s), 0);
        SOCKET server = accept(listeners[round % 2], NULL, NULL);
        expect_text(server, "hello");
        CHECK_EQ(send(server, "x", 1, 0), 1);
        CHECK_EQ(recv(s, &byte, 1, 0), 1);
        CHECK(started(start_disconnect(s, &ov, TF_REUSE_SOCKET, 0)));
        CHECK_EQ(recv(server, &byte, 1, 0), 0);
        closesocket(server);
        CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
        CHECK_EQ(ov.Internal, 0);
        /* Bound still, or to be bound again: a program asks for it and goes on. */
        if (bind(s, (struct sockaddr *)&any, sizeof any))
            CHECK_EQ(WSAGetLastError(), WSAEINVAL);
    }
    closesocket(s);
    closesocket(listeners[0]);
    closesocket(listeners[1]);
    CloseHandle(ov.hEvent);
}

/* ---- a server that reuses its sockets, under load ---- */

enum { SLOTS = 6, CLIENTS = 3, CONNECTIONS = 40, WORKERS = 2 };
enum step { ACCEPTING, RECEIVING, SENDING, DISCONNECTING };

struct slot {
    OVERLAPPED ov;
    enum step step;
    SOCKET s;
    char buffer[2 * AREA], data[16];
};

static struct server {
    SOCKET listener;
    HANDLE port;
    struct sockaddr_in address;
    volatile LONG served, wrong;
} server;

static struct slot slots[SLOTS];

static void go_on(struct slot *slot, enum step step, DWORD bytes)
{
    int error = 0;
    memset(&slot->ov, 0, sizeof slot->ov);
    slot->step = step;
    if (step == ACCEPTING)
        error = start_accept(server.listener, slot->s, slot->buffer, 0, &slot->ov);
    else if (step == RECEIVING)
        error = start_recv(slot->s, slot->data, 4, &slot->ov);
    else if (step == SENDING)
        error = start_send(slot->s, slot->data, bytes, &slot->ov);
    else
        error = start_disconnect(slot->s, &slot->ov, TF_REUSE_SOCKET, 0);
    if (!started(error))
        FAIL("step %d: error %d", step, error);
}

THREAD_FN(serve)
{
    for (;;) {
        struct packet p = pop(server.port, INFINITE);
        if (!p.ov)
            return CHECK_EQ(p.key, 1) ? 0 : 1;
        struct slot *slot = (struct slot *)p.ov;
        if (p.error) {
            FAIL("step %d ended with %u", slot->step, (unsigned)p.error);
            return 1;
        }
        if (slot->step == ACCEPTING) {
            CHECK_EQ(update_accept(slot->s, server.listener), 0);
            go_on(slot, RECEIVING, 0);
        } else if (slot->step == RECEIVING) {
            if (p.bytes != 4)
                InterlockedIncrement(&server.wrong);
            go_on(slot, p.bytes ? SENDING : DISCONNECTING, p.bytes);
        } else if (slot->step == SENDING) {
            go_on(slot, DISCONNECTING, 0);
        } else {
            InterlockedIncrement(&server.served);
            go_on(slot, ACCEPTING, 0);
        }
    }
}

THREAD_FN(many_clients)
{
    unsigned number = (unsigned)(UINT_PTR)arg;
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        SOCKET s = connected_to(&server.address);
        unsigned out = number * 1000 + i, back = 0;
        int at = 0, n;
        CHECK_EQ(send(s, (char *)&out, 4, 0), 4);
        while (at < 4 && (n = recv(s, (char *)&back + at, 4 - at, 0)) > 0)
            at += n;
        if (at != 4 || back != out || recv(s, (char *)&back, 1, 0) != 0)
            InterlockedIncrement(&server.wrong);
        closesocket(s);
    }
    return 0;
}

/* SO_LINGER is closesocket's business: nobody waits for a peer that does not read, and nothing is lost. */
TEST(lingering, "ACC-19 ACC-21 SOCK-04")
{
    static char data[65536];
    SOCKET pair[2];
    OVERLAPPED ov = with_event();
    struct linger linger = {1, 25};
    u_long on = 1;
    int sent = 0, got = 0, n;
    REQUIRE(tcp_pair(pair));
    CHECK_EQ(setsockopt(pair[0], SOL_SOCKET, SO_LINGER, (char *)&linger, sizeof linger), 0);
    CHECK_EQ(ioctlsocket(pair[0], FIONBIO, &on), 0);
    while ((n = send(pair[0], data, sizeof data, 0)) > 0)
        sent += n;
    CHECK_EQ(WSAGetLastError(), WSAEWOULDBLOCK);
    ULONGLONG before = GetTickCount64();
    CHECK(started(start_disconnect(pair[0], &ov, TF_REUSE_SOCKET, 0)));
    CHECK(GetTickCount64() - before < 20000);
    while ((n = recv(pair[1], data, sizeof data, 0)) > 0)
        got += n;
    CHECK_EQ(n, 0);
    CHECK_EQ(got, sent);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
    CloseHandle(ov.hEvent);
    end_pair(pair);
}

/* ---- without OVERLAPPED, behind sends that wait ---- */

enum { LONG_SEND = 8 << 20, LONG_SENDS = 3 };

struct ending {
    SOCKET s;
    DWORD flags;
    int error;
};

THREAD_FN(end_now)
{
    struct ending *e = arg;
    e->error = start_disconnect(e->s, NULL, e->flags, 0);
    return 0;
}

/* Its turn comes when they are done: the peer gets it all, then the end. */
static void disconnect_behind(DWORD flags)
{
    static char data[LONG_SEND], got_data[65536];
    SOCKET pair[2];
    OVERLAPPED ov[LONG_SENDS];
    struct ending e = {.flags = flags, .error = -1};
    LONGLONG got = 0;
    DWORD bytes, unused;
    int n;
    REQUIRE(tcp_pair(pair));
    e.s = pair[0];
    for (int i = 0; i < LONG_SENDS; i++) {
        ov[i] = with_event();
        CHECK(started(start_send(pair[0], data, LONG_SEND, &ov[i])));
    }
    HANDLE thread = start_thread(end_now, &e);
    TODO_WINE("Wine 8 ends it at once")
    {
        CHECK_EQ(WaitForSingleObject(thread, 20), WAIT_TIMEOUT); /* nobody reads yet */
    }
    while ((n = recv(pair[1], got_data, sizeof got_data, 0)) > 0)
        got += n;
    CHECK_EQ(n, 0);
    CHECK(got == (LONGLONG)LONG_SEND * LONG_SENDS);
    JOIN(thread);
    CHECK_EQ(e.error, 0);
    for (int i = 0; i < LONG_SENDS; i++) {
        CHECK_EQ(WaitForSingleObject(ov[i].hEvent, 5000), WAIT_OBJECT_0);
        CHECK(WSAGetOverlappedResult(pair[0], &ov[i], &bytes, FALSE, &unused));
        CHECK_EQ(bytes, LONG_SEND);
        CloseHandle(ov[i].hEvent);
    }
    end_pair(pair);
}

TEST(behind_sends, "ACC-19")
{
    disconnect_behind(0);
}

TEST(behind_sends_reuse, "ACC-19 ACC-21")
{
    if (conform_wine)
        SKIP("Wine 8 has no TF_REUSE_SOCKET");
    disconnect_behind(TF_REUSE_SOCKET);
}

/* Nobody reads: it is called back as other blocking calls, and the sends go on. */
TEST(behind_sends_cancelled, "ACC-19 CANCEL-12")
{
    if (conform_wine)
        SKIP("Wine 8 ends it at once");
    static char data[LONG_SEND], got_data[65536];
    SOCKET pair[2];
    OVERLAPPED ov = with_event();
    struct ending e = {.error = -1};
    LONGLONG got = 0;
    int n;
    REQUIRE(tcp_pair(pair));
    e.s = pair[0];
    CHECK(started(start_send(pair[0], data, LONG_SEND, &ov)));
    HANDLE thread = start_thread(end_now, &e);
    while (!CancelSynchronousIo(thread) && CHECK_EQ(GetLastError(), ERROR_NOT_FOUND))
        Sleep(0); /* it is about to call */
    JOIN(thread);
    CHECK_EQ(e.error, ERROR_OPERATION_ABORTED);
    while (got < LONG_SEND && (n = recv(pair[1], got_data, sizeof got_data, 0)) > 0)
        got += n;
    CHECK(got == LONG_SEND);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 5000), WAIT_OBJECT_0);
    CHECK_EQ(send(pair[0], "x", 1, 0), 1);
    expect_text(pair[1], "x");
    CloseHandle(ov.hEvent);
    end_pair(pair);
}

TEST(reuse_under_load, "ACC-21 ACC-09 PORT-12")
{
    if (conform_wine)
        SKIP("Wine 8 has no TF_REUSE_SOCKET, and its server may die of it");
    HANDLE workers[WORKERS], clients[CLIENTS];
    memset(&server, 0, sizeof server);
    server.listener = tcp_listener(&server.address);
    server.port = port_of(server.listener, 2);
    for (int i = 0; i < SLOTS; i++) {
        slots[i].s = tcp_socket();
        CHECK(CreateIoCompletionPort((HANDLE)slots[i].s, server.port, 3, 0) == server.port);
        go_on(&slots[i], ACCEPTING, 0);
    }
    for (int i = 0; i < WORKERS; i++)
        workers[i] = start_thread(serve, NULL);
    for (int i = 0; i < CLIENTS; i++)
        clients[i] = start_thread(many_clients, (void *)(UINT_PTR)(i + 1));
    for (int i = 0; i < CLIENTS; i++)
        JOIN(clients[i]);
    CHECK(WITHIN(20000, LOOK(server.served) == CLIENTS * CONNECTIONS));
    CHECK_EQ(LOOK(server.wrong), 0);
    for (int i = 0; i < WORKERS; i++)
        PostQueuedCompletionStatus(server.port, 0, 1, NULL);
    for (int i = 0; i < WORKERS; i++)
        JOIN(workers[i]);
    for (int i = 0; i < SLOTS; i++)
        closesocket(slots[i].s);
    closesocket(server.listener);
    CloseHandle(server.port);
}

/* ---- WSAEventSelect ---- */

/* True once this event has been recorded, alone or among others. */
static int comes(SOCKET s, HANDLE event, LONG wanted)
{
    WSANETWORKEVENTS events;
    while (WaitForSingleObject(event, 5000) == WAIT_OBJECT_0) {
        if (WSAEnumNetworkEvents(s, event, &events))
            return 0;
        if (events.lNetworkEvents & wanted)
            return 1;
    }
    return 0;
}

/* What was told of one connection is told of the next one, too, whether or not it was dealt with. */
TEST_W8(events_of_a_second_life, "ACC-21 SOCK-44 SOCK-45 SOCK-46", "Wine 8 has no TF_REUSE_SOCKET")
{
    struct sockaddr_in address;
    SOCKET listener = tcp_listener(&address), s = tcp_socket();
    HANDLE event = manual_event();
    CHECK_EQ(WSAEventSelect(s, event, FD_READ | FD_WRITE | FD_CLOSE), 0);
    for (int life = 0; life < 4; life++) {
        char room[2 * (sizeof address + 16)];
        OVERLAPPED ov = with_event();
        DWORD bytes;
        CHECK(!AcceptEx(listener, s, room, 0, sizeof room / 2, sizeof room / 2, &bytes, &ov));
        SOCKET client = connected_to(&address);
        CHECK_EQ(WaitForSingleObject(ov.hEvent, 5000), WAIT_OBJECT_0);
        CHECK(comes(s, event, FD_WRITE));
        CHECK_EQ(send(client, "unread", 6, 0), 6);
        CHECK(comes(s, event, FD_READ));
        if (life % 2) {
            expect_text(s, "unread"); /* non-blocking, but it is there */
            reset_socket(client);
            CHECK(comes(s, event, FD_CLOSE));
        }
        ResetEvent(ov.hEvent);
        CHECK(started(start_disconnect(s, &ov, TF_REUSE_SOCKET, 0)));
        CHECK_EQ(WaitForSingleObject(ov.hEvent, 5000), WAIT_OBJECT_0);
        CloseHandle(ov.hEvent);
        if (life % 2 == 0)
            closesocket(client);
    }
    closesocket(s);
    closesocket(listener);
    CloseHandle(event);
}
