/**
 * @file audio_sender.h  What we say: 20 ms of a source at a time, encoded, as one RTP packet.
 * Not thread-safe.
 */
#ifndef CLIENT_AUDIO_SENDER_H
#define CLIENT_AUDIO_SENDER_H

#include "client/opus_codec.h"
#include "client/rtp_sender.h"
#include "media/base/attributes.h"

#include <stdint.h>

struct audio_sender;
struct audio_source;
struct packet_pool;

/** @param source  borrowed. @return 0; -EINVAL: encoder settings out of range; -ENOMEM */
MUST_USE int audio_sender_new(struct audio_sender **ret, struct audio_source *source,
                              const struct opus_encoder_config *encoder,
                              const struct rtp_sender_config *rtp);
/** NULL is fine. @return NULL */
struct audio_sender *audio_sender_free(struct audio_sender *s);

/** Send the next 20 ms. @return 0; -ENOBUFS: no packet free or no keys: the sound is lost; -EIO */
MUST_USE int audio_sender_tick(struct audio_sender *s, struct rtp_path *path,
                               struct packet_pool *pool, int64_t now_us);

/** @return the RTP stream, for reports */
struct rtp_sender *audio_sender_rtp(struct audio_sender *s);

/** @return loudness of `n` samples (RFC 6464) [-dBov]: 0 full scale, 127 silence */
int audio_level(const int16_t *samples, size_t n);

#endif
