/* SPDX-License-Identifier: MIT */
/*
 * Sockets without OVERLAPPED: starting Winsock, blocking and non-blocking calls, names, shutdown and
 * close, options with Windows' meanings and defaults, pointers to the extension functions. What needs an
 * OVERLAPPED is in sock_overlapped.c; select, WSAPoll and event selections have files of their own.
 */
#include "conform.h"
#include "net.h"

#ifdef __linux__
extern int socketpair(int family, int type, int protocol, int pair[2]);
extern int close(int fd);
#endif

/* ---- starting: this test must be the first, before anything starts Winsock ---- */

TEST(not_started, "SOCK-02")
{
    WSADATA data;
    struct addrinfo *found = NULL;
    char name[64];

#ifdef __linux__
    /* A descriptor that the program brought along needs no WSAStartup. */
    int pair[2];
    REQUIRE(socketpair(1, 1, 0, pair) == 0); /* AF_UNIX, SOCK_STREAM */
    CHECK_EQ(send((SOCKET)pair[0], "brought", 7, 0), 7);
    CHECK_EQ(recv((SOCKET)pair[1], name, sizeof name, 0), 7);
    CHECK_MEM(name, "brought", 7);
    CHECK_EQ(closesocket((SOCKET)pair[0]), 0);
    CHECK_EQ(closesocket((SOCKET)pair[1]), 0);
#endif
    WSASetLastError(0);
    CHECK_EQ(socket(AF_INET, SOCK_STREAM, 0), INVALID_SOCKET);
    CHECK_EQ(WSAGetLastError(), WSANOTINITIALISED);
    WSASetLastError(0);
    CHECK_EQ(WSASocketA(AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED), INVALID_SOCKET);
    CHECK_EQ(WSAGetLastError(), WSANOTINITIALISED);
    TODO_WINE("Wine asks for WSAStartup in few calls")
    {
        CHECK_WSAERR(gethostname(name, sizeof name), WSANOTINITIALISED);
        CHECK_EQ(getaddrinfo("127.0.0.1", "80", NULL, &found), WSANOTINITIALISED);
    }
    CHECK_WSAERR(WSACleanup(), WSANOTINITIALISED);

    REQUIRE(WSAStartup(MAKEWORD(2, 2), &data) == 0);
    REQUIRE(WSAStartup(MAKEWORD(2, 2), &data) == 0);
    CHECK_EQ(WSACleanup(), 0);
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(s != INVALID_SOCKET); /* started twice, ended once */
    CHECK_EQ(closesocket(s), 0);
    CHECK_EQ(WSACleanup(), 0);
    WSASetLastError(0);
    CHECK_EQ(socket(AF_INET, SOCK_STREAM, 0), INVALID_SOCKET);
    CHECK_EQ(WSAGetLastError(), WSANOTINITIALISED);
    CHECK_WSAERR(WSACleanup(), WSANOTINITIALISED);

    REQUIRE(WSAStartup(MAKEWORD(2, 2), &data) == 0); /* and it can begin again */
    s = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(s != INVALID_SOCKET);
    CHECK_EQ(closesocket(s), 0);
    CHECK_EQ(WSACleanup(), 0);
}

TEST(versions, "SOCK-01")
{
    WSADATA data;
    memset(&data, 0, sizeof data);
    CHECK_EQ(WSAStartup(MAKEWORD(2, 2), &data), 0);
    CHECK_EQ(data.wVersion, MAKEWORD(2, 2));
    CHECK_EQ(data.wHighVersion, MAKEWORD(2, 2));
    CHECK_EQ(WSACleanup(), 0);
    memset(&data, 0, sizeof data);
    CHECK_EQ(WSAStartup(MAKEWORD(1, 1), &data), 0);
    CHECK_EQ(data.wVersion, MAKEWORD(1, 1));
    CHECK_EQ(data.wHighVersion, MAKEWORD(2, 2));
    CHECK_EQ(WSACleanup(), 0);
    memset(&data, 0, sizeof data);
    CHECK_EQ(WSAStartup(MAKEWORD(3, 1), &data), 0); /* the highest there is */
    CHECK_EQ(data.wVersion, MAKEWORD(2, 2));
    CHECK_EQ(WSACleanup(), 0);
    CHECK_EQ(WSAStartup(MAKEWORD(0, 9), &data), WSAVERNOTSUPPORTED);
    CHECK_EQ(WSAStartup(MAKEWORD(2, 2), NULL), WSAEFAULT);
}

/* ---- making sockets ---- */

THREAD_FN(send_later)
{
    SOCKET s = *(SOCKET *)arg;
    until_main_sleeps();
    CHECK_EQ(send(s, "later", 5, 0), 5);
    return 0;
}

TEST(overlapped_attribute, "SOCK-03")
{
    struct sockaddr_in address;
    SOCKET listener = tcp_listener(&address), client;
    OVERLAPPED ov;
    char got[16];
    DWORD count = 0, flags = 0;
    WSABUF buf = {sizeof got, got};

    /* socket() has the attribute: a receive without data pends, and the accepted one inherits it. */
    client = tcp_socket();
    REQUIRE(connect(client, (struct sockaddr *)&address, sizeof address) == 0);
    SOCKET server = accept(listener, NULL, NULL);
    REQUIRE(server != INVALID_SOCKET);
    SOCKET both[2] = {client, server};
    for (int i = 0; i < 2; i++) {
        memset(&ov, 0, sizeof ov);
        ov.hEvent = manual_event();
        CHECK_EQ(start_recv(both[i], got, sizeof got, &ov), WSA_IO_PENDING);
        CHECK_EQ(send(both[1 - i], "abc", 3, 0), 3);
        CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
        CHECK(WSAGetOverlappedResult(both[i], &ov, &count, FALSE, &flags));
        CHECK_EQ(count, 3);
        CloseHandle(ov.hEvent);
    }
    closesocket(client);
    closesocket(server);

    /* WSASocket without the flag: an OVERLAPPED is ignored, the call waits for its data. */
    client = WSASocketA(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, 0);
    REQUIRE(client != INVALID_SOCKET);
    REQUIRE(connect(client, (struct sockaddr *)&address, sizeof address) == 0);
    server = accept(listener, NULL, NULL);
    memset(&ov, 0, sizeof ov);
    ov.hEvent = manual_event();
    memset(got, 0, sizeof got);
    HANDLE sender = start_thread(send_later, &server);
    count = 77;
    flags = 0;
    CHECK_EQ(WSARecv(client, &buf, 1, &count, &flags, &ov, NULL), 0);
    CHECK_EQ(count, 5);
    CHECK_MEM(got, "later", 5);
    JOIN(sender);
    CloseHandle(ov.hEvent);
    closesocket(client);
    closesocket(server);
    closesocket(listener);
}

