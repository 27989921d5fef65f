/* SPDX-License-Identifier: MIT */
/*
 * The client's side of a name: connecting to the processes that have instances of it, one after another,
 * and asking. Who is asked is a library's home thread, so the answer does not wait for the program there. But
 * a process may be stopped: one that says nothing is as good as one whose instances are taken, and does not
 * keep others from being asked.
 */
#include "base/clock.h"
#include "base/status.h"
#include "io/pipe_board.h"
#include "io/pipe_dir.h"
#include "io/pipe_wire.h"
#include "ntstatus.h"
#include "winnt.h"
#include "wait/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { OPEN_MS = 5000, SURVEY_MS = 1000, SURVEY_LATE_MS = 50, GRACE_MS = 200, AGAIN_MS = 20 };
enum { SERVERS_MAX = 255, LATE_MAX = 16 };

/* ---- conversation ---- */

static int say(int fd, uint32_t want, uint32_t rights, const char *text)
{
    struct pipe_hello hello = {PIPE_HELLO, want, rights, (uint32_t)strlen(text)};
    struct iovec iov[2] = {{&hello, sizeof hello}, {(void *)(uintptr_t)text, hello.text_size}};
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
    ssize_t n;

    do {
        n = sendmsg(fd, &msg, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    return n == (ssize_t)(sizeof hello + hello.text_size) ? 0 : n < 0 ? -errno : -EPIPE;
}

/* Descriptors that came along: the first is *board, if there is none yet; others are closed. */
static void take_descriptors(struct msghdr *msg, int *board)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        size_t count;

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            if (*board < 0)
                *board = fd_above_std(fd);
            else
                close(fd);
        }
    }
}

static ssize_t receive_part(int fd, char *to, size_t size, int *board)
{
    struct iovec iov = {to, size};
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(4 * sizeof(int))];
    } control;
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
                         .msg_controllen = sizeof control};
    ssize_t n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

    if (n < 0)
        return -errno;
    take_descriptors(&msg, board);
    return n;
}

/* The next answer and not a byte more, for data may follow. STATUS_PIPE_BROKEN: there is none. */
static uint32_t hear_answer(int fd, struct pipe_answer *answer, int *board, uint64_t deadline_ns)
{
    size_t got = 0;

    while (got < sizeof *answer) {
        ssize_t n = receive_part(fd, (char *)answer + got, sizeof *answer - got, board);
        uint32_t status;

        if (n > 0)
            got += (size_t)n;
        if (n > 0 || n == -EINTR)
            continue;
        if (n != -EAGAIN)
            return STATUS_PIPE_BROKEN;
        status = wait_fd(fd, POLLIN, deadline_ns, false);
        if (status != STATUS_SUCCESS)
            return status;
    }
    return answer->magic == PIPE_ANSWER ? (uint32_t)STATUS_SUCCESS : (uint32_t)STATUS_PIPE_BROKEN;
}

/* Nobody is behind the socket (any more): as good as not there. */
static bool is_gone(int err)
{
    return err == -ECONNREFUSED || err == -ENOENT || err == -EPIPE || err == -ECONNRESET;
}

/* The question. STATUS_PIPE_BROKEN: there is nobody. STATUS_TIMEOUT: no room for us. *fd may be -errno. */
static uint32_t begin(const char *dir, const char *file, const char *text, uint32_t want, uint32_t rights,
                      uint64_t deadline_ns, int *fd)
{
    int err;

    *fd = pipe_dir_connect(dir, file, deadline_ns);
    if (*fd == -ETIMEDOUT)
        return STATUS_TIMEOUT;
    if (*fd < 0)
        return is_gone(*fd) ? (uint32_t)STATUS_PIPE_BROKEN : status_from_errno(*fd);
    err = say(*fd, want, rights, text);
    if (!err || err == -EPIPE) /* sent away already: there may be an answer all the same */
        return STATUS_SUCCESS;
    pipe_dir_hang_up(*fd);
    *fd = -1;
    return STATUS_PIPE_BROKEN;
}

/*
 * One question to one server, again while it has too many visitors. *fd is open afterwards if that succeeds,
 * or if the question was heard (STATUS_TIMEOUT). STATUS_PIPE_BROKEN: it is gone.
 */
