/* SPDX-License-Identifier: MIT */
/*
 * How many threads a port lets run, which one, and when the next. The workers here do what they are told:
 * a released one spins (it runs, in the port's eyes) until it gets an order. Nothing is timed but "does not
 * happen", and a worker counts as waiting only when it is known to sleep.
 */
#include "conform.h"
#include "packet.h"

/* How long a thing may take that Wine mostly does not do at all. */
#define PATIENCE (conform_wine ? 300 : SOON)
#define WINE_WHY "Wine 8 does not limit or order the threads of a port"

enum state { STARTING, WAITING, RUNNING, BLOCKED, ENDED };
enum order {
    SPIN,
    NEXT,        /* back to the port */
    LEAVE,       /* end the thread */
    OTHER_PORT,  /* wait at the other port */
    OTHER_POLL,  /* ask the other port without waiting, then spin */
    BLOCK_EVENT, /* from here on: block until `open`, then spin */
    BLOCK_MANY,
    BLOCK_SLEEP,
    BLOCK_SLEEP_ALERTABLE,
    BLOCK_SECTION,
    BLOCK_SRW,
    BLOCK_CONDITION,
    BLOCK_ADDRESS,
    BLOCK_RECV,
    BLOCK_SELECT,
    BLOCK_READ_FILE,
    BLOCK_RESULT,
    BLOCK_LAST
};

static const char *const order_names[BLOCK_LAST] = {
    [BLOCK_EVENT] = "WaitForSingleObject",
    [BLOCK_MANY] = "WaitForMultipleObjects",
    [BLOCK_SLEEP] = "Sleep",
    [BLOCK_SLEEP_ALERTABLE] = "SleepEx",
    [BLOCK_SECTION] = "EnterCriticalSection",
    [BLOCK_SRW] = "AcquireSRWLockExclusive",
    [BLOCK_CONDITION] = "SleepConditionVariableCS",
    [BLOCK_ADDRESS] = "WaitOnAddress",
    [BLOCK_RECV] = "recv",
    [BLOCK_SELECT] = "select",
    [BLOCK_READ_FILE] = "ReadFile",
    [BLOCK_RESULT] = "GetOverlappedResult",
};

/* What a blocked worker waits for, made and released by the test. */
struct gate {
    HANDLE events[2];
    volatile LONG open;
    CRITICAL_SECTION section, inner;
    SRWLOCK srw;
    CONDITION_VARIABLE condition;
    SOCKET pair[2];
};

struct worker {
    HANDLE thread, port, other;
    struct gate *gate;
    volatile LONG id, state, order, quit;
    volatile LONG packets, last_key, turn, other_packets, resumed;
};

enum { WORKERS_MAX = 80 };
static struct worker crew[WORKERS_MAX];
static int crew_size;
static volatile LONG turns;

