/* SPDX-License-Identifier: MIT */
/*
 * processtopologyapi.h: groups of processors. There is one, number 0, with the first 64.
 * Page: "processtopologyapi.h header", learn.microsoft.com/windows/win32/api/processtopologyapi/.
 */
#ifndef _PROCESSTOPOLOGYAPI_H_
#define _PROCESSTOPOLOGYAPI_H_

#include <minwinbase.h>

IOCP_EXTERN_C_BEGIN

/* On which processors the thread may run. *previous, which may be NULL, gets what it was. FALSE:
 * ERROR_INVALID_PARAMETER (another group, no such processor), ERROR_INVALID_HANDLE. */
WINBASEAPI BOOL WINAPI SetThreadGroupAffinity(HANDLE thread, const GROUP_AFFINITY *affinity,
                                              PGROUP_AFFINITY previous) IOCP_SYM(SetThreadGroupAffinity);
WINBASEAPI BOOL WINAPI GetThreadGroupAffinity(HANDLE thread, PGROUP_AFFINITY affinity)
    IOCP_SYM(GetThreadGroupAffinity);

IOCP_ASSERT_SIZE(GROUP_AFFINITY, 16);

IOCP_EXTERN_C_END

#endif
