#include "media/stream_sender.h"

#include "media/base/clock.h"
#include "media/seq_rewriter.h"
#include "media/stream_receiver.h"

#include <assert.h>
#include <errno.h>

void stream_sender_init(struct stream_sender *s, uint32_t ssrc, uint32_t clock_rate)
{
    *s = (struct stream_sender){.ssrc = ssrc, .clock_rate = clock_rate, .rtt_us = -1};
}

void stream_sender_on_packet(struct stream_sender *s, size_t payload_len)
{
    s->packets++;
    s->bytes += payload_len;
}

/* [units of 1/per_second], split so that no time overflows */
static uint64_t scale(int64_t us, uint64_t per_second)
{
    uint64_t seconds = (uint64_t)(us / SECOND);
    uint64_t rest = (uint64_t)(us % SECOND);

    return seconds * per_second + rest * per_second / SECOND;
}

int stream_sender_report(struct stream_sender *s, const struct stream_receiver *source,
                         const struct seq_rewriter *rewriter, int64_t now_us,
                         struct rtcp_sender_info *ret)
{
    int64_t elapsed_us = now_us - source->sr_arrival_us;

    if (!source->sr_ntp || !rewriter->started || rewriter->switching)
        return -EAGAIN;
    if (elapsed_us < 0) /* read by another worker, later in its turn than we are in ours */
        elapsed_us = 0;
    /* NTP and RTP move by the same time, so the delay of the source's report cancels out. */
    stream_sender_report_own(s, source->sr_ntp + scale(elapsed_us, UINT64_C(1) << 32),
                             seq_rewriter_map_ts(rewriter, source->sr_rtp_ts) +
                                 (uint32_t)scale(elapsed_us, s->clock_rate),
                             now_us, ret);
    return 0;
}

void stream_sender_report_own(struct stream_sender *s, uint64_t ntp, uint32_t rtp_ts,
                              int64_t now_us, struct rtcp_sender_info *ret)
{
    *ret = (struct rtcp_sender_info){
        .ssrc = s->ssrc,
        .ntp = ntp,
        .rtp_ts = rtp_ts,
        .packets = (uint32_t)s->packets,
        .octets = (uint32_t)s->bytes,
    };
    s->sent[s->next_sent] = (struct stream_sender_sent){
        .ntp_middle = (uint32_t)(ntp >> 16),
        .sent_us = now_us,
    };
    s->next_sent = (s->next_sent + 1) % STREAM_SENDER_REPORTS;
}

static int64_t round_trip_us(const struct stream_sender *s, const struct rtcp_report *report,
                             int64_t now_us)
{
    int64_t delay_us = (int64_t)report->delay_since_sr * SECOND / 65536;

    if (report->last_sr == 0)
        return -ENOENT;
    for (size_t i = 0; i < STREAM_SENDER_REPORTS; i++) {
        int64_t rtt_us = now_us - s->sent[i].sent_us - delay_us;

        if (s->sent[i].ntp_middle == report->last_sr)
            return rtt_us >= 0 ? rtt_us : 0;
    }
    return -ENOENT;
}

int64_t stream_sender_on_report(struct stream_sender *s, const struct rtcp_report *report,
                                int64_t now_us)
{
    int64_t rtt_us = round_trip_us(s, report, now_us);

    assert(report->ssrc == s->ssrc);
    if (rtt_us >= 0)
        s->rtt_us = rtt_us;
    s->reported_us = now_us;
    s->fraction_lost = report->fraction_lost;
    s->total_lost = report->total_lost;
    s->jitter = report->jitter;
    s->highest_seq = report->highest_seq;
    return rtt_us;
}
