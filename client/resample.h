/**
 * @file resample.h  Another sampling rate for a piece of sound. Owner of the speexdsp dependency.
 * Thread: any, no shared state.
 */
#ifndef CLIENT_RESAMPLE_H
#define CLIENT_RESAMPLE_H

#include "media/base/attributes.h"

#include <stddef.h>
#include <stdint.h>

/**
 * Convert a whole recording.
 *
 * @param in        `n_frames` frames of `channels` interleaved samples
 * @param ret       new samples, the caller's to free(); as long as `in` in time
 * @return 0; -ENOMEM; -EINVAL: a rate or the number of channels is 0
 */
MUST_USE int resample(const int16_t *in, size_t n_frames, uint16_t channels, uint32_t from_hz,
                      uint32_t to_hz, int16_t **ret, size_t *ret_frames);

#endif
