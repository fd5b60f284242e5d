#include "sfu/relay_in.h"

#include "media/packet.h"
#include "sfu/core.h"
#include "sfu/relay_batch.h"
#include "sfu/room.h"
#include "sfu/room_speakers.h"
#include "sfu/routing.h"
#include "sfu/track_ladder.h"
#include "sfu/track_layer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* So often the tracks are looked after, and what could not be asked for is asked for again. */
static const int64_t LOOK_INTERVAL_US = 1 * SECOND;

static int take_plan(struct relay_in *r, struct mail_join *mail)
{
    struct extension_map extensions;
    int err;

    routing_extensions(mail->plan, &extensions);
    err = track_set_update(&r->tracks, mail, &extensions, NULL);
    media_plan_unref(r->plan);
    r->plan = mail->plan;
    mail->plan = NULL;
    core_touch(r->core, &r->actor);
    return err;
}

int relay_in_new(struct relay_in **ret, struct core *core, struct room *room,
                 struct mail_join *mail)
{
    struct relay_in *r = calloc(1, sizeof(*r));
    int err;

    if (!r)
        return -ENOMEM;
    r->core = core;
    r->room = room;
    r->worker = mail->worker;
    r->actor.kind = ACTOR_RELAY_IN;
    r->tracks = (struct track_set){
        .core = core, .room = room, .publisher = &r->actor, .participant = mail->participant};
    list_append(&room->relays, &r->room_link);
    err = take_plan(r, mail);
    if (err < 0) {
        relay_in_free(r);
        return err;
    }
    *ret = r;
    return 0;
}

struct relay_in *relay_in_free(struct relay_in *r)
{
    if (!r)
        return NULL;
    track_set_done(&r->tracks);
    core_forget(r->core, &r->actor);
    list_unlink(&r->room_link);
    media_plan_unref(r->plan);
    free(r);
    return NULL;
}

int relay_in_update(struct relay_in *r, struct mail_join *mail)
{
    return take_plan(r, mail);
}

/* Tell the publisher's worker what we want of a track. @return 0; -ENOMEM */
static int say(struct relay_in *r, const struct mail_relay *what, const struct track *t)
{
    struct mail_relay *mail = malloc(sizeof(*mail));

    if (!mail) {
        r->core->stats.drop_memory++;
        return -ENOMEM;
    }
    *mail = *what;
    mail->worker = r->core->config.index;
    mail->participant = r->tracks.participant;
    mail->track = t->id;
    core_send_to_worker(r->core, r->worker, &mail->mail);
    return 0;
}

static const struct mail_relay stop = {.mail = {.type = MAIL_RELAY_STOP}};
static const struct mail_relay hear = {.mail = {.type = MAIL_RELAY_LISTEN}};
static const struct mail_relay hear_no_more = {.mail = {.type = MAIL_RELAY_IGNORE}};

void relay_in_withdraw(struct relay_in *r)
{
    for (uint32_t i = 0; i < r->tracks.n; i++) {
        struct track *t = r->tracks.tracks[i];

        if (t->asked)
            (void)say(r, &stop, t); /* without it the batches come, and are dropped */
        if (t->levels_asked)
            (void)say(r, &hear_no_more, t);
        t->asked = t->levels_asked = false;
        t->asked_layers = 0;
    }
}

static void receive_packet(struct relay_in *r, struct track *t, const struct relay_record *record,
                           int64_t now_us)
{
    struct packet *packet = packet_new(r->core->pool);

    if (!packet)
        return; /* the pool counts */
    packet->len = record->len;
    packet->arrival_us = record->arrival_us;
    packet->rtp = record->rtp;
    memcpy(packet->data, relay_record_content(record), record->len);
    r->core->stats.relay_in++;
    track_receive(t, record->layer, record->recovered ? TRACK_RELAYED_RTX : TRACK_RELAYED, packet,
                  now_us);
    packet_unref(packet);
}

