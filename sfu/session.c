#include "sfu/session.h"

#include "media/base/clock.h"
#include "media/base/mailbox.h"
#include "media/base/random.h"
#include "sfu/config.h"
#include "sfu/direct_request.h"
#include "sfu/direct_room.h"
#include "sfu/drain.h"
#include "sfu/mail.h"
#include "sfu/refuse.h"
#include "sfu/session_access.h"
#include "sfu/session_caps.h"
#include "sfu/session_internal.h"
#include "sfu/session_mute.h"
#include "sfu/session_spread.h"
#include "sfu/session_view.h"
#include "sfu/track_list.h"
#include "signaling/json_text.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    AGENT_RETRY_MS = 1000,
    MAX_OUT_BYTES = 4 * 1024 * 1024, /* one message to a client: the roster of a full room */
    LOG_BURST = 20,                  /* lines per second of joins, of leaves and of failures */
};

const char *session_kind_name(enum session_kind kind)
{
    static const char *const names[] = {
        [SESSION_WEBSOCKET] = "websocket", [SESSION_WHIP] = "whip", [SESSION_WHEP] = "whep"};

    return names[kind];
}

const char *session_state_name(enum session_state state)
{
    static const char *const names[] = {[SESSION_CONNECTED] = "connected",
                                        [SESSION_JOINED] = "joined",
                                        [SESSION_LEAVING] = "leaving"};

    return names[state];
}

void session_set_state(struct session *s, enum session_state state)
{
    assert(state > s->state);
    s->state = state;
}

int session_new(struct session **ret, struct session_host *host, enum session_kind kind,
                const struct session_sink *sink, void *peer, int64_t now_us)
{
    struct session *s = calloc(1, sizeof(*s));

    if (!s)
        return -ENOMEM;
    s->host = host;
    s->kind = kind;
    s->since_us = now_us;
    s->peer = peer;
    s->member.hidden = kind == SESSION_WHEP;
    s->sink = sink;
    random_name(s->resource, RESOURCE_LEN);
    *ret = s;
    return 0;
}

struct session *session_free(struct session *s, int64_t now_us)
{
    if (!s)
        return NULL;
    session_leave(s, "disconnected", "the connection was closed", now_us);
    list_unlink(&s->link);
    session_media_done(&s->media);
    message_quality_free(s->quality);
    free(s->token);
    event_log_done(&s->events);
    free(s);
    return NULL;
}

/* Words to the client */

void session_send(struct session *s, const struct message *m)
{
    struct text json;

    if (!s->peer)
        return;
    text_init(&json, MAX_OUT_BYTES);
    if (message_write(&json, m) == 0)
        s->sink->send(s->peer, text_str(&json), json.len);
    else
        session_close(s, CLOSE_INTERNAL, "out of memory"); /* a gap would be worse */
    text_done(&json);
}

void session_send_event(struct session *s, struct message *event)
{
    struct text json;

    event->seq = ++s->seq;
    if (s->kind != SESSION_WEBSOCKET)
        return;
    text_init(&json, MAX_OUT_BYTES);
    if (message_write(&json, event) == 0) {
        session_keep_event(s, event, text_str(&json), json.len);
        if (s->peer)
            s->sink->send(s->peer, text_str(&json), json.len);
    } else {
        session_keep_event(s, event, NULL, 0);
        session_close(s, CLOSE_INTERNAL, "out of memory");
    }
    text_done(&json);
}

void session_close(struct session *s, enum close_code code, const char *reason)
{
    if (s->peer)
        s->sink->close(s->peer, (uint16_t)code, reason);
}

void session_deliver(struct directory_member *member, struct message *event)
{
    session_send_event(session_of(member), event);
}

/* Leaving */

static void post_leave(const struct session *s)
{
    struct mail_participant *mail;

    if (s->host->stopping || !session_has_media(s)) /* MAIL_STOP says good-bye to all */
        return;
    mail = calloc(1, sizeof(*mail));
    if (!mail)
        return; /* the worker notices by silence, after 30 s */
    mail->mail.type = MAIL_LEAVE;
    mail->participant = s->member.id;
    s->host->post(s->host->owner, s->member.worker, &mail->mail);
    session_spread_leave(s);
}

/* @return true if a line may be written; says how many could not be before it */
static bool may_log(struct log_limit *limit, const char *what, int64_t now_us)
{
    uint32_t cut;

    if (!log_limit_pass(limit, now_us, LOG_BURST, &cut))
        return false;
    if (cut > 0)
        log_info("session", "lines left out: of=%s lines=%" PRIu32, what, cut);
    return true;
}

static void log_leave(struct session *s, const char *code, const char *text, int64_t now_us)
{
    char id[MESSAGE_ID_MAX];

    if (!may_log(&s->host->log_leaves, "leaves", now_us))
        return;
    log_info("session", "left: room=%s participant=%s code=%s message=\"%s\" after_s=%" PRId64,
             session_room(s), participant_id_text(s->member.id, id), code, text,
             (now_us - s->joined_us) / SECOND);
}

