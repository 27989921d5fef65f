/* SPDX-License-Identifier: MIT */
/* TransmitFile: head, file, tail, offsets, counts, ends of connections, cancelling. */
#include "conform.h"
#include "packet.h"

enum { BULK = 3000000 };

static char got[BULK + 4096];

static int receive_all(SOCKET s, int size)
{
    int done = 0, n;
    while (done < size && (n = recv(s, got + done, size - done, 0)) > 0)
        done += n;
    return done;
}

static int is_pattern(const char *data, int size, int from)
{
    for (int i = 0; i < size; i++)
        if ((unsigned char)data[i] != pattern((unsigned)(from + i)))
            return 0;
    return 1;
}

THREAD_FN(drain_socket)
{
    return (unsigned)receive_all((SOCKET)arg, sizeof got);
}

TEST(head_file_tail, "ACC-22 PORT-12")
{
    SOCKET s[2];
    OVERLAPPED ov = {0};
    TRANSMIT_FILE_BUFFERS buffers = {"head", 4, "tail!", 5};
    HANDLE port = new_port(1), file = temp_file(1000, 0);
    REQUIRE(tcp_pair(s));
    REQUIRE(bind_port(port, s[0], 7));
    CHECK(TransmitFile(s[0], file, 0, 0, &ov, &buffers, 0) || WSAGetLastError() == WSA_IO_PENDING);
    CHECK_PACKET(port, 1009, 7, &ov);
    CHECK_EQ(receive_all(s[1], 1009), 1009);
    CHECK_MEM(got, "head", 4);
    CHECK(is_pattern(got + 4, 1000, 0));
    CHECK_MEM(got + 1004, "tail!", 5);
    ov.Offset = 100;
    CHECK(TransmitFile(s[0], file, 50, 0, &ov, NULL, TF_WRITE_BEHIND) || WSAGetLastError() == WSA_IO_PENDING);
    CHECK_PACKET(port, 50, 7, &ov);
    CHECK_EQ(receive_all(s[1], 50), 50);
    CHECK(is_pattern(got, 50, 100));
    CHECK(TransmitFile(s[0], NULL, 0, 0, &ov, &buffers, 0) || WSAGetLastError() == WSA_IO_PENDING);
    CHECK_PACKET(port, 9, 7, &ov);
    CHECK_EQ(receive_all(s[1], 9), 9);
    CHECK_MEM(got, "headtail!", 9);
    close_pair(s);
    CloseHandle(file);
    CloseHandle(port);
}

TEST(blocking_from_the_pointer, "ACC-23")
{
    SOCKET s[2];
    HANDLE file = temp_file(1000, 0);
    REQUIRE(tcp_pair(s));
    CHECK_EQ(SetFilePointer(file, 300, NULL, FILE_BEGIN), 300);
    CHECK(TransmitFile(s[0], file, 0, 0, NULL, NULL, 0));
    CHECK_EQ(receive_all(s[1], 700), 700);
    CHECK(is_pattern(got, 700, 300));
    close_pair(s);
    CloseHandle(file);
}

TEST_W8(with_the_end, "ACC-22 ACC-19", "does not disconnect")
{
    SOCKET s[2];
    DWORD limit = 2000;
    HANDLE file = temp_file(1000, 0);
    REQUIRE(tcp_pair(s));
    setsockopt(s[1], SOL_SOCKET, SO_RCVTIMEO, (char *)&limit, sizeof limit);
    CHECK(TransmitFile(s[0], file, 0, 0, NULL, NULL, TF_DISCONNECT));
    CHECK_EQ(receive_all(s[1], 1000), 1000);
    CHECK_EQ(recv(s[1], got, 1, 0), 0);
    close_pair(s);
    CloseHandle(file);
}

