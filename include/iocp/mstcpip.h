/* SPDX-License-Identifier: MIT */
/* mstcpip.h: control codes of Microsoft's TCP/IP for WSAIoctl. A code that has no meaning here fails
 * with WSAEOPNOTSUPP. Page: learn.microsoft.com/windows/win32/api/mstcpip/. */
#ifndef IOCP_MSTCPIP_H
#define IOCP_MSTCPIP_H

#include <ws2def.h>

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

#endif
