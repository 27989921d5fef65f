/* SPDX-License-Identifier: MIT */
/* share.h: _SH_DENYNO and its kin; what they are worth here: see _fsopen. */
#ifndef _INC_SHARE
#define _INC_SHARE

#include <iocpcrt_stdio.h>

#endif
