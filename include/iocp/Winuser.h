/* SPDX-License-Identifier: MIT */
/* Another usual spelling of winuser.h. */
#include "winuser.h"
