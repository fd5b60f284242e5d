#include "media/loss_estimator.h"

#include "bench/netem.h"
#include "media/base/clock.h"
#include "tests/tap.h"

#include <math.h>

enum { PACKET = 1000 };

/* A path that loses `random_loss` of all packets, and what is beyond `limit_bps` besides. */
struct path {
    struct loss_estimator l;
    double limit_bps, random_loss;
    int64_t now_us;
    uint64_t random;
    bool is_congested, is_limited;
};

static void begin(struct path *p, double limit_bps, double random_loss)
{
    *p = (struct path){.limit_bps = limit_bps, .random_loss = random_loss, .random = 1};
    loss_estimator_init(&p->l);
}

static bool is_lost(struct path *p, double rate_bps)
{
    double share = p->random_loss + fmax(0, 1 - p->limit_bps / rate_bps);

    return (double)(netem_random(&p->random) >> 11) * 0x1p-53 < share;
}

/* Send at `rate_bps`, or at the bound if that is lower. @return mean rate [bit/s] */
static double pass(struct path *p, double rate_bps, int64_t duration_us)
{
    int64_t end_us = p->now_us + duration_us;
    int64_t start_us = p->now_us;
    int64_t decided_us = p->now_us;
    double bits = 0;

    while (p->now_us < end_us) {
        double bps = fmin(rate_bps, p->l.bound_bps);

        loss_estimator_on_packet(&p->l, p->now_us, PACKET, !is_lost(p, bps));
        bits += 8 * PACKET;
        p->now_us += (int64_t)(8.0 * PACKET * SECOND / bps);
        if (p->now_us - decided_us < 50 * MS)
            continue;
        loss_estimator_update(&p->l, 100 * MS, bps, p->is_congested, p->is_limited, p->now_us);
        decided_us = p->now_us;
    }
    return bits * SECOND / (double)(end_us - start_us);
}

static void without_losses_there_is_no_bound(void)
{
    struct path p;

    begin(&p, INFINITY, 0);
    pass(&p, 1e6, 10 * SECOND);
    CHECK(isinf(p.l.bound_bps));
    CHECK_EQ(p.l.phase, LOSS_FREE);
}

static void losses_beyond_the_limit_bring_the_rate_down_to_it(void)
{
    struct path p;
    double bps;

    begin(&p, 1e6, 0);
    pass(&p, 2e6, 3 * SECOND);
    bps = pass(&p, 2e6, 20 * SECOND);
    CHECK(bps > 0.8e6);
    CHECK(bps < 1.15e6);
}

static void loss_at_any_rate_is_no_reason_to_go_down(void)
{
    static const double losses[] = {0.01, 0.05, 0.1};

    for (size_t i = 0; i < 3; i++) {
        struct path p;

        begin(&p, INFINITY, losses[i]);
        CHECK(pass(&p, 2e6, 30 * SECOND) > 0.85 * 2e6);
        CHECK(fabs(p.l.inherent - losses[i]) < 0.03);
    }
}

static void more_than_15_percent_is_always_too_much(void)
{
    struct path p;

    begin(&p, INFINITY, 0.3);
    CHECK(pass(&p, 2e6, 20 * SECOND) < 0.6 * 2e6);
    CHECK(p.l.inherent <= 0.15);
}

static void a_bound_that_was_right_rises_again(void)
{
    struct path p;

    begin(&p, 1e6, 0);
    pass(&p, 1.5e6, 3 * SECOND);
    CHECK(p.l.bound_bps < 1.2e6);
    p.limit_bps = INFINITY;
    pass(&p, 1.5e6, 20 * SECOND);
    CHECK(isinf(p.l.bound_bps));
}

static void losses_of_a_queue_are_left_to_others(void)
{
    struct path p;

    begin(&p, 1e6, 0);
    p.is_congested = true;
    pass(&p, 2e6, 3 * SECOND);
    CHECK(isinf(p.l.bound_bps));
    CHECK(p.l.inherent < 0.001);
}

static void a_small_stream_is_not_to_blame(void)
{
    struct path p;

    begin(&p, INFINITY, 0.12);
    p.is_limited = true;
    pass(&p, 100e3, 20 * SECOND);
    CHECK(isinf(p.l.bound_bps));
    p.is_limited = false;
    CHECK(pass(&p, 2e6, 10 * SECOND) > 0.9 * 2e6); /* it is known already */
}

static void a_burst_of_losses_is_no_matter_of_rates(void)
{
    struct path p;

    begin(&p, INFINITY, 0);
    for (int i = 0; i < 10; i++) {
        pass(&p, 2e6, 2 * SECOND);
        p.random_loss = 1;
        pass(&p, 2e6, 80 * MS); /* 20 packets */
        p.random_loss = 0;
    }
    CHECK(isinf(p.l.bound_bps));
    CHECK_EQ(p.l.helped, 0);
}

static void a_probe_that_passed_lifts_the_bound(void)
{
    struct path p;

    begin(&p, 1e6, 0);
    pass(&p, 2e6, 3 * SECOND);
    CHECK(!isinf(p.l.bound_bps));
    loss_estimator_lift(&p.l, 0.5e6, p.now_us);
    CHECK(!isinf(p.l.bound_bps));
    loss_estimator_lift(&p.l, 2e6, p.now_us);
    CHECK(isinf(p.l.bound_bps));
}

static void everything_lost_is_survived(void)
{
    struct path p;

    begin(&p, INFINITY, 1);
    pass(&p, 2e6, 10 * SECOND);
    CHECK(p.l.inherent <= 0.15);
    CHECK(p.l.bound_bps > 0);
}

TAP_CASES(CASE(without_losses_there_is_no_bound),
          CASE(losses_beyond_the_limit_bring_the_rate_down_to_it),
          CASE(loss_at_any_rate_is_no_reason_to_go_down),
          CASE(more_than_15_percent_is_always_too_much), CASE(a_bound_that_was_right_rises_again),
          CASE(losses_of_a_queue_are_left_to_others), CASE(a_small_stream_is_not_to_blame),
          CASE(a_burst_of_losses_is_no_matter_of_rates), CASE(a_probe_that_passed_lifts_the_bound),
          CASE(everything_lost_is_survived))
