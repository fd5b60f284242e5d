#include "sfu/session_internal.h"

#include "media/base/clock.h"
#include "sfu/config.h"
#include "sfu/direct_request.h"
#include "sfu/direct_room.h"
#include "sfu/drain.h"
#include "sfu/ice_servers.h"
#include "sfu/mail.h"
#include "sfu/refuse.h"
#include "sfu/session_access.h"
#include "sfu/session_caps.h"
#include "sfu/session_mute.h"
#include "sfu/session_spread.h"
#include "sfu/session_view.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a WebSocket asks for. */

void session_send_error(struct session *s, uint64_t id, struct message *error)
{
    error->type = MESSAGE_ERROR;
    error->id = id;
    session_send(s, error);
}

void session_send_ok(struct session *s, uint64_t id)
{
    session_send(s, &(struct message){.type = MESSAGE_OK, .id = id});
}

static struct session_offer offer_of(const struct message *m)
{
    return (struct session_offer){
        .sdp = m->sdp ? m->sdp : "",
        .len = m->sdp ? strlen(m->sdp) : 0,
        .tracks = m->track_offers,
        .n_tracks = m->n_track_offers,
    };
}

static void put_own_tracks(const struct session *s, struct message *m)
{
    m->n_tracks = s->member.n_tracks;
    if (m->n_tracks > 0) /* else there is no list */
        memcpy(m->tracks, s->member.tracks, m->n_tracks * sizeof(m->tracks[0]));
}

void session_fill_relays(const struct session *s, struct message *m, int64_t now_us)
{
    char id[MESSAGE_ID_MAX];
    const char *identity = s->grants.identity[0] ? s->grants.identity
                                                 : participant_id_text(s->member.id, id);

    m->n_ice_servers = ice_servers_fill(s->host->config, identity,
                                        session_host_wall_s(s->host, now_us), m->ice_servers);
}

static void send_joined(struct session *s, uint64_t id, struct text *answer, int64_t now_us)
{
    struct message joined = {.type = MESSAGE_JOINED, .id = id, .you = s->member.id};

    (void)snprintf(joined.room, sizeof(joined.room), "%s", session_room(s));
    put_own_tracks(s, &joined);
    joined.limits = (struct message_limits){
        .audio_slots = s->host->config->max_audio_slots,
        .video_slots = s->host->config->max_video_slots,
        .tracks = s->host->config->max_tracks,
    };
    session_caps_limits(s, &joined.limits);
    direct_room_describe(s, &joined.call);
    session_fill_relays(s, &joined, now_us);
    session_describe(s, &joined.session);
    joined.sdp = session_has_media(s) ? text_take(answer) : NULL;
    if ((joined.sdp || !session_has_media(s)) && directory_roster(&s->member, &joined) == 0)
        session_send_event(s, &joined);
    else
        session_close(s, CLOSE_INTERNAL, "out of memory");
    message_done(&joined);
}

/* Nobody new is let in, but another server would. */
static void send_elsewhere(struct session *s, int64_t now_us)
{
    struct message go = {.type = MESSAGE_GO, .action = "redirect", .code = "drained"};

    (void)snprintf(go.url, sizeof(go.url), "%s", s->host->drain->redirect_url);
    session_send_away(s, &go, now_us);
}

static void on_join(struct session *s, const struct message *m, int64_t now_us)
{
    struct session_offer offer = offer_of(m);
    struct message error = {0};
    struct text answer;
    int err;

    text_init(&answer, SDP_MAX_BYTES);
    memcpy(s->member.name, m->name, sizeof(s->member.name));
    err = session_admit(s, m->token, m->room, now_us, &error);
    if (err == 0)
        err = session_join(s, m->room, m->sdp ? &offer : NULL, &answer, &error, now_us);
    if (err < 0 && strcmp(error.code, "server_draining") == 0 && s->host->drain->redirect_url[0]) {
        send_elsewhere(s, now_us);
        return;
    }
    if (err < 0) {
        session_send_error(s, m->id, &error);
        return;
    }
    direct_room_enter(s, (enum room_mode)m->call.mode);
    send_joined(s, m->id, &answer, now_us);
    directory_announce(s->host->directory, &s->member);
}

/* Other requests */

static int answer_again(struct session *s, const struct session_offer *offer, struct text *answer,
                        struct message *error)
{
    bool published = s->member.n_tracks > 0;
    struct mail_join *mail = NULL;

    if (session_answer(s, offer, answer, error) < 0)
        return -EINVAL;
    if (session_take_tracks(s, offer) < 0 || session_media_mail(&s->media, &mail) < 0)
        return refuse_no_memory(error);
    session_post_plan(s, mail, MAIL_UPDATE);
    session_spread_update(s, published);
    session_caps_settle(s, false);
    return 0;
}

/* The first one of somebody who has joined without. */
static int answer_first(struct session *s, const struct session_offer *offer, struct text *answer,
                        struct message *error)
{
    int err = session_start_media(s, offer, answer, error);

    if (err == 0)
        direct_room_offered(s);
    return err;
}

static void on_offer(struct session *s, const struct message *m, int64_t now_us)
{
    struct message reply = {.type = MESSAGE_ANSWER, .id = m->id, .n = m->n};
    struct session_offer offer = offer_of(m);
    struct message error = {0};
    struct text answer;
    int err;

    text_init(&answer, SDP_MAX_BYTES);
    err = session_has_media(s) ? answer_again(s, &offer, &answer, &error)
                               : answer_first(s, &offer, &answer, &error);
    if (err < 0) {
        text_done(&answer);
        session_send_error(s, m->id, &error);
        return;
    }
    if (s->host->watch.published)
        s->host->watch.published(s->host->watch.owner, s, now_us);
    put_own_tracks(s, &reply);
    reply.sdp = text_take(&answer);
    session_send_event(s, &reply);
    message_done(&reply);
}

