/* SPDX-License-Identifier: MIT */
/*
 * The least a unit test needs, without the library under it: TEST, CHECK, CHECK_EQ. One program
 * per file; it prints one verdict per test as the conformance programs do and exits with 1 if
 * anything failed.
 */
#ifndef UNIT_H
#define UNIT_H

#include <stdio.h>
#include <string.h>
#include <time.h>

struct unit_test {
    const char *name;
    void (*run)(void);
    struct unit_test *next;
};

static struct unit_test *unit_tests, **unit_last = &unit_tests;
static _Atomic int unit_failed; /* checks may stand on any thread */
static const char *unit_skipped;

#define TEST(NAME)                                                                                 \
    static void test_##NAME(void);                                                                 \
    static struct unit_test unit_##NAME = {#NAME, test_##NAME, NULL};                              \
    __attribute__((constructor)) static void unit_add_##NAME(void)                                 \
    {                                                                                              \
        *unit_last = &unit_##NAME;                                                                 \
        unit_last = &unit_##NAME.next;                                                             \
    }                                                                                              \
    static void test_##NAME(void)

static inline int unit_false(const char *file, int line, const char *what)
{
    unit_failed++;
    printf("  %s:%d: %s is false\n", file, line, what);
    return 0;
}

#define CHECK(COND) ((COND) ? 1 : unit_false(__FILE__, __LINE__, #COND))

static inline int unit_equal(const char *file, int line, const char *what, long long got,
                             long long want)
{
    if (got == want)
        return 1;
    unit_failed++;
    printf("  %s:%d: %s is %lld (0x%llx), expected %lld (0x%llx)\n", file, line, what, got,
           (unsigned long long)got, want, (unsigned long long)want);
    return 0;
}

#define CHECK_EQ(GOT, WANT)                                                                        \
    unit_equal(__FILE__, __LINE__, #GOT, (long long)(GOT), (long long)(WANT))
static inline int unit_same(const char *file, int line, const char *what, const char *got, const char *want)
{
    if (strcmp(got, want) == 0)
        return 1;
    unit_failed++;
    printf("  %s:%d: %s is \"%s\", expected \"%s\"\n", file, line, what, got, want);
    return 0;
}

#define CHECK_STR(GOT, WANT) unit_same(__FILE__, __LINE__, #GOT, (GOT), (WANT))

static inline long long unit_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* True as soon as COND is, false if it is not within MS milliseconds. For what nobody can wait for: it looks
 * again and again, and leaves the processor to the others between two looks. */
#define WITHIN(MS, COND)                                                                           \
    __extension__({                                                                                \
        long long unit_end_ = unit_ms() + (MS);                                                    \
        int unit_true_;                                                                            \
        while (!(unit_true_ = !!(COND)) && unit_ms() < unit_end_)                                  \
            nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);                                \
        unit_true_;                                                                                \
    })

/* What cannot be tried here says why, and is counted by the runner. */
#define SKIP(WHY)                                                                                  \
    do {                                                                                           \
        unit_skipped = (WHY);                                                                      \
        return;                                                                                    \
    } while (0)

int main(void)
{
    int failed = 0;

    for (struct unit_test *test = unit_tests; test; test = test->next) {
        unit_failed = 0;
        unit_skipped = NULL;
        test->run();
        if (unit_skipped && !unit_failed)
            printf("skip %s # %s\n", test->name, unit_skipped);
        else
            printf("%s %s\n", unit_failed ? "FAIL" : "ok", test->name);
        failed += unit_failed != 0;
    }
    return failed != 0;
}

#endif
