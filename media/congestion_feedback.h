/**
 * @file congestion_feedback.h  RTP congestion control feedback (RFC 8888): when each packet of each
 * stream arrived, without numbers of its own. Reading. Plain values.
 */
#ifndef MEDIA_CONGESTION_FEEDBACK_H
#define MEDIA_CONGESTION_FEEDBACK_H

#include "media/base/attributes.h"
#include "media/rtcp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CONGESTION_FEEDBACK_MAX = 16384 }; /* packets of one stream in one feedback packet */

/** What became of one packet. */
struct congestion_status {
    uint32_t ssrc;
    uint16_t seq;
    bool received;
    uint8_t ecn;        /* the two bits of the IP header (RFC 3168), if received */
    int64_t arrival_us; /* in the receiver's clock, which wraps after 18 hours: see
                         * congestion_feedback_unwrap_us(); -1: lost, or not told */
};

/**
 * Read a feedback packet.
 *
 * @param out  room for `max` statuses; further ones are left out
 * @return number of statuses written; -EBADMSG, with nothing written but to `out`
 */
MUST_USE int congestion_feedback_read(const struct rtcp_packet *p, struct congestion_status *out,
                                      size_t max);

/** @return `arrival_us` moved by whole cycles so that it is closest to `previous_us`, an earlier
 *          result (start with any arrival) */
int64_t congestion_feedback_unwrap_us(int64_t previous_us, int64_t arrival_us);

#endif
