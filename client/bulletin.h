/**
 * @file bulletin.h  What the server last told of the media in the call: who speaks, what is paused
 * and why, how well it goes. Not thread-safe.
 */
#ifndef CLIENT_BULLETIN_H
#define CLIENT_BULLETIN_H

#include "signaling/message.h"

#include <stdint.h>

/** Embedded by value; zero-initialised it is empty. */
struct bulletin {
    uint32_t n_speakers;
    struct message_speaker speakers[MESSAGE_MAX_SPEAKERS]; /* dominant first */
    uint32_t n_paused;
    struct message_stream paused[MESSAGE_MAX_STREAMS];
    struct message_quality *quality; /* owned; NULL: nothing was told yet */
};

void bulletin_done(struct bulletin *b);

/** Take over speakers, stream, slots and quality; others are ignored. What `m` has of quality is
 *  ours after it. */
void bulletin_update(struct bulletin *b, struct message *m);

/** @return why nothing comes in the slot with this mid; STREAM_ACTIVE: it does */
enum stream_reason bulletin_paused(const struct bulletin *b, const char *mid);

/** @return what the server says of that slot, or NULL: nothing. Valid until the next update */
const struct quality_subscription *bulletin_subscription(const struct bulletin *b, const char *mid);

#endif
