#include "media/frame_av1.h"

#include "media/base/bit_reader.h"
#include "media/base/reader.h"
#include "media/frame_info.h"

enum {
    /* of the aggregation header */
    CONTINUES = 0x80,
    NEW_SEQUENCE = 0x08,
    /* of an OBU's header */
    OBU_SEQUENCE_HEADER = 1,
    OBU_EXTENSION = 0x04,
    OBU_HAS_SIZE = 0x02,
    HIGH_LEVEL = 7, /* levels above it have a tier */
};

static uint32_t read_leb128(struct reader *r)
{
    uint32_t value = 0;
    uint8_t byte;
    unsigned i = 0;

    do {
        byte = reader_u8(r);
        value |= i < 4 ? (uint32_t)(byte & 0x7f) << (7 * i) : 0; /* longer ones are none in RTP */
    } while (byte & 0x80 && ++i < 8);
    return value;
}

/* AV1 section 5.5.2: parts of a sequence header that are not always there. */
struct sequence_parts {
    bool decoder_model;
    bool display_delay;
    unsigned delay_bits; /* of the decoder model */
};

static void skip_timing(struct sequence_parts *parts, struct bit_reader *r)
{
    bit_reader_skip(r, 64);
    if (bit_reader_flag(r)) /* equal_picture_interval */
        (void)bit_reader_ue(r);
    parts->decoder_model = bit_reader_flag(r);
    if (!parts->decoder_model)
        return;
    parts->delay_bits = bit_reader_bits(r, 5) + 1;
    bit_reader_skip(r, 42);
}

static void skip_operating_points(struct sequence_parts *parts, struct bit_reader *r)
{
    uint32_t n;

    parts->display_delay = bit_reader_flag(r);
    n = bit_reader_bits(r, 5) + 1;
    for (uint32_t i = 0; i < n; i++) {
        bit_reader_skip(r, 12); /* operating_point_idc */
        if (bit_reader_bits(r, 5) > HIGH_LEVEL)
            bit_reader_skip(r, 1);
        if (parts->decoder_model && bit_reader_flag(r))
            bit_reader_skip(r, 2 * parts->delay_bits + 1);
        if (parts->display_delay && bit_reader_flag(r))
            bit_reader_skip(r, 4);
    }
}

static void read_sequence_header(struct frame_info *ret, struct reader obu)
{
    size_t len = reader_left(&obu);
    struct bit_reader r = bit_reader_of(reader_bytes(&obu, len), len);
    struct sequence_parts parts = {.delay_bits = 0};
    unsigned width_bits, height_bits;
    uint32_t width, height;

    bit_reader_skip(&r, 4);    /* profile, still_picture */
    if (bit_reader_flag(&r)) { /* reduced_still_picture_header */
        bit_reader_skip(&r, 5);
    } else {
        if (bit_reader_flag(&r))
            skip_timing(&parts, &r);
        skip_operating_points(&parts, &r);
    }
    width_bits = bit_reader_bits(&r, 4) + 1;
    height_bits = bit_reader_bits(&r, 4) + 1;
    width = bit_reader_bits(&r, width_bits) + 1;
    height = bit_reader_bits(&r, height_bits) + 1;
    if (!bit_reader_ok(&r) || width > UINT16_MAX || height > UINT16_MAX)
        return;
    ret->width = (uint16_t)width;
    ret->height = (uint16_t)height;
}

/* Of an element of `len` bytes, which is an OBU. */
static void read_obu(struct frame_info *ret, struct reader obu)
{
    uint8_t header = reader_u8(&obu);

    if ((header >> 3 & 15) != OBU_SEQUENCE_HEADER)
        return;
    if (header & OBU_EXTENSION)
        reader_skip(&obu, 1);
    if (header & OBU_HAS_SIZE)
        (void)read_leb128(&obu);
    read_sequence_header(ret, obu);
}

/* Section 4.4: N begins a coded video sequence, which Z (a fragment goes on) cannot. */
void frame_av1_read(struct frame_info *ret, const uint8_t *payload, size_t len)
{
    struct reader r = reader_of(payload, len);
    uint8_t header = reader_u8(&r);
    unsigned n = header >> 4 & 3; /* elements, of which the last has no length; 0: all have */

    if ((header & (CONTINUES | NEW_SEQUENCE)) != NEW_SEQUENCE || reader_left(&r) == 0)
        return;
    ret->begins = ret->begins_picture = ret->starts_key = ret->key = ret->up_follows = true;
    for (unsigned i = 1; reader_left(&r) > 0 && ret->width == 0; i++)
        read_obu(ret, reader_sub(&r, i == n ? reader_left(&r) : read_leb128(&r)));
}
