/* SPDX-License-Identifier: MIT */
/*
 * Lanes. While `running` is set one thread owns a lane: it attempts the head with the lock
 * released, and others only append. A lane whose head would block is `drained`, which means: the
 * next edge has not come yet. Edges are counted, and "drained" is only believed if the count did
 * not move during the attempt: an edge harvested meanwhile wins.
 *
 * Invariants, under the file's lock:
 *   drained implies registered (else no edge would ever come)
 *   requests waiting and nobody running implies drained
 * so a descriptor is registered before its first blocked request is left alone.
 *
 * A completion goes out while `running` is still set: requests of a lane are answered in order.
 */
#include "io/lane.h"

#include "base/align.h"
#include "base/os_here.h"
#include "base/status.h"
#include "engine/home.h"
#include "io/port.h"
#include "ntstatus.h"
#include "object/handle.h"

#include <assert.h>
#include <errno.h>

#define GENERATION_MASK 0x3FFFFFFFu
#define IN_EDGES (READY_IN | READY_PRI | READY_RDHUP | READY_HUP | READY_ERR)
#define OUT_EDGES (READY_OUT | READY_HUP | READY_ERR)
#define TROUBLE_EDGES (READY_RDHUP | READY_HUP | READY_ERR | READY_PRI)
enum { ANSWERS_AT_ONCE = 64 };

/* ---- registration ---- */

int lane_poller(struct port *port, struct poller **out)
{
    int err;

    if (!port) {
        err = home_start();
        *out = err ? NULL : home_poller();
        return err;
    }
    err = queue_make_poller(&port->queue);
    *out = atomic_load(&port->queue.poller);
    return err;
}

static uint64_t token_of(const struct file *f)
{
    return (uint64_t)f->generation << 32 | (uint32_t)f->fd;
}

static int add_locked(struct file *f, struct poller *p)
{
    uint64_t token;
    int fd = file_poll_fd(f);
    int err;

    lock_assert_held(&f->lock);
    f->generation = (f->generation + 1) & GENERATION_MASK;
    token = token_of(f);
    f->trouble = false;
    err = poller_add(p, fd, token);
    if (err == -EEXIST) { /* left behind under this number by somebody's close(2) */
        poller_remove(p, fd);
        err = poller_add(p, fd, token);
    }
    if (err)
        return err;
    f->registered = true;
    f->poller = p;
    return 0;
}

/* Another descriptor is with this port's poller. */
static void tell_server(struct port *port)
{
    if (!port)
        return;
    queue_poke(&port->queue); /* sleeping workers may have had no poller to sleep in */
    home_watch();
}

/* With the poller of `port` (NULL: home's), if the file belongs there still. *moved: it does not. */
static uint32_t register_with(struct file *f, struct port *port, bool *moved)
{
    struct poller *p = NULL;
    bool added = false;
    int err;

    *moved = false;
    err = lane_poller(port, &p);
    if (err)
        return status_from_errno(err);
    lock_acquire(&f->lock);
    if (file_server_locked(f) != port) {
        *moved = true;
    } else if (!f->registered && !f->closing) {
        err = add_locked(f, p);
        added = err == 0;
    }
    lock_release(&f->lock);
    if (err)
        return err == -EPERM ? (uint32_t)STATUS_NOT_SUPPORTED : status_from_errno(err);
    if (added)
        tell_server(port);
    return STATUS_SUCCESS;
}

uint32_t lane_register(struct file *f)
{
    bool moved;
    uint32_t status;

    do {
        struct port *port = file_server_get(f);

        status = register_with(f, port, &moved);
        if (port)
            object_put(&port->object);
    } while (moved);
    return status;
}

void lane_unregister_locked(struct file *f)
{
    lock_assert_held(&f->lock);
    if (f->registered) {
        poller_remove(f->poller, file_poll_fd(f));
        f->registered = false;
        f->poller = NULL;
    }
    for (unsigned i = 0; i < file_lanes(f); i++)
        file_lane(f, i)->drained = false;
}

void lane_unregister(struct file *f)
{
    lock_acquire(&f->lock);
    lane_unregister_locked(f);
    lock_release(&f->lock);
}

/* Into the new one before it leaves the old one: the former may fail. Edges of the latter that are under way
 * have another generation. */
