/* SPDX-License-Identifier: MIT */
/*
 * A process that uses the library, among the others: it ends in every state with its own exit code; its
 * signals are its own threads' and interrupt nothing; when descriptors run out it is told so, and goes on
 * when there are some again.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "unit.h"
#include "asleep.h"
#include "forked.h"

#include "base/sanitizer.h"
#include "object/handle.h"
#include "wait/process.h"
#include "wait/thread.h"

#include <iocp.h>
#include <iocp_nt.h>
#include <ntstatus.h>
#include <process.h>

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { PATIENCE_MS = 10000, BLOCK = 4096, CODE = 23 };

static HANDLE handle_of(int fd)
{
    return (HANDLE)(intptr_t)fd;
}

static HANDLE new_port(void)
{
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);

    if (!port)
        exit(1);
    return port;
}

static HANDLE slow_file(void)
{
    char path[] = "/tmp/iocp-process-XXXXXX", data[BLOCK] = {7};
    int fd = mkstemp(path);
    HANDLE h;

    CHECK(fd >= 0 && write(fd, data, BLOCK) == BLOCK);
    close(fd);
    h = CreateFileA(path, GENERIC_READ, 7, NULL, OPEN_EXISTING,
                    FILE_FLAG_OVERLAPPED | FILE_FLAG_NO_BUFFERING, NULL);
    unlink(path);
    return h;
}

/* ---- the end ---- */

struct state {
    HANDLE port, timer;
    int ported[2], portless[2];
    OVERLAPPED on_port, on_event, on_file;
    char byte[2];
    char block[BLOCK] __attribute__((aligned(BLOCK)));
};

static struct state state;

static void *wait_for_ever(void *port)
{
    OVERLAPPED *ov;
    ULONG_PTR key;
    DWORD bytes;

    for (;;)
        GetQueuedCompletionStatus(port, &bytes, &key, &ov, INFINITE);
    return NULL;
}

static void *work_for_ever(void *arg)
{
    HANDLE port = new_port();
    OVERLAPPED ov, *got;
    ULONG_PTR key;
    DWORD bytes;

    for (;;) {
        PostQueuedCompletionStatus(port, 1, 1, &ov);
        GetQueuedCompletionStatus(port, &bytes, &key, &got, INFINITE);
    }
    return arg;
}

/* Requests pend everywhere, library threads run, threads wait and work. */
static void become_busy(void)
{
    struct state *s = &state;
    LARGE_INTEGER soon = {.QuadPart = -1000};
    HANDLE file = slow_file();
    pthread_t t;

    s->port = new_port();
    s->timer = CreateWaitableTimerA(NULL, FALSE, NULL);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, s->ported) || socketpair(AF_UNIX, SOCK_STREAM, 0, s->portless))
        _exit(1);
    CreateIoCompletionPort(handle_of(s->ported[0]), s->port, 1, 0);
    ReadFile(handle_of(s->ported[0]), &s->byte[0], 1, NULL, &s->on_port);
    ReadFile(handle_of(s->portless[0]), &s->byte[1], 1, NULL, &s->on_event);
    SetWaitableTimer(s->timer, &soon, 1, NULL, NULL, FALSE);
    pthread_create(&t, NULL, wait_for_ever, s->port);
    pthread_create(&t, NULL, wait_for_ever, s->port);
    pthread_create(&t, NULL, work_for_ever, NULL);
    ReadFile(file, s->block, BLOCK, NULL, &s->on_file);
}

static void by_return(void)
{
    exit(CODE);
}

static void by_exit_process(void)
{
    ExitProcess(CODE);
}

static void by_exit_at_once(void)
{
    _exit(CODE);
}

static void by_terminate(void)
{
    TerminateProcess(GetCurrentProcess(), CODE);
}

static void *exit_here(void *arg)
{
    exit(CODE);
    return arg;
}

static void by_another_thread(void)
{
    pthread_t t;

    pthread_create(&t, NULL, exit_here, NULL);
    pthread_join(t, NULL);
}

static unsigned WINAPI exit_process_here(void *arg)
{
    (void)arg;
    ExitProcess(CODE);
    return 0;
}

static void by_a_thread_of_the_library(void)
{
    WaitForSingleObject((HANDLE)_beginthreadex(NULL, 0, exit_process_here, NULL, 0, NULL), INFINITE);
}

