/* SPDX-License-Identifier: MIT */
/*
 * Workers that block where the library cannot see it: in a lock of the C library, in nanosleep, in a read(2)
 * of a pipe. The port finds out, lets others run meanwhile, and counts those who run again. On Windows the
 * nearest things stand in. Nothing is timed but "does not happen".
 */
#ifdef __linux__
#include <pthread.h>
#include <time.h>
#include <unistd.h>
#endif
#include "conform.h"
#include "packet.h"

#define PATIENCE (conform_wine ? 300 : 10000)
#define WINE_WHY "Wine 8 does not limit the threads of a port"

/* ---- ways to block that no call of the library is part of ---- */

enum way { BY_LOCK, BY_SLEEP, BY_READ, WAYS };
static const char *const way_names[WAYS] = {"a lock", "a sleep", "a read"};

struct gate {
    enum way way;
    volatile LONG open;
#ifdef __linux__
    pthread_mutex_t lock;
    int pipe[2];
#else
    CRITICAL_SECTION lock;
    HANDLE pipe[2];
#endif
};

static void gate_make(struct gate *g, enum way way)
{
    g->way = way;
    g->open = 0;
#ifdef __linux__
    pthread_mutex_init(&g->lock, NULL);
    pthread_mutex_lock(&g->lock);
    CHECK_EQ(pipe(g->pipe), 0);
#else
    InitializeCriticalSection(&g->lock);
    EnterCriticalSection(&g->lock);
    CHECK(CreatePipe(&g->pipe[0], &g->pipe[1], NULL, 0));
#endif
}

/* Much longer than it takes to be noticed. */
static void nap(void)
{
#ifdef __linux__
    struct timespec ms = {0, 30 * 1000000};
    nanosleep(&ms, NULL);
#else
    Sleep(30);
#endif
}

static void pass(struct gate *g)
{
    char byte;
    switch (g->way) {
    case BY_LOCK:
#ifdef __linux__
        pthread_mutex_lock(&g->lock);
        pthread_mutex_unlock(&g->lock);
#else
        EnterCriticalSection(&g->lock);
        LeaveCriticalSection(&g->lock);
#endif
        break;
    case BY_READ: {
#ifdef __linux__
        CHECK_EQ(read(g->pipe[0], &byte, 1), 1);
#else
        DWORD n;
        CHECK(ReadFile(g->pipe[0], &byte, 1, &n, NULL));
#endif
        break;
    }
    default:
        while (!READ(g->open))
            nap();
    }
}

/* Lets `threads` of them through. */
static void gate_open(struct gate *g, int threads)
{
    InterlockedExchange(&g->open, 1);
#ifdef __linux__
    pthread_mutex_unlock(&g->lock);
    for (int i = 0; i < threads; i++)
        CHECK_EQ(write(g->pipe[1], "x", 1), 1);
#else
    DWORD n;
    LeaveCriticalSection(&g->lock);
    for (int i = 0; i < threads; i++)
        CHECK(WriteFile(g->pipe[1], "x", 1, &n, NULL));
#endif
}

static void gate_free(struct gate *g)
{
#ifdef __linux__
    pthread_mutex_destroy(&g->lock);
    close(g->pipe[0]);
    close(g->pipe[1]);
#else
    DeleteCriticalSection(&g->lock);
    CloseHandle(g->pipe[0]);
    CloseHandle(g->pipe[1]);
#endif
}

/* ---- workers ---- */

/* What a packet tells a worker to do, as its key. */
enum { STOP = 1, GRIND, SPIN, BLOCK, BLOCK_AND_SPIN };
/* What a spinning worker is told. */
enum order { GO_ON, NEXT, LEAVE, WAIT_INSIDE, OTHER_PORT };

enum { CREW_MAX = 8, LONG_TIME = 20000 };

struct worker {
    HANDLE thread;
    volatile LONG id, order, packets, spins, waiting;
};

static struct {
    HANDLE port, other, event;
    struct gate gate;
    struct worker crew[CREW_MAX];
    int size;
    volatile LONG fresh, most; /* workers in a packet in which they have not been blocked */
    volatile LONG blocked, passed, done, closing;
} shop;