static void block(struct worker *w, enum order how)
{
    struct gate *g = w->gate;
    OVERLAPPED ov = {0};
    DWORD bytes = 0;
    LONG closed = 0;
    char buffer[1];
    switch (how) {
    case BLOCK_EVENT: CHECK_EQ(WaitForSingleObject(g->events[0], 10000), WAIT_OBJECT_0); break;
    case BLOCK_MANY: CHECK_EQ(WaitForMultipleObjects(2, g->events, TRUE, 10000), WAIT_OBJECT_0); break;
    case BLOCK_SLEEP:
        while (!READ(g->open))
            Sleep(20);
        break;
    case BLOCK_SLEEP_ALERTABLE: CHECK_EQ(SleepEx(10000, TRUE), WAIT_IO_COMPLETION); break;
    case BLOCK_SECTION:
        EnterCriticalSection(&g->section);
        LeaveCriticalSection(&g->section);
        break;
    case BLOCK_SRW:
        AcquireSRWLockExclusive(&g->srw);
        ReleaseSRWLockExclusive(&g->srw);
        break;
    case BLOCK_CONDITION:
        EnterCriticalSection(&g->inner);
        while (!READ(g->open))
            CHECK(SleepConditionVariableCS(&g->condition, &g->inner, 10000));
        LeaveCriticalSection(&g->inner);
        break;
    case BLOCK_ADDRESS:
        while (!READ(g->open))
            CHECK(WaitOnAddress(&g->open, &closed, sizeof closed, 10000));
        break;
    case BLOCK_RECV: CHECK_EQ(recv(g->pair[0], buffer, 1, 0), 1); break;
    case BLOCK_SELECT: {
        fd_set set = {.fd_count = 1, .fd_array = {g->pair[0]}};
        struct timeval limit = {.tv_sec = 10};
        CHECK_EQ(select(0, &set, NULL, NULL, &limit), 1);
        break;
    }
    case BLOCK_READ_FILE:
        CHECK(ReadFile((HANDLE)g->pair[0], buffer, 1, &bytes, NULL));
        break;
    case BLOCK_RESULT:
        CHECK_EQ(start_recv(g->pair[0], buffer, 1, &ov), WSA_IO_PENDING);
        CHECK(GetOverlappedResult((HANDLE)g->pair[0], &ov, &bytes, TRUE));
        break;
    default: FAIL("an order that blocks in no way");
    }
}

static void CALLBACK nothing(ULONG_PTR value) { (void)value; }

static void gate_make(struct gate *g, enum order how)
{
    memset(g, 0, sizeof *g);
    g->events[0] = manual_event();
    g->events[1] = manual_event();
    InitializeCriticalSection(&g->section);
    InitializeCriticalSection(&g->inner);
    InitializeSRWLock(&g->srw);
    InitializeConditionVariable(&g->condition);
    tcp_pair(g->pair);
    if (how == BLOCK_READ_FILE) { /* a synchronous handle: a socket that is not overlapped */
        struct sockaddr_in address;
        SOCKET listener = tcp_listener(&address);
        close_pair(g->pair);
        g->pair[0] = WSASocketA(AF_INET, SOCK_STREAM, 0, NULL, 0, 0);
        CHECK_EQ(connect(g->pair[0], (struct sockaddr *)&address, sizeof address), 0);
        g->pair[1] = accept(listener, NULL, NULL);
        closesocket(listener);
    }
    if (how == BLOCK_SECTION)
        EnterCriticalSection(&g->section);
    if (how == BLOCK_SRW)
        AcquireSRWLockExclusive(&g->srw);
}

static void gate_open(struct gate *g, enum order how, HANDLE thread)
{
    EnterCriticalSection(&g->inner);
    InterlockedExchange(&g->open, 1);
    LeaveCriticalSection(&g->inner);
    SetEvent(g->events[0]);
    SetEvent(g->events[1]);
    WakeAllConditionVariable(&g->condition);
    WakeByAddressAll((void *)&g->open);
    send_all(g->pair[1], "x", 1);
    if (how == BLOCK_SLEEP_ALERTABLE)
        CHECK(QueueUserAPC(nothing, thread, 0));
    if (how == BLOCK_SECTION)
        LeaveCriticalSection(&g->section);
    if (how == BLOCK_SRW)
        ReleaseSRWLockExclusive(&g->srw);
}

static void gate_free(struct gate *g)
{
    CloseHandle(g->events[0]);
    CloseHandle(g->events[1]);
    DeleteCriticalSection(&g->section);
    DeleteCriticalSection(&g->inner);
    close_pair(g->pair);
}

/* Runs, in the port's eyes, until there is an order. */
static enum order spin(struct worker *w)
{
    LONG order;
    InterlockedExchange(&w->state, RUNNING);
    while ((order = InterlockedExchange(&w->order, SPIN)) == SPIN && !READ(w->quit))
        SwitchToThread();
    return READ(w->quit) ? LEAVE : (enum order)order;
}

