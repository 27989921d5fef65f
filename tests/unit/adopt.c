/* SPDX-License-Identifier: MIT */
/*
 * Descriptors that the program made itself. Any kind may be given to CreateIoCompletionPort, ReadFile,
 * WriteFile and the Winsock calls for data, control and options; nothing else takes one in; its open file
 * is never changed; and a close(2) that the library was not told of is noticed at the next association.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "base/os.h"
#include "unit.h"
#include "asleep.h"

#include <iocp.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>

enum { PATIENCE_MS = 10000, READ_SIZE = 8 }; /* an eventfd gives 8 bytes or none */

/* ---- kinds ---- */

/* MPTCP: a stream of the Internet's families that is not TCP, as SCTP is. */
enum kind { SOCKET_UDP, SOCKET_TCP, SOCKET_MPTCP, PAIR, PIPE, FIFO, FILE_, DIRECTORY, EVENTFD, TIMERFD, TTY,
            NULL_, KINDS };

static const char *const kind_names[] = {"UDP socket", "TCP socket", "MPTCP socket", "socketpair", "pipe",
                                         "FIFO", "file", "directory", "eventfd", "timerfd", "tty",
                                         "/dev/null"};

/* near is what the library gets, far what the test talks to it through; the same for some kinds. */
struct ends {
    int near, far;
};

static char path_template[64];

static const char *fresh_path(void)
{
    int fd;

    strcpy(path_template, "/tmp/iocp-adopt-XXXXXX");
    fd = mkstemp(path_template);
    if (fd < 0)
        exit(1);
    close(fd);
    unlink(path_template);
    return path_template;
}

static int stream_socket(int protocol)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, protocol);

    return fd < 0 && protocol ? stream_socket(0) : fd; /* a kernel without it */
}

static struct ends make_stream(int protocol)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int listener = stream_socket(protocol);
    struct ends e = {stream_socket(protocol), -1};

    CHECK(bind(listener, (struct sockaddr *)&a, sizeof a) == 0 && listen(listener, 8) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&a, &len) == 0);
    CHECK_EQ(connect(e.near, (struct sockaddr *)&a, sizeof a), 0);
    e.far = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    close(listener);
    return e;
}

static struct ends make_udp(void)
{
    struct sockaddr_in a[2];
    int fd[2];

    for (int i = 0; i < 2; i++) {
        socklen_t len = sizeof a[i];

        a[i] = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        fd[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        CHECK_EQ(bind(fd[i], (struct sockaddr *)&a[i], sizeof a[i]), 0);
        CHECK_EQ(getsockname(fd[i], (struct sockaddr *)&a[i], &len), 0);
    }
    for (int i = 0; i < 2; i++)
        CHECK_EQ(connect(fd[i], (struct sockaddr *)&a[!i], sizeof a[i]), 0);
    return (struct ends){fd[0], fd[1]};
}

static struct ends make_fifo(void)
{
    const char *path = fresh_path();
    struct ends e;

    CHECK_EQ(mkfifo(path, 0600), 0);
    e.near = open(path, O_RDWR | O_CLOEXEC);
    e.far = open(path, O_WRONLY | O_CLOEXEC);
    unlink(path);
    return e;
}

static struct ends make_file(void)
{
    const char *path = fresh_path();
    struct ends e = {open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600), open(path, O_RDWR | O_CLOEXEC)};

    unlink(path);
    return e;
}

static struct ends make_tty(void)
{
    struct ends e = {-1, posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)};

    if (e.far >= 0 && grantpt(e.far) == 0 && unlockpt(e.far) == 0)
        e.near = open(ptsname(e.far), O_RDWR | O_NOCTTY | O_CLOEXEC);
    return e;
}

static struct ends make(enum kind kind)
{
    struct ends e = {-1, -1};
    int fd[2];

    switch (kind) {
    case SOCKET_UDP:
        return make_udp();
    case SOCKET_TCP:
        return make_stream(0);
    case SOCKET_MPTCP:
        return make_stream(IPPROTO_MPTCP);
    case PAIR:
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
        return (struct ends){fd[0], fd[1]};
    case PIPE:
        CHECK_EQ(pipe2(fd, O_CLOEXEC), 0);
        return (struct ends){fd[0], fd[1]};
    case FIFO:
        return make_fifo();
    case FILE_:
        return make_file();
    case DIRECTORY:
        e.near = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return e;
    case EVENTFD:
        e.near = eventfd(0, EFD_CLOEXEC);
        e.far = dup(e.near);
        return e;
    case TIMERFD:
        e.near = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
        e.far = dup(e.near);
        return e;
    case TTY:
        return make_tty();
    default:
        e.near = open("/dev/null", O_RDWR | O_CLOEXEC);
        return e;
    }
}

static void end(struct ends e)
{
    iocp_forget(e.near);
    CHECK_EQ(close(e.near), 0);
    if (e.far >= 0)
        CHECK_EQ(close(e.far), 0);
}

static HANDLE handle_of(int fd)
{
    return (HANDLE)(intptr_t)fd;
}

static bool blocks(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags >= 0 && !(flags & O_NONBLOCK);
}

static HANDLE new_port(void)
{
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);

    if (!port)
        exit(1);
    return port;
}

