/* SPDX-License-Identifier: MIT */
/*
 * The part of winsock2.h that is about names: the old databases (gethostbyname ...), this machine's
 * name, addresses as text. What the old functions return lives in memory of the calling thread.
 */
#include "api/socket.h"
#include "base/text.h"
#include "io/resolve.h"

#include <windows.h>
#include <winsock2.h>
#include <ws2tcpip.h>

#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOST_ADDRESSES = 35, ADDRESS_TEXT = 80 };

/* ---- what is returned by pointer ---- */

struct returned {
    struct hostent host;
    char host_name[RESOLVE_NAME_SIZE];
    char *host_aliases[1];
    char *host_addresses[HOST_ADDRESSES + 1];
    unsigned char host_bytes[HOST_ADDRESSES][16];
    struct servent service;
    struct resolved_entry service_entry;
    char *service_aliases[RESOLVE_ALIASES + 1];
    struct protoent protocol;
    struct resolved_entry protocol_entry;
    char *protocol_aliases[RESOLVE_ALIASES + 1];
    char text[16]; /* inet_ntoa */
};

static pthread_key_t returned_key;
static pthread_once_t returned_once = PTHREAD_ONCE_INIT;

static void make_key(void)
{
    pthread_key_create(&returned_key, free);
}

/* The calling thread's. NULL: no memory, and the last error says so. */
static struct returned *returned_get(void)
{
    struct returned *r;

    pthread_once(&returned_once, make_key);
    r = pthread_getspecific(returned_key);
    if (!r) {
        r = calloc(1, sizeof *r);
        if (!r || pthread_setspecific(returned_key, r) != 0) {
            free(r);
            last_error_set(WSA_NOT_ENOUGH_MEMORY);
            return NULL;
        }
    }
    return r;
}

/* The same for functions that need WSAStartup. */
static struct returned *begin(void)
{
    if (winsock_started())
        return returned_get();
    last_error_set(WSANOTINITIALISED);
    return NULL;
}

/* ---- hosts ---- */

static struct hostent *host_entry(struct returned *r, int family, int length)
{
    r->host.h_name = r->host_name;
    r->host.h_aliases = r->host_aliases;
    r->host.h_addrtype = (short)family;
    r->host.h_length = (short)length;
    r->host.h_addr_list = r->host_addresses;
    return &r->host;
}

struct hostent *WSAAPI gethostbyname(const char *name)
{
    struct resolve_hints hints = {AI_CANONNAME, AF_INET, SOCK_STREAM, 0};
    struct returned *r = begin();
    struct resolved *answers;
    uint32_t code;
    int n = 0;

    if (!r)
        return NULL;
    code = resolve_name(name ? name : "", NULL, &hints, &answers);
    if (code) {
        last_error_set(code);
        return NULL;
    }
    snprintf(r->host_name, sizeof r->host_name, "%s", answers->canonical ? answers->canonical : name);
    for (const struct resolved *a = answers; a && n < HOST_ADDRESSES; a = a->next) {
        memcpy(r->host_bytes[n], a->addr + offsetof(struct sockaddr_in, sin_addr), sizeof(struct in_addr));
        r->host_addresses[n] = (char *)r->host_bytes[n];
        n++;
    }
    r->host_addresses[n] = NULL;
    resolve_free(answers);
    return host_entry(r, AF_INET, sizeof(struct in_addr));
}

/* The socket address of a bare one; its length, or 0. */
static uint32_t wrap_address(const char *address, int length, int family, SOCKADDR_INET *out)
{
    memset(out, 0, sizeof *out);
    out->si_family = (ADDRESS_FAMILY)family;
    if (family == AF_INET && length >= (int)sizeof out->Ipv4.sin_addr) {
        memcpy(&out->Ipv4.sin_addr, address, sizeof out->Ipv4.sin_addr);
        return sizeof out->Ipv4;
    }
    if (family == AF_INET6 && length >= (int)sizeof out->Ipv6.sin6_addr) {
        memcpy(&out->Ipv6.sin6_addr, address, sizeof out->Ipv6.sin6_addr);
        return sizeof out->Ipv6;
    }
    return 0;
}

