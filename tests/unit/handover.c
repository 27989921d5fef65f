/* SPDX-License-Identifier: MIT */
/*
 * Handing a descriptor over: visitors that say nothing or nonsense, a giver that stands still, processes that
 * end or fork in between. The other process is a fork, which has the library afresh.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "io/handover_wire.h"

#include "base/clock.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 20000, SOON_MS = 200, SILENT = 200, ROUNDS = 300 };

struct link {
    int up[2], down[2]; /* child to parent, parent to child */
    pid_t child;
};

static void write_all(int fd, const void *data, size_t size)
{
    CHECK_EQ(write(fd, data, size), size);
}

static bool read_all(int fd, void *data, size_t size)
{
    return read(fd, data, size) == (ssize_t)size;
}

/* A forked child that runs body and exits 0 if all its checks held. */
static void begin(struct link *l, void (*body)(struct link *l))
{
    if (pipe2(l->up, O_CLOEXEC) < 0 || pipe2(l->down, O_CLOEXEC) < 0)
        exit(1);
    fflush(stdout);
    l->child = fork();
    if (l->child == 0) {
        close(l->up[0]);
        close(l->down[1]);
        body(l);
        fflush(stdout);
        _exit(unit_failed != 0);
    }
    close(l->up[1]);
    close(l->down[0]);
}

static void end(struct link *l)
{
    int status = -1;

    close(l->down[1]);
    close(l->up[0]);
    CHECK_EQ(waitpid(l->child, &status, 0), l->child);
    CHECK_EQ(status, 0);
}

static int take_told(struct link *l)
{
    unsigned char token[HANDOVER_TOKEN];

    if (!read_all(l->down[0], token, sizeof token))
        _exit(0);
    return handover_take((uint32_t)getppid(), token, deadline_from_ms(PATIENCE_MS));
}

static void offer_to(struct link *l, int fd)
{
    unsigned char token[HANDOVER_TOKEN];

    CHECK_EQ(handover_offer(fd, (uint32_t)l->child, token), 0);
    write_all(l->down[1], token, sizeof token);
}

