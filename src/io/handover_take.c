/* SPDX-License-Identifier: MIT */
/*
 * The taker's side of a handover, and how both speak; see handover.h. Who is asked is a library's home
 * thread, so the answer does not wait for the program there, unless all of it has been stopped.
 */
#include "io/handover_wire.h"

#include "base/clock.h"
#include "io/file.h"
#include "ntstatus.h"
#include "wait/wait.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Not a name of a pipe: those end with '-' and a hash. */
void handover_dir(uint32_t process, char dir[PIPE_DIR_SIZE])
{
    snprintf(dir, PIPE_DIR_SIZE, "sockets.%u", process);
}

int handover_send(int socket, const struct handover_answer *answer, int fd)
{
    return pipe_dir_send(socket, answer, sizeof *answer, fd);
}

/* The descriptor that came along, or -EMFILE: there was no room for it here. */
static int descriptor_of(struct msghdr *msg)
{
    struct cmsghdr *c = CMSG_FIRSTHDR(msg);
    int fd;

    if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof fd))
        return -EMFILE;
    memcpy(&fd, CMSG_DATA(c), sizeof fd);
    return fd_above_std(fd);
}

static int hear(int socket, uint64_t deadline_ns)
{
    struct handover_answer answer;
    struct iovec iov = {&answer, sizeof answer};
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr msg;
    uint32_t status;
    ssize_t n;

    for (;;) {
        msg = (struct msghdr){.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
                              .msg_controllen = CMSG_LEN(sizeof(int))}; /* for one and no more */
        n = recvmsg(socket, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (n >= 0)
            break;
        if (errno != EAGAIN && errno != EINTR)
            return -errno;
        status = wait_fd(socket, POLLIN, deadline_ns, false);
        if (status != STATUS_SUCCESS)
            return status == STATUS_TIMEOUT ? -ETIMEDOUT : -ECANCELED;
    }
    if (n != (ssize_t)sizeof answer || answer.magic != HANDOVER_ANSWER)
        return -ESRCH; /* so small, it comes in one piece */
    return answer.given ? descriptor_of(&msg) : -ENOENT;
}

struct asking {
    struct handover_hello hello;
    uint64_t deadline_ns;
    int result;
};

/* One process has one, but one that died may have left its own under the same number. */
static bool ask(const char *dir, const char *file, void *ctx)
{
    struct asking *a = ctx;
    int socket = pipe_dir_connect(dir, file, a->deadline_ns);

    if (socket < 0) {
        if (socket != -ECONNREFUSED && socket != -ENOENT)
            a->result = socket;
        return true;
    }
    if (send(socket, &a->hello, sizeof a->hello, MSG_NOSIGNAL) == (ssize_t)sizeof a->hello)
        a->result = hear(socket, a->deadline_ns);
    close(socket);
    return a->result < 0;
}

int handover_take(uint32_t process, const unsigned char token[HANDOVER_TOKEN], uint64_t deadline_ns)
{
    struct asking a = {.hello.magic = HANDOVER_HELLO, .deadline_ns = deadline_ns, .result = -ESRCH};
    char dir[PIPE_DIR_SIZE];

    memcpy(a.hello.token, token, HANDOVER_TOKEN);
    handover_dir(process, dir);
    pipe_dir_each(dir, ask, &a); /* no such directory: nobody is there */
    return a.result;
}
