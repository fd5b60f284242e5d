#include "sfu/webhooks.h"

#include "media/base/clock.h"
#include "media/base/log.h"
#include "media/base/random.h"
#include "media/base/text.h"
#include "sfu/config.h"
#include "sfu/session.h"
#include "sfu/webhook_http.h"
#include "sfu/webhook_record.h"
#include "sfu/webhook_signature.h"
#include "signaling/grants.h"
#include "signaling/json_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_EVENT = 8192, /* bytes of an event */
    INSTANCE_LEN = 12,
    LOG_BURST = 5, /* lines per second of receivers that do not take events */
};

struct receiver {
    char url[CONFIG_ENTRY_MAX + 1];
    struct webhook_queue queue;
};

struct webhooks {
    const struct session_host *host;
    struct webhook_carrier carrier;
    char secret[CONFIG_PATH_MAX + 1];
    char instance[INSTANCE_LEN + 1]; /* this run of the server */
    uint32_t n_receivers;
    struct receiver *receivers[CONFIG_LIST_MAX];
    struct webhook_counters retired; /* of receivers that are no more */
    struct webhook_records records;
    uint64_t n_events;
    struct log_limit log_failures;
};

/* Events */

static int64_t wall_us(const struct webhooks *w, int64_t now_us)
{
    return now_us + w->host->wall_offset_us;
}

/** An event that is being written. */
struct event {
    struct webhooks *w;
    struct webhook_room *room; /* NULL: of the server */
    int64_t now_us;
    struct text json;
};

static void begin_event(struct event *e, const char *name)
{
    struct webhooks *w = e->w;

    text_init(&e->json, MAX_EVENT);
    text_printf(&e->json, "{\"id\":\"%s-%" PRIu64 "\",\"event\":\"%s\",\"time_ms\":%" PRId64,
                w->instance, ++w->n_events, name, wall_us(w, e->now_us) / MS);
    text_printf(&e->json, ",\"server\":\"%s\"", w->instance);
    if (!e->room)
        return;
    text_append(&e->json, ",\"room\":{\"name\":");
    json_append_string(&e->json, e->room->name);
    text_printf(&e->json, ",\"id\":\"%s-r%" PRIu64 "\",\"seq\":%" PRIu64 "}", w->instance,
                e->room->number, ++e->room->seq);
}

static void end_event(struct event *e)
{
    struct webhooks *w = e->w;

    text_append(&e->json, "}");
    for (uint32_t i = 0; i < w->n_receivers; i++) {
        struct webhook_queue *q = &w->receivers[i]->queue;

        if (!text_ok(&e->json))
            q->counters.dropped++;
        else if (webhook_queue_put(q, e->room ? e->room->name : "", text_str(&e->json),
                                   e->json.len) < 0)
            continue; /* and counted */
    }
    text_done(&e->json);
    webhooks_advance(w, e->now_us);
}

static void add_duration(struct event *e, int64_t since_us)
{
    text_printf(&e->json, ",\"duration_ms\":%" PRId64, (e->now_us - since_us) / MS);
}

static void add_participant(struct event *e, const struct session *s)
{
    const char *identity = session_grants(s)->identity;
    char id[MESSAGE_ID_MAX];

    text_printf(&e->json, ",\"participant\":{\"id\":\"%s\",\"name\":",
                participant_id_text(session_participant(s), id));
    json_append_string(&e->json, session_member(s)->name);
    if (identity[0]) {
        text_append(&e->json, ",\"identity\":");
        json_append_string(&e->json, identity);
    }
    text_printf(&e->json, ",\"client\":\"%s\"}", session_kind_name(session_kind(s)));
}

static void add_track(struct event *e, const struct message_track *track)
{
    char id[MESSAGE_ID_MAX];

    text_printf(&e->json, ",\"track\":{\"id\":\"%s\",\"kind\":\"%s\",\"source\":",
                track_id_text(track->id, id), media_kind_name(track->kind));
    json_append_string(&e->json, track->source);
    text_append(&e->json, "}");
}

/* What sessions tell */

static void tell_track(struct event *e, const struct session *s, const struct webhook_track *t,
                       bool published)
{
    begin_event(e, published ? "track_published" : "track_unpublished");
    add_participant(e, s);
    add_track(e, &t->track);
    if (!published)
        add_duration(e, t->since_us);
    end_event(e);
}

static bool has_track(const struct directory_member *m, uint32_t id)
{
    for (uint32_t i = 0; i < m->n_tracks; i++) {
        if (m->tracks[i].id == id)
            return true;
    }
    return false;
}

