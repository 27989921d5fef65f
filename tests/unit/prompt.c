/* SPDX-License-Identifier: MIT */
/*
 * Releases that a worker puts off because it will be back (wait/prompt.c): who is prompt wakes nobody, what
 * was put off against expectation is made good by somebody else, and one slow turn ends it. The wakes
 * are counted by a function that the linker puts in front of futex_wake. What is measured elsewhere is set
 * here, so that nothing depends on how busy the machine is.
 */
#include "unit.h"

#include "base/futex.h"
#include "engine/home.h"
#include "io/port.h"
#include "object/handle.h"

#include <iocp.h>

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

enum { WORKERS = 6, MESSAGES = 200 };
enum { KEY_END, KEY_SOCKET };

static HANDLE port;
static struct object *port_object;
static struct queue *queue;
static int ends[2]; /* ends[0] is the port's */
static pthread_t crew[WORKERS];
static char text[100];
static OVERLAPPED receiving, sending;
static _Atomic uint32_t wakes;
static _Atomic int sent;     /* packets of answers that were taken */
static _Atomic bool linger;  /* the worker that answers stays until its answer's packet was taken */

void __real_futex_wake(_Atomic uint32_t *word, int count);
void __wrap_futex_wake(_Atomic uint32_t *word, int count);

void __wrap_futex_wake(_Atomic uint32_t *word, int count)
{
    /* A lock's sleeper is no waiter; and where a worker gets no processor, the watchdog does its work. */
    if (queue && word != &queue->lock.word && !home_is_current())
        wakes++;
    __real_futex_wake(word, count);
}

static void receive(void)
{
    WSABUF room = {sizeof text, text};
    DWORD flags = 0;

    memset(&receiving, 0, sizeof receiving);
    CHECK(WSARecv((SOCKET)ends[0], &room, 1, NULL, &flags, &receiving, NULL) == 0 ||
          WSAGetLastError() == WSA_IO_PENDING);
}

static void answer(DWORD size)
{
    WSABUF reply = {size, text};
    int before = sent;

    memset(&sending, 0, sizeof sending);
    CHECK_EQ(WSASend((SOCKET)ends[0], &reply, 1, NULL, 0, &sending, NULL), 0);
    while (linger && sent == before)
        sched_yield();
}

static void *work(void *arg)
{
    DWORD bytes;
    ULONG_PTR key;
    OVERLAPPED *ov;

    for (;;) {
        if (!GetQueuedCompletionStatus(port, &bytes, &key, &ov, INFINITE) || key == KEY_END)
            return arg;
        if (ov == &receiving) {
            answer(bytes);
        } else {
            receive();
            sent++;
        }
    }
}

/* So many workers sleep, all there are; `led`: one of them in the poller. */
static void await_asleep(unsigned workers, bool led)
{
    for (bool calm = false; !calm;) {
        unsigned asleep = 0;

        sched_yield();
        lock_acquire(&queue->lock);
        list_for_each(n, &queue->waiters)
            asleep++;
        calm = asleep == workers && (queue->leader || !led) && queue->active == 0 && queue->count == 0;
        lock_release(&queue->lock);
    }
}

static void await_calm(void)
{
    await_asleep(WORKERS, true);
}

static void begin(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    WSADATA data;

    CHECK_EQ(WSAStartup(MAKEWORD(2, 2), &data), 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(bind(listener, (struct sockaddr *)&address, size) == 0 && listen(listener, 1) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&address, &size) == 0);
    ends[1] = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(connect(ends[1], (struct sockaddr *)&address, size) == 0);
    ends[0] = accept(listener, NULL, NULL);
    close(listener);
    port = CreateIoCompletionPort((HANDLE)(intptr_t)ends[0], NULL, KEY_SOCKET, 2);
    CHECK(port != NULL);
    CHECK_EQ(handle_get((uintptr_t)port, OBJECT_PORT, &port_object, NULL), 0);
    queue = &port_from_object(port_object)->queue;
    receive();
    for (int i = 0; i < WORKERS; i++)
        pthread_create(&crew[i], NULL, work, NULL);
    await_calm();
}

static void end(void)
{
    for (int i = 0; i < WORKERS; i++)
        PostQueuedCompletionStatus(port, 0, KEY_END, NULL);
    for (int i = 0; i < WORKERS; i++)
        pthread_join(crew[i], NULL);
    closesocket((SOCKET)ends[0]);
    close(ends[1]);
    CloseHandle(port);
    queue = NULL;
    object_put(port_object);
    WSACleanup();
}

static void message(void)
{
    char back[5];

    CHECK_EQ(write(ends[1], "hello", 5), 5);
    CHECK_EQ(recv(ends[1], back, 5, MSG_WAITALL), 5);
    CHECK(memcmp(back, "hello", 5) == 0);
}

