/* SPDX-License-Identifier: MIT */
/*
 * iocp_net.h: the part of winsock2.h whose names POSIX does not have: types, WSA functions, events.
 * winsock2.h adds the classical names (socket, send ...), iocp.h the same ones with an iocp_ prefix.
 *
 * Every function follows Microsoft's page of its own name, at
 * learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-NAME (lower case). What they share:
 *
 * - A SOCKET is a Linux file descriptor. A descriptor the library has not made is adopted by the data
 *   calls (send, WSARecv ...), ioctlsocket, WSAIoctl, getsockopt, setsockopt and WSAEventSelect; all calls
 *   on it work without WSAStartup. The others say WSAENOTSOCK to what has not been adopted.
 * - Failure: SOCKET_ERROR (or INVALID_SOCKET, or NULL), and WSAGetLastError says why. GetLastError is
 *   the same variable; errno is not used. Any call may fail with WSANOTINITIALISED (no WSAStartup),
 *   WSAENOTSOCK (no such socket), WSAEFAULT (a pointer is NULL that must not be), WSAEINVAL,
 *   WSAENOBUFS (memory), WSAEMFILE (descriptors); below, only further errors are named.
 * - Overlapped calls. With `overlapped` the call returns 0 (done), or SOCKET_ERROR with WSA_IO_PENDING
 *   (accepted; exactly one completion follows), or SOCKET_ERROR with another code (refused; none
 *   follows). An accepted request owns until its completion: the WSAOVERLAPPED, the data buffers, and
 *   for WSARecvFrom the address and its length. Only read during the call: the array of WSABUFs,
 *   addresses to send to. Written during the call only: the byte count and the flags of the caller.
 *   The completion goes to `routine` on this thread in an alertable wait, or else to the event in
 *   hEvent and to the completion port of the socket. Done at once sends a completion as well, unless
 *   SetFileCompletionNotificationModes says otherwise.
 * - Without `overlapped` a call blocks, unless FIONBIO is on: then it fails with WSAEWOULDBLOCK.
 */
#ifndef IOCP_NET_H
#define IOCP_NET_H

#include <iocpdef.h>
#include <basetsd.h>
#include <minwindef.h>
#include <winnt.h>
#include <minwinbase.h>
#include <guiddef.h>
#include <winerror.h>
#include <ws2def.h>
#include <qos.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef WINSOCK_API_LINKAGE
#define WINSOCK_API_LINKAGE IOCP_API
#endif
#ifndef WSAAPI
#define WSAAPI
#endif

/* ---------- types and numbers ---------- */

typedef UINT_PTR SOCKET;
#define INVALID_SOCKET ((SOCKET)(~(SOCKET)0))
#define SOCKET_ERROR   (-1)

#define WINSOCK_VERSION    MAKEWORD(2, 2)
#define WSADESCRIPTION_LEN 256
#define WSASYS_STATUS_LEN  128

typedef struct WSAData {
    WORD wVersion;
    WORD wHighVersion;
    unsigned short iMaxSockets;
    unsigned short iMaxUdpDg;
    char *lpVendorInfo;
    char szDescription[WSADESCRIPTION_LEN + 1];
    char szSystemStatus[WSASYS_STATUS_LEN + 1];
} WSADATA, *LPWSADATA;
IOCP_ASSERT_SIZE(WSADATA, 408);

#define WSAOVERLAPPED OVERLAPPED
typedef struct _OVERLAPPED *LPWSAOVERLAPPED;
IOCP_ASSERT_SIZE(WSAOVERLAPPED, 32);

/* Runs on the thread that started the operation, in an alertable wait. `error` is a WSA code. */
typedef void(CALLBACK *LPWSAOVERLAPPED_COMPLETION_ROUTINE)(DWORD error, DWORD bytes,
                                                           LPWSAOVERLAPPED overlapped, DWORD flags);

#define WSAEVENT HANDLE
typedef HANDLE *LPWSAEVENT;
#define WSA_INVALID_EVENT       ((WSAEVENT)NULL)
#define WSA_MAXIMUM_WAIT_EVENTS 64
#define WSA_WAIT_FAILED         ((DWORD)0xFFFFFFFF)
#define WSA_WAIT_EVENT_0        ((DWORD)0)
#define WSA_WAIT_IO_COMPLETION  ((DWORD)0xC0)
#define WSA_WAIT_TIMEOUT        ((DWORD)258)
#define WSA_INFINITE            ((DWORD)0xFFFFFFFF)

#ifndef WSA_IO_PENDING
#define WSA_IO_PENDING        ERROR_IO_PENDING
#define WSA_IO_INCOMPLETE     ERROR_IO_INCOMPLETE
#define WSA_INVALID_HANDLE    ERROR_INVALID_HANDLE
#define WSA_INVALID_PARAMETER ERROR_INVALID_PARAMETER
#define WSA_NOT_ENOUGH_MEMORY ERROR_NOT_ENOUGH_MEMORY
#define WSA_OPERATION_ABORTED ERROR_OPERATION_ABORTED
#endif

/* What only Windows has of the options of SOL_SOCKET (the rest: ws2def.h). */
#define SO_PROTOCOL_INFOA 0x2004 /* get: WSAPROTOCOL_INFOA */
#define SO_PROTOCOL_INFOW 0x2005
#ifdef UNICODE
#define SO_PROTOCOL_INFO SO_PROTOCOL_INFOW
#else
#define SO_PROTOCOL_INFO SO_PROTOCOL_INFOA
#endif
#define PVD_CONFIG 0x3001

