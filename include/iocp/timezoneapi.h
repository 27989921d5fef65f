/* SPDX-License-Identifier: MIT */
/*
 * timezoneapi.h: from FILETIME (units of 100 ns since 1601, UTC) to SYSTEMTIME and back, and local time.
 * Failure is FALSE with ERROR_INVALID_PARAMETER.
 * Page: "timezoneapi.h header", learn.microsoft.com/windows/win32/api/timezoneapi/.
 */
#ifndef _TIMEZONEAPI_H_
#define _TIMEZONEAPI_H_

#include <minwinbase.h>

IOCP_EXTERN_C_BEGIN

#define TIME_ZONE_ID_INVALID  ((DWORD)0xFFFFFFFF)
#define TIME_ZONE_ID_UNKNOWN  0
#define TIME_ZONE_ID_STANDARD 1
#define TIME_ZONE_ID_DAYLIGHT 2

typedef struct _TIME_ZONE_INFORMATION {
    LONG Bias; /* minutes; UTC = local time + Bias */
    WCHAR StandardName[32];
    SYSTEMTIME StandardDate;
    LONG StandardBias;
    WCHAR DaylightName[32];
    SYSTEMTIME DaylightDate;
    LONG DaylightBias;
} TIME_ZONE_INFORMATION, *PTIME_ZONE_INFORMATION, *LPTIME_ZONE_INFORMATION;

IOCP_ASSERT_SIZE(TIME_ZONE_INFORMATION, 172);

/* Years 1601 to 30827; the day of the week is set, and not looked at on the way back. */
WINBASEAPI BOOL WINAPI FileTimeToSystemTime(const FILETIME *file_time, LPSYSTEMTIME system_time)
    IOCP_SYM(FileTimeToSystemTime);
WINBASEAPI BOOL WINAPI SystemTimeToFileTime(const SYSTEMTIME *system_time, LPFILETIME file_time)
    IOCP_SYM(SystemTimeToFileTime);

/*
 * The difference to UTC, the names of the zone, and TIME_ZONE_ID_UNKNOWN: Bias is that of now, and no rule
 * for the change to daylight saving is given.
 */
WINBASEAPI DWORD WINAPI GetTimeZoneInformation(LPTIME_ZONE_INFORMATION info)
    IOCP_SYM(GetTimeZoneInformation);

/*
 * From UTC to a zone and back. zone: NULL for the system's, by its rules for that moment; else as given, with
 * the dates of change if it has both. On the way back a local time that does not exist, or exists twice,
 * counts as standing after the change.
 */
WINBASEAPI BOOL WINAPI SystemTimeToTzSpecificLocalTime(const TIME_ZONE_INFORMATION *zone,
                                                       const SYSTEMTIME *utc, LPSYSTEMTIME local)
    IOCP_SYM(SystemTimeToTzSpecificLocalTime);
WINBASEAPI BOOL WINAPI TzSpecificLocalTimeToSystemTime(const TIME_ZONE_INFORMATION *zone,
                                                       const SYSTEMTIME *local, LPSYSTEMTIME utc)
    IOCP_SYM(TzSpecificLocalTimeToSystemTime);

IOCP_EXTERN_C_END

#endif
