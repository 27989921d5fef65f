/* SPDX-License-Identifier: MIT */
/* Another usual spelling of winternl.h. */
#include "winternl.h"
