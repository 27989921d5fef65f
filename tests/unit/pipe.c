/* SPDX-License-Identifier: MIT */
/*
 * Named pipes between processes, and what they bear: servers that share a name, die, or are forked; visitors
 * that talk nonsense, stop in the middle of a word, or come in hundreds; frames that are none. Names live in
 * a directory of this program's own.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "unit.h"
#include "count.h"
#include "forked.h"
#include "place.h"

#include "base/clock.h"
#include "base/sanitizer.h"
#include "io/pipe_dir.h"
#include "io/pipe_wire.h"

#include <iocp.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#define NAME "\\\\.\\pipe\\Unit"
#define MESSAGES (PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE)

static char place[] = "/tmp/iocp-pipe-XXXXXX";

static __attribute__((constructor)) void choose_place(void)
{
    place_make(place);
    setenv("XDG_RUNTIME_DIR", place, 1);
}

static HANDLE serve(DWORD open_mode, DWORD mode, DWORD max)
{
    return CreateNamedPipeA(NAME, open_mode, mode, max, 4096, 4096, 0, NULL);
}

static HANDLE client(void)
{
    return CreateFileA(NAME, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
}

static DWORD client_error(void)
{
    HANDLE h = client();

    if (h == INVALID_HANDLE_VALUE)
        return GetLastError();
    CloseHandle(h);
    return 0;
}

static int say(HANDLE h, const char *text)
{
    DWORD n = 0;

    return WriteFile(h, text, (DWORD)strlen(text), &n, NULL) && n == strlen(text);
}

/* One read, as a text or an error. */
static const char *hear(HANDLE h)
{
    static char text[256];
    DWORD n = 0;

    if (!ReadFile(h, text, 200, &n, NULL))
        snprintf(text, sizeof text, "error %u", (unsigned)GetLastError());
    else
        text[n] = 0;
    return text;
}

/* ---- other processes ---- */

struct child {
    pid_t pid;
    int to, from; /* a byte each way: "go on", "I have" */
};

static void tell(int fd)
{
    CHECK(write(fd, "x", 1) == 1);
}

static int await(int fd)
{
    char c;

    return read(fd, &c, 1) == 1;
}

/* Exit handlers are part of what is tested; but a child has lost sight of its parent's memory. */
#if ADDRESS_SANITIZER
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}
#endif

/* Runs fn in a process of its own; its result is the exit code. */
static struct child start(int (*fn)(struct child *me))
{
    struct child c;
    int there[2], back[2];

    CHECK(pipe2(there, O_CLOEXEC) == 0 && pipe2(back, O_CLOEXEC) == 0);
    fflush(stdout);
    c.pid = fork();
    if (c.pid == 0) {
        struct child me = {getppid(), back[1], there[0]};

        close(there[1]);
        close(back[0]);
        exit(fn(&me));
    }
    close(there[0]);
    close(back[1]);
    c.to = there[1];
    c.from = back[0];
    return c;
}

