/* SPDX-License-Identifier: MIT */
/*
 * Files from inside: transfers on both paths (page cache, engine), the rules of the end, share
 * modes, deletion, listings, and streams. What programs see is tested in tests/conform/file*.c.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "io/disk.h"

#include "base/clock.h"
#include "io/cancel.h"
#include "io/disk_info.h"
#include "io/disk_name.h"
#include "io/find.h"
#include "io/request.h"
#include "io/stream.h"
#include "ntstatus.h"
#include "object/handle.h"
#include "place.h"
#include "unit.h"
#include "wait/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define FILE_BOTH (FILE_GENERIC_READ | FILE_GENERIC_WRITE)

static const char *name(const char *leaf)
{
    static char dir[] = "/tmp/iocp-disk-XXXXXX";
    static char path[4][64];
    static unsigned next;
    static int made;
    char *out = path[next++ % 4];

    if (!made++)
        place_make(dir);
    snprintf(out, sizeof path[0], "%s/%s", dir, leaf);
    return out;
}

static struct file *open_as(const char *path, uint32_t access, uint8_t share, int disposition,
                            uint32_t flags, uint32_t *status)
{
    struct disk_how how = {.access = access, .share = share, .disposition = (uint8_t)disposition,
                           .flags = flags};
    struct file *f = NULL;
    uintptr_t h;
    bool existed;

    *status = disk_open(path, &how, &f, &existed);
    if (*status == 0) {
        file_get(f); /* for the test: publication gives its own reference to the handle */
        *status = file_publish(f, 0, &h);
    }
    return f;
}

static void close_file(struct file *f)
{
    handle_close((uintptr_t)f->fd);
    file_put(f);
}

static uint32_t start(struct file *f, OVERLAPPED *ov, void *buf, size_t size, uint64_t offset, bool write)
{
    struct request *r;
    uint32_t status;

    memset(ov, 0, sizeof *ov);
    status = request_new(f, ov, true, &r);
    if (status)
        return status;
    request_set_buf(r, buf, size);
    r->offset = offset;
    request_begin(r);
    return write ? f->ops->write(r) : f->ops->read(r);
}

/* Starts and waits; gives the final status. */
static uint32_t whole(struct file *f, void *buf, size_t size, uint64_t offset, bool write, size_t *bytes)
{
    OVERLAPPED ov;
    uint32_t status = start(f, &ov, buf, size, offset, write);
    uint64_t limit = clock_now_ns() + 10 * NS_PER_SEC;

    if (status == STATUS_PENDING) {
        while (__atomic_load_n(&ov.Internal, __ATOMIC_ACQUIRE) == STATUS_PENDING && clock_now_ns() < limit)
            wait_for_one(&f->dispatcher, false, deadline_from_ms(100));
        status = (uint32_t)ov.Internal;
    }
    *bytes = (size_t)ov.InternalHigh;
    return status;
}

static void transfers(uint32_t flags)
{
    uint32_t status;
    struct file *f = open_as(name("t"), FILE_BOTH, 0, DISK_CREATE_ALWAYS, FILE_OVERLAPPED | flags, &status);
    uint64_t far = UINT64_C(5) << 30;
    size_t bytes;
    char *buf = aligned_alloc(4096, 8192);

    CHECK_EQ(status, 0);
    memset(buf, 'a', 8192);
    CHECK_EQ(whole(f, buf, 8192, 0, true, &bytes), 0);
    CHECK_EQ(bytes, 8192);
    CHECK_EQ(whole(f, buf, 4096, far, true, &bytes), 0);
    memset(buf, 0, 8192);
    CHECK_EQ(whole(f, buf, 8192, far, false, &bytes), 0); /* crosses the end */
    CHECK_EQ(bytes, 4096);
    CHECK_EQ(buf[4095], 'a');
    CHECK_EQ(whole(f, buf, 4096, far + 4096, false, &bytes), STATUS_END_OF_FILE);
    CHECK_EQ(whole(f, buf, 4096, far + 8192, false, &bytes), STATUS_END_OF_FILE);
    CHECK_EQ(whole(f, buf, 0, 0, true, &bytes), 0);
    CHECK_EQ(bytes, 0);
    CHECK_EQ(whole(f, buf, 4096, DISK_APPEND, true, &bytes), 0);
    CHECK_EQ(whole(f, buf, 4096, far + 4096, false, &bytes), 0);
    CHECK_EQ(bytes, 4096);
    if (flags & FILE_DIRECT)
        CHECK_EQ(whole(f, buf, 100, 0, false, &bytes), STATUS_INVALID_PARAMETER);
    close_file(f);
    free(buf);
}

