/**
 * @file nack_generator.h  Which packets of one incoming stream to ask for again, and when.
 *
 * A plain value: embed it, init it, forget it. Owns nothing. Not thread-safe.
 */
#ifndef MEDIA_NACK_GENERATOR_H
#define MEDIA_NACK_GENERATOR_H

#include "media/base/attributes.h"

#include <stddef.h>
#include <stdint.h>

enum {
    NACK_WINDOW = 512, /* packets back that can still be asked for */
    NACK_MAX_TRIES = 8,
};

struct nack_slot {
    int64_t next_us; /* when to ask (again); NEVER_US: here, or given up */
    uint8_t tries;   /* NACK_MAX_TRIES: given up */
};

struct nack_generator {
    struct nack_slot slots[NACK_WINDOW];
    int64_t first;      /* unwrapped sequence number at which counting began */
    int64_t newest;     /* highest unwrapped sequence number; -1: none yet */
    int64_t rtt_us;     /* pause between two requests for one packet */
    int64_t reorder_us; /* grace for late packets before the first request */
    int64_t deadline_us;
    uint32_t missing;        /* slots that wait for their packet */
    uint64_t gaps_too_large; /* jumps beyond the window: a key frame is needed instead */
    uint64_t given_up;       /* packets asked for NACK_MAX_TRIES times */
};

/** Make `g` empty. @param reorder_us  grace before the first request [us], >= 0 */
void nack_generator_init(struct nack_generator *g, int64_t reorder_us);

/** Note a packet that arrived (also a retransmitted one).
 *  @return 1: new; 0: duplicate or older than the window; -ERANGE: new, but so far ahead that what
 *          lies between is not asked for: take it, and ask for a key frame */
MUST_USE int nack_generator_on_packet(struct nack_generator *g, uint16_t seq, int64_t now_us);

/** @param rtt_us  measured; clamped to 20 ms .. 500 ms */
void nack_generator_set_rtt(struct nack_generator *g, int64_t rtt_us);

/** Take what to request now, oldest first. Each counts as one try.
 *  @return how many were written; when it equals `max`, call again */
MUST_USE size_t nack_generator_poll(struct nack_generator *g, int64_t now_us, uint16_t *out,
                                    size_t max);

/** @return when nack_generator_poll() next has work [us], or NEVER_US; too early if what was
 *          missing has arrived since */
int64_t nack_generator_deadline(const struct nack_generator *g);

#endif