static int finish(struct child *c)
{
    int status = -1;

    close(c->to);
    close(c->from);
    CHECK(waitpid(c->pid, &status, 0) == c->pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + status;
}

/* ---- where names live ---- */

static int serve_elsewhere(struct child *me)
{
    char name[64];

    (void)me;
    snprintf(name, sizeof name, "\\\\.\\pipe\\Unit-elsewhere-%d", (int)getpid());
    return CreateNamedPipeA(name, PIPE_ACCESS_DUPLEX, 0, 1, 0, 0, 0, NULL) == INVALID_HANDLE_VALUE;
}

/* A directory that others may write to, that is another user's, or that is none, is not used. The first
 * test: the place is chosen once. */
TEST(a_place_that_is_not_ours_alone)
{
    char path[64], inside[80], link[64];

    snprintf(path, sizeof path, "%s/theirs", place);
    snprintf(inside, sizeof inside, "%s/iocp", path);
    snprintf(link, sizeof link, "%s/link", place);
    CHECK_EQ(mkdir(path, 0700), 0);
    CHECK_EQ(symlink(place, link), 0);
    for (int i = 0; i < 4; i++) {
        struct child c;

        chmod(path, i == 0 ? 0777 : i == 1 ? 0720 : 0755);
        if (i == 2 && (geteuid() != 0 || chown(path, 12345, (gid_t)-1) < 0))
            continue;
        setenv("XDG_RUNTIME_DIR", i == 3 ? link : path, 1);
        c = start(serve_elsewhere);
        CHECK_EQ(finish(&c), 0);
        CHECK(access(inside, F_OK) < 0);
    }
    setenv("XDG_RUNTIME_DIR", place, 1);
    snprintf(inside, sizeof inside, "%s/iocp", place);
    CHECK(access(inside, F_OK) < 0);
    unlink(link);
    rmdir(path);
}

/* In a place whose paths are too long for a socket's address; without /proc, by which such are reached. */
static int serve_far_away(struct child *me)
{
    HANDLE h = serve(PIPE_ACCESS_DUPLEX, 0, 1);

    (void)me;
    return h == INVALID_HANDLE_VALUE || client_error() != 0 || !CloseHandle(h);
}

static int serve_without_proc(struct child *me)
{
    (void)me;
    alarm(30); /* looked for over and over, once */
    if (unshare(geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER) < 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || mount("none", "/proc", "tmpfs", 0, NULL) < 0)
        return 77;
    if (serve(PIPE_ACCESS_DUPLEX, 0, 1) != INVALID_HANDLE_VALUE)
        return 1;
    return GetLastError() != ERROR_FILENAME_EXCED_RANGE;
}

TEST(a_place_far_away)
{
    char path[160];
    struct child c;
    int without;

    snprintf(path, sizeof path, "%s/%0100d", place, 0);
    CHECK_EQ(mkdir(path, 0700), 0);
    setenv("XDG_RUNTIME_DIR", path, 1);
    c = start(serve_far_away);
    CHECK_EQ(finish(&c), 0);
    c = start(serve_without_proc);
    without = finish(&c);
    setenv("XDG_RUNTIME_DIR", place, 1);
    snprintf(path, sizeof path, "rm -rf '%s'/0*", place);
    CHECK_EQ(system(path), 0);
    if (without == 77)
        SKIP("no namespace of mounts is to be had");
    CHECK_EQ(without, 0);
}

static int be_client(struct child *me)
{
    HANDLE h = client();
    DWORD mode = PIPE_READMODE_MESSAGE;
    ULONG server = 0;
    int wrong = 0;

    wrong += !SetNamedPipeHandleState(h, &mode, NULL, NULL);
    wrong += !GetNamedPipeServerProcessId(h, &server) || server != (ULONG)me->pid;
    wrong += !say(h, "from the child");
    wrong += strcmp(hear(h), "from the parent") != 0;
    wrong += strcmp(hear(h), "error 109") != 0; /* the server closes */
    return wrong;
}

TEST(a_client_in_another_process)
{
    HANDLE server = serve(PIPE_ACCESS_DUPLEX, MESSAGES, 1);
    struct child c = start(be_client);
    ULONG id = 0;

    CHECK(ConnectNamedPipe(server, NULL) || GetLastError() == ERROR_PIPE_CONNECTED);
    CHECK(GetNamedPipeClientProcessId(server, &id));
    CHECK_EQ(id, c.pid);
    CHECK_STR(hear(server), "from the child");
    CHECK(say(server, "from the parent"));
    CHECK(FlushFileBuffers(server));
    CHECK(CloseHandle(server));
    CHECK_EQ(finish(&c), 0);
}

static int be_second_server(struct child *me)
{
    HANDLE server = serve(PIPE_ACCESS_DUPLEX, MESSAGES, 2);
    DWORD count = 0;
    int wrong = 0;

    wrong += server == INVALID_HANDLE_VALUE;
    wrong += serve(PIPE_ACCESS_DUPLEX, MESSAGES, 2) != INVALID_HANDLE_VALUE;
    wrong += GetLastError() != ERROR_PIPE_BUSY;
    wrong += serve(PIPE_ACCESS_DUPLEX, 0, 2) != INVALID_HANDLE_VALUE || GetLastError() != ERROR_ACCESS_DENIED;
    wrong += serve(PIPE_ACCESS_DUPLEX | FILE_FLAG_FIRST_PIPE_INSTANCE, MESSAGES, 2) != INVALID_HANDLE_VALUE ||
             GetLastError() != ERROR_ACCESS_DENIED;
    wrong += !GetNamedPipeHandleStateA(server, NULL, &count, NULL, NULL, NULL, 0) || count != 2;
    tell(me->to);
    wrong += !ConnectNamedPipe(server, NULL) && GetLastError() != ERROR_PIPE_CONNECTED;
    wrong += strcmp(hear(server), "to anybody") != 0;
    wrong += !say(server, "second");
    await(me->from);
    return wrong;
}

/* Both processes have one of two instances: two clients get one each, a third none. */
TEST(two_processes_serve_a_name)
{
    HANDLE server = serve(PIPE_ACCESS_DUPLEX, MESSAGES, 2), clients[2];
    struct child c = start(be_second_server);
    int seconds = 0;

    CHECK(await(c.from));
    CHECK(serve(PIPE_ACCESS_DUPLEX, MESSAGES, 2) == INVALID_HANDLE_VALUE);
    for (int i = 0; i < 2; i++) {
        ULONG id = 0;

        clients[i] = client();
        CHECK(clients[i] != INVALID_HANDLE_VALUE);
        CHECK(GetNamedPipeServerProcessId(clients[i], &id));
        if (id == (ULONG)c.pid) {
            CHECK(say(clients[i], "to anybody"));
            CHECK_STR(hear(clients[i]), "second");
            seconds++;
        }
    }
    CHECK_EQ(seconds, 1);
    CHECK_EQ(client_error(), ERROR_PIPE_BUSY);
    tell(c.to);
    CHECK_EQ(finish(&c), 0);
    for (int i = 0; i < 2; i++)
        CloseHandle(clients[i]);
    CloseHandle(server);
    CHECK_EQ(client_error(), ERROR_FILE_NOT_FOUND);
}

static int be_server_until_killed(struct child *me)
{
    HANDLE server = serve(PIPE_ACCESS_DUPLEX, MESSAGES, 4);

    if (server == INVALID_HANDLE_VALUE || !say(server, "") + GetLastError() != 1 + ERROR_PIPE_LISTENING)
        return 1;
    tell(me->to);
    await(me->from);
    return 2;
}

/* How many sockets the name has. */
static int sockets(void)
{
    char pattern[128];
    glob_t found;
    int n;

    snprintf(pattern, sizeof pattern, "%s/iocp/unit-*/*", place);
    n = glob(pattern, 0, NULL, &found) == 0 ? (int)found.gl_pathc : 0;
    globfree(&found);
    return n;
}

/* A server that is killed breaks its pipes, and its socket is cleared away by the next of that name. */
TEST(a_server_dies)
{
    struct child c = start(be_server_until_killed);
    HANDLE h, server;

    CHECK(await(c.from));
    h = client();
    CHECK(h != INVALID_HANDLE_VALUE);
    CHECK_EQ(kill(c.pid, SIGKILL), 0);
    CHECK_EQ(finish(&c), 1000 + SIGKILL);
    CHECK_STR(hear(h), "error 109");
    CHECK_EQ(client_error(), ERROR_FILE_NOT_FOUND);
    CHECK(!WaitNamedPipeA(NAME, 1000) && GetLastError() == ERROR_FILE_NOT_FOUND);
    CHECK_EQ(sockets(), 1);
    server = serve(PIPE_ACCESS_DUPLEX, 0, 1); /* of another shape: the dead one does not count */
    CHECK(server != INVALID_HANDLE_VALUE);
    CHECK_EQ(sockets(), 1);
    CloseHandle(h);
    CloseHandle(server);
    CHECK_EQ(sockets(), 0);
}

static int write_without_end(struct child *me)
{
    static char large[4 << 20];
    HANDLE h = client();
    DWORD n;

    tell(me->to);
    return WriteFile(h, large, sizeof large, &n, NULL) ? 0 : (int)GetLastError();
}

/* A writer that is killed in the middle of a message leaves nothing of it, also if a part was handed out. */
TEST(a_writer_dies)
{
    static char data[1 << 20];

    for (int i = 0; i < 2; i++) {
        HANDLE server = serve(PIPE_ACCESS_DUPLEX, MESSAGES, 1);
        struct child c = start(write_without_end);
        DWORD n = 0, total = 0;

        CHECK(await(c.from));
        CHECK(WITHIN(20000, !PeekNamedPipe(server, NULL, 0, NULL, &total, NULL) || total >= 100000));
        CHECK(total >= 100000);
        if (i == 1)
            CHECK(!ReadFile(server, data, 1000, &n, NULL) && GetLastError() == ERROR_MORE_DATA && n == 1000);
        CHECK_EQ(kill(c.pid, SIGKILL), 0);
        CHECK_EQ(finish(&c), 1000 + SIGKILL);
        CHECK(!ReadFile(server, data, sizeof data, &n, NULL));
        CHECK_EQ(GetLastError(), ERROR_BROKEN_PIPE);
        CHECK_EQ(n, 0);
        CloseHandle(server);
    }
}

/* A server that is stopped answers nobody: waiting ends in time, and what it has counts as there. */
TEST(a_server_is_stopped)
{
    struct child c = start(be_server_until_killed);
    HANDLE server, second, h;
    DWORD since;
    int status;

    CHECK(await(c.from));
    CHECK_EQ(kill(c.pid, SIGSTOP), 0);
    CHECK(waitpid(c.pid, &status, WUNTRACED) == c.pid && WIFSTOPPED(status));
    for (DWORD ms = 0; ms <= 300; ms += 100) {
        since = GetTickCount();
        CHECK(!WaitNamedPipeA(NAME, ms) && GetLastError() == ERROR_SEM_TIMEOUT);
        CHECK(GetTickCount() - since < 20000);
    }
    since = GetTickCount();
    CHECK_EQ(client_error(), ERROR_PIPE_BUSY);
    CHECK(GetTickCount() - since < 20000);
    CHECK(serve(PIPE_ACCESS_DUPLEX, MESSAGES, 4) == INVALID_HANDLE_VALUE);
    CHECK_EQ(GetLastError(), ERROR_ACCESS_DENIED);
    CHECK(serve(PIPE_ACCESS_DUPLEX | FILE_FLAG_FIRST_PIPE_INSTANCE, MESSAGES, PIPE_UNLIMITED_INSTANCES) ==
          INVALID_HANDLE_VALUE);
    CHECK_EQ(GetLastError(), ERROR_ACCESS_DENIED);
    CHECK_EQ(kill(c.pid, SIGCONT), 0);
    server = serve(PIPE_ACCESS_DUPLEX, MESSAGES, 4);
    CHECK(server != INVALID_HANDLE_VALUE);
    CHECK_EQ(kill(c.pid, SIGSTOP), 0);
    CHECK(waitpid(c.pid, &status, WUNTRACED) == c.pid && WIFSTOPPED(status));
    CHECK(WaitNamedPipeA(NAME, 20000)); /* there is another, whichever is asked first */
    second = serve(PIPE_ACCESS_DUPLEX, MESSAGES, PIPE_UNLIMITED_INSTANCES);
    CHECK(second == INVALID_HANDLE_VALUE && GetLastError() == ERROR_ACCESS_DENIED); /* another limit */
    CHECK_EQ(kill(c.pid, SIGCONT), 0);
    second = serve(PIPE_ACCESS_DUPLEX, MESSAGES, 4);
    CHECK(second != INVALID_HANDLE_VALUE);
    CHECK_EQ(kill(c.pid, SIGSTOP), 0);
    CHECK(waitpid(c.pid, &status, WUNTRACED) == c.pid && WIFSTOPPED(status));
    CHECK_EQ(client_error(), 0);
    CHECK_EQ(kill(c.pid, SIGKILL), 0);
    CHECK_EQ(finish(&c), 1000 + SIGKILL);
    h = client();
    CHECK(h != INVALID_HANDLE_VALUE);
    CloseHandle(h);
    CloseHandle(second);
    CloseHandle(server);
    server = serve(PIPE_ACCESS_DUPLEX, 0, 1); /* clears away */
    CloseHandle(server);
    CHECK_EQ(sockets(), 0);
}

/* ---- making instances ---- */

static int hold_the_lock(struct child *me)
{
    char text[PIPE_TEXT_MAX];
    int fd = pipe_dir_lock_open();

    if (fd < 0 || pipe_fold("held", text) != 0 || pipe_dir_lock(fd, text, DEADLINE_NEVER) != 0)
        return 1;
    tell(me->to);
    await(me->from);
    return 2;
}

static DWORD WINAPI make_held(void *ctx)
{
    HANDLE *made = ctx;

    *made = CreateNamedPipeA("\\\\.\\pipe\\Held", PIPE_ACCESS_DUPLEX, 0, 1, 0, 0, 0, NULL);
    return GetLastError();
}

/* Who stands still in the middle of making an instance keeps those from it who want the same name. */
TEST(a_maker_is_stopped)
{
    struct child c = start(hold_the_lock);
    int status, fd = pipe_dir_lock_open();
    HANDLE other, made = NULL, thread;
    uint64_t before;

    CHECK(fd >= 0 && await(c.from));
    CHECK_EQ(kill(c.pid, SIGSTOP), 0);
    CHECK(waitpid(c.pid, &status, WUNTRACED) == c.pid && WIFSTOPPED(status));
    before = GetTickCount64();
    other = serve(PIPE_ACCESS_DUPLEX, 0, 1);
    CHECK(other != INVALID_HANDLE_VALUE);
    CHECK(GetTickCount64() - before < 8000); /* the time it would take to give up */
    CHECK_EQ(pipe_dir_lock(fd, "held", deadline_from_ms(50)), -ETIMEDOUT);
    thread = CreateThread(NULL, 0, make_held, &made, 0, NULL);
    CHECK_EQ(WaitForSingleObject(thread, 60000), WAIT_OBJECT_0);
    CHECK(GetExitCodeThread(thread, (DWORD *)&status) && status == ERROR_PIPE_BUSY);
    CHECK(made == INVALID_HANDLE_VALUE);
    CloseHandle(thread);
    thread = CreateThread(NULL, 0, make_held, &made, 0, NULL);
    CHECK_EQ(kill(c.pid, SIGKILL), 0);
    CHECK_EQ(finish(&c), 1000 + SIGKILL);
    CHECK_EQ(WaitForSingleObject(thread, 60000), WAIT_OBJECT_0);
    CHECK(made != INVALID_HANDLE_VALUE);
    CHECK_EQ(pipe_dir_lock(fd, "held", 0), 0); /* nobody has kept it */
    pipe_dir_unlock(fd);
    CloseHandle(thread);
    CloseHandle(made);
    CloseHandle(other);
}

static int be_the_first(struct child *me)
{
    HANDLE server;

    await(me->from);
    server = serve(PIPE_ACCESS_DUPLEX | FILE_FLAG_FIRST_PIPE_INSTANCE, 0, PIPE_UNLIMITED_INSTANCES);
    if (server == INVALID_HANDLE_VALUE)
        return GetLastError() == ERROR_ACCESS_DENIED ? 0 : 100;
    tell(me->to);
    await(me->from);
    return 1;
}

/* Of several that begin at once, with the leftovers of a dead one in their way, one is the first. */
TEST(one_is_the_first)
{
    enum { ROUNDS = 20, RACERS = 4 };

    for (int round = 0; round < ROUNDS; round++) {
        struct child dead = start(be_the_first), c[RACERS];
        int first = 0, others = 0;

        tell(dead.to);
        CHECK(await(dead.from));
        CHECK_EQ(kill(dead.pid, SIGKILL), 0);
        CHECK_EQ(finish(&dead), 1000 + SIGKILL);
        for (int i = 0; i < RACERS; i++)
            c[i] = start(be_the_first);
        for (int i = 0; i < RACERS; i++)
            tell(c[i].to);
        for (int i = 0; i < RACERS; i++)
            others += !await(c[i].from); /* it has ended; or it is the first, and says so */
        for (int i = 0; i < RACERS; i++) { /* it ends when nobody has the pipe to it any more */
            int code = finish(&c[i]);

            CHECK(code == 0 || code == 1);
            first += code == 1;
        }
        CHECK_EQ(first, 1);
        CHECK_EQ(others, RACERS - 1);
        CHECK_EQ(sockets(), 0);
    }
}

static void *continue_late(void *pid)
{
    usleep(500000); /* past the first look at it; sooner, it answers that */
    CHECK_EQ(kill(*(pid_t *)pid, SIGCONT), 0);
    return NULL;
}

/* Of two servers one has nothing free, and the other says nothing until both have been asked. */
TEST(a_server_answers_late)
{
    HANDLE busy = serve(PIPE_ACCESS_DUPLEX, MESSAGES, 4), first = client(), late;
    struct child c = start(be_server_until_killed);
    pthread_t helper;
    int status;

    CHECK(busy != INVALID_HANDLE_VALUE && first != INVALID_HANDLE_VALUE && await(c.from));
    CHECK_EQ(kill(c.pid, SIGSTOP), 0);
    CHECK(waitpid(c.pid, &status, WUNTRACED) == c.pid && WIFSTOPPED(status));
    CHECK_EQ(pthread_create(&helper, NULL, continue_late, &c.pid), 0);
    late = client();
    CHECK(late != INVALID_HANDLE_VALUE);
    pthread_join(helper, NULL);
    CHECK_EQ(kill(c.pid, SIGKILL), 0);
    CHECK_EQ(finish(&c), 1000 + SIGKILL);
    CHECK_STR(hear(late), "error 109");
    CloseHandle(late);
    CloseHandle(first);
    CloseHandle(busy);
}

static int wait_for_it(struct child *me)
{
    tell(me->to);
    return WaitNamedPipeA(NAME, 20000) ? 0 : (int)GetLastError();
}

/* The waiting are told that nothing is left to wait for. */
TEST(waiting_for_what_goes)
{
    HANDLE server = serve(PIPE_ACCESS_DUPLEX, 0, 1), h = client();
    struct child c = start(wait_for_it);

    CHECK(await(c.from));
    while (!WaitNamedPipeA(NAME, 1) && GetLastError() != ERROR_SEM_TIMEOUT)
        CHECK(!"reached");
    CloseHandle(h);
    CloseHandle(server);
    CHECK_EQ(finish(&c), ERROR_FILE_NOT_FOUND);
}

/* ---- forks ---- */

static int do_nothing(struct child *me)
{
    (void)me;
    return 7;
}

/* A child that ends takes nothing away that is its parent's, and may begin afresh under the same name. */
static int serve_again(struct child *me)
{
    HANDLE server = serve(PIPE_ACCESS_DUPLEX, MESSAGES, 4);

    (void)me;
    return server == INVALID_HANDLE_VALUE || !CloseHandle(server);
}

TEST(forks)
{
    HANDLE server = serve(PIPE_ACCESS_DUPLEX, MESSAGES, 4), h = client();
    struct child c = start(do_nothing);

    CHECK_EQ(finish(&c), 7);
    CHECK_EQ(sockets(), 1);
    c = start(serve_again);
    CHECK_EQ(finish(&c), 0);
    CHECK_EQ(sockets(), 1);
    CHECK(say(server, "still"));
    CHECK_STR(hear(h), "still");
    CloseHandle(h);
    CloseHandle(server);
    CHECK_EQ(client_error(), ERROR_FILE_NOT_FOUND);
}

static _Atomic int made, stop_making;

static DWORD WINAPI make_pipes(void *ctx)
{
    (void)ctx;
    while (!stop_making) {
        HANDLE server = serve(PIPE_ACCESS_DUPLEX, 0, 1);

        CHECK(server != INVALID_HANDLE_VALUE);
        CloseHandle(server);
        made++;
    }
    return 0;
}

/* Does the other thread still make pipes? Two, because one may have been all but made. */
static int goes_on(void)
{
    int before = made;

    return WITHIN(10000, made >= before + 2);
}

/* Sockets of our place that somebody on the machine still has. */
static int sockets_alive(void)
{
    char line[512];
    FILE *f = fopen("/proc/net/unix", "r");
    int n = 0;

    while (f && fgets(line, sizeof line, f))
        n += strstr(line, place) != NULL;
    if (f)
        fclose(f);
    return n;
}

/* Children that were forked while a pipe was being made, and live, stop nobody, and have nothing of it. */
TEST(forked_in_the_middle_of_making)
{
    enum { CHILDREN = 100 };
    HANDLE maker = CreateThread(NULL, 0, make_pipes, NULL, 0, NULL);
    pid_t children[CHILDREN];
    int count = 0, on = goes_on(), born[2];

    CHECK_EQ(pipe2(born, O_CLOEXEC), 0);
    fflush(stdout);
    while (on && count < CHILDREN) {
        children[count] = fork();
        if (children[count] == 0) {
            tell(born[1]);
            pause();
            _exit(0);
        }
        if (!CHECK(children[count] > 0) || !CHECK(await(born[0]))) /* what it had to close is closed */
            break;
        count++;
        on = goes_on();
    }
    CHECK(on);
    stop_making = 1;
    CHECK_EQ(WaitForSingleObject(maker, 20000), WAIT_OBJECT_0);
    CHECK_EQ(sockets_alive(), 0);
    close(born[0]);
    close(born[1]);
    while (count > 0) {
        kill(children[--count], SIGKILL);
        waitpid(children[count], NULL, 0);
    }
    CloseHandle(maker);
    CHECK_EQ(sockets(), 0);
}

static pid_t idle_child(void)
{
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        pause();
        _exit(0);
    }
    CHECK(pid > 0);
    return pid;
}

