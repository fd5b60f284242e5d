#include "media/silence_gate.h"

#include "tests/tap.h"

static struct silence_gate gate;
static int64_t now_us;

static void begin(void)
{
    gate = (struct silence_gate){0};
    now_us = 1000 * SECOND;
}

/* @return how many of `n` packets pass */
static int pass(enum silence kind, int n)
{
    int passed = 0;

    for (int i = 0; i < n; i++) {
        passed += silence_gate_pass(&gate, kind, now_us);
        now_us += 20 * MS;
    }
    return passed;
}

static void what_is_silence(void)
{
    CHECK_EQ(silence_of(1, -1), SILENCE_COMFORT);
    CHECK_EQ(silence_of(3, 40), SILENCE_COMFORT);
    CHECK_EQ(silence_of(4, -1), SILENCE_NONE);
    CHECK_EQ(silence_of(100, 126), SILENCE_NONE);
    CHECK_EQ(silence_of(100, 127), SILENCE_DIGITAL);
}

static void sound_passes(void)
{
    begin();
    CHECK_EQ(pass(SILENCE_NONE, 100), 100);
}

static void the_first_comfort_noise_passes_then_one_per_interval(void)
{
    begin();
    pass(SILENCE_NONE, 10);
    CHECK_EQ(pass(SILENCE_COMFORT, 3), 3);
    CHECK_EQ(pass(SILENCE_COMFORT, 19), 0);
    CHECK_EQ(pass(SILENCE_COMFORT, 1), 1);
    CHECK_EQ(pass(SILENCE_COMFORT, 200), 10);
}

static void digital_silence_passes_for_a_while(void)
{
    begin();
    pass(SILENCE_NONE, 10);
    CHECK_EQ(pass(SILENCE_DIGITAL, 10), 10);
    CHECK_EQ(pass(SILENCE_DIGITAL, 19), 0);
    CHECK_EQ(pass(SILENCE_DIGITAL, 1), 1);
    CHECK_EQ(pass(SILENCE_DIGITAL, 200), 10);
}

static void sound_ends_silence_at_once(void)
{
    begin();
    pass(SILENCE_COMFORT, 30);
    CHECK_EQ(pass(SILENCE_NONE, 1), 1);
    CHECK_EQ(pass(SILENCE_COMFORT, 10), 3);
    CHECK_EQ(pass(SILENCE_NONE, 1), 1);
    CHECK_EQ(pass(SILENCE_DIGITAL, 10), 10);
}

static void packets_that_are_rare_anyway_pass(void)
{
    begin();
    for (int i = 0; i < 20; i++) {
        CHECK(silence_gate_pass(&gate, SILENCE_COMFORT, now_us));
        now_us += SILENCE_GATE_INTERVAL_US;
    }
}

TAP_CASES(CASE(what_is_silence), CASE(sound_passes),
          CASE(the_first_comfort_noise_passes_then_one_per_interval),
          CASE(digital_silence_passes_for_a_while), CASE(sound_ends_silence_at_once),
          CASE(packets_that_are_rare_anyway_pass))
