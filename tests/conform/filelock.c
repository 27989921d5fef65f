/* SPDX-License-Identifier: MIT */
/*
 * Locks on ranges of a file: who may have them, what they forbid, how waiting for one ends.
 */
#include "conform.h"

#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)
/* The page says 158; Wine gives another. */
#define NOT_LOCKED (conform_wine ? ERROR_LOCK_VIOLATION : ERROR_NOT_LOCKED)
enum { SOON = 20000, SETTLED = 60 };

static HANDLE open_again(const char *path, DWORD flags)
{
    HANDLE file = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, SHARE_ALL, NULL, OPEN_EXISTING, flags,
                              NULL);
    CHECK(file != INVALID_HANDLE_VALUE);
    return file;
}

static OVERLAPPED at(unsigned long long offset, HANDLE event)
{
    OVERLAPPED ov;
    memset(&ov, 0, sizeof ov);
    ov.Offset = (DWORD)offset;
    ov.OffsetHigh = (DWORD)(offset >> 32);
    ov.hEvent = event;
    return ov;
}

/* Locks at once or not at all. */
static BOOL lock(HANDLE file, BOOL exclusive, unsigned long long offset, unsigned long long length)
{
    OVERLAPPED ov = at(offset, NULL);
    return LockFileEx(file, LOCKFILE_FAIL_IMMEDIATELY | (exclusive ? LOCKFILE_EXCLUSIVE_LOCK : 0), 0,
                      (DWORD)length, (DWORD)(length >> 32), &ov);
}

static BOOL unlock(HANDLE file, unsigned long long offset, unsigned long long length)
{
    OVERLAPPED ov = at(offset, NULL);
    return UnlockFileEx(file, 0, (DWORD)length, (DWORD)(length >> 32), &ov);
}

static BOOL read_at(HANDLE file, DWORD offset, DWORD size)
{
    char data[256];
    DWORD bytes;
    OVERLAPPED ov = at(offset, NULL);
    return ReadFile(file, data, size, &bytes, &ov);
}

static BOOL write_at(HANDLE file, DWORD offset, DWORD size)
{
    char data[256] = {0};
    DWORD bytes;
    OVERLAPPED ov = at(offset, NULL);
    return WriteFile(file, data, size, &bytes, &ov);
}

/* Two synchronous handles to one file, and what ends them. */
#define TWO_HANDLES                                                                                  \
    const char *path = temp_content(1000);                                                           \
    HANDLE a = open_again(path, 0), b = open_again(path, 0)
#define CLOSE_BOTH (CloseHandle(a), CloseHandle(b))

/* ---- who may have what ---- */

TEST(conflicts, "FILE-18")
{
    TWO_HANDLES;
    CHECK(lock(a, TRUE, 100, 50));
    CHECK_EQ(ERROR_LOCK_VIOLATION, 33);
    CHECK_ERR(lock(b, TRUE, 100, 50), ERROR_LOCK_VIOLATION);
    CHECK_ERR(lock(b, FALSE, 149, 1), ERROR_LOCK_VIOLATION);
    CHECK_ERR(lock(b, FALSE, 0, 101), ERROR_LOCK_VIOLATION);
    CHECK_ERR(lock(a, TRUE, 120, 1), ERROR_LOCK_VIOLATION); /* not even its own */
    CHECK(lock(b, TRUE, 150, 50));
    CHECK(lock(b, TRUE, 50, 50));
    CHECK(unlock(a, 100, 50));
    CHECK(lock(b, TRUE, 100, 50));
    CHECK(unlock(b, 150, 50));
    CHECK(unlock(b, 50, 50));
    CHECK(unlock(b, 100, 50));
    CLOSE_BOTH;
}

TEST(shared_locks, "FILE-18")
{
    TWO_HANDLES;
    CHECK(lock(a, FALSE, 0, 100));
    CHECK(lock(b, FALSE, 50, 100));
    CHECK_ERR(lock(b, TRUE, 10, 1), ERROR_LOCK_VIOLATION);
    CHECK_ERR(lock(a, TRUE, 10, 1), ERROR_LOCK_VIOLATION);
    CHECK(unlock(a, 0, 100));
    CHECK(lock(a, TRUE, 10, 1));
    CHECK_ERR(lock(a, TRUE, 60, 1), ERROR_LOCK_VIOLATION);
    CLOSE_BOTH;
}

