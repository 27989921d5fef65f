/* SPDX-License-Identifier: MIT */
/*
 * OVERLAPPED: what is in it when, its event, GetOverlappedResult in all its forms, and that nobody touches
 * it after the answer.
 */
#include "conform.h"
#include "packet.h"

/* An operation on a file may end in the call or later. */
#define STARTED(CALL) CHECK_MSG((CALL) || GetLastError() == ERROR_IO_PENDING, "%s fails", #CALL)

/* ---- starting ---- */

TEST(pending_is_997, "OVL-01")
{
    SOCKET pair[2];
    OVERLAPPED ov = {0}, file_ov = {0};
    char buffer[8], other[8];
    WSABUF buf = {sizeof buffer, buffer};
    DWORD flags = 0, bytes = 77;
    REQUIRE(tcp_pair(pair));
    ov.hEvent = manual_event();
    SetLastError(0);
    CHECK_EQ(WSARecv(pair[0], &buf, 1, NULL, &flags, &ov, NULL), SOCKET_ERROR);
    CHECK_EQ(GetLastError(), ERROR_IO_PENDING);
    CHECK_EQ(WSAGetLastError(), WSA_IO_PENDING);
    CHECK_EQ(WSA_IO_PENDING, 997);
    CHECK_EQ(ERROR_IO_PENDING, 997);

    /* The same through ReadFile: FALSE, and no bytes yet. */
    file_ov.hEvent = manual_event();
    CHECK_ERR(ReadFile((HANDLE)pair[1], other, sizeof other, &bytes, &file_ov), ERROR_IO_PENDING);
    CHECK_EQ(bytes, 0);

    CHECK(send_all(pair[1], "a", 1));
    CHECK(send_all(pair[0], "bc", 2));
    CHECK(GetOverlappedResult((HANDLE)pair[0], &ov, &bytes, TRUE));
    CHECK_EQ(bytes, 1);
    CHECK(GetOverlappedResult((HANDLE)pair[1], &file_ov, &bytes, TRUE));
    CHECK_EQ(bytes, 2);
    CHECK_MEM(other, "bc", 2);
    CloseHandle(ov.hEvent);
    CloseHandle(file_ov.hEvent);
    close_pair(pair);
}

/* Only the data, the OVERLAPPED and its event are in use until the end: all else is the caller's again. */
TEST(arguments_are_free_after_the_call, "OVL-01 OVL-13")
{
    SOCKET pair[2];
    OVERLAPPED ov = {.hEvent = manual_event()};
    char one[3] = "", two[5] = "", wrong[16] = "";
    DWORD bytes = 0;
    REQUIRE(ov.hEvent && tcp_pair(pair));
    WSABUF *bufs = malloc(2 * sizeof *bufs);
    DWORD *moved = malloc(sizeof *moved), *flags = calloc(1, sizeof *flags);
    REQUIRE(bufs && moved && flags);
    bufs[0] = (WSABUF){sizeof one, one};
    bufs[1] = (WSABUF){sizeof two, two};
    CHECK_EQ(WSARecv(pair[0], bufs, 2, moved, flags, &ov, NULL), SOCKET_ERROR);
    CHECK_LASTERR(WSA_IO_PENDING);
    bufs[0] = bufs[1] = (WSABUF){sizeof wrong, wrong};
    *moved = *flags = 0xABCDEF;
    CHECK(send_all(pair[1], "12345678", 8));
    CHECK_EQ(WaitForSingleObject(ov.hEvent, SOON), WAIT_OBJECT_0);
    CHECK(GetOverlappedResult((HANDLE)pair[0], &ov, &bytes, FALSE));
    CHECK_EQ(bytes, 8);
    CHECK_MEM(one, "123", 3);
    CHECK_MEM(two, "45678", 5);
    CHECK_EQ(*moved, 0xABCDEF);
    CHECK_EQ(*flags, 0xABCDEF);
    CHECK_EQ(wrong[0], 0);
    free(bufs);
    free(moved);
    free(flags);
    CloseHandle(ov.hEvent);
    close_pair(pair);
}

TEST(internal_is_the_status, "OVL-02 OVL-03 OVL-04")
{
    SOCKET pair[2];
    OVERLAPPED ov;
    char buffer[8];
    HANDLE event = manual_event();
    REQUIRE(event && tcp_pair(pair));
    for (int cancel = 0; cancel < 2; cancel++) {
        memset(&ov, 0, sizeof ov);
        ov.Internal = 0x12345; /* left from another life */
        ov.InternalHigh = 99;
        ov.hEvent = event;
        CHECK_EQ(start_recv(pair[0], buffer, sizeof buffer, &ov), WSA_IO_PENDING);
        CHECK_EQ((DWORD)ov.Internal, STATUS_PENDING);
        CHECK_EQ((DWORD)ov.Internal, 0x103);
        CHECK(!HasOverlappedIoCompleted(&ov));
        CHECK_EQ(WaitForSingleObject(event, 50), WAIT_TIMEOUT);
        CHECK_EQ((DWORD)ov.Internal, STATUS_PENDING);
        if (cancel)
            CHECK(CancelIoEx((HANDLE)pair[0], &ov));
        else
            CHECK(send_all(pair[1], "abc", 3));
        CHECK_EQ(WaitForSingleObject(event, SOON), WAIT_OBJECT_0);
        CHECK_EQ((DWORD)ov.Internal, cancel ? 0xC0000120 : 0);
        CHECK_EQ(ov.InternalHigh, cancel ? 0 : 3);
        CHECK(HasOverlappedIoCompleted(&ov));
    }
    /* At the end of the stream: success, and no bytes. */
    memset(&ov, 0, sizeof ov);
    ov.hEvent = event;
    ov.InternalHigh = 99;
    CHECK_EQ(start_recv(pair[0], buffer, sizeof buffer, &ov), WSA_IO_PENDING);
    CHECK_EQ(shutdown(pair[1], SD_SEND), 0);
    CHECK_EQ(WaitForSingleObject(event, SOON), WAIT_OBJECT_0);
    CHECK_EQ(ov.Internal, 0);
    CHECK_EQ(ov.InternalHigh, 0);
    CloseHandle(event);
    close_pair(pair);
}

TEST(internal_after_immediate_success, "OVL-02 OVL-03")
{
    SOCKET pair[2];
    char buffer[64];
    DWORD bytes = 0;
    OVERLAPPED ov = {.Internal = 0x12345, .InternalHigh = 99};
    HANDLE file = temp_file(40, FILE_FLAG_OVERLAPPED);
    REQUIRE(file != INVALID_HANDLE_VALUE && tcp_pair(pair));
    CHECK_EQ(start_send(pair[0], "abcde", 5, &ov), 0);
    CHECK_EQ(ov.Internal, 0);
    CHECK_EQ(ov.InternalHigh, 5);

    ov = (OVERLAPPED){.Internal = 0x12345, .InternalHigh = 99, .Offset = 30};
    STARTED(ReadFile(file, buffer, sizeof buffer, NULL, &ov)); /* crosses the end */
    CHECK(GetOverlappedResult(file, &ov, &bytes, TRUE));
    CHECK_EQ(bytes, 10);
    CHECK_EQ(ov.Internal, 0);
    CHECK_EQ(ov.InternalHigh, 10);

    ov = (OVERLAPPED){.Internal = 0x12345, .InternalHigh = 99, .Offset = 38};
    STARTED(WriteFile(file, buffer, 7, NULL, &ov));
    CHECK(GetOverlappedResult(file, &ov, &bytes, TRUE));
    CHECK_EQ(bytes, 7);
    CHECK_EQ(ov.Internal, 0);
    CHECK_EQ(ov.InternalHigh, 7);

    ov = (OVERLAPPED){.Internal = 0x12345, .InternalHigh = 99};
    STARTED(ReadFile(file, buffer, 0, NULL, &ov));
    CHECK(GetOverlappedResult(file, &ov, &bytes, TRUE));
    CHECK_EQ(ov.Internal, 0);
    CHECK_EQ(ov.InternalHigh, 0);
    CloseHandle(file);
    close_pair(pair);
}

