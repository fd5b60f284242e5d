#include "client/vp8.h"

#include "media/frame_info.h"
#include "tests/tap.h"

#include <errno.h>

enum { MAX_FRAME = 10000 };

/* Cut a frame up and put it together again. @return payloads it took */
static size_t round_trip(const uint8_t *frame, size_t len)
{
    static uint8_t again[MAX_FRAME];
    uint8_t payload[VP8_PAYLOAD_MAX];
    struct vp8_packetizer p;
    struct vp8_payload part;
    size_t at = 0;
    size_t n = 0;
    bool last = false;

    vp8_packetizer_init(&p, frame, len, 32767);
    while (!last) {
        size_t payload_len = vp8_packetizer_next(&p, payload, &last);

        CHECK(payload_len > 0 && payload_len <= VP8_PAYLOAD_MAX);
        CHECK_EQ(vp8_depacketize(&part, payload, payload_len), 0);
        CHECK_EQ(part.starts_frame, n == 0);
        CHECK_EQ(part.key_frame, n == 0 && vp8_is_key_frame(frame, len));
        CHECK(at + part.len <= len);
        memcpy(again + at, part.data, part.len);
        at += part.len;
        n++;
    }
    CHECK_EQ(at, len);
    CHECK_MEM(again, frame, len);
    CHECK_EQ(vp8_packetizer_next(&p, payload, &last), 0);
    return n;
}

static void frames_survive_the_cutting(void)
{
    static uint8_t frame[MAX_FRAME];

    for (size_t i = 0; i < MAX_FRAME; i++)
        frame[i] = (uint8_t)(i * 7);
    CHECK_EQ(round_trip(frame, 1), 1);
    CHECK_EQ(round_trip(frame, VP8_PAYLOAD_MAX - VP8_DESCRIPTOR_LEN), 1);
    CHECK_EQ(round_trip(frame, VP8_PAYLOAD_MAX - VP8_DESCRIPTOR_LEN + 1), 2);
    CHECK_EQ(round_trip(frame, MAX_FRAME), 10);
    frame[0] |= 1;
    CHECK_EQ(round_trip(frame, 5000), 5);
}

static void an_empty_frame_has_no_payloads(void)
{
    uint8_t payload[VP8_PAYLOAD_MAX] = {0};
    struct vp8_packetizer p;
    bool last = true;

    vp8_packetizer_init(&p, payload, 0, 0);
    CHECK_EQ(vp8_packetizer_next(&p, payload, &last), 0);
}

static void parts_are_of_one_size(void)
{
    static const uint8_t frame[2000];
    uint8_t payload[VP8_PAYLOAD_MAX];
    struct vp8_packetizer p;
    bool last = false;

    vp8_packetizer_init(&p, frame, sizeof(frame), 0);
    CHECK_EQ(vp8_packetizer_next(&p, payload, &last), 1000 + VP8_DESCRIPTOR_LEN);
    CHECK(!last);
    CHECK_EQ(vp8_packetizer_next(&p, payload, &last), 1000 + VP8_DESCRIPTOR_LEN);
    CHECK(last);
}

static void the_server_sees_our_key_frames_and_their_size(void)
{
    static const uint8_t frame[] = {0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01, 9};
    uint8_t payload[VP8_PAYLOAD_MAX];
    struct frame_packet from = {.codec = CODEC_VP8, .payload = payload};
    struct frame_info info;
    struct vp8_packetizer p;
    bool last;

    vp8_packetizer_init(&p, frame, sizeof(frame), 1);
    from.len = vp8_packetizer_next(&p, payload, &last);
    frame_info_read(&info, &from, NULL);
    CHECK(info.starts_key);
    CHECK_EQ(info.width, 640);
    CHECK_EQ(info.height, 360);
}

static void every_descriptor_is_read(void)
{
    static const struct {
        uint8_t bytes[8];
        size_t len, data;
        bool starts;
    } cases[] = {
        {{0x10, 'd'}, 2, 1, true},                               /* none */
        {{0x00, 'd'}, 2, 1, false},                              /* goes on */
        {{0x11, 'd'}, 2, 1, false},                              /* second partition */
        {{0x90, 0x00, 'd'}, 3, 2, true},                         /* X alone */
        {{0x90, 0x80, 0x01, 'd'}, 4, 3, true},                   /* 7 bit picture number */
        {{0x90, 0x80, 0x81, 0x02, 'd'}, 5, 4, true},             /* 15 bit */
        {{0x90, 0xc0, 0x01, 0x02, 'd'}, 5, 4, true},             /* TL0PICIDX */
        {{0x90, 0x20, 0x01, 'd'}, 4, 3, true},                   /* TID */
        {{0x90, 0x30, 0x01, 'd'}, 4, 3, true},                   /* TID and KEYIDX share a byte */
        {{0x90, 0xf0, 0x81, 0x02, 0x03, 0x04, 'd'}, 7, 6, true}, /* all */
    };
    struct vp8_payload part;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CHECK_EQ(vp8_depacketize(&part, cases[i].bytes, cases[i].len), 0);
        CHECK_EQ(part.data - cases[i].bytes, cases[i].data);
        CHECK_EQ(part.starts_frame, cases[i].starts);
        CHECK_EQ(vp8_depacketize(&part, cases[i].bytes, cases[i].len - 1), -EBADMSG);
    }
    CHECK_EQ(vp8_depacketize(&part, cases[0].bytes, 0), -EBADMSG);
}

TAP_CASES(CASE(frames_survive_the_cutting), CASE(an_empty_frame_has_no_payloads),
          CASE(parts_are_of_one_size), CASE(the_server_sees_our_key_frames_and_their_size),
          CASE(every_descriptor_is_read))
