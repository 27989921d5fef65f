/* SPDX-License-Identifier: MIT */
/*
 * Handles: closing, duplicating, what is shared and what is not, their flags, and handles of the wrong kind.
 */
#include "conform.h"
#include "packet.h"

#define WINE_GAINS "Wine 8 lets a duplicate have more access"
#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

/* A duplicate with the same access, or NULL. */
static HANDLE twin_of(HANDLE h)
{
    HANDLE twin = NULL, me = GetCurrentProcess();
    if (!DuplicateHandle(me, h, me, &twin, 0, FALSE, DUPLICATE_SAME_ACCESS))
        FAIL("cannot duplicate %p", (void *)h);
    return twin;
}

THREAD_FN(end_at_once) { return 5; }

enum { KINDS = 9 };
static const char *const kind_names[KINDS] = {"event", "mutex", "semaphore", "timer", "port",
                                              "thread", "file", "overlapped file", "search"};

static HANDLE make(int kind)
{
    switch (kind) {
    case 0: return auto_event();
    case 1: return CreateMutexA(NULL, FALSE, NULL);
    case 2: return CreateSemaphoreA(NULL, 1, 2, NULL);
    case 3: return CreateWaitableTimerA(NULL, TRUE, NULL);
    case 4: return new_port(1);
    case 5: return start_thread(end_at_once, NULL);
    case 6: return temp_file(64, 0);
    case 7: return temp_file(64, FILE_FLAG_OVERLAPPED);
    default: return NULL;
    }
}

TEST(close_once, "HANDLE-01")
{
    for (int kind = 0; kind < KINDS - 1; kind++) {
        HANDLE h = make(kind);
        int good = CHECK(h != NULL && h != INVALID_HANDLE_VALUE);
        SetLastError(OLD_ERROR);
        good &= CHECK(CloseHandle(h));
        good &= CHECK_LASTERR(OLD_ERROR);
        good &= CHECK_ERR(CloseHandle(h), ERROR_INVALID_HANDLE);
        good &= CHECK_ERR(CloseHandle(h), ERROR_INVALID_HANDLE);
        if (!good)
            FAIL("the kind was %s", kind_names[kind]);
    }
    CHECK_ERR(CloseHandle(NULL), ERROR_INVALID_HANDLE);
    CHECK_ERR(CloseHandle((HANDLE)(uintptr_t)0x7FFFFFF0), ERROR_INVALID_HANDLE);
    CHECK_ERR(CloseHandle((HANDLE)(uintptr_t)0x12345678), ERROR_INVALID_HANDLE);
    CHECK_EQ(ERROR_INVALID_HANDLE, 6);
}

/* A stale value reaches no object in any call. */
TEST(stale_handle, "HANDLE-01 HANDLE-08")
{
    HANDLE event = manual_event(), file = temp_file(8, 0), twin = NULL, me = GetCurrentProcess();
    char buffer[4];
    DWORD bytes = 0, flags;
    REQUIRE(event && file != INVALID_HANDLE_VALUE);
    CHECK(CloseHandle(event));
    CHECK_ERR(SetEvent(event), ERROR_INVALID_HANDLE);
    CHECK_ERR(ResetEvent(event), ERROR_INVALID_HANDLE);
    CHECK_WAITERR(WaitForSingleObject(event, 0), ERROR_INVALID_HANDLE);
    CHECK_ERR(DuplicateHandle(me, event, me, &twin, 0, FALSE, DUPLICATE_SAME_ACCESS), ERROR_INVALID_HANDLE);
    CHECK_ERR(GetHandleInformation(event, &flags), ERROR_INVALID_HANDLE);
    CHECK_ERR(SetHandleInformation(event, HANDLE_FLAG_INHERIT, 0), ERROR_INVALID_HANDLE);
    CHECK(CloseHandle(file));
    CHECK_ERR(ReadFile(file, buffer, 4, &bytes, NULL), ERROR_INVALID_HANDLE);
    CHECK_ERR(WriteFile(file, buffer, 4, &bytes, NULL), ERROR_INVALID_HANDLE);
}

