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
#include "object/handle.h"
#include "wait/thread.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static pid_t owner; /* the process that the table speaks of; a child by vfork has it before its eyes too */

enum { BUCKETS = 4096, STACK_DEPTH = 24, LOOK_MS = 10, LOOKS_AT_ONCE = 256, PER_LOOK = 2000 };
/* Memory is found by its pages, large pieces by pages of another size. */
enum { PAGE_SHIFT = 12, HUGE_SHIFT = 21, PAGES = 1 << 16, HUGES = 1 << 10, LARGE = 1 << 18 };

_Atomic uint8_t verify_mode;

static const char ov_freed[] = "an OVERLAPPED in flight is freed";
static const char buffer_freed[] = "a buffer in flight is freed";

/* A piece of an operation's memory in one page. */
struct piece {
    struct piece *next, *before;
    struct record *rec;
    _Atomic(struct piece *) *head;
    const char *base; /* of all the range, which reaches over the page */
    size_t size;
};

/* One operation in flight. Guarded by table.mutex; constant but for `told` and what is linked. */
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
    uint32_t pieces;
    struct piece piece[]; /* the OVERLAPPED, then the buffers */
};

/* The mutex is the innermost of all and not one of the library's ranks: verify_freed comes from free(), which
 * may be called with any of them held. Nothing is allocated or freed under it. */
static struct {
    pthread_mutex_t mutex;
    struct list buckets[BUCKETS];
    uint32_t count;
    bool looking;  /* `look` is armed */
    bool exit_known;
    struct timer look;
    _Atomic uint64_t faults;
    /* Heads of lists; read without the mutex to see that a list is empty. */
    _Atomic(struct piece *) pages[PAGES], huges[HUGES];
} table = {.mutex = PTHREAD_MUTEX_INITIALIZER};

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

/* Where a page of that size begins its list. */
static _Atomic(struct piece *) *head_of(uintptr_t page, int shift)
{
    return shift == PAGE_SHIFT ? &table.pages[page % PAGES] : &table.huges[page % HUGES];
}

static int shift_of(size_t size)
{
    return size < LARGE ? PAGE_SHIFT : HUGE_SHIFT;
}

static size_t pages_of(const char *base, size_t size, int shift)
{
    return (((uintptr_t)base + size - 1) >> shift) - ((uintptr_t)base >> shift) + 1;
}

static void add_pieces(struct record *rec, const char *base, size_t size)
{
    int shift = shift_of(size);
    uintptr_t page = (uintptr_t)base >> shift;

    for (size_t n = pages_of(base, size, shift); n > 0; n--, page++)
        rec->piece[rec->pieces++] =
            (struct piece){.rec = rec, .head = head_of(page, shift), .base = base, .size = size};
}

static void link_pieces(struct record *rec)
{
    for (uint32_t i = 0; i < rec->pieces; i++) {
        struct piece *p = &rec->piece[i];

        p->next = atomic_load_explicit(p->head, memory_order_relaxed);
        p->before = NULL;
        if (p->next)
            p->next->before = p;
        atomic_store_explicit(p->head, p, memory_order_relaxed);
    }
}

static void unlink_pieces(struct record *rec)
{
    for (uint32_t i = 0; i < rec->pieces; i++) {
        struct piece *p = &rec->piece[i];

        if (p->next)
            p->next->before = p->before;
        if (p->before)
            p->before->next = p->next;
        else
            atomic_store_explicit(p->head, p->next, memory_order_relaxed);
    }
}

/* An operation with memory in [memory, memory + size) of which nobody was told. Mutex held, or, to see
 * whether there may be one at all, not: then what is there is not looked at. */
static bool search(const char *memory, size_t size, int shift, struct piece **found)
{
    uintptr_t page = (uintptr_t)memory >> shift;

    for (size_t n = pages_of(memory, size, shift); n > 0; n--, page++) {
        struct piece *p = atomic_load_explicit(head_of(page, shift), memory_order_relaxed);

        if (!found && p)
            return true;
        for (; p; p = p->next) {
            if (p->rec->told || p->base >= memory + size || memory >= p->base + p->size)
                continue;
            *found = p;
            return true;
        }
    }
    return false;
}

