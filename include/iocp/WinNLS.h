/* SPDX-License-Identifier: MIT */
/* Another usual spelling of winnls.h. */
#include "winnls.h"
