#include "media/base/writer.h"

#include "tests/tap.h"

static void numbers_are_big_endian(void)
{
    static const uint8_t expected[] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xfe, 0xdc, 0xba,
                                       0x98, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
    uint8_t out[sizeof(expected)];
    struct writer w = writer_of(out, sizeof(out));

    writer_u8(&w, 0x01);
    writer_u16(&w, 0x2345);
    writer_u24(&w, 0x6789ab);
    writer_u32(&w, 0xfedcba98);
    writer_u64(&w, 0x0123456789abcdef);
    CHECK(writer_ok(&w));
    CHECK_EQ(w.len, sizeof(expected));
    CHECK_EQ(writer_left(&w), 0);
    CHECK_MEM(out, expected, sizeof(expected));
}

static void write_that_does_not_fit_writes_nothing_and_fails_for_ever(void)
{
    uint8_t out[4] = {7, 7, 7, 7};
    struct writer w = writer_of(out, 3);

    writer_u16(&w, 0);
    writer_u16(&w, 0);
    CHECK(!writer_ok(&w));
    CHECK_EQ(w.len, 2);
    CHECK_EQ(out[2], 7);
    writer_u8(&w, 1);
    CHECK_EQ(w.len, 2);
    CHECK_EQ(out[2], 7);
    CHECK_EQ(writer_left(&w), 0);
}

static void huge_length_is_refused(void)
{
    uint8_t out[4];
    struct writer w = writer_of(out, sizeof(out));

    writer_u8(&w, 1);
    CHECK(!writer_reserve(&w, SIZE_MAX));
    CHECK(!writer_ok(&w));
}

static void bytes_are_copied(void)
{
    uint8_t out[4];
    struct writer w = writer_of(out, sizeof(out));

    writer_bytes(&w, "abcd", 4);
    writer_bytes(&w, NULL, 0);
    CHECK(writer_ok(&w));
    CHECK_MEM(out, "abcd", 4);
    writer_bytes(&w, "e", 1);
    CHECK(!writer_ok(&w));
}

static void length_is_patched_afterwards(void)
{
    uint8_t out[8];
    struct writer w = writer_of(out, sizeof(out));

    writer_u16(&w, 0);
    writer_u32(&w, 0xaabbccdd);
    writer_patch_u16(&w, 0, 0x0102);
    CHECK_EQ(w.len, 6);
    CHECK_MEM(out, "\x01\x02\xaa\xbb\xcc\xdd", 6);
}

static void patch_beyond_what_was_written_does_nothing(void)
{
    uint8_t out[4] = {7, 7, 7, 7};
    struct writer w = writer_of(out, sizeof(out));

    writer_u16(&w, 0);
    writer_patch_u16(&w, 1, 0x0101);
    CHECK_EQ(out[1], 0);
    CHECK_EQ(out[2], 7);
}

TAP_CASES(CASE(numbers_are_big_endian),
          CASE(write_that_does_not_fit_writes_nothing_and_fails_for_ever),
          CASE(huge_length_is_refused), CASE(bytes_are_copied), CASE(length_is_patched_afterwards),
          CASE(patch_beyond_what_was_written_does_nothing))
