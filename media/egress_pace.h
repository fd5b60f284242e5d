/**
 * @file egress_pace.h  When the packets of one egress peer leave, at a rate that its owner sets.
 * For egress.c alone.
 *
 * A leaky bucket that lets EGRESS_BURST_US of its rate go at once: what comes together mostly
 * leaves together, and as one run. The rest is held, repairs before media, and what is urgent
 * passes both. Nothing is held longer than EGRESS_HOLD_US: a path that carries less than is sent
 * loses packets sooner or later, and here it would be later, for all.
 */
#ifndef MEDIA_EGRESS_PACE_H
#define MEDIA_EGRESS_PACE_H

#include "media/base/attributes.h"
#include "media/egress.h"

#include <stdbool.h>
#include <stdint.h>

/** Leave in the peer's queue what leaves now, and hold the rest. @param all  hold nothing */
void egress_pace_choose(struct egress_peer *peer, bool all, int64_t now_us);

/** What was chosen has left. @param bytes  on the wire
 *  @return when to choose again [us]; NEVER_US: nothing is held */
MUST_USE int64_t egress_pace_sent(struct egress_peer *peer, uint32_t bytes, int64_t now_us);

/** Put all that is held back into the peer's queue. */
void egress_pace_release(struct egress_peer *peer);

/** Go on at `bps` [bit/s], at most EGRESS_PACE_MAX; 0: hold nothing. */
void egress_pace_set(struct egress_pace *pace, uint64_t bps, int64_t now_us);

#endif
