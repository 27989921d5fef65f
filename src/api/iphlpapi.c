/* SPDX-License-Identifier: MIT */
/*
 * iphlpapi.h: GetAdaptersAddresses. The list is laid out in the caller's memory from front to back; what
 * does not fit is written aside and only counted, so that one walk both builds and measures.
 */
#include <winsock2.h>
#include <iphlpapi.h>
#include <windows.h>

#include "io/adapters.h"

#include <stdalign.h>
#include <string.h>

enum { ASIDE = 512 };

/* Rules of one walk: everything taken is cleared and 8-aligned, at most ASIDE bytes. */
struct layout {
    char *base;
    size_t size, used;
    ULONG family, flags;
    const struct adapters *all;
    alignas(8) char aside[ASIDE];
};

static void *take(struct layout *l, size_t bytes)
{
    char *at = l->used + bytes <= l->size ? l->base + l->used : l->aside;

    l->used += (bytes + 7) & ~(size_t)7;
    return memset(at, 0, bytes);
}

static WCHAR *put_text(struct layout *l, const char *text)
{
    size_t n = strlen(text);
    WCHAR *wide = take(l, (n + 1) * sizeof *wide);

    for (size_t i = 0; i < n; i++)
        wide[i] = (WCHAR)(unsigned char)text[i]; /* names of interfaces, ASCII */
    return wide;
}

static SOCKET_ADDRESS put_address(struct layout *l, const struct adapter_address *a)
{
    void *copy = take(l, a->len);

    memcpy(copy, a->addr, a->len);
    return (SOCKET_ADDRESS){copy, (INT)a->len};
}

static bool is_wanted(const struct layout *l, const struct adapter_address *a)
{
    return l->family == AF_UNSPEC || l->family == a->family;
}

/* ---- lists of one adapter: each entry is linked where the one before it says ---- */

static void put_unicast(struct layout *l, const struct adapter *a, IP_ADAPTER_UNICAST_ADDRESS **link)
{
    for (size_t i = 0; i < l->all->address_count; i++) {
        const struct adapter_address *address = &l->all->addresses[i];
        IP_ADAPTER_UNICAST_ADDRESS made = {.Length = sizeof made, .Flags = IP_ADAPTER_ADDRESS_DNS_ELIGIBLE};
        IP_ADAPTER_UNICAST_ADDRESS *entry;

        if (address->index != a->index || !is_wanted(l, address))
            continue;
        entry = take(l, sizeof *entry);
        *link = entry;
        made.Address = put_address(l, address);
        made.DadState = IpDadStatePreferred;
        made.ValidLifetime = made.PreferredLifetime = made.LeaseLifetime = 0xFFFFFFFF;
        made.OnLinkPrefixLength = address->prefix;
        *entry = made;
        link = &entry->Next;
    }
}

static void put_prefixes(struct layout *l, const struct adapter *a, IP_ADAPTER_PREFIX **link)
{
    for (size_t i = 0; i < l->all->address_count; i++) {
        const struct adapter_address *address = &l->all->addresses[i];
        struct adapter_address network;
        IP_ADAPTER_PREFIX *entry;
        SOCKET_ADDRESS at;

        if (address->index != a->index || !is_wanted(l, address))
            continue;
        adapter_network(address, &network);
        entry = take(l, sizeof *entry);
        *link = entry;
        at = put_address(l, &network);
        *entry = (IP_ADAPTER_PREFIX){.Length = sizeof *entry, .Address = at, .PrefixLength = address->prefix};
        link = &entry->Next;
    }
}

static void put_gateways(struct layout *l, const struct adapter *a, IP_ADAPTER_GATEWAY_ADDRESS **link)
{
    for (size_t i = 0; i < l->all->gateway_count; i++) {
        const struct adapter_address *gateway = &l->all->gateways[i];
        IP_ADAPTER_GATEWAY_ADDRESS *entry;
        SOCKET_ADDRESS at;

        if (gateway->index != a->index || !is_wanted(l, gateway))
            continue;
        entry = take(l, sizeof *entry);
        *link = entry;
        at = put_address(l, gateway);
        *entry = (IP_ADAPTER_GATEWAY_ADDRESS){.Length = sizeof *entry, .Address = at};
        link = &entry->Next;
    }
}

static void put_servers(struct layout *l, IP_ADAPTER_DNS_SERVER_ADDRESS **link)
{
    for (size_t i = 0; i < l->all->server_count; i++) {
        IP_ADAPTER_DNS_SERVER_ADDRESS *entry = take(l, sizeof *entry);
        SOCKET_ADDRESS at = put_address(l, &l->all->servers[i]);

        *link = entry;
        *entry = (IP_ADAPTER_DNS_SERVER_ADDRESS){.Length = sizeof *entry, .Address = at};
        link = &entry->Next;
    }
}

/* ---- adapters ---- */

static IFTYPE type_of(const struct adapter *a)
{
    if (a->loopback)
        return IF_TYPE_SOFTWARE_LOOPBACK;
    if (a->wireless)
        return IF_TYPE_IEEE80211;
    if (a->ethernet)
        return IF_TYPE_ETHERNET_CSMACD;
    if (a->ppp)
        return IF_TYPE_PPP;
    return a->tunnel ? IF_TYPE_TUNNEL : IF_TYPE_OTHER;
}