int lane_move_locked(struct file *f, struct poller *to)
{
    struct poller *from = f->poller;
    uint32_t generation = f->generation;
    bool trouble = f->trouble;
    int err;

    lock_assert_held(&f->lock);
    assert(f->registered);
    if (from == to)
        return 0;
    err = add_locked(f, to);
    if (err) {
        f->generation = generation;
        f->trouble = trouble;
        return err;
    }
    poller_remove(from, file_poll_fd(f));
    for (int i = 0; i < LANE_COUNT; i++)
        f->lanes[i].drained = false;
    return 0;
}

void lane_moved(struct file *f, struct port *port)
{
    tell_server(port);
    lane_kick(f);
}

/* ---- attempts ---- */

/* The descriptor may be ready still: has its edge come again. False: that cannot be had. */
static bool yield_locked(struct file *f, struct lane *lane)
{
    lock_assert_held(&f->lock);
    lane->drained = true;
    if (poller_again(f->poller, file_poll_fd(f), token_of(f)) != 0)
        lane->drained = false;
    return lane->drained;
}

/* The thread may be the program's, which may have been asked to end: not while it runs a lane. */
static __attribute__((noinline)) uint32_t attempt_sheltered(struct request *r)
{
    int cancel = os_cancel_off();
    uint32_t status = r->ops->attempt(r);

    os_cancel_back(cancel);
    return status;
}

/*
 * Attempts r, head of a lane that the caller runs, until it is settled or waits for an edge. Lock
 * held on entry and return. After LANE_MOVED r is not ours any more.
 */
static ALWAYS_INLINE uint32_t attempt_locked(struct file *f, struct lane *lane, struct request *r)
{
    for (;;) {
        uint32_t edges = lane->edges;
        bool registered = f->registered;
        uint32_t status;
        uint32_t failure = STATUS_SUCCESS;
        bool yields;

        r->attempting = true;
        lock_release(&f->lock);
        status = __builtin_expect(r->ops->sheltered, 1) ? r->ops->attempt(r) : attempt_sheltered(r);
        yields = status == LANE_YIELD;
        if (yields)
            status = STATUS_PENDING;
        if (status == STATUS_PENDING && !registered)
            failure = lane_register(f);
        lock_acquire(&f->lock);
        if (status == LANE_MOVED)
            return status;
        r->attempting = false;
        if (status == STATUS_PENDING) {
            if (atomic_load(&r->cancelled) || f->closing)
                return STATUS_CANCELLED;
            if (failure != STATUS_SUCCESS)
                return failure;
            if (yields && f->registered && yield_locked(f, lane))
                return STATUS_PENDING;
            if (yields || lane->edges != edges || !f->registered)
                continue;
            if (lane == &f->lanes[LANE_IN])
                f->trouble = false;
            lane->drained = true;
            return STATUS_PENDING;
        }
        if (f->closing && status_is_error(status))
            return STATUS_CANCELLED; /* the descriptor was taken away under the attempt */
        if (r->drained_hint && f->registered && !f->trouble && lane->edges == edges)
            lane->drained = true;
        return status;
    }
}

/* Appends or, for the head that has been attempted, puts first. */
static void queue_locked(struct file *f, struct lane *lane, struct request *r, bool first)
{
    lock_assert_held(&f->lock);
    assert(r->file == f && !r->noted);
    atomic_store_explicit(&r->state, REQUEST_QUEUED, memory_order_relaxed);
    if (first)
        list_push_front(&lane->requests, &r->entry.link);
    else
        list_push_back(&lane->requests, &r->entry.link);
    if (r->ops->queued) {
        r->noted = true;
        r->ops->queued(r);
    }
}

/* DONE from here on, whichever file it completes on: who finds it leaves its link alone. */
static void unqueue_locked(struct file *f, struct request *r)
{
    lock_assert_held(&f->lock);
    list_remove(&r->entry.link);
    atomic_store_explicit(&r->state, REQUEST_DONE, memory_order_relaxed);
}

/* All that its requests wait for is an edge: true of what a socket receives. Elsewhere one may be done, or
 * its time be up, though the descriptor is not ready. */
static bool waits_for_edges(const struct file *f, const struct lane *lane)
{
    return f->kind == FILE_KIND_SOCKET && lane == &f->lanes[LANE_IN];
}

