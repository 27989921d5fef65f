/* SPDX-License-Identifier: MIT */
/*
 * A directory and its changes; see watch.h. Requests wait in the directory's lane for readiness of the
 * inotify descriptor, which is registered in the directory's poller; so a port's workers read the
 * events. With nobody asking, an edge reads them all the same: the kernel's queue is the same for
 * everybody, and new directories want to be watched soon.
 *
 * Tree and records belong to whoever is `busy`. Who finds another busy leaves word (`again`) and goes: the
 * other looks once more before it stops being busy, and has the lane run if there is something to
 * deliver.
 *
 * A turn reads a bounded number of events, and ends with what it found: a directory that is written to all
 * the time must not keep a thread. The timer then has the home thread look at the rest.
 */
#include "io/watch.h"

#include "base/clock.h"
#include "base/lock.h"
#include "base/status.h"
#include "engine/home.h"
#include "io/disk.h"
#include "io/lane.h"
#include "io/watch_records.h"
#include "io/watch_tree.h"
#include "ntstatus.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

/* How long the second half of a rename may take to follow the first. */
enum { HALF_MS = 2 };
/* How often one who is busy looks again for others, who may come all the time. */
enum { TURNS = 4 };

struct watch {
    struct lock lock;
    bool busy;          /* guarded by lock */
    bool again;         /* guarded by lock */
    bool armed;         /* guarded by lock: `later` is armed and holds the file */
    bool for_half;      /* guarded by lock: ... for the second half of a rename */
    bool closed;        /* guarded by lock: `later` is not armed any more */
    _Atomic bool settle; /* `later` has fired: what waits has waited long enough */

    struct file *file;  /* borrowed: embeds us, in the end */
    struct watch_tree *tree;      /* (busy) */
    struct watch_records records; /* (busy) */
    bool gone;          /* (busy) the directory was deleted */
    uint32_t failure;   /* (busy) not everything is watched: why */
    struct timer later;

    bool notifies;      /* constant after the beginning: a change notification */
    _Atomic uint64_t seen;   /* how often changes were found */
    _Atomic uint64_t answered; /* `seen` when the file was signalled */
    _Atomic bool signalled;    /* since the last re-arming */
};

static struct watch *watch_of(const struct file *f)
{
    const struct disk *d = f->extra;

    return f->ops == &disk_ops ? atomic_load(&d->watch) : NULL;
}

/* ---- taking turns ---- */

static bool busy_begin(struct watch *w)
{
    bool mine;

    lock_acquire(&w->lock);
    mine = !w->busy;
    if (mine)
        w->busy = true;
    else
        w->again = true;
    lock_release(&w->lock);
    return mine;
}

/* False: somebody came meanwhile, and we are still busy. */
static bool busy_end(struct watch *w)
{
    bool over;

    lock_acquire(&w->lock);
    over = !w->again;
    w->again = false;
    w->busy = !over;
    lock_release(&w->lock);
    return over;
}

/* ---- harvest ---- */

static void keep(void *ctx, const struct watch_change *change)
{
    struct watch *w = ctx;

    if (w->notifies)
        w->records.overflow = true; /* that there was one is all that is asked */
    else
        watch_records_add(&w->records, change);
}

/* Has the home thread look again: at the first half of a rename in a moment, at what is unread now. */
static bool come_back(struct watch *w, bool for_half)
{
    uint64_t due = clock_now_ns() + (for_half ? HALF_MS * NS_PER_MS : 0);
    bool armed;

    lock_acquire(&w->lock);
    armed = w->armed || w->closed;
    if (!armed) {
        file_get(w->file);
        w->armed = true;
        w->for_half = for_half;
    }
    lock_release(&w->lock);
    if (armed || timer_set(&w->later, due) == 0)
        return true;
    lock_acquire(&w->lock);
    w->armed = false;
    lock_release(&w->lock);
    file_put(w->file);
    return false;
}

