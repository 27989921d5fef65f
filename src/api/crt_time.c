/* SPDX-License-Identifier: MIT */
/*
 * iocpcrt_time.h.
 */
#include <windows.h>

#include "api/crt.h"

#include <errno.h>
#include <string.h>
#include <time.h>

/* 23:59:59, 31 December 3000, UTC: the last second that Windows' run-time knows. */
#define LAST_SECOND 32535215999LL

static errno_t break_down(struct tm *target, const __time64_t *time,
                          struct tm *(*convert)(const time_t *, struct tm *))
{
    time_t seconds;

    if (!target)
        return crt_invalid(EINVAL);
    memset(target, 0xFF, sizeof *target);
    target->tm_zone = NULL;
    if (!time)
        return crt_invalid(EINVAL);
    if (*time < 0 || *time > LAST_SECOND) {
        errno = EINVAL;
        return EINVAL;
    }
    seconds = (time_t)*time;
    return convert(&seconds, target) ? 0 : errno;
}

errno_t _localtime64_s(struct tm *target, const __time64_t *time)
{
    tzset(); /* localtime_r alone need not look at TZ */
    return break_down(target, time, localtime_r);
}

errno_t _gmtime64_s(struct tm *target, const __time64_t *time)
{
    return break_down(target, time, gmtime_r);
}

errno_t localtime_s(struct tm *target, const time_t *time)
{
    __time64_t seconds = time ? *time : 0;

    return _localtime64_s(target, time ? &seconds : NULL);
}

errno_t gmtime_s(struct tm *target, const time_t *time)
{
    __time64_t seconds = time ? *time : 0;

    return _gmtime64_s(target, time ? &seconds : NULL);
}

static bool is_date(const struct tm *time)
{
    return time->tm_year >= 0 && time->tm_year <= 8099 && time->tm_mon >= 0 && time->tm_mon <= 11 &&
           time->tm_mday >= 1 && time->tm_mday <= 31 && time->tm_hour >= 0 && time->tm_hour <= 23 &&
           time->tm_min >= 0 && time->tm_min <= 59 && time->tm_sec >= 0 && time->tm_sec <= 60 &&
           time->tm_wday >= 0 && time->tm_wday <= 6;
}

errno_t asctime_s(char *text, size_t size, const struct tm *time)
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    if (!text || size == 0)
        return crt_invalid(EINVAL);
    text[0] = 0;
    if (!time || size < 26 || !is_date(time))
        return crt_invalid(EINVAL);
    snprintf(text, size, "%.3s %.3s %02d %02d:%02d:%02d %d\n", days + 3 * time->tm_wday,
             months + 3 * time->tm_mon, time->tm_mday, time->tm_hour, time->tm_min, time->tm_sec,
             1900 + time->tm_year);
    return 0;
}

errno_t ctime_s(char *text, size_t size, const time_t *time)
{
    struct tm parts;
    errno_t error;

    if (!text || size == 0)
        return crt_invalid(EINVAL);
    text[0] = 0;
    if (!time || size < 26)
        return crt_invalid(EINVAL);
    error = localtime_s(&parts, time);
    return error ? error : asctime_s(text, size, &parts);
}

__time64_t _time64(__time64_t *where)
{
    __time64_t now = time(NULL);

    if (where)
        *where = now;
    return now;
}

__time64_t _mktime64(struct tm *time)
{
    return mktime(time);
}

time_t _mkgmtime(struct tm *time)
{
    return timegm(time);
}

__time64_t _mkgmtime64(struct tm *time)
{
    return timegm(time);
}
