/* SPDX-License-Identifier: MIT */
/* crtdefs.h: an older name of corecrt.h. */
#ifndef _INC_CRTDEFS
#define _INC_CRTDEFS

#include <corecrt.h>

#endif
