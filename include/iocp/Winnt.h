/* SPDX-License-Identifier: MIT */
/* Another usual spelling of winnt.h. */
#include "winnt.h"
