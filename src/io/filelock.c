/* SPDX-License-Identifier: MIT */
/*
 * The table of range locks; see filelock.h. Rules as LockFileEx' page has them: an exclusive lock overlaps
 * no other, not even one of its own file; a shared one overlaps shared ones, and an exclusive one of its
 * own file. Reading stops at somebody else's exclusive lock, writing at that and at any shared one.
 *
 * Who has to wait is served in the order of the calls, when anything is given back that stood in its way;
 * how often others may pass meanwhile is the affair of filelock_order.c.
 * What another process holds is asked for again by a timer, after 1 ms, 2 ms ... 50 ms: a call that blocks
 * in fcntl could not be called back without a signal.
 *
 * The system calls under a bucket's lock are F_OFD_SETLK, which never waits for a lock. That a lock is in
 * the table and that others know of it is one thing this way.
 */
#include "io/filelock.h"

#include "base/clock.h"
#include "base/fork.h"
#include "base/lock.h"
#include "base/os.h"
#include "base/own_fd.h"
#include "base/status.h"
#include "engine/home.h"
#include "io/disk.h"
#include "io/filelock_range.h"
#include "ntstatus.h"
#include "wait/wait.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>

enum { RETRY_FIRST_MS = 1, RETRY_LAST_MS = 50 };

/* One file that has locks. */
struct inode {
    struct list link; /* in its bucket */
    struct list held; /* struct filelock.link */
    struct list waiting; /* struct filelock_wait.link */
    dev_t dev;
    ino_t ino;
    struct timer retry; /* armed, or firing, while `retries` */
    unsigned retry_ms;
    bool retries;
};

/* Rules: everything in a bucket, its inodes, locks and waits is guarded by its lock. */
static struct bucket {
    struct lock lock;
    struct list inodes;
} buckets[FILELOCK_BUCKETS];

_Atomic uint32_t filelock_counts[FILELOCK_BUCKETS];

static void init(void)
{
    for (unsigned i = 0; i < FILELOCK_BUCKETS; i++) {
        lock_init(&buckets[i].lock, LOCK_GLOBAL);
        list_init(&buckets[i].inodes);
        atomic_store(&filelock_counts[i], 0);
    }
}

static __attribute__((constructor)) void init_at_start(void)
{
    init();
}

/* The locks are the parent's. */
FORK_HOOK(NULL, LOCK_GLOBAL, init);

static struct bucket *bucket_of(const struct file *f)
{
    return &buckets[filelock_bucket(f->rare->dev, f->rare->ino)];
}

static void count(const struct bucket *b, int change)
{
    atomic_fetch_add(&filelock_counts[b - buckets], (uint32_t)change);
}

/* ---- inodes ---- */

static struct inode *find_locked(struct bucket *b, dev_t dev, ino_t ino)
{
    lock_assert_held(&b->lock);
    list_for_each(l, &b->inodes) {
        struct inode *i = container_of(l, struct inode, link);

        if (i->dev == dev && i->ino == ino)
            return i;
    }
    return NULL;
}

static void retry_now(struct timer *t);

static struct inode *find_or_make_locked(struct bucket *b, const struct file *f)
{
    struct inode *i = find_locked(b, f->rare->dev, f->rare->ino);

    if (i)
        return i;
    i = calloc(1, sizeof *i);
    if (!i)
        return NULL;
    i->dev = f->rare->dev;
    i->ino = f->rare->ino;
    list_init(&i->held);
    list_init(&i->waiting);
    timer_init(&i->retry, retry_now);
    list_push_back(&b->inodes, &i->link);
    return i;
}

static void drop_if_unused_locked(struct inode *i)
{
    if (!list_empty(&i->held) || !list_empty(&i->waiting) || i->retries)
        return;
    list_remove(&i->link);
    free(i);
}

/* ---- conflicts ---- */

static bool conflicts_locked(const struct inode *i, const struct filelock *want)
{
    list_for_each(l, &i->held) {
        if (filelock_stops(container_of(l, struct filelock, link), want))
            return true;
    }
    return false;
}

enum grant { GRANTED, HELD_HERE, HELD_ELSEWHERE, NOT_ITS_TURN };

/* On success the lock is the table's. `place`: where it waits already, else the queue itself. */
static enum grant try_locked(struct bucket *b, struct inode *i, struct filelock *lock,
                             const struct list *place, bool waits)
{
    if (conflicts_locked(i, lock))
        return HELD_HERE;
    if (waits && filelock_is_held_back(&i->waiting, place, lock))
        return NOT_ITS_TURN;
    filelock_choose(lock->file, &i->held);
    list_push_back(&i->held, &lock->link);
    if (filelock_tell(lock->file, &i->held, &lock->range) == -EAGAIN) {
        list_remove(&lock->link);
        filelock_tell(lock->file, &i->held, &lock->range); /* pieces that were got go back */
        return HELD_ELSEWHERE;
    }
    count(b, 1); /* other errors: a file system that has no such locks; ours are good all the same */
    filelock_has_passed(&i->waiting, place, lock);
    return GRANTED;
}

