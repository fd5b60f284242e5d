#include "sfu/head_template.h"

#include "media/base/clock.h"
#include "media/rtp.h"
#include "tests/tap.h"

static struct plan_section section_of(const char *mid)
{
    struct plan_section s = {
        .n_codecs = 1,
        .codecs = {{.codec = CODEC_VP8, .pt = 96, .rtx_pt = 97, .nack = true}},
        .ssrc = 1,
        .rtx_ssrc = 2,
        .extensions = {.id = {[EXTENSION_MID] = 4,
                              [EXTENSION_TRANSPORT_CC] = 3,
                              [EXTENSION_ABS_SEND_TIME] = 2,
                              [EXTENSION_AUDIO_LEVEL] = 1}},
    };

    (void)snprintf(s.mid, sizeof(s.mid), "%s", mid);
    return s;
}

static const struct head_fields fields = {
    .marker = true, .pt = 96, .seq = 0xfffe, .ts = 0x01020304, .ssrc = 0x0a0b0c0d};

/* Write with `f`, and read it back. */
static struct rtp_header write(const struct head_template *t, const struct forward *f,
                               uint8_t out[HEAD_TEMPLATE_MAX + 1])
{
    struct rtp_header h;
    uint16_t len = head_template_write(t, &fields, f, out);

    CHECK(len >= 16 && len <= HEAD_TEMPLATE_MAX);
    out[len] = 0xaa; /* payload */
    CHECK_EQ(rtp_parse(&h, out, (size_t)len + 1), 0);
    CHECK_EQ(h.header_len, len);
    CHECK_EQ(h.payload_len, 1);
    return h;
}

static void check_value(const struct rtp_header *h, const uint8_t *bytes, uint8_t id,
                        const char *value, size_t len)
{
    const struct rtp_extension *e = rtp_find_extension(h, id);

    CHECK(e != NULL);
    CHECK_EQ(e->len, len);
    CHECK_MEM(bytes + e->offset, value, len);
}

static void everything_is_in_the_header(void)
{
    struct plan_section s = section_of("mid7");
    struct forward f = {.n_extensions = 0};
    struct head_template t;
    uint8_t bytes[HEAD_TEMPLATE_MAX + 1];
    struct rtp_header h;

    head_template_init(&t, &s, 0xdeadbeef);
    h = write(&t, &f, bytes);
    CHECK(h.marker);
    CHECK_EQ(h.pt, 96);
    CHECK_EQ(h.seq, 0xfffe);
    CHECK_EQ(h.ts, 0x01020304);
    CHECK_EQ(h.ssrc, 0x0a0b0c0d);
    CHECK_EQ(h.n_csrcs, 1);
    CHECK_MEM(bytes + 12, "\xde\xad\xbe\xef", 4);
    CHECK_EQ(h.n_extensions, 3);
    check_value(&h, bytes, 4, "mid7", 4);
    check_value(&h, bytes, 3, "\0\0", 2); /* not yet */
    check_value(&h, bytes, 2, "\0\0\0", 3);
    CHECK_EQ(t.transport_cc_at, rtp_find_extension(&h, 3)->offset);
    CHECK_EQ(t.abs_send_time_at, rtp_find_extension(&h, 2)->offset);
    CHECK(!t.two_byte && !t.repeatable);
}

static void passed_extensions_get_the_subscribers_ids(void)
{
    static const uint8_t level = 0x85;
    static const uint8_t orientation = 1;
    struct plan_section s = section_of("0");
    struct forward f = {
        .n_extensions = 2,
        .extensions = {{EXTENSION_AUDIO_LEVEL, 1, &level},
                       {EXTENSION_VIDEO_ORIENTATION, 1, &orientation}},
    };
    struct head_template t;
    uint8_t bytes[HEAD_TEMPLATE_MAX + 1];
    struct rtp_header h;

    head_template_init(&t, &s, 1);
    h = write(&t, &f, bytes);
    check_value(&h, bytes, 1, "\x85", 1);
    CHECK_EQ(h.n_extensions, 4); /* orientation was not negotiated */
}

