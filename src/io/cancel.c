/* SPDX-License-Identifier: MIT */
/* Cancelling; see cancel.h. Matching requests are collected under their file's lock, each with a
 * reference, and then asked to stop one by one, with no lock held in between. */
#include "io/cancel.h"

#include "io/lane.h"
#include "ntstatus.h"
#include "object/handle.h"
#include "wait/thread.h"
#include "wait/wait.h"

#include <assert.h>

enum { CANCELS_AT_ONCE = 32 };

/* A request found pending, and the file whose lane it was in at that moment; both counted. */
struct target {
    struct request *r;
    struct file *lane_file;
    bool run; /* it was at the head: those behind it may get on */
};

/* In whose lane it is; NULL: in none, an engine has it. A lean one never leaves its file's. */
static struct file *lane_file_of(struct request *r, struct file *f)
{
    return r->wide ? atomic_load(&r->lane_file) : f;
}

/* Found pending on f, or in a lane of f; its lock is held. */
static void target_take(struct target *t, struct request *r, struct file *f)
{
    t->r = r;
    t->run = false;
    t->lane_file = lane_file_of(r, f);
    request_get(r);
    if (t->lane_file)
        file_get(t->lane_file);
}

/* True: what is behind it in a lane of f may get on, once all that are to be cancelled have been. */
static bool target_put_for(struct target *t, struct file *f)
{
    bool ours = t->run && t->lane_file == f;

    if (t->run && !ours)
        lane_run(t->lane_file);
    request_put(t->r);
    if (t->lane_file)
        file_put(t->lane_file);
    return ours;
}

/* STARTED: the engine is asked, or the place where it is parked. The file's lock is held on entry, not on
 * return. */
static bool cancel_started(struct request *r, struct file *f)
{
    /* One that is just about to start or to go on looks when the engine has it. */
    bool asked = r->state != REQUEST_DONE && !atomic_load(&r->cancelled);
    bool tell = asked && r->state == REQUEST_STARTED && !r->starting;
    uint32_t generation = tell ? r->op.generation : 0;

    if (asked)
        atomic_store(&r->cancelled, true);
    lock_release(&f->lock);
    if (tell && r->ops && r->ops->cancel)
        r->ops->cancel(r, f);
    else if (tell)
        engine_cancel(&r->op, generation);
    return asked;
}

/* In a lane: taken out and answered here, or, while it is attempted, told to give up. */
static bool cancel_queued(struct request *r, struct file *lane_file, bool *run)
{
    if (!list_linked(&r->entry.link) || r->attempting) {
        bool asked = r->state == REQUEST_QUEUED && !atomic_load(&r->cancelled);

        if (asked)
            atomic_store(&r->cancelled, true);
        lock_release(&lane_file->lock);
        return asked;
    }
    *run = lane_withdraw_locked(lane_file, r);
    atomic_store(&r->cancelled, true);
    lock_release(&lane_file->lock);
    request_complete(r, STATUS_CANCELLED, false);
    return true;
}

/* It has moved on since it was found, to another lane (once, and so from its own file's). That lock
 * is held on entry, not on return: it keeps the new lane's file alive until it is counted. */
static void target_follow(struct target *t)
{
    struct file *from = t->lane_file;

    t->lane_file = atomic_load(&t->r->lane_file);
    file_get(t->lane_file);
    lock_release(&from->lock);
    file_put(from);
}

static bool cancel_target(struct target *t, struct file *f)
{
    struct file *guard = t->lane_file ? t->lane_file : f;

    lock_acquire(&guard->lock);
    if (t->r->state == REQUEST_DONE) {
        lock_release(&guard->lock);
        return false;
    }
    if (t->lane_file && lane_file_of(t->r, t->lane_file) != t->lane_file) {
        target_follow(t);
        return cancel_target(t, f);
    }
    return t->lane_file ? cancel_queued(t->r, guard, &t->run) : cancel_started(t->r, guard);
}

static bool matches(const struct request *r, const struct cancel_match *m)
{
    return !atomic_load(&r->cancelled) && (!m->ov || r->ov == m->ov) &&
           (!m->issuer || r->issuer == m->issuer) && (!m->request || r == m->request);
}

