/* SPDX-License-Identifier: MIT */
/*
 * Names in the file system; see pipe_dir.h. A directory is called by the readable part of its name and
 * a hash of the whole; a socket by its process and a number that nobody else draws. It is moved to its place
 * when it listens. A process that died leaves its socket behind: it refuses connections, and so, as nobody
 * else's does, it can be told and cleared away by the next who makes a pipe.
 */
#include "io/pipe_dir.h"

#include "base/clock.h"
#include "base/text.h"
#include "base/user_dir.h"
#include "ntstatus.h"
#include "wait/wait.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { NAME_MAX_UNITS = 256, READABLE = 40, BACKLOG = 4096, BACKLOG_WAIT_MS = 1 };
enum { LOCK_WAIT_NS = 100000, LOCK_WAIT_MAX_NS = 5000000 };

/* ---- names ---- */

uint32_t pipe_fold(const char *name, char text[PIPE_TEXT_MAX])
{
    uint16_t units[NAME_MAX_UNITS];
    ptrdiff_t count = text_to_utf16(name, strlen(name), units, NAME_MAX_UNITS, false);
    size_t kept = 0;
    ptrdiff_t size;

    if (count <= 0)
        return STATUS_OBJECT_NAME_INVALID;
    /* Separators are turned round and several are one, also the one before the name: \\.\pipe\/tmp/x. */
    for (ptrdiff_t i = 0; i < count; i++) {
        uint16_t c = units[i] == '/' ? '\\' : (uint16_t)text_lower(units[i]);

        if (c != '\\' || (kept > 0 && units[kept - 1] != '\\'))
            units[kept++] = c;
    }
    size = text_to_utf8(units, kept, text, PIPE_TEXT_MAX - 1, false);
    if (size <= 0)
        return STATUS_OBJECT_NAME_INVALID;
    text[size] = 0;
    return STATUS_SUCCESS;
}

static bool is_readable(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

static uint64_t hash_of(const char *text)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325); /* FNV-1a */

    for (const char *c = text; *c; c++)
        hash = (hash ^ (unsigned char)*c) * UINT64_C(0x100000001B3);
    return hash;
}

void pipe_dir_of(const char *text, char dir[PIPE_DIR_SIZE])
{
    char readable[READABLE + 1];
    size_t n = 0;

    for (const char *c = text; *c && n < READABLE; c++)
        readable[n++] = is_readable(*c) ? *c : '_';
    readable[n] = 0;
    snprintf(dir, PIPE_DIR_SIZE, "%s-%016llx", readable, (unsigned long long)hash_of(text));
}

/* ---- the place ---- */

/* root/dir[/file]; false: no place, or too long. */
static bool path_of(char *path, size_t size, const char *dir, const char *file)
{
    const char *place = user_dir();
    int n;

    if (!place)
        return false;
    n = snprintf(path, size, file ? "%s/%s/%s" : "%s/%s", place, dir, file);
    return n > 0 && (size_t)n < size;
}

