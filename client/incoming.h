/**
 * @file incoming.h  One received stream, that of a slot: what is bound to it may change, its SSRC
 * does not. Sorts packets to the audio or video receiver and keeps the numbers for reports.
 * Not thread-safe.
 */
#ifndef CLIENT_INCOMING_H
#define CLIENT_INCOMING_H

#include "client/audio_receiver.h"
#include "client/byte_rate.h"
#include "client/video_receiver.h"
#include "media/base/attributes.h"
#include "media/base/list.h"
#include "media/stream_receiver.h"
#include "signaling/negotiation.h"

#include <stdbool.h>
#include <stdint.h>

struct packet;

struct incoming {
    struct list link; /* in its owner's list */
    char mid[PLAN_MID_MAX + 1];
    enum media_kind kind;
    uint32_t ssrc, rtx_ssrc; /* rtx_ssrc 0: none */
    uint8_t n_codecs;
    struct plan_codec codecs[PLAN_MAX_CODECS];
    struct extension_map extensions;
    uint32_t track, participant; /* bound to the slot; 0: none */
    int64_t bound_us;            /* since when */
    uint32_t source;             /* participant of the last packet */
    int64_t last_packet_us;      /* 0: none yet */
    bool reported;               /* packets came since the last report */
    struct stream_receiver stats;
    struct byte_rate rate;        /* of stats.bytes; its owner looks */
    struct audio_receiver *audio; /* KIND_AUDIO */
    struct video_receiver *video; /* KIND_VIDEO */
};

/** Make the stream of a slot.
 *  @param on_frame  as video_receiver_new(); unused for audio
 *  @return 0; -ENOMEM */
MUST_USE int incoming_new(struct incoming **ret, const struct plan_section *section,
                          uint16_t channels,
                          void (*on_frame)(void *owner, const struct video_frame *frame),
                          void *owner);
/** Unlink and free. NULL is fine. @return NULL */
struct incoming *incoming_free(struct incoming *in);

/** The slot now carries this track; 0, 0: nothing. */
void incoming_bind(struct incoming *in, uint32_t track, uint32_t participant, int64_t now_us);

/** A packet of `ssrc` or `rtx_ssrc` arrived. RTX packets are changed in place: `packet` must have
 *  one reference. @return 0; -EBADMSG, -ENOTSUP: of no use */
MUST_USE int incoming_on_packet(struct incoming *in, struct packet *packet, int64_t now_us);

#endif
