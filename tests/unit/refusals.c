/* SPDX-License-Identifier: MIT */
/*
 * What the kernel may refuse the engines: system calls, by seccomp filters; single opcodes; descriptors and
 * memory, by limits. What is chosen then, what is said about it, and that everything is done all the same.
 * Each case is a process of its own, because the choice is made once.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "base/os.h"
#include "engine/engine.h"
#include "unit.h"
#include "forked.h"
#include "work.h"

#include <iocp.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 20000, BLOCK = 4096, BLOCKS = 48, RING_SETUP = 425, RING_ENTER, RING_REGISTER };

static int with_ring; /* this kernel gives one */

/* ---- a round of everything that asks an engine ---- */

static HANDLE open_new(DWORD more)
{
    char path[] = "/tmp/iocp-refusals-XXXXXX";
    int fd = mkstemp(path);
    HANDLE file;

    close(fd);
    file = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, 7, NULL, OPEN_EXISTING,
                       FILE_FLAG_OVERLAPPED | more, NULL);
    unlink(path);
    return file;
}

/* Out of the page cache, as far as the file system lets it. */
static void make_cold(HANDLE file)
{
    int fd = (int)(intptr_t)file;

    CHECK(FlushFileBuffers(file));
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}

static void transfer_all(HANDLE file, HANDLE port, unsigned char *blocks, int write)
{
    static OVERLAPPED ov[BLOCKS];
    int answered[BLOCKS] = {0};

    memset(ov, 0, sizeof ov);
    for (int i = 0; i < BLOCKS; i++) {
        unsigned char *block = blocks + (size_t)i * BLOCK;

        ov[i].Offset = (DWORD)i * BLOCK;
        memset(block, write ? i + 1 : 0, BLOCK);
        if (!(write ? WriteFile(file, block, BLOCK, NULL, &ov[i])
                    : ReadFile(file, block, BLOCK, NULL, &ov[i])))
            CHECK_EQ(GetLastError(), ERROR_IO_PENDING);
    }
    for (int i = 0; i < BLOCKS; i++) {
        OVERLAPPED *got = NULL;
        ULONG_PTR key;
        DWORD bytes;

        if (!CHECK(GetQueuedCompletionStatus(port, &bytes, &key, &got, PATIENCE_MS)) || !got)
            return;
        CHECK_EQ(bytes, BLOCK);
        answered[got - ov]++;
    }
    for (int i = 0; i < BLOCKS; i++) {
        CHECK_EQ(answered[i], 1);
        CHECK_EQ(blocks[(size_t)i * BLOCK + BLOCK - 1], i + 1);
    }
}

static void round_of_files(void)
{
    unsigned char *blocks = aligned_alloc(BLOCK, (size_t)BLOCKS * BLOCK);

    for (int direct = 0; direct < 2; direct++) {
        HANDLE file = open_new(direct ? FILE_FLAG_NO_BUFFERING : 0);
        HANDLE port = CreateIoCompletionPort(file, NULL, 1, 0);

        CHECK(file != INVALID_HANDLE_VALUE && port != NULL);
        transfer_all(file, port, blocks, 1);
        make_cold(file);
        transfer_all(file, port, blocks, 0);
        CloseHandle(file);
        CloseHandle(port);
    }
    free(blocks);
}

/* ---- system calls ---- */

static void refuse_call(int number, int err)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)err),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};

    CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    CHECK_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

struct refusal {
    int number, err;
    const char *said;
};

static void chooses_threads(const struct refusal *r)
{
    const char *info;

    refuse_call(r->number, r->err);
    setenv("IOCP_ENGINE", "auto", 1);
    info = iocp_engine_info();
    CHECK(strncmp(info, "epoll: ", 7) == 0);
    if (!CHECK(!with_ring || (strstr(info, r->said) && strstr(info, strerror(r->err)))))
        printf("  said: %s\n", info);
    round_of_files();
}

static void fails_by_name(const struct refusal *r)
{
    char data[16];
    HANDLE file;

    CHECK(freopen("/dev/null", "w", stderr) != NULL); /* where it is said too */
    refuse_call(r->number, r->err);
    setenv("IOCP_ENGINE", "uring", 1);
    file = CreateFileA("/proc/self/exe", GENERIC_READ, 7, NULL, OPEN_EXISTING, 0, NULL);
    CHECK(file == INVALID_HANDLE_VALUE);
    CHECK(GetLastError() != 0);
    CHECK(strncmp(iocp_engine_info(), "none: ", 6) == 0);
    CHECK(!with_ring || strstr(iocp_engine_info(), r->said));
    CHECK(GetCurrentDirectoryA(sizeof data, data) != 0); /* what needs no engine works */
}

