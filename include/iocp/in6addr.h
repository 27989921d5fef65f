/* SPDX-License-Identifier: MIT */
/* in6addr.h: an IPv6 address, in the Windows shape (u.Byte, u.Word), 16 bytes in network order. */
#ifndef IOCP_IN6ADDR_H
#define IOCP_IN6ADDR_H

#include <minwindef.h>

#ifdef IOCP_POSIX_NET
#include <netinet/in.h>
#else
#include <iocp_netlibc.h>

struct in6_addr {
    union {
        UCHAR Byte[16];
        USHORT Word[8];
        ULONG iocp_align; /* 4-byte alignment, as the C library has it */
    } u;
};

#define in_addr6  in6_addr
#define _S6_un    u
#define _S6_u8    Byte
#define s6_addr   _S6_un._S6_u8
#define s6_bytes  u.Byte
#define s6_words  u.Word
#endif

typedef struct in6_addr IN6_ADDR, *PIN6_ADDR, *LPIN6_ADDR;

#endif
