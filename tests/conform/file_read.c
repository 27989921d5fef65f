/* SPDX-License-Identifier: MIT */
/*
 * Reading files: overlapped and synchronous, what an OVERLAPPED means for each, the end of the file, reads
 * without buffering, the three ways to hear of completion, and the notification modes of a handle.
 */
#include "conform.h"

/* Starts a read at an offset: 0 when done at once, else the error (997 when it pends). */
static DWORD start_read(HANDLE file, void *buffer, DWORD size, ULONGLONG offset, OVERLAPPED *ov)
{
    ov->Offset = (DWORD)offset;
    ov->OffsetHigh = (DWORD)(offset >> 32);
    return ReadFile(file, buffer, size, NULL, ov) ? 0 : GetLastError();
}

/* The whole of an overlapped read: its error, and the bytes in *bytes. */
static DWORD read_at(HANDLE file, void *buffer, DWORD size, ULONGLONG offset, DWORD *bytes)
{
    OVERLAPPED ov = {.hEvent = manual_event()};
    DWORD error = start_read(file, buffer, size, offset, &ov);
    *bytes = 0;
    if (!error || error == ERROR_IO_PENDING)
        error = GetOverlappedResult(file, &ov, bytes, TRUE) ? 0 : GetLastError();
    CloseHandle(ov.hEvent);
    return error;
}

static int is_pattern(const unsigned char *data, ULONGLONG offset, DWORD size)
{
    for (DWORD i = 0; i < size; i++)
        if (data[i] != pattern(offset + i))
            return 0;
    return 1;
}

static ULONGLONG position(HANDLE file)
{
    LARGE_INTEGER zero = {.QuadPart = 0}, now = {.QuadPart = -1};
    CHECK(SetFilePointerEx(file, zero, &now, FILE_CURRENT));
    return (ULONGLONG)now.QuadPart;
}

/* ---- overlapped ---- */

TEST(many_reads_each_its_own, "FILE-01 OVL-13 FILE-02")
{
    enum { N = 100, SIZE = 512 };
    static unsigned char buffers[N][SIZE];
    OVERLAPPED ov[N];
    int order[N];
    HANDLE file = temp_file(N * SIZE, FILE_FLAG_OVERLAPPED);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    memset(ov, 0, sizeof ov);
    for (int i = 0; i < N; i++)
        order[i] = i;
    for (int i = N - 1; i > 0; i--) {
        int j = (int)rnd((unsigned)i + 1), t = order[i];
        order[i] = order[j];
        order[j] = t;
    }
    for (int i = 0; i < N; i++) {
        int n = order[i];
        ov[n].hEvent = manual_event();
        DWORD error = start_read(file, buffers[n], SIZE, (ULONGLONG)n * SIZE, &ov[n]);
        CHECK_MSG(error == 0 || error == ERROR_IO_PENDING, "read %d: error %u", n, (unsigned)error);
    }
    for (int i = 0; i < N; i++) {
        DWORD bytes = 0;
        CHECK_EQ(WaitForSingleObject(ov[i].hEvent, 10000), WAIT_OBJECT_0);
        CHECK(GetOverlappedResult(file, &ov[i], &bytes, FALSE));
        CHECK_EQ(bytes, SIZE);
        CHECK_MSG(is_pattern(buffers[i], (ULONGLONG)i * SIZE, SIZE), "read %d has other data", i);
        CHECK_EQ(ov[i].Offset, i * SIZE);
        CloseHandle(ov[i].hEvent);
    }
    CloseHandle(file);
}

/* On a stream, which can be made to wait: a read that pends does not hold up a write or another read. */
TEST(starting_does_not_wait, "FILE-01 FILE-09 OVL-01")
{
    SOCKET pair[2];
    char in[2][4] = {{0}}, out[4];
    OVERLAPPED r[2] = {{.hEvent = manual_event()}, {.hEvent = manual_event()}};
    OVERLAPPED w = {.hEvent = manual_event()};
    DWORD bytes = 77;
    REQUIRE(tcp_pair(pair));
    HANDLE h = (HANDLE)pair[0];
    for (int i = 0; i < 2; i++) {
        bytes = 77;
        CHECK_ERR(ReadFile(h, in[i], 4, &bytes, &r[i]), ERROR_IO_PENDING);
        CHECK_EQ(bytes, 0); /* zeroed before any work */
    }
    if (!WriteFile(h, "ping", 4, NULL, &w))
        CHECK_LASTERR(ERROR_IO_PENDING);
    CHECK(GetOverlappedResult(h, &w, &bytes, TRUE));
    CHECK_EQ(bytes, 4);
    CHECK_EQ(recv(pair[1], out, 4, 0), 4);
    CHECK_MEM(out, "ping", 4);
    CHECK(!HasOverlappedIoCompleted(&r[0]) && !HasOverlappedIoCompleted(&r[1]));
    CHECK(send_all(pair[1], "abcdefgh", 8));
    for (int i = 0; i < 2; i++) {
        CHECK(GetOverlappedResult(h, &r[i], &bytes, TRUE));
        CHECK_EQ(bytes, 4);
    }
    CHECK_MEM(in[0], "abcd", 4);
    CHECK_MEM(in[1], "efgh", 4);
    for (int i = 0; i < 2; i++)
        CloseHandle(r[i].hEvent);
    CloseHandle(w.hEvent);
    closesocket(pair[0]);
    closesocket(pair[1]);
}

