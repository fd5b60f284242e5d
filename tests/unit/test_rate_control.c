#include "media/rate_control.h"

#include "media/base/clock.h"
#include "tests/tap.h"

#include <math.h>

/* A path that answers every 100 ms, and has no queue unless told. */
struct path {
    struct rate_control r;
    struct rate_input in;
    int64_t now_us;
};

static void begin(struct path *p, double bps)
{
    *p = (struct path){
        .in = {.rtt_us = 100 * MS, .acked_bps = bps, .steady_bps = bps},
        .now_us = 50 * SECOND,
    };
    rate_control_init(&p->r, bps, 30e3, 10e6, p->now_us);
}

/* One feedback after the other for `duration_us`; all that is sent arrives. */
static void pass(struct path *p, int64_t duration_us)
{
    for (int64_t end_us = p->now_us + duration_us; p->now_us < end_us;) {
        p->now_us += 100 * MS;
        p->in.acked_bps = p->in.steady_bps = p->r.bps;
        rate_control_update(&p->r, &p->in, p->now_us);
    }
}

/* One feedback that tells of a queue. */
static void overuse(struct path *p, int64_t queue_us, double acked_bps)
{
    p->now_us += 100 * MS;
    p->in.signal = DELAY_OVERUSED;
    p->in.queue_us = queue_us;
    p->in.acked_bps = p->in.steady_bps = acked_bps;
    rate_control_update(&p->r, &p->in, p->now_us);
}

static void relax(struct path *p)
{
    p->in.signal = DELAY_NORMAL;
    p->in.queue_us = 0;
}

static bool is_about(double value, double expected)
{
    return fabs(value - expected) < 0.03 * expected;
}

static void rate_grows_by_8_percent_per_second_at_first(void)
{
    struct path p;

    begin(&p, 1e6);
    pass(&p, 10 * SECOND);
    CHECK(is_about(p.r.bps, 1e6 * pow(1.08, 10)));
    pass(&p, 60 * SECOND);
    CHECK(p.r.bps == 10e6); /* no further */
}

static void rate_does_not_outgrow_what_arrives(void)
{
    struct path p;

    begin(&p, 300e3);
    for (int i = 0; i < 600; i++) {
        p.now_us += 100 * MS;
        rate_control_update(&p.r, &p.in, p.now_us);
    }
    CHECK(p.r.bps > 400e3);
    CHECK(p.r.bps <= 1.5 * 300e3 + 10e3);
    rate_control_set(&p.r, 2e6, p.now_us); /* by a probe: that stays */
    for (int i = 0; i < 600; i++) {
        p.now_us += 100 * MS;
        rate_control_update(&p.r, &p.in, p.now_us);
    }
    CHECK(p.r.bps == 2e6);
}

static void a_long_queue_takes_it_to_85_percent_of_what_arrives_at_once(void)
{
    struct path p;

    begin(&p, 2e6);
    overuse(&p, 100 * MS, 1e6);
    CHECK(is_about(p.r.bps, 0.85e6));
    CHECK_EQ(p.r.phase, RATE_DRAINING);
}

static void a_short_queue_is_watched_before_it_counts(void)
{
    struct path p;

    begin(&p, 2e6);
    overuse(&p, 40 * MS, 1.9e6);
    CHECK(p.r.bps == 2e6);
    overuse(&p, 45 * MS, 1.9e6);
    CHECK(is_about(p.r.bps, 0.85 * 1.9e6));
    begin(&p, 2e6);
    overuse(&p, 40 * MS, 1.9e6);
    relax(&p); /* it was a burst */
    pass(&p, SECOND);
    CHECK(p.r.bps >= 2e6);
}

static void a_trend_without_a_queue_is_noise(void)
{
    struct path p;

    begin(&p, 1e6);
    for (int i = 0; i < 20; i++)
        overuse(&p, 5 * MS, 1e6);
    CHECK(p.r.bps == 1e6);
    CHECK_EQ(p.r.phase, RATE_GROWING);
}

static void less_is_sent_while_a_queue_drains(void)
{
    struct path p;

    begin(&p, 1e6);
    CHECK(rate_control_drain(&p.r, 10 * MS) == 1);
    overuse(&p, 160 * MS, 1e6);
    CHECK(rate_control_drain(&p.r, 10 * MS) == 0.5);
    CHECK(rate_control_drain(&p.r, 60 * MS) > 0.6);
    CHECK(rate_control_drain(&p.r, 200 * MS) == 1);
    overuse(&p, 5 * SECOND, 1e6);
    CHECK(rate_control_drain(&p.r, 10 * MS) > 0.3);
    relax(&p);
    pass(&p, 100 * MS);
    CHECK(rate_control_drain(&p.r, 10 * MS) == 1);
    CHECK_EQ(p.r.phase, RATE_HOLDING);
}

