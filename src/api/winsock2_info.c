/* SPDX-License-Identifier: MIT */
/*
 * winsock2.h: what protocols there are, what one socket is (SO_PROTOCOL_INFO), and a socket for
 * another process, which goes there as such a description.
 */
#include "api/socket.h"
#include "base/text.h"
#include "io/duplicate.h"

#include <ntstatus.h>
#include <windows.h>
#include <winsock2.h>
#include <ws2tcpip.h>

#include <stddef.h>
#include <string.h>
#include <unistd.h>

/* ---- the catalogue ---- */

#define STREAM_FLAGS                                                                               \
    (XP1_GUARANTEED_DELIVERY | XP1_GUARANTEED_ORDER | XP1_GRACEFUL_CLOSE | XP1_EXPEDITED_DATA |    \
     XP1_IFS_HANDLES)
#define DATAGRAM_FLAGS                                                                             \
    (XP1_CONNECTIONLESS | XP1_MESSAGE_ORIENTED | XP1_SUPPORT_BROADCAST | XP1_SUPPORT_MULTIPOINT |  \
     XP1_IFS_HANDLES)
enum { DATAGRAM_SIZE = 65467, CATALOG_FIRST = 1001 };

/* Windows' own ids of its providers for the two families. */
static const GUID ipv4_provider = {
    0xe70f1aa0, 0xab8b, 0x11cf, {0x8c, 0xa3, 0x00, 0x80, 0x5f, 0x48, 0xa1, 0x92}};
static const GUID ipv6_provider = {
    0xf9eab0c0, 0x26d4, 0x11d0, {0xbb, 0xbf, 0x00, 0xaa, 0x00, 0x6c, 0x34, 0xe4}};

static const struct protocol {
    const char *name;
    int family, type, protocol;
} catalogue[] = {
    {"MSAFD Tcpip [TCP/IP]", AF_INET, SOCK_STREAM, IPPROTO_TCP},
    {"MSAFD Tcpip [UDP/IP]", AF_INET, SOCK_DGRAM, IPPROTO_UDP},
    {"MSAFD Tcpip [TCP/IPv6]", AF_INET6, SOCK_STREAM, IPPROTO_TCP},
    {"MSAFD Tcpip [UDP/IPv6]", AF_INET6, SOCK_DGRAM, IPPROTO_UDP},
};
enum { PROTOCOLS = sizeof catalogue / sizeof *catalogue };

static int address_room(int family)
{
    switch (family) {
    case AF_INET:
        return sizeof(struct sockaddr_in);
    case AF_INET6:
        return sizeof(struct sockaddr_in6);
    default:
        return sizeof(struct sockaddr_storage);
    }
}

static void describe(const struct protocol *p, DWORD id, WSAPROTOCOL_INFOA *info)
{
    bool stream = p->type == SOCK_STREAM;

    memset(info, 0, sizeof *info);
    info->dwServiceFlags1 = stream ? STREAM_FLAGS : DATAGRAM_FLAGS;
    info->dwProviderFlags = PFL_MATCHES_PROTOCOL_ZERO;
    info->ProviderId = p->family == AF_INET6 ? ipv6_provider : ipv4_provider;
    info->dwCatalogEntryId = id;
    info->ProtocolChain.ChainLen = BASE_PROTOCOL;
    info->iVersion = 2;
    info->iAddressFamily = p->family;
    info->iMaxSockAddr = address_room(p->family);
    info->iMinSockAddr = info->iMaxSockAddr;
    info->iSocketType = p->type;
    info->iProtocol = p->protocol;
    info->iNetworkByteOrder = BIGENDIAN;
    info->iSecurityScheme = SECURITY_PROTOCOL_NONE;
    info->dwMessageSize = stream ? 0 : DATAGRAM_SIZE;
    memcpy(info->szProtocol, p->name, strlen(p->name) + 1);
}

static void widen(const WSAPROTOCOL_INFOA *narrow, WSAPROTOCOL_INFOW *wide)
{
    memcpy(wide, narrow, offsetof(WSAPROTOCOL_INFOA, szProtocol));
    for (int i = 0; i <= WSAPROTOCOL_LEN; i++)
        wide->szProtocol[i] = (unsigned char)narrow->szProtocol[i]; /* names of ours are ASCII */
}

static bool is_wanted(const int *protocols, int protocol)
{
    if (!protocols)
        return true;
    for (; *protocols != 0; protocols++)
        if (*protocols == protocol)
            return true;
    return false;
}

