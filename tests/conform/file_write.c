/* SPDX-License-Identifier: MIT */
/*
 * Writing files: overlapped and synchronous, appending, zero bytes, far offsets, sizes, flushing.
 */
#include "conform.h"

#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

static ULONGLONG size_of(HANDLE file)
{
    LARGE_INTEGER size = {.QuadPart = -1};
    CHECK(GetFileSizeEx(file, &size));
    return (ULONGLONG)size.QuadPart;
}

/* A whole overlapped operation at an offset: its error, the bytes in *bytes. */
static DWORD move_at(HANDLE file, void *data, DWORD size, ULONGLONG offset, DWORD *bytes, int write)
{
    OVERLAPPED ov = {.Offset = (DWORD)offset, .OffsetHigh = (DWORD)(offset >> 32), .hEvent = manual_event()};
    BOOL done = write ? WriteFile(file, data, size, NULL, &ov) : ReadFile(file, data, size, NULL, &ov);
    DWORD error = done ? 0 : GetLastError();
    *bytes = 0;
    if (!error || error == ERROR_IO_PENDING)
        error = GetOverlappedResult(file, &ov, bytes, TRUE) ? 0 : GetLastError();
    CloseHandle(ov.hEvent);
    return error;
}

static DWORD write_at(HANDLE file, const void *data, DWORD size, ULONGLONG offset, DWORD *bytes)
{
    return move_at(file, (void *)(uintptr_t)data, size, offset, bytes, 1);
}

/* Compares bytes of the file, read by another handle, with what they should be. */
static int holds(const char *path, ULONGLONG offset, const void *data, DWORD size)
{
    char buffer[4096];
    DWORD bytes = 0;
    OVERLAPPED ov = {.Offset = (DWORD)offset, .OffsetHigh = (DWORD)(offset >> 32)};
    HANDLE file = CreateFileA(path, GENERIC_READ, SHARE_ALL, NULL, OPEN_EXISTING, 0, NULL);
    int same = file != INVALID_HANDLE_VALUE && ReadFile(file, buffer, size, &bytes, &ov) && bytes == size &&
               !memcmp(buffer, data, size);
    CloseHandle(file);
    return same;
}

static HANDLE new_file(const char *path, DWORD access, DWORD flags)
{
    HANDLE file = CreateFileA(path, access, SHARE_ALL, NULL, OPEN_ALWAYS, flags, NULL);
    CHECK(file != INVALID_HANDLE_VALUE);
    return file;
}

/* ---- places ---- */

TEST(many_writes_each_its_own, "FILE-01 FILE-02")
{
    enum { N = 50, SIZE = 100 };
    static char blocks[N][SIZE];
    const char *path = temp_path();
    OVERLAPPED ov[N];
    DWORD bytes;
    HANDLE file = new_file(path, GENERIC_WRITE, FILE_FLAG_OVERLAPPED);
    memset(ov, 0, sizeof ov);
    for (int n = 0; n < N; n++) {
        int i = n * 7 % N; /* not in the order of the file */
        memset(blocks[i], 'A' + i % 26, SIZE);
        ov[i].hEvent = manual_event();
        ov[i].Offset = (DWORD)i * SIZE;
        if (!WriteFile(file, blocks[i], SIZE, NULL, &ov[i]))
            CHECK_LASTERR(ERROR_IO_PENDING);
    }
    for (int i = 0; i < N; i++) {
        CHECK(GetOverlappedResult(file, &ov[i], &bytes, TRUE));
        CHECK_EQ(bytes, SIZE);
        CHECK_EQ(ov[i].Offset, i * SIZE);
        CloseHandle(ov[i].hEvent);
    }
    CHECK_EQ(size_of(file), N * SIZE);
    for (int i = 0; i < N; i++)
        CHECK_MSG(holds(path, (ULONGLONG)i * SIZE, blocks[i], SIZE), "block %d is wrong", i);
    CloseHandle(file);
}

