/* SPDX-License-Identifier: MIT */
/*
 * winsock2.h: sending and receiving, overlapped or not, and the results of overlapped operations.
 * The byte count and the flags of the caller are written during the call or not at all; the array of
 * WSABUFs is read during the call only.
 */
#include "api/socket.h"
#include "api/overlapped.h"

#define IOCP_EXTENSION_FUNCTIONS 1
#include <mswsock.h>
#include <ntstatus.h>
#include <windows.h>
#include <winsock2.h>

#include <stddef.h>
#include <stdlib.h>

_Static_assert(sizeof(WSABUF) == sizeof(struct io_buf), "one by two names");
_Static_assert(offsetof(WSABUF, buf) == offsetof(struct io_buf, base), "one by two names");
_Static_assert(sizeof(WSAMSG) == sizeof(struct io_msg), "one by two names");
_Static_assert(offsetof(WSAMSG, name) == offsetof(struct io_msg, name), "one by two names");
_Static_assert(offsetof(WSAMSG, namelen) == offsetof(struct io_msg, name_len), "one by two names");
_Static_assert(offsetof(WSAMSG, lpBuffers) == offsetof(struct io_msg, bufs), "one by two names");
_Static_assert(offsetof(WSAMSG, dwBufferCount) == offsetof(struct io_msg, buf_count), "one by two names");
_Static_assert(offsetof(WSAMSG, Control) == offsetof(struct io_msg, control), "one by two names");
_Static_assert(offsetof(WSAMSG, dwFlags) == offsetof(struct io_msg, flags), "one by two names");

/* What programs for Linux add to every send; here it goes without saying. */
#define FLAG_NOSIGNAL 0x4000u
#define SEND_FLAGS    (MSG_OOB | MSG_DONTROUTE | MSG_PARTIAL | FLAG_NOSIGNAL)
#define RECEIVE_FLAGS (MSG_OOB | MSG_PEEK | MSG_WAITALL | MSG_PARTIAL | MSG_PUSH_IMMEDIATE | FLAG_NOSIGNAL)

/* One call of the family: everything but the direction. */
struct call {
    const struct io_buf *bufs;
    DWORD count;
    DWORD flags;
    DWORD *bytes;     /* the caller's, may be NULL with ov */
    DWORD *out_flags; /* the caller's; NULL for sends */
    void *name;       /* source or destination; may be NULL */
    int32_t *name_len;
    struct sock_answer answer;
};

static uint32_t check_bufs(const struct call *c)
{
    uint64_t size = 0;

    if (c->count == 0)
        return status_from_wsa(WSAEINVAL);
    if (!c->bufs || (!c->bytes && !c->answer.ov))
        return status_from_wsa(WSAEFAULT);
    if (c->count == 1)
        return STATUS_SUCCESS;
    for (DWORD i = 0; i < c->count; i++)
        size += c->bufs[i].len;
    return size > UINT32_MAX ? status_from_wsa(WSAENOBUFS) : (uint32_t)STATUS_SUCCESS;
}

static uint32_t check_send_flags(DWORD flags)
{
    return flags & ~(DWORD)SEND_FLAGS ? status_from_wsa(WSAEOPNOTSUPP) : (uint32_t)STATUS_SUCCESS;
}

static uint32_t check_receive_flags(struct file *f, DWORD flags)
{
    if (flags & ~(DWORD)RECEIVE_FLAGS)
        return status_from_wsa(WSAEOPNOTSUPP);
    if ((flags & MSG_WAITALL) &&
        ((flags & (MSG_OOB | MSG_PEEK | MSG_PARTIAL)) || !sock_is_stream(sock_of(f))))
        return status_from_wsa(WSAEOPNOTSUPP);
    return STATUS_SUCCESS;
}

static uint32_t check_name(struct file *f, const void *name, int32_t len)
{
    if (len < 0 || (uint32_t)len < sock_address_size(sock_of(f)->family))
        return status_from_wsa(WSAEFAULT);
    return name ? (uint32_t)STATUS_SUCCESS : status_from_wsa(WSAEFAULT);
}

