/* SPDX-License-Identifier: MIT */
/* Another usual spelling of processthreadsapi.h. */
#include "processthreadsapi.h"
