#include "media/frame_info.h"

#include "media/frame_vpx.h"
#include "media/payload.h"

/* What is told without looking further than to the first units of the payload. */
static void read_start(struct frame_info *ret, const struct frame_packet *packet)
{
    bool starts = payload_starts_key_frame(packet->codec, packet->payload, packet->len);

    *ret = (struct frame_info){
        .active_targets = UINT32_MAX,
        .begins = starts,
        .ends = packet->marker,
        .begins_picture = starts,
        .starts_key = starts,
        .key = starts,
        .up_follows = starts,
    };
}

void frame_info_read(struct frame_info *ret, const struct frame_packet *packet,
                     struct dd_history *dd)
{
    (void)dd;
    switch (packet->codec) {
    case CODEC_VP8:
        frame_vp8_read(ret, packet->payload, packet->len, packet->marker);
        break;
    case CODEC_VP9:
        frame_vp9_read(ret, packet->payload, packet->len);
        break;
    case CODEC_H264:
    case CODEC_H265:
    case CODEC_AV1:
        read_start(ret, packet);
        break;
    case CODEC_OPUS:
    case CODEC_RED:
    case CODEC_PCMU:
    case CODEC_PCMA:
    case CODEC_NONE:
    case CODEC_COUNT:
        *ret = (struct frame_info){.active_targets = UINT32_MAX};
        break;
    }
}
