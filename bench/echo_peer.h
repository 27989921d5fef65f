/* SPDX-License-Identifier: MIT */
/*
 * What the echo servers that the library is measured against have in common: a listening socket on a
 * port of the system's choice, and the line that tells which. They read up to ECHO_SIZE bytes and send
 * back what came, as examples/echo_server.c does; they run until they are killed.
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

#define ECHO_SIZE 4096

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

static inline void announce(int port) {
    printf("listening on port %d, 1 thread\n", port);
    fflush(stdout);
}

static inline int listen_anywhere(int type_flags) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | type_flags, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) || listen(fd, SOMAXCONN) ||
        getsockname(fd, (struct sockaddr *)&address, &size))
        die("listen", errno);
    announce(ntohs(address.sin_port));
    return fd;
}

#endif
