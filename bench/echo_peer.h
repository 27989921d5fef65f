/* SPDX-License-Identifier: MIT */
/*
 * What the echo servers that the library is measured against have in common: a listening socket on a
 * port of the system's choice, the line that tells which, and the options. They read up to echo_size
 * bytes and send back what came, as examples/echo_server.c does, with a buffer of that size for each
 * connection (but where a peer brings its own); they run until they are killed. Also for C++.
 *
 *   echo_PEER [--buffer BYTES] [--threads N]
 */
#ifndef ECHO_PEER_H
#define ECHO_PEER_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static size_t echo_size = 4096;
static int echo_threads = 1; /* of a peer that can have more than one */

static inline void die(const char *what, int error) {
    fprintf(stderr, "%s: %s\n", what, strerror(error));
    exit(1);
}

static inline void no_delay(int fd) {
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

/* As many descriptors as allowed, no SIGPIPE. */
static inline void prepare_process(void) {
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    signal(SIGPIPE, SIG_IGN);
}

static inline void parse_options(int argc, char **argv) {
    for (int i = 1; i < argc; i += 2) {
        int value = i + 1 < argc ? atoi(argv[i + 1]) : 0;
        if (strcmp(argv[i], "--buffer") == 0 && value > 0)
            echo_size = (size_t)value;
        else if (strcmp(argv[i], "--threads") == 0 && value > 0)
            echo_threads = value;
        else
            die(argv[i], EINVAL);
    }
}

static inline void announce(int port) {
    printf("listening on port %d, %d thread%s\n", port, echo_threads, echo_threads == 1 ? "" : "s");
    fflush(stdout);
}

static inline int listen_anywhere(int type_flags) {
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | type_flags, 0);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) || listen(fd, SOMAXCONN) ||
        getsockname(fd, (struct sockaddr *)&address, &size))
        die("listen", errno);
    announce(ntohs(address.sin_port));
    return fd;
}

#endif
