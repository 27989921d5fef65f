/* SPDX-License-Identifier: MIT */
/*
 * ws2tcpip.h: getaddrinfo and its kin. Answers come from io/resolve.c in a neutral shape; here they
 * become lists of Windows' layout, one block of memory for each entry.
 */
#include "api/message.h"
#include "api/socket.h"
#include "base/text.h"
#include "io/resolve.h"

#include <windows.h>
#include <winsock2.h>
#include <ws2tcpip.h>

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(RESOLVE_NAME_SIZE >= NI_MAXHOST && RESOLVE_SERVICE_SIZE >= NI_MAXSERV, "any answer fits");
_Static_assert(WSA_NOT_ENOUGH_MEMORY == ERROR_NOT_ENOUGH_MEMORY, "what io/resolve.c says");
_Static_assert(sizeof(ADDRINFOA) == sizeof(ADDRINFOW), "the two differ in the type of a pointer");

/* These functions return the code and leave it as the last error. */
static INT answer(uint32_t code)
{
    if (code)
        last_error_set(code);
    return (INT)code;
}

/* ---- lists ---- */

struct entry {
    union {
        ADDRINFOA narrow;
        ADDRINFOW wide;
    };
    _Alignas(8) unsigned char address[sizeof(struct sockaddr_storage)];
    _Alignas(2) char name[]; /* canonical */
};

static void fill(ADDRINFOA *info, struct entry *e, const struct resolved *r)
{
    info->ai_flags = r->flags;
    info->ai_family = r->family;
    info->ai_socktype = r->type;
    info->ai_protocol = r->protocol;
    info->ai_addrlen = r->addr_len;
    info->ai_addr = (struct sockaddr *)(void *)e->address;
    memcpy(e->address, r->addr, r->addr_len);
}

static struct entry *entry_new(const struct resolved *r, bool wide)
{
    size_t length = r->canonical ? strlen(r->canonical) + 1 : 0;
    struct entry *e = calloc(1, sizeof *e + length * (wide ? sizeof(WCHAR) : 1));

    if (!e)
        return NULL;
    fill(&e->narrow, e, r);
    if (length == 0)
        return e;
    if (wide) {
        e->wide.ai_canonname = (WCHAR *)(void *)e->name;
        text_to_utf16(r->canonical, length, e->wide.ai_canonname, length, false);
    } else {
        e->narrow.ai_canonname = e->name;
        memcpy(e->name, r->canonical, length);
    }
    return e;
}

static void free_list(ADDRINFOA *list)
{
    while (list) {
        ADDRINFOA *next = list->ai_next;

        free(list);
        list = next;
    }
}

/* NULL: no memory. */
static ADDRINFOA *list_new(const struct resolved *answers, bool wide)
{
    ADDRINFOA *first = NULL;
    ADDRINFOA **at = &first;

    for (const struct resolved *r = answers; r; r = r->next) {
        struct entry *e = entry_new(r, wide);

        if (!e) {
            free_list(first);
            return NULL;
        }
        *at = &e->narrow;
        at = &e->narrow.ai_next;
    }
    return first;
}

static uint32_t look_up(PCSTR node, PCSTR service, const ADDRINFOA *hints, bool wide, PADDRINFOA *result)
{
    struct resolve_hints asked = {0};
    struct resolved *answers;
    uint32_t code;

    if (!winsock_started())
        return WSANOTINITIALISED;
    if (!result)
        return WSAEFAULT;
    *result = NULL;
    if (hints) {
        asked.flags = hints->ai_flags;
        asked.family = hints->ai_family;
        asked.type = hints->ai_socktype;
        asked.protocol = hints->ai_protocol;
    }
    code = resolve_name(node, service, &asked, &answers);
    if (code)
        return code;
    *result = list_new(answers, wide);
    resolve_free(answers);
    return *result ? 0 : WSA_NOT_ENOUGH_MEMORY;
}

INT WSAAPI getaddrinfo(PCSTR node, PCSTR service, const ADDRINFOA *hints, PADDRINFOA *result)
{
    return answer(look_up(node, service, hints, false, result));
}

INT WSAAPI GetAddrInfoW(PCWSTR node, PCWSTR service, const ADDRINFOW *hints, PADDRINFOW *result)
{
    char *narrow_node = text_utf8_new(node);
    char *narrow_service = text_utf8_new(service);
    uint32_t code = WSA_NOT_ENOUGH_MEMORY;

    if ((!node || narrow_node) && (!service || narrow_service))
        code = look_up(narrow_node, narrow_service, (const ADDRINFOA *)(const void *)hints, true,
                       (PADDRINFOA *)(void *)result);
    free(narrow_node);
    free(narrow_service);
    return answer(code);
}

