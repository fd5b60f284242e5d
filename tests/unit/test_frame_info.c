#include "media/frame_info.h"

#include "tests/dd_source.h"
#include "tests/dd_writer.h"
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
    memcpy(broken, data, sizeof(data));
    broken[9] = broken[10] = 0; /* no height */
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

static void vp9_key_frame_says_its_size_without_a_structure(void)
{
    /* by libvpx: 854 x 478; the same as profile 1 (4:4:4), and as RGB */
    struct frame_info info = READ(CODEC_VP9, 0x08, 0x82, 0x49, 0x83, 0x42, 0x20, 0x35, 0x50, 0x1d,
                                  0xd6);

    CHECK_EQ(info.width, 854);
    CHECK_EQ(info.height, 478);
    info = READ(CODEC_VP9, 0x08, 0xa2, 0x49, 0x83, 0x42, 0x20, 0x06, 0xaa, 0x03, 0xba, 0xc0);
    CHECK_EQ(info.width, 854);
    CHECK_EQ(info.height, 478);
    info = READ(CODEC_VP9, 0x08, 0xa2, 0x49, 0x83, 0x42, 0xe0, 0x35, 0x50, 0x1d, 0xd6);
    CHECK_EQ(info.width, 854);
    info = READ(CODEC_VP9, 0x08, 0x82, 0x49, 0x83, 0x42, 0x20, 0x35, 0x50, 0x1d);
    CHECK_EQ(info.width, 0);
    info = READ(CODEC_VP9, 0x08, 0x82, 0x49, 0x83, 0x43, 0x20, 0x35, 0x50, 0x1d, 0xd6);
    CHECK_EQ(info.width, 0);
    info = READ(CODEC_VP9, 0x08, 0x86, 0x49, 0x83, 0x42, 0x20, 0x35, 0x50, 0x1d, 0xd6);
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

/* ------------------------------------------------------------------ dependency descriptor */

enum { STREAM_PAYLOAD = 6 };

/* A stream whose payload need not be read. */
struct stream {
    const uint8_t *payload;
    struct dd_source source;
    struct dd_history dd;
    enum codec codec;
    int64_t seq;
    uint32_t ts;
};

static struct stream stream_of(const char *mode, enum codec codec)
{
    static const uint8_t payload[STREAM_PAYLOAD] = {0x90, 0x80, 0x81, 0x23, 0x00, 0xee};
    struct stream s = {.codec = codec, .seq = 1000, .payload = payload};

    dd_source_init(&s.source, mode, 20, 65530);
    return s;
}

/* @return what is read of a packet with `frame`. `dd`: NULL, or the stream's */
static struct frame_info read_frame(struct stream *s, const struct dd_frame *frame,
                                    struct dd_history *dd)
{
    struct dd_writer w = {.structure = &s->source.structure};
    uint8_t descriptor[DD_MAX_LEN];
    struct frame_packet packet = {
        .codec = s->codec,
        .at = {.seq = s->seq++, .ts = s->ts},
        .payload = s->payload,
        .len = STREAM_PAYLOAD,
        .descriptor = descriptor,
    };
    struct frame_info info;

    packet.descriptor_len = dd_writer_write(&w, frame, descriptor, sizeof(descriptor));
    CHECK(packet.descriptor_len > 0);
    frame_info_read(&info, &packet, dd);
    return info;
}

static struct frame_info next_info(struct stream *s, bool key)
{
    struct dd_frame frame;

    s->ts += s->source.sid == 0 ? 3000 : 0;
    frame = dd_source_next(&s->source, key);
    return read_frame(s, &frame, &s->dd);
}

static void descriptor_tells_all_of_any_codec(void)
{
    static const enum codec codecs[] = {CODEC_VP8, CODEC_VP9, CODEC_H264, CODEC_AV1, CODEC_H265};

    for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
        struct stream s = stream_of("L3T3_KEY", codecs[i]);
        struct frame_info info = next_info(&s, false);

        CHECK(info.has_dd && info.carries_structure && !info.undecided);
        CHECK(info.begins && info.ends && info.begins_picture && info.starts_key && info.key);
        CHECK_EQ(info.frame_number, 65530);
        CHECK_EQ(info.n_targets, 9);
        CHECK_EQ(info.n_chains, 3);
        CHECK_EQ(info.n_spatial, 3);
        CHECK_EQ(info.active_targets, UINT32_MAX);
        CHECK_EQ(info.structure, 1);
        info = next_info(&s, false);
        CHECK(info.begins && !info.begins_picture && !info.starts_key && info.key);
        CHECK_EQ(info.sid, 1);
        CHECK(!info.carries_structure);
        CHECK_EQ(info.chain_diffs[1], 1);
        CHECK_EQ(dd_indication(info.dtis, 0), DD_SWITCH);
        CHECK_EQ(dd_indication(info.dtis, 8), DD_NOT_PRESENT);
        CHECK(next_info(&s, false).key);
        info = next_info(&s, false);
        CHECK(!info.key && !info.starts_key && info.begins_picture);
        CHECK_EQ(info.tid, 2);
    }
}

