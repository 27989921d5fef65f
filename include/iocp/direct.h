/* SPDX-License-Identifier: MIT */
/*
 * direct.h: directories, as Microsoft's C run-time has them. 0, or -1 and errno; names as in CreateFile.
 * Page: "Directory control", learn.microsoft.com/cpp/c-runtime-library/directory-control.
 */
#ifndef _INC_DIRECT
#define _INC_DIRECT

#include <corecrt.h>
#include <minwindef.h>

IOCP_EXTERN_C_BEGIN

_CRTIMP int _mkdir(const char *name) IOCP_SYM(_mkdir);
_CRTIMP int _rmdir(const char *name) IOCP_SYM(_rmdir);
_CRTIMP int _chdir(const char *name) IOCP_SYM(_chdir);

/* Into buffer, of `size` bytes, or into memory from malloc if buffer is NULL. NULL and ERANGE: too small. */
_CRTIMP char *_getcwd(char *buffer, int size) IOCP_SYM(_getcwd);

_CRTIMP int _wmkdir(const WCHAR *name) IOCP_SYM(_wmkdir);
_CRTIMP int _wrmdir(const WCHAR *name) IOCP_SYM(_wrmdir);
_CRTIMP int _wchdir(const WCHAR *name) IOCP_SYM(_wchdir);

IOCP_EXTERN_C_END

#endif
