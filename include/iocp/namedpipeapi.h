/* SPDX-License-Identifier: MIT */
/*
 * namedpipeapi.h: anonymous pipes. Named pipes are not there (docs/DEVIATIONS.md).
 * Pages: learn.microsoft.com/windows/win32/api/namedpipeapi/.
 */
#ifndef _NAMEDPIPE_H_
#define _NAMEDPIPE_H_

#include <minwindef.h>
#include <minwinbase.h>

IOCP_EXTERN_C_BEGIN

/*
 * A pipe with one end to read and one to write, both synchronous. size: room in bytes, 0 as the system
 * likes. security: only bInheritHandle counts; may be NULL. ERROR_TOO_MANY_OPEN_FILES,
 * ERROR_NOT_ENOUGH_MEMORY. Reading from a pipe whose other end is closed: ERROR_BROKEN_PIPE; writing
 * to one: ERROR_NO_DATA, never SIGPIPE.
 */
WINBASEAPI BOOL WINAPI CreatePipe(PHANDLE read_end, PHANDLE write_end, LPSECURITY_ATTRIBUTES security,
                                  DWORD size) IOCP_SYM(CreatePipe);

IOCP_EXTERN_C_END

#endif
