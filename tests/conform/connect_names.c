/* SPDX-License-Identifier: MIT */
/*
 * WSAConnectByName, WSAConnectByList: which address of several, both families, time-outs, the two ends'
 * addresses. WSAJoinLeaf, WSARecvDisconnect.
 */
#include "conform.h"
#include "net.h"

static char got[64];

static struct sockaddr_in6 loopback6(unsigned short port)
{
    struct sockaddr_in6 a;
    memset(&a, 0, sizeof a);
    a.sin6_family = AF_INET6;
    a.sin6_port = htons(port);
    a.sin6_addr.s6_addr[15] = 1;
    return a;
}

static struct sockaddr_in6 mapped(struct sockaddr_in in4)
{
    struct sockaddr_in6 a;
    memset(&a, 0, sizeof a);
    a.sin6_family = AF_INET6;
    a.sin6_port = in4.sin_port;
    a.sin6_addr.s6_addr[10] = a.sin6_addr.s6_addr[11] = 0xFF;
    memcpy(&a.sin6_addr.s6_addr[12], &in4.sin_addr, 4);
    return a;
}

/* An address where nobody listens. It is held for as long as the program runs: nobody else gets the port. */
static struct sockaddr_in nobody(void)
{
    static struct sockaddr_in at;
    int size = sizeof at;
    if (!at.sin_port) {
        SOCKET holder = tcp_socket();
        at = loopback(0);
        CHECK_EQ(bind(holder, (struct sockaddr *)&at, sizeof at), 0);
        CHECK_EQ(getsockname(holder, (struct sockaddr *)&at, &size), 0);
    }
    return at;
}

static int talks(SOCKET s, SOCKET listener)
{
    SOCKET peer = accept(listener, NULL, NULL);
    int ok = send(s, "hello", 5, 0) == 5 && recv(peer, got, sizeof got, 0) == 5 && !memcmp(got, "hello", 5);
    closesocket(peer);
    return ok;
}

static void port_text(char text[8], const struct sockaddr_in *at)
{
    snprintf(text, 8, "%u", ntohs(at->sin_port));
}

/* ---- by name ---- */

TEST_W8(by_name, "", "leaves the local address as it was")
{
    struct sockaddr_in at, local, remote;
    DWORD local_size = sizeof local, remote_size = sizeof remote;
    struct timeval limit = {20, 0};
    char service[8];
    SOCKET listener = tcp_listener(&at), s = tcp_socket();
    port_text(service, &at);
    CHECK(WSAConnectByNameA(s, "127.0.0.1", service, &local_size, (struct sockaddr *)&local, &remote_size,
                            (struct sockaddr *)&remote, &limit, NULL));
    CHECK_EQ(local_size, sizeof local);
    CHECK_EQ(remote_size, sizeof remote);
    CHECK_EQ(remote.sin_port, at.sin_port);
    CHECK_EQ(ntohl(local.sin_addr.s_addr), INADDR_LOOPBACK);
    CHECK(local.sin_port != 0);
    CHECK_EQ(setsockopt(s, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, NULL, 0), 0);
    CHECK(talks(s, listener));
    CHECK_ERR(WSAConnectByNameA(s, "127.0.0.1", service, NULL, NULL, NULL, NULL, NULL, NULL), WSAEISCONN);
    closesocket(s);
    closesocket(listener);
}

/* Blocks although the socket does not. */
TEST_W8(by_wide_name_without_limit, "", "does not block where the socket does not")
{
    struct sockaddr_in at;
    WCHAR service[8];
    char narrow[8];
    SOCKET listener = tcp_listener(&at), s = tcp_socket();
    port_text(narrow, &at);
    for (int i = 0; i < 8; i++)
        service[i] = (WCHAR)narrow[i];
    set_nonblocking(s, 1);
    WCHAR node[] = {'l', 'o', 'c', 'a', 'l', 'h', 'o', 's', 't', 0};
    CHECK(WSAConnectByNameW(s, node, service, NULL, NULL, NULL, NULL, NULL, NULL));
    CHECK(talks(s, listener));
    closesocket(s);
    closesocket(listener);
}

static SOCKET dual_socket(void)
{
    DWORD off = 0;
    SOCKET s = WSASocketA(AF_INET6, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_OVERLAPPED);
    if (s != INVALID_SOCKET)
        CHECK_EQ(set_option(s, IPPROTO_IPV6, IPV6_V6ONLY, off), 0);
    return s;
}