static struct record *record_new(const struct request *r)
{
    const struct iovec *iov = r->wide ? r->iov : &r->buffer;
    /* A native call's IO_STATUS_BLOCK is its first two words; of ReadFileEx hEvent is the program's. */
    uint32_t image_size = r->native ? offsetof(OVERLAPPED, Offset)
                                    : r->routine ? offsetof(OVERLAPPED, hEvent) : sizeof(OVERLAPPED);
    size_t pieces = pages_of((const char *)r->ov, image_size, PAGE_SHIFT);
    struct record *rec;

    for (uint32_t i = 0; i < r->iov_count; i++)
        if (iov[i].iov_base && iov[i].iov_len)
            pieces += pages_of(iov[i].iov_base, iov[i].iov_len, shift_of(iov[i].iov_len));
    rec = malloc(sizeof *rec + pieces * sizeof rec->piece[0]);
    if (!rec)
        return NULL;
    list_init(&rec->link);
    rec->request = r;
    rec->ov = (const char *)r->ov;
    rec->image_size = image_size;
    memcpy(rec->image, r->ov, image_size);
    rec->fd = r->file->fd;
    rec->began_ns = clock_now_ns();
    rec->tid = atomic_load(&thread_current()->tid);
    rec->told = false;
    rec->depth = backtrace(rec->stack, STACK_DEPTH);
    rec->pieces = 0;
    add_pieces(rec, rec->ov, image_size);
    for (uint32_t i = 0; i < r->iov_count; i++)
        if (iov[i].iov_base && iov[i].iov_len)
            add_pieces(rec, iov[i].iov_base, iov[i].iov_len);
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
    if (atomic_load(&verify_mode) == VERIFY_ABORT)
        abort();
}

