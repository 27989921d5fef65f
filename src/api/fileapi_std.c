/* SPDX-License-Identifier: MIT */
/*
 * Standard handles.
 */
#include <windows.h>

#include "api/api.h"
#include "io/std.h"

static bool which_of(DWORD number, unsigned *which)
{
    switch (number) {
    case STD_INPUT_HANDLE:
        *which = STD_IN;
        return true;
    case STD_OUTPUT_HANDLE:
        *which = STD_OUT;
        return true;
    case STD_ERROR_HANDLE:
        *which = STD_ERR;
        return true;
    default:
        last_error_set(ERROR_INVALID_HANDLE);
        return false;
    }
}

HANDLE WINAPI GetStdHandle(DWORD nStdHandle)
{
    unsigned which;

    return which_of(nStdHandle, &which) ? (HANDLE)std_handle(which) : INVALID_HANDLE_VALUE;
}

BOOL WINAPI SetStdHandle(DWORD nStdHandle, HANDLE hHandle)
{
    unsigned which;

    if (!which_of(nStdHandle, &which))
        return FALSE;
    std_set_handle(which, (uintptr_t)hHandle);
    return TRUE;
}
