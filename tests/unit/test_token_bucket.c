#include "media/base/token_bucket.h"

#include "media/base/clock.h"
#include "tests/tap.h"

enum { PER_S = 10, BURST = 5 };

static uint32_t take(struct token_bucket *b, uint32_t n, int64_t now_us)
{
    return token_bucket_take(b, PER_S, BURST, n, now_us);
}

static void a_new_bucket_has_its_burst_and_no_more(void)
{
    struct token_bucket b = {0};

    for (int i = 0; i < BURST; i++)
        CHECK_EQ(take(&b, 1, SECOND), 0);
    CHECK(take(&b, 1, SECOND) > 0);
}

static void who_waits_as_told_gets_one(void)
{
    struct token_bucket b = {0};
    uint32_t wait_ms;

    CHECK_EQ(take(&b, BURST, SECOND), 0);
    wait_ms = take(&b, 1, SECOND);
    CHECK(wait_ms >= 100 && wait_ms <= 101);
    CHECK(take(&b, 1, SECOND + 99 * MS) > 0);
    CHECK_EQ(take(&b, 1, SECOND + wait_ms * MS), 0);
    CHECK(take(&b, 1, SECOND + wait_ms * MS) > 0);
}

static void a_refusal_takes_nothing(void)
{
    struct token_bucket b = {0};

    CHECK_EQ(take(&b, BURST, SECOND), 0);
    for (int i = 0; i < 1000; i++)
        CHECK(take(&b, 1, SECOND) > 0);
    CHECK_EQ(take(&b, 1, SECOND + 101 * MS), 0);
}

static void the_long_run_is_at_the_rate(void)
{
    struct token_bucket b = {0};
    uint32_t taken = 0;

    for (int64_t now_us = 0; now_us < 100 * SECOND; now_us += 7 * MS)
        taken += take(&b, 1, now_us) == 0;
    CHECK(taken >= 100 * PER_S && taken <= 100 * PER_S + BURST);
}

static void a_pause_of_years_fills_it_once(void)
{
    struct token_bucket b = {0};

    CHECK_EQ(token_bucket_take(&b, UINT32_MAX, BURST, BURST, 1), 0);
    CHECK_EQ(token_bucket_take(&b, UINT32_MAX, BURST, BURST, INT64_MAX), 0);
    CHECK(token_bucket_take(&b, UINT32_MAX, BURST, 1, INT64_MAX) > 0);
}

static void more_than_the_burst_is_owed(void)
{
    struct token_bucket b = {0};

    CHECK_EQ(take(&b, 4 * BURST, SECOND), 0); /* 20: 15 are owed */
    CHECK(take(&b, 1, SECOND + 1500 * MS) > 0);
    CHECK_EQ(take(&b, 1, SECOND + 1601 * MS), 0);
}

static void no_rate_is_no_limit(void)
{
    struct token_bucket b = {0};

    for (int i = 0; i < 1000; i++)
        CHECK_EQ(token_bucket_take(&b, 0, 1, 1000, SECOND), 0);
}

static void a_clock_that_stands_still_or_goes_back_gives_nothing(void)
{
    struct token_bucket b = {0};

    CHECK_EQ(take(&b, BURST, 10 * SECOND), 0);
    CHECK(take(&b, 1, 9 * SECOND) > 0);
    CHECK(take(&b, 1, 10 * SECOND) > 0);
}

TAP_CASES(CASE(a_new_bucket_has_its_burst_and_no_more), CASE(who_waits_as_told_gets_one),
          CASE(a_refusal_takes_nothing), CASE(the_long_run_is_at_the_rate),
          CASE(a_pause_of_years_fills_it_once), CASE(more_than_the_burst_is_owed),
          CASE(no_rate_is_no_limit), CASE(a_clock_that_stands_still_or_goes_back_gives_nothing))