/* WSASocket. Sockets of socket() are overlapped, too. */
#define WSA_FLAG_OVERLAPPED             0x01
#define WSA_FLAG_MULTIPOINT_C_ROOT      0x02
#define WSA_FLAG_MULTIPOINT_C_LEAF      0x04
#define WSA_FLAG_MULTIPOINT_D_ROOT      0x08
#define WSA_FLAG_MULTIPOINT_D_LEAF      0x10
#define WSA_FLAG_ACCESS_SYSTEM_SECURITY 0x40
#define WSA_FLAG_NO_HANDLE_INHERIT      0x80
#define WSA_FLAG_REGISTERED_IO          0x100
#define FROM_PROTOCOL_INFO              (-1)

typedef unsigned int GROUP;
#define SG_UNCONSTRAINED_GROUP 0x01
#define SG_CONSTRAINED_GROUP   0x02

/* Flags of the data calls (MSG_OOB, MSG_PEEK ... : winsock2.h). */
#define MSG_PUSH_IMMEDIATE 0x00400000
#define MSG_PARTIAL        0x00800000
#define MSG_INTERRUPT      0x01000000
#define MSG_MAXIOVLEN      16

#define SD_RECEIVE 0x00
#define SD_SEND    0x01
#define SD_BOTH    0x02

/* WSAEventSelect and WSAEnumNetworkEvents. */
#define FD_READ_BIT                     0
#define FD_READ                         (1 << FD_READ_BIT)
#define FD_WRITE_BIT                    1
#define FD_WRITE                        (1 << FD_WRITE_BIT)
#define FD_OOB_BIT                      2
#define FD_OOB                          (1 << FD_OOB_BIT)
#define FD_ACCEPT_BIT                   3
#define FD_ACCEPT                       (1 << FD_ACCEPT_BIT)
#define FD_CONNECT_BIT                  4
#define FD_CONNECT                      (1 << FD_CONNECT_BIT)
#define FD_CLOSE_BIT                    5
#define FD_CLOSE                        (1 << FD_CLOSE_BIT)
#define FD_QOS_BIT                      6
#define FD_QOS                          (1 << FD_QOS_BIT)
#define FD_GROUP_QOS_BIT                7
#define FD_GROUP_QOS                    (1 << FD_GROUP_QOS_BIT)
#define FD_ROUTING_INTERFACE_CHANGE_BIT 8
#define FD_ROUTING_INTERFACE_CHANGE     (1 << FD_ROUTING_INTERFACE_CHANGE_BIT)
#define FD_ADDRESS_LIST_CHANGE_BIT      9
#define FD_ADDRESS_LIST_CHANGE          (1 << FD_ADDRESS_LIST_CHANGE_BIT)
#define FD_MAX_EVENTS                   10
#define FD_ALL_EVENTS                   ((1 << FD_MAX_EVENTS) - 1)

typedef struct _WSANETWORKEVENTS {
    LONG lNetworkEvents;
    int iErrorCode[FD_MAX_EVENTS]; /* by FD_..._BIT; 0 or a WSA code */
} WSANETWORKEVENTS, *LPWSANETWORKEVENTS;
IOCP_ASSERT_SIZE(WSANETWORKEVENTS, 44);

/* ProcessSocketNotifications. */
#define SOCK_NOTIFY_REGISTER_EVENT_NONE   0x00
#define SOCK_NOTIFY_REGISTER_EVENT_IN     0x01
#define SOCK_NOTIFY_REGISTER_EVENT_OUT    0x02
#define SOCK_NOTIFY_REGISTER_EVENT_HANGUP 0x04
#define SOCK_NOTIFY_REGISTER_EVENTS_ALL                                                             \
    (SOCK_NOTIFY_REGISTER_EVENT_IN | SOCK_NOTIFY_REGISTER_EVENT_OUT | SOCK_NOTIFY_REGISTER_EVENT_HANGUP)

#define SOCK_NOTIFY_EVENT_IN     SOCK_NOTIFY_REGISTER_EVENT_IN
#define SOCK_NOTIFY_EVENT_OUT    SOCK_NOTIFY_REGISTER_EVENT_OUT
#define SOCK_NOTIFY_EVENT_HANGUP SOCK_NOTIFY_REGISTER_EVENT_HANGUP
#define SOCK_NOTIFY_EVENT_ERR    0x40 /* asked for or not */
#define SOCK_NOTIFY_EVENT_REMOVE 0x80 /* the last of a registration */
#define SOCK_NOTIFY_EVENTS_ALL                                                                      \
    (SOCK_NOTIFY_REGISTER_EVENTS_ALL | SOCK_NOTIFY_EVENT_ERR | SOCK_NOTIFY_EVENT_REMOVE)

#define SOCK_NOTIFY_OP_NONE    0x00
#define SOCK_NOTIFY_OP_ENABLE  0x01
#define SOCK_NOTIFY_OP_DISABLE 0x02
#define SOCK_NOTIFY_OP_REMOVE  0x04

#define SOCK_NOTIFY_TRIGGER_ONESHOT    0x01 /* the next packet disables it */
#define SOCK_NOTIFY_TRIGGER_PERSISTENT 0x02
#define SOCK_NOTIFY_TRIGGER_LEVEL      0x04
#define SOCK_NOTIFY_TRIGGER_EDGE       0x08
#define SOCK_NOTIFY_TRIGGER_ALL                                                                     \
    (SOCK_NOTIFY_TRIGGER_ONESHOT | SOCK_NOTIFY_TRIGGER_PERSISTENT | SOCK_NOTIFY_TRIGGER_LEVEL |     \
     SOCK_NOTIFY_TRIGGER_EDGE)

typedef struct SOCK_NOTIFY_REGISTRATION {
    SOCKET socket;
    PVOID completionKey;      /* of a new registration; stays until it is removed */
    UINT16 eventFilter;       /* SOCK_NOTIFY_REGISTER_EVENT_... */
    UINT8 operation;          /* SOCK_NOTIFY_OP_... */
    UINT8 triggerFlags;       /* LEVEL or EDGE; ONESHOT or PERSISTENT (which 0 is) */
    DWORD registrationResult; /* written */
} SOCK_NOTIFY_REGISTRATION;
IOCP_ASSERT_SIZE(SOCK_NOTIFY_REGISTRATION, 24);

