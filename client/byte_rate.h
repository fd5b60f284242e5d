/**
 * @file byte_rate.h  How fast a count of bytes grows, from one look to the next. A plain value;
 * zero-initialised it has seen nothing.
 */
#ifndef CLIENT_BYTE_RATE_H
#define CLIENT_BYTE_RATE_H

#include "media/base/clock.h"

#include <stdint.h>

/* Over less than that it says little; the last rate stays. */
#define BYTE_RATE_MIN_US (200 * MS)

struct byte_rate {
    uint64_t bytes;
    int64_t seen_us; /* 0: never */
    uint64_t bps;    /* between the last two looks [bit/s] */
};

/** Look at a count that only grows. */
static inline void byte_rate_look(struct byte_rate *r, uint64_t bytes, int64_t now_us)
{
    if (r->seen_us > 0 && now_us - r->seen_us < BYTE_RATE_MIN_US)
        return;
    if (r->seen_us > 0)
        r->bps = (bytes - r->bytes) * 8 * (uint64_t)SECOND / (uint64_t)(now_us - r->seen_us);
    r->bytes = bytes;
    r->seen_us = now_us;
}

#endif