/* Carries out one order; false: end the thread. */
static int obey(struct worker *w, enum order order)
{
    struct got g;
    switch (order) {
    case LEAVE: return 0;
    case OTHER_PORT:
        InterlockedExchange(&w->state, BLOCKED);
        g = get_packet(w->other, 10000);
        CHECK(g.ok);
        InterlockedIncrement(&w->other_packets);
        return obey(w, spin(w));
    case OTHER_POLL:
        g = get_packet(w->other, 0);
        CHECK_EQ(g.error, WAIT_TIMEOUT);
        InterlockedIncrement(&w->resumed);
        return obey(w, spin(w));
    case SPIN:
    case NEXT: return 1;
    default:
        InterlockedExchange(&w->state, BLOCKED);
        block(w, order);
        InterlockedIncrement(&w->resumed);
        return obey(w, spin(w));
    }
}

THREAD_FN(work)
{
    struct worker *w = arg;
    InterlockedExchange(&w->id, (LONG)GetCurrentThreadId());
    do {
        InterlockedExchange(&w->state, WAITING);
        struct got g = get_packet(w->port, conform_wine ? 15000 : INFINITE);
        if (!CHECK_MSG(g.ok, "a worker's dequeue fails with %u", (unsigned)g.error) || READ(w->quit))
            break;
        InterlockedExchange(&w->last_key, (LONG)g.key);
        InterlockedExchange(&w->turn, InterlockedIncrement(&turns));
        InterlockedIncrement(&w->packets);
    } while (obey(w, spin(w)));
    InterlockedExchange(&w->state, ENDED);
    return 0;
}

/* One more worker, asleep in the port on return. */
static struct worker *hire(HANDLE port)
{
    if (!crew_size)
        memset(crew, 0, sizeof crew);
    struct worker *w = &crew[crew_size++];
    w->port = port;
    w->thread = start_thread(work, w);
    CHECK(WITHIN(PATIENCE, READ(w->state) == WAITING));
    until_asleep((DWORD)READ(w->id));
    return w;
}

/* Everybody goes home; the port is closed. */
static void dismiss(HANDLE port)
{
    for (int i = 0; i < crew_size; i++)
        InterlockedExchange(&crew[i].quit, 1);
    for (int i = 0; i < crew_size; i++)
        PostQueuedCompletionStatus(port, 0, 0, NULL);
    for (int i = 0; i < crew_size; i++)
        JOIN(crew[i].thread);
    crew_size = 0;
    CloseHandle(port);
}

static void order(struct worker *w, enum order what) { InterlockedExchange(&w->order, (LONG)what); }

static void post(HANDLE port, ULONG_PTR key) { CHECK(PostQueuedCompletionStatus(port, 0, key, NULL)); }

static int running(void)
{
    int n = 0;
    for (int i = 0; i < crew_size; i++)
        n += READ(crew[i].state) == RUNNING;
    return n;
}

static LONG delivered(void)
{
    LONG n = 0;
    for (int i = 0; i < crew_size; i++)
        n += READ(crew[i].packets);
    return n;
}

static int runs_with(struct worker *w, LONG packets, LONG key)
{
    return READ(w->state) == RUNNING && READ(w->packets) == packets && READ(w->last_key) == key;
}

/* The worker comes to run with its n-th packet, which has this key. */
#define CHECK_RUNS(W, PACKETS, KEY)                                                                  \
    CHECK_MSG(WITHIN(PATIENCE, runs_with((W), (PACKETS), (KEY))),                                    \
              "%s: state %d, %d packets, the last with key %d; expected packet %d with key %d", #W,  \
              (int)READ((W)->state), (int)READ((W)->packets), (int)READ((W)->last_key),              \
              (int)(PACKETS), (int)(KEY))

/* For a while the number of packets delivered stays at N. */
#define CHECK_STAYS(N)                                                                               \
    CHECK_MSG(STAYS(A_WHILE, delivered() == (N)), "%d delivered, not %d", (int)delivered(), (int)(N))