/* Of the requests of f that wait in a lane of f, those that match and nobody has asked yet. */
static unsigned collect_lane(struct file *f, const struct lane *lane, const struct cancel_match *m,
                             struct target *out, unsigned n)
{
    lock_assert_held(&f->lock);
    list_for_each(l, &lane->requests) {
        struct request *r = container_of(l, struct request, entry.link);

        if (n == CANCELS_AT_ONCE)
            break;
        if (r->file == f && matches(r, m))
            target_take(&out[n++], r, f);
    }
    return n;
}

/* The same of those that an engine has, or another file's lane. */
static unsigned collect_pending(struct file *f, const struct cancel_match *m, struct target *out, unsigned n)
{
    lock_assert_held(&f->lock);
    list_for_each(l, &f->pending) {
        struct request *r = container_of(l, struct request, pending);

        if (n == CANCELS_AT_ONCE)
            break;
        if (matches(r, m))
            target_take(&out[n++], r, f);
    }
    return n;
}

/* Up to CANCELS_AT_ONCE. */
static unsigned collect(struct file *f, const struct cancel_match *m, struct target *out)
{
    unsigned n = 0;

    lock_acquire(&f->lock);
    for (unsigned i = 0; i < file_lanes(f); i++)
        n = collect_lane(f, file_lane(f, i), m, out, n);
    n = collect_pending(f, m, out, n);
    lock_release(&f->lock);
    return n;
}

unsigned cancel_requests(struct file *f, const struct cancel_match *match)
{
    struct target targets[CANCELS_AT_ONCE];
    unsigned asked = 0;
    bool run = false;
    unsigned n;

    do {
        n = collect(f, match, targets);
        for (unsigned i = 0; i < n; i++)
            asked += cancel_target(&targets[i], f);
        for (unsigned i = 0; i < n; i++)
            run |= target_put_for(&targets[i], f);
    } while (n == CANCELS_AT_ONCE);
    if (run) /* only now does what is left get on */
        lane_run(f);
    return asked;
}

unsigned cancel_blockers(struct file *f)
{
    unsigned heard = 0;

    lock_acquire(&f->lock);
    list_for_each(l, &f->sync_waiters) {
        const struct file_blocker *b = container_of(l, struct file_blocker, link);

        heard += wait_sync_cancel_calls(b->thread, b->calls);
    }
    lock_release(&f->lock);
    return heard;
}

uint32_t cancel_by_handle(uintptr_t handle, const struct cancel_match *match, unsigned *asked)
{
    struct file *f;
    uint32_t status = file_from_handle(handle, false, &f, NULL);

    if (status != STATUS_SUCCESS)
        return status;
    *asked = cancel_requests(f, match);
    if (!match->ov && !match->issuer) /* conform/cancel.c */
        *asked += cancel_blockers(f);
    file_put(f);
    return STATUS_SUCCESS;
}

/* One that waits in the lane and has not been asked yet. */
static bool take_from_lane(struct file *f, enum lane_direction dir, struct target *t)
{
    bool found = false;

    lock_acquire(&f->lock);
    if (dir < file_lanes(f)) {
        list_for_each(l, &file_lane(f, dir)->requests) {
            struct request *r = container_of(l, struct request, entry.link);

            found = !atomic_load(&r->cancelled);
            if (found) {
                target_take(t, r, f);
                break;
            }
        }
    }
    lock_release(&f->lock);
    return found;
}

void cancel_lane(struct file *f, enum lane_direction dir)
{
    struct target t;
    bool run = false;

    while (take_from_lane(f, dir, &t)) {
        cancel_target(&t, f);
        run |= target_put_for(&t, f);
    }
    if (run)
        lane_run(f);
}

void cancel_lanes(struct file *f)
{
    for (int i = 0; i <= LANE_URGENT; i++)
        cancel_lane(f, (enum lane_direction)i);
}

static void cancel_issued_by(struct object *obj, uintptr_t fd, void *ctx)
{
    const struct cancel_match *match = ctx;
    struct file *f;

    (void)fd;
    if (obj->type->kind != OBJECT_FILE)
        return;
    f = file_from_object(obj);
    if (!atomic_load(&f->port))
        cancel_requests(f, match);
}

/* The exiting thread's requests on files without a port. */
static void cancel_thread(struct thread *t)
{
    struct cancel_match match = {.ov = NULL, .issuer = t->serial};

    if (t->issued_portless)
        handle_each_fd(cancel_issued_by, &match);
}

static __attribute__((constructor)) void set_exit_hook(void)
{
    thread_exit_hooks[1] = cancel_thread;
}
