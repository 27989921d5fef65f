/* SPDX-License-Identifier: MIT */
/*
 * A timer queue that is deleted while two threads make timers in it, change and delete them. On Windows a
 * program must not use the handle of a deleted queue; here it is refused. Every call works or fails with an
 * error that is documented, whichever is first, and when DeleteTimerQueueEx has waited, no timer of the queue
 * calls any more: not one that was being made at that moment either.
 */
#include "stress.h"

#include <stdbool.h>

enum { MAKERS = 2, TIMERS = 40 };

struct round {
    _Atomic bool over; /* the queue is deleted, and no callback runs */
    _Atomic uint32_t calls;
};

static struct stress_meeting meeting = {.need = MAKERS + 1};
static HANDLE queue;
static struct round *now;
static _Atomic bool stop;
static _Atomic uint64_t made, refused, deleted;

static void CALLBACK on_timer(PVOID context, BOOLEAN fired)
{
    struct round *r = context;

    MUST(fired);
    MUST(!atomic_load(&r->over));
    atomic_fetch_add(&r->calls, 1);
}

/* True: the queue is still there. */
static bool use(HANDLE timer, uint64_t *seed)
{
    BOOL ok;

    switch (stress_random(seed, 4)) {
    case 0:
        ok = DeleteTimerQueueTimer(queue, timer, NULL);
        if (!ok && GetLastError() == ERROR_IO_PENDING)
            ok = TRUE;
        atomic_fetch_add(&deleted, (uint64_t)ok);
        break;
    case 1:
        ok = DeleteTimerQueueTimer(queue, timer, INVALID_HANDLE_VALUE);
        atomic_fetch_add(&deleted, (uint64_t)ok);
        break;
    case 2:
        ok = ChangeTimerQueueTimer(queue, timer, stress_random(seed, 2), stress_random(seed, 2));
        break;
    default:
        return true;
    }
    MUST(ok || GetLastError() == ERROR_INVALID_HANDLE);
    return ok;
}

static void *make_timers(void *arg)
{
    uint64_t seed = stress_seed + 2 * (uint64_t)(uintptr_t)arg;

    for (;;) {
        stress_meet(&meeting);
        if (atomic_load(&stop))
            return arg;
        for (int i = 0; i < TIMERS; i++) {
            HANDLE timer;

            if (!CreateTimerQueueTimer(&timer, queue, on_timer, now, stress_random(&seed, 2),
                                       stress_random(&seed, 2), 0)) {
                MUST(GetLastError() == ERROR_INVALID_HANDLE);
                atomic_fetch_add(&refused, 1);
                break;
            }
            MUST(timer != NULL);
            atomic_fetch_add(&made, 1);
            if (!use(timer, &seed))
                break;
        }
        stress_meet(&meeting);
    }
}

int main(int argc, char **argv)
{
    pthread_t threads[MAKERS];
    struct round *rounds;
    uint64_t calls = 0, seed;

    stress_begin(argc, argv, 20000, 2000);
    seed = stress_seed;
    rounds = calloc(stress_count, sizeof *rounds); /* kept to the end, for a callback that comes too late */
    MUST(rounds);
    for (int i = 0; i < MAKERS; i++)
        threads[i] = stress_thread(make_timers, (void *)(uintptr_t)(i + 1));
    for (uint64_t n = 0; n < stress_count; n++) {
        now = &rounds[n];
        queue = CreateTimerQueue();
        MUST(queue);
        stress_meet(&meeting);
        for (uint32_t turn = stress_random(&seed, 2000); turn > 0; turn--)
            atomic_load(&now->calls); /* at some moment of theirs */
        MUST(DeleteTimerQueueEx(queue, INVALID_HANDLE_VALUE));
        atomic_store(&now->over, true);
        MUST(!DeleteTimerQueueEx(queue, NULL) && GetLastError() == ERROR_INVALID_HANDLE);
        stress_meet(&meeting);
    }
    atomic_store(&stop, true);
    stress_meet(&meeting);
    for (int i = 0; i < MAKERS; i++)
        pthread_join(threads[i], NULL);
    for (uint64_t n = 0; n < stress_count; n++)
        calls += atomic_load(&rounds[n].calls);
    printf("# made %llu, refused %llu, deleted %llu, called %llu times\n", (unsigned long long)made,
           (unsigned long long)refused, (unsigned long long)deleted, (unsigned long long)calls);
    free(rounds);
    stress_balanced();
    return 0;
}
