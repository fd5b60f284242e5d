/**
 * @file peer_session.h  Offer and answer with the other client of a direct call. The caller offers
 * as it would to a server, the callee answers as a server would; both get a plan as of a server's
 * answer: PUBLISH is what we send, SLOT what comes.
 *
 * Candidates that come one by one are waited for, up to a second, and used all at once. No I/O.
 * Handlers must not free the session. Not thread-safe.
 */
#ifndef CLIENT_PEER_SESSION_H
#define CLIENT_PEER_SESSION_H

#include "media/base/attributes.h"
#include "signaling/message_peer.h"
#include "signaling/negotiation.h"

#include <stdbool.h>
#include <stdint.h>

struct peer_session;

enum { PEER_SESSION_WAIT_MS = 1000 }; /* for candidates of the other one */

struct peer_session_config {
    bool caller;
    bool publish_audio, publish_video;
    bool receive_audio, receive_video;
    bool stereo;
};

struct peer_session_handler {
    /** Relay this to the other one. */
    void (*send)(void *owner, const struct message_peer *m);
    /** Both have agreed. Once. */
    void (*on_plan)(void *owner, const struct media_plan *plan);
    /** They cannot: why, for people. */
    void (*on_failed)(void *owner, const char *why);
};

/** @param handler  borrowed. @return 0; -ENOMEM */
MUST_USE int peer_session_new(struct peer_session **ret, const struct peer_session_config *config,
                              const struct peer_session_handler *handler, void *owner);
/** NULL is fine. @return NULL */
struct peer_session *peer_session_free(struct peer_session *p);

/** What we say of ourselves, all candidates; nothing is said before. A caller offers now. Once. */
void peer_session_set_local(struct peer_session *p, const struct negotiation_local *local);

/** What the other one says; a second description is ignored. */
void peer_session_receive(struct peer_session *p, const struct message_peer *m, int64_t now_us);

/** @return when to call again [us], or NEVER_US */
MUST_USE int64_t peer_session_advance(struct peer_session *p, int64_t now_us);

#endif