TEST(overlapped_write_keeps_no_pointer, "FILE-02 OVL-14")
{
    const char *path = temp_path();
    DWORD bytes;
    HANDLE file = new_file(path, GENERIC_WRITE, FILE_FLAG_OVERLAPPED);
    CHECK_EQ(write_at(file, "aaaa", 4, 0, &bytes), 0);
    CHECK_EQ(bytes, 4);
    CHECK_EQ(write_at(file, "bb", 2, 0, &bytes), 0); /* not behind the first */
    CHECK_EQ(size_of(file), 4);
    CHECK(holds(path, 0, "bbaa", 4));
    CHECK_EQ(write_at(file, "z", 1, 10, &bytes), 0);
    CHECK(holds(path, 0, "bbaa\0\0\0\0\0\0z", 11)); /* the gap reads zeros */
    CloseHandle(file);
}

TEST(synchronous_write_moves_the_pointer, "FILE-03")
{
    const char *path = temp_path();
    DWORD bytes = 77;
    LARGE_INTEGER zero = {.QuadPart = 0}, to = {.QuadPart = 6}, now;
    HANDLE file = new_file(path, GENERIC_WRITE, 0);
    CHECK(WriteFile(file, "hello ", 6, &bytes, NULL));
    CHECK_EQ(bytes, 6);
    CHECK(WriteFile(file, "world", 5, &bytes, NULL));
    CHECK(SetFilePointerEx(file, zero, &now, FILE_CURRENT));
    CHECK_EQ(now.QuadPart, 11);
    CHECK(SetFilePointerEx(file, to, NULL, FILE_BEGIN));
    CHECK(WriteFile(file, "W", 1, &bytes, NULL));
    CHECK(SetFilePointerEx(file, zero, &now, FILE_CURRENT));
    CHECK_EQ(now.QuadPart, 7);
    CHECK(holds(path, 0, "hello World", 11));
    CHECK_EQ(size_of(file), 11);
    CloseHandle(file);
}

TEST(synchronous_write_with_overlapped, "FILE-04 FILE-03")
{
    const char *path = temp_content(20);
    DWORD bytes = 0;
    OVERLAPPED ov = {.Offset = 5, .hEvent = manual_event()};
    LARGE_INTEGER zero = {.QuadPart = 0}, now;
    HANDLE file = new_file(path, GENERIC_WRITE, 0);
    CHECK(WriteFile(file, "xyz", 3, &bytes, &ov));
    CHECK_EQ(bytes, 3);
    CHECK_EQ(ov.Internal, 0);
    CHECK_EQ(ov.InternalHigh, 3);
    CHECK_EQ(ov.Offset, 5);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 0), WAIT_OBJECT_0);
    CHECK(SetFilePointerEx(file, zero, &now, FILE_CURRENT));
    CHECK_EQ(now.QuadPart, 8); /* the pointer follows */
    CHECK(WriteFile(file, "w", 1, &bytes, NULL));
    CHECK(holds(path, 5, "xyzw", 4));
    CHECK_EQ(size_of(file), 20);
    CloseHandle(ov.hEvent);
    CloseHandle(file);
}

TEST(far_write, "FILE-12")
{
    const char *path = temp_path();
    ULONGLONG far_away = 0x180000000u;
    DWORD bytes = 0;
    HANDLE file = new_file(path, GENERIC_READ | GENERIC_WRITE, FILE_FLAG_OVERLAPPED);
#ifdef FSCTL_SET_SPARSE
    DeviceIoControl(file, FSCTL_SET_SPARSE, NULL, 0, NULL, 0, &bytes, NULL); /* saves gigabytes of zeros */
#endif
    CHECK_EQ(write_at(file, "far", 3, far_away, &bytes), 0);
    CHECK_EQ(bytes, 3);
    CHECK_EQ(size_of(file), far_away + 3);
    CHECK_EQ(write_at(file, "near", 4, far_away & 0xFFFFFFFF, &bytes), 0);
    CHECK(holds(path, far_away, "far", 3));
    CHECK(holds(path, far_away & 0xFFFFFFFF, "near", 4));
    CHECK_EQ(size_of(file), far_away + 3);
    DWORD high = 0, low = GetFileSize(file, &high);
    CHECK_EQ(high, 1);
    CHECK_EQ(low, 0x80000003u);
    CloseHandle(file);
    /* The same with a file pointer. */
    LARGE_INTEGER to = {.QuadPart = (LONGLONG)far_away + 3}, now;
    file = new_file(path, GENERIC_WRITE, 0);
    CHECK(SetFilePointerEx(file, to, &now, FILE_BEGIN));
    CHECK_EQ(now.QuadPart, far_away + 3);
    CHECK(WriteFile(file, "!", 1, &bytes, NULL));
    CHECK(holds(path, far_away, "far!", 4));
    CloseHandle(file);
}

