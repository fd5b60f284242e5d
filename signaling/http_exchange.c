#include "signaling/http_forwarded.h"
#include "signaling/http_internal.h"
#include "signaling/json_text.h"

#include <assert.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/util.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PROBLEM = 2048 };

static const char *status_title(int status)
{
    static const struct {
        int status;
        const char *title;
    } titles[] = {
        {200, "OK"},
        {201, "Created"},
        {204, "No Content"},
        {304, "Not Modified"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {417, "Expectation Failed"},
        {422, "Unprocessable Content"},
        {426, "Upgrade Required"},
        {428, "Precondition Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
    };

    for (size_t i = 0; i < ARRAY_LEN(titles); i++) {
        if (titles[i].status == status)
            return titles[i].title;
    }
    return "Unknown";
}

void http_exchange_parameter(const struct http_exchange *x, const char *name, char *out,
                             size_t size)
{
    http_request_parameter(x->connection->request, name, out, size);
}

void http_exchange_token(const struct http_exchange *x, char *out, size_t size)
{
    http_request_token(x->connection->request, out, size);
}

const char *http_exchange_address(const struct http_exchange *x)
{
    return x->address;
}

void http_exchange_retry_after(struct http_exchange *x, uint32_t wait_ms)
{
    char seconds[16];

    (void)evutil_snprintf(seconds, sizeof(seconds), "%u", (unsigned)((wait_ms + 999) / 1000));
    http_exchange_field(x, "Retry-After", seconds);
}

struct http_exchange *http_exchange_new(struct http_connection *c)
{
    struct http_exchange *x = calloc(1, sizeof(*x));

    if (!x)
        return NULL;
    x->connection = c;
    x->head = c->request && c->request->method == HTTP_HEAD;
    memcpy(x->address, c->address, sizeof(x->address));
    if (c->of_proxy && c->request)
        http_forwarded_client(c->request, &c->server->config.trusted_proxies, x->address);
    text_init(&x->fields, HTTP_MAX_ANSWER_HEAD);
    list_append(&c->server->exchanges, &x->link);
    return x;
}

void http_exchange_free(struct http_exchange *x)
{
    if (x->connection)
        x->connection->exchange = NULL;
    list_unlink(&x->link);
    text_done(&x->fields);
    free(x);
}

/* Whatever the value comes from, it cannot begin another field. */
static void append_value(struct text *out, const char *value)
{
    while (*value) {
        size_t len = strcspn(value, "\r\n");

        text_append_n(out, value, len);
        value += len;
        value += strspn(value, "\r\n");
    }
}

void http_exchange_field(struct http_exchange *x, const char *name, const char *value)
{
    text_printf(&x->fields, "%s: ", name);
    append_value(&x->fields, value);
    text_append(&x->fields, "\r\n");
}

/* What every answer begins with. */
static void write_status(struct evbuffer *output, int status)
{
    char date[64] = "";

    (void)evutil_date_rfc1123(date, sizeof(date), NULL);
    (void)evbuffer_add_printf(output, "HTTP/1.1 %d %s\r\nDate: %s\r\n", status,
                              status_title(status), date);
}

static void write_head(struct http_exchange *x, struct evbuffer *output, int status, size_t len)
{
    struct http_connection *c = x->connection;

    write_status(output, status);
    if (status != 204 && status != 304)
        (void)evbuffer_add_printf(output, "Content-Length: %zu\r\n", len);
    if (!c->persistent)
        (void)evbuffer_add_printf(output, "Connection: close\r\n");
    (void)evbuffer_add_printf(output, "%s\r\n", text_str(&x->fields));
}

void http_exchange_send(struct http_exchange *x, int status, struct evbuffer *body)
{
    struct http_connection *c = x->connection;

    if (c) {
        struct evbuffer *output = bufferevent_get_output(c->bev);

        write_head(x, output, status, body ? evbuffer_get_length(body) : 0);
        if (body && !x->head)
            (void)evbuffer_add_buffer(output, body);
    }
    if (body)
        evbuffer_free(body);
    http_exchange_free(x);
    if (c)
        http_connection_answered(c);
}

static void send_text(struct http_exchange *x, int status, const char *type, const char *text)
{
    struct evbuffer *body = evbuffer_new();

    http_exchange_field(x, "Content-Type", type);
    if (body)
        (void)evbuffer_add(body, text, strlen(text));
    http_exchange_send(x, status, body);
}

bool http_exchange_is_from_allowed_page(const struct http_exchange *x)
{
    const struct http_connection *c = x->connection;
    const char *origin = c->request ? http_request_field(c->request, "Origin") : NULL;

    return !origin || http_origin_allowed(&c->server->config.origins, origin,
                                          http_request_field(c->request, "Host"));
}

/* Let the page that asks read the answer, if it may ask at all. */
static void allow_origins(struct http_exchange *x)
{
    const struct http_connection *c = x->connection;
    const char *origin = c && c->request ? http_request_field(c->request, "Origin") : NULL;

    if (!c || !http_exchange_is_from_allowed_page(x))
        return;
    if (!c->server->config.origins.any)
        http_exchange_field(x, "Vary", "Origin");
    if (!c->server->config.origins.any && !origin)
        return;
    http_exchange_field(x, "Access-Control-Allow-Origin",
                        c->server->config.origins.any ? "*" : origin);
    http_exchange_field(x, "Access-Control-Expose-Headers",
                        "Location, ETag, Link, Accept-Post, Accept-Patch, Allow, "
                        "Retry-After, WWW-Authenticate");
}

/* RFC 9110 section 5.6.4 */
static void append_quoted(struct text *out, const char *name, const char *value)
{
    if (!value || !value[0])
        return;
    text_printf(out, "; %s=\"", name);
    for (; *value; value++) {
        if (*value == '"' || *value == '\\')
            text_append(out, "\\");
        text_append_n(out, value, 1);
    }
    text_append(out, "\"");
}

void http_exchange_link(struct http_exchange *x, const struct http_link *link)
{
    struct text value;

    text_init(&value, HTTP_MAX_ANSWER_HEAD);
    text_printf(&value, "<%s>", link->uri);
    append_quoted(&value, "rel", link->rel);
    append_quoted(&value, "username", link->username);
    append_quoted(&value, "credential", link->credential);
    if (link->username && link->username[0])
        append_quoted(&value, "credential-type", "password");
    append_quoted(&value, "events", link->events);
    http_exchange_field(x, "Link", text_str(&value));
    text_done(&value);
}

static void add_etag(struct http_exchange *x, const char *etag)
{
    char quoted[64];

    (void)evutil_snprintf(quoted, sizeof(quoted), "\"%s\"", etag);
    http_exchange_field(x, "ETag", quoted);
}

void http_reply_created(struct http_exchange *x, const char *location, const char *etag,
                        const char *sdp)
{
    allow_origins(x);
    http_exchange_field(x, "Location", location);
    if (etag)
        add_etag(x, etag);
    http_exchange_field(x, "Cache-Control", "no-store");
    if (!sdp) {
        http_exchange_send(x, 201, NULL);
        return;
    }
    http_exchange_field(x, "Accept-Patch", "application/trickle-ice-sdpfrag");
    send_text(x, 201, "application/sdp", sdp);
}

void http_reply_restarted(struct http_exchange *x, const char *etag, const char *fragment)
{
    allow_origins(x);
    add_etag(x, etag);
    http_exchange_field(x, "Cache-Control", "no-store");
    send_text(x, 200, "application/trickle-ice-sdpfrag", fragment);
}

void http_exchange_stream(struct http_exchange *x, const char *type)
{
    struct evbuffer *output = bufferevent_get_output(x->connection->bev);

    allow_origins(x);
    http_exchange_field(x, "Content-Type", type);
    http_exchange_field(x, "Cache-Control", "no-store");
    http_exchange_field(x, "Connection", "close");
    write_status(output, 200);
    (void)evbuffer_add_printf(output, "%s\r\n", text_str(&x->fields));
    http_exchange_free(x);
}

void http_reply_empty(struct http_exchange *x, int status)
{
    allow_origins(x);
    http_exchange_send(x, status, NULL);
}

/* RFC 6750 section 3: who has shown none is not told of an error. */
static void ask_for_token(struct http_exchange *x, const char *code)
{
    bool was_bad = strncmp(code, "token_", 6) == 0 && strcmp(code, "token_missing") != 0;

    http_exchange_field(x, "WWW-Authenticate",
                        was_bad ? "Bearer realm=\"sluice\", error=\"invalid_token\""
                                : "Bearer realm=\"sluice\"");
}

void http_reply_problem(struct http_exchange *x, int status, const char *code, const char *detail)
{
    struct text json;

    text_init(&json, MAX_PROBLEM);
    text_printf(&json, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,\"detail\":",
                status_title(status), status);
    json_append_string(&json, detail);
    text_append(&json, ",\"code\":");
    json_append_string(&json, code);
    text_append(&json, "}\n");

    allow_origins(x);
    http_exchange_field(x, "Cache-Control", "no-store");
    if (status == 401)
        ask_for_token(x, code);
    if (status == 503)
        http_exchange_retry_after(x, HTTP_RETRY_AFTER_S * 1000);
    send_text(x, status, "application/problem+json", text_ok(&json) ? text_str(&json) : "{}\n");
    text_done(&json);
}

void http_reply_not_allowed(struct http_exchange *x, const char *allow)
{
    http_exchange_field(x, "Allow", allow);
    http_reply_problem(x, 405, "method_not_allowed", "this resource does not have that method");
}
