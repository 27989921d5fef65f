/* SPDX-License-Identifier: MIT */
/*
 * Bytes and messages over named pipes: order, boundaries, ends, waiting, ports, events and routines; and
 * anonymous pipes.
 */
#include "conform.h"
#include "packet.h"
#include "pipe.h"

#include <fcntl.h>
#include <io.h>

#define BIG (4 << 20) /* more than any pipe holds */

static char big[BIG], back[BIG];

static void fill_big(void)
{
    for (int i = 0; i < BIG; i++)
        big[i] = (char)pattern((unsigned long long)i);
}

/* ---- bytes ---- */

TEST(bytes_have_no_boundaries, "PIPE-11 OVL-15")
{
    HANDLE pair[2];
    REQUIRE(pipe_pair(pair, 0, 0));
    CHECK(put(pair[0], "abc", 3));
    CHECK(put(pair[0], "", 0));
    CHECK(put(pair[0], "defgh", 5));
    CHECK_GET(pair[1], 5, 0, "abcde");
    CHECK_GET(pair[1], 100, 0, "fgh");
    CHECK(put(pair[1], "to the server", 13));
    CHECK_GET(pair[0], 6, 0, "to the");
    CHECK_GET(pair[0], 100, 0, " server");
    close_pipe(pair);
}

/* A pipe has no position: what Offset says does not matter. */
TEST(offsets_mean_nothing, "OVL-15 PIPE-11")
{
    HANDLE pair[2];
    OVERLAPPED ov = {.Offset = 12345, .OffsetHigh = 6, .hEvent = manual_event()};
    char data[8];
    DWORD bytes;
    REQUIRE(pipe_pair(pair, FILE_FLAG_OVERLAPPED, 0));
    write_now(pair[0], "abc", 3, &bytes, &ov);
    CHECK_ANSWER(pair[0], &ov, 0, 3);
    read_now(pair[1], data, 8, &bytes, &ov);
    CHECK_ANSWER(pair[1], &ov, 0, 3);
    CHECK_MEM(data, "abc", 3);
    close_pipe(pair);
    CloseHandle(ov.hEvent);
}

/* ---- messages ---- */

TEST(one_read_one_message, "PIPE-12 PIPE-17")
{
    HANDLE pair[2];
    REQUIRE(pipe_pair(pair, 0, MESSAGES));
    CHECK(put(pair[0], "first", 5));
    CHECK(put(pair[0], "", 0));
    CHECK(put(pair[0], "third one", 9));
    CHECK_GET(pair[1], 100, 0, "first");
    CHECK_GET(pair[1], 100, 0, "");
    CHECK_GET(pair[1], 9, 0, "third one");
    CHECK(put(pair[1], "back", 4));
    CHECK_GET(pair[0], 100, 0, "back");
    close_pipe(pair);
}

TEST(the_rest_of_a_message, "PIPE-13 PIPE-12")
{
    HANDLE pair[2];
    REQUIRE(pipe_pair(pair, 0, MESSAGES));
    CHECK(put(pair[0], "abcdefgh", 8));
    CHECK(put(pair[0], "next", 4));
    CHECK_GET(pair[1], 3, ERROR_MORE_DATA, "abc");
    CHECK_GET(pair[1], 0, ERROR_MORE_DATA, "");
    CHECK_GET(pair[1], 3, ERROR_MORE_DATA, "def");
    CHECK_GET(pair[1], 3, 0, "gh");
    CHECK_GET(pair[1], 3, ERROR_MORE_DATA, "nex");
    CHECK_GET(pair[1], 1, 0, "t");
    close_pipe(pair);
}

TEST(more_data_is_a_packet, "PIPE-14 PIPE-13")
{
    HANDLE pair[2], port = new_port(0);
    OVERLAPPED ov = {0};
    DWORD bytes;
    char data[4];
    REQUIRE(pipe_pair(pair, FILE_FLAG_OVERLAPPED, MESSAGES));
    CHECK(CreateIoCompletionPort(pair[0], port, 3, 0) == port);
    CHECK(put(pair[1], "abcdefgh", 8));
    CHECK_EQ(read_now(pair[0], data, 4, &bytes, &ov), ERROR_MORE_DATA);
    CHECK_FAILED_PACKET(port, ERROR_MORE_DATA, 4, 3, &ov);
    CHECK_EQ((DWORD)ov.Internal, 0x80000005);
    CHECK_MEM(data, "abcd", 4);
    CHECK(ReadFile(pair[0], data, 4, &bytes, &ov));
    CHECK_PACKET(port, 4, 3, &ov);
    /* The same when it comes later. */
    CHECK_EQ(read_now(pair[0], data, 4, &bytes, &ov), ERROR_IO_PENDING);
    CHECK(put(pair[1], "ABCDEF", 6));
    CHECK_FAILED_PACKET(port, ERROR_MORE_DATA, 4, 3, &ov);
    CHECK(ReadFile(pair[0], data, 4, &bytes, &ov));
    CHECK_PACKET(port, 2, 3, &ov);
    CHECK_NO_PACKET(port, 10);
    close_pipe(pair);
    CloseHandle(port);
}

TEST(clients_begin_with_bytes, "PIPE-15 PIPE-11")
{
    HANDLE pair[2];
    REQUIRE(pipe_pair(pair, 0, PIPE_TYPE_MESSAGE));
    CHECK(put(pair[0], "one", 3));
    CHECK(put(pair[0], "two", 3));
    CHECK(put(pair[0], "three", 5));
    CHECK_GET(pair[1], 4, 0, "onet");
    CHECK(set_mode(pair[1], PIPE_READMODE_MESSAGE));
    CHECK_GET(pair[1], 100, 0, "wo");
    CHECK_GET(pair[1], 2, ERROR_MORE_DATA, "th");
    CHECK(set_mode(pair[1], PIPE_READMODE_BYTE));
    CHECK_GET(pair[1], 100, 0, "ree");
    close_pipe(pair);
}

