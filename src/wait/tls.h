/* SPDX-License-Identifier: MIT */
/*
 * Values per thread by index: two spaces of the same kind, TLS and FLS. FLS indices may have a
 * callback, run for every value that is not NULL when its thread ends or the index is freed.
 */
#ifndef IOCP_WAIT_TLS_H
#define IOCP_WAIT_TLS_H

#include <stdbool.h>
#include <stdint.h>

enum slot_space_name { SPACE_TLS, SPACE_FLS };
enum { SLOT_COUNT = 1088 };
#define SLOT_NONE UINT32_MAX

/* An index whose value is NULL in every thread, or SLOT_NONE. */
uint32_t slot_alloc(enum slot_space_name space, void (*callback)(void *value));
bool slot_free(enum slot_space_name space, uint32_t index);  /* false: not allocated */
bool slot_valid(enum slot_space_name space, uint32_t index); /* allocated now? */

/* index < SLOT_COUNT. false: no memory. */
bool slot_set(enum slot_space_name space, uint32_t index, void *value);
void *slot_get(enum slot_space_name space, uint32_t index);

#endif
