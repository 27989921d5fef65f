/* SPDX-License-Identifier: MIT */
/* Attributes of a process to be started, as UpdateProcThreadAttribute keeps them in the program's memory. */
#ifndef IOCP_API_ATTRIBUTES_H
#define IOCP_API_ATTRIBUTES_H

#include <stddef.h>
#include <stdint.h>

struct _PROC_THREAD_ATTRIBUTE_LIST {
    uint32_t max, count;
    struct attribute {
        uintptr_t key;
        void *value; /* the program's, until the list is deleted */
        size_t size;
    } at[];
};

/* NULL: it is not set. */
const struct attribute *attribute_find(const struct _PROC_THREAD_ATTRIBUTE_LIST *list, uintptr_t key);

#endif
