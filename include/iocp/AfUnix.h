/* SPDX-License-Identifier: MIT */
/* Another usual spelling of afunix.h. */
#include "afunix.h"
