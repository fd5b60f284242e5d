/**
 * @file track_ladder.h  In which ways a track can be sent, as measured: its ladder, kept with the
 * track for all its subscribers. Thread: the worker's own.
 */
#ifndef SFU_TRACK_LADDER_H
#define SFU_TRACK_LADDER_H

#include "media/base/clock.h"
#include "sfu/layer_ladder.h"

#include <stdbool.h>
#include <stdint.h>

struct track;

/** Rates are looked at so often, and while one is not known yet so often. */
#define TRACK_LADDER_INTERVAL_US (500 * MS)
#define TRACK_LADDER_FIRST_US    (100 * MS)

/** Made when first asked for. */
struct track_ladder {
    struct layer_ladder ladder;
    int64_t made_us;
    bool partial;          /* something flows whose rate is not known yet */
    uint8_t flowing, told; /* of the track when it was made, see sfu/track.h */
    /* evened out, and remembered while an encoding is not sent: frames per second, and [bit/s] */
    uint8_t fps[LADDER_MAX_ENCODINGS];
    int64_t began_us[LADDER_MAX_ENCODINGS]; /* when each was first measured; 0: never */
    uint32_t bps[LADDER_MAX_ENCODINGS][LADDER_MAX_LAYERS][LADDER_MAX_LAYERS];
};

/**
 * @return the track's ladder, borrowed until the track ends or this is called again; empty: nothing
 *         of it is sent. NULL: it is sound, or there is no memory (counted)
 */
const struct layer_ladder *track_ladder(struct track *t, int64_t now_us);

/** @return encodings that somebody needs: those that are wanted, and while anybody wants anything
 *          those that were not seen yet or do not come though they were asked for */
uint8_t track_needed_layers(const struct track *t, int64_t now_us);

#endif
