/**
 * @file format_match.h  Can a subscriber decode what a publisher sends, and under which payload
 * type.
 *
 * Parameters of the formats count: H.264 by profile and packetization mode (RFC 6184 section 8.2.2;
 * levels are left out, as decoders take more than they say), VP9, AV1 and H.265 by profile.
 */
#ifndef SFU_FORMAT_MATCH_H
#define SFU_FORMAT_MATCH_H

#include "media/base/attributes.h"
#include "signaling/negotiation.h"

/**
 * Find the format of `section` that takes what `published` sends: the same profile before one that
 * includes it, then in the section's order.
 *
 * @return index in section->codecs; -ENOENT
 */
MUST_USE int format_match(const struct plan_section *section, const struct plan_codec *published);

/**
 * Find the format of `section` with this codec, whatever its parameters.
 *
 * @return index in section->codecs; -ENOENT
 */
MUST_USE int format_find(const struct plan_section *section, enum codec codec);

#endif
