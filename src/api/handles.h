/* SPDX-License-Identifier: MIT */
/*
 * Handles as arguments: the table of object/handle.h plus the pseudo handles -1 (this process) and
 * -2 (the calling thread), which stand for an object but are not in any table.
 */
#ifndef IOCP_API_HANDLES_H
#define IOCP_API_HANDLES_H

#include "object/handle.h"
#include "wait/process.h"
#include "wait/thread.h"

#include <stdbool.h>

#define PSEUDO_PROCESS ((uintptr_t)-1)
#define PSEUDO_THREAD ((uintptr_t)-2)

/* As handle_get, pseudo handles included. */
uint32_t api_object_get(const void *handle, int kinds, struct object **out);
uint32_t api_thread_get(const void *handle, struct thread **out);

/* A process, counted; pid of this one: getpid(). */
uint32_t api_process_get(const void *handle, struct process **out);
/* Is it this one? Another is refused as not implemented. */
uint32_t api_process_check_self(const void *handle);

/* Any object that can be waited for, counted. */
uint32_t api_waitable_get(const void *handle, struct object **out);

/* Closes a handle of any kind that CloseHandle closes. */
uint32_t api_close(const void *handle);

/*
 * Publishes a new object and drops the creator's reference. `status` is what its creation gave:
 * a failure gives NULL and the last error, "exists" the handle and ERROR_ALREADY_EXISTS; success
 * sets the last error to 0, which is how programs tell.
 */
void *api_publish(uint32_t status, struct object *obj, uint32_t access, bool inherit);

#endif
