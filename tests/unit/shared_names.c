/* SPDX-License-Identifier: MIT */
/*
 * The file of shared names from within: one that is full, of another version, or full of garbage; processes
 * that die while they hold its locks; bells that overflow; what happens without pidfds, and to a program that
 * closes everybody's descriptors. Each test runs in a process of its own, with a directory of its own.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "unit.h"
#include "forked.h"

#include "base/os.h"
#include "object/handle.h"
#include "wait/dispatcher.h"
#include "wait/shared_file.h"

#include <iocp.h>
#include <iocp/iocp_nt.h>
#include <ntstatus.h>
#include <process.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 20000 };

/* ---- processes ---- */

static char place[64];

static void remove_place(void)
{
    char line[100];

    snprintf(line, sizeof line, "rm -rf %s", place);
    if (system(line) != 0)
        printf("  %s failed\n", line);
}

static pid_t begin(void (*body)(void))
{
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid != 0)
        return pid;
    unit_failed = 0;
    body();
    fflush(stdout);
    _exit(unit_failed != 0);
}

static void end(pid_t pid)
{
    int status = 0;

    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void end_killed(pid_t pid)
{
    kill(pid, SIGKILL);
    CHECK_EQ(waitpid(pid, NULL, 0), pid);
}

/* A test whose process has a new directory. */
static void alone(void (*body)(void))
{
    strcpy(place, "/tmp/iocp-names-XXXXXX");
    if (!CHECK(mkdtemp(place) != NULL))
        return;
    setenv("XDG_RUNTIME_DIR", place, 1);
    end(begin(body));
    remove_place();
}

static const char *file_path(void)
{
    static char path[100];

    snprintf(path, sizeof path, "%s/iocp", place);
    mkdir(path, 0700);
    strcat(path, "/names");
    return path;
}

/* ---- between a parent and the children of its fork ---- */

static int signs[2]; /* a pipe: children say that they have come to some point */

static void sign(void)
{
    CHECK_EQ(write(signs[1], "", 1), 1);
}

static void await_sign(void)
{
    char byte;

    CHECK_EQ(read(signs[0], &byte, 1), 1);
}

static const char *failing;
static int failing_with;

static int fail_one(const char *call)
{
    return failing && strcmp(call, failing) == 0 ? failing_with : 0;
}

static void set_and_leave(void)
{
    HANDLE event = OpenEventA(EVENT_ALL_ACCESS, FALSE, "unit");

    CHECK(event && SetEvent(event));
}

static void is_shared(void)
{
    HANDLE event = CreateEventA(NULL, FALSE, FALSE, "unit");

    CHECK(event != NULL);
    CHECK(strncmp(iocp_names_info(), "shared: ", 8) == 0);
    end(begin(set_and_leave));
    CHECK_EQ(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
    CloseHandle(event);
}

/* ---- the file ---- */

TEST(shared_by_default)
{
    alone(is_shared);
}

static void fill_table(void)
{
    static HANDLE events[SHARED_SLOTS];
    HANDLE one_more;
    char name[32];

    for (int i = 0; i < SHARED_SLOTS; i++) {
        snprintf(name, sizeof name, "full-%d", i);
        if (!CHECK((events[i] = CreateEventA(NULL, TRUE, FALSE, name)) != NULL))
            return;
    }
    CHECK(CreateMutexA(NULL, FALSE, "one more") == NULL);
    CHECK_EQ(GetLastError(), ERROR_NO_SYSTEM_RESOURCES);
    CHECK(CreateEventA(NULL, TRUE, FALSE, "full-7") != NULL); /* which is there already */
    CHECK(CreateMutexA(NULL, FALSE, NULL) != NULL);           /* and this needs no name */
    CHECK(SetEvent(events[1000]) && WaitForSingleObject(events[1000], 0) == WAIT_OBJECT_0);
    CHECK(CloseHandle(events[99]));
    one_more = CreateMutexA(NULL, FALSE, "one more");
    CHECK(one_more != NULL);
    CHECK(CreateMutexA(NULL, FALSE, "two more") == NULL);
}

static void fill_and_die(void)
{
    fill_table();
    sign();
    pause();
}

static void nothing_more(void)
{
    CHECK(CreateEventA(NULL, TRUE, FALSE, "no room") == NULL);
    CHECK_EQ(GetLastError(), ERROR_NO_SYSTEM_RESOURCES);
}

/* Room on the disk is taken as it is needed; when there is none the name is refused, and tried again. */
static void no_room(void)
{
    struct stat st;
    HANDLE event = CreateEventA(NULL, TRUE, FALSE, "first");

    CHECK(event != NULL);
    CHECK(stat(file_path(), &st) == 0 && st.st_blocks * 512 < 1 << 20);
    for (int i = 1; shared_used() % 64 != 0; i++) {
        char name[32];

        snprintf(name, sizeof name, "chunk-%d", i);
        CHECK(CreateEventA(NULL, TRUE, FALSE, name) != NULL);
    }
    os_fault = fail_one;
    failing = "names fallocate";
    failing_with = -ENOSPC;
    nothing_more();
    failing = NULL;
    CHECK(CreateEventA(NULL, TRUE, FALSE, "no room") != NULL);
}

TEST(disk_is_full)
{
    alone(no_room);
}

/* What a dead process has filled is free. */
static void fill_twice(void)
{
    pid_t pid;

    CHECK_EQ(pipe(signs), 0);
    pid = begin(fill_and_die);
    await_sign();
    CHECK(CreateMutexA(NULL, FALSE, "not yet") == NULL);
    CHECK_EQ(GetLastError(), ERROR_NO_SYSTEM_RESOURCES);
    end_killed(pid);
    fill_table();
}

TEST(full_table)
{
    alone(fill_twice);
}

static void write_file(const void *data, size_t size, size_t length)
{
    int fd = open(file_path(), O_RDWR | O_CREAT | O_TRUNC, 0600);

    CHECK(fd >= 0);
    CHECK_EQ(write(fd, data, size), (long long)size);
    CHECK_EQ(ftruncate(fd, (off_t)length), 0);
    close(fd);
}

struct head {
    char magic[8];
    uint32_t version, size;
};

static struct head another_version(void)
{
    return (struct head){
        .magic = "iocpnam", .version = SHARED_VERSION + 1, .size = sizeof(struct shared_layout)};
}

static void take_over(void)
{
    const struct head head = another_version();
    char garbage[4096];

    memset(garbage, 0xA5, sizeof garbage);
    for (int i = 0; i < 5; i++) {
        if (i < 2)
            write_file(&head, sizeof head, i == 0 ? head.size : 100);
        else
            write_file(garbage, i == 2 ? 0 : sizeof garbage, i == 4 ? head.size : 0);
        end(begin(is_shared));
    }
}

/* Nobody uses it: it is replaced. */
TEST(left_by_another_version)
{
    alone(take_over);
}

static void use_as_another_version(void)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = SHARED_LIFE + 3, .l_len = 1};
    int fd = open(file_path(), O_RDWR);

    CHECK_EQ(fcntl(fd, F_SETLK, &lock), 0);
    sign();
    pause();
}

