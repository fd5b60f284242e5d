#include "sfu/whip.h"

#include "media/base/text.h"
#include "sfu/refuse.h"
#include "sfu/session.h"
#include "signaling/negotiation.h"

#include <stdio.h>
#include <string.h>

enum {
    PATH_MAX_LEN = sizeof("/whip//") + MESSAGE_ROOM_MAX + 64,
    STATUS_OK = 200,
    STATUS_BAD_REQUEST = 400,
    STATUS_UNAUTHORIZED = 401,
    STATUS_FORBIDDEN = 403,
    STATUS_NOT_FOUND = 404,
    STATUS_TOO_LARGE = 413,
    STATUS_UNPROCESSABLE = 422,
    STATUS_UNAVAILABLE = 503,
};

static const char *media_name(enum http_media media)
{
    return media == HTTP_WHIP ? "whip" : "whep";
}

void whip_init(struct whip *w, struct session_host *host)
{
    w->host = host;
    map_init(&w->resources);
}

void whip_done(struct whip *w, int64_t now_us)
{
    struct session *s;
    size_t cursor;

    for (;;) {
        cursor = 0;
        s = map_next(&w->resources, &cursor);
        if (!s)
            break;
        session_dismiss(s, "server_stopping", "the server is stopping", now_us);
        whip_reap(w, s, now_us);
    }
    map_done(&w->resources);
}

uint32_t whip_count(const struct whip *w)
{
    return (uint32_t)map_count(&w->resources);
}

/* What a refusal is in HTTP. Everything not listed is the SDP's fault. */
static int status_of(const char *code)
{
    static const struct {
        const char *code;
        int status;
    } statuses[] = {
        {"bad_room", STATUS_BAD_REQUEST},          {"room_full", STATUS_UNAVAILABLE},
        {"too_many_rooms", STATUS_UNAVAILABLE},    {"too_many_participants", STATUS_UNAVAILABLE},
        {"server_stopping", STATUS_UNAVAILABLE},   {"overloaded", STATUS_UNAVAILABLE},
        {"sdp_too_large", STATUS_TOO_LARGE},       {"nothing_to_publish", STATUS_UNPROCESSABLE},
        {"nothing_to_play", STATUS_UNPROCESSABLE}, {"bad_direction", STATUS_UNPROCESSABLE},
        {"token_missing", STATUS_UNAUTHORIZED},    {"token_bad", STATUS_UNAUTHORIZED},
        {"token_expired", STATUS_UNAUTHORIZED},    {"token_not_yet", STATUS_FORBIDDEN},
        {"token_room", STATUS_FORBIDDEN},          {"not_allowed", STATUS_FORBIDDEN},
        {"server_draining", STATUS_UNAVAILABLE},
    };

    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        if (strcmp(statuses[i].code, code) == 0)
            return statuses[i].status;
    }
    return STATUS_BAD_REQUEST;
}

static void reply_refusal(struct http_exchange *x, const struct message *error)
{
    http_reply_problem(x, status_of(error->code), error->code, error->text);
}

void whip_post(struct whip *w, struct http_exchange *x, enum http_media media, const char *room,
               const struct session_offer *offer, int64_t now_us)
{
    struct session *s = NULL;
    struct message error = {0};
    char location[PATH_MAX_LEN];
    char name[MESSAGE_NAME_MAX + 1];
    char token[MESSAGE_TOKEN_MAX + 1];
    struct text answer;
    int err;

    text_init(&answer, SDP_MAX_BYTES);
    err = session_new(&s, w->host, media == HTTP_WHIP ? SESSION_WHIP : SESSION_WHEP, NULL, NULL,
                      now_us);
    if (err == 0)
        err = map_put_str(&w->resources, session_resource(s), s);
    if (err < 0)
        (void)refuse_no_memory(&error);
    if (err == 0) {
        http_exchange_token(x, token, sizeof(token));
        session_set_token(s, token);
        http_exchange_parameter(x, "name", name, sizeof(name));
        session_set_name(s, name);
        err = session_post(s, room, offer, &answer, &error, now_us);
    }
    if (err < 0) {
        reply_refusal(x, &error);
        goto fail;
    }
    (void)snprintf(location, sizeof(location), "/%s/%s/%s", media_name(media), room,
                   session_resource(s));
    http_reply_created(x, location, text_str(&answer));
    text_done(&answer);
    return;
fail:
    if (s)
        (void)map_remove_str(&w->resources, session_resource(s));
    session_free(s, now_us);
    text_done(&answer);
}

void whip_delete(struct whip *w, struct http_exchange *x, enum http_media media, const char *room,
                 const char *resource, int64_t now_us)
{
    enum session_kind kind = media == HTTP_WHIP ? SESSION_WHIP : SESSION_WHEP;
    struct session *s = map_get_str(&w->resources, resource);

    if (!s || session_kind(s) != kind || strcmp(session_room(s), room) != 0) {
        http_reply_problem(x, STATUS_NOT_FOUND, "unknown_resource",
                           "no such session, or it has ended");
        return;
    }
    session_leave(s, "left", "left the room", now_us);
    whip_reap(w, s, now_us);
    http_reply_empty(x, STATUS_OK);
}

void whip_reap(struct whip *w, struct session *s, int64_t now_us)
{
    if (session_kind(s) == SESSION_WEBSOCKET || session_state(s) != SESSION_LEAVING)
        return;
    (void)map_remove_str(&w->resources, session_resource(s));
    session_free(s, now_us);
}
