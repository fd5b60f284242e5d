#include "sfu/participant_feedback.h"

#include "media/rtcp.h"
#include "sfu/core.h"
#include "sfu/downlink.h"
#include "sfu/participant.h"

#include <errno.h>

/* What was lost before it came to us is missing at the subscriber as well, and says nothing of its
 * path: only reports of streams that had no gaps since the one before count. */
static void note_loss(struct participant *p, struct subscription *s, uint8_t fraction,
                      int64_t now_us)
{
    int64_t missing;
    bool whole;

    if (!p->downlink || !s->layer)
        return;
    missing = stream_receiver_missing(&s->layer->receiver);
    whole = missing == s->source_missing;
    s->source_missing = missing;
    if (!whole)
        return;
    if (s->section->kind == KIND_AUDIO)
        p->subscriber.fraction_lost = fraction;
    downlink_on_loss(p->downlink, fraction, now_us);
}

static void on_reports(struct participant *p, const struct rtcp_report *reports, int n,
                       int64_t now_us)
{
    for (int i = 0; i < n; i++) {
        struct subscription *s = participant_find_slot(p, reports[i].ssrc);
        int64_t rtt_us;

        if (!s)
            continue;
        rtt_us = stream_sender_on_report(&s->sender, &reports[i], now_us);
        if (rtt_us >= 0)
            participant_set_rtt(p, rtt_us);
        note_loss(p, s, reports[i].fraction_lost, now_us);
    }
}

static int on_sr(struct participant *p, const struct rtcp_packet *packet, int64_t now_us)
{
    struct rtcp_report reports[RTCP_MAX_REPORTS];
    struct rtcp_sender_info info;
    struct track *track;
    struct track_layer *layer;
    int n = rtcp_read_sr(packet, &info, reports);

    if (n < 0)
        return n;
    layer = participant_find_layer(p, info.ssrc, &track);
    if (layer)
        track_receive_report(track, track_layer_index(track, layer), &info, now_us);
    on_reports(p, reports, n, now_us);
    return 0;
}

static int on_rr(struct participant *p, const struct rtcp_packet *packet, int64_t now_us)
{
    struct rtcp_report reports[RTCP_MAX_REPORTS];
    uint32_t sender;
    int n = rtcp_read_rr(packet, &sender, reports);

    if (n > 0)
        on_reports(p, reports, n, now_us);
    return n < 0 ? n : 0;
}

static int on_bye(struct participant *p, const struct rtcp_packet *packet)
{
    uint32_t ssrcs[31];
    int n = rtcp_read_bye(packet, ssrcs);

    for (int i = 0; i < n; i++) {
        struct track *track;
        struct track_layer *layer = participant_find_layer(p, ssrcs[i], &track);

        if (layer)
            track_receive_bye(track, track_layer_index(track, layer));
    }
    return n < 0 ? n : 0;
}

static int on_nack(struct participant *p, const struct rtcp_packet *packet, int64_t now_us)
{
    struct rtcp_feedback fb;
    uint16_t seqs[RTCP_MAX_NACKS];
    int n = rtcp_read_nack(packet, &fb, seqs, RTCP_MAX_NACKS);
    struct subscription *s;

    if (n < 0)
        return n;
    p->core->stats.nacks_in += (uint64_t)n;
    s = participant_find_slot(p, fb.media);
    for (int i = 0; i < n && s; i++)
        (void)subscription_resend(s, seqs[i], now_us); /* what fails is counted there */
    if (!s)
        p->core->stats.nack_unknown += (uint64_t)n;
    return 0;
}

static void on_key_frame_wish(struct participant *p, uint32_t ssrc, int64_t now_us)
{
    struct subscription *s = participant_find_slot(p, ssrc);

    p->core->stats.key_frames_in++;
    if (s)
        subscription_want_key_frame(s, now_us);
}

static int on_payload_feedback(struct participant *p, const struct rtcp_packet *packet,
                               int64_t now_us)
{
    struct rtcp_feedback fb;
    uint32_t ssrcs[RTCP_MAX_REPORTS];
    uint64_t bps;
    int err;

    switch (packet->count) {
    case PSFB_REMB:
        err = rtcp_read_remb(packet, &fb, &bps);
        if (err == 0 && p->downlink)
            downlink_on_remb(p->downlink, bps, now_us);
        return err == -ENOENT ? 0 : err;
    case PSFB_PLI:
        err = rtcp_read_pli(packet, &fb);
        if (err == 0)
            on_key_frame_wish(p, fb.media, now_us);
        return err;
    case PSFB_FIR:
        err = rtcp_read_fir(packet, &fb, ssrcs, RTCP_MAX_REPORTS);
        for (int i = 0; i < err; i++)
            on_key_frame_wish(p, ssrcs[i], now_us);
        return err < 0 ? err : 0;
    default:
        return 0;
    }
}

static int on_transport_feedback(struct participant *p, const struct rtcp_packet *packet,
                                 int64_t now_us)
{
    switch (packet->count) {
    case RTPFB_NACK:
        return on_nack(p, packet, now_us);
    case RTPFB_TRANSPORT_CC:
        p->core->stats.feedback_in++;
        return p->downlink ? downlink_on_transport_feedback(p->downlink, packet, now_us) : 0;
    case RTPFB_CCFB:
        p->core->stats.feedback_in++;
        return p->downlink ? downlink_on_congestion_feedback(p->downlink, packet, now_us) : 0;
    default:
        return 0;
    }
}

static int on_packet(struct participant *p, const struct rtcp_packet *packet, int64_t now_us)
{
    switch (packet->type) {
    case RTCP_SR:
        return on_sr(p, packet, now_us);
    case RTCP_RR:
        return on_rr(p, packet, now_us);
    case RTCP_BYE:
        return on_bye(p, packet);
    case RTCP_RTPFB:
        return on_transport_feedback(p, packet, now_us);
    case RTCP_PSFB:
        return on_payload_feedback(p, packet, now_us);
    default:
        return 0;
    }
}

void participant_receive_rtcp(struct participant *p, const uint8_t *data, size_t len,
                              int64_t now_us)
{
    struct reader compound = reader_of(data, len);
    struct rtcp_packet packet;
    int more = rtcp_next(&compound, &packet);

    p->core->stats.rtcp_in++;
    while (more > 0) {
        if (on_packet(p, &packet, now_us) < 0)
            p->core->stats.drop_rtcp++;
        more = rtcp_next(&compound, &packet);
    }
    if (more < 0)
        p->core->stats.drop_rtcp++;
}
