/* SPDX-License-Identifier: MIT */
/* levels.c: a program of ours for wepoll, which has no tests in Debian: levels, one-shot events, ends,
 * time-outs,
 * and 200 sockets in one set. Exits with 0 if all is as epoll would have it. */
#include "wepoll.h"

#include <stdio.h>
#include <winsock2.h>

#define CHECK(what)                                                       \
    do {                                                                  \
        if (!(what)) {                                                    \
            printf("line %d: %s (%d)\n", __LINE__, #what, (int)GetLastError()); \
            return 1;                                                     \
        }                                                                 \
    } while (0)

static int pair(SOCKET s[2])
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int size = sizeof name;
    SOCKET listener = socket(AF_INET, SOCK_STREAM, 0);

    s[0] = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&name, size) || listen(listener, 1) ||
        getsockname(listener, (struct sockaddr *)&name, &size) ||
        connect(s[0], (struct sockaddr *)&name, size))
        return 0;
    s[1] = accept(listener, NULL, NULL);
    closesocket(listener);
    return s[1] != INVALID_SOCKET;
}

static int wait_for(HANDLE set, struct epoll_event *event, int ms)
{
    event->events = 0;
    return epoll_wait(set, event, 1, ms);
}

static int one_socket(void)
{
    HANDLE set = epoll_create1(0);
    struct epoll_event want = {.events = EPOLLIN, .data.u32 = 7}, got;
    char data[8];
    SOCKET s[2];

    CHECK(set && pair(s));
    CHECK(epoll_ctl(set, EPOLL_CTL_ADD, s[0], &want) == 0);
    CHECK(epoll_ctl(set, EPOLL_CTL_ADD, s[0], &want) == -1 && GetLastError() == ERROR_ALREADY_EXISTS);
    CHECK(wait_for(set, &got, 20) == 0);
    CHECK(send(s[1], "ab", 2, 0) == 2);
    CHECK(wait_for(set, &got, 5000) == 1 && got.events == EPOLLIN && got.data.u32 == 7);
    CHECK(wait_for(set, &got, 5000) == 1 && got.events == EPOLLIN); /* a level, not an edge */
    CHECK(recv(s[0], data, 8, 0) == 2);
    CHECK(wait_for(set, &got, 0) == 0);
    want.events = EPOLLOUT | EPOLLONESHOT;
    CHECK(epoll_ctl(set, EPOLL_CTL_MOD, s[0], &want) == 0);
    CHECK(wait_for(set, &got, 5000) == 1 && got.events == EPOLLOUT);
    CHECK(wait_for(set, &got, 20) == 0);
    want.events = EPOLLIN | EPOLLRDHUP;
    CHECK(epoll_ctl(set, EPOLL_CTL_MOD, s[0], &want) == 0);
    CHECK(shutdown(s[1], SD_SEND) == 0);
    CHECK(wait_for(set, &got, 5000) == 1 && (got.events & EPOLLRDHUP));
    CHECK(epoll_ctl(set, EPOLL_CTL_DEL, s[0], NULL) == 0);
    CHECK(wait_for(set, &got, 0) == 0);
    closesocket(s[0]);
    closesocket(s[1]);
    return epoll_close(set);
}

enum { MANY = 200 };

static int many_sockets(void)
{
    static SOCKET s[MANY][2];
    HANDLE set = epoll_create(1);
    struct epoll_event got[16];
    int seen[MANY] = {0}, total = 0, n;

    for (int i = 0; i < MANY; i++) {
        struct epoll_event want = {.events = EPOLLIN | EPOLLONESHOT, .data.u32 = (uint32_t)i};

        CHECK(pair(s[i]) && epoll_ctl(set, EPOLL_CTL_ADD, s[i][0], &want) == 0);
    }
    for (int i = 0; i < MANY; i++)
        CHECK(send(s[i][1], "x", 1, 0) == 1);
    while (total < MANY && (n = epoll_wait(set, got, 16, 5000)) > 0)
        for (int i = 0; i < n; i++, total++)
            CHECK(seen[got[i].data.u32]++ == 0);
    CHECK(total == MANY && epoll_wait(set, got, 16, 20) == 0);
    for (int i = 0; i < MANY; i++) {
        closesocket(s[i][0]);
        closesocket(s[i][1]);
    }
    return epoll_close(set);
}

int main(void)
{
    WSADATA data;

    if (WSAStartup(MAKEWORD(2, 2), &data) != 0 || one_socket() || many_sockets())
        return 1;
    puts("all well");
    return 0;
}