TEST(no_file_pointer, "FILE-02 OVL-14")
{
    unsigned char a[64], b[64];
    DWORD bytes;
    LARGE_INTEGER away = {.QuadPart = 500};
    HANDLE file = temp_file(1000, FILE_FLAG_OVERLAPPED);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    for (int i = 0; i < 3; i++) { /* the same offset, the same bytes, however often */
        memset(a, 0, sizeof a);
        CHECK_EQ(read_at(file, a, 64, 100, &bytes), 0);
        CHECK_EQ(bytes, 64);
        CHECK(is_pattern(a, 100, 64));
    }
    SetFilePointerEx(file, away, NULL, FILE_BEGIN); /* of no consequence */
    CHECK_EQ(read_at(file, b, 64, 0, &bytes), 0);
    CHECK(is_pattern(b, 0, 64));
    OVERLAPPED ov = {.Offset = 200, .hEvent = manual_event()};
    for (int i = 0; i < 2; i++) {
        if (!ReadFile(file, a, 64, NULL, &ov))
            CHECK_LASTERR(ERROR_IO_PENDING);
        CHECK(GetOverlappedResult(file, &ov, &bytes, TRUE));
        CHECK_EQ(ov.Offset, 200); /* not moved on */
        CHECK_EQ(ov.OffsetHigh, 0);
        CHECK(is_pattern(a, 200, 64));
    }
    CloseHandle(ov.hEvent);
    CloseHandle(file);
}

