/* Any bytes: as a WAV file, every sample of it. */
#include "client/wav.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wav wav;

    if (wav_parse(&wav, data, size) < 0)
        return 0;
    assert(wav.channels >= 1 && wav.channels <= WAV_MAX_CHANNELS);
    assert(wav.rate >= WAV_MIN_RATE && wav.rate <= WAV_MAX_RATE);
    assert(wav.n_frames * wav.channels * wav.sample_bytes <= size);
    for (size_t frame = 0; frame < wav.n_frames; frame++) {
        for (uint16_t channel = 0; channel < wav.channels; channel++)
            (void)wav_sample(&wav, frame, channel);
    }
    return 0;
}
