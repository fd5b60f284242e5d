/**
 * @file session.h  The signaling side of a participant: what a WebSocket, a WHIP or a WHEP client
 * asks for, and what it is told. No I/O: it speaks through two small tables.
 *
 * A session outlives its WebSocket: when that is lost, the participant stays for
 * `resume_timeout_s`, and another WebSocket may take it over with its id and secret
 * (session_resume.c).
 *
 * A WHIP or WHEP session has no sink: it joins with its POST and ends with its DELETE or when the
 * worker says so. Nothing here frees a session but its owner, and no function of the tables is
 * called by session_free(). Thread: control.
 */
#ifndef SFU_SESSION_H
#define SFU_SESSION_H

#include "media/base/attributes.h"
#include "media/base/clock.h"
#include "media/base/list.h"
#include "media/base/log.h"
#include "media/base/text.h"
#include "sfu/directory.h"
#include "signaling/message.h"
#include "signaling/negotiation.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct access;
struct config;
struct direct_calls;
struct drain;
struct grants;
struct limits;
struct mail;
struct mail_agent;
struct session_offer;

enum session_kind {
    SESSION_WEBSOCKET,
    SESSION_WHIP, /* publishes only */
    SESSION_WHEP, /* plays only, and the others are not told of it */
};
const char *session_kind_name(enum session_kind kind);

/** Moves down this list only. */
enum session_state {
    SESSION_CONNECTED, /* in no room yet */
    SESSION_JOINED,
    SESSION_LEAVING, /* said good-bye; wants to be freed, once its WebSocket is closed if it has one
                      */
};
const char *session_state_name(enum session_state state);

struct session;

/** Who wants to know of participants. All or none are set; nothing may be done to `s` from inside.
 */
struct session_watch {
    void *owner;
    void (*joined)(void *owner, const struct session *s, int64_t now_us);
    /** What it publishes may have changed. */
    void (*published)(void *owner, const struct session *s, int64_t now_us);
    /** It is still in its room. @param code  as in `participant` of docs/PROTOCOL.md */
    void (*left)(void *owner, const struct session *s, const char *code, int64_t now_us);
};

/** The server, as far as sessions know it; shared by all of them. */
struct session_host {
    struct directory *directory;
    struct direct_calls *calls;
    const struct config *config;
    struct limits *limits;     /* NULL: none */
    struct access *access;     /* NULL: everybody may come */
    const struct drain *drain; /* NULL: never */
    bool stopping;             /* nobody may join any more */
    int64_t wall_offset_us;    /* wall-clock time, less now_us: for what expires */
    void *owner;
    /** Hand `mail` to a worker. Owned by the callee. */
    void (*post)(void *owner, uint32_t worker, struct mail *mail);
    /** Fill in what peers of this worker need to know: fingerprint, ice_lite and candidates. */
    void (*describe)(void *owner, uint32_t worker, struct negotiation_local *ret);
    struct session_watch watch;
    /** Give away an ICE agent of this worker that waits for a peer. NULL: all is ICE-lite.
     *  @return 0; -EAGAIN: none waits now */
    int (*take_agent)(void *owner, uint32_t worker, struct mail_agent *ret);
    struct log_limit log_joins, log_leaves, log_failures, log_resumes;
};

/** @return Unix time, for what expires */
static inline int64_t session_host_wall_s(const struct session_host *host, int64_t now_us)
{
    return (now_us + host->wall_offset_us) / SECOND;
}

/** The WebSocket. */
struct session_sink {
    void (*send)(void *peer, const char *json, size_t len);
    /** Close after everything sent is out. */
    void (*close)(void *peer, uint16_t code, const char *reason);
    /** Ask whether all that was sent has arrived: session_confirm() with this number. */
    void (*ping)(void *peer, uint64_t number);
    /** What `peer` says is for `s` from now on; NULL: for nobody. If it was another session's, that
     *  one is over, and the caller of session_receive() frees it. */
    void (*adopt)(void *peer, struct session *s);
};

/**
 * @param host  borrowed: must outlive the session
 * @param sink  borrowed: must outlive the session; NULL for WHIP and WHEP
 * @return 0; -ENOMEM
 */
MUST_USE int session_new(struct session **ret, struct session_host *host, enum session_kind kind,
                         const struct session_sink *sink, void *peer, int64_t now_us);