/* Something for the near end to read: 8 bytes of any kind. */
static void feed(enum kind kind, struct ends e)
{
    static const char text[8] = "1234567\n";
    uint64_t one = 1;
    struct itimerspec soon = {.it_value.tv_nsec = 1000000};

    if (kind == EVENTFD)
        CHECK_EQ(write(e.far, &one, 8), 8);
    else if (kind == TIMERFD)
        CHECK_EQ(timerfd_settime(e.far, 0, &soon, NULL), 0);
    else if (kind == FILE_)
        CHECK_EQ(pwrite(e.far, text, 8, 0), 8);
    else
        CHECK_EQ(write(e.far, text, 8), 8);
}

static bool can_be_read(enum kind kind)
{
    return kind != DIRECTORY && kind != NULL_;
}

/* One packet with this OVERLAPPED; its error, 0 for none. */
static DWORD take(HANDLE port, OVERLAPPED *wanted, DWORD *bytes)
{
    OVERLAPPED *ov = NULL;
    ULONG_PTR key = 0;

    *bytes = 4711;
    SetLastError(0);
    if (GetQueuedCompletionStatus(port, bytes, &key, &ov, PATIENCE_MS)) {
        CHECK(ov == wanted);
        return 0;
    }
    CHECK(ov == wanted);
    return GetLastError();
}

/* ---- every kind ---- */

TEST(every_kind_reads_and_writes_at_once)
{
    for (enum kind kind = 0; kind < KINDS; kind++) {
        struct ends e = make(kind);
        char data[16];
        DWORD bytes = 0;

        if (can_be_read(kind)) {
            feed(kind, e);
            if (!CHECK(ReadFile(handle_of(e.near), data, sizeof data, &bytes, NULL) && bytes == 8))
                printf("    %s, error %u\n", kind_names[kind], (unsigned)GetLastError());
        }
        if (kind != DIRECTORY && kind != PIPE && kind != TIMERFD) {
            memset(data, 0, sizeof data);
            data[0] = 1;
            if (!CHECK(WriteFile(handle_of(e.near), data, 8, &bytes, NULL) && bytes == 8))
                printf("    %s, error %u\n", kind_names[kind], (unsigned)GetLastError());
        } else {
            CHECK(!WriteFile(handle_of(e.near), data, 8, &bytes, NULL));
        }
        CHECK(blocks(e.near));
        end(e);
    }
}

TEST(every_kind_belongs_to_a_port)
{
    HANDLE port = new_port();

    for (enum kind kind = 0; kind < KINDS; kind++) {
        struct ends e = make(kind);
        OVERLAPPED ov = {0};
        OVERLAPPED *none;
        ULONG_PTR key;
        char data[16];
        DWORD bytes;

        CHECK(CreateIoCompletionPort(handle_of(e.near), port, kind, 0) == port);
        CHECK(CreateIoCompletionPort(handle_of(e.near), port, kind, 0) == NULL);
        CHECK_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
        if (can_be_read(kind)) {
            if (kind == FILE_)
                feed(kind, e);
            else
                CHECK_EQ(GetQueuedCompletionStatus(port, &bytes, &key, &none, 0), FALSE);
            SetLastError(0);
            if (!ReadFile(handle_of(e.near), data, sizeof data, NULL, &ov))
                CHECK_EQ(GetLastError(), ERROR_IO_PENDING);
            if (kind != FILE_) {
                if (!CHECK(!HasOverlappedIoCompleted(&ov)))
                    printf("    %s\n", kind_names[kind]);
                feed(kind, e);
            }
            if (!CHECK_EQ(take(port, &ov, &bytes), 0) || !CHECK_EQ(bytes, 8))
                printf("    %s\n", kind_names[kind]);
        }
        CHECK(blocks(e.near));
        end(e);
    }
    CHECK(CloseHandle(port));
}

TEST(every_stream_without_a_port)
{
    HANDLE event = CreateEventA(NULL, TRUE, FALSE, NULL);

    for (enum kind kind = 0; kind < KINDS; kind++) {
        OVERLAPPED ov = {.hEvent = event};
        struct ends e;
        char data[16];
        DWORD bytes = 0;

        if (!can_be_read(kind) || kind == FILE_)
            continue;
        e = make(kind);
        CHECK(!ReadFile(handle_of(e.near), data, sizeof data, NULL, &ov));
        CHECK_EQ(GetLastError(), ERROR_IO_PENDING);
        feed(kind, e);
        if (!CHECK_EQ(WaitForSingleObject(event, PATIENCE_MS), WAIT_OBJECT_0))
            printf("    %s\n", kind_names[kind]);
        CHECK(GetOverlappedResult(handle_of(e.near), &ov, &bytes, FALSE) && bytes == 8);
        CHECK(blocks(e.near));
        end(e);
    }
    CloseHandle(event);
}

static void *write_late(void *arg)
{
    const struct ends *e = arg;

    until_main_sleeps();
    return write(e->far, "late", 4) == 4 ? NULL : arg;
}

TEST(blocking_calls_wait)
{
    static const enum kind kinds[] = {SOCKET_TCP, SOCKET_MPTCP, PAIR, PIPE, FIFO};

    for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct ends e = make(kinds[i]);
        char data[16];
        DWORD bytes = 0;
        pthread_t t;

        CHECK_EQ(pthread_create(&t, NULL, write_late, &e), 0);
        CHECK(ReadFile(handle_of(e.near), data, sizeof data, &bytes, NULL));
        CHECK_EQ(bytes, 4);
        pthread_join(t, NULL);
        CHECK(blocks(e.near));
        end(e);
    }
}

