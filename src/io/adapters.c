/* SPDX-License-Identifier: MIT */
/* Network interfaces, from getifaddrs, /sys/class/net, /proc/net and /etc/resolv.conf; see adapters.h. */
#include "io/adapters.h"
#include "base/own_fd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* One more at the end of an array; NULL: no memory. */
static void *append(void **array, size_t *count, size_t size)
{
    void *grown = realloc(*array, (*count + 1) * size);

    if (!grown)
        return NULL;
    *array = grown;
    return memset((char *)grown + (*count)++ * size, 0, size);
}

static struct adapter_address *add_address(struct adapter_address **array, size_t *count, uint32_t index,
                                           const void *addr, uint32_t len)
{
    struct adapter_address *a = append((void **)array, count, sizeof *a);

    if (!a)
        return NULL;
    a->index = index;
    a->len = len;
    a->family = ((const struct sockaddr *)addr)->sa_family;
    memcpy(a->addr, addr, len);
    return a;
}

/* ---- interfaces ---- */

static bool read_file(const char *name, const char *what, char *text, size_t size)
{
    char path[64];
    FILE *file;
    bool ok;

    snprintf(path, sizeof path, "/sys/class/net/%s/%s", name, what);
    file = fd_open_text(path);
    if (!file)
        return false;
    ok = fgets(text, (int)size, file) != NULL;
    fclose(file);
    return ok;
}

static bool is_wireless(const char *name)
{
    char path[64];

    snprintf(path, sizeof path, "/sys/class/net/%s/wireless", name);
    return access(path, F_OK) == 0;
}

static void describe(struct adapter *a, const struct ifaddrs *i)
{
    const struct sockaddr_ll *link = (const struct sockaddr_ll *)(const void *)i->ifa_addr;
    char text[32];
    long speed;

    a->up = (i->ifa_flags & IFF_UP) && (i->ifa_flags & IFF_RUNNING);
    a->multicast = (i->ifa_flags & IFF_MULTICAST) != 0;
    a->loopback = (i->ifa_flags & IFF_LOOPBACK) != 0;
    a->mtu = read_file(a->name, "mtu", text, sizeof text) ? (uint32_t)strtoul(text, NULL, 10) : 0;
    speed = read_file(a->name, "speed", text, sizeof text) ? strtol(text, NULL, 10) : -1;
    a->speed = speed > 0 ? (uint64_t)speed * 1000000 : UINT64_MAX;
    if (!link || link->sll_family != AF_PACKET)
        return;
    a->ethernet = link->sll_hatype == ARPHRD_ETHER;
    a->wireless = is_wireless(a->name);
    a->ppp = link->sll_hatype == ARPHRD_PPP;
    a->tunnel = link->sll_hatype == ARPHRD_TUNNEL || link->sll_hatype == ARPHRD_TUNNEL6 ||
                link->sll_hatype == ARPHRD_SIT || link->sll_hatype == ARPHRD_IPGRE;
    a->hardware_len = link->sll_halen > 8 ? 8 : link->sll_halen;
    memcpy(a->hardware, link->sll_addr, a->hardware_len);
    if (a->loopback)
        a->hardware_len = 0;
}

/* The interface that an entry speaks of; noted if it is new. NULL: no memory, or it is gone. */
static struct adapter *adapter_of(struct adapters *all, const struct ifaddrs *i)
{
    char name[16];
    uint32_t index;
    struct adapter *a;

    snprintf(name, sizeof name, "%s", i->ifa_name);
    name[strcspn(name, ":")] = 0; /* "eth0:1" is another address of eth0 */
    for (size_t k = 0; k < all->count; k++) {
        if (strcmp(all->list[k].name, name) == 0)
            return &all->list[k];
    }
    index = if_nametoindex(name);
    a = index ? append((void **)&all->list, &all->count, sizeof *a) : NULL;
    if (a) {
        a->index = index;
        memcpy(a->name, name, sizeof name);
        describe(a, i);
    }
    return a;
}

static uint8_t bits_in(const uint8_t *mask, size_t size)
{
    uint8_t bits = 0;

    for (size_t i = 0; i < size; i++)
        bits = (uint8_t)(bits + __builtin_popcount(mask[i]));
    return bits;
}