/* What the queue believes of its workers: that they are always back at once, or never. */
static void believe(bool prompt)
{
    lock_acquire(&queue->lock);
    queue->prompt.slow_ns = UINT64_MAX;
    queue->prompt.turn_ns = 0;
    queue->prompt.need = prompt ? 1 : UINT32_MAX;
    queue->prompt.credit = prompt ? UINT32_MAX / 4 : 0;
    queue->prompt.turns = 1; /* is not measured */
    queue->prompt.ticking = prompt;
    queue->prompt.wants_tick = false;
    lock_release(&queue->lock);
}

static uint32_t wakes_of_messages(bool prompt)
{
    uint32_t before = wakes;

    for (int i = 0; i < MESSAGES; i++) {
        believe(prompt);
        message();
        await_calm();
    }
    return wakes - before;
}

TEST(who_is_prompt_wakes_nobody)
{
    begin();
    CHECK(wakes_of_messages(false) >= MESSAGES);
    /* Nobody but who is stopped by a busy machine for so long that a tick makes it good. */
    CHECK(wakes_of_messages(true) < MESSAGES / 4);
    believe(false);
    end();
}

TEST(what_was_put_off_is_made_good)
{
    uint32_t put_off = 0;
    uint32_t before;

    begin();
    linger = true;
    for (int i = 0; i < MESSAGES || put_off == 0; i++) {
        believe(true);
        lock_acquire(&queue->lock);
        queue->prompt.ticking = false; /* until it really ticks */
        queue->prompt.wants_tick = true;
        before = queue->prompt.put_off;
        lock_release(&queue->lock);
        queue_poke(queue); /* begins to look */
        for (int k = 0; k < 3; k++)
            message();
        await_calm();
        put_off += queue->prompt.put_off - before;
    }
    linger = false;
    believe(false);
    end();
}

TEST(a_slow_turn_ends_it)
{
    uint32_t need = 1;

    begin();
    for (int i = 0; i < 8; i++) {
        believe(true);
        lock_acquire(&queue->lock);
        queue->prompt.slow_ns = 0;
        queue->prompt.turns = 0; /* is measured */
        queue->prompt.need = need;
        queue->prompt.credit = need;
        lock_release(&queue->lock);
        message();
        await_calm();
        CHECK_EQ(queue->prompt.credit, 0);
        CHECK(queue->prompt.need >= 2 * need); /* twice that: the next turn may be measured too */
        need = queue->prompt.need;
    }
    lock_acquire(&queue->lock);
    queue->prompt.credit = UINT32_MAX / 4; /* long ago */
    queue->prompt.turns = 0;
    queue->prompt.ticking = true;
    lock_release(&queue->lock);
    message();
    await_calm();
    CHECK(queue->prompt.need < need);
    believe(false);
    end();
}

/* Turns of a busy, prompt program bring it about by themselves. */
TEST(prompt_turns_begin_it)
{
    begin();
    lock_acquire(&queue->lock);
    queue->prompt.slow_ns = UINT64_MAX;
    lock_release(&queue->lock);
    for (bool off = false; !off;) {
        message();
        lock_acquire(&queue->lock);
        off = queue->prompt.put_off > 0;
        lock_release(&queue->lock);
    }
    end();
}

/* ---- a sleep inside the dequeue ---- */

enum { PAIR = 2 };

static void nothing(struct queue_entry *e)
{
    (void)e;
}

/* Sleeps until a packet comes. */
static void *take(void *arg)
{
    struct queue_entry *e;
    unsigned n;

    CHECK_EQ(queue_get(queue, &e, 1, &n, false, DEADLINE_NEVER), 0);
    CHECK_EQ(n, 1);
    return arg;
}

/* A turn that begins with readiness which comes to nothing is over when its worker goes to sleep again. */
TEST(a_sleep_in_the_dequeue_is_no_slow_turn)
{
    struct queue_entry ready[PAIR] = {{.ready = true}, {.ready = true}};
    struct queue_entry packets[PAIR] = {{.ready = false}, {.ready = false}};
    struct port *p;
    uint32_t before;

    CHECK_EQ(port_new(PAIR, &p), 0);
    queue = &p->queue;
    queue->run_ready = nothing;
    for (int i = 0; i < PAIR; i++)
        pthread_create(&crew[i], NULL, take, NULL);
    await_asleep(PAIR, false);
    believe(false);
    lock_acquire(&queue->lock);
    queue->prompt.turns = 0; /* the next is measured */
    queue->prompt.credit = before = 100;
    lock_release(&queue->lock);
    for (int i = 0; i < PAIR; i++) {
        list_init(&ready[i].link);
        queue_put_ready(queue, &(struct queue_entry *){&ready[i]}, 1);
    }
    queue_poke(queue);
    await_asleep(PAIR, false);
    for (int i = 0; i < PAIR; i++) {
        list_init(&packets[i].link);
        queue_put(queue, &packets[i]);
    }
    for (int i = 0; i < PAIR; i++)
        pthread_join(crew[i], NULL);
    CHECK(queue->prompt.turns > 0);
    CHECK(queue->prompt.credit > before); /* one was measured, at the latest when its thread had ended */
    object_put(&p->object);
    queue = NULL;
}