static bool has_family(const struct adapters *all, const struct adapter *a, ULONG family)
{
    for (size_t i = 0; i < all->address_count; i++) {
        if (all->addresses[i].index == a->index && all->addresses[i].family == family)
            return true;
    }
    return false;
}

static void describe(const struct layout *l, const struct adapter *a, IP_ADAPTER_ADDRESSES *made)
{
    bool v4 = has_family(l->all, a, AF_INET), v6 = has_family(l->all, a, AF_INET6);

    made->Length = sizeof *made;
    made->IfIndex = v4 || !v6 ? a->index : 0;
    made->Ipv6IfIndex = v6 ? a->index : 0;
    memcpy(made->PhysicalAddress, a->hardware, a->hardware_len);
    made->PhysicalAddressLength = a->hardware_len;
    made->Flags = (a->multicast ? 0 : IP_ADAPTER_NO_MULTICAST) | (v4 ? IP_ADAPTER_IPV4_ENABLED : 0) |
                  (v6 ? IP_ADAPTER_IPV6_ENABLED : 0);
    made->Mtu = a->mtu;
    made->IfType = type_of(a);
    made->OperStatus = a->up ? IfOperStatusUp : IfOperStatusDown;
    made->ZoneIndices[1] = made->ZoneIndices[2] = a->index; /* interface, link */
    made->TransmitLinkSpeed = made->ReceiveLinkSpeed = a->speed;
    made->Luid.Info.NetLuidIndex = a->index;
    made->CompartmentId = 1;
    made->ConnectionType = NET_IF_CONNECTION_DEDICATED;
    made->TunnelType = a->tunnel ? TUNNEL_TYPE_OTHER : TUNNEL_TYPE_NONE;
}

static IP_ADAPTER_ADDRESSES *put_adapter(struct layout *l, const struct adapter *a, bool servers)
{
    IP_ADAPTER_ADDRESSES *entry = take(l, sizeof *entry);
    IP_ADAPTER_ADDRESSES made = {.Length = 0};
    size_t length = strlen(a->name) + 1;

    describe(l, a, &made);
    made.AdapterName = take(l, length);
    memcpy(made.AdapterName, a->name, length);
    made.DnsSuffix = put_text(l, "");
    made.Description = put_text(l, a->name);
    if (!(l->flags & GAA_FLAG_SKIP_FRIENDLY_NAME))
        made.FriendlyName = put_text(l, a->name);
    if (!(l->flags & GAA_FLAG_SKIP_UNICAST))
        put_unicast(l, a, &made.FirstUnicastAddress);
    if (l->flags & GAA_FLAG_INCLUDE_PREFIX)
        put_prefixes(l, a, &made.FirstPrefix);
    if (l->flags & GAA_FLAG_INCLUDE_GATEWAYS)
        put_gateways(l, a, &made.FirstGatewayAddress);
    if (servers && !(l->flags & GAA_FLAG_SKIP_DNS_SERVER))
        put_servers(l, &made.FirstDnsServerAddress);
    *entry = made;
    return entry;
}

/* The resolver's servers belong to what is up; to the loopback only where there is nothing else. */
static bool only_loopback(const struct adapters *all)
{
    for (size_t i = 0; i < all->count; i++) {
        if (all->list[i].up && !all->list[i].loopback)
            return false;
    }
    return true;
}

static size_t put_all(struct layout *l)
{
    bool lonely = only_loopback(l->all);
    IP_ADAPTER_ADDRESSES *last = NULL;

    for (size_t i = 0; i < l->all->count; i++) {
        const struct adapter *a = &l->all->list[i];
        IP_ADAPTER_ADDRESSES *entry;

        if (l->family != AF_UNSPEC && !has_family(l->all, a, l->family))
            continue;
        entry = put_adapter(l, a, a->up && a->loopback == lonely);
        if (last)
            last->Next = entry;
        last = entry;
    }
    return l->used;
}

ULONG WINAPI GetAdaptersAddresses(ULONG Family, ULONG Flags, PVOID Reserved,
                                  PIP_ADAPTER_ADDRESSES AdapterAddresses, PULONG SizePointer)
{
    struct layout l = {.base = (char *)AdapterAddresses, .family = Family, .flags = Flags};
    struct adapters all;
    size_t needed;

    if (!SizePointer || Reserved || (Family != AF_UNSPEC && Family != AF_INET && Family != AF_INET6))
        return ERROR_INVALID_PARAMETER;
    if (adapters_read(&all) != 0)
        return ERROR_NOT_ENOUGH_MEMORY;
    l.size = AdapterAddresses ? *SizePointer : 0;
    l.all = &all;
    needed = put_all(&l);
    adapters_free(&all);
    if (needed == 0)
        return ERROR_NO_DATA;
    if (needed <= l.size)
        return ERROR_SUCCESS;
    *SizePointer = (ULONG)needed;
    return ERROR_BUFFER_OVERFLOW;
}