int pipe_dir_lock_open(void)
{
    char path[USER_DIR_SIZE + 8];

    if (!user_dir())
        return -EACCES;
    snprintf(path, sizeof path, "%s/lock", user_dir());
    return fd_above_std(open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
}

/* A name is a byte of the file. The locks are those of the open file: threads exclude each other as well. */
static int set_lock(int fd, short type, const char *text)
{
    struct flock how = {.l_type = type, .l_whence = SEEK_SET, .l_len = text ? 1 : 0};

    how.l_start = text ? (off_t)(hash_of(text) >> 2) : 0;
    return fcntl(fd, F_OFD_SETLK, &how) < 0 ? -errno : 0;
}

/* Asking again, and not F_OFD_SETLKW: only a signal would end that when the holder does not. */
int pipe_dir_lock(int fd, const char *text, uint64_t deadline_ns)
{
    uint64_t pause_ns = LOCK_WAIT_NS;

    for (;;) {
        int err = set_lock(fd, F_WRLCK, text);

        if (err != -EAGAIN && err != -EACCES && err != -EINTR)
            return err;
        if (clock_now_ns() >= deadline_ns)
            return -ETIMEDOUT;
        wait_sleep(clock_now_ns() + pause_ns, false);
        pause_ns = pause_ns * 2 < LOCK_WAIT_MAX_NS ? pause_ns * 2 : LOCK_WAIT_MAX_NS;
    }
}

void pipe_dir_unlock(int fd)
{
    set_lock(fd, F_UNLCK, NULL);
    close(fd);
}

/* ---- addresses ---- */

/* An address holds 107 bytes. What is longer is reached through the directory's descriptor, *dir_fd;
 * -ENAMETOOLONG: not even so, without /proc. */
static int address_of(struct sockaddr_un *address, const char *dir, const char *file, int *dir_fd)
{
    char path[USER_DIR_SIZE + PIPE_DIR_SIZE + PIPE_FILE_SIZE];

    *dir_fd = -1;
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (!path_of(path, sizeof path, dir, file))
        return -EACCES;
    if (strlen(path) < sizeof address->sun_path) {
        memcpy(address->sun_path, path, strlen(path) + 1);
        return 0;
    }
    path_of(path, sizeof path, dir, NULL);
    *dir_fd = fd_above_std(open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (*dir_fd < 0)
        return *dir_fd;
    snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d", *dir_fd);
    if (access(address->sun_path, F_OK) < 0) {
        close(*dir_fd);
        return -ENAMETOOLONG;
    }
    snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/%s", *dir_fd, file);
    return 0;
}

static void address_done(int dir_fd)
{
    if (dir_fd >= 0)
        close(dir_fd);
}

/* ---- connecting ---- */

bool pipe_dir_peer(int fd, uint32_t *process)
{
    struct ucred peer;
    socklen_t len = sizeof peer;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 || peer.uid != geteuid())
        return false;
    *process = (uint32_t)peer.pid;
    return true;
}

/* A listener whose backlog is full says EAGAIN and gives no sign when it is not any more. */
static int connect_patiently(int fd, const struct sockaddr_un *address, uint64_t deadline_ns)
{
    while (connect(fd, (const struct sockaddr *)address, sizeof *address) < 0) {
        if (errno != EAGAIN && errno != EINTR)
            return -errno;
        if (errno == EAGAIN && clock_now_ns() >= deadline_ns)
            return -ETIMEDOUT;
        if (errno == EAGAIN)
            wait_sleep(deadline_from_ms(BACKLOG_WAIT_MS), false);
        if (wait_sync_cancelled())
            return -ECANCELED;
    }
    return 0;
}

int pipe_dir_connect(const char *dir, const char *file, uint64_t deadline_ns)
{
    struct sockaddr_un address;
    int dir_fd, fd, err;
    uint32_t process;

    err = address_of(&address, dir, file, &dir_fd);
    if (err)
        return err;
    fd = fd_above_std(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    err = fd < 0 ? fd : connect_patiently(fd, &address, deadline_ns);
    address_done(dir_fd);
    if (!err && !pipe_dir_peer(fd, &process))
        err = -EACCES;
    if (err && fd >= 0)
        pipe_dir_hang_up(fd);
    return err ? err : fd;
}

void pipe_dir_hang_up(int fd)
{
    shutdown(fd, SHUT_RDWR);
    close(fd);
}

/* ---- listing ---- */

static int each(const char *dir, bool hidden, bool (*fn)(const char *dir, const char *file, void *ctx),
                void *ctx)
{
    char path[USER_DIR_SIZE + PIPE_DIR_SIZE];
    struct dirent *entry;
    bool more = true;
    DIR *list;

    if (!path_of(path, sizeof path, dir, NULL))
        return -ENOENT;
    list = fd_open_dir(path);
    if (!list)
        return -errno;
    while (more && (entry = readdir(list)) != NULL) {
        if ((entry->d_name[0] == '.') == hidden && strlen(entry->d_name) < PIPE_FILE_SIZE)
            more = fn(dir, entry->d_name, ctx);
    }
    closedir(list);
    return 0;
}

int pipe_dir_each(const char *dir, bool (*fn)(const char *dir, const char *file, void *ctx), void *ctx)
{
    return each(dir, false, fn, ctx);
}

/* ---- making and clearing ---- */

void pipe_dir_remove(const char *dir, const char *file)
{
    char path[USER_DIR_SIZE + PIPE_DIR_SIZE + PIPE_FILE_SIZE];

    if (path_of(path, sizeof path, dir, file))
        unlink(path);
    if (path_of(path, sizeof path, dir, NULL))
        rmdir(path); /* fails, as it should, while others have sockets in it */
}

static bool seems_alive(int pid)
{
    return pid > 0 && (kill(pid, 0) == 0 || errno != ESRCH);
}

/* Was to become a socket. Whose number is not known because it is another namespace's begins again. */
static bool clear_unfinished(const char *dir, const char *file, void *ctx)
{
    (void)ctx;
    if (atoi(file + 1) > 0 && !seems_alive(atoi(file + 1)))
        pipe_dir_remove(dir, file);
    return true;
}

static bool clear_dead(const char *dir, const char *file, void *ctx)
{
    int fd;

    (void)ctx;
    if (seems_alive(atoi(file)))
        return true; /* or its number is another's: then whoever makes the same name will see */
    fd = pipe_dir_connect(dir, file, 0); /* another namespace may know the number */
    if (fd >= 0)
        pipe_dir_hang_up(fd);
    else if (fd == -ECONNREFUSED)
        pipe_dir_remove(dir, file);
    return true;
}

void pipe_dir_clear(void)
{
    static _Atomic bool done;
    struct dirent *entry;
    char path[USER_DIR_SIZE + PIPE_DIR_SIZE];
    DIR *list;

    if (!user_dir() || atomic_exchange(&done, true) || !(list = fd_open_dir(user_dir())))
        return;
    while ((entry = readdir(list)) != NULL) {
        if (entry->d_name[0] == '.' || strlen(entry->d_name) >= PIPE_DIR_SIZE)
            continue;
        if (each(entry->d_name, false, clear_dead, NULL) == 0 &&
            each(entry->d_name, true, clear_unfinished, NULL) == 0 &&
            path_of(path, sizeof path, entry->d_name, NULL))
            rmdir(path);
    }
    closedir(list);
}

/* Not found before it listens: what refuses connections is dead. */
static int show(const char *dir, const char *hidden)
{
    char from[USER_DIR_SIZE + PIPE_DIR_SIZE + PIPE_FILE_SIZE], to[sizeof from];

    if (!path_of(from, sizeof from, dir, hidden) || !path_of(to, sizeof to, dir, hidden + 1))
        return -EACCES;
    return rename(from, to) < 0 ? -errno : 0;
}

static int listen_at(const char *dir, const char *hidden)
{
    struct sockaddr_un address;
    int dir_fd, fd, err;

    err = address_of(&address, dir, hidden, &dir_fd);
    if (err)
        return err;
    fd = fd_above_std(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    err = fd < 0 ? fd : 0;
    if (!err) {
        fchmod(fd, 0600); /* the name gets it from the socket */
        if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, BACKLOG) < 0)
            err = -errno;
    }
    address_done(dir_fd);
    if (!err)
        err = show(dir, hidden);
    if (err && fd >= 0) {
        pipe_dir_remove(dir, hidden);
        close(fd);
    }
    return err ? err : fd;
}

int pipe_dir_listen(const char *dir, char file[PIPE_FILE_SIZE])
{
    char path[USER_DIR_SIZE + PIPE_DIR_SIZE], hidden[PIPE_FILE_SIZE];
    uint64_t number = clock_now_ns();
    int fd;

    if (!path_of(path, sizeof path, dir, NULL))
        return -EACCES;
    if (getrandom(&number, sizeof number, GRND_NONBLOCK) < 0)
        number ^= (uintptr_t)&number; /* the process's number is in the name as well */
    snprintf(hidden, sizeof hidden, ".%d-%016llx", (int)getpid(), (unsigned long long)number);
    memcpy(file, hidden + 1, sizeof hidden - 1);
    do { /* a process that ends a pipe takes the directory away without the lock, if it is empty */
        if (mkdir(path, 0700) < 0 && errno != EEXIST)
            return -errno;
        fd = listen_at(dir, hidden);
    } while (fd == -ENOENT);
    return fd;
}

/* ---- talking ---- */

int pipe_dir_send(int socket, const void *data, size_t size, int fd)
{
    struct iovec iov = {(void *)(uintptr_t)data, size};
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {.room = {0}};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    ssize_t n;

    if (fd >= 0) {
        struct cmsghdr *c;

        msg.msg_control = &control;
        msg.msg_controllen = sizeof control;
        c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
    }
    do {
        n = sendmsg(socket, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    return n == (ssize_t)size ? 0 : n < 0 ? -errno : -EPIPE;
}
