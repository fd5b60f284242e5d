#include "client/audio_sender.h"

#include "client/audio_source.h"
#include "media/base/random.h"
#include "media/packet.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

enum { MIN_LEVEL = 127 };

struct audio_sender {
    struct audio_source *source; /* borrowed */
    uint16_t channels;
    struct opus_sender *encoder;
    struct rtp_sender rtp;
    uint32_t ts; /* of the next frame */
};

int audio_sender_new(struct audio_sender **ret, struct audio_source *source,
                     const struct opus_encoder_config *encoder, const struct rtp_sender_config *rtp)
{
    struct audio_sender *s = calloc(1, sizeof(*s));
    int err;

    if (!s)
        return -ENOMEM;
    s->source = source;
    s->channels = encoder->channels;
    s->ts = random_u32();
    err = opus_sender_new(&s->encoder, encoder);
    if (err < 0)
        goto fail;
    err = rtp_sender_init(&s->rtp, rtp);
    if (err < 0)
        goto fail;
    *ret = s;
    return 0;
fail:
    audio_sender_free(s);
    return err;
}

struct audio_sender *audio_sender_free(struct audio_sender *s)
{
    if (!s)
        return NULL;
    s->encoder = opus_sender_free(s->encoder);
    rtp_sender_done(&s->rtp);
    free(s);
    return NULL;
}

int audio_level(const int16_t *samples, size_t n)
{
    double sum = 0;
    double level;

    for (size_t i = 0; i < n; i++)
        sum += (double)samples[i] * samples[i];
    if (sum <= 0 || n == 0)
        return MIN_LEVEL;
    level = -10 * log10(sum / (double)n / ((double)INT16_MAX * INT16_MAX));
    return level < MIN_LEVEL ? (int)lrint(fmax(level, 0)) : MIN_LEVEL;
}

int audio_sender_tick(struct audio_sender *s, struct rtp_path *path, struct packet_pool *pool,
                      int64_t now_us)
{
    int16_t samples[AUDIO_FRAME * AUDIO_MAX_CHANNELS];
    struct packet *payload = packet_new(pool);
    struct rtp_outgoing out = {.payload = payload, .ts = s->ts};
    int len;

    audio_source_read(s->source, samples);
    s->ts += AUDIO_FRAME;
    if (!payload)
        return -ENOBUFS;
    len = opus_sender_encode(s->encoder, samples, payload->data, OPUS_MAX_PACKET);
    if (len > 0) {
        payload->len = (uint16_t)len;
        out.level = audio_level(samples, (size_t)AUDIO_FRAME * s->channels);
        len = rtp_sender_send(&s->rtp, path, &out, now_us);
    }
    packet_unref(payload);
    return len;
}

struct rtp_sender *audio_sender_rtp(struct audio_sender *s)
{
    return &s->rtp;
}
