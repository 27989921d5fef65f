/* SPDX-License-Identifier: MIT */
/* Another usual spelling of debugapi.h. */
#include "debugapi.h"
