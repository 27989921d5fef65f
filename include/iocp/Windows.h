/* SPDX-License-Identifier: MIT */
/* Another usual spelling of windows.h. */
#include "windows.h"
