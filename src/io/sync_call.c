/* SPDX-License-Identifier: MIT */
/*
 * See sync_call.h. A call that keeps its lane may run routines of the program's while it waits, and those
 * may make such calls on the same file: they go past, for to wait for the thread itself would be for ever.
 */
#include "io/sync_call.h"

#include "base/own_fd.h"
#include "base/os.h"
#include "base/status.h"
#include "io/cancel.h"
#include "io/lane.h"
#include "io/request.h"
#include "ntstatus.h"
#include "wait/wait.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>

/* ---- on the caller's thread ---- */

/* A lane that the calling thread keeps; those of the calls around it follow. */
struct keep {
    struct file *file;
    enum lane_direction dir;
    struct keep *outer;
};

static _Thread_local struct keep *keeps;

static bool kept_by_me(const struct file *f, enum lane_direction dir)
{
    for (const struct keep *k = keeps; k; k = k->outer)
        if (k->file == f && k->dir == dir)
            return true;
    return false;
}

static void keep_begin(struct keep *k, struct file *f, enum lane_direction dir)
{
    *k = (struct keep){f, dir, keeps};
    keeps = k;
}

static void keep_end(void *arg)
{
    struct keep *k = arg;

    assert(keeps == k);
    keeps = k->outer;
    lane_leave(k->file, k->dir);
}

static uint32_t wait_here(struct file *f, const struct sync_call *c)
{
    uint64_t deadline_ns = c->deadline_ns;
    uint32_t status;

    do
        status = file_blocking_call(f, c->events, deadline_ns, c->alertable, c->attempt, c->ctx);
    while (status == STATUS_IO_TIMEOUT && c->extend && c->extend(c->ctx, &deadline_ns));
    return status;
}

static uint32_t transfer_here(struct file *f, const struct sync_call *c)
{
    uint32_t status = STATUS_PENDING;

    if (c->at_once)
        status = c->attempt(f, c->ctx);
    return status == STATUS_PENDING ? wait_here(f, c) : status;
}

static uint32_t transfer_keeping(struct file *f, const struct sync_call *c)
{
    struct keep keep;
    uint32_t status;

    keep_begin(&keep, f, c->dir);
    pthread_cleanup_push(keep_end, &keep); /* a routine may end the thread in there */
    status = transfer_here(f, c);
    pthread_cleanup_pop(1);
    return status;
}

/* ---- guests ---- */

struct guest {
    OVERLAPPED ov; /* of the request: nobody else's */
    const struct sync_call *call;
    struct file *file;
    struct request *request; /* counted */
    int fd;                  /* eventfd: answered */
    _Atomic uint32_t status;
    bool through;            /* the caller has seen the answer */
};

static struct guest *guest_of(struct request *r)
{
    return container_of(r->ov, struct guest, ov);
}

static uint32_t guest_attempt(struct request *r)
{
    const struct sync_call *c = guest_of(r)->call;

    return c->attempt(r->file, c->ctx);
}

/* The caller may be gone as soon as it has been told. */
static void guest_answer(struct request *r)
{
    struct guest *g = guest_of(r);
    int fd = g->fd;

    atomic_store(&g->status, r->status);
    request_put(r);
    eventfd_write(fd, 1);
}

static const struct request_ops guest_ops = {
    .name = "blocking call", .attempt = guest_attempt, .answer = guest_answer};

/* Whatever the wait has come to, also the thread's end: the request is answered before its memory goes. */
static void guest_leave(void *arg)
{
    struct guest *g = arg;
    struct cancel_match match = {.request = g->request};
    eventfd_t count;

    if (!g->through)
        cancel_requests(g->file, &match);
    while (eventfd_read(g->fd, &count) < 0)
        os_wait_ready(g->fd, POLLIN);
    wait_sync_end();
    request_put(g->request);
    own_fd_close(g->fd);
}

/* And to the end of the guest. */
static uint32_t guest_wait(struct guest *g)
{
    const struct sync_call *c = g->call;
    uint64_t deadline_ns = c->deadline_ns;
    uint32_t status, answer;

    wait_sync_begin();
    pthread_cleanup_push(guest_leave, g);
    do
        status = wait_fd(g->fd, POLLIN, deadline_ns, c->alertable);
    while (status == STATUS_TIMEOUT && c->extend && c->extend(c->ctx, &deadline_ns));
    g->through = status == STATUS_SUCCESS;
    pthread_cleanup_pop(1);
    answer = atomic_load(&g->status);
    return answer == STATUS_CANCELLED && status == STATUS_TIMEOUT ? (uint32_t)STATUS_IO_TIMEOUT : answer;
}

static uint32_t guest_request(struct guest *g)
{
    uint32_t status;

    file_get(g->file); /* the request's */
    status = request_new_lean(g->file, &g->ov, false, &g->request);
    if (status != STATUS_SUCCESS) {
        file_put(g->file);
        return status;
    }
    g->request->ops = &guest_ops;
    g->request->issuer = REQUEST_NO_ISSUER;
    g->request->never_refused = g->request->answers_later = true;
    if (g->call->as_guest)
        g->call->as_guest(g->call->ctx, &g->request->cancelled);
    request_begin_apart(g->request);
    request_get(g->request); /* ours */
    return STATUS_SUCCESS;
}

static uint32_t transfer_as_guest(struct file *f, const struct sync_call *c)
{
    struct guest g = {.call = c, .file = f, .fd = own_fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))};
    uint32_t status;

    if (g.fd < 0)
        return status_from_errno(errno);
    status = guest_request(&g);
    if (status == STATUS_SUCCESS) {
        status = lane_start(g.request, c->dir, NULL);
        if (status == STATUS_PENDING)
            return guest_wait(&g);
        request_put(g.request);
    }
    own_fd_close(g.fd);
    return status;
}

/* ---- both ---- */

uint32_t sync_call(struct file *f, const struct sync_call *c)
{
    if (!lane_enter(f, c->dir, c->whole))
        return kept_by_me(f, c->dir) ? transfer_here(f, c) : transfer_as_guest(f, c);
    return c->whole ? transfer_keeping(f, c) : transfer_here(f, c);
}

uint32_t sync_try(struct file *f, const struct sync_call *c)
{
    uint32_t status;

    if (!lane_enter(f, c->dir, c->whole)) {
        if (kept_by_me(f, c->dir))
            return c->attempt(f, c->ctx);
        lane_kick(f); /* what can be done for those before it is done, as if an edge had come */
        if (!lane_enter(f, c->dir, c->whole))
            return STATUS_PENDING;
    }
    status = c->attempt(f, c->ctx);
    if (c->whole)
        lane_leave(f, c->dir);
    return status;
}