/*
 * Does what can be done on a lane that the caller runs. Lock held on entry and return. While others append
 * as fast as this answers there would be no end of it, and the caller - a worker with the first packet in its
 * hands, a starting call, the home thread - must get on: it leaves the rest to the next edge. The references
 * that requests of f held to it are the caller's to put: so many, with the lock released. In the caller's own
 * code, see os_here.h.
 */
static ALWAYS_INLINE unsigned work_here_locked(struct file *f, struct lane *lane)
{
    struct list *n;
    unsigned owed = 0;
    unsigned answers = 0;

    assert(lane->running);
    while (!lane->drained && (n = list_first(&lane->requests)) != NULL) {
        struct request *r = container_of(n, struct request, entry.link);
        uint32_t edges = lane->edges;
        uint32_t status = attempt_locked(f, lane, r);

        if (status == STATUS_PENDING || status == LANE_MOVED)
            continue;
        unqueue_locked(f, r);
        lock_release(&f->lock);
        if (r->file == f) {
            request_answer(r, status, false);
            owed++;
        } else {
            request_complete(r, status, false);
        }
        lock_acquire(&f->lock);
        if (++answers % ANSWERS_AT_ONCE == 0 && f->registered && !lane->drained &&
            waits_for_edges(f, lane) && lane->edges == edges) /* a kick does not come again */
            yield_locked(f, lane);
    }
    lane->running = false;
    return owed;
}

/* The same as a call. */
static unsigned work_locked(struct file *f, struct lane *lane)
{
    return work_here_locked(f, lane);
}

static inline void add_edge(struct lane *lane)
{
    lane->edges++;
    lane->drained = false;
}

static bool lane_wants_work(const struct lane *lane)
{
    return !lane->running && !lane->drained && !list_empty(&lane->requests);
}

static ALWAYS_INLINE unsigned run_lanes_locked(struct file *f)
{
    unsigned owed = 0;

    /* First: a receive of other data that gets as far as the urgent byte leaves it behind. */
    if (__builtin_expect(f->urgent, 0) && lane_wants_work(&f->rare->urgent)) {
        f->rare->urgent.running = true;
        owed += work_locked(f, &f->rare->urgent);
    }
    for (int i = 0; i < LANE_COUNT; i++) {
        if (!lane_wants_work(&f->lanes[i]))
            continue;
        f->lanes[i].running = true;
        if (i == LANE_IN) /* the one that mostly waits */
            owed += work_here_locked(f, &f->lanes[i]);
        else
            owed += work_locked(f, &f->lanes[i]);
    }
    return owed;
}

void lane_run(struct file *f)
{
    unsigned owed;

    lock_acquire(&f->lock);
    owed = run_lanes_locked(f);
    lock_release(&f->lock);
    object_put_many(&f->object, owed);
}

bool lane_withdraw_locked(struct file *f, struct request *r)
{
    struct lane *head_of = NULL;

    lock_assert_held(&f->lock);
    assert(!r->attempting);
    for (unsigned i = 0; i < file_lanes(f); i++) {
        struct lane *lane = file_lane(f, i);

        if (list_first(&lane->requests) != &r->entry.link)
            continue;
        /* What comes next may want another thing than the edge that r waited for, or nothing at all. */
        if (waits_for_edges(f, lane))
            break;
        lane->drained = false;
        head_of = lane;
        break;
    }
    unqueue_locked(f, r);
    return head_of && !f->closing && lane_wants_work(head_of);
}

void lane_kick(struct file *f)
{
    unsigned owed;

    lock_acquire(&f->lock);
    for (unsigned i = 0; i < file_lanes(f); i++)
        add_edge(file_lane(f, i));
    owed = run_lanes_locked(f);
    lock_release(&f->lock);
    object_put_many(&f->object, owed);
}

/* ---- starting ---- */

uint32_t lane_open_urgent(struct file *f)
{
    uint32_t status = file_need_rare(f);

    if (status != STATUS_SUCCESS)
        return status;
    lock_acquire(&f->lock);
    if (!f->urgent) {
        list_init(&f->rare->urgent.requests);
        f->urgent = true;
    }
    lock_release(&f->lock);
    return STATUS_SUCCESS;
}

/* Ends the caller's turn on the lane; what was appended meanwhile is worked on first. Lock held on entry,
 * not on return. f may be gone afterwards, unless the caller holds it. */