/* `old` is a copy without pieces, or the record itself, that is in the table no more. */
static void complain(const char *fault, const struct record *old, const char *name, const char *here)
{
    dprintf(2, "iocp verifier: %s\n", fault);
    say_record(old, name);
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

/* What the sanitizer says of an operation's memory, or NULL. */
static const char *poisoned(const struct record *rec)
{
    const char *base = NULL;

    if (!__asan_region_is_poisoned)
        return NULL;
    for (uint32_t i = 0; i < rec->pieces; i++) {
        const struct piece *p = &rec->piece[i];

        if (p->base != base && __asan_region_is_poisoned((void *)(uintptr_t)p->base, p->size))
            return p->base == rec->ov ? ov_freed : buffer_freed;
        base = p->base;
    }
    return NULL;
}

/* The words that differ. */
static const char *difference(const struct record *rec, const unsigned char *now, char *text, size_t room)
{
    static const char *const fields[] = {"Internal", "InternalHigh", "Offset", "hEvent"};
    static const char begin[] =
        "an OVERLAPPED in flight was written to (freed, cleared, or its function has returned):";
    size_t used = (size_t)snprintf(text, room, "%s", begin);

    for (unsigned i = 0; i < rec->image_size / sizeof(uint64_t) && used < room; i++) {
        uint64_t was, is;

        memcpy(&was, rec->image + i * sizeof was, sizeof was);
        memcpy(&is, now + i * sizeof is, sizeof is);
        if (was != is)
            used += (size_t)snprintf(text + used, room - used, " %s is 0x%llx, was 0x%llx;", fields[i],
                                     (unsigned long long)is, (unsigned long long)was);
    }
    return text;
}

/* The fault of a record, in words, or NULL. */
static const char *fault_of(const struct record *rec, char *text, size_t room)
{
    unsigned char now[sizeof(OVERLAPPED)];
    const char *fault = poisoned(rec);

    if (fault)
        return fault;
    if (!peek(rec->ov, now, rec->image_size))
        return "the memory of an OVERLAPPED in flight is gone";
    return memcmp(now, rec->image, rec->image_size) == 0 ? NULL : difference(rec, now, text, room);
}

/* So many records looked at with one system call. */
struct batch {
    struct record *rec[LOOKS_AT_ONCE];
    unsigned char now[LOOKS_AT_ONCE][sizeof(OVERLAPPED)];
    struct iovec local[LOOKS_AT_ONCE], remote[LOOKS_AT_ONCE];
    unsigned n;
    size_t size;
};

/* The first of the batch that is not as it must be, or NULL; empties the batch. */
static struct record *batch_end(struct batch *b)
{
    bool all = process_vm_readv(getpid(), b->local, b->n, b->remote, b->n, 0) == (ssize_t)b->size;
    struct record *bad = NULL;
    char text[512];

    for (unsigned i = 0; i < b->n && !bad; i++) {
        struct record *rec = b->rec[i];

        if (!all || memcmp(b->now[i], rec->image, rec->image_size) != 0 || poisoned(rec))
            bad = fault_of(rec, text, sizeof text) ? rec : NULL;
    }
    b->n = 0;
    b->size = 0;
    return bad;
}

static void batch_add(struct batch *b, struct record *rec)
{
    b->rec[b->n] = rec;
    b->local[b->n] = (struct iovec){b->now[b->n], rec->image_size};
    b->remote[b->n] = (struct iovec){(void *)(uintptr_t)rec->ov, rec->image_size};
    b->size += rec->image_size;
    b->n++;
}

/* A record with a fault that nobody was told of, or NULL. Mutex held. */
static struct record *look_at_all(void)
{
    static struct batch batch; /* the home thread's */
    struct record *bad = NULL;

    batch.n = 0; /* in a forked child: a look of the parent may stand here half done */
    batch.size = 0;
    for (unsigned b = 0; b < BUCKETS && !bad; b++) {
        list_for_each(l, &table.buckets[b]) {
            struct record *rec = container_of(l, struct record, link);

            if (rec->told)
                continue;
            batch_add(&batch, rec);
            if (batch.n == LOOKS_AT_ONCE && (bad = batch_end(&batch)) != NULL)
                break;
        }
    }
    if (!bad && batch.n > 0)
        bad = batch_end(&batch);
    return bad;
}

static void look(struct timer *t)
{
    char text[512];
    const char *fault = NULL, *name = NULL;
    struct record *bad, copy;
    uint32_t count;

    inside = true;
    do {
        pthread_mutex_lock(&table.mutex);
        bad = look_at_all();
        if (bad) {
            fault = fault_of(bad, text, sizeof text);
            name = request_name(bad->request);
            bad->told = true;
            memcpy(&copy, bad, sizeof copy);
        }
        count = table.count;
        if (!bad)
            table.looking = count > 0;
        pthread_mutex_unlock(&table.mutex);
        if (bad && fault)
            complain(fault, &copy, name, NULL);
    } while (bad);
    inside = false;
    if (count > 0) /* thousands are looked at less often */
        timer_set(t, clock_now_ns() + (1 + count / PER_LOOK) * LOOK_MS * NS_PER_MS);
}

/* ---- begin, end, free ---- */

/* Exit handlers run: what is in flight is given up, and its memory may go. */
static void disarm(void)
{
    atomic_store(&verify_mode, VERIFY_OFF);
}

/* Puts rec into the table. true: another operation has its OVERLAPPED, and is copied. */
static bool enter(struct record *rec, struct record *copy, const char **name, bool *start_looking)
{
    struct record *other;
    bool first;

    pthread_mutex_lock(&table.mutex);
    other = find(NULL, rec->ov);
    if (other) {
        other->told = rec->told = true; /* the answer of one spoils the other's */
        *name = request_name(other->request);
        memcpy(copy, other, sizeof *copy);
    }
    list_push_back(bucket_of(rec->ov), &rec->link);
    table.count++;
    link_pieces(rec);
    *start_looking = !table.looking;
    table.looking = true;
    first = !table.exit_known;
    table.exit_known = true;
    pthread_mutex_unlock(&table.mutex);
    if (first)
        atexit(disarm);
    return other != NULL;
}

void verify_begin_checked(struct request *r)
{
    struct record *rec, other;
    const char *name;
    bool start = false;

    inside = true;
    rec = record_new(r);
    if (rec && enter(rec, &other, &name, &start))
        complain("an OVERLAPPED in flight is used again", &other, name, "for another operation, begun");
    inside = false;
    if (!start)
        return;
    if (home_start() == 0) {
        timer_set(&table.look, clock_now_ns() + LOOK_MS * NS_PER_MS);
        return;
    }
    pthread_mutex_lock(&table.mutex);
    table.looking = false; /* the next one tries again */
    pthread_mutex_unlock(&table.mutex);
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
        unlink_pieces(rec);
    }
    pthread_mutex_unlock(&table.mutex);
    if (rec && !rec->told)
        fault = fault_of(rec, text, sizeof text);
    if (fault)
        complain(fault, rec, request_name(r), NULL);
    free(rec);
    inside = false;
}