struct hostent *WSAAPI gethostbyaddr(const char *address, int length, int family)
{
    struct returned *r = begin();
    SOCKADDR_INET whole;
    uint32_t size;
    uint32_t code;
    int bytes = family == AF_INET ? 4 : 16;

    if (!r)
        return NULL;
    size = address ? wrap_address(address, length, family, &whole) : 0;
    if (size == 0) {
        last_error_set(family == AF_INET || family == AF_INET6 ? WSAEFAULT : WSAEAFNOSUPPORT);
        return NULL;
    }
    code = resolve_address(&whole, size, r->host_name, sizeof r->host_name, NULL, 0, NI_NAMEREQD);
    if (code) {
        last_error_set(code);
        return NULL;
    }
    memcpy(r->host_bytes[0], address, (size_t)bytes);
    r->host_addresses[0] = (char *)r->host_bytes[0];
    r->host_addresses[1] = NULL;
    return host_entry(r, family, bytes);
}

int WSAAPI gethostname(char *name, int length)
{
    if (!winsock_started())
        return wsa_result(status_from_wsa(WSANOTINITIALISED));
    return wsa_result(status_from_wsa(resolve_host_name(name, length > 0 ? (size_t)length : 0)));
}

int WSAAPI GetHostNameW(PWSTR name, int length)
{
    char narrow[RESOLVE_NAME_SIZE];
    uint32_t code;

    if (!winsock_started())
        return wsa_result(status_from_wsa(WSANOTINITIALISED));
    code = resolve_host_name(narrow, sizeof narrow);
    if (code == 0 && (!name || length <= 0 ||
                      text_to_utf16(narrow, strlen(narrow) + 1, name, (size_t)length, false) < 0))
        code = WSAEFAULT;
    return wsa_result(status_from_wsa(code));
}

/* ---- services and protocols ---- */

static void point_at(char *pointers[RESOLVE_ALIASES + 1], struct resolved_entry *entry)
{
    int n = 0;

    while (n < RESOLVE_ALIASES && entry->aliases[n][0]) {
        pointers[n] = entry->aliases[n];
        n++;
    }
    pointers[n] = NULL;
}

static struct servent *find_service(const char *name, int port, const char *protocol)
{
    struct returned *r = begin();
    uint32_t code;

    if (!r)
        return NULL;
    code = resolve_service(name, port, protocol, &r->service_entry);
    if (code) {
        last_error_set(code);
        return NULL;
    }
    point_at(r->service_aliases, &r->service_entry);
    r->service.s_name = r->service_entry.name;
    r->service.s_aliases = r->service_aliases;
    r->service.s_proto = r->service_entry.protocol;
    r->service.s_port = (short)r->service_entry.number;
    return &r->service;
}

static struct protoent *find_protocol(const char *name, int number)
{
    struct returned *r = begin();
    uint32_t code;

    if (!r)
        return NULL;
    code = resolve_protocol(name, number, &r->protocol_entry);
    if (code) {
        last_error_set(code);
        return NULL;
    }
    point_at(r->protocol_aliases, &r->protocol_entry);
    r->protocol.p_name = r->protocol_entry.name;
    r->protocol.p_aliases = r->protocol_aliases;
    r->protocol.p_proto = (short)r->protocol_entry.number;
    return &r->protocol;
}

struct servent *WSAAPI getservbyname(const char *name, const char *protocol)
{
    if (name)
        return find_service(name, 0, protocol);
    last_error_set(WSAEFAULT);
    return NULL;
}

struct servent *WSAAPI getservbyport(int port, const char *protocol)
{
    return find_service(NULL, port, protocol);
}

struct protoent *WSAAPI getprotobyname(const char *name)
{
    if (name)
        return find_protocol(name, 0);
    last_error_set(WSAEFAULT);
    return NULL;
}

