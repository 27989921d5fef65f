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

/* ---- between UTC and a zone ---- */

/* The moment of change in ticks of local time for a year: rules without a year name the n-th weekday of a
 * month (5: the last), others a date. */
static int64_t change_ticks(const SYSTEMTIME *rule, int64_t year)
{
    int64_t first = days_from_civil(year, rule->wMonth, 1);
    int64_t day = rule->wDay;

    if (rule->wYear == 0) {
        day = 1 + (rule->wDayOfWeek - (first + 3) % 7 + 7) % 7 + (rule->wDay - 1) * 7;
        while (day > month_days(year, rule->wMonth))
            day -= 7;
    }
    return (first + day - 1 - DAYS_1601) * TICKS_PER_DAY +
           ((rule->wHour * 60 + rule->wMinute) * 60 + rule->wSecond) * TICKS_PER_SEC;
}

static bool has_rules(const TIME_ZONE_INFORMATION *zone)
{
    return zone->StandardDate.wMonth != 0 && zone->DaylightDate.wMonth != 0;
}

/* Whether daylight saving holds at a moment of the zone's standard time. */
static bool is_daylight(const TIME_ZONE_INFORMATION *zone, int64_t standard, int64_t year)
{
    int64_t begin = change_ticks(&zone->DaylightDate, year);
    int64_t end = change_ticks(&zone->StandardDate, year) +
                  (zone->DaylightBias - zone->StandardBias) * 60 * TICKS_PER_SEC;

    return begin < end ? standard >= begin && standard < end : standard >= begin || standard < end;
}

/* Ticks east of UTC at a moment, which is given in UTC. */
static int64_t zone_offset(const TIME_ZONE_INFORMATION *zone, int64_t utc)
{
    int64_t minutes;
    SYSTEMTIME t;
    FILETIME standard;

    if (!zone)
        return offset_at(unix_seconds(utc)) * TICKS_PER_SEC;
    minutes = zone->Bias + zone->StandardBias;
    standard = filetime_of(utc - minutes * 60 * TICKS_PER_SEC);
    if (has_rules(zone) && FileTimeToSystemTime(&standard, &t) &&
        is_daylight(zone, ticks_of(&standard), t.wYear))
        minutes = zone->Bias + zone->DaylightBias;
    return -minutes * 60 * TICKS_PER_SEC;
}

BOOL WINAPI SystemTimeToTzSpecificLocalTime(const TIME_ZONE_INFORMATION *lpTimeZoneInformation,
                                            const SYSTEMTIME *lpUniversalTime, LPSYSTEMTIME lpLocalTime)
{
    FILETIME utc, local;

    if (!SystemTimeToFileTime(lpUniversalTime, &utc))
        return FALSE;
    local = filetime_of(ticks_of(&utc) + zone_offset(lpTimeZoneInformation, ticks_of(&utc)));
    return FileTimeToSystemTime(&local, lpLocalTime);
}

/* The offset is known at moments of UTC only: guess with that of the same figures read as UTC, and look
 * again at the guess. An hour that is missing or there twice gets the offset after the change. */
BOOL WINAPI TzSpecificLocalTimeToSystemTime(const TIME_ZONE_INFORMATION *lpTimeZoneInformation,
                                            const SYSTEMTIME *lpLocalTime, LPSYSTEMTIME lpUniversalTime)
{
    FILETIME local, utc;
    int64_t guess;

    if (!SystemTimeToFileTime(lpLocalTime, &local))
        return FALSE;
    guess = ticks_of(&local) - zone_offset(lpTimeZoneInformation, ticks_of(&local));
    utc = filetime_of(ticks_of(&local) - zone_offset(lpTimeZoneInformation, guess));
    return FileTimeToSystemTime(&utc, lpUniversalTime);
}