uint32_t filelock_check(struct file *f, uint64_t offset, uint64_t size, bool write)
{
    struct bucket *b = bucket_of(f);
    struct filelock_range range = {offset, size, false};
    uint32_t status = STATUS_SUCCESS;
    struct inode *i;

    if (size == 0)
        return status;
    lock_acquire(&b->lock);
    i = find_locked(b, f->rare->dev, f->rare->ino);
    if (i) {
        list_for_each(l, &i->held) {
            const struct filelock *has = container_of(l, struct filelock, link);
            bool stops = has->range.exclusive ? has->file != f : write;

            if (stops && filelock_overlap(&has->range, &range))
                status = STATUS_FILE_LOCK_CONFLICT;
        }
    }
    lock_release(&b->lock);
    return status;
}

/* ---- waiting ---- */

/* True: the caller arms the timer once it has let the lock go. Meanwhile the inode stays. */
static bool begin_retries_locked(struct inode *i)
{
    bool begins = !i->retries;

    i->retry_ms = RETRY_FIRST_MS;
    i->retries = true;
    return begins;
}

static void arm(struct inode *i, unsigned ms)
{
    struct bucket *b = &buckets[filelock_bucket(i->dev, i->ino)];

    if (timer_set(&i->retry, clock_now_ns() + ms * NS_PER_MS) == 0)
        return;
    lock_acquire(&b->lock); /* out of memory: the next event of this file tries again */
    i->retries = false;
    drop_if_unused_locked(i);
    lock_release(&b->lock);
}

static void begin_waiting_locked(struct bucket *b, struct inode *i, struct filelock_wait *w)
{
    list_push_back(&i->waiting, &w->link);
    w->waiting = true;
    count(b, 1);
}

static void stop_waiting_locked(struct bucket *b, struct filelock_wait *w)
{
    list_remove(&w->link);
    w->waiting = false;
    count(b, -1);
}

/* What holds it back will not say when it is over. */
static bool asks_again(enum grant how)
{
    return how == HELD_ELSEWHERE || how == NOT_ITS_TURN;
}

/* Grants what can be granted, in order; requests go to `granted`, to be completed without the lock. True:
 * some wait for another process, or for a time. */
static bool serve_locked(struct bucket *b, struct inode *i, struct list *granted)
{
    bool again = false;

    list_for_each_safe(l, next, &i->waiting) {
        struct filelock_wait *w = container_of(l, struct filelock_wait, link);
        enum grant how = try_locked(b, i, w->lock, &w->link, true);

        again |= asks_again(how);
        if (how != GRANTED)
            continue;
        stop_waiting_locked(b, w);
        w->lock = NULL;
        if (w->request)
            list_push_back(granted, &w->link);
        else
            os_ring(w->wake_fd); /* its frame is there as long as we hold the lock */
    }
    return again;
}

static void complete_all(struct list *granted)
{
    struct list *l;

    while ((l = list_pop_front(granted)) != NULL)
        request_complete(container_of(l, struct filelock_wait, link)->request, STATUS_SUCCESS, false);
}

/* Something was given back. Lock held on entry, not on return. */
static void serve_and_release(struct bucket *b, struct inode *i)
{
    struct list granted;
    bool begins = false;

    list_init(&granted);
    if (serve_locked(b, i, &granted))
        begins = begin_retries_locked(i);
    drop_if_unused_locked(i);
    lock_release(&b->lock);
    if (begins)
        arm(i, RETRY_FIRST_MS);
    complete_all(&granted);
}

static void retry_now(struct timer *t)
{
    struct inode *i = container_of(t, struct inode, retry);
    struct bucket *b = &buckets[filelock_bucket(i->dev, i->ino)];
    struct list granted;
    unsigned ms = 0;

    list_init(&granted);
    lock_acquire(&b->lock);
    i->retries = serve_locked(b, i, &granted);
    if (i->retries) {
        ms = i->retry_ms * 2 < RETRY_LAST_MS ? i->retry_ms * 2 : RETRY_LAST_MS;
        i->retry_ms = ms;
    }
    drop_if_unused_locked(i);
    lock_release(&b->lock);
    if (ms)
        arm(i, ms);
    complete_all(&granted);
}

/* ---- locking ---- */

