/* SPDX-License-Identifier: MIT */
/* Another usual spelling of ws2def.h. */
#include "ws2def.h"
