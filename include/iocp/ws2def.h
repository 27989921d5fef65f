/* SPDX-License-Identifier: MIT */
/*
 * ws2def.h: addresses, numbers and small structures that all of Winsock shares.
 *
 * Shapes are Windows' (WSABUF, WSAMSG, addrinfo ...); every sockaddr has Linux's layout, and every
 * number that Linux has too (AF_*, SOCK_*, SO_*, IPPROTO_*, AI_*) has Linux's value, so that
 * addresses and options go to the kernel as they are. What only Windows has keeps Windows' value or,
 * where that would collide, has one of ours. So: never write such numbers down, use the names.
 * <iocp.h> takes what POSIX declares from the POSIX headers (IOCP_POSIX_NET) and adds the rest.
 * Page: "ws2def.h header", learn.microsoft.com/windows/win32/api/ws2def/.
 */
#ifndef IOCP_WS2DEF_H
#define IOCP_WS2DEF_H

#include <basetsd.h>
#include <minwindef.h>
#include <winnt.h>
#include <guiddef.h>
#include <inaddr.h>

typedef USHORT ADDRESS_FAMILY;

#ifndef IOCP_POSIX_NET /* ---------- what POSIX headers give as well ---------- */

#define AF_UNSPEC    0
#define AF_UNIX      1
#define AF_INET      2
#define AF_IPX       4
#define AF_NS        AF_IPX
#define AF_APPLETALK 5
#define AF_INET6     10
#define AF_DECnet    12
#define AF_SNA       22
#define AF_IRDA      23
#define AF_MAX       46

#define PF_UNSPEC    AF_UNSPEC
#define PF_UNIX      AF_UNIX
#define PF_INET      AF_INET
#define PF_IPX       AF_IPX
#define PF_APPLETALK AF_APPLETALK
#define PF_INET6     AF_INET6
#define PF_IRDA      AF_IRDA
#define PF_MAX       AF_MAX

#define SOCK_STREAM    1
#define SOCK_DGRAM     2
#define SOCK_RAW       3
#define SOCK_RDM       4
#define SOCK_SEQPACKET 5

#define SOL_SOCKET 1

/* Options of SOL_SOCKET. SO_RCVTIMEO and SO_SNDTIMEO take a DWORD of milliseconds, as on Windows. */
#define SO_DEBUG      1
#define SO_REUSEADDR  2 /* Windows' meaning: may share a port that is in use */
#define SO_TYPE       3
#define SO_ERROR      4 /* a WSA code */
#define SO_DONTROUTE  5
#define SO_BROADCAST  6
#define SO_SNDBUF     7
#define SO_RCVBUF     8
#define SO_KEEPALIVE  9
#define SO_OOBINLINE  10
#define SO_LINGER     13 /* struct linger, Windows' shape */
#define SO_RCVLOWAT   18
#define SO_SNDLOWAT   19
#define SO_RCVTIMEO   20
#define SO_SNDTIMEO   21
#define SO_ACCEPTCONN 30

typedef enum {
    IPPROTO_IP = 0,
    IPPROTO_HOPOPTS = 0,
    IPPROTO_ICMP = 1,
    IPPROTO_IGMP = 2,
    IPPROTO_GGP = 3,
    IPPROTO_IPV4 = 4,
    IPPROTO_ST = 5,
    IPPROTO_TCP = 6,
    IPPROTO_CBT = 7,
    IPPROTO_EGP = 8,
    IPPROTO_IGP = 9,
    IPPROTO_PUP = 12,
    IPPROTO_UDP = 17,
    IPPROTO_IDP = 22,
    IPPROTO_RDP = 27,
    IPPROTO_IPV6 = 41,
    IPPROTO_ROUTING = 43,
    IPPROTO_FRAGMENT = 44,
    IPPROTO_ESP = 50,
    IPPROTO_AH = 51,
    IPPROTO_ICMPV6 = 58,
    IPPROTO_NONE = 59,
    IPPROTO_DSTOPTS = 60,
    IPPROTO_ND = 77,
    IPPROTO_ICLFXBM = 78,
    IPPROTO_PIM = 103,
    IPPROTO_PGM = 113,
    IPPROTO_L2TP = 115,
    IPPROTO_SCTP = 132,
    IPPROTO_RAW = 255,
    IPPROTO_MAX = 256
} IPPROTO, *PIPROTO;

