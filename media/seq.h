/**
 * @file seq.h  16-bit sequence numbers as numbers that do not wrap.
 */
#ifndef MEDIA_SEQ_H
#define MEDIA_SEQ_H

#include <stdint.h>

/** Added to the first number of a stream, so that late ones from before it stay positive. */
enum { SEQ_FIRST_CYCLE = 1 << 16 };

/** @return the number that ends in `seq` and is closest to `newest`; behind it, if two are */
static inline int64_t seq_unwrap(int64_t newest, uint16_t seq)
{
    return newest + (int16_t)(uint16_t)(seq - (uint16_t)newest);
}

#endif
