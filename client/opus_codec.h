/**
 * @file opus_codec.h  Opus (RFC 6716) at 48 kHz, encoder and decoder. Owner of the opus dependency.
 *
 * Samples are interleaved int16_t. An encoder or decoder belongs to one thread.
 */
#ifndef CLIENT_OPUS_CODEC_H
#define CLIENT_OPUS_CODEC_H

#include "media/base/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    AUDIO_RATE = 48000,
    AUDIO_FRAME = 960, /* samples of one channel in 20 ms */
    AUDIO_FRAME_MS = 20,
    AUDIO_MAX_CHANNELS = 2,
    OPUS_MAX_FRAME = 5760,  /* samples of one channel in the longest packet, 120 ms */
    OPUS_MAX_PACKET = 1275, /* bytes we ever send */
    OPUS_MIN_BPS = 6000,
    OPUS_MAX_BPS = 510000,
};

struct opus_encoder_config {
    uint16_t channels;    /* 1, 2 */
    int32_t bitrate_bps;  /* OPUS_MIN_BPS..OPUS_MAX_BPS */
    int32_t loss_percent; /* expected loss: how much is spent on in-band FEC; 0: none */
};

struct opus_sender;

/** @return 0; -EINVAL: config out of range; -ENOMEM */
MUST_USE int opus_sender_new(struct opus_sender **ret, const struct opus_encoder_config *config);
/** NULL is fine. @return NULL */
struct opus_sender *opus_sender_free(struct opus_sender *s);
/** Encode AUDIO_FRAME samples of each channel. @return bytes written to `out`; -EIO */
MUST_USE int opus_sender_encode(struct opus_sender *s, const int16_t *samples, uint8_t *out,
                                size_t capacity);

struct opus_receiver;

/** @param channels  1 or 2, whatever the packets have. @return 0; -EINVAL; -ENOMEM */
MUST_USE int opus_receiver_new(struct opus_receiver **ret, uint16_t channels);
/** NULL is fine. @return NULL */
struct opus_receiver *opus_receiver_free(struct opus_receiver *r);
/** Forget the past: the next packet is of another source. */
void opus_receiver_reset(struct opus_receiver *r);

/** Decode a packet. @param out  room for OPUS_MAX_FRAME samples of each channel
 *  @return samples of each channel; -EBADMSG */
MUST_USE int opus_receiver_decode(struct opus_receiver *r, const uint8_t *packet, size_t len,
                                  int16_t *out);
/** Decode the copy of the packet before `packet` that it may carry; concealed where there is none.
 *  @param n  samples that were lost, a multiple of 120 up to OPUS_MAX_FRAME. @return as above */
MUST_USE int opus_receiver_decode_fec(struct opus_receiver *r, const uint8_t *packet, size_t len,
                                      int16_t *out, int n);
/** Make up `n` samples for a packet that is lost. @return as above */
MUST_USE int opus_receiver_conceal(struct opus_receiver *r, int16_t *out, int n);

/** @return samples of one channel in `packet` at 48 kHz; -EBADMSG */
MUST_USE int opus_packet_samples(const uint8_t *packet, size_t len);
/** @return true if `packet` carries a copy of the one before (in-band FEC) */
bool opus_packet_has_fec(const uint8_t *packet, size_t len);

#endif
