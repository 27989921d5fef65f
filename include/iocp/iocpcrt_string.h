/* SPDX-License-Identifier: MIT */
/*
 * iocpcrt_string.h: Microsoft's additions to <string.h>. Strings are bytes; letter case is that of
 * A to Z, as in Windows' "C" locale.
 *
 * The functions ending in _s take the size of the target with the terminator and answer 0 or an error:
 * EINVAL (a pointer is NULL, a size 0, the target not terminated) or ERANGE (too small); the target is
 * then the empty string, errno is set, and the invalid-parameter handler is called if there is one
 * (corecrt.h). They never end the program.
 * Page: "Security-enhanced versions of CRT functions", learn.microsoft.com/cpp/c-runtime-library/.
 */
#ifndef IOCP_CRT_STRING_H
#define IOCP_CRT_STRING_H

#include <corecrt.h>
#include <string.h>

IOCP_EXTERN_C_BEGIN

/* Copies made with malloc, for free. NULL: no memory, or no text. */
_CRTIMP char *_strdup(const char *text) IOCP_SYM(_strdup);

/* Less, equal, greater: below 0, 0, above 0, of the texts in small letters; count is in bytes. NULL
 * gives INT_MAX and EINVAL. */
_CRTIMP int _stricmp(const char *a, const char *b) IOCP_SYM(_stricmp);
_CRTIMP int _strnicmp(const char *a, const char *b, size_t count) IOCP_SYM(_strnicmp);
_CRTIMP int _memicmp(const void *a, const void *b, size_t count) IOCP_SYM(_memicmp);
#define _strcmpi    _stricmp
#define _stricoll   _stricmp
#define _strnicoll  _strnicmp
#define _memccpy    memccpy

/* The old names. A program that has functions of its own so called keeps them. */
_CRTIMP int stricmp(const char *a, const char *b) IOCP_SYM(stricmp);
_CRTIMP int strnicmp(const char *a, const char *b, size_t count) IOCP_SYM(strnicmp);
_CRTIMP int strcmpi(const char *a, const char *b) IOCP_SYM(strcmpi);

/* In place; the answer is the text. */
_CRTIMP char *_strlwr(char *text) IOCP_SYM(_strlwr);
_CRTIMP char *_strupr(char *text) IOCP_SYM(_strupr);
_CRTIMP char *_strrev(char *text) IOCP_SYM(_strrev);
_CRTIMP char *_strset(char *text, int c) IOCP_SYM(_strset);
_CRTIMP char *_strnset(char *text, int c, size_t count) IOCP_SYM(_strnset);
_CRTIMP errno_t _strlwr_s(char *text, size_t size) IOCP_SYM(_strlwr_s);
_CRTIMP errno_t _strupr_s(char *text, size_t size) IOCP_SYM(_strupr_s);

_CRTIMP errno_t strcpy_s(char *target, rsize_t size, const char *source) IOCP_SYM(strcpy_s);
_CRTIMP errno_t strcat_s(char *target, rsize_t size, const char *source) IOCP_SYM(strcat_s);

/* At most count bytes of source, or _TRUNCATE: then STRUNCATE says that it was cut. */
_CRTIMP errno_t strncpy_s(char *target, rsize_t size, const char *source, rsize_t count) IOCP_SYM(strncpy_s);
_CRTIMP errno_t strncat_s(char *target, rsize_t size, const char *source, rsize_t count) IOCP_SYM(strncat_s);

/* strtok with its place in *context, the caller's. */
_CRTIMP char *strtok_s(char *text, const char *separators, char **context) IOCP_SYM(strtok_s);

/* The length, or size if there is no terminator in so many bytes; 0 for NULL. */
_CRTIMP size_t strnlen_s(const char *text, size_t size) IOCP_SYM(strnlen_s);

/* memcpy_s clears the target when it fails, memmove_s leaves it. count may be 0 with anything. */
_CRTIMP errno_t memcpy_s(void *target, rsize_t size, const void *source, rsize_t count) IOCP_SYM(memcpy_s);
_CRTIMP errno_t memmove_s(void *target, rsize_t size, const void *source, rsize_t count) IOCP_SYM(memmove_s);

/* The system's text for an errno value, cut to fit. */
_CRTIMP errno_t strerror_s(char *text, size_t size, int error) IOCP_SYM(strerror_s);

IOCP_EXTERN_C_END

#endif
