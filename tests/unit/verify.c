/* SPDX-License-Identifier: MIT */
/*
 * The verifier, iocp_pending and iocp_dump. The verifier is chosen when the library is loaded, so each case
 * is a child of this program, started anew with IOCP_VERIFY and the case's name in its environment; what
 * it says on stderr comes back by a pipe. A case ends with _exit(0) if it went as it should.
 */
#define _GNU_SOURCE
#include "unit.h"
#include "forked.h"

#include "base/sanitizer.h"

#include <winsock2.h>

#include <windows.h>

#include <iocp.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sched.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;
int socketpair(int family, int type, int protocol, int *fds);
enum { PATIENCE_MS = 20000, TEXT = 1 << 16 };

#define SANITIZED (ADDRESS_SANITIZER || THREAD_SANITIZER)
#define RACES_TOLD THREAD_SANITIZER /* of two answers that go to one OVERLAPPED */

static bool is_child(void)
{
    return getenv("VERIFY_CASE") != NULL;
}

/* ---- inside the children ---- */

static void expect(bool condition, const char *what)
{
    if (condition)
        return;
    dprintf(1, "  in the child: %s is false\n", what);
    _exit(3);
}
#define EXPECT(COND) expect(COND, #COND)

/* Until the home thread has found `n` faults. */
static void await_faults(uint64_t n)
{
    ULONGLONG begin = GetTickCount64();

    while (iocp_verify_faults() < n) {
        EXPECT(GetTickCount64() - begin < PATIENCE_MS);
        sched_yield();
    }
    EXPECT(iocp_verify_faults() == n);
}

static SOCKET make_pair(int *peer)
{
    int fds[2];

    EXPECT(socketpair(AF_UNIX, 1, 0, fds) == 0);
    *peer = fds[1];
    return (SOCKET)fds[0];
}

static void receive(SOCKET s, char *data, OVERLAPPED *ov)
{
    WSABUF buf = {8, data};
    DWORD flags = 0;

    EXPECT(WSARecv(s, &buf, 1, NULL, &flags, ov, NULL) == SOCKET_ERROR);
    EXPECT(WSAGetLastError() == WSA_IO_PENDING);
}

static void case_reused(void)
{
    static OVERLAPPED ov;
    static char data[2][8];
    int peer[2];
    SOCKET a = make_pair(&peer[0]), b = make_pair(&peer[1]);

    receive(a, data[0], &ov);
    EXPECT(iocp_verify_faults() == 0);
    receive(b, data[1], &ov);
    EXPECT(iocp_verify_faults() == 1);
    EXPECT(write(peer[0], "12345678", 8) == 8 && write(peer[1], "12345678", 8) == 8);
    closesocket(a);
    closesocket(b);
    EXPECT(iocp_verify_faults() == 1);
}

static void case_unseen(void)
{
    static OVERLAPPED ov;
    static char data[2][8];
    int peer[2];
    SOCKET a = make_pair(&peer[0]), b = make_pair(&peer[1]);

    receive(a, data[0], &ov);
    receive(b, data[1], &ov);
    iocp_verify_freed(&ov, sizeof ov);
    EXPECT(iocp_verify_faults() == 0);
}

static void case_cleared(void)
{
    static OVERLAPPED ov;
    static char data[8];
    int peer;
    SOCKET s = make_pair(&peer);

    receive(s, data, &ov);
    memset(&ov, 0, sizeof ov);
    await_faults(1);
    closesocket(s);
    EXPECT(iocp_verify_faults() == 1); /* once is enough */
}

static __attribute__((noinline)) void start_and_return(SOCKET s, char *data)
{
    OVERLAPPED ov = {0};

    receive(s, data, &ov);
}

static __attribute__((noinline)) void use_stack(void)
{
    volatile unsigned char frame[4096];

    for (size_t i = 0; i < sizeof frame; i++)
        frame[i] = 0xA5;
}

static void case_returned(void)
{
    static char data[8];
    int peer;
    SOCKET s = make_pair(&peer);

    start_and_return(s, data);
    use_stack();
    await_faults(1);
    _exit(0); /* an answer now would go to that frame */
}

