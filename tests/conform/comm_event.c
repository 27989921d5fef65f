/* SPDX-License-Identifier: MIT */
/* Events of serial lines: SetCommMask and WaitCommEvent. */
#include "conform.h"
#include "packet.h"
#include "comm_line.h"

TEST(event_on_a_port, "COMM-07")
{
    LINE(line, FILE_FLAG_OVERLAPPED);
    HANDLE port = CreateIoCompletionPort(line.port, NULL, 5, 1);
    OVERLAPPED ov = {0}, read = {0};
    DWORD mask = 0xDEAD, bytes = 0;
    char data[16];
    REQUIRE(port != NULL);
    CHECK(set_read_timeouts(line.port, MAXDWORD, 0, 0));
    CHECK(SetCommMask(line.port, EV_RXCHAR));
    CHECK(GetCommMask(line.port, &bytes));
    CHECK_EQ(bytes, EV_RXCHAR);
    for (int i = 0; i < 10; i++) {
        mask = 0xDEAD;
        CHECK_ERR(WaitCommEvent(line.port, &mask, &ov), ERROR_IO_PENDING);
        CHECK(line_far_write(&line, "k", 1));
        struct got g = get_packet(port, SOON);
        CHECK(g.ok && g.ov == &ov && g.key == 5);
        CHECK_EQ(mask, EV_RXCHAR);
        read.hEvent = NULL;
        CHECK(ReadFile(line.port, data, sizeof data, NULL, &read) || GetLastError() == ERROR_IO_PENDING);
        CHECK_PACKET(port, 1, 5, &read);
        CHECK_EQ(data[0], 'k');
    }
    CHECK(CloseHandle(port));
    line_end(&line);
}

/* The mask is set, and a wait pends, before the line belongs to a port. */
TEST(port_comes_later, "COMM-07")
{
    LINE(line, FILE_FLAG_OVERLAPPED);
    OVERLAPPED ov = {0};
    DWORD mask = 0xDEAD;
    CHECK(SetCommMask(line.port, EV_RXCHAR));
    CHECK_ERR(WaitCommEvent(line.port, &mask, &ov), ERROR_IO_PENDING);
    HANDLE port = CreateIoCompletionPort(line.port, NULL, 8, 1);
    REQUIRE(port != NULL);
    CHECK(line_far_write(&line, "k", 1));
    CHECK(WITHIN(SOON, HasOverlappedIoCompleted(&ov)));
    CHECK_EQ(mask, EV_RXCHAR);
    CHECK_PACKET(port, sizeof mask, 8, &ov);
    CHECK_ERR(WaitCommEvent(line.port, &mask, &ov), ERROR_IO_PENDING);
    CHECK(line_far_write(&line, "l", 1));
    CHECK_PACKET(port, sizeof mask, 8, &ov);
    CHECK(CloseHandle(port));
    line_end(&line);
}

/* What happened since the mask was set is told at once; what is told is not told again. */
TEST(event_before_the_wait, "COMM-07")
{
    LINE(line, FILE_FLAG_OVERLAPPED);
    OVERLAPPED ov = {.hEvent = manual_event()};
    COMSTAT state;
    DWORD mask = 0, bytes;
    CHECK(SetCommMask(line.port, EV_RXCHAR));
    CHECK(line_far_write(&line, "abc", 3));
    CHECK(WITHIN(SOON, ClearCommError(line.port, NULL, &state) && state.cbInQue == 3));
    BOOL ok = WaitCommEvent(line.port, &mask, &ov);
    CHECK(ok || GetLastError() == ERROR_IO_PENDING);
    CHECK(GetOverlappedResult(line.port, &ov, &bytes, TRUE));
    CHECK_EQ(mask, EV_RXCHAR);
    CHECK_ERR(WaitCommEvent(line.port, &mask, &ov), ERROR_IO_PENDING);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, A_WHILE), WAIT_TIMEOUT);
    CHECK(SetCommMask(line.port, 0));
    CHECK_EQ(WaitForSingleObject(ov.hEvent, SOON), WAIT_OBJECT_0);
    CloseHandle(ov.hEvent);
    line_end(&line);
}

TEST(mask_ends_the_wait, "COMM-08")
{
    LINE(line, FILE_FLAG_OVERLAPPED);
    OVERLAPPED ov = {.hEvent = manual_event()};
    DWORD mask, bytes;
    CHECK(SetCommMask(line.port, EV_RXCHAR | EV_TXEMPTY));
    for (DWORD next = 0; next <= EV_RXCHAR; next += EV_RXCHAR) {
        mask = 0xDEAD;
        CHECK_ERR(WaitCommEvent(line.port, &mask, &ov), ERROR_IO_PENDING);
        CHECK_EQ(WaitForSingleObject(ov.hEvent, 0), WAIT_TIMEOUT);
        CHECK(SetCommMask(line.port, next));
        CHECK_EQ(WaitForSingleObject(ov.hEvent, SOON), WAIT_OBJECT_0);
        CHECK(GetOverlappedResult(line.port, &ov, &bytes, FALSE));
        CHECK_EQ(mask, 0);
        if (next == 0) {
            CHECK_ERR(WaitCommEvent(line.port, &mask, &ov), ERROR_INVALID_PARAMETER); /* no mask */
            CHECK(SetCommMask(line.port, EV_RXCHAR));
        }
    }
    CloseHandle(ov.hEvent);
    line_end(&line);
}