/* A message larger than the pipe goes through whole, to one reader with room for it. */
THREAD_FN(put_big)
{
    CHECK(put((HANDLE)arg, big, BIG));
    return 0;
}

TEST(a_large_message, "PIPE-12 PIPE-13 PIPE-20")
{
    HANDLE pair[2], thread;
    DWORD bytes = 0, done = 0;
    REQUIRE(pipe_pair(pair, 0, MESSAGES));
    fill_big();
    thread = start_thread(put_big, pair[0]);
    while (done < BIG / 2) {
        CHECK_EQ(read_now(pair[1], back + done, 100000, &bytes, NULL), ERROR_MORE_DATA);
        CHECK_EQ(bytes, 100000);
        if (bytes == 0)
            break;
        done += bytes;
    }
    CHECK(ReadFile(pair[1], back + done, BIG, &bytes, NULL));
    CHECK_EQ(bytes, BIG - done);
    CHECK_MEM(back, big, BIG);
    JOIN(thread);
    CHECK(put(pair[0], "after", 5));
    CHECK_GET(pair[1], 100, 0, "after");
    close_pipe(pair);
}

TEST(a_message_of_nothing, "PIPE-17")
{
    HANDLE pair[2];
    OVERLAPPED ov = {.hEvent = manual_event()};
    DWORD bytes, error;
    char data[4];
    REQUIRE(pipe_pair(pair, FILE_FLAG_OVERLAPPED, MESSAGES));
    CHECK_EQ(read_now(pair[0], data, 4, &bytes, &ov), ERROR_IO_PENDING);
    CHECK(put(pair[1], "", 0));
    CHECK_ANSWER(pair[0], &ov, 0, 0);
    CHECK(put(pair[1], "x", 1));
    error = read_now(pair[0], data, 4, &bytes, &ov); /* may pend: the one before may just be leaving */
    CHECK(error == 0 || error == ERROR_IO_PENDING);
    CHECK_ANSWER(pair[0], &ov, 0, 1);
    close_pipe(pair);
    CloseHandle(ov.hEvent);
}

/* ---- reading nothing ---- */

TEST(a_read_of_nothing_pends, "PIPE-11 PIPE-13")
{
    for (int messages = 0; messages < 2; messages++) {
        HANDLE pair[2], port = new_port(0);
        OVERLAPPED ov = {0};
        DWORD bytes = 99, total = 0;
        char data[8];
        REQUIRE(pipe_pair(pair, FILE_FLAG_OVERLAPPED, messages ? PIPE_TYPE_MESSAGE : 0));
        CHECK(CreateIoCompletionPort(pair[1], port, 3, 0) == port);
        CHECK_EQ(read_now(pair[1], data, 0, &bytes, &ov), ERROR_IO_PENDING);
        CHECK_NO_PACKET(port, 10);
        CHECK(put(pair[0], "data", 4));
        CHECK_PACKET(port, 0, 3, &ov);
        CHECK(PeekNamedPipe(pair[1], NULL, 0, NULL, &total, NULL));
        CHECK_EQ(total, 4);
        /* On an overlapped handle, but without OVERLAPPED: it waits for itself, and no packet follows. */
        CHECK(ReadFile(pair[1], data, total, &bytes, NULL));
        CHECK_EQ(bytes, 4);
        CHECK_MEM(data, "data", 4);
        CHECK_NO_PACKET(port, 10);
        close_pipe(pair);
        CloseHandle(port);
    }
}

/* Refused in the call, not when something comes. */
TEST(a_read_to_nowhere, "")
{
    HANDLE pair[2];
    OVERLAPPED ov = {0};
    DWORD bytes = 99;
    char data[8];
    REQUIRE(pipe_pair(pair, FILE_FLAG_OVERLAPPED, PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE));
    CHECK_EQ(read_now(pair[1], NULL, 5, &bytes, &ov), ERROR_NOACCESS);
    CHECK(put(pair[0], "data", 4));
    CHECK_EQ(read_now(pair[1], NULL, 5, &bytes, &ov), ERROR_NOACCESS);
    CHECK_ERR(ReadFile(pair[1], NULL, 5, &bytes, NULL), ERROR_NOACCESS);
    CHECK(ReadFile(pair[1], data, 5, &bytes, NULL));
    CHECK_EQ(bytes, 4);
    close_pipe(pair);
}

/* ---- ends ---- */

TEST(what_was_written_is_read, "PIPE-18 PIPE-19")
{
    for (int mode = 0; mode < 2; mode++) {
        for (int closer = 0; closer < 2; closer++) {
            HANDLE pair[2];
            DWORD bytes = 99;
            REQUIRE(pipe_pair(pair, 0, mode ? MESSAGES : 0));
            CHECK(put(pair[closer], "last words", 10));
            CHECK(put(pair[!closer], "unread", 6));
            CHECK(CloseHandle(pair[closer]));
            CHECK(PeekNamedPipe(pair[!closer], NULL, 0, NULL, &bytes, NULL));
            CHECK_EQ(bytes, 10);
            CHECK(!WriteFile(pair[!closer], "x", 1, &bytes, NULL));
            CHECK_MSG(GetLastError() == ERROR_NO_DATA || GetLastError() == ERROR_BROKEN_PIPE, "error %u",
                      (unsigned)GetLastError());
            CHECK_GET(pair[!closer], 100, 0, "last words");
            CHECK_GET(pair[!closer], 100, ERROR_BROKEN_PIPE, "");
            CHECK_GET(pair[!closer], 0, ERROR_BROKEN_PIPE, "");
            CHECK_ERR(PeekNamedPipe(pair[!closer], NULL, 0, NULL, &bytes, NULL), ERROR_BROKEN_PIPE);
            CloseHandle(pair[!closer]);
        }
    }
}