static void is_local(void)
{
    HANDLE event = CreateEventA(NULL, FALSE, TRUE, "unit");
    HANDLE again = OpenEventA(EVENT_ALL_ACCESS, FALSE, "unit");

    CHECK(event && again);
    CHECK_EQ(WaitForSingleObject(again, 0), WAIT_OBJECT_0);
    CHECK_EQ(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
    CHECK(strncmp(iocp_names_info(), "local: ", 7) == 0);
    CHECK(CloseHandle(event) && CloseHandle(again));
    CHECK(OpenEventA(EVENT_ALL_ACCESS, FALSE, "unit") == NULL);
    CHECK_EQ(GetLastError(), ERROR_FILE_NOT_FOUND);
}

static void is_refused(void)
{
    CHECK(CreateEventA(NULL, FALSE, TRUE, "unit") == NULL);
    CHECK_EQ(GetLastError(), ERROR_UNKNOWN_REVISION);
    CHECK(CreateEventA(NULL, FALSE, TRUE, NULL) != NULL);
    CHECK(OpenMutexA(MUTEX_ALL_ACCESS, FALSE, "unit") == NULL);
    CHECK_EQ(GetLastError(), ERROR_UNKNOWN_REVISION);
}

static void meet_another_version(void)
{
    const struct head head = another_version();
    pid_t pid;

    CHECK_EQ(pipe(signs), 0);
    write_file(&head, sizeof head, head.size);
    pid = begin(use_as_another_version);
    await_sign();
    end(begin(is_local));
    setenv("IOCP_NAMES", "shared", 1);
    end(begin(is_refused));
    end_killed(pid);
    end(begin(is_shared));
    setenv("IOCP_NAMES", "local", 1);
    end(begin(is_local));
}

TEST(in_use_by_another_version)
{
    alone(meet_another_version);
}

static void open_in_vain(void)
{
    static const struct { const char *call; int err; bool passes; } cases[] = {
        {"names fallocate", -ENOSPC, true}, {"names mmap", -ENOMEM, true}, {"openat", -EMFILE, true},
        {"openat", -ENOSPC, true}, {"openat", -EDQUOT, true}, {"openat", -EIO, true},
        {"openat", -EROFS, false}};

    os_fault = fail_one;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        failing = cases[i].call;
        failing_with = cases[i].err;
        if (!cases[i].passes) {
            end(begin(is_local));
            continue;
        }
        CHECK(CreateEventA(NULL, TRUE, TRUE, "unit") == NULL);
        CHECK_EQ(GetLastError(), ERROR_NO_SYSTEM_RESOURCES);
        CHECK(strncmp(iocp_names_info(), "refused: ", 9) == 0);
    }
    failing = NULL;
    is_shared();
}

