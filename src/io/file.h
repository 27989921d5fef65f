/* SPDX-License-Identifier: MIT */
/*
 * The file object: whatever has a file descriptor. It carries what all kinds share - flags, the
 * port it belongs to, the two lanes, the requests pending on it - and a pointer to what one kind
 * alone knows (disk.c, sock.c ...).
 *
 * Rules:
 * 1. fd, kind and flags are constant after publication; so is `extra`'s pointer. But fd becomes a duplicate's
 *    number if the program takes the first one away while there is one (lose_number).
 * 2. `lock` guards: port, key, poller, generation, what stands behind ops up to `ready`,
 *    pending, sync_waiters, lanes, rare.
 * 3. port goes from NULL to a port once (promise PORT-04), and needs no lock to be read, until a program
 *    replaces it by the native API: then FILE_MODE_REBOUND is set for good, and who wants port and key
 *    takes the lock and a reference. The first port stays until destroy, for who read it just before.
 * 4. I/O always uses `fd`, open until destroy: mostly the object's first number.
 */
#ifndef IOCP_IO_FILE_H
#define IOCP_IO_FILE_H

#include "base/list.h"
#include "base/lock.h"
#include "base/own_fd.h"
#include "engine/poller.h"
#include "object/object.h"
#include "wait/dispatcher.h"
#include "wait/queue.h"
#include "wait/wait.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct port;
struct request;

enum file_kind {
    FILE_KIND_DISK,    /* regular file or block device: offsets, file path of the engines */
    FILE_KIND_DIR,
    FILE_KIND_SOCKET,
    FILE_KIND_PIPE,    /* pipe(2) or FIFO: readiness with RWF_NOWAIT attempts */
    FILE_KIND_CHAR,    /* tty, /dev/null, anything else: pool thread where nothing better works */
    FILE_KIND_EVENTFD, /* adopted eventfd, timerfd ...: readiness, read/write */
    FILE_KIND_DEVICE,  /* takes controls only; the descriptor stands for nothing but its number (afd.c) */
    FILE_KIND_NAMED,   /* one end of a named pipe: a connected AF_UNIX socket, or a stand-in */
};

enum file_flag {
    FILE_OVERLAPPED = 1 << 0,   /* FILE_FLAG_OVERLAPPED / WSA_FLAG_OVERLAPPED */
    FILE_ADOPTED = 1 << 1,      /* the program's own fd: never set O_NONBLOCK on it */
    FILE_APPEND_ONLY = 1 << 2,  /* FILE_APPEND_DATA without FILE_WRITE_DATA */
    FILE_DIRECT = 1 << 3,       /* FILE_FLAG_NO_BUFFERING */
    FILE_NONBLOCK_FD = 1 << 4,  /* O_NONBLOCK is set on the descriptor */
    FILE_DELETE_AT_CLOSE = 1 << 5,
    FILE_STD = 1 << 6,          /* GetStdHandle's: the fd (0-2) is not ours to close */
    FILE_REGISTERED = 1 << 7,   /* WSA_FLAG_REGISTERED_IO */
};

enum file_mode {
    FILE_MODE_SKIP_PORT = 1,  /* FILE_SKIP_COMPLETION_PORT_ON_SUCCESS */
    FILE_MODE_SKIP_EVENT = 2, /* FILE_SKIP_SET_EVENT_ON_HANDLE */
    FILE_MODE_NOWAIT = 4,     /* PIPE_NOWAIT: a pipe's calls never wait; the only one that goes again */
    FILE_MODE_KEYED = 0x20,   /* rare->key is set: see file_associate_keyed */
    FILE_MODE_SHARED = 0x40,  /* a program that was started has the descriptor too, or _dup has copied it */
    FILE_MODE_REBOUND = 0x80, /* the port has been replaced: rule 3 */
};

/* The last one is there once lane_open_urgent has been called: data of its own, which waits for no other. */
enum lane_direction { LANE_IN, LANE_OUT, LANE_COUNT, LANE_URGENT = LANE_COUNT };