TEST(shared_over_own_exclusive, "FILE-18 FILE-21")
{
    TWO_HANDLES;
    CHECK(lock(a, TRUE, 0, 10));
    CHECK(lock(a, FALSE, 0, 10));
    CHECK_ERR(lock(b, FALSE, 0, 10), ERROR_LOCK_VIOLATION);
    CHECK(unlock(a, 0, 10)); /* the exclusive one goes first */
    CHECK(lock(b, FALSE, 0, 10));
    CHECK_ERR(lock(b, TRUE, 0, 10), ERROR_LOCK_VIOLATION);
    CHECK(unlock(a, 0, 10));
    CHECK_ERR(unlock(a, 0, 10), NOT_LOCKED);
    CLOSE_BOTH;
}

TEST(beyond_the_end, "FILE-18")
{
    TWO_HANDLES;
    CHECK(lock(a, TRUE, 0x7FFFFFFF00000000, 10));
    CHECK_ERR(lock(b, TRUE, 0x7FFFFFFF00000005, 10), ERROR_LOCK_VIOLATION);
    CHECK(lock(b, TRUE, 0xFFFFFFFFFFFFFF00, 0xFF));
    CHECK_ERR(lock(a, TRUE, 0xFFFFFFFFFFFFFFF0, 1), ERROR_LOCK_VIOLATION);
    CHECK(lock(a, TRUE, 0xFFFFFFFFFFFFFE00, 1)); /* apart, though fcntl could not tell them apart */
    CHECK(unlock(b, 0xFFFFFFFFFFFFFF00, 0xFF));
    CHECK(unlock(a, 0xFFFFFFFFFFFFFE00, 1));
    CHECK(unlock(a, 0x7FFFFFFF00000000, 10));
    CHECK(lock(a, TRUE, 0, 0xFFFFFFFFFFFFFFFF)); /* all of it */
    CHECK_ERR(lock(b, FALSE, 5000000000, 1), ERROR_LOCK_VIOLATION);
    CLOSE_BOTH;
}

TEST(without_bytes, "FILE-18 FILE-21")
{
    TWO_HANDLES;
    CHECK(lock(a, TRUE, 100, 0));
    CHECK(lock(b, TRUE, 100, 10)); /* it touches nothing there */
    CHECK_ERR(lock(a, TRUE, 105, 0), ERROR_LOCK_VIOLATION);
    CHECK(unlock(a, 100, 0));
    CHECK_ERR(unlock(a, 100, 0), NOT_LOCKED);
    CLOSE_BOTH;
}

TEST(old_functions, "FILE-18 FILE-21")
{
    TWO_HANDLES;
    CHECK(LockFile(a, 10, 0, 10, 0));
    CHECK_ERR(LockFile(b, 15, 0, 10, 0), ERROR_LOCK_VIOLATION);
    CHECK_ERR(UnlockFile(a, 10, 0, 9, 0), NOT_LOCKED);
    CHECK(UnlockFile(a, 10, 0, 10, 0));
    CHECK(LockFile(b, 15, 0, 10, 0));
    CHECK(UnlockFile(b, 15, 0, 10, 0));
    CHECK_ERR(LockFile(NULL, 0, 0, 1, 0), ERROR_INVALID_HANDLE);
    CHECK_ERR(UnlockFile(NULL, 0, 0, 1, 0), ERROR_INVALID_HANDLE);
    CLOSE_BOTH;
}

/* ---- what they forbid ---- */

TEST_W8(exclusive_keeps_others_out, "FILE-19", "Wine does not stop reads and writes")
{
    TWO_HANDLES;
    HANDLE c = open_again(path, FILE_FLAG_OVERLAPPED);
    CHECK(lock(a, TRUE, 100, 100));
    CHECK(read_at(a, 100, 100));
    CHECK(write_at(a, 100, 100));
    CHECK_ERR(read_at(b, 150, 10), ERROR_LOCK_VIOLATION);
    CHECK_ERR(read_at(b, 0, 101), ERROR_LOCK_VIOLATION);
    CHECK_ERR(write_at(b, 199, 10), ERROR_LOCK_VIOLATION);
    CHECK_ERR(read_at(c, 150, 10), ERROR_LOCK_VIOLATION);
    CHECK_ERR(write_at(c, 150, 10), ERROR_LOCK_VIOLATION);
    CHECK(read_at(b, 0, 100));
    CHECK(write_at(b, 200, 10));
    CHECK_EQ(SetFilePointer(b, 150, NULL, FILE_BEGIN), 150);
    char data[4];
    DWORD bytes;
    CHECK_ERR(ReadFile(b, data, 4, &bytes, NULL), ERROR_LOCK_VIOLATION);
    CHECK_EQ(SetFilePointer(b, 0, NULL, FILE_CURRENT), 150);
    CHECK(unlock(a, 100, 100));
    CHECK(read_at(b, 150, 10));
    CHECK(ReadFile(b, data, 4, &bytes, NULL));
    CloseHandle(c);
    CLOSE_BOTH;
}

