/* Packets of one stream: codec and flags, lengths of descriptor and payload, and these. */
#include "media/base/reader.h"
#include "media/frame_info.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MARKER = 0x08, DESCRIPTOR = 0x10, LATE = 0x20, NEW_PICTURE = 0x40 };

static void check_numbers(const struct frame_info *info, size_t len)
{
    size_t end = info->descriptor_len < FRAME_DESCRIPTOR_MAX ? info->descriptor_len
                                                             : FRAME_DESCRIPTOR_MAX;

    assert(info->descriptor_len == 0 || info->descriptor_len < len);
    assert(info->picture_bits == 0 || info->picture_bits == 7 || info->picture_bits == 15);
    if (info->picture_bits > 0)
        assert((size_t)info->picture_at + (info->picture_bits > 7 ? 2 : 1) <= end);
    assert(info->picture < 1 << info->picture_bits);
    assert(!info->has_tl0 || info->tl0_at < end);
    assert(!info->has_key_index || (info->key_index_at < end && info->key_index < 32));
}

static void check(const struct frame_info *info, const struct frame_packet *packet,
                  const struct dd_history *dd)
{
    check_numbers(info, packet->len);
    assert(info->sid < FRAME_MAX_SPATIAL && info->tid < FRAME_MAX_TEMPORAL);
    assert(info->n_spatial <= FRAME_MAX_SPATIAL && info->n_chains <= FRAME_MAX_CHAINS);
    assert((info->width == 0) == (info->height == 0));
    assert(!info->starts_key || info->begins);
    assert(!info->begins_picture || info->begins);
    assert(!info->has_dd || (packet->descriptor && !info->undecided));
    assert(!info->carries_structure || info->has_dd);
    assert(!info->has_dd || dd_history_find(dd, info->structure));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum codec codecs[] = {CODEC_VP8, CODEC_VP9,  CODEC_H264, CODEC_H265,
                                        CODEC_AV1, CODEC_OPUS, CODEC_NONE, CODEC_COUNT};
    struct dd_history dd = {.last_id = 0};
    struct reader r = reader_of(data, size);
    struct dd_place at = {.seq = 100};

    while (reader_left(&r) > 2) {
        uint8_t flags = reader_u8(&r);
        size_t descriptor_len = reader_u8(&r);
        size_t len = reader_u8(&r);
        struct frame_packet packet = {.codec = codecs[flags & 7], .marker = flags & MARKER};
        struct frame_info info;

        at.ts += flags & NEW_PICTURE ? 3000 : 0;
        packet.at = at;
        packet.at.seq -= flags & LATE ? 3 : 0;
        at.seq++;
        packet.descriptor_len = descriptor_len < reader_left(&r) ? descriptor_len : reader_left(&r);
        packet.descriptor = reader_bytes(&r, packet.descriptor_len);
        if (!(flags & DESCRIPTOR))
            packet.descriptor = NULL;
        packet.len = len < reader_left(&r) ? len : reader_left(&r);
        packet.payload = reader_bytes(&r, packet.len);
        frame_info_read(&info, &packet, &dd);
        check(&info, &packet, &dd);
    }
    return 0;
}
