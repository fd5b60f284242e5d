/**
 * @file track_measure.h  How a track came lately, for people: once a second, over that second.
 * Embedded in the track; its layers keep what was counted last time.
 */
#ifndef SFU_TRACK_MEASURE_H
#define SFU_TRACK_MEASURE_H

#include <stdint.h>

struct track;

/** What of a layer was counted when it was last measured. */
struct layer_counts {
    uint64_t received, bytes; /* packets; payload [bytes] */
    int64_t expected;         /* packets */
};

struct track_measure {
    int64_t since_us;       /* when this was measured; 0: not yet */
    uint32_t rate_bps;      /* of all layers, payload only */
    uint32_t loss_permille; /* packets that were not repaired either, smoothed over some seconds */
    uint32_t jitter_ms;     /* of the worst layer that flows */
};

/** Measure anew; call about once per second. */
void track_measure_update(struct track *t, int64_t now_us);

#endif
