/* SPDX-License-Identifier: MIT */
/*
 * strsafe.h, for both kinds of text.
 */
#include <windows.h>

#include <strsafe.h>

#include "api/crt.h"

#include <string.h>

#define UNIT       char
#define NAME(name) name##A
#define FORMAT     crt_format
#include "api/strsafe_text.h"
#undef UNIT
#undef NAME
#undef FORMAT

#define UNIT       WCHAR
#define NAME(name) name##W
#define FORMAT     crt_format16
#include "api/strsafe_text.h"
