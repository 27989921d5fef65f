/* SPDX-License-Identifier: MIT */
/* What the two files of the thread pool share. */
#ifndef IOCP_API_THREADPOOL_H
#define IOCP_API_THREADPOOL_H

#include "pool/tasks.h"

/* The object of a handle that callbacks can wait for, counted: no mutex. */
uint32_t threadpool_waitable_get(const void *handle, struct object **out);

#endif