static void reply(struct session *s, const struct message *m, int err, struct message *error)
{
    if (err < 0)
        session_send_error(s, m->id, error);
    else
        session_send_ok(s, m->id);
}

static void on_mute(struct session *s, const struct message *m, int64_t now_us)
{
    struct message error = {0};
    char id[MESSAGE_ID_MAX];
    int err = session_mute(s, m->track.id, m->track.muted, false);

    (void)now_us;
    if (err == -ENOENT) {
        (void)refuse(&error, "unknown_track", "%s is not one of your tracks",
                     track_id_text(m->track.id, id));
    } else if (err == -EPERM) {
        (void)refuse(&error, "held", "whoever runs the server wants you to be muted");
    } else if (err < 0) {
        (void)refuse_no_memory(&error);
    }
    reply(s, m, err, &error);
}

static void on_view(struct session *s, const struct message *m, int64_t now_us)
{
    struct message error = {0};

    (void)now_us;
    reply(s, m, session_view(s, m, &error), &error);
}

static void on_subscribe(struct session *s, const struct message *m, int64_t now_us)
{
    struct message error = {0};

    (void)now_us;
    reply(s, m, session_subscribe(s, m->track.id, m->type == MESSAGE_SUBSCRIBE, &error), &error);
}

static void on_ping(struct session *s, const struct message *m, int64_t now_us)
{
    (void)now_us;
    session_send(s, &(struct message){.type = MESSAGE_PONG, .id = m->id});
}

static void on_leave(struct session *s, const struct message *m, int64_t now_us)
{
    session_leave(s, "left", "left the room", now_us);
    session_send_ok(s, m->id);
    session_close(s, CLOSE_NORMAL, "left");
}

/** What a client must have for a request. */
enum request_need {
    NEEDS_NOTHING,
    NEEDS_ROOM,
    NEEDS_MEDIA, /* has sent an offer */
};

/** What a client may ask, and in which state. */
struct request {
    enum message_type type;
    enum request_need need;
    void (*serve)(struct session *s, const struct message *m, int64_t now_us);
};

static const struct request requests[] = {
    {MESSAGE_JOIN, NEEDS_NOTHING, on_join},
    {MESSAGE_OFFER, NEEDS_ROOM, on_offer},
    {MESSAGE_MUTE, NEEDS_ROOM, on_mute},
    {MESSAGE_PING, NEEDS_NOTHING, on_ping},
    {MESSAGE_LEAVE, NEEDS_NOTHING, on_leave},
    {MESSAGE_VIEW, NEEDS_MEDIA, on_view},
    {MESSAGE_SUBSCRIBE, NEEDS_MEDIA, on_subscribe},
    {MESSAGE_UNSUBSCRIBE, NEEDS_MEDIA, on_subscribe},
    {MESSAGE_CALL, NEEDS_ROOM, direct_request_call},
    {MESSAGE_RINGING, NEEDS_ROOM, direct_request_act},
    {MESSAGE_ACCEPT, NEEDS_ROOM, direct_request_act},
    {MESSAGE_REJECT, NEEDS_ROOM, direct_request_act},
    {MESSAGE_CANCEL, NEEDS_ROOM, direct_request_act},
    {MESSAGE_END, NEEDS_ROOM, direct_request_act},
    {MESSAGE_RELAY, NEEDS_ROOM, direct_request_relay},
    {MESSAGE_RESUME, NEEDS_NOTHING, session_resume},
};

static const struct request *find_request(enum message_type type)
{
    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        if (requests[i].type == type)
            return &requests[i];
    }
    return NULL;
}

/* @return the request, or NULL: it cannot be served, and `error` says why */
static const struct request *admit(const struct session *s, const struct message *m,
                                   struct message *error)
{
    const struct request *request = find_request(m->type);

    if (!request) {
        (void)refuse(error, "unknown_type", "there is no request of type \"%s\"", m->type_name);
        return NULL;
    }
    if (request->need >= NEEDS_ROOM && s->state != SESSION_JOINED) {
        (void)refuse(error, "not_joined", "join a room first");
        return NULL;
    }
    if (request->need >= NEEDS_MEDIA && !session_has_media(s)) {
        (void)refuse(error, "no_offer", "you have no media: send an offer first");
        return NULL;
    }
    if ((m->type == MESSAGE_JOIN || m->type == MESSAGE_RESUME) && s->state == SESSION_JOINED) {
        (void)refuse(error, "already_joined", "you are in room %s; leave it first",
                     session_room(s));
        return NULL;
    }
    return request;
}

static void serve(struct session *s, const struct message *m, int64_t now_us)
{
    struct message error = {0};
    const struct request *request = admit(s, m, &error);

    if (!request)
        session_send_error(s, m->id, &error);
    else if (session_limits_request(s, m, now_us))
        request->serve(s, m, now_us);
}

void session_receive(struct session *s, const char *json, size_t len, int64_t now_us)
{
    struct message error = {0};
    struct message m;

    if (s->state == SESSION_LEAVING)
        return;
    if (!session_limits_frame(s, json, len, now_us))
        return;
    if (message_parse(&m, json, len, &error) < 0) {
        session_send(s, &error);
        return;
    }
    serve(s, &m, now_us);
    message_done(&m);
}
