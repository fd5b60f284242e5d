#include "media/base/bit_reader.h"

#include "tests/tap.h"

static void bits_come_highest_first(void)
{
    static const uint8_t data[] = {0xa5, 0x0f, 0xff, 0x00, 0x81};
    struct bit_reader r = bit_reader_of(data, sizeof(data));

    CHECK_EQ(bit_reader_bits(&r, 1), 1);
    CHECK_EQ(bit_reader_bits(&r, 3), 2);
    CHECK_EQ(bit_reader_bits(&r, 0), 0);
    CHECK_EQ(bit_reader_bits(&r, 6), 0x14);
    CHECK_EQ(bit_reader_left(&r), 30);
    CHECK_EQ(bit_reader_bits(&r, 30), 0x0fff0081);
    CHECK(bit_reader_ok(&r));
    CHECK_EQ(bit_reader_left(&r), 0);
    r = bit_reader_of(data, sizeof(data));
    bit_reader_skip(&r, 7);
    CHECK_EQ(bit_reader_bits(&r, 32), 0x87ff8040);
}

static void past_the_end_is_bad_for_ever(void)
{
    static const uint8_t data[] = {0xff};
    struct bit_reader r = bit_reader_of(data, sizeof(data));

    CHECK_EQ(bit_reader_bits(&r, 9), 0);
    CHECK(!bit_reader_ok(&r));
    CHECK_EQ(bit_reader_bits(&r, 1), 0);
    CHECK_EQ(bit_reader_left(&r), 0);
    r = bit_reader_of(data, sizeof(data));
    bit_reader_skip(&r, 9);
    CHECK(!bit_reader_ok(&r));
    bit_reader_skip(&r, 0);
    CHECK(!bit_reader_ok(&r));
    r = bit_reader_of(NULL, 0);
    CHECK_EQ(bit_reader_bits(&r, 0), 0);
    CHECK(bit_reader_ok(&r));
}

static void exp_golomb_codes_are_read(void)
{
    /* 1 010 011 00100 00101 0001000 */
    static const uint8_t data[] = {0xa6, 0x42, 0x88};
    static const uint8_t longest[] = {0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff};
    static const uint8_t zeros[16] = {0};
    struct bit_reader r = bit_reader_of(data, sizeof(data));

    CHECK_EQ(bit_reader_ue(&r), 0);
    CHECK_EQ(bit_reader_ue(&r), 1);
    CHECK_EQ(bit_reader_ue(&r), 2);
    CHECK_EQ(bit_reader_ue(&r), 3);
    CHECK_EQ(bit_reader_ue(&r), 4);
    CHECK_EQ(bit_reader_ue(&r), 7);
    CHECK(bit_reader_ok(&r));
    r = bit_reader_of(data, sizeof(data));
    CHECK_EQ(bit_reader_se(&r), 0);
    CHECK_EQ(bit_reader_se(&r), 1);
    CHECK_EQ(bit_reader_se(&r), -1);
    CHECK_EQ(bit_reader_se(&r), 2);
    CHECK_EQ(bit_reader_se(&r), -2);
    CHECK_EQ(bit_reader_se(&r), 4);
    r = bit_reader_of(longest, sizeof(longest));
    CHECK_EQ(bit_reader_ue(&r), UINT32_MAX - 1);
    r = bit_reader_of(zeros, sizeof(zeros));
    CHECK_EQ(bit_reader_ue(&r), 0);
    CHECK(!bit_reader_ok(&r));
}

static void non_symmetric_codes_are_read(void)
{
    /* of 5 values: 00 01 10 110 111; of 1 value: no bits; of 4: two bits each */
    static const uint8_t data[] = {0x1b, 0x7b};
    struct bit_reader r = bit_reader_of(data, sizeof(data));

    for (uint32_t i = 0; i < 5; i++)
        CHECK_EQ(bit_reader_ns(&r, 5), i);
    CHECK_EQ(bit_reader_ns(&r, 1), 0);
    CHECK_EQ(bit_reader_left(&r), 4);
    CHECK_EQ(bit_reader_ns(&r, 4), 2);
    CHECK_EQ(bit_reader_ns(&r, 4), 3);
}

TAP_CASES(CASE(bits_come_highest_first), CASE(past_the_end_is_bad_for_ever),
          CASE(exp_golomb_codes_are_read), CASE(non_symmetric_codes_are_read))
