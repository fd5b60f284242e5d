/**
 * @file layer_want.h  Which encodings of a track its publisher is to send: those that somebody
 * needs. What is needed again is asked for at once, what is needed no more a while later: views
 * come and go. A plain value. Thread: the worker's own.
 */
#ifndef SFU_LAYER_WANT_H
#define SFU_LAYER_WANT_H

#include "media/base/attributes.h"
#include "media/base/clock.h"
#include "signaling/negotiation.h"

#include <stdbool.h>
#include <stdint.h>

/** An encoding is needed no more when nobody needed it for so long. */
#define LAYER_WANT_KEEP_US (1 * SECOND)
/** Least time between two words to the publisher. */
#define LAYER_WANT_INTERVAL_US (500 * MS)
/** What is asked for and does not come within that time is not sent, whatever we say. */
#define LAYER_WANT_PATIENCE_US (3 * SECOND)

struct layer_want {
    int64_t told_us;                   /* when something was last told */
    int64_t asked_us[PLAN_MAX_LAYERS]; /* each, in `told`: since then */
    int64_t left_us[PLAN_MAX_LAYERS];  /* each, not in `needed`: since then */
    uint8_t told;                      /* encodings that the publisher is to send, a set */
    uint8_t needed;                    /* as last heard */
    bool spoke;                        /* something was told */
};

/** Until it is told something, a publisher sends all of its `n` encodings. */
void layer_want_init(struct layer_want *w, uint8_t n, int64_t now_us);

/**
 * Hear what is needed.
 *
 * @param needed  encodings that somebody needs, a set, the lowest is bit 0
 * @return true: w->told has changed, tell the publisher now
 */
MUST_USE bool layer_want_update(struct layer_want *w, uint8_t needed, int64_t now_us);

/** @return when layer_want_update() may have something to tell with what is needed now [us], or
 *          NEVER_US */
int64_t layer_want_deadline(const struct layer_want *w);

/** @return true if encoding `at` is asked for, and could be there by now */
bool layer_want_expects(const struct layer_want *w, uint8_t at, int64_t now_us);

#endif
