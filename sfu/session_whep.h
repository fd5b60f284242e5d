/**
 * @file session_whep.h  What a player by WHEP can be told, as it has no signaling of its own, and
 * the layer it chooses. Of sessions that are in a room. Thread: control.
 */
#ifndef SFU_SESSION_WHEP_H
#define SFU_SESSION_WHEP_H

#include "media/base/attributes.h"
#include "media/base/text.h"
#include "signaling/message_whep.h"

#include <stdbool.h>

struct session;

/** @return true if somebody else in its room publishes */
bool session_whep_is_active(const struct session *s);

/** Write the data of an event: encodings of each video m-line, as far as the worker has told;
 * `rates`: with what they take now. */
void session_whep_write_layers(const struct session *s, bool rates, struct text *out);

/** Write the data of an event: for each m-line that carries something, whether that is muted. */
void session_whep_write_muted(const struct session *s, struct text *out);

/** Show one of its video m-lines as `want` says. @return 0; -EINVAL: `error` says why */
MUST_USE int session_whep_choose(struct session *s, const struct whep_layer *want,
                                 struct message *error);

#endif