/* WSAPoll. Linux's numbers, spelled as <poll.h> spells them. */
#ifndef IOCP_POSIX_NET
#define POLLIN 0x001
#define POLLPRI 0x002
#define POLLOUT 0x004
#define POLLERR 0x008
#define POLLHUP 0x010
#define POLLNVAL 0x020
#define POLLRDNORM 0x040
#define POLLRDBAND 0x080
#define POLLWRNORM 0x100
#define POLLWRBAND 0x200
#endif

/* Windows' sources know the structure by POSIX' name, which a program that includes <poll.h> cannot give
 * it. */
#if defined(_WIN32) && !defined(IOCP_POSIX_NET)
#define IOCP_POLLFD pollfd
#else
#define IOCP_POLLFD pollfd_iocp
#endif
typedef struct IOCP_POLLFD {
    SOCKET fd; /* INVALID_SOCKET: the entry is skipped */
    SHORT events;
    SHORT revents;
} WSAPOLLFD, *PWSAPOLLFD, *LPWSAPOLLFD;
IOCP_ASSERT_SIZE(WSAPOLLFD, 16);

/* WSAEnumProtocols, SO_PROTOCOL_INFO, WSADuplicateSocket. */
#define MAX_PROTOCOL_CHAIN 7
#define BASE_PROTOCOL      1
#define LAYERED_PROTOCOL   0
#define WSAPROTOCOL_LEN    255

typedef struct _WSAPROTOCOLCHAIN {
    int ChainLen;
    DWORD ChainEntries[MAX_PROTOCOL_CHAIN];
} WSAPROTOCOLCHAIN, *LPWSAPROTOCOLCHAIN;

typedef struct _WSAPROTOCOL_INFOA {
    DWORD dwServiceFlags1;
    DWORD dwServiceFlags2;
    DWORD dwServiceFlags3;
    DWORD dwServiceFlags4;
    DWORD dwProviderFlags;
    GUID ProviderId;
    DWORD dwCatalogEntryId;
    WSAPROTOCOLCHAIN ProtocolChain;
    int iVersion;
    int iAddressFamily;
    int iMaxSockAddr;
    int iMinSockAddr;
    int iSocketType;
    int iProtocol;
    int iProtocolMaxOffset;
    int iNetworkByteOrder;
    int iSecurityScheme;
    DWORD dwMessageSize;
    DWORD dwProviderReserved;
    CHAR szProtocol[WSAPROTOCOL_LEN + 1];
} WSAPROTOCOL_INFOA, *LPWSAPROTOCOL_INFOA;
IOCP_ASSERT_SIZE(WSAPROTOCOL_INFOA, 372);

typedef struct _WSAPROTOCOL_INFOW {
    DWORD dwServiceFlags1;
    DWORD dwServiceFlags2;
    DWORD dwServiceFlags3;
    DWORD dwServiceFlags4;
    DWORD dwProviderFlags;
    GUID ProviderId;
    DWORD dwCatalogEntryId;
    WSAPROTOCOLCHAIN ProtocolChain;
    int iVersion;
    int iAddressFamily;
    int iMaxSockAddr;
    int iMinSockAddr;
    int iSocketType;
    int iProtocol;
    int iProtocolMaxOffset;
    int iNetworkByteOrder;
    int iSecurityScheme;
    DWORD dwMessageSize;
    DWORD dwProviderReserved;
    WCHAR szProtocol[WSAPROTOCOL_LEN + 1];
} WSAPROTOCOL_INFOW, *LPWSAPROTOCOL_INFOW;
IOCP_ASSERT_SIZE(WSAPROTOCOL_INFOW, 628);

#ifdef UNICODE
typedef WSAPROTOCOL_INFOW WSAPROTOCOL_INFO;
typedef LPWSAPROTOCOL_INFOW LPWSAPROTOCOL_INFO;
#else
typedef WSAPROTOCOL_INFOA WSAPROTOCOL_INFO;
typedef LPWSAPROTOCOL_INFOA LPWSAPROTOCOL_INFO;
#endif

#define PFL_MULTIPLE_PROTO_ENTRIES  0x00000001
#define PFL_RECOMMENDED_PROTO_ENTRY 0x00000002
#define PFL_HIDDEN                  0x00000004
#define PFL_MATCHES_PROTOCOL_ZERO   0x00000008

#define XP1_CONNECTIONLESS           0x00000001
#define XP1_GUARANTEED_DELIVERY      0x00000002
#define XP1_GUARANTEED_ORDER         0x00000004
#define XP1_MESSAGE_ORIENTED         0x00000008
#define XP1_PSEUDO_STREAM            0x00000010
#define XP1_GRACEFUL_CLOSE           0x00000020
#define XP1_EXPEDITED_DATA           0x00000040
#define XP1_CONNECT_DATA             0x00000080
#define XP1_DISCONNECT_DATA          0x00000100
#define XP1_SUPPORT_BROADCAST        0x00000200
#define XP1_SUPPORT_MULTIPOINT       0x00000400
#define XP1_MULTIPOINT_CONTROL_PLANE 0x00000800
#define XP1_MULTIPOINT_DATA_PLANE    0x00001000
#define XP1_QOS_SUPPORTED            0x00002000
#define XP1_INTERRUPT                0x00004000
#define XP1_UNI_SEND                 0x00008000
#define XP1_UNI_RECV                 0x00010000
#define XP1_IFS_HANDLES              0x00020000
#define XP1_PARTIAL_MESSAGE          0x00040000
#define XP1_SAN_SUPPORT_SDP          0x00080000

