#include "client/audio_source.h"

#include "client/opus_codec.h"
#include "client/resample.h"
#include "client/wav.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double TONE_AMPLITUDE = 0.25 * INT16_MAX; /* four of them fit into one mix */
static const double TURN = 6.283185307179586;

struct audio_source {
    uint16_t channels;
    bool loop;
    double tone_hz, phase; /* tone_hz 0: no tone; phase: 0..1 */
    struct sound sound;    /* of a file, 48 kHz, `channels`; samples NULL: none */
    size_t at;
};

/* @return one sample of our channel from a file with any number of them */
static int16_t map_channel(const struct wav *wav, size_t frame, uint16_t channel, uint16_t channels)
{
    int32_t sum = 0;

    assert(wav->channels > 0);
    if (channels > 1 || wav->channels == 1)
        return wav_sample(wav, frame, channel < wav->channels ? channel : 0);
    for (uint16_t i = 0; i < wav->channels; i++)
        sum += wav_sample(wav, frame, i);
    return (int16_t)(sum / wav->channels);
}

static int map_channels(const struct wav *wav, uint16_t channels, struct sound *ret)
{
    int16_t *out = malloc(wav->n_frames * channels * sizeof(*out));

    if (!out)
        return -ENOMEM;
    for (size_t frame = 0; frame < wav->n_frames; frame++) {
        for (uint16_t channel = 0; channel < channels; channel++)
            out[frame * channels + channel] = map_channel(wav, frame, channel, channels);
    }
    *ret = (struct sound){
        .samples = out, .n_frames = wav->n_frames, .channels = channels, .rate = wav->rate};
    return 0;
}

static int load_wav(struct audio_source *s, const struct wav *wav)
{
    struct sound mapped;
    int err;

    if (wav->n_frames == 0)
        return -ENODATA;
    err = map_channels(wav, s->channels, &mapped);
    if (err < 0)
        return err;
    if (wav->rate == AUDIO_RATE) {
        s->sound = mapped;
        return 0;
    }
    err = resample(&s->sound, &mapped, AUDIO_RATE);
    free(mapped.samples);
    if (err < 0)
        return err;
    return s->sound.n_frames > 0 ? 0 : -ENODATA;
}

static int load_file(struct audio_source *s, const char *path)
{
    struct wav wav;
    int err = wav_open(&wav, path);

    if (err < 0)
        return err;
    err = load_wav(s, &wav);
    wav_done(&wav);
    return err;
}

static int set_tone(struct audio_source *s, const char *frequency)
{
    char *end = NULL;
    double hz = strtod(frequency, &end);

    if (end == frequency || *end || !(hz >= AUDIO_SOURCE_MIN_HZ && hz <= AUDIO_SOURCE_MAX_HZ))
        return -EINVAL;
    s->tone_hz = hz;
    return 0;
}

int audio_source_new(struct audio_source **ret, const char *spec, uint16_t channels, bool loop)
{
    struct audio_source *s = calloc(1, sizeof(*s));
    int err = 0;

    if (!s)
        return -ENOMEM;
    s->channels = channels;
    s->loop = loop;
    if (strncmp(spec, "tone:", 5) == 0)
        err = set_tone(s, spec + 5);
    else if (strcmp(spec, "silence") != 0)
        err = load_file(s, spec);
    if (err < 0) {
        audio_source_free(s);
        return err;
    }
    *ret = s;
    return 0;
}

struct audio_source *audio_source_free(struct audio_source *s)
{
    if (!s)
        return NULL;
    free(s->sound.samples);
    free(s);
    return NULL;
}

static void read_tone(struct audio_source *s, int16_t *out)
{
    for (size_t frame = 0; frame < AUDIO_FRAME; frame++) {
        int16_t sample = (int16_t)lrint(TONE_AMPLITUDE * sin(TURN * s->phase));

        for (uint16_t channel = 0; channel < s->channels; channel++)
            *out++ = sample;
        s->phase += s->tone_hz / AUDIO_RATE;
        s->phase -= floor(s->phase);
    }
}

static void read_samples(struct audio_source *s, int16_t *out)
{
    size_t done = 0;

    while (done < AUDIO_FRAME) {
        size_t n = AUDIO_FRAME - done;

        if (s->at == s->sound.n_frames && !s->loop)
            break;
        if (s->at == s->sound.n_frames)
            s->at = 0;
        if (n > s->sound.n_frames - s->at)
            n = s->sound.n_frames - s->at;
        memcpy(out + done * s->channels, s->sound.samples + s->at * s->channels,
               n * s->channels * sizeof(*out));
        s->at += n;
        done += n;
    }
    memset(out + done * s->channels, 0, (AUDIO_FRAME - done) * s->channels * sizeof(*out));
}

void audio_source_read(struct audio_source *s, int16_t *out)
{
    if (s->tone_hz > 0)
        read_tone(s, out);
    else if (s->sound.samples)
        read_samples(s, out);
    else
        memset(out, 0, (size_t)AUDIO_FRAME * s->channels * sizeof(*out));
}
