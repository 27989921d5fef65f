/* SPDX-License-Identifier: MIT */
/*
 * Range locks whose holders overlap in time: who waits for all of them to be gone gets its turn, nobody is
 * kept waiting for good by that, and who would not wait is not refused.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "unit.h"

#include "base/clock.h"
#include "io/filelock_range.h"

#include <iocp.h>

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { PASSES = 16, PATIENCE_MS = 20000, READERS = 4 };

static char path[] = "/tmp/iocp-filelock-XXXXXX";

static HANDLE open_it(DWORD flags)
{
    return CreateFileA(path, GENERIC_READ | GENERIC_WRITE, 7, NULL, OPEN_EXISTING, flags, NULL);
}

static void make_it(void)
{
    memcpy(path + sizeof path - 7, "XXXXXX", 6);
    close(mkstemp(path));
}

static bool lock(HANDLE h, DWORD flags, OVERLAPPED *ov)
{
    return LockFileEx(h, flags, 0, 10, 0, ov);
}

static bool unlock(HANDLE h)
{
    OVERLAPPED ov = {0};

    return UnlockFileEx(h, 0, 10, 0, &ov);
}

static OVERLAPPED with_event(void)
{
    return (OVERLAPPED){.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL)};
}

static bool came(const OVERLAPPED *ov, DWORD ms)
{
    return WaitForSingleObject(ov->hEvent, ms) == WAIT_OBJECT_0;
}

/* A turn that ends in none of the tests, and one that does not end before it has been met. */
#define LONG_TURN_NS (60 * NS_PER_SEC)
#define SHORT_TURN_NS (3 * NS_PER_SEC)

/* An exclusive lock waits, and has been passed so often that the next one waits behind it. */
struct scene {
    HANDLE writer, readers;
    OVERLAPPED exclusive, last, held[PASSES + 1];
};

static void set(struct scene *s)
{
    make_it();
    s->writer = open_it(FILE_FLAG_OVERLAPPED);
    s->readers = open_it(FILE_FLAG_OVERLAPPED);
    s->exclusive = with_event();
    s->last = with_event();
    for (int i = 0; i <= PASSES; i++)
        s->held[i] = (OVERLAPPED){0};
    CHECK(lock(s->readers, 0, &s->held[0]));
    CHECK(!lock(s->writer, LOCKFILE_EXCLUSIVE_LOCK, &s->exclusive) && GetLastError() == ERROR_IO_PENDING);
    for (int i = 1; i <= PASSES; i++)
        CHECK(lock(s->readers, 0, &s->held[i]));
    CHECK(!lock(s->readers, 0, &s->last) && GetLastError() == ERROR_IO_PENDING);
}

static void clear(struct scene *s)
{
    CloseHandle(s->writer);
    CloseHandle(s->readers);
    CloseHandle(s->exclusive.hEvent);
    CloseHandle(s->last.hEvent);
    unlink(path);
}

TEST(in_its_turn)
{
    uint64_t usual_ns = filelock_turn_ns;
    OVERLAPPED other = {0};
    struct scene s;

    filelock_turn_ns = LONG_TURN_NS;
    set(&s);
    CHECK(lock(s.readers, LOCKFILE_FAIL_IMMEDIATELY, &other)); /* does not wait, and is not refused */
    other.Offset = 10;
    CHECK(lock(s.readers, 0, &other)); /* elsewhere */
    for (int i = 0; i <= PASSES + 1; i++)
        CHECK(unlock(s.readers));
    CHECK(came(&s.exclusive, PATIENCE_MS));
    CHECK(!came(&s.last, 0));
    CHECK(unlock(s.writer));
    CHECK(came(&s.last, PATIENCE_MS));
    clear(&s);
    filelock_turn_ns = usual_ns;
}

/* What the exclusive lock waits for is not given back: the others go on, and it has not lost its place. */
TEST(the_turn_ends)
{
    uint64_t usual_ns = filelock_turn_ns;
    struct scene s;

    filelock_turn_ns = SHORT_TURN_NS;
    set(&s);
    CHECK(came(&s.last, PATIENCE_MS));
    CHECK(!came(&s.exclusive, 0));
    for (int i = 0; i <= PASSES + 1; i++)
        CHECK(unlock(s.readers));
    CHECK(came(&s.exclusive, PATIENCE_MS));
    clear(&s);
    filelock_turn_ns = usual_ns;
}

