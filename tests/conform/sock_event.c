/* SPDX-License-Identifier: MIT */
/*
 * Readiness: select, WSAPoll, and the network events of WSAEventSelect.
 */
#include "conform.h"

enum { LONG_MS = 10000, QUIET_MS = 60 };

/* ---- helpers ---- */

/* Is s in the state that `write` or `except` or (neither) reading asks about, within ten seconds? */
static int becomes_ready(SOCKET s, fd_set *read, fd_set *write, fd_set *except)
{
    struct timeval limit = {LONG_MS / 1000, 0};
    fd_set *sets[3] = {read, write, except};

    for (int i = 0; i < 3; i++)
        if (sets[i]) {
            FD_ZERO(sets[i]);
            FD_SET(s, sets[i]);
        }
    return select(0, read, write, except, &limit) == 1;
}

static int becomes_readable(SOCKET s)
{
    fd_set set;
    return becomes_ready(s, &set, NULL, NULL);
}

static int set_nonblocking(SOCKET s, u_long on)
{
    return ioctlsocket(s, FIONBIO, &on);
}

static int signalled(WSAEVENT event)
{
    return WaitForSingleObject(event, LONG_MS) == WAIT_OBJECT_0;
}

/* Nothing comes. Half of this is luck: what comes too late is not seen, but never a false alarm. */
static int stays_quiet(WSAEVENT event)
{
    return WaitForSingleObject(event, QUIET_MS) == WAIT_TIMEOUT;
}

/* Waits for the event and takes the record: the FD_* bits, or -1. *error: that of `bit`. */
static LONG next_events(SOCKET s, WSAEVENT event, int bit, int *error)
{
    WSANETWORKEVENTS events;

    memset(&events, 0x55, sizeof events); /* only the errors of events that came are written */
    if (!signalled(event) || WSAEnumNetworkEvents(s, event, &events))
        return -1;
    if (error)
        *error = events.iErrorCode[bit];
    return events.lNetworkEvents;
}

/* What is recorded now, without a wait; leaves the event alone. */
static LONG recorded(SOCKET s)
{
    WSANETWORKEVENTS events;

    memset(&events, 0x55, sizeof events);
    return WSAEnumNetworkEvents(s, NULL, &events) ? -1 : events.lNetworkEvents;
}

/* Takes records until `bit` has come; 0 if it does not. */
static int comes(SOCKET s, WSAEVENT event, LONG bit)
{
    ULONGLONG end = GetTickCount64() + LONG_MS;

    while (GetTickCount64() < end) {
        LONG events = next_events(s, event, 0, NULL);
        if (events < 0)
            return 0;
        if (events & bit)
            return 1;
    }
    return 0;
}

static u_long available(SOCKET s)
{
    u_long n = 0;
    return ioctlsocket(s, FIONREAD, &n) ? 0 : n;
}

static void close_pair(SOCKET pair[2])
{
    closesocket(pair[0]);
    closesocket(pair[1]);
}

static SOCKET tcp_socket(void)
{
    net_start();
    return socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
}

/* An address of 127.0.0.1 where nobody listens: bound, so that nobody else gets it. */
static SOCKET dead_end(struct sockaddr_in *address)
{
    SOCKET s = tcp_socket();
    int size = sizeof *address;

    *address = loopback(0);
    if (bind(s, (struct sockaddr *)address, size) || getsockname(s, (struct sockaddr *)address, &size))
        FAIL("cannot bind, error %d", WSAGetLastError());
    return s;
}

/* Fills the way until a send would block. */
static void fill(SOCKET s)
{
    static char block[65536];
    int n;

    while ((n = send(s, block, sizeof block, 0)) > 0)
        ;
    CHECK_EQ(n, SOCKET_ERROR);
    CHECK_EQ(WSAGetLastError(), WSAEWOULDBLOCK);
}

/* Takes all that comes until nothing does. */
static void drain(SOCKET s)
{
    static char block[65536];
    struct timeval limit = {0, 200000};
    fd_set set;

    for (;;) {
        FD_ZERO(&set);
        FD_SET(s, &set);
        if (select(0, &set, NULL, NULL, &limit) != 1 || recv(s, block, sizeof block, 0) <= 0)
            return;
    }
}

/* ---- select ---- */

TEST(select_counts_and_rewrites, "SOCK-38")
{
    SOCKET pair[2];
    REQUIRE(tcp_pair(pair));
    REQUIRE(send_all(pair[1], "x", 1));
    REQUIRE(becomes_readable(pair[0]));

    struct timeval limit = {5, 250};
    fd_set read, write, except;
    FD_ZERO(&read);
    FD_ZERO(&write);
    FD_ZERO(&except);
    for (int i = 0; i < 2; i++) {
        FD_SET(pair[i], &read);
        FD_SET(pair[i], &write);
        FD_SET(pair[i], &except);
    }
    CHECK_EQ(select(0, &read, &write, &except, &limit), 3);
    CHECK_EQ(read.fd_count, 1);
    CHECK(FD_ISSET(pair[0], &read));
    CHECK(!FD_ISSET(pair[1], &read));
    CHECK_EQ(write.fd_count, 2);
    CHECK_EQ(except.fd_count, 0);
    CHECK_EQ(limit.tv_sec, 5);
    CHECK_EQ(limit.tv_usec, 250);
    close_pair(pair);
}

TEST(select_polls_and_times_out, "SOCK-38")
{
    SOCKET pair[2];
    REQUIRE(tcp_pair(pair));
    struct timeval none = {0, 0}, some = {0, 60000};
    fd_set read;

    FD_ZERO(&read);
    FD_SET(pair[0], &read);
    CHECK_EQ(select(0, &read, NULL, NULL, &none), 0);
    CHECK_EQ(read.fd_count, 0);

    FD_SET(pair[0], &read);
    double before = now_ms();
    CHECK_EQ(select(0, &read, NULL, NULL, &some), 0);
    double passed = now_ms() - before;
    CHECK_MSG(passed > 50, "60 ms took %.1f ms", passed);
    CHECK_EQ(read.fd_count, 0);

    /* What is less than nothing polls: nanomsg makes {0, -1000} of "no limit" and means it so. */
    static const struct timeval less[] = {{0, -1000}, {-1, 0}, {-1, 500000}};
    for (int i = 0; i < 3; i++) {
        FD_SET(pair[0], &read);
        CHECK_EQ(select(0, &read, NULL, NULL, &less[i]), 0);
    }
    CHECK_EQ(send(pair[1], "x", 1, 0), 1);
    for (int i = 0; i < 3; i++) {
        FD_SET(pair[0], &read);
        while (select(0, &read, NULL, NULL, &less[i]) == 0)
            FD_SET(pair[0], &read);
        CHECK_EQ(read.fd_count, 1);
    }
    close_pair(pair);
}

TEST(select_of_nothing, "SOCK-38")
{
    struct timeval none = {0, 0};
    fd_set empty;

    net_start();
    FD_ZERO(&empty);
    CHECK_WSAERR(select(0, NULL, NULL, NULL, &none), WSAEINVAL);
    CHECK_WSAERR(select(0, &empty, &empty, &empty, &none), WSAEINVAL);
}

THREAD_FN(send_one_byte)
{
    CHECK(send_all(*(SOCKET *)arg, "x", 1));
    return 0;
}

TEST(select_wakes_when_data_come, "SOCK-38")
{
    SOCKET pair[2];
    REQUIRE(tcp_pair(pair));
    for (int round = 0; round < 20; round++) {
        HANDLE thread = start_thread(send_one_byte, &pair[1]);
        fd_set read;
        char byte;
        FD_ZERO(&read);
        FD_SET(pair[0], &read);
        CHECK_EQ(select(0, &read, NULL, NULL, NULL), 1);
        CHECK(FD_ISSET(pair[0], &read));
        CHECK_EQ(recv(pair[0], &byte, 1, 0), 1);
        JOIN(thread);
    }
    close_pair(pair);
}

