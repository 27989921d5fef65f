/* SPDX-License-Identifier: MIT */
/*
 * Cancelling: whose operations, which ones, what they end with, and the races of a cancel, a close or a
 * thread's exit with completion. Every operation is answered once.
 */
#include "conform.h"
#include "packet.h"

/* A thread that starts operations for the test and lives until it is told to end. */
struct issuer {
    SOCKET s, second;
    OVERLAPPED *ov, *second_ov;
    char *buffer, second_buffer[1];
    HANDLE thread, started, end;
    int error, second_error;
};

THREAD_FN(issue)
{
    struct issuer *i = arg;
    i->error = start_recv(i->s, i->buffer, 1, i->ov);
    if (i->second_ov)
        i->second_error = start_recv(i->second, i->second_buffer, 1, i->second_ov);
    SetEvent(i->started);
    WaitForSingleObject(i->end, INFINITE);
    return 0;
}

static void issuer_begin(struct issuer *i)
{
    i->started = manual_event();
    i->end = manual_event();
    i->thread = start_thread(issue, i);
    CHECK_EQ(WaitForSingleObject(i->started, SOON), WAIT_OBJECT_0);
    CHECK_EQ(i->error, WSA_IO_PENDING);
}

static void issuer_start(struct issuer *i, SOCKET s, OVERLAPPED *ov, char *buffer)
{
    *i = (struct issuer){.s = s, .ov = ov, .buffer = buffer};
    issuer_begin(i);
}

static void issuer_end(struct issuer *i)
{
    SetEvent(i->end);
    JOIN(i->thread);
    CloseHandle(i->started);
    CloseHandle(i->end);
}

/* The operation ends with 995, in all its spellings. */
static int check_aborted(int line, SOCKET s, OVERLAPPED *ov)
{
    DWORD bytes = 99;
    SetLastError(0);
    BOOL ok = GetOverlappedResult((HANDLE)s, ov, &bytes, TRUE);
    if (!ok && GetLastError() == ERROR_OPERATION_ABORTED && bytes == 0 && (DWORD)ov->Internal == 0xC0000120 &&
        ov->InternalHigh == 0)
        return 1;
    return conform_fail(__FILE__, line, "not aborted: %d, status 0x%x, %u bytes", ok, (unsigned)ov->Internal,
                        (unsigned)bytes);
}
#define CHECK_ABORTED(S, OV) conform_pass(check_aborted(__LINE__, (S), (OV)))

#define WINE_ALL "Wine 8 finds nothing to cancel and says success, when asked for everything"
#define WINE_CLOSE "Wine 8 ends the operations of a closed socket with STATUS_HANDLES_CLOSED"

/* ---- whose, which ---- */

TEST(cancel_io_is_for_this_thread, "CANCEL-01 CANCEL-05")
{
    SOCKET pair[2];
    OVERLAPPED mine[2] = {{.hEvent = manual_event()}, {.hEvent = manual_event()}};
    OVERLAPPED theirs = {.hEvent = manual_event()};
    char buffers[3] = "";
    struct issuer other;
    DWORD bytes = 0;
    REQUIRE(tcp_pair(pair));
    CHECK_EQ(start_recv(pair[0], &buffers[0], 1, &mine[0]), WSA_IO_PENDING);
    issuer_start(&other, pair[0], &theirs, &buffers[1]);
    CHECK_EQ(start_recv(pair[0], &buffers[2], 1, &mine[1]), WSA_IO_PENDING);
    CHECK(CancelIo((HANDLE)pair[0]));
    CHECK_ABORTED(pair[0], &mine[0]);
    CHECK_ABORTED(pair[0], &mine[1]);
    CHECK_EQ(WaitForSingleObject(theirs.hEvent, 50), WAIT_TIMEOUT);
    CHECK(!HasOverlappedIoCompleted(&theirs));
    CHECK(send_all(pair[1], "Q", 1));
    CHECK(GetOverlappedResult((HANDLE)pair[0], &theirs, &bytes, TRUE));
    CHECK_EQ(bytes, 1);
    CHECK_EQ(buffers[1], 'Q');
    issuer_end(&other);
    for (int i = 0; i < 2; i++)
        CloseHandle(mine[i].hEvent);
    CloseHandle(theirs.hEvent);
    close_pair(pair);
}

/* Other handles are not touched either. */
TEST(cancel_io_is_for_this_handle, "CANCEL-01 CANCEL-02")
{
    SOCKET a[2], b[2];
    OVERLAPPED on_a = {0}, on_b = {0};
    char buffers[2];
    REQUIRE(tcp_pair(a) && tcp_pair(b));
    for (int ex = 0; ex < 2; ex++) {
        memset(&on_a, 0, sizeof on_a);
        memset(&on_b, 0, sizeof on_b);
        CHECK_EQ(start_recv(a[0], &buffers[0], 1, &on_a), WSA_IO_PENDING);
        CHECK_EQ(start_recv(b[0], &buffers[1], 1, &on_b), WSA_IO_PENDING);
        CHECK(ex ? CancelIoEx((HANDLE)a[0], NULL) : CancelIo((HANDLE)a[0]));
        CHECK_ABORTED(a[0], &on_a);
        CHECK(!HasOverlappedIoCompleted(&on_b));
        CHECK(send_all(b[1], "x", 1));
        CHECK(WITHIN(SOON, HasOverlappedIoCompleted(&on_b)));
        CHECK_EQ(on_b.Internal, 0);
    }
    close_pair(a);
    close_pair(b);
}

TEST(cancel_io_ex_takes_all, "CANCEL-02")
{
    SOCKET pair[2];
    OVERLAPPED ovs[6];
    char buffers[6];
    struct issuer others[3];
    REQUIRE(tcp_pair(pair));
    for (int i = 0; i < 6; i++)
        ovs[i] = (OVERLAPPED){.hEvent = manual_event()};
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(start_recv(pair[0], &buffers[i], 1, &ovs[i]), WSA_IO_PENDING);
        issuer_start(&others[i], pair[0], &ovs[3 + i], &buffers[3 + i]);
    }
    CHECK(CancelIoEx((HANDLE)pair[0], NULL));
    for (int i = 0; i < 6; i++) {
        CHECK_EQ(WaitForSingleObject(ovs[i].hEvent, SOON), WAIT_OBJECT_0);
        CHECK_ABORTED(pair[0], &ovs[i]);
        CloseHandle(ovs[i].hEvent);
    }
    TODO_WINE(WINE_ALL)
    {
        CHECK_ERR(CancelIoEx((HANDLE)pair[0], NULL), ERROR_NOT_FOUND);
    }
    for (int i = 0; i < 3; i++)
        issuer_end(&others[i]);
    close_pair(pair);
}

