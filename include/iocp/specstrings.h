/* SPDX-License-Identifier: MIT */
/* specstrings.h: the SDK's way to sal.h. */
#ifndef SPECSTRINGS_H
#define SPECSTRINGS_H

#include <sal.h>

#endif
