/* SPDX-License-Identifier: MIT */
/*
 * A serial line for the tests of it, and its far end. On Linux a pseudo terminal: the near end is a COM
 * port that IOCP_COMn maps, the far end the master. Elsewhere two COM ports that somebody has joined by a
 * null modem and named in IOCP_TEST_LINES ("COM1 COM2"); without them the tests are skipped. Under Wine
 * there is no point in naming two pseudo terminals: it has no time-outs of overlapped reads on them and
 * no events.
 */
#ifndef COMM_LINE_H
#define COMM_LINE_H

#include "conform.h"

struct line {
    HANDLE port;   /* the near end; INVALID_HANDLE_VALUE while not open */
    char name[64]; /* as CreateFile takes it */
#ifdef __linux__
    int far_end;
#else
    HANDLE far_end;
#endif
};

static inline HANDLE line_reopen(struct line *line, DWORD flags)
{
    line->port = CreateFileA(line->name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, flags, NULL);
    return line->port;
}

#ifdef __linux__

extern int posix_openpt(int flags);
extern int grantpt(int fd);
extern int unlockpt(int fd);
extern char *ptsname(int fd);
extern int setenv(const char *name, const char *value, int overwrite);
extern int unsetenv(const char *name);
extern ssize_t read(int fd, void *data, size_t size);
extern ssize_t write(int fd, const void *data, size_t size);
extern int close(int fd);
struct pollfd;
extern int poll(struct pollfd *fds, unsigned long count, int timeout_ms);

/* COMn, n above 9, joined to a new pseudo terminal. 0 after a failure, which it has reported. */
static inline int line_make(struct line *line)
{
    static int number = 20;
    char variable[32];
    line->port = INVALID_HANDLE_VALUE;
    line->far_end = posix_openpt(0x80102); /* O_RDWR | O_NOCTTY | O_CLOEXEC */
    if (line->far_end < 0 || grantpt(line->far_end) || unlockpt(line->far_end))
        return FAIL("cannot make a pseudo terminal");
    snprintf(variable, sizeof variable, "IOCP_COM%d", ++number);
    snprintf(line->name, sizeof line->name, "\\\\.\\COM%d", number);
    setenv(variable, ptsname(line->far_end), 1);
    return 1;
}

static inline int line_far_write(struct line *line, const void *data, size_t size)
{
    return write(line->far_end, data, size) == (ssize_t)size;
}

/* Reads until `size` bytes are there or none comes for `ms` milliseconds. */
static inline size_t line_far_read(struct line *line, void *data, size_t size, int ms)
{
    size_t done = 0;
    while (done < size) {
        struct { int fd; short events, revents; } p = {line->far_end, 1, 0};
        if (poll((struct pollfd *)(void *)&p, 1, ms) <= 0)
            break;
        ssize_t n = read(line->far_end, (char *)data + done, size - done);
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    return done;
}

/* The device is pulled out. */
static inline int line_vanish(struct line *line)
{
    int fd = line->far_end;
    line->far_end = -1;
    return close(fd) == 0;
}

static inline void line_end(struct line *line)
{
    if (line->port != INVALID_HANDLE_VALUE)
        CHECK(CloseHandle(line->port));
    if (line->far_end >= 0)
        close(line->far_end);
}

static inline const char *line_missing(void) { return NULL; }

#else

static inline const char *line_missing(void)
{
    return getenv("IOCP_TEST_LINES") ? NULL : "no serial lines here: see comm_line.h";
}

static inline int line_make(struct line *line)
{
    char near_end[16], far_end[16], path[32];
    COMMTIMEOUTS none = {0};
    line->port = line->far_end = INVALID_HANDLE_VALUE;
    if (sscanf(getenv("IOCP_TEST_LINES"), "%15s %15s", near_end, far_end) != 2)
        return FAIL("IOCP_TEST_LINES names no two lines");
    snprintf(line->name, sizeof line->name, "\\\\.\\%s", near_end);
    snprintf(path, sizeof path, "\\\\.\\%s", far_end);
    line->far_end = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    if (line->far_end == INVALID_HANDLE_VALUE || !SetCommTimeouts(line->far_end, &none) ||
        !PurgeComm(line->far_end, PURGE_RXCLEAR | PURGE_TXCLEAR))
        return FAIL("cannot open %s", path);
    return 1;
}

static inline int line_far_write(struct line *line, const void *data, size_t size)
{
    DWORD done = 0;
    return WriteFile(line->far_end, data, (DWORD)size, &done, NULL) && done == size;
}

static inline size_t line_far_read(struct line *line, void *data, size_t size, int ms)
{
    COMMTIMEOUTS limit = {.ReadTotalTimeoutConstant = (DWORD)ms}, none = {0};
    DWORD done = 0;
    SetCommTimeouts(line->far_end, &limit);
    ReadFile(line->far_end, data, (DWORD)size, &done, NULL);
    SetCommTimeouts(line->far_end, &none);
    return done;
}

static inline int line_vanish(struct line *line)
{
    (void)line;
    return 0;
}

static inline void line_end(struct line *line)
{
    if (line->port != INVALID_HANDLE_VALUE)
        CHECK(CloseHandle(line->port));
    if (line->far_end != INVALID_HANDLE_VALUE)
        CloseHandle(line->far_end);
}

#endif

/* A new line, its near end opened with these flags. Returns from the test where there is none. */
#define LINE(LINE_, FLAGS)                                                                           \
    struct line LINE_;                                                                               \
    do {                                                                                             \
        if (line_missing())                                                                          \
            SKIP(line_missing());                                                                    \
        REQUIRE(line_make(&LINE_));                                                                  \
        REQUIRE(line_reopen(&LINE_, (FLAGS)) != INVALID_HANDLE_VALUE);                               \
    } while (0)

/* Time-outs of reads, in milliseconds; writes have none. */
static inline int set_read_timeouts(HANDLE port, DWORD interval, DWORD multiplier, DWORD constant)
{
    COMMTIMEOUTS t = {.ReadIntervalTimeout = interval, .ReadTotalTimeoutMultiplier = multiplier,
                      .ReadTotalTimeoutConstant = constant};
    return SetCommTimeouts(port, &t);
}

#endif