TEST(socket_arguments, "ERR-04")
{
    net_start();
    WSASetLastError(0);
    CHECK_EQ(socket(9999, SOCK_STREAM, 0), INVALID_SOCKET);
    CHECK_EQ(WSAGetLastError(), WSAEAFNOSUPPORT);
    WSASetLastError(0);
    CHECK_EQ(socket(AF_INET, 77, 0), INVALID_SOCKET);
    CHECK_EQ(WSAGetLastError(), WSAESOCKTNOSUPPORT);
    WSASetLastError(0);
    CHECK_EQ(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), INVALID_SOCKET);
    CHECK_EQ(WSAGetLastError(), WSAEPROTONOSUPPORT);

    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
    REQUIRE(s != INVALID_SOCKET);
    CHECK(s > 0 && s < 0x10000); /* many programs keep sockets in an int or index arrays with them */
    CHECK_EQ(option(s, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
    CHECK_EQ(closesocket(s), 0);
    CHECK_WSAERR(closesocket(s), WSAENOTSOCK);
    s = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK_EQ(option(s, SOL_SOCKET, SO_TYPE), SOCK_DGRAM);
    closesocket(s);
}

TEST_W8(not_a_socket, "SOCK-07", "Wine says WSAEOPNOTSUPP of a disk file")
{
    struct sockaddr_in address = loopback(1);
    HANDLE event = manual_event(), file = temp_file(3, FILE_FLAG_OVERLAPPED);
    SOCKET none[3] = {INVALID_SOCKET, (SOCKET)event, (SOCKET)file};
    char byte = 0;
    int size = sizeof address, value = 0, value_size = sizeof value;
    u_long on = 1;
    net_start();
    for (int i = 0; i < 3; i++) {
        SOCKET s = none[i];
        OVERLAPPED ov = {0};
        WSABUF buf = {1, &byte};
        DWORD count = 0, flags = 0;
        CHECK_WSAERR(bind(s, (struct sockaddr *)&address, sizeof address), WSAENOTSOCK);
        CHECK_WSAERR(connect(s, (struct sockaddr *)&address, sizeof address), WSAENOTSOCK);
        CHECK_WSAERR(listen(s, 1), WSAENOTSOCK);
        CHECK_WSAERR(shutdown(s, SD_SEND), WSAENOTSOCK);
        CHECK_WSAERR(send(s, &byte, 1, 0), WSAENOTSOCK);
        CHECK_WSAERR(recv(s, &byte, 1, 0), WSAENOTSOCK);
        CHECK_WSAERR(getsockname(s, (struct sockaddr *)&address, &size), WSAENOTSOCK);
        CHECK_WSAERR(getpeername(s, (struct sockaddr *)&address, &size), WSAENOTSOCK);
        CHECK_WSAERR(getsockopt(s, SOL_SOCKET, SO_TYPE, (char *)&value, &value_size), WSAENOTSOCK);
        CHECK_WSAERR(setsockopt(s, SOL_SOCKET, SO_KEEPALIVE, (char *)&value, sizeof value), WSAENOTSOCK);
        CHECK_WSAERR(ioctlsocket(s, FIONBIO, &on), WSAENOTSOCK);
        CHECK_WSAERR(WSARecv(s, &buf, 1, &count, &flags, &ov, NULL), WSAENOTSOCK);
        CHECK_WSAERR(WSASend(s, &buf, 1, &count, 0, &ov, NULL), WSAENOTSOCK);
        WSASetLastError(0);
        CHECK_EQ(accept(s, NULL, NULL), INVALID_SOCKET);
        CHECK_EQ(WSAGetLastError(), WSAENOTSOCK);
        CHECK_WSAERR(closesocket(s), WSAENOTSOCK);
    }
    CHECK(SetEvent(event)); /* closesocket closed neither */
    CHECK_EQ(GetFileSize(file, NULL), 3);
    CloseHandle(event);
    CloseHandle(file);
}

/* ---- names ---- */

TEST(bind_and_names, "")
{
    struct sockaddr_in address = loopback(0), name, far_away = loopback(0);
    int size = sizeof name;
    SOCKET s = tcp_socket(), other = tcp_socket();
    CHECK_WSAERR(getsockname(s, (struct sockaddr *)&name, &size), WSAEINVAL);
    CHECK_WSAERR(getpeername(s, (struct sockaddr *)&name, &size), WSAENOTCONN);
    CHECK_WSAERR(listen(s, 1), WSAEINVAL);
    CHECK_WSAERR(bind(s, (struct sockaddr *)&address, 7), WSAEFAULT);
    far_away.sin_addr.s_addr = htonl(0xC0000201); /* 192.0.2.1 is nobody's */
    CHECK_WSAERR(bind(s, (struct sockaddr *)&far_away, sizeof far_away), WSAEADDRNOTAVAIL);
    CHECK_EQ(bind(s, (struct sockaddr *)&address, sizeof address), 0);
    size = sizeof name;
    CHECK_EQ(getsockname(s, (struct sockaddr *)&name, &size), 0);
    CHECK_EQ(size, sizeof name);
    CHECK_EQ(name.sin_family, AF_INET);
    CHECK_EQ(name.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    CHECK(name.sin_port != 0);
    CHECK_WSAERR(bind(s, (struct sockaddr *)&address, sizeof address), WSAEINVAL); /* bound already */
    size = 4;
    CHECK_WSAERR(getsockname(s, (struct sockaddr *)&far_away, &size), WSAEFAULT);
    CHECK_WSAERR(bind(other, (struct sockaddr *)&name, sizeof name), WSAEADDRINUSE);
    CHECK_EQ(listen(s, 1), 0);
    CHECK_WSAERR(bind(other, (struct sockaddr *)&name, sizeof name), WSAEADDRINUSE);
    size = sizeof name;
    CHECK_WSAERR(getpeername(s, (struct sockaddr *)&name, &size), WSAENOTCONN);
    closesocket(s);
    closesocket(other);

    s = udp_socket(&address);
    CHECK_WSAERR(listen(s, 1), WSAEOPNOTSUPP);
    closesocket(s);
    s = tcp_socket();
    WSASetLastError(0);
    CHECK_EQ(accept(s, NULL, NULL), INVALID_SOCKET); /* not listening */
    CHECK_EQ(WSAGetLastError(), WSAEINVAL);
    closesocket(s);
}

TEST(names_of_a_connection, "ACC-01")
{
    struct sockaddr_in mine, theirs;
    SOCKET pair[2];
    REQUIRE(tcp_pair(pair));
    for (int i = 0; i < 2; i++) {
        int mine_size = sizeof mine, theirs_size = sizeof theirs;
        CHECK_EQ(getsockname(pair[i], (struct sockaddr *)&mine, &mine_size), 0);
        CHECK_EQ(getpeername(pair[1 - i], (struct sockaddr *)&theirs, &theirs_size), 0);
        CHECK_EQ(mine_size, sizeof mine);
        CHECK_EQ(theirs_size, sizeof theirs);
        CHECK_EQ(mine.sin_port, theirs.sin_port);
        CHECK_EQ(mine.sin_addr.s_addr, theirs.sin_addr.s_addr);
        CHECK_EQ(mine.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    }
    closesocket(pair[0]);
    closesocket(pair[1]);
}

/* ---- connecting ---- */

TEST(connect_nonblocking, "SOCK-36")
{
    struct sockaddr_in address = loopback(0);
    SOCKET clients[8], listener = tcp_socket(), held[8];
    int size = sizeof address, pending = -1, count = 0;
    REQUIRE(bind(listener, (struct sockaddr *)&address, sizeof address) == 0);
    REQUIRE(listen(listener, 1) == 0);
    REQUIRE(getsockname(listener, (struct sockaddr *)&address, &size) == 0);

    /* The backlog is soon full. Then a system may leave the next one waiting (Linux) or refuse it. */
    for (int i = 0; i < 8; i++) {
        clients[i] = tcp_socket();
        set_nonblocking(clients[i], 1);
        CHECK_WSAERR(connect(clients[i], (struct sockaddr *)&address, sizeof address), WSAEWOULDBLOCK);
    }
    for (int i = 0; i < 8; i++) {
        int connected = 0;
        for (int tries = 0; tries < 50 && !connected; tries++) {
            WSASetLastError(0);
            CHECK_EQ(connect(clients[i], (struct sockaddr *)&address, sizeof address), SOCKET_ERROR);
            int error = WSAGetLastError();
            connected = error == WSAEISCONN;
            if (error == WSAECONNREFUSED)
                break;
            if (!connected) {
                CHECK_EQ(error, WSAEALREADY);
                if (i > 3) {
                    pending = i;
                    break;
                }
                Sleep(1); /* it is asked again, so often at most */
            }
        }
        CHECK(connected || i > 0); /* the first one fits into any backlog */
    }
#ifdef __linux__
    CHECK(pending >= 0);
#endif
    /* Room again: those that wait are let in. */
    set_nonblocking(listener, 1);
    if (pending >= 0) {
        CHECK(WITHIN(20000, (count += count < 8 &&
                                     (held[count] = accept(listener, NULL, NULL)) != INVALID_SOCKET,
                            connect(clients[pending], (struct sockaddr *)&address, sizeof address) ==
                                    SOCKET_ERROR && WSAGetLastError() == WSAEISCONN)));
    }
    for (int i = 0; i < 8; i++)
        closesocket(clients[i]);
    while (count > 0)
        closesocket(held[--count]);
    closesocket(listener);

    /* A blocking socket says the same once it is connected; a listening one cannot connect. */
    listener = tcp_listener(&address);
    SOCKET s = tcp_socket();
    CHECK_EQ(connect(s, (struct sockaddr *)&address, sizeof address), 0);
    CHECK_WSAERR(connect(s, (struct sockaddr *)&address, sizeof address), WSAEISCONN);
    CHECK_WSAERR(connect(listener, (struct sockaddr *)&address, sizeof address), WSAEINVAL);
    closesocket(s);
    closesocket(listener);
}

TEST(connect_refused, "SOCK-37")
{
    struct sockaddr_in closed = loopback(0), address, nowhere = loopback(80);
    int size = sizeof closed;
    SOCKET holder = tcp_socket(), s = tcp_socket();
    /* The port is taken, but nobody listens. */
    REQUIRE(bind(holder, (struct sockaddr *)&closed, sizeof closed) == 0);
    REQUIRE(getsockname(holder, (struct sockaddr *)&closed, &size) == 0);
    CHECK_WSAERR(connect(s, (struct sockaddr *)&closed, sizeof closed), WSAECONNREFUSED);
    SOCKET listener = tcp_listener(&address);
    TODO_WINE("Wine hands on what Linux does: the next connect fails once, 0.0.0.0 is this machine")
    {
        CHECK_EQ(connect(s, (struct sockaddr *)&address, sizeof address), 0); /* the socket is still good */
        CHECK_EQ(send(s, "x", 1, 0), 1);
        closesocket(s);
        nowhere.sin_addr.s_addr = 0;
        s = tcp_socket();
        CHECK_WSAERR(connect(s, (struct sockaddr *)&nowhere, sizeof nowhere), WSAEADDRNOTAVAIL);
        CHECK_WSAERR(connect(s, (struct sockaddr *)&nowhere, 5), WSAEFAULT);
        closesocket(s);
    }

    /* Non-blocking: the refusal is the socket's error, which reading takes away. */
    s = tcp_socket();
    set_nonblocking(s, 1);
    CHECK_WSAERR(connect(s, (struct sockaddr *)&closed, sizeof closed), WSAEWOULDBLOCK);
    DWORD error = 0;
    CHECK(WITHIN(20000, (error = option(s, SOL_SOCKET, SO_ERROR)) != 0));
    CHECK_EQ(error, WSAECONNREFUSED);
    closesocket(s);
    closesocket(listener);
    closesocket(holder);
}

/* ---- blocking and not ---- */

TEST(would_block, "SOCK-18")
{
    struct sockaddr_in address;
    SOCKET pair[2], listener = tcp_listener(&address), udp = udp_socket(&address);
    char got[64];
    DWORD count = 0, flags = 0;
    WSABUF buf = {sizeof got, got};
    REQUIRE(tcp_pair(pair));
    set_nonblocking(pair[0], 1);
    set_nonblocking(listener, 1);
    set_nonblocking(udp, 1);
    CHECK_WSAERR(recv(pair[0], got, sizeof got, 0), WSAEWOULDBLOCK);
    CHECK_WSAERR(recv(pair[0], got, sizeof got, MSG_PEEK), WSAEWOULDBLOCK);
    CHECK_WSAERR(WSARecv(pair[0], &buf, 1, &count, &flags, NULL, NULL), WSAEWOULDBLOCK);
    CHECK_WSAERR(recvfrom(udp, got, sizeof got, 0, NULL, NULL), WSAEWOULDBLOCK);
    WSASetLastError(0);
    CHECK_EQ(accept(listener, NULL, NULL), INVALID_SOCKET);
    CHECK_EQ(WSAGetLastError(), WSAEWOULDBLOCK);
    CHECK_EQ(send(pair[1], "abc", 3, 0), 3);
    CHECK(WITHIN(20000, available(pair[0]) == 3));
    CHECK_EQ(recv(pair[0], got, sizeof got, 0), 3);
    CHECK_WSAERR(recv(pair[0], got, sizeof got, 0), WSAEWOULDBLOCK);

    /* And back again: the next receive waits for its data. */
    set_nonblocking(pair[0], 0);
    HANDLE sender = start_thread(send_later, &pair[1]);
    CHECK_EQ(recv(pair[0], got, sizeof got, 0), 5);
    JOIN(sender);
    closesocket(pair[0]);
    closesocket(pair[1]);
    closesocket(listener);
    closesocket(udp);
}

/* What a non-blocking send says it took is exactly what arrives. */
TEST(partial_sends, "SOCK-18")
{
    enum { CHUNK = 300000, MOST = 64 << 20 };
    static char data[CHUNK], got[65536];
    SOCKET pair[2];
    long long sent = 0, received = 0;
    int n, wrong = 0, blocked = 0;
    REQUIRE(tcp_pair(pair));
    set_nonblocking(pair[0], 1);
    while (sent < MOST) {
        for (int i = 0; i < CHUNK; i++)
            data[i] = (char)pattern((unsigned long long)sent + (unsigned)i);
        WSABUF bufs[2] = {{1000, data}, {CHUNK - 1000, data + 1000}};
        DWORD count = 0;
        if (WSASend(pair[0], bufs, 2, &count, 0, NULL, NULL)) {
            CHECK_EQ(WSAGetLastError(), WSAEWOULDBLOCK);
            blocked = 1;
            break;
        }
        CHECK(count > 0 && count <= CHUNK);
        sent += count;
    }
    CHECK(blocked);
    CHECK_EQ(shutdown(pair[0], SD_SEND), 0);
    while ((n = recv(pair[1], got, sizeof got, 0)) > 0) {
        for (int i = 0; i < n; i++)
            wrong += (unsigned char)got[i] != pattern((unsigned long long)received + (unsigned)i);
        received += n;
    }
    CHECK_EQ(n, 0);
    CHECK_EQ(received, sent);
    CHECK_EQ(wrong, 0);
    closesocket(pair[0]);
    closesocket(pair[1]);
}

/* A blocking send takes all of it, however little room there is. */
THREAD_FN(receive_all)
{
    SOCKET s = *(SOCKET *)arg;
    static char got[50000];
    unsigned long long total = 0;
    int n, wrong = 0;
    while ((n = recv(s, got, sizeof got, 0)) > 0) {
        for (int i = 0; i < n; i++)
            wrong += (unsigned char)got[i] != pattern(total + (unsigned)i);
        total += (unsigned)n;
    }
    CHECK_EQ(n, 0);
    CHECK_EQ(wrong, 0);
    return (unsigned)total;
}

TEST(blocking_send_is_whole, "SOCK-16")
{
    enum { SIZE = 8 << 20 };
    SOCKET pair[2];
    char *data = malloc(SIZE);
    DWORD total = 0;
    REQUIRE(data && tcp_pair(pair));
    CHECK_EQ(set_option(pair[0], SOL_SOCKET, SO_SNDBUF, 65536), 0);
    for (unsigned i = 0; i < SIZE; i++)
        data[i] = (char)pattern(i);
    HANDLE reader = start_thread(receive_all, &pair[1]);
    CHECK_EQ(send(pair[0], data, SIZE, 0), SIZE);
    CHECK_EQ(shutdown(pair[0], SD_SEND), 0);
    CHECK_EQ(WaitForSingleObject(reader, 15000), WAIT_OBJECT_0);
    CHECK(GetExitCodeThread(reader, &total));
    CHECK_EQ(total, SIZE);
    CloseHandle(reader);
    closesocket(pair[0]);
    closesocket(pair[1]);
    free(data);
}

TEST(timeouts, "SOCK-35")
{
    struct sockaddr_in address;
    SOCKET pair[2], udp = udp_socket(&address);
    static char big[1 << 20];
    char got[16];
    OVERLAPPED ov = {0};
    DWORD count = 0, flags = 0;
    REQUIRE(tcp_pair(pair));
    CHECK_EQ(option(pair[0], SOL_SOCKET, SO_RCVTIMEO), 0);
    CHECK_EQ(option(pair[0], SOL_SOCKET, SO_SNDTIMEO), 0);
    CHECK_EQ(set_option(pair[0], SOL_SOCKET, SO_RCVTIMEO, 120), 0);
    CHECK_EQ(set_option(pair[1], SOL_SOCKET, SO_SNDTIMEO, 130), 0);
    CHECK_EQ(set_option(udp, SOL_SOCKET, SO_RCVTIMEO, 90), 0);
    CHECK_EQ(option(pair[0], SOL_SOCKET, SO_RCVTIMEO), 120);
    CHECK_EQ(option(pair[1], SOL_SOCKET, SO_SNDTIMEO), 130);

    /* Overlapped receives are not touched: this one outlives the time-out by far. */
    ov.hEvent = manual_event();
    CHECK_EQ(start_recv(pair[0], got, sizeof got, &ov), WSA_IO_PENDING);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 400), WAIT_TIMEOUT);
    CHECK_EQ(send(pair[1], "abc", 3, 0), 3);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
    CHECK(WSAGetOverlappedResult(pair[0], &ov, &count, FALSE, &flags));
    CHECK_EQ(count, 3);
    CloseHandle(ov.hEvent);

    double begun = now_ms();
    CHECK_WSAERR(recv(pair[0], got, sizeof got, 0), WSAETIMEDOUT);
    CHECK_MSG(now_ms() - begun >= 110, "recv took %.0f ms", now_ms() - begun);
    begun = now_ms();
    CHECK_WSAERR(recvfrom(udp, got, sizeof got, 0, NULL, NULL), WSAETIMEDOUT);
    CHECK_MSG(now_ms() - begun >= 80, "recvfrom took %.0f ms", now_ms() - begun);

    /* Sends: nobody reads, so sooner or later one has to wait. */
    int failed = 0;
    for (int i = 0; i < 64 && !failed; i++) {
        begun = now_ms();
        WSASetLastError(0);
        failed = send(pair[1], big, sizeof big, 0) == SOCKET_ERROR;
    }
    CHECK(failed);
    CHECK_EQ(WSAGetLastError(), WSAETIMEDOUT);
    CHECK_MSG(now_ms() - begun >= 110, "send took %.0f ms", now_ms() - begun);
    closesocket(pair[0]);
    closesocket(pair[1]);
    closesocket(udp);
}

/* ---- ending ---- */

TEST(shutdown_refuses, "SOCK-19 SOCK-07")
{
    SOCKET pair[2];
    char got[16];
    OVERLAPPED ov = {0};
    DWORD bytes;
    ULONG_PTR key;
    OVERLAPPED *out;
    REQUIRE(tcp_pair(pair));
    HANDLE port = CreateIoCompletionPort((HANDLE)pair[0], NULL, 7, 1);
    REQUIRE(port != NULL);
    ov.hEvent = manual_event();
    CHECK_EQ(shutdown(pair[0], SD_SEND), 0);
    CHECK_WSAERR(send(pair[0], "x", 1, 0), WSAESHUTDOWN);
    CHECK_EQ(start_send(pair[0], "x", 1, &ov), WSAESHUTDOWN);
    CHECK_EQ(send(pair[1], "in", 2, 0), 2); /* the other direction goes on */
    CHECK_EQ(recv(pair[0], got, sizeof got, 0), 2);
    CHECK_EQ(shutdown(pair[0], SD_RECEIVE), 0);
    CHECK_WSAERR(recv(pair[0], got, sizeof got, 0), WSAESHUTDOWN);
    CHECK_EQ(start_recv(pair[0], got, sizeof got, &ov), WSAESHUTDOWN);

    /* Neither refused start left anything behind. */
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 0), WAIT_TIMEOUT);
    CHECK(PostQueuedCompletionStatus(port, 1, 2, NULL));
    CHECK(GetQueuedCompletionStatus(port, &bytes, &key, &out, 20000));
    CHECK_EQ(key, 2);
    CHECK_ERR(GetQueuedCompletionStatus(port, &bytes, &key, &out, 0), WAIT_TIMEOUT);
    closesocket(pair[0]);
    closesocket(pair[1]);

    REQUIRE(tcp_pair(pair));
    CHECK_EQ(shutdown(pair[0], SD_BOTH), 0);
    CHECK_WSAERR(send(pair[0], "x", 1, 0), WSAESHUTDOWN);
    CHECK_WSAERR(recv(pair[0], got, sizeof got, 0), WSAESHUTDOWN);
    CHECK_EQ(recv(pair[1], got, sizeof got, 0), 0);
    CHECK_WSAERR(shutdown(pair[0], 9), WSAEINVAL);
    closesocket(pair[0]);
    closesocket(pair[1]);
    CloseHandle(ov.hEvent);
    CloseHandle(port);
}

