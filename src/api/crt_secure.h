/* SPDX-License-Identifier: MIT */
/*
 * The functions on terminated text that are the same for bytes and for UTF-16. Included twice, with
 * UNIT (the type), VALUE (of a unit, not negative), NAME(narrow, wide) (which of the two names is meant) and
 * FORMAT (the formatter), by crt_string.c and crt_wide.c. What each promises: iocpcrt_string.h.
 */

/* Units before the terminator, or `size` if there is none among so many. */
static size_t length_in(const UNIT *text, size_t size)
{
    size_t length = 0;

    while (length < size && text[length])
        length++;
    return length;
}

/* The target becomes the empty text, so that nobody reads half of one. */
static errno_t refuse(UNIT *target, errno_t error)
{
    target[0] = 0;
    return crt_invalid(error);
}

/*
 * Puts source, at most count units of it, behind the `at` units that the target has already. With
 * _TRUNCATE what does not fit is left out.
 */
static errno_t append(UNIT *target, size_t size, size_t at, const UNIT *source, size_t count)
{
    size_t room = size - at - 1;
    size_t length = length_in(source, count < room ? count : room);

    if (length == room && count > room && source[length]) {
        if (count != _TRUNCATE)
            return refuse(target, ERANGE);
        memcpy(target + at, source, length * sizeof *source);
        target[at + length] = 0;
        return STRUNCATE;
    }
    memcpy(target + at, source, length * sizeof *source);
    target[at + length] = 0;
    return 0;
}

errno_t NAME(strncpy_s, wcsncpy_s)(UNIT *target, rsize_t size, const UNIT *source, rsize_t count)
{
    if (count == 0 && !target && size == 0)
        return 0;
    if (!target || size == 0)
        return crt_invalid(EINVAL);
    if (count == 0) {
        target[0] = 0;
        return 0;
    }
    if (!source)
        return refuse(target, EINVAL);
    return append(target, size, 0, source, count);
}

errno_t NAME(strcpy_s, wcscpy_s)(UNIT *target, rsize_t size, const UNIT *source)
{
    if (!target || size == 0)
        return crt_invalid(EINVAL);
    if (!source)
        return refuse(target, EINVAL);
    /* Any count that is not _TRUNCATE and more than there can be. */
    return append(target, size, 0, source, _TRUNCATE - 1);
}

errno_t NAME(strncat_s, wcsncat_s)(UNIT *target, rsize_t size, const UNIT *source, rsize_t count)
{
    size_t at;

    if (count == 0 && !target && size == 0)
        return 0;
    if (!target || size == 0)
        return crt_invalid(EINVAL);
    if (!source && count > 0)
        return refuse(target, EINVAL);
    at = length_in(target, size);
    if (at == size)
        return refuse(target, EINVAL);
    return count == 0 ? 0 : append(target, size, at, source, count);
}

errno_t NAME(strcat_s, wcscat_s)(UNIT *target, rsize_t size, const UNIT *source)
{
    if (!target || size == 0)
        return crt_invalid(EINVAL);
    if (!source)
        return refuse(target, EINVAL);
    return NAME(strncat_s, wcsncat_s)(target, size, source, _TRUNCATE - 1);
}

size_t NAME(strnlen_s, wcsnlen_s)(const UNIT *text, size_t size)
{
    return text ? length_in(text, size) : 0;
}

static bool is_one_of(UNIT c, const UNIT *set)
{
    while (*set && *set != c)
        set++;
    return *set != 0;
}

UNIT *NAME(strtok_s, wcstok_s)(UNIT *text, const UNIT *separators, UNIT **context)
{
    UNIT *token;

    if (!context || !separators || (!text && !*context)) {
        crt_invalid(EINVAL);
        return NULL;
    }
    token = text ? text : *context;
    while (*token && is_one_of(*token, separators))
        token++;
    text = token;
    while (*text && !is_one_of(*text, separators))
        text++;
    *context = *text ? text + 1 : text;
    if (text == token)
        return NULL;
    *text = 0;
    return token;
}

/* ---- letter case ---- */