TEST(buffered_transfers)
{
    transfers(0);
}

/* O_DIRECT is never tried inline, so this goes to the engine. */
TEST(engine_transfers)
{
    transfers(FILE_DIRECT);
}

TEST(outstanding_reads)
{
    enum { N = 64 };
    static OVERLAPPED ov[N];
    uint32_t status;
    struct file *f = open_as(name("n"), FILE_BOTH, 0, DISK_CREATE_ALWAYS, FILE_OVERLAPPED | FILE_DIRECT,
                             &status);
    char *buf = aligned_alloc(4096, N * 4096);
    size_t bytes;
    int wrong = 0;

    for (int i = 0; i < N; i++)
        memset(buf + i * 4096, i + 1, 4096);
    CHECK_EQ(whole(f, buf, N * 4096, 0, true, &bytes), 0);
    memset(buf, 0, N * 4096);
    for (int i = 0; i < N; i++)
        wrong += start(f, &ov[i], buf + i * 4096, 4096, (uint64_t)i * 4096, false) != STATUS_PENDING;
    CHECK_EQ(wrong, 0);
    for (int i = 0; i < N; i++) {
        CHECK(WITHIN(20000, __atomic_load_n(&ov[i].Internal, __ATOMIC_ACQUIRE) != STATUS_PENDING));
        wrong += ov[i].Internal != 0 || ov[i].InternalHigh != 4096 || buf[i * 4096 + 77] != i + 1;
    }
    CHECK_EQ(wrong, 0);
    close_file(f);
    free(buf);
}

TEST(close_cancels_or_finishes)
{
    enum { N = 200 };
    static OVERLAPPED ov[N];
    static char buf[N][4096] __attribute__((aligned(4096)));
    int wrong = 0;

    for (int round = 0; round < 20; round++) {
        uint32_t status;
        struct file *f = open_as(name("c"), FILE_BOTH, 0, DISK_CREATE_ALWAYS, FILE_OVERLAPPED | FILE_DIRECT,
                                 &status);
        struct cancel_match all = {.ov = NULL};

        CHECK_EQ(ftruncate(f->fd, N * 4096), 0);
        for (int i = 0; i < N; i++)
            wrong += start(f, &ov[i], buf[i], 4096, (uint64_t)i * 4096, false) != STATUS_PENDING;
        if (round & 1)
            cancel_requests(f, &all);
        close_file(f);
        for (int i = 0; i < N; i++) {
            CHECK(WITHIN(20000, __atomic_load_n(&ov[i].Internal, __ATOMIC_ACQUIRE) != STATUS_PENDING));
            wrong += ov[i].Internal != 0 && ov[i].Internal != STATUS_CANCELLED;
        }
    }
    CHECK_EQ(wrong, 0);
}

TEST(synchronous)
{
    uint32_t status, n;
    uint64_t offset = 2;
    char buf[16] = "hello";
    struct file *f = open_as(name("s"), FILE_BOTH, 0, DISK_CREATE_ALWAYS, 0, &status);

    CHECK_EQ(f->ops->write_sync(f, buf, 5, NULL, &n), 0);
    CHECK_EQ(n, 5);
    CHECK_EQ(f->ops->read_sync(f, buf, 5, NULL, &n), 0); /* at the end: success and nothing */
    CHECK_EQ(n, 0);
    CHECK_EQ(f->ops->read_sync(f, buf, 5, &offset, &n), 0);
    CHECK_EQ(n, 3);
    CHECK_EQ(lseek(f->fd, 0, SEEK_CUR), 5); /* the position went along */
    offset = 5;
    CHECK_EQ(f->ops->read_sync(f, buf, 5, &offset, &n), STATUS_END_OF_FILE);
    close_file(f);
    f = open_as(name("s"), FILE_APPEND_DATA, 0, DISK_OPEN_EXISTING, 0, &status);
    CHECK_EQ(status, 0);
    CHECK_EQ(f->ops->write_sync(f, "++", 2, NULL, &n), 0);
    CHECK_EQ(lseek(f->fd, 0, SEEK_END), 7);
    close_file(f);
}

/* Many threads, one synchronous handle: no transfer is torn, all of them land. */
static struct file *turns;