TEST(unconnected, "SOCK-20 SOCK-07")
{
    struct sockaddr_in address;
    SOCKET s = tcp_socket(), listener = tcp_listener(&address), udp;
    static OVERLAPPED ov;
    static char got[16];
    net_start();
    memset(&ov, 0, sizeof ov);
    ov.hEvent = manual_event();
    CHECK_WSAERR(recv(s, got, sizeof got, 0), WSAENOTCONN);
    CHECK_WSAERR(shutdown(s, SD_SEND), WSAENOTCONN);
    CHECK_EQ(start_recv(s, got, sizeof got, &ov), WSAENOTCONN);
    TODO_WINE("Wine says WSAECONNRESET of a send that is not connected")
    {
        CHECK_WSAERR(send(s, "x", 1, 0), WSAENOTCONN);
        CHECK_EQ(start_send(s, "x", 1, &ov), WSAENOTCONN);
    }
    set_nonblocking(listener, 1);
    TODO_WINE("Wine lets a listening socket wait for data")
    {
        CHECK_WSAERR(recv(listener, got, sizeof got, 0), WSAENOTCONN);
        CHECK_WSAERR(send(listener, "x", 1, 0), WSAENOTCONN);
    }
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 0), WAIT_TIMEOUT);
    closesocket(s);

    udp = socket(AF_INET, SOCK_DGRAM, 0);
    set_nonblocking(udp, 1);
    TODO_WINE("Wine binds a datagram socket on receive")
    {
        CHECK_WSAERR(recv(udp, got, sizeof got, 0), WSAEINVAL);
        CHECK_WSAERR(recvfrom(udp, got, sizeof got, 0, NULL, NULL), WSAEINVAL);
        CHECK_EQ(start_recv(udp, got, sizeof got, &ov), WSAEINVAL);
        CHECK_WSAERR(send(udp, "x", 1, 0), WSAENOTCONN); /* no destination */
    }
    /* A sendto binds it, and then it may receive. */
    CHECK_EQ(sendto(udp, "x", 1, 0, (struct sockaddr *)&address, sizeof address), 1);
    WSASetLastError(0);
    CHECK_EQ(recvfrom(udp, got, sizeof got, 0, NULL, NULL), SOCKET_ERROR);
    CHECK(WSAGetLastError() == WSAEWOULDBLOCK || WSAGetLastError() == WSAECONNRESET); /* SOCK-25 */
    closesocket(udp);
    closesocket(listener);
    CloseHandle(ov.hEvent);
}

