/* SPDX-License-Identifier: MIT */
/* What the tests of socket notifications share. After conform.h and net.h. */
#ifndef NOTIFY_H
#define NOTIFY_H

#define INPUT  SOCK_NOTIFY_EVENT_IN
#define ROOM   SOCK_NOTIFY_EVENT_OUT
#define HANGUP SOCK_NOTIFY_EVENT_HANGUP
#define ERR    SOCK_NOTIFY_EVENT_ERR
#define GONE   SOCK_NOTIFY_EVENT_REMOVE
#define LEVEL  SOCK_NOTIFY_TRIGGER_LEVEL
#define EDGE   SOCK_NOTIFY_TRIGGER_EDGE
#define ONCE   SOCK_NOTIFY_TRIGGER_ONESHOT
#define LASTING SOCK_NOTIFY_TRIGGER_PERSISTENT

enum { KEY = 0x5EED, SHORT_WHILE = 20, LONG_WHILE = 20000 };

static inline HANDLE fresh_port(void) { return CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0); }

static inline DWORD change(HANDLE port, SOCKET s, ULONG_PTR key, int operation, int filter, int triggers)
{
    SOCK_NOTIFY_REGISTRATION r = {s, (PVOID)key, (UINT16)filter, (UINT8)operation, (UINT8)triggers, 0xDEAD};
    CHECK_EQ(ProcessSocketNotifications(port, 1, &r, 0, 0, NULL, NULL), ERROR_SUCCESS);
    return r.registrationResult;
}

static inline DWORD enable(HANDLE port, SOCKET s, int filter, int triggers)
{
    return change(port, s, KEY, SOCK_NOTIFY_OP_ENABLE, filter, triggers);
}

static inline DWORD disable(HANDLE port, SOCKET s)
{
    return change(port, s, KEY, SOCK_NOTIFY_OP_DISABLE, 0, 0);
}

static inline DWORD deregister(HANDLE port, SOCKET s)
{
    return change(port, s, KEY, SOCK_NOTIFY_OP_REMOVE, 0, 0);
}

/* The events of the next packet of KEY; 0: none comes within ms. */
static inline DWORD told(HANDLE port, DWORD ms)
{
    struct packet p = pop(port, ms);
    if (p.error == WAIT_TIMEOUT)
        return 0;
    CHECK_EQ(p.error, 0);
    CHECK_EQ(p.key, KEY);
    CHECK(p.ov == NULL);
    return p.bytes;
}

#define CHECK_TOLD(PORT, EVENTS) CHECK_EQ(told((PORT), LONG_WHILE), (EVENTS))
#define CHECK_SILENT(PORT)       CHECK_EQ(told((PORT), SHORT_WHILE), 0)

static inline int drain(SOCKET s)
{
    char data[64];
    int total = 0, n;
    while ((n = recv(s, data, sizeof data, 0)) > 0)
        total += n;
    return total;
}

/* A pair whose first does not block, and a port. */
static inline HANDLE ready(SOCKET pair[2])
{
    HANDLE port = fresh_port();
    if (tcp_pair(pair))
        set_nonblocking(pair[0], 1);
    return port;
}

static inline void end(HANDLE port, SOCKET pair[2])
{
    end_pair(pair);
    CHECK(CloseHandle(port));
}

#endif
