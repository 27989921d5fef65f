/* SPDX-License-Identifier: MIT */
/*
 * The C library's <sys/select.h>, with one addition: it overwrites FD_SETSIZE, which a program for
 * Windows may have set; the program's value is kept for winsock2.h (see iocp_netlibc.h).
 */
#pragma GCC system_header
#if defined(FD_SETSIZE) && !defined(_SYS_SELECT_H)
#define IOCP_PROGRAMS_FD_SETSIZE 1
#pragma push_macro("FD_SETSIZE")
#undef FD_SETSIZE
#endif
#include_next <sys/select.h>
