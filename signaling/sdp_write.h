/**
 * @file sdp_write.h  Write a session description from what was agreed, as strictly as RFC 8829
 * asks. Offers and answers differ only in what they pass here.
 */
#ifndef SIGNALING_SDP_WRITE_H
#define SIGNALING_SDP_WRITE_H

#include "media/base/text.h"
#include "signaling/negotiation.h"
#include "signaling/sdp.h"

#include <stdbool.h>
#include <stdint.h>

/** What stands before the first m-line. Everything is borrowed. */
struct sdp_write_session {
    uint64_t id, version; /* of o=; less than 2^63 */
    bool ice_lite, extmap_allow_mixed;
    uint32_t n_bundle; /* 0: no group */
    const char *bundle[PLAN_MAX_SECTIONS];
};

/** One m-line. Everything is borrowed. */
struct sdp_write_section {
    const struct plan_section *plan;
    const struct sdp_section *offered; /* what this answers; NULL: this is an offer */
    const struct negotiation_local *local;
    bool accepted; /* false: port 0 and no more than an m-line needs */
    enum sdp_direction direction;
    enum sdp_setup setup;
    bool extmap_allow_mixed;    /* say it here, because it was not said for all */
    uint32_t ssrc, rtx_ssrc;    /* ours, 0: none */
    char stream[48], track[48]; /* a=msid; "": none */
};

/** Write everything before the first m-line. */
void sdp_write_session(struct text *out, const struct sdp_write_session *session);
/** Write our credentials and candidates, as they stand in an m-line. */
void sdp_write_ice(struct text *out, const struct negotiation_local *local);
/** Write one m-line. */
void sdp_write_section(struct text *out, const struct sdp_write_section *section);

#endif
