/**
 * @file netem.h  A network link in one direction: rate with a bounded queue, delay, jitter, loss,
 * burst loss, reordering, duplicates and blackouts, all from one seed: the same calls give the same
 * link again.
 *
 * Time is an argument: loop tests run it in simulated time, bench/netlab_link in real time. How a
 * link is written down is in bench/netem_script.h. Not thread-safe.
 */
#ifndef BENCH_NETEM_H
#define BENCH_NETEM_H

#include "media/base/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NETEM_DATAGRAM_MAX = 2048 }; /* longest datagram a link takes [bytes] */

/** What the link does; all zero: everything arrives at once and in order. */
struct netem_config {
    uint64_t seed;
    uint64_t rate_bps;          /* 0: unlimited */
    size_t queue_bytes;         /* waiting for the rate; more is dropped. 0: 64 KiB */
    int64_t queue_us;           /* the same as time at the rate; instead of queue_bytes. 0: none */
    size_t overhead;            /* bytes each datagram is longer on the wire */
    int64_t delay_us;           /* one way */
    int64_t jitter_us;          /* added, uniform in 0..jitter_us; does not reorder */
    double loss;                /* each datagram, 0..1 */
    double burst_start;         /* each datagram starts a burst of losses, 0..1 */
    double burst_len;           /* datagrams in a burst, on average; 0: 1 */
    double reorder;             /* datagrams held back by reorder_us, 0..1 */
    int64_t reorder_us;         /* 0: 20 ms */
    double duplicate;           /* datagrams delivered twice, 0..1 */
    bool blackout;              /* nothing that is put in arrives */
    int64_t blackout_us;        /* the last so many of every blackout_period_us; 0: none */
    int64_t blackout_period_us; /* from the first datagram, or the change to it, on */
};

struct netem_stats {
    uint64_t pushed, delivered;
    uint64_t pushed_bytes, delivered_bytes;
    uint64_t lost;        /* by loss and bursts */
    uint64_t overflowed;  /* by the queue */
    uint64_t blacked_out; /* by a blackout */
    uint64_t duplicated, reordered;
    int64_t queue_max_us; /* longest that a datagram waited for the rate, its own time included */
};

struct netem;

/** @return a link, or NULL: no memory */
struct netem *netem_new(const struct netem_config *config);
/** Free with all that is under way. NULL is fine. @return NULL */
struct netem *netem_free(struct netem *n);

/**
 * Change the link from the time of the last push or pop on (seed is ignored). What waits for the
 * rate goes on at the new one; what is under way stays as it was.
 */
void netem_change(struct netem *n, const struct netem_config *config);

/** @return what it does now, defaults filled in */
const struct netem_config *netem_config(const struct netem *n);

/**
 * Put a datagram in.
 *
 * @param tag   the caller's, returned by netem_pop(): whom it is from or for
 * @param data  [len bytes, at most NETEM_DATAGRAM_MAX], copied
 */
void netem_push(struct netem *n, uint64_t tag, const uint8_t *data, size_t len, int64_t now_us);

/**
 * Take the next datagram that has arrived by `now_us`.
 *
 * @param tag   may be NULL
 * @param data  room for NETEM_DATAGRAM_MAX bytes
 * @return true if there was one: *len bytes were written
 */
MUST_USE bool netem_pop(struct netem *n, int64_t now_us, uint64_t *tag, uint8_t *data, size_t *len);

/** @return when the next datagram arrives [us], or NEVER_US */
int64_t netem_deadline(const struct netem *n);

/** @return what has happened so far */
const struct netem_stats *netem_stats(const struct netem *n);

/** A seeded generator: xorshift64*. @return uniform 64 bits; *state is never 0 after */
uint64_t netem_random(uint64_t *state);

#endif