TEST(select_end_of_stream, "SOCK-38")
{
    SOCKET pair[2];
    REQUIRE(tcp_pair(pair));
    struct timeval none = {0, 0};
    fd_set read, except;
    char byte;

    closesocket(pair[1]);
    CHECK(becomes_readable(pair[0]));
    CHECK_EQ(recv(pair[0], &byte, 1, 0), 0);
    FD_ZERO(&read);
    FD_ZERO(&except);
    FD_SET(pair[0], &read);
    FD_SET(pair[0], &except);
    CHECK_EQ(select(0, &read, NULL, &except, &none), 1);
    CHECK_EQ(except.fd_count, 0);
    closesocket(pair[0]);
}

/* An end of the stream must not keep select awake that waits for something else. */
TEST(select_for_writing_after_the_peers_end, "SOCK-38")
{
    SOCKET pair[2];
    REQUIRE(tcp_pair(pair));
    struct timeval some = {0, 60000};
    fd_set write, except;

    CHECK_EQ(set_nonblocking(pair[0], 1), 0);
    fill(pair[0]);
    CHECK_EQ(shutdown(pair[1], SD_SEND), 0);
    CHECK(becomes_readable(pair[0]));
    FD_ZERO(&write);
    FD_SET(pair[0], &write);
    CHECK_EQ(select(0, NULL, &write, NULL, &some), 0);
    FD_ZERO(&except);
    FD_SET(pair[0], &except);
    CHECK_EQ(select(0, NULL, NULL, &except, &some), 0);
    close_pair(pair);
}

TEST(select_sees_a_connect_finish, "SOCK-39")
{
    struct sockaddr_in address;
    struct timeval limit = {LONG_MS / 1000, 0}, none = {0, 0};
    SOCKET listener = tcp_listener(&address), s = tcp_socket();
    fd_set read, write, except;
    REQUIRE(listener != INVALID_SOCKET && s != INVALID_SOCKET);

    FD_ZERO(&read);
    FD_SET(listener, &read);
    CHECK_EQ(select(0, &read, NULL, NULL, &none), 0);

    CHECK_EQ(set_nonblocking(s, 1), 0);
    CHECK_WSAERR(connect(s, (struct sockaddr *)&address, sizeof address), WSAEWOULDBLOCK);
    FD_ZERO(&write);
    FD_ZERO(&except);
    FD_SET(s, &write);
    FD_SET(s, &except);
    CHECK_EQ(select(0, NULL, &write, &except, &limit), 1);
    CHECK(FD_ISSET(s, &write));
    CHECK_EQ(except.fd_count, 0);

    CHECK(becomes_readable(listener));
    SOCKET accepted = accept(listener, NULL, NULL);
    CHECK(accepted != INVALID_SOCKET);
    FD_ZERO(&read);
    FD_SET(listener, &read);
    CHECK_EQ(select(0, &read, NULL, NULL, &none), 0);
    closesocket(accepted);
    closesocket(s);
    closesocket(listener);
}

TEST(select_sees_a_connect_fail, "SOCK-39")
{
    struct sockaddr_in address;
    struct timeval limit = {LONG_MS / 1000, 0};
    SOCKET nobody = dead_end(&address), s = tcp_socket();
    int error = 0, size = sizeof error;
    fd_set write, except;

    CHECK_EQ(set_nonblocking(s, 1), 0);
    CHECK_WSAERR(connect(s, (struct sockaddr *)&address, sizeof address), WSAEWOULDBLOCK);
    FD_ZERO(&write);
    FD_ZERO(&except);
    FD_SET(s, &write);
    FD_SET(s, &except);
    CHECK_EQ(select(0, NULL, &write, &except, &limit), 1);
    CHECK_EQ(write.fd_count, 0);
    CHECK(FD_ISSET(s, &except));
    CHECK_EQ(getsockopt(s, SOL_SOCKET, SO_ERROR, (char *)&error, &size), 0);
    CHECK_EQ(error, WSAECONNREFUSED);
    closesocket(s);
    closesocket(nobody);
}

/* A socket that was never connected has nothing to say, and does not keep the others from it. */
TEST(select_of_an_unconnected_socket, "SOCK-39")
{
    SOCKET pair[2], fresh = tcp_socket();
    REQUIRE(tcp_pair(pair));
    struct timeval limit = {LONG_MS / 1000, 0};
    HANDLE thread;
    fd_set read;

    FD_ZERO(&read);
    FD_SET(fresh, &read);
    FD_SET(pair[0], &read);
    thread = start_thread(send_one_byte, &pair[1]);
    CHECK_EQ(select(0, &read, NULL, NULL, &limit), 1);
    CHECK(FD_ISSET(pair[0], &read));
    CHECK(!FD_ISSET(fresh, &read));
    JOIN(thread);
    closesocket(fresh);
    close_pair(pair);
}

TEST(select_sees_urgent_data, "SOCK-38 SOCK-39")
{
    SOCKET pair[2];
    REQUIRE(tcp_pair(pair));
    struct timeval none = {0, 0};
    fd_set except, read;
    char byte = 0;

    CHECK_EQ(send(pair[1], "!", 1, MSG_OOB), 1);
    CHECK(becomes_ready(pair[0], NULL, NULL, &except));
    FD_ZERO(&read);
    FD_SET(pair[0], &read);
    CHECK_EQ(select(0, &read, NULL, NULL, &none), 0);
    CHECK_EQ(recv(pair[0], &byte, 1, MSG_OOB), 1);
    CHECK_EQ(byte, '!');
    FD_ZERO(&except);
    FD_SET(pair[0], &except);
    CHECK_EQ(select(0, NULL, NULL, &except, &none), 0);
    close_pair(pair);
}

TEST(select_refuses_what_is_no_socket, "SOCK-40")
{
    struct timeval none = {0, 0};
    HANDLE event = manual_event();
    SOCKET pair[2], gone;
    fd_set set;
    REQUIRE(tcp_pair(pair));

    FD_ZERO(&set);
    FD_SET(pair[0], &set);
    FD_SET((SOCKET)event, &set);
    CHECK_WSAERR(select(0, NULL, &set, NULL, &none), WSAENOTSOCK);

    gone = pair[1];
    closesocket(gone);
    FD_ZERO(&set);
    FD_SET(pair[0], &set);
    FD_SET(gone, &set);
    CHECK_WSAERR(select(0, NULL, &set, NULL, &none), WSAENOTSOCK);
    closesocket(pair[0]);
    CloseHandle(event);
}

TEST(fd_set_is_a_counted_array, "SOCK-40")
{
    enum { MANY = 70 };
    SOCKET many[MANY];
    struct timeval none = {0, 0};
    fd_set set;

    CHECK_EQ(FD_SETSIZE, 64);
    net_start();
    FD_ZERO(&set);
    for (int i = 0; i < MANY; i++) {
        struct sockaddr_in address = loopback(0);
        many[i] = socket(AF_INET, SOCK_DGRAM, 0);
        CHECK(many[i] != INVALID_SOCKET);
        CHECK_EQ(bind(many[i], (struct sockaddr *)&address, sizeof address), 0);
        FD_SET(many[i], &set);
    }
    CHECK_EQ(set.fd_count, 64); /* what does not fit is not put in */
    FD_SET(many[0], &set);
    CHECK_EQ(set.fd_count, 64);
    CHECK_EQ(select(0, NULL, &set, NULL, &none), 64);
    FD_CLR(many[3], &set);
    CHECK_EQ(set.fd_count, 63);
    CHECK(!FD_ISSET(many[3], &set));
    CHECK(FD_ISSET(many[4], &set));

    /* Large values are as good as small ones. */
    FD_ZERO(&set);
    FD_SET(many[MANY - 1], &set);
    CHECK_EQ(set.fd_count, 1);
    CHECK_EQ(select(0, NULL, &set, NULL, &none), 1);
    CHECK(FD_ISSET(many[MANY - 1], &set));
    for (int i = 0; i < MANY; i++)
        closesocket(many[i]);
}