TEST(ring_calls_one_by_one)
{
    static const struct refusal all[] = {
        {RING_SETUP, EPERM, "io_uring_setup is refused"},
        {RING_SETUP, ENOSYS, "io_uring_setup is refused"},
        {RING_SETUP, ENOMEM, "io_uring_setup is short of resources"},
        {RING_SETUP, EMFILE, "io_uring_setup is short of resources"},
        {RING_REGISTER, EPERM, "io_uring_register is refused"},
        {RING_REGISTER, ENOSYS, "io_uring_register is refused"},
        {RING_ENTER, EPERM, "io_uring_enter is refused"},
        {RING_ENTER, ENOSYS, "io_uring_enter is refused"},
    };

    with_ring = syscall(RING_SETUP, 0, NULL) < 0 && errno != ENOSYS && errno != EPERM;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (!IN_CHILD(chooses_threads(&all[i])) || !IN_CHILD(fails_by_name(&all[i])))
            printf("  %s\n", all[i].said);
    }
}

static void goes_another_way(const struct refusal *r)
{
    refuse_call(r->number, r->err);
    CHECK(strstr(iocp_engine_info(), r->said) != NULL);
    round_of_files();
}

TEST(device_queue)
{
    static const struct refusal all[] = {
        {SYS_io_setup, EPERM, "O_DIRECT by io_submit"},
        {SYS_io_setup, EAGAIN, "O_DIRECT by io_submit"},
        {SYS_io_submit, ENOSYS, "O_DIRECT by io_submit"},
        {SYS_io_destroy, ENOSYS, "O_DIRECT like the rest"},
    };

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        IN_CHILD(goes_another_way(&all[i]));
}

/* ---- opcodes ---- */

static const char *lacking;

static int lacks_one(const char *what)
{
    return strcmp(what, lacking) == 0 ? -EOPNOTSUPP : 0;
}

static int lacks_all(const char *what)
{
    return strncmp(what, "IORING_OP_", 10) == 0 ? -EOPNOTSUPP : 0;
}

static void done(struct op *op, int64_t result)
{
    struct work *w = container_of(op, struct work, op);

    op->result = result;
    w->by_home = home_is_current();
    atomic_fetch_add(&w->answers, 1);
}

static void perform(struct work *w, enum op_code code, int fd, uint64_t offset)
{
    prepare(w, code, fd, offset);
    CHECK_EQ(engine_start(&w->op), 0);
}

static int64_t answer_of(struct work *w)
{
    CHECK(WITHIN(PATIENCE_MS, atomic_load(&w->answers) != 0));
    return w->op.result;
}

static const struct missing {
    const char *name, *said;
    enum op_code code;
} opcodes[] = {
    {"IORING_OP_READV", "threads read", OP_READ},
    {"IORING_OP_WRITEV", "threads write", OP_WRITE},
    {"IORING_OP_FSYNC", "threads flush", OP_FSYNC},
    {"IORING_OP_ASYNC_CANCEL", "nothing is called back", OP_CALL},
};

/* A read that does not come to an end by itself: called back, or given its bytes. */
static void read_without_end(const struct missing *m)
{
    struct work w;
    int ends[2];

    CHECK_EQ(pipe(ends), 0);
    perform(&w, OP_READ, ends[0], UINT64_MAX);
    engine_cancel(&w.op, w.op.generation);
    if (m->code == OP_READ || m->code == OP_CALL)
        CHECK_EQ(write(ends[1], w.data, sizeof w.data), (int)sizeof w.data);
    answer_of(&w);
    CHECK(w.op.result == -ECANCELED || w.op.result == (int64_t)sizeof w.data);
    CHECK_EQ(w.answers, 1);
}

/* What is missing is done by a thread of the pool, the rest by the ring. */
static void one_is_missing(const struct missing *m)
{
    HANDLE file = open_new(0);
    struct work w;

    CHECK_EQ(engine_kind(), ENGINE_URING);
    if (!CHECK(strstr(iocp_engine_info(), m->said) != NULL))
        printf("  said: %s\n", iocp_engine_info());
    for (int i = 0; i < 3; i++) {
        perform(&w, opcodes[i].code, (int)(intptr_t)file, 0);
        CHECK(answer_of(&w) >= 0);
        CHECK_EQ(w.by_home, &opcodes[i] != m);
    }
    read_without_end(m);
    round_of_files();
}

