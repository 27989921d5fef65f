/* SPDX-License-Identifier: MIT */
/* Registered I/O: when a completion queue notifies, by port and event, and requests that are deferred. */
#include "rio.h"

/* ---- notifications ---- */

struct notified {
    HANDLE port, event;
    OVERLAPPED ov;
    RIO_NOTIFICATION_COMPLETION how;
};

static void by_port(struct notified *n)
{
    memset(n, 0, sizeof *n);
    n->port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    n->how.Type = RIO_IOCP_COMPLETION;
    n->how.Iocp.IocpHandle = n->port;
    n->how.Iocp.CompletionKey = number(77);
    n->how.Iocp.Overlapped = &n->ov;
}

/* One packet within `ms`, as it has to be. */
static int got_packet(struct notified *n, DWORD ms)
{
    DWORD bytes = 1;
    ULONG_PTR key = 0;
    OVERLAPPED *ov = NULL;
    if (!GetQueuedCompletionStatus(n->port, &bytes, &key, &ov, ms))
        return CHECK(ov == NULL) && 0;
    CHECK_EQ(key, 77);
    CHECK(ov == &n->ov);
    CHECK_EQ(bytes, 0);
    return 1;
}

TEST(notify_port, "")
{
    static struct stream t;
    static struct notified n;
    RIORESULT r[2];
    RIO_OR_SKIP();
    by_port(&n);
    REQUIRE(stream_open_with(&t, &n.how));
    CHECK(receive(&t, 0, 1, 0, 1));
    CHECK(receive(&t, 1, 1, 0, 2));
    CHECK_EQ(rio.RIONotify(t.results), 0);
    CHECK_EQ(rio.RIONotify(t.results), WSAEALREADY);
    CHECK(!got_packet(&n, 0));
    CHECK(send_all(t.far_end, "a", 1));
    CHECK(got_packet(&n, 10000)); /* this thread is all that does the receive */
    REQUIRE(rio_take(t.results, r, 1));
    CHECK(send_all(t.far_end, "b", 1)); /* not asked again: no packet */
    CHECK(!got_packet(&n, 30));
    CHECK_EQ(rio.RIONotify(t.results), 0); /* at once or soon: the result lies there, or is on its way */
    CHECK(got_packet(&n, 10000));
    REQUIRE(rio_take(t.results, r, 1));
    CHECK_EQ(rio.RIONotify(t.results), 0);
    CHECK(send_part(&t, 0, 1, 0, 3));
    CHECK(got_packet(&n, 10000));
    CHECK(!got_packet(&n, 0));
    stream_close(&t);
    CloseHandle(n.port);
}

TEST(notify_event, "")
{
    static struct stream t;
    RIO_NOTIFICATION_COMPLETION how;
    RIORESULT r[2];
    RIO_OR_SKIP();
    for (int reset = 0; reset < 2; reset++) {
        memset(&how, 0, sizeof how);
        how.Type = RIO_EVENT_COMPLETION;
        how.Event.EventHandle = manual_event();
        how.Event.NotifyReset = reset;
        REQUIRE(stream_open_with(&t, &how));
        CHECK(receive(&t, 0, 1, 0, 1));
        CHECK(receive(&t, 0, 1, 0, 2));
        CHECK_EQ(rio.RIONotify(t.results), 0);
        CHECK_EQ(WaitForSingleObject(how.Event.EventHandle, 0), WAIT_TIMEOUT);
        CHECK(send_all(t.far_end, "a", 1));
        CHECK_EQ(WaitForSingleObject(how.Event.EventHandle, 10000), WAIT_OBJECT_0);
        REQUIRE(rio_take(t.results, r, 1));
        CHECK_EQ(rio.RIONotify(t.results), 0);
        CHECK_EQ(WaitForSingleObject(how.Event.EventHandle, 0), reset ? WAIT_TIMEOUT : WAIT_OBJECT_0);
        ResetEvent(how.Event.EventHandle);
        CHECK_EQ(rio.RIONotify(t.results), WSAEALREADY);
        CHECK(send_all(t.far_end, "b", 1));
        CHECK_EQ(WaitForSingleObject(how.Event.EventHandle, 10000), WAIT_OBJECT_0);
        CHECK_EQ(rio.RIONotify(t.results), 0); /* it lies there still */
        CHECK_EQ(WaitForSingleObject(how.Event.EventHandle, 10000), WAIT_OBJECT_0);
        stream_close(&t);
        CloseHandle(how.Event.EventHandle);
    }
}

TEST(quiet_results, "")
{
    static struct stream t;
    static struct notified n;
    RIORESULT r[3];
    RIO_OR_SKIP();
    by_port(&n);
    REQUIRE(stream_open_with(&t, &n.how));
    CHECK_EQ(rio.RIONotify(t.results), 0);
    CHECK(send_part(&t, 0, 1, RIO_MSG_DONT_NOTIFY, 1));
    CHECK(send_part(&t, 0, 1, RIO_MSG_DONT_NOTIFY, 2));
    CHECK(!got_packet(&n, 30));
    REQUIRE(rio_take(t.results, r, 1)); /* it lies there all the same */
    is_result(&r[0], &t, 1, 0, 1);
    CHECK(send_part(&t, 0, 1, 0, 3));
    CHECK(got_packet(&n, 10000));
    REQUIRE(rio_take(t.results, r, 2));
    is_result(&r[0], &t, 2, 0, 1);
    is_result(&r[1], &t, 3, 0, 1);
    CHECK(send_part(&t, 0, 1, RIO_MSG_DONT_NOTIFY, 4));
    CHECK(WITHIN(10000, recv(t.far_end, t.memory + 100, 10, 0) > 0));
    CHECK_EQ(rio.RIONotify(t.results), 0); /* as good as empty */
    CHECK(!got_packet(&n, 30));
    stream_close(&t);
    CloseHandle(n.port);
}