#define BIGENDIAN              0x0000
#define LITTLEENDIAN           0x0001
#define SECURITY_PROTOCOL_NONE 0x0000

#define JL_SENDER_ONLY   0x01
#define JL_RECEIVER_ONLY 0x02
#define JL_BOTH          0x04

/* WSAConnect, WSAAccept. Flow specifications are accepted and not acted upon. */
typedef struct _QualityOfService {
    FLOWSPEC SendingFlowspec;
    FLOWSPEC ReceivingFlowspec;
    WSABUF ProviderSpecific;
} QOS, *LPQOS;

#define CF_ACCEPT 0x0000
#define CF_REJECT 0x0001
#define CF_DEFER  0x0002

typedef int(CALLBACK *LPCONDITIONPROC)(LPWSABUF caller_id, LPWSABUF caller_data, LPQOS qos, LPQOS group_qos,
                                       LPWSABUF callee_id, LPWSABUF callee_data, GROUP *group,
                                       DWORD_PTR callback_data);

/* WSAIoctl; more in ws2def.h, ws2ipdef.h, mswsock.h and mstcpip.h. */
#define SIO_BSP_HANDLE        _WSAIOR(IOC_WS2, 27)
#define SIO_BSP_HANDLE_SELECT _WSAIOR(IOC_WS2, 28)
#define SIO_BSP_HANDLE_POLL   _WSAIOR(IOC_WS2, 29)
#define SIO_EXT_SELECT        _WSAIORW(IOC_WS2, 30)
#define SIO_EXT_POLL          _WSAIORW(IOC_WS2, 31)
#define SIO_EXT_SENDMSG       _WSAIORW(IOC_WS2, 32)
#define SIO_BASE_HANDLE       _WSAIOR(IOC_WS2, 34)

/* select: a count and an array of sockets; not a bit mask. */
#ifndef IOCP_FD_SETSIZE
#ifdef IOCP_POSIX_NET
#define IOCP_FD_SETSIZE 64
#else
#define IOCP_FD_SETSIZE FD_SETSIZE
#endif
#endif

typedef struct iocp_fd_set {
    unsigned int fd_count;
    SOCKET fd_array[IOCP_FD_SETSIZE];
} iocp_fd_set;

/* Two LONGs of 32 bits, as on Windows: not what the C library calls a timeval. */
struct iocp_timeval {
    LONG tv_sec;  /* seconds */
    LONG tv_usec; /* microseconds */
};
#ifndef IOCP_POSIX_NET
#define IOCP_TIMEVAL 1 /* <sys/time.h> looks at this, if it comes later */
#ifdef IOCP_SYS_TIME
#include <iocp_timeval.h>
#endif
#endif

typedef unsigned int iocp_u_long; /* 32 bits, as on Windows */
typedef int iocp_socklen_t;

/* What the database functions give back: memory of the library, one buffer per thread and kind of
 * function, valid until the thread's next call. In <iocp.h> and <winsock2.h> by different names. */
#ifdef IOCP_POSIX_NET
#define IOCP_NET_TAG(name) iocp_##name
#else
#define IOCP_NET_TAG(name) name
#endif

struct IOCP_NET_TAG(linger) {
    USHORT l_onoff;
    USHORT l_linger; /* seconds */
};

struct IOCP_NET_TAG(hostent) {
    char *h_name;
    char **h_aliases; /* ends with NULL */
    short h_addrtype;
    short h_length;
    char **h_addr_list; /* ends with NULL */
};

struct IOCP_NET_TAG(servent) {
    char *s_name;
    char **s_aliases;
    char *s_proto;
    short s_port; /* network order */
};

struct IOCP_NET_TAG(protoent) {
    char *p_name;
    char **p_aliases;
    short p_proto;
};

/* ---------- start and end, errors ---------- */

/*
 * Must come before other calls on sockets the library makes; counted, so each needs a WSACleanup.
 * version: what the program wants, MAKEWORD(2, 2). data: gets what is there; not NULL.
 * Returns 0 or the error itself (not through WSAGetLastError): WSAVERNOTSUPPORTED (version 0.x),
 * WSAEFAULT.
 */
WINSOCK_API_LINKAGE int WSAAPI WSAStartup(WORD version, LPWSADATA data) IOCP_SYM(WSAStartup);

/* Takes back one WSAStartup. 0, or SOCKET_ERROR: WSANOTINITIALISED. Differs: sockets still open after
 * the last one stay open for their pending operations; closesocket closes them, and says
 * WSANOTINITIALISED as on Windows. */
WINSOCK_API_LINKAGE int WSAAPI WSACleanup(void) IOCP_SYM(WSACleanup);

/* The calling thread's last error; the same value as GetLastError. Cannot fail. */
WINSOCK_API_LINKAGE int WSAAPI WSAGetLastError(void) IOCP_SYM(WSAGetLastError);
WINSOCK_API_LINKAGE void WSAAPI WSASetLastError(int error) IOCP_SYM(WSASetLastError);

/* ---------- sockets ---------- */

/*
 * Makes a socket. family AF_INET, AF_INET6 or AF_UNIX; type SOCK_*; protocol IPPROTO_* or 0.
 * info: NULL, or what WSADuplicateSocket wrote (then the first three are FROM_PROTOCOL_INFO).
 * group: 0. flags: WSA_FLAG_*; without WSA_FLAG_OVERLAPPED the socket does one thing at a time.
 * INVALID_SOCKET: WSAEAFNOSUPPORT, WSAESOCKTNOSUPPORT, WSAEPROTONOSUPPORT, WSAEPROTOTYPE, WSAEACCES (raw).
 * AF_INET6 sockets begin with IPV6_V6ONLY on, as on Windows. The owner calls closesocket.
 */