TEST(overlapped_needs_an_overlapped, "FILE-08 FILE-09")
{
    unsigned char buffer[8];
    DWORD bytes = 77;
    HANDLE file = temp_file(100, FILE_FLAG_OVERLAPPED);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    CHECK_ERR(ReadFile(file, buffer, 8, &bytes, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(bytes, 0);
    CHECK_ERR(WriteFile(file, "x", 1, &bytes, NULL), ERROR_INVALID_PARAMETER);
    CHECK_EQ(GetFileSize(file, NULL), 100);
    CloseHandle(file);
}

TEST(byte_count, "FILE-09")
{
    unsigned char buffer[8];
    DWORD bytes = 77;
    OVERLAPPED ov = {.Offset = 10};
    HANDLE file = temp_file(100, 0);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    CHECK(ReadFile(file, buffer, 8, NULL, &ov)); /* may be NULL with an OVERLAPPED */
    CHECK(is_pattern(buffer, 10, 8));
    CHECK_EQ(ov.InternalHigh, 8);
    CloseHandle(file);
    CHECK_ERR(ReadFile(file, buffer, 8, &bytes, NULL), ERROR_INVALID_HANDLE);
    file = CreateFileA(temp_content(10), GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    bytes = 77;
    CHECK_ERR(ReadFile(file, buffer, 8, &bytes, NULL), ERROR_ACCESS_DENIED);
    CHECK_EQ(bytes, 0);
    CloseHandle(file);
}

TEST(no_such_buffer, "FILE-09 FILE-04")
{
    DWORD bytes = 77;
    HANDLE file = temp_file(100, 0);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    CHECK_ERR(ReadFile(file, NULL, 10, &bytes, NULL), ERROR_NOACCESS);
    CHECK_EQ(bytes, 0);
    CHECK_EQ(position(file), 0);
    CloseHandle(file);
    file = temp_file(100, FILE_FLAG_OVERLAPPED);
    CHECK_EQ(read_at(file, NULL, 10, 0, &bytes), ERROR_NOACCESS);
    CHECK_EQ(bytes, 0);
    CloseHandle(file);
}

/* ---- the end of the file ---- */

TEST(overlapped_end_of_file, "FILE-05 FILE-07")
{
    unsigned char buffer[64];
    DWORD bytes = 77;
    HANDLE file = temp_file(1000, FILE_FLAG_OVERLAPPED);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    CHECK_EQ(read_at(file, buffer, 64, 1000, &bytes), ERROR_HANDLE_EOF);
    CHECK_EQ(bytes, 0);
    CHECK_EQ(ERROR_HANDLE_EOF, 38);
    CHECK_EQ(read_at(file, buffer, 64, 5000, &bytes), ERROR_HANDLE_EOF);
    CHECK_EQ(read_at(file, buffer, 64, (ULONGLONG)7 << 32, &bytes), ERROR_HANDLE_EOF);
    memset(buffer, 0xEE, sizeof buffer);
    CHECK_EQ(read_at(file, buffer, 64, 970, &bytes), 0); /* crosses the end: what there is */
    CHECK_EQ(bytes, 30);
    CHECK(is_pattern(buffer, 970, 30));
    CHECK_EQ(buffer[30], 0xEE);
    CHECK_EQ(read_at(file, buffer, 64, 936, &bytes), 0); /* ends at the end */
    CHECK_EQ(bytes, 64);
    CHECK_EQ(read_at(file, buffer, 64, 999, &bytes), 0);
    CHECK_EQ(bytes, 1);
    CloseHandle(file);
    file = temp_file(0, FILE_FLAG_OVERLAPPED);
    CHECK_EQ(read_at(file, buffer, 64, 0, &bytes), ERROR_HANDLE_EOF);
    CloseHandle(file);
}

TEST(end_of_file_at_a_port, "FILE-05 FILE-07 PORT-07")
{
    unsigned char buffer[64];
    OVERLAPPED ov = {0}, *got;
    DWORD bytes;
    ULONG_PTR key;
    HANDLE file = temp_file(1000, FILE_FLAG_OVERLAPPED);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    HANDLE port = CreateIoCompletionPort(file, NULL, 42, 1);
    REQUIRE(port != NULL);
    DWORD error = start_read(file, buffer, 64, 1000, &ov);
    if (error == ERROR_IO_PENDING) { /* told at completion, by one packet */
        CHECK_ERR(GetQueuedCompletionStatus(port, &bytes, &key, &got, 10000), ERROR_HANDLE_EOF);
        CHECK(got == &ov);
        CHECK_EQ(key, 42);
        CHECK_EQ(bytes, 0);
    } else
        CHECK_EQ(error, ERROR_HANDLE_EOF); /* told by the call, without a packet */
    CHECK_ERR(GetQueuedCompletionStatus(port, &bytes, &key, &got, 20), WAIT_TIMEOUT);
    CHECK(got == NULL);
    error = start_read(file, buffer, 64, 990, &ov);
    CHECK(error == 0 || error == ERROR_IO_PENDING);
    CHECK(GetQueuedCompletionStatus(port, &bytes, &key, &got, 10000));
    CHECK_EQ(bytes, 10);
    CHECK(got == &ov);
    CloseHandle(file);
    CloseHandle(port);
}

TEST(end_of_file_and_the_event, "FILE-05 OVL-08")
{
    unsigned char buffer[64];
    DWORD bytes;
    OVERLAPPED ov = {.hEvent = manual_event()};
    HANDLE file = temp_file(100, FILE_FLAG_OVERLAPPED);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    DWORD error = start_read(file, buffer, 64, 100, &ov);
    if (error == ERROR_IO_PENDING) {
        CHECK_EQ(WaitForSingleObject(ov.hEvent, 10000), WAIT_OBJECT_0);
        CHECK_ERR(GetOverlappedResult(file, &ov, &bytes, FALSE), ERROR_HANDLE_EOF);
        CHECK_EQ(bytes, 0);
    } else
        CHECK_EQ(error, ERROR_HANDLE_EOF);
    CloseHandle(ov.hEvent);
    CloseHandle(file);
}

TEST(synchronous_end_of_file, "FILE-06 FILE-04 FILE-07")
{
    unsigned char buffer[64];
    DWORD bytes = 77;
    OVERLAPPED ov = {.Offset = 100};
    LARGE_INTEGER away = {.QuadPart = 400};
    HANDLE file = temp_file(100, 0);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    CHECK(ReadFile(file, buffer, 64, &bytes, NULL));
    CHECK_EQ(bytes, 64);
    CHECK(ReadFile(file, buffer, 64, &bytes, NULL));
    CHECK_EQ(bytes, 36);
    CHECK(is_pattern(buffer, 64, 36));
    for (int i = 0; i < 2; i++) {
        bytes = 77;
        CHECK(ReadFile(file, buffer, 64, &bytes, NULL));
        CHECK_EQ(bytes, 0);
    }
    CHECK(SetFilePointerEx(file, away, NULL, FILE_BEGIN));
    bytes = 77;
    CHECK(ReadFile(file, buffer, 64, &bytes, NULL)); /* past the end is the end, too */
    CHECK_EQ(bytes, 0);
    bytes = 77;
    CHECK_ERR(ReadFile(file, buffer, 64, &bytes, &ov), ERROR_HANDLE_EOF); /* with one it is an error */
    CHECK_EQ(bytes, 0);
    CloseHandle(file);
}

/* ---- synchronous ---- */

TEST(file_pointer_of_32_bits, "FILE-03 FILE-12")
{
    LONG high = 1;
    LARGE_INTEGER zero = {.QuadPart = 0};
    HANDLE file = temp_file(100, 0);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    CHECK_EQ(SetFilePointer(file, 0x10, &high, FILE_BEGIN), 0x10);
    CHECK_EQ(high, 1);
    CHECK_EQ(position(file), 0x100000010u);
    high = -1;
    CHECK_EQ(SetFilePointer(file, -0x20, &high, FILE_CURRENT), 0xFFFFFFF0u); /* a distance of 64 bits */
    CHECK_EQ(high, 0);
    CHECK_EQ(position(file), 0xFFFFFFF0u);
    CHECK_EQ(SetFilePointer(file, -0x10, NULL, FILE_CURRENT), 0xFFFFFFE0u); /* of 32, with its sign */
    CHECK(SetFilePointerEx(file, zero, NULL, FILE_BEGIN));
    SetLastError(0);
    CHECK_EQ(SetFilePointer(file, -1, NULL, FILE_CURRENT), INVALID_SET_FILE_POINTER);
    CHECK_LASTERR(ERROR_NEGATIVE_SEEK);
    SetLastError(0);
    CHECK_EQ(SetFilePointer(file, -1, NULL, FILE_BEGIN), INVALID_SET_FILE_POINTER); /* signed here, too */
    CHECK_LASTERR(ERROR_NEGATIVE_SEEK);
    high = 0;
    SetLastError(0xDEADBEEF); /* a value that looks like the failure: the last error tells */
    CHECK_EQ(SetFilePointer(file, -1, &high, FILE_BEGIN), INVALID_SET_FILE_POINTER);
    CHECK_LASTERR(0);
    CHECK_EQ(position(file), 0xFFFFFFFFu);
    CloseHandle(file);
}

TEST(file_pointer_moves, "FILE-03")
{
    unsigned char buffer[64];
    DWORD bytes;
    LARGE_INTEGER to = {.QuadPart = 300}, back = {.QuadPart = -50}, now;
    HANDLE file = temp_file(1000, 0);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    CHECK_EQ(position(file), 0);
    for (DWORD at = 0; at < 250; at += 50) {
        CHECK_EQ(position(file), at);
        CHECK(ReadFile(file, buffer, 50, &bytes, NULL));
        CHECK_EQ(bytes, 50);
        CHECK(is_pattern(buffer, at, 50));
    }
    CHECK(SetFilePointerEx(file, to, &now, FILE_BEGIN));
    CHECK_EQ(now.QuadPart, 300);
    CHECK(ReadFile(file, buffer, 10, &bytes, NULL));
    CHECK(is_pattern(buffer, 300, 10));
    CHECK(SetFilePointerEx(file, back, &now, FILE_CURRENT));
    CHECK_EQ(now.QuadPart, 260);
    CHECK(SetFilePointerEx(file, back, &now, FILE_END));
    CHECK_EQ(now.QuadPart, 950);
    CHECK(ReadFile(file, buffer, 64, &bytes, NULL));
    CHECK_EQ(bytes, 50); /* advanced by the bytes moved, not by those asked for */
    CHECK_EQ(position(file), 1000);
    CHECK_ERR(SetFilePointerEx(file, back, &now, FILE_BEGIN), ERROR_NEGATIVE_SEEK);
    CHECK_EQ(position(file), 1000);
    CHECK(ReadFile(file, buffer, 0, &bytes, NULL));
    CHECK_EQ(bytes, 0);
    CloseHandle(file);
}

/* Without room for the upper half the new place must fit in 32 bits; if not, nothing moves. */
TEST(file_pointer_that_does_not_fit, "")
{
    LARGE_INTEGER far_away = {.QuadPart = 0xFFFFFFE0}, five_gigabytes = {.QuadPart = 0x140000000};
    HANDLE file = temp_file(100, 0);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    CHECK(SetFilePointerEx(file, far_away, NULL, FILE_BEGIN));
    TODO_WINE("Wine 8 cuts the place to 32 bits") {
        SetLastError(0);
        CHECK_EQ(SetFilePointer(file, 0x100, NULL, FILE_CURRENT), INVALID_SET_FILE_POINTER);
        CHECK_LASTERR(ERROR_INVALID_PARAMETER);
        CHECK_EQ(position(file), 0xFFFFFFE0u);
        CHECK(SetFilePointerEx(file, five_gigabytes, NULL, FILE_BEGIN));
        SetLastError(0);
        CHECK_EQ(SetFilePointer(file, 0, NULL, FILE_CURRENT), INVALID_SET_FILE_POINTER);
        CHECK_LASTERR(ERROR_INVALID_PARAMETER);
    }
    CloseHandle(file);
}

enum { RECORDS = 400, RECORD = 16 };

struct sharer {
    HANDLE file;
    struct meeting *start;
    volatile LONG *taken; /* per record */
    LONG wrong, ended;
};

THREAD_FN(reads_records)
{
    struct sharer *s = arg;
    unsigned char data[RECORD];
    DWORD bytes;
    meet(s->start);
    for (int i = 0; i <= RECORDS; i++) {
        DWORD index;
        if (!ReadFile(s->file, data, RECORD, &bytes, NULL)) {
            s->wrong++;
            break;
        }
        if (bytes == 0) {
            s->ended = 1;
            break;
        }
        memcpy(&index, data, sizeof index);
        if (bytes != RECORD || index >= RECORDS)
            s->wrong++;
        else
            InterlockedIncrement(&s->taken[index]);
    }
    return 0;
}

TEST(pointer_shared_by_threads, "FILE-03 FILE-06")
{
    const char *path = temp_path();
    static volatile LONG taken[RECORDS];
    struct meeting start = {.need = 3};
    struct sharer s[3];
    HANDLE threads[3];
    DWORD bytes;
    int wrong = 0;
    HANDLE file = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, CREATE_NEW, 0, NULL);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    for (DWORD i = 0; i < RECORDS; i++) {
        DWORD record[RECORD / 4] = {i, i, i, i};
        CHECK(WriteFile(file, record, RECORD, &bytes, NULL));
    }
    CHECK_EQ(SetFilePointer(file, 0, NULL, FILE_BEGIN), 0);
    for (int i = 0; i < 3; i++) {
        s[i] = (struct sharer){file, &start, taken, 0, 0};
        threads[i] = start_thread(reads_records, &s[i]);
    }
    for (int i = 0; i < 3; i++) {
        JOIN(threads[i]);
        CHECK_EQ(s[i].wrong, 0);
        CHECK_EQ(s[i].ended, 1);
    }
    for (int i = 0; i < RECORDS; i++)
        wrong += taken[i] != 1; /* reading and moving on are one: none twice, none left out */
    CHECK_EQ(wrong, 0);
    CloseHandle(file);
}

TEST(synchronous_with_overlapped, "FILE-04 FILE-03")
{
    unsigned char buffer[64];
    DWORD bytes = 0;
    OVERLAPPED ov = {.Offset = 400, .hEvent = manual_event()};
    LARGE_INTEGER to = {.QuadPart = 10};
    HANDLE file = temp_file(1000, 0);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    CHECK(SetFilePointerEx(file, to, NULL, FILE_BEGIN));
    SetLastError(0);
    CHECK(ReadFile(file, buffer, 64, &bytes, &ov)); /* done when it returns */
    CHECK_EQ(bytes, 64);
    CHECK(is_pattern(buffer, 400, 64));
    CHECK_EQ(ov.Internal, 0);
    CHECK_EQ(ov.InternalHigh, 64);
    CHECK_EQ(ov.Offset, 400);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 0), WAIT_OBJECT_0);
    CHECK_EQ(position(file), 464); /* the file pointer follows */
    CHECK(ReadFile(file, buffer, 6, &bytes, NULL));
    CHECK(is_pattern(buffer, 464, 6));
    bytes = 0;
    CHECK(GetOverlappedResult(file, &ov, &bytes, FALSE));
    CHECK_EQ(bytes, 64);
    for (int i = 0; i < 50; i++) { /* never 997 */
        ov.Offset = (DWORD)(i * 17);
        if (!CHECK(ReadFile(file, buffer, 64, &bytes, &ov)) || !CHECK(is_pattern(buffer, i * 17, 64)))
            break;
    }
    CloseHandle(ov.hEvent);
    CloseHandle(file);
}

