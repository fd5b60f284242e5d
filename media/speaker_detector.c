#include "media/speaker_detector.h"

#include <assert.h>
#include <stdlib.h>

enum {
    PAUSE_BINS = 8,         /* at a decision: so long without voice, it has ended */
    REMOTE_PAUSE_BINS = 20, /* likewise, unless a report says so before */
    HEARD_BINS = 3,         /* with voice so lately, it is heard now */
    MOMENT_BINS = 10,       /* of those ... */
    MOMENT_VOICED = 5,      /* ... so many with voice: more than a cough */
    TAKE_OVER_MEDIUMS = 2,  /* to become dominant after a silent one */
    /* comparisons of scores [hundredths of a logarithm] */
    C1 = 300,
    C2 = 200,
    C3 = 20,           /* two tenths of a second more of the last one */
    AVERAGE = 16,      /* bins that an average looks back on */
    MARGIN_X256 = 512, /* of averages, to change places: 6 dB */
};

/* Speech that began so long ago has had a medium time of it by now. */
static const int64_t NOISES_US = 300 * MS;

static const uint64_t SOUNDING_RANK = UINT64_C(1) << 62;
static const uint64_t SPEAKING_RANK = UINT64_C(1) << 63;

struct speaker_detector {
    struct speaker_handler handler;
    void *owner;
    struct list speaking; /* in order */
    struct list sounding;
    uint32_t n_speaking;
    struct speaker *dominant;
    uint64_t ends, reigns; /* so far */
    unsigned changed;
    int64_t tick_us; /* when to decide next; NEVER_US: nobody speaks */
};

const char *speaker_state_name(enum speaker_state state)
{
    switch (state) {
    case SPEAKER_QUIET:
        return "quiet";
    case SPEAKER_SPEAKING:
        return "speaking";
    case SPEAKER_SOUNDING:
        return "sounding";
    }
    return "?";
}

struct speaker_detector *speaker_detector_new(const struct speaker_handler *handler, void *owner)
{
    struct speaker_detector *d = calloc(1, sizeof(*d));

    if (!d)
        return NULL;
    d->handler = *handler;
    d->owner = owner;
    list_init(&d->speaking);
    list_init(&d->sounding);
    d->tick_us = NEVER_US;
    return d;
}

struct speaker_detector *speaker_detector_free(struct speaker_detector *d)
{
    if (!d)
        return NULL;
    assert(list_empty(&d->speaking) && list_empty(&d->sounding) && !d->dominant);
    free(d);
    return NULL;
}

static struct speaker *speaker_of(struct list *link)
{
    return CONTAINER_OF(link, struct speaker, link);
}

static int64_t decision_bin(int64_t now_us)
{
    return speech_bin(now_us) - SPEAKER_DELAY_BINS;
}

/* ------------------------------------------------------------------ the order */

static void number(struct speaker_detector *d)
{
    uint64_t rank = SPEAKING_RANK + d->n_speaking;

    LIST_FOREACH(link, &d->speaking)
        speaker_of(link)->rank = rank--;
}

static void insert_after(struct list *place, struct list *link)
{
    link->prev = place;
    link->next = place->next;
    place->next->prev = link;
    place->next = link;
}

/* Does it pause, or has it made but short noises (typing, say) all the time? */
static bool gives_way(const struct speaker *s, int64_t now_us)
{
    int64_t bin = decision_bin(now_us);

    return speech_activity_pause(&s->activity, bin) > HEARD_BINS ||
           (now_us - s->began_us > NOISES_US && s->scores.mediums == 0);
}

/* Behind the last one that is heard now. */
static struct list *place_of_newcomer(struct speaker_detector *d, int64_t now_us)
{
    struct list *place = d->speaking.prev;

    while (place != &d->speaking && gives_way(speaker_of(place), now_us))
        place = place->prev;
    return place;
}

static void leave(struct speaker *s)
{
    struct speaker_detector *d = s->detector;

    if (s->state == SPEAKER_QUIET)
        return;
    list_unlink(&s->link);
    if (s->state == SPEAKER_SPEAKING)
        d->n_speaking--;
    s->state = SPEAKER_QUIET;
    s->confirmed = false;
    d->changed |= SPEAKER_CHANGED_ORDER;
}