static void *exit_on_packet(void *port)
{
    OVERLAPPED *ov;
    ULONG_PTR key;
    DWORD bytes;

    GetQueuedCompletionStatus(port, &bytes, &key, &ov, INFINITE);
    exit(CODE);
}

static void by_a_worker(void)
{
    HANDLE port = new_port();
    pthread_t t;

    pthread_create(&t, NULL, exit_on_packet, port);
    PostQueuedCompletionStatus(port, 0, 0, NULL);
    pthread_join(t, NULL);
}

static void use_at_exit(void)
{
    OVERLAPPED ov = {0};
    OVERLAPPED *got;
    ULONG_PTR key;
    DWORD bytes;

    if (!PostQueuedCompletionStatus(state.port, 0, 0, &ov))
        _exit(1);
    GetQueuedCompletionStatus(state.port, &bytes, &key, &got, 0);
    CloseHandle(handle_of(state.ported[0]));
    CloseHandle(state.port);
}

static void with_a_handler(void)
{
    atexit(use_at_exit);
    exit(CODE);
}

/* A hang ends by SIGALRM, a crash by its own signal: neither is the exit code. */
static void expect_code(void (*before)(void), void (*leave)(void), const char *what)
{
    int status = -1;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        alarm(20);
        if (before)
            before();
        leave();
        _exit(1);
    }
    waitpid(pid, &status, 0);
    if (!CHECK(WIFEXITED(status) && WEXITSTATUS(status) == CODE))
        printf("    %s: status 0x%x\n", what, (unsigned)status);
}

TEST(ends_in_every_state)
{
    static const struct {
        const char *what;
        void (*leave)(void);
    } ways[] = {{"exit", by_return}, {"ExitProcess", by_exit_process}, {"_exit", by_exit_at_once},
                {"TerminateProcess", by_terminate}, {"exit of another thread", by_another_thread},
                {"ExitProcess of a thread of ours", by_a_thread_of_the_library},
                {"exit of a worker", by_a_worker}, {"calls in an exit handler", with_a_handler}};

    for (unsigned i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        if (ways[i].leave != with_a_handler)
            expect_code(NULL, ways[i].leave, ways[i].what);
        for (int round = 0; round < 4; round++)
            expect_code(become_busy, ways[i].leave, ways[i].what);
    }
}

/* The shared library, loaded, used so that its threads run, and unloaded: it stays. */
static void by_unloading(void)
{
    char path[4096] = "";
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 32);
    BOOL(WINAPI *read_file)(HANDLE, LPVOID, DWORD, LPDWORD, LPOVERLAPPED);
    static OVERLAPPED ov;
    static char byte;
    void *library;
    int fd[2];

    for (int up = 0; up < 3 && n > 0; up++) /* BUILD/tests/unit/process */
        *strrchr(path, '/') = 0;
    strcat(path, "/libiocp.so");
    if (access(path, R_OK) != 0)
        exit(CODE); /* not built */
    library = dlopen(path, RTLD_NOW);
    *(void **)&read_file = library ? dlsym(library, "iocp_ReadFile") : NULL;
    if (!read_file || socketpair(AF_UNIX, SOCK_STREAM, 0, fd) != 0)
        _exit(2);
    if (read_file(handle_of(fd[0]), &byte, 1, NULL, &ov)) /* pends: its home thread runs */
        _exit(3);
    dlclose(library);
    if (!dlopen(path, RTLD_NOW | RTLD_NOLOAD) || write(fd[1], "x", 1) != 1)
        _exit(4);
    if (!WITHIN(PATIENCE_MS, __atomic_load_n(&ov.Internal, __ATOMIC_ACQUIRE) != (ULONG_PTR)STATUS_PENDING))
        _exit(6);
    exit(byte == 'x' ? CODE : 5);
}

TEST(unloading_is_refused)
{
    expect_code(NULL, by_unloading, "dlclose");
}

/* ---- signals ---- */

static _Atomic unsigned ticks;
static _Atomic unsigned foreign; /* ticks on a thread that is not the program's */
static _Thread_local bool of_program;

static void on_tick(int number)
{
    (void)number;
    ticks++;
    foreign += !of_program;
}

