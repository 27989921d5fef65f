/* SPDX-License-Identifier: MIT */
/*
 * winapifamily.h: which family of programs a source is compiled for, and which parts of the API that
 * has. Here it is desktop programs unless the source says otherwise; nothing is hidden from the others.
 * Page: "Using the Windows Headers", learn.microsoft.com/windows/win32/winprog/using-the-windows-headers.
 */
#ifndef _INC_WINAPIFAMILY
#define _INC_WINAPIFAMILY

#define WINAPI_FAMILY_PC_APP      2
#define WINAPI_FAMILY_PHONE_APP   3
#define WINAPI_FAMILY_SYSTEM      4
#define WINAPI_FAMILY_SERVER      5
#define WINAPI_FAMILY_GAMES       6
#define WINAPI_FAMILY_DESKTOP_APP 100
#define WINAPI_FAMILY_APP         WINAPI_FAMILY_PC_APP

#ifndef WINAPI_FAMILY
#define WINAPI_FAMILY WINAPI_FAMILY_DESKTOP_APP
#endif

#define WINAPI_PARTITION_DESKTOP   (WINAPI_FAMILY == WINAPI_FAMILY_DESKTOP_APP)
#define WINAPI_PARTITION_PC_APP    (WINAPI_PARTITION_DESKTOP || WINAPI_FAMILY == WINAPI_FAMILY_PC_APP)
#define WINAPI_PARTITION_PHONE_APP (WINAPI_FAMILY == WINAPI_FAMILY_PHONE_APP)
#define WINAPI_PARTITION_APP       (WINAPI_PARTITION_PC_APP || WINAPI_PARTITION_PHONE_APP)
#define WINAPI_PARTITION_PHONE     WINAPI_PARTITION_PHONE_APP
#define WINAPI_PARTITION_GAMES     (WINAPI_PARTITION_DESKTOP || WINAPI_FAMILY == WINAPI_FAMILY_GAMES)
#define WINAPI_PARTITION_SYSTEM                                                                      \
    (WINAPI_PARTITION_DESKTOP || WINAPI_FAMILY == WINAPI_FAMILY_SYSTEM ||                            \
     WINAPI_FAMILY == WINAPI_FAMILY_SERVER)

#define WINAPI_FAMILY_PARTITION(partitions) (partitions)

#endif
