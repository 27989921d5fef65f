/* SPDX-License-Identifier: MIT */
/*
 * Named pipes. Both ends are files of kind FILE_KIND_NAMED around a connected AF_UNIX stream socket.
 * pipe.c: the file; pipe_call.c: connecting, transactions, modes; pipe_data.c: bytes and messages on the
 * stream; pipe_name.c: the names of this process and their instances; pipe_serve.c: the answers to those
 * who open them; pipe_open.c: opening a name, wherever its server is; pipe_dir.c: names in the file
 * system; pipe_board.c: how a client learns that it has been disconnected. The numbers of modes and
 * directions are Windows'.
 *
 * A server's end is LISTENING when made, CONNECTED when somebody has opened it, DISCONNECTED after
 * DisconnectNamedPipe until the next ConnectNamedPipe. Before the first connection a descriptor that is
 * never ready stands in for the socket; afterwards the old socket, shut down, until the next one.
 */
#ifndef IOCP_IO_PIPE_H
#define IOCP_IO_PIPE_H

#include "io/file.h"
#include "io/request.h"
#include "io/turn.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pipe_mode {
    PIPE_MODE_NOWAIT = 1,
    PIPE_MODE_READ_MESSAGES = 2,
    PIPE_MODE_MESSAGES = 4,
    PIPE_MODE_LOCAL = 8,
};
enum pipe_direction { PIPE_INWARD = 1, PIPE_OUTWARD = 2 }; /* seen from the server */
enum { PIPE_INSTANCES_MAX = 254, PIPE_UNLIMITED = 255, PIPE_DEFAULT_MS = 50 };

/* What all instances of a name have in common, and what one says of itself. */
struct pipe_shape {
    uint32_t messages;   /* PIPE_MODE_MESSAGES or 0 */
    uint32_t directions; /* enum pipe_direction */
    uint32_t max;        /* instances; PIPE_UNLIMITED */
    uint32_t default_ms; /* of WaitNamedPipe */
    uint32_t in_size, out_size; /* wishes, as the server sees it; they may differ */
};

/* ---- on the stream (pipe_data.c) ---- */

/* Where the reader stands in a stream of fragments. */
struct pipe_in {
    unsigned char head[4]; /* of the next fragment, as far as it is there */
    uint8_t head_have;
    bool inside;           /* a message has begun and not ended */
    bool last;             /* the fragment is its last */
    bool dead;             /* what came was no frame */
    bool turned_away;      /* somebody came while it was the owner's turn */
    uint32_t left;         /* bytes of the fragment that are still in the socket */
    char *back;            /* owned: bytes of this message that a cancelled read gave back */
    uint32_t back_size, back_at;
    const void *owner;     /* whose buffer holds bytes of this message (pipe_transfer.owner); NULL */
};

struct pipe_out {
    const void *owner; /* whose message is out in part; NULL */
    uint32_t head;     /* of the fragment that is out in part */
    uint32_t at;       /* bytes of it, head included, that are out already */
    uint32_t mark_at;  /* bytes of the mark that are out */
};

struct pipe_transfer {
    char *data;
    size_t size;
    uint32_t bytes;    /* done so far */
    const void *owner; /* tells it from others: an address that is its own from the first step to the last */
};

enum pipe_state { PIPE_LISTENING, PIPE_CONNECTED, PIPE_DISCONNECTED };

struct pipe_name;

/*
 * Rules: (1) `lock`: state, session, in, out, owes, word, peer, and which socket is behind the file's
 * number; held over system calls that do not block. `owes` may be looked at without it. (2) `name`,
 * `instance` and `available` belong to the names (pipe_name.c). (3) The rest is constant.
 */
struct pipe {
    struct lock lock;
    bool server;
    uint8_t state;       /* enum pipe_state; a client is always CONNECTED */
    uint32_t session;    /* counts disconnections: what was started before does not hit the next client */
    struct pipe_shape shape;
    struct pipe_in in;
    struct pipe_out out;
    _Atomic bool owes;   /* a message was given up: its fragment's rest and the mark go out before anything */
    uint32_t peer;       /* process id of the other end */
    _Atomic bool read_messages;
    struct turn turns[LANE_COUNT];
    char *text;          /* owned: the folded name */

    const _Atomic uint32_t *word; /* client: differs from `generation` once disconnected */
    uint32_t generation;

    bool slotted;
    uint32_t slot;       /* server: its word on the board */
    struct file *file;   /* borrowed: the file this belongs to */
    struct pipe_name *name; /* server: borrowed; NULL once unlisted */
    struct list instance, available; /* in the name's lists */
};

static inline struct pipe *pipe_of(const struct file *f)
{
    return f->extra;
}

/*
 * One attempt: STATUS_PENDING (would block), or final with t->bytes: success, STATUS_BUFFER_OVERFLOW
 * (the message has more), an error; a read may say LANE_YIELD. The pipe's lock is held.
 */
uint32_t pipe_read_step(struct pipe *p, int fd, struct pipe_transfer *t);
uint32_t pipe_write_step(struct pipe *p, int fd, struct pipe_transfer *t, bool nowait);

