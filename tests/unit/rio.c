/* SPDX-License-Identifier: MIT */
/* Registered I/O as the rest of the library sees it: in flight, cancelled, sockets given away, forked. */
#include "unit.h"
#include "forked.h"

#include "io/file.h"

#include <iocp.h>

#include <errno.h>
#include <ifaddrs.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LIMIT = 4 };

static RIO_EXTENSION_FUNCTION_TABLE rio;

static struct stream {
    SOCKET near_end;
    int far_end;
    RIO_CQ results;
    RIO_RQ requests;
    RIO_BUFFERID buffer;
    char memory[64];
} t;

static int load(void)
{
    GUID id = WSAID_MULTIPLE_RIO;
    WSADATA data;
    DWORD bytes;
    SOCKET s;

    if (rio.cbSize)
        return 1;
    CHECK_EQ(WSAStartup(MAKEWORD(2, 2), &data), 0);
    s = WSASocketA(AF_INET, SOCK_DGRAM, 0, NULL, 0, 0);
    CHECK_EQ(WSAIoctl(s, SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER, &id, sizeof id, &rio, sizeof rio,
                      &bytes, NULL, NULL), 0);
    closesocket(s);
    return rio.cbSize != 0;
}

static void connect_pair(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof a;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK_EQ(bind(listener, (struct sockaddr *)&a, size), 0);
    CHECK_EQ(listen(listener, 1), 0);
    CHECK_EQ(getsockname(listener, (struct sockaddr *)&a, &size), 0);
    t.near_end = WSASocketA(AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_REGISTERED_IO | WSA_FLAG_OVERLAPPED);
    CHECK_EQ(iocp_connect(t.near_end, (struct sockaddr *)&a, (int)size), 0);
    t.far_end = accept(listener, NULL, NULL);
    close(listener);
}

static int open_stream(RIO_NOTIFICATION_COMPLETION *how)
{
    if (!load())
        return 0;
    connect_pair();
    t.results = rio.RIOCreateCompletionQueue(2 * LIMIT, how);
    t.requests = rio.RIOCreateRequestQueue(t.near_end, LIMIT, 1, LIMIT, 1, t.results, t.results, &t);
    t.buffer = rio.RIORegisterBuffer(t.memory, sizeof t.memory);
    return CHECK(t.requests != RIO_INVALID_RQ) && CHECK(t.buffer != RIO_INVALID_BUFFERID);
}

static void close_stream(void)
{
    if (t.near_end != INVALID_SOCKET)
        closesocket(t.near_end);
    close(t.far_end);
    rio.RIODeregisterBuffer(t.buffer);
    rio.RIOCloseCompletionQueue(t.results);
}

static BOOL receive(DWORD flags, intptr_t context)
{
    RIO_BUF buf = {t.buffer, (ULONG)context, 1};

    return rio.RIOReceive(t.requests, &buf, 1, flags, (void *)context);
}

static void take(unsigned count, LONG status)
{
    RIORESULT r;

    for (unsigned i = 0; i < count; i++) {
        if (CHECK(WITHIN(10000, rio.RIODequeueCompletion(t.results, &r, 1) == 1)))
            CHECK_EQ(r.Status, status);
    }
    CHECK_EQ(rio.RIODequeueCompletion(t.results, &r, 1), 0);
}

static void check_balance(void)
{
    struct iocp_ledger l;

    iocp_ledger(&l);
    CHECK_EQ(l.started, l.completed + l.refused);
    CHECK_EQ(l.queued, l.delivered + l.dropped);
}

TEST(in_flight)
{
    struct iocp_pending p[4];

    if (!open_stream(NULL))
        return;
    CHECK(receive(0, 1));
    CHECK(receive(RIO_MSG_DEFER, 2));
    CHECK_EQ(iocp_pending(p, 4), 1); /* what is held back has not begun */
    CHECK_STR(p[0].operation, "registered receive");
    CHECK(p[0].handle == (HANDLE)t.near_end);
    CHECK_EQ(p[0].size, 1);
    CHECK(rio.RIOReceive(t.requests, NULL, 0, RIO_MSG_COMMIT_ONLY, NULL));
    CHECK_EQ(iocp_pending(NULL, 0), 2);
    closesocket(t.near_end);
    t.near_end = INVALID_SOCKET;
    CHECK_EQ(iocp_pending(NULL, 0), 0);
    take(2, WSA_OPERATION_ABORTED);
    close_stream();
    check_balance();
}

