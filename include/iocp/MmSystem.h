/* SPDX-License-Identifier: MIT */
/* Another usual spelling of mmsystem.h. */
#include "mmsystem.h"
