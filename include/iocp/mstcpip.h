/* SPDX-License-Identifier: MIT */
/* mstcpip.h: control codes of Microsoft's TCP/IP for WSAIoctl. A code that has no meaning here fails
 * with WSAEOPNOTSUPP. And what tells addresses apart and makes the usual ones: IN4_ of an in_addr, IN4ADDR_,
 * IN6ADDR_ and INETADDR_ of a socket address. Page: learn.microsoft.com/windows/win32/api/mstcpip/. */
#ifndef IOCP_MSTCPIP_H
#define IOCP_MSTCPIP_H

#include <ws2def.h>
#include <ws2ipdef.h>

/* In of SIO_KEEPALIVE_VALS; times in milliseconds (Linux counts in whole seconds: rounded up). */
struct tcp_keepalive {
    ULONG onoff;
    ULONG keepalivetime;
    ULONG keepaliveinterval;
};

#define SIO_RCVALL              _WSAIOW(IOC_VENDOR, 1)
#define SIO_RCVALL_MCAST        _WSAIOW(IOC_VENDOR, 2)
#define SIO_RCVALL_IGMPMCAST    _WSAIOW(IOC_VENDOR, 3)
#define SIO_KEEPALIVE_VALS      _WSAIOW(IOC_VENDOR, 4)
#define SIO_ABSORB_RTRALERT     _WSAIOW(IOC_VENDOR, 5)
#define SIO_UCAST_IF            _WSAIOW(IOC_VENDOR, 6)
#define SIO_LIMIT_BROADCASTS    _WSAIOW(IOC_VENDOR, 7)
#define SIO_INDEX_BIND          _WSAIOW(IOC_VENDOR, 8)
#define SIO_INDEX_MCASTIF       _WSAIOW(IOC_VENDOR, 9)
#define SIO_INDEX_ADD_MCAST     _WSAIOW(IOC_VENDOR, 10)
#define SIO_INDEX_DEL_MCAST     _WSAIOW(IOC_VENDOR, 11)
#define SIO_LOOPBACK_FAST_PATH  _WSAIOW(IOC_VENDOR, 16)
#define SIO_TCP_INITIAL_RTO     _WSAIOW(IOC_VENDOR, 17)
#define SIO_CPU_AFFINITY        _WSAIOW(IOC_VENDOR, 21)

typedef enum {
    RCVALL_OFF = 0,
    RCVALL_ON = 1,
    RCVALL_SOCKETLEVELONLY = 2,
    RCVALL_IPLEVEL = 3
} RCVALL_VALUE, *PRCVALL_VALUE;

#define RCVALL_MAX RCVALL_IPLEVEL

#ifndef IOCP_POSIX_NET
#define IOCP_INLINE static __inline__ __attribute__((__unused__))

/* ---------- IPv4 ---------- */

IOCP_INLINE BOOLEAN IN4_ADDR_EQUAL(const IN_ADDR *a, const IN_ADDR *b) { return a->s_addr == b->s_addr; }
IOCP_INLINE BOOLEAN IN4_IS_ADDR_UNSPECIFIED(const IN_ADDR *a) { return a->s_addr == 0; }
IOCP_INLINE BOOLEAN IN4_IS_ADDR_LOOPBACK(const IN_ADDR *a) { return *(const UCHAR *)a == 127; }
IOCP_INLINE BOOLEAN IN4_IS_ADDR_BROADCAST(const IN_ADDR *a) { return a->s_addr == 0xFFFFFFFFu; }
IOCP_INLINE BOOLEAN IN4_IS_ADDR_MULTICAST(const IN_ADDR *a) { return (*(const UCHAR *)a & 0xF0) == 0xE0; }
IOCP_INLINE BOOLEAN IN4_IS_ADDR_LINKLOCAL(const IN_ADDR *a)
{
    return ((const UCHAR *)a)[0] == 169 && ((const UCHAR *)a)[1] == 254;
}

IOCP_INLINE VOID IN4ADDR_SETSOCKADDR(PSOCKADDR_IN a, const IN_ADDR *address, USHORT port)
{
    a->sin_family = AF_INET;
    a->sin_port = port; /* as it is sent */
    a->sin_addr = *address;
    __builtin_memset(a->sin_zero, 0, sizeof a->sin_zero);
}

IOCP_INLINE VOID IN4ADDR_SETANY(PSOCKADDR_IN a)
{
    IN_ADDR any;

    any.s_addr = 0;
    IN4ADDR_SETSOCKADDR(a, &any, 0);
}

