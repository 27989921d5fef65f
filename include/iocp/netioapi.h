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

#ifdef __cplusplus
}
#endif

#endif