/* The pseudo handle of the process is not a handle to close: closing it changes nothing. */
TEST(pseudo_handle, "HANDLE-01")
{
    HANDLE me = GetCurrentProcess(), event = manual_event();
    CHECK(me == (HANDLE)(intptr_t)-1);
    CHECK(GetCurrentThread() == (HANDLE)(intptr_t)-2);
    CloseHandle(me);
    CloseHandle(GetCurrentThread());
    HANDLE twin = twin_of(event);
    CHECK(SetEvent(event));
    CHECK(is_set(twin));
    CloseHandle(twin);
    CloseHandle(event);

    /* A duplicate of a pseudo handle is a real one. */
    HANDLE thread = twin_of(GetCurrentThread());
    CHECK(thread != GetCurrentThread());
    CHECK_EQ(GetThreadId(thread), GetCurrentThreadId());
    CHECK(CloseHandle(thread));
    CHECK_ERR(CloseHandle(thread), ERROR_INVALID_HANDLE);
}

/* ---- duplicates ---- */

TEST(object_lives_until_its_last_handle, "HANDLE-02 HANDLE-03")
{
    HANDLE event = manual_event(), one = twin_of(event), two = twin_of(one);
    CHECK(event != one && one != two && event != two);
    CHECK(CloseHandle(event));
    CHECK(SetEvent(one));
    CHECK(is_set(two));
    CHECK(CloseHandle(one));
    CHECK(is_set(two));
    CHECK(ResetEvent(two));
    CHECK(!is_set(two));
    CHECK(CloseHandle(two));
    CHECK_ERR(SetEvent(two), ERROR_INVALID_HANDLE);

    /* A port: the packets stay, the waiters too. */
    HANDLE port = new_port(1), twin = twin_of(port);
    CHECK(PostQueuedCompletionStatus(port, 1, 2, NULL));
    CHECK(CloseHandle(port));
    CHECK_PACKET(twin, 1, 2, NULL);
    CHECK_NO_PACKET(twin, 20);
    CHECK(PostQueuedCompletionStatus(twin, 3, 4, NULL));
    CHECK_PACKET(twin, 3, 4, NULL);
    CHECK(CloseHandle(twin));

    /* A thread's exit code. */
    DWORD code = 0;
    HANDLE thread = start_thread(end_at_once, NULL), same = twin_of(thread);
    JOIN(thread);
    CHECK_EQ(WaitForSingleObject(same, 0), WAIT_OBJECT_0);
    CHECK(GetExitCodeThread(same, &code));
    CHECK_EQ(code, 5);
    CHECK(CloseHandle(same));
}

/* A socket goes on, for its peer too, and the operations of either handle are the object's. */
TEST(socket_lives_until_its_last_handle, "HANDLE-02 HANDLE-03 CANCEL-15")
{
    SOCKET pair[2];
    char buffer[8];
    DWORD bytes = 0;
    OVERLAPPED ov = {.hEvent = manual_event()};
    REQUIRE(tcp_pair(pair));
    HANDLE twin = twin_of((HANDLE)pair[0]);
    CHECK_ERR(ReadFile(twin, buffer, sizeof buffer, NULL, &ov), ERROR_IO_PENDING);
    CHECK(CloseHandle((HANDLE)pair[0]));
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 50), WAIT_TIMEOUT);
    CHECK(send_all(pair[1], "abc", 3));
    CHECK_EQ(WaitForSingleObject(ov.hEvent, SOON), WAIT_OBJECT_0);
    CHECK(GetOverlappedResult(twin, &ov, &bytes, FALSE));
    CHECK_EQ(bytes, 3);
    REQUIRE(WriteFile(twin, "de", 2, NULL, &ov) || GetLastError() == ERROR_IO_PENDING);
    CHECK(GetOverlappedResult(twin, &ov, &bytes, TRUE));
    CHECK_EQ(recv(pair[1], buffer, sizeof buffer, 0), 2);
    CHECK(CloseHandle(twin));
    CHECK_EQ(recv(pair[1], buffer, sizeof buffer, 0), 0); /* now it is gone */
    closesocket(pair[1]);
    CloseHandle(ov.hEvent);
}