TEST(more_than_fits, "ACC-22 OVL-01 SOCK-09")
{
    SOCKET s[2];
    OVERLAPPED ov = {0}, after = {0};
    DWORD bytes = 0;
    HANDLE file = temp_file(BULK, FILE_FLAG_OVERLAPPED);
    TRANSMIT_FILE_BUFFERS buffers = {"head", 4, "tail", 4};
    int small = 8192;
    REQUIRE(tcp_pair(s));
    setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, (char *)&small, sizeof small);
    ov.hEvent = manual_event();
    after.hEvent = manual_event();
    CHECK_ERR(TransmitFile(s[0], file, 0, 0, &ov, &buffers, 0), ERROR_IO_PENDING);
    start_send(s[0], "after", 5, &after);
    CHECK_EQ(shutdown(s[0], SD_SEND), 0); /* the end follows all of it */
    HANDLE thread = start_thread(drain_socket, (void *)s[1]);
    CHECK(GetOverlappedResult((HANDLE)s[0], &ov, &bytes, TRUE));
    CHECK_EQ(bytes, BULK + 8);
    DWORD total = 0;
    CHECK_EQ(WaitForSingleObject(thread, 20000), WAIT_OBJECT_0);
    CHECK(GetExitCodeThread(thread, &total));
    CHECK_EQ(total, BULK + 13);
    CHECK(is_pattern(got + 4, BULK, 0));
    CHECK_MEM(got + 4 + BULK, "tailafter", 9);
    CloseHandle(thread);
    CloseHandle(ov.hEvent);
    CloseHandle(after.hEvent);
    close_pair(s);
    CloseHandle(file);
}

TEST(cancelled_and_closed, "CANCEL-03 CANCEL-05 CANCEL-16")
{
    SOCKET s[2];
    OVERLAPPED ov = {0};
    HANDLE port = new_port(1), file = temp_file(BULK, 0);
    for (int way = 0; way < 2; way++) {
        int small = 8192;
        REQUIRE(tcp_pair(s));
        REQUIRE(bind_port(port, s[0], 1));
        setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, (char *)&small, sizeof small);
        while (TransmitFile(s[0], file, 0, 0, &ov, NULL, 0))
            CHECK_PACKET(port, BULK, 1, &ov);
        CHECK_LASTERR(ERROR_IO_PENDING);
        if (way == 0)
            CHECK(CancelIoEx((HANDLE)s[0], &ov));
        else
            CHECK_EQ(closesocket(s[0]), 0);
        struct got g = get_packet(port, SOON);
        CHECK(!g.ok && g.ov == &ov);
        TODO_WINE("says 6 after closesocket")
        {
            CHECK_EQ(g.error, ERROR_OPERATION_ABORTED);
        }
        if (way == 0)
            closesocket(s[0]);
        closesocket(s[1]);
    }
    CloseHandle(file);
    CloseHandle(port);
}

TEST(refusals, "ACC-24")
{
    SOCKET s[2], udp;
    OVERLAPPED ov = {0};
    HANDLE file = temp_file(100, 0);
    REQUIRE(tcp_pair(s));
    udp = socket(AF_INET, SOCK_DGRAM, 0);
    TODO_WINE("checks none of this")
    {
        CHECK_ERR(TransmitFile(udp, file, 0, 0, &ov, NULL, 0), WSAEINVAL);
        CHECK_ERR(TransmitFile(s[0], file, 0, 0, &ov, NULL, TF_REUSE_SOCKET), WSAEINVAL);
        ov.Offset = 101;
        CHECK_ERR(TransmitFile(s[0], file, 0, 0, &ov, NULL, 0), WSAEINVAL);
    }
    SOCKET fresh = socket(AF_INET, SOCK_STREAM, 0);
    ov.Offset = 0;
    CHECK_ERR(TransmitFile(fresh, file, 0, 0, &ov, NULL, 0), WSAENOTCONN);
    closesocket(fresh);
    closesocket(udp);
    close_pair(s);
    CloseHandle(file);
}
