/* SPDX-License-Identifier: MIT */
/*
 * The last error, and the error mode, which is kept and otherwise without effect: nothing here
 * opens a dialogue box. RtlNtStatusToDosError stands with them.
 */
#include <windows.h>
#include <winternl.h>

#include "api/api.h"
#include "base/status.h"

#include <stdatomic.h>

DWORD WINAPI GetLastError(void)
{
    return last_error_get();
}

void WINAPI SetLastError(DWORD dwErrCode)
{
    last_error_set(dwErrCode);
}

static _Atomic UINT error_mode;

UINT WINAPI SetErrorMode(UINT uMode)
{
    return atomic_exchange(&error_mode, uMode);
}

UINT WINAPI GetErrorMode(void)
{
    return atomic_load(&error_mode);
}

ULONG NTAPI RtlNtStatusToDosError(NTSTATUS Status)
{
    return status_to_dos_error((uint32_t)Status);
}
