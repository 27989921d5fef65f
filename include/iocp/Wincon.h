/* SPDX-License-Identifier: MIT */
/* Another usual spelling of wincon.h. */
#include "wincon.h"