static void end_child(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

/* An end that is closed while a forked child lives: the other sees the end at once, and first what was
 * written. A duplicate keeps it open. */
TEST(an_end_is_closed_while_a_child_lives)
{
    for (int i = 0; i < 8; i++) {
        DWORD mode = i & 1 ? MESSAGES : 0, n;
        HANDLE server = serve(PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED, mode, 1);
        HANDLE h = CreateFileA(NAME, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
                               FILE_FLAG_OVERLAPPED, NULL);
        HANDLE mine = i & 2 ? server : h, other = i & 2 ? h : server, copy = NULL;
        pid_t child = idle_child();
        OVERLAPPED ov = {.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL)};
        char data[16];

        CHECK(SetNamedPipeHandleState(h, &(DWORD){i & 1 ? PIPE_READMODE_MESSAGE : 0}, NULL, NULL));
        if (i & 4)
            CHECK(DuplicateHandle(GetCurrentProcess(), mine, GetCurrentProcess(), &copy, 0, FALSE,
                                  DUPLICATE_SAME_ACCESS));
        CHECK(say(mine, "last"));
        if (!copy)
            CHECK(say(other, "not read"));
        CHECK(CloseHandle(mine));
        if (!copy) /* the child's copy keeps the bytes, and nobody will read them */
            CHECK(FlushFileBuffers(other) || GetLastError() == ERROR_BROKEN_PIPE);
        CHECK_STR(hear(other), "last");
        CHECK(!ReadFile(other, data, sizeof data, &n, &ov));
        if (copy) {
            CHECK_EQ(GetLastError(), ERROR_IO_PENDING);
            CHECK(say(copy, "more"));
            CHECK(GetOverlappedResult(other, &ov, &n, TRUE) && n == 4);
            CHECK(!ReadFile(other, data, sizeof data, &n, &ov) && GetLastError() == ERROR_IO_PENDING);
            CHECK(CloseHandle(copy));
            CHECK_EQ(WaitForSingleObject(ov.hEvent, 20000), WAIT_OBJECT_0);
            CHECK(!GetOverlappedResult(other, &ov, &n, FALSE));
        }
        CHECK_EQ(GetLastError(), ERROR_BROKEN_PIPE);
        CHECK(!say(other, "x") && GetLastError() == ERROR_NO_DATA);
        CHECK(CloseHandle(other));
        CloseHandle(ov.hEvent);
        end_child(child);
    }
}

