/* Load on Janus' VideoRoom, 1.x: a session of its own for every endpoint. Who publishes offers; to
 * who receives Janus offers. */
#include "bench/endpoint.h"
#include "bench/endpoint_sdp.h"
#include "bench/janus_message.h"
#include "bench/scenario.h"
#include "bench/target.h"
#include "bench/ws_session.h"
#include "media/base/clock.h"
#include "media/base/log.h"
#include "media/base/random.h"
#include "signaling/websocket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROOMS = 100000, /* numbers of rooms are apart by so much from run to run */
    FEEDS_MAX = 1000,
};

/* A publisher that has joined. */
struct feed {
    uint32_t room, endpoint;
    uint64_t id;
};

struct janus {
    struct target target;
    const char *url; /* borrowed */
    uint64_t first_room;
    uint32_t n_feeds;
    struct feed feeds[SCENARIO_MAX_ENDPOINTS];
};

/* What the next answer is to; moves down this list only. */
enum session_state {
    SESSION_CREATING,
    SESSION_ATTACHING,
    SESSION_MAKING_ROOM, /* publishers: it may be there already */
    SESSION_JOINING,     /* publishers */
    SESSION_PUBLISHING,  /* publishers */
    SESSION_SUBSCRIBING, /* subscribers */
    SESSION_READY,
};

struct session {
    struct ws_session ws;
    struct janus *janus;
    enum session_state state;
    struct janus_address address;
};

/* @param request  freed here; NULL: no memory */
static void send_request(struct session *s, char *request, enum session_state state)
{
    int err = -ENOMEM;

    if (request && s->ws.websocket)
        err = websocket_send(s->ws.websocket, request, strlen(request));
    free(request);
    s->state = state;
    if (err < 0)
        endpoint_fail(s->ws.endpoint, "cannot send a request: %s", err_name(err));
}

static uint64_t room_of(const struct session *s)
{
    return s->janus->first_room + s->ws.endpoint->role.room;
}

/* ------------------------------------------------------------------ publishers */

static void publish(struct session *s, uint64_t feed)
{
    struct janus *j = s->janus;
    const struct endpoint *e = s->ws.endpoint;
    struct text offer;

    if (j->n_feeds < SCENARIO_MAX_ENDPOINTS)
        j->feeds[j->n_feeds++] = (struct feed){e->role.room, e->id, feed};
    text_init(&offer, SDP_MAX_BYTES);
    if (endpoint_sdp_offer(e, &offer) == 0)
        send_request(s, janus_request_sdp(&s->address, "publish", text_str(&offer)),
                     SESSION_PUBLISHING);
    text_done(&offer);
}

static void take_answer(struct session *s, const char *answer)
{
    s->state = SESSION_READY;
    endpoint_sdp_take_answer(s->ws.endpoint, answer, strlen(answer));
}

/* ------------------------------------------------------------------ subscribers */

/* Of a meeting, who receives is not who publishes: the n-th of the ones leaves out the n-th of the
 * others. */
static void subscribe(struct session *s)
{
    const struct janus *j = s->janus;
    const struct endpoint_role *role = &s->ws.endpoint->role;
    uint32_t wanted = role->audio_slots > role->video_slots ? role->audio_slots : role->video_slots;
    uint64_t feeds[FEEDS_MAX];
    uint32_t in_room = 0;
    size_t n = 0;

    for (uint32_t i = 0; i < j->n_feeds; i++)
        in_room += j->feeds[i].room == role->room;
    for (uint32_t i = 0; i < j->n_feeds && n < wanted && n < FEEDS_MAX; i++) {
        bool own = in_room > wanted && j->feeds[i].endpoint == s->ws.endpoint->id - j->n_feeds;

        if (j->feeds[i].room == role->room && !own)
            feeds[n++] = j->feeds[i].id;
    }
    send_request(s, janus_request_subscribe(&s->address, room_of(s), feeds, n),
                 SESSION_SUBSCRIBING);
    endpoint_joining(s->ws.endpoint, clock_now_us());
}

static void answer_offer(struct session *s, const char *offer)
{
    struct text answer;

    text_init(&answer, SDP_MAX_BYTES);
    if (endpoint_sdp_answer(s->ws.endpoint, offer, &answer) == 0)
        send_request(s, janus_request_sdp(&s->address, "start", text_str(&answer)), SESSION_READY);
    text_done(&answer);
}

