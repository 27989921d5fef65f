/* SPDX-License-Identifier: MIT */
/*
 * An echo server on raw epoll: one thread, level triggered, one receive and one send per readiness.
 * The measure of what the readiness way costs with nothing in between.
 */
#define _GNU_SOURCE
#include <stdbool.h>
#include <sys/epoll.h>
#include "echo_peer.h"

#define EVENTS 256

struct connection {
    int fd;
    size_t left, sent; /* of buffer, when the peer does not take it all at once */
    char buffer[]; /* echo_size */
};

static int poller, listener;

static void watch(struct connection *c, int how, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = c};
    if (epoll_ctl(poller, how, c->fd, &event))
        die("epoll_ctl", errno);
}

static void drop(struct connection *c) {
    close(c->fd);
    free(c);
}

static void take_new(void) {
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        struct connection *c = calloc(1, sizeof *c + echo_size);
        if (!c)
            die("calloc", errno);
        no_delay(fd);
        c->fd = fd;
        watch(c, EPOLL_CTL_ADD, EPOLLIN);
    }
}

/* Sends what is left. False if the connection broke. */
static bool push(struct connection *c) {
    ssize_t n = send(c->fd, c->buffer + c->sent, c->left, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN)
        return false;
    if (n > 0) {
        c->sent += (size_t)n;
        c->left -= (size_t)n;
    }
    return true;
}

static void serve(struct connection *c, uint32_t events) {
    bool was_full = c->left != 0;
    if (!was_full) {
        ssize_t n = recv(c->fd, c->buffer, echo_size, 0);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            drop(c);
            return;
        }
        c->left = (size_t)n;
        c->sent = 0;
    }
    if (!push(c) || (events & EPOLLERR)) {
        drop(c);
        return;
    }
    if ((c->left != 0) != was_full)
        watch(c, EPOLL_CTL_MOD, c->left ? EPOLLOUT : EPOLLIN);
}

int main(int argc, char **argv) {
    struct epoll_event events[EVENTS], event = {.events = EPOLLIN, .data.ptr = NULL};
    parse_options(argc, argv);
    prepare_process();
    poller = epoll_create1(EPOLL_CLOEXEC);
    listener = listen_anywhere(SOCK_NONBLOCK);
    if (poller < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event))
        die("epoll", errno);
    for (;;) {
        int count = epoll_wait(poller, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr)
                serve(events[i].data.ptr, events[i].events);
            else
                take_new();
        }
    }
}
