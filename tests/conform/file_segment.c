/* SPDX-License-Identifier: MIT */
/*
 * Pages that lie apart (ReadFileScatter, WriteFileGather), a file opened a second time (ReOpenFile), one that
 * is marked for deletion by flags.
 */
#include "conform.h"

#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)
#define UNBUFFERED (FILE_FLAG_OVERLAPPED | FILE_FLAG_NO_BUFFERING)
enum { PAGE = 4096 };

static FILE_SEGMENT_ELEMENT segment(void *page)
{
    FILE_SEGMENT_ELEMENT s;
    s.Alignment = 0;
    s.Buffer = page;
    return s;
}

static DWORD finish(HANDLE file, BOOL started, OVERLAPPED *ov)
{
    DWORD bytes = 0;
    CHECK_MSG(started || GetLastError() == ERROR_IO_PENDING, "error %u", (unsigned)GetLastError());
    CHECK(GetOverlappedResult(file, ov, &bytes, TRUE));
    return bytes;
}

TEST(pages_in_the_order_of_the_array, "FILE-24")
{
    enum { PAGES = 5 };
    HANDLE file = temp_file(2 * PAGE, UNBUFFERED);
    char *memory = VirtualAlloc(NULL, 2 * PAGES * PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    FILE_SEGMENT_ELEMENT from[PAGES + 1], to[PAGES + 1];
    OVERLAPPED ov = {.hEvent = manual_event()};
    for (int i = 0; i < PAGES; i++) {
        from[i] = segment(memory + (PAGES - 1 - i) * PAGE); /* backwards */
        to[i] = segment(memory + (PAGES + (i + 2) % PAGES) * PAGE);
        memset(memory + i * PAGE, 'a' + i, PAGE);
    }
    from[PAGES] = to[PAGES] = segment(NULL);
    ov.Offset = PAGE;
    CHECK_EQ(finish(file, WriteFileGather(file, from, PAGES * PAGE, NULL, &ov), &ov), PAGES * PAGE);
    CHECK_EQ(ov.Offset, PAGE);
    CHECK_EQ(GetFileSize(file, NULL), (PAGES + 1) * PAGE);
    CHECK_EQ(finish(file, ReadFileScatter(file, to, PAGES * PAGE, NULL, &ov), &ov), PAGES * PAGE);
    for (int i = 0; i < PAGES; i++) {
        const char *page = memory + (PAGES + (i + 2) % PAGES) * PAGE;
        CHECK_EQ(page[0], 'a' + PAGES - 1 - i);
        CHECK_EQ(page[PAGE - 1], 'a' + PAGES - 1 - i);
    }
    ov.Offset = (PAGES - 1) * PAGE; /* two pages are left */
    CHECK_EQ(finish(file, ReadFileScatter(file, to, PAGES * PAGE, NULL, &ov), &ov), 2 * PAGE);
    CloseHandle(ov.hEvent);
    CloseHandle(file);
    VirtualFree(memory, 0, MEM_RELEASE);
}

TEST(more_pages_than_one_call_takes, "FILE-24")
{
    enum { PAGES = 2500 };
    HANDLE file = temp_file(0, UNBUFFERED);
    char *memory = VirtualAlloc(NULL, PAGES * PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    FILE_SEGMENT_ELEMENT *pages = malloc((PAGES + 1) * sizeof *pages);
    OVERLAPPED ov = {.hEvent = manual_event()};
    int wrong = 0;
    for (int i = 0; i < PAGES; i++) {
        pages[i] = segment(memory + i * PAGE);
        memcpy(memory + i * PAGE, &i, sizeof i);
    }
    pages[PAGES] = segment(NULL);
    CHECK_EQ(finish(file, WriteFileGather(file, pages, PAGES * PAGE, NULL, &ov), &ov), PAGES * PAGE);
    memset(memory, 0, PAGES * PAGE);
    CHECK_EQ(finish(file, ReadFileScatter(file, pages, PAGES * PAGE, NULL, &ov), &ov), PAGES * PAGE);
    for (int i = 0; i < PAGES; i++)
        wrong += memcmp(memory + i * PAGE, &i, sizeof i) != 0;
    CHECK_EQ(wrong, 0);
    CloseHandle(ov.hEvent);
    CloseHandle(file);
    free(pages);
    VirtualFree(memory, 0, MEM_RELEASE);
}

TEST_W8(segments_refused, "FILE-24", "Wine asks for less")
{
    char *memory = VirtualAlloc(NULL, PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    FILE_SEGMENT_ELEMENT pages[2] = {segment(memory), segment(NULL)};
    HANDLE file = temp_file(PAGE, UNBUFFERED), buffered = temp_file(PAGE, FILE_FLAG_OVERLAPPED);
    HANDLE synchronous = temp_file(PAGE, FILE_FLAG_NO_BUFFERING);
    OVERLAPPED ov = {0};
    if (!conform_wine) /* which reads what NULL points at */
        CHECK_ERR(ReadFileScatter(file, pages, PAGE, NULL, NULL), ERROR_INVALID_PARAMETER);
    CHECK_ERR(ReadFileScatter(buffered, pages, PAGE, NULL, &ov), ERROR_INVALID_PARAMETER);
    CHECK_ERR(ReadFileScatter(synchronous, pages, PAGE, NULL, &ov), ERROR_INVALID_PARAMETER);
    CHECK_ERR(ReadFileScatter(file, pages, 100, NULL, &ov), ERROR_INVALID_PARAMETER);
    CHECK_ERR(WriteFileGather(NULL, pages, PAGE, NULL, &ov), ERROR_INVALID_HANDLE);
    pages[0] = segment(memory + 512);
    CHECK_ERR(WriteFileGather(file, pages, PAGE, NULL, &ov), ERROR_INVALID_PARAMETER);
    CloseHandle(file);
    CloseHandle(buffered);
    CloseHandle(synchronous);
    VirtualFree(memory, 0, MEM_RELEASE);
}

TEST(opened_again, "FILE-30")
{
    HANDLE first = temp_file(100, 0);
    HANDLE second = ReOpenFile(first, GENERIC_READ, SHARE_ALL, FILE_FLAG_OVERLAPPED);
    char data[4];
    DWORD bytes;
    OVERLAPPED ov = {.Offset = 10, .hEvent = manual_event()};
    REQUIRE(second != INVALID_HANDLE_VALUE);
    CHECK_EQ(SetFilePointer(first, 50, NULL, FILE_BEGIN), 50);
    CHECK_ERR(ReadFile(second, data, 4, &bytes, NULL), ERROR_INVALID_PARAMETER); /* it is overlapped */
    CHECK_EQ(finish(second, ReadFile(second, data, 4, NULL, &ov), &ov), 4);
    CHECK_EQ((unsigned char)data[0], pattern(10));
    CHECK_EQ(SetFilePointer(first, 0, NULL, FILE_CURRENT), 50); /* not its pointer */
    CHECK_ERR(WriteFile(second, data, 4, NULL, &ov), ERROR_ACCESS_DENIED);
    HANDLE port = CreateIoCompletionPort(second, NULL, 1, 0);
    CHECK(port != NULL);
    CloseHandle(first);
    ov.Offset = 20;
    CHECK_EQ(finish(second, ReadFile(second, data, 4, NULL, &ov), &ov), 4);
    CloseHandle(second);
    CloseHandle(port);
    CloseHandle(ov.hEvent);
}

TEST(opened_again_shares_count, "FILE-30 FILE-28")
{
    const char *path = temp_content(10);
    HANDLE first = CreateFileA(path, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    SetLastError(0);
    CHECK(ReOpenFile(first, GENERIC_WRITE, SHARE_ALL, 0) == INVALID_HANDLE_VALUE);
    CHECK_LASTERR(ERROR_SHARING_VIOLATION);
    CHECK(ReOpenFile(first, GENERIC_READ, FILE_SHARE_WRITE, 0) == INVALID_HANDLE_VALUE);
    CHECK_LASTERR(ERROR_SHARING_VIOLATION);
    HANDLE second = ReOpenFile(first, GENERIC_READ, FILE_SHARE_READ, 0);
    CHECK(second != INVALID_HANDLE_VALUE);
    CloseHandle(second);
    CHECK(ReOpenFile(NULL, GENERIC_READ, FILE_SHARE_READ, 0) == INVALID_HANDLE_VALUE);
    TODO_WINE("Wine says 161") {
        CHECK_LASTERR(ERROR_INVALID_HANDLE);
    }
    CloseHandle(first);
}

TEST_W8(deleted_by_flags, "", "Wine does not know the class")
{
    const char *path = temp_content(10);
    struct { DWORD flags; } mark = {1}; /* FILE_DISPOSITION_INFO_EX, which not every header has */
    const FILE_INFO_BY_HANDLE_CLASS class = (FILE_INFO_BY_HANDLE_CLASS)21; /* FileDispositionInfoEx */
    CHECK(SetFileAttributesA(path, FILE_ATTRIBUTE_READONLY));
    HANDLE file = CreateFileA(path, DELETE, SHARE_ALL, NULL, OPEN_EXISTING, 0, NULL);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    CHECK_ERR(SetFileInformationByHandle(file, class, &mark, sizeof mark), ERROR_ACCESS_DENIED);
    mark.flags = 0x11; /* read-only or not */
    CHECK(SetFileInformationByHandle(file, class, &mark, sizeof mark));
    mark.flags = 0;
    CHECK(SetFileInformationByHandle(file, class, &mark, sizeof mark));
    mark.flags = 0x13;
    CHECK(SetFileInformationByHandle(file, class, &mark, sizeof mark));
    CHECK_ERR(SetFileInformationByHandle(file, class, &mark, 2), ERROR_BAD_LENGTH);
    CloseHandle(file);
    CHECK_EQ(GetFileAttributesA(path), INVALID_FILE_ATTRIBUTES);
}
