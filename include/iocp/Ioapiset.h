/* SPDX-License-Identifier: MIT */
/* Another usual spelling of ioapiset.h. */
#include "ioapiset.h"
