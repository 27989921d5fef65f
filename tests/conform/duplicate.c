/* SPDX-License-Identifier: MIT */
/*
 * WSADuplicateSocket between processes, both ways. The other process (child.h) does what it is told over one
 * pipe and answers over another.
 */
#include "conform.h"
#include "child.h"
#include "net.h"

/* What the child can be told to do with its one socket. */
enum action { TAKE, SAY, ACCEPT, CLOSE, CONNECT, OFFER, LEAVE };

struct order {
    enum action action;
    DWORD process, flags;      /* OFFER to this process; TAKE with these flags */
    struct sockaddr_in where;  /* CONNECT */
    WSAPROTOCOL_INFOA info;    /* TAKE */
};

struct answer {
    int error; /* 0 or WSAGetLastError */
    WSAPROTOCOL_INFOA info;
};

static int all_read(HANDLE pipe, void *to, DWORD size)
{
    DWORD done = 0;
    for (DWORD got = 0; got < size; got += done)
        if (!ReadFile(pipe, (char *)to + got, size - got, &done, NULL) || done == 0)
            return 0;
    return 1;
}

static int all_written(HANDLE pipe, const void *from, DWORD size)
{
    DWORD done = 0;
    return WriteFile(pipe, from, size, &done, NULL) && done == size;
}

/* ---- the child ---- */

static int accept_and_say(SOCKET listener)
{
    SOCKET s = accept(listener, NULL, NULL);
    int error = s == INVALID_SOCKET || send(s, "accepted", 8, 0) != 8 ? WSAGetLastError() : 0;
    closesocket(s);
    return error;
}

static int obey(const struct order *o, SOCKET *s, WSAPROTOCOL_INFOA *info)
{
    WSAPROTOCOL_INFOA given = o->info;
    switch (o->action) {
    case TAKE:
        *s = WSASocketA(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &given, 0, o->flags);
        return *s == INVALID_SOCKET ? WSAGetLastError() : 0;
    case SAY:
        return send(*s, "over there", 10, 0) == 10 ? 0 : WSAGetLastError();
    case ACCEPT:
        return accept_and_say(*s);
    case CLOSE:
        return closesocket(*s) == 0 ? 0 : WSAGetLastError();
    case CONNECT:
        *s = tcp_socket();
        return connect(*s, (const struct sockaddr *)&o->where, sizeof o->where) == 0 ? 0 : WSAGetLastError();
    case OFFER:
        return WSADuplicateSocketA(*s, o->process, info) == 0 ? 0 : WSAGetLastError();
    default:
        ExitProcess(0);
    }
}

static void be_child(const char *pipes)
{
    unsigned long long in, out;
    struct order o;
    SOCKET s = INVALID_SOCKET;
    if (sscanf(pipes, "%llu %llu", &in, &out) != 2)
        ExitProcess(98);
    net_start();
    while (all_read((HANDLE)(uintptr_t)in, &o, sizeof o)) {
        struct answer a = {0};
        a.error = obey(&o, &s, &a.info);
        if (!all_written((HANDLE)(uintptr_t)out, &a, sizeof a))
            break;
    }
    ExitProcess(0);
}

/* ---- starting it ---- */

struct pupil {
    struct child child;
    HANDLE orders, answers;
};

static int start(struct pupil *p)
{
    HANDLE in[2], out[2];
    char pipes[60];
    pipe_for_child(in, 0);
    pipe_for_child(out, 1);
    snprintf(pipes, sizeof pipes, "%llu %llu", (unsigned long long)(uintptr_t)in[0],
             (unsigned long long)(uintptr_t)out[1]);
    *p = (struct pupil){.orders = in[1], .answers = out[0]};
    int ok = start_child(&p->child, pipes, TRUE, 0);
    CloseHandle(in[0]);
    CloseHandle(out[1]);
    return ok;
}

static void finish(struct pupil *p)
{
    CloseHandle(p->orders);
    finish_child(&p->child);
    CloseHandle(p->answers);
}

/* The error that the child met, or -1. */
static int tell_order(struct pupil *c, const struct order *o, WSAPROTOCOL_INFOA *info)
{
    struct answer a = {.error = -1};
    if (!all_written(c->orders, o, sizeof *o) || !all_read(c->answers, &a, sizeof a))
        FAIL("the child does not answer");
    if (info)
        *info = a.info;
    return a.error;
}

static int tell_action(struct pupil *c, enum action action)
{
    struct order o = {.action = action};
    return tell_order(c, &o, NULL);
}

