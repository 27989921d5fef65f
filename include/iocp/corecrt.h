/* SPDX-License-Identifier: MIT */
/*
 * corecrt.h: what every header of Microsoft's C run-time begins with: errno_t, rsize_t, the 64-bit
 * time types, _TRUNCATE, and the handler of invalid parameters.
 * Page: "C runtime library reference", learn.microsoft.com/cpp/c-runtime-library/.
 */
#ifndef _INC_CORECRT
#define _INC_CORECRT

#include <iocpdef.h>
#include <stddef.h>
#include <stdint.h>

#ifndef _CRTIMP
#define _CRTIMP IOCP_API
#endif
#ifndef _ACRTIMP
#define _ACRTIMP IOCP_API
#endif
#ifndef _CRT_UNUSED
#define _CRT_UNUSED(what) ((void)(what))
#endif
#ifndef _CRT_STRINGIZE
#define _CRT_STRINGIZE_(what) #what
#define _CRT_STRINGIZE(what)  _CRT_STRINGIZE_(what)
#endif
#define _CRT_WIDE_(text) IOCP_WIDE_LITERAL(text)
#define _CRT_WIDE(text)  _CRT_WIDE_(text)
#ifndef __CRTDECL
#define __CRTDECL
#endif
#define _CRT_SECURE_INVALID_PARAMETER(text) ((void)0)

/* The library is one, in one process, and always multi-threaded. */
#ifndef _MT
#define _MT 1
#endif

#ifndef _ERRNO_T_DEFINED
#define _ERRNO_T_DEFINED
typedef int errno_t;
#endif
#ifndef _RSIZE_T_DEFINED
#define _RSIZE_T_DEFINED
typedef size_t rsize_t;
#endif

typedef long long __time64_t;
typedef int __time32_t;

/* As a count: as much as fits, and STRUNCATE (or -1) says that something was cut off. */
#define _TRUNCATE ((size_t)-1)
#ifndef STRUNCATE
#define STRUNCATE 80
#endif
#ifndef _SECURECRT_FILL_BUFFER_PATTERN
#define _SECURECRT_FILL_BUFFER_PATTERN 0xFE
#endif

IOCP_EXTERN_C_BEGIN

/*
 * Called when a function gets a parameter that the C run-time calls invalid. All five arguments are
 * NULL or 0, as in a release build of Windows. Unlike there, no handler (the default) does not end the
 * program: the function sets errno and answers with its error code, as documented for a handler that
 * returns. Both answer the previous handler; the thread's own comes first.
 */
#if __WCHAR_MAX__ <= 0xFFFF
typedef void (*_invalid_parameter_handler)(const wchar_t *, const wchar_t *, const wchar_t *, unsigned,
                                           uintptr_t);
#elif defined(__cplusplus)
typedef void (*_invalid_parameter_handler)(const char16_t *, const char16_t *, const char16_t *, unsigned,
                                           uintptr_t);
#else
typedef void (*_invalid_parameter_handler)(const uint_least16_t *, const uint_least16_t *,
                                           const uint_least16_t *, unsigned, uintptr_t);
#endif
IOCP_API _invalid_parameter_handler _set_invalid_parameter_handler(_invalid_parameter_handler handler)
    IOCP_SYM(_set_invalid_parameter_handler);
IOCP_API _invalid_parameter_handler _get_invalid_parameter_handler(void)
    IOCP_SYM(_get_invalid_parameter_handler);
IOCP_API _invalid_parameter_handler
_set_thread_local_invalid_parameter_handler(_invalid_parameter_handler handler)
    IOCP_SYM(_set_thread_local_invalid_parameter_handler);
IOCP_API _invalid_parameter_handler _get_thread_local_invalid_parameter_handler(void)
    IOCP_SYM(_get_thread_local_invalid_parameter_handler);

/* errno as functions: 0, or EINVAL for a NULL pointer. The pointer _errno gives is the thread's own. */
IOCP_API errno_t _get_errno(int *value) IOCP_SYM(_get_errno);
IOCP_API errno_t _set_errno(int value) IOCP_SYM(_set_errno);

/* The Windows error behind errno, as it is at the moment of asking; what is stored there is lost. */
IOCP_API unsigned long *__doserrno(void) IOCP_SYM(__doserrno);
#define _doserrno (*__doserrno())
IOCP_API int *_errno(void) IOCP_SYM(_errno);

IOCP_EXTERN_C_END

#endif
