/* SPDX-License-Identifier: MIT */
/* One piece of work for an engine, with its memory. After unit.h. */
#ifndef WORK_H
#define WORK_H

#include "engine/engine.h"

#include <stdatomic.h>
#include <string.h>

struct work {
    struct op op;
    struct iovec iov;
    char data[64];
    bool by_home; /* who answered */
    _Atomic uint32_t answers;
};

/* Written by who includes this. */
static void done(struct op *op, int64_t result);

static inline void prepare(struct work *w, enum op_code code, int fd, uint64_t offset)
{
    memset(w, 0, sizeof *w);
    list_init(&w->op.link);
    w->iov.iov_base = w->data;
    w->iov.iov_len = sizeof w->data;
    w->op.code = (uint8_t)code;
    w->op.fd = fd;
    w->op.iov = &w->iov;
    w->op.iov_count = 1;
    w->op.offset = offset;
    w->op.done = done;
}

#endif
