#include "client/opus_codec.h"

#include <errno.h>
#include <opus/opus.h>
#include <stdlib.h>

enum {
    MAX_OPUS_FRAMES = 48, /* in one packet (RFC 6716 section 3.2.5) */
    CELT_ONLY = 0x80,     /* of the TOC byte: no SILK layer, and FEC is SILK's */
};

struct opus_sender {
    OpusEncoder *encoder;
};

int opus_sender_new(struct opus_sender **ret, const struct opus_encoder_config *config)
{
    struct opus_sender *s = calloc(1, sizeof(*s));
    int err = OPUS_OK;

    if (!s)
        return -ENOMEM;
    /* Not _VOIP, which filters speech on its way in: what is heard shall be what was sent. FEC
     * works in both, as long as the bit rate keeps speech in SILK. */
    s->encoder = opus_encoder_create(AUDIO_RATE, config->channels, OPUS_APPLICATION_AUDIO, &err);
    if (err == OPUS_OK)
        err = opus_encoder_ctl(s->encoder, OPUS_SET_BITRATE(config->bitrate_bps));
    if (err == OPUS_OK)
        err = opus_encoder_ctl(s->encoder, OPUS_SET_INBAND_FEC(config->loss_percent > 0));
    if (err == OPUS_OK)
        err = opus_encoder_ctl(s->encoder, OPUS_SET_PACKET_LOSS_PERC(config->loss_percent));
    if (err != OPUS_OK) {
        opus_sender_free(s);
        return err == OPUS_ALLOC_FAIL ? -ENOMEM : -EINVAL;
    }
    *ret = s;
    return 0;
}

struct opus_sender *opus_sender_free(struct opus_sender *s)
{
    if (!s)
        return NULL;
    if (s->encoder)
        opus_encoder_destroy(s->encoder);
    free(s);
    return NULL;
}

int opus_sender_encode(struct opus_sender *s, const int16_t *samples, uint8_t *out, size_t capacity)
{
    int n = opus_encode(s->encoder, samples, AUDIO_FRAME, out, (opus_int32)capacity);

    return n < 0 ? -EIO : n;
}

struct opus_receiver {
    OpusDecoder *decoder;
};

int opus_receiver_new(struct opus_receiver **ret, uint16_t channels)
{
    struct opus_receiver *r = calloc(1, sizeof(*r));
    int err = OPUS_OK;

    if (!r)
        return -ENOMEM;
    r->decoder = opus_decoder_create(AUDIO_RATE, channels, &err);
    if (err != OPUS_OK) {
        opus_receiver_free(r);
        return err == OPUS_ALLOC_FAIL ? -ENOMEM : -EINVAL;
    }
    *ret = r;
    return 0;
}

struct opus_receiver *opus_receiver_free(struct opus_receiver *r)
{
    if (!r)
        return NULL;
    if (r->decoder)
        opus_decoder_destroy(r->decoder);
    free(r);
    return NULL;
}

void opus_receiver_reset(struct opus_receiver *r)
{
    (void)opus_decoder_ctl(r->decoder, OPUS_RESET_STATE);
}

static int samples_or_error(int n)
{
    return n < 0 ? -EBADMSG : n;
}

int opus_receiver_decode(struct opus_receiver *r, const uint8_t *packet, size_t len, int16_t *out)
{
    if (len == 0)
        return -EBADMSG; /* libopus would conceal */
    return samples_or_error(
        opus_decode(r->decoder, packet, (opus_int32)len, out, OPUS_MAX_FRAME, 0));
}

int opus_receiver_decode_fec(struct opus_receiver *r, const uint8_t *packet, size_t len,
                             int16_t *out, int n)
{
    return samples_or_error(opus_decode(r->decoder, packet, (opus_int32)len, out, n, 1));
}

int opus_receiver_conceal(struct opus_receiver *r, int16_t *out, int n)
{
    return samples_or_error(opus_decode(r->decoder, NULL, 0, out, n, 0));
}

int opus_packet_samples(const uint8_t *packet, size_t len)
{
    if (len == 0)
        return -EBADMSG;
    return samples_or_error(opus_packet_get_nb_samples(packet, (opus_int32)len, AUDIO_RATE));
}

/* libopus 1.5 has a function for this. RFC 6716 section 4.2.3: the first bits of a SILK frame are,
 * per channel, one voice activity flag for each of its 20 ms and then the flag asked for. */
bool opus_packet_has_fec(const uint8_t *packet, size_t len)
{
    const unsigned char *frames[MAX_OPUS_FRAMES];
    opus_int16 sizes[MAX_OPUS_FRAMES];
    int silk_frames;
    int channels;

    if (len == 0 || packet[0] & CELT_ONLY)
        return false;
    if (opus_packet_parse(packet, (opus_int32)len, NULL, frames, sizes, NULL) < 1 || sizes[0] <= 1)
        return false;
    silk_frames = opus_packet_get_samples_per_frame(packet, AUDIO_RATE) / AUDIO_FRAME;
    silk_frames = silk_frames > 1 ? silk_frames : 1; /* 10 ms counts as one */
    channels = opus_packet_get_nb_channels(packet);
    for (int i = 0; i < channels; i++) {
        if (frames[0][0] & 0x80 >> ((i + 1) * (silk_frames + 1) - 1))
            return true;
    }
    return false;
}
