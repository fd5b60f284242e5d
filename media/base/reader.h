/**
 * @file reader.h  Read big-endian bytes that never pass their end.
 *
 * A read past the end returns zero and makes the reader bad for ever: parse straight on and check
 * reader_ok() once. Borrows the bytes. Not thread-safe (a plain value).
 */
#ifndef MEDIA_BASE_READER_H
#define MEDIA_BASE_READER_H

#include "media/base/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader {
    const uint8_t *data; /* borrowed */
    size_t len;          /* [bytes] */
    size_t at;           /* next byte to read, <= len */
    bool failed;         /* a read went past the end */
};

static inline struct reader reader_of(const uint8_t *data, size_t len)
{
    return (struct reader){.data = data, .len = len};
}

/** @return true while no read went past the end */
static inline bool reader_ok(const struct reader *r)
{
    return !r->failed;
}

/** @return bytes not read yet; 0 once failed */
static inline size_t reader_left(const struct reader *r)
{
    return r->failed ? 0 : r->len - r->at;
}

/** Take `n` bytes. @return where they are, or NULL (and the reader is bad) if there are fewer */
static inline const uint8_t *reader_bytes(struct reader *r, size_t n)
{
    const uint8_t *here;

    if (UNLIKELY(r->failed || n > r->len - r->at)) {
        r->failed = true;
        return NULL;
    }
    here = r->data + r->at;
    r->at += n;
    return here;
}

static inline void reader_skip(struct reader *r, size_t n)
{
    (void)reader_bytes(r, n);
}

static inline uint8_t reader_u8(struct reader *r)
{
    const uint8_t *p = reader_bytes(r, 1);

    return p ? p[0] : 0;
}

static inline uint16_t reader_u16(struct reader *r)
{
    const uint8_t *p = reader_bytes(r, 2);

    return (uint16_t)(p ? p[0] << 8 | p[1] : 0);
}

static inline uint32_t reader_u24(struct reader *r)
{
    const uint8_t *p = reader_bytes(r, 3);

    return p ? (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2] : 0;
}

static inline uint32_t reader_u32(struct reader *r)
{
    const uint8_t *p = reader_bytes(r, 4);

    return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

static inline uint64_t reader_u64(struct reader *r)
{
    uint64_t high = reader_u32(r);

    return high << 32 | reader_u32(r);
}

/** Take a sub-reader over the next `n` bytes; bad if there are fewer (then so is `r`). */
static inline struct reader reader_sub(struct reader *r, size_t n)
{
    const uint8_t *p = reader_bytes(r, n);

    return (struct reader){.data = p, .len = p ? n : 0, .failed = !p};
}

#endif
