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

static void clear_ended(struct slot_allocation *a, enum media_kind kind)
{
    for (size_t i = 0; i < a->n_places[kind]; i++) {
        struct slot_place *place = &a->places[kind][i];
        size_t track;

        if (place->track == 0)
            continue;
        track = find_track(a, place->track);
        if (place->absent || track == a->n_tracks || !a->accepts(a->owner, kind, i, track))
            *place = (struct slot_place){.absent = place->absent};
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

static size_t count_free(const struct slot_allocation *a, enum media_kind kind)
{
    size_t n = 0;

    for (size_t i = 0; i < a->n_places[kind]; i++)
        n += is_free(&a->places[kind][i]);
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
        *best = (struct slot_place){.track = track->track, .participant = track->participant};
    return best != NULL;
}

void slot_allocator_run(struct slot_allocation *a)
{
    size_t n_free[SLOT_KINDS];

    for (int kind = 0; kind < SLOT_KINDS; kind++) {
        clear_ended(a, (enum media_kind)kind);
        n_free[kind] = count_free(a, (enum media_kind)kind);
    }
    for (size_t i = 0; i < a->n_tracks && n_free[KIND_AUDIO] + n_free[KIND_VIDEO] > 0; i++) {
        const struct slot_track *track = &a->tracks[i];

        if (n_free[track->kind] > 0 && !is_bound(a, track) && place_track(a, i))
            n_free[track->kind]--;
    }
}
