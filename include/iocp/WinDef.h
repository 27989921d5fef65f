/* SPDX-License-Identifier: MIT */
/* Another usual spelling of windef.h. */
#include "windef.h"
