/* SPDX-License-Identifier: MIT */
/*
 * iocpcrt_wide.h: text of 16-bit units. The functions that the C library has under the same name for
 * its own wchar_t have the prefix iocp_ here, which is also their symbol.
 */
#include <windows.h>

#include "api/crt.h"
#include "base/os.h"
#include "base/text.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define UNIT               WCHAR
#define VALUE(c)           ((uint32_t)(c))
#define NAME(narrow, wide) wide
#define FORMAT             crt_format16
#include "api/crt_secure.h"

/* Weak: see stricmp. */
int wcsicmp(const WCHAR *a, const WCHAR *b) __attribute__((weak, alias("iocp__wcsicmp")));
int wcsnicmp(const WCHAR *a, const WCHAR *b, size_t count) __attribute__((weak, alias("iocp__wcsnicmp")));

/* ---- copying ---- */

size_t iocp_wcslen(const WCHAR *text)
{
    return text_length16(text);
}

size_t iocp_wcsnlen(const WCHAR *text, size_t size)
{
    return length_in(text, size);
}

WCHAR *iocp_wcscpy(WCHAR *target, const WCHAR *source)
{
    return memcpy(target, source, (iocp_wcslen(source) + 1) * sizeof *source);
}

/* Fills up with terminators, and adds none if there is no room: as wcsncpy does everywhere. */
WCHAR *iocp_wcsncpy(WCHAR *target, const WCHAR *source, size_t count)
{
    size_t length = length_in(source, count);

    memcpy(target, source, length * sizeof *source);
    memset(target + length, 0, (count - length) * sizeof *target);
    return target;
}

WCHAR *iocp_wcscat(WCHAR *target, const WCHAR *source)
{
    iocp_wcscpy(target + iocp_wcslen(target), source);
    return target;
}

WCHAR *iocp_wcsncat(WCHAR *target, const WCHAR *source, size_t count)
{
    WCHAR *end = target + iocp_wcslen(target);
    size_t length = length_in(source, count);

    memcpy(end, source, length * sizeof *source);
    end[length] = 0;
    return target;
}

WCHAR *iocp_wcsdup(const WCHAR *text)
{
    size_t size = (iocp_wcslen(text) + 1) * sizeof *text;
    WCHAR *copy = malloc(size);

    return copy ? memcpy(copy, text, size) : NULL;
}

WCHAR *_wcsdup(const WCHAR *text)
{
    return text ? iocp_wcsdup(text) : NULL;
}

WCHAR *iocp_wmemcpy(WCHAR *target, const WCHAR *source, size_t count)
{
    return memcpy(target, source, count * sizeof *source);
}

WCHAR *iocp_wmemmove(WCHAR *target, const WCHAR *source, size_t count)
{
    return memmove(target, source, count * sizeof *source);
}

WCHAR *iocp_wmemset(WCHAR *target, WCHAR c, size_t count)
{
    for (size_t i = 0; i < count; i++)
        target[i] = c;
    return target;
}

errno_t wmemcpy_s(WCHAR *target, rsize_t size, const WCHAR *source, rsize_t count)
{
    if (size > SIZE_MAX / sizeof *target || count > SIZE_MAX / sizeof *source)
        return crt_invalid(ERANGE);
    return memcpy_s(target, size * sizeof *target, source, count * sizeof *source);
}

errno_t wmemmove_s(WCHAR *target, rsize_t size, const WCHAR *source, rsize_t count)
{
    if (size > SIZE_MAX / sizeof *target || count > SIZE_MAX / sizeof *source)
        return crt_invalid(ERANGE);
    return memmove_s(target, size * sizeof *target, source, count * sizeof *source);
}

/* ---- comparing, finding ---- */

int iocp_wmemcmp(const WCHAR *a, const WCHAR *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    return 0;
}

int iocp_wcsncmp(const WCHAR *a, const WCHAR *b, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
        if (a[i] == 0)
            return 0;
    }
    return 0;
}

int iocp_wcscmp(const WCHAR *a, const WCHAR *b)
{
    return iocp_wcsncmp(a, b, SIZE_MAX);
}

/* The order of the units, as in Windows' "C" locale. */
int iocp_wcscoll(const WCHAR *a, const WCHAR *b)
{
    return iocp_wcscmp(a, b);
}

WCHAR *iocp_wmemchr(const WCHAR *text, WCHAR c, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (text[i] == c)
            return (WCHAR *)&text[i];
    return NULL;
}

