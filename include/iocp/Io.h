/* SPDX-License-Identifier: MIT */
/* Another usual spelling of io.h. */
#include "io.h"
