#include "client/resample.h"

#include "tests/tap.h"

#include <errno.h>
#include <math.h>

enum { MAX_FRAMES = 100000 };

static const double TURN = 6.283185307179586;

/* Convert a second of a 440 Hz tone and compare it with one made at the new rate. */
static void check_tone(uint32_t from_hz, uint32_t to_hz)
{
    static int16_t in[MAX_FRAMES * 2];
    int16_t *out = NULL;
    size_t n = 0;

    for (uint32_t i = 0; i < from_hz; i++) {
        in[2 * i] = (int16_t)lrint(10000 * sin(TURN * 440 * i / from_hz));
        in[2 * i + 1] = (int16_t)-in[2 * i];
    }
    CHECK_EQ(resample(in, from_hz, 2, from_hz, to_hz, &out, &n), 0);
    CHECK_EQ(n, to_hz);
    for (size_t i = to_hz / 10; i < to_hz - to_hz / 10; i++) {
        double expected = 10000 * sin(TURN * 440 * (double)i / to_hz);

        CHECK(fabs(out[2 * i] - expected) < 100);
        CHECK(fabs(out[2 * i + 1] + expected) < 100);
    }
    free(out);
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
    static const int16_t in[] = {1, 2, 3};
    int16_t *out = NULL;
    size_t n = 1;

    CHECK_EQ(resample(in, 3, 1, 8000, 48000, &out, &n), 0);
    CHECK_EQ(n, 18);
    free(out);
    CHECK_EQ(resample(in, 0, 1, 8000, 48000, &out, &n), 0);
    CHECK_EQ(n, 0);
    free(out);
}

static void no_rate_and_no_channel_are_refused(void)
{
    int16_t *out = NULL;
    size_t n = 0;
    int16_t in = 0;

    CHECK_EQ(resample(&in, 1, 0, 8000, 48000, &out, &n), -EINVAL);
    CHECK_EQ(resample(&in, 1, 1, 0, 48000, &out, &n), -EINVAL);
    CHECK_EQ(resample(&in, 1, 1, 8000, 0, &out, &n), -EINVAL);
}

TAP_CASES(CASE(a_tone_keeps_its_pitch_place_and_loudness),
          CASE(short_sounds_are_as_long_as_they_were), CASE(no_rate_and_no_channel_are_refused))