WCHAR *iocp_wcschr(const WCHAR *text, WCHAR c)
{
    return iocp_wmemchr(text, c, iocp_wcslen(text) + 1);
}

WCHAR *iocp_wcsrchr(const WCHAR *text, WCHAR c)
{
    for (size_t i = iocp_wcslen(text) + 1; i > 0; i--)
        if (text[i - 1] == c)
            return (WCHAR *)&text[i - 1];
    return NULL;
}

size_t iocp_wcsspn(const WCHAR *text, const WCHAR *set)
{
    size_t n = 0;

    while (text[n] && is_one_of(text[n], set))
        n++;
    return n;
}

size_t iocp_wcscspn(const WCHAR *text, const WCHAR *set)
{
    size_t n = 0;

    while (text[n] && !is_one_of(text[n], set))
        n++;
    return n;
}

WCHAR *iocp_wcspbrk(const WCHAR *text, const WCHAR *set)
{
    text += iocp_wcscspn(text, set);
    return *text ? (WCHAR *)text : NULL;
}

WCHAR *iocp_wcsstr(const WCHAR *text, const WCHAR *part)
{
    size_t length = iocp_wcslen(part);

    for (;; text++) {
        if (iocp_wcsncmp(text, part, length) == 0)
            return (WCHAR *)text;
        if (*text == 0)
            return NULL;
    }
}

/* C's form: the place is the caller's. Unlike wcstok_s it may be asked again after the end. */
WCHAR *iocp_wcstok(WCHAR *text, const WCHAR *separators, WCHAR **context)
{
    if (!text && !*context)
        return NULL;
    return wcstok_s(text, separators, context);
}

/* ---- text to number ---- */

/*
 * The ASCII part of a text, in bytes, for the C library to read: what stands behind it cannot belong to
 * a number. *skipped is the white space before it, which may be any.
 */
static char *ascii_part(const WCHAR *text, size_t *skipped)
{
    size_t length = 0;
    char *copy;

    *skipped = 0;
    while ((*text >= 9 && *text <= 13) || *text == ' ' || *text == 0xA0 || *text == 0x3000) {
        text++;
        ++*skipped;
    }
    while (text[length] > ' ' && text[length] < 0x7F)
        length++;
    copy = malloc(length + 1);
    if (!copy)
        return NULL;
    for (size_t i = 0; i < length; i++)
        copy[i] = (char)text[i];
    copy[length] = 0;
    return copy;
}

#define TEXT_TO_NUMBER(type, call)                                                      \
    size_t skipped;                                                                     \
    char *copy = ascii_part(text, &skipped), *stop;                                     \
    type n = 0;                                                                         \
                                                                                        \
    if (end)                                                                            \
        *end = (WCHAR *)text;                                                           \
    if (copy) {                                                                         \
        n = call;                                                                       \
        if (end && stop != copy)                                                        \
            *end = (WCHAR *)text + skipped + (stop - copy);                             \
    } else {                                                                            \
        errno = ENOMEM;                                                                 \
    }                                                                                   \
    free(copy);                                                                         \
    return n

long iocp_wcstol(const WCHAR *text, WCHAR **end, int base)
{
    TEXT_TO_NUMBER(long, strtol(copy, &stop, base));
}

unsigned long iocp_wcstoul(const WCHAR *text, WCHAR **end, int base)
{
    TEXT_TO_NUMBER(unsigned long, strtoul(copy, &stop, base));
}

long long iocp_wcstoll(const WCHAR *text, WCHAR **end, int base)
{
    TEXT_TO_NUMBER(long long, strtoll(copy, &stop, base));
}

unsigned long long iocp_wcstoull(const WCHAR *text, WCHAR **end, int base)
{
    TEXT_TO_NUMBER(unsigned long long, strtoull(copy, &stop, base));
}

double iocp_wcstod(const WCHAR *text, WCHAR **end)
{
    TEXT_TO_NUMBER(double, strtod(copy, &stop));
}

float iocp_wcstof(const WCHAR *text, WCHAR **end)
{
    TEXT_TO_NUMBER(float, strtof(copy, &stop));
}

int _wtoi(const WCHAR *text)
{
    return (int)iocp_wcstol(text, NULL, 10);
}

long _wtol(const WCHAR *text)
{
    return iocp_wcstol(text, NULL, 10);
}

long long _wtoi64(const WCHAR *text)
{
    return iocp_wcstoll(text, NULL, 10);
}