static void *take_turns(void *arg)
{
    char line[32];
    uint32_t n;

    memset(line, (int)(intptr_t)arg, sizeof line);
    for (int i = 0; i < 500; i++)
        turns->ops->write_sync(turns, line, sizeof line, NULL, &n);
    return NULL;
}

TEST(one_at_a_time)
{
    pthread_t threads[4];
    uint32_t status;
    char line[32];
    int torn = 0;

    turns = open_as(name("o"), FILE_BOTH, 0, DISK_CREATE_ALWAYS, 0, &status);
    for (intptr_t i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, take_turns, (void *)('a' + i));
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    CHECK_EQ(lseek(turns->fd, 0, SEEK_END), 4 * 500 * 32);
    for (int i = 0; i < 4 * 500; i++) {
        CHECK_EQ(pread(turns->fd, line, sizeof line, i * 32), 32);
        torn += memcmp(line, line + 1, 31) != 0;
    }
    CHECK_EQ(torn, 0);
    close_file(turns);
}

TEST(share_modes)
{
    uint32_t status;
    struct file *a = open_as(name("m"), FILE_GENERIC_WRITE, SHARE_READ, DISK_CREATE_ALWAYS, 0, &status);
    struct file *b;

    CHECK_EQ(status, 0);
    open_as(name("m"), FILE_GENERIC_WRITE, SHARE_ALL, DISK_OPEN_EXISTING, 0, &status);
    CHECK_EQ(status, STATUS_SHARING_VIOLATION);
    open_as(name("m"), FILE_GENERIC_READ, SHARE_READ, DISK_OPEN_EXISTING, 0, &status);
    CHECK_EQ(status, STATUS_SHARING_VIOLATION); /* it does not allow the writer that is there */
    b = open_as(name("m"), FILE_GENERIC_READ, SHARE_ALL, DISK_OPEN_EXISTING, 0, &status);
    CHECK_EQ(status, 0);
    CHECK_EQ(disk_delete(name("m")), STATUS_SHARING_VIOLATION);
    close_file(a);
    open_as(name("m"), FILE_GENERIC_WRITE, 0, DISK_OPEN_EXISTING, 0, &status);
    CHECK_EQ(status, STATUS_SHARING_VIOLATION);
    CHECK_EQ(disk_delete(name("m")), 0);
    close_file(b);
}

/* Another process sees locks of a descriptor that is not its own; so does a second one here. */
TEST(share_between_processes)
{
    uint32_t status;
    struct file *a = open_as(name("p"), FILE_BOTH, 0, DISK_CREATE_ALWAYS, 0, &status);
    int fd = open(name("p"), O_RDONLY);
    struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = INT64_C(0x7FFFFFFFFFFFFF00) + 3,
                       .l_len = 1};

    CHECK_EQ(status, 0);
    CHECK_EQ(fcntl(fd, F_OFD_GETLK, &fl), 0); /* "reading is forbidden" is to be seen */
    CHECK_EQ(fl.l_type, F_RDLCK);
    close_file(a);
    fl.l_type = F_WRLCK;
    fl.l_pid = 0;
    CHECK_EQ(fcntl(fd, F_OFD_GETLK, &fl), 0);
    CHECK_EQ(fl.l_type, F_UNLCK);
    close(fd);
}

TEST(delete_on_close)
{
    uint32_t status;
    struct file *a = open_as(name("d"), FILE_BOTH, SHARE_ALL, DISK_CREATE_NEW, FILE_DELETE_AT_CLOSE, &status);
    struct file *b = open_as(name("d"), FILE_GENERIC_READ, SHARE_ALL, DISK_OPEN_EXISTING, 0, &status);

    CHECK_EQ(status, 0);
    close_file(a);
    CHECK_EQ(access(name("d"), F_OK), 0); /* somebody has it open still */
    open_as(name("d"), FILE_GENERIC_READ, SHARE_ALL, DISK_OPEN_EXISTING, 0, &status);
    CHECK_EQ(status, STATUS_DELETE_PENDING);
    close_file(b);
    CHECK_EQ(access(name("d"), F_OK), -1);
}