static void numbers_in_the_payload_are_found_all_the_same(void)
{
    struct stream s = stream_of("L1T1", CODEC_VP8);

    CHECK_EQ(next_info(&s, false).picture, 0x123);
    CHECK_EQ(next_info(&s, false).picture_at, 2);
    s = stream_of("L1T1", CODEC_AV1);
    CHECK_EQ(next_info(&s, false).picture_bits, 0);
}

static void switches_and_discardable_frames_are_those_of_their_layer(void)
{
    struct stream s = stream_of("L2T3", CODEC_AV1);
    /* of a picture with tid 0, 2, 1, 2; layers 0 and 1 */
    static const struct {
        uint8_t tid;
        bool up_switch, up_follows, discardable;
    } expected[][2] = {
        {{0, true, true, false}, {0, true, true, false}},
        {{2, false, false, false}, {2, false, false, true}},
        {{1, false, true, false}, {1, false, true, false}},
        {{2, false, false, false}, {2, false, false, true}},
    };

    for (size_t i = 0; i < 32; i++) {
        struct frame_info info = next_info(&s, false);

        CHECK_EQ(info.sid, i % 2);
        CHECK_EQ(info.tid, expected[i / 2 % 4][i % 2].tid);
        CHECK_EQ(info.up_switch, expected[i / 2 % 4][i % 2].up_switch);
        CHECK_EQ(info.up_follows, expected[i / 2 % 4][i % 2].up_follows);
        CHECK_EQ(info.discardable, expected[i / 2 % 4][i % 2].discardable);
    }
}

static void packets_of_a_frame_begin_and_end_it(void)
{
    struct stream s = stream_of("L1T2", CODEC_AV1);
    struct dd_frame first = dd_source_next(&s.source, false);
    struct dd_frame last = first;
    struct frame_info info;

    first.ends = false;
    last.begins = last.has_structure = false;
    info = read_frame(&s, &first, &s.dd);
    CHECK(info.begins && !info.ends && info.starts_key && info.key);
    info = read_frame(&s, &last, &s.dd);
    CHECK(!info.begins && info.ends && !info.starts_key && info.key);
}

static void sizes_and_active_targets_are_told_where_they_are(void)
{
    struct stream s = stream_of("L2T1", CODEC_AV1);
    struct dd_frame frame = dd_source_next(&s.source, false);
    struct frame_info info;

    s.source.structure.width[0] = 320;
    s.source.structure.height[0] = 180;
    s.source.structure.width[1] = 640;
    s.source.structure.height[1] = 360;
    frame.has_active = true;
    frame.active_targets = 2;
    info = read_frame(&s, &frame, &s.dd);
    CHECK_EQ(info.width, 640);
    CHECK_EQ(info.height, 360);
    CHECK_EQ(info.active_targets, 2);
    info = next_info(&s, false);
    CHECK_EQ(info.width, 0);
    CHECK_EQ(info.active_targets, UINT32_MAX);
}

static void frame_that_refers_to_others_is_no_key_frame(void)
{
    struct stream s = stream_of("L1T2", CODEC_AV1);
    struct dd_frame frame = dd_source_next(&s.source, false);

    frame.fdiffs[frame.n_fdiffs++] = 3;
    CHECK(!read_frame(&s, &frame, &s.dd).starts_key);
}

static void frame_of_no_target_is_not_discardable(void)
{
    struct stream s = stream_of("L1T2", CODEC_AV1);
    struct dd_frame frame = dd_source_next(&s.source, false);

    frame.dtis = 0;
    CHECK(!read_frame(&s, &frame, &s.dd).discardable);
}