/* A socket made without WSA_FLAG_OVERLAPPED does not look at what makes a call overlapped. */
static bool is_overlapped(const struct file *f, const struct call *c)
{
    return c->answer.ov && (f->flags & FILE_OVERLAPPED);
}

/* ---- not overlapped ---- */

enum { IOV_INLINE = 8 };

static uint32_t run_now(struct file *f, const struct call *c, struct sock_transfer *t,
                        uint32_t (*transfer)(struct file *f, struct sock_transfer *t))
{
    struct iovec room[IOV_INLINE];
    struct iovec *iov = room;
    uint32_t status;

    if (c->count > IOV_INLINE) {
        iov = malloc(c->count * sizeof *iov);
        if (!iov)
            return STATUS_INSUFFICIENT_RESOURCES;
    }
    for (DWORD i = 0; i < c->count; i++) {
        iov[i].iov_base = c->bufs[i].base;
        iov[i].iov_len = c->bufs[i].len;
        t->size += c->bufs[i].len;
    }
    t->iov = iov;
    t->iov_count = c->count;
    status = sock_interrupted(f, transfer(f, t));
    if (iov != room)
        free(iov);
    return status;
}

/* A datagram that was cut has filled the buffers: its bytes count. */
static bool has_data(uint32_t status)
{
    return status == STATUS_SUCCESS || status == STATUS_BUFFER_OVERFLOW;
}

static uint32_t send_now(struct file *f, const struct call *c)
{
    struct sock_transfer t = {.flags = c->flags};
    uint32_t status = sock_may_send(f, c->name);

    if (status != STATUS_SUCCESS)
        return status;
    if (c->name && !sock_is_stream(sock_of(f))) {
        t.name = c->name;
        t.name_len = (uint32_t)*c->name_len;
    }
    status = run_now(f, c, &t, sock_send);
    if (status == STATUS_SUCCESS && c->bytes)
        *c->bytes = t.bytes;
    return status;
}

static uint32_t receive_now(struct file *f, const struct call *c)
{
    struct sock_transfer t = {.flags = c->flags};
    uint32_t status = sock_may_receive(f);

    if (status != STATUS_SUCCESS)
        return status;
    if (c->name && !sock_is_stream(sock_of(f))) {
        t.name = c->name;
        t.name_len = (uint32_t)*c->name_len;
    }
    status = run_now(f, c, &t, sock_receive);
    if (!has_data(status))
        return status;
    if (c->bytes)
        *c->bytes = t.bytes;
    if (t.name)
        *c->name_len = (int32_t)t.name_len;
    *c->out_flags = status == STATUS_SUCCESS ? 0 : MSG_PARTIAL;
    return status;
}

/* ---- either ---- */

static uint32_t run_send(struct file *f, const struct call *c)
{
    struct request_result result;
    uint32_t status = check_bufs(c);

    if (status == STATUS_SUCCESS)
        status = check_send_flags(c->flags);
    if (status == STATUS_SUCCESS && c->name && !sock_is_stream(sock_of(f)))
        status = check_name(f, c->name, *c->name_len);
    if (status != STATUS_SUCCESS)
        return status;
    if (!is_overlapped(f, c))
        return send_now(f, c);
    status = sock_start_send(f, c->bufs, c->count, c->flags, c->name, c->name ? (uint32_t)*c->name_len : 0,
                             &c->answer, &result);
    if (status == STATUS_SUCCESS && c->bytes)
        *c->bytes = result.bytes;
    return status;
}

