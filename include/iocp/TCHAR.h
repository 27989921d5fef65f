/* SPDX-License-Identifier: MIT */
/* Another usual spelling of tchar.h. */
#include "tchar.h"
