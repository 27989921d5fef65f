/* SPDX-License-Identifier: MIT */
/*
 * A request's life outside its lane: memory, start, and the one door out. Memory comes from two
 * small caches of the calling thread, one for each size, since most packets are freed by the thread
 * that starts the next operation.
 */
#include "io/request.h"

#include "base/align.h"
#include "base/lock.h"
#include "base/sanitizer.h"
#include "base/slab.h"
#include "base/status.h"
#include "io/file.h"
#include "io/port.h"
#include "io/verify.h"
#include "ntstatus.h"
#include "object/handle.h"
#include "wait/dispatcher.h"
#include "wait/objects.h"
#include "wait/thread.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_REQUESTS (!ADDRESS_SANITIZER) /* which is to see every use after free */

/* ---- memory ---- */

enum { LEAN_SIZE = offsetof(struct request, iov), CACHE_REFILL = 16 };
_Static_assert(LEAN_SIZE == 2 * CACHE_LINE, "see the layout in request.h");
_Static_assert(offsetof(struct request, entry.link) == offsetof(struct request, apc.link), "one link of two");

#if CACHE_REQUESTS

SLAB(lean_requests, LEAN_SIZE, 0);
SLAB(wide_requests, sizeof(struct request), 0);

static struct slab *const slabs[2] = {&lean_requests, &wide_requests};

static __attribute__((noinline)) bool refill(struct request_cache *cache, struct slab *slab)
{
    cache->count = slab_take_chain(slab, &cache->first, CACHE_REFILL);
    return cache->count > 0;
}

static inline struct request *allocate(bool wide)
{
    struct request_cache *cache = &thread_current()->requests[wide];
    void *r;

    if (__builtin_expect(!cache->first, 0) && !refill(cache, slabs[wide]))
        return NULL;
    r = cache->first;
    cache->first = *slab_next(slabs[wide], r);
    cache->count--;
    return r;
}

/* Half of a full cache goes back: a thread that only ends operations gives to those that only start some. */
static __attribute__((noinline)) void give_half(struct request_cache *cache, struct slab *slab)
{
    void *last = cache->first;
    void *rest;

    for (unsigned i = 1; i < REQUEST_CACHE_MAX / 2; i++)
        last = *slab_next(slab, last);
    rest = *slab_next(slab, last);
    *slab_next(slab, last) = NULL;
    slab_give_chain(slab, cache->first);
    cache->first = rest;
    cache->count -= REQUEST_CACHE_MAX / 2;
}

static void recycle(struct request *r)
{
    struct thread *self = thread_current_or_null();
    bool wide = r->wide;
    struct request_cache *cache;

    if (__builtin_expect(!self, 0)) {
        slab_give(slabs[wide], r);
        return;
    }
    cache = &self->requests[wide];
    if (__builtin_expect(cache->count >= REQUEST_CACHE_MAX, 0))
        give_half(cache, slabs[wide]);
    *slab_next(slabs[wide], r) = cache->first;
    cache->first = r;
    cache->count++;
}

/* The thread ends. */
static void give_caches_back(struct thread *t)
{
    for (int i = 0; i < 2; i++) {
        if (t->requests[i].first)
            slab_give_chain(slabs[i], t->requests[i].first);
        t->requests[i].first = NULL;
        t->requests[i].count = 0;
    }
}

static __attribute__((constructor)) void set_last_hook(void)
{
    thread_last_hook = give_caches_back;
}

#else

/* Not inlined: a lean request is the first part of the structure, and the compiler, which would see the size,
 * warns of every access to the part as one beyond the end. */
static __attribute__((noinline)) struct request *allocate(bool wide)
{
    return line_alloc(wide ? sizeof(struct request) : LEAN_SIZE);
}

static void recycle(struct request *r)
{
    free(r);
}

#endif

struct request *request_new_packet(void)
{
    struct request *r = allocate(false);