void session_leave(struct session *s, const char *code, const char *text, int64_t now_us)
{
    if (s->state == SESSION_LEAVING)
        return;
    if (s->state == SESSION_JOINED) {
        log_leave(s, code, text, now_us);
        post_leave(s);
        session_caps_settle(s, true);
        if (s->host->watch.left)
            s->host->watch.left(s->host->watch.owner, s, code, now_us);
        direct_request_leave(s);
        direct_room_leave(s);
        directory_leave(s->host->directory, &s->member, code, text);
    }
    session_set_state(s, SESSION_LEAVING);
}

static enum close_code close_code(const char *code)
{
    if (strcmp(code, "server_stopping") == 0)
        return CLOSE_GOING_AWAY;
    if (strcmp(code, "rate_limited") == 0 || strcmp(code, "join_timeout") == 0)
        return CLOSE_POLICY;
    return CLOSE_NORMAL;
}

void session_send_away(struct session *s, struct message *go, int64_t now_us)
{
    if (s->state == SESSION_LEAVING)
        return;
    session_leave(s, go->code, go->text, now_us);
    session_send_event(s, go);
    session_close(s, close_code(go->code), go->code);
}

void session_dismiss(struct session *s, const char *code, const char *text, int64_t now_us)
{
    struct message go = {.type = MESSAGE_GO, .action = "leave"};

    (void)snprintf(go.code, sizeof(go.code), "%s", code);
    (void)snprintf(go.text, sizeof(go.text), "%s", text);
    session_send_away(s, &go, now_us);
}

/* Joining */

static int refuse_entry(const struct session *s, int err, struct message *error)
{
    const struct config *config = s->host->config;

    switch (err) {
    case -EINVAL:
        return refuse(error, "bad_room",
                      "a room's name is 1 to %d of the characters A-Z a-z 0-9 . _ ~ -",
                      MESSAGE_ROOM_MAX);
    case -EDQUOT:
        return refuse(error, "room_full", "the room has as many participants as it may have");
    case -EUSERS:
        return refuse(error, "too_many_participants", "the server has its %" PRIu32 " participants",
                      config->max_participants);
    case -ENFILE:
        return refuse(error, "too_many_rooms", "the server has its %" PRIu32 " rooms",
                      config->max_rooms);
    default:
        return refuse_no_memory(error);
    }
}

int session_take_tracks(struct session *s, const struct session_offer *offer)
{
    struct message_track tracks[MESSAGE_MAX_TRACKS];
    uint32_t count = track_list_make(session_media_plan(&s->media), offer->tracks, offer->n_tracks,
                                     s->member.tracks, s->member.n_tracks, tracks);

    session_hold_tracks(s, tracks, count);
    return directory_set_tracks(s->host->directory, &s->member, tracks, count);
}

void session_post_plan(const struct session *s, struct mail_join *mail, enum mail_type type)
{
    mail->mail.type = (int)type;
    mail->participant = s->member.id;
    mail->room = directory_room_number(s->member.room);
    mail->deaf = !s->grants.subscribe;
    session_media_put_tracks(mail, s->member.tracks, s->member.n_tracks);
    s->host->post(s->host->owner, s->member.worker, &mail->mail);
}

int session_answer(struct session *s, const struct session_offer *offer, struct text *answer,
                   struct message *error)
{
    struct session_caps caps = {s, offer};
    struct negotiation_local local = {.cap = session_caps_fill,
                                      .may_publish = session_may_publish,
                                      .cap_owner = &caps,
                                      .rtcp_mux_only = s->kind != SESSION_WEBSOCKET};

    s->host->describe(s->host->owner, s->member.worker, &local);
    return session_media_answer(&s->media, &local, offer, answer, error);
}

bool session_has_media(const struct session *s)
{
    return session_media_plan(&s->media) != NULL;
}

static int take_agent(struct session *s, struct message *error)
{
    struct mail_agent agent;

    if (s->host->take_agent(s->host->owner, s->member.worker, &agent) < 0) {
        error->retry_after_ms = AGENT_RETRY_MS;
        return refuse(error, "busy", "the server looks for its own address; try again soon");
    }
    return session_media_use_agent(&s->media, &agent) < 0 ? refuse_no_memory(error) : 0;
}

/* In the room already. @return the mail for the worker; NULL: refused */
static struct mail_join *negotiate(struct session *s, const struct session_offer *offer,
                                   struct text *answer, struct message *error)
{
    struct mail_join *mail = NULL;

    s->media.plays_only = s->kind == SESSION_WHEP;
    if (session_media_open(&s->media, s->host->config, s->member.worker) < 0) {
        (void)refuse_no_memory(error);
        return NULL;
    }
    if (s->host->take_agent && take_agent(s, error) < 0)
        return NULL;
    if (session_answer(s, offer, answer, error) < 0 || session_check_direction(s, offer, error) < 0)
        return NULL;
    if (session_take_tracks(s, offer) < 0 || session_media_mail(&s->media, &mail) < 0)
        (void)refuse_no_memory(error);
    return mail;
}

