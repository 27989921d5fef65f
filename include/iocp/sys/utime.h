/* SPDX-License-Identifier: MIT */
/* sys/utime.h: Microsoft's name for what sets the times of a file. */
#ifndef _INC_UTIME
#define _INC_UTIME

#include <iocpcrt_utime.h>

#endif
