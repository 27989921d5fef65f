/* SPDX-License-Identifier: MIT */
/* Another usual spelling of direct.h. */
#include "direct.h"
