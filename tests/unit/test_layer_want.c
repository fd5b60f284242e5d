#include "sfu/layer_want.h"

#include "bench/netem.h"
#include "tests/tap.h"

static const int64_t start_us = 1000 * SECOND;

static struct layer_want make(uint8_t n)
{
    struct layer_want w;

    layer_want_init(&w, n, start_us);
    return w;
}

/* Hear the same for some time, looking every 10 ms. @return when it was told [us], or NEVER_US */
static int64_t hear(struct layer_want *w, uint8_t needed, int64_t from_us, int64_t us)
{
    for (int64_t now_us = from_us; now_us < from_us + us; now_us += 10 * MS) {
        if (layer_want_update(w, needed, now_us))
            return now_us;
    }
    return NEVER_US;
}

static void who_sends_what_is_needed_hears_nothing(void)
{
    struct layer_want w = make(3);

    CHECK_EQ(w.told, 7);
    CHECK_EQ(hear(&w, 7, start_us, 10 * SECOND), NEVER_US);
    CHECK_EQ(layer_want_deadline(&w), NEVER_US);
}

static void what_nobody_needs_is_stopped_after_a_second(void)
{
    struct layer_want w = make(3);

    CHECK(!layer_want_update(&w, 3, start_us + SECOND));
    CHECK_EQ(layer_want_deadline(&w), start_us + SECOND + LAYER_WANT_KEEP_US);
    CHECK_EQ(hear(&w, 3, start_us + SECOND, 5 * SECOND), start_us + SECOND + LAYER_WANT_KEEP_US);
    CHECK_EQ(w.told, 3);
    CHECK_EQ(layer_want_deadline(&w), NEVER_US);
}

static void what_is_needed_again_is_asked_for_at_once(void)
{
    struct layer_want w = make(3);

    (void)hear(&w, 1, start_us, 5 * SECOND);
    CHECK_EQ(w.told, 1);
    CHECK(layer_want_update(&w, 4, start_us + 10 * SECOND));
    CHECK_EQ(w.told, 5); /* the lowest is kept for a second */
    CHECK_EQ(hear(&w, 4, start_us + 10 * SECOND, 5 * SECOND), start_us + 11 * SECOND);
    CHECK_EQ(w.told, 4);
}

static void what_is_missed_for_a_moment_is_not_stopped(void)
{
    struct layer_want w = make(3);

    for (int64_t us = start_us; us < start_us + 20 * SECOND; us += SECOND) {
        CHECK_EQ(hear(&w, 1, us, 990 * MS), NEVER_US);
        CHECK_EQ(hear(&w, 7, us + 990 * MS, 10 * MS), NEVER_US);
    }
}

static void nobody_there_means_nothing_wanted(void)
{
    struct layer_want w = make(1);

    CHECK_EQ(hear(&w, 0, start_us, 2 * SECOND), start_us + LAYER_WANT_KEEP_US);
    CHECK_EQ(w.told, 0);
    CHECK_EQ(hear(&w, 1, start_us + 3 * SECOND, SECOND), start_us + 3 * SECOND);
}

static void what_is_asked_for_is_expected_a_while_later(void)
{
    struct layer_want w = make(2);

    CHECK(!layer_want_expects(&w, 0, start_us));
    CHECK(layer_want_expects(&w, 0, start_us + LAYER_WANT_PATIENCE_US));
    (void)hear(&w, 1, start_us, 2 * SECOND);
    CHECK(!layer_want_expects(&w, 1, start_us + 10 * SECOND));
    CHECK(layer_want_update(&w, 3, start_us + 10 * SECOND));
    CHECK(!layer_want_expects(&w, 1, start_us + 10 * SECOND));
    CHECK(layer_want_expects(&w, 1, start_us + 10 * SECOND + LAYER_WANT_PATIENCE_US));
}

/* Whatever is needed, the publisher hears of it within the interval, is never told to stop what is
 * needed, and has stopped what was not needed for a second and the interval. */
static void it_is_right_and_does_not_talk_much(void)
{
    uint64_t seed = 1;
    struct layer_want w = make(3);
    int64_t spoke_us = 0;
    int64_t wrong_us = start_us;
    int64_t needed_us[3] = {start_us, start_us, start_us};
    uint8_t needed = 7;

    for (int64_t now_us = start_us; now_us < start_us + 1000 * SECOND; now_us += 10 * MS) {
        if (netem_random(&seed) % 40 == 0)
            needed = netem_random(&seed) & 7;
        if (layer_want_update(&w, needed, now_us)) {
            CHECK(now_us - spoke_us >= LAYER_WANT_INTERVAL_US);
            spoke_us = now_us;
        }
        if ((needed & ~w.told) == 0)
            wrong_us = now_us;
        CHECK(now_us - wrong_us <= LAYER_WANT_INTERVAL_US);
        for (int i = 0; i < 3; i++) {
            needed_us[i] = needed >> i & 1 ? now_us : needed_us[i];
            if (w.told >> i & 1)
                CHECK(now_us - needed_us[i] <= LAYER_WANT_KEEP_US + LAYER_WANT_INTERVAL_US);
        }
        CHECK(layer_want_deadline(&w) == NEVER_US || w.told != w.needed);
    }
}

TAP_CASES(CASE(who_sends_what_is_needed_hears_nothing),
          CASE(what_nobody_needs_is_stopped_after_a_second),
          CASE(what_is_needed_again_is_asked_for_at_once),
          CASE(what_is_missed_for_a_moment_is_not_stopped), CASE(nobody_there_means_nothing_wanted),
          CASE(what_is_asked_for_is_expected_a_while_later),
          CASE(it_is_right_and_does_not_talk_much))