TEST(notify_outlives_nothing, "")
{
    static struct stream t;
    static struct notified n;
    RIO_OR_SKIP();
    by_port(&n);
    REQUIRE(stream_open_with(&t, &n.how));
    CHECK(receive(&t, 0, 1, 0, 1));
    CHECK_EQ(rio.RIONotify(t.results), 0);
    rio.RIOCloseCompletionQueue(t.results);
    CHECK_EQ(rio.RIONotify(t.results), WSAEINVAL);
    CHECK_ERR(receive(&t, 0, 1, 0, 2), WSAEINVAL);
    CHECK(send_all(t.far_end, "a", 1)); /* its result is dropped */
    CHECK(!got_packet(&n, 30));
    stream_close(&t);
    CHECK(!got_packet(&n, 0));
    CloseHandle(n.port);
}

/* ---- deferred requests ---- */

TEST(deferred_sends, "")
{
    static struct stream t;
    RIORESULT r[SENDS];
    char got[16];
    RIO_OR_SKIP();
    REQUIRE(stream_open(&t));
    memcpy(t.memory, "abcdef", 6);
    CHECK(send_part(&t, 0, 1, RIO_MSG_DEFER, 1));
    CHECK(send_part(&t, 1, 1, RIO_MSG_DEFER, 2));
    CHECK(send_part(&t, 2, 1, 0, 3)); /* takes the others along, in front */
    REQUIRE(rio_take(t.results, r, 3));
    for (int i = 0; i < 3; i++)
        is_result(&r[i], &t, (uintptr_t)i + 1, 0, 1);
    CHECK(send_part(&t, 3, 1, RIO_MSG_DEFER, 4));
    CHECK(send_part(&t, 4, 2, RIO_MSG_DEFER, 5));
    CHECK(rio.RIOSend(t.requests, NULL, 0, RIO_MSG_COMMIT_ONLY, NULL));
    REQUIRE(rio_take(t.results, r, 2));
    is_result(&r[0], &t, 4, 0, 1);
    is_result(&r[1], &t, 5, 0, 2);
    for (int have = 0, n; have < 6; have += n)
        if ((n = recv(t.far_end, got + have, 6 - have, 0)) <= 0)
            REQUIRE(n > 0);
    CHECK_MEM(got, "abcdef", 6);
    CHECK(rio.RIOSend(t.requests, NULL, 0, RIO_MSG_COMMIT_ONLY, NULL)); /* there is nothing */
    CHECK(rio.RIOReceive(t.requests, NULL, 0, RIO_MSG_COMMIT_ONLY, NULL));
    stream_close(&t);
}

TEST(deferred_receives, "")
{
    static struct stream t;
    RIORESULT r[RECEIVES];
    RIO_OR_SKIP();
    REQUIRE(stream_open(&t));
    CHECK(send_all(t.far_end, "abcd", 4));
    for (int i = 0; i < RECEIVES; i++) /* they count */
        CHECK(receive(&t, (ULONG)i, 1, RIO_MSG_DEFER, (uintptr_t)i));
    CHECK_ERR(receive(&t, 0, 1, RIO_MSG_DEFER, 9), WSAENOBUFS);
    CHECK(rio.RIOReceiveEx(t.requests, NULL, 0, NULL, NULL, NULL, NULL, RIO_MSG_COMMIT_ONLY, NULL));
    REQUIRE(rio_take(t.results, r, RECEIVES));
    for (int i = 0; i < RECEIVES; i++)
        is_result(&r[i], &t, (uintptr_t)i, 0, 1);
    CHECK_MEM(t.memory, "abcd", 4);
    stream_close(&t);
}

static volatile LONG commits_end;

THREAD_FN(commit_all_the_time)
{
    struct stream *t = arg;
    while (!LOOK(commits_end))
        CHECK(rio.RIOSend(t->requests, NULL, 0, RIO_MSG_COMMIT_ONLY, NULL));
    return 0;
}

/* The only calls that need no turns. What is sent keeps its order, whoever commits it. */
TEST(commits_of_another_thread, "")
{
    enum { BYTES = 2000 };
    static struct stream t;
    static char got[BYTES];
    RIORESULT r[SENDS];
    ULONG sent = 0, done = 0;
    HANDLE thread;
    RIO_OR_SKIP();
    REQUIRE(stream_open(&t));
    for (int i = 0; i < BYTES; i++)
        t.memory[i] = (char)(i % 251);
    InterlockedExchange(&commits_end, 0);
    thread = start_thread(commit_all_the_time, &t);
    while (done < BYTES) {
        while (sent < BYTES && sent - done < SENDS) {
            if (!CHECK(send_part(&t, sent, 1, rnd(3) ? RIO_MSG_DEFER : 0, sent)))
                break;
            sent++;
        }
        ULONG n = rio.RIODequeueCompletion(t.results, r, SENDS);
        for (ULONG i = 0; i < n && i < SENDS; i++)
            is_result(&r[i], &t, done + i, 0, 1);
        done += n;
    }
    InterlockedExchange(&commits_end, 1);
    JOIN(thread);
    for (int have = 0, n; have < BYTES; have += n)
        if ((n = recv(t.far_end, got + have, BYTES - have, 0)) <= 0)
            REQUIRE(n > 0);
    CHECK_MEM(got, t.memory, BYTES);
    stream_close(&t);
}