/* A sanitizer has threads of its own, and hands signals on as it likes. */
#define SANITIZED (ADDRESS_SANITIZER || THREAD_SANITIZER)

/* A worker of the ring: a thread of the kernel that shows up among ours. Its flags say so from the beginning,
 * its name only once it runs. */
static bool is_kernels(const char *tid)
{
    char path[300], line[1024];
    unsigned flags = 0;
    const char *after;
    FILE *f;

    snprintf(path, sizeof path, "/proc/self/task/%s/stat", tid);
    f = fopen(path, "r");
    if (!f)
        return true; /* gone */
    if (fgets(line, sizeof line, f) && (after = strrchr(line, ')')))
        sscanf(after + 1, " %*c %*d %*d %*d %*d %*d %u", &flags);
    fclose(f);
    return flags & 0x10; /* PF_IO_WORKER */
}

/* Is every signal but the synchronous ones blocked in thread `tid`? */
static bool blocks_signals(const char *tid)
{
    static const int synchronous[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT};
    char path[300], line[200];
    unsigned long long blocked = 0, wanted = 0;
    FILE *f;

    snprintf(path, sizeof path, "/proc/self/task/%s/status", tid);
    f = fopen(path, "r");
    if (!f)
        return true; /* gone */
    while (fgets(line, sizeof line, f))
        sscanf(line, "SigBlk: %llx", &blocked);
    fclose(f);
    for (int i = 1; i < 32; i++)
        if (i != SIGKILL && i != SIGSTOP)
            wanted |= 1ull << (i - 1);
    for (unsigned i = 0; i < sizeof synchronous / sizeof synchronous[0]; i++)
        wanted &= ~(1ull << (synchronous[i] - 1));
    for (unsigned i = 0; i < sizeof synchronous / sizeof synchronous[0]; i++)
        if (blocked & 1ull << (synchronous[i] - 1))
            return false;
    return (blocked & wanted) == wanted;
}

/* The C library blocks every signal while a thread begins and ends. */
static bool comes_to_block(const char *tid)
{
    return WITHIN(PATIENCE_MS, blocks_signals(tid));
}

static BOOL WINAPI on_console(DWORD event)
{
    (void)event;
    return TRUE;
}

TEST(library_threads_take_no_signals)
{
    HANDLE file = slow_file(), event = CreateEventA(NULL, TRUE, FALSE, NULL);
    OVERLAPPED ov = {.hEvent = event};
    static char block[BLOCK] __attribute__((aligned(BLOCK)));
    struct dirent *entry;
    char self[32];
    DWORD bytes;
    unsigned others = 0;
    DIR *dir;

    CHECK(SetConsoleCtrlHandler(on_console, TRUE));
    if (!ReadFile(file, block, BLOCK, NULL, &ov))
        CHECK_EQ(GetLastError(), ERROR_IO_PENDING);
    CHECK(GetOverlappedResult(file, &ov, &bytes, TRUE) && bytes == BLOCK);
    snprintf(self, sizeof self, "%d", getpid());
    dir = opendir("/proc/self/task");
    while (dir && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.' || !strcmp(entry->d_name, self))
            continue;
        if (!SANITIZED && !is_kernels(entry->d_name) && !CHECK(comes_to_block(entry->d_name)))
            printf("    thread %s\n", entry->d_name);
        others++;
    }
    closedir(dir);
    CHECK(others >= 2); /* the home thread, the console's */
    CHECK(SetConsoleCtrlHandler(on_console, FALSE));
    CloseHandle(file);
    CloseHandle(event);
}

static _Atomic int answering;

static void *answer(void *arg)
{
    int fd = *(int *)arg;
    char byte;

    of_program = true;
    answering++;
    for (;;) {
        if (read(fd, &byte, 1) != 1)
            continue; /* interrupted, as POSIX calls are */
        if (byte == 'q')
            break;
        until_main_sleeps(); /* while signals come */
        while (write(fd, &byte, 1) < 0 && errno == EINTR)
            ;
    }
    return NULL;
}

static void start_ticks(timer_t *timer)
{
    struct sigaction action = {.sa_handler = on_tick}; /* no SA_RESTART */
    struct sigevent to = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct itimerspec often = {{0, 200000}, {0, 200000}};

    sigaction(SIGUSR1, &action, NULL);
    CHECK_EQ(timer_create(CLOCK_MONOTONIC, &to, timer), 0);
    CHECK_EQ(timer_settime(*timer, 0, &often, NULL), 0);
}

