#include "sfu/track.h"

#include "media/packet.h"
#include "media/rtx.h"
#include "sfu/core.h"
#include "sfu/relay_out.h"
#include "sfu/room_speakers.h"
#include "sfu/subscription.h"
#include "sfu/track_audio.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* In the order in which they get what room there is in a header; track_layer_read_frame() looks for
 * the first. */
static const enum extension passed_through[] = {
    EXTENSION_DEPENDENCY_DESCRIPTOR, EXTENSION_AUDIO_LEVEL, EXTENSION_VIDEO_ORIENTATION,
    EXTENSION_PLAYOUT_DELAY,         EXTENSION_COLOR_SPACE,
};
_Static_assert(ARRAY_LEN(passed_through) == FORWARD_MAX_EXTENSIONS, "room for each");

struct track *track_new(struct core *core, struct actor *publisher, uint32_t id,
                        uint32_t participant, const struct plan_section *section,
                        const struct extension_map *extensions)
{
    struct track *t = calloc(1, sizeof(*t));

    if (!t)
        return NULL;
    list_init(&t->live);
    list_init(&t->idle);
    t->core = core;
    t->publisher = publisher;
    t->id = id;
    t->participant = participant;
    t->kind = section->kind;
    t->section = section;
    t->extensions = *extensions;
    layer_want_init(&t->want, section->n_layers, 0);
    core->stats.tracks++;
    return t;
}

/* Let go of what waits. */
static void clear_waiting(struct track *t)
{
    for (; t->waiting; t->waiting = t->waiting->next)
        t->waiting->packet = packet_unref(t->waiting->packet);
    list_unlink(&t->waiting_link);
}

struct track *track_free(struct track *t)
{
    if (!t)
        return NULL;
    clear_waiting(t);
    LIST_FOREACH_SAFE(link, &t->live)
        subscription_unbind(subscription_of_link(link));
    LIST_FOREACH_SAFE(link, &t->idle)
        subscription_unbind(subscription_of_link(link));
    room_speakers_forget(t);
    list_unlink(&t->room_link);
    for (size_t i = 0; i < PLAN_MAX_LAYERS; i++)
        track_layer_free(t->layers[i]);
    t->core->stats.tracks--;
    free(t->ladder);
    free(t);
    return NULL;
}

void track_set_section(struct track *t, const struct plan_section *section,
                       const struct extension_map *extensions)
{
    t->section = section;
    t->extensions = *extensions;
    LIST_FOREACH(link, &t->live)
        subscription_refresh(subscription_of_link(link));
    LIST_FOREACH(link, &t->idle)
        subscription_refresh(subscription_of_link(link));
}

void track_want_key_frame(struct track *t, struct track_layer *layer)
{
    if (t->kind != KIND_VIDEO || !layer || t->muted)
        return;
    key_frame_request_want(&layer->key_frame);
    core_touch(t->core, t->publisher);
}

void track_set_muted(struct track *t, bool muted)
{
    if (t->muted == muted)
        return;
    t->muted = muted;
    if (muted)
        room_speakers_mute(t);
    track_note_change(t);
    for (size_t i = 0; i < PLAN_MAX_LAYERS && muted; i++) {
        if (t->layers[i])
            key_frame_request_cancel(&t->layers[i]->key_frame);
    }
    if (muted)
        return;
    LIST_FOREACH(link, &t->live)
        subscription_restart(subscription_of_link(link));
    if (t->relay_to)
        track_want_key_frame(t, t->best);
}

/* @return the RTX format's original in the publisher's m-line, or NULL */
static const struct plan_codec *codec_of_rtx(const struct track *t, uint8_t pt)
{
    for (size_t i = 0; i < t->section->n_codecs; i++) {
        if (t->section->codecs[i].rtx_pt && t->section->codecs[i].rtx_pt == pt)
            return &t->section->codecs[i];
    }
    return NULL;
}

static int find_format(const struct track *t, uint8_t pt)
{
    for (int i = 0; i < t->section->n_codecs; i++) {
        if (t->section->codecs[i].pt == pt)
            return i;
    }
    return -ENOENT;
}

static void note_extensions(const struct track *t, struct forward *f)
{
    const struct rtp_header *rtp = &f->packet->rtp;

    for (size_t i = 0; i < ARRAY_LEN(passed_through) && rtp->n_extensions > 0; i++) {
        const struct rtp_extension *e;

        e = rtp_find_extension(rtp, t->extensions.id[passed_through[i]]);
        if (!e)
            continue;
        f->extensions[f->n_extensions++] = (struct forward_extension){
            .kind = passed_through[i],
            .len = e->len,
            .value = f->packet->data + e->offset,
        };
    }
}

