/* SPDX-License-Identifier: MIT */
/*
 * Writes that are cancelled in the middle. A message is read whole or not at all; what a reader was given of
 * it with ERROR_MORE_DATA is all there ever is, and its next read gets the next message.
 */
#include "conform.h"
#include "packet.h"
#include "pipe.h"

#define BIG (4 << 20) /* more than any pipe holds */

static char big[BIG], back[BIG];

static void fill_big(void)
{
    for (int i = 0; i < BIG; i++)
        big[i] = (char)pattern((unsigned long long)i);
}

/* A message that does not fit is written, and called back. */
static void write_and_cancel(HANDLE pipe)
{
    OVERLAPPED ov = {.hEvent = manual_event()};
    DWORD bytes;
    CHECK_EQ(write_now(pipe, big, BIG, &bytes, &ov), ERROR_IO_PENDING);
    CHECK(CancelIoEx(pipe, &ov));
    CHECK_ANSWER(pipe, &ov, ERROR_OPERATION_ABORTED, 0);
    CloseHandle(ov.hEvent);
}

/* An overlapped read's answer: exactly this text. */
static void check_read(HANDLE pipe, OVERLAPPED *ov, const char *text)
{
    DWORD bytes = 99;
    CHECK(GetOverlappedResult(pipe, ov, &bytes, TRUE));
    CHECK_EQ(bytes, strlen(text));
    CHECK_MEM(back, text, strlen(text));
}

/* Both ways. */
TEST(the_next_message_is_whole, "PIPE-12 CANCEL-05")
{
    HANDLE pair[2];
    REQUIRE(pipe_pair(pair, FILE_FLAG_OVERLAPPED, MESSAGES));
    fill_big();
    for (int i = 0; i < 6; i++) {
        HANDLE writer = pair[i % 2], reader = pair[1 - i % 2];
        OVERLAPPED write = {.hEvent = manual_event()}, read = {.hEvent = manual_event()};
        DWORD bytes;
        int begun;
        write_and_cancel(writer);
        if (i >= 4)
            write_and_cancel(writer); /* one behind the other */
        begun = (int)write_now(writer, "a mark", 6, &bytes, &write);
        CHECK(begun == 0 || begun == ERROR_IO_PENDING);
        begun = (int)read_now(reader, back, BIG, &bytes, &read);
        CHECK(begun == 0 || begun == ERROR_IO_PENDING);
        check_read(reader, &read, "a mark");
        CHECK_ANSWER(writer, &write, 0, 6);
        CloseHandle(write.hEvent);
        CloseHandle(read.hEvent);
    }
    close_pipe(pair);
}

/* Nobody writes any more: a reader waits on, though it had some of it, and there is nothing to flush. */
TEST(a_read_waits_for_the_next, "PIPE-12 PIPE-10 PIPE-23")
{
    HANDLE pair[2];
    OVERLAPPED read = {.hEvent = manual_event()};
    DWORD bytes, total = 99;
    REQUIRE(pipe_pair(pair, FILE_FLAG_OVERLAPPED, MESSAGES));
    fill_big();
    write_and_cancel(pair[0]);
    CHECK_EQ(read_now(pair[1], back, BIG, &bytes, &read), ERROR_IO_PENDING);
    CHECK(FlushFileBuffers(pair[0]));
    CHECK_EQ(WaitForSingleObject(read.hEvent, A_WHILE), WAIT_TIMEOUT);
    CHECK(PeekNamedPipe(pair[1], NULL, 0, NULL, &total, NULL));
    CHECK_EQ(total, 0);
    CHECK(CancelIoEx(pair[1], &read));
    CHECK_ANSWER(pair[1], &read, ERROR_OPERATION_ABORTED, 0);
    CHECK(PeekNamedPipe(pair[1], NULL, 0, NULL, &total, NULL));
    CHECK_EQ(total, 0);
    CHECK_EQ(read_now(pair[1], back, BIG, &bytes, &read), ERROR_IO_PENDING);
    CHECK(put(pair[0], "x", 1));
    check_read(pair[1], &read, "x");
    close_pipe(pair);
    CloseHandle(read.hEvent);
}