static void echo_by_calls(int fd)
{
    WSABUF buf = {1, (char[]){"s"}};
    char byte = 0;
    DWORD bytes = 0, flags = 0;

    CHECK(WriteFile(handle_of(fd), "w", 1, &bytes, NULL) && bytes == 1);
    CHECK(ReadFile(handle_of(fd), &byte, 1, &bytes, NULL) && bytes == 1 && byte == 'w');
    CHECK_EQ(iocp_send((SOCKET)fd, "x", 1, 0), 1);
    CHECK_EQ(iocp_recv((SOCKET)fd, &byte, 1, 0), 1);
    CHECK_EQ(WSASend((SOCKET)fd, &buf, 1, &bytes, 0, NULL, NULL), 0);
    CHECK_EQ(WSARecv((SOCKET)fd, &buf, 1, &bytes, &flags, NULL, NULL), 0);
}

static void echo_by_port(int fd, HANDLE port)
{
    OVERLAPPED ov = {0}, *got = NULL;
    ULONG_PTR key;
    char byte;
    DWORD bytes;

    CHECK(WriteFile(handle_of(fd), "p", 1, NULL, &ov));
    CHECK(GetQueuedCompletionStatus(port, &bytes, &key, &got, PATIENCE_MS));
    if (!ReadFile(handle_of(fd), &byte, 1, NULL, &ov))
        CHECK_EQ(GetLastError(), ERROR_IO_PENDING);
    CHECK(GetQueuedCompletionStatus(port, &bytes, &key, &got, PATIENCE_MS) && got == &ov);
}

static void wait_undisturbed(HANDLE event, HANDLE port)
{
    OVERLAPPED_ENTRY entry;
    ULONG removed, before = GetTickCount();

    CHECK_EQ(WaitForSingleObject(event, 15), WAIT_TIMEOUT);
    CHECK_EQ(WaitForMultipleObjects(1, &event, FALSE, 15), WAIT_TIMEOUT);
    CHECK_EQ(SleepEx(15, TRUE), 0);
    CHECK(!GetQueuedCompletionStatusEx(port, &entry, 1, &removed, 15, FALSE));
    CHECK_EQ(GetLastError(), WAIT_TIMEOUT);
    CHECK(!GetQueuedCompletionStatusEx(port, &entry, 1, &removed, 15, TRUE));
    CHECK_EQ(GetLastError(), WAIT_TIMEOUT);
    Sleep(15);
    CHECK(GetTickCount() - before >= 80); /* 90, and what a clock of 1 ms may take off */
}

TEST(nothing_is_interrupted)
{
    HANDLE event = CreateEventA(NULL, TRUE, FALSE, NULL), port = new_port(), file = slow_file();
    static char block[BLOCK] __attribute__((aligned(BLOCK)));
    int calls[2], ported[2];
    pthread_t t[2];
    timer_t timer;

    of_program = true;
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, calls), 0);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ported), 0);
    CHECK(CreateIoCompletionPort(handle_of(ported[0]), port, 1, 0) == port);
    pthread_create(&t[0], NULL, answer, &calls[1]);
    pthread_create(&t[1], NULL, answer, &ported[1]);
    while (answering < 2) /* from now on every thread of the program says that it is one */
        sched_yield();
    start_ticks(&timer);
    for (int i = 0; i < 25; i++) {
        OVERLAPPED ov = {.hEvent = event};
        DWORD bytes = 0;

        echo_by_calls(calls[0]);
        echo_by_port(ported[0], port);
        if (!ReadFile(file, block, BLOCK, NULL, &ov))
            CHECK_EQ(GetLastError(), ERROR_IO_PENDING);
        CHECK(GetOverlappedResult(file, &ov, &bytes, TRUE) && bytes == BLOCK);
        ResetEvent(event);
        if (i % 5 == 0)
            wait_undisturbed(event, port);
    }
    timer_delete(timer);
    CHECK(ticks > 100);
    if (!SANITIZED)
        CHECK_EQ(foreign, 0);
    while (write(calls[0], "q", 1) != 1 || write(ported[0], "q", 1) != 1)
        ;
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
    for (int i = 0; i < 2; i++) {
        iocp_forget(calls[i]);
        iocp_forget(ported[i]);
        close(calls[i]);
        close(ported[i]);
    }
    CloseHandle(file);
    CloseHandle(port);
    CloseHandle(event);
}

