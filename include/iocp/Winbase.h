/* SPDX-License-Identifier: MIT */
/* Another usual spelling of winbase.h. */
#include "winbase.h"
