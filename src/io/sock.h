/* SPDX-License-Identifier: MIT */
/*
 * Sockets: what a file of kind FILE_KIND_SOCKET knows beside the common part. Every kernel call is
 * made with MSG_DONTWAIT and MSG_NOSIGNAL; "blocking" is a flag of our own, and a blocking call is
 * attempts in a loop, or in the lane (sync_call.h). Overlapped calls are attempts in a lane.
 *
 * Addresses are Linux's sockaddr and pass through as `void *`: this header is neutral.
 * Who may fail: everything returns NTSTATUS; WSA codes without one travel in status_from_wsa().
 *
 * Rules of struct sock: family, type, tcp, protocol are constant; atomics stand alone (each is a fact
 * about the socket that a racing call may see a moment late); `accept_request` and `options` are
 * guarded by the file's lock; events and listener by their own rules.
 */
#ifndef IOCP_IO_SOCK_H
#define IOCP_IO_SOCK_H

#include "io/file.h"
#include "io/request.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum sock_phase { SOCK_PHASE_OPEN, SOCK_PHASE_LISTENING, SOCK_PHASE_CONNECTING, SOCK_PHASE_CONNECTED };
enum sock_shut { SOCK_SHUT_RECV = 1, SOCK_SHUT_SEND = 2, SOCK_SHUT_SEND_LATER = 4 };

/* Of a multipoint session (WSAJoinLeaf): not made for one, made for one, in one. */
enum sock_leaf { SOCK_LEAF_NONE, SOCK_LEAF_OPEN, SOCK_LEAF_JOINED };

/* TCP_INQ is asked for when a receive fills its buffer, and lost when another socket is put behind the
 * number. A plain byte: two receives that both ask do no harm. */
enum sock_tells { SOCK_TELLS_UNASKED, SOCK_TELLS, SOCK_TELLS_NOT };

/* Options set before an accept are set again on what AcceptEx puts in the socket's place. */
enum { SOCK_OPTIONS_MAX = 16, SOCK_OPTION_SIZE = 16 };
struct sock_options {
    unsigned count;
    struct sock_option {
        int level, name;
        uint32_t size;
        unsigned char value[SOCK_OPTION_SIZE];
    } of[]; /* count, SOCK_OPTIONS_MAX at most */
};

struct sock_events;

/* In user_events: AFD polls wait for something (afd.h); a port hears of it (notice.h). Changed under the
 * file's lock. */
#define SOCK_POLLED (1u << 31)
#define SOCK_NOTIFIED (1u << 30)
#define SOCK_WATCHED (SOCK_POLLED | SOCK_NOTIFIED)

/* It stands right behind its file; what every message looks at is in its first 16 bytes, which end a cache
 * line. */
struct sock {
    uint16_t family;
    uint8_t type;
    _Atomic uint8_t phase;       /* enum sock_phase */
    _Atomic uint8_t shut;        /* enum sock_shut */
    _Atomic bool nonblocking;    /* FIONBIO */
    _Atomic uint8_t tells_left;  /* enum sock_tells: does a receive say what lies there still? */
    bool tcp;                    /* a short receive leaves nothing; of SCTP and the like it proves nothing */
    _Atomic uint32_t user_events; /* mask of the selection in `events`: 0 = none; and SOCK_WATCHED */
    _Atomic uint32_t sends;      /* that wait, in the lane or in a call: shutdown waits for them */

    _Atomic bool bound;
    _Atomic bool reuse;          /* the program's SO_REUSEADDR */
    _Atomic bool exclusive;      /* the program's SO_EXCLUSIVEADDRUSE */
    _Atomic bool conditional;    /* the program's SO_CONDITIONAL_ACCEPT */
    _Atomic bool reset_seen;     /* datagrams: a port unreachable that a send met, for the next receive */
    union {
        _Atomic bool reused;     /* streams: DisconnectEx made it fresh: ConnectEx need not find it bound */
        _Atomic uint8_t leaf;    /* datagrams: enum sock_leaf */
    };
    _Atomic uint16_t connect_error; /* errno of a connect that failed; 0 once another has begun */
    _Atomic uint32_t recv_ms, send_ms; /* time-outs of blocking calls, 0: none */
    _Atomic int error;           /* errno taken from SO_ERROR by us, for who asks next */
    uint16_t protocol;
    _Atomic uint16_t broken;     /* errno that ended the stream: Linux tells it once, Windows for ever */
    _Atomic uint64_t connected_ns; /* 0: not connected */
    struct request *accept_request; /* the AcceptEx that waits with this socket; it is its listener's, and
                                     * borrowed until its release clears it */
    struct sock_options *options; /* owned; NULL while none was set */
    struct sock_listener *listener; /* owned; NULL before it listens (accept.c) */
    _Atomic(struct sock_events *) events; /* owned; NULL before the first WSAEventSelect */
};

