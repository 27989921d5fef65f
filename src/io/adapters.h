/* SPDX-License-Identifier: MIT */
/*
 * The machine's network interfaces: names, addresses, gateways, and the resolver's servers. Addresses are
 * struct sockaddr, kept as bytes.
 */
#ifndef IOCP_IO_ADAPTERS_H
#define IOCP_IO_ADAPTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct adapter_address {
    uint32_t index; /* of the interface; 0: of none (a name server) */
    uint32_t len;
    uint16_t family;
    uint8_t prefix; /* bits */
    _Alignas(8) uint8_t addr[28];
};

struct adapter {
    uint32_t index;
    uint32_t mtu;
    uint64_t speed;  /* bits per second; UINT64_MAX: not known */
    bool up, multicast, loopback, tunnel, ppp, ethernet, wireless;
    uint8_t hardware_len;
    uint8_t hardware[8];
    char name[16];
};

struct adapters {
    struct adapter *list;
    size_t count;
    struct adapter_address *addresses, *gateways, *servers;
    size_t address_count, gateway_count, server_count;
};

/* 0 or -errno; adapters_free after success. */
int adapters_read(struct adapters *out);
void adapters_free(struct adapters *a);

/* The network that an address is in. */
void adapter_network(const struct adapter_address *a, struct adapter_address *out);

#endif
