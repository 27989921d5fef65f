/* SPDX-License-Identifier: MIT */
/* Another usual spelling of minwindef.h. */
#include "minwindef.h"