/* Writes to who has gone, by every door; the default action of SIGPIPE would end the process. */
TEST(no_sigpipe)
{
    for (int kind = 0; kind < 2; kind++) {
        for (int way = 0; way < 4; way++) {
            HANDLE event = CreateEventA(NULL, TRUE, FALSE, NULL);
            OVERLAPPED ov = {.hEvent = event};
            WSABUF buf = {1, (char[]){"x"}};
            sigset_t pending;
            DWORD bytes;
            int fd[2];

            CHECK_EQ(kind ? socketpair(AF_UNIX, SOCK_STREAM, 0, fd) : pipe(fd), 0);
            close(fd[0]);
            if (way == 0)
                CHECK(!WriteFile(handle_of(fd[1]), "x", 1, &bytes, NULL));
            else if (way == 1)
                CHECK(!WriteFile(handle_of(fd[1]), "x", 1, NULL, &ov));
            else if (way == 2 && kind)
                CHECK_EQ(WSASend((SOCKET)fd[1], &buf, 1, NULL, 0, &ov, NULL), SOCKET_ERROR);
            else if (kind)
                CHECK_EQ(iocp_send((SOCKET)fd[1], "x", 1, 0), SOCKET_ERROR);
            CHECK(sigpending(&pending) == 0 && !sigismember(&pending, SIGPIPE));
            iocp_forget(fd[1]);
            close(fd[1]);
            CloseHandle(event);
        }
    }
}

/* ---- descriptors run out ---- */

enum { LIMIT = 64, CLIENTS = 12, AREA = sizeof(struct sockaddr_in) + 16 };

static int hoard[LIMIT];
static int hoarded;

