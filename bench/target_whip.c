/* Load on any server with WHIP (RFC 9725) and WHEP: one POST per endpoint, DELETE when it leaves.
 */
#include "bench/endpoint.h"
#include "bench/endpoint_sdp.h"
#include "bench/target.h"
#include "media/base/clock.h"
#include "media/base/log.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/http.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { URL_MAX = 1024, ANSWER_MAX = 256 * 1024, TIMEOUT_S = 20 };

struct whip {
    struct target target;
    const char *whip_url, *whep_url; /* borrowed */
};

struct resource {
    struct endpoint *endpoint;
    struct event_base *base;
    struct evhttp_uri *uri; /* where to post; a Location may be relative to it */
    struct evhttp_connection *connection;
    char *location; /* what to delete; NULL: nothing yet */
};

/* {room} in `url`, or its end, is the room's name. */
static void write_url(char out[URL_MAX], const char *url, const char *room, uint32_t number)
{
    static const char mark[] = "{room}";
    const char *at = strstr(url, mark);

    if (at) {
        (void)snprintf(out, URL_MAX, "%.*s%s-%" PRIu32 "%s", (int)(at - url), url, room, number,
                       at + sizeof(mark) - 1);
        return;
    }
    (void)snprintf(out, URL_MAX, "%s%s%s-%" PRIu32, url, url[strlen(url) - 1] == '/' ? "" : "/",
                   room, number);
}

static int connect_to(struct resource *r)
{
    const char *host = evhttp_uri_get_host(r->uri);
    int port = evhttp_uri_get_port(r->uri);

    if (!host)
        return -EINVAL;
    if (!r->connection)
        r->connection = evhttp_connection_base_new(r->base, NULL, host,
                                                   (uint16_t)(port > 0 ? port : 80));
    if (!r->connection)
        return -ENOMEM;
    evhttp_connection_set_timeout(r->connection, TIMEOUT_S);
    return 0;
}

static void on_answer(struct evhttp_request *request, void *owner)
{
    struct resource *r = owner;
    int status = request ? evhttp_request_get_response_code(request) : 0;
    struct evbuffer *body;
    const char *location;

    if (status / 100 != 2) {
        if (status == 0)
            endpoint_fail(r->endpoint, "the server did not answer");
        else
            endpoint_fail(r->endpoint, "the server answered %d", status);
        return;
    }
    location = evhttp_find_header(evhttp_request_get_input_headers(request), "Location");
    r->location = location ? strdup(location) : NULL;
    body = evhttp_request_get_input_buffer(request);
    endpoint_sdp_take_answer(r->endpoint, (const char *)evbuffer_pullup(body, -1),
                             evbuffer_get_length(body));
}

static int post(struct resource *r, const struct text *offer)
{
    struct evhttp_request *request = evhttp_request_new(on_answer, r);
    struct evkeyvalq *headers;
    const char *path = evhttp_uri_get_path(r->uri);
    const char *query = evhttp_uri_get_query(r->uri);
    char target[URL_MAX];

    if (!request)
        return -ENOMEM;
    (void)snprintf(target, sizeof(target), "%s%s%s", path && path[0] ? path : "/", query ? "?" : "",
                   query ? query : "");
    headers = evhttp_request_get_output_headers(request);
    (void)evhttp_add_header(headers, "Host", evhttp_uri_get_host(r->uri));
    (void)evhttp_add_header(headers, "Content-Type", "application/sdp");
    (void)evbuffer_add(evhttp_request_get_output_buffer(request), text_str(offer), offer->len);
    return evhttp_make_request(r->connection, request, EVHTTP_REQ_POST, target) < 0 ? -EIO : 0;
}

static int send_offer(struct resource *r)
{
    struct text offer;
    int err;

    text_init(&offer, SDP_MAX_BYTES);
    err = endpoint_sdp_offer(r->endpoint, &offer);
    if (err == 0)
        err = post(r, &offer);
    text_done(&offer);
    if (err == 0)
        endpoint_joining(r->endpoint, clock_now_us());
    return err;
}

static int join(struct target *t, struct endpoint *e)
{
    struct whip *whip = (struct whip *)(void *)t;
    const char *url = e->n_sources > 0 ? whip->whip_url : whip->whep_url;
    struct resource *r = calloc(1, sizeof(*r));
    char room_url[URL_MAX];
    int err;

    if (!r)
        return -ENOMEM;
    e->signaling = r;
    r->endpoint = e;
    r->base = t->base;
    write_url(room_url, url, t->room, e->role.room);
    r->uri = evhttp_uri_parse(room_url);
    if (!r->uri)
        return -EINVAL;
    err = connect_to(r);
    return err < 0 ? err : send_offer(r);
}

static void on_deleted(struct evhttp_request *request, void *owner)
{
    (void)request;
    (void)owner;
}

static void leave(struct target *t, struct endpoint *e)
{
    struct resource *r = e->signaling;
    const char *path = r && r->location ? strstr(r->location, "://") : NULL;
    struct evhttp_request *request;

    (void)t;
    if (!r || !r->location)
        return;
    path = path ? strchr(path + 3, '/') : r->location;
    request = path ? evhttp_request_new(on_deleted, NULL) : NULL;
    if (!request)
        return;
    (void)evhttp_add_header(evhttp_request_get_output_headers(request), "Host",
                            evhttp_uri_get_host(r->uri));
    (void)evhttp_make_request(r->connection, request, EVHTTP_REQ_DELETE, path);
}

static void release(struct target *t, struct endpoint *e)
{
    struct resource *r = e->signaling;

    (void)t;
    e->signaling = NULL;
    if (!r)
        return;
    if (r->connection)
        evhttp_connection_free(r->connection);
    if (r->uri)
        evhttp_uri_free(r->uri);
    free(r->location);
    free(r);
}

struct target *target_whip_new(struct event_base *base, const char *whip_url, const char *whep_url,
                               const char *room)
{
    static const struct target_calls calls = {
        .join = join,
        .leave = leave,
        .release = release,
    };
    struct whip *w = calloc(1, sizeof(*w));

    if (!w)
        return NULL;
    w->target = (struct target){.calls = &calls, .base = base, .room = room};
    w->whip_url = whip_url;
    w->whep_url = whep_url ? whep_url : "";
    return &w->target;
}
