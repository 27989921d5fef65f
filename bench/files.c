/* SPDX-License-Identifier: MIT */
/*
 * Random reads of 4 KiB from one file, through this library and beside it: from the page cache ("hot")
 * one at a time (pread(2), ReadFile without and with a port) and 32 at a time (a port, a raw ring), or
 * past it ("direct", O_DIRECT) 32 at a time. The ways take turns, round after round. Each block of the
 * file says throughout which block it is: its ends are checked at every read, all of it in a first pass
 * of each way that is not timed. One line of "name=value" pairs per way and round: reads per second and
 * CPU microseconds per read, of all threads of the process. Without liburing there is no raw ring.
 *
 *   files make PATH MIB | files hot PATH [MS [ROUNDS]] | files direct PATH [MS [ROUNDS]]
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#ifdef BENCH_URING
#include <liburing.h>
#endif
#include <iocp.h>

#define BLOCK       4096
#define WORDS       (BLOCK / sizeof(uint64_t))
#define DEPTH       32
#define PROOF_READS 2000
#define UNSUPPORTED 3 /* exit code: the file system has no O_DIRECT */

/* One read, there and back. */
struct slot {
    OVERLAPPED overlapped; /* must be first */
    uint64_t number;       /* of the block */
    uint64_t *block;
};

/* One timed or untimed pass of one way. */
struct pass {
    uint64_t reads;
    uint64_t reads_max; /* ends after so many, */
    long long end_ns;   /* or then */
    bool whole;         /* every word is checked */
};

static struct slot slots[DEPTH];
static uint64_t blocks, seed = 88172645463325252u;
static int plain_fd;
static bool direct;

static void die(const char *what, int error) {
    fprintf(stderr, "files: %s: %s\n", what, strerror(error));
    exit(1);
}

static void check(BOOL ok, const char *what) {
    if (!ok) {
        fprintf(stderr, "files: %s failed: error %lu\n", what, (unsigned long)GetLastError());
        exit(1);
    }
}

static long long clock_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * 1000000000ll + now.tv_nsec;
}

/* -- what is in the file -- */

static uint64_t word_of(uint64_t number, size_t index) {
    return (number + 1) * 0x9E3779B97F4A7C15u ^ index * 0xC2B2AE3D27D4EB4Fu;
}

static void verify(const struct slot *s, bool whole) {
    for (size_t i = 0; i < WORDS; i += whole ? 1 : WORDS - 1)
        if (s->block[i] != word_of(s->number, i)) {
            fprintf(stderr, "files: block %llu, word %zu is wrong\n", (unsigned long long)s->number, i);
            exit(1);
        }
}

static void make(const char *path, uint64_t count) {
    uint64_t block[WORDS];
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        die(path, errno);
    for (uint64_t number = 0; number < count; number++) {
        for (size_t i = 0; i < WORDS; i++)
            block[i] = word_of(number, i);
        if (write(fd, block, BLOCK) != BLOCK)
            die(path, errno);
    }
    if (fsync(fd))
        die(path, errno);
    close(fd);
}

/* -- one pass -- */

/* Chooses the next block for a slot. */
static void aim(struct slot *s) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    s->number = seed % blocks;
}

/* A read has brought so many bytes. False: the pass is over, start no more. */
static bool landed(struct pass *p, const struct slot *s, long long bytes) {
    if (bytes != BLOCK)
        die("a short read", EIO);
    verify(s, p->whole);
    p->reads++;
    if (p->reads_max)
        return p->reads < p->reads_max;
    return p->reads % DEPTH || clock_ns(CLOCK_MONOTONIC) < p->end_ns;
}

static void by_pread(struct pass *p) {
    struct slot *s = &slots[0];
    ssize_t n;
    do {
        aim(s);
        n = pread(plain_fd, s->block, BLOCK, (off_t)(s->number * BLOCK));
        if (n < 0)
            die("pread", errno);
    } while (landed(p, s, n));
}

#ifdef BENCH_URING
static struct io_uring ring;