TEST(cannot_be_opened)
{
    alone(open_in_vain);
}

static void share_and_fork(void)
{
    HANDLE mutex = CreateMutexA(NULL, TRUE, "owned");

    CHECK(mutex != NULL);
    end(begin(is_shared));
    CHECK(CloseHandle(mutex));
}

/* The file is mapped already, as by a plugin that has the library linked in. A child is no copy. */
static void meet_a_copy(void)
{
    int fd;

    end(begin(share_and_fork));
    fd = open(file_path(), O_RDWR | O_CLOEXEC);
    CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) != MAP_FAILED);
    is_local();
    CHECK(strstr(iocp_names_info(), "another copy") != NULL);
}

TEST(two_copies_in_one_process)
{
    alone(meet_a_copy);
}

static int places_taken = SHARED_PROCESSES;

static void take_places(void)
{
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = SHARED_LIFE, .l_len = places_taken};
    int fd = open(file_path(), O_RDWR);

    CHECK_EQ(fcntl(fd, F_SETLK, &lock), 0);
    sign();
    pause();
}

static void too_many(void)
{
    pid_t pid;

    CHECK_EQ(pipe(signs), 0);
    end(begin(is_shared)); /* makes it */
    pid = begin(take_places);
    await_sign();
    CHECK(CreateEventA(NULL, TRUE, TRUE, "unit") == NULL);
    CHECK_EQ(GetLastError(), ERROR_NO_SYSTEM_RESOURCES);
    CHECK(strstr(iocp_names_info(), "as many processes") != NULL);
    end_killed(pid);
    places_taken = SHARED_PROCESSES - 2; /* the last two will do */
    pid = begin(take_places);
    await_sign();
    is_shared();
    CHECK_EQ(shared_file.place, SHARED_PROCESSES - 2);
    end_killed(pid);
}

TEST(too_many_processes)
{
    alone(too_many);
}

/* ---- the dead ---- */

static bool die_with_file_lock;

static void die_locked(void)
{
    HANDLE mutex = OpenMutexA(MUTEX_ALL_ACCESS, FALSE, "owned");
    int index;

    CHECK(OpenEventA(EVENT_ALL_ACCESS, FALSE, "unit") != NULL);
    CHECK(mutex && WaitForSingleObject(mutex, PATIENCE_MS) == WAIT_OBJECT_0);
    shared_lock(&shared_file.layout->lock);
    index = shared_slot_find_locked("unit");
    CHECK(index >= 0);
    shared_lock(&shared_file.layout->slots[index].lock);
    atomic_store(&shared_file.layout->slots[index].state, 1); /* set, and nobody told */
    if (!die_with_file_lock)
        shared_unlock(&shared_file.layout->lock);
    raise(SIGKILL);
}