TEST(cancelling)
{
    if (!open_stream(NULL))
        return;
    CHECK(receive(0, 1));
    CHECK(receive(0, 2));
    CHECK(receive(RIO_MSG_DEFER, 3));
    CHECK(!CancelIo((HANDLE)t.near_end) || iocp_pending(NULL, 0) == 2); /* no thread has begun them */
    CHECK_EQ(iocp_pending(NULL, 0), 2);
    CHECK(CancelIoEx((HANDLE)t.near_end, NULL));
    take(2, WSA_OPERATION_ABORTED);
    CHECK(rio.RIOReceive(t.requests, NULL, 0, RIO_MSG_COMMIT_ONLY, NULL));
    CHECK_EQ(write(t.far_end, "x", 1), 1);
    take(1, 0);
    CHECK_EQ(t.memory[3], 'x');
    close_stream();
    check_balance();
}

TEST(given_away)
{
    int fd;

    if (!open_stream(NULL))
        return;
    CHECK(receive(0, 1));
    CHECK(receive(RIO_MSG_DEFER, 2));
    fd = (int)t.near_end;
    CHECK(iocp_forget(fd) != 0); /* it was never the program's */
    CHECK_EQ(file_release(fd), 0);
    t.near_end = INVALID_SOCKET;
    take(2, WSA_OPERATION_ABORTED);
    CHECK(!receive(0, 3));
    CHECK_EQ(GetLastError(), WSAEINVAL);
    CHECK_EQ(write(fd, "y", 1), 1); /* it is the program's, and open */
    CHECK_EQ(close(fd), 0);
    close_stream();
    check_balance();
}

static pthread_barrier_t together;

static void *resize_often(void *seed)
{
    int failed = 0;

    pthread_barrier_wait(&together);
    for (unsigned i = 0; i < 100000; i++)
        failed += !rio.RIOResizeRequestQueue(t.requests, 1 + (i + (unsigned)(uintptr_t)seed) % 4, 4);
    return (void *)(uintptr_t)failed;
}

/* More than Windows allows. Both succeed, as if they took turns. */
TEST(resized_by_two)
{
    enum { PLENTY = 64 };
    pthread_t thread;
    void *failed[2];

    if (!open_stream(NULL))
        return;
    CHECK(rio.RIOResizeCompletionQueue(t.results, PLENTY));
    pthread_barrier_init(&together, NULL, 2);
    CHECK_EQ(pthread_create(&thread, NULL, resize_often, (void *)1), 0);
    failed[0] = resize_often(NULL);
    CHECK_EQ(pthread_join(thread, &failed[1]), 0);
    pthread_barrier_destroy(&together);
    CHECK(!failed[0]);
    CHECK(!failed[1]);
    CHECK(rio.RIOResizeRequestQueue(t.requests, 3, 4));
    CHECK(!rio.RIOResizeCompletionQueue(t.results, 6));
    CHECK(rio.RIOResizeCompletionQueue(t.results, 7)); /* what was promised is what is in use */
    close_stream();
}

TEST(port_is_closed)
{
    static OVERLAPPED ov;
    RIO_NOTIFICATION_COMPLETION how = {.Type = RIO_IOCP_COMPLETION};

    how.Iocp.IocpHandle = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    how.Iocp.Overlapped = &ov;
    if (!open_stream(&how))
        return;
    CHECK_EQ(rio.RIONotify(t.results), 0);
    CHECK(receive(0, 1));
    CHECK(CloseHandle(how.Iocp.IocpHandle));
    CHECK_EQ(write(t.far_end, "x", 1), 1);
    take(1, 0); /* the packet is nobody's, the result is there */
    CHECK_EQ(rio.RIONotify(t.results), 0);
    close_stream(); /* with a notification armed */
    check_balance();
}

/* An address that is valid on one interface only; false: there is none. */
static int link_local(struct sockaddr_in6 *out)
{
    struct ifaddrs *all, *i;
    int found = 0;

    if (getifaddrs(&all) < 0)
        return 0;
    for (i = all; i && !found; i = i->ifa_next) {
        struct sockaddr_in6 *a = (struct sockaddr_in6 *)(void *)i->ifa_addr;

        found = a && a->sin6_family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&a->sin6_addr);
        if (found)
            *out = *a;
    }
    freeifaddrs(all);
    return found;
}

