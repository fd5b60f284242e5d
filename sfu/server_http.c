#include "sfu/server_internal.h"

#include "media/base/clock.h"
#include "media/base/text.h"
#include "sfu/access.h"
#include "sfu/session_limits.h"
#include "sfu/session_media.h"
#include "signaling/websocket.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* What HTTP tells us. */

/** A WebSocket, and whose it is: a resume gives it another session. */
struct channel {
    struct server *server;
    struct websocket *ws;
    struct session *session; /* NULL: it was replaced by another WebSocket, and closes */
};

static void send_to_websocket(void *peer, const char *json, size_t len)
{
    const struct channel *c = peer;

    if (websocket_send(c->ws, json, len) < 0)
        return; /* it is closing, and on_close follows */
}

static void close_websocket(void *peer, uint16_t code, const char *reason)
{
    const struct channel *c = peer;

    websocket_close(c->ws, code, reason);
}

static void ping_websocket(void *peer, uint64_t number)
{
    const struct channel *c = peer;

    websocket_ping(c->ws, number);
}

static void adopt(void *peer, struct session *session)
{
    struct channel *c = peer;

    c->session = session;
}

void server_free_session(struct server *s, struct session *session, int64_t now_us)
{
    session_free(session, now_us);
    s->n_sessions--;
    server_end_if_all_gone(s);
}

static int on_websocket(void *owner, struct websocket *ws, const char *address, const char *token,
                        void **session)
{
    static const struct session_sink sink = {.send = send_to_websocket,
                                             .close = close_websocket,
                                             .ping = ping_websocket,
                                             .adopt = adopt};
    struct server *s = owner;
    struct channel *c;
    int err;

    if (s->host.stopping)
        return -ESHUTDOWN;
    c = malloc(sizeof(*c));
    if (!c)
        return -ENOMEM;
    *c = (struct channel){.server = s, .ws = ws};
    err = session_new(&c->session, &s->host, SESSION_WEBSOCKET, &sink, c, clock_now_us());
    if (err < 0) {
        free(c);
        return err;
    }
    session_set_token(c->session, token);
    session_limits_set_address(c->session, address);
    list_append(&s->sessions, session_link(c->session));
    s->n_sessions++;
    *session = c;
    return 0;
}

static void on_message(void *channel, const char *text, size_t len)
{
    struct channel *c = channel;
    struct session *before = c->session;
    int64_t now_us = clock_now_us();

    if (!before)
        return;
    session_receive(before, text, len, now_us);
    if (c->session != before)
        server_free_session(c->server, before, now_us);
}

static void on_pong(void *channel, uint64_t number)
{
    const struct channel *c = channel;

    if (c->session)
        session_confirm(c->session, number);
}

/* RFC 6455 section 7.4.1: done, going away, closed without a word. A client that means to come back
 * closes with another code, if it closes at all. */
static bool is_on_purpose(uint16_t code)
{
    return code == 1000 || code == 1001 || code == 1005;
}

static void on_close(void *channel, uint16_t code)
{
    struct channel *c = channel;
    struct server *s = c->server;
    struct session *session = c->session;
    int64_t now_us = clock_now_us();

    free(c);
    if (session && !session_detach(session, is_on_purpose(code), now_us))
        server_free_session(s, session, now_us);
}

static void on_media_post(void *owner, struct http_exchange *x, enum http_media media,
                          const char *room, const char *sdp, size_t len)
{
    struct server *s = owner;
    struct session_offer offer = {.sdp = sdp, .len = len};

    whip_post(&s->whip, x, media, room, &offer, clock_now_us());
}

static void on_media_options(void *owner, struct http_exchange *x, enum http_media media,
                             const char *room)
{
    struct server *s = owner;

    whip_options(&s->whip, x, media, room, clock_now_us());
}

static void on_media_request(void *owner, struct http_exchange *x,
                             const struct http_media_request *request)
{
    struct server *s = owner;

    whip_request(&s->whip, x, request, clock_now_us());
}

static bool on_health(void *owner, char *json, size_t capacity)
{
    struct server_status status;
    struct text text;

    server_status(owner, &status);
    text_init(&text, capacity - 1);
    text_printf(&text,
                "{\"status\":\"%s\",\"rooms\":%" PRIu32 ",\"participants\":%" PRIu32
                ",\"sessions\":%" PRIu32 ",\"workers\":%" PRIu32 ",\"on_worker\":[",
                server_state_name(&status), status.rooms, status.participants, status.sessions,
                status.workers);
    for (uint32_t i = 0; i < status.workers; i++)
        text_printf(&text, "%s%" PRIu32, i ? "," : "", status.on_worker[i]);
    text_printf(&text, "],\"uptime_s\":%" PRId64 "}\n", status.uptime_s);
    (void)snprintf(json, capacity, "%s", text_str(&text));
    text_done(&text);
    return !status.stopping && !status.draining;
}

static bool on_admin_token(void *owner, const char *token, const char *room)
{
    const struct server *s = owner;
    struct message error;
    struct grants grants;

    return access_admit(s->host.access, token, ACCESS_ADMIN, room,
                        session_host_wall_s(&s->host, clock_now_us()), &grants, &error) == 0;
}

const struct http_handler server_http_handler = {
    .on_websocket = on_websocket,
    .on_message = on_message,
    .on_pong = on_pong,
    .on_close = on_close,
    .on_media_post = on_media_post,
    .on_media_request = on_media_request,
    .on_media_options = on_media_options,
    .on_metrics = server_metrics,
    .on_admin = server_admin,
    .on_admin_token = on_admin_token,
    .on_health = on_health,
};
