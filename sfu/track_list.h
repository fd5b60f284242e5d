/**
 * @file track_list.h  What a participant publishes, from two sides: the m-lines of its offer, and
 * what it says of them in `tracks`. Pure functions.
 */
#ifndef SFU_TRACK_LIST_H
#define SFU_TRACK_LIST_H

#include "media/base/attributes.h"
#include "signaling/message.h"
#include "signaling/negotiation.h"

#include <stdint.h>

/**
 * Check the descriptions against an answered offer. One of an m-line that the answer rejected is
 * fine (there will be no such track).
 *
 * @param error  on failure: code "bad_track" and a text
 * @return 0; -EINVAL: a description of no published m-line, of another kind, or a second one
 */
MUST_USE int track_list_check(const struct media_plan *plan,
                              const struct message_track_offer *descriptions, uint32_t n,
                              struct message *error);

/**
 * List one track per published m-line. What it is comes from its description, else from `known`
 * (what the participant published before), else it is a microphone or a camera, by kind. How much
 * of it may be sent says the m-line.
 *
 * @param descriptions  checked, see above
 * @param ret           receives the tracks, with id 0
 * @return how many; never more than MESSAGE_MAX_TRACKS, further m-lines are left out
 */
uint32_t track_list_make(const struct media_plan *plan,
                         const struct message_track_offer *descriptions, uint32_t n,
                         const struct message_track *known, uint32_t n_known,
                         struct message_track ret[MESSAGE_MAX_TRACKS]);

/** @return the source of what `section` publishes: as it is described, as it was, or the usual one
 *  of its kind. The other arguments are those of track_list_make() */
const char *track_list_source(const struct plan_section *section,
                              const struct message_track_offer *descriptions, uint32_t n,
                              const struct message_track *known, uint32_t n_known);

/** @return how many sections of `plan` are for this use */
uint32_t track_list_count(const struct media_plan *plan, enum section_use use);

#endif
