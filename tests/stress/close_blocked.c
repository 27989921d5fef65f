/* SPDX-License-Identifier: MIT */
/*
 * Closing a socket under a thread that blocks on it, at the very moment when it has something to
 * give: a byte for recv, a connection for accept. The woken thread must get that or be told that
 * it was interrupted, never what the kernel says of the placeholder on the closed number.
 */
#define _GNU_SOURCE
#include "stress.h"

#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

static struct stress_meeting meeting = {.need = 2};
static SOCKET blocked;
static _Atomic int accepts, stop;
static _Atomic DWORD blocker;
static uint64_t served, interrupted;

static void *block_on_it(void *arg)
{
    struct sched_param none = {0};

    sched_setscheduler(0, SCHED_IDLE, &none); /* woken, it runs after the closing thread */
    atomic_store(&blocker, GetCurrentThreadId());
    for (;;) {
        char byte;
        int got;

        stress_meet(&meeting);
        if (atomic_load(&stop))
            return arg;
        if (atomic_load(&accepts)) {
            SOCKET s = iocp_accept(blocked, NULL, NULL);

            got = s != INVALID_SOCKET;
            if (got)
                closesocket(s);
        } else {
            got = iocp_recv(blocked, &byte, 1, 0) == 1;
        }
        if (got)
            served++;
        else
            MUST(WSAGetLastError() == WSAEINTR);
        interrupted += !got;
        stress_meet(&meeting);
    }
}

/* Meeting threads run; this one sleeps once it is inside its call. */
static void wait_until_it_sleeps(void)
{
    char path[64], text[256];
    const char *end = NULL;

    snprintf(path, sizeof path, "/proc/self/task/%u/stat", (unsigned)atomic_load(&blocker));
    do {
        FILE *f = fopen(path, "r");
        size_t n;

        MUST(f);
        usleep(50); /* leaves it the processor */
        n = fread(text, 1, sizeof text - 1, f);
        fclose(f);
        text[n] = 0;
        end = strrchr(text, ')');
    } while (!end || end[2] != 'S');
}

static void open_blocked(int type, struct sockaddr_in *address)
{
    socklen_t len = sizeof *address;

    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    blocked = WSASocketW(AF_INET, type, 0, NULL, 0, WSA_FLAG_OVERLAPPED);
    MUST(iocp_bind(blocked, (struct sockaddr *)address, (int)len) == 0);
    MUST(getsockname((int)blocked, (struct sockaddr *)address, &len) == 0);
    MUST(type == SOCK_DGRAM || iocp_listen(blocked, 1) == 0);
    atomic_store(&accepts, type == SOCK_STREAM);
}

int main(int argc, char **argv)
{
    pthread_t thread;
    WSADATA data;
    cpu_set_t one;

    stress_begin(argc, argv, 20000, 1000);
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    sched_setaffinity(0, sizeof one, &one); /* inherited by the other */
    MUST(WSAStartup(MAKEWORD(2, 2), &data) == 0);
    thread = stress_thread(block_on_it, NULL);
    for (uint64_t n = 0; n < stress_count; n++) {
        int type = n % 2 ? SOCK_STREAM : SOCK_DGRAM;
        int client = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        struct sockaddr_in address;

        open_blocked(type, &address);
        stress_meet(&meeting);
        wait_until_it_sleeps();
        (void)!connect(client, (struct sockaddr *)&address, sizeof address);
        if (type == SOCK_DGRAM)
            MUST(send(client, "x", 1, 0) == 1);
        MUST(closesocket(blocked) == 0);
        stress_meet(&meeting);
        close(client);
    }
    atomic_store(&stop, 1);
    stress_meet(&meeting);
    pthread_join(thread, NULL);
    printf("# %llu were served, %llu interrupted\n", (unsigned long long)served,
           (unsigned long long)interrupted);
    return 0;
}