TEST(winsock_calls)
{
    static const enum kind kinds[] = {SOCKET_UDP, SOCKET_TCP, PAIR};
    HANDLE port = new_port();

    for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct ends e = make(kinds[i]);
        char data[16], answer[16];
        WSABUF in = {sizeof data, data}, out = {3, (char[]){"abc"}};
        OVERLAPPED ov = {0}, sent = {0};
        DWORD bytes = 0, flags = 0;

        CHECK_EQ(WSASend((SOCKET)e.near, &out, 1, &bytes, 0, NULL, NULL), 0);
        CHECK_EQ(bytes, 3);
        CHECK_EQ(read(e.far, answer, sizeof answer), 3);
        CHECK_EQ(write(e.far, "de", 2), 2);
        CHECK_EQ(WSARecv((SOCKET)e.near, &in, 1, &bytes, &flags, NULL, NULL), 0);
        CHECK_EQ(bytes, 2);
        CHECK(CreateIoCompletionPort(handle_of(e.near), port, 1, 0) == port);
        CHECK_EQ(WSARecv((SOCKET)e.near, &in, 1, NULL, &flags, &ov, NULL), SOCKET_ERROR);
        CHECK_EQ(WSAGetLastError(), WSA_IO_PENDING);
        CHECK_EQ(WSASend((SOCKET)e.near, &out, 1, NULL, 0, &sent, NULL), 0);
        CHECK_EQ(take(port, &sent, &bytes), 0);
        CHECK_EQ(write(e.far, "f", 1), 1);
        CHECK_EQ(take(port, &ov, &bytes), 0);
        CHECK_EQ(bytes, 1);
        CHECK(blocks(e.near));
        end(e);
    }
    CloseHandle(port);
}

/* What a program may say first to a socket of its own, each to a fresh one. No WSAStartup. */
TEST(controls_and_options)
{
    static const enum kind kinds[] = {SOCKET_UDP, SOCKET_TCP, PAIR};
    GUID id = WSAID_CONNECTEX;

    for (unsigned i = 0; i < 5 * sizeof kinds / sizeof kinds[0]; i++) {
        struct ends e = make(kinds[i / 5]);
        SOCKET s = (SOCKET)e.near;
        HANDLE event = WSACreateEvent();
        u_long on = 1;
        int value = 0, size = sizeof value;
        LPFN_CONNECTEX connect_ex = NULL;
        DWORD bytes;
        char byte;

        switch (i % 5) {
        case 0:
            CHECK_EQ(ioctlsocket(s, FIONBIO, &on), 0);
            CHECK_EQ(iocp_recv(s, &byte, 1, 0), SOCKET_ERROR);
            CHECK_EQ(WSAGetLastError(), WSAEWOULDBLOCK);
            break;
        case 1:
            CHECK_EQ(WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &id, sizeof id, &connect_ex,
                              sizeof connect_ex, &bytes, NULL, NULL), 0);
            CHECK(connect_ex);
            break;
        case 2:
            CHECK_EQ(iocp_getsockopt(s, SOL_SOCKET, SO_TYPE, (char *)&value, &size), 0);
            CHECK(value == (kinds[i / 5] == SOCKET_UDP ? SOCK_DGRAM : SOCK_STREAM));
            break;
        case 3:
            value = 1 << 16;
            CHECK_EQ(iocp_setsockopt(s, SOL_SOCKET, SO_SNDBUF, (char *)&value, sizeof value), 0);
            break;
        default:
            CHECK_EQ(WSAEventSelect(s, event, FD_READ), 0);
            CHECK_EQ(write(e.far, "x", 1), 1);
            CHECK_EQ(WaitForSingleObject(event, PATIENCE_MS), WAIT_OBJECT_0);
        }
        CHECK(blocks(e.near)); /* FIONBIO is the library's own flag */
        CHECK_EQ(iocp_forget(e.near), 0);
        WSACloseEvent(event);
        end(e);
    }
}

/* ---- what is refused ---- */

TEST(zero_to_two_are_refused)
{
    HANDLE port = new_port();
    OVERLAPPED ov = {0};
    char byte = 0;
    DWORD bytes, flags = 0;
    WSABUF buf = {1, &byte};
    WSADATA data;

    CHECK_EQ(WSAStartup(MAKEWORD(2, 2), &data), 0);
    for (int fd = 0; fd < 3; fd++) {
        CHECK(!CreateIoCompletionPort(handle_of(fd), port, 0, 0));
        CHECK_EQ(GetLastError(), ERROR_INVALID_HANDLE);
        CHECK(!ReadFile(handle_of(fd), &byte, 1, &bytes, &ov));
        CHECK_EQ(GetLastError(), ERROR_INVALID_HANDLE);
        CHECK(!WriteFile(handle_of(fd), &byte, 1, &bytes, NULL));
        CHECK_EQ(GetLastError(), ERROR_INVALID_HANDLE);
        CHECK_EQ(WSARecv((SOCKET)fd, &buf, 1, &bytes, &flags, NULL, NULL), SOCKET_ERROR);
        CHECK_EQ(WSAGetLastError(), WSAENOTSOCK);
        CHECK(!CloseHandle(handle_of(fd)));
        CHECK_EQ(GetLastError(), ERROR_INVALID_HANDLE);
        CHECK_EQ(iocp_forget(fd), -1);
        CHECK(fcntl(fd, F_GETFD) >= 0);
    }
    CHECK_EQ(WSACleanup(), 0);
    CloseHandle(port);
}

