/* SPDX-License-Identifier: MIT */
/* Another usual spelling of sal.h. */
#include "sal.h"
