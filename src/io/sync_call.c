/* SPDX-License-Identifier: MIT */
/*
 * See sync_call.h. A call that keeps its lane transfers on its own thread, sleep by sleep. Before routines of
 * the program's run on that thread, which may start transfers on the same file and wait for them, the rest
 * of the transfer becomes a guest, too, at the head of the lane: somebody else gets on with it meanwhile.
 */
#include "io/sync_call.h"

#include "base/futex.h"
#include "io/cancel.h"
#include "io/lane.h"
#include "io/request.h"
#include "ntstatus.h"
#include "wait/thread.h"
#include "wait/wait.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>

/* How often an attempt of somebody else's is given way to: by a call that can wait, by one that cannot. */
enum { YIELDS = 100, YIELDS_AT_MOST = 20000 };

/* ---- guests ---- */

struct guest {
    OVERLAPPED ov; /* of the request: nobody else's */
    const struct sync_call *call;
    struct file *file;
    struct request *request;  /* counted */
    struct thread *thread;    /* the caller, ... */
    struct sync_calls *calls; /* ... and in which calls it waits: both are there until it has been told */
    _Atomic uint32_t status;
    _Atomic uint32_t answered; /* futex */
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

/* The caller may be gone as soon as it is answered. It is woken as those are whom a descriptor does not wake,
 * so that it needs none of its own. */
static void guest_answer(struct request *r)
{
    struct guest *g = guest_of(r);
    struct thread *thread = g->thread;

    object_get(&thread->object);
    atomic_store(&g->status, r->status);
    request_put(r);
    wait_sync_tell(thread, g->calls, &g->answered);
    object_put(&thread->object);
}

static const struct request_ops guest_ops = {
    .name = "blocking call", .attempt = guest_attempt, .answer = guest_answer};

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

static uint32_t guest_begin(struct guest *g, struct file *f, const struct sync_call *c)
{
    struct thread *self = thread_current();

    *g = (struct guest){.call = c, .file = f, .thread = self, .calls = self->calls};
    return guest_request(g);
}

/* Whatever the wait has come to, also the thread's end: the request is answered before its memory goes. */
static void guest_leave(void *arg)
{
    struct guest *g = arg;
    struct cancel_match match = {.request = g->request};

    if (!atomic_load(&g->answered))
        cancel_requests(g->file, &match);
    while (!atomic_load(&g->answered))
        futex_wait(&g->answered, 0, DEADLINE_NEVER);
    wait_sync_end();
    request_put(g->request);
}

/* STATUS_SUCCESS: it is answered. */
static uint32_t guest_sleep(struct guest *g)
{
    const struct sync_call *c = g->call;
    uint64_t deadline_ns = c->deadline_ns;
    uint32_t status = STATUS_SUCCESS;
    struct pollfd none[1];

    if (c->alertable) /* who handed its turn over did so for them, however quick the answer is */
        wait_run_routines();
    while (status == STATUS_SUCCESS && !atomic_load(&g->answered)) {
        status = wait_fds_once(none, 1, deadline_ns, c->alertable ? WAIT_RUNS_ROUTINES : WAIT_NO_ROUTINES);
        if (status == STATUS_TIMEOUT && c->extend && c->extend(c->ctx, &deadline_ns))
            status = STATUS_SUCCESS;
    }
    return status;
}

/* And to the end of the guest. */
static uint32_t guest_wait(struct guest *g)
{
    uint32_t status, answer;

    wait_sync_begin();
    pthread_cleanup_push(guest_leave, g);
    status = guest_sleep(g);
    pthread_cleanup_pop(1);
    answer = atomic_load(&g->status);
    return answer == STATUS_CANCELLED && status == STATUS_TIMEOUT ? (uint32_t)STATUS_IO_TIMEOUT : answer;
}

static uint32_t transfer_as_guest(struct file *f, const struct sync_call *c)
{
    struct guest g;
    uint32_t status = guest_begin(&g, f, c);

    if (status != STATUS_SUCCESS)
        return status;
    status = lane_start(g.request, c->dir, NULL);
    if (status == STATUS_PENDING)
        return guest_wait(&g);
    request_put(g.request);
    return status;
}

/* ---- on the caller's thread ---- */

static uint32_t wait_here(struct file *f, const struct sync_call *c, enum wait_routines routines)
{
    uint64_t deadline_ns = c->deadline_ns;
    uint32_t status;

    do
        status = file_blocking_call(f, c->events, deadline_ns, routines, c->attempt, c->ctx);
    while (status == STATUS_IO_TIMEOUT && c->extend && c->extend(c->ctx, &deadline_ns));
    return status;
}

/* A lane that is kept. */
struct keep {
    struct file *file;
    enum lane_direction dir;
    bool given;  /* handed over, or left */
    bool sleeps; /* it can be called back, by whatever it sleeps on: */
    struct file_blocker blocker;
};

/* Also where the thread is ended in the middle. */
static void keep_end(void *arg)
{
    struct keep *k = arg;

    if (k->sleeps) {
        file_block_leave(k->file, &k->blocker);
        wait_sync_end();
    }
    if (!k->given)
        lane_leave(k->file, k->dir);
}

/* Routines are to run on the thread that keeps the lane. */
static uint32_t hand_over(struct keep *k, const struct sync_call *c)
{
    struct guest g;
    uint32_t status = guest_begin(&g, k->file, c);

    if (status != STATUS_SUCCESS) /* out of memory: they run, and may not wait for what is behind */
        return wait_here(k->file, c, WAIT_RUNS_ROUTINES);
    k->given = true;
    if (lane_hand_over(g.request, c->dir))
        return guest_wait(&g);
    request_refuse(g.request, STATUS_CANCELLED);
    request_put(g.request);
    return STATUS_CANCELLED;
}

/* In one region, so that what calls it back in the moment of handing over is not forgotten. */
static uint32_t wait_keeping(struct keep *k, const struct sync_call *c)
{
    uint32_t status;

    lane_keep(k->file, k->dir);
    wait_sync_begin();
    k->sleeps = file_block_enter(k->file, &k->blocker);
    if (!k->sleeps) {
        wait_sync_end();
        return STATUS_CANCELLED;
    }
    status = wait_here(k->file, c, c->alertable ? WAIT_LEAVES_ROUTINES : WAIT_NO_ROUTINES);
    return status == STATUS_USER_APC ? hand_over(k, c) : status;
}

static uint32_t transfer_to_end(struct keep *k, const struct sync_call *c)
{
    uint32_t status = c->at_once ? c->attempt(k->file, c->ctx) : (uint32_t)STATUS_PENDING;

    return status == STATUS_PENDING ? wait_keeping(k, c) : status;
}

static uint32_t transfer_keeping(struct file *f, const struct sync_call *c)
{
    struct keep k = {.file = f, .dir = c->dir};
    uint32_t status;

    pthread_cleanup_push(keep_end, &k);
    status = transfer_to_end(&k, c);
    pthread_cleanup_pop(1);
    return status;
}

static uint32_t try_keeping(struct file *f, const struct sync_call *c)
{
    struct keep k = {.file = f, .dir = c->dir};
    uint32_t status;

    pthread_cleanup_push(keep_end, &k);
    status = c->attempt(f, c->ctx);
    pthread_cleanup_pop(1);
    return status;
}

static uint32_t transfer_beside(struct file *f, const struct sync_call *c)
{
    uint32_t status = c->at_once ? c->attempt(f, c->ctx) : (uint32_t)STATUS_PENDING;

    if (status == STATUS_PENDING)
        status = wait_here(f, c, c->alertable ? WAIT_RUNS_ROUTINES : WAIT_NO_ROUTINES);
    return status;
}

/* ---- both ---- */

/* Whose turn it is, when no attempt of a moment is in the way; the others' may be long ones. */
static enum lane_entry enter(struct file *f, const struct sync_call *c, unsigned yields)
{
    enum lane_entry entry;

