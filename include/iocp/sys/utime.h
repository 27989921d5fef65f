/* SPDX-License-Identifier: MIT */
/*
 * sys/utime.h: the times of a file under Microsoft's names, on the C library's utime.
 * Page: "_utime", learn.microsoft.com/cpp/c-runtime-library/reference/.
 */
#ifndef _INC_UTIME
#define _INC_UTIME

#include <sys/stat.h>
#include <utime.h>

struct _utimbuf {
    time_t actime;
    time_t modtime;
};

/* Sets both times, to now if `times` is NULL. 0, or -1 with errno. */
static __inline__ int _utime(const char *path, const struct _utimbuf *times)
{
    struct utimbuf both = {times ? times->actime : 0, times ? times->modtime : 0};

    return utime(path, times ? &both : (const struct utimbuf *)0);
}

static __inline__ int _futime(int fd, const struct _utimbuf *times)
{
    struct timespec both[2];

    both[0].tv_sec = times ? times->actime : 0;
    both[1].tv_sec = times ? times->modtime : 0;
    both[0].tv_nsec = both[1].tv_nsec = 0;
    return futimens(fd, times ? both : (const struct timespec *)0);
}

#endif
