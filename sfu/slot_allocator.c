#include "sfu/slot_allocator.h"

#include "media/base/attributes.h"

/* @return index in tracks, or n_tracks */
static size_t find_track(const struct slot_allocation *a, uint32_t track)
{
    size_t at = 0;

    while (at < a->n_tracks && a->tracks[at].track != track)
        at++;
    return at;
}

static void find_tracks(struct slot_allocation *a, enum media_kind kind)
{
    for (size_t i = 0; i < a->n_places[kind]; i++) {
        struct slot_place *place = &a->places[kind][i];

        place->at = place->track ? find_track(a, place->track) : a->n_tracks;
    }
}

static void clear_ended(struct slot_allocation *a, enum media_kind kind)
{
    find_tracks(a, kind);
    for (size_t i = 0; i < a->n_places[kind]; i++) {
        struct slot_place *place = &a->places[kind][i];

        if (place->track && (place->absent || place->at == a->n_tracks ||
                             !a->accepts(a->owner, kind, i, place->at)))
            *place = (struct slot_place){.absent = place->absent, .at = a->n_tracks};
    }
}

static bool is_free(const struct slot_place *place)
{
    return !place->absent && place->track == 0;
}

static bool is_bound(const struct slot_allocation *a, const struct slot_track *track)
{
    for (size_t i = 0; i < a->n_places[track->kind]; i++) {
        if (a->places[track->kind][i].track == track->track)
            return true;
    }
    return false;
}

/* @return how many more places may carry something */
static size_t count_free(const struct slot_allocation *a, enum media_kind kind)
{
    size_t max = a->max_bound[kind];
    size_t free = 0;
    size_t bound = 0;

    for (size_t i = 0; i < a->n_places[kind]; i++) {
        free += is_free(&a->places[kind][i]);
        bound += a->places[kind][i].track != 0;
    }
    if (max == 0 || max - bound > free)
        return free;
    return max > bound ? max - bound : 0;
}

static size_t count_waiting(const struct slot_allocation *a, enum media_kind kind)
{
    size_t n = 0;

    for (size_t i = 0; i < a->n_tracks; i++)
        n += a->tracks[i].kind == kind && !is_bound(a, &a->tracks[i]);
    return n;
}

/* How well slot `i` suits: best beside the participant's other kind, then where the other kind is
 * free and may come later. */
static int suitability(const struct slot_allocation *a, const struct slot_track *track, size_t i)
{
    enum media_kind other = track->kind == KIND_AUDIO ? KIND_VIDEO : KIND_AUDIO;
    const struct slot_place *beside;

    if (i >= a->n_places[other])
        return 2;
    beside = &a->places[other][i];
    if (beside->track != 0)
        return beside->participant == track->participant ? 3 : 1;
    return 2;
}

static void put(const struct slot_allocation *a, struct slot_place *place, size_t at)
{
    *place = (struct slot_place){
        .track = a->tracks[at].track, .participant = a->tracks[at].participant, .at = at};
}

/* @return true if a slot was free and fitted */
static bool place_track(struct slot_allocation *a, size_t at)
{
    const struct slot_track *track = &a->tracks[at];
    struct slot_place *best = NULL;
    int best_suitability = 0;

    for (size_t i = 0; i < a->n_places[track->kind]; i++) {
        struct slot_place *place = &a->places[track->kind][i];
        int suits;

        if (!is_free(place) || !a->accepts(a->owner, track->kind, i, at))
            continue;
        suits = suitability(a, track, i);
        if (suits > best_suitability) {
            best = place;
            best_suitability = suits;
        }
    }
    if (best)
        put(a, best, at);
    return best != NULL;
}

/* @return true if the first has more right to a slot; equals: false */
static bool outranks(const struct slot_track *track, const struct slot_track *other)
{
    return track->priority != other->priority ? track->priority > other->priority
                                              : track->rank > other->rank;
}

/* Which tracks wait: all, or those that claim a slot. */
enum waiting { WAITING_ALL, WAITING_CLAIMS };