TEST(a_pending_read_sees_the_end, "PIPE-18")
{
    HANDLE pair[2], port = new_port(0);
    OVERLAPPED ov[2] = {{0}, {0}};
    DWORD bytes;
    char data[2];
    REQUIRE(pipe_pair(pair, FILE_FLAG_OVERLAPPED, 0));
    CHECK(CreateIoCompletionPort(pair[0], port, 3, 0) == port);
    CHECK_EQ(read_now(pair[0], &data[0], 1, &bytes, &ov[0]), ERROR_IO_PENDING);
    CHECK_EQ(read_now(pair[0], &data[1], 0, &bytes, &ov[1]), ERROR_IO_PENDING);
    CloseHandle(pair[1]);
    CHECK_FAILED_PACKET(port, ERROR_BROKEN_PIPE, 0, 3, &ov[0]);
    CHECK_FAILED_PACKET(port, ERROR_BROKEN_PIPE, 0, 3, &ov[1]);
    CloseHandle(pair[0]);
    CloseHandle(port);
}

/* ---- waiting writes ---- */

TEST(a_large_write_pends, "PIPE-20")
{
    for (int mode = 0; mode < 2; mode++) {
        HANDLE pair[2];
        OVERLAPPED write = {.hEvent = manual_event()}, read = {.hEvent = manual_event()};
        DWORD bytes, done = 0;
        REQUIRE(pipe_pair(pair, FILE_FLAG_OVERLAPPED, mode ? PIPE_TYPE_MESSAGE : 0));
        fill_big();
        memset(back, 0, sizeof back);
        CHECK_EQ(write_now(pair[0], big, BIG, &bytes, &write), ERROR_IO_PENDING);
        CHECK(!is_set(write.hEvent));
        while (done < BIG) {
            bytes = 0;
            read_now(pair[1], back + done, 60000, &bytes, &read);
            if (!GetOverlappedResult(pair[1], &read, &bytes, TRUE) || bytes == 0)
                break;
            done += bytes;
        }
        CHECK_EQ(done, BIG);
        CHECK_MEM(back, big, BIG);
        CHECK_ANSWER(pair[0], &write, 0, BIG);
        close_pipe(pair);
        CloseHandle(write.hEvent);
        CloseHandle(read.hEvent);
    }
}

/* A write that pends ends when the reader goes. */
TEST(the_reader_goes, "PIPE-19 PIPE-20")
{
    HANDLE pair[2];
    OVERLAPPED ov = {.hEvent = manual_event()};
    DWORD bytes;
    REQUIRE(pipe_pair(pair, FILE_FLAG_OVERLAPPED, 0));
    CHECK_EQ(write_now(pair[0], big, BIG, &bytes, &ov), ERROR_IO_PENDING);
    CloseHandle(pair[1]);
    CHECK(!GetOverlappedResult(pair[0], &ov, &bytes, TRUE));
    CHECK_MSG(GetLastError() == ERROR_NO_DATA || GetLastError() == ERROR_BROKEN_PIPE, "error %u",
              (unsigned)GetLastError());
    CloseHandle(pair[0]);
    CloseHandle(ov.hEvent);
}

TEST(directions_do_not_wait_for_each_other, "PIPE-21")
{
    HANDLE pair[2];
    OVERLAPPED read = {.hEvent = manual_event()}, write = {.hEvent = manual_event()};
    DWORD bytes;
    char data[8];
    REQUIRE(pipe_pair(pair, FILE_FLAG_OVERLAPPED, 0));
    CHECK_EQ(read_now(pair[0], data, 8, &bytes, &read), ERROR_IO_PENDING);
    write_now(pair[0], "out", 3, &bytes, &write);
    CHECK_ANSWER(pair[0], &write, 0, 3);
    CHECK(!is_set(read.hEvent));
    CHECK_EQ(write_now(pair[0], big, BIG, &bytes, &write), ERROR_IO_PENDING);
    CHECK(put(pair[1], "in", 2)); /* a reader that pends is served while a writer pends */
    CHECK_ANSWER(pair[0], &read, 0, 2);
    CHECK(!is_set(write.hEvent));
    close_pipe(pair);
    CloseHandle(read.hEvent);
    CloseHandle(write.hEvent);
}

/* ---- order, cancelling ---- */

TEST(reads_are_served_in_order, "PIPE-12 CANCEL-02")
{
    HANDLE pair[2], port = new_port(0);
    OVERLAPPED ov[4] = {{0}};
    char data[4][8];
    DWORD bytes;
    REQUIRE(pipe_pair(pair, FILE_FLAG_OVERLAPPED, MESSAGES));
    CHECK(CreateIoCompletionPort(pair[0], port, 3, 0) == port);
    for (int i = 0; i < 4; i++)
        CHECK_EQ(read_now(pair[0], data[i], 8, &bytes, &ov[i]), ERROR_IO_PENDING);
    CHECK(CancelIoEx(pair[0], &ov[1]));
    CHECK_FAILED_PACKET(port, ERROR_OPERATION_ABORTED, 0, 3, &ov[1]);
    CHECK(put(pair[1], "a", 1));
    CHECK(put(pair[1], "bb", 2));
    CHECK(put(pair[1], "ccc", 3));
    CHECK_PACKET(port, 1, 3, &ov[0]);
    CHECK_PACKET(port, 2, 3, &ov[2]);
    CHECK_PACKET(port, 3, 3, &ov[3]);
    CHECK(data[0][0] == 'a' && data[2][0] == 'b' && data[3][0] == 'c');
    close_pipe(pair);
    CloseHandle(port);
}

