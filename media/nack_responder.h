/**
 * @file nack_responder.h  How much one subscriber can make us send again.
 *
 * A packet is sent again at most once per round trip, as a request that crosses its answer asks in
 * vain; and all that is sent again is at most a share of what is sent, plus a burst. So a
 * subscriber cannot use us to flood itself, and a congested path is not made worse.
 *
 * A plain value: embed one per subscriber. Owns nothing. Not thread-safe.
 */
#ifndef MEDIA_NACK_RESPONDER_H
#define MEDIA_NACK_RESPONDER_H

#include "media/base/attributes.h"
#include "media/base/clock.h"

#include <stddef.h>
#include <stdint.h>

enum {
    NACK_RESPONDER_SLOTS = 256,           /* packets sent again that are remembered */
    NACK_RESPONDER_PERCENT = 25,          /* of the bytes sent that may be sent again */
    NACK_RESPONDER_BURST = 128 * 1024,    /* beyond that [bytes]: half a second at 2 Mbit/s */
    NACK_RESPONDER_BURST_MIN = 24 * 1024, /* but not less: twenty packets in a row */
};

/** Of a path whose rate is known the burst is at most what it carries in so long. */
#define NACK_RESPONDER_BURST_US (1 * SECOND)

struct nack_responder_slot {
    int64_t sent_us;
    uint32_t ssrc;
    uint16_t seq;
};

struct nack_responder {
    int64_t rtt_us;
    uint64_t budget;         /* hundredths of bytes that may be sent again */
    uint64_t budget_max;     /* the burst, likewise */
    uint32_t burst_bytes;    /* it at most */
    uint64_t packets, bytes; /* allowed */
    uint64_t too_soon;       /* refused: on its way already */
    uint64_t over_budget;    /* refused: beyond the share */
    struct nack_responder_slot slots[NACK_RESPONDER_SLOTS]; /* by hash of ssrc and seq */
};

/** @param burst_bytes  usually NACK_RESPONDER_BURST */
void nack_responder_init(struct nack_responder *r, uint32_t burst_bytes);

/** @param rtt_us  measured, to the subscriber; below 20 ms counts as 20 ms */
void nack_responder_set_rtt(struct nack_responder *r, int64_t rtt_us);

/** The path's rate [bit/s] was found out: shorten the burst to NACK_RESPONDER_BURST_US of it, but
 * not below NACK_RESPONDER_BURST_MIN. 0: it is not known. */
void nack_responder_set_estimate(struct nack_responder *r, uint64_t bps);

/** Note that a packet [len bytes] was sent for the first time: a share of it may be sent again. */
void nack_responder_on_sent(struct nack_responder *r, size_t len);

/**
 * May this packet be sent again? If so, it counts as sent again.
 *
 * @param ssrc  outgoing; `seq` the number the subscriber asked for
 * @param len   of the packet [bytes]
 * @return 0; -EALREADY: sent again less than a round trip ago; -ENOBUFS: beyond the share
 */
MUST_USE int nack_responder_allow(struct nack_responder *r, uint32_t ssrc, uint16_t seq, size_t len,
                                  int64_t now_us);

#endif