/* Sends until nothing more fits, for the peer does not read; how much that was. Not blocking. */
static unsigned long long send_till_full(SOCKET s)
{
    enum { CHUNK = 100000 };
    static char data[CHUNK];
    unsigned long long sent = 0;
    for (int n;; sent += (unsigned)n) {
        fill(data, CHUNK, sent);
        if ((n = send(s, data, CHUNK, 0)) <= 0)
            break;
    }
    CHECK_EQ(WSAGetLastError(), WSAEWOULDBLOCK);
    return sent;
}

/* ... all of which comes, and then the end. */
static void all_comes(SOCKET s, unsigned long long sent)
{
    struct reader r = {.s = s, .chunk = 65536};
    read_all(&r);
    CHECK_EQ(r.last, 0);
    CHECK_EQ(r.total, sent);
    CHECK_EQ(r.wrong, 0);
}

TEST(shutdown_send, "SOCK-33")
{
    char got[8];
    SOCKET pair[2];
    REQUIRE(tcp_pair(pair));
    set_nonblocking(pair[0], 1);
    unsigned long long sent = send_till_full(pair[0]);
    set_nonblocking(pair[0], 0);
    CHECK_EQ(shutdown(pair[0], SD_SEND), 0); /* if it waited for the reader it would not come back */
    all_comes(pair[1], sent);
    CHECK_EQ(recv(pair[1], got, sizeof got, 0), 0); /* and 0 again */
    CHECK_EQ(send(pair[1], "reply", 5, 0), 5); /* the other direction is open */
    CHECK_EQ(recv(pair[0], got, sizeof got, 0), 5);
    CHECK_MEM(got, "reply", 5);
    closesocket(pair[1]);
    CHECK_EQ(recv(pair[0], got, sizeof got, 0), 0);
    closesocket(pair[0]);
}

