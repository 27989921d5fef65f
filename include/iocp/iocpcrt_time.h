/* SPDX-License-Identifier: MIT */
/*
 * iocpcrt_time.h: Microsoft's additions to <time.h>. The arguments are in Microsoft's order (the target
 * first), which is not that of C11's annex K.
 */
#ifndef IOCP_CRT_TIME_H
#define IOCP_CRT_TIME_H

#include <corecrt.h>
#include <time.h>

IOCP_EXTERN_C_BEGIN

/*
 * 0, or EINVAL for a NULL pointer or a time before 1970 or after the year 3000; then every member of
 * *target is -1.
 */
_CRTIMP errno_t localtime_s(struct tm *target, const time_t *time) IOCP_SYM(localtime_s);
_CRTIMP errno_t gmtime_s(struct tm *target, const time_t *time) IOCP_SYM(gmtime_s);
_CRTIMP errno_t _localtime64_s(struct tm *target, const __time64_t *time) IOCP_SYM(_localtime64_s);
_CRTIMP errno_t _gmtime64_s(struct tm *target, const __time64_t *time) IOCP_SYM(_gmtime64_s);

/* "Wed Jan 02 02:03:55 1980\n": 26 bytes; a smaller buffer gives EINVAL. */
_CRTIMP errno_t ctime_s(char *text, size_t size, const time_t *time) IOCP_SYM(ctime_s);
_CRTIMP errno_t asctime_s(char *text, size_t size, const struct tm *time) IOCP_SYM(asctime_s);

/* Seconds since 1970; *where may be NULL. -1: no such time. */
_CRTIMP __time64_t _time64(__time64_t *where) IOCP_SYM(_time64);
_CRTIMP __time64_t _mktime64(struct tm *time) IOCP_SYM(_mktime64);
_CRTIMP __time64_t _mkgmtime64(struct tm *time) IOCP_SYM(_mkgmtime64);
_CRTIMP time_t _mkgmtime(struct tm *time) IOCP_SYM(_mkgmtime);

#define _tzset tzset

IOCP_EXTERN_C_END

#endif
