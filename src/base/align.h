/* SPDX-License-Identifier: MIT */
/* Memory that begins a cache line, for structures laid out by lines. Given back with free. */
#ifndef IOCP_BASE_ALIGN_H
#define IOCP_BASE_ALIGN_H

#include <stdlib.h>
#include <string.h>

enum { CACHE_LINE = 64 };

static inline void *line_alloc(size_t size)
{
    return aligned_alloc(CACHE_LINE, (size + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE);
}

static inline void *line_calloc(size_t size)
{
    void *memory = line_alloc(size);

    return memory ? memset(memory, 0, size) : NULL;
}

#endif