/* ---- rights ---- */

TEST(writing_needs_the_right, "FILE-22 FILE-09")
{
    const char *path = temp_content(10);
    DWORD bytes = 77;
    HANDLE file = CreateFileA(path, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    CHECK_ERR(WriteFile(file, "x", 1, &bytes, NULL), ERROR_ACCESS_DENIED);
    CHECK_EQ(bytes, 0);
    CHECK_ERR(FlushFileBuffers(file), ERROR_ACCESS_DENIED);
    CHECK_EQ(ERROR_ACCESS_DENIED, 5);
    CHECK_EQ(size_of(file), 10);
    CloseHandle(file);
    CHECK_ERR(WriteFile(file, "x", 1, &bytes, NULL), ERROR_INVALID_HANDLE);
    CHECK_ERR(FlushFileBuffers(file), ERROR_INVALID_HANDLE);
}

TEST(setting_the_size_needs_the_right, "FILE-23")
{
    HANDLE file = CreateFileA(temp_content(10), GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    TODO_WINE("Wine 8 says ERROR_INVALID_PARAMETER")
        CHECK_ERR(SetEndOfFile(file), ERROR_ACCESS_DENIED);
    CHECK_EQ(size_of(file), 10);
    CloseHandle(file);
    CHECK_ERR(SetEndOfFile(file), ERROR_INVALID_HANDLE);
}

/* ---- appending ---- */

static OVERLAPPED append_ov(void)
{
    return (OVERLAPPED){.Offset = 0xFFFFFFFF, .OffsetHigh = 0xFFFFFFFF};
}

TEST(append_by_offset, "FILE-10 OVL-14")
{
    for (int overlapped = 0; overlapped < 2; overlapped++) {
        const char *path = temp_content(10);
        unsigned char ten[10];
        DWORD bytes = 0;
        OVERLAPPED ov = append_ov();
        HANDLE file = new_file(path, GENERIC_READ | GENERIC_WRITE, overlapped ? FILE_FLAG_OVERLAPPED : 0);
        for (int i = 0; i < 10; i++)
            ten[i] = pattern(i);
        ov.hEvent = manual_event();
        for (int i = 0; i < 3; i++) {
            if (!WriteFile(file, "end", 3, NULL, &ov))
                CHECK_LASTERR(ERROR_IO_PENDING);
            CHECK(GetOverlappedResult(file, &ov, &bytes, TRUE));
            CHECK_EQ(bytes, 3);
            CHECK_EQ(size_of(file), 13 + 3 * i);
            CHECK_EQ(ov.Offset, 0xFFFFFFFF);
            CHECK_EQ(ov.OffsetHigh, 0xFFFFFFFF);
        }
        CHECK(holds(path, 0, ten, 10));
        CHECK(holds(path, 10, "endendend", 9));
        CloseHandle(ov.hEvent);
        CloseHandle(file);
    }
}

TEST(append_by_access, "FILE-10")
{
    const char *path = temp_content(10);
    unsigned char first = pattern(0);
    DWORD bytes = 0;
    LARGE_INTEGER zero = {.QuadPart = 0};
    HANDLE file = new_file(path, FILE_APPEND_DATA | SYNCHRONIZE, 0);
    CHECK(WriteFile(file, "one", 3, &bytes, NULL));
    CHECK_EQ(bytes, 3);
    SetFilePointerEx(file, zero, NULL, FILE_BEGIN);
    CHECK(WriteFile(file, "two", 3, &bytes, NULL)); /* wherever the pointer stands */
    OVERLAPPED ov = {.Offset = 2};
    CHECK(WriteFile(file, "three", 5, &bytes, &ov)); /* whatever the offset says */
    CHECK(holds(path, 10, "onetwothree", 11));
    CHECK(holds(path, 0, &first, 1));
    CHECK_EQ(bytes, 5);
    CloseHandle(file);
    file = new_file(path, FILE_APPEND_DATA | SYNCHRONIZE, FILE_FLAG_OVERLAPPED);
    CHECK_EQ(write_at(file, "four", 4, 3, &bytes), 0);
    CHECK(holds(path, 10, "onetwothreefour", 15));
    CloseHandle(file);
}

/* Each block is n times its own letter, so a torn or overwritten one shows. */
static void check_blocks(const char *path, int count, DWORD size)
{
    static char data[1 << 20];
    int seen[256] = {0};
    DWORD bytes = 0;
    HANDLE file = CreateFileA(path, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    CHECK_EQ(size_of(file), (ULONGLONG)count * size);
    CHECK(ReadFile(file, data, sizeof data, &bytes, NULL));
    CloseHandle(file);
    int torn = 0, missing = 0;
    for (DWORD i = 0; i < bytes / size; i++) {
        torn += memcmp(data + i * size, data + i * size + 1, size - 1) != 0;
        seen[(unsigned char)data[i * size]]++;
    }
    for (int i = 0; i < count; i++)
        missing += seen[i + 1] != 1;
    CHECK_EQ(torn, 0);
    CHECK_EQ(missing, 0);
}

TEST(outstanding_appends_do_not_overlap, "FILE-11 FILE-10")
{
    enum { N = 100, SIZE = 3000 };
    static char blocks[N][SIZE];
    static OVERLAPPED ov[N];
    const char *path = temp_path();
    DWORD bytes;
    HANDLE file = new_file(path, GENERIC_WRITE, FILE_FLAG_OVERLAPPED);
    for (int i = 0; i < N; i++) {
        memset(blocks[i], i + 1, SIZE);
        ov[i] = append_ov();
        ov[i].hEvent = manual_event();
    }
    for (int i = 0; i < N; i++)
        if (!WriteFile(file, blocks[i], SIZE, NULL, &ov[i]))
            CHECK_LASTERR(ERROR_IO_PENDING);
    for (int i = 0; i < N; i++) {
        CHECK(GetOverlappedResult(file, &ov[i], &bytes, TRUE));
        CHECK_EQ(bytes, SIZE);
        CloseHandle(ov[i].hEvent);
    }
    CloseHandle(file);
    check_blocks(path, N, SIZE);
}

TEST(large_appends_stay_whole, "FILE-11")
{
    enum { N = 16, SIZE = 60000 };
    static OVERLAPPED ov[N];
    static char blocks[N][SIZE];
    const char *path = temp_path();
    HANDLE files[2], port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    DWORD bytes;
    ULONG_PTR key;
    OVERLAPPED *got;
    for (int i = 0; i < 2; i++) {
        files[i] = new_file(path, FILE_APPEND_DATA | SYNCHRONIZE, FILE_FLAG_OVERLAPPED);
        CHECK(CreateIoCompletionPort(files[i], port, 0, 0) == port);
    }
    for (int i = 0; i < N; i++) {
        memset(blocks[i], i + 1, SIZE);
        ov[i] = append_ov();
        if (!WriteFile(files[i & 1], blocks[i], SIZE, NULL, &ov[i]))
            CHECK_LASTERR(ERROR_IO_PENDING);
    }
    for (int i = 0; i < N; i++) {
        CHECK(GetQueuedCompletionStatus(port, &bytes, &key, &got, 10000));
        CHECK_EQ(bytes, SIZE);
    }
    CloseHandle(files[0]);
    CloseHandle(files[1]);
    CloseHandle(port);
    TODO_WINE("Wine 8 finds the end and writes in two steps")
        check_blocks(path, N, SIZE);
}

struct appender {
    const char *path;
    struct meeting *start;
    int first, count, by_access;
    LONG wrong;
};

THREAD_FN(appends)
{
    struct appender *a = arg;
    char block[777];
    HANDLE file = new_file(a->path, a->by_access ? FILE_APPEND_DATA | SYNCHRONIZE : GENERIC_WRITE,
                           FILE_FLAG_OVERLAPPED);
    meet(a->start);
    for (int i = 0; i < a->count; i++) {
        OVERLAPPED ov = a->by_access ? (OVERLAPPED){0} : append_ov();
        DWORD bytes = 0;
        memset(block, a->first + i + 1, sizeof block);
        ov.hEvent = manual_event();
        if (!WriteFile(file, block, sizeof block, NULL, &ov))
            a->wrong += GetLastError() != ERROR_IO_PENDING;
        a->wrong += !GetOverlappedResult(file, &ov, &bytes, TRUE) || bytes != sizeof block;
        CloseHandle(ov.hEvent);
    }
    CloseHandle(file);
    return 0;
}

TEST(appends_of_several_handles, "FILE-11")
{
    for (int by_access = 0; by_access < 2; by_access++) {
        const char *path = temp_path();
        struct meeting start = {.need = 4};
        struct appender a[4];
        HANDLE threads[4];
        for (int i = 0; i < 4; i++) {
            a[i] = (struct appender){path, &start, i * 50, 50, by_access, 0};
            threads[i] = start_thread(appends, &a[i]);
        }
        for (int i = 0; i < 4; i++) {
            JOIN(threads[i]);
            CHECK_EQ(a[i].wrong, 0);
        }
        TODO_WINE("Wine 8 finds the end and writes in two steps")
            check_blocks(path, 200, 777);
    }
}

/* ---- zero bytes ---- */

TEST(zero_bytes, "FILE-13")
{
    DWORD bytes = 77;
    LARGE_INTEGER to = {.QuadPart = 4};
    OVERLAPPED ov = append_ov();
    HANDLE file = temp_file(10, 0);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    CHECK(SetFilePointerEx(file, to, NULL, FILE_BEGIN));
    CHECK(WriteFile(file, "", 0, &bytes, NULL));
    CHECK_EQ(bytes, 0);
    CHECK_EQ(size_of(file), 10); /* not truncated as write(2) of old would */
    bytes = 77;
    CHECK(WriteFile(file, NULL, 0, &bytes, NULL));
    CHECK_EQ(bytes, 0);
    to.QuadPart = 100;
    CHECK(SetFilePointerEx(file, to, NULL, FILE_BEGIN));
    CHECK(WriteFile(file, "", 0, &bytes, NULL));
    CHECK_EQ(size_of(file), 10); /* nor extended */
    CHECK(WriteFile(file, "", 0, &bytes, &ov));
    CHECK_EQ(size_of(file), 10);
    CloseHandle(file);
    file = temp_file(10, FILE_FLAG_OVERLAPPED);
    CHECK_EQ(write_at(file, "", 0, 3, &bytes), 0);
    CHECK_EQ(bytes, 0);
    CHECK_EQ(write_at(file, "", 0, 3000, &bytes), 0);
    CHECK_EQ(size_of(file), 10);
    CloseHandle(file);
}

TEST(buffers_not_there, "FILE-13 ERR-04")
{
    char byte;
    DWORD bytes = 77;
    HANDLE file = temp_file(10, 0), ends[2], nowhere[2] = {NULL, (HANDLE)8};
    REQUIRE(file != INVALID_HANDLE_VALUE);
    REQUIRE(CreatePipe(&ends[0], &ends[1], NULL, 4096));
    for (int i = 0; i < 2; i++) {
        CHECK_ERR(WriteFile(file, nowhere[i], 10, &bytes, NULL), ERROR_INVALID_USER_BUFFER);
        CHECK_EQ(bytes, 0);
        CHECK_ERR(ReadFile(file, nowhere[i], 10, &bytes, NULL), ERROR_NOACCESS);
        CHECK_ERR(WriteFile(ends[1], nowhere[i], 10, &bytes, NULL), ERROR_INVALID_USER_BUFFER);
        CHECK_EQ(bytes, 0);
        CHECK(WriteFile(ends[1], "x", 1, &bytes, NULL)); /* and nothing of the failed one is before it */
        CHECK_EQ(ReadFile(ends[0], &byte, 1, &bytes, NULL) && byte == 'x', 1);
    }
    CHECK_EQ(size_of(file), 10);
    CloseHandle(ends[0]);
    CloseHandle(ends[1]);
    CloseHandle(file);
}

TEST(zero_bytes_at_a_port, "FILE-13 PORT-06")
{
    OVERLAPPED ov = {.Offset = 5}, *got = NULL;
    DWORD bytes = 77;
    ULONG_PTR key = 0;
    HANDLE file = temp_file(10, FILE_FLAG_OVERLAPPED), port = CreateIoCompletionPort(file, NULL, 9, 0);
    REQUIRE(port != NULL);
    if (!WriteFile(file, "", 0, NULL, &ov))
        CHECK_LASTERR(ERROR_IO_PENDING);
    CHECK(GetQueuedCompletionStatus(port, &bytes, &key, &got, 10000)); /* answered like any other */
    CHECK(got == &ov);
    CHECK_EQ(bytes, 0);
    CHECK_EQ(key, 9);
    CHECK_EQ(size_of(file), 10);
    CloseHandle(file);
    CloseHandle(port);
}

/* ---- size and flush ---- */

TEST(set_end_of_file, "FILE-23")
{
    const char *path = temp_content(100);
    unsigned char three[3] = {pattern(37), pattern(38), pattern(39)};
    LARGE_INTEGER to = {.QuadPart = 40}, zero = {.QuadPart = 0}, now;
    HANDLE file = new_file(path, GENERIC_READ | GENERIC_WRITE, 0);
    CHECK(SetFilePointerEx(file, to, NULL, FILE_BEGIN));
    CHECK_EQ(size_of(file), 100); /* moving the pointer alone changes nothing */
    CHECK(SetEndOfFile(file));
    CHECK_EQ(size_of(file), 40);
    CHECK(holds(path, 37, three, 3));
    to.QuadPart = 200;
    CHECK(SetFilePointerEx(file, to, NULL, FILE_BEGIN));
    CHECK_EQ(size_of(file), 40);
    CHECK(SetEndOfFile(file));
    CHECK_EQ(size_of(file), 200);
    CHECK(holds(path, 37, three, 3)); /* what there was stays */
    CHECK(SetFilePointerEx(file, zero, &now, FILE_CURRENT));
    CHECK_EQ(now.QuadPart, 200); /* and the pointer, too */
    CHECK_EQ(SetFilePointer(file, 10, NULL, FILE_BEGIN), 10);
    CHECK(SetEndOfFile(file));
    CHECK_EQ(GetFileSize(file, NULL), 10);
    CHECK(SetFilePointerEx(file, zero, NULL, FILE_BEGIN));
    CHECK(SetEndOfFile(file));
    CHECK_EQ(size_of(file), 0);
    CloseHandle(file);
}

/* A record that says more than it holds, and none. */
TEST(records_that_are_too_short, "FILE-23 ERR-04")
{
    char record[sizeof(FILE_RENAME_INFO) + 600] = {0};
    FILE_RENAME_INFO *rename = (FILE_RENAME_INFO *)record;
    const char *to = temp_path();
    HANDLE file = CreateFileA(temp_content(10), GENERIC_WRITE | DELETE, 7, NULL, OPEN_EXISTING, 0, NULL);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    rename->FileNameLength = 0x7FFFFFFE;
    for (int i = 0; to[i]; i++)
        rename->FileName[i] = (WCHAR)to[i];
    TODO_WINE("Wine 8 believes the record")
        CHECK(!SetFileInformationByHandle(file, FileRenameInfo, rename, sizeof record));
    CHECK(!SetFileInformationByHandle(file, FileEndOfFileInfo, NULL, sizeof(FILE_END_OF_FILE_INFO)));
    CHECK(!SetFileInformationByHandle(file, FileEndOfFileInfo, record, sizeof(FILE_END_OF_FILE_INFO) - 1));
    CHECK_EQ(GetFileSize(file, NULL), 10);
    CloseHandle(file);
}

TEST(extended_part_reads_zeros, "FILE-23")
{
    static const char zeros[50];
    const char *path = temp_content(100);
    LARGE_INTEGER to = {.QuadPart = 10};
    HANDLE file = new_file(path, GENERIC_READ | GENERIC_WRITE, 0);
    CHECK(SetFilePointerEx(file, to, NULL, FILE_BEGIN));
    CHECK(SetEndOfFile(file));
    to.QuadPart = 60;
    CHECK(SetFilePointerEx(file, to, NULL, FILE_BEGIN));
    CHECK(SetEndOfFile(file));
    CHECK(holds(path, 10, zeros, 50)); /* nothing of the old contents shines through */
    to.QuadPart = 0x150000000;
    CHECK(SetFilePointerEx(file, to, NULL, FILE_BEGIN));
    CHECK(SetEndOfFile(file));
    CHECK_EQ(size_of(file), 0x150000000);
    CloseHandle(file);
}

TEST(flush, "FILE-22")
{
    const char *path = temp_path();
    DWORD bytes;
    HANDLE file = new_file(path, GENERIC_WRITE, 0);
    CHECK(FlushFileBuffers(file)); /* nothing to do */
    CHECK(WriteFile(file, "data", 4, &bytes, NULL));
    CHECK(FlushFileBuffers(file));
    CHECK(holds(path, 0, "data", 4));
    CloseHandle(file);
    file = new_file(path, GENERIC_WRITE, FILE_FLAG_OVERLAPPED);
    CHECK_EQ(write_at(file, "more", 4, 4, &bytes), 0);
    CHECK(FlushFileBuffers(file)); /* also on an overlapped handle it returns when done */
    CloseHandle(file);
    file = CreateFileA(path, GENERIC_WRITE, 0, NULL, OPEN_EXISTING, FILE_FLAG_WRITE_THROUGH, NULL);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    CHECK(WriteFile(file, "DATA", 4, &bytes, NULL));
    CloseHandle(file);
    CHECK(holds(path, 0, "DATAmore", 8));
}

/* ---- the three ways to hear of it ---- */

static DWORD routine_runs, routine_bytes, routine_error;
static void CALLBACK written(DWORD error, DWORD bytes, OVERLAPPED *ov)
{
    (void)ov;
    routine_runs++;
    routine_bytes = bytes;
    routine_error = error;
}

TEST(unbuffered_write, "FILE-25")
{
    const char *path = temp_path();
    unsigned char *pages = VirtualAlloc(NULL, 8192, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    DWORD bytes;
    HANDLE file = new_file(path, GENERIC_READ | GENERIC_WRITE, FILE_FLAG_OVERLAPPED | FILE_FLAG_NO_BUFFERING);
    REQUIRE(file != INVALID_HANDLE_VALUE && pages != NULL);
    for (DWORD i = 0; i < 8192; i++)
        pages[i] = pattern(i);
    CHECK_EQ(write_at(file, pages, 8192, 0, &bytes), 0);
    CHECK_EQ(bytes, 8192);
    CHECK(holds(path, 4096, pages + 4096, 4096));
    TODO_WINE("Wine 8 writes through the cache") {
        CHECK_EQ(write_at(file, pages, 100, 8192, &bytes), ERROR_INVALID_PARAMETER);
        CHECK_EQ(write_at(file, pages, 4096, 100, &bytes), ERROR_INVALID_PARAMETER);
        CHECK_EQ(size_of(file), 8192);
    }
    OVERLAPPED ov = {.Offset = 4096};
    routine_runs = 0;
    CHECK(WriteFileEx(file, pages, 4096, &ov, written));
    CHECK_EQ(routine_runs, 0);
    while (!routine_runs)
        if (!CHECK_EQ(SleepEx(10000, TRUE), WAIT_IO_COMPLETION))
            break;
    CHECK_EQ(routine_error, 0);
    CHECK_EQ(routine_bytes, 4096);
    CHECK(holds(path, 4096, pages, 4096));
    VirtualFree(pages, 0, MEM_RELEASE);
    CloseHandle(file);
}

TEST(write_to_a_port, "FILE-01 PORT-06 FILE-11")
{
    enum { N = 32 };
    static char blocks[N][512];
    static OVERLAPPED ov[N];
    const char *path = temp_path();
    int seen[N] = {0};
    HANDLE file = new_file(path, GENERIC_WRITE, FILE_FLAG_OVERLAPPED);
    HANDLE port = CreateIoCompletionPort(file, NULL, 5, 0);
    REQUIRE(port != NULL);
    for (int i = 0; i < N; i++) {
        memset(blocks[i], i + 1, 512);
        ov[i] = append_ov();
        if (!WriteFile(file, blocks[i], 512, NULL, &ov[i]))
            CHECK_LASTERR(ERROR_IO_PENDING);
    }
    for (int i = 0; i < N; i++) {
        DWORD bytes = 0;
        ULONG_PTR key = 0;
        OVERLAPPED *got = NULL;
        if (!CHECK(GetQueuedCompletionStatus(port, &bytes, &key, &got, 10000)))
            break;
        CHECK_EQ(bytes, 512);
        CHECK_EQ(key, 5);
        if (CHECK(got >= ov && got < ov + N))
            CHECK_EQ(++seen[got - ov], 1);
    }
    CloseHandle(file);
    CloseHandle(port);
    check_blocks(path, N, 512);
}
