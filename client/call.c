#include "client/call.h"

#include "media/base/clock.h"
#include "media/base/log.h"
#include "media/base/random.h"
#include "signaling/websocket.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NORMAL_CLOSURE = 1000, /* RFC 6455 section 7.4.1 */
    URL_MAX = 512,
    PAUSE_MIN_MS = 250, /* the longest pause before the second try to come back; then doubled */
    PAUSE_DOUBLINGS = 4,
};

/* A server that was lost is looked for so long. */
static const int64_t GIVE_UP_US = 60 * SECOND;

struct call {
    struct call_config config; /* strings point to the copies below */
    char url[URL_MAX], room[MESSAGE_ROOM_MAX + 1], name[MESSAGE_NAME_MAX + 1];
    char token[MESSAGE_TOKEN_MAX + 1]; /* the newest; "": none */
    const struct call_handler *handler;
    void *owner;
    enum call_state state;
    char error[320];
    struct websocket *websocket; /* NULL once it is closed */
    bool open, described;
    struct event_base *base;
    struct message_session session; /* to come back with */
    uint64_t seq;                   /* of the last event */
    struct event *retry;            /* NULL: the WebSocket was never lost */
    int64_t lost_us;                /* 0: it is not */
    uint32_t tries;                 /* to come back, since then */
    bool moved;                     /* `local` is to be told by another offer */
    struct call_rejoin rejoin;      /* see call_rejoin() */
    struct negotiation_local local;
    struct offer_section sections[PLAN_MAX_SECTIONS];
    uint32_t n_sections, n_answered; /* n_answered: of the last offer answered */
    uint64_t session_id, request_id;
    uint64_t offer_n, offer_request; /* number of the last offer; request it rode in, 0: answered */
    uint32_t wanted_audio, wanted_video; /* slots, as the server asked for */
    struct message_limits limits;
    uint32_t n_ice_servers;
    struct message_ice_server ice_servers[MESSAGE_MAX_ICE_SERVERS];
    uint32_t you;
    struct roster roster;
    struct bulletin bulletin;
    struct message_view view; /* config.view points to it */
    uint32_t n_viewed;        /* sections for which it was sent */
    uint32_t n_tracks;        /* ours */
    struct message_track tracks[MESSAGE_MAX_TRACKS];
};

const char *call_state_name(enum call_state state)
{
    static const char *const names[] = {
        [CALL_CONNECTING] = "connecting", [CALL_JOINING] = "joining", [CALL_JOINED] = "joined",
        [CALL_LEAVING] = "leaving",       [CALL_ENDED] = "ended",
    };

    return names[state];
}

static void set_state(struct call *c, enum call_state state)
{
    assert(state > c->state);
    c->state = state;
    c->handler->on_state(c->owner, state);
}

/* The call is over; the first reason counts. */
static void end(struct call *c, const char *format, ...) PRINTF_LIKE(2, 3);
static void end(struct call *c, const char *format, ...)
{
    va_list args;

    if (c->state == CALL_ENDED)
        return;
    va_start(args, format);
    if (c->error[0] == '\0' && c->state != CALL_LEAVING)
        (void)vsnprintf(c->error, sizeof(c->error), format, args);
    va_end(args);
    if (c->websocket)
        websocket_close(c->websocket, NORMAL_CLOSURE, "");
    set_state(c, CALL_ENDED);
}

static int send_message(struct call *c, const struct message *m)
{
    struct text text;
    int err;

    if (!c->websocket || !c->open)
        return -ENOTCONN;
    text_init(&text, MESSAGE_MAX_BYTES);
    err = message_write(&text, m);
    if (err == 0)
        err = websocket_send(c->websocket, text_str(&text), text.len);
    text_done(&text);
    return err;
}

static uint32_t count_slots(const struct call *c, enum media_kind kind)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < c->n_sections; i++)
        n += c->sections[i].use == SECTION_SLOT && c->sections[i].kind == kind;
    return n;
}

static void add_section(struct call *c, enum section_use use, enum media_kind kind)
{
    struct offer_section *section;

    if (c->n_sections == PLAN_MAX_SECTIONS)
        return;
    section = &c->sections[c->n_sections];
    *section = (struct offer_section){
        .use = use,
        .kind = kind,
        .codecs = {kind == KIND_AUDIO ? CODEC_OPUS : CODEC_VP8, CODEC_NONE},
        .stereo = c->config.stereo,
    };
    (void)snprintf(section->mid, sizeof(section->mid), "%" PRIu32, c->n_sections);
    if (use == SECTION_PUBLISH) {
        section->ssrc = random_u32();
        section->rtx_ssrc = kind == KIND_VIDEO ? random_u32() : 0;
    }
    c->n_sections++;
}

