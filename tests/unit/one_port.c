/* SPDX-License-Identifier: MIT */
/*
 * The example examples/one_port, driven from outside as a program of its own: a TCP client, a client of the
 * pipe, the far end of a pseudo terminal, files that come and go, and Ctrl+C. Everything is answered
 * by one port, and at the end as many completions were delivered as operations started.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "unit.h"

#include <iocp.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>

enum { PATIENCE_MS = 20000 };

static struct {
    pid_t id;
    int output; /* what it prints */
    int line;   /* the far end of its serial line */
    char text[16384];
    size_t length;
    char directory[64], pipe[64];
} server;

/* Reads on until `wanted` has been printed. */
static bool printed(const char *wanted)
{
    struct pollfd ready = {.fd = server.output, .events = POLLIN};
    ssize_t n;

    while (!strstr(server.text, wanted)) {
        if (poll(&ready, 1, PATIENCE_MS) != 1)
            return false;
        n = read(server.output, server.text + server.length, sizeof server.text - 1 - server.length);
        if (n <= 0)
            return false;
        server.length += (size_t)n;
        server.text[server.length] = '\0';
    }
    return true;
}

static int open_far_end(char *near_path, size_t size)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

    if (fd < 0 || grantpt(fd) || unlockpt(fd) || ptsname_r(fd, near_path, size))
        exit(1);
    return fd;
}

static void start(void)
{
    char self[512] = {0}, line[64], *slash;
    int pipes[2];

    server.line = open_far_end(line, sizeof line);
    strcpy(server.directory, "/tmp/iocp-one-port-XXXXXX");
    if (readlink("/proc/self/exe", self, sizeof self - 64) < 0 || !mkdtemp(server.directory) ||
        pipe2(pipes, O_CLOEXEC))
        exit(1);
    for (int up = 0; up < 3; up++) { /* BUILD/tests/unit/one_port */
        slash = strrchr(self, '/');
        *slash = '\0';
    }
    strcat(self, "/examples/one_port");
    snprintf(server.pipe, sizeof server.pipe, "iocp-one-port-%d", (int)getpid());
    server.id = fork();
    if (server.id == 0) {
        setenv("IOCP_COM7", line, 1);
        dup2(pipes[1], 1);
        dup2(pipes[1], 2);
        execl(self, self, "--port", "0", "--pipe", server.pipe, "--line", "COM7", "--watch", server.directory,
              "--tick", "100", (char *)NULL);
        _exit(127);
    }
    close(pipes[1]);
    server.output = pipes[0];
}

static void talk_tcp(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char *number = strstr(server.text, "on port ");
    char answer[16] = {0};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    a.sin_port = htons((uint16_t)atoi(number + 8));
    if (!CHECK(connect(fd, (struct sockaddr *)&a, sizeof a) == 0))
        return;
    for (int i = 0; i < 3; i++) {
        CHECK(send(fd, "over tcp", 8, MSG_NOSIGNAL) == 8);
        CHECK(recv(fd, answer, 8, MSG_WAITALL) == 8);
        CHECK_STR(answer, "over tcp");
    }
    close(fd);
}

static void talk_pipe(void)
{
    char path[128], answer[16] = {0};
    HANDLE pipe;
    DWORD n;

    snprintf(path, sizeof path, "\\\\.\\pipe\\%s", server.pipe);
    for (;;) { /* between two clients the instance is busy for a moment */
        pipe = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
        if (pipe != INVALID_HANDLE_VALUE || GetLastError() != ERROR_PIPE_BUSY ||
            !WaitNamedPipeA(path, PATIENCE_MS))
            break;
    }
    if (!CHECK(pipe != INVALID_HANDLE_VALUE))
        return;
    CHECK(WriteFile(pipe, "by pipe", 7, &n, NULL) && n == 7);
    CHECK(ReadFile(pipe, answer, sizeof answer - 1, &n, NULL) && n == 7);
    CHECK_STR(answer, "by pipe");
    CloseHandle(pipe);
}

static void talk_line(void)
{
    char answer[32] = {0};
    size_t got = 0;
    struct pollfd ready = {.fd = server.line, .events = POLLIN};

    CHECK(write(server.line, "on the line", 11) == 11);
    while (got < 11 && poll(&ready, 1, PATIENCE_MS) == 1) {
        ssize_t n = read(server.line, answer + got, 11 - got);

        if (n <= 0)
            break;
        got += (size_t)n;
    }
    CHECK_STR(answer, "on the line");
}

static void touch_files(void)
{
    char path[128], other[128];

    snprintf(path, sizeof path, "%s/first", server.directory);
    snprintf(other, sizeof other, "%s/second", server.directory);
    close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    rename(path, other);
    unlink(other);
    CHECK(printed("watch: added first\n"));
    CHECK(printed("watch: renamed from first\nwatch: renamed to second\n"));
    CHECK(printed("watch: removed second\n"));
}

TEST(socket_pipe_line_directory_and_timer_on_one_port)
{
    long long begun = 0, ended = -1;
    char *ledger;
    int status = -1;

    start();
    if (CHECK(printed("serving\n"))) {
        talk_tcp();
        talk_pipe();
        CHECK(printed("pipe: the client has gone\n"));
        talk_pipe(); /* the same instance, again */
        talk_line();
        touch_files();
        CHECK(printed("timer: tick 3\n"));
    }
    kill(server.id, SIGINT);
    CHECK(printed("ledger: "));
    CHECK(printed("\n") && waitpid(server.id, &status, 0) == server.id);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    ledger = strstr(server.text, "ledger: ");
    if (CHECK(ledger != NULL))
        CHECK(sscanf(ledger, "ledger: operations started %lld = completions delivered %lld", &begun,
                     &ended) == 2);
    CHECK(begun > 12);
    CHECK_EQ(begun, ended);
    rmdir(server.directory);
    close(server.line);
    close(server.output);
}
