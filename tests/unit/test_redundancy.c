#include "media/redundancy.h"

#include "tests/tap.h"

static void losses_call_for_redundancy_at_once(void)
{
    struct redundancy r = {0};

    CHECK_EQ(redundancy_update(&r, 0, 2, 1 * SECOND), 0);
    CHECK_EQ(redundancy_update(&r, 0.019, 2, 2 * SECOND), 0);
    CHECK_EQ(redundancy_update(&r, 0.02, 2, 3 * SECOND), 1);
    CHECK_EQ(redundancy_update(&r, 0.1, 2, 4 * SECOND), 2);
}

static void it_ends_when_losses_have_been_over_for_a_while(void)
{
    struct redundancy r = {0};

    CHECK_EQ(redundancy_update(&r, 0.12, 2, 1 * SECOND), 2);
    for (int64_t s = 2; s <= 11; s++)
        CHECK_EQ(redundancy_update(&r, 0.04, 2, s * SECOND), 2);
    CHECK_EQ(redundancy_update(&r, 0.04, 2, 12 * SECOND), 1);
    for (int64_t s = 13; s <= 22; s++)
        CHECK_EQ(redundancy_update(&r, 0.009, 2, s * SECOND), 1);
    CHECK_EQ(redundancy_update(&r, 0.009, 2, 23 * SECOND), 0);
}

static void losses_between_the_thresholds_keep_what_there_is(void)
{
    struct redundancy r = {0};

    CHECK_EQ(redundancy_update(&r, 0.02, 2, 1 * SECOND), 1);
    for (int64_t s = 2; s < 100; s++)
        CHECK_EQ(redundancy_update(&r, s % 5 ? 0.001 : 0.01, 2, s * SECOND), 1);
}

static void there_is_no_more_than_room(void)
{
    struct redundancy r = {0};

    CHECK_EQ(redundancy_update(&r, 0.2, 1, 1 * SECOND), 1);
    CHECK_EQ(redundancy_update(&r, 0.2, 0, 2 * SECOND), 0);
    CHECK_EQ(redundancy_update(&r, 0.2, 9, 3 * SECOND), 2);
}

TAP_CASES(CASE(losses_call_for_redundancy_at_once),
          CASE(it_ends_when_losses_have_been_over_for_a_while),
          CASE(losses_between_the_thresholds_keep_what_there_is), CASE(there_is_no_more_than_room))