TEST(one_wait_at_a_time, "COMM-07 COMM-08")
{
    LINE(line, FILE_FLAG_OVERLAPPED);
    OVERLAPPED first = {.hEvent = manual_event()}, second = {.hEvent = manual_event()};
    DWORD mask, other;
    CHECK(SetCommMask(line.port, EV_RXCHAR));
    CHECK_ERR(WaitCommEvent(line.port, &mask, &first), ERROR_IO_PENDING);
    CHECK_ERR(WaitCommEvent(line.port, &other, &second), ERROR_INVALID_PARAMETER);
    CHECK_EQ(WaitForSingleObject(first.hEvent, 0), WAIT_TIMEOUT);
    CHECK(line_far_write(&line, "1", 1));
    CHECK_EQ(WaitForSingleObject(first.hEvent, SOON), WAIT_OBJECT_0);
    CHECK_EQ(mask, EV_RXCHAR);
    CloseHandle(first.hEvent);
    CloseHandle(second.hEvent);
    line_end(&line);
}

TEST(wait_is_called_back, "COMM-07")
{
    LINE(line, FILE_FLAG_OVERLAPPED);
    OVERLAPPED ov = {.hEvent = manual_event()};
    DWORD mask = 0xDEAD, bytes;
    CHECK(SetCommMask(line.port, EV_RXCHAR));
    CHECK_ERR(WaitCommEvent(line.port, &mask, &ov), ERROR_IO_PENDING);
    CHECK(CancelIoEx(line.port, &ov));
    CHECK_EQ(WaitForSingleObject(ov.hEvent, SOON), WAIT_OBJECT_0);
    CHECK_ERR(GetOverlappedResult(line.port, &ov, &bytes, FALSE), ERROR_OPERATION_ABORTED);
    CHECK_ERR(WaitCommEvent(line.port, &mask, &ov), ERROR_IO_PENDING);
    CHECK(CloseHandle(line.port));
    line.port = INVALID_HANDLE_VALUE;
    CHECK_EQ(WaitForSingleObject(ov.hEvent, SOON), WAIT_OBJECT_0);
    CloseHandle(ov.hEvent);
    line_end(&line);
}

/* The event character, among others, before and after bytes that a read has taken. */
TEST_W8(event_character, "COMM-07", "EV_RXFLAG never comes")
{
    LINE(line, FILE_FLAG_OVERLAPPED);
    OVERLAPPED ov = {.hEvent = manual_event()}, read = {.hEvent = manual_event()};
    DWORD mask = 0xDEAD, bytes = 0;
    char data[16];
    DCB dcb;
    REQUIRE(GetCommState(line.port, &dcb));
    dcb.EvtChar = '\n';
    CHECK(SetCommState(line.port, &dcb));
    CHECK(set_read_timeouts(line.port, MAXDWORD, 0, 0));
    CHECK(SetCommMask(line.port, EV_RXFLAG));
    CHECK_ERR(WaitCommEvent(line.port, &mask, &ov), ERROR_IO_PENDING);
    CHECK(line_far_write(&line, "abc", 3));
    CHECK_EQ(WaitForSingleObject(ov.hEvent, A_WHILE), WAIT_TIMEOUT);
    CHECK(line_far_write(&line, "de\nf", 4));
    CHECK_EQ(WaitForSingleObject(ov.hEvent, SOON), WAIT_OBJECT_0);
    CHECK_EQ(mask, EV_RXFLAG);
    CHECK(ReadFile(line.port, data, sizeof data, NULL, &read) || GetLastError() == ERROR_IO_PENDING);
    CHECK(GetOverlappedResult(line.port, &read, &bytes, TRUE));
    CHECK_EQ(bytes, 7);
    CHECK_MEM(data, "abcde\nf", 7);
    /* a read that pends gets its bytes all the same */
    CHECK(set_read_timeouts(line.port, 0, 0, 0));
    CHECK_ERR(ReadFile(line.port, data, 3, NULL, &read), ERROR_IO_PENDING);
    CHECK_ERR(WaitCommEvent(line.port, &mask, &ov), ERROR_IO_PENDING);
    CHECK(line_far_write(&line, "12\n", 3));
    CHECK(GetOverlappedResult(line.port, &read, &bytes, TRUE));
    CHECK_MEM(data, "12\n", 3);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, SOON), WAIT_OBJECT_0);
    CHECK_EQ(mask, EV_RXFLAG);
    CloseHandle(ov.hEvent);
    CloseHandle(read.hEvent);
    line_end(&line);
}