static void fan_out(struct track *t)
{
    LIST_FOREACH(link, &t->live) {
        struct subscription *s = subscription_of_link(link);

        /* The next one is wanted whole; where the one after that is must be known by then. */
        if (link->next != &t->live) {
            PREFETCH(link->next->next);
            subscription_prefetch(subscription_of_link(link->next));
        }
        for (const struct forward *f = t->waiting; f; f = f->next) {
            if (UNLIKELY(subscription_forward(s, f)))
                track_replay(t, f->layer, (uint16_t)(f->packet->rtp.seq + 1), s, f->now_us);
        }
    }
    clear_waiting(t);
}

void track_fan_out_all(struct core *core)
{
    while (!list_empty(&core->waiting_tracks))
        fan_out(CONTAINER_OF(core->waiting_tracks.next, struct track, waiting_link));
    core->n_waiting = 0;
}

/* @return a place for one more packet to wait */
static struct forward *wait_place(struct track *t)
{
    struct core *core = t->core;
    struct forward *place;

    if (core->n_waiting == CORE_MAX_WAITING)
        track_fan_out_all(core);
    place = &core->waiting[core->n_waiting++];
    if (t->waiting)
        t->last_waiting->next = place;
    else
        t->waiting = place;
    t->last_waiting = place;
    if (!list_linked(&t->waiting_link))
        list_append(&core->waiting_tracks, &t->waiting_link);
    return place;
}

/* Find out what the subscriptions need to know. `format` is the index of its payload type. */
static void describe(const struct track *t, struct track_layer *layer, struct packet *packet,
                     uint8_t format, int64_t now_us, struct forward *ret)
{
    enum codec codec = t->section->codecs[format].codec;

    *ret = (struct forward){
        .packet = packet,
        .layer = layer,
        .format = format,
        .clock_rate = codec_info(codec)->clock_rate,
        .now_us = now_us,
        .frame.starts_key = true,
    };
    note_extensions(t, ret);
    if (t->kind == KIND_VIDEO)
        track_layer_read_frame(layer, codec, ret);
}

int track_find_packet(struct track *t, struct track_layer *layer, uint16_t seq, int64_t now_us,
                      struct forward *ret)
{
    struct packet *packet = packet_store_get(&layer->store, seq);
    int format;

    if (!packet)
        return -ENOENT;
    format = find_format(t, packet->rtp.pt);
    if (format < 0)
        return format;
    describe(t, layer, packet, (uint8_t)format, now_us, ret);
    ret->newest = seq == (uint16_t)layer->receiver.highest;
    return 0;
}

void track_replay(struct track *t, struct track_layer *layer, uint16_t from,
                  struct subscription *to, int64_t now_us)
{
    uint16_t n = (uint16_t)((uint16_t)layer->receiver.highest - from + 1);

    if (n > PACKET_STORE_VIDEO)
        return;
    for (uint16_t i = 0; i < n; i++) {
        struct forward f;

        if (track_find_packet(t, layer, (uint16_t)(from + i), now_us, &f) < 0)
            continue;
        f.newest = true; /* of what this subscription has seen */
        (void)subscription_forward(to, &f);
    }
}

void track_note_fresh(struct track *t)
{
    t->has_fresh = true;
    core_touch(t->core, t->publisher);
}

/* @return true if all from the newest key frame on is there, and not too much */
static bool has_burst(const struct track_layer *layer)
{
    int64_t newest = layer->receiver.highest;

    if (!layer->has_key_frame || newest - layer->key_frame_seq >= TRACK_MAX_BURST)
        return false;
    for (int64_t seq = layer->key_frame_seq; seq <= newest; seq++) {
        if (!packet_store_get(&layer->store, (uint16_t)seq))
            return false;
    }
    return true;
}

bool track_has_burst(const struct track *t, const struct track_layer *layer, int64_t age_us,
                     int64_t now_us)
{
    return t->kind == KIND_VIDEO && layer && layer->has_key_frame &&
           now_us - layer->key_frame_us <= age_us && has_burst(layer);
}

/* @return the layers that have a burst of at most this age, a set */
static uint8_t find_bursts(const struct track *t, int64_t age_us, int64_t now_us)
{
    uint8_t found = 0;

    for (size_t i = 0; i < PLAN_MAX_LAYERS; i++) {
        if (track_has_burst(t, t->layers[i], age_us, now_us))
            found |= (uint8_t)(1U << i);
    }
    return found;
}