static void add_slots(struct call *c, enum media_kind kind, uint32_t wanted)
{
    for (uint32_t n = count_slots(c, kind); n < wanted; n++)
        add_section(c, SECTION_SLOT, kind);
}

static void make_sections(struct call *c)
{
    if (c->config.publish_audio)
        add_section(c, SECTION_PUBLISH, KIND_AUDIO);
    if (c->config.publish_video)
        add_section(c, SECTION_PUBLISH, KIND_VIDEO);
    add_slots(c, KIND_AUDIO, c->config.audio_slots);
    add_slots(c, KIND_VIDEO, c->config.video_slots);
}

static void describe_tracks(const struct call *c, struct message *m)
{
    for (uint32_t i = c->n_answered; i < c->n_sections; i++) {
        const struct offer_section *section = &c->sections[i];
        struct message_track_offer *track = &m->track_offers[m->n_track_offers];

        if (section->use != SECTION_PUBLISH)
            continue;
        (void)snprintf(track->mid, sizeof(track->mid), "%s", section->mid);
        (void)snprintf(track->source, sizeof(track->source), "%s",
                       section->kind == KIND_AUDIO ? "microphone" : "camera");
        track->kind = section->kind;
        m->n_track_offers++;
    }
}

/* For the next time we join. */
static void keep_token(struct call *c, const char *token)
{
    (void)snprintf(c->token, sizeof(c->token), "%s", token ? token : "");
    c->rejoin.token = c->token;
}

/* Send join, or offer again. */
static void send_offer(struct call *c, enum message_type type)
{
    struct message m = {.type = type, .id = ++c->request_id, .n = ++c->offer_n};
    struct text offer;
    int err;

    c->moved = false;
    text_init(&offer, SDP_MAX_BYTES);
    err = offer_write(&offer, &c->local, c->sections, c->n_sections, c->session_id, c->offer_n);
    if (err == 0) {
        m.sdp = text_take(&offer);
        (void)snprintf(m.room, sizeof(m.room), "%s", c->room);
        (void)snprintf(m.name, sizeof(m.name), "%s", c->name);
        m.token = c->token[0] && type == MESSAGE_JOIN ? strdup(c->token) : NULL;
        describe_tracks(c, &m);
        err = send_message(c, &m);
    }
    c->offer_request = m.id;
    message_done(&m);
    text_done(&offer);
    if (err < 0)
        end(c, "cannot send an offer: %s", err_name(err));
}

static void join_without_media(struct call *c)
{
    struct message m = {.type = MESSAGE_JOIN, .id = ++c->request_id};

    m.token = c->token[0] ? strdup(c->token) : NULL;
    m.call.mode = c->config.direct ? ROOM_DIRECT : ROOM_SFU;
    (void)snprintf(m.room, sizeof(m.room), "%s", c->room);
    (void)snprintf(m.name, sizeof(m.name), "%s", c->name);
    c->offer_request = m.id; /* what an error is about */
    if (send_message(c, &m) < 0)
        end(c, "cannot join");
    message_done(&m);
}

static void join_if_ready(struct call *c)
{
    if (c->state != CALL_CONNECTING || !c->open || !c->described)
        return;
    set_state(c, CALL_JOINING);
    if (c->config.presence) {
        join_without_media(c);
        return;
    }
    make_sections(c);
    send_offer(c, MESSAGE_JOIN);
}

void call_offer(struct call *c)
{
    if (c->state != CALL_JOINED || c->n_sections > 0)
        return;
    make_sections(c);
    send_offer(c, MESSAGE_OFFER);
}

int call_request(struct call *c, struct message *m)
{
    m->id = ++c->request_id;
    return send_message(c, m);
}

static uint32_t slots_to_offer(uint32_t wanted, uint32_t configured, uint32_t limit)
{
    uint32_t max = limit > 0 && limit < CALL_MAX_SLOTS ? limit : CALL_MAX_SLOTS;

    if (configured == 0)
        return 0; /* of no interest to us */
    return wanted < max ? wanted : max;
}