TEST(last_byte_sent, "COMM-07")
{
    LINE(line, FILE_FLAG_OVERLAPPED);
    OVERLAPPED ov = {.hEvent = manual_event()}, write = {.hEvent = manual_event()};
    DWORD mask = 0xDEAD, bytes;
    char data[8];
    CHECK(SetCommMask(line.port, EV_TXEMPTY));
    CHECK_ERR(WaitCommEvent(line.port, &mask, &ov), ERROR_IO_PENDING);
    CHECK(WriteFile(line.port, "abcd", 4, NULL, &write) || GetLastError() == ERROR_IO_PENDING);
    CHECK(GetOverlappedResult(line.port, &write, &bytes, TRUE));
    CHECK_EQ(line_far_read(&line, data, 4, 1000), 4);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, SOON), WAIT_OBJECT_0);
    CHECK_EQ(mask, EV_TXEMPTY);
    CloseHandle(ov.hEvent);
    CloseHandle(write.hEvent);
    line_end(&line);
}

THREAD_FN(wait_blocking)
{
    struct line *line = arg;
    DWORD mask = 0xDEAD;
    CHECK(WaitCommEvent(line->port, &mask, NULL));
    return mask;
}

TEST(blocking_wait, "COMM-07")
{
    LINE(line, 0);
    DWORD mask = 0;
    CHECK(SetCommMask(line.port, EV_RXCHAR));
    HANDLE thread = start_thread(wait_blocking, &line);
    until_asleep(GetThreadId(thread));
    CHECK_EQ(WaitForSingleObject(thread, A_WHILE), WAIT_TIMEOUT);
    CHECK(line_far_write(&line, "?", 1));
    CHECK_EQ(WaitForSingleObject(thread, SOON), WAIT_OBJECT_0);
    CHECK(GetExitCodeThread(thread, &mask));
    CHECK_EQ(mask, EV_RXCHAR);
    CHECK(CloseHandle(thread));
    line_end(&line);
}

#ifdef __linux__
TEST(blocking_wait_is_called_back, "COMM-08")
{
    LINE(line, 0);
    struct line *l = &line;
    DWORD mask = 1;
    CHECK(SetCommMask(line.port, EV_RXCHAR));
    HANDLE thread = start_thread(wait_blocking, l);
    until_asleep(GetThreadId(thread));
    CHECK_EQ(WaitForSingleObject(thread, A_WHILE), WAIT_TIMEOUT);
    CHECK(SetCommMask(line.port, EV_TXEMPTY)); /* on Windows it would wait for its turn */
    CHECK_EQ(WaitForSingleObject(thread, SOON), WAIT_OBJECT_0);
    CHECK(GetExitCodeThread(thread, &mask));
    CHECK_EQ(mask, 0);
    CHECK(CloseHandle(thread));
    line_end(&line);
}
#endif

struct race {
    struct line *line;
    struct meeting meeting;
    int rounds;
};

THREAD_FN(race_feeder)
{
    struct race *race = arg;
    for (int i = 0; i < race->rounds; i++) {
        meet(&race->meeting);
        line_far_write(race->line, "r", 1);
        meet(&race->meeting);
    }
    return 0;
}

/* A byte, a new mask and a cancel race for one wait: it is answered exactly once. */
TEST(answered_once, "COMM-07 COMM-08")
{
    LINE(line, FILE_FLAG_OVERLAPPED);
    struct race race = {&line, {.need = 2}, 300};
    OVERLAPPED ov = {.hEvent = auto_event()};
    int by_event = 0, by_mask = 0, by_cancel = 0;
    DWORD mask, bytes;
    HANDLE thread = start_thread(race_feeder, &race);
    for (int i = 0; i < race.rounds; i++) {
        mask = 0xDEAD;
        CHECK(SetCommMask(line.port, 0) && PurgeComm(line.port, PURGE_RXCLEAR));
        CHECK(SetCommMask(line.port, EV_RXCHAR));
        CHECK_ERR(WaitCommEvent(line.port, &mask, &ov), ERROR_IO_PENDING);
        meet(&race.meeting);
        for (double until = now_ms() + rnd(rnd(3) ? 200 : 3000) / 1000.0; now_ms() < until;)
            SwitchToThread();
        if (i % 2)
            CHECK(SetCommMask(line.port, EV_RXCHAR));
        else
            CancelIoEx(line.port, &ov);
        CHECK_EQ(WaitForSingleObject(ov.hEvent, SOON), WAIT_OBJECT_0);
        BOOL ok = GetOverlappedResult(line.port, &ov, &bytes, FALSE);
        by_cancel += !ok && GetLastError() == ERROR_OPERATION_ABORTED;
        by_event += ok && mask == EV_RXCHAR;
        by_mask += ok && mask == 0;
        meet(&race.meeting);
        CHECK_EQ(WaitForSingleObject(ov.hEvent, 0), WAIT_TIMEOUT);
    }
    printf("# %d by event, %d by mask, %d cancelled\n", by_event, by_mask, by_cancel);
    CHECK_EQ(by_event + by_mask + by_cancel, race.rounds);
    JOIN(thread);
    CloseHandle(ov.hEvent);
    line_end(&line);
}
