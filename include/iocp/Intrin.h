/* SPDX-License-Identifier: MIT */
/* Another usual spelling of intrin.h. */
#include "intrin.h"
