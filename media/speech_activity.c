/* After I. Volfin and I. Cohen, "Dominant speaker identification for multipoint videoconferencing"
 * (IEEEI 2012): speech activity is evaluated over three lengths of time, each a number of speech
 * segments of the next shorter one out of n, and scored by how likely so many are under speech and
 * under silence.
 *
 * A bin's strength is its level above the source's noise in steps of 3 dB. What the noise is, is
 * told by the faintest level of the last seconds: speech has pauses between words. */
#include "media/speech_activity.h"

#include "media/base/attributes.h"

#include <string.h>

enum {
    BITS = 64,
    STEP_DB = 3,
    UNVOICED_STEPS = 2, /* so much louder must be what the source itself calls no voice */
    FLOOR_MIN = 52, /* loudness that may be a microphone's noise [dB above -127 dBov]: from -75 */
    FLOOR_MAX = 82, /* to -45 dBov: music is no noise, however even */
    FLOOR_MAX_FIRST = 77,
    FLOOR_BINS = 75,   /* the noise of a while is its least level [bins of sound] */
    LEVEL_MUTED = 100, /* fainter than any microphone: says nothing of the noise [-dBov] */
    FILL_BINS = 4,     /* packets so far apart follow each other: 60 ms in one, and jitter */
    MEDIUM_SPEECH = 3, /* bins with voice that make a medium time speech */
    SMOOTHING = 8,
    MEDIUM_MASK = (1 << SPEECH_MEDIUM_BINS) - 1,
};

/* 100 ln(max(S, 1e-10)) with S = ln(C(n, v) 2^-n) - ln(l) + l v, the score of v segments with
 * speech among n: n = 13, 5, 10 and l = 0.78, 24, 47. */
static const int16_t immediate_scores[SPEECH_STRENGTH_MAX + 1] = {
    -2303, -2303, -2303, -2303, -7, 83, 121, 142, 153, 157, 155, 143, 115, 32,
};
static const int16_t medium_scores[SPEECH_MEDIUM_BINS + 1] = {-2303, 294, 378, 421, 451, 473};
static const int16_t long_scores[SPEECH_LONG_MEDIUMS + 1] = {
    -2303, 365, 447, 491, 521, 544, 562, 578, 591, 603, 613,
};

static uint8_t clamp(int value, int min, int max)
{
    if (value < min)
        return (uint8_t)min;
    return (uint8_t)(value > max ? max : value);
}

static uint8_t loudness_of(uint8_t level)
{
    return (uint8_t)(SPEECH_LEVEL_SILENCE - clamp(level, 0, SPEECH_LEVEL_SILENCE));
}

void speech_activity_init(struct speech_activity *a, uint8_t level, int64_t now_us)
{
    uint8_t low = clamp(loudness_of(level), FLOOR_MIN, FLOOR_MAX_FIRST);

    *a = (struct speech_activity){
        .bin = speech_bin(now_us) - 1,
        .lows = {low, low},
        .level_x16 = (uint16_t)(level * 16),
    };
}

static void note_noise(struct speech_activity *a, uint8_t level)
{
    uint8_t loudness = clamp(loudness_of(level), FLOOR_MIN, FLOOR_MAX);

    if (level >= LEVEL_MUTED)
        return;
    if (++a->low_bins >= FLOOR_BINS) {
        a->lows[1] = a->lows[0];
        a->lows[0] = loudness;
        a->low_bins = 0;
    }
    if (loudness < a->lows[0])
        a->lows[0] = loudness;
}

static uint8_t strength_of(const struct speech_activity *a, uint8_t level, bool voice)
{
    uint8_t noise = a->lows[0] < a->lows[1] ? a->lows[0] : a->lows[1];
    int strength = (loudness_of(level) - noise) / STEP_DB;

    if (level > SPEECH_LEVEL_FAINT)
        return 0;
    if (a->tells_voice && !voice)
        strength -= UNVOICED_STEPS;
    return clamp(strength, 0, SPEECH_STRENGTH_MAX);
}

