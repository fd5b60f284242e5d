/**
 * @file rollover.h  The packet index of every SSRC one sender uses: of RTP 48 bits, roll-over
 * counter and sequence number (RFC 3711 section 3.3.1); of RTCP a plain count.
 *
 * A number up to half a cycle ahead of the newest is newer; one behind it has the index it was
 * first sent under, so that a packet can be sent again as it was. Embedded by value; not
 * thread-safe.
 */
#ifndef MEDIA_ROLLOVER_H
#define MEDIA_ROLLOVER_H

#include "media/base/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ROLLOVER_MAX = 1024,    /* SSRCs of one sender */
    ROLLOVER_WINDOW = 1024, /* numbers: how many the newest and those before it are */
    ROLLOVER_INLINE = 8,    /* SSRCs' slots that need no allocation: sound, picture, RTX, ... */
};

struct rollover_slot {
    uint64_t newest; /* index */
    uint32_t ssrc;
    bool used;
};

/** Members are private. Stays where it was initialised: `slots` may point into it. */
struct rollover {
    struct rollover_slot *slots; /* open addressing; NULL: `few` */
    size_t capacity, count;      /* capacity: a power of two */
    struct rollover_slot few[ROLLOVER_INLINE];
};

void rollover_init(struct rollover *r);
void rollover_done(struct rollover *r);

/**
 * The index of the packet to be sent with `seq`, which is remembered if it is the newest.
 *
 * As in libsrtp2, an SSRC begins in cycle 0 wherever its first number lies, and while its newest
 * number is in the first half of cycle 0 every number belongs to cycle 0.
 *
 * @param index  roll-over counter << 16 | seq; below 2^48
 * @return 0; -ESTALE: ROLLOVER_WINDOW or more behind the newest; -EOVERFLOW: 2^48 packets were
 *         sent, the key is used up; -ENOSPC: an SSRC beyond ROLLOVER_MAX; -ENOMEM
 */
MUST_USE int rollover_index(struct rollover *r, uint32_t ssrc, uint16_t seq, uint64_t *index);

/**
 * The next index of an SSRC that counts its packets itself, as SRTCP does: 1, 2, 3, ... Not to be
 * mixed with rollover_index() in one `r`.
 *
 * @param limit  last index [1..2^48 - 1]
 * @return 0; -EOVERFLOW: `limit` packets were sent; -ENOSPC: an SSRC beyond ROLLOVER_MAX; -ENOMEM
 */
MUST_USE int rollover_next(struct rollover *r, uint32_t ssrc, uint64_t limit, uint64_t *index);

/** What both sides of a stream guess: @return the index that ends in `seq` and is closest to the
 *  `newest`; 2^48 or more where the cycles are used up */
uint64_t rollover_guess(uint64_t newest, uint16_t seq);

#endif
