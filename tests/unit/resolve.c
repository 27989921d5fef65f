/* SPDX-License-Identifier: MIT */
/*
 * A resolver that does not answer: what is to take only so long does not take longer, and is answered once.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "base/clock.h"
#include "base/futex.h"
#include "base/os.h"
#include "unit.h"

#include <iocp.h>

#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { PATIENCE_MS = 20000, ROUNDS = 300 };

static _Atomic uint32_t gate; /* 0: whoever asks for a name stops at it */
static _Atomic int asked, calls;
static _Atomic uint32_t last_error;

static int silent(const char *call)
{
    if (strcmp(call, "getaddrinfo") != 0)
        return 0;
    atomic_fetch_add(&asked, 1);
    while (atomic_load(&gate) == 0)
        futex_wait(&gate, 0, DEADLINE_NEVER);
    return 0;
}

static void open_gate(void)
{
    atomic_store(&gate, 1);
    futex_wake(&gate, INT_MAX);
}

static void begin(void)
{
    WSADATA data;

    CHECK_EQ(WSAStartup(0x202, &data), 0);
    if (!os_fault)
        os_fault = silent; /* before there is a thread that looks at it */
    atomic_store(&gate, 0);
    atomic_store(&calls, 0);
}

static void CALLBACK routine(DWORD error, DWORD bytes, LPWSAOVERLAPPED ov)
{
    (void)bytes;
    atomic_store(&last_error, error);
    atomic_fetch_add(&calls, 1);
    SetEvent(*(HANDLE *)(void *)(ov + 1)); /* see struct by_routine */
}

struct by_routine {
    OVERLAPPED ov;
    HANDLE done;
};

#define ASK(LIMIT, LIST, OV, ROUTINE, HANDLE)                                                                \
    GetAddrInfoExW(u"127.0.0.1", u"80", NS_DNS, NULL, NULL, (LIST), (LIMIT), (OV), (ROUTINE), (HANDLE))

TEST(a_call_returns_in_time)
{
    struct iocp_timeval limit = {0, 50000}, bad = {-1, 0};
    ADDRINFOEXW *list = (ADDRINFOEXW *)1;
    uint64_t began;

    begin();
    began = clock_now_ns();
    CHECK_EQ(ASK(&limit, &list, NULL, NULL, NULL), WSAETIMEDOUT);
    CHECK(clock_now_ns() - began >= 50 * NS_PER_MS);
    CHECK(list == NULL);
    CHECK_EQ(ASK(&bad, &list, NULL, NULL, NULL), WSAEINVAL);
    open_gate();
    limit.tv_sec = 20;
    CHECK_EQ(ASK(&limit, &list, NULL, NULL, NULL), 0);
    CHECK(list && list->ai_family == AF_INET);
    FreeAddrInfoExW(list);
}

TEST(an_event_is_set_in_time)
{
    OVERLAPPED ov = {.hEvent = CreateEventA(NULL, TRUE, FALSE, NULL)};
    struct iocp_timeval limit = {0, 50000};
    ADDRINFOEXW *list = NULL;
    HANDLE handle = NULL;

    begin();
    CHECK_EQ(ASK(&limit, &list, &ov, NULL, &handle), WSA_IO_PENDING);
    CHECK_EQ(GetAddrInfoExOverlappedResult(&ov), WSAEINPROGRESS);
    CHECK_EQ(WaitForSingleObject(ov.hEvent, PATIENCE_MS), WAIT_OBJECT_0);
    CHECK_EQ(GetAddrInfoExOverlappedResult(&ov), WSAETIMEDOUT);
    CHECK_EQ(GetAddrInfoExCancel(&handle), WSA_INVALID_HANDLE);
    CHECK(list == NULL);
    open_gate();
    CloseHandle(ov.hEvent);
}

TEST(a_routine_is_called_in_time)
{
    struct by_routine r = {.done = CreateEventA(NULL, FALSE, FALSE, NULL)};
    struct iocp_timeval limit = {0, 50000};
    ADDRINFOEXW *list = NULL;

    begin();
    CHECK_EQ(ASK(&limit, &list, &r.ov, routine, NULL), WSA_IO_PENDING);
    CHECK_EQ(WaitForSingleObject(r.done, PATIENCE_MS), WAIT_OBJECT_0);
    CHECK_EQ(last_error, WSAETIMEDOUT);
    open_gate();
    CHECK_EQ(ASK(NULL, &list, &r.ov, routine, NULL), WSA_IO_PENDING);
    CHECK_EQ(WaitForSingleObject(r.done, PATIENCE_MS), WAIT_OBJECT_0);
    CHECK_EQ(last_error, 0);
    CHECK_EQ(calls, 2);
    FreeAddrInfoExW(list);
    CloseHandle(r.done);
}

TEST(connecting_by_name_is_in_time)
{
    struct iocp_timeval limit = {0, 50000};
    SOCKET s;

    begin();
    s = WSASocketA(AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED);
    CHECK(!WSAConnectByNameA(s, "127.0.0.1", "80", NULL, NULL, NULL, NULL, &limit, NULL));
    CHECK_EQ(WSAGetLastError(), WSAETIMEDOUT);
    open_gate();
    closesocket(s);
}

/* The answer, the timer and a cancel at the same moment: one of them answers. */
TEST(one_answer_whoever_is_first)
{
    struct by_routine r = {.done = CreateEventA(NULL, FALSE, FALSE, NULL)};

    begin();
    open_gate();
    for (int i = 0; i < ROUNDS; i++) {
        struct iocp_timeval limit = {0, i % 20 * 10};
        ADDRINFOEXW *list = NULL;
        HANDLE handle;

        CHECK_EQ(ASK(&limit, &list, &r.ov, routine, &handle), WSA_IO_PENDING);
        if (i % 3 == 0)
            GetAddrInfoExCancel(&handle);
        CHECK_EQ(WaitForSingleObject(r.done, PATIENCE_MS), WAIT_OBJECT_0);
        CHECK_EQ(calls, i + 1);
        CHECK(last_error == 0 || last_error == WSAETIMEDOUT || last_error == WSA_E_CANCELLED);
        CHECK_EQ(list != NULL, last_error == 0);
        FreeAddrInfoExW(list);
    }
    CHECK_EQ(WaitForSingleObject(r.done, 0), WAIT_TIMEOUT);
    CloseHandle(r.done);
}
