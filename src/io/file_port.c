/* SPDX-License-Identifier: MIT */
/*
 * Where a file's completions go: its port, the key, the port whose poller serves a file that has none. A
 * file that pends moves with all that waits in its lanes, and nothing of it is left behind in the old port.
 */
#include "io/file.h"

#include "base/status.h"
#include "io/lane.h"
#include "io/port.h"
#include "ntstatus.h"

#include <assert.h>
#include <sched.h>
#include <stdlib.h>

/* ---- marks ---- */

bool file_take_mark_back(struct file *f, struct port *port, uint8_t binding)
{
    bool taken = false, old;

    lock_acquire(&f->lock);
    if (f->marked && f->marked_in == binding && port)
        taken = queue_withdraw(&port->queue, &f->ready);
    if (taken)
        f->marked = false;
    old = f->marked && f->marked_in != f->binding; /* or another mover's, lest they wrap */
    lock_release(&f->lock);
    if (taken)
        file_put(f);
    return !old;
}

/* Waits until nothing of f is in the old port's queue, nor on its way there from a harvest, nor out of it:
 * nobody may look into that port again. Who is in between has only a few steps to go. */
static void clear_marks(struct file *f, struct port *old, uint8_t binding)
{
    while (!file_take_mark_back(f, old, binding))
        sched_yield();
}

/* ---- moving ---- */

/* A file on its way from one server (file_server_locked) to the next. */
struct move {
    struct port *next, *stale; /* counted; NULL */
    struct poller *to;         /* the next one's; NULL: it need not be there */
    bool moved;                /* the registration */
    struct port *left;         /* counted: in its queue marks may stand; NULL */
    uint8_t binding;           /* of these */
};

static void put_port(struct port *port)
{
    if (port)
        object_put(&port->object);
}

/* `port` becomes the file's own, or is only to serve it; a NULL ends that. */
static struct port *next_server_locked(struct file *f, struct port *port, bool serves)
{
    struct port *own = serves ? atomic_load(&f->port) : port;

    lock_assert_held(&f->lock);
    if (own || serves)
        return own ? own : port;
    return f->rare ? f->rare->server : NULL;
}

/*
 * Takes the lock. If f is registered, there is a poller to go to then: when all is done what pends would fail
 * for want of it. On failure the lock is not held.
 */
static uint32_t move_begin(struct file *f, struct port *port, bool serves, struct move *m)
{
    *m = (struct move){0};
    for (;;) {
        int err;

        m->stale = m->next;
        lock_acquire(&f->lock);
        m->next = next_server_locked(f, port, serves);
        if (m->next)
            object_get(&m->next->object);
        if (!f->registered || (m->to && m->next == m->stale))
            return STATUS_SUCCESS;
        lock_release(&f->lock);
        put_port(m->stale);
        err = lane_poller(m->next, &m->to);
        if (err) {
            put_port(m->next);
            return status_from_errno(err);
        }
    }
}

/* The registration goes over to the next server before the file says so; or all stays as it is. */
static uint32_t move_locked(struct file *f, struct move *m)
{
    struct port *server = file_server_locked(f);
    bool leaves = server && server != m->next && (f->registered || f->marked);

    if (f->registered && f->poller != m->to) {
        int err = lane_move_locked(f, m->to);

        if (err)
            return status_from_errno(err);
        m->moved = true;
    }
    if (leaves) {
        m->left = port_from_object(object_get(&server->object));
        m->binding = f->binding++; /* marks of before are told from those of the next registration */
    }
    return STATUS_SUCCESS;
}

/* Releases the lock; if it has moved, the file says where it belongs. */
static void move_end(struct file *f, struct move *m)
{
    lock_release(&f->lock);
    if (m->left)
        clear_marks(f, m->left, m->binding);
    if (m->left || m->moved) /* requests and selections of before wait for other edges now */
        lane_moved(f, m->next);
    put_port(m->left);
    put_port(m->next);
    put_port(m->stale);
}

/* ---- port and key ---- */

static void set_port_locked(struct file *f, struct port *port, uintptr_t key)
{
    lock_assert_held(&f->lock);
    __atomic_store_n(&f->key, key, __ATOMIC_RELEASE);
    if (port)
        object_get(&port->object);
    atomic_store(&f->port, port);
}

/* The first stays until destroy, for who reads it without the lock; a later one is read with it. */
static void set_changing_locked(struct file *f, struct file_key *key)
{
    lock_assert_held(&f->lock);
    if (atomic_load(&f->modes) & FILE_MODE_REBOUND) {
        assert(!f->rare->later); /* file_rebind has taken it away */
        f->rare->later = key;
        object_get(&key->object);
    }
    if (!f->rare->key) {
        f->rare->key = key;
        object_get(&key->object);
    }
    atomic_fetch_or(&f->modes, FILE_MODE_KEYED); /* rare is there: request.c */
}