/* @return true: `s` began with the newest key frame of what it aims for, which is in `bursts` */
static bool begin_with_burst(struct track *t, struct subscription *s, uint8_t bursts,
                             int64_t now_us)
{
    struct track_layer *layer = s->target;

    if (!layer || !(bursts >> track_layer_index(t, layer) & 1))
        return false;
    track_replay(t, layer, (uint16_t)layer->key_frame_seq, s, now_us);
    return true;
}

void track_serve_fresh(struct track *t, int64_t now_us)
{
    uint8_t bursts;

    if (!t->has_fresh)
        return;
    t->has_fresh = false;
    bursts = find_bursts(t, TRACK_YOUNG_US, now_us);
    LIST_FOREACH(link, &t->live) {
        struct subscription *s = subscription_of_link(link);

        if (!s->fresh)
            continue;
        s->fresh = false;
        s->waits_since_us = now_us;
        if (!begin_with_burst(t, s, bursts, now_us))
            track_want_key_frame(t, s->target);
    }
}

void track_serve_waiting(struct track *t, int64_t now_us)
{
    uint8_t bursts = t->muted ? 0 : find_bursts(t, now_us, now_us);

    if (!bursts)
        return;
    LIST_FOREACH(link, &t->live) {
        struct subscription *s = subscription_of_link(link);

        if (!s->layer && !s->fresh && now_us - s->waits_since_us >= TRACK_PATIENCE_US)
            (void)begin_with_burst(t, s, bursts, now_us);
    }
}

static void restart_subscriptions(struct track *t, const struct track_layer *layer)
{
    LIST_FOREACH(link, &t->live)
        subscription_forget(subscription_of_link(link), layer);
}

/* A layer has other spatial or temporal layers than before. */
static void note_layers(struct track *t, const struct track_layer *layer)
{
    LIST_FOREACH(link, &t->live)
        subscription_note_layers(subscription_of_link(link), layer);
}

static void forward(struct track *t, struct track_layer *layer, struct packet *packet,
                    uint8_t format, bool newest, int64_t now_us)
{
    struct forward *f = wait_place(t);

    describe(t, layer, packet, format, now_us, f);
    f->packet = packet_ref(packet);
    f->newest = newest;
    if (t->kind == KIND_VIDEO && f->frame.starts_key)
        track_layer_note_key_frame(layer, packet);
    if (t->kind == KIND_VIDEO && track_layer_note_frame(layer, &f->frame, packet))
        note_layers(t, layer);
}

static void skip(struct track *t, const struct track_layer *layer, uint16_t seq)
{
    fan_out(t);
    LIST_FOREACH(link, &t->live)
        subscription_skip(subscription_of_link(link), layer, seq);
}

/* @return the layer, made now if this is the first we hear of it; NULL: no memory (counted) */
static struct track_layer *layer_at(struct track *t, uint8_t at, uint32_t ssrc, int64_t now_us)
{
    const struct plan_codec *codec;
    bool repairs;

    if (t->layers[at])
        return t->layers[at];
    codec = track_codec(t);
    repairs = codec->nack && t->publisher->kind == ACTOR_PARTICIPANT; /* none of a replica */
    if (track_layer_new(&t->layers[at], t->kind, codec->codec, repairs, ssrc) < 0) {
        t->core->stats.drop_memory++;
        return NULL;
    }
    if (!list_empty(&t->live) || t->relay_to)
        track_want_key_frame(t, t->layers[at]);
    t->layers[at]->newest_us = now_us;
    return t->layers[at];
}

/* @return false: it was none, and is dropped */
static bool unwrap(struct track *t, uint8_t layer, struct packet *packet)
{
    const struct plan_codec *codec = codec_of_rtx(t, packet->rtp.pt);
    int err;

    if (!t->layers[layer] || !codec) {
        t->core->stats.drop_rtx++;
        return false;
    }
    err = rtx_unwrap(packet, t->layers[layer]->receiver.ssrc, codec->pt);
    if (err == -ENODATA)
        t->core->stats.padding_in++;
    else if (err < 0)
        t->core->stats.drop_rtx++;
    return err == 0;
}

