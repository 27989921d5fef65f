/* SPDX-License-Identifier: MIT */
/* Another usual spelling of iphlpapi.h. */
#include "iphlpapi.h"
