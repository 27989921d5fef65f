/* SPDX-License-Identifier: MIT */
/* Another usual spelling of mstcpip.h. */
#include "mstcpip.h"
