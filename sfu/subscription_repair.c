/* Key frames for one subscriber: a part of subscription.h. */
#include "media/packet.h"
#include "media/seq.h"
#include "sfu/core.h"
#include "sfu/subscription.h"
#include "sfu/track.h"

/* Round trip to a subscriber that has not told. */
static const int64_t RTT_UNKNOWN_US = 100 * MS;

/* Has a key frame gone out that the subscriber could not know of when it asked? */
static bool is_under_way(const struct subscription *s, int64_t now_us)
{
    int64_t rtt_us = s->subscriber->rtt_us < 0 ? RTT_UNKNOWN_US : s->subscriber->rtt_us;

    return s->layer && s->layer->has_key_frame && now_us - s->layer->key_frame_us < rtt_us;
}

/* @return how far before the newest number that was sent the key frame begins, about */
static uint16_t find_beginning(const struct subscription *s)
{
    uint16_t begins = 0;

    for (unsigned back = 0; back < TRACK_MAX_BURST; back++) {
        int source = seq_rewriter_source_of(&s->rewriter,
                                            (uint16_t)(s->rewriter.out_highest - back));

        if (source >= 0 &&
            seq_unwrap(s->layer->key_frame_seq, (uint16_t)source) < s->layer->key_frame_seq)
            break;
        begins = (uint16_t)back;
    }
    return begins;
}

/* Send a young key frame again, as if each of its packets had been asked for: once. */
static void send_again(struct subscription *s, int64_t now_us)
{
    const struct track_layer *layer = s->layer;

    if (!layer || layer->key_frame_us == s->repaired_us ||
        !track_has_burst(s->track, layer, TRACK_YOUNG_US, now_us))
        return;
    s->repaired_us = layer->key_frame_us;
    for (int back = find_beginning(s); back >= 0; back--) {
        uint16_t seq = (uint16_t)(s->rewriter.out_highest - back);
        int source = seq_rewriter_source_of(&s->rewriter, seq);
        const struct packet *packet = NULL;

        if (source >= 0)
            packet = packet_store_get(&layer->store, (uint16_t)source);
        if (packet && packet->rtp.ts == layer->key_frame_ts)
            (void)subscription_resend(s, seq, now_us);
    }
}

void subscription_want_key_frame(struct subscription *s, int64_t now_us)
{
    struct forwarder_stats *stats = &s->subscriber->core->stats;
    struct track_layer *layer = s->layer ? s->layer : s->target;

    if (!s->track || !layer || layer->kind != KIND_VIDEO)
        return;
    if (is_under_way(s, now_us)) {
        stats->key_frames_answered++;
    } else if (layer->key_frame.wanted || key_frame_allowance_take(&s->allowance, now_us)) {
        track_want_key_frame(s->track, layer);
    } else {
        stats->key_frames_limited++;
        send_again(s, now_us);
    }
}