/* Busy. Whatever happened goes into the records, or is remembered as gone or failed. */
static int harvest(struct watch *w, bool settle)
{
    int state;

    if (w->failure) {
        state = watch_tree_repair(w->tree);
        if (state)
            return WATCH_QUIET; /* the failure stands */
        w->failure = STATUS_SUCCESS;
        watch_records_drop(&w->records);
    }
    state = watch_tree_read(w->tree, settle);
    if (state == WATCH_LOST)
        watch_records_drop(&w->records);
    else if (state == WATCH_GONE)
        w->gone = true;
    else if (state == -ENOSPC)
        w->failure = STATUS_INSUFFICIENT_RESOURCES;
    else if (state < 0)
        w->failure = status_from_errno(state);
    return state;
}

static void harvest_or_wait(struct watch *w)
{
    int state = harvest(w, atomic_exchange(&w->settle, false));

    while (watch_tree_more(w->tree) && !come_back(w, false))
        state = harvest(w, false);
    if (state == WATCH_HALF && !watch_tree_more(w->tree) && !come_back(w, true))
        harvest(w, true);
}

static bool has_news(const struct watch *w)
{
    return watch_records_any(&w->records) || w->gone || w->failure;
}

/* Busy. STATUS_PENDING: nothing to deliver. */
static uint32_t deliver(struct watch *w, void *data, size_t size, uint32_t *bytes)
{
    uint32_t status;

    if (watch_records_any(&w->records))
        return watch_records_take(&w->records, data, size, bytes);
    if (w->gone)
        return STATUS_DELETE_PENDING;
    status = w->failure;
    return status ? status : (uint32_t)STATUS_PENDING;
}

/* The file is signalled for what was seen up to now, unless it is signalled for something earlier. */
static void signal_file(struct watch *w)
{
    uint64_t seen = atomic_load(&w->seen);

    if (!atomic_exchange(&w->signalled, true))
        atomic_store(&w->answered, seen);
    dispatcher_set(&w->file->dispatcher, 1);
}

/* Busy. */
static void signal_news(struct watch *w)
{
    if (!has_news(w))
        return;
    w->records.overflow = false;
    atomic_fetch_add(&w->seen, 1); /* first: see watch_rearm */
    signal_file(w);
}

/* Reads what there is for nobody in particular, and has it delivered if somebody has come. */
static void look(struct watch *w)
{
    unsigned turns = 0;
    bool news;

    if (!busy_begin(w))
        return;
    do {
        if (turns++ < TURNS || !come_back(w, false))
            harvest_or_wait(w);
        if (w->notifies)
            signal_news(w);
        news = !w->notifies && has_news(w);
    } while (!busy_end(w));
    if (news)
        lane_kick(w->file);
}

static void look_later(struct timer *timer)
{
    struct watch *w = container_of(timer, struct watch, later);
    struct file *f = w->file;
    bool settle;

    lock_acquire(&w->lock);
    w->armed = false;
    settle = w->for_half;
    lock_release(&w->lock);
    if (settle)
        atomic_store(&w->settle, true);
    look(w);
    file_put(f);
}

void watch_edge(struct file *f, uint32_t events)
{
    struct watch *w = watch_of(f);
    bool asked;

    (void)events;
    if (!w)
        return;
    lock_acquire(&f->lock);
    asked = !list_empty(&f->lanes[LANE_IN].requests);
    lock_release(&f->lock);
    if (!asked)
        look(w); /* else the lane's turn comes, and reads */
}

/* ---- requests ---- */

static uint32_t attempt(struct request *r)
{
    struct watch *w = watch_of(r->file);
    uint32_t status = STATUS_PENDING;

    if (!busy_begin(w))
        return STATUS_PENDING; /* who is busy runs the lane */
    do {
        if (status == STATUS_PENDING || !come_back(w, false)) /* with the answer in hand, others look */
            harvest_or_wait(w);
        if (status == STATUS_PENDING)
            status = deliver(w, r->iov[0].iov_base, r->size, &r->bytes);
    } while (!busy_end(w));
    return status;
}

static const struct request_ops change_ops = {.name = "directory changes", .attempt = attempt};

uint32_t watch_start(struct request *r)
{
    uint32_t status;

    r->ops = &change_ops;
    status = lane_start(r, LANE_IN, NULL);
    return status;
}

struct waiting {
    void *data;
    uint32_t size, bytes;
};

