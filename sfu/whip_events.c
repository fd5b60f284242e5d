/* The core extensions of WHEP: server-sent events, and the choice of a layer. Streams are told of
 * what is, once a second where it has changed: who comes later gets the state of then. */
#include "sfu/whip_internal.h"

#include "media/base/clock.h"
#include "media/base/random.h"
#include "media/base/text.h"
#include "sfu/refuse.h"
#include "sfu/session.h"
#include "sfu/session_whep.h"
#include "signaling/message_whep.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    STREAM_NAME_LEN = 16,
    MAX_PATH = 256,
    MAX_DATA = 8192,
    RATES_S = 10, /* layers are told again so often, for their rates */
};

struct whip_stream {
    struct list link; /* in resource->streams */
    struct whip_resource *resource;
    char name[STREAM_NAME_LEN + 1]; /* "": it goes with its reader */
    uint32_t wanted;                /* a set of 1 << enum whep_event */
    struct http_events *reader;     /* NULL: nobody reads */
    /* what the reader was told last */
    bool active;
    uint32_t viewers; /* 0: nothing */
    char *layers;     /* owned; without rates */
    char *muted;      /* owned */
    int64_t layers_us;
};

static void forget(struct whip_stream *s)
{
    s->active = false;
    s->viewers = 0;
    free(s->layers);
    free(s->muted);
    s->layers = s->muted = NULL;
}

static void stream_free(struct whip_stream *s)
{
    list_unlink(&s->link);
    s->resource->n_streams--;
    if (s->reader)
        http_events_end(s->reader);
    forget(s);
    free(s);
}

/* @return NULL: there are too many, or no memory; `error` says so */
static struct whip_stream *stream_new(struct whip_resource *r, uint32_t wanted,
                                      struct message *error)
{
    struct whip_stream *s;

    if (r->n_streams >= WHIP_MAX_STREAMS) {
        (void)refuse(error, "too_many_streams", "a session has %d streams of events at most",
                     WHIP_MAX_STREAMS);
        return NULL;
    }
    s = calloc(1, sizeof(*s));
    if (!s) {
        (void)refuse_no_memory(error);
        return NULL;
    }
    s->resource = r;
    s->wanted = wanted;
    list_append(&r->streams, &s->link);
    r->n_streams++;
    return s;
}

static struct whip_stream *find_stream(const struct whip_resource *r, const char *name)
{
    LIST_FOREACH(link, &r->streams) {
        struct whip_stream *s = CONTAINER_OF(link, struct whip_stream, link);

        if (s->name[0] && strcmp(s->name, name) == 0)
            return s;
    }
    return NULL;
}

void whip_events_done(struct whip_resource *r)
{
    LIST_FOREACH_SAFE(link, &r->streams) {
        stream_free(CONTAINER_OF(link, struct whip_stream, link));
    }
}

void whip_events_link(struct http_exchange *x, const char *path)
{
    char uri[MAX_PATH];
    struct http_link events = {.uri = uri,
                               .rel = "urn:ietf:params:whep:ext:core:server-sent-events",
                               .events = whep_event_names};
    struct http_link layer = {.uri = uri, .rel = "urn:ietf:params:whep:ext:core:layer"};

    (void)snprintf(uri, sizeof(uri), "%s/sse", path);
    http_exchange_link(x, &events);
    (void)snprintf(uri, sizeof(uri), "%s/layer", path);
    http_exchange_link(x, &layer);
}

/* What there is to tell */

static bool wants(const struct whip_stream *s, enum whep_event event)
{
    return s->reader && (s->wanted & 1U << event);
}

static void tell(struct whip_stream *s, enum whep_event event, const char *data)
{
    if (wants(s, event))
        http_events_send(s->reader, whep_event_name(event), data);
}

/* At first only that there is something: never that there is nothing. */
static void tell_active(struct whip_stream *s)
{
    bool active = session_whep_is_active(s->resource->session);

    if (active == s->active)
        return;
    s->active = active;
    tell(s, active ? WHEP_ACTIVE : WHEP_INACTIVE, "{}");
}

static void tell_viewers(struct whip_stream *s, uint32_t viewers)
{
    char data[40];

    if (viewers == s->viewers)
        return;
    s->viewers = viewers;
    (void)snprintf(data, sizeof(data), "{\"viewercount\":%" PRIu32 "}", viewers);
    tell(s, WHEP_VIEWERCOUNT, data);
}

/* Keep `text` as what was told last. @return true if it is another one than before */
static bool is_news(char **last, const struct text *text)
{
    char *copy;

    if (!text_ok(text) || (*last && strcmp(*last, text_str(text)) == 0))
        return false;
    if (!*last && strcmp(text_str(text), "{}") == 0)
        return false; /* nothing, and nothing before */
    copy = strdup(text_str(text));
    if (!copy)
        return false;
    free(*last);
    *last = copy;
    return true;
}