struct sock_file {
    struct file file; /* must be first */
    struct sock sock;
};

static inline struct sock *sock_of(const struct file *f)
{
    return &((struct sock_file *)(uintptr_t)f)->sock;
}

/* The selection of WSAEventSelect. */
static inline uint32_t sock_selected(struct sock *s)
{
    return atomic_load(&s->user_events) & ~SOCK_WATCHED;
}

static inline bool sock_is_stream(const struct sock *s)
{
    return s->type == 1; /* SOCK_STREAM: asserted in sock.c */
}

/* Handle -> file of a socket, counted. WSAENOTSOCK for anything else. */
uint32_t sock_from_handle(uintptr_t h, bool adopt, struct file **out);

/* ---- sock.c: life, names ---- */

uint32_t sock_new(int family, int type, int protocol, bool overlapped, struct file **out);
/* A file around an accepted descriptor (owned, also on failure), like `listener`. */
uint32_t sock_new_accepted(int fd, struct file *listener, struct file **out);
uint32_t sock_bind(struct file *f, const void *addr, int32_t len);
uint32_t sock_listen(struct file *f, int32_t backlog);
uint32_t sock_shutdown(struct file *f, int how);
uint32_t sock_shutdown_in_turn(struct file *f, int how); /* from a disconnection, whose turn it is */
void sock_sends_begun(struct file *f); /* a send is to wait ... */
void sock_sends_done(struct file *f);  /* ... and has been answered */
/* *len in: room, out: used. */
uint32_t sock_local_name(struct file *f, void *addr, int32_t *len);
uint32_t sock_peer_name(struct file *f, void *addr, int32_t *len);
uint32_t sock_set_blocking(struct file *f, bool blocking);
void sock_connected(struct file *f); /* it is now */
/* Is the stream connected? Notices a non-blocking connect that has finished. */
uint32_t sock_require_connected(struct file *f);
/* The pending error of the descriptor, as errno; taken. */
int sock_take_error(struct file *f);
void sock_look(struct file *f); /* selections and polls look at it anew, and renew the registration */
bool sock_urgent_inline(struct file *f); /* SO_OOBINLINE: the urgent byte is data like any other */
/* How long an address of that family must be at least; 0: unknown. */
uint32_t sock_address_size(int family);

extern const struct file_ops sock_ops;

/* ---- sock_opt.c ---- */

enum sock_special { /* numbers of the public headers, asserted in api/winsock2.c */
    SOPT_DONTLINGER = ~13,
    SOPT_EXCLUSIVEADDRUSE = ~2,
    SOPT_MAX_MSG_SIZE = 0x2003,
    SOPT_CONDITIONAL_ACCEPT = 0x3002,
    SOPT_UPDATE_ACCEPT_CONTEXT = 0x700B,
    SOPT_CONNECT_TIME = 0x700C,
    SOPT_UPDATE_CONNECT_CONTEXT = 0x7010,
    SOPT_IP_DONTFRAGMENT = 0x7E0E,
    SOPT_TCP_MAXRT = 0x7E05,
};

uint32_t sock_get_option(struct file *f, int level, int name, void *value, int32_t *size);
uint32_t sock_set_option(struct file *f, int level, int name, const void *value, int32_t size);
void sock_replay_options(struct file *f); /* on the new descriptor behind f->fd */
uint32_t sock_bytes_available(struct file *f, uint32_t *bytes);
uint32_t sock_at_mark(struct file *f, uint32_t *yes);
uint32_t sock_keepalive(struct file *f, bool on, uint32_t idle_ms, uint32_t interval_ms);
uint32_t sock_report_resets(struct file *f, bool on); /* SIO_UDP_CONNRESET */

/* ---- sock_io.c: data ---- */

/* A WSAMSG by another name. */
struct __attribute__((may_alias)) io_msg {
    void *name;
    int32_t name_len;
    struct io_buf *bufs;
    uint32_t buf_count;
    struct io_buf control;
    uint32_t flags;
};

