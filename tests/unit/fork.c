/* SPDX-License-Identifier: MIT */
/*
 * fork(2) without exec, in all kinds of states. The child has a library without handles, in which everything
 * works afresh; the parent loses nothing by it. And exec: what is inherited is what was meant to be.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "unit.h"
#include "forked.h"

#include "base/own_fd.h"

#include <iocp.h>
#include <process.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

enum { PATIENCE_MS = 10000, BLOCK = 4096 };

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

/* One packet with this OVERLAPPED; its error, 0 for none. */
static DWORD take(HANDLE port, OVERLAPPED *wanted)
{
    OVERLAPPED *ov = NULL;
    ULONG_PTR key;
    DWORD bytes;
    BOOL good = GetQueuedCompletionStatus(port, &bytes, &key, &ov, PATIENCE_MS);
    DWORD error = good ? 0 : GetLastError();

    CHECK(ov == wanted);
    return error;
}

static void start_read(HANDLE h, void *data, DWORD size, OVERLAPPED *ov)
{
    if (!ReadFile(h, data, size, NULL, ov))
        CHECK_EQ(GetLastError(), ERROR_IO_PENDING);
}

/* A temporary file without a name that no cache answers for: it is passed (the device's queue), or has been
 * emptied (the ring or a thread). */
static HANDLE slow_file(int blocks, int direct)
{
    char path[] = "/tmp/iocp-fork-XXXXXX", data[BLOCK] = {7};
    int fd = mkstemp(path);
    HANDLE h;

    for (int i = 0; i < blocks; i++)
        CHECK(fd >= 0 && write(fd, data, BLOCK) == BLOCK);
    fdatasync(fd);
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    close(fd);
    h = CreateFileA(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, NULL, OPEN_EXISTING,
                    FILE_FLAG_OVERLAPPED | (direct ? FILE_FLAG_NO_BUFFERING : 0), NULL);
    unlink(path);
    CHECK(h != INVALID_HANDLE_VALUE);
    return h;
}

/* ---- the child's round through everything ---- */

static void round_of_sockets(void)
{
    HANDLE port = new_port(), event = CreateEventA(NULL, TRUE, FALSE, NULL);
    OVERLAPPED ported = {0}, portless = {.hEvent = event}, posted = {0};
    int a[2], b[2];
    char byte[2];
    DWORD bytes;

    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, a) == 0 &&
          socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, b) == 0);
    CHECK(CreateIoCompletionPort(handle_of(a[0]), port, 1, 0) == port);
    start_read(handle_of(a[0]), &byte[0], 1, &ported);
    start_read(handle_of(b[0]), &byte[1], 1, &portless);
    CHECK(PostQueuedCompletionStatus(port, 1, 2, &posted));
    CHECK_EQ(take(port, &posted), 0);
    CHECK(write(a[1], "a", 1) == 1 && write(b[1], "b", 1) == 1);
    CHECK_EQ(take(port, &ported), 0);
    CHECK_EQ(WaitForSingleObject(event, PATIENCE_MS), WAIT_OBJECT_0);
    CHECK(GetOverlappedResult(handle_of(b[0]), &portless, &bytes, FALSE) && bytes == 1);
    for (int i = 0; i < 2; i++) {
        iocp_forget(a[i]);
        iocp_forget(b[i]);
        close(a[i]);
        close(b[i]);
    }
    CHECK(CloseHandle(port));
    CHECK(CloseHandle(event));
}

static void round_of_files(int direct)
{
    HANDLE port = new_port(), file = slow_file(1, direct);
    OVERLAPPED ov = {0};
    void *data = aligned_alloc(BLOCK, BLOCK);

    CHECK(CreateIoCompletionPort(file, port, 1, 0) == port);
    start_read(file, data, BLOCK, &ov);
    CHECK_EQ(take(port, &ov), 0);
    CHECK_EQ(*(char *)data, 7);
    CHECK(CloseHandle(file));
    CHECK(CloseHandle(port));
    free(data);
}

static unsigned WINAPI end_with_seven(void *arg)
{
    return arg ? 0 : 7;
}

static void CALLBACK note(ULONG_PTR where)
{
    *(int *)where = 1;
}

