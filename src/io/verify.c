/* SPDX-License-Identifier: MIT */
/*
 * The verifier; see verify.h. Three ways to notice: an OVERLAPPED is begun that stands in the table;
 * the home thread looks every few milliseconds, and the end of an operation once more, whether each
 * OVERLAPPED still holds what the library wrote there (memory that was freed, cleared or left by its
 * function soon does not); and an allocator may say what is freed (verify_freed). With a program
 * that is built with AddressSanitizer the sanitizer's own knowledge of freed memory is asked as well.
 */
#include "io/verify.h"

#include "base/clock.h"
#include "base/fork.h"
#include "base/list.h"
#include "engine/home.h"
#include "io/file.h"
#include "io/request.h"
#include "wait/thread.h"

#include <errno.h>
#include <execinfo.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { BUCKETS = 1024, STACK_DEPTH = 24, LOOK_MS = 10, LINE = 64, FILTER = 1 << 16 };

uint8_t verify_mode;

struct range {
    const char *base;
    size_t size;
};

/* One operation in flight. Guarded by table.mutex; constant but for `told` and `link`. */
struct record {
    struct list link;
    const struct request *request;
    const char *ov;
    unsigned char image[sizeof(OVERLAPPED)]; /* what must be there */
    uint32_t image_size;
    int fd;
    uint64_t began_ns;
    uint32_t tid;
    bool told; /* once is enough */
    int depth;
    void *stack[STACK_DEPTH];
    uint32_t ranges;
    struct range range[]; /* the OVERLAPPED, then the buffers */
};

/* The mutex is the innermost of all and not one of the library's ranks: verify_freed comes from free(), which
 * may be called with any of them held. */
static struct {
    pthread_mutex_t mutex;
    struct list buckets[BUCKETS];
    uint32_t count;
    bool looking;  /* `look` is armed */
    struct timer look;
    _Atomic uint64_t faults;
    /* So many ranges of the table touch a line of memory with this hash: most frees are told apart by it. */
    _Atomic uint32_t filter[FILTER];
} table = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static const char ov_freed[] = "an OVERLAPPED in flight is freed";
static const char buffer_freed[] = "a buffer in flight is freed";

static _Thread_local bool inside; /* what is freed now is the verifier's own */

/* Of a program with AddressSanitizer: the first byte of the range that must not be touched, or NULL. */
__attribute__((weak)) void *__asan_region_is_poisoned(void *begin, size_t size);

/* ---- the table ---- */

static struct list *bucket_of(const void *ov)
{
    return &table.buckets[((uintptr_t)ov >> 4) % BUCKETS];
}

static struct record *find(const struct request *r, const void *ov)
{
    list_for_each(l, bucket_of(ov)) {
        struct record *rec = container_of(l, struct record, link);

        if (r ? rec->request == r : rec->ov == (const char *)ov)
            return rec;
    }
    return NULL;
}

static void filter_add(const struct record *rec, uint32_t n)
{
    for (uint32_t i = 0; i < rec->ranges; i++) {
        uintptr_t first = (uintptr_t)rec->range[i].base / LINE;
        uintptr_t last = ((uintptr_t)rec->range[i].base + rec->range[i].size - 1) / LINE;

        for (uintptr_t line = first; line <= last; line++)
            atomic_fetch_add_explicit(&table.filter[line % FILTER], n, memory_order_relaxed);
    }
}

static bool filter_hits(const char *memory, size_t size)
{
    uintptr_t first = (uintptr_t)memory / LINE;
    uintptr_t last = ((uintptr_t)memory + size - 1) / LINE;

    if (last - first > FILTER)
        return true;
    for (uintptr_t line = first; line <= last; line++)
        if (atomic_load_explicit(&table.filter[line % FILTER], memory_order_relaxed))
            return true;
    return false;
}

/* A copy that may be printed when the mutex is released. NULL: no memory. */
static struct record *copy_of(const struct record *rec)
{
    size_t size = sizeof *rec + rec->ranges * sizeof rec->range[0];
    struct record *copy = malloc(size);

    return copy ? memcpy(copy, rec, size) : NULL;
}

static struct record *record_new(const struct request *r)
{
    const struct iovec *iov = r->wide ? r->iov : &r->buffer;
    struct record *rec = malloc(sizeof *rec + (r->iov_count + 1) * sizeof rec->range[0]);

    if (!rec)
        return NULL;
    list_init(&rec->link);
    rec->request = r;
    rec->ov = (const char *)r->ov;
    /* A native call's IO_STATUS_BLOCK is its first two words; of ReadFileEx hEvent is the program's. */
    rec->image_size = r->native ? offsetof(OVERLAPPED, Offset)
                                : r->routine ? offsetof(OVERLAPPED, hEvent) : sizeof(OVERLAPPED);
    memcpy(rec->image, r->ov, rec->image_size);
    rec->fd = r->file->fd;
    rec->began_ns = clock_now_ns();
    rec->tid = atomic_load(&thread_current()->tid);
    rec->told = false;
    rec->depth = backtrace(rec->stack, STACK_DEPTH);
    rec->range[0] = (struct range){rec->ov, rec->image_size};
    rec->ranges = 1;
    for (uint32_t i = 0; i < r->iov_count; i++)
        if (iov[i].iov_base && iov[i].iov_len)
            rec->range[rec->ranges++] = (struct range){iov[i].iov_base, iov[i].iov_len};
    return rec;
}

