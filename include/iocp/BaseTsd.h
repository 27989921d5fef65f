/* SPDX-License-Identifier: MIT */
/* Another usual spelling of basetsd.h. */
#include "basetsd.h"
