/* SPDX-License-Identifier: MIT */
/*
 * iocpcrt_stdlib.h: aligned memory, random numbers, text to number, the environment.
 */
#include <windows.h>

#include "api/crt.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* ---- aligned memory ---- */

void *_aligned_malloc(size_t size, size_t alignment)
{
    void *block;
    int error;

    if (alignment == 0 || (alignment & (alignment - 1)) != 0) {
        crt_invalid(EINVAL);
        return NULL;
    }
    if (alignment < sizeof(void *))
        alignment = sizeof(void *);
    error = posix_memalign(&block, alignment, size ? size : 1);
    if (error != 0) {
        errno = error;
        return NULL;
    }
    return block;
}

void *_aligned_realloc(void *block, size_t size, size_t alignment)
{
    size_t old;
    void *fresh;

    if (block && size == 0) {
        free(block);
        return NULL;
    }
    fresh = _aligned_malloc(size, alignment);
    if (!fresh || !block)
        return fresh;
    old = malloc_usable_size(block);
    memcpy(fresh, block, old < size ? old : size);
    free(block);
    return fresh;
}

void _aligned_free(void *block)
{
    free(block);
}

errno_t rand_s(unsigned int *value)
{
    unsigned int n;

    if (!value)
        return crt_invalid(EINVAL);
    *value = 0;
    while (getrandom(&n, sizeof n, 0) != sizeof n) /* so few bytes come at once or not at all */
        if (errno != EINTR)
            return errno;
    *value = n;
    return 0;
}

/* ---- text to number ---- */

long long _atoi64(const char *text)
{
    if (!text) {
        crt_invalid(EINVAL);
        return 0;
    }
    return strtoll(text, NULL, 10);
}

long long _strtoi64(const char *text, char **end, int base)
{
    return strtoll(text, end, base);
}

unsigned long long _strtoui64(const char *text, char **end, int base)
{
    return strtoull(text, end, base);
}

/* ---- the environment ---- */

errno_t _putenv_s(const char *name, const char *value)
{
    if (!name || !value || !*name || strchr(name, '='))
        return crt_invalid(EINVAL);
    if ((*value ? setenv(name, value, 1) : unsetenv(name)) != 0)
        return errno;
    return 0;
}

int _putenv(const char *assignment)
{
    const char *equals = assignment ? strchr(assignment, '=') : NULL;
    char *name;
    errno_t error;

    if (!equals) {
        crt_invalid(EINVAL);
        return -1;
    }
    name = strndup(assignment, (size_t)(equals - assignment));
    if (!name)
        return -1;
    error = _putenv_s(name, equals + 1);
    free(name);
    return error == 0 ? 0 : -1;
}

errno_t getenv_s(size_t *needed, char *value, rsize_t size, const char *name)
{
    const char *found;

    if (!needed || (!value && size > 0))
        return crt_invalid(EINVAL);
    *needed = 0;
    if (size > 0)
        value[0] = 0;
    if (!name)
        return crt_invalid(EINVAL);
    found = getenv(name);
    if (!found)
        return 0;
    *needed = strlen(found) + 1;
    if (size == 0)
        return 0;
    if (*needed > size)
        return crt_invalid(ERANGE);
    memcpy(value, found, *needed);
    return 0;
}

errno_t _dupenv_s(char **value, size_t *size, const char *name)
{
    const char *found;

    if (!value)
        return crt_invalid(EINVAL);
    *value = NULL;
    if (size)
        *size = 0;
    if (!name)
        return crt_invalid(EINVAL);
    found = getenv(name);
    if (!found)
        return 0;
    *value = strdup(found);
    if (!*value)
        return ENOMEM;
    if (size)
        *size = strlen(found) + 1;
    return 0;
}

/* ---- sorting ---- */

struct order {
    int (*compare)(void *context, const void *a, const void *b);
    void *context;
};

static int ask(const void *a, const void *b, void *order)
{
    const struct order *o = order;

    return o->compare(o->context, a, b);
}

void qsort_s(void *base, rsize_t count, rsize_t size,
             int (*compare)(void *context, const void *a, const void *b), void *context)
{
    struct order order = {compare, context};

    if ((!base && count > 0) || size == 0 || !compare) {
        crt_invalid(EINVAL);
        return;
    }
    if (count > 0)
        qsort_r(base, count, size, ask, &order);
}

void *bsearch_s(const void *key, const void *base, rsize_t count, rsize_t size,
                int (*compare)(void *context, const void *key, const void *item), void *context)
{
    size_t low = 0, high = count;

    if (!key || (!base && count > 0) || size == 0 || !compare) {
        crt_invalid(EINVAL);
        return NULL;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const char *item = (const char *)base + middle * size;
        int order = compare(context, key, item);

        if (order == 0)
            return (void *)item;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* ---- paths ---- */

char *_fullpath(char *buffer, const char *name, size_t size)
{
    char full[PATH_SIZE];
    DWORD length = GetFullPathNameA(name && *name ? name : ".", sizeof full, full, NULL);

    if (length == 0 || length >= sizeof full) {
        errno = length == 0 ? EINVAL : ERANGE;
        return NULL;
    }
    if (!buffer)
        return strdup(full);
    if (length >= size) {
        errno = ERANGE;
        return NULL;
    }
    return memcpy(buffer, full, length + 1);
}

/* At most `room` bytes with the terminator: nobody's buffer is smaller than that. */
static void part(char *out, const char *from, size_t length, size_t room)
{
    if (!out)
        return;
    if (length >= room)
        length = room - 1;
    memcpy(out, from, length);
    out[length] = 0;
}

void _splitpath(const char *path, char *drive, char *directory, char *name, char *extension)
{
    const char *rest = path[0] && path[1] == ':' ? path + 2 : path;
    const char *begin = rest, *dot, *end = rest + strlen(rest);

    part(drive, path, (size_t)(rest - path), _MAX_DRIVE);
    for (const char *at = rest; *at; at++)
        if (*at == '/' || *at == '\\')
            begin = at + 1;
    dot = strrchr(begin, '.');
    if (!dot)
        dot = end;
    part(directory, rest, (size_t)(begin - rest), _MAX_DIR);
    part(name, begin, (size_t)(dot - begin), _MAX_FNAME);
    part(extension, dot, (size_t)(end - dot), _MAX_EXT);
}