/* ------------------------------------------------------------------ both */

static void on_success(struct session *s, uint64_t id)
{
    bool publishes = s->ws.endpoint->n_sources > 0;

    if (s->state == SESSION_CREATING) {
        s->address.session = id;
        send_request(s, janus_request(&s->address, "attach"), SESSION_ATTACHING);
    } else if (s->state == SESSION_ATTACHING) {
        s->address.handle = id;
        if (publishes) {
            send_request(s, janus_request_room(&s->address, room_of(s), FEEDS_MAX),
                         SESSION_MAKING_ROOM);
        } else {
            subscribe(s);
        }
    } else if (s->state == SESSION_MAKING_ROOM) {
        send_request(s, janus_request_join(&s->address, room_of(s)), SESSION_JOINING);
        endpoint_joining(s->ws.endpoint, clock_now_us());
    }
}

static void dispatch(struct session *s, const struct janus_message *m)
{
    switch (m->kind) {
    case JANUS_OTHER:
        break;
    case JANUS_SUCCESS:
        on_success(s, m->id);
        break;
    case JANUS_JOINED:
        if (s->state == SESSION_JOINING)
            publish(s, m->id);
        break;
    case JANUS_EVENT:
        if (s->state == SESSION_PUBLISHING && m->sdp)
            take_answer(s, m->sdp);
        break;
    case JANUS_ATTACHED:
        if (s->state == SESSION_SUBSCRIBING && m->sdp)
            answer_offer(s, m->sdp);
        break;
    case JANUS_ERROR:
        if (s->state == SESSION_MAKING_ROOM && m->error_code == JANUS_ROOM_EXISTS)
            on_success(s, 0);
        else
            endpoint_fail(s->ws.endpoint, "the server refused: %s (%d)", m->error, m->error_code);
        break;
    case JANUS_HANGUP:
        endpoint_fail(s->ws.endpoint, "the server hung up: %s", m->error);
        break;
    }
}

static void on_open(void *owner)
{
    struct session *s = owner;

    send_request(s, janus_request(&s->address, "create"), SESSION_CREATING);
}

static void on_message(void *owner, const char *text, size_t len)
{
    struct session *s = owner;
    struct janus_message m;

    if (janus_message_parse(&m, text, len) < 0) {
        endpoint_fail(s->ws.endpoint, "the server sent what is no message of Janus");
        return;
    }
    dispatch(s, &m);
    janus_message_done(&m);
}

static int join(struct target *t, struct endpoint *e)
{
    static const struct websocket_handler handler = {
        .on_open = on_open,
        .on_message = on_message,
        .on_close = ws_session_on_close,
        .protocol = "janus-protocol",
    };
    struct janus *j = (struct janus *)(void *)t;
    struct session *s = calloc(1, sizeof(*s));

    if (!s)
        return -ENOMEM;
    s->janus = j;
    return ws_session_open(&s->ws, t, e, j->url, &handler);
}

/* Of the session, not of its handle. */
static void send_session_request(struct session *s, const char *type)
{
    struct janus_address session = {.session = s->address.session};

    send_request(s, janus_request(&session, type), SESSION_READY);
}

static void tick(struct target *t, struct endpoint *e)
{
    struct session *s = e->signaling;

    (void)t;
    if (s && s->ws.websocket && s->state == SESSION_READY)
        send_session_request(s, "keepalive");
}

static void leave(struct target *t, struct endpoint *e)
{
    struct session *s = e->signaling;

    if (s && s->ws.websocket && s->address.session)
        send_session_request(s, "destroy");
    ws_session_leave(t, e);
}

struct target *target_janus_new(struct event_base *base, const char *url, const char *room)
{
    static const struct target_calls calls = {
        .join = join,
        .leave = leave,
        .release = ws_session_release,
        .tick = tick,
    };
    struct janus *j = calloc(1, sizeof(*j));

    if (!j)
        return NULL;
    j->target = (struct target){.calls = &calls, .base = base, .room = room};
    j->url = url;
    j->first_room = 1 + (uint64_t)random_u32() * ROOMS;
    return &j->target;
}
