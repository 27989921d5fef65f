/* SPDX-License-Identifier: MIT */
/*
 * iocpcrt_array.h: the C++ forms of the _s functions that take the size from an array:
 * strcpy_s(buffer, "text") for char buffer[16].
 */
#ifndef IOCP_CRT_ARRAY_H
#define IOCP_CRT_ARRAY_H
#ifdef __cplusplus

#include <iocpcrt_stdio.h>
#include <iocpcrt_stdlib.h>
#include <iocpcrt_string.h>
#include <iocpcrt_time.h>
#include <iocpcrt_wide.h>

extern "C++" {

#define IOCP_ARRAY_1(name, type, p1, a1)                                                       \
    template <size_t size> inline errno_t name(type (&target)[size], p1)                       \
    {                                                                                          \
        return name(target, size, a1);                                                         \
    }
#define IOCP_ARRAY_2(name, type, p1, a1, p2, a2)                                               \
    template <size_t size> inline errno_t name(type (&target)[size], p1, p2)                   \
    {                                                                                          \
        return name(target, size, a1, a2);                                                     \
    }
#define IOCP_ARRAY_DIGITS(name, type, number)                                                  \
    template <size_t size> inline errno_t name(number value, type (&buffer)[size], int radix)  \
    {                                                                                          \
        return name(value, buffer, size, radix);                                               \
    }

IOCP_ARRAY_1(strcpy_s, char, const char *source, source)
IOCP_ARRAY_1(strcat_s, char, const char *source, source)
IOCP_ARRAY_2(strncpy_s, char, const char *source, source, size_t count, count)
IOCP_ARRAY_2(strncat_s, char, const char *source, source, size_t count, count)
IOCP_ARRAY_1(wcscpy_s, WCHAR, const WCHAR *source, source)
IOCP_ARRAY_1(wcscat_s, WCHAR, const WCHAR *source, source)
IOCP_ARRAY_2(wcsncpy_s, WCHAR, const WCHAR *source, source, size_t count, count)
IOCP_ARRAY_2(wcsncat_s, WCHAR, const WCHAR *source, source, size_t count, count)
IOCP_ARRAY_DIGITS(_itoa_s, char, int)
IOCP_ARRAY_DIGITS(_ltoa_s, char, long)
IOCP_ARRAY_DIGITS(_ultoa_s, char, unsigned long)
IOCP_ARRAY_DIGITS(_i64toa_s, char, long long)
IOCP_ARRAY_DIGITS(_ui64toa_s, char, unsigned long long)
IOCP_ARRAY_DIGITS(_itow_s, WCHAR, int)
IOCP_ARRAY_DIGITS(_i64tow_s, WCHAR, long long)
IOCP_ARRAY_DIGITS(_ui64tow_s, WCHAR, unsigned long long)
IOCP_ARRAY_1(strerror_s, char, int error, error)
IOCP_ARRAY_1(ctime_s, char, const time_t *time, time)
IOCP_ARRAY_1(asctime_s, char, const struct tm *time, time)

template <size_t size> inline errno_t _strlwr_s(char (&text)[size]) { return _strlwr_s(text, size); }
template <size_t size> inline errno_t _strupr_s(char (&text)[size]) { return _strupr_s(text, size); }
template <size_t size> inline errno_t _wcslwr_s(WCHAR (&text)[size]) { return _wcslwr_s(text, size); }
template <size_t size> inline errno_t _wcsupr_s(WCHAR (&text)[size]) { return _wcsupr_s(text, size); }
template <size_t size> inline char *gets_s(char (&buffer)[size]) { return gets_s(buffer, size); }
template <size_t size> inline errno_t getenv_s(size_t *needed, char (&value)[size], const char *name)
{
    return getenv_s(needed, value, size, name);
}

#define IOCP_ARRAY_PRINTF(name, vname, type)                                                   \
    template <size_t size> inline int name(type (&buffer)[size], const type *format, ...)      \
    {                                                                                          \
        va_list arguments;                                                                     \
        va_start(arguments, format);                                                           \
        int result = vname(buffer, size, format, arguments);                                   \
        va_end(arguments);                                                                     \
        return result;                                                                         \
    }                                                                                          \
    template <size_t size> inline int vname(type (&buffer)[size], const type *format, va_list arguments) \
    {                                                                                          \
        return vname(static_cast<type *>(buffer), size, format, arguments);                    \
    }
#define IOCP_ARRAY_NPRINTF(name, vname, type)                                                  \
    template <size_t size>                                                                     \
    inline int name(type (&buffer)[size], size_t count, const type *format, ...)               \
    {                                                                                          \
        va_list arguments;                                                                     \
        va_start(arguments, format);                                                           \
        int result = vname(static_cast<type *>(buffer), size, count, format, arguments);       \
        va_end(arguments);                                                                     \
        return result;                                                                         \
    }                                                                                          \
    template <size_t size>                                                                     \
    inline int vname(type (&buffer)[size], size_t count, const type *format, va_list arguments) \
    {                                                                                          \
        return vname(static_cast<type *>(buffer), size, count, format, arguments);             \
    }

IOCP_ARRAY_PRINTF(sprintf_s, vsprintf_s, char)
IOCP_ARRAY_PRINTF(swprintf_s, vswprintf_s, WCHAR)
IOCP_ARRAY_NPRINTF(_snprintf_s, _vsnprintf_s, char)
IOCP_ARRAY_NPRINTF(_snwprintf_s, _vsnwprintf_s, WCHAR)

#undef IOCP_ARRAY_1
#undef IOCP_ARRAY_2
#undef IOCP_ARRAY_DIGITS
#undef IOCP_ARRAY_PRINTF
#undef IOCP_ARRAY_NPRINTF

} /* extern "C++" */

#endif
#endif
