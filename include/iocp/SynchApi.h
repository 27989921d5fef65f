/* SPDX-License-Identifier: MIT */
/* Another usual spelling of synchapi.h. */
#include "synchapi.h"