TEST(close_delivers, "SOCK-31")
{
    for (int lingering = 0; lingering < 2; lingering++) {
        SOCKET pair[2];
        int size = sizeof(struct linger);
        struct linger linger = {9, 9};
        REQUIRE(tcp_pair(pair));
        CHECK_EQ(getsockopt(pair[0], SOL_SOCKET, SO_LINGER, (char *)&linger, &size), 0);
        CHECK_EQ(linger.l_onoff, 0); /* the default */
        CHECK_EQ(size, sizeof linger);
        if (lingering)
            set_linger(pair[0], 0, 0);
        set_nonblocking(pair[0], 1);
        unsigned long long sent = send_till_full(pair[0]);
        set_nonblocking(pair[0], 0);
        CHECK_EQ(closesocket(pair[0]), 0); /* if it waited for the reader it would not come back */
        all_comes(pair[1], sent);
        closesocket(pair[1]);
    }
}

TEST(close_resets, "SOCK-32")
{
    SOCKET pair[2];
    struct linger linger = {0, 0};
    int size = sizeof linger;
    char got[16];
    REQUIRE(tcp_pair(pair));
    set_linger(pair[0], 1, 0);
    CHECK_EQ(getsockopt(pair[0], SOL_SOCKET, SO_LINGER, (char *)&linger, &size), 0);
    CHECK_EQ(linger.l_onoff, 1);
    CHECK_EQ(linger.l_linger, 0);
    CHECK_EQ(closesocket(pair[0]), 0);
    TODO_WINE("Wine loses the error when it hears of it before the receive: 0 bytes")
    {
        CHECK_WSAERR(recv(pair[1], got, sizeof got, 0), WSAECONNRESET);
    }
    closesocket(pair[1]);

    /* A receive that waits already is told, too. */
    REQUIRE(tcp_pair(pair));
    OVERLAPPED ov = {0};
    DWORD bytes, flags;
    ov.hEvent = manual_event();
    CHECK_EQ(start_recv(pair[1], got, sizeof got, &ov), WSA_IO_PENDING);
    set_linger(pair[0], 1, 0);
    CHECK_EQ(closesocket(pair[0]), 0);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
    CHECK(!WSAGetOverlappedResult(pair[1], &ov, &bytes, FALSE, &flags));
    CHECK_EQ(WSAGetLastError(), WSAECONNRESET);
    CloseHandle(ov.hEvent);
    closesocket(pair[1]);

    REQUIRE(tcp_pair(pair)); /* with time to linger it is not reset */
    set_linger(pair[0], 1, 5);
    CHECK_EQ(send(pair[0], "last", 4, 0), 4);
    CHECK_EQ(closesocket(pair[0]), 0);
    CHECK_EQ(recv(pair[1], got, sizeof got, 0), 4);
    CHECK_EQ(recv(pair[1], got, sizeof got, 0), 0);
    closesocket(pair[1]);
}

/* No SIGPIPE: what is sent on a dead connection fails with a code, every time. */
TEST(send_on_dead_connection, "SOCK-14")
{
    SOCKET pair[2];
    OVERLAPPED ov = {0};
    DWORD bytes;
    REQUIRE(tcp_pair(pair));
    ov.hEvent = manual_event();
    set_linger(pair[0], 1, 0);
    closesocket(pair[0]);
    int failed = 0;
    CHECK(WITHIN(20000, failed = send(pair[1], "x", 1, 0) == SOCKET_ERROR));
    CHECK(failed);
    for (int i = 0; i < 3; i++) {
        WSASetLastError(0);
        CHECK_EQ(send(pair[1], "x", 1, 0), SOCKET_ERROR);
        CHECK_MSG(WSAGetLastError() == WSAECONNRESET || WSAGetLastError() == WSAECONNABORTED, "error %d",
                  WSAGetLastError());
        int error = start_send(pair[1], "x", 1, &ov);
        CHECK_MSG(error == WSAECONNRESET || error == WSAECONNABORTED, "error %d", error);
        SetLastError(0);
        CHECK(!WriteFile((HANDLE)pair[1], "x", 1, &bytes, &ov));
        CHECK_MSG(GetLastError() == ERROR_NETNAME_DELETED || GetLastError() == ERROR_CONNECTION_ABORTED,
                  "error %d", (int)GetLastError());
    }
    closesocket(pair[1]);
    CloseHandle(ov.hEvent);
}

struct blocked {
    SOCKET s;
    int accepting;
    int error;
    HANDLE begun;
};

THREAD_FN(blocked_call)
{
    struct blocked *b = arg;
    char byte;
    SetEvent(b->begun);
    SOCKET got = b->accepting ? accept(b->s, NULL, NULL) : (SOCKET)(INT_PTR)recv(b->s, &byte, 1, 0);
    b->error = got == INVALID_SOCKET ? WSAGetLastError() : 0;
    return 0;
}

/* "Closing a socket in one thread that has an outstanding blocking call on the same socket in another
 * thread will cause the blocking call to fail with WSAEINTR" (Windows Sockets 2 API, 2.7). */