TEST(nothing_else_adopts)
{
    struct ends e = make(PAIR);
    HANDLE h = handle_of(e.near), copy;
    OVERLAPPED ov = {0};
    DWORD bytes, flags;
    struct sockaddr_storage name;
    int len = sizeof name;

    CHECK(!CancelIo(h));
    CHECK_EQ(GetLastError(), ERROR_INVALID_HANDLE);
    CHECK(!CancelIoEx(h, NULL));
    CHECK_EQ(GetLastError(), ERROR_INVALID_HANDLE);
    CHECK(!CancelSynchronousIo(h));
    CHECK_EQ(GetLastError(), ERROR_INVALID_HANDLE);
    CHECK_EQ(WaitForSingleObject(h, 0), WAIT_FAILED);
    CHECK_EQ(GetLastError(), ERROR_INVALID_HANDLE);
    CHECK_EQ(WaitForMultipleObjects(1, &h, FALSE, 0), WAIT_FAILED);
    CHECK_EQ(GetLastError(), ERROR_INVALID_HANDLE);
    CHECK(!DuplicateHandle(GetCurrentProcess(), h, GetCurrentProcess(), &copy, 0, FALSE,
                           DUPLICATE_SAME_ACCESS));
    CHECK_EQ(GetLastError(), ERROR_INVALID_HANDLE);
    CHECK(!GetHandleInformation(h, &flags));
    CHECK_EQ(GetLastError(), ERROR_INVALID_HANDLE);
    ov.Internal = (ULONG_PTR)STATUS_PENDING;
    CHECK(!GetOverlappedResult(h, &ov, &bytes, FALSE));
    CHECK(!WSAGetOverlappedResult((SOCKET)e.near, &ov, &bytes, FALSE, &flags));
    CHECK_EQ(iocp_getsockname((SOCKET)e.near, (struct sockaddr *)&name, &len), SOCKET_ERROR);
    CHECK_EQ(closesocket((SOCKET)e.near), SOCKET_ERROR);
    CHECK(!CloseHandle(h));
    CHECK_EQ(GetLastError(), ERROR_INVALID_HANDLE);
    /* Still open, still a stranger. */
    CHECK_EQ(write(e.far, "x", 1), 1);
    CHECK_EQ(read(e.near, &name, 1), 1);
    CHECK_EQ(iocp_forget(e.near), -1);
    CHECK_EQ(GetLastError(), ERROR_INVALID_HANDLE);
    end(e);
}

TEST(unknown_numbers)
{
    HANDLE port = new_port();
    OVERLAPPED ov = {0};
    char byte = 0;

    CHECK(!CreateIoCompletionPort(handle_of(999), port, 0, 0));
    CHECK_EQ(GetLastError(), ERROR_INVALID_HANDLE);
    CHECK(!ReadFile(handle_of(999), &byte, 1, NULL, &ov));
    CHECK_EQ(GetLastError(), ERROR_INVALID_HANDLE);
    CHECK(!WriteFile(handle_of(0x3FFFFFFF), &byte, 1, NULL, &ov));
    CHECK_EQ(GetLastError(), ERROR_INVALID_HANDLE);
    CloseHandle(port);
}

/* ---- the end of an adoption ---- */

static void start_read(int fd, char *byte, OVERLAPPED *ov) /* READ_SIZE bytes */
{
    memset(ov, 0, sizeof *ov);
    SetLastError(0);
    CHECK(!ReadFile(handle_of(fd), byte, READ_SIZE, NULL, ov));
    CHECK_EQ(GetLastError(), ERROR_IO_PENDING);
}

TEST(closed_behind_its_back)
{
    static const enum kind kinds[] = {SOCKET_TCP, PAIR, PIPE, FIFO, EVENTFD};
    HANDLE port = new_port(), other = new_port();

    for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct ends old = make(kinds[i]), fresh = make(PAIR);
        OVERLAPPED ov, second;
        char byte[READ_SIZE];
        DWORD bytes;

        CHECK(CreateIoCompletionPort(handle_of(old.near), port, 1, 0) == port);
        start_read(old.near, byte, &ov);
        close(old.near);
        CHECK_EQ(dup2(fresh.near, old.near), old.near);
        close(fresh.near);
        CHECK(CreateIoCompletionPort(handle_of(old.near), other, 2, 0) == other);
        if (!CHECK_EQ(take(port, &ov, &bytes), ERROR_OPERATION_ABORTED))
            printf("    %s\n", kind_names[kinds[i]]);
        start_read(old.near, byte, &second);
        CHECK_EQ(write(fresh.far, "n", 1), 1);
        CHECK_EQ(take(other, &second, &bytes), 0);
        CHECK(byte[0] == 'n');
        close(fresh.far);
        end(old);
    }
    CloseHandle(port);
    CloseHandle(other);
}

/* The number goes to something that the library makes itself. */
TEST(closed_and_reused_by_the_library)
{
    struct ends old = make(PAIR);
    HANDLE port = new_port();
    OVERLAPPED ov;
    WSADATA data;
    SOCKET s;
    char byte[READ_SIZE];
    DWORD bytes;

    CHECK_EQ(WSAStartup(MAKEWORD(2, 2), &data), 0);
    CHECK(CreateIoCompletionPort(handle_of(old.near), port, 1, 0) == port);
    start_read(old.near, byte, &ov);
    close(old.near);
    s = WSASocketA(AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED);
    CHECK_EQ(s, (SOCKET)old.near);
    CHECK_EQ(take(port, &ov, &bytes), ERROR_OPERATION_ABORTED);
    CHECK(CreateIoCompletionPort((HANDLE)s, port, 3, 0) == port);
    CHECK_EQ(closesocket(s), 0);
    close(old.far);
    CloseHandle(port);
}

