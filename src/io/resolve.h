/* SPDX-License-Identifier: MIT */
/* Names of hosts and services, asked of the C library; answers in neutral shapes. */
#ifndef IOCP_IO_RESOLVE_H
#define IOCP_IO_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One answer; a list. */
struct resolved {
    struct resolved *next;
    int flags, family, type, protocol;
    uint32_t addr_len;
    _Alignas(8) unsigned char addr[128];
    char *canonical; /* owned; NULL */
};

struct resolve_hints {
    int flags, family, type, protocol;
};

enum { RESOLVE_NAME_SIZE = 1025, RESOLVE_SERVICE_SIZE = 64 }; /* room that holds any answer */

/*
 * All of these return 0 or a WSA code (WSAHOST_NOT_FOUND ...). They block while a name server is
 * asked, and give the thread's place on its port away meanwhile.
 *
 * resolve_name: node "" is this machine; hints may be NULL. Type and protocol of the answers are
 * those of the hints, one answer for each address: Winsock does not try out types as POSIX does.
 */
uint32_t resolve_name(const char *node, const char *service, const struct resolve_hints *hints,
                      struct resolved **out);
void resolve_free(struct resolved *list);
uint32_t resolve_address(const void *addr, uint32_t addr_len, char *host, uint32_t host_size,
                         char *service, uint32_t service_size, int flags);

/* Text and addresses. 1, 0 (no address), -1 (family). */
int resolve_text_to_address(int family, const char *text, void *addr);
/* The old way of writing IPv4 addresses: "1.2.3.4", "1.2", 0x7f000001. Network order. */
bool resolve_loose_text(const char *text, uint32_t *addr);
const char *resolve_address_to_text(int family, const void *addr, char *text, uint32_t size);

uint32_t resolve_host_name(char *name, size_t size);

/* /etc/services and /etc/protocols, by name or number. Strings end up in `names`. */
enum { RESOLVE_ALIASES = 4 };
struct resolved_entry {
    char name[64];
    char protocol[32];
    char aliases[RESOLVE_ALIASES][32]; /* those there are come first, the others are "" */
    int number; /* port in network order, or protocol number */
};
uint32_t resolve_service(const char *name, int port, const char *protocol, struct resolved_entry *out);
uint32_t resolve_protocol(const char *name, int number, struct resolved_entry *out);

/* Interfaces by number and name; 0, or WSAHOST_NOT_FOUND. */
uint32_t resolve_interface(const char *name, uint32_t *index);
uint32_t resolve_interface_name(uint32_t index, char name[16]);

#endif
