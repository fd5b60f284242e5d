#include "media/frame_h26x.h"

#include "media/base/attributes.h"
#include "media/base/bit_reader.h"
#include "media/base/reader.h"
#include "media/frame_info.h"

enum {
    SPS_MAX = 256, /* bytes looked at of a parameter set; the size lies near its beginning */
};

/* A unit's payload without the bytes that keep it from looking like a start code (H.264 section
 * 7.4.1, H.265 section 7.4.2). @return how many there are in `out` */
static size_t unescape(uint8_t *out, struct reader unit)
{
    size_t len = 0;
    unsigned zeros = 0;

    while (reader_left(&unit) > 0 && len < SPS_MAX) {
        uint8_t byte = reader_u8(&unit);

        if (zeros >= 2 && byte == 3) {
            zeros = 0;
            continue;
        }
        zeros = byte == 0 ? zeros + 1 : 0;
        out[len++] = byte;
    }
    return len;
}

/* Sides of a picture [px], and what of them is cut off. */
struct extent {
    uint64_t width, height, cut_width, cut_height;
};

static void note_extent(struct frame_info *ret, const struct extent *e, const struct bit_reader *r)
{
    if (!bit_reader_ok(r) || e->width <= e->cut_width || e->height <= e->cut_height)
        return;
    if (e->width - e->cut_width > UINT16_MAX || e->height - e->cut_height > UINT16_MAX)
        return;
    ret->width = (uint16_t)(e->width - e->cut_width);
    ret->height = (uint16_t)(e->height - e->cut_height);
}

static void note_key_frame(struct frame_info *ret)
{
    ret->begins = ret->begins_picture = ret->starts_key = ret->key = ret->up_follows = true;
}

/* Left, right, top and bottom offsets in units of so many pixels. */
static void read_cut(struct extent *e, struct bit_reader *r, unsigned unit_x, unsigned unit_y)
{
    e->cut_width = bit_reader_ue(r);
    e->cut_width = (e->cut_width + bit_reader_ue(r)) * unit_x;
    e->cut_height = bit_reader_ue(r);
    e->cut_height = (e->cut_height + bit_reader_ue(r)) * unit_y;
}

/* ------------------------------------------------------------------ H.264 */

enum {
    H264_SLICE = 1,
    H264_IDR = 5,
    H264_SPS = 7,
    H264_STAP_A = 24,
    H264_STAP_B = 25,
    H264_FU_A = 28,
    H264_FU_B = 29,
};

static bool h264_has_chroma_format(uint8_t profile)
{
    static const uint8_t profiles[] = {100, 110, 122, 244, 44,  83, 86,
                                       118, 128, 138, 139, 134, 135};

    for (size_t i = 0; i < ARRAY_LEN(profiles); i++) {
        if (profiles[i] == profile)
            return true;
    }
    return false;
}

static void skip_scaling_list(struct bit_reader *r, int n)
{
    int32_t next = 8;

    for (int32_t last = 8; n > 0 && next != 0 && bit_reader_ok(r); n--) {
        next = (last + bit_reader_se(r) % 256 + 256) % 256;
        last = next ? next : last;
    }
}

/* H.264 section 7.3.2.1.1, up to the scaling matrix. @return chroma_format_idc */
static uint32_t h264_read_format(struct bit_reader *r)
{
    uint32_t chroma = bit_reader_ue(r);

    bit_reader_skip(r, chroma == 3); /* separate_colour_plane_flag */
    (void)bit_reader_ue(r);          /* bit depths */
    (void)bit_reader_ue(r);
    bit_reader_skip(r, 1);
    if (bit_reader_flag(r)) {
        for (int i = 0; i < (chroma == 3 ? 12 : 8); i++) {
            if (bit_reader_flag(r))
                skip_scaling_list(r, i < 6 ? 16 : 64);
        }
    }
    return chroma;
}

static void h264_skip_order_count(struct bit_reader *r)
{
    uint32_t type = bit_reader_ue(r);
    uint32_t n;

    if (type == 0) {
        (void)bit_reader_ue(r);
    } else if (type == 1) {
        bit_reader_skip(r, 1);
        (void)bit_reader_se(r);
        (void)bit_reader_se(r);
        n = bit_reader_ue(r);
        for (uint32_t i = 0; i < n && bit_reader_ok(r); i++)
            (void)bit_reader_se(r);
    }
}

static void h264_read_sps(struct frame_info *ret, struct reader unit)
{
    uint8_t bytes[SPS_MAX];
    struct bit_reader r = bit_reader_of(bytes, unescape(bytes, unit));
    uint8_t profile = (uint8_t)bit_reader_bits(&r, 8);
    uint32_t chroma = 1;
    struct extent e = {.cut_width = 0};
    unsigned fields; /* of a frame, that a map unit is of */

    bit_reader_skip(&r, 16); /* constraints, level */
    (void)bit_reader_ue(&r); /* id */
    if (h264_has_chroma_format(profile))
        chroma = h264_read_format(&r);
    (void)bit_reader_ue(&r); /* length of frame numbers */
    h264_skip_order_count(&r);
    (void)bit_reader_ue(&r); /* reference frames */
    bit_reader_skip(&r, 1);
    e.width = 16 * ((uint64_t)bit_reader_ue(&r) + 1);
    e.height = 16 * ((uint64_t)bit_reader_ue(&r) + 1);
    fields = bit_reader_flag(&r) ? 1 : 2;
    e.height *= fields;
    bit_reader_skip(&r, fields); /* mb_adaptive_frame_field_flag, direct_8x8_inference_flag */
    if (bit_reader_flag(&r))
        read_cut(&e, &r, chroma == 1 || chroma == 2 ? 2 : 1, (chroma == 1 ? 2 : 1) * fields);
    note_extent(ret, &e, &r);
}