/* So it is with what the library has made: sockets and files, which a program has no business to close(2). */
TEST(made_closed_and_reused_by_the_library)
{
    HANDLE port = new_port();
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    OVERLAPPED ov = {0};
    WSADATA data;
    HANDLE file, again;
    SOCKET s;
    char byte[READ_SIZE];
    WSABUF buf = {sizeof byte, byte};
    DWORD flags = 0, bytes;

    CHECK_EQ(WSAStartup(MAKEWORD(2, 2), &data), 0);
    s = WSASocketA(AF_INET, SOCK_DGRAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED);
    CHECK_EQ(iocp_bind(s, (struct sockaddr *)&here, sizeof here), 0);
    CHECK(CreateIoCompletionPort((HANDLE)s, port, 1, 0) == port);
    CHECK_EQ(WSARecv(s, &buf, 1, NULL, &flags, &ov, NULL), SOCKET_ERROR);
    CHECK_EQ(WSAGetLastError(), WSA_IO_PENDING);
    close((int)s);
    CHECK_EQ(WSASocketA(AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED), s);
    CHECK_EQ(take(port, &ov, &bytes), ERROR_OPERATION_ABORTED);
    CHECK(CreateIoCompletionPort((HANDLE)s, port, 3, 0) == port);
    CHECK_EQ(closesocket(s), 0);

    file = CreateFileA("/proc/self/stat", GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    CHECK(file != INVALID_HANDLE_VALUE);
    close((int)(intptr_t)file);
    again = CreateFileA("/proc/self/stat", GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    CHECK(again == file);
    CHECK(ReadFile(again, byte, 1, &bytes, NULL));
    CHECK_EQ(bytes, 1);
    CHECK(CloseHandle(again));
    CloseHandle(port);
}

static HANDLE copy_of(HANDLE h)
{
    HANDLE copy = NULL;

    CHECK(DuplicateHandle(GetCurrentProcess(), h, GetCurrentProcess(), &copy, 0, FALSE,
                          DUPLICATE_SAME_ACCESS));
    return copy;
}

static SOCKET bound_socket(struct sockaddr_in *name)
{
    SOCKET s = WSASocketA(AF_INET, SOCK_DGRAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED);
    int size = sizeof *name;

    *name = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CHECK_EQ(iocp_bind(s, (struct sockaddr *)name, sizeof *name), 0);
    CHECK_EQ(iocp_getsockname(s, (struct sockaddr *)name, &size), 0);
    return s;
}

/* A socket that gets that number; lower ones may have become free just now. */
static SOCKET socket_under(HANDLE number, struct sockaddr_in *name)
{
    SOCKET s[16];
    int n = 0;

    do
        s[n] = bound_socket(name);
    while (s[n] != (SOCKET)number && ++n < 16);
    if (!CHECK(n < 16))
        n = 15;
    for (int i = 0; i < n; i++)
        CHECK_EQ(closesocket(s[i]), 0);
    return s[n];
}

static void receive_something(SOCKET s, OVERLAPPED *ov, char *byte)
{
    WSABUF buf = {READ_SIZE, byte};
    DWORD flags = 0;

    memset(ov, 0, sizeof *ov);
    CHECK_EQ(WSARecv(s, &buf, 1, NULL, &flags, ov, NULL), SOCKET_ERROR);
    CHECK_EQ(WSAGetLastError(), WSA_IO_PENDING);
}

/* A duplicate's number: its handle goes, and the file stays as it was. */
TEST(a_duplicate_closed_and_reused)
{
    HANDLE port = new_port(), copy, next;
    struct sockaddr_in name, other;
    OVERLAPPED ov;
    WSADATA data;
    SOCKET s, t;
    char byte[READ_SIZE];
    DWORD bytes;

    CHECK_EQ(WSAStartup(MAKEWORD(2, 2), &data), 0);
    s = bound_socket(&name);
    CHECK(CreateIoCompletionPort((HANDLE)s, port, 1, 0) == port);
    receive_something(s, &ov, byte);
    copy = copy_of((HANDLE)s);
    close((int)(intptr_t)copy);
    next = copy_of((HANDLE)s); /* mostly the number again: by a duplicate of the same file */
    CHECK(CompareObjectHandles(next, (HANDLE)s));
    close((int)(intptr_t)next);
    t = socket_under(copy, &other); /* and by another file */
    CHECK(!CompareObjectHandles((HANDLE)t, (HANDLE)s));
    CHECK_EQ(iocp_sendto(t, "x", 1, 0, (struct sockaddr *)&name, sizeof name), 1);
    CHECK_EQ(take(port, &ov, &bytes), 0);
    CHECK_EQ(bytes, 1);
    CHECK_EQ(closesocket(t), 0);
    CHECK(fcntl((int)t, F_GETFD) < 0);
    CHECK_EQ(closesocket(s), 0);
    CHECK(fcntl((int)s, F_GETFD) < 0);
    CloseHandle(port);
}

/* The first number, while there is a duplicate: the file goes on under that, and so do its requests. The
 * number may have been closed properly before. */
TEST(closed_and_reused_but_for_a_duplicate)
{
    WSADATA data;

    CHECK_EQ(WSAStartup(MAKEWORD(2, 2), &data), 0);
    for (int closed_first = 0; closed_first < 2; closed_first++) {
        HANDLE port = new_port(), copy;
        struct sockaddr_in name, other;
        OVERLAPPED ov;
        SOCKET s, t;
        char byte[READ_SIZE];
        DWORD bytes;

        s = bound_socket(&name);
        CHECK(CreateIoCompletionPort((HANDLE)s, port, 1, 0) == port);
        copy = copy_of((HANDLE)s);
        receive_something(s, &ov, byte);
        if (closed_first)
            CHECK_EQ(closesocket(s), 0);
        close((int)s);
        t = socket_under((HANDLE)s, &other);
        CHECK(CreateIoCompletionPort((HANDLE)t, port, 2, 0) == port);
        CHECK(!HasOverlappedIoCompleted(&ov));
        CHECK_EQ(iocp_sendto(t, "y", 1, 0, (struct sockaddr *)&name, sizeof name), 1);
        CHECK_EQ(take(port, &ov, &bytes), 0);
        CHECK_EQ(bytes, 1);
        receive_something((SOCKET)copy, &ov, byte);
        CHECK_EQ(iocp_sendto((SOCKET)copy, "z", 1, 0, (struct sockaddr *)&name, sizeof name), 1);
        CHECK_EQ(take(port, &ov, &bytes), 0);
        receive_something((SOCKET)copy, &ov, byte);
        CHECK(CloseHandle(copy));
        CHECK_EQ(take(port, &ov, &bytes), ERROR_OPERATION_ABORTED);
        CHECK(fcntl((int)(intptr_t)copy, F_GETFD) < 0);
        CHECK_EQ(closesocket(t), 0);
        CHECK(fcntl((int)t, F_GETFD) < 0);
        CloseHandle(port);
    }
}

TEST(protected_closed_and_reused)
{
    struct sockaddr_in name;
    WSADATA data;
    SOCKET s;

    CHECK_EQ(WSAStartup(MAKEWORD(2, 2), &data), 0);
    s = bound_socket(&name);
    CHECK(SetHandleInformation((HANDLE)s, HANDLE_FLAG_PROTECT_FROM_CLOSE, HANDLE_FLAG_PROTECT_FROM_CLOSE));
    close((int)s);
    s = socket_under((HANDLE)s, &name);
    CHECK_EQ(closesocket(s), 0);
}

TEST(forgotten)
{
    for (int with_port = 0; with_port < 2; with_port++) {
        struct ends e = make(PAIR);
        HANDLE port = new_port();
        OVERLAPPED ov, second;
        char byte[READ_SIZE];
        DWORD bytes = 0;

        if (with_port)
            CHECK(CreateIoCompletionPort(handle_of(e.near), port, 1, 0) == port);
        start_read(e.near, byte, &ov);
        CHECK_EQ(iocp_forget(e.near), 0);
        if (with_port)
            CHECK_EQ(take(port, &ov, &bytes), ERROR_OPERATION_ABORTED);
        CHECK(HasOverlappedIoCompleted(&ov));
        CHECK_EQ(iocp_forget(e.near), -1);
        CHECK_EQ(write(e.far, "ab", 2), 2);
        CHECK_EQ(read(e.near, byte, 1), 1);
        CHECK(byte[0] == 'a' && blocks(e.near));
        /* And it may come back, to another port. */
        CHECK(CreateIoCompletionPort(handle_of(e.near), port, 2, 0) == port);
        memset(&second, 0, sizeof second);
        CHECK(ReadFile(handle_of(e.near), byte, 1, NULL, &second));
        CHECK_EQ(take(port, &second, &bytes), 0);
        CHECK(byte[0] == 'b');
        end(e);
        CloseHandle(port);
    }
}

/* A duplicate's number was never adopted; and the adopted one, closed already, goes with the last. */
TEST(a_duplicate_is_not_forgotten)
{
    for (int closed_first = 0; closed_first < 2; closed_first++) {
        struct ends e = make(PAIR);
        HANDLE h = handle_of(e.near), port = new_port(), copy = NULL;
        char byte;

        CHECK(CreateIoCompletionPort(h, port, 1, 0) == port);
        CHECK(DuplicateHandle(GetCurrentProcess(), h, GetCurrentProcess(), &copy, 0, FALSE,
                              DUPLICATE_SAME_ACCESS));
        if (closed_first)
            CHECK(CloseHandle(h));
        CHECK_EQ(iocp_forget((int)(intptr_t)copy), -1);
        CHECK_EQ(GetLastError(), ERROR_INVALID_HANDLE);
        if (!closed_first)
            CHECK(CloseHandle(h)); /* it was left alone */
        CHECK(CloseHandle(copy));
        CHECK(fcntl(e.near, F_GETFD) < 0 && errno == EBADF);
        CHECK_EQ(recv(e.far, &byte, 1, MSG_DONTWAIT), 0);
        close(e.far);
        CloseHandle(port);
    }
}

TEST(closing_closes)
{
    struct ends e = make(PAIR), s = make(SOCKET_TCP);
    HANDLE port = new_port();
    OVERLAPPED ov;
    char byte[READ_SIZE];
    DWORD bytes;

    CHECK(CreateIoCompletionPort(handle_of(e.near), port, 1, 0) == port);
    start_read(e.near, byte, &ov);
    CHECK(CloseHandle(handle_of(e.near)));
    CHECK_EQ(take(port, &ov, &bytes), ERROR_OPERATION_ABORTED);
    CHECK_EQ(read(e.far, byte, 1), 0);
    CHECK(fcntl(e.near, F_GETFD) < 0 && errno == EBADF);
    CHECK(!CloseHandle(handle_of(e.near)));
    CHECK(CreateIoCompletionPort(handle_of(s.near), port, 1, 0) == port);
    CHECK_EQ(closesocket((SOCKET)s.near), 0);
    CHECK_EQ(read(s.far, byte, 1), 0);
    CHECK(fcntl(s.near, F_GETFD) < 0);
    close(e.far);
    close(s.far);
    CloseHandle(port);
}

/* The same open file under two numbers: two files to the library, one description. */
TEST(duplicates_of_posix)
{
    struct ends e = make(PAIR);
    int twin = dup(e.near);
    HANDLE port = new_port();
    OVERLAPPED a, b;
    char got[2][READ_SIZE] = {{0}};
    DWORD bytes;

    CHECK(CreateIoCompletionPort(handle_of(e.near), port, 1, 0) == port);
    CHECK(CreateIoCompletionPort(handle_of(twin), port, 1, 0) == port);
    start_read(e.near, got[0], &a);
    CHECK_EQ(iocp_forget(e.near), 0);
    CHECK_EQ(take(port, &a, &bytes), ERROR_OPERATION_ABORTED);
    start_read(twin, got[1], &b);
    CHECK_EQ(write(e.far, "z", 1), 1);
    CHECK_EQ(take(port, &b, &bytes), 0);
    CHECK(got[1][0] == 'z');
    CHECK_EQ(iocp_forget(twin), 0);
    close(twin);
    end(e);
    CloseHandle(port);
}

/* ---- listeners, connects ---- */

static int blocking_listener(struct sockaddr_in *a)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t len = sizeof *a;

    *a = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CHECK(bind(fd, (struct sockaddr *)a, sizeof *a) == 0 && listen(fd, 16) == 0);
    CHECK_EQ(getsockname(fd, (struct sockaddr *)a, &len), 0);
    return fd;
}

static int posix_connect(const struct sockaddr_in *a)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK_EQ(connect(fd, (const struct sockaddr *)a, sizeof *a), 0);
    return fd;
}

