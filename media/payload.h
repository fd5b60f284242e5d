/**
 * @file payload.h  What forwarding must know of payloads of sound: RED (RFC 2198). Of video: see
 * frame_info.h.
 */
#ifndef MEDIA_PAYLOAD_H
#define MEDIA_PAYLOAD_H

#include "media/base/attributes.h"

#include <stddef.h>
#include <stdint.h>

/**
 * Find the newest (primary) block of a RED payload, for a subscriber that cannot take RED.
 *
 * @return offset of its data (it reaches to the end); -EBADMSG
 */
MUST_USE int payload_red_primary(const uint8_t *payload, size_t len);

/**
 * Write the RED block headers with every payload type replaced by `pt`, for a subscriber whose
 * Opus has another number.
 *
 * @param out  receives as many bytes as the returned length (the caller then skips those in the
 *             payload); room for `capacity`
 * @return length of the headers [bytes]; -EBADMSG; -EMSGSIZE
 */
MUST_USE int payload_red_headers(const uint8_t *payload, size_t len, uint8_t pt, uint8_t *out,
                                 size_t capacity);

#endif
