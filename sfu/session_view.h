/**
 * @file session_view.h  What a client says of how it shows the others, and what it is told of their
 * streams: view, subscribe, unsubscribe; speakers, stream, want, quality. Thread: control.
 */
#ifndef SFU_SESSION_VIEW_H
#define SFU_SESSION_VIEW_H

#include "media/base/attributes.h"
#include "signaling/message.h"

#include <stdbool.h>

struct directory;
struct mail;
struct mail_speakers;
struct session;

/** Pass on views; those of unknown slots and tracks are left out. @return 0; -EINVAL: that leaves
 *  none, and `error` says why */
MUST_USE int session_view(const struct session *s, const struct message *m, struct message *error);

/** Pass on whether a track may come. @return 0; -EINVAL: `error` says why */
MUST_USE int session_subscribe(const struct session *s, uint32_t track, bool subscribed,
                               struct message *error);

/** Tell the client of MAIL_STREAM, MAIL_WANT or MAIL_QUALITY (which is taken out of the mail and
 *  kept); others are passed over. */
void session_tell_media(struct session *s, struct mail *mail);

/** Tell everybody of the room on the worker that sent it who speaks. */
void session_tell_speakers(const struct directory *d, const struct mail_speakers *mail);

#endif
