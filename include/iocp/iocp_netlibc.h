/* SPDX-License-Identifier: MIT */
/*
 * iocp_netlibc.h: how winsock2.h lives with the C library. Not for programs.
 *
 * Windows and POSIX give the same names to different things. Three measures keep a Windows source
 * unchanged:
 * - POSIX's own socket headers cannot stand in the same file as winsock2.h: that is an #error here
 *   (POSIX first) or in the wrappers sys/socket.h, netinet/in.h, ... of this directory (Winsock first).
 * - A few names come in through the back door: <stdlib.h>, <unistd.h> and all of libstdc++ declare
 *   select, fd_set, timeval, u_long, gethostname and socklen_t. Those headers are included here,
 *   once and before anything of ours; then the names become macros for types and functions of ours.
 * - Everything else keeps its C name and has a symbol of its own, by asm label. So a C++ method called
 *   send, or std::bind, is not touched by any macro.
 */
#ifndef IOCP_NETLIBC_H
#define IOCP_NETLIBC_H

#if defined(_SYS_SOCKET_H) || defined(_NETINET_IN_H) || defined(_ARPA_INET_H) || defined(_NETDB_H)
#error "<winsock2.h> cannot stand beside POSIX socket headers such as <sys/socket.h>: use <iocp.h>"
#endif

#define IOCP_WINSOCK_NAMES 1 /* the wrappers of POSIX headers look at this */

/*
 * A program may set FD_SETSIZE before it includes winsock2.h; the C library has a macro of the same
 * name (defined as __FD_SETSIZE) and must not win, nor be taken for the program's. The wrapper
 * sys/select.h keeps a value that was there before the C library's own.
 */
#ifdef _SYS_SELECT_H
#pragma push_macro("__FD_SETSIZE")
#undef __FD_SETSIZE
#if defined(FD_SETSIZE) && FD_SETSIZE + 0 == 0
#undef FD_SETSIZE /* it was the C library's */
#endif
#pragma pop_macro("__FD_SETSIZE")
#if defined(IOCP_PROGRAMS_FD_SETSIZE) && !defined(FD_SETSIZE)
#pragma pop_macro("FD_SETSIZE")
#endif
#endif

#pragma push_macro("FD_SETSIZE")
#undef FD_SETSIZE
#define IOCP_NETLIBC_READS
#include <sys/types.h>
#include <sys/select.h>
#include <sys/time.h>
#include <sys/resource.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#undef IOCP_NETLIBC_READS
#undef FD_SETSIZE
#pragma pop_macro("FD_SETSIZE")

#ifndef FD_SETSIZE
#define FD_SETSIZE 64 /* sockets in one fd_set; define it before winsock2.h for more */
#endif

#undef FD_ZERO
#undef FD_SET
#undef FD_CLR
#undef FD_ISSET

#undef timerisset
#undef timercmp
#undef timerclear

#define select iocp_select
#define gethostname iocp_gethostname
#define fd_set iocp_fd_set
#define timeval iocp_timeval
#define gettimeofday iocp_gettimeofday /* sources have their own; see sys/time.h for another */
#define u_long iocp_u_long
#define socklen_t iocp_socklen_t

#endif
