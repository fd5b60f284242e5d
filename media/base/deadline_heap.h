/**
 * @file deadline_heap.h  Which of many things is due next: intrusive binary heap over deadlines.
 *
 * O(log n) change, O(1) look. The heap borrows its nodes; each knows its place, so moving and
 * removing need no search. Not thread-safe.
 */
#ifndef MEDIA_BASE_DEADLINE_HEAP_H
#define MEDIA_BASE_DEADLINE_HEAP_H

#include "media/base/attributes.h"

#include <stddef.h>
#include <stdint.h>

/** Embed one per thing that waits; zero-initialised. */
struct deadline_node {
    int64_t due_us; /* meaningful in a heap only */
    size_t place;   /* 1-based index in the heap; 0: in none */
};

struct deadline_heap {
    struct deadline_node **nodes;
    size_t count, capacity;
};

void deadline_heap_init(struct deadline_heap *h);

/** Free the array; nodes left in it are taken out. */
void deadline_heap_done(struct deadline_heap *h);

/**
 * Put `node` in, move it, or (NEVER_US) take it out.
 *
 * @return 0; -ENOMEM: node stays as it was
 */
MUST_USE int deadline_heap_set(struct deadline_heap *h, struct deadline_node *node, int64_t due_us);

/** Take `node` out; nothing happens if it is in none. */
void deadline_heap_remove(struct deadline_heap *h, struct deadline_node *node);

/** @return the earliest deadline [us], or NEVER_US */
int64_t deadline_heap_next_us(const struct deadline_heap *h);

/** Take out the earliest node that is due. @return it, or NULL if nothing is due at `now_us` */
struct deadline_node *deadline_heap_take_due(struct deadline_heap *h, int64_t now_us);

#endif