/* Order per direction of a stream: see lane.c. */
struct lane {
    struct list requests; /* struct request.entry.link, in order of the calls */
    bool running;         /* a thread works on this lane: others only queue */
    bool kept;            /* ... which sleeps inside a synchronous call (lane_keep): running is set, too */
    bool drained;         /* nothing to get until the next edge */
    uint32_t edges;       /* edges seen */
};

/* What few sockets have. */
struct file_rare {
    bool known;              /* dev and ino are those of what is behind the number */
    dev_t dev;               /* at adoption or opening */
    ino_t ino;
    struct port *first_port; /* counted; NULL until the port is replaced */
    struct port *server;     /* counted: its poller serves a file without a port (file_serve); NULL */
    struct lane urgent;      /* LANE_URGENT, with file->urgent */
    struct object *rio;      /* counted: a socket's request queue (rio.h), until it is closed; NULL */
    struct file_key *key;    /* counted; constant once FILE_MODE_KEYED is set; NULL */
    struct file_key *later;  /* counted: what changes the key of a port that came after a replacement; NULL */
};

/* Laid out so that a message touches the first three cache lines, and the end of the fourth where a socket
 * has what it looks at (struct sock stands right behind). */
struct file {
    struct object object;
    struct lock lock;
    int fd;
    uint8_t kind;        /* enum file_kind */
    _Atomic uint8_t modes; /* enum file_mode */
    uint16_t flags;      /* enum file_flag */
    uint32_t generation; /* of the registration: in the token */
    _Atomic(struct port *) port; /* counted; key is written before it */
    uintptr_t key;
    void *extra;         /* owned; freed by ops->destroy; sockets have theirs behind the file */

    struct lane lanes[LANE_COUNT];
    const struct file_ops *ops;
    bool closing;        /* last handle closed: nothing new is accepted */
    bool registered;     /* fd is in poller's set */
    bool keep_fd;        /* destroy leaves the number open (given back, or never ours) */
    bool marked;         /* `ready` is queued somewhere */
    bool trouble;        /* RDHUP, HUP, ERR or PRI was seen: a short read proves nothing */
    uint8_t binding;     /* how often the port was replaced */
    uint8_t marked_in;   /* ... when `ready` was queued: it lies with the port of then */
    bool urgent;         /* rare->urgent is a lane, too */

    struct queue_entry ready; /* QUEUE_READY; holds a reference while queued */
    struct poller *poller; /* port's or home's, once registered */
    struct dispatcher dispatcher; /* signalled by completions without event */

    struct list pending; /* struct request.pending: accepted, not done, and in no lane of this file */
    struct list sync_waiters; /* struct file_blocker: threads inside blocking calls */
    struct file_rare *rare; /* owned; sockets have one when it is needed, other files always */
    uint32_t access;     /* granted access */
    bool fd_lost;        /* keep_fd, and the number was closed behind our back: a stranger's by now */
};

/* What one kind of file does differently. Any may be NULL. */
struct file_ops {
    const char *name;
    /* Last handle closed: pending requests are cancelled right after this. */
    void (*cleanup)(struct file *f);
    /* ... and they have been. Not called for a descriptor that is given back. */
    void (*hang_up)(struct file *f);
    /* About to close(fd) and free. */
    void (*destroy)(struct file *f);
    /* Takes the memory of f back that file_new_in was given; NULL where file_new made it. */
    void (*free)(struct file *f);
    /* An edge came (WSAEventSelect and the like). No lock held. */
    void (*edge)(struct file *f, uint32_t events);
    /* ReadFile/WriteFile on it: overlapped (r ready to start) */
    uint32_t (*read)(struct request *r);
    uint32_t (*write)(struct request *r);
    /* ... and synchronous, on the caller's thread. offset NULL: the file's own position. */
    uint32_t (*read_sync)(struct file *f, void *buf, uint32_t size, const uint64_t *offset,
                          uint32_t *bytes);
    uint32_t (*write_sync)(struct file *f, const void *buf, uint32_t size, const uint64_t *offset,
                           uint32_t *bytes);
    uint32_t (*flush)(struct file *f);
    /* The descriptor that tells readiness where that is not the file's own (a watched directory). */
    int (*poll_fd)(const struct file *f);
};

