/* SPDX-License-Identifier: MIT */
/* Another usual spelling of sysinfoapi.h. */
#include "sysinfoapi.h"