IOCP_INLINE VOID IN4ADDR_SETLOOPBACK(PSOCKADDR_IN a)
{
    static const UCHAR loopback[4] = {127, 0, 0, 1};
    IN_ADDR address;

    __builtin_memcpy(&address, loopback, sizeof address);
    IN4ADDR_SETSOCKADDR(a, &address, 0);
}

IOCP_INLINE BOOLEAN IN4ADDR_ISANY(const SOCKADDR_IN *a) { return IN4_IS_ADDR_UNSPECIFIED(&a->sin_addr); }
IOCP_INLINE BOOLEAN IN4ADDR_ISLOOPBACK(const SOCKADDR_IN *a) { return IN4_IS_ADDR_LOOPBACK(&a->sin_addr); }
IOCP_INLINE BOOLEAN IN4ADDR_ISEQUAL(const SOCKADDR_IN *a, const SOCKADDR_IN *b)
{
    return IN4_ADDR_EQUAL(&a->sin_addr, &b->sin_addr);
}

/* ---------- IPv6 ---------- */

IOCP_INLINE VOID IN6ADDR_SETANY(PSOCKADDR_IN6 a)
{
    __builtin_memset(a, 0, sizeof *a);
    a->sin6_family = AF_INET6;
}

IOCP_INLINE VOID IN6ADDR_SETLOOPBACK(PSOCKADDR_IN6 a)
{
    IN6ADDR_SETANY(a);
    a->sin6_addr = in6addr_loopback;
}

IOCP_INLINE BOOLEAN IN6ADDR_ISANY(const SOCKADDR_IN6 *a) { return IN6_IS_ADDR_UNSPECIFIED(&a->sin6_addr); }
IOCP_INLINE BOOLEAN IN6ADDR_ISLOOPBACK(const SOCKADDR_IN6 *a) { return IN6_IS_ADDR_LOOPBACK(&a->sin6_addr); }
IOCP_INLINE BOOLEAN IN6ADDR_ISEQUAL(const SOCKADDR_IN6 *a, const SOCKADDR_IN6 *b)
{
    return a->sin6_scope_id == b->sin6_scope_id && IN6_ADDR_EQUAL(&a->sin6_addr, &b->sin6_addr);
}
IOCP_INLINE BOOLEAN IN6ADDR_ISV4MAPPED(const SOCKADDR_IN6 *a)
{
    return a->sin6_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&a->sin6_addr);
}

/* ---------- either; sa_family says which ---------- */

#define SS_PORT(address) (((PSOCKADDR_IN)(address))->sin_port) /* at one place in both */

IOCP_INLINE VOID INETADDR_SETANY(PSOCKADDR a)
{
    if (a->sa_family == AF_INET6)
        IN6ADDR_SETANY((PSOCKADDR_IN6)(void *)a);
    else
        IN4ADDR_SETANY((PSOCKADDR_IN)(void *)a);
}

IOCP_INLINE VOID INETADDR_SETLOOPBACK(PSOCKADDR a)
{
    if (a->sa_family == AF_INET6)
        IN6ADDR_SETLOOPBACK((PSOCKADDR_IN6)(void *)a);
    else
        IN4ADDR_SETLOOPBACK((PSOCKADDR_IN)(void *)a);
}

IOCP_INLINE BOOLEAN INETADDR_ISANY(const SOCKADDR *a)
{
    return a->sa_family == AF_INET6 ? IN6ADDR_ISANY((const SOCKADDR_IN6 *)(const void *)a)
                                    : IN4ADDR_ISANY((const SOCKADDR_IN *)(const void *)a);
}

IOCP_INLINE BOOLEAN INETADDR_ISLOOPBACK(const SOCKADDR *a)
{
    return a->sa_family == AF_INET6 ? IN6ADDR_ISLOOPBACK((const SOCKADDR_IN6 *)(const void *)a)
                                    : IN4ADDR_ISLOOPBACK((const SOCKADDR_IN *)(const void *)a);
}

IOCP_INLINE BOOLEAN INETADDR_ISV4MAPPED(const SOCKADDR *a)
{
    return a->sa_family == AF_INET6 && IN6ADDR_ISV4MAPPED((const SOCKADDR_IN6 *)(const void *)a);
}

/* The bytes of the address: 4 or 16. */
IOCP_INLINE PUCHAR INETADDR_ADDRESS(const SOCKADDR *a)
{
    return a->sa_family == AF_INET6 ? (PUCHAR)(ULONG_PTR)&((const SOCKADDR_IN6 *)(const void *)a)->sin6_addr
                                    : (PUCHAR)(ULONG_PTR)&((const SOCKADDR_IN *)(const void *)a)->sin_addr;
}

#undef IOCP_INLINE
#endif

#endif
