#include "sfu/room_speakers.h"

#include "media/speaker_detector.h"
#include "sfu/core.h"
#include "sfu/mail.h"
#include "sfu/participant.h"
#include "sfu/participant_slots.h"
#include "sfu/relay_out.h"
#include "sfu/room.h"
#include "sfu/track.h"
#include "sfu/track_set.h"

#include <stdlib.h>
#include <string.h>

enum { RISEN_MAX = 32 }; /* of those that speak, so many may get a slot in one decision */

static void relay_report(void *owner, const struct speaker *s, const struct speaker_report *report)
{
    const struct room_speakers *r = owner;
    const struct track *t = s->owner;
    struct relay_source source = {
        .workers = t->levels_to, .participant = t->participant, .track = t->id};

    if (t->levels_to)
        relay_out_levels(r->room->core->relay_out, &source, report);
}

static struct room_speakers *make(struct room *room)
{
    static const struct speaker_handler handler = {.on_report = relay_report};
    struct room_speakers *r = calloc(1, sizeof(*r));

    if (!r)
        return NULL;
    r->actor.kind = ACTOR_ROOM;
    r->room = room;
    r->detector = speaker_detector_new(&handler, r);
    if (!r->detector) {
        free(r);
        return NULL;
    }
    return r;
}

struct room_speakers *room_speakers_free(struct room_speakers *r)
{
    if (!r)
        return NULL;
    core_forget(r->room->core, &r->actor);
    speaker_detector_free(r->detector);
    free(r);
    return NULL;
}

/* @return the track's speaker, made now if need be; NULL: no memory (counted), or in no room */
static struct speaker *speaker_of_track(struct track *t, uint8_t level, int64_t now_us)
{
    struct room *room = t->room;

    if (t->speaker || !room)
        return t->speaker;
    if (!room->speakers)
        room->speakers = make(room);
    if (room->speakers)
        t->speaker = speaker_new(room->speakers->detector, t->id, level, now_us);
    if (!t->speaker) {
        t->core->stats.drop_memory++;
        return NULL;
    }
    t->speaker->owner = t;
    t->speaker->background = t->screen;
    return t->speaker;
}

/* ------------------------------------------------------------------ slots */

static struct participant *participant_of(struct list *link)
{
    return CONTAINER_OF(link, struct participant, room_link);
}

/* Before the packet that it begins to speak with is forwarded. */
static void give_slots(struct track *t, int64_t now_us)
{
    struct room *room = t->room;

    core_touch(room->core, &room->speakers->actor);
    if (!room->crowded[KIND_AUDIO] && !list_linked(&room->dirty_link))
        return; /* it has one wherever it can */
    track_fan_out_all(room->core);
    if (list_linked(&room->dirty_link)) {
        list_unlink(&room->dirty_link);
        room_assign_slots(room, now_us);
    }
    LIST_FOREACH(link, &room->participants)
        participant_hear(participant_of(link), t, now_us);
}

/* Let slots of one kind follow. */
static void follow(struct room_speakers *r, enum media_kind kind, struct track *const *risen,
                   size_t n, int64_t now_us)
{
    r->held[kind] = false;
    if (!r->room->crowded[kind])
        return;
    LIST_FOREACH(link, &r->room->participants) {
        if (participant_follow(participant_of(link), kind, risen, n, now_us))
            r->held[kind] = true;
    }
}

static void follow_audio(struct room_speakers *r, int64_t now_us)
{
    struct track *risen[RISEN_MAX];
    size_t n = 0;

    for (struct speaker *s = speaker_detector_next(r->detector, NULL); s && n < RISEN_MAX;
         s = speaker_detector_next(r->detector, s))
        risen[n++] = s->owner;
    follow(r, KIND_AUDIO, risen, n, now_us);
}

static void follow_video(struct room_speakers *r, int64_t now_us)
{
    const struct speaker *dominant = speaker_detector_dominant(r->detector);
    const struct track *sound = dominant ? dominant->owner : NULL;
    struct track *risen[RISEN_MAX];
    size_t n = 0;

    for (uint32_t i = 0; sound && i < sound->set->n && n < RISEN_MAX; i++) {
        if (sound->set->tracks[i]->kind != KIND_VIDEO)
            continue;
        risen[n++] = sound->set->tracks[i];
        track_note_change(sound->set->tracks[i]);
    }
    follow(r, KIND_VIDEO, risen, n, now_us);
}

/* ------------------------------------------------------------------ what comes in */

void room_speakers_hear(struct track *t, uint8_t level, bool voice, int64_t now_us)
{
    struct speaker *s;

    if (!t->speaker && level > SPEECH_LEVEL_FAINT)
        return; /* most are silent */
    s = speaker_of_track(t, level, now_us);
    if (s && speaker_hear(s, level, voice, now_us))
        give_slots(t, now_us);
}

void room_speakers_hear_sound(struct track *t, int64_t now_us)
{
    struct speaker *s = speaker_of_track(t, SPEECH_LEVEL_FAINT, now_us);

    if (s && speaker_hear_sound(s, now_us))
        give_slots(t, now_us);
}

void room_speakers_take_report(struct track *t, const struct speaker_report *report, int64_t now_us)
{
    struct speaker *s;

    if (t->kind != KIND_AUDIO || t->muted)
        return;
    s = speaker_of_track(t, report->level, now_us);
    if (!s)
        return;
    if (speaker_take_report(s, report, now_us))
        give_slots(t, now_us);
    core_touch(t->core, &t->room->speakers->actor);
}

