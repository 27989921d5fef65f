/* SPDX-License-Identifier: MIT */
/*
 * A lane's turn ends: whoever runs it, with a packet in its hands or inside a starting call, does not go on
 * for as long as there are requests and data.
 */
#include "unit.h"

#include <iocp.h>

enum { RECEIVES = 200, ROUNDS = 50 };

struct receive {
    OVERLAPPED ov;
    char data[16];
};

static struct receive receives[RECEIVES];

static SOCKET loopback(struct sockaddr_in *address)
{
    SOCKET s = iocp_socket(AF_INET, SOCK_DGRAM, 0);
    int size = sizeof *address;

    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CHECK_EQ(iocp_bind(s, (struct sockaddr *)address, sizeof *address), 0);
    CHECK_EQ(iocp_getsockname(s, (struct sockaddr *)address, &size), 0);
    return s;
}

static void start_receives(SOCKET s)
{
    for (int i = 0; i < RECEIVES; i++) {
        WSABUF buf = {sizeof receives[i].data, receives[i].data};
        DWORD flags = 0;

        CHECK_EQ(WSARecv(s, &buf, 1, NULL, &flags, &receives[i].ov, NULL), SOCKET_ERROR);
        CHECK_EQ(WSAGetLastError(), WSA_IO_PENDING);
    }
}

static int answered(void)
{
    int n = 0;

    for (int i = 0; i < RECEIVES; i++)
        n += __atomic_load_n(&receives[i].ov.Internal, __ATOMIC_ACQUIRE) != 0x103;
    return n;
}

/* All packets, in order; how many were answered by the time the first was there. */
static int take_all(HANDLE port)
{
    int at_first = 0;

    for (int i = 0; i < RECEIVES; i++) {
        OVERLAPPED *ov = NULL;
        ULONG_PTR key;
        DWORD bytes;
        int number;

        CHECK(GetQueuedCompletionStatus(port, &bytes, &key, &ov, 10000));
        CHECK(ov == &receives[i].ov);
        if (i == 0)
            at_first = answered();
        memcpy(&number, receives[i].data, sizeof number);
        CHECK_EQ(number, i);
    }
    return at_first;
}

/* Whoever dequeues the first packet answers some more on the way, but not all that could be. Should this
 * thread be late, the watchdog may have answered all, turn by turn: but not every time. */
TEST(a_worker_comes_back)
{
    struct sockaddr_in address;
    SOCKET to, from;
    int at_first = RECEIVES;
    WSADATA data;
    HANDLE port;

    CHECK_EQ(WSAStartup(0x202, &data), 0);
    to = loopback(&address);
    from = iocp_socket(AF_INET, SOCK_DGRAM, 0);
    port = CreateIoCompletionPort((HANDLE)to, NULL, 1, 1);
    for (int round = 0; round < ROUNDS && at_first == RECEIVES; round++) {
        start_receives(to);
        for (int i = 0; i < RECEIVES; i++)
            CHECK_EQ(iocp_sendto(from, (char *)&i, sizeof i, 0, (struct sockaddr *)&address, sizeof address),
                     sizeof i);
        at_first = take_all(port);
    }
    CHECK(at_first < RECEIVES);
    closesocket(to);
    closesocket(from);
    CloseHandle(port);
}
