/* SPDX-License-Identifier: MIT */
/* Another usual spelling of namedpipeapi.h. */
#include "namedpipeapi.h"
