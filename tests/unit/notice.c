/* SPDX-License-Identifier: MIT */
/*
 * Who serves a socket that is registered with a port for its readiness: that port's poller, for as long as
 * the registration stands, and no longer - however its end, and attempts at another one, meet.
 */
#include "io/port.h"
#include "io/sock.h"
#include "ntstatus.h"
#include "unit.h"

#include <iocp.h>

#include <pthread.h>

enum { ROUNDS = 3000, KEY = 7 };

struct link {
    HANDLE port;
    SOCKET s;
    pthread_barrier_t begins, ends;
    DWORD second; /* what became of the attempt that met with the end */
};

static DWORD change(struct link *l, int operation)
{
    SOCK_NOTIFY_REGISTRATION r = {.socket = l->s,
                                  .completionKey = (PVOID)KEY,
                                  .eventFilter = SOCK_NOTIFY_EVENT_IN,
                                  .operation = (UINT8)operation,
                                  .triggerFlags = SOCK_NOTIFY_TRIGGER_LEVEL};

    CHECK_EQ(ProcessSocketNotifications(l->port, 1, &r, 0, 0, NULL, NULL), ERROR_SUCCESS);
    return r.registrationResult;
}

static void take_the_end(struct link *l)
{
    OVERLAPPED *ov;
    ULONG_PTR key;
    DWORD events = 0;

    CHECK(GetQueuedCompletionStatus(l->port, &events, &key, &ov, 10000));
    CHECK_EQ(events, SOCK_NOTIFY_EVENT_REMOVE);
}

/* Counted no more: only to be compared. */
static const struct port *server_of(SOCKET s)
{
    struct file *f;
    struct port *port;

    if (!CHECK_EQ(sock_from_handle(s, false, &f), STATUS_SUCCESS))
        return NULL;
    port = file_server_get(f);
    if (port)
        object_put(&port->object);
    file_put(f);
    return port;
}

static void *register_again(void *arg)
{
    struct link *l = arg;

    for (int i = 0; i < ROUNDS; i++) {
        pthread_barrier_wait(&l->begins);
        l->second = change(l, SOCK_NOTIFY_OP_ENABLE);
        pthread_barrier_wait(&l->ends);
    }
    return NULL;
}

TEST(registered_while_the_last_one_ends)
{
    static struct link l;
    int stayed = 0, refused = 0;
    pthread_t other;
    WSADATA data;

    CHECK_EQ(WSAStartup(MAKEWORD(2, 2), &data), 0);
    pthread_barrier_init(&l.begins, NULL, 2);
    pthread_barrier_init(&l.ends, NULL, 2);
    l.port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    l.s = iocp_socket(AF_INET, SOCK_DGRAM, 0);
    CHECK_EQ(pthread_create(&other, NULL, register_again, &l), 0);
    for (int i = 0; i < ROUNDS; i++) {
        CHECK_EQ(change(&l, SOCK_NOTIFY_OP_ENABLE), ERROR_SUCCESS);
        CHECK(server_of(l.s) != NULL);
        CHECK_EQ(change(&l, SOCK_NOTIFY_OP_REMOVE), ERROR_SUCCESS);
        pthread_barrier_wait(&l.begins);
        take_the_end(&l);
        pthread_barrier_wait(&l.ends);
        if (l.second == ERROR_SUCCESS) {
            CHECK(server_of(l.s) != NULL);
            CHECK_EQ(change(&l, SOCK_NOTIFY_OP_REMOVE), ERROR_SUCCESS);
            take_the_end(&l);
        } else {
            refused++;
        }
        stayed += server_of(l.s) != NULL;
    }
    pthread_join(other, NULL);
    if (!CHECK_EQ(stayed, 0))
        printf("  %d were refused\n", refused);
    CHECK_EQ(closesocket(l.s), 0);
    CHECK(CloseHandle(l.port));
}
