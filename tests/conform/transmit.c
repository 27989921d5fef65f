/* SPDX-License-Identifier: MIT */
/* TransmitFile and TransmitPackets: parts, offsets, counts, datagrams, ends of connections, cancelling. */
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

/* To nobody: an error, and no signal that would end the program. */
TEST(nobody_there, "ACC-22 SOCK-05")
{
    SOCKET s[2];
    OVERLAPPED ov = {0};
    HANDLE file = temp_file(200000, 0);
    ov.hEvent = manual_event();
    REQUIRE(tcp_pair(s));
    CHECK_EQ(shutdown(s[0], SD_SEND), 0);
    CHECK(!TransmitFile(s[0], file, 0, 0, NULL, NULL, 0));
    CHECK(WSAGetLastError() != 0 && WSAGetLastError() != WSA_IO_PENDING);
    if (!TransmitFile(s[0], file, 0, 0, &ov, NULL, 0) && WSAGetLastError() == WSA_IO_PENDING) {
        CHECK_EQ(WaitForSingleObject(ov.hEvent, SOON), WAIT_OBJECT_0);
        CHECK((LONG)ov.Internal < 0);
    }
    close_pair(s);
    REQUIRE(tcp_pair(s));
    reset_socket(s[1]);
    for (int i = 0; i < 3; i++) /* the first may go to the reset's account */
        TransmitFile(s[0], file, 0, 0, NULL, NULL, 0);
    CHECK(!TransmitFile(s[0], file, 0, 0, NULL, NULL, 0));
    closesocket(s[0]);
    CloseHandle(ov.hEvent);
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

#ifdef __linux__ /* a file that costs no space */
/* The other side reads all the time: the request is never told to wait. */
THREAD_FN(swallow)
{
    SOCKET s = (SOCKET)arg;
    unsigned total = 0;
    int n;
    while ((n = recv(s, got, sizeof got, 0)) > 0)
        total += (unsigned)n;
    return total;
}

static HANDLE hole(LONG size)
{
    HANDLE file = temp_file(1, 0);
    SetFilePointer(file, size, NULL, FILE_BEGIN);
    CHECK(SetEndOfFile(file));
    SetFilePointer(file, 0, NULL, FILE_BEGIN);
    return file;
}

static void swallow_all(LONG size, int with_port, int cancel)
{
    SOCKET s[2];
    OVERLAPPED ov = {0};
    DWORD bytes = 0, total = 0;
    HANDLE file = hole(size), port = NULL;
    REQUIRE(tcp_pair(s));
    ov.hEvent = manual_event();
    if (with_port) {
        port = new_port(1);
        REQUIRE(bind_port(port, s[0], 7));
    }
    HANDLE thread = start_thread(swallow, (void *)s[1]);
    BOOL at_once = TransmitFile(s[0], file, 0, 0, &ov, NULL, 0);
    CHECK(at_once || WSAGetLastError() == WSA_IO_PENDING);
    if (cancel)
        CHECK(CancelIoEx((HANDLE)s[0], &ov));
    if (with_port) {
        struct got g = get_packet(port, 20000);
        CHECK(g.ov == &ov);
        CHECK_EQ(g.ok, !cancel);
    }
    CHECK_EQ(GetOverlappedResult((HANDLE)s[0], &ov, &bytes, TRUE), !cancel);
    if (cancel)
        CHECK_EQ(GetLastError(), ERROR_OPERATION_ABORTED);
    else
        CHECK_EQ(bytes, (DWORD)size);
    CHECK_EQ(shutdown(s[0], SD_SEND), 0);
    CHECK_EQ(WaitForSingleObject(thread, 20000), WAIT_OBJECT_0);
    CHECK(GetExitCodeThread(thread, &total));
    CHECK(cancel ? total < (DWORD)size : total == (DWORD)size);
    CloseHandle(thread);
    CloseHandle(ov.hEvent);
    close_pair(s);
    CloseHandle(file);
    if (port)
        CloseHandle(port);
}

TEST(a_fast_reader, "ACC-22 CANCEL-03")
{
    swallow_all(100000000, 0, 0);
    swallow_all(100000000, 1, 0);
    swallow_all(2000000000, 0, 1);
    swallow_all(2000000000, 1, 1);
}

TEST(locked_ranges, "ACC-22")
{
    SOCKET s[2];
    OVERLAPPED ov = {0}, range = {.Offset = 500};
    char path[MAX_PATH];
    REQUIRE(tcp_pair(s));
    HANDLE file = temp_file(1000, 0), other = NULL;
    GetFinalPathNameByHandleA(file, path, sizeof path, 0);
    other = CreateFileA(path, GENERIC_READ, 7, NULL, OPEN_EXISTING, 0, NULL);
    REQUIRE(other != INVALID_HANDLE_VALUE);
    ov.hEvent = manual_event();
    CHECK(LockFileEx(file, LOCKFILE_EXCLUSIVE_LOCK, 0, 10, 0, &range));
    CHECK_ERR(TransmitFile(s[0], other, 0, 0, &ov, NULL, 0), ERROR_LOCK_VIOLATION);
    CHECK_ERR(TransmitFile(s[0], other, 0, 0, NULL, NULL, 0), ERROR_LOCK_VIOLATION);
    CHECK(TransmitFile(s[0], other, 500, 0, NULL, NULL, 0));
    CHECK(TransmitFile(s[0], file, 0, 0, NULL, NULL, 0));
    CHECK_EQ(receive_all(s[1], 1500), 1500);
    CloseHandle(other);
    CloseHandle(file);
    CloseHandle(ov.hEvent);
    close_pair(s);
}
#endif

/* ---- blocking calls ---- */

struct blocked_call {
    SOCKET s;
    HANDLE file;
    BOOL result;
    DWORD error;
};

THREAD_FN(transmit_blocking)
{
    struct blocked_call *c = arg;
    c->result = TransmitFile(c->s, c->file, 0, 0, NULL, NULL, 0);
    c->error = c->result ? 0 : GetLastError();
    return 0;
}

static void small_buffers(SOCKET s[2])
{
    int small = 8192;
    setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, (char *)&small, sizeof small);
    setsockopt(s[1], SOL_SOCKET, SO_RCVBUF, (char *)&small, sizeof small);
}

