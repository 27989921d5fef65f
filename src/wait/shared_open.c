/* SPDX-License-Identifier: MIT */
/*
 * Opening the file of shared names, once per process. Whoever finds none, or one that is not of this version
 * and in nobody's use, makes one beside it and moves it there: under its name it is whole, always. One that
 * is not ours and in use is left alone: then the names of this process are its own.
 *
 * IOCP_NAMES: `auto` (as described), `shared` (a name fails where it cannot be shared), `local` (never
 * shared).
 */
#include "base/fork.h"
#include "base/os.h"
#include "base/own_fd.h"
#include "base/status.h"
#include "base/user_dir.h"
#include "ntstatus.h"
#include "winerror.h"
#include "wait/shared_bell.h"
#include "wait/shared_file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char magic[8] = "iocpnam";
enum { TRIES = 100, PATH_SIZE = USER_DIR_SIZE + 32 };

static struct {
    struct lock lock; /* everything here, and the opening */
    _Atomic bool decided;
    uint32_t status;  /* constant with `decided` */
    char info[USER_DIR_SIZE + 128]; /* likewise */
    _Atomic(const char *) said;
} opening = {.lock = LOCK_INIT(LOCK_GLOBAL), .said = "none: not asked for yet"};

static const char *wish(void)
{
    const char *text = getenv("IOCP_NAMES");

    return text && *text ? text : "auto";
}

static void say(const char *what)
{
    atomic_store(&opening.said, what);
    if (getenv("IOCP_VERBOSE"))
        fprintf(stderr, "iocp: names %s\n", what);
}

static void say_for_good(const char *how, const char *why, int err)
{
    snprintf(opening.info, sizeof opening.info, "%s: %s%s%s", how, why, err ? ": " : "",
             err ? strerror(-err) : "");
    say(opening.info);
}

/* ---- the file ---- */

static int lock_opening(int fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = SHARED_OPENING, .l_len = 1};

    while (fcntl(fd, F_SETLKW, &lock) < 0) {
        if (errno != EINTR)
            return -errno;
    }
    return 0;
}

static void unlock_opening(int fd)
{
    struct flock lock = {.l_type = F_UNLCK, .l_whence = SEEK_SET, .l_start = SHARED_OPENING, .l_len = 1};

    fcntl(fd, F_SETLK, &lock);
}

/* Has anybody a place in it, by the locks of whatever version? */
static bool in_use(int fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = SHARED_LIFE, .l_len = 0};

    return fcntl(fd, F_GETLK, &lock) < 0 || lock.l_type != F_UNLCK;
}

static bool is_good(int fd)
{
    struct {
        char magic[8];
        uint32_t version, size;
    } head;
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() && !(st.st_mode & 077) &&
           (size_t)st.st_size == sizeof(struct shared_layout) &&
           pread(fd, &head, sizeof head, 0) == (ssize_t)sizeof head &&
           memcmp(head.magic, magic, sizeof magic) == 0 && head.version == SHARED_VERSION &&
           head.size == sizeof(struct shared_layout);
}

/* Is that what the path means still? */
static bool is_current(int fd, const char *path)
{
    struct stat mine, theirs;

    return fstat(fd, &mine) == 0 && lstat(path, &theirs) == 0 && mine.st_dev == theirs.st_dev &&
           mine.st_ino == theirs.st_ino;
}

static int fill(int fd)
{
    struct {
        char magic[8];
        uint32_t version, size;
    } head = {.version = SHARED_VERSION, .size = sizeof(struct shared_layout)};
    int err = shared_file_room(fd, 0, offsetof(struct shared_layout, processes));

    if (err)
        return err;
    if (ftruncate(fd, sizeof(struct shared_layout)) < 0)
        return -errno;
    memcpy(head.magic, magic, sizeof magic);
    return pwrite(fd, &head, sizeof head, 0) == (ssize_t)sizeof head ? 0 : -EIO;
}