/* ---- WSAPoll ---- */

TEST(poll_counts_entries, "SOCK-41")
{
    SOCKET pair[2];
    REQUIRE(tcp_pair(pair));
    WSAPOLLFD fds[3] = {{pair[0], POLLRDNORM | POLLWRNORM, 0x55},
                        {INVALID_SOCKET, POLLRDNORM | POLLWRNORM, 0x55},
                        {pair[1], POLLRDNORM, 0x55}};

    CHECK_EQ(WSAPoll(fds, 3, 0), 1);
    CHECK_EQ(fds[0].revents, POLLWRNORM);
    TODO_WINE("Wine says POLLNVAL of an entry to be skipped")
        CHECK_EQ(fds[1].revents, 0);
    CHECK_EQ(fds[2].revents, 0);

    REQUIRE(send_all(pair[0], "x", 1));
    REQUIRE(becomes_readable(pair[1]));
    CHECK_EQ(WSAPoll(fds, 3, -1), 2);
    CHECK_EQ(fds[0].revents, POLLWRNORM);
    TODO_WINE("Wine says POLLNVAL of an entry to be skipped")
        CHECK_EQ(fds[1].revents, 0);
    CHECK_EQ(fds[2].revents, POLLRDNORM);
    close_pair(pair);
}

TEST(poll_refuses, "SOCK-41")
{
    SOCKET pair[2];
    REQUIRE(tcp_pair(pair));
    WSAPOLLFD fd = {pair[0], POLLPRI, 0}, none = {INVALID_SOCKET, POLLRDNORM, 0};

    TODO_WINE("Wine knows POLLPRI") {
        CHECK_WSAERR(WSAPoll(&fd, 1, 0), WSAEINVAL);
    }
    CHECK_WSAERR(WSAPoll(&fd, 0, 0), WSAEINVAL);
    TODO_WINE("Wine counts entries that are no sockets") {
        CHECK_WSAERR(WSAPoll(&none, 1, 0), WSAEINVAL);
    }
    WSAPOLLFD both[2] = {{pair[0], POLLRDNORM, 0}, {pair[1], POLLRDNORM, 0}};
    closesocket(pair[1]);
    CHECK_EQ(WSAPoll(&both[1], 1, 0), SOCKET_ERROR);
    REQUIRE(becomes_readable(pair[0]));
    TODO_WINE("Wine does not count an entry that is no socket")
        CHECK_EQ(WSAPoll(both, 2, -1), 2);
    CHECK(both[0].revents & POLLHUP);
    CHECK_EQ(both[1].revents, POLLNVAL);
    closesocket(pair[0]);
}

TEST(poll_times_out, "SOCK-41")
{
    SOCKET pair[2];
    REQUIRE(tcp_pair(pair));
    WSAPOLLFD fd = {pair[0], POLLRDNORM, 0x55};

    CHECK_EQ(WSAPoll(&fd, 1, 0), 0);
    CHECK_EQ(fd.revents, 0);
    double before = now_ms();
    CHECK_EQ(WSAPoll(&fd, 1, 60), 0);
    double passed = now_ms() - before;
    CHECK_MSG(passed > 50, "60 ms took %.1f ms", passed);
    close_pair(pair);
}

TEST(poll_sees_the_end, "SOCK-41")
{
    SOCKET pair[2];
    REQUIRE(tcp_pair(pair));
    WSAPOLLFD fd = {pair[0], POLLRDNORM, 0};

    closesocket(pair[1]);
    REQUIRE(becomes_readable(pair[0]));
    CHECK_EQ(WSAPoll(&fd, 1, LONG_MS), 1);
    CHECK(fd.revents & POLLHUP);
    CHECK(!(fd.revents & (POLLERR | POLLNVAL)));
    closesocket(pair[0]);
}

TEST(poll_connects, "SOCK-41 SOCK-39")
{
    struct sockaddr_in address;
    SOCKET listener = tcp_listener(&address), s = tcp_socket();
    WSAPOLLFD fd = {s, POLLWRNORM, 0};
    REQUIRE(listener != INVALID_SOCKET);

    CHECK_EQ(set_nonblocking(s, 1), 0);
    CHECK_WSAERR(connect(s, (struct sockaddr *)&address, sizeof address), WSAEWOULDBLOCK);
    CHECK_EQ(WSAPoll(&fd, 1, LONG_MS), 1);
    CHECK_EQ(fd.revents, POLLWRNORM);
    WSAPOLLFD listening = {listener, POLLRDNORM, 0};
    CHECK_EQ(WSAPoll(&listening, 1, LONG_MS), 1);
    CHECK_EQ(listening.revents, POLLRDNORM);
    closesocket(s);
    closesocket(listener);
}

/* Since Windows 10, version 2004, this is reported. */
TEST_W8(poll_sees_a_connect_fail, "SOCK-41", "Wine gives nothing but POLLERR of it, as Windows did before")
{
    struct sockaddr_in address;
    SOCKET nobody = dead_end(&address), s = tcp_socket();
    WSAPOLLFD fd = {s, POLLWRNORM, 0};

    CHECK_EQ(set_nonblocking(s, 1), 0);
    CHECK_WSAERR(connect(s, (struct sockaddr *)&address, sizeof address), WSAEWOULDBLOCK);
    CHECK_EQ(WSAPoll(&fd, 1, LONG_MS), 1);
    CHECK_EQ(fd.revents, POLLHUP | POLLERR | POLLWRNORM);
    closesocket(s);
    closesocket(nobody);
}

/* ---- WSAEventSelect ---- */