double _wtof(const WCHAR *text)
{
    return iocp_wcstod(text, NULL);
}

/* ---- UTF-8 and UTF-16 ---- */

static size_t converted(ptrdiff_t length)
{
    if (length >= 0)
        return (size_t)length;
    errno = EILSEQ;
    return (size_t)-1;
}

/* Whole characters only: how much of the source gives at most `size` units. */
static size_t bytes_for(const char *source, size_t length, size_t size)
{
    while (length > 0) {
        ptrdiff_t units = text_to_utf16(source, length, NULL, 0, false);

        if (units <= (ptrdiff_t)size)
            break;
        /* Each unit too many is at least one byte; then back to the start of a character. */
        length -= (size_t)units - size;
        while (length > 0 && ((unsigned char)source[length] & 0xC0) == 0x80)
            length--;
    }
    return length;
}

static size_t units_for(const WCHAR *source, size_t length, size_t size)
{
    while (length > 0) {
        ptrdiff_t bytes = text_to_utf8(source, length, NULL, 0, false);

        if (bytes <= (ptrdiff_t)size)
            break;
        length -= ((size_t)bytes - size + 2) / 3; /* no unit gives more than three */
        if (length > 0 && (source[length - 1] & 0xFC00) == 0xD800)
            length--;
    }
    return length;
}

size_t iocp_mbstowcs(WCHAR *target, const char *source, size_t size)
{
    size_t bytes = strlen(source), units;

    if (!target)
        return converted(text_to_utf16(source, bytes, NULL, 0, true));
    bytes = bytes_for(source, bytes, size);
    units = converted(size ? text_to_utf16(source, bytes, target, size, true) : 0);
    if (units < size)
        target[units] = 0;
    return units;
}

size_t iocp_wcstombs(char *target, const WCHAR *source, size_t size)
{
    size_t units = iocp_wcslen(source), bytes;

    if (!target)
        return converted(text_to_utf8(source, units, NULL, 0, true));
    units = units_for(source, units, size);
    bytes = converted(size ? text_to_utf8(source, units, target, size, true) : 0);
    if (bytes < size)
        target[bytes] = 0;
    return bytes;
}

/* What the two _s conversions have in common; `length` is what was converted, without terminator. */
static errno_t finished(size_t length, size_t needed, size_t size, size_t count, size_t *written)
{
    if (length == (size_t)-1)
        return EILSEQ;
    if (written)
        *written = length + 1;
    if (length < needed && length < count)
        return count == _TRUNCATE ? STRUNCATE : ERANGE;
    return length < size || size == 0 ? 0 : ERANGE;
}

errno_t mbstowcs_s(size_t *written, WCHAR *target, size_t size, const char *source, size_t count)
{
    size_t needed, length, most;
    errno_t error;

    if (written)
        *written = 0;
    if ((target == NULL) != (size == 0))
        return crt_invalid(EINVAL);
    if (!source)
        return target ? refuse(target, EINVAL) : crt_invalid(EINVAL);
    needed = iocp_mbstowcs(NULL, source, 0);
    if (!target)
        return finished(needed, needed, 0, (size_t)-1, written);
    most = count < size - 1 ? count : size - 1;
    length = needed == (size_t)-1 ? needed : iocp_mbstowcs(target, source, most);
    error = finished(length, needed, size, count, written);
    if (error == 0 || error == STRUNCATE) {
        target[length] = 0;
        return error;
    }
    if (written)
        *written = 0;
    target[0] = 0;
    return error == EILSEQ ? EILSEQ : crt_invalid(error);
}

errno_t wcstombs_s(size_t *written, char *target, size_t size, const WCHAR *source, size_t count)
{
    size_t needed, length, most;
    errno_t error;

    if (written)
        *written = 0;
    if ((target == NULL) != (size == 0))
        return crt_invalid(EINVAL);
    if (target)
        target[0] = 0;
    if (!source)
        return crt_invalid(EINVAL);
    needed = iocp_wcstombs(NULL, source, 0);
    if (!target)
        return finished(needed, needed, 0, (size_t)-1, written);
    most = count < size - 1 ? count : size - 1;
    length = needed == (size_t)-1 ? needed : iocp_wcstombs(target, source, most);
    error = finished(length, needed, size, count, written);
    if (error == 0 || error == STRUNCATE) {
        target[length] = 0;
        return error;
    }
    if (written)
        *written = 0;
    target[0] = 0;
    return error == EILSEQ ? EILSEQ : crt_invalid(error);
}