TEST(a_turn_cancelled_and_closed)
{
    uint64_t usual_ns = filelock_turn_ns;
    struct scene s;

    filelock_turn_ns = LONG_TURN_NS;
    set(&s);
    CHECK(CancelIoEx(s.writer, &s.exclusive));
    CHECK(came(&s.exclusive, PATIENCE_MS));
    CHECK(came(&s.last, PATIENCE_MS));
    clear(&s);
    set(&s);
    CloseHandle(s.writer);
    CHECK(came(&s.exclusive, PATIENCE_MS));
    CHECK(came(&s.last, PATIENCE_MS));
    s.writer = NULL;
    clear(&s);
    filelock_turn_ns = usual_ns;
}

static atomic_bool over;
static atomic_uint granted;

/* Holds its lock until somebody else has one too, or a while. */
static void *read_for_ever(void *arg)
{
    HANDLE h = open_it(0);

    while (!over) {
        OVERLAPPED ov = {0};
        unsigned before;

        CHECK(lock(h, 0, &ov));
        before = ++granted;
        for (int i = 0; i < 1000 && granted == before && !over; i++)
            sched_yield();
        CHECK(unlock(h));
    }
    CloseHandle(h);
    return arg;
}

TEST(nobody_starves)
{
    OVERLAPPED ov = with_event();
    pthread_t readers[READERS];
    HANDLE h;

    make_it();
    h = open_it(FILE_FLAG_OVERLAPPED);
    over = false;
    granted = 0;
    for (int i = 0; i < READERS; i++)
        pthread_create(&readers[i], NULL, read_for_ever, NULL);
    while (granted < 100)
        sched_yield();
    for (int i = 0; i < 20; i++) {
        CHECK(lock(h, LOCKFILE_EXCLUSIVE_LOCK, &ov) || GetLastError() == ERROR_IO_PENDING);
        CHECK(came(&ov, PATIENCE_MS));
        CHECK(unlock(h));
    }
    over = true;
    for (int i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
    CloseHandle(h);
    CloseHandle(ov.hEvent);
    unlink(path);
}

static bool lock_at(HANDLE h, DWORD flags, DWORD offset)
{
    OVERLAPPED ov = {.Offset = offset};

    return lock(h, flags | LOCKFILE_FAIL_IMMEDIATELY, &ov);
}

/* As another process would ask: a descriptor of its own. */
static bool others_may_share(int64_t offset)
{
    struct flock fl = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = offset, .l_len = 10};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool may = fcntl(fd, F_OFD_GETLK, &fl) == 0 && fl.l_type == F_UNLCK;

    close(fd);
    return may;
}

/* The descriptor that locks of a handle for reading need comes late: those that are held stay where they are,
 * and leave nothing behind. */
TEST(short_of_descriptors)
{
    struct rlimit limit, none;
    OVERLAPPED second = {.Offset = 20};
    HANDLE h;

    make_it();
    h = CreateFileA(path, GENERIC_READ, 7, NULL, OPEN_EXISTING, 0, NULL);
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = (struct rlimit){.rlim_cur = 3, .rlim_max = limit.rlim_max};
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
    CHECK(lock_at(h, 0, 0));
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    CHECK(lock_at(h, 0, 20));
    CHECK(lock_at(h, 0, 0));
    CHECK(unlock(h));
    CHECK(unlock(h));
    CHECK(lock_at(h, LOCKFILE_EXCLUSIVE_LOCK, 0));
    CHECK(unlock(h));
    CHECK(UnlockFileEx(h, 0, 10, 0, &second));
    CHECK(lock_at(h, LOCKFILE_EXCLUSIVE_LOCK, 0)); /* it holds nothing else: exclusive to others, too */
    CHECK(!others_may_share(0));
    CHECK(unlock(h));
    CloseHandle(h);
    unlink(path);
}

/* The number that was locked under is another file's; the duplicate gives the lock back all the same. */
TEST(unlocked_under_another_number)
{
    HANDLE h, copy, other;

    make_it();
    h = open_it(0);
    CHECK(lock_at(h, LOCKFILE_EXCLUSIVE_LOCK, 0));
    CHECK(DuplicateHandle(GetCurrentProcess(), h, GetCurrentProcess(), &copy, 0, FALSE,
                          DUPLICATE_SAME_ACCESS));
    close((int)(intptr_t)h);
    other = open_it(0);
    CHECK(other == h);
    CHECK(!others_may_share(0));
    CHECK(unlock(copy));
    CHECK(others_may_share(0));
    CloseHandle(copy);
    CloseHandle(other);
    unlink(path);
}