static unsigned WINAPI wait_for_event(void *arg)
{
    return WaitForSingleObject(arg, PATIENCE_MS);
}

static void survive(void)
{
    HANDLE event = CreateEventA(NULL, FALSE, FALSE, "unit"), mutex = CreateMutexA(NULL, FALSE, "owned");

    for (int i = 0; i < 20; i++) {
        HANDLE thread = (HANDLE)_beginthreadex(NULL, 0, wait_for_event, event, 0, NULL);
        DWORD code = 1;
        pid_t pid;

        die_with_file_lock = i % 2;
        pid = begin(die_locked);
        CHECK_EQ(WaitForSingleObject(thread, PATIENCE_MS), WAIT_OBJECT_0);
        CHECK(GetExitCodeThread(thread, &code) && code == WAIT_OBJECT_0);
        CHECK_EQ(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
        CHECK_EQ(WaitForSingleObject(mutex, PATIENCE_MS), WAIT_ABANDONED);
        CHECK(ReleaseMutex(mutex));
        CHECK_EQ(waitpid(pid, NULL, 0), pid);
        CloseHandle(thread);
    }
    CloseHandle(event);
    CloseHandle(mutex);
    is_shared();
}

TEST(killed_with_the_locks)
{
    alone(survive);
}

static void own_and_die(void)
{
    HANDLE mutex = OpenMutexA(MUTEX_ALL_ACCESS, FALSE, "owned");

    CHECK(mutex && WaitForSingleObject(mutex, PATIENCE_MS) == WAIT_OBJECT_0);
    sign();
    pause();
}

static void notice(void)
{
    HANDLE mutex = CreateMutexA(NULL, FALSE, "owned");

    CHECK_EQ(pipe(signs), 0);
    for (int i = 0; i < 6; i++) {
        HANDLE thread;
        DWORD code = 1;
        pid_t pid = begin(own_and_die);

        await_sign();
        thread = (HANDLE)_beginthreadex(NULL, 0, wait_for_event, mutex, 0, NULL);
        CHECK_EQ(WaitForSingleObject(thread, 10), WAIT_TIMEOUT);
        end_killed(pid);
        CHECK_EQ(WaitForSingleObject(thread, PATIENCE_MS), WAIT_OBJECT_0);
        CHECK(GetExitCodeThread(thread, &code) && code == WAIT_ABANDONED);
        CloseHandle(thread);
        CHECK_EQ(WaitForSingleObject(mutex, PATIENCE_MS), WAIT_ABANDONED); /* that thread has ended, too */
        CHECK(ReleaseMutex(mutex));
    }
}

static void notice_by_asking(void)
{
    os_fault = fail_one;
    failing = "pidfd_open";
    failing_with = -ENOSYS;
    notice();
}

TEST(owner_dies)
{
    alone(notice);
}

TEST(owner_dies_without_pidfds)
{
    alone(notice_by_asking);
}

static _Atomic int asked;
static int burials[2];

/* The waiter stands in the queue and has nobody's end watched yet: the owner dies, a third buries it. */
static int wait_for_the_burial(const char *call)
{
    char byte;

    if (strcmp(call, "epoll_ctl") == 0 && atomic_exchange(&asked, 1) == 0) {
        sign();
        CHECK_EQ(read(burials[0], &byte, 1), 1);
    }
    return 0;
}

static void wait_in_time(void)
{
    HANDLE mutex = OpenMutexA(MUTEX_ALL_ACCESS, FALSE, "owned");

    os_fault = wait_for_the_burial;
    CHECK_EQ(WaitForSingleObject(mutex, PATIENCE_MS), WAIT_ABANDONED);
}

static void own_and_leave_a_name(void)
{
    CHECK(CreateEventA(NULL, FALSE, FALSE, "the owner's") != NULL);
    own_and_die();
}

static void find_nothing(void)
{
    CHECK(OpenEventA(EVENT_ALL_ACCESS, FALSE, "the owner's") == NULL);
}

static void bury_between(void)
{
    HANDLE mutex = CreateMutexA(NULL, FALSE, "owned");
    pid_t owner, waiter;

    CHECK(mutex != NULL);
    CHECK_EQ(pipe(signs), 0);
    CHECK_EQ(pipe(burials), 0);
    owner = begin(own_and_leave_a_name);
    await_sign();
    waiter = begin(wait_in_time);
    await_sign();
    end_killed(owner);
    end(begin(find_nothing));
    CHECK_EQ(write(burials[1], "", 1), 1);
    end(waiter);
}

TEST(owner_dies_before_it_is_watched)
{
    alone(bury_between);
}

/* ---- what cannot be had ---- */

static _Atomic int refusing, joined;

/* The first attempt to hear fails, once a second thread stands in the queue and trusts it. */
static int refuse_when_joined(const char *call)
{
    if (strcmp(call, "epoll_ctl") != 0 || atomic_exchange(&refusing, 0) == 0)
        return 0;
    while (!atomic_load(&joined))
        sched_yield();
    return -ENOMEM;
}

static unsigned in_queue(HANDLE event)
{
    struct object *obj;
    struct dispatcher *d;
    unsigned n = 0;

    if (!CHECK_EQ(handle_get((uintptr_t)event, OBJECT_EVENT, &obj, NULL), STATUS_SUCCESS))
        return 0;
    d = obj->type->dispatcher(obj);
    lock_acquire(&d->lock);
    list_for_each(l, &d->waiters)
        n++;
    lock_release(&d->lock);
    object_put(obj);
    return n;
}

/* Whoever has joined one that cannot hear is told as well. */
static void refuse_both(void)
{
    HANDLE event = CreateEventA(NULL, FALSE, FALSE, "unit"), threads[2];
    DWORD code;

    CHECK(GetThreadId(GetCurrentThread()) != 0 && WaitForSingleObject(event, 0) == WAIT_TIMEOUT);
    os_fault = refuse_when_joined;
    refusing = 1;
    for (unsigned i = 0; i < 2; i++) {
        threads[i] = (HANDLE)_beginthreadex(NULL, 0, wait_for_event, event, 0, NULL);
        while (in_queue(event) < i + 2) /* the bell is there, too */
            sched_yield();
    }
    joined = 1;
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(WaitForSingleObject(threads[i], PATIENCE_MS / 2), WAIT_OBJECT_0);
        CHECK(GetExitCodeThread(threads[i], &code) && code == WAIT_FAILED);
        CloseHandle(threads[i]);
    }
    /* The next one tries again. */
    threads[0] = (HANDLE)_beginthreadex(NULL, 0, wait_for_event, event, 0, NULL);
    while (in_queue(event) < 2)
        sched_yield();
    end(begin(set_and_leave));
    CHECK_EQ(WaitForSingleObject(threads[0], PATIENCE_MS), WAIT_OBJECT_0);
    CHECK(GetExitCodeThread(threads[0], &code) && code == WAIT_OBJECT_0);
}