/* A read that waits for the rest of a message and is cancelled leaves the message as it was. */
TEST(a_cancelled_read_loses_nothing, "PIPE-12 CANCEL-05")
{
    HANDLE pair[2];
    OVERLAPPED write = {.hEvent = manual_event()}, read = {.hEvent = manual_event()};
    DWORD bytes = 0, error, done = 0;
    REQUIRE(pipe_pair(pair, FILE_FLAG_OVERLAPPED, MESSAGES));
    fill_big();
    CHECK_EQ(write_now(pair[0], big, BIG, &bytes, &write), ERROR_IO_PENDING);
    for (int i = 0; i < 100 && done < BIG; i++) {
        bytes = 0;
        read_now(pair[1], back + done, i % 2 ? 40000 : 100000, &bytes, &read);
        CancelIoEx(pair[1], &read);
        error = GetOverlappedResult(pair[1], &read, &bytes, TRUE) ? 0 : GetLastError();
        CHECK(error == ERROR_OPERATION_ABORTED || error == ERROR_MORE_DATA || error == 0);
        done += error == ERROR_OPERATION_ABORTED ? 0 : bytes;
    }
    while (done < BIG) {
        read_now(pair[1], back + done, BIG, &bytes, &read);
        if (!GetOverlappedResult(pair[1], &read, &bytes, TRUE) || bytes == 0)
            break;
        done += bytes;
    }
    CHECK_EQ(done, BIG);
    CHECK_MEM(back, big, BIG);
    CHECK_ANSWER(pair[0], &write, 0, BIG);
    close_pipe(pair);
    CloseHandle(write.hEvent);
    CloseHandle(read.hEvent);
}

/* A write that is cancelled in the middle does not spoil what comes after it. */
TEST(a_cancelled_write_spoils_nothing, "PIPE-12 CANCEL-05")
{
    HANDLE pair[2];
    OVERLAPPED ov = {.hEvent = manual_event()}, mark = {.hEvent = manual_event()};
    DWORD bytes;
    int found = 0;
    REQUIRE(pipe_pair(pair, FILE_FLAG_OVERLAPPED, MESSAGES));
    fill_big();
    CHECK_EQ(write_now(pair[0], big, BIG, &bytes, &ov), ERROR_IO_PENDING);
    CHECK(CancelIoEx(pair[0], &ov));
    CHECK(!GetOverlappedResult(pair[0], &ov, &bytes, TRUE));
    CHECK_LASTERR(ERROR_OPERATION_ABORTED);
    for (int i = 0; i < 3 && !found; i++) { /* what was taken before may be read, or not */
        if (i == 0)
            write_now(pair[0], "a mark", 6, &bytes, &mark);
        CHECK(ReadFile(pair[1], back, BIG, &bytes, NULL));
        found = bytes == 6 && memcmp(back, "a mark", 6) == 0;
        if (!found)
            CHECK_MEM(back, big, bytes);
    }
    CHECK(found);
    CHECK_ANSWER(pair[0], &mark, 0, 6);
    close_pipe(pair);
    CloseHandle(ov.hEvent);
    CloseHandle(mark.hEvent);
}

static volatile LONG reader_id, reader_error;

THREAD_FN(read_blocking)
{
    char data[8];
    DWORD bytes;
    InterlockedExchange(&reader_id, (LONG)GetCurrentThreadId());
    InterlockedExchange(&reader_error, (LONG)read_now((HANDLE)arg, data, 8, &bytes, NULL));
    return 0;
}

static HANDLE blocked_reader(HANDLE pipe)
{
    HANDLE thread;
    reader_id = 0;
    reader_error = -1;
    thread = start_thread(read_blocking, pipe);
    CHECK(WITHIN(SOON, READ(reader_id)));
    until_asleep((DWORD)READ(reader_id));
    CHECK_EQ(READ(reader_error), -1);
    return thread;
}

/* Blocking reads are called back by thread, by handle, by the end and by DisconnectNamedPipe. */
TEST(blocked_reads_are_called_back, "CANCEL-08 PIPE-09 PIPE-18")
{
    static const DWORD errors[] = {ERROR_OPERATION_ABORTED, ERROR_OPERATION_ABORTED, ERROR_BROKEN_PIPE, 0};
    for (int way = 0; way < 4; way++) {
        HANDLE pair[2], thread;
        REQUIRE(pipe_pair(pair, 0, way % 2 ? MESSAGES : 0));
        thread = blocked_reader(pair[0]);
        if (way == 0)
            CHECK(CancelSynchronousIo(thread));
        else if (way == 1)
            CHECK(CancelIoEx(pair[0], NULL));
        else if (way == 2)
            CHECK(CloseHandle(pair[1]));
        else
            CHECK(put(pair[1], "x", 1));
        JOIN(thread);
        CHECK_EQ((DWORD)READ(reader_error), errors[way]);
        CloseHandle(pair[0]);
        if (way != 2)
            CloseHandle(pair[1]);
    }
}

/* Two read, one behind the other, and who is behind is called back as its turn comes: what was accepted as a
 * cancellation is one. */
TEST(called_back_as_its_turn_comes, "CANCEL-08")
{
    enum { ROUNDS = 2000 };
    HANDLE pair[2];
    int good = 1;
    double until = now_ms() + 1500;
    for (int i = 0; good && i < ROUNDS && now_ms() < until; i++) {
        BOOL accepted = FALSE;
        REQUIRE(pipe_pair(pair, 0, 0));
        HANDLE first = blocked_reader(pair[0]), second = blocked_reader(pair[0]);
        CHECK(put(pair[1], "x", 1));
        for (volatile int spin = i * 37 % 3000; spin > 0; spin--)
            ;
        while (!accepted && WaitForSingleObject(second, 0) == WAIT_TIMEOUT)
            accepted = CancelSynchronousIo(second);
        good = CHECK_EQ(WaitForSingleObject(second, SOON), WAIT_OBJECT_0);
        CloseHandle(pair[1]); /* whoever reads still */
        JOIN(second);
        JOIN(first);
        CloseHandle(pair[0]);
    }
}

TEST(disconnecting_calls_a_blocked_read_back, "PIPE-09")
{
    HANDLE pair[2], thread;
    REQUIRE(pipe_pair(pair, 0, 0));
    thread = blocked_reader(pair[1]);
    CHECK(DisconnectNamedPipe(pair[0]));
    JOIN(thread);
    CHECK_EQ((DWORD)READ(reader_error), ERROR_PIPE_NOT_CONNECTED);
    close_pipe(pair);
}

