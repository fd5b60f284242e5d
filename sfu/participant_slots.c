#include "sfu/participant_slots.h"

#include "media/speaker_detector.h"
#include "sfu/core.h"
#include "sfu/mail.h"
#include "sfu/participant.h"
#include "sfu/participant_layers.h"
#include "sfu/room_speakers.h"
#include "sfu/subscription.h"
#include "sfu/track.h"
#include "sfu/track_audio.h"

#include <stdio.h>
#include <stdlib.h>

/* A speaker's picture stays where it is for so long. */
static const int64_t MOVE_INTERVAL_US = 1 * SECOND;

enum { CANDIDATES_MAX = 2 * PLAN_MAX_SECTIONS };

/** The slots of a participant by kind and index, as the allocator sees them, and what they are. */
struct slot_table {
    struct slot_place places[SLOT_KINDS][PLAN_MAX_SECTIONS];
    struct subscription *subscriptions[SLOT_KINDS][PLAN_MAX_SECTIONS]; /* NULL: absent */
    size_t n[SLOT_KINDS];
    struct track *const *tracks; /* of others, in step with the allocator's */
};

/** Some tracks of others. */
struct candidates {
    struct track *tracks[CANDIDATES_MAX];
    struct slot_track described[CANDIDATES_MAX];
    size_t n;
};

/* Sound: who speaks comes first, then who spoke last. */
static void rate_audio(const struct track *t, struct slot_track *ret)
{
    if (!t->speaker)
        return;
    ret->rank = t->speaker->rank;
    ret->claims = t->speaker->state != SPEAKER_QUIET;
}

/* Pictures: screens, then who was the dominant speaker last, then those who are not muted. */
static void rate_video(const struct track *t, struct slot_track *ret)
{
    uint64_t spoke = track_speech_rank(t);

    if (t->muted)
        return;
    ret->claims = true;
    ret->rank = spoke ? spoke : 1;
    if (t->screen)
        ret->priority = PRIORITY_SCREEN;
    else if (spoke)
        ret->priority = PRIORITY_SPEAKER;
}

void participant_rate_track(const struct track *t, struct slot_track *ret)
{
    *ret = (struct slot_track){.track = t->id, .participant = t->participant, .kind = t->kind};
    if (t->kind == KIND_AUDIO)
        rate_audio(t, ret);
    else
        rate_video(t, ret);
}

/* Make of what the track is to everybody what it is to `p`.
 * @return false: nothing for its slots */
static bool describe(const struct participant *p, const struct track *t, struct slot_track *rated)
{
    struct slot_wish wish;

    if (p->deaf || t->participant == p->id)
        return false;
    wish = participant_layers_wish(p, t);
    if (wish.priority > rated->priority) {
        rated->priority = wish.priority;
        rated->claims = true;
    }
    return !wish.unsubscribed;
}

/* Only where the last one was seen: a muted track gives way at any time. */
static bool is_fixed(const struct subscription *s, int64_t now_us)
{
    return s->track && s->track->kind == KIND_VIDEO && !s->track->muted &&
           now_us - s->bound_us < MOVE_INTERVAL_US;
}

static void enter_slot(struct slot_table *table, struct subscription *s, int64_t now_us)
{
    enum media_kind kind = s->section->kind;
    size_t at = s->section->slot;

    if (at >= PLAN_MAX_SECTIONS)
        return;
    for (; table->n[kind] <= at; table->n[kind]++) {
        table->places[kind][table->n[kind]] = (struct slot_place){.absent = true};
        table->subscriptions[kind][table->n[kind]] = NULL;
    }
    table->subscriptions[kind][at] = s;
    table->places[kind][at] = (struct slot_place){
        .track = s->track ? s->track->id : 0,
        .participant = s->track ? s->track->participant : 0,
        .fixed = is_fixed(s, now_us),
    };
}

static void fill_table(struct slot_table *table, const struct participant *p, int64_t now_us)
{
    for (int kind = 0; kind < SLOT_KINDS; kind++)
        table->n[kind] = 0;
    for (size_t i = 0; i < p->plan->n_sections; i++) {
        if (p->subscriptions[i])
            enter_slot(table, p->subscriptions[i], now_us);
    }
}