TEST_W8(shared_lets_all_read, "FILE-20", "Wine does not stop reads and writes")
{
    TWO_HANDLES;
    CHECK(lock(a, FALSE, 100, 100));
    CHECK(read_at(a, 100, 100));
    CHECK(read_at(b, 100, 100));
    CHECK_ERR(write_at(b, 150, 1), ERROR_LOCK_VIOLATION);
    CHECK_ERR(write_at(a, 150, 1), ERROR_LOCK_VIOLATION);
    CHECK(write_at(a, 200, 1));
    CHECK(unlock(a, 100, 100));
    CHECK(write_at(a, 150, 1));
    CLOSE_BOTH;
}

/* ---- giving back ---- */

TEST(exactly_the_same_range, "FILE-21")
{
    TWO_HANDLES;
    CHECK(lock(a, TRUE, 100, 100));
    CHECK_EQ(ERROR_NOT_LOCKED, 158);
    CHECK_ERR(unlock(a, 100, 99), NOT_LOCKED);
    CHECK_ERR(unlock(a, 101, 99), NOT_LOCKED);
    CHECK_ERR(unlock(b, 100, 100), NOT_LOCKED); /* another handle's */
    CHECK(lock(a, TRUE, 200, 100));
    CHECK_ERR(unlock(a, 100, 200), NOT_LOCKED); /* two are two */
    CHECK(unlock(a, 100, 100));
    CHECK(unlock(a, 200, 100));
    CHECK_ERR(unlock(a, 200, 100), NOT_LOCKED);
    CLOSE_BOTH;
}

TEST(closing_drops_them, "FILE-21")
{
    TWO_HANDLES;
    CHECK(lock(a, TRUE, 100, 100));
    CHECK(lock(a, TRUE, 300, 100));
    CHECK_ERR(lock(b, TRUE, 350, 100), ERROR_LOCK_VIOLATION);
    CloseHandle(a);
    CHECK(lock(b, TRUE, 100, 100));
    CHECK(lock(b, TRUE, 350, 100));
    a = open_again(path, 0);
    CHECK_ERR(lock(a, TRUE, 350, 100), ERROR_LOCK_VIOLATION);
    CLOSE_BOTH;
}

/* ---- waiting ---- */

TEST_W8(granted_later, "FILE-17", "Wine blocks in the call")
{
    const char *path = temp_content(10);
    HANDLE a = open_again(path, 0), b = open_again(path, FILE_FLAG_OVERLAPPED);
    HANDLE port = CreateIoCompletionPort(b, NULL, 5, 1);
    OVERLAPPED ov = at(0, manual_event()), *done = NULL;
    ULONG_PTR key = 0;
    DWORD bytes = 9;
    CHECK(lock(a, TRUE, 0, 10));
    CHECK_ERR(LockFileEx(b, LOCKFILE_EXCLUSIVE_LOCK, 0, 5, 0, &ov), ERROR_IO_PENDING);
    CHECK_EQ(ov.Internal, 0x103);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, SETTLED), WAIT_TIMEOUT);
    CHECK(unlock(a, 0, 10));
    CHECK_EQ(WaitForSingleObject(ov.hEvent, SOON), WAIT_OBJECT_0);
    CHECK(GetQueuedCompletionStatus(port, &bytes, &key, &done, SOON));
    CHECK(done == &ov);
    CHECK_EQ(key, 5);
    CHECK_EQ(bytes, 0);
    CHECK_ERR(lock(a, FALSE, 4, 1), ERROR_LOCK_VIOLATION);
    CHECK(UnlockFileEx(b, 0, 5, 0, &ov));
    CHECK(lock(a, FALSE, 4, 1));
    CloseHandle(ov.hEvent);
    CLOSE_BOTH;
    CloseHandle(port);
}