static int enum_protocols(const int *protocols, bool wide, void *buffer, DWORD *size)
{
    DWORD one = wide ? sizeof(WSAPROTOCOL_INFOW) : sizeof(WSAPROTOCOL_INFOA);
    WSAPROTOCOL_INFOA info;
    char *room = buffer;
    int count = 0;

    if (!winsock_started())
        return wsa_result(status_from_wsa(WSANOTINITIALISED));
    if (!size)
        return wsa_result(status_from_wsa(WSAEFAULT));
    for (int i = 0; i < PROTOCOLS; i++)
        count += is_wanted(protocols, catalogue[i].protocol);
    if (!buffer || *size < one * (DWORD)count) {
        *size = one * (DWORD)count;
        return wsa_result(status_from_wsa(WSAENOBUFS));
    }
    for (int i = 0; i < PROTOCOLS; i++) {
        if (!is_wanted(protocols, catalogue[i].protocol))
            continue;
        describe(&catalogue[i], CATALOG_FIRST + (DWORD)i, &info);
        if (wide)
            widen(&info, (WSAPROTOCOL_INFOW *)(void *)room);
        else
            memcpy(room, &info, sizeof info);
        room += one;
    }
    return count;
}

int WSAAPI WSAEnumProtocolsA(LPINT protocols, LPWSAPROTOCOL_INFOA buffer, LPDWORD size)
{
    return enum_protocols(protocols, false, buffer, size);
}

int WSAAPI WSAEnumProtocolsW(LPINT protocols, LPWSAPROTOCOL_INFOW buffer, LPDWORD size)
{
    return enum_protocols(protocols, true, buffer, size);
}

/* ---- one socket ---- */

static void describe_socket(struct file *f, WSAPROTOCOL_INFOA *info)
{
    const struct sock *s = sock_of(f);
    const struct protocol other = {"", s->family, s->type, s->protocol};

    for (int i = 0; i < PROTOCOLS; i++) {
        if (catalogue[i].family == s->family && catalogue[i].type == s->type) {
            describe(&catalogue[i], CATALOG_FIRST + (DWORD)i, info);
            info->iProtocol = s->protocol;
            return;
        }
    }
    describe(&other, CATALOG_FIRST + PROTOCOLS, info);
}

uint32_t socket_protocol_info(struct file *f, bool wide, void *info, int32_t *size)
{
    int32_t need = wide ? sizeof(WSAPROTOCOL_INFOW) : sizeof(WSAPROTOCOL_INFOA);
    WSAPROTOCOL_INFOA narrow;

    if (*size < need)
        return status_from_wsa(WSAEFAULT);
    describe_socket(f, &narrow);
    if (wide)
        widen(&narrow, info);
    else
        memcpy(info, &narrow, sizeof narrow);
    *size = need;
    return STATUS_SUCCESS;
}

/* ---- for another process ---- */

_Static_assert(sizeof((WSAPROTOCOL_INFOA *)0)->ProtocolChain.ChainEntries >= HANDOVER_TOKEN,
               "a base protocol's chain has no entries: the token fits there");
enum { OVERLAPPED_FLAG = 1, OFFERED_FLAG = 2 };

/* The members that Windows reserves say where the socket is. */
static void address_to(WSAPROTOCOL_INFOA *info, const struct duplicate_source *source)
{
    info->dwServiceFlags2 = source->process;
    info->dwServiceFlags3 = source->mark;
    info->dwServiceFlags4 = (source->overlapped ? OVERLAPPED_FLAG : 0) | (source->offered ? OFFERED_FLAG : 0);
    info->dwProviderReserved = (DWORD)source->fd;
    memcpy(info->ProtocolChain.ChainEntries, source->token, sizeof source->token);
}

static uint32_t duplicate(SOCKET s, DWORD process, WSAPROTOCOL_INFOA *info)
{
    struct duplicate_source source;
    struct file *f;
    uint32_t status = socket_get(s, &f);

    if (status != STATUS_SUCCESS)
        return status;
    if (!info)
        status = status_from_wsa(WSAEFAULT);
    else
        status = duplicate_offer(f, process, &source);
    if (status == STATUS_SUCCESS) {
        describe_socket(f, info);
        address_to(info, &source);
    }
    file_put(f);
    return status;
}

int WSAAPI WSADuplicateSocketA(SOCKET s, DWORD process, LPWSAPROTOCOL_INFOA info)
{
    return wsa_result(duplicate(s, process, info));
}

int WSAAPI WSADuplicateSocketW(SOCKET s, DWORD process, LPWSAPROTOCOL_INFOW info)
{
    WSAPROTOCOL_INFOA narrow;
    uint32_t status = duplicate(s, process, info ? &narrow : NULL);

    if (status == STATUS_SUCCESS)
        widen(&narrow, info);
    return wsa_result(status);
}

uintptr_t socket_from_info(const void *description)
{
    const WSAPROTOCOL_INFOA *info = description;
    struct duplicate_source source = {.process = info->dwServiceFlags2,
                                      .mark = info->dwServiceFlags3,
                                      .overlapped = (info->dwServiceFlags4 & OVERLAPPED_FLAG) != 0,
                                      .offered = (info->dwServiceFlags4 & OFFERED_FLAG) != 0,
                                      .fd = (int)info->dwProviderReserved};
    uintptr_t h = 0;
    uint32_t status;

    memcpy(source.token, info->ProtocolChain.ChainEntries, sizeof source.token);
    status = duplicate_take(&source, &h);
    if (status != STATUS_SUCCESS)
        return wsa_fail(status), NO_SOCKET;
    return h;
}
