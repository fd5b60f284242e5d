#include "media/probe_control.h"

#include "media/base/clock.h"
#include "tests/tap.h"

#include <math.h>

static struct probe_control p;
static struct probe_view view;
static int64_t now_us;

static void begin(double estimate_bps, double wanted_bps)
{
    now_us = 100 * SECOND;
    view = (struct probe_view){.estimate_bps = estimate_bps,
                               .wanted_bps = wanted_bps,
                               .max_bps = 100e6,
                               .rtt_us = 100 * MS};
    probe_control_init(&p);
}

static bool is_about(double value, double expected)
{
    return fabs(value - expected) < 0.03 * expected;
}

/* @return true: a probe is to be sent now */
static bool is_probed(struct congestion_probe *ret)
{
    int64_t due_us = probe_control_advance(&p, &view, now_us);

    CHECK(due_us > now_us);
    return probe_control_take(&p, ret, now_us);
}

/* Tell of the packets of a probe over a path that carries `path_bps`. */
static void answer(const struct congestion_probe *probe, double path_bps)
{
    double slower = fmax(1, (double)probe->bps / path_bps);
    uint32_t n = probe->min_packets * 2;
    uint32_t len = probe->min_bytes / probe->min_packets;
    double step_us = 8.0 * len * SECOND / (double)probe->bps;

    for (uint32_t i = 0; i < n; i++) {
        struct congestion_result result = {.received = true,
                                           .probe = probe->id,
                                           .len = len,
                                           .sent_us = now_us + (int64_t)(i * step_us),
                                           .arrival_us = (int64_t)(i * step_us * slower)};

        probe_control_on_result(&p, &result);
    }
    now_us += view.rtt_us;
}

/* The probe passes, and sets the estimate. */
static double outcome_of(const struct congestion_probe *probe, double path_bps)
{
    struct probe_outcome outcome;

    answer(probe, path_bps);
    CHECK(probe_control_take_outcome(&p, &outcome, &view, now_us));
    view.estimate_bps = fmax(view.estimate_bps, outcome.bps);
    return outcome.bps;
}

/* Until nothing more is to be probed. @return how many there were */
static int probe_on(double path_bps)
{
    struct congestion_probe probe;
    int count = 0;

    while (count < 20 && is_probed(&probe)) {
        outcome_of(&probe, path_bps);
        count++;
    }
    return count;
}

static void two_at_the_start_then_twice_what_was_found(void)
{
    struct congestion_probe first, second, third;

    begin(300e3, 2.5e6);
    CHECK(is_probed(&first));
    CHECK_EQ(first.bps, 900000);
    CHECK_EQ(first.id, 1);
    CHECK(first.min_packets >= 5);
    CHECK_EQ(first.min_bytes, 900000 / 8 * first.duration_us / SECOND);
    CHECK(is_probed(&second));
    CHECK_EQ(second.bps, 1800000);
    CHECK_EQ(second.id, 2);
    CHECK(!is_probed(&third));
    outcome_of(&first, 100e6);
    CHECK(is_about(outcome_of(&second, 100e6), 0.95 * 1.8e6));
    CHECK(is_probed(&third));
    CHECK(is_about((double)third.bps, 2 * 0.95 * 1.8e6));
    outcome_of(&third, 100e6);
    CHECK(!is_probed(&third)); /* it is enough */
}

static void nothing_wanted_is_not_probed(void)
{
    struct congestion_probe probe;

    begin(300e3, 0);
    CHECK(!is_probed(&probe));
    now_us += 60 * SECOND;
    CHECK(!is_probed(&probe));
    view.wanted_bps = 200e3; /* known to pass */
    CHECK(!is_probed(&probe));
    view.wanted_bps = 2.5e6; /* and when it is, at once */
    CHECK(is_probed(&probe));
}

static void probes_go_no_further_than_twice_what_is_wanted(void)
{
    struct congestion_probe probe;

    begin(300e3, 500e3);
    CHECK(is_probed(&probe));
    CHECK_EQ(probe.bps, 900000);
    CHECK(is_probed(&probe));
    CHECK_EQ(probe.bps, 1000000);
    begin(300e3, 5e6);
    view.max_bps = 600e3;
    CHECK(is_probed(&probe));
    CHECK_EQ(probe.bps, 600000);
    CHECK(!is_probed(&probe));
}

static void unlimited_is_five_megabits(void)
{
    begin(300e3, INFINITY);
    probe_on(100e6);
    CHECK(view.estimate_bps > 4e6);
    CHECK(view.estimate_bps <= 5e6);
}

/* 4.5 of 5 Mbit/s: a probe would show nothing, and asking again at once would not either. */
static void what_is_not_worth_a_probe_is_not_asked_all_the_time(void)
{
    struct congestion_probe probe;
    int64_t due_us;

    begin(4.5e6, INFINITY);
    p.started = true;
    due_us = probe_control_advance(&p, &view, now_us);
    CHECK(!probe_control_take(&p, &probe, now_us));
    CHECK(due_us >= now_us + SECOND);
}