TEST(cancel_io_ex_takes_one, "CANCEL-03 CANCEL-04")
{
    SOCKET pair[2];
    OVERLAPPED ovs[3], stranger = {0};
    char buffers[3] = "";
    DWORD bytes = 0;
    struct issuer other;
    REQUIRE(tcp_pair(pair));
    for (int i = 0; i < 3; i++)
        ovs[i] = (OVERLAPPED){.hEvent = manual_event()};
    CHECK_EQ(start_recv(pair[0], &buffers[0], 1, &ovs[0]), WSA_IO_PENDING);
    issuer_start(&other, pair[0], &ovs[1], &buffers[1]); /* another thread's: no matter */
    CHECK_EQ(start_recv(pair[0], &buffers[2], 1, &ovs[2]), WSA_IO_PENDING);
    CHECK_ERR(CancelIoEx((HANDLE)pair[0], &stranger), ERROR_NOT_FOUND);
    CHECK_ERR(CancelIoEx((HANDLE)pair[1], &ovs[1]), ERROR_NOT_FOUND);
    CHECK(CancelIoEx((HANDLE)pair[0], &ovs[1]));
    CHECK_ABORTED(pair[0], &ovs[1]);
    CHECK(!HasOverlappedIoCompleted(&ovs[0]) && !HasOverlappedIoCompleted(&ovs[2]));
    CHECK_ERR(CancelIoEx((HANDLE)pair[0], &ovs[1]), ERROR_NOT_FOUND);
    CHECK(send_all(pair[1], "AB", 2));
    for (int i = 0; i < 3; i += 2) {
        CHECK(GetOverlappedResult((HANDLE)pair[0], &ovs[i], &bytes, TRUE));
        CHECK_EQ(bytes, 1);
    }
    CHECK(buffers[0] == 'A' && buffers[2] == 'B');
    issuer_end(&other);
    for (int i = 0; i < 3; i++)
        CloseHandle(ovs[i].hEvent);
    close_pair(pair);
}

TEST(nothing_to_cancel, "CANCEL-04 HANDLE-08")
{
    SOCKET pair[2];
    OVERLAPPED ov = {0};
    char buffer[4];
    HANDLE file = temp_file(64, FILE_FLAG_OVERLAPPED), event = manual_event();
    REQUIRE(file != INVALID_HANDLE_VALUE && event && tcp_pair(pair));
    CHECK_EQ(ERROR_NOT_FOUND, 1168);
    CHECK_ERR(CancelIoEx((HANDLE)pair[0], &ov), ERROR_NOT_FOUND);
    CHECK_ERR(CancelIoEx(file, &ov), ERROR_NOT_FOUND);
    /* Finished ones are nothing to cancel, and keep their result. */
    CHECK_EQ(start_recv(pair[0], buffer, sizeof buffer, &ov), WSA_IO_PENDING);
    CHECK(send_all(pair[1], "abc", 3));
    CHECK(WITHIN(SOON, HasOverlappedIoCompleted(&ov)));
    CHECK_ERR(CancelIoEx((HANDLE)pair[0], &ov), ERROR_NOT_FOUND);
    TODO_WINE(WINE_ALL)
    {
        CHECK_ERR(CancelIoEx((HANDLE)pair[0], NULL), ERROR_NOT_FOUND);
        CHECK_ERR(CancelIoEx((HANDLE)pair[1], NULL), ERROR_NOT_FOUND);
        CHECK_ERR(CancelIoEx(file, NULL), ERROR_NOT_FOUND);
        CHECK_ERR(CancelIoEx(event, NULL), ERROR_INVALID_HANDLE);
    }
    CHECK_EQ(ov.Internal, 0);
    CHECK_EQ(ov.InternalHigh, 3);

    CHECK_ERR(CancelIoEx(NULL, NULL), ERROR_INVALID_HANDLE);
    CHECK_ERR(CancelIo(NULL), ERROR_INVALID_HANDLE);
    CloseHandle(file);
    CHECK_ERR(CancelIoEx(file, NULL), ERROR_INVALID_HANDLE);
    CloseHandle(event);
    close_pair(pair);
}

/* ---- how it is told ---- */

static volatile LONG routines;
static DWORD routine_error, routine_bytes;
static OVERLAPPED *routine_ov;

static void CALLBACK note_routine(DWORD error, DWORD bytes, OVERLAPPED *ov, DWORD flags)
{
    (void)flags;
    routine_error = error;
    routine_bytes = bytes;
    routine_ov = ov;
    InterlockedIncrement(&routines);
}

