#include "media/payload.h"

#include "media/base/reader.h"
#include "media/base/writer.h"

#include <errno.h>

/* RFC 7741 section 4.2. @return the P bit's byte of a frame that begins here, or NULL */
static const uint8_t *vp8_frame_start(const uint8_t *payload, size_t len)
{
    struct reader r = reader_of(payload, len);
    uint8_t first = reader_u8(&r);
    uint8_t extended = first & 0x80 ? reader_u8(&r) : 0;

    if ((first & 0x17) != 0x10) /* S set, partition 0 */
        return NULL;
    if (extended & 0x80 && reader_u8(&r) & 0x80) /* picture number, of 15 bits */
        reader_skip(&r, 1);
    if (extended & 0x40) /* TL0PICIDX */
        reader_skip(&r, 1);
    if (extended & 0x30) /* TID, KEYIDX */
        reader_skip(&r, 1);
    return reader_left(&r) > 0 ? payload + r.at : NULL;
}

static bool vp8_starts_key_frame(const uint8_t *payload, size_t len)
{
    const uint8_t *frame = vp8_frame_start(payload, len);

    return frame && !(frame[0] & 0x01);
}

int payload_vp8_size(const uint8_t *payload, size_t len, uint16_t *width, uint16_t *height)
{
    const uint8_t *frame = vp8_frame_start(payload, len);

    /* RFC 6386 section 9.1: 3 bytes of frame tag, start code, two little-endian sizes. */
    if (!frame || frame[0] & 0x01 || payload + len - frame < 10)
        return -ENOENT;
    if (frame[3] != 0x9d || frame[4] != 0x01 || frame[5] != 0x2a)
        return -ENOENT;
    *width = (uint16_t)((frame[7] << 8 | frame[6]) & 0x3fff);
    *height = (uint16_t)((frame[9] << 8 | frame[8]) & 0x3fff);
    return 0;
}

/* RFC 9628 section 4.2: not predicted from other pictures, first packet, lowest spatial layer. */
static bool vp9_starts_key_frame(const uint8_t *payload, size_t len)
{
    struct reader r = reader_of(payload, len);
    uint8_t first = reader_u8(&r);
    uint8_t layer;

    if ((first & 0x48) != 0x08) /* P clear, B set */
        return false;
    if (first & 0x80 && reader_u8(&r) & 0x80) /* picture number, of 15 bits */
        reader_skip(&r, 1);
    layer = first & 0x20 ? reader_u8(&r) : 0;
    return reader_left(&r) > 0 && (layer >> 1 & 7) == 0;
}

enum {
    H264_IDR = 5,
    H264_SPS = 7,
    H264_STAP_A = 24,
    H264_STAP_B = 25,
    H264_FU_A = 28,
    H264_FU_B = 29,
};

/* `rest` is what follows the NAL unit's header. Of a picture's slices only the first begins it:
 * first_mb_in_slice 0 is a one bit in front. */
static bool h264_unit_starts(unsigned type, struct reader rest)
{
    return type == H264_SPS || (type == H264_IDR && reader_u8(&rest) & 0x80);
}

static bool h264_aggregate_starts(struct reader r)
{
    while (reader_left(&r) > 0) {
        struct reader unit = reader_sub(&r, reader_u16(&r));
        uint8_t header = reader_u8(&unit);

        if (!reader_ok(&unit))
            return false;
        if (h264_unit_starts(header & 31, unit))
            return true;
    }
    return false;
}

/* RFC 6184 section 5.2 */
static bool h264_starts_key_frame(const uint8_t *payload, size_t len)
{
    struct reader r = reader_of(payload, len);
    unsigned type = reader_u8(&r) & 31;
    uint8_t fragment;

    switch (type) {
    case H264_STAP_B:
        reader_skip(&r, 2); /* decoding order number */
        return h264_aggregate_starts(r);
    case H264_STAP_A:
        return h264_aggregate_starts(r);
    case H264_FU_A:
    case H264_FU_B:
        fragment = reader_u8(&r);
        if (type == H264_FU_B)
            reader_skip(&r, 2);
        return fragment & 0x80 && h264_unit_starts(fragment & 31, r);
    default:
        return h264_unit_starts(type, r);
    }
}