static void case_unmapped(void)
{
    static char data[8];
    OVERLAPPED *ov = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int peer;
    SOCKET s = make_pair(&peer);

    receive(s, data, ov);
    munmap(ov, 4096);
    await_faults(1);
    _exit(0);
}

static void case_freed(void)
{
    static OVERLAPPED ov[2];
    static char data[256];
    int peer;
    SOCKET s = make_pair(&peer);

    for (int i = 0; i < 2; i++) /* of two on one handle only an event says which has ended */
        ov[i].hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    receive(s, data, &ov[0]);
    iocp_verify_freed(data + 8, sizeof data - 8); /* beside the buffer */
    EXPECT(iocp_verify_faults() == 0);
    iocp_verify_freed(data + 7, 1);
    EXPECT(iocp_verify_faults() == 1);
    receive(s, data + 128, &ov[1]);
    iocp_verify_freed(ov, sizeof ov); /* the first is known already */
    EXPECT(iocp_verify_faults() == 2);
    EXPECT(write(peer, "1234567812345678", 16) == 16);
    for (int i = 0; i < 2; i++) {
        DWORD bytes, flags;

        EXPECT(WSAGetOverlappedResult(s, &ov[i], &bytes, TRUE, &flags) && bytes == 8);
    }
    iocp_verify_freed(ov, sizeof ov);
    iocp_verify_freed(data, sizeof data);
    EXPECT(iocp_verify_faults() == 2);
}

/* A handle without a descriptor of ours, a file, an event, a routine, a cancel: nothing to complain of. */
static DWORD heard;

static void WINAPI routine(DWORD error, DWORD bytes, OVERLAPPED *ov)
{
    EXPECT(error == 0 && bytes == 8);
    ov->hEvent = NULL; /* is the program's own, before and after */
    heard++;
}

static void case_clean(void)
{
    static char data[8], block[512];
    OVERLAPPED ov = {0}, own = {.hEvent = (HANDLE)(uintptr_t)1234};
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    HANDLE file = CreateFileA("/proc/self/exe", GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING,
                              FILE_FLAG_OVERLAPPED, NULL);
    int peer, plain;
    SOCKET s = make_pair(&peer), r = make_pair(&plain);
    DWORD bytes;

    EXPECT(CreateIoCompletionPort((HANDLE)s, port, 7, 0) == port);
    for (int i = 0; i < 500; i++) {
        ULONG_PTR key;
        OVERLAPPED *done;

        ov.hEvent = NULL;
        receive(s, data, &ov);
        if (i % 2) {
            EXPECT(write(peer, "12345678", 8) == 8);
            EXPECT(GetQueuedCompletionStatus(port, &bytes, &key, &done, INFINITE));
            EXPECT(done == &ov && bytes == 8);
        } else {
            EXPECT(CancelIoEx((HANDLE)s, &ov));
            EXPECT(!GetQueuedCompletionStatus(port, &bytes, &key, &done, INFINITE) && done == &ov);
        }
        ov.hEvent = event;
        ov.Offset = (DWORD)i * 16;
        if (!ReadFile(file, block, sizeof block, NULL, &ov))
            EXPECT(GetLastError() == ERROR_IO_PENDING);
        EXPECT(GetOverlappedResult(file, &ov, &bytes, TRUE));
        memset(&ov, 0, sizeof ov);
        EXPECT(ReadFileEx((HANDLE)r, data, 8, &own, routine));
        own.hEvent = (HANDLE)(uintptr_t)i;
        EXPECT(write(plain, "12345678", 8) == 8);
        while (heard <= (DWORD)i)
            SleepEx(INFINITE, TRUE);
    }
    EXPECT(iocp_verify_faults() == 0);
}

static void case_signal(void);

