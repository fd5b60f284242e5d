#include "media/base/reader.h"

#include "tests/tap.h"

static const uint8_t bytes[] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};

static void numbers_are_big_endian(void)
{
    struct reader r = reader_of(bytes, sizeof(bytes));

    CHECK_EQ(reader_u8(&r), 0x01);
    CHECK_EQ(reader_u16(&r), 0x2345);
    CHECK_EQ(reader_u24(&r), 0x6789ab);
    CHECK_EQ(reader_left(&r), 2);
    CHECK(reader_ok(&r));

    r = reader_of(bytes, sizeof(bytes));
    CHECK_EQ(reader_u32(&r), 0x01234567);

    r = reader_of(bytes, sizeof(bytes));
    CHECK(reader_u64(&r) == 0x0123456789abcdef);
    CHECK(reader_ok(&r));
    CHECK_EQ(reader_left(&r), 0);
}

static void highest_bits_do_not_sign_extend(void)
{
    static const uint8_t ones[] = {255, 255, 255, 255, 255, 255, 255, 255};
    struct reader r = reader_of(ones, sizeof(ones));

    CHECK(reader_u64(&r) == UINT64_MAX);
    r = reader_of(ones, sizeof(ones));
    CHECK_EQ(reader_u32(&r), UINT32_MAX);
    CHECK_EQ(reader_u24(&r), 0xffffff);
}

static void read_past_the_end_is_zero_and_fails_for_ever(void)
{
    struct reader r = reader_of(bytes, 3);

    CHECK_EQ(reader_u32(&r), 0);
    CHECK(!reader_ok(&r));
    CHECK_EQ(reader_left(&r), 0);
    CHECK_EQ(reader_u8(&r), 0);
    CHECK(!reader_ok(&r));
}

static void half_a_number_is_no_number(void)
{
    struct reader r = reader_of(bytes, 7);

    CHECK(reader_u64(&r) >> 32 == 0x01234567);
    CHECK(!reader_ok(&r));
}

static void huge_length_is_refused(void)
{
    struct reader r = reader_of(bytes, sizeof(bytes));

    reader_skip(&r, 1);
    CHECK(!reader_bytes(&r, SIZE_MAX));
    CHECK(!reader_ok(&r));
}

static void empty_input_is_fine_until_read(void)
{
    struct reader r = reader_of(bytes, 0);

    CHECK(reader_ok(&r));
    CHECK_EQ(reader_left(&r), 0);
    CHECK(reader_bytes(&r, 0) == bytes);
    CHECK_EQ(reader_u8(&r), 0);
    CHECK(!reader_ok(&r));
}

static void bytes_are_borrowed_in_place(void)
{
    struct reader r = reader_of(bytes, sizeof(bytes));

    reader_skip(&r, 2);
    CHECK(reader_bytes(&r, 3) == bytes + 2);
    CHECK_EQ(reader_left(&r), 3);
}

static void sub_reader_ends_where_it_was_told(void)
{
    struct reader r = reader_of(bytes, sizeof(bytes));
    struct reader sub = reader_sub(&r, 2);

    CHECK_EQ(reader_u16(&sub), 0x0123);
    CHECK_EQ(reader_u8(&sub), 0);
    CHECK(!reader_ok(&sub));
    CHECK(reader_ok(&r));
    CHECK_EQ(reader_u8(&r), 0x45);
}

static void sub_reader_of_too_much_spoils_both(void)
{
    struct reader r = reader_of(bytes, sizeof(bytes));
    struct reader sub = reader_sub(&r, 9);

    CHECK(!reader_ok(&sub));
    CHECK(!reader_ok(&r));
    CHECK_EQ(reader_left(&sub), 0);
}

TAP_CASES(CASE(numbers_are_big_endian), CASE(highest_bits_do_not_sign_extend),
          CASE(read_past_the_end_is_zero_and_fails_for_ever), CASE(half_a_number_is_no_number),
          CASE(huge_length_is_refused), CASE(empty_input_is_fine_until_read),
          CASE(bytes_are_borrowed_in_place), CASE(sub_reader_ends_where_it_was_told),
          CASE(sub_reader_of_too_much_spoils_both))