static void offer_wanted_slots(struct call *c)
{
    uint32_t before = c->n_sections;

    if (c->state != CALL_JOINED || c->offer_request != 0)
        return;
    add_slots(c, KIND_AUDIO,
              slots_to_offer(c->wanted_audio, c->config.audio_slots, c->limits.audio_slots));
    add_slots(c, KIND_VIDEO,
              slots_to_offer(c->wanted_video, c->config.video_slots, c->limits.video_slots));
    if (c->n_sections > before || c->moved)
        send_offer(c, MESSAGE_OFFER);
}

/* For the slots of the last answer that are new. */
static void send_views(struct call *c)
{
    struct message m = {.type = MESSAGE_VIEW, .id = ++c->request_id};
    struct message_view views[MESSAGE_MAX_VIEWS];

    m.views = views; /* borrowed: no message_done() */
    for (; c->n_viewed < c->n_answered && m.n_views < MESSAGE_MAX_VIEWS; c->n_viewed++) {
        const struct offer_section *section = &c->sections[c->n_viewed];
        struct message_view *view = &views[m.n_views];

        if (section->use != SECTION_SLOT || section->kind != KIND_VIDEO)
            continue;
        *view = c->view;
        memcpy(view->mid, section->mid, sizeof(view->mid));
        m.n_views++;
    }
    if (m.n_views > 0 && send_message(c, &m) < 0)
        return; /* not connected any more: told soon */
}

static void read_answer(struct call *c, const struct message *m)
{
    struct media_plan *plan = NULL;
    struct negotiation_error error = {0};
    int err;

    if (c->offer_request == 0 || m->id != c->offer_request || !m->sdp)
        return;
    err = answer_read(&plan, m->sdp, strlen(m->sdp), c->sections, c->n_sections, &error);
    if (err < 0) {
        end(c, "the server's answer cannot be used: %s", error.message);
        return;
    }
    c->offer_request = 0;
    c->n_answered = c->n_sections;
    c->n_tracks = m->n_tracks;
    memcpy(c->tracks, m->tracks, sizeof(c->tracks));
    c->handler->on_plan(c->owner, plan);
    media_plan_unref(plan);
    if (c->config.view)
        send_views(c);
}

static void on_joined(struct call *c, const struct message *m)
{
    if (c->state != CALL_JOINING)
        return;
    c->you = m->you;
    c->limits = m->limits;
    c->n_ice_servers = m->n_ice_servers;
    memcpy(c->ice_servers, m->ice_servers, sizeof(c->ice_servers));
    c->session = m->session;
    if (!m->sdp)
        c->offer_request = 0;
    set_state(c, CALL_JOINED);
    read_answer(c, m);
}

/* Coming back */

static void open_websocket(struct call *c);

static void on_retry(evutil_socket_t fd, short what, void *owner)
{
    (void)fd;
    (void)what;
    open_websocket(owner);
}

/* At once at first, then after growing, random pauses, so that not all come at the same time. */
static void retry_later(struct call *c)
{
    uint32_t doublings = c->tries < PAUSE_DOUBLINGS ? c->tries : PAUSE_DOUBLINGS;
    uint32_t pause_ms = c->tries > 0 ? random_u32() % (PAUSE_MIN_MS << doublings) : 0;
    struct timeval wait = {.tv_sec = pause_ms / 1000, .tv_usec = pause_ms % 1000 * 1000};

    c->tries++;
    if (!c->retry)
        c->retry = evtimer_new(c->base, on_retry, c);
    if (!c->retry || event_add(c->retry, &wait) < 0)
        end(c, "out of memory");
}

/* @return false: we do not come back */
static bool come_back(struct call *c, const char *reason)
{
    int64_t now_us = clock_now_us();

    if (c->state != CALL_JOINED || !c->session.id[0] || c->config.no_reconnect)
        return false;
    if (!c->lost_us) {
        log_warn("call", "the connection to the server was lost, media goes on: reason=\"%s\"",
                 reason);
        c->lost_us = now_us;
        c->tries = 0;
    }
    if (now_us - c->lost_us > GIVE_UP_US)
        return false;
    retry_later(c);
    return true;
}

static void send_resume(struct call *c)
{
    struct message m = {
        .type = MESSAGE_RESUME, .id = ++c->request_id, .session = c->session, .seq = c->seq};

    if (send_message(c, &m) < 0)
        return; /* lost again, and told so */
}

static void on_resumed(struct call *c, const struct message *m)
{
    log_info("call", "resumed: away_ms=%" PRId64 " replayed=%s", (clock_now_us() - c->lost_us) / MS,
             m->replayed ? "yes" : "no");
    c->lost_us = 0;
    c->n_viewed = 0;
    if (c->config.view)
        send_views(c);
    if (c->offer_request != 0) {
        c->offer_n--; /* the same one again */
        send_offer(c, MESSAGE_OFFER);
    }
}