/* The peer reads nothing. */
TEST_W8(blocking_and_closed, "ACC-23 CANCEL-16", "goes on waiting")
{
    struct blocked_call c = {.file = temp_file(BULK, 0)};
    SOCKET s[2];
    if (conform_wine)
        SKIP("Wine goes on waiting");
    REQUIRE(tcp_pair(s));
    small_buffers(s);
    c.s = s[0];
    HANDLE thread = start_thread(transmit_blocking, &c);
    CHECK(recv(s[1], got, 1, 0) == 1); /* it has begun */
    CHECK_EQ(closesocket(s[0]), 0);
    JOIN(thread);
    CHECK(!c.result && c.error != 0);
    closesocket(s[1]);
    CloseHandle(c.file);
}

TEST_W8(blocking_and_called_back, "ACC-23 CANCEL-10", "does not find it")
{
    struct blocked_call c = {.file = temp_file(BULK, 0)};
    SOCKET s[2];
    if (conform_wine)
        SKIP("Wine does not find the call");
    REQUIRE(tcp_pair(s));
    small_buffers(s);
    c.s = s[0];
    HANDLE thread = start_thread(transmit_blocking, &c);
    if (!CHECK(WITHIN(20000, CancelSynchronousIo(thread))))
        closesocket(s[0]);
    JOIN(thread);
    CHECK(!c.result);
    CHECK_EQ(c.error, ERROR_OPERATION_ABORTED);
    close_pair(s);
    CloseHandle(c.file);
}

TEST_W8(blocking_too_long, "SOCK-35", "waits for ever: the page of TransmitFile says nothing")
{
    SOCKET s[2];
    DWORD ms = 100;
    HANDLE file = temp_file(BULK, 0);
    REQUIRE(tcp_pair(s));
    if (conform_wine)
        SKIP("Wine waits for ever");
    small_buffers(s);
    CHECK_EQ(setsockopt(s[0], SOL_SOCKET, SO_SNDTIMEO, (char *)&ms, sizeof ms), 0);
    double began = now_ms();
    CHECK_ERR(TransmitFile(s[0], file, 0, 0, NULL, NULL, 0), WSAETIMEDOUT);
    CHECK(now_ms() - began >= 99);
    close_pair(s);
    CloseHandle(file);
}

