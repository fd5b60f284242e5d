#include "sfu/participant_slots.h"

#include "sfu/core.h"
#include "sfu/mail.h"
#include "sfu/participant.h"
#include "sfu/subscription.h"
#include "sfu/track.h"

#include <stdio.h>
#include <stdlib.h>

/** The slots of a participant by kind and index, as the allocator sees them, and what they are. */
struct slot_table {
    struct slot_place places[SLOT_KINDS][PLAN_MAX_SECTIONS];
    struct subscription *subscriptions[SLOT_KINDS][PLAN_MAX_SECTIONS]; /* NULL: absent */
    size_t n[SLOT_KINDS];
    struct track *const *tracks; /* of others, in step with the allocator's */
};

static void enter_slot(struct slot_table *table, struct subscription *s)
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
    };
}

static void fill_table(struct slot_table *table, const struct participant *p)
{
    for (int kind = 0; kind < SLOT_KINDS; kind++)
        table->n[kind] = 0;
    for (size_t i = 0; i < p->plan->n_sections; i++) {
        if (p->subscriptions[i])
            enter_slot(table, p->subscriptions[i]);
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

/* Make one slot carry what the allocator says. */
static void apply_place(struct subscription *s, uint32_t wanted, struct track *track)
{
    if (s->track && s->track->id == wanted)
        return;
    subscription_unbind(s);
    if (track)
        subscription_bind(s, track);
}

static void apply(const struct slot_allocation *a, const struct slot_table *table)
{
    for (int kind = 0; kind < SLOT_KINDS; kind++) {
        for (size_t i = 0; i < table->n[kind]; i++) {
            uint32_t wanted = a->places[kind][i].track;

            if (table->subscriptions[kind][i])
                apply_place(table->subscriptions[kind][i], wanted, find_track(a, table, wanted));
        }
    }
}

static bool has_news(const struct subscription *s)
{
    return s && s->told_track != (s->track ? s->track->id : 0);
}

static void tell(struct participant *p)
{
    struct mail_slots *mail;
    uint32_t n = 0;

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

    for (size_t i = 0; i < a->n_tracks; i++)
        n[a->tracks[i].kind]++;
    for (size_t i = 0; i < p->plan->n_sections; i++) {
        if (p->subscriptions[i])
            slots[p->subscriptions[i]->section->kind]++;
    }
    p->needs_slots = n[KIND_AUDIO] > slots[KIND_AUDIO] || n[KIND_VIDEO] > slots[KIND_VIDEO];
    for (int kind = 0; kind < SLOT_KINDS; kind++)
        p->need[kind] = n[kind] > slots[kind] ? n[kind] : slots[kind];
}

void participant_assign_slots(struct participant *p, struct track *const *tracks, size_t n,
                              const struct slot_scratch *scratch, int64_t now_us)
{
    struct slot_table table;
    struct slot_allocation a = {.accepts = accepts, .owner = &table};

    for (size_t i = 0; i < n; i++) {
        if (tracks[i]->participant == p->id)
            continue;
        scratch->tracks[a.n_tracks] = tracks[i];
        scratch->described[a.n_tracks++] = (struct slot_track){
            .track = tracks[i]->id,
            .participant = tracks[i]->participant,
            .kind = tracks[i]->kind,
        };
    }
    a.tracks = scratch->described;
    table.tracks = scratch->tracks;
    fill_table(&table, p);
    for (int kind = 0; kind < SLOT_KINDS; kind++) {
        a.places[kind] = table.places[kind];
        a.n_places[kind] = table.n[kind];
    }
    slot_allocator_run(&a);
    apply(&a, &table);
    tell(p);
    note_need(p, &a);
    if (participant_advance_need(p, now_us) != NEVER_US)
        core_touch(p->core, &p->actor);
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
