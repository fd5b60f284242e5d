#include "media/acked_rate.h"

#include "media/base/clock.h"
#include "tests/tap.h"

#include <math.h>

/* `n` packets of 1,000 bytes, `interval_us` apart. @return when the next would come */
static int64_t arrive(struct acked_rate *a, int n, int64_t at_us, int64_t interval_us)
{
    for (int i = 0; i < n; i++)
        acked_rate_on_packet(a, at_us + i * interval_us, 1000);
    return at_us + n * interval_us;
}

static bool is_about(double value, double expected)
{
    return fabs(value - expected) < 0.05 * expected;
}

static void few_packets_are_no_rate(void)
{
    struct acked_rate a;

    acked_rate_init(&a);
    CHECK(acked_rate_bps(&a, SECOND) == 0);
    arrive(&a, 4, 0, 10 * MS);
    CHECK(acked_rate_bps(&a, SECOND) == 0);
}

static void rate_is_that_of_the_window(void)
{
    struct acked_rate a;
    int64_t at_us;

    acked_rate_init(&a);
    at_us = arrive(&a, 100, -7 * SECOND, 8 * MS); /* 1 Mbit/s */
    CHECK(is_about(acked_rate_bps(&a, 200 * MS), 1e6));
    CHECK(is_about(acked_rate_bps(&a, 600 * MS), 1e6));
    at_us = arrive(&a, 100, at_us, 2 * MS); /* 4 Mbit/s for 200 ms */
    CHECK(is_about(acked_rate_bps(&a, 190 * MS), 4e6));
    CHECK(is_about(acked_rate_bps(&a, 600 * MS), 2e6));
    (void)at_us;
}

static void slow_streams_have_a_longer_window(void)
{
    struct acked_rate a;

    acked_rate_init(&a);
    arrive(&a, 20, 0, 100 * MS);
    CHECK(is_about(acked_rate_bps(&a, 200 * MS), 80e3));
}

static void bursts_and_overtaking_count_in_full(void)
{
    struct acked_rate a;

    acked_rate_init(&a);
    for (int i = 0; i < 50; i++) { /* 4 packets at once every 32 ms, one of them late */
        arrive(&a, 3, i * 32 * MS, 0);
        acked_rate_on_packet(&a, i * 32 * MS - 10 * MS, 1000);
    }
    CHECK(is_about(acked_rate_bps(&a, 600 * MS), 1e6));
}

static void time_without_results_does_not_count(void)
{
    struct acked_rate a;
    int64_t at_us;

    acked_rate_init(&a);
    at_us = arrive(&a, 50, 0, 8 * MS);
    acked_rate_on_gap(&a);
    arrive(&a, 10, at_us + 100 * MS, 8 * MS);
    CHECK(is_about(acked_rate_bps(&a, 200 * MS), 1e6));
}

static void leaping_clock_begins_anew(void)
{
    struct acked_rate a;

    acked_rate_init(&a);
    arrive(&a, 50, 0, 8 * MS);
    acked_rate_on_packet(&a, 100 * SECOND, 1000);
    CHECK(acked_rate_bps(&a, 200 * MS) == 0);
    arrive(&a, 50, 100 * SECOND + 8 * MS, 8 * MS);
    CHECK(is_about(acked_rate_bps(&a, 200 * MS), 1e6));
    arrive(&a, 50, -100 * SECOND, 4 * MS);
    CHECK(is_about(acked_rate_bps(&a, 200 * MS), 2e6));
}

TAP_CASES(CASE(few_packets_are_no_rate), CASE(rate_is_that_of_the_window),
          CASE(slow_streams_have_a_longer_window), CASE(bursts_and_overtaking_count_in_full),
          CASE(time_without_results_does_not_count), CASE(leaping_clock_begins_anew))