static uint32_t wait_attempt(struct file *f, void *ctx)
{
    struct watch *w = watch_of(f);
    struct waiting *call = ctx;
    uint32_t status = STATUS_PENDING;

    if (!busy_begin(w))
        return STATUS_PENDING; /* another thread is in the same call: one of them gets it */
    do {
        if (harvest(w, false) == WATCH_HALF) {
            struct pollfd p = {.fd = watch_tree_fd(w->tree), .events = POLLIN};

            poll(&p, 1, HALF_MS);
            harvest(w, true);
        }
        if (status == STATUS_PENDING)
            status = deliver(w, call->data, call->size, &call->bytes);
    } while (!busy_end(w));
    return status;
}

uint32_t watch_wait(struct file *f, void *data, uint32_t size, uint32_t *bytes)
{
    struct waiting call = {data, size, 0};
    uint32_t status = file_blocking_call(f, POLLIN, DEADLINE_NEVER, WAIT_NO_ROUTINES, wait_attempt, &call);

    *bytes = call.bytes;
    return status;
}

/* ---- life ---- */

static uint32_t begin(struct file *f, const struct watch_how *how, bool notifies)
{
    struct disk *d = f->extra;
    struct watch *w = calloc(1, sizeof *w);
    struct watch *none = NULL;
    int err;

    if (!w)
        return STATUS_NO_MEMORY;
    lock_init(&w->lock, LOCK_LEAF);
    w->file = f;
    w->notifies = notifies;
    watch_records_init(&w->records, how->size, how->detailed);
    timer_init(&w->later, look_later);
    err = watch_tree_new(f->fd, how, keep, w, &w->tree);
    if (err) {
        free(w);
        return err == -ENOSPC ? (uint32_t)STATUS_INSUFFICIENT_RESOURCES : status_from_errno(err);
    }
    if (!atomic_compare_exchange_strong(&d->watch, &none, w))
        watch_destroy(w); /* another thread's first call was faster */
    return STATUS_SUCCESS;
}

uint32_t watch_begin(struct file *f, const struct watch_how *how)
{
    uint32_t status = watch_of(f) ? (uint32_t)STATUS_SUCCESS : begin(f, how, false);

    if (status == STATUS_SUCCESS && watch_of(f)->records.detailed != how->detailed)
        return STATUS_INVALID_PARAMETER; /* another thread's first call may have been faster */
    return status;
}

void watch_cleanup(struct file *f)
{
    struct watch *w = watch_of(f);

    if (!w)
        return;
    lock_acquire(&w->lock);
    w->closed = true;
    lock_release(&w->lock);
    if (!timer_cancel(&w->later))
        return; /* idle, or about to fire: then it gives the file back itself */
    lock_acquire(&w->lock);
    w->armed = false;
    lock_release(&w->lock);
    file_put(f);
}

void watch_destroy(struct watch *w)
{
    if (!w)
        return;
    watch_tree_free(w->tree);
    watch_records_free(&w->records);
    free(w);
}

int watch_poll_fd(const struct file *f)
{
    const struct watch *w = watch_of(f);

    return w ? watch_tree_fd(w->tree) : f->fd;
}

/* ---- change notifications ---- */

uint32_t watch_notify(struct file *f, uint32_t filter, bool subtree)
{
    struct watch_how how = {.filter = filter, .subtree = subtree};
    uint32_t status = begin(f, &how, true);

    if (status != STATUS_SUCCESS)
        return status;
    status = lane_register(f);
    if (status == STATUS_SUCCESS)
        look(watch_of(f)); /* what came before the registration gave no edge */
    return status;
}

bool watch_is_notification(const struct file *f)
{
    const struct watch *w = watch_of(f);

    return w && w->notifies;
}

/*
 * Counted so that no change falls between the two: a change is counted before the file is signalled for
 * it, and the count looked at after the signal was taken back. The other way round a change may be
 * answered twice, which costs a look.
 */
uint32_t watch_rearm(struct file *f)
{
    struct watch *w = watch_of(f);
    uint64_t answered;

    if (!w || !w->notifies)
        return STATUS_INVALID_HANDLE;
    answered = atomic_load(&w->answered);
    atomic_store(&w->signalled, false);
    dispatcher_set(&f->dispatcher, 0);
    if (atomic_load(&w->seen) > answered)
        signal_file(w);
    look(w);
    return STATUS_SUCCESS;
}