TEST(nothing_would_be_heard)
{
    alone(refuse_both);
}

/* A packet is refused if its event's setting elsewhere would not be heard of. */
static void refuse_packet(void)
{
    HANDLE event = CreateEventA(NULL, FALSE, FALSE, "unit"), packet = NULL;
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    OVERLAPPED *ov = NULL;
    ULONG_PTR key = 0;
    DWORD bytes;

    CHECK_EQ(NtCreateWaitCompletionPacket(&packet, MAXIMUM_ALLOWED, NULL), STATUS_SUCCESS);
    os_fault = fail_one;
    failing = "epoll_ctl";
    failing_with = -ENOMEM;
    CHECK_EQ((uint32_t)NtAssociateWaitCompletionPacket(packet, port, event, (PVOID)7, NULL, 0, 0, NULL),
             STATUS_INSUFFICIENT_RESOURCES);
    failing = NULL;
    CHECK_EQ(NtAssociateWaitCompletionPacket(packet, port, event, (PVOID)7, NULL, 0, 0, NULL),
             STATUS_SUCCESS);
    end(begin(set_and_leave));
    CHECK(GetQueuedCompletionStatus(port, &bytes, &key, &ov, PATIENCE_MS) && key == 7);
}

TEST(packet_would_not_be_told)
{
    alone(refuse_packet);
}

/* ---- bells ---- */

