/**
 * @file message_media_input.h  Reading and writing of the messages about media; used by
 * message_parse.c and message_write.c only. Errors as in message_input.h.
 */
#ifndef SIGNALING_MESSAGE_MEDIA_INPUT_H
#define SIGNALING_MESSAGE_MEDIA_INPUT_H

#include "media/base/attributes.h"
#include "signaling/message_input.h"

struct text;

/** A view, or a list of them. @return 0; -EBADMSG */
MUST_USE int message_read_view(const struct input *in, struct message *m);
/** The track of subscribe and unsubscribe. @return 0; -EBADMSG */
MUST_USE int message_read_subscribe(const struct input *in, struct message *m);
/** Who speaks. @return 0; -EBADMSG */
MUST_USE int message_read_speakers(const struct input *in, struct message *m);
/** What is paused, and why. @return 0; -EBADMSG */
MUST_USE int message_read_stream(const struct input *in, struct message *m);
/** Which encodings are needed. @return 0; -EBADMSG */
MUST_USE int message_read_want(const struct input *in, struct message *m);
/** What a track may be sent with. @return 0; -EBADMSG */
MUST_USE int message_read_limit(const struct input *in, struct message *m);
/** How well it goes; m->quality may be there even after an error. @return 0; -EBADMSG */
MUST_USE int message_read_quality(const struct input *in, struct message *m);

/** Append the fields of such a message, each with its comma before it. */
void message_write_media(struct text *out, const struct message *m);

#endif