/* One transfer of a socket, synchronous or an attempt of a request. */
struct sock_transfer {
    struct iovec *iov; /* sends eat it up */
    uint32_t iov_count;
    uint32_t flags;    /* MSG_*, in */
    size_t size;       /* of all buffers */
    uint32_t bytes;    /* done so far */
    uint32_t out_flags;
    bool drained;      /* out: a short receive that proves there is no more */
    bool partial;      /* in: a send may end early (non-blocking sockets) */
    void *name;        /* destination, or room for the source; may be NULL */
    uint32_t name_len; /* in and out */
    void *control;
    size_t control_len; /* in and out */
};

/* STATUS_PENDING: would block, come again. */
uint32_t sock_receive_step(struct file *f, struct sock_transfer *t);
uint32_t sock_send_step(struct file *f, struct sock_transfer *t);

/* Datagrams: what poll(2) said, as far as somebody who waits may hear of it: POLLIN, also for an earlier
 * datagram's fate that the next receive reports, and POLLOUT. An "error" is forgotten, but for that fate:
 * *reset says that this call took it from the kernel, and sock_tell_reset has to follow, unlocked. */
short sock_datagram_bits(struct file *f, short bits, bool *reset);
/* A receive that waits reports what a look, or a send, took from the kernel: no edge says it any more. */
void sock_tell_reset(struct file *f);
/* Both, with no lock held. */
short sock_datagram_look(struct file *f, short bits);

/* The answer of a blocking Winsock call: one that was called back because somebody has closed the
 * socket says WSAEINTR, one that was cancelled alone keeps STATUS_CANCELLED. */
uint32_t sock_interrupted(struct file *f, uint32_t status);

/* Synchronous: blocks or not as the socket does. */
uint32_t sock_receive(struct file *f, struct sock_transfer *t);
uint32_t sock_send(struct file *f, struct sock_transfer *t);

/* How a request is to be answered: by event, port and file, or a routine. */
struct sock_answer {
    OVERLAPPED *ov;
    request_routine routine; /* may be NULL */
};

/* STATUS_SUCCESS (done, *result filled), STATUS_PENDING, or refused. `from_len` NULL: no address. */
uint32_t sock_start_receive(struct file *f, const struct io_buf *bufs, uint32_t count, uint32_t flags,
                            void *from, int32_t *from_len, const struct sock_answer *answer,
                            struct request_result *result);
uint32_t sock_start_send(struct file *f, const struct io_buf *bufs, uint32_t count, uint32_t flags,
                         const void *to, uint32_t to_len, const struct sock_answer *answer,
                         struct request_result *result);
/* The same with a new, wide request, which says itself how it is to be answered. */
uint32_t sock_receive_request(struct request *r, const struct io_buf *bufs, uint32_t count, uint32_t flags,
                              void *from, int32_t *from_len, struct request_result *result);
/*
 * The same for what most calls are: one buffer, no flags, address or routine. They use the caller's
 * reference to the file up, however they end.
 */
uint32_t sock_start_plain_receive(struct file *f, const struct io_buf *buf, OVERLAPPED *ov,
                                  struct request_result *result);
uint32_t sock_start_plain_send(struct file *f, const struct io_buf *buf, OVERLAPPED *ov,
                               struct request_result *result);
uint32_t sock_start_receive_msg(struct file *f, struct io_msg *msg, const struct sock_answer *answer,
                                struct request_result *result);
uint32_t sock_start_send_msg(struct file *f, struct io_msg *msg, uint32_t flags,
                             const struct sock_answer *answer, struct request_result *result);
uint32_t sock_receive_msg(struct file *f, struct io_msg *msg, uint32_t *bytes);
uint32_t sock_send_msg(struct file *f, struct io_msg *msg, uint32_t flags, uint32_t *bytes);

/* What the operations of requests that receive and send have in common; see struct request_ops. The
 * attempts are those of a receive and a send that need no more than their buffers. */
uint32_t sock_receive_attempt(struct request *r);
uint32_t sock_send_attempt(struct request *r);
void sock_receive_finish(struct request *r, uint32_t status);
void sock_send_queued(struct request *r);
void sock_send_release(struct request *r);

/* The common start: begin, lane, result. */
uint32_t sock_start(struct request *r, enum lane_direction dir, struct request_result *result);

/* ReadFile and WriteFile: begun, not yet started. */
uint32_t sock_read_request(struct request *r);
uint32_t sock_write_request(struct request *r);

/* May data go this way? WSAESHUTDOWN, WSAENOTCONN, WSAEINVAL. */
uint32_t sock_may_send(struct file *f, const void *to);
uint32_t sock_may_receive(struct file *f);

#endif
