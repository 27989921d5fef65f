/* SPDX-License-Identifier: MIT */
/* netioapi.h: names and numbers of interfaces. */
#include "base/text.h"
#include "io/resolve.h"

#include <windows.h>
#include <netioapi.h>
#include <stdlib.h>
#include <string.h>

NET_IFINDEX WINAPI if_nametoindex(PCSTR name)
{
    uint32_t index = 0;

    return name && resolve_interface(name, &index) == 0 ? index : 0;
}

PCHAR WINAPI if_indextoname(NET_IFINDEX index, PCHAR name)
{
    return name && resolve_interface_name(index, name) == 0 ? name : NULL;
}

DWORD WINAPI ConvertInterfaceIndexToLuid(NET_IFINDEX InterfaceIndex, PNET_LUID InterfaceLuid)
{
    char name[IF_NAMESIZE];

    if (!InterfaceLuid)
        return ERROR_INVALID_PARAMETER;
    InterfaceLuid->Value = 0;
    if (resolve_interface_name(InterfaceIndex, name) != 0)
        return ERROR_FILE_NOT_FOUND;
    InterfaceLuid->Info.NetLuidIndex = InterfaceIndex;
    return NO_ERROR;
}

DWORD WINAPI ConvertInterfaceLuidToIndex(const NET_LUID *InterfaceLuid, PNET_IFINDEX InterfaceIndex)
{
    char name[IF_NAMESIZE];
    NET_IFINDEX index;

    if (!InterfaceLuid || !InterfaceIndex)
        return ERROR_INVALID_PARAMETER;
    index = (NET_IFINDEX)InterfaceLuid->Info.NetLuidIndex;
    if (resolve_interface_name(index, name) != 0)
        return *InterfaceIndex = 0, ERROR_FILE_NOT_FOUND;
    *InterfaceIndex = index;
    return NO_ERROR;
}

DWORD WINAPI ConvertInterfaceLuidToNameA(const NET_LUID *InterfaceLuid, PSTR InterfaceName, SIZE_T Length)
{
    char name[IF_NAMESIZE];

    if (!InterfaceLuid || !InterfaceName ||
        resolve_interface_name((NET_IFINDEX)InterfaceLuid->Info.NetLuidIndex, name) != 0)
        return ERROR_INVALID_PARAMETER;
    if (strlen(name) >= Length)
        return ERROR_NOT_ENOUGH_MEMORY;
    memcpy(InterfaceName, name, strlen(name) + 1);
    return NO_ERROR;
}

DWORD WINAPI ConvertInterfaceLuidToNameW(const NET_LUID *InterfaceLuid, PWSTR InterfaceName, SIZE_T Length)
{
    char name[IF_NAMESIZE];
    DWORD error = ConvertInterfaceLuidToNameA(InterfaceLuid, InterfaceName ? name : NULL, sizeof name);
    uint16_t *wide;

    if (error != NO_ERROR)
        return error;
    wide = text_utf16_new(name);
    if (!wide)
        return ERROR_NOT_ENOUGH_MEMORY;
    if (text_length16(wide) < Length)
        memcpy(InterfaceName, wide, (text_length16(wide) + 1) * sizeof *wide);
    else
        error = ERROR_NOT_ENOUGH_MEMORY;
    free(wide);
    return error;
}

DWORD WINAPI ConvertInterfaceNameToLuidA(PCSTR InterfaceName, PNET_LUID InterfaceLuid)
{
    uint32_t index = 0;

    if (!InterfaceLuid)
        return ERROR_INVALID_PARAMETER;
    InterfaceLuid->Value = 0;
    if (!InterfaceName || resolve_interface(InterfaceName, &index) != 0)
        return ERROR_INVALID_NAME;
    InterfaceLuid->Info.NetLuidIndex = index;
    return NO_ERROR;
}

DWORD WINAPI ConvertInterfaceNameToLuidW(PCWSTR InterfaceName, PNET_LUID InterfaceLuid)
{
    char *name = text_utf8_new((const uint16_t *)InterfaceName);
    DWORD error = ConvertInterfaceNameToLuidA(name, InterfaceLuid);

    free(name);
    return error;
}