/* Another program: it knows nothing of pipes, reads a line from a descriptor and answers there. */
static __attribute__((constructor)) void be_another_program(void)
{
    const char *number = getenv("UNIT_PIPE_ANSWER_ON");
    char line[64] = "got ";
    ssize_t n;

    if (!number)
        return;
    n = read(atoi(number), line + 4, sizeof line - 4);
    _exit(n > 0 && write(atoi(number), line, (size_t)n + 4) == n + 4 ? 0 : 1);
}

/* Starts it, with the pipe as its standard input or inherited under its number. */
static HANDLE start_program(HANDLE h, BOOL inherit)
{
    STARTUPINFOA info = {.cb = sizeof info, .dwFlags = inherit ? 0 : STARTF_USESTDHANDLES, .hStdInput = h};
    PROCESS_INFORMATION process = {0};
    char self[512], number[16];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    BOOL ok;

    self[n > 0 ? n : 0] = 0;
    snprintf(number, sizeof number, "%d", inherit ? (int)(intptr_t)h : 0);
    setenv("UNIT_PIPE_ANSWER_ON", number, 1);
    ok = CreateProcessA(self, NULL, NULL, NULL, inherit, 0, NULL, NULL, &info, &process);
    unsetenv("UNIT_PIPE_ANSWER_ON");
    CHECK(ok);
    CloseHandle(process.hThread);
    return process.hProcess;
}