TEST(cancelled_notifies_as_usual, "CANCEL-05 CANCEL-06")
{
    SOCKET a[2], b[2];
    OVERLAPPED ov = {0};
    char buffer[4];
    WSABUF buf = {sizeof buffer, buffer};
    DWORD flags = 0;
    HANDLE port = new_port(1);
    REQUIRE(port && tcp_pair(a) && tcp_pair(b) && bind_port(port, a[0], 7));
    CHECK_EQ(ERROR_OPERATION_ABORTED, 995);
    for (int call = 0; call < 3; call++) { /* event and packet */
        ov = (OVERLAPPED){.hEvent = manual_event()};
        CHECK_EQ(start_recv(a[0], buffer, sizeof buffer, &ov), WSA_IO_PENDING);
        CHECK(call == 0   ? CancelIo((HANDLE)a[0])
              : call == 1 ? CancelIoEx((HANDLE)a[0], NULL)
                          : CancelIoEx((HANDLE)a[0], &ov));
        CHECK_FAILED_PACKET(port, ERROR_OPERATION_ABORTED, 0, 7, &ov);
        CHECK(is_set(ov.hEvent));
        CHECK_ABORTED(a[0], &ov);
        CHECK_NO_PACKET(port, 20);
        CloseHandle(ov.hEvent);
    }
    /* A routine runs in its thread's next alertable wait, and not in the cancel. */
    routines = 0;
    ov = (OVERLAPPED){0};
    CHECK_EQ(WSARecv(b[0], &buf, 1, NULL, &flags, &ov, note_routine), SOCKET_ERROR);
    CHECK_LASTERR(WSA_IO_PENDING);
    CHECK(CancelIoEx((HANDLE)b[0], &ov));
    CHECK(WITHIN(SOON, HasOverlappedIoCompleted(&ov)));
    CHECK_EQ(routines, 0);
    CHECK_EQ(SleepEx(SOON, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ(routines, 1);
    CHECK_EQ(routine_error, ERROR_OPERATION_ABORTED);
    CHECK_EQ(routine_bytes, 0);
    CHECK(routine_ov == &ov);
    CHECK_EQ(SleepEx(20, TRUE), 0);
    close_pair(a);
    close_pair(b);
    CloseHandle(port);
}

/* The signal of the handle itself is a notification too. */
TEST(cancelled_signals_the_handle, "CANCEL-05 OVL-11")
{
    SOCKET pair[2];
    OVERLAPPED ov = {0};
    char buffer[4];
    REQUIRE(tcp_pair(pair));
    CHECK_EQ(start_recv(pair[0], buffer, sizeof buffer, &ov), WSA_IO_PENDING);
    CHECK(!is_set((HANDLE)pair[0]));
    CHECK(CancelIoEx((HANDLE)pair[0], &ov));
    CHECK_EQ(WaitForSingleObject((HANDLE)pair[0], SOON), WAIT_OBJECT_0);
    CHECK_ABORTED(pair[0], &ov);
    close_pair(pair);
}

/* A cancel only asks. Whether the answer is there on return or not, it comes, once, and without help. */
TEST(cancel_does_not_wait, "CANCEL-06 CANCEL-17")
{
    enum { ROUNDS = 1000 };
    SOCKET pair[2];
    char buffer[4];
    HANDLE port = new_port(1);
    REQUIRE(port && tcp_pair(pair) && bind_port(port, pair[0], 1));
    double until = now_ms() + 1500;
    for (int i = 0; i < ROUNDS && now_ms() < until; i++) {
        OVERLAPPED *ov = calloc(1, sizeof *ov);
        int good = CHECK_EQ(start_recv(pair[0], buffer, sizeof buffer, ov), WSA_IO_PENDING);
        good &= CHECK(CancelIoEx((HANDLE)pair[0], i % 2 ? ov : NULL));
        good &= CHECK(WITHIN(SOON, HasOverlappedIoCompleted(ov)));
        good &= CHECK_FAILED_PACKET(port, ERROR_OPERATION_ABORTED, 0, 1, ov);
        memset(ov, 0xDD, sizeof *ov);
        free(ov);
        if (!good)
            break;
    }
    CHECK_NO_PACKET(port, 20);
    close_pair(pair);
    CloseHandle(port);
}

/* ---- races ---- */

/* A sender and a rival, who cancels or closes, each after a delay of its own; the test dequeues meanwhile. */
static struct {
    SOCKET pair[2];
    OVERLAPPED *ov;
    struct meeting start, end;
    volatile LONG stop;
    unsigned send_delay, cancel_delay;
    BOOL cancelled;
    DWORD error;
} race;

static void delay(unsigned turns)
{
    for (; turns > 0; turns--)
        YieldProcessor();
}

THREAD_FN(send_in_race)
{
    for (unsigned char next = 0;;) {
        meet(&race.start);
        if (race.stop)
            return 0;
        delay(race.send_delay);
        send_all(race.pair[1], &next, 1);
        next++;
        meet(&race.end);
    }
}

THREAD_FN(cancel_in_race)
{
    for (;;) {
        meet(&race.start);
        if (race.stop)
            return 0;
        delay(race.cancel_delay);
        race.cancelled = CancelIoEx((HANDLE)race.pair[0], race.ov);
        race.error = GetLastError();
        meet(&race.end);
    }
}

/* How long the rivals wait. The bounds go where both outcomes are seen. */
static void aim(unsigned bounds[2], int rival_won)
{
    unsigned *later = &bounds[rival_won ? 1 : 0], *sooner = &bounds[rival_won ? 0 : 1];
    *later += *later < 20000 ? *later / 16 + 1 : 0;
    *sooner -= *sooner > 32 ? *sooner / 16 : 0;
}

/* Data and a cancel at once: one answer, and it tells the truth about the byte. */
TEST(cancel_races_with_data, "CANCEL-07 CANCEL-08")
{
    enum { ROUNDS = 6000 };
    int done = 0, aborted = 0, good = 1;
    unsigned bounds[2] = {200, 200};
    unsigned char expected = 0, byte;
    HANDLE port = new_port(1);
    memset(&race, 0, sizeof race);
    race.start.need = race.end.need = 3;
    REQUIRE(port && tcp_pair(race.pair) && bind_port(port, race.pair[0], 1));
    HANDLE sender = start_thread(send_in_race, NULL), rival = start_thread(cancel_in_race, NULL);
    double until = now_ms() + 2200;
    for (int i = 0; i < ROUNDS && good && now_ms() < until; i++) {
        OVERLAPPED ov = {0};
        byte = 0xEE;
        good = CHECK_EQ(start_recv(race.pair[0], &byte, 1, &ov), WSA_IO_PENDING);
        race.ov = i % 2 ? &ov : NULL;
        race.send_delay = rnd(bounds[0]);
        race.cancel_delay = rnd(bounds[1]);
        meet(&race.start);
        struct got g = get_packet(port, SOON);
        meet(&race.end);
        aim(bounds, !g.ok);
        good &= CHECK(g.ov == &ov && g.key == 1);
        good &= CHECK_MSG(race.cancelled || race.error == ERROR_NOT_FOUND, "CancelIoEx fails with %u",
                          (unsigned)race.error);
        if (g.ok) {
            done++;
            good &= CHECK(g.bytes == 1 && ov.Internal == 0 && ov.InternalHigh == 1);
        } else {
            aborted++;
            good &= CHECK(race.cancelled);
            good &= CHECK(g.error == ERROR_OPERATION_ABORTED && g.bytes == 0);
            good &= CHECK_EQ((DWORD)ov.Internal, 0xC0000120);
            good &= CHECK_EQ(byte, 0xEE);
            good &= CHECK_EQ(recv(race.pair[0], (char *)&byte, 1, 0), 1); /* it is still there */
        }
        good &= CHECK_EQ(byte, expected++);
    }
    CHECK_NO_PACKET(port, 20);
    printf("# %d done, %d aborted\n", done, aborted);
    race.stop = 1;
    meet(&race.start);
    JOIN(sender);
    JOIN(rival);
    close_pair(race.pair);
    CloseHandle(port);
}

static struct {
    SOCKET s;
    volatile LONG stop;
} canceller;

THREAD_FN(cancel_all_the_time)
{
    while (!READ(canceller.stop)) {
        CancelIoEx((HANDLE)canceller.s, NULL);
        SwitchToThread();
    }
    return 0;
}

enum { NUMBERS = 12000 };

/* Sends in small groups, with pauses in which the receives pend. */
THREAD_FN(send_numbers)
{
    SOCKET s = *(SOCKET *)arg;
    unsigned state = 12345;
    for (unsigned n = 0; n < NUMBERS; n++) {
        if (!send_all(s, &n, sizeof n))
            return 1;
        state = state * 1664525 + 1013904223;
        if (state >> 29 == 0)
            delay((state >> 16) % 4096);
        else if (state >> 29 == 1)
            SwitchToThread();
    }
    shutdown(s, SD_SEND);
    return 0;
}

/* Two receives are always pending and get cancelled all the time: the stream arrives whole and in order. */
TEST(cancels_lose_no_byte, "CANCEL-08 CANCEL-07")
{
    enum { TOTAL = NUMBERS * 4 };
    static unsigned char stream[TOTAL + 64], buffers[2][48];
    OVERLAPPED ovs[2] = {{0}};
    SOCKET pair[2];
    int size = 0, ended = 0, pending = 0, aborts = 0;
    HANDLE port = new_port(1);
    REQUIRE(port && tcp_pair(pair) && bind_port(port, pair[0], 1));
    canceller.s = pair[0];
    canceller.stop = 0;
    HANDLE sender = start_thread(send_numbers, &pair[1]);
    HANDLE cancels = start_thread(cancel_all_the_time, NULL);
    double until = now_ms() + 2500;
    while (!ended || pending) {
        if (now_ms() > until) /* slow: the rest without cancels */
            InterlockedExchange(&canceller.stop, 1);
        for (int i = 0; i < 2 && !pending && !ended; i++) { /* two at a time, in order */
            ovs[i] = (OVERLAPPED){0};
            int error = start_recv(pair[0], buffers[i], sizeof buffers[i], &ovs[i]);
            if (!CHECK(!error || error == WSA_IO_PENDING))
                ended = 1;
            else if (i == 1)
                pending = 2;
        }
        for (; pending > 0; pending--) {
            struct got g = get_packet(port, SOON);
            if (!CHECK(g.ov != NULL)) {
                ended = 1;
                break;
            }
            aborts += g.error == ERROR_OPERATION_ABORTED;
            if (!g.ok)
                CHECK_EQ(g.error, ERROR_OPERATION_ABORTED);
            else if (g.bytes == 0)
                ended = 1;
            else if (CHECK(size + g.bytes <= TOTAL)) {
                memcpy(stream + size, buffers[g.ov - ovs], g.bytes);
                size += (int)g.bytes;
            }
        }
    }
    InterlockedExchange(&canceller.stop, 1);
    CHECK_EQ(size, TOTAL);
    for (unsigned n = 0; n < TOTAL / 4; n++)
        if (!CHECK_EQ(((unsigned *)stream)[n], n))
            break;
    printf("# %d receives were cancelled\n", aborts);
    JOIN(sender);
    JOIN(cancels);
    close_pair(pair);
    CloseHandle(port);
}

TEST(completed_but_not_dequeued, "CANCEL-09")
{
    SOCKET pair[2];
    OVERLAPPED recv_ = {0}, sent = {0};
    char buffer[4];
    HANDLE port = new_port(1);
    REQUIRE(port && tcp_pair(pair) && bind_port(port, pair[0], 3));
    CHECK_EQ(start_recv(pair[0], buffer, sizeof buffer, &recv_), WSA_IO_PENDING);
    CHECK_EQ(start_send(pair[0], "xy", 2, &sent), 0);
    CHECK(send_all(pair[1], "abc", 3));
    CHECK(WITHIN(SOON, HasOverlappedIoCompleted(&recv_)));
    CHECK_ERR(CancelIoEx((HANDLE)pair[0], &recv_), ERROR_NOT_FOUND);
    CHECK_ERR(CancelIoEx((HANDLE)pair[0], &sent), ERROR_NOT_FOUND);
    TODO_WINE(WINE_ALL)
    {
        CHECK_ERR(CancelIoEx((HANDLE)pair[0], NULL), ERROR_NOT_FOUND);
    }
    CHECK_PACKET(port, 2, 3, &sent);
    CHECK_PACKET(port, 3, 3, &recv_);
    CHECK_EQ(recv_.Internal, 0);
    CHECK_EQ(recv_.InternalHigh, 3);
    CHECK_NO_PACKET(port, 0);
    close_pair(pair);
    CloseHandle(port);
}

TEST(cancelling_leaves_the_handle_alone, "CANCEL-10 CANCEL-08")
{
    SOCKET pair[2];
    char buffer[16];
    DWORD bytes = 0;
    OVERLAPPED ov = {.hEvent = manual_event()};
    HANDLE plain = temp_file(64, 0), file = temp_file(64, FILE_FLAG_OVERLAPPED);
    REQUIRE(plain != INVALID_HANDLE_VALUE && file != INVALID_HANDLE_VALUE && tcp_pair(pair));
    CHECK(ReadFile(plain, buffer, 10, &bytes, NULL));
    CancelIo(plain); /* whatever it answers */
    CHECK(ReadFile(plain, buffer, 10, &bytes, NULL));
    CHECK_EQ(bytes, 10);
    CHECK_EQ((unsigned char)buffer[0], pattern(10));
    CHECK(WriteFile(plain, "abc", 3, &bytes, NULL));
    CHECK_EQ(SetFilePointer(plain, 0, NULL, FILE_CURRENT), 23);

    CancelIo(file);
    CancelIoEx(file, NULL);
    ov.Offset = 20;
    CHECK(ReadFile(file, buffer, 16, NULL, &ov) || GetLastError() == ERROR_IO_PENDING);
    CHECK(GetOverlappedResult(file, &ov, &bytes, TRUE));
    CHECK_EQ(bytes, 16);
    CHECK_EQ((unsigned char)buffer[15], pattern(35));

    /* A cancelled receive and what came meanwhile: the next one gets it all. */
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(start_recv(pair[0], buffer, sizeof buffer, &ov), WSA_IO_PENDING);
        CHECK(CancelIoEx((HANDLE)pair[0], &ov));
        CHECK_ABORTED(pair[0], &ov);
        CHECK(send_all(pair[1], "0123456789", 10));
        int error = start_recv(pair[0], buffer, 10, &ov);
        CHECK(!error || error == WSA_IO_PENDING);
        CHECK(GetOverlappedResult((HANDLE)pair[0], &ov, &bytes, TRUE));
        CHECK_EQ(bytes, 10);
        CHECK_MEM(buffer, "0123456789", 10);
        CHECK_EQ(start_send(pair[0], "w", 1, &ov), 0);
        CHECK_EQ(recv(pair[1], buffer, 1, 0), 1);
    }
    CloseHandle(ov.hEvent);
    CloseHandle(plain);
    CloseHandle(file);
    close_pair(pair);
}

/* ---- kinds of socket operations ---- */

TEST(sends_and_datagrams_are_cancelled, "CANCEL-11")
{
    enum { BIG = 8 << 20 };
    SOCKET pair[2];
    OVERLAPPED ov = {.hEvent = manual_event()};
    char *big = calloc(1, BIG), buffer[8];
    DWORD flags = 0;
    REQUIRE(big && ov.hEvent && tcp_pair(pair));
    /* Nobody reads: no stack takes this at once. Windows may buffer one, then not the next. */
    int error = 0, sends = 0;
    while (sends++ < 4 && (error = start_send(pair[0], big, BIG, &ov)) == 0)
        continue;
    CHECK_EQ(error, WSA_IO_PENDING);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 50), WAIT_TIMEOUT);
    CHECK(CancelIoEx((HANDLE)pair[0], &ov));
    CHECK_EQ(WaitForSingleObject(ov.hEvent, SOON), WAIT_OBJECT_0);
    CHECK_EQ((DWORD)ov.Internal, 0xC0000120);
    CHECK_ERR(GetOverlappedResult((HANDLE)pair[0], &ov, &flags, FALSE), ERROR_OPERATION_ABORTED);
    close_pair(pair);
    free(big);

    struct sockaddr_in address = loopback(0), from;
    int size = sizeof address, from_size = sizeof from;
    WSABUF buf = {sizeof buffer, buffer};
    SOCKET s = WSASocketA(AF_INET, SOCK_DGRAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED);
    REQUIRE(s != INVALID_SOCKET && !bind(s, (struct sockaddr *)&address, size));
    flags = 0;
    ov = (OVERLAPPED){.hEvent = ov.hEvent};
    CHECK_EQ(WSARecvFrom(s, &buf, 1, NULL, &flags, (struct sockaddr *)&from, &from_size, &ov, NULL), -1);
    CHECK_LASTERR(WSA_IO_PENDING);
    CHECK(CancelIo((HANDLE)s));
    CHECK_ABORTED(s, &ov);
    closesocket(s);
    CloseHandle(ov.hEvent);
}

