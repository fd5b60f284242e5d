/**
 * @file downlink.h  How much one participant's path carries, and all that finding it out takes: the
 * history of what left, feedback, probes, and the pace of its packets.
 *
 * Made when the first packet of media goes out. Thread: the worker's own.
 */
#ifndef SFU_DOWNLINK_H
#define SFU_DOWNLINK_H

#include "media/base/attributes.h"
#include "media/base/clock.h"
#include "media/congestion_controller.h"
#include "signaling/negotiation.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct downlink;
struct egress;
struct egress_peer;
struct rtcp_packet;

/** What a peer tells of what it receives; what is told in more detail comes later. */
enum downlink_feedback {
    DOWNLINK_REPORTS,      /* receiver reports alone */
    DOWNLINK_REMB,         /* its own estimate */
    DOWNLINK_CCFB,         /* feedback of RFC 8888 */
    DOWNLINK_TRANSPORT_CC, /* transport-wide feedback */
};

/** @return "reports", "remb", "ccfb", "transport-cc" */
const char *downlink_feedback_name(enum downlink_feedback feedback);

/** Feedback that was agreed on and does not come by then is not waited for: nothing is limited. */
#define DOWNLINK_PATIENCE_US (3 * SECOND)
/** The owner is told that often at most, unless the estimate changes by more than 1 of 32. */
#define DOWNLINK_TELL_US (200 * MS)

struct downlink_config {
    struct egress *egress;    /* borrowed, as is the next */
    struct egress_peer *peer; /* the path's place in it; ours to number and to pace */
    enum downlink_feedback feedback;
    /** Queue a packet whose only use is to be sent. @return bytes, about; 0: nothing can be */
    size_t (*send_probe)(void *owner, int64_t now_us);
    void *owner;
};

/** @return what slots of this plan lead to */
enum downlink_feedback downlink_feedback_of(const struct media_plan *plan);

/** @return 0; -ENOMEM */
MUST_USE int downlink_new(struct downlink **ret, const struct downlink_config *config,
                          int64_t now_us);
/** Leave the peer as it was at first. NULL is fine. @return NULL */
struct downlink *downlink_free(struct downlink *d);

/** The plan changed. Without memory for what it takes, things stay as they are. */
void downlink_set_feedback(struct downlink *d, enum downlink_feedback feedback);

/** Take in a transport-wide feedback packet. @return 0; -EBADMSG */
int downlink_on_transport_feedback(struct downlink *d, const struct rtcp_packet *packet,
                                   int64_t now_us);

/** Take in a feedback packet of RFC 8888. Nothing happens unless it was agreed on. @return 0;
 *  -EBADMSG */
int downlink_on_congestion_feedback(struct downlink *d, const struct rtcp_packet *packet,
                                    int64_t now_us);

/** Take in a REMB [bit/s]. Nothing happens if there is better. */
void downlink_on_remb(struct downlink *d, uint64_t bps, int64_t now_us);

/** Take in what a receiver report says of a stream whose source had no gaps meanwhile. Nothing
 *  happens if there is better. @param fraction  lost, of 256 */
void downlink_on_loss(struct downlink *d, uint8_t fraction, int64_t now_us);

/** The round trip was measured. */
void downlink_set_rtt(struct downlink *d, int64_t rtt_us);

/** Do what is due. @return when to call again [us], or NEVER_US */
MUST_USE int64_t downlink_advance(struct downlink *d, int64_t now_us);

/** @return true if the owner should look at the estimate; it counts as looked at then */
MUST_USE bool downlink_take_change(struct downlink *d, int64_t now_us);

/** @return bits per second left for RTP now, heads of UDP and IP deducted; 0: nothing is known, and
 *          nothing is limited. NULL is fine: 0 */
uint64_t downlink_estimate(const struct downlink *d);

/** @return true if more is sent than leaves in time. NULL is fine */
bool downlink_is_congested(const struct downlink *d);

/** What would be sent if it could [bit/s of RTP]: nobody probes for more. NULL is fine */
void downlink_set_wanted(struct downlink *d, uint64_t bps, int64_t now_us);

/** What is known of the path. NULL is fine: all zero */
void downlink_stats(const struct downlink *d, struct congestion_stats *ret);

#endif