static void make_pair(int pair[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        exit(1);
}

static bool at_end(int fd)
{
    char byte;

    return recv(fd, &byte, 1, 0) == 0;
}

/* ---- givers: first, while there is no library thread that a fork would miss ---- */

static void give(struct link *l)
{
    unsigned char token[HANDOVER_TOKEN];
    int pair[2];
    char byte;

    make_pair(pair);
    CHECK_EQ(handover_offer(pair[0], (uint32_t)getppid(), token), 0);
    write_all(l->up[1], token, sizeof token);
    CHECK(!read_all(l->down[0], &byte, 1));
}

TEST(a_giver_that_stands_still_costs_time_only)
{
    unsigned char token[HANDOVER_TOKEN];
    struct link l;
    uint64_t began;
    int status, fd;

    begin(&l, give);
    CHECK(read_all(l.up[0], token, sizeof token));
    kill(l.child, SIGSTOP);
    CHECK_EQ(waitpid(l.child, &status, WUNTRACED), l.child);
    began = clock_now_ns();
    CHECK_EQ(handover_take((uint32_t)l.child, token, deadline_from_ms(SOON_MS)), -ETIMEDOUT);
    CHECK(clock_now_ns() - began < PATIENCE_MS * NS_PER_MS);
    kill(l.child, SIGCONT);
    fd = handover_take((uint32_t)l.child, token, deadline_from_ms(PATIENCE_MS));
    /* The answer to the visitor that has left may have taken it along. */
    CHECK(fd >= 0 || fd == -ENOENT);
    if (fd >= 0)
        close(fd);
    end(&l);
    CHECK_EQ(handover_take((uint32_t)l.child, token, deadline_from_ms(PATIENCE_MS)), -ESRCH);
}

/* ---- visitors ---- */

static struct sockets {
    int count, fd[SILENT];
} opened;

static bool visit(const char *dir, const char *file, void *ctx)
{
    int fd = pipe_dir_connect(dir, file, deadline_from_ms(PATIENCE_MS));

    (void)ctx;
    if (fd >= 0)
        opened.fd[opened.count++] = fd;
    return true;
}

static void come_with_company(struct link *l)
{
    char dir[PIPE_DIR_SIZE];
    int fd;

    handover_dir((uint32_t)getppid(), dir);
    if (!read_all(l->down[0], &fd, sizeof fd))
        _exit(1);
    for (int i = 0; i < SILENT; i++)
        pipe_dir_each(dir, visit, NULL);
    CHECK_EQ(opened.count, SILENT);
    for (int i = 0; i < SILENT; i += 10)
        if (send(opened.fd[i], "nonsense", 8, MSG_NOSIGNAL) < 0)
            CHECK(errno == EPIPE || errno == ECONNRESET); /* sent away already: it has been silent too long */
    fd = take_told(l);
    CHECK(fd >= 0);
    CHECK_EQ(send(fd, "x", 1, 0), 1);
    CHECK(!read_all(l->down[0], dir, 1)); /* until the parent has seen it */
}

TEST(the_silent_keep_nobody_out)
{
    unsigned char first[HANDOVER_TOKEN];
    struct link l;
    int pair[2], go = 0;
    char byte;

    begin(&l, come_with_company);
    make_pair(pair);
    CHECK_EQ(handover_offer(pair[0], (uint32_t)l.child, first), 0); /* so that there is somebody to visit */
    write_all(l.down[1], &go, sizeof go);
    offer_to(&l, pair[0]);
    close(pair[0]);
    CHECK_EQ(recv(pair[1], &byte, 1, 0), 1);
    end(&l);
    CHECK(at_end(pair[1])); /* the one that was never asked for is gone with the child */
    close(pair[1]);
}

static void come_too_late(struct link *l)
{
    char byte;
    int fd;

    CHECK_EQ(take_told(l), -ENOENT);
    write_all(l->up[1], "x", 1);
    fd = take_told(l);
    CHECK(fd >= 0);
    CHECK_EQ(send(fd, "x", 1, 0), 1);
    CHECK(!read_all(l->down[0], &byte, 1)); /* until the parent has seen it */
}

/* Somebody who lives and never comes keeps no connection open for ever. */
TEST(what_nobody_takes_is_given_up)
{
    unsigned char token[2][HANDOVER_TOKEN];
    uint64_t usual_ns = handover_kept_ns;
    struct link l;
    int pair[2], other[2];
    char byte;

    begin(&l, come_too_late);
    make_pair(pair);
    make_pair(other);
    handover_kept_ns = 20 * NS_PER_MS;
    for (int i = 0; i < 2; i++)
        CHECK_EQ(handover_offer(i ? other[0] : pair[0], (uint32_t)l.child, token[i]), 0);
    close(pair[0]);
    close(other[0]);
    CHECK(at_end(pair[1]) && at_end(other[1]));
    write_all(l.down[1], token[0], sizeof token[0]);
    CHECK(read_all(l.up[0], &byte, 1));
    close(pair[1]);
    close(other[1]);
    make_pair(pair);
    handover_kept_ns = usual_ns;
    offer_to(&l, pair[0]);
    close(pair[0]);
    CHECK(recv(pair[1], &byte, 1, 0) == 1 && byte == 'x');
    end(&l);
    close(pair[1]);
}

static void come_with_wrong_tokens(struct link *l)
{
    unsigned char token[HANDOVER_TOKEN];
    uint64_t deadline_ns = deadline_from_ms(PATIENCE_MS);

    if (!read_all(l->down[0], token, sizeof token))
        _exit(1);
    token[3] ^= 1;
    CHECK_EQ(handover_take((uint32_t)getppid(), token, deadline_ns), -ENOENT);
    token[3] ^= 1;
    CHECK(handover_take((uint32_t)getppid(), token, deadline_ns) >= 0);
    CHECK_EQ(handover_take((uint32_t)getppid(), token, deadline_ns), -ENOENT);
    CHECK_EQ(handover_take((uint32_t)getpid(), token, deadline_ns), -ESRCH);
}

TEST(the_token_must_be_right)
{
    struct link l;
    int pair[2];

    begin(&l, come_with_wrong_tokens);
    make_pair(pair);
    offer_to(&l, pair[0]);
    end(&l);
    close(pair[0]);
    close(pair[1]);
}

/* ---- refusals ---- */

static void until_the_end(struct link *l)
{
    char byte;

    CHECK(!read_all(l->down[0], &byte, 1));
}

/* Without a descriptor to spare nothing is offered, and nothing is left behind. */
TEST(no_descriptors)
{
    unsigned char token[HANDOVER_TOKEN];
    struct rlimit all, few;
    struct link l;
    int pair[2], before, after;

    begin(&l, until_the_end);
    make_pair(pair);
    CHECK_EQ(handover_offer(pair[0], (uint32_t)l.child, token), 0);
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &all), 0);
    before = dup(0);
    few = (struct rlimit){(rlim_t)before, all.rlim_max};
    for (int more = 0; more < 2; more++) { /* for none, for the process' but not for the copy */
        close(before);
        few.rlim_cur = (rlim_t)(before + more);
        CHECK_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
        CHECK_EQ(handover_offer(pair[0], (uint32_t)l.child, token), -EMFILE);
        CHECK_EQ(setrlimit(RLIMIT_NOFILE, &all), 0);
        after = dup(0);
        CHECK_EQ(after, before);
    }
    close(after);
    CHECK_EQ(handover_offer(pair[0], (uint32_t)l.child, token), 0);
    close(pair[0]);
    end(&l);
    CHECK(at_end(pair[1])); /* both that were offered went with the process */
    close(pair[1]);
    CHECK_EQ(handover_offer(pair[1], 0x7FFFFFF0, token), -ESRCH);
}

