/* SPDX-License-Identifier: MIT */
/* mswsockdef.h: definitions behind mswsock.h, which includes it: types and numbers of registered I/O. */
#ifndef IOCP_MSWSOCKDEF_H
#define IOCP_MSWSOCKDEF_H

#include <ws2def.h>

#define SIO_SET_COMPATIBILITY_MODE     _WSAIOW(IOC_VENDOR, 300)
#define SIO_QUERY_RSS_SCALABILITY_INFO _WSAIOR(IOC_VENDOR, 210)

/* A registered buffer, a queue of results, the queue of requests of a socket. */
typedef struct RIO_BUFFERID_t *RIO_BUFFERID, **PRIO_BUFFERID;
typedef struct RIO_CQ_t *RIO_CQ, **PRIO_CQ;
typedef struct RIO_RQ_t *RIO_RQ, **PRIO_RQ;

#define RIO_INVALID_BUFFERID ((RIO_BUFFERID)(ULONG_PTR)0xFFFFFFFF)
#define RIO_INVALID_CQ       ((RIO_CQ)0)
#define RIO_INVALID_RQ       ((RIO_RQ)0)
#define RIO_MAX_CQ_SIZE      0x8000000
#define RIO_CORRUPT_CQ       0xFFFFFFFF

/* Flags of an operation. */
#define RIO_MSG_DONT_NOTIFY 0x00000001 /* its result is nothing to notify of */
#define RIO_MSG_DEFER       0x00000002 /* waits for the next call without this flag */
#define RIO_MSG_WAITALL     0x00000004 /* a receive on a stream that fills its buffer */
#define RIO_MSG_COMMIT_ONLY 0x00000008 /* no operation: those that were deferred begin */

/* Part of a registered buffer, in bytes. */
typedef struct _RIO_BUF {
    RIO_BUFFERID BufferId;
    ULONG Offset;
    ULONG Length;
} RIO_BUF, *PRIO_BUF;
IOCP_ASSERT_SIZE(RIO_BUF, 16);

/* How an operation ended. */
typedef struct _RIORESULT {
    LONG Status;            /* 0, or a WSA code */
    ULONG BytesTransferred;
    ULONGLONG SocketContext;  /* of RIOCreateRequestQueue */
    ULONGLONG RequestContext; /* of the operation */
} RIORESULT, *PRIORESULT;
IOCP_ASSERT_SIZE(RIORESULT, 24);

/* Stands at the beginning of a buffer of control data; the headers (WSACMSGHDR) follow. */
typedef struct _RIO_CMSG_BUFFER {
    ULONG TotalLength; /* bytes, with this */
} RIO_CMSG_BUFFER, *PRIO_CMSG_BUFFER;

#define RIO_CMSG_BASE_SIZE WSA_CMSGHDR_ALIGN(sizeof(RIO_CMSG_BUFFER))
#define RIO_CMSG_FIRSTHDR(buffer)                                                                  \
    ((buffer)->TotalLength >= RIO_CMSG_BASE_SIZE + sizeof(WSACMSGHDR)                              \
         ? (PWSACMSGHDR)(void *)((CHAR *)(buffer) + RIO_CMSG_BASE_SIZE)                            \
         : (PWSACMSGHDR)NULL)
#define RIO_CMSG_NEXTHDR(buffer, cmsg)                                                             \
    ((cmsg) == NULL ? RIO_CMSG_FIRSTHDR(buffer)                                                    \
     : (CHAR *)(cmsg) + WSA_CMSGHDR_ALIGN((cmsg)->cmsg_len) + sizeof(WSACMSGHDR) >                 \
             (CHAR *)(buffer) + (buffer)->TotalLength                                              \
         ? (PWSACMSGHDR)NULL                                                                       \
         : (PWSACMSGHDR)(void *)((CHAR *)(cmsg) + WSA_CMSGHDR_ALIGN((cmsg)->cmsg_len)))

#endif