static void on_error(struct call *c, const struct message *m)
{
    if (c->lost_us) {
        c->rejoin.allowed = true;
        end(c, "the server does not take us back: %s (%s)", m->text, m->code);
        return;
    }
    if (c->state == CALL_JOINING && m->id == c->offer_request) {
        c->rejoin.allowed = m->retry_after_ms > 0;
        c->rejoin.after_ms = m->retry_after_ms;
        end(c, "the server refused: %s (%s)", m->text, m->code);
        return;
    }
    if (m->id == c->offer_request && c->offer_request != 0) {
        c->offer_request = 0; /* we go on with the slots we have */
        c->n_sections = c->n_answered;
        c->wanted_audio = c->wanted_video = 0;
    }
    log_warn("call", "the server refused a request: code=%s message=%s", m->code, m->text);
}

static void on_slots(struct call *c, const struct message *m)
{
    for (uint32_t i = 0; i < m->n_slots; i++)
        c->handler->on_slot(c->owner, &m->slots[i]);
}

static void on_want(struct call *c, const struct message_want *want)
{
    bool wanted = want->n_layers == 0;

    for (uint32_t i = 0; i < want->n_layers; i++)
        wanted = wanted || want->layers[i].active;
    for (uint32_t i = 0; i < c->n_tracks; i++) {
        if (c->tracks[i].id == want->track)
            c->handler->on_want(c->owner, c->tracks[i].kind, wanted);
    }
}

static void on_go(struct call *c, const struct message *m)
{
    /* All actions mean that we cannot stay as we are. */
    c->rejoin.allowed = strcmp(m->action, "rejoin") == 0;
    c->rejoin.after_ms = m->retry_after_ms;
    (void)snprintf(c->rejoin.room, sizeof(c->rejoin.room), "%s", m->room);
    if (m->token)
        keep_token(c, m->token);
    end(c, "the server ended the call: %s (%s %s)", m->text, m->action, m->code);
}

/* Keep what is of use later. @return 0; -ENOMEM */
static int note(struct call *c, struct message *m)
{
    if (m->seq && (m->type != MESSAGE_RESUMED || !m->replayed))
        c->seq = m->seq;
    if (m->type == MESSAGE_TOKEN)
        keep_token(c, m->token);
    bulletin_update(&c->bulletin, m);
    return roster_update(&c->roster, m);
}

static void act_on(struct call *c, struct message *m)
{
    switch (m->type) {
    case MESSAGE_JOINED:
        on_joined(c, m);
        break;
    case MESSAGE_RESUMED:
        on_resumed(c, m);
        break;
    case MESSAGE_ANSWER:
        read_answer(c, m);
        break;
    case MESSAGE_NEED:
        c->wanted_audio = m->need_audio;
        c->wanted_video = m->need_video;
        break;
    case MESSAGE_SLOTS:
        on_slots(c, m);
        break;
    case MESSAGE_WANT:
        on_want(c, &m->want);
        break;
    case MESSAGE_GO:
        on_go(c, m);
        break;
    case MESSAGE_ERROR:
        on_error(c, m);
        break;
    case MESSAGE_UNKNOWN: /* of a newer server: of no meaning to us */
    case MESSAGE_JOIN:
    case MESSAGE_OFFER:
    case MESSAGE_MUTE:
    case MESSAGE_VIEW:
    case MESSAGE_SUBSCRIBE:
    case MESSAGE_UNSUBSCRIBE:
    case MESSAGE_PING:
    case MESSAGE_RESUME:
    case MESSAGE_LEAVE:
    case MESSAGE_CALL:
    case MESSAGE_RINGING:
    case MESSAGE_ACCEPT:
    case MESSAGE_REJECT:
    case MESSAGE_CANCEL:
    case MESSAGE_END:
    case MESSAGE_RELAY:
    case MESSAGE_ACCEPTED:
    case MESSAGE_ENDED:
    case MESSAGE_ROOM:
    case MESSAGE_SPEAKERS: /* in the bulletin */
    case MESSAGE_STREAM:
    case MESSAGE_QUALITY:
    case MESSAGE_TOKEN: /* is kept */
    case MESSAGE_LIMIT: /* of video, which we cannot make smaller */
    case MESSAGE_PARTICIPANT:
    case MESSAGE_TRACK:
    case MESSAGE_OK:
    case MESSAGE_PONG:
        break;
    }
}

