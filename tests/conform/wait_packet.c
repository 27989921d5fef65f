/* SPDX-License-Identifier: MIT */
/*
 * Wait packets: an object that becomes signalled queues a packet to a port. Windows 8 has them; the tests are
 * skipped where they are missing. Pages: win32 DevNotes, ntassociatewaitcompletionpacket and its kin.
 */
#include "conform.h"
#include "nt.h"
#include "packet.h"

#define KEY ((void *)0x55)
#define OV ((OVERLAPPED *)0x1234)

static HANDLE new_packet(void)
{
    HANDLE packet = NULL;
    CHECK_NT(nt_NtCreateWaitCompletionPacket(&packet, 1, NULL), 0);
    return packet;
}

/* TRUE: it was signalled already; 2: the call failed, which is reported. */
static int listen_to(HANDLE packet, HANDLE port, HANDLE object)
{
    BOOLEAN already = 77;
    if (!CHECK_NT(nt_NtAssociateWaitCompletionPacket(packet, port, object, KEY, OV, 0, 42, &already), 0))
        return 2;
    return already;
}

#define CHECK_SIGNAL(PORT) CHECK_PACKET(PORT, 42, KEY, OV)

TEST(event_signals_once, "PORT-12 WAIT-09")
{
    NEED(NtCreateWaitCompletionPacket);
    HANDLE port = new_port(1), event = auto_event(), packet = new_packet();
    CHECK_EQ(listen_to(packet, port, event), 0);
    CHECK_NO_PACKET(port, A_WHILE);
    SetEvent(event);
    CHECK_SIGNAL(port);
    CHECK(!is_set(event));
    SetEvent(event);
    CHECK_NO_PACKET(port, A_WHILE); /* one association, one packet */
    CHECK(is_set(event));
    CHECK_EQ(listen_to(packet, port, event), 0); /* again */
    SetEvent(event);
    CHECK_SIGNAL(port);
    CHECK(CloseHandle(packet));
    CloseHandle(event);
    CloseHandle(port);
}

TEST(signalled_already, "WAIT-07")
{
    NEED(NtCreateWaitCompletionPacket);
    HANDLE port = new_port(1), automatic = auto_event(), manual = manual_event(), packet = new_packet();
    SetEvent(automatic);
    SetEvent(manual);
    CHECK_EQ(listen_to(packet, port, automatic), TRUE);
    CHECK_SIGNAL(port);
    CHECK(!is_set(automatic));
    CHECK_EQ(listen_to(packet, port, manual), TRUE);
    CHECK_SIGNAL(port);
    CHECK(is_set(manual));
    CHECK_EQ(listen_to(packet, port, manual), TRUE);
    CHECK_SIGNAL(port);
    CloseHandle(packet);
    CloseHandle(automatic);
    CloseHandle(manual);
    CloseHandle(port);
}

THREAD_FN(wait_for_event)
{
    HANDLE event = arg;
    return WaitForSingleObject(event, INFINITE);
}

/* It is served in its turn among the waiters. */
TEST(semaphore_and_thread, "WAIT-07 THREAD-03")
{
    NEED(NtCreateWaitCompletionPacket);
    HANDLE port = new_port(1), packets[3];
    HANDLE semaphore = CreateSemaphoreA(NULL, 0, 10, NULL);
    HANDLE event = manual_event();
    for (int i = 0; i < 3; i++) {
        packets[i] = new_packet();
        CHECK_EQ(listen_to(packets[i], port, semaphore), 0);
    }
    CHECK(ReleaseSemaphore(semaphore, 2, NULL));
    CHECK_SIGNAL(port);
    CHECK_SIGNAL(port);
    CHECK_NO_PACKET(port, A_WHILE);
    CHECK(ReleaseSemaphore(semaphore, 2, NULL));
    CHECK_SIGNAL(port);
    CHECK(is_set(semaphore));

    HANDLE thread = start_thread(wait_for_event, event);
    CHECK_EQ(listen_to(packets[0], port, thread), 0);
    CHECK_NO_PACKET(port, 20);
    SetEvent(event);
    CHECK_SIGNAL(port);
    CHECK_EQ(listen_to(packets[0], port, thread), TRUE);
    CHECK_SIGNAL(port);
    JOIN(thread);
    for (int i = 0; i < 3; i++)
        CloseHandle(packets[i]);
    CloseHandle(event);
    CloseHandle(semaphore);
    CloseHandle(port);
}