static void make_ring(void) {
    int error = -EINVAL;
#if defined(IORING_SETUP_SINGLE_ISSUER) && defined(IORING_SETUP_DEFER_TASKRUN)
    struct io_uring_params params = {.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN};
    error = io_uring_queue_init_params(2 * DEPTH, &ring, &params);
#endif
    if (error)
        error = io_uring_queue_init(2 * DEPTH, &ring, 0);
    if (error)
        die("io_uring_queue_init", -error);
}

static void ring_read(struct slot *s) {
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
    if (!sqe)
        die("io_uring_get_sqe", EBUSY);
    aim(s);
    io_uring_prep_read(sqe, plain_fd, s->block, BLOCK, s->number * BLOCK);
    io_uring_sqe_set_data(sqe, s);
}

static void by_ring(struct pass *p) {
    int running = DEPTH;
    bool more = true;
    make_ring();
    for (int i = 0; i < DEPTH; i++)
        ring_read(&slots[i]);
    while (running > 0) {
        struct io_uring_cqe *cqe;
        unsigned head, count = 0;
        io_uring_submit_and_wait(&ring, 1);
        io_uring_for_each_cqe(&ring, head, cqe) {
            struct slot *s = io_uring_cqe_get_data(cqe);
            if (cqe->res < 0)
                die("a read of the ring", -cqe->res);
            more = landed(p, s, cqe->res) && more;
            running--;
            if (more) {
                ring_read(s);
                running++;
            }
            count++;
        }
        io_uring_cq_advance(&ring, count);
    }
    io_uring_queue_exit(&ring);
}
#endif

/* -- through the library -- */

static HANDLE file, port;
static const char *path;

static void open_file(DWORD flags, bool with_port) {
    if (direct)
        flags |= FILE_FLAG_NO_BUFFERING;
    file = CreateFileA(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                       OPEN_EXISTING, flags, NULL);
    check(file != INVALID_HANDLE_VALUE, "CreateFile");
    port = NULL;
    if (with_port)
        check((port = CreateIoCompletionPort(file, NULL, 0, 0)) != NULL, "CreateIoCompletionPort");
}

static void close_file(void) {
    CloseHandle(file);
    if (port)
        CloseHandle(port);
}

static void aim_overlapped(struct slot *s) {
    aim(s);
    memset(&s->overlapped, 0, sizeof s->overlapped);
    s->overlapped.Offset = (DWORD)(s->number * BLOCK);
    s->overlapped.OffsetHigh = (DWORD)(s->number * BLOCK >> 32);
}

/* True: it was done inside the call. */
static BOOL start_read(struct slot *s) {
    BOOL done;
    aim_overlapped(s);
    done = ReadFile(file, s->block, BLOCK, NULL, &s->overlapped);
    check(done || GetLastError() == ERROR_IO_PENDING, "ReadFile");
    return done;
}

static void by_readfile(struct pass *p) {
    struct slot *s = &slots[0];
    DWORD bytes;
    open_file(0, false);
    do {
        aim_overlapped(s);
        check(ReadFile(file, s->block, BLOCK, &bytes, &s->overlapped), "ReadFile");
    } while (landed(p, s, bytes));
    close_file();
}

static DWORD dequeue(const struct slot *expected) {
    DWORD bytes;
    ULONG_PTR key;
    OVERLAPPED *done;
    check(GetQueuedCompletionStatus(port, &bytes, &key, &done, INFINITE) && done == &expected->overlapped,
          "GetQueuedCompletionStatus");
    return bytes;
}

static void by_port_one(struct pass *p) {
    struct slot *s = &slots[0];
    open_file(FILE_FLAG_OVERLAPPED, true);
    do
        start_read(s);
    while (landed(p, s, dequeue(s)));
    close_file();
}

/* With FILE_SKIP_COMPLETION_PORT_ON_SUCCESS what is done at once sends no packet. */
static void by_skip_one(struct pass *p) {
    struct slot *s = &slots[0];
    DWORD bytes;
    open_file(FILE_FLAG_OVERLAPPED, true);
    check(SetFileCompletionNotificationModes(file, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS |
                                                       FILE_SKIP_SET_EVENT_ON_HANDLE),
          "SetFileCompletionNotificationModes");
    do
        bytes = start_read(s) ? (DWORD)s->overlapped.InternalHigh : dequeue(s);
    while (landed(p, s, bytes));
    close_file();
}