/* ---- routines, duplicates, events ---- */

static volatile LONG routine_runs, routine_error, routine_bytes;

static void CALLBACK routine(DWORD error, DWORD bytes, OVERLAPPED *ov)
{
    (void)ov;
    InterlockedIncrement(&routine_runs);
    routine_error = (LONG)error;
    routine_bytes = (LONG)bytes;
}

TEST(routines, "APC-01 PIPE-13")
{
    HANDLE pair[2];
    OVERLAPPED ov = {0};
    char data[8];
    REQUIRE(pipe_pair(pair, FILE_FLAG_OVERLAPPED, MESSAGES));
    routine_runs = 0;
    CHECK(ReadFileEx(pair[0], data, 4, &ov, routine));
    CHECK_EQ(SleepEx(0, TRUE), 0);
    CHECK_EQ(routine_runs, 0);
    CHECK(put(pair[1], "abcdef", 6));
    CHECK_EQ(SleepEx(SOON, TRUE), WAIT_IO_COMPLETION);
    CHECK(routine_runs == 1 && routine_error == ERROR_MORE_DATA && routine_bytes == 4);
    CHECK(WriteFileEx(pair[0], "answer", 6, &ov, routine));
    CHECK_EQ(SleepEx(SOON, TRUE), WAIT_IO_COMPLETION);
    CHECK(routine_runs == 2 && routine_error == 0 && routine_bytes == 6);
    CHECK_GET(pair[1], 8, 0, "answer");
    close_pipe(pair);
}

TEST(duplicates_are_the_same_pipe, "HANDLE-05 PIPE-18")
{
    HANDLE pair[2], other;
    REQUIRE(pipe_pair(pair, 0, MESSAGES));
    CHECK(DuplicateHandle(GetCurrentProcess(), pair[0], GetCurrentProcess(), &other, 0, FALSE,
                          DUPLICATE_SAME_ACCESS));
    CHECK(put(pair[0], "one", 3));
    CHECK(CloseHandle(pair[0]));
    CHECK(put(other, "two", 3));
    CHECK_GET(pair[1], 8, 0, "one");
    CHECK_GET(pair[1], 8, 0, "two");
    CHECK(put(pair[1], "back", 4));
    CHECK_GET(other, 8, 0, "back");
    CHECK(CloseHandle(other));
    CHECK_GET(pair[1], 8, ERROR_BROKEN_PIPE, "");
    CloseHandle(pair[1]);
}

/* ---- looking ---- */

static int looks(HANDLE pipe, DWORD size, const char *text, DWORD total, DWORD left)
{
    char data[64];
    DWORD read = 99, available = 99, rest = 99;
    return PeekNamedPipe(pipe, data, size, &read, &available, &rest) && read == strlen(text) &&
           memcmp(data, text, read) == 0 && available == total && rest == left;
}

TEST(looking_takes_nothing, "PIPE-23")
{
    HANDLE pair[2];
    REQUIRE(pipe_pair(pair, 0, MESSAGES));
    CHECK(looks(pair[1], 8, "", 0, 0));
    CHECK(put(pair[0], "hello", 5));
    CHECK(put(pair[0], "abc", 3));
    for (int i = 0; i < 2; i++) {
        CHECK(looks(pair[1], 2, "he", 8, 3));
        CHECK(looks(pair[1], 20, "hello", 8, 0));
        CHECK(looks(pair[1], 0, "", 8, 5));
    }
    CHECK_GET(pair[1], 2, ERROR_MORE_DATA, "he");
    CHECK(looks(pair[1], 1, "l", 6, 2));
    CHECK_GET(pair[1], 20, 0, "llo");
    CHECK(looks(pair[1], 20, "abc", 3, 0));
    CHECK_GET(pair[1], 20, 0, "abc");
    CHECK(looks(pair[1], 20, "", 0, 0));
    close_pipe(pair);
}

TEST(looking_at_bytes, "PIPE-23")
{
    HANDLE pair[2];
    DWORD total = 99;
    REQUIRE(pipe_pair(pair, 0, 0));
    CHECK(PeekNamedPipe(pair[1], NULL, 0, NULL, &total, NULL));
    CHECK_EQ(total, 0);
    CHECK(put(pair[0], "hello", 5));
    CHECK(put(pair[0], "abc", 3));
    CHECK(PeekNamedPipe(pair[1], NULL, 0, NULL, &total, NULL));
    CHECK_EQ(total, 8);
    CHECK_GET(pair[1], 20, 0, "helloabc");
    CHECK(PeekNamedPipe(pair[1], NULL, 0, NULL, NULL, NULL));
    close_pipe(pair);
}

/* ---- flushing ---- */

static volatile LONG flushed;

THREAD_FN(flush)
{
    InterlockedExchange(&reader_id, (LONG)GetCurrentThreadId());
    InterlockedExchange(&flushed, FlushFileBuffers((HANDLE)arg) ? 1 : -(LONG)GetLastError());
    return 0;
}

TEST(flushing_waits_for_the_reader, "PIPE-10")
{
    for (int mode = 0; mode < 2; mode++) {
        HANDLE pair[2], thread;
        REQUIRE(pipe_pair(pair, 0, mode ? MESSAGES : 0));
        CHECK(FlushFileBuffers(pair[0])); /* nothing to wait for */
        CHECK(put(pair[0], "abcdef", 6));
        CHECK(put(pair[0], "xyz", 3));
        flushed = reader_id = 0;
        thread = start_thread(flush, pair[0]);
        CHECK(WITHIN(SOON, READ(reader_id)));
        until_asleep((DWORD)READ(reader_id));
        CHECK_EQ(READ(flushed), 0);
        if (mode == 0) {
            CHECK_GET(pair[1], 8, 0, "abcdefxy");
        } else {
            CHECK_GET(pair[1], 3, ERROR_MORE_DATA, "abc");
            CHECK_GET(pair[1], 3, 0, "def");
        }
        CHECK_EQ(WaitForSingleObject(thread, 30), WAIT_TIMEOUT);
        CHECK_EQ(READ(flushed), 0);
        CHECK_GET(pair[1], 8, 0, mode ? "xyz" : "z");
        JOIN(thread);
        CHECK_EQ(READ(flushed), 1);
        close_pipe(pair);
    }
}

