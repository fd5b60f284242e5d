/**
 * @file resample.h  Another sampling rate for a piece of sound. Owner of the speexdsp dependency.
 * Thread: any, no shared state.
 */
#ifndef CLIENT_RESAMPLE_H
#define CLIENT_RESAMPLE_H

#include "media/base/attributes.h"

#include <stddef.h>
#include <stdint.h>

/** A recording in memory. */
struct sound {
    int16_t *samples; /* `n_frames` times `channels`, interleaved */
    size_t n_frames;
    uint16_t channels;
    uint32_t rate; /* [Hz] */
};

/**
 * Convert a whole recording to the rate `to_hz`.
 *
 * @param ret  its samples are new, the caller's to free(); as long as `in` in time
 * @return 0; -ENOMEM; -EINVAL: a rate or the number of channels is 0
 */
MUST_USE int resample(struct sound *ret, const struct sound *in, uint32_t to_hz);

#endif
