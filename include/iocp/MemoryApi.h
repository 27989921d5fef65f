/* SPDX-License-Identifier: MIT */
/* Another usual spelling of memoryapi.h. */
#include "memoryapi.h"
