/* SPDX-License-Identifier: MIT */
/*
 * iocpcrt_string.h, and the numbers and formats of iocpcrt_stdlib.h and iocpcrt_stdio.h: text of bytes.
 */
#include <windows.h>

#include "api/crt.h"
#include "base/text.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define UNIT               char
#define VALUE(c)           ((uint32_t)(unsigned char)(c))
#define NAME(narrow, wide) narrow
#define FORMAT             crt_format
#include "api/crt_secure.h"

/* Weak: a program that defines one of these itself gets its own, in a static link too. */
int stricmp(const char *a, const char *b) __attribute__((weak, alias("iocp__stricmp")));
int strcmpi(const char *a, const char *b) __attribute__((weak, alias("iocp__stricmp")));
int strnicmp(const char *a, const char *b, size_t count) __attribute__((weak, alias("iocp__strnicmp")));

char *_strdup(const char *text)
{
    return text ? strdup(text) : NULL;
}

int _memicmp(const void *a, const void *b, size_t count)
{
    const unsigned char *p = a, *q = b;

    if (count > 0 && (!a || !b)) {
        crt_invalid(EINVAL);
        return INT_MAX;
    }
    for (size_t i = 0; i < count; i++)
        if (text_fold(p[i]) != text_fold(q[i]))
            return text_fold(p[i]) < text_fold(q[i]) ? -1 : 1;
    return 0;
}

char *_strset(char *text, int c)
{
    return memset(text, c, strlen(text));
}

char *_strnset(char *text, int c, size_t count)
{
    return memset(text, c, strnlen(text, count));
}

errno_t memcpy_s(void *target, rsize_t size, const void *source, rsize_t count)
{
    if (count == 0)
        return 0;
    if (!target)
        return crt_invalid(EINVAL);
    if (!source || size < count) {
        memset(target, 0, size);
        return crt_invalid(source ? ERANGE : EINVAL);
    }
    memcpy(target, source, count);
    return 0;
}

errno_t memmove_s(void *target, rsize_t size, const void *source, rsize_t count)
{
    if (count == 0)
        return 0;
    if (!target || !source)
        return crt_invalid(EINVAL);
    if (size < count)
        return crt_invalid(ERANGE);
    memmove(target, source, count);
    return 0;
}

errno_t strerror_s(char *text, size_t size, int error)
{
    char space[256];

    if (!text || size == 0)
        return crt_invalid(EINVAL);
    strncpy_s(text, size, strerror_r(error, space, sizeof space), _TRUNCATE);
    return 0;
}

/* ---- long, which Windows has with 32 bits ---- */

errno_t _ltoa_s(long value, char *buffer, size_t size, int radix)
{
    return put_signed(value, 32, buffer, size, radix);
}

errno_t _ultoa_s(unsigned long value, char *buffer, size_t size, int radix)
{
    return put_digits(value, false, buffer, size, radix);
}

char *_ltoa(long value, char *buffer, int radix)
{
    return put_signed(value, 32, buffer, NUMBER_SIZE, radix) == 0 ? buffer : NULL;
}

char *_ultoa(unsigned long value, char *buffer, int radix)
{
    return put_digits(value, false, buffer, NUMBER_SIZE, radix) == 0 ? buffer : NULL;
}