static void what_the_descriptor_says_goes_before_vp9(void)
{
    struct stream s = stream_of("L2T1", CODEC_VP9);
    struct dd_frame frame = dd_source_next(&s.source, false);
    struct frame_info info;

    /* predicted, layer 1 of the other's picture, with inter-layer prediction, ends nothing */
    s.payload = (const uint8_t[]){0xe1, 0x81, 0x23, 0x03, 0x00, 0xee};
    info = read_frame(&s, &frame, &s.dd);
    CHECK(info.key && info.starts_key && info.begins && info.ends);
    CHECK(!info.inter_layer && !info.not_for_upper && !info.ksvc_hint);
    CHECK_EQ(info.sid, 0);
    CHECK_EQ(info.picture, 0x123);
    CHECK_EQ(info.tl0_at, 4);
}

static void without_its_structure_a_descriptor_tells_nothing(void)
{
    struct stream s = stream_of("L1T3", CODEC_VP8);
    struct frame_info info;
    struct dd_frame frame = dd_source_next(&s.source, false);

    frame.has_structure = false;
    info = read_frame(&s, &frame, NULL);
    CHECK(info.undecided && !info.has_dd);
    CHECK_EQ(info.picture, 0x123);
    info = read_frame(&s, &frame, &s.dd);
    CHECK(info.undecided && !info.has_dd);
    CHECK(info.starts_key); /* as the payload says */
    s.codec = CODEC_AV1;
    info = read_frame(&s, &frame, &s.dd);
    CHECK(info.undecided && !info.starts_key);
}

static void malformed_descriptor_is_as_none(void)
{
    struct dd_history dd = {0};
    struct frame_packet packet = {
        .codec = CODEC_VP8,
        .payload = (const uint8_t[]){0x10, 0x00},
        .len = 2,
        .descriptor = (const uint8_t[]){0x80, 0, 0, 0x80},
        .descriptor_len = 4,
    };
    struct frame_info info;

    frame_info_read(&info, &packet, &dd);
    CHECK(!info.has_dd && !info.undecided && info.starts_key);
}

static void more_chains_than_are_kept_are_passed_over(void)
{
    struct stream s = stream_of("L1T1", CODEC_AV1);
    struct dd_structure *t = &s.source.structure;
    struct dd_frame frame;

    t->n_targets = 12;
    t->n_chains = 12;
    for (uint8_t i = 0; i < 12; i++)
        t->targets[i].chain = i;
    for (uint8_t i = 0; i < 6; i++)
        t->chain_diffs[0][i] = 0x55;
    frame = dd_writer_frame(t, 0, 7);
    frame.has_structure = true;
    CHECK_EQ(read_frame(&s, &frame, &s.dd).n_chains, FRAME_MAX_CHAINS);
}

TAP_CASES(CASE(vp8_frame_begins_with_partition_0), CASE(vp8_key_frame_is_the_start_of_partition_0),
          CASE(vp8_numbers_are_found), CASE(vp8_layer_sync_allows_to_go_up),
          CASE(vp8_cut_anywhere_says_nothing), CASE(vp8_key_frame_says_its_size),
          CASE(vp9_key_frame_is_the_lowest_layer),
          CASE(vp9_without_flexible_mode_counts_base_pictures),
          CASE(vp9_in_flexible_mode_names_references),
          CASE(vp9_upper_layer_that_needs_no_lower_one_hints_at_k_svc),
          CASE(vp9_structure_tells_the_layers_and_their_sizes),
          CASE(vp9_key_frame_says_its_size_without_a_structure),
          CASE(layers_beyond_the_highest_count_as_it),
          CASE(other_codecs_tell_of_key_frames_and_ends), CASE(sound_says_nothing),
          CASE(descriptor_tells_all_of_any_codec),
          CASE(numbers_in_the_payload_are_found_all_the_same),
          CASE(switches_and_discardable_frames_are_those_of_their_layer),
          CASE(packets_of_a_frame_begin_and_end_it),
          CASE(sizes_and_active_targets_are_told_where_they_are),
          CASE(without_its_structure_a_descriptor_tells_nothing),
          CASE(frame_that_refers_to_others_is_no_key_frame),
          CASE(frame_of_no_target_is_not_discardable),
          CASE(what_the_descriptor_says_goes_before_vp9), CASE(malformed_descriptor_is_as_none),
          CASE(more_chains_than_are_kept_are_passed_over))
