/**
 * @file plan.h  From descriptions as read to the media plan: the parts that offerer and answerer
 * have in common.
 */
#ifndef SIGNALING_PLAN_H
#define SIGNALING_PLAN_H

#include "media/base/attributes.h"
#include "signaling/negotiation.h"
#include "signaling/sdp.h"

#include <stdbool.h>
#include <stdint.h>

/** @return a plan of `n_sections` rejected sections, for media_plan_unref(); NULL: no memory */
struct media_plan *plan_new(uint32_t n_sections);

/** Keep a copy of `text` with the plan. @return it, not NULL: "" where there is no memory, and
 *  then plan->failed is set */
const char *plan_keep_text(struct media_plan *plan, const char *text);
/** Take over the peer's candidates. Without memory plan->failed is set. */
void plan_keep_candidates(struct media_plan *plan, const struct plan_candidate *candidates,
                          uint32_t n);
/** Take over all that `from` says of the peer. Without memory plan->failed is set. */
void plan_keep_transport(struct media_plan *plan, const struct media_plan *from);

/**
 * Answer one m-line: what it is for, its codecs, extensions and layers. Knows neither limits nor
 * SSRCs of ours.
 *
 * @param section  of `plan`, which keeps its strings
 * @param bundled  the m-line is part of the transport
 */
void plan_answer_section(struct media_plan *plan, struct plan_section *section,
                         const struct sdp_section *offered, bool bundled,
                         const struct negotiation_policy *policy);

/**
 * Read who the other side is: ICE, fingerprint, candidates. The DTLS role is not touched.
 *
 * @param section  the m-line that speaks for the BUNDLE group
 * @return 0; -EBADMSG: there is no ICE or no fingerprint we take
 */
MUST_USE int plan_read_transport(struct media_plan *plan, const struct sdp *sdp,
                                 const struct sdp_section *section,
                                 struct negotiation_error *error);

/**
 * @return the m-line that speaks for the BUNDLE group: the first that is named in a=group and
 *         accepted in `plan` (RFC 9143, section 7.3.1), without a group the first accepted; NULL if
 *         there is none
 */
const struct sdp_section *plan_tagged_section(const struct media_plan *plan, const struct sdp *sdp);

/**
 * Take over the extensions of the other side's m-line.
 *
 * @param flow  SDP_SENDONLY: those it may send; SDP_RECVONLY: those it takes; SDP_INACTIVE: both
 */
void plan_read_extensions(struct extension_map *map, const struct sdp_section *section,
                          enum sdp_direction flow);

/** Make it a rejected section, of which only kind and mid are known. */
void plan_reject_section(struct plan_section *section);

/** Read the first SSRC of an m-line and its RTX SSRC; 0: not told. */
void plan_read_ssrc(const struct sdp_section *section, uint32_t *ssrc, uint32_t *rtx_ssrc);

/** @return true if media may flow, now (PUBLISH, SLOT) or again (STOPPED, but not by port 0) */
bool plan_section_accepted(const struct plan_section *section, const struct sdp_section *offered);

/** @return true if some codec of the section has a retransmission format */
bool plan_section_has_rtx(const struct plan_section *section);

#endif
