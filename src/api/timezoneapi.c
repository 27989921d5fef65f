/* SPDX-License-Identifier: MIT */
/*
 * Calendar time. A FILETIME counts 100 ns since 1601 in UTC; a SYSTEMTIME is broken down by the
 * proleptic Gregorian calendar in plain arithmetic, because libc's range and time zone do not
 * concern it. Local times ask libc for the offset that holds at the given moment.
 */
#include <windows.h>

#include "api/api.h"
#include "base/clock.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TICKS_PER_SEC INT64_C(10000000)
#define TICKS_PER_DAY (86400 * TICKS_PER_SEC)
#define DAYS_1601 INT64_C(584694)       /* days from 1 March of year 0 to 1 January 1601 */

static int64_t ticks_of(const FILETIME *time)
{
    return (int64_t)((uint64_t)time->dwHighDateTime << 32 | time->dwLowDateTime);
}

static FILETIME filetime_of(int64_t ticks)
{
    return (FILETIME){(DWORD)ticks, (DWORD)((uint64_t)ticks >> 32)};
}

/* Years are counted from March, so that the leap day is the last of its year and every month's
 * first day is (153 * month + 2) / 5. */
static int64_t days_from_civil(int64_t year, int64_t month, int64_t day)
{
    if (month < 3) {
        month += 12;
        year--;
    }
    return year * 365 + year / 4 - year / 100 + year / 400 + (153 * (month - 3) + 2) / 5 + day - 1;
}

static void civil_from_days(int64_t days, SYSTEMTIME *out)
{
    int64_t era = days / 146097, rest = days % 146097;
    int64_t year = (rest - rest / 1460 + rest / 36524 - rest / 146096) / 365;
    int64_t day = rest - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * day + 2) / 153;

    out->wDay = (WORD)(day - (153 * month + 2) / 5 + 1);
    out->wMonth = (WORD)(month < 10 ? month + 3 : month - 9);
    out->wYear = (WORD)(year + era * 400 + (month >= 10));
    out->wDayOfWeek = (WORD)((days + 3) % 7);
}

static int64_t month_days(int64_t year, int64_t month)
{
    static const int64_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap);
}

BOOL WINAPI FileTimeToSystemTime(const FILETIME *lpFileTime, LPSYSTEMTIME lpSystemTime)
{
    int64_t ticks = ticks_of(lpFileTime), rest = ticks % TICKS_PER_DAY / 10000;

    if (ticks < 0) {
        last_error_set(ERROR_INVALID_PARAMETER);
        return FALSE;
    }
    civil_from_days(ticks / TICKS_PER_DAY + DAYS_1601, lpSystemTime);
    lpSystemTime->wMilliseconds = (WORD)(rest % 1000);
    lpSystemTime->wSecond = (WORD)(rest / 1000 % 60);
    lpSystemTime->wMinute = (WORD)(rest / 60000 % 60);
    lpSystemTime->wHour = (WORD)(rest / 3600000);
    return TRUE;
}

/* The day of the week is not looked at. */
BOOL WINAPI SystemTimeToFileTime(const SYSTEMTIME *lpSystemTime, LPFILETIME lpFileTime)
{
    const SYSTEMTIME *t = lpSystemTime;
    int64_t ms;

    if (t->wYear < 1601 || t->wYear > 30827 || t->wMonth < 1 || t->wMonth > 12 || t->wDay < 1 ||
        t->wDay > month_days(t->wYear, t->wMonth) || t->wHour > 23 || t->wMinute > 59 ||
        t->wSecond > 59 || t->wMilliseconds > 999) {
        last_error_set(ERROR_INVALID_PARAMETER);
        return FALSE;
    }
    ms = ((t->wHour * 60 + t->wMinute) * 60 + t->wSecond) * INT64_C(1000) + t->wMilliseconds;
    *lpFileTime = filetime_of(
        (days_from_civil(t->wYear, t->wMonth, t->wDay) - DAYS_1601) * TICKS_PER_DAY + ms * 10000);
    return TRUE;
}

LONG WINAPI CompareFileTime(const FILETIME *lpFileTime1, const FILETIME *lpFileTime2)
{
    uint64_t a = (uint64_t)ticks_of(lpFileTime1), b = (uint64_t)ticks_of(lpFileTime2);

    return (a > b) - (a < b);
}

static int64_t unix_seconds(int64_t ticks)
{
    int64_t rest = ticks - FILETIME_UNIX_EPOCH;

    return rest / TICKS_PER_SEC - (rest % TICKS_PER_SEC < 0);
}

/* Seconds east of UTC at a moment given in UTC. */
static int64_t offset_at(int64_t seconds)
{
    time_t moment = (time_t)seconds;
    struct tm local;

    tzset();
    return localtime_r(&moment, &local) ? local.tm_gmtoff : 0;
}

/* Windows applies the offset of today to any date; so do we, or a conversion and its inverse
 * would not agree. */
BOOL WINAPI FileTimeToLocalFileTime(const FILETIME *lpFileTime, LPFILETIME lpLocalFileTime)
{
    int64_t offset = offset_at((int64_t)time(NULL)) * TICKS_PER_SEC;

    *lpLocalFileTime = filetime_of(ticks_of(lpFileTime) + offset);
    return TRUE;
}

BOOL WINAPI LocalFileTimeToFileTime(const FILETIME *lpLocalFileTime, LPFILETIME lpFileTime)
{
    int64_t offset = offset_at((int64_t)time(NULL)) * TICKS_PER_SEC;

    *lpFileTime = filetime_of(ticks_of(lpLocalFileTime) - offset);
    return TRUE;
}

void WINAPI GetSystemTime(LPSYSTEMTIME lpSystemTime)
{
    FILETIME now = filetime_of(clock_filetime());

    FileTimeToSystemTime(&now, lpSystemTime);
}

void WINAPI GetLocalTime(LPSYSTEMTIME lpSystemTime)
{
    int64_t ticks = clock_filetime();
    FILETIME local = filetime_of(ticks + offset_at(unix_seconds(ticks)) * TICKS_PER_SEC);

    FileTimeToSystemTime(&local, lpSystemTime);
}

void WINAPI GetSystemTimeAsFileTime(LPFILETIME lpSystemTimeAsFileTime)
{
    *lpSystemTimeAsFileTime = filetime_of(clock_filetime());
}

void WINAPI GetSystemTimePreciseAsFileTime(LPFILETIME lpSystemTimeAsFileTime)
{
    *lpSystemTimeAsFileTime = filetime_of(clock_filetime());
}

static void set_zone_name(WCHAR *target, const char *name)
{
    text_to_utf16(name, strnlen(name, 31), (uint16_t *)target, 31, false);
}

/* Names and offsets; the dates of the change stay zero ("no daylight saving rule known"), and
 * Bias is that of now. */
DWORD WINAPI GetTimeZoneInformation(LPTIME_ZONE_INFORMATION lpTimeZoneInformation)
{
    TIME_ZONE_INFORMATION *info = lpTimeZoneInformation;
    time_t now = time(NULL);
    struct tm local;

    tzset();
    memset(info, 0, sizeof *info);
    if (!localtime_r(&now, &local))
        return TIME_ZONE_ID_UNKNOWN;
    info->Bias = (LONG)(-local.tm_gmtoff / 60);
    set_zone_name(info->StandardName, tzname[0]);
    set_zone_name(info->DaylightName, tzname[1]);
    return TIME_ZONE_ID_UNKNOWN;
}