/* @return index of the track that is next after `after` (the first: n_tracks) in the order of their
 *         right to a slot; n_tracks: there is none */
static size_t next_waiting(const struct slot_allocation *a, enum media_kind kind,
                           enum waiting which, size_t after)
{
    size_t best = a->n_tracks;

    for (size_t i = 0; i < a->n_tracks; i++) {
        const struct slot_track *track = &a->tracks[i];

        if (track->kind != kind || i == after || (which == WAITING_CLAIMS && !track->claims))
            continue;
        if (after < a->n_tracks && (outranks(track, &a->tracks[after]) ||
                                    (i < after && !outranks(&a->tracks[after], track))))
            continue; /* it comes before */
        if (best < a->n_tracks && !outranks(track, &a->tracks[best]))
            continue;
        if (!is_bound(a, track))
            best = i;
    }
    return best;
}

/* There are slots for all: as they were published. */
static void place_all(struct slot_allocation *a, enum media_kind kind)
{
    for (size_t i = 0; i < a->n_tracks; i++) {
        if (a->tracks[i].kind == kind && !is_bound(a, &a->tracks[i]))
            (void)place_track(a, i);
    }
}

static void place_first(struct slot_allocation *a, enum media_kind kind, size_t n_free)
{
    size_t at = a->n_tracks;

    while (n_free > 0 && (at = next_waiting(a, kind, WAITING_ALL, at)) < a->n_tracks)
        n_free -= place_track(a, at);
}

/** What a track finds that claims a slot. */
struct claim {
    struct slot_place *place; /* of who has the least right to one; NULL: none */
    bool outranks_some;
    bool held; /* by a fixed place */
};

static void make_claim(const struct slot_allocation *a, size_t at, struct claim *ret)
{
    const struct slot_track *track = &a->tracks[at];
    size_t victim = a->n_tracks;

    *ret = (struct claim){0};
    for (size_t i = 0; i < a->n_places[track->kind]; i++) {
        struct slot_place *place = &a->places[track->kind][i];
        size_t other = place->at;

        if (other == a->n_tracks || !outranks(track, &a->tracks[other]))
            continue;
        ret->outranks_some = true;
        if (!a->accepts(a->owner, track->kind, i, at))
            continue;
        if (place->fixed && track->priority < PRIORITY_SCREEN) {
            ret->held = true;
            continue;
        }
        if (victim < a->n_tracks &&
            (outranks(&a->tracks[other], &a->tracks[victim]) ||
             (!outranks(&a->tracks[victim], &a->tracks[other]) && other < victim)))
            continue;
        victim = other;
        ret->place = place;
    }
}

static void claim_slots(struct slot_allocation *a, enum media_kind kind)
{
    size_t at = a->n_tracks;
    bool moved = false;

    a->held[kind] = false;
    while ((at = next_waiting(a, kind, WAITING_CLAIMS, at)) < a->n_tracks) {
        bool slow = kind == KIND_VIDEO && a->tracks[at].priority == PRIORITY_SPEAKER;
        struct claim claim;

        make_claim(a, at, &claim);
        if (!claim.outranks_some)
            break; /* nor do those after it */
        if (slow && (moved || (claim.held && !claim.place))) {
            a->held[kind] = true;
            break;
        }
        if (!claim.place)
            continue;
        put(a, claim.place, at);
        moved = true;
    }
}

void slot_allocator_claim(struct slot_allocation *a, enum media_kind kind)
{
    find_tracks(a, kind);
    claim_slots(a, kind);
}

void slot_allocator_run(struct slot_allocation *a)
{
    for (int i = 0; i < SLOT_KINDS; i++)
        clear_ended(a, (enum media_kind)i);
    for (int i = 0; i < SLOT_KINDS; i++) {
        enum media_kind kind = (enum media_kind)i;
        size_t n_free = count_free(a, kind);

        if (n_free > 0 && count_waiting(a, kind) <= n_free)
            place_all(a, kind);
        else
            place_first(a, kind, n_free);
        claim_slots(a, kind);
    }
}
