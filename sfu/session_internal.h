/**
 * @file session_internal.h  What session.c and session_request.c share; nobody else includes it.
 */
#ifndef SFU_SESSION_INTERNAL_H
#define SFU_SESSION_INTERNAL_H

#include "media/base/token_bucket.h"
#include "sfu/event_log.h"
#include "sfu/session.h"
#include "sfu/session_limits.h"
#include "sfu/session_media.h"
#include "signaling/grants.h"

enum {
    RESOURCE_LEN = 24, /* of [A-Za-z0-9]: nobody guesses it */
};

/** Close codes of RFC 6455 section 7.4. */
enum close_code {
    CLOSE_NORMAL = 1000,
    CLOSE_GOING_AWAY = 1001,
    CLOSE_POLICY = 1008,
    CLOSE_INTERNAL = 1011,
};

struct session {
    struct session_host *host;
    enum session_kind kind;
    enum session_state state;
    const struct session_sink *sink; /* NULL for WHIP and WHEP */
    void *peer;                      /* NULL: no WebSocket, not any more or never one */
    struct list link;
    struct directory_member member;
    struct session_media media;
    char *token; /* that its connection came with; NULL: none */
    struct grants grants;
    char resource[RESOURCE_LEN + 1];
    uint32_t held; /* a set of 1 << enum media_kind: what it may not unmute itself */
    uint64_t seq;
    struct event_log events; /* that it may have to be told again */
    int64_t peer_us;         /* when its WebSocket was last asked what has arrived, or was lost */
    int64_t since_us, joined_us;
    struct session_rates rates;
    struct token_bucket relay; /* bytes to the other one of a direct call */
    uint32_t bad_resumes;
    struct message_quality *quality; /* what the worker said last; NULL: nothing yet */
};

/** Send `m` as it is; nothing happens without a sink. */
void session_send(struct session *s, const struct message *m);

/** Answer the request `id`. */
void session_send_ok(struct session *s, uint64_t id);
void session_send_error(struct session *s, uint64_t id, struct message *error);

/** Number `event` and send it; keep it, where a resume would need it. */
void session_send_event(struct session *s, struct message *event);

/** Close the WebSocket, if there is one. */
void session_close(struct session *s, enum close_code code, const char *reason);

/** Move down the list of states. */
void session_set_state(struct session *s, enum session_state state);

/** Keep the event [len bytes of JSON, NULL: it could not be written] for a resume, if it counts. */
void session_keep_event(struct session *s, const struct message *event, const char *json,
                        size_t len);

/** Fill in what the client needs to come back; nothing if it may not. */
void session_describe(const struct session *s, struct message_session *ret);

/** Fill in m->ice_servers, with passwords that hold from now on. */
void session_fill_relays(const struct session *s, struct message *m, int64_t now_us);

/** Request `resume` of a WebSocket whose own session `s` is in no room: give it the session that it
 *  asks for, or refuse. */
void session_resume(struct session *s, const struct message *m, int64_t now_us);

/** Post the plan and tracks of `s`, which is in a room. `mail` is the worker's from here. */
void session_post_plan(const struct session *s, struct mail_join *mail, enum mail_type type);

/** Let the directory, and so the others, know what the last answer and the client's words say.
 *  @return 0; -ENOMEM */
MUST_USE int session_take_tracks(struct session *s, const struct session_offer *offer);

/** Answer an offer in the room, as session_media_answer() does. @return 0; -EINVAL: `error` */
MUST_USE int session_answer(struct session *s, const struct session_offer *offer,
                            struct text *answer, struct message *error);

/** @return true if it has offered: there is a plan, and a worker knows of it */
bool session_has_media(const struct session *s);

/**
 * Answer the first offer and tell the worker.
 *
 * @param answer  receives the SDP; empty on failure
 * @return 0; -EINVAL: `error` says why, and nothing has changed
 */
MUST_USE int session_start_media(struct session *s, const struct session_offer *offer,
                                 struct text *answer, struct message *error);

/** What a POST offers is for one direction, and taken whole. @return 0; -EINVAL: `error` */
MUST_USE int session_check_direction(const struct session *s, const struct session_offer *offer,
                                     struct message *error);

/**
 * Enter the room, answer the offer and tell the worker. The others are not told yet: first the
 * client gets its snapshot of the room.
 *
 * @param offer   NULL: there will be no media, for now
 * @param answer  receives the SDP; empty on failure
 * @return 0; -EINVAL: `error` says why, and nothing has changed
 */
MUST_USE int session_join(struct session *s, const char *room, const struct session_offer *offer,
                          struct text *answer, struct message *error, int64_t now_us);

#endif