static void wait_for_other(void)
{
    HANDLE event = OpenEventA(EVENT_ALL_ACCESS, FALSE, "other");

    sign();
    CHECK_EQ(WaitForSingleObject(event, PATIENCE_MS), WAIT_OBJECT_0);
}

static void wait_for_unit(void)
{
    HANDLE event = OpenEventA(EVENT_ALL_ACCESS, FALSE, "unit");

    sign();
    CHECK_EQ(WaitForSingleObject(event, PATIENCE_MS), WAIT_OBJECT_0);
}

/* Does another process stand among the waiting? */
static bool has_waiter(const char *name)
{
    int index;
    bool waits;

    shared_lock(&shared_file.layout->lock);
    index = shared_slot_find_locked(name);
    waits = CHECK(index >= 0) && !shared_set_empty(&shared_file.layout->slots[index].waiting);
    shared_unlock(&shared_file.layout->lock);
    return waits;
}

/* A process that is stopped does not keep what is rung from others. */
static void pass_by_the_stopped(void)
{
    HANDLE other = CreateEventA(NULL, TRUE, FALSE, "other"), event = CreateEventA(NULL, FALSE, FALSE, "unit");
    pid_t stopped, waiter;

    CHECK_EQ(pipe(signs), 0);
    stopped = begin(wait_for_other);
    waiter = begin(wait_for_unit);
    await_sign();
    await_sign();
    while (!has_waiter("other") || !has_waiter("unit"))
        sched_yield();
    kill(stopped, SIGSTOP);
    CHECK_EQ(waitpid(stopped, NULL, WUNTRACED), stopped);
    for (int i = 0; i < 2000; i++)
        CHECK(SetEvent(other) && ResetEvent(other));
    CHECK(SetEvent(event));
    end(waiter);
    CHECK(SetEvent(other));
    kill(stopped, SIGCONT);
    end(stopped);
}

TEST(one_waiter_is_stopped)
{
    alone(pass_by_the_stopped);
}

static void ring_often(void)
{
    HANDLE other = OpenEventA(EVENT_ALL_ACCESS, FALSE, "other");
    HANDLE event = OpenEventA(EVENT_ALL_ACCESS, FALSE, "unit");

    CHECK(other && event);
    for (int i = 0; i < 20000; i++)
        CHECK(SetEvent(other) && ResetEvent(other));
    CHECK(SetEvent(event));
}

/* While the reader is stopped its bell overflows; what was rung last is heard all the same. */
static void hear_all(void)
{
    HANDLE events[2] = {CreateEventA(NULL, FALSE, FALSE, "unit"), CreateEventA(NULL, TRUE, FALSE, "other")};
    HANDLE threads[2];

    for (int i = 0; i < 2; i++)
        threads[i] = (HANDLE)_beginthreadex(NULL, 0, wait_for_event, events[i], 0, NULL);
    for (int i = 0; i < 2; i++)
        CHECK_EQ(WaitForSingleObject(threads[i], i == 0 ? 50 : 0), WAIT_TIMEOUT);
    sign();
    CHECK_EQ(WaitForSingleObject(threads[0], PATIENCE_MS), WAIT_OBJECT_0);
    SetEvent(events[1]);
    CHECK_EQ(WaitForSingleObject(threads[1], PATIENCE_MS), WAIT_OBJECT_0);
}

static void overflow(void)
{
    pid_t reader;

    CHECK_EQ(pipe(signs), 0);
    reader = begin(hear_all);
    await_sign();
    kill(reader, SIGSTOP);
    end(begin(ring_often));
    kill(reader, SIGCONT);
    end(reader);
}

TEST(bell_overflows)
{
    alone(overflow);
}

/* ---- programs gone mad ---- */

static uint64_t seed;

static uint64_t next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* Mostly where something is. */
static size_t anywhere(void)
{
    static const size_t parts[4][2] = {
        {16, 1024},
        {offsetof(struct shared_layout, processes), sizeof shared_file.layout->processes[0] * 4},
        {offsetof(struct shared_layout, slots), sizeof(struct shared_slot) * 16},
        {16, sizeof(struct shared_layout) - 16 - 64}};
    const size_t *part = parts[next_random() % 4];

    return part[0] + next_random() % part[1];
}

