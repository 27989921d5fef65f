/* SPDX-License-Identifier: MIT */
/* Starting a program as a process object: base/child.h and wait/process.h together. */
#ifndef IOCP_IO_SPAWN_H
#define IOCP_IO_SPAWN_H

#include "base/child.h"
#include "wait/process.h"

#include <stdint.h>

/* One reference. STATUS_INVALID_IMAGE_FORMAT: no program; others by errno. */
uint32_t spawn_process(const struct child_how *how, struct process **out);

#endif
