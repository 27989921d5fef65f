/* SPDX-License-Identifier: MIT */
/*
 * The block by which one waiter stands in one object's queue: on the waiting thread's stack, unlinked
 * under the object's lock before the wait returns; or in a listener (listener.h). Opened by the wait
 * room alone.
 */
#ifndef IOCP_WAIT_BLOCKS_H
#define IOCP_WAIT_BLOCKS_H

#include "base/list.h"

#include <stdbool.h>
#include <stdint.h>

struct wait_block {
    struct list link;      /* in dispatcher.waiters, guarded by the dispatcher's lock */
    struct waiter *waiter; /* borrowed: the thread's own, alive while linked; NULL: a listener's */
    uint16_t index;        /* of the object in the caller's array */
    bool all;              /* wait-all, bell (shared.h): cannot be satisfied from here, only told to look */
};

#endif