static void *extension(SOCKET s, GUID id)
{
    void *function = NULL;
    DWORD bytes;
    CHECK_EQ(WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &id, sizeof id, &function, sizeof function,
                      &bytes, NULL, NULL), 0);
    return function;
}

TEST(accept_ex_is_cancelled, "CANCEL-11 CANCEL-05")
{
    struct sockaddr_in address;
    char output[2 * (sizeof address + 16)];
    DWORD bytes = 0;
    OVERLAPPED ov = {.hEvent = manual_event()};
    SOCKET listener = tcp_listener(&address);
    SOCKET s = WSASocketA(AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED);
    HANDLE port = new_port(1);
    REQUIRE(port && listener != INVALID_SOCKET && s != INVALID_SOCKET && bind_port(port, listener, 5));
    LPFN_ACCEPTEX accept_ex = (LPFN_ACCEPTEX)extension(listener, (GUID)WSAID_ACCEPTEX);
    REQUIRE(accept_ex != NULL);
    DWORD half = sizeof address + 16;
    CHECK_ERR(accept_ex(listener, s, output, 0, half, half, &bytes, &ov), WSA_IO_PENDING);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, 20), WAIT_TIMEOUT);
    CHECK(CancelIoEx((HANDLE)listener, &ov));
    CHECK_FAILED_PACKET(port, ERROR_OPERATION_ABORTED, 0, 5, &ov);
    CHECK(is_set(ov.hEvent));
    CHECK_EQ((DWORD)ov.Internal, 0xC0000120);

    /* The listener goes on listening, the accept socket is as good as new. */
    CHECK_ERR(accept_ex(listener, s, output, 0, half, half, &bytes, &ov), WSA_IO_PENDING);
    SOCKET client = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(connect(client, (struct sockaddr *)&address, sizeof address), 0);
    CHECK_PACKET(port, 0, 5, &ov);
    closesocket(client);
    closesocket(s);
    closesocket(listener);
    CloseHandle(ov.hEvent);
    CloseHandle(port);
}