int NAME(_strnicmp, _wcsnicmp)(const UNIT *a, const UNIT *b, size_t count)
{
    if (count > 0 && (!a || !b)) {
        crt_invalid(EINVAL);
        return INT_MAX;
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t x = text_fold(VALUE(a[i])), y = text_fold(VALUE(b[i]));

        if (x != y)
            return x < y ? -1 : 1;
        if (x == 0)
            return 0;
    }
    return 0;
}

int NAME(_stricmp, _wcsicmp)(const UNIT *a, const UNIT *b)
{
    return NAME(_strnicmp, _wcsnicmp)(a, b, (size_t)-1);
}

UNIT *NAME(_strlwr, _wcslwr)(UNIT *text)
{
    if (!text) {
        crt_invalid(EINVAL);
        return NULL;
    }
    for (UNIT *at = text; *at; at++)
        *at = (UNIT)text_fold(VALUE(*at));
    return text;
}

UNIT *NAME(_strupr, _wcsupr)(UNIT *text)
{
    if (!text) {
        crt_invalid(EINVAL);
        return NULL;
    }
    for (UNIT *at = text; *at; at++)
        if (VALUE(*at) - 'a' < 26u)
            *at = (UNIT)(*at - 32);
    return text;
}

/* 0 if a terminator is among `size` units. */
static errno_t check_terminated(UNIT *text, size_t size)
{
    if (!text)
        return crt_invalid(EINVAL);
    if (length_in(text, size) < size)
        return 0;
    if (size > 0)
        text[0] = 0;
    return crt_invalid(EINVAL);
}

errno_t NAME(_strlwr_s, _wcslwr_s)(UNIT *text, size_t size)
{
    errno_t error = check_terminated(text, size);

    if (error == 0)
        NAME(_strlwr, _wcslwr)(text);
    return error;
}

errno_t NAME(_strupr_s, _wcsupr_s)(UNIT *text, size_t size)
{
    errno_t error = check_terminated(text, size);

    if (error == 0)
        NAME(_strupr, _wcsupr)(text);
    return error;
}

UNIT *NAME(_strrev, _wcsrev)(UNIT *text)
{
    size_t length = length_in(text, (size_t)-1);

    for (size_t i = 0; i < length / 2; i++) {
        UNIT c = text[i];

        text[i] = text[length - 1 - i];
        text[length - 1 - i] = c;
    }
    return text;
}

/* ---- numbers ---- */

/* Digits of n, and a sign in front if there is one. */
static errno_t put_digits(uint64_t n, bool negative, UNIT *buffer, size_t size, int radix)
{
    UNIT digits[65];
    size_t count = 0, at = 0;

    if (!buffer || size == 0)
        return crt_invalid(EINVAL);
    if (radix < 2 || radix > 36)
        return refuse(buffer, EINVAL);
    do {
        unsigned digit = (unsigned)(n % (unsigned)radix);

        digits[count++] = (UNIT)(digit < 10 ? '0' + digit : 'a' + digit - 10);
        n /= (unsigned)radix;
    } while (n > 0);
    if (count + negative + 1 > size)
        return refuse(buffer, ERANGE);
    if (negative)
        buffer[at++] = '-';
    while (count > 0)
        buffer[at++] = digits[--count];
    buffer[at] = 0;
    return 0;
}

/* `bits`: of the type on Windows; negative numbers are shown so wide when the radix is not 10. */
static errno_t put_signed(long long value, unsigned bits, UNIT *buffer, size_t size, int radix)
{
    uint64_t n = (uint64_t)value;
    bool negative = value < 0 && radix == 10;

    if (negative)
        n = 0 - n;
    else if (value < 0 && bits == 32 && value >= INT_MIN)
        n &= 0xFFFFFFFFu;
    return put_digits(n, negative, buffer, size, radix);
}

errno_t NAME(_itoa_s, _itow_s)(int value, UNIT *buffer, size_t size, int radix)
{
    return put_signed(value, 32, buffer, size, radix);
}

errno_t NAME(_i64toa_s, _i64tow_s)(long long value, UNIT *buffer, size_t size, int radix)
{
    return put_signed(value, 64, buffer, size, radix);
}

