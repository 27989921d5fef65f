/* SPDX-License-Identifier: MIT */
/* The functions of registered I/O, for WSAIoctl to give out. */
#ifndef IOCP_API_MSWSOCK_RIO_H
#define IOCP_API_MSWSOCK_RIO_H

struct _RIO_EXTENSION_FUNCTION_TABLE;

extern const struct _RIO_EXTENSION_FUNCTION_TABLE mswsock_rio_table;

#endif