/* A connection that does not come about: nobody accepts, and the queue of the listener is full. */
TEST(connect_ex_is_cancelled, "CANCEL-11")
{
    enum { MANY = 24 };
    SOCKET sockets[MANY];
    static OVERLAPPED ovs[MANY];
    struct sockaddr_in address = loopback(0), any;
    int size = sizeof address, pending = 0;
    net_start();
    SOCKET listener = WSASocketA(AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED);
    REQUIRE(listener != INVALID_SOCKET && !bind(listener, (struct sockaddr *)&address, size));
    REQUIRE(!listen(listener, 1) && !getsockname(listener, (struct sockaddr *)&address, &size));
    LPFN_CONNECTEX connect_ex = (LPFN_CONNECTEX)extension(listener, (GUID)WSAID_CONNECTEX);
    REQUIRE(connect_ex != NULL);
    for (int i = 0; i < MANY; i++) {
        any = loopback(0);
        ovs[i] = (OVERLAPPED){.hEvent = manual_event()};
        sockets[i] = WSASocketA(AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED);
        REQUIRE(sockets[i] != INVALID_SOCKET && !bind(sockets[i], (struct sockaddr *)&any, sizeof any));
        if (!connect_ex(sockets[i], (struct sockaddr *)&address, sizeof address, NULL, 0, NULL, &ovs[i]))
            CHECK_LASTERR(WSA_IO_PENDING);
    }
    for (int i = MANY; i-- > 0;) { /* the last ones first: for them there was no room */
        if (pending < 3 && !HasOverlappedIoCompleted(&ovs[i])) {
            BOOL asked = CancelIoEx((HANDLE)sockets[i], i % 2 ? &ovs[i] : NULL);
            if (!asked)
                CHECK_LASTERR(ERROR_NOT_FOUND); /* it was refused, or made, just now */
            CHECK_EQ(WaitForSingleObject(ovs[i].hEvent, SOON), WAIT_OBJECT_0);
            if (asked && ovs[i].Internal != 0) { /* 0: made before it could be called back */
                CHECK_ABORTED(sockets[i], &ovs[i]);
                pending++;
            }
        }
        closesocket(sockets[i]);
        CHECK_EQ(WaitForSingleObject(ovs[i].hEvent, SOON), WAIT_OBJECT_0);
        CloseHandle(ovs[i].hEvent);
    }
    closesocket(listener);
    if (!pending)
        SKIP("every connection was made or refused at once");
}

