#include "signaling/http_internal.h"
#include "signaling/message.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* RFC 9725 section 4.2: both for pages of other origins and for plain clients. */
static void serve_options(struct http_exchange *x, const char *allow, bool is_endpoint)
{
    http_exchange_field(x, "Access-Control-Allow-Methods", allow);
    http_exchange_field(x, "Access-Control-Allow-Headers",
                        "Authorization, Content-Type, If-Match, If-None-Match");
    http_exchange_field(x, "Access-Control-Max-Age", "86400");
    http_exchange_field(x, "Allow", allow);
    if (is_endpoint)
        http_exchange_field(x, "Accept-Post", "application/sdp");
    http_reply_empty(x, 200);
}

static bool is_sdp(const struct http_request *r)
{
    static const char type[] = "application/sdp";
    const char *value = http_request_field(r, "Content-Type");

    if (!value || strncasecmp(value, type, sizeof(type) - 1) != 0)
        return false;
    value += sizeof(type) - 1;
    value += strspn(value, " \t");
    return *value == '\0' || *value == ';';
}

static void serve_post(struct http_exchange *x, enum http_media media, const char *room)
{
    struct http_connection *c = x->connection;
    struct http_server *s = c->server;
    const char *sdp = text_str(&c->body.text);
    size_t len = c->body.text.len;

    if (!is_sdp(c->request)) {
        http_exchange_field(x, "Accept-Post", "application/sdp");
        http_reply_problem(x, 415, "unsupported_media_type",
                           "Content-Type must be application/sdp");
    } else if (len == 0) {
        http_reply_problem(x, 400, "no_offer", "the body must be an SDP offer");
    } else if (strlen(sdp) != len) {
        http_reply_problem(x, 400, "sdp_syntax", "a NUL in the SDP offer");
    } else {
        s->handler.on_media_post(s->owner, x, media, room, sdp, len);
    }
}

static void serve_endpoint(struct http_exchange *x, enum http_media media, const char *room)
{
    enum http_method method = x->connection->request->method;

    if (method == HTTP_POST)
        serve_post(x, media, room);
    else if (method == HTTP_OPTIONS)
        serve_options(x, "POST, OPTIONS", true);
    else
        http_reply_not_allowed(x, "POST, OPTIONS");
}

static void serve_resource(struct http_exchange *x, enum http_media media, const char *room,
                           const char *resource)
{
    struct http_server *s = x->connection->server;
    enum http_method method = x->connection->request->method;

    if (method == HTTP_DELETE)
        s->handler.on_media_delete(s->owner, x, media, room, resource);
    else if (method == HTTP_OPTIONS)
        serve_options(x, "DELETE, OPTIONS", false);
    else
        http_reply_not_allowed(x, "DELETE, OPTIONS");
}

void http_media_serve(struct http_exchange *x, enum http_media media)
{
    const struct http_request *r = x->connection->request;
    const char *room = r->n_segments > 1 ? r->segments[1] : "";

    if (r->n_segments < 2 || r->n_segments > 3) {
        http_reply_problem(x, 404, "not_found", "nothing is here");
    } else if (!room_name_valid(room)) {
        http_reply_problem(x, 400, "bad_room",
                           "a room's name is 1 to 64 of A-Z a-z 0-9 . _ ~ -, not . or ..");
    } else if (r->n_segments == 2) {
        serve_endpoint(x, media, room);
    } else {
        serve_resource(x, media, room, r->segments[2]);
    }
}
