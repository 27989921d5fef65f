/* SPDX-License-Identifier: MIT */
/*
 * Transfers past the page cache in quantity, whichever way they take: the device's own queue, or, where
 * the kernel has none, is short of it, or would have to wait, the ring and the threads. Every one is
 * answered once, with the right bytes. On a file system without O_DIRECT they go through the cache.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "base/os.h"
#include "io/file.h"
#include "io/port.h"
#include "object/handle.h"
#include "unit.h"

#include <iocp.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 4096, BLOCKS = 512, DEPTH = 64, WORKERS = 3 };

struct slot {
    OVERLAPPED ov; /* must be first */
    unsigned number;
    uint32_t *block;
};

static char path[] = "/tmp/iocp-direct-XXXXXX";
static struct slot slots[DEPTH];

/* ---- the kernel refuses ---- */

static const char *refused_call; /* NULL: none */
static int refusal, refuse_each;
static bool without_queue; /* all goes to the ring, or to the threads */
static _Atomic unsigned asked;

static int refuse(const char *call)
{
    if (without_queue && strcmp(call, "io_submit") == 0)
        return -EOPNOTSUPP;
    if (strcmp(call, refused_call) != 0)
        return 0;
    return (atomic_fetch_add(&asked, 1) + 1) % (unsigned)refuse_each == 0 ? refusal : 0;
}

static void refuse_from_now(const char *call, int err, int each)
{
    refused_call = call;
    refusal = err;
    refuse_each = each;
    atomic_store(&asked, 0);
    os_fault = call ? refuse : NULL;
}

/* ---- is it what it is said to be? ---- */

static _Atomic unsigned submitted, answered;

static int count_calls(const char *call)
{
    if (strcmp(call, "io_submit") == 0)
        atomic_fetch_add(&submitted, 1);
    if (strcmp(call, "io_getevents") == 0)
        atomic_fetch_add(&answered, 1);
    return 0;
}

/* Why nothing here goes past the page cache, or not by the device's queue; NULL if it does. */
static const char *not_direct(void)
{
    char probe[] = "/tmp/iocp-direct-XXXXXX";
    int fd = mkstemp(probe), direct;
    unsigned long context = 0;
    int err = os_aio_setup(1, &context);

    direct = open(probe, O_RDONLY | O_DIRECT | O_CLOEXEC);
    close(fd);
    unlink(probe);
    if (direct < 0)
        return "O_DIRECT is not to be had on /tmp";
    close(direct);
    if (err < 0)
        return "the kernel has no io_submit";
    os_aio_destroy(context);
    return NULL;
}

/* ---- one file ---- */

static HANDLE open_as(DWORD disposition)
{
    HANDLE file = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, disposition,
                              FILE_FLAG_OVERLAPPED | FILE_FLAG_NO_BUFFERING, NULL);

    CHECK(file != INVALID_HANDLE_VALUE);
    return file;
}

static HANDLE open_there(void)
{
    return open_as(OPEN_EXISTING);
}

static HANDLE open_new(void)
{
    static int made;
    HANDLE file;

    if (!made++) {
        int fd = mkstemp(path);

        if (fd < 0)
            abort();
        close(fd);
    }
    file = open_as(CREATE_ALWAYS);
    for (int i = 0; i < DEPTH && !slots[i].block; i++)
        slots[i].block = aligned_alloc(BLOCK, BLOCK);
    return file;
}

static uint32_t word_of(unsigned number, unsigned index)
{
    return (number + 1) * 2654435761u ^ index;
}

static int holds(const struct slot *s)
{
    for (unsigned i = 0; i < BLOCK / 4; i++) {
        if (s->block[i] != word_of(s->number, i))
            return 0;
    }
    return 1;
}

static BOOL start(HANDLE file, struct slot *s, unsigned number, int write, HANDLE event)
{
    memset(&s->ov, 0, sizeof s->ov);
    s->number = number;
    s->ov.Offset = number * BLOCK;
    s->ov.hEvent = event;
    for (unsigned i = 0; i < BLOCK / 4; i++)
        s->block[i] = write ? word_of(number, i) : 0;
    return (write ? WriteFile(file, s->block, BLOCK, NULL, &s->ov)
                  : ReadFile(file, s->block, BLOCK, NULL, &s->ov)) ||
           GetLastError() == ERROR_IO_PENDING;
}

/* ---- through a port, several workers ---- */

static struct {
    HANDLE file, port;
    int write;
    unsigned total;
    _Atomic unsigned next, answers, wrong;
} job;

