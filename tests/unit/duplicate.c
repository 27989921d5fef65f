/* SPDX-License-Identifier: MIT */
/*
 * A socket for another process. A conformance program cannot start one; here the other process is a
 * fork, which has the library afresh.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "io/duplicate.h"

#include "base/status.h"
#include "ntstatus.h"
#include "object/handle.h"
#include "unit.h"
#include "winerror.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* A datagram socket at an address of its own, published; the caller holds a reference. */
static struct file *bound_socket(struct sockaddr_in *at)
{
    int32_t len = sizeof *at;
    struct file *f;
    uintptr_t h;

    memset(at, 0, sizeof *at);
    at->sin_family = AF_INET;
    at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (!CHECK_EQ(sock_new(AF_INET, SOCK_DGRAM, 0, true, &f), STATUS_SUCCESS))
        exit(1);
    file_get(f);
    CHECK_EQ(file_publish(f, 0, &h), STATUS_SUCCESS);
    CHECK_EQ(sock_bind(f, at, len), STATUS_SUCCESS);
    CHECK_EQ(sock_local_name(f, at, &len), STATUS_SUCCESS);
    return f;
}

static void send_to(const struct sockaddr_in *to, const char *text)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    CHECK_EQ(sendto(fd, text, strlen(text), 0, (const struct sockaddr *)to, sizeof *to), strlen(text));
    close(fd);
}

static void expect(struct file *f, const char *text)
{
    char got[16];
    struct iovec v = {got, sizeof got};
    struct sock_transfer t = {.iov = &v, .iov_count = 1, .size = sizeof got};

    CHECK_EQ(sock_receive(f, &t), STATUS_SUCCESS);
    CHECK_EQ(t.bytes, strlen(text));
    CHECK(memcmp(got, text, strlen(text)) == 0);
}

static void drop(struct file *f, uintptr_t h)
{
    file_put(f);
    CHECK_EQ(handle_close(h), STATUS_SUCCESS);
}

TEST(here_it_is_a_second_handle)
{
    struct duplicate_source source;
    struct sockaddr_in at;
    struct file *f = bound_socket(&at), *same;
    uintptr_t first = (uintptr_t)f->fd, second = 0;

    CHECK_EQ(duplicate_offer(f, (uint32_t)getpid(), &source), STATUS_SUCCESS);
    CHECK_EQ(duplicate_take(&source, &second), STATUS_SUCCESS);
    CHECK(second != first);
    CHECK_EQ(sock_from_handle(second, false, &same), STATUS_SUCCESS);
    CHECK(same == f);
    file_put(same);
    CHECK_EQ(handle_close(first), STATUS_SUCCESS);
    send_to(&at, "still open");
    expect(f, "still open");
    drop(f, second);
    CHECK_EQ(duplicate_take(&source, &second), status_from_wsa(WSAEINVAL)); /* it is gone */
}

TEST(another_socket_under_the_number_is_not_taken)
{
    struct duplicate_source source;
    struct sockaddr_in at;
    struct file *f = bound_socket(&at);
    uintptr_t h = 0;

    CHECK_EQ(duplicate_offer(f, (uint32_t)getpid(), &source), STATUS_SUCCESS);
    source.mark ^= 1;
    CHECK_EQ(duplicate_take(&source, &h), status_from_wsa(WSAEINVAL));
    CHECK_EQ(duplicate_offer(f, 0, &source), status_from_wsa(WSAEINVAL));
    drop(f, (uintptr_t)f->fd);
}

/* Makes a socket, says where it is and where it can be reached, and stays until it is told to go. */
static void giver(int out, int in)
{
    struct duplicate_source source;
    struct sockaddr_in at;
    struct file *f = bound_socket(&at);
    char byte;

    CHECK_EQ(duplicate_offer(f, (uint32_t)getppid(), &source), STATUS_SUCCESS);
    CHECK_EQ(write(out, &source, sizeof source), sizeof source);
    CHECK_EQ(write(out, &at, sizeof at), sizeof at);
    CHECK_EQ(read(in, &byte, 1), 1);
    _exit(unit_failed != 0);
}

static void take_from(int in, int out)
{
    struct duplicate_source source;
    struct sockaddr_in at;
    struct file *f;
    uintptr_t h = 0;
    uint32_t status;

    CHECK_EQ(read(in, &source, sizeof source), sizeof source);
    CHECK_EQ(read(in, &at, sizeof at), sizeof at);
    status = duplicate_take(&source, &h);
    CHECK_EQ(write(out, "x", 1), 1);
    if (status_to_wsa(status) == WSAEACCES) {
        printf("  this process may not trace its child: nothing to be seen\n");
        return;
    }
    CHECK_EQ(status, STATUS_SUCCESS);
    CHECK_EQ(sock_from_handle(h, false, &f), STATUS_SUCCESS);
    CHECK(f->flags & FILE_OVERLAPPED);
    wait(NULL); /* the other one has gone: it is ours alone now */
    send_to(&at, "over here");
    expect(f, "over here");
    drop(f, h);
}

TEST(there_it_is_the_same_socket)
{
    int from_giver[2], to_giver[2], ended;
    pid_t child;

    CHECK_EQ(pipe(from_giver), 0);
    CHECK_EQ(pipe(to_giver), 0);
    child = fork();
    if (child == 0)
        giver(from_giver[1], to_giver[0]);
    take_from(from_giver[0], to_giver[1]);
    if (waitpid(child, &ended, 0) == child)
        CHECK_EQ(ended, 0);
    for (int i = 0; i < 2; i++) {
        close(from_giver[i]);
        close(to_giver[i]);
    }
}