WINSOCK_API_LINKAGE SOCKET WSAAPI WSASocketA(int family, int type, int protocol, LPWSAPROTOCOL_INFOA info,
                                             GROUP group, DWORD flags) IOCP_SYM(WSASocketA);
WINSOCK_API_LINKAGE SOCKET WSAAPI WSASocketW(int family, int type, int protocol, LPWSAPROTOCOL_INFOW info,
                                             GROUP group, DWORD flags) IOCP_SYM(WSASocketW);

/*
 * Closes. Every operation pending on the socket still gets its one completion, with
 * WSA_OPERATION_ABORTED. 0, or SOCKET_ERROR: WSAENOTSOCK; WSAEWOULDBLOCK (FIONBIO and a linger time).
 */
WINSOCK_API_LINKAGE int WSAAPI closesocket(SOCKET s) IOCP_SYM(closesocket);

/*
 * FIONBIO (argument 0 or not: blocking or not), FIONREAD (gets the bytes that one recv would give),
 * SIOCATMARK. argument: an u_long, 32 bits; declared void * so that an unsigned long of 64 bits, which
 * is what `unsigned long` is here, passes as well (its upper half is not written).
 * 0, or SOCKET_ERROR. FIONBIO is a property of ours: the descriptor's O_NONBLOCK does not show it.
 */
WINSOCK_API_LINKAGE int WSAAPI ioctlsocket(SOCKET s, long command, void *argument) IOCP_SYM(ioctlsocket);

/*
 * Control by code: SIO_GET_EXTENSION_FUNCTION_POINTER (in: GUID, out: the pointer), the same with MULTIPLE
 * (WSAID_MULTIPLE_RIO: RIO_EXTENSION_FUNCTION_TABLE of mswsock.h), SIO_BASE_HANDLE,
 * SIO_KEEPALIVE_VALS, SIO_UDP_CONNRESET, FIONBIO, FIONREAD ... in, out: buffers of in_size and
 * out_size bytes; bytes: gets what was written to out. All codes here are done at once; overlapped and
 * routine then get their completion as ever. SOCKET_ERROR: WSAEOPNOTSUPP (code), WSAEINVAL (GUID),
 * WSAEFAULT (sizes).
 */
WINSOCK_API_LINKAGE int WSAAPI WSAIoctl(SOCKET s, DWORD code, LPVOID in, DWORD in_size, LPVOID out,
                                        DWORD out_size, LPDWORD bytes, LPWSAOVERLAPPED overlapped,
                                        LPWSAOVERLAPPED_COMPLETION_ROUTINE routine) IOCP_SYM(WSAIoctl);

/*
 * accept with a say: condition (may be NULL) is called on this thread with the caller's address and
 * answers CF_ACCEPT or CF_REJECT (WSAECONNREFUSED); CF_DEFER is not there (ERROR_CALL_NOT_IMPLEMENTED, and
 * the connection is reset). address, length: as accept.
 * Differs: the connection is already made when condition is asked; rejecting resets it.
 */
WINSOCK_API_LINKAGE SOCKET WSAAPI WSAAccept(SOCKET s, struct sockaddr *address, LPINT length,
                                            LPCONDITIONPROC condition, DWORD_PTR data) IOCP_SYM(WSAAccept);

/* connect; caller_data, callee_data and the two flow specifications must be NULL or are ignored. */
WINSOCK_API_LINKAGE int WSAAPI WSAConnect(SOCKET s, const struct sockaddr *address, int length,
                                          LPWSABUF caller_data, LPWSABUF callee_data, LPQOS qos,
                                          LPQOS group_qos) IOCP_SYM(WSAConnect);

/*
 * Connects to one of the addresses of a name, tried one after another; WSAConnectByList: to one of a list.
 * s: a stream socket, bound or not (...ByList: unbound, or WSAEINVAL); blocks whatever its mode. An AF_INET6
 * socket with IPV6_V6ONLY off takes IPv4 as well, in a list as mapped addresses. local, remote: NULL, or room
 * of *..._size bytes for the two ends' addresses (WSAEFAULT if it is too small). timeout: NULL, or how long
 * all of it may take: WSAETIMEDOUT. reserved: NULL. TRUE, or FALSE and why the last address failed,
 * WSAHOST_NOT_FOUND, WSAEINVAL (no node, service or address; no stream), WSAEISCONN.
 * Differs: a connect that is under way when the time is up is ended then, not waited for.
 */
WINSOCK_API_LINKAGE BOOL PASCAL WSAConnectByNameA(SOCKET s, LPCSTR node, LPCSTR service, LPDWORD local_size,
                                                  struct sockaddr *local, LPDWORD remote_size,
                                                  struct sockaddr *remote, const struct iocp_timeval *timeout,
                                                  LPWSAOVERLAPPED reserved) IOCP_SYM(WSAConnectByNameA);
WINSOCK_API_LINKAGE BOOL PASCAL WSAConnectByNameW(SOCKET s, LPWSTR node, LPWSTR service, LPDWORD local_size,
                                                  struct sockaddr *local, LPDWORD remote_size,
                                                  struct sockaddr *remote, const struct iocp_timeval *timeout,
                                                  LPWSAOVERLAPPED reserved) IOCP_SYM(WSAConnectByNameW);
WINSOCK_API_LINKAGE BOOL PASCAL WSAConnectByList(SOCKET s, PSOCKET_ADDRESS_LIST list, LPDWORD local_size,
                                                 struct sockaddr *local, LPDWORD remote_size,
                                                 struct sockaddr *remote, const struct iocp_timeval *timeout,
                                                 LPWSAOVERLAPPED reserved) IOCP_SYM(WSAConnectByList);

