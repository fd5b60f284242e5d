#include "media/payload.h"

#include "tests/tap.h"

#include <errno.h>

#define STARTS(codec, ...)                                            \
    payload_starts_key_frame((codec), (const uint8_t[]){__VA_ARGS__}, \
                             sizeof((const uint8_t[]){__VA_ARGS__}))

static void audio_is_always_decodable(void)
{
    CHECK(STARTS(CODEC_OPUS, 0));
    CHECK(STARTS(CODEC_RED, 0));
    CHECK(STARTS(CODEC_PCMU, 0));
    CHECK(STARTS(CODEC_PCMA, 0));
}

static void empty_video_is_no_key_frame(void)
{
    for (int codec = CODEC_VP8; codec < CODEC_COUNT; codec++)
        CHECK(!payload_starts_key_frame((enum codec)codec, NULL, 0));
    CHECK(!STARTS(CODEC_NONE, 0x10, 0));
}

static void vp8_key_frame_is_the_start_of_partition_0(void)
{
    CHECK(STARTS(CODEC_VP8, 0x10, 0x00));
    CHECK(!STARTS(CODEC_VP8, 0x10, 0x01)); /* predicted */
    CHECK(!STARTS(CODEC_VP8, 0x00, 0x00)); /* continues */
    CHECK(!STARTS(CODEC_VP8, 0x11, 0x00)); /* partition 1 */
    CHECK(!STARTS(CODEC_VP8, 0x10));
}

static void vp8_descriptor_is_skipped(void)
{
    CHECK(STARTS(CODEC_VP8, 0x90, 0x80, 0x7f, 0x00));                    /* 7 bit number */
    CHECK(STARTS(CODEC_VP8, 0x90, 0x80, 0x81, 0x01, 0x00));              /* 15 bit number */
    CHECK(STARTS(CODEC_VP8, 0x90, 0xf0, 0x81, 0x01, 0x01, 0x01, 0x00));  /* all fields */
    CHECK(!STARTS(CODEC_VP8, 0x90, 0xf0, 0x81, 0x00, 0x00, 0x00, 0x01)); /* predicted */
    CHECK(!STARTS(CODEC_VP8, 0x90, 0xf0, 0x81, 0x00, 0x00, 0x00));       /* cut */
    CHECK(STARTS(CODEC_VP8, 0x90, 0x20, 0x01, 0x00));                    /* TID */
    CHECK(STARTS(CODEC_VP8, 0x90, 0x10, 0x01, 0x00));                    /* KEYIDX */
    CHECK(STARTS(CODEC_VP8, 0x90, 0x00, 0x00));
}

static void vp8_key_frame_says_its_size(void)
{
    static const uint8_t data[] = {0x10, 0x10, 0x02, 0x00, 0x9d, 0x01,
                                   0x2a, 0x80, 0x02, 0xe0, 0x41}; /* 640 x 480, scaled by 1 */
    uint8_t broken[sizeof(data)];
    uint16_t width;
    uint16_t height;

    CHECK_EQ(payload_vp8_size(data, sizeof(data), &width, &height), 0);
    CHECK_EQ(width, 640);
    CHECK_EQ(height, 480);
    CHECK_EQ(payload_vp8_size(data, sizeof(data) - 1, &width, &height), -ENOENT);
    memcpy(broken, data, sizeof(data));
    broken[1] |= 1; /* predicted */
    CHECK_EQ(payload_vp8_size(broken, sizeof(broken), &width, &height), -ENOENT);
    memcpy(broken, data, sizeof(data));
    broken[5] = 0; /* start code */
    CHECK_EQ(payload_vp8_size(broken, sizeof(broken), &width, &height), -ENOENT);
}

static void vp9_key_frame_is_the_lowest_layer(void)
{
    CHECK(STARTS(CODEC_VP9, 0x08, 1));
    CHECK(!STARTS(CODEC_VP9, 0x48, 1));                   /* predicted */
    CHECK(!STARTS(CODEC_VP9, 0x00, 1));                   /* continues */
    CHECK(STARTS(CODEC_VP9, 0xa8, 0x01, 0x10, 0, 1));     /* 7 bit number, layer 0 */
    CHECK(STARTS(CODEC_VP9, 0xa8, 0x81, 1, 0x10, 0, 1));  /* 15 bit number, layer 0 */
    CHECK(!STARTS(CODEC_VP9, 0xa8, 0x81, 1, 0x13, 0, 1)); /* layer 1 */
    CHECK(!STARTS(CODEC_VP9, 0xa8, 0x81, 1));             /* cut */
}

static void h264_key_frame_is_parameters_or_a_first_slice(void)
{
    CHECK(STARTS(CODEC_H264, 0x67, 0x42));
    CHECK(STARTS(CODEC_H264, 0x65, 0x88));
    CHECK(!STARTS(CODEC_H264, 0x65, 0x08)); /* a later slice */
    CHECK(!STARTS(CODEC_H264, 0x65));
    CHECK(!STARTS(CODEC_H264, 0x41, 0x88)); /* not an IDR */
    CHECK(!STARTS(CODEC_H264, 0x68, 0x88)); /* picture parameters alone */
}

