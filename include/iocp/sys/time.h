/* SPDX-License-Identifier: MIT */
/*
 * The C library's <sys/time.h>. A program that asks for it by name beside winsock2.h, in whatever order, gets
 * a gettimeofday for winsock2.h's timeval with it, as mingw has one.
 */
#pragma GCC system_header
#include_next <sys/time.h>
#if !defined(IOCP_NETLIBC_READS) && !defined(IOCP_SYS_TIME)
#define IOCP_SYS_TIME 1
#ifdef IOCP_TIMEVAL
#include <iocp_timeval.h>
#endif
#endif
