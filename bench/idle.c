/* SPDX-License-Identifier: MIT */
/*
 * What an idle connection costs in user memory: many connections accepted and tied to a port, on each a
 * zero-byte WSARecv that pends until something comes. Counted is what the process has more of (private
 * pages, bytes of malloc) when all of them pend than when a few did; the program's own array was touched
 * before. Then the clients, in a process of their own and from many addresses, send each connection a
 * text of its own: every receive must end, once, and the text must be the right one. One line of
 * "name=value" pairs. For Linux only: it reads /proc.
 *
 *   idle [CONNECTIONS]
 *
 * With fewer descriptors than that, as many connections as there are descriptors for.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <malloc.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <iocp.h>

#define FIRST       64 /* connections that are there before anything is counted */
#define SPARE_FILES 64
#define ADDRESSES   200
#define TEXT_SIZE   32
#define NAME_SIZE   (sizeof(struct sockaddr_in) + 16)

struct connection {
    OVERLAPPED overlapped; /* must be first */
    SOCKET socket;
    int done;
};

static int count = 20000;
static int orders[2]; /* a pipe to the clients: how many connections there shall be; 0: send */

static void die(const char *what, int error) {
    fprintf(stderr, "idle: %s: %s\n", what, strerror(error));
    exit(1);
}

static void check(BOOL ok, const char *what) {
    if (!ok) {
        fprintf(stderr, "idle: %s failed: error %lu\n", what, (unsigned long)GetLastError());
        exit(1);
    }
}

/* As many descriptors as are wanted, or as may be had; `count` is brought down to what they allow. */
static void limit_count(void) {
    struct rlimit files;
    rlim_t wanted = (rlim_t)count + SPARE_FILES;
    if (getrlimit(RLIMIT_NOFILE, &files))
        die("getrlimit", errno);
    if (files.rlim_max < wanted) {
        struct rlimit more = {wanted, wanted};
        if (setrlimit(RLIMIT_NOFILE, &more) == 0) /* for those who may */
            files = more;
    }
    files.rlim_cur = files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files))
        die("setrlimit", errno);
    if (files.rlim_cur < wanted)
        count = (int)files.rlim_cur - SPARE_FILES;
    if (count <= FIRST)
        die("descriptors", EMFILE);
}

/* -- the clients -- */

/* What the client of that address says. */
static void text_of(const struct sockaddr_in *address, char text[TEXT_SIZE]) {
    memset(text, 0, TEXT_SIZE);
    snprintf(text, TEXT_SIZE, "%08x:%04x", (unsigned)ntohl(address->sin_addr.s_addr),
             ntohs(address->sin_port));
}

static int open_client(int number, int port) {
    struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    from.sin_addr.s_addr = htonl(0x7F010001u + (uint32_t)(number % ADDRESSES));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons((uint16_t)port);
    if (fd < 0)
        die("socket", errno);
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&from, sizeof from) || connect(fd, (struct sockaddr *)&to, sizeof to))
        die("connecting", errno);
    return fd;
}

static void speak(int fd) {
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    char text[TEXT_SIZE];
    if (getsockname(fd, (struct sockaddr *)&address, &size))
        die("getsockname", errno);
    text_of(&address, text);
    if (send(fd, text, sizeof text, MSG_NOSIGNAL) != sizeof text)
        die("send", errno);
}

static int run_clients(void) {
    int *fds = calloc((size_t)count, sizeof *fds), port, wanted, opened = 0;
    if (!fds || read(orders[0], &port, sizeof port) != sizeof port)
        return 1;
    while (read(orders[0], &wanted, sizeof wanted) == sizeof wanted) {
        for (; opened < wanted; opened++)
            fds[opened] = open_client(opened, port);
        for (int i = 0; wanted == 0 && i < opened; i++)
            speak(fds[i]);
    }
    return 0; /* the server has closed the pipe: it is content */
}

static void order(int value) {
    if (write(orders[1], &value, sizeof value) != sizeof value)
        die("write", errno);
}

/* -- the server -- */

static HANDLE port;
static SOCKET listener;

static void start_listening(void) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    int size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = iocp_socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    check(listener != INVALID_SOCKET, "socket");
    check(iocp_bind(listener, (struct sockaddr *)&address, size) == 0, "bind");
    check(iocp_listen(listener, SOMAXCONN) == 0, "listen");
    check(iocp_getsockname(listener, (struct sockaddr *)&address, &size) == 0, "getsockname");
    port = CreateIoCompletionPort((HANDLE)listener, NULL, 0, 0);
    check(port != NULL, "CreateIoCompletionPort");
    order(ntohs(address.sin_port));
}