static uint32_t run_receive(struct file *f, const struct call *c)
{
    struct request_result result;
    uint32_t status = check_bufs(c);

    if (status == STATUS_SUCCESS)
        status = check_receive_flags(f, c->flags);
    if (status == STATUS_SUCCESS && c->name && !sock_is_stream(sock_of(f)))
        status = c->name_len ? check_name(f, c->name, *c->name_len) : status_from_wsa(WSAEFAULT);
    if (status != STATUS_SUCCESS)
        return status;
    if (!is_overlapped(f, c) && (c->flags & MSG_WAITALL) && atomic_load(&sock_of(f)->nonblocking))
        return status_from_wsa(WSAEOPNOTSUPP); /* what came first would be lost */
    if (!is_overlapped(f, c))
        return receive_now(f, c);
    status = sock_start_receive(f, c->bufs, c->count, c->flags, c->name, c->name_len, &c->answer, &result);
    if (status != STATUS_SUCCESS)
        return status;
    if (c->bytes)
        *c->bytes = result.bytes;
    *c->out_flags = result.flags;
    return STATUS_SUCCESS;
}

static int send_call(SOCKET s, const struct call *c)
{
    struct file *f;
    uint32_t status = socket_get_for_use(s, &f);

    if (status == STATUS_SUCCESS) {
        status = run_send(f, c);
        file_put(f);
    }
    return wsa_result(status);
}

static int receive_call(SOCKET s, const struct call *c)
{
    struct file *f;
    uint32_t status = socket_get_for_use(s, &f);

    if (status == STATUS_SUCCESS) {
        status = run_receive(f, c);
        file_put(f);
    }
    return wsa_result(status);
}

/* ---- what nearly every call is: overlapped, one buffer, no flags, no routine ---- */

static inline bool is_plain(const WSABUF *buffers, DWORD count, DWORD flags, const OVERLAPPED *overlapped,
                            LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
    return overlapped && !routine && count == 1 && flags == 0 && buffers;
}

/* The last error of an operation that goes on is worth no look into the table. */
static inline int plain_result(uint32_t status)
{
    if (status == STATUS_SUCCESS)
        return 0;
    if (status != STATUS_PENDING)
        return wsa_result(status);
    last_error_set(WSA_IO_PENDING);
    return SOCKET_ERROR;
}

static int send_plain(SOCKET s, const struct call *c)
{
    struct request_result result;
    struct file *f;
    uint32_t status = socket_get_for_use(s, &f);

    if (status != STATUS_SUCCESS)
        return wsa_result(status);
    if (__builtin_expect(f->flags & FILE_OVERLAPPED, 1)) {
        status = sock_start_plain_send(f, c->bufs, c->answer.ov, &result);
        if (status == STATUS_SUCCESS && c->bytes)
            *c->bytes = result.bytes;
        return plain_result(status);
    }
    status = run_send(f, c);
    file_put(f);
    return wsa_result(status);
}

static int receive_plain(SOCKET s, const struct call *c)
{
    struct request_result result;
    struct file *f;
    uint32_t status = socket_get_for_use(s, &f);

    if (status != STATUS_SUCCESS)
        return wsa_result(status);
    if (__builtin_expect(f->flags & FILE_OVERLAPPED, 1)) {
        status = sock_start_plain_receive(f, c->bufs, c->answer.ov, &result);
        if (status == STATUS_SUCCESS) {
            if (c->bytes)
                *c->bytes = result.bytes;
            *c->out_flags = result.flags;
        }
        return plain_result(status);
    }
    status = run_receive(f, c);
    file_put(f);
    return wsa_result(status);
}

/* ---- the public names ---- */

int WSAAPI WSASend(SOCKET s, LPWSABUF buffers, DWORD count, LPDWORD bytes, DWORD flags,
                   LPWSAOVERLAPPED overlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
    struct call c = {.bufs = (const struct io_buf *)buffers,
                     .count = count,
                     .flags = flags,
                     .bytes = bytes,
                     .answer = {overlapped, routine}};

    return is_plain(buffers, count, flags, overlapped, routine) ? send_plain(s, &c) : send_call(s, &c);
}