TEST(close_while_blocked, "CANCEL-16")
{
    struct sockaddr_in address;
    SOCKET pair[2];
    REQUIRE(tcp_pair(pair));
    for (int accepting = 0; accepting < 2; accepting++) {
        struct blocked b = {accepting ? tcp_listener(&address) : pair[0], accepting, -1, auto_event()};
        HANDLE thread = start_thread(blocked_call, &b);
        WaitForSingleObject(b.begun, 20000);
        until_asleep(GetThreadId(thread));
        CHECK_EQ(WaitForSingleObject(thread, 50), WAIT_TIMEOUT);
        CHECK_EQ(closesocket(b.s), 0);
        CHECK(JOIN(thread));
        CHECK(b.error != 0);
        TODO_WINE("Wine 8 says WSAEINVAL or WSA_OPERATION_ABORTED")
            CHECK_EQ(b.error, WSAEINTR);
        CloseHandle(b.begun);
    }
    closesocket(pair[1]);
}

/* ---- data ---- */

TEST(peek, "")
{
    SOCKET pair[2];
    char got[16] = "";
    REQUIRE(tcp_pair(pair));
    CHECK_EQ(send(pair[0], "abcdef", 6, 0), 6);
    CHECK(WITHIN(20000, available(pair[1]) == 6));
    for (int i = 0; i < 2; i++) {
        memset(got, 0, sizeof got);
        CHECK_EQ(recv(pair[1], got, 4, MSG_PEEK), 4);
        CHECK_STR(got, "abcd");
    }
    CHECK_EQ(available(pair[1]), 6);
    CHECK_EQ(recv(pair[1], got, sizeof got, 0), 6);
    CHECK_MEM(got, "abcdef", 6);
    CHECK_EQ(available(pair[1]), 0);
    closesocket(pair[0]);
    closesocket(pair[1]);
}

THREAD_FN(send_in_pieces)
{
    SOCKET s = *(SOCKET *)arg;
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(send(s, &"0123456789"[i * 2], 2, 0), 2);
        until_main_sleeps(); /* who has taken what was there: so they come as pieces */
    }
    return 0;
}

TEST_W8(wait_all_blocking, "SOCK-17", "Wine ignores MSG_WAITALL")
{
    SOCKET pair[2];
    char got[16];
    REQUIRE(tcp_pair(pair));
    HANDLE sender = start_thread(send_in_pieces, &pair[0]);
    CHECK_EQ(recv(pair[1], got, 10, MSG_WAITALL), 10);
    CHECK_MEM(got, "0123456789", 10);
    JOIN(sender);
    sender = start_thread(send_in_pieces, &pair[0]);
    JOIN(sender);
    closesocket(pair[0]); /* the end of the connection ends it, with what there is */
    CHECK_EQ(recv(pair[1], got, 16, MSG_WAITALL), 10);
    CHECK_EQ(recv(pair[1], got, 16, MSG_WAITALL), 0);
    closesocket(pair[1]);
}

/* What came first would be lost. */
TEST_W8(wait_all_without_waiting, "SOCK-17 SOCK-18", "Wine ignores MSG_WAITALL")
{
    SOCKET pair[2];
    char got[16];
    u_long on = 1;
    REQUIRE(tcp_pair(pair));
    CHECK_EQ(send(pair[0], "01234", 5, 0), 5);
    CHECK_EQ(recv(pair[1], got, 1, MSG_PEEK), 1);
    CHECK_EQ(ioctlsocket(pair[1], FIONBIO, &on), 0);
    CHECK_EQ(recv(pair[1], got, 10, MSG_WAITALL), SOCKET_ERROR);
    CHECK_EQ(WSAGetLastError(), WSAEOPNOTSUPP);
    CHECK_EQ(recv(pair[1], got, 10, 0), 5);
    end_pair(pair);
}

TEST(datagrams, "SOCK-22 SOCK-24")
{
    struct sockaddr_in a_address, b_address, from;
    SOCKET a = udp_socket(&a_address), b = udp_socket(&b_address);
    static char big[70000];
    char got[100];
    int size;
    CHECK_EQ(sendto(a, "one", 3, 0, (struct sockaddr *)&b_address, sizeof b_address), 3);
    CHECK_EQ(sendto(a, "", 0, 0, (struct sockaddr *)&b_address, sizeof b_address), 0);
    CHECK_EQ(sendto(a, "three", 5, 0, (struct sockaddr *)&b_address, sizeof b_address), 5);
    CHECK_EQ(sendto(a, "much too long", 13, 0, (struct sockaddr *)&b_address, sizeof b_address), 13);
    CHECK_EQ(sendto(a, "last", 4, 0, (struct sockaddr *)&b_address, sizeof b_address), 4);

    size = sizeof from;
    CHECK_EQ(recvfrom(b, got, sizeof got, 0, (struct sockaddr *)&from, &size), 3);
    CHECK_MEM(got, "one", 3);
    CHECK_EQ(size, sizeof from);
    CHECK_EQ(from.sin_port, a_address.sin_port);
    CHECK_EQ(from.sin_addr.s_addr, a_address.sin_addr.s_addr);
    CHECK_EQ(from.sin_family, AF_INET);
    CHECK_EQ(recvfrom(b, got, sizeof got, 0, NULL, NULL), 0);
    CHECK_EQ(recvfrom(b, got, sizeof got, 0, NULL, NULL), 5);
    memset(got, '-', sizeof got);
    CHECK_WSAERR(recvfrom(b, got, 6, MSG_PEEK, NULL, NULL), WSAEMSGSIZE); /* not lost yet */
    CHECK_MEM(got, "much t----", 10);
    memset(got, '-', sizeof got);
    CHECK_WSAERR(recvfrom(b, got, 4, 0, NULL, NULL), WSAEMSGSIZE);
    CHECK_MEM(got, "much------", 10);
    CHECK_EQ(recv(b, got, sizeof got, 0), 4); /* the rest is lost */
    CHECK_MEM(got, "last", 4);
    CHECK_WSAERR(sendto(a, big, sizeof big, 0, (struct sockaddr *)&b_address, sizeof b_address), WSAEMSGSIZE);

    /* Connected: only from there, and send needs no address. */
    CHECK_EQ(connect(a, (struct sockaddr *)&b_address, sizeof b_address), 0);
    CHECK_EQ(send(a, "con", 3, 0), 3);
    CHECK_EQ(recv(b, got, sizeof got, 0), 3);
    size = sizeof from;
    CHECK_EQ(getpeername(a, (struct sockaddr *)&from, &size), 0);
    CHECK_EQ(from.sin_port, b_address.sin_port);
    closesocket(a);
    closesocket(b);
}

/* ---- options ---- */