static struct connection *dequeue(DWORD *bytes) {
    ULONG_PTR key;
    OVERLAPPED *done;
    check(GetQueuedCompletionStatus(port, bytes, &key, &done, 60000), "GetQueuedCompletionStatus");
    return (struct connection *)done;
}

/* Accepts one, ties it to the port and leaves a receive of nothing pending on it. */
static void take_one(struct connection *c) {
    char names[2 * NAME_SIZE];
    WSABUF nothing = {0, NULL};
    DWORD bytes, flags = 0;
    c->socket = iocp_socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    check(c->socket != INVALID_SOCKET, "socket");
    check(AcceptEx(listener, c->socket, names, 0, NAME_SIZE, NAME_SIZE, &bytes, &c->overlapped) ||
              WSAGetLastError() == WSA_IO_PENDING,
          "AcceptEx");
    check(dequeue(&bytes) == c, "the accept's packet");
    check(iocp_setsockopt(c->socket, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, (char *)&listener,
                          sizeof listener) == 0,
          "SO_UPDATE_ACCEPT_CONTEXT");
    check(CreateIoCompletionPort((HANDLE)c->socket, port, 0, 0) != NULL, "CreateIoCompletionPort");
    memset(&c->overlapped, 0, sizeof c->overlapped);
    check(WSARecv(c->socket, &nothing, 1, NULL, &flags, &c->overlapped, NULL) == SOCKET_ERROR &&
              WSAGetLastError() == WSA_IO_PENDING,
          "leaving a receive pending");
}

/* Its receive has ended: nothing was taken, and what lies there is its client's text. */
static void hear(struct connection *c, DWORD bytes) {
    struct sockaddr_in peer;
    int size = sizeof peer;
    char text[TEXT_SIZE], expected[TEXT_SIZE];
    check(bytes == 0 && c->done++ == 0, "one empty completion for each");
    check(iocp_getpeername(c->socket, (struct sockaddr *)&peer, &size) == 0, "getpeername");
    check(iocp_recv(c->socket, text, sizeof text, MSG_WAITALL) == sizeof text, "recv");
    text_of(&peer, expected);
    check(memcmp(text, expected, sizeof text) == 0, "the right text");
}

/* -- counting -- */

/* Pages that are the process's own, in bytes. */
static double private_bytes(void) {
    char line[200];
    unsigned long long kib = 0;
    FILE *file = fopen("/proc/self/smaps_rollup", "r");
    if (!file)
        die("/proc/self/smaps_rollup", errno);
    while (fgets(line, sizeof line, file) && sscanf(line, "Anonymous: %llu", &kib) != 1)
        continue;
    fclose(file);
    return (double)kib * 1024;
}

static double malloc_bytes(void) {
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
    struct mallinfo2 now = mallinfo2();
    return (double)(now.uordblks + now.hblkhd);
#else
    return 0;
#endif
}

int main(int argc, char **argv) {
    struct connection *connections;
    double pages, bytes;
    DWORD transferred;
    WSADATA data;
    int status;
    if (argc > 1)
        count = atoi(argv[1]);
    const int wanted = count;
    limit_count();
    connections = calloc((size_t)count, sizeof *connections);
    if (!connections || pipe(orders))
        die("preparing", errno);
    for (int i = 0; i < count; i++)
        connections[i].socket = INVALID_SOCKET; /* touched, so paid for */

    pid_t clients = fork(); /* before the library is used */
    if (clients < 0)
        die("fork", errno);
    if (clients == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(orders[1]);
        _exit(run_clients());
    }
    close(orders[0]);
    check(WSAStartup(MAKEWORD(2, 2), &data) == 0, "WSAStartup");
    start_listening();
    order(FIRST);
    for (int i = 0; i < FIRST; i++)
        take_one(&connections[i]);
    pages = private_bytes();
    bytes = malloc_bytes();
    order(count);
    for (int i = FIRST; i < count; i++)
        take_one(&connections[i]);
    pages = (private_bytes() - pages) / (count - FIRST);
    bytes = (malloc_bytes() - bytes) / (count - FIRST);

    order(0);
    for (int i = 0; i < count; i++) {
        struct connection *c = dequeue(&transferred);
        hear(c, transferred);
    }
    close(orders[1]);
    if (waitpid(clients, &status, 0) != clients || status != 0)
        die("the clients failed", EIO);
    for (int i = 0; i < count; i++)
        closesocket(connections[i].socket);
    printf("connections=%d wanted=%d private=%.0f malloc=%.0f\n", count, wanted, pages, bytes);
    WSACleanup();
    return 0;
}
