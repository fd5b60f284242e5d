/**
 * @file srtp_head.h  What SRTP needs to know of an RTP header, which is in clear; for the files
 * media/srtp*.c and media/seal*.c only.
 */
#ifndef MEDIA_SRTP_HEAD_H
#define MEDIA_SRTP_HEAD_H

#include "media/base/reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct srtp_head {
    uint8_t version;
    uint16_t seq;
    uint32_t ssrc;
    size_t len; /* with CSRCs and extensions [bytes] */
};

/** @return false: the header passes the end; `ret` is undefined then */
static inline bool srtp_head_read(struct srtp_head *ret, const uint8_t *data, size_t len)
{
    struct reader r = reader_of(data, len);
    uint8_t first = reader_u8(&r);

    ret->version = first >> 6;
    reader_skip(&r, 1);
    ret->seq = reader_u16(&r);
    reader_skip(&r, 4);
    ret->ssrc = reader_u32(&r);
    reader_skip(&r, 4 * (size_t)(first & 0x0f));
    if (first & 0x10) { /* X: a profile, then how many words follow */
        reader_skip(&r, 2);
        reader_skip(&r, 4 * (size_t)reader_u16(&r));
    }
    ret->len = r.at;
    return reader_ok(&r);
}

#endif
