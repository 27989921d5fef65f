/* SPDX-License-Identifier: MIT */
/* Another usual spelling of errhandlingapi.h. */
#include "errhandlingapi.h"