TEST(completed_is_not_pending, "OVL-04")
{
    static const struct {
        ULONG_PTR internal;
        BOOL completed;
    } cases[] = {{0, TRUE}, {0x103, FALSE}, {0xC0000120, TRUE}, {0x80000005, TRUE}, {0x102, TRUE}, {1, TRUE}};
    for (unsigned i = 0; i < ARRAYSIZE(cases); i++) {
        OVERLAPPED ov = {.Internal = cases[i].internal};
        CHECK_EQ(!!HasOverlappedIoCompleted(&ov), cases[i].completed);
    }
}

/* Operations complete with nobody in a dequeue, a wait or a result call: two ways of looking. */
TEST(completes_on_its_own, "OVL-04 OVL-02")
{
    SOCKET pair[2];
    char buffer[8];
    for (int with_port = 0; with_port < 2; with_port++) {
        HANDLE port = new_port(1);
        REQUIRE(port && tcp_pair(pair));
        if (with_port)
            bind_port(port, pair[0], 1);
        OVERLAPPED ov = {0};
        CHECK_EQ(start_recv(pair[0], buffer, sizeof buffer, &ov), WSA_IO_PENDING);
        CHECK(!HasOverlappedIoCompleted(&ov));
        CHECK(send_all(pair[1], "abc", 3));
        CHECK(WITHIN(SOON, HasOverlappedIoCompleted(&ov)));
        CHECK_EQ(ov.InternalHigh, 3);
        CHECK_EQ(ov.Internal, 0);

        memset(&ov, 0, sizeof ov);
        CHECK_EQ(start_recv(pair[0], buffer, sizeof buffer, &ov), WSA_IO_PENDING);
        CHECK(send_all(pair[1], "de", 2));
        double end = now_ms() + SOON; /* no call at all: only the memory is read */
        while (__atomic_load_n(&ov.Internal, __ATOMIC_ACQUIRE) == STATUS_PENDING && now_ms() < end)
            continue;
        CHECK_EQ(__atomic_load_n(&ov.Internal, __ATOMIC_ACQUIRE), 0);
        CHECK_EQ(ov.InternalHigh, 2);
        close_pair(pair);
        CloseHandle(port);
    }
}

/* ---- events ---- */

TEST(start_resets_and_completion_sets, "OVL-05")
{
    SOCKET pair[2];
    char buffer[8];
    HANDLE file = temp_file(64, FILE_FLAG_OVERLAPPED);
    REQUIRE(file != INVALID_HANDLE_VALUE && tcp_pair(pair));
    for (int manual = 0; manual < 2; manual++) {
        OVERLAPPED ov = {.hEvent = CreateEventA(NULL, manual, TRUE, NULL)}; /* set before the start */
        CHECK_EQ(start_recv(pair[0], buffer, sizeof buffer, &ov), WSA_IO_PENDING);
        CHECK_EQ(WaitForSingleObject(ov.hEvent, 50), WAIT_TIMEOUT);
        CHECK(send_all(pair[1], "a", 1));
        CHECK_EQ(WaitForSingleObject(ov.hEvent, SOON), WAIT_OBJECT_0);
        CHECK_EQ(WaitForSingleObject(ov.hEvent, 0), manual ? WAIT_OBJECT_0 : WAIT_TIMEOUT);

        /* Finished inside the call: set as well, whatever it was before. */
        for (int before = 0; before < 2; before++) {
            HANDLE event = ov.hEvent;
            before ? SetEvent(event) : ResetEvent(event);
            ov = (OVERLAPPED){.hEvent = event};
            CHECK_EQ(start_send(pair[0], "b", 1, &ov), 0);
            CHECK_EQ(WaitForSingleObject(event, SOON), WAIT_OBJECT_0);
            ResetEvent(event);
            ov = (OVERLAPPED){.hEvent = event};
            STARTED(ReadFile(file, buffer, 8, NULL, &ov));
            CHECK_EQ(WaitForSingleObject(event, SOON), WAIT_OBJECT_0);
            CHECK_EQ(ov.InternalHigh, 8);
        }
        CloseHandle(ov.hEvent);
    }
    CloseHandle(file);
    close_pair(pair);
}

/* The event counts as used while the operation runs: closing its handle takes nothing from it. */
TEST(event_closed_during_the_operation, "OVL-05 OVL-18")
{
    SOCKET pair[2];
    char buffer[8];
    HANDLE twin = NULL, event = manual_event(), me = GetCurrentProcess();
    REQUIRE(event && tcp_pair(pair));
    REQUIRE(DuplicateHandle(me, event, me, &twin, 0, FALSE, DUPLICATE_SAME_ACCESS));
    OVERLAPPED ov = {.hEvent = event};
    CHECK_EQ(start_recv(pair[0], buffer, sizeof buffer, &ov), WSA_IO_PENDING);
    CHECK(CloseHandle(event));
    CHECK(!is_set(twin));
    CHECK(send_all(pair[1], "a", 1));
    CHECK_EQ(WaitForSingleObject(twin, SOON), WAIT_OBJECT_0);
    CHECK_EQ(ov.InternalHigh, 1);
    CloseHandle(twin);
    close_pair(pair);
}

TEST(no_event_the_handle_is_signalled, "OVL-11")
{
    SOCKET pair[2];
    char buffer[2][8];
    OVERLAPPED one = {0}, two = {0};
    DWORD bytes = 0;
    HANDLE file = temp_file(64, FILE_FLAG_OVERLAPPED);
    REQUIRE(file != INVALID_HANDLE_VALUE && tcp_pair(pair));
    for (int i = 0; i < 3; i++) {
        memset(&one, 0, sizeof one);
        CHECK_EQ(start_recv(pair[0], buffer[0], 8, &one), WSA_IO_PENDING);
        CHECK_EQ(WaitForSingleObject((HANDLE)pair[0], 50), WAIT_TIMEOUT);
        CHECK(send_all(pair[1], "abc", 3));
        CHECK_EQ(WaitForSingleObject((HANDLE)pair[0], SOON), WAIT_OBJECT_0);
        CHECK(HasOverlappedIoCompleted(&one));
        CHECK_EQ(WaitForSingleObject((HANDLE)pair[0], 0), WAIT_OBJECT_0); /* until the next start */
        CHECK(GetOverlappedResult((HANDLE)pair[0], &one, &bytes, TRUE));
        CHECK_EQ(bytes, 3);
    }
    /* Any completion does it, not only the one that is waited for. */
    memset(&one, 0, sizeof one);
    CHECK_EQ(start_recv(pair[0], buffer[0], 1, &one), WSA_IO_PENDING);
    CHECK_EQ(start_recv(pair[0], buffer[1], 1, &two), WSA_IO_PENDING);
    CHECK(!is_set((HANDLE)pair[0]));
    CHECK(send_all(pair[1], "x", 1));
    CHECK_EQ(WaitForSingleObject((HANDLE)pair[0], SOON), WAIT_OBJECT_0);
    CHECK(HasOverlappedIoCompleted(&one) && !HasOverlappedIoCompleted(&two));
    CHECK(send_all(pair[1], "y", 1));
    CHECK(WITHIN(SOON, HasOverlappedIoCompleted(&two)));

    memset(&one, 0, sizeof one);
    STARTED(ReadFile(file, buffer[0], 8, NULL, &one));
    CHECK_EQ(WaitForSingleObject(file, SOON), WAIT_OBJECT_0);
    CHECK_EQ(one.InternalHigh, 8);
    CloseHandle(file);
    close_pair(pair);
}

