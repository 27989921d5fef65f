/* SPDX-License-Identifier: MIT */
/*
 * iocp_netname.h: the part of ws2tcpip.h whose names POSIX does not have, for ws2tcpip.h and iocp.h.
 */
#ifndef IOCP_NETNAME_H
#define IOCP_NETNAME_H

#include <iocp_net.h>
#include <ws2ipdef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* getaddrinfo, freeaddrinfo and getnameinfo (ws2tcpip.h) with strings of 16-bit characters; sizes in
 * characters. A list of GetAddrInfoW is freed by FreeAddrInfoW only. */
WINSOCK_API_LINKAGE INT WSAAPI GetAddrInfoW(PCWSTR node, PCWSTR service, const ADDRINFOW *hints,
                                            PADDRINFOW *result) IOCP_SYM(GetAddrInfoW);
WINSOCK_API_LINKAGE VOID WSAAPI FreeAddrInfoW(PADDRINFOW list) IOCP_SYM(FreeAddrInfoW);
WINSOCK_API_LINKAGE INT WSAAPI GetNameInfoW(const SOCKADDR *address, iocp_socklen_t length, PWCHAR host,
                                            DWORD host_size, PWCHAR service, DWORD service_size,
                                            INT flags) IOCP_SYM(GetNameInfoW);

/* inet_pton and inet_ntop (ws2tcpip.h) in 16-bit characters; size in characters. */
WINSOCK_API_LINKAGE INT WSAAPI InetPtonW(INT family, PCWSTR text, PVOID address) IOCP_SYM(InetPtonW);
WINSOCK_API_LINKAGE PCWSTR WSAAPI InetNtopW(INT family, const VOID *address, PWSTR text, size_t size)
    IOCP_SYM(InetNtopW);

/* The text of an EAI_* code, in a buffer that all threads share, as on Windows. */
WINSOCK_API_LINKAGE char *WSAAPI gai_strerrorA(int error) IOCP_SYM(gai_strerrorA);
WINSOCK_API_LINKAGE WCHAR *WSAAPI gai_strerrorW(int error) IOCP_SYM(gai_strerrorW);
#define GAI_STRERROR_BUFFER_SIZE 1024

#ifdef __cplusplus
}
#endif

#endif