TEST(timer_and_values, "PORT-07 PORT-27 WAIT-20")
{
    NEED(NtCreateWaitCompletionPacket);
    HANDLE port = new_port(1), packet = new_packet();
    HANDLE timer = CreateWaitableTimerA(NULL, FALSE, NULL);
    LARGE_INTEGER due = {.QuadPart = -200000};
    OVERLAPPED_ENTRY entry;
    ULONG count = 0;
    CHECK_NT(nt_NtAssociateWaitCompletionPacket(packet, port, timer, KEY, OV, NT_CANCELLED, 5, NULL), 0);
    CHECK(SetWaitableTimer(timer, &due, 0, NULL, NULL, FALSE));
    CHECK_FAILED_PACKET(port, ERROR_OPERATION_ABORTED, 5, KEY, OV);
    CHECK_NT(nt_NtAssociateWaitCompletionPacket(packet, port, timer, KEY, NULL, NT_TIMEOUT, 9, NULL), 0);
    CHECK(SetWaitableTimer(timer, &due, 0, NULL, NULL, FALSE));
    REQUIRE(GetQueuedCompletionStatusEx(port, &entry, 1, &count, SOON, FALSE));
    CHECK_EQ(entry.lpCompletionKey, (ULONG_PTR)KEY);
    CHECK(entry.lpOverlapped == NULL);
    CHECK_EQ((ULONG)entry.Internal, (ULONG)NT_TIMEOUT);
    CHECK_EQ(entry.dwNumberOfBytesTransferred, 9);
    CloseHandle(packet);
    CloseHandle(timer);
    CloseHandle(port);
}

/* A file is signalled by the end of an operation, as any waiter sees it. */
TEST(file_signal, "OVL-11")
{
    NEED(NtCreateWaitCompletionPacket);
    SOCKET s[2];
    OVERLAPPED ov = {0};
    char byte;
    HANDLE port = new_port(1), packet = new_packet();
    REQUIRE(tcp_pair(s));
    CHECK_EQ(start_recv(s[0], &byte, 1, &ov), WSA_IO_PENDING);
    CHECK_EQ(listen_to(packet, port, (HANDLE)s[0]), 0);
    CHECK(send_all(s[1], "x", 1));
    CHECK_SIGNAL(port);
    CHECK_EQ(ov.InternalHigh, 1);
    close_pair(s);
    CloseHandle(packet);
    CloseHandle(port);
}

TEST(cancelled, "CANCEL-07")
{
    NEED(NtCreateWaitCompletionPacket);
    HANDLE port = new_port(1), event = auto_event(), packet = new_packet();
    CHECK_NT(nt_NtCancelWaitCompletionPacket(packet, FALSE), NT_CANCELLED); /* was never associated */
    CHECK_EQ(listen_to(packet, port, event), 0);
    CHECK_NT(nt_NtAssociateWaitCompletionPacket(packet, port, event, KEY, OV, 0, 0, NULL),
             NT_INVALID_PARAMETER1);
    CHECK_NT(nt_NtCancelWaitCompletionPacket(packet, FALSE), 0);
    SetEvent(event);
    CHECK_NO_PACKET(port, A_WHILE);
    CHECK(is_set(event));

    CHECK_EQ(listen_to(packet, port, event), 0);
    SetEvent(event); /* the packet is in the queue now */
    CHECK_NT(nt_NtCancelWaitCompletionPacket(packet, FALSE), NT_PENDING);
    CHECK_NT(nt_NtAssociateWaitCompletionPacket(packet, port, event, KEY, OV, 0, 0, NULL),
             NT_INVALID_PARAMETER1);
    CHECK_SIGNAL(port);
    CHECK_NT(nt_NtCancelWaitCompletionPacket(packet, TRUE), NT_CANCELLED); /* dequeued */

    CHECK_EQ(listen_to(packet, port, event), 0);
    SetEvent(event);
    CHECK_NT(nt_NtCancelWaitCompletionPacket(packet, TRUE), 0);
    CHECK_NO_PACKET(port, A_WHILE);
    CHECK_EQ(listen_to(packet, port, event), 0);
    SetEvent(event);
    CHECK_SIGNAL(port);
    CloseHandle(packet);
    CloseHandle(event);
    CloseHandle(port);
}

TEST(closed_in_any_order, "PORT-23 HANDLE-02")
{
    NEED(NtCreateWaitCompletionPacket);
    HANDLE port = new_port(1), event = auto_event(), packet = new_packet(), twin;
    CHECK_EQ(listen_to(packet, port, event), 0);
    REQUIRE(DuplicateHandle(GetCurrentProcess(), event, GetCurrentProcess(), &twin, 0, FALSE,
                            DUPLICATE_SAME_ACCESS));
    CHECK(CloseHandle(event)); /* the wait lasts */
    SetEvent(twin);
    CHECK_SIGNAL(port);
    CHECK_EQ(listen_to(packet, port, twin), 0);
    CHECK(CloseHandle(packet)); /* ends it */
    SetEvent(twin);
    CHECK(is_set(twin));
    CHECK_NO_PACKET(port, 0);
    packet = new_packet();
    CHECK_EQ(listen_to(packet, port, twin), 0);
    CHECK(CloseHandle(port));
    SetEvent(twin);
    port = new_port(1);
    CHECK_EQ(listen_to(packet, port, twin), 0); /* what it queued was dropped with the port */
    SetEvent(twin);
    CHECK_SIGNAL(port);
    SetEvent(twin);
    CHECK_EQ(listen_to(packet, port, twin), TRUE);
    CHECK(CloseHandle(packet)); /* with its packet queued: that goes as well */
    CHECK_NO_PACKET(port, 0);
    CloseHandle(twin);
    CloseHandle(port);
}