/* Orders a running worker back to the port and sees it asleep there. */
static void send_back(struct worker *w)
{
    order(w, NEXT);
    CHECK(WITHIN(PATIENCE, READ(w->state) == WAITING));
    until_asleep((DWORD)READ(w->id));
}

/* ---- which thread ---- */

TEST_W8(last_waiter_goes_first, "PORT-15", WINE_WHY)
{
    enum { CREW = 6, ROUNDS = 3 };
    HANDLE port = new_port(CREW);
    struct worker *by_age[CREW];
    REQUIRE(port != NULL);
    for (int i = 0; i < CREW; i++)
        by_age[i] = hire(port);
    for (int round = 0; round < ROUNDS; round++) {
        LONG before = READ(turns);
        for (int i = 0; i < CREW; i++) { /* the youngest waiter first */
            post(port, (ULONG_PTR)i + 1);
            if (!CHECK_RUNS(by_age[CREW - 1 - i], round + 1, i + 1))
                goto done;
            CHECK_EQ(READ(by_age[CREW - 1 - i]->turn), before + i + 1);
        }
        for (int i = CREW - 1; i > 0; i--) { /* another order of coming back */
            int j = (int)rnd((unsigned)i + 1);
            struct worker *w = by_age[i];
            by_age[i] = by_age[j];
            by_age[j] = w;
        }
        for (int i = 0; i < CREW; i++)
            send_back(by_age[i]);
    }
done:
    dismiss(port);
}

/* A single packet at a time always wakes the same thread: the others stay cold. */
TEST_W8(one_hot_worker, "PORT-15", WINE_WHY)
{
    enum { CREW = 3, PACKETS = 50 };
    HANDLE port = new_port(CREW);
    REQUIRE(port != NULL);
    for (int i = 0; i < CREW; i++)
        hire(port);
    struct worker *hot = &crew[CREW - 1];
    for (int i = 1; i <= PACKETS; i++) {
        post(port, (ULONG_PTR)i);
        if (!CHECK_RUNS(hot, i, i))
            break;
        send_back(hot);
    }
    CHECK_EQ(READ(crew[0].packets) + READ(crew[1].packets), 0);
    dismiss(port);
}

/* ---- how many ---- */

static void limit_is(HANDLE port, int limit, int hands)
{
    for (int i = 0; i < hands; i++)
        hire(port);
    for (int i = 0; i < hands; i++)
        post(port, (ULONG_PTR)i + 1);
    CHECK_MSG(WITHIN(PATIENCE, running() == limit), "%d run, expected %d", running(), limit);
    CHECK_STAYS(limit);
    CHECK_EQ(running(), limit);
    /* One ends its work, and the packet that is next goes to a thread that may run. */
    for (int i = 0; i < hands; i++)
        if (READ(crew[i].state) == RUNNING) {
            order(&crew[i], NEXT);
            break;
        }
    CHECK(WITHIN(PATIENCE, delivered() == limit + 1));
    CHECK_STAYS(limit + 1);
    CHECK_EQ(running(), limit);
    dismiss(port);
}

TEST_W8(at_most_n_run, "PORT-16", WINE_WHY)
{
    for (int limit = 1; limit <= 3; limit++) {
        HANDLE port = new_port((DWORD)limit);
        REQUIRE(port != NULL);
        limit_is(port, limit, limit + 3);
    }
}

/* A limit above the number of threads lets them all run. */
TEST(all_run_below_the_limit, "PORT-16")
{
    enum { CREW = 4 };
    HANDLE port = new_port(CREW);
    REQUIRE(port != NULL);
    for (int i = 0; i < CREW; i++)
        hire(port);
    for (int i = 0; i < CREW; i++)
        post(port, (ULONG_PTR)i + 1);
    CHECK_MSG(WITHIN(PATIENCE, running() == CREW), "%d run", running());
    dismiss(port);
}

