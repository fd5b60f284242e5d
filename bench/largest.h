/**
 * @file largest.h  The largest broadcast that a server sustains: run after run, doubled until it is
 * too much, then halfway between what is sustained and what is not. One thread.
 */
#ifndef BENCH_LARGEST_H
#define BENCH_LARGEST_H

#include "bench/bench_options.h"
#include "bench/load.h"
#include "media/base/attributes.h"
#include "media/base/text.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    LARGEST_STEPS = 32,
    LARGEST_DELAY_MS = 20, /* p99 */
    LARGEST_LOSS_PER_MIL = 1,
};

/** Where the search is. */
struct largest_search {
    uint32_t low, high; /* sustained; too much, or 0: not known */
    uint32_t first, max;
};

/** Look between 1 and `max`, at `first` at first. */
void largest_search_init(struct largest_search *s, uint32_t first, uint32_t max);
/** @return what to try next; 0: `low` is the answer, to within 5 % */
uint32_t largest_search_next(const struct largest_search *s);
/** That many were sustained, or not. */
void largest_search_note(struct largest_search *s, uint32_t n, bool sustained);

/** What went first. */
enum largest_limit {
    LARGEST_SERVER,    /* it lost or delayed packets */
    LARGEST_GENERATOR, /* it was too busy: the server can do more */
    LARGEST_JOINING,   /* no more could join: the error says why */
    LARGEST_NONE,      /* nothing: there is no room for a larger run */
};
const char *largest_limit_name(enum largest_limit limit);

struct largest_step {
    uint32_t subscribers;
    bool sustained, saturated; /* saturated: the generator is */
    double loss_percent, delay_p99_ms, packets_per_s, server_percent, generator_percent;
};

struct largest_result {
    uint32_t subscribers; /* of the largest; 0: not even one */
    enum largest_limit limit;
    char error[LOAD_REASON_MAX + 1]; /* why the first run that failed did; "" if none did */
    uint32_t n;
    struct largest_step steps[LARGEST_STEPS];
};

/** @return 0; -EINTR: somebody wants us to stop */
MUST_USE int largest_run(const struct bench_options *options, struct largest_result *ret);

/** Append what it came to, for people or as one JSON object. */
void largest_table(struct text *out, const struct largest_result *result);
void largest_json(struct text *out, const struct bench_options *options,
                  const struct largest_result *result);

#endif