TEST(with_event_the_handle_is_not_signalled, "OVL-12")
{
    SOCKET pair[2];
    char buffer[2][8];
    OVERLAPPED plain = {0}, with_event = {.hEvent = manual_event()};
    REQUIRE(with_event.hEvent && tcp_pair(pair));
    CHECK_EQ(start_recv(pair[0], buffer[0], 1, &with_event), WSA_IO_PENDING);
    CHECK_EQ(start_recv(pair[0], buffer[1], 1, &plain), WSA_IO_PENDING);
    CHECK(!is_set((HANDLE)pair[0]));
    CHECK(send_all(pair[1], "x", 1));
    CHECK_EQ(WaitForSingleObject(with_event.hEvent, SOON), WAIT_OBJECT_0);
    CHECK_EQ(WaitForSingleObject((HANDLE)pair[0], 50), WAIT_TIMEOUT);
    CHECK(send_all(pair[1], "y", 1)); /* the other way round */
    ResetEvent(with_event.hEvent);
    CHECK_EQ(WaitForSingleObject((HANDLE)pair[0], SOON), WAIT_OBJECT_0);
    CHECK_EQ(WaitForSingleObject(with_event.hEvent, 50), WAIT_TIMEOUT);
    CHECK(HasOverlappedIoCompleted(&plain));
    CloseHandle(with_event.hEvent);
    close_pair(pair);
}

/* ---- GetOverlappedResult ---- */

TEST(result_without_waiting, "OVL-06 OVL-07")
{
    SOCKET pair[2];
    char buffer[8];
    DWORD bytes = 55;
    OVERLAPPED ov = {.hEvent = manual_event()};
    REQUIRE(ov.hEvent && tcp_pair(pair));
    CHECK_EQ(start_recv(pair[0], buffer, sizeof buffer, &ov), WSA_IO_PENDING);
    CHECK_ERR(GetOverlappedResult((HANDLE)pair[0], &ov, &bytes, FALSE), ERROR_IO_INCOMPLETE);
    CHECK_EQ(ERROR_IO_INCOMPLETE, 996);
    CHECK(!HasOverlappedIoCompleted(&ov));
    CHECK(send_all(pair[1], "abc", 3));
    /* Asking is enough for it to become true. */
    CHECK(WITHIN(SOON, GetOverlappedResult((HANDLE)pair[0], &ov, &bytes, FALSE)));
    CHECK_EQ(bytes, 3);
    CHECK(is_set(ov.hEvent));
    CloseHandle(ov.hEvent);
    close_pair(pair);
}

struct result_wait {
    HANDLE file, done;
    OVERLAPPED *ov;
    BOOL ok;
    DWORD bytes, error;
    volatile LONG id;
};

THREAD_FN(wait_for_result)
{
    struct result_wait *w = arg;
    InterlockedExchange(&w->id, (LONG)GetCurrentThreadId());
    SetLastError(OLD_ERROR);
    w->ok = GetOverlappedResult(w->file, w->ov, &w->bytes, TRUE);
    w->error = GetLastError();
    SetEvent(w->done);
    return 0;
}

/* With an event, without one (the handle), with the event alone and no handle. */
TEST(result_waits, "OVL-07 OVL-08")
{
    SOCKET pair[2];
    char buffer[8];
    REQUIRE(tcp_pair(pair));
    for (int kind = 0; kind < 6; kind++) {
        int cancel = kind % 2, how = kind / 2;
        OVERLAPPED ov = {.hEvent = how == 1 ? NULL : how == 0 ? manual_event() : auto_event()};
        struct result_wait w = {.file = how == 2 ? NULL : (HANDLE)pair[0], .ov = &ov, .done = manual_event()};
        CHECK_EQ(start_recv(pair[0], buffer, sizeof buffer, &ov), WSA_IO_PENDING);
        HANDLE thread = start_thread(wait_for_result, &w);
        REQUIRE(thread != NULL);
        CHECK(WITHIN(SOON, READ(w.id) != 0));
        until_asleep((DWORD)w.id);
        CHECK_EQ(WaitForSingleObject(w.done, 60), WAIT_TIMEOUT);
        if (cancel)
            CHECK(CancelIoEx((HANDLE)pair[0], &ov));
        else
            CHECK(send_all(pair[1], "abcd", 4));
        CHECK_EQ(WaitForSingleObject(w.done, SOON), WAIT_OBJECT_0);
        CHECK_EQ(w.ok, !cancel);
        CHECK_EQ(w.error, cancel ? ERROR_OPERATION_ABORTED : OLD_ERROR);
        CHECK_EQ(w.bytes, cancel ? 0 : 4);
        JOIN(thread);
        CloseHandle(w.done);
        if (ov.hEvent)
            CloseHandle(ov.hEvent);
    }
    close_pair(pair);
}

TEST(result_of_failures, "OVL-08")
{
    SOCKET pair[2];
    char buffer[8];
    DWORD bytes = 0;
    OVERLAPPED ov = {.hEvent = manual_event()}, end = {.Offset = 64, .hEvent = manual_event()};
    HANDLE file = temp_file(64, FILE_FLAG_OVERLAPPED);
    REQUIRE(ov.hEvent && file != INVALID_HANDLE_VALUE && tcp_pair(pair));
    CHECK_EQ(start_recv(pair[0], buffer, sizeof buffer, &ov), WSA_IO_PENDING);
    reset_socket(pair[1]);
    CHECK_ERR(GetOverlappedResult((HANDLE)pair[0], &ov, &bytes, TRUE), ERROR_NETNAME_DELETED);
    CHECK_EQ((DWORD)ov.Internal, 0xC000020D);
    CHECK_ERR(GetOverlappedResult((HANDLE)pair[0], &ov, &bytes, FALSE), ERROR_NETNAME_DELETED);

    SetLastError(0);
    CHECK(!ReadFile(file, buffer, 1, NULL, &end));
    if (GetLastError() == ERROR_IO_PENDING)
        CHECK_ERR(GetOverlappedResult(file, &end, &bytes, TRUE), ERROR_HANDLE_EOF);
    else
        CHECK_LASTERR(ERROR_HANDLE_EOF);
    CHECK_EQ(bytes, 0);
    CloseHandle(ov.hEvent);
    CloseHandle(end.hEvent);
    CloseHandle(file);
    closesocket(pair[0]);
}

