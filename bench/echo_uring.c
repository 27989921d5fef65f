/* SPDX-License-Identifier: MIT */
/*
 * An echo server on raw io_uring: one thread, one ring, a receive or a send outstanding per connection,
 * all submissions of a round in one system call, completions only when the thread asks for them
 * (DEFER_TASKRUN), the ring's own descriptor registered. The floor: nothing general is built like this.
 * What it leaves out, since few programs can: sockets as direct descriptors, provided buffers.
 */
#define _GNU_SOURCE
#include "echo_peer.h"
#include <liburing.h>

#define ENTRIES 1024 /* submissions of a round; a fuller round is two */

enum step { STEP_ACCEPT, STEP_RECEIVE, STEP_SEND };

struct connection {
    enum step step;
    int fd;
    unsigned left, sent;
    char buffer[]; /* echo_size */
};

static struct io_uring ring;
static struct connection accepting = {.step = STEP_ACCEPT};
static const char *mode = "plain";

static struct io_uring_sqe *entry(struct connection *c, enum step step) {
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
    if (!sqe) {
        io_uring_submit(&ring);
        sqe = io_uring_get_sqe(&ring);
    }
    if (!sqe)
        die("io_uring_get_sqe", EBUSY);
    c->step = step;
    return sqe;
}

static void start_accept(void) {
    struct io_uring_sqe *sqe = entry(&accepting, STEP_ACCEPT);
    io_uring_prep_accept(sqe, accepting.fd, NULL, NULL, SOCK_CLOEXEC);
    io_uring_sqe_set_data(sqe, &accepting);
}

static void start_receive(struct connection *c) {
    struct io_uring_sqe *sqe = entry(c, STEP_RECEIVE);
    io_uring_prep_recv(sqe, c->fd, c->buffer, echo_size, 0);
    io_uring_sqe_set_data(sqe, c);
}

static void start_send(struct connection *c) {
    struct io_uring_sqe *sqe = entry(c, STEP_SEND);
    io_uring_prep_send(sqe, c->fd, c->buffer + c->sent, c->left, MSG_NOSIGNAL);
    io_uring_sqe_set_data(sqe, c);
}

static void drop(struct connection *c) {
    close(c->fd);
    free(c);
}

static void on_accept(int result) {
    start_accept();
    if (result < 0)
        return;
    struct connection *c = calloc(1, sizeof *c + echo_size);
    if (!c)
        die("calloc", errno);
    c->fd = result;
    no_delay(c->fd);
    start_receive(c);
}

static void finish(struct connection *c, int result) {
    if (c->step == STEP_ACCEPT) {
        on_accept(result);
    } else if (result <= 0) {
        drop(c);
    } else if (c->step == STEP_RECEIVE) {
        c->left = (unsigned)result;
        c->sent = 0;
        start_send(c);
    } else {
        c->sent += (unsigned)result;
        c->left -= (unsigned)result;
        if (c->left)
            start_send(c);
        else
            start_receive(c);
    }
}

static int try_ring(unsigned flags) {
    struct io_uring_params params = {.flags = flags};
    return io_uring_queue_init_params(ENTRIES, &ring, &params);
}

/* One thread submits and reaps, so the kernel need not interrupt it. Kernels before 6.1 do not know how
 * to defer, those before 6.0 not that there is one thread only. */
static void make_ring(void) {
    int error = -EINVAL;
#if defined(IORING_SETUP_SINGLE_ISSUER) && defined(IORING_SETUP_DEFER_TASKRUN)
    mode = "DEFER_TASKRUN";
    error = try_ring(IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
#endif
#ifdef IORING_SETUP_COOP_TASKRUN
    if (error) {
        mode = "COOP_TASKRUN";
        error = try_ring(IORING_SETUP_COOP_TASKRUN);
    }
#endif
    if (error) {
        mode = "plain";
        error = try_ring(0);
    }
    if (error)
        die("io_uring_queue_init", -error);
#ifdef IORING_SETUP_DEFER_TASKRUN /* liburing 2.3 has both; a refusal only costs a look-up per call */
    io_uring_register_ring_fd(&ring);
#endif
}

int main(int argc, char **argv) {
    parse_options(argc, argv);
    prepare_process();
    make_ring();
    printf("ring: %s\n", mode);
    accepting.fd = listen_anywhere(0);
    start_accept();
    for (;;) {
        struct io_uring_cqe *cqe;
        unsigned head, count = 0;
        io_uring_submit_and_wait(&ring, 1);
        io_uring_for_each_cqe(&ring, head, cqe) {
            finish(io_uring_cqe_get_data(cqe), cqe->res);
            count++;
        }
        io_uring_cq_advance(&ring, count);
    }
}