/* ---- output ---- */

int iocp_vswprintf(WCHAR *buffer, size_t size, const WCHAR *format, va_list arguments)
{
    ptrdiff_t length;

    if (!format || !buffer || size == 0) {
        crt_invalid(EINVAL);
        return -1;
    }
    length = crt_format16(buffer, size - 1, format, arguments);
    if (length < 0)
        length = 0;
    else if ((size_t)length < size) {
        buffer[length] = 0;
        return (int)length;
    } else
        length = (ptrdiff_t)size - 1;
    buffer[length] = 0;
    return -1;
}

int iocp_swprintf(WCHAR *buffer, size_t size, const WCHAR *format, ...)
{
    va_list arguments;
    int result;

    va_start(arguments, format);
    result = iocp_vswprintf(buffer, size, format, arguments);
    va_end(arguments);
    return result;
}

/* As UTF-8: the stream is one of bytes, and may be written to with printf before and after. */
static int put_units(const WCHAR *text, size_t units, FILE *stream)
{
    size_t bytes = (size_t)text_to_utf8(text, units, NULL, 0, false);
    char *copy = malloc(bytes + 1);
    int result = -1;

    if (!copy)
        return -1;
    text_to_utf8(text, units, copy, bytes + 1, false);
    if (fwrite(copy, 1, bytes, stream) == bytes)
        result = (int)units;
    free(copy);
    return result;
}

int iocp_fputws(const WCHAR *text, FILE *stream)
{
    return put_units(text, iocp_wcslen(text), stream) < 0 ? -1 : 0;
}

int iocp_vfwprintf(FILE *stream, const WCHAR *format, va_list arguments)
{
    ptrdiff_t length;
    WCHAR *text;
    int result;

    if (!stream || !format) {
        crt_invalid(EINVAL);
        return -1;
    }
    length = crt_format16(NULL, 0, format, arguments);
    if (length < 0)
        return -1;
    text = malloc(((size_t)length + 1) * sizeof *text);
    if (!text)
        return -1;
    crt_format16(text, (size_t)length, format, arguments);
    result = put_units(text, (size_t)length, stream);
    free(text);
    return result;
}

int iocp_vwprintf(const WCHAR *format, va_list arguments)
{
    return iocp_vfwprintf(stdout, format, arguments);
}

int iocp_fwprintf(FILE *stream, const WCHAR *format, ...)
{
    va_list arguments;
    int result;

    va_start(arguments, format);
    result = iocp_vfwprintf(stream, format, arguments);
    va_end(arguments);
    return result;
}

int iocp_wprintf(const WCHAR *format, ...)
{
    va_list arguments;
    int result;

    va_start(arguments, format);
    result = iocp_vfwprintf(stdout, format, arguments);
    va_end(arguments);
    return result;
}

/* ---- files ---- */

errno_t _wfopen_s(FILE **stream, const WCHAR *name, const WCHAR *mode)
{
    char *narrow_name, *narrow_mode;
    errno_t error;

    if (!stream)
        return crt_invalid(EINVAL);
    *stream = NULL;
    narrow_name = crt_name_new(name);
    if (!narrow_name)
        return errno;
    narrow_mode = crt_name_new(mode);
    error = narrow_mode ? fopen_s(stream, narrow_name, narrow_mode) : errno;
    free(narrow_name);
    free(narrow_mode);
    return error;
}

FILE *_wfopen(const WCHAR *name, const WCHAR *mode)
{
    FILE *stream = NULL;

    _wfopen_s(&stream, name, mode);
    return stream;
}

FILE *_wfsopen(const WCHAR *name, const WCHAR *mode, int share)
{
    (void)share; /* see _fsopen */
    return _wfopen(name, mode);
}

int _wremove(const WCHAR *name)
{
    char *narrow = crt_name_new(name);
    struct path path;
    const char *text = narrow ? crt_path(&path, narrow) : NULL;
    int result = text && !os_is_device(text) ? remove(text) : -1;

    free(narrow);
    return result;
}

/* Unlike rename(2), Windows' does not replace. */
int _wrename(const WCHAR *from, const WCHAR *to)
{
    if (MoveFileExW(from, to, 0))
        return 0;
    errno = GetLastError() == ERROR_ALREADY_EXISTS || GetLastError() == ERROR_FILE_EXISTS ? EEXIST
            : GetLastError() == ERROR_ACCESS_DENIED                                       ? EACCES
                                                                                          : ENOENT;
    return -1;
}
