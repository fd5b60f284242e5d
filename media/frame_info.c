#include "media/frame_info.h"

#include "media/base/attributes.h"
#include "media/frame_av1.h"
#include "media/frame_h26x.h"
#include "media/frame_vpx.h"

#include <errno.h>
#include <string.h>

/* Of the indications of all decode targets: some frame of the target needs it. */
static const uint64_t ANY_NEEDS = 0xaaaaaaaaaaaaaaaa;

static uint8_t lower(uint8_t a, uint8_t b)
{
    return a < b ? a : b;
}

static void read_payload(struct frame_info *ret, const struct frame_packet *packet)
{
    switch (packet->codec) {
    case CODEC_VP8:
        frame_vp8_read(ret, packet->payload, packet->len, packet->marker);
        break;
    case CODEC_VP9:
        frame_vp9_read(ret, packet->payload, packet->len);
        break;
    case CODEC_H264:
        *ret = (struct frame_info){.active_targets = UINT32_MAX, .ends = packet->marker};
        frame_h264_read(ret, packet->payload, packet->len);
        break;
    case CODEC_H265:
        *ret = (struct frame_info){.active_targets = UINT32_MAX, .ends = packet->marker};
        frame_h265_read(ret, packet->payload, packet->len);
        break;
    case CODEC_AV1:
        *ret = (struct frame_info){.active_targets = UINT32_MAX, .ends = packet->marker};
        frame_av1_read(ret, packet->payload, packet->len);
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

/* Is a switch possible with `f` to the target of its own layers, and to those of higher temporal
 * layers? */
static void find_switches(struct frame_info *ret, const struct dd_frame *f,
                          const struct dd_structure *s)
{
    const uint8_t *targets = s->target_of[f->sid];
    uint8_t own = targets[f->tid];

    ret->up_switch = own != DD_NO_TARGET && dd_indication(f->dtis, own) == DD_SWITCH;
    ret->up_follows = f->tid + 1 < s->n_temporal;
    for (uint8_t tid = (uint8_t)(f->tid + 1); tid < s->n_temporal; tid++) {
        if (targets[tid] != DD_NO_TARGET && dd_indication(f->dtis, targets[tid]) != DD_SWITCH)
            ret->up_follows = false;
    }
}

static void find_size(struct frame_info *ret, const struct dd_structure *s)
{
    if (!s->width[s->n_spatial - 1])
        return;
    ret->width = s->width[s->n_spatial - 1];
    ret->height = s->height[s->n_spatial - 1];
}

/* All but where numbers are in the payload is what the descriptor says. */
static void take_frame(struct frame_info *ret, const struct dd_frame *f,
                       const struct dd_structure *s)
{
    ret->has_dd = true;
    ret->frame_number = f->number;
    ret->n_targets = s->n_targets;
    ret->n_chains = lower(s->n_chains, FRAME_MAX_CHAINS);
    ret->dtis = f->dtis;
    memcpy(ret->chain_diffs, f->chain_diffs, sizeof(ret->chain_diffs));
    ret->active_targets = f->active_targets;
    ret->carries_structure = f->has_structure;
    ret->sid = lower(f->sid, FRAME_MAX_SPATIAL - 1);
    ret->tid = lower(f->tid, FRAME_MAX_TEMPORAL - 1);
    ret->n_spatial = s->n_spatial;
    ret->begins = f->begins;
    ret->ends = f->ends;
    ret->begins_picture = f->begins && f->sid == 0;
    ret->starts_key = f->begins && f->has_structure && f->n_fdiffs == 0;
    ret->discardable = f->dtis != 0 && !(f->dtis & ANY_NEEDS);
    ret->inter_layer = ret->not_for_upper = ret->ksvc_hint = false;
    find_switches(ret, f, s);
    if (f->has_structure)
        find_size(ret, s);
}

/* These tell where the numbers are that a subscriber sees, and are never encrypted end to end. */
static bool has_payload_descriptor(enum codec codec)
{
    return codec == CODEC_VP8 || codec == CODEC_VP9;
}

static void read_both(struct frame_info *ret, const struct frame_packet *packet,
                      struct dd_history *dd)
{
    struct dd_frame f;
    uint8_t structure;
    int err = -ENOENT;

    if (dd)
        err = dd_history_read(dd, &f, &structure, &packet->at, packet->descriptor,
                              packet->descriptor_len);
    if (err < 0 || has_payload_descriptor(packet->codec))
        read_payload(ret, packet);
    else
        *ret = (struct frame_info){.has_dd = true};
    ret->undecided = err == -ENOENT;
    if (err < 0)
        return;
    ret->structure = structure;
    take_frame(ret, &f, dd_history_find(dd, structure));
    ret->key = dd_history_is_key(dd, packet->at.ts);
}

void frame_info_read(struct frame_info *ret, const struct frame_packet *packet,
                     struct dd_history *dd)
{
    if (LIKELY(!packet->descriptor))
        read_payload(ret, packet);
    else
        read_both(ret, packet, dd);
}
