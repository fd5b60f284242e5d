#include "bench/histogram.h"
#include "tests/tap.h"

static struct histogram h;

static void clear(void)
{
    h = (struct histogram){0};
}

static void an_empty_one_says_0(void)
{
    clear();
    CHECK_EQ(histogram_quantile(&h, 0.5), 0);
    CHECK_EQ(histogram_quantile(&h, 1), 0);
}

static void small_values_are_exact(void)
{
    clear();
    for (int i = 1; i <= 60; i++)
        histogram_add(&h, i);
    CHECK_EQ(histogram_quantile(&h, 0.5), 30);
    CHECK_EQ(histogram_quantile(&h, 0.1), 6);
    CHECK_EQ(histogram_quantile(&h, 1), 60);
    CHECK_EQ(h.max, 60);
}

static void every_value_is_found_within_3_percent(void)
{
    for (int64_t value = 1; value < INT64_C(30000000000); value += 1 + value / 7) {
        clear();
        histogram_add(&h, value);
        histogram_add(&h, INT64_C(1) << 40);
        CHECK(histogram_quantile(&h, 0.5) >= value);
        CHECK(histogram_quantile(&h, 0.5) <= value + value / 32);
    }
}

static void the_tail_is_not_lost(void)
{
    clear();
    for (int i = 0; i < 999; i++)
        histogram_add(&h, 100);
    histogram_add(&h, 5000);
    CHECK(histogram_quantile(&h, 0.999) < 110);
    CHECK_EQ(histogram_quantile(&h, 1), 5000);
}

static void negative_and_huge_values_count_at_the_ends(void)
{
    clear();
    histogram_add(&h, -5);
    histogram_add(&h, INT64_MAX);
    CHECK_EQ(h.count, 2);
    CHECK_EQ(histogram_quantile(&h, 0.5), 0);
    CHECK(histogram_quantile(&h, 1) > INT64_C(30000000000));
}

TAP_CASES(CASE(an_empty_one_says_0), CASE(small_values_are_exact),
          CASE(every_value_is_found_within_3_percent), CASE(the_tail_is_not_lost),
          CASE(negative_and_huge_values_count_at_the_ends))