/* ---- what is said ---- */

static void say_record(const struct record *rec, const char *name)
{
    uint64_t age = (clock_now_ns() - rec->began_ns) / NS_PER_MS;

    dprintf(2, "  in flight: %s on handle %d, OVERLAPPED %p, begun %llu ms ago by thread %u at\n", name,
            rec->fd, (const void *)rec->ov, (unsigned long long)age, rec->tid);
    backtrace_symbols_fd(rec->stack, rec->depth, 2);
}

static void say_here(const char *what)
{
    void *stack[STACK_DEPTH];

    dprintf(2, "  %s by thread %u at\n", what, (unsigned)gettid());
    backtrace_symbols_fd(stack, backtrace(stack, STACK_DEPTH), 2);
}

static void fault_end(void)
{
    atomic_fetch_add(&table.faults, 1);
    if (verify_mode == VERIFY_ABORT)
        abort();
}

/* Takes `old` over; NULL: there was no memory for it. */
static void complain(const char *fault, struct record *old, const char *name, const char *here)
{
    dprintf(2, "iocp verifier: %s\n", fault);
    if (old)
        say_record(old, name);
    free(old);
    if (here)
        say_here(here);
    fault_end();
}

/* ---- looking ---- */

/* What is there now; false: nothing that can be read. */
static bool peek(const void *memory, void *out, size_t size)
{
    struct iovec local = {out, size}, remote = {(void *)(uintptr_t)memory, size};

    if (process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == (ssize_t)size)
        return true;
    if (errno == EFAULT)
        return false;
    memcpy(out, memory, size); /* refused: a filter of system calls */
    return true;
}

/* The fault of a record, in words, or NULL. */
static const char *fault_of(const struct record *rec, char *text, size_t room)
{
    static const struct {
        const char *name;
        size_t offset, size;
    } fields[] = {{"Internal", 0, 8}, {"InternalHigh", 8, 8}, {"Offset", 16, 8}, {"hEvent", 24, 8}};
    unsigned char now[sizeof(OVERLAPPED)];
    size_t used;

    if (__asan_region_is_poisoned) {
        for (uint32_t i = 0; i < rec->ranges; i++)
            if (__asan_region_is_poisoned((void *)(uintptr_t)rec->range[i].base, rec->range[i].size))
                return i ? buffer_freed : ov_freed;
    }
    if (!peek(rec->ov, now, rec->image_size))
        return "the memory of an OVERLAPPED in flight is gone";
    if (memcmp(now, rec->image, rec->image_size) == 0)
        return NULL;
    used = (size_t)snprintf(text, room, "an OVERLAPPED in flight was written to (freed, cleared, or its "
                                        "function has returned):");
    for (unsigned i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        uint64_t was = 0, is = 0;

        if (fields[i].offset >= rec->image_size)
            break;
        memcpy(&was, rec->image + fields[i].offset, fields[i].size);
        memcpy(&is, now + fields[i].offset, fields[i].size);
        if (was != is && used < room)
            used += (size_t)snprintf(text + used, room - used, " %s is 0x%llx, was 0x%llx;", fields[i].name,
                                     (unsigned long long)is, (unsigned long long)was);
    }
    return text;
}

/* The next record with a fault that nobody was told of, as a copy; NULL when there is none. Mutex held. */
static struct record *next_fault(char *text, size_t room, const char **fault, const char **name)
{
    for (unsigned b = 0; b < BUCKETS; b++) {
        list_for_each(l, &table.buckets[b]) {
            struct record *rec = container_of(l, struct record, link);

            *fault = rec->told ? NULL : fault_of(rec, text, room);
            if (!*fault)
                continue;
            rec->told = true;
            *name = request_name(rec->request);
            return copy_of(rec);
        }
    }
    return NULL;
}

static void look(struct timer *t)
{
    char text[512];
    const char *fault, *name;
    struct record *rec;
    bool again;

    inside = true;
    do {
        pthread_mutex_lock(&table.mutex);
        rec = next_fault(text, sizeof text, &fault, &name);
        again = table.count > 0;
        if (!rec)
            table.looking = again;
        pthread_mutex_unlock(&table.mutex);
        if (rec)
            complain(fault, rec, name, NULL);
    } while (rec);
    inside = false;
    if (again)
        timer_set(t, clock_now_ns() + LOOK_MS * NS_PER_MS);
}

/* ---- begin, end, free ---- */

