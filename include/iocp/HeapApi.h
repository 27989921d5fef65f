/* SPDX-License-Identifier: MIT */
/* Another usual spelling of heapapi.h. */
#include "heapapi.h"