static bool accepts(void *owner, enum media_kind kind, size_t place, size_t track)
{
    const struct slot_table *table = owner;

    return subscription_accepts(table->subscriptions[kind][place]->section, table->tracks[track]);
}

static struct track *find_track(const struct slot_allocation *a, const struct slot_table *table,
                                uint32_t id)
{
    for (size_t i = 0; i < a->n_tracks; i++) {
        if (a->tracks[i].track == id)
            return table->tracks[i];
    }
    return NULL;
}

/* Make one slot carry what the allocator says. @return true: it carried something else */
static bool apply_place(struct subscription *s, uint32_t wanted, struct track *track,
                        int64_t now_us)
{
    if ((s->track ? s->track->id : 0) == wanted)
        return false;
    subscription_unbind(s);
    if (track)
        subscription_bind(s, track);
    s->bound_us = now_us;
    return true;
}

static bool apply(const struct slot_allocation *a, const struct slot_table *table, int64_t now_us)
{
    bool changed = false;

    for (int kind = 0; kind < SLOT_KINDS; kind++) {
        for (size_t i = 0; i < table->n[kind]; i++) {
            uint32_t wanted = a->places[kind][i].track;

            if (table->subscriptions[kind][i] && apply_place(table->subscriptions[kind][i], wanted,
                                                             find_track(a, table, wanted), now_us))
                changed = true;
        }
    }
    return changed;
}

static bool has_news(const struct subscription *s)
{
    return s && s->told_track != (s->track ? s->track->id : 0);
}

void participant_tell_slots(struct participant *p)
{
    struct mail_slots *mail;
    uint32_t n = 0;

    p->untold = false;
    for (size_t i = 0; i < p->plan->n_sections; i++)
        n += has_news(p->subscriptions[i]);
    if (n == 0)
        return;
    mail = calloc(1, sizeof(*mail));
    if (mail)
        mail->slots = calloc(n, sizeof(*mail->slots));
    if (!mail || !mail->slots) {
        free(mail);
        p->core->stats.drop_memory++;
        return;
    }
    mail->mail.type = MAIL_SLOTS;
    mail->participant = p->id;
    mail->epoch = ++p->epoch;
    for (size_t i = 0; i < p->plan->n_sections; i++) {
        struct subscription *s = p->subscriptions[i];
        struct message_slot *slot = &mail->slots[mail->n_slots];

        if (!has_news(s))
            continue;
        mail->n_slots++;
        s->told_track = s->track ? s->track->id : 0;
        (void)snprintf(slot->mid, sizeof(slot->mid), "%s", s->section->mid);
        slot->track = s->told_track;
        slot->participant = s->track ? s->track->participant : 0;
    }
    core_post(p->core, &mail->mail);
}

static void note_need(struct participant *p, const struct slot_allocation *a)
{
    uint32_t n[SLOT_KINDS] = {0};
    uint32_t slots[SLOT_KINDS] = {0};
    uint32_t max_audio = p->core->config.limits.max_audio_streams;

    for (size_t i = 0; i < a->n_tracks; i++)
        n[a->tracks[i].kind]++;
    for (size_t i = 0; i < p->plan->n_sections; i++) {
        if (p->subscriptions[i])
            slots[p->subscriptions[i]->section->kind]++;
    }
    for (int kind = 0; kind < SLOT_KINDS; kind++)
        p->crowded[kind] = slots[kind] > 0 && n[kind] > slots[kind];
    if (max_audio && n[KIND_AUDIO] > max_audio) {
        p->crowded[KIND_AUDIO] = slots[KIND_AUDIO] > 0;
        n[KIND_AUDIO] = max_audio;
    }
    p->needs_slots = n[KIND_AUDIO] > slots[KIND_AUDIO] || n[KIND_VIDEO] > slots[KIND_VIDEO];
    for (int kind = 0; kind < SLOT_KINDS; kind++)
        p->need[kind] = n[kind] > slots[kind] ? n[kind] : slots[kind];
}