static void fresh_begin(void)
{
    LONG n = InterlockedIncrement(&shop.fresh), most;
    while (n > (most = READ(shop.most)) && InterlockedCompareExchange(&shop.most, n, most) != most)
        continue;
}

static void fresh_end(void) { InterlockedDecrement(&shop.fresh); }

/* Runs, in the port's eyes, until it is told to come back or to leave; false: to leave. */
static int spin(struct worker *w)
{
    for (;;) {
        LONG order;
        InterlockedExchange(&w->spins, 1);
        while ((order = InterlockedExchange(&w->order, GO_ON)) == GO_ON && !READ(shop.closing))
            SwitchToThread();
        InterlockedExchange(&w->spins, 0);
        if (order == WAIT_INSIDE)
            CHECK_EQ(WaitForSingleObject(shop.event, LONG_TIME), WAIT_OBJECT_0);
        else if (order == OTHER_PORT)
            CHECK_EQ(get_packet(shop.other, 0).error, WAIT_TIMEOUT);
        else
            return order == NEXT; /* or the shop is closing */
    }
}

static void grind(void)
{
    double until = now_ms() + 5;
    while (now_ms() < until)
        continue;
}

static int handle(struct worker *w, ULONG_PTR key)
{
    int stay = 1;
    fresh_begin();
    if (key == GRIND)
        grind();
    if (key == SPIN)
        stay = spin(w);
    fresh_end(); /* from here on it may be counted as blocked */
    if (key == BLOCK || key == BLOCK_AND_SPIN) {
        InterlockedIncrement(&shop.blocked);
        pass(&shop.gate);
        InterlockedIncrement(&shop.passed);
    }
    if (key == BLOCK_AND_SPIN)
        stay = spin(w);
    InterlockedIncrement(&shop.done);
    return stay;
}

THREAD_FN(work)
{
    struct worker *w = arg;
    struct got g;
    InterlockedExchange(&w->id, (LONG)GetCurrentThreadId());
    do {
        InterlockedExchange(&w->waiting, 1);
        g = get_packet(shop.port, conform_wine ? 2000 : LONG_TIME);
        InterlockedExchange(&w->waiting, 0);
        if (!g.ok && READ(shop.closing)) { /* in the dequeue when it was closed, or came too late */
            CHECK(g.error == ERROR_ABANDONED_WAIT_0 || g.error == ERROR_INVALID_HANDLE);
            break;
        }
        if (!CHECK_MSG(g.ok, "a worker's dequeue fails with %u", (unsigned)g.error) || g.key == STOP)
            break;
        InterlockedIncrement(&w->packets);
    } while (handle(w, g.key));
    return 0;
}

static void until_waiting(struct worker *w)
{
    CHECK(WITHIN(PATIENCE, READ(w->waiting)));
    until_asleep((DWORD)READ(w->id));
}

/* One more worker, asleep in the port on return. */
static struct worker *hire(void)
{
    struct worker *w = &shop.crew[shop.size++];
    w->thread = start_thread(work, w);
    until_waiting(w);
    return w;
}

static int open_shop(DWORD places, int crew, enum way way)
{
    memset(&shop, 0, sizeof shop);
    shop.port = new_port(places);
    shop.other = new_port(1);
    shop.event = manual_event();
    gate_make(&shop.gate, way);
    for (int i = 0; i < crew; i++)
        hire();
    return shop.port && shop.other && shop.event;
}

static void join_all(void)
{
    for (int i = 0; i < shop.size; i++)
        JOIN(shop.crew[i].thread);
    CloseHandle(shop.other);
    CloseHandle(shop.event);
    gate_free(&shop.gate);
}

static void post(ULONG_PTR key) { CHECK(PostQueuedCompletionStatus(shop.port, 0, key, NULL)); }

static void close_shop(void)
{
    InterlockedExchange(&shop.closing, 1);
    if (!READ(shop.gate.open))
        gate_open(&shop.gate, shop.size);
    for (int i = 0; i < shop.size; i++)
        post(STOP);
    join_all();
    CloseHandle(shop.port);
}

static void order(struct worker *w, enum order what) { InterlockedExchange(&w->order, (LONG)what); }

static LONG delivered(void)
{
    LONG n = 0;
    for (int i = 0; i < shop.size; i++)
        n += READ(shop.crew[i].packets);
    return n;
}

