/**
 * @file track_audio.h  What is done once per packet of sound, whoever listens: hear who speaks, and
 * leave out silence. Thread: the worker's own.
 */
#ifndef SFU_TRACK_AUDIO_H
#define SFU_TRACK_AUDIO_H

#include "media/base/attributes.h"
#include "media/base/clock.h"

#include <stdbool.h>
#include <stdint.h>

struct packet;
struct subscription;
struct track;

/** Who begins to speak is heard from this much before on: the voice began before it was loud. */
#define TRACK_PRE_ROLL_US (80 * MS)

/**
 * Take in a packet that is the newest of its audio track and not muted. If the track begins to
 * speak with it, slots are given out anew at once, so that whoever has one now gets this packet,
 * too.
 *
 * @param format  index in the codecs of the publisher's m-line
 * @return false: it is silence that nobody needs; leave it out
 */
MUST_USE bool track_audio_take(struct track *t, const struct packet *packet, uint8_t format,
                               int64_t now_us);

/** @return number of the first packet kept of the last `age_us` before the newest one; without a
 *          gap, and at most 16 packets; the newest one's if there is none */
uint16_t track_audio_since(const struct track *t, int64_t age_us);

/** Send what was just before the newest packet to `s`, which got the track for it. */
void track_audio_pre_roll(struct track *t, struct subscription *s, int64_t now_us);

#endif
