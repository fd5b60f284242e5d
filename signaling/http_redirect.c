/* Somebody typed http:// before the name of a server that speaks https:// on that port. */
#include "signaling/http_internal.h"

#include <stdio.h>
#include <string.h>

enum { MAX_URL = 1024 };

/* The path is decoded by now, and what was in it may need coding again. */
static void append_segment(struct text *url, const char *segment)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    for (; *segment; segment++) {
        if (strchr(plain, *segment))
            text_append_n(url, segment, 1);
        else
            text_printf(url, "%%%02X", (unsigned)(unsigned char)*segment);
    }
}

/* @return false: it does not fit, or we do not know all of the path */
static bool write_url(struct text *url, const struct http_request *r, const char *host)
{
    if (r->n_segments > HTTP_MAX_SEGMENTS)
        return false;
    text_printf(url, "https://%s", host);
    for (uint32_t i = 0; i < r->n_segments; i++) {
        text_append(url, "/");
        append_segment(url, r->segments[i]);
    }
    if (r->n_segments == 0)
        text_append(url, "/");
    if (r->query && r->query[0])
        text_printf(url, "?%s", r->query);
    return text_ok(url);
}

void http_redirect_serve(struct http_exchange *x)
{
    const struct http_request *r = x->connection->request;
    const char *host = http_request_field(r, "Host");
    struct text url;

    text_init(&url, MAX_URL);
    if (host && host[0] && (r->method == HTTP_GET || r->method == HTTP_HEAD) &&
        !http_request_field(r, "Upgrade") && write_url(&url, r, host)) {
        http_exchange_field(x, "Location", text_str(&url));
        http_reply_empty(x, 308);
    } else {
        http_reply_problem(x, 400, "tls_required", "this port speaks TLS: use https:// or wss://");
    }
    text_done(&url);
}
