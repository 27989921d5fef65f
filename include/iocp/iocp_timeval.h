/* SPDX-License-Identifier: MIT */
/* iocp_timeval.h: gettimeofday for winsock2.h's timeval. Not for programs: <sys/time.h> brings it. */
#ifndef IOCP_TIMEVAL_H
#define IOCP_TIMEVAL_H

#include <time.h>
#include <winsock2.h>

/* 0. The zone is not looked at, and may be NULL. */
static __inline__ __attribute__((__unused__)) int iocp_gettimeofday(struct iocp_timeval *now, void *zone)
{
    struct timespec t;

    (void)zone;
    timespec_get(&t, TIME_UTC);
    now->tv_sec = (LONG)t.tv_sec;
    now->tv_usec = (LONG)(t.tv_nsec / 1000);
    return 0;
}

#endif
