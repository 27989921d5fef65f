/* SPDX-License-Identifier: MIT */
/*
 * The readiness of sockets as packets of a port: ProcessSocketNotifications. The oracle is Microsoft's page
 * (winsock2/processsocketnotifications, sock_notify_registration, "Winsock socket state notifications"):
 * Wine 8 has no such function, and mingw's headers do not know it.
 */
#include "conform.h"
#include "net.h"

#ifndef SOCK_NOTIFY_OP_ENABLE

TEST(notifications, "") { SKIP("no ProcessSocketNotifications here"); }

#else

#include "notify.h"

TEST(arguments, "")
{
    SOCK_NOTIFY_REGISTRATION r = {0};
    OVERLAPPED_ENTRY entry;
    UINT32 count = 77;
    SOCKET pair[2];
    HANDLE port = ready(pair), event = manual_event();

    CHECK_EQ(ProcessSocketNotifications(port, 1, NULL, 0, 0, NULL, NULL), WSAEINVAL);
    CHECK_EQ(ProcessSocketNotifications(port, 0, &r, 0, 0, NULL, NULL), WSAEINVAL);
    CHECK_EQ(ProcessSocketNotifications(port, 0, NULL, 5, 0, NULL, NULL), WSAEINVAL);
    CHECK_EQ(ProcessSocketNotifications(port, 0, NULL, 0, 0, &entry, NULL), WSAEINVAL);
    CHECK_EQ(ProcessSocketNotifications(port, 0, NULL, 0, 0, NULL, &count), WSAEINVAL);
    CHECK_EQ(ProcessSocketNotifications(port, 0, NULL, 0, 1, NULL, &count), WSAEINVAL);
    CHECK_EQ(ProcessSocketNotifications(port, 0, NULL, 0, 1, &entry, NULL), WSAEINVAL);
    CHECK_EQ(ProcessSocketNotifications(event, 0, NULL, 0, 0, NULL, NULL), ERROR_INVALID_HANDLE);
    CHECK_EQ(ProcessSocketNotifications(NULL, 0, NULL, 0, 0, NULL, NULL), ERROR_INVALID_HANDLE);
    CHECK_EQ(ProcessSocketNotifications(port, 0, NULL, 0, 0, NULL, NULL), ERROR_SUCCESS);
    CHECK_EQ(count, 77);
    CHECK_EQ(ProcessSocketNotifications(port, 0, NULL, 0, 1, &entry, &count), WAIT_TIMEOUT);
    CHECK_EQ(count, 0);

    CHECK_EQ(enable(port, pair[0], INPUT, 0), ERROR_INVALID_PARAMETER);
    CHECK_EQ(enable(port, pair[0], INPUT, LEVEL | EDGE), ERROR_INVALID_PARAMETER);
    CHECK_EQ(enable(port, pair[0], INPUT, LEVEL | ONCE | LASTING), ERROR_INVALID_PARAMETER);
    CHECK_EQ(enable(port, pair[0], INPUT, LEVEL | 0x10), ERROR_INVALID_PARAMETER);
    CHECK_EQ(enable(port, pair[0], 0x40, LEVEL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(change(port, pair[0], KEY, 3, INPUT, LEVEL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(change(port, INVALID_SOCKET, KEY, SOCK_NOTIFY_OP_NONE, 0, 0), ERROR_SUCCESS);
    CHECK_EQ(enable(port, (SOCKET)event, INPUT, LEVEL), WSAENOTSOCK);
    CHECK_EQ(enable(port, INVALID_SOCKET, INPUT, LEVEL), WSAENOTSOCK);
    CHECK_EQ(disable(port, pair[0]), ERROR_NOT_FOUND);
    CHECK_EQ(deregister(port, pair[0]), ERROR_NOT_FOUND);
    CHECK_SILENT(port);
    CloseHandle(event);
    end(port, pair);
}

TEST(levels, "")
{
    SOCKET pair[2];
    HANDLE port = ready(pair);
    char c;

    CHECK_EQ(enable(port, pair[0], INPUT | HANGUP, LEVEL), ERROR_SUCCESS);
    CHECK_SILENT(port);
    CHECK(send_all(pair[1], "abc", 3));
    for (int i = 0; i < 3; i++) { /* as long as something is left */
        CHECK_TOLD(port, INPUT);
        CHECK_TOLD(port, INPUT);
        CHECK_EQ(recv(pair[0], &c, 1, 0), 1);
        CHECK_EQ(c, 'a' + i);
    }
    CHECK_SILENT(port);

    /* What was so when it came, and is not so any more when somebody asks, is not told. */
    for (int i = 0; i < 100; i++) {
        CHECK(send_all(pair[1], "d", 1));
        if (i % 2)
            CHECK_TOLD(port, INPUT);
        CHECK_EQ(drain(pair[0]), 1);
        CHECK_EQ(told(port, 0), 0);
    }
    end(port, pair);
}

TEST(one_shot, "")
{
    SOCKET pair[2];
    HANDLE port = ready(pair);

    CHECK(send_all(pair[1], "abc", 3));
    CHECK_EQ(enable(port, pair[0], INPUT, LEVEL | ONCE), ERROR_SUCCESS);
    CHECK_TOLD(port, INPUT);
    CHECK_SILENT(port);
    CHECK(send_all(pair[1], "d", 1));
    CHECK_SILENT(port);
    CHECK_EQ(enable(port, pair[0], INPUT, LEVEL | ONCE), ERROR_SUCCESS);
    CHECK_TOLD(port, INPUT);
    CHECK_EQ(drain(pair[0]), 4);
    CHECK_EQ(enable(port, pair[0], INPUT, LEVEL | ONCE), ERROR_SUCCESS);
    CHECK_SILENT(port);
    CHECK(send_all(pair[1], "e", 1));
    CHECK_TOLD(port, INPUT);
    CHECK_SILENT(port);
    end(port, pair);
}

TEST(edges, "")
{
    SOCKET pair[2];
    HANDLE port = ready(pair);
    char c;

    /* What is so already is no change. */
    CHECK(send_all(pair[1], "a", 1));
    CHECK_EQ(available(pair[0]), 1);
    CHECK_EQ(enable(port, pair[0], INPUT | ROOM, EDGE), ERROR_SUCCESS);
    CHECK_SILENT(port);
    CHECK(send_all(pair[1], "b", 1));
    CHECK_SILENT(port);

    /* It ends when a receive would have blocked. */
    CHECK_EQ(drain(pair[0]), 2);
    CHECK_SILENT(port);
    CHECK(send_all(pair[1], "cd", 2));
    CHECK_TOLD(port, INPUT);
    CHECK_SILENT(port);
    CHECK_EQ(recv(pair[0], &c, 1, 0), 1);
    CHECK(send_all(pair[1], "e", 1));
    CHECK_SILENT(port);
    CHECK_EQ(drain(pair[0]), 2);

    /* No edge is lost, whoever is faster. */
    for (int i = 0; i < 500; i++) {
        CHECK(send_all(pair[1], "f", 1));
        if (!CHECK_TOLD(port, INPUT))
            break;
        CHECK_EQ(drain(pair[0]), 1);
    }
    CHECK_SILENT(port);

    /* The end comes once, to who asks for it. */
    CHECK_EQ(enable(port, pair[0], INPUT | HANGUP, EDGE), ERROR_SUCCESS);
    CHECK_EQ(shutdown(pair[1], SD_SEND), 0);
    CHECK_TOLD(port, INPUT | HANGUP);
    CHECK_SILENT(port);
    end(port, pair);
}

/* Sends until nothing more goes for a while: what has been sent moves on to the peer by itself. */
static void stuff(SOCKET s)
{
    static char data[65536];
    do {
        while (send(s, data, sizeof data, 0) > 0)
            ;
        CHECK_EQ(WSAGetLastError(), WSAEWOULDBLOCK);
    } while (WITHIN(50, send(s, data, sizeof data, 0) > 0));
}

/* Until the port has nothing to tell of it, either: what it tells may be true, some has moved on. */
static int stuffed(HANDLE port, SOCKET s)
{
    for (int tries = 0; tries < 20; tries++) {
        stuff(s);
        if (told(port, SHORT_WHILE) == 0)
            return 1;
    }
    return 0;
}

TEST(room_to_send, "")
{
    SOCKET pair[2];
    HANDLE port = ready(pair);

    set_option(pair[0], SOL_SOCKET, SO_SNDBUF, 8192);
    set_nonblocking(pair[1], 1);
    CHECK_EQ(enable(port, pair[0], ROOM, LEVEL), ERROR_SUCCESS);
    CHECK_TOLD(port, ROOM);
    CHECK_TOLD(port, ROOM);
    CHECK(stuffed(port, pair[0]));
    CHECK(drain(pair[1]) > 0);
    CHECK_TOLD(port, ROOM);

    /* By edges: what is so already is none, and it ends when a send would have blocked. */
    CHECK_EQ(enable(port, pair[0], ROOM, EDGE), ERROR_SUCCESS);
    CHECK_SILENT(port);
    for (int i = 0; i < 3; i++) {
        CHECK(stuffed(port, pair[0]));
        CHECK(drain(pair[1]) > 0);
        CHECK_TOLD(port, ROOM);
    }
    end(port, pair);
}

TEST(the_end, "")
{
    SOCKET pair[2];
    HANDLE port = ready(pair);
    char c;

    /* Who does not ask for the end hears of input, which is the end. */
    CHECK_EQ(enable(port, pair[0], INPUT, LEVEL | ONCE), ERROR_SUCCESS);
    CHECK_EQ(shutdown(pair[1], SD_SEND), 0);
    CHECK_TOLD(port, INPUT);
    CHECK_EQ(recv(pair[0], &c, 1, 0), 0);
    CHECK_EQ(enable(port, pair[0], HANGUP, LEVEL | ONCE), ERROR_SUCCESS);
    CHECK_TOLD(port, HANGUP);
    end_pair(pair);

    /* An error is told to those who ask for nothing. */
    REQUIRE(tcp_pair(pair));
    CHECK_EQ(enable(port, pair[0], SOCK_NOTIFY_REGISTER_EVENT_NONE, LEVEL | ONCE), ERROR_SUCCESS);
    CHECK(send_all(pair[1], "a", 1));
    CHECK_SILENT(port);
    reset_socket(pair[1]);
    CHECK_TOLD(port, ERR);
    CHECK_EQ(enable(port, pair[0], INPUT | HANGUP, LEVEL | ONCE), ERROR_SUCCESS);
    CHECK_TOLD(port, INPUT | HANGUP | ERR);
    closesocket(pair[0]);
    CHECK(CloseHandle(port));
}

TEST(connecting, "")
{
    struct sockaddr_in address;
    SOCKET listener = tcp_listener(&address), s = tcp_socket(), other;
    HANDLE port = fresh_port();

    set_nonblocking(s, 1);
    CHECK_EQ(enable(port, s, ROOM, EDGE), ERROR_SUCCESS);
    CHECK_SILENT(port);
    CHECK_WSAERR(connect(s, (struct sockaddr *)&address, sizeof address), WSAEWOULDBLOCK);
    CHECK_TOLD(port, ROOM);
    CHECK_SILENT(port);

    /* A listener has input when somebody can be accepted. */
    other = accept(listener, NULL, NULL);
    set_nonblocking(listener, 1);
    CHECK_EQ(enable(port, listener, INPUT, EDGE), ERROR_SUCCESS);
    CHECK_SILENT(port);
    closesocket(s);
    for (int i = 0; i < 20; i++) {
        s = connected_to(&address);
        CHECK_TOLD(port, INPUT);
        closesocket(accept(listener, NULL, NULL));
        CHECK(accept(listener, NULL, NULL) == INVALID_SOCKET);
        closesocket(s);
    }
    CHECK_SILENT(port);
    closesocket(listener);

    /* Nobody listens any more. */
    s = tcp_socket();
    set_nonblocking(s, 1);
    CHECK_EQ(enable(port, s, ROOM, LEVEL | ONCE), ERROR_SUCCESS);
    CHECK_WSAERR(connect(s, (struct sockaddr *)&address, sizeof address), WSAEWOULDBLOCK);
    CHECK_TOLD(port, ROOM | ERR);
    closesocket(s);
    closesocket(other);
    CHECK(CloseHandle(port));
}

TEST(datagrams, "")
{
    struct sockaddr_in name, mine;
    HANDLE port = fresh_port();
    SOCKET s = udp_socket(&name), t = udp_socket(&mine);

    set_nonblocking(s, 1);
    CHECK_EQ(enable(port, s, INPUT | HANGUP, EDGE), ERROR_SUCCESS);
    CHECK_SILENT(port);
    for (int i = 0; i < 100; i++) {
        for (int n = 0; n <= i % 3; n++)
            CHECK_EQ(sendto(t, "dgram", 5, 0, (struct sockaddr *)&name, sizeof name), 5);
        CHECK_TOLD(port, INPUT);
        CHECK_EQ(drain(s), 5 * (i % 3 + 1));
    }
    CHECK_SILENT(port);
    closesocket(s);
    closesocket(t);
    CHECK(CloseHandle(port));
}

/* What an overlapped call takes ends the condition as what another takes: the next one is an edge. */
TEST(edges_after_overlapped_messages, "")
{
    struct sockaddr_in name, mine, from;
    HANDLE port = fresh_port();
    SOCKET s = udp_socket(&name), t = udp_socket(&mine);
    LPFN_WSARECVMSG receive = NULL;
    OVERLAPPED ov = {.hEvent = manual_event()};
    DWORD bytes;
    char data[8];

    CHECK_EQ(extension(s, (GUID)WSAID_WSARECVMSG, &receive, &bytes), 0);
    CHECK_EQ(enable(port, s, INPUT, EDGE), ERROR_SUCCESS);
    for (int i = 0; i < 100; i++) {
        WSABUF buf = {sizeof data, data};
        WSAMSG msg = {(struct sockaddr *)&from, sizeof from, &buf, 1, {0, NULL}, 0};
        CHECK_EQ(sendto(t, "dgram", 5, 0, (struct sockaddr *)&name, sizeof name), 5);
        if (!CHECK_TOLD(port, INPUT))
            break;
        CHECK_EQ(receive(s, &msg, NULL, &ov, NULL), 0);
        CHECK_EQ(WaitForSingleObject(ov.hEvent, LONG_WHILE), WAIT_OBJECT_0);
    }
    CHECK_SILENT(port);
    CloseHandle(ov.hEvent);
    closesocket(s);
    closesocket(t);
    CHECK(CloseHandle(port));
}

static void edges_of_accepts(DWORD size)
{
    enum { ROUNDS = 30 };
    struct sockaddr_in address;
    HANDLE port = fresh_port();
    SOCKET listener = tcp_listener(&address), clients[ROUNDS], accepted[ROUNDS];
    OVERLAPPED ovs[ROUNDS] = {{0}};
    static char areas[ROUNDS][16 + 2 * AREA];
    int n = 0;

    CHECK_EQ(enable(port, listener, INPUT, EDGE), ERROR_SUCCESS);
    for (int good = 1; good && n < ROUNDS; n++) {
        clients[n] = tcp_socket();
        accepted[n] = tcp_socket();
        ovs[n].hEvent = manual_event();
        CHECK_EQ(connect(clients[n], (struct sockaddr *)&address, sizeof address), 0);
        good = CHECK_TOLD(port, INPUT);
        int error = start_accept(listener, accepted[n], areas[n], size, &ovs[n]);
        CHECK(error == 0 || error == ERROR_IO_PENDING);
    }
    CHECK_SILENT(port);
    for (int i = 0; i < n; i++) {
        CHECK(send_all(clients[i], "x", 1));
        CHECK_EQ(WaitForSingleObject(ovs[i].hEvent, LONG_WHILE), WAIT_OBJECT_0);
        CloseHandle(ovs[i].hEvent);
        closesocket(clients[i]);
        closesocket(accepted[i]);
    }
    CHECK_SILENT(port);
    closesocket(listener);
    CHECK(CloseHandle(port));
}

TEST(edges_after_overlapped_accepts, "")
{
    edges_of_accepts(0);
    edges_of_accepts(16);
}

TEST(disabled, "")
{
    SOCKET pair[2];
    HANDLE port = ready(pair);

    CHECK_EQ(enable(port, pair[0], INPUT, LEVEL), ERROR_SUCCESS);
    CHECK(send_all(pair[1], "a", 1));
    CHECK_TOLD(port, INPUT);
    CHECK_EQ(disable(port, pair[0]), ERROR_SUCCESS);
    CHECK_EQ(disable(port, pair[0]), ERROR_SUCCESS);
    CHECK_SILENT(port);
    CHECK(send_all(pair[1], "b", 1));
    CHECK_SILENT(port);
    CHECK_EQ(enable(port, pair[0], INPUT, LEVEL), ERROR_SUCCESS);
    CHECK_TOLD(port, INPUT);

    /* By edges, what changed while it was disabled is no change. */
    CHECK_EQ(drain(pair[0]), 2);
    CHECK_EQ(enable(port, pair[0], INPUT, EDGE), ERROR_SUCCESS);
    CHECK_EQ(disable(port, pair[0]), ERROR_SUCCESS);
    CHECK(send_all(pair[1], "c", 1));
    CHECK_EQ(available(pair[0]), 1);
    CHECK_EQ(enable(port, pair[0], INPUT, EDGE), ERROR_SUCCESS);
    CHECK_SILENT(port);
    end(port, pair);
}

TEST(removed, "")
{
    SOCKET pair[2];
    HANDLE port = ready(pair), other = fresh_port();

    CHECK_EQ(enable(port, pair[0], INPUT, LEVEL), ERROR_SUCCESS);
    CHECK(send_all(pair[1], "a", 1));
    CHECK_EQ(deregister(other, pair[0]), ERROR_INVALID_PARAMETER);
    CHECK_EQ(enable(other, pair[0], INPUT, LEVEL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(deregister(port, pair[0]), ERROR_SUCCESS);
    CHECK_EQ(deregister(port, pair[0]), ERROR_SUCCESS); /* it is on its way */
    CHECK_EQ(enable(port, pair[0], INPUT, LEVEL), ERROR_ALREADY_EXISTS);
    CHECK_TOLD(port, GONE);
    CHECK_SILENT(port);
    CHECK_EQ(deregister(port, pair[0]), ERROR_NOT_FOUND);
    CHECK_EQ(disable(port, pair[0]), ERROR_NOT_FOUND);

    /* Another key and another port, once that has been said; the key stays while it is registered. */
    CHECK_EQ(change(other, pair[0], 5, SOCK_NOTIFY_OP_ENABLE, INPUT, LEVEL | ONCE), ERROR_SUCCESS);
    CHECK_EQ(pop(other, LONG_WHILE).key, 5);
    CHECK_EQ(change(other, pair[0], 6, SOCK_NOTIFY_OP_ENABLE, INPUT, LEVEL | ONCE), ERROR_SUCCESS);
    CHECK_EQ(pop(other, LONG_WHILE).key, 5);
    CHECK_EQ(deregister(other, pair[0]), ERROR_SUCCESS); /* a disabled one, too */
    CHECK_EQ(pop(other, LONG_WHILE).bytes, GONE);

    /* A port that is closed is nobody's: another may have the socket. */
    CHECK_EQ(enable(other, pair[0], INPUT, LEVEL), ERROR_SUCCESS);
    CHECK(CloseHandle(other));
    CHECK_EQ(enable(port, pair[0], INPUT, LEVEL), ERROR_SUCCESS);
    CHECK_TOLD(port, INPUT);
    end(port, pair);
}

TEST(closed, "")
{
    SOCKET pair[2];
    HANDLE port = ready(pair);

    CHECK(send_all(pair[1], "a", 1));
    CHECK_EQ(enable(port, pair[0], INPUT, LEVEL), ERROR_SUCCESS);
    CHECK_EQ(closesocket(pair[0]), 0);
    CHECK_SILENT(port);
    closesocket(pair[1]);

    /* The removal that was asked for is said all the same. */
    REQUIRE(tcp_pair(pair));
    CHECK_EQ(enable(port, pair[0], INPUT, LEVEL), ERROR_SUCCESS);
    CHECK_EQ(deregister(port, pair[0]), ERROR_SUCCESS);
    CHECK_EQ(closesocket(pair[0]), 0);
    CHECK_TOLD(port, GONE);
    CHECK_SILENT(port);
    closesocket(pair[1]);

    /* A port that is closed with everything in it. */
    REQUIRE(tcp_pair(pair));
    CHECK(send_all(pair[1], "a", 1));
    CHECK_EQ(enable(port, pair[0], INPUT, LEVEL), ERROR_SUCCESS);
    CHECK(CloseHandle(port));
    CHECK_EQ(ProcessSocketNotifications(port, 0, NULL, 0, 0, NULL, NULL), ERROR_INVALID_HANDLE);
    expect_text(pair[0], "a");
    end_pair(pair);
}

TEST(all_in_one_call, "")
{
    enum { COUNT = 150 };
    static SOCKET pairs[COUNT][2];
    static SOCK_NOTIFY_REGISTRATION r[COUNT];
    static OVERLAPPED_ENTRY entries[2 * COUNT];
    HANDLE port = fresh_port();
    UINT32 count = 0, all = 0;

    for (int i = 0; i < COUNT; i++) {
        REQUIRE(tcp_pair(pairs[i]));
        CHECK(send_all(pairs[i][1], "a", 1));
        r[i].socket = pairs[i][0];
        r[i].completionKey = (PVOID)(ULONG_PTR)i;
        r[i].eventFilter = INPUT;
        r[i].operation = SOCK_NOTIFY_OP_ENABLE;
        r[i].triggerFlags = LEVEL;
    }
    CHECK(PostQueuedCompletionStatus(port, 7, KEY, NULL));
    CHECK_EQ(ProcessSocketNotifications(port, COUNT, r, LONG_WHILE, 2 * COUNT, entries, &count), 0);
    for (int i = 0; i < COUNT; i++)
        CHECK_EQ(r[i].registrationResult, ERROR_SUCCESS);
    CHECK_EQ(entries[0].lpCompletionKey, KEY); /* what else comes to the port */
    CHECK_EQ(entries[0].dwNumberOfBytesTransferred, 7);

    /* However many a call takes, it takes each once. */
    for (all = 0; all < count - 1; all++) {
        CHECK_EQ(SocketNotificationRetrieveEvents(&entries[1 + all]), INPUT);
        CHECK_EQ(entries[1 + all].lpCompletionKey, all);
    }
    CHECK(count > 1 && count <= COUNT + 1);
    for (int round = 0; round < 20; round++) {
        char seen[COUNT] = "";
        CHECK_EQ(ProcessSocketNotifications(port, 0, NULL, LONG_WHILE, 2 * COUNT, entries, &count), 0);
        for (UINT32 i = 0; i < count; i++)
            CHECK(!seen[entries[i].lpCompletionKey]++);
    }
    for (int i = 0; i < COUNT; i++) {
        set_nonblocking(pairs[i][0], 1);
        CHECK_EQ(drain(pairs[i][0]), 1);
    }
    CHECK_EQ(ProcessSocketNotifications(port, 0, NULL, 0, 1, entries, &count), WAIT_TIMEOUT);
    for (int i = 0; i < COUNT; i++)
        end_pair(pairs[i]);
    CHECK(CloseHandle(port));
}

TEST(beside_overlapped_calls, "")
{
    SOCKET pair[2];
    HANDLE other = fresh_port();
    OVERLAPPED ov = {0};
    struct packet p;
    char data[8];

    for (int turn = 0; turn < 3; turn++) { /* a socket of no port, of this one, of another */
        HANDLE port = ready(pair), own = turn == 1 ? port : other;
        if (turn > 0)
            CHECK(CreateIoCompletionPort((HANDLE)pair[0], own, 9, 0) == own);
        else
            ov.hEvent = manual_event();
        CHECK_EQ(enable(port, pair[0], ROOM, LEVEL | ONCE), ERROR_SUCCESS);
        CHECK_TOLD(port, ROOM);
        CHECK_EQ(start_recv(pair[0], data, sizeof data, &ov), WSA_IO_PENDING);
        CHECK(send_all(pair[1], "abcdefgh", 8));
        if (turn > 0) {
            p = pop(own, LONG_WHILE);
            CHECK(p.ov == &ov);
            CHECK_EQ(p.bytes, 8);
        } else {
            CHECK_EQ(WaitForSingleObject(ov.hEvent, LONG_WHILE), WAIT_OBJECT_0);
            CloseHandle(ov.hEvent);
            ov.hEvent = NULL;
        }
        CHECK_EQ(enable(port, pair[0], INPUT, EDGE), ERROR_SUCCESS);
        CHECK(send_all(pair[1], "x", 1));
        CHECK_TOLD(port, INPUT);
        if (turn == 0) { /* it moves to another port, and is heard of here all the same */
            CHECK(CreateIoCompletionPort((HANDLE)pair[0], other, 9, 0) == other);
            CHECK_EQ(drain(pair[0]), 1);
            CHECK(send_all(pair[1], "y", 1));
            CHECK_TOLD(port, INPUT);
        }
        end(port, pair);
    }
    CHECK(CloseHandle(other));
}

#endif
