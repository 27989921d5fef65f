/* SPDX-License-Identifier: MIT */
/*
 * iocpcrt_stdio.h: Microsoft's additions to <stdio.h>.
 *
 * The printf functions here read formats as Windows does: %I64d, %I32u and %Iu; `l` before an integer
 * means 32 bits (a DWORD or LONG, whatever `long` is), `ll` and `z` 64; %p is 16 digits; %S and %ls are
 * strings of WCHAR, %hs of char; %n is refused (EINVAL). The C library's own printf, snprintf, sprintf
 * keep its rules.
 */
#ifndef IOCP_CRT_STDIO_H
#define IOCP_CRT_STDIO_H

#include <corecrt.h>
#include <stdarg.h>
#include <stdio.h>

IOCP_EXTERN_C_BEGIN

/*
 * The old form: no terminator if the text has exactly `size` bytes; -1 if it has more, the first `size` bytes
 * being in the buffer. size 0 with NULL asks whether there is any text; the length comes from _scprintf.
 */
_CRTIMP int _snprintf(char *buffer, size_t size, const char *format, ...) IOCP_SYM(_snprintf);
_CRTIMP int _vsnprintf(char *buffer, size_t size, const char *format, va_list arguments) IOCP_SYM(_vsnprintf);

/* The length the text would have. */
_CRTIMP int _scprintf(const char *format, ...) IOCP_SYM(_scprintf);
_CRTIMP int _vscprintf(const char *format, va_list arguments) IOCP_SYM(_vscprintf);

/* The length, or -1 with an empty buffer and errno ERANGE (too small) or EINVAL. */
_CRTIMP int sprintf_s(char *buffer, size_t size, const char *format, ...) IOCP_SYM(sprintf_s);
_CRTIMP int vsprintf_s(char *buffer, size_t size, const char *format, va_list arguments) IOCP_SYM(vsprintf_s);

/* At most count bytes (or _TRUNCATE) and a terminator: -1 if the text was cut. A text shorter than count
 * that does not fit in size is an error as in sprintf_s. */
_CRTIMP int _snprintf_s(char *buffer, size_t size, size_t count, const char *format, ...)
    IOCP_SYM(_snprintf_s);
_CRTIMP int _vsnprintf_s(char *buffer, size_t size, size_t count, const char *format, va_list arguments)
    IOCP_SYM(_vsnprintf_s);
#define vsnprintf_s _vsnprintf_s

/* To a stream: the number of bytes, or -1. */
_CRTIMP int printf_s(const char *format, ...) IOCP_SYM(printf_s);
_CRTIMP int fprintf_s(FILE *stream, const char *format, ...) IOCP_SYM(fprintf_s);
_CRTIMP int vprintf_s(const char *format, va_list arguments) IOCP_SYM(vprintf_s);
_CRTIMP int vfprintf_s(FILE *stream, const char *format, va_list arguments) IOCP_SYM(vfprintf_s);

/*
 * fopen with the file names of CreateFile: both separators, drive letters (IOCP_DRIVE_X), NUL. The stream
 * is the C library's, fclose ends it. `t` and `b` in the mode change nothing. The _s forms answer errno's
 * value (and *stream NULL); the others NULL.
 */
_CRTIMP errno_t fopen_s(FILE **stream, const char *name, const char *mode) IOCP_SYM(fopen_s);
_CRTIMP errno_t freopen_s(FILE **stream, const char *name, const char *mode, FILE *old) IOCP_SYM(freopen_s);
_CRTIMP errno_t tmpfile_s(FILE **stream) IOCP_SYM(tmpfile_s);
_CRTIMP FILE *_fsopen(const char *name, const char *mode, int share) IOCP_SYM(_fsopen);

/* A stream over a descriptor, which is the stream's from now on: fclose closes it. */
_CRTIMP FILE *_fdopen(int fd, const char *mode) IOCP_SYM(_fdopen);

/* A line without its end. NULL at the end of input; too long is ERANGE, the rest of the line is skipped. */
_CRTIMP char *gets_s(char *buffer, size_t size) IOCP_SYM(gets_s);

_CRTIMP int _unlink(const char *name) IOCP_SYM(_unlink);

/* Descriptor and position of a stream. */
_CRTIMP int _fileno(FILE *stream) IOCP_SYM(_fileno);
_CRTIMP int _fseeki64(FILE *stream, long long offset, int whence) IOCP_SYM(_fseeki64);
_CRTIMP long long _ftelli64(FILE *stream) IOCP_SYM(_ftelli64);

#define _popen    popen
#define _pclose   pclose
#define _flushall() fflush(NULL)
#define _getw     getw
#define _putw     putw

#define _SH_DENYRW 0x10
#define _SH_DENYWR 0x20
#define _SH_DENYRD 0x30
#define _SH_DENYNO 0x40
#define _SH_SECURE 0x80

IOCP_EXTERN_C_END

#endif