/* ---- far offsets ---- */

TEST(beyond_four_gigabytes, "FILE-12 FILE-05")
{
    static const ULONGLONG places[] = {0x100000000u, 0x140000010u, 0xFFFFFFF8u};
    unsigned char buffer[16];
    DWORD bytes;
    HANDLE file = CreateFileA(temp_path(), GENERIC_READ | GENERIC_WRITE, 0, NULL, CREATE_NEW,
                              FILE_FLAG_OVERLAPPED, NULL);
    REQUIRE(file != INVALID_HANDLE_VALUE);
#ifdef FSCTL_SET_SPARSE
    DeviceIoControl(file, FSCTL_SET_SPARSE, NULL, 0, NULL, 0, &bytes, NULL); /* saves gigabytes of zeros */
#endif
    for (int i = 0; i < 3; i++) {
        OVERLAPPED ov = {.Offset = (DWORD)places[i], .OffsetHigh = (DWORD)(places[i] >> 32)};
        char text[17];
        snprintf(text, sizeof text, "%016llx", places[i]);
        ov.hEvent = manual_event();
        if (!WriteFile(file, text, 16, NULL, &ov))
            CHECK_LASTERR(ERROR_IO_PENDING);
        CHECK(GetOverlappedResult(file, &ov, &bytes, TRUE));
        CHECK_EQ(bytes, 16);
        CloseHandle(ov.hEvent);
    }
    LARGE_INTEGER size;
    CHECK(GetFileSizeEx(file, &size));
    CHECK_EQ(size.QuadPart, 0x140000020u);
    CHECK_EQ(read_at(file, buffer, 16, 0x140000010u, &bytes), 0);
    CHECK_MEM(buffer, "0000000140000010", 16);
    CHECK_EQ(read_at(file, buffer, 16, 0xFFFFFFF8u, &bytes), 0); /* across the 32-bit border; came last */
    CHECK_MEM(buffer, "00000000fffffff8", 16);
    CHECK_EQ(read_at(file, buffer, 8, 0x100000008u, &bytes), 0);
    CHECK_MEM(buffer, "00000000", 8); /* the second half of what stands at 4 GiB */
    CHECK_EQ(read_at(file, buffer, 16, 0x40000010u, &bytes), 0);
    CHECK_MEM(buffer, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16); /* nothing at the lower 32 bits alone */
    CHECK_EQ(read_at(file, buffer, 16, 0, &bytes), 0);
    CHECK_MEM(buffer, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    CHECK_EQ(read_at(file, buffer, 16, 0x140000020u, &bytes), ERROR_HANDLE_EOF);
    CloseHandle(file);
}

TEST(no_such_offset, "FILE-12 FILE-02")
{
    unsigned char buffer[8];
    DWORD bytes;
    HANDLE file = temp_file(100, FILE_FLAG_OVERLAPPED);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    /* The sign that means "at the end" for a write means nothing for a read. */
    CHECK_EQ(read_at(file, buffer, 8, ~(ULONGLONG)0, &bytes), ERROR_INVALID_PARAMETER);
    CHECK_EQ(bytes, 0);
    CHECK_EQ(read_at(file, buffer, 8, (ULONGLONG)1 << 63, &bytes), ERROR_INVALID_PARAMETER);
    CHECK_EQ(read_at(file, buffer, 8, 0, &bytes), 0);
    CloseHandle(file);
}

/* ---- without buffering ---- */

#define PAGE 4096u

/* A file of `pages` pattern pages, opened for unbuffered overlapped reading. */
static HANDLE direct_file(DWORD pages)
{
    HANDLE file = CreateFileA(temp_content(pages * PAGE), GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ, NULL,
                              OPEN_EXISTING, FILE_FLAG_OVERLAPPED | FILE_FLAG_NO_BUFFERING, NULL);
    CHECK(file != INVALID_HANDLE_VALUE);
    return file;
}

TEST(unbuffered_wants_whole_sectors, "FILE-25")
{
    DWORD bytes;
    HANDLE file = direct_file(4);
    unsigned char *pages = VirtualAlloc(NULL, 4 * PAGE, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    REQUIRE(file != INVALID_HANDLE_VALUE && pages != NULL);
    CHECK_EQ(read_at(file, pages, PAGE, PAGE, &bytes), 0);
    CHECK_EQ(bytes, PAGE);
    CHECK(is_pattern(pages, PAGE, PAGE));
    TODO_WINE("Wine 8 reads through the cache") {
        CHECK_EQ(read_at(file, pages, 100, 0, &bytes), ERROR_INVALID_PARAMETER);
        CHECK_EQ(read_at(file, pages, PAGE + 1, 0, &bytes), ERROR_INVALID_PARAMETER);
        CHECK_EQ(read_at(file, pages, PAGE, 100, &bytes), ERROR_INVALID_PARAMETER);
        CHECK_EQ(read_at(file, pages, PAGE, 1, &bytes), ERROR_INVALID_PARAMETER);
    }
    CHECK_EQ(read_at(file, pages, 2 * PAGE, 3 * PAGE, &bytes), 0); /* crosses the end */
    CHECK_EQ(bytes, PAGE);
    CHECK(is_pattern(pages, 3 * PAGE, PAGE));
    CHECK_EQ(read_at(file, pages, PAGE, 4 * PAGE, &bytes), ERROR_HANDLE_EOF);
    VirtualFree(pages, 0, MEM_RELEASE);
    CloseHandle(file);
}

TEST(unbuffered_pointer_stops_at_sectors, "FILE-25")
{
    DWORD bytes;
    LARGE_INTEGER between = {.QuadPart = 100}, page = {.QuadPart = PAGE}, zero = {.QuadPart = 0};
    HANDLE file = CreateFileA(temp_content(2 * PAGE), GENERIC_READ, 0, NULL, OPEN_EXISTING,
                              FILE_FLAG_NO_BUFFERING, NULL);
    unsigned char *pages = VirtualAlloc(NULL, PAGE, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    REQUIRE(file != INVALID_HANDLE_VALUE && pages != NULL);
    CHECK(SetFilePointerEx(file, page, NULL, FILE_BEGIN));
    TODO_WINE("Wine 8 takes any place") {
        CHECK_ERR(SetFilePointerEx(file, between, NULL, FILE_CURRENT), ERROR_INVALID_PARAMETER);
        CHECK_EQ(position(file), PAGE);
        CHECK_ERR(ReadFile(file, pages, 100, &bytes, NULL), ERROR_INVALID_PARAMETER);
    }
    CHECK(SetFilePointerEx(file, page, NULL, FILE_BEGIN));
    CHECK(ReadFile(file, pages, PAGE, &bytes, NULL));
    CHECK_EQ(bytes, PAGE);
    CHECK(is_pattern(pages, PAGE, PAGE));
    CHECK(ReadFile(file, pages, PAGE, &bytes, NULL)); /* at the end */
    CHECK_EQ(bytes, 0);
    CHECK(SetFilePointerEx(file, zero, NULL, FILE_END));
    CHECK_EQ(position(file), 2 * PAGE);
    VirtualFree(pages, 0, MEM_RELEASE);
    CloseHandle(file);
}

/* The three ways in which the answers of a batch of unbuffered reads come in. */
enum { BATCH = 64 };

static void CALLBACK batch_routine(DWORD error, DWORD bytes, OVERLAPPED *ov)
{
    if (!error && bytes == PAGE)
        ++*(int *)ov->hEvent; /* ours to use, APC-13 */
}

static void check_pages(unsigned char *pages, const OVERLAPPED *ov, int count)
{
    int wrong = 0;
    for (int i = 0; i < count; i++) {
        wrong += !is_pattern(pages + (size_t)i * PAGE, (ULONGLONG)i * PAGE, PAGE);
        CHECK_EQ(ov[i].Internal, 0);
        CHECK_EQ(ov[i].InternalHigh, PAGE);
    }
    CHECK_EQ(wrong, 0);
}

TEST(unbuffered_batch_by_event, "FILE-01 OVL-05 OVL-13")
{
    OVERLAPPED ov[BATCH];
    HANDLE file = direct_file(BATCH), events[BATCH];
    unsigned char *pages = VirtualAlloc(NULL, BATCH * PAGE, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    REQUIRE(file != INVALID_HANDLE_VALUE && pages != NULL);
    memset(ov, 0, sizeof ov);
    for (int i = BATCH - 1; i >= 0; i--) {
        ov[i].hEvent = events[i] = manual_event();
        DWORD error = start_read(file, pages + (size_t)i * PAGE, PAGE, (ULONGLONG)i * PAGE, &ov[i]);
        CHECK(error == 0 || error == ERROR_IO_PENDING);
    }
    CHECK_EQ(WaitForMultipleObjects(BATCH, events, TRUE, 10000), WAIT_OBJECT_0);
    check_pages(pages, ov, BATCH);
    for (int i = 0; i < BATCH; i++)
        CloseHandle(events[i]);
    VirtualFree(pages, 0, MEM_RELEASE);
    CloseHandle(file);
}

TEST(unbuffered_batch_by_routine, "FILE-01 APC-11 APC-13")
{
    OVERLAPPED ov[BATCH];
    int done = 0;
    HANDLE file = direct_file(BATCH);
    unsigned char *pages = VirtualAlloc(NULL, BATCH * PAGE, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    REQUIRE(file != INVALID_HANDLE_VALUE && pages != NULL);
    memset(ov, 0, sizeof ov);
    for (int i = 0; i < BATCH; i++) {
        ov[i].hEvent = &done;
        ov[i].Offset = (DWORD)i * PAGE;
        CHECK(ReadFileEx(file, pages + (size_t)i * PAGE, PAGE, &ov[i], batch_routine));
    }
    CHECK_EQ(done, 0);
    while (done < BATCH)
        if (!CHECK_EQ(SleepEx(10000, TRUE), WAIT_IO_COMPLETION))
            break;
    CHECK_EQ(done, BATCH);
    CHECK_EQ(SleepEx(0, TRUE), 0);
    check_pages(pages, ov, BATCH);
    VirtualFree(pages, 0, MEM_RELEASE);
    CloseHandle(file);
}

TEST(unbuffered_batch_by_port, "FILE-01 PORT-06")
{
    OVERLAPPED ov[BATCH];
    OVERLAPPED_ENTRY entries[16];
    int seen[BATCH] = {0}, total = 0, wrong = 0;
    HANDLE file = direct_file(BATCH), port = CreateIoCompletionPort(file, NULL, 0xABCDEF, 0);
    unsigned char *pages = VirtualAlloc(NULL, BATCH * PAGE, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    REQUIRE(file != INVALID_HANDLE_VALUE && pages != NULL && port != NULL);
    memset(ov, 0, sizeof ov);
    for (int i = 0; i < BATCH; i++) {
        DWORD error = start_read(file, pages + (size_t)i * PAGE, PAGE, (ULONGLONG)i * PAGE, &ov[i]);
        CHECK(error == 0 || error == ERROR_IO_PENDING);
    }
    while (total < BATCH) {
        ULONG count = 0;
        if (!CHECK(GetQueuedCompletionStatusEx(port, entries, 16, &count, 10000, FALSE)))
            break;
        CHECK(count >= 1 && count <= 16);
        for (ULONG i = 0; i < count; i++) {
            ptrdiff_t n = entries[i].lpOverlapped - ov;
            if (CHECK(n >= 0 && n < BATCH))
                seen[n]++;
            wrong += entries[i].lpCompletionKey != 0xABCDEF || entries[i].dwNumberOfBytesTransferred != PAGE;
        }
        total += (int)count;
    }
    CHECK_EQ(total, BATCH);
    CHECK_EQ(wrong, 0);
    for (int i = 0; i < BATCH; i++)
        CHECK_EQ(seen[i], 1);
    check_pages(pages, ov, BATCH);
    VirtualFree(pages, 0, MEM_RELEASE);
    CloseHandle(file);
    CloseHandle(port);
}

struct hammer {
    HANDLE file;
    unsigned seed;
    LONG wrong;
};

THREAD_FN(reads_at_random)
{
    struct hammer *h = arg;
    enum { SLOTS = 8, SIZE = 256 };
    unsigned char buffers[SLOTS][SIZE];
    OVERLAPPED ov[SLOTS];
    DWORD bytes;
    memset(ov, 0, sizeof ov);
    for (int i = 0; i < SLOTS; i++)
        ov[i].hEvent = auto_event();
    for (int round = 0; round < (conform_wine ? 20 : 150); round++) {
        for (int i = 0; i < SLOTS; i++) {
            h->seed = h->seed * 1103515245 + 12345;
            DWORD error = start_read(h->file, buffers[i], SIZE, (h->seed >> 8) % 60000, &ov[i]);
            h->wrong += error && error != ERROR_IO_PENDING;
        }
        for (int i = 0; i < SLOTS; i++)
            if (!GetOverlappedResult(h->file, &ov[i], &bytes, TRUE) || bytes != SIZE ||
                !is_pattern(buffers[i], ov[i].Offset, SIZE))
                h->wrong++;
    }
    for (int i = 0; i < SLOTS; i++)
        CloseHandle(ov[i].hEvent);
    return 0;
}

TEST(many_threads_one_handle, "FILE-01 FILE-02 OVL-13")
{
    struct hammer h[4];
    HANDLE threads[4], file = temp_file(60256, FILE_FLAG_OVERLAPPED);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    for (int i = 0; i < 4; i++) {
        h[i] = (struct hammer){file, rnd(1u << 30), 0};
        threads[i] = start_thread(reads_at_random, &h[i]);
    }
    for (int i = 0; i < 4; i++) {
        JOIN(threads[i]);
        CHECK_EQ(h[i].wrong, 0);
    }
    CloseHandle(file);
}

/* ---- notification modes ---- */

/* How many packets of this OVERLAPPED are at the port (others count as -100). */
static int packets(HANDLE port, OVERLAPPED *ov, DWORD timeout)
{
    DWORD bytes;
    ULONG_PTR key;
    OVERLAPPED *got = NULL;
    int count = 0;
    while (GetQueuedCompletionStatus(port, &bytes, &key, &got, timeout) || got) {
        count += got == ov ? 1 : -100;
        timeout = 0;
    }
    return count;
}

/* Sends a byte and waits until it can be received without waiting. */
static void make_ready(SOCKET from, SOCKET to)
{
    u_long waiting = 0;
    CHECK_EQ(send(from, "x", 1, 0), 1);
    CHECK(WITHIN(20000, !ioctlsocket(to, FIONREAD, &waiting) && waiting > 0));
}

TEST(skip_port_on_success, "FILE-14")
{
    SOCKET pair[2];
    char byte;
    OVERLAPPED ov = {0};
    REQUIRE(tcp_pair(pair));
    HANDLE port = CreateIoCompletionPort((HANDLE)pair[0], NULL, 1, 0);
    make_ready(pair[1], pair[0]);
    CHECK_EQ(start_recv(pair[0], &byte, 1, &ov), 0);
    CHECK_EQ(packets(port, &ov, 20000), 1); /* without the mode: a packet although it succeeded at once */
    CHECK(SetFileCompletionNotificationModes((HANDLE)pair[0], FILE_SKIP_COMPLETION_PORT_ON_SUCCESS));
    CHECK_EQ(FILE_SKIP_COMPLETION_PORT_ON_SUCCESS, 1);
    for (int i = 0; i < 20; i++) {
        make_ready(pair[1], pair[0]);
        CHECK_EQ(start_recv(pair[0], &byte, 1, &ov), 0);
        CHECK_EQ(ov.InternalHigh, 1);
        CHECK_EQ(packets(port, &ov, 2), 0);
    }
    CHECK_EQ(start_recv(pair[0], &byte, 1, &ov), WSA_IO_PENDING);
    CHECK_EQ(send(pair[1], "y", 1, 0), 1);
    CHECK_EQ(packets(port, &ov, 20000), 1); /* it pended, so it queues one */
    CHECK_EQ(byte, 'y');
    CHECK_EQ(start_recv(pair[0], &byte, 1, &ov), WSA_IO_PENDING);
    CHECK(CancelIoEx((HANDLE)pair[0], &ov));
    CHECK_EQ(packets(port, &ov, 20000), 1); /* a failure after pending, too */
    closesocket(pair[0]);
    closesocket(pair[1]);
    CloseHandle(port);
}

TEST(skip_port_on_success_of_files, "FILE-14 FILE-05")
{
    unsigned char buffer[64];
    OVERLAPPED ov = {0};
    HANDLE file = temp_file(1000, FILE_FLAG_OVERLAPPED), port = CreateIoCompletionPort(file, NULL, 1, 0);
    REQUIRE(port != NULL);
    for (int mode = 0; mode < 2; mode++) {
        if (mode)
            CHECK(SetFileCompletionNotificationModes(file, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS));
        for (int i = 0; i < 20; i++) {
            DWORD error = start_read(file, buffer, 64, (ULONGLONG)i * 10, &ov);
            int want = error == 0 ? !mode : error == ERROR_IO_PENDING ? 1 : -1;
            if (!CHECK_EQ(packets(port, &ov, want ? 20000 : 2), want))
                break;
            CHECK(is_pattern(buffer, (ULONGLONG)i * 10, 64));
        }
        DWORD error = start_read(file, buffer, 64, 1000, &ov);
        CHECK_EQ(packets(port, &ov, error == ERROR_IO_PENDING ? 20000 : 5), error == ERROR_IO_PENDING);
    }
    CloseHandle(file);
    CloseHandle(port);
}

TEST(skip_event_on_handle, "FILE-15 OVL-11")
{
    for (int mode = 0; mode < 2; mode++) {
        SOCKET pair[2];
        char byte;
        DWORD bytes = 0;
        OVERLAPPED ov = {0}, with_event = {.hEvent = manual_event()};
        REQUIRE(tcp_pair(pair));
        HANDLE h = (HANDLE)pair[0];
        if (mode)
            CHECK(SetFileCompletionNotificationModes(h, FILE_SKIP_SET_EVENT_ON_HANDLE));
        CHECK_EQ(FILE_SKIP_SET_EVENT_ON_HANDLE, 2);
        CHECK_EQ(start_recv(pair[0], &byte, 1, &ov), WSA_IO_PENDING);
        CHECK_EQ(WaitForSingleObject(h, 0), WAIT_TIMEOUT);
        CHECK_EQ(send(pair[1], "x", 1, 0), 1);
        CHECK(WITHIN(20000, HasOverlappedIoCompleted(&ov)));
        CHECK_EQ(WaitForSingleObject(h, mode ? 20 : 20000), mode ? WAIT_TIMEOUT : WAIT_OBJECT_0);
        CHECK(GetOverlappedResult(h, &ov, &bytes, FALSE));
        CHECK_EQ(bytes, 1);
        CHECK_EQ(start_recv(pair[0], &byte, 1, &with_event), WSA_IO_PENDING);
        CHECK_EQ(WaitForSingleObject(with_event.hEvent, 0), WAIT_TIMEOUT);
        CHECK_EQ(send(pair[1], "y", 1, 0), 1);
        CHECK_EQ(WaitForSingleObject(with_event.hEvent, 20000), WAIT_OBJECT_0); /* in either mode */
        CHECK_EQ(byte, 'y');
        closesocket(pair[0]);
        closesocket(pair[1]);
        CloseHandle(with_event.hEvent);
    }
}

TEST(modes_add_up, "FILE-16 FILE-14 FILE-15")
{
    SOCKET pair[2];
    char byte;
    OVERLAPPED ov = {0};
    REQUIRE(tcp_pair(pair));
    HANDLE h = (HANDLE)pair[0], port = CreateIoCompletionPort(h, NULL, 1, 0);
    CHECK(SetFileCompletionNotificationModes(h, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS));
    CHECK(SetFileCompletionNotificationModes(h, FILE_SKIP_SET_EVENT_ON_HANDLE)); /* adds the second */
    CHECK(SetFileCompletionNotificationModes(h, 0));                             /* takes none away */
    make_ready(pair[1], pair[0]);
    CHECK_EQ(start_recv(pair[0], &byte, 1, &ov), 0);
    CHECK_EQ(packets(port, &ov, 5), 0);
    CHECK_EQ(start_recv(pair[0], &byte, 1, &ov), WSA_IO_PENDING);
    CHECK_EQ(send(pair[1], "x", 1, 0), 1);
    CHECK_EQ(packets(port, &ov, 20000), 1);
    CHECK_EQ(WaitForSingleObject(h, 10), WAIT_TIMEOUT);
    CHECK_ERR(SetFileCompletionNotificationModes(NULL, 1), ERROR_INVALID_HANDLE);
    HANDLE synchronous = temp_file(10, 0); /* nothing of it ever goes to a port */
    CHECK_ERR(SetFileCompletionNotificationModes(synchronous, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS),
              ERROR_INVALID_PARAMETER);
    CloseHandle(synchronous);
    closesocket(pair[0]);
    closesocket(pair[1]);
    CloseHandle(port);
}
