/* SPDX-License-Identifier: MIT */
/*
 * Cleanup groups, and what timer queues are made of. A task is a member from its making until it is closed
 * and its last callback has returned: who closes the group waits for the callbacks of those too that were
 * closed by themselves before. Closing all members takes them off the list, stops and cancels them first, so
 * that none of them keeps causing callbacks while another one is waited for; and waits for all before it
 * closes the first, since the callback of one may submit another.
 */
#include "pool/group.h"

#include "ntstatus.h"

#include <assert.h>
#include <stdlib.h>

struct group {
    struct object object;
    struct lock lock;    /* all below, and of its members task.member, left and gone */
    struct list members; /* borrowed: kept by the program's reference, and then by what pends or runs */
    bool retired;        /* nobody joins any more */
    struct object *done; /* reference to be put when the last member goes, or NULL */
};

static void destroy(struct object *obj)
{
    struct group *g = container_of(obj, struct group, object);

    assert(list_empty(&g->members));
    free(g);
}

static const struct object_type group_type = {
    .name = "cleanup group",
    .kind = OBJECT_TASK,
    .destroy = destroy,
};

uint32_t group_new(struct group **out)
{
    struct group *g = malloc(sizeof *g);

    if (!g)
        return STATUS_NO_MEMORY;
    object_init(&g->object, &group_type);
    lock_init(&g->lock, LOCK_LEAF);
    list_init(&g->members);
    g->retired = false;
    g->done = NULL;
    *out = g;
    return STATUS_SUCCESS;
}

void group_put(struct group *g)
{
    object_put(&g->object);
}

struct object *group_object(struct group *g)
{
    return &g->object;
}

struct group *group_from_object(struct object *obj)
{
    return obj->type == &group_type ? container_of(obj, struct group, object) : NULL;
}

void group_get(struct group *g)
{
    object_get(&g->object);
}

bool group_join(struct group *g, struct task *t)
{
    bool open;

    lock_acquire(&g->lock);
    open = !g->retired;
    if (open && !t->gone) /* its handle may be known already, and another thread has closed it */
        list_push_back(&g->members, &t->member);
    lock_release(&g->lock);
    return open;
}

void group_leave(struct group *g, struct task *t)
{
    lock_acquire(&g->lock);
    t->left = true;
    lock_release(&g->lock);
}

void group_forget(struct group *g, struct task *t)
{
    struct object *done = NULL;

    lock_acquire(&g->lock);
    t->gone = true;
    if (list_linked(&t->member))
        list_remove(&t->member);
    if (list_empty(&g->members)) {
        done = g->done;
        g->done = NULL;
    }
    lock_release(&g->lock);
    if (done)
        object_put(done);
}

/* Takes the next one off a list of members, counted. */
static struct task *take(struct group *g, struct list *from)
{
    struct task *t = NULL;
    struct list *n;

    lock_acquire(&g->lock);
    n = list_pop_front(from);
    if (n) {
        t = container_of(n, struct task, member);
        object_get(&t->object);
    }
    lock_release(&g->lock);
    return t;
}

/* Puts it onto a list unless it has gone meanwhile, and gives up the reference. */
static void keep(struct group *g, struct list *to, struct task *t)
{
    lock_acquire(&g->lock);
    if (!t->gone)
        list_push_back(to, &t->member);
    lock_release(&g->lock);
    object_put(&t->object);
}

static bool is_member(struct group *g, struct task *t)
{
    bool left;

    lock_acquire(&g->lock);
    left = t->left;
    lock_release(&g->lock);
    return !left;
}

static void move_all(struct group *g, struct list *to, struct list *from)
{
    lock_acquire(&g->lock);
    list_splice_back(to, from);
    lock_release(&g->lock);
}

static void stop_all(struct group *g, struct list *members, bool cancel)
{
    struct list stopped;
    struct task *t;

    list_init(&stopped);
    while ((t = take(g, members)) != NULL) {
        if (t->ops->stop)
            t->ops->stop(t); /* of one that is closed: for the second time, which does nothing */
        if (cancel) {
            task_refuse(t);
            task_cancel(t);
        }
        keep(g, &stopped, t);
    }
    move_all(g, members, &stopped);
}

/* Until all are idle at the same time. They are if they are found so twice, one after the other, and nothing
 * was caused in between. */
static void wait_for_all(struct group *g, struct list *members, bool cancel)
{
    uint64_t caused = 0, before;
    struct list waited;
    struct task *t;
    bool busy;

    list_init(&waited);
    do {
        busy = false;
        before = caused;
        caused = 1; /* the first round is never the last */
        while ((t = take(g, members)) != NULL) {
            uint32_t n;

            busy |= task_is_busy(t, &n);
            caused += n;
            task_wait(t, cancel);
            keep(g, &waited, t);
        }
        move_all(g, members, &waited);
    } while (!cancel && (busy || caused != before));
}

void group_close_members(struct group *g, bool cancel, void *cleanup_context)
{
    struct list closing;
    struct task *t;

    list_init(&closing);
    object_get(&g->object);
    move_all(g, &closing, &g->members);
    stop_all(g, &closing, cancel);
    wait_for_all(g, &closing, cancel);
    while ((t = take(g, &closing)) != NULL) {
        if (cancel && t->cancelled && is_member(g, t))
            t->cancelled(t->context, cleanup_context);
        task_close(t);
        object_put(&t->object);
    }
    group_put(g);
}

uint32_t group_retire_members(struct group *g, struct object *latch)
{
    uint32_t status = STATUS_SUCCESS;
    struct list retiring;
    struct task *t;

    list_init(&retiring);
    object_get(&g->object);
    lock_acquire(&g->lock);
    g->retired = true;
    list_splice_back(&retiring, &g->members);
    lock_release(&g->lock);
    while ((t = take(g, &retiring)) != NULL) {
        task_retire(t, NULL); /* refused where that has been done before */
        keep(g, &g->members, t);
    }
    lock_acquire(&g->lock);
    if (!list_empty(&g->members)) {
        status = STATUS_PENDING;
        g->done = latch ? object_get(latch) : NULL;
    }
    lock_release(&g->lock);
    group_put(g);
    return status;
}