/*
 * Joins a group. s: a datagram socket of WSASocket with WSA_FLAG_MULTIPOINT_C_LEAF or ..._D_LEAF (else
 * WSAEINVAL); name, length: the group's address. flags: JL_RECEIVER_ONLY, JL_BOTH: it receives what is sent
 * there, on the interface of its local address, or the usual one; JL_SENDER_ONLY: it is connected to the
 * group. Returns s, or INVALID_SOCKET: WSAEADDRNOTAVAIL (no group), WSAEISCONN (in one already),
 * WSAEPROTONOSUPPORT (caller_data), WSAEINVAL (flags). An unbound socket is bound. qos, group_qos: ignored.
 * Differs: a receiver sends to the group by WSASendTo only.
 */
WINSOCK_API_LINKAGE SOCKET WSAAPI WSAJoinLeaf(SOCKET s, const struct sockaddr *name, int length,
                                              LPWSABUF caller_data, LPWSABUF callee_data, LPQOS qos,
                                              LPQOS group_qos, DWORD flags) IOCP_SYM(WSAJoinLeaf);

/*
 * Lets another process have the socket: info gets a description to be sent there and given to
 * WSASocket, once. process: its id. The socket here may be closed at once: a copy stays until the other
 * process has taken it or ended. SOCKET_ERROR: WSAEINVAL (no such process), WSAEMFILE. Differs: WSASocket
 * there asks this process, which must still run, and belong to the same user; it says WSAEINVAL if there is
 * nothing to be had, WSAETIMEDOUT after 2 s without an answer.
 */
WINSOCK_API_LINKAGE int WSAAPI WSADuplicateSocketA(SOCKET s, DWORD process,
                                                   LPWSAPROTOCOL_INFOA info) IOCP_SYM(WSADuplicateSocketA);
WINSOCK_API_LINKAGE int WSAAPI WSADuplicateSocketW(SOCKET s, DWORD process,
                                                   LPWSAPROTOCOL_INFOW info) IOCP_SYM(WSADuplicateSocketW);

/*
 * Lists the protocols: TCP and UDP over IPv4 and IPv6. protocols: NULL, or numbers wanted, ended by 0.
 * buffer, *size: room in bytes; *size gets what is needed. Returns how many were written, or
 * SOCKET_ERROR: WSAENOBUFS (room too small). All have XP1_IFS_HANDLES.
 */
WINSOCK_API_LINKAGE int WSAAPI WSAEnumProtocolsA(LPINT protocols, LPWSAPROTOCOL_INFOA buffer,
                                                 LPDWORD size) IOCP_SYM(WSAEnumProtocolsA);
WINSOCK_API_LINKAGE int WSAAPI WSAEnumProtocolsW(LPINT protocols, LPWSAPROTOCOL_INFOW buffer,
                                                 LPDWORD size) IOCP_SYM(WSAEnumProtocolsW);

/* ---------- data, overlapped ---------- */

/*
 * Sends the `count` buffers one after the other. On a stream all of it is sent before the operation
 * completes, unless the socket is non-blocking and the call not overlapped. bytes: gets the bytes sent
 * if the call is done at once; may be NULL with overlapped. flags: MSG_OOB, MSG_DONTROUTE, MSG_PARTIAL.
 * Errors: WSAENOTCONN, WSAESHUTDOWN, WSAECONNRESET, WSAECONNABORTED, WSAEWOULDBLOCK, WSAEMSGSIZE,
 * WSA_IO_PENDING, WSA_OPERATION_ABORTED (cancelled). Sends keep their order. Never a signal.
 */
WINSOCK_API_LINKAGE int WSAAPI WSASend(SOCKET s, LPWSABUF buffers, DWORD count, LPDWORD bytes, DWORD flags,
                                       LPWSAOVERLAPPED overlapped,
                                       LPWSAOVERLAPPED_COMPLETION_ROUTINE routine) IOCP_SYM(WSASend);

/* WSASend to an address; `to` (to_length bytes) is read during the call. Further: WSAEDESTADDRREQ,
 * WSAEAFNOSUPPORT, WSAEADDRNOTAVAIL, WSAEHOSTUNREACH, WSAENETUNREACH, WSAEACCES (broadcast not allowed). */
WINSOCK_API_LINKAGE int WSAAPI WSASendTo(SOCKET s, LPWSABUF buffers, DWORD count, LPDWORD bytes, DWORD flags,
                                         const struct sockaddr *to, int to_length, LPWSAOVERLAPPED overlapped,
                                         LPWSAOVERLAPPED_COMPLETION_ROUTINE routine) IOCP_SYM(WSASendTo);

/*
 * Receives into the `count` buffers. A stream gives what is there, at least one byte; 0 bytes: the other
 * side has ended its sending. A buffer of length 0 waits for data and takes none. flags: in and out,
 * not NULL: MSG_PEEK, MSG_OOB, MSG_WAITALL, MSG_PARTIAL; read during the call. bytes: as WSASend.
 * Errors: WSAENOTCONN, WSAESHUTDOWN, WSAECONNRESET, WSAECONNABORTED, WSAENETRESET, WSAEWOULDBLOCK,
 * WSAEMSGSIZE (datagram cut; the bytes count all the same), WSAETIMEDOUT, WSA_IO_PENDING,
 * WSA_OPERATION_ABORTED, WSAEINTR (a blocking call, and another thread has closed the socket), WSAEINVAL
 * (count 0). Several receives are filled in the order of the calls.
 */
WINSOCK_API_LINKAGE int WSAAPI WSARecv(SOCKET s, LPWSABUF buffers, DWORD count, LPDWORD bytes, LPDWORD flags,
                                       LPWSAOVERLAPPED overlapped,
                                       LPWSAOVERLAPPED_COMPLETION_ROUTINE routine) IOCP_SYM(WSARecv);

