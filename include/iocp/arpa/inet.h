/* SPDX-License-Identifier: MIT */
/* The C library's <arpa/inet.h>, which cannot stand in one file with winsock2.h. */
#pragma GCC system_header
#if defined(IOCP_WINSOCK_NAMES) && !defined(_ARPA_INET_H)
#error "<arpa/inet.h> after <winsock2.h>: use <iocp.h>, it can stand beside the POSIX socket headers"
#endif
#include_next <arpa/inet.h>
