/* SPDX-License-Identifier: MIT */
/*
 * The one namespace of handles. An object with a file descriptor has that number (>= 3) as its
 * handle; all others have values from 0x40000000 to 0x7FFFFFFC whose two low bits are zero and
 * which carry a generation, so that a stale value is refused. Pseudo handles (-1, -2) are not
 * here: callers resolve them first.
 */
#ifndef IOCP_OBJECT_HANDLE_H
#define IOCP_OBJECT_HANDLE_H

#include "object/object.h"

#include <stdint.h>

enum handle_flag {
    HANDLE_INHERIT = 1, /* HANDLE_FLAG_INHERIT */
    HANDLE_PROTECT = 2, /* HANDLE_FLAG_PROTECT_FROM_CLOSE */
};

/* Publishes `obj` under a new non-fd handle (takes a reference of its own). NTSTATUS. */
uint32_t handle_open(struct object *obj, uint32_t access, uint32_t flags, uintptr_t *out);

/* Publishes `obj` under the number `fd`, which the object owns from now on. Its memory is a slab's, which
 * keeps the head of it (sizeof(struct object)): descriptors are looked up without a lock. */
uint32_t handle_open_fd(struct object *obj, int fd, uint32_t access, uint32_t flags);

/*
 * The same for an object that another thread may be closing: once its last handle has gone it has had its
 * cleanup, and there is no other: STATUS_INVALID_HANDLE.
 */
uint32_t handle_open_another(struct object *obj, uint32_t access, uint32_t flags, uintptr_t *out);
uint32_t handle_open_another_fd(struct object *obj, int fd, uint32_t access, uint32_t flags);

/*
 * The same for a number that a program has merely named, and that another thread may be closing:
 * handle_fd_free before the first look at the descriptor, handle_adopt_fd after the last. Both fail
 * while an object owns the number, the second also if one has owned and closed it in between.
 */
bool handle_fd_free(int fd, uint8_t *generation);
uint32_t handle_adopt_fd(struct object *obj, int fd, uint32_t access, uint8_t generation);

/*
 * Looks a handle up and returns a counted reference in *out. `kinds` is a mask of enum
 * object_kind; a handle of another kind gives STATUS_OBJECT_TYPE_MISMATCH, an unknown or stale
 * one STATUS_INVALID_HANDLE. `access_out` may be NULL.
 */
uint32_t handle_get(uintptr_t h, int kinds, struct object **out, uint32_t *access_out);

/* Does the non-fd handle h, which once meant obj, mean it still? The caller holds obj. Takes no lock. */
bool handle_is(uintptr_t h, const struct object *obj);

/* Is the number a handle of obj, which the caller holds? Takes no lock. */
bool handle_fd_is(int fd, const struct object *obj);

/* The object whose handle the number is, counted; NULL if it is none. */
struct object *handle_get_fd(uintptr_t fd);

/* The object that owns the number `fd`, counted, even if its handle is closed already; NULL if none. */
struct object *handle_get_fd_owner(int fd);

/* Closes one handle; the last one runs the type's cleanup. PROTECT refuses. */
uint32_t handle_close(uintptr_t h);

/* One handle less, which is in no table any more (or never was: object_try_open), and its reference. */
void handle_drop(struct object *obj);

uint32_t handle_flags_get(uintptr_t h, uint32_t *flags);
uint32_t handle_flags_set(uintptr_t h, uint32_t mask, uint32_t flags);

/* The object gives the number back to the program, open. */
void handle_release_fd(struct object *obj, int fd);

/* The number is not the object's any more: its handle goes as if it had been closed, whatever protects it,
 * and the descriptor, which may be another's, is left alone. */
void handle_lose_fd(struct object *obj, int fd);

/* The object gives the number back to the kernel: close(fd), which nobody may adopt meanwhile. */
void handle_close_fd(struct object *obj, int fd);

/* Calls fn for each number that an fd object alive owns, with a reference held during the call. */
void handle_each_fd(void (*fn)(struct object *obj, uintptr_t fd, void *ctx), void *ctx);
/* The same for each open handle of the other objects. */
void handle_each_value(void (*fn)(struct object *obj, uintptr_t h, void *ctx), void *ctx);

static inline bool handle_is_fd(uintptr_t h)
{
    return h < 0x40000000u;
}

#endif
