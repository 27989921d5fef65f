/* SPDX-License-Identifier: MIT */
/* wspiapi.h: once getaddrinfo and its kin for systems without them; they are in ws2tcpip.h. */
#ifndef _WSPIAPI_H_
#define _WSPIAPI_H_

#include <ws2tcpip.h>

#endif
