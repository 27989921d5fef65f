/* SPDX-License-Identifier: MIT */
/*
 * iphlpapi.h: the machine's network interfaces and their addresses. Of the rest of the IP helper only
 * this is there. Pages: learn.microsoft.com/windows/win32/api/iphlpapi/.
 */
#ifndef IOCP_IPHLPAPI_H
#define IOCP_IPHLPAPI_H

#include <iptypes.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A list of the interfaces in the caller's memory, *size bytes. family: AF_UNSPEC (all interfaces),
 * AF_INET, AF_INET6 (those that have such addresses). flags: SKIP_UNICAST, SKIP_DNS_SERVER,
 * SKIP_FRIENDLY_NAME, INCLUDE_PREFIX (the network of each address) and INCLUDE_GATEWAYS (those of default
 * routes) count. reserved: NULL. DNS servers are those of /etc/resolv.conf, the same for each interface
 * that is up. Answers ERROR_SUCCESS; ERROR_BUFFER_OVERFLOW (*size is what is needed now); ERROR_NO_DATA
 * (none); ERROR_INVALID_PARAMETER; ERROR_NOT_ENOUGH_MEMORY.
 */
IOCP_API ULONG WINAPI GetAdaptersAddresses(ULONG family, ULONG flags, PVOID reserved,
                                           PIP_ADAPTER_ADDRESSES addresses, PULONG size)
    IOCP_SYM(GetAdaptersAddresses);

#ifdef __cplusplus
}
#endif

#endif