#ifdef __linux__
/* The other side takes all as fast as it comes, so that the call never sleeps. */
TEST(blocking_with_a_fast_reader, "ACC-23 CANCEL-10")
{
    struct blocked_call c = {.file = hole(2000000000)};
    SOCKET s[2];
    REQUIRE(tcp_pair(s));
    c.s = s[0];
    HANDLE reader = start_thread(swallow, (void *)s[1]);
    HANDLE thread = start_thread(transmit_blocking, &c);
    CHECK(WITHIN(20000, CancelSynchronousIo(thread)));
    JOIN(thread);
    CHECK(!c.result);
    CHECK_EQ(c.error, ERROR_OPERATION_ABORTED);
    closesocket(s[0]);
    JOIN(reader);
    closesocket(s[1]);
    CloseHandle(c.file);
}
#endif

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
    TODO_WINE("says WSAENOTSOCK, though the socket is one") {
        CHECK_ERR(TransmitFile(s[0], INVALID_HANDLE_VALUE, 0, 0, &ov, NULL, 0), ERROR_INVALID_HANDLE);
    }
    closesocket(fresh);
    closesocket(udp);
    close_pair(s);
    CloseHandle(file);
}

/* ---- TransmitPackets ---- */

static void extension_of(SOCKET s, GUID id, void *pointer)
{
    DWORD bytes;
    CHECK_EQ(WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &id, sizeof id, pointer, sizeof(void *), &bytes,
                      NULL, NULL),
             0);
}

static LPFN_TRANSMITPACKETS packets_of(SOCKET s)
{
    LPFN_TRANSMITPACKETS f = NULL;
    extension_of(s, (GUID)WSAID_TRANSMITPACKETS, &f);
    return f;
}

static TRANSMIT_PACKETS_ELEMENT memory_element(const char *text, ULONG flags)
{
    TRANSMIT_PACKETS_ELEMENT e = {0};
    e.dwElFlags = TP_ELEMENT_MEMORY | flags;
    e.cLength = (ULONG)strlen(text);
    e.pBuffer = (void *)(uintptr_t)text;
    return e;
}

static TRANSMIT_PACKETS_ELEMENT file_element(HANDLE file, LONGLONG offset, ULONG length, ULONG flags)
{
    TRANSMIT_PACKETS_ELEMENT e = {0};
    e.dwElFlags = TP_ELEMENT_FILE | flags;
    e.cLength = length;
    e.nFileOffset.QuadPart = offset;
    e.hFile = file;
    return e;
}

TEST_W8(elements_in_order, "ACC-25 PORT-12", "TransmitPackets is not there")
{
    SOCKET s[2];
    OVERLAPPED ov = {0};
    DWORD bytes = 0;
    HANDLE port = new_port(1), file = temp_file(1000, 0);
    REQUIRE(tcp_pair(s));
    LPFN_TRANSMITPACKETS transmit = packets_of(s[0]);
    REQUIRE(transmit);
    SetFilePointer(file, 990, NULL, FILE_BEGIN);
    TRANSMIT_PACKETS_ELEMENT e[] = {memory_element("one", 0), file_element(file, 100, 50, 0),
                                    memory_element("", 0), memory_element("two", TP_ELEMENT_EOP),
                                    file_element(file, -1, 0, 0), file_element(file, 1000, 0, 0),
                                    memory_element("end", 0)};
    REQUIRE(bind_port(port, s[0], 7));
    CHECK(transmit(s[0], e, 7, 0, &ov, 0) || WSAGetLastError() == WSA_IO_PENDING);
    memset(e, 0xff, sizeof e); /* the array has been read */
    CHECK_PACKET(port, 69, 7, &ov);
    CHECK_NO_PACKET(port, 20);
    CHECK_EQ(receive_all(s[1], 69), 69);
    CHECK_MEM(got, "one", 3);
    CHECK(is_pattern(got + 3, 50, 100));
    CHECK_MEM(got + 53, "two", 3);
    CHECK(is_pattern(got + 56, 10, 990));
    CHECK_MEM(got + 66, "end", 3);
    e[0] = memory_element("blocking", 0);
    CHECK(transmit(s[0], e, 1, 0, NULL, 0));
    CHECK_EQ(receive_all(s[1], 8), 8);
    CHECK(transmit(s[0], e, 0, 0, NULL, 0));
    e[1] = file_element(file, 0, 10, 0);
    ov.hEvent = (HANDLE)((ULONG_PTR)manual_event() | 1);
    CHECK(transmit(s[0], e, 2, 0, &ov, 0) || WSAGetLastError() == WSA_IO_PENDING);
    CHECK(GetOverlappedResult((HANDLE)s[0], &ov, &bytes, TRUE));
    CHECK_EQ(bytes, 18);
    CHECK_NO_PACKET(port, 20);
    CloseHandle((HANDLE)((ULONG_PTR)ov.hEvent & ~(ULONG_PTR)1));
    close_pair(s);
    CloseHandle(file);
    CloseHandle(port);
}