static void *connect_late(void *arg)
{
    until_main_sleeps();
    return (void *)(intptr_t)posix_connect(arg);
}

TEST(blocking_listener_accepts)
{
    struct sockaddr_in a;
    int listener = blocking_listener(&a);
    HANDLE port = new_port();
    char area[2 * (sizeof a + 16)];
    struct timeval timeout = {7, 0}, after = {0};
    socklen_t len = sizeof after;
    OVERLAPPED ov = {0};
    DWORD bytes;
    SOCKET s;
    pthread_t t;
    void *client;
    int target, flags;

    CHECK_EQ(setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout), 0);
    CHECK(CreateIoCompletionPort(handle_of(listener), port, 1, 0) == port);
    CHECK_EQ(pthread_create(&t, NULL, connect_late, &a), 0);
    s = iocp_accept((SOCKET)listener, NULL, NULL);
    CHECK(s != INVALID_SOCKET);
    pthread_join(t, &client);
    CHECK_EQ(closesocket(s), 0);
    close((int)(intptr_t)client);

    /* AcceptEx onto a descriptor of the program's: blocking, inherited by exec, and so it stays. */
    target = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(!AcceptEx((SOCKET)listener, (SOCKET)target, area, 0, sizeof a + 16, sizeof a + 16, &bytes, &ov));
    CHECK_EQ(WSAGetLastError(), ERROR_IO_PENDING);
    client = (void *)(intptr_t)posix_connect(&a);
    CHECK_EQ(take(port, &ov, &bytes), 0);
    CHECK(blocks(listener));
    CHECK(blocks(target));
    flags = fcntl(target, F_GETFD);
    CHECK_EQ(flags, 0);
    CHECK_EQ(getsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &after, &len), 0);
    CHECK_EQ(after.tv_sec, 7);
    /* It is the one that was adopted, not a stranger behind its number. */
    CHECK(CreateIoCompletionPort(handle_of(target), port, 1, 0) == port);
    CHECK(CreateIoCompletionPort(handle_of(target), port, 2, 0) == NULL);
    CHECK_EQ(write((int)(intptr_t)client, "q", 1), 1);
    CHECK_EQ(read(target, area, 1), 1);
    CHECK(area[0] == 'q');
    close((int)(intptr_t)client);
    iocp_forget(target);
    close(target);
    iocp_forget(listener);
    close(listener);
    CloseHandle(port);
}