/* What a program was started with it goes on with, though all handles here are closed, or are not inheritable
 * any more. */
TEST(an_end_that_a_program_was_given)
{
    for (int i = 0; i < 2; i++) {
        SECURITY_ATTRIBUTES inherit = {sizeof inherit, NULL, i == 1};
        HANDLE server = serve(PIPE_ACCESS_DUPLEX, 0, 1), program, h;
        pid_t child;

        h = CreateFileA(NAME, GENERIC_READ | GENERIC_WRITE, 0, &inherit, OPEN_EXISTING, 0, NULL);
        program = start_program(h, i == 1);
        child = idle_child();
        CHECK(SetHandleInformation(h, HANDLE_FLAG_INHERIT, 0));
        CHECK(CloseHandle(h));
        CHECK(say(server, "a line\n"));
        CHECK_STR(hear(server), "got a line\n");
        CHECK_EQ(WaitForSingleObject(program, 20000), WAIT_OBJECT_0);
        end_child(child); /* of such an end it has a copy */
        CHECK_STR(hear(server), "error 109");
        CloseHandle(program);
        CloseHandle(server);
    }
}

/* A client's end that another program inherits is read with read(2), and outlives this handle. */
TEST(inherited_by_a_program)
{
    SECURITY_ATTRIBUTES inherit = {sizeof inherit, NULL, TRUE};
    HANDLE server = serve(PIPE_ACCESS_DUPLEX, 0, 1), h;
    int status = -1;
    pid_t pid;

    h = CreateFileA(NAME, GENERIC_READ | GENERIC_WRITE, 0, &inherit, OPEN_EXISTING, 0, NULL);
    CHECK_EQ(fcntl((int)(intptr_t)h, F_GETFD), 0);
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        dup2((int)(intptr_t)h, 0);
        dup2((int)(intptr_t)h, 1);
        execl("/bin/sh", "sh", "-c", "read line && echo \"got $line\"", (char *)NULL);
    }
    CHECK(CloseHandle(h));
    CHECK(say(server, "a line\n"));
    CHECK_STR(hear(server), "got a line\n");
    CHECK_STR(hear(server), "error 109");
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    CloseHandle(server);
}

/* ---- who may ---- */

TEST(nobody_else_gets_in)
{
    HANDLE server = serve(PIPE_ACCESS_DUPLEX, 0, 1);
    char path[160];
    struct stat st;
    glob_t found;

    snprintf(path, sizeof path, "%s/iocp", place);
    CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0700);
    snprintf(path, sizeof path, "%s/iocp/unit-*/*", place);
    CHECK(glob(path, 0, NULL, &found) == 0 && found.gl_pathc == 1);
    CHECK(stat(found.gl_pathv[0], &st) == 0 && S_ISSOCK(st.st_mode));
    CHECK_EQ(st.st_mode & 0777, 0600);
    globfree(&found);
    CloseHandle(server);
}

/* ---- hostile visitors ---- */

static int visit(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char pattern[128];
    glob_t found;
    int fd = -1;

    snprintf(pattern, sizeof pattern, "%s/iocp/unit-*/*", place);
    if (glob(pattern, 0, NULL, &found) == 0) {
        snprintf(address.sun_path, sizeof address.sun_path, "%s", found.gl_pathv[0]);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
            close(fd);
            fd = -1;
        }
    }
    globfree(&found);
    return fd;
}

static int gives_up(int fd)
{
    char c;

    return recv(fd, &c, 1, 0) <= 0;
}

