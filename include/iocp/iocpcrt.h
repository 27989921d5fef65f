/* SPDX-License-Identifier: MIT */
/*
 * iocpcrt.h: the names that Microsoft's <string.h>, <stdio.h>, <stdlib.h>, <time.h> and <wchar.h> have
 * and the C library has not. windows.h brings them, because the C library's own headers do not.
 */
#ifndef IOCP_CRT_H
#define IOCP_CRT_H

#include <corecrt.h>
#include <sal.h>
#include <iocpcrt_string.h>
#include <iocpcrt_stdio.h>
#include <iocpcrt_stdlib.h>
#include <iocpcrt_time.h>
#include <iocpcrt_wide.h>
#include <iocpcrt_array.h>
#include <iocpcrt_seh.h>

#endif
