/* What operators and their programs read: /metrics, /v1/rooms, /v1/rooms/{room}. */
#include "media/base/text.h"
#include "signaling/http_internal.h"

#include <errno.h>
#include <event2/buffer.h>
#include <string.h>
#include <strings.h>

enum { MAX_REPORT = 8 * 1024 * 1024 };

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

/* Who may read reports: who has the token; where there is none, who is on this machine, and not
 * somebody far away whom a reverse proxy on this machine speaks for. */
static bool is_allowed(const struct http_exchange *x)
{
    static const char scheme[] = "Bearer ";
    const struct http_request *r = x->connection->request;
    const char *token = x->connection->server->admin_token;
    const char *given = http_request_field(r, "Authorization");

    if (token)
        return given && strncasecmp(given, scheme, sizeof(scheme) - 1) == 0 &&
               is_same(given + sizeof(scheme) - 1, token);
    return is_loopback(x->connection->address) && is_local_name(http_request_field(r, "Host")) &&
           !http_request_field(r, "Forwarded") && !http_request_field(r, "X-Forwarded-For");
}

static void refuse(struct http_exchange *x)
{
    if (!x->connection->server->admin_token) {
        http_reply_problem(x, 403, "forbidden",
                           "reports are for clients on this machine; set admin_token for others");
        return;
    }
    http_exchange_field(x, "WWW-Authenticate", "Bearer");
    http_reply_problem(x, 401, "unauthorized", "send \"Authorization: Bearer\" and admin_token");
}

static void send_report(struct http_exchange *x, enum http_report report, const struct text *text)
{
    struct evbuffer *body = evbuffer_new();

    if (body)
        (void)evbuffer_add(body, text_str(text), text->len);
    http_exchange_field(x, "Content-Type",
                        report == HTTP_METRICS ? "text/plain; version=0.0.4; charset=utf-8"
                                               : "application/json");
    http_exchange_field(x, "Cache-Control", "no-store");
    http_exchange_send(x, 200, body);
}

static void serve(struct http_exchange *x, enum http_report report, const char *room)
{
    struct http_server *s = x->connection->server;
    enum http_method method = x->connection->request->method;
    struct text text;
    int err;

    if (method != HTTP_GET && method != HTTP_HEAD) {
        http_reply_not_allowed(x, "GET, HEAD");
        return;
    }
    if (!is_allowed(x)) {
        refuse(x);
        return;
    }
    text_init(&text, MAX_REPORT);
    err = s->handler.on_report(s->owner, report, room, &text);
    if (err == -ENOENT)
        http_reply_problem(x, 404, "unknown_room", "there is no such room now");
    else if (!text_ok(&text))
        http_reply_problem(x, 503, "overloaded", "out of memory");
    else
        send_report(x, report, &text);
    text_done(&text);
}

void http_metrics_serve(struct http_exchange *x)
{
    serve(x, HTTP_METRICS, NULL);
}

void http_v1_serve(struct http_exchange *x)
{
    const struct http_request *r = x->connection->request;

    if (r->n_segments == 2 && strcmp(r->segments[1], "rooms") == 0)
        serve(x, HTTP_ROOMS, NULL);
    else if (r->n_segments == 3 && strcmp(r->segments[1], "rooms") == 0)
        serve(x, HTTP_ROOM, r->segments[2]);
    else
        http_reply_problem(x, 404, "not_found", "nothing is at this path");
}
