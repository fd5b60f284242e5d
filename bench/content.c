#include "bench/content.h"

#include "media/base/reader.h"
#include "media/base/writer.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

enum {
    OPUS_TOC = 0xf8, /* CELT, fullband, 20 ms, mono, one frame: RFC 6716 section 3.1 */
    STAMP_LEN = 20,
    DESCRIPTOR_LEN = 4, /* RFC 7741 section 4.2: X, I, 15 bit picture number */
    DESCRIPTOR_X = 0x80,
    DESCRIPTOR_S = 0x10,
    DESCRIPTOR_I = 0x80,
    PICTURE_15_BITS = 0x80,
    TAG_LEN = 3,         /* RFC 6386 section 9.1: of every frame */
    KEY_HEADER_LEN = 10, /* the tag, a start code and the size */
    TAG_DELTA = 0x01,
    TAG_SHOW = 0x10,
    WIDTH = 1280,
    HEIGHT = 720,
};
static const uint32_t magic = 0x534c4342;

static void write_key_header(struct writer *w)
{
    static const uint8_t start_code[] = {0x9d, 0x01, 0x2a};

    writer_bytes(w, start_code, sizeof(start_code));
    writer_u8(w, WIDTH & 0xff);
    writer_u8(w, WIDTH >> 8);
    writer_u8(w, HEIGHT & 0xff);
    writer_u8(w, HEIGHT >> 8);
}

static void write_vp8_header(struct writer *w, const struct content *content)
{
    writer_u8(w, (uint8_t)(DESCRIPTOR_X | (content->first ? DESCRIPTOR_S : 0)));
    writer_u8(w, DESCRIPTOR_I);
    writer_u8(w, (uint8_t)(PICTURE_15_BITS | (content->picture >> 8 & 0x7f)));
    writer_u8(w, (uint8_t)content->picture);
    if (!content->first)
        return;
    writer_u8(w, (uint8_t)(TAG_SHOW | (content->key ? 0 : TAG_DELTA)));
    writer_u16(w, 0x0100); /* length of the first partition: not 0 is all that matters */
    if (content->key)
        write_key_header(w);
}

/* Bytes that grow by one, from `first` on. @param len  at most CONTENT_MAX */
static const uint8_t *pattern_from(uint8_t first)
{
    static uint8_t pattern[256 + CONTENT_MAX];

    if (pattern[1] == 0) {
        for (size_t i = 0; i < sizeof(pattern); i++)
            pattern[i] = (uint8_t)i;
    }
    return pattern + first;
}

void content_write(const struct content *content, uint8_t *out, size_t len)
{
    struct writer w = writer_of(out, len);

    assert(len >= CONTENT_MIN && len <= CONTENT_MAX);
    if (content->kind == KIND_AUDIO)
        writer_u8(&w, OPUS_TOC);
    else
        write_vp8_header(&w, content);
    writer_bytes(&w, pattern_from((uint8_t)(content->index + w.len)), len - STAMP_LEN - w.len);
    writer_u32(&w, magic);
    writer_u32(&w, content->source);
    writer_u32(&w, content->index);
    writer_u64(&w, (uint64_t)content->sent_us);
}

/* @return length of the header in front of the pattern; 0: it is wrong */
static size_t read_vp8_header(struct content *ret, const uint8_t *payload)
{
    static const uint8_t key_start[] = {0x9d, 0x01, 0x2a, WIDTH & 0xff, WIDTH >> 8};

    ret->first = payload[0] & DESCRIPTOR_S;
    if ((payload[0] & ~DESCRIPTOR_S) != DESCRIPTOR_X || payload[1] != DESCRIPTOR_I)
        return 0;
    ret->picture = (uint16_t)((payload[2] & 0x7f) << 8 | payload[3]);
    if (!ret->first)
        return DESCRIPTOR_LEN;
    ret->key = !(payload[DESCRIPTOR_LEN] & TAG_DELTA);
    if (!ret->key)
        return DESCRIPTOR_LEN + TAG_LEN;
    if (memcmp(payload + DESCRIPTOR_LEN + TAG_LEN, key_start, sizeof(key_start)) != 0)
        return 0;
    return DESCRIPTOR_LEN + KEY_HEADER_LEN;
}

int content_read(struct content *ret, enum media_kind kind, const uint8_t *payload, size_t len)
{
    struct content content = {.kind = kind};
    struct reader r;
    size_t head_len = 1;

    if (len < CONTENT_MIN || len > CONTENT_MAX)
        return -EBADMSG;
    if (kind == KIND_VIDEO)
        head_len = read_vp8_header(&content, payload);
    else if (payload[0] != OPUS_TOC)
        return -EBADMSG;
    r = reader_of(payload + len - STAMP_LEN, STAMP_LEN);
    if (head_len == 0 || reader_u32(&r) != magic)
        return -EBADMSG;
    content.source = reader_u32(&r);
    content.index = reader_u32(&r);
    content.sent_us = (int64_t)reader_u64(&r);
    if (memcmp(payload + head_len, pattern_from((uint8_t)(content.index + head_len)),
               len - STAMP_LEN - head_len) != 0)
        return -EBADMSG;
    *ret = content;
    return 0;
}