static void take_all_descriptors(void)
{
    int fd;

    hoarded = 0;
    while (hoarded < LIMIT && (fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
        hoard[hoarded++] = fd;
}

static void give_descriptors_back(int count)
{
    while (count-- > 0 && hoarded > 0)
        close(hoard[--hoarded]);
}

static void check_refusals(void)
{
    HANDLE a, b;

    CHECK_EQ(WSASocketA(AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED), INVALID_SOCKET);
    CHECK_EQ(WSAGetLastError(), WSAEMFILE);
    CHECK_EQ(iocp_socket(AF_INET, SOCK_DGRAM, 0), INVALID_SOCKET);
    CHECK_EQ(WSAGetLastError(), WSAEMFILE);
    CHECK(CreateFileA("/dev/null", GENERIC_READ, 7, NULL, OPEN_EXISTING, 0, NULL) == INVALID_HANDLE_VALUE);
    CHECK_EQ(GetLastError(), ERROR_TOO_MANY_OPEN_FILES);
    CHECK(!CreatePipe(&a, &b, NULL, 0));
    CHECK_EQ(GetLastError(), ERROR_TOO_MANY_OPEN_FILES);
    a = CreateEventA(NULL, FALSE, FALSE, NULL); /* needs none */
    CHECK(a && SetEvent(a) && WaitForSingleObject(a, 1000) == WAIT_OBJECT_0);
    CloseHandle(a);
}

/*
 * Connections come when the last descriptor has gone. Accepting goes on all the same. They do not come
 * while the descriptors are taken and asked for: a connection that is being accepted has one for a moment,
 * and who asks in the moment in which the library has given up its reserve gets that.
 */
static void accept_without_descriptors(void)
{
    struct rlimit limit = {LIMIT, LIMIT};
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int size = sizeof a, clients[CLIENTS];
    static OVERLAPPED ovs[CLIENTS];
    static char areas[CLIENTS][2 * AREA];
    SOCKET accepted[CLIENTS], listener;
    HANDLE port = new_port();
    WSADATA started;
    OVERLAPPED *ov;
    ULONG_PTR key;
    DWORD bytes;

    setrlimit(RLIMIT_NOFILE, &limit);
    CHECK_EQ(WSAStartup(MAKEWORD(2, 2), &started), 0);
    listener = WSASocketA(AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED);
    CHECK_EQ(iocp_bind(listener, (struct sockaddr *)&a, sizeof a), 0);
    CHECK_EQ(iocp_listen(listener, 64), 0);
    CHECK_EQ(iocp_getsockname(listener, (struct sockaddr *)&a, &size), 0);
    CHECK(CreateIoCompletionPort((HANDLE)listener, port, 1, 0) == port);
    for (int i = 0; i < CLIENTS; i++) {
        accepted[i] = WSASocketA(AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED);
        if (i > 0) /* the first is posted now: its listener is registered */
            continue;
        CHECK(!AcceptEx(listener, accepted[i], areas[i], 0, AREA, AREA, &bytes, &ovs[i]));
        CHECK_EQ(WSAGetLastError(), ERROR_IO_PENDING);
    }
    for (int i = 0; i < CLIENTS; i++)
        clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    take_all_descriptors();
    check_refusals();
    for (int i = 0; i < CLIENTS; i++)
        CHECK_EQ(connect(clients[i], (struct sockaddr *)&a, sizeof a), 0);
    for (int i = 1; i < CLIENTS; i++)
        if (!AcceptEx(listener, accepted[i], areas[i], 0, AREA, AREA, &bytes, &ovs[i]))
            CHECK_EQ(WSAGetLastError(), ERROR_IO_PENDING);
    for (int i = 0; i < CLIENTS; i++) {
        if (i == CLIENTS / 2)
            give_descriptors_back(4);
        ov = NULL;
        if (!CHECK(GetQueuedCompletionStatus(port, &bytes, &key, &ov, PATIENCE_MS) && ov))
            break;
    }
    give_descriptors_back(LIMIT);
    CHECK(closesocket(iocp_socket(AF_INET, SOCK_STREAM, 0)) == 0);
}

/* accept, unlike AcceptEx, needs one for good: it is refused, and the connection is there afterwards. */
static void accept_later(void)
{
    struct rlimit limit = {LIMIT, LIMIT};
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int size = sizeof a, client;
    WSADATA started;
    SOCKET listener, s;

    setrlimit(RLIMIT_NOFILE, &limit);
    CHECK_EQ(WSAStartup(MAKEWORD(2, 2), &started), 0);
    listener = iocp_socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(iocp_bind(listener, (struct sockaddr *)&a, sizeof a), 0);
    CHECK_EQ(iocp_listen(listener, 64), 0);
    CHECK_EQ(iocp_getsockname(listener, (struct sockaddr *)&a, &size), 0);
    client = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(connect(client, (struct sockaddr *)&a, sizeof a), 0);
    take_all_descriptors();
    CHECK_EQ(iocp_accept(listener, NULL, NULL), INVALID_SOCKET);
    CHECK_EQ(WSAGetLastError(), WSAEMFILE);
    give_descriptors_back(1);
    s = iocp_accept(listener, NULL, NULL);
    CHECK(s != INVALID_SOCKET);
    CHECK_EQ(closesocket(s), 0);
}

/* Without a descriptor the home thread cannot be had: pending without a port is refused, and works later. */
static void pend_later(void)
{
    struct rlimit limit = {LIMIT, LIMIT};
    HANDLE event = CreateEventA(NULL, TRUE, FALSE, NULL);
    OVERLAPPED ov = {.hEvent = event};
    char byte;
    int fd[2];

    setrlimit(RLIMIT_NOFILE, &limit);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    take_all_descriptors();
    CHECK(!ReadFile(handle_of(fd[0]), &byte, 1, NULL, &ov));
    CHECK(GetLastError() == ERROR_TOO_MANY_OPEN_FILES || GetLastError() == ERROR_NO_SYSTEM_RESOURCES);
    give_descriptors_back(LIMIT);
    CHECK(!ReadFile(handle_of(fd[0]), &byte, 1, NULL, &ov));
    CHECK_EQ(GetLastError(), ERROR_IO_PENDING);
    CHECK_EQ(write(fd[1], "x", 1), 1);
    CHECK_EQ(WaitForSingleObject(event, PATIENCE_MS), WAIT_OBJECT_0);
}

static DWORD notify_change(HANDLE port, SOCKET s, int operation)
{
    SOCK_NOTIFY_REGISTRATION r = {.socket = s, .eventFilter = SOCK_NOTIFY_EVENT_IN,
                                  .operation = (UINT8)operation, .triggerFlags = SOCK_NOTIFY_TRIGGER_LEVEL};

    CHECK_EQ(ProcessSocketNotifications(port, 1, &r, 0, 0, NULL, NULL), ERROR_SUCCESS);
    return r.registrationResult;
}

#define FILE_REPLACE_COMPLETION ((FILE_INFORMATION_CLASS)61) /* which winternl.h does not name */

static NTSTATUS replace_port(HANDLE h, HANDLE port)
{
    struct { HANDLE port; PVOID key; } to = {port, NULL};
    IO_STATUS_BLOCK block;

    return NtSetInformationFile(h, &block, &to, sizeof to, FILE_REPLACE_COMPLETION);
}

/* What pends on a socket goes on when a port is to have the socket, but has nothing to sleep in. */
static void move_later(void)
{
    struct rlimit limit = {LIMIT, LIMIT};
    HANDLE port = new_port();
    OVERLAPPED ov[2] = {{.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL)}}, *got = NULL;
    ULONG_PTR key;
    DWORD bytes;
    char byte;
    HANDLE h;
    int fd[2];

    setrlimit(RLIMIT_NOFILE, &limit);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    h = handle_of(fd[0]);
    CHECK(!ReadFile(h, &byte, 1, NULL, &ov[0]));
    CHECK_EQ(GetLastError(), ERROR_IO_PENDING);
    take_all_descriptors();
    CHECK(!CreateIoCompletionPort(h, port, 1, 0));
    CHECK_EQ(GetLastError(), ERROR_TOO_MANY_OPEN_FILES);
    CHECK_EQ(RtlNtStatusToDosError(replace_port(h, port)), ERROR_TOO_MANY_OPEN_FILES);
    CHECK_EQ(notify_change(port, (SOCKET)fd[0], SOCK_NOTIFY_OP_ENABLE), ERROR_TOO_MANY_OPEN_FILES);
    CHECK_EQ(notify_change(port, (SOCKET)fd[0], SOCK_NOTIFY_OP_REMOVE), ERROR_NOT_FOUND);
    CHECK_EQ(write(fd[1], "x", 1), 1);
    CHECK_EQ(WaitForSingleObject(ov[0].hEvent, PATIENCE_MS), WAIT_OBJECT_0);
    CHECK_EQ(ov[0].Internal, 0);

    /* With a descriptor it moves. */
    CHECK(!ReadFile(h, &byte, 1, NULL, &ov[1]));
    CHECK_EQ(GetLastError(), ERROR_IO_PENDING);
    give_descriptors_back(LIMIT);
    CHECK(CreateIoCompletionPort(h, port, 1, 0) == port);
    CHECK_EQ(write(fd[1], "x", 1), 1);
    CHECK(GetQueuedCompletionStatus(port, &bytes, &key, &got, PATIENCE_MS));
    CHECK(got == &ov[1]);
}

/* A ring that was insisted on, and was not to be had, is asked for again. */
static void ring_later(void)
{
    struct rlimit limit = {LIMIT, LIMIT};
    char path[] = "/tmp/iocp-process-XXXXXX";
    int fd = mkstemp(path);
    HANDLE h;

    setrlimit(RLIMIT_NOFILE, &limit);
    take_all_descriptors();
    for (int i = 0; i < 2; i++) {
        CHECK(CreateFileA(path, GENERIC_READ, 7, NULL, OPEN_EXISTING, 0, NULL) == INVALID_HANDLE_VALUE);
        CHECK_EQ(GetLastError(), ERROR_TOO_MANY_OPEN_FILES);
        CHECK(strstr(iocp_engine_info(), "short of resources"));
    }
    give_descriptors_back(LIMIT);
    h = CreateFileA(path, GENERIC_READ, 7, NULL, OPEN_EXISTING, 0, NULL);
    CHECK(h != INVALID_HANDLE_VALUE);
    CHECK_STR(iocp_engine_name(), "uring");
    CHECK(!strstr(iocp_engine_info(), "short of resources"));
    CloseHandle(h);
    close(fd);
    unlink(path);
}

/* ---- children that the kernel reaps ---- */

/* Each may be gone before it can be looked at; it has run, and has ended. */
TEST(children_reaped_at_once)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    unsigned ended = 0;

    sigaction(SIGCHLD, &ignore, &before);
    for (int i = 0; i < 300; i++) {
        STARTUPINFOA startup = {.cb = sizeof startup};
        PROCESS_INFORMATION info = {0};
        char line[] = "/bin/true";
        DWORD code = 77;

        if (!CreateProcessA(NULL, line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &info)) {
            CHECK_EQ(GetLastError(), 0);
            break;
        }
        ended += WaitForSingleObject(info.hProcess, PATIENCE_MS) == WAIT_OBJECT_0;
        if (GetExitCodeProcess(info.hProcess, &code))
            CHECK_EQ(code, 0);
        else
            CHECK_EQ(GetLastError(), ERROR_NOT_SUPPORTED);
        CHECK(!TerminateProcess(info.hProcess, 1));
        CHECK_EQ(GetLastError(), ERROR_ACCESS_DENIED);
        CloseHandle(info.hThread);
        CloseHandle(info.hProcess);
    }
    CHECK_EQ(ended, 300);
    sigaction(SIGCHLD, &before, NULL);
}