/* ---- ends ---- */

static void take_and_end(struct link *l)
{
    take_told(l);
}

static void live(struct link *l)
{
    char byte;

    write_all(l->up[1], "x", 1);
    CHECK(!read_all(l->down[0], &byte, 1));
}

/* A fork has neither the offers nor their descriptors. */
TEST(a_fork_keeps_nothing)
{
    struct link taker, other;
    int pair[2];
    char byte;

    begin(&taker, take_and_end);
    make_pair(pair);
    CHECK_EQ(handover_offer(pair[0], (uint32_t)taker.child, (unsigned char[HANDOVER_TOKEN]){0}), 0);
    offer_to(&taker, pair[0]);
    close(pair[0]);
    begin(&other, live);
    CHECK(read_all(other.up[0], &byte, 1));
    end(&taker);
    CHECK(at_end(pair[1]));
    end(&other);
    close(pair[1]);
}

static void end_somewhen(struct link *l)
{
    unsigned char token[HANDOVER_TOKEN];

    if (read_all(l->down[0], token, sizeof token) && token[0] % 2)
        handover_take((uint32_t)getppid(), token, deadline_from_ms(PATIENCE_MS));
}

/* Taken or not, and whether or not it lingers: when the child has gone, so has the descriptor. */
TEST(ends_race_with_taking)
{
    struct linger linger = {1, 1};

    for (int round = 0; round < ROUNDS; round++) {
        struct link l;
        int pair[2];

        begin(&l, end_somewhen);
        make_pair(pair);
        if (round % 3 == 0)
            setsockopt(pair[0], SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
        offer_to(&l, pair[0]);
        close(pair[0]);
        if (round % 2)
            kill(l.child, SIGKILL);
        CHECK(at_end(pair[1]));
        close(pair[1]);
        close(l.up[0]);
        close(l.down[1]);
        waitpid(l.child, NULL, 0);
    }
}
