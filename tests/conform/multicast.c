/* SPDX-License-Identifier: MIT */
/* Groups of IPv4 and IPv6, joined and left by setsockopt, on the loopback. */
#include "conform.h"

static char got[64];

/* Bound to any address and a free port, which is returned; waits 2 s at most for a datagram. */
static SOCKET receiver(int family, unsigned short *port)
{
    struct sockaddr_storage name;
    int length = family == AF_INET ? (int)sizeof(struct sockaddr_in) : (int)sizeof(struct sockaddr_in6);
    DWORD limit = 2000;
    net_start();
    SOCKET s = socket(family, SOCK_DGRAM, 0);
    memset(&name, 0, sizeof name);
    name.ss_family = (unsigned short)family;
    if (s == INVALID_SOCKET || bind(s, (struct sockaddr *)&name, length) != 0)
        return INVALID_SOCKET;
    getsockname(s, (struct sockaddr *)&name, &length);
    memcpy(port, (char *)&name + 2, sizeof *port); /* the port is in the same place for both families */
    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, (char *)&limit, sizeof limit);
    return s;
}

static struct sockaddr_in group_at(unsigned short port)
{
    struct sockaddr_in a;
    memset(&a, 0, sizeof a);
    a.sin_family = AF_INET;
    a.sin_port = port;
    a.sin_addr.s_addr = inet_addr("239.255.12.34");
    return a;
}

TEST(group_by_address, "")
{
    unsigned short port = 0;
    struct in_addr by;
    struct ip_mreq membership;
    DWORD loop = 1, hops = 1, value = 0;
    int length = sizeof value;
    SOCKET in = receiver(AF_INET, &port), out = socket(AF_INET, SOCK_DGRAM, 0);
    REQUIRE(in != INVALID_SOCKET);
    struct sockaddr_in group = group_at(port);
    by.s_addr = htonl(INADDR_LOOPBACK);
    membership.imr_multiaddr = group.sin_addr;
    membership.imr_interface = by;
    CHECK_EQ(setsockopt(in, IPPROTO_IP, IP_ADD_MEMBERSHIP, (char *)&membership, sizeof membership), 0);
    CHECK_EQ(setsockopt(out, IPPROTO_IP, IP_MULTICAST_IF, (char *)&by, sizeof by), 0);
    CHECK_EQ(setsockopt(out, IPPROTO_IP, IP_MULTICAST_LOOP, (char *)&loop, sizeof loop), 0);
    CHECK_EQ(setsockopt(out, IPPROTO_IP, IP_MULTICAST_TTL, (char *)&hops, sizeof hops), 0);
    CHECK_EQ(getsockopt(out, IPPROTO_IP, IP_MULTICAST_TTL, (char *)&value, &length), 0);
    CHECK_EQ(value, 1);
    CHECK_EQ(sendto(out, "first", 5, 0, (struct sockaddr *)&group, sizeof group), 5);
    CHECK_EQ(recv(in, got, sizeof got, 0), 5);
    CHECK_MEM(got, "first", 5);
    CHECK_EQ(setsockopt(in, IPPROTO_IP, IP_DROP_MEMBERSHIP, (char *)&membership, sizeof membership), 0);
    TODO_WINE("says WSAEINVAL")
    {
        CHECK_WSAERR(setsockopt(in, IPPROTO_IP, IP_DROP_MEMBERSHIP, (char *)&membership, sizeof membership),
                     WSAEADDRNOTAVAIL);
    }
    closesocket(in);
    closesocket(out);
}

TEST_W8(group_by_interface, "", "WSAENOPROTOOPT")
{
    unsigned short port = 0;
    struct in_addr by;
    struct group_req membership;
    SOCKET in = receiver(AF_INET, &port), out = socket(AF_INET, SOCK_DGRAM, 0);
    REQUIRE(in != INVALID_SOCKET);
    struct sockaddr_in group = group_at(port);
    by.s_addr = htonl(INADDR_LOOPBACK);
    memset(&membership, 0, sizeof membership);
    membership.gr_interface = 1; /* the loopback's */
    memcpy(&membership.gr_group, &group, sizeof group);
    CHECK_EQ(setsockopt(in, IPPROTO_IP, MCAST_JOIN_GROUP, (char *)&membership, sizeof membership), 0);
    CHECK_EQ(setsockopt(out, IPPROTO_IP, IP_MULTICAST_IF, (char *)&by, sizeof by), 0);
    CHECK_EQ(sendto(out, "first", 5, 0, (struct sockaddr *)&group, sizeof group), 5);
    CHECK_EQ(recv(in, got, sizeof got, 0), 5);
    CHECK_EQ(setsockopt(in, IPPROTO_IP, MCAST_LEAVE_GROUP, (char *)&membership, sizeof membership), 0);
    closesocket(in);
    closesocket(out);
}

TEST(group_of_ipv6, "")
{
    unsigned short port = 0;
    struct ipv6_mreq membership;
    SOCKET in = receiver(AF_INET6, &port);
    REQUIRE(in != INVALID_SOCKET);
    memset(&membership, 0, sizeof membership);
    membership.ipv6mr_interface = 1; /* the loopback's */
    CHECK_EQ(inet_pton(AF_INET6, "ff01::1:2345", &membership.ipv6mr_multiaddr), 1);
    CHECK_EQ(setsockopt(in, IPPROTO_IPV6, IPV6_JOIN_GROUP, (char *)&membership, sizeof membership), 0);
    CHECK_EQ(setsockopt(in, IPPROTO_IPV6, IPV6_LEAVE_GROUP, (char *)&membership, sizeof membership), 0);
    closesocket(in);
}

/* ---- the end of a connection, the other way to say it ---- */

TEST(send_disconnect, "")
{
    SOCKET s[2];
    WSABUF data;
    REQUIRE(tcp_pair(s));
    data.buf = (char *)"bye";
    data.len = 3;
    CHECK_EQ(send(s[0], "last", 4, 0), 4);
    TODO_WINE("takes the data and forgets them")
    {
        CHECK_WSAERR(WSASendDisconnect(s[0], &data), WSAENOPROTOOPT);
    }
    CHECK_EQ(WSASendDisconnect(s[0], NULL), 0);
    CHECK_EQ(recv(s[1], got, sizeof got, 0), 4);
    CHECK_EQ(recv(s[1], got, sizeof got, 0), 0);
    CHECK_WSAERR(send(s[0], "more", 4, 0), WSAESHUTDOWN);
    CHECK_EQ(send(s[1], "back", 4, 0), 4); /* the other way is open */
    CHECK_EQ(recv(s[0], got, sizeof got, 0), 4);
    closesocket(s[0]);
    closesocket(s[1]);
}
