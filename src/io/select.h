/* SPDX-License-Identifier: MIT */
/* Waiting for readiness of many sockets: what select and WSAPoll share. */
#ifndef IOCP_IO_SELECT_H
#define IOCP_IO_SELECT_H

#include "io/sock.h"

/* One socket; `want` and `got` are poll(2) bits. Winsock's view of them: see select_view. */
struct select_item {
    struct file *file; /* counted by the caller; NULL: skipped */
    short want;
    short got;
    bool blocked;      /* private */
    struct file_blocker blocker;
};

/*
 * Waits until some item has something to say or the deadline comes (0: just looks). *count: how
 * many. STATUS_TIMEOUT never: then *count is 0. STATUS_CANCELLED: a socket is being closed.
 */
uint32_t select_wait(struct select_item *items, unsigned n, uint64_t deadline_ns, unsigned *count);

#endif