static void a_drain_that_went_too_deep_is_made_good(void)
{
    struct path p;

    begin(&p, 2e6);
    overuse(&p, 100 * MS, 0.4e6); /* for a moment */
    p.in.signal = DELAY_NORMAL;
    p.in.acked_bps = 1e6; /* what the path really carries */
    p.now_us += 100 * MS;
    rate_control_update(&p.r, &p.in, p.now_us);
    relax(&p);
    p.now_us += 100 * MS;
    rate_control_update(&p.r, &p.in, p.now_us);
    CHECK(is_about(p.r.bps, 0.85e6));
}

static void near_the_last_overuse_it_grows_step_by_step(void)
{
    struct path p;

    begin(&p, 4e6);
    overuse(&p, 100 * MS, 4e6);
    relax(&p);
    pass(&p, 400 * MS);
    CHECK(is_about(p.r.bps, 3.4e6));
    pass(&p, 5 * SECOND);
    CHECK(p.r.bps > 3.4e6 + 150e3); /* a packet per 200 ms */
    CHECK(p.r.bps < 3.4e6 + 350e3);
    CHECK(rate_control_is_near_link(&p.r, p.now_us));
    CHECK(!rate_control_is_near_link(&p.r, p.now_us + 10 * SECOND));
}

static void more_than_the_link_carried_is_news(void)
{
    struct path p;

    begin(&p, 1e6);
    overuse(&p, 100 * MS, 1e6);
    relax(&p);
    pass(&p, SECOND);
    CHECK(!rate_control_take_rise(&p.r));
    rate_control_set(&p.r, 1.3e6, p.now_us);
    pass(&p, 100 * MS);
    CHECK(rate_control_take_rise(&p.r));
    CHECK(!rate_control_take_rise(&p.r));
    CHECK(!rate_control_is_near_link(&p.r, p.now_us));
}

static void a_queue_that_stays_is_not_ours(void)
{
    struct path p;
    double bps;

    begin(&p, 1e6);
    overuse(&p, 100 * MS, 1e6);
    bps = p.r.bps;
    p.in.signal = DELAY_NORMAL;
    pass(&p, SECOND);
    CHECK(!rate_control_take_stuck(&p.r));
    pass(&p, SECOND);
    CHECK(rate_control_take_stuck(&p.r));
    CHECK(p.r.bps == bps);
}

static void a_queue_that_overflows_is_ours(void)
{
    struct path p;

    begin(&p, 1e6);
    overuse(&p, 400 * MS, 1e6);
    p.in.signal = DELAY_NORMAL;
    p.in.is_overflowing = true;
    pass(&p, 2 * SECOND);
    CHECK(!rate_control_take_stuck(&p.r));
    CHECK(p.r.bps < 0.5e6);
}

static void little_that_arrives_is_no_measure(void)
{
    struct path p;

    begin(&p, 4e6);
    p.in.is_limited = true;
    overuse(&p, 90 * MS, 100e3);
    CHECK(is_about(p.r.bps, 2e6));
    begin(&p, 4e6);
    p.in.is_limited = true;
    overuse(&p, 200 * MS, 100e3); /* but this is */
    CHECK(is_about(p.r.bps, 85e3));
}

static void who_sends_more_gives_way_first(void)
{
    struct path fast, slow;

    begin(&fast, 2e6);
    begin(&slow, 0.5e6);
    for (int i = 0; i < 3; i++) {
        overuse(&fast, 35 * MS, 2e6);
        overuse(&slow, 35 * MS, 0.5e6);
    }
    CHECK_EQ(fast.r.phase, RATE_DRAINING);
    CHECK_EQ(slow.r.phase, RATE_GROWING);
}

static void what_else_holds_it_stops_growth(void)
{
    struct path p;

    begin(&p, 1e6);
    p.in.is_held = true;
    pass(&p, 10 * SECOND);
    CHECK(p.r.bps == 1e6);
    rate_control_limit(&p.r, 2e6);
    CHECK(p.r.bps == 1e6);
    rate_control_limit(&p.r, 0.5e6);
    CHECK(p.r.bps == 0.5e6);
    rate_control_limit(&p.r, 1);
    CHECK(p.r.bps == 30e3);
}

TAP_CASES(CASE(rate_grows_by_8_percent_per_second_at_first),
          CASE(rate_does_not_outgrow_what_arrives),
          CASE(a_long_queue_takes_it_to_85_percent_of_what_arrives_at_once),
          CASE(a_short_queue_is_watched_before_it_counts), CASE(a_trend_without_a_queue_is_noise),
          CASE(less_is_sent_while_a_queue_drains), CASE(a_drain_that_went_too_deep_is_made_good),
          CASE(near_the_last_overuse_it_grows_step_by_step),
          CASE(more_than_the_link_carried_is_news), CASE(a_queue_that_stays_is_not_ours),
          CASE(a_queue_that_overflows_is_ours), CASE(little_that_arrives_is_no_measure),
          CASE(who_sends_more_gives_way_first), CASE(what_else_holds_it_stops_growth))