static uint32_t ask(const char *dir, const char *file, const char *text, uint32_t want, uint32_t rights,
                    uint64_t deadline_ns, int *fd, struct pipe_answer *answer, int *board)
{
    for (;;) {
        uint32_t status = begin(dir, file, text, want, rights, deadline_ns, fd);

        if (status != STATUS_SUCCESS)
            return status;
        status = hear_answer(*fd, answer, board, deadline_ns);
        if (status == STATUS_TIMEOUT || (status == STATUS_SUCCESS && answer->verdict != PIPE_AGAIN))
            return status;
        pipe_dir_hang_up(*fd);
        *fd = -1;
        if (status != STATUS_SUCCESS)
            return status;
        if (wait_sync_cancelled())
            return STATUS_CANCELLED;
        if (clock_now_ns() >= deadline_ns)
            return STATUS_TIMEOUT;
        wait_sleep(deadline_from_ms(AGAIN_MS), false);
    }
}

/* ---- opening ---- */

struct opening {
    const char *text;
    uint32_t access, flags, rights;
    uint64_t deadline_ns;
    unsigned servers;  /* sockets of the name */
    struct pollfd late[1 + LATE_MAX]; /* conversations without an answer yet; [0] is the wait room's */
    unsigned late_count;
    uint32_t status;   /* the best that was heard */
    struct file *file; /* once opened */
};

/* The connection is a pipe now. */
static uint32_t make_end(const struct opening *o, int fd, const struct pipe_answer *answer, int board,
                         struct file **out)
{
    const _Atomic uint32_t *word = board_map(board, answer->slot);
    struct ucred peer = {0};
    socklen_t len = sizeof peer;
    uint32_t status;

    if (!word) {
        pipe_dir_hang_up(fd);
        return STATUS_PIPE_BROKEN;
    }
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK); /* a program that inherits it reads with read(2) */
    pipe_set_room(fd, answer->shape.in_size);
    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len);
    status = pipe_new(fd, false, &answer->shape, o->text, o->flags, o->access, out);
    if (status != STATUS_SUCCESS) {
        board_unmap(word);
        return status;
    }
    pipe_of(*out)->word = word;
    pipe_of(*out)->generation = answer->generation;
    pipe_of(*out)->peer = (uint32_t)peer.pid;
    return STATUS_SUCCESS;
}

/* Goes on after an answer, or for want of one. fd, unless it is -1, and board are used up. */
static void settle(struct opening *o, int fd, uint32_t status, const struct pipe_answer *answer, int board)
{
    bool answered = status == STATUS_SUCCESS;

    if (answered && answer->verdict == PIPE_YES && board >= 0) {
        status = make_end(o, fd, answer, board, &o->file);
        o->status = status == STATUS_PIPE_BROKEN ? o->status : status;
        close(board);
        return;
    }
    if (fd >= 0)
        pipe_dir_hang_up(fd);
    if (board >= 0)
        close(board);
    if (answered && answer->verdict == PIPE_YES)
        o->status = STATUS_TOO_MANY_OPENED_FILES; /* the kernel had no number left to give it */
    else if (status == STATUS_TIMEOUT ||
             (answered && (answer->verdict == PIPE_NOT_NOW || answer->verdict == PIPE_AGAIN)))
        o->status = STATUS_PIPE_NOT_AVAILABLE;
    else if (answered && answer->verdict == PIPE_DENIED)
        o->status = STATUS_ACCESS_DENIED;
    else if (!answered && status != STATUS_PIPE_BROKEN)
        o->status = status;
}

static bool goes_on(const struct opening *o)
{
    return !o->file &&
           (o->status == STATUS_OBJECT_NAME_NOT_FOUND || o->status == STATUS_PIPE_NOT_AVAILABLE);
}

/* One that is alone is given all the time there is, one of several a little: then the others are asked as
 * well. */
static bool try_open(const char *dir, const char *file, void *ctx)
{
    struct opening *o = ctx;
    uint64_t grace_ns = deadline_from_ms(GRACE_MS);
    struct pipe_answer answer = {0};
    int board = -1, fd;
    uint32_t status;

    if (o->servers == 1 || grace_ns > o->deadline_ns)
        grace_ns = o->deadline_ns;
    status = ask(dir, file, o->text, PIPE_WANT_OPEN, o->rights, grace_ns, &fd, &answer, &board);
    if (status == STATUS_TIMEOUT && fd >= 0 && board < 0 && o->late_count < LATE_MAX)
        o->late[++o->late_count] = (struct pollfd){.fd = fd, .events = POLLIN};
    else
        settle(o, fd, status, &answer, board);
    return goes_on(o);
}

static bool count_one(const char *dir, const char *file, void *ctx)
{
    (void)dir;
    (void)file;
    ++*(unsigned *)ctx;
    return true;
}

