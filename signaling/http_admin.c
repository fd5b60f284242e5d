/* What operators and their programs ask for: /metrics, and everything below /v1. */
#include "media/base/text.h"
#include "signaling/admin_request.h"
#include "signaling/http_internal.h"

#include <event2/buffer.h>
#include <string.h>
#include <strings.h>

enum { MAX_REPORT = 8 * 1024 * 1024, MAX_ALLOW = 128 };

static bool is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0 ||
           strncmp(address, "::ffff:127.", 11) == 0;
}

/* Asked by a name of this machine: neither through a proxy that keeps the name, nor by a page whose
 * name was made to point here. */
static bool is_local_name(const char *host)
{
    return host && (strncmp(host, "127.", 4) == 0 || strncmp(host, "[::1]", 5) == 0 ||
                    strcasecmp(host, "localhost") == 0 || strncasecmp(host, "localhost:", 10) == 0);
}

/* Compares all of it, so that the time it takes tells nothing of how much was right. */
static bool is_same(const char *a, const char *b)
{
    size_t len = strlen(b);
    unsigned char difference = strlen(a) != len;

    for (size_t i = 0; a[i]; i++)
        difference |= (unsigned char)(a[i] ^ b[i < len ? i : len]);
    return difference == 0;
}

/* A page of another site that a browser on this machine shows. */
static bool is_foreign_page(const struct http_request *r)
{
    const char *origin = http_request_field(r, "Origin");
    const char *host = http_request_field(r, "Host");
    const char *name = origin ? strstr(origin, "://") : NULL;

    return origin && (!name || !host || strcasecmp(name + 3, host) != 0);
}

/* @return the room that a path below /v1/rooms is about; NULL: none alone */
static const char *room_of(const struct http_request *r)
{
    bool is_room = r->n_segments >= 3 && r->n_segments <= HTTP_MAX_SEGMENTS &&
                   strcmp(r->segments[0], "v1") == 0 && strcmp(r->segments[1], "rooms") == 0;

    return is_room ? r->segments[2] : NULL;
}

/* Who may ask: who has the token, or one of the server's with the grant; where no token is set, who
 * is on this machine, too, and not somebody far away whom a reverse proxy here speaks for. */
static bool is_allowed(const struct http_exchange *x)
{
    static const char scheme[] = "Bearer ";
    const struct http_server *s = x->connection->server;
    const struct http_request *r = x->connection->request;
    const char *given = http_request_field(r, "Authorization");

    if (given && strncasecmp(given, scheme, sizeof(scheme) - 1) == 0) {
        given += sizeof(scheme) - 1;
        return (s->admin_token && is_same(given, s->admin_token)) ||
               s->handler.on_admin_token(s->owner, given, room_of(r));
    }
    return !s->admin_token && is_loopback(x->connection->address) &&
           is_local_name(http_request_field(r, "Host")) && !http_request_field(r, "Forwarded") &&
           !http_request_field(r, "X-Forwarded-For") && !is_foreign_page(r);
}

static void refuse(struct http_exchange *x)
{
    if (!x->connection->server->admin_token &&
        !http_request_field(x->connection->request, "Authorization")) {
        http_reply_problem(x, 403, "forbidden",
                           "this is for programs on this machine; set admin_token for others");
        return;
    }
    http_reply_problem(x, 401, "unauthorized",
                       "send \"Authorization: Bearer\" and admin_token, or a token with the grant "
                       "admin");
}

static void send_report(struct http_exchange *x, int status, const char *type,
                        const struct text *text)
{
    struct evbuffer *body = evbuffer_new();

    if (body)
        (void)evbuffer_add(body, text_str(text), text->len);
    http_exchange_field(x, "Content-Type", type);
    http_exchange_field(x, "Cache-Control", "no-store");
    http_exchange_send(x, status, body);
}

static bool reads(enum http_method method)
{
    return method == HTTP_GET || method == HTTP_HEAD;
}

void http_metrics_serve(struct http_exchange *x)
{
    struct http_server *s = x->connection->server;
    struct text text;

    if (!reads(x->connection->request->method)) {
        http_reply_not_allowed(x, "GET, HEAD");
        return;
    }
    if (!is_allowed(x)) {
        refuse(x);
        return;
    }
    text_init(&text, MAX_REPORT);
    s->handler.on_metrics(s->owner, &text);
    if (text_ok(&text))
        send_report(x, 200, "text/plain; version=0.0.4; charset=utf-8", &text);
    else
        http_reply_problem(x, 503, "overloaded", "out of memory");
    text_done(&text);
}

/* /v1 */

/** What can be done at which path; docs/openapi.yaml has the same. */
struct admin_route {
    const char *path; /* below /v1; "{...}" is any segment */
    enum http_method method;
    enum admin_action action;
};

