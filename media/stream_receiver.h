/**
 * @file stream_receiver.h  Statistics of one incoming SSRC for receiver reports (RFC 3550 A.1, A.3,
 * A.8), and the clock of its sender reports. A plain value. Not thread-safe.
 */
#ifndef MEDIA_STREAM_RECEIVER_H
#define MEDIA_STREAM_RECEIVER_H

#include "media/base/attributes.h"
#include "media/rtcp.h"

#include <stdbool.h>
#include <stdint.h>

struct stream_receiver {
    uint32_t ssrc, clock_rate;
    bool started;
    int64_t highest, base;    /* unwrapped sequence numbers */
    uint64_t received, bytes; /* packets without duplicates; payload bytes */
    int64_t expected_prior, received_prior;
    double jitter; /* [timestamp units] */
    int64_t last_transit;
    uint32_t last_ts;
    int64_t last_arrival_us; /* of any packet */
    /* the newest sender report */
    uint64_t sr_ntp; /* 0: none yet */
    uint32_t sr_rtp_ts;
    int64_t sr_arrival_us;
};

/** Make `r` empty. @param clock_rate  [Hz] of the timestamps, > 0 */
void stream_receiver_init(struct stream_receiver *r, uint32_t ssrc, uint32_t clock_rate);

/** Note a packet that is no duplicate (SRTP has refused those). @return its unwrapped sequence
 * number (>= 0) */
int64_t stream_receiver_on_packet(struct stream_receiver *r, uint16_t seq, uint32_t ts,
                                  uint32_t payload_len, int64_t now_us);

/** Note a retransmission received by RTX: counts as received, not in the jitter. */
void stream_receiver_on_recovered(struct stream_receiver *r);

/** Note a sender report of this SSRC. */
void stream_receiver_on_sr(struct stream_receiver *r, const struct rtcp_sender_info *sr,
                           int64_t now_us);

/** @return packets missing so far, repeated ones deducted */
int64_t stream_receiver_missing(const struct stream_receiver *r);

/**
 * How the clocks of two streams of one sender are apart, by their sender reports.
 *
 * @return 0, and *step is what to add to a timestamp of `to` to get that of `from` for the same
 *         moment; -ENOENT: one of them has sent none; -ERANGE: reports more than a minute apart, or
 *         clocks that do not count alike
 */
MUST_USE int stream_receiver_clock_step(const struct stream_receiver *from,
                                        const struct stream_receiver *to, uint32_t *step);

/** Fill the report for now and begin the next interval. */
void stream_receiver_report(struct stream_receiver *r, struct rtcp_report *ret, int64_t now_us);

#endif
