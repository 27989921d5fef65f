/* SPDX-License-Identifier: MIT */
/* excpt.h: the words of structured exceptions; see iocpcrt_seh.h. */
#ifndef _INC_EXCPT
#define _INC_EXCPT

#include <iocpcrt_seh.h>

#endif