/* Answers its packets by starting the next block; the worker that gets the last one sends the others home. */
static void *work(void *arg)
{
    OVERLAPPED *ov;
    ULONG_PTR key;
    DWORD bytes;

    (void)arg;
    for (;;) {
        BOOL ok = GetQueuedCompletionStatus(job.port, &bytes, &key, &ov, 20000);
        struct slot *s = (struct slot *)ov;
        unsigned number;

        if (!s) {
            job.wrong += !ok; /* nothing came for so long */
            PostQueuedCompletionStatus(job.port, 0, 0, NULL);
            return NULL;
        }
        job.wrong += !ok || bytes != BLOCK || (!job.write && !holds(s));
        number = atomic_fetch_add(&job.next, 1);
        if (number < job.total)
            job.wrong += !start(job.file, s, number % BLOCKS, job.write, NULL);
        if (atomic_fetch_add(&job.answers, 1) + 1 == job.total)
            PostQueuedCompletionStatus(job.port, 0, 0, NULL);
    }
}

static void through_port(HANDLE file, int write, unsigned total)
{
    pthread_t workers[WORKERS];

    job.file = file;
    job.port = CreateIoCompletionPort(file, NULL, 0, 2);
    job.write = write;
    job.total = total;
    job.next = DEPTH;
    job.answers = job.wrong = 0;
    for (unsigned i = 0; i < DEPTH; i++)
        CHECK(start(file, &slots[i], i % BLOCKS, write, NULL));
    for (int i = 0; i < WORKERS; i++)
        pthread_create(&workers[i], NULL, work, NULL);
    for (int i = 0; i < WORKERS; i++)
        pthread_join(workers[i], NULL);
    CHECK_EQ(job.answers, total);
    CHECK_EQ(job.wrong, 0);
    CloseHandle(job.port);
}

/* A file grows by writes all over it (those have to wait), is written again (those need not), is read. */
static void write_and_read(const char *call, int err, int each)
{
    HANDLE file = open_new();

    through_port(file, 1, BLOCKS);
    CloseHandle(file);
    refuse_from_now(call, err, each);
    for (int write = 1; write >= 0; write--) {
        file = open_there();
        through_port(file, write, 4 * BLOCKS);
        CloseHandle(file);
    }
    if (call)
        CHECK(atomic_load(&asked) > 0);
    refuse_from_now(NULL, 0, 0);
}

/* First of all, because queues that were made are kept. The writes that begin would make one. */
TEST(no_queue_to_be_had)
{
    static const int why[] = {-ENOSYS, -EPERM, -EAGAIN, -ENOMEM};

    for (int i = 0; i < 4; i++) {
        HANDLE file;

        refuse_from_now("io_setup", why[i], 1);
        file = open_new();
        through_port(file, 1, BLOCKS);
        CloseHandle(file);
        file = open_there();
        through_port(file, 0, BLOCKS);
        CloseHandle(file);
        refuse_from_now(NULL, 0, 0);
    }
}

/* On a kernel and a file system that have it, the device's queue is what is used: most transfers go there. */
TEST(all_on_the_queue)
{
    const char *why = not_direct();
    HANDLE file;

    write_and_read(NULL, 0, 0);
    if (why)
        SKIP(why);
    atomic_store(&submitted, 0);
    atomic_store(&answered, 0);
    os_fault = count_calls;
    file = open_there();
    through_port(file, 0, 4 * BLOCKS);
    CloseHandle(file);
    os_fault = NULL;
    if (!CHECK(atomic_load(&submitted) >= 4 * BLOCKS / 2) || !CHECK(atomic_load(&answered) >= 4 * BLOCKS / 2))
        printf("  %u submitted, %u answered of %d\n", submitted, answered, 4 * BLOCKS);
}

TEST(queue_full_now_and_then)
{
    write_and_read("io_submit", -EAGAIN, 3);
}

TEST(not_on_this_file_system)
{
    write_and_read("io_submit", -EOPNOTSUPP, 1);
}

/* A refusal for good is believed: one file asks once, or as often as it has transfers under way by then. */
TEST(refused_for_good)
{
    static const int why[] = {-EOPNOTSUPP, -ENOSYS, -EPERM};

    if (not_direct())
        SKIP(not_direct());
    for (int i = 0; i < 3; i++) {
        HANDLE file = open_there();

        refuse_from_now("io_submit", why[i], 1);
        through_port(file, 0, 4 * BLOCKS);
        CHECK_EQ(atomic_load(&asked), 1);
        refuse_from_now(NULL, 0, 0);
        CloseHandle(file);
    }
}

/* ---- answers that the device would give ---- */