static void tell_layers(struct whip_stream *s, int64_t now_us)
{
    struct text text;
    bool news;

    text_init(&text, MAX_DATA);
    session_whep_write_layers(s->resource->session, false, &text);
    news = is_news(&s->layers, &text);
    text_done(&text);
    if (!news && (!s->layers || now_us - s->layers_us < RATES_S * SECOND))
        return;
    s->layers_us = now_us;
    session_whep_write_layers(s->resource->session, true, &text);
    if (text_ok(&text))
        tell(s, WHEP_LAYERS, text_str(&text));
    text_done(&text);
}

static void tell_muted(struct whip_stream *s)
{
    struct text text;

    text_init(&text, MAX_DATA);
    session_whep_write_muted(s->resource->session, &text);
    if (is_news(&s->muted, &text))
        tell(s, WHEP_MUTED, text_str(&text));
    text_done(&text);
}

static uint32_t count_viewers(const struct whip *w, const char *room)
{
    struct whip_resource *r;
    size_t cursor = 0;
    uint32_t n = 0;

    while ((r = map_next(&w->resources, &cursor)) != NULL) {
        n += session_kind(r->session) == SESSION_WHEP &&
             strcmp(session_room(r->session), room) == 0;
    }
    return n;
}

static void tell_all(const struct whip *w, struct whip_stream *s, int64_t now_us)
{
    tell_active(s);
    if (wants(s, WHEP_VIEWERCOUNT))
        tell_viewers(s, count_viewers(w, session_room(s->resource->session)));
    if (wants(s, WHEP_LAYERS))
        tell_layers(s, now_us);
    if (wants(s, WHEP_MUTED))
        tell_muted(s);
}

void whip_events_tick(const struct whip *w, struct whip_resource *r, int64_t now_us)
{
    if (session_state(r->session) != SESSION_JOINED)
        return;
    LIST_FOREACH(link, &r->streams) {
        struct whip_stream *s = CONTAINER_OF(link, struct whip_stream, link);

        if (s->reader)
            tell_all(w, s, now_us);
    }
}

/* What is asked */

static void on_reader_gone(void *owner)
{
    struct whip_stream *s = owner;

    s->reader = NULL;
    forget(s); /* the next one is told all */
    if (!s->name[0])
        stream_free(s);
}

static void reply_no_stream(struct http_exchange *x)
{
    http_reply_problem(x, 404, "unknown_stream", "no such stream of events");
}

static void create_stream(struct whip_resource *r, struct http_exchange *x,
                          const struct http_media_request *request)
{
    struct message error = {0};
    struct whip_stream *s = NULL;
    uint32_t wanted = 0;
    char location[MAX_PATH];

    if (whep_events_read(&wanted, request->body, request->len, &error) == 0)
        s = stream_new(r, wanted, &error);
    if (!s) {
        whip_reply_refusal(x, &error);
        return;
    }
    random_name(s->name, STREAM_NAME_LEN);
    (void)snprintf(location, sizeof(location), "/whep/%s/%s/sse/%s", request->room,
                   request->resource, s->name);
    http_reply_created(x, location, NULL, NULL);
}

/* A new reader takes the place of the one before. */
static void read_stream(const struct whip *w, struct whip_stream *s, struct http_exchange *x,
                        int64_t now_us)
{
    if (s->reader)
        http_events_end(s->reader);
    forget(s);
    s->reader = http_events_begin(x, on_reader_gone, s);
    if (s->reader)
        tell_all(w, s, now_us);
    else if (!s->name[0])
        stream_free(s);
}

/* EventSource of a browser can only GET: all events, without a POST before. */
static void read_all_events(const struct whip *w, struct whip_resource *r, struct http_exchange *x,
                            int64_t now_us)
{
    struct message error = {0};
    struct whip_stream *s = stream_new(r, (1U << WHEP_EVENT_COUNT) - 1, &error);

    if (s)
        read_stream(w, s, x, now_us);
    else
        whip_reply_refusal(x, &error);
}

static void choose_layer(struct whip_resource *r, struct http_exchange *x,
                         const struct http_media_request *request)
{
    struct message error = {0};
    struct whep_layer layer;

    if (whep_layer_read(&layer, request->body, request->len, &error) == 0 &&
        session_whep_choose(r->session, &layer, &error) == 0)
        http_reply_empty(x, 200);
    else
        whip_reply_refusal(x, &error);
}

static void serve_stream(const struct whip *w, struct whip_resource *r, struct http_exchange *x,
                         const struct http_media_request *request, int64_t now_us)
{
    struct whip_stream *s = find_stream(r, request->stream);

    if (!s) {
        reply_no_stream(x);
    } else if (request->method == HTTP_DELETE) {
        stream_free(s);
        http_reply_empty(x, 200);
    } else {
        read_stream(w, s, x, now_us);
    }
}

void whip_events_request(struct whip *w, struct whip_resource *r, struct http_exchange *x,
                         const struct http_media_request *request, int64_t now_us)
{
    if (strcmp(request->part, "layer") == 0)
        choose_layer(r, x, request);
    else if (request->stream[0])
        serve_stream(w, r, x, request, now_us);
    else if (request->method == HTTP_POST)
        create_stream(r, x, request);
    else
        read_all_events(w, r, x, now_us);
}