/* Of this process: what its parent has under the same name is another. */
static const char *own_name(const char *what)
{
    static _Thread_local char name[64];

    snprintf(name, sizeof name, "%s-%d", what, (int)getpid());
    return name;
}

static void round_of_waits(void)
{
    HANDLE timer = CreateWaitableTimerA(NULL, FALSE, NULL);
    LARGE_INTEGER soon = {.QuadPart = -10000};
    HANDLE thread = (HANDLE)_beginthreadex(NULL, 0, end_with_seven, NULL, 0, NULL);
    HANDLE mutex = CreateMutexA(NULL, TRUE, own_name("fork-mutex"));
    DWORD code = 0;
    int noted = 0;

    CHECK(mutex != NULL);
    CHECK_EQ(GetLastError(), 0);
    CHECK(SetWaitableTimer(timer, &soon, 0, NULL, NULL, FALSE));
    CHECK_EQ(WaitForSingleObject(timer, PATIENCE_MS), WAIT_OBJECT_0);
    CHECK_EQ(WaitForSingleObject(thread, PATIENCE_MS), WAIT_OBJECT_0);
    CHECK(GetExitCodeThread(thread, &code) && code == 7);
    CHECK(QueueUserAPC(note, GetCurrentThread(), (ULONG_PTR)&noted) != 0);
    CHECK_EQ(SleepEx(PATIENCE_MS, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ(noted, 1);
    CHECK(ReleaseMutex(mutex));
    CloseHandle(mutex);
    CloseHandle(timer);
    CloseHandle(thread);
}

static void everything(void)
{
    round_of_sockets();
    round_of_files(0);
    round_of_files(1);
    round_of_waits();
    CHECK(GetStdHandle(STD_OUTPUT_HANDLE) != INVALID_HANDLE_VALUE);
    CHECK_EQ(GetFileType(GetStdHandle(STD_OUTPUT_HANDLE)) == FILE_TYPE_UNKNOWN, FALSE);
}

/* Forks a child that does what it is told and says by its exit code whether that went well. */
static pid_t start_child(void (*task)(void *), void *arg)
{
    pid_t pid = child_begin();

    if (pid == 0) {
        task(arg);
        child_end();
    }
    return pid;
}

static void wait_child(pid_t pid)
{
    CHECK(pid > 0 && child_passed(pid));
}

/* ---- states ---- */

static void just_exit(void *arg)
{
    (void)arg;
}

static void use_afresh(void *arg)
{
    (void)arg;
    everything();
}

TEST(before_anything)
{
    wait_child(start_child(use_afresh, NULL));
    everything();
}

struct state {
    HANDLE port, event;
    int ported[2], portless[2];
    OVERLAPPED on_port, on_event, on_file;
    char byte[2];
};

/* The child of a parent with requests pending everywhere. */
static void child_of_busy(void *arg)
{
    struct state *s = arg;
    HANDLE port;
    OVERLAPPED ov = {0};
    OVERLAPPED *got;
    ULONG_PTR key;
    DWORD bytes;
    int fd[2];

    CHECK(!GetQueuedCompletionStatus(s->port, &bytes, &key, &got, 0));
    CHECK_EQ(GetLastError(), ERROR_INVALID_HANDLE);
    CHECK_EQ(WaitForSingleObject(s->event, 0), WAIT_FAILED);
    CHECK_EQ(GetLastError(), ERROR_INVALID_HANDLE);
    CHECK(!CloseHandle(s->port));
    CHECK(!CancelIoEx(handle_of(s->ported[0]), &s->on_port));
    everything();
    /* The inherited descriptor is a fresh one to a fresh library. */
    port = new_port();
    CHECK(CreateIoCompletionPort(handle_of(s->ported[1]), port, 1, 0) == port);
    CHECK(WriteFile(handle_of(s->ported[1]), "c", 1, NULL, &ov));
    CHECK_EQ(take(port, &ov), 0);
    /* A descriptor that falls on a number of the parent's epoll set is nothing to it. */
    iocp_forget(s->ported[0]);
    close(s->ported[0]);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    CHECK(CreateIoCompletionPort(handle_of(fd[0]), port, 1, 0) == port);
    memset(&ov, 0, sizeof ov);
    start_read(handle_of(fd[0]), s->byte, 1, &ov);
    CHECK_EQ(write(fd[1], "x", 1), 1);
    CHECK_EQ(take(port, &ov), 0);
    CHECK(CloseHandle(port));
}

static void *dequeue(void *arg)
{
    struct state *s = arg;

    CHECK_EQ(take(s->port, &s->on_port), 0);
    return NULL;
}

static void begin_state(struct state *s)
{
    memset(s, 0, sizeof *s);
    s->port = new_port();
    s->event = CreateEventA(NULL, TRUE, FALSE, NULL);
    s->on_event.hEvent = s->event;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s->ported) == 0 &&
          socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s->portless) == 0);
    CHECK(CreateIoCompletionPort(handle_of(s->ported[0]), s->port, 1, 0) == s->port);
    start_read(handle_of(s->ported[0]), &s->byte[0], 1, &s->on_port);
    start_read(handle_of(s->portless[0]), &s->byte[1], 1, &s->on_event);
}

