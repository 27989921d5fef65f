/* SPDX-License-Identifier: MIT */
/*
 * conio.h. The terminal is made raw for the time of a call only, so that a program which ends anywhere else
 * leaves it as it was. A process in the background asks for no keys: the terminal would stop it.
 */
#include <windows.h>

#include <conio.h>

#include "api/crt.h"
#include "base/fork.h"
#include "base/os.h"
#include "base/own_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { NO_KEY = -2 };

static struct {
    pthread_mutex_t mutex; /* one call at a time, as there: all below, and the terminal's state */
    int pushed;            /* by _ungetch, or NO_KEY */
} console = {.mutex = PTHREAD_MUTEX_INITIALIZER, .pushed = NO_KEY};

/* A descriptor of the console to be given back by console_close; -1: none. */
static int console_open(int standard, int mode)
{
    return isatty(standard) ? standard : fd_above_std(open("/dev/tty", mode | O_NOCTTY | O_CLOEXEC));
}

static void console_close(int fd)
{
    if (fd > 2)
        close(fd);
}

/* Keys one by one, unechoed, Enter as '\r'; Ctrl+C stays a signal. Input is kept. */
static bool make_raw(int fd, struct termios *before)
{
    struct termios raw;
    pid_t foreground = tcgetpgrp(fd);

    if ((foreground >= 0 && foreground != getpgrp()) || tcgetattr(fd, before) < 0)
        return false;
    raw = *before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_iflag &= ~(tcflag_t)ICRNL;
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    return tcsetattr(fd, TCSANOW, &raw) == 0;
}

static bool readable(int fd, int timeout_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int n;

    do
        n = poll(&p, 1, timeout_ms);
    while (n < 0 && errno == EINTR && timeout_ms < 0);
    return n > 0 && (p.revents & POLLIN);
}

/* The mutex is held. EOF: no console, or its end. */
static int read_key(int fd)
{
    struct termios before;
    unsigned char byte;
    ssize_t n = -1;

    if (fd < 0 || !make_raw(fd, &before))
        return EOF;
    if (readable(fd, -1))
        n = read(fd, &byte, 1);
    tcsetattr(fd, TCSANOW, &before);
    return n == 1 ? byte : EOF;
}

int _getch(void)
{
    int c, fd;

    pthread_mutex_lock(&console.mutex);
    c = console.pushed;
    console.pushed = NO_KEY;
    if (c == NO_KEY) {
        fd = console_open(STDIN_FILENO, O_RDWR);
        c = read_key(fd);
        console_close(fd);
    }
    pthread_mutex_unlock(&console.mutex);
    return c;
}

int _getche(void)
{
    int c = _getch();

    if (c != EOF)
        _putch(c);
    return c;
}

int _kbhit(void)
{
    struct termios before;
    bool hit;
    int fd;

    pthread_mutex_lock(&console.mutex);
    hit = console.pushed != NO_KEY;
    if (!hit) {
        fd = console_open(STDIN_FILENO, O_RDWR);
        if (fd >= 0 && make_raw(fd, &before)) {
            hit = readable(fd, 0);
            tcsetattr(fd, TCSANOW, &before);
        }
        console_close(fd);
    }
    pthread_mutex_unlock(&console.mutex);
    return hit;
}

int _ungetch(int c)
{
    int kept = EOF;

    pthread_mutex_lock(&console.mutex);
    if (c != EOF && console.pushed == NO_KEY)
        kept = console.pushed = (unsigned char)c;
    pthread_mutex_unlock(&console.mutex);
    return kept;
}

static bool write_all(const char *text, size_t size)
{
    int fd = console_open(STDOUT_FILENO, O_WRONLY);

    while (fd >= 0 && size > 0) {
        ssize_t n = write(fd, text, size);

        if (n < 0 && errno != EINTR)
            break;
        if (n > 0) {
            text += n;
            size -= (size_t)n;
        }
    }
    console_close(fd);
    return size == 0;
}

int _putch(int c)
{
    char byte = (char)c;

    return write_all(&byte, 1) ? (unsigned char)c : EOF;
}

int _cputs(const char *text)
{
    if (!text)
        return crt_invalid(EINVAL), -1;
    return write_all(text, strlen(text)) ? 0 : -1;
}

/* A forked child has its own, whatever a thread of the parent was in the middle of. */
static void forget(void)
{
    pthread_mutex_init(&console.mutex, NULL);
}

FORK_HOOK(NULL, LOCK_GLOBAL, forget);
