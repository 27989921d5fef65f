/* SPDX-License-Identifier: MIT */
/* The home thread's side of timers (their users see home.h): a binary heap under one lock. */
#ifndef IOCP_ENGINE_TIMER_H
#define IOCP_ENGINE_TIMER_H

#include "engine/home.h"

uint64_t timer_next_due(void); /* DEADLINE_NEVER if none is armed */
void timer_run_due(uint64_t now_ns);

#endif