/* Macros as well as enumerators: programs ask for them with #ifdef. */
#define IPPROTO_IP     IPPROTO_IP
#define IPPROTO_ICMP   IPPROTO_ICMP
#define IPPROTO_IGMP   IPPROTO_IGMP
#define IPPROTO_TCP    IPPROTO_TCP
#define IPPROTO_UDP    IPPROTO_UDP
#define IPPROTO_IPV6   IPPROTO_IPV6
#define IPPROTO_ICMPV6 IPPROTO_ICMPV6
#define IPPROTO_SCTP   IPPROTO_SCTP
#define IPPROTO_RAW    IPPROTO_RAW

#define IPPORT_ECHO        7
#define IPPORT_DISCARD     9
#define IPPORT_FTP         21
#define IPPORT_TELNET      23
#define IPPORT_SMTP        25
#define IPPORT_TFTP        69
#define IPPORT_RESERVED    1024

#define INADDR_ANY       ((ULONG)0x00000000)
#define INADDR_LOOPBACK  0x7f000001
#define INADDR_BROADCAST ((ULONG)0xffffffff)
#define INADDR_NONE      0xffffffff

#define IN_CLASSA(i)       (((ULONG)(i) & 0x80000000U) == 0)
#define IN_CLASSA_NET      0xff000000U
#define IN_CLASSA_NSHIFT   24
#define IN_CLASSA_HOST     0x00ffffffU
#define IN_CLASSA_MAX      128
#define IN_CLASSB(i)       (((ULONG)(i) & 0xc0000000U) == 0x80000000U)
#define IN_CLASSB_NET      0xffff0000U
#define IN_CLASSB_NSHIFT   16
#define IN_CLASSB_HOST     0x0000ffffU
#define IN_CLASSB_MAX      65536
#define IN_CLASSC(i)       (((ULONG)(i) & 0xe0000000U) == 0xc0000000U)
#define IN_CLASSC_NET      0xffffff00U
#define IN_CLASSC_NSHIFT   8
#define IN_CLASSC_HOST     0x000000ffU
#define IN_CLASSD(i)       (((ULONG)(i) & 0xf0000000U) == 0xe0000000U)
#define IN_MULTICAST(i)    IN_CLASSD(i)

struct sockaddr {
    ADDRESS_FAMILY sa_family;
    CHAR sa_data[14];
};

struct sockaddr_in {
    ADDRESS_FAMILY sin_family;
    USHORT sin_port; /* network order */
    struct in_addr sin_addr;
    CHAR sin_zero[8];
};

/* Room for an address of any family, 128 bytes. */
struct sockaddr_storage {
    ADDRESS_FAMILY ss_family;
    CHAR __ss_pad1[6];
    LONGLONG __ss_align;
    CHAR __ss_pad2[112];
};

/* For getaddrinfo, in ai_flags. */
#define AI_PASSIVE     0x0001
#define AI_CANONNAME   0x0002
#define AI_NUMERICHOST 0x0004
#define AI_V4MAPPED    0x0008
#define AI_ALL         0x0010
#define AI_ADDRCONFIG  0x0020
#define AI_NUMERICSERV 0x0400

/* For getnameinfo. */
#define NI_NUMERICHOST 1
#define NI_NUMERICSERV 2
#define NI_NOFQDN      4
#define NI_NAMEREQD    8
#define NI_DGRAM       16
#define NI_MAXHOST     1025
#define NI_MAXSERV     32

#else
typedef int IPPROTO;
#endif /* ---------- from here on: what only Windows has ---------- */

#define AF_BTH       31 /* Bluetooth */
#define AF_FIREFOX   19
#define AF_NETBIOS   0x7011 /* socket() refuses it */
#ifndef PF_BTH
#define PF_BTH     AF_BTH
#define PF_NETBIOS AF_NETBIOS
#endif