TEST(options, "")
{
    SOCKET s = tcp_socket(), udp = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in address;
    char wide[8] = {0};
    int size;
    CHECK_EQ(option(s, SOL_SOCKET, SO_ERROR), 0);
    CHECK_EQ(option(s, SOL_SOCKET, SO_KEEPALIVE), 0);
    CHECK_EQ(option(s, SOL_SOCKET, SO_REUSEADDR), 0);
    CHECK_EQ(option(s, SOL_SOCKET, SO_ACCEPTCONN), 0);
    CHECK_EQ(option(udp, SOL_SOCKET, SO_BROADCAST), 0);
    CHECK_EQ(option(s, IPPROTO_TCP, TCP_NODELAY), 0);
    CHECK_EQ(option(s, SOL_SOCKET, SO_DONTLINGER), 1);
    CHECK_EQ(option(s, SOL_SOCKET, SO_EXCLUSIVEADDRUSE), 0);

    CHECK_EQ(set_option(s, SOL_SOCKET, SO_KEEPALIVE, 1), 0);
    CHECK_EQ(option(s, SOL_SOCKET, SO_KEEPALIVE), 1);
    CHECK_EQ(set_option(s, IPPROTO_TCP, TCP_NODELAY, 1), 0);
    CHECK_EQ(option(s, IPPROTO_TCP, TCP_NODELAY), 1);
    CHECK_EQ(set_option(udp, SOL_SOCKET, SO_BROADCAST, 1), 0);
    CHECK_EQ(option(udp, SOL_SOCKET, SO_BROADCAST), 1);
    set_linger(s, 1, 7);
    CHECK_EQ(option(s, SOL_SOCKET, SO_DONTLINGER), 0);
    CHECK_EQ(set_option(s, SOL_SOCKET, SO_DONTLINGER, 1), 0);
    CHECK_EQ(option(s, SOL_SOCKET, SO_DONTLINGER), 1);

    /* Buffer sizes read as they were set. */
    CHECK_EQ(set_option(s, SOL_SOCKET, SO_RCVBUF, 32768), 0);
    CHECK_EQ(option(s, SOL_SOCKET, SO_RCVBUF), 32768);
    CHECK_EQ(set_option(s, SOL_SOCKET, SO_SNDBUF, 40000), 0);
    CHECK_EQ(option(s, SOL_SOCKET, SO_SNDBUF), 40000);
    CHECK_EQ(set_option(s, SOL_SOCKET, SO_SNDBUF, 0), 0); /* on purpose, by Microsoft's own servers */

    SOCKET listener = tcp_listener(&address);
    CHECK_EQ(option(listener, SOL_SOCKET, SO_ACCEPTCONN), 1);
    closesocket(listener);

    CHECK_WSAERR(setsockopt(s, SOL_SOCKET, 0x5A5A, wide, 4), WSAENOPROTOOPT);
    size = sizeof wide;
    CHECK_WSAERR(getsockopt(s, SOL_SOCKET, 0x5A5A, wide, &size), WSAENOPROTOOPT);
    size = 1;
    CHECK_WSAERR(getsockopt(s, SOL_SOCKET, SO_TYPE, wide, &size), WSAEFAULT);
    CHECK_WSAERR(setsockopt(s, SOL_SOCKET, SO_LINGER, wide, 1), WSAEFAULT);
    CHECK_WSAERR(setsockopt(s, SOL_SOCKET, SO_KEEPALIVE, NULL, 4), WSAEFAULT);
    closesocket(s);
    closesocket(udp);
}

TEST(small_send_buffer, "SOCK-16")
{
    SOCKET pair[2];
    char got[16];
    OVERLAPPED ov = {0};
    DWORD bytes = 0, flags = 0;
    REQUIRE(tcp_pair(pair));
    CHECK_EQ(set_option(pair[0], SOL_SOCKET, SO_SNDBUF, 0), 0);
    CHECK_EQ(set_option(pair[1], SOL_SOCKET, SO_RCVBUF, 0), 0);
    ov.hEvent = manual_event();
    int error = start_send(pair[0], "hello", 5, &ov);
    CHECK(error == 0 || error == WSA_IO_PENDING);
    CHECK_EQ(recv(pair[1], got, sizeof got, 0), 5);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
    CHECK(WSAGetOverlappedResult(pair[0], &ov, &bytes, FALSE, &flags));
    CHECK_EQ(bytes, 5);
    CloseHandle(ov.hEvent);
    closesocket(pair[0]);
    closesocket(pair[1]);
}

/* A listener of `family` on the loopback at `port` (network order, 0: any); 0 or the error. */
static int listen6(SOCKET s, unsigned short port, struct sockaddr_in6 *address)
{
    int size = sizeof *address;
    memset(address, 0, sizeof *address);
    address->sin6_family = AF_INET6;
    address->sin6_port = port;
    if (bind(s, (struct sockaddr *)address, sizeof *address) || listen(s, 5) ||
        getsockname(s, (struct sockaddr *)address, &size))
        return WSAGetLastError();
    return 0;
}

TEST(ipv6_only, "SOCK-37")
{
    struct sockaddr_in6 address6, peer6;
    struct sockaddr_in address, any;
    int size = sizeof peer6;
    net_start();
    SOCKET six = socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP);
    if (six == INVALID_SOCKET)
        SKIP("no IPv6 here");
    CHECK_EQ(option(six, IPPROTO_IPV6, IPV6_V6ONLY), 1);
    closesocket(six);
    /* Only IPv6: the IPv4 port of that number is free, unless it is somebody else's; nobody answers there. */
    SOCKET client, four;
    int refused = 0, bound = 0;
    for (int tries = 0; tries < 20 && !(refused && bound); tries++) {
        six = socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP);
        if (listen6(six, 0, &address6)) {
            closesocket(six);
            SKIP("no IPv6 here");
        }
        client = tcp_socket();
        four = tcp_socket();
        address = loopback(ntohs(address6.sin6_port));
        any = address;
        any.sin_addr.s_addr = htonl(INADDR_ANY);
        refused = connect(client, (struct sockaddr *)&address, sizeof address) == SOCKET_ERROR &&
                  WSAGetLastError() == WSAECONNREFUSED;
        bound = bind(four, (struct sockaddr *)&any, sizeof any) == 0;
        closesocket(four);
        closesocket(client);
        closesocket(six);
    }
    CHECK(refused);
    CHECK(bound);

    /* Not only: IPv4 comes in as a mapped address. */
    six = socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP);
    CHECK_EQ(set_option(six, IPPROTO_IPV6, IPV6_V6ONLY, 0), 0);
    CHECK_EQ(option(six, IPPROTO_IPV6, IPV6_V6ONLY), 0);
    CHECK_EQ(listen6(six, 0, &address6), 0);
    client = tcp_socket();
    address = loopback(ntohs(address6.sin6_port));
    CHECK_EQ(connect(client, (struct sockaddr *)&address, sizeof address), 0);
    SOCKET server = accept(six, (struct sockaddr *)&peer6, &size);
    CHECK(server != INVALID_SOCKET);
    CHECK_EQ(size, sizeof peer6);
    CHECK_EQ(peer6.sin6_family, AF_INET6);
    static const unsigned char mapped[16] = {[10] = 0xFF, 0xFF, 127, 0, 0, 1};
    CHECK_MEM(&peer6.sin6_addr, mapped, 16);
    closesocket(server);
    closesocket(client);

    memset(&address6.sin6_addr, 0, sizeof address6.sin6_addr);
    client = socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP);
    TODO_WINE("Wine takes the zero address for this machine, as Linux does")
    {
        CHECK_WSAERR(connect(client, (struct sockaddr *)&address6, sizeof address6), WSAEADDRNOTAVAIL);
    }
    closesocket(client);
    closesocket(six);
}

/* A server that is started anew finds its port free, though connections it closed are in TIME_WAIT. */
TEST(restarted_server, "")
{
    struct sockaddr_in address;
    SOCKET listener = tcp_listener(&address), client = tcp_socket();
    char byte;
    REQUIRE(connect(client, (struct sockaddr *)&address, sizeof address) == 0);
    SOCKET server = accept(listener, NULL, NULL);
    closesocket(server); /* the server closes first: TIME_WAIT is on its side */
    CHECK_EQ(recv(client, &byte, 1, 0), 0);
    closesocket(client);
    closesocket(listener);

    for (int round = 0; round < 2; round++) {
        SOCKET again = tcp_socket();
        if (round)
            CHECK_EQ(set_option(again, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 1), 0);
        CHECK_EQ(bind(again, (struct sockaddr *)&address, sizeof address), 0);
        CHECK_EQ(listen(again, 5), 0);
        client = tcp_socket();
        CHECK_EQ(connect(client, (struct sockaddr *)&address, sizeof address), 0);
        closesocket(client);
        closesocket(again);
    }
}

