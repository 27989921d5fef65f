/* SPDX-License-Identifier: MIT */
/*
 * Console control handlers. The first handler installed makes the library catch SIGINT (Ctrl+C),
 * SIGQUIT (Ctrl+Break), SIGTERM and SIGHUP (the console or system closes). A signal handler only
 * writes the signal's number into a pipe. A library thread reads it and starts one thread per
 * event, which calls the handlers, the last one registered first, until one answers TRUE. If none
 * does, the signal's default action follows. A close event ends the process after five seconds in
 * any case: that is the time Windows grants, and handlers count on it.
 */
#include <windows.h>

#include "api/api.h"
#include "base/clock.h"
#include "base/fork.h"
#include "base/lock.h"
#include "base/os.h"
#include "base/own_fd.h"
#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

enum { HANDLERS_MAX = 64, GRACE_MS = 5000 };

static const int caught[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};

/* Rules: (1) under the lock: handlers, count, ignored. (2) constant once started: pipe_fd, owner. */
static struct lock console_lock = LOCK_INIT(LOCK_GLOBAL);
static PHANDLER_ROUTINE handlers[HANDLERS_MAX];
static size_t count;
static bool ignored;        /* SetConsoleCtrlHandler(NULL, TRUE): Ctrl+C does nothing */
static bool started;
static int pipe_fd[2];
static pid_t owner;

static DWORD event_of(int number)
{
    switch (number) {
    case SIGINT:
        return CTRL_C_EVENT;
    case SIGQUIT:
        return CTRL_BREAK_EVENT;
    default:
        return CTRL_CLOSE_EVENT;
    }
}

static void on_signal(int number)
{
    int saved = errno;
    unsigned char byte = (unsigned char)number;

    /* A forked child has no thread that reads: there the signal means what it always meant. */
    if (getpid() != owner) {
        signal(number, SIG_DFL);
        raise(number);
    } else if (write(pipe_fd[1], &byte, 1) != 1) {
        /* The pipe is full of signals that nobody has handled yet: one more says nothing new. */
    }
    errno = saved;
}