static int spinning(void)
{
    int n = 0;
    for (int i = 0; i < shop.size; i++)
        n += READ(shop.crew[i].spins);
    return n;
}

#define CHECK_STAYS(N)                                                                               \
    CHECK_MSG(STAYS(A_WHILE, delivered() == (N)), "%d delivered, not %d", (int)delivered(), (int)(N))

/* ---- it is noticed ---- */

/* Two places, eight workers, and all of them come to be blocked: each in its turn gives its place away. */
static int all_get_to_block(enum way way)
{
    enum { CREW = 8, PLACES = 2 };
    int good = CHECK(open_shop(PLACES, CREW, way));
    for (int i = 0; i < CREW; i++)
        post(BLOCK);
    good &= CHECK_MSG(WITHIN(PATIENCE, READ(shop.blocked) == CREW), "%d of %d in %s",
                      (int)READ(shop.blocked), CREW, way_names[way]);
    gate_open(&shop.gate, CREW);
    good &= CHECK(WITHIN(PATIENCE, READ(shop.done) == CREW));
    good &= CHECK_MSG(READ(shop.most) <= PLACES, "%d ran at a port for %d, without those blocked",
                      (int)READ(shop.most), PLACES);
    close_shop();
    return good;
}

TEST_W8(the_queue_drains_though_workers_block, "PORT-18 PORT-16", WINE_WHY)
{
    for (int way = 0; way < WAYS; way++)
        if (!all_get_to_block((enum way)way))
            break;
}

/* Blocked workers give way to those that compute, of which never more than two run. */
TEST_W8(blocking_and_computing, "PORT-18 PORT-16", WINE_WHY)
{
    enum { CREW = 8, PLACES = 2, BLOCKED = 4, ITEMS = 60 };
    REQUIRE(open_shop(PLACES, CREW, BY_READ));
    for (int i = 0; i < BLOCKED; i++)
        post(BLOCK);
    for (int i = 0; i < ITEMS; i++)
        post(GRIND);
    CHECK_MSG(WITHIN(PATIENCE, READ(shop.done) == ITEMS), "%d of %d done", (int)READ(shop.done), ITEMS);
    CHECK_EQ(READ(shop.blocked), BLOCKED);
    gate_open(&shop.gate, BLOCKED);
    CHECK(WITHIN(PATIENCE, READ(shop.done) == ITEMS + BLOCKED));
    CHECK_MSG(READ(shop.most) <= PLACES, "%d ran at a port for %d", (int)READ(shop.most), PLACES);
    close_shop();
}

/* Who computes is not taken for blocked, however long the others wait and however busy the machine is. */
TEST_W8(computing_keeps_the_place, "PORT-16", WINE_WHY)
{
    enum { CREW = 8, PLACES = 2, ITEMS = 60 };
    REQUIRE(open_shop(PLACES, CREW, BY_READ));
    for (int i = 0; i < ITEMS; i++)
        post(GRIND);
    CHECK_MSG(WITHIN(PATIENCE, READ(shop.done) == ITEMS), "%d of %d done", (int)READ(shop.done), ITEMS);
    CHECK_MSG(READ(shop.most) <= PLACES, "%d ran at a port for %d", (int)READ(shop.most), PLACES);
    close_shop();
}

/* A packet of I/O: nobody leads while all places are held, and the one that is free again makes a leader. */
TEST_W8(blocked_worker_and_a_receive, "PORT-18", WINE_WHY)
{
    SOCKET pair[2] = {INVALID_SOCKET, INVALID_SOCKET};
    OVERLAPPED ov = {0};
    char byte = 0;
    REQUIRE(open_shop(1, 0, BY_READ));
    REQUIRE(tcp_pair(pair) && bind_port(shop.port, pair[0], GRIND));
    CHECK_EQ(start_recv(pair[0], &byte, 1, &ov), WSA_IO_PENDING);
    hire();
    hire();
    post(BLOCK);
    CHECK(WITHIN(PATIENCE, READ(shop.blocked) == 1));
    CHECK(send_all(pair[1], "x", 1));
    CHECK(WITHIN(PATIENCE, READ(shop.done) == 1));
    CHECK_EQ(READ(shop.passed), 0);
    gate_open(&shop.gate, 1);
    CHECK(WITHIN(PATIENCE, READ(shop.done) == 2));
    close_shop();
    close_pair(pair);
}