/* Begin with what the slots carry now. */
static void begin(struct slot_allocation *a, struct slot_table *table, const struct participant *p,
                  int64_t now_us)
{
    fill_table(table, p, now_us);
    *a = (struct slot_allocation){.accepts = accepts, .owner = table};
    for (int kind = 0; kind < SLOT_KINDS; kind++) {
        a->places[kind] = table->places[kind];
        a->n_places[kind] = table->n[kind];
    }
    a->max_bound[KIND_AUDIO] = p->core->config.limits.max_audio_streams;
}

bool participant_assign_slots(struct participant *p, struct track *const *tracks, size_t n,
                              const struct slot_scratch *scratch, int64_t now_us)
{
    struct slot_table table;
    struct slot_allocation a;

    begin(&a, &table, p, now_us);
    for (size_t i = 0; i < n; i++) {
        scratch->described[a.n_tracks] = scratch->rated[i];
        if (!describe(p, tracks[i], &scratch->described[a.n_tracks]))
            continue;
        scratch->tracks[a.n_tracks++] = tracks[i];
    }
    a.tracks = scratch->described;
    table.tracks = scratch->tracks;
    slot_allocator_run(&a);
    (void)apply(&a, &table, now_us);
    participant_tell_slots(p);
    note_need(p, &a);
    if (participant_advance_need(p, now_us) != NEVER_US)
        core_touch(p->core, &p->actor);
    return a.held[KIND_VIDEO];
}

/* ------------------------------------------------------------------ speakers */

static struct subscription *find_carrier(const struct participant *p, const struct track *t)
{
    for (size_t i = 0; i < p->plan->n_sections; i++) {
        if (p->subscriptions[i] && p->subscriptions[i]->track == t)
            return p->subscriptions[i];
    }
    return NULL;
}

static void add_candidate(struct candidates *c, const struct participant *p, struct track *t)
{
    if (c->n == CANDIDATES_MAX)
        return;
    participant_rate_track(t, &c->described[c->n]);
    if (!describe(p, t, &c->described[c->n]))
        return;
    c->tracks[c->n++] = t;
}

bool participant_follow(struct participant *p, enum media_kind kind, struct track *const *risen,
                        size_t n, int64_t now_us)
{
    struct slot_table table;
    struct slot_allocation a;
    struct candidates c;

    if (!p->crowded[kind])
        return false;
    begin(&a, &table, p, now_us);
    c.n = 0;
    for (size_t i = 0; i < p->plan->n_sections; i++) {
        const struct subscription *s = p->subscriptions[i];

        if (s && s->track && s->section->kind == kind)
            add_candidate(&c, p, s->track);
    }
    for (size_t i = 0; i < n; i++) {
        if (!find_carrier(p, risen[i]))
            add_candidate(&c, p, risen[i]);
    }
    a.tracks = c.described;
    a.n_tracks = c.n;
    table.tracks = c.tracks;
    slot_allocator_claim(&a, kind);
    if (apply(&a, &table, now_us)) {
        p->untold = true; /* once per turn */
        core_touch(p->core, &p->actor);
    }
    return a.held[kind];
}

void participant_hear(struct participant *p, struct track *t, int64_t now_us)
{
    struct subscription *s;

    if (!p->crowded[KIND_AUDIO] || t->participant == p->id || find_carrier(p, t))
        return;
    (void)participant_follow(p, KIND_AUDIO, &t, 1, now_us);
    s = find_carrier(p, t);
    if (s)
        track_audio_pre_roll(t, s, now_us);
}

int64_t participant_advance_need(struct participant *p, int64_t now_us)
{
    struct mail_need *mail;

    if (!p->needs_slots || p->need_outstanding)
        return NEVER_US;
    if (p->need_sent && now_us < p->need_us + NEED_INTERVAL_US)
        return p->need_us + NEED_INTERVAL_US;
    mail = calloc(1, sizeof(*mail));
    if (!mail) {
        p->core->stats.drop_memory++;
        return now_us + NEED_INTERVAL_US;
    }
    mail->mail.type = MAIL_NEED;
    mail->participant = p->id;
    mail->audio = p->need[KIND_AUDIO];
    mail->video = p->need[KIND_VIDEO];
    p->need_outstanding = p->need_sent = true;
    p->need_us = now_us;
    core_post(p->core, &mail->mail);
    return NEVER_US;
}
