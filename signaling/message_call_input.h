/**
 * @file message_call_input.h  Reading and writing of the messages about direct calls; used by
 * message_parse.c and message_write.c only. Errors as in message_input.h.
 */
#ifndef SIGNALING_MESSAGE_CALL_INPUT_H
#define SIGNALING_MESSAGE_CALL_INPUT_H

#include "media/base/attributes.h"
#include "signaling/message_input.h"

struct text;

/** A call, as it is asked for (`to`) or told of (`from`). @return 0; -EBADMSG */
MUST_USE int message_read_call(const struct input *in, struct message *m);
/** ringing, accept and cancel: which call. @return 0; -EBADMSG */
MUST_USE int message_read_call_id(const struct input *in, struct message *m);
/** reject and end: which call, and why. @return 0; -EBADMSG */
MUST_USE int message_read_call_end(const struct input *in, struct message *m);
/** Role and peer. @return 0; -EBADMSG */
MUST_USE int message_read_accepted(const struct input *in, struct message *m);
/** The call that is over. @return 0; -EBADMSG */
MUST_USE int message_read_ended(const struct input *in, struct message *m);
/** What a room has become. @return 0; -EBADMSG */
MUST_USE int message_read_room(const struct input *in, struct message *m);
/** What one tells the other; m->call.data may be there even after an error. @return 0; -EBADMSG;
 *  "relay_too_large" */
MUST_USE int message_read_relay(const struct input *in, struct message *m);
/** The call that an ok names, if it does. @return 0; -EBADMSG */
MUST_USE int message_read_ok(const struct input *in, struct message *m);
/** `mode` and `role` of join and joined. @return 0; -EBADMSG */
MUST_USE int message_read_mode(const struct input *in, struct message *m);

/** Append the fields of such a message, each with its comma before it. */
void message_write_call(struct text *out, const struct message *m);
/** Append `mode` and `role`, where they are not the default. */
void message_write_mode(struct text *out, const struct message_call *call);

#endif