struct protoent *WSAAPI getprotobynumber(int number)
{
    return find_protocol(NULL, number);
}

/* ---- IPv4 addresses as text, the old way ---- */

/* A space ends the address. */
u_long WSAAPI inet_addr(const char *text)
{
    char copy[ADDRESS_TEXT];
    uint32_t address;
    size_t length = text ? strcspn(text, " \t\r\n\v\f") : sizeof copy;

    if (length >= sizeof copy)
        return INADDR_NONE;
    if (strcmp(text, " ") == 0) /* the page has this case */
        return 0;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return resolve_loose_text(copy, &address) ? address : INADDR_NONE;
}

char *WSAAPI inet_ntoa(struct in_addr address)
{
    struct returned *r = returned_get();

    if (!r)
        return NULL;
    resolve_address_to_text(AF_INET, &address, r->text, sizeof r->text);
    return r->text;
}

/* ---- text to address ---- */

/* Digits and nothing else, up to `limit`. */
static bool parse_number(const char *text, uint32_t limit, uint32_t *out)
{
    uint64_t n = 0;

    if (!*text)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        n = n * 10 + (uint64_t)(*text - '0');
        if (n > limit)
            return false;
    }
    *out = (uint32_t)n;
    return true;
}

/* The port behind `at`, which is NULL where there is none; the colon becomes an end. */
static bool parse_port(char *at, USHORT *port)
{
    uint32_t n = 0;

    if (at) {
        *at = '\0';
        if (!parse_number(at + 1, 65535, &n))
            return false;
    }
    *port = htons((u_short)n);
    return true;
}

static bool parse_v4(char *text, SOCKADDR_INET *out)
{
    uint32_t address;

    if (!parse_port(strchr(text, ':'), &out->Ipv4.sin_port) || !resolve_loose_text(text, &address))
        return false;
    out->Ipv4.sin_addr.s_addr = address;
    return true;
}

/* "address", "address%scope", "[address%scope]", "[address%scope]:port". */
static bool parse_v6(char *text, SOCKADDR_INET *out)
{
    char *scope;
    uint32_t n = 0;

    if (text[0] == '[') {
        char *end = strchr(text, ']');

        if (!end || (end[1] != ':' && end[1] != '\0') ||
            !parse_port(end[1] ? end + 1 : NULL, &out->Ipv6.sin6_port))
            return false;
        *end = '\0';
        text++;
    }
    scope = strchr(text, '%');
    if (scope) {
        *scope++ = '\0';
        if (!parse_number(scope, UINT32_MAX, &n) && resolve_interface(scope, &n) != 0)
            return false;
    }
    out->Ipv6.sin6_scope_id = n;
    return resolve_text_to_address(AF_INET6, text, &out->Ipv6.sin6_addr) == 1;
}

static uint32_t parse_address(char *text, INT family, SOCKADDR_INET *out)
{
    memset(out, 0, sizeof *out);
    out->si_family = (ADDRESS_FAMILY)family;
    if (family == AF_INET ? parse_v4(text, out) : family == AF_INET6 && parse_v6(text, out))
        return 0;
    return WSAEINVAL;
}

INT WSAAPI WSAStringToAddressA(LPSTR text, INT family, LPWSAPROTOCOL_INFOA info, LPSOCKADDR address,
                               LPINT length)
{
    char copy[ADDRESS_TEXT] = "";
    SOCKADDR_INET parsed;
    INT size = family == AF_INET ? sizeof parsed.Ipv4 : sizeof parsed.Ipv6;
    uint32_t code = WSAEINVAL;

    (void)info;
    if (!winsock_started())
        return wsa_result(status_from_wsa(WSANOTINITIALISED));
    if (!address || !length)
        return wsa_result(status_from_wsa(WSAEFAULT));
    if (text && strlen(text) < sizeof copy) {
        strcpy(copy, text);
        code = parse_address(copy, family, &parsed);
    }
    if (code == 0 && *length < size) {
        *length = size;
        code = WSAEFAULT;
    }
    if (code == 0) {
        memcpy(address, &parsed, (size_t)size);
        *length = size;
    }
    return wsa_result(status_from_wsa(code));
}

