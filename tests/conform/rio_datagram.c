/* SPDX-License-Identifier: MIT */
/* Registered I/O on datagram sockets: addresses, control data, flags; what is cut and what is refused. */
#include "rio.h"

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