static void h264_aggregate_is_searched(void)
{
    CHECK(STARTS(CODEC_H264, 0x78, 0, 2, 0x68, 1, 0, 2, 0x67, 1));
    CHECK(STARTS(CODEC_H264, 0x79, 0, 9, 0, 2, 0x67, 1)); /* STAP-B */
    CHECK(!STARTS(CODEC_H264, 0x78, 0, 2, 0x68, 1, 0, 2, 0x41, 0x88));
    CHECK(!STARTS(CODEC_H264, 0x78, 0, 9, 0x67, 1));          /* passes the end */
    CHECK(!STARTS(CODEC_H264, 0x78, 0, 0, 0, 2, 0x67, 1));    /* empty unit */
    CHECK(!STARTS(CODEC_H264, 0x78, 0, 1, 0x65, 0x88, 0x88)); /* slice bytes of another unit */
    CHECK(!STARTS(CODEC_H264, 0x78));
}

static void h264_fragment_counts_at_its_start(void)
{
    CHECK(STARTS(CODEC_H264, 0x7c, 0x85, 0x88));
    CHECK(STARTS(CODEC_H264, 0x7d, 0x85, 0, 9, 0x88)); /* FU-B */
    CHECK(!STARTS(CODEC_H264, 0x7c, 0x05, 0x88));
    CHECK(!STARTS(CODEC_H264, 0x7c, 0x81, 0x88));
    CHECK(!STARTS(CODEC_H264, 0x7c));
}

static void h265_key_frame_is_parameters_or_a_first_slice(void)
{
    CHECK(STARTS(CODEC_H265, 32 << 1, 1));
    CHECK(STARTS(CODEC_H265, 33 << 1, 1));
    CHECK(STARTS(CODEC_H265, 19 << 1, 1, 0x80));
    CHECK(STARTS(CODEC_H265, 21 << 1, 1, 0x80));
    CHECK(!STARTS(CODEC_H265, 22 << 1, 1, 0x80));
    CHECK(!STARTS(CODEC_H265, 15 << 1, 1, 0x80));
    CHECK(!STARTS(CODEC_H265, 19 << 1, 1, 0x00)); /* a later slice */
    CHECK(!STARTS(CODEC_H265, 34 << 1, 1));
    CHECK(!STARTS(CODEC_H265, 32 << 1));
}

static void h265_aggregate_and_fragment_are_looked_into(void)
{
    CHECK(STARTS(CODEC_H265, 48 << 1, 1, 0, 2, 34 << 1, 1, 0, 3, 33 << 1, 1, 0));
    CHECK(!STARTS(CODEC_H265, 48 << 1, 1, 0, 2, 34 << 1, 1, 0, 9, 33 << 1, 1, 0));
    CHECK(!STARTS(CODEC_H265, 48 << 1, 1, 0, 1, 33 << 1));
    CHECK(STARTS(CODEC_H265, 49 << 1, 1, 0x80 | 19, 0x80));
    CHECK(!STARTS(CODEC_H265, 49 << 1, 1, 19, 0x80));
    CHECK(!STARTS(CODEC_H265, 49 << 1, 1, 0x80 | 19));
}

static void av1_key_frame_begins_a_sequence(void)
{
    CHECK(STARTS(CODEC_AV1, 0x18, 0x0a));
    CHECK(!STARTS(CODEC_AV1, 0x10, 0x0a));
    CHECK(!STARTS(CODEC_AV1, 0x98, 0x0a)); /* a fragment goes on */
    CHECK(!STARTS(CODEC_AV1, 0x18));
}

/* Two redundant blocks of 3 and 2 bytes, and the primary one. */
static const uint8_t RED[] = {0x80 | 111, 0x0f, 0x00, 3,   0x80 | 111, 0x07, 0x80, 2,
                              111,        'a',  'a',  'a', 'b',        'b',  'c'};

static void red_primary_is_the_last_block(void)
{
    CHECK_EQ(payload_red_primary(RED, sizeof(RED)), 14);
    CHECK_EQ(payload_red_primary((const uint8_t[]){111, 5}, 2), 1);
    CHECK_EQ(payload_red_primary(RED, 14), 14); /* empty: nothing to say */
    CHECK_EQ(payload_red_primary(RED, 13), -EBADMSG);
    for (size_t len = 0; len < 9; len++)
        CHECK_EQ(payload_red_primary(RED, len), -EBADMSG);
}

static void red_headers_get_another_payload_type(void)
{
    static const uint8_t expected[] = {0x80 | 63, 0x0f, 0x00, 3, 0x80 | 63, 0x07, 0x80, 2, 63};
    uint8_t out[sizeof(expected)];

    CHECK_EQ(payload_red_headers(RED, sizeof(RED), 63, out, sizeof(out)), sizeof(out));
    CHECK_MEM(out, expected, sizeof(out));
    CHECK_EQ(payload_red_headers(RED, sizeof(RED), 63, out, sizeof(out) - 1), -EMSGSIZE);
    CHECK_EQ(payload_red_headers(RED, 13, 63, out, sizeof(out)), -EBADMSG);
}

TAP_CASES(CASE(audio_is_always_decodable), CASE(empty_video_is_no_key_frame),
          CASE(vp8_key_frame_is_the_start_of_partition_0), CASE(vp8_descriptor_is_skipped),
          CASE(vp8_key_frame_says_its_size), CASE(vp9_key_frame_is_the_lowest_layer),
          CASE(h264_key_frame_is_parameters_or_a_first_slice), CASE(h264_aggregate_is_searched),
          CASE(h264_fragment_counts_at_its_start),
          CASE(h265_key_frame_is_parameters_or_a_first_slice),
          CASE(h265_aggregate_and_fragment_are_looked_into), CASE(av1_key_frame_begins_a_sequence),
          CASE(red_primary_is_the_last_block), CASE(red_headers_get_another_payload_type))