static void report(struct speaker *s)
{
    struct speaker_detector *d = s->detector;
    int64_t last = s->activity.bin;
    struct speaker_report r = {.state = s->state, .level = speech_activity_level(&s->activity)};

    if (s->remote || !d->handler.on_report)
        return;
    r.first = s->reported + 1;
    if (r.first <= last - SPEAKER_REPORT_BINS)
        r.first = last - SPEAKER_REPORT_BINS + 1;
    while (r.first + r.n <= last) {
        r.strengths[r.n] = speech_activity_strength(&s->activity, r.first + r.n);
        r.n++;
    }
    s->reported = last;
    d->handler.on_report(d->owner, s, &r);
}

/* @return true: it was in another state before */
static bool begin(struct speaker *s, enum speaker_state state, int64_t now_us)
{
    struct speaker_detector *d = s->detector;

    if (s->state == state)
        return false;
    leave(s);
    s->state = state;
    s->began_us = now_us;
    if (state == SPEAKER_SPEAKING) {
        insert_after(s->dominant ? &d->speaking : place_of_newcomer(d, now_us), &s->link);
        d->n_speaking++;
        s->averaged = s->activity.bin - SPEECH_KEPT_BINS;
        s->average_x256 = 0;
        number(d);
    } else {
        list_append(&d->sounding, &s->link);
        s->rank = SOUNDING_RANK;
    }
    if (d->tick_us == NEVER_US)
        d->tick_us = (now_us / SPEAKER_TICK_US + 1) * SPEAKER_TICK_US;
    d->changed |= SPEAKER_CHANGED_ORDER;
    report(s);
    return true;
}

static void end(struct speaker *s)
{
    leave(s);
    s->rank = ++s->detector->ends;
    report(s);
}

/* ------------------------------------------------------------------ sources */

struct speaker *speaker_new(struct speaker_detector *d, uint32_t id, uint8_t level, int64_t now_us)
{
    struct speaker *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->detector = d;
    s->id = id;
    speech_activity_init(&s->activity, level, now_us);
    s->reported = s->activity.bin;
    return s;
}

struct speaker *speaker_free(struct speaker *s)
{
    if (!s)
        return NULL;
    if (s->detector->dominant == s) {
        s->detector->dominant = NULL;
        s->detector->changed |= SPEAKER_CHANGED_DOMINANT;
    }
    leave(s);
    free(s);
    return NULL;
}

bool speaker_hear(struct speaker *s, uint8_t level, bool voice, int64_t now_us)
{
    bool began = false;

    if (s->state == SPEAKER_SOUNDING)
        end(s); /* now we know better */
    if (speech_activity_hear(&s->activity, level, voice, now_us))
        began = begin(s, SPEAKER_SPEAKING, now_us);
    return began;
}

bool speaker_hear_sound(struct speaker *s, int64_t now_us)
{
    speech_activity_put(&s->activity, speech_bin(now_us), SPEECH_STRENGTH_VOICE);
    return s->state == SPEAKER_QUIET && begin(s, SPEAKER_SOUNDING, now_us);
}

bool speaker_take_report(struct speaker *s, const struct speaker_report *r, int64_t now_us)
{
    s->remote = true;
    for (uint8_t i = 0; i < r->n && i < SPEAKER_REPORT_BINS; i++)
        speech_activity_put(&s->activity, r->first + i, r->strengths[i]);
    s->activity.level_x16 = (uint16_t)(r->level * 16);
    if (r->state == SPEAKER_QUIET)
        (void)speaker_stop(s);
    return r->state != SPEAKER_QUIET && begin(s, r->state, now_us);
}

bool speaker_stop(struct speaker *s)
{
    if (s->state == SPEAKER_QUIET)
        return false;
    end(s);
    return true;
}

/* ------------------------------------------------------------------ decisions */

static void take_average(struct speaker *s, int64_t bin)
{
    while (s->averaged < bin) {
        int32_t strength = speech_activity_strength(&s->activity, ++s->averaged);

        s->average_x256 += (strength * 256 - s->average_x256) / AVERAGE;
    }
}

