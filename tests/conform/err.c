/* SPDX-License-Identifier: MIT */
/*
 * Errors: whose they are, which family's value a failing call returns, one error's three spellings, and their
 * texts.
 */
#include "conform.h"
#include "packet.h"

/* ---- the last error ---- */

static struct {
    HANDLE go, done;
    DWORD at_start, after_failure, after_set;
} two_threads;

THREAD_FN(another_threads_errors)
{
    two_threads.at_start = GetLastError();
    CloseHandle(NULL);
    two_threads.after_failure = GetLastError();
    SetLastError(4711);
    SetEvent(two_threads.done);
    WaitForSingleObject(two_threads.go, SOON);
    two_threads.after_set = GetLastError();
    return 0;
}

TEST(last_error_is_per_thread, "ERR-01")
{
    two_threads.go = auto_event();
    two_threads.done = auto_event();
    SetLastError(1234);
    HANDLE thread = start_thread(another_threads_errors, NULL);
    SetLastError(1234);
    CHECK_EQ(WaitForSingleObject(two_threads.done, SOON), WAIT_OBJECT_0);
    CHECK_LASTERR(1234);
    SetLastError(99);
    SetEvent(two_threads.go);
    JOIN(thread);
    CHECK_EQ(two_threads.at_start, 0);
    CHECK_EQ(two_threads.after_failure, ERROR_INVALID_HANDLE);
    CHECK_EQ(two_threads.after_set, 4711);
    CloseHandle(two_threads.go);
    CloseHandle(two_threads.done);
}

struct collector {
    HANDLE port, file, go;
    OVERLAPPED *ov;
    DWORD before, error, bytes;
    BOOL ok;
};

THREAD_FN(collect)
{
    struct collector *c = arg;
    SetLastError(77);
    WaitForSingleObject(c->go, SOON);
    c->before = GetLastError();
    if (c->port) {
        struct got g = get_packet(c->port, SOON);
        c->ok = g.ok;
        c->error = g.error;
    } else {
        c->ok = GetOverlappedResult(c->file, c->ov, &c->bytes, TRUE);
        c->error = GetLastError();
    }
    return 0;
}

/* The error of an operation that failed later appears in the thread that asks, and in no other. */
TEST(error_of_the_collector, "ERR-01")
{
    for (int with_port = 0; with_port < 2; with_port++) {
        SOCKET pair[2];
        OVERLAPPED ov = {.hEvent = manual_event()};
        char buffer[4];
        struct collector c = {.port = with_port ? new_port(2) : NULL, .ov = &ov, .go = manual_event()};
        REQUIRE(tcp_pair(pair) && (!with_port || bind_port(c.port, pair[0], 1)));
        c.file = (HANDLE)pair[0];
        HANDLE thread = start_thread(collect, &c);
        CHECK_EQ(start_recv(pair[0], buffer, sizeof buffer, &ov), WSA_IO_PENDING);
        reset_socket(pair[1]);
        SetLastError(1234);
        CHECK_EQ(WaitForSingleObject(ov.hEvent, SOON), WAIT_OBJECT_0);
        CHECK_LASTERR(1234);
        SetEvent(c.go);
        JOIN(thread);
        CHECK_EQ(c.before, 77);
        CHECK(!c.ok);
        CHECK_EQ(c.error, ERROR_NETNAME_DELETED);
        CHECK_LASTERR(1234);
        closesocket(pair[0]);
        CloseHandle(ov.hEvent);
        CloseHandle(c.go);
        if (c.port)
            CloseHandle(c.port);
    }
}

TEST(one_value_for_both, "ERR-02")
{
    net_start();
    SetLastError(10061);
    CHECK_EQ(WSAGetLastError(), WSAECONNREFUSED);
    WSASetLastError(5);
    CHECK_EQ(GetLastError(), ERROR_ACCESS_DENIED);
    CHECK_EQ(closesocket(INVALID_SOCKET), SOCKET_ERROR);
    CHECK_EQ(GetLastError(), WSAENOTSOCK);
    CHECK_EQ(WSAGetLastError(), WSAENOTSOCK);
    CHECK(!CloseHandle(NULL));
    CHECK_EQ(WSAGetLastError(), ERROR_INVALID_HANDLE);
    SetLastError(0xFFFFFFFF);
    CHECK_EQ(GetLastError(), 0xFFFFFFFF);
    CHECK_EQ(WSAGetLastError(), -1);
    SetLastError(0);
    CHECK_EQ(WSAGetLastError(), 0);
}

