/* SPDX-License-Identifier: MIT */
/*
 * iocpcrt_stdio.h: formatted output to streams, opening them, their descriptors. The formats that go to
 * memory stand in crt_secure.h.
 */
#include <windows.h>

#include "api/crt.h"
#include "base/os.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- output ---- */

int vfprintf_s(FILE *stream, const char *format, va_list arguments)
{
    char small[1024], *text = small;
    ptrdiff_t length;

    if (!stream || !format) {
        crt_invalid(EINVAL);
        return -1;
    }
    length = crt_format(small, sizeof small, format, arguments);
    if (length > (ptrdiff_t)sizeof small) {
        text = malloc((size_t)length);
        if (!text)
            return -1;
        length = crt_format(text, (size_t)length, format, arguments);
    }
    if (length > 0 && fwrite(text, 1, (size_t)length, stream) != (size_t)length)
        length = -1;
    if (text != small)
        free(text);
    return (int)length;
}

int vprintf_s(const char *format, va_list arguments)
{
    return vfprintf_s(stdout, format, arguments);
}

int fprintf_s(FILE *stream, const char *format, ...)
{
    va_list arguments;
    int result;

    va_start(arguments, format);
    result = vfprintf_s(stream, format, arguments);
    va_end(arguments);
    return result;
}

int printf_s(const char *format, ...)
{
    va_list arguments;
    int result;

    va_start(arguments, format);
    result = vfprintf_s(stdout, format, arguments);
    va_end(arguments);
    return result;
}

char *gets_s(char *buffer, size_t size)
{
    size_t length = 0;
    int c;

    if (!buffer || size == 0) {
        crt_invalid(EINVAL);
        return NULL;
    }
    while ((c = getchar()) != EOF && c != '\n') {
        if (length < size)
            buffer[length] = (char)c;
        length++;
    }
    if (c == EOF && length == 0) {
        buffer[0] = 0;
        return NULL;
    }
    if (length >= size) {
        buffer[0] = 0;
        crt_invalid(ERANGE);
        return NULL;
    }
    buffer[length] = 0;
    return buffer;
}

/* ---- opening ---- */

/* `t` is Windows' alone; an unknown letter would be ignored, but not by every C library. */
static bool mode_for(const char *mode, char *out, size_t size)
{
    size_t length = 0;

    for (; *mode; mode++) {
        if (*mode == 't')
            continue;
        if (length + 1 >= size)
            return false;
        out[length++] = *mode;
    }
    out[length] = 0;
    return length > 0 && strchr("rwa", out[0]) != NULL;
}

static FILE *open_stream(const char *name, const char *mode, FILE *old)
{
    struct path path;
    char letters[64];
    const char *text = crt_path(&path, name);

    if (!text)
        return NULL;
    if (!mode || !mode_for(mode, letters, sizeof letters)) {
        crt_invalid(EINVAL);
        return NULL;
    }
    return old ? freopen(text, letters, old) : fopen(text, letters);
}

errno_t fopen_s(FILE **stream, const char *name, const char *mode)
{
    if (!stream)
        return crt_invalid(EINVAL);
    *stream = open_stream(name, mode, NULL);
    return *stream ? 0 : errno;
}

errno_t freopen_s(FILE **stream, const char *name, const char *mode, FILE *old)
{
    if (!stream)
        return crt_invalid(EINVAL);
    *stream = NULL;
    if (!old)
        return crt_invalid(EINVAL);
    *stream = open_stream(name, mode, old);
    return *stream ? 0 : errno;
}

errno_t tmpfile_s(FILE **stream)
{
    if (!stream)
        return crt_invalid(EINVAL);
    *stream = tmpfile();
    return *stream ? 0 : errno;
}

FILE *_fsopen(const char *name, const char *mode, int share)
{
    (void)share; /* share modes hold between handles, and a stream has none */
    return open_stream(name, mode, NULL);
}

/* The descriptor is the C library's from now on, which closes it without asking anybody. */
FILE *_fdopen(int fd, const char *mode)
{
    char letters[64];
    FILE *stream;

    if (fd < 0 || !mode || !mode_for(mode, letters, sizeof letters)) {
        crt_invalid(fd < 0 ? EBADF : EINVAL);
        return NULL;
    }
    stream = fdopen(fd, letters);
    if (stream)
        crt_release_fd(fd);
    return stream;
}

int _unlink(const char *name)
{
    struct path path;
    const char *text = crt_path(&path, name);

    return text ? os_unlink(text) : -1;
}

/* ---- what a stream stands on ---- */

int _fileno(FILE *stream)
{
    if (!stream) {
        crt_invalid(EINVAL);
        return -1;
    }
    return fileno(stream);
}

int _fseeki64(FILE *stream, long long offset, int whence)
{
    if (!stream) {
        crt_invalid(EINVAL);
        return -1;
    }
    return fseeko(stream, (off_t)offset, whence);
}

long long _ftelli64(FILE *stream)
{
    if (!stream) {
        crt_invalid(EINVAL);
        return -1;
    }
    return (long long)ftello(stream);
}
