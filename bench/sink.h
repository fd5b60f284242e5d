/**
 * @file sink.h  One received stream: what came, what is missing, and, where packets are decrypted,
 * whether they are what was sent. Plain value, no I/O, no clock. One thread.
 */
#ifndef BENCH_SINK_H
#define BENCH_SINK_H

#include "bench/content.h"
#include "bench/histogram.h"
#include "media/rtcp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sink {
    uint32_t ssrc;
    bool started;
    int64_t first, highest;  /* sequence numbers, unwrapped */
    uint64_t packets, bytes; /* RTP as on the wire, without UDP and IP */
    /* of the window that is measured */
    int64_t window_highest;
    uint64_t window_packets;
    /* of the last report */
    uint64_t reported_expected, reported_packets;
    /* of content */
    bool content_started;
    uint32_t content_source, content_index;
};

/** What was found in decrypted packets. */
struct sink_findings {
    uint64_t packets;
    uint64_t wrong;     /* payload is not what any source of ours wrote */
    uint64_t gaps;      /* packets of the source that were left out */
    uint64_t reordered; /* came after a later one, or again */
    struct histogram delay_us;
};

/** A packet with this number came. @param len  bytes as on the wire */
void sink_count(struct sink *s, uint16_t seq, size_t len);

/** Its payload, decrypted; NULL: it is wrong. @param delay_us  on its way */
void sink_check(struct sink *s, const struct content *content, int64_t delay_us,
                struct sink_findings *findings);

/** What a receiver reports of it (RFC 3550 section 6.4.1), since the last time and in all.
 *  @param ret  ssrc, losses and highest number are set, all else is 0 */
void sink_report(struct sink *s, struct rtcp_report *ret);

/** What comes from now on counts for the window. */
void sink_begin_window(struct sink *s);

/** @return packets of the window that should have come, by their numbers, and those that came */
uint64_t sink_window_expected(const struct sink *s);
uint64_t sink_window_packets(const struct sink *s);

#endif
