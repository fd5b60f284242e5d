/**
 * @file participant_views.h  What a subscriber said of its slots and of others' tracks: how large
 * it shows them, which it wants before others, which not at all. A plain value that grows as
 * needed. Thread: the worker's own.
 */
#ifndef SFU_PARTICIPANT_VIEWS_H
#define SFU_PARTICIPANT_VIEWS_H

#include "media/base/attributes.h"
#include "sfu/layer_ladder.h"
#include "sfu/slot_priority.h"

#include <stdbool.h>
#include <stdint.h>

struct room;

/** Entries of one participant; when they are used up, those of tracks that have ended go first. */
enum { PARTICIPANT_MAX_VIEWS = 512 };

/** What it said of one slot or track. */
struct participant_view {
    uint32_t track;              /* 0: of a slot */
    uint32_t slot;               /* SSRC of the slot */
    bool paused;                 /* not to be sent */
    bool unsubscribed;           /* not to come into a slot */
    enum slot_priority priority; /* NORMAL: let the server judge */
    struct ladder_view size;     /* 0: did not say */
};

struct participant_views {
    uint32_t n, capacity;
    struct participant_view *views; /* owned */
};

/** Free what it owns. */
void participant_views_done(struct participant_views *v);

/**
 * Find or make the entry of a track, or of a slot (`track` 0), to be changed in place.
 *
 * @param room  to see which tracks have ended
 * @return borrowed until the next call; NULL: no memory, or there are too many
 */
struct participant_view *participant_views_edit(struct participant_views *v, uint32_t track,
                                                uint32_t slot, const struct room *room);

/** @return what was said of a track alone, or NULL: nothing */
const struct participant_view *participant_views_of_track(const struct participant_views *v,
                                                          uint32_t track);

/** What holds for `track` in the slot with SSRC `slot`: what was said of the track, and where that
 *  is nothing, of the slot. */
struct participant_view participant_views_find(const struct participant_views *v, uint32_t track,
                                               uint32_t slot);

#endif