static void send_hello(int fd, uint32_t magic, uint32_t want, uint32_t size, const char *text,
                       size_t text_size)
{
    struct pipe_hello hello = {magic, want, PIPE_INWARD, size};

    CHECK(send(fd, &hello, sizeof hello, MSG_NOSIGNAL) == sizeof hello);
    send(fd, text, text_size, MSG_NOSIGNAL);
}

TEST(nonsense_is_sent_away)
{
    HANDLE server = serve(PIPE_ACCESS_DUPLEX, MESSAGES, 1);
    char noise[2000];
    int fd;

    for (unsigned i = 0; i < sizeof noise; i++)
        noise[i] = (char)(i * 131 + 7);
    fd = visit();
    CHECK(send(fd, noise, sizeof noise, MSG_NOSIGNAL) > 0);
    CHECK(gives_up(fd));
    close(fd);
    fd = visit();
    send_hello(fd, PIPE_HELLO, PIPE_WANT_OPEN, 0xFFFFFFFFu, "x", 1);
    CHECK(gives_up(fd));
    close(fd);
    fd = visit();
    send_hello(fd, PIPE_HELLO, 99, 4, "unit", 4);
    CHECK(gives_up(fd));
    close(fd);
    fd = visit();
    send_hello(fd, PIPE_HELLO, PIPE_WANT_OPEN, 6, "unit\0x", 6);
    CHECK(gives_up(fd));
    close(fd);
    fd = visit(); /* and one that says nothing at all, and one that goes in the middle of a word */
    close(fd);
    fd = visit();
    CHECK(send(fd, "pip1\1", 5, MSG_NOSIGNAL) == 5);
    close(fd);
    CHECK_EQ(client_error(), 0);
    CloseHandle(server);
}

/* A name that the process does not have: answered, not believed. */
TEST(a_name_that_is_not_here)
{
    HANDLE server = serve(PIPE_ACCESS_DUPLEX, 0, 1);
    struct pipe_answer answer = {0};
    int fd = visit();

    send_hello(fd, PIPE_HELLO, PIPE_WANT_OPEN, 5, "other", 5);
    CHECK(recv(fd, &answer, sizeof answer, MSG_WAITALL) == sizeof answer);
    CHECK_EQ(answer.verdict, PIPE_UNKNOWN);
    CHECK(gives_up(fd));
    close(fd);
    CloseHandle(server);
}

/* Hundreds that stop in the middle of their hello do not keep an honest client out. */
TEST(visitors_that_say_nothing)
{
    enum { MANY = 400 };
    HANDLE server = serve(PIPE_ACCESS_DUPLEX, 0, 1);
    int fds[MANY], sent_away = 0;

    for (int i = 0; i < MANY; i++) {
        fds[i] = visit();
        CHECK(send(fds[i], "pip", 3, MSG_NOSIGNAL) > 0);
    }
    CHECK_EQ(client_error(), 0);
    for (int i = 0; i < MANY; i++) {
        struct pipe_answer answer = {0};

        if (recv(fds[i], &answer, sizeof answer, MSG_DONTWAIT) == sizeof answer)
            sent_away += CHECK_EQ(answer.verdict, PIPE_AGAIN);
        close(fds[i]);
    }
    CHECK(sent_away >= MANY - 257);
    CloseHandle(server);
}

/* ---- too many ---- */

static int descriptors(void)
{
    return count_in("/proc/self/fd");
}

/* The instance takes the next client, nobody waits for it. */
static void listen_again(HANDLE server, DWORD read_mode)
{
    DWORD nowait = read_mode | PIPE_NOWAIT;

    CHECK(SetNamedPipeHandleState(server, &nowait, NULL, NULL));
    CHECK(DisconnectNamedPipe(server));
    ConnectNamedPipe(server, NULL);
    CHECK(SetNamedPipeHandleState(server, &read_mode, NULL, NULL));
}

/* Those who wait for an instance take so many descriptors and no more; who is one too many asks again. */
TEST(waiting_in_thousands)
{
    enum { MANY = 700 };
    HANDLE server = serve(PIPE_ACCESS_DUPLEX, 0, 1), h = client();
    static int fds[MANY];
    int counts[5] = {0};
    struct child c;
    int before = descriptors();

    for (int i = 0; i < MANY; i++) {
        struct pipe_answer answer = {.verdict = 4};

        fds[i] = visit();
        send_hello(fds[i], PIPE_HELLO, PIPE_WANT_FREE, 4, "unit", 4);
        CHECK(recv(fds[i], &answer, sizeof answer, MSG_WAITALL) == sizeof answer);
        counts[answer.verdict <= PIPE_AGAIN ? answer.verdict : PIPE_DENIED]++;
    }
    CHECK_EQ(counts[PIPE_NOT_NOW] + counts[PIPE_AGAIN], MANY);
    CHECK(counts[PIPE_NOT_NOW] > 0 && counts[PIPE_NOT_NOW] <= 256);
    CHECK(descriptors() - before <= MANY + 256 + 1);
    CHECK(!WaitNamedPipeA(NAME, 100) && GetLastError() == ERROR_SEM_TIMEOUT);
    CHECK(!WaitNamedPipeA(NAME, NMPWAIT_USE_DEFAULT_WAIT) && GetLastError() == ERROR_SEM_TIMEOUT);
    c = start(wait_for_it);
    CHECK(await(c.from));
    CloseHandle(h);
    listen_again(server, 0);
    CHECK_EQ(finish(&c), 0);
    for (int i = 0; i < MANY; i++)
        close(fds[i]);
    CloseHandle(server);
}

/* Says any part of any hello, true or not, and goes or stays. */
static int pester(struct child *me)
{
    enum { AT_ONCE = 400, VISITS = 6000 };
    static int fds[AT_ONCE];
    uint32_t state = 12345;

    tell(me->to);
    for (int i = 0; i < VISITS; i++) {
        struct pipe_hello hello = {PIPE_HELLO, PIPE_WANT_OPEN, 0, 4};
        int *fd = &fds[i % AT_ONCE];
        char noise[64];
        size_t n = 0;

        if (*fd)
            close(*fd);
        *fd = visit();
        if (*fd < 0)
            return 1;
        state = state * 1664525 + 1013904223;
        for (size_t k = 0; k < sizeof noise; k++)
            noise[k] = (char)(state >> k % 24);
        if (state >> 29 == 1)
            hello.text_size = state;
        if (state >> 29 == 2)
            hello.want = PIPE_WANT_FREE;
        if (state >> 29 == 3)
            hello.want = PIPE_WANT_SHAPE;
        if (state >> 29 == 4)
            hello.magic = state;
        memcpy(noise, &hello, state >> 29 == 5 ? 0 : sizeof hello);
        memcpy(noise + sizeof hello, state >> 29 == 6 ? "none" : "unit", 4);
        n = state >> 8 & 1 ? sizeof hello + 4 : (state >> 9) % (sizeof hello + 4); /* all, or a part; none */
        if (hello.want == PIPE_WANT_OPEN && n == sizeof hello + 4 && state >> 29 != 6)
            n--; /* nearly: the instances are not for him */
        send(*fd, noise, n, MSG_NOSIGNAL);
        if (state >> 12 & 1) {
            close(*fd);
            *fd = 0;
        }
    }
    tell(me->to);
    await(me->from);
    return 0;
}