TEST(result_after_the_event_is_used_up, "OVL-09")
{
    SOCKET pair[2];
    char buffer[8];
    DWORD bytes = 0;
    OVERLAPPED ov = {.hEvent = auto_event()};
    REQUIRE(ov.hEvent && tcp_pair(pair));
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(start_recv(pair[0], buffer, sizeof buffer, &ov), WSA_IO_PENDING);
        CHECK(send_all(pair[1], "abc", 3));
        CHECK_EQ(WaitForSingleObject(ov.hEvent, SOON), WAIT_OBJECT_0);
        CHECK_EQ(WaitForSingleObject(ov.hEvent, 0), WAIT_TIMEOUT);
        bytes = 0;
        if (i)
            CHECK(GetOverlappedResultEx((HANDLE)pair[0], &ov, &bytes, INFINITE, FALSE));
        else
            CHECK(GetOverlappedResult((HANDLE)pair[0], &ov, &bytes, TRUE));
        CHECK_EQ(bytes, 3);
    }
    CloseHandle(ov.hEvent);
    close_pair(pair);
}

static struct {
    HANDLE file;
    OVERLAPPED *good, *bad;
} asked;

THREAD_FN(ask_again)
{
    for (int i = 0; i < 5; i++) {
        DWORD bytes = 99;
        SetLastError(OLD_ERROR);
        CHECK(GetOverlappedResult(asked.file, asked.good, &bytes, i % 2));
        CHECK_EQ(bytes, 3);
        CHECK_LASTERR(OLD_ERROR);
        CHECK_ERR(GetOverlappedResult(asked.file, asked.bad, &bytes, i % 2), ERROR_OPERATION_ABORTED);
        CHECK_EQ(bytes, 0);
    }
    return 0;
}

TEST(result_again_and_from_anywhere, "OVL-10 ERR-01")
{
    SOCKET pair[2];
    char buffer[8];
    OVERLAPPED good = {.hEvent = auto_event()}, bad = {.hEvent = auto_event()};
    HANDLE threads[3];
    REQUIRE(tcp_pair(pair));
    CHECK_EQ(start_recv(pair[0], buffer, sizeof buffer, &good), WSA_IO_PENDING);
    CHECK(send_all(pair[1], "abc", 3));
    CHECK(WITHIN(SOON, HasOverlappedIoCompleted(&good)));
    CHECK_EQ(start_recv(pair[0], buffer, sizeof buffer, &bad), WSA_IO_PENDING);
    CHECK(CancelIoEx((HANDLE)pair[0], &bad));
    CHECK(WITHIN(SOON, HasOverlappedIoCompleted(&bad)));
    asked.file = (HANDLE)pair[0];
    asked.good = &good;
    asked.bad = &bad;
    for (int i = 0; i < 3; i++)
        threads[i] = start_thread(ask_again, NULL);
    ask_again(NULL);
    for (int i = 0; i < 3; i++)
        JOIN(threads[i]);
    CloseHandle(good.hEvent);
    CloseHandle(bad.hEvent);
    close_pair(pair);
}

/* Programs ask for the result of what a port gave them without the handle at hand. */
TEST(result_without_a_handle, "OVL-10 OVL-06 OVL-08")
{
    SOCKET pair[2];
    char buffer[8];
    DWORD bytes = 0;
    OVERLAPPED ov = {0};
    HANDLE port = new_port(1);
    REQUIRE(port && tcp_pair(pair) && bind_port(port, pair[0], 1));
    CHECK_EQ(start_recv(pair[0], buffer, sizeof buffer, &ov), WSA_IO_PENDING);
    CHECK_ERR(GetOverlappedResult(NULL, &ov, &bytes, FALSE), ERROR_IO_INCOMPLETE);
    CHECK(send_all(pair[1], "abc", 3));
    CHECK_PACKET(port, 3, 1, &ov);
    CHECK(GetOverlappedResult(NULL, &ov, &bytes, FALSE));
    CHECK_EQ(bytes, 3);
    bytes = 0;
    CHECK(GetOverlappedResult(NULL, &ov, &bytes, TRUE));
    CHECK_EQ(bytes, 3);

    memset(&ov, 0, sizeof ov);
    CHECK_EQ(start_recv(pair[0], buffer, sizeof buffer, &ov), WSA_IO_PENDING);
    CHECK(CancelIoEx((HANDLE)pair[0], NULL));
    CHECK_FAILED_PACKET(port, ERROR_OPERATION_ABORTED, 0, 1, &ov);
    CHECK_ERR(GetOverlappedResult(NULL, &ov, &bytes, FALSE), ERROR_OPERATION_ABORTED);
    CHECK_EQ(bytes, 0);
    close_pair(pair);
    CloseHandle(port);
}

/* ---- many at once ---- */

TEST(operations_are_independent, "OVL-13")
{
    enum { MANY = 8 };
    SOCKET pair[2];
    OVERLAPPED reads[MANY], recvs[3], sent = {.hEvent = manual_event()};
    static char buffers[MANY][100];
    char bytes[3];
    DWORD count = 0;
    HANDLE file = temp_file(MANY * 100, FILE_FLAG_OVERLAPPED);
    REQUIRE(file != INVALID_HANDLE_VALUE && tcp_pair(pair));
    for (int i = 0; i < MANY; i++) {
        reads[i] = (OVERLAPPED){.Offset = (DWORD)(MANY - 1 - i) * 100, .hEvent = manual_event()};
        STARTED(ReadFile(file, buffers[i], 100, NULL, &reads[i]));
    }
    for (int i = 0; i < MANY; i++) {
        CHECK(GetOverlappedResult(file, &reads[i], &count, TRUE));
        CHECK_EQ(count, 100);
        CHECK(is_set(reads[i].hEvent));
        for (unsigned n = 0; n < 100; n++)
            if (!CHECK_EQ((unsigned char)buffers[i][n], pattern(reads[i].Offset + n)))
                break;
        CloseHandle(reads[i].hEvent);
    }

    /* Three receives; the middle one is cancelled, a send goes between, data comes for the others. */
    for (int i = 0; i < 3; i++) {
        recvs[i] = (OVERLAPPED){.hEvent = manual_event()};
        CHECK_EQ(start_recv(pair[0], &bytes[i], 1, &recvs[i]), WSA_IO_PENDING);
    }
    CHECK(CancelIoEx((HANDLE)pair[0], &recvs[1]));
    CHECK_ERR(GetOverlappedResult((HANDLE)pair[0], &recvs[1], &count, TRUE), ERROR_OPERATION_ABORTED);
    CHECK_EQ(start_send(pair[0], "zz", 2, &sent), 0);
    CHECK(GetOverlappedResult((HANDLE)pair[0], &sent, &count, TRUE));
    CHECK_EQ(count, 2);
    CHECK(!is_set(recvs[0].hEvent) && !is_set(recvs[2].hEvent));
    CHECK(send_all(pair[1], "A", 1));
    CHECK_EQ(WaitForSingleObject(recvs[0].hEvent, SOON), WAIT_OBJECT_0);
    CHECK_EQ(WaitForSingleObject(recvs[2].hEvent, 50), WAIT_TIMEOUT);
    CHECK(send_all(pair[1], "B", 1));
    CHECK_EQ(WaitForSingleObject(recvs[2].hEvent, SOON), WAIT_OBJECT_0);
    CHECK(bytes[0] == 'A' && bytes[2] == 'B');
    for (int i = 0; i < 3; i++)
        CloseHandle(recvs[i].hEvent);
    CloseHandle(sent.hEvent);
    CloseHandle(file);
    close_pair(pair);
}

