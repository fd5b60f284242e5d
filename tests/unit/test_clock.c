#include "media/base/clock.h"

#include "tests/tap.h"

static void units_are_microseconds(void)
{
    CHECK_EQ(US, 1);
    CHECK_EQ(20 * MS, 20000);
    CHECK_EQ(SECOND, 1000000);
}

static void time_never_goes_back(void)
{
    int64_t last_us = clock_now_us();

    for (int i = 0; i < 1000; i++) {
        int64_t now_us = clock_now_us();

        CHECK(now_us >= last_us);
        last_us = now_us;
    }
    CHECK(last_us < NEVER_US);
}

static void wall_clock_is_in_this_century(void)
{
    CHECK(clock_wall_us() > 1700000000 * SECOND);
    CHECK(clock_wall_us() < 4102444800 * SECOND);
}

TAP_CASES(CASE(units_are_microseconds), CASE(time_never_goes_back),
          CASE(wall_clock_is_in_this_century))