TEST(duplicates_share_the_object, "HANDLE-03")
{
    char buffer[10];
    DWORD bytes = 0;
    HANDLE file = temp_file(100, 0), twin = twin_of(file);
    REQUIRE(file != INVALID_HANDLE_VALUE && twin);
    CHECK(ReadFile(file, buffer, 10, &bytes, NULL));
    CHECK(ReadFile(twin, buffer, 10, &bytes, NULL));
    CHECK_EQ((unsigned char)buffer[0], pattern(10)); /* one position */
    CHECK_EQ(SetFilePointer(twin, 0, NULL, FILE_CURRENT), 20);
    CHECK_EQ(SetFilePointer(twin, 50, NULL, FILE_BEGIN), 50);
    CHECK(ReadFile(file, buffer, 10, &bytes, NULL));
    CHECK_EQ((unsigned char)buffer[0], pattern(50));
    CHECK(CloseHandle(file));
    CHECK_EQ(SetFilePointer(twin, 0, NULL, FILE_CURRENT), 60);
    CHECK(CloseHandle(twin));

    LONG count = 0;
    HANDLE semaphore = CreateSemaphoreA(NULL, 0, 5, NULL), other = twin_of(semaphore);
    CHECK(ReleaseSemaphore(semaphore, 2, NULL));
    CHECK(is_set(other));
    CHECK(ReleaseSemaphore(other, 1, &count));
    CHECK_EQ(count, 1);
    CloseHandle(semaphore);
    CloseHandle(other);

    HANDLE mutex = CreateMutexA(NULL, TRUE, NULL), same = twin_of(mutex);
    CHECK(ReleaseMutex(same)); /* owned by the thread, not by the handle */
    CHECK_ERR(ReleaseMutex(mutex), ERROR_NOT_OWNER);
    CloseHandle(mutex);
    CloseHandle(same);
}

TEST(access_is_copied, "HANDLE-04")
{
    const char *path = temp_content(16);
    char buffer[4];
    DWORD bytes = 0;
    HANDLE wide = NULL, narrow = NULL, again, me = GetCurrentProcess();
    HANDLE file = CreateFileA(path, GENERIC_READ, SHARE_ALL, NULL, OPEN_EXISTING, 0, NULL);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    HANDLE twin = twin_of(file);
    CHECK(ReadFile(twin, buffer, 4, &bytes, NULL));
    CHECK_ERR(WriteFile(twin, "x", 1, &bytes, NULL), ERROR_ACCESS_DENIED);
    TODO_WINE(WINE_GAINS)
    {
        CHECK_ERR(DuplicateHandle(me, file, me, &wide, GENERIC_READ | GENERIC_WRITE, FALSE, 0), 5);
    }
    CHECK_EQ(ERROR_ACCESS_DENIED, 5);
    CloseHandle(file);
    CloseHandle(twin);

    /* Less is possible, and a duplicate of the less is no more. */
    file = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, SHARE_ALL, NULL, OPEN_EXISTING, 0, NULL);
    REQUIRE(DuplicateHandle(me, file, me, &narrow, GENERIC_READ, FALSE, 0));
    again = twin_of(narrow);
    CHECK(ReadFile(narrow, buffer, 4, &bytes, NULL));
    CHECK(ReadFile(again, buffer, 4, &bytes, NULL));
    CHECK_ERR(WriteFile(narrow, "x", 1, &bytes, NULL), ERROR_ACCESS_DENIED);
    CHECK_ERR(WriteFile(again, "x", 1, &bytes, NULL), ERROR_ACCESS_DENIED);
    CHECK(WriteFile(file, "x", 1, &bytes, NULL));
    CloseHandle(file);
    CloseHandle(narrow);
    CloseHandle(again);
}

TEST(close_source, "HANDLE-05")
{
    HANDLE twin = NULL, me = GetCurrentProcess(), event = manual_event();
    REQUIRE(event != NULL);
    CHECK(DuplicateHandle(me, event, me, &twin, 0, FALSE, DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE));
    if (twin != event) /* the new handle may have the old one's number */
        CHECK_ERR(SetEvent(event), ERROR_INVALID_HANDLE);
    CHECK(SetEvent(twin));
    CHECK(CloseHandle(twin));

    /* Nowhere to go: just closed. */
    event = manual_event();
    CHECK(DuplicateHandle(me, event, NULL, NULL, 0, FALSE, DUPLICATE_CLOSE_SOURCE) ||
          GetLastError() != ERROR_CALL_NOT_IMPLEMENTED);
    CHECK_ERR(SetEvent(event), ERROR_INVALID_HANDLE);
}

/* Also when the duplication fails: more access is asked than there is. */
TEST_W8(close_source_whatever_the_result, "HANDLE-05", WINE_GAINS)
{
    HANDLE twin = NULL, me = GetCurrentProcess();
    char buffer[4];
    DWORD bytes = 0;
    HANDLE file = CreateFileA(temp_content(16), GENERIC_READ, SHARE_ALL, NULL, OPEN_EXISTING, 0, NULL);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    CHECK_ERR(DuplicateHandle(me, file, me, &twin, GENERIC_WRITE, FALSE, DUPLICATE_CLOSE_SOURCE),
              ERROR_ACCESS_DENIED);
    CHECK_ERR(ReadFile(file, buffer, 4, &bytes, NULL), ERROR_INVALID_HANDLE);
}