enum {
    H265_FIRST_IRAP = 16,
    H265_LAST_IRAP = 21,
    H265_VPS = 32,
    H265_SPS = 33,
    H265_AP = 48,
    H265_FU = 49,
};

/* As h264_unit_starts(); first_slice_segment_in_pic_flag is the first bit of a slice. */
static bool h265_unit_starts(unsigned type, struct reader rest)
{
    if (type == H265_VPS || type == H265_SPS)
        return true;
    return type >= H265_FIRST_IRAP && type <= H265_LAST_IRAP && reader_u8(&rest) & 0x80;
}

static bool h265_aggregate_starts(struct reader r)
{
    while (reader_left(&r) > 0) {
        struct reader unit = reader_sub(&r, reader_u16(&r));
        uint16_t header = reader_u16(&unit);

        if (!reader_ok(&unit))
            return false;
        if (h265_unit_starts(header >> 9 & 63, unit))
            return true;
    }
    return false;
}

/* RFC 7798 section 4.4, without DONL fields: sprop-max-don-diff is 0 in WebRTC */
static bool h265_starts_key_frame(const uint8_t *payload, size_t len)
{
    struct reader r = reader_of(payload, len);
    unsigned type = reader_u16(&r) >> 9 & 63;
    uint8_t fragment;

    if (!reader_ok(&r))
        return false;
    if (type == H265_AP)
        return h265_aggregate_starts(r);
    if (type != H265_FU)
        return h265_unit_starts(type, r);
    fragment = reader_u8(&r);
    return fragment & 0x80 && h265_unit_starts(fragment & 63, r);
}

/* AV1 RTP section 4.4: N begins a coded video sequence, which Z (a fragment goes on) cannot. */
static bool av1_starts_key_frame(const uint8_t *payload, size_t len)
{
    return len > 1 && (payload[0] & 0x88) == 0x08;
}

bool payload_starts_key_frame(enum codec codec, const uint8_t *payload, size_t len)
{
    switch (codec) {
    case CODEC_OPUS:
    case CODEC_RED:
    case CODEC_PCMU:
    case CODEC_PCMA:
        return true;
    case CODEC_VP8:
        return vp8_starts_key_frame(payload, len);
    case CODEC_VP9:
        return vp9_starts_key_frame(payload, len);
    case CODEC_H264:
        return h264_starts_key_frame(payload, len);
    case CODEC_H265:
        return h265_starts_key_frame(payload, len);
    case CODEC_AV1:
        return av1_starts_key_frame(payload, len);
    case CODEC_NONE:
    case CODEC_COUNT:
        break;
    }
    return false;
}

/*
 * Read the block headers (RFC 2198 section 3), copying them with `pt` to `w`.
 *
 * @return length of the headers, and *primary the offset of the last block; -EBADMSG
 */
static int red_walk(const uint8_t *payload, size_t len, uint8_t pt, struct writer *w,
                    size_t *primary)
{
    struct reader r = reader_of(payload, len);
    size_t redundant = 0;
    uint8_t first = reader_u8(&r);

    while (first & 0x80) {
        uint32_t rest = reader_u24(&r); /* 14 bits of time offset, 10 of length */

        redundant += rest & 0x3ff;
        writer_u8(w, (uint8_t)(0x80 | pt));
        writer_u24(w, rest);
        first = reader_u8(&r);
    }
    writer_u8(w, pt);
    if (!reader_ok(&r) || redundant > reader_left(&r))
        return -EBADMSG;
    *primary = r.at + redundant;
    return (int)r.at;
}

int payload_red_primary(const uint8_t *payload, size_t len)
{
    struct writer none = writer_of(NULL, 0);
    size_t primary;
    int err = red_walk(payload, len, 0, &none, &primary);

    return err < 0 ? err : (int)primary;
}

int payload_red_headers(const uint8_t *payload, size_t len, uint8_t pt, uint8_t *out,
                        size_t capacity)
{
    struct writer w = writer_of(out, capacity);
    size_t primary;
    int headers_len = red_walk(payload, len, pt & 127, &w, &primary);

    if (headers_len < 0)
        return headers_len;
    return writer_ok(&w) ? headers_len : -EMSGSIZE;
}
