/* SPDX-License-Identifier: MIT */
/*
 * A request's life outside its lane: memory, start, and the one door out. Memory comes from a
 * small cache of the calling thread, since most packets are freed by the thread that starts the
 * next operation.
 */
#include "io/request.h"

#include "base/align.h"
#include "base/lock.h"
#include "base/status.h"
#include "io/file.h"
#include "io/port.h"
#include "ntstatus.h"
#include "object/handle.h"
#include "wait/dispatcher.h"
#include "wait/objects.h"
#include "wait/thread.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define CACHE_REQUESTS 0 /* let the sanitizer see every use after free */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CACHE_REQUESTS 0
#endif
#endif
#ifndef CACHE_REQUESTS
#define CACHE_REQUESTS 1
#endif

/* ---- memory ---- */

enum { LEAN_SIZE = offsetof(struct request, iov_inline) };
_Static_assert(LEAN_SIZE + sizeof(struct iovec) <= 3 * CACHE_LINE, "see the layout in request.h");

static struct request *allocate(void)
{
    struct thread *self = thread_current();
    struct request *r = self->cache;

    if (!r)
        return line_alloc(sizeof *r);
    self->cache = *(struct request **)r; /* the link lives in the free memory itself */
    self->cache_count--;
    return r;
}

static void recycle(struct request *r)
{
    struct thread *self = thread_current_or_null();

    if (!CACHE_REQUESTS || !self || self->cache_count >= REQUEST_CACHE_MAX) {
        free(r);
        return;
    }
    *(struct request **)r = self->cache;
    self->cache = r;
    self->cache_count++;
}

struct request *request_new_packet(void)
{
    struct request *r = allocate();

    if (!r)
        return NULL;
    list_init(&r->entry.link);
    r->entry.ready = r->entry.task = false;
    r->posted = true;
    atomic_init(&r->refs, 1);
    return r;
}

void request_get(struct request *r)
{
    atomic_fetch_add_explicit(&r->refs, 1, memory_order_relaxed);
}

void request_put(struct request *r)
{
    /* With one reference left nobody else can take another: requests are found only while they
     * are pending, and then their owner holds the first. */
    if (atomic_load_explicit(&r->refs, memory_order_acquire) == 1 ||
        atomic_fetch_sub_explicit(&r->refs, 1, memory_order_acq_rel) == 1)
        recycle(r);
}

/* ---- starting ---- */

static uint32_t pin_event(struct request *r, uintptr_t h)
{
    uint32_t status;

    r->no_packet = h & 1;
    h &= ~(uintptr_t)1;
    if (h == 0)
        return STATUS_SUCCESS;
    status = handle_get(h, OBJECT_EVENT, &r->event_object, NULL);
    if (status == STATUS_SUCCESS)
        r->event = r->event_object->type->dispatcher(r->event_object);
    return status;
}

uint32_t request_new_lean(struct file *file, OVERLAPPED *ov, bool use_event, struct request **out)
{
    struct request *r = allocate();
    uint32_t status;

    if (!r)
        return STATUS_INSUFFICIENT_RESOURCES;
    memset(r, 0, LEAN_SIZE);
    atomic_init(&r->refs, 1);
    r->ov = ov;
    r->issuer = thread_current()->serial;
    r->iov = r->iov_inline;
    list_init(&r->entry.link);
    list_init(&r->pending);
    list_init(&r->link);
    if (use_event) {
        status = pin_event(r, (uintptr_t)ov->hEvent);
        if (status != STATUS_SUCCESS) {
            recycle(r);
            return status;
        }
    }
    r->file = file;
    *out = r;
    return STATUS_SUCCESS;
}

uint32_t request_new(struct file *file, OVERLAPPED *ov, bool use_event, struct request **out)
{
    uint32_t status = request_new_lean(file, ov, use_event, out);

    if (status == STATUS_SUCCESS)
        memset(&(*out)->op, 0, sizeof **out - offsetof(struct request, op));
    return status;
}

void request_hold_file(struct request *r)
{
    if (!r->file_counted)
        file_get(r->file);
    r->file_counted = true;
}

uint32_t request_set_bufs(struct request *r, const struct io_buf *bufs, uint32_t count)
{
    if (count > REQUEST_IOV_INLINE) {
        r->iov = malloc(count * sizeof *r->iov);
        if (!r->iov) {
            r->iov = r->iov_inline;
            return STATUS_INSUFFICIENT_RESOURCES;
        }
    }
    r->size = 0;
    for (uint32_t i = 0; i < count; i++) {
        r->iov[i].iov_base = bufs[i].base;
        r->iov[i].iov_len = bufs[i].len;
        r->size += bufs[i].len;
    }
    r->iov_count = count;
    return STATUS_SUCCESS;
}