/* ---- it runs again ---- */

/* One place. A blocks, so that B runs; then A runs again, one too many. */
static int two_run(enum way way, struct worker **a, struct worker **b)
{
    int good = CHECK(open_shop(1, 1, way));
    *a = &shop.crew[0];
    post(BLOCK_AND_SPIN);
    good &= CHECK(WITHIN(PATIENCE, READ(shop.blocked) == 1));
    *b = hire();
    post(SPIN);
    good &= CHECK(WITHIN(PATIENCE, READ((*b)->spins)));
    gate_open(&shop.gate, 1);
    return good & CHECK(WITHIN(PATIENCE, spinning() == 2));
}

static void running_again_counts(enum way way)
{
    struct worker *a, *b, *c;
    if (two_run(way, &a, &b)) {
        c = hire();
        post(SPIN);
        CHECK_STAYS(2);
        order(b, NEXT); /* one of the two still runs, which is the limit: nobody gets the packet */
        until_waiting(b);
        CHECK_STAYS(2);
        CHECK_EQ(READ(c->packets), 0);
        order(a, NEXT); /* the other comes back: it takes the packet itself */
        CHECK(WITHIN(PATIENCE, READ(a->packets) == 2 && READ(a->spins)));
        CHECK_EQ(READ(b->packets) + READ(c->packets), 1);
        order(a, NEXT);
        until_waiting(a);
    }
    close_shop();
}

TEST_W8(who_runs_again_is_counted, "PORT-19 PORT-20", WINE_WHY)
{
    for (int way = 0; way < WAYS; way++)
        running_again_counts((enum way)way);
}

/* Whatever A does next, there is one place afterwards, no more and no less. */
static void one_place_is_left(enum order what)
{
    struct worker *a, *b;
    if (two_run(BY_LOCK, &a, &b)) {
        order(a, what);
        if (what == WAIT_INSIDE) {
            CHECK(WITHIN(PATIENCE, !READ(a->spins)));
            until_asleep((DWORD)READ(a->id));
            SetEvent(shop.event);
        }
        if (what == WAIT_INSIDE || what == OTHER_PORT)
            CHECK(WITHIN(PATIENCE, READ(a->spins)));
        hire();
        hire();
        order(b, NEXT);
        if (what == WAIT_INSIDE) { /* A runs for this port: it has to come back before anybody goes */
            until_waiting(b);
            post(SPIN);
            CHECK_STAYS(2);
            order(a, NEXT);
        } else {
            until_waiting(b);
            post(SPIN);
        }
        post(SPIN);
        CHECK(WITHIN(PATIENCE, delivered() == 3));
        CHECK_STAYS(3);
        if (what == OTHER_PORT)
            order(a, LEAVE);
        for (int i = 1; i < shop.size; i++)
            order(&shop.crew[i], NEXT);
        if (what == WAIT_INSIDE)
            order(a, NEXT);
        CHECK(WITHIN(PATIENCE, delivered() == 4));
    }
    for (int i = 0; i < shop.size; i++)
        order(&shop.crew[i], NEXT);
    close_shop();
}

TEST_W8(places_are_counted_once, "PORT-18 PORT-19 PORT-21", WINE_WHY)
{
    one_place_is_left(NEXT);
    one_place_is_left(LEAVE);
    one_place_is_left(WAIT_INSIDE);
    one_place_is_left(OTHER_PORT);
}

/* The port is closed while workers are blocked and others wait for their places. */
TEST_W8(closed_while_blocked, "PORT-23 PORT-18", WINE_WHY)
{
    for (int round = 0; round < (conform_wine ? 1 : 20); round++) {
        REQUIRE(open_shop(1, 3, BY_READ));
        post(BLOCK);
        post(BLOCK);
        CHECK(WITHIN(PATIENCE, READ(shop.blocked) >= 1));
        Sleep(rnd(6)); /* before, while or after the first is found */
        InterlockedExchange(&shop.closing, 1);
        CHECK(CloseHandle(shop.port));
        gate_open(&shop.gate, 3);
        join_all();
    }
}
