/* SPDX-License-Identifier: MIT */
/* mswsockdef.h: definitions behind mswsock.h. Only what is not tied to registered I/O, which is not there. */
#ifndef IOCP_MSWSOCKDEF_H
#define IOCP_MSWSOCKDEF_H

#include <ws2def.h>

#define SIO_SET_COMPATIBILITY_MODE     _WSAIOW(IOC_VENDOR, 300)
#define SIO_QUERY_RSS_SCALABILITY_INFO _WSAIOR(IOC_VENDOR, 210)

#endif
