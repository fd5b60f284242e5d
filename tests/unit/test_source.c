#include "bench/source.h"
#include "media/base/clock.h"
#include "tests/tap.h"

static struct source_packet packets[SOURCE_FRAME_MAX];
static uint16_t transport_seq;

static void a_frame_is_cut_into_equal_packets_of_the_asked_rate(void)
{
    static const uint64_t rates[] = {50000, 300000, 1500000, 4000000, 15000000};

    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        struct source_shape shape = source_video(rates[i], 30);
        uint64_t bits = (uint64_t)shape.frame_packets * shape.payload_len * 8 * 30;

        CHECK(shape.payload_len >= CONTENT_MIN && shape.payload_len <= CONTENT_MAX);
        CHECK(bits >= rates[i] * 99 / 100 && bits <= rates[i] * 104 / 100);
    }
}

static void rates_beyond_the_longest_frame_are_cut(void)
{
    CHECK_EQ(source_video(UINT64_C(1000000000), 30).frame_packets, SOURCE_FRAME_MAX);
    CHECK_EQ(source_video(8, 30).payload_len, CONTENT_MIN);
}

static void key_frames_come_at_first_and_when_asked_for(void)
{
    struct source_shape shape = source_video(1500000, 30);
    struct source s;
    struct content content;

    source_init(&s, &shape, 5, 0);
    for (int i = 0; i < 4; i++) {
        s.key_wanted = s.key_wanted || i == 2;
        CHECK_EQ(source_next_frame(&s, packets, &transport_seq, 99), shape.frame_packets);
        CHECK_EQ(content_read(&content, KIND_VIDEO, packets[0].payload, packets[0].payload_len), 0);
        CHECK_EQ(content.key, i == 0 || i == 2);
        CHECK_EQ(content.source, 5);
        CHECK_EQ(content.sent_us, 99);
        CHECK_EQ(content.index, (uint32_t)i * shape.frame_packets);
    }
}

static void numbers_go_on_and_the_last_packet_is_marked(void)
{
    struct source_shape shape = source_video(1500000, 30);
    struct rtp_header first;
    struct rtp_header last;
    struct source s;

    source_init(&s, &shape, 0, 0);
    s.pt = 96;
    (void)source_next_frame(&s, packets, &transport_seq, 0);
    (void)source_next_frame(&s, packets, &transport_seq, 0);
    CHECK_EQ(rtp_parse(&first, packets[0].head, RTP_HEADER_LEN), 0);
    CHECK_EQ(rtp_parse(&last, packets[shape.frame_packets - 1].head, RTP_HEADER_LEN), 0);
    CHECK(!first.marker);
    CHECK(last.marker);
    CHECK_EQ(first.pt, 96);
    CHECK_EQ(first.ssrc, s.ssrc);
    CHECK_EQ((uint16_t)(last.seq - first.seq), shape.frame_packets - 1);
    CHECK_EQ(last.ts, first.ts);
    CHECK_EQ(s.ts, first.ts + 3000);
}

/* @return the value of the element, which has `len` bytes */
static const uint8_t *element(const struct source_packet *p, uint8_t id, size_t len)
{
    static struct rtp_header rtp;
    const struct rtp_extension *e = NULL;

    if (rtp_parse(&rtp, p->head, p->head_len) == 0)
        e = rtp_find_extension(&rtp, id);
    return e && e->len == len ? p->head + e->offset : NULL;
}

static void init_extended(struct source *s, const struct source_shape *shape)
{
    source_init(s, shape, 0, 0);
    (void)snprintf(s->mid, sizeof(s->mid), "%s", "video0");
    s->extensions = (struct extension_map){.id = {
                                               [EXTENSION_AUDIO_LEVEL] = 1,
                                               [EXTENSION_ABS_SEND_TIME] = 2,
                                               [EXTENSION_TRANSPORT_CC] = 3,
                                               [EXTENSION_MID] = 4,
                                           }};
}

static void extensions_are_written_as_browsers_write_them(void)
{
    struct source_shape shape = source_video(1500000, 30);
    struct source s;

    init_extended(&s, &shape);
    transport_seq = 0x12ff;
    (void)source_next_frame(&s, packets, &transport_seq, 65 * SECOND + SECOND / 2);
    CHECK(element(&packets[0], 3, 2) && memcmp(element(&packets[0], 3, 2), "\x12\xff", 2) == 0);
    CHECK(element(&packets[1], 3, 2) && memcmp(element(&packets[1], 3, 2), "\x13\0", 2) == 0);
    CHECK(element(&packets[0], 2, 3) && memcmp(element(&packets[0], 2, 3), "\x06\0\0", 3) == 0);
    CHECK(element(&packets[0], 4, 6) && memcmp(element(&packets[0], 4, 6), "video0", 6) == 0);
    CHECK(element(&packets[0], 1, 1) == NULL);
    CHECK_EQ(transport_seq, 0x12ff + shape.frame_packets);
}

static void mid_is_left_out_once_the_server_knows_the_stream(void)
{
    struct source_shape shape = source_audio(100);
    const uint8_t *level;
    struct source s;

    init_extended(&s, &shape);
    (void)source_next_frame(&s, packets, &transport_seq, 0);
    CHECK(element(&packets[0], 4, 6) != NULL);
    s.known = true;
    (void)source_next_frame(&s, packets, &transport_seq, 0);
    CHECK(element(&packets[0], 4, 6) == NULL);
    level = element(&packets[0], 1, 1);
    CHECK(level && (*level & 0x80));
}

static void what_was_not_negotiated_is_not_written(void)
{
    struct source_shape shape = source_audio(100);
    struct source s;

    source_init(&s, &shape, 0, 0);
    transport_seq = 7;
    (void)source_next_frame(&s, packets, &transport_seq, 0);
    CHECK_EQ(packets[0].head_len, RTP_HEADER_LEN);
    CHECK_EQ(transport_seq, 7);
}

static void the_longest_header_fits(void)
{
    struct source_shape shape = source_audio(100);
    struct source s;

    init_extended(&s, &shape);
    memset(s.mid, 'm', SOURCE_MID_MAX);
    (void)source_next_frame(&s, packets, &transport_seq, 0);
    CHECK(element(&packets[0], 4, SOURCE_MID_MAX) != NULL);
    CHECK(packets[0].head_len > RTP_HEADER_LEN && packets[0].head_len <= SOURCE_HEAD_MAX);
}

static void frames_keep_their_pace_but_long_delays_are_not_caught_up(void)
{
    struct source_shape shape = source_audio(100);
    struct source s;

    source_init(&s, &shape, 0, 1 * SECOND);
    CHECK_EQ(source_step(&s, 1 * SECOND + 3 * MS), 3 * MS);
    CHECK_EQ(s.due_us, 1 * SECOND + 20 * MS);
    (void)source_step(&s, 9 * SECOND);
    CHECK(s.due_us >= 9 * SECOND - 200 * MS);
    CHECK_EQ((s.due_us - 1 * SECOND) % (20 * MS), 0);
}

TAP_CASES(CASE(a_frame_is_cut_into_equal_packets_of_the_asked_rate),
          CASE(rates_beyond_the_longest_frame_are_cut),
          CASE(key_frames_come_at_first_and_when_asked_for),
          CASE(numbers_go_on_and_the_last_packet_is_marked),
          CASE(extensions_are_written_as_browsers_write_them),
          CASE(mid_is_left_out_once_the_server_knows_the_stream),
          CASE(what_was_not_negotiated_is_not_written), CASE(the_longest_header_fits),
          CASE(frames_keep_their_pace_but_long_delays_are_not_caught_up))
