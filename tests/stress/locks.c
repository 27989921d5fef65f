/* SPDX-License-Identifier: MIT */
/*
 * Range locks between threads and processes. Each of several processes opens one file anew, overlapped and
 * on a port of its own; its threads lock random ranges, some shared and some exclusive, cancel some that
 * wait, and close handles under others. A board in shared memory counts the holders of each byte: never
 * two with one of them exclusive. Each accepted request is answered exactly once.
 */
#include "stress.h"

#include <stdbool.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESSES = 3, THREADS = 3, BYTES = 12, ROUNDS_PER_HANDLE = 40, EXCLUSIVE = 1000 };

struct board {
    _Atomic int holders[BYTES]; /* EXCLUSIVE counts for as many shared ones */
    _Atomic uint64_t granted, cancelled, refused;
};

static struct board *board;
static char path[] = "/tmp/iocp-locks-XXXXXX";

static void hold(uint32_t from, uint32_t count, bool exclusive)
{
    atomic_fetch_add(&board->granted, 1);
    for (uint32_t i = from; i < from + count; i++) {
        int before = atomic_fetch_add(&board->holders[i], exclusive ? EXCLUSIVE : 1);

        MUST(exclusive ? before == 0 : before < EXCLUSIVE);
    }
    if (from % 3 == 0)
        sched_yield();
    for (uint32_t i = from; i < from + count; i++)
        atomic_fetch_sub(&board->holders[i], exclusive ? EXCLUSIVE : 1);
}

struct locker {
    uint64_t random;
    uint64_t rounds;
};

static HANDLE open_it(HANDLE port)
{
    HANDLE file = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, 7, NULL, OPEN_EXISTING,
                              FILE_FLAG_OVERLAPPED, NULL);

    MUST(file != INVALID_HANDLE_VALUE);
    MUST(CreateIoCompletionPort(file, port, 1, 0) == port);
    return file;
}

/* One lock asked for, waited for, perhaps cancelled, held and given back. False: the handle is gone. */
static bool one_round(struct locker *l, HANDLE file, HANDLE port)
{
    uint32_t from = stress_random(&l->random, BYTES);
    uint32_t count = 1 + stress_random(&l->random, BYTES - from);
    uint32_t what = stress_random(&l->random, 100);
    bool exclusive = stress_random(&l->random, 2);
    OVERLAPPED ov = {.Offset = from}, back = {.Offset = from}, *done;
    DWORD flags = (exclusive ? LOCKFILE_EXCLUSIVE_LOCK : 0) | (what < 10 ? LOCKFILE_FAIL_IMMEDIATELY : 0);
    ULONG_PTR key;
    DWORD bytes;
    bool closed = false;

    if (!LockFileEx(file, flags, 0, count, 0, &ov) && GetLastError() != ERROR_IO_PENDING) {
        MUST(GetLastError() == ERROR_LOCK_VIOLATION && what < 10);
        atomic_fetch_add(&board->refused, 1);
        return true;
    }
    if (what >= 90 && what < 98) {
        CancelIoEx(file, what & 1 ? &ov : NULL);
    } else if (what >= 98) {
        MUST(CloseHandle(file)); /* a lock that was granted goes with it */
        closed = true;
    }
    if (GetQueuedCompletionStatus(port, &bytes, &key, &done, 60000)) {
        MUST(done == &ov);
        if (!closed) {
            hold(from, count, exclusive);
            MUST(UnlockFileEx(file, 0, count, 0, &back));
        }
    } else {
        MUST(done == &ov && GetLastError() == ERROR_OPERATION_ABORTED);
        MUST(closed || what >= 90);
        atomic_fetch_add(&board->cancelled, 1);
    }
    MUST(!GetQueuedCompletionStatus(port, &bytes, &key, &done, 0) && !done); /* once */
    return !closed;
}

static void *lock_all(void *arg)
{
    struct locker *l = arg;
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    HANDLE file = open_it(port);

    for (uint64_t i = 0; i < l->rounds; i++) {
        bool open = one_round(l, file, port);

        if (open && i % ROUNDS_PER_HANDLE != 0)
            continue;
        if (open)
            MUST(CloseHandle(file));
        file = open_it(port);
    }
    CloseHandle(file);
    CloseHandle(port);
    return NULL;
}

static int process(unsigned number)
{
    pthread_t threads[THREADS];
    struct locker lockers[THREADS];

    for (unsigned i = 0; i < THREADS; i++) {
        lockers[i].random = (stress_seed + number * 7919 + i * 104729) | 1;
        lockers[i].rounds = stress_count;
        threads[i] = stress_thread(lock_all, &lockers[i]);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    if (number == 0)
        stress_balanced();
    return 0;
}

int main(int argc, char **argv)
{
    pid_t children[PROCESSES];
    int status, failed = 0;
    int fd = mkstemp(path);

    stress_begin(argc, argv, 3000, 300);
    board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    MUST(fd >= 0 && board != MAP_FAILED);
    fflush(stdout);
    for (unsigned i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        MUST(children[i] >= 0);
        if (children[i] == 0)
            exit(process(i));
    }
    for (unsigned i = 0; i < PROCESSES; i++) {
        MUST(waitpid(children[i], &status, 0) == children[i]);
        failed |= status != 0;
    }
    printf("# %llu granted, %llu cancelled, %llu refused\n", (unsigned long long)board->granted,
           (unsigned long long)board->cancelled, (unsigned long long)board->refused);
    for (unsigned i = 0; i < BYTES; i++)
        MUST(board->holders[i] == 0);
    unlink(path);
    return failed;
}
