#include "client/resample.h"

#include <errno.h>
#include <speex/speex_resampler.h>
#include <stdlib.h>

enum {
    QUALITY = 8,          /* of 10: no aliasing to hear, 1 % of a core */
    SLICE_FRAMES = 16384, /* in one call, which counts in 32 bits */
    TAIL_FRAMES = 256,    /* silence after the end: pushes out what the filter still holds */
};

struct conversion {
    SpeexResamplerState *state;
    uint16_t channels;
    int16_t *out;
    size_t out_frames, out_capacity; /* [frames] */
};

/* Speex asserts nothing about progress: a call that moves neither side would loop for ever. */
static int convert(struct conversion *c, const int16_t *in, size_t n_frames)
{
    size_t at = 0;

    while (at < n_frames && c->out_frames < c->out_capacity) {
        size_t in_left = n_frames - at;
        size_t out_left = c->out_capacity - c->out_frames;
        spx_uint32_t taken = (spx_uint32_t)(in_left < SLICE_FRAMES ? in_left : SLICE_FRAMES);
        spx_uint32_t given = (spx_uint32_t)(out_left < UINT16_MAX ? out_left : UINT16_MAX);
        int err = speex_resampler_process_interleaved_int(
            c->state, in + at * c->channels, &taken, c->out + c->out_frames * c->channels, &given);

        if (err != RESAMPLER_ERR_SUCCESS || (taken == 0 && given == 0))
            return -EINVAL;
        at += taken;
        c->out_frames += given;
    }
    return 0;
}

/* Silence until the output is as long as it must be. */
static int flush(struct conversion *c)
{
    int16_t *silence = calloc((size_t)TAIL_FRAMES * c->channels, sizeof(*silence));
    int err = silence ? 0 : -ENOMEM;

    while (err == 0 && c->out_frames < c->out_capacity)
        err = convert(c, silence, TAIL_FRAMES);
    free(silence);
    return err;
}

int resample(struct sound *ret, const struct sound *in, uint32_t to_hz)
{
    struct conversion c = {.channels = in->channels};
    int speex_error = 0;
    int err = -ENOMEM;

    if (in->channels == 0 || in->rate == 0 || to_hz == 0)
        return -EINVAL;
    c.out_capacity = (size_t)((uint64_t)in->n_frames * to_hz / in->rate);
    c.state = speex_resampler_init(in->channels, in->rate, to_hz, QUALITY, &speex_error);
    if (!c.state)
        return -ENOMEM;
    (void)speex_resampler_skip_zeros(c.state); /* the filter's delay is no silence of the input */
    c.out = malloc((c.out_capacity + 1) * in->channels * sizeof(*c.out));
    if (!c.out)
        goto out;
    err = convert(&c, in->samples, in->n_frames);
    if (err == 0)
        err = flush(&c);
    if (err < 0)
        goto out;
    *ret = (struct sound){
        .samples = c.out, .n_frames = c.out_frames, .channels = in->channels, .rate = to_hz};
    c.out = NULL;
out:
    free(c.out);
    speex_resampler_destroy(c.state);
    return err;
}
