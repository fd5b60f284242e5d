/**
 * @file slot_allocator.h  Which track goes into which slot of one subscriber. Pure: ids in, ids
 * out.
 *
 * A track keeps its slot while both live, and nobody with more right to it needs it: with as many
 * slots as tracks nothing ever moves. Free slots go to the waiting tracks with the highest
 * priority; then those that claim one take it from the tracks with the lowest. Of equals, the one
 * that was published first is first. In one run speakers move one slot of video at most. Slot i of
 * audio and slot i of video are one stream for the client (lip sync), so a participant's audio and
 * video share an index where they can.
 */
#ifndef SFU_SLOT_ALLOCATOR_H
#define SFU_SLOT_ALLOCATOR_H

#include "media/base/codec.h"
#include "sfu/slot_priority.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SLOT_KINDS = 2 }; /* of enum media_kind */

/** A track of somebody else in the room. */
struct slot_track {
    uint32_t track, participant; /* ids, not 0 */
    enum media_kind kind;
    enum slot_priority priority;
    uint64_t rank; /* within the priority, more is first */
    bool claims;   /* may take the slot of one with less; else only a free one */
};

/** One slot, at its index among the subscriber's slots of a kind. */
struct slot_place {
    bool absent;                 /* there is no m-line with this index (any more) */
    bool fixed;                  /* taken lately: only a pinned or screen track may take it over */
    uint32_t track, participant; /* what it carries; 0: free */
    size_t at;                   /* the allocator's: index of that track */
};

struct slot_allocation {
    const struct slot_track *tracks; /* in order of publishing */
    size_t n_tracks;
    struct slot_place *places[SLOT_KINDS]; /* in: as it is; out: as it shall be */
    size_t n_places[SLOT_KINDS];
    size_t max_bound[SLOT_KINDS]; /* most places that carry something; 0: all */
    /** @return true if the m-line takes the codec of tracks[track] */
    bool (*accepts)(void *owner, enum media_kind kind, size_t place, size_t track);
    void *owner;
    bool held[SLOT_KINDS]; /* out: a claim has to wait, for a fixed place or for another claim */
};

/** Clear the places whose track is gone or no longer fits; give the free ones away; let tracks that
 * claim a slot take one. */
void slot_allocator_run(struct slot_allocation *a);

/**
 * The last step alone, for one kind: what of its priorities has risen is known.
 *
 * @param a  tracks: at least those in the places of this kind, and those that have risen
 */
void slot_allocator_claim(struct slot_allocation *a, enum media_kind kind);

#endif