static void log_join(struct session *s, int64_t now_us)
{
    char id[MESSAGE_ID_MAX];

    if (!may_log(&s->host->log_joins, "joins", now_us))
        return;
    log_info("session", "joined: room=%s participant=%s kind=%s tracks=%" PRIu32 " worker=%" PRIu32,
             session_room(s), participant_id_text(s->member.id, id), session_kind_name(s->kind),
             s->member.n_tracks, s->member.worker);
}

int session_start_media(struct session *s, const struct session_offer *offer, struct text *answer,
                        struct message *error)
{
    struct mail_join *mail;

    directory_place(s->host->directory, &s->member);
    mail = negotiate(s, offer, answer, error);
    if (!mail) {
        directory_unplace(s->host->directory, &s->member);
        session_media_done(&s->media);
        text_done(answer);
        return -EINVAL;
    }
    session_spread_enter(s);
    session_post_plan(s, mail, MAIL_JOIN);
    session_spread_join(s);
    session_caps_settle(s, false);
    return 0;
}

int session_join(struct session *s, const char *room, const struct session_offer *offer,
                 struct text *answer, struct message *error, int64_t now_us)
{
    int err;

    if (s->host->stopping)
        return refuse(error, "server_stopping", "the server is stopping");
    if (s->host->drain && s->host->drain->on) {
        error->retry_after_ms = DRAIN_RETRY_MS;
        return refuse(error, "server_draining", "the server is being emptied");
    }
    err = directory_enter(s->host->directory, &s->member, room);
    if (err < 0)
        return refuse_entry(s, err, error);
    if (offer && session_start_media(s, offer, answer, error) < 0) {
        directory_leave(s->host->directory, &s->member, "", "");
        return -EINVAL;
    }
    s->joined_us = now_us;
    session_set_state(s, SESSION_JOINED);
    log_join(s, now_us);
    if (s->host->watch.joined)
        s->host->watch.joined(s->host->watch.owner, s, now_us);
    return 0;
}

/* News of the worker */

/** How a peer's end is called. */
struct ending {
    const char *code, *text;
};

static const struct ending endings[] = {
    [PEER_FAILED] = {"failed", "the media connection could not be made"},
    [PEER_CLOSED] = {"left", "closed its media connection"},
    [PEER_CONSENT_LOST] = {"connection_lost", "no sign of life on the media connection"},
};

static void log_failure(struct session *s, const char *code, const char *reason, int64_t now_us)
{
    char id[MESSAGE_ID_MAX];

    if (!may_log(&s->host->log_failures, "failures", now_us))
        return;
    log_warn("session", "media ended: room=%s participant=%s code=%s reason=\"%s\"",
             session_room(s), participant_id_text(s->member.id, id), code, reason);
}

static void on_state(struct session *s, const struct mail_state *mail, int64_t now_us)
{
    const struct ending *ending = &endings[mail->state];

    if (mail->state == PEER_CONNECTED)
        return;
    if (mail->state != PEER_CLOSED)
        log_failure(s, ending->code, mail->reason, now_us);
    session_dismiss(s, ending->code, mail->reason[0] ? mail->reason : ending->text, now_us);
}

static void on_slots(struct session *s, const struct mail_slots *mail)
{
    struct message slots = {
        .type = MESSAGE_SLOTS,
        .epoch = mail->epoch,
        .n_slots = mail->n_slots,
        .slots = mail->slots, /* borrowed: no message_done() */
    };

    session_send_event(s, &slots);
}

static void on_need(struct session *s, const struct mail_need *mail)
{
    struct message need = {
        .type = MESSAGE_NEED, .need_audio = mail->audio, .need_video = mail->video};

    session_send_event(s, &need);
}

void session_mail(struct session *s, struct mail *mail, int64_t now_us)
{
    if (s->state != SESSION_JOINED)
        return;
    if (mail->type == MAIL_STATE)
        on_state(s, CONTAINER_OF(mail, struct mail_state, mail), now_us);
    else if (mail->type == MAIL_SLOTS)
        on_slots(s, CONTAINER_OF(mail, struct mail_slots, mail));
    else if (mail->type == MAIL_NEED)
        on_need(s, CONTAINER_OF(mail, struct mail_need, mail));
    else
        session_tell_media(s, mail);
}

/* What others may know */

struct session *session_of(struct directory_member *member)
{
    return CONTAINER_OF(member, struct session, member);
}

struct session_host *session_host(const struct session *s)
{
    return s->host;
}

struct list *session_link(struct session *s)
{
    return &s->link;
}

struct session *session_of_link(struct list *link)
{
    return CONTAINER_OF(link, struct session, link);
}

enum session_kind session_kind(const struct session *s)
{
    return s->kind;
}

enum session_state session_state(const struct session *s)
{
    return s->state;
}

int64_t session_since_us(const struct session *s)
{
    return s->since_us;
}

const struct directory_member *session_member(const struct session *s)
{
    return &s->member;
}

uint32_t session_participant(const struct session *s)
{
    return s->member.id;
}

const char *session_room(const struct session *s)
{
    return s->member.room ? directory_room_name(s->member.room) : "";
}

const struct message_quality *session_quality(const struct session *s)
{
    return s->quality;
}

const char *session_resource(const struct session *s)
{
    return s->resource;
}