static int tell_take(struct pupil *c, const WSAPROTOCOL_INFOA *info)
{
    struct order o = {.action = TAKE, .flags = WSA_FLAG_OVERLAPPED, .info = *info};
    return tell_order(c, &o, NULL);
}

static SOCKET take(WSAPROTOCOL_INFOA *info)
{
    return WSASocketA(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, info, 0,
                      WSA_FLAG_OVERLAPPED);
}

static int at_end(SOCKET s)
{
    char byte;
    return recv(s, &byte, 1, 0) == 0;
}

/* ---- to another process ---- */

/* The giver's own may be closed before the taker has come. */
TEST(given_to_a_child, "")
{
    struct pupil c = {0};
    WSAPROTOCOL_INFOA info;
    SOCKET pair[2];
    REQUIRE(start(&c));
    tcp_pair(pair);
    CHECK_EQ(WSADuplicateSocketA(pair[0], c.child.info.dwProcessId, &info), 0);
    CHECK_EQ(info.iSocketType, SOCK_STREAM);
    CHECK_EQ(closesocket(pair[0]), 0);
    CHECK_EQ(tell_take(&c, &info), 0);
    CHECK_EQ(tell_action(&c, SAY), 0);
    expect_text(pair[1], "over there");
    CHECK_EQ(tell_action(&c, CLOSE), 0);
    CHECK(at_end(pair[1]));
    closesocket(pair[1]);
    finish(&c);
}

/* Both have it, and each closes its own. */
TEST(shared_with_a_child, "")
{
    struct pupil c = {0};
    WSAPROTOCOL_INFOA info;
    SOCKET pair[2];
    REQUIRE(start(&c));
    tcp_pair(pair);
    CHECK_EQ(WSADuplicateSocketA(pair[0], c.child.info.dwProcessId, &info), 0);
    CHECK_EQ(tell_take(&c, &info), 0);
    CHECK_EQ(tell_action(&c, SAY), 0);
    expect_text(pair[1], "over there");
    CHECK_EQ(send(pair[0], "over here", 9, 0), 9);
    expect_text(pair[1], "over here");
    CHECK_EQ(tell_action(&c, CLOSE), 0);
    CHECK_EQ(send(pair[0], "still", 5, 0), 5);
    expect_text(pair[1], "still");
    CHECK_EQ(closesocket(pair[0]), 0);
    CHECK(at_end(pair[1]));
    closesocket(pair[1]);
    finish(&c);
}

TEST(wide, "")
{
    struct pupil c = {0};
    union {
        WSAPROTOCOL_INFOW wide;
        WSAPROTOCOL_INFOA narrow;
    } info;
    SOCKET pair[2];
    REQUIRE(start(&c));
    tcp_pair(pair);
    CHECK_EQ(WSADuplicateSocketW(pair[0], c.child.info.dwProcessId, &info.wide), 0);
    CHECK_EQ(tell_take(&c, &info.narrow), 0); /* the members up to the name are the same */
    CHECK_EQ(tell_action(&c, SAY), 0);
    expect_text(pair[1], "over there");
    end_pair(pair);
    finish(&c);
}