errno_t NAME(_ui64toa_s, _ui64tow_s)(unsigned long long value, UNIT *buffer, size_t size, int radix)
{
    return put_digits(value, false, buffer, size, radix);
}

/* The forms without a size: the caller promises room for any number. */
enum { NUMBER_SIZE = 66 };

UNIT *NAME(_itoa, _itow)(int value, UNIT *buffer, int radix)
{
    return put_signed(value, 32, buffer, NUMBER_SIZE, radix) == 0 ? buffer : NULL;
}

UNIT *NAME(_i64toa, _i64tow)(long long value, UNIT *buffer, int radix)
{
    return put_signed(value, 64, buffer, NUMBER_SIZE, radix) == 0 ? buffer : NULL;
}

UNIT *NAME(_ui64toa, _ui64tow)(unsigned long long value, UNIT *buffer, int radix)
{
    return put_digits(value, false, buffer, NUMBER_SIZE, radix) == 0 ? buffer : NULL;
}

/* ---- formats ---- */

int NAME(_vsnprintf, _vsnwprintf)(UNIT *buffer, size_t size, const UNIT *format, va_list arguments)
{
    ptrdiff_t length;

    if (!format || (!buffer && size > 0)) {
        crt_invalid(EINVAL);
        return -1;
    }
    length = FORMAT(buffer, size, format, arguments);
    if (length < 0 || (size_t)length > size)
        return -1;
    if ((size_t)length < size)
        buffer[length] = 0;
    return (int)length;
}

int NAME(_snprintf, _snwprintf)(UNIT *buffer, size_t size, const UNIT *format, ...)
{
    va_list arguments;
    int result;

    va_start(arguments, format);
    result = NAME(_vsnprintf, _vsnwprintf)(buffer, size, format, arguments);
    va_end(arguments);
    return result;
}

int NAME(_vscprintf, _vscwprintf)(const UNIT *format, va_list arguments)
{
    if (!format) {
        crt_invalid(EINVAL);
        return -1;
    }
    return (int)FORMAT(NULL, 0, format, arguments);
}

int NAME(_scprintf, _scwprintf)(const UNIT *format, ...)
{
    va_list arguments;
    int result;

    va_start(arguments, format);
    result = NAME(_vscprintf, _vscwprintf)(format, arguments);
    va_end(arguments);
    return result;
}

int NAME(_vsnprintf_s, _vsnwprintf_s)(UNIT *buffer, size_t size, size_t count, const UNIT *format,
                                      va_list arguments)
{
    size_t most;
    ptrdiff_t length;

    if (format && count == 0 && !buffer && size == 0)
        return 0;
    if (!format || !buffer || size == 0) {
        crt_invalid(EINVAL);
        return -1;
    }
    most = count < size - 1 ? count : size - 1;
    length = FORMAT(buffer, most, format, arguments);
    if (length < 0) {
        refuse(buffer, errno);
        return -1;
    }
    if ((size_t)length > most && count != _TRUNCATE && count >= size) {
        refuse(buffer, ERANGE);
        return -1;
    }
    buffer[(size_t)length < most ? (size_t)length : most] = 0;
    return (size_t)length > most ? -1 : (int)length;
}

int NAME(_snprintf_s, _snwprintf_s)(UNIT *buffer, size_t size, size_t count, const UNIT *format, ...)
{
    va_list arguments;
    int result;

    va_start(arguments, format);
    result = NAME(_vsnprintf_s, _vsnwprintf_s)(buffer, size, count, format, arguments);
    va_end(arguments);
    return result;
}

int NAME(vsprintf_s, vswprintf_s)(UNIT *buffer, size_t size, const UNIT *format, va_list arguments)
{
    return NAME(_vsnprintf_s, _vsnwprintf_s)(buffer, size, _TRUNCATE - 1, format, arguments);
}

int NAME(sprintf_s, swprintf_s)(UNIT *buffer, size_t size, const UNIT *format, ...)
{
    va_list arguments;
    int result;

    va_start(arguments, format);
    result = NAME(vsprintf_s, vswprintf_s)(buffer, size, format, arguments);
    va_end(arguments);
    return result;
}