TEST(offset_is_the_programs, "OVL-14 OVL-15")
{
    SOCKET pair[2];
    char buffer[128];
    DWORD bytes = 0;
    HANDLE event = manual_event(), file = temp_file(100, FILE_FLAG_OVERLAPPED);
    REQUIRE(event && file != INVALID_HANDLE_VALUE && tcp_pair(pair));
    static const struct {
        DWORD low, high, size, bytes;
        int write;
    } cases[] = {{10, 0, 20, 20, 0}, {90, 0, 50, 10, 0}, {100, 0, 8, 0, 0}, {5, 0, 10, 10, 1},
                 {0xFFFFFFFF, 0xFFFFFFFF, 10, 10, 1}, {0, 1, 4, 0, 0}};
    for (unsigned i = 0; i < ARRAYSIZE(cases); i++) {
        OVERLAPPED ov = {.Offset = cases[i].low, .OffsetHigh = cases[i].high, .hEvent = event};
        BOOL ok = cases[i].write ? WriteFile(file, buffer, cases[i].size, NULL, &ov)
                                 : ReadFile(file, buffer, cases[i].size, NULL, &ov);
        bytes = 0;
        if (ok || GetLastError() == ERROR_IO_PENDING)
            CHECK_EQ(GetOverlappedResult(file, &ov, &bytes, TRUE), cases[i].bytes > 0);
        CHECK_EQ(bytes, cases[i].bytes);
        CHECK_EQ(ov.Offset, cases[i].low);
        CHECK_EQ(ov.OffsetHigh, cases[i].high);
        CHECK(ov.hEvent == event);
    }
    /* A stream has no position: whatever stands there is neither used nor changed. */
    for (int i = 0; i < 4; i++) {
        OVERLAPPED ov = {.Offset = 0xDEADBEEF, .OffsetHigh = 0x7FFFFFFF, .hEvent = event};
        HANDLE h = (HANDLE)pair[0];
        if (i == 0)
            CHECK_EQ(start_send(pair[0], "abc", 3, &ov), 0);
        else if (i == 1)
            CHECK_EQ(start_recv(pair[0], buffer, 3, &ov), WSA_IO_PENDING);
        else
            CHECK((i == 2 ? WriteFile(h, "def", 3, NULL, &ov) : ReadFile(h, buffer, 3, NULL, &ov)) ||
                  GetLastError() == ERROR_IO_PENDING);
        if (i % 2)
            CHECK(send_all(pair[1], "xyz", 3));
        CHECK(GetOverlappedResult(h, &ov, &bytes, TRUE));
        CHECK_EQ(bytes, 3);
        CHECK_EQ(ov.Offset, 0xDEADBEEF);
        CHECK_EQ(ov.OffsetHigh, 0x7FFFFFFF);
    }
    CHECK_EQ(recv(pair[1], buffer, 6, MSG_WAITALL), 6);
    CHECK_MEM(buffer, "abcdef", 6);
    CloseHandle(event);
    CloseHandle(file);
    close_pair(pair);
}

/* ---- what is visible when ---- */

static struct {
    SOCKET pair[2];
    HANDLE port, event;
    OVERLAPPED ov;
    char buffer[16];
    struct meeting start, end;
    volatile LONG stop;
} seen;

/* Sends 1 to 7 bytes each time the test has begun to receive. */
THREAD_FN(feed)
{
    for (int i = 1;; i++) {
        meet(&seen.start);
        if (seen.stop)
            return 0;
        send_all(seen.pair[1], "1234567", i % 7 + 1);
        meet(&seen.end);
    }
}

static HANDLE seen_begin(void)
{
    memset(&seen, 0, sizeof seen);
    seen.start.need = seen.end.need = 2;
    seen.port = new_port(2);
    seen.event = auto_event();
    return tcp_pair(seen.pair) ? start_thread(feed, NULL) : NULL;
}

static void seen_end(HANDLE feeder)
{
    seen.stop = 1;
    meet(&seen.start);
    JOIN(feeder);
    close_pair(seen.pair);
    CloseHandle(seen.port);
    CloseHandle(seen.event);
}

static int answer_is_there(DWORD bytes)
{
    ULONG_PTR internal = *(volatile ULONG_PTR *)&seen.ov.Internal;
    ULONG_PTR high = *(volatile ULONG_PTR *)&seen.ov.InternalHigh;
    return CHECK_EQ(internal, 0) & CHECK_EQ(high, bytes) & (memcmp(seen.buffer, "1234567", bytes) == 0);
}

static int start_seen(HANDLE event)
{
    memset(seen.buffer, 0, sizeof seen.buffer);
    seen.ov = (OVERLAPPED){.hEvent = event};
    int error = start_recv(seen.pair[0], seen.buffer, sizeof seen.buffer, &seen.ov);
    int pending = CHECK_EQ(error, WSA_IO_PENDING);
    meet(&seen.start);
    for (unsigned spin = rnd(200); spin > 0; spin--)
        YieldProcessor();
    return pending;
}

enum { LOOKS = 4000, LOOK_MS = 1500 };

TEST(answer_before_the_event, "OVL-16")
{
    HANDLE feeder = seen_begin();
    REQUIRE(feeder != NULL);
    double until = now_ms() + LOOK_MS;
    for (int i = 1, good = 1; good && i <= LOOKS && now_ms() < until; i++) {
        good = start_seen(seen.event);
        if (i % 2)
            good &= CHECK_EQ(WaitForSingleObject(seen.event, SOON), WAIT_OBJECT_0);
        else /* found by asking */
            while (WaitForSingleObject(seen.event, 0) == WAIT_TIMEOUT && now_ms() < until + SOON)
                continue;
        good &= answer_is_there((DWORD)(i % 7 + 1));
        meet(&seen.end);
    }
    seen_end(feeder);
}

TEST(answer_before_the_packet, "OVL-16")
{
    HANDLE feeder = seen_begin();
    REQUIRE(feeder != NULL && bind_port(seen.port, seen.pair[0], 1));
    double until = now_ms() + LOOK_MS;
    for (int i = 1, good = 1; good && i <= LOOKS && now_ms() < until; i++) {
        good = start_seen(NULL);
        if (i % 2)
            good &= CHECK_PACKET(seen.port, (DWORD)(i % 7 + 1), 1, &seen.ov);
        else {
            struct got g;
            do
                g = get_packet(seen.port, 0);
            while (!g.ok && g.error == WAIT_TIMEOUT && now_ms() < until + SOON);
            good &= check_got(__FILE__, __LINE__, g, 0, (DWORD)(i % 7 + 1), 1, &seen.ov);
        }
        good &= answer_is_there((DWORD)(i % 7 + 1));
        meet(&seen.end);
    }
    seen_end(feeder);
}

static volatile LONG seen_routines, seen_expected;

static void CALLBACK look_in_routine(DWORD error, DWORD bytes, OVERLAPPED *ov, DWORD flags)
{
    CHECK_EQ(error, 0);
    CHECK_EQ(flags, 0);
    CHECK_EQ(bytes, seen_expected);
    CHECK(ov == &seen.ov);
    answer_is_there(bytes);
    InterlockedIncrement(&seen_routines);
}

