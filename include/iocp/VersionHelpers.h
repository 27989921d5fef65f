/* SPDX-License-Identifier: MIT */
/* Another usual spelling of versionhelpers.h. */
#include "versionhelpers.h"