void relay_in_receive(struct relay_in *r, const struct relay_record *record, int64_t now_us)
{
    struct track *t = track_set_find(&r->tracks, record->track);

    if (!t || (!t->asked && record->kind != RELAY_LEVELS)) {
        r->core->stats.drop_unasked++;
        return;
    }
    switch (record->kind) {
    case RELAY_PACKET:
        receive_packet(r, t, record, now_us);
        break;
    case RELAY_REPORT:
        track_receive_report(t, record->layer, &record->report, record->arrival_us);
        break;
    case RELAY_BYE:
        track_receive_bye(t, record->layer);
        break;
    case RELAY_LEVELS:
        room_speakers_take_report(t, &record->levels, now_us);
        break;
    }
}

/* Who is to have a slot is decided by who speaks, also of those whom nobody here gets yet. */
static void ask_for_levels(struct relay_in *r, struct track *t)
{
    if (t->kind == KIND_AUDIO && !t->levels_asked)
        t->levels_asked = say(r, &hear, t) == 0;
}

/* What is needed, or was lately; and what nobody here knows yet how large it is. */
static uint8_t layers_to_ask_for(const struct track *t)
{
    uint8_t layers = t->want.told | t->want.needed;

    for (uint32_t i = 0; i < t->section->n_layers; i++) {
        if (!t->layers[i] || track_layer_rate(t->layers[i], UINT8_MAX, UINT8_MAX) == 0)
            layers |= (uint8_t)(1U << i);
    }
    return layers;
}

/* Ask for the track if somebody here wants it, for other layers if others are wanted, and take that
 * back if nobody does any more. */
static void settle(struct relay_in *r, struct track *t, int64_t now_us)
{
    struct mail_relay ask = {.mail = {.type = MAIL_RELAY_START}};
    bool wanted = !list_empty(&t->live);

    (void)track_update_wishes(t);
    (void)!layer_want_update(&t->want, track_needed_layers(t, now_us), now_us);
    if (wanted)
        ask.layers = layers_to_ask_for(t);
    if (wanted == t->asked && ask.layers == t->asked_layers)
        return;
    if (say(r, wanted ? &ask : &stop, t) < 0)
        return;
    t->asked_layers = ask.layers;
    if (wanted == t->asked)
        return;
    t->asked = wanted;
    t->asked_us = now_us;
    if (!wanted)
        track_forget(t);
}

/* @return when a key frame is next to be asked for [us] */
static int64_t ask_for_key_frames(struct relay_in *r, struct track *t, int64_t now_us)
{
    int64_t next_us = NEVER_US;

    track_serve_fresh(t, now_us);
    for (uint32_t i = 0; i < PLAN_MAX_LAYERS; i++) {
        struct track_layer *layer = t->layers[i];
        int64_t due_us;

        if (!layer)
            continue;
        if (key_frame_request_poll(&layer->key_frame, now_us)) {
            struct mail_relay wish = {
                .mail = {.type = MAIL_RELAY_KEY_FRAME},
                .layer = (uint8_t)i,
                .any = !layer->has_key_frame && now_us - t->asked_us >= TRACK_PATIENCE_US,
            };

            (void)say(r, &wish, t); /* repeated until one comes */
        }
        due_us = key_frame_request_deadline(&layer->key_frame);
        next_us = due_us < next_us ? due_us : next_us;
    }
    return next_us;
}

int64_t relay_in_advance(struct relay_in *r, int64_t now_us)
{
    int64_t next_us = NEVER_US;
    bool busy = false;

    for (uint32_t i = 0; i < r->tracks.n; i++) {
        struct track *t = r->tracks.tracks[i];
        int64_t due_us;

        settle(r, t, now_us);
        ask_for_levels(r, t);
        busy = busy || t->asked || !list_empty(&t->live);
        due_us = t->asked ? ask_for_key_frames(r, t, now_us) : NEVER_US;
        next_us = due_us < next_us ? due_us : next_us;
    }
    if (!busy)
        return NEVER_US;
    if (r->look_us <= now_us) {
        track_set_look_after(&r->tracks, now_us);
        r->look_us = now_us + LOOK_INTERVAL_US;
    }
    return r->look_us < next_us ? r->look_us : next_us;
}