int WSAAPI WSASendTo(SOCKET s, LPWSABUF buffers, DWORD count, LPDWORD bytes, DWORD flags,
                     const struct sockaddr *to, int to_length, LPWSAOVERLAPPED overlapped,
                     LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
    int32_t length = to_length;
    struct call c = {.bufs = (const struct io_buf *)buffers,
                     .count = count,
                     .flags = flags,
                     .bytes = bytes,
                     .name = (void *)(uintptr_t)to,
                     .name_len = &length,
                     .answer = {overlapped, routine}};

    return send_call(s, &c);
}

/* WSARecv and WSARecvFrom, all but the flags: the caller's may be missing. */
static int receive_flagged(SOCKET s, struct call *c)
{
    if (!c->out_flags)
        return wsa_result(status_from_wsa(WSAEFAULT));
    c->flags = *c->out_flags;
    return receive_call(s, c);
}

int WSAAPI WSARecv(SOCKET s, LPWSABUF buffers, DWORD count, LPDWORD bytes, LPDWORD flags,
                   LPWSAOVERLAPPED overlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
    struct call c = {.bufs = (const struct io_buf *)buffers,
                     .count = count,
                     .bytes = bytes,
                     .out_flags = flags,
                     .answer = {overlapped, routine}};

    if (flags && is_plain(buffers, count, *flags, overlapped, routine))
        return receive_plain(s, &c);
    return receive_flagged(s, &c);
}

int WSAAPI WSARecvFrom(SOCKET s, LPWSABUF buffers, DWORD count, LPDWORD bytes, LPDWORD flags,
                       struct sockaddr *from, LPINT from_length, LPWSAOVERLAPPED overlapped,
                       LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
    struct call c = {.bufs = (const struct io_buf *)buffers,
                     .count = count,
                     .bytes = bytes,
                     .out_flags = flags,
                     .name = from,
                     .name_len = from_length,
                     .answer = {overlapped, routine}};

    return receive_flagged(s, &c);
}

/* The older calls have one buffer, and say how much in what they return. */
static int one_buffer(SOCKET s, const char *data, int length, struct call *c,
                      int (*run)(SOCKET s, const struct call *c))
{
    struct io_buf buf = {(uint32_t)length, (char *)(uintptr_t)data};
    DWORD bytes = 0;
    DWORD out_flags = 0;

    if (length < 0)
        return wsa_result(status_from_wsa(WSAEFAULT));
    c->bufs = &buf;
    c->count = 1;
    c->bytes = &bytes;
    c->out_flags = &out_flags;
    return run(s, c) == 0 ? (int)bytes : SOCKET_ERROR;
}

int WSAAPI send(SOCKET s, const char *data, int length, int flags)
{
    struct call c = {.flags = (DWORD)flags};

    return one_buffer(s, data, length, &c, send_call);
}

int WSAAPI sendto(SOCKET s, const char *data, int length, int flags, const struct sockaddr *to,
                  int to_length)
{
    struct call c = {.flags = (DWORD)flags, .name = (void *)(uintptr_t)to, .name_len = &to_length};

    return one_buffer(s, data, length, &c, send_call);
}

int WSAAPI recv(SOCKET s, char *data, int length, int flags)
{
    struct call c = {.flags = (DWORD)flags};

    return one_buffer(s, data, length, &c, receive_call);
}

int WSAAPI recvfrom(SOCKET s, char *data, int length, int flags, struct sockaddr *from, int *from_length)
{
    struct call c = {.flags = (DWORD)flags, .name = from, .name_len = from_length};

    return one_buffer(s, data, length, &c, receive_call);
}

/* ---- messages ---- */

static uint32_t check_msg(struct file *f, const WSAMSG *msg, const DWORD *bytes, const OVERLAPPED *ov,
                          bool *overlapped)
{
    *overlapped = ov && (f->flags & FILE_OVERLAPPED);
    if (!msg || (!bytes && !ov))
        return status_from_wsa(WSAEFAULT);
    if (msg->dwBufferCount > 0 && !msg->lpBuffers)
        return status_from_wsa(WSAEFAULT);
    if (msg->name && !sock_is_stream(sock_of(f)))
        return check_name(f, msg->name, msg->namelen);
    return STATUS_SUCCESS;
}

