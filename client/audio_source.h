/**
 * @file audio_source.h  Where the sound we send comes from: a WAV file, a tone, or silence.
 * Not thread-safe.
 */
#ifndef CLIENT_AUDIO_SOURCE_H
#define CLIENT_AUDIO_SOURCE_H

#include "media/base/attributes.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    AUDIO_SOURCE_MIN_HZ = 20,
    AUDIO_SOURCE_MAX_HZ = 20000,
};

struct audio_source;

/**
 * Open a source by its description.
 *
 * @param spec      "silence", "tone:FREQUENCY" or the path of a WAV file (any rate)
 * @param channels  1 or 2, of what audio_source_read() gives; a file is mixed up or down to it
 * @param loop      begin a file again at its end; otherwise silence follows
 * @return 0; -EINVAL: frequency out of range; -ENODATA: the file has no sound in it;
 *         as wav_open(); -ENOMEM
 */
MUST_USE int audio_source_new(struct audio_source **ret, const char *spec, uint16_t channels,
                              bool loop);
/** NULL is fine. @return NULL */
struct audio_source *audio_source_free(struct audio_source *s);

/** Take the next 20 ms (AUDIO_FRAME samples of each channel, 48 kHz). */
void audio_source_read(struct audio_source *s, int16_t *out);

#endif
