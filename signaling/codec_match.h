/**
 * @file codec_match.h  Which payload types of an m-line both sides can use, and what is answered
 * about each (a=fmtp, a=rtcp-fb).
 */
#ifndef SIGNALING_CODEC_MATCH_H
#define SIGNALING_CODEC_MATCH_H

#include "media/base/codec.h"
#include "signaling/negotiation.h"
#include "signaling/sdp.h"

enum { POLICY_CODECS = 8 }; /* length of a list of wanted codecs; CODEC_NONE ends it */

/**
 * Answer with one primary codec, the first of `wanted` that is offered, and RED around it if it is
 * Opus: what a publisher shall send. Fills codecs and n_codecs (0: nothing in common) of `section`,
 * whose extensions must be known already.
 *
 * @param plan  whose section it is: keeps the strings
 */
void codec_match_publish(struct media_plan *plan, struct plan_section *section,
                         const struct sdp_section *offered, const enum codec wanted[POLICY_CODECS]);

/** Answer with every offered variant of all codecs of `wanted`: what a slot may carry. */
void codec_match_slot(struct media_plan *plan, struct plan_section *section,
                      const struct sdp_section *offered, const enum codec wanted[POLICY_CODECS]);

/** Take over what an answer says about those of its payload types that are codecs of `wanted`. */
void codec_match_answer(struct media_plan *plan, struct plan_section *section,
                        const struct sdp_section *answered, const enum codec wanted[POLICY_CODECS]);

#endif
