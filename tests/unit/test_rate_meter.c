#include "media/rate_meter.h"

#include "media/base/clock.h"
#include "tests/tap.h"

enum { LEN = 1000, HZ = 50 };

/* One packet of a layer every 20 ms for so long: 400 kbit/s. @return when it ended */
static int64_t feed(struct rate_meter *m, uint8_t sid, uint8_t tid, int64_t from_us, int64_t us)
{
    int64_t now_us = from_us;

    for (; now_us < from_us + us; now_us += SECOND / HZ)
        rate_meter_count(m, sid, tid, LEN, sid == 0, now_us);
    return now_us;
}

static void a_steady_stream_is_told_after_a_quarter_of_a_second(void)
{
    struct rate_meter m;

    rate_meter_init(&m);
    (void)feed(&m, 0, 0, 5 * SECOND, 240 * MS);
    CHECK_EQ(rate_meter_rate(&m, 0, 0), 0);
    (void)feed(&m, 0, 0, 5 * SECOND + 240 * MS, 40 * MS);
    CHECK(rate_meter_rate(&m, 0, 0) >= 380000 && rate_meter_rate(&m, 0, 0) <= 420000);
    (void)feed(&m, 0, 0, 5 * SECOND + 280 * MS, 10 * SECOND);
    CHECK(rate_meter_rate(&m, 0, 0) >= 380000 && rate_meter_rate(&m, 0, 0) <= 420000);
    CHECK(rate_meter_pictures(&m) >= HZ - 2 && rate_meter_pictures(&m) <= HZ + 2);
}

static void rates_of_layers_add_up(void)
{
    struct rate_meter m;

    rate_meter_init(&m);
    for (int i = 0; i < 100; i++) {
        for (uint8_t sid = 0; sid < 3; sid++)
            rate_meter_count(&m, sid, (uint8_t)(i % 2), LEN, false, SECOND + i * 20 * MS);
    }
    CHECK(rate_meter_rate(&m, 0, 0) > 180000 && rate_meter_rate(&m, 0, 0) < 220000);
    CHECK(rate_meter_rate(&m, 0, 1) > 380000 && rate_meter_rate(&m, 0, 1) < 420000);
    CHECK(rate_meter_rate(&m, 2, 0) > 550000 && rate_meter_rate(&m, 2, 0) < 650000);
    CHECK(rate_meter_rate(&m, 255, 255) > 1150000 && rate_meter_rate(&m, 255, 255) < 1250000);
}

static void a_layer_that_ends_is_forgotten_in_a_second(void)
{
    struct rate_meter m;
    int64_t now_us;

    rate_meter_init(&m);
    now_us = feed(&m, 1, 0, SECOND, 2 * SECOND);
    (void)feed(&m, 0, 0, now_us, 1300 * MS);
    CHECK_EQ(rate_meter_rate(&m, 1, 0), rate_meter_rate(&m, 0, 0));
}

static void nothing_of_before_a_pause_counts(void)
{
    struct rate_meter m;
    int64_t now_us;

    rate_meter_init(&m);
    now_us = feed(&m, 0, 0, SECOND, 2 * SECOND) + 3 * SECOND;
    rate_meter_count(&m, 0, 0, LEN, true, now_us);
    CHECK_EQ(rate_meter_rate(&m, 0, 0), 0);
    CHECK_EQ(rate_meter_pictures(&m), 0);
}

TAP_CASES(CASE(a_steady_stream_is_told_after_a_quarter_of_a_second), CASE(rates_of_layers_add_up),
          CASE(a_layer_that_ends_is_forgotten_in_a_second), CASE(nothing_of_before_a_pause_counts))
