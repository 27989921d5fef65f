/* SPDX-License-Identifier: MIT */
/*
 * ws2ipdef.h: IPv6 addresses, multicast requests and the options of the levels IPPROTO_IP,
 * IPPROTO_IPV6 and IPPROTO_TCP. Layouts and numbers are Linux's (see ws2def.h); options that only
 * Windows has, have numbers of ours. An option without a meaning here fails with WSAENOPROTOOPT.
 */
#ifndef IOCP_WS2IPDEF_H
#define IOCP_WS2IPDEF_H

#include <ws2def.h>
#include <in6addr.h>

#ifdef IOCP_POSIX_NET
#include <netinet/in.h>
#include <netinet/tcp.h>
#else

#define IP_TOS                    1
#define IP_TTL                    2
#define IP_HDRINCL                3
#define IP_OPTIONS                4
#define IP_PKTINFO                8 /* set: DWORD; control data: IN_PKTINFO */
#define IP_MTU_DISCOVER           10
#define IP_RECVTTL                12
#define IP_RECVTOS                13
#define IP_MTU                    14
#define IP_MULTICAST_IF           32
#define IP_MULTICAST_TTL          33
#define IP_MULTICAST_LOOP         34
#define IP_ADD_MEMBERSHIP         35
#define IP_DROP_MEMBERSHIP        36
#define IP_UNBLOCK_SOURCE         37
#define IP_BLOCK_SOURCE           38
#define IP_ADD_SOURCE_MEMBERSHIP  39
#define IP_DROP_SOURCE_MEMBERSHIP 40
#define MCAST_JOIN_GROUP          42
#define MCAST_BLOCK_SOURCE        43
#define MCAST_UNBLOCK_SOURCE      44
#define MCAST_LEAVE_GROUP         45
#define MCAST_JOIN_SOURCE_GROUP   46
#define MCAST_LEAVE_SOURCE_GROUP  47
#define IP_UNICAST_IF             50

#define IP_DEFAULT_MULTICAST_TTL  1
#define IP_DEFAULT_MULTICAST_LOOP 1
#define IP_MAX_MEMBERSHIPS        20

#define IPV6_CHECKSUM        7
#define IPV6_UNICAST_HOPS    16
#define IPV6_MULTICAST_IF    17
#define IPV6_MULTICAST_HOPS  18
#define IPV6_MULTICAST_LOOP  19
#define IPV6_JOIN_GROUP      20
#define IPV6_LEAVE_GROUP     21
#define IPV6_ADD_MEMBERSHIP  IPV6_JOIN_GROUP
#define IPV6_DROP_MEMBERSHIP IPV6_LEAVE_GROUP
#define IPV6_MTU_DISCOVER    23
#define IPV6_MTU             24
#define IPV6_V6ONLY          26 /* on by default, as on Windows */
#define IPV6_HDRINCL         36
#define IPV6_PKTINFO         50 /* set: DWORD; control data: IN6_PKTINFO */
#define IPV6_HOPLIMIT        52 /* set: DWORD; control data: int */
#define IPV6_HOPOPTS         54
#define IPV6_RTHDR           57
#define IPV6_DONTFRAG        62
#define IPV6_RECVTCLASS      66
#define IPV6_TCLASS          67
#define IPV6_UNICAST_IF      76

#define TCP_NODELAY   1
#define TCP_MAXSEG    2
#define TCP_KEEPIDLE  4 /* seconds */
#define TCP_KEEPINTVL 5 /* seconds */
#define TCP_KEEPCNT   6
#define TCP_FASTOPEN  23

struct sockaddr_in6 {
    ADDRESS_FAMILY sin6_family;
    USHORT sin6_port; /* network order */
    ULONG sin6_flowinfo;
    struct in6_addr sin6_addr;
    ULONG sin6_scope_id;
};

struct ip_mreq {
    struct in_addr imr_multiaddr;
    struct in_addr imr_interface;
};

struct ip_mreq_source { /* Linux's order of members */
    struct in_addr imr_multiaddr;
    struct in_addr imr_interface;
    struct in_addr imr_sourceaddr;
};

struct ipv6_mreq {
    struct in6_addr ipv6mr_multiaddr;
    ULONG ipv6mr_interface;
};

struct group_req {
    ULONG gr_interface;
    struct sockaddr_storage gr_group;
};

struct group_source_req {
    ULONG gsr_interface;
    struct sockaddr_storage gsr_group;
    struct sockaddr_storage gsr_source;
};

/* Control data of IP_PKTINFO. ipi_spec_dst is Linux's: the local address a packet came in by. */
struct in_pktinfo {
    INT ipi_ifindex;
    struct in_addr ipi_spec_dst;
    struct in_addr ipi_addr;
};

struct in6_pktinfo {
    struct in6_addr ipi6_addr;
    ULONG ipi6_ifindex;
};

#define INET_ADDRSTRLEN  22 /* room for a text address and a port, Windows' sizes */
#define INET6_ADDRSTRLEN 65

#define IN6ADDR_ANY_INIT      { { { 0 } } }
#define IN6ADDR_LOOPBACK_INIT { { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 } } }

