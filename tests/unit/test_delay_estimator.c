#include "media/delay_estimator.h"

#include "bench/netem.h"
#include "media/base/clock.h"
#include "tests/tap.h"

#include <stdlib.h>

enum { INTERVAL_US = 10 * 1000 };

/* A stream of packets, INTERVAL_US apart. */
struct stream {
    struct delay_estimator d;
    int64_t sent_us, delay_us;
    int overused, underused; /* packets after which it was so */
};

static void begin(struct stream *s)
{
    *s = (struct stream){.sent_us = 5 * SECOND, .delay_us = -3 * SECOND};
    delay_estimator_init(&s->d);
}

/* `n` packets whose delay grows by `step_us` each, and is `noise_us` longer in addition. */
static void pass(struct stream *s, int n, int64_t step_us, const int64_t *noise_us)
{
    for (int i = 0; i < n; i++) {
        s->sent_us += INTERVAL_US;
        s->delay_us += step_us;
        delay_estimator_on_packet(&s->d, s->sent_us,
                                  s->sent_us + s->delay_us + (noise_us ? noise_us[i] : 0), false);
        s->overused += s->d.signal == DELAY_OVERUSED;
        s->underused += s->d.signal == DELAY_UNDERUSED;
    }
}

static void even_delay_is_normal(void)
{
    struct stream s;

    begin(&s);
    CHECK_EQ(delay_estimator_queue_us(&s.d), 0);
    pass(&s, 500, 0, NULL);
    CHECK_EQ(s.overused + s.underused, 0);
    CHECK_EQ(delay_estimator_queue_us(&s.d), 0);
}

static void growing_queue_is_noticed_within_300_ms(void)
{
    struct stream s;

    begin(&s);
    pass(&s, 100, 0, NULL);
    pass(&s, 30, MS, NULL); /* 10 % too much */
    CHECK_EQ(s.d.signal, DELAY_OVERUSED);
    CHECK(delay_estimator_queue_us(&s.d) >= 20 * MS);
    CHECK(delay_estimator_queue_us(&s.d) <= 30 * MS);
    pass(&s, 40, -MS, NULL);
    CHECK_EQ(s.d.signal, DELAY_UNDERUSED);
    pass(&s, 100, 0, NULL);
    CHECK_EQ(s.d.signal, DELAY_NORMAL);
}

static void jitter_is_neither_overuse_nor_queue(void)
{
    struct stream s;
    uint64_t random = 1;
    int64_t noise_us[1000];

    for (size_t i = 0; i < 1000; i++)
        noise_us[i] = (int64_t)(netem_random(&random) % (uint64_t)(10 * MS));
    begin(&s);
    pass(&s, 200, 0, noise_us);
    s.overused = 0;
    pass(&s, 800, 0, noise_us + 200);
    CHECK(s.overused < 40);
    CHECK(delay_estimator_queue_us(&s.d) < 5 * MS);
    CHECK(s.d.jitter_us > MS && s.d.jitter_us < 6 * MS);
}

static void drift_of_a_clock_is_no_queue(void)
{
    for (int sign = -1; sign <= 1; sign += 2) {
        struct stream s;

        begin(&s);
        pass(&s, 60000, sign * 5, NULL); /* 500 ppm for ten minutes */
        CHECK_EQ(s.overused + s.underused, 0);
        CHECK(delay_estimator_queue_us(&s.d) <= 8 * MS);
    }
}

static void bursts_are_one_group(void)
{
    struct delay_estimator d;

    delay_estimator_init(&d);
    for (int frame = 0; frame < 200; frame++) { /* of five packets, that leave within 4 ms */
        for (int i = 0; i < 5; i++) {
            int64_t sent_us = frame * 33 * MS + i * MS;

            delay_estimator_on_packet(&d, sent_us, frame * 33 * MS + i * 6 * MS, false);
            CHECK_EQ(d.signal, DELAY_NORMAL);
        }
    }
    CHECK_EQ(d.groups, 198); /* the first has none before it, the last is not complete */
}

static void what_overtook_is_ignored(void)
{
    struct stream s;

    begin(&s);
    pass(&s, 100, 0, NULL);
    delay_estimator_on_packet(&s.d, s.sent_us - 1, s.sent_us + SECOND, false);
    CHECK_EQ(delay_estimator_queue_us(&s.d), 0);
}

static void probes_do_not_move_the_trend(void)
{
    struct stream s;

    begin(&s);
    pass(&s, 100, 0, NULL);
    for (int i = 1; i <= 50; i++)
        delay_estimator_on_packet(&s.d, s.sent_us + i * MS, s.sent_us + s.delay_us + i * 3 * MS,
                                  true);
    CHECK_EQ(s.d.signal, DELAY_NORMAL);
    CHECK_EQ(s.d.groups, 98);
}

static void a_queue_that_stands_is_known_for_ten_seconds(void)
{
    struct stream s;

    begin(&s);
    pass(&s, 100, 0, NULL);
    pass(&s, 50, 2 * MS, NULL);
    pass(&s, 1000, 0, NULL);
    CHECK_EQ(delay_estimator_queue_us(&s.d), 100 * MS);
    pass(&s, 600, 0, NULL); /* nobody remembers that it was ever shorter */
    CHECK_EQ(delay_estimator_queue_us(&s.d), 0);
}

static void rebase_takes_what_is_for_the_way(void)
{
    struct stream s;

    begin(&s);
    delay_estimator_rebase(&s.d);
    CHECK_EQ(delay_estimator_queue_us(&s.d), 0);
    pass(&s, 100, 0, NULL);
    pass(&s, 50, 2 * MS, NULL);
    pass(&s, 20, 0, NULL);
    delay_estimator_rebase(&s.d);
    CHECK_EQ(delay_estimator_queue_us(&s.d), 0);
    pass(&s, 20, MS, NULL);
    CHECK(delay_estimator_queue_us(&s.d) >= 10 * MS);
}

static void a_pause_is_no_trend(void)
{
    struct stream s;

    begin(&s);
    pass(&s, 100, 0, NULL);
    s.sent_us += 20 * SECOND;
    s.delay_us += 50 * MS;
    s.overused = 0;
    pass(&s, 100, 0, NULL);
    CHECK_EQ(s.overused, 0);
}

TAP_CASES(CASE(even_delay_is_normal), CASE(growing_queue_is_noticed_within_300_ms),
          CASE(jitter_is_neither_overuse_nor_queue), CASE(drift_of_a_clock_is_no_queue),
          CASE(bursts_are_one_group), CASE(what_overtook_is_ignored),
          CASE(probes_do_not_move_the_trend), CASE(a_queue_that_stands_is_known_for_ten_seconds),
          CASE(rebase_takes_what_is_for_the_way), CASE(a_pause_is_no_trend))
