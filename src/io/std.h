/* SPDX-License-Identifier: MIT */
/*
 * The three standard handles. Their descriptors are 0, 1 and 2, which the library never uses as
 * handle values; so each gets an object with a handle of the other kind, made when first asked for.
 */
#ifndef IOCP_IO_STD_H
#define IOCP_IO_STD_H

#include <stdint.h>

enum { STD_IN, STD_OUT, STD_ERR, STD_COUNT };

/* 0: the descriptor is closed and nothing was set. */
uintptr_t std_handle(unsigned which);
void std_set_handle(unsigned which, uintptr_t h);

#endif