static void leave(struct file *f, struct lane *lane)
{
    unsigned owed;

    if (__builtin_expect(lane->drained || list_empty(&lane->requests), 1)) {
        lane->running = false;
        lock_release(&f->lock);
        return;
    }
    file_get(f); /* by a request that waits here f is held now, but it may be answered in there */
    owed = work_locked(f, lane);
    lock_release(&f->lock);
    object_put_many(&f->object, owed + 1);
}

/* The starting call's answer; r is gone afterwards. */
static uint32_t settle_in_call(struct request *r, uint32_t status, struct request_result *result)
{
    bool later = r->answers_later;

    if (status_is_error(status) && !r->never_refused)
        return request_refuse(r, status);
    if (!later && result)
        *result = (struct request_result){.bytes = r->bytes, .flags = r->out_flags};
    request_complete(r, status, !later);
    return later ? (uint32_t)STATUS_PENDING : status;
}

/* The caller runs the lane, which is empty, and r is new. Lock held on entry, not on return. */
static ALWAYS_INLINE uint32_t start_first(struct file *f, struct lane *lane, struct request *r,
                                          struct request_result *result)
{
    uint32_t status = attempt_locked(f, lane, r);

    if (status == STATUS_PENDING)
        queue_locked(f, lane, r, true);
    if (status == STATUS_PENDING || status == LANE_MOVED) { /* moved on: the starting call holds f */
        leave(f, lane);
        return STATUS_PENDING;
    }
    /* Mostly nobody has queued up behind it, and the turn ends here. Otherwise it ends after the
     * answer, so that those behind it are answered later. */
    if (__builtin_expect(list_empty(&lane->requests), 1)) {
        lane->running = false;
        lock_release(&f->lock);
        return settle_in_call(r, status, result);
    }
    file_get(f);
    lock_release(&f->lock);
    status = settle_in_call(r, status, result);
    lock_acquire(&f->lock);
    leave(f, lane);
    file_put(f);
    return status;
}

/* r's reference keeps the file until r is answered; from then on f is not touched here. */
uint32_t lane_start(struct request *r, enum lane_direction dir, struct request_result *result)
{
    struct file *f = r->file;
    struct lane *lane = file_lane(f, dir);

    if (r->wide)
        atomic_store_explicit(&r->lane_file, f, memory_order_relaxed);
    lock_acquire(&f->lock);
    if (__builtin_expect(f->closing, 0)) {
        lock_release(&f->lock);
        return request_refuse(r, STATUS_CANCELLED);
    }
    if (lane->running || lane->drained || !list_empty(&lane->requests)) {
        queue_locked(f, lane, r, false);
        lock_release(&f->lock);
        return STATUS_PENDING;
    }
    lane->running = true;
    return start_first(f, lane, r, result);
}

/* ---- synchronous calls ---- */

enum lane_entry lane_enter(struct file *f, enum lane_direction dir, bool keep)
{
    struct lane *lane = file_lane(f, dir);
    enum lane_entry entry = LANE_FREE;

    lock_acquire(&f->lock);
    if (!list_empty(&lane->requests) || lane->kept)
        entry = LANE_BUSY;
    else if (keep && lane->running)
        entry = LANE_SOON;
    else if (keep)
        lane->running = true;
    lock_release(&f->lock);
    return entry;
}

void lane_keep(struct file *f, enum lane_direction dir)
{
    struct lane *lane = file_lane(f, dir);

    lock_acquire(&f->lock);
    assert(lane->running && !lane->kept);
    lane->kept = true;
    lock_release(&f->lock);
}

void lane_leave(struct file *f, enum lane_direction dir)
{
    struct lane *lane = file_lane(f, dir);

    lock_acquire(&f->lock);
    assert(lane->running);
    lane->kept = false;
    leave(f, lane);
}

bool lane_hand_over(struct request *r, enum lane_direction dir)
{
    struct file *f = r->file;
    struct lane *lane = file_lane(f, dir);
    bool open;

    lock_acquire(&f->lock);
    assert(lane->running && !r->wide);
    lane->kept = false;
    lane->drained = false;
    open = !f->closing;
    if (open)
        queue_locked(f, lane, r, true);
    leave(f, lane);
    return open;
}

/* ---- moving ---- */

