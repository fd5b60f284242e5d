#include "media/stream_receiver.h"

#include "media/base/clock.h"
#include "media/seq.h"

#include <errno.h>
#include <math.h>

enum {
    JITTER_GAIN = 16,    /* RFC 3550 section 6.4.1 */
    JITTER_MAX_S = 5,    /* a larger step is a timestamp that jumped, not the network */
    LOST_MAX = 0x7fffff, /* 24 bits signed */
    REPORTS_APART_MAX_S = 60,
};

static const int64_t NTP_SECOND = INT64_C(1) << 32;

void stream_receiver_init(struct stream_receiver *r, uint32_t ssrc, uint32_t clock_rate)
{
    *r = (struct stream_receiver){.ssrc = ssrc, .clock_rate = clock_rate};
}

/* [timestamp units], split so that no uptime overflows */
static int64_t ts_of_time(int64_t us, uint32_t clock_rate)
{
    return us / SECOND * clock_rate + us % SECOND * clock_rate / SECOND;
}

static int64_t transit_of(const struct stream_receiver *r, uint32_t ts, int64_t now_us)
{
    return ts_of_time(now_us, r->clock_rate) - ts;
}

/* RFC 3550 A.8, once per timestamp: the packets of one frame are sent as a burst. */
static void update_jitter(struct stream_receiver *r, uint32_t ts, int64_t now_us)
{
    int64_t transit = transit_of(r, ts, now_us);
    double step = fabs((double)(int32_t)(uint32_t)(transit - r->last_transit)); /* ts wraps */

    if (ts == r->last_ts)
        return;
    if (step < (double)JITTER_MAX_S * r->clock_rate)
        r->jitter += (step - r->jitter) / JITTER_GAIN;
    r->last_transit = transit;
    r->last_ts = ts;
}

static void start(struct stream_receiver *r, uint16_t seq, uint32_t ts, int64_t now_us)
{
    r->started = true;
    r->base = SEQ_FIRST_CYCLE + seq;
    r->highest = r->base - 1;
    r->last_transit = transit_of(r, ts, now_us);
    r->last_ts = ts;
}

int64_t stream_receiver_on_packet(struct stream_receiver *r, uint16_t seq16, uint32_t ts,
                                  uint32_t payload_len, int64_t now_us)
{
    int64_t seq;

    if (!r->started)
        start(r, seq16, ts, now_us);
    seq = seq_unwrap(r->highest, seq16);
    r->received++;
    r->bytes += payload_len;
    r->last_arrival_us = now_us;
    if (seq < r->base) /* late, from before the first one */
        r->base = seq;
    if (seq > r->highest) {
        r->highest = seq;
        update_jitter(r, ts, now_us);
    }
    return seq;
}

void stream_receiver_on_recovered(struct stream_receiver *r)
{
    r->received++;
}

void stream_receiver_on_sr(struct stream_receiver *r, const struct rtcp_sender_info *sr,
                           int64_t now_us)
{
    r->sr_ntp = sr->ntp;
    r->sr_rtp_ts = sr->rtp_ts;
    r->sr_arrival_us = now_us;
}

int stream_receiver_clock_step(const struct stream_receiver *from, const struct stream_receiver *to,
                               uint32_t *step)
{
    int64_t apart = (int64_t)(to->sr_ntp - from->sr_ntp); /* seconds in 32.32 fixed point */

    if (!from->sr_ntp || !to->sr_ntp)
        return -ENOENT;
    if (from->clock_rate != to->clock_rate || apart / NTP_SECOND > REPORTS_APART_MAX_S ||
        apart / NTP_SECOND < -REPORTS_APART_MAX_S)
        return -ERANGE;
    *step = from->sr_rtp_ts - to->sr_rtp_ts + (uint32_t)(apart * from->clock_rate / NTP_SECOND);
    return 0;
}

static int64_t clamp(int64_t value, int64_t min, int64_t max)
{
    if (value < min)
        return min;
    return value > max ? max : value;
}

int64_t stream_receiver_missing(const struct stream_receiver *r)
{
    return r->started ? r->highest - r->base + 1 - (int64_t)r->received : 0;
}

void stream_receiver_report(struct stream_receiver *r, struct rtcp_report *ret, int64_t now_us)
{
    int64_t expected = r->started ? r->highest - r->base + 1 : 0;
    int64_t received = (int64_t)r->received;
    int64_t interval = expected - r->expected_prior;
    int64_t lost = interval - (received - r->received_prior);

    *ret = (struct rtcp_report){
        .ssrc = r->ssrc,
        .total_lost = (int32_t)clamp(expected - received, -LOST_MAX - 1, LOST_MAX),
        .highest_seq = r->started ? (uint32_t)(r->highest - SEQ_FIRST_CYCLE) : 0,
        .jitter = (uint32_t)r->jitter,
    };
    if (interval > 0)
        ret->fraction_lost = (uint8_t)clamp(lost * 256 / interval, 0, UINT8_MAX);
    if (r->sr_ntp) {
        int64_t delay_us = clamp(now_us - r->sr_arrival_us, 0, 65535 * SECOND);

        ret->last_sr = (uint32_t)(r->sr_ntp >> 16);
        ret->delay_since_sr = (uint32_t)(delay_us * 65536 / SECOND);
    }
    r->expected_prior = expected;
    r->received_prior = received;
}