static void dispatch(struct call *c, struct message *m)
{
    act_on(c, m);
    c->handler->on_message(c->owner, m);
    offer_wanted_slots(c);
}

static void on_websocket_open(void *owner)
{
    struct call *c = owner;

    c->open = true;
    if (c->lost_us)
        send_resume(c);
    else
        join_if_ready(c);
}

static void on_websocket_message(void *owner, const char *text, size_t len)
{
    struct call *c = owner;
    struct message m;
    struct message error;

    if (c->state == CALL_ENDED)
        return;
    if (message_parse(&m, text, len, &error) < 0) {
        end(c, "the server sent what is not our protocol: %s", error.text);
        message_done(&error);
        return;
    }
    if (note(c, &m) < 0)
        end(c, "out of memory");
    else
        dispatch(c, &m);
    message_done(&m);
}

static void on_websocket_close(void *owner, uint16_t code, const char *reason)
{
    struct call *c = owner;
    bool was_open = c->open;

    (void)code;
    c->websocket = websocket_free(c->websocket);
    c->open = false;
    if (come_back(c, reason))
        return;
    c->rejoin.allowed = c->state < CALL_LEAVING;
    if (!was_open)
        end(c, "no answer from %s: %s", c->url, reason);
    else
        end(c, "the server closed the connection: %s", reason);
}

static const struct websocket_handler websocket_handler = {
    .on_open = on_websocket_open,
    .on_message = on_websocket_message,
    .on_close = on_websocket_close,
};

static int connect_websocket(struct call *c)
{
    struct websocket_handler events = websocket_handler;

    events.tls = c->config.tls;
    return websocket_connect(&c->websocket, c->base, c->url, &events, c);
}

static void open_websocket(struct call *c)
{
    if (c->state == CALL_JOINED && connect_websocket(c) < 0)
        end(c, "out of memory");
}

int call_new(struct call **ret, struct event_base *base, const struct call_config *config,
             const struct call_handler *handler, void *owner)
{
    struct call *c = calloc(1, sizeof(*c));
    int err;

    if (!c)
        return -ENOMEM;
    c->config = *config;
    (void)snprintf(c->url, sizeof(c->url), "%s", config->url);
    (void)snprintf(c->room, sizeof(c->room), "%s", config->room);
    (void)snprintf(c->name, sizeof(c->name), "%s", config->name);
    keep_token(c, config->token);
    if (config->view)
        c->view = *config->view;
    c->handler = handler;
    c->owner = owner;
    c->session_id = random_u64() >> 2; /* RFC 8829 section 5.2.1: a positive 64 bit number */
    c->base = base;
    err = connect_websocket(c);
    if (err < 0) {
        call_free(c);
        return err;
    }
    *ret = c;
    return 0;
}

struct call *call_free(struct call *c)
{
    if (!c)
        return NULL;
    c->websocket = websocket_free(c->websocket);
    if (c->retry)
        event_free(c->retry);
    roster_done(&c->roster);
    bulletin_done(&c->bulletin);
    free(c);
    return NULL;
}

void call_set_local(struct call *c, const struct negotiation_local *local)
{
    c->local = *local;
    c->described = true;
    join_if_ready(c);
}

void call_set_candidates(struct call *c, const struct negotiation_local *local)
{
    c->local.n_candidates = local->n_candidates;
    memcpy(c->local.candidates, local->candidates, sizeof(local->candidates));
    c->moved = true;
    offer_wanted_slots(c);
}

void call_leave(struct call *c)
{
    struct message m = {.type = MESSAGE_LEAVE};

    if (c->state >= CALL_LEAVING)
        return;
    if (c->state != CALL_JOINED) {
        set_state(c, CALL_LEAVING);
        end(c, "left");
        return;
    }
    m.id = ++c->request_id;
    set_state(c, CALL_LEAVING);
    if (send_message(c, &m) < 0)
        end(c, "left");
}

enum call_state call_state(const struct call *c)
{
    return c->state;
}

const char *call_error(const struct call *c)
{
    return c->error;
}

uint32_t call_ice_servers(const struct call *c, const struct message_ice_server **ret)
{
    *ret = c->ice_servers;
    return c->n_ice_servers;
}

uint32_t call_you(const struct call *c)
{
    return c->you;
}

const struct roster *call_roster(const struct call *c)
{
    return &c->roster;
}

const struct bulletin *call_bulletin(const struct call *c)
{
    return &c->bulletin;
}

const struct call_rejoin *call_rejoin(const struct call *c)
{
    return &c->rejoin;
}
