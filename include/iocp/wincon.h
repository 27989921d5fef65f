/* SPDX-License-Identifier: MIT */
/* wincon.h: the console; what there is of it is in consoleapi.h and wincontypes.h. */
#ifndef _WINCON_
#define _WINCON_

#include <consoleapi.h>
#include <wincontypes.h>

#endif
