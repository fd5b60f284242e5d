/**
 * @file audio_receiver.h  One incoming Opus stream from packets to 20 ms of sound: jitter buffer,
 * decoder, and what fits their steps together. Not thread-safe.
 */
#ifndef CLIENT_AUDIO_RECEIVER_H
#define CLIENT_AUDIO_RECEIVER_H

#include "client/jitter_buffer.h"
#include "media/base/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct audio_receiver;

/** @param channels  1 or 2, of the sound it gives. @return 0; -ENOMEM; -EINVAL */
MUST_USE int audio_receiver_new(struct audio_receiver **ret, uint16_t channels);
/** NULL is fine. @return NULL */
struct audio_receiver *audio_receiver_free(struct audio_receiver *r);

/** A packet arrived.
 *  @param packet  its `samples` and `has_fec` are not read: its bytes tell
 *  @return 0; -EBADMSG: not Opus; as jitter_buffer_put() */
MUST_USE int audio_receiver_put(struct audio_receiver *r, const struct jitter_packet *packet,
                                int64_t now_us);

/** Take the next 20 ms.
 *  @param out     AUDIO_FRAME samples of each channel
 *  @param source  set to the participant who is heard
 *  @return false: the stream has not begun or pauses; `out` is silent */
MUST_USE bool audio_receiver_take(struct audio_receiver *r, int16_t *out, uint32_t *source,
                                  int64_t now_us);

/** @return the jitter buffer, for its statistics */
const struct jitter_buffer *audio_receiver_buffer(const struct audio_receiver *r);

#endif
