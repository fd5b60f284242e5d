#include "media/rollover.h"

#include "tests/tap.h"

#include <errno.h>

enum { CYCLE = 1 << 16, SSRC = 0xcafe };

/* @return the index, or -errno */
static int64_t index_of(struct rollover *r, uint32_t ssrc, uint16_t seq)
{
    uint64_t index;
    int err = rollover_index(r, ssrc, seq, &index);

    return err < 0 ? err : (int64_t)index;
}

static void first_number_begins_in_cycle_0(void)
{
    struct rollover r;

    rollover_init(&r);
    CHECK_EQ(index_of(&r, 1, 0), 0);
    CHECK_EQ(index_of(&r, 2, 40000), 40000);
    CHECK_EQ(index_of(&r, 3, 65535), 65535);
    rollover_done(&r);
}

static void wrap_begins_the_next_cycle(void)
{
    struct rollover r;

    rollover_init(&r);
    for (int64_t index = 65000; index < 4 * CYCLE; index += 100)
        CHECK_EQ(index_of(&r, SSRC, (uint16_t)index), index);
    rollover_done(&r);
}

static void number_before_the_wrap_keeps_its_cycle(void)
{
    struct rollover r;

    rollover_init(&r);
    CHECK_EQ(index_of(&r, SSRC, 65530), 65530);
    CHECK_EQ(index_of(&r, SSRC, 3), CYCLE + 3);
    CHECK_EQ(index_of(&r, SSRC, 65530), 65530);
    CHECK_EQ(index_of(&r, SSRC, 65535), 65535);
    CHECK_EQ(index_of(&r, SSRC, 0), CYCLE);
    CHECK_EQ(index_of(&r, SSRC, 4), CYCLE + 4);
    rollover_done(&r);
}

static void half_a_cycle_ahead_is_newer(void)
{
    struct rollover r;

    rollover_init(&r);
    CHECK_EQ(index_of(&r, SSRC, 40000), 40000);
    CHECK_EQ(index_of(&r, SSRC, (uint16_t)(40000 + CYCLE / 2)), -ESTALE); /* the tie */
    CHECK_EQ(index_of(&r, SSRC, (uint16_t)(40000 + CYCLE / 2 - 1)), 40000 + CYCLE / 2 - 1);
    CHECK_EQ(index_of(&r, SSRC, 7231 + CYCLE / 2), 7231 + CYCLE + CYCLE / 2);
    rollover_done(&r);
}

static void nothing_comes_before_cycle_0(void)
{
    struct rollover r;

    rollover_init(&r);
    CHECK_EQ(index_of(&r, SSRC, 5), 5);
    CHECK_EQ(index_of(&r, SSRC, 65535), 65535); /* not 6 behind */
    rollover_done(&r);
}

static void window_ends_after_1023_numbers(void)
{
    struct rollover r;

    rollover_init(&r);
    CHECK_EQ(index_of(&r, SSRC, 65000), 65000);
    CHECK_EQ(index_of(&r, SSRC, 500), CYCLE + 500);
    CHECK_EQ(index_of(&r, SSRC, (uint16_t)(500 - ROLLOVER_WINDOW + 1)),
             CYCLE + 500 - ROLLOVER_WINDOW + 1);
    CHECK_EQ(index_of(&r, SSRC, (uint16_t)(500 - ROLLOVER_WINDOW)), -ESTALE);
    rollover_done(&r);
}

static void streams_stay_apart_up_to_the_limit(void)
{
    struct rollover r;

    rollover_init(&r);
    for (uint32_t ssrc = 0; ssrc < ROLLOVER_MAX; ssrc++)
        CHECK_EQ(index_of(&r, ssrc << 16, (uint16_t)(60000 + ssrc)), 60000 + ssrc);
    CHECK_EQ(index_of(&r, 0xffffffff, 1), -ENOSPC);
    for (uint32_t ssrc = 0; ssrc < ROLLOVER_MAX; ssrc++)
        CHECK_EQ(index_of(&r, ssrc << 16, (uint16_t)ssrc), CYCLE + ssrc);
    rollover_done(&r);
}

static void used_up_key_ends_the_stream(void)
{
    struct rollover r;
    size_t at = 0;

    rollover_init(&r);
    CHECK_EQ(index_of(&r, SSRC, 1), 1);
    while (!r.few[at].used)
        at++;
    r.few[at].newest = (UINT64_C(1) << 48) - 2;
    CHECK_EQ(index_of(&r, SSRC, 65535), (INT64_C(1) << 48) - 1);
    CHECK_EQ(index_of(&r, SSRC, 0), -EOVERFLOW);
    CHECK_EQ(index_of(&r, SSRC, 65534), (INT64_C(1) << 48) - 2);
    rollover_done(&r);
}

static void next_counts_each_ssrc_from_1(void)
{
    struct rollover r;
    uint64_t index;

    rollover_init(&r);
    for (uint64_t n = 1; n <= 70000; n++) {
        CHECK_EQ(rollover_next(&r, 1, UINT32_MAX, &index), 0);
        CHECK_EQ(index, n);
    }
    CHECK_EQ(rollover_next(&r, 2, UINT32_MAX, &index), 0);
    CHECK_EQ(index, 1);
    rollover_done(&r);
}

static void next_ends_at_the_limit(void)
{
    struct rollover r;
    uint64_t index = 0;

    rollover_init(&r);
    CHECK_EQ(rollover_next(&r, 1, 2, &index), 0);
    CHECK_EQ(rollover_next(&r, 1, 2, &index), 0);
    CHECK_EQ(rollover_next(&r, 1, 2, &index), -EOVERFLOW);
    CHECK_EQ(rollover_next(&r, 1, 2, &index), -EOVERFLOW);
    CHECK_EQ(index, 2);
    for (uint32_t ssrc = 2; ssrc <= ROLLOVER_MAX; ssrc++)
        CHECK_EQ(rollover_next(&r, ssrc, 2, &index), 0);
    CHECK_EQ(rollover_next(&r, 0, 2, &index), -ENOSPC);
    rollover_done(&r);
}

TAP_CASES(CASE(first_number_begins_in_cycle_0), CASE(wrap_begins_the_next_cycle),
          CASE(number_before_the_wrap_keeps_its_cycle), CASE(half_a_cycle_ahead_is_newer),
          CASE(nothing_comes_before_cycle_0), CASE(window_ends_after_1023_numbers),
          CASE(streams_stay_apart_up_to_the_limit), CASE(used_up_key_ends_the_stream),
          CASE(next_counts_each_ssrc_from_1), CASE(next_ends_at_the_limit))