/* WSARecv that tells the sender: from gets the address, *from_length (in: room) its length; both may be
 * NULL and, overlapped, must live until completion. On a stream they are left alone. */
WINSOCK_API_LINKAGE int WSAAPI WSARecvFrom(SOCKET s, LPWSABUF buffers, DWORD count, LPDWORD bytes,
                                           LPDWORD flags, struct sockaddr *from, LPINT from_length,
                                           LPWSAOVERLAPPED overlapped,
                                           LPWSAOVERLAPPED_COMPLETION_ROUTINE routine) IOCP_SYM(WSARecvFrom);

/* Sends a message with address and control data (WSA_CMSG_*), datagrams and raw sockets. message and
 * what it points to live until completion. flags: MSG_DONTROUTE. Errors as WSASendTo. */
WINSOCK_API_LINKAGE int WSAAPI WSASendMsg(SOCKET s, LPWSAMSG message, DWORD flags, LPDWORD bytes,
                                          LPWSAOVERLAPPED overlapped,
                                          LPWSAOVERLAPPED_COMPLETION_ROUTINE routine) IOCP_SYM(WSASendMsg);

/*
 * The result of an overlapped operation. wait: TRUE blocks until it is done. bytes: gets the count;
 * flags: gets the flags of a receive (not NULL). TRUE, or FALSE: WSA_IO_INCOMPLETE (not done and
 * wait FALSE), or the operation's own error as a WSA code. Page: WSAGetOverlappedResult.
 */
WINSOCK_API_LINKAGE BOOL WSAAPI WSAGetOverlappedResult(SOCKET s, LPWSAOVERLAPPED overlapped, LPDWORD bytes,
                                                       BOOL wait, LPDWORD flags)
    IOCP_SYM(WSAGetOverlappedResult);

/* shutdown(SD_SEND) and shutdown(SD_RECEIVE). data must be NULL: no protocol here can carry it. */
WINSOCK_API_LINKAGE int WSAAPI WSASendDisconnect(SOCKET s, LPWSABUF data) IOCP_SYM(WSASendDisconnect);
WINSOCK_API_LINKAGE int WSAAPI WSARecvDisconnect(SOCKET s, LPWSABUF data) IOCP_SYM(WSARecvDisconnect);

/* ---------- events and readiness ---------- */

/* A manual-reset event, nonsignalled; an ordinary event object. WSA_INVALID_EVENT on failure. */
WINSOCK_API_LINKAGE WSAEVENT WSAAPI WSACreateEvent(void) IOCP_SYM(WSACreateEvent);
/* CloseHandle, SetEvent and ResetEvent. FALSE: WSA_INVALID_HANDLE. */
WINSOCK_API_LINKAGE BOOL WSAAPI WSACloseEvent(WSAEVENT event) IOCP_SYM(WSACloseEvent);
WINSOCK_API_LINKAGE BOOL WSAAPI WSASetEvent(WSAEVENT event) IOCP_SYM(WSASetEvent);
WINSOCK_API_LINKAGE BOOL WSAAPI WSAResetEvent(WSAEVENT event) IOCP_SYM(WSAResetEvent);

/*
 * WaitForMultipleObjectsEx: count 1 to 64 events, all or any, timeout in milliseconds or WSA_INFINITE.
 * WSA_WAIT_EVENT_0 + index, WSA_WAIT_TIMEOUT, WSA_WAIT_IO_COMPLETION (alertable, a routine ran) or
 * WSA_WAIT_FAILED: WSA_INVALID_HANDLE, WSA_INVALID_PARAMETER.
 */
WINSOCK_API_LINKAGE DWORD WSAAPI WSAWaitForMultipleEvents(DWORD count, const WSAEVENT *events, BOOL all,
                                                          DWORD timeout, BOOL alertable)
    IOCP_SYM(WSAWaitForMultipleEvents);

/*
 * From now on sets `event` when one of the FD_* conditions in `mask` arises, and makes the socket
 * non-blocking. event NULL and mask 0: no more. 0, or SOCKET_ERROR: WSAEINVAL.
 */
WINSOCK_API_LINKAGE int WSAAPI WSAEventSelect(SOCKET s, WSAEVENT event, LONG mask) IOCP_SYM(WSAEventSelect);

/* What has arisen since the last call; clears the record, and resets event (may be NULL) with it. */
WINSOCK_API_LINKAGE int WSAAPI WSAEnumNetworkEvents(SOCKET s, WSAEVENT event, LPWSANETWORKEVENTS events)
    IOCP_SYM(WSAEnumNetworkEvents);

/*
 * Waits until one of `count` sockets is ready or `timeout` milliseconds are over (0: only looks;
 * negative: no limit). Returns how many have revents, 0 on time-out, SOCKET_ERROR: WSAEINVAL, WSAENOBUFS.
 * A connect that failed is reported as POLLHUP | POLLERR | POLLWRNORM.
 */
WINSOCK_API_LINKAGE int WSAAPI WSAPoll(LPWSAPOLLFD sockets, ULONG count, INT timeout) IOCP_SYM(WSAPoll);

/*
 * Changes the registrations of sockets with a port, each as its `operation` says and its registrationResult
 * answers (0; ERROR_INVALID_PARAMETER: flags, another port; ERROR_NOT_FOUND: not registered;
 * ERROR_ALREADY_EXISTS: it is just being removed; a WSA code), and then dequeues as
 * GetQueuedCompletionStatusEx does, for up to `timeout` milliseconds; without room (`timeout` 0, no entries)
 * it does not. Packets of a registration have its key, no OVERLAPPED, and for bytes what is so when they are
 * dequeued (SOCK_NOTIFY_EVENT_...), one at a time for each socket: by levels as long as it is so, by edges
 * what was not so before. An edge ends when a call of the library would have blocked; POSIX calls do not
 * count. closesocket ends a registration without a packet, SOCK_NOTIFY_OP_REMOVE with one that says
 * SOCK_NOTIFY_EVENT_REMOVE; SOCK_NOTIFY_OP_DISABLE gives none. Returns 0, WAIT_TIMEOUT, WSAEINVAL (what goes
 * with what), ERROR_INVALID_HANDLE, ERROR_ABANDONED_WAIT_0 (the port was closed).
 */
