/* SPDX-License-Identifier: MIT */
/* Another usual spelling of timeapi.h. */
#include "timeapi.h"
