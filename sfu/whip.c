#include "sfu/whip.h"

#include "media/base/random.h"
#include "media/base/text.h"
#include "sfu/access.h"
#include "sfu/ice_servers.h"
#include "sfu/limits.h"
#include "sfu/refuse.h"
#include "sfu/session.h"
#include "sfu/session_limits.h"
#include "sfu/whip_internal.h"
#include "signaling/negotiation.h"
#include "signaling/sdp_fragment.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PATH_MAX_LEN = sizeof("/whip//") + MESSAGE_ROOM_MAX + 64,
    STATUS_OK = 200,
    STATUS_NO_CONTENT = 204,
    STATUS_BAD_REQUEST = 400,
    STATUS_UNAUTHORIZED = 401,
    STATUS_FORBIDDEN = 403,
    STATUS_NOT_FOUND = 404,
    STATUS_CONFLICT = 409,
    STATUS_PRECONDITION_FAILED = 412,
    STATUS_TOO_LARGE = 413,
    STATUS_UNPROCESSABLE = 422,
    STATUS_PRECONDITION_REQUIRED = 428,
    STATUS_TOO_MANY = 429,
    STATUS_UNAVAILABLE = 503,
};

static const char *media_name(enum http_media media)
{
    return media == HTTP_WHIP ? "whip" : "whep";
}

static enum session_kind kind_of(enum http_media media)
{
    return media == HTTP_WHIP ? SESSION_WHIP : SESSION_WHEP;
}

static enum access_want want_of(enum http_media media)
{
    return media == HTTP_WHIP ? ACCESS_WHIP : ACCESS_WHEP;
}

static struct whip_resource *resource_free(struct whip_resource *r, int64_t now_us)
{
    if (!r)
        return NULL;
    whip_events_done(r);
    session_free(r->session, now_us);
    free(r);
    return NULL;
}

static struct whip_resource *resource_new(struct whip *w, enum http_media media, int64_t now_us)
{
    struct whip_resource *r = calloc(1, sizeof(*r));

    if (!r)
        return NULL;
    list_init(&r->streams);
    random_name(r->etag, WHIP_ETAG_LEN);
    if (session_new(&r->session, w->host, kind_of(media), NULL, NULL, now_us) == 0 &&
        map_put_str(&w->resources, session_resource(r->session), r) == 0)
        return r;
    return resource_free(r, now_us);
}

static void drop(struct whip *w, struct whip_resource *r, int64_t now_us)
{
    (void)map_remove_str(&w->resources, session_resource(r->session));
    resource_free(r, now_us);
}

void whip_init(struct whip *w, struct session_host *host)
{
    w->host = host;
    map_init(&w->resources);
}

void whip_done(struct whip *w, int64_t now_us)
{
    struct whip_resource *r;
    size_t cursor;

    for (;;) {
        cursor = 0;
        r = map_next(&w->resources, &cursor);
        if (!r)
            break;
        session_dismiss(r->session, "server_stopping", "the server is stopping", now_us);
        drop(w, r, now_us);
    }
    map_done(&w->resources);
}

uint32_t whip_count(const struct whip *w)
{
    return (uint32_t)map_count(&w->resources);
}

void whip_tick(struct whip *w, int64_t now_us)
{
    struct whip_resource *r;
    size_t cursor = 0;

    while ((r = map_next(&w->resources, &cursor)) != NULL)
        whip_events_tick(w, r, now_us);
}

void whip_reap(struct whip *w, struct session *s, int64_t now_us)
{
    struct whip_resource *r;

    if (session_kind(s) == SESSION_WEBSOCKET || session_state(s) != SESSION_LEAVING)
        return;
    r = map_get_str(&w->resources, session_resource(s));
    if (r)
        drop(w, r, now_us);
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
        {"section_refused", STATUS_UNPROCESSABLE}, {"too_many_streams", STATUS_CONFLICT},
        {"unknown_layer", STATUS_CONFLICT},        {"unknown_slot", STATUS_UNPROCESSABLE},
        {"token_missing", STATUS_UNAUTHORIZED},    {"token_bad", STATUS_UNAUTHORIZED},
        {"token_expired", STATUS_UNAUTHORIZED},    {"token_not_yet", STATUS_FORBIDDEN},
        {"token_room", STATUS_FORBIDDEN},          {"not_allowed", STATUS_FORBIDDEN},
        {"server_draining", STATUS_UNAVAILABLE},   {"rate_limited", STATUS_TOO_MANY},
    };

    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        if (strcmp(statuses[i].code, code) == 0)
            return statuses[i].status;
    }
    return STATUS_BAD_REQUEST;
}

