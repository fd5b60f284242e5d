/**
 * @file content.h  Payloads whose every byte says what it is, valid to whoever looks at the VP8 or
 * Opus header. Plain values; not tied to a thread.
 */
#ifndef BENCH_CONTENT_H
#define BENCH_CONTENT_H

#include "media/base/attributes.h"
#include "media/base/codec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CONTENT_MIN = 40,   /* bytes of the shortest payload */
    CONTENT_MAX = 1180, /* of the longest: below 1,200 bytes with header and tag */
};

struct content {
    int64_t sent_us;      /* wall clock */
    enum media_kind kind; /* VP8 or Opus */
    uint32_t source;      /* who sent it */
    uint32_t index;       /* counts the packets of the source */
    uint16_t picture;     /* video: frame number, 15 bits */
    bool first, key;      /* video: first packet of a frame; of a key frame */
};

/** Write a payload of `len` bytes, CONTENT_MIN to CONTENT_MAX. */
void content_write(const struct content *content, uint8_t *out, size_t len);

/** Read what a payload says and check every byte of it. `picture` is not checked: servers count
 *  anew. @return 0; -EBADMSG: it is not as it was written */
MUST_USE int content_read(struct content *ret, enum media_kind kind, const uint8_t *payload,
                          size_t len);

#endif