    while ((entry = lane_enter(f, c->dir, c->whole)) == LANE_SOON && yields-- > 0)
        sched_yield();
    return entry;
}

static uint32_t transfer(struct file *f, const struct sync_call *c)
{
    if (enter(f, c, YIELDS) != LANE_FREE)
        return transfer_as_guest(f, c);
    return c->whole ? transfer_keeping(f, c) : transfer_beside(f, c);
}

/* One call, of which the file may be told. */
struct call {
    struct file *file;
    const struct sync_call *how;
    bool back; /* its thread has not ended in there */
};

static void call_end(void *arg)
{
    const struct call *call = arg;

    if (call->how->ended)
        call->how->ended(call->file);
    if (!call->back)
        file_put(call->file); /* for the caller, who will not any more */
}

uint32_t sync_call(struct file *f, const struct sync_call *c)
{
    struct call call = {f, c, false};
    uint32_t status;

    if (c->begun)
        c->begun(f);
    pthread_cleanup_push(call_end, &call);
    status = transfer(f, c);
    call.back = true;
    pthread_cleanup_pop(1);
    return status;
}

uint32_t sync_try(struct file *f, const struct sync_call *c)
{
    if (enter(f, c, YIELDS_AT_MOST) != LANE_FREE) {
        lane_kick(f); /* what can be done for those before it is done, as if an edge had come */
        if (enter(f, c, YIELDS_AT_MOST) != LANE_FREE)
            return STATUS_PENDING;
    }
    return c->whole ? try_keeping(f, c) : c->attempt(f, c->ctx);
}