void whip_reply_refusal(struct http_exchange *x, const struct message *error)
{
    if (error->retry_after_ms > 0)
        http_exchange_retry_after(x, error->retry_after_ms);
    http_reply_problem(x, status_of(error->code), error->code, error->text);
}

/* RFC 9725 section 4.6: a Link for each URL. */
static void add_ice_servers(const struct whip *w, struct http_exchange *x, const char *identity,
                            int64_t now_us)
{
    struct message_ice_server servers[MESSAGE_MAX_ICE_SERVERS];
    uint32_t n = ice_servers_fill(w->host->config, identity, session_host_wall_s(w->host, now_us),
                                  servers);

    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t j = 0; j < servers[i].n_urls; j++) {
            struct http_link link = {.uri = servers[i].urls[j],
                                     .rel = "ice-server",
                                     .username = servers[i].username,
                                     .credential = servers[i].credential};

            http_exchange_link(x, &link);
        }
    }
}

/* What an answer says of a session that was made. */
static void reply_created(const struct whip *w, struct http_exchange *x,
                          const struct whip_resource *r, const char *answer, int64_t now_us)
{
    enum http_media media = session_kind(r->session) == SESSION_WHIP ? HTTP_WHIP : HTTP_WHEP;
    char location[PATH_MAX_LEN];

    (void)snprintf(location, sizeof(location), "/%s/%s/%s", media_name(media),
                   session_room(r->session), session_resource(r->session));
    add_ice_servers(w, x, session_grants(r->session)->identity, now_us);
    if (media == HTTP_WHEP)
        whip_events_link(x, location);
    http_reply_created(x, location, r->etag, answer);
}

/* What the header and the query say of who comes. */
static void introduce(struct session *s, const struct http_exchange *x)
{
    char name[MESSAGE_NAME_MAX + 1];
    char token[MESSAGE_TOKEN_MAX + 1];

    http_exchange_token(x, token, sizeof(token));
    session_set_token(s, token);
    session_limits_set_address(s, http_exchange_address(x));
    http_exchange_parameter(x, "name", name, sizeof(name));
    session_set_name(s, name);
}

void whip_post(struct whip *w, struct http_exchange *x, enum http_media media, const char *room,
               const struct session_offer *offer, int64_t now_us)
{
    struct whip_resource *r = resource_new(w, media, now_us);
    struct message error = {0};
    struct text answer;

    if (!r) {
        (void)refuse_no_memory(&error);
        whip_reply_refusal(x, &error);
        return;
    }
    text_init(&answer, SDP_MAX_BYTES);
    introduce(r->session, x);
    if (session_post(r->session, room, offer, &answer, &error, now_us) == 0) {
        reply_created(w, x, r, text_str(&answer), now_us);
    } else {
        whip_reply_refusal(x, &error);
        drop(w, r, now_us);
    }
    text_done(&answer);
}

/** Who asks for what. */
struct claim {
    enum access_want want;
    const char *room;
    int64_t now_us;
};

/* May the bearer of the request's token, if it has one, do this? @return 0; -EACCES */
static int admit(const struct whip *w, const struct http_exchange *x, const struct claim *claim,
                 struct grants *grants, struct message *error)
{
    const char *address = http_exchange_address(x);
    char token[MESSAGE_TOKEN_MAX + 1];
    int err;

    err = limits_enter(w->host->limits, address, claim->now_us, error);
    if (err < 0)
        return err;
    http_exchange_token(x, token, sizeof(token));
    err = access_admit(w->host->access, token, claim->want, claim->room,
                       session_host_wall_s(w->host, claim->now_us), grants, error);
    if (err < 0)
        limits_failed(w->host->limits, address, claim->now_us);
    return err;
}

void whip_options(struct whip *w, struct http_exchange *x, enum http_media media, const char *room,
                  int64_t now_us)
{
    struct claim claim = {want_of(media), room, now_us};
    struct message error = {0};
    struct grants grants;

    if (admit(w, x, &claim, &grants, &error) == 0)
        add_ice_servers(w, x, grants.identity, now_us);
}

/* RFC 9110 section 13.1.1, strong comparison; "*" in quotes is how RFC 9725 has it in its example.
 * @return true if the list has our tag, or takes any */