/* It would have to wait, or cannot say whether it would: then somebody else waits. */
TEST(answers_that_it_would_wait)
{
    static const int why[] = {-EAGAIN, -EOPNOTSUPP};

    for (int i = 0; i < 2; i++)
        for (int each = 1; each < 4; each++)
            write_and_read("io_getevents", why[i], each);
}

/* The rest of a short transfer is asked for; so nobody sees that it was short. */
TEST(short_answers)
{
    write_and_read("io_getevents", BLOCK / 2, 2);
    write_and_read("io_getevents", 512, 3);
}

/* Each is answered once: those that failed with the error, their OVERLAPPED saying the same. */
static void failing(const char *call, int err, int write, DWORD wanted)
{
    HANDLE file = open_there(), port = CreateIoCompletionPort(file, NULL, 0, 0);
    unsigned good = 0, bad = 0, injected;
    OVERLAPPED *ov;
    ULONG_PTR key;
    DWORD bytes;

    refuse_from_now(call, err, 3);
    for (unsigned i = 0; i < DEPTH; i++)
        CHECK(start(file, &slots[i], i, write, NULL));
    for (unsigned i = 0; i < DEPTH; i++) {
        if (GetQueuedCompletionStatus(port, &bytes, &key, &ov, 20000)) {
            CHECK_EQ(bytes, BLOCK);
            CHECK(write || holds((struct slot *)ov));
            good++;
        } else if (CHECK(ov != NULL)) {
            CHECK_EQ(GetLastError(), wanted);
            CHECK_EQ(bytes, 0);
            CHECK(!GetOverlappedResult(file, ov, &bytes, FALSE));
            CHECK_EQ(GetLastError(), wanted);
            bad++;
        }
    }
    CHECK(!GetQueuedCompletionStatus(port, &bytes, &key, &ov, 0) && !ov);
    injected = atomic_load(&asked) / 3;
    refuse_from_now(NULL, 0, 0);
    CHECK_EQ(bad, injected);
    CHECK_EQ(good + bad, DEPTH);
    CloseHandle(file);
    CloseHandle(port);
}

TEST(failed_answers)
{
    failing("io_getevents", -EIO, 0, ERROR_IO_DEVICE);
    failing("io_getevents", -EIO, 1, ERROR_IO_DEVICE);
    failing("io_getevents", -ENOSPC, 1, ERROR_DISK_FULL);
    failing("io_getevents", -ENOMEM, 0, ERROR_NOT_ENOUGH_MEMORY);
    failing("io_getevents", -EFAULT, 0, ERROR_NOACCESS);
    if (not_direct())
        SKIP(not_direct());
}

/* The same by the ring, for a file system that has no queue of its own. */
TEST(answers_of_the_ring)
{
    if (strcmp(iocp_engine_name(), "uring") != 0)
        SKIP("there is no ring in this engine");
    without_queue = true;
    write_and_read("io_uring_cqe", -EAGAIN, 2);
    write_and_read("io_uring_cqe", BLOCK / 2, 2);
    failing("io_uring_cqe", -EIO, 0, ERROR_IO_DEVICE);
    failing("io_uring_cqe", -EIO, 1, ERROR_IO_DEVICE);
    failing("io_uring_cqe", -ENOSPC, 1, ERROR_DISK_FULL);
    without_queue = false;
}

/* ---- without a port ---- */

TEST(events_and_polling)
{
    HANDLE file = open_new(), events[DEPTH];
    DWORD bytes;

    for (int write = 1; write >= 0; write--) {
        for (unsigned i = 0; i < DEPTH; i++) {
            events[i] = CreateEventA(NULL, TRUE, FALSE, NULL);
            CHECK(start(file, &slots[i], i, write, events[i]));
        }
        for (unsigned i = 0; i < DEPTH; i++) {
            if (i % 2)
                while (!HasOverlappedIoCompleted(&slots[i].ov))
                    sched_yield();
            else
                CHECK_EQ(WaitForSingleObject(events[i], 20000), WAIT_OBJECT_0);
            CHECK(GetOverlappedResult(file, &slots[i].ov, &bytes, TRUE));
            CHECK_EQ(bytes, BLOCK);
            CHECK(write || holds(&slots[i]));
            CloseHandle(events[i]);
        }
    }
    CloseHandle(file);
}

