/* SPDX-License-Identifier: MIT */
/* Another usual spelling of profileapi.h. */
#include "profileapi.h"
