/* SPDX-License-Identifier: MIT */
/*
 * iocpcrt_stdlib.h: Microsoft's additions to <stdlib.h>, <malloc.h> and <sys/stat.h>.
 */
#ifndef IOCP_CRT_STDLIB_H
#define IOCP_CRT_STDLIB_H

#include <corecrt.h>
#include <errno.h> /* Microsoft's has errno, too */

IOCP_EXTERN_C_BEGIN

#define _MAX_PATH  260
#define _MAX_DRIVE 3
#define _MAX_DIR   256
#define _MAX_FNAME 256
#define _MAX_EXT   256
#define _MAX_ENV   32767

#ifndef _countof
#ifdef __cplusplus
extern "C++" {
template <typename type, size_t count> char (*iocp_countof(type (&)[count]))[count];
}
#define _countof(array) (sizeof(*iocp_countof(array)) + 0)
#else
#define _countof(array) (sizeof(array) / sizeof((array)[0]))
#endif
#endif
#ifndef __cplusplus /* the C++ library has variables of these names */
#ifndef __max
#define __max(a, b) (((a) > (b)) ? (a) : (b))
#endif
#ifndef __min
#define __min(a, b) (((a) < (b)) ? (a) : (b))
#endif
#endif
#ifndef _alloca
#define _alloca __builtin_alloca
#endif

/* From the stack what is small, else from malloc; a word in front says which it was. */
#ifndef _malloca
#define _ALLOCA_S_THRESHOLD 1024
#define _malloca(size)                                                                        \
    ((size_t)(size) <= _ALLOCA_S_THRESHOLD - 16 ? iocp_marked(__builtin_alloca((size_t)(size) + 16), 0) \
                                                : iocp_marked(__builtin_malloc((size_t)(size) + 16), 1))
#define _freea iocp_freea
static __inline__ __attribute__((__unused__)) void *iocp_marked(void *block, int from_malloc)
{
    if (block)
        *(int *)block = from_malloc;
    return block ? (char *)block + 16 : block;
}
static __inline__ __attribute__((__unused__)) void iocp_freea(void *block)
{
    if (block && *(int *)(void *)((char *)block - 16))
        __builtin_free((char *)block - 16);
}
#endif

/* Blocks whose address is a multiple of `alignment`, a power of two (else NULL and EINVAL). */
_CRTIMP void *_aligned_malloc(size_t size, size_t alignment) IOCP_SYM(_aligned_malloc);
_CRTIMP void *_aligned_realloc(void *block, size_t size, size_t alignment) IOCP_SYM(_aligned_realloc);
_CRTIMP void _aligned_free(void *block) IOCP_SYM(_aligned_free);

/* A random number from the system. 0, or EINVAL for NULL. Needs no _CRT_RAND_S here. */
_CRTIMP errno_t rand_s(unsigned int *value) IOCP_SYM(rand_s);

/* The parts of a path, each into a buffer that must hold it (_MAX_DRIVE, _MAX_DIR, _MAX_FNAME, _MAX_EXT)
 * or may be
 * NULL: "C:", the directory with its last slash of either kind, the name, the last dot and what follows. */
_CRTIMP void _splitpath(const char *path, char *drive, char *directory, char *name, char *extension)
    IOCP_SYM(_splitpath);

/* Text to number, as atoll, strtoll and strtoull. */
_CRTIMP long long _atoi64(const char *text) IOCP_SYM(_atoi64);
_CRTIMP long long _strtoi64(const char *text, char **end, int base) IOCP_SYM(_strtoi64);
_CRTIMP unsigned long long _strtoui64(const char *text, char **end, int base) IOCP_SYM(_strtoui64);

/*
 * Number to text, radix 2 to 36, small letters. A sign in radix 10 only: elsewhere a negative number is
 * shown as the unsigned one with the same bits, of the width that Windows gives the type. The buffer must
 * hold 65 bytes in radix 2; the _s forms check (ERANGE, EINVAL).
 */
