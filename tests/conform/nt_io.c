/* SPDX-License-Identifier: MIT */
/*
 * NtReadFile, NtWriteFile and the native controls of pipes: where they read and write, and who is told: the
 * status block, an event, a routine, a port with the context.
 */
#include "conform.h"
#include "nt.h"
#include "packet.h"
#include "pipe.h"

#define SOON_ENOUGH 10000

static LARGE_INTEGER at(LONGLONG offset)
{
    LARGE_INTEGER l;
    l.QuadPart = offset;
    return l;
}

static int is_pattern(const char *data, size_t size, size_t from)
{
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)data[i] != pattern(from + i))
            return 0;
    return 1;
}

static const struct nt_block unset = {{0x55555555}, 77};

/* To its end, on a handle of either kind. */
static DWORD move(HANDLE h, int write, void *data, DWORD size)
{
    OVERLAPPED ov = {.hEvent = manual_event()};
    DWORD done = 0;
    BOOL ok = write ? WriteFile(h, data, size, NULL, &ov) : ReadFile(h, data, size, NULL, &ov);
    CHECK(ok || GetLastError() == ERROR_IO_PENDING);
    CHECK(GetOverlappedResult(h, &ov, &done, TRUE));
    CloseHandle(ov.hEvent);
    return done;
}

/* ---- synchronous handles ---- */

TEST(reads_where_it_is_told, "FILE-03")
{
    NEED(NtReadFile);
    HANDLE file = temp_file(1000, 0);
    struct nt_block block = unset;
    LARGE_INTEGER offset = at(100), position = at(-2);
    char data[64];
    CHECK_NT(nt_NtReadFile(file, NULL, NULL, NULL, &block, data, 10, &offset, NULL), 0);
    CHECK_NT(block.u.status, 0);
    CHECK_EQ(block.information, 10);
    CHECK(is_pattern(data, 10, 100));
    CHECK_NT(nt_NtReadFile(file, NULL, NULL, NULL, &block, data, 10, NULL, NULL), 0); /* goes on */
    CHECK(is_pattern(data, 10, 110));
    CHECK_NT(nt_NtReadFile(file, NULL, NULL, NULL, &block, data, 10, &position, NULL), 0);
    CHECK(is_pattern(data, 10, 120));
    offset = at(990);
    CHECK_NT(nt_NtReadFile(file, NULL, NULL, NULL, &block, data, 64, &offset, NULL), 0);
    CHECK_EQ(block.information, 10);
    CHECK_NT(nt_NtReadFile(file, NULL, NULL, NULL, &block, data, 64, NULL, NULL), NT_END_OF_FILE);
    offset = at(5000);
    CHECK_NT(nt_NtReadFile(file, NULL, NULL, NULL, &block, data, 64, &offset, NULL), NT_END_OF_FILE);
    offset = at(-5);
    CHECK_NT(nt_NtReadFile(file, NULL, NULL, NULL, &block, data, 64, &offset, NULL), NT_INVALID_PARAMETER);
    CHECK_NT(nt_NtReadFile(file, NULL, NULL, NULL, &block, data, 0, NULL, NULL), 0);
    CloseHandle(file);
}

TEST(writes_where_it_is_told, "FILE-03")
{
    NEED(NtWriteFile);
    HANDLE file = temp_file(100, 0);
    struct nt_block block = unset;
    LARGE_INTEGER offset = at(50), end = at(-1);
    char data[200];
    CHECK_NT(nt_NtWriteFile(file, NULL, NULL, NULL, &block, "abcde", 5, &offset, NULL), 0);
    CHECK_NT(block.u.status, 0);
    CHECK_EQ(block.information, 5);
    CHECK_NT(nt_NtWriteFile(file, NULL, NULL, NULL, &block, "fgh", 3, NULL, NULL), 0);
    end.HighPart = -1;
    end.LowPart = 0xFFFFFFFF;
    CHECK_NT(nt_NtWriteFile(file, NULL, NULL, NULL, &block, "end", 3, &end, NULL), 0);
    offset = at(0);
    CHECK_NT(nt_NtReadFile(file, NULL, NULL, NULL, &block, data, 200, &offset, NULL), 0);
    CHECK_EQ(block.information, 103);
    CHECK_MEM(data + 50, "abcdefgh", 8);
    CHECK_MEM(data + 100, "end", 3);
    offset = at(-5);
    CHECK_NT(nt_NtWriteFile(file, NULL, NULL, NULL, &block, "x", 1, &offset, NULL), NT_INVALID_PARAMETER);
    CloseHandle(file);
}

struct told {
    int times;
    void *context;
    struct nt_block *block;
    ULONG reserved;
};

static struct told told;

