/* SPDX-License-Identifier: MIT */
/* Another usual spelling of handleapi.h. */
#include "handleapi.h"
