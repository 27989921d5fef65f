/* SPDX-License-Identifier: MIT */
/* Another usual spelling of threadpoollegacyapiset.h. */
#include "threadpoollegacyapiset.h"