/* `rest` is what follows the NAL unit's header. Of a picture's slices only the first begins it:
 * first_mb_in_slice 0 is a one bit in front. */
static void h264_read_unit(struct frame_info *ret, uint8_t header, struct reader rest)
{
    unsigned type = header & 31;

    if (type == H264_SPS) {
        note_key_frame(ret);
        h264_read_sps(ret, rest);
    } else if (type == H264_IDR && reader_u8(&rest) & 0x80) {
        note_key_frame(ret);
    }
    ret->discardable |= type == H264_SLICE && !(header & 0x60);
}

static void h264_read_aggregate(struct frame_info *ret, struct reader r)
{
    while (reader_left(&r) > 0) {
        struct reader unit = reader_sub(&r, reader_u16(&r));
        uint8_t header = reader_u8(&unit);

        if (!reader_ok(&unit))
            return;
        h264_read_unit(ret, header, unit);
    }
}

void frame_h264_read(struct frame_info *ret, const uint8_t *payload, size_t len)
{
    struct reader r = reader_of(payload, len);
    uint8_t header = reader_u8(&r);
    unsigned type = header & 31;
    uint8_t fragment;

    switch (type) {
    case H264_STAP_B:
        reader_skip(&r, 2); /* decoding order number */
        h264_read_aggregate(ret, r);
        break;
    case H264_STAP_A:
        h264_read_aggregate(ret, r);
        break;
    case H264_FU_A:
    case H264_FU_B:
        fragment = reader_u8(&r);
        if (type == H264_FU_B)
            reader_skip(&r, 2);
        if (fragment & 0x80)
            h264_read_unit(ret, (uint8_t)((header & 0x60) | (fragment & 31)), r);
        else
            ret->discardable = (fragment & 31) == H264_SLICE && !(header & 0x60);
        break;
    default:
        h264_read_unit(ret, header, r);
        break;
    }
}

/* ------------------------------------------------------------------ H.265 */

enum {
    H265_FIRST_IRAP = 16,
    H265_LAST_IRAP = 21,
    H265_VPS = 32,
    H265_SPS = 33,
    H265_AP = 48,
    H265_FU = 49,
    H265_PROFILE_BITS = 88,
    H265_LEVEL_BITS = 8,
};

/* H.265 section 7.3.3: general profile and level, then those of lower temporal layers. */
static void h265_skip_profiles(struct bit_reader *r, uint32_t n_lower)
{
    uint32_t present = 0; /* two bits for each, the first highest */

    bit_reader_skip(r, H265_PROFILE_BITS + H265_LEVEL_BITS);
    if (n_lower > 0)
        present = bit_reader_bits(r, 16);
    for (uint32_t i = 0; i < n_lower; i++) {
        bit_reader_skip(r, present & 0x8000 ? H265_PROFILE_BITS : 0);
        bit_reader_skip(r, present & 0x4000 ? H265_LEVEL_BITS : 0);
        present <<= 2;
    }
}

static void h265_read_sps(struct frame_info *ret, struct reader unit)
{
    uint8_t bytes[SPS_MAX];
    struct bit_reader r = bit_reader_of(bytes, unescape(bytes, unit));
    struct extent e = {.cut_width = 0};
    uint32_t n_lower;
    uint32_t chroma;

    bit_reader_skip(&r, 4); /* id of the VPS */
    n_lower = bit_reader_bits(&r, 3);
    bit_reader_skip(&r, 1);
    h265_skip_profiles(&r, n_lower);
    (void)bit_reader_ue(&r); /* id */
    chroma = bit_reader_ue(&r);
    if (chroma == 3)
        bit_reader_skip(&r, 1);
    e.width = bit_reader_ue(&r);
    e.height = bit_reader_ue(&r);
    if (bit_reader_flag(&r))
        read_cut(&e, &r, chroma == 1 || chroma == 2 ? 2 : 1, chroma == 1 ? 2 : 1);
    note_extent(ret, &e, &r);
}

/* As h264_read_unit(); first_slice_segment_in_pic_flag is the first bit of a slice. */
static void h265_read_unit(struct frame_info *ret, unsigned type, struct reader rest)
{
    if (type == H265_VPS || type == H265_SPS) {
        note_key_frame(ret);
        if (type == H265_SPS)
            h265_read_sps(ret, rest);
    } else if (type >= H265_FIRST_IRAP && type <= H265_LAST_IRAP && reader_u8(&rest) & 0x80) {
        note_key_frame(ret);
    }
}

static void h265_read_aggregate(struct frame_info *ret, struct reader r)
{
    while (reader_left(&r) > 0) {
        struct reader unit = reader_sub(&r, reader_u16(&r));
        uint16_t header = reader_u16(&unit);

        if (!reader_ok(&unit))
            return;
        h265_read_unit(ret, header >> 9 & 63, unit);
    }
}

/* Without DONL fields: sprop-max-don-diff is 0 in WebRTC. */
void frame_h265_read(struct frame_info *ret, const uint8_t *payload, size_t len)
{
    struct reader r = reader_of(payload, len);
    unsigned type = reader_u16(&r) >> 9 & 63;
    uint8_t fragment;

    if (!reader_ok(&r))
        return;
    if (type == H265_AP) {
        h265_read_aggregate(ret, r);
    } else if (type == H265_FU) {
        fragment = reader_u8(&r);
        if (fragment & 0x80)
            h265_read_unit(ret, fragment & 63, r);
    } else {
        h265_read_unit(ret, type, r);
    }
}
