#include "sfu/participant.h"

#include "media/base/random.h"
#include "media/nack_generator.h"
#include "media/packet.h"
#include "media/transport_feedback.h"
#include "sfu/core.h"
#include "sfu/downlink.h"
#include "sfu/participant_downlink.h"
#include "sfu/participant_feedback.h"
#include "sfu/participant_layers.h"
#include "sfu/participant_reports.h"
#include "sfu/participant_slots.h"
#include "sfu/participant_want.h"
#include "sfu/room.h"
#include "sfu/room_speakers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void on_connected(void *owner)
{
    struct participant *p = owner;

    p->core->stats.connected++;
    p->subscriber.connected = true;
    room_speakers_greet(p->room);
    for (size_t i = 0; i < p->plan->n_sections; i++) {
        if (p->subscriptions[i])
            subscription_connect(p->subscriptions[i]);
    }
    core_post_state(p->core, p->id, PEER_CONNECTED, "");
}

static void note_transport_seq(struct participant *p, const struct packet *packet, int64_t now_us)
{
    const struct rtp_extension *e = rtp_find_extension(&packet->rtp, p->transport_cc_id);

    if (!e || e->len < 2)
        return;
    if (!p->feedback) {
        p->feedback = malloc(sizeof(*p->feedback));
        if (!p->feedback) {
            p->core->stats.drop_memory++;
            return;
        }
        feedback_recorder_init(p->feedback);
    }
    feedback_recorder_on_packet(
        p->feedback, (uint16_t)(packet->data[e->offset] << 8 | packet->data[e->offset + 1]),
        now_us);
}

static void on_rtp(void *owner, struct packet *packet, int64_t now_us)
{
    struct participant *p = owner;
    struct route route;
    struct track *track;

    p->core->stats.rtp_in++;
    if (p->transport_cc_id)
        note_transport_seq(p, packet, packet->arrival_us);
    if (routing_find(&p->routing, packet, &route) < 0) {
        p->core->stats.drop_unrouted++;
        return;
    }
    track = p->track_of_section[route.section];
    if (!track) {
        p->core->stats.drop_unrouted++;
        return;
    }
    p->media_ssrc = packet->rtp.ssrc;
    track_receive(track, route.layer, route.rtx ? TRACK_RTX : TRACK_PLAIN, packet, now_us);
}

static void on_rtcp(void *owner, const uint8_t *data, size_t len, int64_t now_us)
{
    participant_receive_rtcp(owner, data, len, now_us);
}

static const struct connection_handler connection_handler = {
    .on_connected = on_connected,
    .on_rtp = on_rtp,
    .on_rtcp = on_rtcp,
};

/* ------------------------------------------------------------------ the plan */

/* @return index of the slot's section with this mid, or n_sections */
static size_t find_slot(const struct media_plan *plan, const char *mid)
{
    size_t at = 0;

    while (at < plan->n_sections &&
           (plan->sections[at].use != SECTION_SLOT || strcmp(plan->sections[at].mid, mid) != 0))
        at++;
    return at;
}

/* Take the subscription of the same slot out of the plan before. @return NULL: it is new */
static struct subscription *take_slot(struct participant *p, const struct plan_section *section)
{
    size_t at;
    struct subscription *s;

    if (!p->plan)
        return NULL;
    at = find_slot(p->plan, section->mid);
    if (at == p->plan->n_sections || p->plan->sections[at].ssrc != section->ssrc)
        return NULL;
    s = p->subscriptions[at];
    p->subscriptions[at] = NULL;
    return s;
}

/* Fill `ret` with the slots of `plan`: those there are, and new ones; end the others. */
static int replace_slots(struct participant *p, const struct media_plan *plan,
                         struct subscription **ret)
{
    int err = 0;

    for (size_t i = 0; i < plan->n_sections; i++) {
        const struct plan_section *section = &plan->sections[i];

        if (section->use != SECTION_SLOT)
            continue;
        ret[i] = take_slot(p, section);
        if (ret[i]) {
            ret[i]->section = section;
            subscription_refresh(ret[i]);
            continue;
        }
        ret[i] = subscription_new(&p->subscriber, section);
        if (!ret[i])
            err = -ENOMEM;
    }
    for (size_t i = 0; p->plan && i < p->plan->n_sections; i++)
        subscription_free(p->subscriptions[i]);
    free(p->subscriptions);
    p->subscriptions = ret;
    return err;
}

static void note_feedback(struct participant *p, const struct media_plan *plan)
{
    bool transport_cc = false;
    bool remb = false;

    p->reduced_size = true;
    for (size_t i = 0; i < plan->n_sections; i++) {
        const struct plan_section *section = &plan->sections[i];

        if (section->use != SECTION_PUBLISH)
            continue;
        p->reduced_size = p->reduced_size && section->rtcp_rsize;
        for (size_t k = 0; k < section->n_codecs; k++) {
            transport_cc = transport_cc || section->codecs[k].transport_cc;
            remb = remb || section->codecs[k].remb;
        }
    }
    p->transport_cc_id = transport_cc ? p->routing.extensions.id[EXTENSION_TRANSPORT_CC] : 0;
    p->wants_remb = remb && !p->transport_cc_id;
}