static int note_address(struct adapters *all, uint32_t index, const struct ifaddrs *i)
{
    bool v6 = i->ifa_addr->sa_family == AF_INET6;
    struct adapter_address *a;

    a = add_address(&all->addresses, &all->address_count, index, i->ifa_addr,
                    v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
    if (!a)
        return -ENOMEM;
    if (!i->ifa_netmask)
        a->prefix = v6 ? 128 : 32;
    else if (v6)
        a->prefix = bits_in((const uint8_t *)i->ifa_netmask + offsetof(struct sockaddr_in6, sin6_addr), 16);
    else
        a->prefix = bits_in((const uint8_t *)i->ifa_netmask + offsetof(struct sockaddr_in, sin_addr), 4);
    return 0;
}

static int read_interfaces(struct adapters *all)
{
    struct ifaddrs *list;
    int err = 0;

    if (getifaddrs(&list) < 0)
        return -errno;
    for (struct ifaddrs *i = list; i && !err; i = i->ifa_next) {
        struct adapter *a = adapter_of(all, i);

        if (a && i->ifa_addr && (i->ifa_addr->sa_family == AF_INET || i->ifa_addr->sa_family == AF_INET6))
            err = note_address(all, a->index, i);
    }
    freeifaddrs(list);
    return err;
}

/* ---- gateways and name servers ---- */

static void read_routes(struct adapters *all)
{
    FILE *file = fd_open_text("/proc/net/route");
    char line[256], name[17];
    unsigned to, gateway, flags;

    while (file && fgets(line, sizeof line, file)) {
        struct sockaddr_in addr = {.sin_family = AF_INET};

        if (sscanf(line, "%16s %x %x %x", name, &to, &gateway, &flags) != 4 || to != 0 || !(flags & 2))
            continue;
        addr.sin_addr.s_addr = gateway; /* as it lies in memory */
        add_address(&all->gateways, &all->gateway_count, if_nametoindex(name), &addr, sizeof addr);
    }
    if (file)
        fclose(file);
}

static bool read_hex(const char *text, struct in6_addr *out)
{
    for (int i = 0; i < 16; i++) {
        unsigned byte;

        if (sscanf(text + 2 * i, "%2x", &byte) != 1)
            return false;
        out->s6_addr[i] = (uint8_t)byte;
    }
    return true;
}

static void read_routes6(struct adapters *all)
{
    FILE *file = fd_open_text("/proc/net/ipv6_route");
    char line[256], to[33], via[33], name[17];
    unsigned bits;

    while (file && fgets(line, sizeof line, file)) {
        struct sockaddr_in6 addr = {.sin6_family = AF_INET6};

        if (sscanf(line, "%32s %x %*s %*x %32s %*x %*x %*x %*x %16s", to, &bits, via, name) != 4 ||
            bits != 0 || strspn(to, "0") != 32 || strspn(via, "0") == 32 || !read_hex(via, &addr.sin6_addr))
            continue;
        if (IN6_IS_ADDR_LINKLOCAL(&addr.sin6_addr))
            addr.sin6_scope_id = if_nametoindex(name);
        add_address(&all->gateways, &all->gateway_count, if_nametoindex(name), &addr, sizeof addr);
    }
    if (file)
        fclose(file);
}

static void note_server(struct adapters *all, const char *text)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        add_address(&all->servers, &all->server_count, 0, &v4, sizeof v4);
    else if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1)
        add_address(&all->servers, &all->server_count, 0, &v6, sizeof v6);
}

static void read_servers(struct adapters *all)
{
    FILE *file = fd_open_text("/etc/resolv.conf");
    char line[256], text[64];

    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, "nameserver %63s", text) == 1)
            note_server(all, text);
    }
    if (file)
        fclose(file);
}

int adapters_read(struct adapters *out)
{
    int err;

    *out = (struct adapters){0};
    err = read_interfaces(out);
    if (err) {
        adapters_free(out);
        return err;
    }
    read_routes(out); /* what cannot be read of these is not told */
    read_routes6(out);
    read_servers(out);
    return 0;
}

void adapters_free(struct adapters *a)
{
    free(a->list);
    free(a->addresses);
    free(a->gateways);
    free(a->servers);
}

void adapter_network(const struct adapter_address *a, struct adapter_address *out)
{
    bool v6 = a->family == AF_INET6;
    size_t at = v6 ? offsetof(struct sockaddr_in6, sin6_addr) : offsetof(struct sockaddr_in, sin_addr);

    *out = *a;
    for (unsigned bit = a->prefix; bit < (v6 ? 128u : 32u); bit++)
        out->addr[at + bit / 8] &= (uint8_t)~(0x80u >> bit % 8);
}