TEST_W8(by_name_with_both_families, "", "does not know mapped addresses")
{
    struct sockaddr_in at;
    struct sockaddr_in6 remote;
    DWORD size = sizeof remote;
    char service[8];
    if (conform_wine)
        SKIP("Wine fails, and then hangs");
    SOCKET listener = tcp_listener(&at), s = dual_socket();
    if (s == INVALID_SOCKET)
        SKIP("no IPv6 here");
    port_text(service, &at);
    CHECK(WSAConnectByNameA(s, "127.0.0.1", service, NULL, NULL, &size, (struct sockaddr *)&remote, NULL,
                            NULL));
    CHECK_EQ(size, sizeof remote);
    CHECK_EQ(remote.sin6_addr.s6_addr[12], 127);
    CHECK(talks(s, listener));
    closesocket(s);
    s = WSASocketA(AF_INET6, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_OVERLAPPED);
    CHECK(!WSAConnectByNameA(s, "127.0.0.1", service, NULL, NULL, NULL, NULL, NULL, NULL));
    closesocket(s);
    closesocket(listener);
}

TEST_W8(by_name_in_vain, "", "looks at fewer things, and cannot try again")
{
    struct sockaddr_in at = nobody(), small;
    DWORD size = 4;
    char service[8];
    OVERLAPPED ov = {0};
    struct sockaddr_in ok;
    SOCKET s = tcp_socket(), datagrams = udp_socket(&ok);
    port_text(service, &at);
    CHECK_ERR(WSAConnectByNameA(s, "127.0.0.1", service, NULL, NULL, NULL, NULL, NULL, NULL),
              WSAECONNREFUSED);
    CHECK_ERR(WSAConnectByNameA(s, NULL, service, NULL, NULL, NULL, NULL, NULL, NULL), WSAEINVAL);
    CHECK_ERR(WSAConnectByNameA(s, "127.0.0.1", NULL, NULL, NULL, NULL, NULL, NULL, NULL), WSAEINVAL);
    CHECK_ERR(WSAConnectByNameA(s, "127.0.0.1", service, NULL, NULL, NULL, NULL, NULL, &ov), WSAEINVAL);
    CHECK_ERR(WSAConnectByNameA(s, "127.0.0.1", service, &size, (struct sockaddr *)&small, NULL, NULL, NULL,
                                NULL),
              WSAEFAULT);
    CHECK_ERR(WSAConnectByNameA(datagrams, "127.0.0.1", service, NULL, NULL, NULL, NULL, NULL, NULL),
              WSAEINVAL);
    CHECK_ERR(WSAConnectByNameA(INVALID_SOCKET, "127.0.0.1", service, NULL, NULL, NULL, NULL, NULL, NULL),
              WSAENOTSOCK);
    /* and it is none the worse for it */
    SOCKET listener = tcp_listener(&ok);
    port_text(service, &ok);
    CHECK(WSAConnectByNameA(s, "127.0.0.1", service, NULL, NULL, NULL, NULL, NULL, NULL));
    CHECK(talks(s, listener));
    closesocket(s);
    closesocket(datagrams);
    closesocket(listener);
}

/* ---- by list ---- */

struct list_of {
    INT count;
    SOCKET_ADDRESS of[2];
};

#define ADDRESSES(LIST) ((PSOCKET_ADDRESS_LIST)(void *)&(LIST))

static struct list_of list_of_two(void *first, int first_size, void *second, int second_size)
{
    struct list_of list = {2, {{first, first_size}, {second, second_size}}};
    return list;
}

TEST_W8(by_list, "", "not there")
{
    struct sockaddr_in at, wrong = nobody(), remote;
    DWORD size = sizeof remote;
    struct list_of list = list_of_two(&wrong, sizeof wrong, &at, sizeof at);
    struct timeval limit = {20, 0};
    if (conform_wine)
        SKIP("Wine does not have it");
    SOCKET listener = tcp_listener(&at), s = tcp_socket();
    CHECK(WSAConnectByList(s, ADDRESSES(list), NULL, NULL, &size, (struct sockaddr *)&remote, &limit, NULL));
    CHECK_EQ(size, sizeof remote);
    CHECK_EQ(remote.sin_port, at.sin_port);
    CHECK(talks(s, listener));
    closesocket(s);
    closesocket(listener);
}