TEST(answer_before_the_routine, "OVL-16")
{
    HANDLE feeder = seen_begin();
    REQUIRE(feeder != NULL);
    double until = now_ms() + LOOK_MS;
    LONG done = seen_routines = 0;
    while (done == seen_routines && done < LOOKS && now_ms() < until) {
        WSABUF buf = {sizeof seen.buffer, seen.buffer};
        DWORD flags = 0;
        memset(seen.buffer, 0, sizeof seen.buffer);
        seen.ov = (OVERLAPPED){0};
        seen_expected = ++done % 7 + 1;
        CHECK_EQ(WSARecv(seen.pair[0], &buf, 1, NULL, &flags, &seen.ov, look_in_routine), SOCKET_ERROR);
        meet(&seen.start);
        CHECK_EQ(SleepEx(SOON, TRUE), WAIT_IO_COMPLETION);
        meet(&seen.end);
    }
    CHECK_EQ(seen_routines, done);
    seen_end(feeder);
}

TEST(event_and_packet, "OVL-17")
{
    SOCKET pair[2];
    char buffer[8];
    OVERLAPPED ov = {.hEvent = manual_event()};
    HANDLE port = new_port(1);
    REQUIRE(ov.hEvent && port && tcp_pair(pair) && bind_port(port, pair[0], 1));
    CHECK_EQ(start_recv(pair[0], buffer, sizeof buffer, &ov), WSA_IO_PENDING); /* later */
    CHECK(!is_set(ov.hEvent));
    CHECK(send_all(pair[1], "abc", 3));
    CHECK_PACKET(port, 3, 1, &ov);
    CHECK(is_set(ov.hEvent));
    CHECK_NO_PACKET(port, 0);

    CHECK_EQ(start_send(pair[0], "de", 2, &ov), 0); /* at once */
    CHECK_PACKET(port, 2, 1, &ov);
    CHECK(is_set(ov.hEvent));
    CHECK_NO_PACKET(port, 0);

    CHECK_EQ(start_recv(pair[0], buffer, sizeof buffer, &ov), WSA_IO_PENDING); /* failing */
    CHECK(!is_set(ov.hEvent));
    CHECK(CancelIoEx((HANDLE)pair[0], &ov));
    CHECK_FAILED_PACKET(port, ERROR_OPERATION_ABORTED, 0, 1, &ov);
    CHECK(is_set(ov.hEvent));
    CHECK_NO_PACKET(port, 0);
    CloseHandle(ov.hEvent);
    close_pair(pair);
    CloseHandle(port);
}

TEST(event_before_packet, "OVL-17")
{
    HANDLE feeder = seen_begin();
    REQUIRE(feeder != NULL && bind_port(seen.port, seen.pair[0], 1));
    double until = now_ms() + LOOK_MS;
    for (int i = 1, good = 1; good && i <= LOOKS && now_ms() < until; i++) {
        good = start_seen(seen.event);
        good &= CHECK_PACKET(seen.port, (DWORD)(i % 7 + 1), 1, &seen.ov);
        good &= CHECK_EQ(WaitForSingleObject(seen.event, 0), WAIT_OBJECT_0);
        meet(&seen.end);
    }
    seen_end(feeder);
}

enum { SENDERS_OPS = 32 };
static struct {
    SOCKET s;
    OVERLAPPED ovs[SENDERS_OPS];
    volatile LONG free[SENDERS_OPS], stop;
    LONG sent;
} sends;

/* Keeps operations going that succeed in their start call, each with an event and the port. */
THREAD_FN(send_with_events)
{
    static const char text[8] = "12345678";
    for (int i = 0; !READ(sends.stop); i = (i + 1) % SENDERS_OPS) {
        while (!READ(sends.free[i]) && !READ(sends.stop))
            SwitchToThread();
        if (READ(sends.stop))
            break;
        InterlockedExchange(&sends.free[i], 0);
        int error = start_send(sends.s, text, (ULONG)(i % 8 + 1), &sends.ovs[i]);
        sends.sent++;
        if (!CHECK_MSG(!error || error == WSA_IO_PENDING, "error %d", error))
            break;
    }
    return 0;
}

THREAD_FN(swallow)
{
    static char sink[65536];
    while (recv(*(SOCKET *)arg, sink, sizeof sink, 0) > 0)
        continue;
    return 0;
}

/* Takes one packet of those sends, if there is one, and looks at its event: 1 good, 0 none, -1 bad. */
static int take_sent(HANDLE port, DWORD ms)
{
    struct got g = get_packet(port, ms);
    LONG n = (LONG)(g.ov - sends.ovs);
    if (!g.ov && g.error == WAIT_TIMEOUT)
        return 0;
    if (!CHECK(g.ok && n >= 0 && n < SENDERS_OPS))
        return -1;
    int good = CHECK_EQ(WaitForSingleObject(g.ov->hEvent, 0), WAIT_OBJECT_0);
    good &= CHECK(g.bytes == (DWORD)(n % 8 + 1) && g.ov->Internal == 0 && g.ov->InternalHigh == g.bytes);
    InterlockedExchange(&sends.free[n], 1);
    return good ? 1 : -1;
}

/* The same when the operation ends on one thread and the packet is taken on another the next moment. */
TEST(event_before_packet_elsewhere, "OVL-17 OVL-16 PORT-12")
{
    SOCKET pair[2];
    LONG taken = 0;
    int got = 0;
    HANDLE port = new_port(2);
    memset(&sends, 0, sizeof sends);
    REQUIRE(port && tcp_pair(pair) && bind_port(port, pair[0], 1));
    sends.s = pair[0];
    for (int i = 0; i < SENDERS_OPS; i++) {
        sends.ovs[i].hEvent = manual_event();
        sends.free[i] = 1;
    }
    HANDLE sender = start_thread(send_with_events, NULL), sinker = start_thread(swallow, &pair[1]);
    double until = now_ms() + LOOK_MS;
    for (int i = 0; got >= 0 && now_ms() < until; i++) {
        got = take_sent(port, i % 4 ? 0 : 1); /* mostly it looks and does not sleep */
        taken += got;
    }
    InterlockedExchange(&sends.stop, 1);
    JOIN(sender);
    while (got >= 0 && taken < sends.sent && CHECK((got = take_sent(port, SOON)) == 1))
        taken++;
    CHECK_EQ(taken, sends.sent);
    CHECK_NO_PACKET(port, 0);
    closesocket(pair[0]);
    JOIN(sinker);
    closesocket(pair[1]);
    CloseHandle(port);
    for (int i = 0; i < SENDERS_OPS; i++)
        CloseHandle(sends.ovs[i].hEvent);
}

/* Who has seen the event finds the packet without waiting: programs drain the port with time-out 0. */
TEST(packet_when_the_event_is_seen, "OVL-17")
{
    HANDLE feeder = seen_begin();
    REQUIRE(feeder != NULL && bind_port(seen.port, seen.pair[0], 1));
    double until = now_ms() + LOOK_MS;
    for (int i = 1, good = 1; good && i <= LOOKS && now_ms() < until; i++) {
        good = start_seen(seen.event);
        good &= CHECK_EQ(WaitForSingleObject(seen.event, SOON), WAIT_OBJECT_0);
        good &= check_got(__FILE__, __LINE__, get_packet(seen.port, 0), 0, (DWORD)(i % 7 + 1), 1, &seen.ov);
        meet(&seen.end);
    }
    seen_end(feeder);
}

/* ---- nobody touches it afterwards ---- */

enum { GRAVES = 64, DEAD = 0xDD };
struct life {
    OVERLAPPED ov;
    char buffer[32];
};
static struct life *graves[GRAVES];
static unsigned buried;
static int disturbed;

static void look_into(struct life *dead)
{
    for (size_t i = 0; dead && i < sizeof *dead; i++)
        if (((unsigned char *)dead)[i] != DEAD) {
            if (!disturbed++)
                FAIL("byte %u of a finished operation was written", (unsigned)i);
            break;
        }
    free(dead);
}

