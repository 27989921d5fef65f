/* SPDX-License-Identifier: MIT */
/* The text of an error code, without a line end; NULL for codes that have none. */
#ifndef IOCP_API_MESSAGE_H
#define IOCP_API_MESSAGE_H

#include <stdint.h>

const char *message_text(uint32_t code);

#endif
