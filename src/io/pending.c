/* SPDX-License-Identifier: MIT */
/*
 * What is pending; see pending.h. Files are visited one by one, each under its own lock: every operation
 * that is in flight from the beginning of the walk to its end is found, once.
 */
#include "io/pending.h"

#include "io/file.h"
#include "io/port.h"
#include "io/verify.h"
#include "object/handle.h"

#include <stdlib.h>

/* Room for one more at the end of an array; false, and noted, when there is no memory. */
static bool grow(void **array, size_t count, size_t size, bool *incomplete)
{
    void *more;

    if (count & (count - 1)) /* it doubles at the powers of two */
        return true;
    more = realloc(*array, (count ? 2 * count : 1) * size);
    if (!more) {
        *incomplete = true;
        return false;
    }
    *array = more;
    return true;
}

static const char *kind_name(const struct file *f)
{
    static const char *const names[] = {
        [FILE_KIND_DISK] = "file", [FILE_KIND_DIR] = "directory", [FILE_KIND_SOCKET] = "socket",
        [FILE_KIND_PIPE] = "pipe", [FILE_KIND_CHAR] = "device", [FILE_KIND_EVENTFD] = "eventfd",
        [FILE_KIND_DEVICE] = "device", [FILE_KIND_NAMED] = "named pipe"};

    return f->kind < sizeof names / sizeof names[0] && names[f->kind] ? names[f->kind] : "file";
}

/* ---- ports: first, so that files can name theirs ---- */

/* While a snapshot is taken: the ports behind snapshot.ports, counted. */
struct walk {
    struct pending_snapshot *s;
    struct port **ports;
};

static void see_port(struct object *obj, uintptr_t h, void *ctx)
{
    struct walk *w = ctx;
    struct pending_snapshot *s = w->s;
    struct port *port;
    struct queue *q;
    struct pending_port *out;

    if (obj->type->kind != OBJECT_PORT)
        return;
    port = port_from_object(obj);
    for (size_t i = 0; i < s->port_count; i++)
        if (w->ports[i] == port)
            return; /* a duplicate */
    if (!grow((void **)&w->ports, s->port_count, sizeof *w->ports, &s->incomplete) ||
        !grow((void **)&s->ports, s->port_count, sizeof *s->ports, &s->incomplete))
        return;
    object_get(obj);
    w->ports[s->port_count] = port;
    out = &s->ports[s->port_count++];
    q = &port->queue;
    lock_acquire(&q->lock);
    *out = (struct pending_port){
        .handle = h, .active_max = q->active_usual, .active = q->active, .taken = q->taken,
        .members = q->member_count, .packets = q->count - q->ready, .ready = q->ready};
    list_for_each(l, &q->waiters)
        out->waiters++;
    lock_release(&q->lock);
}

/* ---- files and what is in flight on them ---- */

static void see_operation(struct walk *w, struct file *f, const struct request *r, const struct port *port)
{
    struct pending_snapshot *s = w->s;
    struct pending_operation *out;

    if (!grow((void **)&s->operations, s->operation_count, sizeof *s->operations, &s->incomplete))
        return;
    out = &s->operations[s->operation_count++];
    *out = (struct pending_operation){
        .name = request_name(r), .ov = r->ov, .size = r->size, .fd = f->fd, .key = port ? f->key : 0,
        .cancelled = atomic_load(&r->cancelled)};
    verify_since(r, &out->began_ns, &out->tid);
    for (size_t i = 0; port && i < s->port_count; i++)
        if (w->ports[i] == port)
            out->port = s->ports[i].handle;
}

static void see_file(struct object *obj, uintptr_t fd, void *ctx)
{
    struct walk *w = ctx;
    struct pending_snapshot *s = w->s;
    size_t before = s->operation_count;
    const struct port *port;
    struct file *f;
    uint32_t blocked = 0;

    if (obj->type->kind != OBJECT_FILE)
        return;
    f = file_from_object(obj);
    if ((uintptr_t)f->fd != fd)
        return; /* a duplicate */
    lock_acquire(&f->lock);
    port = atomic_load(&f->port);
    for (unsigned i = 0; i < file_lanes(f); i++) {
        list_for_each(l, &file_lane(f, i)->requests) {
            struct request *r = container_of(l, struct request, entry.link);

            if (r->file == f && !r->pended) /* else it is in the other list, too */
                see_operation(w, f, r, port);
        }
    }
    list_for_each(l, &f->pending)
        see_operation(w, f, container_of(l, struct request, pending), port);
    list_for_each(l, &f->sync_waiters)
        blocked++;
    lock_release(&f->lock);
    for (size_t i = 0; port && i < s->port_count; i++)
        if (w->ports[i] == port)
            s->ports[i].files++;
    if (!grow((void **)&s->files, s->file_count, sizeof *s->files, &s->incomplete))
        return;
    s->files[s->file_count++] = (struct pending_file){
        .fd = f->fd, .kind = kind_name(f), .operations = (uint32_t)(s->operation_count - before),
        .blocked = blocked};
}

void pending_take(struct pending_snapshot *out)
{
    struct walk w = {.s = out};

    *out = (struct pending_snapshot){.operation_count = 0};
    handle_each_value(see_port, &w);
    handle_each_fd(see_file, &w);
    for (size_t i = 0; i < out->port_count; i++)
        object_put(&w.ports[i]->object);
    free(w.ports);
}

void pending_free(struct pending_snapshot *s)
{
    free(s->operations);
    free(s->files);
    free(s->ports);
}
