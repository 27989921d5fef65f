/* SPDX-License-Identifier: MIT */
/* The completion port: requests in and packets out of a concurrency queue; see port.h. */
#include "io/port.h"

#include "io/file.h"
#include "io/lane.h"
#include "io/notice.h"
#include "ntstatus.h"
#include "wait/thread.h"

#include <stdlib.h>
#include <unistd.h>

static struct request *request_of(struct queue_entry *e)
{
    return container_of(e, struct request, entry);
}

static struct port *port_of(struct object *obj)
{
    return container_of(obj, struct port, object);
}

static void drop(struct request *r)
{
    thread_count(thread_current(), LEDGER_DROPPED, 1);
    request_put(r);
}

static void drop_noticed(struct queue_entry *e)
{
    thread_count(thread_current(), LEDGER_DROPPED, 1);
    notice_drop(e);
}

static void run_ready(struct queue_entry *e)
{
    if (__builtin_expect(e->ready == QUEUE_NOTICE, 0))
        notice_run(e);
    else
        lane_run_ready(e);
}

/* Files keep the port alive: what they complete from now on is dropped. */
void port_close(struct port *port)
{
    struct queue *q = &port->queue;
    struct queue_entry *e;

    queue_close(q);
    while ((e = queue_drain(q)) != NULL) {
        if (e->ready)
            queue_run_ready(q, e);
        else if (e->noticed)
            drop_noticed(e);
        else
            drop(request_of(e));
    }
}

static void cleanup(struct object *obj)
{
    port_close(port_of(obj));
}

static void destroy(struct object *obj)
{
    struct port *port = port_of(obj);

    queue_free(&port->queue);
    free(port);
}

const struct object_type port_type = {
    .name = "port",
    .kind = OBJECT_PORT,
    .cleanup = cleanup,
    .destroy = destroy,
};

uint32_t port_processors(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    return processors > 0 ? (uint32_t)processors : 1;
}

void port_init(struct port *port, const struct object_type *type, uint32_t concurrency)
{
    object_init(&port->object, type);
    queue_init(&port->queue, concurrency ? concurrency : port_processors(), &port->object, lane_edge_queue,
               run_ready);
}

uint32_t port_new(uint32_t concurrency, struct port **out)
{
    struct port *port = malloc(sizeof *port);

    if (!port)
        return STATUS_INSUFFICIENT_RESOURCES;
    port_init(port, &port_type, concurrency);
    *out = port;
    return STATUS_SUCCESS;
}

void port_put(struct port *port, struct request *r, struct dispatcher *event, uintptr_t *answer)
{
    bool open;

    thread_count(thread_current(), LEDGER_QUEUED, 1);
    if (event)
        open = queue_put_with_event(&port->queue, &r->entry, event, answer, r->status);
    else
        open = queue_put_own(&port->queue, &r->entry);
    if (!open)
        drop(r);
}

uint32_t port_post(struct port *port, uint32_t bytes, uintptr_t key, OVERLAPPED *ov)
{
    struct request *r = request_new_packet();
    struct thread *self = thread_current();

    if (!r)
        return STATUS_INSUFFICIENT_RESOURCES;
    r->key = key;
    r->ov = ov;
    r->status = STATUS_SUCCESS;
    r->bytes = bytes;
    thread_count(self, LEDGER_POSTED, 1);
    thread_count(self, LEDGER_QUEUED, 1);
    if (!queue_put(&port->queue, &r->entry))
        drop(r); /* closed by another thread this very moment: as if that had come just after */
    return STATUS_SUCCESS;
}

static void unpack(struct queue_entry *e, struct packet *p)
{
    struct request *r = request_of(e);

    if (__builtin_expect(e->noticed, 0)) {
        notice_unpack(e, p);
        return;
    }
    p->key = r->key;
    p->ov = r->ov;
    p->status = r->status;
    p->bytes = r->bytes;
    request_put(r);
}

void port_unpack(struct queue_entry *e, struct packet *out)
{
    unpack(e, out);
    thread_count(thread_current(), LEDGER_DELIVERED, 1);
}

static unsigned deliver(struct queue_entry *const *entries, unsigned n, struct packet *out)
{
    for (unsigned i = 0; i < n; i++)
        unpack(entries[i], &out[i]);
    thread_count(thread_current(), LEDGER_DELIVERED, n);
    return n;
}

static unsigned at_most(unsigned max)
{
    return max < PACKETS_PER_GET ? max : PACKETS_PER_GET;
}

uint32_t port_get(struct port *port, struct packet *out, unsigned max, unsigned *count,
                  bool alertable, uint64_t deadline_ns)
{
    struct queue_entry *entries[PACKETS_PER_GET];
    unsigned n = 0;
    uint32_t status = queue_get(&port->queue, entries, at_most(max), &n, alertable, deadline_ns);

    *count = status == STATUS_SUCCESS ? deliver(entries, n, out) : 0;
    return status;
}

uint32_t port_get_one(struct port *port, struct packet *out, uint64_t deadline_ns)
{
    struct queue_entry *e;
    unsigned n;
    uint32_t status = queue_get(&port->queue, &e, 1, &n, false, deadline_ns);

    if (status == STATUS_SUCCESS)
        port_unpack(e, out);
    return status;
}

unsigned port_get_more(struct port *port, struct packet *out, unsigned max)
{
    struct queue_entry *entries[PACKETS_PER_GET];

    return deliver(entries, queue_get_more(&port->queue, entries, at_most(max)), out);
}