TEST(local_address_of_a_link)
{
    enum { LOCAL = 0, REMOTE = 28, DATA = 56 };
    struct sockaddr_in6 to, any = {.sin6_family = AF_INET6}, told;
    int size = sizeof any;
    RIO_BUF data, local, remote;
    RIORESULT r;
    int far_end;

    if (!load() || !link_local(&to))
        SKIP("no interface has a link-local address");
    t.near_end = WSASocketA(AF_INET6, SOCK_DGRAM, 0, NULL, 0, WSA_FLAG_REGISTERED_IO);
    CHECK_EQ(iocp_bind(t.near_end, (struct sockaddr *)&any, size), 0);
    CHECK_EQ(iocp_getsockname(t.near_end, (struct sockaddr *)&any, &size), 0);
    t.results = rio.RIOCreateCompletionQueue(2, NULL);
    t.requests = rio.RIOCreateRequestQueue(t.near_end, 1, 1, 1, 1, t.results, t.results, NULL);
    t.buffer = rio.RIORegisterBuffer(t.memory, sizeof t.memory);
    data = (RIO_BUF){t.buffer, DATA, 4};
    local = (RIO_BUF){t.buffer, LOCAL, 28};
    remote = (RIO_BUF){t.buffer, REMOTE, 28};
    CHECK(rio.RIOReceiveEx(t.requests, &data, 1, &local, &remote, NULL, NULL, 0, NULL));
    to.sin6_port = any.sin6_port;
    far_end = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CHECK_EQ(sendto(far_end, "x", 1, 0, (struct sockaddr *)&to, sizeof to), 1);
    if (CHECK(WITHIN(10000, rio.RIODequeueCompletion(t.results, &r, 1) == 1))) {
        memcpy(&told, t.memory + LOCAL, sizeof told);
        CHECK(IN6_ARE_ADDR_EQUAL(&told.sin6_addr, &to.sin6_addr));
        CHECK_EQ(told.sin6_scope_id, to.sin6_scope_id);
        CHECK_EQ(told.sin6_port, any.sin6_port);
        memcpy(&told, t.memory + REMOTE, sizeof told);
        CHECK_EQ(told.sin6_scope_id, to.sin6_scope_id);
    }
    t.far_end = far_end;
    close_stream();
}

/* Later calls do without the system call, and leave it to the program. */
TEST(arrival_is_asked_for_once)
{
    struct sockaddr_in any = {.sin_family = AF_INET};
    int on = 0, off = 0;
    socklen_t size = sizeof on;
    RIO_BUF data, local;

    if (!load())
        return;
    t.near_end = WSASocketA(AF_INET, SOCK_DGRAM, 0, NULL, 0, WSA_FLAG_REGISTERED_IO);
    t.far_end = -1;
    CHECK_EQ(iocp_bind(t.near_end, (struct sockaddr *)&any, sizeof any), 0);
    t.results = rio.RIOCreateCompletionQueue(2, NULL);
    t.requests = rio.RIOCreateRequestQueue(t.near_end, 2, 1, 0, 0, t.results, t.results, NULL);
    t.buffer = rio.RIORegisterBuffer(t.memory, sizeof t.memory);
    data = (RIO_BUF){t.buffer, 32, 4};
    local = (RIO_BUF){t.buffer, 0, 28};
    CHECK(rio.RIOReceiveEx(t.requests, &data, 1, &local, NULL, NULL, NULL, 0, NULL));
    CHECK_EQ(getsockopt((int)t.near_end, IPPROTO_IP, IP_PKTINFO, &on, &size), 0);
    CHECK_EQ(on, 1);
    CHECK_EQ(setsockopt((int)t.near_end, IPPROTO_IP, IP_PKTINFO, &off, sizeof off), 0);
    CHECK(rio.RIOReceiveEx(t.requests, &data, 1, &local, NULL, NULL, NULL, 0, NULL));
    CHECK_EQ(getsockopt((int)t.near_end, IPPROTO_IP, IP_PKTINFO, &on, &size), 0);
    CHECK_EQ(on, 0);
    closesocket(t.near_end);
    t.near_end = INVALID_SOCKET;
    take(2, WSA_OPERATION_ABORTED);
    rio.RIODeregisterBuffer(t.buffer);
    rio.RIOCloseCompletionQueue(t.results);
}

static void be_a_child(void)
{
    RIORESULT r;
    RIO_CQ queue = t.results;
    int parents = (int)t.near_end;

    CHECK_EQ(rio.RIODequeueCompletion(queue, &r, 1), RIO_CORRUPT_CQ);
    CHECK(!receive(0, 3));
    CHECK_EQ(GetLastError(), WSAEINVAL);
    CHECK_EQ(rio.RIONotify(queue), WSAEINVAL);
    rio.cbSize = 0;
    if (open_stream(NULL)) { /* its own */
        CHECK(receive(0, 1));
        CHECK_EQ(write(t.far_end, "z", 1), 1);
        take(1, 0);
        close_stream();
    }
    CHECK_EQ(close(parents), 0);
}

TEST(forked)
{
    if (!CHILDREN_ALLOCATE)
        SKIP("the sanitizer's malloc may be locked in a child");
    if (!open_stream(NULL))
        return;
    CHECK(receive(0, 1));
    CHECK(receive(RIO_MSG_DEFER, 2));
    IN_CHILD(be_a_child());
    CHECK_EQ(write(t.far_end, "x", 1), 1);
    take(1, 0);
    close_stream();
    check_balance();
}