static void by_port(struct pass *p) {
    OVERLAPPED_ENTRY entries[DEPTH];
    int running = DEPTH;
    bool more = true;
    open_file(FILE_FLAG_OVERLAPPED, true);
    for (int i = 0; i < DEPTH; i++)
        start_read(&slots[i]);
    while (running > 0) {
        ULONG count;
        check(GetQueuedCompletionStatusEx(port, entries, DEPTH, &count, INFINITE, FALSE),
              "GetQueuedCompletionStatusEx");
        for (ULONG i = 0; i < count; i++) {
            struct slot *s = (struct slot *)entries[i].lpOverlapped;
            check(entries[i].Internal == 0, "a read of the port");
            more = landed(p, s, entries[i].dwNumberOfBytesTransferred) && more;
            running--;
            if (more) {
                start_read(s);
                running++;
            }
        }
    }
    close_file();
}

/* -- the rounds -- */

static const struct way {
    const char *name;
    int depth;
    bool hot, direct;
    void (*run)(struct pass *p);
} ways[] = {
    {"pread", 1, true, false, by_pread},
    {"readfile", 1, true, false, by_readfile},
    {"port", 1, true, false, by_port_one},
    {"skip", 1, true, false, by_skip_one},
    {"port", DEPTH, true, true, by_port},
#ifdef BENCH_URING
    {"ring", DEPTH, true, true, by_ring},
#endif
};
enum { WAYS = sizeof ways / sizeof *ways };

static void prove(const struct way *w) {
    struct pass p = {.reads_max = PROOF_READS, .whole = true};
    w->run(&p);
}

static void measure(const struct way *w, int ms) {
    long long start = clock_ns(CLOCK_MONOTONIC), cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID), took;
    struct pass p = {.end_ns = start + ms * 1000000ll};
    w->run(&p);
    took = clock_ns(CLOCK_MONOTONIC) - start;
    cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    printf("mode=%s way=%s qd=%d rate=%.0f cpu=%.3f\n", direct ? "direct" : "hot", w->name, w->depth,
           (double)p.reads * 1e9 / (double)took, (double)cpu / 1e3 / (double)p.reads);
    fflush(stdout);
}

static void open_plain(void) {
    struct stat st;
    plain_fd = open(path, O_RDONLY | O_CLOEXEC | (direct ? O_DIRECT : 0));
    if (plain_fd < 0 && direct && errno == EINVAL)
        exit(UNSUPPORTED);
    if (plain_fd < 0 || fstat(plain_fd, &st))
        die(path, errno);
    blocks = (uint64_t)st.st_size / BLOCK;
    if (blocks == 0)
        die(path, EINVAL);
    if (direct)
        posix_fadvise(plain_fd, 0, 0, POSIX_FADV_DONTNEED);
    for (int i = 0; i < DEPTH; i++)
        if (!(slots[i].block = aligned_alloc(BLOCK, BLOCK)))
            die("aligned_alloc", ENOMEM);
}

int main(int argc, char **argv) {
    const char *verb = argc > 2 ? argv[1] : "";
    int ms = argc > 3 ? atoi(argv[3]) : 1000, rounds = argc > 4 ? atoi(argv[4]) : 1;
    if (strcmp(verb, "make") == 0 && argc == 4 && ms > 0)
        return make(argv[2], (uint64_t)ms * (1048576 / BLOCK)), 0;
    direct = strcmp(verb, "direct") == 0;
    if ((!direct && strcmp(verb, "hot") != 0) || ms < 1 || rounds < 1) {
        fprintf(stderr, "files make PATH MIB | files hot|direct PATH [MS [ROUNDS]]\n");
        return 2;
    }
    path = argv[2];
    open_plain();
    for (int i = 0; i < WAYS; i++)
        if (direct ? ways[i].direct : ways[i].hot)
            prove(&ways[i]);
    for (int r = 0; r < rounds; r++)
        for (int i = 0; i < WAYS; i++) {
            const struct way *w = &ways[(i + r) % WAYS];
            if (direct ? w->direct : w->hot)
                measure(w, ms);
        }
    return 0;
}
