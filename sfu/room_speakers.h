/**
 * @file room_speakers.h  Who speaks in a room: the levels of every publisher go in, wherever it
 * lives, whether somebody listens or not; slots follow, and control is told (MAIL_SPEAKERS).
 *
 * Made for the first sound in the room that may be a voice. Workers that share the room send each
 * other what their publishers say (sfu/relay_out.h), so that all decide alike. Owned by the room.
 * Thread: the worker's own.
 */
#ifndef SFU_ROOM_SPEAKERS_H
#define SFU_ROOM_SPEAKERS_H

#include "media/base/attributes.h"
#include "media/base/clock.h"
#include "sfu/actor.h"
#include "signaling/message.h"

#include <stdbool.h>
#include <stdint.h>

struct room;
struct speaker_detector;
struct speaker_report;
struct track;

/** Least time between two MAIL_SPEAKERS of a room. */
#define ROOM_SPEAKERS_INTERVAL_US (200 * MS)
/** Least time between two that tell of other levels alone. */
#define ROOM_SPEAKERS_LEVEL_US (1 * SECOND)

enum { ROOM_SPEAKERS_LEVEL_STEP = 10 }; /* smaller changes of a level are not told [dB] */

struct room_speakers {
    struct actor actor;
    struct room *room;
    struct speaker_detector *detector;
    bool held[2];    /* by kind: slots wait for their time to move */
    bool tells_anew; /* somebody has not been told */
    int64_t told_us;
    uint32_t n_told;
    struct message_speaker told[MESSAGE_MAX_SPEAKERS];
};

/** Free it; no track of the room has a speaker. NULL is fine. @return NULL */
struct room_speakers *room_speakers_free(struct room_speakers *r);

/**
 * A packet of an audio track that lives here came, of this level.
 *
 * @param level  RFC 6464: 0 (loudest) to 127 [-dBov]
 * @param voice  its V bit
 */
void room_speakers_hear(struct track *t, uint8_t level, bool voice, int64_t now_us);

/** One came that says nothing of its level, and is no silence. */
void room_speakers_hear_sound(struct track *t, int64_t now_us);

/** Another worker tells of its track. */
void room_speakers_take_report(struct track *t, const struct speaker_report *report,
                               int64_t now_us);

/** The track was muted: it says nothing. */
void room_speakers_mute(struct track *t);

/** The track ends. */
void room_speakers_forget(struct track *t);

/** Somebody has come, who is to be told who speaks. */
void room_speakers_greet(struct room *room);

/** A picture waits for its time to move to a slot: see to it. */
void room_speakers_hold(struct room_speakers *r);

/** Decide and tell, as is due. @return when to call again [us], or NEVER_US */
MUST_USE int64_t room_speakers_advance(struct room_speakers *r, int64_t now_us);

/** @return how lately the track's publisher was the dominant speaker: more is later, 0 never */
uint64_t track_speech_rank(const struct track *t);

/** @return true if the track's publisher is the dominant speaker */
bool track_is_dominant(const struct track *t);

#endif