/* Thousands, whose memory lies close together; a free among them hits the right one. */
static void case_many(void)
{
    enum { MANY = 3000 };
    static struct {
        OVERLAPPED ov;
        char data[8];
        char between[8];
    } all[MANY];
    static char large[4 << 20];
    static OVERLAPPED of_large;
    WSABUF buf = {sizeof large, large};
    DWORD flags = 0;
    int peer;
    SOCKET s = make_pair(&peer);

    for (int i = 0; i < MANY; i++)
        receive(s, all[i].data, &all[i].ov);
    WSARecv(s, &buf, 1, NULL, &flags, &of_large, NULL);
    EXPECT(iocp_pending(NULL, 0) == MANY + 1);
    for (int i = 0; i < MANY; i++)
        iocp_verify_freed(all[i].between, sizeof all[i].between);
    EXPECT(iocp_verify_faults() == 0);
    iocp_verify_freed(all[MANY / 2].data, 1);
    EXPECT(iocp_verify_faults() == 1);
    iocp_verify_freed(large + (3 << 20), 1);
    EXPECT(iocp_verify_faults() == 2);
    all[MANY - 1].ov.Internal = 0;
    await_faults(3);
    closesocket(s);
    EXPECT(iocp_verify_faults() == 3 && iocp_pending(NULL, 0) == 0);
    iocp_verify_freed(all, sizeof all);
    iocp_verify_freed(large, sizeof large);
    EXPECT(iocp_verify_faults() == 3);
}

/* What is in flight in the parent is not the child's; what the child starts is looked after, and shown. */
static void case_forked(void)
{
    static OVERLAPPED ov, own;
    static char data[8];
    int peer, status;
    SOCKET s = make_pair(&peer);
    pid_t child;

    receive(s, data, &ov);
    child = fork();
    if (child == 0) {
        ov.Internal = 0;
        iocp_verify_freed(&ov, sizeof ov);
        EXPECT(iocp_pending(NULL, 0) == 0);
        s = make_pair(&peer);
        receive(s, data, &own);
        own.Internal = 0;
        await_faults(1);
        case_signal();
        _exit(0);
    }
    EXPECT(waitpid(child, &status, 0) == child && status == 0);
    EXPECT(iocp_verify_faults() == 0);
}

static RIO_EXTENSION_FUNCTION_TABLE registered_io(void)
{
    GUID id = WSAID_MULTIPLE_RIO;
    RIO_EXTENSION_FUNCTION_TABLE rio;
    SOCKET s = WSASocketA(AF_INET, SOCK_DGRAM, 0, NULL, 0, 0);
    DWORD bytes;

    EXPECT(WSAIoctl(s, SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER, &id, sizeof id, &rio, sizeof rio, &bytes,
                    NULL, NULL) == 0);
    closesocket(s);
    return rio;
}

/* Its data, or an address; begun, or held back; and when all is over. */
static void case_deregistered(void)
{
    static char memory[3][64];
    struct sockaddr_in any = {.sin_family = AF_INET};
    RIO_EXTENSION_FUNCTION_TABLE rio;
    RIO_BUFFERID buffer[3];
    RIO_BUF data, address, held;
    RIO_CQ queue;
    RIO_RQ requests;
    WSADATA version;
    SOCKET s;

    EXPECT(WSAStartup(MAKEWORD(2, 2), &version) == 0);
    rio = registered_io();
    s = WSASocketA(AF_INET, SOCK_DGRAM, 0, NULL, 0, WSA_FLAG_REGISTERED_IO);
    EXPECT(iocp_bind(s, (struct sockaddr *)&any, sizeof any) == 0);
    queue = rio.RIOCreateCompletionQueue(4, NULL);
    requests = rio.RIOCreateRequestQueue(s, 4, 1, 0, 0, queue, queue, NULL);
    for (int i = 0; i < 3; i++)
        buffer[i] = rio.RIORegisterBuffer(memory[i], sizeof memory[i]);
    data = (RIO_BUF){buffer[0], 0, 8};
    address = (RIO_BUF){buffer[1], 0, 28};
    held = (RIO_BUF){buffer[2], 0, 8};
    EXPECT(rio.RIOReceiveEx(requests, &data, 1, NULL, &address, NULL, NULL, 0, NULL));
    EXPECT(rio.RIOReceive(requests, &held, 1, RIO_MSG_DEFER, NULL));
    held.Length = 65;
    EXPECT(!rio.RIOReceiveEx(requests, &data, 1, NULL, &address, &held, NULL, 0, NULL)); /* uses nothing */
    EXPECT(iocp_verify_faults() == 0);
    rio.RIODeregisterBuffer(buffer[1]);
    EXPECT(iocp_verify_faults() == 1);
    rio.RIODeregisterBuffer(buffer[2]);
    EXPECT(iocp_verify_faults() == 2);
    closesocket(s);
    rio.RIODeregisterBuffer(buffer[0]);
    rio.RIOCloseCompletionQueue(queue);
    EXPECT(iocp_verify_faults() == 2);
}