/* Time is that of arrival: a replica decides as its original did. @return false: dropped */
static bool take(struct track *t, uint8_t at, bool recovered, struct packet *packet, int64_t now_us)
{
    struct forwarder_stats *stats = &t->core->stats;
    struct track_layer *layer = t->layers[at];
    bool begins = !(t->flowing >> at & 1);
    int format = find_format(t, packet->rtp.pt);
    enum arrival arrival;

    arrival = track_layer_receive(layer, packet, recovered, !t->muted && format >= 0,
                                  packet->arrival_us);
    if (arrival == ARRIVAL_STRANGER) {
        stats->drop_unrouted++;
        return false;
    }
    if (arrival == ARRIVAL_DUPLICATE) {
        stats->drop_duplicate++;
        return false;
    }
    if (format < 0) {
        /* Chrome pads with formats that were not agreed on, too. */
        stats->drop_payload_type += packet->rtp.payload_len > 0;
        skip(t, layer, packet->rtp.seq);
        return true;
    }
    if (arrival == ARRIVAL_RESTART || begins)
        fan_out(t); /* what came before is not concerned */
    if (arrival == ARRIVAL_RESTART)
        restart_subscriptions(t, layer);
    if (begins) /* before it is forwarded: it may begin with a key frame */
        track_choose_layer(t, now_us);
    if (t->muted)
        stats->drop_muted++;
    else if (t->kind == KIND_AUDIO && arrival != ARRIVAL_LATE &&
             !track_audio_take(t, packet, (uint8_t)format, now_us))
        skip(t, layer, packet->rtp.seq);
    else
        forward(t, layer, packet, (uint8_t)format, arrival != ARRIVAL_LATE, now_us);
    return true;
}

static struct relay_source relay_source(const struct track *t, uint8_t layer)
{
    return (struct relay_source){
        .workers = t->relay_to,
        .participant = t->participant,
        .track = t->id,
        .layer = layer,
    };
}

/* Other workers get what subscribers here get, no less: numbers that nobody gets are skipped. */
static void relay(struct track *t, uint8_t at, bool recovered, const struct packet *packet)
{
    struct relay_source source = relay_source(t, at);

    source.workers = t->relay_gets[at];
    if (!t->muted && source.workers)
        relay_out_packet(t->core->relay_out, &source, packet, recovered);
}

void track_receive(struct track *t, uint8_t at, enum track_path path, struct packet *packet,
                   int64_t now_us)
{
    bool recovered = path == TRACK_RTX || path == TRACK_RELAYED_RTX;
    struct track_layer *layer;

    if (path == TRACK_RTX && !unwrap(t, at, packet))
        return;
    layer = layer_at(t, at, packet->rtp.ssrc, now_us);
    if (!layer || !take(t, at, recovered, packet, now_us))
        return;
    if (path < TRACK_RELAYED) { /* the original has counted it */
        t->core->stats.recovered_in += recovered;
        t->core->stats.padding_in += packet->rtp.payload_len == 0;
    }
    if (UNLIKELY(t->relay_to))
        relay(t, at, recovered, packet);
}

void track_receive_report(struct track *t, uint8_t at, const struct rtcp_sender_info *report,
                          int64_t now_us)
{
    struct track_layer *layer = layer_at(t, at, report->ssrc, now_us);
    struct relay_source source = relay_source(t, at);

    if (!layer || layer->receiver.ssrc != report->ssrc)
        return;
    stream_receiver_on_sr(&layer->receiver, report, now_us);
    if (t->relay_to)
        relay_out_report(t->core->relay_out, &source, report, now_us);
}

void track_receive_bye(struct track *t, uint8_t at)
{
    struct relay_source source = relay_source(t, at);

    if (t->layers[at])
        t->layers[at]->ended = true; /* the track is control's to end */
    if (t->relay_to)
        relay_out_bye(t->core->relay_out, &source);
}

void track_forget(struct track *t)
{
    assert(list_empty(&t->live));
    clear_waiting(t);
    t->best = NULL;
    t->flowing = 0;
    for (size_t i = 0; i < PLAN_MAX_LAYERS; i++)
        t->layers[i] = track_layer_free(t->layers[i]);
}

void track_expire(struct track *t, int64_t keep_us, int64_t now_us)
{
    for (size_t i = 0; i < PLAN_MAX_LAYERS; i++) {
        if (t->layers[i])
            track_layer_expire(t->layers[i], keep_us, now_us);
    }
}

uint8_t track_layer_index(const struct track *t, const struct track_layer *layer)
{
    uint8_t at = 0;

    while (at < PLAN_MAX_LAYERS && t->layers[at] != layer)
        at++;
    return at;
}

const struct plan_codec *track_codec(const struct track *t)
{
    for (size_t i = 0; i < t->section->n_codecs; i++) {
        if (t->section->codecs[i].codec != CODEC_RED)
            return &t->section->codecs[i];
    }
    return &t->section->codecs[0];
}
