/* SPDX-License-Identifier: MIT */
/* GetAddrInfoEx: names that need no server, at once and overlapped, by event and routine; cancelling. */
#include "conform.h"

#ifdef _WIN32 /* mingw does not declare them */
INT WSAAPI GetAddrInfoExCancel(LPHANDLE handle);
INT WSAAPI GetAddrInfoExOverlappedResult(LPOVERLAPPED overlapped);
#endif

/* The event or routine of one query, and what it left. */
struct answer {
    OVERLAPPED ov; /* first: the routine knows only this */
    ADDRINFOEXW *list;
    HANDLE done;
    volatile LONG calls;
    DWORD error;
};

static void CALLBACK routine(DWORD error, DWORD bytes, LPWSAOVERLAPPED ov)
{
    struct answer *a = (struct answer *)ov;
    (void)bytes;
    a->error = error;
    InterlockedIncrement(&a->calls);
    SetEvent(a->done);
}

static int is_loopback(const ADDRINFOEXW *list, unsigned port)
{
    struct sockaddr_in a;
    if (!list || list->ai_family != AF_INET || list->ai_addrlen != sizeof a)
        return 0;
    memcpy(&a, list->ai_addr, sizeof a);
    return ntohl(a.sin_addr.s_addr) == INADDR_LOOPBACK && ntohs(a.sin_port) == port;
}

TEST(at_once, "")
{
    ADDRINFOEXW hints = {0}, *list = NULL;
    net_start();
    hints.ai_socktype = SOCK_STREAM;
    CHECK_EQ(GetAddrInfoExW(u"127.0.0.1", u"80", NS_ALL, NULL, &hints, &list, NULL, NULL, NULL, NULL), 0);
    CHECK(is_loopback(list, 80));
    CHECK(list && list->ai_socktype == SOCK_STREAM && !list->ai_next);
    FreeAddrInfoExW(list);
    hints.ai_flags = AI_NUMERICHOST;
    CHECK_EQ(GetAddrInfoExW(u"no.number", u"80", NS_ALL, NULL, &hints, &list, NULL, NULL, NULL, NULL),
             WSAHOST_NOT_FOUND);
    CHECK(list == NULL);
}

/* Wine ends a program that calls GetAddrInfoExA. */
TEST_W8(narrow, "", "not there")
{
    ADDRINFOEXA *list = NULL;
    OVERLAPPED ov = {0};
    struct sockaddr_in a;
    net_start();
    REQUIRE(!conform_wine);
    CHECK_EQ(GetAddrInfoExA("127.0.0.1", "81", NS_DNS, NULL, NULL, &list, NULL, NULL, NULL, NULL), 0);
    REQUIRE(list);
    memcpy(&a, list->ai_addr, sizeof a);
    CHECK_EQ(ntohs(a.sin_port), 81);
    FreeAddrInfoEx(list);
    CHECK_EQ(GetAddrInfoExA("127.0.0.1", "1", NS_ALL, NULL, NULL, &list, NULL, &ov, NULL, NULL), WSAEINVAL);
}

TEST(by_event, "")
{
    struct answer a = {0};
    HANDLE handle = NULL;
    net_start();
    a.ov.hEvent = manual_event();
    CHECK_EQ(GetAddrInfoExW(u"127.0.0.1", u"80", NS_DNS, NULL, NULL, &a.list, NULL, &a.ov, NULL, &handle),
             WSA_IO_PENDING);
    CHECK_EQ(WaitForSingleObject(a.ov.hEvent, 10000), WAIT_OBJECT_0);
    CHECK_EQ(GetAddrInfoExOverlappedResult(&a.ov), 0);
    CHECK(is_loopback(a.list, 80));
    FreeAddrInfoExW(a.list);
    CHECK_EQ(GetAddrInfoExCancel(&handle), WSA_INVALID_HANDLE);
    CHECK_EQ(GetAddrInfoExOverlappedResult(NULL), WSAEINVAL);
    CloseHandle(a.ov.hEvent);
}