static void case_signal(void)
{
    static OVERLAPPED ov;
    static char data[8];
    char answer;
    int peer;
    SOCKET s = make_pair(&peer);

    receive(s, data, &ov);
    raise(SIGUSR2);
    EXPECT(read(0, &answer, 1) == 1); /* the parent has seen the text */
}

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
    {"reused", case_reused},     {"unseen", case_unseen},     {"cleared", case_cleared},
    {"returned", case_returned}, {"unmapped", case_unmapped}, {"freed", case_freed},
    {"clean", case_clean},       {"signal", case_signal},     {"many", case_many},
    {"forked", case_forked},     {"deregistered", case_deregistered},
};

TEST(as_child)
{
    if (!is_child())
        return;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (strcmp(getenv("VERIFY_CASE"), cases[i].name) != 0)
            continue;
        cases[i].run();
        _exit(0);
    }
    _exit(4);
}

/* ---- outside ---- */

struct child {
    pid_t pid;
    int in, err; /* our ends of its stdin and stderr */
    char text[TEXT];
    size_t size;
};

static void start(struct child *c, const char *name, const char *verify)
{
    char which[64], how[64];
    char *env[256] = {which, how, (char *)(uintptr_t)"IOCP_DUMP_SIGNAL=USR2"};
    char *argv[] = {(char *)(uintptr_t)"verify", NULL};
    int in[2], err[2];
    int n = 3;
    posix_spawn_file_actions_t actions;

    snprintf(which, sizeof which, "VERIFY_CASE=%s", name);
    snprintf(how, sizeof how, "IOCP_VERIFY=%s", verify);
    for (char **e = environ; *e && n < 255; e++)
        if (strncmp(*e, "IOCP_VERIFY=", 12) != 0)
            env[n++] = *e;
    env[n] = NULL;
    *c = (struct child){0};
    CHECK(pipe2(in, O_CLOEXEC) == 0 && pipe2(err, O_CLOEXEC) == 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, err[1], 2);
    fflush(stdout);
    CHECK_EQ(posix_spawn(&c->pid, "/proc/self/exe", &actions, NULL, argv, env), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(err[1]);
    c->in = in[1];
    c->err = err[0];
}

/* Reads what it says until it has said `wanted` (NULL: to the end). */
static bool hear(struct child *c, const char *wanted)
{
    struct pollfd pfd = {.fd = c->err, .events = POLLIN};

    for (;;) {
        ssize_t n;

        if (wanted && strstr(c->text, wanted))
            return true;
        if (poll(&pfd, 1, PATIENCE_MS) <= 0)
            return false;
        n = read(c->err, c->text + c->size, TEXT - 1 - c->size);
        if (n <= 0)
            return n == 0 && !wanted;
        c->size += (size_t)n;
    }
}

static int end(struct child *c)
{
    int status = -1;

    close(c->in);
    CHECK(hear(c, NULL));
    close(c->err);
    CHECK_EQ(waitpid(c->pid, &status, 0), c->pid);
    return status;
}

static bool says(const struct child *c, const char *what)
{
    if (strstr(c->text, what))
        return true;
    printf("  \"%s\" is not in:\n%s\n", what, c->text);
    return false;
}

static void run_case(struct child *c, const char *name, const char *verify)
{
    start(c, name, verify);
    CHECK_EQ(end(c), 0);
}

TEST(reused_is_told_with_both_stacks)
{
    struct child c;

    if (RACES_TOLD)
        return;
    run_case(&c, "reused", "report");
    CHECK(says(&c, "iocp verifier: an OVERLAPPED in flight is used again\n"));
    CHECK(says(&c, "  in flight: receive on handle "));
    CHECK(says(&c, "  for another operation, begun by thread "));
    CHECK(says(&c, "verify(")); /* a frame of this program */
}

TEST(cleared_is_told_while_it_is_in_flight)
{
    struct child c;

    run_case(&c, "cleared", "report");
    CHECK(says(&c, "Internal is 0x0, was 0x103;"));
}

TEST(function_that_has_returned)
{
    struct child c;

    if (SANITIZED)
        return; /* the sanitizer lays out the stack, and tells itself */
    run_case(&c, "returned", "report");
    CHECK(says(&c, "an OVERLAPPED in flight was written to"));
}

TEST(memory_that_is_gone)
{
    struct child c;

    run_case(&c, "unmapped", "report");
    CHECK(says(&c, "the memory of an OVERLAPPED in flight is gone"));
}

TEST(freed_memory)
{
    struct child c;

    run_case(&c, "freed", "report");
    CHECK(says(&c, "a buffer in flight is freed"));
    CHECK(says(&c, "an OVERLAPPED in flight is freed"));
}

TEST(deregistered_buffer)
{
    struct child c;

    run_case(&c, "deregistered", "report");
    CHECK(says(&c, "is deregistered; operations that still use it: 1\n"));
    CHECK(says(&c, "  deregistered by thread "));
}

TEST(nothing_to_complain_of)
{
    struct child c;

    run_case(&c, "clean", "1");
    CHECK_STR(c.text, "");
}

TEST(thousands_in_flight)
{
    struct child c;

    run_case(&c, "many", "report");
    CHECK(says(&c, "a buffer in flight is freed"));
}

TEST(forked_child)
{
    struct child c;

    if (SANITIZED)
        return; /* a forked child's signals are kept back, or its malloc is locked for ever */
    start(&c, "forked", "report");
    CHECK(hear(&c, "receive, OVERLAPPED 0x"));
    CHECK(says(&c, "Internal is 0x0, was 0x103;"));
    CHECK_EQ(write(c.in, "x", 1), 1);
    CHECK_EQ(end(&c), 0);
}

TEST(off_by_default)
{
    struct child c;

    if (RACES_TOLD)
        return;
    run_case(&c, "unseen", "0");
    CHECK_STR(c.text, "");
}

TEST(aborts_at_the_first)
{
    struct child c;
    int status;

    start(&c, "reused", "1");
    status = end(&c);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    CHECK(says(&c, "an OVERLAPPED in flight is used again"));
}

TEST(signal_prints_what_is_pending)
{
    struct child c;

    start(&c, "signal", "report");
    CHECK(hear(&c, "receive, OVERLAPPED 0x"));
    CHECK(says(&c, "iocp: process "));
    CHECK(says(&c, " by thread "));
    CHECK_EQ(write(c.in, "x", 1), 1);
    CHECK_EQ(end(&c), 0);
}

static char *dumped(void)
{
    static char text[TEXT];
    FILE *f = tmpfile();
    size_t n;

    iocp_dump(fileno(f));
    rewind(f);
    n = fread(text, 1, TEXT - 1, f);
    text[n] = 0;
    fclose(f);
    return text;
}

/* Of all kinds of places: a lane, another file's lane (AcceptEx), a port's file. */
TEST(pending_lists_what_is_in_flight)
{
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 3);
    struct iocp_pending list[8];
    OVERLAPPED ov[3] = {0};
    char data[3][8], line[64];
    char *text;
    WSABUF buf[2] = {{8, data[0]}, {4, data[1]}};
    DWORD flags = 0, bytes;
    ULONG_PTR key;
    OVERLAPPED *done;
    int peer;
    SOCKET s = make_pair(&peer);

    CHECK(CreateIoCompletionPort((HANDLE)s, port, 77, 0) == port);
    CHECK_EQ(iocp_pending(NULL, 0), 0);
    WSARecv(s, buf, 1, NULL, &flags, &ov[0], NULL);
    WSARecv(s, buf, 2, NULL, &flags, &ov[1], NULL);
    CHECK_EQ(iocp_pending(NULL, 0), 2);
    memset(list, 0x55, sizeof list);
    CHECK_EQ(iocp_pending(list, 1), 2);
    CHECK(list[1].operation == (void *)(uintptr_t)0x5555555555555555);
    CHECK_EQ(iocp_pending(list, 8), 2);
    CHECK(list[0].handle == (HANDLE)s && list[0].overlapped == &ov[0] && list[0].size == 8);
    CHECK(list[1].handle == (HANDLE)s && list[1].overlapped == &ov[1] && list[1].size == 12);
    CHECK(list[1].port == port && list[1].key == 77);
    CHECK_STR(list[0].operation, "receive");
    text = dumped();
    snprintf(line, sizeof line, "  port 0x%zx: concurrency 3, 0 running, ", (size_t)port);
    CHECK(strstr(text, line));
    snprintf(line, sizeof line, "  socket %d: 2 in flight\n", (int)s);
    CHECK(strstr(text, line));
    snprintf(line, sizeof line, "OVERLAPPED %p, 12 bytes, to port 0x%zx with key 0x4d", (void *)&ov[1],
             (size_t)port);
    CHECK(strstr(text, line));
    PostQueuedCompletionStatus(port, 1, 2, NULL);
    CHECK(strstr(dumped(), "1 packets queued"));
    CHECK(GetQueuedCompletionStatus(port, &bytes, &key, &done, 0) && key == 2);
    CHECK_EQ(write(peer, "12345678", 8), 8);
    CHECK(GetQueuedCompletionStatus(port, &bytes, &key, &done, INFINITE) && done == &ov[0]);
    CHECK_EQ(iocp_pending(list, 8), 1);
    closesocket(s);
    CHECK(!GetQueuedCompletionStatus(port, &bytes, &key, &done, INFINITE) && done == &ov[1]);
    CHECK_EQ(iocp_pending(NULL, 0), 0);
    CloseHandle(port);
    close(peer);
}