void room_speakers_mute(struct track *t)
{
    if (t->speaker && speaker_stop(t->speaker))
        core_touch(t->core, &t->room->speakers->actor);
}

void room_speakers_forget(struct track *t)
{
    if (!t->speaker)
        return;
    t->speaker = speaker_free(t->speaker);
    core_touch(t->core, &t->room->speakers->actor);
}

void room_speakers_greet(struct room *room)
{
    if (!room->speakers)
        return;
    room->speakers->tells_anew = true;
    core_touch(room->core, &room->speakers->actor);
}

void room_speakers_hold(struct room_speakers *r)
{
    r->held[KIND_VIDEO] = true;
    core_touch(r->room->core, &r->actor);
}

/* ------------------------------------------------------------------ control is told */

/* @return index of the participant, or n */
static uint32_t find(const struct message_speaker *speakers, uint32_t n, uint32_t participant)
{
    uint32_t at = 0;

    while (at < n && speakers[at].participant != participant)
        at++;
    return at;
}

/* @return how many speak; one with several tracks is the first of them */
static uint32_t collect(const struct room_speakers *r, struct message_speaker *ret)
{
    uint32_t n = 0;

    for (const struct speaker *s = speaker_detector_next(r->detector, NULL);
         s && n < MESSAGE_MAX_SPEAKERS; s = speaker_detector_next(r->detector, s)) {
        const struct track *t = s->owner;

        if (s->state != SPEAKER_SPEAKING || !s->confirmed || s->background ||
            find(ret, n, t->participant) < n)
            continue;
        ret[n++] = (struct message_speaker){
            .participant = t->participant,
            .level = speech_activity_level(&s->activity),
            .dominant = s->dominant,
        };
    }
    return n;
}

enum news { NEWS_NONE, NEWS_LEVELS, NEWS_SPEAKERS };

static enum news compare(const struct room_speakers *r, const struct message_speaker *speakers,
                         uint32_t n)
{
    enum news news = NEWS_NONE;

    if (n != r->n_told)
        return NEWS_SPEAKERS;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = find(r->told, r->n_told, speakers[i].participant);

        if (at == r->n_told || r->told[at].dominant != speakers[i].dominant)
            return NEWS_SPEAKERS;
        if (abs(r->told[at].level - speakers[i].level) >= ROOM_SPEAKERS_LEVEL_STEP)
            news = NEWS_LEVELS;
    }
    return news;
}

static void post(struct room_speakers *r, const struct message_speaker *speakers, uint32_t n)
{
    struct core *core = r->room->core;
    struct mail_speakers *mail;

    if (list_empty(&r->room->participants))
        return;
    mail = calloc(1, sizeof(*mail));
    if (!mail) {
        core->stats.drop_memory++;
        return;
    }
    mail->mail.type = MAIL_SPEAKERS;
    mail->room = r->room->id;
    mail->participant = participant_of(r->room->participants.next)->id;
    mail->n_speakers = n;
    memcpy(mail->speakers, speakers, n * sizeof(*speakers));
    core_post(core, &mail->mail);
}

/* @return when to look again [us], or NEVER_US: when somebody speaks */
static int64_t tell(struct room_speakers *r, int64_t now_us)
{
    struct message_speaker speakers[MESSAGE_MAX_SPEAKERS];
    uint32_t n = collect(r, speakers);
    enum news news = compare(r, speakers, n);
    int64_t due_us = r->told_us + ROOM_SPEAKERS_INTERVAL_US;

    if (r->tells_anew && n > 0)
        news = NEWS_SPEAKERS;
    r->tells_anew = r->tells_anew && n > 0;
    if (news == NEWS_NONE)
        return NEVER_US;
    if (news == NEWS_LEVELS)
        due_us = r->told_us + ROOM_SPEAKERS_LEVEL_US;
    if (now_us < due_us)
        return due_us;
    memcpy(r->told, speakers, n * sizeof(*speakers));
    r->n_told = n;
    r->told_us = now_us;
    r->tells_anew = false;
    post(r, speakers, n);
    return NEVER_US;
}

int64_t room_speakers_advance(struct room_speakers *r, int64_t now_us)
{
    unsigned changed = speaker_detector_advance(r->detector, now_us);
    int64_t next_us;

    if (changed & SPEAKER_CHANGED_ORDER)
        follow_audio(r, now_us);
    if (changed & SPEAKER_CHANGED_DOMINANT || r->held[KIND_VIDEO])
        follow_video(r, now_us);
    next_us = clock_earlier(tell(r, now_us), speaker_detector_deadline(r->detector));
    return r->held[KIND_VIDEO] ? clock_earlier(next_us, now_us + SPEAKER_TICK_US) : next_us;
}

/* ------------------------------------------------------------------ for others */

uint64_t track_speech_rank(const struct track *t)
{
    uint64_t rank = 0;

    for (uint32_t i = 0; t->set && i < t->set->n; i++) {
        const struct speaker *s = t->set->tracks[i]->speaker;

        if (s && s->dominated > rank)
            rank = s->dominated;
    }
    return rank;
}

bool track_is_dominant(const struct track *t)
{
    for (uint32_t i = 0; t->set && i < t->set->n; i++) {
        if (t->set->tracks[i]->speaker && t->set->tracks[i]->speaker->dominant)
            return true;
    }
    return false;
}