/* A good client gets through all that, again and again; and nothing of it is left. */
TEST(pestered)
{
    HANDLE server = serve(PIPE_ACCESS_DUPLEX, MESSAGES, 1);
    int before = descriptors(), most = 0, rounds = 0, now;
    struct child c = start(pester);
    struct pollfd over = {.fd = c.from, .events = POLLIN};

    CHECK(await(c.from));
    while (rounds < 20 || poll(&over, 1, 0) == 0) {
        HANDLE h = client();

        if (!CHECK(h != INVALID_HANDLE_VALUE))
            break;
        CHECK(say(h, "good"));
        CHECK_STR(hear(server), "good");
        CloseHandle(h);
        listen_again(server, PIPE_READMODE_MESSAGE);
        now = descriptors();
        most = now > most ? now : most;
        rounds++;
    }
    CHECK(most - before <= 256 + 256 + 16);
    CHECK_EQ(finish(&c), 0);
    CHECK_EQ(client_error(), 0);
    CHECK(WITHIN(20000, descriptors() <= before + 4));
    CloseHandle(server);
}

static int serve_until_told(struct child *me)
{
    HANDLE server = serve(PIPE_ACCESS_DUPLEX, MESSAGES, 4);

    tell(me->to);
    await(me->from);
    return !CloseHandle(server);
}

/* More at once than are attended in one go: all are answered. */
TEST(visitors_in_a_crowd)
{
    enum { CROWD = 300 };
    struct child c = start(serve_until_told);
    int fds[CROWD], status;

    CHECK(await(c.from));
    CHECK_EQ(kill(c.pid, SIGSTOP), 0);
    CHECK(waitpid(c.pid, &status, WUNTRACED) == c.pid && WIFSTOPPED(status));
    for (int i = 0; i < CROWD; i++) {
        fds[i] = visit();
        send_hello(fds[i], PIPE_HELLO, PIPE_WANT_SHAPE, 4, "unit", 4);
    }
    CHECK_EQ(kill(c.pid, SIGCONT), 0);
    for (int i = 0; i < CROWD; i++) {
        struct pipe_answer answer = {0};

        CHECK(recv(fds[i], &answer, sizeof answer, MSG_WAITALL) == sizeof answer);
        CHECK_EQ(answer.verdict, PIPE_YES);
        close(fds[i]);
    }
    tell(c.to);
    CHECK_EQ(finish(&c), 0);
}

/* ---- hostile streams ---- */

/* A connection as a client's, without the library behind it. */
static int raw_client(void)
{
    struct pipe_hello hello = {PIPE_HELLO, PIPE_WANT_OPEN, PIPE_INWARD | PIPE_OUTWARD, 4};
    struct pipe_answer answer = {0};
    int fd = visit();

    CHECK(send(fd, &hello, sizeof hello, 0) == sizeof hello);
    CHECK(send(fd, "unit", 4, 0) == 4);
    CHECK(recv(fd, &answer, sizeof answer, MSG_WAITALL) == sizeof answer);
    CHECK_EQ(answer.verdict, PIPE_YES);
    return fd;
}

TEST(frames_that_are_none)
{
    for (int i = 0; i < 8; i++) {
        HANDLE server = serve(PIPE_ACCESS_DUPLEX, MESSAGES, 1);
        int fd = raw_client();
        DWORD total = 99;

        if (i == 0)
            CHECK(send(fd, "\xFF\xFF\xFF\xFFnonsense", 12, 0) == 12); /* a length that is too large */
        else if (i == 1)
            CHECK(send(fd, "\5\0\0\xC0" "abc", 7, 0) == 7); /* ends in the middle */
        else if (i == 2)
            CHECK(send(fd, "\5\0", 2, 0) == 2);
        else if (i == 5)
            CHECK(send(fd, "\0\0\0\x20\1\0\0\xC0" "z", 9, 0) == 9); /* given up, what has not begun */
        else if (i == 6)
            CHECK(send(fd, "\2\0\0\x40" "gi" "\1\0\0\xC0" "z", 11, 0) == 11); /* a message inside another */
        else if (i == 7)
            CHECK(send(fd, "\1\0\0\x80" "z", 5, 0) == 5); /* the end of none */
        else /* nothing, and more to come: for ever, perhaps; what follows is not heard */
            CHECK(send(fd, i == 3 ? "\0\0\0\0\1\0\0\xC0" "z" : "\0\0\0\x40\1\0\0\xC0" "z", 9, 0) == 9);
        shutdown(fd, SHUT_WR);
        if (i != 1 && i < 3)
            CHECK(PeekNamedPipe(server, NULL, 0, NULL, &total, NULL) ? total == 0
                                                                     : GetLastError() == ERROR_BROKEN_PIPE);
        CHECK_STR(hear(server), "error 109");
        CHECK_STR(hear(server), "error 109");
        close(fd);
        CloseHandle(server);
    }
}

/* Frames that come byte by byte make the same messages; what was given up is none. */
TEST(frames_that_trickle)
{
    static const char stream[] = "\3\0\0\x40" "abc" "\2\0\0\x80" "de" /* one of two fragments */
                                 "\0\0\0\xC0"                      /* nothing */
                                 "\2\0\0\x40" "gi" "\0\0\0\x20" /* given up */
                                 "\1\0\0\xC0" "z";
    static const char *messages[] = {"abcde", "", "z"};
    HANDLE server = serve(PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED, MESSAGES, 1);
    int fd = raw_client(), sent = 0;

    for (int i = 0; i < 3; i++) {
        OVERLAPPED ov = {.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL)};
        char data[64];
        DWORD n = 0;

        ReadFile(server, data, sizeof data, &n, &ov);
        while (!HasOverlappedIoCompleted(&ov) && sent < (int)sizeof stream - 1) {
            CHECK(send(fd, stream + sent++, 1, 0) == 1);
            Sleep(0);
        }
        CHECK(GetOverlappedResult(server, &ov, &n, TRUE));
        data[n] = 0;
        CHECK_STR(data, messages[i]);
        CloseHandle(ov.hEvent);
    }
    close(fd);
    CloseHandle(server);
}

