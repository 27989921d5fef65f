/* SPDX-License-Identifier: MIT */
/* netioapi.h: names and numbers of interfaces. Pages: learn.microsoft.com/windows/win32/api/netioapi/. */
#ifndef IOCP_NETIOAPI_H
#define IOCP_NETIOAPI_H

#include <iocp_net.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef IF_NAMESIZE
#define IF_NAMESIZE 256
#endif
#define IF_MAX_STRING_SIZE 256

typedef ULONG NET_IFINDEX, *PNET_IFINDEX;
typedef NET_IFINDEX IF_INDEX, *PIF_INDEX;

#ifndef IOCP_POSIX_NET
/* The index of the interface called `name` ("eth0"), 0 if there is none. */
IOCP_API NET_IFINDEX WINAPI if_nametoindex(PCSTR name) IOCP_SYM(if_nametoindex);

/* The name of the interface; name: room for IF_NAMESIZE bytes. name, or NULL if there is none. */
IOCP_API PCHAR WINAPI if_indextoname(NET_IFINDEX index, PCHAR name) IOCP_SYM(if_indextoname);
#endif

/* Stands for an interface; here its index (NetLuidIndex) and nothing else. */
typedef union _NET_LUID_LH {
    ULONG64 Value;
    struct {
        ULONG64 Reserved : 24;
        ULONG64 NetLuidIndex : 24;
        ULONG64 IfType : 16;
    } Info;
} NET_LUID_LH, *PNET_LUID_LH;
typedef NET_LUID_LH NET_LUID, *PNET_LUID, IF_LUID, *PIF_LUID;

/*
 * Between index, LUID and name ("eth0"; size: characters the buffer holds). They answer NO_ERROR or the
 * error: ERROR_FILE_NOT_FOUND and ERROR_INVALID_NAME (no such interface), ERROR_NOT_ENOUGH_MEMORY (the name
 * does not fit), ERROR_INVALID_PARAMETER.
 */
IOCP_API DWORD WINAPI ConvertInterfaceIndexToLuid(NET_IFINDEX index, PNET_LUID luid)
    IOCP_SYM(ConvertInterfaceIndexToLuid);
IOCP_API DWORD WINAPI ConvertInterfaceLuidToIndex(const NET_LUID *luid, PNET_IFINDEX index)
    IOCP_SYM(ConvertInterfaceLuidToIndex);
IOCP_API DWORD WINAPI ConvertInterfaceLuidToNameA(const NET_LUID *luid, PSTR name, SIZE_T size)
    IOCP_SYM(ConvertInterfaceLuidToNameA);
IOCP_API DWORD WINAPI ConvertInterfaceLuidToNameW(const NET_LUID *luid, PWSTR name, SIZE_T size)
    IOCP_SYM(ConvertInterfaceLuidToNameW);
IOCP_API DWORD WINAPI ConvertInterfaceNameToLuidA(PCSTR name, PNET_LUID luid)
    IOCP_SYM(ConvertInterfaceNameToLuidA);
IOCP_API DWORD WINAPI ConvertInterfaceNameToLuidW(PCWSTR name, PNET_LUID luid)
    IOCP_SYM(ConvertInterfaceNameToLuidW);

#ifdef UNICODE
#define ConvertInterfaceLuidToName ConvertInterfaceLuidToNameW
#define ConvertInterfaceNameToLuid ConvertInterfaceNameToLuidW
#else
#define ConvertInterfaceLuidToName ConvertInterfaceLuidToNameA
#define ConvertInterfaceNameToLuid ConvertInterfaceNameToLuidA
#endif

#ifdef __cplusplus
}
#endif

#endif