static HANDLE blocked_flush(HANDLE pipe)
{
    HANDLE thread;
    flushed = reader_id = 0;
    thread = start_thread(flush, pipe);
    CHECK(WITHIN(SOON, READ(reader_id)));
    until_asleep((DWORD)READ(reader_id));
    CHECK_EQ(READ(flushed), 0);
    return thread;
}

/* What is not read: the other end goes, the server disconnects, the thread is called back, its handle closed.
 * A client flushes, too. */
TEST(flushing_ends_otherwise, "PIPE-10 CANCEL-08 PIPE-09")
{
    for (int i = 0; i < 12; i++) {
        HANDLE pair[2], thread, mine, other;
        DWORD error = i % 4 == 0 ? ERROR_BROKEN_PIPE : ERROR_OPERATION_ABORTED;
        REQUIRE(pipe_pair(pair, 0, i & 4 ? MESSAGES : 0));
        mine = pair[i >= 8];
        other = pair[i < 8];
        CHECK(put(mine, "abc", 3));
        thread = blocked_flush(mine);
        if (i % 4 == 0) {
            CHECK(CloseHandle(other));
        } else if (i % 4 == 1) {
            CHECK(DisconnectNamedPipe(pair[0]));
            error = ERROR_PIPE_NOT_CONNECTED;
        } else if (i % 4 == 2) {
            CHECK(CancelSynchronousIo(thread));
        } else {
            CHECK(CloseHandle(mine));
        }
        JOIN(thread);
        if (i % 4 == 3 && READ(flushed) == -ERROR_BROKEN_PIPE)
            error = ERROR_BROKEN_PIPE; /* as good: the page does not say */
        CHECK_EQ((DWORD)-READ(flushed), error);
        if (i % 4 != 3)
            CHECK(CloseHandle(mine));
        if (i % 4 != 0)
            CHECK(CloseHandle(other));
    }
}

/* The last words of a server: written, flushed, disconnected; and the client has read them. */
THREAD_FN(read_slowly)
{
    char c;
    DWORD bytes;
    LONG count = 0;
    while (ReadFile((HANDLE)arg, &c, 1, &bytes, NULL) && bytes == 1)
        count++;
    InterlockedExchange(&flushed, count);
    InterlockedExchange(&reader_error, (LONG)GetLastError());
    return 0;
}

TEST(flush_then_disconnect, "PIPE-10 PIPE-09")
{
    HANDLE pair[2], thread;
    REQUIRE(pipe_pair(pair, 0, 0));
    flushed = 0;
    CHECK(put(pair[0], big, 3000));
    thread = start_thread(read_slowly, pair[1]);
    CHECK(FlushFileBuffers(pair[0]));
    CHECK(DisconnectNamedPipe(pair[0]));
    JOIN(thread);
    CHECK_EQ(READ(flushed), 3000);
    CHECK_EQ((DWORD)READ(reader_error), ERROR_PIPE_NOT_CONNECTED);
    close_pipe(pair);
}

/* ---- transactions ---- */

/* Answers each message with itself in brackets, until the client goes. */
THREAD_FN(serve)
{
    HANDLE server = arg;
    char data[256];
    DWORD bytes;
    ConnectNamedPipe(server, NULL);
    while (ReadFile(server, data + 1, sizeof data - 2, &bytes, NULL)) {
        data[0] = '[';
        data[bytes + 1] = ']';
        if (!put(server, data, bytes + 2))
            break;
    }
    CHECK_LASTERR(ERROR_BROKEN_PIPE);
    DisconnectNamedPipe(server);
    return 0;
}

TEST(transactions, "PIPE-22")
{
    HANDLE server = new_server(PIPE_ACCESS_DUPLEX, MESSAGES), client = new_client(0);
    HANDLE thread = start_thread(serve, server);
    char reply[64];
    DWORD bytes = 99;
    CHECK_ERR(TransactNamedPipe(client, "bytes", 5, reply, 64, &bytes, NULL), ERROR_BAD_PIPE);
    CHECK(set_mode(client, PIPE_READMODE_MESSAGE));
    CHECK(TransactNamedPipe(client, "hello", 5, reply, 64, &bytes, NULL));
    CHECK_EQ(bytes, 7);
    CHECK_MEM(reply, "[hello]", 7);
    CHECK_ERR(TransactNamedPipe(client, "hello", 5, reply, 3, &bytes, NULL), ERROR_MORE_DATA);
    CHECK_EQ(bytes, 3);
    CHECK_ERR(TransactNamedPipe(client, "hello", 5, reply, 3, &bytes, NULL), ERROR_PIPE_BUSY);
    CHECK_GET(client, 64, 0, "llo]");
    CHECK(TransactNamedPipe(client, "", 0, reply, 64, &bytes, NULL));
    CHECK_EQ(bytes, 2);
    CloseHandle(client);
    JOIN(thread);
    CloseHandle(server);
}

