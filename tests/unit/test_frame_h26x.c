#include "media/frame_h26x.h"

#include "media/frame_info.h"
#include "tests/tap.h"

#define READ(codec, ...) \
    read_bytes((codec), (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static struct frame_info read_bytes(enum codec codec, const uint8_t *payload, size_t len)
{
    struct frame_packet packet = {.codec = codec, .marker = true, .payload = payload, .len = len};
    struct frame_info info;

    frame_info_read(&info, &packet, NULL);
    return info;
}

static void h264_key_frame_is_parameters_or_a_first_slice(void)
{
    CHECK(READ(CODEC_H264, 0x67, 0x42).starts_key);
    CHECK(READ(CODEC_H264, 0x65, 0x88).starts_key);
    CHECK(!READ(CODEC_H264, 0x65, 0x08).starts_key); /* a later slice */
    CHECK(!READ(CODEC_H264, 0x65).starts_key);
    CHECK(!READ(CODEC_H264, 0x41, 0x88).starts_key); /* not an IDR */
    CHECK(!READ(CODEC_H264, 0x68, 0x88).starts_key); /* picture parameters alone */
}

static void h264_aggregate_is_searched(void)
{
    CHECK(READ(CODEC_H264, 0x78, 0, 2, 0x68, 1, 0, 2, 0x67, 1).starts_key);
    CHECK(READ(CODEC_H264, 0x79, 0, 9, 0, 2, 0x67, 1).starts_key); /* STAP-B */
    CHECK(!READ(CODEC_H264, 0x78, 0, 2, 0x68, 1, 0, 2, 0x41, 0x88).starts_key);
    CHECK(!READ(CODEC_H264, 0x78, 0, 9, 0x67, 1).starts_key);       /* passes the end */
    CHECK(!READ(CODEC_H264, 0x78, 0, 0, 0, 2, 0x67, 1).starts_key); /* empty unit */
    CHECK(!READ(CODEC_H264, 0x78, 0, 1, 0x65, 0x88, 0x88)
               .starts_key); /* slice bytes of another unit */
    CHECK(!READ(CODEC_H264, 0x78).starts_key);
}

static void h264_fragment_counts_at_its_start(void)
{
    CHECK(READ(CODEC_H264, 0x7c, 0x85, 0x88).starts_key);
    CHECK(READ(CODEC_H264, 0x7d, 0x85, 0, 9, 0x88).starts_key); /* FU-B */
    CHECK(!READ(CODEC_H264, 0x7c, 0x05, 0x88).starts_key);
    CHECK(!READ(CODEC_H264, 0x7c, 0x81, 0x88).starts_key);
    CHECK(!READ(CODEC_H264, 0x7c).starts_key);
}

static void h265_key_frame_is_parameters_or_a_first_slice(void)
{
    CHECK(READ(CODEC_H265, 32 << 1, 1).starts_key);
    CHECK(READ(CODEC_H265, 33 << 1, 1).starts_key);
    CHECK(READ(CODEC_H265, 19 << 1, 1, 0x80).starts_key);
    CHECK(READ(CODEC_H265, 21 << 1, 1, 0x80).starts_key);
    CHECK(!READ(CODEC_H265, 22 << 1, 1, 0x80).starts_key);
    CHECK(!READ(CODEC_H265, 15 << 1, 1, 0x80).starts_key);
    CHECK(!READ(CODEC_H265, 19 << 1, 1, 0x00).starts_key); /* a later slice */
    CHECK(!READ(CODEC_H265, 34 << 1, 1).starts_key);
    CHECK(!READ(CODEC_H265, 32 << 1).starts_key);
}

static void h265_aggregate_and_fragment_are_looked_into(void)
{
    CHECK(READ(CODEC_H265, 48 << 1, 1, 0, 2, 34 << 1, 1, 0, 3, 33 << 1, 1, 0).starts_key);
    CHECK(!READ(CODEC_H265, 48 << 1, 1, 0, 2, 34 << 1, 1, 0, 9, 33 << 1, 1, 0).starts_key);
    CHECK(!READ(CODEC_H265, 48 << 1, 1, 0, 1, 33 << 1).starts_key);
    CHECK(READ(CODEC_H265, 49 << 1, 1, 0x80 | 19, 0x80).starts_key);
    CHECK(!READ(CODEC_H265, 49 << 1, 1, 19, 0x80).starts_key);
    CHECK(!READ(CODEC_H265, 49 << 1, 1, 0x80 | 19).starts_key);
}

static void h264_sequence_parameters_tell_the_size(void)
{
    /* by openh264: 640 x 360, 854 x 478 cropped, of the baseline and the high profile */
    struct frame_info info = READ(CODEC_H264, 0x67, 0x42, 0xc0, 0x1e, 0x8c, 0x8d, 0x40, 0x50, 0x17,
                                  0xfc, 0xb0, 0x0f, 0x08, 0x84, 0x6a);

    CHECK_EQ(info.width, 640);
    CHECK_EQ(info.height, 360);
    info = READ(CODEC_H264, 0x67, 0x64, 0x0c, 0x1e, 0xac, 0x19, 0x1a, 0x80, 0xa0, 0x2f, 0xf9, 0x60,
                0x1e, 0x11, 0x08, 0xd4);
    CHECK_EQ(info.width, 640);
    CHECK_EQ(info.height, 360);
    info = READ(CODEC_H264, 0x78, 0, 16, 0x67, 0x64, 0x0c, 0x1f, 0xac, 0x19, 0x1a, 0x80, 0xd8, 0x3d,
                0xe6, 0xa8, 0x07, 0x84, 0x42, 0x35, 0, 4, 0x68, 0xce, 0x3c, 0x80);
    CHECK_EQ(info.width, 854);
    CHECK_EQ(info.height, 478);
}

static void h264_rare_sequence_parameters_are_read(void)
{
    static const char bits[] = "11110100 00000000 00011110 1" /* profile, level, id */
                               "00100 1 1 1 0"                /* 4:4:4, apart */
                               "1 1 000010001 00000000000"    /* a list that ends at once */
                               "1 010 1 1 1 011 1 1"          /* order count type 1 */
                               "1 0 00101 00110 0 00"         /* 5 x 6 x 2 macroblocks */
                               "1 010 011 1 010";             /* cut: 1 + 2, 0 + 1 */
    uint8_t payload[64] = {0x67};
    struct frame_info info;
    size_t n = 0;

    for (const char *bit = bits; *bit; bit++) {
        if (*bit == ' ')
            continue;
        payload[1 + n / 8] |= (uint8_t)((*bit == '1') << (7 - n % 8));
        n++;
    }
    info = read_bytes(CODEC_H264, payload, sizeof(payload));
    CHECK_EQ(info.width, 5 * 16 - 3);
    CHECK_EQ(info.height, 2 * 6 * 16 - 2 * 1);
}

static void h264_bytes_against_start_codes_are_left_out(void)
{
    /* 16 x 16, order count type 2, at level 0, which takes an escape: 42 00 00 03 00 */
    struct frame_info info = READ(CODEC_H264, 0x67, 0x42, 0x00, 0x00, 0x03, 0xdb, 0xf8);

    CHECK_EQ(info.width, 16);
    CHECK_EQ(info.height, 16);
}

static void cut_sequence_parameters_tell_no_size(void)
{
    static const uint8_t sps[] = {0x67, 0x42, 0xc0, 0x1e, 0x8c, 0x8d, 0x40, 0x50, 0x17, 0xfc, 0xb0};

    for (size_t len = 1; len < sizeof(sps); len++) {
        CHECK(read_bytes(CODEC_H264, sps, len).starts_key);
        CHECK_EQ(read_bytes(CODEC_H264, sps, len).width, 0);
    }
    CHECK_EQ(read_bytes(CODEC_H264, sps, sizeof(sps)).width, 640);
}

static void absurd_sizes_are_none(void)
{
    /* width of 2^32 - 1 macroblocks; more cut than there is */
    CHECK_EQ(READ(CODEC_H264, 0x67, 0x42, 0, 0x1e, 0xd8, 0, 0, 3, 0, 0, 3, 0, 0, 0x1f, 0xff, 0xff,
                  0xff, 0xff, 0xff)
                 .width,
             0);
    CHECK_EQ(READ(CODEC_H264, 0x67, 0x42, 0, 0x1e, 0xdb, 0xfc, 0x04, 0x70, 0x80).width, 0);
}

static void h264_frames_without_references_are_discardable(void)
{
    CHECK(READ(CODEC_H264, 0x01, 0x88).discardable);
    CHECK(!READ(CODEC_H264, 0x41, 0x88).discardable);
    CHECK(!READ(CODEC_H264, 0x06, 0x05).discardable); /* no slice */
    CHECK(READ(CODEC_H264, 0x18, 0, 2, 0x09, 0x10, 0, 2, 0x01, 0x88).discardable);
    CHECK(!READ(CODEC_H264, 0x18, 0, 2, 0x09, 0x10).discardable);
    CHECK(READ(CODEC_H264, 0x1c, 0x81, 0x88).discardable);
    CHECK(READ(CODEC_H264, 0x1c, 0x01, 0x88).discardable);
    CHECK(READ(CODEC_H264, 0x1c, 0x41, 0x88).discardable);
    CHECK(!READ(CODEC_H264, 0x5c, 0x01, 0x88).discardable);
    CHECK(!READ(CODEC_H264, 0x5c, 0x81, 0x88).discardable);
    CHECK(!READ(CODEC_H264, 0x1c, 0x06, 0x88).discardable);
}

static void h265_sequence_parameters_tell_the_size(void)
{
    /* by x265: 640 x 360, 854 x 478 cropped */
    static const uint8_t sps[] = {0x42, 0x01, 0x01, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00,
                                  0x90, 0x00, 0x00, 0x03, 0x00, 0x00, 0x03, 0x00, 0x3f,
                                  0xa0, 0x05, 0x02, 0x01, 0x69, 0x65, 0x95, 0x9a, 0x49};
    struct frame_info info = read_bytes(CODEC_H265, sps, sizeof(sps));

    CHECK_EQ(info.width, 640);
    CHECK_EQ(info.height, 360);
    CHECK_EQ(read_bytes(CODEC_H265, sps, 20).width, 0);
    CHECK(read_bytes(CODEC_H265, sps, 20).starts_key);
    info = READ(CODEC_H265, 0x42, 0x01, 0x01, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00,
                0x03, 0x00, 0x00, 0x03, 0x00, 0x5a, 0xa0, 0x06, 0xb2, 0x01, 0xe1, 0xd5, 0x65, 0x95,
                0x9a);
    CHECK_EQ(info.width, 854);
    CHECK_EQ(info.height, 478);
}

/* Three temporal layers: of the lowest the profile is told, of the next its level. */
static void h265_profiles_of_lower_layers_are_skipped(void)
{
    struct frame_info info = READ(CODEC_H265, 0x42, 0x01, 0x05, 0x01, 0x60, 0x80, 0x80, 0x80, 0x90,
                                  0x80, 0x80, 0x80, 0x80, 0x80, 0x3f, 0x90, 0x00, 0x01, 0x60, 0x80,
                                  0x80, 0x80, 0x90, 0x80, 0x80, 0x80, 0x80, 0x80, 0x3f, 0xa0, 0x05,
                                  0x02, 0x01, 0x69, 0x65);

    CHECK_EQ(info.width, 640);
    CHECK_EQ(info.height, 360);
}

TAP_CASES(
    CASE(h264_key_frame_is_parameters_or_a_first_slice), CASE(h264_aggregate_is_searched),
    CASE(h264_fragment_counts_at_its_start), CASE(h265_key_frame_is_parameters_or_a_first_slice),
    CASE(h265_aggregate_and_fragment_are_looked_into), CASE(h264_sequence_parameters_tell_the_size),
    CASE(h264_rare_sequence_parameters_are_read), CASE(h264_bytes_against_start_codes_are_left_out),
    CASE(cut_sequence_parameters_tell_no_size), CASE(absurd_sizes_are_none),
    CASE(h264_frames_without_references_are_discardable),
    CASE(h265_sequence_parameters_tell_the_size), CASE(h265_profiles_of_lower_layers_are_skipped))
