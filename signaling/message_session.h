/**
 * @file message_session.h  Reading and writing of what is about a session that outlives its
 * WebSocket; used by message_parse.c and message_write.c only. Errors as in message_input.h.
 */
#ifndef SIGNALING_MESSAGE_SESSION_H
#define SIGNALING_MESSAGE_SESSION_H

#include "media/base/attributes.h"
#include "signaling/message_input.h"

struct text;

/** `session` of joined, which may be absent. @return 0; -EBADMSG */
MUST_USE int message_read_session(const struct input *in, struct message_session *ret);
/** Which session to resume. @return 0; -EBADMSG */
MUST_USE int message_read_resume(const struct input *in, struct message *m);

/** Append `session`, with its comma before it; nothing if there is none. */
void message_write_session(struct text *out, const struct message_session *session);
/** Append the fields of resume, each with its comma before it. */
void message_write_resume(struct text *out, const struct message *m);

#endif