/* ---- synchronous calls ---- */

struct reader {
    HANDLE file;
    char buffer[8];
    DWORD bytes, error;
    BOOL ok;
    HANDLE done, again;
};

THREAD_FN(read_synchronously)
{
    struct reader *r = arg;
    for (int i = 0; i < 2; i++) {
        SetLastError(0);
        r->ok = ReadFile(r->file, r->buffer, sizeof r->buffer, &r->bytes, NULL);
        r->error = GetLastError();
        SetEvent(r->done);
        if (i == 0)
            WaitForSingleObject(r->again, SOON);
    }
    return 0;
}

/* A socket that is not overlapped, connected to an ordinary one. */
static int synchronous_pair(SOCKET pair[2])
{
    struct sockaddr_in address;
    SOCKET listener = tcp_listener(&address);
    pair[0] = WSASocketA(AF_INET, SOCK_STREAM, 0, NULL, 0, 0);
    int good = CHECK_EQ(connect(pair[0], (struct sockaddr *)&address, sizeof address), 0);
    pair[1] = accept(listener, NULL, NULL);
    closesocket(listener);
    return good && pair[1] != INVALID_SOCKET;
}

TEST(cancel_synchronous_io, "CANCEL-12")
{
    SOCKET pair[2];
    struct reader r = {.done = auto_event(), .again = auto_event()};
    REQUIRE(synchronous_pair(pair));
    CHECK_ERR(CancelSynchronousIo(GetCurrentThread()), ERROR_NOT_FOUND);
    r.file = (HANDLE)pair[0];
    HANDLE thread = start_thread(read_synchronously, &r);
    REQUIRE(thread != NULL);
    /* As long as it is not in the call there is nothing to cancel, and no cancel is kept for later. */
    CHECK(WITHIN(SOON, CancelSynchronousIo(thread) || (CHECK_LASTERR(ERROR_NOT_FOUND), 0)));
    CHECK_EQ(WaitForSingleObject(r.done, SOON), WAIT_OBJECT_0);
    CHECK(!r.ok);
    CHECK_EQ(r.error, ERROR_OPERATION_ABORTED);

    /* Waiting for an object is no synchronous I/O. */
    CHECK_ERR(CancelSynchronousIo(thread), ERROR_NOT_FOUND);
    SetEvent(r.again);
    CHECK_EQ(WaitForSingleObject(r.done, 50), WAIT_TIMEOUT); /* the cancel was for one call */
    CHECK(send_all(pair[1], "abc", 3));
    CHECK_EQ(WaitForSingleObject(r.done, SOON), WAIT_OBJECT_0);
    CHECK(r.ok);
    CHECK_EQ(r.bytes, 3);
    CHECK_MEM(r.buffer, "abc", 3);
    CHECK_EQ(WaitForSingleObject(thread, SOON), WAIT_OBJECT_0);
    CHECK_ERR(CancelSynchronousIo(thread), ERROR_NOT_FOUND);
    CloseHandle(thread);
    CHECK_ERR(CancelSynchronousIo(NULL), ERROR_INVALID_HANDLE);
    CHECK_ERR(CancelSynchronousIo(r.done), ERROR_INVALID_HANDLE);
    CloseHandle(r.done);
    CloseHandle(r.again);
    close_pair(pair);
}

/* Another thread's synchronous call on the handle counts as an operation of the handle. */
TEST(cancel_io_ex_ends_a_synchronous_read, "CANCEL-02 CANCEL-12")
{
    SOCKET pair[2];
    struct reader r = {.done = auto_event(), .again = auto_event()};
    REQUIRE(synchronous_pair(pair));
    r.file = (HANDLE)pair[0];
    HANDLE thread = start_thread(read_synchronously, &r);
    REQUIRE(thread != NULL);
    /* Asked again until it was in the call; the last of them is the one that ended it. */
    CHECK(WITHIN(SOON, (CancelIoEx(r.file, NULL), WaitForSingleObject(r.done, 10) == WAIT_OBJECT_0)));
    CHECK(!r.ok);
    CHECK_EQ(r.error, ERROR_OPERATION_ABORTED);
    SetEvent(r.again);
    CHECK_EQ(WaitForSingleObject(r.done, 50), WAIT_TIMEOUT);
    CHECK(send_all(pair[1], "abc", 3));
    CHECK_EQ(WaitForSingleObject(r.done, SOON), WAIT_OBJECT_0);
    CHECK(r.ok);
    CHECK_EQ(r.bytes, 3);
    JOIN(thread);
    CloseHandle(r.done);
    CloseHandle(r.again);
    close_pair(pair);
}

/* ---- a thread's exit ---- */

