/* SPDX-License-Identifier: MIT */
/* Another usual spelling of sdkddkver.h. */
#include "sdkddkver.h"