/* Go on to `bin`, with silence between. */
static void advance(struct speech_activity *a, int64_t bin)
{
    int64_t gap = bin - a->bin;

    a->voiced = gap < BITS ? a->voiced << gap : 0;
    if (gap > SPEECH_KEPT_BINS)
        gap = SPEECH_KEPT_BINS;
    for (int64_t i = 0; i < gap; i++)
        a->strengths[(bin - i) % SPEECH_KEPT_BINS] = 0;
    a->bin = bin;
}

void speech_activity_put(struct speech_activity *a, int64_t bin, uint8_t strength)
{
    if (bin < a->bin)
        return;
    if (bin > a->bin)
        advance(a, bin);
    if (strength > SPEECH_STRENGTH_MAX)
        strength = SPEECH_STRENGTH_MAX;
    if (strength > a->strengths[bin % SPEECH_KEPT_BINS])
        a->strengths[bin % SPEECH_KEPT_BINS] = strength;
    if (strength >= SPEECH_STRENGTH_VOICE)
        a->voiced |= 1;
}

bool speech_activity_hear(struct speech_activity *a, uint8_t level, bool voice, int64_t now_us)
{
    int64_t bin = speech_bin(now_us);
    int64_t first = bin - a->bin <= FILL_BINS ? a->bin + 1 : bin;
    uint8_t strength;

    note_noise(a, level);
    a->tells_voice = a->tells_voice || voice;
    strength = strength_of(a, level, voice);
    /* A packet of several bins, or one that comes late, stands for those before, too. */
    for (int64_t i = first; i < bin; i++)
        speech_activity_put(a, i, strength);
    speech_activity_put(a, bin, strength);
    if (strength < SPEECH_STRENGTH_VOICE)
        return false;
    a->level_x16 = (uint16_t)(a->level_x16 + (level * 16 - a->level_x16) / SMOOTHING);
    return true;
}

uint8_t speech_activity_strength(const struct speech_activity *a, int64_t bin)
{
    return bin > a->bin || bin <= a->bin - SPEECH_KEPT_BINS ? 0
                                                            : a->strengths[bin % SPEECH_KEPT_BINS];
}

/* @return `voiced` as it was, or will be without more voice, at `bin` */
static uint64_t voiced_at(const struct speech_activity *a, int64_t bin)
{
    if (bin <= a->bin)
        return a->bin - bin < BITS ? a->voiced >> (a->bin - bin) : 0;
    return bin - a->bin < BITS ? a->voiced << (bin - a->bin) : 0;
}

unsigned speech_activity_pause(const struct speech_activity *a, int64_t bin)
{
    uint64_t voiced = voiced_at(a, bin);

    if (bin < a->bin && a->voiced != voiced << (a->bin - bin))
        return 0; /* it has gone on since */
    return voiced ? (unsigned)__builtin_ctzll(voiced) : BITS;
}

unsigned speech_activity_voiced(const struct speech_activity *a, int64_t bin, unsigned n)
{
    return (unsigned)__builtin_popcountll(voiced_at(a, bin) & ((UINT64_C(1) << n) - 1));
}

void speech_activity_scores(const struct speech_activity *a, int64_t bin, struct speech_scores *ret)
{
    uint64_t voiced = voiced_at(a, bin);
    uint8_t mediums = 0;

    for (unsigned i = 0; i < SPEECH_LONG_MEDIUMS; i++) {
        uint64_t medium = voiced >> i * SPEECH_MEDIUM_BINS & MEDIUM_MASK;

        if (__builtin_popcountll(medium) >= MEDIUM_SPEECH)
            mediums++;
    }
    *ret = (struct speech_scores){
        .immediate = immediate_scores[speech_activity_strength(a, bin)],
        .medium = medium_scores[__builtin_popcountll(voiced & MEDIUM_MASK)],
        .long_time = long_scores[mediums],
        .mediums = mediums,
    };
}