TEST_W8(granted_at_once, "FILE-17 PORT-13", "Wine sends no packet")
{
    HANDLE a = temp_file(10, FILE_FLAG_OVERLAPPED);
    HANDLE port = CreateIoCompletionPort(a, NULL, 5, 1);
    OVERLAPPED ov = at(0, NULL), *done = NULL;
    ULONG_PTR key;
    DWORD bytes;
    BOOL granted = LockFileEx(a, LOCKFILE_EXCLUSIVE_LOCK, 0, 5, 0, &ov);
    CHECK(granted || GetLastError() == ERROR_IO_PENDING);
    CHECK(GetQueuedCompletionStatus(port, &bytes, &key, &done, SOON));
    CHECK(done == &ov);
    OVERLAPPED other = at(0, NULL);
    CHECK_ERR(LockFileEx(a, LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 5, 0, &other),
              ERROR_LOCK_VIOLATION);
    CHECK_ERR(GetQueuedCompletionStatus(port, &bytes, &key, &done, 0), WAIT_TIMEOUT); /* refused: no packet */
    CloseHandle(a);
    CloseHandle(port);
}

TEST_W8(in_the_order_of_the_calls, "FILE-17", "Wine blocks in the call")
{
    enum { MANY = 20 };
    const char *path = temp_content(10);
    HANDLE a = open_again(path, 0), b = open_again(path, FILE_FLAG_OVERLAPPED);
    OVERLAPPED ov[MANY];
    CHECK(lock(a, TRUE, 0, 10));
    for (int i = 0; i < MANY; i++) {
        ov[i] = at(0, manual_event());
        CHECK_ERR(LockFileEx(b, LOCKFILE_EXCLUSIVE_LOCK, 0, 10, 0, &ov[i]), ERROR_IO_PENDING);
    }
    OVERLAPPED apart = at(20, manual_event());
    CHECK(LockFileEx(b, LOCKFILE_EXCLUSIVE_LOCK, 0, 10, 0, &apart)); /* others need not wait for them */
    CHECK(unlock(a, 0, 10));
    for (int i = 0; i < MANY; i++) {
        CHECK_EQ(WaitForSingleObject(ov[i].hEvent, SOON), WAIT_OBJECT_0);
        if (i + 1 < MANY)
            CHECK_EQ(WaitForSingleObject(ov[i + 1].hEvent, 0), WAIT_TIMEOUT);
        CHECK(UnlockFileEx(b, 0, 10, 0, &ov[i]));
    }
    for (int i = 0; i < MANY; i++)
        CloseHandle(ov[i].hEvent);
    CloseHandle(apart.hEvent);
    CLOSE_BOTH;
}

TEST_W8(cancelled, "FILE-17 CANCEL-03 CANCEL-05", "Wine blocks in the call")
{
    const char *path = temp_content(10);
    HANDLE a = open_again(path, 0), b = open_again(path, FILE_FLAG_OVERLAPPED);
    OVERLAPPED ov = at(0, manual_event());
    DWORD bytes;
    CHECK(lock(a, TRUE, 0, 10));
    CHECK_ERR(LockFileEx(b, LOCKFILE_EXCLUSIVE_LOCK, 0, 10, 0, &ov), ERROR_IO_PENDING);
    CHECK(CancelIoEx(b, &ov));
    CHECK_EQ(WaitForSingleObject(ov.hEvent, SOON), WAIT_OBJECT_0);
    CHECK_ERR(GetOverlappedResult(b, &ov, &bytes, FALSE), ERROR_OPERATION_ABORTED);
    CHECK_ERR(CancelIoEx(b, &ov), ERROR_NOT_FOUND);
    CHECK(unlock(a, 0, 10));
    CHECK(lock(a, TRUE, 0, 10)); /* nobody else has it */
    CloseHandle(ov.hEvent);
    CLOSE_BOTH;
}

TEST_W8(closed_while_waiting, "FILE-21 CANCEL-15", "Wine blocks in the call")
{
    const char *path = temp_content(10);
    HANDLE a = open_again(path, 0), b = open_again(path, FILE_FLAG_OVERLAPPED);
    OVERLAPPED ov = at(0, manual_event());
    CHECK(lock(a, TRUE, 0, 10));
    CHECK_ERR(LockFileEx(b, LOCKFILE_EXCLUSIVE_LOCK, 0, 10, 0, &ov), ERROR_IO_PENDING);
    CloseHandle(b);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, SOON), WAIT_OBJECT_0);
    CHECK((LONG)ov.Internal < 0);
    CHECK(unlock(a, 0, 10));
    CHECK(lock(a, TRUE, 0, 10));
    CloseHandle(ov.hEvent);
    CloseHandle(a);
}

struct blocked {
    HANDLE file;
    volatile LONG entered, got;
    DWORD error;
};

