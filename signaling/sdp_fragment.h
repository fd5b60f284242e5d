/**
 * @file sdp_fragment.h  application/trickle-ice-sdpfrag (RFC 8840 section 9): the ICE part of a
 * description, as the PATCH of WHIP and WHEP has it. Not thread-safe.
 */
#ifndef SIGNALING_SDP_FRAGMENT_H
#define SIGNALING_SDP_FRAGMENT_H

#include "media/base/attributes.h"
#include "media/base/text.h"
#include "signaling/negotiation.h"

#include <stddef.h>
#include <stdint.h>

/** As read. */
struct sdp_fragment {
    char ufrag[PLAN_UFRAG_MAX + 1], pwd[PLAN_PWD_MAX + 1]; /* both or none; "": not said */
    char mid[PLAN_MID_MAX + 1];                            /* "": not said */
    uint32_t n_candidates;
    struct plan_candidate candidates[PLAN_MAX_CANDIDATES]; /* those that we can use */
};

/**
 * Read what a client sends. Of several m-lines the first that says anything of ICE counts: all are
 * bundled.
 *
 * @param text  [len bytes] borrowed
 * @return 0; -EBADMSG: malformed; -E2BIG: over a limit; -ENOMEM; error is set
 */
MUST_USE int sdp_fragment_read(struct sdp_fragment *ret, const char *text, size_t len,
                               struct negotiation_error *error);

/** Write what answers a restart of ICE: our credentials and candidates, and the m-line that speaks
 *  for the group. */
void sdp_fragment_write(struct text *out, const struct negotiation_local *local,
                        const struct media_plan *plan);

#endif
