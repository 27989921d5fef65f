/* SPDX-License-Identifier: MIT */
/*
 * A serial line under everything at once: reads with time-outs of every kind, writes, waits for events, while
 * bytes come, others purge, cancel, change mask and time-outs, and then the line is closed or its device
 * vanishes. Every operation that was accepted is answered by exactly one packet.
 */
#define _GNU_SOURCE
#include "stress.h"

#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

enum { READS = 4, WRITES = 2, OPERATIONS = READS + WRITES + 1 };

static struct stress_meeting meeting = {.need = 3};
static HANDLE port;
static _Atomic(HANDLE) line;
static _Atomic int far_end, stop;
static OVERLAPPED ov[OPERATIONS];
static char data[OPERATIONS][20000];
static DWORD events;

static void *feed(void *arg)
{
    uint64_t random = stress_seed ^ 0x1234567;
    char bytes[300] = {0};

    for (;;) {
        stress_meet(&meeting);
        if (atomic_load(&stop))
            return arg;
        for (int i = 0; i < 6; i++) {
            if (write(atomic_load(&far_end), bytes, 1 + stress_random(&random, 200)) < 0)
                break;
            if (read(atomic_load(&far_end), bytes, sizeof bytes) < 0 && stress_random(&random, 2))
                sched_yield();
        }
        stress_meet(&meeting);
    }
}

static void *disturb(void *arg)
{
    uint64_t random = stress_seed ^ 0x7654321;

    for (;;) {
        stress_meet(&meeting);
        if (atomic_load(&stop))
            return arg;
        for (int i = 0; i < 8; i++) {
            HANDLE h = atomic_load(&line);
            COMMTIMEOUTS t = {stress_random(&random, 2) ? MAXDWORD : stress_random(&random, 3), 0,
                              stress_random(&random, 4), 0, stress_random(&random, 4)};

            switch (stress_random(&random, 6)) {
            case 0:
                PurgeComm(h, PURGE_RXABORT | PURGE_RXCLEAR);
                break;
            case 1:
                PurgeComm(h, PURGE_TXABORT | PURGE_TXCLEAR);
                break;
            case 2:
                SetCommMask(h, EV_RXCHAR | (stress_random(&random, 2) ? EV_RXFLAG | EV_TXEMPTY : 0));
                break;
            case 3:
                CancelIoEx(h, &ov[stress_random(&random, OPERATIONS)]);
                break;
            case 4:
                ClearCommError(h, NULL, NULL);
                break;
            default:
                SetCommTimeouts(h, &t);
                break;
            }
        }
        stress_meet(&meeting);
    }
}

static void open_line(void)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    HANDLE h;

    MUST(fd >= 0 && grantpt(fd) == 0 && unlockpt(fd) == 0);
    h = CreateFileA(ptsname(fd), GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, FILE_FLAG_OVERLAPPED,
                    NULL);
    MUST(h != INVALID_HANDLE_VALUE);
    MUST(CreateIoCompletionPort(h, port, 5, 0) == port);
    MUST(SetCommMask(h, EV_RXCHAR));
    atomic_store(&far_end, fd);
    atomic_store(&line, h);
}

/* How many packets are to come. A refusal is none. */
static int start(void)
{
    HANDLE h = atomic_load(&line);
    int accepted = 0;

    memset(ov, 0, sizeof ov);
    for (int i = 0; i < OPERATIONS; i++) {
        BOOL ok;

        if (i < READS)
            ok = ReadFile(h, data[i], 150, NULL, &ov[i]);
        else if (i < READS + WRITES)
            ok = WriteFile(h, data[i], sizeof data[i], NULL, &ov[i]);
        else
            ok = WaitCommEvent(h, &events, &ov[i]);
        accepted += ok || GetLastError() == ERROR_IO_PENDING;
    }
    return accepted;
}

int main(int argc, char **argv)
{
    pthread_t threads[2];
    uint64_t random;

    stress_begin(argc, argv, 5000, 200);
    random = stress_seed;
    port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    MUST(port);
    threads[0] = stress_thread(feed, NULL);
    threads[1] = stress_thread(disturb, NULL);
    for (uint64_t n = 0; n < stress_count; n++) {
        bool vanishes = stress_random(&random, 3) == 0;
        int left;

        open_line();
        left = start();
        stress_meet(&meeting);
        for (uint32_t spin = stress_random(&random, 100); spin; spin--)
            SwitchToThread();
        if (!vanishes)
            MUST(CloseHandle(atomic_load(&line)));
        stress_meet(&meeting);
        close(atomic_load(&far_end));
        for (int seen = 0; left > 0; left--) {
            DWORD bytes;
            ULONG_PTR key;
            OVERLAPPED *done = NULL;

            GetQueuedCompletionStatus(port, &bytes, &key, &done, 10000);
            MUST(done >= ov && done < ov + OPERATIONS && key == 5);
            MUST(!(seen & 1 << (done - ov)));
            seen |= 1 << (done - ov);
        }
        if (vanishes)
            MUST(CloseHandle(atomic_load(&line)));
    }
    atomic_store(&stop, 1);
    stress_meet(&meeting);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    MUST(CloseHandle(port));
    stress_balanced();
    return 0;
}
