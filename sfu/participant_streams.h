/**
 * @file participant_streams.h  What follows from what a participant's slots were given: control is
 * told which are paused and why (MAIL_STREAM), and where the path has no room for what is still
 * sent, frames are left out until the key frame to go down with comes. Thread: the worker's own.
 */
#ifndef SFU_PARTICIPANT_STREAMS_H
#define SFU_PARTICIPANT_STREAMS_H

#include "media/base/attributes.h"
#include "media/base/clock.h"

#include <stdint.h>

struct allocation_slot;
struct participant;
struct subscription;

/** Least time between two MAIL_STREAM. */
#define PARTICIPANT_STREAMS_TELL_US (100 * MS)
/** That nothing is sent of a track is told after so long: it may be about to begin. */
#define PARTICIPANT_STREAMS_SILENT_US (2 * SECOND)
/** A key frame to go down with is waited for at least and at most so long, else for three round
 *  trips to the publisher. */
#define PARTICIPANT_STREAMS_WAIT_MIN_US (150 * MS)
#define PARTICIPANT_STREAMS_WAIT_MAX_US (1 * SECOND)

/** The path has no room for what `s` had: it is about to be given `slot`. */
void participant_streams_lower(struct subscription *s, const struct allocation_slot *slot,
                               int64_t now_us);

/** Where the key frame to go down with does not come, leave frames out and ask for it again.
 *  @return when to call again [us], or NEVER_US */
MUST_USE int64_t participant_streams_watch(struct participant *p, int64_t now_us);

/** Tell control what changed. @return when to call again [us], or NEVER_US */
MUST_USE int64_t participant_streams_tell(struct participant *p, int64_t now_us);

#endif
