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

static bool says_nothing(const struct frame_info *info)
{
    return !info->begins && !info->starts_key && !info->key && info->sid == 0 && info->tid == 0 &&
           info->picture_bits == 0 && !info->has_tl0 && !info->has_key_index &&
           info->descriptor_len == 0 && info->width == 0;
}

/* ------------------------------------------------------------------ VP8 */

static void vp8_frame_begins_with_partition_0(void)
{
    CHECK(READ(CODEC_VP8, 0x10, 0x01).begins);
    CHECK(READ(CODEC_VP8, 0x10, 0x01).begins_picture);
    CHECK(!READ(CODEC_VP8, 0x00, 0x01).begins); /* continues */
    CHECK(!READ(CODEC_VP8, 0x11, 0x01).begins); /* partition 1 */
    CHECK(READ(CODEC_VP8, 0x00, 0x01).ends);
}

static void vp8_key_frame_is_the_start_of_partition_0(void)
{
    CHECK(READ(CODEC_VP8, 0x10, 0x00).starts_key);
    CHECK(READ(CODEC_VP8, 0x10, 0x00).key);
    CHECK(!READ(CODEC_VP8, 0x10, 0x01).starts_key); /* predicted */
    CHECK(!READ(CODEC_VP8, 0x00, 0x00).starts_key); /* continues */
    CHECK(!READ(CODEC_VP8, 0x11, 0x00).starts_key); /* partition 1 */
    CHECK(!READ(CODEC_VP8, 0x10).starts_key);
    CHECK(READ(CODEC_VP8, 0x90, 0xf0, 0x81, 0x01, 0x01, 0x01, 0x00).starts_key);
    CHECK(!READ(CODEC_VP8, 0x90, 0xf0, 0x81, 0x00, 0x00, 0x00, 0x01).starts_key);
}

static void vp8_numbers_are_found(void)
{
    struct frame_info info = READ(CODEC_VP8, 0x90, 0xf0, 0x92, 0x34, 0x56, 0x6a, 0x01);

    CHECK_EQ(info.picture_bits, 15);
    CHECK_EQ(info.picture, 0x1234);
    CHECK_EQ(info.picture_at, 2);
    CHECK(info.has_tl0);
    CHECK_EQ(info.tl0, 0x56);
    CHECK_EQ(info.tl0_at, 4);
    CHECK_EQ(info.tid, 1);
    CHECK(info.has_key_index);
    CHECK_EQ(info.key_index, 10);
    CHECK_EQ(info.key_index_at, 5);
    CHECK_EQ(info.descriptor_len, FRAME_DESCRIPTOR_MAX);
    info = READ(CODEC_VP8, 0x90, 0x80, 0x71, 0x01);
    CHECK_EQ(info.picture_bits, 7);
    CHECK_EQ(info.picture, 0x71);
    CHECK_EQ(info.descriptor_len, 3);
    CHECK(!info.has_tl0 && !info.has_key_index);
    info = READ(CODEC_VP8, 0x90, 0x10, 0xff, 0x01); /* KEYIDX alone */
    CHECK_EQ(info.key_index, 31);
    CHECK_EQ(info.key_index_at, 2);
    CHECK_EQ(info.tid, 0);
    info = READ(CODEC_VP8, 0x10, 0x01);
    CHECK_EQ(info.picture_bits, 0);
    CHECK_EQ(info.descriptor_len, 1);
}

static void vp8_layer_sync_allows_to_go_up(void)
{
    struct frame_info info = READ(CODEC_VP8, 0xb0, 0x20, 0xa0, 0x01);

    CHECK_EQ(info.tid, 2);
    CHECK(info.up_switch);
    CHECK(info.discardable);
    info = READ(CODEC_VP8, 0x90, 0x20, 0x80, 0x01);
    CHECK(!info.up_switch);
    CHECK(!info.discardable);
    CHECK(!READ(CODEC_VP8, 0x90, 0x20, 0x20, 0x01).up_switch); /* of the lowest: no meaning */
}

static void vp8_cut_anywhere_says_nothing(void)
{
    static const uint8_t payload[] = {0x90, 0xf0, 0x81, 0x23, 0x45, 0x61, 0x00};

    for (size_t len = 0; len < sizeof(payload); len++) {
        struct frame_info info = read_bytes(CODEC_VP8, payload, len);

        CHECK(says_nothing(&info));
        CHECK(info.ends);
    }
}

