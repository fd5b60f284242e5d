#include "sfu/participant_layers.h"

#include "media/base/attributes.h"
#include "sfu/core.h"
#include "sfu/downlink.h"
#include "sfu/mail.h"
#include "sfu/participant.h"
#include "sfu/participant_streams.h"
#include "sfu/room.h"
#include "sfu/room_speakers.h"
#include "sfu/subscription.h"
#include "sfu/track.h"
#include "sfu/track_ladder.h"

#include <stdlib.h>
#include <string.h>

enum {
    START_BPS = CONGESTION_START_BPS / 100 * 95,
    SOUND_OVERHEAD = 56,       /* of a packet of sound: IP, UDP, RTP, extensions, SRTP [bytes] */
    SOUND_BPS_MIN = 60 * 1000, /* kept for sound wherever there may be any: it begins suddenly */
    SOUND_DECAY = 8,           /* a rate that is lower now is believed by that part a second */
};

/** The slots of a participant, as the allocator gets them. */
struct table {
    struct participant *p;
    bool partial; /* there is more than is known yet */
    size_t n;
    struct subscription *subscriptions[ALLOCATOR_MAX_SLOTS];
    struct allocation_slot slots[ALLOCATOR_MAX_SLOTS];
};

struct participant_layers *participant_layers_free(struct participant_layers *l)
{
    if (!l)
        return NULL;
    participant_views_done(&l->views);
    free(l);
    return NULL;
}

/* @return the participant's, made now if there is none; NULL: no memory (counted) */
static struct participant_layers *layers_of(struct participant *p)
{
    if (p->layers)
        return p->layers;
    p->layers = calloc(1, sizeof(*p->layers));
    if (!p->layers) {
        p->core->stats.drop_memory++;
        return NULL;
    }
    bandwidth_allocator_init(&p->layers->allocator);
    return p->layers;
}

/* ------------------------------------------------------------------ what there is */

static enum slot_priority priority_of(const struct participant_view *view, const struct track *t)
{
    if (view->priority != PRIORITY_NORMAL)
        return view->priority;
    if (t->screen)
        return PRIORITY_SCREEN;
    return track_is_dominant(t) ? PRIORITY_SPEAKER : PRIORITY_NORMAL;
}

/* Has the slot another track than when it was last given something? */
static void note_track(struct subscription *s, int64_t now_us)
{
    if (s->share.track == s->track->id)
        return;
    s->share = (struct slot_share){.track = s->track->id, .told = SLOT_ACTIVE, .since_us = now_us};
}

/* @return where the slot belongs: those who spoke last are first, the others as they are */
static size_t make_place(struct table *table, const struct track *t)
{
    uint64_t rank = track_speech_rank(t);
    size_t at = table->n++;

    for (; at > 0 && track_speech_rank(table->subscriptions[at - 1]->track) < rank; at--) {
        table->subscriptions[at] = table->subscriptions[at - 1];
        table->slots[at] = table->slots[at - 1];
    }
    return at;
}

static void enter_video(struct table *table, struct subscription *s, int64_t now_us)
{
    struct participant_view view = participant_views_find(&table->p->layers->views, s->track->id,
                                                          s->section->ssrc);
    size_t at;

    note_track(s, now_us);
    if (table->n == ALLOCATOR_MAX_SLOTS)
        return;
    at = make_place(table, s->track);
    table->subscriptions[at] = s;
    table->slots[at] = (struct allocation_slot){
        .priority = priority_of(&view, s->track),
        .hidden = view.paused,
        .muted = s->track->muted,
        .view = view.size,
        .ladder = track_ladder(s->track, now_us),
        .state = s->share.state,
        .step = s->share.step,
    };
}

/* Sound is sent or not. */
static void settle_sound(struct participant *p, struct subscription *s, int64_t now_us)
{
    struct participant_view view = participant_views_find(&p->layers->views, s->track->id,
                                                          s->section->ssrc);
    struct layer_target target = {.paused = view.paused, .sid = UINT8_MAX, .tid = UINT8_MAX};
    enum slot_state state = view.paused ? SLOT_HIDDEN : SLOT_ACTIVE;

    note_track(s, now_us);
    s->share.state = s->track->muted ? SLOT_MUTED : state;
    subscription_set_target(s, &target);
}