TEST(blocking_sockets_connect)
{
    struct sockaddr_in a, any = {.sin_family = AF_INET};
    int listener = blocking_listener(&a);
    HANDLE port = new_port();
    LPFN_CONNECTEX connect_ex = NULL;
    GUID guid = WSAID_CONNECTEX;
    struct timeval timeout = {9, 0}, after = {0};
    socklen_t len = sizeof after;
    OVERLAPPED ov = {0};
    DWORD bytes;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK_EQ(bind(fd, (struct sockaddr *)&any, sizeof any), 0);
    CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout), 0);
    CHECK(CreateIoCompletionPort(handle_of(fd), port, 1, 0) == port);
    CHECK_EQ(WSAIoctl((SOCKET)fd, SIO_GET_EXTENSION_FUNCTION_POINTER, &guid, sizeof guid, &connect_ex,
                      sizeof connect_ex, &bytes, NULL, NULL), 0);
    if (!connect_ex(((SOCKET)fd), (struct sockaddr *)&a, sizeof a, NULL, 0, NULL, &ov))
        CHECK_EQ(WSAGetLastError(), ERROR_IO_PENDING);
    CHECK_EQ(take(port, &ov, &bytes), 0);
    CHECK(blocks(fd));
    CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &after, &len), 0);
    CHECK_EQ(after.tv_sec, 9);
    iocp_forget(fd);
    close(fd);

    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(CreateIoCompletionPort(handle_of(fd), port, 1, 0) == port);
    CHECK_EQ(iocp_connect((SOCKET)fd, (struct sockaddr *)&a, sizeof a), 0);
    CHECK(blocks(fd));
    iocp_forget(fd);
    close(fd);
    close(listener);
    CloseHandle(port);
}

