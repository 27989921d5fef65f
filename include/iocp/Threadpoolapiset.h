/* SPDX-License-Identifier: MIT */
/* Another usual spelling of threadpoolapiset.h. */
#include "threadpoolapiset.h"
