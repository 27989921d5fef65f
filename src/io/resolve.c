/* SPDX-License-Identifier: MIT */
/*
 * Names, asked of the C library. What differs from POSIX is settled here: the codes, which flags there
 * are, an empty node, and that an answer repeats the type asked for instead of trying out all types.
 */
#include "io/resolve.h"

#include "base/os.h"
#include "wait/wait.h"
#include "winerror.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef WSAEFAULT
#define WSAEFAULT 10014
#define WSAEINVAL 10022
#define WSAESOCKTNOSUPPORT 10044
#define WSAEAFNOSUPPORT 10047
#define WSATYPE_NOT_FOUND 10109
#define WSAHOST_NOT_FOUND 11001
#define WSATRY_AGAIN 11002
#define WSANO_RECOVERY 11003
#define WSANO_DATA 11004
#endif

/* Flags that go to the C library as they are; of the others these ask for what it does anyway, or
 * for name spaces that only Windows has (ws2def.h: AI_NON_AUTHORITATIVE to AI_FILESERVER). */
#define FLAGS_KNOWN                                                                                \
    (AI_PASSIVE | AI_CANONNAME | AI_NUMERICHOST | AI_V4MAPPED | AI_ALL | AI_ADDRCONFIG | AI_NUMERICSERV)
#define FLAGS_IGNORED 0x0005C000
#define FLAG_FQDN 0x00020000 /* the canonical name, fully qualified */

static uint32_t code_from_eai(int err)
{
    switch (err) {
    case 0:
        return 0;
    case EAI_AGAIN:
        return WSATRY_AGAIN;
    case EAI_BADFLAGS:
        return WSAEINVAL;
    case EAI_FAMILY:
        return WSAEAFNOSUPPORT;
    case EAI_MEMORY:
        return ERROR_NOT_ENOUGH_MEMORY;
    case EAI_NONAME:
    case EAI_NODATA:
    case EAI_ADDRFAMILY:
        return WSAHOST_NOT_FOUND;
    case EAI_SERVICE:
        return WSATYPE_NOT_FOUND;
    case EAI_SOCKTYPE:
        return WSAESOCKTNOSUPPORT;
    case EAI_OVERFLOW:
        return WSAEFAULT;
    default: /* EAI_FAIL, EAI_SYSTEM */
        return WSANO_RECOVERY;
    }
}

/* ---- name to addresses ---- */

static bool is_number(const char *text)
{
    return text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
}

/* One answer of the C library as one of ours; NULL: no memory. */
static struct resolved *copy_answer(const struct addrinfo *a, const struct resolve_hints *asked, bool echo)
{
    struct resolved *r = calloc(1, sizeof *r);

    if (!r)
        return NULL;
    if (a->ai_canonname) {
        r->canonical = strdup(a->ai_canonname);
        if (!r->canonical) {
            free(r);
            return NULL;
        }
    }
    r->flags = asked->flags;
    r->family = a->ai_family;
    r->type = echo ? asked->type : a->ai_socktype;
    r->protocol = echo ? asked->protocol : a->ai_protocol;
    r->addr_len = a->ai_addrlen < sizeof r->addr ? (uint32_t)a->ai_addrlen : (uint32_t)sizeof r->addr;
    memcpy(r->addr, a->ai_addr, r->addr_len);
    return r;
}

static uint32_t copy_answers(const struct addrinfo *list, const struct resolve_hints *asked, bool echo,
                             struct resolved **out)
{
    struct resolved *first = NULL;
    struct resolved **at = &first;

    for (; list; list = list->ai_next) {
        *at = copy_answer(list, asked, echo);
        if (!*at) {
            resolve_free(first);
            return ERROR_NOT_ENOUGH_MEMORY;
        }
        at = &(*at)->next;
    }
    *out = first;
    return 0;
}