INT WSAAPI WSAStringToAddressW(LPWSTR text, INT family, LPWSAPROTOCOL_INFOW info, LPSOCKADDR address,
                               LPINT length)
{
    char narrow[ADDRESS_TEXT];

    (void)info;
    if (!text || text_to_utf8(text, text_length16(text) + 1, narrow, sizeof narrow, true) < 0)
        narrow[0] = '\0'; /* none, or longer than any address: no address */
    return WSAStringToAddressA(narrow, family, NULL, address, length);
}

/* ---- address to text ---- */

static void write_v4(const SOCKADDR_INET *a, char out[ADDRESS_TEXT])
{
    char host[INET_ADDRSTRLEN];

    resolve_address_to_text(AF_INET, &a->Ipv4.sin_addr, host, sizeof host);
    if (a->Ipv4.sin_port)
        snprintf(out, ADDRESS_TEXT, "%s:%u", host, ntohs(a->Ipv4.sin_port));
    else
        snprintf(out, ADDRESS_TEXT, "%s", host);
}

static void write_v6(const SOCKADDR_INET *a, char out[ADDRESS_TEXT])
{
    char host[INET6_ADDRSTRLEN];
    char scope[16] = "";

    resolve_address_to_text(AF_INET6, &a->Ipv6.sin6_addr, host, sizeof host);
    if (a->Ipv6.sin6_scope_id)
        snprintf(scope, sizeof scope, "%%%u", a->Ipv6.sin6_scope_id);
    if (a->Ipv6.sin6_port)
        snprintf(out, ADDRESS_TEXT, "[%.45s%.15s]:%u", host, scope, ntohs(a->Ipv6.sin6_port));
    else
        snprintf(out, ADDRESS_TEXT, "%s%s", host, scope);
}

static uint32_t write_address(const SOCKADDR *address, DWORD length, char out[ADDRESS_TEXT])
{
    SOCKADDR_INET a = {0};

    if (!winsock_started())
        return WSANOTINITIALISED;
    if (!address || length < sizeof a.si_family)
        return WSAEINVAL;
    memcpy(&a, address, length < sizeof a ? length : sizeof a);
    if (a.si_family == AF_INET && length >= sizeof a.Ipv4)
        write_v4(&a, out);
    else if (a.si_family == AF_INET6 && length >= sizeof a.Ipv6)
        write_v6(&a, out);
    else
        return WSAEINVAL;
    return 0;
}

/* Is there room for `text`? *length: in, room, out, what it takes. */
static uint32_t check_room(const char *text, const void *out, LPDWORD length)
{
    DWORD need = (DWORD)strlen(text) + 1;
    bool fits;

    if (!length)
        return WSAEFAULT;
    fits = out && *length >= need;
    *length = need;
    return fits ? 0 : WSAEFAULT;
}

INT WSAAPI WSAAddressToStringA(LPSOCKADDR address, DWORD address_length, LPWSAPROTOCOL_INFOA info, LPSTR text,
                               LPDWORD length)
{
    char made[ADDRESS_TEXT];
    uint32_t code = write_address(address, address_length, made);

    (void)info;
    if (code == 0)
        code = check_room(made, text, length);
    if (code == 0)
        memcpy(text, made, *length);
    return wsa_result(status_from_wsa(code));
}

INT WSAAPI WSAAddressToStringW(LPSOCKADDR address, DWORD address_length, LPWSAPROTOCOL_INFOW info,
                               LPWSTR text, LPDWORD length)
{
    char made[ADDRESS_TEXT];
    uint32_t code = write_address(address, address_length, made);

    (void)info;
    if (code == 0)
        code = check_room(made, text, length);
    if (code == 0)
        text_to_utf16(made, *length, text, *length, false);
    return wsa_result(status_from_wsa(code));
}
