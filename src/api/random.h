/* SPDX-License-Identifier: MIT */
/* The kernel's random numbers, for the headers that have a way to them. */
#ifndef IOCP_API_RANDOM_H
#define IOCP_API_RANDOM_H

#include <stdbool.h>
#include <stddef.h>

/* False, with errno, where the kernel has none to give. */
bool random_fill(void *buffer, size_t size);

#endif
