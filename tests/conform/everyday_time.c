/* SPDX-License-Identifier: MIT */
/* Calendar and clocks. */
#include "conform.h"

#include <mmsystem.h>
#include <realtimeapiset.h>

static ULONGLONG ticks(FILETIME t)
{
    return (ULONGLONG)t.dwHighDateTime << 32 | t.dwLowDateTime;
}

static FILETIME filetime(ULONGLONG t)
{
    FILETIME out = {(DWORD)t, (DWORD)(t >> 32)};
    return out;
}

TEST(calendar_of_known_days, "")
{
    static const struct {
        ULONGLONG ticks;
        SYSTEMTIME time;
    } known[] = {
        {0, {1601, 1, 1, 1, 0, 0, 0, 0}},
        {116444736000000000ull, {1970, 1, 4, 1, 0, 0, 0, 0}},
        {125963423990000000ull, {2000, 2, 2, 29, 23, 59, 59, 0}},
        {132223104001230000ull, {2020, 1, 3, 1, 0, 0, 0, 123}},
        {133540704000000000ull, {2024, 3, 2, 5, 0, 0, 0, 0}},
    };

    for (unsigned i = 0; i < sizeof known / sizeof known[0]; i++) {
        FILETIME t = filetime(known[i].ticks), back;
        SYSTEMTIME s;

        CHECK(FileTimeToSystemTime(&t, &s));
        CHECK_MSG(memcmp(&s, &known[i].time, sizeof s) == 0, "number %u is %u-%u-%u (%u) %u:%u:%u.%u", i,
                  s.wYear, s.wMonth, s.wDay, s.wDayOfWeek, s.wHour, s.wMinute, s.wSecond, s.wMilliseconds);
        CHECK(SystemTimeToFileTime(&s, &back));
        CHECK_EQ(ticks(back), known[i].ticks);
    }
}

TEST(calendar_there_and_back, "")
{
    /* Steps of a bit more than 97 days reach every day of the week, month and leap rule. */
    for (ULONGLONG t = 0; t < 9223372036854775807ull - 90000000000000ull; t += 83838383838383ull * 11) {
        FILETIME file = filetime(t - t % 10000), back;
        SYSTEMTIME s;

        REQUIRE(FileTimeToSystemTime(&file, &s));
        s.wDayOfWeek = 99; /* not looked at */
        REQUIRE(SystemTimeToFileTime(&s, &back));
        REQUIRE(ticks(back) == ticks(file));
    }
}

TEST(calendar_refuses, "")
{
    SYSTEMTIME good = {2023, 2, 0, 28, 23, 59, 59, 999}, bad;
    FILETIME t = filetime(0x8000000000000000ull);

    CHECK(SystemTimeToFileTime(&good, &t));
    bad = good, bad.wDay = 29;
    TODO_WINE("has 29 days in every February") {
        CHECK_ERR(SystemTimeToFileTime(&bad, &t), ERROR_INVALID_PARAMETER);
    }
    bad = good, bad.wMonth = 13;
    CHECK_ERR(SystemTimeToFileTime(&bad, &t), ERROR_INVALID_PARAMETER);
    bad = good, bad.wHour = 24;
    CHECK_ERR(SystemTimeToFileTime(&bad, &t), ERROR_INVALID_PARAMETER);
    bad = good, bad.wYear = 1600;
    CHECK_ERR(SystemTimeToFileTime(&bad, &t), ERROR_INVALID_PARAMETER);
    t = filetime(0x8000000000000000ull);
    CHECK_ERR(FileTimeToSystemTime(&t, &bad), ERROR_INVALID_PARAMETER);
}

TEST(times_compare, "")
{
    FILETIME early = {5, 1}, late = {4, 2};

    CHECK_EQ(CompareFileTime(&early, &late), -1);
    CHECK_EQ(CompareFileTime(&late, &early), 1);
    CHECK_EQ(CompareFileTime(&late, &late), 0);
}

TEST(now_agrees, "")
{
    FILETIME coarse, precise, converted;
    SYSTEMTIME now;

    GetSystemTimeAsFileTime(&coarse);
    GetSystemTimePreciseAsFileTime(&precise);
    GetSystemTime(&now);
    CHECK(SystemTimeToFileTime(&now, &converted));
    CHECK(ticks(precise) + 1000000 > ticks(coarse) && ticks(precise) < ticks(coarse) + 20000000);
    CHECK(ticks(converted) + 1000000 > ticks(coarse) && ticks(converted) < ticks(coarse) + 20000000);
}