static void fill_table(struct table *table, int64_t now_us)
{
    const struct participant *p = table->p;

    table->n = 0;
    for (size_t i = 0; i < p->plan->n_sections; i++) {
        struct subscription *s = p->subscriptions[i];

        if (s && !s->track)
            s->share.track = 0;
        if (!s || !s->track)
            continue;
        if (s->section->kind == KIND_VIDEO)
            enter_video(table, s, now_us);
        else
            settle_sound(table->p, s, now_us);
    }
}

/* What sound takes, as sent in the last second or so. */
static uint64_t measure_sound(struct participant *p, int64_t now_us)
{
    struct participant_layers *l = p->layers;
    uint64_t bytes = 0;
    bool some = false;
    uint64_t bps;

    for (size_t i = 0; i < p->plan->n_sections; i++) {
        const struct subscription *s = p->subscriptions[i];

        if (!s || s->section->kind != KIND_AUDIO)
            continue;
        some = some || s->track;
        bytes += s->sender.bytes + s->sender.packets * SOUND_OVERHEAD;
    }
    if (now_us - l->audio_us >= SECOND) {
        bps = bytes > l->audio_bytes
                  ? (bytes - l->audio_bytes) * 8 * SECOND / (uint64_t)(now_us - l->audio_us)
                  : 0;
        bps = l->audio_us ? bps : 0;
        if (bps < l->audio_bps)
            bps = l->audio_bps - (l->audio_bps - bps) / SOUND_DECAY;
        l->audio_bps = (uint32_t)bps;
        l->audio_bytes = bytes;
        l->audio_us = now_us;
    }
    return some && l->audio_bps < SOUND_BPS_MIN ? SOUND_BPS_MIN : l->audio_bps;
}

/* What the path carries. Until something was sent nothing is known: as the estimate begins. */
static uint64_t estimate_of(const struct participant *p)
{
    uint64_t bps = downlink_estimate(p->downlink);

    if (!p->downlink && downlink_feedback_of(p->plan) == DOWNLINK_TRANSPORT_CC)
        bps = START_BPS;
    return bps ? bps : ALLOCATOR_NO_LIMIT;
}

static bool is_guess(struct participant_layers *l, uint64_t estimate_bps, int64_t now_us)
{
    if (estimate_bps == ALLOCATOR_NO_LIMIT)
        return false;
    if (!l->guessed_us)
        l->guessed_us = now_us;
    if (estimate_bps < START_BPS || now_us >= l->guessed_us + PARTICIPANT_LAYERS_GUESS_US)
        l->judged = true;
    return !l->judged;
}

/* ------------------------------------------------------------------ what comes of it */

static struct layer_target target_of(const struct subscription *s, const struct ladder_step *step)
{
    const struct track_layer *layer = s->track->layers[step->layer];

    return (struct layer_target){
        .layer = step->layer,
        .sid = step->sid + 1 < layer->n_spatial ? step->sid : UINT8_MAX,
        .tid = step->tid + 1 < layer->n_temporal ? step->tid : UINT8_MAX,
    };
}

static void settle_video(struct subscription *s, const struct allocation_slot *slot, int64_t now_us)
{
    struct slot_share *share = &s->share;
    struct layer_target target = {.sid = UINT8_MAX, .tid = UINT8_MAX};

    if (slot->state != share->state)
        share->since_us = now_us;
    share->state = slot->state;
    share->step = slot->step;
    switch (slot->state) {
    case SLOT_ACTIVE:
        target = target_of(s, &slot->step);
        break;
    case SLOT_BANDWIDTH:
    case SLOT_HIDDEN:
        target.paused = true;
        break;
    case SLOT_NEW:
    case SLOT_MUTED:
        if (!s->automatic)
            return; /* goes on with what it had */
        break;
    case SLOT_NOT_SENT: /* begins with the lowest */
        break;
    }
    subscription_set_target(s, &target);
}

/* Do what was decided. */
static void settle(struct table *table, bool congested, int64_t now_us)
{
    for (size_t i = 0; i < table->n; i++) {
        const struct track_ladder *ladder = table->subscriptions[i]->track->ladder;

        table->partial = table->partial || (ladder && ladder->partial);
        if (congested)
            participant_streams_lower(table->subscriptions[i], &table->slots[i], now_us);
        settle_video(table->subscriptions[i], &table->slots[i], now_us);
    }
}

