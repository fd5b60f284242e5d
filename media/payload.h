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

enum {
    RED_BLOCK_MAX = 1023,   /* bytes of a redundant block */
    RED_AGE_MAX = 16383,    /* units of the timestamp that it is older than the primary one */
    RED_MAX_BLOCKS = 2,     /* redundant ones that we add */
    RED_PAYLOAD_MAX = 1000, /* bytes of a payload that we add to */
};

/** A block of RED: a payload, or one that goes again with a later one. */
struct red_block {
    const uint8_t *data; /* borrowed */
    uint16_t len;        /* 0..RED_BLOCK_MAX */
    uint16_t age;        /* 0..RED_AGE_MAX */
};

/**
 * Write a RED payload.
 *
 * @param pt      of all blocks
 * @param blocks  newest first (they are written oldest first): the primary one, whose len and age
 * do not matter to the format, then redundant ones
 * @param n       of all, > 0
 * @return its length [bytes]; -EMSGSIZE
 */
MUST_USE int payload_red_write(uint8_t pt, const struct red_block *blocks, size_t n, uint8_t *out,
                               size_t capacity);

#endif