/* A part of it was read already. */
TEST(the_rest_is_taken_back, "PIPE-13 CANCEL-05")
{
    HANDLE pair[2];
    OVERLAPPED write = {.hEvent = manual_event()}, read = {.hEvent = manual_event()};
    DWORD bytes = 99;
    REQUIRE(pipe_pair(pair, FILE_FLAG_OVERLAPPED, MESSAGES));
    fill_big();
    CHECK_EQ(write_now(pair[0], big, BIG, &bytes, &write), ERROR_IO_PENDING);
    CHECK(!ReadFile(pair[1], back, 10, NULL, &read));
    CHECK(!GetOverlappedResult(pair[1], &read, &bytes, TRUE));
    CHECK_LASTERR(ERROR_MORE_DATA);
    CHECK_EQ(bytes, 10);
    CHECK(CancelIoEx(pair[0], &write));
    CHECK_ANSWER(pair[0], &write, ERROR_OPERATION_ABORTED, 0);
    CHECK_EQ(read_now(pair[0], back, 0, &bytes, &write), ERROR_IO_PENDING); /* the other way goes on */
    CHECK(put(pair[1], "y", 1));
    CHECK(!GetOverlappedResult(pair[0], &write, &bytes, TRUE));
    CHECK_LASTERR(ERROR_MORE_DATA);
    ResetEvent(read.hEvent);
    CHECK(ReadFile(pair[1], back, BIG / 2, &bytes, &read) || GetLastError() == ERROR_IO_PENDING ||
          GetLastError() == ERROR_MORE_DATA);
    ResetEvent(write.hEvent);
    CHECK(WriteFile(pair[0], "next", 4, &bytes, &write) || GetLastError() == ERROR_IO_PENDING);
    check_read(pair[1], &read, "next");
    CHECK_ANSWER(pair[0], &write, 0, 4);
    close_pipe(pair);
    CloseHandle(write.hEvent);
    CloseHandle(read.hEvent);
}

/* The writer goes: cancelled before, or by that. The reader gets the end, and nothing of the message. */
TEST(the_writer_goes, "PIPE-18 CANCEL-07")
{
    for (int i = 0; i < 4; i++) {
        HANDLE pair[2];
        OVERLAPPED write = {.hEvent = manual_event()}, read = {.hEvent = manual_event()};
        DWORD bytes;
        REQUIRE(pipe_pair(pair, FILE_FLAG_OVERLAPPED, MESSAGES));
        fill_big();
        if (i & 1)
            CHECK_EQ(read_now(pair[1], back, 3, &bytes, &read), ERROR_IO_PENDING);
        CHECK(put(pair[0], "abc", 3));
        if (i & 1)
            check_read(pair[1], &read, "abc");
        if (i & 2)
            write_and_cancel(pair[0]);
        else
            CHECK_EQ(write_now(pair[0], big, BIG, &bytes, &write), ERROR_IO_PENDING);
        CHECK(CloseHandle(pair[0]));
        if (!(i & 2))
            CHECK_EQ(WaitForSingleObject(write.hEvent, SOON), WAIT_OBJECT_0);
        if (!(i & 1))
            CHECK_GET(pair[1], 4096, 0, "abc");
        ResetEvent(read.hEvent);
        bytes = read_now(pair[1], back, BIG, &bytes, &read);
        if (bytes == ERROR_IO_PENDING)
            CHECK_ANSWER(pair[1], &read, ERROR_BROKEN_PIPE, 0);
        else
            CHECK_EQ(bytes, ERROR_BROKEN_PIPE);
        CHECK(CloseHandle(pair[1]));
        CloseHandle(write.hEvent);
        CloseHandle(read.hEvent);
    }
}

static volatile LONG writer_id, writer_error;

THREAD_FN(write_blocking)
{
    DWORD bytes = 99;
    InterlockedExchange(&writer_id, (LONG)GetCurrentThreadId());
    InterlockedExchange(&writer_error, (LONG)write_now((HANDLE)arg, big, BIG, &bytes, NULL));
    CHECK_EQ(bytes, 0);
    return 0;
}

THREAD_FN(put_mark)
{
    CHECK(put((HANDLE)arg, "a mark", 6));
    return 0;
}