WINSOCK_API_LINKAGE DWORD WSAAPI ProcessSocketNotifications(HANDLE port, UINT32 registration_count,
                                                            SOCK_NOTIFY_REGISTRATION *registrations,
                                                            UINT32 timeout, ULONG room,
                                                            LPOVERLAPPED_ENTRY entries, UINT32 *removed)
    IOCP_SYM(ProcessSocketNotifications);

/* What such a packet says. */
FORCEINLINE UINT32 SocketNotificationRetrieveEvents(LPOVERLAPPED_ENTRY entry)
{
    return entry->dwNumberOfBytesTransferred;
}

/* Whether s is in the set: FD_ISSET. */
WINSOCK_API_LINKAGE int WSAAPI __WSAFDIsSet(SOCKET s, iocp_fd_set *set) IOCP_SYM(__WSAFDIsSet);

/* ---------- addresses as text ---------- */

/*
 * "1.2.3.4", "1.2.3.4:80", "fe80::1%2", "[::1]:80" from and to a sockaddr. info: NULL or ignored.
 * *length: in, room (bytes for an address, characters for text); out, what was used or is needed,
 * the terminating zero included. 0, or SOCKET_ERROR: WSAEINVAL (no such address), WSAEFAULT (room).
 */
WINSOCK_API_LINKAGE INT WSAAPI WSAStringToAddressA(LPSTR text, INT family, LPWSAPROTOCOL_INFOA info,
                                                   LPSOCKADDR address, LPINT length)
    IOCP_SYM(WSAStringToAddressA);
WINSOCK_API_LINKAGE INT WSAAPI WSAStringToAddressW(LPWSTR text, INT family, LPWSAPROTOCOL_INFOW info,
                                                   LPSOCKADDR address, LPINT length)
    IOCP_SYM(WSAStringToAddressW);
WINSOCK_API_LINKAGE INT WSAAPI WSAAddressToStringA(LPSOCKADDR address, DWORD address_length,
                                                   LPWSAPROTOCOL_INFOA info, LPSTR text, LPDWORD length)
    IOCP_SYM(WSAAddressToStringA);
WINSOCK_API_LINKAGE INT WSAAPI WSAAddressToStringW(LPSOCKADDR address, DWORD address_length,
                                                   LPWSAPROTOCOL_INFOW info, LPWSTR text, LPDWORD length)
    IOCP_SYM(WSAAddressToStringW);

/* The name of this machine in 16-bit characters; length: room in characters. SOCKET_ERROR: WSAEFAULT. */
WINSOCK_API_LINKAGE int WSAAPI GetHostNameW(PWSTR name, int length) IOCP_SYM(GetHostNameW);

/* htonl, htons, ntohl, ntohs through a pointer; the socket must be one, and is else not looked at. */
WINSOCK_API_LINKAGE int WSAAPI WSAHtonl(SOCKET s, iocp_u_long host, iocp_u_long *net) IOCP_SYM(WSAHtonl);
WINSOCK_API_LINKAGE int WSAAPI WSAHtons(SOCKET s, USHORT host, USHORT *net) IOCP_SYM(WSAHtons);
WINSOCK_API_LINKAGE int WSAAPI WSANtohl(SOCKET s, iocp_u_long net, iocp_u_long *host) IOCP_SYM(WSANtohl);
WINSOCK_API_LINKAGE int WSAAPI WSANtohs(SOCKET s, USHORT net, USHORT *host) IOCP_SYM(WSANtohs);

#ifdef UNICODE
#define WSASocket          WSASocketW
#define WSAConnectByName   WSAConnectByNameW
#define WSADuplicateSocket WSADuplicateSocketW
#define WSAEnumProtocols   WSAEnumProtocolsW
#define WSAStringToAddress WSAStringToAddressW
#define WSAAddressToString WSAAddressToStringW
#else
#define WSASocket          WSASocketA
#define WSAConnectByName   WSAConnectByNameA
#define WSADuplicateSocket WSADuplicateSocketA
#define WSAEnumProtocols   WSAEnumProtocolsA
#define WSAStringToAddress WSAStringToAddressA
#define WSAAddressToString WSAAddressToStringA
#endif

/* Pointers to functions, as programs that load them by name declare them. */
typedef int(WSAAPI *LPFN_WSASTARTUP)(WORD version, LPWSADATA data);
typedef int(WSAAPI *LPFN_WSACLEANUP)(void);
typedef int(WSAAPI *LPFN_WSAGETLASTERROR)(void);
typedef int(WSAAPI *LPFN_CLOSESOCKET)(SOCKET s);
typedef int(WSAAPI *LPFN_WSASEND)(SOCKET, LPWSABUF, DWORD, LPDWORD, DWORD, LPWSAOVERLAPPED,
                                  LPWSAOVERLAPPED_COMPLETION_ROUTINE);
typedef int(WSAAPI *LPFN_WSARECV)(SOCKET, LPWSABUF, DWORD, LPDWORD, LPDWORD, LPWSAOVERLAPPED,
                                  LPWSAOVERLAPPED_COMPLETION_ROUTINE);
typedef BOOL(WSAAPI *LPFN_WSAGETOVERLAPPEDRESULT)(SOCKET, LPWSAOVERLAPPED, LPDWORD, BOOL, LPDWORD);

#ifdef __cplusplus
}
#endif

#endif