/* The number was closed behind our back, and another file has it: that one keeps its name and its share. */
TEST(deletes_no_stranger)
{
    uint32_t status;
    struct file *a = open_as(name("k1"), FILE_BOTH, SHARE_ALL, DISK_CREATE_NEW, FILE_DELETE_AT_CLOSE,
                             &status);
    int number = a->fd;
    struct file *b;
    struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = INT64_C(0x7FFFFFFFFFFFFF00) + 3,
                       .l_len = 1};
    int fd;

    CHECK_EQ(status, 0);
    close(number);
    b = open_as(name("k2"), FILE_BOTH, 0, DISK_CREATE_NEW, 0, &status);
    CHECK_EQ(status, 0);
    CHECK_EQ(b->fd, number);
    CHECK_EQ(access(name("k2"), F_OK), 0);
    fd = open(name("k2"), O_RDONLY | O_CLOEXEC);
    CHECK_EQ(fcntl(fd, F_OFD_GETLK, &fl), 0);
    CHECK_EQ(fl.l_type, F_RDLCK);
    close(fd);
    file_put(a);
    close_file(b);
    CHECK_EQ(access(name("k2"), F_OK), 0);
    unlink(name("k1"));
    unlink(name("k2"));
}

/* The first number is given up, the file goes on under a duplicate's: that finds its name. */
TEST(deletes_under_another_number)
{
    uint32_t status;
    struct file *f = open_as(name("n1"), FILE_BOTH, SHARE_ALL, DISK_CREATE_NEW, FILE_DELETE_AT_CLOSE,
                             &status);
    int number = f->fd;
    int stranger;
    uintptr_t copy;

    CHECK_EQ(status, 0);
    CHECK_EQ(file_duplicate(f, fcntl(number, F_DUPFD_CLOEXEC, 3), FILE_BOTH, 0, &copy), 0);
    CHECK_EQ(file_release(number), 0);
    close(number);
    stranger = open(name("n2"), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    CHECK_EQ(stranger, number);
    CHECK_EQ(handle_close(copy), 0);
    file_put(f);
    CHECK_EQ(access(name("n2"), F_OK), 0);
    CHECK_EQ(access(name("n1"), F_OK), -1);
    close(stranger);
    unlink(name("n2"));
}

enum { MOMENTS = 1000 };

static pthread_barrier_t moment;
static uintptr_t closed_meanwhile;

static void *close_meanwhile(void *arg)
{
    for (int i = 0; i < MOMENTS; i++) {
        pthread_barrier_wait(&moment);
        CHECK_EQ(handle_close(closed_meanwhile), 0);
        pthread_barrier_wait(&moment);
    }
    return arg;
}

/* The number that the file would go on under is closed in that moment: it goes on under one that is not. */
TEST(first_number_and_a_duplicate_go)
{
    pthread_t closer;

    pthread_barrier_init(&moment, NULL, 2);
    CHECK_EQ(pthread_create(&closer, NULL, close_meanwhile, NULL), 0);
    for (int i = 0; i < MOMENTS; i++) {
        uint32_t status;
        struct file *f =
            open_as(name("m"), FILE_BOTH, SHARE_ALL, DISK_OPEN_ALWAYS, FILE_DELETE_AT_CLOSE, &status);
        int number = f->fd;
        uintptr_t stays;

        CHECK_EQ(status, 0);
        CHECK_EQ(file_duplicate(f, fcntl(number, F_DUPFD_CLOEXEC, 3), FILE_BOTH, 0, &stays), 0);
        CHECK_EQ(file_duplicate(f, fcntl(number, F_DUPFD_CLOEXEC, 3), FILE_BOTH, 0, &closed_meanwhile), 0);
        pthread_barrier_wait(&moment);
        CHECK_EQ(file_release(number), 0);
        pthread_barrier_wait(&moment);
        close(number);
        CHECK(fcntl(f->fd, F_GETFD) >= 0);
        CHECK_EQ(handle_close(stays), 0);
        file_put(f);
        CHECK(fcntl((int)stays, F_GETFD) < 0);
        CHECK(fcntl((int)closed_meanwhile, F_GETFD) < 0);
    }
    CHECK_EQ(pthread_join(closer, NULL), 0);
    pthread_barrier_destroy(&moment);
}

TEST(dispositions)
{
    uint32_t status;
    struct file *f;

    open_as(name("x"), FILE_BOTH, 0, DISK_OPEN_EXISTING, 0, &status);
    CHECK_EQ(status, STATUS_OBJECT_NAME_NOT_FOUND);
    open_as(name("no/x"), FILE_BOTH, 0, DISK_CREATE_ALWAYS, 0, &status);
    CHECK_EQ(status, STATUS_OBJECT_PATH_NOT_FOUND);
    f = open_as(name("x"), FILE_BOTH, 0, DISK_CREATE_NEW, 0, &status);
    CHECK_EQ(status, 0);
    CHECK_EQ(write(f->fd, "abc", 3), 3);
    close_file(f);
    open_as(name("x"), FILE_BOTH, 0, DISK_CREATE_NEW, 0, &status);
    CHECK_EQ(status, STATUS_OBJECT_NAME_COLLISION);
    f = open_as(name("x"), FILE_GENERIC_READ, 0, DISK_CREATE_ALWAYS, 0, &status);
    CHECK_EQ(status, 0);
    CHECK_EQ(lseek(f->fd, 0, SEEK_END), 0);
    close_file(f);
    open_as("/tmp", FILE_GENERIC_READ, SHARE_ALL, DISK_OPEN_EXISTING, 0, &status);
    CHECK_EQ(status, STATUS_FILE_IS_A_DIRECTORY);
}

TEST(copy_move_list)
{
    struct find_entry entry;
    struct object *find;
    struct disk_info info;
    uint32_t status;
    struct file *f = open_as(name("l1.txt"), FILE_BOTH, 0, DISK_CREATE_ALWAYS, 0, &status);

    CHECK_EQ(write(f->fd, "abc", 3), 3);
    close_file(f);
    CHECK_EQ(disk_copy(name("l1.txt"), name("l2.txt"), true), 0);
    CHECK_EQ(disk_copy(name("l1.txt"), name("l2.txt"), true), STATUS_OBJECT_NAME_COLLISION);
    CHECK_EQ(disk_move(name("l2.txt"), name("l1.txt"), 0), STATUS_OBJECT_NAME_COLLISION);
    CHECK_EQ(disk_move(name("l2.txt"), name("l3.txt"), 0), 0);
    CHECK_EQ(disk_info_at(AT_FDCWD, name("l3.txt"), &info), 0);
    CHECK_EQ(info.size, 3);
    CHECK_EQ(find_begin(name("l*.txt"), &find, &entry), 0);
    CHECK_STR(entry.name, "l1.txt");
    CHECK_EQ(find_next(find, &entry), 0);
    CHECK_STR(entry.name, "l3.txt");
    CHECK_EQ(find_next(find, &entry), STATUS_NO_MORE_FILES);
    object_put(find);
    CHECK_EQ(find_begin(name("zz*"), &find, &entry), STATUS_NO_SUCH_FILE);
    CHECK_EQ(disk_set_attributes(-1, name("l3.txt"), FILE_ATTRIBUTE_READONLY), 0);
    CHECK_EQ(disk_delete(name("l3.txt")), STATUS_CANNOT_DELETE);
    open_as(name("l3.txt"), FILE_GENERIC_WRITE, 0, DISK_OPEN_EXISTING, 0, &status);
    CHECK_EQ(status, STATUS_ACCESS_DENIED);
    CHECK_EQ(disk_set_attributes(-1, name("l3.txt"), 0), 0);
    CHECK_EQ(disk_delete(name("l3.txt")), 0);
}

/* Two names of one file are held by one mark: a move that waited for its own would end as a violation. */
TEST(move_over_a_hard_link)
{
    struct disk_info info;
    uint32_t status;
    struct file *f = open_as(name("h1.txt"), FILE_BOTH, SHARE_ALL, DISK_CREATE_NEW, 0, &status);

    CHECK_EQ(status, 0);
    CHECK_EQ(link(name("h1.txt"), name("h2.txt")), 0);
    CHECK_EQ(disk_move(name("h1.txt"), name("h2.txt"), 0), STATUS_OBJECT_NAME_COLLISION);
    CHECK_EQ(disk_move(name("h1.txt"), name("h2.txt"), MOVE_REPLACE), 0);
    CHECK_EQ(disk_delete(name("h2.txt")), 0);
    close_file(f);
    CHECK_EQ(disk_info_at(AT_FDCWD, name("h2.txt"), &info), STATUS_OBJECT_NAME_NOT_FOUND);
    unlink(name("h1.txt"));
}

TEST(patterns)
{
    CHECK(find_matches("*", "abc"));
    CHECK(find_matches("*.*", "abc"));
    CHECK(find_matches("*.", "abc") && find_matches("*.", ".."));
    CHECK(!find_matches("*.", "a.c"));
    CHECK(find_matches("a*c", "abbc"));
    CHECK(find_matches("a?c", "abc"));
    CHECK(find_matches("abc?", "abc"));
    CHECK(!find_matches("a?c", "abbc"));
    CHECK(!find_matches("*.txt", "a.txt.bak"));
    CHECK(find_matches("*.t*t", "a.txt.tot"));
}

TEST(absolute_names)
{
    char out[4096];

    CHECK(disk_absolute("/a/./b/../c//d", out, sizeof out));
    CHECK_STR(out, "/a/c/d");
    CHECK(disk_absolute("/..", out, sizeof out));
    CHECK_STR(out, "/");
}

static void *write_later(void *arg)
{
    struct file *f = arg;
    uint32_t n;

    f->ops->write_sync(f, "late", 4, NULL, &n);
    return NULL;
}

TEST(pipes)
{
    struct file *in, *out;
    uintptr_t h[2];
    pthread_t thread;
    uint32_t n;
    char buf[8];

    CHECK_EQ(stream_pipe(0, &in, &out), 0);
    file_get(in);
    file_get(out);
    CHECK_EQ(file_publish(in, 0, &h[0]), 0);
    CHECK_EQ(file_publish(out, 0, &h[1]), 0);
    pthread_create(&thread, NULL, write_later, out);
    CHECK_EQ(in->ops->read_sync(in, buf, sizeof buf, NULL, &n), 0);
    CHECK_EQ(n, 4);
    pthread_join(thread, NULL);
    close_file(out);
    CHECK_EQ(in->ops->read_sync(in, buf, sizeof buf, NULL, &n), STATUS_PIPE_BROKEN);
    close_file(in);

    CHECK_EQ(stream_pipe(0, &in, &out), 0);
    file_put(in);
    CHECK_EQ(out->ops->write_sync(out, "x", 1, NULL, &n), STATUS_PIPE_CLOSING); /* and no SIGPIPE */
    file_put(out);
}

/* A device node of the test's own, never /dev/null itself. Only root can make one. */
TEST(devices_stay)
{
    const char *node = name("device"), *other = name("other");
    struct stat st;

    if (mknod(node, S_IFCHR | 0600, makedev(1, 3)) < 0)
        return;
    CHECK_EQ(disk_delete(node), STATUS_ACCESS_DENIED);
    CHECK_EQ(disk_move(node, other, MOVE_REPLACE), STATUS_ACCESS_DENIED);
    CHECK_EQ(close(open(other, O_CREAT | O_WRONLY, 0600)), 0);
    CHECK_EQ(disk_move(other, node, MOVE_REPLACE), STATUS_ACCESS_DENIED);
    CHECK_EQ(lstat(node, &st), 0);
    CHECK_EQ(S_ISCHR(st.st_mode), 1);
    unlink(node);
    unlink(other);
}

TEST(overlapped_on_an_adopted_pipe)
{
    int fds[2];
    struct file *in;
    OVERLAPPED ov;
    char buf[8];

    CHECK_EQ(pipe(fds), 0);
    CHECK_EQ(file_from_handle((uintptr_t)fds[0], true, &in, NULL), 0);
    CHECK_EQ(start(in, &ov, buf, sizeof buf, 0, false), STATUS_PENDING);
    CHECK_EQ(fcntl(fds[0], F_GETFL) & O_NONBLOCK, 0);
    CHECK_EQ(write(fds[1], "ab", 2), 2);
    CHECK_EQ(wait_for_one(&in->dispatcher, false, deadline_from_ms(5000)), 0);
    CHECK_EQ(ov.InternalHigh, 2);
    CHECK_EQ(start(in, &ov, buf, 0, 0, false), STATUS_PENDING); /* waits, takes nothing */
    CHECK_EQ(write(fds[1], "c", 1), 1);
    CHECK_EQ(wait_for_one(&in->dispatcher, false, deadline_from_ms(5000)), 0);
    CHECK_EQ(ov.InternalHigh, 0);
    CHECK_EQ(read(fds[0], buf, sizeof buf), 1);
    CHECK_EQ(start(in, &ov, buf, sizeof buf, 0, false), STATUS_PENDING);
    close(fds[1]);
    CHECK_EQ(wait_for_one(&in->dispatcher, false, deadline_from_ms(5000)), 0);
    CHECK_EQ(ov.Internal, STATUS_PIPE_BROKEN);
    handle_close((uintptr_t)fds[0]);
    file_put(in);
}
