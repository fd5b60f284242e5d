/**
 * @file bit_reader.h  Read bits, highest of each byte first, that never pass their end.
 *
 * A read past the end returns zero and makes the reader bad for ever: parse straight on and check
 * bit_reader_ok() once. Borrows the bytes. Not thread-safe (a plain value).
 */
#ifndef MEDIA_BASE_BIT_READER_H
#define MEDIA_BASE_BIT_READER_H

#include "media/base/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bit_reader {
    const uint8_t *data; /* borrowed */
    size_t len;          /* [bits] */
    size_t at;           /* next bit to read, <= len */
    bool failed;         /* a read went past the end */
};

/** @param len  [bytes] */
static inline struct bit_reader bit_reader_of(const uint8_t *data, size_t len)
{
    return (struct bit_reader){.data = data, .len = len * 8};
}

/** @return true while no read went past the end */
static inline bool bit_reader_ok(const struct bit_reader *r)
{
    return !r->failed;
}

/** @return bits not read yet; 0 once failed */
static inline size_t bit_reader_left(const struct bit_reader *r)
{
    return r->failed ? 0 : r->len - r->at;
}

/** @param n  bits, 0..32. @return them, the first read highest */
static inline uint32_t bit_reader_bits(struct bit_reader *r, unsigned n)
{
    uint64_t bits = 0;
    size_t first = r->at / 8;
    size_t end;

    if (UNLIKELY(r->failed || n > r->len - r->at)) {
        r->failed = true;
        return 0;
    }
    r->at += n;
    end = (r->at + 7) / 8;
    for (size_t i = first; i < end; i++)
        bits = bits << 8 | r->data[i];
    bits >>= end * 8 - r->at;
    return (uint32_t)(bits & (((uint64_t)1 << n) - 1));
}

static inline bool bit_reader_flag(struct bit_reader *r)
{
    return bit_reader_bits(r, 1) != 0;
}

static inline void bit_reader_skip(struct bit_reader *r, size_t n)
{
    if (r->failed || n > r->len - r->at)
        r->failed = true;
    else
        r->at += n;
}

/** Exp-Golomb code, as H.264 and H.265 have it (ue(v)). @return 0..2^32 - 2; longer codes fail */
static inline uint32_t bit_reader_ue(struct bit_reader *r)
{
    unsigned zeros = 0;

    while (zeros < 32 && bit_reader_ok(r) && !bit_reader_flag(r))
        zeros++;
    if (zeros == 32)
        r->failed = true;
    return r->failed ? 0 : (uint32_t)(((uint64_t)1 << zeros) - 1 + bit_reader_bits(r, zeros));
}

/** Signed Exp-Golomb code (se(v)). */
static inline int32_t bit_reader_se(struct bit_reader *r)
{
    uint32_t code = bit_reader_ue(r);
    int32_t half = (int32_t)(code / 2);

    return code & 1 ? half + 1 : -half;
}

/** Non-symmetric code of one of `n` values, as AV1 has it (ns(n)). @param n  1..2^16. @return below
 *  n */
static inline uint32_t bit_reader_ns(struct bit_reader *r, uint32_t n)
{
    unsigned width = 0;
    uint32_t short_ones;
    uint32_t v;

    while (n >> width)
        width++;
    short_ones = ((uint32_t)1 << width) - n;
    v = bit_reader_bits(r, width - 1);
    return v < short_ones ? v : (v << 1) - short_ones + bit_reader_bits(r, 1);
}

#endif