TEST_W8(io_packets_obey_the_limit, "PORT-16 PORT-15", WINE_WHY)
{
    enum { PAIRS = 3 };
    static OVERLAPPED ovs[PAIRS];
    static char buffers[PAIRS];
    SOCKET pairs[PAIRS][2];
    HANDLE port = new_port(1);
    REQUIRE(port != NULL);
    memset(ovs, 0, sizeof ovs);
    for (int i = 0; i < PAIRS; i++) {
        REQUIRE(tcp_pair(pairs[i]) && bind_port(port, pairs[i][0], (ULONG_PTR)i + 1));
        CHECK_EQ(start_recv(pairs[i][0], &buffers[i], 1, &ovs[i]), WSA_IO_PENDING);
    }
    for (int i = 0; i < PAIRS; i++)
        hire(port);
    for (int i = 0; i < PAIRS; i++)
        CHECK(send_all(pairs[i][1], "x", 1));
    CHECK(WITHIN(PATIENCE, running() == 1));
    CHECK_STAYS(1);
    CHECK_EQ(running(), 1);
    /* They complete all the same, though no thread may take them. */
    for (int i = 0; i < PAIRS; i++)
        CHECK(WITHIN(PATIENCE, HasOverlappedIoCompleted(&ovs[i])));
    for (int n = 2; n <= PAIRS; n++) {
        for (int i = 0; i < PAIRS; i++)
            if (READ(crew[i].state) == RUNNING)
                order(&crew[i], NEXT);
        CHECK(WITHIN(PATIENCE, delivered() == n && running() == 1));
        CHECK_STAYS(n);
    }
    dismiss(port);
    for (int i = 0; i < PAIRS; i++)
        close_pair(pairs[i]);
}

TEST_W8(zero_means_processors, "PORT-17", WINE_WHY)
{
    SYSTEM_INFO info;
    GetSystemInfo(&info);
    if (info.dwNumberOfProcessors > WORKERS_MAX - 2)
        SKIP("too many processors for this test");
    HANDLE port = new_port(0);
    REQUIRE(port != NULL);
    limit_is(port, (int)info.dwNumberOfProcessors, (int)info.dwNumberOfProcessors + 2);
}

TEST_W8(associating_keeps_the_limit, "PORT-22", WINE_WHY)
{
    SOCKET pair[2];
    HANDLE port = new_port(1);
    REQUIRE(port && tcp_pair(pair));
    CHECK(CreateIoCompletionPort((HANDLE)pair[0], port, 1, 8) == port);
    CHECK(CreateIoCompletionPort((HANDLE)pair[1], port, 1, 0) == port);
    limit_is(port, 1, 3);
    close_pair(pair);
}

/* ---- a thread that blocks ---- */

/* Two workers at a port for one: the first runs, the second waits, a packet is queued. */
static void one_runs_one_waits(HANDLE port, struct worker **a, struct worker **b)
{
    *a = hire(port);
    post(port, 1);
    CHECK_RUNS(*a, 1, 1);
    *b = hire(port);
    post(port, 2);
}

static int blocking_lets_the_next_run(enum order how)
{
    struct gate gate;
    struct worker *a, *b;
    HANDLE port = new_port(1);
    int good;
    one_runs_one_waits(port, &a, &b);
    gate_make(&gate, how);
    a->gate = &gate;
    good = CHECK_STAYS(1);
    order(a, how);
    good &= CHECK_RUNS(b, 1, 2);
    good &= CHECK_EQ(READ(a->state), BLOCKED);
    gate_open(&gate, how, a->thread);
    good &= CHECK(WITHIN(PATIENCE, READ(a->resumed) == 1));
    dismiss(port);
    gate_free(&gate);
    if (!good)
        FAIL("a worker in %s", order_names[how]);
    return good;
}

TEST_W8(waiting_gives_the_place_away, "PORT-18", WINE_WHY)
{
    for (int how = BLOCK_EVENT; how <= BLOCK_SLEEP_ALERTABLE; how++)
        if (!blocking_lets_the_next_run(how))
            break;
}