    if (!r)
        return NULL;
    list_init(&r->entry.link);
    r->entry.ready = QUEUE_PACKET;
    r->entry.task = r->entry.noticed = false;
    r->wide = false;
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

static __attribute__((noinline)) uint32_t pin_event(struct request *r, uintptr_t h)
{
    uint32_t status;

    r->no_packet = h & 1;
    h &= ~(uintptr_t)1;
    if (h == 0)
        return STATUS_SUCCESS;
    status = handle_get(h, OBJECT_EVENT, &r->event, NULL);
    r->has_event = status == STATUS_SUCCESS;
    return status;
}

static inline struct object *event_object(const struct request *r)
{
    return __builtin_expect(r->routine != NULL, 0) ? r->also_event : r->event;
}

static inline struct dispatcher *event_of(const struct request *r)
{
    struct object *event = event_object(r);

    return event->type->dispatcher(event);
}

static inline uint32_t begin_new(struct request *r, struct file *file, OVERLAPPED *ov, bool use_event)
{
    uint32_t status;

    memset(r, 0, LEAN_SIZE);
    atomic_init(&r->refs, 1);
    r->ov = ov;
    r->file = file;
    r->issuer = thread_current()->serial;
    list_init(&r->entry.link);
    if (__builtin_expect(atomic_load_explicit(&file->modes, memory_order_acquire) & FILE_MODE_KEYED, 0))
        r->key = file_key_now(file);
    if (!use_event || !ov->hEvent)
        return STATUS_SUCCESS;
    status = pin_event(r, (uintptr_t)ov->hEvent);
    return status;
}

uint32_t request_new_lean(struct file *file, OVERLAPPED *ov, bool use_event, struct request **out)
{
    struct request *r = allocate(false);
    uint32_t status;

    if (!r)
        return STATUS_INSUFFICIENT_RESOURCES;
    status = begin_new(r, file, ov, use_event);
    if (status != STATUS_SUCCESS) {
        recycle(r);
        return status;
    }
    *out = r;
    return STATUS_SUCCESS;
}

uint32_t request_new_given(struct file *file, OVERLAPPED *ov, bool use_event, struct request **out)
{
    struct request *r = allocate(true);
    uint32_t status;

    if (!r)
        return STATUS_INSUFFICIENT_RESOURCES;
    status = begin_new(r, file, ov, use_event);
    r->wide = true;
    if (status != STATUS_SUCCESS) {
        recycle(r);
        return status;
    }
    memset(&r->iov, 0, sizeof *r - LEAN_SIZE);
    r->iov = &r->buffer;
    list_init(&r->pending);
    *out = r;
    return STATUS_SUCCESS;
}

uint32_t request_new(struct file *file, OVERLAPPED *ov, bool use_event, struct request **out)
{
    uint32_t status = request_new_given(file, ov, use_event, out);

    if (status == STATUS_SUCCESS)
        file_get(file);
    return status;
}

uint32_t request_set_bufs(struct request *r, const struct io_buf *bufs, uint32_t count)
{
    struct iovec *iov = &r->buffer;
    uint64_t size = 0;

    assert(r->wide || count <= 1);
    if (count > 1) {
        iov = count > REQUEST_IOV_INLINE ? malloc(count * sizeof *iov) : r->iov_inline;
        if (!iov)
            return STATUS_INSUFFICIENT_RESOURCES;
        r->iov = iov;
    }
    for (uint32_t i = 0; i < count; i++) {
        iov[i].iov_base = bufs[i].base;
        iov[i].iov_len = bufs[i].len;
        size += bufs[i].len;
    }
    r->iov_count = count;
    r->size = (uint32_t)size;
    return size > UINT32_MAX ? (uint32_t)STATUS_INSUFFICIENT_RESOURCES : (uint32_t)STATUS_SUCCESS;
}

void request_set_buf(struct request *r, void *data, uint32_t size)
{
    r->buffer = (struct iovec){data, size};
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
    uint32_t error = r->winsock ? status_to_wsa(r->status) : status_to_win32(r->status);

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
    r->winsock = winsock;
    r->apc.run = run_routine;
    r->apc.drop = drop_apc;
}

static void run_native_routine(struct apc *apc)
{
    struct request *r = container_of(apc, struct request, apc);
    request_native_routine routine = (request_native_routine)(void (*)(void))r->routine;
    struct thread *self = r->thread;
    void *context = r->context;
    OVERLAPPED *block = r->ov;

    thread_count(self, LEDGER_DELIVERED, 1);
    request_put(r);
    object_put(&self->object);
    routine(context, block, 0);
}

void request_set_native(struct request *r, const struct request_native *to)
{
    r->has_event = to->event != NULL;
    r->context = to->context;
    if (to->routine) {
        request_set_routine(r, (request_routine)(void (*)(void))to->routine, false);
        r->apc.run = run_native_routine;
        r->also_event = to->event;
    } else {
        r->native = true;
        r->no_packet = !to->context;
        r->event = to->event;
    }
}

static void store_internal(OVERLAPPED *ov, uint32_t status)
{
    /* release: whoever reads the final status finds buffers and count in place */
    __atomic_store_n(&ov->Internal, (ULONG_PTR)status, __ATOMIC_RELEASE);
}

void request_begin(struct request *r)
{
    struct thread *self = thread_current();
    struct dispatcher *signal = r->has_event ? event_of(r) : &r->file->dispatcher;

    r->begun = true;
    r->ov->InternalHigh = 0;
    store_internal(r->ov, STATUS_PENDING);
    dispatcher_note(signal, 0);
    if (!atomic_load_explicit(&r->file->port, memory_order_relaxed))
        self->issued_portless = true;
    thread_count(self, LEDGER_STARTED, 1);
    verify_begin(r);
}

void request_begin_apart(struct request *r)
{
    r->begun = true;
    store_internal(r->ov, STATUS_PENDING);
    thread_count(thread_current(), LEDGER_STARTED, 1);
    verify_begin(r);
}

/* ---- ending ---- */

/* What a request holds beside its file and its own memory; put when all is done. */
struct holdings {
    struct file *lane_file;
    struct object *event;
};

/* Releases what only the operation needed; the references come back, to be put last. */
static inline struct holdings let_go(struct request *r)
{
    struct holdings h = {.event = r->has_event ? event_object(r) : NULL};

    if (r->ops && r->ops->release)
        r->ops->release(r);
    if (r->wide) {
        struct file *lane_file = atomic_load_explicit(&r->lane_file, memory_order_relaxed);

        if (r->iov != &r->buffer && r->iov != r->iov_inline)
            free(r->iov);
        if (lane_file != r->file)
            h.lane_file = lane_file;
    }
    r->file = NULL;
    return h;
}

static inline void put_holdings(const struct holdings *h)
{
    if (h->event)
        object_put(h->event);
    if (h->lane_file)
        file_put(h->lane_file);
}

static __attribute__((noinline)) void unpend(struct request *r)
{
    lock_acquire(&r->file->lock);
    list_remove(&r->pending);
    atomic_store_explicit(&r->state, REQUEST_DONE, memory_order_relaxed);
    lock_release(&r->file->lock);
    r->pended = false;
}

uint32_t request_refuse(struct request *r, uint32_t status)
{
    struct file *f = r->file;
    struct holdings h;

    if (r->pended)
        unpend(r);
    thread_current()->call_bytes = r->bytes;
    if (r->begun) {
        verify_end(r);
        thread_count(thread_current(), LEDGER_REFUSED, 1);
        store_internal(r->ov, status);
    }
    if (r->routine)
        object_put(&r->thread->object);
    h = let_go(r);
    request_put(r);
    put_holdings(&h);
    file_put(f);
    return status;
}

/* Where the packet goes: `target` without a port if there is to be none. */
static inline void aim(const struct request *r, struct file_target *target, uint32_t status, bool in_call)
{
    if (!target->port)
        return;
    if (__builtin_expect(!r->routine && !r->no_packet, 1) &&
        !(in_call && (target->modes & FILE_MODE_SKIP_PORT) && status_is_success(status)))
        return;
    if (target->counted)
        object_put(&target->port->object);
    target->port = NULL;
    target->counted = false;
}

/* Where Internal is stored the OVERLAPPED, the buffers and the event handle become the program's. */
static inline void store_answer(struct dispatcher *signal, OVERLAPPED *ov, uint32_t status)
{
    if (signal && !dispatcher_is_lazy(signal)) {
        dispatcher_answer(signal, &ov->Internal, status);
        return;
    }
    store_internal(ov, status);
    if (signal)
        dispatcher_note(signal, 1);
}

static __attribute__((noinline)) void answer_apart(struct request *r)
{
    void (*answer)(struct request *r) = r->ops->answer;
    struct holdings h = let_go(r);

    thread_count(thread_current(), LEDGER_COMPLETED, 1);
    answer(r);
    put_holdings(&h);
}

/* It was started with a key that the file had then, and the port is that one's: where the port has been
 * replaced, the keys of before are lower than the first of now. */
static inline bool has_key(const struct request *r, const struct file_target *to)
{
    return __builtin_expect(to->modes & FILE_MODE_KEYED, 0) && r->key != 0 &&
           (!(to->modes & FILE_MODE_REBOUND) || r->key >= to->key);
}

void request_answer(struct request *r, uint32_t status, bool in_call)
{
    struct dispatcher *signal = &r->file->dispatcher;
    OVERLAPPED *ov = r->ov;
    struct file_target to;
    struct holdings h;

    lock_assert_none();
    assert(status != STATUS_PENDING);
    if (r->pended)
        unpend(r);
    verify_end(r);
    r->status = status;
    if (r->ops && r->ops->finish)
        r->ops->finish(r, status);
    if (r->ops && __builtin_expect(r->ops->answer != NULL, 0)) {
        answer_apart(r);
        return;
    }
    to = file_target(r->file);
    aim(r, &to, status, in_call);
    if (to.port && !has_key(r, &to)) /* the key of one with a routine is part of its apc */
        r->key = to.key;
    if (r->has_event)
        signal = event_of(r);
    else if (to.modes & FILE_MODE_SKIP_EVENT)
        signal = NULL;
    h = let_go(r);
    thread_count(thread_current(), LEDGER_COMPLETED, 1);
    ov->InternalHigh = r->bytes;
    if (in_call)
        thread_current()->call_bytes = r->bytes;
    if (__builtin_expect(r->native, 0))
        r->ov = r->context;
    if (to.port && h.event) {
        port_put(to.port, r, signal, &ov->Internal);
    } else {
        store_answer(signal, ov, status);
        if (to.port) {
            port_put(to.port, r, NULL, NULL);
        } else if (r->routine) {
            thread_count(thread_current(), LEDGER_QUEUED, 1);
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

void request_complete(struct request *r, uint32_t status, bool in_call)
{
    struct file *f = r->file;

    request_answer(r, status, in_call);
    file_put(f);
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

    assert(r->wide);
    lock_acquire(&f->lock);
    open = !f->closing;
    if (open) {
        list_push_back(&f->pending, &r->pending);
        r->pended = true;
        atomic_store_explicit(&r->state, (uint8_t)state, memory_order_relaxed);
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

/* ---- counting, naming ---- */

const char *request_name(const struct request *r)
{
    /* A starter may be about to set it. */
    const struct request_ops *ops = __atomic_load_n(&r->ops, __ATOMIC_RELAXED);

    if (ops)
        return ops->name;
    if (r->wide && r->file && r->file->kind == FILE_KIND_DISK)
        return r->u.disk.write ? "write" : "read";
    return "operation";
}

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
