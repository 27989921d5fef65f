/* SPDX-License-Identifier: MIT */
/*
 * Starting programs when the system refuses: each call that may fail does, one after the other; what is left
 * behind is counted in descriptors and children. And children that are gone before anybody has looked.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "unit.h"
#include "count.h"
#include "forked.h"

#include "base/os.h"

#include <iocp.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>

enum { PATIENCE_MS = 20000 };

static const char *refused_call;
static int refused_with;

static int refuse(const char *call)
{
    return refused_call && strcmp(call, refused_call) == 0 ? -refused_with : 0;
}

/* What the home thread was about to close when a wait ended is closed once it has come to its timers. */
static void settle(void)
{
    HANDLE timer = CreateWaitableTimerA(NULL, FALSE, NULL);
    LARGE_INTEGER now = {.QuadPart = -1};

    CHECK(SetWaitableTimer(timer, &now, 0, NULL, NULL, FALSE));
    CHECK_EQ(WaitForSingleObject(timer, PATIENCE_MS), WAIT_OBJECT_0);
    CloseHandle(timer);
}

static unsigned count_descriptors(void)
{
    settle();
    return (unsigned)count_in("/proc/self/fd");
}

static bool start_it(const char *line, DWORD flags, PROCESS_INFORMATION *info)
{
    STARTUPINFOA startup = {.cb = sizeof startup};
    char copy[100];

    strcpy(copy, line);
    return CreateProcessA(NULL, copy, NULL, NULL, TRUE, flags, NULL, NULL, &startup, info);
}

static DWORD end_of(PROCESS_INFORMATION *info)
{
    DWORD code = 0xDEAD;

    CHECK_EQ(WaitForSingleObject(info->hProcess, PATIENCE_MS), WAIT_OBJECT_0);
    CHECK(GetExitCodeProcess(info->hProcess, &code));
    CloseHandle(info->hThread);
    CloseHandle(info->hProcess);
    return code;
}

static void refuse_start(const char *call, int err, DWORD error)
{
    for (int suspended = 0; suspended < 2; suspended++) {
        PROCESS_INFORMATION info = {0};
        unsigned before = count_descriptors();

        refused_call = call;
        refused_with = err;
        CHECK(!start_it("/bin/sleep 100", suspended ? CREATE_SUSPENDED : 0, &info));
        CHECK_EQ(GetLastError(), error);
        refused_call = NULL;
        CHECK_EQ(count_descriptors(), before);
        CHECK(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD); /* none is left, not even dead */
    }
}

static void all_refused(void)
{
    PROCESS_INFORMATION info;
    HANDLE parent;
    unsigned before;

    settle();
    os_fault = refuse;
    refused_call = "epoll_create1";
    refused_with = EMFILE;
    CHECK(!start_it("/bin/true", 0, &info)); /* the first one: the library's own thread may begin by it */
    CHECK_EQ(GetLastError(), ERROR_TOO_MANY_OPEN_FILES);
    refuse_start("epoll_create1", EMFILE, ERROR_TOO_MANY_OPEN_FILES);
    refused_call = "epoll_create1";
    before = count_descriptors();
    CHECK(!OpenProcess(SYNCHRONIZE, FALSE, (DWORD)getppid()));
    CHECK_EQ(GetLastError(), ERROR_TOO_MANY_OPEN_FILES);
    CHECK_EQ(count_descriptors(), before);
    refused_call = NULL;
    CHECK(start_it("/bin/true", 0, &info)); /* and goes on */
    CHECK_EQ(end_of(&info), 0);
    refuse_start("clone", EAGAIN, ERROR_NO_SYSTEM_RESOURCES);
    refuse_start("clone", ENOMEM, ERROR_NOT_ENOUGH_MEMORY);
    refuse_start("epoll_ctl", ENOSPC, ERROR_NOT_ENOUGH_MEMORY);
    refuse_start("epoll_ctl", ENOMEM, ERROR_NOT_ENOUGH_MEMORY);
    before = count_descriptors();
    refused_call = "pidfd_open";
    CHECK(!OpenProcess(SYNCHRONIZE, FALSE, (DWORD)getppid()));
    CHECK_EQ(GetLastError(), ERROR_NOT_ENOUGH_MEMORY);
    refused_call = "epoll_ctl";
    CHECK(!OpenProcess(SYNCHRONIZE, FALSE, (DWORD)getppid()));
    CHECK_EQ(GetLastError(), ERROR_NOT_ENOUGH_MEMORY);
    CHECK_EQ(count_descriptors(), before);
    refused_call = NULL;
    parent = OpenProcess(SYNCHRONIZE, FALSE, (DWORD)getppid());
    CHECK(parent && WaitForSingleObject(parent, 0) == WAIT_TIMEOUT);
    CHECK(start_it("/bin/true", CREATE_SUSPENDED, &info));
    CHECK_EQ(ResumeThread(info.hThread), 1);
    CHECK_EQ(end_of(&info), 0);
    os_fault = NULL;
}

TEST(refused_one_by_one)
{
    IN_CHILD(all_refused());
}

/* ---- profiles ---- */

static void forbid(unsigned number)
{
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {.len = 4, .filter = program};

    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0);
}

#ifndef SYS_clone3
#define SYS_clone3 435
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