static void WINAPI be_told(void *context, struct nt_block *block, ULONG reserved)
{
    told.times++;
    told.context = context;
    told.block = block;
    told.reserved = reserved;
}

TEST(synchronous_and_told, "OVL-03 APC-03")
{
    NEED(NtReadFile);
    HANDLE file = temp_file(100, 0), event = manual_event();
    struct nt_block block = unset;
    LARGE_INTEGER offset = at(0);
    char data[10];
    told = (struct told){0};
    CHECK_NT(nt_NtReadFile(file, event, (void *)be_told, &told, &block, data, 10, &offset, NULL), 0);
    CHECK_EQ(told.times, 0); /* not before an alertable wait */
    CHECK_EQ(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
    CHECK_EQ(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ(told.times, 1);
    CHECK(told.context == &told && told.block == &block);
    CHECK_EQ(SleepEx(0, TRUE), 0);
    CloseHandle(file);
    CloseHandle(event);
}

/* ---- overlapped handles ---- */

TEST(event_of_a_call, "OVL-03")
{
    NEED(NtReadFile);
    HANDLE file = temp_file(1000, FILE_FLAG_OVERLAPPED), event = manual_event();
    struct nt_block block = unset;
    LARGE_INTEGER offset = at(100);
    char data[64];
    SetEvent(event);
    nt_status status = nt_NtReadFile(file, event, NULL, NULL, &block, data, 10, &offset, NULL);
    CHECK(status == 0 || status == NT_PENDING);
    CHECK_EQ(WaitForSingleObject(event, SOON_ENOUGH), WAIT_OBJECT_0);
    CHECK_NT(block.u.status, 0);
    CHECK_EQ(block.information, 10);
    CHECK(is_pattern(data, 10, 100));
    offset = at(5000);
    block = unset;
    ResetEvent(event);
    status = nt_NtReadFile(file, event, NULL, NULL, &block, data, 10, &offset, NULL);
    if (status == NT_PENDING) {
        CHECK_EQ(WaitForSingleObject(event, SOON_ENOUGH), WAIT_OBJECT_0);
        status = block.u.status;
    }
    CHECK_NT(status, NT_END_OF_FILE);
    CHECK_NT(nt_NtReadFile(file, NULL, NULL, NULL, &block, data, 10, NULL, NULL), NT_INVALID_PARAMETER);
    offset = at(-2);
    CHECK_NT(nt_NtReadFile(file, NULL, NULL, NULL, &block, data, 10, &offset, NULL), NT_INVALID_PARAMETER);
    CloseHandle(file);
    CloseHandle(event);
}

/* The context is what a dequeue gives; without one there is no packet. */
TEST(context_on_a_port, "PORT-12 PORT-13")
{
    NEED(NtWriteFile);
    HANDLE file = temp_file(0, FILE_FLAG_OVERLAPPED);
    HANDLE port = CreateIoCompletionPort(file, NULL, 9, 1);
    struct nt_block block[2] = {unset, unset};
    LARGE_INTEGER offset = at(0);
    OVERLAPPED *done = NULL;
    ULONG_PTR key = 0;
    DWORD bytes = 0;
    char data[8];
    nt_status status = nt_NtWriteFile(file, NULL, NULL, &offset, &block[0], "12345678", 8, &offset, NULL);
    CHECK(status == 0 || status == NT_PENDING);
    CHECK(GetQueuedCompletionStatus(port, &bytes, &key, &done, SOON_ENOUGH));
    CHECK((void *)done == &offset);
    CHECK_EQ(key, 9);
    CHECK_EQ(bytes, 8);
    CHECK_NT(block[0].u.status, 0);
    status = nt_NtReadFile(file, NULL, NULL, NULL, &block[1], data, 8, &offset, NULL);
    CHECK(status == 0 || status == NT_PENDING);
    CHECK(WITHIN(SOON_ENOUGH, LOOK(block[1].u.status) == 0));
    CHECK_ERR(GetQueuedCompletionStatus(port, &bytes, &key, &done, 0), WAIT_TIMEOUT);
    TODO_WINE("Wine calls the routine") {
        CHECK_NT(nt_NtReadFile(file, NULL, (void *)be_told, NULL, &block[1], data, 8, &offset, NULL),
                 NT_INVALID_PARAMETER);
        CHECK_EQ(SleepEx(100, TRUE), 0);
    }
    CloseHandle(file);
    CloseHandle(port);
}

TEST(routine_with_an_event, "APC-03 OVL-03")
{
    NEED(NtReadFile);
    HANDLE file = temp_file(100, FILE_FLAG_OVERLAPPED), event = manual_event();
    struct nt_block block = unset;
    LARGE_INTEGER offset = at(10);
    char data[10];
    told = (struct told){0};
    nt_status status = nt_NtReadFile(file, event, (void *)be_told, data, &block, data, 10, &offset, NULL);
    CHECK(status == 0 || status == NT_PENDING);
    CHECK_EQ(WaitForSingleObject(event, SOON_ENOUGH), WAIT_OBJECT_0);
    CHECK_EQ(told.times, 0);
    CHECK_EQ(SleepEx(SOON_ENOUGH, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ(told.times, 1);
    CHECK(told.context == data && told.block == &block);
    CHECK_EQ(told.reserved, 0);
    CHECK_EQ(block.information, 10);
    CloseHandle(file);
    CloseHandle(event);
}

TEST(pending_on_a_pipe, "OVL-03 APC-03 CANCEL-03")
{
    NEED(NtReadFile);
    HANDLE ends[2], event = manual_event();
    struct nt_block block = unset, other = unset;
    char data[10] = "";
    REQUIRE(pipe_pair(ends, FILE_FLAG_OVERLAPPED, PIPE_TYPE_BYTE));
    told = (struct told){0};
    CHECK_NT(nt_NtReadFile(ends[0], event, (void *)be_told, &block, &block, data, 10, NULL, NULL),
             NT_PENDING);
    CHECK_EQ(WaitForSingleObjectEx(event, 20, TRUE), WAIT_TIMEOUT);
    CHECK_EQ(move(ends[1], 1, (char[]){"hello"}, 5), 5);
    CHECK_EQ(SleepEx(SOON_ENOUGH, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ(told.times, 1);
    CHECK_EQ(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
    CHECK_EQ(block.information, 5);
    CHECK_MEM(data, "hello", 5);
    CHECK_NT(nt_NtReadFile(ends[0], event, (void *)be_told, NULL, &block, data, 10, NULL, NULL), NT_PENDING);
    CHECK_NT(nt_NtCancelIoFileEx(ends[0], &block, &other), 0);
    CHECK_EQ(SleepEx(SOON_ENOUGH, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ(told.times, 2);
    CHECK_NT(block.u.status, NT_CANCELLED);
    CHECK_NT(nt_NtReadFile(ends[0], event, NULL, NULL, &block, data, 10, NULL, NULL), NT_PENDING);
    CloseHandle(ends[1]);
    CHECK_EQ(WaitForSingleObject(event, SOON_ENOUGH), WAIT_OBJECT_0);
    CHECK_NT(block.u.status, 0xC000014B); /* STATUS_PIPE_BROKEN */
    CloseHandle(ends[0]);
    CloseHandle(event);
}

TEST(refused_calls, "FILE-03 HANDLE-01")
{
    NEED(NtReadFile);
    const char *path = temp_content(100);
    HANDLE readable = CreateFileA(path, GENERIC_READ, 7, NULL, OPEN_EXISTING, 0, NULL);
    HANDLE writable = CreateFileA(path, GENERIC_WRITE, 7, NULL, OPEN_EXISTING, 0, NULL);
    struct nt_block block;
    LARGE_INTEGER offset = at(0);
    HANDLE event = manual_event();
    char data[8];
    CHECK_NT(nt_NtReadFile(writable, NULL, NULL, NULL, &block, data, 8, &offset, NULL), NT_ACCESS_DENIED);
    CHECK_NT(nt_NtWriteFile(readable, NULL, NULL, NULL, &block, data, 8, &offset, NULL), NT_ACCESS_DENIED);
    CHECK_NT(nt_NtReadFile((HANDLE)(ULONG_PTR)0x7FFFFFF0, NULL, NULL, NULL, &block, data, 8, &offset, NULL),
             NT_INVALID_HANDLE);
    CHECK_NT(nt_NtReadFile(event, NULL, NULL, NULL, &block, data, 8, &offset, NULL), NT_TYPE_MISMATCH);
    TODO_WINE("Wine does not look at the event of a synchronous handle") {
        CHECK_NT(nt_NtReadFile(readable, readable, NULL, NULL, &block, data, 8, &offset, NULL),
                 NT_TYPE_MISMATCH);
    }
    CHECK_NT(nt_NtReadFile(readable, NULL, NULL, NULL, NULL, data, 8, &offset, NULL), 0xC0000005);
    CloseHandle(readable);
    CloseHandle(writable);
    CloseHandle(event);
}

/* ---- controls of pipes ---- */

#define LISTEN     0x110008
#define DISCONNECT 0x110004
#define PEEK       0x11400C
#define TRANSCEIVE 0x11C017

struct peeked {
    ULONG state, available, messages, length;
    char data[16];
};

TEST(listens_and_peeks, "PIPE-04 PIPE-05 PIPE-23")
{
    NEED(NtFsControlFile);
    HANDLE server = new_server(PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED, PIPE_TYPE_MESSAGE);
    HANDLE event = manual_event();
    struct nt_block block = unset;
    struct peeked peeked = {0};
    DWORD done;
    REQUIRE(server != INVALID_HANDLE_VALUE);
    CHECK_NT(nt_NtFsControlFile(server, event, NULL, NULL, &block, LISTEN, NULL, 0, NULL, 0), NT_PENDING);
    HANDLE client = new_client(0);
    CHECK_EQ(WaitForSingleObject(event, SOON_ENOUGH), WAIT_OBJECT_0);
    CHECK_NT(block.u.status, 0);
    CHECK_NT(nt_NtFsControlFile(server, event, NULL, NULL, &block, LISTEN, NULL, 0, NULL, 0),
             NT_PIPE_CONNECTED);
    CHECK_NT(nt_NtFsControlFile(client, NULL, NULL, NULL, &block, LISTEN, NULL, 0, NULL, 0), 0xC00000AF);
    CHECK(WriteFile(client, "message", 7, &done, NULL));
    nt_status status = nt_NtFsControlFile(server, event, NULL, NULL, &block, PEEK, NULL, 0, &peeked, 16 + 3);
    if (status == NT_PENDING) {
        CHECK_EQ(WaitForSingleObject(event, SOON_ENOUGH), WAIT_OBJECT_0);
        status = block.u.status;
    }
    CHECK_NT(status, NT_BUFFER_OVERFLOW);
    CHECK_EQ(peeked.state, 3);
    CHECK_EQ(peeked.available, 7);
    CHECK_MEM(peeked.data, "mes", 3);
    CHECK_EQ(block.information, 16 + 3);
    CHECK_NT(nt_NtFsControlFile(server, event, NULL, NULL, &block, PEEK, NULL, 0, &peeked, 3), NT_BAD_LENGTH);
    CHECK_NT(nt_NtFsControlFile(client, NULL, NULL, NULL, &block, PEEK, NULL, 0, &peeked, sizeof peeked), 0);
    CHECK_EQ(peeked.available, 0);
    status = nt_NtFsControlFile(server, event, NULL, NULL, &block, DISCONNECT, NULL, 0, NULL, 0);
    CHECK(status == 0 || status == NT_PENDING);
    CHECK(!WriteFile(client, "x", 1, &done, NULL));
    CloseHandle(client);
    CloseHandle(server);
    CloseHandle(event);
}

THREAD_FN(answer_one)
{
    HANDLE server = arg;
    char data[16];
    CHECK_EQ(move(server, 0, data, sizeof data), 3);
    CHECK_EQ(move(server, 1, (char[]){"answer"}, 6), 6);
    return 0;
}

TEST(transceives, "PIPE-22")
{
    NEED(NtFsControlFile);
    HANDLE ends[2];
    struct nt_block block = unset;
    char data[16];
    for (int overlapped = 0; overlapped < 2; overlapped++) {
        REQUIRE(pipe_pair(ends, overlapped ? FILE_FLAG_OVERLAPPED : 0, MESSAGES));
        HANDLE event = manual_event(), thread = start_thread(answer_one, ends[0]);
        nt_status status = nt_NtFsControlFile(ends[1], event, NULL, NULL, &block, TRANSCEIVE,
                                              (char[]){"ask"}, 3, data, sizeof data);
        CHECK(status == 0 || (overlapped && status == NT_PENDING));
        CHECK_EQ(WaitForSingleObject(event, SOON_ENOUGH), WAIT_OBJECT_0);
        CHECK_NT(block.u.status, 0);
        CHECK_EQ(block.information, 6);
        CHECK_MEM(data, "answer", 6);
        JOIN(thread);
        CloseHandle(event);
        CloseHandle(ends[0]);
        CloseHandle(ends[1]);
    }
}

TEST(controls_refused, "PIPE-23")
{
    NEED(NtFsControlFile);
    HANDLE file = temp_file(10, 0), ends[2];
    struct nt_block block = unset;
    struct peeked peeked;
    CHECK((ULONG)nt_NtFsControlFile(file, NULL, NULL, NULL, &block, PEEK, NULL, 0, &peeked, sizeof peeked) >=
          0xC0000000);
    REQUIRE(CreatePipe(&ends[0], &ends[1], NULL, 0));
    CHECK_NT(nt_NtFsControlFile(ends[0], NULL, NULL, NULL, &block, PEEK, NULL, 0, &peeked, sizeof peeked), 0);
    CHECK_EQ(peeked.available, 0);
    CHECK_NT(nt_NtFsControlFile(ends[1], NULL, NULL, NULL, &block, PEEK, NULL, 0, &peeked, sizeof peeked),
             NT_ACCESS_DENIED);
    CloseHandle(ends[0]);
    CloseHandle(ends[1]);
    CloseHandle(file);
}