TEST(local_time_and_back, "")
{
    FILETIME utc, local, back;
    SYSTEMTIME s, l, b;

    GetSystemTimeAsFileTime(&utc);
    CHECK(FileTimeToLocalFileTime(&utc, &local));
    CHECK(LocalFileTimeToFileTime(&local, &back));
    CHECK_EQ(ticks(back), ticks(utc));
    CHECK(FileTimeToSystemTime(&utc, &s));
    CHECK(SystemTimeToTzSpecificLocalTime(NULL, &s, &l));
    CHECK(TzSpecificLocalTimeToSystemTime(NULL, &l, &b));
    CHECK_MEM(&b, &s, sizeof s);
}

/* Central Europe: last Sundays of March and October. */
static const TIME_ZONE_INFORMATION europe = {
    .Bias = -60,
    .StandardDate = {0, 10, 0, 5, 3, 0, 0, 0},
    .DaylightDate = {0, 3, 0, 5, 2, 0, 0, 0},
    .DaylightBias = -60,
};

static void check_zone(SYSTEMTIME utc, WORD hour, WORD minute)
{
    SYSTEMTIME local, back;

    CHECK(SystemTimeToTzSpecificLocalTime(&europe, &utc, &local));
    CHECK_EQ(local.wHour, hour);
    CHECK_EQ(local.wMinute, minute);
    CHECK(TzSpecificLocalTimeToSystemTime(&europe, &local, &back));
    CHECK_EQ(back.wHour, utc.wHour);
}

TEST(zone_with_daylight_saving, "")
{
    check_zone((SYSTEMTIME){2024, 1, 1, 15, 12, 30, 0, 0}, 13, 30);
    check_zone((SYSTEMTIME){2024, 7, 1, 15, 12, 30, 0, 0}, 14, 30);
    check_zone((SYSTEMTIME){2024, 3, 0, 31, 0, 59, 0, 0}, 1, 59);
    check_zone((SYSTEMTIME){2024, 3, 0, 31, 1, 0, 0, 0}, 3, 0);
    check_zone((SYSTEMTIME){2024, 10, 0, 26, 23, 30, 0, 0}, 1, 30);
    check_zone((SYSTEMTIME){2024, 10, 0, 27, 2, 0, 0, 0}, 3, 0);
}

TEST(ticks_agree_with_the_counter, "")
{
    LARGE_INTEGER frequency, before, after;
    ULONGLONG start = GetTickCount64(), unbiased = 0, later = 0;
    LONGLONG ms;

    CHECK(QueryPerformanceFrequency(&frequency));
    CHECK(frequency.QuadPart >= 1000000);
    CHECK(QueryPerformanceCounter(&before));
    CHECK(QueryUnbiasedInterruptTime(&unbiased));
    CHECK_EQ((DWORD)(GetTickCount() - (DWORD)start) < 5000, 1);
    CHECK_EQ((DWORD)(timeGetTime() - GetTickCount() + 5000) < 10000, 1);
    Sleep(60); /* what they measure */
    CHECK(QueryPerformanceCounter(&after));
    CHECK(QueryUnbiasedInterruptTime(&later));
    ms = (after.QuadPart - before.QuadPart) * 1000 / frequency.QuadPart;
    CHECK_MSG(ms >= 59, "%d ms by the counter", (int)ms);
    CHECK(GetTickCount64() - start >= 40);
    CHECK(later - unbiased >= 400000);
}

TEST(timer_periods, "")
{
    TIMECAPS caps = {0};

    CHECK_EQ(timeGetDevCaps(&caps, sizeof caps), TIMERR_NOERROR);
    CHECK(caps.wPeriodMin >= 1 && caps.wPeriodMax > caps.wPeriodMin);
    CHECK_EQ(timeBeginPeriod(1), TIMERR_NOERROR);
    CHECK_EQ(timeEndPeriod(1), TIMERR_NOERROR);
    CHECK_EQ(timeBeginPeriod(0), TIMERR_NOCANDO);
}