static void frames_are_renumbered_in_their_descriptor(void)
{
    static const uint8_t descriptor[] = {0xc1, 0xff, 0xfe, 0x55};
    static const uint8_t level = 0x85;
    struct plan_section s = section_of("0");
    struct forward f = {
        .n_extensions = 2,
        .extensions = {{EXTENSION_DEPENDENCY_DESCRIPTOR, 4, descriptor},
                       {EXTENSION_AUDIO_LEVEL, 1, &level}},
    };
    struct head_fields stepped = {.frame_step = 3, .padding = true};
    struct head_template t;
    uint8_t bytes[HEAD_TEMPLATE_MAX + 1] = {0};
    struct rtp_header h;
    size_t len;

    s.extensions.id[EXTENSION_DEPENDENCY_DESCRIPTOR] = 12;
    head_template_init(&t, &s, 1);
    len = head_template_write(&t, &stepped, &f, bytes);
    CHECK(bytes[0] & 0x20);
    bytes[len++] = 1; /* the padding */
    CHECK_EQ(rtp_parse(&h, bytes, len), 0);
    CHECK_EQ(h.padding_len, 1);
    check_value(&h, bytes, 12, "\xc1\x00\x01\x55", 4);
    check_value(&h, bytes, 1, "\x85", 1);
}

static void without_extensions_there_are_none(void)
{
    static const uint8_t level = 5;
    struct plan_section s = section_of("0");
    struct forward f = {.n_extensions = 1, .extensions = {{EXTENSION_AUDIO_LEVEL, 1, &level}}};
    struct head_template t;
    uint8_t bytes[HEAD_TEMPLATE_MAX + 1];
    struct rtp_header h;

    s.extensions = (struct extension_map){{0}};
    head_template_init(&t, &s, 1);
    h = write(&t, &f, bytes);
    CHECK_EQ(h.n_extensions, 0);
    CHECK_EQ(h.header_len, 16);
    CHECK(t.repeatable);
}

static void large_ids_and_descriptors_take_two_bytes(void)
{
    uint8_t descriptor[30] = {1, 2, 3};
    struct plan_section s = section_of("0");
    struct forward f = {
        .n_extensions = 1,
        .extensions = {{EXTENSION_DEPENDENCY_DESCRIPTOR, sizeof(descriptor), descriptor}},
    };
    struct head_template t;
    uint8_t bytes[HEAD_TEMPLATE_MAX + 1];
    struct rtp_header h;

    s.extensions.id[EXTENSION_DEPENDENCY_DESCRIPTOR] = 12;
    s.extensions.id[EXTENSION_TRANSPORT_CC] = 200;
    head_template_init(&t, &s, 1);
    CHECK(t.two_byte);
    h = write(&t, &f, bytes);
    check_value(&h, bytes, 12, (const char *)descriptor, sizeof(descriptor));
    check_value(&h, bytes, 200, "\0\0", 2);
    check_value(&h, bytes, 4, "0", 1);
}

static void what_does_not_fit_is_left_out(void)
{
    uint8_t descriptor[255] = {0};
    static const uint8_t level = 7;
    struct plan_section s = section_of("abcdefghijklmnopqrstuvwxyz012345");
    struct forward f = {
        .n_extensions = 2,
        .extensions = {{EXTENSION_DEPENDENCY_DESCRIPTOR, sizeof(descriptor), descriptor},
                       {EXTENSION_AUDIO_LEVEL, 1, &level}},
    };
    struct head_template t;
    uint8_t bytes[HEAD_TEMPLATE_MAX + 1];
    struct rtp_header h;

    s.extensions.id[EXTENSION_DEPENDENCY_DESCRIPTOR] = 255;
    head_template_init(&t, &s, 1);
    for (uint8_t len = 0; len < 255; len++) {
        f.extensions[0].len = len;
        h = write(&t, &f, bytes);
        check_value(&h, bytes, 4, s.mid, 32);
        check_value(&h, bytes, 3, "\0\0", 2);
    }
}

static void without_rtx_a_header_can_be_repeated(void)
{
    struct plan_section s = section_of("0");
    struct head_template t;
    struct forward now = {.now_us = 1};
    struct forward later = {.now_us = 10 * SECOND};
    uint8_t first[HEAD_TEMPLATE_MAX + 1];
    uint8_t again[HEAD_TEMPLATE_MAX + 1];
    struct rtp_header h;

    s.rtx_ssrc = 0;
    head_template_init(&t, &s, 1);
    CHECK(t.repeatable);
    CHECK_EQ(t.transport_cc_at, 0);
    CHECK_EQ(t.abs_send_time_at, 0);
    h = write(&t, &now, first);
    (void)write(&t, &later, again);
    CHECK_MEM(first, again, h.header_len);
}

TAP_CASES(CASE(everything_is_in_the_header), CASE(passed_extensions_get_the_subscribers_ids),
          CASE(frames_are_renumbered_in_their_descriptor), CASE(without_extensions_there_are_none),
          CASE(large_ids_and_descriptors_take_two_bytes), CASE(what_does_not_fit_is_left_out),
          CASE(without_rtx_a_header_can_be_repeated))
