/** @file little_endian.h  Numbers as WAV and IVF have them; struct reader and writer are
 * big-endian. */
#ifndef CLIENT_LITTLE_ENDIAN_H
#define CLIENT_LITTLE_ENDIAN_H

#include <stddef.h>
#include <stdint.h>

/** @return the number in the `n` <= 8 bytes at `p` */
static inline uint64_t little_endian_get(const uint8_t *p, size_t n)
{
    uint64_t v = 0;

    for (size_t i = n; i > 0; i--)
        v = v << 8 | p[i - 1];
    return v;
}

/** Write `v` into the `n` <= 8 bytes at `p`. */
static inline void little_endian_put(uint8_t *p, uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

#endif