static void vp8_key_frame_says_its_size(void)
{
    static const uint8_t data[] = {0x10, 0x10, 0x02, 0x00, 0x9d, 0x01,
                                   0x2a, 0x80, 0x02, 0xe0, 0x41}; /* 640 x 480, scaled by 1 */
    uint8_t broken[sizeof(data)];

    CHECK_EQ(read_bytes(CODEC_VP8, data, sizeof(data)).width, 640);
    CHECK_EQ(read_bytes(CODEC_VP8, data, sizeof(data)).height, 480);
    CHECK_EQ(read_bytes(CODEC_VP8, data, sizeof(data) - 1).width, 0);
    memcpy(broken, data, sizeof(data));
    broken[1] |= 1; /* predicted */
    CHECK_EQ(read_bytes(CODEC_VP8, broken, sizeof(broken)).width, 0);
    memcpy(broken, data, sizeof(data));
    broken[5] = 0; /* start code */
    CHECK_EQ(read_bytes(CODEC_VP8, broken, sizeof(broken)).width, 0);
}

/* ------------------------------------------------------------------ VP9 */

static void vp9_key_frame_is_the_lowest_layer(void)
{
    CHECK(READ(CODEC_VP9, 0x08, 1).starts_key);
    CHECK(!READ(CODEC_VP9, 0x48, 1).starts_key);                   /* predicted */
    CHECK(!READ(CODEC_VP9, 0x00, 1).starts_key);                   /* continues */
    CHECK(READ(CODEC_VP9, 0x00, 1).key);                           /* but of a key picture */
    CHECK(READ(CODEC_VP9, 0xa8, 0x01, 0x10, 0, 1).starts_key);     /* 7 bit number, layer 0 */
    CHECK(READ(CODEC_VP9, 0xa8, 0x81, 1, 0x10, 0, 1).starts_key);  /* 15 bit number, layer 0 */
    CHECK(!READ(CODEC_VP9, 0xa8, 0x81, 1, 0x13, 0, 1).starts_key); /* layer 1 */
    CHECK(READ(CODEC_VP9, 0xa8, 0x81, 1, 0x13, 0, 1).key);
    CHECK(!READ(CODEC_VP9, 0xa8, 0x81, 1).starts_key); /* cut */
}

static void vp9_without_flexible_mode_counts_base_pictures(void)
{
    /* I P L E, layer: TID 2, U, SID 1, D */
    struct frame_info info = READ(CODEC_VP9, 0xe4, 0x92, 0x34, 0x53, 0x77, 1);

    CHECK_EQ(info.picture_bits, 15);
    CHECK_EQ(info.picture, 0x1234);
    CHECK_EQ(info.picture_at, 1);
    CHECK_EQ(info.tid, 2);
    CHECK_EQ(info.sid, 1);
    CHECK(info.up_follows);
    CHECK(info.inter_layer);
    CHECK(!info.ksvc_hint);
    CHECK(info.has_tl0);
    CHECK_EQ(info.tl0, 0x77);
    CHECK_EQ(info.tl0_at, 4);
    CHECK(info.ends);
    CHECK(!info.begins);
    CHECK(!info.key);
    CHECK_EQ(info.descriptor_len, 5);
}

static void vp9_in_flexible_mode_names_references(void)
{
    struct frame_info info = READ(CODEC_VP9, 0xf8, 0x05, 0x20, 0x03, 0x05, 0x06, 1);

    CHECK_EQ(info.picture_bits, 7);
    CHECK_EQ(info.tid, 1);
    CHECK(!info.has_tl0);
    CHECK(info.begins && info.begins_picture);
    CHECK_EQ(info.descriptor_len, 6);
    info = READ(CODEC_VP9, 0xf8, 0x05, 0x20, 0x03, 0x05, 0x07, 0x02, 1); /* four: too many */
    CHECK(says_nothing(&info));
}