/* The last address' error; bound sockets are refused; and afterwards it can be tried again. */
TEST_W8(by_list_in_vain, "", "not there")
{
    struct sockaddr_in at, wrong = nobody(), zero = {.sin_family = AF_INET};
    struct list_of list = list_of_two(&zero, sizeof zero, &wrong, sizeof wrong);
    PSOCKET_ADDRESS_LIST addresses = ADDRESSES(list);
    if (conform_wine)
        SKIP("Wine does not have it");
    SOCKET listener = tcp_listener(&at), s = tcp_socket(), bound = bound_socket();
    CHECK_ERR(WSAConnectByList(s, addresses, NULL, NULL, NULL, NULL, NULL, NULL), WSAECONNREFUSED);
    CHECK_ERR(WSAConnectByList(bound, addresses, NULL, NULL, NULL, NULL, NULL, NULL), WSAEINVAL);
    list.count = 0;
    CHECK_ERR(WSAConnectByList(s, addresses, NULL, NULL, NULL, NULL, NULL, NULL), WSAEINVAL);
    list.count = 2;
    list.of[0].lpSockaddr = (struct sockaddr *)&at;
    CHECK(WSAConnectByList(s, addresses, NULL, NULL, NULL, NULL, NULL, NULL));
    CHECK(talks(s, listener));
    closesocket(s);
    closesocket(bound);
    closesocket(listener);
}

TEST_W8(by_list_with_both_families, "", "not there")
{
    struct sockaddr_in at;
    if (conform_wine)
        SKIP("Wine does not have it");
    SOCKET listener = tcp_listener(&at), s = dual_socket();
    if (s == INVALID_SOCKET)
        SKIP("no IPv6 here");
    struct sockaddr_in6 wanted = mapped(at), none = loopback6(ntohs(nobody().sin_port));
    struct list_of list = list_of_two(&none, sizeof none, &wanted, sizeof wanted);
    CHECK(WSAConnectByList(s, ADDRESSES(list), NULL, NULL, NULL, NULL, NULL, NULL));
    CHECK(talks(s, listener));
    closesocket(s);
    closesocket(listener);
}