static bool was_told(const struct webhook_participant *p, uint32_t id)
{
    for (uint32_t i = 0; i < p->n_tracks; i++) {
        if (p->tracks[i].track.id == id)
            return true;
    }
    return false;
}

static void on_published(void *owner, const struct session *s, int64_t now_us)
{
    struct webhooks *w = owner;
    struct webhook_participant *p = webhook_records_find(&w->records, session_participant(s));
    const struct directory_member *m = session_member(s);
    struct event e = {.w = w, .now_us = now_us};
    uint32_t kept = 0;

    if (!p)
        return;
    e.room = p->room;
    for (uint32_t i = 0; i < p->n_tracks; i++) {
        if (has_track(m, p->tracks[i].track.id))
            p->tracks[kept++] = p->tracks[i];
        else
            tell_track(&e, s, &p->tracks[i], false);
    }
    p->n_tracks = kept;
    for (uint32_t i = 0; i < m->n_tracks && p->n_tracks < MESSAGE_MAX_TRACKS; i++) {
        struct webhook_track *t = &p->tracks[p->n_tracks];

        if (was_told(p, m->tracks[i].id))
            continue;
        *t = (struct webhook_track){.track = m->tracks[i], .since_us = now_us};
        p->n_tracks++;
        tell_track(&e, s, t, true);
    }
}

static void on_joined(void *owner, const struct session *s, int64_t now_us)
{
    struct webhooks *w = owner;
    struct event e = {.w = w, .now_us = now_us};
    struct webhook_participant *p;

    if (w->n_receivers == 0)
        return;
    p = webhook_records_add(&w->records, session_room(s), session_participant(s), now_us);
    if (!p)
        return; /* out of memory: neither its coming nor its going is told */
    e.room = p->room;
    if (p->room->n_participants == 1 && p->room->seq == 0) {
        begin_event(&e, "room_started");
        end_event(&e);
    }
    begin_event(&e, "participant_joined");
    add_participant(&e, s);
    end_event(&e);
    on_published(w, s, now_us);
}

static void on_left(void *owner, const struct session *s, const char *code, int64_t now_us)
{
    struct webhooks *w = owner;
    struct webhook_participant *p = webhook_records_find(&w->records, session_participant(s));
    struct event e = {.w = w, .now_us = now_us};

    if (!p)
        return;
    e.room = p->room;
    for (uint32_t i = 0; i < p->n_tracks; i++)
        tell_track(&e, s, &p->tracks[i], false);
    begin_event(&e, "participant_left");
    add_participant(&e, s);
    text_append(&e.json, ",\"reason\":");
    json_append_string(&e.json, code);
    add_duration(&e, p->since_us);
    end_event(&e);
    webhook_records_remove(&w->records, p);
    if (e.room->n_participants > 0)
        return;
    begin_event(&e, "room_finished");
    add_duration(&e, e.room->since_us);
    end_event(&e);
    webhook_records_remove_room(&w->records, e.room);
}

void webhooks_watch(struct webhooks *w, struct session_watch *ret)
{
    *ret = (struct session_watch){
        .owner = w, .joined = on_joined, .published = on_published, .left = on_left};
}

/* Sending */

static void send(struct webhooks *w, struct receiver *r, struct webhook_delivery *d, int64_t now_us)
{
    char signature[WEBHOOK_SIGNATURE_MAX];
    struct webhook_post post = {
        .url = r->url, .body = d->body, .len = d->len, .signature = signature};
    int err = webhook_sign(signature, w->secret, wall_us(w, now_us) / SECOND, d->body, d->len);

    if (err == 0)
        err = w->carrier.post(w->carrier.owner, &post, d);
    if (err < 0)
        webhook_queue_finish(&r->queue, d, false, now_us);
}

void webhooks_advance(struct webhooks *w, int64_t now_us)
{
    for (uint32_t i = 0; i < w->n_receivers; i++) {
        struct receiver *r = w->receivers[i];
        struct webhook_delivery *d;

        while ((d = webhook_queue_take(&r->queue, now_us)))
            send(w, r, d, now_us);
    }
}

static void log_failure(struct webhooks *w, const struct receiver *r,
                        const struct webhook_delivery *d, int64_t now_us)
{
    uint32_t number = 0;
    uint32_t cut;

    if (!log_limit_pass(&w->log_failures, now_us, LOG_BURST, &cut))
        return;
    while (w->receivers[number] != r)
        number++;
    log_warn("webhooks", "an event was not taken: receiver=%" PRIu32 " tries=%" PRIu32 " more=%s",
             number + 1, d->tries, d->tries < WEBHOOK_MAX_TRIES ? "yes" : "no");
}

