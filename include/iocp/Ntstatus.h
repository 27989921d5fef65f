/* SPDX-License-Identifier: MIT */
/* Another usual spelling of ntstatus.h. */
#include "ntstatus.h"