/* Ends the life of an operation that has been answered: its memory is filled, watched, and freed. */
static void bury(struct life *l)
{
    memset(l, DEAD, sizeof *l);
    look_into(graves[buried % GRAVES]);
    graves[buried++ % GRAVES] = l;
}

static void graves_begin(void)
{
    memset(graves, 0, sizeof graves);
    buried = 0;
    disturbed = 0;
}

static void graves_end(void)
{
    for (int i = 0; i < GRAVES; i++) {
        look_into(graves[i]);
        graves[i] = NULL;
    }
    CHECK_EQ(disturbed, 0);
}

static struct {
    HANDLE port;
    volatile LONG buried;
} undertaker;

THREAD_FN(bury_packets)
{
    for (;;) {
        struct got g = get_packet(undertaker.port, 10000);
        if (!CHECK_MSG(g.ov || g.key == 9, "no packet, error %u", (unsigned)g.error) || g.key == 9)
            return 0;
        bury((struct life *)g.ov);
        InterlockedIncrement(&undertaker.buried);
    }
}

/* Another thread dequeues and frees it, often before the start call has returned to this one. */
TEST(freed_before_the_start_returns, "OVL-18 PORT-12")
{
    enum { MANY = 6000 };
    SOCKET pair[2];
    LONG started = 0;
    graves_begin();
    memset(&undertaker, 0, sizeof undertaker);
    undertaker.port = new_port(2);
    REQUIRE(undertaker.port && tcp_pair(pair) && bind_port(undertaker.port, pair[0], 1));
    REQUIRE(bind_port(undertaker.port, pair[1], 1));
    HANDLE thread = start_thread(bury_packets, NULL);
    double until = now_ms() + 2000;
    for (int i = 0; i < MANY && now_ms() < until; i++) {
        struct life *send = calloc(1, sizeof *send), *recv_ = calloc(1, sizeof *recv_);
        REQUIRE(send && recv_);
        memset(send->buffer, 'x', 8);
        int receive_first = i % 2, error;
        for (int half = 0; half < 2; half++) {
            if (half == !receive_first)
                error = start_recv(pair[1], recv_->buffer, 8, &recv_->ov);
            else
                error = start_send(pair[0], send->buffer, 8, &send->ov);
            if (!CHECK_MSG(!error || error == WSA_IO_PENDING, "error %d", error))
                i = MANY;
            started++;
        }
        if (i % 64 == 63) /* keep them close to each other */
            CHECK(WITHIN(SOON, READ(undertaker.buried) >= started - 8));
    }
    CHECK(WITHIN(SOON, READ(undertaker.buried) == started));
    CHECK_EQ(undertaker.buried, started);
    PostQueuedCompletionStatus(undertaker.port, 0, 9, NULL);
    JOIN(thread);
    graves_end();
    close_pair(pair);
    CloseHandle(undertaker.port);
}

TEST(freed_when_the_event_is_set, "OVL-18")
{
    HANDLE feeder = seen_begin();
    REQUIRE(feeder != NULL);
    graves_begin();
    double until = now_ms() + LOOK_MS;
    for (int i = 1, good = 1; good && i <= LOOKS && now_ms() < until; i++) {
        struct life *l = calloc(1, sizeof *l);
        l->ov.hEvent = auto_event();
        HANDLE event = l->ov.hEvent;
        good = CHECK_EQ(start_recv(seen.pair[0], l->buffer, sizeof l->buffer, &l->ov), WSA_IO_PENDING);
        meet(&seen.start);
        good &= CHECK_EQ(WaitForSingleObject(event, SOON), WAIT_OBJECT_0);
        good &= CHECK_EQ(l->ov.InternalHigh, i % 7 + 1);
        bury(l);
        CloseHandle(event);
        meet(&seen.end);
    }
    graves_end();
    seen_end(feeder);
}

static volatile LONG routine_burials;

static void CALLBACK bury_in_socket_routine(DWORD error, DWORD bytes, OVERLAPPED *ov, DWORD flags)
{
    CHECK(!error && bytes && !flags);
    bury((struct life *)ov);
    InterlockedIncrement(&routine_burials);
}

static void CALLBACK bury_in_file_routine(DWORD error, DWORD bytes, OVERLAPPED *ov)
{
    CHECK(!error && bytes == 32);
    bury((struct life *)ov);
    InterlockedIncrement(&routine_burials);
}

TEST(routine_frees_it, "OVL-18")
{
    HANDLE feeder = seen_begin(), file = temp_file(4096, FILE_FLAG_OVERLAPPED);
    REQUIRE(feeder != NULL && file != INVALID_HANDLE_VALUE);
    LONG started = routine_burials = 0;
    graves_begin();
    double until = now_ms() + LOOK_MS;
    for (int i = 1; i <= LOOKS && now_ms() < until && routine_burials == started; i++) {
        struct life *l = calloc(1, sizeof *l), *f = calloc(1, sizeof *f);
        WSABUF buf = {sizeof l->buffer, l->buffer};
        DWORD flags = 0;
        CHECK_EQ(WSARecv(seen.pair[0], &buf, 1, NULL, &flags, &l->ov, bury_in_socket_routine), SOCKET_ERROR);
        CHECK_LASTERR(WSA_IO_PENDING);
        f->ov.Offset = rnd(4000);
        CHECK(ReadFileEx(file, f->buffer, 32, &f->ov, bury_in_file_routine));
        started += 2;
        meet(&seen.start);
        while (routine_burials < started && SleepEx(SOON, TRUE) == WAIT_IO_COMPLETION)
            continue;
        meet(&seen.end);
    }
    CHECK_EQ(routine_burials, started);
    graves_end();
    seen_end(feeder);
    CloseHandle(file);
}

/* ---- GetOverlappedResultEx ---- */

static volatile LONG apc_runs;

static void CALLBACK count_apc(ULONG_PTR value) { InterlockedExchangeAdd(&apc_runs, (LONG)value); }

TEST(result_ex_times_out, "OVL-19")
{
    SOCKET pair[2];
    char buffer[8];
    DWORD bytes = 0;
    REQUIRE(tcp_pair(pair));
    for (int with_event = 0; with_event < 2; with_event++) {
        HANDLE h = (HANDLE)pair[0];
        OVERLAPPED ov = {.hEvent = with_event ? manual_event() : NULL};
        CHECK_EQ(start_recv(pair[0], buffer, sizeof buffer, &ov), WSA_IO_PENDING);
        CHECK_ERR(GetOverlappedResultEx(h, &ov, &bytes, 0, FALSE), ERROR_IO_INCOMPLETE);
        CHECK_ERR(GetOverlappedResultEx(h, &ov, &bytes, 0, TRUE), ERROR_IO_INCOMPLETE);
        double start = now_ms();
        CHECK_ERR(GetOverlappedResultEx(h, &ov, &bytes, 60, FALSE), WAIT_TIMEOUT);
        CHECK(now_ms() - start >= 45);
        CHECK_ERR(GetOverlappedResultEx(h, &ov, &bytes, 20, TRUE), WAIT_TIMEOUT);
        CHECK(!HasOverlappedIoCompleted(&ov)); /* it goes on */
        CHECK(send_all(pair[1], "abc", 3));
        CHECK(GetOverlappedResultEx(h, &ov, &bytes, SOON, FALSE));
        CHECK_EQ(bytes, 3);
        bytes = 0;
        CHECK(GetOverlappedResultEx(h, &ov, &bytes, 0, FALSE));
        CHECK_EQ(bytes, 3);

        CHECK_EQ(start_recv(pair[0], buffer, sizeof buffer, &ov), WSA_IO_PENDING);
        CHECK(CancelIoEx(h, &ov));
        CHECK_ERR(GetOverlappedResultEx(h, &ov, &bytes, INFINITE, FALSE), ERROR_OPERATION_ABORTED);
        if (with_event)
            CloseHandle(ov.hEvent);
    }
    close_pair(pair);
}