TEST(overlapped_transactions, "PIPE-22")
{
    HANDLE server = new_server(PIPE_ACCESS_DUPLEX, MESSAGES), client = new_client(FILE_FLAG_OVERLAPPED);
    HANDLE port = new_port(0), thread;
    OVERLAPPED ov = {0};
    char reply[64];
    DWORD bytes = 99;
    BOOL ok;
    CHECK(set_mode(client, PIPE_READMODE_MESSAGE));
    CHECK(CreateIoCompletionPort(client, port, 3, 0) == port);
    CHECK_ERR(TransactNamedPipe(client, "hello", 5, reply, 64, &bytes, &ov), ERROR_IO_PENDING);
    CHECK_NO_PACKET(port, 10);
    thread = start_thread(serve, server);
    CHECK_PACKET(port, 7, 3, &ov);
    CHECK_MEM(reply, "[hello]", 7);
    ok = TransactNamedPipe(client, "more", 4, reply, 2, &bytes, &ov);
    CHECK(!ok && (GetLastError() == ERROR_IO_PENDING || GetLastError() == ERROR_MORE_DATA));
    CHECK_FAILED_PACKET(port, ERROR_MORE_DATA, 2, 3, &ov);
    CHECK(ReadFile(client, reply, 64, &bytes, NULL) && bytes == 4);
    CHECK(TransactNamedPipe(client, "wait", 4, reply, 64, &bytes, NULL));
    CHECK_EQ(bytes, 6);
    CHECK_NO_PACKET(port, 10);
    CloseHandle(client);
    JOIN(thread);
    CloseHandle(server);
    CloseHandle(port);
}

TEST(a_cancelled_transaction, "PIPE-22 CANCEL-02")
{
    HANDLE pair[2], port = new_port(0);
    OVERLAPPED ov = {0};
    char reply[64];
    DWORD bytes;
    REQUIRE(pipe_pair(pair, FILE_FLAG_OVERLAPPED, MESSAGES));
    CHECK(CreateIoCompletionPort(pair[1], port, 3, 0) == port);
    CHECK_ERR(TransactNamedPipe(pair[1], "hello", 5, reply, 64, &bytes, &ov), ERROR_IO_PENDING);
    CHECK(CancelIoEx(pair[1], &ov));
    CHECK_FAILED_PACKET(port, ERROR_OPERATION_ABORTED, 0, 3, &ov);
    CHECK_GET(pair[0], 64, 0, "hello");
    close_pipe(pair);
    CloseHandle(port);
}

THREAD_FN(call_it)
{
    char reply[64];
    DWORD bytes = 0;
    CHECK(CallNamedPipeA(pipe_name, "call", 4, reply, 64, &bytes, 10000));
    CHECK_EQ(bytes, 6);
    CHECK_MEM(reply, "[call]", 6);
    return 0;
}

/* Open, transact, close; two callers for one instance, so one of them waits for it. */
TEST(calling, "PIPE-22 PIPE-08")
{
    HANDLE server = server_of(pipe_name, PIPE_ACCESS_DUPLEX, MESSAGES, 1);
    HANDLE callers[2] = {start_thread(call_it, NULL), start_thread(call_it, NULL)};
    DWORD bytes;
    for (int i = 0; i < 2; i++) {
        HANDLE thread = start_thread(serve, server);
        JOIN(thread);
    }
    JOIN(callers[0]);
    JOIN(callers[1]);
    CloseHandle(server);
    TODO_WINE("Wine 8 waits for a pipe that does not exist")
    {
        CHECK_ERR(CallNamedPipeA(pipe_name, "x", 1, &bytes, 4, &bytes, NMPWAIT_NOWAIT),
                  ERROR_FILE_NOT_FOUND);
    }
}

/* ---- no waiting ---- */

TEST(no_waiting, "PIPE-25")
{
    HANDLE pair[2];
    DWORD bytes = 99;
    REQUIRE(pipe_pair(pair, 0, 0));
    CHECK(set_mode(pair[0], PIPE_NOWAIT));
    CHECK(set_mode(pair[1], PIPE_NOWAIT));
    CHECK_GET(pair[1], 8, ERROR_NO_DATA, "");
    TODO_WINE("Wine 8 waits for room")
    {
        if (!conform_wine) {
            CHECK(WriteFile(pair[0], big, BIG, &bytes, NULL));
            CHECK_MSG(bytes > 0 && bytes < BIG, "%u bytes", (unsigned)bytes);
            CHECK(WriteFile(pair[0], big, BIG, &bytes, NULL));
            CHECK_EQ(bytes, 0);
        }
    }
    CHECK(set_mode(pair[1], PIPE_WAIT));
    close_pipe(pair);
    if (conform_wine)
        return;
    REQUIRE(pipe_pair(pair, 0, MESSAGES));
    CHECK(set_mode(pair[0], PIPE_NOWAIT | PIPE_READMODE_MESSAGE));
    CHECK(WriteFile(pair[0], big, BIG, &bytes, NULL)); /* whole, or nothing */
    CHECK_EQ(bytes, 0);
    CHECK(put(pair[0], "fits", 4));
    CHECK_GET(pair[1], 8, 0, "fits");
    CHECK_GET(pair[0], 8, ERROR_NO_DATA, "");
    close_pipe(pair);
}

/* ---- anonymous pipes ---- */

TEST(anonymous_pipes_block, "PIPE-26")
{
    HANDLE end[2], thread;
    DWORD bytes, done = 0;
    char c;
    REQUIRE(CreatePipe(&end[0], &end[1], NULL, 0));
    CHECK_EQ(GetFileType(end[0]), FILE_TYPE_PIPE);
    thread = blocked_reader(end[0]);
    CHECK(put(end[1], "x", 1));
    JOIN(thread);
    CHECK_EQ(READ(reader_error), 0);
    fill_big();
    memset(back, 0, sizeof back);
    thread = start_thread(put_big, end[1]);
    while (done < BIG && ReadFile(end[0], back + done, 100000, &bytes, NULL))
        done += bytes;
    JOIN(thread);
    CHECK_EQ(done, BIG);
    CHECK_MEM(back, big, BIG);
    CHECK(put(end[1], "last", 4));
    CHECK_ERR(ReadFile(end[1], &c, 1, &bytes, NULL), ERROR_ACCESS_DENIED);
    CHECK_ERR(WriteFile(end[0], &c, 1, &bytes, NULL), ERROR_ACCESS_DENIED);
    CloseHandle(end[1]);
    CHECK_GET(end[0], 8, 0, "last");
    CHECK_GET(end[0], 8, ERROR_BROKEN_PIPE, "");
    CloseHandle(end[0]);
}

