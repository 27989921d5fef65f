/* SPDX-License-Identifier: MIT */
/* Another usual spelling of qos.h. */
#include "qos.h"
