/* SPDX-License-Identifier: MIT */
/*
 * Local sockets (AF_UNIX): what a listener that is slow to accept means for who connects. There is no
 * three-way handshake whose packets could be sent again: no place in its queue is a refusal.
 */
#include "conform.h"
#include "net.h"

#include <afunix.h>

enum { MANY = 300 };

static struct sockaddr_un local_address(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", temp_path());
    return address;
}

static SOCKET local_socket(void)
{
    net_start();
    return WSASocketW(AF_UNIX, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED);
}

static SOCKET local_listener(struct sockaddr_un *address)
{
    SOCKET s = local_socket();
    *address = local_address();
    if (s != INVALID_SOCKET &&
        (bind(s, (struct sockaddr *)address, sizeof *address) != 0 || listen(s, 1) != 0)) {
        FAIL("cannot listen at %s", address->sun_path);
        closesocket(s);
        s = INVALID_SOCKET;
    }
    return s;
}

static int connect_local(SOCKET s, const struct sockaddr_un *to)
{
    WSASetLastError(0);
    return connect(s, (const struct sockaddr *)to, sizeof *to) == 0 ? 0 : WSAGetLastError();
}

/* Connects until no more is to be had; the error that said so. The first sockets of `s` are connected. */
static int crowd(const struct sockaddr_un *to, SOCKET *s, int *count)
{
    int error = 0;
    for (*count = 0; *count < MANY && error == 0;) {
        SOCKET next = local_socket();
        error = connect_local(next, to);
        if (error == 0)
            s[(*count)++] = next;
        else
            closesocket(next);
    }
    return error;
}

static void close_all(SOCKET *s, int count)
{
    for (int i = 0; i < count; i++)
        closesocket(s[i]);
}

/* Takes out of the queue what stands there; the number is known. */
static void accept_all(SOCKET listener, int count)
{
    for (int i = 0; i < count; i++) {
        SOCKET s = accept(listener, NULL, NULL);
        CHECK(s != INVALID_SOCKET);
        closesocket(s);
    }
}

TEST(no_place_in_the_queue, "SOCK-37")
{
    struct sockaddr_un address;
    SOCKET listener = local_listener(&address), s = local_socket(), waiting[MANY];
    int count;
    if (s == INVALID_SOCKET)
        SKIP("no local sockets");
    REQUIRE(listener != INVALID_SOCKET);
    CHECK_EQ(crowd(&address, waiting, &count), WSAECONNREFUSED);
    CHECK(count > 0);
    CHECK_EQ(connect_local(s, &address), WSAECONNREFUSED);
    CHECK_EQ(connect_local(s, &address), WSAECONNREFUSED);

    /* When there is room, the same socket connects. */
    accept_all(listener, count);
    CHECK_EQ(connect_local(s, &address), 0);
    accept_all(listener, 1);
    close_all(waiting, count);
    closesocket(s);
    closesocket(listener);
}

/* Told at once or later, but told. */
static int told_later(SOCKET s, WSAEVENT event)
{
    WSANETWORKEVENTS events = {0};
    if (WaitForSingleObject(event, 20000) != WAIT_OBJECT_0 || WSAEnumNetworkEvents(s, event, &events) != 0 ||
        !(events.lNetworkEvents & FD_CONNECT))
        return WSAEWOULDBLOCK;
    return events.iErrorCode[FD_CONNECT_BIT];
}

TEST(no_place_and_no_blocking, "SOCK-36 SOCK-37 SOCK-47")
{
    struct sockaddr_un address;
    SOCKET listener = local_listener(&address), s = local_socket(), waiting[MANY];
    WSAEVENT event = WSACreateEvent();
    int count, error;
    if (s == INVALID_SOCKET)
        SKIP("no local sockets");
    REQUIRE(listener != INVALID_SOCKET);
    crowd(&address, waiting, &count);
    CHECK_EQ(WSAEventSelect(s, event, FD_CONNECT), 0);
    for (int i = 0; i < 2; i++) {
        error = connect_local(s, &address);
        CHECK_EQ(error == WSAEWOULDBLOCK ? told_later(s, event) : error, WSAECONNREFUSED);
    }
    accept_all(listener, count);
    error = connect_local(s, &address);
    CHECK_EQ(error == WSAEWOULDBLOCK ? told_later(s, event) : error, 0);
    accept_all(listener, 1);
    close_all(waiting, count);
    closesocket(s);
    closesocket(listener);
    WSACloseEvent(event);
}

static int start_connect_local(SOCKET s, const struct sockaddr_un *to, OVERLAPPED *ov)
{
    static LPFN_CONNECTEX connect_ex;
    DWORD bytes;
    if (!connect_ex)
        CHECK_EQ(extension(s, (GUID)WSAID_CONNECTEX, &connect_ex, &bytes), 0);
    return connect_ex(s, (const struct sockaddr *)to, sizeof *to, NULL, 0, NULL, ov) ? 0 : WSAGetLastError();
}

TEST(no_place_for_connect_ex, "ACC-17")
{
    struct sockaddr_un address, own = local_address();
    SOCKET listener = local_listener(&address), s = local_socket(), waiting[MANY];
    OVERLAPPED ov = {0};
    DWORD bytes, flags;
    int count;
    if (s == INVALID_SOCKET)
        SKIP("no local sockets");
    REQUIRE(listener != INVALID_SOCKET);
    REQUIRE(bind(s, (struct sockaddr *)&own, sizeof own) == 0);
    ov.hEvent = manual_event();
    crowd(&address, waiting, &count);
    CHECK_EQ(start_connect_local(s, &address, &ov), ERROR_IO_PENDING);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
    CHECK(!WSAGetOverlappedResult(s, &ov, &bytes, FALSE, &flags));
    CHECK_EQ(WSAGetLastError(), WSAECONNREFUSED);

    accept_all(listener, count);
    CHECK_EQ(start_connect_local(s, &address, &ov), ERROR_IO_PENDING);
    CHECK(WSAGetOverlappedResult(s, &ov, &bytes, TRUE, &flags));
    accept_all(listener, 1);
    close_all(waiting, count);
    closesocket(s);
    closesocket(listener);
    CloseHandle(ov.hEvent);
}
