/* SPDX-License-Identifier: MIT */
/* qos.h: the shape of a flow specification. Nothing here reserves bandwidth; winsock2.h needs the type. */
#ifndef IOCP_QOS_H
#define IOCP_QOS_H

#include <minwindef.h>

typedef ULONG SERVICETYPE;

typedef struct _flowspec {
    ULONG TokenRate;       /* bytes per second */
    ULONG TokenBucketSize; /* bytes */
    ULONG PeakBandwidth;   /* bytes per second */
    ULONG Latency;         /* microseconds */
    ULONG DelayVariation;  /* microseconds */
    SERVICETYPE ServiceType;
    ULONG MaxSduSize;         /* bytes */
    ULONG MinimumPolicedSize; /* bytes */
} FLOWSPEC, *PFLOWSPEC, *LPFLOWSPEC;

#define QOS_NOT_SPECIFIED 0xFFFFFFFF

#define SERVICETYPE_NOTRAFFIC           0x00000000
#define SERVICETYPE_BESTEFFORT          0x00000001
#define SERVICETYPE_CONTROLLEDLOAD      0x00000002
#define SERVICETYPE_GUARANTEED          0x00000003

#endif
