/* SPDX-License-Identifier: MIT */
/* Another usual spelling of ws2tcpip.h. */
#include "ws2tcpip.h"
