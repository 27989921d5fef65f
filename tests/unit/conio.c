/* SPDX-License-Identifier: MIT */
/* Keys of the console, on a pseudo terminal in place of the standard input and output. */
#define _GNU_SOURCE
#include "unit.h"

#include <windows.h>

#include <conio.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

static int keyboard, saved[2];

static void begin(void)
{
    int screen;

    fflush(stdout);
    keyboard = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    CHECK(keyboard >= 0 && grantpt(keyboard) == 0 && unlockpt(keyboard) == 0);
    screen = open(ptsname(keyboard), O_RDWR | O_NOCTTY | O_CLOEXEC);
    CHECK(screen >= 0);
    for (int i = 0; i < 2; i++) {
        saved[i] = fcntl(i, F_DUPFD_CLOEXEC, 10);
        dup2(screen, i);
    }
    close(screen);
}

static void end(void)
{
    for (int i = 0; i < 2; i++) {
        dup2(saved[i], i);
        close(saved[i]);
    }
    close(keyboard);
}

/* What the terminal shows of what is `wanted`, at most size - 1 bytes of it. */
static void shown(char *text, size_t size, size_t wanted)
{
    size_t n = 0;

    while (n < wanted && n + 1 < size) {
        struct pollfd p = {keyboard, POLLIN, 0};
        ssize_t got;

        if (poll(&p, 1, 20000) <= 0)
            break;
        got = read(keyboard, text + n, size - 1 - n);
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    text[n] = 0;
}

static DWORD WINAPI press_later(LPVOID key)
{
    struct termios now;

    do { /* until _getch has made the terminal raw, and so waits or is about to */
        sched_yield();
        tcgetattr(0, &now);
    } while (now.c_lflag & ICANON);
    return write(keyboard, key, 1) == 1;
}

TEST(keys_one_by_one)
{
    int hit[2], got[4], put, cputs_result;
    char screen[64], key = 'k';
    struct termios before, after;
    HANDLE thread;

    begin();
    tcgetattr(0, &before);
    hit[0] = _kbhit();
    thread = CreateThread(NULL, 0, press_later, &key, 0, NULL);
    got[0] = getch();
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    thread = CreateThread(NULL, 0, press_later, "\r", 0, NULL);
    got[1] = _getch();
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    put = _putch('>');
    cputs_result = _cputs("text");
    shown(screen, sizeof screen, 5);
    got[2] = _ungetch('u');
    got[3] = _ungetch('v');
    hit[1] = _kbhit();
    tcgetattr(0, &after);
    end();

    CHECK_EQ(hit[0], 0);
    CHECK_EQ(got[0], 'k');
    CHECK_EQ(got[1], '\r');
    CHECK_EQ(put, '>');
    CHECK_EQ(cputs_result, 0);
    CHECK_STR(screen, ">text"); /* and no echo of the keys */
    CHECK_EQ(got[2], 'u');
    CHECK_EQ(got[3], EOF);
    CHECK_EQ(hit[1], 1);
    CHECK_EQ(_getch(), 'u');
    CHECK_EQ(after.c_lflag, before.c_lflag);
    CHECK_EQ(after.c_iflag, before.c_iflag);
}

TEST(a_key_that_is_there_already)
{
    int hit, got;
    char screen[64];

    begin();
    CHECK_EQ(write(keyboard, "z", 1), 1);
    shown(screen, sizeof screen, 1); /* its echo: the terminal has it */
    hit = _kbhit();
    got = _getche();
    shown(screen, sizeof screen, 1);
    end();
    CHECK_EQ(hit, 1);
    CHECK_EQ(got, 'z');
    CHECK_STR(screen, "z");
}

TEST(the_terminal_goes_away)
{
    int got;

    begin();
    close(keyboard);
    got = _getch();
    keyboard = open("/dev/null", O_RDWR);
    end();
    CHECK_EQ(got, EOF);
}

TEST(text_that_is_none)
{
    errno = 0;
    CHECK_EQ(_cputs(NULL), -1);
    CHECK_EQ(errno, EINVAL);
}