/** Leave if that was not done (as disconnected), and free. NULL is fine. @return NULL */
struct session *session_free(struct session *s, int64_t now_us);

/** One text frame [len bytes, NUL-terminated] of the WebSocket. */
void session_receive(struct session *s, const char *json, size_t len, int64_t now_us);

/** Before it joins: the token that its connection or POST came with; a token in `join` goes over
 * it. Copied; NULL or "": none. Without memory for it there is none, and so no admission. */
void session_set_token(struct session *s, const char *token);

/** About once a second: give the client a new token if its own expires soon and we can make one. */
void session_renew_token(struct session *s, int64_t now_us);

/** @return what it may do, as its token says; nothing before it joins. The session's */
const struct grants *session_grants(const struct session *s);

/** Before session_post(): what the others shall call the participant. "": by kind and resource. */
void session_set_name(struct session *s, const char *name);

/**
 * Join by POST (WHIP, WHEP).
 *
 * @param answer  receives the SDP answer; empty on failure
 * @param error   on failure: code and text
 * @return 0; -EINVAL: `error` says why
 */
MUST_USE int session_post(struct session *s, const char *room, const struct session_offer *offer,
                          struct text *answer, struct message *error, int64_t now_us);

/** @return true if these are the client's ICE credentials, as last told */
bool session_knows_ice(const struct session *s, const char *ufrag, const char *pwd);

/**
 * A session that has joined restarts ICE without an offer (RFC 9725 section 4.3.3): these are the
 * client's new credentials.
 *
 * @param fragment  receives ours, and our candidates, as application/trickle-ice-sdpfrag
 * @return 0; -EINVAL: `error` says why, and the path stays
 */
MUST_USE int session_restart_ice(struct session *s, const char *ufrag, const char *pwd,
                                 struct text *fragment, struct message *error);

/** MAIL_STATE, MAIL_SLOTS, MAIL_NEED, MAIL_STREAM, MAIL_WANT or MAIL_QUALITY for this participant;
 *  borrowed. */
void session_mail(struct session *s, struct mail *mail, int64_t now_us);

/**
 * The WebSocket is gone.
 *
 * @param on_purpose  the client closed it, and did not just lose it
 * @return true: the session waits for another one; false: it is over, free it
 */
MUST_USE bool session_detach(struct session *s, bool on_purpose, int64_t now_us);

/** The WebSocket has everything up to the event with this number. */
void session_confirm(struct session *s, uint64_t seq);

/** Do what is due; call it about once per second.
 *  @return true: it has no WebSocket and will get none: free it */
MUST_USE bool session_advance(struct session *s, int64_t now_us);

/** Take the participant out of its room, telling the others `code` and `text` but itself nothing:
 *  it asked for it, or is gone. Nothing happens after the first time. */
void session_leave(struct session *s, const char *code, const char *text, int64_t now_us);

/** Take it out as session_leave() does for go->code and go->text, tell it `go` (of which nothing is
 *  kept) and close its WebSocket. */
void session_send_away(struct session *s, struct message *go, int64_t now_us);

/** Take it out as session_leave() does, tell it `go{leave}` and close its WebSocket. */
void session_dismiss(struct session *s, const char *code, const char *text, int64_t now_us);

/** The session of a member that the directory gave. */
struct session *session_of(struct directory_member *member);

/** Give `event` to the client, numbered. The directory's deliver function. */
void session_deliver(struct directory_member *member, struct message *event);

/** @return what kind of client it is, and how far it has come */
enum session_kind session_kind(const struct session *s);
enum session_state session_state(const struct session *s);
/** @return when it was made [us] */
int64_t session_since_us(const struct session *s);
/** @return it, as the directory knows it. The session's */
const struct directory_member *session_member(const struct session *s);
/** @return its number, 0 while in no room */
uint32_t session_participant(const struct session *s);
/** @return its room's name, "" while in no room */
const char *session_room(const struct session *s);
/** @return how well it goes, as the worker said last; NULL: it has not yet. The session's */
const struct message_quality *session_quality(const struct session *s);
/** @return random name of a WHIP or WHEP resource; of others the secret that resumes them */
const char *session_resource(const struct session *s);
/** @return the server it was made for */
struct session_host *session_host(const struct session *s);
/** @return its link in a list of its owner */
struct list *session_link(struct session *s);
/** @return the session of such a link */
struct session *session_of_link(struct list *link);

#endif
