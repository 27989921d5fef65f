/* SPDX-License-Identifier: MIT */
/*
 * ws2tcpip.h: names and addresses for TCP/IP: getaddrinfo and its kin, inet_pton, inet_ntop. What POSIX
 * has no name for is in iocp_netname.h. Pages: learn.microsoft.com/windows/win32/api/ws2tcpip/.
 */
#ifndef _WS2TCPIP_H_
#define _WS2TCPIP_H_

#include <winsock2.h>
#include <ws2ipdef.h>
#include <iocp_netname.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What getaddrinfo and getnameinfo return: WSA codes, and also the last error. */
#define EAI_AGAIN    WSATRY_AGAIN
#define EAI_BADFLAGS WSAEINVAL
#define EAI_FAIL     WSANO_RECOVERY
#define EAI_FAMILY   WSAEAFNOSUPPORT
#define EAI_MEMORY   WSA_NOT_ENOUGH_MEMORY
#define EAI_NOSECURENAME WSA_SECURE_HOST_NOT_FOUND
#define EAI_NODATA   WSAHOST_NOT_FOUND
#define EAI_NONAME   WSAHOST_NOT_FOUND
#define EAI_SERVICE  WSATYPE_NOT_FOUND
#define EAI_SOCKTYPE WSAESOCKTNOSUPPORT

#ifndef WSA_SECURE_HOST_NOT_FOUND
#define WSA_SECURE_HOST_NOT_FOUND 11032
#endif

/*
 * Addresses of `node` (a name or a numeric address; may be NULL) and `service` (a name or a port; may
 * be NULL; not both NULL). hints: NULL, or what is wanted. *result: gets a list to be given to
 * freeaddrinfo. Blocks while a name server is asked. 0, or an EAI_* code.
 * Differs: answers come from the C library's resolver (nsswitch.conf, /etc/hosts).
 */
WINSOCK_API_LINKAGE INT WSAAPI getaddrinfo(PCSTR node, PCSTR service, const ADDRINFOA *hints,
                                           PADDRINFOA *result) IOCP_SYM(getaddrinfo);
WINSOCK_API_LINKAGE VOID WSAAPI freeaddrinfo(PADDRINFOA list) IOCP_SYM(freeaddrinfo);

/*
 * Name and service of an address (length bytes); host, serv: room in bytes, or NULL and 0.
 * flags: NI_*. 0, or an EAI_* code (WSAEFAULT: room too small).
 */
WINSOCK_API_LINKAGE INT WSAAPI getnameinfo(const SOCKADDR *address, socklen_t length, PCHAR host,
                                           DWORD host_size, PCHAR service, DWORD service_size,
                                           INT flags) IOCP_SYM(getnameinfo);

/* Text to address (a struct in_addr or in6_addr). 1, or 0 (the text is no address), or -1:
 * WSAEAFNOSUPPORT, WSAEFAULT. */
WINSOCK_API_LINKAGE INT WSAAPI inet_pton(INT family, PCSTR text, PVOID address) IOCP_SYM(inet_pton);

/* Address to text; size: room in bytes. text, or NULL: WSAEAFNOSUPPORT, WSA_INVALID_PARAMETER (room). */
WINSOCK_API_LINKAGE PCSTR WSAAPI inet_ntop(INT family, const VOID *address, PSTR text, size_t size)
    IOCP_SYM(inet_ntop);

#define GetAddrInfoA  getaddrinfo
#define FreeAddrInfoA freeaddrinfo
#define GetNameInfoA  getnameinfo
#define InetPtonA     inet_pton
#define InetNtopA     inet_ntop

#ifdef UNICODE
#define GetAddrInfo  GetAddrInfoW
#define FreeAddrInfo FreeAddrInfoW
#define GetNameInfo  GetNameInfoW
#define InetPton     InetPtonW
#define InetNtop     InetNtopW
#define gai_strerror gai_strerrorW
#else
#define GetAddrInfo  GetAddrInfoA
#define FreeAddrInfo FreeAddrInfoA
#define GetNameInfo  GetNameInfoA
#define InetPton     InetPtonA
#define InetNtop     InetNtopA
#define gai_strerror gai_strerrorA
#endif

typedef INT(WSAAPI *LPFN_GETADDRINFO)(PCSTR node, PCSTR service, const ADDRINFOA *hints, PADDRINFOA *result);
typedef VOID(WSAAPI *LPFN_FREEADDRINFO)(PADDRINFOA list);
typedef INT(WSAAPI *LPFN_GETNAMEINFO)(const SOCKADDR *address, socklen_t length, PCHAR host, DWORD host_size,
                                      PCHAR service, DWORD service_size, INT flags);

#ifdef __cplusplus
}
#endif

#endif
