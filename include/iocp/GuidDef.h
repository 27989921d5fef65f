/* SPDX-License-Identifier: MIT */
/* Another usual spelling of guiddef.h. */
#include "guiddef.h"