/* Nobody has said yes, and some nothing: they are waited for together. */
static void wait_for_late(struct opening *o)
{
    uint32_t status = STATUS_SUCCESS;

    while (o->late_count > 0 && goes_on(o) && status == STATUS_SUCCESS) {
        unsigned kept = 0;

        status = wait_fds(o->late, 1 + o->late_count, o->deadline_ns, false);
        for (unsigned i = 1; i <= o->late_count; i++) {
            struct pipe_answer answer = {0};
            int board = -1;
            uint32_t heard;

            if (status != STATUS_SUCCESS || !o->late[i].revents || !goes_on(o)) {
                o->late[++kept] = o->late[i];
                continue;
            }
            heard = hear_answer(o->late[i].fd, &answer, &board, 0);
            settle(o, o->late[i].fd, heard, &answer, board);
        }
        o->late_count = kept;
    }
    if (status != STATUS_SUCCESS && goes_on(o))
        settle(o, -1, status, NULL, -1);
    while (o->late_count > 0)
        pipe_dir_hang_up(o->late[o->late_count--].fd);
}

static uint32_t rights_of(uint32_t access)
{
    return (access & (FILE_WRITE_DATA | FILE_APPEND_DATA) ? PIPE_INWARD : 0) |
           (access & FILE_READ_DATA ? PIPE_OUTWARD : 0);
}

uint32_t pipe_open(const char *name, uint32_t access, uint32_t flags, struct file **out)
{
    struct opening o = {.access = access, .flags = flags, .rights = rights_of(access),
                        .deadline_ns = deadline_from_ms(OPEN_MS), .status = STATUS_OBJECT_NAME_NOT_FOUND};
    char text[PIPE_TEXT_MAX], dir[PIPE_DIR_SIZE];
    uint32_t status = pipe_fold(name, text);
    int err;

    if (status != STATUS_SUCCESS)
        return status;
    o.text = text;
    pipe_dir_of(text, dir);
    wait_sync_begin();
    err = pipe_dir_each(dir, count_one, &o.servers);
    if (!err)
        err = pipe_dir_each(dir, try_open, &o);
    wait_for_late(&o);
    wait_sync_end();
    if (err && err != -ENOENT)
        return status_from_errno(err);
    if (!o.file)
        return o.status;
    *out = o.file;
    return STATUS_SUCCESS;
}

/* ---- surveying ---- */

struct survey {
    const char *text;
    struct pipe_others *others;
    uint64_t deadline_ns; /* for all of them; who is asked after that gets SURVEY_LATE_MS */
};

static bool survey_one(const char *dir, const char *file, void *ctx)
{
    struct survey *s = ctx;
    uint64_t late_ns = deadline_from_ms(SURVEY_LATE_MS); /* or later: the others' time */
    struct pipe_answer answer;
    int board = -1, fd;
    uint32_t status;

    if (s->others->except && strcmp(file, s->others->except) == 0)
        return true;
    if (late_ns < s->deadline_ns)
        late_ns = s->deadline_ns;
    status = ask(dir, file, s->text, PIPE_WANT_SHAPE, 0, late_ns, &fd, &answer, &board);
    if (status == STATUS_SUCCESS) {
        pipe_dir_hang_up(fd);
        if (answer.verdict == PIPE_YES) {
            s->others->shape = answer.shape;
            s->others->count += answer.count;
        }
    } else if (status == STATUS_TIMEOUT) {
        s->others->silent = true;
        if (fd >= 0)
            pipe_dir_hang_up(fd);
    } else if (fd == -ECONNREFUSED && s->others->clear) {
        pipe_dir_remove(dir, file);
    }
    if (board >= 0)
        close(board);
    return true;
}

void pipe_survey(const char *text, struct pipe_others *others)
{
    struct survey s = {text, others, deadline_from_ms(SURVEY_MS)};
    char dir[PIPE_DIR_SIZE];

    pipe_dir_of(text, dir);
    pipe_dir_each(dir, survey_one, &s);
}

uint32_t pipe_count_instances(struct file *f)
{
    struct pipe_others all = {0};

    pipe_survey(pipe_of(f)->text, &all);
    return all.count;
}

/* ---- waiting ---- */

/* Connections to servers that will say when they have an instance; fds[0] is the wait room's. */
struct waiting {
    const char *text;
    struct pollfd fds[1 + SERVERS_MAX];
    unsigned count;
    unsigned asked, answered;
    uint64_t start_ns, deadline_ns;
    bool use_default;    /* the server's time, once one has said it */
    bool full;           /* one had no room for us */
    bool again;          /* one has too many visitors: it is to be asked anew */
    uint32_t status;
};

/* However short the time is: a free instance is to be heard of, if the server is but a little slow. */
static uint64_t patience(const struct waiting *w)
{
    uint64_t grace_ns = w->start_ns + GRACE_MS * NS_PER_MS;

    return w->answered < w->asked && w->deadline_ns < grace_ns ? grace_ns : w->deadline_ns;
}