static void end_state(struct state *s)
{
    for (int i = 0; i < 2; i++) {
        iocp_forget(s->ported[i]);
        iocp_forget(s->portless[i]);
        close(s->ported[i]);
        close(s->portless[i]);
    }
    CloseHandle(s->port);
    CloseHandle(s->event);
}

/* The child writes to the parent's receive itself: the registration is still there. */
TEST(requests_pending)
{
    HANDLE mutex = CreateMutexA(NULL, FALSE, own_name("fork-mutex"));
    struct state s;
    pthread_t t;

    for (int with_leader = 0; with_leader < 2; with_leader++) {
        begin_state(&s);
        if (with_leader)
            CHECK_EQ(pthread_create(&t, NULL, dequeue, &s), 0);
        wait_child(start_child(child_of_busy, &s));
        if (with_leader)
            pthread_join(t, NULL);
        else
            dequeue(&s);
        CHECK(s.byte[0] == 'c');
        CHECK_EQ(write(s.portless[1], "p", 1), 1);
        CHECK_EQ(WaitForSingleObject(s.event, PATIENCE_MS), WAIT_OBJECT_0);
        CHECK(s.byte[1] == 'p');
        end_state(&s);
    }
    CloseHandle(mutex);
}

enum { READS = 64 };

/* What the ring, the threads and the device have in hand is answered to the parent, once. */
TEST(files_under_way)
{
    static OVERLAPPED ov[2 * READS];
    char *data = aligned_alloc(BLOCK, 2 * READS * BLOCK);

    for (int round = 0; round < 5; round++) {
        HANDLE port = new_port(), files[2] = {slow_file(READS, 0), slow_file(READS, 1)};
        int answers[2 * READS] = {0}, right = 0;
        pid_t child;

        memset(data, 0, 2 * READS * BLOCK);
        memset(ov, 0, sizeof ov);
        for (int i = 0; i < 2; i++)
            CHECK(CreateIoCompletionPort(files[i], port, 1, 0) == port);
        for (int i = 0; i < 2 * READS; i++) {
            ov[i].Offset = (DWORD)i / 2 * BLOCK;
            start_read(files[i % 2], data + (size_t)i * BLOCK, BLOCK, &ov[i]);
        }
        child = start_child(round % 2 || !CHILDREN_ALLOCATE ? just_exit : use_afresh, NULL);
        for (int i = 0; i < 2 * READS; i++) {
            OVERLAPPED *got = NULL;
            ULONG_PTR key;
            DWORD bytes = 0;

            if (!CHECK(GetQueuedCompletionStatus(port, &bytes, &key, &got, PATIENCE_MS)))
                break;
            CHECK_EQ(bytes, BLOCK);
            answers[got - ov]++;
        }
        for (int i = 0; i < 2 * READS; i++)
            right += answers[i] == 1 && data[(size_t)i * BLOCK] == 7;
        CHECK_EQ(right, 2 * READS);
        wait_child(child);
        CloseHandle(files[0]);
        CloseHandle(files[1]);
        CloseHandle(port);
    }
    free(data);
}

static void fork_again(void *arg)
{
    (void)arg;
    everything();
    wait_child(start_child(use_afresh, NULL));
    everything();
}

/* Children that end at once, that use the library, that fork themselves; and the parent's pending
 * receives after each. */