/* The default action cannot happen while the signal is blocked, as it is on the library's threads. */
static void die_of(int number)
{
    sigset_t set;

    signal(number, SIG_DFL);
    raise(number);
    sigemptyset(&set);
    sigaddset(&set, number);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/* Calls the handlers of a copy of the list: they may change the list themselves. */
static bool call_handlers(DWORD event)
{
    PHANDLER_ROUTINE copy[HANDLERS_MAX];
    size_t left;

    lock_acquire(&console_lock);
    left = count;
    memcpy(copy, handlers, sizeof copy);
    if (event == CTRL_C_EVENT && ignored) {
        lock_release(&console_lock);
        return true;
    }
    lock_release(&console_lock);
    while (left > 0)
        if (copy[--left](event))
            return true;
    return false;
}

/* One event, on a thread of its own, because handlers are allowed to block. */
static void *handle(void *argument)
{
    int number = (int)(intptr_t)argument;

    if (!call_handlers(event_of(number)))
        die_of(number);
    return NULL;
}

static int left_ms(uint64_t deadline)
{
    uint64_t now = clock_now_ns();

    return now >= deadline ? 0 : (int)((deadline - now) / NS_PER_MS + 1);
}

static void *serve(void *unused)
{
    struct pollfd poller = {.fd = pipe_fd[0], .events = POLLIN};
    uint64_t deadline = 0;
    int closing = 0;
    unsigned char byte;

    (void)unused;
    for (;;) {
        if (poll(&poller, 1, closing ? left_ms(deadline) : -1) == 0)
            die_of(closing);
        if (!(poller.revents & POLLIN) || read(pipe_fd[0], &byte, 1) != 1)
            continue;
        if (!closing && event_of(byte) == CTRL_CLOSE_EVENT) {
            closing = byte;
            deadline = clock_now_ns() + GRACE_MS * NS_PER_MS;
        }
        if (os_thread(handle, (void *)(intptr_t)byte))
            handle((void *)(intptr_t)byte);
    }
    return NULL;
}

static bool interrupt_is_ignored(void)
{
    struct sigaction now;

    return sigaction(SIGINT, NULL, &now) == 0 && !(now.sa_flags & SA_SIGINFO) && now.sa_handler == SIG_IGN;
}

/* Also where SIGINT is ignored so far: a script's `&` starts programs like that, and ends them with it. */
static uint32_t start(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    int error;

    if (started)
        return 0;
    if (pipe2(pipe_fd, O_CLOEXEC | O_NONBLOCK))
        return status_from_errno(errno);
    error = -fd_pair_above_std(pipe_fd);
    if (error)
        return status_from_errno(error);
    owner = getpid();
    error = os_thread(serve, NULL);
    if (error) {
        close(pipe_fd[0]);
        close(pipe_fd[1]);
        return status_from_errno(-error);
    }
    for (size_t i = 0; i < sizeof caught / sizeof caught[0]; i++)
        sigaction(caught[i], &action, NULL);
    started = true;
    return 0;
}

static uint32_t add(PHANDLER_ROUTINE handler)
{
    uint32_t status;

    if (count == HANDLERS_MAX)
        return status_from_win32(ERROR_NOT_ENOUGH_MEMORY);
    status = start();
    if (!status)
        handlers[count++] = handler;
    return status;
}

/* Takes the last registration of the handler away. */
static uint32_t drop(PHANDLER_ROUTINE handler)
{
    for (size_t i = count; i-- > 0;) {
        if (handlers[i] == handler) {
            memmove(&handlers[i], &handlers[i + 1], (count - i - 1) * sizeof handlers[0]);
            count--;
            return 0;
        }
    }
    return status_from_win32(ERROR_INVALID_PARAMETER);
}

BOOL WINAPI SetConsoleCtrlHandler(PHANDLER_ROUTINE HandlerRoutine, BOOL Add)
{
    uint32_t status;

    lock_acquire(&console_lock);
    if (!HandlerRoutine) {
        status = Add ? start() : 0;
        if (!status)
            ignored = Add != FALSE;
        if (!Add && !started && interrupt_is_ignored())
            signal(SIGINT, SIG_DFL);
    } else {
        status = Add ? add(HandlerRoutine) : drop(HandlerRoutine);
    }
    lock_release(&console_lock);
    return win32_result(status);
}

bool api_console_ignores_interrupt(void)
{
    bool answer;

    lock_acquire(&console_lock);
    answer = ignored; /* where SIGINT is ignored for another reason it stays so by itself */
    lock_release(&console_lock);
    return answer;
}

BOOL WINAPI GenerateConsoleCtrlEvent(DWORD dwCtrlEvent, DWORD dwProcessGroupId)
{
    pid_t group = (pid_t)dwProcessGroupId;

    if (dwCtrlEvent > CTRL_BREAK_EVENT || group < 0 || group == 1)
        return win32_result(status_from_win32(ERROR_INVALID_PARAMETER));
    if (dwCtrlEvent == CTRL_C_EVENT && group != 0)
        return TRUE;
    if (kill(-group, dwCtrlEvent == CTRL_C_EVENT ? SIGINT : SIGQUIT) == 0)
        return TRUE;
    if (errno == ESRCH)
        return win32_result(status_from_win32(ERROR_INVALID_PARAMETER));
    return win32_result(status_from_errno(errno));
}

/* A forked child has no thread that handles: it begins without handlers. */
static void forget_handlers(void)
{
    if (started) {
        close(pipe_fd[0]);
        close(pipe_fd[1]);
    }
    started = ignored = false;
    count = 0;
}

FORK_HOOK(&console_lock, LOCK_GLOBAL, forget_handlers);
