/* SPDX-License-Identifier: MIT */
/*
 * mmsystem.h: of the multimedia system its clock alone, timeapi.h.
 * Page: "mmsystem.h header", learn.microsoft.com/windows/win32/api/mmsystem/.
 */
#ifndef _INC_MMSYSTEM
#define _INC_MMSYSTEM

#include <timeapi.h>

#define MMSYSERR_BASE    0
#define MMSYSERR_NOERROR 0
#define MMSYSERR_ERROR   (MMSYSERR_BASE + 1)
#define TIMERR_BASE      96

#endif