static const struct admin_route routes[] = {
    {"server", HTTP_GET, ADMIN_SERVER},
    {"rooms", HTTP_GET, ADMIN_ROOMS},
    {"rooms/{room}", HTTP_GET, ADMIN_ROOM},
    {"rooms/{room}", HTTP_PATCH, ADMIN_LIMIT_ROOM},
    {"rooms/{room}", HTTP_DELETE, ADMIN_CLOSE_ROOM},
    {"rooms/{room}/participants", HTTP_GET, ADMIN_PARTICIPANTS},
    {"rooms/{room}/participants/{participant}", HTTP_GET, ADMIN_PARTICIPANT},
    {"rooms/{room}/participants/{participant}", HTTP_PATCH, ADMIN_MUTE_PARTICIPANT},
    {"rooms/{room}/participants/{participant}", HTTP_DELETE, ADMIN_KICK},
    {"rooms/{room}/participants/{participant}/move", HTTP_POST, ADMIN_MOVE},
    {"rooms/{room}/tracks", HTTP_GET, ADMIN_TRACKS},
    {"rooms/{room}/tracks/{track}", HTTP_GET, ADMIN_TRACK},
    {"rooms/{room}/tracks/{track}", HTTP_PATCH, ADMIN_MUTE_TRACK},
    {"drain", HTTP_GET, ADMIN_DRAIN_STATE},
    {"drain", HTTP_POST, ADMIN_DRAIN},
    {"drain", HTTP_DELETE, ADMIN_UNDRAIN},
    {"tokens", HTTP_POST, ADMIN_MAKE_TOKEN},
};

/* Does the path of `r` have the form of `path`? */
static bool is_path(const struct http_request *r, const char *path)
{
    uint32_t n = 1; /* the first segment is v1 */

    for (;;) {
        size_t len = strcspn(path, "/");
        const char *segment = n < r->n_segments ? r->segments[n++] : NULL;

        if (!segment ||
            (path[0] != '{' && (strncmp(path, segment, len) != 0 || segment[len] != '\0')))
            return false;
        if (!path[len])
            return n == r->n_segments;
        path += len + 1;
    }
}

static const char *method_name(enum http_method method)
{
    switch (method) {
    case HTTP_GET:
        return "GET, HEAD";
    case HTTP_POST:
        return "POST";
    case HTTP_PATCH:
        return "PATCH";
    case HTTP_DELETE:
        return "DELETE";
    case HTTP_HEAD:
    case HTTP_PUT:
    case HTTP_OPTIONS:
    case HTTP_OTHER:
        break;
    }
    return "";
}

/* @return the route; NULL: there is none, and `allow` lists what the path does have */
static const struct admin_route *find_route(const struct http_request *r, struct text *allow)
{
    enum http_method method = r->method == HTTP_HEAD ? HTTP_GET : r->method;

    for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
        if (r->n_segments > HTTP_MAX_SEGMENTS || !is_path(r, routes[i].path))
            continue;
        if (routes[i].method == method)
            return &routes[i];
        text_printf(allow, "%s%s", allow->len > 0 ? ", " : "", method_name(routes[i].method));
    }
    return NULL;
}

/* A browser asks first before it lets a page send this. */
static bool is_json(const struct http_request *r)
{
    static const char type[] = "application/json";
    const char *value = http_request_field(r, "Content-Type");

    if (!value || strncasecmp(value, type, sizeof(type) - 1) != 0)
        return false;
    value += sizeof(type) - 1;
    value += strspn(value, " \t");
    return *value == '\0' || *value == ';';
}

/* What is in the path. An id that is none is 0, which nobody has. */
static void read_path(const struct http_request *r, const char *path, struct admin_request *ret)
{
    uint32_t n = 1;

    for (; path; path = strchr(path, '/') ? strchr(path, '/') + 1 : NULL, n++) {
        const char *segment = r->segments[n];

        if (strncmp(path, "{room}", 6) == 0 && room_name_valid(segment))
            memcpy(ret->room, segment, strlen(segment) + 1);
        else if (strncmp(path, "{participant}", 13) == 0)
            ret->participant = participant_id_parse(segment);
        else if (strncmp(path, "{track}", 7) == 0)
            ret->track = track_id_parse(segment);
    }
}

static void reply(struct http_exchange *x, int status, const struct text *out,
                  const struct message *error)
{
    if (status >= 400)
        http_reply_problem(x, status, error->code, error->text);
    else if (!text_ok(out))
        http_reply_problem(x, 503, "overloaded", "out of memory");
    else if (out->len == 0)
        http_exchange_send(x, 204, NULL);
    else
        send_report(x, status, "application/json", out);
}

static void serve_route(struct http_exchange *x, const struct admin_route *route)
{
    static const struct message nothing = {0};
    struct http_connection *c = x->connection;
    struct admin_request request = {.action = route->action};
    struct message error = nothing;
    struct text out;
    int status;

    if (c->body.text.len > 0 && !is_json(c->request)) {
        http_reply_problem(x, 415, "unsupported_media_type",
                           "Content-Type must be application/json");
        return;
    }
    read_path(c->request, route->path, &request);
    http_request_parameter(c->request, "reason", request.reason, sizeof(request.reason));
    if (admin_request_parse(&request, text_str(&c->body.text), c->body.text.len, &error) < 0) {
        http_reply_problem(x, strcmp(error.code, "too_large") == 0 ? 413 : 400, error.code,
                           error.text);
        return;
    }
    text_init(&out, MAX_REPORT);
    status = c->server->handler.on_admin(c->server->owner, &request, &out, &error);
    reply(x, status, &out, &error);
    text_done(&out);
}

void http_v1_serve(struct http_exchange *x)
{
    const struct admin_route *route;
    struct text allow;

    if (!is_allowed(x)) {
        refuse(x);
        return;
    }
    text_init(&allow, MAX_ALLOW);
    route = find_route(x->connection->request, &allow);
    if (route)
        serve_route(x, route);
    else if (allow.len > 0)
        http_reply_not_allowed(x, text_str(&allow));
    else
        http_reply_problem(x, 404, "not_found", "nothing is at this path");
    text_done(&allow);
}
