/* SPDX-License-Identifier: MIT */
/* Another usual spelling of ws2ipdef.h. */
#include "ws2ipdef.h"
