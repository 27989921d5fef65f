/* SPDX-License-Identifier: MIT */
/*
 * Parts of files that are brought into the page cache by another thread, for who would be held up by
 * reading them itself: a port's worker, the home thread.
 */
#ifndef IOCP_IO_WARM_H
#define IOCP_IO_WARM_H

#include "io/file.h"

#include <stdbool.h>
#include <stdint.h>

struct warming;

/* Would reading it wait for the disk? As far as the kernel tells. */
bool warm_needed(struct file *source, uint64_t offset, uint64_t size);

/*
 * Reads it on a thread of the engine; f's lanes are kicked when it is there, or when it turned out not to be
 * had: whoever reads it then meets the error. NULL: it cannot be started. Drop gives it back, at any time.
 */
struct warming *warm_start(struct file *source, uint64_t offset, uint64_t size, struct file *f);
bool warm_ended(const struct warming *w);
void warm_drop(struct warming *w);

#endif
