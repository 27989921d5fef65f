/* SPDX-License-Identifier: MIT */
/* netioapi.h: names and numbers of interfaces. */
#include "io/resolve.h"

#include <windows.h>
#include <netioapi.h>

NET_IFINDEX WINAPI if_nametoindex(PCSTR name)
{
    uint32_t index = 0;

    return name && resolve_interface(name, &index) == 0 ? index : 0;
}

PCHAR WINAPI if_indextoname(NET_IFINDEX index, PCHAR name)
{
    return name && resolve_interface_name(index, name) == 0 ? name : NULL;
}