/* Writes all over the file, but for what says which file it is. */
static void scribble(void)
{
    int fd = open(file_path(), O_RDWR);

    CHECK(fd >= 0);
    seed = 88172645463325252u;
    for (int i = 0; i < 20000; i++) {
        uint64_t words[8];

        for (int k = 0; k < 8; k++)
            words[k] = next_random() >> next_random() % 64;
        if (pwrite(fd, words, 1 + next_random() % sizeof words, (off_t)anywhere()) < 0)
            break;
    }
}

static void use_all(void)
{
    HANDLE event = CreateEventA(NULL, FALSE, FALSE, "mad event");
    HANDLE mutex = CreateMutexA(NULL, FALSE, "mad mutex");
    HANDLE semaphore = CreateSemaphoreA(NULL, 1, 2, "mad semaphore");
    HANDLE all[3] = {event, mutex, semaphore};

    for (int i = 0; i < 3; i++) {
        if (all[i])
            WaitForSingleObject(all[i], 1);
    }
    if (event && mutex && semaphore)
        WaitForMultipleObjects(3, all, (int)(GetTickCount() & 1), 1);
    SetEvent(event);
    ReleaseMutex(mutex);
    ReleaseSemaphore(semaphore, 1, NULL);
    for (int i = 0; i < 3; i++)
        CloseHandle(all[i]);
    CloseHandle(OpenEventA(EVENT_ALL_ACCESS, FALSE, "mad event"));
}

/* No crash, no hang; what the calls say is nobody's business. */
static void go_mad(void)
{
    use_all();
    for (int i = 0; i < 10; i++) {
        pid_t pid = begin(scribble);

        for (int k = 0; k < 200; k++)
            use_all();
        CHECK_EQ(waitpid(pid, NULL, 0), pid);
        use_all();
    }
}

TEST(garbage)
{
    alone(go_mad);
}