/* A port nobody dequeues from: the events are set all the same, the packets come later. */
TEST(port_nobody_looks_into)
{
    HANDLE file = open_new(), port, events[DEPTH];
    ULONG_PTR key;
    OVERLAPPED *ov;
    DWORD bytes;

    through_port(file, 1, BLOCKS);
    CloseHandle(file);
    file = open_there();
    port = CreateIoCompletionPort(file, NULL, 0, 0);
    for (unsigned i = 0; i < DEPTH; i++) {
        events[i] = CreateEventA(NULL, TRUE, FALSE, NULL);
        CHECK(start(file, &slots[i], i, 0, events[i]));
    }
    for (unsigned i = 0; i < DEPTH; i++) {
        CHECK_EQ(WaitForSingleObject(events[i], 20000), WAIT_OBJECT_0);
        CHECK(holds(&slots[i]));
    }
    for (unsigned i = 0; i < DEPTH; i++)
        CHECK(GetQueuedCompletionStatus(port, &bytes, &key, &ov, 0));
    CHECK(!GetQueuedCompletionStatus(port, &bytes, &key, &ov, 0));
    for (unsigned i = 0; i < DEPTH; i++)
        CloseHandle(events[i]);
    CloseHandle(file);
    CloseHandle(port);
}

/* ---- ends ---- */

static void *start_some(void *file)
{
    for (unsigned i = 0; i < DEPTH; i++)
        CHECK(start(file, &slots[i], i, 0, NULL));
    return NULL;
}

static unsigned take_all(HANDLE port, int *bad)
{
    unsigned n = 0;
    ULONG_PTR key;
    OVERLAPPED *ov;
    DWORD bytes;

    for (; n < DEPTH; n++) {
        if (!GetQueuedCompletionStatus(port, &bytes, &key, &ov, 20000) &&
            (!ov || GetLastError() != ERROR_OPERATION_ABORTED))
            break;
    }
    *bad += GetQueuedCompletionStatus(port, &bytes, &key, &ov, 0) || ov;
    return n;
}

/* The thread that started them ends; or they are cancelled; or the file is closed. One packet each. */
TEST(answered_whatever_ends)
{
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    int bad = 0;

    for (int round = 0; round < 60; round++) {
        HANDLE file = open_there();
        pthread_t thread;

        CreateIoCompletionPort(file, port, 0, 0);
        pthread_create(&thread, NULL, start_some, file);
        pthread_join(thread, NULL);
        if (round % 3 == 1)
            CancelIoEx(file, round % 2 ? NULL : &slots[7].ov);
        if (round % 3 == 2)
            CloseHandle(file);
        CHECK_EQ(take_all(port, &bad), DEPTH);
        if (round % 3 != 2)
            CloseHandle(file);
    }
    CHECK_EQ(bad, 0);
    CloseHandle(port);
}

static unsigned take_those_there(HANDLE port)
{
    unsigned n = 0;
    ULONG_PTR key;
    OVERLAPPED *ov;
    DWORD bytes;

    while (GetQueuedCompletionStatus(port, &bytes, &key, &ov, 0))
        n++;
    return n;
}

/* The file leaves the port whose poller has its transfers: they are answered where it belongs then. */
TEST(moved_under_way)
{
    for (int round = 0; round < 40; round++) {
        HANDLE file = open_there(), first = CreateIoCompletionPort(file, NULL, 1, 0);
        HANDLE second = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
        struct object *to = NULL;
        struct file *f = NULL;
        unsigned taken = 0;

        start_some(file);
        CHECK_EQ(file_from_handle((uintptr_t)file, false, &f, NULL), 0);
        CHECK_EQ(handle_get((uintptr_t)second, OBJECT_PORT, &to, NULL), 0);
        CHECK_EQ(file_rebind(f, port_from_object(to), 2), 0);
        object_put(to);
        file_put(f);
        for (time_t limit = time(NULL) + 20; taken < DEPTH && time(NULL) < limit;)
            taken += take_those_there(first) + take_those_there(second);
        CHECK_EQ(taken, DEPTH);
        CloseHandle(first);
        start_some(file); /* now by the second port, and the engine */
        for (time_t limit = time(NULL) + 20; taken < 2 * DEPTH && time(NULL) < limit;)
            taken += take_those_there(second);
        CHECK_EQ(taken, 2 * DEPTH);
        CloseHandle(file);
        CloseHandle(second);
    }
}

/* Port and file are closed while much is under way: it is dropped, and the next port is not disturbed. */
TEST(closed_under_way)
{
    for (int round = 0; round < 40; round++) {
        HANDLE file = open_there();
        HANDLE port = CreateIoCompletionPort(file, NULL, 0, 0);

        start_some(file);
        CloseHandle(round % 2 ? file : port);
        CloseHandle(round % 2 ? port : file);
        for (unsigned i = 0; i < DEPTH; i++) {
            while (!HasOverlappedIoCompleted(&slots[i].ov))
                sched_yield();
        }
    }
    unlink(path);
}