TEST(by_routine, "")
{
    struct answer a = {0};
    ADDRINFOEXW hints = {0};
    net_start();
    a.done = manual_event();
    CHECK_EQ(GetAddrInfoExW(u"127.0.0.1", u"80", NS_DNS, NULL, NULL, &a.list, NULL, &a.ov, routine, NULL),
             WSA_IO_PENDING);
    CHECK_EQ(WaitForSingleObject(a.done, 10000), WAIT_OBJECT_0); /* not alertable: no APC */
    CHECK_EQ(a.error, 0);
    CHECK(is_loopback(a.list, 80));
    FreeAddrInfoExW(a.list);
    ResetEvent(a.done);
    a.list = NULL;
    hints.ai_flags = AI_NUMERICHOST;
    memset(&a.ov, 0, sizeof a.ov);
    CHECK_EQ(GetAddrInfoExW(u"no.number", u"80", NS_DNS, NULL, &hints, &a.list, NULL, &a.ov, routine, NULL),
             WSA_IO_PENDING);
    CHECK_EQ(WaitForSingleObject(a.done, 10000), WAIT_OBJECT_0);
    CHECK_EQ(a.error, WSAHOST_NOT_FOUND);
    CHECK(a.list == NULL);
    CHECK_EQ(a.calls, 2);
    CloseHandle(a.done);
}

/* Cancelled or done, whichever comes first: one answer, and the two that tell of it agree. */
TEST(cancelling, "")
{
    net_start();
    for (int i = 0; i < 400; i++) {
        struct answer a = {0};
        HANDLE handle = NULL;
        int with_routine = i % 2, cancelled;
        a.done = manual_event();
        a.ov.hEvent = with_routine ? NULL : a.done;
        CHECK_EQ(GetAddrInfoExW(u"127.0.0.1", u"80", NS_DNS, NULL, NULL, &a.list, NULL, &a.ov,
                                with_routine ? routine : NULL, &handle),
                 WSA_IO_PENDING);
        if (i % 3 == 0)
            SwitchToThread();
        cancelled = GetAddrInfoExCancel(&handle);
        CHECK(cancelled == 0 || cancelled == WSA_INVALID_HANDLE);
        CHECK_EQ(WaitForSingleObject(a.done, 10000), WAIT_OBJECT_0);
        CHECK_EQ(GetAddrInfoExOverlappedResult(&a.ov), cancelled == 0 ? WSA_E_CANCELLED : 0);
        CHECK_EQ(a.calls, with_routine);
        CHECK(with_routine ? a.error == (cancelled == 0 ? WSA_E_CANCELLED : 0u) : 1);
        CHECK(cancelled == 0 ? a.list == NULL : is_loopback(a.list, 80));
        CHECK_EQ(GetAddrInfoExCancel(&handle), WSA_INVALID_HANDLE);
        FreeAddrInfoExW(a.list);
        CloseHandle(a.done);
    }
}

TEST(refusals, "")
{
    ADDRINFOEXW hints = {0}, *list = NULL;
    static OVERLAPPED ov; /* Wine accepts, and writes later */
    net_start();
    TODO_WINE("checks little of this")
    {
        CHECK_EQ(GetAddrInfoExW(u"127.0.0.1", u"1", NS_ALL, NULL, NULL, &list, NULL, &ov, NULL, NULL),
                 WSAEINVAL);
        hints.ai_addrlen = 1;
        CHECK_EQ(GetAddrInfoExW(u"127.0.0.1", u"1", NS_ALL, NULL, &hints, &list, NULL, NULL, NULL, NULL),
                 WSANO_RECOVERY);
        CHECK_EQ(GetAddrInfoExW(u"127.0.0.1", u"1", 4711, NULL, NULL, &list, NULL, NULL, NULL, NULL),
                 WSASERVICE_NOT_FOUND);
    }
}