static void close_everything(void)
{
    HANDLE event = CreateEventA(NULL, FALSE, FALSE, "unit"), mutex = CreateMutexA(NULL, TRUE, "owned");

    CHECK(event && mutex);
    close(shared_file.fd); /* and with it, all locks */
    end(begin(is_shared)); /* takes over what the dead seem to have left */
    CHECK(SetEvent(event));
    CHECK_EQ(WaitForSingleObject(event, PATIENCE_MS), WAIT_OBJECT_0);
    CHECK_EQ(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
    CHECK_EQ(WaitForSingleObject(mutex, 0), WAIT_OBJECT_0);
    CHECK(ReleaseMutex(mutex) && ReleaseMutex(mutex));
    CHECK(CloseHandle(event) && CloseHandle(mutex));
}

TEST(descriptor_closed_by_the_program)
{
    alone(close_everything);
}

/* ---- handles and waiters ---- */

static void open_and_stay(void)
{
    HANDLE event = OpenEventA(EVENT_ALL_ACCESS, FALSE, "unit");

    CHECK(event != NULL);
    sign();
    pause();
}

/* Not implemented while another process has it. */
static void pulse(void)
{
    HANDLE event = CreateEventA(NULL, FALSE, FALSE, "unit");
    pid_t pid;

    CHECK_EQ(pipe(signs), 0);
    CHECK(PulseEvent(event));
    pid = begin(open_and_stay);
    await_sign();
    CHECK(!PulseEvent(event));
    CHECK_EQ(GetLastError(), ERROR_CALL_NOT_IMPLEMENTED);
    end_killed(pid);
    CHECK(PulseEvent(event));
}

TEST(pulse_of_what_others_have)
{
    alone(pulse);
}

/* The last handle here is closed while a thread waits and another process has the object: what the name
 * gives then is the same object. */
static void come_back(void)
{
    HANDLE event = CreateEventA(NULL, FALSE, FALSE, "unit"), thread;
    pid_t pid;

    CHECK_EQ(pipe(signs), 0);
    pid = begin(open_and_stay);
    await_sign();
    thread = (HANDLE)_beginthreadex(NULL, 0, wait_for_event, event, 0, NULL);
    while (in_queue(event) < 2) /* the thread, and the bell */
        sched_yield();
    CHECK(CloseHandle(event));
    event = CreateEventA(NULL, TRUE, FALSE, "unit");
    CHECK_EQ(GetLastError(), ERROR_ALREADY_EXISTS);
    CHECK(SetEvent(event));
    CHECK_EQ(WaitForSingleObject(thread, PATIENCE_MS), WAIT_OBJECT_0);
    CHECK_EQ(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
    CHECK(CloseHandle(event) && CloseHandle(thread));
    end_killed(pid);
    CHECK(OpenEventA(EVENT_ALL_ACCESS, FALSE, "unit") == NULL);
}

TEST(reopened_while_a_thread_waits)
{
    alone(come_back);
}

/* A mutex that its owner forgets is gone with its last handle, and takes no room. */
static void forget_mutexes(void)
{
    HANDLE event = CreateEventA(NULL, FALSE, FALSE, "owned"), mutex;

    CHECK(event && CloseHandle(event));
    for (int i = 0; i < SHARED_SLOTS + 1000; i++) {
        mutex = CreateMutexA(NULL, TRUE, "owned");
        if (!CHECK(mutex != NULL && GetLastError() == 0))
            return;
        if (i % 3 == 0)
            CHECK_EQ(WaitForSingleObject(mutex, 0), WAIT_OBJECT_0);
        CHECK(CloseHandle(mutex));
    }
    for (int i = 0; i < SHARED_SLOTS; i++)
        CHECK(shared_set_empty(&shared_file.layout->slots[i].users));
}

TEST(owned_mutexes_are_closed)
{
    alone(forget_mutexes);
}

static void own_and_close(void)
{
    HANDLE mutex = OpenMutexA(MUTEX_ALL_ACCESS, FALSE, "owned");

    CHECK_EQ(WaitForSingleObject(mutex, PATIENCE_MS), WAIT_OBJECT_0);
    CHECK(CloseHandle(mutex));
    sign();
    pause();
}

/* But as long as anybody has a handle it is owned. */
static void closed_but_owned(void)
{
    HANDLE mutex = CreateMutexA(NULL, FALSE, "owned");
    pid_t pid;

    CHECK_EQ(pipe(signs), 0);
    pid = begin(own_and_close);
    await_sign();
    CHECK_EQ(WaitForSingleObject(mutex, 10), WAIT_TIMEOUT);
    end_killed(pid);
    CHECK_EQ(WaitForSingleObject(mutex, PATIENCE_MS), WAIT_ABANDONED);
}

TEST(owner_closes_but_others_do_not)
{
    alone(closed_but_owned);
}

static volatile LONG owners, mistakes;

/* Alone between the two, because all have opened the same mutex, whoever has made it. */
static unsigned WINAPI open_and_close(void *arg)
{
    (void)arg;
    for (int i = 0; i < 2000; i++) {
        HANDLE mutex = CreateMutexA(NULL, FALSE, "short-lived");

        if (!mutex || WaitForSingleObject(mutex, PATIENCE_MS) != WAIT_OBJECT_0)
            InterlockedIncrement(&mistakes);
        if (InterlockedIncrement(&owners) != 1)
            InterlockedIncrement(&mistakes);
        InterlockedDecrement(&owners);
        if (!ReleaseMutex(mutex))
            InterlockedIncrement(&mistakes);
        CloseHandle(mutex);
    }
    return 0;
}

static void open_in_threads(void)
{
    HANDLE threads[4];

    for (int i = 0; i < 4; i++)
        threads[i] = (HANDLE)_beginthreadex(NULL, 0, open_and_close, NULL, 0, NULL);
    CHECK_EQ(WaitForMultipleObjects(4, threads, TRUE, PATIENCE_MS), WAIT_OBJECT_0);
    CHECK_EQ(mistakes, 0);
}

static void open_here(void)
{
    open_in_threads();
    CHECK(OpenMutexA(MUTEX_ALL_ACCESS, FALSE, "short-lived") == NULL);
}

static void open_in_processes(void)
{
    pid_t pids[2] = {begin(open_in_threads), begin(open_in_threads)};

    end(pids[0]);
    end(pids[1]);
    end(begin(open_here));
    setenv("IOCP_NAMES", "local", 1);
    end(begin(open_here));
}

TEST(opened_while_it_is_being_closed)
{
    alone(open_in_processes);
}
