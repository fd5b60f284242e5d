/**
 * @file nack_generator.h  Which packets of one incoming stream to ask for again, and when.
 *
 * A packet is asked for once it is later than packets that were overtaken came lately (the grace),
 * then once per round trip, until its answer would come too late to be of use.
 *
 * A plain value: embed it, init it, forget it. Owns nothing. Not thread-safe.
 */
#ifndef MEDIA_NACK_GENERATOR_H
#define MEDIA_NACK_GENERATOR_H

#include "media/base/attributes.h"
#include "media/base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    NACK_WINDOW = 512, /* packets back that can still be asked for */
    NACK_MAX_TRIES = 8,
};

/** What has not come so long after it was missed is given up: players wait no longer. */
#define NACK_PATIENCE_US (1 * SECOND)
/** The grace is at most this, however much packets overtake each other. */
#define NACK_GRACE_MAX_US (50 * MS)

struct nack_slot {
    int64_t next_us;   /* when to ask (again); NEVER_US: here, or given up */
    uint32_t since_ms; /* when it was missed; wraps */
    uint16_t asked_ms; /* how long before `next_us` it was asked for; 0: not, or not just then */
    uint8_t tries;     /* requests so far; of what is given up NACK_MAX_TRIES */
};

struct nack_generator {
    struct nack_slot slots[NACK_WINDOW];
    int64_t first;    /* unwrapped sequence number at which counting began */
    int64_t newest;   /* highest unwrapped sequence number; -1: none yet */
    int64_t rtt_us;   /* pause between two requests for one packet */
    int64_t grace_us; /* before the first request */
    int64_t grace_min_us;
    int64_t deadline_us;
    uint32_t missing; /* slots that wait for their packet */
    bool rtt_told;    /* by the owner */
    bool repairs;     /* what is sent again comes as nack_generator_on_repair() */
    bool lost;        /* something was given up that nack_generator_take_lost() did not tell */
    int64_t lost_seq; /* the newest of that, unwrapped */
    uint64_t gaps_too_large; /* jumps beyond the window: a key frame is needed instead */
    uint64_t given_up;       /* packets that did not come in time, whatever was tried */
};

/** Make `g` empty. @param reorder_us  grace at first [us], >= 0; it grows with what is measured up
 * to NACK_GRACE_MAX_US, and shrinks, while nothing is overtaken, to half of this */
void nack_generator_init(struct nack_generator *g, int64_t reorder_us);

/** Note a packet that arrived (also one that was sent again, if nothing tells it apart).
 *  @return 1: new; 0: duplicate or older than the window; -ERANGE: new, but so far ahead that what
 *          lies between is not asked for: take it, and ask for a key frame */
MUST_USE int nack_generator_on_packet(struct nack_generator *g, uint16_t seq, int64_t now_us);

/** The same of a packet that came by RTX: it says nothing of how packets overtake each other, but
 * how long the round trip is, until nack_generator_set_rtt() does. */
MUST_USE int nack_generator_on_repair(struct nack_generator *g, uint16_t seq, int64_t now_us);

/** @param rtt_us  measured; clamped to 20 ms .. 500 ms */
void nack_generator_set_rtt(struct nack_generator *g, int64_t rtt_us);

/** Take what to request now, oldest first. Each counts as one try. Here packets are given up, too:
 * a round trip after the last try, or after NACK_PATIENCE_US.
 *  @return how many were written; when it equals `max`, call again */
MUST_USE size_t nack_generator_poll(struct nack_generator *g, int64_t now_us, uint16_t *out,
                                    size_t max);

/** @return true if packets were given up since the last call: *newest is the newest of them. Of
 * video, a key frame is needed, unless one came that is newer */
MUST_USE bool nack_generator_take_lost(struct nack_generator *g, uint16_t *newest);

/** @return when nack_generator_poll() next has work [us], or NEVER_US; too early if what was
 *          missing has arrived since */
int64_t nack_generator_deadline(const struct nack_generator *g);

#endif