static uint32_t nothings[1024];

static DWORD WINAPI send_nothings(void *ctx)
{
    while (send((int)(intptr_t)ctx, nothings, sizeof nothings, MSG_NOSIGNAL) > 0)
        continue;
    return 0;
}

/* Empty messages without end do not keep a reader of bytes, nor who waits for the lock behind him. */
TEST(nothings_without_end)
{
    HANDLE server = serve(PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED, PIPE_TYPE_MESSAGE, 1), sender;
    int fd = raw_client();

    for (int i = 0; i < 1024; i++)
        nothings[i] = 0xC0000000u;
    sender = CreateThread(NULL, 0, send_nothings, (void *)(intptr_t)fd, 0, NULL);
    for (int i = 0; i < 1000; i++) {
        OVERLAPPED ov = {.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL)};
        char data[64];
        DWORD n = 99;

        CHECK(ReadFile(server, data, sizeof data, &n, &ov) || GetLastError() == ERROR_IO_PENDING);
        CHECK(GetOverlappedResult(server, &ov, &n, TRUE));
        CHECK_EQ(n, 0);
        CloseHandle(ov.hEvent);
    }
    CHECK(DisconnectNamedPipe(server));
    CHECK_EQ(WaitForSingleObject(sender, 20000), WAIT_OBJECT_0);
    CloseHandle(sender);
    close(fd);
    CloseHandle(server);
}

static DWORD WINAPI give_up_without_end(void *ctx)
{
    uint32_t words[3 * 256]; /* a fragment of four bytes, and the mark */

    for (int i = 0; i < 3 * 256; i++)
        words[i] = i % 3 == 0 ? 0x40000004u : i % 3 == 1 ? 0x20202020u : 0x20000000u;
    while (send((int)(intptr_t)ctx, words, sizeof words, MSG_NOSIGNAL) > 0)
        continue;
    return 0;
}

/* Messages without end that are given up: who reads can be called back, and looking at the pipe,
 * disconnecting and closing get through. */
TEST(messages_given_up_without_end)
{
    for (int mode = 0; mode < 4; mode++) {
        DWORD messages = mode & 1 ? MESSAGES : PIPE_TYPE_MESSAGE;
        HANDLE server = serve(PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED, messages, 1), sender;
        OVERLAPPED ov = {.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL)};
        int fd = raw_client();
        char data[64];
        DWORD n = 99;

        sender = CreateThread(NULL, 0, give_up_without_end, (void *)(intptr_t)fd, 0, NULL);
        for (int i = 0; i < 50; i++) {
            BOOL ok = ReadFile(server, data, sizeof data, NULL, &ov);

            CHECK(ok || GetLastError() == ERROR_IO_PENDING);
            CHECK(PeekNamedPipe(server, NULL, 0, NULL, &n, NULL));
            if (messages == MESSAGES) {
                CHECK(CancelIoEx(server, &ov));
                CHECK(!GetOverlappedResult(server, &ov, &n, TRUE));
                CHECK_EQ(GetLastError(), ERROR_OPERATION_ABORTED);
            } else { /* bytes that were there when it looked */
                CHECK(GetOverlappedResult(server, &ov, &n, TRUE));
                CHECK(n > 0);
            }
        }
        if (mode < 2)
            CHECK(DisconnectNamedPipe(server));
        else
            CloseHandle(server);
        CHECK_EQ(WaitForSingleObject(sender, 20000), WAIT_OBJECT_0);
        CloseHandle(sender);
        CloseHandle(ov.hEvent);
        close(fd);
        if (mode < 2)
            CloseHandle(server);
    }
}

/* ---- names ---- */

TEST(monstrous_names)
{
    static char name[40000];
    HANDLE h;

    memset(name, 'n', 32768);
    memcpy(name, "\\\\.\\pipe\\", 9);
    h = CreateNamedPipeA(name, PIPE_ACCESS_DUPLEX, 0, 1, 0, 0, 0, NULL);
    CHECK(h == INVALID_HANDLE_VALUE && GetLastError() == ERROR_INVALID_NAME);
    h = CreateFileA(name, GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL);
    CHECK(h == INVALID_HANDLE_VALUE && GetLastError() != 0);
    CHECK(!WaitNamedPipeA(name, 1));
    name[9 + 256] = 0;
    h = CreateNamedPipeA(name, PIPE_ACCESS_DUPLEX, 0, 1, 0, 0, 0, NULL);
    CHECK(h != INVALID_HANDLE_VALUE);
    CloseHandle(h);
    strcpy(name + 9, "../../../../tmp/x\x01\n*?<>|\"'%s\xFF\xFE");
    h = CreateNamedPipeA(name, PIPE_ACCESS_DUPLEX, 0, 1, 0, 0, 0, NULL);
    CHECK(h != INVALID_HANDLE_VALUE);
    CHECK_EQ(access("/tmp/x\x01", F_OK), -1);
    CloseHandle(h);
    h = CreateNamedPipeA("\\\\.\\pipe\\", PIPE_ACCESS_DUPLEX, 0, 1, 0, 0, 0, NULL);
    CHECK(h == INVALID_HANDLE_VALUE && GetLastError() == ERROR_INVALID_NAME);
}

/* Out of descriptors: said, and nothing is left behind. */
TEST(out_of_descriptors)
{
    struct rlimit before, few;
    HANDLE server = serve(PIPE_ACCESS_DUPLEX, 0, PIPE_UNLIMITED_INSTANCES), more[64];
    int made = 0;

    CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
    few = before;
    few.rlim_cur = 64;
    CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
    for (; made < 64; made++) {
        more[made] = serve(PIPE_ACCESS_DUPLEX, 0, PIPE_UNLIMITED_INSTANCES);
        if (more[made] == INVALID_HANDLE_VALUE)
            break;
    }
    CHECK(made > 5 && made < 64);
    CHECK_EQ(GetLastError(), ERROR_TOO_MANY_OPEN_FILES);
    CHECK_EQ(client_error(), ERROR_TOO_MANY_OPEN_FILES);
    CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
    CHECK_EQ(client_error(), 0);
    while (made > 0)
        CloseHandle(more[--made]);
    CloseHandle(server);
    CHECK_EQ(sockets(), 0);
}

TEST(the_place_is_left_tidy)
{
    char path[64];
    DIR *list;
    struct dirent *e;
    int others = 0;

    snprintf(path, sizeof path, "%s/iocp", place);
    list = opendir(path);
    while (list && (e = readdir(list)) != NULL)
        others += e->d_name[0] != '.' && strcmp(e->d_name, "lock") != 0;
    if (list)
        closedir(list);
    CHECK_EQ(others, 0);
}
