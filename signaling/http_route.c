#include "signaling/http_internal.h"

#include <event2/buffer.h>
#include <stdio.h>
#include <string.h>

enum { MAX_HEALTH = 4096 };

static void serve_health(struct http_exchange *x)
{
    struct http_server *s = x->connection->server;
    enum http_method method = x->connection->request->method;
    struct evbuffer *body;
    char json[MAX_HEALTH] = "{}";
    bool healthy;

    if (method != HTTP_GET && method != HTTP_HEAD) {
        http_reply_not_allowed(x, "GET, HEAD");
        return;
    }
    healthy = s->handler.on_health(s->owner, json, sizeof(json));
    body = evbuffer_new();
    if (body)
        (void)evbuffer_add(body, json, strlen(json));
    http_exchange_field(x, "Content-Type", "application/json");
    http_exchange_field(x, "Cache-Control", "no-store");
    http_exchange_send(x, healthy ? 200 : 503, body);
}

static void serve_whip(struct http_exchange *x)
{
    http_media_serve(x, HTTP_WHIP);
}

static void serve_whep(struct http_exchange *x)
{
    http_media_serve(x, HTTP_WHEP);
}

static void refuse_origin(struct http_exchange *x)
{
    const struct http_request *r = x->connection->request;
    const char *host = http_request_field(r, "Host");
    char detail[600];

    (void)snprintf(detail, sizeof(detail),
                   "pages of %.255s may not use the server, which is %.255s to them: see "
                   "allowed_origins",
                   http_request_field(r, "Origin"), host ? host : "nameless");
    http_reply_problem(x, 403, "origin_not_allowed", detail);
}

void http_route(struct http_exchange *x)
{
    static const struct {
        const char *first; /* segment of the path */
        bool whole;        /* there is nothing below */
        bool is_public;    /* pages of all origins may ask */
        void (*serve)(struct http_exchange *x);
    } routes[] = {
        {"ws", true, false, http_upgrade_serve},      {"whip", false, false, serve_whip},
        {"whep", false, false, serve_whep},           {"healthz", true, true, serve_health},
        {"metrics", true, false, http_metrics_serve}, {"v1", false, false, http_v1_serve},
    };
    const struct http_request *r = x->connection->request;

    for (size_t i = 0; r->n_segments > 0 && i < ARRAY_LEN(routes); i++) {
        if (strcmp(r->segments[0], routes[i].first) == 0 &&
            (r->n_segments == 1 || !routes[i].whole)) {
            if (routes[i].is_public || http_exchange_is_from_allowed_page(x))
                routes[i].serve(x);
            else
                refuse_origin(x);
            return;
        }
    }
    http_static_serve(x);
}
