#include "media/base/deadline_heap.h"

#include "media/base/clock.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum { FIRST_CAPACITY = 16 };

void deadline_heap_init(struct deadline_heap *h)
{
    *h = (struct deadline_heap){0};
}

void deadline_heap_done(struct deadline_heap *h)
{
    for (size_t i = 0; i < h->count; i++)
        *h->nodes[i] = (struct deadline_node){.due_us = NEVER_US};
    free(h->nodes);
    deadline_heap_init(h);
}

/* Places are 1-based: the parent of p is p / 2. */
static void put_at(struct deadline_heap *h, size_t place, struct deadline_node *node)
{
    h->nodes[place - 1] = node;
    node->place = place;
}

/* Put `node` at `place` or, while it is due before its parent there, further up. */
static void sift_up(struct deadline_heap *h, size_t place, struct deadline_node *node)
{
    while (place > 1 && node->due_us < h->nodes[place / 2 - 1]->due_us) {
        put_at(h, place, h->nodes[place / 2 - 1]);
        place /= 2;
    }
    put_at(h, place, node);
}

/* Put `node` at `place` or, while a child there is due before it, further down. */
static void sift_down(struct deadline_heap *h, size_t place, struct deadline_node *node)
{
    for (;;) {
        size_t child = 2 * place;

        if (child > h->count)
            break;
        if (child < h->count && h->nodes[child]->due_us < h->nodes[child - 1]->due_us)
            child++;
        if (node->due_us <= h->nodes[child - 1]->due_us)
            break;
        put_at(h, place, h->nodes[child - 1]);
        place = child;
    }
    put_at(h, place, node);
}

/* Put `node`, whose deadline has changed, where it belongs, from `place` on. */
static void settle(struct deadline_heap *h, size_t place, struct deadline_node *node)
{
    if (place > 1 && node->due_us < h->nodes[place / 2 - 1]->due_us)
        sift_up(h, place, node);
    else
        sift_down(h, place, node);
}

static int make_room(struct deadline_heap *h)
{
    if (h->count < h->capacity)
        return 0;

    size_t capacity = h->capacity ? 2 * h->capacity : FIRST_CAPACITY;
    struct deadline_node **nodes = reallocarray(h->nodes, capacity, sizeof(struct deadline_node *));

    if (!nodes)
        return -ENOMEM;
    h->nodes = nodes;
    h->capacity = capacity;
    return 0;
}

int deadline_heap_set(struct deadline_heap *h, struct deadline_node *node, int64_t due_us)
{
    if (due_us == NEVER_US) {
        deadline_heap_remove(h, node);
        return 0;
    }
    if (node->place) {
        assert(node->place <= h->count && h->nodes[node->place - 1] == node);
        node->due_us = due_us;
        settle(h, node->place, node);
        return 0;
    }

    int err = make_room(h);

    if (err < 0)
        return err;
    node->due_us = due_us;
    sift_up(h, ++h->count, node);
    return 0;
}

void deadline_heap_remove(struct deadline_heap *h, struct deadline_node *node)
{
    size_t place = node->place;

    if (place) {
        assert(place <= h->count && h->nodes[place - 1] == node);

        struct deadline_node *last = h->nodes[h->count - 1];

        h->count--;
        if (last != node)
            settle(h, place, last);
    }
    *node = (struct deadline_node){.due_us = NEVER_US};
}

int64_t deadline_heap_next_us(const struct deadline_heap *h)
{
    return h->count ? h->nodes[0]->due_us : NEVER_US;
}

struct deadline_node *deadline_heap_take_due(struct deadline_heap *h, int64_t now_us)
{
    if (!h->count || h->nodes[0]->due_us > now_us)
        return NULL;

    struct deadline_node *first = h->nodes[0];

    deadline_heap_remove(h, first);
    return first;
}