static uint32_t prepare(struct file *f, const struct filelock_range *range, struct filelock **out)
{
    struct filelock *lock;

    if (range->length > 0 && filelock_last(range) < range->offset)
        return STATUS_INVALID_LOCK_RANGE;
    lock = calloc(1, sizeof *lock);
    if (!lock)
        return STATUS_NO_MEMORY;
    list_init(&lock->link);
    lock->file = f;
    lock->range = *range;
    filelock_prepare(f);
    *out = lock;
    return STATUS_SUCCESS;
}

static bool is_closing(struct file *f)
{
    bool closing;

    lock_acquire(&f->lock);
    closing = f->closing;
    lock_release(&f->lock);
    return closing;
}

/* The handle may have been closed while a lock was granted: then nobody else would give it back. */
static void check_closed(struct file *f)
{
    if (is_closing(f))
        filelock_cleanup(f);
}

/* One attempt; a lock that is not granted stays the caller's. */
static uint32_t try_once(struct file *f, struct filelock *lock, bool waits)
{
    struct bucket *b = bucket_of(f);
    enum grant how;
    struct inode *i;

    lock_acquire(&b->lock);
    i = find_or_make_locked(b, f);
    if (!i) {
        lock_release(&b->lock);
        return STATUS_NO_MEMORY;
    }
    how = try_locked(b, i, lock, &i->waiting, waits);
    drop_if_unused_locked(i);
    lock_release(&b->lock);
    if (how == GRANTED)
        check_closed(f);
    return how == GRANTED ? (uint32_t)STATUS_SUCCESS : (uint32_t)STATUS_LOCK_NOT_GRANTED;
}

/* Tries again, and takes a place in the queue. STATUS_PENDING: it has one. */
static uint32_t try_or_wait(struct file *f, struct filelock_wait *w)
{
    struct bucket *b = bucket_of(f);
    bool begins = false;
    enum grant how;
    struct inode *i;

    lock_acquire(&b->lock);
    i = find_or_make_locked(b, f);
    if (!i) {
        lock_release(&b->lock);
        return STATUS_NO_MEMORY;
    }
    how = try_locked(b, i, w->lock, &i->waiting, true);
    if (how == GRANTED)
        w->lock = NULL;
    else
        begin_waiting_locked(b, i, w);
    if (asks_again(how))
        begins = begin_retries_locked(i);
    lock_release(&b->lock);
    if (begins)
        arm(i, RETRY_FIRST_MS);
    return how == GRANTED ? (uint32_t)STATUS_SUCCESS : (uint32_t)STATUS_PENDING;
}

/* False: it has been granted, or was taken out by somebody else. */
static bool stop_waiting(struct file *f, struct filelock_wait *w)
{
    struct bucket *b = bucket_of(f);
    struct inode *i;
    bool mine;

    lock_acquire(&b->lock);
    mine = w->waiting;
    if (mine) {
        stop_waiting_locked(b, w);
        i = find_locked(b, f->rare->dev, f->rare->ino);
        drop_if_unused_locked(i);
    }
    lock_release(&b->lock);
    return mine;
}

/* ---- blocking ---- */

static uint32_t sleep_for(struct file *f, struct filelock_wait *w)
{
    struct file_blocker blocker;
    uint32_t status = STATUS_INVALID_HANDLE;

    wait_sync_begin();
    if (file_block_enter(f, &blocker)) {
        status = wait_fd(w->wake_fd, POLLIN, DEADLINE_NEVER, false);
        file_block_leave(f, &blocker);
    }
    wait_sync_end();
    if (stop_waiting(f, w))
        return status == STATUS_SUCCESS ? (uint32_t)STATUS_CANCELLED : status;
    check_closed(f);
    return w->lock ? (uint32_t)STATUS_CANCELLED : (uint32_t)STATUS_SUCCESS;
}

static uint32_t block_for(struct file *f, struct filelock *lock)
{
    struct filelock_wait w = {.lock = lock};
    uint32_t status;

    list_init(&w.link);
    w.wake_fd = own_fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (w.wake_fd < 0) {
        status = status_from_errno(errno);
    } else {
        status = try_or_wait(f, &w);
        if (status == STATUS_PENDING)
            status = sleep_for(f, &w);
        own_fd_close(w.wake_fd);
    }
    if (status != STATUS_SUCCESS)
        free(w.lock);
    return status;
}

uint32_t filelock_lock(struct file *f, const struct filelock_range *range, bool wait)
{
    struct filelock *lock;
    uint32_t status = prepare(f, range, &lock);

    if (status != STATUS_SUCCESS)
        return status;
    status = try_once(f, lock, wait);
    if (status == STATUS_LOCK_NOT_GRANTED && wait)
        return block_for(f, lock);
    if (status != STATUS_SUCCESS)
        free(lock);
    return status;
}

