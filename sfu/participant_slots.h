/**
 * @file participant_slots.h  Which tracks of the room a participant's slots carry, and what control
 * is told of it: MAIL_SLOTS and MAIL_NEED. Thread: the worker's own.
 */
#ifndef SFU_PARTICIPANT_SLOTS_H
#define SFU_PARTICIPANT_SLOTS_H

#include "media/base/attributes.h"
#include "media/base/clock.h"
#include "sfu/slot_allocator.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct participant;
struct track;

/** Least time between two MAIL_NEED for one participant. */
#define NEED_INTERVAL_US (100 * MS)

/** Working memory, for as many tracks as the room has. */
struct slot_scratch {
    struct slot_track *rated; /* what each track of the room is to everybody */
    struct track **tracks;
    struct slot_track *described;
};

/** What right to a slot a track has, but for what a subscriber wishes. */
void participant_rate_track(const struct track *t, struct slot_track *ret);

/** Bind and unbind slots. @param tracks  all of the room, in order of publishing
 *  @return true: a picture has to wait before it may move to a slot */
bool participant_assign_slots(struct participant *p, struct track *const *tracks, size_t n,
                              const struct slot_scratch *scratch, int64_t now_us);

/**
 * If there are fewer slots of this kind than tracks: let tracks whose right to one has risen take
 * those of others. Control is told at the end of the turn.
 *
 * @return true: one has to wait before it may
 */
bool participant_follow(struct participant *p, enum media_kind kind, struct track *const *risen,
                        size_t n, int64_t now_us);

/** An audio track begins to speak with the packet that is forwarded next: get it into a slot, with
 *  what was just before. */
void participant_hear(struct participant *p, struct track *t, int64_t now_us);

/** Send MAIL_SLOTS of what control was not told yet, if anything. */
void participant_tell_slots(struct participant *p);

/** Send MAIL_NEED if it is due. @return when to call again [us], or NEVER_US */
MUST_USE int64_t participant_advance_need(struct participant *p, int64_t now_us);

#endif
