/* SPDX-License-Identifier: MIT */
/*
 * Synchronous transfers among overlapped ones. Requests of one direction of a file are done in the order of
 * the calls, also where the caller waits: a call that finds its lane idle transfers on its own thread; one
 * that finds others there is a guest of the lane, a request that the caller waits for.
 */
#ifndef IOCP_IO_SYNC_CALL_H
#define IOCP_IO_SYNC_CALL_H

#include "io/file.h"

struct sync_call {
    enum lane_direction dir;
    bool whole;    /* takes several steps that nothing may come between: what is started meanwhile waits */
    bool at_once;  /* first tried before the thread can be called back, which is cheaper */
    bool alertable;
    short events;  /* poll(2)'s, that it waits for */
    uint64_t deadline_ns;
    /* STATUS_PENDING: would block. Of a guest on any thread; ctx stays the caller's. */
    uint32_t (*attempt)(struct file *f, void *ctx);
    /* The deadline has passed: has there been progress, and when is the next one? May be NULL. */
    bool (*extend)(void *ctx, uint64_t *deadline_ns);
    /* What the file is to know for as long as the call lasts, also if its thread ends. Both or neither. */
    void (*begun)(struct file *f);
    void (*ended)(struct file *f);
    /* It becomes a guest: *cancelled is set when it is called back during an attempt. May be NULL. */
    void (*as_guest)(void *ctx, const _Atomic bool *cancelled);
    void *ctx;
};

/* STATUS_CANCELLED: called back, or closed (STATUS_INVALID_HANDLE, if it was before the wait);
 * STATUS_IO_TIMEOUT; else what the attempt says, or, of a guest, that there is no memory.
 * f is held by the caller; if the thread ends in the call, that reference is put. */
uint32_t sync_call(struct file *f, const struct sync_call *c);

/* The same without waiting: STATUS_PENDING if it would block, or others are before it. */
uint32_t sync_try(struct file *f, const struct sync_call *c);

#endif