TEST(duplicates_send_to_the_port, "HANDLE-06 PORT-04")
{
    SOCKET pair[2], other[2];
    OVERLAPPED ov = {0};
    char buffer[8];
    HANDLE port = new_port(1), file = temp_file(64, FILE_FLAG_OVERLAPPED);
    REQUIRE(port && file != INVALID_HANDLE_VALUE && tcp_pair(pair) && tcp_pair(other));
    CHECK(CreateIoCompletionPort(file, port, 1, 0) == port);
    HANDLE twin = twin_of(file);
    CHECK(ReadFile(twin, buffer, 8, NULL, &ov) || GetLastError() == ERROR_IO_PENDING);
    CHECK_PACKET(port, 8, 1, &ov);
    CHECK_ERR(CreateIoCompletionPort(twin, port, 2, 0), ERROR_INVALID_PARAMETER);
    CHECK(CloseHandle(file));
    ov = (OVERLAPPED){.Offset = 60};
    CHECK(ReadFile(twin, buffer, 8, NULL, &ov) || GetLastError() == ERROR_IO_PENDING);
    CHECK_PACKET(port, 4, 1, &ov);
    CHECK(CloseHandle(twin));

    CHECK(bind_port(port, pair[0], 3));
    SOCKET same = (SOCKET)twin_of((HANDLE)pair[0]);
    ov = (OVERLAPPED){0};
    CHECK_ERR(ReadFile((HANDLE)same, buffer, sizeof buffer, NULL, &ov), ERROR_IO_PENDING);
    CHECK(send_all(pair[1], "abc", 3));
    CHECK_PACKET(port, 3, 3, &ov);
    CHECK(CloseHandle((HANDLE)same));

    /* Associated through the duplicate, after it was made: the original sends as well. */
    same = (SOCKET)twin_of((HANDLE)other[0]);
    CHECK(bind_port(port, same, 4));
    CHECK_ERR(CreateIoCompletionPort((HANDLE)other[0], port, 5, 0), ERROR_INVALID_PARAMETER);
    ov = (OVERLAPPED){0};
    CHECK_EQ(start_recv(other[0], buffer, sizeof buffer, &ov), WSA_IO_PENDING);
    CHECK(send_all(other[1], "de", 2));
    CHECK_PACKET(port, 2, 4, &ov);
    CHECK(CloseHandle((HANDLE)same));
    CHECK_NO_PACKET(port, 0);
    close_pair(pair);
    close_pair(other);
    CloseHandle(port);
}

/* ---- flags ---- */

static DWORD flags_of(HANDLE h)
{
    DWORD flags = 0xFFFF;
    CHECK(GetHandleInformation(h, &flags));
    return flags;
}

TEST(handle_flags, "HANDLE-07")
{
    SOCKET pair[2];
    REQUIRE(tcp_pair(pair));
    HANDLE handles[] = {manual_event(), new_port(1), temp_file(4, 0), (HANDLE)pair[0]};
    for (unsigned i = 0; i < ARRAYSIZE(handles); i++) {
        HANDLE h = handles[i], twin;
        SetHandleInformation(h, HANDLE_FLAG_INHERIT, 0); /* how a socket begins is its provider's choice */
        CHECK_EQ(flags_of(h), 0);
        CHECK(SetHandleInformation(h, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT));
        CHECK_EQ(flags_of(h), HANDLE_FLAG_INHERIT);
        /* What is not in the mask stays. */
        CHECK(SetHandleInformation(h, HANDLE_FLAG_PROTECT_FROM_CLOSE, HANDLE_FLAG_PROTECT_FROM_CLOSE));
        CHECK_EQ(flags_of(h), HANDLE_FLAG_INHERIT | HANDLE_FLAG_PROTECT_FROM_CLOSE);
        CHECK(SetHandleInformation(h, HANDLE_FLAG_INHERIT, 0));
        CHECK_EQ(flags_of(h), HANDLE_FLAG_PROTECT_FROM_CLOSE);
        CHECK(SetHandleInformation(h, 0, HANDLE_FLAG_INHERIT));
        CHECK_EQ(flags_of(h), HANDLE_FLAG_PROTECT_FROM_CLOSE);

        twin = twin_of(h); /* flags are the handle's, not the object's */
        CHECK_EQ(flags_of(twin), 0);
        CHECK(CloseHandle(twin));

        CHECK_ERR(CloseHandle(h), ERROR_INVALID_HANDLE);
        CHECK_EQ(flags_of(h), HANDLE_FLAG_PROTECT_FROM_CLOSE); /* it is still there */
        CHECK(SetHandleInformation(h, HANDLE_FLAG_PROTECT_FROM_CLOSE, 0));
        CHECK_EQ(flags_of(h), 0);
    }
    CHECK(SetEvent(handles[0]));
    CHECK_EQ(closesocket(pair[0]), 0);
    for (unsigned i = 0; i < 3; i++)
        CHECK(CloseHandle(handles[i]));
    closesocket(pair[1]);
}

