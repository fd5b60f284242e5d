#include "media/frame_vpx.h"

#include "media/base/bit_reader.h"
#include "media/base/reader.h"
#include "media/frame_info.h"

enum {
    VP8_X = 0x80,
    VP8_N = 0x20,
    VP8_S = 0x10,
    VP8_START = 0x17, /* S and the partition's number, that shall be 0 */
    /* of the second byte */
    VP8_I = 0x80,
    VP8_L = 0x40,
    VP8_T = 0x20,
    VP8_K = 0x10,
    /* RFC 6386 section 9.1 */
    VP8_INTER = 0x01,
    VP8_KEY_HEAD = 10, /* frame tag, start code, two sizes [bytes] */

    VP9_I = 0x80,
    VP9_P = 0x40,
    VP9_L = 0x20,
    VP9_F = 0x10,
    VP9_B = 0x08,
    VP9_E = 0x04,
    VP9_V = 0x02,
    VP9_Z = 0x01,
    VP9_MAX_REFERENCES = 3,
    VP9_SYNC = 0x498342,
    VP9_RGB = 7,
};

static uint8_t lower(uint8_t a, uint8_t b)
{
    return a < b ? a : b;
}

/* A picture number of 7 or 15 bits, the same in both formats. */
static void read_picture(struct frame_info *ret, struct reader *r)
{
    uint8_t first;

    ret->picture_at = (uint8_t)r->at;
    first = reader_u8(r);
    ret->picture_bits = first & 0x80 ? 15 : 7;
    ret->picture = first & 0x7f;
    if (first & 0x80)
        ret->picture = (uint16_t)(ret->picture << 8 | reader_u8(r));
}

static void read_tl0(struct frame_info *ret, struct reader *r)
{
    ret->has_tl0 = true;
    ret->tl0_at = (uint8_t)r->at;
    ret->tl0 = reader_u8(r);
}

static void read_vp8_size(struct frame_info *ret, const uint8_t *frame, size_t len)
{
    uint16_t width;
    uint16_t height;

    if (len < VP8_KEY_HEAD || frame[3] != 0x9d || frame[4] != 0x01 || frame[5] != 0x2a)
        return;
    width = (uint16_t)((frame[7] << 8 | frame[6]) & 0x3fff);
    height = (uint16_t)((frame[9] << 8 | frame[8]) & 0x3fff);
    if (width == 0 || height == 0)
        return;
    ret->width = width;
    ret->height = height;
}

static void read_vp8_layer(struct frame_info *ret, struct reader *r, uint8_t present)
{
    uint8_t at = (uint8_t)r->at;
    uint8_t byte = reader_u8(r);

    if (present & VP8_T) {
        ret->tid = byte >> 6;
        ret->up_switch = ret->tid > 0 && byte & 0x20;
    }
    if (present & VP8_K) {
        ret->has_key_index = true;
        ret->key_index = byte & 0x1f;
        ret->key_index_at = at;
    }
}

void frame_vp8_read(struct frame_info *ret, const uint8_t *payload, size_t len, bool marker)
{
    struct reader r = reader_of(payload, len);
    uint8_t first = reader_u8(&r);
    uint8_t present = first & VP8_X ? reader_u8(&r) : 0;

    *ret = (struct frame_info){.active_targets = UINT32_MAX, .ends = marker};
    ret->discardable = first & VP8_N;
    if (present & VP8_I)
        read_picture(ret, &r);
    if (present & VP8_L)
        read_tl0(ret, &r);
    if (present & (VP8_T | VP8_K))
        read_vp8_layer(ret, &r, present);
    if (reader_left(&r) == 0) {
        *ret = (struct frame_info){.active_targets = UINT32_MAX, .ends = marker};
        return;
    }
    ret->descriptor_len = (uint8_t)r.at;
    ret->begins = ret->begins_picture = (first & VP8_START) == VP8_S;
    if (!ret->begins || payload[r.at] & VP8_INTER)
        return;
    ret->starts_key = ret->key = ret->up_follows = true;
    read_vp8_size(ret, payload + r.at, len - r.at);
}

static void read_vp9_layer(struct frame_info *ret, struct reader *r)
{
    uint8_t byte = reader_u8(r);

    ret->tid = byte >> 5;
    ret->up_follows = byte & 0x10;
    ret->sid = byte >> 1 & 7;
    ret->inter_layer = byte & 0x01;
}