static void all_are_missing(void)
{
    os_fault = lacks_all;
    setenv("IOCP_ENGINE", "auto", 1);
    CHECK_EQ(engine_kind(), ENGINE_EPOLL);
    CHECK(strstr(iocp_engine_info(), "lacks every opcode") != NULL);
    round_of_files();
}

TEST(opcodes_one_by_one)
{
    for (int i = 0; with_ring && i < 8; i++) {
        setenv("IOCP_ENGINE", i < 4 ? "uring" : "auto", 1);
        lacking = opcodes[i % 4].name;
        os_fault = lacks_one;
        if (!IN_CHILD(one_is_missing(&opcodes[i % 4])))
            printf("  without %s\n", lacking);
        os_fault = NULL;
    }
    if (with_ring)
        IN_CHILD(all_are_missing());
}

/* ---- what our ring will do for nobody ---- */

static int ring_fd(void)
{
    char link[64], target[64];

    for (int fd = 3; fd < 256; fd++) {
        ssize_t n;

        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        n = readlink(link, target, sizeof target - 1);
        target[n > 0 ? n : 0] = 0;
        if (strstr(target, "io_uring"))
            return fd;
    }
    return -1;
}

static void restricted(void)
{
    char probe[4096] = {0};

    setenv("IOCP_ENGINE", "uring", 1);
    CHECK_EQ(ring_fd(), -1);
    CHECK_EQ(engine_init(), 0);
    if (!CHECK(ring_fd() >= 0))
        return;
    errno = 0;
    CHECK_EQ(syscall(RING_REGISTER, ring_fd(), 8 /* IORING_REGISTER_PROBE */, probe, 1), -1);
    CHECK_EQ(errno, EACCES);
}

static void no_ring(void)
{
    setenv("IOCP_ENGINE", "epoll", 1);
    round_of_files();
    CHECK_EQ(ring_fd(), -1);
    CHECK(strncmp(iocp_engine_info(), "epoll: asked for by IOCP_ENGINE", 31) == 0);
}

static void no_such_engine(void)
{
    CHECK(freopen("/dev/null", "w", stderr) != NULL);
    setenv("IOCP_ENGINE", "best", 1);
    CHECK_EQ((intptr_t)CreateFileA("/proc/self/exe", GENERIC_READ, 7, NULL, OPEN_EXISTING, 0, NULL), -1);
    CHECK(strstr(iocp_engine_info(), "neither auto, uring nor epoll") != NULL);
}

TEST(what_is_chosen)
{
    if (with_ring)
        IN_CHILD(restricted());
    IN_CHILD(no_ring());
    IN_CHILD(no_such_engine());
}

/* ---- limits ---- */

enum { LIMIT = 128 };
static int taken[LIMIT], taken_count;

static void take_descriptors(void)
{
    struct rlimit limit = {LIMIT, LIMIT};
    int fd;

    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    while (taken_count < LIMIT && (fd = fcntl(1, F_DUPFD_CLOEXEC, 3)) >= 0)
        taken[taken_count++] = fd;
}

static void give_descriptors(void)
{
    while (taken_count > 0)
        close(taken[--taken_count]);
}

/* Reads that ask an engine, answered by events. */
static void cold_reads(HANDLE file, HANDLE *events)
{
    static unsigned char blocks[8][BLOCK];
    static OVERLAPPED ov[8];
    DWORD bytes;

    posix_fadvise((int)(intptr_t)file, 0, 0, POSIX_FADV_DONTNEED);
    memset(ov, 0, sizeof ov);
    for (int i = 0; i < 8; i++) {
        ov[i].Offset = (DWORD)i * BLOCK;
        ov[i].hEvent = events[i];
        CHECK(ReadFile(file, blocks[i], BLOCK, NULL, &ov[i]) || GetLastError() == ERROR_IO_PENDING);
    }
    for (int i = 0; i < 8; i++) {
        CHECK_EQ(WaitForSingleObject(events[i], PATIENCE_MS), WAIT_OBJECT_0);
        CHECK(GetOverlappedResult(file, &ov[i], &bytes, FALSE) && bytes == BLOCK);
        CHECK_EQ(blocks[i][BLOCK - 1], i + 1);
    }
}