TEST(inheritance_at_birth, "HANDLE-07")
{
    SECURITY_ATTRIBUTES inherit = {sizeof inherit, NULL, TRUE}, plain = {sizeof plain, NULL, FALSE};
    HANDLE twin = NULL, me = GetCurrentProcess();
    HANDLE a = CreateEventA(&inherit, TRUE, FALSE, NULL), b = CreateEventA(&plain, TRUE, FALSE, NULL);
    HANDLE file = CreateFileA(temp_content(4), GENERIC_READ, SHARE_ALL, &inherit, OPEN_EXISTING, 0, NULL);
    REQUIRE(a && b && file != INVALID_HANDLE_VALUE);
    CHECK_EQ(flags_of(a), HANDLE_FLAG_INHERIT);
    CHECK_EQ(flags_of(b), 0);
    CHECK_EQ(flags_of(file), HANDLE_FLAG_INHERIT);
    CHECK(DuplicateHandle(me, b, me, &twin, 0, TRUE, DUPLICATE_SAME_ACCESS));
    CHECK_EQ(flags_of(twin), HANDLE_FLAG_INHERIT);
    CHECK_EQ(flags_of(b), 0);
    CloseHandle(a);
    CloseHandle(b);
    CloseHandle(file);
    CloseHandle(twin);
}

/* ---- the wrong kind ---- */

TEST(wrong_kind, "HANDLE-08")
{
    char buffer[4];
    DWORD bytes = 0, code;
    LARGE_INTEGER size, due = {.QuadPart = -1};
    OVERLAPPED ov = {0};
    HANDLE event = manual_event(), mutex = CreateMutexA(NULL, FALSE, NULL), port = new_port(1);
    HANDLE semaphore = CreateSemaphoreA(NULL, 1, 2, NULL), file = temp_file(4, 0);
    REQUIRE(event && mutex && port && semaphore && file != INVALID_HANDLE_VALUE);
    CHECK_ERR(SetEvent(mutex), ERROR_INVALID_HANDLE);
    CHECK_ERR(SetEvent(semaphore), ERROR_INVALID_HANDLE);
    CHECK_ERR(SetEvent(port), ERROR_INVALID_HANDLE);
    CHECK_ERR(SetEvent(file), ERROR_INVALID_HANDLE);
    CHECK_ERR(ResetEvent(mutex), ERROR_INVALID_HANDLE);
    CHECK_ERR(ReleaseMutex(event), ERROR_INVALID_HANDLE);
    CHECK_ERR(ReleaseMutex(file), ERROR_INVALID_HANDLE);
    CHECK_ERR(ReleaseSemaphore(event, 1, NULL), ERROR_INVALID_HANDLE);
    CHECK_ERR(SetWaitableTimer(event, &due, 0, NULL, NULL, FALSE), ERROR_INVALID_HANDLE);
    CHECK_ERR(PostQueuedCompletionStatus(event, 0, 0, NULL), ERROR_INVALID_HANDLE);
    TODO_WINE("Wine 8 cancels on anything")
    {
        CHECK_ERR(CancelIo(event), ERROR_INVALID_HANDLE);
    }
    CHECK_ERR(CreateIoCompletionPort(event, port, 0, 0), ERROR_INVALID_HANDLE);
    CHECK_ERR(ReadFile(event, buffer, 4, &bytes, NULL), ERROR_INVALID_HANDLE);
    CHECK_ERR(ReadFile(port, buffer, 4, &bytes, NULL), ERROR_INVALID_HANDLE);
    CHECK_ERR(WriteFile(mutex, buffer, 4, &bytes, NULL), ERROR_INVALID_HANDLE);
    CHECK_ERR(ReadFile(event, buffer, 4, NULL, &ov), ERROR_INVALID_HANDLE);
    CHECK_ERR(GetFileSizeEx(event, &size), ERROR_INVALID_HANDLE);
    CHECK_ERR(FlushFileBuffers(event), ERROR_INVALID_HANDLE);
    CHECK_ERR(GetExitCodeThread(event, &code), ERROR_INVALID_HANDLE);
    SetLastError(0);
    CHECK_EQ(ResumeThread(event), (DWORD)-1);
    CHECK_LASTERR(ERROR_INVALID_HANDLE);
    net_start();
    CHECK_EQ(closesocket((SOCKET)event), SOCKET_ERROR);
    CHECK_EQ(WSAGetLastError(), WSAENOTSOCK);

    /* None of it did anything. */
    CHECK(!is_set(event));
    CHECK(is_set(semaphore));
    CHECK(!is_set(semaphore));
    CHECK_EQ(WaitForSingleObject(mutex, 0), WAIT_OBJECT_0);
    CHECK(ReleaseMutex(mutex));
    CHECK_NO_PACKET(port, 0);
    CloseHandle(event);
    CloseHandle(mutex);
    CloseHandle(semaphore);
    CloseHandle(port);
    CloseHandle(file);
}

