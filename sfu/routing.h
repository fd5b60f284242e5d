/**
 * @file routing.h  Which layer of which m-line an incoming RTP packet belongs to.
 *
 * By SSRC, if the offer told it or a packet has taught it; else by the mid extension, with rid or
 * repaired-rid under simulcast; else, for clients without extensions, by a payload type that only
 * one m-line has. Knows the plan, no tracks. Thread: the worker's own.
 */
#ifndef SFU_ROUTING_H
#define SFU_ROUTING_H

#include "media/base/attributes.h"
#include "media/base/extension.h"
#include "signaling/negotiation.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct packet;

enum { ROUTING_MAX_SSRCS = 256 }; /* known per participant; later ones are not routed */

/** Where a packet belongs. */
struct route {
    uint8_t section, layer; /* indexes in the plan */
    bool rtx;               /* a retransmission of the layer */
};

struct routing {
    const struct media_plan *plan;   /* borrowed */
    struct extension_map extensions; /* see routing_extensions() */
    uint32_t n_ssrcs, max_ssrcs;
    uint32_t *ssrcs;
    struct route *routes;       /* in step with ssrcs */
    uint8_t section_of_pt[128]; /* the only PUBLISH m-line with it, ROUTING_NONE, _MANY */
};

enum { ROUTING_NONE = 255, ROUTING_MANY = 254 };

void routing_init(struct routing *r);
void routing_done(struct routing *r);

/**
 * Begin to route by `plan` (borrowed until the next call). SSRCs that packets taught are kept where
 * their m-line still publishes, or is stopped and may go on.
 *
 * @return 0; -ENOMEM: as before
 */
MUST_USE int routing_set_plan(struct routing *r, const struct media_plan *plan);

/**
 * @param packet  parsed
 * @return 0 and *ret; -ENOENT: nothing says whose it is; -ENOSPC: a new SSRC, and too many are
 * known
 */
MUST_USE int routing_find(struct routing *r, const struct packet *packet, struct route *ret);

/** Write the extension ids of the bundle: of the first PUBLISH m-line that has each. */
void routing_extensions(const struct media_plan *plan, struct extension_map *ret);

/** Find the layer with media (not RTX) SSRC `ssrc`, for RTCP. @return 0; -ENOENT */
MUST_USE int routing_find_ssrc(const struct routing *r, uint32_t ssrc, struct route *ret);

#endif