/* What has moved on to the other lane of its file is in flight once. */
TEST(pending_lists_a_transaction_once)
{
    DWORD mode = PIPE_READMODE_MESSAGE, kind = PIPE_TYPE_MESSAGE | mode, bytes;
    OVERLAPPED ov = {.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL)};
    struct iocp_pending list[2];
    char name[64], reply[8];
    HANDLE server, client;

    snprintf(name, sizeof name, "\\\\.\\pipe\\iocp-verify-%d", (int)getpid());
    server = CreateNamedPipeA(name, PIPE_ACCESS_DUPLEX, kind, 1, 512, 512, 0, NULL);
    client = CreateFileA(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, FILE_FLAG_OVERLAPPED,
                         NULL);
    CHECK(server != INVALID_HANDLE_VALUE && client != INVALID_HANDLE_VALUE);
    CHECK(SetNamedPipeHandleState(client, &mode, NULL, NULL));
    CHECK(!TransactNamedPipe(client, "ask", 3, reply, sizeof reply, &bytes, &ov));
    CHECK_EQ(GetLastError(), ERROR_IO_PENDING);
    CHECK_EQ(iocp_pending(list, 2), 1);
    CHECK_STR(list[0].operation, "pipe transact");
    CHECK(WriteFile(server, "answer", 6, &bytes, NULL));
    CHECK(GetOverlappedResult(client, &ov, &bytes, TRUE) && bytes == 6);
    CHECK_EQ(iocp_pending(list, 2), 0);
    CloseHandle(client);
    CloseHandle(server);
    CloseHandle(ov.hEvent);
}