static HANDLE cold_file(HANDLE *events)
{
    static unsigned char blocks[8][BLOCK];
    HANDLE file;
    int fd;

    for (int i = 0; i < 8; i++) {
        memset(blocks[i], i + 1, BLOCK);
        events[i] = CreateEventA(NULL, TRUE, FALSE, NULL);
    }
    file = open_new(0);
    fd = (int)(intptr_t)file;
    CHECK_EQ(pwrite(fd, blocks, sizeof blocks, 0), (int)sizeof blocks);
    CHECK_EQ(fsync(fd), 0);
    return file;
}

static void check_sockets(int error)
{
    WSADATA started;
    SOCKET s;

    CHECK_EQ(WSAStartup(MAKEWORD(2, 2), &started), 0);
    s = WSASocketA(AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED);
    if (error) {
        CHECK_EQ(s, INVALID_SOCKET);
        CHECK_EQ(WSAGetLastError(), error);
    } else {
        CHECK(s != INVALID_SOCKET && closesocket(s) == 0);
    }
    WSACleanup();
}

/* The ring, or what it needs beside it, cannot be had for want of descriptors: then threads work. */
static void few_descriptors(bool later)
{
    HANDLE events[8], file;

    setenv("IOCP_ENGINE", "auto", 1);
    if (later) /* the ring is there before, and only then nothing more */
        CHECK_EQ(engine_init(), 0);
    take_descriptors();
    CHECK_EQ(engine_init(), 0);
    close(taken[--taken_count]);
    file = cold_file(events);
    if (!CHECK(file != INVALID_HANDLE_VALUE))
        return;
    if (!later && with_ring)
        CHECK(strstr(iocp_engine_info(), "short of resources: Too many open files") != NULL);
    cold_reads(file, events);
    check_sockets(WSAEMFILE);
    give_descriptors();
    check_sockets(0);
    cold_reads(file, events);
    cold_reads(file, events);
    CHECK(CloseHandle(file));
    round_of_files();
}

static void little_locked_memory(void)
{
    struct rlimit limit = {0, 0};

    setenv("IOCP_ENGINE", "auto", 1);
    CHECK_EQ(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
    if (geteuid() == 0)
        CHECK_EQ(setresuid(65534, 65534, 65534), 0); /* for root there is no such limit */
    CHECK_EQ(engine_init(), 0); /* rings were charged for it before Linux 5.12 */
    CHECK(engine_kind() == ENGINE_URING || !with_ring || strstr(iocp_engine_info(), "short of resources"));
    round_of_files();
}

TEST(limits)
{
    IN_CHILD(few_descriptors(false));
    IN_CHILD(few_descriptors(true));
    IN_CHILD(little_locked_memory());
}

/* ---- accepting ---- */

/* Whom a filter forbids accept4 hears so, at once: what waits in the queue is still there, and no try of ours
 * takes it out. */
static void may_not_accept(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), len = sizeof a;
    char area[2 * (sizeof a + 16)];
    OVERLAPPED ov = {0};
    SOCKET listener, target;
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    OVERLAPPED *got = NULL;
    ULONG_PTR key;
    WSADATA started;
    DWORD bytes;

    CHECK_EQ(WSAStartup(MAKEWORD(2, 2), &started), 0);
    listener = WSASocketA(AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED);
    target = WSASocketA(AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED);
    CHECK_EQ(iocp_bind(listener, (struct sockaddr *)&a, sizeof a), 0);
    CHECK_EQ(iocp_listen(listener, 8), 0);
    CHECK_EQ(iocp_getsockname(listener, (struct sockaddr *)&a, &len), 0);
    CHECK(CreateIoCompletionPort((HANDLE)listener, port, 1, 0) == port);
    CHECK(!AcceptEx(listener, target, area, 0, sizeof a + 16, sizeof a + 16, &bytes, &ov));
    CHECK_EQ(WSAGetLastError(), ERROR_IO_PENDING);
    refuse_call(SYS_accept4, EPERM);
    CHECK_EQ(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    CHECK(!GetQueuedCompletionStatus(port, &bytes, &key, &got, PATIENCE_MS) && got == &ov);
    CHECK_EQ(GetLastError(), ERROR_ACCESS_DENIED);
    CHECK(iocp_accept(listener, NULL, NULL) == INVALID_SOCKET);
    CHECK_EQ(WSAGetLastError(), WSAEACCES);
}

TEST(accepting_is_forbidden)
{
    IN_CHILD(may_not_accept());
}
