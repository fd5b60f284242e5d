/**
 * @file speech_activity.h  How much one source speaks: short pieces of time with the strength of
 * its voice above its noise, and from them its activity over a short, a medium and a long time.
 *
 * Levels are those of RFC 6464: 0 (loudest) to 127 (silence) [-dBov]. Time goes in bins of
 * SPEECH_BIN_US, numbered from time 0, so that who is told of the same bins later comes to the same
 * figures. A plain value; owns nothing. Not thread-safe.
 */
#ifndef MEDIA_SPEECH_ACTIVITY_H
#define MEDIA_SPEECH_ACTIVITY_H

#include "media/base/clock.h"

#include <stdbool.h>
#include <stdint.h>

#define SPEECH_BIN_US (20 * MS)

enum {
    SPEECH_LEVEL_SILENCE = 127,
    SPEECH_LEVEL_FAINT = 60, /* nothing fainter is a voice [-dBov] */
    SPEECH_STRENGTH_MAX = 13,
    SPEECH_STRENGTH_VOICE = 3, /* from here on a bin counts as voice */
    SPEECH_KEPT_BINS = 8,      /* newest ones whose strength is known */
    SPEECH_MEDIUM_BINS = 5,
    SPEECH_LONG_MEDIUMS = 10,
};

struct speech_activity {
    int64_t bin;                         /* the newest */
    uint64_t voiced;                     /* a bit per bin, the newest one's lowest */
    uint8_t strengths[SPEECH_KEPT_BINS]; /* of the newest, by number modulo */
    uint8_t lows[2];    /* least loudness of this while and the one before [dB above silence] */
    uint8_t low_bins;   /* of this while, so far */
    bool tells_voice;   /* its V bit was set once, so it means something */
    uint16_t level_x16; /* of its voice, smoothed [1/16 -dBov] */
};

/** What the comparisons of speakers are made of: hundredths of a logarithm, more is more speech. */
struct speech_scores {
    int16_t immediate, medium, long_time;
    uint8_t mediums; /* of the last SPEECH_LONG_MEDIUMS, those with speech */
};

/** Begin with nothing before a first level, which tells how much noise there may be. */
void speech_activity_init(struct speech_activity *a, uint8_t level, int64_t now_us);

/**
 * A packet of that level came.
 *
 * @param voice  its V bit
 * @return true if it is voice: well above the source's noise
 */
bool speech_activity_hear(struct speech_activity *a, uint8_t level, bool voice, int64_t now_us);

/** Note the strength of a bin, as another one has it; bins before the newest are passed over. */
void speech_activity_put(struct speech_activity *a, int64_t bin, uint8_t strength);

/** @return strength of a bin, 0 if it is not one of the newest */
uint8_t speech_activity_strength(const struct speech_activity *a, int64_t bin);

/** @return bins from the last one with voice to `bin`, which is less than 64 before the newest;
 *          0: there is voice in it or later; 64: in none that is known */
unsigned speech_activity_pause(const struct speech_activity *a, int64_t bin);

/** @return how many of the `n` (at most 50) bins up to `bin` have voice */
unsigned speech_activity_voiced(const struct speech_activity *a, int64_t bin, unsigned n);

/** Fill *ret with the scores of the time up to `bin`, which is at most SPEECH_KEPT_BINS before the
 * newest. */
void speech_activity_scores(const struct speech_activity *a, int64_t bin,
                            struct speech_scores *ret);

/** @return level of its voice, smoothed [-dBov] */
static inline uint8_t speech_activity_level(const struct speech_activity *a)
{
    return (uint8_t)(a->level_x16 / 16);
}

static inline int64_t speech_bin(int64_t now_us)
{
    return now_us / SPEECH_BIN_US;
}

#endif