TEST(result_ex_and_apcs, "OVL-20")
{
    SOCKET pair[2];
    char buffer[8];
    DWORD bytes = 0;
    REQUIRE(tcp_pair(pair));
    HANDLE h = (HANDLE)pair[0];
    for (int with_event = 0; with_event < 2; with_event++) {
        OVERLAPPED ov = {.hEvent = with_event ? manual_event() : NULL};
        apc_runs = 0;
        CHECK_EQ(start_recv(pair[0], buffer, sizeof buffer, &ov), WSA_IO_PENDING);
        CHECK(QueueUserAPC(count_apc, GetCurrentThread(), 1));
        CHECK_ERR(GetOverlappedResultEx(h, &ov, &bytes, 30, FALSE), WAIT_TIMEOUT);
        CHECK_ERR(GetOverlappedResult(h, &ov, &bytes, FALSE), ERROR_IO_INCOMPLETE);
        CHECK_EQ(apc_runs, 0);
        CHECK_ERR(GetOverlappedResultEx(h, &ov, &bytes, INFINITE, TRUE), WAIT_IO_COMPLETION);
        CHECK_EQ(apc_runs, 1);
        CHECK(!HasOverlappedIoCompleted(&ov)); /* it goes on */
        CHECK(send_all(pair[1], "abc", 3));
        CHECK(GetOverlappedResultEx(h, &ov, &bytes, INFINITE, TRUE));
        CHECK_EQ(bytes, 3);
        CHECK_EQ(apc_runs, 1);
        if (with_event)
            CloseHandle(ov.hEvent);
    }
    close_pair(pair);
}

struct alertable_result {
    HANDLE file, done;
    OVERLAPPED *ov;
    volatile LONG id;
    DWORD error;
    LONG runs;
};

THREAD_FN(alertable_wait)
{
    struct alertable_result *w = arg;
    DWORD bytes;
    InterlockedExchange(&w->id, (LONG)GetCurrentThreadId());
    SetLastError(0);
    GetOverlappedResultEx(w->file, w->ov, &bytes, 10000, TRUE);
    w->error = GetLastError();
    w->runs = apc_runs;
    SetEvent(w->done);
    return 0;
}

TEST(apc_ends_result_ex, "OVL-20")
{
    SOCKET pair[2];
    char buffer[8];
    REQUIRE(tcp_pair(pair));
    OVERLAPPED ov = {.hEvent = manual_event()};
    struct alertable_result w = {.file = (HANDLE)pair[0], .ov = &ov, .done = manual_event()};
    apc_runs = 0;
    CHECK_EQ(start_recv(pair[0], buffer, sizeof buffer, &ov), WSA_IO_PENDING);
    HANDLE thread = start_thread(alertable_wait, &w);
    REQUIRE(thread != NULL);
    CHECK(WITHIN(SOON, READ(w.id) != 0));
    until_asleep((DWORD)w.id);
    CHECK(QueueUserAPC(count_apc, thread, 1));
    CHECK_EQ(WaitForSingleObject(w.done, SOON), WAIT_OBJECT_0);
    CHECK_EQ(w.error, WAIT_IO_COMPLETION);
    CHECK_EQ(w.runs, 1);
    CHECK(!HasOverlappedIoCompleted(&ov));
    JOIN(thread);
    close_pair(pair);
    CHECK(WITHIN(SOON, HasOverlappedIoCompleted(&ov)));
    CloseHandle(w.done);
    CloseHandle(ov.hEvent);
}

/* ---- one after another ---- */

enum { ROUNDS = 3000 };

struct sender {
    SOCKET s;
    volatile LONG asked;
};

THREAD_FN(send_when_asked)
{
    struct sender *sender = arg;
    for (LONG sent = 0; sent < ROUNDS; sent++) {
        while (LOOK(sender->asked) == sent)
            SwitchToThread();
        if (!CHECK_EQ(send(sender->s, "x", 1, 0), 1))
            return 1;
    }
    return 0;
}

/* Whoever sees the answer starts the next operation at once, with the same OVERLAPPED and the same event:
 * the event of the last one does not arrive any more. */
TEST(next_operation_behind_the_answer, "OVL-05 OVL-07 OVL-18")
{
    SOCKET pair[2];
    char buffer[8];
    DWORD bytes = 0;
    int round = 0;
    REQUIRE(tcp_pair(pair));
    OVERLAPPED ov = {.hEvent = auto_event()};
    struct sender sender = {.s = pair[1]};
    HANDLE thread = start_thread(send_when_asked, &sender);
    REQUIRE(thread != NULL);
    for (; round < ROUNDS; round++) {
        if (!CHECK_EQ(start_recv(pair[0], buffer, 1, &ov), WSA_IO_PENDING))
            break;
        InterlockedIncrement(&sender.asked);
        if (round % 2)
            while (LOOK(ov.Internal) == (ULONG_PTR)STATUS_PENDING)
                SwitchToThread();
        bytes = 0;
        if (!CHECK(GetOverlappedResult((HANDLE)pair[0], &ov, &bytes, TRUE)) || !CHECK_EQ(bytes, 1))
            break;
    }
    while (round++ < ROUNDS) /* after a failure */
        InterlockedIncrement(&sender.asked);
    JOIN(thread);
    close_pair(pair);
    CHECK(WITHIN(SOON, HasOverlappedIoCompleted(&ov)));
    CloseHandle(ov.hEvent);
}

/* ---- layout ---- */

TEST(layout, "OVL-21")
{
    CHECK_EQ(sizeof(void *), 8);
    CHECK_EQ(sizeof(OVERLAPPED), 32);
    CHECK_EQ(offsetof(OVERLAPPED, Internal), 0);
    CHECK_EQ(offsetof(OVERLAPPED, InternalHigh), 8);
    CHECK_EQ(offsetof(OVERLAPPED, Offset), 16);
    CHECK_EQ(offsetof(OVERLAPPED, OffsetHigh), 20);
    CHECK_EQ(offsetof(OVERLAPPED, Pointer), 16);
    CHECK_EQ(offsetof(OVERLAPPED, hEvent), 24);
    CHECK_EQ(sizeof(WSAOVERLAPPED), 32);
    CHECK_EQ(sizeof(OVERLAPPED_ENTRY), 32);
    CHECK_EQ(offsetof(OVERLAPPED_ENTRY, lpCompletionKey), 0);
    CHECK_EQ(offsetof(OVERLAPPED_ENTRY, lpOverlapped), 8);
    CHECK_EQ(offsetof(OVERLAPPED_ENTRY, Internal), 16);
    CHECK_EQ(offsetof(OVERLAPPED_ENTRY, dwNumberOfBytesTransferred), 24);
    CHECK_EQ(sizeof(((OVERLAPPED *)0)->Internal), 8);
    CHECK_EQ(sizeof(((OVERLAPPED *)0)->Offset), 4);
}