static void decide(struct participant *p, int64_t now_us)
{
    struct participant_layers *l = p->layers;
    struct table table = {.p = p};
    struct allocation_result result;
    struct allocation what = {.slots = table.slots};
    int64_t look_us;

    p->subscriber.layers_changed = false;
    fill_table(&table, now_us);
    what.n = table.n;
    what.estimate_bps = estimate_of(p);
    what.audio_bps = measure_sound(p, now_us);
    what.guess = is_guess(l, what.estimate_bps, now_us);
    bandwidth_allocator_run(&l->allocator, &what, &result, now_us);
    settle(&table, result.congested, now_us);
    downlink_set_wanted(p->downlink, result.better_bps ? result.better_bps : result.wanted_bps,
                        now_us);
    l->content = result.next_bps == 0;
    l->spent_bps = result.spent_bps;
    l->run_us = now_us;
    l->again_us = result.again_us;
    look_us = now_us + (table.partial ? TRACK_LADDER_FIRST_US : PARTICIPANT_LAYERS_LOOK_US);
    if (table.n > 0)
        l->again_us = clock_earlier(l->again_us, look_us);
}

/* ------------------------------------------------------------------ when */

void participant_allocate(struct participant *p, int64_t now_us)
{
    struct participant_layers *l = p->layers;

    if (!l || (l->content && estimate_of(p) >= l->spent_bps))
        return;
    if (now_us >= l->run_us + PARTICIPANT_LAYERS_INTERVAL_US || estimate_of(p) < l->spent_bps)
        p->subscriber.layers_changed = true;
    else
        l->again_us = clock_earlier(l->again_us, l->run_us + PARTICIPANT_LAYERS_INTERVAL_US);
}

int64_t participant_layers_advance(struct participant *p, int64_t now_us)
{
    int64_t next_us;

    if (p->subscriber.layers_changed && !layers_of(p))
        return now_us + PARTICIPANT_LAYERS_LOOK_US;
    if (!p->layers || !p->subscriber.connected)
        return NEVER_US;
    if (p->subscriber.layers_changed || p->layers->again_us <= now_us)
        decide(p, now_us);
    next_us = clock_earlier(p->layers->again_us, participant_streams_watch(p, now_us));
    return clock_earlier(next_us, participant_streams_tell(p, now_us));
}

/* ------------------------------------------------------------------ what the subscriber says */

/* @return SSRC of the slot with this mid; 0: there is none */
static uint32_t find_slot(const struct participant *p, const char *mid)
{
    for (size_t i = 0; i < p->plan->n_sections; i++) {
        if (p->subscriptions[i] && strcmp(p->plan->sections[i].mid, mid) == 0)
            return p->plan->sections[i].ssrc;
    }
    return 0;
}

struct slot_wish participant_layers_wish(const struct participant *p, const struct track *t)
{
    const struct participant_view *view = NULL;

    if (p->layers)
        view = participant_views_of_track(&p->layers->views, t->id);
    if (!view)
        return (struct slot_wish){0};
    return (struct slot_wish){.unsubscribed = view->unsubscribed, .priority = view->priority};
}

static struct participant_view *edit(struct participant *p, uint32_t track, uint32_t slot)
{
    struct participant_layers *l = layers_of(p);
    struct participant_view *view = NULL;

    if (l && (track || slot))
        view = participant_views_edit(&l->views, track, slot, p->room);
    if (!view)
        p->core->stats.drop_view++;
    return view;
}

static void take_view(struct participant *p, const struct message_view *said)
{
    uint32_t slot = said->track ? 0 : find_slot(p, said->mid);
    struct participant_view *view = edit(p, said->track, slot);

    if (!view)
        return;
    if (view->priority != (enum slot_priority)said->priority)
        room_touch_one(p->room, p); /* what is pinned gets a slot */
    view->size = (struct ladder_view){
        .width = said->width,
        .height = said->height,
        .fps = said->fps < UINT8_MAX ? (uint8_t)said->fps : 0,
    };
    view->priority = (enum slot_priority)said->priority;
    view->paused = said->paused;
}

static void on_view(struct participant *p, const struct mail_view *mail)
{
    for (uint32_t i = 0; i < mail->n_views; i++)
        take_view(p, &mail->views[i]);
    subscriber_note_change(&p->subscriber);
}

static void on_subscribe(struct participant *p, const struct mail_subscribe *mail)
{
    struct participant_view *view = edit(p, mail->track, 0);

    if (!view)
        return;
    view->unsubscribed = !mail->subscribed;
    room_touch_one(p->room, p);
}

void participant_layers_on_mail(struct participant *p, const struct mail *mail)
{
    if (mail->type == MAIL_VIEW)
        on_view(p, (const struct mail_view *)mail);
    else if (mail->type == MAIL_SUBSCRIBE)
        on_subscribe(p, (const struct mail_subscribe *)mail);
}