static void a_full_path_is_measured_again_every_five_seconds(void)
{
    struct congestion_probe probe;
    int64_t last_us;

    begin(300e3, 5e6);
    probe_on(700e3);
    CHECK(view.estimate_bps > 0.5e6);
    CHECK(view.estimate_bps < 0.7e6);
    for (int i = 0; i < 4; i++) {
        last_us = now_us;
        while (!is_probed(&probe))
            now_us += 100 * MS;
        CHECK(now_us - last_us >= 4 * SECOND);
        CHECK(now_us - last_us <= 6 * SECOND); /* a better picture waits so long */
        outcome_of(&probe, 700e3);
        probe_on(700e3); /* longer ones, to be sure */
    }
}

static void more_wanted_is_probed_at_once_but_not_all_the_time(void)
{
    struct congestion_probe probe;

    begin(300e3, 500e3);
    probe_on(100e6);
    view.estimate_bps = 600e3; /* it fell */
    view.wanted_bps = 2.5e6;
    now_us += 2 * SECOND;
    CHECK(is_probed(&probe));
    CHECK_EQ(probe.bps, 1200000);
    outcome_of(&probe, 600e3);
    view.wanted_bps = 5e6;
    CHECK(!is_probed(&probe));
    now_us += SECOND;
    CHECK(is_probed(&probe));
}

static void no_probe_while_a_queue_drains(void)
{
    struct congestion_probe probe;

    begin(300e3, 2.5e6);
    view.is_congested = true;
    CHECK(!is_probed(&probe));
    view.is_congested = false;
    CHECK_EQ(probe_control_advance(&p, &view, now_us) > now_us, true);
    view.is_congested = true; /* what was lined up is forgotten */
    CHECK(!is_probed(&probe));
}

static void what_is_known_is_not_probed_unless_there_is_a_reason(void)
{
    struct congestion_probe probe;

    begin(300e3, 2.5e6);
    probe_on(700e3);
    view.is_known = true;
    now_us += 60 * SECOND;
    CHECK(!is_probed(&probe));
    probe_control_hasten(&p, SECOND, now_us);
    CHECK(!is_probed(&probe));
    now_us += SECOND;
    CHECK(is_probed(&probe));
}

static void an_unanswered_probe_is_tried_again(void)
{
    struct congestion_probe probe;
    struct probe_outcome outcome;
    int count = 0;

    begin(300e3, 2.5e6);
    for (int i = 0; i < 60; i++) {
        while (is_probed(&probe))
            count++;
        while (probe_control_take_outcome(&p, &outcome, &view, now_us))
            CHECK(outcome.bps == 0);
        now_us += 100 * MS;
    }
    CHECK(count >= 4);
    CHECK(count <= 8);
}

static void jitter_makes_probes_longer(void)
{
    struct congestion_probe probe;
    int64_t short_us;

    begin(300e3, 2.5e6);
    CHECK(is_probed(&probe));
    short_us = probe.duration_us;
    begin(300e3, 2.5e6);
    view.jitter_us = 10 * MS;
    CHECK(is_probed(&probe));
    CHECK(probe.duration_us >= short_us + 20 * MS);
    begin(300e3, 2.5e6);
    view.jitter_us = SECOND;
    CHECK(is_probed(&probe));
    CHECK_EQ(probe.duration_us, 60 * MS);
}

static void packets_that_arrive_at_once_tell_nothing(void)
{
    struct congestion_probe probe;
    struct probe_outcome outcome;

    begin(300e3, 700e3);
    CHECK(is_probed(&probe));
    for (int i = 0; i < 10; i++) {
        struct congestion_result result = {.received = true,
                                           .probe = probe.id,
                                           .len = 400,
                                           .sent_us = now_us + i * MS,
                                           .arrival_us = i};

        probe_control_on_result(&p, &result);
    }
    CHECK(probe_control_take_outcome(&p, &outcome, &view, now_us));
    CHECK(outcome.bps == 0);
}

static void ids_are_never_zero_nor_in_use(void)
{
    struct congestion_probe probe;

    begin(300e3, 2.5e6);
    p.last_id = 254;
    CHECK(is_probed(&probe));
    CHECK_EQ(probe.id, 255);
    CHECK(is_probed(&probe));
    CHECK_EQ(probe.id, 1);
}

TAP_CASES(CASE(two_at_the_start_then_twice_what_was_found), CASE(nothing_wanted_is_not_probed),
          CASE(probes_go_no_further_than_twice_what_is_wanted), CASE(unlimited_is_five_megabits),
          CASE(what_is_not_worth_a_probe_is_not_asked_all_the_time),
          CASE(a_full_path_is_measured_again_every_five_seconds),
          CASE(more_wanted_is_probed_at_once_but_not_all_the_time),
          CASE(no_probe_while_a_queue_drains),
          CASE(what_is_known_is_not_probed_unless_there_is_a_reason),
          CASE(an_unanswered_probe_is_tried_again), CASE(jitter_makes_probes_longer),
          CASE(packets_that_arrive_at_once_tell_nothing), CASE(ids_are_never_zero_nor_in_use))
