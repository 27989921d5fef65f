/* SPDX-License-Identifier: MIT */
/*
 * What a conformance test cannot see of select and WSAEventSelect: that a sleeping select really
 * sleeps, that closing and cancelling reach it, and that what happens to a socket meanwhile does.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "io/select.h"

#include "base/clock.h"
#include "base/status.h"
#include "io/connect.h"
#include "io/sockevent.h"
#include "ntstatus.h"
#include "object/handle.h"
#include "unit.h"
#include "wait/objects.h"
#include "wait/thread.h"
#include "wait/wait.h"

#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ITEMS = 4 };

/* A published socket; the caller holds a reference. */
static struct file *new_socket(int type)
{
    struct file *f;
    uintptr_t h;

    if (!CHECK_EQ(sock_new(AF_INET, type, 0, true, &f), STATUS_SUCCESS))
        exit(1);
    file_get(f);
    CHECK_EQ(file_publish(f, 0, &h), STATUS_SUCCESS);
    return f;
}

static void close_handle(struct file *f)
{
    CHECK_EQ(handle_close((uintptr_t)f->fd), STATUS_SUCCESS);
}

static void close_socket(struct file *f)
{
    close_handle(f);
    file_put(f);
}

static struct sockaddr_in loopback(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET};

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return a;
}

static struct file *new_listener(struct sockaddr_in *address)
{
    struct file *f = new_socket(SOCK_STREAM);
    int32_t len = sizeof *address;

    *address = loopback();
    CHECK_EQ(sock_bind(f, address, len), STATUS_SUCCESS);
    CHECK_EQ(sock_listen(f, 8), STATUS_SUCCESS);
    CHECK_EQ(sock_local_name(f, address, &len), STATUS_SUCCESS);
    return f;
}

/* Two ends: ours, and a plain descriptor that the library does not know. */
static struct file *new_pair(int *peer)
{
    struct sockaddr_in address;
    struct file *listener = new_listener(&address);
    struct file *f = new_socket(SOCK_STREAM);

    CHECK_EQ(connect_socket(f, &address, sizeof address), STATUS_SUCCESS);
    *peer = accept(listener->fd, NULL, NULL);
    CHECK(*peer >= 0);
    close_socket(listener);
    return f;
}

/* ---- a thread inside select_wait ---- */

struct sleeper {
    struct select_item items[ITEMS];
    unsigned n;
    uint64_t deadline_ns;
    uint32_t status;
    unsigned count;
    uint64_t cpu_ns; /* what it took of the processor */
    _Atomic(struct thread *) thread;
    pthread_t pthread;
};

static uint64_t cpu_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (uint64_t)ts.tv_sec * NS_PER_SEC + (uint64_t)ts.tv_nsec;
}

static void *sleeper_main(void *arg)
{
    struct sleeper *s = arg;
    uint64_t before;

    atomic_store(&s->thread, thread_current());
    before = cpu_now();
    s->status = select_wait(s->items, s->n, s->deadline_ns, &s->count);
    s->cpu_ns = cpu_now() - before;
    return NULL;
}

static bool is_inside(struct file *f)
{
    bool inside;

    lock_acquire(&f->lock);
    inside = !list_empty(&f->sync_waiters);
    lock_release(&f->lock);
    return inside;
}

/* Starts it and comes back once it is known to every socket it waits for. */
static void sleeper_start(struct sleeper *s)
{
    CHECK_EQ(pthread_create(&s->pthread, NULL, sleeper_main, s), 0);
    while (!is_inside(s->items[s->n - 1].file))
        sched_yield();
}

static void sleeper_end(struct sleeper *s)
{
    pthread_join(s->pthread, NULL);
}

TEST(closing_wakes_select)
{
    int peer;
    struct file *f = new_pair(&peer), *other = new_socket(SOCK_DGRAM);
    struct sleeper s = {.items = {{.file = other, .want = SELECT_READ}, {.file = f, .want = SELECT_WRITE}},
                        .n = 2,
                        .deadline_ns = DEADLINE_NEVER};
    char block[65536] = "";

    while (send(f->fd, block, sizeof block, MSG_DONTWAIT) > 0)
        ;
    sleeper_start(&s);
    close_handle(f);
    sleeper_end(&s);
    CHECK_EQ(s.status, STATUS_OBJECT_TYPE_MISMATCH);
    CHECK_EQ(s.count, 0);
    file_put(f);
    close_socket(other);
    close(peer);
}

