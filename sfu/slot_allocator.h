/**
 * @file slot_allocator.h  Which track goes into which slot of one subscriber. Pure: ids in, ids
 * out.
 *
 * Pinned binding: a track keeps its slot while both live. Free slots go to the waiting tracks in
 * the order in which they were published. Slot i of audio and slot i of video are one stream for
 * the client (lip sync), so a participant's audio and video share an index where they can.
 */
#ifndef SFU_SLOT_ALLOCATOR_H
#define SFU_SLOT_ALLOCATOR_H

#include "media/base/codec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SLOT_KINDS = 2 }; /* of enum media_kind */

/** A track of somebody else in the room. */
struct slot_track {
    uint32_t track, participant; /* ids, not 0 */
    enum media_kind kind;
};

/** One slot, at its index among the subscriber's slots of a kind. */
struct slot_place {
    bool absent;                 /* there is no m-line with this index (any more) */
    uint32_t track, participant; /* what it carries; 0: free */
};

struct slot_allocation {
    const struct slot_track *tracks; /* in order of publishing */
    size_t n_tracks;
    struct slot_place *places[SLOT_KINDS]; /* in: as it is; out: as it shall be */
    size_t n_places[SLOT_KINDS];
    /** @return true if the m-line takes the codec of tracks[track] */
    bool (*accepts)(void *owner, enum media_kind kind, size_t place, size_t track);
    void *owner;
};

/** Clear the places whose track is gone or no longer fits; then give the free ones away. */
void slot_allocator_run(struct slot_allocation *a);

#endif