_CRTIMP char *_itoa(int value, char *buffer, int radix) IOCP_SYM(_itoa);
_CRTIMP char *_ltoa(long value, char *buffer, int radix) IOCP_SYM(_ltoa);
_CRTIMP char *_ultoa(unsigned long value, char *buffer, int radix) IOCP_SYM(_ultoa);
_CRTIMP char *_i64toa(long long value, char *buffer, int radix) IOCP_SYM(_i64toa);
_CRTIMP char *_ui64toa(unsigned long long value, char *buffer, int radix) IOCP_SYM(_ui64toa);
_CRTIMP errno_t _itoa_s(int value, char *buffer, size_t size, int radix) IOCP_SYM(_itoa_s);
_CRTIMP errno_t _ltoa_s(long value, char *buffer, size_t size, int radix) IOCP_SYM(_ltoa_s);
_CRTIMP errno_t _ultoa_s(unsigned long value, char *buffer, size_t size, int radix) IOCP_SYM(_ultoa_s);
_CRTIMP errno_t _i64toa_s(long long value, char *buffer, size_t size, int radix) IOCP_SYM(_i64toa_s);
_CRTIMP errno_t _ui64toa_s(unsigned long long value, char *buffer, size_t size, int radix)
    IOCP_SYM(_ui64toa_s);

/*
 * The environment, shared with getenv and GetEnvironmentVariable. An empty value removes the variable.
 * getenv_s: *needed is the size with the terminator, 0 if there is no such variable (that is no error);
 * a size of 0 only asks. _dupenv_s: *value comes from malloc, for free; *size may be NULL.
 */
_CRTIMP int _putenv(const char *assignment) IOCP_SYM(_putenv);
_CRTIMP errno_t _putenv_s(const char *name, const char *value) IOCP_SYM(_putenv_s);
_CRTIMP errno_t getenv_s(size_t *needed, char *value, rsize_t size, const char *name) IOCP_SYM(getenv_s);
_CRTIMP errno_t _dupenv_s(char **value, size_t *size, const char *name) IOCP_SYM(_dupenv_s);

/* qsort and bsearch with a context, which comes first in the calls of `compare`. */
_CRTIMP void qsort_s(void *base, rsize_t count, rsize_t size,
                     int (*compare)(void *context, const void *a, const void *b), void *context)
    IOCP_SYM(qsort_s);
_CRTIMP void *bsearch_s(const void *key, const void *base, rsize_t count, rsize_t size,
                        int (*compare)(void *context, const void *key, const void *item), void *context)
    IOCP_SYM(bsearch_s);

/* GetFullPathName: into buffer (of `size` bytes), or into memory from malloc if buffer is NULL. */
_CRTIMP char *_fullpath(char *buffer, const char *name, size_t size) IOCP_SYM(_fullpath);

/* Nothing is asked and nothing reported when a program aborts: these change nothing. */
#define _set_abort_behavior(flags, mask) ((void)(flags), (void)(mask), 0u)
#define _WRITE_ABORT_MSG    1
#define _CALL_REPORTFAULT   2
#define _set_error_mode(mode) ((void)(mode), 0)
#define _OUT_TO_DEFAULT 0
#define _OUT_TO_STDERR  1
#define _OUT_TO_MSGBOX  2

#define _abs64 llabs
#ifndef _rotl
#define _rotl(n, count) iocp_rotate((n), 32u - ((unsigned int)(count) & 31u))
#endif
#ifndef _rotr
#define _rotr(n, count) iocp_rotate((n), (unsigned int)(count))
#endif
#ifndef _rotl64
#define _rotl64(n, count) iocp_rotate64((n), 64u - ((unsigned int)(count) & 63u))
#endif
#ifndef _rotr64
#define _rotr64(n, count) iocp_rotate64((n), (unsigned int)(count))
#endif
#define _byteswap_ushort(n) ((unsigned short)__builtin_bswap16((unsigned short)(n)))
#define _byteswap_ulong(n)  ((unsigned int)__builtin_bswap32((unsigned int)(n)))
#define _byteswap_uint64(n) ((unsigned long long)__builtin_bswap64((unsigned long long)(n)))

/* To the right. */
static __inline__ unsigned int iocp_rotate(unsigned int n, unsigned int count)
{
    return n >> (count & 31u) | n << (-count & 31u);
}

static __inline__ unsigned long long iocp_rotate64(unsigned long long n, unsigned int count)
{
    return n >> (count & 63u) | n << (-count & 63u);
}

/* The structure and the function; sizes and times have 64 bits. Names as the C library takes them. */
#define _stat      stat
#define _fstat     fstat
#define _stat64    stat
#define _fstat64   fstat
#define _stati64   stat
#define _fstati64  fstat
#define _S_IFMT    0170000
#define _S_IFDIR   0040000
#define _S_IFCHR   0020000
#define _S_IFIFO   0010000
#define _S_IFREG   0100000
#define _S_IREAD   0000400
#define _S_IWRITE  0000200
#define _S_IEXEC   0000100

IOCP_EXTERN_C_END

#endif