void verify_freed(const void *memory, size_t size)
{
    struct piece *found = NULL;
    struct record copy;
    const char *name = NULL;
    bool is_buffer = false;

    if (atomic_load_explicit(&verify_mode, memory_order_relaxed) == VERIFY_OFF || inside || !memory || !size)
        return;
    if (!search(memory, size, PAGE_SHIFT, NULL) && !search(memory, size, HUGE_SHIFT, NULL))
        return;
    inside = true;
    pthread_mutex_lock(&table.mutex);
    if (search(memory, size, PAGE_SHIFT, &found) || search(memory, size, HUGE_SHIFT, &found)) {
        found->rec->told = true;
        is_buffer = found->base != found->rec->ov;
        name = request_name(found->rec->request);
        memcpy(&copy, found->rec, sizeof copy);
    }
    pthread_mutex_unlock(&table.mutex);
    if (found)
        complain(is_buffer ? buffer_freed : ov_freed, &copy, name, "freed");
    inside = false;
}

/* The library takes a number out of the table before it closes it. */
void verify_closed(int fd)
{
    struct object *obj;

    if (atomic_load_explicit(&verify_mode, memory_order_relaxed) == VERIFY_OFF || inside || fd < 3 ||
        getpid() != owner)
        return;
    obj = handle_get_fd((uintptr_t)fd);
    if (!obj)
        return;
    inside = true;
    dprintf(2, "iocp verifier: handle %d is closed with close(2), which tells the library nothing\n", fd);
    say_here("closed");
    fault_end();
    object_put(obj);
    inside = false;
}

void verify_deregistered(uintptr_t id, uint32_t uses)
{
    inside = true;
    dprintf(2, "iocp verifier: registered buffer 0x%llx is deregistered; operations that still use it: %u\n",
            (unsigned long long)id, (unsigned)uses);
    say_here("deregistered");
    fault_end();
    inside = false;
}

bool verify_since(const struct request *r, uint64_t *began_ns, uint32_t *tid)
{
    struct record *rec;

    if (atomic_load(&verify_mode) == VERIFY_OFF)
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
    owner = getpid();
    pthread_mutex_init(&table.mutex, NULL);
    for (unsigned b = 0; b < BUCKETS; b++)
        list_init(&table.buckets[b]);
    for (unsigned i = 0; i < PAGES; i++)
        atomic_store_explicit(&table.pages[i], NULL, memory_order_relaxed);
    for (unsigned i = 0; i < HUGES; i++)
        atomic_store_explicit(&table.huges[i], NULL, memory_order_relaxed);
    table.count = 0;
    table.looking = false;
    timer_init(&table.look, look);
}

/* What was in flight is the parent's. */
static void forget(void)
{
    if (atomic_load(&verify_mode) != VERIFY_OFF)
        start_afresh();
}

FORK_HOOK(NULL, LOCK_GLOBAL, forget);

static __attribute__((constructor)) void choose_mode(void)
{
    const char *wish = getenv("IOCP_VERIFY");
    void (*attach)(void (*freed)(const void *, size_t));
    void (*attach_close)(void (*closed)(int));
    void *once[1];

    if (!wish || !*wish || strcmp(wish, "0") == 0)
        return;
    start_afresh();
    backtrace(once, 1); /* loads what it needs now, not in the middle of an operation */
    atomic_store(&verify_mode, strcmp(wish, "report") == 0 ? VERIFY_REPORT : VERIFY_ABORT);
    /* Of preload/verify.c, if the command iocp-verify has loaded it. */
    *(void **)&attach = dlsym(RTLD_DEFAULT, "iocp_verify_attach");
    if (attach)
        attach(verify_freed);
    *(void **)&attach_close = dlsym(RTLD_DEFAULT, "iocp_verify_attach_close");
    if (attach_close)
        attach_close(verify_closed);
}
