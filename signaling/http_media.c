/* WHIP and WHEP, as far as HTTP goes: endpoints {media}/{room}, sessions {media}/{room}/{resource},
 * and what is below those. */
#include "signaling/http_internal.h"
#include "signaling/message.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SDP_TYPE      "application/sdp"
#define FRAGMENT_TYPE "application/trickle-ice-sdpfrag"
#define JSON_TYPE     "application/json"

/* What a resource takes, for Allow and preflights. */
#define ENDPOINT_METHODS "GET, HEAD, POST, OPTIONS"
#define SESSION_METHODS  "GET, HEAD, PATCH, DELETE, OPTIONS"
#define EVENTS_METHODS   "GET, POST, OPTIONS"
#define STREAM_METHODS   "GET, DELETE, OPTIONS"
#define LAYER_METHODS    "POST, OPTIONS"

/** Where a request goes. */
struct place {
    enum http_media media;
    const char *room, *resource, *part, *stream; /* NULL: the path is shorter */
};

static bool has_type(const struct http_request *r, const char *type)
{
    const char *value = http_request_field(r, "Content-Type");
    size_t len = strlen(type);

    if (!value || strncasecmp(value, type, len) != 0)
        return false;
    value += len;
    value += strspn(value, " \t");
    return *value == '\0' || *value == ';';
}

/* FETCH: a preflight asks for a method. Others may be told of relays: RFC 9725 section 4.6. */
static bool is_preflight(const struct http_request *r)
{
    return http_request_field(r, "Access-Control-Request-Method") != NULL;
}

static void serve_options(struct http_exchange *x, const struct place *p, const char *allow)
{
    struct http_server *s = x->connection->server;

    http_exchange_field(x, "Access-Control-Allow-Methods", allow);
    http_exchange_field(x, "Access-Control-Allow-Headers",
                        "Authorization, Content-Type, If-Match, If-None-Match, Link");
    http_exchange_field(x, "Access-Control-Max-Age", "86400");
    http_exchange_field(x, "Allow", allow);
    http_exchange_field(x, "Accept-Post", p->part ? JSON_TYPE : SDP_TYPE);
    if (p->resource && !p->part)
        http_exchange_field(x, "Accept-Patch", FRAGMENT_TYPE);
    if (!p->resource && !is_preflight(x->connection->request))
        s->handler.on_media_options(s->owner, x, p->media, p->room);
    http_reply_empty(x, 200);
}

static void refuse_type(struct http_exchange *x, const char *field, const char *type)
{
    char detail[80];

    (void)snprintf(detail, sizeof(detail), "Content-Type must be %s", type);
    http_exchange_field(x, field, type);
    http_reply_problem(x, 415, "unsupported_media_type", detail);
}

/* @return true if the body is text; else the exchange has ended */
static bool check_body(struct http_exchange *x, const char *empty_code, const char *empty_detail)
{
    const struct text *body = &x->connection->body.text;

    if (body->len == 0)
        http_reply_problem(x, 400, empty_code, empty_detail);
    else if (strlen(text_str(body)) != body->len)
        http_reply_problem(x, 400, "sdp_syntax", "a NUL in the body");
    else
        return true;
    return false;
}

/* @return true if an answer of the type that we have will do: RFC 9110 section 12.5.1 */
static bool is_acceptable(const struct http_request *r, const char *type)
{
    return !http_request_field(r, "Accept") || http_request_lists(r, "Accept", type) ||
           http_request_lists(r, "Accept", "application/*") ||
           http_request_lists(r, "Accept", "*/*");
}

static void serve_post(struct http_exchange *x, const struct place *p)
{
    struct http_connection *c = x->connection;
    struct http_server *s = c->server;

    if (!has_type(c->request, SDP_TYPE))
        refuse_type(x, "Accept-Post", SDP_TYPE);
    else if (!is_acceptable(c->request, SDP_TYPE))
        http_reply_problem(x, 406, "not_acceptable", "the answer is " SDP_TYPE);
    else if (check_body(x, "no_offer", "the body must be an SDP offer"))
        s->handler.on_media_post(s->owner, x, p->media, p->room, text_str(&c->body.text),
                                 c->body.text.len);
}

/* RFC 9725 section 4.1: a GET is answered with nothing, successfully. That of a WHEP endpoint says
 * what it takes, so that players find out what a URL is. */
static void serve_nothing(struct http_exchange *x, const struct place *p)
{
    if (p->media == HTTP_WHIP) {
        http_reply_empty(x, 204);
        return;
    }
    http_exchange_field(x, "Content-Type", SDP_TYPE);
    http_exchange_field(x, "Accept-Post", SDP_TYPE);
    http_reply_empty(x, 200);
}