/* The same of a blocking write, called back by thread. */
TEST(a_blocking_write_is_taken_back, "CANCEL-08 PIPE-12")
{
    HANDLE pair[2], thread;
    REQUIRE(pipe_pair(pair, 0, MESSAGES));
    fill_big();
    for (int i = 0; i < 3; i++) {
        writer_id = 0;
        thread = start_thread(write_blocking, pair[0]);
        CHECK(WITHIN(SOON, LOOK(writer_id)));
        CHECK(WITHIN(SOON, CancelSynchronousIo(thread)));
        JOIN(thread);
        CHECK_EQ(LOOK(writer_error), ERROR_OPERATION_ABORTED);
        thread = start_thread(write_blocking, pair[0]);
        CHECK(WITHIN(SOON, CancelSynchronousIo(thread)));
        JOIN(thread);
        thread = start_thread(put_mark, pair[0]);
        CHECK(ReadFile(pair[1], back, BIG, (DWORD[]){0}, NULL));
        CHECK_MEM(back, "a mark", 6);
        JOIN(thread);
    }
    close_pipe(pair);
}

/* A transaction whose message does not get out. */
TEST(a_transaction_is_taken_back, "PIPE-22 CANCEL-05")
{
    HANDLE pair[2];
    OVERLAPPED ov = {.hEvent = manual_event()}, read = {.hEvent = manual_event()};
    char reply[8];
    DWORD bytes;
    REQUIRE(pipe_pair(pair, FILE_FLAG_OVERLAPPED, MESSAGES));
    fill_big();
    CHECK_ERR(TransactNamedPipe(pair[1], big, BIG, reply, sizeof reply, NULL, &ov), ERROR_IO_PENDING);
    CHECK(CancelIoEx(pair[1], &ov));
    CHECK_ANSWER(pair[1], &ov, ERROR_OPERATION_ABORTED, 0);
    ResetEvent(ov.hEvent);
    TODO_WINE("the message is there all the same")
    {
        CHECK_EQ(read_now(pair[0], back, BIG, &bytes, &read), ERROR_IO_PENDING);
        CHECK_ERR(TransactNamedPipe(pair[1], "ask", 3, reply, sizeof reply, NULL, &ov), ERROR_IO_PENDING);
        check_read(pair[0], &read, "ask");
    }
    CHECK(put(pair[0], "told", 4));
    CHECK_ANSWER(pair[1], &ov, 0, 4);
    CHECK_MEM(reply, "told", 4);
    close_pipe(pair);
    CloseHandle(ov.hEvent);
    CloseHandle(read.hEvent);
}

/* Who reads bytes has what was there; of a pipe of bytes what left stays. Then comes what was next. */
TEST(bytes_that_left_stay, "PIPE-11 CANCEL-05")
{
    for (int messages = 0; messages < 2; messages++) {
        HANDLE pair[2];
        OVERLAPPED write = {.hEvent = manual_event()};
        DWORD bytes, done = 0;
        REQUIRE(pipe_pair(pair, FILE_FLAG_OVERLAPPED, messages ? PIPE_TYPE_MESSAGE : 0));
        fill_big();
        CHECK_EQ(write_now(pair[0], big, BIG, &bytes, &write), ERROR_IO_PENDING);
        CHECK(CancelIoEx(pair[0], &write));
        CHECK(!GetOverlappedResult(pair[0], &write, &bytes, TRUE));
        CHECK_LASTERR(ERROR_OPERATION_ABORTED);
        ResetEvent(write.hEvent);
        CHECK(WriteFile(pair[0], "\xFF\xFE\xFD\xFC\xFB", 5, &bytes, &write) ||
              GetLastError() == ERROR_IO_PENDING);
        while (done < 5 || memcmp(back + done - 5, "\xFF\xFE\xFD\xFC\xFB", 5)) {
            if (!CHECK(ReadFile(pair[1], back + done, BIG - done, &bytes, NULL)))
                break;
            done += bytes;
        }
        CHECK_MEM(back, big, done - 5);
        CHECK_ANSWER(pair[0], &write, 0, 5);
        close_pipe(pair);
        CloseHandle(write.hEvent);
    }
}
