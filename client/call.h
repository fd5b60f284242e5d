/**
 * @file call.h  Our side of the signaling (docs/PROTOCOL.md): connect, join with an offer, follow
 * slots and roster, offer again when the room needs more slots, leave. When the WebSocket is lost
 * in the call, it is opened again and the session resumed; meanwhile the state stays CALL_JOINED.
 *
 * Knows SDP by signaling/negotiation and no media. Handlers are called from the loop and must not
 * free the call. Thread: that of the event_base.
 */
#ifndef CLIENT_CALL_H
#define CLIENT_CALL_H

#include "client/bulletin.h"
#include "client/roster.h"
#include "media/base/attributes.h"
#include "signaling/message.h"
#include "signaling/negotiation.h"

#include <stdbool.h>
#include <stdint.h>

struct call;
struct event_base;
struct tls_context;

/** Moves down this list only. */
enum call_state {
    CALL_CONNECTING, /* opening the WebSocket, or waiting for call_set_local() */
    CALL_JOINING,    /* join was sent */
    CALL_JOINED,
    CALL_LEAVING, /* leave was sent */
    CALL_ENDED,   /* call_error() says why; "" if we left */
};
const char *call_state_name(enum call_state state);

enum {
    CALL_MAX_SLOTS = 60, /* of each kind */
};

/** May we join anew, when the call has ended? */
struct call_rejoin {
    bool allowed;
    const char *token;               /* the newest that we have; "": none */
    uint32_t after_ms;               /* the server wants us to wait; 0: it does not care */
    char room[MESSAGE_ROOM_MAX + 1]; /* it moves us to this one; "": the same */
};

struct call_config {
    const char *url;         /* ws:// or wss://host:port/path; copied, like all strings */
    struct tls_context *tls; /* of wss: whom to trust; borrowed; NULL: whom the system trusts */
    const char *room, *name; /* name "": none */
    const char *token;       /* what lets us in; NULL: none */
    bool publish_audio, publish_video;
    bool presence;                     /* join without media: call_offer() asks for them */
    bool direct;                       /* what the room shall be if it begins with us: for two */
    uint32_t audio_slots, video_slots; /* 0..CALL_MAX_SLOTS; 0: this kind is never received */
    bool stereo;
    bool no_reconnect;               /* end when the WebSocket is lost */
    const struct message_view *view; /* how all video is shown; copied; NULL: nothing is said */
};

struct call_handler {
    /** The server answered an offer, that of join or a later one. */
    void (*on_plan)(void *owner, const struct media_plan *plan);
    /** A slot carries another track; 0, 0: nothing. */
    void (*on_slot)(void *owner, const struct message_slot *slot);
    /** Somebody wants a track that we publish, or nobody does any more. */
    void (*on_want)(void *owner, enum media_kind kind, bool wanted);
    /** Any message, after roster and bulletin know of it. */
    void (*on_message)(void *owner, const struct message *m);
    /** The call moved to another state. */
    void (*on_state)(void *owner, enum call_state state);
};

/** Begin to connect. @param handler  borrowed. @return 0; -EINVAL: not such a URL; -ENOMEM */
MUST_USE int call_new(struct call **ret, struct event_base *base, const struct call_config *config,
                      const struct call_handler *handler, void *owner);
/** Drop the connection and free. NULL is fine. @return NULL */
struct call *call_free(struct call *c);

/** What the offer says of us; join is sent once this is known and the WebSocket is open. Once. */
void call_set_local(struct call *c, const struct negotiation_local *local);

/** After joining without media: offer, that they go over the server. Once. */
void call_offer(struct call *c);

/** Send a request; its number goes into it. @return 0; -ENOTCONN; -EMSGSIZE; -ENOMEM */
MUST_USE int call_request(struct call *c, struct message *m);

/** Where we are is known now: tell a server that has to find us, by another offer. */
void call_set_candidates(struct call *c, const struct negotiation_local *local);

/** Say that we leave; CALL_ENDED follows when the server has answered. */
void call_leave(struct call *c);

/** @return where we are */
enum call_state call_state(const struct call *c);
/** @return why the call ended, one line for people; "" if it did not, or because we left */
const char *call_error(const struct call *c);
/** @return whether joining anew makes sense, once it has ended; valid as long as the call */
const struct call_rejoin *call_rejoin(const struct call *c);
/** @return how many STUN and TURN servers we were told of; *ret: valid as long as the call */
uint32_t call_ice_servers(const struct call *c, const struct message_ice_server **ret);
/** @return our participant, 0 before CALL_JOINED */
uint32_t call_you(const struct call *c);
/** @return who is in the room */
const struct roster *call_roster(const struct call *c);
/** @return what the server told of the media */
const struct bulletin *call_bulletin(const struct call *c);

#endif
