#include "media/frame_av1.h"

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

static void av1_key_frame_begins_a_sequence(void)
{
    CHECK(READ(CODEC_AV1, 0x18, 0x0a).starts_key);
    CHECK(!READ(CODEC_AV1, 0x10, 0x0a).starts_key);
    CHECK(!READ(CODEC_AV1, 0x98, 0x0a).starts_key); /* a fragment goes on */
    CHECK(!READ(CODEC_AV1, 0x18).starts_key);
}

static void sequence_header_tells_the_size(void)
{
    /* by libaom: 640 x 360, 854 x 478; sequence headers as elements with and without lengths */
    struct frame_info info = READ(CODEC_AV1, 0x18, 0x08, 0x00, 0x00, 0x00, 0x0c, 0xc4, 0xff, 0x67,
                                  0xe0, 0x6d, 0x7c, 0x80, 0x20);

    CHECK_EQ(info.width, 640);
    CHECK_EQ(info.height, 360);
    info = READ(CODEC_AV1, 0x08, 0x0d, 0x08, 0x00, 0x00, 0x00, 0x24, 0xc6, 0xab, 0xdd, 0xe0, 0x6d,
                0x7c, 0x80, 0x20, 0x01, 0x30);
    CHECK_EQ(info.width, 854);
    CHECK_EQ(info.height, 478);
    /* second element, with an extension and a size */
    info = READ(CODEC_AV1, 0x28, 0x01, 0x10, 0x0e, 0x00, 0x0c, 0x00, 0x00, 0x00, 0x0c, 0xc4, 0xff,
                0x67, 0xe0, 0x6d, 0x7c, 0x80, 0x20);
    CHECK_EQ(info.width, 640);
    CHECK_EQ(info.height, 360);
}

static void cut_sequence_header_tells_no_size(void)
{
    static const uint8_t payload[] = {0x18, 0x08, 0x00, 0x00, 0x00, 0x0c, 0xc4, 0xff, 0x67};

    for (size_t len = 2; len < sizeof(payload); len++) {
        CHECK(read_bytes(CODEC_AV1, payload, len).starts_key);
        CHECK_EQ(read_bytes(CODEC_AV1, payload, len).width, 0);
    }
    CHECK_EQ(read_bytes(CODEC_AV1, payload, sizeof(payload)).width, 640);
}

/* As above, with timing, decoder model and display delay, of one operating point; reduced. */
static void rare_sequence_headers_are_read(void)
{
    static const char *const headers[] = {
        "000 0 0 1"
        "00000000000000000000000000000001 00000000000000000000000000000001 1 010"
        "1 00111 00000000000000000000000000000001 00000 00000"
        "1 00000 000000000000 01000 1 1 00000000 00000000 0 1 0000"
        "0111 0111 00000111 00000011",
        "000 1 1 00000 0111 0111 00000111 00000011",
    };

    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        uint8_t payload[64] = {0x18, 0x08};
        size_t n = 0;

        for (const char *bit = headers[i]; *bit; bit++) {
            if (*bit == ' ')
                continue;
            payload[2 + n / 8] |= (uint8_t)((*bit == '1') << (7 - n % 8));
            n++;
        }
        CHECK_EQ(read_bytes(CODEC_AV1, payload, sizeof(payload)).width, 8);
        CHECK_EQ(read_bytes(CODEC_AV1, payload, sizeof(payload)).height, 4);
    }
}

static void elements_that_pass_the_end_tell_nothing(void)
{
    CHECK_EQ(READ(CODEC_AV1, 0x08, 0x7f, 0x08, 0x00).width, 0);
    CHECK_EQ(READ(CODEC_AV1, 0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01).width, 0);
    CHECK_EQ(READ(CODEC_AV1, 0x08, 0x00, 0x00, 0x00).width, 0);
}

TAP_CASES(CASE(av1_key_frame_begins_a_sequence), CASE(sequence_header_tells_the_size),
          CASE(cut_sequence_header_tells_no_size), CASE(rare_sequence_headers_are_read),
          CASE(elements_that_pass_the_end_tell_nothing))
