/**
 * @file stream_sender.h  Sender reports of one outgoing SSRC, and what receiver reports say of it.
 *
 * A report carries the publisher's NTP clock, taken from the publisher's own sender reports: audio
 * and video of one publisher stay in sync at the subscriber, as both count on the same clock.
 *
 * A plain value: embed it, init it, forget it. Owns nothing. Not thread-safe.
 */
#ifndef MEDIA_STREAM_SENDER_H
#define MEDIA_STREAM_SENDER_H

#include "media/base/attributes.h"
#include "media/rtcp.h"

#include <stddef.h>
#include <stdint.h>

struct seq_rewriter;
struct stream_receiver;

enum { STREAM_SENDER_REPORTS = 8 }; /* sent reports remembered, to measure the round trip */

/** A sender report we sent. */
struct stream_sender_sent {
    uint32_t ntp_middle; /* middle 32 bits of its NTP time, which the peer echoes; 0: none */
    int64_t sent_us;
};

struct stream_sender {
    uint32_t ssrc, clock_rate;
    uint64_t packets, bytes; /* sent: RTP packets, payload bytes */
    struct stream_sender_sent sent[STREAM_SENDER_REPORTS];
    size_t next_sent;
    /* from the peer's receiver reports */
    int64_t reported_us;   /* when the last one came; 0: none yet */
    int64_t rtt_us;        /* as last measured; -1: not yet */
    uint8_t fraction_lost; /* of 256 */
    int32_t total_lost;    /* packets, those lost before us included */
    uint32_t jitter;       /* [timestamp units] */
    uint32_t highest_seq;  /* extended */
};

/** Make `s` empty. @param clock_rate  [Hz] of the timestamps */
void stream_sender_init(struct stream_sender *s, uint32_t ssrc, uint32_t clock_rate);

/** Note a packet that was sent. @param payload_len  without header and padding [bytes] */
void stream_sender_on_packet(struct stream_sender *s, size_t payload_len);

/**
 * Fill the sender info for now. The report counts as sent.
 *
 * @param source    whose packets are sent now
 * @param rewriter  which maps the source's timestamps
 * @return 0; -EAGAIN: the source sent no report yet, or no packet of it was sent
 */
MUST_USE int stream_sender_report(struct stream_sender *s, const struct stream_receiver *source,
                                  const struct seq_rewriter *rewriter, int64_t now_us,
                                  struct rtcp_sender_info *ret);

/**
 * The same for a stream that begins here, on our own clock.
 *
 * @param ntp     wall-clock time of now (ntp_from_wall_us())
 * @param rtp_ts  timestamp that belongs to it
 */
void stream_sender_report_own(struct stream_sender *s, uint64_t ntp, uint32_t rtp_ts,
                              int64_t now_us, struct rtcp_sender_info *ret);

/**
 * Read a report block of the peer about this SSRC.
 *
 * @return round trip it tells of [us, >= 0]; -ENOENT: none (it echoes no report we remember)
 */
MUST_USE int64_t stream_sender_on_report(struct stream_sender *s, const struct rtcp_report *report,
                                         int64_t now_us);

#endif
