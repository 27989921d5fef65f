/* SPDX-License-Identifier: MIT */
/* Another usual spelling of winsock.h. */
#include "winsock.h"
