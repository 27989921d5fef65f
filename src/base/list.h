/* SPDX-License-Identifier: MIT */
/*
 * An intrusive doubly linked list with a head that is itself a node. It knows nothing of locks:
 * whoever embeds a list says on its own struct which lock guards it. A node that is in no list
 * points at itself, so that "is it linked?" needs no flag of its own.
 */
#ifndef IOCP_BASE_LIST_H
#define IOCP_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next;
    struct list *prev;
};

#define LIST_INIT(name) {&(name), &(name)}
#define container_of(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))

static inline void list_init(struct list *l)
{
    l->next = l;
    l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
    return l->next == l;
}

/* Is this node in some list? (The same test as list_empty, asked of a node.) */
static inline bool list_linked(const struct list *n)
{
    return n->next != n;
}

static inline void list_insert_before(struct list *pos, struct list *n)
{
    n->next = pos;
    n->prev = pos->prev;
    pos->prev->next = n;
    pos->prev = n;
}

static inline void list_push_back(struct list *head, struct list *n)
{
    list_insert_before(head, n);
}

static inline void list_push_front(struct list *head, struct list *n)
{
    list_insert_before(head->next, n);
}

static inline void list_remove(struct list *n)
{
    n->prev->next = n->next;
    n->next->prev = n->prev;
    list_init(n);
}

static inline struct list *list_first(const struct list *head)
{
    return list_empty(head) ? NULL : head->next;
}

static inline struct list *list_pop_front(struct list *head)
{
    struct list *n = list_first(head);

    if (n)
        list_remove(n);
    return n;
}

/* Moves everything in `from` to the end of `to`; `from` is left empty. */
static inline void list_splice_back(struct list *to, struct list *from)
{
    if (list_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    list_init(from);
}

#define list_for_each(n, head) for (struct list *n = (head)->next; n != (head); n = n->next)
#define list_for_each_safe(n, tmp, head)                                                         \
    for (struct list *n = (head)->next, *tmp = n->next; n != (head); n = tmp, tmp = n->next)

#endif
