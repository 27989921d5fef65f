/* SPDX-License-Identifier: MIT */
/*
 * iocpcrt_utime.h: the times of a file, what <sys/utime.h> has in Microsoft's C run-time.
 * Page: "_utime", learn.microsoft.com/cpp/c-runtime-library/reference/.
 */
#ifndef IOCPCRT_UTIME_H
#define IOCPCRT_UTIME_H

#include <corecrt.h>
#include <minwindef.h>

#include <time.h>

IOCP_EXTERN_C_BEGIN

struct _utimbuf {
    time_t actime;
    time_t modtime;
};

/* Sets both times of a file, to now if `times` is NULL. 0, or -1 with errno. */
_CRTIMP int _utime(const char *path, const struct _utimbuf *times) IOCP_SYM(_utime);
_CRTIMP int _futime(int fd, const struct _utimbuf *times) IOCP_SYM(_futime);

IOCP_EXTERN_C_END

#endif
