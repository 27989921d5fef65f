/* SPDX-License-Identifier: MIT */
/*
 * ConnectNamedPipe cancelled at the moment when a client comes; reads, writes and transactions cancelled,
 * disconnected or closed at the moment when the other end answers. Each operation ends once, with one of
 * the two results; a client that got in is there, and the next one gets in as well.
 */
#include "stress.h"

#include <stdbool.h>

enum { LARGE = 200000 };

static char name[64];
static struct stress_meeting meeting = {.need = 2};
static HANDLE server, client, other;
static _Atomic int turn, stop;
static char out[LARGE], in[LARGE];
static uint64_t connected, called_back, finished, ended;

static HANDLE open_client(void)
{
    return CreateFileA(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, FILE_FLAG_OVERLAPPED,
                       NULL);
}

/* Lets the other side have a start of up to so many looks. */
static void linger(uint64_t *state, uint32_t looks)
{
    for (uint32_t n = stress_random(state, looks); n > 0; n--)
        atomic_load(&turn);
}

/* The other side of every race: opens, writes, or ends the connection. */
static void *oppose(void *arg)
{
    uint64_t state = stress_seed | 1;

    for (;;) {
        DWORD n;

        stress_meet(&meeting);
        if (atomic_load(&stop))
            return arg;
        linger(&state, 3000);
        switch (atomic_load(&turn)) {
        case 0: /* against a cancelled ConnectNamedPipe: the instance goes on listening, so this succeeds */
            client = open_client();
            MUST(client != INVALID_HANDLE_VALUE);
            break;
        case 1:
            WriteFile(client, out, 100, &n, NULL);
            break;
        case 2:
            CloseHandle(client);
            break;
        case 3:
            DisconnectNamedPipe(server);
            break;
        default: /* takes some of what is written */
            ReadFile(client, in, LARGE, &n, NULL);
            break;
        }
        stress_meet(&meeting);
    }
}

static void wait_for(OVERLAPPED *ov, DWORD *bytes, DWORD *error)
{
    *error = GetOverlappedResult(server, ov, bytes, TRUE) ? 0 : GetLastError();
}

/* Ends with the client connected, whichever was faster. */
static void race_connect(uint64_t *state)
{
    OVERLAPPED ov = {.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL)};
    DWORD bytes, error;

    MUST(!ConnectNamedPipe(server, &ov) && GetLastError() == ERROR_IO_PENDING);
    atomic_store(&turn, 0);
    stress_meet(&meeting);
    linger(state, 100000);
    CancelIoEx(server, &ov);
    wait_for(&ov, &bytes, &error);
    stress_meet(&meeting);
    MUST(error == 0 || error == ERROR_OPERATION_ABORTED);
    connected += error == 0;
    called_back += error != 0;
    MUST(!ConnectNamedPipe(server, &ov) && GetLastError() == ERROR_PIPE_CONNECTED);
    CloseHandle(ov.hEvent);
}

/* A read or a large write of the server against what `against` does. `cancel`: it is cancelled as well. */
static void race_transfer(uint64_t *state, int against, bool write, bool cancel)
{
    OVERLAPPED ov = {.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL)};
    DWORD bytes = 0, error;
    BOOL ok = write ? WriteFile(server, out, LARGE, NULL, &ov) : ReadFile(server, in, LARGE, NULL, &ov);

    MUST(ok || GetLastError() == ERROR_IO_PENDING);
    atomic_store(&turn, against);
    stress_meet(&meeting);
    if (cancel) {
        linger(state, 10000);
        CancelIoEx(server, &ov);
    }
    if (!(against == 4 && !cancel) && !(write && against == 1)) { /* else it need not end by itself */
        wait_for(&ov, &bytes, &error);
        MUST(error == 0 || error == ERROR_OPERATION_ABORTED || error == ERROR_BROKEN_PIPE ||
             error == ERROR_NO_DATA || error == ERROR_PIPE_NOT_CONNECTED);
        MUST(error != ERROR_OPERATION_ABORTED || cancel);
        finished += error == 0;
        ended += error != 0;
        if (error == 0 && !write && against == 1)
            MUST(bytes == 100 && memcmp(in, out, 100) == 0);
        stress_meet(&meeting);
    } else {
        stress_meet(&meeting);
        CancelIoEx(server, &ov);
        wait_for(&ov, &bytes, &error);
    }
    CloseHandle(ov.hEvent);
}

static void round_of(uint64_t *state)
{
    int against = 1 + (int)stress_random(state, 3);
    bool write = stress_random(state, 2);

    race_connect(state);
    if (stress_random(state, 2))
        race_transfer(state, 1, false, true); /* a read against its data, cancelled */
    if (stress_random(state, 2))
        race_transfer(state, 4, true, true); /* a write that pends against its reader, cancelled */
    race_transfer(state, against, write, against == 1 || stress_random(state, 2));
    if (against != 2)
        CloseHandle(client);
    if (stress_random(state, 8) == 0) { /* now and then the instance itself goes, and another comes */
        CloseHandle(server);
        server = other;
        other = CreateNamedPipeA(name, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED,
                                 PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE, 3, 4096, 4096, 0, NULL);
        MUST(other != INVALID_HANDLE_VALUE);
        MUST(DisconnectNamedPipe(other)); /* not for clients yet */
    } else {
        DisconnectNamedPipe(server);
    }
}

int main(int argc, char **argv)
{
    uint64_t state;
    pthread_t thread;

    stress_begin(argc, argv, 20000, 1000);
    state = stress_seed | 1;
    snprintf(name, sizeof name, "\\\\.\\pipe\\iocp-cancel-%d", (int)getpid());
    for (int i = 0; i < LARGE; i++)
        out[i] = (char)(i * 31 + (i >> 8));
    for (int i = 0; i < 2; i++) {
        other = CreateNamedPipeA(name, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED,
                                 PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE, 3, 4096, 4096, 0, NULL);
        MUST(other != INVALID_HANDLE_VALUE);
        MUST(DisconnectNamedPipe(other));
        if (i == 0)
            server = other;
    }
    thread = stress_thread(oppose, NULL);
    for (uint64_t i = 0; i < stress_count; i++)
        round_of(&state);
    atomic_store(&stop, 1);
    stress_meet(&meeting);
    pthread_join(thread, NULL);
    CloseHandle(server);
    CloseHandle(other);
    printf("# %llu connected, %llu called back; %llu transfers finished, %llu ended\n",
           (unsigned long long)connected, (unsigned long long)called_back, (unsigned long long)finished,
           (unsigned long long)ended);
    stress_balanced();
    return 0;
}