TEST(selection_makes_nonblocking, "SOCK-42 SOCK-49")
{
    SOCKET pair[2];
    WSAEVENT event = WSACreateEvent();
    char byte;
    REQUIRE(tcp_pair(pair));

    CHECK_EQ(WSAEventSelect(pair[0], event, FD_READ), 0);
    CHECK_WSAERR(recv(pair[0], &byte, 1, 0), WSAEWOULDBLOCK);
    CHECK_EQ(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
    CHECK_WSAERR(set_nonblocking(pair[0], 0), WSAEINVAL);
    CHECK_EQ(set_nonblocking(pair[0], 1), 0);

    CHECK_EQ(WSAEventSelect(pair[0], NULL, 0), 0);
    CHECK_WSAERR(recv(pair[0], &byte, 1, 0), WSAEWOULDBLOCK); /* it stays so until told otherwise */
    CHECK_EQ(set_nonblocking(pair[0], 0), 0);
    HANDLE thread = start_thread(send_one_byte, &pair[1]);
    CHECK_EQ(recv(pair[0], &byte, 1, 0), 1);
    JOIN(thread);
    CHECK_EQ(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
    close_pair(pair);
    WSACloseEvent(event);
}

TEST(selection_refuses, "SOCK-42")
{
    SOCKET pair[2];
    WSAEVENT event = WSACreateEvent();
    REQUIRE(tcp_pair(pair));

    CHECK_WSAERR(WSAEventSelect(pair[0], NULL, FD_READ), WSAEINVAL);
    CHECK_WSAERR(WSAEventSelect((SOCKET)event, event, FD_READ), WSAENOTSOCK);
    close_pair(pair);
    CHECK_WSAERR(WSAEventSelect(pair[0], event, FD_READ), WSAENOTSOCK);
    WSACloseEvent(event);
}

TEST(selection_replaces, "SOCK-42")
{
    SOCKET pair[2];
    WSAEVENT first = WSACreateEvent(), second = WSACreateEvent();
    REQUIRE(tcp_pair(pair));

    CHECK_EQ(WSAEventSelect(pair[0], first, FD_READ), 0);
    REQUIRE(send_all(pair[1], "x", 1));
    CHECK(signalled(first));
    CHECK_EQ(WSAEventSelect(pair[0], second, FD_WRITE), 0);
    CHECK_EQ(next_events(pair[0], second, 0, NULL), FD_WRITE); /* FD_READ is forgotten */

    WSAResetEvent(first);
    char byte;
    CHECK_EQ(recv(pair[0], &byte, 1, 0), 1);
    REQUIRE(send_all(pair[1], "y", 1));
    REQUIRE(becomes_readable(pair[0]));
    CHECK(stays_quiet(first));
    CHECK_EQ(recorded(pair[0]), 0);

    CHECK_EQ(WSAEventSelect(pair[0], first, FD_READ), 0);
    CHECK_EQ(WSAEventSelect(pair[0], NULL, 0), 0);
    CHECK_EQ(recorded(pair[0]), 0);
    close_pair(pair);
    WSACloseEvent(first);
    WSACloseEvent(second);
}

/* "regardless of the value of lNetworkEvents" */
TEST(selection_of_nothing, "SOCK-42 SOCK-49")
{
    SOCKET pair[2];
    WSAEVENT event = WSACreateEvent();
    char byte;
    REQUIRE(tcp_pair(pair));

    CHECK_EQ(WSAEventSelect(pair[0], NULL, 0), 0);
    CHECK_WSAERR(recv(pair[0], &byte, 1, 0), WSAEWOULDBLOCK);
    CHECK_EQ(WSAEventSelect(pair[1], event, 0), 0);
    CHECK_WSAERR(recv(pair[1], &byte, 1, 0), WSAEWOULDBLOCK);
    REQUIRE(send_all(pair[0], "x", 1));
    REQUIRE(becomes_readable(pair[1]));
    CHECK(stays_quiet(event));
    CHECK_EQ(recorded(pair[1]), 0);
    close_pair(pair);
    WSACloseEvent(event);
}

/* What there are no causes for may be selected with the rest, and is quiet. */
TEST(selection_of_everything, "SOCK-42 SOCK-44")
{
    SOCKET pair[2];
    WSAEVENT event = WSACreateEvent();
    REQUIRE(tcp_pair(pair));

    CHECK_EQ(WSAEventSelect(pair[0], event, FD_QOS | FD_GROUP_QOS | FD_ROUTING_INTERFACE_CHANGE), 0);
    REQUIRE(send_all(pair[1], "x", 1));
    REQUIRE(becomes_readable(pair[0]));
    CHECK(stays_quiet(event));
    CHECK_EQ(WSAEventSelect(pair[0], event, FD_ALL_EVENTS), 0);
    CHECK(comes(pair[0], event, FD_READ));
    close_pair(pair);
    WSACloseEvent(event);
}

TEST(selection_sees_what_is_there, "SOCK-43")
{
    SOCKET pair[2];
    WSAEVENT event = WSACreateEvent();
    struct sockaddr_in address;
    REQUIRE(tcp_pair(pair));

    REQUIRE(send_all(pair[1], "x", 1));
    REQUIRE(becomes_readable(pair[0]));
    CHECK_EQ(WSAEventSelect(pair[0], event, FD_READ | FD_CLOSE), 0);
    CHECK_EQ(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
    CHECK_EQ(next_events(pair[0], event, 0, NULL), FD_READ);
    close_pair(pair);

    SOCKET listener = tcp_listener(&address), s = tcp_socket();
    CHECK_EQ(connect(s, (struct sockaddr *)&address, sizeof address), 0);
    REQUIRE(becomes_readable(listener));
    WSAResetEvent(event);
    CHECK_EQ(WSAEventSelect(listener, event, FD_ACCEPT), 0);
    CHECK_EQ(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
    CHECK_EQ(next_events(listener, event, 0, NULL), FD_ACCEPT);
    closesocket(s);
    closesocket(listener);
    WSACloseEvent(event);
}

/* Sends a byte, is told of it, receives it. */
static int told_of_a_byte(SOCKET pair[2], WSAEVENT event)
{
    char byte;
    return CHECK(send_all(pair[1], "x", 1)) && CHECK_EQ(next_events(pair[0], event, 0, NULL), FD_READ) &&
           CHECK_EQ(recv(pair[0], &byte, 1, 0), 1);
}

TEST(read_fires_once, "SOCK-44")
{
    SOCKET pair[2];
    WSAEVENT event = WSACreateEvent();
    char buf[8];
    int error = -1;
    REQUIRE(tcp_pair(pair));

    CHECK_EQ(WSAEventSelect(pair[0], event, FD_READ), 0);
    CHECK_EQ(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
    REQUIRE(send_all(pair[1], "ab", 2));
    CHECK_EQ(next_events(pair[0], event, FD_READ_BIT, &error), FD_READ);
    CHECK_EQ(error, 0);
    REQUIRE(send_all(pair[1], "c", 1));
    CHECK(WITHIN(LONG_MS, available(pair[0]) == 3));
    CHECK(stays_quiet(event)); /* nobody has received yet */

    CHECK_EQ(recv(pair[0], buf, 1, 0), 1);
    CHECK_EQ(next_events(pair[0], event, 0, NULL), FD_READ); /* there is more */
    CHECK_EQ(recv(pair[0], buf, sizeof buf, 0), 2);
    CHECK(stays_quiet(event));
    CHECK_EQ(recorded(pair[0]), 0);
    REQUIRE(send_all(pair[1], "d", 1));
    CHECK_EQ(next_events(pair[0], event, 0, NULL), FD_READ);
    close_pair(pair);
    WSACloseEvent(event);
}

/* A receive that finds nothing re-enables as well. */
TEST(read_again_after_would_block, "SOCK-44")
{
    SOCKET pair[2];
    WSAEVENT event = WSACreateEvent();
    char byte;
    REQUIRE(tcp_pair(pair));

    CHECK_EQ(WSAEventSelect(pair[0], event, FD_READ), 0);
    for (int round = 0; round < 200 && told_of_a_byte(pair, event); round++)
        CHECK_WSAERR(recv(pair[0], &byte, 1, 0), WSAEWOULDBLOCK);
    close_pair(pair);
    WSACloseEvent(event);
}

TEST(read_by_overlapped_receives, "SOCK-44")
{
    SOCKET pair[2];
    WSAEVENT event = WSACreateEvent();
    OVERLAPPED ov = {0};
    char byte[2];
    DWORD bytes = 0, flags = 0;
    REQUIRE(tcp_pair(pair));

    CHECK_EQ(WSAEventSelect(pair[0], event, FD_READ), 0);
    REQUIRE(send_all(pair[1], "ab", 2));
    CHECK_EQ(next_events(pair[0], event, 0, NULL), FD_READ);
    ov.hEvent = manual_event();
    CHECK_EQ(start_recv(pair[0], byte, 1, &ov), 0);
    CHECK(WSAGetOverlappedResult(pair[0], &ov, &bytes, TRUE, &flags));
    CHECK_EQ(bytes, 1);
    CHECK_EQ(next_events(pair[0], event, 0, NULL), FD_READ);
    CloseHandle(ov.hEvent);
    close_pair(pair);
    WSACloseEvent(event);
}

TEST(accept_fires_once, "SOCK-44")
{
    struct sockaddr_in address;
    WSAEVENT event = WSACreateEvent();
    SOCKET listener = tcp_listener(&address), first = tcp_socket(), second = tcp_socket(), accepted;
    REQUIRE(listener != INVALID_SOCKET);

    CHECK_EQ(WSAEventSelect(listener, event, FD_ACCEPT | FD_CLOSE), 0);
    CHECK_EQ(connect(first, (struct sockaddr *)&address, sizeof address), 0);
    CHECK_EQ(next_events(listener, event, 0, NULL), FD_ACCEPT);
    CHECK_EQ(connect(second, (struct sockaddr *)&address, sizeof address), 0);
    CHECK(stays_quiet(event));

    accepted = accept(listener, NULL, NULL);
    CHECK(accepted != INVALID_SOCKET);
    closesocket(accepted);
    CHECK_EQ(next_events(listener, event, 0, NULL), FD_ACCEPT);
    accepted = accept(listener, NULL, NULL);
    CHECK(accepted != INVALID_SOCKET);
    closesocket(accepted);
    CHECK_EQ(recorded(listener), 0);
    CHECK_EQ(accept(listener, NULL, NULL), INVALID_SOCKET);
    CHECK_EQ(WSAGetLastError(), WSAEWOULDBLOCK);
    closesocket(first);
    closesocket(second);
    closesocket(listener);
    WSACloseEvent(event);
}

/* The selection may be there before the socket listens. */
TEST(accept_selected_before_listen, "SOCK-44")
{
    struct sockaddr_in address;
    WSAEVENT event = WSACreateEvent();
    SOCKET listener = dead_end(&address), s = tcp_socket();

    CHECK_EQ(WSAEventSelect(listener, event, FD_ACCEPT), 0);
    CHECK_EQ(listen(listener, 5), 0);
    CHECK_EQ(connect(s, (struct sockaddr *)&address, sizeof address), 0);
    CHECK_EQ(next_events(listener, event, 0, NULL), FD_ACCEPT);
    closesocket(s);
    closesocket(listener);
    WSACloseEvent(event);
}

TEST(oob_fires_once, "SOCK-44")
{
    SOCKET pair[2];
    WSAEVENT event = WSACreateEvent();
    char byte = 0;
    REQUIRE(tcp_pair(pair));

    CHECK_EQ(WSAEventSelect(pair[0], event, FD_OOB | FD_READ), 0);
    CHECK_EQ(send(pair[1], "!", 1, MSG_OOB), 1);
    CHECK_EQ(next_events(pair[0], event, 0, NULL), FD_OOB);
    CHECK(stays_quiet(event));
    CHECK_EQ(recv(pair[0], &byte, 1, MSG_OOB), 1);
    CHECK_EQ(byte, '!');
    CHECK_EQ(send(pair[1], "?", 1, MSG_OOB), 1);
    CHECK_EQ(next_events(pair[0], event, 0, NULL), FD_OOB);
    close_pair(pair);
    WSACloseEvent(event);
}

/* Inline, the urgent byte is data like any other. */
TEST(oob_inline_is_read, "SOCK-44")
{
    SOCKET pair[2];
    WSAEVENT event = WSACreateEvent();
    DWORD on = 1;
    char byte = 0;
    REQUIRE(tcp_pair(pair));

    CHECK_EQ(setsockopt(pair[0], SOL_SOCKET, SO_OOBINLINE, (char *)&on, sizeof on), 0);
    CHECK_EQ(WSAEventSelect(pair[0], event, FD_OOB | FD_READ), 0);
    CHECK_EQ(send(pair[1], "!", 1, MSG_OOB), 1);
    LONG events = next_events(pair[0], event, 0, NULL);
    CHECK(events & FD_READ);
    TODO_WINE("Wine says FD_OOB, too") { CHECK_EQ(events, FD_READ); }
    CHECK_EQ(recv(pair[0], &byte, 1, 0), 1);
    CHECK_EQ(byte, '!');
    CHECK(stays_quiet(event));
    close_pair(pair);
    WSACloseEvent(event);
}

static int CALLBACK reject(LPWSABUF caller, LPWSABUF caller_data, LPQOS qos, LPQOS group_qos, LPWSABUF callee,
                           LPWSABUF callee_data, GROUP *group, DWORD_PTR context)
{
    (void)caller, (void)caller_data, (void)qos, (void)group_qos;
    (void)callee, (void)callee_data, (void)group, (void)context;
    return CF_REJECT;
}

/* WSAAccept re-enables as accept does, also where it sends the caller away. */
TEST(accept_that_rejects, "SOCK-44")
{
    struct sockaddr_in address;
    WSAEVENT event = WSACreateEvent();
    SOCKET listener = tcp_listener(&address), s[2];
    REQUIRE(listener != INVALID_SOCKET);

    CHECK_EQ(WSAEventSelect(listener, event, FD_ACCEPT), 0);
    for (int i = 0; i < 2; i++) {
        s[i] = tcp_socket();
        CHECK_EQ(connect(s[i], (struct sockaddr *)&address, sizeof address), 0);
        CHECK_EQ(next_events(listener, event, 0, NULL), FD_ACCEPT);
        CHECK_EQ(WSAAccept(listener, NULL, NULL, reject, 0), INVALID_SOCKET);
        CHECK_EQ(WSAGetLastError(), WSAECONNREFUSED);
        CHECK_EQ(recorded(listener), 0);
    }
    closesocket(s[0]);
    closesocket(s[1]);
    closesocket(listener);
    WSACloseEvent(event);
}

TEST(write_fires_when_there_is_room_again, "SOCK-45")
{
    SOCKET pair[2];
    WSAEVENT event = WSACreateEvent();
    REQUIRE(tcp_pair(pair));

    CHECK_EQ(WSAEventSelect(pair[0], event, FD_WRITE), 0);
    CHECK_EQ(next_events(pair[0], event, 0, NULL), FD_WRITE);
    CHECK_EQ(send(pair[0], "x", 1, 0), 1);
    CHECK(stays_quiet(event));
    CHECK_EQ(recorded(pair[0]), 0);

    fill(pair[0]);
    CHECK(stays_quiet(event));
    drain(pair[1]);
    CHECK_EQ(next_events(pair[0], event, 0, NULL), FD_WRITE);
    CHECK_EQ(send(pair[0], "x", 1, 0), 1);
    CHECK(stays_quiet(event));
    close_pair(pair);
    WSACloseEvent(event);
}

TEST(close_comes_after_the_data, "SOCK-46")
{
    SOCKET pair[2];
    WSAEVENT event = WSACreateEvent();
    char buf[8];
    int error = -1;
    REQUIRE(tcp_pair(pair));

    CHECK_EQ(WSAEventSelect(pair[0], event, FD_READ | FD_CLOSE), 0);
    REQUIRE(send_all(pair[1], "xy", 2));
    closesocket(pair[1]);
    CHECK_EQ(next_events(pair[0], event, 0, NULL), FD_READ);
    CHECK_EQ(recv(pair[0], buf, 1, 0), 1);
    CHECK_EQ(next_events(pair[0], event, 0, NULL), FD_READ);
    CHECK_EQ(recv(pair[0], buf, 1, 0), 1);
    CHECK_EQ(next_events(pair[0], event, FD_CLOSE_BIT, &error), FD_CLOSE);
    CHECK_EQ(error, 0);
    CHECK_EQ(recv(pair[0], buf, sizeof buf, 0), 0);
    CHECK(stays_quiet(event));
    closesocket(pair[0]);
    WSACloseEvent(event);
}

TEST(close_alone, "SOCK-46")
{
    SOCKET pair[2];
    WSAEVENT event = WSACreateEvent();
    int error = -1;
    REQUIRE(tcp_pair(pair));

    CHECK_EQ(WSAEventSelect(pair[0], event, FD_READ | FD_CLOSE), 0);
    CHECK_EQ(shutdown(pair[1], SD_SEND), 0);
    CHECK_EQ(next_events(pair[0], event, FD_CLOSE_BIT, &error), FD_CLOSE);
    CHECK_EQ(error, 0);
    CHECK_EQ(recorded(pair[0]), 0);
    close_pair(pair);
    WSACloseEvent(event);
}

TEST(close_by_reset, "SOCK-46")
{
    SOCKET pair[2];
    WSAEVENT event = WSACreateEvent();
    struct linger now = {1, 0};
    int error = -1;
    char byte;
    REQUIRE(tcp_pair(pair));

    CHECK_EQ(WSAEventSelect(pair[0], event, FD_READ | FD_CLOSE), 0);
    CHECK_EQ(setsockopt(pair[1], SOL_SOCKET, SO_LINGER, (char *)&now, sizeof now), 0);
    closesocket(pair[1]);
    CHECK_EQ(next_events(pair[0], event, FD_CLOSE_BIT, &error), FD_CLOSE);
    TODO_WINE("Wine shuts the connection down before it closes it") {
        CHECK_EQ(error, WSAECONNRESET);
        CHECK_WSAERR(recv(pair[0], &byte, 1, 0), WSAECONNRESET);
    }
    closesocket(pair[0]);
    WSACloseEvent(event);
}

TEST(connect_and_its_result, "SOCK-47 SOCK-45")
{
    struct sockaddr_in address;
    WSAEVENT event = WSACreateEvent();
    SOCKET listener = tcp_listener(&address), s = tcp_socket();
    WSANETWORKEVENTS events;
    LONG all = 0;
    REQUIRE(listener != INVALID_SOCKET);

    CHECK_EQ(WSAEventSelect(s, event, FD_CONNECT | FD_WRITE), 0);
    CHECK_EQ(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
    CHECK_WSAERR(connect(s, (struct sockaddr *)&address, sizeof address), WSAEWOULDBLOCK);
    while (all != (FD_CONNECT | FD_WRITE) && CHECK(signalled(event))) {
        CHECK_EQ(WSAEnumNetworkEvents(s, event, &events), 0);
        all |= events.lNetworkEvents;
        if (events.lNetworkEvents & FD_CONNECT)
            CHECK_EQ(events.iErrorCode[FD_CONNECT_BIT], 0);
    }
    CHECK_WSAERR(connect(s, (struct sockaddr *)&address, sizeof address), WSAEISCONN);
    CHECK_EQ(recorded(s), 0);
    closesocket(s);
    closesocket(listener);
    WSACloseEvent(event);
}

TEST(connect_selected_while_under_way, "SOCK-47")
{
    struct sockaddr_in address;
    WSAEVENT event = WSACreateEvent();
    SOCKET nobody = dead_end(&address), s = tcp_socket();
    int error = -1;

    CHECK_EQ(WSAEventSelect(s, event, FD_CONNECT | FD_READ | FD_WRITE | FD_CLOSE), 0);
    CHECK_WSAERR(connect(s, (struct sockaddr *)&address, sizeof address), WSAEWOULDBLOCK);
    CHECK_EQ(next_events(s, event, FD_CONNECT_BIT, &error), FD_CONNECT);
    CHECK_EQ(error, WSAECONNREFUSED);
    CHECK(stays_quiet(event));
    closesocket(s);

    s = tcp_socket();
    CHECK_EQ(set_nonblocking(s, 1), 0);
    CHECK_WSAERR(connect(s, (struct sockaddr *)&address, sizeof address), WSAEWOULDBLOCK);
    CHECK_EQ(WSAEventSelect(s, event, FD_CONNECT), 0);
    error = -1;
    CHECK_EQ(next_events(s, event, FD_CONNECT_BIT, &error), FD_CONNECT);
    CHECK_EQ(error, WSAECONNREFUSED);
    closesocket(s);
    closesocket(nobody);
    WSACloseEvent(event);
}

TEST(enumerating_clears_and_resets, "SOCK-48")
{
    SOCKET pair[2];
    WSAEVENT event = WSACreateEvent();
    REQUIRE(tcp_pair(pair));

    CHECK_EQ(WSAEventSelect(pair[0], event, FD_READ | FD_WRITE), 0);
    CHECK(signalled(event));
    WSANETWORKEVENTS events;
    memset(&events, 0x55, sizeof events);
    CHECK_EQ(WSAEnumNetworkEvents(pair[0], NULL, &events), 0);
    CHECK_EQ(events.lNetworkEvents, FD_WRITE);
    CHECK_EQ(events.iErrorCode[FD_WRITE_BIT], 0);
    CHECK_EQ(events.iErrorCode[FD_READ_BIT], 0x55555555);
    /* no event given: the record goes, the signal stays */
    CHECK_EQ(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
    REQUIRE(send_all(pair[1], "x", 1));
    REQUIRE(becomes_readable(pair[0]));
    CHECK(comes(pair[0], event, FD_READ));
    CHECK_EQ(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
    CHECK_EQ(recorded(pair[0]), 0);
    close_pair(pair);
    WSACloseEvent(event);
}

TEST(enumerating_in_vain_changes_nothing, "SOCK-48")
{
    SOCKET pair[2];
    WSAEVENT event = WSACreateEvent(), closed = WSACreateEvent();
    WSANETWORKEVENTS events;
    REQUIRE(tcp_pair(pair));
    WSACloseEvent(closed);

    CHECK_EQ(WSAEventSelect(pair[0], event, FD_WRITE), 0);
    CHECK(signalled(event));
    CHECK_WSAERR(WSAEnumNetworkEvents((SOCKET)event, event, &events), WSAENOTSOCK);
    TODO_WINE("Wine resets the event first")
        CHECK_EQ(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
    WSASetEvent(event);
    if (!conform_wine) { /* where it is a crash */
        CHECK_WSAERR(WSAEnumNetworkEvents(pair[0], event, NULL), WSAEFAULT);
        CHECK_EQ(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
    }
    TODO_WINE("Wine does not look at the event first") {
        CHECK_EQ(WSAEnumNetworkEvents(pair[0], closed, &events), SOCKET_ERROR);
        CHECK_EQ(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
        CHECK_EQ(next_events(pair[0], event, 0, NULL), FD_WRITE);
    }
    close_pair(pair);
    WSACloseEvent(event);
}

/* A reader that empties the socket whenever it is told so never loses the last byte. */
struct stream {
    SOCKET s;
    int total;
};

THREAD_FN(send_in_small_parts)
{
    struct stream *st = arg;
    for (int sent = 0; sent < st->total; sent++)
        if (!CHECK(send_all(st->s, "x", 1)))
            break;
    return 0;
}

TEST(enumerating_loses_nothing, "SOCK-48 SOCK-44")
{
    SOCKET pair[2];
    WSAEVENT event = WSACreateEvent();
    char buf[16];
    int got = 0;
    REQUIRE(tcp_pair(pair));
    struct stream st = {pair[1], 20000};

    CHECK_EQ(WSAEventSelect(pair[0], event, FD_READ), 0);
    HANDLE thread = start_thread(send_in_small_parts, &st);
    while (got < st.total) {
        LONG events = next_events(pair[0], event, 0, NULL);
        if (!CHECK_MSG(events >= 0, "no event after %d bytes", got))
            break;
        if (events & FD_READ) {
            int n = recv(pair[0], buf, sizeof buf, 0);
            if (n > 0)
                got += n;
            else if (!CHECK_EQ(WSAGetLastError(), WSAEWOULDBLOCK))
                break;
        }
    }
    CHECK_EQ(got, st.total);
    JOIN(thread);
    close_pair(pair);
    WSACloseEvent(event);
}

TEST(accepted_socket_inherits, "SOCK-50 SOCK-45")
{
    struct sockaddr_in address;
    WSAEVENT event = WSACreateEvent();
    SOCKET listener = tcp_listener(&address), s = tcp_socket(), accepted;
    char byte;
    REQUIRE(listener != INVALID_SOCKET);

    CHECK_EQ(WSAEventSelect(listener, event, FD_ACCEPT | FD_READ | FD_WRITE | FD_CLOSE), 0);
    CHECK_EQ(connect(s, (struct sockaddr *)&address, sizeof address), 0);
    CHECK_EQ(next_events(listener, event, 0, NULL), FD_ACCEPT);
    accepted = accept(listener, NULL, NULL);
    REQUIRE(accepted != INVALID_SOCKET);
    CHECK(comes(accepted, event, FD_WRITE));
    CHECK_WSAERR(recv(accepted, &byte, 1, 0), WSAEWOULDBLOCK);
    REQUIRE(send_all(s, "x", 1));
    CHECK(comes(accepted, event, FD_READ));
    CHECK_EQ(recv(accepted, &byte, 1, 0), 1);
    closesocket(s);
    CHECK(comes(accepted, event, FD_CLOSE));
    closesocket(accepted);
    closesocket(listener);
    WSACloseEvent(event);
}

TEST(datagrams_have_events, "SOCK-43 SOCK-44")
{
    struct sockaddr_in address = loopback(0);
    int size = sizeof address;
    WSAEVENT event = WSACreateEvent();
    char buf[8];

    net_start();
    SOCKET a = socket(AF_INET, SOCK_DGRAM, 0), b = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK_EQ(bind(a, (struct sockaddr *)&address, size), 0);
    CHECK_EQ(getsockname(a, (struct sockaddr *)&address, &size), 0);
    CHECK_EQ(WSAEventSelect(a, event, FD_READ), 0);
    CHECK_EQ(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
    CHECK_EQ(sendto(b, "one", 3, 0, (struct sockaddr *)&address, size), 3);
    CHECK_EQ(sendto(b, "two", 3, 0, (struct sockaddr *)&address, size), 3);
    CHECK_EQ(next_events(a, event, 0, NULL), FD_READ);
    CHECK_EQ(recv(a, buf, sizeof buf, 0), 3);
    CHECK_EQ(next_events(a, event, 0, NULL), FD_READ);
    CHECK_EQ(recv(a, buf, sizeof buf, 0), 3);
    CHECK(stays_quiet(event));
    closesocket(a);
    closesocket(b);
    WSACloseEvent(event);
}

/* WSARecvMsg is a receive like the others, overlapped or not. */
TEST(read_by_messages, "SOCK-44 SOCK-26")
{
    struct sockaddr_in address = loopback(0), from;
    int size = sizeof address;
    WSAEVENT event = WSACreateEvent();
    GUID id = WSAID_WSARECVMSG;
    LPFN_WSARECVMSG receive = NULL;
    OVERLAPPED ov = {0};
    DWORD bytes = 0, flags = 0;
    char byte;

    net_start();
    SOCKET a = socket(AF_INET, SOCK_DGRAM, 0), b = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK_EQ(bind(a, (struct sockaddr *)&address, size), 0);
    CHECK_EQ(getsockname(a, (struct sockaddr *)&address, &size), 0);
    CHECK_EQ(WSAIoctl(a, SIO_GET_EXTENSION_FUNCTION_POINTER, &id, sizeof id, &receive, sizeof receive, &bytes,
                      NULL, NULL), 0);
    REQUIRE(receive != NULL);
    ov.hEvent = manual_event();
    CHECK_EQ(WSAEventSelect(a, event, FD_READ), 0);
    for (int i = 0; i < 4; i++) {
        WSABUF buf = {1, &byte};
        WSAMSG msg = {(struct sockaddr *)&from, sizeof from, &buf, 1, {0, NULL}, 0};
        CHECK_EQ(sendto(b, "x", 1, 0, (struct sockaddr *)&address, sizeof address), 1);
        if (!CHECK_EQ(next_events(a, event, 0, NULL), FD_READ))
            break;
        CHECK_EQ(receive(a, &msg, &bytes, i % 2 ? NULL : &ov, NULL), 0);
        CHECK(i % 2 || WSAGetOverlappedResult(a, &ov, &bytes, TRUE, &flags));
        CHECK_EQ(bytes, 1);
    }
    closesocket(a);
    closesocket(b);
    CloseHandle(ov.hEvent);
    WSACloseEvent(event);
}

/* A connection that waits for its first data has left the queue all the same. */
TEST_W8(accept_ex_that_waits_for_data, "SOCK-44", "Wine may record the connection that AcceptEx takes")
{
    struct sockaddr_in address;
    WSAEVENT event = WSACreateEvent();
    SOCKET listener = tcp_listener(&address), first = tcp_socket(), second = tcp_socket();
    SOCKET accepted = tcp_socket(), next;
    OVERLAPPED ov = {0};
    enum { AREA = sizeof(struct sockaddr_in) + 16 };
    char area[8 + 2 * AREA];
    DWORD bytes = 0, flags;

    REQUIRE(listener != INVALID_SOCKET);
    ov.hEvent = manual_event();
    CHECK_EQ(WSAEventSelect(listener, event, FD_ACCEPT), 0);
    CHECK_EQ(connect(first, (struct sockaddr *)&address, sizeof address), 0);
    CHECK_EQ(next_events(listener, event, 0, NULL), FD_ACCEPT);
    CHECK(!AcceptEx(listener, accepted, area, 8, AREA, AREA, &bytes, &ov));
    CHECK_EQ(WSAGetLastError(), WSA_IO_PENDING);
    CHECK_EQ(connect(second, (struct sockaddr *)&address, sizeof address), 0);
    CHECK_EQ(next_events(listener, event, 0, NULL), FD_ACCEPT);
    next = accept(listener, NULL, NULL);
    CHECK(next != INVALID_SOCKET);
    REQUIRE(send_all(first, "x", 1));
    CHECK(WSAGetOverlappedResult(listener, &ov, &bytes, TRUE, &flags));
    CHECK_EQ(bytes, 1);
    CHECK_EQ(recorded(listener), 0);
    closesocket(next);
    closesocket(first);
    closesocket(second);
    closesocket(accepted);
    closesocket(listener);
    CloseHandle(ov.hEvent);
    WSACloseEvent(event);
}

/* AcceptEx and ConnectEx deal with these conditions as accept and connect do. */
TEST(events_of_the_overlapped_kind, "SOCK-44 SOCK-45 SOCK-47")
{
    struct sockaddr_in address, any = loopback(0);
    WSAEVENT listening = WSACreateEvent(), connecting = WSACreateEvent(), accepting = WSACreateEvent();
    SOCKET listener = tcp_listener(&address), s = tcp_socket(), accepted = tcp_socket();
    OVERLAPPED accept_ov = {0}, connect_ov = {0};
    char area[2 * (sizeof(struct sockaddr_in) + 16)], byte;
    DWORD bytes, flags;
    GUID id = WSAID_CONNECTEX;
    LPFN_CONNECTEX connect_ex = NULL;
    LONG all = 0;
    WSANETWORKEVENTS events;

    REQUIRE(listener != INVALID_SOCKET);
    CHECK_EQ(WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &id, sizeof id, &connect_ex,
                      sizeof connect_ex, &bytes, NULL, NULL), 0);
    REQUIRE(connect_ex != NULL);
    CHECK_EQ(bind(s, (struct sockaddr *)&any, sizeof any), 0);
    accept_ov.hEvent = manual_event();
    connect_ov.hEvent = manual_event();
    CHECK_EQ(WSAEventSelect(listener, listening, FD_ACCEPT), 0);
    CHECK_EQ(WSAEventSelect(s, connecting, FD_CONNECT | FD_WRITE), 0);
    CHECK(!AcceptEx(listener, accepted, area, 0, sizeof area / 2, sizeof area / 2, &bytes, &accept_ov));
    CHECK_EQ(WSAGetLastError(), WSA_IO_PENDING);
    if (!connect_ex(s, (struct sockaddr *)&address, sizeof address, NULL, 0, NULL, &connect_ov))
        CHECK_EQ(WSAGetLastError(), WSA_IO_PENDING);
    CHECK(WSAGetOverlappedResult(s, &connect_ov, &bytes, TRUE, &flags));
    CHECK(WSAGetOverlappedResult(listener, &accept_ov, &bytes, TRUE, &flags));
    while (all != (FD_CONNECT | FD_WRITE) && CHECK(signalled(connecting))) {
        CHECK_EQ(WSAEnumNetworkEvents(s, connecting, &events), 0);
        all |= events.lNetworkEvents;
        if (events.lNetworkEvents & FD_CONNECT)
            CHECK_EQ(events.iErrorCode[FD_CONNECT_BIT], 0);
    }
    CHECK_EQ(recorded(listener), 0); /* AcceptEx took it */

    CHECK_EQ(setsockopt(accepted, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, (char *)&listener,
                        sizeof listener), 0);
    CHECK_EQ(WSAEventSelect(accepted, accepting, FD_READ | FD_CLOSE), 0);
    REQUIRE(send_all(s, "x", 1));
    CHECK_EQ(next_events(accepted, accepting, 0, NULL), FD_READ);
    CHECK_EQ(recv(accepted, &byte, 1, 0), 1);
    closesocket(s);
    CHECK_EQ(next_events(accepted, accepting, 0, NULL), FD_CLOSE);
    closesocket(accepted);
    closesocket(listener);
    CloseHandle(accept_ov.hEvent);
    CloseHandle(connect_ov.hEvent);
    WSACloseEvent(listening);
    WSACloseEvent(connecting);
    WSACloseEvent(accepting);
}

/* Nobody dequeues from the port: the event must come all the same. */
TEST(events_of_a_socket_with_a_port, "SOCK-43 SOCK-44")
{
    SOCKET pair[2];
    WSAEVENT event = WSACreateEvent();
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    REQUIRE(tcp_pair(pair));

    CHECK(CreateIoCompletionPort((HANDLE)pair[0], port, 1, 0) == port);
    CHECK_EQ(WSAEventSelect(pair[0], event, FD_READ | FD_CLOSE), 0);
    for (int round = 0; round < 20 && told_of_a_byte(pair, event); round++)
        ;
    close_pair(pair);
    CloseHandle(port);
    WSACloseEvent(event);
}

/* The selection comes first, the port later. */
TEST(events_go_along_to_a_port, "SOCK-44")
{
    SOCKET pair[2];
    WSAEVENT event = WSACreateEvent();
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    REQUIRE(tcp_pair(pair));

    CHECK_EQ(WSAEventSelect(pair[0], event, FD_READ), 0);
    told_of_a_byte(pair, event);
    CHECK(CreateIoCompletionPort((HANDLE)pair[0], port, 1, 0) == port);
    told_of_a_byte(pair, event);
    close_pair(pair);
    CloseHandle(port);
    WSACloseEvent(event);
}

TEST(no_events_after_close, "SOCK-42")
{
    SOCKET pair[2];
    WSAEVENT event = WSACreateEvent();
    REQUIRE(tcp_pair(pair));

    CHECK_EQ(WSAEventSelect(pair[0], event, FD_READ | FD_CLOSE), 0);
    closesocket(pair[0]);
    send(pair[1], "x", 1, 0);
    CHECK(stays_quiet(event));
    closesocket(pair[1]);
    CHECK(WSACloseEvent(event));
}

/* ---- WSAWaitForMultipleEvents ---- */

static volatile LONG routine_runs;

static VOID CALLBACK count_run(ULONG_PTR arg)
{
    (void)arg;
    InterlockedIncrement(&routine_runs);
}

TEST(waiting_for_events, "SOCK-51")
{
    WSAEVENT events[WSA_MAXIMUM_WAIT_EVENTS];
    enum { ALL = WSA_MAXIMUM_WAIT_EVENTS };

    net_start();
    for (int i = 0; i < ALL; i++)
        events[i] = WSACreateEvent();
    CHECK_EQ(WSAWaitForMultipleEvents(ALL, events, FALSE, 0, FALSE), WSA_WAIT_TIMEOUT);
    WSASetEvent(events[63]);
    CHECK_EQ(WSAWaitForMultipleEvents(ALL, events, FALSE, WSA_INFINITE, FALSE), WSA_WAIT_EVENT_0 + 63);
    WSASetEvent(events[5]);
    CHECK_EQ(WSAWaitForMultipleEvents(ALL, events, FALSE, WSA_INFINITE, FALSE), WSA_WAIT_EVENT_0 + 5);
    CHECK_EQ(WSAWaitForMultipleEvents(ALL, events, TRUE, 0, FALSE), WSA_WAIT_TIMEOUT);
    for (int i = 0; i < ALL; i++)
        WSASetEvent(events[i]);
    CHECK_EQ(WSAWaitForMultipleEvents(ALL, events, TRUE, WSA_INFINITE, FALSE), WSA_WAIT_EVENT_0);
    CHECK_EQ(WSAWaitForMultipleEvents(1, events, FALSE, 0, FALSE), WSA_WAIT_EVENT_0); /* manual reset */

    WSAResetEvent(events[0]);
    routine_runs = 0;
    CHECK(QueueUserAPC(count_run, GetCurrentThread(), 0));
    CHECK_EQ(WSAWaitForMultipleEvents(1, events, FALSE, 0, FALSE), WSA_WAIT_TIMEOUT);
    CHECK_EQ(routine_runs, 0);
    CHECK_EQ(WSAWaitForMultipleEvents(1, events, FALSE, WSA_INFINITE, TRUE), WSA_WAIT_IO_COMPLETION);
    CHECK_EQ(routine_runs, 1);
    CHECK_EQ(WSA_WAIT_IO_COMPLETION, 0xC0);
    for (int i = 0; i < ALL; i++)
        CHECK(WSACloseEvent(events[i]));
}

TEST(waiting_for_events_in_vain, "SOCK-51")
{
    WSAEVENT events[WSA_MAXIMUM_WAIT_EVENTS + 1];

    net_start();
    for (int i = 0; i < WSA_MAXIMUM_WAIT_EVENTS + 1; i++)
        events[i] = WSACreateEvent();
    CHECK_WAITERR(WSAWaitForMultipleEvents(0, events, FALSE, 0, FALSE), WSA_INVALID_PARAMETER);
    CHECK_WAITERR(WSAWaitForMultipleEvents(65, events, FALSE, 0, FALSE), WSA_INVALID_PARAMETER);
    CHECK(WSACloseEvent(events[1]));
    CHECK_WAITERR(WSAWaitForMultipleEvents(2, events, FALSE, 0, FALSE), WSA_INVALID_HANDLE);
    for (int i = 0; i < WSA_MAXIMUM_WAIT_EVENTS + 1; i++)
        if (i != 1)
            CHECK(WSACloseEvent(events[i]));
}

/* ---- APCs ---- */

static VOID CALLBACK send_from_apc(ULONG_PTR arg)
{
    InterlockedIncrement(&routine_runs);
    send_all((SOCKET)arg, "x", 1);
}

/* The routine sends what select waits for: it can only run during the call. */
TEST(select_runs_apcs, "APC-20")
{
    SOCKET pair[2];
    struct timeval limit = {2, 0};
    fd_set read;
    REQUIRE(tcp_pair(pair));

    routine_runs = 0;
    CHECK(QueueUserAPC(send_from_apc, GetCurrentThread(), (ULONG_PTR)pair[1]));
    FD_ZERO(&read);
    FD_SET(pair[0], &read);
    CHECK_EQ(select(0, &read, NULL, NULL, &limit), 1);
    CHECK_EQ(routine_runs, 1);
    if (routine_runs == 0)
        SleepEx(0, TRUE);
    close_pair(pair);
}
