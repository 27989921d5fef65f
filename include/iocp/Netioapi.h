/* SPDX-License-Identifier: MIT */
/* Another usual spelling of netioapi.h. */
#include "netioapi.h"