TEST_W8(elements_that_do_not_fit, "ACC-25 CANCEL-03", "TransmitPackets is not there")
{
    SOCKET s[2];
    OVERLAPPED ov = {0};
    DWORD bytes = 0, total = 0;
    int small = 8192;
    HANDLE file = temp_file(BULK / 2, 0);
    TRANSMIT_PACKETS_ELEMENT e[] = {memory_element("head", TP_ELEMENT_EOP), file_element(file, 0, 0, 0),
                                    memory_element("amid", 0), file_element(file, 0, 0, 0)};
    for (int cancel = 0; cancel < 2; cancel++) {
        REQUIRE(tcp_pair(s));
        LPFN_TRANSMITPACKETS transmit = packets_of(s[0]);
        REQUIRE(transmit);
        setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, (char *)&small, sizeof small);
        ov.hEvent = manual_event();
        CHECK_ERR(transmit(s[0], e, 4, 0, &ov, cancel ? 0 : TP_DISCONNECT), ERROR_IO_PENDING);
        if (cancel) {
            CHECK(CancelIoEx((HANDLE)s[0], &ov));
            CHECK_ERR(GetOverlappedResult((HANDLE)s[0], &ov, &bytes, TRUE), ERROR_OPERATION_ABORTED);
        } else {
            HANDLE thread = start_thread(drain_socket, (void *)s[1]);
            CHECK(GetOverlappedResult((HANDLE)s[0], &ov, &bytes, TRUE));
            CHECK_EQ(bytes, BULK + 8);
            CHECK_EQ(WaitForSingleObject(thread, 20000), WAIT_OBJECT_0); /* the end came too */
            CHECK(GetExitCodeThread(thread, &total));
            CHECK_EQ(total, BULK + 8);
            CHECK(is_pattern(got + 4, BULK / 2, 0));
            CHECK_MEM(got + 4 + BULK / 2, "amid", 4);
            CHECK(is_pattern(got + 8 + BULK / 2, BULK / 2, 0));
            CloseHandle(thread);
        }
        CloseHandle(ov.hEvent);
        close_pair(s);
    }
    CloseHandle(file);
}

TEST_W8(datagrams, "ACC-25", "TransmitPackets is not there")
{
    struct sockaddr_in name;
    net_start();
    SOCKET from = socket(AF_INET, SOCK_DGRAM, 0), to = socket(AF_INET, SOCK_DGRAM, 0);
    HANDLE file = temp_file(70000, 0);
    OVERLAPPED ov = {0};
    DWORD bytes = 0;
    int length = sizeof name, limit = 2000;
    LPFN_TRANSMITPACKETS transmit = packets_of(from);
    REQUIRE(transmit);
    TRANSMIT_PACKETS_ELEMENT e[] = {memory_element("a", 0), file_element(file, 5, 7, TP_ELEMENT_EOP),
                                    memory_element("second", TP_ELEMENT_EOP), memory_element("thi", 0),
                                    memory_element("rd", 0)};
    CHECK_ERR(transmit(from, e, 5, 0, NULL, 0), WSAENOTCONN);
    memset(&name, 0, sizeof name);
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(bind(to, (struct sockaddr *)&name, sizeof name) == 0);
    getsockname(to, (struct sockaddr *)&name, &length);
    REQUIRE(connect(from, (struct sockaddr *)&name, sizeof name) == 0);
    setsockopt(to, SOL_SOCKET, SO_RCVTIMEO, (char *)&limit, sizeof limit);
    ov.hEvent = manual_event();
    CHECK(transmit(from, e, 5, 0xFFFFFFFF, &ov, 0) || WSAGetLastError() == WSA_IO_PENDING);
    CHECK(GetOverlappedResult((HANDLE)from, &ov, &bytes, TRUE));
    CHECK_EQ(bytes, 19);
    CHECK_EQ(recv(to, got, sizeof got, 0), 8);
    CHECK(got[0] == 'a' && is_pattern(got + 1, 7, 5));
    CHECK_EQ(recv(to, got, sizeof got, 0), 6);
    CHECK_EQ(recv(to, got, sizeof got, 0), 5);
    CHECK_MEM(got, "third", 5);
    CHECK_ERR(transmit(from, e, 5, 0, NULL, TP_DISCONNECT), WSAEINVAL);
    e[0] = file_element(file, 0, 0, 0);
    CHECK_ERR(transmit(from, e, 1, 0, NULL, 0), WSAEMSGSIZE);
    CloseHandle(ov.hEvent);
    CloseHandle(file);
    closesocket(from);
    closesocket(to);
}