/* Puts rec into the table. The operation that has its OVERLAPPED already, as a copy. */
static struct record *enter(struct record *rec, const char **name, bool *start_looking)
{
    struct record *other, *copy = NULL;

    pthread_mutex_lock(&table.mutex);
    other = find(NULL, rec->ov);
    if (other) {
        other->told = rec->told = true; /* the answer of one spoils the other's */
        *name = request_name(other->request);
        copy = copy_of(other);
    }
    list_push_back(bucket_of(rec->ov), &rec->link);
    table.count++;
    filter_add(rec, 1);
    *start_looking = !table.looking;
    table.looking = true;
    pthread_mutex_unlock(&table.mutex);
    return copy;
}

void verify_begin_checked(struct request *r)
{
    struct record *rec, *other = NULL;
    const char *name;
    bool start = false;

    inside = true;
    rec = record_new(r);
    if (rec)
        other = enter(rec, &name, &start);
    if (other)
        complain("an OVERLAPPED in flight is used again", other, name, "for another operation, begun");
    inside = false;
    if (start && home_start() == 0)
        timer_set(&table.look, clock_now_ns() + LOOK_MS * NS_PER_MS);
}

void verify_end_checked(struct request *r)
{
    char text[512];
    const char *fault = NULL;
    struct record *rec;

    inside = true;
    pthread_mutex_lock(&table.mutex);
    rec = find(r, r->ov);
    if (rec) {
        list_remove(&rec->link);
        table.count--;
        filter_add(rec, UINT32_MAX); /* one less */
    }
    pthread_mutex_unlock(&table.mutex);
    if (rec && !rec->told)
        fault = fault_of(rec, text, sizeof text);
    if (fault)
        complain(fault, rec, request_name(r), NULL);
    else
        free(rec);
    inside = false;
}

/* Which range of rec lies in the memory; -1: none. */
static int range_in(const struct record *rec, const char *memory, size_t size)
{
    for (uint32_t i = 0; i < rec->ranges; i++) {
        const struct range *g = &rec->range[i];

        if (g->base < memory + size && memory < g->base + g->size)
            return (int)i;
    }
    return -1;
}

/* A record in that memory that nobody was told of, and its range; NULL. Mutex held. */
static struct record *find_in(const char *memory, size_t size, int *range)
{
    for (unsigned b = 0; b < BUCKETS; b++) {
        list_for_each(l, &table.buckets[b]) {
            struct record *rec = container_of(l, struct record, link);

            *range = rec->told ? -1 : range_in(rec, memory, size);
            if (*range >= 0)
                return rec;
        }
    }
    return NULL;
}

void verify_freed(const void *memory, size_t size)
{
    struct record *rec, *copy = NULL;
    const char *name = NULL;
    int range;

    if (verify_mode == VERIFY_OFF || inside || !memory || !size || !filter_hits(memory, size))
        return;
    inside = true;
    pthread_mutex_lock(&table.mutex);
    rec = find_in(memory, size, &range);
    if (rec) {
        rec->told = true;
        name = request_name(rec->request);
        copy = copy_of(rec);
    }
    pthread_mutex_unlock(&table.mutex);
    if (rec)
        complain(range ? buffer_freed : ov_freed, copy, name, "freed");
    inside = false;
}

bool verify_since(const struct request *r, uint64_t *began_ns, uint32_t *tid)
{
    struct record *rec;

    if (verify_mode == VERIFY_OFF)
        return false;
    inside = true; /* a free() cannot come in between: it would wait for the mutex for ever */
    pthread_mutex_lock(&table.mutex);
    rec = find(r, r->ov);
    if (rec) {
        *began_ns = rec->began_ns;
        *tid = rec->tid;
    }
    pthread_mutex_unlock(&table.mutex);
    inside = false;
    return rec != NULL;
}

uint64_t verify_faults(void)
{
    return atomic_load(&table.faults);
}

static void start_afresh(void)
{
    pthread_mutex_init(&table.mutex, NULL);
    for (unsigned b = 0; b < BUCKETS; b++)
        list_init(&table.buckets[b]);
    for (unsigned i = 0; i < FILTER; i++)
        atomic_store_explicit(&table.filter[i], 0, memory_order_relaxed);
    table.count = 0;
    table.looking = false;
    timer_init(&table.look, look);
}

/* What was in flight is the parent's. */
static void forget(void)
{
    if (verify_mode != VERIFY_OFF)
        start_afresh();
}

FORK_HOOK(NULL, LOCK_GLOBAL, forget);

static __attribute__((constructor)) void choose_mode(void)
{
    const char *wish = getenv("IOCP_VERIFY");
    void *once[1];

    if (!wish || !*wish || strcmp(wish, "0") == 0)
        return;
    start_afresh();
    backtrace(once, 1); /* loads what it needs now, not in the middle of an operation */
    verify_mode = strcmp(wish, "report") == 0 ? VERIFY_REPORT : VERIFY_ABORT;
}