extern const struct object_type file_type;

/* A file around `fd` (owned from now on, also when this fails: closed). One reference. */
uint32_t file_new(int fd, enum file_kind kind, uint32_t flags, uint32_t access,
                  const struct file_ops *ops, void *extra, struct file **out);
/* The same in memory of the caller's: a slab's that keeps sizeof(struct object), zero behind that. */
void file_new_in(struct file *f, int fd, enum file_kind kind, uint32_t flags, uint32_t access,
                 const struct file_ops *ops);
/* Publishes it under its fd number; *h is the handle. Drops the creator's reference. */
uint32_t file_publish(struct file *f, uint32_t handle_flags, uintptr_t *h);

static inline struct file *file_from_object(struct object *obj)
{
    return container_of(obj, struct file, object);
}

static inline int file_poll_fd(const struct file *f)
{
    return f->ops && f->ops->poll_fd ? f->ops->poll_fd(f) : f->fd;
}

static inline void file_get(struct file *f)
{
    object_get(&f->object);
}

static inline void file_put(struct file *f)
{
    object_put(&f->object);
}

/*
 * Handle -> file, counted. adopt: a number that the library has never seen is looked at with
 * fstat and becomes a file (HOUSE: only association, ReadFile/WriteFile and Winsock data calls).
 */
uint32_t file_from_handle(uintptr_t h, bool adopt, struct file **out, uint32_t *access);

/* For association only: the same, but an adopted number that the program has closed and reused
 * behind our back is noticed; what pended on the old one ends in 995, and it is adopted afresh. */
uint32_t file_from_handle_fresh(uintptr_t h, struct file **out);

/* Another number for the same file: `fd`, a copy of its descriptor, is owned from now on (also when this
 * fails: closed). *h is its handle. STATUS_INVALID_HANDLE: the last of the file's handles has been closed. */
uint32_t file_duplicate(struct file *f, int fd, uint32_t access, uint32_t handle_flags, uintptr_t *h);

/* Gives an adopted fd back: the library forgets it; pending requests end in 995. */
uint32_t file_forget(int fd);

/* The same for whatever handle it is, a duplicate's too: the number is the caller's to close from now on. */
uint32_t file_release(int fd);

/* How a kind adopts: tried by file_from_handle after fstat. Registered by sock.c, disk.c, pipe.c */
uint32_t file_adopt_socket(int fd, uint32_t flags, struct file **out);
uint32_t file_adopt_disk(int fd, uint32_t flags, struct file **out);
uint32_t file_adopt_stream(int fd, uint32_t flags, enum file_kind kind, struct file **out);

/* The specific rights that a descriptor's open mode gives. */
uint32_t file_access_of_fd(int fd);

/* Makes sure of f->rare. f's lock is not held. STATUS_INSUFFICIENT_RESOURCES. */
uint32_t file_need_rare(struct file *f);

/* An adopted file remembers what is behind its number, so that another thing there can be told. */
uint32_t file_identify(struct file *f);

/* Associates with a port: PORT-04, PORT-05. Refused for want of a poller (STATUS_TOO_MANY_OPENED_FILES,
 * STATUS_NO_MEMORY), as the two below, nothing has changed. */
uint32_t file_associate(struct file *f, struct port *port, uintptr_t key);
/* A key that changes: what a request brings is the key of when it was started. */
struct file_key {
    struct object object;
    _Atomic uintptr_t now;
};
struct file_key *file_key_new(uintptr_t now); /* one reference; NULL: no memory */
/* The file takes a reference of its own. Where the port is replaced, the key of the next one counts. */
uint32_t file_associate_keyed(struct file *f, struct port *port, struct file_key *key);
/* What a request of a file with FILE_MODE_KEYED brings; 0: the key of its port does not change any more. */
uintptr_t file_key_now(struct file *f);

/* A mark of `binding` lies, if it is queued, in the queue of `port`; one that has been made since lies
 * elsewhere, so that both are looked at under one lock. True: no mark of before the last move stands. */
bool file_take_mark_back(struct file *f, struct port *port, uint8_t binding);

