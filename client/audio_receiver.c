#include "client/audio_receiver.h"

#include "client/opus_codec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    QUIET = 300,    /* mean size of samples: -40 dB of full scale */
    FADE = 240,     /* samples over which sound runs into what comes after a cut: 5 ms */
    MAX_TAKES = 16, /* of the jitter buffer for one frame: 2.5 ms packets, or discarded ones */
};

struct audio_receiver {
    uint16_t channels;
    struct opus_receiver *decoder;
    struct jitter_buffer buffer;
    uint32_t source; /* whose sound the decoder knows */
    bool quiet, sounding;
    bool cut; /* `discarded` was left out: the next frame begins where it would have */
    int16_t discarded[FADE * AUDIO_MAX_CHANNELS];
    size_t n_queued; /* samples of each channel */
    int16_t queue[(AUDIO_FRAME + OPUS_MAX_FRAME) * AUDIO_MAX_CHANNELS];
};

int audio_receiver_new(struct audio_receiver **ret, uint16_t channels)
{
    struct audio_receiver *r = calloc(1, sizeof(*r));
    int err;

    if (!r)
        return -ENOMEM;
    r->channels = channels;
    r->quiet = true;
    jitter_buffer_init(&r->buffer, 0, 0);
    err = opus_receiver_new(&r->decoder, channels);
    if (err < 0) {
        audio_receiver_free(r);
        return err;
    }
    *ret = r;
    return 0;
}

struct audio_receiver *audio_receiver_free(struct audio_receiver *r)
{
    if (!r)
        return NULL;
    r->decoder = opus_receiver_free(r->decoder);
    free(r);
    return NULL;
}

int audio_receiver_put(struct audio_receiver *r, const struct jitter_packet *packet, int64_t now_us)
{
    struct jitter_packet known = *packet;
    int samples = opus_packet_samples(packet->data, packet->len);

    if (samples < 0)
        return samples;
    known.samples = (uint16_t)samples;
    known.has_fec = opus_packet_has_fec(packet->data, packet->len);
    return jitter_buffer_put(&r->buffer, &known, now_us);
}

static void fade_in(struct audio_receiver *r, int16_t *samples, size_t n)
{
    size_t fade = n < FADE ? n : FADE;

    for (size_t i = 0; i < fade * r->channels; i++) {
        int32_t weight = (int32_t)(i / r->channels);

        samples[i] = (int16_t)((r->discarded[i] * ((int32_t)fade - weight) + samples[i] * weight) /
                               (int32_t)fade);
    }
    r->cut = false;
}

static bool is_quiet(const int16_t *samples, size_t n)
{
    int64_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += abs(samples[i]);
    return n == 0 || sum / (int64_t)n < QUIET;
}

/* @return samples written to `out`, 0 for a packet that cannot be decoded */
static size_t play(struct audio_receiver *r, const struct jitter_play *play, int16_t *out)
{
    int n = 0;

    if (play->data && play->source != r->source) {
        opus_receiver_reset(r->decoder);
        r->source = play->source;
    }
    switch (play->action) {
    case JITTER_DECODE:
    case JITTER_DISCARD:
        n = opus_receiver_decode(r->decoder, play->data, play->len, out);
        break;
    case JITTER_FEC:
        n = opus_receiver_decode_fec(r->decoder, play->data, play->len, out, play->samples);
        break;
    case JITTER_CONCEAL:
        n = opus_receiver_conceal(r->decoder, out, play->samples);
        break;
    case JITTER_SILENCE:
        n = play->samples < AUDIO_FRAME ? play->samples : AUDIO_FRAME;
        memset(out, 0, (size_t)n * r->channels * sizeof(*out));
        break;
    }
    return n > 0 ? (size_t)n : 0;
}

static void fill_queue(struct audio_receiver *r, int64_t now_us)
{
    int16_t *out = r->queue + r->n_queued * r->channels;
    struct jitter_play next;
    size_t n;

    jitter_buffer_take(&r->buffer, r->quiet, now_us, &next);
    n = play(r, &next, out);
    if (next.action == JITTER_DISCARD) {
        r->cut = n >= FADE;
        memcpy(r->discarded, out, r->cut ? sizeof(*out) * FADE * r->channels : 0);
        return;
    }
    if (r->cut)
        fade_in(r, out, n);
    r->sounding = next.action != JITTER_SILENCE;
    r->quiet = is_quiet(out, n * r->channels);
    r->n_queued += n;
}

bool audio_receiver_take(struct audio_receiver *r, int16_t *out, uint32_t *source, int64_t now_us)
{
    size_t size = (size_t)AUDIO_FRAME * r->channels;

    for (int i = 0; i < MAX_TAKES && r->n_queued < AUDIO_FRAME; i++)
        fill_queue(r, now_us);
    if (r->n_queued < AUDIO_FRAME) { /* packets that cannot be decoded */
        memset(r->queue + r->n_queued * r->channels, 0,
               (AUDIO_FRAME - r->n_queued) * r->channels * sizeof(*out));
        r->n_queued = AUDIO_FRAME;
    }
    memcpy(out, r->queue, size * sizeof(*out));
    r->n_queued -= AUDIO_FRAME;
    memmove(r->queue, r->queue + size, r->n_queued * r->channels * sizeof(*out));
    *source = r->source;
    return r->sounding;
}

const struct jitter_buffer *audio_receiver_buffer(const struct audio_receiver *r)
{
    return &r->buffer;
}
