#include "sfu/server_internal.h"

#include "media/base/clock.h"
#include "media/base/text.h"
#include "sfu/access.h"
#include "sfu/session_media.h"
#include "signaling/websocket.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>

/* What HTTP tells us. */

static void send_to_websocket(void *peer, const char *json, size_t len)
{
    if (websocket_send(peer, json, len) < 0)
        return; /* it is closing, and on_close follows */
}

static void close_websocket(void *peer, uint16_t code, const char *reason)
{
    websocket_close(peer, code, reason);
}

static struct server *server_of(struct session *session)
{
    return CONTAINER_OF(session_host(session), struct server, host);
}

static int on_websocket(void *owner, struct websocket *ws, const char *address, const char *token,
                        void **session)
{
    static const struct session_sink sink = {.send = send_to_websocket, .close = close_websocket};
    struct server *s = owner;
    struct session *made;
    int err;

    (void)address;
    if (s->host.stopping)
        return -ESHUTDOWN;
    err = session_new(&made, &s->host, SESSION_WEBSOCKET, &sink, ws, clock_now_us());
    if (err < 0)
        return err;
    session_set_token(made, token);
    list_append(&s->sessions, session_link(made));
    s->n_sessions++;
    *session = made;
    return 0;
}

static void on_message(void *session, const char *text, size_t len)
{
    session_receive(session, text, len, clock_now_us());
}

static void on_close(void *session)
{
    struct server *s = server_of(session);

    session_free(session, clock_now_us());
    s->n_sessions--;
    server_end_if_all_gone(s);
}

static void on_media_post(void *owner, struct http_exchange *x, enum http_media media,
                          const char *room, const char *sdp, size_t len)
{
    struct server *s = owner;
    struct session_offer offer = {.sdp = sdp, .len = len};

    whip_post(&s->whip, x, media, room, &offer, clock_now_us());
}

static void on_media_delete(void *owner, struct http_exchange *x, enum http_media media,
                            const char *room, const char *resource)
{
    struct server *s = owner;

    whip_delete(&s->whip, x, media, room, resource, clock_now_us());
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

static bool on_admin_token(void *owner, const char *token)
{
    const struct server *s = owner;
    struct message error;
    struct grants grants;

    return access_admit(s->host.access, token, ACCESS_ADMIN, NULL,
                        session_host_wall_s(&s->host, clock_now_us()), &grants, &error) == 0;
}

const struct http_handler server_http_handler = {
    .on_websocket = on_websocket,
    .on_message = on_message,
    .on_close = on_close,
    .on_media_post = on_media_post,
    .on_media_delete = on_media_delete,
    .on_metrics = server_metrics,
    .on_admin = server_admin,
    .on_admin_token = on_admin_token,
    .on_health = on_health,
};