TEST_W8(locking_gives_the_place_away, "PORT-18", WINE_WHY)
{
    for (int how = BLOCK_SECTION; how <= BLOCK_ADDRESS; how++)
        if (!blocking_lets_the_next_run(how))
            break;
}

TEST_W8(synchronous_io_gives_the_place_away, "PORT-18", WINE_WHY)
{
    for (int how = BLOCK_RECV; how < BLOCK_LAST; how++)
        if (!blocking_lets_the_next_run(how))
            break;
}

/* The place is given away when there is a packet, also one that comes during the block. */
TEST_W8(packet_during_a_block, "PORT-18", WINE_WHY)
{
    struct gate gate;
    HANDLE port = new_port(1);
    REQUIRE(port != NULL);
    struct worker *a = hire(port);
    post(port, 1);
    CHECK_RUNS(a, 1, 1);
    struct worker *b = hire(port);
    gate_make(&gate, BLOCK_EVENT);
    a->gate = &gate;
    order(a, BLOCK_EVENT);
    CHECK(WITHIN(PATIENCE, READ(a->state) == BLOCKED));
    until_asleep((DWORD)READ(a->id));
    CHECK_EQ(READ(b->packets), 0);
    post(port, 2);
    CHECK_RUNS(b, 1, 2);
    CHECK_EQ(READ(a->state), BLOCKED);
    gate_open(&gate, BLOCK_EVENT, a->thread);
    CHECK(WITHIN(PATIENCE, READ(a->resumed) == 1));
    dismiss(port);
    gate_free(&gate);
}

TEST_W8(resuming_may_exceed_the_limit, "PORT-19 PORT-20", WINE_WHY)
{
    struct gate gate;
    struct worker *a, *b;
    HANDLE port = new_port(1);
    REQUIRE(port != NULL);
    one_runs_one_waits(port, &a, &b);
    gate_make(&gate, BLOCK_EVENT);
    a->gate = &gate;
    order(a, BLOCK_EVENT);
    CHECK_RUNS(b, 1, 2);
    gate_open(&gate, BLOCK_EVENT, a->thread);
    CHECK(WITHIN(PATIENCE, READ(a->resumed) == 1 && READ(a->state) == RUNNING)); /* two run */
    CHECK_EQ(READ(b->state), RUNNING);

    struct worker *c = hire(port);
    post(port, 3);
    CHECK_STAYS(2);
    /* One of the two comes back: one still runs, which is the limit. Nobody gets the packet. */
    send_back(b);
    CHECK_STAYS(2);
    CHECK_EQ(READ(b->state), WAITING);
    CHECK_EQ(READ(c->state), WAITING);
    /* The other comes back: it takes the packet itself. */
    order(a, NEXT);
    CHECK_RUNS(a, 2, 3);
    CHECK_EQ(READ(b->packets) + READ(c->packets), 1);
    dismiss(port);
    gate_free(&gate);
}

TEST_W8(running_thread_takes_the_oldest, "PORT-20 PORT-11", WINE_WHY)
{
    enum { PACKETS = 20 };
    HANDLE port = new_port(1);
    REQUIRE(port != NULL);
    struct worker *a = hire(port);
    post(port, 1);
    CHECK_RUNS(a, 1, 1);
    struct worker *b = hire(port), *c = hire(port);
    for (int i = 2; i <= PACKETS; i++)
        post(port, (ULONG_PTR)i);
    for (int i = 2; i <= PACKETS; i++) {
        order(a, NEXT);
        if (!CHECK_RUNS(a, i, i))
            break;
    }
    CHECK_EQ(READ(b->packets) + READ(c->packets), 0);
    CHECK_EQ(READ(b->state), WAITING);
    CHECK_EQ(READ(c->state), WAITING);
    dismiss(port);
}

/* ---- a thread that goes elsewhere ---- */