void webhooks_posted(struct webhooks *w, void *tag, bool taken, int64_t now_us)
{
    struct webhook_delivery *d = tag;
    struct receiver *r = CONTAINER_OF(d->queue, struct receiver, queue);

    if (!taken)
        log_failure(w, r, d, now_us);
    webhook_queue_finish(&r->queue, d, taken, now_us);
    webhooks_advance(w, now_us);
}

bool webhooks_are_idle(const struct webhooks *w, int64_t now_us)
{
    for (uint32_t i = 0; w && i < w->n_receivers; i++) {
        if (!webhook_queue_is_idle(&w->receivers[i]->queue, now_us))
            return false;
    }
    return true;
}

/* Receivers */

static void add_counters(struct webhook_counters *sum, const struct webhook_counters *more)
{
    sum->delivered += more->delivered;
    sum->failed_tries += more->failed_tries;
    sum->dropped += more->dropped;
}

static void retire(struct webhooks *w, struct receiver *r)
{
    LIST_FOREACH(link, &r->queue.by_age) {
        const struct webhook_delivery *d = CONTAINER_OF(link, struct webhook_delivery, by_age);

        if (d->under_way)
            w->carrier.cancel(w->carrier.owner, d);
    }
    r->queue.counters.dropped += r->queue.n;
    add_counters(&w->retired, &r->queue.counters);
    webhook_queue_done(&r->queue);
    free(r);
}

/* Take the receiver of this URL out of the list. @return NULL: there is none */
static struct receiver *take_receiver(struct receiver **list, uint32_t n, const char *url)
{
    for (uint32_t i = 0; i < n; i++) {
        struct receiver *r = list[i];

        if (!r || strcmp(r->url, url) != 0)
            continue;
        list[i] = NULL;
        return r;
    }
    return NULL;
}

static struct receiver *make_receiver(const char *url)
{
    struct receiver *r = calloc(1, sizeof(*r));

    if (!r)
        return NULL;
    memcpy(r->url, url, strlen(url) + 1);
    webhook_queue_init(&r->queue, random_u32());
    return r;
}

int webhooks_configure(struct webhooks *w, const struct config *config)
{
    struct receiver *old[CONFIG_LIST_MAX];
    uint32_t n_old = w->n_receivers;
    int err = 0;

    memcpy(old, w->receivers, sizeof(old));
    memcpy(w->secret, config->webhook_secret, sizeof(w->secret));
    w->n_receivers = 0;
    for (uint32_t i = 0; i < config->webhooks.n; i++) {
        struct receiver *r = take_receiver(old, n_old, config->webhooks.text[i]);

        if (!r)
            r = make_receiver(config->webhooks.text[i]);
        if (r)
            w->receivers[w->n_receivers++] = r;
        else
            err = -ENOMEM;
    }
    for (uint32_t i = 0; i < n_old; i++) {
        if (old[i])
            retire(w, old[i]);
    }
    return err;
}

int webhooks_new(struct webhooks **ret, const struct config *config,
                 const struct session_host *host, const struct webhook_carrier *carrier,
                 int64_t now_us)
{
    struct webhooks *w = calloc(1, sizeof(*w));
    struct event e = {.w = w, .now_us = now_us};
    int err;

    if (!w)
        return -ENOMEM;
    w->host = host;
    w->carrier = *carrier;
    random_name(w->instance, INSTANCE_LEN);
    webhook_records_init(&w->records);
    err = webhooks_configure(w, config);
    if (err < 0) {
        webhooks_free(w);
        return err;
    }
    if (w->n_receivers > 0) {
        begin_event(&e, "server_started");
        end_event(&e);
    }
    *ret = w;
    return 0;
}

struct webhooks *webhooks_free(struct webhooks *w)
{
    if (!w)
        return NULL;
    for (uint32_t i = 0; i < w->n_receivers; i++)
        retire(w, w->receivers[i]);
    webhook_records_done(&w->records);
    free(w);
    return NULL;
}

void webhooks_stats(const struct webhooks *w, struct webhook_stats *ret)
{
    *ret = (struct webhook_stats){.counters = w->retired, .events = w->n_events};
    for (uint32_t i = 0; i < w->n_receivers; i++) {
        add_counters(&ret->counters, &w->receivers[i]->queue.counters);
        ret->queued += w->receivers[i]->queue.n;
    }
}
