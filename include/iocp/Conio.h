/* SPDX-License-Identifier: MIT */
/* Another usual spelling of conio.h. */
#include "conio.h"
