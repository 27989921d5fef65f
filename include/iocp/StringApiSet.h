/* SPDX-License-Identifier: MIT */
/* Another usual spelling of stringapiset.h. */
#include "stringapiset.h"