static void serve_endpoint(struct http_exchange *x, const struct place *p)
{
    enum http_method method = x->connection->request->method;

    if (method == HTTP_POST)
        serve_post(x, p);
    else if (method == HTTP_OPTIONS)
        serve_options(x, p, ENDPOINT_METHODS);
    else if (method == HTTP_GET || method == HTTP_HEAD)
        serve_nothing(x, p);
    else
        http_reply_not_allowed(x, ENDPOINT_METHODS);
}

/* Somebody who knows of sessions answers. */
static void ask_handler(struct http_exchange *x, const struct place *p, enum http_method method)
{
    struct http_connection *c = x->connection;
    struct http_server *s = c->server;
    bool has_body = method == HTTP_PATCH || method == HTTP_POST; /* that of others means nothing */
    struct http_media_request request = {
        .media = p->media,
        .method = method,
        .room = p->room,
        .resource = p->resource,
        .part = p->part ? p->part : "",
        .stream = p->stream ? p->stream : "",
        .if_match = http_request_field(c->request, "If-Match"),
        .body = has_body ? text_str(&c->body.text) : "",
        .len = has_body ? c->body.text.len : 0,
    };

    s->handler.on_media_request(s->owner, x, &request);
}

static void serve_patch(struct http_exchange *x, const struct place *p)
{
    if (!has_type(x->connection->request, FRAGMENT_TYPE))
        refuse_type(x, "Accept-Patch", FRAGMENT_TYPE);
    else if (check_body(x, "sdp_syntax", "the body must be an SDP fragment"))
        ask_handler(x, p, HTTP_PATCH);
}

static void serve_session(struct http_exchange *x, const struct place *p)
{
    enum http_method method = x->connection->request->method;

    if (method == HTTP_PATCH)
        serve_patch(x, p);
    else if (method == HTTP_DELETE)
        ask_handler(x, p, HTTP_DELETE);
    else if (method == HTTP_GET || method == HTTP_HEAD)
        ask_handler(x, p, HTTP_GET);
    else if (method == HTTP_OPTIONS)
        serve_options(x, p, SESSION_METHODS);
    else
        http_reply_not_allowed(x, SESSION_METHODS);
}

/* A POST to what is below a session has JSON, or nothing. */
static void serve_json_post(struct http_exchange *x, const struct place *p, bool may_be_empty)
{
    const struct http_connection *c = x->connection;
    bool is_empty = c->body.text.len == 0 && may_be_empty;

    if (!is_empty && !has_type(c->request, JSON_TYPE))
        refuse_type(x, "Accept-Post", JSON_TYPE);
    else if (is_empty || check_body(x, "bad_json", "the body must be JSON"))
        ask_handler(x, p, HTTP_POST);
}

static void serve_part(struct http_exchange *x, const struct place *p)
{
    enum http_method method = x->connection->request->method;
    bool is_layer = strcmp(p->part, "layer") == 0;
    const char *allow = is_layer ? LAYER_METHODS : p->stream ? STREAM_METHODS : EVENTS_METHODS;

    if (p->media != HTTP_WHEP || (!is_layer && strcmp(p->part, "sse") != 0) ||
        (is_layer && p->stream))
        http_reply_problem(x, 404, "not_found", "nothing is here");
    else if (method == HTTP_OPTIONS)
        serve_options(x, p, allow);
    else if (method == HTTP_POST && !p->stream)
        serve_json_post(x, p, !is_layer);
    else if ((method == HTTP_GET && !is_layer) || (method == HTTP_DELETE && p->stream))
        ask_handler(x, p, method);
    else
        http_reply_not_allowed(x, allow);
}

void http_media_serve(struct http_exchange *x, enum http_media media)
{
    const struct http_request *r = x->connection->request;
    struct place p = {
        .media = media,
        .room = r->n_segments > 1 ? r->segments[1] : "",
        .resource = r->n_segments > 2 ? r->segments[2] : NULL,
        .part = r->n_segments > 3 ? r->segments[3] : NULL,
        .stream = r->n_segments > 4 ? r->segments[4] : NULL,
    };

    if (r->n_segments < 2 || r->n_segments > 5) {
        http_reply_problem(x, 404, "not_found", "nothing is here");
    } else if (!room_name_valid(p.room)) {
        http_reply_problem(x, 400, "bad_room",
                           "a room's name is 1 to 64 of A-Z a-z 0-9 . _ ~ -, not . or ..");
    } else if (p.part) {
        serve_part(x, &p);
    } else if (p.resource) {
        serve_session(x, &p);
    } else {
        serve_endpoint(x, &p);
    }
}
