/* SPDX-License-Identifier: MIT */
/*
 * One matcher for every kind of cancelling: by request, by thread, all of a handle; CancelIo,
 * CancelIoEx, thread exit and close all come here. Cancelling asks; the answer is the ordinary
 * completion, with STATUS_CANCELLED unless the operation was faster.
 */
#ifndef IOCP_IO_CANCEL_H
#define IOCP_IO_CANCEL_H

#include "io/file.h"
#include "io/request.h"

struct cancel_match {
    const OVERLAPPED *ov; /* NULL: any */
    uint64_t issuer;      /* thread.serial, 0: any */
    const struct request *request; /* NULL: any; kept by a reference of the caller's */
};

/* How many requests were asked to stop. */
unsigned cancel_requests(struct file *f, const struct cancel_match *match);

/* Calls back the threads that are inside a blocking call on f. How many heard it. */
unsigned cancel_blockers(struct file *f);

/* Both for the file behind a handle: threads in blocking calls are meant where everything is. */
uint32_t cancel_by_handle(uintptr_t handle, const struct cancel_match *match, unsigned *asked);

/* What waits in one lane of f, or in both, whichever file it completes on (an accept socket's first data). */
void cancel_lane(struct file *f, enum lane_direction dir);
void cancel_lanes(struct file *f);

#endif
