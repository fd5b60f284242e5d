/* Load on a sluice server: docs/PROTOCOL.md, one WebSocket per endpoint. */
#include "bench/endpoint.h"
#include "bench/endpoint_sdp.h"
#include "bench/target.h"
#include "bench/ws_session.h"
#include "media/base/clock.h"
#include "media/base/log.h"
#include "signaling/message.h"
#include "signaling/websocket.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { URL_MAX = 512 };

struct sluice {
    struct target target;
    char url[URL_MAX];
};

struct session {
    struct ws_session ws;
    char room[MESSAGE_ROOM_MAX + 1];
};

static void describe_tracks(const struct endpoint *e, struct message *m)
{
    struct offer_section sections[PLAN_MAX_SECTIONS];
    uint32_t n = endpoint_sections(e, sections);

    for (uint32_t i = 0; i < n; i++) {
        struct message_track_offer *track = &m->track_offers[m->n_track_offers];

        if (sections[i].use != SECTION_PUBLISH)
            continue;
        (void)snprintf(track->mid, sizeof(track->mid), "%s", sections[i].mid);
        (void)snprintf(track->source, sizeof(track->source), "%s",
                       sections[i].kind == KIND_AUDIO ? "microphone" : "camera");
        track->kind = sections[i].kind;
        m->n_track_offers++;
    }
}

static int write_join(const struct session *s, struct text *out)
{
    struct message m = {.type = MESSAGE_JOIN, .id = 1, .n = 1};
    struct text offer;
    int err;

    text_init(&offer, SDP_MAX_BYTES);
    err = endpoint_sdp_offer(s->ws.endpoint, &offer);
    if (err == 0) {
        m.sdp = text_take(&offer);
        (void)snprintf(m.room, sizeof(m.room), "%s", s->room);
        (void)snprintf(m.name, sizeof(m.name), "bench-%" PRIu32, s->ws.endpoint->id);
        describe_tracks(s->ws.endpoint, &m);
        err = message_write(out, &m);
    }
    message_done(&m);
    text_done(&offer);
    return err;
}

static void on_open(void *owner)
{
    struct session *s = owner;
    struct text join;
    int err;

    text_init(&join, MESSAGE_MAX_BYTES);
    err = write_join(s, &join);
    if (err == 0)
        err = websocket_send(s->ws.websocket, text_str(&join), join.len);
    text_done(&join);
    if (err < 0)
        endpoint_fail(s->ws.endpoint, "cannot join: %s", err_name(err));
    else
        endpoint_joining(s->ws.endpoint, clock_now_us());
}

/* The roster of a large room is most of what comes, and nothing to us. */
static bool is_of_interest(const char *text)
{
    static const char *const types[] = {"\"joined\"", "\"error\"", "\"go\""};
    const char *type = strstr(text, "\"t\":");

    for (size_t i = 0; type && i < ARRAY_LEN(types); i++) {
        if (strncmp(type + 4, types[i], strlen(types[i])) == 0)
            return true;
    }
    return false;
}

static void on_message(void *owner, const char *text, size_t len)
{
    struct session *s = owner;
    struct message m;
    struct message error;

    if (!is_of_interest(text))
        return;
    if (message_parse(&m, text, len, &error) < 0) {
        endpoint_fail(s->ws.endpoint, "the server sent what is not our protocol: %s", error.text);
        message_done(&error);
        return;
    }
    if (m.type == MESSAGE_JOINED)
        endpoint_sdp_take_answer(s->ws.endpoint, m.sdp ? m.sdp : "", m.sdp ? strlen(m.sdp) : 0);
    else if (m.type == MESSAGE_ERROR)
        endpoint_fail(s->ws.endpoint, "the server refused: %s (%s)", m.text, m.code);
    else if (m.type == MESSAGE_GO)
        endpoint_fail(s->ws.endpoint, "the server ended the call: %s (%s)", m.text, m.code);
    message_done(&m);
}

static int join(struct target *t, struct endpoint *e)
{
    static const struct websocket_handler handler = {
        .on_open = on_open,
        .on_message = on_message,
        .on_close = ws_session_on_close,
    };
    struct sluice *sluice = (struct sluice *)(void *)t;
    struct session *s = calloc(1, sizeof(*s));

    if (!s)
        return -ENOMEM;
    (void)snprintf(s->room, sizeof(s->room), "%s-%" PRIu32, t->room, e->role.room);
    return ws_session_open(&s->ws, t, e, sluice->url, &handler);
}

struct target *target_sluice_new(struct event_base *base, const char *url, const char *room)
{
    static const struct target_calls calls = {
        .join = join,
        .leave = ws_session_leave,
        .release = ws_session_release,
    };
    struct sluice *s = calloc(1, sizeof(*s));
    const char *host = strstr(url, "://");

    if (!s)
        return NULL;
    s->target = (struct target){.calls = &calls, .base = base, .room = room};
    (void)snprintf(s->url, sizeof(s->url), "%s%s", url,
                   strchr(host ? host + 3 : url, '/') ? "" : "/ws");
    return &s->target;
}