static void vp9_upper_layer_that_needs_no_lower_one_hints_at_k_svc(void)
{
    CHECK(READ(CODEC_VP9, 0xe8, 0x01, 0x02, 0, 1).ksvc_hint);
    CHECK(!READ(CODEC_VP9, 0xe8, 0x01, 0x03, 0, 1).ksvc_hint);
    CHECK(!READ(CODEC_VP9, 0xe8, 0x01, 0x00, 0, 1).ksvc_hint); /* the lowest */
    CHECK(!READ(CODEC_VP9, 0xa8, 0x01, 0x02, 0, 1).ksvc_hint); /* key picture */
    CHECK(READ(CODEC_VP9, 0xe9, 0x01, 0x00, 0, 1).not_for_upper);
    CHECK(!READ(CODEC_VP9, 0xe8, 0x01, 0x02, 0, 1).begins_picture);
}

static void vp9_structure_tells_the_layers_and_their_sizes(void)
{
    /* two layers, sizes, picture group of two: 320 x 180, 640 x 360 */
    static const uint8_t payload[] = {0xaa, 0x01, 0x00, 0,    0x38, 0x01, 0x40, 0,    180,  0x02,
                                      0x80, 0x01, 0x68, 0x02, 0x04, 0x02, 0x38, 0x01, 0x02, 1};
    struct frame_info info = read_bytes(CODEC_VP9, payload, sizeof(payload));

    CHECK_EQ(info.n_spatial, 2);
    CHECK_EQ(info.width, 640);
    CHECK_EQ(info.height, 360);
    CHECK_EQ(info.descriptor_len, sizeof(payload) - 1);
    CHECK(info.starts_key);
    for (size_t len = 0; len < sizeof(payload); len++) {
        info = read_bytes(CODEC_VP9, payload, len);
        CHECK(says_nothing(&info));
    }
    /* the upper layer is not sent: no size */
    info = READ(CODEC_VP9, 0x0a, 0x30, 0x01, 0x40, 0, 180, 0, 0, 0, 0, 1);
    CHECK_EQ(info.width, 320);
    info = READ(CODEC_VP9, 0x0a, 0x20, 1); /* no sizes */
    CHECK_EQ(info.n_spatial, 2);
    CHECK_EQ(info.width, 0);
}

static void layers_beyond_the_highest_count_as_it(void)
{
    struct frame_info info = READ(CODEC_VP9, 0xea, 0x01, 0xee, 0, 0xe0, 1);

    CHECK_EQ(info.tid, FRAME_MAX_TEMPORAL - 1);
    CHECK_EQ(info.sid, FRAME_MAX_SPATIAL - 1);
    CHECK_EQ(info.n_spatial, FRAME_MAX_SPATIAL);
}

/* ------------------------------------------------------------------ others */

static void other_codecs_tell_of_key_frames_and_ends(void)
{
    CHECK(READ(CODEC_H264, 0x67, 0x42).starts_key);
    CHECK(READ(CODEC_H264, 0x41, 0x88).ends);
    CHECK(!READ(CODEC_H264, 0x41, 0x88).begins);
    CHECK(READ(CODEC_H265, 19 << 1, 1, 0x80).starts_key);
    CHECK(READ(CODEC_AV1, 0x18, 0x0a).key);
    CHECK(!READ(CODEC_AV1, 0x10, 0x0a).key);
}

static void sound_says_nothing(void)
{
    struct frame_info info = READ(CODEC_OPUS, 0x10, 0x00);

    CHECK(says_nothing(&info));
    CHECK(!info.ends);
}

TAP_CASES(CASE(vp8_frame_begins_with_partition_0), CASE(vp8_key_frame_is_the_start_of_partition_0),
          CASE(vp8_numbers_are_found), CASE(vp8_layer_sync_allows_to_go_up),
          CASE(vp8_cut_anywhere_says_nothing), CASE(vp8_key_frame_says_its_size),
          CASE(vp9_key_frame_is_the_lowest_layer),
          CASE(vp9_without_flexible_mode_counts_base_pictures),
          CASE(vp9_in_flexible_mode_names_references),
          CASE(vp9_upper_layer_that_needs_no_lower_one_hints_at_k_svc),
          CASE(vp9_structure_tells_the_layers_and_their_sizes),
          CASE(layers_beyond_the_highest_count_as_it),
          CASE(other_codecs_tell_of_key_frames_and_ends), CASE(sound_says_nothing))
