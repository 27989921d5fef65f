/* SPDX-License-Identifier: MIT */
/*
 * What the tests of sockets share: sockets and their options in one line each, one dequeue with what it
 * gave, bytes that are checked. After conform.h.
 */
#ifndef NET_H
#define NET_H

static inline SOCKET tcp_socket(void)
{
    net_start();
    return WSASocketA(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_OVERLAPPED);
}

/* A UDP socket bound to the loopback, its address in *address. */
static inline SOCKET udp_socket(struct sockaddr_in *address)
{
    int size = sizeof *address;
    net_start();
    SOCKET s = WSASocketA(AF_INET, SOCK_DGRAM, IPPROTO_UDP, NULL, 0, WSA_FLAG_OVERLAPPED);
    *address = loopback(0);
    CHECK_EQ(bind(s, (struct sockaddr *)address, sizeof *address), 0);
    CHECK_EQ(getsockname(s, (struct sockaddr *)address, &size), 0);
    return s;
}

static inline SOCKET connected_to(const struct sockaddr_in *address)
{
    SOCKET s = tcp_socket();
    CHECK_EQ(connect(s, (const struct sockaddr *)address, sizeof *address), 0);
    return s;
}

static inline SOCKET bound_socket(void)
{
    struct sockaddr_in any = loopback(0);
    SOCKET s = tcp_socket();
    CHECK_EQ(bind(s, (struct sockaddr *)&any, sizeof any), 0);
    return s;
}

static inline void end_pair(SOCKET pair[2])
{
    closesocket(pair[0]);
    closesocket(pair[1]);
}

static inline void set_nonblocking(SOCKET s, int on)
{
    u_long value = (u_long)on;
    CHECK_EQ(ioctlsocket(s, FIONBIO, &value), 0);
}

/* How many bytes can be received now. */
static inline unsigned available(SOCKET s)
{
    u_long bytes = 0;
    CHECK_EQ(ioctlsocket(s, FIONREAD, &bytes), 0);
    return (unsigned)bytes;
}

static inline DWORD option(SOCKET s, int level, int name)
{
    DWORD value = 0xA5A5A5A5;
    int size = sizeof value;
    if (getsockopt(s, level, name, (char *)&value, &size))
        FAIL("getsockopt %d of level %d: error %d", name, level, WSAGetLastError());
    return size == 1 ? value & 0xFF : value;
}

static inline int set_option(SOCKET s, int level, int name, DWORD value)
{
    return setsockopt(s, level, name, (char *)&value, sizeof value);
}

static inline void set_linger(SOCKET s, int on, int seconds)
{
    struct linger linger = {(u_short)on, (u_short)seconds};
    CHECK_EQ(setsockopt(s, SOL_SOCKET, SO_LINGER, (char *)&linger, sizeof linger), 0);
}

/* Closes with a reset: the peer sees an error, not the end. */
static inline void reset_socket(SOCKET s)
{
    set_linger(s, 1, 0);
    CHECK_EQ(closesocket(s), 0);
}

static inline OVERLAPPED with_event(void)
{
    OVERLAPPED ov;
    memset(&ov, 0, sizeof ov);
    ov.hEvent = manual_event();
    return ov;
}

/* What one dequeue gave. */
struct packet {
    DWORD error, bytes; /* error: 0, or the last error of a dequeue that gave FALSE */
    ULONG_PTR key;
    OVERLAPPED *ov;
};

static inline struct packet pop(HANDLE port, DWORD ms)
{
    struct packet p = {0, 0xABABABAB, 0, NULL};
    SetLastError(0xDEADBEEF);
    if (!GetQueuedCompletionStatus(port, &p.bytes, &p.key, &p.ov, ms))
        p.error = GetLastError();
    return p;
}

/* Nothing is queued: a marker posted now is the very next packet. */
static inline int port_is_empty(HANDLE port)
{
    OVERLAPPED marker;
    return PostQueuedCompletionStatus(port, 0, 0, &marker) && pop(port, 5000).ov == &marker;
}

static inline HANDLE port_of(SOCKET s, ULONG_PTR key)
{
    HANDLE port = CreateIoCompletionPort((HANDLE)s, NULL, key, 1);
    CHECK(port != NULL);
    return port;
}

static inline void fill(void *data, size_t size, unsigned long long from)
{
    for (size_t i = 0; i < size; i++)
        ((unsigned char *)data)[i] = pattern(from + i);
}

static inline int wrong_bytes(const void *data, size_t size, unsigned long long from)
{
    int wrong = 0;
    for (size_t i = 0; i < size; i++)
        wrong += ((const unsigned char *)data)[i] != pattern(from + i);
    return wrong;
}

/* Reads pattern bytes on a blocking socket until the end, counts them and checks each. */
struct reader {
    SOCKET s;
    int chunk; /* bytes per receive */
    unsigned long long total;
    int wrong, last; /* last: what the last receive gave */
};

static inline void read_all(struct reader *r)
{
    char *got = malloc((size_t)r->chunk);
    while ((r->last = recv(r->s, got, r->chunk, 0)) > 0) {
        r->wrong += wrong_bytes(got, (size_t)r->last, r->total);
        r->total += (unsigned)r->last;
    }
    free(got);
}

/* What comes next must be exactly `text`. */
static inline void expect_text(SOCKET s, const char *text)
{
    char got[64];
    int size = (int)strlen(text), at = 0, n;
    while (at < size && (n = recv(s, got + at, size - at, 0)) > 0)
        at += n;
    CHECK_EQ(at, size);
    CHECK_MEM(got, text, (size_t)size);
}

/* Starts an AcceptEx with the least address areas: 0, or the error. */
enum { AREA = sizeof(struct sockaddr_in) + 16 };

static inline int start_accept(SOCKET listener, SOCKET s, void *buffer, DWORD size, OVERLAPPED *ov)
{
    DWORD bytes = 0;
    WSASetLastError(0);
    return AcceptEx(listener, s, buffer, size, AREA, AREA, &bytes, ov) ? 0 : WSAGetLastError();
}

static inline int update_accept(SOCKET s, SOCKET listener)
{
    return setsockopt(s, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, (char *)&listener, sizeof listener)
               ? WSAGetLastError()
               : 0;
}

static inline int update_connect(SOCKET s)
{
    return setsockopt(s, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, NULL, 0) ? WSAGetLastError() : 0;
}

/* Asks for an extension function: 0 or the error. */
static inline int extension(SOCKET s, GUID id, void *pointer, DWORD *bytes)
{
    return WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &id, sizeof id, pointer, sizeof(void *), bytes,
                    NULL, NULL)
               ? WSAGetLastError()
               : 0;
}

static inline int start_connect(SOCKET s, const struct sockaddr_in *to, const void *data, DWORD size,
                                OVERLAPPED *ov)
{
    static LPFN_CONNECTEX connect_ex;
    DWORD bytes;
    if (!connect_ex)
        CHECK_EQ(extension(s, (GUID)WSAID_CONNECTEX, &connect_ex, &bytes), 0);
    WSASetLastError(0);
    return connect_ex(s, (const struct sockaddr *)to, sizeof *to, (void *)(uintptr_t)data, size, NULL, ov)
               ? 0
               : WSAGetLastError();
}

#endif
