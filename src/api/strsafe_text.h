/* SPDX-License-Identifier: MIT */
/*
 * strsafe.c's functions for one kind of text. Included twice, with UNIT (the type), NAME(name) (the name
 * with its A or W) and FORMAT (the formatter).
 */

static bool NAME(is_good)(const UNIT *target, size_t size)
{
    return target && size > 0 && size <= STRSAFE_MAX_CCH;
}

static size_t NAME(length_in)(const UNIT *text, size_t size)
{
    size_t length = 0;

    while (length < size && text[length])
        length++;
    return length;
}

/* Behind the `at` units that are there already. */
static HRESULT NAME(append)(UNIT *target, size_t size, size_t at, const UNIT *source, size_t count)
{
    size_t room = size - at - 1;
    size_t length = NAME(length_in)(source, count < room ? count : room);
    bool cut = length == room && count > room && source[length];

    memmove(target + at, source, length * sizeof *source);
    target[at + length] = 0;
    return cut ? STRSAFE_E_INSUFFICIENT_BUFFER : S_OK;
}

HRESULT WINAPI NAME(StringCchCopyN)(UNIT *target, size_t size, const UNIT *source, size_t count)
{
    if (!NAME(is_good)(target, size))
        return STRSAFE_E_INVALID_PARAMETER;
    target[0] = 0;
    if (!source || count > STRSAFE_MAX_LENGTH)
        return STRSAFE_E_INVALID_PARAMETER;
    return NAME(append)(target, size, 0, source, count);
}

HRESULT WINAPI NAME(StringCchCopy)(UNIT *target, size_t size, const UNIT *source)
{
    return NAME(StringCchCopyN)(target, size, source, STRSAFE_MAX_LENGTH);
}

HRESULT WINAPI NAME(StringCchCatN)(UNIT *target, size_t size, const UNIT *source, size_t count)
{
    size_t at;

    if (!NAME(is_good)(target, size) || !source || count > STRSAFE_MAX_LENGTH)
        return STRSAFE_E_INVALID_PARAMETER;
    at = NAME(length_in)(target, size);
    if (at == size)
        return STRSAFE_E_INVALID_PARAMETER;
    return NAME(append)(target, size, at, source, count);
}

HRESULT WINAPI NAME(StringCchCat)(UNIT *target, size_t size, const UNIT *source)
{
    return NAME(StringCchCatN)(target, size, source, STRSAFE_MAX_LENGTH);
}

HRESULT WINAPI NAME(StringCchVPrintf)(UNIT *target, size_t size, const UNIT *format, va_list arguments)
{
    ptrdiff_t length;

    if (!NAME(is_good)(target, size))
        return STRSAFE_E_INVALID_PARAMETER;
    target[0] = 0;
    if (!format)
        return STRSAFE_E_INVALID_PARAMETER;
    length = FORMAT(target, size - 1, format, arguments);
    if (length < 0) {
        target[0] = 0;
        return STRSAFE_E_INVALID_PARAMETER;
    }
    target[(size_t)length < size ? (size_t)length : size - 1] = 0;
    return (size_t)length < size ? S_OK : STRSAFE_E_INSUFFICIENT_BUFFER;
}

HRESULT WINAPI NAME(StringCchPrintf)(UNIT *target, size_t size, const UNIT *format, ...)
{
    va_list arguments;
    HRESULT result;

    va_start(arguments, format);
    result = NAME(StringCchVPrintf)(target, size, format, arguments);
    va_end(arguments);
    return result;
}

HRESULT WINAPI NAME(StringCchLength)(const UNIT *text, size_t size, size_t *length)
{
    size_t n = text && size <= STRSAFE_MAX_CCH ? NAME(length_in)(text, size) : size;

    if (length)
        *length = n < size ? n : 0;
    return n < size ? S_OK : STRSAFE_E_INVALID_PARAMETER;
}

/* ---- sizes in bytes ---- */

HRESULT WINAPI NAME(StringCbCopy)(UNIT *target, size_t size, const UNIT *source)
{
    return NAME(StringCchCopy)(target, size / sizeof(UNIT), source);
}

HRESULT WINAPI NAME(StringCbCopyN)(UNIT *target, size_t size, const UNIT *source, size_t count)
{
    return NAME(StringCchCopyN)(target, size / sizeof(UNIT), source, count / sizeof(UNIT));
}

HRESULT WINAPI NAME(StringCbCat)(UNIT *target, size_t size, const UNIT *source)
{
    return NAME(StringCchCat)(target, size / sizeof(UNIT), source);
}

HRESULT WINAPI NAME(StringCbCatN)(UNIT *target, size_t size, const UNIT *source, size_t count)
{
    return NAME(StringCchCatN)(target, size / sizeof(UNIT), source, count / sizeof(UNIT));
}

HRESULT WINAPI NAME(StringCbVPrintf)(UNIT *target, size_t size, const UNIT *format, va_list arguments)
{
    return NAME(StringCchVPrintf)(target, size / sizeof(UNIT), format, arguments);
}

HRESULT WINAPI NAME(StringCbPrintf)(UNIT *target, size_t size, const UNIT *format, ...)
{
    va_list arguments;
    HRESULT result;

    va_start(arguments, format);
    result = NAME(StringCbVPrintf)(target, size, format, arguments);
    va_end(arguments);
    return result;
}

HRESULT WINAPI NAME(StringCbLength)(const UNIT *text, size_t size, size_t *length)
{
    HRESULT result = NAME(StringCchLength)(text, size / sizeof(UNIT), length);

    if (length)
        *length *= sizeof(UNIT);
    return result;
}