/* A new one at `path`. Who holds the lock of the old one, if there is an old one, does that. */
static int replace(const char *path)
{
    char beside[PATH_SIZE + 16];
    int fd;
    int err;

    snprintf(beside, sizeof beside, "%s.%d", path, (int)getpid());
    unlink(beside);
    fd = os_open(beside, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return fd;
    err = fill(fd);
    close(fd);
    if (!err && rename(beside, path) < 0)
        err = -errno;
    if (err)
        unlink(beside);
    return err;
}

/* The good file, the lock for opening held; -ESTALE: there is another, in use. */
static int open_good(const char *path)
{
    int err = -EAGAIN;

    for (int i = 0; i < TRIES && err == -EAGAIN; i++) {
        int fd = os_open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

        if (fd < 0)
            return fd;
        err = lock_opening(fd);
        if (!err && is_current(fd, path)) {
            if (is_good(fd))
                return fd;
            err = in_use(fd) ? -ESTALE : replace(path);
        }
        if (!err)
            err = -EAGAIN;
        close(fd);
    }
    return err;
}

/*
 * Another copy of the library in this process (a plugin with one linked in) may have it already. The locks
 * that say who lives are the process', and are gone when any of its descriptors of the file is closed: so
 * this is asked before it is opened.
 */
static bool is_mapped(const char *path)
{
    char *real = realpath(path, NULL);
    FILE *maps = real ? fd_open_text("/proc/self/maps") : NULL;
    char *line = NULL;
    size_t size = 0;
    bool mapped = false;

    while (maps && !mapped && getline(&line, &size, maps) > 0) {
        char *at = strchr(line, '/');

        line[strcspn(line, "\n")] = '\0';
        mapped = at && strcmp(at, real) == 0;
    }
    if (maps)
        fclose(maps);
    free(line);
    free(real);
    return mapped;
}

static int map(int fd)
{
    void *at = MAP_FAILED;

    if (os_refusal("names mmap") == 0)
        at = mmap(NULL, sizeof(struct shared_layout), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED)
        return -ENOMEM;
    madvise(at, sizeof(struct shared_layout), MADV_DONTFORK); /* a child is told from a second copy by that */
    shared_file.layout = at;
    shared_file.fd = own_fd(fd);
    return 0;
}

static void unmap(void)
{
    munmap(shared_file.layout, sizeof(struct shared_layout));
    own_fd_close(shared_file.fd);
    shared_file = (struct shared_file){.fd = -1, .place = SHARED_NOBODY};
}

static int open_all(const char *dir)
{
    char path[PATH_SIZE];
    int fd;
    int err;

    snprintf(path, sizeof path, "%s/names", dir);
    if (is_mapped(path))
        return -EBUSY;
    fd = open_good(path);
    if (fd < 0)
        return fd;
    err = map(fd);
    if (err) {
        close(fd);
        return err;
    }
    err = shared_file_enter();
    if (!err)
        err = shared_bell_open(dir);
    if (!err)
        unlock_opening(fd);
    else
        unmap();
    return err;
}

/* ---- the decision ---- */

/* These may pass; what else fails will fail again. */
static bool is_shortage(int err)
{
    static const int passing[] = {ENOMEM, EMFILE, ENFILE, EUSERS, EAGAIN, ENOSPC, EDQUOT, EIO};

    for (unsigned i = 0; i < sizeof passing / sizeof passing[0]; i++) {
        if (err == -passing[i])
            return true;
    }
    return false;
}

/* True: for good. */
static bool decide(uint32_t *status)
{
    const char *text = wish();
    const char *dir;
    int err;

    if (strcmp(text, "local") == 0) {
        say_for_good("local", "asked for by IOCP_NAMES", 0);
        *status = STATUS_NOT_SUPPORTED;
        return true;
    }
    dir = user_dir();
    err = dir ? open_all(dir) : -EACCES;
    if (!err) {
        say_for_good("shared", dir, 0);
        *status = STATUS_SUCCESS;
        return true;
    }
    *status = is_shortage(err) ? (uint32_t)STATUS_INSUFFICIENT_RESOURCES : (uint32_t)STATUS_NOT_SUPPORTED;
    if (is_shortage(err)) {
        say(err == -EUSERS ? "refused: as many processes as can share them do"
                           : "refused: short of memory, descriptors or room on the disk");
        return false;
    }
    if (err == -ESTALE)
        say_for_good("local", "a program with another version of the library uses them", 0);
    else if (err == -EBUSY)
        say_for_good("local", "another copy of the library in this process shares them", 0);
    else
        say_for_good("local", "no private file", err);
    if (strcmp(text, "shared") == 0)
        *status = status_from_win32(ERROR_UNKNOWN_REVISION);
    return true;
}

uint32_t shared_file_open(void)
{
    uint32_t status;
    int cancels;

    if (atomic_load(&opening.decided))
        return opening.status;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancels); /* no thread ends in here */
    lock_acquire(&opening.lock);
    status = opening.status;
    if (!atomic_load(&opening.decided) && decide(&status)) {
        opening.status = status;
        atomic_store(&opening.decided, true);
    }
    lock_release(&opening.lock);
    pthread_setcancelstate(cancels, NULL);
    return status;
}

const char *shared_file_info(void)
{
    return atomic_load(&opening.said);
}

/* A forked child is another process, and asks again. It has not got the mapping. */
static void start_afresh(void)
{
    if (shared_file.fd >= 0)
        own_fd_close(shared_file.fd);
    shared_file = (struct shared_file){.fd = -1, .place = SHARED_NOBODY};
    atomic_store(&opening.decided, false);
    opening.status = STATUS_SUCCESS;
}

FORK_HOOK(&opening.lock, LOCK_GLOBAL, start_afresh);