TEST(descriptors_run_out)
{
    IN_CHILD(accept_without_descriptors());
    IN_CHILD(accept_later());
    IN_CHILD(pend_later());
    IN_CHILD(move_later());
    if (strcmp(iocp_engine_name(), "uring") == 0 && getenv("IOCP_ENGINE"))
        IN_CHILD(ring_later());
}

/* ---- ids that are used again ---- */

static DWORD WINAPI ends(LPVOID arg)
{
    (void)arg;
    return 0;
}

/* The kernel has given the id of an ended thread to another one: calls for the old one leave that alone. */
TEST(an_ended_threads_id_is_nobodys)
{
    HANDLE h = CreateThread(NULL, 0, ends, NULL, 0, NULL);
    DWORD_PTR mine, one, system;
    GROUP_AFFINITY group;
    struct object *obj;

    CHECK_EQ(WaitForSingleObject(h, PATIENCE_MS), WAIT_OBJECT_0);
    CHECK(GetProcessAffinityMask(GetCurrentProcess(), &mine, &system));
    one = mine & (~mine + 1);
    CHECK_EQ(handle_get((uintptr_t)h, OBJECT_THREAD, &obj, NULL), STATUS_SUCCESS);
    atomic_store(&container_of(obj, struct thread, object)->tid, GetCurrentThreadId());
    object_put(obj);
    CHECK_EQ(SetThreadAffinityMask(h, one), 0);
    CHECK_EQ(GetLastError(), ERROR_ACCESS_DENIED);
    CHECK(!GetThreadGroupAffinity(h, &group));
    CHECK(GetThreadGroupAffinity(GetCurrentThread(), &group));
    CHECK_EQ(group.Mask, mine);
    CloseHandle(h);
}