TEST_W8(packet_refusals, "ACC-25 ACC-24", "TransmitPackets is not there")
{
    SOCKET s[2];
    HANDLE file = temp_file(100, 0);
    REQUIRE(tcp_pair(s));
    LPFN_TRANSMITPACKETS transmit = packets_of(s[0]);
    REQUIRE(transmit);
    TRANSMIT_PACKETS_ELEMENT e[2] = {memory_element("x", 0), file_element(file, 101, 0, 0)};
    CHECK_ERR(transmit(s[0], e, 2, 0, NULL, 0), WSAEINVAL);
    e[1] = file_element(NULL, 0, 0, 0);
    CHECK_ERR(transmit(s[0], e, 2, 0, NULL, 0), ERROR_INVALID_HANDLE);
    e[1] = memory_element("y", TP_ELEMENT_FILE);
    CHECK_ERR(transmit(s[0], e, 2, 0, NULL, 0), WSAEINVAL);
    CHECK_ERR(transmit(s[0], e, 1, 0, NULL, TP_REUSE_SOCKET), WSAEINVAL);
    CHECK_ERR(transmit(s[0], NULL, 1, 0, NULL, 0), WSAEFAULT);
    CHECK_ERR(transmit(INVALID_SOCKET, e, 1, 0, NULL, 0), WSAENOTSOCK);
    e[0].cLength = e[1].cLength = 0x7fffffff;
    CHECK_ERR(transmit(s[0], e, 1, 0, NULL, 0), WSAEINVAL);
    e[0] = memory_element("sole", 0);
    CHECK(transmit(s[0], e, 1, 0, NULL, 0));
    CHECK_EQ(receive_all(s[1], 4), 4); /* none of the others has sent a thing */
    CHECK_MEM(got, "sole", 4);
    close_pair(s);
    CloseHandle(file);
}

/* ---- the socket again ---- */

/* Once by TransmitFile, once by TransmitPackets: send, end, and connect with the same socket anew. */
TEST_W8(used_again, "ACC-21 ACC-22 ACC-25", "does not disconnect")
{
    struct sockaddr_in name, any = {0};
    net_start();
    int length = sizeof name;
    HANDLE file = temp_file(1000, 0);
    SOCKET listener = socket(AF_INET, SOCK_STREAM, 0), s = socket(AF_INET, SOCK_STREAM, 0), peer;
    OVERLAPPED ov = {0};
    DWORD bytes;
    LPFN_CONNECTEX connect_ex = NULL;
    LPFN_TRANSMITPACKETS transmit = packets_of(s);
    extension_of(s, (GUID)WSAID_CONNECTEX, &connect_ex);
    REQUIRE(transmit && connect_ex);
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(bind(listener, (struct sockaddr *)&any, sizeof any) == 0 && listen(listener, 4) == 0);
    getsockname(listener, (struct sockaddr *)&name, &length);
    ov.hEvent = manual_event();
    for (int round = 0; round < 4; round++) {
        TRANSMIT_PACKETS_ELEMENT e[] = {file_element(file, 0, 0, 0)};
        REQUIRE(bind(s, (struct sockaddr *)&any, sizeof any) == 0);
        CHECK(connect_ex(s, (struct sockaddr *)&name, sizeof name, NULL, 0, NULL, &ov) ||
              WSAGetLastError() == WSA_IO_PENDING);
        peer = accept(listener, NULL, NULL);
        REQUIRE(peer != INVALID_SOCKET);
        CHECK(GetOverlappedResult((HANDLE)s, &ov, &bytes, TRUE));
        CHECK_EQ(setsockopt(s, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, NULL, 0), 0);
        ov.Offset = 0;
        if (round % 2 == 0)
            CHECK(TransmitFile(s, file, 0, 0, &ov, NULL, TF_DISCONNECT | TF_REUSE_SOCKET) ||
                  WSAGetLastError() == WSA_IO_PENDING);
        else
            CHECK(transmit(s, e, 1, 0, &ov, TP_DISCONNECT | TP_REUSE_SOCKET) ||
                  WSAGetLastError() == WSA_IO_PENDING);
        CHECK_EQ(receive_all(peer, 1000), 1000);
        CHECK_EQ(recv(peer, got, 1, 0), 0);
        closesocket(peer);
        CHECK(GetOverlappedResult((HANDLE)s, &ov, &bytes, TRUE));
        CHECK_EQ(bytes, 1000);
    }
    CloseHandle(ov.hEvent);
    closesocket(s);
    closesocket(listener);
    CloseHandle(file);
}
