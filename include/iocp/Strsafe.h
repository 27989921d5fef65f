/* SPDX-License-Identifier: MIT */
/* Another usual spelling of strsafe.h. */
#include "strsafe.h"