TEST(cancelling_wakes_select)
{
    int peer;
    struct file *f = new_pair(&peer);
    struct sleeper s = {
        .items = {{.file = f, .want = SELECT_READ}}, .n = 1, .deadline_ns = DEADLINE_NEVER};

    sleeper_start(&s);
    while (!wait_sync_cancel(atomic_load(&s.thread)))
        sched_yield();
    sleeper_end(&s);
    CHECK_EQ(s.status, STATUS_CANCELLED);
    close_socket(f);
    close(peer);
}

/* Ends of streams and unconnected sockets are what poll(2) never stops to report. */
TEST(noisy_sockets_do_not_keep_it_awake)
{
    int peer, ended_peer;
    struct file *f = new_pair(&peer), *ended = new_pair(&ended_peer), *fresh = new_socket(SOCK_STREAM);
    struct sleeper s = {.items = {{.file = fresh, .want = SELECT_READ | SELECT_WRITE | SELECT_EXCEPT},
                                  {.file = ended, .want = SELECT_EXCEPT},
                                  {.file = ended, .want = SELECT_EXCEPT},
                                  {.file = f, .want = SELECT_READ}},
                        .n = 4,
                        .deadline_ns = DEADLINE_NEVER};
    struct timespec some = {.tv_nsec = 200 * 1000 * 1000};

    close(ended_peer);
    sleeper_start(&s);
    nanosleep(&some, NULL); /* time in which it could burn the processor */
    CHECK_EQ(send(peer, "x", 1, 0), 1);
    sleeper_end(&s);
    CHECK_EQ(s.status, STATUS_SUCCESS);
    CHECK_EQ(s.count, 1);
    CHECK_EQ(s.items[3].got, SELECT_READ);
    CHECK_EQ(s.items[0].got | s.items[1].got | s.items[2].got, 0);
    if (!CHECK(s.cpu_ns < 50 * NS_PER_MS))
        printf("  %u us of processor time\n", (unsigned)(s.cpu_ns / 1000));
    close_socket(f);
    close_socket(ended);
    close_socket(fresh);
    close(peer);
}

/* The socket is put into the set first and connected, or made to listen, by somebody else later. */
TEST(a_state_may_change_under_select)
{
    struct sockaddr_in address;
    struct file *listener = new_listener(&address), *f = new_socket(SOCK_STREAM);
    struct sleeper s = {
        .items = {{.file = f, .want = SELECT_WRITE}}, .n = 1, .deadline_ns = DEADLINE_NEVER};
    struct file *later = new_socket(SOCK_STREAM);
    struct sleeper t = {
        .items = {{.file = later, .want = SELECT_READ}}, .n = 1, .deadline_ns = DEADLINE_NEVER};
    int32_t len = sizeof address;
    struct file *g = new_socket(SOCK_STREAM);

    sleeper_start(&s);
    sock_set_blocking(f, false);
    CHECK_EQ(connect_socket(f, &address, sizeof address), STATUS_DEVICE_NOT_READY);
    sleeper_end(&s);
    CHECK_EQ(s.items[0].got, SELECT_WRITE);

    address = loopback();
    CHECK_EQ(sock_bind(later, &address, len), STATUS_SUCCESS);
    sleeper_start(&t);
    CHECK_EQ(sock_listen(later, 1), STATUS_SUCCESS);
    CHECK_EQ(sock_local_name(later, &address, &len), STATUS_SUCCESS);
    CHECK_EQ(connect_socket(g, &address, sizeof address), STATUS_SUCCESS);
    sleeper_end(&t);
    CHECK_EQ(t.items[0].got, SELECT_READ);
    close_socket(listener);
    close_socket(later);
    close_socket(f);
    close_socket(g);
}

TEST(more_than_fits_on_the_stack)
{
    enum { MANY = 500 };
    struct select_item *items = calloc(MANY, sizeof *items);
    struct file *f = new_socket(SOCK_DGRAM);
    struct sockaddr_in address = loopback();
    unsigned count = 0;

    CHECK_EQ(sock_bind(f, &address, sizeof address), STATUS_SUCCESS);
    for (int i = 0; i < MANY; i += 2) { /* every other one is skipped */
        items[i].file = f;
        items[i].want = SELECT_WRITE | SELECT_READ;
    }
    CHECK_EQ(select_wait(items, MANY, DEADLINE_NEVER, &count), STATUS_SUCCESS);
    CHECK_EQ(count, MANY / 2);
    CHECK_EQ(items[0].got, SELECT_WRITE);
    CHECK_EQ(items[1].got, 0);
    close_socket(f);
    free(items);
}

