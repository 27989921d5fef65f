/* SPDX-License-Identifier: MIT */
/* Another usual spelling of winerror.h. */
#include "winerror.h"
