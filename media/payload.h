/**
 * @file payload.h  What forwarding must know of payload formats: key frames and RED.
 *
 * VP8 RFC 7741, VP9 RFC 9628, H.264 RFC 6184, H.265 RFC 7798, AV1 RTP spec, RED RFC 2198.
 */
#ifndef MEDIA_PAYLOAD_H
#define MEDIA_PAYLOAD_H

#include "media/base/attributes.h"
#include "media/base/codec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Does this packet begin a picture that can be decoded without earlier ones?
 *
 * H.264 and H.265: SPS/VPS, IDR or a STAP/FU that holds or starts one. AV1: the N bit. Malformed
 * payloads are no key frames. Audio is always decodable.
 */
bool payload_starts_key_frame(enum codec codec, const uint8_t *payload, size_t len);

/** Picture size if the first packet of a VP8 key frame says it. @return 0; -ENOENT */
MUST_USE int payload_vp8_size(const uint8_t *payload, size_t len, uint16_t *width,
                              uint16_t *height);

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
