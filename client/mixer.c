#include "client/mixer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const float RECOVERY = 0.02F; /* of the full gain per frame: one second from silence */

void mixer_init(struct mixer *m, uint16_t channels)
{
    assert(channels >= 1 && channels <= MIXER_MAX_CHANNELS);
    memset(m, 0, sizeof(*m));
    m->channels = channels;
    m->gain = 1;
}

void mixer_add(struct mixer *m, const int16_t *samples)
{
    for (size_t i = 0; i < (size_t)MIXER_FRAME * m->channels; i++)
        m->sum[i] += samples[i];
}

static int32_t peak_of(const struct mixer *m)
{
    int32_t peak = 0;

    for (size_t i = 0; i < (size_t)MIXER_FRAME * m->channels; i++) {
        int32_t size = abs(m->sum[i]);

        peak = size > peak ? size : peak;
    }
    return peak;
}

void mixer_take(struct mixer *m, int16_t *out)
{
    int32_t peak = peak_of(m);
    float gain = m->gain + RECOVERY < 1 ? m->gain + RECOVERY : 1;
    float from = m->gain;

    if ((float)peak * gain > INT16_MAX)
        gain = INT16_MAX / (float)peak;
    if (from > gain)
        from = gain; /* falling: at once, or this frame would be cut */
    for (size_t i = 0; i < MIXER_FRAME; i++) {
        float here = from + (gain - from) * (float)i / MIXER_FRAME;

        for (size_t channel = 0; channel < m->channels; channel++) {
            size_t at = i * m->channels + channel;

            out[at] = (int16_t)((float)m->sum[at] * here);
        }
    }
    m->gain = gain;
    memset(m->sum, 0, sizeof(m->sum));
}