void request_set_buf(struct request *r, void *data, size_t size)
{
    r->iov[0].iov_base = data;
    r->iov[0].iov_len = size;
    r->iov_count = 1;
    r->size = size;
}

static void drop_apc(struct apc *apc)
{
    struct request *r = container_of(apc, struct request, apc);
    struct thread *t = r->thread;

    thread_count(thread_current(), LEDGER_DROPPED, 1);
    request_put(r);
    object_put(&t->object);
}

/* On the thread that started the operation, in its alertable wait: the last moment of a request. */
static void run_routine(struct apc *apc)
{
    struct request *r = container_of(apc, struct request, apc);
    request_routine routine = r->routine;
    struct thread *self = r->thread;
    OVERLAPPED *ov = r->ov;
    uint32_t bytes = r->bytes;
    uint32_t flags = r->out_flags;
    uint32_t error = r->routine_winsock ? status_to_wsa(r->status) : status_to_win32(r->status);

    thread_count(self, LEDGER_DELIVERED, 1);
    request_put(r);
    object_put(&self->object); /* not the last one: it is running here */
    routine(error, bytes, ov, flags);
}

void request_set_routine(struct request *r, request_routine routine, bool winsock)
{
    r->thread = thread_current();
    object_get(&r->thread->object);
    r->routine = routine;
    r->routine_winsock = winsock;
    list_init(&r->apc.link);
    r->apc.run = run_routine;
    r->apc.drop = drop_apc;
}

static void store_internal(OVERLAPPED *ov, uint32_t status)
{
    /* release: whoever reads the final status finds buffers and count in place */
    __atomic_store_n(&ov->Internal, (ULONG_PTR)status, __ATOMIC_RELEASE);
}

void request_begin(struct request *r)
{
    struct thread *self = thread_current();
    struct dispatcher *signal = r->event_object ? r->event : &r->file->dispatcher;

    r->begun = true;
    r->ov->InternalHigh = 0;
    store_internal(r->ov, STATUS_PENDING);
    dispatcher_note(signal, 0);
    if (!atomic_load_explicit(&r->file->port, memory_order_relaxed))
        self->issued_portless = true;
    thread_count(self, LEDGER_STARTED, 1);
}

/* ---- ending ---- */

/* What a request holds beside its own memory; given up when it is done. */
struct holdings {
    struct file *file; /* NULL: it was never accepted, the starting call holds the file */
    struct file *lane_file;
    struct object *event_object;
};

/* Releases what only the operation needed; the references come back, to be put last. */
static struct holdings let_go(struct request *r)
{
    struct holdings h = {.file = r->file_counted ? r->file : NULL, .event_object = r->event_object};
    struct file *lane_file = atomic_load_explicit(&r->lane_file, memory_order_relaxed);

    if (r->ops && r->ops->release)
        r->ops->release(r);
    if (r->iov != r->iov_inline)
        free(r->iov);
    if (lane_file != r->file)
        h.lane_file = lane_file;
    r->file = NULL;
    r->event_object = NULL;
    return h;
}

static void put_holdings(const struct holdings *h)
{
    if (h->event_object)
        object_put(h->event_object);
    if (h->lane_file)
        file_put(h->lane_file);
    if (h->file)
        file_put(h->file);
}

static void unpend(struct request *r)
{
    if (!r->pended)
        return;
    lock_acquire(&r->file->lock);
    list_remove(&r->pending);
    r->state = REQUEST_DONE;
    lock_release(&r->file->lock);
    r->pended = false;
}

uint32_t request_refuse(struct request *r, uint32_t status)
{
    struct holdings h;

    unpend(r);
    if (r->begun) {
        thread_count(thread_current(), LEDGER_REFUSED, 1);
        store_internal(r->ov, status);
    }
    if (r->routine)
        object_put(&r->thread->object);
    h = let_go(r);
    request_put(r);
    put_holdings(&h);
    return status;
}

/* Where the answer goes. */
struct answer {
    struct port *port;        /* a packet is to be queued here, or NULL; pinned by the file, or counted */
    struct dispatcher *event; /* to be set, or NULL */
    bool counted;
};

static struct answer where_to(struct request *r, uint32_t status, bool in_call)
{
    struct file *f = r->file;
    struct answer a = {NULL, r->event_object ? r->event : NULL, false};
    struct file_target t = file_target(f);

