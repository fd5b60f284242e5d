#include "client/mixer.h"

#include "tests/tap.h"

enum { MAX_SAMPLES = MIXER_FRAME * MIXER_MAX_CHANNELS };

static void fill(int16_t *samples, int16_t value)
{
    for (size_t i = 0; i < MAX_SAMPLES; i++)
        samples[i] = value;
}

static void sounds_add_up(void)
{
    struct mixer m;
    int16_t in[MAX_SAMPLES];
    int16_t out[MAX_SAMPLES];

    mixer_init(&m, 2);
    fill(in, 1000);
    mixer_add(&m, in);
    fill(in, -300);
    mixer_add(&m, in);
    mixer_take(&m, out);
    CHECK_EQ(out[0], 700);
    CHECK_EQ(out[MAX_SAMPLES - 1], 700);
}

static void nothing_added_is_silence(void)
{
    struct mixer m;
    int16_t in[MAX_SAMPLES];
    int16_t out[MAX_SAMPLES];

    mixer_init(&m, 1);
    fill(in, 1000);
    mixer_add(&m, in);
    mixer_take(&m, out);
    mixer_take(&m, out);
    CHECK_EQ(out[0], 0);
    CHECK_EQ(out[MIXER_FRAME - 1], 0);
}

static void loud_sums_are_turned_down_not_cut(void)
{
    struct mixer m;
    int16_t in[MAX_SAMPLES];
    int16_t out[MAX_SAMPLES];

    mixer_init(&m, 1);
    fill(in, 30000);
    in[1] = 15000;
    mixer_add(&m, in);
    mixer_add(&m, in);
    mixer_take(&m, out);
    CHECK(out[0] > 32000);
    CHECK(out[1] > 16000 && out[1] < 16500); /* still half */
}

static void the_gain_comes_back_within_a_second(void)
{
    struct mixer m;
    int16_t in[MAX_SAMPLES];
    int16_t out[MAX_SAMPLES];

    mixer_init(&m, 1);
    fill(in, INT16_MIN);
    for (int i = 0; i < 100; i++)
        mixer_add(&m, in);
    mixer_take(&m, out);
    fill(in, 10000);
    mixer_add(&m, in);
    mixer_take(&m, out);
    CHECK(out[0] < 1000);
    for (int i = 0; i < 50; i++) {
        mixer_add(&m, in);
        mixer_take(&m, out);
    }
    CHECK_EQ(out[MIXER_FRAME - 1], 10000);
}

TAP_CASES(CASE(sounds_add_up), CASE(nothing_added_is_silence),
          CASE(loud_sums_are_turned_down_not_cut), CASE(the_gain_comes_back_within_a_second))
