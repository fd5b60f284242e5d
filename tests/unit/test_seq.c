#include "media/seq.h"

#include "tests/tap.h"

static void closest_number_is_taken(void)
{
    CHECK_EQ(seq_unwrap(100000, (uint16_t)100000), 100000);
    CHECK_EQ(seq_unwrap(100000, (uint16_t)100001), 100001);
    CHECK_EQ(seq_unwrap(100000, (uint16_t)99999), 99999);
    CHECK_EQ(seq_unwrap(100000, (uint16_t)(100000 + 32767)), 100000 + 32767);
    CHECK_EQ(seq_unwrap(100000, (uint16_t)(100000 - 32767)), 100000 - 32767);
}

static void half_the_space_away_is_behind(void)
{
    CHECK_EQ(seq_unwrap(100000, (uint16_t)(100000 + 32768)), 100000 - 32768);
}

static void wrap_goes_on_counting(void)
{
    CHECK_EQ(seq_unwrap(SEQ_FIRST_CYCLE + 65535, 0), SEQ_FIRST_CYCLE + 65536);
    CHECK_EQ(seq_unwrap(SEQ_FIRST_CYCLE + 65536, 65535), SEQ_FIRST_CYCLE + 65535);
}

static void late_number_before_the_first_stays_positive(void)
{
    CHECK_EQ(seq_unwrap(SEQ_FIRST_CYCLE, 32768), 32768);
}

TAP_CASES(CASE(closest_number_is_taken), CASE(half_the_space_away_is_behind),
          CASE(wrap_goes_on_counting), CASE(late_number_before_the_first_stays_positive))