static uint32_t check_hints(const struct resolve_hints *h)
{
    if (h->flags & ~(FLAGS_KNOWN | FLAGS_IGNORED | FLAG_FQDN))
        return WSAEINVAL;
    if (h->family != AF_UNSPEC && h->family != AF_INET && h->family != AF_INET6)
        return WSAEAFNOSUPPORT;
    if (h->type < 0 || h->type > SOCK_SEQPACKET)
        return WSAESOCKTNOSUPPORT;
    return 0;
}

uint32_t resolve_name(const char *node, const char *service, const struct resolve_hints *hints,
                      struct resolved **out)
{
    static const struct resolve_hints none;
    const struct resolve_hints *asked = hints ? hints : &none;
    char own_name[RESOLVE_NAME_SIZE];
    struct addrinfo h = {0};
    struct addrinfo *list;
    uint32_t code = check_hints(asked);
    bool named, token;

    if (code)
        return code;
    if (service && service[0] == '\0')
        service = "0";
    if (node && node[0] == '\0') {
        if (resolve_host_name(own_name, sizeof own_name) != 0)
            return WSANO_RECOVERY;
        node = own_name;
    }
    h.ai_flags = asked->flags & FLAGS_KNOWN;
    if (asked->flags & FLAG_FQDN)
        h.ai_flags |= AI_CANONNAME;
    h.ai_family = asked->family;
    h.ai_socktype = asked->type;
    h.ai_protocol = asked->protocol;
    named = service && !is_number(service);
    if (!asked->type && !asked->protocol && !named)
        h.ai_socktype = SOCK_STREAM; /* any: each address once */
    token = wait_block_begin();
    code = os_refusal("getaddrinfo") ? WSATRY_AGAIN : code_from_eai(getaddrinfo(node, service, &h, &list));
    wait_block_end(token);
    if (code)
        return code;
    /* Only of a service by name it is news which types have it. */
    code = copy_answers(list, asked, asked->type || asked->protocol || !named, out);
    freeaddrinfo(list);
    return code;
}

void resolve_free(struct resolved *list)
{
    while (list) {
        struct resolved *next = list->next;

        free(list->canonical);
        free(list);
        list = next;
    }
}

/* ---- address to name ---- */

static uint32_t address_size(int family)
{
    return family == AF_INET    ? sizeof(struct sockaddr_in)
           : family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                : 0;
}

uint32_t resolve_address(const void *addr, uint32_t addr_len, char *host, uint32_t host_size,
                         char *service, uint32_t service_size, int flags)
{
    uint32_t need, code;
    sa_family_t family;
    bool token;

    if (!addr || addr_len < sizeof family)
        return WSAEFAULT;
    memcpy(&family, addr, sizeof family);
    need = address_size(family);
    if (need == 0)
        return WSAEAFNOSUPPORT;
    if (addr_len < need)
        return WSAEFAULT;
    if ((host && host_size == 0) || (service && service_size == 0))
        return WSAEINVAL;
    if (!host && !service)
        return WSAHOST_NOT_FOUND;
    if (flags & ~(NI_NUMERICHOST | NI_NUMERICSERV | NI_NOFQDN | NI_NAMEREQD | NI_DGRAM))
        return WSAEINVAL;
    token = wait_block_begin();
    code = code_from_eai(getnameinfo(addr, need, host, host ? host_size : 0, service,
                                     service ? service_size : 0, flags));
    wait_block_end(token);
    return code;
}

/* ---- text ---- */

int resolve_text_to_address(int family, const char *text, void *addr)
{
    if (family != AF_INET && family != AF_INET6)
        return -1;
    return inet_pton(family, text, addr);
}

bool resolve_loose_text(const char *text, uint32_t *addr)
{
    struct in_addr in;

    /* Nothing may follow; inet_aton itself takes whatever comes after a space. */
    if (text[strspn(text, "0123456789abcdefABCDEFxX.")] != '\0' || inet_aton(text, &in) == 0)
        return false;
    *addr = in.s_addr;
    return true;
}

