/* SPDX-License-Identifier: MIT */
/* Another usual spelling of libloaderapi.h. */
#include "libloaderapi.h"
