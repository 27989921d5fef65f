/* SPDX-License-Identifier: MIT */
/* Sets of names; see watch_names.h. They live for one reading of events, so they only grow. */
#include "io/watch_names.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static size_t hash_of(const char *name)
{
    uint64_t h = UINT64_C(14695981039346656037);

    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * UINT64_C(1099511628211);
    return (size_t)(h ^ h >> 32);
}

/* The slot that holds the name, or the empty one where it would go. */
static char **slot_of(const struct watch_names *set, const char *name)
{
    size_t i = hash_of(name) & (set->size - 1);

    while (set->slots[i] && strcmp(set->slots[i], name) != 0)
        i = (i + 1) & (set->size - 1);
    return &set->slots[i];
}

static bool grow(struct watch_names *set)
{
    struct watch_names larger = {.size = set->size ? set->size * 2 : 64};

    larger.slots = calloc(larger.size, sizeof *larger.slots);
    if (!larger.slots)
        return false;
    for (size_t i = 0; i < set->size; i++) {
        if (!set->slots[i])
            continue;
        if (set->slots[i][0]) {
            *slot_of(&larger, set->slots[i]) = set->slots[i];
            larger.used++;
        } else {
            free(set->slots[i]);
        }
    }
    free(set->slots);
    *set = larger;
    return true;
}

bool watch_names_add(struct watch_names *set, const char *name)
{
    char **slot;

    if ((set->used + 1) * 4 > set->size * 3 && !grow(set))
        return false;
    slot = slot_of(set, name);
    if (*slot)
        return true;
    *slot = strdup(name);
    set->used += *slot != NULL;
    return *slot != NULL;
}

bool watch_names_remove(struct watch_names *set, const char *name)
{
    char **slot = set->size ? slot_of(set, name) : NULL;

    if (!slot || !*slot)
        return false;
    (*slot)[0] = 0;
    return true;
}

void watch_names_clear(struct watch_names *set)
{
    for (size_t i = 0; i < set->size; i++)
        free(set->slots[i]);
    free(set->slots);
    *set = (struct watch_names){0};
}
