/* SPDX-License-Identifier: MIT */
/* afunix.h: the address of a local socket (AF_UNIX); Linux's layout, which Windows took over. */
#ifndef _AFUNIX_
#define _AFUNIX_

#include <ws2def.h>

#define UNIX_PATH_MAX 108

#ifndef _SYS_UN_H
struct sockaddr_un {
    ADDRESS_FAMILY sun_family;
    char sun_path[UNIX_PATH_MAX];
};
#endif
typedef struct sockaddr_un SOCKADDR_UN, *PSOCKADDR_UN;

#endif