static uint32_t associate(struct file *f, struct port *port, uintptr_t key, struct file_key *changing)
{
    struct move m;
    uint32_t status = move_begin(f, port, false, &m);

    if (status != STATUS_SUCCESS)
        return status;
    if (f->closing)
        status = STATUS_INVALID_HANDLE;
    else if (atomic_load(&f->port) || !(f->flags & FILE_OVERLAPPED))
        status = STATUS_INVALID_PARAMETER;
    else
        status = move_locked(f, &m);
    if (status == STATUS_SUCCESS) {
        set_port_locked(f, port, key);
        if (changing)
            set_changing_locked(f, changing);
    }
    move_end(f, &m);
    return status;
}

uint32_t file_associate(struct file *f, struct port *port, uintptr_t key)
{
    return associate(f, port, key, NULL);
}

static void destroy_key(struct object *obj)
{
    free(container_of(obj, struct file_key, object));
}

static const struct object_type key_type = {
    .name = "completion key",
    .kind = OBJECT_FILE,
    .destroy = destroy_key,
};

struct file_key *file_key_new(uintptr_t now)
{
    struct file_key *key = malloc(sizeof *key);

    if (!key)
        return NULL;
    object_init(&key->object, &key_type);
    atomic_init(&key->now, now);
    return key;
}

uint32_t file_associate_keyed(struct file *f, struct port *port, struct file_key *key)
{
    uint32_t status = file_need_rare(f);

    return status == STATUS_SUCCESS ? associate(f, port, atomic_load(&key->now), key) : status;
}

uintptr_t file_key_now(struct file *f)
{
    uintptr_t now = 0;

    if (!(atomic_load(&f->modes) & FILE_MODE_REBOUND))
        return atomic_load(&f->rare->key->now);
    lock_acquire(&f->lock);
    if (f->rare->later)
        now = atomic_load(&f->rare->later->now);
    lock_release(&f->lock);
    return now;
}

uint32_t file_rebind(struct file *f, struct port *port, uintptr_t key)
{
    struct port *old = NULL;
    struct file_key *later = NULL;
    struct move m;
    uint32_t status;

    if (!(f->flags & FILE_OVERLAPPED))
        return STATUS_INVALID_PARAMETER;
    if (file_need_rare(f) != STATUS_SUCCESS)
        return STATUS_INSUFFICIENT_RESOURCES;
    status = move_begin(f, port, false, &m);
    if (status != STATUS_SUCCESS)
        return status;
    status = f->closing ? (uint32_t)STATUS_INVALID_HANDLE : move_locked(f, &m);
    if (status == STATUS_SUCCESS) {
        old = atomic_load(&f->port);
        if (old && !f->rare->first_port)
            f->rare->first_port = port_from_object(object_get(&old->object));
        atomic_fetch_or(&f->modes, FILE_MODE_REBOUND); /* before either changes: file_target */
        set_port_locked(f, port, key);
        later = f->rare->later;
        f->rare->later = NULL;
    }
    move_end(f, &m);
    put_port(old);
    if (later)
        object_put(&later->object);
    return status;
}

struct port *file_port_get(struct file *f, uintptr_t *key, bool *changes)
{
    struct port *port;

    lock_acquire(&f->lock);
    port = atomic_load(&f->port);
    *key = f->key;
    *changes = f->rare->later != NULL;
    if (port)
        object_get(&port->object);
    lock_release(&f->lock);
    return port;
}

uint32_t file_add_modes(struct file *f, uint32_t modes)
{
    if (!(f->flags & FILE_OVERLAPPED) || (modes & ~(uint32_t)(FILE_MODE_SKIP_PORT | FILE_MODE_SKIP_EVENT)))
        return STATUS_INVALID_PARAMETER;
    atomic_fetch_or(&f->modes, (uint8_t)modes);
    return STATUS_SUCCESS;
}

static bool is_served_by(struct file *f, const struct port *port)
{
    bool served;

    lock_acquire(&f->lock);
    served = (f->rare ? f->rare->server : NULL) == port;
    lock_release(&f->lock);
    return served;
}

uint32_t file_serve(struct file *f, struct port *port)
{
    struct port *old = NULL;
    struct move m;
    uint32_t status;

    if (is_served_by(f, port))
        return STATUS_SUCCESS;
    if (file_need_rare(f) != STATUS_SUCCESS)
        return STATUS_INSUFFICIENT_RESOURCES;
    status = move_begin(f, port, true, &m);
    if (status != STATUS_SUCCESS)
        return status;
    status = f->closing ? (uint32_t)STATUS_INVALID_HANDLE : move_locked(f, &m);
    if (status == STATUS_SUCCESS && f->rare->server != port) {
        old = f->rare->server;
        f->rare->server = port ? port_from_object(object_get(&port->object)) : NULL;
    }
    move_end(f, &m);
    put_port(old);
    return status;
}

struct port *file_server_get(struct file *f)
{
    struct port *port;

    lock_acquire(&f->lock);
    port = file_server_locked(f);
    if (port)
        object_get(&port->object);
    lock_release(&f->lock);
    return port;
}