/*
 * A transfer ends before it is whole. What a read took goes back: true if somebody has to be told that it is
 * his turn. The message of a write is given up, see pipe_pay. Lock held.
 */
bool pipe_read_undo(struct pipe *p, const struct pipe_transfer *t);
void pipe_write_undo(struct pipe *p, int fd, const struct pipe_transfer *t);
/* What the stream is owed for a message that was given up, as far as there is room. STATUS_PENDING: not all
 * of it. Lock held. */
uint32_t pipe_pay(struct pipe *p, int fd);
void pipe_stream_reset(struct pipe *p); /* a new connection: nothing is left of the old one */

struct pipe_look {
    uint32_t read, total, left; /* bytes copied; in the pipe; of the message behind those copied */
};
uint32_t pipe_look(struct pipe *p, int fd, void *data, size_t size, struct pipe_look *look);
/* How the stream ended: broken, or disconnected by the server. */
uint32_t pipe_end(struct pipe *p);
/* Has the other end hung up? */
bool pipe_hung_up(int fd);
/* Room for what is written and not yet read. */
void pipe_set_room(int fd, uint32_t size);

/* ---- the file (pipe.c) ---- */

extern const struct file_ops pipe_ops;

/* A file around fd (owned, also on failure). `text` is copied. Nobody knows it yet. */
uint32_t pipe_new(int fd, bool server, const struct pipe_shape *shape, const char *text, uint32_t flags,
                  uint32_t access, struct file **out);

/*
 * ConnectNamedPipe. Success: connected (blocking calls). STATUS_PENDING: *ov will be answered.
 * STATUS_PIPE_CONNECTED, STATUS_PIPE_CLOSING, STATUS_PIPE_LISTENING (no-wait mode), STATUS_CANCELLED.
 * `native`: who is told in place of ov->hEvent; its event is NULL when a request has taken it. NULL: nobody.
 */
uint32_t pipe_connect(struct file *f, OVERLAPPED *ov, struct request_native *native);
uint32_t pipe_disconnect(struct file *f);
/* TransactNamedPipe; `ov` NULL, or a synchronous file: blocks. *bytes only if it is not pending. */
uint32_t pipe_transact(struct file *f, void *data, uint32_t size, void *reply, uint32_t reply_size,
                       OVERLAPPED *ov, struct request_native *native, uint32_t *bytes);
uint32_t pipe_peek(struct file *f, void *data, uint32_t size, struct pipe_look *look);
uint32_t pipe_set_mode(struct file *f, uint32_t mode); /* NOWAIT, READ_MESSAGES */
uint32_t pipe_get_mode(struct file *f, uint32_t *mode);
/* Its shape, and the process at the other end (0: none). Disconnected clients have none. */
uint32_t pipe_ask(struct file *f, struct pipe_shape *shape, uint32_t *peer);
/* The user (his number) at the client's end of a server's: STATUS_INVALID_PARAMETER if f is none,
 * STATUS_PIPE_LISTENING, STATUS_PIPE_DISCONNECTED. */
uint32_t pipe_client_user(struct file *f, uint32_t *uid);

/* ---- names (pipe_name.c, pipe_open.c) ---- */

struct pipe_how {
    struct pipe_shape shape;
    uint32_t mode;    /* enum pipe_mode, checked */
    uint32_t flags;   /* enum file_flag */
    uint32_t access;  /* of the handle: specific rights */
    bool first;       /* FILE_FLAG_FIRST_PIPE_INSTANCE */
};

/* name: what follows \\.\pipe\ in UTF-8. STATUS_ACCESS_DENIED, STATUS_PIPE_BUSY,
 * STATUS_OBJECT_NAME_INVALID. */
uint32_t pipe_create(const char *name, const struct pipe_how *how, struct file **out);
/* access: specific rights. STATUS_OBJECT_NAME_NOT_FOUND, STATUS_PIPE_BUSY, STATUS_ACCESS_DENIED. */
uint32_t pipe_open(const char *name, uint32_t access, uint32_t flags, struct file **out);
/* ms as of WaitNamedPipe: 0 the server's default, UINT32_MAX for ever. STATUS_IO_TIMEOUT. */
uint32_t pipe_wait(const char *name, uint32_t ms);
/* How many instances of f's name there are, in all processes. */
uint32_t pipe_count_instances(struct file *f);

/* ---- between the two ---- */

/* The server's end can be opened (again). */
void pipe_offer(struct pipe *p);
/* ... or not any more. */
void pipe_withdraw(struct pipe *p);
/* The instance is closed: its name may go. Harmless the second time. */
void pipe_unlist(struct pipe *p);
/*
 * Puts a connection (owned if this succeeds) behind the instance, after having sent the answer on it.
 * STATUS_PIPE_LISTENING: the instance cannot take it; STATUS_PIPE_CLOSING: who connects has gone.
 */
struct pipe_answer;
uint32_t pipe_attach(struct pipe *p, int fd, uint32_t peer, struct pipe_answer *answer);

#endif
