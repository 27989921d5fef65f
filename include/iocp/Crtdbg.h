/* SPDX-License-Identifier: MIT */
/* Another usual spelling of crtdbg.h. */
#include "crtdbg.h"