static bool matches(const char *if_match, const char *etag)
{
    size_t len = strlen(etag);

    if (strcmp(if_match, "*") == 0 || strcmp(if_match, "\"*\"") == 0)
        return true;
    while (*if_match) {
        if_match += strspn(if_match, " \t,");
        if (if_match[0] == '"' && strncmp(if_match + 1, etag, len) == 0 &&
            if_match[len + 1] == '"' && strchr(" \t,", if_match[len + 2]))
            return true; /* strchr: also at the end */
        if_match += strcspn(if_match, ",");
    }
    return false;
}

/* @return true if the fragment is of the ICE session that there is; else it restarts it */
static bool is_of_now(const struct whip_resource *r, const struct sdp_fragment *fragment)
{
    return !fragment->ufrag[0] || session_knows_ice(r->session, fragment->ufrag, fragment->pwd);
}

static void restart(struct whip_resource *r, struct http_exchange *x,
                    const struct sdp_fragment *fragment)
{
    struct message error = {0};
    struct text answer;

    text_init(&answer, SDP_MAX_BYTES);
    if (session_restart_ice(r->session, fragment->ufrag, fragment->pwd, &answer, &error) == 0) {
        random_name(r->etag, WHIP_ETAG_LEN);
        http_reply_restarted(x, r->etag, text_str(&answer));
    } else {
        whip_reply_refusal(x, &error);
    }
    text_done(&answer);
}

/* We are lite: candidates of the client are of no use to us, its checks tell where it is. They are
 * read all the same, so that what is malformed is told. */
static void serve_patch(struct whip_resource *r, struct http_exchange *x,
                        const struct http_media_request *request)
{
    struct negotiation_error why = {0};
    struct sdp_fragment fragment;
    int err;

    if (!request->if_match) {
        http_reply_problem(x, STATUS_PRECONDITION_REQUIRED, "no_etag",
                           "If-Match must have the ETag of the ICE session, or *");
    } else if (!matches(request->if_match, r->etag)) {
        http_reply_problem(x, STATUS_PRECONDITION_FAILED, "old_etag",
                           "ICE was restarted meanwhile: that ETag is of an earlier ICE session");
    } else if ((err = sdp_fragment_read(&fragment, request->body, request->len, &why)) < 0) {
        http_reply_problem(x, err == -ENOMEM ? STATUS_UNAVAILABLE : STATUS_BAD_REQUEST, why.code,
                           why.message);
    } else if (is_of_now(r, &fragment)) {
        http_reply_empty(x, STATUS_NO_CONTENT);
    } else {
        restart(r, x, &fragment);
    }
}

/* @return NULL: there is no such session there */
static struct whip_resource *find(const struct whip *w, const struct http_media_request *request)
{
    struct whip_resource *r = map_get_str(&w->resources, request->resource);

    if (!r || session_kind(r->session) != kind_of(request->media) ||
        strcmp(session_room(r->session), request->room) != 0)
        return NULL;
    return r;
}

/* What was admitted stays so: a token that has expired since still tells whose it is. */
static int check_bearer(const struct whip *w, const struct http_exchange *x,
                        const struct http_media_request *request, int64_t now_us,
                        struct message *error)
{
    struct claim claim = {want_of(request->media), request->room, now_us};
    struct grants grants;
    int err = admit(w, x, &claim, &grants, error);

    return err < 0 && strcmp(error->code, "token_expired") == 0 ? 0 : err;
}

void whip_request(struct whip *w, struct http_exchange *x, const struct http_media_request *request,
                  int64_t now_us)
{
    struct whip_resource *r = find(w, request);
    struct message error = {0};

    if (request->method != HTTP_GET && check_bearer(w, x, request, now_us, &error) < 0) {
        whip_reply_refusal(x, &error);
    } else if (!r) {
        http_reply_problem(x, STATUS_NOT_FOUND, "unknown_resource",
                           "no such session, or it has ended");
    } else if (request->part[0]) {
        whip_events_request(w, r, x, request, now_us);
    } else if (request->method == HTTP_PATCH) {
        serve_patch(r, x, request);
    } else if (request->method == HTTP_DELETE) {
        session_leave(r->session, "left", "left the room", now_us);
        drop(w, r, now_us);
        http_reply_empty(x, STATUS_OK);
    } else {
        http_reply_empty(x, STATUS_NO_CONTENT);
    }
}
