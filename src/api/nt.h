/* SPDX-License-Identifier: MIT */
/* What the native functions share: names and times as arguments. */
#ifndef IOCP_API_NT_H
#define IOCP_API_NT_H

#include "base/clock.h"

#include <stdint.h>

/* Of a LARGE_INTEGER's value: NULL for ever, 0 not at all, else as a due time. */
static inline uint64_t nt_deadline(const int64_t *timeout)
{
    if (!timeout)
        return DEADLINE_NEVER;
    return *timeout == 0 ? 0 : deadline_from_due(*timeout);
}

/* A UNICODE_STRING's text in UTF-8, to be freed. NULL and STATUS_SUCCESS: there is none. */
uint32_t nt_string(const void *string, char **out);

#endif
