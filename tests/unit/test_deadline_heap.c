#include "media/base/deadline_heap.h"

#include "media/base/clock.h"
#include "tests/tap.h"

static void set(struct deadline_heap *h, struct deadline_node *node, int64_t due_us)
{
    CHECK_EQ(deadline_heap_set(h, node, due_us), 0);
}

static void empty_heap_is_never_due(void)
{
    struct deadline_heap h;

    deadline_heap_init(&h);
    CHECK_EQ(deadline_heap_next_us(&h), NEVER_US);
    CHECK(!deadline_heap_take_due(&h, 0));
    CHECK(!deadline_heap_take_due(&h, NEVER_US));
    deadline_heap_done(&h);
}

static void earliest_comes_first_once_it_is_due(void)
{
    struct deadline_node nodes[3] = {0};
    struct deadline_heap h;

    deadline_heap_init(&h);
    set(&h, &nodes[0], 30 * MS);
    set(&h, &nodes[1], 10 * MS);
    set(&h, &nodes[2], 20 * MS);
    CHECK_EQ(deadline_heap_next_us(&h), 10 * MS);
    CHECK(!deadline_heap_take_due(&h, 10 * MS - 1));
    CHECK(deadline_heap_take_due(&h, 25 * MS) == &nodes[1]);
    CHECK(deadline_heap_take_due(&h, 25 * MS) == &nodes[2]);
    CHECK(!deadline_heap_take_due(&h, 25 * MS));
    CHECK_EQ(deadline_heap_next_us(&h), 30 * MS);
    CHECK_EQ(nodes[1].place, 0);
    CHECK_EQ(nodes[1].due_us, NEVER_US);
    deadline_heap_done(&h);
}

static void deadline_moves_both_ways(void)
{
    struct deadline_node nodes[3] = {0};
    struct deadline_heap h;

    deadline_heap_init(&h);
    for (int i = 0; i < 3; i++)
        set(&h, &nodes[i], (i + 1) * SECOND);
    set(&h, &nodes[2], 500 * MS);
    CHECK_EQ(deadline_heap_next_us(&h), 500 * MS);
    set(&h, &nodes[2], 9 * SECOND);
    CHECK_EQ(deadline_heap_next_us(&h), 1 * SECOND);
    CHECK_EQ(h.count, 3);
    deadline_heap_done(&h);
}

static void never_takes_it_out(void)
{
    struct deadline_node nodes[2] = {0};
    struct deadline_heap h;

    deadline_heap_init(&h);
    set(&h, &nodes[0], 1);
    set(&h, &nodes[1], 2);
    set(&h, &nodes[0], NEVER_US);
    CHECK_EQ(deadline_heap_next_us(&h), 2);
    set(&h, &nodes[0], NEVER_US);
    CHECK_EQ(h.count, 1);
    deadline_heap_remove(&h, &nodes[0]);
    CHECK_EQ(h.count, 1);
    deadline_heap_done(&h);
}

static void node_outlives_the_heap(void)
{
    struct deadline_node node = {0};
    struct deadline_heap h;

    deadline_heap_init(&h);
    set(&h, &node, 1);
    deadline_heap_done(&h);
    deadline_heap_remove(&h, &node);
    CHECK_EQ(node.place, 0);
    set(&h, &node, 2);
    CHECK_EQ(deadline_heap_next_us(&h), 2);
    deadline_heap_done(&h);
}

enum { MANY = 300 };

/* Numerical Recipes' generator: any fixed sequence will do. */
static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525U + 1013904223U;
    return *seed >> 8;
}

static int64_t least_of(const struct deadline_node *nodes)
{
    int64_t least_us = NEVER_US;

    for (size_t i = 0; i < MANY; i++) {
        if (nodes[i].place && nodes[i].due_us < least_us)
            least_us = nodes[i].due_us;
    }
    return least_us;
}

static void next_is_the_least_whatever_happens(void)
{
    static struct deadline_node nodes[MANY];
    struct deadline_heap h;
    uint32_t seed = 1;

    deadline_heap_init(&h);
    for (int i = 0; i < 20000; i++) {
        struct deadline_node *node = &nodes[next_random(&seed) % MANY];

        if (next_random(&seed) % 3 == 0)
            deadline_heap_remove(&h, node);
        else
            set(&h, node, next_random(&seed) % 1000);
        if (i % 7 == 0)
            CHECK_EQ(deadline_heap_next_us(&h), least_of(nodes));
    }
    for (int64_t last_us = 0; h.count > 0;) {
        int64_t next_us = deadline_heap_next_us(&h);

        CHECK(next_us >= last_us);
        CHECK(deadline_heap_take_due(&h, next_us) != NULL);
        last_us = next_us;
    }
    deadline_heap_done(&h);
}

TAP_CASES(CASE(empty_heap_is_never_due), CASE(earliest_comes_first_once_it_is_due),
          CASE(deadline_moves_both_ways), CASE(never_takes_it_out), CASE(node_outlives_the_heap),
          CASE(next_is_the_least_whatever_happens))