/* Takes it away from its port, if it has one, and gives it to `port` (NULL: to none). What pends is answered
 * where the file belongs at its end; packets that are queued stay where they are. */
uint32_t file_rebind(struct file *f, struct port *port, uintptr_t key);
/* The port as it is now, counted, and the key, which is the first of those if it changes; NULL. */
struct port *file_port_get(struct file *f, uintptr_t *key, bool *changes);

/* Registers a file without a port with the poller of `port`, whose threads want to hear of it (NULL: with
 * home's again). Where it has a port, that one's serves it. STATUS_INVALID_HANDLE: closing;
 * STATUS_INSUFFICIENT_RESOURCES. */
uint32_t file_serve(struct file *f, struct port *port);
/* The port whose poller serves it, counted; NULL. */
struct port *file_server_get(struct file *f);

/* The same, under its lock, not counted. */
static inline struct port *file_server_locked(struct file *f)
{
    struct port *port = atomic_load_explicit(&f->port, memory_order_relaxed);

    lock_assert_held(&f->lock);
    return port || !f->rare ? port : f->rare->server;
}

/* Not being closed: the descriptor of one that is speaks of another thing. No lock held. */
static inline bool file_is_open(struct file *f)
{
    bool open;

    lock_acquire(&f->lock);
    open = !f->closing;
    lock_release(&f->lock);
    return open;
}

/* All lanes of f, whose lock is held. */
static inline unsigned file_lanes(const struct file *f)
{
    return LANE_COUNT + f->urgent;
}

static inline struct lane *file_lane(struct file *f, unsigned dir)
{
    return dir < LANE_COUNT ? &f->lanes[dir] : &f->rare->urgent;
}

/* Where a completion goes. */
struct file_target {
    struct port *port; /* pinned by the file, or counted */
    uintptr_t key;
    uint8_t modes;
    bool counted;
};

static inline struct file_target file_target(struct file *f)
{
    struct file_target t;

    t.port = atomic_load_explicit(&f->port, memory_order_acquire);
    t.key = __atomic_load_n(&f->key, __ATOMIC_ACQUIRE);
    /* Read last: without the mark what was read before is of the first association (file_rebind). */
    t.modes = atomic_load_explicit(&f->modes, memory_order_acquire);
    t.counted = false;
    if (__builtin_expect(t.modes & FILE_MODE_REBOUND, 0)) {
        bool changes;

        t.port = file_port_get(f, &t.key, &changes);
        t.counted = t.port != NULL;
        if (!changes)
            t.modes &= ~FILE_MODE_KEYED;
    }
    return t;
}
/* What completion skips; not for a file that has synchronous operations only. */
uint32_t file_add_modes(struct file *f, uint32_t modes);

/*
 * Replaces what is behind f->fd by `newfd` (dup3, newfd is closed): AcceptEx, DisconnectEx with
 * reuse. The registration is dropped first; the next request that would block registers again.
 */
uint32_t file_replace_fd(struct file *f, int newfd);

/* A thread inside a blocking call on f, so that closing can call it back. See file_block.c. */
struct file_blocker {
    struct list link;
    struct thread *thread;
    struct sync_calls *calls; /* borrowed: the thread's, at that time */
};
bool file_block_enter(struct file *f, struct file_blocker *b); /* false: closing */
void file_block_leave(struct file *f, struct file_blocker *b);
/* What they wait for may be so, and the descriptor will not say it: they look again. No lock held. */
void file_call_blockers(struct file *f);

/*
 * The loop of a blocking call: attempt() until it does not say STATUS_PENDING, sleeping in
 * wait_fd(events) between. Honours deadline (STATUS_TIMEOUT -> STATUS_IO_TIMEOUT), close and
 * CancelSynchronousIo (STATUS_CANCELLED). STATUS_USER_APC: routines are to run, which the caller wants to
 * know first.
 */
uint32_t file_blocking_call(struct file *f, short events, uint64_t deadline_ns, enum wait_routines routines,
                            uint32_t (*attempt)(struct file *f, void *ctx), void *ctx);

#endif