/* What an old kernel and a container's profile do not have. */
static void without_new_calls(void)
{
    PROCESS_INFORMATION info;
    int leaks;
    char line[100];

    forbid(SYS_clone3);
    forbid(SYS_close_range);
    leaks = open("/dev/null", O_RDONLY); /* inheritable, and not to be inherited */
    snprintf(line, sizeof line, "/usr/bin/test ! -e /proc/self/fd/%d", leaks);
    for (int i = 0; i < 4; i++) {
        STARTUPINFOA startup = {.cb = sizeof startup};
        char copy[100];

        strcpy(copy, line);
        CHECK(CreateProcessA(NULL, copy, NULL, NULL, FALSE, i & 1 ? CREATE_SUSPENDED : 0, NULL, NULL,
                             &startup, &info));
        CHECK_EQ(ResumeThread(info.hThread), i & 1);
        CHECK_EQ(end_of(&info), 0);
    }
    CHECK(start_it(line, CREATE_SUSPENDED, &info));
    CHECK_EQ(ResumeThread(info.hThread), 1);
    CHECK_EQ(end_of(&info), 1);
}

TEST(old_kernel_or_strict_profile)
{
    IN_CHILD(without_new_calls());
}

/* ---- reaped by others ---- */

static bool kernel_tells_codes(void)
{
    struct utsname name;
    unsigned major = 0, minor = 0;

    uname(&name);
    sscanf(name.release, "%u.%u", &major, &minor);
    return major > 6 || (major == 6 && minor >= 15);
}

/* The number of each is free again at once. Its descriptor was made with it: its code is known. */
static void ended_unseen(void)
{
    signal(SIGCHLD, SIG_IGN);
    for (int i = 0; i < 300; i++) {
        PROCESS_INFORMATION info;
        DWORD code = 0xDEAD;

        if (!CHECK(start_it("/bin/false", i % 3 ? 0 : CREATE_SUSPENDED, &info)))
            break;
        ResumeThread(info.hThread);
        CHECK_EQ(WaitForSingleObject(info.hProcess, PATIENCE_MS), WAIT_OBJECT_0);
        CHECK(!TerminateProcess(info.hProcess, 1) && GetLastError() == ERROR_ACCESS_DENIED);
        if (kernel_tells_codes()) {
            CHECK(GetExitCodeProcess(info.hProcess, &code));
            CHECK_EQ(code, 1);
        }
        CloseHandle(info.hThread);
        CloseHandle(info.hProcess);
    }
}

TEST(reaped_by_the_kernel)
{
    IN_CHILD(ended_unseen());
}

/* ---- suspended ---- */

/* Its parent dies: it does not wait for ever. The pipe's write end is what it was given. */
TEST(suspended_child_of_a_dead_parent)
{
    int ends[2];
    char byte;
    pid_t pid;

    CHECK(pipe(ends) == 0);
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        PROCESS_INFORMATION info;

        for (int i = 0; i < 3; i++)
            start_it("/bin/sleep 100", CREATE_SUSPENDED, &info);
        if (fork() == 0) {
            close(ends[1]);
            execl("/bin/sleep", "sleep", "1", NULL);
        }
        _exit(0);
    }
    close(ends[1]);
    waitpid(pid, NULL, 0);
    CHECK_EQ(read(ends[0], &byte, 1), 0);
    close(ends[0]);
}

static void forked_beside_suspended(void)
{
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    PROCESS_INFORMATION info;
    pid_t pid;
    int status = -1;

    CHECK(start_it("/bin/true", CREATE_SUSPENDED, &info));
    pid = fork();
    if (pid == 0) {
        unit_failed = 0;
        port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
        for (int i = 0; i < 32; i++) {
            int ends[2];

            CHECK(pipe(ends) == 0);
            CHECK(CreateIoCompletionPort((HANDLE)(intptr_t)ends[0], port, 1, 0) == port);
        }
        _exit(unit_failed != 0);
    }
    waitpid(pid, &status, 0);
    CHECK_EQ(status, 0);
    CHECK_EQ(ResumeThread(info.hThread), 1);
    CHECK_EQ(end_of(&info), 0);
    CloseHandle(port);
}

/* What the library had for it is closed in a copy of the process, and the numbers are the program's. */
TEST(fork_beside_a_suspended_child)
{
    IN_CHILD(forked_beside_suspended());
}

TEST(suspended_and_no_program)
{
    char path[] = "/tmp/iocp-child-XXXXXX";
    PROCESS_INFORMATION info;
    int fd = mkstemp(path);

    CHECK(write(fd, "no program", 10) == 10 && fchmod(fd, 0700) == 0);
    close(fd);
    CHECK(!start_it(path, 0, &info));
    CHECK_EQ(GetLastError(), ERROR_BAD_EXE_FORMAT);
    CHECK(start_it(path, CREATE_SUSPENDED, &info));
    CHECK_EQ(ResumeThread(info.hThread), 1);
    CHECK_EQ(end_of(&info), 127);
    unlink(path);
}

static void *start_many(void *arg)
{
    for (int i = 0; i < 100; i++) {
        PROCESS_INFORMATION info;

        if (!CHECK(start_it(i % 2 ? "/bin/true" : "/bin/false", i % 3 ? 0 : CREATE_SUSPENDED, &info)))
            break;
        if (i % 3 == 0)
            CHECK_EQ(ResumeThread(info.hThread), 1);
        CHECK_EQ(end_of(&info), !(i % 2));
    }
    return arg;
}

TEST(many_threads_start)
{
    unsigned before;
    pthread_t threads[4];
    PROCESS_INFORMATION info;

    CHECK(start_it("/bin/true", 0, &info));
    end_of(&info);
    before = count_descriptors();
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, start_many, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    CHECK_EQ(count_descriptors(), before);
    CHECK(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
}