TEST(refusals, "HANDLE-08")
{
    NEED(NtCreateWaitCompletionPacket);
    HANDLE port = new_port(1), event = auto_event(), packet = new_packet();
    HANDLE mutex = CreateMutexA(NULL, FALSE, NULL);
    CHECK_NT(nt_NtAssociateWaitCompletionPacket(event, port, event, KEY, OV, 0, 0, NULL), NT_TYPE_MISMATCH);
    CHECK_NT(nt_NtAssociateWaitCompletionPacket(packet, event, event, KEY, OV, 0, 0, NULL), NT_TYPE_MISMATCH);
    CHECK_NT(nt_NtAssociateWaitCompletionPacket(packet, port, NULL, KEY, OV, 0, 0, NULL), NT_INVALID_HANDLE);
    CHECK(nt_NtAssociateWaitCompletionPacket(packet, port, mutex, KEY, OV, 0, 0, NULL) < 0);
    CHECK_NT(nt_NtCancelWaitCompletionPacket(event, FALSE), NT_TYPE_MISMATCH);
    CHECK_WAITERR(WaitForSingleObject(packet, 0), ERROR_INVALID_HANDLE);
    CloseHandle(mutex);
    CloseHandle(packet);
    CloseHandle(event);
    CloseHandle(port);
}

/* ---- races ---- */

struct setter {
    HANDLE event;
    volatile LONG stop;
};

THREAD_FN(set_often)
{
    struct setter *s = arg;
    while (!LOOK(s->stop)) {
        SetEvent(s->event);
        SwitchToThread();
    }
    return 0;
}

/* Cancelled or queued: what the cancelling says is what comes. */
TEST(cancel_races_signal, "CANCEL-07 PORT-12")
{
    NEED(NtCreateWaitCompletionPacket);
    HANDLE port = new_port(1), packet = new_packet();
    struct setter setter = {auto_event(), 0};
    int came = 0, cancelled = 0;
    HANDLE thread = start_thread(set_often, &setter);
    for (int i = 0; i < 20000 || (came == 0 && i < 2000000); i++) { /* until both were seen */
        int already = listen_to(packet, port, setter.event);
        nt_status status = nt_NtCancelWaitCompletionPacket(packet, i % 2);
        if (i % 2 ? status == 0 : status == 0 && !already) {
            cancelled++;
            continue;
        }
        CHECK_NT(status, NT_PENDING);
        if (!CHECK_SIGNAL(port))
            break;
        came++;
    }
    InterlockedExchange(&setter.stop, 1);
    JOIN(thread);
    CHECK_NO_PACKET(port, 0);
    CHECK(came > 0);
    CHECK(cancelled > 0);
    CloseHandle(setter.event);
    CloseHandle(packet);
    CloseHandle(port);
}

struct ring {
    HANDLE port, packets[4], events[4];
    volatile LONG served, rounds;
};

/* Each packet is associated again by whoever dequeues it, while others signal. */
THREAD_FN(serve)
{
    struct ring *r = arg;
    for (;;) {
        struct got g = get_packet(r->port, SOON);
        if (!g.ok || g.key == 99)
            return 0;
        InterlockedIncrement(&r->served);
        CHECK_NT(nt_NtAssociateWaitCompletionPacket(r->packets[g.key], r->port, r->events[g.key],
                                                    (void *)g.key, NULL, 0, 0, NULL),
                 0);
        SetEvent(r->events[(g.key + 1) % 4]);
    }
}

TEST(dequeued_and_associated_by_many, "PORT-12")
{
    NEED(NtCreateWaitCompletionPacket);
    struct ring r = {.port = new_port(2)};
    HANDLE threads[3];
    for (int i = 0; i < 4; i++) {
        r.packets[i] = new_packet();
        r.events[i] = auto_event();
        CHECK_NT(nt_NtAssociateWaitCompletionPacket(r.packets[i], r.port, r.events[i], (void *)(ULONG_PTR)i,
                                                    NULL, 0, 0, NULL),
                 0);
    }
    for (int i = 0; i < 3; i++)
        threads[i] = start_thread(serve, &r);
    SetEvent(r.events[0]);
    SetEvent(r.events[2]);
    CHECK(WITHIN(25000, LOOK(r.served) > 2000));
    for (int i = 0; i < 3; i++)
        PostQueuedCompletionStatus(r.port, 0, 99, NULL);
    for (int i = 0; i < 3; i++)
        JOIN(threads[i]);
    for (int i = 0; i < 4; i++) {
        CloseHandle(r.packets[i]);
        CloseHandle(r.events[i]);
    }
    CloseHandle(r.port);
}
