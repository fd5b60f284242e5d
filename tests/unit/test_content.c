#include "bench/content.h"
#include "client/vp8.h"
#include "tests/tap.h"

#include <errno.h>

static const struct content key = {
    .kind = KIND_VIDEO,
    .source = 7,
    .index = 0xfffffffe,
    .sent_us = INT64_C(1700000000000000),
    .first = true,
    .key = true,
    .picture = 0x1234,
};

static void what_was_written_is_read(void)
{
    struct content variants[] = {key, key, key, key};
    struct content got;
    uint8_t out[CONTENT_MAX];

    variants[1].key = false;
    variants[2].first = variants[2].key = false;
    variants[3] = (struct content){.kind = KIND_AUDIO, .source = 9, .index = 3, .sent_us = 5};
    for (size_t i = 0; i < 4; i++) {
        for (size_t len = CONTENT_MIN; len <= CONTENT_MAX; len += 57) {
            content_write(&variants[i], out, len);
            CHECK_EQ(content_read(&got, variants[i].kind, out, len), 0);
            CHECK_EQ(got.source, variants[i].source);
            CHECK_EQ(got.index, variants[i].index);
            CHECK_EQ(got.sent_us, variants[i].sent_us);
            CHECK_EQ(got.first, variants[i].first);
            CHECK_EQ(got.key, variants[i].key);
            CHECK_EQ(got.picture, variants[i].picture);
        }
    }
}

static void any_byte_that_changed_is_noticed(void)
{
    struct content got;
    uint8_t out[100];

    content_write(&key, out, sizeof(out));
    for (size_t i = 0; i < sizeof(out); i++) {
        bool picture = i == 2 || i == 3;
        bool header = i >= 4 && i < 14; /* of VP8: a decoder's business */
        bool stamp = i >= sizeof(out) - 16;

        out[i] ^= 0x04;
        if (!picture && !header && !stamp)
            CHECK_EQ(content_read(&got, KIND_VIDEO, out, sizeof(out)), -EBADMSG);
        out[i] ^= 0x04;
    }
}

static void short_and_long_payloads_are_refused(void)
{
    struct content got;
    uint8_t out[CONTENT_MAX + 1] = {0};

    CHECK_EQ(content_read(&got, KIND_VIDEO, out, 0), -EBADMSG);
    CHECK_EQ(content_read(&got, KIND_VIDEO, out, CONTENT_MIN - 1), -EBADMSG);
    CHECK_EQ(content_read(&got, KIND_AUDIO, out, sizeof(out)), -EBADMSG);
}

static void the_header_is_that_of_vp8(void)
{
    struct content delta = key;
    struct vp8_payload payload;
    uint8_t out[CONTENT_MIN];

    content_write(&key, out, sizeof(out));
    CHECK_EQ(vp8_depacketize(&payload, out, sizeof(out)), 0);
    CHECK(payload.starts_frame && payload.key_frame);
    delta.key = false;
    content_write(&delta, out, sizeof(out));
    CHECK_EQ(vp8_depacketize(&payload, out, sizeof(out)), 0);
    CHECK(payload.starts_frame && !payload.key_frame);
    delta.first = false;
    content_write(&delta, out, sizeof(out));
    CHECK_EQ(vp8_depacketize(&payload, out, sizeof(out)), 0);
    CHECK(!payload.starts_frame);
}

TAP_CASES(CASE(what_was_written_is_read), CASE(any_byte_that_changed_is_noticed),
          CASE(short_and_long_payloads_are_refused), CASE(the_header_is_that_of_vp8))