/* An earlier datagram's fate: what a receive would report is readable, what it would not is silent. */
TEST(errors_of_datagrams)
{
    struct file *f = new_socket(SOCK_DGRAM), *nobody = new_socket(SOCK_DGRAM);
    struct sockaddr_in address = loopback();
    int32_t len = sizeof address;
    struct select_item item = {.file = f, .want = SELECT_READ | SELECT_EXCEPT};
    char byte;
    struct iovec v = {&byte, 1};
    struct sock_transfer t = {.iov = &v, .iov_count = 1, .size = 1};
    unsigned count = 0;

    CHECK_EQ(sock_bind(nobody, &address, len), STATUS_SUCCESS);
    CHECK_EQ(sock_local_name(nobody, &address, &len), STATUS_SUCCESS);
    CHECK_EQ(connect_socket(nobody, &address, sizeof address), STATUS_SUCCESS); /* hears only itself */
    CHECK_EQ(connect_socket(f, &address, sizeof address), STATUS_SUCCESS);
    CHECK_EQ(send(f->fd, "x", 1, 0), 1);
    CHECK_EQ(select_wait(&item, 1, clock_now_ns() + 10 * NS_PER_SEC, &count), STATUS_SUCCESS);
    CHECK_EQ(item.got, SELECT_READ);
    CHECK_EQ(sock_receive(f, &t), STATUS_PORT_UNREACHABLE);
    CHECK_EQ(select_wait(&item, 1, 0, &count), STATUS_SUCCESS);
    CHECK_EQ(count, 0);
    close_socket(f);
    close_socket(nobody);
}

/* ---- network events ---- */

/* What the look takes from the kernel, the next receive still reports. */
TEST(a_reset_is_told_twice)
{
    int peer;
    struct file *f = new_pair(&peer);
    struct linger now = {1, 0};
    struct object *event;
    int32_t errors[SE_COUNT] = {0};
    uint32_t events = 0;
    char byte;
    struct iovec v = {&byte, 1};
    struct sock_transfer t = {.iov = &v, .iov_count = 1, .size = 1};

    CHECK_EQ(event_new(NULL, true, false, &event), STATUS_SUCCESS);
    CHECK_EQ(sockevent_select(f, event, SE_READ | SE_CLOSE), STATUS_SUCCESS);
    setsockopt(peer, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(peer);
    CHECK_EQ(wait_for_one(event_dispatcher(event), false, clock_now_ns() + 10 * NS_PER_SEC), STATUS_WAIT_0);
    sockevent_take(f, event, &events, errors);
    CHECK_EQ(events, SE_CLOSE);
    CHECK_EQ(errors[5], 10054);
    CHECK(!dispatcher_signalled(event_dispatcher(event)));
    CHECK_EQ(status_to_wsa(sock_receive(f, &t)), 10054);
    close_socket(f);
    object_put(event);
}

/* A selection that comes and goes while the socket is used and closed: no event is touched after. */
struct racer {
    struct file *f;
    struct object *event;
    _Atomic bool stop;
};

static void *select_again_and_again(void *arg)
{
    struct racer *r = arg;

    while (!atomic_load(&r->stop)) {
        sockevent_select(r->f, r->event, SE_READ | SE_WRITE | SE_CLOSE);
        sockevent_look(r->f);
        sockevent_select(r->f, NULL, 0);
    }
    return NULL;
}

TEST(selections_race_with_closing)
{
    struct racer r = {0};
    pthread_t threads[2];
    int32_t errors[SE_COUNT];
    uint32_t events;
    int peer;

    for (int round = 0; round < 50; round++) {
        r.f = new_pair(&peer);
        atomic_store(&r.stop, false);
        CHECK_EQ(event_new(NULL, true, false, &r.event), STATUS_SUCCESS);
        for (int i = 0; i < 2; i++)
            CHECK_EQ(pthread_create(&threads[i], NULL, select_again_and_again, &r), 0);
        for (int i = 0; i < 20; i++) {
            send(peer, "x", 1, MSG_NOSIGNAL);
            sockevent_take(r.f, r.event, &events, errors);
        }
        CHECK_EQ(handle_close((uintptr_t)r.f->fd), STATUS_SUCCESS);
        dispatcher_set(event_dispatcher(r.event), 0);
        sched_yield();
        CHECK(!dispatcher_signalled(event_dispatcher(r.event)));
        atomic_store(&r.stop, true);
        for (int i = 0; i < 2; i++)
            pthread_join(threads[i], NULL);
        CHECK_EQ(atomic_load(&sock_of(r.f)->user_events), 0);
        file_put(r.f);
        CHECK_EQ(atomic_load(&r.event->refs), 1);
        object_put(r.event);
        close(peer);
    }
}