static uint32_t send_msg(struct file *f, WSAMSG *msg, DWORD flags, DWORD *bytes,
                         const struct sock_answer *answer)
{
    struct io_msg *m = (struct io_msg *)msg;
    struct request_result result = {0, 0};
    bool overlapped;
    uint32_t status = check_msg(f, msg, bytes, answer->ov, &overlapped);

    if (status == STATUS_SUCCESS)
        status = check_send_flags(flags);
    if (status != STATUS_SUCCESS)
        return status;
    if (overlapped)
        status = sock_start_send_msg(f, m, flags, answer, &result);
    else
        status = sock_send_msg(f, m, flags, &result.bytes);
    if (status == STATUS_SUCCESS && bytes)
        *bytes = result.bytes;
    return status;
}

int WSAAPI WSASendMsg(SOCKET s, LPWSAMSG message, DWORD flags, LPDWORD bytes, LPWSAOVERLAPPED overlapped,
                      LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
    struct sock_answer answer = {overlapped, routine};
    struct file *f;
    uint32_t status = socket_get_for_use(s, &f);

    if (status == STATUS_SUCCESS) {
        status = send_msg(f, message, flags, bytes, &answer);
        file_put(f);
    }
    return wsa_result(status);
}

static uint32_t receive_msg(struct file *f, WSAMSG *msg, DWORD *bytes, const struct sock_answer *answer)
{
    struct io_msg *m = (struct io_msg *)msg;
    struct request_result result = {0, 0};
    bool overlapped;
    uint32_t status = check_msg(f, msg, bytes, answer->ov, &overlapped);

    if (status != STATUS_SUCCESS)
        return status;
    if (overlapped)
        status = sock_start_receive_msg(f, m, answer, &result);
    else
        status = sock_receive_msg(f, m, &result.bytes);
    if (has_data(status) && bytes)
        *bytes = result.bytes;
    return status;
}

/* Only the pointer is public on Windows: see mswsock.h. */
INT PASCAL WSARecvMsg(SOCKET s, LPWSAMSG message, LPDWORD bytes, LPWSAOVERLAPPED overlapped,
                      LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
    struct sock_answer answer = {overlapped, routine};
    struct file *f;
    uint32_t status = socket_get_for_use(s, &f);

    if (status == STATUS_SUCCESS) {
        status = receive_msg(f, message, bytes, &answer);
        file_put(f);
    }
    return wsa_result(status);
}

/* ---- results ---- */

/* The bytes of a failed operation are not given, unless they are there: a datagram that was cut. */
static uint32_t give_result(SOCKET s, OVERLAPPED *ov, DWORD *bytes, BOOL wait, DWORD *flags)
{
    DWORD count = 0;
    uint32_t status = overlapped_result((HANDLE)s, ov, &count, wait ? WSA_INFINITE : 0, false);

    if (!has_data(status))
        return status;
    *bytes = count;
    *flags = status == STATUS_SUCCESS ? 0 : MSG_PARTIAL;
    return status;
}

BOOL WSAAPI WSAGetOverlappedResult(SOCKET s, LPWSAOVERLAPPED overlapped, LPDWORD bytes, BOOL wait,
                                   LPDWORD flags)
{
    struct file *f;
    uint32_t status = socket_get(s, &f);

    if (status != STATUS_SUCCESS)
        return wsa_result(status) == 0;
    if (!overlapped)
        status = status_from_wsa(WSA_INVALID_PARAMETER);
    else if (!bytes || !flags)
        status = status_from_wsa(WSAEFAULT);
    else
        status = give_result(s, overlapped, bytes, wait, flags);
    file_put(f);
    return wsa_result(status) == 0;
}