#define SO_DONTLINGER       ((int)~SO_LINGER)
#define SO_EXCLUSIVEADDRUSE ((int)~SO_REUSEADDR)
#define SO_BSP_STATE        0x1009
#define SO_GROUP_ID         0x2001
#define SO_GROUP_PRIORITY   0x2002
#define SO_MAX_MSG_SIZE     0x2003 /* get: DWORD, bytes in the largest datagram */
#define SO_CONDITIONAL_ACCEPT 0x3002
#define SO_PAUSE_ACCEPT     0x3003
#define SO_COMPARTMENT_ID   0x3004
#define SO_RANDOMIZE_PORT   0x3005
#define SO_PORT_SCALABILITY 0x3006
#define SO_REUSE_UNICASTPORT 0x3007
#define SO_REUSE_MULTICASTPORT 0x3008
#define SO_USELOOPBACK      0x7040

#define AI_NON_AUTHORITATIVE      0x00004000
#define AI_SECURE                 0x00008000
#define AI_RETURN_PREFERRED_NAMES 0x00010000
#define AI_FQDN                   0x00020000
#define AI_FILESERVER             0x00040000

typedef struct sockaddr SOCKADDR, *PSOCKADDR, *LPSOCKADDR;
typedef struct sockaddr_in SOCKADDR_IN, *PSOCKADDR_IN, *LPSOCKADDR_IN;
IOCP_ASSERT_SIZE(SOCKADDR_IN, 16);
typedef struct sockaddr_storage SOCKADDR_STORAGE, *PSOCKADDR_STORAGE, *LPSOCKADDR_STORAGE;
IOCP_ASSERT_SIZE(SOCKADDR_STORAGE, 128);
typedef struct sockaddr_storage SOCKADDR_STORAGE_LH, *PSOCKADDR_STORAGE_LH;

typedef struct _SOCKET_ADDRESS {
    LPSOCKADDR lpSockaddr;
    INT iSockaddrLength;
} SOCKET_ADDRESS, *PSOCKET_ADDRESS, *LPSOCKET_ADDRESS;

typedef struct _SOCKET_ADDRESS_LIST {
    INT iAddressCount;
    SOCKET_ADDRESS Address[1];
} SOCKET_ADDRESS_LIST, *PSOCKET_ADDRESS_LIST, *LPSOCKET_ADDRESS_LIST;

/* One buffer of a gathered send or a scattered receive. The array of WSABUFs is read during the call
 * only; what buf points to belongs to the operation until it has completed. */
typedef struct _WSABUF {
    ULONG len; /* bytes */
    CHAR *buf;
} WSABUF, *LPWSABUF;
IOCP_ASSERT_SIZE(WSABUF, 16);

/* For WSASendMsg and WSARecvMsg; the structure and all it points to live until completion. */
typedef struct _WSAMSG {
    LPSOCKADDR name;
    INT namelen;
    LPWSABUF lpBuffers;
    ULONG dwBufferCount;
    WSABUF Control;
    ULONG dwFlags;
} WSAMSG, *PWSAMSG, *LPWSAMSG;
IOCP_ASSERT_SIZE(WSAMSG, 56);

