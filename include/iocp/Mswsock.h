/* SPDX-License-Identifier: MIT */
/* Another usual spelling of mswsock.h. */
#include "mswsock.h"
