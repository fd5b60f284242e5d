/**
 * @file peer_call.h  Our side of direct calls (docs/PROTOCOL.md, Direct calls): whom we call,
 * whether we answer, and what the two relay until they agree. Knows no media.
 *
 * One call, once. Handlers must not free it. Not thread-safe.
 */
#ifndef CLIENT_PEER_CALL_H
#define CLIENT_PEER_CALL_H

#include "client/peer_session.h"
#include "media/base/attributes.h"
#include "signaling/message.h"

#include <stdbool.h>
#include <stdint.h>

struct peer_call;

struct peer_call_config {
    const char *callee; /* name or id of whom to call once it is there; NULL: nobody; copied */
    bool answer;        /* accept who calls */
    struct peer_session_config media; /* `caller` is set here */
};

struct peer_call_handler {
    /** Send a request; its number goes into it. @return 0; -errno: it is lost */
    int (*request)(void *owner, struct message *m);
    /** Both have agreed. Once. */
    void (*on_plan)(void *owner, const struct media_plan *plan, uint32_t peer);
    /** The room has become an ordinary one: media go over the server from now on. */
    void (*on_server)(void *owner);
    /** It is over, or came to nothing: a code of `ended` or of an error, and text for people. */
    void (*on_ended)(void *owner, const char *code, const char *text);
};

/** @param handler  borrowed. @return 0; -ENOMEM */
MUST_USE int peer_call_new(struct peer_call **ret, const struct peer_call_config *config,
                           const struct peer_call_handler *handler, void *owner);
/** NULL is fine. @return NULL */
struct peer_call *peer_call_free(struct peer_call *p);

/** What we say of ourselves: nothing is offered or answered before. Once. */
void peer_call_set_local(struct peer_call *p, const struct negotiation_local *local);

/** Any message of the server. */
void peer_call_on_message(struct peer_call *p, const struct message *m, int64_t now_us);

/** The way to the other one is lost, or none was found: nothing more is told.
 *  @return true: in a room for two, where the server is another way */
bool peer_call_give_up(struct peer_call *p);

/** @return when to call again [us], or NEVER_US */
MUST_USE int64_t peer_call_advance(struct peer_call *p, int64_t now_us);

#endif