TEST(exit_cancels_without_a_port, "CANCEL-13 CANCEL-14")
{
    SOCKET pair[2], bound[2];
    OVERLAPPED mine = {.hEvent = manual_event()}, theirs = {.hEvent = manual_event()}, kept = {0};
    char buffers[3];
    DWORD bytes = 0;
    struct issuer other, on_port;
    HANDLE port = new_port(1);
    REQUIRE(port && tcp_pair(pair) && tcp_pair(bound) && bind_port(port, bound[0], 6));
    CHECK_EQ(start_recv(pair[0], &buffers[0], 1, &mine), WSA_IO_PENDING);
    issuer_start(&other, pair[0], &theirs, &buffers[1]);
    issuer_start(&on_port, bound[0], &kept, &buffers[2]);
    CHECK_EQ(WaitForSingleObject(theirs.hEvent, 30), WAIT_TIMEOUT);
    issuer_end(&other);
    issuer_end(&on_port);

    CHECK_EQ(WaitForSingleObject(theirs.hEvent, SOON), WAIT_OBJECT_0);
    CHECK_ABORTED(pair[0], &theirs);
    CHECK(!HasOverlappedIoCompleted(&mine)); /* it was the thread's, not the handle's end */
    CHECK(send_all(pair[1], "x", 1));
    CHECK(GetOverlappedResult((HANDLE)pair[0], &mine, &bytes, TRUE));
    CHECK_EQ(bytes, 1);

    CHECK_NO_PACKET(port, 50);
    CHECK(!HasOverlappedIoCompleted(&kept));
    CHECK(send_all(bound[1], "y", 1));
    CHECK_PACKET(port, 1, 6, &kept);
    CHECK_EQ(buffers[2], 'y');
    CloseHandle(mine.hEvent);
    CloseHandle(theirs.hEvent);
    close_pair(pair);
    close_pair(bound);
    CloseHandle(port);
}

/* One thread with operations of both sorts. */
TEST(exit_of_a_thread_with_both, "CANCEL-13 CANCEL-14")
{
    SOCKET pair[2], bound[2];
    OVERLAPPED gone = {0}, kept = {0};
    char buffer[1];
    HANDLE port = new_port(1);
    REQUIRE(port && tcp_pair(pair) && tcp_pair(bound) && bind_port(port, bound[0], 6));
    struct issuer both = {.s = pair[0], .ov = &gone, .buffer = buffer};
    both.second = bound[0];
    both.second_ov = &kept;
    issuer_begin(&both);
    CHECK_EQ(both.second_error, WSA_IO_PENDING);
    issuer_end(&both);
    CHECK(WITHIN(SOON, HasOverlappedIoCompleted(&gone)));
    CHECK_ABORTED(pair[0], &gone);
    CHECK_NO_PACKET(port, 50);
    CHECK(!HasOverlappedIoCompleted(&kept));
    CHECK(send_all(bound[1], "y", 1));
    CHECK_PACKET(port, 1, 6, &kept);
    CHECK_EQ(both.second_buffer[0], 'y');
    close_pair(pair);
    close_pair(bound);
    CloseHandle(port);
}

/* Many threads that start one operation each and end at once, on both sorts of handle. */
TEST(many_exits, "CANCEL-13 CANCEL-14")
{
    enum { MANY = 40 };
    static OVERLAPPED ovs[MANY][2];
    static char buffers[MANY][2];
    SOCKET pair[2], bound[2];
    struct issuer issuers[2];
    HANDLE port = new_port(1);
    REQUIRE(port && tcp_pair(pair) && tcp_pair(bound) && bind_port(port, bound[0], 6));
    memset(ovs, 0, sizeof ovs);
    for (int i = 0; i < MANY; i++) {
        issuer_start(&issuers[0], pair[0], &ovs[i][0], &buffers[i][0]);
        issuer_start(&issuers[1], bound[0], &ovs[i][1], &buffers[i][1]);
        issuer_end(&issuers[0]);
        issuer_end(&issuers[1]);
    }
    for (int i = 0; i < MANY; i++) {
        CHECK(WITHIN(SOON, HasOverlappedIoCompleted(&ovs[i][0])));
        CHECK_EQ((DWORD)ovs[i][0].Internal, 0xC0000120);
        CHECK(!HasOverlappedIoCompleted(&ovs[i][1]));
    }
    for (int i = 0; i < MANY; i++) {
        CHECK(send_all(bound[1], "z", 1));
        if (!CHECK_PACKET(port, 1, 6, &ovs[i][1]))
            break;
    }
    close_pair(pair);
    close_pair(bound);
    CloseHandle(port);
}

/* ---- closing ---- */

TEST_W8(closing_the_last_handle_answers_all, "CANCEL-15 HANDLE-02",
        "Wine 8 completes through the handle that started it, which is closed")
{
    enum { OPS = 4 };
    SOCKET pair[2];
    OVERLAPPED ovs[OPS];
    char buffers[OPS];
    HANDLE twin = NULL, me = GetCurrentProcess(), port = new_port(1);
    REQUIRE(port && tcp_pair(pair) && bind_port(port, pair[0], 9));
    REQUIRE(DuplicateHandle(me, (HANDLE)pair[0], me, &twin, 0, FALSE, DUPLICATE_SAME_ACCESS));
    for (int i = 0; i < OPS; i++) {
        ovs[i] = (OVERLAPPED){.hEvent = i % 2 ? manual_event() : NULL};
        CHECK_EQ(start_recv(pair[0], &buffers[i], 1, &ovs[i]), WSA_IO_PENDING);
    }
    CHECK_EQ(closesocket(pair[0]), 0); /* not the last */
    CHECK_NO_PACKET(port, 50);
    for (int i = 0; i < OPS; i++)
        CHECK(!HasOverlappedIoCompleted(&ovs[i]));
    CHECK(send_all(pair[1], "a", 1));
    CHECK_PACKET(port, 1, 9, &ovs[0]);
    CHECK(CloseHandle(twin));
    for (int i = 1; i < OPS; i++) {
        CHECK_FAILED_PACKET(port, ERROR_OPERATION_ABORTED, 0, 9, &ovs[i]);
        CHECK_EQ((DWORD)ovs[i].Internal, 0xC0000120);
        if (ovs[i].hEvent) {
            CHECK(is_set(ovs[i].hEvent));
            CloseHandle(ovs[i].hEvent);
        }
    }
    CHECK_NO_PACKET(port, 20);
    closesocket(pair[1]);
    CloseHandle(port);
}