const char *resolve_address_to_text(int family, const void *addr, char *text, uint32_t size)
{
    return inet_ntop(family, addr, text, size);
}

uint32_t resolve_host_name(char *name, size_t size)
{
    char own[256];

    if (gethostname(own, sizeof own) < 0)
        return WSANO_RECOVERY;
    own[sizeof own - 1] = '\0';
    if (!name || strlen(own) >= size)
        return WSAEFAULT;
    strcpy(name, own);
    return 0;
}

/* ---- services and protocols ---- */

static void copy_text(char *to, size_t size, const char *from)
{
    size_t n = strnlen(from, size - 1);

    memcpy(to, from, n);
    to[n] = '\0';
}

static void copy_aliases(struct resolved_entry *out, char *const *aliases)
{
    for (int i = 0; i < RESOLVE_ALIASES && aliases && aliases[i]; i++)
        copy_text(out->aliases[i], sizeof out->aliases[i], aliases[i]);
}

uint32_t resolve_service(const char *name, int port, const char *protocol, struct resolved_entry *out)
{
    char room[4096];
    struct servent entry;
    struct servent *found = NULL;

    if (name)
        getservbyname_r(name, protocol, &entry, room, sizeof room, &found);
    else
        getservbyport_r(port, protocol, &entry, room, sizeof room, &found);
    if (!found)
        return WSANO_DATA;
    memset(out, 0, sizeof *out);
    copy_text(out->name, sizeof out->name, found->s_name);
    copy_text(out->protocol, sizeof out->protocol, found->s_proto);
    copy_aliases(out, found->s_aliases);
    out->number = found->s_port;
    return 0;
}

/* Minimal systems have no /etc/protocols; on Windows these are always known. */
static const struct {
    const char *name, *alias;
    int number;
} protocols[] = {
    {"ip", "IP", IPPROTO_IP},       {"icmp", "ICMP", IPPROTO_ICMP}, {"igmp", "IGMP", IPPROTO_IGMP},
    {"tcp", "TCP", IPPROTO_TCP},    {"udp", "UDP", IPPROTO_UDP},    {"ipv6", "IPv6", IPPROTO_IPV6},
    {"ipv6-icmp", "IPv6-ICMP", IPPROTO_ICMPV6},
};

static uint32_t known_protocol(const char *name, int number, struct resolved_entry *out)
{
    for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++) {
        bool same = name ? strcmp(name, protocols[i].name) == 0 || strcmp(name, protocols[i].alias) == 0
                         : number == protocols[i].number;

        if (!same)
            continue;
        copy_text(out->name, sizeof out->name, protocols[i].name);
        copy_text(out->aliases[0], sizeof out->aliases[0], protocols[i].alias);
        out->number = protocols[i].number;
        return 0;
    }
    return WSANO_DATA;
}

uint32_t resolve_protocol(const char *name, int number, struct resolved_entry *out)
{
    char room[4096];
    struct protoent entry;
    struct protoent *found = NULL;

    memset(out, 0, sizeof *out);
    if (name)
        getprotobyname_r(name, &entry, room, sizeof room, &found);
    else
        getprotobynumber_r(number, &entry, room, sizeof room, &found);
    if (!found)
        return known_protocol(name, number, out);
    copy_text(out->name, sizeof out->name, found->p_name);
    copy_aliases(out, found->p_aliases);
    out->number = found->p_proto;
    return 0;
}

/* ---- interfaces ---- */

uint32_t resolve_interface(const char *name, uint32_t *index)
{
    unsigned found = if_nametoindex(name);

    if (found == 0)
        return WSAHOST_NOT_FOUND;
    *index = found;
    return 0;
}

uint32_t resolve_interface_name(uint32_t index, char name[16])
{
    _Static_assert(IF_NAMESIZE == 16, "the room that the header names");
    return if_indextoname(index, name) ? 0 : WSAHOST_NOT_FOUND;
}
