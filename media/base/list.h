/**
 * @file list.h  Intrusive doubly linked list. Owns nothing; not thread-safe.
 *
 * A list and its links are of one type; an initialised list points to itself when empty, an
 * unlinked link to nothing (NULL), so unlinking twice does no harm.
 */
#ifndef MEDIA_BASE_LIST_H
#define MEDIA_BASE_LIST_H

#include "media/base/attributes.h"

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next, *prev;
};

static inline void list_init(struct list *list)
{
    list->next = list->prev = list;
}

static inline bool list_empty(const struct list *list)
{
    return list->next == list;
}

/** @return true while `link` is in some list */
static inline bool list_linked(const struct list *link)
{
    return link->next != NULL;
}

/** Append `link`, which must not be in a list. */
static inline void list_append(struct list *list, struct list *link)
{
    link->prev = list->prev;
    link->next = list;
    list->prev->next = link;
    list->prev = link;
}

/** Take `link` out of its list; nothing happens if it is in none. */
static inline void list_unlink(struct list *link)
{
    if (!link->next)
        return;
    link->prev->next = link->next;
    link->next->prev = link->prev;
    link->next = link->prev = NULL;
}

/** Take the first link out. @return it, or NULL if the list is empty */
static inline struct list *list_take_first(struct list *list)
{
    struct list *first = list->next;

    if (first == list)
        return NULL;
    list_unlink(first);
    return first;
}

/* NOLINTBEGIN(bugprone-macro-parentheses): `it` is declared here */
/** Walk links; the body must not unlink the current one. */
#define LIST_FOREACH(it, head) for (struct list *it = (head)->next; it != (head); it = it->next)

/** Walk links; the body may unlink and free the current one (and only it). */
#define LIST_FOREACH_SAFE(it, head)                                           \
    for (struct list *it = (head)->next, *it##_next = it->next; it != (head); \
         it = it##_next, it##_next = it->next)
/* NOLINTEND(bugprone-macro-parentheses) */

#endif