/* ---- races ---- */

static struct {
    HANDLE event;
    struct meeting start, end;
    volatile LONG stop, closed, refused;
} rivals;

THREAD_FN(close_it_too)
{
    for (;;) {
        meet(&rivals.start);
        if (rivals.stop)
            return 0;
        if (CloseHandle(rivals.event))
            InterlockedIncrement(&rivals.closed);
        else if (GetLastError() == ERROR_INVALID_HANDLE)
            InterlockedIncrement(&rivals.refused);
        meet(&rivals.end);
    }
}

/* Of several closes at once exactly one succeeds. */
TEST(one_of_many_closes, "HANDLE-01")
{
    enum { THREADS = 3, ROUNDS = 3000 };
    HANDLE threads[THREADS];
    int rounds = 0, good = 1;
    memset(&rivals, 0, sizeof rivals);
    rivals.start.need = rivals.end.need = THREADS + 1;
    for (int i = 0; i < THREADS; i++)
        threads[i] = start_thread(close_it_too, NULL);
    double until = now_ms() + 1500;
    while (good && rounds < ROUNDS && now_ms() < until) {
        rivals.event = manual_event();
        rounds++;
        meet(&rivals.start);
        meet(&rivals.end);
        good = CHECK_EQ(rivals.closed, rounds) & CHECK_EQ(rivals.refused, rounds * (THREADS - 1));
    }
    rivals.stop = 1;
    meet(&rivals.start);
    for (int i = 0; i < THREADS; i++)
        JOIN(threads[i]);
}

/* Does it do its work still? `h` is closed. */
static int lives(HANDLE h, int is_port)
{
    HANDLE port = is_port ? h : CreateIoCompletionPort(h, NULL, 1, 1);
    int good = port && PostQueuedCompletionStatus(port, 1, 2, NULL) && CHECK_PACKET(port, 1, 2, NULL);
    if (!is_port && port)
        CloseHandle(port);
    return CloseHandle(h) && good;
}

/* A duplicate of what is being closed is one that works, or there is none. */
static int duplicate_as_it_closes(int is_port, double until)
{
    enum { ROUNDS = 3000 };
    HANDLE me = GetCurrentProcess(), twin;
    int good = 1;
    for (int i = 0; good && i < ROUNDS && now_ms() < until; i++) {
        rivals.event = is_port ? new_port(1) : (HANDLE)socket(AF_INET, SOCK_DGRAM, 0);
        meet(&rivals.start);
        for (volatile int spin = i % 150; spin > 0; spin--)
            ;
        if (DuplicateHandle(me, rivals.event, me, &twin, 0, FALSE, DUPLICATE_SAME_ACCESS))
            good = CHECK(lives(twin, is_port));
        else
            good = CHECK_LASTERR(ERROR_INVALID_HANDLE);
        meet(&rivals.end);
    }
    return good;
}

TEST(duplicated_while_closed, "HANDLE-01 HANDLE-02")
{
    net_start();
    memset(&rivals, 0, sizeof rivals);
    rivals.start.need = rivals.end.need = 2;
    HANDLE thread = start_thread(close_it_too, NULL);
    if (!duplicate_as_it_closes(1, now_ms() + 1000) || !duplicate_as_it_closes(0, now_ms() + 1000))
        FAIL("a duplicate was dead, or refused with another error");
    rivals.stop = 1;
    meet(&rivals.start);
    JOIN(thread);
}