VOID WSAAPI freeaddrinfo(PADDRINFOA list)
{
    free_list(list);
}

VOID WSAAPI FreeAddrInfoW(PADDRINFOW list)
{
    free_list((PADDRINFOA)(void *)list);
}

/* ---- address to name ---- */

static uint32_t name_of(const SOCKADDR *address, socklen_t length, PCHAR host, DWORD host_size, PCHAR service,
                        DWORD service_size, INT flags)
{
    if (!winsock_started())
        return WSANOTINITIALISED;
    if (length < 0)
        return WSAEFAULT;
    return resolve_address(address, (uint32_t)length, host, host_size, service, service_size, flags);
}

INT WSAAPI getnameinfo(const SOCKADDR *address, socklen_t length, PCHAR host, DWORD host_size, PCHAR service,
                       DWORD service_size, INT flags)
{
    return answer(name_of(address, length, host, host_size, service, service_size, flags));
}

static uint32_t widen(const char *text, PWCHAR out, DWORD size)
{
    return text_to_utf16(text, strlen(text) + 1, out, size, false) < 0 ? WSAEFAULT : 0;
}

INT WSAAPI GetNameInfoW(const SOCKADDR *address, iocp_socklen_t length, PWCHAR host, DWORD host_size,
                        PWCHAR service, DWORD service_size, INT flags)
{
    char name[RESOLVE_NAME_SIZE];
    char serv[RESOLVE_SERVICE_SIZE];
    uint32_t code = name_of(address, length, host ? name : NULL, host_size ? sizeof name : 0,
                            service ? serv : NULL, service_size ? sizeof serv : 0, flags);

    if (code == 0 && host)
        code = widen(name, host, host_size);
    if (code == 0 && service)
        code = widen(serv, service, service_size);
    return answer(code);
}

/* ---- text ---- */

INT WSAAPI inet_pton(INT family, PCSTR text, PVOID address)
{
    int done;

    if (!text || !address)
        return wsa_result(status_from_wsa(WSAEFAULT));
    done = resolve_text_to_address(family, text, address);
    return done < 0 ? wsa_result(status_from_wsa(WSAEAFNOSUPPORT)) : done;
}

INT WSAAPI InetPtonW(INT family, PCWSTR text, PVOID address)
{
    char narrow[64]; /* what is longer is no address */
    ptrdiff_t n;

    if (!text || !address)
        return wsa_result(status_from_wsa(WSAEFAULT));
    n = text_to_utf8(text, text_length16(text) + 1, narrow, sizeof narrow, true);
    return inet_pton(family, n < 0 ? "" : narrow, address);
}

PCSTR WSAAPI inet_ntop(INT family, const VOID *address, PSTR text, size_t size)
{
    uint32_t room = size < UINT32_MAX ? (uint32_t)size : UINT32_MAX;

    if (!address || !text) {
        last_error_set(WSAEFAULT);
        return NULL;
    }
    if (family != AF_INET && family != AF_INET6) {
        last_error_set(WSAEAFNOSUPPORT);
        return NULL;
    }
    if (!resolve_address_to_text(family, address, text, room)) {
        last_error_set(WSA_INVALID_PARAMETER);
        return NULL;
    }
    return text;
}

PCWSTR WSAAPI InetNtopW(INT family, const VOID *address, PWSTR text, size_t size)
{
    char narrow[INET6_ADDRSTRLEN];

    if (!text) {
        last_error_set(WSAEFAULT);
        return NULL;
    }
    if (!inet_ntop(family, address, narrow, sizeof narrow))
        return NULL;
    if (size == 0 || text_to_utf16(narrow, strlen(narrow) + 1, text, size, false) < 0) {
        last_error_set(WSA_INVALID_PARAMETER);
        return NULL;
    }
    return text;
}

static const char *text_of(int error)
{
    const char *text = message_text((uint32_t)error);

    return text ? text : "Unknown error.";
}

char *WSAAPI gai_strerrorA(int error)
{
    static char text[GAI_STRERROR_BUFFER_SIZE];

    snprintf(text, sizeof text, "%s", text_of(error));
    return text;
}

WCHAR *WSAAPI gai_strerrorW(int error)
{
    static WCHAR wide[GAI_STRERROR_BUFFER_SIZE];
    const char *text = text_of(error);

    text_to_utf16(text, strlen(text) + 1, wide, GAI_STRERROR_BUFFER_SIZE, false);
    return wide;
}
