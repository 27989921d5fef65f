/* SPDX-License-Identifier: MIT */
/* Receives past Winsock: AFD's controls on a socket by NtDeviceIoControlFile, as libuv makes them of
 * datagrams
 * to get round an old fault of skip-on-success. */
#include "conform.h"
#include "net.h"
#include "nt.h"


#define RECEIVE_CODE  0x12017
#define DATAGRAM_CODE 0x1201B
#define TDI_NORMAL    0x20
#define TDI_PEEK      0x80

struct receive_info {
    WSABUF *buffers;
    ULONG count, afd_flags, tdi_flags;
    struct sockaddr *address;
    int *address_size;
};

static nt_status receive(SOCKET s, ULONG code, WSABUF *buffer, ULONG flags, struct sockaddr_in *from,
                         int *size, OVERLAPPED *ov)
{
    struct receive_info info = {buffer, 1, 2, TDI_NORMAL | flags, (struct sockaddr *)from, size};
    memset(ov, 0, sizeof *ov);
    ov->Internal = (ULONG)NT_PENDING;
    return nt_NtDeviceIoControlFile((HANDLE)s, NULL, NULL, ov, (struct nt_block *)ov, code, &info,
                                    code == RECEIVE_CODE ? 24 : sizeof info, NULL, 0);
}

#define NEED_RECEIVES(STATUS)                                                                          \
    do {                                                                                               \
        if (conform_wine && (ULONG)(STATUS) >= 0xC0000000u && (ULONG)(STATUS) != 0xC000000Du)          \
            SKIP("no AFD receives here");                                                              \
    } while (0)

TEST(datagram_past_winsock, "")
{
    struct sockaddr_in name, mine, from;
    int size = sizeof from, own = sizeof mine;
    SOCKET s, t;
    char data[8] = "";
    WSABUF nothing = {0, data}, whole = {sizeof data, data};
    HANDLE port;
    OVERLAPPED ov;
    nt_status status;
    net_start();
    s = udp_socket(&name);
    t = udp_socket(&mine);
    port = port_of(s, 7);
    CHECK(SetFileCompletionNotificationModes((HANDLE)s, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS |
                                                            FILE_SKIP_SET_EVENT_ON_HANDLE));

    /* A look for 0 bytes waits for a datagram, takes nothing, and says that it was larger. */
    status = receive(s, RECEIVE_CODE, &nothing, TDI_PEEK, NULL, NULL, &ov);
    NEED_RECEIVES(status);
    CHECK_NT(status, NT_PENDING);
    CHECK_EQ(getsockname(t, (struct sockaddr *)&mine, &own), 0);
    CHECK_EQ(sendto(t, "four", 4, 0, (struct sockaddr *)&name, sizeof name), 4);
    CHECK(pop(port, 20000).ov == &ov);
    CHECK_NT(ov.Internal, 0x80000005u);
    CHECK_EQ(available(s), 4);

    /* It is there: answered in the call, without a packet. */
    status = receive(s, DATAGRAM_CODE, &whole, 0, &from, &size, &ov);
    NEED_RECEIVES(status);
    CHECK_NT(status, 0);
    CHECK_EQ(ov.InternalHigh, 4);
    CHECK_MEM(data, "four", 4);
    CHECK_EQ(size, sizeof from);
    CHECK_EQ(from.sin_port, mine.sin_port);
    CHECK(port_is_empty(port));

    /* One that has to wait is answered by a packet, and closing answers it too. */
    CHECK_NT(receive(s, DATAGRAM_CODE, &whole, 0, &from, &size, &ov), NT_PENDING);
    CHECK_EQ(sendto(t, "seven..", 7, 0, (struct sockaddr *)&name, sizeof name), 7);
    CHECK(pop(port, 20000).ov == &ov);
    CHECK_EQ(ov.InternalHigh, 7);
    CHECK_NT(receive(s, DATAGRAM_CODE, &whole, 0, &from, &size, &ov), NT_PENDING);
    closesocket(s);
    CHECK(pop(port, 20000).ov == &ov);
    CHECK_NT(ov.Internal, NT_CANCELLED);
    closesocket(t);
    CloseHandle(port);
}

TEST(stream_past_winsock, "")
{
    SOCKET s[2];
    char data[8] = "";
    WSABUF whole = {sizeof data, data};
    HANDLE port;
    struct receive_info bad = {NULL, 0, 2, TDI_NORMAL, NULL, NULL};
    OVERLAPPED ov;
    nt_status status;
    net_start();
    REQUIRE(tcp_pair(s));
    port = port_of(s[0], 7);
    status = receive(s[0], RECEIVE_CODE, &whole, 0, NULL, NULL, &ov);
    NEED_RECEIVES(status);
    CHECK_NT(status, NT_PENDING);
    CHECK(send_all(s[1], "abc", 3));
    CHECK(pop(port, 20000).ov == &ov);
    CHECK_EQ(ov.InternalHigh, 3);
    CHECK_MEM(data, "abc", 3);
    if (!conform_wine)
        CHECK_NT(nt_NtDeviceIoControlFile((HANDLE)s[0], NULL, NULL, &ov, (struct nt_block *)&ov, RECEIVE_CODE,
                                          &bad, 24, NULL, 0), NT_INVALID_PARAMETER);
    CHECK(port_is_empty(port));
    end_pair(s);
    CloseHandle(port);
}