static void on_answer(struct waiting *w, const struct pipe_answer *answer)
{
    uint32_t ms = answer->shape.default_ms;

    w->answered++;
    w->again = w->again || answer->verdict == PIPE_AGAIN;
    if (w->use_default && (answer->verdict == PIPE_NOT_NOW || (answer->verdict == PIPE_AGAIN && ms)))
        w->deadline_ns = ms == UINT32_MAX ? DEADLINE_NEVER : w->start_ns + ms * NS_PER_MS;
}

/* The question only: one that does not answer keeps nobody from hearing the others. */
static bool wait_at(const char *dir, const char *file, void *ctx)
{
    struct waiting *w = ctx;
    int fd, err;

    if (w->count == SERVERS_MAX)
        return false;
    w->asked++;
    fd = pipe_dir_connect(dir, file, patience(w));
    w->full = w->full || fd == -ETIMEDOUT;
    err = fd < 0 ? fd : say(fd, PIPE_WANT_FREE, 0, w->text);
    if (fd >= 0 && (!err || err == -EPIPE)) { /* EPIPE: as in begin() */
        w->fds[++w->count] = (struct pollfd){.fd = fd, .events = POLLIN};
        return true;
    }
    w->answered++; /* it will not */
    if (fd >= 0)
        pipe_dir_hang_up(fd);
    else if (fd != -ETIMEDOUT && !is_gone(fd))
        w->status = status_from_errno(fd);
    return w->status == STATUS_SUCCESS;
}

/* Which of them has said something? One that has gone is not waited for any more. */
static bool hear_them(struct waiting *w)
{
    unsigned kept = 0;
    bool called = false;

    for (unsigned i = 1; i <= w->count; i++) {
        struct pipe_answer answer = {0};
        int board = -1;
        uint32_t status = STATUS_IO_TIMEOUT;

        if (w->fds[i].revents)
            status = hear_answer(w->fds[i].fd, &answer, &board, 0);
        if (board >= 0)
            close(board);
        called = called || (status == STATUS_SUCCESS && answer.verdict == PIPE_YES);
        if (status == STATUS_SUCCESS)
            on_answer(w, &answer);
        if (status == STATUS_PIPE_BROKEN ||
            (status == STATUS_SUCCESS && (answer.verdict == PIPE_UNKNOWN || answer.verdict == PIPE_AGAIN)))
            pipe_dir_hang_up(w->fds[i].fd);
        else
            w->fds[++kept] = w->fds[i];
    }
    w->count = kept;
    return called;
}

/* Until somebody calls, or (STATUS_RETRY) it is time to ask again. */
static uint32_t wait_for_call(struct waiting *w)
{
    while (w->count > 0 || w->again) {
        uint64_t again_ns = w->again ? deadline_from_ms(AGAIN_MS) : DEADLINE_NEVER;
        uint64_t until_ns = again_ns < patience(w) ? again_ns : patience(w);
        uint32_t status = wait_fds(w->fds, 1 + w->count, until_ns, false);

        if (status == STATUS_TIMEOUT)
            return until_ns == patience(w) ? (uint32_t)STATUS_IO_TIMEOUT : (uint32_t)STATUS_RETRY;
        if (status != STATUS_SUCCESS)
            return status;
        if (hear_them(w))
            return STATUS_SUCCESS;
    }
    /* There is none, or the last instance was closed meanwhile. */
    return w->full ? (uint32_t)STATUS_IO_TIMEOUT : (uint32_t)STATUS_OBJECT_NAME_NOT_FOUND;
}

/* All who have the name are asked, and waited for. */
static uint32_t wait_once(struct waiting *w, const char *dir)
{
    w->asked = w->answered = w->count = 0;
    w->full = w->again = false;
    pipe_dir_each(dir, wait_at, w);
    if (w->status == STATUS_SUCCESS)
        w->status = wait_for_call(w);
    for (unsigned i = 1; i <= w->count; i++)
        pipe_dir_hang_up(w->fds[i].fd);
    return w->status;
}

uint32_t pipe_wait(const char *name, uint32_t ms)
{
    struct waiting w = {.start_ns = clock_now_ns(), .use_default = ms == 0};
    char text[PIPE_TEXT_MAX], dir[PIPE_DIR_SIZE];
    uint32_t status = pipe_fold(name, text);

    if (status != STATUS_SUCCESS)
        return status;
    w.text = text;
    w.deadline_ns = deadline_from_ms(ms ? ms : SURVEY_MS);
    pipe_dir_of(text, dir);
    wait_sync_begin();
    do {
        w.status = STATUS_SUCCESS;
        status = wait_once(&w, dir);
    } while (status == STATUS_RETRY);
    wait_sync_end();
    return status;
}
