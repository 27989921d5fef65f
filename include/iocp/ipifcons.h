/* SPDX-License-Identifier: MIT */
/* ipifcons.h: kinds and states of network interfaces. */
#ifndef IOCP_IPIFCONS_H
#define IOCP_IPIFCONS_H

typedef unsigned IFTYPE;

#define IF_TYPE_OTHER              1
#define IF_TYPE_ETHERNET_CSMACD    6
#define IF_TYPE_ISO88025_TOKENRING 9
#define IF_TYPE_PPP                23
#define IF_TYPE_SOFTWARE_LOOPBACK  24
#define IF_TYPE_ATM                37
#define IF_TYPE_IEEE80211          71
#define IF_TYPE_TUNNEL             131
#define IF_TYPE_IEEE1394           144

typedef enum _IF_OPER_STATUS {
    IfOperStatusUp = 1,
    IfOperStatusDown,
    IfOperStatusTesting,
    IfOperStatusUnknown,
    IfOperStatusDormant,
    IfOperStatusNotPresent,
    IfOperStatusLowerLayerDown
} IF_OPER_STATUS;

#endif