/* One item of control data; the data follow it. The layout is also that of the C library's cmsghdr. */
#ifdef IOCP_POSIX_NET
typedef struct _WSACMSGHDR {
#else
#define _WSACMSGHDR cmsghdr
typedef struct cmsghdr {
#endif
    SIZE_T cmsg_len; /* header and data, bytes */
    INT cmsg_level;
    INT cmsg_type;
} WSACMSGHDR, *PWSACMSGHDR, *LPWSACMSGHDR;
IOCP_ASSERT_SIZE(WSACMSGHDR, 16);
typedef WSACMSGHDR CMSGHDR, *PCMSGHDR;

#define WSA_CMSGHDR_ALIGN(length)  (((length) + sizeof(SIZE_T) - 1) & ~(sizeof(SIZE_T) - 1))
#define WSA_CMSGDATA_ALIGN(length) (((length) + sizeof(SIZE_T) - 1) & ~(sizeof(SIZE_T) - 1))
#define WSA_CMSG_FIRSTHDR(msg)                                                                     \
    ((msg)->Control.len >= sizeof(WSACMSGHDR) ? (LPWSACMSGHDR)(void *)(msg)->Control.buf           \
                                              : (LPWSACMSGHDR)NULL)
#define WSA_CMSG_NXTHDR(msg, cmsg)                                                                 \
    ((cmsg) == NULL                                                                                \
         ? WSA_CMSG_FIRSTHDR(msg)                                                                  \
     : ((CHAR *)(cmsg) + WSA_CMSGHDR_ALIGN((cmsg)->cmsg_len) + sizeof(WSACMSGHDR) >                \
        (msg)->Control.buf + (msg)->Control.len)                                                   \
         ? (LPWSACMSGHDR)NULL                                                                      \
         : (LPWSACMSGHDR)(void *)((CHAR *)(cmsg) + WSA_CMSGHDR_ALIGN((cmsg)->cmsg_len)))
#define WSA_CMSG_DATA(cmsg)    ((UCHAR *)((CHAR *)(cmsg) + WSA_CMSGDATA_ALIGN(sizeof(WSACMSGHDR))))
#define WSA_CMSG_SPACE(length) (WSA_CMSGDATA_ALIGN(sizeof(WSACMSGHDR) + WSA_CMSGHDR_ALIGN(length)))
#define WSA_CMSG_LEN(length)   (WSA_CMSGDATA_ALIGN(sizeof(WSACMSGHDR)) + (length))

#ifndef IOCP_POSIX_NET
#define CMSGHDR_ALIGN  WSA_CMSGHDR_ALIGN
#define CMSGDATA_ALIGN WSA_CMSGDATA_ALIGN
#define CMSG_FIRSTHDR  WSA_CMSG_FIRSTHDR
#define CMSG_NXTHDR    WSA_CMSG_NXTHDR
#define CMSG_DATA      WSA_CMSG_DATA
#define CMSG_SPACE     WSA_CMSG_SPACE
#define CMSG_LEN       WSA_CMSG_LEN

/* In WSAMSG.dwFlags, and in lpFlags of the receives. */
#define MSG_TRUNC  0x0020
#define MSG_CTRUNC 0x0008
#endif
#define MSG_BCAST 0x00100000
#define MSG_MCAST 0x00200000

/* What getaddrinfo gives: a list that freeaddrinfo ends. Windows' order, ai_canonname before ai_addr. */
#ifdef IOCP_POSIX_NET
struct iocp_addrinfo {
#define IOCP_ADDRINFO iocp_addrinfo
#else
struct addrinfo {
#define IOCP_ADDRINFO addrinfo
#endif
    int ai_flags;
    int ai_family;
    int ai_socktype;
    int ai_protocol;
    size_t ai_addrlen;
    char *ai_canonname;
    struct sockaddr *ai_addr;
    struct IOCP_ADDRINFO *ai_next;
};
typedef struct IOCP_ADDRINFO ADDRINFOA, *PADDRINFOA;
IOCP_ASSERT_SIZE(ADDRINFOA, 48);

typedef struct addrinfoW {
    int ai_flags;
    int ai_family;
    int ai_socktype;
    int ai_protocol;
    size_t ai_addrlen;
    PWSTR ai_canonname;
    struct sockaddr *ai_addr;
    struct addrinfoW *ai_next;
} ADDRINFOW, *PADDRINFOW;
IOCP_ASSERT_SIZE(ADDRINFOW, 48);

/* What GetAddrInfoEx gives. ai_blob, ai_bloblen and ai_provider are of other name spaces: always 0 here. */
typedef struct addrinfoexA {
    int ai_flags;
    int ai_family;
    int ai_socktype;
    int ai_protocol;
    size_t ai_addrlen;
    char *ai_canonname;
    struct sockaddr *ai_addr;
    void *ai_blob;
    size_t ai_bloblen;
    LPGUID ai_provider;
    struct addrinfoexA *ai_next;
} ADDRINFOEXA, *PADDRINFOEXA, *LPADDRINFOEXA;
IOCP_ASSERT_SIZE(ADDRINFOEXA, 72);

typedef struct addrinfoexW {
    int ai_flags;
    int ai_family;
    int ai_socktype;
    int ai_protocol;
    size_t ai_addrlen;
    PWSTR ai_canonname;
    struct sockaddr *ai_addr;
    void *ai_blob;
    size_t ai_bloblen;
    LPGUID ai_provider;
    struct addrinfoexW *ai_next;
} ADDRINFOEXW, *PADDRINFOEXW, *LPADDRINFOEXW;
IOCP_ASSERT_SIZE(ADDRINFOEXW, 72);

#ifdef UNICODE
typedef ADDRINFOW ADDRINFOT, *PADDRINFOT;
#else
typedef ADDRINFOA ADDRINFOT, *PADDRINFOT;
#endif
#ifndef IOCP_POSIX_NET
typedef ADDRINFOA ADDRINFO, *LPADDRINFO;
#endif

/* Control codes of WSAIoctl: bits 31-30 in and out, 29 none, 28-27 who defined it. Windows' values. */
#define IOC_UNIX     0x00000000
#define IOC_WS2      0x08000000
#define IOC_PROTOCOL 0x10000000
#define IOC_VENDOR   0x18000000
#define IOC_WSK      (IOC_WS2 | 0x07000000)
#ifndef IOCP_POSIX_NET /* <sys/ioctl.h> has other values for these */
#undef IOC_OUT
#undef IOC_IN
#undef IOC_INOUT
#define IOC_VOID     0x20000000
#define IOC_OUT      0x40000000
#define IOC_IN       0x80000000
#define IOC_INOUT    0xC0000000
#endif
#define _WSAIO(x, y)   (0x20000000 | (x) | (y))
#define _WSAIOR(x, y)  (0x40000000 | (x) | (y))
#define _WSAIOW(x, y)  (0x80000000 | (x) | (y))
#define _WSAIORW(x, y) (0xC0000000 | (x) | (y))

#define SIO_ASSOCIATE_HANDLE               _WSAIOW(IOC_WS2, 1)
#define SIO_ENABLE_CIRCULAR_QUEUEING       _WSAIO(IOC_WS2, 2)
#define SIO_FIND_ROUTE                     _WSAIOR(IOC_WS2, 3)
#define SIO_FLUSH                          _WSAIO(IOC_WS2, 4)
#define SIO_GET_BROADCAST_ADDRESS          _WSAIOR(IOC_WS2, 5)
#define SIO_GET_EXTENSION_FUNCTION_POINTER _WSAIORW(IOC_WS2, 6)
#define SIO_GET_QOS                        _WSAIORW(IOC_WS2, 7)
#define SIO_GET_GROUP_QOS                  _WSAIORW(IOC_WS2, 8)
#define SIO_MULTIPOINT_LOOPBACK            _WSAIOW(IOC_WS2, 9)
#define SIO_MULTICAST_SCOPE                _WSAIOW(IOC_WS2, 10)
#define SIO_SET_QOS                        _WSAIOW(IOC_WS2, 11)
#define SIO_SET_GROUP_QOS                  _WSAIOW(IOC_WS2, 12)
#define SIO_TRANSLATE_HANDLE               _WSAIORW(IOC_WS2, 13)
#define SIO_ROUTING_INTERFACE_QUERY        _WSAIORW(IOC_WS2, 20)
#define SIO_ROUTING_INTERFACE_CHANGE       _WSAIOW(IOC_WS2, 21)
#define SIO_ADDRESS_LIST_QUERY             _WSAIOR(IOC_WS2, 22)
#define SIO_ADDRESS_LIST_CHANGE            _WSAIO(IOC_WS2, 23)
#define SIO_QUERY_TARGET_PNP_HANDLE        _WSAIOR(IOC_WS2, 24)
#define SIO_ADDRESS_LIST_SORT              _WSAIORW(IOC_WS2, 25)
#define SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER _WSAIORW(IOC_WS2, 36) /* WSAID_MULTIPLE_RIO */

#endif