#define KEEPS(CALL)                                                                                  \
    (SetLastError(4242), CHECK_MSG((CALL), "%s fails", #CALL),                                       \
     CHECK_MSG(GetLastError() == 4242, "%s changes the last error to %u", #CALL, (unsigned)GetLastError()))

TEST(success_keeps_the_last_error, "ERR-03")
{
    char buffer[8];
    DWORD bytes, flags;
    ULONG_PTR key;
    ULONG count;
    OVERLAPPED *ov, done = {.InternalHigh = 5};
    OVERLAPPED_ENTRY entry;
    HANDLE event = manual_event(), mutex = CreateMutexA(NULL, FALSE, NULL), port = new_port(1), twin = NULL;
    HANDLE semaphore = CreateSemaphoreA(NULL, 0, 9, NULL), file = temp_file(64, 0), me = GetCurrentProcess();
    REQUIRE(event && mutex && port && semaphore && file != INVALID_HANDLE_VALUE);
    KEEPS(SetEvent(event));
    KEEPS(WaitForSingleObject(event, 0) == WAIT_OBJECT_0);
    KEEPS(WaitForMultipleObjects(1, &event, TRUE, 0) == WAIT_OBJECT_0);
    KEEPS(ResetEvent(event));
    KEEPS(WaitForSingleObject(event, 0) == WAIT_TIMEOUT);
    KEEPS(WaitForSingleObject(mutex, 0) == WAIT_OBJECT_0);
    KEEPS(ReleaseMutex(mutex));
    KEEPS(ReleaseSemaphore(semaphore, 1, NULL));
    KEEPS(PostQueuedCompletionStatus(port, 1, 2, NULL));
    KEEPS(GetQueuedCompletionStatus(port, &bytes, &key, &ov, 0));
    KEEPS(PostQueuedCompletionStatus(port, 1, 2, NULL));
    KEEPS(GetQueuedCompletionStatusEx(port, &entry, 1, &count, 0, FALSE));
    KEEPS(GetOverlappedResult(file, &done, &bytes, FALSE) && bytes == 5);
    KEEPS(ReadFile(file, buffer, 8, &bytes, NULL));
    KEEPS(WriteFile(file, buffer, 8, &bytes, NULL));
    KEEPS(DuplicateHandle(me, event, me, &twin, 0, FALSE, DUPLICATE_SAME_ACCESS));
    KEEPS(GetHandleInformation(twin, &flags));
    KEEPS(SetHandleInformation(twin, HANDLE_FLAG_INHERIT, 0));
    KEEPS(CloseHandle(twin));
    KEEPS(SleepEx(0, TRUE) == 0);
    KEEPS((Sleep(1), 1));
    KEEPS(CloseHandle(event));
    CloseHandle(mutex);
    CloseHandle(semaphore);
    CloseHandle(port);
    CloseHandle(file);
}

/* ---- failure values ---- */

TEST(failure_values, "ERR-04")
{
    char name[64];
    const char *missing = temp_path();
    WIN32_FIND_DATAA found;
    struct sockaddr_in address = loopback(1);
    snprintf(name, sizeof name, "iocp-conform-%u", (unsigned)GetCurrentProcessId());
    HANDLE mutex = CreateMutexA(NULL, FALSE, name);
    REQUIRE(mutex != NULL);

    SetLastError(0);
    CHECK(CreateFileA(missing, GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL) == INVALID_HANDLE_VALUE);
    CHECK_LASTERR(ERROR_FILE_NOT_FOUND);
    HANDLE file = CreateFileW(u"no/such\\place", GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL);
    CHECK(file == INVALID_HANDLE_VALUE);
    CHECK_LASTERR(ERROR_PATH_NOT_FOUND);
    SetLastError(0);
    CHECK(FindFirstFileA(missing, &found) == INVALID_HANDLE_VALUE);
    CHECK_LASTERR(ERROR_FILE_NOT_FOUND);
    SetLastError(0);
    CHECK_EQ(GetFileAttributesA(missing), INVALID_FILE_ATTRIBUTES);
    CHECK_LASTERR(ERROR_FILE_NOT_FOUND);

    CHECK_ERR(CreateEventA(NULL, FALSE, FALSE, name), ERROR_INVALID_HANDLE); /* the name is a mutex's */
    CHECK_ERR(CreateSemaphoreA(NULL, 0, 1, name), ERROR_INVALID_HANDLE);
    CHECK_ERR(CreateSemaphoreA(NULL, 5, 3, NULL), ERROR_INVALID_PARAMETER);
    CHECK_ERR(OpenEventA(SYNCHRONIZE, FALSE, "iocp-conform-nobody"), ERROR_FILE_NOT_FOUND);
    CHECK_ERR(OpenMutexA(SYNCHRONIZE, FALSE, "iocp-conform-nobody"), ERROR_FILE_NOT_FOUND);
    CHECK_ERR(CreateIoCompletionPort(NULL, NULL, 0, 0), ERROR_INVALID_HANDLE);
    CHECK_ERR(CreateIoCompletionPort(mutex, NULL, 0, 0), ERROR_INVALID_HANDLE);
    CHECK_WAITERR(WaitForSingleObject(NULL, 0), ERROR_INVALID_HANDLE);

    net_start();
    WSASetLastError(0);
    CHECK(socket(12345, SOCK_STREAM, 0) == INVALID_SOCKET);
    CHECK_EQ(WSAGetLastError(), WSAEAFNOSUPPORT);
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
    REQUIRE(s != INVALID_SOCKET);
    CHECK(accept(s, NULL, NULL) == INVALID_SOCKET);
    CHECK_EQ(WSAGetLastError(), WSAEINVAL);
    CHECK_WSAERR(listen(s, 1), WSAEINVAL); /* not bound */
    CHECK_WSAERR(bind(s, (struct sockaddr *)&address, 3), WSAEFAULT);
    TODO_WINE("Wine says WSAECONNRESET")
    {
        CHECK_WSAERR(send(s, "x", 1, 0), WSAENOTCONN);
    }
    CHECK_WSAERR(closesocket(INVALID_SOCKET), WSAENOTSOCK);
    CHECK_EQ(INVALID_SOCKET, (SOCKET)~(SOCKET)0);
    CHECK_EQ(SOCKET_ERROR, -1);
    CHECK(INVALID_HANDLE_VALUE == (HANDLE)(intptr_t)-1);
    closesocket(s);
    CloseHandle(mutex);
}

TEST(aliases, "ERR-05")
{
    CHECK_EQ(WSA_IO_PENDING, ERROR_IO_PENDING);
    CHECK_EQ(WSA_IO_PENDING, 997);
    CHECK_EQ(WSA_IO_INCOMPLETE, ERROR_IO_INCOMPLETE);
    CHECK_EQ(WSA_IO_INCOMPLETE, 996);
    CHECK_EQ(WSA_OPERATION_ABORTED, ERROR_OPERATION_ABORTED);
    CHECK_EQ(WSA_OPERATION_ABORTED, 995);
    CHECK_EQ(WSA_INVALID_HANDLE, ERROR_INVALID_HANDLE);
    CHECK_EQ(WSA_INVALID_HANDLE, 6);
    CHECK_EQ(WSA_NOT_ENOUGH_MEMORY, ERROR_NOT_ENOUGH_MEMORY);
    CHECK_EQ(WSA_NOT_ENOUGH_MEMORY, 8);
    CHECK_EQ(WSA_INVALID_PARAMETER, ERROR_INVALID_PARAMETER);
    CHECK_EQ(WSA_INVALID_PARAMETER, 87);
    CHECK_EQ(WSA_WAIT_FAILED, WAIT_FAILED);
    CHECK_EQ(WSA_WAIT_TIMEOUT, WAIT_TIMEOUT);
    CHECK_EQ(WSA_WAIT_TIMEOUT, 258);
    CHECK_EQ(WSA_WAIT_EVENT_0, WAIT_OBJECT_0);
    CHECK_EQ(WSA_WAIT_IO_COMPLETION, WAIT_IO_COMPLETION);
    CHECK_EQ(WSA_INFINITE, INFINITE);
}

/* ---- statuses ---- */

static const struct {
    DWORD status, error;
} translations[] = {
    {0xC0000120, ERROR_OPERATION_ABORTED}, {0xC0000011, ERROR_HANDLE_EOF},
    {0xC000014B, ERROR_BROKEN_PIPE},       {0x80000005, ERROR_MORE_DATA},
    {0xC000020D, ERROR_NETNAME_DELETED},   {0xC0000236, ERROR_CONNECTION_REFUSED},
    {0xC0000241, ERROR_CONNECTION_ABORTED}, {0xC0000022, ERROR_ACCESS_DENIED},
    {0xC0000008, ERROR_INVALID_HANDLE},    {0xC000000D, ERROR_INVALID_PARAMETER},
};

/* The status is in the OVERLAPPED; GetOverlappedResult is the translator that everybody has. */
TEST(status_to_error, "ERR-06 OVL-08")
{
    static const DWORD numbers[] = {995, 38, 109, 234, 64, 1225, 1236, 5, 6, 87};
    HANDLE file = temp_file(4, FILE_FLAG_OVERLAPPED);
    for (unsigned i = 0; i < ARRAYSIZE(translations); i++) {
        OVERLAPPED ov = {.Internal = translations[i].status, .InternalHigh = 7};
        DWORD bytes = 0;
        CHECK_EQ(translations[i].error, numbers[i]);
        CHECK_ERR(GetOverlappedResult(file, &ov, &bytes, FALSE), numbers[i]);
        CHECK_EQ(bytes, 7); /* the count is told of failures too */
        CHECK_ERR(GetOverlappedResult(file, &ov, &bytes, TRUE), numbers[i]);
        CHECK_EQ(ov.Internal, translations[i].status);
    }
    OVERLAPPED good = {.InternalHigh = 7};
    DWORD bytes = 0;
    CHECK(GetOverlappedResult(file, &good, &bytes, FALSE));
    CHECK_EQ(bytes, 7);
    CloseHandle(file);
}

static void *extension(SOCKET s, GUID id)
{
    void *function = NULL;
    DWORD bytes;
    CHECK_EQ(WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &id, sizeof id, &function, sizeof function,
                      &bytes, NULL, NULL), 0);
    return function;
}

/* The same from real operations: status in the OVERLAPPED, error from the port. */
TEST(errors_of_operations, "ERR-06 PORT-07")
{
    SOCKET pair[2];
    OVERLAPPED ov = {0};
    char buffer[4];
    struct sockaddr_in address = loopback(0), any = loopback(0);
    int size = sizeof address;
    HANDLE port = new_port(1);
    REQUIRE(port && tcp_pair(pair) && bind_port(port, pair[0], 1));
    CHECK_EQ(start_recv(pair[0], buffer, sizeof buffer, &ov), WSA_IO_PENDING);
    CHECK(CancelIoEx((HANDLE)pair[0], &ov));
    CHECK_FAILED_PACKET(port, 995, 0, 1, &ov);
    CHECK_EQ((DWORD)ov.Internal, 0xC0000120);
    CHECK_EQ(start_recv(pair[0], buffer, sizeof buffer, &ov), WSA_IO_PENDING);
    reset_socket(pair[1]);
    CHECK_FAILED_PACKET(port, 64, 0, 1, &ov);
    CHECK_EQ((DWORD)ov.Internal, 0xC000020D);
    closesocket(pair[0]);

    /* A port number where nobody listens: taken, and given back. */
    SOCKET closed = socket(AF_INET, SOCK_STREAM, 0);
    SOCKET s = WSASocketA(AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED);
    REQUIRE(!bind(closed, (struct sockaddr *)&address, size));
    REQUIRE(!getsockname(closed, (struct sockaddr *)&address, &size));
    closesocket(closed);
    REQUIRE(!bind(s, (struct sockaddr *)&any, sizeof any) && bind_port(port, s, 2));
    LPFN_CONNECTEX connect_ex = (LPFN_CONNECTEX)extension(s, (GUID)WSAID_CONNECTEX);
    REQUIRE(connect_ex != NULL);
    ov = (OVERLAPPED){0};
    CHECK_ERR(connect_ex(s, (struct sockaddr *)&address, size, NULL, 0, NULL, &ov), WSA_IO_PENDING);
    CHECK_FAILED_PACKET(port, 1225, 0, 2, &ov);
    CHECK_EQ((DWORD)ov.Internal, 0xC0000236);
    closesocket(s);
    CloseHandle(port);
}

/* ---- texts ---- */

static const DWORD win32_codes[] = {0,   2,   3,   5,   6,   8,   18,  22,  32,  33,  38,   50,   64,
                                    80,  87,  109, 120, 121, 122, 158, 170, 183, 230, 231,  232,  233,
                                    234, 288, 298, 535, 536, 995, 996, 997, 998, 1168, 1225, 1231, 1232,
                                    1234, 1236, 1460};
static const DWORD socket_codes[] = {258,   735,   10004, 10009, 10013, 10014, 10022, 10024, 10035, 10036,
                                     10037, 10038, 10039, 10040, 10042, 10043, 10045, 10047, 10048, 10049,
                                     10050, 10051, 10052, 10053, 10054, 10055, 10056, 10057, 10058, 10060,
                                     10061, 10064, 10065, 10093, 11001};

static void texts_of(const DWORD *codes, unsigned count)
{
    const DWORD flags = FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS;
    for (unsigned i = 0; i < count; i++) {
        char text[1024];
        WCHAR wide[1024];
        memset(text, '#', sizeof text);
        DWORD length = FormatMessageA(flags, NULL, codes[i], 0, text, sizeof text, NULL);
        if (!CHECK_MSG(length > 0, "no text for %u", (unsigned)codes[i]))
            continue;
        CHECK_EQ(strnlen(text, sizeof text), length);
        DWORD wide_length = FormatMessageW(flags, NULL, codes[i], 0, wide, ARRAYSIZE(wide), NULL);
        CHECK_EQ(wide_length, length);
        for (DWORD n = 0; n <= length && n <= wide_length; n++)
            if (!CHECK_EQ(wide[n], (WCHAR)(unsigned char)text[n]))
                break;
    }
}

TEST(every_code_has_a_text, "ERR-07") { texts_of(win32_codes, ARRAYSIZE(win32_codes)); }

TEST_W8(every_socket_code_has_a_text, "ERR-07", "Wine 8 has no texts for most Winsock codes")
{
    texts_of(socket_codes, ARRAYSIZE(socket_codes));
}

TEST(allocated_text, "ERR-07")
{
    const DWORD flags = FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS;
    char *allocated = NULL, text[1024];
    WCHAR *wide = NULL;
    DWORD length = FormatMessageA(flags, NULL, ERROR_ACCESS_DENIED, 0, text, sizeof text, NULL);
    CHECK(length > 0);
    CHECK_EQ(FormatMessageA(flags | FORMAT_MESSAGE_ALLOCATE_BUFFER, NULL, ERROR_ACCESS_DENIED, 0,
                            (char *)&allocated, 0, NULL), length);
    REQUIRE(allocated != NULL);
    CHECK_STR(allocated, text);
    CHECK(LocalFree(allocated) == NULL);
    CHECK_EQ(FormatMessageW(flags | FORMAT_MESSAGE_ALLOCATE_BUFFER, NULL, ERROR_ACCESS_DENIED, 0,
                            (WCHAR *)&wide, 0, NULL), length);
    REQUIRE(wide != NULL);
    CHECK_EQ(wide[length], 0);
    CHECK_EQ(wide[0], (WCHAR)text[0]);
    CHECK(LocalFree(wide) == NULL);
}

TEST(no_text, "ERR-07")
{
    const DWORD flags = FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS;
    char text[1024];
    CHECK_ERR(FormatMessageA(flags, NULL, 0x2BADBAD, 0, text, sizeof text, NULL), ERROR_MR_MID_NOT_FOUND);
    CHECK_ERR(FormatMessageA(flags, NULL, ERROR_ACCESS_DENIED, 0, text, 3, NULL), ERROR_INSUFFICIENT_BUFFER);
}
