/* SPDX-License-Identifier: MIT */
/* What is known about an open file and can be changed of it, for the two families of functions; classes and
 * structures are those of GetFileInformationByHandleEx. NTSTATUS. */
#ifndef IOCP_API_FILEINFO_H
#define IOCP_API_FILEINFO_H

#include <stdint.h>

uint32_t fileinfo_query(void *handle, int class, void *out, uint32_t size);
uint32_t fileinfo_change(void *handle, int class, const void *in, uint32_t size);

#endif
