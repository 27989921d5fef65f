/* SPDX-License-Identifier: MIT */
/* Another usual spelling of fileapi.h. */
#include "fileapi.h"