TEST(children_and_grandchildren)
{
    void (*const tasks[])(void *) = {just_exit, use_afresh, fork_again, just_exit};
    struct state s;

    begin_state(&s);
    for (unsigned i = 0; i < sizeof tasks / sizeof tasks[0]; i++) {
        wait_child(start_child(tasks[i], NULL));
        CHECK_EQ(write(s.ported[1], "1", 1), 1);
        CHECK_EQ(take(s.port, &s.on_port), 0);
        start_read(handle_of(s.ported[0]), &s.byte[0], 1, &s.on_port);
        CHECK_EQ(write(s.portless[1], "2", 1), 1);
        CHECK_EQ(WaitForSingleObject(s.event, PATIENCE_MS), WAIT_OBJECT_0);
        start_read(handle_of(s.portless[0]), &s.byte[1], 1, &s.on_event);
    }
    end_state(&s);
}

/* A file that the parent has open to itself alone is the parent's in the child, too, while it is open. */
static void open_shared(void *path)
{
    HANDLE h = CreateFileA(path, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);

    CHECK(h != INVALID_HANDLE_VALUE);
    CHECK(CloseHandle(h));
}

TEST(share_modes)
{
    char path[] = "/tmp/iocp-fork-XXXXXX";
    int fd = mkstemp(path);
    HANDLE h;

    close(fd);
    h = CreateFileA(path, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    CHECK(h != INVALID_HANDLE_VALUE);
    wait_child(start_child(open_shared, path));
    CHECK(CloseHandle(h));
    h = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    CHECK(h != INVALID_HANDLE_VALUE);
    CHECK(CloseHandle(h));
    unlink(path);
}

/* ---- a busy parent ---- */

enum { FORKS = 25 };

static _Atomic bool enough;
static _Atomic unsigned done[3];

static void *echo_all_the_time(void *arg)
{
    HANDLE port = new_port();
    int fd[2];
    char byte;

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
    CHECK(CreateIoCompletionPort(handle_of(fd[0]), port, 1, 0) == port);
    while (!atomic_load(&enough)) {
        OVERLAPPED ov = {0};

        start_read(handle_of(fd[0]), &byte, 1, &ov);
        CHECK_EQ(write(fd[1], "e", 1), 1);
        CHECK_EQ(take(port, &ov), 0);
        done[0]++;
    }
    CHECK(CloseHandle(handle_of(fd[0])));
    close(fd[1]);
    CloseHandle(port);
    return arg;
}

static void *read_all_the_time(void *arg)
{
    HANDLE files[2] = {slow_file(1, 0), slow_file(1, 1)}, event = CreateEventA(NULL, FALSE, FALSE, NULL);
    void *data = aligned_alloc(BLOCK, BLOCK);
    DWORD bytes = 0;

    while (!atomic_load(&enough)) {
        OVERLAPPED ov = {.hEvent = event};
        HANDLE file = files[done[1] % 2];

        posix_fadvise((int)(intptr_t)file, 0, 0, POSIX_FADV_DONTNEED);
        start_read(file, data, BLOCK, &ov);
        CHECK(GetOverlappedResult(file, &ov, &bytes, TRUE) && bytes == BLOCK);
        done[1]++;
    }
    CHECK(CloseHandle(files[0]) && CloseHandle(files[1]));
    CloseHandle(event);
    free(data);
    return arg;
}

static void *make_all_the_time(void *arg)
{
    while (!atomic_load(&enough)) {
        HANDLE event = CreateEventA(NULL, FALSE, TRUE, own_name("fork-event")), port = new_port();
        OVERLAPPED ov;

        CHECK(PostQueuedCompletionStatus(port, 0, 0, &ov));
        CHECK_EQ(take(port, &ov), 0);
        CHECK(SetEvent(event));
        CloseHandle(event);
        CloseHandle(port);
        done[2]++;
    }
    return arg;
}

TEST(busy_parent)
{
    void *(*const runs[])(void *) = {echo_all_the_time, read_all_the_time, make_all_the_time};
    struct iocp_ledger l;
    pthread_t t[3];

    enough = false;
    for (int i = 0; i < 3; i++)
        CHECK_EQ(pthread_create(&t[i], NULL, runs[i], NULL), 0);
    for (int i = 0; i < FORKS; i++) {
        unsigned before[3] = {done[0], done[1], done[2]};

        wait_child(start_child(i % 5 || !CHILDREN_ALLOCATE ? just_exit : use_afresh, NULL));
        while (done[0] == before[0] || done[1] == before[1] || done[2] == before[2])
            sched_yield(); /* all of them go on */
    }
    atomic_store(&enough, true);
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
    iocp_ledger(&l);
    CHECK_EQ(l.started, l.completed + l.refused);
}

/* ---- descriptors ---- */

static void *open_all_the_time(void *arg)
{
    int fds[8];

    while (!atomic_load(&enough)) {
        for (int i = 0; i < 8; i++)
            fds[i] = own_fd(eventfd(0, EFD_CLOEXEC));
        for (int i = 0; i < 8; i++)
            own_fd_close(fds[i]);
    }
    return arg;
}

/* Whatever number the child is given is its own. */
static void open_in_child(void *arg)
{
    (void)arg;
    for (int i = 0; i < 20; i++)
        CHECK(!own_fd_is(open("/dev/null", O_RDONLY | O_CLOEXEC)));
}

/* In the middle of the fork another thread opens and closes descriptors of the library's. */
TEST(numbers_of_a_child)
{
    pthread_t t;

    enough = false;
    CHECK_EQ(pthread_create(&t, NULL, open_all_the_time, NULL), 0);
    for (int i = 0; i < 4 * FORKS; i++)
        wait_child(start_child(open_in_child, NULL));
    atomic_store(&enough, true);
    pthread_join(t, NULL);
}

/* ---- exec ---- */

/* The child is `sh -c` and lists its descriptors; only those that were meant for it may be there. */
static void exec_and_list(void *out)
{
    dup2(*(int *)out, 1);
    execl("/bin/sh", "sh", "-c", "ls -l /proc/$$/fd", (char *)NULL);
    _exit(127);
}

static bool listed(const char *text, int fd)
{
    char number[16];

    snprintf(number, sizeof number, " %d -> ", fd);
    return strstr(text, number) != NULL;
}

TEST(exec_inherits_what_was_meant)
{
    SECURITY_ATTRIBUTES inherit = {sizeof inherit, NULL, TRUE};
    HANDLE meant = CreateFileA("/dev/null", GENERIC_READ, 7, &inherit, OPEN_EXISTING, 0, NULL);
    HANDLE not_meant = CreateFileA("/dev/null", GENERIC_READ, 7, NULL, OPEN_EXISTING, 0, NULL);
    HANDLE later = CreateFileA("/dev/null", GENERIC_READ, 7, NULL, OPEN_EXISTING, 0, NULL);
    HANDLE read_end = NULL, write_end = NULL;
    static char text[8192];
    struct state s;
    int out[2], own = open("/dev/null", O_RDONLY);
    size_t size = 0;
    ssize_t n;
    pid_t pid;

    begin_state(&s);
    round_of_files(0); /* the ring, the home thread, everything that has a descriptor */
    CHECK(SetHandleInformation(later, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT));
    CHECK(CreatePipe(&read_end, &write_end, NULL, 0));
    CHECK_EQ(pipe2(out, O_CLOEXEC), 0);
    pid = start_child(exec_and_list, &out[1]);
    close(out[1]);
    while (size < sizeof text - 1 && (n = read(out[0], text + size, sizeof text - 1 - size)) > 0)
        size += (size_t)n;
    text[size] = 0;
    wait_child(pid);
    CHECK(listed(text, 0) && listed(text, 1));
    CHECK(listed(text, (int)(intptr_t)meant) && listed(text, (int)(intptr_t)later) && listed(text, own));
    CHECK(!listed(text, (int)(intptr_t)not_meant));
    CHECK(!listed(text, (int)(intptr_t)read_end) && !listed(text, (int)(intptr_t)write_end));
    CHECK(!listed(text, s.ported[0]) && !listed(text, out[0]));
    if (!CHECK(!strstr(text, "eventpoll") && !strstr(text, "eventfd") && !strstr(text, "io_uring")))
        printf("%s", text);
    close(out[0]);
    close(own);
    CloseHandle(meant);
    CloseHandle(not_meant);
    CloseHandle(later);
    CloseHandle(read_end);
    CloseHandle(write_end);
    end_state(&s);
}
