#include "client/resample.h"

#include "tests/tap.h"

#include <errno.h>
#include <math.h>

enum { MAX_FRAMES = 100000 };

static const double TURN = 6.283185307179586;

/* Convert a second of a 440 Hz tone and compare it with one made at the new rate. */
static void check_tone(uint32_t from_hz, uint32_t to_hz)
{
    static int16_t samples[MAX_FRAMES * 2];
    struct sound in = {.samples = samples, .n_frames = from_hz, .channels = 2, .rate = from_hz};
    struct sound out;

    for (uint32_t i = 0; i < from_hz; i++) {
        samples[2 * i] = (int16_t)lrint(10000 * sin(TURN * 440 * i / from_hz));
        samples[2 * i + 1] = (int16_t)-samples[2 * i];
    }
    CHECK_EQ(resample(&out, &in, to_hz), 0);
    CHECK_EQ(out.n_frames, to_hz);
    CHECK_EQ(out.rate, to_hz);
    for (size_t i = to_hz / 10; i < to_hz - to_hz / 10; i++) {
        double expected = 10000 * sin(TURN * 440 * (double)i / to_hz);

        CHECK(fabs(out.samples[2 * i] - expected) < 100);
        CHECK(fabs(out.samples[2 * i + 1] + expected) < 100);
    }
    free(out.samples);
}

static void a_tone_keeps_its_pitch_place_and_loudness(void)
{
    check_tone(8000, 48000);
    check_tone(22050, 48000);
    check_tone(44100, 48000);
    check_tone(96000, 48000);
    check_tone(48000, 16000);
}

static void short_sounds_are_as_long_as_they_were(void)
{
    int16_t samples[] = {1, 2, 3};
    struct sound in = {.samples = samples, .n_frames = 3, .channels = 1, .rate = 8000};
    struct sound out;

    CHECK_EQ(resample(&out, &in, 48000), 0);
    CHECK_EQ(out.n_frames, 18);
    free(out.samples);
    in.n_frames = 0;
    CHECK_EQ(resample(&out, &in, 48000), 0);
    CHECK_EQ(out.n_frames, 0);
    free(out.samples);
}

static void no_rate_and_no_channel_are_refused(void)
{
    int16_t sample = 0;
    struct sound in = {.samples = &sample, .n_frames = 1, .channels = 1, .rate = 8000};
    struct sound out;

    CHECK_EQ(resample(&out, &in, 0), -EINVAL);
    in.rate = 0;
    CHECK_EQ(resample(&out, &in, 48000), -EINVAL);
    in.rate = 8000;
    in.channels = 0;
    CHECK_EQ(resample(&out, &in, 48000), -EINVAL);
}

TAP_CASES(CASE(a_tone_keeps_its_pitch_place_and_loudness),
          CASE(short_sounds_are_as_long_as_they_were), CASE(no_rate_and_no_channel_are_refused))