TEST_W8(another_port_frees_the_place, "PORT-21", WINE_WHY)
{
    struct worker *a, *b;
    HANDLE port = new_port(1), other = new_port(1);
    REQUIRE(port && other);
    one_runs_one_waits(port, &a, &b);
    CHECK_STAYS(1);
    a->other = other;
    order(a, OTHER_PORT);
    CHECK_RUNS(b, 1, 2);
    CHECK_EQ(READ(a->state), BLOCKED);

    /* Back from there it runs for the other port: the first one's limit does not see it. */
    CHECK(PostQueuedCompletionStatus(other, 0, 1, NULL));
    CHECK(WITHIN(PATIENCE, READ(a->other_packets) == 1 && READ(a->state) == RUNNING));
    struct worker *c = hire(port);
    post(port, 3);
    CHECK_STAYS(2);
    order(b, NEXT);
    CHECK_RUNS(b, 2, 3);
    CHECK_EQ(READ(c->packets), 0);
    dismiss(port);
    CloseHandle(other);
}

TEST_W8(polling_another_port_frees_the_place, "PORT-21", WINE_WHY)
{
    struct worker *a, *b;
    HANDLE port = new_port(1), other = new_port(1);
    REQUIRE(port && other);
    one_runs_one_waits(port, &a, &b);
    CHECK_STAYS(1);
    a->other = other;
    order(a, OTHER_POLL);
    CHECK_RUNS(b, 1, 2);
    CHECK(WITHIN(PATIENCE, READ(a->resumed) == 1 && READ(a->state) == RUNNING));
    dismiss(port);
    CloseHandle(other);
}

TEST_W8(exit_frees_the_place, "PORT-21", WINE_WHY)
{
    struct worker *a, *b;
    HANDLE port = new_port(1);
    REQUIRE(port != NULL);
    one_runs_one_waits(port, &a, &b);
    CHECK_STAYS(1);
    order(a, LEAVE);
    CHECK_RUNS(b, 1, 2);
    CHECK_EQ(READ(a->packets), 1);
    dismiss(port);
}

/* ---- many packets, few places ---- */

static struct {
    HANDLE port;
    volatile LONG running, most, done;
} mill;

THREAD_FN(grind)
{
    for (;;) {
        struct got g = get_packet(mill.port, 10000);
        if (!CHECK(g.ok) || g.key == 2)
            return 0;
        LONG n = InterlockedIncrement(&mill.running), most;
        while (n > (most = READ(mill.most)) && InterlockedCompareExchange(&mill.most, n, most) != most)
            continue;
        SwitchToThread();
        InterlockedDecrement(&mill.running);
        InterlockedIncrement(&mill.done);
    }
}

/* Threads that never block: the number at work is never above the limit, at any moment. */
TEST_W8(limit_holds_under_load, "PORT-16 PORT-12", WINE_WHY)
{
    enum { CREW = 6, PACKETS = 5000 };
    HANDLE threads[CREW];
    for (LONG limit = 1; limit <= 2; limit++) {
        memset(&mill, 0, sizeof mill);
        mill.port = new_port((DWORD)limit);
        REQUIRE(mill.port != NULL);
        for (int i = 0; i < CREW; i++)
            threads[i] = start_thread(grind, NULL);
        double until = now_ms() + 1200;
        LONG posted = 0;
        while (posted < PACKETS && now_ms() < until) {
            if (posted - READ(mill.done) < 64) { /* a slow machine must not be left with a long queue */
                post(mill.port, 1);
                posted++;
            } else {
                SwitchToThread();
            }
        }
        CHECK(WITHIN(PATIENCE, READ(mill.done) == posted));
        for (int i = 0; i < CREW; i++)
            post(mill.port, 2);
        for (int i = 0; i < CREW; i++)
            JOIN(threads[i]);
        CHECK_MSG(mill.most >= 1 && mill.most <= limit, "%d ran at a port for %d", (int)mill.most,
                  (int)limit);
        CloseHandle(mill.port);
    }
}
