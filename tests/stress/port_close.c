/* SPDX-License-Identifier: MIT */
/*
 * Closing a port against threads that wait on it, post to it, and operations that complete to it.
 * Every wait must end: with a packet while the port lives, then with ERROR_ABANDONED_WAIT_0, or
 * ERROR_INVALID_HANDLE if it came too late. Packets nobody fetched are counted as dropped.
 */
#include "stress.h"

enum { WAITERS = 3, WAIT_MS = 40000 };

static struct stress_meeting meeting = {.need = WAITERS + 2};
static HANDLE port;
static _Atomic int stop;
static _Atomic uint64_t posted, taken, abandoned, late;

static void *wait_on_it(void *arg)
{
    for (;;) {
        stress_meet(&meeting);
        if (atomic_load(&stop))
            return arg;
        for (;;) {
            DWORD bytes;
            ULONG_PTR key = 0;
            OVERLAPPED *ov = NULL;

            if (GetQueuedCompletionStatus(port, &bytes, &key, &ov, WAIT_MS)) {
                MUST(key == 9);
                atomic_fetch_add(&taken, 1);
                continue;
            }
            MUST(!ov);
            if (GetLastError() == ERROR_ABANDONED_WAIT_0) {
                atomic_fetch_add(&abandoned, 1);
            } else {
                MUST(GetLastError() == ERROR_INVALID_HANDLE);
                atomic_fetch_add(&late, 1);
            }
            break;
        }
        stress_meet(&meeting);
    }
}

static void *post_to_it(void *arg)
{
    for (;;) {
        stress_meet(&meeting);
        if (atomic_load(&stop))
            return arg;
        while (PostQueuedCompletionStatus(port, 1, 9, (OVERLAPPED *)0x10))
            atomic_fetch_add(&posted, 1);
        MUST(GetLastError() == ERROR_INVALID_HANDLE);
        stress_meet(&meeting);
    }
}

int main(int argc, char **argv)
{
    pthread_t threads[WAITERS + 1];
    struct iocp_ledger l;

    stress_begin(argc, argv, 20000, 500);
    for (int i = 0; i < WAITERS; i++)
        threads[i] = stress_thread(wait_on_it, NULL);
    threads[WAITERS] = stress_thread(post_to_it, NULL);
    for (uint64_t n = 0; n < stress_count; n++) {
        int fd[2];
        OVERLAPPED ov = {0};
        char data[4];
        WSABUF buf = {4, data};
        DWORD flags = 0;
        uint64_t before = atomic_load(&posted), closed_ms;

        port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1 + (DWORD)(n % 3));
        MUST(port);
        MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) == 0);
        MUST(CreateIoCompletionPort((HANDLE)(intptr_t)fd[0], port, 9, 0) == port);
        MUST(WSARecv((SOCKET)fd[0], &buf, 1, NULL, &flags, &ov, NULL) && WSAGetLastError() == WSA_IO_PENDING);
        stress_meet(&meeting);
        for (uint64_t turn = 0; turn < n % 64 && atomic_load(&posted) < before + 64; turn++)
            SwitchToThread(); /* on a busy machine each may last for a time slice, full of posts */
        MUST(CloseHandle(port));
        closed_ms = GetTickCount64();
        stress_meet(&meeting);
        MUST(GetTickCount64() - closed_ms < WAIT_MS / 2); /* woken by the closing, not by its time */
        MUST(send(fd[1], "abc", 3, 0) == 3); /* its port is closed; it completes all the same (PORT-24) */
        MUST(GetOverlappedResult((HANDLE)(intptr_t)fd[0], &ov, &flags, TRUE) && flags == 3);
        closesocket((SOCKET)fd[0]);
        close(fd[1]);
    }
    atomic_store(&stop, 1);
    stress_meet(&meeting);
    for (int i = 0; i <= WAITERS; i++)
        pthread_join(threads[i], NULL);
    printf("# posted %llu, taken %llu, abandoned %llu, late %llu\n", (unsigned long long)posted,
           (unsigned long long)taken, (unsigned long long)abandoned, (unsigned long long)late);
    iocp_ledger(&l);
    MUST(abandoned + late == WAITERS * stress_count);
    MUST(l.posted == posted && taken <= posted && l.queued == l.delivered + l.dropped);
    stress_balanced();
    return 0;
}
