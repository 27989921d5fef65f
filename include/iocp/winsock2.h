/* SPDX-License-Identifier: MIT */
/*
 * winsock2.h: Winsock as Windows sources use it. The functions with the classical names are here; the
 * types, the WSA functions and what all of them have in common (errors, ownership) are in iocp_net.h.
 * Cannot stand in one file with <sys/socket.h> and its kin: new code for Linux includes <iocp.h>.
 * See iocp_netlibc.h for the names that the C library has as well. As on Windows it brings
 * windows.h along, and windows.h without WIN32_LEAN_AND_MEAN brings it.
 */
#ifndef _WINSOCK2API_
#define _WINSOCK2API_
#ifndef _WINSOCKAPI_
#define _WINSOCKAPI_ /* what a program asks for, or defines itself to keep winsock.h out of windows.h */
#endif

#include <iocp_netlibc.h>
#ifndef _INC_WINDOWS
#include <windows.h>
#endif
#include <iocp_net.h>

typedef unsigned char u_char;
typedef unsigned short u_short;
typedef unsigned int u_int;
typedef unsigned long long u_int64;

#ifdef __cplusplus
extern "C" {
#endif

/* Commands of ioctlsocket, spelled as <sys/ioctl.h> spells them. */
#undef FIONREAD
#undef FIONBIO
#undef SIOCATMARK
#define FIONREAD 0x541B
#define FIONBIO 0x5421
#define SIOCATMARK 0x8905

#define MSG_OOB       0x0001
#define MSG_PEEK      0x0002
#define MSG_DONTROUTE 0x0004
#define MSG_WAITALL   0x0100

#define TCP_NODELAY 1 /* of IPPROTO_TCP; the others are in ws2ipdef.h */

#define SOMAXCONN         0x7fffffff /* as many as the system allows */
#define SOMAXCONN_HINT(b) (-(b))

#define h_addr  h_addr_list[0]
#define h_errno WSAGetLastError()
#undef HOST_NOT_FOUND
#undef TRY_AGAIN
#undef NO_RECOVERY
#undef NO_DATA
#undef NO_ADDRESS
#define HOST_NOT_FOUND WSAHOST_NOT_FOUND
#define TRY_AGAIN      WSATRY_AGAIN
#define NO_RECOVERY    WSANO_RECOVERY
#define NO_DATA        WSANO_DATA
#define NO_ADDRESS     WSANO_DATA

typedef struct iocp_fd_set FD_SET, *PFD_SET, *LPFD_SET;
typedef struct iocp_timeval TIMEVAL, *PTIMEVAL, *LPTIMEVAL;
typedef struct linger LINGER, *PLINGER, *LPLINGER;
typedef struct hostent HOSTENT, *PHOSTENT, *LPHOSTENT;
typedef struct servent SERVENT, *PSERVENT, *LPSERVENT;
typedef struct protoent PROTOENT, *PPROTOENT, *LPPROTOENT;

/* Sets of sockets. FD_SET into a full set does nothing, as on Windows. */
#define FD_ZERO(set) (((iocp_fd_set *)(set))->fd_count = 0)

#define FD_SET(socket, set)                                                                        \
    do {                                                                                           \
        SOCKET iocp_s = (SOCKET)(socket);                                                          \
        iocp_fd_set *iocp_set = (iocp_fd_set *)(set);                                              \
        unsigned int iocp_i = 0;                                                                   \
        while (iocp_i < iocp_set->fd_count && iocp_set->fd_array[iocp_i] != iocp_s)                \
            iocp_i++;                                                                              \
        if (iocp_i == iocp_set->fd_count && iocp_i < FD_SETSIZE) {                                 \
            iocp_set->fd_array[iocp_i] = iocp_s;                                                   \
            iocp_set->fd_count++;                                                                  \
        }                                                                                          \
    } while (0)

#define FD_CLR(socket, set)                                                                        \
    do {                                                                                           \
        SOCKET iocp_s = (SOCKET)(socket);                                                          \
        iocp_fd_set *iocp_set = (iocp_fd_set *)(set);                                              \
        unsigned int iocp_i = 0;                                                                   \
        while (iocp_i < iocp_set->fd_count && iocp_set->fd_array[iocp_i] != iocp_s)                \
            iocp_i++;                                                                              \
        if (iocp_i < iocp_set->fd_count) {                                                         \
            iocp_set->fd_count--;                                                                  \
            for (; iocp_i < iocp_set->fd_count; iocp_i++)                                          \
                iocp_set->fd_array[iocp_i] = iocp_set->fd_array[iocp_i + 1];                       \
        }                                                                                          \
    } while (0)

#define FD_ISSET(socket, set) __WSAFDIsSet((SOCKET)(socket), (iocp_fd_set *)(set))

#define timerisset(t) ((t)->tv_sec || (t)->tv_usec)
#define timerclear(t) ((t)->tv_sec = (t)->tv_usec = 0)
#define timercmp(a, b, CMP)                                                                        \
    ((a)->tv_sec != (b)->tv_sec ? (a)->tv_sec CMP (b)->tv_sec : (a)->tv_usec CMP (b)->tv_usec)

/* ---------- sockets ---------- */

/* WSASocket with WSA_FLAG_OVERLAPPED. */
WINSOCK_API_LINKAGE SOCKET WSAAPI socket(int family, int type, int protocol) IOCP_SYM(socket);

/*
 * Gives the socket its local address (length bytes; port 0: any free one). 0, or SOCKET_ERROR:
 * WSAEADDRINUSE, WSAEADDRNOTAVAIL, WSAEACCES, WSAEINVAL (bound already), WSAEAFNOSUPPORT.
 * Differs from plain Linux: connections in TIME_WAIT do not hold the port, as on Windows.
 */
WINSOCK_API_LINKAGE int WSAAPI bind(SOCKET s, const struct sockaddr *address, int length) IOCP_SYM(bind);

/* Begins to take connections; up to `backlog` wait for accept, SOMAXCONN: as many as the system
 * allows. SOCKET_ERROR: WSAEINVAL (not bound), WSAEISCONN, WSAEOPNOTSUPP (not a stream). */
WINSOCK_API_LINKAGE int WSAAPI listen(SOCKET s, int backlog) IOCP_SYM(listen);

/*
 * The next connection as a new socket, which the caller closes; it is blocking or not as s is.
 * address, *length (in: room): get the other side's address; both may be NULL.
 * INVALID_SOCKET: WSAEINVAL (not listening), WSAEWOULDBLOCK, WSAECONNRESET, WSAEFAULT (room), WSAEINTR
 * (the listener was closed).
 */
WINSOCK_API_LINKAGE SOCKET WSAAPI accept(SOCKET s, struct sockaddr *address, int *length) IOCP_SYM(accept);

/*
 * Connects a stream, or fixes the other side of a datagram socket. 0, or SOCKET_ERROR: WSAEWOULDBLOCK
 * (non-blocking: under way), WSAEALREADY, WSAEISCONN, WSAECONNREFUSED, WSAETIMEDOUT, WSAENETUNREACH,
 * WSAEHOSTUNREACH, WSAEADDRNOTAVAIL, WSAEINVAL (listening).
 */
WINSOCK_API_LINKAGE int WSAAPI connect(SOCKET s, const struct sockaddr *address, int length)
    IOCP_SYM(connect);

/* Ends receiving, sending or both (SD_*). Does not close. SOCKET_ERROR: WSAENOTCONN, WSAEINVAL. */
WINSOCK_API_LINKAGE int WSAAPI shutdown(SOCKET s, int how) IOCP_SYM(shutdown);

/* The local and the other side's address; *length in: room, out: used. SOCKET_ERROR: WSAEFAULT (room),
 * WSAENOTCONN (getpeername), WSAEINVAL (getsockname before bind). */
WINSOCK_API_LINKAGE int WSAAPI getsockname(SOCKET s, struct sockaddr *address, int *length)
    IOCP_SYM(getsockname);
WINSOCK_API_LINKAGE int WSAAPI getpeername(SOCKET s, struct sockaddr *address, int *length)
    IOCP_SYM(getpeername);

/*
 * Options: level SOL_SOCKET, IPPROTO_TCP, IPPROTO_IP, IPPROTO_IPV6. value in Windows' shape: times of
 * SO_RCVTIMEO and SO_SNDTIMEO are DWORDs of milliseconds, SO_LINGER a struct linger with two u_shorts.
 * SOCKET_ERROR: WSAENOPROTOOPT (unknown, or without meaning here), WSAEFAULT (length), WSAEINVAL.
 */
WINSOCK_API_LINKAGE int WSAAPI getsockopt(SOCKET s, int level, int option, char *value, int *length)
    IOCP_SYM(getsockopt);
WINSOCK_API_LINKAGE int WSAAPI setsockopt(SOCKET s, int level, int option, const char *value, int length)
    IOCP_SYM(setsockopt);

/* ---------- data ---------- */

/*
 * One buffer of `length` bytes, not overlapped; the number of bytes, or SOCKET_ERROR. Errors, flags
 * and the rest as WSASend, WSARecv, WSASendTo, WSARecvFrom (iocp_net.h). recv: 0 is the end of the
 * stream; a datagram that does not fit fills the buffer and is WSAEMSGSIZE.
 */
WINSOCK_API_LINKAGE int WSAAPI send(SOCKET s, const char *data, int length, int flags) IOCP_SYM(send);
WINSOCK_API_LINKAGE int WSAAPI recv(SOCKET s, char *data, int length, int flags) IOCP_SYM(recv);
WINSOCK_API_LINKAGE int WSAAPI sendto(SOCKET s, const char *data, int length, int flags,
                                      const struct sockaddr *to, int to_length) IOCP_SYM(sendto);
WINSOCK_API_LINKAGE int WSAAPI recvfrom(SOCKET s, char *data, int length, int flags, struct sockaddr *from,
                                        int *from_length) IOCP_SYM(recvfrom);

/*
 * Waits until a socket of the sets can be read, written, or has an exception (out-of-band data, a
 * connect that failed); the sets then hold those that are. count is ignored. timeout NULL: no limit.
 * Returns how many, 0 on time-out, SOCKET_ERROR: WSAEINVAL (all sets empty), WSAENOTSOCK.
 */
WINSOCK_API_LINKAGE int WSAAPI select(int count, fd_set *read, fd_set *write, fd_set *except,
                                      const struct timeval *timeout) IOCP_SYM(select);

/* ---------- byte order, names ---------- */

WINSOCK_API_LINKAGE u_long WSAAPI htonl(u_long host) IOCP_SYM(htonl);
WINSOCK_API_LINKAGE u_short WSAAPI htons(u_short host) IOCP_SYM(htons);
WINSOCK_API_LINKAGE u_long WSAAPI ntohl(u_long net) IOCP_SYM(ntohl);
WINSOCK_API_LINKAGE u_short WSAAPI ntohs(u_short net) IOCP_SYM(ntohs);

/* "1.2.3.4" to an address in network order, INADDR_NONE if it is none; and back, in a buffer of the
 * library that the thread's next call reuses. */
WINSOCK_API_LINKAGE u_long WSAAPI inet_addr(const char *text) IOCP_SYM(inet_addr);
WINSOCK_API_LINKAGE char *WSAAPI inet_ntoa(struct in_addr address) IOCP_SYM(inet_ntoa);

/* The name of this machine; length: room in bytes. SOCKET_ERROR: WSAEFAULT. */
WINSOCK_API_LINKAGE int WSAAPI gethostname(char *name, int length) IOCP_SYM(gethostname);

/* Old ways to look up names; new code calls getaddrinfo. The result is the library's, valid until
 * the thread's next call of the kind. NULL: WSAHOST_NOT_FOUND, WSATRY_AGAIN, WSANO_RECOVERY, WSANO_DATA. */
WINSOCK_API_LINKAGE struct hostent *WSAAPI gethostbyname(const char *name) IOCP_SYM(gethostbyname);
WINSOCK_API_LINKAGE struct hostent *WSAAPI gethostbyaddr(const char *address, int length, int family)
    IOCP_SYM(gethostbyaddr);
WINSOCK_API_LINKAGE struct servent *WSAAPI getservbyname(const char *name, const char *protocol)
    IOCP_SYM(getservbyname);
WINSOCK_API_LINKAGE struct servent *WSAAPI getservbyport(int port, const char *protocol)
    IOCP_SYM(getservbyport);
WINSOCK_API_LINKAGE struct protoent *WSAAPI getprotobyname(const char *name) IOCP_SYM(getprotobyname);
WINSOCK_API_LINKAGE struct protoent *WSAAPI getprotobynumber(int number) IOCP_SYM(getprotobynumber);

/* Pointers to functions, as programs that load them by name declare them. */
typedef SOCKET(WSAAPI *LPFN_ACCEPT)(SOCKET s, struct sockaddr *address, int *length);
typedef int(WSAAPI *LPFN_BIND)(SOCKET s, const struct sockaddr *address, int length);
typedef int(WSAAPI *LPFN_CONNECT)(SOCKET s, const struct sockaddr *address, int length);
typedef int(WSAAPI *LPFN_LISTEN)(SOCKET s, int backlog);
typedef SOCKET(WSAAPI *LPFN_SOCKET)(int family, int type, int protocol);
typedef int(WSAAPI *LPFN_SEND)(SOCKET s, const char *data, int length, int flags);
typedef int(WSAAPI *LPFN_RECV)(SOCKET s, char *data, int length, int flags);
typedef int(WSAAPI *LPFN_SELECT)(int count, fd_set *read, fd_set *write, fd_set *except,
                                 const struct timeval *timeout);

#ifdef __cplusplus
}
#endif

#endif
