/**
 * @file vp8.h  VP8 frames <-> RTP payloads (RFC 7741). Plain values. Not thread-safe.
 */
#ifndef CLIENT_VP8_H
#define CLIENT_VP8_H

#include "media/base/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    VP8_DESCRIPTOR_LEN = 4,      /* what we write: X, I, 15 bit picture number [bytes] */
    VP8_PAYLOAD_MAX = 1100,      /* of one packet we write: under every path's MTU [bytes] */
    VP8_FRAME_MAX = 1024 * 1024, /* of one frame we put together; larger ones are dropped */
};

/** @return true if a whole frame (as in IVF) is a key frame */
bool vp8_is_key_frame(const uint8_t *frame, size_t len);

/** Cuts one frame into payloads. */
struct vp8_packetizer {
    const uint8_t *frame; /* borrowed */
    size_t len, at;
    size_t part_len; /* of every payload but the last */
    uint16_t picture;
};

/** @param picture  number of the frame, 15 bits, counts by one; @param len  0: there are no
 * payloads */
void vp8_packetizer_init(struct vp8_packetizer *p, const uint8_t *frame, size_t len,
                         uint16_t picture);

/** Write the next payload into `out` [room for VP8_PAYLOAD_MAX].
 *  @return its length, 0: the frame is done; *last is true for its last payload */
MUST_USE size_t vp8_packetizer_next(struct vp8_packetizer *p, uint8_t *out, bool *last);

/** One payload, taken apart. */
struct vp8_payload {
    bool starts_frame;   /* first byte of the frame: S bit, partition 0 */
    bool key_frame;      /* only if starts_frame */
    const uint8_t *data; /* lies in the payload */
    size_t len;
};

/** @return 0; -EBADMSG: not a VP8 payload, or nothing in it */
MUST_USE int vp8_depacketize(struct vp8_payload *ret, const uint8_t *payload, size_t len);

#endif