/* Go over to mail->plan, which becomes ours. On failure the participant is fit to be freed only. */
static int set_plan(struct participant *p, struct mail_join *mail)
{
    struct media_plan *plan = mail->plan;
    struct track **track_of_section = calloc(plan->n_sections + 1UL, sizeof(struct track *));
    struct subscription **subscriptions = calloc(plan->n_sections + 1UL,
                                                 sizeof(struct subscription *));
    int err;

    if (!track_of_section || !subscriptions) {
        free(track_of_section);
        free(subscriptions);
        return -ENOMEM;
    }
    /* From here on what points into the old plan goes over to the new one step by step, and the
     * old one is freed when nothing does. */
    err = replace_slots(p, plan, subscriptions);
    if (routing_set_plan(&p->routing, plan) < 0)
        err = -ENOMEM;
    if (track_set_update(&p->tracks, mail, &p->routing.extensions, track_of_section) < 0)
        err = -ENOMEM;
    free(p->track_of_section);
    p->track_of_section = track_of_section;
    media_plan_unref(p->plan);
    p->plan = plan;
    mail->plan = NULL;
    note_feedback(p, plan);
    if (p->downlink)
        downlink_set_feedback(p->downlink, downlink_feedback_of(plan));
    return err;
}

/* ------------------------------------------------------------------ life */

int participant_new(struct participant **ret, struct core *core, struct room *room,
                    struct mail_join *mail, int64_t now_us)
{
    struct participant *p = calloc(1, sizeof(*p));
    int err;

    if (!p)
        return -ENOMEM;
    p->core = core;
    p->room = room;
    p->id = mail->participant;
    p->deaf = mail->deaf;
    p->actor.kind = ACTOR_PARTICIPANT;
    p->tracks = (struct track_set){
        .core = core, .room = room, .publisher = &p->actor, .participant = p->id};
    p->ssrc = random_u32();
    p->report_us = now_us;
    p->subscriber = (struct subscriber){
        .core = core,
        .peer = &p->connection.egress,
        .actor = &p->actor,
        .rtt_us = -1,
    };
    routing_init(&p->routing);
    room_add(room, p);
    core->stats.participants++;
    err = connection_init(&p->connection, core, mail, &connection_handler, p, now_us);
    if (err < 0)
        goto fail;
    err = set_plan(p, mail);
    if (err < 0)
        goto fail;
    core_touch(core, &p->actor);
    *ret = p;
    return 0;
fail:
    participant_free(p);
    return err;
}

struct participant *participant_free(struct participant *p)
{
    if (!p)
        return NULL;
    track_set_done(&p->tracks);
    for (size_t i = 0; p->plan && i < p->plan->n_sections; i++)
        subscription_free(p->subscriptions[i]);
    free(p->track_of_section);
    free(p->subscriptions);
    p->downlink = downlink_free(p->downlink);
    connection_done(&p->connection);
    routing_done(&p->routing);
    p->layers = participant_layers_free(p->layers);
    free(p->feedback);
    free(p->subscriber.responder);
    core_forget(p->core, &p->actor);
    room_remove(p->room, p);
    media_plan_unref(p->plan);
    p->core->stats.participants--;
    free(p);
    return NULL;
}

int participant_update(struct participant *p, struct mail_join *mail, int64_t now_us)
{
    int err = connection_restart_ice(&p->connection, mail, now_us);

    if (err < 0)
        return err;
    p->need_outstanding = false;
    core_touch(p->core, &p->actor);
    return set_plan(p, mail);
}

int64_t participant_advance(struct participant *p, int64_t now_us)
{
    int64_t next_us = connection_advance(&p->connection, now_us);

    if (p->connection.ended)
        return NEVER_US;
    if (p->untold)
        participant_tell_slots(p);
    next_us = clock_earlier(next_us, participant_advance_need(p, now_us));
    if (connection_is_up(&p->connection))
        next_us = clock_earlier(next_us, participant_advance_downlink(p, now_us));
    next_us = clock_earlier(next_us, participant_layers_advance(p, now_us));
    next_us = clock_earlier(next_us, participant_want_advance(p, now_us));
    if (connection_is_up(&p->connection))
        next_us = clock_earlier(next_us, participant_send_rtcp(p, now_us));
    return next_us;
}

struct subscription *participant_find_slot(const struct participant *p, uint32_t ssrc)
{
    for (size_t i = 0; i < p->plan->n_sections; i++) {
        if (p->subscriptions[i] && p->subscriptions[i]->section->ssrc == ssrc)
            return p->subscriptions[i];
    }
    return NULL;
}

struct track_layer *participant_find_layer(const struct participant *p, uint32_t ssrc,
                                           struct track **track)
{
    struct route route;

    if (routing_find_ssrc(&p->routing, ssrc, &route) < 0)
        return NULL;
    *track = p->track_of_section[route.section];
    return *track ? (*track)->layers[route.layer] : NULL;
}

void participant_set_rtt(struct participant *p, int64_t rtt_us)
{
    p->subscriber.rtt_us = rtt_us;
    if (p->downlink)
        downlink_set_rtt(p->downlink, rtt_us);
    if (p->subscriber.responder)
        nack_responder_set_rtt(p->subscriber.responder, rtt_us);
    for (uint32_t i = 0; i < p->tracks.n; i++) {
        for (size_t k = 0; k < PLAN_MAX_LAYERS; k++) {
            struct track_layer *layer = p->tracks.tracks[i]->layers[k];

            if (!layer)
                continue;
            key_frame_request_set_rtt(&layer->key_frame, rtt_us);
            if (layer->nack)
                nack_generator_set_rtt(layer->nack, rtt_us);
        }
    }
}