TEST(a_listener, "")
{
    struct pupil c = {0};
    WSAPROTOCOL_INFOA info;
    struct sockaddr_in at = loopback(0);
    int size = sizeof at;
    SOCKET listener = tcp_socket();
    REQUIRE(start(&c));
    CHECK_EQ(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
    CHECK_EQ(getsockname(listener, (struct sockaddr *)&at, &size), 0);
    CHECK_EQ(listen(listener, 5), 0);
    CHECK_EQ(WSADuplicateSocketA(listener, c.child.info.dwProcessId, &info), 0);
    CHECK_EQ(closesocket(listener), 0);
    CHECK_EQ(tell_take(&c, &info), 0);
    SOCKET s = connected_to(&at);
    CHECK_EQ(tell_action(&c, ACCEPT), 0);
    expect_text(s, "accepted");
    CHECK(at_end(s));
    closesocket(s);
    finish(&c);
}

/* ---- from another process ---- */

TEST(given_by_a_child, "PORT-01")
{
    struct pupil c = {0};
    WSAPROTOCOL_INFOA info;
    struct sockaddr_in at = loopback(0);
    int size = sizeof at;
    SOCKET listener = tcp_socket();
    REQUIRE(start(&c));
    CHECK_EQ(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
    CHECK_EQ(getsockname(listener, (struct sockaddr *)&at, &size), 0);
    CHECK_EQ(listen(listener, 5), 0);
    struct order o = {.action = CONNECT, .where = at};
    CHECK_EQ(tell_order(&c, &o, NULL), 0);
    SOCKET peer = accept(listener, NULL, NULL);
    o = (struct order){.action = OFFER, .process = GetCurrentProcessId()};
    CHECK_EQ(tell_order(&c, &o, &info), 0);
    CHECK_EQ(tell_action(&c, CLOSE), 0);
    SOCKET s = take(&info);
    REQUIRE(s != INVALID_SOCKET);
    finish(&c); /* it is ours alone now */
    HANDLE port = port_of(s, 7);
    OVERLAPPED ov = {0};
    char data[16];
    WSABUF buffer = {sizeof data, data};
    DWORD flags = 0;
    int result = WSARecv(s, &buffer, 1, NULL, &flags, &ov, NULL);
    CHECK(result == 0 || WSAGetLastError() == WSA_IO_PENDING);
    CHECK_EQ(send(peer, "far", 3, 0), 3);
    struct packet p = pop(port, SOON_ENOUGH);
    CHECK_EQ(p.key, 7);
    CHECK_EQ(p.bytes, 3);
    CHECK_EQ(send(s, "near", 4, 0), 4);
    expect_text(peer, "near");
    closesocket(s);
    CHECK(at_end(peer));
    closesocket(peer);
    closesocket(listener);
    CloseHandle(port);
}

/* ---- what is not given ---- */

/* "can only be used once by the target process" */
TEST_W8(once, "", "gives it again")
{
    struct pupil c = {0};
    WSAPROTOCOL_INFOA info;
    SOCKET pair[2];
    REQUIRE(start(&c));
    tcp_pair(pair);
    CHECK_EQ(WSADuplicateSocketA(pair[0], c.child.info.dwProcessId, &info), 0);
    CHECK_EQ(tell_take(&c, &info), 0);
    CHECK_EQ(tell_take(&c, &info), WSAEINVAL);
    end_pair(pair);
    finish(&c);
}

TEST_W8(for_one_process_only, "", "looks at the number alone")
{
    struct pupil c = {0}, other = {0};
    WSAPROTOCOL_INFOA info;
    SOCKET pair[2];
    REQUIRE(start(&c) && start(&other));
    tcp_pair(pair);
    CHECK_EQ(WSADuplicateSocketA(pair[0], c.child.info.dwProcessId, &info), 0);
    CHECK_EQ(tell_take(&other, &info), WSAEINVAL);
    CHECK_EQ(tell_take(&c, &info), 0);
    end_pair(pair);
    finish(&c);
    finish(&other);
}

/* Who ends without having taken it lets it go. */
TEST(never_taken, "")
{
    struct pupil c = {0};
    WSAPROTOCOL_INFOA info;
    SOCKET pair[2];
    REQUIRE(start(&c));
    tcp_pair(pair);
    CHECK_EQ(WSADuplicateSocketA(pair[0], c.child.info.dwProcessId, &info), 0);
    CHECK_EQ(closesocket(pair[0]), 0);
    finish(&c);
    CHECK(at_end(pair[1]));
    closesocket(pair[1]);
}

TEST(errors, "")
{
    WSAPROTOCOL_INFOA info;
    SOCKET s = tcp_socket();
    CHECK_WSAERR(WSADuplicateSocketA(s, 0x7FFFFFF0, &info), WSAEINVAL);
    CHECK_WSAERR(WSADuplicateSocketA(s, GetCurrentProcessId(), NULL), WSAEFAULT);
    CHECK_WSAERR(WSADuplicateSocketA(INVALID_SOCKET, GetCurrentProcessId(), &info), WSAENOTSOCK);
    closesocket(s);
}

/* Many are offered at once, and taken in another order. */
TEST(many, "")
{
    enum { COUNT = 100 };
    struct pupil c = {0};
    static WSAPROTOCOL_INFOA info[COUNT];
    SOCKET pairs[COUNT][2];
    REQUIRE(start(&c));
    for (int i = 0; i < COUNT; i++) {
        tcp_pair(pairs[i]);
        CHECK_EQ(WSADuplicateSocketA(pairs[i][0], c.child.info.dwProcessId, &info[i]), 0);
    }
    for (int i = COUNT - 1; i >= 0; i--) {
        CHECK_EQ(tell_take(&c, &info[i]), 0);
        CHECK_EQ(tell_action(&c, SAY), 0);
        expect_text(pairs[i][1], "over there");
        CHECK_EQ(tell_action(&c, CLOSE), 0);
        end_pair(pairs[i]);
    }
    finish(&c);
}