static int bind_error(SOCKET s, const struct sockaddr_in *address)
{
    return bind(s, (const struct sockaddr *)address, sizeof *address) ? WSAGetLastError() : 0;
}

TEST(address_use, "")
{
    struct sockaddr_in address;
    int size = sizeof address;
    SOCKET first, second;

    /* Two servers on one port: no. */
    first = tcp_listener(&address);
    second = tcp_socket();
    CHECK_EQ(bind_error(second, &address), WSAEADDRINUSE);
    CHECK_EQ(set_option(second, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 1), 0);
    CHECK_EQ(option(second, SOL_SOCKET, SO_EXCLUSIVEADDRUSE), 1);
    CHECK_EQ(bind_error(second, &address), WSAEADDRINUSE);
    closesocket(second);
    closesocket(first);

    /* An exclusive owner keeps out even who asks to share. */
    first = tcp_socket();
    address = loopback(0);
    CHECK_EQ(set_option(first, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 1), 0);
    CHECK_EQ(bind_error(first, &address), 0);
    CHECK_EQ(getsockname(first, (struct sockaddr *)&address, &size), 0);
    CHECK_EQ(listen(first, 5), 0);
    second = tcp_socket();
    CHECK_EQ(set_option(second, SOL_SOCKET, SO_REUSEADDR, 1), 0);
    CHECK_EQ(option(second, SOL_SOCKET, SO_REUSEADDR), 1);
    CHECK_EQ(bind_error(second, &address), WSAEACCES);
    closesocket(second);
    closesocket(first);

    /* Both options at once make no sense. */
    first = tcp_socket();
    CHECK_EQ(set_option(first, SOL_SOCKET, SO_REUSEADDR, 1), 0);
    CHECK_WSAERR(set_option(first, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 1), WSAEINVAL);
    closesocket(first);

    /* Datagram sockets that all ask to share, share. */
    first = socket(AF_INET, SOCK_DGRAM, 0);
    second = socket(AF_INET, SOCK_DGRAM, 0);
    address = loopback(0);
    size = sizeof address;
    CHECK_EQ(set_option(first, SOL_SOCKET, SO_REUSEADDR, 1), 0);
    CHECK_EQ(set_option(second, SOL_SOCKET, SO_REUSEADDR, 1), 0);
    CHECK_EQ(bind_error(first, &address), 0);
    CHECK_EQ(getsockname(first, (struct sockaddr *)&address, &size), 0);
    CHECK_EQ(bind_error(second, &address), 0);
    closesocket(second);
    second = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK_EQ(bind_error(second, &address), WSAEADDRINUSE);
    closesocket(second);
    closesocket(first);
}

/* ---- extension functions ---- */

TEST(extension_pointers, "SOCK-34")
{
    static const GUID ids[] = {WSAID_ACCEPTEX,     WSAID_GETACCEPTEXSOCKADDRS, WSAID_CONNECTEX,
                               WSAID_DISCONNECTEX, WSAID_TRANSMITFILE,         WSAID_WSARECVMSG};
    enum { COUNT = sizeof ids / sizeof ids[0] };
    void *first[COUNT], *again;
    DWORD bytes;
    GUID nonsense = ids[0];
    SOCKET throw_away = tcp_socket(), other = tcp_socket();
    for (int i = 0; i < COUNT; i++) {
        first[i] = NULL;
        bytes = 0xABCD;
        CHECK_EQ(extension(throw_away, ids[i], &first[i], &bytes), 0);
        CHECK(first[i] != NULL);
        CHECK_EQ(bytes, sizeof(void *));
        for (int j = 0; j < i; j++)
            CHECK(first[i] != first[j]);
    }
    closesocket(throw_away);
    for (int i = 0; i < COUNT; i++) {
        CHECK_EQ(extension(other, ids[i], &again, &bytes), 0);
        CHECK(again == first[i]);
    }
    again = NULL;
    nonsense.Data1 ^= 0x80000000; /* a neighbour's would be another function */
    CHECK_EQ(extension(other, nonsense, &again, &bytes), WSAEINVAL);
    CHECK(again == NULL);
    CHECK_EQ(extension(INVALID_SOCKET, ids[0], &again, &bytes), WSAENOTSOCK);
    CHECK_WSAERR(WSAIoctl(other, SIO_GET_EXTENSION_FUNCTION_POINTER, (void *)(uintptr_t)&ids[0],
                          sizeof ids[0], &again, sizeof again, NULL, NULL, NULL),
                 WSAEFAULT);
    closesocket(other);

    /* They serve every socket: this one was made after the throw-away one had gone. */
    struct sockaddr_in address, any = loopback(0);
    LPFN_CONNECTEX connect_ex;
    memcpy(&connect_ex, &first[2], sizeof connect_ex);
    SOCKET listener = tcp_listener(&address), s = tcp_socket();
    OVERLAPPED ov = {0};
    ov.hEvent = manual_event();
    CHECK_EQ(bind(s, (struct sockaddr *)&any, sizeof any), 0);
    BOOL done = connect_ex(s, (struct sockaddr *)&address, sizeof address, NULL, 0, NULL, &ov);
    CHECK(done || WSAGetLastError() == ERROR_IO_PENDING);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
    CHECK_EQ(ov.Internal, 0);
    CloseHandle(ov.hEvent);
    closesocket(s);
    closesocket(listener);
}

/* WSAGetLastError and GetLastError are one variable, and a success leaves it alone. */
TEST(last_error, "ERR-02 ERR-03 ERR-05")
{
    SOCKET s = tcp_socket();
    WSASetLastError(4711);
    CHECK_EQ(GetLastError(), 4711);
    SetLastError(815);
    CHECK_EQ(WSAGetLastError(), 815);
    CHECK_EQ(set_option(s, SOL_SOCKET, SO_KEEPALIVE, 1), 0);
    char byte;
    recv(s, &byte, 1, 0);
    CHECK_EQ(GetLastError(), WSAENOTCONN);
    CHECK_EQ(WSA_IO_PENDING, 997);
    CHECK_EQ(WSA_IO_INCOMPLETE, 996);
    CHECK_EQ(WSA_OPERATION_ABORTED, 995);
    CHECK_EQ(WSA_INVALID_HANDLE, 6);
    closesocket(s);
}

/* A datagram socket: no address at all ends the connection, half of one is none (libuv's tests of
 * Windows). */
TEST(datagram_to_nowhere, "SOCK-37")
{
    struct sockaddr_in address, any = loopback(80), nothing;
    struct sockaddr_in6 other;
    SOCKET s = udp_socket(&address), t = udp_socket(&address);
    char data[4];
    any.sin_addr.s_addr = 0;
    CHECK_EQ(connect(s, (struct sockaddr *)&address, sizeof address), 0);
    CHECK_EQ(send(s, "one", 3, 0), 3);
    CHECK_EQ(recv(t, data, sizeof data, 0), 3);
    TODO_WINE("Wine hands on what Linux does")
    {
        CHECK_WSAERR(connect(s, (struct sockaddr *)&any, sizeof any), WSAEADDRNOTAVAIL);
    }
    memset(&other, 0, sizeof other);
    other.sin6_family = AF_INET6; /* that is an address, of another kind */
    TODO_WINE("Wine hands on what Linux does")
    {
        CHECK_WSAERR(connect(s, (struct sockaddr *)&other, sizeof other), WSAEAFNOSUPPORT);
    }
    memset(&nothing, 0, sizeof nothing);
    CHECK_EQ(connect(s, (struct sockaddr *)&nothing, sizeof nothing), 0);
    TODO_WINE("Wine hands on what Linux does")
    {
        CHECK_WSAERR(send(s, "two", 3, 0), WSAENOTCONN);
    }
    closesocket(s);
    closesocket(t);
}
