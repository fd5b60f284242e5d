/**
 * @file mixer.h  Adds sounds of 20 ms up. Loud sums are turned down, not cut: the gain falls at
 * once and comes back within a second. A plain value. Not thread-safe.
 */
#ifndef CLIENT_MIXER_H
#define CLIENT_MIXER_H

#include <stddef.h>
#include <stdint.h>

enum {
    MIXER_FRAME = 960, /* samples of one channel */
    MIXER_MAX_CHANNELS = 2,
};

struct mixer {
    uint16_t channels; /* 1, 2 */
    float gain;        /* 0..1 */
    int32_t sum[MIXER_FRAME * MIXER_MAX_CHANNELS];
};

/** Make a mixer of `channels` (1 or 2) interleaved channels, silent. */
void mixer_init(struct mixer *m, uint16_t channels);

/** Add one frame: MIXER_FRAME samples of each channel. */
void mixer_add(struct mixer *m, const int16_t *samples);

/** Take the sum and begin the next frame. @param out  MIXER_FRAME samples of each channel */
void mixer_take(struct mixer *m, int16_t *out);

#endif