/* ---- the library's own ---- */

/* Epoll sets and rings are made by nobody else here. */
TEST(own_descriptors_are_nobodys)
{
    struct ends e = make(PAIR);
    HANDLE port = new_port();
    char byte[READ_SIZE];
    OVERLAPPED ov;
    int found = 0;

    CHECK(CreateIoCompletionPort(handle_of(e.near), port, 1, 0) == port);
    start_read(e.near, byte, &ov); /* now the port has its epoll set */
    for (int fd = 3; fd < 256; fd++) {
        char name[64], what[64] = "";

        snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
        if (readlink(name, what, sizeof what - 1) < 0)
            continue;
        if (strcmp(what, "anon_inode:[eventpoll]") && strcmp(what, "anon_inode:[io_uring]"))
            continue;
        found++;
        CHECK(!CreateIoCompletionPort(handle_of(fd), port, 1, 0));
        CHECK_EQ(GetLastError(), ERROR_INVALID_HANDLE);
        CHECK(!CloseHandle(handle_of(fd)));
        CHECK(fcntl(fd, F_GETFD) >= 0);
    }
    CHECK(found > 0);
    CHECK_EQ(write(e.far, "o", 1), 1);
    CHECK_EQ(take(port, &ov, &(DWORD){0}), 0);
    end(e);
    CloseHandle(port);
}

/* ---- races ---- */

enum { ROUNDS = 300, ACCEPT_ROUNDS = 2000, RACERS = 3 };

static _Atomic int race_fd;
static pthread_barrier_t race_start, race_end;

static void *race_adopt(void *arg)
{
    HANDLE port = arg;

    for (int i = 0; i < ROUNDS; i++) {
        pthread_barrier_wait(&race_start);
        CreateIoCompletionPort(handle_of(race_fd), port, 5, 0);
        pthread_barrier_wait(&race_end);
    }
    return NULL;
}

/* Several threads hand in the same number: one file, one association, nothing is closed. */
TEST(adopted_by_several_at_once)
{
    HANDLE port = new_port();
    pthread_t t[RACERS];

    pthread_barrier_init(&race_start, NULL, RACERS + 1);
    pthread_barrier_init(&race_end, NULL, RACERS + 1);
    for (int i = 0; i < RACERS; i++)
        CHECK_EQ(pthread_create(&t[i], NULL, race_adopt, port), 0);
    for (int i = 0; i < ROUNDS; i++) {
        struct ends e = make(PAIR);
        OVERLAPPED ov;
        char byte[READ_SIZE] = {0};
        DWORD bytes;

        race_fd = e.near;
        pthread_barrier_wait(&race_start);
        pthread_barrier_wait(&race_end);
        start_read(e.near, byte, &ov);
        CHECK_EQ(write(e.far, "r", 1), 1);
        CHECK_EQ(take(port, &ov, &bytes), 0);
        CHECK(byte[0] == 'r');
        end(e);
    }
    for (int i = 0; i < RACERS; i++)
        pthread_join(t[i], NULL);
    CloseHandle(port);
}

static void *race_accept(void *arg)
{
    for (int i = 0; i < ACCEPT_ROUNDS; i++) {
        pthread_barrier_wait(&race_start);
        closesocket(iocp_accept((SOCKET)race_fd, NULL, NULL));
        pthread_barrier_wait(&race_end);
    }
    return arg;
}

/* Several threads accept: the time-out that each lends to the program's listener is none of the others'. */
TEST(accepted_by_several_at_once)
{
    struct sockaddr_in a;
    struct timeval after = {0};
    socklen_t len = sizeof after;
    HANDLE port = new_port();
    pthread_t t[RACERS];
    int spoilt = 0;

    race_fd = blocking_listener(&a);
    CHECK(CreateIoCompletionPort(handle_of(race_fd), port, 1, 0) == port);
    pthread_barrier_init(&race_start, NULL, RACERS + 1);
    pthread_barrier_init(&race_end, NULL, RACERS + 1);
    for (int i = 0; i < RACERS; i++)
        CHECK_EQ(pthread_create(&t[i], NULL, race_accept, NULL), 0);
    for (int i = 0; i < ACCEPT_ROUNDS; i++) {
        int clients[RACERS];

        for (int k = 0; k < RACERS; k++)
            clients[k] = posix_connect(&a);
        pthread_barrier_wait(&race_start);
        pthread_barrier_wait(&race_end);
        CHECK_EQ(getsockopt(race_fd, SOL_SOCKET, SO_RCVTIMEO, &after, &len), 0);
        spoilt += after.tv_sec != 0 || after.tv_usec != 0;
        for (int k = 0; k < RACERS; k++)
            close(clients[k]);
    }
    CHECK_EQ(spoilt, 0);
    for (int i = 0; i < RACERS; i++)
        pthread_join(t[i], NULL);
    iocp_forget(race_fd);
    close(race_fd);
    CloseHandle(port);
}
