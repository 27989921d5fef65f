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

/* Name spaces; others than these two give WSASERVICE_NOT_FOUND. */
#define NS_ALL 0
#define NS_DNS 12

typedef void(CALLBACK *LPLOOKUPSERVICE_COMPLETION_ROUTINE)(DWORD error, DWORD bytes,
                                                           LPWSAOVERLAPPED overlapped);

/*
 * GetAddrInfoW that need not block. node, service, hints: as there (what of hints is not asked for is 0, or
 * WSANO_RECOVERY). space: NS_ALL or NS_DNS; provider: NULL. result: gets a list for FreeAddrInfoExW, when
 * it is done. timeout: NULL, or how long it may take, then WSAETIMEDOUT. overlapped NULL: blocks, and routine
 * and handle are NULL. Else there is either an event in hEvent, or a routine, called on a thread of the
 * thread pool (WSAEINVAL: both, or neither); handle, if not NULL, gets what GetAddrInfoExCancel takes. result
 * and overlapped live until then. 0, WSA_IO_PENDING, an EAI_* code, WSA_INVALID_HANDLE (the event). The A
 * form only blocks, without timeout.
 */
WINSOCK_API_LINKAGE INT WSAAPI GetAddrInfoExW(PCWSTR node, PCWSTR service, DWORD space, LPGUID provider,
                                              const ADDRINFOEXW *hints, PADDRINFOEXW *result,
                                              struct iocp_timeval *timeout, LPOVERLAPPED overlapped,
                                              LPLOOKUPSERVICE_COMPLETION_ROUTINE routine, LPHANDLE handle)
    IOCP_SYM(GetAddrInfoExW);
WINSOCK_API_LINKAGE INT WSAAPI GetAddrInfoExA(PCSTR node, PCSTR service, DWORD space, LPGUID provider,
                                              const ADDRINFOEXA *hints, PADDRINFOEXA *result,
                                              struct iocp_timeval *timeout, LPOVERLAPPED overlapped,
                                              LPLOOKUPSERVICE_COMPLETION_ROUTINE routine, LPHANDLE handle)
    IOCP_SYM(GetAddrInfoExA);

/* Ends an overlapped query with WSA_E_CANCELLED, at once, by its event or routine. 0, or WSA_INVALID_HANDLE:
 * no such query, or it is done already. */
WINSOCK_API_LINKAGE INT WSAAPI GetAddrInfoExCancel(LPHANDLE handle) IOCP_SYM(GetAddrInfoExCancel);
/* How an overlapped query ended: 0 or its code; WSAEINPROGRESS: not yet; WSAEINVAL: NULL. */
WINSOCK_API_LINKAGE INT WSAAPI GetAddrInfoExOverlappedResult(LPOVERLAPPED overlapped)
    IOCP_SYM(GetAddrInfoExOverlappedResult);
WINSOCK_API_LINKAGE VOID WSAAPI FreeAddrInfoEx(PADDRINFOEXA list) IOCP_SYM(FreeAddrInfoEx);
WINSOCK_API_LINKAGE VOID WSAAPI FreeAddrInfoExW(PADDRINFOEXW list) IOCP_SYM(FreeAddrInfoExW);

#ifdef UNICODE
typedef ADDRINFOEXW ADDRINFOEX, *PADDRINFOEX;
#define GetAddrInfoEx  GetAddrInfoExW
#else
typedef ADDRINFOEXA ADDRINFOEX, *PADDRINFOEX;
#define GetAddrInfoEx  GetAddrInfoExA
#endif
#define FreeAddrInfoExA FreeAddrInfoEx

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