static const struct in6_addr in6addr_any __attribute__((unused)) = IN6ADDR_ANY_INIT;
static const struct in6_addr in6addr_loopback __attribute__((unused)) = IN6ADDR_LOOPBACK_INIT;

static inline int IN6_ADDR_EQUAL(const struct in6_addr *a, const struct in6_addr *b)
{
    return __builtin_memcmp(a, b, sizeof(struct in6_addr)) == 0;
}
#define IN6_ARE_ADDR_EQUAL IN6_ADDR_EQUAL

static inline int IN6_IS_ADDR_UNSPECIFIED(const struct in6_addr *a)
{
    return IN6_ADDR_EQUAL(a, &in6addr_any);
}

static inline int IN6_IS_ADDR_LOOPBACK(const struct in6_addr *a)
{
    return IN6_ADDR_EQUAL(a, &in6addr_loopback);
}

static inline int IN6_IS_ADDR_MULTICAST(const struct in6_addr *a) { return a->u.Byte[0] == 0xff; }

static inline int IN6_IS_ADDR_LINKLOCAL(const struct in6_addr *a)
{
    return a->u.Byte[0] == 0xfe && (a->u.Byte[1] & 0xc0) == 0x80;
}

static inline int IN6_IS_ADDR_SITELOCAL(const struct in6_addr *a)
{
    return a->u.Byte[0] == 0xfe && (a->u.Byte[1] & 0xc0) == 0xc0;
}

static inline int iocp_in6_zero(const struct in6_addr *a, int words)
{
    for (int i = 0; i < words; i++)
        if (a->u.Word[i] != 0)
            return 0;
    return 1;
}

static inline int IN6_IS_ADDR_V4MAPPED(const struct in6_addr *a)
{
    return iocp_in6_zero(a, 5) && a->u.Word[5] == 0xffff;
}

static inline int IN6_IS_ADDR_V4COMPAT(const struct in6_addr *a)
{
    return iocp_in6_zero(a, 6) && !IN6_IS_ADDR_UNSPECIFIED(a) && !IN6_IS_ADDR_LOOPBACK(a);
}

#endif /* IOCP_POSIX_NET */

/* Only Windows has these. */
#define IP_DONTFRAGMENT         0x7E0E
#define IP_RECEIVE_BROADCAST    0x7E16
#define IP_RECVIF               0x7E18
#define IP_ORIGINAL_ARRIVAL_IF  0x7E2F
#define IP_WFP_REDIRECT_CONTEXT 0x7E46
#define IPV6_PROTECTION_LEVEL   0x7E17
#define IPV6_RECVIF             0x7E19
#define TCP_KEEPALIVE           TCP_KEEPIDLE
#define TCP_EXPEDITED_1122      0x7E02
#define TCP_MAXRT               0x7E05 /* seconds */
#define TCP_STDURG              0x7E06
#define TCP_NOURG               0x7E07
#define TCP_ATMARK              0x7E08
#define TCP_NOSYNRETRIES        0x7E09
#define TCP_TIMESTAMPS          0x7E0A
#define TCP_DELAY_FIN_ACK       0x7E0D
#define TCP_FAIL_CONNECT_ON_ICMP_ERROR 0x7E12

#define PROTECTION_LEVEL_UNRESTRICTED   10
#define PROTECTION_LEVEL_EDGERESTRICTED 20
#define PROTECTION_LEVEL_RESTRICTED     30
#define PROTECTION_LEVEL_DEFAULT        ((UINT)-1)

typedef struct sockaddr_in6 SOCKADDR_IN6, *PSOCKADDR_IN6, *LPSOCKADDR_IN6;
typedef struct sockaddr_in6 SOCKADDR_IN6_LH, *PSOCKADDR_IN6_LH;

typedef union _SOCKADDR_INET {
    SOCKADDR_IN Ipv4;
    SOCKADDR_IN6 Ipv6;
    ADDRESS_FAMILY si_family;
} SOCKADDR_INET, *PSOCKADDR_INET;
IOCP_ASSERT_SIZE(SOCKADDR_IN6, 28);
IOCP_ASSERT_SIZE(SOCKADDR_INET, 28);

typedef struct ip_mreq IP_MREQ, *PIP_MREQ;
typedef struct ip_mreq_source IP_MREQ_SOURCE, *PIP_MREQ_SOURCE;
typedef struct ipv6_mreq IPV6_MREQ, *PIPV6_MREQ;
typedef struct group_req GROUP_REQ, *PGROUP_REQ;
typedef struct group_source_req GROUP_SOURCE_REQ, *PGROUP_SOURCE_REQ;
typedef struct in_pktinfo IN_PKTINFO, *PIN_PKTINFO;
#if !defined(IOCP_POSIX_NET) || defined(__USE_GNU)
typedef struct in6_pktinfo IN6_PKTINFO, *PIN6_PKTINFO;
#endif

#define INET_ADDRSTRLENW  22
#define INET6_ADDRSTRLENW 65

#define SIO_GET_INTERFACE_LIST    0x4004747F
#define SIO_GET_INTERFACE_LIST_EX 0x4004747E
#define SIO_IDEAL_SEND_BACKLOG_CHANGE 0x2000747A
#define SIO_IDEAL_SEND_BACKLOG_QUERY  0x4004747B


#endif