/* Pictures that this one refers to: at most three. */
static void skip_references(struct reader *r)
{
    for (int i = 0; i < VP9_MAX_REFERENCES; i++) {
        if (!(reader_u8(r) & 0x01))
            return;
    }
    r->failed = true;
}

/* Scalability structure: how many layers, how large; and a picture group, which is skipped. */
static void read_vp9_structure(struct frame_info *ret, struct reader *r)
{
    uint8_t byte = reader_u8(r);
    uint8_t group;

    ret->n_spatial = (uint8_t)((byte >> 5) + 1);
    for (uint8_t i = 0; byte & 0x10 && i < ret->n_spatial; i++) {
        uint16_t width = reader_u16(r);
        uint16_t height = reader_u16(r);

        if (width == 0 || height == 0)
            continue; /* a layer that is not sent */
        ret->width = width;
        ret->height = height;
    }
    group = byte & 0x08 ? reader_u8(r) : 0;
    while (group-- > 0)
        reader_skip(r, reader_u8(r) >> 2 & 3);
}

static uint16_t read_vp9_extent(struct bit_reader *r)
{
    uint32_t extent = bit_reader_bits(r, 16) + 1;

    return (uint16_t)(extent < UINT16_MAX ? extent : UINT16_MAX);
}

/* The size in the uncompressed header of a key frame (VP9 bitstream, section 6.2), for streams that
 * bring no scalability structure. */
static void read_vp9_size(struct frame_info *ret, const uint8_t *frame, size_t len)
{
    struct bit_reader r = bit_reader_of(frame, len);
    uint32_t marker = bit_reader_bits(&r, 2);
    uint32_t profile = bit_reader_bits(&r, 1);
    uint32_t space;

    profile |= bit_reader_bits(&r, 1) << 1;
    bit_reader_skip(&r, profile == 3);
    if (marker != 2 || bit_reader_bits(&r, 2) != 0) /* a frame shown again, or no key frame */
        return;
    bit_reader_skip(&r, 2);
    if (bit_reader_bits(&r, 24) != VP9_SYNC)
        return;
    bit_reader_skip(&r, profile >= 2); /* bit depth */
    space = bit_reader_bits(&r, 3);
    if (space != VP9_RGB)
        bit_reader_skip(&r, profile & 1 ? 4 : 1);
    else
        bit_reader_skip(&r, profile & 1);
    ret->width = read_vp9_extent(&r);
    ret->height = read_vp9_extent(&r);
    if (!bit_reader_ok(&r))
        ret->width = ret->height = 0;
}

void frame_vp9_read(struct frame_info *ret, const uint8_t *payload, size_t len)
{
    struct reader r = reader_of(payload, len);
    uint8_t first = reader_u8(&r);

    *ret = (struct frame_info){.active_targets = UINT32_MAX};
    if (first & VP9_I)
        read_picture(ret, &r);
    if (first & VP9_L) {
        read_vp9_layer(ret, &r);
        if (!(first & VP9_F))
            read_tl0(ret, &r);
    }
    if ((first & (VP9_F | VP9_P)) == (VP9_F | VP9_P))
        skip_references(&r);
    if (first & VP9_V)
        read_vp9_structure(ret, &r);
    if (reader_left(&r) == 0) {
        *ret = (struct frame_info){.active_targets = UINT32_MAX};
        return;
    }
    ret->descriptor_len = (uint8_t)(r.at < UINT8_MAX ? r.at : UINT8_MAX);
    ret->begins = first & VP9_B;
    ret->ends = first & VP9_E;
    ret->not_for_upper = first & VP9_Z;
    ret->key = !(first & VP9_P);
    ret->begins_picture = ret->begins && ret->sid == 0;
    ret->starts_key = ret->begins_picture && ret->key;
    ret->ksvc_hint = !ret->key && ret->sid > 0 && !ret->inter_layer;
    ret->up_switch = ret->key;
    if (ret->starts_key && ret->width == 0)
        read_vp9_size(ret, payload + r.at, len - r.at);
    ret->sid = lower(ret->sid, FRAME_MAX_SPATIAL - 1);
    ret->tid = lower(ret->tid, FRAME_MAX_TEMPORAL - 1);
    ret->n_spatial = lower(ret->n_spatial, FRAME_MAX_SPATIAL);
}