static HANDLE opened_and_ended(void)
{
    pid_t child = fork();
    HANDLE h;

    if (child == 0) {
        pause();
        _exit(0);
    }
    h = OpenProcess(PROCESS_ALL_ACCESS, FALSE, (DWORD)child);
    kill(child, SIGKILL);
    CHECK_EQ(WaitForSingleObject(h, PATIENCE_MS), WAIT_OBJECT_0);
    CHECK_EQ(waitpid(child, NULL, 0), child);
    return h;
}

/* The same for a process. */
TEST(an_ended_processs_id_is_nobodys)
{
    HANDLE h = opened_and_ended();
    int nice = getpriority(PRIO_PROCESS, 0);
    DWORD_PTR mask, system;
    struct object *obj;

    CHECK_EQ(handle_get((uintptr_t)h, OBJECT_PROCESS, &obj, NULL), STATUS_SUCCESS);
    process_from_object(obj)->pid = getpid();
    object_put(obj);
    CHECK(!SetPriorityClass(h, BELOW_NORMAL_PRIORITY_CLASS));
    CHECK_EQ(GetLastError(), ERROR_ACCESS_DENIED);
    CHECK_EQ(getpriority(PRIO_PROCESS, 0), nice);
    CHECK_EQ(GetPriorityClass(h), 0);
    CHECK(!GetProcessAffinityMask(h, &mask, &system));
    CloseHandle(h);
}