static void look_at(struct speaker *s, int64_t bin)
{
    if (speech_activity_pause(&s->activity, bin) > (s->remote ? REMOTE_PAUSE_BINS : PAUSE_BINS)) {
        end(s);
        return;
    }
    take_average(s, bin);
    speech_activity_scores(&s->activity, bin, &s->scores);
    s->confirmed = s->confirmed ||
                   speech_activity_voiced(&s->activity, bin, MOMENT_BINS) >= MOMENT_VOICED;
    report(s);
}

/* Before the other one, by a margin? */
static bool outdoes(const struct speaker *s, const struct speaker *other)
{
    return s->dominant || (!other->dominant && s->average_x256 > other->average_x256 + MARGIN_X256);
}

/* Who outdoes its neighbour rises by a place. */
static void sort(struct speaker_detector *d)
{
    struct list *link = d->speaking.next;

    while (link != &d->speaking && link->next != &d->speaking) {
        struct list *next = link->next;

        if (outdoes(speaker_of(next), speaker_of(link))) {
            list_unlink(link);
            insert_after(next, link);
            d->changed |= SPEAKER_CHANGED_ORDER;
        } else {
            link = next;
        }
    }
    number(d);
}

static bool challenges(const struct speaker *s, const struct speaker *dominant)
{
    if (s == dominant || s->background)
        return false;
    if (!dominant || dominant->state == SPEAKER_QUIET)
        return s->confirmed && s->scores.mediums >= TAKE_OVER_MEDIUMS;
    return s->scores.immediate - dominant->scores.immediate > C1 &&
           s->scores.medium - dominant->scores.medium > C2 &&
           s->scores.long_time - dominant->scores.long_time > C3;
}

/* Of two challengers, the one with more; the ids decide where nothing else does. */
static bool is_better(const struct speaker *s, const struct speaker *best)
{
    if (!best || s->scores.medium != best->scores.medium)
        return !best || s->scores.medium > best->scores.medium;
    if (s->scores.long_time != best->scores.long_time)
        return s->scores.long_time > best->scores.long_time;
    return s->id < best->id;
}

static void decide(struct speaker_detector *d)
{
    struct speaker *best = NULL;

    LIST_FOREACH(link, &d->speaking) {
        struct speaker *s = speaker_of(link);

        if (challenges(s, d->dominant) && is_better(s, best))
            best = s;
    }
    if (!best)
        return;
    if (d->dominant)
        d->dominant->dominant = false;
    best->dominant = true;
    best->dominated = ++d->reigns;
    d->dominant = best;
    d->changed |= SPEAKER_CHANGED_DOMINANT | SPEAKER_CHANGED_ORDER;
    list_unlink(&best->link);
    insert_after(&d->speaking, &best->link);
}

unsigned speaker_detector_advance(struct speaker_detector *d, int64_t now_us)
{
    unsigned changed;

    if (now_us >= d->tick_us) {
        int64_t bin = decision_bin(now_us);

        LIST_FOREACH_SAFE(link, &d->speaking)
            look_at(speaker_of(link), bin);
        LIST_FOREACH_SAFE(link, &d->sounding)
            look_at(speaker_of(link), bin);
        decide(d);
        sort(d);
        d->tick_us = list_empty(&d->speaking) && list_empty(&d->sounding)
                         ? NEVER_US
                         : (now_us / SPEAKER_TICK_US + 1) * SPEAKER_TICK_US;
    }
    changed = d->changed;
    d->changed = 0;
    return changed;
}

int64_t speaker_detector_deadline(const struct speaker_detector *d)
{
    return d->tick_us;
}

struct speaker *speaker_detector_dominant(const struct speaker_detector *d)
{
    return d->dominant;
}

struct speaker *speaker_detector_next(const struct speaker_detector *d, const struct speaker *after)
{
    struct list *next = after ? after->link.next : d->speaking.next;

    if (next == &d->speaking)
        next = d->sounding.next;
    return next == &d->sounding ? NULL : speaker_of(next);
}