#ifdef __linux__ /* a listener with a full backlog does not answer; elsewhere it refuses */
TEST(in_time, "")
{
    enum { FULL = 4 };
    struct sockaddr_in at = loopback(0);
    struct list_of list = list_of_two(&at, sizeof at, &at, sizeof at);
    struct timeval limit = {0, 100000};
    SOCKET listener = tcp_socket(), s = tcp_socket(), filler[FULL];
    int size = sizeof at;
    CHECK_EQ(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
    CHECK_EQ(getsockname(listener, (struct sockaddr *)&at, &size), 0);
    CHECK_EQ(listen(listener, 1), 0);
    for (int i = 0; i < FULL; i++) {
        filler[i] = tcp_socket();
        set_nonblocking(filler[i], 1);
        connect(filler[i], (struct sockaddr *)&at, sizeof at);
    }
    double began = now_ms();
    CHECK_ERR(WSAConnectByList(s, ADDRESSES(list), NULL, NULL, NULL, NULL, &limit, NULL),
              WSAETIMEDOUT);
    CHECK(now_ms() - began >= 99);
    for (int i = 0; i < FULL; i++)
        closesocket(filler[i]);
    closesocket(listener);
    listener = tcp_listener(&at);
    CHECK(WSAConnectByList(s, ADDRESSES(list), NULL, NULL, NULL, NULL, NULL, NULL));
    CHECK(talks(s, listener));
    closesocket(s);
    closesocket(listener);
}
#endif

/* ---- groups ---- */

static SOCKET join(SOCKET s, struct sockaddr_in *group, WSABUF *data, DWORD flags)
{
    WSASetLastError(0);
    return WSAJoinLeaf(s, (struct sockaddr *)group, sizeof *group, data, NULL, NULL, NULL, flags);
}

static SOCKET leaf_socket(int family, DWORD flags)
{
    net_start();
    return WSASocketA(family, SOCK_DGRAM, IPPROTO_UDP, NULL, 0, WSA_FLAG_OVERLAPPED | flags);
}

TEST_W8(joining_a_group, "", "not there")
{
    struct sockaddr_in at = loopback(0), group = {.sin_family = AF_INET};
    WSABUF data = {4, got};
    int size = sizeof at;
    if (conform_wine)
        SKIP("Wine does not have it");
    SOCKET in = leaf_socket(AF_INET, WSA_FLAG_MULTIPOINT_C_LEAF | WSA_FLAG_MULTIPOINT_D_LEAF);
    SOCKET out = leaf_socket(AF_INET, WSA_FLAG_MULTIPOINT_C_LEAF | WSA_FLAG_MULTIPOINT_D_LEAF);
    DWORD limit = 2000;
    group.sin_addr.s_addr = inet_addr("239.255.12.35");
    CHECK_EQ(join(in, &at, NULL, JL_BOTH), INVALID_SOCKET);
    CHECK_EQ(WSAGetLastError(), WSAEADDRNOTAVAIL);
    CHECK_EQ(join(in, &group, &data, JL_BOTH), INVALID_SOCKET);
    CHECK_EQ(WSAGetLastError(), WSAEPROTONOSUPPORT);
    CHECK_EQ(join(in, &group, NULL, 9), INVALID_SOCKET);
    CHECK_EQ(WSAGetLastError(), WSAEINVAL);
#ifdef __linux__ /* on Windows a group's datagrams come to sockets of the interface's address */
    struct sockaddr_in any = {.sin_family = AF_INET};
    CHECK_EQ(bind(in, (struct sockaddr *)&any, sizeof any), 0);
#endif
    SOCKET joined = join(in, &group, NULL, JL_BOTH);
    if (joined == INVALID_SOCKET && WSAGetLastError() != WSAEINVAL)
        SKIP("no interface for groups here");
    CHECK_EQ(joined, in);
    CHECK_EQ(join(in, &group, NULL, JL_BOTH), INVALID_SOCKET);
    CHECK_EQ(WSAGetLastError(), WSAEISCONN);
    CHECK_EQ(getsockname(in, (struct sockaddr *)&at, &size), 0);
    CHECK(at.sin_port != 0);
    group.sin_port = at.sin_port;
    CHECK_EQ(join(out, &group, NULL, JL_SENDER_ONLY), out);
    CHECK_EQ(setsockopt(in, SOL_SOCKET, SO_RCVTIMEO, (char *)&limit, sizeof limit), 0);
    CHECK_EQ(send(out, "to all", 6, 0), 6);
    CHECK_EQ(recv(in, got, sizeof got, 0), 6);
    CHECK_MEM(got, "to all", 6);
    closesocket(in);
    closesocket(out);
}

TEST_W8(joining_without_the_flag, "", "not there")
{
    struct sockaddr_in group = {.sin_family = AF_INET};
    if (conform_wine)
        SKIP("Wine does not have it");
    SOCKET s = leaf_socket(AF_INET, 0);
    group.sin_addr.s_addr = inet_addr("239.255.12.35");
    CHECK_EQ(join(s, &group, NULL, JL_BOTH), INVALID_SOCKET);
    CHECK_EQ(WSAGetLastError(), WSAEINVAL);
    CHECK_EQ(join(INVALID_SOCKET, &group, NULL, JL_BOTH), INVALID_SOCKET);
    CHECK_EQ(WSAGetLastError(), WSAENOTSOCK);
    closesocket(s);
}

/* ---- the end of receiving ---- */

TEST(receiving_ends, "SOCK-19")
{
    SOCKET s[2];
    REQUIRE(tcp_pair(s));
    CHECK_EQ(WSARecvDisconnect(s[0], NULL), 0);
    CHECK_WSAERR(recv(s[0], got, sizeof got, 0), WSAESHUTDOWN);
    CHECK_EQ(send(s[0], "still", 5, 0), 5); /* the other way is as it was */
    CHECK_EQ(recv(s[1], got, sizeof got, 0), 5);
    CHECK_WSAERR(WSARecvDisconnect(INVALID_SOCKET, NULL), WSAENOTSOCK);
    end_pair(s);
    s[0] = tcp_socket();
    CHECK_WSAERR(WSARecvDisconnect(s[0], NULL), WSAENOTCONN);
    closesocket(s[0]);
}
