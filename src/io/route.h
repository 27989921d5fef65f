/* SPDX-License-Identifier: MIT */
/* From which of this machine's addresses a datagram to another would go. */
#ifndef IOCP_IO_ROUTE_H
#define IOCP_IO_ROUTE_H

#include <stdint.h>

/* *size: in, the room at `source`; out, the size of the address, whose port is 0. WSAEFAULT: no room. */
uint32_t route_source(const void *destination, uint32_t destination_size, void *source, uint32_t *size);

#endif