/* ---- requests ---- */

static void cancel(struct request *r, struct file *f)
{
    if (stop_waiting(f, &r->u.lock))
        request_complete(r, STATUS_CANCELLED, false);
}

static void release(struct request *r)
{
    free(r->u.lock.lock); /* not granted; else it is the table's, and this is NULL */
}

static const struct request_ops lock_ops = {.name = "lock", .release = release, .cancel = cancel};

/* Accepted: it is answered later, whatever happens now. */
static uint32_t wait_parked(struct request *r)
{
    struct file *f = r->file;
    uint32_t status;

    if (!request_park(r))
        return request_refuse(r, STATUS_INVALID_HANDLE);
    request_get(r);
    status = try_or_wait(f, &r->u.lock);
    if (status != STATUS_PENDING) {
        if (status == STATUS_SUCCESS)
            check_closed(f);
        request_complete(r, status, false);
    } else if (atomic_load(&r->cancelled)) {
        cancel(r, f); /* it came before there was anything to take out */
    }
    request_put(r);
    return STATUS_PENDING;
}

uint32_t filelock_start(struct request *r, const struct filelock_range *range, bool wait)
{
    struct filelock *lock;
    uint32_t status = prepare(r->file, range, &lock);

    if (status != STATUS_SUCCESS)
        return request_refuse(r, status);
    r->ops = &lock_ops;
    r->u.lock = (struct filelock_wait){.lock = lock, .request = r};
    list_init(&r->u.lock.link);
    status = try_once(r->file, lock, wait);
    if (status == STATUS_SUCCESS)
        r->u.lock.lock = NULL;
    if (status == STATUS_LOCK_NOT_GRANTED && wait)
        return wait_parked(r);
    return request_finish_inline(r, status);
}

/* ---- giving back ---- */

static struct filelock *find_exact_locked(const struct inode *i, const struct file *f, uint64_t offset,
                                          uint64_t length)
{
    struct filelock *shared = NULL;

    list_for_each(l, &i->held) {
        struct filelock *lock = container_of(l, struct filelock, link);

        if (lock->file != f || lock->range.offset != offset || lock->range.length != length)
            continue;
        if (lock->range.exclusive)
            return lock;
        shared = shared ? shared : lock;
    }
    return shared;
}

static void give_back_locked(struct bucket *b, struct inode *i, struct filelock *lock)
{
    list_remove(&lock->link);
    count(b, -1);
    filelock_tell(lock->file, &i->held, &lock->range);
    free(lock);
}

uint32_t filelock_unlock(struct file *f, uint64_t offset, uint64_t length)
{
    struct bucket *b = bucket_of(f);
    struct filelock *lock;
    struct inode *i;

    lock_acquire(&b->lock);
    i = find_locked(b, f->rare->dev, f->rare->ino);
    lock = i ? find_exact_locked(i, f, offset, length) : NULL;
    if (!lock) {
        lock_release(&b->lock);
        return STATUS_RANGE_NOT_LOCKED;
    }
    give_back_locked(b, i, lock);
    serve_and_release(b, i);
    return STATUS_SUCCESS;
}

/* Those of f that wait will not be granted any more: f is closing, and they are called back next. */
static void forget_waits_locked(struct bucket *b, struct inode *i, const struct file *f,
                                struct list *requests)
{
    list_for_each_safe(l, next, &i->waiting) {
        struct filelock_wait *w = container_of(l, struct filelock_wait, link);

        if (w->lock->file != f)
            continue;
        stop_waiting_locked(b, w);
        if (w->request)
            list_push_back(requests, &w->link);
        else
            os_ring(w->wake_fd);
    }
}

void filelock_cleanup(struct file *f)
{
    struct bucket *b = bucket_of(f);
    struct list requests;
    struct inode *i;
    struct list *l;

    if (!filelock_any(f))
        return;
    list_init(&requests);
    lock_acquire(&b->lock);
    i = find_locked(b, f->rare->dev, f->rare->ino);
    if (!i) {
        lock_release(&b->lock);
        return;
    }
    forget_waits_locked(b, i, f, &requests);
    list_for_each_safe(n, next, &i->held) {
        struct filelock *lock = container_of(n, struct filelock, link);

        if (lock->file == f)
            give_back_locked(b, i, lock);
    }
    serve_and_release(b, i);
    while ((l = list_pop_front(&requests)) != NULL)
        request_complete(container_of(l, struct filelock_wait, link)->request, STATUS_CANCELLED, false);
}
