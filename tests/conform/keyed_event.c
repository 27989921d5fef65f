/* SPDX-License-Identifier: MIT */
/* Keyed events and NtWaitForSingleObject, NtClose: what readiness libraries take from ntdll beside polls. */
#include "conform.h"
#include "nt.h"
#include "packet.h"

static LARGE_INTEGER relative_ms(int ms)
{
    LARGE_INTEGER due;
    due.QuadPart = (LONGLONG)ms * -10000;
    return due;
}

static HANDLE new_keyed(void)
{
    HANDLE event = NULL;
    CHECK_NT(nt_NtCreateKeyedEvent(&event, 0xC0000000, NULL, 0), 0);
    return event;
}

TEST(nobody_comes, "WAIT-01")
{
    HANDLE event = new_keyed();
    LARGE_INTEGER none = {.QuadPart = 0}, some = relative_ms(30);
    int key[2];
    CHECK_NT(nt_NtWaitForKeyedEvent(event, key, FALSE, &none), NT_TIMEOUT);
    CHECK_NT(nt_NtReleaseKeyedEvent(event, key, FALSE, &some), NT_TIMEOUT);
    CHECK_NT(nt_NtWaitForKeyedEvent(event, (char *)key + 1, FALSE, &none), NT_INVALID_PARAMETER1);
    CHECK_NT(nt_NtReleaseKeyedEvent(event, (char *)key + 1, FALSE, &none), NT_INVALID_PARAMETER1);
    CHECK_NT(nt_NtClose(event), 0);
    CHECK_NT(nt_NtClose(event), NT_INVALID_HANDLE);
}

struct visit {
    HANDLE event;
    void *key;
    volatile LONG met;
};

THREAD_FN(wait_with_key)
{
    struct visit *v = arg;
    CHECK_NT(nt_NtWaitForKeyedEvent(v->event, v->key, FALSE, NULL), 0);
    InterlockedIncrement(&v->met);
    return 0;
}

/* Each release lets one waiter with its key go, whichever of the two comes first. */
TEST(keys_are_apart, "WAIT-01")
{
    int places[2];
    struct visit a = {new_keyed(), &places[0], 0}, b = {a.event, &places[1], 0};
    LARGE_INTEGER long_time = relative_ms(20000);
    HANDLE first = start_thread(wait_with_key, &a), second = start_thread(wait_with_key, &b);
    CHECK_NT(nt_NtReleaseKeyedEvent(a.event, b.key, FALSE, &long_time), 0);
    JOIN(second);
    CHECK_EQ(b.met, 1);
    CHECK_EQ(LOOK(a.met), 0);
    CHECK_NT(nt_NtReleaseKeyedEvent(a.event, a.key, FALSE, &long_time), 0);
    JOIN(first);
    nt_NtClose(a.event);
}

/* Without a handle all meet at one place. */
TEST(global_one, "WAIT-01")
{
    int place[2];
    struct visit v = {NULL, place, 0};
    LARGE_INTEGER long_time = relative_ms(20000);
    HANDLE thread = start_thread(wait_with_key, &v);
    CHECK_NT(nt_NtReleaseKeyedEvent(NULL, place, FALSE, &long_time), 0);
    JOIN(thread);
}

static volatile LONG apcs;
static void CALLBACK count_apc(ULONG_PTR data)
{
    InterlockedExchangeAdd(&apcs, (LONG)data);
}

TEST(alertable, "APC-01")
{
    HANDLE event = new_keyed(), plain = manual_event();
    LARGE_INTEGER some = relative_ms(20);
    int key[2];
    apcs = 0;
    QueueUserAPC(count_apc, GetCurrentThread(), 1);
    CHECK_NT(nt_NtWaitForKeyedEvent(event, key, FALSE, &some), NT_TIMEOUT);
    CHECK_EQ(apcs, 0);
    CHECK_NT(nt_NtWaitForKeyedEvent(event, key, TRUE, &some), 0xC0);
    CHECK_EQ(apcs, 1);
    QueueUserAPC(count_apc, GetCurrentThread(), 1);
    CHECK_NT(nt_NtWaitForSingleObject(plain, TRUE, &some), 0xC0);
    CHECK_NT(nt_NtWaitForSingleObject(plain, TRUE, &some), NT_TIMEOUT);
    SetEvent(plain);
    CHECK_NT(nt_NtWaitForSingleObject(plain, FALSE, NULL), 0);
    CHECK_NT(nt_NtWaitForSingleObject((HANDLE)0x7FFF1234, FALSE, NULL), NT_INVALID_HANDLE);
    nt_NtClose(event);
    CloseHandle(plain);
}

/* A lock as small libraries make it: the last one to leave releases who waits for that. */
struct counter {
    HANDLE event;
    volatile LONG waits, releases;
};

enum { MEETINGS = 5000 };

THREAD_FN(release_often)
{
    struct counter *c = arg;
    for (int i = 0; i < MEETINGS; i++) {
        CHECK_NT(nt_NtReleaseKeyedEvent(c->event, c, FALSE, NULL), 0);
        InterlockedIncrement(&c->releases);
    }
    return 0;
}

/* Time-outs race the meeting: both sides agree how often they met. */
TEST(time_out_races_release, "WAIT-01")
{
    struct counter c = {new_keyed(), 0, 0};
    HANDLE thread = start_thread(release_often, &c);
    LARGE_INTEGER little = {.QuadPart = -100};
    while (c.waits < MEETINGS) {
        nt_status status = nt_NtWaitForKeyedEvent(c.event, &c, FALSE, &little);
        if (status == 0)
            c.waits++;
        else if (!CHECK_NT(status, NT_TIMEOUT))
            break;
    }
    JOIN(thread);
    CHECK_EQ(c.waits, LOOK(c.releases));
    nt_NtClose(c.event);
}
