/**
 * @file netem_script.h  How a link and its changes over time are written down.
 *
 *     rate=300k delay=50ms queue=64k loss=5%      both directions, from the beginning
 *     down rate=300k; up rate=1M                  one of them
 *     at=10s down rate=5M                         from 10 s on; all else stays as it was
 *     at=20s blackout=on; at=21s blackout=off
 *
 * A statement ends at a line's end or a semicolon; `#` begins a comment that ends with the line.
 * Words of a statement, in any order, at most one of a key:
 *
 *     at=TIME              when, counted from the moment the text is added; else at once
 *     up, down             of which direction; else both. The caller says which is which
 *     clear                everything back to a perfect link, then the rest of the statement
 *     rate=BPS|none        bit/s, 1k to 100G
 *     queue=BYTES|TIME     what may wait for the rate, e.g. 64k or 200ms
 *     delay=TIME           one way
 *     jitter=TIME          uniform in 0..TIME, added; keeps the order
 *     loss=SHARE           of all datagrams, each by itself
 *     burst=SHARE/LEN      each datagram starts a burst of losses of LEN (1 to 10000) on average
 *     reorder=SHARE[/TIME] of all datagrams are held back by TIME (20 ms)
 *     duplicate=SHARE      of all datagrams come twice
 *     blackout=on|off|TIME/PERIOD   nothing gets through; or the last TIME of every PERIOD
 *     overhead=BYTES       each datagram is longer on the wire by so much, at most 200
 *     seed=N               of all that is random; counts at time 0 only
 *
 * BPS and BYTES: a number and k, M or G (thousands). TIME: a number and us, ms, s or m, at most
 * 24 h; 0 needs no unit. SHARE: 0..1 or 0%..100%.
 *
 * Plain values; no allocation. Not tied to a thread.
 */
#ifndef BENCH_NETEM_SCRIPT_H
#define BENCH_NETEM_SCRIPT_H

#include "bench/netem.h"

enum {
    NETEM_SCRIPT_MAX = 256,       /* changes that are waiting */
    NETEM_SCRIPT_ERROR_MAX = 160, /* bytes of a message, with its end */
};

enum netem_direction { NETEM_UP, NETEM_DOWN, NETEM_DIRECTIONS };
/** @return "up" or "down" */
const char *netem_direction_name(enum netem_direction d);

/** One statement: what changes when. */
struct netem_statement {
    int64_t at_us;              /* [us]; as written when parsed, absolute in a script */
    uint32_t keys;              /* bit per key that was given */
    bool clear;                 /* everything else back to a perfect link */
    bool up, down;              /* at least one of them is true */
    struct netem_config values; /* of those keys */
};

/** Changes that wait for their time, and what the two directions are until then. */
struct netem_script {
    struct netem_statement waiting[NETEM_SCRIPT_MAX]; /* [n], in the order of their time */
    size_t n;
    struct netem_config config[NETEM_DIRECTIONS]; /* as of the last netem_script_advance() */
};

/**
 * Read one statement.
 *
 * @param text   [len bytes] without line end or semicolon
 * @param error  NETEM_SCRIPT_ERROR_MAX bytes: what is wrong, in a sentence
 * @return 1: read; 0: an empty statement; -EINVAL, and `error` says why
 */
int netem_statement_parse(struct netem_statement *ret, const char *text, size_t len, char *error);

/** Change `config` as the statement says, whatever its time and direction. */
void netem_statement_apply(const struct netem_statement *s, struct netem_config *config);

/** Make a script without any change: two perfect links. */
void netem_script_init(struct netem_script *s);

/**
 * Add what a text says; nothing of it if it is refused.
 *
 * @param now_us  the time that its `at` count from
 * @param error   NETEM_SCRIPT_ERROR_MAX bytes: what is wrong and in which line
 * @return 0; -EINVAL: malformed; -ENOSPC: more than NETEM_SCRIPT_MAX changes would wait
 */
MUST_USE int netem_script_add(struct netem_script *s, const char *text, size_t len, int64_t now_us,
                              char *error);

/**
 * Apply what is due to `config`, and to the links.
 *
 * @param links  [NETEM_DIRECTIONS] borrowed; NULL, or one of them NULL: not that one
 * @return when the next change is due [us], or NEVER_US
 */
int64_t netem_script_advance(struct netem_script *s, int64_t now_us,
                             struct netem *const links[NETEM_DIRECTIONS]);

#endif
