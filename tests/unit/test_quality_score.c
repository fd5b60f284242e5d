#include "media/quality_score.h"

#include "tests/tap.h"

static uint8_t score(uint32_t loss_permille, uint32_t rtt_ms, uint32_t jitter_ms,
                     uint32_t starved_permille)
{
    return quality_score(&(struct quality_figures){.loss_permille = loss_permille,
                                                   .rtt_ms = rtt_ms,
                                                   .jitter_ms = jitter_ms,
                                                   .starved_permille = starved_permille});
}

static void nothing_to_complain_of_is_a_hundred(void)
{
    CHECK_EQ(score(0, 0, 0, 0), 100);
    CHECK_EQ(score(0, 150, 20, 0), 100);
}

static void nothing_that_gets_through_is_nought(void)
{
    CHECK_EQ(score(1000, 0, 0, 0), 0);
    CHECK_EQ(score(UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX), 0);
}

static void each_figure_takes_its_share(void)
{
    CHECK_EQ(score(10, 0, 0, 0), 95);
    CHECK_EQ(score(60, 0, 0, 0), 70);
    CHECK_EQ(score(0, 400, 0, 0), 83);
    CHECK_EQ(score(0, 5000, 0, 0), 65);
    CHECK_EQ(score(0, 0, 50, 0), 90);
    CHECK_EQ(score(0, 0, 0, 500), 70);
    CHECK_EQ(score(60, 400, 50, 500), 13);
}

static void worse_is_never_better(void)
{
    for (uint32_t i = 0; i < 1000; i++) {
        CHECK(score(i + 1, 200, 30, 100) <= score(i, 200, 30, 100));
        CHECK(score(20, i + 1, 30, 100) <= score(20, i, 30, 100));
        CHECK(score(20, 200, i + 1, 100) <= score(20, 200, i, 100));
        CHECK(score(20, 200, 30, i + 1) <= score(20, 200, 30, i));
    }
}

TAP_CASES(CASE(nothing_to_complain_of_is_a_hundred), CASE(nothing_that_gets_through_is_nought),
          CASE(each_figure_takes_its_share), CASE(worse_is_never_better))