THREAD_FN(lock_and_wait)
{
    struct blocked *b = arg;
    OVERLAPPED ov = at(0, NULL);
    InterlockedExchange(&b->entered, 1);
    BOOL got = LockFileEx(b->file, LOCKFILE_EXCLUSIVE_LOCK, 0, 10, 0, &ov);
    b->error = got ? 0 : GetLastError();
    InterlockedExchange(&b->got, got ? 1 : 2);
    return 0;
}

TEST(synchronous_handle_blocks, "FILE-18")
{
    TWO_HANDLES;
    struct blocked blocked = {.file = b};
    CHECK(lock(a, TRUE, 0, 10));
    HANDLE thread = start_thread(lock_and_wait, &blocked);
    CHECK(WITHIN(SOON, LOOK(blocked.entered)));
    CHECK_EQ(WaitForSingleObject(thread, SETTLED), WAIT_TIMEOUT);
    CHECK(unlock(a, 0, 10));
    JOIN(thread);
    CHECK_EQ(blocked.got, 1);
    CHECK_ERR(lock(a, TRUE, 0, 10), ERROR_LOCK_VIOLATION);
    CLOSE_BOTH;
}

/* Only what is held counts: a waiting exclusive lock is passed. */
TEST(shared_passes_waiting_exclusive, "FILE-18 FILE-20")
{
    TWO_HANDLES;
    HANDLE c = open_again(path, 0);
    struct blocked blocked = {.file = b};
    OVERLAPPED ov = at(0, NULL);
    CHECK(lock(a, FALSE, 0, 10));
    HANDLE thread = start_thread(lock_and_wait, &blocked);
    CHECK(WITHIN(SOON, LOOK(blocked.entered)));
    CHECK_EQ(WaitForSingleObject(thread, SETTLED), WAIT_TIMEOUT);
    CHECK(lock(c, FALSE, 0, 10));
    CHECK(LockFileEx(c, 0, 0, 10, 0, &ov)); /* nor does the one wait that would */
    CHECK(unlock(a, 0, 10));
    CHECK(unlock(c, 0, 10));
    CHECK_EQ(WaitForSingleObject(thread, SETTLED), WAIT_TIMEOUT);
    CHECK(unlock(c, 0, 10));
    JOIN(thread);
    CHECK_EQ(blocked.got, 1);
    CloseHandle(c);
    CLOSE_BOTH;
}

TEST_W8(blocked_call_cancelled, "CANCEL-12", "Wine cannot cancel it")
{
    TWO_HANDLES;
    struct blocked blocked = {.file = b};
    CHECK(lock(a, TRUE, 0, 10));
    HANDLE thread = start_thread(lock_and_wait, &blocked);
    CHECK(WITHIN(SOON, CancelSynchronousIo(thread)));
    JOIN(thread);
    CHECK_EQ(blocked.got, 2);
    CHECK_EQ(blocked.error, ERROR_OPERATION_ABORTED);
    CHECK(unlock(a, 0, 10));
    CHECK(lock(a, TRUE, 0, 10));
    CLOSE_BOTH;
}

/* ---- refused ---- */

TEST(refused, "FILE-18")
{
    TWO_HANDLES;
    OVERLAPPED ov = at(10, NULL);
    CHECK_ERR(LockFileEx(NULL, 0, 0, 1, 0, &ov), ERROR_INVALID_HANDLE);
    CHECK_ERR(LockFileEx(a, 0, 1, 1, 0, &ov), ERROR_INVALID_PARAMETER);
    CHECK_ERR(UnlockFileEx(a, 1, 1, 0, &ov), ERROR_INVALID_PARAMETER);
    HANDLE readable = CreateFileA(path, GENERIC_READ, SHARE_ALL, NULL, OPEN_EXISTING, 0, NULL);
    CHECK(lock(readable, TRUE, 0, 10)); /* reading is enough */
    CHECK_ERR(lock(a, FALSE, 0, 10), ERROR_LOCK_VIOLATION);
    CloseHandle(readable);
    HANDLE none = CreateFileA(path, FILE_READ_ATTRIBUTES, SHARE_ALL, NULL, OPEN_EXISTING, 0, NULL);
    TODO_WINE("Wine does not look at the access") {
        CHECK_ERR(lock(none, FALSE, 0, 10), ERROR_ACCESS_DENIED);
    }
    CloseHandle(none);
    TODO_WINE("Wine takes ranges that wrap around") {
        CHECK_ERR(lock(a, TRUE, 0xFFFFFFFFFFFFFFFF, 2), 307); /* ERROR_INVALID_LOCK_RANGE */
    }
    CLOSE_BOTH;
}