void lane_move(struct request *r, struct file *to, enum lane_direction dir)
{
    struct file *from = r->file;
    struct lane *lane = &to->lanes[dir];
    unsigned owed = 0;
    bool stop;

    assert(r->wide);
    if (to != from)
        file_get(to); /* the request's */
    file_get(to); /* ours, for the time after the request has gone */
    lock_acquire(&from->lock);
    list_remove(&r->entry.link);
    if (!r->pended) {
        list_push_back(&from->pending, &r->pending);
        r->pended = true;
    }
    r->attempting = false;
    atomic_store_explicit(&r->state, REQUEST_QUEUED, memory_order_relaxed);
    atomic_store(&r->lane_file, to);
    stop = from->closing || atomic_load(&r->cancelled);
    lock_release(&from->lock);

    lock_acquire(&to->lock);
    if (stop || to->closing || atomic_load(&r->cancelled)) {
        atomic_store_explicit(&r->state, REQUEST_DONE, memory_order_relaxed);
        lock_release(&to->lock);
        request_complete(r, STATUS_CANCELLED, false);
        file_put(to);
        return;
    }
    list_push_back(&lane->requests, &r->entry.link);
    if (!lane->running && !lane->drained) {
        lane->running = true;
        owed = work_locked(to, lane);
    }
    lock_release(&to->lock);
    object_put_many(&to->object, owed + 1);
}

/* ---- edges ---- */

/* The file a token names, if that registration still stands; counted. */
static struct file *file_of_token(uint64_t token)
{
    struct object *obj = handle_get_fd_owner((int)(uint32_t)token);

    if (!obj)
        return NULL;
    if (obj->type->kind == OBJECT_FILE)
        return file_from_object(obj);
    object_put(obj);
    return NULL;
}

/* Its turn comes when the rest of the harvest has been noted: until then it can be on its way here. */
static void fetch_ahead(const struct file *f)
{
    const struct list *n = list_first(&f->lanes[LANE_IN].requests);
    const char *r;

    __builtin_prefetch(&f->ready);
    if (!n)
        return;
    r = (const char *)container_of(n, const struct request, entry.link);
    __builtin_prefetch(r);
    __builtin_prefetch(r + CACHE_LINE);
}

/* Notes an edge. True: there is work, and the file is now marked. */
static bool note_edge(struct file *f, uint64_t token, uint32_t events)
{
    bool work = false;

    lock_acquire(&f->lock);
    if (f->registered && f->generation == (uint32_t)(token >> 32)) {
        if (events & TROUBLE_EDGES)
            f->trouble = true;
        if (events & IN_EDGES)
            add_edge(&f->lanes[LANE_IN]);
        if (events & OUT_EDGES)
            add_edge(&f->lanes[LANE_OUT]);
        work = lane_wants_work(&f->lanes[LANE_IN]) || lane_wants_work(&f->lanes[LANE_OUT]);
        if (__builtin_expect(f->urgent, 0) && (events & TROUBLE_EDGES)) {
            add_edge(&f->rare->urgent);
            work |= lane_wants_work(&f->rare->urgent);
        }
        work &= !f->marked;
        if (work) {
            f->marked = true;
            f->marked_in = f->binding;
            fetch_ahead(f);
        }
    }
    lock_release(&f->lock);
    return work;
}

struct queue_entry *lane_edge_queue(uint64_t token, uint32_t events)
{
    struct file *f = file_of_token(token);
    bool work;

    if (!f)
        return NULL;
    work = note_edge(f, token, events);
    if (f->ops && f->ops->edge)
        f->ops->edge(f, events);
    if (work)
        return &f->ready; /* with our reference */
    file_put(f);
    return NULL;
}

void lane_run_ready(struct queue_entry *e)
{
    struct file *f = container_of(e, struct file, ready);
    unsigned owed;

    lock_acquire(&f->lock);
    f->marked = false;
    owed = run_lanes_locked(f);
    lock_release(&f->lock);
    object_put_many(&f->object, owed + 1); /* the entry's */
}

void lane_edge_home(struct poller *p, uint64_t token, uint32_t events)
{
    struct file *f = file_of_token(token);

    (void)p;
    if (!f)
        return;
    if (note_edge(f, token, events)) {
        file_get(f);
        lane_run_ready(&f->ready);
    }
    if (f->ops && f->ops->edge)
        f->ops->edge(f, events);
    file_put(f);
}

static __attribute__((constructor)) void set_home_edge(void)
{
    home_set_edge(lane_edge_home);
}