    if (!a.event && !(t.modes & FILE_MODE_SKIP_EVENT))
        a.event = &f->dispatcher;
    if (t.port && !r->routine && !r->no_packet &&
        !(in_call && status_is_success(status) && (t.modes & FILE_MODE_SKIP_PORT))) {
        a.port = t.port;
        a.counted = t.counted;
        r->key = t.key;
    } else if (t.counted) {
        object_put(&t.port->object);
    }
    return a;
}

void request_complete(struct request *r, uint32_t status, bool in_call)
{
    struct thread *self = thread_current();
    OVERLAPPED *ov = r->ov;
    struct holdings h;
    struct answer to;

    lock_assert_none();
    assert(status != STATUS_PENDING);
    unpend(r);
    r->status = status;
    if (r->ops && r->ops->finish)
        r->ops->finish(r, status);
    to = where_to(r, status, in_call);
    h = let_go(r);
    thread_count(self, LEDGER_COMPLETED, 1);

    /* Where Internal is stored the OVERLAPPED, the buffers and the event handle become the program's. */
    ov->InternalHigh = r->bytes;
    if (to.port && h.event_object) {
        port_put(to.port, r, r->event);
    } else {
        if (to.event)
            dispatcher_answer(to.event, &ov->Internal, status);
        else
            store_internal(ov, status);
        if (to.port) {
            port_put(to.port, r, NULL);
        } else if (r->routine) {
            thread_count(self, LEDGER_QUEUED, 1);
            if (!apc_queue(r->thread, &r->apc))
                drop_apc(&r->apc);
        } else {
            request_put(r);
        }
    }
    put_holdings(&h);
    if (__builtin_expect(to.counted, 0))
        object_put(&to.port->object);
}

uint32_t request_finish_inline(struct request *r, uint32_t status)
{
    if (status_is_error(status))
        return request_refuse(r, status);
    request_complete(r, status, true);
    return status;
}

/* ---- pending ---- */

static bool pend_as(struct request *r, enum request_state state)
{
    struct file *f = r->file;
    bool open;

    lock_acquire(&f->lock);
    open = !f->closing;
    if (open) {
        request_hold_file(r);
        list_push_back(&f->pending, &r->pending);
        r->pended = true;
        r->state = (uint8_t)state;
    }
    lock_release(&f->lock);
    return open;
}

bool request_pend(struct request *r)
{
    return pend_as(r, REQUEST_NEW);
}

bool request_park(struct request *r)
{
    return pend_as(r, REQUEST_STARTED);
}

static void engine_done(struct op *op, int64_t result)
{
    struct request *r = container_of(op, struct request, op);

    r->bytes = result > 0 ? (uint32_t)result : 0;
    if (result == -ECANCELED)
        request_complete(r, STATUS_CANCELLED, false);
    else
        request_complete(r, result < 0 ? status_from_errno((int)-result) : STATUS_SUCCESS, false);
}

/* Hands r->op to the engine; what was cancelled meanwhile is told to it afterwards. */
static int start_op(struct request *r)
{
    struct file *f = r->file;
    bool cancelled;
    int err;

    lock_acquire(&f->lock);
    r->state = REQUEST_STARTED;
    r->starting = true;
    lock_release(&f->lock);
    request_get(r); /* the answer may come, and the packet go, before engine_start returns */
    file_get(f);
    err = engine_start(&r->op);
    lock_acquire(&f->lock);
    r->starting = false;
    cancelled = atomic_load(&r->cancelled) && r->state == REQUEST_STARTED;
    lock_release(&f->lock);
    if (!err && cancelled)
        engine_cancel(&r->op, r->op.generation);
    file_put(f);
    request_put(r);
    return err;
}

uint32_t request_start_engine(struct request *r)
{
    int err;

    if (!request_pend(r))
        return request_refuse(r, STATUS_INVALID_HANDLE);
    if (!r->op.done)
        r->op.done = engine_done;
    err = start_op(r);
    return err ? request_refuse(r, status_from_errno(err)) : (uint32_t)STATUS_PENDING;
}

int request_continue_engine(struct request *r)
{
    return start_op(r);
}

/* ---- counting ---- */

void ledger_read(struct ledger *out)
{
    uint64_t sums[LEDGER_COUNTS];

    thread_counts(sums);
    out->started = sums[LEDGER_STARTED];
    out->completed = sums[LEDGER_COMPLETED];
    out->refused = sums[LEDGER_REFUSED];
    out->posted = sums[LEDGER_POSTED];
    out->queued = sums[LEDGER_QUEUED];
    out->delivered = sums[LEDGER_DELIVERED];
    out->dropped = sums[LEDGER_DROPPED];
}
