/* SPDX-License-Identifier: MIT */
/* Another usual spelling of process.h. */
#include "process.h"
