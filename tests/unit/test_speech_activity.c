#include "media/speech_activity.h"

#include "tests/tap.h"

enum { NOISE = 70, VOICE = 30 };

static struct speech_activity activity;
static int64_t now_us;

static void begin(uint8_t level)
{
    now_us = 1000 * SECOND;
    speech_activity_init(&activity, level, now_us);
}

/* @return how many of the packets were voice */
static int hear(uint8_t level, int n)
{
    int voiced = 0;

    for (int i = 0; i < n; i++) {
        voiced += speech_activity_hear(&activity, level, false, now_us);
        now_us += SPEECH_BIN_US;
    }
    return voiced;
}

static struct speech_scores scores(void)
{
    struct speech_scores s;

    speech_activity_scores(&activity, speech_bin(now_us) - 1, &s);
    return s;
}

static void voice_is_well_above_the_noise(void)
{
    begin(NOISE);
    CHECK_EQ(hear(NOISE, 50), 0);
    CHECK_EQ(hear(VOICE, 50), 50);
    CHECK_EQ(hear(NOISE - 5, 50), 0);
}

static void a_loud_noise_is_no_voice(void)
{
    begin(50);
    CHECK_EQ(hear(50, 50), 0);
    CHECK_EQ(hear(46, 50), 0);
    CHECK_EQ(hear(35, 1), 1);
}

static void noise_that_begins_is_learned_within_three_seconds(void)
{
    begin(NOISE);
    CHECK_EQ(hear(NOISE, 200), 0);
    CHECK(hear(52, 150) <= 150);
    CHECK_EQ(hear(52, 50), 0);
    CHECK_EQ(hear(VOICE, 1), 1);
}

static void even_music_stays_sound(void)
{
    begin(30);
    CHECK_EQ(hear(30, 500), 500);
}

static void digital_silence_says_nothing_of_the_noise(void)
{
    begin(50);
    CHECK_EQ(hear(50, 150), 0);
    CHECK_EQ(hear(127, 500), 0);
    CHECK_EQ(hear(50, 1), 0);
}

static void what_is_faint_is_no_voice(void)
{
    begin(110);
    CHECK_EQ(hear(SPEECH_LEVEL_FAINT + 1, 10), 0);
    CHECK_EQ(hear(SPEECH_LEVEL_FAINT, 1), 1);
}

static void the_v_bit_counts_for_who_uses_it(void)
{
    begin(58);
    CHECK_EQ(hear(50, 1), 0);
    CHECK_EQ(hear(48, 1), 1);
    CHECK(speech_activity_hear(&activity, VOICE, true, now_us));
    now_us += SPEECH_BIN_US;
    CHECK_EQ(hear(48, 1), 0);
    CHECK_EQ(hear(VOICE, 1), 1); /* loud is loud */
}

static void bins_without_packets_are_silent(void)
{
    begin(NOISE);
    hear(VOICE, 20);
    CHECK_EQ(speech_activity_voiced(&activity, speech_bin(now_us) - 1, 20), 20);
    CHECK_EQ(speech_activity_pause(&activity, speech_bin(now_us) - 1), 0);
    now_us += 30 * SPEECH_BIN_US;
    CHECK_EQ(speech_activity_voiced(&activity, speech_bin(now_us) - 1, 20), 0);
    CHECK_EQ(speech_activity_pause(&activity, speech_bin(now_us) - 1), 30);
    hear(VOICE, 1);
    CHECK_EQ(speech_activity_voiced(&activity, speech_bin(now_us) - 1, 40), 10);
    now_us += 100 * SPEECH_BIN_US;
    hear(NOISE, 1);
    CHECK_EQ(speech_activity_voiced(&activity, speech_bin(now_us) - 1, 50), 0);
    CHECK_EQ(speech_activity_pause(&activity, speech_bin(now_us)), 64);
}

static void long_packets_fill_their_bins(void)
{
    begin(NOISE);
    for (int i = 0; i < 10; i++) {
        (void)speech_activity_hear(&activity, VOICE, false, now_us);
        now_us += 3 * SPEECH_BIN_US;
    }
    CHECK_EQ(speech_activity_voiced(&activity, activity.bin, 28), 28);
}

static void scores_grow_with_speech(void)
{
    struct speech_scores before;

    begin(NOISE);
    hear(NOISE, 50);
    before = scores();
    CHECK_EQ(before.mediums, 0);
    hear(VOICE, 5);
    CHECK(scores().immediate > before.immediate);
    CHECK(scores().medium > before.medium);
    CHECK(scores().long_time > before.long_time);
    before = scores();
    hear(VOICE, 45);
    CHECK(scores().long_time > before.long_time);
    CHECK_EQ(scores().mediums, SPEECH_LONG_MEDIUMS);
}

static void the_past_can_be_looked_at(void)
{
    int64_t bin;

    begin(NOISE);
    hear(VOICE, 20);
    bin = speech_bin(now_us) - 1;
    hear(NOISE, 6);
    CHECK_EQ(speech_activity_pause(&activity, bin), 0);
    CHECK_EQ(speech_activity_pause(&activity, bin + 4), 4);
    CHECK(speech_activity_strength(&activity, bin) > 0);
    CHECK_EQ(speech_activity_strength(&activity, bin + 1), 0);
    CHECK_EQ(speech_activity_strength(&activity, bin - 2), 0); /* too long ago */
    hear(VOICE, 1);
    CHECK_EQ(speech_activity_pause(&activity, bin + 4), 0); /* it has gone on */
}

static void told_bins_make_the_same_figures(void)
{
    struct speech_activity other;
    struct speech_scores theirs;

    begin(NOISE);
    hear(NOISE, 10);
    speech_activity_init(&other, 127, now_us);
    for (int i = 0; i < 200; i++) {
        hear((uint8_t)(i * 7 % 11 < 6 ? VOICE + i % 20 : NOISE), 1);
        if (i % 5 != 4)
            continue;
        for (int64_t bin = activity.bin - 4; bin <= activity.bin; bin++)
            speech_activity_put(&other, bin, speech_activity_strength(&activity, bin));
        speech_activity_scores(&other, other.bin, &theirs);
        CHECK_EQ(other.voiced, activity.voiced);
        CHECK_EQ(theirs.immediate, scores().immediate);
        CHECK_EQ(theirs.long_time, scores().long_time);
    }
    speech_activity_put(&other, other.bin - 3, SPEECH_STRENGTH_MAX); /* passed over */
    CHECK_EQ(other.voiced, activity.voiced);
}

TAP_CASES(CASE(voice_is_well_above_the_noise), CASE(a_loud_noise_is_no_voice),
          CASE(noise_that_begins_is_learned_within_three_seconds), CASE(even_music_stays_sound),
          CASE(digital_silence_says_nothing_of_the_noise), CASE(what_is_faint_is_no_voice),
          CASE(the_v_bit_counts_for_who_uses_it), CASE(bins_without_packets_are_silent),
          CASE(long_packets_fill_their_bins), CASE(scores_grow_with_speech),
          CASE(the_past_can_be_looked_at), CASE(told_bins_make_the_same_figures))
