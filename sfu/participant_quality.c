#include "sfu/participant_quality.h"

#include "media/quality_score.h"
#include "sfu/core.h"
#include "sfu/downlink.h"
#include "sfu/mail.h"
#include "sfu/participant.h"
#include "sfu/track.h"

#include <stdlib.h>
#include <string.h>

static uint32_t ms_of(int64_t us)
{
    return us > 0 ? (uint32_t)(us / MS) : 0;
}

static uint32_t clamp_u32(uint64_t n)
{
    return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

/* ------------------------------------------------------------------ what it publishes */

static void describe_layer(struct quality_layer *ret, const struct track *t, size_t at,
                           int64_t now_us)
{
    const struct track_layer *l = t->layers[at];

    _Static_assert((int)MESSAGE_RID_MAX == (int)PLAN_RID_MAX, "copied whole");
    memcpy(ret->rid, t->section->layers[at].rid, sizeof(ret->rid));
    if (!l)
        return;
    ret->active = track_layer_flows(l, now_us);
    ret->rate_bps = t->kind == KIND_VIDEO ? track_layer_rate(l, UINT8_MAX, UINT8_MAX)
                                          : t->measure.rate_bps;
    ret->width = l->width;
    ret->height = l->height;
    ret->fps = l->fps;
}

static void describe_track(struct quality_track *ret, const struct participant *p,
                           const struct track *t, int64_t now_us)
{
    *ret = (struct quality_track){
        .track = t->id,
        .rate_bps = t->measure.rate_bps,
        .loss_permille = t->measure.loss_permille,
        .jitter_ms = t->measure.jitter_ms,
        .rtt_ms = ms_of(p->subscriber.rtt_us),
        .n_layers = t->section->n_layers,
    };
    for (uint32_t i = 0; i < ret->n_layers; i++)
        describe_layer(&ret->layers[i], t, i, now_us);
}

static void describe_tracks(struct message_quality *q, const struct participant *p, int64_t now_us)
{
    for (uint32_t i = 0; i < p->tracks.n; i++)
        describe_track(&q->tracks[q->n_tracks++], p, p->tracks.tracks[i], now_us);
}

/* ------------------------------------------------------------------ what it gets */

/* Measure what was sent in the slot since the last time. */
static void measure(struct subscription *s, int64_t now_us)
{
    struct subscription_measure *m = &s->measure;

    if (m->since_us > 0 && now_us > m->since_us)
        m->rate_bps = clamp_u32((s->sender.bytes - m->bytes) * 8 * SECOND /
                                (uint64_t)(now_us - m->since_us));
    m->bytes = s->sender.bytes;
    m->since_us = now_us;
}

static void describe_subscription(struct quality_subscription *ret, const struct subscription *s)
{
    struct layer_target current = subscription_current(s);

    *ret = (struct quality_subscription){
        .track = s->track->id,
        .rate_bps = s->measure.rate_bps,
        .loss_permille = s->sender.fraction_lost * 1000U / 256,
        .layer = current.paused ? MESSAGE_LAYER_NONE : current.layer,
        .target = s->target ? track_layer_index(s->track, s->target) : MESSAGE_LAYER_NONE,
        .key_frames = s->track->kind == KIND_VIDEO ? s->measure.key_frames : 0,
        .freezes_avoided = s->measure.freezes_avoided,
    };
    _Static_assert((int)MESSAGE_MID_MAX == (int)PLAN_MID_MAX, "copied whole");
    memcpy(ret->mid, s->section->mid, sizeof(ret->mid));
    if (current.paused || s->track->kind != KIND_VIDEO)
        return;
    ret->spatial = current.sid < UINT8_MAX ? current.sid : 0;
    ret->temporal = current.tid < UINT8_MAX ? current.tid : 0;
}

/* How the publisher gets through, as far as we see: that is the same for all who watch. */
static uint8_t score_of_track(const struct track *t)
{
    const struct track_measure *m = &t->measure;
    struct quality_figures figures = {.loss_permille = m->loss_permille, .jitter_ms = m->jitter_ms};

    return quality_score(&figures);
}

/* The worst of the tracks that are seen or heard is what counts. */
static void note_score(struct message_quality *q, uint32_t participant, uint8_t score)
{
    for (uint32_t i = 0; i < q->n_participants; i++) {
        if (q->participants[i].participant != participant)
            continue;
        if (score < q->participants[i].score)
            q->participants[i].score = score;
        return;
    }
    q->participants[q->n_participants++] = (struct message_score){.participant = participant,
                                                                  .score = score};
}

static void describe_slots(struct message_quality *q, const struct participant *p)
{
    for (size_t i = 0; i < p->plan->n_sections; i++) {
        const struct subscription *s = p->subscriptions[i];

        if (!s || !s->track)
            continue;
        describe_subscription(&q->subscriptions[q->n_subscriptions++], s);
        note_score(q, s->track->participant, score_of_track(s->track));
    }
}

/* ------------------------------------------------------------------ the whole */

static uint32_t worst_loss_up(const struct participant *p)
{
    uint32_t worst = 0;

    for (uint32_t i = 0; i < p->tracks.n; i++) {
        if (p->tracks.tracks[i]->measure.loss_permille > worst)
            worst = p->tracks.tracks[i]->measure.loss_permille;
    }
    return worst;
}

/* @return how much of the video it would show has no room on its path [per mille] */
static uint32_t starved_permille(const struct participant *p)
{
    uint32_t n = 0;
    uint32_t starved = 0;

    for (size_t i = 0; i < p->plan->n_sections; i++) {
        const struct subscription *s = p->subscriptions[i];

        if (!s || !s->track || s->track->kind != KIND_VIDEO || s->share.state == SLOT_HIDDEN)
            continue;
        n++;
        starved += s->share.state == SLOT_BANDWIDTH;
    }
    return n > 0 ? starved * 1000 / n : 0;
}

static void describe_path(struct message_quality *q, const struct participant *p)
{
    struct quality_figures figures = {.rtt_ms = ms_of(p->subscriber.rtt_us),
                                      .starved_permille = starved_permille(p)};

    q->rtt_ms = figures.rtt_ms;
    q->up_loss_permille = worst_loss_up(p);
    if (p->downlink) {
        struct congestion_stats stats;

        downlink_stats(p->downlink, &stats);
        q->estimate_bps = clamp_u32(downlink_estimate(p->downlink));
        q->down_loss_permille = (uint32_t)(stats.loss * 1000);
    }
    figures.loss_permille = q->up_loss_permille > q->down_loss_permille ? q->up_loss_permille
                                                                        : q->down_loss_permille;
    q->score = quality_score(&figures);
}

static uint32_t count_bound(const struct participant *p)
{
    uint32_t n = 0;

    for (size_t i = 0; i < p->plan->n_sections; i++)
        n += p->subscriptions[i] && p->subscriptions[i]->track;
    return n;
}

/* @return room for all there is to say, or NULL: no memory */
static struct message_quality *new_quality(uint32_t n_tracks, uint32_t n_bound)
{
    struct message_quality *q = calloc(1, sizeof(*q));

    if (!q)
        return NULL;
    q->tracks = calloc(n_tracks + 1UL, sizeof(q->tracks[0]));
    q->subscriptions = calloc(n_bound + 1UL, sizeof(q->subscriptions[0]));
    q->participants = calloc(n_bound + 1UL, sizeof(q->participants[0]));
    if (!q->tracks || !q->subscriptions || !q->participants)
        return message_quality_free(q);
    return q;
}

static void tell(struct participant *p, uint32_t n_bound, int64_t now_us)
{
    struct mail_quality *mail = calloc(1, sizeof(*mail));

    if (mail)
        mail->quality = new_quality(p->tracks.n, n_bound);
    if (!mail || !mail->quality) {
        free(mail);
        p->core->stats.drop_memory++;
        return;
    }
    mail->mail.type = MAIL_QUALITY;
    mail->participant = p->id;
    describe_path(mail->quality, p);
    describe_tracks(mail->quality, p, now_us);
    describe_slots(mail->quality, p);
    core_post(p->core, &mail->mail);
}

void participant_advance_quality(struct participant *p, int64_t now_us)
{
    uint32_t n_bound = count_bound(p);

    for (size_t i = 0; i < p->plan->n_sections; i++) {
        if (p->subscriptions[i] && p->subscriptions[i]->track)
            measure(p->subscriptions[i], now_us);
    }
    if (p->quality_us == 0)
        p->quality_us = now_us + QUALITY_INTERVAL_US;
    if (now_us < p->quality_us || (n_bound == 0 && p->tracks.n == 0))
        return;
    p->quality_us = now_us + QUALITY_INTERVAL_US;
    tell(p, n_bound, now_us);
}
