/* SPDX-License-Identifier: MIT */
/* fibersapi.h: values per thread with a callback. There are no fibers here: FLS is TLS plus that. */
#include "api/api.h"
#include "wait/tls.h"

#include <ntstatus.h>
#include <windows.h>

DWORD WINAPI FlsAlloc(PFLS_CALLBACK_FUNCTION lpCallback)
{
    uint32_t index = slot_alloc(SPACE_FLS, lpCallback);

    if (index == SLOT_NONE)
        win32_fail(STATUS_NO_MEMORY);
    return index;
}

BOOL WINAPI FlsFree(DWORD dwFlsIndex)
{
    return win32_result(slot_free(SPACE_FLS, dwFlsIndex) ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER);
}

PVOID WINAPI FlsGetValue(DWORD dwFlsIndex)
{
    if (!slot_valid(SPACE_FLS, dwFlsIndex))
        return win32_fail(STATUS_INVALID_PARAMETER), NULL;
    last_error_set(ERROR_SUCCESS);
    return slot_get(SPACE_FLS, dwFlsIndex);
}

BOOL WINAPI FlsSetValue(DWORD dwFlsIndex, PVOID lpFlsData)
{
    if (!slot_valid(SPACE_FLS, dwFlsIndex))
        return win32_result(STATUS_INVALID_PARAMETER);
    return win32_result(slot_set(SPACE_FLS, dwFlsIndex, lpFlsData) ? STATUS_SUCCESS : STATUS_NO_MEMORY);
}

BOOL WINAPI IsThreadAFiber(void)
{
    return FALSE;
}