TEST_W8(closesocket_aborts_everything, "CANCEL-16 CANCEL-17", WINE_CLOSE)
{
    SOCKET pair[2], bound[2], with_routine[2];
    OVERLAPPED mine = {.hEvent = manual_event()}, theirs = {.hEvent = manual_event()};
    OVERLAPPED queued = {0}, apc = {0};
    char buffers[4];
    WSABUF buf = {1, &buffers[3]};
    DWORD flags = 0;
    struct issuer other;
    HANDLE port = new_port(1);
    REQUIRE(port && tcp_pair(pair) && tcp_pair(bound) && tcp_pair(with_routine));
    REQUIRE(bind_port(port, bound[0], 8));
    CHECK_EQ(WSA_OPERATION_ABORTED, 995);
    CHECK_EQ(start_recv(pair[0], &buffers[0], 1, &mine), WSA_IO_PENDING);
    issuer_start(&other, pair[0], &theirs, &buffers[1]);
    CHECK_EQ(start_recv(bound[0], &buffers[2], 1, &queued), WSA_IO_PENDING);
    routines = 0;
    CHECK_EQ(WSARecv(with_routine[0], &buf, 1, NULL, &flags, &apc, note_routine), SOCKET_ERROR);
    CHECK_LASTERR(WSA_IO_PENDING);

    CHECK_EQ(closesocket(pair[0]), 0);
    CHECK_EQ(closesocket(bound[0]), 0);
    CHECK_EQ(closesocket(with_routine[0]), 0);
    CHECK_EQ(WaitForSingleObject(mine.hEvent, SOON), WAIT_OBJECT_0);
    CHECK_EQ(WaitForSingleObject(theirs.hEvent, SOON), WAIT_OBJECT_0);
    CHECK_EQ((DWORD)mine.Internal, 0xC0000120);
    CHECK_EQ((DWORD)theirs.Internal, 0xC0000120);
    CHECK(WITHIN(SOON, HasOverlappedIoCompleted(&queued))); /* though nobody dequeues */
    CHECK_FAILED_PACKET(port, ERROR_OPERATION_ABORTED, 0, 8, &queued);
    CHECK_EQ(routines, 0);
    CHECK_EQ(SleepEx(SOON, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ(routines, 1);
    CHECK_EQ(routine_error, WSA_OPERATION_ABORTED);
    CHECK(routine_ov == &apc);
    CHECK_NO_PACKET(port, 20);
    CHECK_EQ(SleepEx(20, TRUE), 0);
    issuer_end(&other);
    CHECK_EQ((DWORD)theirs.Internal, 0xC0000120);
    CloseHandle(mine.hEvent);
    CloseHandle(theirs.hEvent);
    closesocket(pair[1]);
    closesocket(bound[1]);
    closesocket(with_routine[1]);
    CloseHandle(port);
}

THREAD_FN(send_while_closing)
{
    for (;;) {
        meet(&race.start);
        if (race.stop)
            return 0;
        delay(race.send_delay);
        for (int i = 0; i < 3; i++)
            send(race.pair[1], "abcd", 4, 0); /* may fail: the peer may be gone */
        meet(&race.end);
    }
}

THREAD_FN(close_in_race)
{
    for (;;) {
        meet(&race.start);
        if (race.stop)
            return 0;
        delay(race.cancel_delay);
        CHECK_EQ(closesocket(race.pair[0]), 0);
        meet(&race.end);
    }
}

/* Whatever the close meets, each operation is answered once and its memory left alone after that. */
TEST(closesocket_races_with_data, "CANCEL-17 CANCEL-16 CANCEL-15 CANCEL-07")
{
    enum { ROUNDS = 700, OPS = 3 };
    struct op {
        OVERLAPPED ov;
        char buffer[8];
        int answers;
    } *ops;
    int good = 1, done = 0, aborted = 0, other = 0;
    unsigned bounds[2] = {200, 200};
    HANDLE port = new_port(1);
    memset(&race, 0, sizeof race);
    race.start.need = race.end.need = 3;
    HANDLE sender = start_thread(send_while_closing, NULL), rival = start_thread(close_in_race, NULL);
    double until = now_ms() + 2200;
    for (int round = 0; round < ROUNDS && good && now_ms() < until; round++) {
        if (!tcp_pair(race.pair) || !bind_port(port, race.pair[0], 1))
            break;
        ops = calloc(OPS, sizeof *ops);
        for (int i = 0; i < OPS; i++)
            CHECK_EQ(start_recv(race.pair[0], ops[i].buffer, 8, &ops[i].ov), WSA_IO_PENDING);
        race.send_delay = rnd(bounds[0]);
        race.cancel_delay = rnd(bounds[1]);
        meet(&race.start);
        int done_before = done;
        for (int n = 0; n < OPS && good; n++) {
            struct got g = get_packet(port, SOON);
            good = CHECK(g.ov != NULL);
            if (!good)
                break;
            struct op *op = (struct op *)g.ov;
            good &= CHECK_EQ(++op->answers, 1);
            good &= CHECK(HasOverlappedIoCompleted(&op->ov));
            good &= CHECK_EQ(op->ov.InternalHigh, g.bytes);
            done += g.ok;
            aborted += g.error == ERROR_OPERATION_ABORTED;
            other += !g.ok && g.error != ERROR_OPERATION_ABORTED;
            good &= CHECK_MSG(g.ok ? g.bytes > 0 && g.bytes <= 8 : g.bytes == 0, "%u bytes, error %u",
                              (unsigned)g.bytes, (unsigned)g.error);
        }
        meet(&race.end);
        aim(bounds, done == done_before);
        memset(ops, 0xDD, OPS * sizeof *ops);
        free(ops);
        closesocket(race.pair[1]);
    }
    race.stop = 1;
    meet(&race.start);
    JOIN(sender);
    JOIN(rival);
    printf("# %d done, %d aborted, %d failed otherwise\n", done, aborted, other);
    CHECK_NO_PACKET(port, 20);
    TODO_WINE(WINE_CLOSE)
    {
        CHECK_EQ(other, 0);
    }
    CloseHandle(port);
}