TEST(anonymous_pipes_without_reader, "PIPE-26 PIPE-19")
{
    HANDLE end[2];
    DWORD bytes;
    REQUIRE(CreatePipe(&end[0], &end[1], NULL, 4096));
    CloseHandle(end[0]);
    CHECK(!WriteFile(end[1], "x", 1, &bytes, NULL));
    CHECK(GetLastError() == ERROR_NO_DATA || GetLastError() == ERROR_BROKEN_PIPE);
    CloseHandle(end[1]);
}

TEST(asking_anonymous_pipes, "PIPE-26 PIPE-23 PIPE-25")
{
    HANDLE end[2];
    DWORD read = 99, total = 99, flags = 99, max = 99;
    char data[8];
    REQUIRE(CreatePipe(&end[0], &end[1], NULL, 0));
    CHECK(PeekNamedPipe(end[0], data, 8, &read, &total, NULL) && read == 0 && total == 0);
    CHECK(put(end[1], "hello", 5));
    CHECK(PeekNamedPipe(end[0], data, 3, &read, &total, NULL) && read == 3 && total == 5);
    CHECK_MEM(data, "hel", 3);
    CHECK(PeekNamedPipe(end[0], data, 8, &read, &total, NULL) && read == 5 && total == 5);
    CHECK_GET(end[0], 8, 0, "hello");
    CHECK(GetNamedPipeInfo(end[0], &flags, NULL, NULL, &max));
    CHECK(flags == (PIPE_SERVER_END | PIPE_TYPE_BYTE) && max == 1);
    CHECK(GetNamedPipeInfo(end[1], &flags, NULL, NULL, NULL) && flags == PIPE_CLIENT_END);
    CHECK(set_mode(end[0], PIPE_NOWAIT));
    CHECK_GET(end[0], 8, ERROR_NO_DATA, "");
    CHECK(set_mode(end[0], PIPE_WAIT));
    CHECK(!set_mode(end[0], PIPE_READMODE_MESSAGE));
    CHECK_LASTERR(ERROR_INVALID_PARAMETER);
    CloseHandle(end[1]);
    CHECK_ERR(PeekNamedPipe(end[0], NULL, 0, NULL, &total, NULL), ERROR_BROKEN_PIPE);
    CHECK_GET(end[0], 8, ERROR_BROKEN_PIPE, "");
    CloseHandle(end[0]);
}

TEST(blocked_anonymous_reads_are_called_back, "PIPE-26 CANCEL-08")
{
    for (int way = 0; way < 2; way++) {
        HANDLE end[2], thread;
        REQUIRE(CreatePipe(&end[0], &end[1], NULL, 0));
        thread = blocked_reader(end[0]);
        CHECK(way ? CancelIoEx(end[0], NULL) : CancelSynchronousIo(thread));
        JOIN(thread);
        CHECK_EQ(READ(reader_error), ERROR_OPERATION_ABORTED);
        CloseHandle(end[0]);
        CloseHandle(end[1]);
    }
}

TEST(anonymous_pipes_inherit, "PIPE-26 HANDLE-07")
{
    SECURITY_ATTRIBUTES inherit = {sizeof inherit, NULL, TRUE};
    HANDLE end[2];
    DWORD flags = 0;
    for (int i = 0; i < 2; i++) {
        REQUIRE(CreatePipe(&end[0], &end[1], i ? &inherit : NULL, 0));
        for (int k = 0; k < 2; k++) {
            CHECK(GetHandleInformation(end[k], &flags));
            CHECK_EQ(flags, i ? HANDLE_FLAG_INHERIT : 0);
            CloseHandle(end[k]);
        }
    }
}

/* ---- descriptors ---- */

/* A copy of an end's descriptor is an end as well, until the last of them is closed. */
TEST(copies_of_a_descriptor, "PIPE-18")
{
    for (int second = 0; second < 2; second++) {
        HANDLE server = new_server(PIPE_ACCESS_DUPLEX, 0), client = new_client(0);
        int fd = _open_osfhandle((intptr_t)client, 0), copy = second ? _dup(fd) : -1;
        char data[8];
        DWORD n = 0;
        CHECK(fd >= 0);
        if (!second) {
            copy = _dup(0); /* a number, to be written over */
            CHECK_EQ(_dup2(fd, copy), 0);
        }
        CHECK(copy >= 0 && copy != fd);
        CHECK_EQ(_close(fd), 0);
        CHECK_EQ(_write(copy, "still", 5), 5);
        CHECK(ReadFile(server, data, sizeof data, &n, NULL));
        CHECK_EQ(n, 5);
        CHECK_EQ(_close(copy), 0);
        CHECK_ERR(ReadFile(server, data, sizeof data, &n, NULL), ERROR_BROKEN_PIPE);
        CloseHandle(server);
    }
}

TEST(messages_by_descriptor, "PIPE-12")
{
    HANDLE pair[2];
    char data[16];
    DWORD n = 0;
    if (!pipe_pair(pair, 0, MESSAGES))
        return;
    int fd = _open_osfhandle((intptr_t)pair[1], _O_BINARY);
    CHECK(fd >= 0);
    CHECK_EQ(_write(fd, "one", 3), 3);
    CHECK_EQ(_write(fd, "two", 3), 3);
    CHECK(ReadFile(pair[0], data, sizeof data, &n, NULL));
    CHECK(n == 3 && memcmp(data, "one", 3) == 0);
    CHECK(ReadFile(pair[0], data, sizeof data, &n, NULL));
    CHECK(n == 3 && memcmp(data, "two", 3) == 0);
    CHECK(WriteFile(pair[0], "three", 5, &n, NULL));
    CHECK_EQ(_read(fd, data, sizeof data), 5);
    CHECK(memcmp(data, "three", 5) == 0);
    CloseHandle(pair[0]);
    CHECK_EQ(_read(fd, data, sizeof data), 0);
    CHECK_EQ(_write(fd, "four", 4), -1);
    CHECK_EQ(_close(fd), 0);
}
